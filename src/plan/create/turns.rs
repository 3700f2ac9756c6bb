//! Shares out probes: where a placement or provider opens again with one server at a time, the templates that wait for it
//! take turns, so that one that always fails does not take every probe.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::plan::fleet::agent::TemplateIndex;
use crate::state::{BackoffKey, State};

/// A probe that a template would take if it were its turn.
pub struct Turn {
    pub index: TemplateIndex,
    /// Which of its placements.
    pub place: usize,
    /// What is probed: the provider, the placement, or both.
    pub keys: Vec<BackoffKey>,
}

/// The probes that are given out, each as a template and one of its placements.
pub type Granted = BTreeSet<(usize, usize)>;

/// Gives each probe to the template that took one there the longest ago; among those that took none, to the one that
/// asked first.
pub fn grant(turns: &[Turn], config: &Config, state: &State) -> Granted {
    let rank = |turn: &&Turn| -> Vec<usize> {
        let template = &config.templates[turn.index].name;
        let probed = turn.keys.iter().map(|key| state.backoffs.get(&key.to_string()));
        let place = probed.map(|backoff| backoff?.probed.iter().position(|other| other == template));
        place.map(|place| place.map_or(0, |place| place + 1)).collect()
    };
    let mut order: Vec<&Turn> = turns.iter().collect();
    order.sort_by_cached_key(rank);
    let mut taken: BTreeSet<&BackoffKey> = BTreeSet::new();
    let mut granted = Granted::new();
    for turn in order {
        if !turn.keys.iter().any(|key| taken.contains(key)) {
            taken.extend(&turn.keys);
            granted.insert((turn.index, turn.place));
        }
    }
    granted
}
