//! Replaces nodes that are too old or outdated though they are never idle: they are drained, and go once their builds ended.
//!
//! Others are made in their place as for any item or warm pool. How many may be drained at a time is `refresh.budget` of
//! their template; the mark on a node says what it is drained for, so that losing the memory drains no more of them.

pub mod due;
pub mod hold;
mod look;
mod serving;

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;

use crate::config::Template;
use crate::model::{Computer, ProviderName};
use crate::plan::action::{Create, Drain};
use crate::plan::create::capacity::Capacity;
use crate::plan::create::closed::Cause as ClosedCause;
use crate::plan::create::turns::Granted;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, TemplateIndex};
use crate::plan::fleet::agent_state::given_back;
use crate::plan::refusals;
use crate::state::{Cached, RefreshMemory};
use crate::text::plural;
use due::{Cause, Due, offers};
use hold::{Hold, sentence};
use serving::Serving;

/// What is drained, and what must be known for it.
#[derive(Default)]
pub struct Refresh {
    /// The nodes that are drained.
    pub drains: Vec<Drain>,
    /// How many wait to be replaced, and why.
    pub notes: Vec<String>,
    /// The clouds that must be asked what they offer.
    pub offers_wanted: BTreeSet<ProviderName>,
    /// What is remembered.
    pub memory: RefreshMemory,
}

/// Nodes that are not asked about any more, by name.
pub struct Settled<'n> {
    /// Those that queue items name: a pipeline that goes on there has not ended.
    pub named: &'n HashSet<&'n str>,
    /// Those that this plan removes or drains anyway.
    pub goes: &'n HashSet<&'n str>,
}

/// Decides which of the nodes that are to be replaced are drained now. `creates`: the servers that this plan makes.
pub fn refresh(
    fleet: &Fleet<'_>,
    due: &[Due<'_, '_>],
    demand: &Demand<'_>,
    creates: &[Create],
    settled: &Settled<'_>,
) -> Refresh {
    let mut refresh = Refresh {
        memory: look::memory(fleet),
        ..Refresh::default()
    };
    if fleet.restart || refusals::refuses_removals(fleet) {
        return refresh;
    }
    refresh.offers_wanted = look::images_unknown(fleet);
    if due.is_empty() {
        return refresh;
    }
    let mut drainer = Drainer {
        fleet,
        demand,
        settled,
        capacity: Capacity::new(fleet, Granted::new()).for_later(creates),
        serving: Serving::new(fleet, demand, settled.goes),
        refresh,
    };
    for due in due.chunk_by(|a, b| a.template == b.template) {
        drainer.of_template(due);
    }
    drainer.refresh
}

/// Drains the nodes of one template after the other.
struct Drainer<'s, 'a, 'd> {
    fleet: &'s Fleet<'a>,
    demand: &'d Demand<'d>,
    settled: &'s Settled<'s>,
    capacity: Capacity<'s, 'a>,
    serving: Serving<'d>,
    refresh: Refresh,
}

impl Drainer<'_, '_, '_> {
    /// Drains as many nodes of a template as may be now, and says how many are left and why.
    fn of_template(&mut self, due: &[Due<'_, '_>]) {
        let Some(first) = due.first() else { return };
        let template = &self.fleet.config.templates[first.template];
        let (count, replaced) = nodes_of(first.template, self.fleet);
        let most = template.refresh.budget.of(count);
        let mut left = most.saturating_sub(replaced);
        let pace = format!("{most} of {} at a time (refresh.budget)", plural(count, "node"));
        let stays = |due: &&Due<'_, '_>| !self.settled.goes.contains(due.computer.name.as_str());
        let due: Vec<&Due<'_, '_>> = due.iter().filter(stays).collect();
        let is_free = |due: &&Due<'_, '_>| self.own_hold(due, template).is_none();
        let asks = left > 0 && due.iter().any(is_free);
        let closed = if asks {
            self.closed(first.template, template)
        } else {
            None
        };
        let mut waiting: BTreeMap<Hold, u32> = BTreeMap::new();
        for due in due {
            let own = self.own_hold(due, template);
            let own = own.or((left == 0).then_some(Hold::Budget { most }));
            let reason = own.or_else(|| closed.clone()).or_else(|| self.needed(due));
            if let Some(reason) = reason {
                *waiting.entry(reason).or_default() += 1;
            } else {
                left -= 1;
                self.drain(due, &pace);
            }
        }
        let sentences = waiting.iter().map(|(hold, number)| sentence(template, hold, *number));
        self.refresh.notes.extend(sentences);
    }

    /// Returns what keeps a node from being drained whatever becomes of the others.
    fn own_hold(&self, due: &Due<'_, '_>, template: &Template) -> Option<Hold> {
        let now = self.fleet.context.now;
        if self.fleet.config.limits.max_deletes_per_pass == 0 {
            Some(Hold::NothingGoes)
        } else if given_back(due.agent, now).is_some() {
            Some(Hold::GivenBack)
        } else if due.is_outdated() && !template.refresh.is_open(now) {
            Some(Hold::Window)
        } else {
            None
        }
    }

    /// Returns whether another server of a template could be made, and why not. A cloud that was not asked yet is to be.
    fn closed(&mut self, index: TemplateIndex, template: &Template) -> Option<Hold> {
        let name = &template.name;
        let mut places = template.placements.iter();
        let is_asked = places.any(|place| offers(self.fleet, &place.provider).is_some());
        let known = self.refresh.memory.closed.get(name).filter(|_| !is_asked);
        if let Some(known) = known {
            return Some(Hold::Closed(known.value.clone()));
        }
        match self.capacity.first_open(index) {
            Ok(place) => {
                self.refresh.memory.closed.remove(name);
                self.want_offers(&place.provider);
                None
            }
            Err(closed) => {
                if is_asked && closed.causes.iter().any(is_the_clouds) {
                    let closed = Cached {
                        at: self.fleet.context.now,
                        value: closed.text.clone(),
                    };
                    self.refresh.memory.closed.insert(name.clone(), closed);
                }
                Some(Hold::Closed(closed.text))
            }
        }
    }

    fn want_offers(&mut self, provider: &ProviderName) {
        if offers(self.fleet, provider).is_none() {
            self.refresh.offers_wanted.insert(provider.clone());
        }
    }

    /// Returns whether waiting items need a node; if not it counts as gone.
    fn needed(&mut self, due: &Due<'_, '_>) -> Option<Hold> {
        if self.settled.named.contains(due.computer.name.as_str()) {
            return Some(Hold::LastToServe);
        }
        let group = self.demand.slots.of_agents()[due.place]?;
        // The executors of one that is too old count no more, so that others are made for the items already.
        if due.is_outdated() && due.computer.free_executors() > 0 && self.serving.is_waited_for(group) {
            return Some(Hold::ItemsFirst);
        }
        (!self.serving.spares(group)).then_some(Hold::LastToServe)
    }

    fn drain(&mut self, due: &Due<'_, '_>, pace: &str) {
        // Which image new ones have may have changed since the cloud was asked last.
        if matches!(due.cause, Cause::OtherImage { .. }) {
            self.want_offers(due.agent.provider);
        }
        self.refresh.drains.push(due.drain(pace));
    }
}

/// Returns how many nodes of a template are in Jenkins, and how many of them are drained since they are replaced.
fn nodes_of(index: TemplateIndex, fleet: &Fleet<'_>) -> (u32, u32) {
    let agents = fleet.agents.iter().filter(|agent| agent.template_index == Some(index));
    let is_refreshed = |agent: &Agent<'_>| agent.link.all().any(Computer::is_refreshed);
    agents.fold((0, 0), |(nodes, drained), agent| {
        let is_node = agent.joined.is_some() && agent.link.all().next().is_some();
        (nodes + u32::from(is_node), drained + u32::from(is_refreshed(agent)))
    })
}

/// Whether only asking a cloud tells that it holds a server back.
fn is_the_clouds(cause: &ClosedCause) -> bool {
    matches!(
        cause,
        ClosedCause::Quota(_) | ClosedCause::NotOffered(_) | ClosedCause::Unreadable(_)
    )
}
