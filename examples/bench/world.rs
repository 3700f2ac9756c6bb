//! A world in which nothing is to be done, and what Jenkins 2.544 says of it; `cloud` has the other half.
//!
//! Of the servers some are ours with a busy node, one in twenty is ours and boots, the rest is somebody else's; the nodes
//! that are not ours are static agents. Every template is at its maximum, so the queue waits.

use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicUsize;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::tree::Tree;

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Queue items.
    pub queue: usize,
    /// Jenkins nodes.
    pub nodes: usize,
    /// Servers.
    pub servers: usize,
}

impl Size {
    /// Names the three numbers.
    pub const fn new(queue: usize, nodes: usize, servers: usize) -> Self {
        Self { queue, nodes, servers }
    }

    /// Returns whether a list of sizes, or how they begin, has this one; an empty list has all.
    pub fn is_chosen(self, sizes: &[String]) -> bool {
        let name = self.to_string();
        sizes.is_empty() || sizes.iter().any(|size| name.starts_with(size.as_str()))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.queue, self.nodes, self.servers)
    }
}

/// What kind of site a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Eight templates; nineteen servers in twenty are ours.
    FewTemplates,
    /// Seventy-two templates; three servers in five are ours.
    ManyTemplates,
}

impl Shape {
    /// Of twenty servers so many are somebody else's.
    const fn foreign(self) -> usize {
        match self {
            Self::FewTemplates => 1,
            Self::ManyTemplates => 8,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FewTemplates => "8 templates, 95 % of the servers are ours",
            Self::ManyTemplates => "72 templates, 60 % of the servers are ours",
        })
    }
}

/// A template, as far as it differs from the others.
#[derive(Debug)]
pub struct Template {
    /// The name, and how the names of its servers begin.
    pub name: String,
    /// The labels of its nodes.
    pub labels: Vec<String>,
}

impl Template {
    fn new(name: &str, labels: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        }
    }
}

const FEW: [(&str, &[&str]); 8] = [
    ("jammy-amd64", &["linux", "amd64", "x86_64", "jammy", "docker"]),
    ("noble-amd64", &["linux", "amd64", "x86_64", "noble", "docker"]),
    ("bookworm-amd64", &["linux", "amd64", "x86_64", "bookworm"]),
    ("jammy-arm64", &["linux", "arm64", "aarch64", "jammy"]),
    ("noble-arm64", &["linux", "arm64", "aarch64", "noble", "docker"]),
    ("bookworm-arm64", &["linux", "arm64", "aarch64", "bookworm"]),
    ("big-amd64", &["linux", "amd64", "x86_64", "noble", "big"]),
    ("gpu-amd64", &["linux", "amd64", "x86_64", "noble", "gpu", "cuda-12"]),
];

/// Nine systems on two architectures in four sizes.
const SYSTEMS: [&str; 9] = [
    "jammy", "noble", "bookworm", "trixie", "centos8", "centos9", "rocky9", "leap15", "focal",
];
const ARCHITECTURES: [(&str, &str); 2] = [("amd64", "x86_64"), ("arm64", "aarch64")];
const SIZES: [&str; 4] = ["small", "medium", "big", "huge"];

fn few() -> Vec<Template> {
    FEW.iter().map(|(name, labels)| Template::new(name, labels)).collect()
}

fn many() -> Vec<Template> {
    let mut templates = Vec::new();
    for system in SYSTEMS {
        for (architecture, alias) in ARCHITECTURES {
            for size in SIZES {
                let name = format!("{system}-{architecture}-{size}");
                templates.push(Template::new(&name, &["linux", system, architecture, alias, size]));
            }
        }
    }
    templates
}

/// A job's label as its author wrote it, and as Jenkins prints it in `why`.
type JobLabel = (String, String);

/// The last fits no template.
const FEW_LABELS: [&str; 10] = [
    "jammy && amd64",
    "noble",
    "linux && arm64",
    "(jammy || noble) && x86_64 && !big",
    "docker&&amd64",
    "bookworm && aarch64",
    "big",
    "gpu && \"cuda-12\"",
    "amd64",
    "solaris",
];

fn few_labels() -> Vec<JobLabel> {
    FEW_LABELS.into_iter().map(printed).collect()
}

/// Four forms for each system, and at the end what fits no template.
fn many_labels() -> Vec<JobLabel> {
    let forms = SYSTEMS
        .iter()
        .zip(SYSTEMS.iter().cycle().skip(1))
        .flat_map(|(system, next)| {
            [
                (*system).to_owned(),
                format!("{system} && amd64 && small"),
                format!("({system} || {next}) && x86_64 && !huge"),
                format!("{system} && aarch64 && (medium||big)"),
            ]
        });
    let all = forms.chain(["solaris".to_owned()]);
    all.map(|written| printed(&written)).collect()
}

fn printed(written: &str) -> JobLabel {
    (written.to_owned(), written.replace(' ', ""))
}

/// A world of one size.
#[derive(Debug)]
pub struct World {
    /// How large.
    pub size: Size,
    shape: Shape,
    templates: Vec<Template>,
    labels: Vec<JobLabel>,
    /// How many servers were made of it.
    pub made: AtomicUsize,
    /// As of when.
    pub began: Timestamp,
}

/// What the server of a number is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Booting,
    Foreign,
    Busy,
}

impl World {
    /// Makes a world as of now.
    pub fn new(size: Size, shape: Shape) -> Self {
        let (templates, labels) = match shape {
            Shape::FewTemplates => (few(), few_labels()),
            Shape::ManyTemplates => (many(), many_labels()),
        };
        Self {
            size,
            shape,
            templates,
            labels,
            made: AtomicUsize::new(0),
            began: Timestamp::now(),
        }
    }

    pub fn kind(&self, number: usize) -> Kind {
        match number % 20 {
            0 => Kind::Booting,
            place if place >= 7 && place < 7 + self.shape.foreign() => Kind::Foreign,
            _ => Kind::Busy,
        }
    }

    pub fn template(&self, number: usize) -> &Template {
        &self.templates[number % self.templates.len()]
    }

    pub fn name(&self, number: usize) -> String {
        match self.kind(number) {
            Kind::Foreign => format!("web-{number}"),
            _ => format!("{}__{:012x}", self.template(number).name, id_bits(number)),
        }
    }

    /// The label that the job of a queue item asks for: one in fifty for what fits no template.
    fn job_label(&self, number: usize) -> &JobLabel {
        let last = self.labels.len() - 1;
        &self.labels[if number % 50 == 49 { last } else { number % last }]
    }

    /// Returns the queue with the fields that `tree` names.
    pub fn queue(&self, query: &str) -> Vec<u8> {
        let tree = Tree::of(query);
        let items: Vec<Value> = (0..self.size.queue).map(|number| self.item(&tree, number)).collect();
        json!({"_class": "hudson.model.Queue", "items": items})
            .to_string()
            .into_bytes()
    }

    fn item(&self, tree: &Tree, number: usize) -> Value {
        let (written, printed) = self.job_label(number);
        let blocked = number % 11 == 10;
        let pipeline = number % 3 == 2;
        let job = format!("team-{}/service-{}", number % 40, number % 997);
        let path = job.replace('/', "/job/");
        let millis = self.began.as_millisecond() - 1_000 * i64::try_from(number % 7_200).unwrap_or(0);
        let why = if blocked {
            "Build #2,532 is already in progress (ETA: 4 min 10 sec)".to_owned()
        } else if printed == "solaris" {
            format!("There are no nodes with the label ‘{printed}’")
        } else {
            format!("Waiting for next available executor on ‘{printed}’")
        };
        let task = if pipeline {
            json!({
                "_class": "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask",
                "fullDisplayName": format!("{} #{number}", job.replace('/', " » ")),
                "name": format!("part of {} #{number} (build)", job.replace('/', " » ")),
                "url": format!("job/{path}/{number}/"),
            })
        } else {
            json!({
                "_class": "hudson.model.FreeStyleProject",
                "fullDisplayName": job.replace('/', " » "),
                "fullName": job,
                "labelExpression": written,
                "name": format!("service-{}", number % 997),
                "url": format!("https://jenkins.example.com/jenkins/job/{path}/"),
            })
        };
        let mut item = json!({
            "_class": if blocked { "hudson.model.Queue$BlockedItem" } else { "hudson.model.Queue$BuildableItem" },
            "blocked": blocked,
            "buildable": !blocked,
            "buildableStartMilliseconds": millis + 2,
            "id": 1_000_000 + number,
            "inQueueSince": millis,
            "stuck": number.is_multiple_of(4) && !blocked,
            "task": task,
            "why": why,
        });
        if !blocked {
            item["pending"] = json!(false);
        }
        tree.prune("items", item)
    }

    /// Returns the computers with the fields that `tree` names.
    pub fn computers(&self, query: &str) -> Vec<u8> {
        let tree = Tree::of(query);
        let mut computers = vec![computer(
            "Built-In Node",
            "built-in",
            "hudson.model.Hudson$MasterComputer",
            &[],
            0,
        )];
        // Nodes of ours, and a static agent for each server that has none.
        computers.extend((0..self.size.nodes).map(|number| match self.kind(number) {
            Kind::Busy => agent(&self.name(number), &self.template(number).labels, 1),
            _ => agent(
                &format!("static-{number}"),
                &["static".to_owned(), "linux".to_owned()],
                2,
            ),
        }));
        let computers: Vec<Value> = computers.into_iter().map(|c| tree.prune("computer", c)).collect();
        json!({"_class": "hudson.model.ComputerSet", "computer": computers})
            .to_string()
            .into_bytes()
    }

    /// Returns what Jenkins says of itself.
    pub fn root() -> Vec<u8> {
        json!({"_class": "hudson.model.Hudson", "mode": "NORMAL", "quietingDown": false})
            .to_string()
            .into_bytes()
    }

    /// Returns a configuration whose templates are all at their maximum, or with room for so many further servers.
    pub fn config(&self, jenkins: &str, cloud: &str, folder: &Path, room: usize, compress: bool) -> String {
        let state = folder.join("state.json");
        let head = format!(
            "owner: bench\nstate_file: {}\nlimits:\n  max_servers: 100000\n  max_creates_per_pass: {room}\n  \
             max_booting: 100000\n  canary: 0\n\
             jenkins:\n  url: {jenkins}/jenkins\n  user: mita\n  token: 11aa\n  compress: {compress}\n\
             provider:\n  openstack:\n    username: ci\n    password: ci-pass\n    auth_url: {cloud}\n    \
             auth_version: 3.x_password\n    service_region: RegionOne\n    tenant_name: ci\n    compress: {compress}\nnodes:\n",
            state.display()
        );
        let ours = self.ours();
        let nodes = self
            .templates
            .iter()
            .zip(ours)
            .map(|(Template { name, labels }, ours)| {
                format!(
                    "  {name}:\n    script: |\n      #!/bin/bash\n      echo {name}\n    keyname: jenkins\n    \
                 networks: [8a1b7b9e-3c52-4f0e-9f5e-0f2a6a1c7d11]\n    image_name: ubuntu\n    size: m1.small\n    provider: openstack\n    labels: [{}]\n    max: {}\n",
                    labels.join(", "),
                    ours + room
                )
            });
        std::iter::once(head).chain(nodes).collect()
    }

    /// How many servers each template has.
    fn ours(&self) -> Vec<usize> {
        let mut ours = vec![0; self.templates.len()];
        for number in (0..self.size.servers).filter(|number| self.kind(*number) != Kind::Foreign) {
            ours[number % self.templates.len()] += 1;
        }
        ours
    }
}

fn agent(name: &str, labels: &[String], executors: usize) -> Value {
    computer(name, name, "hudson.slaves.SlaveComputer", labels, executors)
}

/// Jenkins gives each node a label of its own: an agent its name.
fn computer(name: &str, own: &str, class: &str, labels: &[String], executors: usize) -> Value {
    let labels: Vec<Value> = labels
        .iter()
        .map(String::as_str)
        .chain([own])
        .map(|label| json!({"name": label}))
        .collect();
    json!({
        "_class": class,
        "assignedLabels": labels,
        "displayName": name,
        "executors": vec![json!({"idle": false}); executors],
        "idle": executors == 0,
        "jnlpAgent": true,
        "launchSupported": false,
        "numExecutors": executors,
        "offline": false,
        "offlineCause": null,
        "offlineCauseReason": "",
        "oneOffExecutors": [],
        "temporarilyOffline": false,
    })
}

/// Twelve hexadecimal digits that look drawn, and are the same in each run.
pub fn id_bits(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}
