//! What Jenkins refused, so that it is not tried again in every pass.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::State;
use crate::model::TemplateName;

/// For so long what was refused is not tried again, unless Jenkins starts again or another user asks.
const HOLDS_FOR: SignedDuration = SignedDuration::from_hours(1);

/// After this time a refusal is forgotten.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The most that are kept.
const MOST: usize = 2_000;

/// What may be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalKey {
    /// The `config.xml` of the job at this path.
    Job(String),
    /// To take nodes away.
    Removal,
    /// To make the nodes of this template.
    Making(TemplateName),
}

impl fmt::Display for RefusalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(path) => write!(f, "configuration of {path}"),
            Self::Removal => f.write_str("removal"),
            Self::Making(template) => write!(f, "nodes of template {template}"),
        }
    }
}

/// Something that Jenkins refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When it was refused last.
    pub at: Timestamp,
    /// The session of Jenkins that refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The user that asked.
    pub user: String,
    /// The permission that is missing, or what else Jenkins said.
    pub lacks: String,
    /// What it was refused for: a node, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// Who asks, and whom.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The session of Jenkins, where it tells one.
    pub session: Option<&'a str>,
    /// The user in the configuration.
    pub user: &'a str,
    /// The time of the pass.
    pub now: Timestamp,
}

impl Refusal {
    /// Returns whether it is not worth asking again yet.
    pub fn holds(&self, asker: Asker<'_>) -> bool {
        let age = asker.now.duration_since(self.at);
        let young = age < HOLDS_FOR && age > -HOLDS_FOR;
        young && self.user == asker.user && self.session.as_deref() == asker.session
    }
}

impl State {
    /// Returns what was refused and need not be asked again yet.
    pub fn refused(&self, key: &RefusalKey, asker: Asker<'_>) -> Option<&Refusal> {
        self.refusals
            .get(&key.to_string())
            .filter(|refusal| refusal.holds(asker))
    }

    /// Remembers that something was refused.
    pub fn refuse(&mut self, key: &RefusalKey, asker: Asker<'_>, lacks: &str, about: Option<&str>) {
        let name = key.to_string();
        if self.refusals.len() >= MOST && !self.refusals.contains_key(&name) {
            return;
        }
        self.refusals.insert(
            name,
            Refusal {
                at: asker.now,
                session: asker.session.map(str::to_owned),
                user: asker.user.to_owned(),
                lacks: lacks.to_owned(),
                about: about.map(str::to_owned),
            },
        );
    }

    /// Forgets that something was refused: it went through.
    pub fn allow(&mut self, key: &RefusalKey) {
        self.refusals.remove(&key.to_string());
    }

    /// Forgets what was refused long ago.
    pub fn forget_refusals(&mut self, now: Timestamp) {
        let young = |refusal: &Refusal| now.duration_since(refusal.at).abs() < FORGET_AFTER;
        self.refusals.retain(|_, refusal| young(refusal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn asker(now: i64) -> Asker<'static> {
        Asker {
            session: Some("s1"),
            user: "mita",
            now: at(now),
        }
    }

    #[test]
    fn a_refusal_holds_for_an_hour_a_session_and_a_user() {
        let mut state = State::default();
        let key = RefusalKey::Removal;
        state.refuse(&key, asker(0), "Agent/Delete", Some("n"));
        let holds = |asker: Asker<'_>| state.refused(&key, asker).is_some();
        assert!(holds(asker(0)) && holds(asker(3599)) && !holds(asker(3600)));
        assert!(!holds(asker(-4000)), "a clock that went back");
        for session in [None, Some("s2")] {
            assert!(!holds(Asker { session, ..asker(1) }));
        }
        assert!(!holds(Asker {
            user: "other",
            ..asker(1)
        }));
        assert!(state.refused(&RefusalKey::Making("small".into()), asker(1)).is_none());
        state.forget_refusals(at(86_399));
        assert_eq!(state.refusals.len(), 1);
        state.forget_refusals(at(86_400));
        assert!(state.refusals.is_empty());
        state.refuse(&key, asker(0), "Agent/Delete", None);
        state.allow(&key);
        assert!(state.refusals.is_empty());
    }

    #[test]
    fn no_more_is_kept_than_is_useful() {
        let mut state = State::default();
        for n in 0..3_000 {
            state.refuse(&RefusalKey::Job(format!("job/j{n}")), asker(0), "x", None);
        }
        assert_eq!(state.refusals.len(), 2_000);
    }
}
