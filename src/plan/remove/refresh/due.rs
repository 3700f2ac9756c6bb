//! Which nodes are to be replaced, whether or not that is possible now.

use std::cmp::Reverse;

use jiff::SignedDuration;

use crate::config::Template;
use crate::model::{Computer, Offers, ProviderName, Reading};
use crate::plan::action::{Drain, refresh_text};
use crate::plan::create::images;
use crate::plan::fleet::agent::{Agent, AgentState, TemplateIndex};
use crate::plan::fleet::agent_state::given_back;
use crate::plan::fleet::{Fleet, builds};
use crate::text::{shown, span};

/// A node that is to be replaced.
pub struct Due<'u, 'a> {
    pub agent: &'u Agent<'a>,
    /// Its place among the agents.
    pub place: usize,
    pub template: TemplateIndex,
    pub computer: &'a Computer,
    pub cause: Cause,
}

/// Why a node is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is over its `max_lifetime`.
    TooOld(SignedDuration),
    /// Its template was changed since it was made.
    Changed,
    /// New servers of its template are made of another image.
    OtherImage {
        /// The id of its own.
        its: String,
        /// The id of the other.
        now: String,
    },
}

/// Lists the nodes that are to be replaced: by template, those over `max_lifetime` first, each part oldest first.
pub fn due<'u, 'a>(fleet: &'u Fleet<'a>) -> Vec<Due<'u, 'a>> {
    let templates = &fleet.config.templates;
    let is_asked_for = |template: &Template| template.max_lifetime.is_some() || template.refresh.outdated;
    if !templates.iter().any(is_asked_for) {
        return Vec::new();
    }
    let mut due: Vec<Due<'_, '_>> = fleet
        .agents
        .iter()
        .enumerate()
        .filter_map(|(place, agent)| due_of(place, agent, fleet))
        .collect();
    due.sort_by_key(|due| (due.template, due.is_outdated(), Reverse(due.agent.age), due.agent.name));
    due
}

fn due_of<'u, 'a>(place: usize, agent: &'u Agent<'a>, fleet: &Fleet<'_>) -> Option<Due<'u, 'a>> {
    let (index, computer) = (agent.template_index?, agent.computer()?);
    let template = &fleet.config.templates[index];
    let AgentState::Up { idle_since, .. } = agent.state else {
        return None;
    };
    let is_known = agent.readable && !agent.duplicate;
    if !is_known || template.refresh.budget.is_none() || builds::has_all_builds(agent, fleet.config) {
        return None;
    }
    let cause = match template.max_lifetime {
        Some(most) if agent.age > most => {
            // An idle one is removed, and need not be drained.
            let stays = idle_since.is_none() || given_back(agent, fleet.context.now).is_some();
            stays.then_some(Cause::TooOld(most))
        }
        _ => outdated(agent, template, fleet),
    };
    cause.map(|cause| Due {
        agent,
        place,
        template: index,
        computer,
        cause,
    })
}

/// Says why a node is outdated. What another program made was never made of its template.
fn outdated(agent: &Agent<'_>, template: &Template, fleet: &Fleet<'_>) -> Option<Cause> {
    if !template.refresh.outdated || agent.adopted {
        return None;
    }
    if agent.outdated(fleet.config) {
        return Some(Cause::Changed);
    }
    let its = agent.image().filter(|its| !its.is_empty())?;
    let now = current_image(agent, template, fleet)?;
    (its != now).then(|| Cause::OtherImage {
        its: its.to_owned(),
        now: now.to_owned(),
    })
}

/// Returns the image of the next server at a node's provider: as this pass asked, else as it was remembered.
fn current_image<'f>(agent: &Agent<'_>, template: &Template, fleet: &'f Fleet<'_>) -> Option<&'f str> {
    if offers(fleet, agent.provider).is_some_and(|offers| !is_offered(offers, template)) {
        return None;
    }
    images::current(&fleet.state, fleet.config, template, agent.provider, fleet.context.now)
}

/// Returns what a cloud offers, if this pass asked it.
pub fn offers<'f>(fleet: &'f Fleet<'_>, provider: &ProviderName) -> Option<&'f Reading<Offers>> {
    fleet.observed.clouds.get(provider)?.ok()?.offers.as_ref()
}

fn is_offered(offers: &Reading<Offers>, template: &Template) -> bool {
    let offer = offers.ok().and_then(|offers| offers.templates.get(&template.name));
    matches!(offer, Some(Ok(_)))
}

impl Due<'_, '_> {
    /// Returns whether it is outdated, so that `refresh.windows` hold for it.
    pub fn is_outdated(&self) -> bool {
        !matches!(self.cause, Cause::TooOld(_))
    }

    /// Makes the drain. `pace` says how many are drained at a time.
    pub fn drain(&self, pace: &str) -> Drain {
        let (reason, because) = self.words();
        Drain {
            node: self.computer.name.clone(),
            template: Some(self.agent.template.clone()),
            mark: refresh_text(&reason),
            by_monitor: false,
            because: format!("{because}; {pace}"),
        }
    }

    /// Returns what the mark says, and why it is drained.
    fn words(&self) -> (String, String) {
        match &self.cause {
            Cause::TooOld(most) => {
                let (age, most) = (span(self.agent.age), span(*most));
                let because = format!("it is {age} old, over {most} (max_lifetime)");
                (format!("older than {most} (max_lifetime)"), because)
            }
            Cause::Changed => {
                let because = "its template was changed since it was made (refresh.outdated)";
                ("its template was changed".to_owned(), because.to_owned())
            }
            Cause::OtherImage { its, now } => {
                let (its, now) = (shown(its), shown(now));
                let because = format!("it was made of image {its}, new ones are made of {now} (refresh.outdated)");
                ("new ones have another image".to_owned(), because)
            }
        }
    }
}
