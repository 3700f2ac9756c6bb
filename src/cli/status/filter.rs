//! What of a status is shown: all of it, or what an operator asked for.

use crate::config::Config;
use crate::error::Error;
use crate::model::Problem;
use crate::state::Phase;

use super::report::StatusReport;
use crate::cli::args::StatusArgs;
use crate::cli::known;

/// What separates a template from the rest of a subject or of a name.
const BEHIND_TEMPLATE: [&str; 3] = ["@", ":", "__"];

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
            known::template(name, config)?;
        }
        Ok(Self {
            templates: args.template.clone(),
            phases: args.phase.clone(),
            problems: args.problems,
        })
    }

    /// Makes one of its parts.
    #[cfg(test)]
    pub fn of(templates: &[&str], phases: &[Phase], problems: bool) -> Self {
        Self {
            templates: templates.iter().map(ToString::to_string).collect(),
            phases: phases.to_vec(),
            problems,
        }
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
        report.backoffs.retain(|row| self.is_named_in(row.key));
        report.notes.retain(|note| self.is_named_in(note));
        report.jenkins_nodes.retain(|row| self.begins(row.name.as_str()));
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
        self.begins(&problem.subject)
    }

    /// Returns whether a text is the name of a template, or begins with one.
    fn begins(&self, text: &str) -> bool {
        let is_of = |name: &String| {
            let rest = text.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || BEHIND_TEMPLATE.iter().any(|sign| rest.starts_with(sign)))
        };
        self.templates.is_empty() || self.templates.iter().any(is_of)
    }

    /// Returns whether a sentence or a key has the name of a template as a word.
    fn is_named_in(&self, text: &str) -> bool {
        let words = || text.split([' ', '"', '/', '@', ':', ',']);
        self.templates.is_empty() || words().any(|word| self.templates.iter().any(|name| name == word))
    }
}
