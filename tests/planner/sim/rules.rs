//! What must hold in every pass, checked against the true world. A rule that is broken is named in the message:
//!
//! - I1: no busy node goes, nor its server, whatever the lists show; nor what a person took offline, by a mark or by a
//!   disconnect; nor a server that looks absent while a node at its address is online or busy
//! - I2: no maximum is passed, counted over the servers that are alive, not over those that are listed
//! - I3: no server is asked for twice
//! - I4, I6: no more creates than a pass may make, or than are wanted
//! - I5, I7: a second pass on the same world makes nothing, least of all what was just removed
//! - I8: nothing is done at a closed cloud
//! - I9: nothing foreign is touched: servers of other owners and controllers, nodes of other networks
//! - I10: the order of the lists changes nothing
//! - I11: nothing is made where it is held back, and one probe where that is over
//! - I12: of the items of one label the youngest are left out
//! - I13: `max_builds` and canary hold
//! - I15, I16: no floating IP is swept that is in use or foreign, and none is left behind
//! - I17: no node goes for want of a server that runs
//! - I18: no server that joined goes for want of a node that was there less than `offline_grace` ago
//! - I19: an item that a template can serve at a placement is served within some passes, whatever others do there
//! - I20: a DELETE is repeated in each pass while the list shows the server
//! - I21: once the faults end, all that can be served is served, and nothing is left but the warm pools
//! - I22: the events tell of each server that the memory knows, once: created, joined, and removed or lost (`events`)
//! - I23: for late boots no more servers are made than they have executors, and none for one that has joined
//! - I24: no more nodes go as too many than were idle at every pass of the last `idle_grace`, less those that went since
//!   (`spare`)
//! - I25: where a period is paid an idle node goes when it ends, else when it was idle for `idle_grace` (`spare`)
//! - I26: no more nodes are replaced at a time than may be, none while no other can be made, and not the last that serves what
//!   waits (`replaced`)
//! - I27: a learned spare is at most a quarter of the maximum, or one, and none is left two hours after the last load

use std::collections::{BTreeMap, BTreeSet};

use mita::config::{MinReady, Template};
use mita::labels::Label;
use mita::model::{NodeName, Observed, ProviderName, QueueItem, Reading, ServerStatus, TaskLabel, TemplateName};
use mita::plan::{Context, Plan, Removal, ServerToRemove};
use mita::state::Phase;

use super::charge::keys;
use super::cloud::{Machine, Maker};
use super::jenkins::Node;
use super::names::{Tie, stands_in};
use super::replaced::is_replaced;
use super::{Planner, Sim, mins};

impl Sim {
    /// What no plan may do, seen from the true world.
    pub(super) fn check(&self, plan: &Plan, observed: &Observed) -> Result<(), String> {
        let limits = &self.config.limits;
        if plan.creates.len() > limits.max_creates_per_pass as usize {
            return Err("I4: more creates than a pass may make".to_owned());
        }
        if plan.removals.len() > limits.max_deletes_per_pass as usize {
            return Err("more removals than a pass may make".to_owned());
        }
        let warm: u32 = self.config.templates.iter().map(|t| most_ready(t) * t.executors).sum();
        if plan.creates.len() > self.queue.len() + warm as usize {
            return Err("I6: more creates than are wanted".to_owned());
        }
        for removal in &plan.removals {
            self.check_removal(removal, observed)?;
        }
        for create in &plan.creates {
            if observed.clouds[&create.provider].ok().is_none() {
                return Err("I8: a create at a closed cloud".to_owned());
            }
        }
        self.check_spares(plan)?;
        self.check_repeats(plan, observed)?;
        self.check_backoffs(plan)?;
        self.check_images(plan)?;
        self.check_order(plan)
    }

    /// I27: what is learned is bounded. That nothing is left without load is I21.
    fn check_spares(&self, plan: &Plan) -> Result<(), String> {
        for (row, template) in plan.templates.iter().zip(&self.config.templates) {
            let spare = row.spare.as_ref().map_or(0, |spare| spare.nodes);
            if spare > (template.max / 4).max(1) {
                return Err(format!(
                    "I27: a spare of {spare} for {} of at most {}",
                    row.node, template.max
                ));
            }
        }
        let memories = plan
            .state
            .loads
            .values()
            .map(|memory| serde_json::to_string(memory).unwrap());
        memories
            .map(|text| text.len())
            .find(|length| *length > 2048)
            .map_or(Ok(()), |length| {
                Err(format!("I27: a memory of the load of {length} bytes"))
            })
    }

    /// The nodes that had all the builds that they may have.
    pub(super) fn full(&self) -> Vec<NodeName> {
        let most = |machine: &Machine| {
            let mut templates = self.config.templates.iter();
            templates
                .find(|t| t.name == machine.template)
                .and_then(|t| t.max_builds)
        };
        let full = self.machines.iter().filter_map(|machine| {
            let node = machine.node.as_ref()?;
            most(machine)
                .filter(|most| machine.is_ours() && node.taken >= *most)
                .map(|_| node.name.clone())
        });
        full.collect()
    }

    /// I13: only nodes that had all their builds are drained, or are replaced (I26), and no person's.
    pub(super) fn check_drains(&self, plan: &Plan) -> Result<(), String> {
        let full = self.full();
        for drain in &plan.drains {
            let mut nodes = self.machines.iter().filter_map(|machine| machine.node.as_ref());
            let node = nodes.find(|node| node.name == drain.node);
            if node.is_none_or(Node::is_persons) {
                return Err(format!("I13: {} is a person's and is drained", drain.node));
            }
            if !is_replaced(drain) && !full.contains(&drain.node) {
                return Err(format!("I13: {} is drained before it had all its builds", drain.node));
            }
        }
        Ok(())
    }

    fn check_removal(&self, removal: &Removal, observed: &Observed) -> Result<(), String> {
        if let Some(target) = &removal.server {
            self.check_server(target, removal, observed)?;
        }
        let Some(target) = &removal.node else { return Ok(()) };
        if self.strangers.iter().any(|stranger| stranger.name == target.name) {
            return Err(format!("I9: {} is a stranger's and is removed", target.name));
        }
        let has = |machine: &&Machine| machine.node.as_ref().is_some_and(|node| node.name == target.name);
        let machine = self.machines.iter().find(has);
        if let Some(machine) = machine {
            if !machine.is_ours() {
                return Err(format!("I9: {} is another owner's and is removed", target.name));
            }
            if removal.server.is_none() && machine.maker == Maker::Us && machine.gone_at.is_none() {
                return Err(format!("I17: {} goes for want of a server, which runs", target.name));
            }
        }
        let orphan = self.orphans.iter().find(|orphan| orphan.name == target.name);
        let node = machine.and_then(|machine| machine.node.as_ref()).or(orphan);
        node.map_or(Ok(()), |node| untouched(node, removal))
    }

    fn check_server(&self, target: &ServerToRemove, removal: &Removal, observed: &Observed) -> Result<(), String> {
        let Some(cloud) = observed.clouds[&target.provider].ok() else {
            return Err("I8: a removal at a closed cloud".to_owned());
        };
        let machine = self.machines.iter().find(|machine| machine.server.id == target.id);
        let may_go = |machine: &&Machine| match machine.maker {
            Maker::Us | Maker::Original => true,
            Maker::Person => machine.joined,
            Maker::OtherOwner => false,
            // They count, and what failed goes whoever made it.
            Maker::OtherController => machine.is_dead(),
        };
        let Some(machine) = machine.filter(may_go) else {
            return Err(format!("I9: {} is not ours: {}", target.name, removal.why));
        };
        let listed = cloud.servers.iter().find(|server| server.id == target.id);
        let listed = listed.unwrap_or(&machine.server);
        let failed = listed.status == ServerStatus::Error;
        // A second DELETE takes nothing away.
        if machine.deletes > 0 {
            return Ok(());
        }
        if let Some(node) = machine.node.as_ref().filter(|node| node.is_listed()) {
            match self.tie(machine, node, listed) {
                Tie::Linked => untouched(node, removal)?,
                Tie::Holds if !failed => untouched(node, removal)?,
                Tie::Holds | Tie::None => {}
            }
        }
        if machine.node.as_ref().is_some_and(|node| !node.is_listed())
            && let Some(last) = machine.seen.listed.filter(|_| machine.seen.up)
            && !failed
            && self.now.duration_since(last) < self.config.timing.offline_grace
        {
            let (name, because) = (&target.name, &removal.why);
            return Err(format!(
                "I18: {name} goes, whose node was there a moment ago: {because}"
            ));
        }
        let stands_there = |stranger: &&Node| {
            let there = listed
                .addresses
                .iter()
                .any(|at| stands_in(stranger.name.as_str(), at.ip));
            there && (stranger.is_online() || stranger.is_busy())
        };
        let memory = self.state.nodes.get(&machine.id);
        // Where its node was removed, it is no accident that there is none.
        let begun = memory.is_some_and(|memory| memory.phase == Phase::Deleting);
        let absent = removal.node.is_none() && !failed && !begun;
        match self.strangers.iter().find(stands_there).filter(|_| absent) {
            Some(node) => Err(format!(
                "I1: {} looks absent and goes, while {} stands at its address: {}",
                target.name, node.name, removal.why
            )),
            None => Ok(()),
        }
    }

    /// I20: what is to be deleted and is still listed is deleted again.
    fn check_repeats(&self, plan: &Plan, observed: &Observed) -> Result<(), String> {
        if plan.removals.len() >= self.config.limits.max_deletes_per_pass as usize {
            return Ok(());
        }
        let goes = |machine: &Machine| {
            let mut targets = plan.removals.iter().filter_map(|removal| removal.server.as_ref());
            targets.any(|target| target.id == machine.server.id)
        };
        let is_listed = |machine: &Machine| {
            let cloud = observed.clouds[&machine.provider].ok();
            cloud.is_some_and(|cloud| cloud.servers.iter().any(|server| server.id == machine.server.id))
        };
        let left = |machine: &&Machine| machine.seen.asked && is_listed(machine) && !goes(machine);
        // An ordinary DELETE that takes a minute may be repeated or not.
        let mut stuck = self.machines.iter().filter(|machine| machine.stuck > 0);
        match stuck.find(left) {
            Some(machine) => Err(format!(
                "I20: {} is listed, and no DELETE is repeated",
                machine.server.name
            )),
            None => Ok(()),
        }
    }

    /// I11: nothing where it is held back, and one probe where that is over.
    fn check_backoffs(&self, plan: &Plan) -> Result<(), String> {
        for (key, backoff) in &plan.state.backoffs {
            let under = |create: &&mita::plan::Create| keys(create).iter().any(|k| k.to_string() == *key);
            let count = plan.creates.iter().filter(under).count();
            if count > usize::from(self.now >= backoff.until) {
                return Err(format!("I11: {count} creates under {key}, which is held back"));
            }
        }
        Ok(())
    }

    /// I23: what a plan makes that it would not make if no boot were late; returns how many are.
    pub(super) fn check_late(
        &self,
        plan: &Plan,
        observed: &Observed,
        context: &Context,
        planner: &Planner,
    ) -> Result<usize, String> {
        let is_late = |why: &str| why.starts_with("late: ");
        let late = plan
            .servers
            .iter()
            .filter(|row| row.why.as_deref().is_some_and(is_late));
        let late: Vec<_> = late.collect();
        let executors = |name: &TemplateName| self.config.template(name.as_str()).map_or(0, |t| t.executors as usize);
        let slots: usize = late.iter().map(|row| executors(&row.node)).sum();
        if let Some(row) = late.iter().find(|row| row.phase != Phase::Booting) {
            return Err(format!("I23: {} has joined and is late", row.name));
        }
        if late.is_empty() {
            return Ok(0);
        }
        let mut config = self.config.clone();
        config.rules.late_boots = false;
        let without = planner(observed, &config, &self.state, context);
        if plan.creates.len() > without.creates.len() + slots {
            return Err(format!(
                "I23: {} are made, {} without the late ones, which have {slots} executors",
                plan.creates.len(),
                without.creates.len()
            ));
        }
        Ok(late.len())
    }

    /// I13: few servers of an image that nobody has seen join, where others did.
    fn check_images(&self, plan: &Plan) -> Result<(), String> {
        let canary = self.config.limits.canary as usize;
        let mut made: BTreeMap<(TemplateName, ProviderName, String), usize> = BTreeMap::new();
        for create in &plan.creates {
            if let Some(offer) = &create.offer {
                let key = (create.template.clone(), create.provider.clone(), offer.image.clone());
                *made.entry(key).or_default() += 1;
            }
        }
        for (key, made) in made {
            let (template, provider, image) = &key;
            let memory = plan.state.images.get(template).and_then(|places| places.get(provider));
            let others = memory.is_some_and(|memory| !memory.joined.is_empty());
            let known = |create: &Machine| {
                plan.state.nodes.contains_key(&create.id) || plan.state.intents.contains_key(&create.id)
            };
            let boots = |machine: &&Machine| {
                let late = self.now.duration_since(machine.created) > mins(15);
                (&machine.template, &machine.provider, &machine.image) == (template, provider, image)
                    && machine.node.is_none()
                    && !machine.is_dead()
                    && !late
                    && known(machine)
            };
            let booting = self.machines.iter().filter(boots).count();
            if canary > 0 && others && !self.joined.contains(&key) && booting + made > canary {
                return Err(format!(
                    "I13: {booting} and {made} servers of image {image} of {template}"
                ));
            }
        }
        Ok(())
    }

    /// I10: the order of the lists changes nothing.
    pub(super) fn same_for_any_order(
        &mut self,
        plan: &Plan,
        observed: &Observed,
        context: &Context,
        planner: &Planner,
    ) -> Result<(), String> {
        if self.passes % 16 != 1 {
            return Ok(());
        }
        let mut other = observed.clone();
        self.random.shuffle(&mut other.jenkins.queue);
        self.random.shuffle(&mut other.jenkins.computers);
        for cloud in other.clouds.values_mut() {
            if let Reading::Read(cloud) = cloud {
                self.random.shuffle(&mut cloud.servers);
                if let Some(Reading::Read(listed)) = &mut cloud.resources {
                    self.random.shuffle(&mut listed.all);
                }
            }
        }
        let again = planner(&other, &self.config, &self.state, context);
        if format!("{again:?}") == format!("{plan:?}") {
            Ok(())
        } else {
            Err("I10: the order shows".to_owned())
        }
    }

    /// I2: every maximum, in the true world.
    pub(super) fn check_maxima(&self) -> Result<(), String> {
        // What another program made may be more than the configuration allows, and is not known before it was seen.
        // Where lists are short: what is deleted and not listed is gone without asking, though it may take a while, and
        // nobody can ask for a server whose id no answer told.
        let whole = self.faults.short_lists == 0;
        let can_be_asked = |machine: &Machine| machine.deletes == 0 && machine.seen.id;
        let counts = |machine: &&Machine| machine.maker == Maker::Us && (whole || can_be_asked(machine));
        let ours: Vec<&Machine> = self.machines.iter().filter(counts).collect();
        for template in &self.config.templates {
            let count = ours.iter().filter(|machine| machine.template == template.name).count();
            if count > template.max as usize {
                return Err(format!(
                    "I2: {count} servers of {}, at most {}",
                    template.name, template.max
                ));
            }
        }
        for provider in self.config.providers.values() {
            let count = ours.iter().filter(|machine| machine.provider == provider.name).count();
            if provider.max_servers.is_some_and(|most| count > most as usize) {
                return Err(format!("I2: {count} servers at {}", provider.name));
            }
        }
        if self
            .config
            .limits
            .max_servers
            .is_some_and(|most| ours.len() > most as usize)
        {
            return Err(format!("I2: {} servers", ours.len()));
        }
        Ok(())
    }

    /// I5 and I7: a second pass on the same world makes nothing, least of all what was just removed.
    pub(super) fn stands_still(&mut self, reaped: &BTreeSet<TemplateName>, planner: &Planner) -> Result<(), String> {
        let held = &self.state.backoffs;
        if !held.is_empty() {
            return Ok(());
        }
        self.passes += 1;
        let (observed, context) = (self.observe(), self.context());
        let again = planner(&observed, &self.config, &self.state, &context);
        if let Some(create) = again.creates.iter().find(|create| reaped.contains(&create.template)) {
            return Err(format!(
                "I7: {} is made right after one was removed: {}",
                create.name, create.because
            ));
        }
        if let Some(create) = again.creates.first() {
            return Err(format!("I5: a second pass makes {}: {}", create.name, create.because));
        }
        Ok(())
    }

    /// I19: nobody waits for ever.
    pub(super) fn check_waits(&self, plan: &Plan) -> Result<(), String> {
        let Some(patience) = self.patience else { return Ok(()) };
        let late = self.queue.iter().find(|job| {
            let passes = self.passes.saturating_sub(job.arrived);
            passes > patience && self.can_be_served(&job.item)
        });
        let Some(job) = late else { return Ok(()) };
        let unmet: BTreeSet<&str> = plan.unmet.iter().map(|unmet| unmet.reason.as_str()).collect();
        let (id, label) = (job.item.id, &job.item.label);
        Err(format!(
            "I19: item {id} ({label:?}) has waited for more than {patience} passes, though it can be served: {unmet:?}"
        ))
    }

    /// I12: of the items of one label the youngest are those that get nothing.
    fn check_order(&self, plan: &Plan) -> Result<(), String> {
        // Which items count by now, or what Jenkins says of their label, is not known here.
        if self.faults.clock_ahead != 0 || self.faults.pipelines {
            return Ok(());
        }
        for unmet in &plan.unmet {
            let text = |item: &QueueItem| match &item.label {
                TaskLabel::Expression(text) => Label::read(text).map(|label| label.to_string()),
                _ => None,
            };
            let items = self.queue.iter().map(|job| &job.item);
            let mut same: Vec<&QueueItem> = items.filter(|item| text(item) == unmet.label).collect();
            same.sort_by_key(|item| (item.since, item.id));
            let served = same.len() - usize::try_from(unmet.items).unwrap();
            if same[served].id != unmet.example.item {
                return Err(format!(
                    "I12: item {} is left out for a younger one",
                    unmet.example.item
                ));
            }
        }
        Ok(())
    }
}

/// I1: what may not go, whatever it is.
fn untouched(node: &Node, removal: &Removal) -> Result<(), String> {
    let (name, because) = (&node.name, &removal.why);
    if node.is_busy() {
        return Err(format!("I1: {name} is busy and is removed because {because}"));
    }
    if node.is_persons() {
        return Err(format!("I1: {name} is a person's and is removed because {because}"));
    }
    Ok(())
}

pub(super) fn warm(size: &MinReady) -> u32 {
    match size {
        MinReady::Always(ready) => *ready,
        MinReady::Windows(_) | MinReady::Learned(_) => 0,
    }
}

/// The most nodes that a template may have ready.
fn most_ready(template: &Template) -> u32 {
    match &template.min_ready {
        MinReady::Learned(learned) if learned.rhythm => template.max,
        MinReady::Learned(_) => (template.max / 4).max(1),
        other => warm(other),
    }
}

pub(super) fn idle_removals(plan: &Plan) -> impl Iterator<Item = &Removal> {
    plan.removals.iter().filter(|removal| removal.why.is_idle())
}
