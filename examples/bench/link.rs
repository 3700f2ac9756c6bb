//! A link between mita and its services that is slower than the loopback.

use std::fmt;
use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

/// The most that is sent at once, so that a reply comes evenly.
const PIECE: usize = 16 * 1024;

/// How fast a link is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    /// Megabits per second; `None` is as fast as the loopback.
    pub megabits: Option<f64>,
    /// From a request to the first byte of its reply.
    pub round_trip: Duration,
}

impl Link {
    /// How long so many bytes are on their way.
    fn time_of(&self, bytes: u32) -> Duration {
        let megabits = f64::from(bytes) * 8.0 / 1e6;
        Duration::from_secs_f64(self.megabits.map_or(0.0, |per_second| megabits / per_second))
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabits = self.megabits.map_or("-".to_owned(), |megabits| megabits.to_string());
        write!(f, "{megabits:>4} Mbit/s {:>4} ms", self.round_trip.as_millis())
    }
}

/// The services' end of a connection over a link.
pub struct Shaped {
    stream: TcpStream,
    link: Link,
    asked: bool,
}

impl Shaped {
    /// Puts a link in front of a connection.
    pub fn new(stream: TcpStream, link: Link) -> Self {
        Self {
            stream,
            link,
            asked: false,
        }
    }
}

impl Read for Shaped {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        self.asked = true;
        self.stream.read(bytes)
    }
}

impl Write for Shaped {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if std::mem::take(&mut self.asked) {
            sleep(self.link.round_trip);
        }
        let piece = &bytes[..bytes.len().min(PIECE)];
        sleep(self.link.time_of(u32::try_from(piece.len()).unwrap_or(u32::MAX)));
        self.stream.write(piece)
    }

    fn flush(&mut self) -> Result<()> {
        self.stream.flush()
    }
}
