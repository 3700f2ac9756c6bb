//! Items that wait although an executor is idle, and what could not be read: notes, about which nothing is done.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::config::Register;
use crate::model::Observed;
use crate::plan::clock::since;
use crate::plan::demand::eligible::label_request_text;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::rows::Waiting;
use crate::text::{shown, span};

/// An item that waits for so long beside an idle executor is kept from it by something else than a lack of servers.
const IGNORED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Says what could not be read of a reply and was left alone, and whose it was. It does not count as a failure.
pub fn odd(observed: &Observed) -> Vec<String> {
    let jenkins = observed
        .jenkins
        .odd
        .iter()
        .map(|sentence| format!("Jenkins: {sentence}"));
    let clouds = observed.clouds.iter().flat_map(|(name, cloud)| {
        let odd = cloud.ok().map_or(&[][..], |view| &view.odd);
        odd.iter()
            .map(move |sentence| format!("provider \"{name}\": {sentence}"))
    });
    jenkins.chain(clouds).collect()
}

/// Says that no server is removed for want of a node, since the names of some nodes cannot be read.
pub fn nameless(observed: &Observed) -> Option<String> {
    (observed.jenkins.nameless > 0)
        .then(|| "Jenkins lists a node whose name cannot be read: no server is removed for want of a node".to_owned())
}

/// Says which of the items that an idle executor can take are still waiting after a while: no server helps them.
pub fn ignored(fleet: &mut Fleet<'_>, demand: &Demand<'_>, ready: &[Waiting]) -> Vec<String> {
    let now = fleet.context.now;
    let mut begun = BTreeMap::new();
    let mut notes = Vec::new();
    let mut lookup = None;
    for row in ready {
        let key = row.label.clone().unwrap_or_default();
        let then = fleet
            .state
            .ignored
            .get(&key)
            .copied()
            .filter(|then| *then <= now)
            .unwrap_or(now);
        begun.insert(key, then);
        let lasts = [now.duration_since(then), SignedDuration::from_secs(row.oldest_seconds)];
        if lasts.into_iter().any(|span| span < IGNORED_AFTER) {
            continue;
        }
        let lookup = lookup.get_or_insert_with(|| IdleNodes::new(fleet, demand));
        if let Some((agent, idle)) = lookup.longest(row).filter(|(_, idle)| *idle >= IGNORED_AFTER) {
            notes.push(sentence(row, agent, idle, fleet));
        }
    }
    fleet.state.ignored = begun;
    notes
}

/// The idle nodes that would serve the rows of waiting items.
struct IdleNodes<'s, 'a> {
    /// For each label, as rows show it, the groups of slots that serve it.
    serving: BTreeMap<Option<String>, BTreeSet<usize>>,
    /// For each group the node that has been idle for longest.
    longest: BTreeMap<usize, (&'s Agent<'a>, SignedDuration)>,
}

impl<'s, 'a> IdleNodes<'s, 'a> {
    fn new(fleet: &'s Fleet<'a>, demand: &Demand<'_>) -> Self {
        let mut serving: BTreeMap<Option<String>, BTreeSet<usize>> = BTreeMap::new();
        for (label_request, class) in demand.label_requests.iter().zip(&demand.class_of) {
            if let Some(class) = *class {
                let label = label_request_text(label_request).map(|label| shown(&label));
                serving.entry(label).or_default().extend(&demand.classes[class]);
            }
        }
        let mut longest: BTreeMap<usize, (&Agent<'_>, SignedDuration)> = BTreeMap::new();
        for (agent, group) in fleet.agents.iter().zip(demand.slots.of_agents()) {
            let AgentState::Up {
                idle_since: Some(then),
                limit_reached: None,
                ..
            } = agent.state
            else {
                continue;
            };
            let idle = since(fleet.context.now, then);
            if let Some(group) = *group
                && longest.get(&group).is_none_or(|(_, other)| *other < idle)
            {
                longest.insert(group, (agent, idle));
            }
        }
        Self { serving, longest }
    }

    /// Returns the node that would serve a row and has been idle for longest; of several the first by name.
    fn longest(&self, row: &Waiting) -> Option<(&'s Agent<'a>, SignedDuration)> {
        let groups = self.serving.get(&row.label)?.iter();
        let nodes = groups.filter_map(|group| self.longest.get(group).copied());
        let of_template = nodes.filter(|(agent, _)| row.served_by.as_ref() == Some(&agent.template));
        of_template.max_by_key(|(agent, idle)| (*idle, std::cmp::Reverse(agent.name)))
    }
}

fn sentence(row: &Waiting, agent: &Agent<'_>, idle: SignedDuration, fleet: &Fleet<'_>) -> String {
    let node = agent.computer().map_or(agent.name, |computer| computer.name.as_str());
    let age = SignedDuration::from_secs(row.oldest_seconds);
    let what = match &row.label {
        Some(label) => format!("for {label}"),
        None => "for any node".to_owned(),
    };
    let by_hand = agent
        .template(fleet.config)
        .is_none_or(|template| template.register == Register::Own);
    let exclusive = if row.label.is_none() && by_hand {
        ", or its mode is exclusive"
    } else {
        ""
    };
    format!(
        "queue item {} ({}) has waited {} {what} although node \"{}\", idle for {}, should take it: Jenkins keeps it from \
         running there (a throttle, a node property, a permission{exclusive}); no server would help, none is made",
        row.example.item,
        row.example.task,
        span(age),
        shown(node),
        span(idle),
    )
}
