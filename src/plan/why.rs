//! Why something is removed: set where the removal is decided, and read by the guard, the audit and the report.

use std::fmt;

use jiff::SignedDuration;

use crate::text::{plural, shown, span};

/// Why an agent is removed. `Display` writes the sentence that a report and a log show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The server is in ERROR, with the cloud's message; empty where it gives none.
    Failed(String),
    /// It did not join within the `boot_grace` of its template.
    TimedOut(SignedDuration),
    /// It joined, and its node has been offline for so long, over `offline_grace`.
    Offline(SignedDuration),
    /// Jenkins does not know it, in so many passes.
    UnknownToJenkins {
        /// The passes.
        passes: u32,
    },
    /// It is a Jenkins node for which no cloud has a server, in so many passes.
    WithoutServer {
        /// The passes.
        passes: u32,
    },
    /// A monitor of Jenkins took its node offline, and it is idle.
    Monitored {
        /// How long it is idle.
        idle: SignedDuration,
        /// The offline reason.
        reason: String,
    },
    /// It was drained and is idle; with the offline reason.
    Drained(String),
    /// An earlier pass marked its node.
    Marked,
    /// An earlier pass removed its node, and the server is still there.
    Begun,
    /// An earlier pass asked the cloud to delete it, and it is still there.
    StillThere,
    /// It is idle and nobody needs it.
    Idle {
        /// How long it is idle.
        idle: SignedDuration,
        /// Whether its template was changed since it was made.
        outdated: bool,
    },
    /// It is idle, nobody needs it, and what was paid for it ends soon.
    PeriodEnds {
        /// How long it is idle.
        idle: SignedDuration,
        /// What is left of the paid period.
        left: SignedDuration,
        /// The `billing_period` of its template.
        period: SignedDuration,
    },
    /// It is idle, and at every pass of its `idle_grace` more nodes of its template were idle than were needed.
    Surplus {
        /// How long it is idle.
        idle: SignedDuration,
        /// How many nodes were idle beyond what was needed, at least.
        spare: u32,
        /// The `idle_grace` of its template.
        grace: SignedDuration,
    },
    /// It is idle, and was not used at this point after the last burst of a rhythm.
    Lull {
        /// How long it is idle.
        idle: SignedDuration,
        /// How long it is until nodes are made ready for the next burst.
        left: SignedDuration,
    },
    /// It is idle, and may take no further build.
    LimitReached(LimitReached),
    /// It is idle, and a waiting item of another template needs its place under a shared limit.
    MakesRoom {
        /// How long it is idle.
        idle: SignedDuration,
        /// The queue id of the item.
        item: u64,
        /// The task of the item.
        task: String,
        /// What keeps the server for that item from being made.
        lack: String,
    },
    /// An operator named it (`destroy`).
    Asked,
    /// It is accounted for nowhere (`leaks --delete`); the sentence of the list.
    Leaked(String),
}

impl Why {
    /// Returns whether it is removed because something that was seen before is absent. A half-read Jenkins or cloud looks
    /// like many of these, so the guard counts them.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Offline(_) | Self::UnknownToJenkins { .. } | Self::WithoutServer { .. }
        )
    }

    /// Returns whether it is removed because it is idle and nobody needs it, whatever says for how long it had to be.
    pub fn is_idle(&self) -> bool {
        matches!(
            self,
            Self::Idle { .. }
                | Self::PeriodEnds { .. }
                | Self::Surplus { .. }
                | Self::Lull { .. }
                | Self::MakesRoom { .. }
        )
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(fault) if fault.is_empty() => f.write_str("the cloud says ERROR"),
            Self::Failed(fault) => write!(f, "the cloud says ERROR: {}", shown(fault)),
            Self::TimedOut(grace) => write!(f, "it did not join Jenkins within {} (boot_grace)", span(*grace)),
            Self::Offline(length) => write!(
                f,
                "it joined and has been offline for {} (offline_grace)",
                span(*length)
            ),
            Self::UnknownToJenkins { passes } => {
                write!(f, "Jenkins does not know it, seen in {}", plural(*passes, "pass"))
            }
            Self::WithoutServer { passes } => {
                write!(f, "no cloud has a server for it, seen in {}", plural(*passes, "pass"))
            }
            Self::Monitored { idle, reason } => write!(
                f,
                "a monitor of Jenkins took it offline, idle for {}: {}",
                span(*idle),
                shown(reason)
            ),
            Self::Drained(reason) => write!(f, "it was drained and is idle: {}", shown(reason)),
            Self::Marked => f.write_str("an earlier pass marked it for removal"),
            Self::Begun => f.write_str("an earlier pass began to remove it"),
            Self::StillThere => f.write_str("it was asked to go before and is still there"),
            Self::Idle { idle, outdated } => {
                let changed = if *outdated { ", its template was changed," } else { "" };
                write!(f, "it has been idle for {}{changed} and nobody needs it", span(*idle))
            }
            Self::PeriodEnds { idle, left, period } => write!(
                f,
                "it has been idle for {} and nobody needs it, and what is paid for it ends in {} (billing_period {})",
                span(*idle),
                span(*left),
                span(*period)
            ),
            Self::Surplus { idle, spare, grace } => {
                let were = if *spare == 1 { "was" } else { "were" };
                write!(
                    f,
                    "it has been idle for {} and nobody needs it: jobs keep each node of its template from being idle for \
                     {} (idle_grace), but {} {were} idle and not needed at every pass of that time (rules.surplus)",
                    span(*idle),
                    span(*grace),
                    plural(*spare, "node")
                )
            }
            Self::Lull { idle, left } => write!(
                f,
                "it has been idle for {} and is not needed in the {} before nodes are made ready for the next burst \
                 (min_ready: rhythm)",
                span(*idle),
                span(*left)
            ),
            Self::LimitReached(limit_reached) => limit_reached.fmt(f),
            Self::MakesRoom { idle, item, task, lack } => write!(
                f,
                "it has been idle for {} and nobody needs it, while queue item {item} ({}) waits: {lack}",
                span(*idle),
                shown(task)
            ),
            Self::Asked => f.write_str("destroy was asked for"),
            Self::Leaked(sentence) => f.write_str(sentence),
        }
    }
}

/// Why an agent takes no further build, whoever needs it: a limit of its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// It is older than `max_lifetime`.
    MaxLifetime {
        /// Its age.
        age: SignedDuration,
        /// The `max_lifetime` of its template.
        most: SignedDuration,
    },
    /// It had its `max_builds`.
    MaxBuilds {
        /// The builds that it had.
        seen: u32,
        /// The `max_builds` of its template.
        most: u32,
    },
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxLifetime { age, most } => write!(
                f,
                "it is idle and {} old, over {} (max_lifetime)",
                span(*age),
                span(*most)
            ),
            Self::MaxBuilds { seen, most } => write!(f, "it had {seen} of {} (max_builds)", plural(*most, "build")),
        }
    }
}
