//! Floating IPs, ports and volumes: what is made, marked, swept, and what is never touched.

use jiff::SignedDuration;
use mita::model::{Address, PortSpec, Reading, Resource, ResourceKind, Resources, ServerId, ServerStatus};
use mita::plan::backoff::record_failure;
use mita::plan::{Plan, audit, leaks};
use mita::state::BackoffKey;

use crate::facts::resource;
use crate::world::{CLOUD, World, id, marked, mins, reasons, removed, secs, template, with};

const ADDRESS: &str = "198.51.100.7";

/// A world whose template has floating IPs, and nothing to sweep for the hour to come.
fn floating() -> World {
    let mut template = template("small", &["linux"]);
    template.spec.floating_ip_pool = Some("public".to_owned());
    let mut world = with(vec![template]);
    world.state.swept.insert(CLOUD.into(), world.now());
    world
}

/// A floating IP of ours, an hour old.
fn ours(world: &World, id: &str, server: &str) -> Resource {
    Resource {
        created: Some(world.now() - mins(60)),
        ..resource(ResourceKind::FloatingIp, id, Some(("ci", server)))
    }
}

/// Lets the cloud be asked for everything, with this answer.
fn list(world: &mut World, all: Vec<Resource>) {
    world.cloud(CLOUD).resources = Some(Reading::Read(Resources {
        kinds: ResourceKind::ALL.into(),
        all,
        ..Resources::default()
    }));
}

fn unlist(world: &mut World) {
    world.cloud(CLOUD).resources = None;
}

fn give_floating(world: &mut World, name: &str) {
    world.server_mut(name).addresses.push(Address {
        ip: ADDRESS.parse().unwrap(),
        floating: true,
    });
}

fn made(plan: &Plan) -> Vec<&str> {
    plan.floating_ips.iter().map(|wanted| wanted.server.as_str()).collect()
}

fn swept(plan: &Plan) -> Vec<&str> {
    plan.sweeps.iter().map(|target| target.id.as_str()).collect()
}

fn asks(plan: &Plan) -> Vec<ResourceKind> {
    plan.asks.values().flatten().copied().collect()
}

#[test]
fn a_server_with_a_port_gets_a_floating_ip() {
    let mut world = floating();
    let name = world.server("small", 1, mins(1));
    let plan = world.plan();
    assert_eq!(
        (made(&plan), asks(&plan)),
        (vec![name.as_str()], vec![ResourceKind::FloatingIp])
    );
    assert_eq!(plan.floating_ips[0].pool, "public");
    assert_eq!(
        plan.floating_ips[0].because,
        "it has its port, and floating_ip_pool is \"public\""
    );
    // Not before it has its port, not when it has one, not by a command that only removes.
    world.server_mut(&name).addresses.clear();
    assert!(made(&world.plan()).is_empty());
    world
        .server_mut(&name)
        .addresses
        .push(Address::fixed("10.0.0.9".parse().unwrap()));
    assert_eq!(made(&world.plan()).len(), 1);
    world.context.create = false;
    assert!(made(&world.plan()).is_empty());
    world.context.create = true;
    world.observed.jenkins.quieting_down = Some(true);
    assert!(made(&world.plan()).is_empty());
    world.observed.jenkins.quieting_down = Some(false);
    give_floating(&mut world, &name);
    let plan = world.plan();
    assert!(made(&plan).is_empty() && asks(&plan).is_empty(), "{plan:?}");
}

#[test]
fn a_server_that_goes_gets_no_floating_ip() {
    let mut world = floating();
    let failed = world.server("small", 1, mins(1));
    world.server_mut(&failed).status = ServerStatus::Error;
    let going = world.server("small", 2, mins(1));
    world.server_mut(&going).task_state = Some("deleting".to_owned());
    let drained = world.up("small", 3, mins(60));
    marked(world.node_mut(&drained), "mita: removing, pass p1", "x");
    let late = world.server("small", 4, mins(1));
    world.pass(mins(20));
    let plan = world.plan();
    assert!(removed(&plan).contains(&late.as_str()), "it never joined");
    assert!(made(&plan).is_empty(), "{:?}", plan.floating_ips);
    // Nor where this command removes nothing.
    world.context.remove = false;
    let plan = world.plan();
    assert!(made(&plan).is_empty(), "{:?}", plan.floating_ips);
}

#[test]
fn the_list_of_servers_lags_behind() {
    let mut world = floating();
    let name = world.server("small", 1, mins(1));
    let mut marked = ours(&world, "f1", &name);
    marked.in_use = true;
    list(&mut world, vec![marked.clone()]);
    assert!(made(&world.plan()).is_empty(), "one was made for it");
    // By a person, without a mark.
    marked.mark = None;
    marked.server = Some(ServerId::new("server-1"));
    list(&mut world, vec![marked.clone()]);
    assert!(made(&world.plan()).is_empty(), "it has one");
    // That of another server does not count, nor one of another owner.
    marked.server = Some(ServerId::new("server-2"));
    let foreign = resource(ResourceKind::FloatingIp, "f2", Some(("somebody", &name)));
    list(&mut world, vec![marked, foreign]);
    assert_eq!(made(&world.plan()), [name.as_str()]);
    // One that a person took off it is left alone, and said.
    let loose = ours(&world, "f3", &name);
    list(&mut world, vec![loose]);
    let plan = world.plan();
    assert!(made(&plan).is_empty() && swept(&plan).is_empty());
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("f3 that was made for it is unused")),
        "{:?}",
        plan.notes
    );
    // A list that could not be read says nothing.
    world.cloud(CLOUD).resources = Some(Reading::Read(Resources {
        failed: [(ResourceKind::FloatingIp, "timeout".to_owned())].into(),
        ..Resources::default()
    }));
    assert!(made(&world.plan()).is_empty());
}

#[test]
fn a_refused_floating_ip_holds_new_servers_back() {
    let mut world = floating();
    world.config.timing.backoff_first = secs(300);
    let name = world.server("small", 1, mins(1));
    world.items(3, "linux");
    assert_eq!(world.plan().creates.len(), 2);
    let key = BackoffKey::FloatingIp("small".into(), CLOUD.into());
    let (now, timing) = (world.now(), world.config.timing.clone());
    record_failure(
        &mut world.state,
        &key,
        now,
        "over quota: no floating IP left",
        None,
        &timing,
    );
    let plan = world.plan();
    assert!(made(&plan).is_empty() && plan.creates.is_empty() && asks(&plan).is_empty());
    assert!(
        reasons(&plan)[0].contains("floating IPs of template small at openstack: held back"),
        "{plan:?}"
    );
    assert!(
        plan.notes
            .iter()
            .any(|note| note.starts_with("1 server waits for a floating IP: floating IPs of")),
        "{:?}",
        plan.notes
    );
    // Afterwards the server that waits is the probe.
    world.later(mins(7));
    let plan = world.plan();
    assert_eq!((made(&plan), plan.creates.len()), (vec![name.as_str()], 0));
    // A template without floating IPs is not held back.
    world.config.templates[0].spec.floating_ip_pool = None;
    assert!(!world.plan().creates.is_empty());
}

#[test]
fn a_server_that_nobody_reached_says_nothing_of_its_template() {
    for (has_address, key) in [
        (false, "floating IPs of template small at openstack"),
        (true, "template small at openstack"),
    ] {
        let mut world = floating();
        let name = world.server("small", 1, mins(1));
        if has_address {
            give_floating(&mut world, &name);
        }
        world.pass(mins(20));
        let plan = world.plan();
        assert_eq!(plan.state.backoffs.keys().collect::<Vec<_>>(), [key]);
    }
}

#[test]
fn a_floating_ip_goes_with_its_server() {
    let mut world = floating();
    let name = world.up("small", 1, mins(90));
    give_floating(&mut world, &name);
    world.state.swept.insert(CLOUD.into(), world.now() + mins(50));
    world.pass(mins(50));
    let first = world.plan();
    assert_eq!(
        (removed(&first), asks(&first)),
        (vec![name.as_str()], vec![ResourceKind::FloatingIp])
    );
    let mut own = ours(&world, "own", &name);
    own.in_use = true;
    own.server = Some(ServerId::new("server-1"));
    let mut lent = ours(&world, "lent", &name);
    lent.in_use = true;
    lent.server = Some(ServerId::new("somebody's"));
    // A load balancer's, or a cloud that does not tell.
    let mut moved = ours(&world, "moved", &name);
    moved.in_use = true;
    let loose = ours(&world, "loose", &name);
    let bare = Resource {
        server: Some(ServerId::new("server-1")),
        in_use: true,
        ..resource(ResourceKind::FloatingIp, "bare", None)
    };
    let others = ours(&world, "others", &format!("small__{}", id(9)));
    let volume = Resource {
        in_use: true,
        ..resource(ResourceKind::Volume, "volume", Some(("ci", &name)))
    };
    list(&mut world, vec![own, lent, moved, loose, bare, others, volume]);
    let plan = world.plan();
    let going: Vec<&str> = plan.removals[0]
        .floating_ips
        .iter()
        .map(|target| target.id.as_str())
        .collect();
    assert_eq!(going, ["loose", "own"]);
}

#[test]
fn what_is_left_of_a_server_is_swept_once_it_is_gone() {
    let mut world = floating();
    let name = world.server("small", 1, mins(1));
    give_floating(&mut world, &name);
    let plan = world.pass(mins(1));
    assert!(asks(&plan).is_empty(), "a pass that changes nothing asks nothing");
    world.lose_server(&name);
    let plan = world.plan();
    assert_eq!(asks(&plan), [ResourceKind::FloatingIp]);
    assert!(plan.state.gone_servers.contains_key(&name));
    let left = ours(&world, "f1", &name);
    list(&mut world, vec![left]);
    let plan = world.pass(mins(1));
    assert_eq!(swept(&plan), ["f1"]);
    assert_eq!(plan.sweeps[0].template.as_ref().unwrap().as_str(), "small");
    // It could not be removed: the next pass asks again, until it is seen gone.
    unlist(&mut world);
    let plan = world.pass(mins(1));
    assert_eq!(asks(&plan), [ResourceKind::FloatingIp]);
    list(&mut world, Vec::new());
    world.pass(mins(1));
    assert!(world.state.gone_servers.is_empty());
    unlist(&mut world);
    assert!(asks(&world.plan()).is_empty());
}

#[test]
fn what_is_used_young_or_not_ours_is_never_swept() {
    let mut world = floating();
    let gone = format!("small__{}", id(8));
    let living = world.server("small", 1, mins(1));
    give_floating(&mut world, &living);
    let begun = format!("small__{}", id(7));
    world.state.intents.insert(
        id(7),
        mita::state::Intent {
            image: None,
            name: begun.clone(),
            template: "small".into(),
            config: String::new(),
            provider: CLOUD.into(),
            zone: None,
            at: world.now(),
            server_id: None,
            made_for: None,
        },
    );
    let mut used = ours(&world, "used", &gone);
    used.in_use = true;
    let mut young = ours(&world, "young", &gone);
    young.created = Some(world.now() - mins(2));
    let foreign = resource(ResourceKind::FloatingIp, "foreign", Some(("somebody", &gone)));
    let bare = resource(ResourceKind::FloatingIp, "bare", None);
    let of_living = ours(&world, "living", &living);
    let of_begun = ours(&world, "begun", &begun);
    let good = ours(&world, "good", &gone);
    list(&mut world, vec![used, young, foreign, bare, of_living, of_begun, good]);
    assert_eq!(swept(&world.plan()), ["good"]);
    world.context.remove = false;
    assert!(swept(&world.plan()).is_empty());
    world.context.remove = true;
    world.observed.jenkins.quieting_down = Some(true);
    assert!(swept(&world.plan()).is_empty());
    world.observed.jenkins.quieting_down = Some(false);
    world.close(CLOUD);
    assert!(swept(&world.plan()).is_empty());
}

#[test]
fn what_was_marked_by_hand_for_another_server_waits_for_an_operator() {
    let mut world = floating();
    let by_hand = ours(&world, "by hand", "web-shop");
    let good = ours(&world, "good", &format!("small__{}", id(8)));
    list(&mut world, vec![by_hand, good]);
    for _ in 0..3 {
        assert_eq!(swept(&world.pass(mins(1))), ["good"]);
    }
    assert!(
        !world.state.gone_servers.contains_key("web-shop"),
        "looked at in each pass"
    );
    let (leaks, _) = leaks(&world.observed, &world.config, &world.state, &world.context);
    assert!(leaks.iter().any(|leak| leak.name == "by hand" && leak.removable));
}

#[test]
fn what_tells_no_age_needs_two_sightings() {
    let mut world = floating();
    let gone = format!("small__{}", id(8));
    list(
        &mut world,
        vec![resource(ResourceKind::Port, "p1", Some(("ci", &gone)))],
    );
    assert!(swept(&world.pass(mins(1))).is_empty());
    let plan = world.pass(mins(1));
    assert_eq!(swept(&plan), ["p1"]);
    assert!(
        plan.sweeps[0].because.contains("seen in 2 passes"),
        "{}",
        plan.sweeps[0].because
    );
}

#[test]
fn sweeps_count_against_the_removals_of_a_pass() {
    let mut world = floating();
    world.config.limits.max_deletes_per_pass = 2;
    let failed = world.server("small", 1, mins(1));
    world.server_mut(&failed).status = ServerStatus::Error;
    let gone = format!("small__{}", id(8));
    let all = ["a", "b", "c"].map(|id| ours(&world, id, &gone));
    list(&mut world, all.into());
    let plan = world.plan();
    assert_eq!((removed(&plan).len(), swept(&plan)), (1, vec!["a"]));
    assert!(
        plan.notes
            .iter()
            .any(|note| note.starts_with("2 more to remove of what was left")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_lost_state_file_is_made_good_by_a_look_at_everything() {
    let mut world = floating();
    world.config.templates[0].spec.boot_volume = Some(10);
    let port = PortSpec::Made {
        network: "private".to_owned(),
        security_groups: Vec::new(),
        vnic_type: None,
        port_security: None,
    };
    world.config.templates[0].spec.ports.push(port);
    world.state.swept.clear();
    assert_eq!(asks(&world.plan()), ResourceKind::ALL);
    list(&mut world, Vec::new());
    world.pass(mins(1));
    unlist(&mut world);
    assert!(asks(&world.plan()).is_empty());
    // Once an hour.
    world.later(mins(60));
    assert_eq!(asks(&world.plan()), ResourceKind::ALL);
    // Not for templates that make nothing of the kind.
    world.config.templates[0].spec.ports.clear();
    world.config.templates[0].spec.boot_volume = None;
    world.config.templates[0].spec.floating_ip_pool = None;
    assert!(asks(&world.plan()).is_empty());
}

#[test]
fn a_create_that_was_given_up_may_have_left_something() {
    let mut world = floating();
    world.items(1, "linux");
    let create = world.plan().creates[0].clone();
    world.state.intents.insert(
        create.id.clone(),
        mita::state::Intent {
            image: None,
            name: create.name.clone(),
            template: create.template,
            config: String::new(),
            provider: create.provider,
            zone: None,
            at: world.now(),
            server_id: None,
            made_for: None,
        },
    );
    world.observed.jenkins.queue.clear();
    assert!(asks(&world.pass(mins(3))).is_empty());
    assert_eq!(asks(&world.pass(mins(1))), [ResourceKind::FloatingIp]);
}

#[test]
fn a_blank_volume_is_ours_when_its_server_was() {
    const UUID: &str = "0b3cf3a1-5f0f-4a4e-9d5b-7b8a4f1f2d3c";
    let mut world = floating();
    world.config.templates[0].spec.storage = Some(10);
    let name = world.server("small", 1, mins(1));
    world.server_mut(&name).id = ServerId::new(UUID);
    let volume = |uuid: &str| Resource {
        name: format!("{uuid}-blank-vol"),
        ..resource(ResourceKind::Volume, uuid, None)
    };
    let other = UUID.replace('0', "1");
    world.pass(mins(1));
    world.lose_server(&name);
    list(&mut world, vec![volume(UUID), volume(&other)]);
    world.pass(mins(1));
    assert_eq!(swept(&world.plan()), [UUID]);
}

#[test]
fn volumes_are_marked_once_and_only_those_that_nova_made() {
    let mut world = floating();
    world.config.templates[0].spec.storage = Some(10);
    let name = world.server("small", 1, mins(1));
    world.server_mut(&name).volumes = vec!["v1".to_owned()];
    world.server_mut(&name).status = ServerStatus::Build;
    assert!(world.pass(mins(1)).volume_marks.is_empty());
    world.server_mut(&name).status = ServerStatus::Active;
    let plan = world.pass(mins(1));
    assert_eq!(plan.volume_marks[0].volumes, ["v1"]);
    // It failed: once more. It was done: never again, whatever is attached.
    assert_eq!(world.plan().volume_marks.len(), 1);
    world.state.nodes.get_mut(&id(1)).unwrap().volumes_settled = true;
    assert!(world.plan().volume_marks.is_empty());
    // A count that is not what was asked for settles it.
    world.state.nodes.clear();
    world.server_mut(&name).volumes.push("v2".to_owned());
    assert!(world.pass(mins(1)).volume_marks.is_empty());
    world.server_mut(&name).volumes.pop();
    assert!(world.pass(mins(1)).volume_marks.is_empty());
    // So does an age at which others may have been attached.
    world.state.nodes.clear();
    world.later(mins(30));
    assert!(world.plan().volume_marks.is_empty());
}

#[test]
fn the_audit_stops_a_bad_sweep() {
    let mut world = floating();
    let gone = format!("small__{}", id(8));
    let living = world.server("small", 1, mins(1));
    give_floating(&mut world, &living);
    let left = ours(&world, "f1", &gone);
    list(&mut world, vec![left]);
    let plan = world.plan();
    assert_eq!(swept(&plan), ["f1"]);
    let said = |world: &World, plan: &Plan| {
        audit(plan, &world.observed, &world.config, &world.state, &world.context).join("; ")
    };
    assert_eq!(said(&world, &plan), "");
    let change = |change: &dyn Fn(&mut Resource), expected: &str| {
        let mut other = world.clone();
        let mut found = ours(&world, "f1", &gone);
        change(&mut found);
        list(&mut other, vec![found]);
        let said = said(&other, &plan);
        assert!(said.contains(expected), "{said}");
    };
    change(&|found| found.in_use = true, "is in use");
    change(&|found| found.mark = None, "is not ours");
    change(
        &|found| found.mark.as_mut().unwrap().owner = "somebody".to_owned(),
        "is not ours",
    );
    change(&|found| found.id = "f2".to_owned(), "does not list it");
    let mut other = world.clone();
    other.server("small", 8, SignedDuration::ZERO);
    assert!(said(&other, &plan).contains("its server is there"));
    let mut twice = plan.clone();
    twice.sweeps.extend(plan.sweeps.clone());
    assert!(said(&world, &twice).contains("removed twice"));
    world.context.remove = false;
    assert!(said(&world, &plan).contains("the command removes nothing"));
}

#[test]
fn the_audit_refuses_a_floating_ip_for_the_server_of_another_owner() {
    let mut world = floating();
    let name = world.server("small", 1, mins(1));
    let plan = world.plan();
    assert_eq!(made(&plan), [name.as_str()]);
    world.server_mut(&name).mark.as_mut().unwrap().owner = "another".to_owned();
    let broken = audit(&plan, &world.observed, &world.config, &world.state, &world.context).join("; ");
    assert!(
        broken.contains("gets a floating IP and has no mark of ours"),
        "{broken}"
    );
}
