//! The sites that the outputs are made of.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::cli::status::health::Ending;
use crate::cli::status::report::{
    BackoffRow, ControllerRow, FailureRow, LastPassRow, NodeRow, ProviderRow, QueueRow, StatusReport, WaitingRow,
};
use crate::model::{
    Headroom, NodeName, OfflineTaker, Pause, Problem, ProblemKind, ProviderName, TemplateName, problem_key,
};
use crate::plan::{Example, ServerRow, TemplateRow};
use crate::state::Phase;

pub fn now() -> Timestamp {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// A provider: its name, maximum, quota, and why it cannot be read.
type Cloud = (ProviderName, Option<u32>, Option<Headroom>, Option<String>);

/// What a site is like; a report borrows from it.
pub struct Outline {
    pub url: String,
    pub error: Option<String>,
    pub queue: Option<(u64, u64, Option<i64>)>,
    pub last_pass: Option<(i64, Ending, Option<u8>, bool)>,
    pub problems: Vec<Problem>,
    pub paused: bool,
    pub providers: Vec<Cloud>,
    pub servers: Vec<ServerRow>,
    pub nodes: Vec<NodeName>,
    pub backoffs: Vec<(String, i64, u32, String)>,
    pub failures: Vec<(TemplateName, String, i64, String, Vec<String>)>,
    pub waiting: Vec<Waits>,
    pub templates: Vec<(TemplateName, u32, u32)>,
    pub notes: Vec<String>,
}

pub struct Waits {
    pub label: Option<String>,
    pub reason: String,
    pub items: u64,
    pub oldest: i64,
    pub example: Example,
    pub by: Option<String>,
    pub fitting: Vec<TemplateName>,
}

impl Default for Outline {
    /// A site on its first day: one template, and no pass yet.
    fn default() -> Self {
        Self {
            url: "https://jenkins.example.com".to_owned(),
            error: None,
            queue: Some((0, 0, None)),
            last_pass: None,
            problems: Vec::new(),
            paused: false,
            providers: vec![("openstack".into(), None, Some(room(20, 80, 204_800)), None)],
            servers: Vec::new(),
            nodes: Vec::new(),
            backoffs: Vec::new(),
            failures: Vec::new(),
            waiting: Vec::new(),
            templates: vec![("small".into(), 10, 0)],
            notes: Vec::new(),
        }
    }
}

impl Outline {
    pub fn report(&self) -> StatusReport<'_> {
        let templates = self
            .templates
            .iter()
            .map(|(name, max, ready)| self.template(name, *max, *ready));
        StatusReport {
            version: 1,
            controller: ControllerRow {
                url: &self.url,
                version: Some("2.541.3").filter(|_| self.error.is_none()),
                error: self.error.clone(),
            },
            owner: "ci",
            queue: self.queue.map(|(items, waiting, oldest_seconds)| QueueRow {
                items,
                waiting,
                oldest_seconds,
            }),
            last_pass: self.last_pass.map(|(age_seconds, ending, exit, overdue)| LastPassRow {
                pass: "0123456789ab",
                started: ago(age_seconds),
                age_seconds,
                ending,
                exit,
                seconds: exit.map(|_| 1.34),
                every_seconds: Some(60),
                overdue,
            }),
            problems: self.problems.clone(),
            pauses: self.paused.then(paused).into_iter().collect(),
            providers: self.providers.iter().map(|row| self.provider(row)).collect(),
            servers: self.servers.clone(),
            jenkins_nodes: self.nodes.iter().map(node).collect(),
            backoffs: self.backoffs.iter().map(backoff).collect(),
            failures: self.failures.iter().map(|row| self.failure(row)).collect(),
            waiting: self.waiting.iter().map(waits).collect(),
            templates: templates.collect(),
            notes: self.notes.iter().collect(),
            now: now(),
            max_servers: Some(400),
        }
    }

    fn template(&self, name: &TemplateName, max: u32, min_ready: u32) -> TemplateRow {
        let of = |phases: &[Phase]| {
            let rows = self
                .servers
                .iter()
                .filter(|row| row.node == *name && phases.contains(&row.phase));
            u32::try_from(rows.count()).unwrap()
        };
        TemplateRow {
            node: name.clone(),
            configured: max > 0,
            servers: of(&Phase::ALL),
            booting: of(&[Phase::Intent, Phase::Booting]),
            idle: of(&[Phase::Idle]),
            busy: of(&[Phase::Busy, Phase::Online]),
            off: of(&Phase::ALL[5..]),
            max,
            min_ready,
            spare: None,
            rhythm: None,
            rollbacks: Vec::new(),
        }
    }

    fn provider<'a>(&'a self, (name, max, quota, error): &'a Cloud) -> ProviderRow<'a> {
        ProviderRow {
            provider: name,
            servers: u32::try_from(self.servers.iter().filter(|row| row.provider == *name).count()).unwrap(),
            max: *max,
            quota: quota.clone(),
            error: error.as_deref(),
        }
    }

    fn failure<'a>(
        &'a self,
        (node, name, seconds, reason, console): &'a (TemplateName, String, i64, String, Vec<String>),
    ) -> FailureRow<'a> {
        FailureRow {
            node,
            name,
            provider: &self.providers[0].0,
            at: ago(*seconds),
            reason,
            console,
        }
    }

    /// Puts a name and a sentence wherever there is one.
    pub fn rename(&mut self, name: &str, reason: &str) {
        self.url.push_str(name);
        self.templates[0].0 = TemplateName::new(name);
        self.providers[0].0 = ProviderName::new(name);
        self.nodes = vec![NodeName::new(name)];
        self.notes = vec![reason.to_owned()];
        for row in &mut self.servers {
            name.clone_into(&mut row.name);
            row.provider = ProviderName::new(name);
            row.jobs = vec![reason.to_owned()];
            row.why = Some(reason.to_owned());
        }
        for row in &mut self.waiting {
            row.label = Some(name.to_owned());
            row.by = Some(name.to_owned());
            reason.clone_into(&mut row.reason);
        }
        for (key, _, _, text) in &mut self.backoffs {
            name.clone_into(key);
            reason.clone_into(text);
        }
        for (_, server, _, text, console) in &mut self.failures {
            name.clone_into(server);
            reason.clone_into(text);
            *console = vec![reason.to_owned()];
        }
        for problem in &mut self.problems {
            name.clone_into(&mut problem.subject);
            reason.clone_into(&mut problem.sentence);
        }
    }
}

fn paused() -> Pause {
    Pause {
        provider: None,
        template: Some("large".into()),
        since: ago(7200),
        until: None,
        reason: Some("new kernel, ask anna".to_owned()),
    }
}

fn node(name: &NodeName) -> NodeRow<'_> {
    NodeRow {
        name,
        offline: true,
        idle: true,
        executors: 2,
        idle_executors: 2,
    }
}

fn backoff((key, left, failures, reason): &(String, i64, u32, String)) -> BackoffRow<'_> {
    BackoffRow {
        key,
        failures: *failures,
        until: ago(-left),
        reason,
    }
}

fn waits(row: &Waits) -> WaitingRow<'_> {
    WaitingRow {
        label: row.label.as_deref(),
        reason: &row.reason,
        items: row.items,
        oldest_seconds: row.oldest,
        example: &row.example,
        served_by: row.by.as_deref(),
        unlabelled: row.label.is_none(),
        fitting: &row.fitting,
    }
}

fn waiting(label: Option<&str>, items: u64, oldest: i64, by: Option<&str>, reason: &str) -> Waits {
    Waits {
        label: label.map(str::to_owned),
        reason: reason.to_owned(),
        items,
        oldest,
        example: Example {
            item: 4711,
            task: "nightly/kernel » build".to_owned(),
        },
        by: by.map(str::to_owned),
        fitting: by.map(TemplateName::new).into_iter().collect(),
    }
}

fn room(instances: u64, vcpus: u64, ram_mb: u64) -> Headroom {
    Headroom {
        instances: Some(instances),
        vcpus: Some(vcpus),
        ram_mb: Some(ram_mb),
        ..Headroom::default()
    }
}

fn problem(kind: ProblemKind, subject: &str, seconds: i64, sentence: &str) -> Problem {
    Problem {
        key: problem_key(kind, subject),
        kind,
        subject: subject.to_owned(),
        severity: kind.severity(),
        sentence: sentence.to_owned(),
        since: ago(seconds),
        seen: ago(40),
        ended: None,
        facts: BTreeMap::new(),
    }
}

/// A server that is two hours old and has been in its phase for ten minutes.
fn server(template: &str, id: u64, phase: Phase) -> ServerRow {
    let has_node = !matches!(phase, Phase::Intent | Phase::Booting | Phase::Deleting | Phase::Orphan);
    let busy = u32::from(phase == Phase::Busy);
    ServerRow {
        name: format!("{template}__{id:012x}"),
        node: template.into(),
        provider: "openstack".into(),
        zone: Some("az1".into()),
        server_id: None,
        phase,
        since: Some(ago(600)),
        offline_by: None,
        offline_reason: None,
        executors: has_node.then_some(1),
        busy_executors: has_node.then_some(busy),
        jobs: Vec::new(),
        why: None,
        age_seconds: 7500,
        idle_seconds: (phase == Phase::Idle).then_some(600),
        jenkins_node: None,
        address: Some(format!("10.0.{}.{}", id % 7, id % 250)),
        floating_ip: None,
        image: None,
        outdated: false,
        adopted: false,
        builds: None,
    }
}

fn job(template: &str, id: u64, name: &str) -> ServerRow {
    ServerRow {
        jobs: vec![name.to_owned()],
        ..server(template, id, Phase::Busy)
    }
}

fn offline(template: &str, id: u64, by: Option<OfflineTaker>, reason: &str) -> ServerRow {
    let phase = if by == Some(OfflineTaker::Mita) {
        Phase::Draining
    } else {
        Phase::Offline
    };
    ServerRow {
        offline_by: by,
        offline_reason: Some(reason.to_owned()),
        busy_executors: Some(u32::from(phase == Phase::Draining)),
        ..server(template, id, phase)
    }
}

fn why(template: &str, id: u64, phase: Phase, why: &str) -> ServerRow {
    ServerRow {
        why: Some(why.to_owned()),
        ..server(template, id, phase)
    }
}

/// A server in each phase.
fn every_phase() -> Vec<ServerRow> {
    vec![
        job("large", 0x1a, "nightly/kernel » build #812"),
        ServerRow {
            executors: Some(4),
            busy_executors: Some(3),
            phase: Phase::Online,
            zone: None,
            ..server("large", 0x1b, Phase::Online)
        },
        server("large", 0x1c, Phase::Booting),
        why(
            "large",
            0x1d,
            Phase::Intent,
            "asked for, and not in the cloud's list yet",
        ),
        ServerRow {
            outdated: true,
            floating_ip: Some("203.0.113.17".to_owned()),
            ..server("small", 0x2a, Phase::Idle)
        },
        ServerRow {
            jenkins_node: Some("small+10.0.3.43".into()),
            ..job("small", 0x2b, "unit-tests #4")
        },
        offline("small", 0x2c, Some(OfflineTaker::Person), "debugging the network, anna"),
        offline(
            "small",
            0x2d,
            Some(OfflineTaker::Monitor),
            "Disk space is too low. Only 0.312GB left on /tmp.",
        ),
        offline(
            "small",
            0x2e,
            Some(OfflineTaker::Mita),
            "mita: draining, by hand, new kernel",
        ),
        offline("small", 0x2f, None, "Connection was broken"),
        why(
            "small",
            0x30,
            Phase::Error,
            "No valid host was found. There are not enough hosts available.",
        ),
        server("small", 0x31, Phase::Deleting),
        why("small", 0x32, Phase::Orphan, "Jenkins has no node for it"),
        ServerRow {
            provider: "rackspace".into(),
            adopted: true,
            builds: Some(3),
            ..server("old", 0x41, Phase::Idle)
        },
    ]
}

/// Every answer at once: each phase, problems, a pause, what waits and what is held back.
pub fn small() -> Outline {
    Outline {
        queue: Some((9, 7, Some(5100))),
        last_pass: Some((42, Ending::Ended, Some(1), false)),
        problems: vec![
            problem(
                ProblemKind::NotOffered,
                "large@openstack: flavor",
                190_000,
                "template \"large\" at openstack: no flavor named \"m3.xlrge\" (nearest: \"m3.xlarge\"); correct size in \
                 mita.yaml",
            ),
            problem(
                ProblemKind::AtMax,
                "small",
                2500,
                "items wait, and \"small\" has its maximum of servers (max)",
            ),
        ],
        paused: true,
        providers: vec![
            ("openstack".into(), Some(20), Some(room(0, 44, 98_304)), None),
            (
                "rackspace".into(),
                None,
                None,
                Some("no connection to keystone.example.org within 10 s".to_owned()),
            ),
        ],
        servers: every_phase(),
        nodes: vec!["small__0000000000ff".into()],
        backoffs: vec![
            (
                "template large at openstack/az1".to_owned(),
                115,
                3,
                "No valid host was found.".to_owned(),
            ),
            (
                "provider rackspace".to_owned(),
                -5,
                1,
                "no connection within 10 s".to_owned(),
            ),
        ],
        failures: vec![(
            "small".into(),
            "small__0000000000aa".to_owned(),
            5000,
            "did not join Jenkins within 15m".to_owned(),
            vec!["cloud-init: done".to_owned(), "curl: (7) no route to host".to_owned()],
        )],
        waiting: vec![
            waiting(
                Some("linux&&x86_64"),
                4,
                5100,
                None,
                "\"small\" is at its maximum of 10 (max); \"large\": no flavor named \"m3.xlrge\"",
            ),
            waiting(Some("large"), 1, 60, Some("large"), "waits for a booting server"),
            waiting(Some("plan9"), 1, 50, None, "no template has the labels plan9"),
            waiting(None, 1, 5, None, "no template accepts jobs without a label"),
        ],
        templates: vec![("small".into(), 10, 1), ("large".into(), 4, 0), ("old".into(), 0, 0)],
        notes: vec!["the warm pool of \"small\" lacks 1 of 1 slots: it is at its maximum of 10 (max)".to_owned()],
        ..Outline::default()
    }
}

/// What the README shows.
pub fn readme() -> Outline {
    let aged = |age_seconds, seconds, row| ServerRow {
        age_seconds,
        since: Some(ago(seconds)),
        ..row
    };
    let task = |item, task: &str, row| Waits {
        example: Example {
            item,
            task: task.to_owned(),
        },
        ..row
    };
    let no_label = "no template has the labels windows";
    Outline {
        queue: Some((6, 4, Some(10_800))),
        last_pass: Some((42, Ending::Ended, Some(0), false)),
        problems: vec![problem(
            ProblemKind::Unserved,
            "windows",
            9000,
            "items wait for \"windows\", and no template has that label",
        )],
        providers: vec![("openstack".into(), Some(20), Some(room(8, 44, 98_304)), None)],
        servers: vec![
            aged(45, 45, server("large", 0x4f6c_09d2_e1a7, Phase::Booting)),
            aged(9400, 380, job("small", 0x1a7b_03c4_22d0, "kernel #812")),
            aged(5200, 130, server("small", 0x5c11_9f0e_7be4, Phase::Idle)),
            aged(
                11_000,
                3500,
                offline(
                    "small",
                    0x9be2_41aa_d035,
                    Some(OfflineTaker::Person),
                    "core dump, ask anna",
                ),
            ),
        ],
        waiting: vec![
            task(4711, "setup.exe", waiting(Some("windows"), 1, 10_800, None, no_label)),
            task(
                4902,
                "image",
                waiting(Some("large"), 3, 50, Some("large"), "waits for a booting server"),
            ),
        ],
        templates: vec![("small".into(), 10, 1), ("large".into(), 4, 0)],
        ..Outline::default()
    }
}

/// Names of other scripts, of great length, and with what steers a terminal.
pub fn names() -> Outline {
    let long = "a-template-whose-name-tells-the-distribution-its-version-and-the-team-that-asked-for-it";
    let names = [
        long,
        "構築-大",
        "עברית",
        "e\u{301}te\u{301}",
        "esc\u{1b}[31m\u{202e}evil",
        "x",
    ];
    let servers = names.iter().zip(1..).map(|(name, id)| ServerRow {
        provider: "a-cloud-with-a-rather-long-name".into(),
        zone: Some("rack-7.room-2.site-frankfurt".into()),
        address: Some("2001:db8:85a3:1319:8a2e:370:7348:1".to_owned()),
        ..job(name, id, "チーム » ビルド・とても長い名前のジョブ » linux,x86_64 #1024")
    });
    Outline {
        url: "https://jenkins.a-company-with-a-long-name.example.com/a/context/path/that/does/not/end/here".to_owned(),
        queue: Some((1, 1, Some(5))),
        last_pass: Some((42, Ending::Ended, Some(0), false)),
        providers: vec![(
            "a-cloud-with-a-rather-long-name".into(),
            Some(1000),
            Some(Headroom::default()),
            None,
        )],
        servers: servers.collect(),
        nodes: vec![NodeName::new(format!("{long}__0123456789ab"))],
        backoffs: vec![(
            format!("template {long} at a-cloud-with-a-rather-long-name"),
            3600,
            9,
            "ビルド失敗".repeat(20),
        )],
        waiting: vec![waiting(
            Some(&format!("{long}&&!(構築-大||עברית)")),
            1,
            5,
            Some(long),
            "waits for a booting server",
        )],
        templates: names.iter().map(|name| ((*name).into(), 100, 0)).collect(),
        ..Outline::default()
    }
}

/// Three hundred servers of twelve templates.
pub fn large() -> Outline {
    let template = |id: u64| format!("ubuntu-24.04-{:02}", id % 12);
    let one = |id: u64| match id % 25 {
        0 => why(&template(id), id, Phase::Error, "No valid host was found."),
        1 => offline(&template(id), id, Some(OfflineTaker::Person), "debugging"),
        2..=5 => server(&template(id), id, Phase::Booting),
        6..=14 => server(&template(id), id, Phase::Idle),
        _ => job(&template(id), id, &format!("team-{}/app #{id}", id % 9)),
    };
    let mut servers: Vec<ServerRow> = (1..=300).map(one).collect();
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    Outline {
        queue: Some((1200, 950, Some(900))),
        last_pass: Some((12, Ending::Ended, Some(0), false)),
        providers: vec![("openstack".into(), Some(400), Some(room(100, 1600, 3_276_800)), None)],
        servers,
        waiting: (0..30)
            .map(|at| {
                waiting(
                    Some(&format!("label-{at}")),
                    30,
                    900 - at,
                    Some("ubuntu-24.04-00"),
                    "waits for a booting server",
                )
            })
            .collect(),
        templates: (0..12).map(|at| (TemplateName::new(template(at)), 50, 5)).collect(),
        ..Outline::default()
    }
}

/// A Jenkins that cannot be read: what the last pass saw.
pub fn blind() -> Outline {
    Outline {
        error: Some("jenkins: cannot connect to jenkins.example.com:443: connection refused".to_owned()),
        queue: None,
        last_pass: Some((15_000, Ending::Ended, Some(4), true)),
        problems: vec![problem(
            ProblemKind::JenkinsUnreadable,
            "",
            15_060,
            "Jenkins cannot be read: connection refused",
        )],
        providers: vec![("openstack".into(), None, None, None)],
        servers: vec![ServerRow {
            address: None,
            executors: None,
            busy_executors: None,
            ..server("small", 1, Phase::Busy)
        }],
        ..Outline::default()
    }
}
