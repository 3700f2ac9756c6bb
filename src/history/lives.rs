//! Puts the events of each server together into its life, whatever of them is missing.
//!
//! The journal may have lost the beginning of a life (it was rotated away) or tell it twice (the state was lost); of what
//! lives, the state knows more. Events come in the order in which passes wrote them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Event, EventKind, ProviderName, Seconds, ServerId, TemplateName, Zone};
use crate::state::{NodeMemory, State};

/// A life that is said to be longer is none: ten years, in milliseconds.
const LONGEST_LIFE: i64 = 10 * 366 * 86_400_000;

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A cloud took the request to delete it.
    Removed,
    /// It is gone, and no pass removed it.
    Lost,
    /// Nobody remembers it, and no event says why: it counts until the last event of it.
    Unknown,
}

/// The life of one server. Times are in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// The server's name.
    pub name: String,
    /// The entry of `nodes:`.
    pub node: Option<TemplateName>,
    /// The entry of `provider:`.
    pub provider: Option<ProviderName>,
    /// The availability zone.
    pub zone: Option<Zone>,
    /// The cloud's id of it.
    pub server_id: Option<ServerId>,
    /// Its Jenkins node, where the state knows it.
    pub jenkins_node: Option<String>,
    /// What it was made for.
    pub made_for: Option<String>,
    /// The label that it was made for.
    pub label: Option<String>,
    /// When it began.
    pub begin: i64,
    /// Whether an event or the state says so; else it is what the first event allows.
    pub begin_known: bool,
    /// When it joined Jenkins.
    pub joined: Option<i64>,
    /// How long that took, in seconds.
    pub boot: Option<u64>,
    /// When and how it ended; `None`: it lives.
    pub end: Option<(i64, Ending)>,
    /// The last event of it.
    pub last_event: i64,
    /// How long passes saw it at work, in seconds.
    pub busy: u64,
    /// How long passes saw it idle, in seconds.
    pub idle: u64,
    /// The builds that passes saw.
    pub builds: u64,
    /// Whether something of it failed.
    pub failed: bool,
}

/// A create that failed, or a server that did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: i64,
    /// The entry of `nodes:`.
    pub node: Option<TemplateName>,
    /// The entry of `provider:`.
    pub provider: Option<ProviderName>,
    /// The place of its life among the lives; `None`: there was no server.
    pub life: Option<usize>,
}

/// Items that left the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// When a pass saw that.
    pub at: i64,
    /// The entry of `nodes:` that served them, where the event says so.
    pub node: Option<TemplateName>,
    /// Their label expression; `None`: they have none.
    pub label: Option<String>,
    /// How many.
    pub items: u64,
    /// The median of their waits, in seconds.
    pub median: u64,
    /// The longest of their waits, in seconds.
    pub longest: u64,
}

/// What is known of the past.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The lives of servers, in the order of their first events.
    pub lives: Vec<Life>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What was served.
    pub waits: Vec<Wait>,
    by_id: BTreeMap<(ProviderName, ServerId), usize>,
    by_name: BTreeMap<String, usize>,
}

impl Past {
    /// Takes the next event.
    pub fn add(&mut self, event: &Event) {
        let at = event.at.as_millisecond();
        match event.event {
            EventKind::Created => {
                let life = self.life(event);
                life.created(at, event);
            }
            EventKind::Joined => {
                let life = self.life(event);
                life.joined(at, event);
            }
            EventKind::Removed => self.life(event).ended(at, Ending::Removed, event),
            EventKind::Lost => self.life(event).ended(at, Ending::Lost, event),
            EventKind::Failed => self.failed(at, event),
            EventKind::Served => self.served(at, event),
            EventKind::Refused | EventKind::Unknown | EventKind::Rollback | EventKind::Problem | EventKind::Pass => {}
        }
    }

    /// Adds what the state knows of those that live, and ends the lives that nobody remembers.
    pub fn settle(&mut self, state: &State, now: Timestamp) {
        let now = now.as_millisecond();
        let mut lives = vec![false; self.lives.len()];
        for node in state.nodes.values() {
            let at = self.place(
                &node.name,
                Some(&node.provider),
                Some(&node.server_id),
                node.created.as_millisecond(),
            );
            self.lives[at].remembered(node);
            lives.resize(self.lives.len(), false);
            lives[at] = true;
        }
        for intent in state.intents.values().filter(|intent| intent.server_id.is_some()) {
            let begin = intent.at.as_millisecond();
            let at = self.place(&intent.name, Some(&intent.provider), intent.server_id.as_ref(), begin);
            let life = &mut self.lives[at];
            life.node.get_or_insert_with(|| intent.template.clone());
            life.begun(begin);
            lives.resize(self.lives.len(), false);
            lives[at] = true;
        }
        // A state that was lost does not know what lives.
        let last_look = state.last_pass.as_ref().map(|pass| pass.at.as_millisecond());
        for (life, is_there) in self.lives.iter_mut().zip(lives) {
            if life.end.is_none() && !is_there && last_look.is_some_and(|look| look >= life.last_event) {
                life.end = Some((life.last_event, Ending::Unknown));
            }
            life.bound(now);
        }
    }

    /// Returns the life of an event's server; a new one where there is none.
    fn life(&mut self, event: &Event) -> &mut Life {
        let name = event.name.as_deref().unwrap_or_default();
        let at = event.at.as_millisecond();
        let place = self.place(name, event.provider.as_ref(), event.server_id.as_ref(), at);
        let life = &mut self.lives[place];
        if life.node.is_none() {
            life.node.clone_from(&event.node);
        }
        if life.zone.is_none() {
            life.zone.clone_from(&event.zone);
        }
        life.last_event = life.last_event.max(at);
        life
    }

    /// Returns the place of a server's life: by its id, else by its name as long as the ids do not differ. Some clouds give
    /// the id of a server that is gone to another one.
    fn place(&mut self, name: &str, provider: Option<&ProviderName>, id: Option<&ServerId>, at: i64) -> usize {
        let key = provider.cloned().zip(id.cloned());
        let is_of = |place: &usize| {
            let life = &self.lives[*place];
            life.end.is_none() || life.name == name
        };
        let known = key.as_ref().and_then(|key| self.by_id.get(key)).copied().filter(is_of);
        let namesake = || {
            let place = self.by_name.get(name).copied()?;
            let other = self.lives[place].server_id.as_ref();
            (other.is_none() || id.is_none()).then_some(place)
        };
        let place = known.or_else(namesake).unwrap_or_else(|| {
            self.lives.push(Life {
                name: name.to_owned(),
                begin: at,
                last_event: at,
                ..Life::default()
            });
            self.lives.len() - 1
        });
        self.by_name.insert(name.to_owned(), place);
        if let Some(key) = key {
            let life = &mut self.lives[place];
            life.provider.get_or_insert_with(|| key.0.clone());
            life.server_id.get_or_insert_with(|| key.1.clone());
            self.by_id.insert(key, place);
        }
        let life = &mut self.lives[place];
        if life.provider.is_none() {
            life.provider = provider.cloned();
        }
        place
    }

    /// A failure without the id of a server is one of a create: no server was made.
    fn failed(&mut self, at: i64, event: &Event) {
        let name = event.name.as_deref().unwrap_or_default();
        let place = event
            .server_id
            .as_ref()
            .map(|id| self.place(name, event.provider.as_ref(), Some(id), at));
        if place.is_some() {
            self.life(event).failed = true;
        }
        self.failures.push(Failure {
            at,
            node: event.node.clone(),
            provider: event.provider.clone(),
            life: place,
        });
    }

    fn served(&mut self, at: i64, event: &Event) {
        let Some((items, waited)) = event.items.zip(event.wait_seconds).filter(|(items, _)| *items > 0) else {
            return;
        };
        self.waits.push(Wait {
            at,
            node: event.node.clone(),
            label: event.label.clone(),
            items,
            median: waited.median,
            longest: waited.longest,
        });
    }
}

impl Life {
    /// A server found by its mark is told a second time, and no longer what for.
    fn created(&mut self, at: i64, event: &Event) {
        self.begun(at);
        if self.made_for.is_none() {
            self.made_for.clone_from(&event.made_for);
        }
        if self.label.is_none() {
            self.label.clone_from(&event.label);
        }
    }

    fn begun(&mut self, at: i64) {
        self.begin = if self.begin_known { self.begin.min(at) } else { at };
        self.begin_known = true;
    }

    fn joined(&mut self, at: i64, event: &Event) {
        self.joined = Some(self.joined.map_or(at, |known| known.min(at)));
        if self.boot.is_none() {
            self.boot = event.seconds.map(Seconds::floor);
        }
        self.lived(at, event);
    }

    /// One that came back, and ends again, ends there; what was seen of it is added up.
    fn ended(&mut self, at: i64, how: Ending, event: &Event) {
        if self.end.is_none_or(|(known, _)| known <= at) {
            self.end = Some((at, how));
        }
        self.busy = self.busy.saturating_add(event.busy_seconds.unwrap_or(0));
        self.idle = self.idle.saturating_add(event.idle_seconds.unwrap_or(0));
        self.builds = self.builds.saturating_add(event.builds.unwrap_or(0).into());
        self.lived(at, event);
    }

    /// Takes the beginning from how long an event says that it lived, where no other one tells it.
    fn lived(&mut self, at: i64, event: &Event) {
        let length = event.seconds.and_then(|seconds| i64::try_from(seconds.0).ok());
        if let Some(length) = length.filter(|length| !self.begin_known && *length <= LONGEST_LIFE) {
            self.begin = self.begin.min(at.saturating_sub(length));
        }
    }

    /// Adds what the state knows of it. Unless it was removed it lives, even if it was lost for a while.
    fn remembered(&mut self, node: &NodeMemory) {
        self.begun(node.created.as_millisecond());
        self.node.get_or_insert_with(|| node.template.clone());
        if self.zone.is_none() {
            self.zone.clone_from(&node.zone);
        }
        self.jenkins_node = node.jenkins_node.as_ref().map(ToString::to_string);
        if self.joined.is_none()
            && let Some(joined) = node.joined
        {
            self.joined = Some(joined.as_millisecond());
        }
        let ended = node
            .deleting_since
            .filter(|_| node.deleted)
            .map(Timestamp::as_millisecond);
        match (ended, self.end) {
            // What it did until then is in the event already.
            (Some(_), Some((_, Ending::Removed))) => return,
            (Some(at), _) => self.end = Some((at, Ending::Removed)),
            (None, _) => self.end = None,
        }
        self.busy = self.busy.saturating_add(node.busy_seconds.into());
        self.idle = self.idle.saturating_add(node.idle_seconds.into());
        self.builds = self
            .builds
            .saturating_add(node.builds.as_ref().map_or(0, |builds| builds.seen.into()));
    }

    /// Keeps times in their order: nothing ends before it begins, or is later than now.
    fn bound(&mut self, now: i64) {
        let end = self.end.map_or(now, |(at, _)| at.min(now));
        self.begin = self.begin.min(end).max(end.saturating_sub(LONGEST_LIFE));
        if let Some((at, _)) = &mut self.end {
            *at = end;
        }
        self.joined = self.joined.map(|at| at.clamp(self.begin, end));
    }

    /// Returns when it ended; of one that lives, now.
    pub fn end_or(&self, now: i64) -> i64 {
        self.end.map_or(now, |(at, _)| at)
    }

    /// Returns how long it was at work within a part of its life, in milliseconds. Only the sum is known: it counts as
    /// spread evenly over the time from joining to the end.
    pub fn busy_within(&self, (from, to): (i64, i64), now: i64) -> u128 {
        let (begin, end) = (self.joined.unwrap_or(self.begin), self.end_or(now));
        let length = u128::try_from(end.saturating_sub(begin)).unwrap_or(0);
        let busy = (u128::from(self.busy) * 1000).min(length);
        // As the difference of two sums, so that the parts add up to the whole.
        let until = |at: i64| {
            let passed = u128::try_from(at.clamp(begin, end).saturating_sub(begin)).unwrap_or(0);
            (busy * passed).checked_div(length).unwrap_or(0)
        };
        until(to).saturating_sub(until(from))
    }
}

/// Makes events of what the state knows of those that live, for who keeps no journal.
pub fn remembered(state: &State) -> Vec<Event> {
    let pass = state.last_pass.as_ref().map_or("", |pass| pass.id.as_str());
    let mut events = Vec::new();
    for node in state.nodes.values() {
        let event = |kind, at| Event {
            name: Some(node.name.clone()),
            node: Some(node.template.clone()),
            provider: Some(node.provider.clone()),
            zone: node.zone.clone(),
            server_id: Some(node.server_id.clone()),
            ..Event::new(kind, at, pass)
        };
        events.push(event(EventKind::Created, node.created));
        events.extend(node.joined.map(|at| event(EventKind::Joined, at)));
    }
    events
}
