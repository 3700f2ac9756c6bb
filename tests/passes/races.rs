//! Every race of a removal, one by one: what the pass asks for, and what is left of node, mark, build and server.
//!
//! Thousands of random orders of the same events are tried in `src/jenkins/tests/races`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fakes::{Fault, Gate, Mark, Reply, Service, State, When};
use super::program::Done;
use super::program::run_at;
use super::safety::about_to_reap;
use super::site::{Site, job};

const READ: &str = "GET api/json";
const MARK: &str = "POST changeOfflineCause";
const BACK: &str = "POST toggleOffline";
const DELETE: &str = "POST doDelete";
const SERVER: &str = "DELETE server";

/// A site whose next pass removes its one node; from now on work is handed out only where a test says so.
fn site() -> (Site, String) {
    let (site, name) = about_to_reap();
    site.world.with(|world| world.jenkins.by_hand = true);
    (site, name)
}

fn request(verb: &str) -> When {
    When::on(Service::Jenkins).method("POST").part(verb)
}

/// The reading of the node: the first before the mark, the second after it.
fn reading(nth: u32) -> When {
    When::on(Service::Jenkins)
        .method("GET")
        .path("/computer/small__")
        .skip(nth - 1)
}

/// The requests about the node and its server, in order.
fn requests(site: &Site) -> Vec<String> {
    let about = |call: &super::fakes::Call| match (call.service, call.method.as_str()) {
        (Service::Jenkins, method) if call.path.starts_with("/computer/small__") => {
            let verb = call.path.splitn(4, '/').nth(3).unwrap_or_default();
            Some(format!("{method} {verb}"))
        }
        (Service::Nova, "DELETE") => Some(SERVER.to_owned()),
        _ => None,
    };
    site.world.calls().iter().filter_map(about).collect()
}

/// A build of the node's label is queued.
fn queued(world: &mut State) {
    world.submit(job("late", "linux").seconds(30));
}

/// A build is queued and given a work unit on the node; its executor's thread has not begun.
fn handed_out(world: &mut State) {
    queued(world);
    world.jenkins.begin_round();
    world.jenkins.end_round(world.clock);
}

/// Every executor's thread comes to its end: its build begins, or its item goes back into the queue.
fn threads(world: &mut State) {
    for _ in 0..2 {
        for at in world.jenkins.units() {
            world.jenkins.step_thread(at, world.clock);
        }
    }
}

/// A build is queued, handed out, and begins.
fn begun(world: &mut State) {
    handed_out(world);
    threads(world);
}

fn mark_of(site: &Site, name: &str) -> Option<String> {
    site.world
        .with(|world| world.jenkins.agents.get(name)?.mark.clone())
        .map(|mark| mark.message)
}

/// Builds that were killed, that run, and that wait.
fn builds(site: &Site) -> (usize, usize, usize) {
    site.world.with(|world| {
        let runs = world.jenkins.builds.iter().filter(|b| !b.done && b.unit.is_none());
        (world.jenkins.killed(), runs.count(), world.jenkins.queue.len())
    })
}

/// The node and its server are there, and the node works: no mark of ours is left on it.
fn assert_kept(site: &Site, name: &str) {
    assert_eq!((site.servers(), mark_of(site, name)), (1, None));
    assert!(site.world.with(|world| world.jenkins.agents.contains_key(name)));
}

fn assert_removed(site: &Site, name: &str) {
    // What was deleted while it worked stays listed for some seconds.
    assert!(
        !site
            .world
            .with(|world| world.jenkins.nodes().any(|node| node.name == *name))
    );
    assert!(requests(site).ends_with(&[SERVER.to_owned()]));
}

fn pass(site: &Site) -> Done {
    site.mita(&["run", "-o", "json"])
}

#[test]
fn nobody_interferes() {
    let (site, name) = site();
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ, DELETE, SERVER]);
    assert_removed(&site, &name);
}

/// A person presses Disconnect, or runs `disconnect-node`.
fn disconnects(cli: bool, name: &str) -> impl Fn(&mut State) + Send + use<> {
    let name = name.to_owned();
    move |world: &mut State| {
        let cause = if cli {
            Mark::by_cli("moving it", world.clock)
        } else {
            Mark::by("admin", "moving it", world.clock)
        };
        world.jenkins.disconnect(&name, cause);
    }
}

#[test]
fn a_person_disconnects_the_node_while_it_is_removed() {
    // The mark hides the disconnect, and not that the channel is gone.
    let moments: [fn() -> When; 3] = [|| reading(1), || request("changeOfflineCause"), || reading(2)];
    for (nth, at) in moments.into_iter().enumerate() {
        let expected: &[&str] = if nth == 0 { &[READ] } else { &[READ, MARK, READ, BACK] };
        for cli in [false, true] {
            let (site, name) = site();
            site.world.before(at(), disconnects(cli, &name));
            pass(&site);
            assert_eq!(requests(&site), expected);
            assert_kept(&site, &name);
            site.world.clear_script();
            site.world.forget_calls();
            for _ in 0..3 {
                site.world.advance(600);
                pass(&site);
            }
            assert_eq!(requests(&site), [""; 0], "it is a person's from now on");
            assert_kept(&site, &name);
        }
    }
}

#[test]
fn a_build_begins_after_the_list_and_before_the_first_reading() {
    let (site, name) = site();
    site.world.before(reading(1), begun);
    pass(&site);
    assert_eq!(requests(&site), [READ]);
    assert_eq!(builds(&site), (0, 1, 0));
    assert_kept(&site, &name);
}

#[test]
fn a_build_begins_between_the_reading_and_the_mark() {
    let (site, name) = site();
    site.world.before(request("changeOfflineCause"), begun);
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ, BACK]);
    assert_eq!(builds(&site), (0, 1, 0));
    assert_kept(&site, &name);
}

#[test]
fn a_build_that_was_handed_out_before_the_mark_and_had_not_begun_goes_back_into_the_queue() {
    let (site, name) = site();
    site.world.before(request("changeOfflineCause"), handed_out);
    site.world.after(reading(2), threads);
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ, BACK]);
    assert_eq!(builds(&site), (0, 0, 1), "it waits again");
    assert_kept(&site, &name);
    site.world.with(begun_again);
    assert_eq!(builds(&site).1, 1, "and runs on the same node");
}

fn begun_again(world: &mut State) {
    world.jenkins.begin_round();
    world.jenkins.end_round(world.clock);
    threads(world);
}

#[test]
fn the_mark_waits_for_the_round_in_progress() {
    let (site, name) = site();
    // The round has read that the node is online, and hands the item out after the mark.
    site.world.before(request("changeOfflineCause"), |world| {
        queued(world);
        world.jenkins.begin_round();
    });
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ, BACK]);
    assert_kept(&site, &name);
}

#[test]
fn a_build_that_is_queued_after_the_mark_is_not_offered_the_node() {
    for between in [reading(2), request("doDelete")] {
        let (site, name) = site();
        site.world.before(between, begun);
        pass(&site);
        assert_eq!(requests(&site), [READ, MARK, READ, DELETE, SERVER]);
        assert_eq!(builds(&site), (0, 0, 1), "it waits for another node");
        assert_removed(&site, &name);
        site.world.with(|world| world.jenkins.by_hand = false);
        site.minutes(5);
        assert_eq!(builds(&site), (0, 0, 0), "and has run on it");
    }
}

#[test]
fn an_admin_takes_our_mark_off_before_the_second_reading() {
    let (site, name) = site();
    let node = name.clone();
    site.world.before(reading(2), move |world| {
        world.unmark(&node);
        begun(world);
    });
    let done = pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ]);
    assert_eq!(builds(&site), (0, 1, 0));
    assert_kept(&site, &name);
    assert!(done.out.contains("skipped"), "{}", done.out);
}

#[test]
fn an_admin_puts_another_mark_over_ours() {
    let (site, name) = site();
    let node = name.clone();
    site.world
        .before(reading(2), move |world| world.mark(&node, "admin", "a core dump"));
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ]);
    assert_eq!(
        (site.servers(), mark_of(&site, &name).as_deref()),
        (1, Some("a core dump"))
    );
}

/// The race that stays open. Jenkins has no "delete if idle": whoever takes our mark off in the moment between our last
/// reading and the delete, and gives the node a build in the same moment, loses that build.
#[test]
fn the_open_race_needs_both_the_mark_taken_off_and_a_build_begun_before_the_delete() {
    for (lifted, builds_begin, killed) in [(true, true, 1), (true, false, 0), (false, true, 0)] {
        let (site, name) = site();
        let node = name.clone();
        site.world.before(request("doDelete"), move |world| {
            if lifted {
                world.unmark(&node);
            }
            if builds_begin {
                begun(world);
            }
        });
        pass(&site);
        assert_eq!(
            requests(&site),
            [READ, MARK, READ, DELETE, SERVER],
            "nothing stands between the last two"
        );
        assert_eq!(builds(&site).0, killed, "{lifted} {builds_begin}");
        assert_removed(&site, &name);
    }
}

#[test]
fn a_mark_that_somebody_takes_off_while_we_do_is_known_for_ours_later() {
    let (site, name) = site();
    site.world.before(request("changeOfflineCause"), begun);
    let node = name.clone();
    site.world
        .before(request("toggleOffline"), move |world| world.unmark(&node));
    pass(&site);
    let mark = mark_of(&site, &name).expect("the toggle has set a mark again");
    assert!(mark.starts_with("mita: removing"), "{mark:?}");
    site.world.clear_script();
    site.world.forget_calls();
    site.world.advance(10);
    pass(&site);
    assert_eq!(requests(&site), [READ, BACK]);
    assert_eq!(builds(&site).0, 0);
    assert_kept(&site, &name);
}

#[test]
fn a_lost_answer_to_the_mark_is_gone_on_from_by_the_next_pass() {
    let (site, name) = site();
    site.world.fault(request("changeOfflineCause"), Fault::DropAfter);
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK]);
    assert_eq!(site.servers(), 1);
    site.world.forget_calls();
    site.world.advance(60);
    pass(&site);
    assert_eq!(requests(&site), [READ, DELETE, SERVER]);
    assert_removed(&site, &name);
}

#[test]
fn a_lost_answer_to_the_delete_costs_the_server_a_pass() {
    let (site, name) = site();
    site.world.fault(request("doDelete"), Fault::DropAfter);
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ, DELETE]);
    assert_eq!(site.servers(), 1, "whether the node is gone is not known yet");
    for _ in 0..30 {
        site.world.advance(60);
        pass(&site);
    }
    assert_eq!(site.servers(), 0, "{name}");
}

#[test]
fn jenkins_restarts_after_the_mark() {
    let (site, name) = site();
    site.world.before(reading(2), |world| world.jenkins.go_down());
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ]);
    assert_eq!(site.servers(), 1);
    assert!(mark_of(&site, &name).is_some(), "a mark outlives a restart");
    site.world.with(|world| world.jenkins.starting = false);
    for _ in 0..30 {
        site.world.advance(60);
        pass(&site);
    }
    assert_eq!((site.servers(), builds(&site).0), (0, 0));
}

/// A second mita on the same controller and project, with an owner and a state file of its own.
fn second(site: &Site, owner: &str) -> PathBuf {
    let text = std::fs::read_to_string(site.config()).unwrap();
    let own = text
        .replace("owner: tester", &format!("owner: {owner}"))
        .replace("state.json", "second.json");
    let path = site.path("second.yaml");
    std::fs::write(&path, own).unwrap();
    path
}

/// Runs the second while the first waits for the answer to one of its requests.
fn meanwhile(site: &Site, first_waits_at: When, second: &Path) -> Done {
    let gate = Gate::default();
    let (sender, receiver) = std::sync::mpsc::channel();
    site.world.after(first_waits_at, move |_| {
        let _ = sender.send(());
    });
    site.world
        .fault(request("changeOfflineCause"), Fault::Held(gate.clone()));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| pass(site));
        receiver.recv().unwrap();
        run_at(site.world.now(), second, &["run", "-o", "json"], Arc::default());
        gate.open();
        first.join().unwrap()
    })
}

#[test]
fn two_passes_of_two_owners_leave_each_other_alone() {
    let (site, name) = site();
    let other = second(&site, "somebody");
    meanwhile(&site, request("changeOfflineCause"), &other);
    // All requests about the node are the owner's.
    assert_eq!(requests(&site), [READ, MARK, READ, DELETE, SERVER]);
    assert_removed(&site, &name);
}

#[test]
fn two_passes_of_one_owner_by_mistake_kill_nothing() {
    let (site, name) = site();
    let same = second(&site, "tester");
    std::fs::copy(site.state_file(), site.path("second.json")).unwrap();
    site.world.after(request("changeOfflineCause"), queued);
    let done = meanwhile(&site, request("changeOfflineCause"), &same);
    // The second finds the mark of the first, goes on from there, and the first finds the node gone.
    assert_eq!(
        requests(&site),
        [READ, MARK, READ, DELETE, SERVER, READ, SERVER],
        "{}",
        done.err
    );
    assert_eq!(builds(&site), (0, 0, 1));
    assert!(!site.world.with(|world| world.jenkins.agents.contains_key(&name)));
}

#[test]
fn a_page_of_a_proxy_is_no_second_reading() {
    let (site, name) = site();
    site.world.fault(reading(2), Fault::Instead(Reply::proxy_page(200)));
    pass(&site);
    assert_eq!(requests(&site), [READ, MARK, READ]);
    assert_eq!(site.servers(), 1);
    assert!(mark_of(&site, &name).is_some());
}
