//! Controllers of every age and temper: what they tell and how they tell it, and that jobs get their nodes all the same.

use super::fakes::{Agent, Fault, Reply, Service, Task, When};
use super::site::{NODES, Site, job};

/// Each differs in what it tells: no `_class` before 2.7, no composites before 2.36, no labels of jobs and nodes before
/// 2.94, crumbs for tokens before 2.96, no quotes before 2.125, crumbs bound to a session from 2.176.2, `master` before
/// 2.307, a mark that waits for the scheduler from 2.503.
const VERSIONS: [&str; 9] = [
    "1.609.3", "1.651.3", "2.60.3", "2.107.3", "2.204.6", "2.319.3", "2.401.3", "2.492.3", "2.544",
];

const READ: &str = "hudson.model.Item.Read";

const MATRIX: &str = "<matrix-project><axes><hudson.matrix.LabelAxis><name>ARCH</name></hudson.matrix.LabelAxis>\
                      <hudson.matrix.TextAxis><name>DB</name></hudson.matrix.TextAxis>\
                      <hudson.matrix.LabelExpAxis><name>OS</name></hudson.matrix.LabelExpAxis></axes></matrix-project>";

fn site_of(version: &str) -> Site {
    let site = Site::new();
    site.world.with(|world| version.clone_into(&mut world.jenkins.version));
    site
}

fn done_builds(site: &Site) -> usize {
    site.world
        .with(|world| world.jenkins.builds.iter().filter(|build| build.done).count())
}

/// Jobs of all kinds that wait for `linux` in one way or another.
fn submit_all(site: &Site) -> usize {
    let tasks = [
        job("plain", "linux"),
        job("folder/inner/job", "linux && x86_64"),
        // A multibranch job: the name of the branch is encoded as the name of the job.
        job("repo/feature%2Fx", "linux"),
        job("größe & mehr", "linux||windows"),
        Task::matrix("team/matrix", "ARCH=x86_64,DB=a,OS=linux").label("x86_64&&linux"),
        Task::pipeline("repo/main", 12).label("linux"),
        job("override", "linux").of_job(""),
    ];
    site.world.with(|world| {
        world
            .jenkins
            .config_xml
            .insert("team/matrix".to_owned(), MATRIX.to_owned());
    });
    let count = tasks.len();
    for task in tasks {
        site.world.submit(task.seconds(30));
    }
    count
}

#[test]
fn jobs_of_every_kind_get_nodes_from_controllers_of_every_age() {
    for version in VERSIONS {
        let site = site_of(version);
        // An agent that is offline keeps the labels in the sentences.
        site.world.agent(Agent::new("old", &["mac"]));
        let jobs = submit_all(&site);
        let done = site.pass();
        let json = done.json();
        let unmet = json["unmet"].as_array().unwrap();
        let canary = unmet
            .iter()
            .all(|row| row["reason"].as_str().unwrap().contains("canary"));
        assert!(
            canary && done.actions().len() == 3,
            "{version}: every label is known: {}",
            done.out
        );
        site.minutes(12);
        assert_eq!(done_builds(&site), jobs, "{version}: {}", site.pass().out);
        assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
    }
}

#[test]
fn a_job_is_read_without_any_agent_by_controllers_of_every_age() {
    for version in VERSIONS {
        let site = site_of(version);
        site.world.submit(job("team/build", "linux").seconds(30));
        site.world.submit(
            Task::matrix("team/matrix", "ARCH=x86_64,DB=a,OS=linux")
                .label("x86_64&&linux")
                .seconds(30),
        );
        site.world.with(|world| {
            world
                .jenkins
                .config_xml
                .insert("team/matrix".to_owned(), MATRIX.to_owned());
        });
        assert_eq!(site.pass().actions(), ["create done small"; 2], "{version}");
        site.minutes(6);
        assert_eq!(done_builds(&site), 2, "{version}");
    }
}

#[test]
fn a_busy_node_of_ours_calls_for_another_one_on_controllers_of_every_age() {
    for version in VERSIONS {
        let site = site_of(version);
        site.world.submit(job("long", "linux").seconds(3000));
        site.minutes(5);
        assert_eq!(site.servers(), 1, "{version}");
        // The sentence names the one node that fits, not the label.
        site.world.submit(Task::pipeline("deploy", 3).label("linux"));
        assert_eq!(site.pass().actions(), ["create done small"], "{version}");
    }
}

#[test]
fn an_old_controller_wants_a_crumb_for_a_token_and_a_pause_after_the_mark() {
    let site = Site::with(NODES, "timing: {idle_grace: 5m}");
    site.world
        .with(|world| "1.609.3".clone_into(&mut world.jenkins.version));
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(6);
    assert_eq!(site.servers(), 1);
    site.world.forget_calls();
    site.minutes(6);
    assert_eq!(site.servers(), 0);
    let crumbs = site.world.count(|call| call.path.contains("crumbIssuer"));
    assert_eq!(crumbs, 1, "once a pass");
    assert!(
        site.world
            .count(|call| call.headers.contains_key(".crumb") && call.status == 302)
            >= 2
    );
}

#[test]
fn a_password_comes_with_a_crumb_and_the_session_it_is_bound_to() {
    let site = Site::with(NODES, "timing: {idle_grace: 5m}");
    site.change_config("token: 11token", "password: s3cret");
    site.world.with(|world| {
        let user = world.jenkins.users.iter_mut().find(|user| user.name == "mita").unwrap();
        user.password = Some("s3cret".to_owned());
    });
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(14);
    assert_eq!((done_builds(&site), site.servers()), (1, 0));
    let refused = site
        .world
        .count(|call| call.service == Service::Jenkins && call.status == 403);
    assert_eq!(refused, 0, "it is fetched before the first POST");
}

#[test]
fn a_controller_that_is_not_ready_or_not_there_changes_nothing() {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(5);
    site.world.submit(job("more", "linux"));
    site.world.with(|world| world.jenkins.starting = true);
    site.world.forget_calls();
    let done = site.mita(&["run"]);
    assert_eq!(done.code, 4);
    assert!(
        done.err.contains("not ready") && done.err.lines().count() == 1,
        "{}",
        done.err
    );
    site.world.with(|world| world.jenkins.starting = false);
    for page in [
        Reply::proxy_page(200),
        Reply::proxy_page(502),
        Reply::html(200, "<html>Sign in to continue</html>"),
    ] {
        site.world
            .fault(When::on(Service::Jenkins).path("/computer"), Fault::Instead(page));
        let done = site.mita(&["run"]);
        assert_eq!(done.code, 4, "{}", done.err);
    }
    site.world.assert_no_writes();
    assert_eq!(site.mita(&["run", "-o", "json"]).code, 0);
}

#[test]
fn items_of_jobs_that_the_user_may_not_read_are_counted() {
    let site = Site::new();
    site.world.with(|world| world.jenkins.revoke("mita", READ));
    site.world.submit(job("a", "linux"));
    site.world.submit(job("b", "linux"));
    let done = site.pass();
    assert!(done.actions().is_empty());
    let note = done.json()["notes"][0].as_str().unwrap().to_owned();
    assert!(note.starts_with("2 items") && note.contains("Job/Read"), "{note}");
    assert_eq!(done.err, "", "cron does not mail it each minute");
    let check = site.mita(&["check", "--online"]);
    assert!(
        check.code == 1 && check.err.contains("Job/Read: the queue holds 2 items"),
        "{}",
        check.err
    );
    // Without Job/Discover they do not show at all.
    site.world
        .with(|world| world.jenkins.revoke("mita", "hudson.model.Item.Discover"));
    assert!(site.pass().json()["notes"].as_array().unwrap().is_empty());
    assert!(site.mita(&["check", "--online"]).err.contains("Job/Read"));
}

#[test]
fn a_controller_with_a_language_of_its_own_is_mentioned_once() {
    let site = Site::new();
    site.world.with(|world| world.jenkins.language = Some("de".to_owned()));
    site.world.agent(Agent::new("old", &["mac"]));
    site.world.submit(job("build", "linux"));
    site.world.submit(Task::pipeline("deploy", 3).label("linux"));
    let first = site.mita(&["run"]);
    assert_eq!(site.servers(), 1, "a job tells its label itself");
    assert_eq!(first.err.lines().count(), 1, "{}", first.err);
    assert!(first.err.contains("X-Jenkins-Language: de"), "{}", first.err);
    for _ in 0..3 {
        site.world.advance(60);
        assert_eq!(site.mita(&["run"]).err, "");
        let json = site.pass().json();
        let unread = json["unmet"][0]["reason"].as_str().unwrap();
        assert!(unread.contains("„linux“") || unread.contains("auf"), "{unread}");
        assert!(json["notes"][0].as_str().unwrap().contains("locale plugin"));
    }
    site.world.with(|world| world.jenkins.language = None);
    site.world.advance(60);
    assert_eq!(site.pass().err, "");
}

#[test]
fn a_german_server_is_read_as_any_other() {
    let site = Site::new();
    site.world.agent(Agent::new("old", &["mac"]));
    site.world.submit(Task::pipeline("deploy", 3).label("linux"));
    assert!(site.world.with(|world| world.jenkins.german));
    assert_eq!(site.pass().actions(), ["create done small"]);
}

#[test]
fn what_asks_for_a_node_that_is_gone_gets_no_server() {
    let site = Site::new();
    site.world.agent(Agent::new("old", &["mac"]));
    // A pipeline that resumes after a restart asks for its old node by name; a job may be tied to one.
    site.world
        .submit(Task::pipeline("deploy", 3).label("small__0123456789ab"));
    site.world.submit(job("tied", "small__0123456789ab"));
    site.world.submit(job("foreign", "mac-17"));
    let done = site.pass();
    assert!(done.actions().is_empty(), "{}", done.out);
    let json = done.json();
    let reasons: Vec<&str> = json["unmet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["reason"].as_str().unwrap())
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("which Jenkins no longer has")),
        "{reasons:?}"
    );
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("no template has the labels mac-17")),
        "{reasons:?}"
    );
}

/// A site with one node of ours that is idle and would be removed within a minute.
fn ripe() -> (Site, String) {
    let site = Site::with(NODES, "timing: {idle_grace: 10m}");
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(11);
    let name = site
        .world
        .with(|world| world.jenkins.agents.keys().next().unwrap().clone());
    assert_eq!(site.servers(), 1);
    (site, name)
}

#[test]
fn a_controller_that_started_again_gets_its_agents_back_first() {
    let (site, name) = ripe();
    let back = name.clone();
    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.restart("5e6f7a8b", clock);
        world.at(clock + 130, move |world| {
            let agent = world.jenkins.agent(&back);
            let server = agent.server.clone();
            agent.connect(server);
        });
    });
    // The pipeline that ran there resumes, and asks for its node by name.
    site.world.submit(Task::pipeline("deploy", 3).label(&name).seconds(60));
    site.world.forget_calls();
    for _ in 0..5 {
        site.world.advance(60);
        let done = site.pass();
        assert!(done.actions().is_empty(), "{}", done.out);
        let json = done.json();
        let notes = json["notes"].as_array().unwrap();
        assert!(
            notes
                .iter()
                .any(|note| note.as_str().unwrap().contains("restart_grace")),
            "{}",
            done.out
        );
    }
    site.world.assert_no_writes();
    assert_eq!(done_builds(&site), 2, "the pipeline went on where it was");
    // What is idle counts from then on.
    site.minutes(4);
    assert_eq!(site.servers(), 1);
    site.minutes(12);
    assert_eq!(site.servers(), 0);
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
}

#[test]
fn an_agent_that_does_not_come_back_goes_after_the_grace() {
    let (site, name) = ripe();
    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.restart("5e6f7a8b", clock);
    });
    site.minutes(9);
    assert!(
        site.world.with(|world| world.jenkins.agents.contains_key(&name)),
        "offline_grace counts from the end of it"
    );
    site.minutes(8);
    assert_eq!(site.servers(), 0);
}
