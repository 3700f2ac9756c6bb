//! A site with two templates and two clouds, one of which is away, and a pass at it.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, load_text};
use crate::model::{
    Computer, Event, EventKind, Headroom, JenkinsView, NodeId, Observed, Pauses, ProblemKind, ProviderName, QueueItem,
    Quota, Reading, ResourceKind, Seconds, ServerId, Stage, TaskLabel, TemplateName, problem_key,
};
use crate::plan::{Context, Plan, plan};
use crate::report::Seen;
use crate::report::metrics::text;
use crate::report::view::{PassView, Rows, Saw};
use crate::state::{Cached, Counters, NodeMemory, Phase, ProblemMemory, State};

const CONFIG: &str = "
owner: tester
state_file: state.json
metrics_file: mita.prom
jenkins: {url: 'https://jenkins.example.com', user: ci, token: t}
provider:
  east: {type: openstack, auth_url: 'https://east.example.com:5000/v3', username: ci, password: p, tenant_name: ci}
  west: {type: openstack, auth_url: 'https://west.example.com:5000/v3', username: ci, password: p, tenant_name: ci}
nodes:
  small: {image_name: i, size: s, labels: [linux], provider: [east, west], max: 1, price: 0.12, executors: 2}
  big: {image_name: i, size: s, labels: [huge], provider: east, max: 4}
";

pub fn now() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// A pass, and all that its text is made of.
pub struct PassMade {
    config: Config,
    observed: Observed,
    plan: Plan,
    pub state: State,
    pub exit: u8,
    is_blind: bool,
}

impl PassMade {
    /// A server is busy, two items wait behind the maximum, and one for a label that nobody has.
    pub fn usual() -> Self {
        let config = load_text(CONFIG, Path::new("/site/mita.yaml"), &|_| None)
            .unwrap()
            .config;
        let observed = Observed {
            jenkins: JenkinsView {
                queue: vec![item(1, "linux", 600), item(2, "linux", 60), item(3, "solaris", 90)],
                computers: vec![computer()],
                ..JenkinsView::default()
            },
            clouds: [
                ("east".into(), Reading::Unreadable("it is not asked here".to_owned())),
                ("west".into(), Reading::Unreadable("connection refused".to_owned())),
            ]
            .into(),
            pauses: Pauses::default(),
        };
        let mut made = Self {
            plan: plan(&observed, &config, &State::default(), &context()),
            config,
            observed,
            state: State::default(),
            exit: 0,
            is_blind: false,
        };
        made.remember();
        made
    }

    fn remember(&mut self) {
        self.remember_server("small", 1);
        let id = NodeId::new(format!("{:012x}", 1));
        if let Some(node) = self.state.nodes.get_mut(&id) {
            node.phase = Phase::Busy;
        }
        self.state.counters = Some(Box::new(counters()));
        self.join("small", 85);
        self.join("small", 100);
        self.state.headroom.insert(
            "east".into(),
            Cached {
                at: ago(600),
                value: Headroom {
                    instances: Some(3),
                    ram_mb: Some(1024),
                    quota: Quota {
                        instances: Some(20),
                        ram_mb: Some(51_200),
                        vcpus: None,
                    },
                    vcpus: None,
                },
            },
        );
        self.open(ProblemKind::ProviderUnreadable, "west");
        self.state.backoffs.insert("template big at east".to_owned(), held());
        // The plan of a world in which the server is seen.
        let context = context();
        let mut seen = self.observed.clone();
        seen.clouds.insert("east".into(), Reading::Read(cloud()));
        self.observed = seen;
        let mut before = self.state.clone();
        before.counters = None;
        self.plan = plan(&self.observed, &self.config, &before, &context);
        let rows = self
            .plan
            .servers
            .iter()
            .map(|row| (row.name.as_str(), row.busy_executors));
        assert_eq!(
            rows.collect::<Vec<_>>(),
            [("small__000000000001", Some(2))],
            "the site is as it should be"
        );
    }

    /// Notes that a server joined.
    pub fn join(&mut self, node: &str, seconds: u64) {
        self.state.note(Event {
            node: Some(TemplateName::new(node)),
            seconds: Some(Seconds(seconds * 1000)),
            ..Event::new(EventKind::Joined, now(), "p")
        });
    }

    /// Adds an idle server to the memory that the pass left.
    pub fn remember_server(&mut self, template: &str, number: u64) {
        let id = NodeId::new(format!("{number:012x}"));
        let memory = format!(
            r#"{{"template":"t","provider":"east","zone":null,"name":"n","server_id":"s-{number}",
                "created":"2026-11-30T11:00:00Z","joined":"2026-11-30T11:01:25Z","phase":"idle"}}"#
        );
        let mut memory: NodeMemory = serde_json::from_str(&memory).unwrap();
        memory.template = TemplateName::new(template);
        memory.name = format!("{template}__{id}");
        self.state.nodes.insert(id, memory);
    }

    /// Opens a problem.
    pub fn open(&mut self, kind: ProblemKind, subject: &str) {
        let memory = ProblemMemory {
            kind,
            subject: subject.to_owned(),
            sentence: "it is so".to_owned(),
            facts: BTreeMap::new(),
            provider: None,
            config: None,
            read: std::collections::BTreeSet::new(),
            since: ago(60),
            seen: now(),
            ended: None,
            again: false,
            told: None,
        };
        self.state.problems.insert(problem_key(kind, subject), memory);
    }

    /// Makes it a pass that saw nothing, for this reason; what an earlier one saw stays open.
    pub fn go_blind(&mut self, kind: ProblemKind, subject: &str) {
        for problem in self
            .state
            .problems
            .values_mut()
            .filter(|problem| problem.subject == "west")
        {
            problem.seen = ago(60);
        }
        self.open(kind, subject);
        (self.exit, self.is_blind) = (4, true);
        if let Some(counters) = &mut self.state.counters {
            counters.last_success = Some(ago(60));
        }
    }

    /// Returns its text.
    pub fn text(&self) -> String {
        let seen = Seen::default();
        let saw = Saw {
            observed: &self.observed,
            plan: &self.plan,
            seen: &seen,
        };
        let saw = (!self.is_blind).then_some(saw);
        let rows = Rows::new(saw.as_ref(), &self.config, &self.state, now());
        text(&PassView {
            config: &self.config,
            now: now(),
            pass: "p",
            exit: self.exit,
            seconds: 1.25,
            saw,
            rows: &rows,
            state: &self.state,
        })
    }
}

fn context() -> Context {
    Context {
        now: now(),
        pass: "p".to_owned(),
        create: true,
        remove: true,
        force: false,
        created: 0,
        asked: None,
    }
}

fn counters() -> Counters {
    let place = |word: &str, number| {
        let words = BTreeMap::from([(word.to_owned(), number)]);
        let providers = BTreeMap::from([(ProviderName::new("east"), words)]);
        BTreeMap::from([(TemplateName::new("small"), providers)])
    };
    Counters {
        creates: place("done", 7),
        server_seconds: place("idle", 300),
        builds: [(TemplateName::new("small"), 4)].into(),
        requests: [("jenkins".to_owned(), 12)].into(),
        last_success: Some(now()),
        left: [("east".into(), [(ResourceKind::Volume, 3)].into())].into(),
        ..Counters::default()
    }
}

fn held() -> crate::state::Backoff {
    let text = r#"{"failures":2,"until":"2026-11-30T12:05:00Z","reason":"no valid host"}"#;
    serde_json::from_str(text).unwrap()
}

fn item(id: u64, label: &str, age: i64) -> QueueItem {
    QueueItem {
        id,
        stage: Stage::Buildable,
        stuck: false,
        since: ago(age),
        why: Some(format!("Waiting for next available executor on ‘{label}’").into()),
        task_class: Some("hudson.model.FreeStyleProject".into()),
        task: format!("job {id}").into(),
        task_name: format!("job-{id}").into(),
        task_url: None,
        label: TaskLabel::Expression(label.into()),
    }
}

fn computer() -> Computer {
    Computer {
        name: "small__000000000001".into(),
        built_in: false,
        idle: false,
        offline: false,
        temporarily_offline: false,
        offline_reason: String::new(),
        offline_class: None,
        executors: 2,
        idle_executors: 0,
        one_off_busy: false,
        running: Vec::new(),
        jobs: Vec::new(),
        labels: Some(vec!["linux".to_owned()]),
    }
}

fn cloud() -> crate::model::CloudView {
    let text = r#"{"clock":null,"offers":null,"servers":[{"id":"s-1","name":"small__000000000001","status":"active",
        "task_state":null,"created":"2026-11-30T11:00:00Z","addresses":[],"zone":null,"image":null,"fault":null,
        "mark":{"owner":"tester","template":"small","id":"000000000001","config":null}}]}"#;
    let view: crate::model::CloudView = serde_json::from_str(text).unwrap();
    assert_eq!(view.servers[0].id, ServerId::new("s-1"));
    view
}
