//! The JSON of the computers and of one node.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::jenkins::list;
use crate::jenkins::wire::OddSentences;
use crate::lenient::{self, Flag, Object, Text, UNREADABLE};
use crate::model::{Computer, NodeName, OfflineBy, OfflineSigns, Work, digest};
use crate::text::{excerpt, printable};

/// More computers than any controller has.
const MAX_COMPUTERS: usize = 200_000;

/// The most characters of the name of a build that are kept.
const MAX_NAME: usize = 200;

/// The computers as they were read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Computers {
    /// Those whose name is known. One that could not be read whole counts as busy.
    pub all: Vec<Computer>,
    /// How many more there are.
    pub nameless: u64,
    /// What could not be read, in sentences.
    pub odd: Vec<String>,
}

/// Reads the reply of `computer/api/json`. The error is a sentence for a message.
pub fn computers(body: &[u8]) -> Result<Computers, String> {
    // Checked once: checking each text on its own takes a quarter more of the time.
    let whole = str::from_utf8(body).map(|text| {
        list::list(text, "computer", "", MAX_COMPUTERS, |computer: WireComputer<'_>| {
            computer.is_whole().then(|| computer.into_computer())?
        })
    });
    match whole {
        Ok(Ok((all, _))) => Ok(Computers {
            all,
            ..Computers::default()
        }),
        Ok(Err(_)) | Err(_) => odd_computers(body),
    }
}

/// Reads each computer on its own. One that is odd is listed all the same, and nothing may happen to it.
fn odd_computers(body: &[u8]) -> Result<Computers, String> {
    let text = lenient::repaired(body);
    let mut read = Computers::default();
    let mut odd = OddSentences::default();
    for element in list::elements(&text, "computer", "", MAX_COMPUTERS)?.0 {
        let Object(wire) = serde_json::from_str::<Object<WireComputer<'_>>>(element).unwrap_or_default();
        let whole = wire.as_ref().is_some_and(WireComputer::is_whole) && !element.contains(UNREADABLE);
        let computer = wire.and_then(WireComputer::into_computer);
        let computer = computer.or_else(|| display_name(element).map(|name| unread(&name)));
        match computer {
            Some(computer) if whole => read.all.push(computer),
            Some(computer) => {
                let name = lenient::shown(computer.name.as_str());
                odd.add(format!(
                    "node \"{}\" could not be read whole and counts as busy",
                    printable(&name, 80)
                ));
                read.all.push(Computer {
                    name: NodeName::new(name),
                    idle: false,
                    executors: computer.executors.max(1),
                    idle_executors: 0,
                    ..computer
                });
            }
            None => {
                read.nameless += 1;
                odd.add("a node whose name could not be read is listed".to_owned());
            }
        }
    }
    read.odd = odd.sentences();
    Ok(read)
}

/// Reads the name of a computer that cannot be read whole.
fn display_name(element: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named<'a> {
        #[serde(borrow, default)]
        display_name: Text<'a>,
    }
    let named: Named<'_> = serde_json::from_str(element).ok()?;
    named.display_name.filled().map(str::to_owned)
}

/// Makes a computer of which only the name is known.
fn unread(name: &str) -> Computer {
    Computer {
        built_in: is_built_in(None, name),
        name: NodeName::new(name),
        idle: false,
        offline: false,
        temporarily_offline: false,
        offline_reason: String::new(),
        offline_class: None,
        executors: 1,
        idle_executors: 0,
        one_off_busy: false,
        running: Vec::new(),
        jobs: Vec::new(),
        labels: None,
    }
}

/// Reads the names of `computer/api/json`. The error is a sentence for a message.
pub fn computer_names(body: &[u8]) -> Result<Vec<NodeName>, String> {
    let computers = computers(body)?;
    if computers.nameless > 0 {
        return Err("the name of a computer could not be read".to_owned());
    }
    Ok(computers.all.into_iter().map(|computer| computer.name).collect())
}

/// Reads the reply of `computer/NAME/api/json`. The error is a sentence for a message.
pub fn node(body: &[u8]) -> Result<NodeState, String> {
    if let Ok(wire) = serde_json::from_slice::<WireComputer<'_>>(body) {
        return wire.into_state();
    }
    let text = lenient::repaired(body);
    let wire: WireComputer<'_> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    wire.into_state()
}

/// One node at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags that Jenkins has")]
pub struct NodeState {
    /// Jenkins' `idle`; true for offline and booting nodes, too.
    pub idle: bool,
    /// No channel, or marked offline.
    pub offline: bool,
    /// Marked offline, by a person, a monitor or mita.
    pub temporarily_offline: bool,
    /// `offlineCauseReason`: HTML-escaped, perhaps without its beginning.
    pub offline_reason: String,
    /// The cause in full words and unescaped, where there is one: `Disconnected by USER : TEXT`.
    pub offline_description: String,
    /// The `_class` of the offline cause.
    pub offline_class: Option<String>,
    pub executors: u32,
    /// How many of them are idle.
    pub idle_executors: u32,
    /// Whether a one-off executor is at work.
    pub one_off_busy: bool,
    /// Whether it certainly has a channel: `absoluteRemotePath`, which Jenkins shows of connected agents, to those with
    /// Agent/Connect (Agent/Disconnect implies it). A mark hides every other sign of a connection.
    pub connected: bool,
}

impl NodeState {
    /// Says who took the node offline.
    pub fn offline_by(&self) -> OfflineBy {
        self.offline_signs().by()
    }

    /// Returns the fields that show who took it offline.
    pub fn offline_signs(&self) -> OfflineSigns<'_> {
        OfflineSigns {
            offline: self.offline,
            marked: self.temporarily_offline,
            reason: &self.offline_reason,
            description: &self.offline_description,
            class: self.offline_class.as_deref(),
        }
    }

    /// Returns whether nothing at all works on the node.
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireComputer<'a> {
    #[serde(borrow, default, rename = "_class")]
    class: Text<'a>,
    #[serde(borrow, default)]
    display_name: Text<'a>,
    #[serde(default)]
    idle: Flag,
    #[serde(default)]
    offline: Flag,
    #[serde(default)]
    temporarily_offline: Flag,
    #[serde(borrow, default)]
    offline_cause_reason: Text<'a>,
    #[serde(borrow, default)]
    offline_cause: Object<WireCause<'a>>,
    #[serde(default)]
    assigned_labels: Names,
    #[serde(default)]
    executors: Counted,
    #[serde(default)]
    one_off_executors: Counted,
    #[serde(borrow, default)]
    absolute_remote_path: Text<'a>,
}

#[derive(Default, Deserialize)]
struct WireCause<'a> {
    #[serde(borrow, default, rename = "_class")]
    class: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
}

impl WireComputer<'_> {
    /// Returns whether it has all fields that decide about it.
    fn is_whole(&self) -> bool {
        let flags = [self.idle, self.offline, self.temporarily_offline];
        flags.iter().all(|flag| flag.0.is_some()) && self.executors.listed
    }

    /// Makes the computer; `None` without a name. One without `idle` counts as busy, which keeps it.
    fn into_computer(self) -> Option<Computer> {
        let name = self.display_name.filled()?;
        let idle = self.idle.0 == Some(true);
        let (executors, idle_executors) = self.executors.totals(idle);
        let cause = self.offline_cause.0.unwrap_or_default();
        Some(Computer {
            built_in: is_built_in(self.class.filled(), name),
            name: NodeName::new(name),
            idle,
            offline: self.offline.0 == Some(true),
            temporarily_offline: self.temporarily_offline.0 == Some(true),
            offline_reason: self.offline_cause_reason.into_string().unwrap_or_default(),
            offline_class: cause.class.into_string(),
            executors,
            idle_executors,
            one_off_busy: self.one_off_executors.is_work(),
            running: self.executors.running,
            jobs: self.executors.jobs,
            labels: self.assigned_labels.0,
        })
    }

    /// Makes the state on which a removal decides: here what is missing is an error.
    fn into_state(self) -> Result<NodeState, String> {
        let required = |flag: Flag, name: &str| flag.0.ok_or_else(|| format!("{name} is missing"));
        let idle = required(self.idle, "idle")?;
        let (executors, idle_executors) = self.executors.totals(idle);
        let cause = self.offline_cause.0.unwrap_or_default();
        Ok(NodeState {
            idle,
            offline: required(self.offline, "offline")?,
            temporarily_offline: required(self.temporarily_offline, "temporarilyOffline")?,
            offline_reason: self.offline_cause_reason.into_string().unwrap_or_default(),
            offline_description: cause.description.into_string().unwrap_or_default(),
            offline_class: cause.class.into_string(),
            executors,
            idle_executors,
            one_off_busy: self.one_off_executors.is_work(),
            connected: self.absolute_remote_path.filled().is_some(),
        })
    }
}

/// Returns whether a computer is the built-in node. Its display name is localized; before Jenkins 2 it is all there is.
fn is_built_in(class: Option<&str>, name: &str) -> bool {
    class.map_or(name == "master", |class| class.ends_with("MasterComputer"))
}

/// How many elements a list of executors has, and how many are idle, busy or neither.
#[derive(Clone, Debug, Default)]
struct Counted {
    all: u32,
    idle: u32,
    silent: u32,
    /// Whether there was a list.
    listed: bool,
    /// Whether there was something else.
    odd: bool,
    /// Digests of the URLs of what runs there, where they were asked for and may be seen.
    running: Vec<String>,
    /// The names of what runs there, likewise.
    jobs: Vec<String>,
}

impl Counted {
    /// Returns the number of executors and of idle ones; those without `idle` count as the whole node does.
    fn totals(&self, node_is_idle: bool) -> (u32, u32) {
        let silent = if node_is_idle { self.silent } else { 0 };
        (self.all, self.idle + silent)
    }

    /// Whether there is work, or may be.
    fn is_work(&self) -> bool {
        self.all > 0 || self.odd
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireExecutor<'a> {
    #[serde(default)]
    idle: Flag,
    #[serde(borrow, default)]
    current_executable: Object<WireExecutable<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireExecutable<'a> {
    #[serde(borrow, default)]
    url: Text<'a>,
    #[serde(borrow, default)]
    full_display_name: Text<'a>,
}

struct CountedVisitor;

impl<'de> Visitor<'de> for CountedVisitor {
    type Value = Counted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of executors")
    }

    fn visit_unit<E>(self) -> Result<Counted, E> {
        Ok(Counted::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Counted {
            odd: true,
            ..Counted::default()
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counted, A::Error> {
        let mut counted = Counted {
            listed: true,
            ..Counted::default()
        };
        while let Some(Object(executor)) = seq.next_element::<Object<WireExecutor<'de>>>()? {
            counted.all = counted.all.saturating_add(1);
            let build = executor
                .as_ref()
                .and_then(|executor| executor.current_executable.0.as_ref());
            if let Some(url) = build.and_then(|build| build.url.filled()) {
                counted.running.push(digest(url.as_bytes()));
            }
            if let Some(name) = build.and_then(|build| build.full_display_name.filled()) {
                counted.jobs.push(excerpt(name, MAX_NAME));
            }
            match executor.and_then(|executor| executor.idle.0) {
                Some(true) => counted.idle = counted.idle.saturating_add(1),
                Some(false) => {}
                None => counted.silent = counted.silent.saturating_add(1),
            }
        }
        Ok(counted)
    }
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountedVisitor)
    }
}

/// The names of a list of labels; `None` when there is no list.
#[derive(Debug, Default)]
struct Names(Option<Vec<String>>);

#[derive(Deserialize)]
struct WireLabel<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of labels")
    }

    fn visit_unit<E>(self) -> Result<Names, E> {
        Ok(Names(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(Object(label)) = seq.next_element::<Object<WireLabel<'de>>>()? {
            names.extend(label.and_then(|label| label.name.into_string()));
        }
        Ok(Names(Some(names)))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

/// Reads the labels of one node from `label/NAME/api/json`; `None` when the reply does not have them.
pub fn label_nodes(body: &[u8], name: &NodeName) -> Result<Option<Vec<String>>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WireNode<'a> {
        #[serde(borrow, default)]
        node_name: Text<'a>,
        #[serde(default)]
        assigned_labels: Names,
    }
    let text = str::from_utf8(body).map_err(|_| "not UTF-8")?;
    let (found, _) = list::list(text, "nodes", "", MAX_COMPUTERS, |node: WireNode<'_>| {
        let same = node.node_name.filled() == Some(name.as_str());
        Some(node.assigned_labels.0.filter(|_| same))
    })?;
    Ok(found.into_iter().flatten().next())
}
