//! The JSON of the queue, of the computers (`computers`) and of one node, read straight into the model.
//!
//! Only what is needed is kept; executors are counted while they are read. One odd item or computer never hides the
//! others: what cannot be read of it is unknown, and reported. A list that is missing, or cut off, is an error, since a
//! half-read Jenkins must not look like an empty one.

mod computers;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;
use serde::Deserialize;

use crate::jenkins::list;
use crate::lenient::{self, Flag, Number, Object, Text, TextOrNull, UNREADABLE};
use crate::model::{QueueItem, SharedText, Stage, TaskLabel};
use crate::text::printable;

pub use computers::{Computers, NodeState, computer_names, computers, label_nodes, node};

/// The fields of the queue that are asked for, escaped. Without Job/Read Jenkins shows only the task of an item.
pub const QUEUE_TREE: &str = "items%5Bid%2Cwhy%2Cstuck%2Cblocked%2Cbuildable%2Cpending%2CinQueueSince%2C\
                              task%5Bname%2CfullName%2Curl%2ClabelExpression%5D%5D%2C\
                              discoverableItems%5Btask%5Bname%5D%5D";

/// The fields of the computers that are asked for, escaped. Class names come unasked; that of the cause
/// needs one of its fields to be asked for.
pub const COMPUTER_TREE: &str = "computer%5BdisplayName%2Cidle%2Coffline%2CtemporarilyOffline%2C\
                                 offlineCauseReason%2CofflineCause%5Btimestamp%5D%2CassignedLabels%5Bname%5D%2C\
                                 executors%5Bidle%5D%2ConeOffExecutors%5Bidle%5D%5D";

/// Returns the fields of the computers: on request with the URLs of their builds, to count them, and with the names.
pub fn computer_tree(builds: bool, names: bool) -> Cow<'static, str> {
    let fields = match (builds, names) {
        (false, false) => return Cow::Borrowed(COMPUTER_TREE),
        (true, false) => "url",
        (false, true) => "fullDisplayName",
        (true, true) => "url%2CfullDisplayName",
    };
    let telling = format!("executors%5Bidle%2CcurrentExecutable%5B{fields}%5D%5D");
    // The one-off executors, whose name is written otherwise, run no builds of their own.
    Cow::Owned(COMPUTER_TREE.replacen("executors%5Bidle%5D", &telling, 1))
}

/// The fields of one node that are asked for, escaped.
pub const NODE_TREE: &str = "idle%2Coffline%2CtemporarilyOffline%2CofflineCauseReason%2C\
                             offlineCause%5Bdescription%5D%2Cexecutors%5Bidle%5D%2C\
                             oneOffExecutors%5Bidle%5D%2CabsoluteRemotePath";

/// The list of items that the user may not read.
const BESIDE: &str = "discoverableItems";

/// More items than any controller holds; bounds the memory that a reply can make us use.
const MAX_ITEMS: usize = 1_000_000;

/// Which texts of the queue are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptTexts {
    /// Those of the items that wait for an executor; the others keep id, stage, age and label.
    Waiting,
    All,
}

/// The queue as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Queue {
    pub items: Vec<QueueItem>,
    /// How many more the user may not read.
    pub hidden: u64,
    /// What could not be read, in sentences.
    pub odd: Vec<String>,
}

/// Reads the reply of `queue/api/json`, which the items share. The error is a sentence for a message.
pub fn queue(body: Vec<u8>, keep: KeptTexts) -> Result<Queue, String> {
    // Checked once: checking each text on its own takes a quarter more of the time.
    let body = match String::from_utf8(body) {
        Ok(body) => Rc::new(body),
        Err(error) => return odd_queue(error.as_bytes(), keep),
    };
    let whole = list::list(&body, "items", BESIDE, MAX_ITEMS, |item: WireItem<'_>| {
        item.is_whole().then(|| item.into_item(keep, &body))?
    });
    match whole {
        Ok((items, hidden)) => Ok(Queue {
            items,
            hidden,
            odd: Vec::new(),
        }),
        Err(_) => odd_queue(body.as_bytes(), keep),
    }
}

/// Reads each item on its own. What cannot be read of one is unknown.
fn odd_queue(body: &[u8], keep: KeptTexts) -> Result<Queue, String> {
    let text = Rc::new(lenient::repaired(body));
    let (elements, hidden) = list::elements(&text, "items", BESIDE, MAX_ITEMS)?;
    let mut odd = OddSentences::default();
    let mut items = Vec::with_capacity(elements.len());
    for element in elements {
        let Object(wire) = serde_json::from_str::<Object<WireItem<'_>>>(element).unwrap_or_default();
        let task = wire.as_ref().and_then(|item| item.task.0.as_ref());
        let name = task.and_then(WireTask::telling).map(lenient::shown);
        let name = printable(&name.unwrap_or_default(), 80);
        let fault = match &wire {
            Some(item) if element.contains(UNREADABLE) && item.id.0.is_some() => {
                format!("a text of the queue item of \"{name}\" holds what is no text, and is not known")
            }
            Some(item) if item.is_whole() => String::new(),
            Some(item) if item.id.0.is_some() => {
                format!("the queue item of \"{name}\" does not say all that it should, and what it lacks is not known")
            }
            _ => "an item of the queue could not be read and is left alone".to_owned(),
        };
        if !fault.is_empty() {
            odd.add(fault);
        }
        items.extend(wire.and_then(|item| item.legible().into_item(keep, &text)));
    }
    Ok(Queue {
        items,
        hidden,
        odd: odd.sentences(),
    })
}

/// Sentences about a reply that could not be read whole: each once, and not too many.
#[derive(Debug, Default)]
struct OddSentences {
    sentences: BTreeSet<String>,
    more: bool,
}

impl OddSentences {
    /// The most sentences.
    const MOST: usize = 20;

    fn add(&mut self, sentence: String) {
        if self.sentences.len() < Self::MOST {
            self.sentences.insert(sentence);
        } else {
            self.more |= !self.sentences.contains(&sentence);
        }
    }

    fn sentences(self) -> Vec<String> {
        let more = self.more.then(|| "there is more that could not be read".to_owned());
        self.sentences.into_iter().chain(more).collect()
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
    label_expression: TextOrNull<'a>,
}

impl WireTask<'_> {
    /// Returns its most complete name.
    fn telling(&self) -> Option<&str> {
        let names = [&self.full_name, &self.full_display_name, &self.name];
        names.into_iter().find_map(Text::filled)
    }
}

impl WireItem<'_> {
    /// Returns whether it has the fields that every Jenkins gives an item.
    fn is_whole(&self) -> bool {
        let numbers = self.id.0.is_some_and(|id| id >= 0) && self.in_queue_since.0.is_some();
        numbers && self.buildable.0.is_some() && self.task.0.is_some()
    }

    /// Drops the fields that matter and hold unreadable characters: they are unknown then.
    fn legible(mut self) -> Self {
        let known = |text: &mut Text<'_>| {
            if text.filled().is_some_and(|text| text.contains(UNREADABLE)) {
                text.0 = None;
            }
        };
        known(&mut self.why);
        if let Some(task) = &mut self.task.0 {
            known(&mut task.class);
            known(&mut task.url);
            for name in [&mut task.name, &mut task.full_name, &mut task.full_display_name] {
                name.0 = name.0.take().map(|name| lenient::shown(&name).into());
            }
            if matches!(&task.label_expression, TextOrNull::Text(text) if text.contains(UNREADABLE)) {
                task.label_expression = TextOrNull::Absent;
            }
        }
        self
    }

    /// Makes the item; `None` without an id, which nothing could refer to.
    fn into_item(self, keep: KeptTexts, body: &Rc<String>) -> Option<QueueItem> {
        let id = u64::try_from(self.id.0?).ok()?;
        let stage = self.stage();
        let mut task = self.task.0.unwrap_or_default();
        let mut item = QueueItem {
            id,
            stage,
            stuck: self.stuck.0 == Some(true),
            since: self.in_queue_since.0.and_then(at).unwrap_or(Timestamp::UNIX_EPOCH),
            why: None,
            task_class: None,
            task: SharedText::default(),
            task_name: SharedText::default(),
            task_url: None,
            label: match std::mem::take(&mut task.label_expression) {
                TextOrNull::Absent => TaskLabel::Absent,
                TextOrNull::Null => TaskLabel::Anywhere,
                TextOrNull::Text(text) => TaskLabel::Expression(SharedText::of_cow(body, text)),
            },
        };
        if stage == Stage::Buildable || keep == KeptTexts::All {
            let shared = |text: Text<'_>| Some(SharedText::of_cow(body, text.0?));
            item.task = SharedText::of(body, task.telling().unwrap_or_default());
            item.why = shared(self.why);
            item.task_class = shared(task.class);
            item.task_name = shared(task.name).unwrap_or_default();
            item.task_url = shared(task.url);
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

fn at(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
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
    let root: Root = lenient::read(body).map_err(|error| error.to_string())?;
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
    let issued: Issued = lenient::read(body).map_err(|error| error.to_string())?;
    Ok((issued.crumb_request_field, issued.crumb))
}
