//! The program: hands the real clock, streams and signals to the library.

#![expect(clippy::disallowed_methods, reason = "the one reading of the clock")]

use std::io::{self, ErrorKind, IsTerminal as _, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use mita::Io;
use signal_hook::consts::{SIGINT, SIGTERM};

fn main() -> ExitCode {
    let (mut out, mut err) = (Watched::new(stdout().lock()), stderr());
    let mut io = Io::new(Timestamp::now(), &mut out, &mut err);
    io.terminal = stdout().is_terminal();
    io.err_terminal = stderr().is_terminal();
    for signal in [SIGTERM, SIGINT] {
        // Without a handler the signal ends the program at once, as a second one does: intents and marks make that safe.
        let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&io.stop));
        let _ = signal_hook::flag::register(signal, Arc::clone(&io.stop));
    }
    let code = mita::run(std::env::args_os(), &mut io);
    let _ = out.flush();
    match out.failed {
        Some(error) if code == 0 => {
            let _ = writeln!(err, "mita: stdout cannot be written, what was printed is lost: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::from(code),
    }
}

/// A stream that remembers that it could not be written. A reader that went away is no failure.
struct Watched<W> {
    inner: W,
    failed: Option<io::Error>,
}

impl<W: Write> Watched<W> {
    fn new(inner: W) -> Self {
        Self { inner, failed: None }
    }

    fn watch<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted) {
                self.failed = Some(error.kind().into());
            }
        })
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.watch(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.watch(flushed)
    }
}
