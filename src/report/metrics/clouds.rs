//! The metrics of the services: whether they can be read, what is held back there, and what is left of the quota.

use crate::model::{Headroom, ProblemKind, ProviderName, Reading, problem_key};
use crate::report::metrics::list::{self, Metric};
use crate::report::metrics::pass::is_open;
use crate::report::metrics::writer::Writer;
use crate::report::view::PassView;

/// The most back-offs that are written.
const MOST_BACKOFFS: usize = 100;

/// Bytes of one MiB.
const MIB: u64 = 1 << 20;

/// Writes which services could be read.
pub fn write_up(writer: &mut Writer, view: &PassView<'_>) {
    if let Some(up) = is_jenkins_up(view) {
        writer.sample(&list::JENKINS_UP, &[], u8::from(up));
    }
    for provider in view.config.providers.keys() {
        if let Some(up) = is_up(view, provider) {
            writer.sample(&list::PROVIDER_UP, &[provider.as_str()], u8::from(up));
        }
    }
}

/// Returns whether Jenkins could be read. Where no provider can be, it was read before them.
fn is_jenkins_up(view: &PassView<'_>) -> Option<bool> {
    let is_down = is_open(view.state, &problem_key(ProblemKind::JenkinsUnreadable, ""));
    if view.saw.is_some() || is_down {
        return Some(!is_down);
    }
    let mut providers = view.config.providers.keys();
    providers.any(|provider| was_down(view, provider)).then_some(true)
}

/// Returns whether a provider could be read; `None` where the pass did not come so far.
fn is_up(view: &PassView<'_>, provider: &ProviderName) -> Option<bool> {
    let is_down = was_down(view, provider);
    let Some(saw) = &view.saw else {
        return is_down.then_some(false);
    };
    let reading = saw.observed.clouds.get(provider)?;
    Some(matches!(reading, Reading::Read(_)) && !is_down)
}

/// Returns whether this pass found that a provider cannot be read.
fn was_down(view: &PassView<'_>, provider: &ProviderName) -> bool {
    let key = problem_key(ProblemKind::ProviderUnreadable, provider.as_str());
    let problem = view.state.problems.get(&key);
    problem.is_some_and(|problem| problem.ended.is_none() && problem.seen == view.now)
}

/// Writes what is held back.
pub fn write_backoffs(writer: &mut Writer, view: &PassView<'_>) {
    let mut held: Vec<(&String, i64)> = view
        .state
        .backoffs
        .iter()
        .map(|(key, held)| (key, held.until.as_second()))
        .collect();
    held.sort_by_key(|(key, until)| (std::cmp::Reverse(*until), *key));
    held.truncate(MOST_BACKOFFS);
    held.sort();
    for (key, until) in held {
        writer.sample(&list::BACKOFF_UNTIL, &[key], until);
    }
}

/// Writes what was last read of the quotas. What has no limit has no row.
pub fn write_quota(writer: &mut Writer, view: &PassView<'_>) {
    let left = |room: &Headroom| [room.instances, room.vcpus, room.ram_mb];
    let most = |room: &Headroom| [room.quota.instances, room.quota.vcpus, room.quota.ram_mb];
    amounts(writer, view, &list::QUOTA_HEADROOM, left);
    amounts(writer, view, &list::QUOTA_LIMIT, most);
    for (provider, read) in &view.state.headroom {
        writer.sample(&list::QUOTA_READ, &[provider.as_str()], read.at.as_second());
    }
}

fn amounts(
    writer: &mut Writer,
    view: &PassView<'_>,
    metric: &'static Metric,
    of: impl Fn(&Headroom) -> [Option<u64>; 3],
) {
    for (provider, read) in &view.state.headroom {
        let [instances, cores, ram] = of(&read.value);
        let ram = ram.map(|mib| mib.saturating_mul(MIB));
        for (resource, amount) in [("instances", instances), ("cores", cores), ("ram", ram)] {
            if let Some(amount) = amount {
                writer.sample(metric, &[provider.as_str(), resource], amount);
            }
        }
    }
}
