//! A world in which nothing is to be done, and what Jenkins 2.544 says of it; `cloud` has the other half.
//!
//! Of the servers nine in ten are ours with a busy node, one in twenty is ours and boots, the rest is somebody else's;
//! the nodes that are not ours are static agents. Every template is at its maximum, so the queue waits.

use std::fmt;
use std::path::Path;

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
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.queue, self.nodes, self.servers)
    }
}

/// Name and labels.
const TEMPLATES: [(&str, &[&str]); 8] = [
    ("jammy-amd64", &["linux", "amd64", "x86_64", "jammy", "docker"]),
    ("noble-amd64", &["linux", "amd64", "x86_64", "noble", "docker"]),
    ("bookworm-amd64", &["linux", "amd64", "x86_64", "bookworm"]),
    ("jammy-arm64", &["linux", "arm64", "aarch64", "jammy"]),
    ("noble-arm64", &["linux", "arm64", "aarch64", "noble", "docker"]),
    ("bookworm-arm64", &["linux", "arm64", "aarch64", "bookworm"]),
    ("big-amd64", &["linux", "amd64", "x86_64", "noble", "big"]),
    ("gpu-amd64", &["linux", "amd64", "x86_64", "noble", "gpu", "cuda-12"]),
];

/// A job's label as its author wrote it, and as Jenkins prints it in `why`. The last fits no template.
const LABELS: [(&str, &str); 10] = [
    ("jammy && amd64", "jammy&&amd64"),
    ("noble", "noble"),
    ("linux && arm64", "linux&&arm64"),
    ("(jammy || noble) && x86_64 && !big", "(jammy||noble)&&x86_64&&!big"),
    ("docker&&amd64", "docker&&amd64"),
    ("bookworm && aarch64", "bookworm&&aarch64"),
    ("big", "big"),
    ("gpu && \"cuda-12\"", "gpu&&\"cuda-12\""),
    ("amd64", "amd64"),
    ("solaris", "solaris"),
];

/// A world of one size.
#[derive(Debug)]
pub struct World {
    /// How large.
    pub size: Size,
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
    pub fn new(size: Size) -> Self {
        Self {
            size,
            began: Timestamp::now(),
        }
    }

    pub fn kind(number: usize) -> Kind {
        match number % 20 {
            0 => Kind::Booting,
            7 => Kind::Foreign,
            _ => Kind::Busy,
        }
    }

    pub fn template(number: usize) -> (&'static str, &'static [&'static str]) {
        TEMPLATES[number % TEMPLATES.len()]
    }

    pub fn name(number: usize) -> String {
        match Self::kind(number) {
            Kind::Foreign => format!("web-{number}"),
            _ => format!("{}__{:012x}", Self::template(number).0, id_bits(number)),
        }
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
        let (written, printed) = LABELS[if number % 50 == 49 { 9 } else { number % 9 }];
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
        computers.extend((0..self.size.nodes).map(|number| match Self::kind(number) {
            Kind::Busy => agent(&Self::name(number), Self::template(number).1, 1),
            _ => agent(&format!("static-{number}"), &["static", "linux"], 2),
        }));
        let computers: Vec<Value> = computers.into_iter().map(|c| tree.prune("computer", c)).collect();
        json!({"_class": "hudson.model.ComputerSet", "computer": computers})
            .to_string()
            .into_bytes()
    }

    /// Returns a configuration whose templates are all at their maximum.
    pub fn config(&self, jenkins: &str, cloud: &str, folder: &Path) -> String {
        let state = folder.join("state.json");
        let head = format!(
            "owner: bench\nstate_file: {}\nlimits:\n  max_servers: 100000\n\
             jenkins:\n  url: {jenkins}/jenkins\n  user: mita\n  token: 11aa\n\
             provider:\n  openstack:\n    username: ci\n    password: ci-pass\n    auth_url: {cloud}\n    \
             auth_version: 3.x_password\n    service_region: RegionOne\n    tenant_name: ci\nnodes:\n",
            state.display()
        );
        let nodes = TEMPLATES.iter().enumerate().map(|(index, (name, labels))| {
            let ours = (0..self.size.servers)
                .filter(|number| number % TEMPLATES.len() == index && Self::kind(*number) != Kind::Foreign)
                .count();
            format!(
                "  {name}:\n    script: |\n      #!/bin/bash\n      echo {name}\n    keyname: jenkins\n    \
                 image_name: ubuntu\n    size: m1.small\n    provider: openstack\n    labels: [{}]\n    max: {}\n",
                labels.join(", "),
                ours.max(1)
            )
        });
        std::iter::once(head).chain(nodes).collect()
    }
}

fn agent(name: &str, labels: &[&str], executors: usize) -> Value {
    computer(name, name, "hudson.slaves.SlaveComputer", labels, executors)
}

/// Jenkins gives each node a label of its own: an agent its name.
fn computer(name: &str, own: &str, class: &str, labels: &[&str], executors: usize) -> Value {
    let labels: Vec<Value> = labels
        .iter()
        .chain([&own])
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
