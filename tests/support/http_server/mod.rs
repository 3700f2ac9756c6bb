//! The HTTP/1.1 server of the tests and of the bench, on the loopback: one thread per connection, keep-alive, and every
//! way to spoil a reply.
//!
//! Written by hand so that half a reply, a slow one or none at all can be given; what a reply says is left to a handler.

#![allow(dead_code, unused_imports, reason = "each test takes the part it needs")]
#![allow(missing_docs, reason = "test support: names and the notes at the parts suffice")]
#![allow(
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "a test server needs threads, and a slow reply takes time"
)]

mod reply;
mod request;
mod scripted;

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

pub use reply::{Delivery, Gate, Reply};
pub use request::Request;
pub use scripted::{Canned, Scripted};

/// A listening server; it stops when dropped.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    accepted: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Server {
    pub fn start(handler: impl Fn(Request) -> (Reply, Delivery) + Send + Sync + 'static) -> Self {
        Self::start_over(|stream| stream, handler)
    }

    /// Does what [`start`](Self::start) does with each connection wrapped first, in TLS for example.
    pub fn start_over<S: Read + Write>(
        wrap: impl Fn(TcpStream) -> S + Send + Sync + 'static,
        handler: impl Fn(Request) -> (Reply, Delivery) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port on loopback");
        let server = Self {
            address: listener.local_addr().expect("a bound address"),
            shared: Arc::default(),
        };
        let shared = Arc::clone(&server.shared);
        let serve = Arc::new(move |stream| converse(wrap(stream), &handler));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Some(hang_up) = shared.accept(&stream) else {
                    continue;
                };
                let serve = Arc::clone(&serve);
                thread::spawn(move || {
                    // A client that goes away in the middle is no concern of the server.
                    let _ = serve(stream);
                    drop(hang_up);
                });
            }
        });
        server
    }

    /// Returns how many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Closes the port and every connection: from now on nobody is there.
    pub fn stop(&self) {
        if !self.shared.stopped.swap(true, Ordering::SeqCst) {
            let _ = TcpStream::connect(self.address);
            self.hang_up();
        }
    }

    /// Closes the connections that are open; new ones are taken.
    pub fn hang_up(&self) {
        for stream in locked(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn accept(&self, stream: &TcpStream) -> Option<HangUp> {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        stream.set_nodelay(true).ok()?;
        locked(&self.open).push(stream.try_clone().ok()?);
        Some(HangUp(stream.try_clone().ok()?))
    }
}

/// Closes a connection when dropped, also when a handler panics: its client would wait.
struct HangUp(TcpStream);

impl Drop for HangUp {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn converse(stream: impl Read + Write, handler: impl Fn(Request) -> (Reply, Delivery)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    if request::is_tls(&mut reader)? {
        let plain = Reply::typed(400, "text/plain", "plain HTTP here");
        return plain.write(reader.get_mut(), Delivery::Whole, false).map(drop);
    }
    while let Some(request) = Request::read(&mut reader)? {
        let head_only = request.method == "HEAD";
        let last = request.headers.get("connection").is_some_and(|v| v == "close");
        let (reply, delivery) = handler(request);
        let on = reply.write(reader.get_mut(), delivery, head_only)?;
        if last || !on {
            break;
        }
    }
    Ok(())
}
