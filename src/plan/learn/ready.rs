//! How many nodes of a template are to be ready: by its windows, by its spare, and for the bursts that are expected.

use jiff::{SignedDuration, Timestamp};

use crate::config::Template;
use crate::plan::learn::rhythm::{self, Expected};
use crate::plan::learn::spare;
use crate::plan::rows::Spare;
use crate::state::State;
use crate::text::{moment, plural, span};

/// How many nodes of a template are to be ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// How many nodes: the larger one of all that follows, and no more than may be.
    pub nodes: u32,
    /// What `min_ready` says beside what is learned.
    pub configured: u32,
    /// What is learned of the load (`auto`); `None` where nothing is.
    pub spare: Option<Spare>,
    /// What is learned of bursts (`rhythm`); `None` where nothing is.
    pub rhythm: Option<Spare>,
}

impl Ready {
    /// Returns why so many are ready, where that is learned.
    pub fn because(&self) -> Option<&str> {
        let learned = [&self.rhythm, &self.spare].into_iter().flatten();
        let most = learned.max_by_key(|learned| learned.nodes)?;
        (most.nodes > self.configured).then_some(most.because.as_str())
    }
}

/// Returns how many nodes of a template are to be ready.
pub fn ready(template: &Template, state: &State, now: Timestamp) -> Ready {
    let configured = template.min_ready.at(now);
    let spare = spare::spare(template, state);
    let rhythm = template
        .min_ready
        .is_rhythmic()
        .then(|| rhythm_of(template, state, now));
    let learned = [&spare, &rhythm].into_iter().flatten();
    let most = learned.map(|learned| learned.nodes).fold(configured, u32::max);
    Ready {
        nodes: most.min(template.max),
        configured,
        spare,
        rhythm,
    }
}

/// Returns how many nodes are ready for bursts, and why.
fn rhythm_of(template: &Template, state: &State, now: Timestamp) -> Spare {
    let expected = rhythm::expected(template, state, now);
    let open = expected.iter().filter(|next| next.from <= now.as_second());
    if let Some(next) = open.max_by_key(|next| (next.nodes, next.times, next.period)) {
        return Spare {
            nodes: next.nodes,
            because: sentence(next),
        };
    }
    let soonest = expected.iter().min_by_key(|next| (next.from, next.period));
    let because = soonest.map_or_else(|| "no burst comes again after the same time".to_owned(), sentence);
    Spare { nodes: 0, because }
}

fn sentence(next: &Expected) -> String {
    // To the minute: what follows is no clock.
    let period = span(SignedDuration::from_mins((next.period + 30) / 60));
    let middle = next.early + (next.late - next.early) / 2;
    let at = Timestamp::from_second(middle).map_or_else(|_| "later".to_owned(), moment);
    let before = span(SignedDuration::from_secs(next.early - next.from));
    format!(
        "{} came at once, each {period}: the next at about {at}, ready {before} before it",
        plural(next.nodes, "node"),
    )
}
