//! When a cloud is asked what it offers for the sake of nodes that may have to be replaced, and what is remembered of that.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::config::Template;
use crate::model::{ImageRef, ProviderName, TemplateName};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::remove::refresh::due::offers;
use crate::state::RefreshMemory;

/// A cloud is asked so often whether another image has the name by now.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// A cloud that was asked since a node was to be drained, and can make no other, is not asked for that again for so long.
const CLOSED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Returns what was remembered and still counts, with the clouds that this pass asked.
pub fn memory(fleet: &Fleet<'_>) -> RefreshMemory {
    let (before, now, templates) = (&fleet.state.refresh, fleet.context.now, &fleet.config.templates);
    let looking = templates.iter().filter(|template| template.refresh.outdated);
    let looked = looking.flat_map(|template| &template.placements).filter_map(|place| {
        let provider = &place.provider;
        let asked = offers(fleet, provider).map(|_| now);
        let at = asked.or_else(|| before.looked.get(provider).copied());
        Some((provider.clone(), at?))
    });
    let is_known = |name: &TemplateName| templates.iter().any(|template| template.name == *name);
    let closed = before.closed.iter();
    let closed = closed.filter(|(name, closed)| is_known(name) && is_within(CLOSED_FOR, closed.at, now));
    RefreshMemory {
        looked: looked.collect(),
        closed: closed.map(|(name, closed)| (name.clone(), closed.clone())).collect(),
    }
}

fn is_within(span: SignedDuration, then: Timestamp, now: Timestamp) -> bool {
    then <= now && now.duration_since(then) < span
}

/// Returns the clouds that were not asked for long whether another image has the name of one by now.
pub fn images_unknown(fleet: &Fleet<'_>) -> BTreeSet<ProviderName> {
    let now = fleet.context.now;
    let looks: Vec<bool> = fleet
        .config
        .templates
        .iter()
        .map(|t| looks_for_images(t, now))
        .collect();
    if !looks.contains(&true) {
        return BTreeSet::new();
    }
    let may_differ = |agent: &&Agent<'_>| {
        let is_up = agent.readable && !agent.adopted && matches!(agent.state, AgentState::Up { .. });
        let is_meant = agent.template_index.is_some_and(|template| looks[template]);
        is_up && is_meant && agent.image().is_some() && !agent.outdated(fleet.config)
    };
    let is_late = |provider: &&ProviderName| {
        let looked = fleet.state.refresh.looked.get(*provider);
        offers(fleet, provider).is_none() && !looked.is_some_and(|then| is_within(LOOK_EVERY, *then, now))
    };
    let providers = fleet.agents.iter().filter(may_differ).map(|agent| agent.provider);
    providers.filter(is_late).cloned().collect()
}

/// Whether nodes of a template are replaced at this time where another image has the name. An id leads to the same always.
fn looks_for_images(template: &Template, now: Timestamp) -> bool {
    let refresh = &template.refresh;
    let by_name = !matches!(template.spec.image, ImageRef::Id(_));
    refresh.outdated && by_name && !refresh.budget.is_none() && refresh.is_open(now)
}
