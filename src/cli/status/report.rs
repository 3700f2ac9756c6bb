//! What `status` shows, as its JSON has it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Config;
use crate::model::{
    Computer, Headroom, NodeName, Observed, Pause, Pauses, Problem, ProviderName, Reading, TemplateName,
};
use crate::plan::{self, Example, Plan, ServerRow, TemplateRow, Waiting};
use crate::state::{Backoff, Failure, State};

use super::health::{Ending, Passes};

#[derive(Serialize)]
pub(super) struct StatusReport<'a> {
    pub version: u32,
    pub controller: ControllerRow<'a>,
    pub owner: &'a str,
    /// `None` where Jenkins cannot be read.
    pub queue: Option<QueueRow>,
    pub last_pass: Option<LastPassRow<'a>>,
    pub problems: Vec<Problem>,
    pub pauses: Vec<Pause>,
    pub providers: Vec<ProviderRow<'a>>,
    pub servers: Vec<ServerRow>,
    pub jenkins_nodes: Vec<NodeRow<'a>>,
    pub backoffs: Vec<BackoffRow<'a>>,
    pub failures: Vec<FailureRow<'a>>,
    pub waiting: Vec<WaitingRow<'a>>,
    pub templates: Vec<TemplateRow>,
    pub notes: Vec<&'a String>,
    /// When it was made.
    #[serde(skip)]
    pub now: Timestamp,
    /// `limits.max_servers`.
    #[serde(skip)]
    pub max_servers: Option<u32>,
}

#[derive(Serialize)]
pub(super) struct ControllerRow<'a> {
    pub url: &'a str,
    /// The version of Jenkins, where it tells.
    pub version: Option<&'a str>,
    /// Why it cannot be read.
    pub error: Option<String>,
}

#[derive(Serialize)]
pub(super) struct QueueRow {
    pub items: u64,
    /// Of these, waiting for an executor.
    pub waiting: u64,
    /// How long the oldest of these has waited.
    pub oldest_seconds: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct LastPassRow<'a> {
    pub pass: &'a str,
    /// When it looked.
    pub started: Timestamp,
    pub age_seconds: i64,
    pub ending: Ending,
    /// `None` as long as it runs, and of one that was cut off.
    pub exit: Option<u8>,
    pub seconds: Option<f64>,
    /// The usual time between two passes.
    pub every_seconds: Option<i64>,
    /// Whether no pass was made for three times as long.
    pub overdue: bool,
}

#[derive(Serialize)]
pub(super) struct ProviderRow<'a> {
    pub provider: &'a ProviderName,
    /// Servers of ours.
    pub servers: u32,
    /// `max_servers` of the provider.
    pub max: Option<u32>,
    /// What is left of the quota, where it is known.
    pub quota: Option<Headroom>,
    /// Why it cannot be read.
    pub error: Option<&'a str>,
}

/// A Jenkins node of ours without a server.
#[derive(Serialize)]
pub(super) struct NodeRow<'a> {
    pub name: &'a NodeName,
    pub offline: bool,
    pub idle: bool,
    pub executors: u32,
    pub idle_executors: u32,
}

#[derive(Serialize)]
pub(super) struct BackoffRow<'a> {
    pub key: &'a str,
    pub failures: u32,
    pub until: Timestamp,
    pub reason: &'a str,
}

/// A server that failed: one of the last of its template.
#[derive(Serialize)]
pub(super) struct FailureRow<'a> {
    pub node: &'a TemplateName,
    pub name: &'a str,
    pub provider: &'a ProviderName,
    pub at: Timestamp,
    pub reason: &'a str,
    pub console: &'a [String],
}

/// Like [`Waiting`], but with `served_by` in every row.
#[derive(Serialize)]
pub(super) struct WaitingRow<'a> {
    pub label: Option<&'a str>,
    pub reason: &'a str,
    pub items: u64,
    pub oldest_seconds: i64,
    pub example: &'a Example,
    pub served_by: Option<&'a str>,
    #[serde(skip)]
    pub unlabelled: bool,
    #[serde(skip)]
    pub fitting: &'a [TemplateName],
}

/// What is there whether anything could be observed or not.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub config: &'a Config,
    pub passes: Passes<'a>,
}

impl<'a> StatusReport<'a> {
    /// Makes it from an observation and its plan.
    pub(super) fn seen(
        site: Site<'a>,
        observed: &'a Observed,
        plan: &'a Plan,
        quotas: &BTreeMap<ProviderName, Headroom>,
    ) -> Self {
        let computers = observed.jenkins.computers.iter();
        let computers: BTreeMap<&NodeName, &Computer> = computers.map(|computer| (&computer.name, computer)).collect();
        let orphans = plan.orphan_nodes.iter().filter_map(|name| computers.get(name));
        let mut waiting: Vec<WaitingRow<'_>> = plan.waiting.iter().map(WaitingRow::new).collect();
        waiting.sort_by_key(|row| std::cmp::Reverse(row.oldest_seconds));
        let mut report = Self::of_state(site, &plan.state, plan.servers.clone(), plan.templates.clone());
        report.controller.version = observed.jenkins.version.as_deref();
        report.queue = Some(QueueRow {
            items: observed.jenkins.queue.len() as u64,
            waiting: plan.waiting_items,
            oldest_seconds: waiting.first().map(|row| row.oldest_seconds),
        });
        report.pauses = observed.pauses.open(site.passes.now).cloned().collect();
        report.waiting = waiting;
        report.jenkins_nodes = orphans.map(|computer| NodeRow::new(computer)).collect();
        report.notes = plan.notes.iter().collect();
        for row in &mut report.providers {
            row.quota = quotas.get(row.provider).cloned();
            if let Some(Reading::Unreadable(reason)) = observed.clouds.get(row.provider) {
                row.error = Some(reason);
            }
        }
        report
    }

    /// Makes it from the memory alone, where nothing could be observed for a reason.
    pub(super) fn remembered(site: Site<'a>, reason: String, pauses: &Pauses) -> Self {
        let (servers, templates) = plan::remembered(site.config, site.passes.state, site.passes.now);
        let mut report = Self::of_state(site, site.passes.state, servers, templates);
        report.controller.error = Some(reason);
        report.pauses = pauses.open(site.passes.now).cloned().collect();
        report
    }

    fn of_state(site: Site<'a>, state: &'a State, servers: Vec<ServerRow>, templates: Vec<TemplateRow>) -> Self {
        let Site { config, passes } = site;
        let failures = state.failures.iter();
        let failures = failures.flat_map(|(node, all)| all.iter().map(move |failure| FailureRow::new(node, failure)));
        let provider = |(name, provider): (&'a ProviderName, &'a crate::config::ProviderConfig)| ProviderRow {
            provider: name,
            servers: u32::try_from(servers.iter().filter(|row| row.provider == *name).count()).unwrap_or(u32::MAX),
            max: provider.max_servers,
            quota: None,
            error: None,
        };
        Self {
            version: 1,
            controller: ControllerRow {
                url: &config.jenkins.url,
                version: None,
                error: None,
            },
            owner: &config.owner,
            queue: None,
            last_pass: LastPassRow::new(passes),
            problems: Vec::new(),
            pauses: Vec::new(),
            providers: config.providers.iter().map(provider).collect(),
            servers,
            jenkins_nodes: Vec::new(),
            backoffs: state.backoffs.iter().map(BackoffRow::new).collect(),
            failures: failures.collect(),
            waiting: Vec::new(),
            templates,
            notes: Vec::new(),
            now: passes.now,
            max_servers: config.limits.max_servers,
        }
    }
}

impl<'a> LastPassRow<'a> {
    pub(super) fn new(passes: Passes<'a>) -> Option<Self> {
        let last = passes.last()?;
        Some(Self {
            pass: &last.id,
            started: last.at,
            age_seconds: passes.age()?,
            ending: passes.ending()?,
            exit: last.exit,
            seconds: last.milliseconds.map(seconds),
            every_seconds: passes.usual_gap(),
            overdue: passes.is_overdue(),
        })
    }
}

fn seconds(milliseconds: u64) -> f64 {
    std::time::Duration::from_millis(milliseconds).as_secs_f64()
}

impl<'a> NodeRow<'a> {
    fn new(computer: &'a Computer) -> Self {
        Self {
            name: &computer.name,
            offline: computer.offline,
            idle: computer.idle,
            executors: computer.executors,
            idle_executors: computer.idle_executors,
        }
    }
}

impl<'a> BackoffRow<'a> {
    fn new((key, backoff): (&'a String, &'a Backoff)) -> Self {
        Self {
            key,
            failures: backoff.failures,
            until: backoff.until,
            reason: &backoff.reason,
        }
    }
}

impl<'a> FailureRow<'a> {
    fn new(node: &'a TemplateName, failure: &'a Failure) -> Self {
        Self {
            node,
            name: &failure.server,
            provider: &failure.provider,
            at: failure.at,
            reason: &failure.reason,
            console: &failure.console,
        }
    }
}

impl<'a> WaitingRow<'a> {
    fn new(row: &'a Waiting) -> Self {
        Self {
            label: row.label.as_deref(),
            reason: &row.reason,
            items: row.items,
            oldest_seconds: row.oldest_seconds,
            example: &row.example,
            served_by: row.served_by.as_ref().map(TemplateName::as_str),
            unlabelled: row.unlabelled,
            fitting: &row.fitting,
        }
    }
}
