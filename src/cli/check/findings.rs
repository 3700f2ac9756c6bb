//! What `check` found, printed as it is found, and the report at the end.

use std::path::Path;

use serde::Serialize;

use crate::config::Config;
use crate::error::{EXIT_DONE, ErrorRow};
use crate::model::{Checked, Problem};
use crate::report::json;
use crate::text::{plural, visible};

use super::super::console::Console;

/// What was checked.
pub struct Head<'a> {
    pub file: &'a Path,
    pub config: &'a Config,
    pub online: bool,
    pub exit: u8,
}

#[derive(Serialize)]
struct CheckReport<'a> {
    version: u32,
    config: String,
    found: &'a [String],
    warnings: &'a [String],
    hints: &'a [String],
    missing: &'a [String],
    errors: Vec<ErrorRow>,
    problems: Vec<Problem>,
    exit: u8,
}

/// What was found so far. In text it is printed at once, what is missing at the end.
#[derive(Default)]
pub struct Findings {
    json: bool,
    pub found: Vec<String>,
    pub warnings: Vec<String>,
    pub hints: Vec<String>,
    pub missing: Vec<String>,
    /// What is missing, where it is a key of a template.
    paths: Vec<Option<String>>,
}

impl Findings {
    pub fn new(json: bool) -> Self {
        Self {
            json,
            ..Self::default()
        }
    }

    /// Adds what a look at a service showed; `service` is the name of a provider, or `jenkins`.
    pub fn add(&mut self, service: &Service<'_>, checked: Checked, console: &mut Console<'_, '_>) {
        let named = |sentence: String| match service {
            // What is wrong with the file has its place in front already.
            Service::File => sentence,
            service => format!("{}: {sentence}", service.long()),
        };
        let short = service.short();
        for sentence in checked.found {
            let sentence = format!("{short}: {sentence}");
            if !self.json && !console.quiet {
                let _ = writeln!(console.io.out, "ok  {}", visible(&sentence));
            }
            self.found.push(sentence);
        }
        for sentence in checked.warnings.into_iter().map(named) {
            console.warn(&sentence);
            self.warnings.push(sentence);
        }
        for sentence in checked.hints.into_iter().map(named) {
            console.hint(&sentence);
            self.hints.push(sentence);
        }
        for sentence in checked.missing {
            self.paths.push(path_of(&sentence));
            self.missing.push(named(sentence));
        }
        let _ = console.io.out.flush();
    }

    /// Prints what is missing, and the report.
    pub fn end(self, head: &Head<'_>, problems: Vec<Problem>, console: &mut Console<'_, '_>) {
        for sentence in &self.missing {
            console.error(sentence);
        }
        let config = head.file.display().to_string();
        if self.json {
            let rows = self.missing.iter().zip(self.paths);
            let report = CheckReport {
                version: 1,
                config,
                found: &self.found,
                warnings: &self.warnings,
                hints: &self.hints,
                missing: &self.missing,
                errors: rows.map(|(message, path)| ErrorRow::of_key(message, path)).collect(),
                problems,
                exit: head.exit,
            };
            let _ = json::print(console.io.out, &report);
        } else if !console.quiet {
            let _ = writeln!(
                console.io.out,
                "{}: {}, {}: {}",
                visible(&config),
                plural(head.config.providers.len(), "provider"),
                plural(head.config.templates.len(), "node template"),
                self.verdict(head)
            );
        }
    }

    fn verdict(&self, head: &Head<'_>) -> String {
        let counts = [
            (self.missing.len(), "error"),
            (self.warnings.len(), "warning"),
            (self.hints.len(), "hint"),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| plural(count, noun))
            .collect();
        let counts = counts.join(", ");
        match (self.missing.is_empty(), head.online) {
            (true, _) if head.exit != EXIT_DONE => format!("{counts}; --strict takes warnings for errors"),
            (false, _) => counts,
            (true, online) => {
                let text = if online {
                    "all that it names is there"
                } else {
                    "no problem found"
                };
                let behind = if counts.is_empty() {
                    String::new()
                } else {
                    format!(" ({counts})")
                };
                format!("{text}{behind}")
            }
        }
    }
}

/// What was looked at.
pub enum Service<'a> {
    File,
    Jenkins,
    State,
    Provider(&'a str),
}

impl Service<'_> {
    fn long(&self) -> String {
        match self {
            Self::File | Self::Jenkins | Self::State => self.short().to_owned(),
            Self::Provider(name) => format!("provider {name}"),
        }
    }

    fn short(&self) -> &str {
        match self {
            Self::File => "configuration",
            Self::Jenkins => "jenkins",
            Self::State => "state",
            Self::Provider(name) => name,
        }
    }
}

/// Returns the template that a sentence is about, as the path of its key.
fn path_of(sentence: &str) -> Option<String> {
    let (path, _) = sentence.split_once(": ")?;
    path.starts_with("nodes.").then(|| path.to_owned())
}
