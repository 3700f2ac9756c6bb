//! An event: one line of the journal, something that happened to a server, a problem, the queue or the pass itself.
//!
//! Who notes events is `plan` and `pass`; they stand in the state until the journal has them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Problem, ProblemKind, ProviderName, ServerId, Severity, TemplateName, Zone};

/// The version of the lines that this program writes.
pub const EVENT_VERSION: u32 = 1;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A cloud took a request for a server, or one was found that no pass remembers.
    Created,
    /// A cloud refused a server for want of quota or capacity.
    Refused,
    /// A server was not made, or went to ERROR, or never joined.
    Failed,
    /// The answer to a request for a server was lost.
    Unknown,
    /// The Jenkins node of a server came online for the first time.
    Joined,
    /// A cloud took the request to delete a server, or said that it is gone.
    Removed,
    /// A server is gone, and no pass of ours removed it.
    Lost,
    /// Servers are made of an older image from now on.
    Rollback,
    /// A problem began or ended.
    Problem,
    /// Items of a label left the queue since the last pass.
    Served,
    /// A pass ended.
    Pass,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Created,
        Self::Refused,
        Self::Failed,
        Self::Unknown,
        Self::Joined,
        Self::Removed,
        Self::Lost,
        Self::Rollback,
        Self::Problem,
        Self::Served,
        Self::Pass,
    ];

    /// Returns its word in the journal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Joined => "joined",
            Self::Removed => "removed",
            Self::Lost => "lost",
            Self::Rollback => "rollback",
            Self::Problem => "problem",
            Self::Served => "served",
            Self::Pass => "pass",
        }
    }

    /// Returns whether it is only a reading, which may be dropped before what happened to servers and problems.
    pub fn is_reading(self) -> bool {
        matches!(self, Self::Served | Self::Pass)
    }
}

/// A span in milliseconds, written in seconds: `85`, `1.23`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

impl Seconds {
    /// Takes whole seconds; what is negative becomes 0.
    pub fn whole(seconds: i64) -> Self {
        Self(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000))
    }

    /// Returns the whole seconds.
    pub fn floor(self) -> u64 {
        self.0 / 1000
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(1000) {
            return serializer.serialize_u64(self.0 / 1000);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a span of 285,000 years would lose a millisecond"
        )]
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is out of range becomes the nearest bound"
        )]
        Ok(Self((seconds * 1000.0).round() as u64))
    }
}

/// How long items waited that left the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitSeconds {
    /// The median.
    pub median: u64,
    /// The longest.
    pub longest: u64,
}

/// Whether a problem began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemState {
    /// It began.
    Begin,
    /// It ended.
    End,
}

/// One event. What an event does not have is not written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The version of the line.
    pub v: u32,
    /// When it happened, as far as a pass saw it.
    pub at: Timestamp,
    /// The pass that noted it.
    pub pass: String,
    /// Its number in that pass: the two together name it, so that a line that is there twice counts once.
    #[serde(default)]
    pub n: u32,
    /// What happened.
    pub event: EventKind,
    /// The server's name, `<template>__<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The entry of `nodes:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<TemplateName>,
    /// The entry of `provider:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// The availability zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The cloud's id of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_id: Option<ServerId>,
    /// Why it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// What went wrong, in the words of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// `created`: the job that it was made for, or a word of [`MadeFor`](super::MadeFor).
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub made_for: Option<String>,
    /// `created`, `served`: the label expression; none for items without a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `joined`: since the create; `removed`, `lost`: the server's life; `pass`: how long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Seconds>,
    /// `removed`, `lost`: how long passes saw it at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_seconds: Option<u64>,
    /// `removed`, `lost`: how long passes saw it idle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// `removed`, `lost`: the builds that passes saw on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds: Option<u32>,
    /// `served`: how many items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u64>,
    /// `served`: how long they waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<WaitSeconds>,
    /// `rollback`: the image that is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// `rollback`: the image that is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// `problem`: whether it began or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ProblemState>,
    /// `problem`: its key, and so on as in a row of problems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `problem`: what it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ProblemKind>,
    /// `problem`: what it is about; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `problem`: how much it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// `problem`: what is wrong and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// `problem`: when it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// `problem`: when a pass last saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// `problem`: what changes from pass to pass.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, Value>,
    /// `pass`: items of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<u64>,
    /// `pass`: items that wait for an executor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// `pass`: the age of the oldest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_seconds: Option<u64>,
    /// `pass`: items that get nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmet: Option<u64>,
    /// `pass`: our servers by phase; phases without a server are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<BTreeMap<String, u64>>,
    /// `pass`: the requests that it made, by service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<BTreeMap<String, u64>>,
    /// `pass`: its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
}

impl Event {
    /// Makes an event of which nothing else is known yet; its number is given when it is noted.
    pub fn new(event: EventKind, at: Timestamp, pass: &str) -> Self {
        Self {
            v: EVENT_VERSION,
            at,
            pass: pass.to_owned(),
            n: 0,
            event,
            name: None,
            node: None,
            provider: None,
            zone: None,
            server_id: None,
            because: None,
            error: None,
            made_for: None,
            label: None,
            seconds: None,
            busy_seconds: None,
            idle_seconds: None,
            builds: None,
            items: None,
            wait_seconds: None,
            image: None,
            instead: None,
            state: None,
            key: None,
            kind: None,
            subject: None,
            severity: None,
            sentence: None,
            since: None,
            seen: None,
            facts: BTreeMap::new(),
            queue: None,
            waiting: None,
            oldest_seconds: None,
            unmet: None,
            servers: None,
            requests: None,
            exit: None,
        }
    }

    /// Makes the event that a problem began or ended.
    pub fn of_problem(state: ProblemState, problem: &Problem, at: Timestamp, pass: &str) -> Self {
        Self {
            state: Some(state),
            key: Some(problem.key.clone()),
            kind: Some(problem.kind),
            subject: Some(problem.subject.clone()),
            severity: Some(problem.severity),
            sentence: Some(problem.sentence.clone()),
            since: Some(problem.since),
            seen: Some(problem.seen),
            facts: problem.facts.clone(),
            ..Self::new(EventKind::Problem, at, pass)
        }
    }

    /// Cuts each text of it to at most `most` characters.
    #[must_use]
    pub fn cut(mut self, most: usize) -> Self {
        let texts = [
            &mut self.name,
            &mut self.because,
            &mut self.error,
            &mut self.made_for,
            &mut self.label,
            &mut self.image,
            &mut self.instead,
            &mut self.key,
            &mut self.subject,
            &mut self.sentence,
        ];
        let facts = self.facts.values_mut().filter_map(|fact| match fact {
            Value::String(text) => Some(text),
            _ => None,
        });
        for text in texts.into_iter().flatten().chain(facts) {
            // A text has at least as many bytes as characters.
            if text.len() > most && text.chars().count() > most {
                let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
                text.truncate(end);
                text.push('…');
            }
        }
        self
    }

    /// Returns whether two are the same event, noted by the same pass.
    pub fn is_same(&self, other: &Self) -> bool {
        self.n == other.n && self.pass == other.pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_short_line_and_is_read_again() {
        let event = Event {
            name: Some("small__0a".to_owned()),
            seconds: Some(Seconds(85_000)),
            made_for: Some("folder/job".to_owned()),
            ..Event::new(EventKind::Created, Timestamp::UNIX_EPOCH, "p1")
        };
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(
            line,
            r#"{"v":1,"at":"1970-01-01T00:00:00Z","pass":"p1","n":0,"event":"created","name":"small__0a","for":"folder/job","seconds":85}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }

    #[test]
    fn seconds_keep_their_milliseconds() {
        for (millis, text) in [(0, "0"), (1230, "1.23"), (85_000, "85"), (1, "0.001")] {
            assert_eq!(serde_json::to_string(&Seconds(millis)).unwrap(), text);
            assert_eq!(serde_json::from_str::<Seconds>(text).unwrap(), Seconds(millis));
        }
        assert_eq!(serde_json::from_str::<Seconds>("-3").unwrap(), Seconds(0));
        assert_eq!(Seconds::whole(-1), Seconds(0));
    }

    #[test]
    fn a_kind_is_written_as_its_word() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.word()));
        }
    }
}
