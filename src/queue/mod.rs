//! From the build queue to what is wanted: reads the `why` of each item and the other sources of a label.
//!
//! The sentences are in `why`, tasks and their URLs in `task`, the order of the sources in `resolve`, and a text that a
//! person asks about in `text`. Which template serves a wish, and how many servers that makes, is left to `plan`; asking
//! Jenkins what the queue left open, to the caller.

mod resolve;
mod task;
#[cfg(test)]
mod tests;
mod text;
mod why;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use foldhash::HashMap;
use jiff::{SignedDuration, Timestamp};

pub use text::{Explained, Syntax, TextKind, read_text};

use crate::labels::{Label, Labels};
use crate::model::{JenkinsView, NodeName, QueueItem, Reading, Stage, TaskLabel, TemplateName};
use resolve::Resolver;
use why::Said;

/// What is known of a template here: its name and labels, to tell nodes of ours from foreign ones.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// The template's name.
    pub name: &'a TemplateName,
    /// Its labels.
    pub labels: &'a Labels,
}

/// The templates of the Jenkins nodes that belong to servers of ours, by the one link that `plan` makes; found out when
/// an item first names a node.
pub struct NodeTemplates<'a> {
    find: Box<dyn Fn() -> HashMap<NodeName, TemplateName> + 'a>,
    found: OnceCell<HashMap<NodeName, TemplateName>>,
}

impl<'a> NodeTemplates<'a> {
    /// Takes what finds them.
    pub fn new(find: impl Fn() -> HashMap<NodeName, TemplateName> + 'a) -> Self {
        Self {
            find: Box::new(find),
            found: OnceCell::new(),
        }
    }

    /// For a Jenkins without nodes of ours.
    pub fn none() -> Self {
        Self::new(HashMap::default)
    }

    fn of(&self, node: &NodeName) -> Option<TemplateName> {
        self.found.get_or_init(|| (self.find)()).get(node).cloned()
    }
}

/// A question that the queue left open and one more request answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// The `config.xml` of the job at this path (`job/a/job/b`), percent-encoded; the key in `JenkinsView::jobs`.
    Job(String),
    /// The labels of this node (`JenkinsView::node_labels`).
    NodeLabels(NodeName),
}

/// What one or more queue items wait for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// A node that satisfies a label.
    Label(Label),
    /// Any node that takes jobs without a label.
    Unlabelled,
    /// A node of this template (the item waits for a node of ours, or for the bare name of a template).
    Template(TemplateName),
    /// A node with at least these labels (the item waits for a foreign node that has them).
    Like {
        /// The foreign node.
        node: NodeName,
        /// Its labels, its own name aside.
        labels: Labels,
    },
    /// A node with all these labels: the values of a matrix combination, the last resort where the job's configuration
    /// could not be read.
    Values(Vec<String>),
    /// A node that Jenkins no longer has: a new server would not help.
    GoneNode(NodeName),
    /// The label cannot be had: why, how to mend it, and what may be asked to find out.
    Unknown {
        /// Why the label is not known, and how to mend it.
        reason: String,
        /// One more request that may tell.
        ask: Option<Ask>,
    },
}

impl Wish {
    /// Returns whether the label is not known because Jenkins has no agent, and no one request more would tell it.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Unknown { reason, ask: None } if reason.starts_with(resolve::HIDDEN))
    }
}

/// The wishes of a queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// Every distinct wish, in the order of its first item.
    pub distinct: Vec<Wish>,
    /// For each item of the queue, in its order: the index into `distinct`; `None` when it does not wait for an executor.
    pub of_item: Vec<Option<usize>>,
}

/// Reads what the items of a queue wait for. Items younger than `grace` do not count yet.
///
/// Where a wish is [`Wish::Unknown`] with an [`Ask`], the caller may put the answer into the view and call again.
pub fn wishes(
    view: &JenkinsView,
    kinds: &[Kind<'_>],
    linked: &NodeTemplates<'_>,
    now: Timestamp,
    grace: SignedDuration,
) -> Wishes {
    let resolver = Resolver::new(view, kinds, linked);
    let mut seen: HashMap<Key<'_>, Seen<'_>> = HashMap::default();
    let mut distinct = Distinct::default();
    let mut of_item = Vec::with_capacity(view.queue.len());
    let exact = view.labels.as_ref().and_then(Reading::ok);
    for item in &view.queue {
        let age = view.age(item, now);
        if item.stage != Stage::Buildable || task::is_flyweight(item) || (age < grace && !grace.is_zero()) {
            of_item.push(None);
            continue;
        }
        let exact = match exact.and_then(|labels| labels.get(&item.id)) {
            None => Exact::Untold,
            Some(label) => Exact::Told(label.as_deref()),
        };
        let key = Key::of(item, age, exact);
        let seen = seen.entry(key).or_insert_with(|| {
            let said = item.why.as_deref().map_or(Said::Unread, why::read);
            if let Exact::Told(label) = key.exact {
                Seen::Same(distinct.index(resolver.exactly(said, label)))
            } else if resolver.differs_by_job(said, item) {
                Seen::ByJob(said, HashMap::default())
            } else {
                Seen::Same(distinct.index(resolver.wish(said, item, key.offline_at_once)))
            }
        });
        of_item.push(match seen {
            Seen::Same(index) => *index,
            Seen::ByJob(said, jobs) => {
                let job = (item.task_url.as_deref(), item.task_name.as_str());
                let wish = || distinct.index(resolver.wish(*said, item, key.offline_at_once));
                *jobs.entry(job).or_insert_with(wish)
            }
        });
    }
    Wishes {
        distinct: distinct.into_vec(),
        of_item,
    }
}

/// Returns whether a sentence of the queue says that Jenkins is quieting down.
pub fn is_quieting(view: &JenkinsView) -> bool {
    let mut sentences = view.queue.iter().filter_map(|item| item.why.as_deref());
    sentences.any(why::is_shutting_down)
}

/// Returns what is to be asked to know more, each question once.
pub fn asks(wishes: &Wishes) -> Vec<Ask> {
    let asks = wishes.distinct.iter().filter_map(|wish| match wish {
        Wish::Unknown { ask, .. } => ask.as_ref(),
        _ => None,
    });
    asks.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// A job without a label cannot be stuck for this long: ten times the least estimate that Jenkins reckons with.
const UNLABELLED_NOT_STUCK: SignedDuration = SignedDuration::from_mins(10);

/// The label of an item by the script console.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Exact<'a> {
    /// It was not asked, failed, or does not list the item.
    Untold,
    /// The label; `None`: the item may run anywhere.
    Told(Option<&'a str>),
}

/// What decides an item's wish, its job aside: a queue of many items has few of these.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    why: Option<&'a str>,
    class: Option<&'a str>,
    label: &'a TaskLabel,
    /// What the script console told.
    exact: Exact<'a>,
    /// Stuck at once, which Jenkins says only of a label without a node: one of this build, if the job has none.
    offline_at_once: bool,
}

impl<'a> Key<'a> {
    fn of(item: &'a QueueItem, age: SignedDuration, exact: Exact<'a>) -> Self {
        let offline_at_once = item.stuck && item.label == TaskLabel::Anywhere && age < UNLABELLED_NOT_STUCK;
        Self {
            why: item.why.as_deref(),
            class: item.task_class.as_deref(),
            label: &item.label,
            exact,
            offline_at_once,
        }
    }
}

/// What came of a [`Key`].
enum Seen<'a> {
    /// The same for all its items.
    Same(Option<usize>),
    /// It differs by the URL and the name of the task.
    ByJob(Said<'a>, HashMap<(Option<&'a str>, &'a str), Option<usize>>),
}

/// The distinct wishes, numbered in the order in which they came.
#[derive(Default)]
struct Distinct(HashMap<Wish, usize>);

impl Distinct {
    fn index(&mut self, wish: Option<Wish>) -> Option<usize> {
        let next = self.0.len();
        wish.map(|wish| *self.0.entry(wish).or_insert(next))
    }

    fn into_vec(self) -> Vec<Wish> {
        let mut wishes: Vec<_> = self.0.into_iter().collect();
        wishes.sort_unstable_by_key(|(_, index)| *index);
        wishes.into_iter().map(|(wish, _)| wish).collect()
    }
}
