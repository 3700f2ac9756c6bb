//! Looks at Jenkins and every cloud as a pass does, and looks up what the configuration names.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::config::{Config, Register, Template};
use crate::error::{EXIT_BLIND, EXIT_DONE, EXIT_PARTLY, Error, chain};
use crate::jenkins::JenkinsError;
use crate::model::{Checked, JenkinsView, ProviderName, ServerSpec, TemplateName, Zone};
use crate::pass::Live;
use crate::state::file::{self, StateFile};
use crate::text::plural;

use super::super::console::Console;
use super::findings::{Findings, Service};
use super::sources;

/// Looks at everything; returns the exit code.
pub fn look(config: &Config, findings: &mut Findings, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    findings.add(&Service::State, state(config), console);
    // A saved token would not prove that the login works.
    let mut config = config.clone();
    config.log_in_afresh();
    let config = &config;
    let mut live = Live::connect(config, &console.io.stop)?;
    let jenkins = jenkins(config, &live, console.io.now).map_err(|error| chain(&error));
    let mut blind = usize::from(jenkins.is_err());
    findings.add(&Service::Jenkins, jenkins.unwrap_or_else(unreadable), console);
    for (name, cloud) in &mut live.clouds {
        let zones = zones_at(config, name);
        let here = config.templates.iter().zip(&zones);
        let wanted: Vec<(&TemplateName, &ServerSpec, &[Zone])> = here
            .filter(|(template, _)| is_at(template, name))
            .map(|(template, zones)| (&template.name, &template.spec, zones.as_slice()))
            .collect();
        let checked = cloud.check(&wanted).map_err(|error| error.to_string());
        blind += usize::from(checked.is_err());
        let service = Service::Provider(name.as_str());
        findings.add(&service, checked.unwrap_or_else(unreadable), console);
    }
    Ok(if findings.missing.is_empty() {
        EXIT_DONE
    } else if blind == live.clouds.len() + 1 {
        EXIT_BLIND
    } else {
        EXIT_PARTLY
    })
}

fn unreadable(error: String) -> Checked {
    Checked {
        missing: vec![error],
        ..Checked::default()
    }
}

/// Reads the state file as a pass does.
fn state(config: &Config) -> Checked {
    let mut checked = Checked::default();
    let path = config.state_file.display();
    match file::load(&config.state_file) {
        Ok(StateFile::State(state)) => {
            let nodes = plural(state.nodes.len(), "node");
            checked.found.push(format!("{path}, {nodes} remembered"));
        }
        Ok(StateFile::Damaged { what }) => checked.warnings.push(format!(
            "{path}: damaged ({what}); the next pass moves it aside and goes on from the cloud's marks"
        )),
        Err(error) => checked.missing.push(chain(&error)),
    }
    checked
}

/// Reads what a pass reads of Jenkins, and looks for missing permissions: those that every site needs, and those to
/// make nodes where a template says so. An error means that Jenkins cannot be read at all; a
/// request that fails later on is among what is missing.
fn jenkins(config: &Config, live: &Live, now: Timestamp) -> Result<Checked, JenkinsError> {
    let view = live.jenkins.view()?;
    let mut checked = Checked {
        found: seen(live, &view),
        warnings: view.odd.clone(),
        ..Checked::default()
    };
    let mut failed = live.jenkins.check(&view.computers, &mut checked);
    checked.extend(sources::look(live, config, &view, now));
    let registrations = |how: Register| config.templates.iter().any(|template| template.register == how);
    let inbound = registrations(Register::Inbound);
    if inbound || registrations(Register::Ssh) {
        failed.extend(live.jenkins.check_making(&view.computers, inbound, &mut checked));
    }
    if registrations(Register::Ssh) {
        failed.extend(live.jenkins.check_ssh(&mut checked).err());
    }
    // Two looks may have asked for the same.
    let failed: BTreeSet<String> = failed.iter().map(|error| chain(error)).collect();
    checked.missing.extend(failed);
    Ok(checked)
}

/// Says what the lists of Jenkins hold.
fn seen(live: &Live, view: &JenkinsView) -> Vec<String> {
    let version = live.jenkins.version();
    let mut found: Vec<String> = version
        .map(|version| format!("version {version}"))
        .into_iter()
        .collect();
    found.push(format!("{} in the queue", plural(view.queue.len(), "item")));
    found.push(format!("{} in the list", plural(view.computers.len(), "node")));
    found
}

fn is_at(template: &Template, provider: &ProviderName) -> bool {
    let mut placements = template.placements.iter();
    placements.any(|placement| &placement.provider == provider)
}

/// Returns for each template its zones at a provider.
fn zones_at(config: &Config, provider: &ProviderName) -> Vec<Vec<Zone>> {
    let zones = |template: &Template| {
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
