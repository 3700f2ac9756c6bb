//! The fake Jenkins against Jenkins 2.544: the same state, the same request, the same reply.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::fakes::{Agent, FakeJenkins, Mark, Task, User, World};
use super::recorded::{Got, Recorded, load, same, send};

const VOLATILE: [&str; 10] = [
    "id",
    "inQueueSince",
    "buildableStartMilliseconds",
    "timestamp",
    "url",
    "monitorData",
    "color",
    "userId",
    "progress",
    "crumb",
];

pub struct Setup {
    pub world: World,
    jenkins: FakeJenkins,
}

pub fn setup() -> Setup {
    let world = World::new(1);
    let jenkins = FakeJenkins::start(&world, "/jenkins");
    world.with(|w| {
        // The recorded server's JVM spoke English in most records.
        w.jenkins.german = false;
        let mut reader = User::new("reader", "11reader");
        reader
            .permissions
            .retain(|p| p.ends_with("Hudson.Read") || p.ends_with("Item.Read"));
        w.jenkins.users.push(reader);
    });
    Setup { world, jenkins }
}

impl Setup {
    fn ask(&self, recorded: &Recorded) -> Got {
        let headers: Vec<(String, String)> = recorded
            .headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                "Authorization" => (name.clone(), format!("Basic {}", STANDARD.encode(credentials(value)))),
                _ => (name.clone(), value.clone()),
            })
            .collect();
        send(
            self.jenkins.port(),
            &recorded.method,
            &recorded.target,
            &headers,
            &recorded.body,
        )
    }

    /// The same status, and the same body where it is JSON.
    pub fn agrees(&self, name: &str) -> Got {
        let recorded = load("jenkins-2.544", name);
        let got = self.ask(&recorded);
        assert_eq!(got.status, recorded.reply.status, "{name}: {got:?}");
        for header in [
            "x-jenkins",
            "x-required-permission",
            "x-you-are-authenticated-as",
            "www-authenticate",
            "content-type",
            "x-error",
        ] {
            assert_eq!(
                got.headers.get(header),
                recorded.reply.headers.get(header),
                "{name}: {header}"
            );
        }
        let session = |reply: &Got| reply.headers.contains_key("x-jenkins-session");
        assert_eq!(session(&got), session(&recorded.reply), "{name}: the session's header");
        if let Some(location) = recorded.reply.headers.get("location") {
            let path = |l: &str| l.splitn(4, '/').nth(3).map(str::to_owned);
            assert_eq!(path(&got.headers["location"]), path(location), "{name}");
        }
        if recorded
            .reply
            .headers
            .get("content-type")
            .is_some_and(|t| t.contains("json"))
        {
            same(name, &recorded.reply.json(), &got.json(), &VOLATILE);
        }
        got
    }

    /// on-1 (linux x86) and on-2 (linux arm), started by the controller, online.
    pub fn on_1_on_2(&self) {
        for (name, label) in [("on-1", "x86"), ("on-2", "arm")] {
            let mut agent = Agent::new(name, &["linux", label]).online();
            (agent.inbound, agent.description) = (false, "made by test".to_owned());
            agent.remote_dir = format!("/srv/jenkins/agents/{name}");
            self.world.agent(agent);
        }
    }

    fn only_on_1(&self) {
        self.on_1_on_2();
        self.world.with(|w| w.jenkins.agents.remove("on-2"));
    }

    fn not_accepting(&self) {
        for name in ["on-1", "on-2"] {
            self.world.with(|w| w.jenkins.agent(name).accepting = false);
        }
    }

    /// Never-connected inbound agents.
    pub fn off(&self) {
        self.world.agent(Agent::new("off-1", &["linux2"]));
        self.world.agent(Agent::new("off-2", &["linux2"]));
        self.world.agent(Agent::new("off-3", &["solo"]));
    }

    fn queue(&self, jobs: &[(&str, &str)]) {
        for (job, label) in jobs {
            self.world.submit(Task::freestyle(job).label(label));
        }
    }

    pub fn hold(&self, agent: &str) {
        self.world.with(|w| w.jenkins.begin_build(agent, w.clock, 1_000_000));
    }

    /// The state in which the languages and the shutdown were recorded.
    fn mixed(&self) {
        self.on_1_on_2();
        self.hold("on-1");
        self.hold("on-2");
        self.off();
        self.queue(&[
            ("l2", "linux2"),
            ("solo", "solo"),
            ("need-none", "nosuch"),
            ("need-linux", "linux"),
            ("x86j", "x86"),
            ("thr-x86", "x86"),
        ]);
        self.world.submit(Task::freestyle("serial").label("linux").quiet(55));
    }
}

/// `<user:API-TOKEN>` as the fake knows it.
/// The header of a login.
fn basic(pair: &str) -> (String, String) {
    ("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair)))
}

fn credentials(masked: &str) -> String {
    let inner = masked.trim_start_matches("Basic <").trim_end_matches('>');
    let (user, kind) = inner.split_once(':').expect("user and kind");
    match (user, kind) {
        ("mita", "PASSWORD") => "mita:mita-pass".to_owned(),
        ("mita", "API-TOKEN") => "mita:11token".to_owned(),
        (_, "API-TOKEN") => format!("{user}:11{user}"),
        _ => format!("{user}:wrong"),
    }
}

#[test]
fn no_agents_at_all() {
    let s = setup();
    s.queue(&[("need-linux", "linux")]);
    for name in ["queue-tree", "queue-default", "computer-tree"] {
        s.agrees(&format!("{name}-zero-agents-0-executors"));
    }
    s.world.with(|w| w.jenkins.builtin_executors = 2);
    s.agrees("queue-tree-zero-agents-2-builtin-executors");
    s.agrees("computer-tree-zero-agents-2-builtin-executors");
}

#[test]
fn offline_agents() {
    let s = setup();
    let agent = |name| Agent::new(name, &["linux", "x86"]).executors(2);
    s.world.agent(agent("agent-1"));
    s.queue(&[("need-linux", "linux")]);
    s.agrees("queue-tree-one-offline");
    s.agrees("computer-tree-one-offline");
    s.queue(&[("need-none", "nosuch")]);
    s.agrees("queue-tree-label-without-nodes");
    s.world.agent(agent("agent-2"));
    s.agrees("queue-tree-two-offline");
}

#[test]
fn busy_agents() {
    let s = setup();
    s.only_on_1();
    s.hold("on-1");
    s.queue(&[("need-linux", "linux")]);
    for name in ["queue-tree", "queue-default", "computer-tree", "computer-default"] {
        s.agrees(&format!("{name}-one-online-busy"));
    }
    let s = setup();
    s.on_1_on_2();
    s.hold("on-1");
    s.hold("on-2");
    s.queue(&[("hold", "linux"), ("holdb", "linux"), ("need-linux", "linux")]);
    s.agrees("queue-tree-two-online-busy");
    s.queue(&[("holdb2", "gone")]);
    s.world.with(|w| w.jenkins.queue.retain(|i| i.task.name == "holdb2"));
    s.world
        .with(|w| w.jenkins.queue[0].task.label = Some("on-2".to_owned()));
    s.world.with(|w| w.jenkins.agents.remove("on-2"));
    s.agrees("queue-tree-tied-to-deleted-node");
}

#[test]
fn expressions_are_printed_as_jenkins_prints_them() {
    let s = setup();
    s.on_1_on_2();
    s.not_accepting();
    let raw = [
        "linux&&x86",
        "linux && !windows",
        "(linux||bsd)&&arm64",
        "a -> b",
        "a <-> b",
        "\"foo bar\"||baz",
        "foo bar",
        "ubuntu:22.04",
        "ubuntu:22.04&&x",
        "\"a\" || \"b\"",
        "!linux && !arm && !built-in",
        "!!x",
        "'x y'",
        "\"!windows\"&&nosuch",
        "a->b->c",
        // What stood here, `!windows`, was an atom once number 13 had been parsed; the fake keeps no such memory.
        "!windows-not",
        "linux&&nosuch",
        "x,y=z",
        "linux||nosuch",
        "\"quote\\\"d\"&&b",
        "!(a||b)",
        "(a)",
        "((a&&b))||c",
    ];
    for (at, label) in raw.iter().enumerate() {
        s.world.submit(Task::freestyle(&format!("expr-{at:02}")).label(label));
    }
    let recorded = load("jenkins-2.544", "queue-tree-expressions");
    let (mut theirs, mut ours) = (recorded.reply.json(), s.ask(&recorded).json());
    for list in [&mut theirs, &mut ours] {
        list["items"]
            .as_array_mut()
            .expect("items")
            .retain(|i| i["task"]["name"] != "expr-15");
    }
    same("queue-tree-expressions", &theirs, &ours, &VOLATILE);
}

#[test]
fn composites() {
    let s = setup();
    s.on_1_on_2();
    s.world.submit(
        Task::freestyle("thr-x86")
            .label("x86")
            .refused("Already running 1 builds on node"),
    );
    s.agrees("queue-tree-composite-doesnt-have-label");

    let s = setup();
    s.on_1_on_2();
    s.not_accepting();
    s.hold("on-2");
    s.world.with(|w| w.jenkins.builtin_executors = 1);
    s.queue(&[("need-linux", "linux")]);
    s.agrees("queue-tree-composite-not-accepting");

    let s = setup();
    s.on_1_on_2();
    s.not_accepting();
    for n in 3..5 {
        s.world
            .agent(Agent::new(&format!("ex-{n}"), &["excl"]).online().exclusive());
    }
    s.world.submit(Task::freestyle("nolabel"));
    s.agrees("queue-tree-composite-reserved");
    for n in 5..10 {
        s.world
            .agent(Agent::new(&format!("ex-{n}"), &["excl"]).online().exclusive());
    }
    s.agrees("queue-tree-composite-reserved-cut-at-5");
}

#[test]
fn languages_quiet_periods_and_shutdown() {
    let s = setup();
    s.mixed();
    s.agrees("queue-tree-lang-en");
    s.agrees("queue-tree-lang-de");
    s.world.advance(2);
    s.world.with(|w| w.jenkins.quieting_down = true);
    s.agrees("queue-tree-quieting-down");
    s.agrees("root-tree-quieting-down");

    let s = setup();
    s.world.submit(Task::freestyle("need-linux").label("linux").quiet(45));
    s.world.advance(2);
    s.agrees("queue-tree-quiet-period");
    s.agrees("root-tree");

    let s = setup();
    s.on_1_on_2();
    s.world.submit(
        Task::freestyle("downx")
            .label("linux")
            .blocked("Upstream project ‘upx’ is already building"),
    );
    s.agrees("queue-tree-blocked-upstream");

    let s = setup();
    s.world.with(|w| w.jenkins.german = true);
    s.world.agent(Agent::new("off-1", &["linux2"]));
    s.queue(&[("par", "nosuch")]);
    for how in ["none", "empty", "en"] {
        s.agrees(&format!("german-jvm-queue-tree-lang-{how}"));
    }
}

#[test]
fn a_node_through_its_marks() {
    let s = setup();
    s.on_1_on_2();
    s.off();
    s.agrees("node-tree-idle");
    s.agrees("changeOfflineCause-mark");
    s.agrees("node-tree-marked");
    s.agrees("node-tree-marked-de");
    let mark = |text: &str| {
        let target = format!("/jenkins/computer/on-1/changeOfflineCause?offlineMessage={text}");
        let token = format!("Basic {}", STANDARD.encode("mita:11token"));
        let got = send(
            s.jenkins.port(),
            "POST",
            &target,
            &[("Authorization".to_owned(), token)],
            "",
        );
        assert_eq!(got.status, 302);
    };
    mark("second+mark");
    s.agrees("node-tree-remarked");
    mark("");
    s.agrees("node-tree-marked-no-message");
    s.agrees("changeOfflineCause-form-body");
    s.agrees("node-tree-marked-odd-chars");
    s.agrees("toggleOffline-back-online");
    s.agrees("node-tree-unmarked");
    s.agrees("toggleOffline-to-offline");
    s.agrees("node-tree-toggled");
    s.agrees("toggleOffline-back-online");
    s.agrees("node-tree-never-connected");
}

#[test]
fn a_node_busy_broken_disconnected() {
    let s = setup();
    s.on_1_on_2();
    s.hold("on-1");
    s.agrees("node-tree-busy");
    s.world
        .with(|w| w.jenkins.agent("on-1").mark = Some(Mark::by("mita", "mita-busy", w.clock)));
    s.agrees("node-tree-marked-busy");
    s.world.with(|w| {
        w.jenkins.agent("on-1").mark = None;
        w.jenkins.break_channel("on-1", w.clock);
    });
    s.agrees("node-tree-agent-killed-0");
    s.world
        .with(|w| w.jenkins.agent("on-1").cause = Some(Mark::by("mita", "bye", w.clock)));
    s.agrees("node-tree-disconnected");
    let mut failed = Agent::new("lf", &[]);
    (failed.inbound, failed.cause) = (false, Some(Mark::system("OfflineCause$LaunchFailed", 0)));
    s.world.agent(failed);
    s.agrees("node-tree-launch-failed");
}

#[test]
fn what_cannot_be_created_is_refused_in_the_words_of_jenkins() {
    let s = setup();
    for name in [
        "error-403-create",
        "error-400-create-empty-name",
        "error-400-create-bad-name",
        "error-400-create-dot",
        "error-400-create-trailing-dot",
        "error-create-no-name",
        "error-create-no-json",
    ] {
        s.agrees(name);
    }
    // The recorded one has no plugins.
    s.world.with(|w| w.jenkins.ssh_plugin = false);
    s.agrees("error-create-ssh-class-absent");
    s.world
        .with(|w| assert!(w.jenkins.agents.is_empty(), "{:?}", w.jenkins.agents));
    s.agrees("create-no-launcher");
    s.on_1_on_2();
    let agent_file = s.agrees("jenkins-agent-jnlp-non-inbound");
    assert_eq!(agent_file.body.matches("<argument>").count(), 8, "{}", agent_file.body);
}

#[test]
fn creating_and_deleting() {
    let s = setup();
    s.agrees("create-form-jnlp-ok");
    s.agrees("error-400-create-duplicate");
    let agent_file = s.agrees("jenkins-agent-jnlp");
    assert_eq!(agent_file.body.matches("<argument>").count(), 9, "{}", agent_file.body);
    let old_name = s.agrees("slave-agent-jnlp");
    assert_eq!(old_name.body, agent_file.body);
    s.agrees("error-403-jenkins-agent-jnlp");
    s.agrees("doDelete-ok");
    s.agrees("doDelete-again-404");
    s.agrees("error-404-node");
    s.agrees("error-404-doDelete-no-permission");

    let s = setup();
    s.on_1_on_2();
    s.off();
    s.hold("on-2");
    s.agrees("doDelete-busy");
    assert_eq!(s.world.with(|w| w.jenkins.killed()), 1);
    s.agrees("computer-tree-after-doDelete-busy-0");
    s.world.advance(3);
    s.agrees("computer-tree-after-doDelete-busy-3");
}

#[test]
fn refusals() {
    let s = setup();
    s.on_1_on_2();
    s.off();
    for name in [
        "error-401-wrong-token",
        "error-401-unknown-user",
        "error-403-anonymous-queue",
        "error-403-anonymous-post",
        "error-403-doDelete",
        "error-403-changeOfflineCause",
        "error-403-crumb-missing-password",
        "error-405-get-doDelete",
        "crumbIssuer",
    ] {
        s.agrees(name);
    }
    s.world.with(|w| w.jenkins.starting = true);
    s.agrees("starting-503-queue");
    let page = s.agrees("starting-503-lang-en");
    assert!(page.body.contains("Jenkins is getting ready to work"));
}

#[test]
fn a_session_cookie_beside_a_token_wants_a_crumb() {
    let s = setup();
    s.off();
    let port = s.jenkins.port();
    let issued = send(
        port,
        "GET",
        "/jenkins/crumbIssuer/api/json",
        &[basic("mita:mita-pass")],
        "",
    );
    let cookie = issued.headers["set-cookie"]
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    let cookie = ("Cookie".to_owned(), cookie);
    let target = "/jenkins/computer/off-3/changeOfflineCause?offlineMessage=m";
    let token_and_cookie = [basic("mita:11token"), cookie.clone()];
    assert_eq!(send(port, "POST", target, &token_and_cookie, "").status, 403);
    let crumb = issued.json()["crumb"].as_str().expect("a crumb").to_owned();
    let with_crumb = [basic("mita:mita-pass"), cookie, ("Jenkins-Crumb".to_owned(), crumb)];
    assert_eq!(send(port, "POST", target, &with_crumb, "").status, 302);
}

#[test]
fn trees() {
    let s = setup();
    s.world.agent(Agent::new("off-1", &["linux2"]));
    s.queue(&[("need-none", "nosuch")]);
    for name in ["empty", "bad-range", "unbalanced", "extra", "space", "unknown", "range"] {
        s.agrees(&format!("tree-{name}"));
    }
}

#[test]
fn old_versions_quote_less_and_export_less() {
    let s = setup();
    s.world.with(|w| w.jenkins.version = "2.60.3".to_owned());
    s.world.agent(Agent::new("on-1", &["linux"]).online());
    s.hold("on-1");
    s.queue(&[("a", "linux")]);
    let recorded = load("jenkins-2.544", "queue-tree-lang-en");
    let item = s.ask(&recorded).json()["items"][0].clone();
    assert_eq!(item["why"], "Waiting for next available executor on on-1");
    assert_eq!(item["task"].get("labelExpression"), None);
    let computers = s.ask(&load("jenkins-2.544", "computer-tree-one-offline")).json();
    assert_eq!(computers["computer"][1].get("assignedLabels"), None);
    assert_eq!(computers["computer"][0]["displayName"], json!("master"));
}

#[test]
fn who_may_only_discover_a_job_sees_its_name_alone() {
    let s = setup();
    s.world.with(|w| {
        for (name, sees) in [("discover", true), ("nodisc", false)] {
            let mut user = User::new(name, &format!("11{name}"));
            let kept = |p: &str| p.ends_with("Hudson.Read") || (sees && p.ends_with("Item.Discover"));
            user.permissions.retain(|p| kept(p));
            w.jenkins.users.push(user);
        }
    });
    s.queue(&[("need-none", "nosuch")]);
    s.agrees("queue-default-user-discover");
    s.agrees("queue-default-user-nodisc");
}

#[test]
fn the_oldest_versions_tell_no_class_and_ask_tokens_for_crumbs() {
    let s = setup();
    s.world.agent(Agent::new("on-1", &["linux"]).online());
    s.world.with(|w| w.jenkins.version = "1.651.3".to_owned());
    let computers = s.ask(&load("jenkins-2.544", "computer-tree-one-offline")).json();
    assert_eq!(computers["computer"][0].get("_class"), None);
    let target = "/jenkins/computer/on-1/changeOfflineCause?offlineMessage=m";
    let mark = |headers: &[(String, String)]| send(s.jenkins.port(), "POST", target, headers, "").status;
    assert_eq!(mark(&[basic("mita:11token")]), 403);
    let issued = send(
        s.jenkins.port(),
        "GET",
        "/jenkins/crumbIssuer/api/json",
        &[basic("mita:11token")],
        "",
    );
    let issued = issued.json();
    assert_eq!(issued["crumbRequestField"], ".crumb");
    let crumb = issued["crumb"].as_str().expect("a crumb").to_owned();
    // No session is needed before 2.176.2.
    assert_eq!(mark(&[basic("mita:11token"), (".crumb".to_owned(), crumb)]), 302);
    s.world.with(|w| w.jenkins.version = "2.107.3".to_owned());
    assert_eq!(mark(&[basic("mita:11token")]), 302, "from 2.96 on a token needs none");
}

#[test]
fn a_restart_makes_another_session_and_breaks_every_channel() {
    let s = setup();
    s.world.agent(Agent::new("on-1", &["linux"]).online());
    let recorded = load("jenkins-2.544", "queue-tree-lang-en");
    let before = s.ask(&recorded).headers["x-jenkins-session"].clone();
    s.world.with(|w| {
        let clock = w.clock;
        w.jenkins.restart("5e6f7a8b", clock);
    });
    assert_ne!(s.ask(&recorded).headers["x-jenkins-session"], before);
    let computers = s.ask(&load("jenkins-2.544", "computer-tree-one-offline")).json();
    assert_eq!(computers["computer"][1]["offline"], true);
}
