//! Replies, and how they are put on the wire.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::locked;

/// A reply.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// With some bytes of the body replaced wherever they are.
    #[must_use]
    pub fn edited(mut self, from: &[u8], to: &[u8]) -> Self {
        let mut body = Vec::with_capacity(self.body.len());
        let mut rest = self.body.as_slice();
        while let Some(first) = rest.first() {
            if let Some(after) = rest.strip_prefix(from) {
                body.extend_from_slice(to);
                rest = after;
            } else {
                body.push(*first);
                rest = &rest[1..];
            }
        }
        self.body = body;
        self
    }

    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::typed(status, "application/json", body.to_string())
    }

    pub fn html(status: u16, body: impl Into<String>) -> Self {
        Self::typed(status, "text/html; charset=UTF-8", body.into())
    }

    pub fn typed(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut reply = Self::new(status).header("Content-Type", content_type);
        reply.body = body.into();
        reply
    }

    /// A redirect as a proxy in front of the service gives it.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::new(status).header("Location", to)
    }

    /// The page of a proxy whose upstream is gone.
    pub fn proxy_page(status: u16) -> Self {
        let title = format!("{status} {}", reason(status));
        Self::html(
            status,
            format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
            ),
        )
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Returns how many bytes it has on the wire.
    pub(super) fn length(&self) -> usize {
        self.head(self.body.len() as u64).len() + self.body.len()
    }

    /// Returns whether the connection goes on.
    pub fn write(
        &self,
        stream: &mut (impl Read + Write),
        delivery: Delivery,
        head_only: bool,
    ) -> std::io::Result<bool> {
        let length = match delivery {
            Delivery::Huge(bytes) => bytes,
            _ => self.body.len() as u64,
        };
        let mut bytes = self.head(length);
        let head = bytes.len();
        if !head_only {
            bytes.extend_from_slice(&self.body);
        }
        let half = head + (bytes.len() - head) / 2;
        match delivery {
            Delivery::Whole => {}
            Delivery::Drop => return Ok(false),
            Delivery::Late(span) => thread::sleep(span),
            Delivery::Held(gate) => gate.pass(),
            Delivery::Half => {
                send(stream, &bytes[..half])?;
                return Ok(false);
            }
            Delivery::Stall => {
                send(stream, &bytes[..half])?;
                // Returns when the client has closed its end.
                return stream.read(&mut [0]).map(|_| false);
            }
            Delivery::Drip {
                after,
                bytes: few,
                pause,
            } => {
                let (first, rest) = bytes.split_at(after.min(bytes.len()));
                send(stream, first)?;
                for piece in rest.chunks(few.max(1)) {
                    send(stream, piece)?;
                    thread::sleep(pause);
                }
                return Ok(true);
            }
            Delivery::Huge(total) => {
                send(stream, &bytes[..head])?;
                return fill(stream, total).map(|()| true);
            }
        }
        send(stream, &bytes)?;
        let closes = |(name, value): &(String, String)| name == "Connection" && value == "close";
        Ok(!self.headers.iter().any(closes))
    }

    /// The status line and the headers, to the empty line.
    fn head(&self, length: u64) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.status != 204 {
            head += &format!("Content-Length: {length}\r\n");
        }
        head += "\r\n";
        head.into_bytes()
    }
}

/// How a reply is put on the wire.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// As it should be.
    Whole,
    /// The connection is closed without a byte.
    Drop,
    /// The whole length is promised, half of the body is sent, the connection is closed.
    Half,
    /// Half of the body, and then nothing until the client goes.
    Stall,
    /// A few bytes at a time, once so many are sent.
    Drip {
        after: usize,
        bytes: usize,
        pause: Duration,
    },
    /// So many bytes of JSON-like filling instead of the body.
    Huge(u64),
    /// After a while.
    Late(Duration),
    /// Once the gate is opened.
    Held(Gate),
}

/// Holds a reply back until it is opened.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *locked(&self.0.0) = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let mut open = locked(&self.0.0);
        while !*open {
            open = self.0.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn send(stream: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

fn fill(stream: &mut impl Write, total: u64) -> std::io::Result<()> {
    send(stream, b"{\"filling\":\"")?;
    let block = [b'x'; 16 * 1024];
    let mut left = total.saturating_sub(12);
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(block.len()).min(block.len());
        send(stream, &block[..now])?;
        left -= now as u64;
    }
    Ok(())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        500 => "Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Other",
    }
}
