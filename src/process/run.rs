//! Runs a program: one text in, one text out, within a time and a size, without a thread and without a deadlock.
//!
//! All three streams are served at once by `poll`, so that neither side waits for the other. The program is the leader
//! of a process group of its own: a Ctrl-C on our terminal does not reach it (the pass finishes what is in flight), and
//! when its time is over the whole group goes. What its answer means is left to the caller.

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long a program takes")]

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::ended::{Ran, RunEnd};
use super::program::Program;

/// How many bytes of stderr are kept: its end, which has the reason.
const KEPT_STDERR: usize = 64 * 1024;
/// How long a program may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(1);
/// How long something that a program left running may keep the streams open after its end.
const LINGER: Duration = Duration::from_secs(1);
/// How often the end of the program is checked while a stream is open: another process may hold the stream open.
const LOOK: Duration = Duration::from_millis(100);
/// How many bytes are read or written at a time.
const CHUNK: usize = 16 * 1024;

/// Runs the program. An error means that it was not started.
pub fn run(program: &Program<'_>, input: &[u8], limit: Duration) -> io::Result<Ran> {
    let end = Instant::now() + limit;
    let mut child = start(program)?;
    let mut streams = Streams::open(&mut child, input, program.max_output)?;
    let ended = match attend(&mut child, &mut streams, end) {
        Ok(ended) => ended,
        // A program whose streams cannot be served is ended: it must not run unwatched.
        Err(error) => {
            streams.stderr.bytes.extend_from_slice(format!("\n{error}").as_bytes());
            None
        }
    };
    let ended = ended.unwrap_or_else(|| {
        end_group(&mut child);
        RunEnd::TimedOut
    });
    Ok(Ran {
        ended,
        stdout: streams.stdout.bytes,
        stderr: streams.stderr.bytes,
    })
}

fn start(program: &Program<'_>) -> io::Result<Child> {
    Command::new(program.executable)
        .args(&program.arguments)
        .current_dir(program.folder)
        .env_clear()
        .envs(&program.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Serves a program until it has ended; `None` when it has to be ended.
fn attend(child: &mut Child, streams: &mut Streams<'_>, end: Instant) -> io::Result<Option<RunEnd>> {
    let mut nap = Duration::from_millis(1);
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        let now = Instant::now();
        if ended.is_none() {
            ended = child.try_wait()?.map(|status| (status, now + LINGER));
        }
        if streams.stdout.is_full() {
            if ended.is_none() {
                end_group(child);
            }
            return Ok(Some(RunEnd::TooLarge));
        }
        let until = match &ended {
            Some((status, linger)) if streams.are_closed() || now >= *linger => return Ok(Some(end_of(*status))),
            Some((_, linger)) => *linger,
            None if now >= end => return Ok(None),
            None => end,
        };
        let mut most = LOOK;
        if streams.are_closed() {
            (most, nap) = (nap, (nap * 2).min(LOOK));
        }
        streams.serve(until.saturating_duration_since(now).min(most))?;
    }
}

fn end_of(status: ExitStatus) -> RunEnd {
    match (status.code(), status.signal()) {
        (Some(code), _) => RunEnd::Code(code),
        (None, signal) => RunEnd::Signal(signal.unwrap_or(0)),
    }
}

/// Ends a program that has not been waited for, with its whole process group: SIGTERM first, SIGKILL after the grace.
fn end_group(child: &mut Child) {
    let group = Pid::from_child(child);
    let _ = kill_process_group(group, Signal::TERM);
    // The program is not reaped here: while its pid is taken, the group cannot be another one's.
    let gone = || {
        let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(group), how), Ok(None))
    };
    nap_until(gone);
    let _ = kill_process_group(group, Signal::KILL);
    nap_until(|| !matches!(child.try_wait(), Ok(None)));
}

/// Waits for something, for as long as the grace.
fn nap_until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + GRACE;
    let mut nap = Duration::from_millis(1);
    while !done() && Instant::now() < end {
        let _ = poll(&mut [], Some(&timespec(nap)));
        nap = (nap * 2).min(LOOK);
    }
}

fn timespec(span: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    }
}

/// The three streams, from our side.
struct Streams<'i> {
    stdin: Option<ChildStdin>,
    input: &'i [u8],
    stdout: Capture,
    stderr: Capture,
}

impl<'i> Streams<'i> {
    fn open(child: &mut Child, input: &'i [u8], max_output: u64) -> io::Result<Self> {
        let stdin = child.stdin.take();
        if let Some(stdin) = &stdin {
            ioctl_fionbio(stdin, true)?;
        }
        let most = usize::try_from(max_output).unwrap_or(usize::MAX);
        Ok(Self {
            stdin,
            input,
            stdout: Capture::start(child.stdout.take(), most, false)?,
            stderr: Capture::start(child.stderr.take(), KEPT_STDERR, true)?,
        })
    }

    fn are_closed(&self) -> bool {
        self.stdout.source.is_none() && self.stderr.source.is_none()
    }

    /// Waits for one of the streams, for a time at most, and reads or writes it.
    fn serve(&mut self, span: Duration) -> io::Result<()> {
        let mut ready = Vec::new();
        let mut waiting = Vec::new();
        if let Some(stdin) = &self.stdin {
            waiting.push(PollFd::new(stdin, PollFlags::OUT));
        }
        for capture in [&self.stdout, &self.stderr] {
            if let Some(source) = &capture.source {
                waiting.push(PollFd::from_borrowed_fd(source.as_fd(), PollFlags::IN));
            }
        }
        match poll(&mut waiting, Some(&timespec(span))) {
            Ok(_) => ready.extend(waiting.iter().map(|fd| !fd.revents().is_empty())),
            // A signal for us; whether the pass goes on after this call is the caller's question.
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        drop(waiting);
        let mut ready = ready.into_iter();
        if self.stdin.is_some() && ready.next() == Some(true) {
            self.feed();
        }
        for capture in [&mut self.stdout, &mut self.stderr] {
            if capture.source.is_some() && ready.next() == Some(true) {
                capture.fill();
            }
        }
        Ok(())
    }

    /// Writes a piece; a program that does not want it has closed its end.
    fn feed(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        let written = match self.input {
            [] => Ok(0),
            input => stdin.write(&input[..input.len().min(CHUNK)]),
        };
        match written {
            Ok(written) if written < self.input.len() => self.input = &self.input[written..],
            Err(error) if is_for_later(&error) => {}
            _ => self.stdin = None,
        }
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// A stream that a program writes, and what was read of it.
struct Capture {
    source: Option<Box<dyn Source>>,
    bytes: Vec<u8>,
    most: usize,
    /// Whether the beginning is dropped where there is too much.
    tail: bool,
}

trait Source: Read + AsFd {}
impl<T: Read + AsFd> Source for T {}

impl Capture {
    fn start(source: Option<impl Source + 'static>, most: usize, tail: bool) -> io::Result<Self> {
        if let Some(source) = &source {
            ioctl_fionbio(source, true)?;
        }
        Ok(Self {
            source: source.map(|source| Box::new(source) as Box<dyn Source>),
            bytes: Vec::new(),
            most,
            tail,
        })
    }

    fn is_full(&self) -> bool {
        !self.tail && self.bytes.len() > self.most
    }

    fn fill(&mut self) {
        let Some(source) = &mut self.source else { return };
        let mut piece = [0; CHUNK];
        match source.read(&mut piece) {
            Ok(read) if read > 0 => self.bytes.extend_from_slice(&piece[..read]),
            Err(error) if is_for_later(&error) => {}
            _ => self.source = None,
        }
        if self.tail && self.bytes.len() > 2 * self.most {
            self.bytes.drain(..self.bytes.len() - self.most);
        }
    }
}
