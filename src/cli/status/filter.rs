//! What of a status is shown: all of it, or what an operator asked for.

use crate::config::Config;
use crate::error::Error;
use crate::model::Problem;
use crate::state::Phase;
use crate::text::{did_you_mean, visible};

use super::report::StatusReport;
use crate::cli::args::StatusArgs;

/// Separates a template from the rest of a problem's subject.
const BEHIND_TEMPLATE: [&str; 4] = ["", "@", ":", "__"];

/// What of a status is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what is of these templates; all if empty.
    templates: Vec<String>,
    /// Only servers in these phases; all if empty.
    phases: Vec<Phase>,
    /// Whether the problems are asked for.
    problems: bool,
}

impl Filter {
    /// Takes it from the command line.
    pub fn new(args: &StatusArgs, config: &Config) -> Result<Self, Error> {
        for name in &args.template {
            if config.template(name).is_none() {
                let known = config.templates.iter().map(|template| template.name.as_str());
                let hint = did_you_mean(name, known);
                return Err(Error::Usage(format!(
                    "--template: there is no template \"{}\"{hint}",
                    visible(name)
                )));
            }
        }
        Ok(Self {
            templates: args.template.clone(),
            phases: args.phase.clone(),
            problems: args.problems,
        })
    }

    /// Returns whether the problems are shown.
    pub fn shows_problems(&self) -> bool {
        self.problems || self.phases.is_empty()
    }

    /// Returns whether the servers are shown.
    pub fn shows_servers(&self) -> bool {
        !self.problems || !self.phases.is_empty()
    }

    /// Returns whether the tables of providers, templates and waiting items, and what is below the servers, are shown.
    pub fn shows_rest(&self) -> bool {
        !self.problems && self.phases.is_empty()
    }

    /// Takes out of a status what was not asked for.
    pub fn apply(&self, report: &mut StatusReport<'_>) {
        report
            .servers
            .retain(|row| self.is_of(row.node.as_str()) && self.is_in(row.phase));
        report.templates.retain(|row| self.is_of(row.node.as_str()));
        report.failures.retain(|row| self.is_of(row.node.as_str()));
        report.problems.retain(|problem| self.concerns(problem));
        let waits_for = |row: &super::report::WaitingRow<'_>| {
            let served = row.served_by.is_some_and(|name| self.is_of(name));
            served || row.fitting.iter().any(|name| self.is_of(name.as_str()))
        };
        report.waiting.retain(|row| self.templates.is_empty() || waits_for(row));
        let names = |key: &str| {
            key.split([' ', '/'])
                .any(|word| self.templates.iter().any(|name| name == word))
        };
        report
            .backoffs
            .retain(|row| self.templates.is_empty() || names(row.key));
        if !self.shows_servers() {
            report.servers.clear();
        }
    }

    fn is_of(&self, template: &str) -> bool {
        self.templates.is_empty() || self.templates.iter().any(|name| name == template)
    }

    fn is_in(&self, phase: Phase) -> bool {
        self.phases.is_empty() || self.phases.contains(&phase)
    }

    /// Returns whether a problem is of one of the templates, or of a server of one.
    fn concerns(&self, problem: &Problem) -> bool {
        let is_of = |name: &String| {
            let rest = problem.subject.strip_prefix(name.as_str());
            rest.is_some_and(|rest| BEHIND_TEMPLATE.iter().any(|sign| is_begun_by(rest, sign)))
        };
        self.templates.is_empty() || self.templates.iter().any(is_of)
    }
}

fn is_begun_by(rest: &str, sign: &str) -> bool {
    if sign.is_empty() {
        rest.is_empty()
    } else {
        rest.starts_with(sign)
    }
}
