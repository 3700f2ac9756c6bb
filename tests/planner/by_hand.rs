//! Pauses, and what an operator asks for: what the audit refuses, and what is said of a pause that lasts.

use jiff::SignedDuration;
use mita::model::{Pause, ProblemKind};
use mita::plan::{Asked, Plan, audit, plan};

use crate::world::{CLOUD, World, mins, place, reasons, template, with, world};

fn pause(world: &World, age: SignedDuration) -> Pause {
    Pause {
        provider: None,
        template: None,
        until: None,
        reason: None,
        since: world.now() - age,
    }
}

fn broken(world: &World, plan: &Plan) -> Vec<String> {
    audit(plan, &world.observed, &world.config, &world.state, &world.context)
}

#[test]
fn the_audit_refuses_what_is_created_in_a_pause() {
    let mut world = world();
    world.items(1, "small");
    let bad = world.plan();
    assert_eq!((bad.creates.len(), broken(&world, &bad).len()), (1, 0));
    let select: [fn(&mut Pause); 4] = [
        |_| {},
        |pause| pause.template = Some("small".into()),
        |pause| pause.provider = Some(CLOUD.into()),
        |pause| (pause.template, pause.provider) = (Some("small".into()), Some(CLOUD.into())),
    ];
    for select in select {
        let mut paused = world.clone();
        let mut one = pause(&paused, mins(1));
        select(&mut one);
        paused.observed.pauses.all.push(one.clone());
        let found = broken(&paused, &bad).join("; ");
        assert!(found.contains("forbidden") && found.contains("is paused"), "{found}");
        let good = paused.plan();
        assert_eq!(reasons(&good), [one.sentence()]);
        // It holds until its end, and not a moment longer.
        paused.observed.pauses.all[0].until = Some(paused.now() + mins(1));
        assert_eq!(paused.plan().creates.len(), 0);
        paused.later(mins(1));
        assert_eq!(paused.plan().creates.len(), 1);
    }
    let mut other = world.clone();
    let mut elsewhere = pause(&other, mins(1));
    elsewhere.template = Some("large".into());
    other.observed.pauses.all.push(elsewhere);
    assert_eq!(broken(&other, &bad).len(), 0);
    other.observed.pauses.unreadable = Some("the pauses cannot be read".to_owned());
    assert_eq!((broken(&other, &bad).len(), other.plan().creates.len()), (1, 0));
}

#[test]
fn a_paused_place_is_passed_over() {
    let mut small = template("small", &["small"]);
    small.placements = vec![place(CLOUD, None), place("west", None)];
    let mut world = with(vec![small]);
    world.add_cloud("west");
    world.items(1, "small");
    let mut paused = pause(&world, mins(1));
    paused.provider = Some(CLOUD.into());
    world.observed.pauses.all.push(paused);
    assert_eq!(world.plan().creates[0].provider.as_str(), "west");
}

#[test]
fn the_audit_refuses_more_and_other_than_was_asked_for() {
    let mut world = with(vec![template("small", &["small"]), template("large", &["large"])]);
    world.items(2, "small");
    world.items(1, "large");
    let bad = world.plan();
    assert_eq!(bad.creates.len(), 3);
    world.context.remove = false;
    world.context.asked = Some(Asked {
        template: "small".into(),
        count: 2,
    });
    let found = broken(&world, &bad).join("; ");
    assert!(found.contains("3 creates, 2 were asked for"), "{found}");
    assert!(found.contains("small was asked for"), "{found}");
    let good = plan(&world.observed, &world.config, &world.state, &world.context);
    assert_eq!((good.creates.len(), good.unmade.as_deref()), (2, None));
    assert_eq!(broken(&world, &good), Vec::<String>::new());
}

#[test]
fn what_is_asked_for_counts_what_waits_and_what_boots() {
    let mut world = world();
    world.config.templates[0].max = 3;
    world.server("small", 1, mins(1));
    world.context.asked = Some(Asked {
        template: "small".into(),
        count: 5,
    });
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 2);
    let unmade = plan.unmade.unwrap();
    assert!(unmade.starts_with("3 servers of \"small\" are not made"), "{unmade}");
    world.config.limits.max_booting = 2;
    assert_eq!(world.plan().creates.len(), 1);
    world.config.limits.canary = 1;
    let held = world.plan();
    assert_eq!(held.creates.len(), 0);
    assert!(held.unmade.unwrap().contains("canary"));
    assert_eq!(held.state.last_pass, world.state.last_pass, "it is no pass");
}

#[test]
fn a_pause_without_an_end_is_a_problem_after_a_day() {
    let mut world = world();
    let key = "paused-for-long/everything".to_owned();
    let found = |world: &World| world.plan().problems.found.contains_key(&key);
    world.observed.pauses.all = vec![pause(&world, mins(24 * 60 - 1))];
    assert!(!found(&world));
    world.later(mins(1));
    assert!(found(&world));
    let sentence = world.plan().problems.found[&key].sentence.clone();
    world.later(mins(700));
    assert_eq!(
        world.plan().problems.found[&key].sentence,
        sentence,
        "it is the same from pass to pass"
    );
    world.observed.pauses.all[0].until = Some(world.now() + mins(1));
    assert!(!found(&world), "it has an end");
    world.observed.pauses.unreadable = Some("no".to_owned());
    assert_eq!(ProblemKind::PausesUnreadable.word(), "pauses-unreadable");
    assert!(world.plan().problems.found.contains_key("pauses-unreadable"));
}
