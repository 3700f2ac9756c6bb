//! The counters: what happened since the state file was made.

use std::collections::BTreeMap;

use crate::model::ProviderName;
use crate::report::metrics::list::{self, Metric};
use crate::report::metrics::places::Places;
use crate::report::metrics::writer::Writer;
use crate::report::view::PassView;
use crate::state::{BOOT_BOUNDS, ByPlace, Counters, Histogram};

/// How a request for a server ends.
const CREATED: [&str; 4] = ["done", "failed", "refused", "unknown"];

/// How a request to delete one ends.
const DELETED: [&str; 3] = ["done", "failed", "unknown"];

/// What a server does.
const STATES: [&str; 4] = ["booting", "busy", "idle", "off"];

/// Writes them, 0 where nothing happened yet.
pub fn write(writer: &mut Writer, view: &PassView<'_>, places: &Places<'_>) {
    let none = Counters::default();
    let counters = view.state.counters.as_deref().unwrap_or(&none);
    by_place(writer, &list::CREATES, &counters.creates, &CREATED, places);
    by_place(writer, &list::DELETES, &counters.deletes, &DELETED, places);
    let mut builds: BTreeMap<&str, u64> = places.nodes.iter().map(|node| (*node, 0)).collect();
    for (node, count) in &counters.builds {
        *builds.entry(places.of(node)).or_default() += count;
    }
    for (node, count) in builds {
        writer.sample(&list::BUILDS, &[node], count);
    }
    for node in &places.nodes {
        boots(writer, node, counters.boots.get(*node).unwrap_or(&Histogram::default()));
    }
    by_place(writer, &list::SERVER_SECONDS, &counters.server_seconds, &STATES, places);
    requests(writer, view, counters);
}

fn by_place(
    writer: &mut Writer,
    metric: &'static Metric,
    numbers: &ByPlace,
    words: &[&'static str],
    places: &Places<'_>,
) {
    let zeros = places
        .pairs
        .iter()
        .flat_map(|(node, provider)| words.iter().map(|word| (*node, *provider, *word)));
    let mut sums: BTreeMap<(&str, &str, &str), u64> = zeros.map(|key| (key, 0)).collect();
    for (node, providers) in numbers {
        for (provider, words) in providers {
            for (word, number) in words {
                *sums.entry((places.of(node), provider.as_str(), word)).or_default() += number;
            }
        }
    }
    for ((node, provider, word), sum) in sums {
        writer.sample(metric, &[node, provider, word], sum);
    }
}

fn boots(writer: &mut Writer, node: &str, boots: &Histogram) {
    let counts = boots.cumulative();
    let all = counts[BOOT_BOUNDS.len()];
    for (bound, count) in BOOT_BOUNDS.iter().zip(counts) {
        writer.part(&list::BOOT, "_bucket", &[node], Some(&bound.to_string()), count);
    }
    writer.part(&list::BOOT, "_bucket", &[node], Some("+Inf"), all);
    writer.part(&list::BOOT, "_sum", &[node], None, if all == 0 { 0 } else { boots.sum });
    writer.part(&list::BOOT, "_count", &[node], None, all);
}

fn requests(writer: &mut Writer, view: &PassView<'_>, counters: &Counters) {
    let services = view
        .config
        .providers
        .keys()
        .map(ProviderName::as_str)
        .chain(["jenkins"]);
    let mut requests: BTreeMap<&str, u64> = services.map(|service| (service, 0)).collect();
    requests.extend(
        counters
            .requests
            .iter()
            .map(|(service, count)| (service.as_str(), *count)),
    );
    for (service, count) in requests {
        writer.sample(&list::REQUESTS, &[service], count);
    }
}
