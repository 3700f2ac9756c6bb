//! How the fake Jenkins puts work onto executors, step by step, for tests that look between the steps.
//!
//! As `Queue.maintain` and `Executor.run` do: a scheduling round reads which nodes are online, then hands out work units
//! (from then on the executor is not idle); the executor's thread asks twice whether its node is online, and gives the
//! item back to the queue where it is not. Only a build that has begun can be killed.
//!
//! What the mark of a node means to a round in progress depends on the version: from 2.503 on the POST that sets it waits
//! for that round; before, the round may go on with what it read; and before 2.482 the other threads may for a moment not
//! even see it.

use super::model::{Build, Jenkins, Mark, Stage};

/// How often an executor's thread asks whether its node is online before it begins.
const CHECKS: u8 = 2;

/// A scheduling round in progress: what it took for online when it began.
#[derive(Clone, Debug, Default)]
pub struct Round {
    online: Vec<String>,
}

impl Jenkins {
    /// A round begins, unless one is in progress.
    pub fn begin_round(&mut self) {
        if self.round.is_none() && !self.quieting_down && !self.starting {
            let online = self
                .nodes()
                .filter(|a| self.looks_online(&a.name))
                .map(|a| a.name.clone());
            self.round = Some(Round {
                online: online.collect(),
            });
        }
    }

    /// The round in progress hands out one item. Returns the item and the node.
    pub fn assign_one(&mut self, clock: i64) -> Option<(u64, String)> {
        let online = self.round.clone()?.online;
        let mut buildable = self.queue.iter().filter(|i| i.stage == Stage::Buildable);
        let (id, place) = buildable.find_map(|item| {
            let asked = item.task.asked();
            let fits = |name: &&String| {
                self.agents.get(*name).is_some_and(|a| {
                    a.removed.is_none()
                        && a.free() > 0
                        && asked.as_ref().map_or(!a.exclusive, |l| l.matches(&a.all_labels()))
                })
            };
            online.iter().find(fits).map(|name| (item.id, name.clone()))
        })?;
        let item = self.queue.iter_mut().find(|i| i.id == id)?;
        item.stage = Stage::Pending;
        let build = Build {
            job: item.task.name.clone(),
            number: 0,
            item: id,
            agent: place.clone(),
            label: item.task.label.clone(),
            queued: item.since,
            began: clock,
            ends: clock + item.task.seconds,
            done: false,
            killed: false,
            unit: Some(0),
        };
        self.occupy(&place, build);
        Some((id, place))
    }

    /// The round in progress hands out what it can, and ends.
    pub fn end_round(&mut self, clock: i64) {
        while self.assign_one(clock).is_some() {}
        self.round = None;
    }

    /// A node is gone: the round in progress offers it no more, even where another of its name comes.
    pub(super) fn out_of_round(&mut self, name: &str) {
        if let Some(round) = &mut self.round {
            round.online.retain(|online| online != name);
        }
    }

    /// The work units whose builds have not begun, by the index of their build.
    pub fn units(&self) -> Vec<usize> {
        let pending = self.builds.iter().enumerate();
        pending
            .filter(|(_, b)| !b.done && b.unit.is_some())
            .map(|(at, _)| at)
            .collect()
    }

    /// The thread of an executor takes one step: asks whether its node is online, and begins, or gives the item back.
    pub fn step_thread(&mut self, at: usize, clock: i64) {
        let Some(checks) = self.builds[at].unit else { return };
        let agent = self.builds[at].agent.clone();
        if !self.looks_online(&agent) {
            return self.unwind(at);
        }
        if checks + 1 < CHECKS {
            self.builds[at].unit = Some(checks + 1);
            return;
        }
        let number = self.numbers.entry(self.builds[at].job.clone()).or_default();
        *number += 1;
        let number = *number;
        let build = &mut self.builds[at];
        (build.unit, build.number, build.began) = (None, number, clock);
        let item = build.item;
        self.queue.retain(|i| i.id != item);
    }

    /// A work unit is taken back: its item waits again, its executor is free.
    pub(super) fn unwind(&mut self, at: usize) {
        let build = &mut self.builds[at];
        (build.unit, build.done) = (None, true);
        let (item, agent) = (build.item, build.agent.clone());
        for item in self.queue.iter_mut().filter(|i| i.id == item) {
            item.stage = Stage::Buildable;
        }
        if let Some(agent) = self.agents.get_mut(&agent) {
            for slot in agent.executors.iter_mut().filter(|s| **s == Some(at)) {
                *slot = None;
            }
        }
    }

    /// Every work unit of a node is taken back.
    pub(super) fn unwind_all(&mut self, agent: &str) {
        for at in self.units() {
            if self.builds[at].agent == agent {
                self.unwind(at);
            }
        }
    }

    /// Somebody marks a node offline: what that waits for, and who does not see it yet, depends on the version.
    pub fn set_mark(&mut self, name: &str, mark: Mark, clock: i64) {
        let Some(agent) = self.agents.get_mut(name) else { return };
        let was_marked = agent.mark.replace(mark).is_some();
        if !self.at_least(482) {
            // The one cause that there is now says this.
            self.agent(name).cause = None;
        }
        if self.at_least(503) {
            self.end_round(clock);
        } else if !self.at_least(482) && !was_marked {
            self.agent(name).mark_unseen = true;
        }
    }

    /// Jenkins goes down and comes up again later: what ran is lost, what was handed out waits again, marks stay.
    pub fn go_down(&mut self) {
        self.round = None;
        for at in self.units() {
            self.unwind(at);
        }
        for build in &mut self.builds {
            build.done = true;
        }
        for agent in self.agents.values_mut() {
            agent.executors.fill(None);
            agent.mark_unseen = false;
        }
        self.starting = true;
        self.session = format!("{:08x}", super::model::hash(&[&self.session]) >> 32);
    }

    /// A second passes: rounds end, threads come to their ends, and every thread sees every mark.
    pub fn settle_down(&mut self, clock: i64) {
        self.end_round(clock);
        for _ in 0..CHECKS {
            for at in self.units() {
                self.step_thread(at, clock);
            }
        }
        for agent in self.agents.values_mut() {
            agent.mark_unseen = false;
        }
    }

    /// Whether the queue and the executors take a node for online.
    fn looks_online(&self, name: &str) -> bool {
        self.agents
            .get(name)
            .is_some_and(|a| a.removed.is_none() && a.connected && (a.mark.is_none() || a.mark_unseen))
    }
}
