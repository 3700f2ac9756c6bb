//! `mita leaks`: what is listed, what goes with `--delete`, what is never touched.

use serde_json::Value;

use super::fakes::{Agent, CloudServer, Volume};
use super::program::Done;
use super::resources::{FLOATING, GONE, floating_ips, leftover};
use super::site::{Site, job};

const UUID: &str = "0b3cf3a1-5f0f-4a4e-9d5b-7b8a4f1f2d3c";

fn server(site: &Site, name: &str, owner: Option<&str>, age: i64) -> String {
    site.world.with(|world| {
        let clock = world.clock;
        let cloud = world.cloud("openstack");
        let (image, flavor) = (cloud.images[0].id.clone(), cloud.flavors[1].id.clone());
        let mut server = CloudServer::running(name, &image, &flavor);
        server.created = clock - age;
        server.network.clone_from(&cloud.networks[0].id);
        if let Some(owner) = owner {
            server.metadata.insert("mita-owner".to_owned(), owner.to_owned());
        }
        let id = server.id.clone();
        cloud.servers.push(server);
        id
    })
}

fn volume(id: &str, name: &str, created: i64) -> Volume {
    Volume {
        id: id.to_owned(),
        name: name.to_owned(),
        size: 1,
        status: "available".to_owned(),
        server: None,
        delete_on_termination: false,
        metadata: std::collections::BTreeMap::new(),
        created,
    }
}

/// A site with something of every kind that is accounted for nowhere, and with things that are.
fn leaky() -> Site {
    let site = Site::with(FLOATING, "");
    site.world.submit(job("build", "linux").seconds(36_000));
    site.pass();
    site.minutes(3);
    server(&site, "small__00000000beef", Some("tester"), 3600);
    server(&site, "small__00000000cafe", Some("tester"), 60);
    server(&site, "keep-me", Some("tester"), 3600);
    server(&site, "small__00000000f00d", Some("others"), 3600);
    server(&site, "small__00000000bead", None, 3600);
    server(&site, "database", None, 3600);
    site.world.agent(Agent::new("small__00000000dead", &["linux"]));
    site.world.with(|world| {
        let old = world.clock - 3600;
        let cloud = world.cloud("openstack");
        cloud.floating_ips.push(leftover("ours", GONE, old));
        cloud.floating_ips.push(leftover("young", GONE, old + 3500));
        cloud
            .floating_ips
            .push(leftover("theirs", &GONE.replace("tester", "others"), old));
        cloud.floating_ips.push(leftover("a person", "", old));
        cloud.volumes.push(volume("v-blank", &format!("{UUID}-blank-vol"), old));
        cloud.volumes.push(volume("v-person", "mine", old));
        let mut marked = volume("v-ours", "", old);
        marked.metadata.insert("mita-owner".to_owned(), "tester".to_owned());
        marked
            .metadata
            .insert("mita-server".to_owned(), "small__00000000dead".to_owned());
        cloud.volumes.push(marked);
    });
    site.world.forget_calls();
    site
}

fn rows(done: &Done) -> Vec<String> {
    let json = done.json();
    assert_eq!(json["version"], 1);
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let rows = json["leaks"].as_array().expect("leaks").iter().map(|row| {
        assert_eq!(row["ours"], Value::Bool(row["owner"] == "ours"), "{row}");
        assert!(row["because"].as_str().is_some_and(|text| !text.is_empty()), "{row}");
        let mark = if row["removable"] == true { " goes" } else { "" };
        format!(
            "{} {} {}{mark}",
            word(&row["kind"]),
            word(&row["owner"]),
            word(&row["name"])
        )
    });
    rows.collect()
}

#[test]
fn everything_that_is_accounted_for_nowhere_is_listed() {
    let site = leaky();
    let before = std::fs::read(site.state_file()).unwrap();
    let done = site.mita(&["leaks", "-o", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        rows(&done),
        [
            "server ours keep-me goes",
            "server unknown small__00000000bead",
            "server ours small__00000000beef goes",
            "server foreign small__00000000f00d",
            "floating_ip ours 198.51.100.4 goes",
            "floating_ip ours 198.51.100.5",
            "floating_ip foreign 198.51.100.6",
            "floating_ip unknown 198.51.100.8",
            "volume unknown 0b3cf3a1-5f0f-4a4e-9d5b-7b8a4f1f2d3c-blank-vol",
            "volume ours v-ours goes",
            "jenkins_node ours small__00000000dead goes",
        ]
    );
    site.world.assert_no_writes();
    assert_eq!(std::fs::read(site.state_file()).unwrap(), before);
    let text = site.mita(&["leaks"]).out;
    assert!(text.contains("11 leaks, of which --delete removes 5"), "{text}");
    assert!(
        text.contains("server       ours    keep-me at openstack (") && text.contains(", 1h 00m old: "),
        "{text}"
    );
}

#[test]
fn delete_removes_what_is_ours_and_nothing_else() {
    let site = leaky();
    let dry = site.mita(&["leaks", "--delete", "-n", "-o", "json"]);
    site.world.assert_no_writes();
    let planned = dry.actions();
    assert_eq!(
        planned,
        [
            "delete_server planned small",
            "delete_server planned keep-me",
            "offline planned small",
            "delete_node planned small",
            "delete_floating_ip planned small",
            "delete_volume planned small"
        ]
    );
    let done = site.mita(&["leaks", "--delete", "-o", "json"]);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    let expected: Vec<String> = planned.iter().map(|row| row.replace("planned", "done")).collect();
    assert_eq!(done.actions(), expected);
    site.world.advance(60);
    let after = site.mita(&["leaks", "-o", "json"]);
    assert!(
        rows(&after).iter().all(|row| !row.ends_with(" goes")),
        "{:?}",
        rows(&after)
    );
    site.world.with(|world| {
        let cloud = world.cloud("openstack");
        let names: Vec<&str> = cloud.servers.iter().map(|s| s.name.as_str()).collect();
        for kept in [
            "small__00000000cafe",
            "small__00000000f00d",
            "small__00000000bead",
            "database",
        ] {
            assert!(names.contains(&kept), "{names:?}");
        }
        let volumes: Vec<&str> = cloud.volumes.iter().map(|v| v.id.as_str()).collect();
        assert_eq!(volumes, ["v-blank", "v-person"]);
        assert_eq!(world.jenkins.killed(), 0);
    });
    assert_eq!(floating_ips(&site).len(), 4, "that of the living server among them");
}

#[test]
fn nothing_goes_while_jenkins_is_quieting_down() {
    let site = leaky();
    site.world.with(|world| world.jenkins.quieting_down = true);
    let done = site.mita(&["leaks", "--delete", "-o", "json"]);
    assert_eq!((done.code, done.actions().len()), (1, 0), "{}", done.err);
    assert!(done.err.contains("Jenkins is quieting down"), "{}", done.err);
    site.world.assert_no_writes();
}

#[test]
fn a_signal_ends_it_and_what_is_left_is_said() {
    let site = leaky();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&stop);
    let first = super::fakes::When::on(super::fakes::Service::Nova).method("DELETE");
    site.world
        .after(first, move |_| flag.store(true, std::sync::atomic::Ordering::Relaxed));
    let done = site.mita_with_signal(&["leaks", "--delete", "-o", "json"], stop);
    assert_eq!(done.code, 1, "{}", done.err);
    let actions = done.actions();
    assert_eq!(actions[0], "delete_server done small");
    assert!(actions[1..].iter().all(|row| row.contains(" skipped ")), "{actions:?}");
}

#[test]
fn a_renamed_server_that_works_stays() {
    let site = leaky();
    site.world.agent(Agent::new("keep-me", &["linux"]));
    let listed = rows(&site.mita(&["leaks", "-o", "json"]));
    assert!(listed.contains(&"server ours keep-me".to_owned()), "{listed:?}");
}

#[test]
fn a_service_that_is_down_hides_only_its_own() {
    let site = leaky();
    let broken = super::fakes::Reply::json(503, &serde_json::json!({"message": "away"}));
    site.world.fault(
        super::fakes::When::on(super::fakes::Service::Cinder).always(),
        super::fakes::Fault::Instead(broken),
    );
    let done = site.mita(&["leaks", "-o", "json"]);
    assert_eq!(done.code, 1);
    assert!(done.err.contains("cannot list its volumes"), "{}", done.err);
    assert_eq!(rows(&done).len(), 9);
}

#[test]
fn delete_needs_the_lock_and_dry_run_needs_delete() {
    let site = leaky();
    let held = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(site.path("state.json.lock"))
        .unwrap();
    fs2::FileExt::lock_exclusive(&held).unwrap();
    assert_eq!(site.mita(&["leaks", "--delete"]).code, 75);
    assert_eq!(site.mita(&["leaks"]).code, 0);
    assert_eq!(site.mita(&["leaks", "-n"]).code, 2);
    site.world.assert_no_writes();
}
