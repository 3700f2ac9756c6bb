//! The JSON of the queue, of the computers and of one node, read straight into the model.
//!
//! Only what is needed is kept, executors are counted as they pass by. What is missing from one item is tolerated
//! (Jenkins of all ages, items of all plugins); a list that is missing, or a node that does not say what it is, is an
//! error, since a half-read Jenkins must not look like an empty one.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::jenkins::lenient::{Flag, Number, Object, Text, Told, list, list_beside};
use crate::model::{Computer, NodeName, OfflineBy, OfflineSigns, QueueItem, Stage, TaskLabel, Work, digest};

/// What is asked of the queue, escaped. Of items whose job the user may not read, Jenkins shows the task alone.
pub const QUEUE_TREE: &str = "items%5Bid%2Cwhy%2Cstuck%2Cblocked%2Cbuildable%2Cpending%2CinQueueSince%2C\
                              task%5Bname%2CfullName%2Curl%2ClabelExpression%5D%5D%2C\
                              discoverableItems%5Btask%5Bname%5D%5D";

/// What is asked of the computers, escaped. The names of classes come unasked; the cause is asked for its class, which
/// needs one of its fields to be named.
pub const COMPUTER_TREE: &str = "computer%5BdisplayName%2Cidle%2Coffline%2CtemporarilyOffline%2C\
                                 offlineCauseReason%2CofflineCause%5Btimestamp%5D%2CassignedLabels%5Bname%5D%2C\
                                 executors%5Bidle%5D%2ConeOffExecutors%5Bidle%5D%5D";

/// Returns what is asked of the computers where their builds are to be told apart, too.
pub fn computer_tree_with_builds() -> String {
    let (plain, telling) = (
        "executors%5Bidle%5D",
        "executors%5Bidle%2CcurrentExecutable%5Burl%5D%5D",
    );
    // The one-off executors, whose name is written otherwise, run no builds of their own.
    COMPUTER_TREE.replacen(plain, telling, 1)
}

/// What is asked of one node, escaped.
pub const NODE_TREE: &str = "idle%2Coffline%2CtemporarilyOffline%2CofflineCauseReason%2C\
                             offlineCause%5Bdescription%5D%2Cexecutors%5Bidle%5D%2C\
                             oneOffExecutors%5Bidle%5D%2CabsoluteRemotePath";

/// More items than any controller bears; a bound for the memory that a reply can make us use.
const MAX_ITEMS: usize = 1_000_000;

/// More computers than any controller bears.
const MAX_COMPUTERS: usize = 200_000;

/// Which texts of the queue are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those of the items that wait for an executor; the others keep id, stage, age and label.
    Waiting,
    /// All.
    All,
}

/// Reads the reply of `queue/api/json`: the items, and how many more the user may not read. The error is a sentence for
/// a message.
pub fn queue(body: &[u8], keep: Keep) -> Result<(Vec<QueueItem>, u64), String> {
    list_beside(body, "items", "discoverableItems", MAX_ITEMS, |item: WireItem<'_>| {
        Ok(item.into_item(keep))
    })
}

/// Reads the reply of `computer/api/json`. The error is a sentence for a message.
pub fn computers(body: &[u8]) -> Result<Vec<Computer>, String> {
    list(body, "computer", MAX_COMPUTERS, |computer: WireComputer<'_>| {
        computer.into_computer().map(Some)
    })
}

/// Reads the names of `computer/api/json`. The error is a sentence for a message.
pub fn computer_names(body: &[u8]) -> Result<Vec<NodeName>, String> {
    Ok(computers(body)?.into_iter().map(|computer| computer.name).collect())
}

/// Reads the reply of `computer/NAME/api/json`. The error is a sentence for a message.
pub fn node(body: &[u8]) -> Result<NodeState, String> {
    let wire: WireComputer<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
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
    /// Number of executors.
    pub executors: u32,
    /// How many of them are idle.
    pub idle_executors: u32,
    /// Whether a one-off executor is at work.
    pub one_off_busy: bool,
    /// Whether it certainly has a channel: `absoluteRemotePath`, which Jenkins tells of connected agents, to those with
    /// Agent/Connect (Agent/Disconnect implies it). A mark hides every other sign of a connection.
    pub connected: bool,
}

impl NodeState {
    /// Says who took the node offline.
    pub fn offline_by(&self) -> OfflineBy {
        self.offline_signs().by()
    }

    /// Returns what tells who took it offline.
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

// ------------------------------------------------------------------------------------------------ the queue

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireItem<'a> {
    #[serde(default)]
    id: Number,
    #[serde(borrow, default)]
    why: Text<'a>,
    #[serde(default)]
    stuck: Flag,
    #[serde(default)]
    blocked: Flag,
    #[serde(default)]
    buildable: Flag,
    #[serde(default)]
    pending: Flag,
    #[serde(default)]
    in_queue_since: Number,
    #[serde(borrow, default)]
    task: Object<WireTask<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTask<'a> {
    #[serde(borrow, default, rename = "_class")]
    class: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    full_name: Text<'a>,
    #[serde(borrow, default)]
    full_display_name: Text<'a>,
    #[serde(borrow, default)]
    url: Text<'a>,
    #[serde(borrow, default)]
    label_expression: Told<'a>,
}

impl WireItem<'_> {
    /// Makes the item; `None` without an id, which nothing could refer to.
    fn into_item(self, keep: Keep) -> Option<QueueItem> {
        let id = u64::try_from(self.id.0?).ok()?;
        let stage = self.stage();
        let task = self.task.0.unwrap_or_default();
        let mut item = QueueItem {
            id,
            stage,
            stuck: self.stuck.0 == Some(true),
            since: self.in_queue_since.0.and_then(at).unwrap_or(Timestamp::UNIX_EPOCH),
            why: None,
            task_class: None,
            task: String::new(),
            task_name: String::new(),
            task_url: None,
            label: match task.label_expression {
                Told::Untold => TaskLabel::Untold,
                Told::Null => TaskLabel::Anywhere,
                Told::Text(text) => TaskLabel::Expression(text.into_owned()),
            },
        };
        if stage == Stage::Buildable || keep == Keep::All {
            let telling = [&task.full_name, &task.full_display_name, &task.name];
            let telling = telling.iter().find_map(|text| text.filled());
            telling.unwrap_or_default().clone_into(&mut item.task);
            item.why = self.why.into_string();
            item.task_class = task.class.into_string();
            item.task_name = task.name.into_string().unwrap_or_default();
            item.task_url = task.url.into_string();
        }
        Some(item)
    }

    fn stage(&self) -> Stage {
        let is = |flag: Flag| flag.0 == Some(true);
        if is(self.pending) {
            Stage::Pending
        } else if is(self.buildable) {
            Stage::Buildable
        } else if is(self.blocked) {
            Stage::Blocked
        } else {
            Stage::Waiting
        }
    }
}

// ------------------------------------------------------------------------------------------- the computers

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
    /// Makes the computer. One that does not say whether it is idle counts as busy, which keeps it.
    fn into_computer(self) -> Result<Computer, &'static str> {
        let name = self.display_name.filled().ok_or("a computer has no displayName")?;
        let idle = self.idle.0 == Some(true);
        let (executors, idle_executors) = self.executors.totals(idle);
        let cause = self.offline_cause.0.unwrap_or_default();
        Ok(Computer {
            built_in: is_built_in(self.class.filled(), name),
            name: NodeName::new(name),
            idle,
            offline: self.offline.0 == Some(true),
            temporarily_offline: self.temporarily_offline.0 == Some(true),
            offline_reason: self.offline_cause_reason.into_string().unwrap_or_default(),
            offline_class: cause.class.into_string(),
            executors,
            idle_executors,
            one_off_busy: self.one_off_executors.all > 0,
            running: self.executors.running,
            labels: self.assigned_labels.0,
        })
    }

    /// Makes the state on which a removal decides: here what is missing is an error.
    fn into_state(self) -> Result<NodeState, String> {
        let told = |flag: Flag, name: &str| flag.0.ok_or_else(|| format!("{name} is missing"));
        let idle = told(self.idle, "idle")?;
        let (executors, idle_executors) = self.executors.totals(idle);
        let cause = self.offline_cause.0.unwrap_or_default();
        Ok(NodeState {
            idle,
            offline: told(self.offline, "offline")?,
            temporarily_offline: told(self.temporarily_offline, "temporarilyOffline")?,
            offline_reason: self.offline_cause_reason.into_string().unwrap_or_default(),
            offline_description: cause.description.into_string().unwrap_or_default(),
            offline_class: cause.class.into_string(),
            executors,
            idle_executors,
            one_off_busy: self.one_off_executors.all > 0,
            connected: self.absolute_remote_path.filled().is_some(),
        })
    }
}

/// Returns whether a computer is the built-in node. Its display name is localized; before Jenkins 2 it is all there is.
fn is_built_in(class: Option<&str>, name: &str) -> bool {
    class.map_or(name == "master", |class| class.ends_with("MasterComputer"))
}

fn at(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

/// How many elements a list of executors has, and how many say that they are idle or busy.
#[derive(Clone, Debug, Default)]
struct Counted {
    all: u32,
    idle: u32,
    silent: u32,
    /// Digests of the URLs of what runs there, where they were asked for and may be seen.
    running: Vec<String>,
}

impl Counted {
    /// Returns the number of executors and of idle ones; those that do not say are as the whole node is.
    fn totals(&self, node_is_idle: bool) -> (u32, u32) {
        let silent = if node_is_idle { self.silent } else { 0 };
        (self.all, self.idle + silent)
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
struct WireExecutable<'a> {
    #[serde(borrow, default)]
    url: Text<'a>,
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
        Ok(Counted::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counted, A::Error> {
        let mut counted = Counted::default();
        while let Some(Object(executor)) = seq.next_element::<Object<WireExecutor<'de>>>()? {
            counted.all = counted.all.saturating_add(1);
            let build = executor
                .as_ref()
                .and_then(|executor| executor.current_executable.0.as_ref());
            if let Some(url) = build.and_then(|build| build.url.filled()) {
                counted.running.push(digest(url.as_bytes()));
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

// ------------------------------------------------------------------------------------------- small replies

/// Reads `quietingDown` of `api/json`. The error is a sentence for a message.
pub fn quieting_down(body: &[u8]) -> Result<bool, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Root {
        #[serde(default)]
        quieting_down: Flag,
    }
    let root: Root = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    root.quieting_down.0.ok_or_else(|| "quietingDown is missing".to_owned())
}

/// A crumb as the crumb issuer hands it out: the name of its header and its value.
pub fn crumb(body: &[u8]) -> Result<(String, String), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Issued {
        crumb: String,
        crumb_request_field: String,
    }
    let issued: Issued = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok((issued.crumb_request_field, issued.crumb))
}

/// Reads the labels of one node from `label/NAME/api/json`; `None` when they are not told there.
pub fn label_nodes(body: &[u8], name: &NodeName) -> Result<Option<Vec<String>>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WireNode<'a> {
        #[serde(borrow, default)]
        node_name: Text<'a>,
        #[serde(default)]
        assigned_labels: Names,
    }
    let found = list(body, "nodes", MAX_COMPUTERS, |node: WireNode<'_>| {
        let same = node.node_name.filled() == Some(name.as_str());
        Ok(if same { node.assigned_labels.0 } else { None })
    })?;
    Ok(found.into_iter().next())
}
