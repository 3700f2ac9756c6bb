//! Requests, read from the wire.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Result};

/// The first byte of a TLS connection.
const TLS_HANDSHAKE: u8 = 0x16;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Path and query, still percent-encoded.
    pub target: String,
    /// The first line and the headers as they came, to the empty line.
    pub head: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// Reads the next request of a connection; `None` at its end.
    pub fn read(reader: &mut BufReader<impl Read>) -> Result<Option<Self>> {
        let mut request = Self::default();
        reader.read_line(&mut request.head)?;
        let mut words = request.head.split_whitespace().map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        (request.method, request.target) = (method, target);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            request.head.push_str(&line);
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            let name = name.to_ascii_lowercase();
            request.headers.insert(name, value.trim().to_owned());
        }
        request.body = request.read_body(reader)?;
        Ok(Some(request))
    }

    fn read_body(&self, reader: &mut BufReader<impl Read>) -> Result<Vec<u8>> {
        let coding = self.headers.get("transfer-encoding");
        if coding.is_some_and(|coding| coding.contains("chunked")) {
            return read_chunks(reader);
        }
        let length = self
            .headers
            .get("content-length")
            .and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        Ok(body)
    }

    /// Returns the base URL that the client used.
    pub fn base(&self) -> String {
        format!("http://{}", self.headers.get("host").map_or("", String::as_str))
    }
}

/// Returns whether a client speaks TLS to a server that does not.
pub(super) fn is_tls(reader: &mut BufReader<impl Read>) -> Result<bool> {
    let tls = reader.fill_buf()?.first() == Some(&TLS_HANDSHAKE);
    if tls {
        reader.consume(reader.buffer().len());
    }
    Ok(tls)
}

fn read_chunks(reader: &mut BufReader<impl Read>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
        let start = body.len();
        body.resize(start + length, 0);
        reader.read_exact(&mut body[start..])?;
        reader.read_line(&mut line)?;
        if length == 0 {
            return Ok(body);
        }
    }
}
