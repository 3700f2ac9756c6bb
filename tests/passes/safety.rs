//! What a pass never does: touch what is busy, foreign, held by a person, or only seems to be absent.

use super::fakes::{Agent, Fault, Kind, Mark, Reply, Service, State, When};
use super::site::{NODES, Site, job};

const QUICK: &str = "timing: {idle_grace: 5m}";

/// A site with one idle node of ours, about to be removed by the next pass.
pub fn about_to_reap() -> (Site, String) {
    let site = Site::with(NODES, QUICK);
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(6);
    assert_eq!(site.servers(), 1);
    let name = site
        .world
        .with(|world| world.jenkins.agents.keys().next().unwrap().clone());
    site.world.advance(300);
    site.world.forget_calls();
    (site, name)
}

/// The request that marks a node offline.
fn our_mark() -> When {
    When::on(Service::Jenkins).method("POST").part("changeOfflineCause")
}

/// Lets a build begin on a node, whatever its marks say.
fn begins_a_build(node: &str) -> impl FnMut(&mut State) + Send + use<> {
    let node = node.to_owned();
    move |world| {
        let clock = world.clock;
        world.jenkins.begin_build(&node, clock, 300);
    }
}

fn killed(site: &Site) -> usize {
    site.world.with(|world| world.jenkins.killed())
}

#[test]
fn a_dry_run_says_all_and_writes_nothing() {
    let (site, name) = about_to_reap();
    site.world.submit(job("other", "linux").blocked("Blocked by x"));
    let before = std::fs::read(site.state_file()).unwrap();
    std::fs::remove_file(site.path("state.json.lock")).unwrap();
    let done = site.mita(&["run", "--dry-run", "-o", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        done.actions(),
        [
            "offline planned small",
            "delete_node planned small",
            "delete_server planned small"
        ]
    );
    site.world.assert_no_writes();
    assert_eq!(std::fs::read(site.state_file()).unwrap(), before);
    assert!(!site.path("state.json.lock").exists());
    let text = site.mita(&["run", "--dry-run"]);
    assert!(
        text.out.contains(&name) && text.out.contains("delete_server"),
        "{}",
        text.out
    );
    assert_eq!(site.pass().actions().len(), 3, "the pass does what the dry run said");
}

#[test]
fn a_busy_node_stays() {
    let (site, name) = about_to_reap();
    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.begin_build(&name, clock, 3600);
    });
    assert!(site.pass().actions().is_empty());
    let refused = site.mita(&["destroy", &name]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{}", refused.err);
    assert!(
        refused.err.contains(&name) && refused.err.contains("busy"),
        "{}",
        refused.err
    );
    site.world.assert_no_writes();
}

#[test]
fn a_build_that_starts_before_our_mark_wins() {
    let (site, name) = about_to_reap();
    site.world.before(our_mark(), begins_a_build(&name));
    let done = site.pass();
    assert_eq!(
        done.actions(),
        [
            "offline done small",
            "delete_node skipped small",
            "delete_server skipped small"
        ]
    );
    assert_eq!((site.servers(), killed(&site)), (1, 0));
    assert!(
        site.world.with(|world| world.jenkins.agent(&name).mark.is_none()),
        "our mark is taken off again"
    );
}

#[test]
fn a_build_that_slips_in_between_mark_and_read_wins() {
    let (site, name) = about_to_reap();
    site.world.after(our_mark(), begins_a_build(&name));
    site.pass();
    assert_eq!((site.servers(), killed(&site)), (1, 0));
    site.minutes(20);
    assert_eq!(killed(&site), 0);
    assert_eq!(site.servers(), 0, "it goes once it is idle again");
}

#[test]
fn a_node_that_a_person_took_offline_stays() {
    let (site, name) = about_to_reap();
    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.agent(&name).mark = Some(Mark::by("admin", "looking at a core dump", clock));
    });
    for _ in 0..10 {
        site.world.advance(600);
        let done = site.mita(&["run", "-o", "json"]);
        assert!(done.actions().is_empty(), "{}", done.out);
    }
    site.world.assert_no_writes();
    let refused = site.mita(&["destroy", &name]);
    assert_eq!(refused.code, 1, "{}", refused.err);
}

#[test]
fn what_is_not_ours_is_never_touched() {
    let site = Site::with(NODES, "timing: {idle_grace: 1m, boot_grace: 2m}");
    site.world.submit(job("build", "linux").seconds(30));
    site.pass();
    // The same name form without a mark, another owner's mark, our mark under another name, a person's agent.
    site.world.with(|world| {
        let ours = world.cloud("openstack").servers[0].clone();
        for (id, name, owner) in [
            ("f1", "small__aaaaaaaaaaaa", None),
            ("f2", "small__bbbbbbbbbbbb", Some("somebody")),
            ("f3", "database", Some("tester")),
        ] {
            let mut server = ours.clone();
            (server.id, server.name) = (id.to_owned(), name.to_owned());
            server.status = "ERROR".to_owned();
            server.metadata.clear();
            if let Some(owner) = owner {
                server.metadata.insert("mita-owner".to_owned(), owner.to_owned());
            }
            world.cloud("openstack").servers.push(server);
        }
    });
    site.world.agent(Agent::new("permanent", &["solaris"]).online());
    site.world.agent(Agent::new("small__bbbbbbbbbbbb", &["linux"]));
    site.minutes(30);
    let left = site.world.with(|world| {
        let names: Vec<String> = world
            .cloud("openstack")
            .servers
            .iter()
            .map(|server| server.name.clone())
            .collect();
        (names, world.jenkins.agents.keys().cloned().collect::<Vec<_>>())
    });
    assert_eq!(left.0, ["small__aaaaaaaaaaaa", "small__bbbbbbbbbbbb", "database"]);
    assert_eq!(left.1, ["permanent", "small__bbbbbbbbbbbb"]);
}

#[test]
fn quieting_down_stops_everything() {
    let (site, _) = about_to_reap();
    site.world.submit(job("more", "linux"));
    site.world.with(|world| world.jenkins.quieting_down = true);
    assert!(site.pass().actions().is_empty());
    site.world.assert_no_writes();
}

#[test]
fn half_a_jenkins_does_not_cost_the_fleet() {
    let site = Site::new();
    for at in 0..8 {
        site.world.submit(job(&format!("j{at}"), "linux").seconds(20_000));
    }
    site.minutes(5);
    site.minutes(5);
    site.minutes(5);
    assert_eq!(site.servers(), 8, "three at first, as a canary, and then the rest");
    let agents = site.world.with(|world| std::mem::take(&mut world.jenkins.agents));
    let mut held = false;
    for _ in 0..30 {
        site.world.advance(60);
        let done = site.mita(&["reap", "-o", "json"]);
        assert!(done.actions().is_empty(), "{}", done.out);
        held |= done.code == 1 && done.err.contains("--force");
    }
    assert!(held, "the guard says that it held something back");
    let status = site.mita(&["status"]);
    assert!(
        status.code == 0 && status.out.contains("guard holds back"),
        "{}",
        status.out
    );
    assert_eq!(site.servers(), 8);
    site.world.with(|world| world.jenkins.agents = agents);
    assert!(site.pass().actions().is_empty());
}

#[test]
fn jenkins_that_cannot_be_read_stops_everything() {
    let (site, _) = about_to_reap();
    site.world.submit(job("more", "linux"));
    for fault in [
        Fault::Instead(Reply::html(503, "<html>Jenkins is getting ready to work")),
        Fault::Instead(Reply::proxy_page(200)),
        Fault::Instead(Reply::redirect(302, "http://127.0.0.1:1/login")),
        Fault::Instead(Reply::typed(200, "application/json", "{}")),
        Fault::Half,
        Fault::Half,
        Fault::DropBefore,
    ] {
        for path in ["/queue", "/computer"] {
            site.world.clear_script();
            site.world
                .fault(When::on(Service::Jenkins).path(path).times(2), fault.clone());
            let done = site.mita(&["run", "-o", "json"]);
            assert_eq!(done.code, 4, "{path} {fault:?}: {}", done.err);
            assert_eq!(done.json()["exit"], 4);
            assert_eq!(done.err.lines().count(), 1, "{}", done.err);
            assert!(done.err.contains("nothing was changed"), "{}", done.err);
        }
    }
    site.world.assert_no_writes();
}

#[test]
fn a_blocked_item_tied_to_a_node_keeps_the_node() {
    let (site, name) = about_to_reap();
    site.world
        .submit(job("other", &name).blocked("Build #2,532 is already in progress (ETA: 1 min)"));
    assert!(site.pass().actions().is_empty());
    site.world.assert_no_writes();
}

#[test]
fn what_is_destroyed_by_name_and_stays_is_said() {
    let (site, name) = about_to_reap();
    site.world.before(our_mark(), begins_a_build(&name));
    let done = site.mita(&["destroy", &name]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.err.contains(&name), "{}", done.err);
    assert_eq!((site.servers(), killed(&site)), (1, 0));
}

#[test]
fn a_person_s_node_is_not_destroyed_by_force() {
    let (site, name) = about_to_reap();
    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.agent(&name).mark = Some(Mark::by("admin", "looking at a core dump", clock));
    });
    let refused = site.mita(&["destroy", "--force", &name]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains(&name), "{}", refused.err);
    site.world.assert_no_writes();
}

#[test]
fn servers_that_outlive_their_nodes_are_no_loss_to_guard_against() {
    let site = Site::with(NODES, "timing: {idle_grace: 5m}\nlimits: {canary: 0}");
    for at in 0..6 {
        site.world.submit(job(&format!("j{at}"), "linux").seconds(30));
    }
    site.minutes(6);
    assert_eq!(site.servers(), 6);
    site.world.advance(300);
    site.world.fault(
        When::on(Service::Nova).method("DELETE").always(),
        Fault::Instead(Reply::html(500, "no")),
    );
    assert_eq!(site.mita(&["run"]).code, 1);
    assert_eq!(site.servers(), 6);
    site.world.clear_script();
    site.world.advance(60);
    let done = site.pass();
    assert_eq!(done.code, 0, "{}", done.err);
    site.world.advance(60);
    site.pass();
    assert_eq!(site.servers(), 0);
}

#[test]
fn a_state_file_that_cannot_be_written_stops_creates_and_hides_nothing() {
    let nodes =
        format!("{NODES}\n  big: {{image_name: ubuntu-24.04, size: m1.small, labels: [big], provider: openstack}}");
    let site = Site::with(&nodes, "timing: {idle_grace: 5m}");
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(6);
    site.world.advance(300);
    for name in ["a", "b"] {
        site.world.submit(job(name, "big"));
    }
    site.world.forget_calls();
    // What is written beside the state cannot replace a folder.
    let beside = site.path("state.json.new");
    let folder = beside.clone();
    site.world.after(When::on(Service::Nova).method("DELETE"), move |_| {
        std::fs::create_dir(&folder).unwrap();
    });
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(
        done.actions(),
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small",
            "create skipped big",
            "create skipped big",
        ]
    );
    assert_eq!((done.code, &done.json()["exit"]), (3, &3.into()), "{}", done.err);
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    assert!(
        done.err.contains("state file") && done.err.contains("cannot be written"),
        "{}",
        done.err
    );
    let posts = |site: &Site| {
        site.world
            .count(|call| call.service == Service::Nova && call.method == "POST")
    };
    assert_eq!(posts(&site), 0, "nothing is asked for that is not written down");
    std::fs::remove_dir(beside).unwrap();
    site.world.advance(60);
    assert_eq!(site.pass().actions(), ["create done big", "create done big"]);
    site.minutes(2);
    assert_eq!(posts(&site), 2);
}

#[test]
fn a_server_whose_agent_joins_after_the_look_stays() {
    let site = Site::with(NODES, "timing: {boot_grace: 3m}");
    site.world.kind("small", Kind::new(&["linux", "x86_64"]).boot(100_000));
    site.world.submit(job("build", "linux").seconds(3000));
    site.minutes(3);
    assert_eq!(site.servers(), 1);
    let name = site
        .world
        .with(|world| world.cloud("openstack").servers[0].name.clone());
    site.world.advance(180);
    // Between the list and the delete the agent joins, and the job that waits for it begins.
    let agent = name.clone();
    site.world
        .after(When::on(Service::Nova).path("/servers/detail"), move |world| {
            let joined = Agent::new(&agent, &["linux", "x86_64"]).online();
            world.jenkins.agents.insert(agent.clone(), joined);
        });
    let done = site.mita(&["reap", "-o", "json"]);
    assert_eq!(done.actions(), ["delete_server skipped small"], "{}", done.err);
    assert_eq!((site.servers(), killed(&site)), (1, 0));
}

#[test]
fn an_agent_that_jenkins_leaves_out_of_its_list_keeps_its_server_while_it_works() {
    let site = Site::with(NODES, "timing: {boot_grace: 3m, offline_grace: 2m}");
    site.world.submit(job("build", "linux").seconds(3000));
    site.minutes(4);
    let name = site
        .world
        .with(|world| world.jenkins.agents.keys().next().unwrap().clone());
    let lists = |listed: bool| {
        let unlist = |world: &mut State| world.jenkins.agents.get_mut(&name).unwrap().unlisted = !listed;
        site.world.with(unlist);
    };
    lists(false);
    let mut said = Vec::new();
    for _ in 0..10 {
        site.world.advance(60);
        said.push(site.pass());
    }
    assert_eq!((site.servers(), killed(&site)), (1, 0));
    let last = said.last().unwrap();
    assert_eq!(last.actions(), ["delete_server skipped small"], "{}", last.err);
    let reason = format!("its node \\\"{name}\\\" is there, though Jenkins' list lacks it");
    assert!(last.out.contains(&reason), "{}", last.out);
    // Listed again, it is as any other.
    lists(true);
    assert_eq!(site.pass().actions(), Vec::<String>::new());
    // So does one that was never seen to join; one that is gone does not.
    lists(false);
    std::fs::remove_file(site.state_file()).unwrap();
    site.minutes(6);
    assert_eq!((site.servers(), killed(&site)), (1, 0));
    site.world.with(|world| world.jenkins.agents.remove(&name));
    site.world.advance(60);
    let done = site.pass();
    assert_eq!(
        done.actions(),
        ["delete_server done small"],
        "{} {}",
        done.out,
        done.err
    );
}

#[test]
fn a_list_without_even_the_built_in_node_is_no_list() {
    let (site, _) = about_to_reap();
    let empty = Fault::Instead(Reply::typed(200, "application/json", r#"{"computer":[]}"#));
    site.world
        .fault(When::on(Service::Jenkins).path("/computer/api").always(), empty);
    for _ in 0..20 {
        site.world.advance(60);
        let done = site.mita(&["run", "-o", "json"]);
        assert_eq!(done.code, 4, "{}", done.err);
    }
    site.world.assert_no_writes();
}
