//! Images whose servers never join: the way back to the one before, and forward again.

use mita::model::{Event, EventKind, Headroom, Offers, Reading, ServerStatus};
use mita::plan::Plan;

use crate::world::{CLOUD, World, mins, offer, reasons, world};

/// A world whose cloud has these images under the one name, newest first, and an item for each so many servers.
fn with_images(images: &[&str], items: u64) -> World {
    let mut world = world();
    world.config.limits.canary = 3;
    world.config.templates[0].max = 30;
    world.images(CLOUD, images);
    world.items(items, "linux");
    world
}

impl World {
    /// Tells which images a cloud has for every template, newest first.
    fn images(&mut self, provider: &str, images: &[&str]) {
        let templates = self.config.templates.iter();
        let mut offer = offer(1);
        images[0].clone_into(&mut offer.image);
        offer.older_images = images[1..].iter().map(|image| (*image).to_owned()).collect();
        let templates = templates.map(|template| (template.name.clone(), Ok(offer.clone())));
        let offers = Offers {
            room: Headroom::default(),
            templates: templates.collect(),
        };
        self.cloud(provider).offers = Some(Reading::Read(offers));
    }

    /// Lets the cloud make what a plan wants; servers that boot from a volume do not show their image.
    fn build(&mut self, plan: &Plan, from_volume: bool) -> Vec<String> {
        for create in &plan.creates {
            let intent = mita::state::Intent {
                name: create.name.clone(),
                template: create.template.clone(),
                config: self.config.templates[0].digest.clone(),
                provider: create.provider.clone(),
                zone: None,
                image: create.offer.as_ref().map(|offer| offer.image.clone()),
                at: self.now(),
                server_id: None,
                made_for: None,
            };
            self.state.intents.insert(create.id.clone(), intent);
            let number = u64::from_str_radix(&create.id.as_str()[8..], 16).unwrap() % 60_000;
            let made = self.server_at(create.provider.as_str(), create.template.as_str(), number, mins(0));
            let server = self.server_mut(&made);
            server.name.clone_from(&create.name);
            server.mark.as_mut().unwrap().id = Some(create.id.clone());
            let image = create.offer.as_ref().map(|offer| offer.image.clone());
            server.image = image.filter(|_| !from_volume);
        }
        plan.creates.iter().map(|create| create.name.clone()).collect()
    }

    /// Passes until something is made, and has it built; what is removed goes.
    fn next(&mut self, from_volume: bool) -> (Plan, Vec<String>) {
        for _ in 0..200 {
            let plan = self.pass(mins(0));
            for removal in &plan.removals {
                let name = removal.server.as_ref().unwrap().name.clone();
                self.lose_server(&name);
            }
            if plan.creates.is_empty() {
                self.later(mins(1));
                continue;
            }
            let names = self.build(&plan, from_volume);
            self.later(mins(1));
            return (plan, names);
        }
        panic!("nothing is made: {:?}", self.plan().unmet);
    }
}

fn images(plan: &Plan) -> Vec<&str> {
    let creates = plan.creates.iter();
    creates
        .map(|create| create.offer.as_ref().unwrap().image.as_str())
        .collect()
}

fn rollbacks(plan: &Plan) -> Vec<Event> {
    let pending = plan.state.events.pending.iter();
    pending
        .filter(|event| event.event == EventKind::Rollback)
        .cloned()
        .collect()
}

fn warned(plan: &Plan) -> bool {
    plan.partly
}

#[test]
fn two_servers_that_never_join_roll_the_image_back() {
    for from_volume in [false, true] {
        let mut world = with_images(&["new", "old"], 2);
        let (plan, _) = world.next(from_volume);
        assert_eq!(images(&plan), ["new", "new"]);
        world.pass(mins(16));
        let plan = world.plan();
        assert_eq!(
            images(&plan),
            ["old", "old"],
            "in the same pass, with no back-off: {:?}",
            plan.unmet
        );
        assert_eq!(
            plan.notes,
            [
                "image new of template \"small\" at openstack never joined in 2 servers, rolled back to old; a newer \
                 image is tried at once, this one again after 2026-11-23T12:17:00Z"
            ]
        );
        assert_eq!(plan.templates[0].rollbacks[0].instead, "old");
        let told = rollbacks(&plan);
        let [told] = &told[..] else { panic!("{told:?}") };
        let shown = (told.image.as_deref(), told.instead.as_deref());
        assert_eq!(shown, (Some("new"), Some("old")));
        assert_eq!(plan.removals.len(), 2);
        assert!(plan.state.backoffs.is_empty(), "{:?}", plan.state.backoffs);
        world.pass(mins(1));
        let later = world.plan();
        assert!(!warned(&later) && later.notes.iter().any(|note| note.contains("rolled back to old")));
        assert_eq!(later.templates[0].rollbacks.len(), 1);
        assert_eq!(
            rollbacks(&later).len(),
            1,
            "told once, and nothing was written to the journal meanwhile"
        );
    }
}

#[test]
fn one_server_at_a_time_is_enough_to_find_out() {
    let mut world = with_images(&["new", "old"], 1);
    let mut made = Vec::new();
    for _ in 0..3 {
        let (plan, _) = world.next(false);
        made.extend(images(&plan).into_iter().map(str::to_owned).collect::<Vec<_>>());
        world.pass(mins(16));
    }
    assert_eq!(made, ["new", "new", "old"]);
}

#[test]
fn the_image_is_not_to_blame_once_it_joined() {
    let mut world = with_images(&["new", "old"], 3);
    let (_, names) = world.next(false);
    world.node(&names[0], 1);
    world.items(1, "linux");
    world.pass(mins(16));
    let plan = world.plan();
    assert!(!warned(&plan) && plan.templates[0].rollbacks.is_empty());
    assert!(
        plan.state.backoffs.is_empty(),
        "one that was asked for with them joined"
    );
    world.config.rules.evidence = false;
    assert_eq!(
        world.plan().state.backoffs.len(),
        1,
        "as any template whose servers do not join"
    );
}

#[test]
fn without_another_image_the_template_is_held_back() {
    let mut world = with_images(&["new"], 3);
    world.next(false);
    world.pass(mins(16));
    let plan = world.plan();
    assert!(plan.creates.is_empty() && !warned(&plan));
    assert!(
        reasons(&plan)[0].contains("did not join Jenkins within 15m"),
        "{:?}",
        plan.unmet
    );
    // An older one turns up.
    world.pass(mins(5));
    world.images(CLOUD, &["new", "old"]);
    let (plan, _) = world.next(false);
    assert_eq!(images(&plan)[0], "old");
}

#[test]
fn an_image_that_joined_is_preferred_to_the_next_older_one() {
    let mut world = with_images(&["good"], 2);
    let (_, names) = world.next(false);
    for name in &names {
        world.node(name, 1);
    }
    world.pass(mins(1));
    world.images(CLOUD, &["bad", "unknown", "good"]);
    world.items(5, "linux");
    let (plan, _) = world.next(false);
    assert_eq!(
        images(&plan),
        ["bad", "bad", "bad"],
        "no burst of what nobody has seen work"
    );
    assert!(
        reasons(&plan)[0].contains("canary: waiting for the first server of image bad"),
        "{:?}",
        plan.unmet
    );
    world.pass(mins(16));
    let plan = world.plan();
    assert!(warned(&plan));
    assert_eq!(images(&plan), ["good"; 5], "known to be good: no canary");
}

#[test]
fn a_newer_image_is_tried_at_once_and_few_at_a_time() {
    let mut world = with_images(&["bad", "old"], 3);
    world.next(false);
    world.pass(mins(16));
    let (plan, names) = world.next(false);
    assert_eq!(images(&plan), ["old"; 3]);
    for name in &names {
        world.node(name, 1);
    }
    world.pass(mins(1));
    world.images(CLOUD, &["newer", "bad", "old"]);
    world.items(7, "linux");
    let (plan, names) = world.next(false);
    assert_eq!(images(&plan), ["newer"; 3]);
    assert!(plan.templates[0].rollbacks.is_empty());
    world.node(&names[0], 1);
    let plan = world.plan();
    assert!(plan.creates.len() > 3, "it joined: {}", plan.creates.len());
}

#[test]
fn a_bad_image_is_tried_again_after_a_day_by_one_server() {
    let mut world = with_images(&["bad", "old"], 3);
    world.next(false);
    world.pass(mins(16));
    let (_, names) = world.next(false);
    for name in &names {
        world.node(name, 1);
    }
    world.pass(mins(1));
    let good = world.plan();
    assert!(good.creates.is_empty());
    world.later(mins(24 * 60));
    world.items(5, "linux");
    let (plan, _) = world.next(false);
    assert_eq!(
        images(&plan).iter().filter(|image| **image == "bad").count(),
        1,
        "{:?}",
        images(&plan)
    );
    assert_eq!(images(&plan).len(), 5);
    for create in plan
        .creates
        .iter()
        .filter(|create| create.offer.as_ref().unwrap().image == "old")
    {
        world.node(&create.name, 1);
    }
    // It fails again: another day, and nobody else pays for it.
    world.pass(mins(16));
    world.items(2, "linux");
    let plan = world.pass(mins(1));
    assert_eq!(images(&plan), ["old"; 3]);
    assert!(plan.state.backoffs.is_empty(), "{:?}", plan.state.backoffs);
    // Or it joins in the end, and all is well.
    world.later(mins(24 * 60));
    let (plan, names) = world.next(false);
    let probe = images(&plan).iter().position(|image| *image == "bad").unwrap();
    world.node(&names[probe], 1);
    let plan = world.plan();
    assert!(plan.templates[0].rollbacks.is_empty());
}

#[test]
fn a_mark_is_forgotten_with_its_image_and_with_a_change_of_the_template() {
    let mut rolled = with_images(&["bad", "old"], 3);
    rolled.next(false);
    rolled.pass(mins(16));
    rolled.pass(mins(1));
    let mut gone = rolled.clone();
    gone.images(CLOUD, &["fixed", "old"]);
    gone.pass(mins(1));
    gone.images(CLOUD, &["bad", "old"]);
    assert_eq!(images(&gone.plan()), ["bad"; 3], "gone and back: as if it were new");
    let mut changed = rolled.clone();
    changed.config.templates[0].digest = "changed".to_owned();
    assert_eq!(
        images(&changed.plan()),
        ["bad"; 3],
        "the script may have been the cause"
    );
}

#[test]
fn three_images_that_never_join_have_another_cause() {
    let mut world = with_images(&["a", "b", "c", "d", "e"], 2);
    let mut made = Vec::new();
    for _ in 0..5 {
        let (plan, _) = world.next(false);
        made.push(images(&plan)[0].to_owned());
        world.pass(mins(16));
    }
    made.dedup();
    assert_eq!(made[..3], ["a", "b", "c"].map(str::to_owned));
    assert_eq!(made[3], "a", "{made:?}");
    assert!(!world.plan().state.backoffs.is_empty(), "held back as a whole");
}

#[test]
fn a_fault_that_blames_the_image_counts_and_holds_no_place_back() {
    let mut world = with_images(&["bad", "old"], 2);
    let (_, names) = world.next(false);
    for name in &names {
        let server = world.server_mut(name);
        server.status = ServerStatus::Error;
        server.fault = Some("Image bad is unacceptable: Converted to raw, but format is now qcow2".to_owned());
    }
    let plan = world.plan();
    assert!(warned(&plan));
    assert_eq!(images(&plan), ["old", "old"]);
    assert!(plan.state.backoffs.is_empty(), "{:?}", plan.state.backoffs);
    for name in &names {
        world.server_mut(name).fault = Some("No valid host was found. There are not enough hosts".to_owned());
    }
    let plan = world.plan();
    assert!(!warned(&plan) && plan.creates.is_empty());
    assert!(
        plan.state.backoffs.contains_key("template small at openstack"),
        "{:?}",
        plan.state.backoffs
    );
}

#[test]
fn an_outage_is_not_held_against_an_image() {
    let mut world = with_images(&["new", "old"], 3);
    world.state.gaps = vec![60; 10];
    world.next(false);
    world.pass(mins(16));
    // Nobody looked for a quarter of an hour: Jenkins was away, say.
    let plan = world.plan();
    assert!(!warned(&plan) && plan.templates[0].rollbacks.is_empty());
    assert!(plan.state.backoffs.contains_key("template small at openstack"));
}

#[test]
fn an_image_by_its_id_is_never_left() {
    let mut world = with_images(&["a", "b"], 2);
    world.config.templates[0].spec.image = mita::model::ImageRef::Id("a".to_owned());
    world.next(false);
    world.pass(mins(16));
    let plan = world.plan();
    assert!(plan.creates.is_empty() && !warned(&plan));
}

#[test]
fn the_image_of_an_unseen_server_is_remembered() {
    let mut world = with_images(&["new", "old"], 1);
    let (_, names) = world.next(true);
    let plan = world.pass(mins(1));
    let memory = plan.state.nodes.values().next().unwrap();
    assert_eq!(
        (memory.image.as_deref(), memory.name.as_str()),
        (Some("new"), names[0].as_str())
    );
    world.state.intents.clear();
    let memory = world.plan().state.nodes.into_values().next().unwrap();
    assert_eq!(
        memory.image.as_deref(),
        Some("new"),
        "the intent is gone, the memory stays"
    );
}
