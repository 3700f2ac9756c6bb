//! What `status` shows, as its JSON has it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Computer, NodeName, Observed, ProviderName, TemplateName};
use crate::plan::{Example, Plan, ServerRow, TemplateRow, Waiting};
use crate::state::{Backoff, Failure};

#[derive(Serialize)]
pub(super) struct StatusReport<'a> {
    pub version: u32,
    pub servers: &'a [ServerRow],
    pub jenkins_nodes: Vec<NodeRow<'a>>,
    pub backoffs: Vec<BackoffRow<'a>>,
    pub failures: Vec<FailureRow<'a>>,
    pub waiting: Vec<WaitingRow<'a>>,
    pub templates: &'a [TemplateRow],
    pub notes: &'a [String],
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
}

impl<'a> StatusReport<'a> {
    /// Makes it from an observation and its plan.
    pub(super) fn new(observed: &'a Observed, plan: &'a Plan) -> Self {
        let computers = observed.jenkins.computers.iter();
        let computers: BTreeMap<&NodeName, &Computer> = computers.map(|computer| (&computer.name, computer)).collect();
        let orphans = plan.orphan_nodes.iter().filter_map(|name| computers.get(name));
        let failures = plan.state.failures.iter();
        let failures = failures.flat_map(|(node, all)| all.iter().map(move |failure| FailureRow::new(node, failure)));
        Self {
            version: 1,
            servers: &plan.servers,
            jenkins_nodes: orphans.map(|computer| NodeRow::new(computer)).collect(),
            backoffs: plan.state.backoffs.iter().map(BackoffRow::new).collect(),
            failures: failures.collect(),
            waiting: plan.waiting.iter().map(WaitingRow::new).collect(),
            templates: &plan.templates,
            notes: &plan.notes,
        }
    }
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
        }
    }
}
