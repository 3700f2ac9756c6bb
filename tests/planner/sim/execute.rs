//! Doing what a plan says in a simulated world, as the real executor does, with what goes wrong there.

use mita::model::{NodeName, Observed};
use mita::plan::backoff::begin;
use mita::plan::events::server::{created, removed};
use mita::plan::{Create, FoundAgent, Plan, Removal, ServerToRemove, agent_of};
use mita::state::{Phase, State};

use super::Sim;
use super::charge::{Failure, held};
use super::configs::Refusal;
use super::jenkins::PERSON;
use crate::facts;

impl Sim {
    /// Does what a plan says; returns whether it came to its end with nothing refused.
    pub(super) fn execute(&mut self, plan: &Plan, observed: &Observed) -> Result<bool, String> {
        let mut state = plan.state.clone();
        let mut whole = true;
        for unmark in &plan.unmarks {
            if let Some(node) = self.node_mut(&unmark.node) {
                node.mark = None;
            }
        }
        for drain in &plan.drains {
            if let Some(node) = self.node_mut(&drain.node) {
                node.mark = Some((drain.mark.clone(), PERSON.to_owned()));
            }
        }
        for removal in &plan.removals {
            if self.random.chance(self.faults.crash) {
                return Ok(false);
            }
            whole &= self.remove(&mut state, removal, observed)?;
        }
        if !self.upkeep(&plan.sweeps, &plan.floating_ips) {
            return Ok(false);
        }
        let mut begun = Vec::new();
        for create in &plan.creates {
            if held(&state, create, self.now) {
                whole = false;
                continue;
            }
            self.begin(&mut state, create);
            begun.push(create);
        }
        // One write has the intents of all: a crash leaves some of servers that were never asked for.
        if !begun.is_empty() {
            self.state = state.clone();
        }
        for create in begun {
            if self.random.chance(self.faults.crash) {
                return Ok(false);
            }
            if held(&state, create, self.now) {
                state.drop_intent(&create.id);
                whole = false;
                continue;
            }
            whole &= self.post(&mut state, create)?;
            if self.random.chance(self.faults.crash) {
                return Ok(false);
            }
        }
        self.state = state;
        Ok(whole)
    }

    fn begin(&self, state: &mut State, create: &Create) {
        let template = self
            .config
            .templates
            .iter()
            .find(|t| t.name == create.template)
            .expect("a known template");
        let intent = facts::intent(create, template.digest.clone(), self.now);
        state.intents.insert(create.id.clone(), intent);
        begin(state, &create.template, &create.provider, create.zone.as_ref());
        if create.retry {
            state.begin_retry(&create.template, &create.id, self.now);
        }
    }

    fn post(&mut self, state: &mut State, create: &Create) -> Result<bool, String> {
        if !self.posted.insert(create.id.clone()) {
            return Err(format!("I3: {} is asked for twice", create.id));
        }
        let used = self
            .machines
            .iter()
            .filter(|machine| machine.provider == create.provider)
            .count();
        let bad = self.faults.bad_image && create.template == self.config.templates[0].name;
        let lies = self.random.chance(self.faults.lie);
        let failure = match self.refuses(create) {
            _ if bad => Some(Failure::Refused("image")),
            Some(Refusal::Capacity) => Some(Failure::Refused("No valid host was found")),
            Some(Refusal::Quota) => Some(Failure::Refused("Quota exceeded for cores")),
            Some(Refusal::ServerError) => Some(Failure::Unknown),
            _ if used >= self.quota[&create.provider] => Some(Failure::Full),
            _ if lies => Some(Failure::Unknown),
            _ => None,
        };
        let made = match failure {
            None => true,
            Some(Failure::Unknown) => lies && self.refuses(create).is_none() && self.random.chance(50),
            Some(_) => false,
        };
        let id = made.then(|| self.boot(create));
        let Some(failure) = failure else {
            if let Some(id) = &id {
                state.note(created(create, id, self.now, &self.context().pass));
            }
            if let Some(intent) = state.intents.get_mut(&create.id) {
                intent.server_id = id;
            }
            return Ok(true);
        };
        if failure != Failure::Unknown || self.faults.forget_unknown {
            state.drop_intent(&create.id);
        }
        self.charge(state, create, failure);
        Ok(false)
    }

    /// Removes in the safe order; work that came in the meantime wins, and so does a person.
    fn remove(&mut self, state: &mut State, removal: &Removal, observed: &Observed) -> Result<bool, String> {
        if let Some(target) = &removal.node {
            self.schedule(30);
            self.cut_in_between(&target.name);
            let crash = self.random.chance(self.faults.crash);
            let pass = self.context().pass;
            let blind = self.faults.blind_to_cuts;
            let Some(node) = self.node_mut(&target.name) else {
                return Ok(false);
            };
            if node.is_busy() || node.is_persons() && !blind {
                return Ok(false);
            }
            if node.is_persons() {
                return Err(format!("I1: {} is a person's and is removed by now", target.name));
            }
            node.mark = Some((mita::plan::mark_text(&pass), PERSON.to_owned()));
            if crash {
                return Ok(false);
            }
            self.delete_node(&target.name);
            if let Some(server) = &removal.server {
                leaves(state, server);
            }
        }
        if self.random.chance(self.faults.crash) {
            return Ok(false);
        }
        if !self.upkeep(&removal.floating_ips, &[]) {
            return Ok(false);
        }
        let Some(target) = &removal.server else {
            return Ok(true);
        };
        let joined = removal.node.is_none() && self.join_in_between(&target.id);
        let found = target.look_first.then(|| self.joined_by_now(state, target, observed));
        if let Some(found) = found.flatten() {
            found.remember(state, &target.node_id);
            return Ok(false);
        }
        let works = target.look_first && self.works_by_name(state, target);
        if works && !self.faults.asks_no_name {
            return Ok(false);
        }
        if works {
            return Err(format!(
                "I1: the node of {} works, though the list lacks it",
                target.name
            ));
        }
        if joined {
            return Err(format!("I1: the agent of {} joined by now, and works", target.name));
        }
        if self.random.chance(self.faults.gateway) {
            // A page of the gateway is no answer of the cloud.
            self.was_asked(state, target, false);
            return Ok(false);
        }
        if self.begin_delete(&target.id) {
            self.removed += 1;
        }
        let memory = state.nodes.get(&target.node_id);
        if memory.is_none_or(|memory| !memory.deleted) {
            state.note(removed(target, memory, observed, self.now, &self.context().pass));
        }
        leaves(state, target);
        self.was_asked(state, target, true);
        Ok(true)
    }

    /// Looks once more for the agent of a server that had none when Jenkins was read, by the link.
    fn joined_by_now(&mut self, state: &State, target: &ServerToRemove, observed: &Observed) -> Option<FoundAgent> {
        let mut now = observed.clone();
        now.jenkins.computers = self.jenkins().computers;
        let context = self.context();
        agent_of(&now, &self.config, state, &context, &target.provider, &target.id)
    }

    /// Asks for a server's node by the names that it may have.
    fn works_by_name(&self, state: &State, target: &ServerToRemove) -> bool {
        let known = state.nodes.get(&target.node_id);
        let known = known.and_then(|memory| memory.jenkins_node.as_ref());
        let mut nodes = self.machines.iter().filter_map(|machine| machine.node.as_ref());
        nodes.any(|node| {
            let named = node.name.as_str() == target.name || known == Some(&node.name);
            named && node.is_there() && (node.is_online() || node.is_busy() || node.is_persons())
        })
    }

    /// Remembers that the cloud was asked to delete a server, and whether it accepted.
    fn was_asked(&self, state: &mut State, server: &ServerToRemove, accepted: bool) {
        if let Some(memory) = state.nodes.get_mut(&server.node_id) {
            memory.deleting_since.get_or_insert(self.now);
            memory.deleted |= accepted;
            memory.delete_failed = !accepted;
        }
    }

    fn delete_node(&mut self, name: &NodeName) {
        self.orphans.retain(|orphan| orphan.name != *name);
        for machine in &mut self.machines {
            if machine.node.as_ref().is_some_and(|node| node.name == *name) {
                machine.node = None;
            }
        }
    }
}

/// Remembers that a server was begun to be removed.
fn leaves(state: &mut State, server: &ServerToRemove) {
    if let Some(memory) = state.nodes.get_mut(&server.node_id) {
        memory.phase = Phase::Deleting;
    }
}
