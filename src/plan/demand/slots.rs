//! Groups slots that are alike: those that a template promises, and those of online nodes by the labels that they have.
//!
//! Which label requests a group serves is decided here; `grow` and `reap` count its slots.

use std::collections::BTreeMap;

use foldhash::HashMap;

use crate::config::{Config, Template};
use crate::labels::Labels;
use crate::model::Computer;
use crate::plan::demand::drift;
use crate::plan::demand::eligible::{is_served_by, labels_in};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState, Link};
use crate::queue::LabelRequest;
use crate::state::State;

/// All groups of slots.
pub struct SlotGroups {
    /// The groups; the first are those of [`Origin::Template`], in the order of the templates.
    groups: Vec<SlotGroup>,
    /// For each agent its group; `None` where its template is no longer configured.
    of_agent: Vec<Option<usize>>,
}

struct SlotGroup {
    template: usize,
    origin: Origin,
}

/// Where slots come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Servers that boot or are to be made, and online nodes that no label request tells from what the template promises.
    Template,
    /// The server that tries whether the nodes of its template have the promised labels by now.
    Retry {
        /// Whether it may be made now.
        is_due: bool,
    },
    /// Online nodes that some label request tells from what the template promises.
    Node,
}

/// The labels that tell nodes apart: those on which a label request depends, each with a number.
type Known<'w> = HashMap<&'w str, usize>;

/// What a template promises.
struct Promise {
    /// Its labels, those that count.
    labels: Vec<usize>,
    /// The labels that its next node is expected to have, where its last one differed in some that a label request may tell.
    expected: Option<Labels>,
}

impl Promise {
    fn new(template: &Template, known: &Known<'_>, state: &State) -> Self {
        let is_known = |label: &String| known.contains_key(label.as_str());
        let drift = drift::drift_of(state, template);
        let drift = drift.filter(|drift| !drift.lacks.is_empty() || drift.adds.keys().any(is_known));
        Self {
            labels: numbers(template.labels.iter().map(String::as_str), known),
            expected: drift.map(|drift| drift::labels_expected(template, drift)),
        }
    }
}

impl SlotGroups {
    /// Sorts the agents into groups; returns for each label request the groups that serve it, first choice first: by the priority
    /// and the order of the templates, online nodes with labels of their own first.
    pub fn new(fleet: &Fleet<'_>, label_requests: &[LabelRequest]) -> (Self, Vec<Vec<usize>>) {
        let config = fleet.config;
        let mut known = Known::default();
        for label in label_requests.iter().flat_map(labels_in) {
            let next = known.len();
            known.entry(label).or_insert(next);
        }
        let promise = |template: &Template| Promise::new(template, &known, &fleet.state);
        let promises: Vec<Promise> = config.templates.iter().map(promise).collect();
        let mut groups: Vec<SlotGroup> = (0..promises.len()).map(SlotGroup::of_template).collect();
        let mut retries = vec![None; promises.len()];
        for template in (0..promises.len()).filter(|&template| promises[template].expected.is_some()) {
            retries[template] = Some(groups.len());
            let origin = Origin::Retry {
                is_due: may_retry(fleet, &config.templates[template]),
            };
            groups.push(SlotGroup { template, origin });
        }
        let first_own = groups.len();
        let mut own: BTreeMap<(usize, Vec<usize>), usize> = BTreeMap::new();
        let mut group_of = |agent: &Agent<'_>| {
            let template = agent.template_index?;
            if let Some(retry) = retries[template].filter(|_| is_retry(agent, fleet)) {
                return Some(retry);
            }
            let Some(labels) = own_labels(agent, &promises[template], &known) else {
                return Some(template);
            };
            let group = own.entry((template, labels)).or_insert_with(|| {
                let origin = Origin::Node;
                groups.push(SlotGroup { template, origin });
                groups.len() - 1
            });
            Some(*group)
        };
        let of_agent = fleet.agents.iter().map(&mut group_of).collect();
        let mut own: Vec<(usize, Vec<usize>)> = own.into_iter().map(|((_, labels), group)| (group, labels)).collect();
        own.sort_unstable();
        let own = OwnLabels::new(first_own, own, &known);
        let all = Self { groups, of_agent };
        let serving = label_requests
            .iter()
            .map(|label_request| all.serving(label_request, config, &promises, &own, &known));
        let serving = serving.collect();
        (all, serving)
    }

    /// Returns how many groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Returns the template of a group.
    pub fn template(&self, group: usize) -> usize {
        self.groups[group].template
    }

    /// Returns where the slots of a group come from.
    pub fn origin(&self, group: usize) -> &Origin {
        &self.groups[group].origin
    }

    /// Returns the group of a server of a template that is to be made.
    pub fn of_new(&self, template: usize, retry: bool) -> Option<usize> {
        let is_its = |group: &SlotGroup| match group.origin {
            Origin::Template => !retry,
            Origin::Retry { .. } => retry,
            Origin::Node => false,
        };
        let mut groups = self.groups.iter();
        groups.position(|group| group.template == template && is_its(group))
    }

    /// Returns the group of each agent, in the order of the agents.
    pub fn of_agents(&self) -> &[Option<usize>] {
        &self.of_agent
    }

    /// Returns all groups of a template, first choice first.
    pub fn of_template(&self, template: usize, config: &Config) -> Vec<usize> {
        let all = 0..self.groups.len();
        self.sorted(all.filter(|&group| self.template(group) == template).collect(), config)
    }

    fn sorted(&self, mut groups: Vec<usize>, config: &Config) -> Vec<usize> {
        groups.sort_by_key(|&group| {
            let SlotGroup { template, origin } = &self.groups[group];
            let rank = match origin {
                Origin::Node => 0,
                Origin::Template => 1,
                Origin::Retry { .. } => 2,
            };
            (config.templates[*template].priority, *template, rank, group)
        });
        groups
    }

    fn serving(
        &self,
        label_request: &LabelRequest,
        config: &Config,
        promises: &[Promise],
        own: &OwnLabels,
        known: &Known<'_>,
    ) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for (group, SlotGroup { template, origin }) in self.groups[..own.first].iter().enumerate() {
            let template_labels = &config.templates[*template].labels;
            let serves = |labels: &Labels| is_served_by(label_request, &config.templates[*template], labels);
            let expected = promises[*template].expected.as_ref();
            // A label that is merely missing is no promise either: `!huge` gets no server of a template with `huge`.
            let kept = *origin != Origin::Template || expected.is_none_or(serves);
            if kept && serves(template_labels) {
                found.push(group);
            }
        }
        let serves = |group: &usize| {
            let template = &config.templates[self.template(*group)];
            is_served_by(label_request, template, &own.labels[*group - own.first])
        };
        match label_request {
            // Many items may each wait for a node by its name.
            LabelRequest::Label(label) if label.as_atom().is_some() => {
                let number = label.as_atom().and_then(|atom| known.get(atom));
                found.extend(
                    number
                        .into_iter()
                        .flat_map(|&number| &own.having[number])
                        .filter(|group| serves(group)),
                );
            }
            _ => found.extend((own.first..self.groups.len()).filter(serves)),
        }
        self.sorted(found, config)
    }
}

impl SlotGroup {
    fn of_template(template: usize) -> Self {
        Self {
            template,
            origin: Origin::Template,
        }
    }
}

/// The groups of [`Origin::Node`] and their labels.
struct OwnLabels {
    /// The first of the groups.
    first: usize,
    /// For each of them its labels.
    labels: Vec<Labels>,
    /// For each known label the groups that have it.
    having: Vec<Vec<usize>>,
}

impl OwnLabels {
    fn new(first: usize, own: Vec<(usize, Vec<usize>)>, known: &Known<'_>) -> Self {
        let mut words = vec![""; known.len()];
        for (label, number) in known {
            words[*number] = label;
        }
        let mut having = vec![Vec::new(); known.len()];
        let mut labels = Vec::with_capacity(own.len());
        for (group, numbers) in own {
            for number in &numbers {
                having[*number].push(group);
            }
            labels.push(numbers.into_iter().map(|number| words[number].to_owned()).collect());
        }
        Self { first, labels, having }
    }
}

fn numbers<'l>(labels: impl Iterator<Item = &'l str>, known: &Known<'_>) -> Vec<usize> {
    let mut numbers: Vec<usize> = labels.filter_map(|label| known.get(label).copied()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Returns the labels of an agent's node that count, if they differ from what its template promises. The name of a node is a
/// label that it alone has.
fn own_labels(agent: &Agent<'_>, promise: &Promise, known: &Known<'_>) -> Option<Vec<usize>> {
    let computer = node_of_slots(agent)?;
    let name = known.get(computer.name.as_str()).copied();
    let Some(labels) = &computer.labels else {
        // What Jenkins does not tell is taken to be as promised.
        let name = name?;
        let mut labels = promise.labels.clone();
        labels.push(name);
        labels.sort_unstable();
        labels.dedup();
        return Some(labels);
    };
    let own = labels.iter().map(String::as_str).chain([computer.name.as_str()]);
    let own = numbers(own, known);
    (promise.expected.is_some() || own != promise.labels).then_some(own)
}

/// Returns the online node whose executors are the slots of an agent.
fn node_of_slots<'a>(agent: &Agent<'a>) -> Option<&'a Computer> {
    match (&agent.state, &agent.link) {
        (AgentState::Up { .. } | AgentState::Offline { .. }, Link::One(computer)) => Some(computer),
        // Slots that are lent are those of the node that has most of them.
        (AgentState::Ambiguous { slots: 1.. }, Link::Many(nodes)) => {
            let online = nodes.iter().filter(|node| !node.offline);
            online.max_by_key(|node| node.free_executors()).copied()
        }
        _ => None,
    }
}

/// Whether an agent is the server that tries whether the labels are as promised, and boots.
fn is_retry(agent: &Agent<'_>, fleet: &Fleet<'_>) -> bool {
    let drift = fleet.state.drifts.get(&agent.template);
    let retry = drift.and_then(|drift| drift.retry.as_ref());
    agent.state.is_booting() && retry.is_some_and(|retry| retry.node == agent.id)
}

/// Whether a server may be made that tries: once a day, and never two at a time.
fn may_retry(fleet: &Fleet<'_>, template: &Template) -> bool {
    let due = drift::drift_of(&fleet.state, template).is_some_and(|drift| drift::is_due(drift, fleet.context.now));
    due && !fleet
        .agents
        .iter()
        .any(|agent| is_retry(agent, fleet) && agent.template == template.name)
}
