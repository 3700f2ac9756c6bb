//! Finds out what the items of the build queue wait for: reads the `why` of each and the other sources of a label.
//!
//! The sentences are in `why`, tasks and their URLs in `task`, the order of the sources in `resolve`, and a text that a
//! person asks about in `text`. Which template serves a label request, and how many servers that makes, is left to `plan`;
//! asking Jenkins what the queue left open, to the caller.

mod job;
mod label_request;
mod reason;
mod resolve;
mod task;
#[cfg(test)]
mod tests;
mod text;
mod why;

use std::collections::BTreeSet;

use foldhash::HashMap;
use jiff::{SignedDuration, Timestamp};

pub use job::job_of;
pub use label_request::{Ask, LabelRequest, NodeTemplates, TemplateLabels};
pub use reason::{Cause, NoConfig, UnknownLabel};
pub use task::job_path;
pub use text::{Explained, Syntax, TextKind, read_text};

use crate::model::{JenkinsView, QueueItem, Reading, Stage, TaskLabel};
use resolve::Resolver;
use why::Sentence;

/// The label requests of a queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelRequests {
    /// Every distinct label request, in the order of its first item.
    pub distinct: Vec<LabelRequest>,
    /// For each item of the queue, in its order: the index into `distinct`; `None` when it does not wait for an
    /// executor.
    pub of_item: Vec<Option<usize>>,
}

/// Reads what the items of a queue wait for. Items younger than `grace` do not count yet.
///
/// Where a label request is [`LabelRequest::Unknown`] with an [`Ask`], the caller may put the answer into the view and call
/// again.
pub fn label_requests(
    view: &JenkinsView,
    templates: &[TemplateLabels<'_>],
    linked: &NodeTemplates<'_>,
    now: Timestamp,
    grace: SignedDuration,
) -> LabelRequests {
    let resolver = Resolver::new(view, templates, linked);
    let mut seen: HashMap<Key<'_>, Seen<'_>> = HashMap::default();
    let mut distinct = Distinct::default();
    let mut of_item = Vec::with_capacity(view.queue.len());
    let exact = view.labels.as_ref().and_then(Reading::ok);
    for item in &view.queue {
        if item.stage != Stage::Buildable || task::is_flyweight(item) {
            of_item.push(None);
            continue;
        }
        let age = view.age(item, now);
        if age < grace && !grace.is_zero() {
            of_item.push(None);
            continue;
        }
        let exact = match exact.and_then(|labels| labels.get(&item.id)) {
            None => Exact::Absent,
            Some(label) => Exact::LabelSource(label.as_deref()),
        };
        let key = Key::new(item, age, exact);
        let seen = seen.entry(key).or_insert_with(|| {
            let sentence = item.why.as_deref().map_or(Sentence::Unread, why::read);
            if let Exact::LabelSource(label) = key.exact {
                Seen::Same(distinct.index(resolver.exactly(sentence, label)))
            } else if resolver.differs_by_job(sentence, item) {
                Seen::ByJob(sentence, HashMap::default())
            } else {
                Seen::Same(distinct.index(resolver.label_request(sentence, item, key.offline_at_once)))
            }
        });
        of_item.push(match seen {
            Seen::Same(index) => *index,
            Seen::ByJob(sentence, jobs) => {
                let job = (item.task_url.as_deref(), item.task_name.as_str());
                let label_request = || distinct.index(resolver.label_request(*sentence, item, key.offline_at_once));
                *jobs.entry(job).or_insert_with(label_request)
            }
        });
    }
    LabelRequests {
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
pub fn asks(label_requests: &LabelRequests) -> Vec<Ask> {
    let asks = label_requests
        .distinct
        .iter()
        .filter_map(|label_request| match label_request {
            LabelRequest::Unknown { ask, .. } => ask.as_ref(),
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
    Absent,
    /// The label; `None`: the item may run anywhere.
    LabelSource(Option<&'a str>),
}

/// What decides an item's label request, its job aside: a queue of many items has few of these.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    why: Option<&'a str>,
    class: Option<&'a str>,
    label: &'a TaskLabel,
    /// The label by the script console.
    exact: Exact<'a>,
    /// Stuck at once, which Jenkins says only of a label without a node: one of this build, if the job has none.
    offline_at_once: bool,
}

impl<'a> Key<'a> {
    fn new(item: &'a QueueItem, age: SignedDuration, exact: Exact<'a>) -> Self {
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
    ByJob(Sentence<'a>, HashMap<(Option<&'a str>, &'a str), Option<usize>>),
}

/// The distinct label requests, numbered in the order in which they came.
#[derive(Default)]
struct Distinct(HashMap<LabelRequest, usize>);

impl Distinct {
    fn index(&mut self, label_request: Option<LabelRequest>) -> Option<usize> {
        let next = self.0.len();
        label_request.map(|label_request| *self.0.entry(label_request).or_insert(next))
    }

    fn into_vec(self) -> Vec<LabelRequest> {
        let mut label_requests: Vec<_> = self.0.into_iter().collect();
        label_requests.sort_unstable_by_key(|(_, index)| *index);
        label_requests
            .into_iter()
            .map(|(label_request, _)| label_request)
            .collect()
    }
}
