//! What is wanted: the waiting items in the order in which they are served, and the warm pools behind them.
//!
//! Reading the wish of an item is left to `queue`, serving it to `grow`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::eligible;
use crate::config::Config;
use crate::model::{Observed, QueueItem};
use crate::queue::{Wish, Wishes};

/// Everything that is wanted.
pub(super) struct Demand<'a> {
    /// The queue, as Jenkins sent it.
    pub queue: &'a [QueueItem],
    /// The distinct wishes.
    pub wishes: Vec<Wish>,
    /// For each wish its class; `None` where no template serves it.
    pub class_of: Vec<Option<usize>>,
    /// For each class the templates that serve it, first choice first. Sorted, so that the order of the queue does not
    /// show.
    pub classes: Vec<Vec<usize>>,
    /// The waiting items, oldest first.
    pub items: Vec<Item>,
    /// The warm pools, behind all items, in the order of the templates.
    pub warm: Vec<Warm>,
}

/// A waiting item: its place in the queue, and its wish.
#[derive(Clone, Copy)]
pub(super) struct Item {
    /// When it entered the queue, and its id: older ones are served first.
    rank: (i128, u64),
    /// Its place in [`Demand::queue`].
    pub place: usize,
    /// Its place in [`Demand::wishes`].
    pub wish: usize,
}

/// The warm pool of a template.
pub(super) struct Warm {
    /// The template.
    pub template: usize,
    /// Its class, which the template alone serves.
    pub class: usize,
    /// How many nodes are to stand ready.
    pub ready: u32,
    /// How many slots that makes.
    pub slots: u32,
}

impl<'a> Demand<'a> {
    /// Sorts what is wanted.
    pub(super) fn new(observed: &'a Observed, config: &Config, now: Timestamp, wishes: Wishes) -> Self {
        let queue = &observed.jenkins.queue;
        let mut items: Vec<Item> = Vec::with_capacity(queue.len());
        for (place, (item, wish)) in queue.iter().zip(&wishes.of_item).enumerate() {
            if let Some(wish) = *wish {
                let rank = (item.since.as_nanosecond(), item.id);
                items.push(Item { rank, place, wish });
            }
        }
        // Jenkins sends the queue nearly in order; a stable sort profits from that.
        items.sort_by_key(|item| item.rank);

        let ready: Vec<u32> = config.templates.iter().map(|t| t.min_ready.at(now)).collect();
        let served: Vec<Vec<usize>> = wishes
            .distinct
            .iter()
            .map(|wish| eligible::indices(wish, config))
            .collect();
        let warm_only = (0..ready.len()).filter(|&t| ready[t] > 0).map(|t| vec![t]);
        let distinct: BTreeSet<Vec<usize>> = served
            .iter()
            .filter(|templates| !templates.is_empty())
            .cloned()
            .chain(warm_only)
            .collect();
        let classes: Vec<Vec<usize>> = distinct.into_iter().collect();
        let index: BTreeMap<&[usize], usize> = classes.iter().enumerate().map(|(c, t)| (t.as_slice(), c)).collect();
        let class_of = served
            .iter()
            .map(|templates| index.get(templates.as_slice()).copied())
            .collect();
        let warm = (0..ready.len())
            .filter_map(|template| {
                let class = *index.get([template].as_slice()).filter(|_| ready[template] > 0)?;
                let slots = ready[template].saturating_mul(config.templates[template].executors);
                Some(Warm {
                    template,
                    class,
                    ready: ready[template],
                    slots,
                })
            })
            .collect();
        Self {
            queue,
            wishes: wishes.distinct,
            class_of,
            classes,
            items,
            warm,
        }
    }
}
