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

/// Checks the configuration.
pub fn check(cli: &Cli, args: &CheckArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let (path, loaded) = setup::load(cli)?;
    let mut warnings: Vec<String> = loaded.warnings.into_iter().map(|warning| warning.text).collect();
    for warning in &warnings {
        console.warn(warning);
    }
    let config = &loaded.config;
    let (missing, exit) = if args.online {
        online(config, &mut warnings, console)?
    } else {
        (Vec::new(), EXIT_DONE)
    };
    for sentence in &missing {
        console.error(sentence);
    }
    let path = path.display().to_string();
    if args.print.output == Some(Output::Json) {
        let report = CheckReport {
            version: 1,
            config: path,
            warnings: &warnings,
            missing: &missing,
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

/// Looks up what the configuration names; returns what is missing, and adds what could not be told to the warnings.
fn online(
    config: &Config,
    warnings: &mut Vec<String>,
    console: &mut Console<'_, '_>,
) -> Result<(Vec<String>, u8), Error> {
    // A token of a pass before would prove nothing of the login.
    let mut config = config.clone();
    config.log_in_afresh();
    let config = &config;
    let mut live = Live::connect(config, &console.io.stop)?;
    let mut missing = Vec::new();
    let mut blind = 0;
    match look_at_jenkins(config, &live, console.io.now) {
        Ok(checked) => {
            missing.extend(
                checked
                    .missing
                    .into_iter()
                    .map(|sentence| format!("jenkins: {sentence}")),
            );
            for sentence in checked.untold {
                let sentence = format!("jenkins: {sentence}");
                console.warn(&sentence);
                warnings.push(sentence);
            }
        }
        Err(error) => {
            blind += 1;
            missing.push(format!("jenkins: {}", chain(&error)));
        }
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
        match cloud.check(&wanted) {
            Ok(sentences) => missing.extend(
                sentences
                    .into_iter()
                    .map(|sentence| format!("provider {name}: {sentence}")),
            ),
            Err(error) => {
                blind += 1;
                missing.push(format!("provider {name}: {error}"));
            }
        }
    }
    let everything = live.clouds.len() + 1;
    let exit = if missing.is_empty() {
        EXIT_DONE
    } else if blind == everything {
        EXIT_BLIND
    } else {
        EXIT_PARTLY
    };
    Ok((missing, exit))
}

/// Looks for missing permissions: those that every site needs, and those to make nodes where a template says so.
fn look_at_jenkins(config: &Config, live: &Live, now: Timestamp) -> Result<Checked, JenkinsError> {
    let view = live.jenkins.view()?;
    let mut checked = live.jenkins.check(&view.computers)?;
    let sources = sources::look(live, config, &view, now);
    checked.missing.extend(sources.missing);
    checked.untold.extend(sources.told);
    let registrations = |how: Register| config.templates.iter().any(|template| template.register == how);
    let inbound = registrations(Register::Inbound);
    if inbound || registrations(Register::Ssh) {
        let more = live.jenkins.check_making(&view.computers, inbound)?;
        checked.missing.extend(more.missing);
        checked.untold.extend(more.untold);
    }
    if registrations(Register::Ssh) {
        let more = live.jenkins.check_ssh()?;
        checked.missing.extend(more.missing);
        checked.untold.extend(more.untold);
    }
    Ok(checked)
}

/// Returns for each template the zones in which it may stand at a provider.
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
