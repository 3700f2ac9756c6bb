//! What an operator means by a name or by a selector.
//!
//! A name is of a server, of our id in it, or of a Jenkins node. A selector means all of ours that match, and never what
//! might be another mita's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use crate::config::Config;
use crate::model::{Computer, Observed, ProviderName, TemplateName, template_in_name};
use crate::plan::clock::SIGHTINGS;
use crate::plan::context::Context;
use crate::plan::fleet::agent::Agent;
use crate::plan::fleet::mapping::linked;
use crate::plan::fleet::{Fleet, OrphanNode, adopt};
use crate::state::State;
use crate::text::{excerpt, plural, shown};

/// What an operator means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// What has one of these names.
    Names(Vec<String>),
    /// All of ours that match.
    Selected(Selector),
}

impl Targets {
    /// Returns whether it is a selector, so that the operator did not name what it means.
    pub fn is_selector(&self) -> bool {
        matches!(self, Self::Selected(_))
    }
}

/// All of ours, or those of which everything that is said here holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// The entry of `nodes:`.
    pub template: Option<TemplateName>,
    /// The entry of `provider:`.
    pub provider: Option<ProviderName>,
    /// Whether the template was changed since the server was made.
    pub outdated: bool,
    /// Those that a person saw and agreed to, by name; `None`: nobody was asked.
    pub confirmed: Option<BTreeSet<String>>,
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let template = self.template.as_ref().map(|name| format!("--template {name}"));
        let provider = self.provider.as_ref().map(|name| format!("--provider {name}"));
        let outdated = self.outdated.then(|| "--outdated".to_owned());
        let said: Vec<String> = template.into_iter().chain(provider).chain(outdated).collect();
        f.write_str(if said.is_empty() { "--all" } else { "" })?;
        f.write_str(&said.join(" "))
    }
}

impl Selector {
    fn selects(&self, agent: &Agent<'_>, config: &Config) -> bool {
        self.template.as_ref().is_none_or(|name| *name == agent.template)
            && self.provider.as_ref().is_none_or(|name| name == agent.provider)
            && (!self.outdated || agent.outdated(config))
    }

    /// Whether it selects a Jenkins node without a server.
    fn selects_orphan(&self, orphan: &OrphanNode<'_>) -> bool {
        let of_template = |name: &TemplateName| template_in_name(orphan.computer.name.as_str()) == Some(name.as_str());
        // Nobody knows at which provider its server was, nor of which configuration.
        self.provider.is_none() && !self.outdated && self.template.as_ref().is_none_or(of_template)
    }

    /// Returns whether a person agreed, or nobody was asked.
    pub fn is_confirmed(&self, name: &str) -> bool {
        self.confirmed.as_ref().is_none_or(|names| names.contains(name))
    }
}

/// What an operator means by one word.
pub enum Target<'s, 'a> {
    /// A node of ours.
    Agent(&'s Agent<'a>),
    /// A Jenkins node of ours without a server.
    OrphanNode(&'a Computer),
}

/// Why an orphan node is not taken by a selector.
const ONLY_ITS_NAME: &str =
    "only its name says that it is ours, and it was seen in one pass alone; a later pass removes it, or name it";

/// What is meant, each with its name, or why nothing is meant by that.
pub type Meant<'s, 'a> = Vec<(String, Result<Target<'s, 'a>, String>)>;

/// Finds what an operator means.
pub fn meant<'s, 'a>(targets: &Targets, fleet: &'s Fleet<'a>) -> Meant<'s, 'a> {
    let selector = match targets {
        Targets::Names(names) => {
            return names.iter().map(|name| (name.clone(), target(name, fleet))).collect();
        }
        Targets::Selected(selector) => selector,
    };
    let agents = fleet
        .agents
        .iter()
        .filter(|agent| selector.selects(agent, fleet.config));
    let agents = agents.map(|agent| (agent.name.to_owned(), Ok(Target::Agent(agent))));
    let orphans = fleet.orphans.iter().filter(|orphan| selector.selects_orphan(orphan));
    let orphans = orphans.map(|orphan| {
        let name = orphan.computer.name.to_string();
        // Until a pass would remove it, too, it may be another mita's, which is about to make the server.
        let is_ours = orphan.seen.known || orphan.seen.passes >= SIGHTINGS;
        let target = is_ours.then_some(Target::OrphanNode(orphan.computer));
        (name, target.ok_or_else(|| ONLY_ITS_NAME.to_owned()))
    });
    agents.chain(orphans).collect()
}

/// Says that a selector matches nothing, if so.
pub fn matches_nothing(targets: &Targets, meant: &Meant<'_, '_>) -> Option<String> {
    match targets {
        Targets::Selected(selector) if meant.is_empty() => Some(format!("nothing of ours matches {selector}")),
        _ => None,
    }
}

/// Returns whether a template is known to the fleet though it is configured no more: its servers are ours all the same.
pub fn is_template_of_ours(
    template: &TemplateName,
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
) -> bool {
    let linked = linked(observed, config, state, context.now);
    let mut agents = linked.inventory.agents.iter();
    agents.any(|agent| agent.template == *template)
}

fn target<'s, 'a>(name: &str, fleet: &'s Fleet<'a>) -> Result<Target<'s, 'a>, String> {
    let is_meant = |agent: &&Agent<'_>| {
        agent.name == name
            || agent.id.as_str() == name
            || agent.computer().is_some_and(|computer| computer.name.as_str() == name)
    };
    let target: Vec<&Agent<'_>> = fleet.agents.iter().filter(is_meant).collect();
    if let [agent] = target[..] {
        return Ok(Target::Agent(agent));
    }
    if !target.is_empty() {
        return Err("several servers have this name".to_owned());
    }
    let mut orphans = fleet.orphans.iter();
    if let Some(orphan) = orphans.find(|orphan| orphan.computer.name.as_str() == name) {
        return Ok(Target::OrphanNode(orphan.computer));
    }
    Err(unknown(name, fleet))
}

fn unknown(name: &str, fleet: &Fleet<'_>) -> String {
    let foreign = fleet
        .observed
        .clouds
        .values()
        .filter_map(|cloud| cloud.ok())
        .flat_map(|cloud| &cloud.servers);
    if let Some(server) = foreign.into_iter().find(|server| server.name == name) {
        let mut reason = format!("that server does not have the mark of \"{}\"", fleet.config.owner);
        if let Some(template) = adopt::would_take(server, fleet.config) {
            let _ = write!(reason, "; with adopt: true in \"{template}\" it would be taken over");
        }
        return reason;
    }
    if fleet
        .observed
        .jenkins
        .computers
        .iter()
        .any(|computer| computer.name.as_str() == name)
    {
        return "that Jenkins node is not ours".to_owned();
    }
    "there is no such node of ours".to_owned()
}

/// The most characters that names take in a sentence.
const MOST_NAMED: usize = 300;

/// What is not done, by reason: a selector may mean hundreds.
#[derive(Default)]
pub struct LeftOut(BTreeMap<String, Vec<String>>);

impl LeftOut {
    pub fn add(&mut self, name: &str, reason: String) {
        self.0.entry(reason).or_default().push(format!("\"{}\"", shown(name)));
    }

    /// Says it, a sentence for each reason: `"a" is not removed: REASON`.
    pub fn sentences(self, done: &str) -> Vec<String> {
        let sentence = |(reason, names): (String, Vec<String>)| match &names[..] {
            [name] => format!("{name} is not {done}: {reason}"),
            names => {
                let (nodes, all) = (plural(names.len(), "node"), excerpt(&names.join(", "), MOST_NAMED));
                format!("{nodes} are not {done} ({all}), each since {reason}")
            }
        };
        self.0.into_iter().map(sentence).collect()
    }
}
