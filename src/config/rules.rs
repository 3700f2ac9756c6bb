//! `rules:`, rules of the plan that can be switched off.

use crate::settings::key::Key;
use crate::settings::keys;
use crate::settings::problem::Report;
use crate::settings::section::Section;

keys! {
    /// `rules:`.
    pub RULES_KEYS;
    /// Whether a server that never joined holds its template back only as long as none joins that was asked for later.
    EVIDENCE: bool = Key::flag("evidence").or("true");
    /// Whether one server is made in the place of one that boots for far longer than its template usually takes.
    LATE_BOOTS: bool = Key::flag("late_boots").or("true");
    /// Whether idle nodes go before their time where items of other templates wait for their place at a shared limit.
    MAKE_ROOM: bool = Key::flag("make_room").or("true");
    /// Whether nodes go that were too many for as long as one may be idle, though none of them was idle for so long.
    SURPLUS: bool = Key::flag("surplus").or("true");
}

/// Rules of the plan that can be switched off.
#[expect(clippy::struct_excessive_bools, reason = "one switch each")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A server that never joined is no evidence against its template where one joined that was asked for later.
    pub evidence: bool,
    /// A server that boots for too long gives no slots, so that one is made in its place.
    pub late_boots: bool,
    /// Idle nodes make room at a limit that templates share.
    pub make_room: bool,
    /// Nodes go that were too many at every pass of the last `idle_grace`.
    pub surplus: bool,
}

impl Default for Rules {
    /// The defaults of the keys.
    fn default() -> Self {
        rules(&Section::absent(&Report::default()))
    }
}

/// Reads the section.
pub fn rules(at: &Section<'_>) -> Rules {
    Rules {
        evidence: at.get(&EVIDENCE),
        late_boots: at.get(&LATE_BOOTS),
        make_room: at.get(&MAKE_ROOM),
        surplus: at.get(&SURPLUS),
    }
}
