//! What the models share: nodes that go once idle for long, and servers that never joined.

use crate::site::{Server, Site};

/// Removes the nodes that a test names.
pub fn remove(site: &mut Site<'_>, test: impl Fn(&Server, i64) -> bool) {
    let clock = site.clock;
    let gone = site.servers.iter().filter(|(_, server)| test(server, clock));
    let gone: Vec<u32> = gone.map(|(number, _)| *number).collect();
    for number in gone {
        site.remove(number);
    }
}

/// Removes nodes idle for as long as `grace`, and servers that did not join within `boot`; both in seconds.
pub fn remove_idle_and_lost(site: &mut Site<'_>, grace: i64, boot: i64) {
    remove(site, |server, clock| {
        server.idle() && clock - server.idle_since >= grace || server.booting() && clock - server.asked > boot
    });
}

/// The templates that serve the labels of the trace, each label by the first that fits: how many items wait for each.
pub fn waiting_by_kind(site: &Site<'_>) -> Vec<usize> {
    let mut waiting = vec![0; site.kinds.len()];
    for (label, count) in site.waiting().into_iter().enumerate() {
        if let Some(kind) = site.first_fit(label) {
            waiting[kind] += count;
        }
    }
    waiting
}

/// Executors of a template that are free, or to come.
pub fn free_and_booting(site: &Site<'_>, kind: usize) -> usize {
    let executors = site.kinds[kind].executors;
    let of_kind = site.servers.values().filter(|server| server.kind == kind);
    of_kind
        .map(|server| match (server.online(), server.booting()) {
            (true, _) => executors - server.busy.min(executors),
            (_, true) => executors,
            _ => 0,
        })
        .sum()
}

/// Makes servers of a template for so many executors, as far as there is room.
pub fn make_for(site: &mut Site<'_>, kind: usize, executors: usize) {
    for _ in 0..executors.div_ceil(site.kinds[kind].executors) {
        if site.create(kind).is_none() {
            break;
        }
    }
}
