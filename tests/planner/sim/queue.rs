//! The queue of a simulated Jenkins: what arrives, what Jenkins tells of it, and which node takes it.

use mita::labels::{Label, Labels};
use mita::model::{Computer, JenkinsView, QueueItem, TaskLabel};

use super::cloud::Machine;
use super::configs::{BURSTY, DRIFT, SHARED};
use super::{Sim, secs};
use crate::facts;

const LABELS: [&str; 7] = [
    "linux",
    "arm",
    "linux && big",
    "windows",
    "linux || arm",
    "big",
    "!linux && arm",
];

/// The labels where one drifts: nothing but what it is asked for leads to the template that really has it.
const OF_DRIFT: [&str; 4] = ["linux", "arm", "linux && big", "big"];

/// The label that only the template has that may be broken.
const OF_BROKEN: &str = "windows";

const PIPELINE: &str = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";

/// A queue item with its true label.
#[derive(Clone)]
pub(super) struct Job {
    pub item: QueueItem,
    /// The pass before which it came.
    pub arrived: u64,
    /// Whether Jenkins tells its label only in `why`.
    pub pipeline: bool,
}

fn label_of(item: &QueueItem) -> Label {
    let TaskLabel::Expression(text) = &item.label else {
        panic!("every item of a simulated world has a label")
    };
    Label::read(text).unwrap()
}

/// Whether an item runs on a node with these labels.
fn fits(item: &QueueItem, labels: &Labels) -> bool {
    label_of(item).matches(labels)
}

impl Sim {
    /// Lets items arrive, in bursts.
    pub(super) fn arrive(&mut self) {
        if self.faults.shared_limit {
            return self.arrive_behind_a_limit();
        }
        if self.faults.pipelines {
            return self.arrive_at_one_node();
        }
        if self.faults.light_load {
            return self.arrive_lightly();
        }
        let burst = if self.random.chance(10) {
            1 + self.random.roll(12)
        } else {
            0
        };
        for _ in 0..burst {
            let label = if self.faults.drift {
                self.random.pick(&OF_DRIFT)
            } else {
                self.random.pick(&LABELS)
            };
            self.submit(label);
        }
        if self.faults.learned && self.passes % 20 == 7 {
            (0..5).for_each(|_| self.submit(BURSTY.1));
        }
        if self.broken.is_some() && self.passes == 0 {
            self.submit(OF_BROKEN);
        }
        if self.patience.is_none() && self.random.chance(3) {
            self.queue.clear();
        }
    }

    /// Keeps the nodes of one template at work now and then, so that none is ever idle for long; an item for the other
    /// template comes once in a while.
    fn arrive_behind_a_limit(&mut self) {
        if self.passes.is_multiple_of(8) {
            (0..SHARED).for_each(|_| self.submit("linux"));
        }
        if self.passes % 50 == 30 {
            self.submit("arm");
        }
    }

    /// Bursts, and between them a few jobs in each pass; some for other templates, and some that another template serves, too.
    fn arrive_lightly(&mut self) {
        let jobs = if self.passes % 80 < 3 { 8 } else { self.random.roll(4) };
        for _ in 0..jobs {
            self.submit("linux");
        }
        if self.random.chance(5) {
            let label = self.random.pick(&["arm", "linux && big", "linux || arm"]);
            self.submit(label);
        }
    }

    /// Many items for a label that one node has by now.
    fn arrive_at_one_node(&mut self) {
        if !self.queue.is_empty() || !self.random.chance(20) {
            return;
        }
        let ours: Vec<&Machine> = self.machines.iter().filter(|machine| machine.is_ours()).collect();
        match ours[..] {
            [] => self.submit("arm"),
            [only] if only.node.is_some() => (0..12).for_each(|_| self.submit("arm")),
            _ => {}
        }
    }

    fn submit(&mut self, label: &str) {
        // The items of the template that is broken are the oldest.
        let age = if self.broken.is_some() && label == OF_BROKEN {
            86_400
        } else {
            self.random.below(90)
        };
        let item = facts::item(self.next_item, Some(label), self.now - secs(age));
        self.queue.push(Job {
            item,
            arrived: self.passes,
            pipeline: self.faults.pipelines,
        });
        self.next_item += 1;
    }

    /// Gives waiting items to idle executors, as Jenkins does.
    pub(super) fn schedule(&mut self, percent: u64) {
        self.queue.sort_by_key(|job| (job.item.since, job.item.id));
        let (now, longest) = (self.now, self.longest);
        let (machines, random) = (&mut self.machines, &mut self.random);
        let (next_build, broken) = (&mut self.next_build, &mut self.broken_rule);
        // Every pass sees a build that is longer than the time to the next one.
        let shortest = if self.faults.max_builds { 120 } else { 60 };
        let spreads = self.faults.shared_limit || self.faults.light_load;
        self.queue.retain(|job| {
            let label = label_of(&job.item);
            let takes =
                |machine: &&mut Machine| machine.runs() && machine.node.as_ref().is_some_and(|node| node.takes(&label));
            let mut free = machines.iter_mut().filter(takes);
            let machine = if spreads {
                free.min_by_key(|machine| machine.node.as_ref().map(|node| node.used))
            } else {
                free.next()
            };
            let node = machine.and_then(|machine| machine.node.as_mut());
            let Some(node) = node.filter(|_| random.chance(percent)) else {
                return true;
            };
            let until = now + secs(shortest + i64::try_from(random.roll(longest)).unwrap());
            node.begin(until, *next_build, now);
            *next_build += 1;
            if node.closed {
                *broken = Some(format!("I13: {} had all its builds and takes one more", node.name));
            }
            false
        });
    }

    /// Remembers when items were first seen that are too young by the clock that Jenkins tells, as the pass does.
    pub(super) fn sight(&mut self, jenkins: &mut JenkinsView) {
        let grace = self.config.timing.queue_grace;
        if grace.is_zero() {
            return;
        }
        let young = jenkins.queue.iter().filter(|item| jenkins.age(item, self.now) < grace);
        let first = |id| self.state.queue_seen.get(&id).copied().unwrap_or(self.now);
        jenkins.first_seen = young.map(|item| (item.id, first(item.id))).collect();
        self.state.queue_seen.clone_from(&jenkins.first_seen);
    }

    /// Whether a template that is not broken serves an item with the labels that its nodes really register.
    pub(super) fn can_be_served(&self, item: &QueueItem) -> bool {
        let mut templates = self.config.templates.iter().enumerate();
        templates.any(|(place, template)| {
            let mut labels: Vec<String> = template.labels.iter().cloned().collect();
            if self.faults.drift && place == DRIFT.0 {
                labels.retain(|label| label != DRIFT.1);
            }
            let works = |provider| !self.is_broken(&template.name, provider);
            fits(item, &labels.into_iter().collect()) && template.placements.iter().any(|at| works(&at.provider))
        })
    }
}

/// What Jenkins tells of an item. Where only one node has the label of a pipeline, it names that node.
pub(super) fn told(job: &Job, computers: &[Computer]) -> QueueItem {
    let mut item = job.item.clone();
    if !job.pipeline {
        return item;
    }
    let has = |computer: &&Computer| {
        let labels = computer.labels.iter().flatten().cloned().collect();
        fits(&job.item, &labels)
    };
    let nodes: Vec<&Computer> = computers.iter().filter(has).collect();
    item.label = TaskLabel::Absent;
    item.task_class = Some(PIPELINE.into());
    match nodes[..] {
        [only] if only.offline => item.why = Some(format!("‘{}’ is offline", only.name).into()),
        [only] => item.why = Some(facts::waits_for(Some(only.name.as_str())).into()),
        _ => {}
    }
    item
}
