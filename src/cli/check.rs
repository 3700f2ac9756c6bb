//! `check`: validates the configuration, and with `--online` everything that it names.

mod sources;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Config, Register};
use crate::error::{EXIT_BLIND, EXIT_DONE, EXIT_PARTLY, Error, chain};
use crate::jenkins::{Checked, JenkinsError};
use crate::model::{ProviderName, ServerSpec, TemplateName, Zone};
use crate::pass::Live;
use crate::report::json;
use crate::text::plural;

use super::args::{CheckArgs, Cli, Output};
use super::console::Console;
use super::setup;

#[derive(Serialize)]
struct CheckReport<'a> {
    version: u32,
    config: String,
    warnings: &'a [String],
    missing: &'a [String],
    exit: u8,
}

pub fn check(cli: &Cli, args: &CheckArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let (path, loaded) = setup::load(cli)?;
    let mut findings = Findings::default();
    for warning in loaded.warnings {
        findings.warn(warning.text, console);
    }
    let config = &loaded.config;
    let exit = if args.online {
        online(config, &mut findings, console)?
    } else {
        EXIT_DONE
    };
    for sentence in &findings.missing {
        console.error(sentence);
    }
    let path = path.display().to_string();
    if cli.output == Some(Output::Json) {
        let report = CheckReport {
            version: 1,
            config: path,
            warnings: &findings.warnings,
            missing: &findings.missing,
            exit,
        };
        let _ = json::print(console.io.out, &report);
    } else if exit == EXIT_DONE && !console.quiet {
        let _ = writeln!(
            console.io.out,
            "{path}: {}, {}: {}",
            plural(config.providers.len(), "provider"),
            plural(config.templates.len(), "node template"),
            if args.online {
                "all that it names is there"
            } else {
                "no problem found"
            }
        );
    }
    Ok(exit)
}

#[derive(Default)]
struct Findings {
    /// What an operator should know.
    warnings: Vec<String>,
    missing: Vec<String>,
    /// How many services could not be asked at all.
    blind: usize,
}

impl Findings {
    fn warn(&mut self, sentence: String, console: &mut Console<'_, '_>) {
        console.warn(&sentence);
        self.warnings.push(sentence);
    }

    /// Adds what a service lacks, or why it could not be asked.
    fn add(&mut self, service: &str, missing: Result<Vec<String>, String>) {
        self.blind += usize::from(missing.is_err());
        let sentences = missing.unwrap_or_else(|error| vec![error]);
        let named = sentences.into_iter().map(|sentence| format!("{service}: {sentence}"));
        self.missing.extend(named);
    }
}

/// Looks up what the configuration names. Returns the exit code.
fn online(config: &Config, findings: &mut Findings, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    // A saved token would not prove that the login works.
    let mut config = config.clone();
    config.log_in_afresh();
    let config = &config;
    let mut live = Live::connect(config, &console.io.stop)?;
    match look_at_jenkins(config, &live, console.io.now) {
        Ok(checked) => {
            findings.add("jenkins", Ok(checked.missing));
            for sentence in checked.unchecked {
                findings.warn(format!("jenkins: {sentence}"), console);
            }
        }
        Err(error) => findings.add("jenkins", Err(chain(&error))),
    }
    for (name, cloud) in &mut live.clouds {
        let zones = zones_at(config, name);
        let wanted: Vec<(&TemplateName, &ServerSpec, &[Zone])> = config
            .templates
            .iter()
            .zip(&zones)
            .filter(|(template, _)| template.placements.iter().any(|placement| &placement.provider == name))
            .map(|(template, zones)| (&template.name, &template.spec, zones.as_slice()))
            .collect();
        let missing = cloud.check(&wanted).map_err(|error| error.to_string());
        findings.add(&format!("provider {name}"), missing);
    }
    let everything = live.clouds.len() + 1;
    Ok(if findings.missing.is_empty() {
        EXIT_DONE
    } else if findings.blind == everything {
        EXIT_BLIND
    } else {
        EXIT_PARTLY
    })
}

/// Looks for missing permissions: those that every site needs, and those to make nodes where a template says so.
fn look_at_jenkins(config: &Config, live: &Live, now: Timestamp) -> Result<Checked, JenkinsError> {
    let view = live.jenkins.view()?;
    let mut checked = live.jenkins.check(&view.computers)?;
    let sources = sources::look(live, config, &view, now);
    checked.missing.extend(sources.missing);
    checked.unchecked.extend(sources.notes);
    let registrations = |how: Register| config.templates.iter().any(|template| template.register == how);
    let inbound = registrations(Register::Inbound);
    if inbound || registrations(Register::Ssh) {
        let more = live.jenkins.check_making(&view.computers, inbound)?;
        checked.missing.extend(more.missing);
        checked.unchecked.extend(more.unchecked);
    }
    if registrations(Register::Ssh) {
        let more = live.jenkins.check_ssh()?;
        checked.missing.extend(more.missing);
        checked.unchecked.extend(more.unchecked);
    }
    Ok(checked)
}

/// Returns for each template its zones at a provider.
fn zones_at(config: &Config, provider: &ProviderName) -> Vec<Vec<Zone>> {
    let zones = |template: &crate::config::Template| {
        let here = template
            .placements
            .iter()
            .filter(|placement| &placement.provider == provider);
        here.filter_map(|placement| placement.zone.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    };
    config.templates.iter().map(zones).collect()
}
