//! The metrics of servers, of their executors, and of what is left of them.

use std::collections::BTreeMap;

use crate::plan::{LeakKind, ServerRow};
use crate::report::metrics::list;
use crate::report::metrics::places::Places;
use crate::report::metrics::writer::Writer;
use crate::report::text::phase;
use crate::report::view::{PassView, Saw};
use crate::state::{Counters, Phase};
use crate::text::decimal;

/// Writes them; of a pass that saw nothing only what the configuration says.
pub fn write(writer: &mut Writer, view: &PassView<'_>, places: &Places<'_>) {
    let rows = view.saw.as_ref().map(|_| view.rows.servers.as_slice());
    if let Some(rows) = rows {
        servers(writer, rows, places);
    }
    let templates = &view.config.templates;
    let most: BTreeMap<&str, u32> = templates
        .iter()
        .map(|template| (template.name.as_str(), template.max))
        .collect();
    for (node, most) in most {
        writer.sample(&list::SERVERS_MAX, &[node], most);
    }
    let prices = templates
        .iter()
        .filter_map(|template| Some((template.name.as_str(), template.price?)));
    for (node, price) in prices.collect::<BTreeMap<_, _>>() {
        writer.sample(&list::SERVER_PRICE, &[node], decimal(price.0.into()));
    }
    if let Some(rows) = rows {
        executors(writer, rows, places);
    }
    if let Some(saw) = &view.saw {
        leaks(writer, saw, view.state.counters.as_deref());
    }
}

fn servers(writer: &mut Writer, rows: &[ServerRow], places: &Places<'_>) {
    let mut counts: BTreeMap<(&str, &str, Phase), u64> = BTreeMap::new();
    for (node, provider) in &places.pairs {
        counts.extend(Phase::ALL.map(|phase| ((*node, *provider, phase), 0)));
    }
    for row in rows {
        *counts
            .entry((places.of(&row.node), row.provider.as_str(), row.phase))
            .or_default() += 1;
    }
    for ((node, provider, of), count) in counts {
        writer.sample(&list::SERVERS, &[node, provider, phase(of)], count);
    }
}

/// What executors do, in the order of their counts.
const STATES: [&str; 3] = ["busy", "idle", "off"];

fn executors(writer: &mut Writer, rows: &[ServerRow], places: &Places<'_>) {
    let mut counts: BTreeMap<&str, [u64; 3]> = places.pairs.iter().map(|(node, _)| (*node, [0; 3])).collect();
    for row in rows {
        let counts = counts.entry(places.of(&row.node)).or_default();
        for (count, more) in counts.iter_mut().zip(executors_of(row)) {
            *count += u64::from(more);
        }
    }
    for (node, counts) in counts {
        for (state, count) in STATES.into_iter().zip(counts) {
            writer.sample(&list::EXECUTORS, &[node, state], count);
        }
    }
}

/// Returns the executors of a server that work, that are idle, and that take no work. One that goes has none.
fn executors_of(row: &ServerRow) -> [u32; 3] {
    let all = row.executors.unwrap_or(0);
    let busy = row.busy_executors.unwrap_or(0).min(all);
    match row.phase {
        Phase::Online | Phase::Idle | Phase::Busy => [busy, all - busy, 0],
        Phase::Draining | Phase::Offline => [busy, 0, all - busy],
        Phase::Intent | Phase::Booting | Phase::Error | Phase::Deleting | Phase::Orphan => [0; 3],
    }
}

fn leaks(writer: &mut Writer, saw: &Saw<'_>, counters: Option<&Counters>) {
    let leaks = &saw.plan.leaks;
    let mut counts: BTreeMap<&str, u64> = LeakKind::ALL.map(|kind| (kind.word(), 0)).into();
    counts.insert(LeakKind::Server.word(), leaks.servers);
    counts.insert(LeakKind::JenkinsNode.word(), leaks.jenkins_nodes);
    let left = counters.into_iter().flat_map(|counters| counters.left.values());
    for (kind, count) in left.flatten() {
        *counts.entry(LeakKind::from(*kind).word()).or_default() += count;
    }
    for (kind, count) in counts {
        writer.sample(&list::LEAKS, &[kind], count);
    }
}
