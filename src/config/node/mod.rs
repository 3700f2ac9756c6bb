//! `nodes:`, and `defaults:` that all of them inherit.
//!
//! | file | what it reads |
//! | --- | --- |
//! | `server` | what a server is made of |
//! | `script_source` | the script: where it is |
//! | `user_data` | the script: what is right about it |
//! | `agent` | who makes the Jenkins node, and what it is like |
//! | `clouds` | what depends on the kind of cloud |
//! | `inherit` | puts `defaults` into the templates |

mod agent;
mod clouds;
mod inherit;
mod script_source;
mod server;
mod user_data;

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::model::{self, ProviderName, TemplateName, Zone};
use crate::settings::files::Outside;
use crate::settings::key::{Key, KeySpec, Lifetime, Need, Nested};
use crate::settings::problem::{Place, Report, quoted};
use crate::settings::section::{Given, ListItem, Section};
use crate::settings::yaml::Value;
use crate::settings::{keys, names};
use crate::text::{did_you_mean, excerpt, hidden_in, java_trim};

use super::template::{
    Adopt, Budget, CronWindow, LearnedReady, MinReady, Placement, Price, ReadyWindow, Refresh, Register, Template,
};
use super::timing::{Graces, OWN_TIMING};

pub use agent::{AGENT, AGENT_KEYS, HOST_KEY, HOST_KEY_KEYS, HOST_KEY_NEEDS, REGISTER, SSH_NEEDS};
pub use clouds::Known;
pub use inherit::inherit;
pub use server::SERVER_NEEDS;
pub use user_data::Placeholders;

/// A hostname is cut there, and with it the end of the id.
const MAX_HOSTNAME: usize = 63;
/// Jenkins allows none of these in the name of a node.
const FORBIDDEN: &str = "?*/\\%!@#$^&|<>[]:;";

keys! {
    /// A node template: an entry of `nodes:`, and `defaults:`.
    pub NODE {
        include: &[&script_source::USER_DATA, &server::SERVER, &agent::JOINING, &OWN_TIMING],
        prefixes: &["ex_"],
    };
    /// What a node of the template can do.
    LABELS: Vec<String> = Key::texts("labels");
    /// In which clouds, first choice first.
    PROVIDER: Vec<String> = Key::texts("provider");
    /// The availability zones, first choice first.
    AVAILABILITY_ZONE: Vec<String> = Key::texts("availability_zone").also(&["availability_zones"]);
    /// The most servers of the template; 0 makes none.
    MAX: u32 = Key::count("max").or("10");
    /// How many nodes are ready though no job waits: a number, cron windows, auto, or a section of what is learned.
    MIN_READY: u32 = Key::count_or_forms("min_ready", "auto", &WINDOW, &READY_KEYS).or("0");
    /// What a server of the template is paid by: an idle one goes before a paid period ends, and else only to make room.
    BILLING_PERIOD: Lifetime = Key::lifetime("billing_period").or("none").at_least(1, "; where seconds are paid write none");
    /// How busy nodes are replaced that are too old, or outdated.
    REFRESH: Nested = Key::section("refresh", &REFRESH_KEYS);
    /// Executors of each node.
    // No server runs so many builds at a time as the bound says; the plan counts them one by one.
    EXECUTORS: u32 = Key::count("executors")
        .or("1")
        .at_least(1, "; to make none of it set max: 0")
        .at_most(1000, "; no server runs so many builds at a time");
    /// Whether jobs without a label may start it.
    ACCEPTS_UNLABELLED: bool = Key::flag("accepts_unlabelled").or("false");
    /// Which template is taken where several would do: the smaller number.
    PRIORITY: i64 = Key::integer("priority").or("100");
    /// So many builds, and a node goes once it is idle.
    MAX_BUILDS: Option<u32> = Key::count("max_builds").at_least(1, "; for no limit remove it");
    /// What a server of the template costs per hour, for `mita history`.
    PRICE: Option<u64> = Key::decimal("price");
    /// Whether servers without the mark of any mita are taken over.
    ADOPT: String = Key::flag_or("adopt", "all").or("false");
}

/// What a template must have, itself or by `defaults`.
pub static NODE_NEEDS: [Need; 2] = [Need::of(&[LABELS.spec()]), Need::of(&[PROVIDER.spec()])];

keys! {
    /// A cron window of `min_ready:`.
    pub WINDOW { needs: &[Need::of(&[CRON.spec()]), Need::of(&[READY.spec()])] };
    /// Five cron fields.
    CRON: Option<String> = Key::text("cron");
    /// The time zone of the fields.
    TIMEZONE: String = Key::text("timezone").or("UTC");
    /// How many nodes are ready while the window is open.
    READY: Option<u32> = Key::count("ready");
}

keys! {
    /// `min_ready:` as a section.
    READY_KEYS;
    /// Whether a spare is learned from how far the load rises while a server boots.
    AUTO: bool = Key::flag("auto").or("false");
    /// A spare node is kept where it would be used once in so long: a shorter time is fewer server-hours and longer waits.
    USED_EVERY: SignedDuration = Key::duration("used_every")
        .or("40m")
        .at_least(1, "; for no spare write auto: false")
        .at_most(86_400, "; for nodes that are always ready write a number");
    /// Whether bursts are learned that come again and again after the same time.
    RHYTHM: bool = Key::flag("rhythm").or("false");
    /// At least so many are ready at these times.
    WINDOWS: Nested = Key::sections("windows", &WINDOW);
}

keys! {
    /// `refresh:`
    REFRESH_KEYS;
    /// Whether outdated nodes are replaced, too: made of another image than the newest, or before the template was changed.
    OUTDATED: bool = Key::flag("outdated").or("false");
    /// The most nodes of the template that are replaced at a time: a number, or a share, rounded up; 0: none.
    BUDGET: String = Key::count_or_share("budget").or("10%");
    /// When outdated nodes are replaced; without any: at all times.
    REFRESH_WINDOWS: Nested = Key::sections("windows", &REFRESH_WINDOW);
}

keys! {
    /// A cron window of `refresh:`.
    REFRESH_WINDOW { needs: &[Need::of(&[REFRESH_CRON.spec()])] };
    /// Five cron fields.
    REFRESH_CRON: Option<String> = Key::text("cron");
    /// The time zone of the fields.
    REFRESH_TIMEZONE: String = Key::text("timezone").or("UTC");
}

/// What a template is judged against.
pub struct NodeContext<'c> {
    /// The graces of `timing:`.
    pub graces: Graces,
    /// The clouds.
    pub clouds: Known<'c>,
    /// What a script is filled in with.
    pub site: Placeholders<'c>,
    /// Where the files are that it names.
    pub outside: Outside<'c>,
}

/// Returns whether a key of a template counts in what `mita config` prints: one that comes from `defaults` may mean nothing
/// in this template, and would be refused if it were its own.
pub fn counts(at: &Section<'_>, key: &KeySpec) -> bool {
    if key.name == server::VOLUME_TYPE.name {
        return server::has_volume(at);
    }
    key.name != AGENT.name || agent::register(at) != Register::Own
}

/// Reads all templates, in the order of the file.
pub fn templates(section: &Section<'_>, context: &NodeContext<'_>) -> Vec<Template> {
    section.entries().map(|at| template(&at, context)).collect()
}

fn template(at: &Section<'_>, context: &NodeContext<'_>) -> Template {
    name_fits(at);
    let labels = labels(at);
    let register = agent::register(at);
    let graces = context.graces.of_template(at);
    let clouds = context.clouds.clouds_of(&at.get(&PROVIDER));
    let source = script_source::script(at, &context.outside);
    let mut template = Template {
        name: TemplateName::new(at.name()),
        placements: placements(at, &context.clouds),
        spec: server::spec(at, &clouds),
        script: source.as_ref().map(|source| source.text.clone()),
        labels,
        executors: at.get(&EXECUTORS),
        accepts_unlabelled: at.get(&ACCEPTS_UNLABELLED),
        priority: at.get(&PRIORITY),
        max: at.get(&MAX),
        min_ready: min_ready(at),
        billing_period: at.get(&BILLING_PERIOD).0,
        refresh: refresh(&at.section(&REFRESH)),
        idle_grace: graces.idle,
        boot_grace: graces.boot,
        max_lifetime: graces.lifetime,
        max_builds: at.get(&MAX_BUILDS),
        price: at.get(&PRICE).map(Price),
        register,
        agent: agent::agent(at, register),
        adopt: adopt(at),
        digest: String::new(),
    };
    if let Some(source) = &source {
        user_data::check(at, source, &template, &context.site, &clouds);
    }
    user_data::unused(at, source.as_ref(), &template, &clouds);
    template.digest = digest(&template);
    template
}

/// Reads which servers without our mark are taken over; the type of the key lets no other word through.
fn adopt(at: &Section<'_>) -> Adopt {
    let adopt = match at.get(&ADOPT).as_str() {
        "true" => Adopt::Yes,
        "all" => Adopt::All,
        _ => Adopt::No,
    };
    if adopt.is_on() {
        at.hint(&ADOPT, adopts(at.name(), adopt));
    }
    adopt
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

/// Digests what defines a server: neither where it is nor how many there are of it.
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

fn name_fits(at: &Section<'_>) {
    let name = at.name();
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
        "a template's name cannot hold +, it comes before the address in a node's name; rename it".to_owned()
    } else if model::split_server_name(name).is_some() {
        "a template's name cannot end like a server's (__ and 12 hexadecimal digits); rename it".to_owned()
    } else if name.chars().count() > max_name() {
        let most = max_name();
        format!(
            "a template's name has at most {most} characters, or the host name of a server loses its id; shorten it"
        )
    } else {
        names::all_seen(&at.here(), name, at.report());
        return;
    };
    at.report().error(&at.here(), fault);
}

/// How long the name of a template may be so that `<template>__<id>` is a host name.
fn max_name() -> usize {
    MAX_HOSTNAME - model::NAME_SEPARATOR.len() - 12
}

fn labels(at: &Section<'_>) -> BTreeSet<String> {
    if at.given(&LABELS) != Given::Value {
        let text = "missing; list what jobs ask for, like [amd64, trusty], or write [] for none";
        at.error(&LABELS, text);
    }
    let labels = at.get(&LABELS);
    if let Some(list) = list_to_write(at, &labels) {
        let text = format!("is one text, not a list; write {list}");
        at.report().error(&at.item(&LABELS, 0), text);
        return labels.into_iter().collect();
    }
    for (place, label) in at.items_at(&LABELS, labels.len()).iter().zip(&labels) {
        if java_trim(label).is_empty() {
            at.report()
                .error(place, "a label cannot be empty; write a text or remove it");
        } else if label.chars().any(char::is_control) {
            // Its lines are not shown: behind a quote that is missing there may be a secret.
            let text = if label.contains(['\n', '\r']) {
                at.report()
                    .conceal(|concealed| concealed.lines(place.at.line..=place.at.line));
                "a label holds a line break; write it as one line".to_owned()
            } else {
                format!("label {} holds a control character; remove it", quoted(label))
            };
            at.report().error(place, text);
        } else {
            unusual(place, label, at.report());
        }
    }
    if at.has(&LABELS) && labels.is_empty() && !at.get(&ACCEPTS_UNLABELLED) {
        let text = "has no labels and does not accept unlabelled jobs: hardly any job can start it; give it labels";
        at.warn_in_check(&LABELS, text);
    }
    labels.into_iter().collect()
}

/// Returns the list that was meant by one text with commas or dashes in it, as it is to be written.
fn list_to_write(at: &Section<'_>, labels: &[String]) -> Option<String> {
    let [text] = labels else { return None };
    let is_list = matches!(at.items(&LABELS)?.first(), Some(ListItem::Text(_, place)) if place.path.ends_with(']'));
    let items: Vec<&str> = match text.strip_prefix('-') {
        Some(rest) if rest.contains(" -") => rest.split(" -").collect(),
        _ if text.contains(',') => text.split(',').collect(),
        _ => return None,
    };
    let items = items.iter().map(|item| item.trim().trim_matches(['[', ']']).trim());
    let items: Vec<String> = items
        .filter(|item| !item.is_empty())
        .map(|item| excerpt(item, 60))
        .collect();
    (!is_list).then(|| format!("[{}]", items.join(", ")))
}

/// Warns of what makes a label another one than it seems.
fn unusual(place: &Place, label: &str, report: &Report) {
    if label.contains(' ') {
        let shown = quoted(label);
        let text = format!("label {shown} holds a blank, where Jenkins splits it; write two labels");
        report.warn_in_check(place, text);
    }
    if let Some(hidden) = hidden_in(label) {
        let shown = quoted(label);
        let text =
            format!("label {shown} holds {hidden}, which is not seen: only jobs that ask for it, too, fit; remove it");
        report.warn_in_check(place, text);
    }
}

/// Every provider with every zone, in the order in which they are written.
fn placements(at: &Section<'_>, known: &Known<'_>) -> Vec<Placement> {
    let providers = names::list(at, &PROVIDER);
    match at.given(&PROVIDER) {
        Given::Value if at.has(&PROVIDER) && providers.is_empty() => at.error(&PROVIDER, "is empty; name a provider"),
        Given::Value => {}
        _ => at.error(&PROVIDER, "missing; name an entry of provider"),
    }
    let known: Option<Vec<&str>> = known
        .entries
        .as_ref()
        .map(|all| all.iter().map(|(name, _)| *name).collect());
    for (index, name) in providers.iter().enumerate() {
        if let Some(known) = known.as_ref().filter(|known| !known.contains(&name.as_str())) {
            let text = format!("there is no provider {}{}", quoted(name), provider_hint(name, known));
            at.report().error(&at.item(&PROVIDER, index), text);
        }
    }
    let zones = names::list(at, &AVAILABILITY_ZONE);
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

fn provider_hint(name: &str, known: &[&str]) -> String {
    let hint = did_you_mean(name, known.iter().copied());
    if hint.is_empty() {
        return "; describe it under provider".to_owned();
    }
    hint
}

fn min_ready(at: &Section<'_>) -> MinReady {
    // A maximum that was found wrong bounds nothing.
    let max = if at.is_bad(&MAX) { u32::MAX } else { at.get(&MAX) };
    if let Some(items) = at.items(&MIN_READY) {
        return MinReady::Windows(ready_windows(at, items, max));
    }
    if let Some(learned) = at.section_in(&MIN_READY) {
        let items = learned.items(&WINDOWS).unwrap_or_default();
        if learned.has(&USED_EVERY) && !learned.get(&AUTO) {
            learned.warn_in_check(&USED_EVERY, "means nothing without `auto: true`; write both or neither");
        }
        return MinReady::Learned(LearnedReady {
            auto: learned.get(&AUTO).then(|| learned.get(&USED_EVERY)),
            rhythm: learned.get(&RHYTHM),
            windows: ready_windows(at, items, max),
        });
    }
    if let Some(Value::Text(..)) = at.value(&MIN_READY) {
        return MinReady::Learned(LearnedReady {
            auto: Some(LearnedReady::USED_EVERY),
            ..LearnedReady::default()
        });
    }
    let ready = at.get(&MIN_READY);
    at_most_max(at, &at.place(&MIN_READY), MIN_READY.name, (ready, max));
    MinReady::Always(ready)
}

fn ready_windows(at: &Section<'_>, items: Vec<ListItem<'_>>, max: u32) -> Vec<ReadyWindow> {
    let windows = sections(items).map(|here| {
        let window = cron_window(&here, &CRON, &TIMEZONE);
        if here.given(&READY) != Given::Value {
            here.error(&READY, "missing; write how many nodes stand ready in this window");
        }
        let ready = here.get(&READY).unwrap_or(0);
        at_most_max(at, &here.place(&READY), READY.name, (ready, max));
        ReadyWindow { window, ready }
    });
    windows.collect()
}

fn refresh(at: &Section<'_>) -> Refresh {
    let budget = at.get(&BUDGET);
    let (digits, percent) = match budget.strip_suffix('%') {
        Some(digits) => (digits, true),
        None => (budget.as_str(), false),
    };
    // Its type lets nothing else through.
    let number = digits.parse().unwrap_or(0);
    let windows = sections(at.items(&REFRESH_WINDOWS).unwrap_or_default());
    Refresh {
        outdated: at.get(&OUTDATED),
        budget: if percent {
            Budget::Percent(number)
        } else {
            Budget::Nodes(number)
        },
        windows: windows
            .map(|here| cron_window(&here, &REFRESH_CRON, &REFRESH_TIMEZONE))
            .collect(),
    }
}

fn sections(items: Vec<ListItem<'_>>) -> impl Iterator<Item = Section<'_>> {
    items.into_iter().filter_map(|item| match item {
        ListItem::Section(here) => Some(here),
        ListItem::Text(..) => None,
    })
}

fn cron_window(here: &Section<'_>, cron_key: &Key<Option<String>>, timezone_key: &Key<String>) -> CronWindow {
    let cron = names::required(here, cron_key, "write five cron fields");
    if let Some(fault) = here.get(cron_key).as_deref().and_then(CronWindow::cron_fault) {
        here.error(cron_key, fault);
    }
    let timezone = here.get(timezone_key);
    if !CronWindow::knows_timezone(&timezone) {
        let text = format!(
            "there is no time zone {}; write it like Europe/Berlin",
            quoted(&timezone)
        );
        here.error(timezone_key, text);
    }
    CronWindow { cron, timezone }
}

fn at_most_max(at: &Section<'_>, place: &Place, key: &str, (ready, max): (u32, u32)) {
    if ready <= max {
        return;
    }
    if at.given(&MAX) == Given::Value {
        let text = format!("must be at least {key} ({ready}), is {max}; raise one, lower the other");
        at.error(&MAX, text);
    } else {
        let text = format!("must be at most max ({max} by default), is {ready}; set max, too");
        at.report().error(place, text);
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
