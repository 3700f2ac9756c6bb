//! How long a pass, and each of its services, may go on making requests.

#![expect(clippy::disallowed_methods, reason = "an edge: measures what is left of a pass")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// When the requests of a pass must end, and those of one of its services.
#[derive(Clone, Debug)]
pub struct Deadline {
    pass: Rc<Cell<Option<Instant>>>,
    part: Rc<Cell<Option<Instant>>>,
}

impl Deadline {
    /// No deadline of its own: each request has its limit all the same.
    #[cfg(test)]
    pub fn none() -> Self {
        Self::at(None)
    }

    /// Ends after a time from now.
    pub fn after(span: Duration) -> Self {
        Self::at(Instant::now().checked_add(span))
    }

    fn at(end: Option<Instant>) -> Self {
        Self {
            pass: Rc::new(Cell::new(end)),
            part: Rc::default(),
        }
    }

    /// Returns one for a service: it ends with this one, or earlier after [`allow`](Self::allow).
    #[must_use]
    pub fn part(&self) -> Self {
        Self {
            pass: Rc::clone(&self.pass),
            part: Rc::default(),
        }
    }

    /// Gives a service a time from now, if the pass has so much.
    pub fn allow(&self, span: Duration) {
        self.part.set(Instant::now().checked_add(span));
    }

    /// Returns whether other services have their time in the same pass, so that a wait here is one for them, too.
    pub fn is_shared(&self) -> bool {
        self.part.get().is_some()
    }

    /// Returns what is left; `None` without a deadline.
    pub fn left(&self) -> Option<Duration> {
        let ends = [self.pass.get(), self.part.get()];
        let end = ends.into_iter().flatten().min()?;
        Some(end.saturating_duration_since(Instant::now()))
    }
}
