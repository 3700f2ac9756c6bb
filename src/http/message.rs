//! A request and its reply.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use ureq::http::{HeaderMap, Method};

use crate::text::printable;

/// A request. The URL is complete; secrets belong into headers or the body, never into the URL.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    /// The body with its content type; `None` for none.
    pub body: Option<(&'a str, &'a [u8])>,
}

/// A reply, whatever its status.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns a header as text; `None` when it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns a header whatever its bytes are: as UTF-8, else as Latin-1.
    pub fn header_text(&self, name: &str) -> Option<String> {
        let bytes = self.headers.get(name)?.as_bytes();
        let text = str::from_utf8(bytes).map(str::to_owned);
        Some(text.unwrap_or_else(|_| bytes.iter().copied().map(char::from).collect()))
    }

    /// Returns the server's clock: the `Date` of the reply.
    pub fn date(&self) -> Option<Timestamp> {
        http_date(self.header("date")?)
    }

    /// Returns the seconds after which the service wants to be asked again: `Retry-After` in seconds, or as a date
    /// measured by the `Date` of the same reply.
    pub fn retry_after(&self) -> Option<u64> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(seconds);
        }
        let seconds = http_date(text)?.duration_since(self.date()?).as_secs();
        Some(u64::try_from(seconds).unwrap_or(0))
    }

    /// Returns the beginning of the body, fit for an error message: one line, no control characters.
    pub fn excerpt(&self) -> String {
        let head = &self.body[..self.body.len().min(400)];
        printable(&String::from_utf8_lossy(head), 200)
    }
}

/// Reads a date as headers write it.
fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}
