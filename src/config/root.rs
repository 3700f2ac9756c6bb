//! The top level of the file: which sections there are, and in which of them a key belongs.

use jiff::SignedDuration;

use crate::provider::kind::{self, Kind};
use crate::settings::key::{Key, Nested, Schema};
use crate::settings::keys;

use super::jenkins::JENKINS_KEYS;
use super::limits::LIMITS_KEYS;
use super::node::NODE;
use super::notify::NOTIFY_KEYS;
use super::outputs::OUTPUT_KEYS;
use super::rules::RULES_KEYS;
use super::timing::{self, TIMING_KEYS};

keys! {
    /// The top level of the file.
    pub ROOT {
        include: &[&OUTPUT_KEYS],
        refused: &[("naming", LATER)],
    };
    /// The name under which this mita marks what is its own.
    pub OWNER: Option<String> = Key::text("owner").depends("the host of jenkins.url");
    /// What mita remembers between passes; the lock is beside it.
    pub STATE_FILE: Option<String> = Key::path("state_file").depends("$XDG_STATE_HOME/mita/state.json");
    /// The clouds.
    pub PROVIDER: Nested = Key::entries_by_type(kind::PROVIDER).also(&["providers"]);
    /// The controller.
    pub JENKINS: Nested = Key::section("jenkins", &JENKINS_KEYS);
    /// The node templates.
    pub NODES: Nested = Key::entries("nodes", &NODE);
    /// Keys that all templates inherit.
    pub DEFAULTS: Nested = Key::section("defaults", &NODE);
    /// The currency of prices, for people.
    pub CURRENCY: Option<String> = Key::text("currency");
    /// The command that hears of problems that begin and end.
    pub NOTIFY: Nested = Key::section("notify", &NOTIFY_KEYS);
    /// How often all problems that are open are said again; 0: never.
    pub REMIND: SignedDuration = Key::duration("remind").or("24h");
    /// Bounds of a pass and of the fleet.
    pub LIMITS: Nested = Key::section("limits", &LIMITS_KEYS);
    /// Rules of the plan that can be switched off.
    pub RULES: Nested = Key::section("rules", &RULES_KEYS);
    /// How long things may take.
    pub TIMING: Nested = Key::section(timing::SECTION, &TIMING_KEYS);
}

const LATER: &str = "not supported yet; remove it";

/// The sections with the place of their keys, for hints, as far as they do not depend on a kind of cloud.
static PLACES: [(&str, &Schema); 7] = [
    ("the top level", &ROOT),
    (LIMITS.name(), &LIMITS_KEYS),
    (TIMING.name(), &TIMING_KEYS),
    (RULES.name(), &RULES_KEYS),
    (JENKINS.name(), &JENKINS_KEYS),
    (NOTIFY.name(), &NOTIFY_KEYS),
    (NODES.name(), &NODE),
];

/// Returns the section in which a key is known.
pub fn section_of(written: &str, kinds: &[&'static Kind]) -> Option<&'static str> {
    let fixed = |(name, schema): &(&'static str, &Schema)| schema.key(written).map(|_| *name);
    let (before, after) = PLACES.split_at(PLACES.len() - 1);
    let clouds = || {
        let known = kinds.iter().any(|kind| kind.schema.key(written).is_some());
        known.then_some(PROVIDER.name)
    };
    let of_kinds = || {
        let known = kinds.iter().any(|kind| kind.node_keys.key(written).is_some());
        known.then_some(NODES.name)
    };
    before
        .iter()
        .find_map(fixed)
        .or_else(clouds)
        .or_else(|| after.iter().find_map(fixed))
        .or_else(of_kinds)
}
