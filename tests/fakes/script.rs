//! The request log, and what a test wants to happen at a request: a change of the world, or a spoilt answer.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::http_server::{Delivery, Gate, Reply};
use super::query::pairs;
use super::world::State;

/// The service a request went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    Jenkins,
    Keystone,
    Nova,
    Glance,
    Neutron,
    Cinder,
}

/// A request that was seen.
#[derive(Clone, Debug)]
pub struct Call {
    pub service: Service,
    /// The name of the cloud; empty for Jenkins.
    pub cloud: String,
    pub method: String,
    /// Relative to the root of the service, still percent-encoded: `/queue/api/json`, `/servers/detail`, `/v2/images`.
    pub path: String,
    /// Without the question mark, still encoded.
    pub query: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// The simulated time, in seconds.
    pub at: i64,
    /// What was answered; 0 when nothing was.
    pub status: u16,
}

impl Call {
    /// Returns whether it asks for a change: anything but a GET, a HEAD and a login.
    pub fn writes(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD") && self.service != Service::Keystone
    }

    /// Returns the value of a query parameter, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        pairs(&self.query).into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {}", self.service, self.method, self.path)?;
        if !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        write!(f, " -> {}", self.status)
    }
}

type Test = Box<dyn Fn(&Call) -> bool + Send>;

/// Which requests are meant. Without further words: the next one, whatever it is.
pub struct When {
    service: Option<Service>,
    method: Option<String>,
    path: Option<String>,
    part: Option<String>,
    test: Option<Test>,
    skip: u32,
    times: u32,
}

impl When {
    pub fn any() -> Self {
        Self {
            service: None,
            method: None,
            path: None,
            part: None,
            test: None,
            skip: 0,
            times: 1,
        }
    }

    pub fn on(service: Service) -> Self {
        Self {
            service: Some(service),
            ..Self::any()
        }
    }

    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// The path begins so.
    #[must_use]
    pub fn path(mut self, prefix: &str) -> Self {
        self.path = Some(prefix.to_owned());
        self
    }

    /// The path has this in it.
    #[must_use]
    pub fn part(mut self, part: &str) -> Self {
        self.part = Some(part.to_owned());
        self
    }

    #[must_use]
    pub fn test(mut self, test: impl Fn(&Call) -> bool + Send + 'static) -> Self {
        self.test = Some(Box::new(test));
        self
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    /// Holds for so many matching requests; once if not said.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.times = count;
        self
    }

    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    fn fits(&self, call: &Call) -> bool {
        self.service.is_none_or(|s| s == call.service)
            && self.method.as_ref().is_none_or(|m| *m == call.method)
            && self.path.as_ref().is_none_or(|p| call.path.starts_with(p))
            && self.part.as_ref().is_none_or(|p| call.path.contains(p))
            && self.test.as_ref().is_none_or(|t| t(call))
    }

    /// Returns whether it is this request's turn, and counts it.
    fn turn(&mut self, call: &Call) -> bool {
        if self.times == 0 || !self.fits(call) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.times != u32::MAX {
            self.times -= 1;
        }
        true
    }
}

/// What is done instead of a good answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Another answer; nothing is done.
    Instead(Reply),
    /// It is done, and the answer is another (a 503 after the server was made).
    DoneBut(Reply),
    /// The connection is closed; nothing is done.
    DropBefore,
    /// It is done, and the connection is closed: the answer is lost.
    DropAfter,
    /// It is done, and the answer comes so much later, in real time.
    Late(Duration),
    /// It is done, and the answer comes when the gate is opened.
    Held(Gate),
    /// Half of the body.
    Half,
    /// The answer with some of its bytes replaced wherever they are.
    Edited { from: &'static [u8], to: &'static [u8] },
    /// A few bytes at a time, in real time.
    Drip { bytes: usize, pause: Duration },
    /// A 200 with a JSON text of so many bytes that never ends well.
    Huge(u64),
}

impl Fault {
    /// Returns whether the request is carried out.
    pub fn does(&self) -> bool {
        !matches!(self, Self::Instead(_) | Self::DropBefore)
    }

    /// Turns the good answer (if it was carried out) into what is sent.
    pub fn spoil(self, good: Option<Reply>) -> (Reply, Delivery) {
        let good = good.unwrap_or_else(|| Reply::new(200));
        match self {
            Self::Instead(reply) | Self::DoneBut(reply) => (reply, Delivery::Whole),
            Self::DropBefore | Self::DropAfter => (good, Delivery::Drop),
            Self::Late(span) => (good, Delivery::Late(span)),
            Self::Held(gate) => (good, Delivery::Held(gate)),
            Self::Half => (good, Delivery::Half),
            Self::Edited { from, to } => (good.edited(from, to), Delivery::Whole),
            Self::Drip { bytes, pause } => (good, Delivery::Drip { after: 0, bytes, pause }),
            Self::Huge(bytes) => (good, Delivery::Huge(bytes)),
        }
    }
}

/// Something a test does to the world.
pub type Act = Box<dyn FnMut(&mut State) + Send>;

/// Everything that waits for a request.
#[derive(Default)]
pub struct Script {
    before: Vec<(When, Act)>,
    after: Vec<(When, Act)>,
    faults: Vec<(When, Fault)>,
}

impl Script {
    pub fn before(&mut self, when: When, act: impl FnMut(&mut State) + Send + 'static) {
        self.before.push((when, Box::new(act)));
    }

    pub fn after(&mut self, when: When, act: impl FnMut(&mut State) + Send + 'static) {
        self.after.push((when, Box::new(act)));
    }

    pub fn fault(&mut self, when: When, fault: Fault) {
        self.faults.push((when, fault));
    }

    /// The first fault whose turn it is; those behind it do not count this request.
    pub fn fault_for(&mut self, call: &Call) -> Option<Fault> {
        for (when, fault) in &mut self.faults {
            if when.turn(call) {
                return Some(fault.clone());
            }
        }
        None
    }

    /// Takes back the faults alone.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Runs the acts that belong before (or after) a request.
pub fn run_acts(state: &mut State, call: &Call, after: bool) {
    let mut acts = std::mem::take(if after {
        &mut state.script.after
    } else {
        &mut state.script.before
    });
    for (when, act) in &mut acts {
        if when.turn(call) {
            act(state);
        }
    }
    let held = if after {
        &mut state.script.after
    } else {
        &mut state.script.before
    };
    acts.append(held);
    *held = acts;
}
