//! The program: hands the real clock, streams and signals to the library.

#![expect(
    clippy::disallowed_methods,
    reason = "the one reading of the clock, and the environment of the terminal"
)]

use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal as _, Read, Write, stderr, stdin, stdout};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use mita::Io;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGINT, SIGTERM};

fn main() -> ExitCode {
    let (mut out, mut err) = (Watched::new(stdout().lock()), stderr());
    let mut io = Io::new(Timestamp::now(), &mut out, &mut err);
    (io.terminal, io.err_terminal) = (stdout().is_terminal(), stderr().is_terminal());
    io.columns = terminal_size::terminal_size_of(stdout()).map(|(terminal_size::Width(columns), _)| columns);
    let variable = |name: &str| std::env::var_os(name);
    io.colors = [io.terminal, io.err_terminal].map(|terminal| mita::takes_color(terminal, &variable));
    let mut answers = BufReader::new(Keyboard(Arc::clone(&io.stop)));
    io.answers = stdin().is_terminal().then_some(&mut answers as &mut dyn BufRead);
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

/// What a person types. A signal ends the input: the read itself would go on.
struct Keyboard(Arc<AtomicBool>);

impl Read for Keyboard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stdin = stdin();
        while !self.0.load(Ordering::Relaxed) {
            let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut polled, Some(&LOOK_AGAIN)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(rustix::io::read(&stdin, buffer)?),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(0)
    }
}

/// A signal that comes just before the wait is seen after it.
const LOOK_AGAIN: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

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
