//! Two clouds in one pass: what happens to the one must not harm the other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fakes::{Call, FakeOpenStack, Fault, Gate, Kind, Reply, Service, When};
use super::program::Done;
use super::site::{self, Site, job};

/// `small` stands at one cloud, `other` at the spare one, `both` at the spare one first.
const NODES: &str = "
  small: {image_name: ubuntu-24.04, size: m1.small, networks: [private], labels: [linux], provider: openstack}
  other: {image_name: ubuntu-24.04, size: m1.small, networks: [private], labels: [arm], provider: spare}
  both:
    image_name: ubuntu-24.04
    size: m1.small
    networks: [private]
    labels: [big]
    provider: [spare, openstack]
";

/// A site with two clouds. The wait for a request is a second, a long wait is half a second.
struct Two {
    site: Site,
    spare: FakeOpenStack,
}

impl Two {
    fn new(limits: &str) -> Self {
        let more = format!("limits: {{canary: 0, {limits}}}\ntiming: {{idle_grace: 3m}}");
        let site = Site::with(NODES, &more);
        let spare = FakeOpenStack::start(&site.world, "spare");
        site.world.kind("other", Kind::new(&["arm"]));
        site.world.kind("both", Kind::new(&["big"]));
        let entry = format!("provider:\n{}    timeout: 1\n", spare.yaml());
        site.change_config("provider:\n  openstack", &format!("{entry}  openstack"));
        site.change_config("timeout: 5", "timeout: 2");
        Self { site, spare }
    }

    /// A site where one server of `small` and so many of `other` stand idle and are to go.
    fn idle(limits: &str, others: usize) -> Self {
        let two = Self::new(limits);
        two.site.world.submit(job("linux", "linux").seconds(30));
        for at in 0..others {
            two.site.world.submit(job(&format!("arm{at}"), "arm").seconds(30));
        }
        // The last pass that does not remove them yet.
        two.site.minutes(4);
        assert_eq!((two.servers("openstack"), two.servers("spare")), (1, others));
        two.site.world.advance(300);
        two.site.world.forget_calls();
        two
    }

    fn run(&self) -> Done {
        self.site.mita(&["run", "-o", "json"])
    }

    fn servers(&self, cloud: &str) -> usize {
        self.site.world.with(|world| {
            let servers = world.cloud(cloud).servers.iter();
            servers.filter(|server| server.deleting.is_none()).count()
        })
    }

    /// Spoils every request to the spare cloud that is meant.
    fn spoil(&self, when: When, fault: Fault) {
        self.spoil_if(when, |_| true, fault);
    }

    fn spoil_if(&self, when: When, test: impl Fn(&Call) -> bool + Send + 'static, fault: Fault) {
        let when = when.test(move |call| call.cloud == "spare" && test(call)).always();
        self.site.world.fault(when, fault);
    }

    fn asked(&self, cloud: &str, method: &str) -> usize {
        self.site
            .world
            .count(|call| call.cloud == cloud && call.method == method && call.service == Service::Nova)
    }
}

fn refusal(status: u16) -> Fault {
    Fault::Instead(Reply::json(
        status,
        &json!({"error": {"code": status, "title": "Bad", "message": "no"}}),
    ))
}

/// It never answers.
fn hanging() -> Fault {
    Fault::Held(Gate::default())
}

fn kept(state: &Value, provider: &str) -> usize {
    let nodes = state["nodes"].as_object().unwrap().values();
    nodes.filter(|node| node["provider"] == provider).count()
}

/// With the spare cloud in this state the other does all of its work, and the spare one loses nothing.
fn unharmed(what: &str, weather: impl FnOnce(&Two)) -> Two {
    let two = Two::idle("pass_deadline: 15s", 1);
    two.site.world.submit(job("big", "big"));
    weather(&two);
    let began = Instant::now();
    let done = two.run();
    assert_eq!(done.code, 1, "{what}: {}\n{}", done.out, done.err);
    assert_eq!(
        done.actions(),
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small",
            "create done both"
        ],
        "{what}: {}",
        done.err
    );
    assert!(done.err.contains("provider spare"), "{what}: {}", done.err);
    assert_eq!((two.servers("openstack"), two.servers("spare")), (1, 1), "{what}");
    assert_eq!(kept(&two.site.state(), "spare"), 1, "{what}: it is not forgotten");
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{what}: {:?}",
        began.elapsed()
    );
    two.site.world.clear_script();
    two
}

#[test]
fn a_cloud_that_is_down_harms_no_other() {
    unharmed("connection refused", |two| two.spare.stop());
    unharmed("dropped", |two| two.spoil(When::any(), Fault::DropBefore));
    unharmed("500", |two| two.spoil(When::on(Service::Nova), refusal(500)));
    unharmed("a proxy's page", |two| {
        two.spoil(When::any(), Fault::Instead(Reply::proxy_page(503)));
    });
}

#[test]
fn a_wrong_login_harms_no_other() {
    unharmed("401", |two| two.spoil(When::on(Service::Keystone), refusal(401)));
    unharmed("403", |two| two.spoil(When::on(Service::Nova), refusal(403)));
}

#[test]
fn a_cloud_that_hangs_harms_no_other() {
    unharmed("login", |two| two.spoil(When::on(Service::Keystone), hanging()));
    unharmed("list", |two| {
        two.spoil(When::on(Service::Nova), hanging());
    });
    let drip = Fault::Drip {
        bytes: 1,
        pause: Duration::from_millis(50),
    };
    unharmed("drip", |two| two.spoil(When::on(Service::Nova), drip));
}

fn throttled(after: &str) -> Fault {
    let body = json!({"overLimit": {"code": 429, "message": "too many"}});
    Fault::Instead(Reply::json(429, &body).header("Retry-After", after))
}

#[test]
fn a_cloud_that_throttles_harms_no_other() {
    // Alone it would be waited for, 25 s at a time.
    for (seconds, service) in [
        ("3", Service::Nova),
        ("25", Service::Keystone),
        ("25", Service::Nova),
        ("60", Service::Nova),
    ] {
        let two = unharmed(seconds, |two| two.spoil(When::on(service), throttled(seconds)));
        // A wait would end in asking again.
        let asked = two
            .site
            .world
            .count(|call| call.cloud == "spare" && call.service == service);
        assert_eq!(asked, 1, "{seconds} s: not waited for");
    }
}

#[test]
fn a_create_that_is_throttled_holds_up_no_other() {
    let two = Two::new("pass_deadline: 5m");
    two.site.world.submit(job("big", "big"));
    two.site.world.submit(job("linux", "linux"));
    two.spoil(When::on(Service::Nova).method("POST").path("/servers"), throttled("25"));
    let done = two.run();
    assert_eq!(done.code, 1, "{}", done.err);
    assert_eq!(
        (two.asked("spare", "POST"), two.servers("openstack")),
        (1, 2),
        "{}",
        done.out
    );
    assert_eq!(
        done.actions(),
        ["create failed both", "create done small", "create done both"]
    );
}

#[test]
fn a_cloud_that_asks_for_a_day_is_left_alone_for_the_longest_back_off() {
    let site = Site::with(site::NODES, "timing: {backoff_first: 20s, backoff_max: 2m}");
    let body = json!({"overLimit": {"code": 429, "message": "too many"}});
    let reply = Reply::json(429, &body).header("Retry-After", "86400");
    let post = When::on(Service::Nova).method("POST").path("/servers");
    site.world.fault(post.always(), Fault::Instead(reply));
    site.world.submit(job("build", "linux"));
    let posts = || {
        let code = site.mita(&["run"]).code;
        // The back-off begins when the answer is there, a moment after the pass.
        site.world.advance(61);
        let is_post = |call: &Call| call.service == Service::Nova && call.method == "POST";
        (code, site.world.count(is_post))
    };
    let after: Vec<_> = (0..6).map(|_| posts()).collect();
    assert_eq!(after, [(1, 1), (0, 1), (1, 2), (0, 2), (1, 3), (0, 3)]);
}

#[test]
fn what_a_cloud_offers_may_fail_as_well() {
    for (what, service) in [("images", Service::Glance), ("flavors and limits", Service::Nova)] {
        let two = Two::idle("pass_deadline: 15s", 1);
        two.site.world.submit(job("big", "big"));
        two.spoil_if(When::on(service), |call| !call.path.starts_with("/servers"), hanging());
        let done = two.run();
        assert!(done.code <= 1, "{what}: {}", done.err);
        assert!(
            done.actions().contains(&"create done both".to_owned()),
            "{what}: {}",
            done.err
        );
    }
}

#[test]
fn a_cloud_without_room_is_passed_over() {
    let two = Two::idle("pass_deadline: 15s", 1);
    two.site.world.with(|world| world.cloud("spare").quota.cores = 1);
    two.site.world.submit(job("big", "big"));
    two.site.world.submit(job("arm again", "arm && !linux"));
    two.site.world.submit(job("arm once more", "arm"));
    let done = two.run();
    assert_eq!(done.code, 0, "a quota is no failure: {}", done.err);
    assert_eq!(two.servers("openstack"), 1);
    assert!(done.actions().contains(&"create done both".to_owned()), "{}", done.out);
    let unmet = &done.json()["unmet"][0];
    assert!(
        unmet["reason"]
            .as_str()
            .unwrap()
            .contains("spare: needs 1 vCPUs, 0 left in the quota"),
        "{unmet}"
    );
    assert_eq!(two.asked("spare", "POST"), 0, "no request that must be refused");
}

#[test]
fn deletes_that_hang_end_the_requests_to_that_cloud_only() {
    let two = Two::idle("pass_deadline: 15s", 4);
    two.site.world.submit(job("big", "big"));
    two.spoil(When::on(Service::Nova).method("DELETE"), hanging());
    let done = two.run();
    assert_eq!(done.code, 1, "{}", done.err);
    assert_eq!(two.asked("spare", "DELETE"), 2, "each would wait for its own timeout");
    let actions = done.actions();
    let count = |what: &str| actions.iter().filter(|action| *action == what).count();
    assert_eq!(
        (count("delete_server done small"), count("create done both")),
        (1, 1),
        "{actions:?}"
    );
    assert_eq!(
        (
            count("delete_server failed other"),
            count("delete_server skipped other")
        ),
        (2, 2)
    );
    assert_eq!(
        count("delete_node skipped other"),
        2,
        "a node stays with its server: {actions:?}"
    );
    assert!(
        done.err.contains("provider spare") && done.err.contains("it does not answer"),
        "{}",
        done.err
    );
    assert_eq!(two.servers("openstack"), 1, "made where there are answers");
    // The next pass goes on with them.
    two.site.world.clear_script();
    two.site.world.advance(60);
    let done = two.run();
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(two.servers("spare"), 0, "{:?}", done.actions());
}

#[test]
fn a_slow_cloud_comes_last() {
    let two = Two::idle("pass_deadline: 12s", 1);
    two.site.world.submit(job("big", "big"));
    // In the order of the names the slow one would come first: `other` before `small`.
    two.spoil(
        When::on(Service::Nova).path("/servers/detail"),
        Fault::Late(Duration::from_millis(600)),
    );
    let done = two.run();
    assert_eq!(done.code, 0, "{}", done.err);
    let deleted: Vec<String> = two
        .site
        .world
        .calls()
        .iter()
        .filter(|call| call.writes() && call.service == Service::Nova)
        .map(|call| format!("{} {}", call.method, call.cloud))
        .collect();
    assert_eq!(deleted, ["DELETE openstack", "POST spare", "DELETE spare"]);
}

#[test]
fn a_list_that_takes_too_long_is_cut_at_its_share() {
    let two = Two::idle("pass_deadline: 3s", 1);
    two.site.world.submit(job("big", "big"));
    two.site.change_config("timeout: 1\n", "timeout: 60\n");
    two.spoil(When::on(Service::Nova), hanging());
    let done = two.run();
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(
        done.err.contains("it may take 1 s here, as other clouds wait"),
        "{}",
        done.err
    );
    assert!(done.actions().contains(&"create done both".to_owned()), "{}", done.out);
}

#[test]
fn every_zone_is_held_back_and_probed_for_itself() {
    let nodes = NODES.replace(
        "provider: [spare, openstack]",
        "provider: [spare, openstack]\n    availability_zone: [az1, az2]",
    );
    let two = Two::new("pass_deadline: 15s");
    two.site.change_config(NODES, &nodes);
    let no_port = json!({"forbidden": {"code": 403, "message": "Quota exceeded for resources: ['port']"}});
    two.spoil_if(
        When::on(Service::Nova).method("POST"),
        |call| call.json()["server"]["availability_zone"] == "az1",
        Fault::Instead(Reply::json(403, &no_port)),
    );
    for at in 0..3 {
        two.site.world.submit(job(&format!("big{at}"), "big").seconds(100_000));
    }
    let done = two.run();
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        done.actions(),
        [
            "create refused both",
            "create done both",
            "create done both",
            "create done both"
        ]
    );
    assert_eq!(
        (two.servers("spare"), two.servers("openstack")),
        (3, 0),
        "the other zone of the same cloud"
    );
    let held: Vec<String> = two.site.state()["backoffs"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(held, ["template both at spare/az1"]);
    // After its time one probe goes there again, the others go where nothing failed.
    two.site.minutes(3);
    two.site.world.clear_script();
    for at in 0..3 {
        two.site.world.submit(job(&format!("more{at}"), "big").seconds(100_000));
    }
    two.site.pass();
    let zones: Vec<String> = two.site.world.with(|world| {
        let servers = world.cloud("spare").servers.iter();
        servers.map(|server| server.zone.clone()).collect()
    });
    assert_eq!(zones.iter().filter(|zone| *zone == "az1").count(), 1, "{zones:?}");
    assert_eq!(zones.len(), 6);
}
