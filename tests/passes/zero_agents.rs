//! A Jenkins without any agent hides the labels that its queue waits for: what mends it, and what is said of it.

use serde_json::Value;

use super::fakes::{Agent, Fault, Reply, Service, Task, When};
use super::site::{NODES, Site, job};

const ADMINISTER: &str = "hudson.model.Hudson.Administer";

/// A site with a further line in `jenkins:`.
fn site_with(line: &str) -> Site {
    let site = Site::new();
    configure(&site, line);
    site
}

fn configure(site: &Site, line: &str) {
    site.configure(NODES, "");
    let text = std::fs::read_to_string(site.config()).unwrap();
    let text = text.replace("  token: 11token\n", &format!("  token: 11token\n  {line}\n"));
    std::fs::write(site.config(), text).unwrap();
}

fn pipeline(label: &str) -> Task {
    Task::pipeline("deploy", 7).label(label).seconds(60)
}

fn make_admin(site: &Site) {
    site.world.with(|world| {
        let user = world.jenkins.users.iter_mut().find(|user| user.name == "mita").unwrap();
        user.permissions.insert(ADMINISTER.to_owned());
    });
}

fn posts(site: &Site, path: &str) -> usize {
    site.world
        .count(|call| call.service == Service::Jenkins && call.method == "POST" && call.path.contains(path))
}

fn done_builds(site: &Site) -> usize {
    site.world
        .with(|world| world.jenkins.builds.iter().filter(|build| build.done).count())
}

fn reason(json: &Value) -> &str {
    json["unmet"][0]["reason"].as_str().unwrap_or_default()
}

#[test]
fn the_label_of_a_pipeline_is_hidden_and_it_is_said() {
    let site = Site::new();
    site.world.submit(pipeline("linux"));
    site.world.submit(job("build", "linux"));
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small"], "a job tells its label itself");
    assert!(reason(&done.json()).contains("jenkins.anchor"), "{}", done.out);
    assert_eq!(done.err, "");
}

#[test]
fn an_anchor_keeps_the_label_of_a_pipeline_readable() {
    let site = site_with("anchor: true");
    site.world.submit(pipeline("linux"));
    let done = site.pass();
    assert_eq!(done.actions(), ["register done mita-anchor"]);
    assert_eq!(done.json()["observed"]["jenkins_nodes"], 0);
    site.world.with(|world| {
        let anchor = &world.jenkins.agents["mita-anchor"];
        assert!(anchor.exclusive && anchor.inbound && anchor.labels.is_empty());
        assert_eq!(anchor.executors.len(), 1, "without one it would not be listed");
        let mark = anchor.mark.as_ref().unwrap();
        assert!(mark.message.contains("mita") && !mark.message.starts_with("mita: removing"));
    });
    site.world.advance(60);
    assert_eq!(site.pass().actions(), ["create done small"]);
    site.minutes(6);
    assert_eq!(done_builds(&site), 1);
    site.minutes(60);
    assert_eq!(site.servers(), 0, "the anchor holds nothing back");
    assert!(
        site.world
            .with(|world| world.jenkins.agents.contains_key("mita-anchor"))
    );
    // From zero again, at once.
    site.world.submit(pipeline("linux"));
    assert_eq!(site.pass().actions(), ["create done small"]);
}

#[test]
fn an_anchor_costs_nothing_while_it_is_there() {
    let site = site_with("anchor: true");
    site.pass();
    site.world.forget_calls();
    let done = site.pass();
    assert_eq!(done.json()["observed"]["requests"]["jenkins"], 2);
    assert_eq!(done.json()["observed"]["jenkins_nodes"], 0, "it is not counted");
    site.world.assert_no_writes();
}

#[test]
fn a_dry_run_says_that_the_anchor_would_be_made() {
    let site = site_with("anchor: true");
    let done = site.mita(&["run", "--dry-run", "-o", "json"]);
    assert_eq!(done.actions(), ["register planned mita-anchor"]);
    let text = site.mita(&["run", "-n"]).out;
    assert!(text.contains("register") && text.contains("mita-anchor"), "{text}");
    assert!(site.mita(&["reap", "-o", "json"]).actions().is_empty());
    site.world.with(|world| world.jenkins.quieting_down = true);
    assert!(
        site.pass().actions().is_empty(),
        "nothing is made while Jenkins quiets down"
    );
    site.world.assert_no_writes();
}

#[test]
fn an_anchor_that_could_not_be_marked_is_marked_later() {
    let site = site_with("anchor: true");
    site.world.fault(
        When::on(Service::Jenkins).part("changeOfflineCause"),
        Fault::Instead(Reply::proxy_page(502)),
    );
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(
        (done.code, done.actions()),
        (1, vec!["register failed mita-anchor".to_owned()])
    );
    assert_eq!(site.pass().actions(), ["offline done mita-anchor"]);
    assert!(site.pass().actions().is_empty());
}

#[test]
fn who_may_not_make_the_anchor_hears_of_it_and_the_rest_is_done() {
    let site = site_with("anchor: true");
    site.world
        .with(|world| world.jenkins.revoke("mita", "hudson.model.Computer.Create"));
    site.world.submit(job("build", "linux"));
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(done.code, 1);
    assert_eq!(done.actions(), ["register failed mita-anchor", "create done small"]);
    assert!(done.err.contains("lacks Agent/Create"), "{}", done.err);
}

#[test]
fn two_mitas_share_one_anchor_and_neither_removes_it() {
    let site = site_with("anchor: true");
    // The other one is faster.
    site.world
        .before(When::on(Service::Jenkins).part("doCreateItem"), |world| {
            world
                .jenkins
                .agents
                .insert("mita-anchor".to_owned(), Agent::new("mita-anchor", &[]));
        });
    assert_eq!(site.pass().actions(), ["register skipped mita-anchor"]);
    configure(&site, "anchor: false");
    site.minutes(120);
    assert!(
        site.world
            .with(|world| world.jenkins.agents.contains_key("mita-anchor"))
    );
    let leaks = site.mita(&["leaks", "-o", "json"]).json();
    assert_eq!(leaks["leaks"][0]["name"], "mita-anchor");
    assert_eq!(leaks["leaks"][0]["removable"], false);
    let check = site.mita(&["check", "--online"]);
    assert!(
        check.err.contains("mita-anchor") && check.err.contains("left alone"),
        "{}",
        check.err
    );
    let refused = site.mita(&["destroy", "mita-anchor"]);
    assert!(refused.err.contains("not ours"), "{}", refused.err);
}

#[test]
fn the_script_console_tells_every_label() {
    let site = site_with("labels_from: script");
    make_admin(&site);
    assert!(site.pass().actions().is_empty());
    assert_eq!(posts(&site, "scriptText"), 0, "nothing waits");
    site.world.submit(pipeline("linux"));
    // A build with a label of its own, and a matrix child: neither needs the configuration of its job.
    site.world.submit(job("override", "linux&&x86_64").of_job("windows"));
    site.world
        .submit(Task::matrix("matrix", "ARCH=x86_64,OS=linux").label("x86_64&&linux"));
    site.world.submit(pipeline("windows"));
    site.world.submit(Task::freestyle("anywhere"));
    site.world.forget_calls();
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small"; 3]);
    assert_eq!(posts(&site, "scriptText"), 1);
    assert_eq!(site.world.count(|call| call.path.contains("config.xml")), 0);
    let json = done.json();
    let unmet = json["unmet"].as_array().unwrap();
    let labels: Vec<Option<&str>> = unmet.iter().map(|row| row["label"].as_str()).collect();
    assert_eq!(labels, [None, Some("windows")], "{}", done.out);
    assert!(unmet[0]["reason"].as_str().unwrap().contains("accepts_unlabelled"));
}

#[test]
fn an_item_that_throws_in_the_script_console_spoils_no_other() {
    let site = site_with("labels_from: script");
    make_admin(&site);
    let odd = Task {
        throws: true,
        ..Task::pipeline("odd", 3)
    };
    site.world.submit(odd);
    site.world.submit(pipeline("linux"));
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small"]);
    assert_eq!(done.json()["unmet"].as_array().map(Vec::len), Some(1));
    assert!(reason(&done.json()).contains("no agent at all"), "{}", done.out);
}

#[test]
fn what_the_script_console_said_is_in_a_saved_observation() {
    let site = site_with("labels_from: script");
    make_admin(&site);
    site.world.submit(pipeline("linux"));
    let file = site.path("seen.json");
    let file = file.to_str().unwrap();
    let live = site.mita(&["run", "-n", "-o", "json", "--save-observation", file]);
    site.jenkins.stop();
    let replay = site.mita(&["run", "--replay", file, "-o", "json"]);
    assert_eq!(live.actions(), ["create planned small"]);
    assert_eq!(live.json()["actions"], replay.json()["actions"]);
}

#[test]
fn without_the_script_console_the_other_sources_are_used() {
    let site = site_with("labels_from: script");
    site.world.submit(job("build", "linux"));
    site.world.submit(pipeline("linux"));
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!((done.code, done.actions()), (1, vec!["create done small".to_owned()]));
    let lines: Vec<&str> = done.err.lines().filter(|line| line.contains("labels_from")).collect();
    assert_eq!(lines.len(), 1, "{}", done.err);
    assert!(lines[0].contains("Overall/Administer"), "{}", done.err);
    assert!(reason(&done.json()).contains("no agent at all"));
    // A script that throws is answered with 200 and text.
    make_admin(&site);
    site.world.fault(
        When::on(Service::Jenkins).path("/scriptText"),
        Fault::Instead(Reply::typed(
            200,
            "text/plain",
            "java.lang.NoClassDefFoundError: groovy/json/JsonOutput",
        )),
    );
    let done = site.mita(&["run", "-o", "json"]);
    assert!(
        done.code == 1 && done.err.contains("NoClassDefFoundError"),
        "{}",
        done.err
    );
    assert_eq!(
        site.pass().actions(),
        ["create done small"],
        "and the next pass asks again"
    );
}

#[test]
fn one_first_server_makes_labels_show() {
    let site = site_with("bootstrap: small");
    for _ in 0..3 {
        site.world.submit(pipeline("linux"));
    }
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small"]);
    let json = done.json();
    let because = json["actions"][0]["because"].as_str().unwrap();
    assert!(because.contains("jenkins.bootstrap"), "{because}");
    site.world.advance(60);
    assert!(site.pass().actions().is_empty(), "one is enough");
    site.minutes(4);
    assert!(site.servers() > 1, "it joined, and the others' label showed");
    site.minutes(10);
    assert_eq!(done_builds(&site), 3);
}

#[test]
fn a_check_says_what_a_site_without_agents_needs() {
    let site = Site::new();
    site.world.submit(pipeline("linux"));
    let check = |site: &Site| {
        let done = site.mita(&["check", "--online"]);
        site.world.assert_no_writes();
        (done.code, done.err)
    };
    let (code, err) = check(&site);
    assert_eq!(code, 0, "{err}");
    for word in ["no agent", "1 item waits", "jenkins.anchor: true", "the user lacks"] {
        assert!(err.contains(word), "{word}: {err}");
    }
    make_admin(&site);
    assert!(check(&site).1.contains("which the user has"));
    configure(&site, "anchor: true");
    let (code, err) = check(&site);
    assert!(
        code == 0 && err.contains("no node mita-anchor yet") && err.contains("Agent/Create"),
        "{err}"
    );
    site.pass();
    site.world.forget_calls();
    let (_, err) = check(&site);
    assert!(!err.contains("mita-anchor yet"), "{err}");
    configure(&site, "labels_from: script");
    assert_eq!(site.mita(&["check", "--online"]).code, 0);
    site.world.with(|world| world.jenkins.revoke("mita", ADMINISTER));
    let refused = site.mita(&["check", "--online"]);
    assert!(
        refused.code == 1 && refused.err.contains("Overall/Administer"),
        "{}",
        refused.err
    );
}

#[test]
fn an_item_that_left_before_the_script_ran_is_not_asked_about() {
    let site = site_with("labels_from: script");
    make_admin(&site);
    site.world.submit(pipeline("linux"));
    let gone = Task::matrix("matrix", "ARCH=x86_64,OS=linux").label("x86_64&&linux");
    let gone = site.world.submit(gone);
    site.world
        .before(When::on(Service::Jenkins).path("/scriptText"), move |world| {
            world.jenkins.cancel(gone);
        });
    site.pass();
    assert_eq!(site.world.count(|call| call.path.contains("config.xml")), 0);
}
