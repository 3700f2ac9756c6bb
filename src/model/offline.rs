//! Who took a Jenkins node offline, and whether anything works on it.
//!
//! Everything that removes, drains or gives back a node asks here, so that none of it takes a person's node away. What
//! follows from the answer is left to `plan` and `jenkins`.

use serde::{Deserialize, Serialize};

use super::Computer;

/// Begins the offline reason of every node that mita removes. Jenkins strips what stands before ` : ` from a reason and
/// escapes HTML in it, so neither may occur here.
pub const MARK_PREFIX: &str = "mita: removing";

/// Begins the offline reason of every node that is drained: it takes no new work, no pass takes the mark back off, and
/// the node goes once it is idle.
pub const DRAIN_PREFIX: &str = "mita: draining";

/// Begins the offline reason of every node that had all its builds: one of those that are drained.
pub const BUILDS_REACHED_PREFIX: &str = "mita: draining, max_builds";

/// Begins the offline reason of every node that is replaced, since it is too old or outdated: one of those that are drained.
pub const REFRESH_PREFIX: &str = "mita: draining, refresh";

/// Jenkins' own monitors (disk space, clock, …) have causes of this package.
const MONITOR_PACKAGE: &str = "hudson.node_monitors.";

/// The causes of a node that a person disconnected, on its page or with `disconnect-node`.
const PERSON_CLASSES: [&str; 2] = ["OfflineCause$UserCause", "OfflineCause$ByCLI"];

/// Separates who from why in an offline cause: `Disconnected by USER : TEXT`.
const SEPARATOR: &str = " : ";

/// Who took a node offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineBy {
    /// It is online.
    Nobody,
    /// A pass of mita that removes it.
    Removal,
    /// A drain of mita: by hand, since it had all its builds, or since it is replaced.
    Drain,
    /// A monitor of Jenkins.
    Monitor,
    /// A person, or a program that is not ours: by a mark, or by disconnecting it.
    Person,
    /// It has no connection, and nobody is known to have wanted that.
    Connection,
}

impl OfflineBy {
    /// Returns who wanted the node offline; `None` where it is online or lost its connection.
    pub fn taker(self) -> Option<OfflineTaker> {
        match self {
            Self::Nobody | Self::Connection => None,
            Self::Removal | Self::Drain => Some(OfflineTaker::Mita),
            Self::Monitor => Some(OfflineTaker::Monitor),
            Self::Person => Some(OfflineTaker::Person),
        }
    }
}

/// Who wanted a node offline, as `status` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineTaker {
    /// A person, or a program that is not ours.
    Person,
    /// A monitor of Jenkins.
    Monitor,
    /// mita: it drains or removes the node.
    Mita,
}

/// What Jenkins tells of why a node is offline.
#[derive(Clone, Copy, Debug)]
pub struct OfflineSigns<'a> {
    /// No channel, or marked offline.
    pub offline: bool,
    /// Marked offline.
    pub marked: bool,
    /// `offlineCauseReason`: escaped for HTML, perhaps without its beginning.
    pub reason: &'a str,
    /// The description of the cause, in full words and unescaped; empty where it was not asked for.
    pub description: &'a str,
    /// The `_class` of the cause.
    pub class: Option<&'a str>,
}

impl OfflineSigns<'_> {
    /// Says who took the node offline.
    pub fn by(&self) -> OfflineBy {
        let class = self.class.unwrap_or_default();
        match (self.marked, self.offline) {
            (true, _) if self.has_mark(MARK_PREFIX) => OfflineBy::Removal,
            (true, _) if self.has_mark(DRAIN_PREFIX) => OfflineBy::Drain,
            (true, _) if class.starts_with(MONITOR_PACKAGE) => OfflineBy::Monitor,
            (true, _) => OfflineBy::Person,
            (false, true) if PERSON_CLASSES.iter().any(|person| class.ends_with(person)) => OfflineBy::Person,
            (false, true) => OfflineBy::Connection,
            (false, false) => OfflineBy::Nobody,
        }
    }

    /// Returns whether the node keeps a server from going that was taken for one without a node: it is online, works, or is
    /// held by a person.
    pub fn keeps_server(&self, is_idle: bool) -> bool {
        !self.offline || !is_idle || self.by() == OfflineBy::Person
    }

    /// Returns whether the node has a mark that begins so.
    pub fn has_mark(&self, prefix: &str) -> bool {
        !prefix.is_empty() && self.marked && self.readings().iter().any(|text| text.starts_with(prefix))
    }

    /// Returns whether the node has exactly this mark.
    pub fn is_mark(&self, mark: &str) -> bool {
        let mark = folded(mark);
        let tail = mark.rsplit(SEPARATOR).next().unwrap_or(&mark);
        self.marked && !mark.is_empty() && (self.readings().contains(&mark) || folded(&unescaped(self.reason)) == tail)
    }

    /// Returns all texts that the mark may be. Jenkins keeps `Disconnected by USER : TEXT` and shows, depending on its
    /// age, all of it or what follows the last ` : `.
    fn readings(&self) -> Vec<String> {
        let mut readings = Vec::new();
        for text in [unescaped(self.reason), self.description.to_owned()] {
            let text = folded(&text);
            readings.extend(
                text.match_indices(SEPARATOR)
                    .map(|(at, found)| text[at + found.len()..].to_owned()),
            );
            readings.push(text);
        }
        readings
    }
}

/// What Jenkins tells of the work on a node.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Jenkins' `idle`; true for offline and booting nodes, too.
    pub idle: bool,
    /// `numExecutors`.
    pub executors: u32,
    /// How many of them are idle.
    pub idle_executors: u32,
    /// Whether a one-off executor is at work.
    pub one_off: bool,
}

impl Work {
    /// Returns whether there is none at all.
    pub fn is_none(self) -> bool {
        self.idle && self.idle_executors >= self.executors && !self.one_off
    }
}

impl Computer {
    /// Says who took it offline.
    pub fn offline_by(&self) -> OfflineBy {
        self.offline_signs().by()
    }

    /// Returns whether it has the mark of a removal of ours.
    pub fn is_marked_for_removal(&self) -> bool {
        self.offline_by() == OfflineBy::Removal
    }

    /// Returns whether mita drains it: by hand, since it had all its builds, or since it is replaced.
    pub fn is_drained(&self) -> bool {
        self.offline_by() == OfflineBy::Drain
    }

    /// Returns whether mita drains it since it is too old or outdated.
    pub fn is_refreshed(&self) -> bool {
        self.is_drained() && self.offline_signs().has_mark(REFRESH_PREFIX)
    }

    /// Returns whether a monitor of Jenkins took it offline.
    pub fn is_monitored(&self) -> bool {
        self.offline_by() == OfflineBy::Monitor
    }

    /// Returns whether a person took it offline: by a mark that is neither ours nor a monitor's, or by disconnecting it.
    pub fn is_held_by_person(&self) -> bool {
        self.offline_by() == OfflineBy::Person
    }

    /// Returns the text of its mark. Some Jenkins show the whole cause, `Disconnected by USER : TEXT`.
    pub fn mark_text(&self) -> &str {
        let reason = &self.offline_reason;
        reason.rsplit(SEPARATOR).next().unwrap_or(reason)
    }

    /// Returns why it is offline, in plain text; `None` where it is online or Jenkins does not tell.
    pub fn offline_text(&self) -> Option<String> {
        let text = folded(&unescaped(self.mark_text()));
        (self.offline_by() != OfflineBy::Nobody && !text.is_empty()).then_some(text)
    }

    /// Returns what tells who took it offline.
    pub fn offline_signs(&self) -> OfflineSigns<'_> {
        OfflineSigns {
            offline: self.offline,
            marked: self.temporarily_offline,
            reason: &self.offline_reason,
            description: "",
            class: self.offline_class.as_deref(),
        }
    }

    /// Returns whether nothing at all works on it.
    pub fn is_idle(&self) -> bool {
        let work = Work {
            idle: self.idle,
            executors: self.executors,
            idle_executors: self.idle_executors,
            one_off: self.one_off_busy,
        };
        work.is_none()
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Undoes the escaping of Jenkins' `Util.escape`.
fn unescaped(text: &str) -> String {
    // The ampersand last: what was escaped once is not to be unescaped twice.
    [
        ("<br>", "\n"),
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#039;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "hudson.slaves.OfflineCause$UserCause";

    fn marked<'a>(reason: &'a str, description: &'a str) -> OfflineSigns<'a> {
        OfflineSigns {
            offline: true,
            marked: true,
            reason,
            description,
            class: Some(USER),
        }
    }

    #[test]
    fn who_took_a_node_offline() {
        let disk = "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace";
        for (marked, offline, class, reason, expected) in [
            (false, false, None, "", OfflineBy::Nobody),
            // The cause of a node that came back may linger.
            (false, false, Some(USER), "", OfflineBy::Nobody),
            (true, true, Some(USER), "mita: removing, pass 3", OfflineBy::Removal),
            (
                true,
                true,
                None,
                "Disconnected by mita : mita: removing, pass 3",
                OfflineBy::Removal,
            ),
            (true, true, Some(USER), "mita: draining, by hand", OfflineBy::Drain),
            (
                true,
                true,
                Some(USER),
                "mita: draining, max_builds of 1 reached",
                OfflineBy::Drain,
            ),
            (
                true,
                true,
                Some(USER),
                "mita: draining, refresh, older than 12h (max_lifetime)",
                OfflineBy::Drain,
            ),
            // Marked, and the channel is still there.
            (true, false, Some(USER), "mita: draining, by hand", OfflineBy::Drain),
            (true, true, Some(disk), "Disk space is too low", OfflineBy::Monitor),
            (true, true, Some(USER), "debugging", OfflineBy::Person),
            (true, true, Some(USER), "", OfflineBy::Person),
            (true, true, None, "mita: other words", OfflineBy::Person),
            (
                true,
                true,
                Some("hudson.slaves.OfflineCause$ByCLI"),
                "x",
                OfflineBy::Person,
            ),
            (true, true, Some("hudson.node_monitorsx.Y"), "x", OfflineBy::Person),
            // Disconnected, not marked.
            (false, true, Some(USER), "bye", OfflineBy::Person),
            (false, true, Some(USER), "", OfflineBy::Person),
            (
                false,
                true,
                Some("hudson.slaves.OfflineCause$ByCLI"),
                "",
                OfflineBy::Person,
            ),
            // A reason without a mark is no mark of ours.
            (false, true, Some(USER), "mita: removing, pass 3", OfflineBy::Person),
            (
                false,
                true,
                Some("hudson.slaves.OfflineCause$ChannelTermination"),
                "Connection was broken",
                OfflineBy::Connection,
            ),
            (
                false,
                true,
                Some("hudson.slaves.OfflineCause$LaunchFailed"),
                "",
                OfflineBy::Connection,
            ),
            (false, true, None, "", OfflineBy::Connection),
            (false, true, Some(disk), "", OfflineBy::Connection),
        ] {
            let signs = OfflineSigns {
                offline,
                marked,
                reason,
                description: "",
                class,
            };
            assert_eq!(signs.by(), expected, "{signs:?}");
        }
    }

    #[test]
    fn what_is_online_or_works_or_is_a_persons_keeps_its_server() {
        let lost = OfflineSigns {
            marked: false,
            class: None,
            ..marked("", "")
        };
        assert!(!lost.keeps_server(true) && lost.keeps_server(false));
        assert!(!marked("mita: removing, pass 3", "").keeps_server(true));
        assert!(marked("debugging", "").keeps_server(true));
        assert!(OfflineSigns { offline: false, ..lost }.keeps_server(true));
    }

    #[test]
    fn a_mark_is_known_in_every_guise() {
        let mark = "mita: idle, pass 17 : x";
        for (reason, description) in [
            ("x", "Disconnected by mita : mita: idle, pass 17 : x"),
            ("mita: idle, pass 17 : x", ""),
            ("Disconnected by mita : mita: idle, pass 17 : x", ""),
            ("Getrennt durch Benutzer mita : mita: idle, pass 17 : x", ""),
            ("x", ""),
        ] {
            assert!(marked(reason, description).is_mark(mark), "{reason} / {description}");
        }
        assert!(marked("mita: a&amp;&lt;b&gt; &#039;c&#039;", "").is_mark("mita: a&<b> 'c'"));
        assert!(!marked("mita: idle, pass 18", "").is_mark("mita: idle, pass 17"));
        assert!(!marked("", "").is_mark(""));
    }

    #[test]
    fn only_our_beginning_makes_a_mark_ours() {
        assert!(marked("mita: idle", "").has_mark("mita:"));
        assert!(marked("idle", "Disconnected by bot : mita: for : idle").has_mark("mita:"));
        assert!(!marked("disk full, says mita: no", "").has_mark("mita:"));
        assert!(!marked("", "").has_mark("mita:"));
        assert!(!marked("anything", "").has_mark(""));
        let unmarked = OfflineSigns {
            marked: false,
            ..marked("mita: idle", "")
        };
        assert!(!unmarked.has_mark("mita:"), "a reason without a mark is no mark");
    }

    #[test]
    fn a_node_is_idle_when_nothing_at_all_works() {
        let none = Work {
            idle: true,
            executors: 2,
            idle_executors: 2,
            one_off: false,
        };
        assert!(none.is_none());
        assert!(
            Work {
                executors: 0,
                idle_executors: 0,
                ..none
            }
            .is_none()
        );
        for busy in [
            Work { idle: false, ..none },
            Work {
                idle_executors: 1,
                ..none
            },
            Work { one_off: true, ..none },
        ] {
            assert!(!busy.is_none(), "{busy:?}");
        }
    }
}
