//! What must hold whatever labels nodes have: random templates, scripts that register other labels than they promise,
//! people who take labels off and put others on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use mita::config::MinReady;
use mita::labels::{Label, Labels};
use mita::model::{Computer, TaskLabel};
use mita::plan::{Plan, plan as planned};

use crate::fleet::Fleet;
use crate::random::Random;
use crate::world::{CLOUD, mins, template, with};

const LABELS: [&str; 5] = ["a", "b", "c", "d", "e"];
const EXPRESSIONS: [&str; 10] = ["a", "b", "c", "d", "e", "a&&b", "a||c", "!a&&b", "b&&!d", "(c->d)&&e"];

struct Labelled {
    random: Random,
    fleet: Fleet,
    promised: BTreeMap<String, Labels>,
    /// Whether people change labels.
    people: bool,
    /// Templates of which a node was seen online, and when a server was last made for a label that their scripts do not
    /// register.
    in_vain: BTreeMap<String, Option<Timestamp>>,
}

impl Labelled {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let templates = (0..3).map(|number| {
            let labels = random.some(&LABELS, 60);
            let mut template = template(&format!("t{number}"), &labels);
            template.executors = 1;
            template.max = u32::try_from(1 + random.roll(4)).unwrap();
            template.priority = random.below(2);
            template.idle_grace = mins(5 + random.below(40));
            if random.chance(20) {
                template.min_ready = MinReady::Always(1);
            }
            template
        });
        let templates: Vec<_> = templates.collect();
        let promised = templates.iter().map(|t| (t.name.to_string(), t.labels.clone()));
        let promised: BTreeMap<String, Labels> = promised.collect();
        let mut fleet = Fleet::new(with(templates));
        for (template, labels) in &promised {
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let kept = random.some(&labels, 70);
            let more = random.some(&LABELS, 15);
            fleet.registrations(template, &[kept, more].concat());
        }
        Self {
            random,
            fleet,
            promised,
            people: seed.is_multiple_of(2),
            in_vain: BTreeMap::new(),
        }
    }

    /// Lets items come and go, and people change labels.
    fn live(&mut self) {
        let queue = &mut self.fleet.world.observed.jenkins.queue;
        if queue.len() > 6 || self.random.chance(10) {
            queue.clear();
        }
        for _ in 0..self.random.roll(3) {
            let label = self.random.pick(&EXPRESSIONS);
            self.fleet.world.items(1, label);
        }
        let nodes: Vec<String> = self
            .fleet
            .world
            .observed
            .jenkins
            .computers
            .iter()
            .map(|c| c.name.to_string())
            .collect();
        for name in nodes {
            if self.random.chance(1) {
                self.fleet.world.items(1, &name);
            }
            let busy = self.random.chance(30);
            let node = self.fleet.world.node_mut(&name);
            (node.idle, node.idle_executors) = (!busy, u32::from(!busy));
            if self.people && self.random.chance(2) {
                let labels = self.random.some(&LABELS, 50);
                self.fleet.world.labels(&name, labels);
            }
        }
    }

    fn pass(&mut self, pause: SignedDuration) -> Result<(), String> {
        self.live();
        let before = self.fleet.world.clone();
        let plan = self.fleet.pass(pause);
        check_idle(&plan, &before.observed.jenkins.computers)?;
        self.check_creates(&plan)?;
        if !self.people {
            self.check_in_vain(&plan, &before.observed.jenkins.computers)?;
        }
        let mut other = before.clone();
        self.random.shuffle(&mut other.observed.jenkins.queue);
        self.random.shuffle(&mut other.observed.jenkins.computers);
        self.random.shuffle(&mut other.cloud(CLOUD).servers);
        let again = planned(&other.observed, &other.config, &other.state, &other.context);
        let plan = planned(&before.observed, &before.config, &before.state, &before.context);
        if format!("{plan:?}") != format!("{again:?}") {
            return Err("the order of the lists shows".to_owned());
        }
        Ok(())
    }

    /// A server is made only of a template that promises what some item needs, or is to have some ready; and for a
    /// label that the last one lacked, at most one a day.
    fn check_creates(&self, plan: &Plan) -> Result<(), String> {
        let labels = self
            .fleet
            .world
            .observed
            .jenkins
            .queue
            .iter()
            .filter_map(|item| match &item.label {
                TaskLabel::Expression(text) => Label::read(text),
                _ => None,
            });
        let labels: Vec<Label> = labels.collect();
        for create in &plan.creates {
            let templates = &self.fleet.world.config.templates;
            let template = templates.iter().find(|t| t.name == create.template).unwrap();
            let promised = &self.promised[create.template.as_str()];
            let drift = plan.state.drifts.get(&create.template);
            let known = drift.filter(|_| !create.retry);
            let kept = promised
                .iter()
                .filter(|label| known.is_none_or(|drift| !drift.lacks.contains_key(*label)));
            let kept: Labels = kept
                .chain(known.into_iter().flat_map(|drift| drift.adds.keys()))
                .cloned()
                .collect();
            let wanted = labels
                .iter()
                .any(|label| label.matches(promised) && label.matches(&kept));
            if !wanted && template.min_ready == MinReady::Always(0) {
                return Err(format!("{} is made for nothing: {}", create.name, create.because));
            }
        }
        let retries = self.fleet.made.iter().filter(|(_, create)| create.retry);
        let mut last: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for (at, create) in retries {
            let before = last.insert(create.template.as_str(), *at);
            if before.is_some_and(|before| at.duration_since(before) < SignedDuration::from_hours(24)) {
                return Err(format!("two tries of {} in one day", create.template));
            }
        }
        Ok(())
    }
}

impl Labelled {
    /// Once a node of a template was seen, at most one server a day is made for what its script does not register.
    fn check_in_vain(&mut self, plan: &Plan, computers: &[Computer]) -> Result<(), String> {
        for node in computers {
            let template = node.name.as_str().split("__").next().unwrap().to_owned();
            self.in_vain.entry(template).or_default();
        }
        let now = self.fleet.made.last().map(|(at, _)| *at);
        for create in &plan.creates {
            let template = create.template.as_str();
            // One that makes room elsewhere is made for the older item.
            let because = Some(create.because.as_str()).filter(|text| !text.contains("slot of an older item"));
            let label = because.and_then(|text| text.split(" for ").nth(1)?.split("; ").next());
            let label = label.and_then(Label::read);
            let registrations: Labels = self.fleet.registrations[template].iter().cloned().collect();
            let in_vain =
                label.is_some_and(|label| label.matches(&self.promised[template]) && !label.matches(&registrations));
            let Some(last) = self.in_vain.get_mut(template).filter(|_| in_vain) else {
                continue;
            };
            let day = |then: Timestamp| now.unwrap().duration_since(then) >= SignedDuration::from_hours(24);
            if !last.is_none_or(day) {
                return Err(format!("{} is made in vain: {}", create.name, create.because));
            }
            *last = now;
        }
        Ok(())
    }
}

/// What is said to be served by idle executors can be, all at once, each by a node that has its labels.
fn check_idle(plan: &Plan, computers: &[Computer]) -> Result<(), String> {
    let mut items: Vec<(Label, &str)> = Vec::new();
    for row in plan.waiting.iter().filter(|row| row.reason == "an executor is idle") {
        let label = Label::read(row.label.as_deref().unwrap()).unwrap();
        let template = row.served_by.as_ref().unwrap().as_str();
        items.extend((0..row.items).map(|_| (label.clone(), template)));
    }
    let nodes: Vec<(Labels, &str)> = computers
        .iter()
        .filter(|node| node.idle)
        .map(|node| {
            let labels = node.labels.clone().unwrap().into_iter().collect();
            (labels, node.name.as_str().split("__").next().unwrap())
        })
        .collect();
    let mut taken: Vec<Option<usize>> = vec![None; nodes.len()];
    for item in 0..items.len() {
        if !serve(item, &items, &nodes, &mut taken, &mut BTreeSet::new()) {
            return Err(format!("no idle node serves {} by its labels", items[item].0));
        }
    }
    Ok(())
}

/// Finds a node for an item, moving others where it must.
fn serve(
    item: usize,
    items: &[(Label, &str)],
    nodes: &[(Labels, &str)],
    taken: &mut [Option<usize>],
    seen: &mut BTreeSet<usize>,
) -> bool {
    let (label, template) = &items[item];
    for node in 0..nodes.len() {
        if nodes[node].1 != *template || !label.matches(&nodes[node].0) || !seen.insert(node) {
            continue;
        }
        if taken[node].is_none_or(|other| serve(other, items, nodes, taken, seen)) {
            taken[node] = Some(item);
            return true;
        }
    }
    false
}

#[test]
fn items_are_served_by_the_labels_that_nodes_have() {
    let (mut made, mut retries) = (0, 0);
    for seed in 1..11 {
        let mut labelled = Labelled::new(seed);
        for pass in 0..150 {
            let pause = if pass % 25 == 24 { mins(600) } else { mins(2) };
            labelled
                .pass(pause)
                .unwrap_or_else(|broken| panic!("seed {seed}, pass {pass}: {broken}"));
        }
        made += labelled.fleet.made.len();
        retries += labelled.fleet.made.iter().filter(|(_, create)| create.retry).count();
    }
    assert!(
        made > 60 && retries > 3,
        "the worlds were dull: {made} made, {retries} tries"
    );
}
