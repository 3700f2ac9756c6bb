//! What is wanted: the waiting items in the order in which they are served, then the warm pools.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::model::QueueItem;
use crate::plan::demand::slots::{Origin, SlotGroups};
use crate::plan::fleet::Fleet;
use crate::plan::learn::ready::Ready;
use crate::queue::{LabelRequest, LabelRequests};

/// Everything that is wanted.
pub struct Demand<'a> {
    /// The queue, as Jenkins sent it.
    pub queue: &'a [QueueItem],
    /// The distinct label requests.
    pub label_requests: Vec<LabelRequest>,
    /// The slots, in groups of those that are alike.
    pub slots: SlotGroups,
    /// For each label request its class; `None` where neither a template nor an online node serves it.
    pub class_of: Vec<Option<usize>>,
    /// For each class the groups of slots that serve it, first choice first. Sorted, so that the order of the queue does
    /// not show.
    pub classes: Vec<Vec<usize>>,
    /// The waiting items, oldest first.
    pub items: Vec<Item>,
    /// The warm pools, behind all items, in the order of the templates; none before [`Demand::keep_ready`].
    pub warm: Vec<Warm>,
    /// For each template the class of its warm pool: all of its slots, whatever the labels of its nodes; `None` where it may
    /// have none now.
    pools: Vec<Option<usize>>,
}

/// A waiting item: its place in the queue, and its label request.
#[derive(Clone, Copy)]
pub struct Item {
    /// When it entered the queue, and its id: older ones are served first.
    rank: (i128, u64),
    /// Its place in [`Demand::queue`].
    pub place: usize,
    /// Its place in [`Demand::label_requests`].
    pub label_request: usize,
}

impl Item {
    /// Returns whether it comes before another one.
    pub fn is_older_than(&self, other: &Self) -> bool {
        self.rank < other.rank
    }
}

/// The warm pool of a template.
pub struct Warm {
    pub template: usize,
    /// Its class: all slots of the template, whatever the labels of its nodes.
    pub class: usize,
    /// How many nodes are to stand ready.
    pub ready: u32,
    /// How many slots that makes.
    pub slots: u32,
    /// Why so many, where that is learned.
    pub because: Option<String>,
}

impl<'a> Demand<'a> {
    /// Sorts what is wanted.
    pub fn new(fleet: &Fleet<'a>, label_requests: LabelRequests) -> Self {
        let (config, now) = (fleet.config, fleet.context.now);
        let queue = &fleet.observed.jenkins.queue;
        let items = items(queue, &label_requests);
        let (slots, served) = SlotGroups::new(fleet, &label_requests.distinct);
        let pool = |template: usize| {
            if config.templates[template].min_ready.may_be_open(now) {
                slots.of_template(template, config)
            } else {
                Vec::new()
            }
        };
        let pools: Vec<Vec<usize>> = (0..config.templates.len()).map(pool).collect();
        let members = served.iter().chain(&pools).filter(|members| !members.is_empty());
        let classes: Vec<Vec<usize>> = members.collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let index: BTreeMap<&[usize], usize> = classes.iter().enumerate().map(|(c, g)| (g.as_slice(), c)).collect();
        let class = |members: &Vec<usize>| index.get(members.as_slice()).copied();
        Self {
            queue,
            class_of: served.iter().map(class).collect(),
            warm: Vec::new(),
            pools: pools.iter().map(class).collect(),
            label_requests: label_requests.distinct,
            slots,
            classes,
            items,
        }
    }

    /// Lets so many nodes of each template be ready.
    pub fn keep_ready(&mut self, config: &Config, ready: &[Ready]) {
        let pools = self.pools.iter().zip(ready).enumerate();
        let pools = pools.filter_map(|(template, (class, ready))| {
            let pool = class.filter(|_| ready.nodes > 0);
            pool.map(|class| Warm {
                template,
                class,
                ready: ready.nodes,
                slots: ready.nodes.saturating_mul(config.templates[template].executors),
                because: ready.because().map(str::to_owned),
            })
        });
        self.warm = pools.collect();
    }

    /// Returns for each of so many templates how many of the waiting items have it as their first choice. Those that only
    /// nodes with labels of their own can serve have none.
    pub fn first_choices(&self, templates: usize) -> Vec<u64> {
        let promised = |class: &usize| {
            let mut groups = self.classes[*class].iter();
            let first = groups.find(|group| *self.slots.origin(**group) != Origin::Node);
            first.map(|group| self.slots.template(*group))
        };
        let first: Vec<Option<usize>> = (0..self.classes.len()).map(|class| promised(&class)).collect();
        let mut found = vec![0; templates];
        for item in &self.items {
            if let Some(template) = self.class_of[item.label_request].and_then(|class| first[class]) {
                found[template] += 1;
            }
        }
        found
    }

    /// Returns whether some template promises what a class needs. For an item that only nodes with labels of their own can
    /// serve no server is made, not even in the place of an older item that runs there: that one begins at once.
    pub fn is_promised(&self, class: usize) -> bool {
        let mut groups = self.classes[class].iter();
        groups.any(|group| *self.slots.origin(*group) == Origin::Template)
    }

    /// Returns whether a template promises what a class needs.
    pub fn is_promised_by(&self, class: usize, template: usize) -> bool {
        let mut groups = self.classes[class].iter();
        groups.any(|&group| self.slots.template(group) == template && *self.slots.origin(group) == Origin::Template)
    }
}

/// Returns the items that wait for an executor, oldest first.
fn items(queue: &[QueueItem], label_requests: &LabelRequests) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::with_capacity(queue.len());
    for (place, (item, label_request)) in queue.iter().zip(&label_requests.of_item).enumerate() {
        if let Some(label_request) = *label_request {
            items.push(Item {
                rank: (item.since.as_nanosecond(), item.id),
                place,
                label_request,
            });
        }
    }
    // Jenkins sends the queue nearly in order; a stable sort profits from that.
    items.sort_by_key(|item| item.rank);
    items
}
