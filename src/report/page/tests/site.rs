//! Sites whose pages are tested.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::config::{self, Config};
use crate::model::{
    Event, EventKind, Headroom, NodeId, NodeName, Observed, Pause, ProblemKind, ProviderName, QueueItem, Reading,
    Seconds, Stage, TaskLabel, TemplateName, problem_key,
};
use crate::plan::{Context, Example, Plan, ServerRow, UnmetReason, Waiting, plan};
use crate::report::Seen;
use crate::report::page;
use crate::report::view::{PassView, Rows, Saw};
use crate::state::{Backoff, Cached, LastPass, NodeMemory, PageMemory, Phase, ProblemMemory, Sample, State};

/// Texts that would be markup if anybody let them.
pub const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert('1')//</td></table><h1>",
    "&lt;b&gt;\u{202e}\n<a href='http://evil.example.com'>",
];

const YAML: &str = "
owner: tester
state_file: /var/lib/mita/state.json
status_page: /var/www/mita.html
jenkins: {url: https://jenkins.example.com/ci, user: mita, token: top-secret}
provider:
  openstack: {auth_url: https://cloud.example.com/v3, username: ci, password: cloud-secret, tenant_name: ci}
nodes:
  small: {image_name: ubuntu, size: m1, keyname: k, networks: [net], provider: openstack, labels: [linux], max: 10, min_ready: 1, script: 'true'}
  large: {image_name: ubuntu, size: m4, keyname: k, networks: [net], provider: openstack, labels: [big], max: 4, script: 'true'}
";

/// A site: what is not set is not there.
pub struct Site {
    pub config: Config,
    pub state: State,
    pub observed: Observed,
    pub plan: Plan,
    pub exit: u8,
    pub is_blind: bool,
}

pub fn now() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

impl Default for Site {
    fn default() -> Self {
        let loaded = config::load_text(YAML, Path::new("/etc/mita/mita.yaml"), &|_| None).expect("a configuration");
        let config = loaded.config;
        let unread = Reading::Unreadable("not asked".to_owned());
        let observed = Observed {
            clouds: BTreeMap::from([(ProviderName::new("openstack"), unread)]),
            ..Observed::default()
        };
        let context = Context {
            now: now(),
            pass: "0123456789ab".to_owned(),
            create: true,
            remove: true,
            force: false,
            created: 0,
            asked: None,
        };
        let state = State {
            gaps: vec![60; 10],
            last_pass: Some(LastPass::begun("0123456789aa", ago(60))),
            page: Some(Box::default()),
            ..State::default()
        };
        let plan = plan(&observed, &config, &state, &context);
        Self {
            config,
            state,
            observed,
            plan,
            exit: 0,
            is_blind: false,
        }
    }
}

impl Site {
    pub fn html(&self) -> String {
        let seen = Seen {
            requests: BTreeMap::from([("jenkins".to_owned(), 2), ("nova".to_owned(), 1)]),
            ..Seen::default()
        };
        let saw = Saw {
            observed: &self.observed,
            plan: &self.plan,
            seen: &seen,
        };
        let saw = (!self.is_blind).then_some(saw);
        let rows = Rows::new(saw.as_ref(), &self.config, &self.state, now());
        page::html(&PassView {
            config: &self.config,
            now: now(),
            pass: "0123456789ab",
            exit: self.exit,
            seconds: 0.42,
            saw,
            rows: &rows,
            state: &self.state,
        })
    }

    fn server(&mut self, id: &str, template: &str, phase: Phase, age: i64) -> &mut ServerRow {
        let name = format!("{template}__{id}");
        let memory = NodeMemory {
            template: TemplateName::new(template),
            provider: ProviderName::new("openstack"),
            zone: None,
            image: None,
            name: name.clone(),
            server_id: crate::model::ServerId::new(format!("id-{id}")),
            created: ago(age),
            joined: None,
            idle_since: None,
            offline_since: None,
            jenkins_node: Some(NodeName::new(name.clone())),
            missing: None,
            failure_counted: false,
            failure_noted: false,
            unlisted: None,
            held_since: None,
            held_by: None,
            delete_failed: false,
            deleted: false,
            deleting_since: None,
            had: std::collections::BTreeSet::new(),
            volumes_settled: false,
            adopted: false,
            builds: None,
            undrained: None,
            draining_since: None,
            busy_seconds: 0,
            idle_seconds: 0,
            phase,
            phase_since: Some(ago(age / 2)),
            offline_by: None,
        };
        self.state.nodes.insert(NodeId::new(id), memory);
        let (rows, _) = crate::plan::remembered(&self.config, &self.state, now());
        let row = rows.into_iter().find(|row| row.name == name).expect("its row");
        self.plan.servers.push(row);
        self.plan.servers.last_mut().expect("it")
    }

    fn waits(&mut self, label: &str, items: u64, oldest: i64, task: &str, reason: &str, by: Option<&str>) {
        let id = 100 + self.plan.waiting.len() as u64;
        let row = Waiting {
            label: Some(label.to_owned()),
            unlabelled: false,
            reason: reason.to_owned(),
            items,
            oldest_seconds: oldest,
            example: Example {
                item: id,
                task: task.to_owned(),
            },
            served_by: by.map(TemplateName::new),
            fitting: Vec::new(),
            class: by.is_none().then_some(UnmetReason::Other),
        };
        self.plan.waiting.push(row);
        self.plan.waiting_items += items;
        self.observed.jenkins.queue.push(QueueItem {
            id,
            stage: Stage::Buildable,
            stuck: false,
            since: ago(oldest),
            why: None,
            task_class: None,
            task: task.into(),
            task_name: task.into(),
            task_url: Some(format!("https://elsewhere.example.com/job/{task}/").into()),
            label: TaskLabel::Absent,
        });
    }

    fn problem(&mut self, kind: ProblemKind, subject: &str, sentence: &str) {
        let memory = ProblemMemory {
            kind,
            subject: subject.to_owned(),
            sentence: sentence.to_owned(),
            facts: BTreeMap::from([
                ("oldest_seconds".to_owned(), json!(600)),
                ("reason".to_owned(), json!(subject)),
            ]),
            provider: None,
            config: None,
            read: std::collections::BTreeSet::new(),
            since: ago(7200),
            seen: now(),
            ended: None,
            again: false,
            told: None,
        };
        self.state.problems.insert(problem_key(kind, subject), memory);
    }

    fn page(&mut self) -> &mut PageMemory {
        self.state.page.get_or_insert_default()
    }

    /// A day of readings with a gap of two hours.
    fn day(&mut self) {
        let end = u64::try_from(now().as_second()).unwrap();
        for slot in (0..288_u64).filter(|slot| !(100..124).contains(slot)) {
            let load = slot % 12;
            self.page().samples.push(Sample {
                at: end - (287 - slot) * 300,
                waiting: load,
                oldest: load * 40,
                unserved: load / 6,
                booting: load / 4,
                busy: load / 2,
                idle: 2,
                off: load / 11,
                joined: load / 5,
                boot: 60 + load,
                served: load / 3,
                wait: 30 + load * 7,
            });
        }
    }
}

/// One of everything.
pub fn small() -> Site {
    let mut site = Site::default();
    site.server("0000000000a1", "small", Phase::Busy, 9000);
    site.server("0000000000a2", "small", Phase::Idle, 600);
    site.server("0000000000a3", "small", Phase::Booting, 45);
    site.server("0000000000b1", "large", Phase::Error, 1800).why = Some("no valid host was found".to_owned());
    site.waits(
        "linux",
        4,
        90,
        "team/build",
        "waits for a booting server",
        Some("small"),
    );
    site.waits("big && gpu", 2, 4000, "team/suite", "no template has it", None);
    site.problem(
        ProblemKind::Unserved,
        "big && gpu",
        "items wait that no template serves",
    );
    site.problem(
        ProblemKind::ProviderUnreadable,
        "openstack",
        "provider openstack cannot be read",
    );
    site.observed.pauses.all.push(Pause {
        provider: None,
        template: Some(TemplateName::new("large")),
        until: Some(now() + SignedDuration::from_mins(30)),
        reason: Some("a new image".to_owned()),
        since: ago(600),
    });
    let backoff = Backoff {
        failures: 3,
        until: now() + SignedDuration::from_mins(4),
        reason: "quota exceeded".to_owned(),
        settled: false,
        failed: None,
        probed: Vec::new(),
    };
    site.state.backoffs.insert("placement openstack".to_owned(), backoff);
    let room = Headroom {
        instances: Some(7),
        vcpus: None,
        ram_mb: Some(40_960),
        ..Headroom::default()
    };
    let room = Cached {
        at: ago(120),
        value: room,
    };
    site.state.headroom.insert(ProviderName::new("openstack"), room);
    site.day();
    let joined = Event {
        name: Some("small__0000000000a2".to_owned()),
        seconds: Some(Seconds(85_000)),
        ..Event::new(EventKind::Joined, ago(500), "0123456789aa")
    };
    site.page().recent.push(joined);
    site
}

/// Every text of others is hostile.
pub fn hostile() -> Site {
    let mut site = Site::default();
    for (number, text) in HOSTILE.into_iter().enumerate() {
        let row = site.server(&format!("{number:012x}"), "small", Phase::Offline, 60);
        row.offline_reason = Some(text.to_owned());
        row.why = Some(text.to_owned());
        row.jobs = vec![text.to_owned()];
        row.jenkins_node = Some(NodeName::new(text));
        row.zone = Some(crate::model::Zone::new(text));
        let id = NodeId::new(format!("{number:012x}"));
        site.state.nodes.get_mut(&id).unwrap().jenkins_node = Some(NodeName::new(text));
        site.waits(text, 2, 60, text, text, None);
        site.problem(ProblemKind::Unserved, text, text);
        let backoff = Backoff {
            failures: 1,
            until: now(),
            reason: text.to_owned(),
            settled: false,
            failed: None,
            probed: Vec::new(),
        };
        site.state.backoffs.insert(text.to_owned(), backoff);
        site.observed.pauses.all.push(Pause {
            provider: Some(ProviderName::new(text)),
            template: Some(TemplateName::new(text)),
            until: None,
            reason: Some(text.to_owned()),
            since: now(),
        });
        let event = Event {
            name: Some(text.to_owned()),
            made_for: Some(text.to_owned()),
            because: Some(text.to_owned()),
            error: Some(text.to_owned()),
            ..Event::new(EventKind::Failed, now(), text)
        };
        site.page().note(&event);
    }
    site.observed.jenkins.version = Some(HOSTILE[0].to_owned());
    site
}

/// Two thousand servers and five hundred labels, with texts as long as they get.
pub fn large() -> Site {
    let mut site = Site::default();
    let long = "the cloud says: & ".repeat(60);
    for number in 0..2000 {
        let name = format!("small__{number:012x}");
        let mut row = match site.plan.servers.first() {
            Some(first) => first.clone(),
            None => site.server("000000000000", "small", Phase::Error, 500).clone(),
        };
        row.why = Some(long.clone());
        row.name.clone_from(&name);
        let id = NodeId::new(format!("{number:012x}"));
        let mut memory = site.state.nodes.values().next().unwrap().clone();
        memory.name = name;
        site.state.nodes.insert(id, memory);
        if number > 0 {
            site.plan.servers.push(row);
        } else {
            site.plan.servers[0] = row;
        }
    }
    for number in 0..500 {
        site.waits(
            &format!("label-{number}"),
            3,
            number,
            &format!("job-{number}"),
            &long,
            None,
        );
        site.problem(ProblemKind::Unserved, &format!("label-{number}"), &long);
    }
    site.day();
    site
}
