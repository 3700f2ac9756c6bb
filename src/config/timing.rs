//! `timing:`, and those of its keys that a template may set for itself.

use jiff::SignedDuration;

use crate::settings::key::{Key, Lifetime};
use crate::settings::keys;
use crate::settings::problem::Report;
use crate::settings::section::Section;
use crate::settings::transport::not_below;

/// The name of the section.
pub const SECTION: &str = "timing";

keys! {
    /// `timing:`.
    pub TIMING_KEYS;
    /// A node that was idle for so long goes.
    pub IDLE_GRACE: SignedDuration = Key::duration("idle_grace").or("10m");
    /// A server that has not joined Jenkins by then goes.
    pub BOOT_GRACE: SignedDuration = Key::duration("boot_grace").or("15m").positive();
    /// A node that joined and is offline for longer is dead.
    OFFLINE_GRACE: SignedDuration = Key::duration("offline_grace").or("5m");
    /// Younger servers are not removed for being idle.
    MIN_LIFETIME: SignedDuration = Key::duration("min_lifetime").or("0");
    /// Older nodes are drained, as many at a time as `refresh.budget` says, and go once they are idle.
    pub MAX_LIFETIME: Lifetime = Key::lifetime("max_lifetime")
        .or("none")
        .at_least(1, ": each node would go at once; for no limit write none");
    /// How long a create that got no answer is waited for.
    INTENT_GRACE: SignedDuration = Key::duration("intent_grace").or("2m").positive();
    /// For so long nothing is removed after Jenkins was started again.
    RESTART_GRACE: SignedDuration = Key::duration("restart_grace").or("5m");
    /// Jobs count only after waiting so long.
    QUEUE_GRACE: SignedDuration = Key::duration("queue_grace").or("0");
    /// Items that waited so long, and for which no server was asked, are a problem.
    UNSERVED_AFTER: SignedDuration = Key::duration("unserved_after").or("30m");
    /// After a failure a template is left alone at that placement for so long, doubled with each failure.
    BACKOFF_FIRST: SignedDuration = Key::duration("backoff_first").or("60s").positive();
    /// The longest back-off.
    BACKOFF_MAX: SignedDuration = Key::duration("backoff_max").or("30m").positive();
}

keys! {
    /// What a template may set for itself.
    pub OWN_TIMING;
    /// A node of the template that was idle for so long goes.
    OWN_IDLE_GRACE: Option<SignedDuration> = Key::duration(IDLE_GRACE.name()).like(SECTION, &IDLE_GRACE);
    /// A server of the template that has not joined Jenkins by then goes.
    OWN_BOOT_GRACE: Option<SignedDuration> = Key::duration(BOOT_GRACE.name()).like(SECTION, &BOOT_GRACE);
    /// Older nodes of the template go once they are idle.
    OWN_MAX_LIFETIME: Option<Lifetime> = Key::lifetime(MAX_LIFETIME.name()).like(SECTION, &MAX_LIFETIME);
}

/// `timing:`. What a template may override is in the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a node may be idle whose template is no longer configured; the others have their own.
    pub idle_grace: SignedDuration,
    /// How long a server may take to join whose template is no longer configured; the others have their own.
    pub boot_grace: SignedDuration,
    /// Joined and then offline for longer, a node is dead.
    pub offline_grace: SignedDuration,
    /// Younger servers are not removed for being idle.
    pub min_lifetime: SignedDuration,
    /// How long an intent without a server is kept.
    pub intent_grace: SignedDuration,
    /// How long nothing is removed after the controller was seen to have started again.
    pub restart_grace: SignedDuration,
    /// Younger queue items do not count yet.
    pub queue_grace: SignedDuration,
    /// Items that waited so long, and for which no server was asked, are a problem.
    pub unserved_after: SignedDuration,
    /// The first back-off.
    pub backoff_first: SignedDuration,
    /// The longest back-off.
    pub backoff_max: SignedDuration,
}

impl Default for Timing {
    /// The defaults of the keys.
    fn default() -> Self {
        timing(&Section::absent(&Report::default())).0
    }
}

/// The graces that a template may override.
#[derive(Clone, Copy)]
pub struct Graces {
    /// Idle that long, a node goes.
    pub idle: SignedDuration,
    /// Not joined by then, a server goes.
    pub boot: SignedDuration,
    /// Older than this, a node goes once idle.
    pub lifetime: Option<SignedDuration>,
}

impl Graces {
    /// Reads those of a template, where it has its own.
    pub fn of_template(self, at: &Section<'_>) -> Self {
        Self {
            idle: at.get(&OWN_IDLE_GRACE).unwrap_or(self.idle),
            boot: at.get(&OWN_BOOT_GRACE).unwrap_or(self.boot),
            lifetime: at.get(&OWN_MAX_LIFETIME).map_or(self.lifetime, |own| own.0),
        }
    }
}

/// Reads the section.
pub fn timing(at: &Section<'_>) -> (Timing, Graces) {
    let timing = Timing {
        idle_grace: at.get(&IDLE_GRACE),
        boot_grace: at.get(&BOOT_GRACE),
        offline_grace: at.get(&OFFLINE_GRACE),
        min_lifetime: at.get(&MIN_LIFETIME),
        intent_grace: at.get(&INTENT_GRACE),
        restart_grace: at.get(&RESTART_GRACE),
        queue_grace: at.get(&QUEUE_GRACE),
        unserved_after: at.get(&UNSERVED_AFTER),
        backoff_first: at.get(&BACKOFF_FIRST),
        backoff_max: at.get(&BACKOFF_MAX),
    };
    let graces = Graces {
        idle: timing.idle_grace,
        boot: timing.boot_grace,
        lifetime: at.get(&MAX_LIFETIME).0,
    };
    let first = (&BACKOFF_FIRST, timing.backoff_first);
    not_below(at, (&BACKOFF_MAX, timing.backoff_max), first);
    if let Some(lifetime) = graces.lifetime {
        not_below(at, (&MAX_LIFETIME, lifetime), (&MIN_LIFETIME, timing.min_lifetime));
    }
    (timing, graces)
}
