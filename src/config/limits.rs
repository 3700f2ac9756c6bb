//! `limits:`.

use jiff::SignedDuration;

use crate::settings::key::Key;
use crate::settings::keys;
use crate::settings::problem::Report;
use crate::settings::section::Section;

keys! {
    /// `limits:`.
    pub LIMITS_KEYS;
    /// The most servers of ours in all clouds.
    pub MAX_SERVERS: Option<u32> = Key::count("max_servers");
    /// The most creates in one pass; 0 creates nothing.
    MAX_CREATES_PER_PASS: u32 = Key::count("max_creates_per_pass").or("100");
    /// The most removals in one pass.
    MAX_DELETES_PER_PASS: u32 = Key::count("max_deletes_per_pass").or("100");
    /// The most servers that boot at a time.
    MAX_BOOTING: u32 = Key::count("max_booting")
        .or("200")
        .at_least(1, "; to create nothing set max_creates_per_pass: 0");
    /// The most servers that boot at a time of a template of which none has ever joined; 0: off.
    CANARY: u32 = Key::count("canary").or("3");
    /// A pass that nears this starts no new action.
    PASS_DEADLINE: SignedDuration = Key::duration("pass_deadline").or("5m").positive();
    /// The largest reply that is read.
    pub MAX_BODY: u64 = Key::size("max_body").or("256MiB").at_least(64 << 10, "");
}

/// `limits:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most servers of ours in all clouds; `None`: no bound of its own.
    pub max_servers: Option<u32>,
    /// The most creates in one pass; 0 creates nothing.
    pub max_creates_per_pass: u32,
    /// The most removals in one pass.
    pub max_deletes_per_pass: u32,
    /// The most servers that boot at a time.
    pub max_booting: u32,
    /// The most servers that boot at a time of a template of which none has ever joined; 0: off.
    pub canary: u32,
    /// A pass that nears this stops starting new actions.
    pub pass_deadline: SignedDuration,
}

impl Default for Limits {
    /// The defaults of the keys.
    fn default() -> Self {
        limits(&Section::absent(&Report::default()))
    }
}

/// Reads the section.
pub fn limits(at: &Section<'_>) -> Limits {
    Limits {
        max_servers: at.get(&MAX_SERVERS),
        max_creates_per_pass: at.get(&MAX_CREATES_PER_PASS),
        max_deletes_per_pass: at.get(&MAX_DELETES_PER_PASS),
        max_booting: at.get(&MAX_BOOTING),
        canary: at.get(&CANARY),
        pass_deadline: at.get(&PASS_DEADLINE),
    }
}
