//! The metrics of the queue: what waits, for what, and why it gets nothing.

use std::collections::BTreeMap;

use crate::plan::{UnmetReason, Waiting};
use crate::report::metrics::list;
use crate::report::metrics::places::Places;
use crate::report::metrics::writer::Writer;
use crate::report::view::Saw;

/// Items that wait, and the age of the oldest.
#[derive(Clone, Copy, Default)]
struct Items {
    count: u64,
    oldest: i64,
}

impl Items {
    fn add(&mut self, row: &Waiting) {
        self.count += row.items;
        self.oldest = self.oldest.max(row.oldest_seconds);
    }
}

/// Writes them.
pub fn write(writer: &mut Writer, saw: &Saw<'_>, places: &Places<'_>) {
    let zeros = places.configured.iter().copied().chain([""]);
    let mut by_node: BTreeMap<&str, Items> = zeros.map(|node| (node, Items::default())).collect();
    for row in &saw.plan.waiting {
        let node = row.served_by.as_ref().or(row.fitting.first());
        by_node
            .entry(node.map_or("", |node| places.of(node)))
            .or_default()
            .add(row);
    }
    for (node, items) in &by_node {
        writer.sample(&list::QUEUE_ITEMS, &[node], items.count);
    }
    for (node, items) in &by_node {
        writer.sample(&list::QUEUE_OLDEST, &[node], items.oldest);
    }
    let mut by_reason: BTreeMap<UnmetReason, Items> = UnmetReason::ALL.map(|reason| (reason, Items::default())).into();
    for row in &saw.plan.unmet {
        by_reason
            .entry(row.class.unwrap_or(UnmetReason::Other))
            .or_default()
            .add(row);
    }
    for (reason, items) in &by_reason {
        writer.sample(&list::UNMET_ITEMS, &[reason.word()], items.count);
    }
    for (reason, items) in &by_reason {
        writer.sample(&list::UNMET_OLDEST, &[reason.word()], items.oldest);
    }
}
