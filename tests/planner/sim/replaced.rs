//! Nodes that are replaced since they are too old or outdated.

use std::collections::BTreeSet;

use mita::config::{Budget, Config};
use mita::labels::Label;
use mita::model::{NodeName, Observed, REFRESH_PREFIX};
use mita::plan::{Drain, Plan};

use super::cloud::Machine;
use super::jenkins::Node;
use super::{Sim, mins};
use crate::random::Random;

/// The pass before which every template is changed.
const CHANGED_IN: u64 = 50;

/// Lets nodes be replaced: they live for less than an hour, and outdated ones go, so many at a time.
pub(super) fn replace(config: &mut Config, random: &mut Random) {
    for template in &mut config.templates {
        template.max = 8;
        template.max_lifetime = random.chance(70).then(|| mins(20 + random.below(40)));
        template.refresh.outdated = random.chance(70);
        template.refresh.budget = match random.roll(4) {
            0 => Budget::Nodes(0),
            1 => Budget::Nodes(1 + u32::try_from(random.roll(2)).unwrap()),
            2 => Budget::Percent(50),
            _ => Budget::Percent(10),
        };
    }
}

pub(super) fn is_replaced(drain: &Drain) -> bool {
    drain.mark.starts_with(REFRESH_PREFIX)
}

impl Sim {
    /// Changes every template in the middle of a world.
    pub(super) fn change_templates(&mut self) {
        if self.faults.refresh && self.passes == CHANGED_IN {
            self.config.templates.iter_mut().for_each(|t| t.digest.push('2'));
        }
    }

    /// I26: no more nodes of a template are replaced at a time than may be, none while it is held back or at its maximum,
    /// and not the last that serves what waits.
    pub(super) fn check_replaced(&mut self, plan: &Plan, observed: &Observed) -> Result<(), String> {
        let replaced: BTreeSet<&NodeName> = plan.drains.iter().filter(|d| is_replaced(d)).map(|d| &d.node).collect();
        self.replaced += replaced.len();
        if replaced.is_empty() {
            return Ok(());
        }
        self.check_budgets(plan, observed, &replaced)?;
        let removed = plan.removals.iter().filter_map(|removal| removal.node.as_ref());
        let mut goes: BTreeSet<&NodeName> = removed.map(|node| &node.name).collect();
        goes.extend(plan.drains.iter().map(|drain| &drain.node));
        for name in replaced {
            self.check_served(plan, name, &goes)?;
        }
        Ok(())
    }

    fn check_budgets(&self, plan: &Plan, observed: &Observed, replaced: &BTreeSet<&NodeName>) -> Result<(), String> {
        let is_listed = |machine: &Machine| {
            let cloud = observed.clouds[&machine.provider].ok();
            cloud.is_some_and(|cloud| cloud.servers.iter().any(|server| server.id == machine.server.id))
        };
        let is_marked = |node: &Node| {
            let mark = node.mark.as_ref().map(|(reason, _)| reason.as_str());
            node.is_listed() && mark.is_some_and(|reason| reason.starts_with(REFRESH_PREFIX))
        };
        for template in &self.config.templates {
            let of_it = |machine: &&Machine| machine.template == template.name && machine.is_ours();
            let machines: Vec<&Machine> = self.machines.iter().filter(of_it).collect();
            let nodes = || machines.iter().filter_map(|machine| machine.node.as_ref());
            let new = nodes().filter(|node| replaced.contains(&node.name)).count();
            if new == 0 {
                continue;
            }
            let old = machines.iter().filter(|machine| is_listed(machine));
            let old = old
                .filter(|machine| machine.node.as_ref().is_some_and(is_marked))
                .count();
            let most = template.refresh.budget.of(u32::try_from(nodes().count()).unwrap());
            let name = &template.name;
            if old + new > most as usize {
                return Err(format!(
                    "I26: {old} and {new} nodes of {name} are replaced, at most {most}"
                ));
            }
            let listed = machines.iter().filter(|machine| is_listed(machine)).count();
            if listed >= template.max as usize {
                return Err(format!("I26: nodes of {name} are replaced at its maximum"));
            }
            let backoff = plan.state.backoffs.get(&format!("template {name}"));
            if backoff.is_some_and(|backoff| self.now < backoff.until) {
                return Err(format!("I26: nodes of {name} are replaced, which is held back"));
            }
        }
        Ok(())
    }

    /// Whether others serve what waits for the labels of a node that is replaced.
    fn check_served(&self, plan: &Plan, name: &NodeName, goes: &BTreeSet<&NodeName>) -> Result<(), String> {
        let nodes = || self.machines.iter().filter_map(|machine| machine.node.as_ref());
        let Some(node) = nodes().find(|node| node.name == *name).filter(|_| self.tells_labels) else {
            return Ok(());
        };
        let serves = |node: &Node, label: &Label| label.matches(&node.all_labels().into_iter().collect());
        let labels = plan.waiting.iter().filter_map(|row| row.label.as_deref());
        for label in labels.filter_map(Label::read).filter(|label| serves(node, label)) {
            let mut others = nodes().filter(|other| !goes.contains(&other.name));
            if !others.any(|other| other.is_online() && other.is_listed() && serves(other, &label)) {
                return Err(format!("I26: {name} is replaced, the last that serves {label}"));
            }
        }
        Ok(())
    }
}
