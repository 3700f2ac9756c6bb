//! Idle nodes that go before they were idle for `idle_grace`: since they are too many, or since a paid period ends.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mita::config::Template;
use mita::model::{NodeId, TemplateName};
use mita::plan::{Plan, Removal, Why};

use super::cloud::Machine;
use super::{Sim, mins, secs};

/// What a pass saw of the nodes of each template.
#[derive(Clone)]
pub(super) struct IdleCount {
    at: Timestamp,
    idle: BTreeMap<TemplateName, usize>,
    up: BTreeSet<NodeId>,
}

impl Sim {
    /// Counts the idle nodes of the true world.
    pub(super) fn count_idle(&self) -> IdleCount {
        let takes_work = |machine: &&Machine| {
            let node = machine.node.as_ref();
            machine.is_ours() && !machine.is_dead() && node.is_some_and(|node| node.is_online() && node.is_listed())
        };
        let (mut idle, mut up) = (BTreeMap::new(), BTreeSet::new());
        for machine in self.machines.iter().filter(takes_work) {
            up.insert(machine.id.clone());
            if machine.node.as_ref().is_some_and(|node| !node.is_busy()) {
                *idle.entry(machine.template.clone()).or_default() += 1;
            }
        }
        IdleCount { at: self.now, idle, up }
    }

    /// I24 and I25.
    pub(super) fn check_spare(&mut self, plan: &Plan, now: &IdleCount) -> Result<(), String> {
        for template in &self.config.templates {
            let of_template = |removal: &&Removal| removal.template.as_ref() == Some(&template.name);
            let of_template: Vec<&Removal> = plan.removals.iter().filter(of_template).collect();
            let count = |is: fn(&Why) -> bool| of_template.iter().filter(|removal| is(&removal.why)).count();
            let too_many = count(|why| matches!(why, Why::Surplus { .. }));
            let idle = count(|why| matches!(why, Why::Idle { .. } | Why::Lull { .. }));
            if too_many > 0 {
                self.check_too_many(template, too_many + idle, now)?;
            }
            self.too_many += too_many;
            let ended: Vec<&&Removal> = of_template
                .iter()
                .filter(|removal| matches!(removal.why, Why::PeriodEnds { .. }))
                .collect();
            self.period_ends += ended.len();
            if template.billing_period.is_some() && too_many + idle > 0 {
                return Err(format!("I25: a node of {} goes within its paid period", template.name));
            }
            for removal in ended {
                self.check_period(template, removal)?;
            }
        }
        Ok(())
    }

    fn check_too_many(&self, template: &Template, go: usize, now: &IdleCount) -> Result<(), String> {
        let name = &template.name;
        let third_last = self.idle_counts.iter().rev().nth(1);
        let from = third_last.map(|third| third.at.min(self.now - template.idle_grace));
        let Some(from) = from.filter(|from| self.idle_counts[0].at <= *from) else {
            return Err(format!(
                "I24: nodes of {name} go as too many before all of the grace was seen"
            ));
        };
        let of_template = |id: &&NodeId| {
            let mut machines = self.machines.iter();
            machines.any(|machine| machine.id == **id && machine.template == *name)
        };
        let window = self.idle_counts.iter().filter(|count| count.at >= from).chain([now]);
        for count in window {
            let gone = count.up.difference(&now.up).filter(of_template).count();
            let spare = count.idle.get(name).copied().unwrap_or(0).saturating_sub(gone);
            if go > spare {
                let ago = self.now.duration_since(count.at);
                return Err(format!(
                    "I24: {go} of {name} go as too many, {spare} were idle {ago:?} ago"
                ));
            }
        }
        Ok(())
    }

    fn check_period(&self, template: &Template, removal: &Removal) -> Result<(), String> {
        let mut machines = self.machines.iter();
        let name = removal.server.as_ref().map(|server| &server.name);
        let machine = machines.find(|machine| Some(&machine.server.name) == name);
        let (Some(machine), Some(period)) = (machine, template.billing_period) else {
            return Err(format!("I25: {name:?} is not billed by the period"));
        };
        let begun = machine.server.launched.unwrap_or(machine.created);
        let ran = self.now.duration_since(begun).as_secs();
        let left = period.as_secs() - ran % period.as_secs();
        // Passes are up to 70 s apart, and a crash or two between them.
        if secs(left) > mins(3) && self.faults.crash == 0 {
            return Err(format!("I25: {name:?} goes with {left} s of its paid period left"));
        }
        Ok(())
    }
}
