//! Judges the entries of `nodes:`.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::model::{self, ProviderName, TemplateName, Zone};
use crate::text::{hidden_in, java_trim};

use super::super::at::{At, Given};
use super::super::problem::{Place, Report, quoted};
use super::super::raw::{RawConfig, RawNode};
use super::super::{Adopt, MinReady, Placement, ReadyWindow, Register, Template, suggest};
use super::{Graces, agent, exec, lifetime, positive, server, text, user_data};

/// A hostname is cut there, and with it the end of the id.
const MAX_HOSTNAME: usize = 63;
/// Far more than a server runs at a time; the plan counts them one by one.
const MAX_EXECUTORS: u32 = 1000;
/// Jenkins allows none of these in the name of a node.
const FORBIDDEN: &str = "?*/\\%!@#$^&|<>[]:;";

/// What a template is judged against.
pub struct Context<'c> {
    /// The graces of `timing:`.
    pub graces: Graces,
    /// The names of the providers; `None` where they are not known.
    pub providers: Option<Vec<&'c str>>,
    /// The names of those that are of type exec.
    pub exec: BTreeSet<&'c str>,
    /// The owner.
    pub owner: &'c str,
    /// Jenkins.
    pub jenkins_url: &'c str,
    /// The text of the file.
    pub text: &'c str,
}

/// Makes all templates, in the order of the file.
pub fn all(raw: &RawConfig, root: &At<'_>, context: &Context<'_>, report: &mut Report) -> Vec<Template> {
    match root.given("nodes") {
        Given::Absent => {
            report.error(&root.place("nodes"), "missing; describe at least one kind of node");
        }
        _ if raw.nodes.is_empty() => {
            report.warn(
                &root.place("nodes"),
                "is empty: nothing can be created; describe at least one kind of node",
            );
        }
        _ => {}
    }
    let section = root.section("nodes");
    let nodes = section.names().filter_map(|name| Some((name, raw.nodes.get(name)?)));
    nodes
        .map(|(name, raw)| template(name, raw, &section.section(name), context, report))
        .collect()
}

fn template(name: &str, raw: &RawNode, at: &At<'_>, context: &Context<'_>, report: &mut Report) -> Template {
    name_fits(at, name, report);
    let labels = labels(at, raw, report);
    let executors = raw.executors.unwrap_or(1);
    if executors == 0 {
        report.error(
            &at.place("executors"),
            "must be at least 1, is 0; to make none of it set max: 0",
        );
    } else if executors > MAX_EXECUTORS {
        let text = format!("must be at most {MAX_EXECUTORS}, is {executors}; no server runs so many builds at a time");
        report.error(&at.place("executors"), text);
    }
    if raw.max_builds == Some(0) {
        let text = "must be at least 1, is 0; for no limit remove it";
        report.error(&at.place("max_builds"), text);
    }
    let register = agent::register(at, raw, report);
    let graces = graces(at, raw, context.graces, report);
    let spec = server::spec(at, raw, exec::Part::of(raw, context), report);
    let max = raw.max.unwrap_or(10);
    let mut template = Template {
        name: TemplateName::new(name),
        placements: placements(at, raw, context, report),
        spec,
        script: raw.script.clone(),
        labels,
        executors,
        accepts_unlabelled: raw.accepts_unlabelled.unwrap_or(false),
        priority: raw.priority.unwrap_or(100),
        max,
        min_ready: min_ready(at, raw, max, report),
        idle_grace: graces.idle,
        boot_grace: graces.boot,
        max_lifetime: graces.lifetime,
        max_builds: raw.max_builds,
        register,
        agent: agent::agent(at, raw, register, report),
        adopt: adopt(raw),
        digest: String::new(),
    };
    if template.adopt.is_on() {
        report.hint(&at.place("adopt"), adopts(name, template.adopt));
    }
    if let Some(script) = &raw.script {
        user_data::check(at, script, &template, context, report);
    }
    user_data::unused(at, &template, report);
    template.digest = digest(&template);
    template
}

/// Reads which servers without our mark are taken over; `check` lets no other word through.
fn adopt(raw: &RawNode) -> Adopt {
    match raw.adopt.as_deref() {
        Some("true") => Adopt::Yes,
        Some("all") => Adopt::All,
        _ => Adopt::No,
    }
}

/// Says what taking over means: the servers of a program that still runs would go.
fn adopts(name: &str, adopt: Adopt) -> String {
    let absent = if adopt.removes_never_linked() {
        ", also those that this Jenkins never knew; if another controller makes servers of that name, write true"
    } else {
        "; one that this Jenkins never knew goes only in state ERROR, since another controller may have made it"
    };
    format!(
        "takes over servers without mita's mark that are named {name}__... or that alone have the address of a Jenkins \
         node {name}+ADDRESS, and removes them once they are idle{absent}; stop the program that made them first, and \
         remove this key when the last of them is gone"
    )
}

/// Digests what defines a server: neither where it stands nor how many there are of it.
fn digest(template: &Template) -> String {
    let parts = (&template.script, &template.spec, &template.labels, template.executors);
    // Maps with text keys and no number that JSON lacks: this cannot fail.
    let mut bytes = serde_json::to_vec(&parts).unwrap_or_default();
    // Where the script registers, nothing of this means anything; the digest is that of a mita before it knew of it.
    if template.register != Register::Own {
        let joining = (template.register, &template.agent);
        bytes.extend(serde_json::to_vec(&joining).unwrap_or_default());
    }
    model::digest(&bytes)
}

fn name_fits(at: &At<'_>, name: &str, report: &mut Report) {
    let forbidden = name.chars().find(|c| FORBIDDEN.contains(*c));
    let fault = if name.is_empty() {
        "is empty; give the template a name".to_owned()
    } else if name.chars().any(char::is_control) {
        "a template's name cannot hold a control character; rename it".to_owned()
    } else if name.trim() != name {
        "a template's name cannot begin or end with a blank; rename it".to_owned()
    } else if let Some(forbidden) = forbidden {
        format!("a template's name cannot hold {forbidden}, Jenkins forbids it in a node's name; rename it")
    } else if name.contains('+') {
        "a template's name cannot hold +, it stands before the address in a node's name; rename it".to_owned()
    } else if model::split_server_name(name).is_some() {
        "a template's name cannot end like a server's (__ and 12 hexadecimal digits); rename it".to_owned()
    } else if name.chars().count() > max_name() {
        let most = max_name();
        format!(
            "a template's name has at most {most} characters, or the host name of a server loses its id; shorten it"
        )
    } else {
        text::all_seen(&at.here(), name, report);
        return;
    };
    report.error(&at.here(), fault);
}

/// How long the name of a template may be so that `<template>__<id>` is a host name.
fn max_name() -> usize {
    MAX_HOSTNAME - model::NAME_SEPARATOR.len() - 12
}

fn labels(at: &At<'_>, raw: &RawNode, report: &mut Report) -> BTreeSet<String> {
    if at.given("labels") != Given::Value {
        let text = "missing; list what jobs ask for, like [amd64, trusty], or write [] for none";
        report.error(&at.place("labels"), text);
    }
    let labels = raw.labels.clone().unwrap_or_default();
    for (index, label) in labels.iter().enumerate() {
        let place = at.item("labels", index);
        if java_trim(label).is_empty() {
            report.error(&place, "a label cannot be empty; write a text or remove it");
        } else if label.chars().any(char::is_control) {
            report.error(
                &place,
                format!("label {} holds a control character; remove it", quoted(label)),
            );
        } else {
            unusual(&place, label, report);
        }
    }
    let none = raw.labels.as_ref().is_some_and(Vec::is_empty);
    if none && raw.accepts_unlabelled != Some(true) {
        let text = "has no labels and does not accept unlabelled jobs: hardly any job can start it; give it labels";
        report.hint(&at.place("labels"), text);
    }
    labels.into_iter().collect()
}

/// Hints at what makes a label another one than it seems.
fn unusual(place: &Place, label: &str, report: &mut Report) {
    let shown = quoted(label);
    if label.contains(' ') {
        let text = format!("label {shown} holds a blank, where Jenkins splits it; write two labels");
        report.hint(place, text);
    }
    if let Some(hidden) = hidden_in(label) {
        let text =
            format!("label {shown} holds {hidden}, which is not seen: only jobs that ask for it, too, fit; remove it");
        report.hint(place, text);
    }
}

/// Every provider with every zone, in the order in which they are written.
fn placements(at: &At<'_>, raw: &RawNode, context: &Context<'_>, report: &mut Report) -> Vec<Placement> {
    let providers = text::list(at, "provider", raw.provider.as_ref(), report);
    match at.given("provider") {
        Given::Value if raw.provider.as_ref().is_some_and(Vec::is_empty) => {
            report.error(&at.place("provider"), "is empty; name a provider");
        }
        Given::Value => {}
        _ => report.error(&at.place("provider"), "missing; name an entry of provider"),
    }
    for (index, name) in providers.iter().enumerate() {
        let Some(known) = &context.providers else { break };
        if !known.contains(&name.as_str()) {
            let hint = suggest::did_you_mean(name, known.iter().copied());
            let hint = if hint.is_empty() {
                "; describe it under provider"
            } else {
                &hint
            };
            let place = at.item("provider", index);
            report.error(&place, format!("there is no provider {}{hint}", quoted(name)));
        }
    }
    let zones = text::list(at, "availability_zone", raw.availability_zone.as_ref(), report);
    let zones: Vec<Option<Zone>> = if zones.is_empty() {
        vec![None]
    } else {
        zones.into_iter().map(|zone| Some(Zone::new(zone))).collect()
    };
    let places = providers.iter().flat_map(|provider| {
        zones.iter().map(move |zone| Placement {
            provider: ProviderName::new(provider),
            zone: zone.clone(),
        })
    });
    places.collect()
}

fn graces(at: &At<'_>, raw: &RawNode, graces: Graces, report: &mut Report) -> Graces {
    let boot = positive(at, "boot_grace", raw.boot_grace, graces.boot.as_secs(), report);
    let lifetime = match raw.max_lifetime {
        Some(_) => lifetime(at, raw.max_lifetime, report),
        None => graces.lifetime,
    };
    Graces {
        idle: raw.idle_grace.map_or(graces.idle, SignedDuration::from_secs),
        boot,
        lifetime,
    }
}

fn min_ready(at: &At<'_>, raw: &RawNode, max: u32, report: &mut Report) -> MinReady {
    // A maximum that was found wrong bounds nothing.
    let bad = raw.max.is_none() && at.given("max") == Given::Value;
    let max = if bad { u32::MAX } else { max };
    let Some(raw_windows) = &raw.min_ready_windows else {
        let ready = raw.min_ready.unwrap_or(0);
        at_most_max(at, &at.place("min_ready"), "min_ready", (ready, max), report);
        return MinReady::Always(ready);
    };
    let mut windows = Vec::new();
    for (index, window) in raw_windows.iter().enumerate() {
        let Some(window) = window else { continue };
        let here = at.item_section("min_ready_windows", index);
        let cron = text::required(&here, "cron", window.cron.as_ref(), "write five cron fields", report);
        if let Some(fault) = window.cron.as_deref().and_then(ReadyWindow::cron_fault) {
            report.error(&here.place("cron"), fault);
        }
        let timezone = window.timezone.clone().unwrap_or_else(|| "UTC".to_owned());
        if !ReadyWindow::knows_timezone(&timezone) {
            let text = format!(
                "there is no time zone {}; write it like Europe/Berlin",
                quoted(&timezone)
            );
            report.error(&here.place("timezone"), text);
        }
        if here.given("ready") != Given::Value {
            report.error(
                &here.place("ready"),
                "missing; write how many nodes stand ready in this window",
            );
        }
        let ready = window.ready.unwrap_or(0);
        at_most_max(at, &here.place("ready"), "ready", (ready, max), report);
        windows.push(ReadyWindow { cron, timezone, ready });
    }
    MinReady::Windows(windows)
}

fn at_most_max(at: &At<'_>, place: &Place, key: &str, (ready, max): (u32, u32), report: &mut Report) {
    if ready <= max {
        return;
    }
    if at.given("max") == Given::Value {
        report.error(
            &at.place("max"),
            format!("must be at least {key} ({ready}), is {max}; raise one, lower the other"),
        );
    } else {
        report.error(
            place,
            format!("must be at most max ({max} by default), is {ready}; set max, too"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::NodeId;

    use super::*;

    #[test]
    fn the_longest_name_is_a_host_name_with_its_id() {
        assert_eq!(max_name(), 49);
        let name = model::server_name(&TemplateName::new("x".repeat(49)), &NodeId::new("0".repeat(12)));
        assert_eq!(name.len(), MAX_HOSTNAME);
    }
}
