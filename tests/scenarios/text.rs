//! Writes a plan as lines for a reader. Each struct is taken apart field by field: a new field of a plan does not compile
//! until it is said here what is shown of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write as _};

use jiff::Timestamp;
use mita::config::Config;
use mita::model::problem_key;
use mita::plan::problems::Finding;
use mita::plan::{
    Anchor, Create, Drain, Example, FailureRecord, Leak, Leftover, NewFloatingIp, NodeToRemove, Plan, Registration,
    Removal, Rollback, ServerRow, ServerToRemove, Spare, TemplateRow, Unmark, VolumeMark, Waiting,
};
use mita::state::State;
use serde::Serialize;
use serde_json::Value;

use super::events;

/// Separates the keys of a path into the state: names may hold anything else.
const SEPARATOR: char = '\n';

/// Writes what is found by `leaks`.
pub fn leaks(leaks: &[Leak]) -> String {
    section("leaks", leaks.iter().map(leak))
}

/// Writes a plan. Parts that are empty are left out; what is remembered is shown where it differs from before.
pub fn plan(plan: &Plan, before: &State, config: &Config, now: Timestamp) -> String {
    let Plan {
        state,
        anchor,
        unmarks,
        drains,
        removals,
        sweeps,
        floating_ips,
        registrations,
        volume_marks,
        lookups,
        asks,
        offers_wanted,
        creates,
        unmet,
        waiting,
        notes,
        warnings,
        unmade,
        news,
        problems,
        partly,
        servers,
        orphan_nodes,
        templates,
        waiting_items,
        // Counted only where metrics are written.
        leaks: _,
    } = plan;
    let asks = asks.iter().map(|(provider, kinds)| {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.noun()).collect();
        format!("{} at {provider}", kinds.join(", "))
    });
    let served = waiting.iter().filter(|row| !unmet.contains(row));
    let parts = [
        section("anchor", anchor.map(anchor_line)),
        section("unmarks", unmarks.iter().map(unmark)),
        section("drains", drains.iter().map(drain)),
        section("removals", removals.iter().map(removal)),
        section("sweeps", sweeps.iter().map(leftover)),
        section("floating IPs", floating_ips.iter().map(floating_ip)),
        section("registers", registrations.iter().map(registration)),
        section("volume marks", volume_marks.iter().map(volume_mark)),
        section(
            "asks for servers",
            lookups.iter().map(|(cloud, id)| format!("{id} at {cloud}")),
        ),
        section("needs lists of", asks),
        section("needs what is offered at", offers_wanted),
        section("creates", creates.iter().map(create)),
        section("unmet", unmet.iter().map(waiting_line)),
        section("waiting", served.map(waiting_line)),
        section("notes", notes),
        section("warnings", warnings),
        section("not made", unmade),
        section("news", news),
        section("problems", problems.found.values().map(problem)),
        section(
            "over",
            problems.over.difference(&problems.found.keys().cloned().collect()),
        ),
        section("exit code", partly.then_some("1, whatever becomes of the actions")),
        section("templates", templates.iter().map(template_row)),
        section("servers", servers.iter().map(|row| server_row(row, now))),
        section("nodes without a server", orphan_nodes),
        section("events", events::noted(before, state, now)),
        section("remembers", remembered(before, state, config, now)),
    ];
    let acts = if plan.acts() { "" } else { "no action\n" };
    format!("{waiting_items} waiting\n{acts}{}", parts.concat())
}

fn section(name: &str, lines: impl IntoIterator<Item = impl Display>) -> String {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
    if text.is_empty() {
        text
    } else {
        format!("{name}\n{text}")
    }
}

/// Writes ` WORD VALUE`, or nothing.
fn also<T: Display>(word: &str, value: Option<T>) -> String {
    value.map_or_else(String::new, |value| format!("{word}{value}"))
}

fn when(is: bool, text: &str) -> &str {
    if is { text } else { "" }
}

fn problem(finding: &Finding) -> String {
    let Finding {
        kind,
        subject,
        sentence,
        facts,
        provider: _,
        config: _,
        read: _,
    } = finding;
    let facts: Vec<String> = facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let facts = if facts.is_empty() {
        String::new()
    } else {
        format!(" ({})", facts.join(", "))
    };
    format!("{}: {sentence}{facts}", problem_key(*kind, subject))
}

/// Writes the name that an enum has in JSON.
fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => panic!("no word: {other:?}"),
    }
}

fn anchor_line(anchor: Anchor) -> String {
    let what = match anchor {
        Anchor::Make => "make",
        Anchor::Mark => "mark",
    };
    format!("{what}: {}", anchor.because())
}

fn unmark(unmark: &Unmark) -> String {
    let Unmark {
        node,
        template,
        prefix,
        // `remembers` shows what follows from it.
        by_hand: _,
        because,
    } = unmark;
    format!(
        "{node}{} of \"{prefix}...\": {because}",
        also(" of ", template.as_ref())
    )
}

fn drain(drain: &Drain) -> String {
    let Drain {
        node,
        template,
        mark,
        by_monitor,
        because,
    } = drain;
    format!(
        "{node}{}, marked \"{mark}\"{}: {because}",
        also(" of ", template.as_ref()),
        when(*by_monitor, " in place of a monitor's mark"),
    )
}

fn removal(removal: &Removal) -> String {
    let Removal {
        template,
        node,
        server,
        floating_ips,
        why,
    } = removal;
    let parts: Vec<String> = node
        .iter()
        .map(removed_node)
        .chain(floating_ips.iter().map(leftover))
        .chain(server.iter().map(removed_server))
        .collect();
    let of = also(" (", template.as_ref());
    format!("{}{of}{}: {why}", parts.join(", "), when(!of.is_empty(), ")"))
}

fn removed_node(node: &NodeToRemove) -> String {
    let NodeToRemove {
        name,
        marked,
        even_if_busy,
        by_monitor,
    } = node;
    format!(
        "node {name}{}{}{}",
        when(*marked, " [marked already]"),
        when(*even_if_busy, " [even if busy]"),
        when(*by_monitor, " [offline by a monitor]")
    )
}

fn removed_server(server: &ServerToRemove) -> String {
    let ServerToRemove {
        provider,
        id,
        name,
        node_id: _,
        look_first,
        failure,
    } = server;
    let kept = match failure {
        FailureRecord::Nothing => "",
        FailureRecord::Failure => " [failed]",
        FailureRecord::Console => " [failed, keep the console]",
    };
    format!(
        "server {name} ({id} at {provider}){}{kept}",
        when(*look_first, " [look first]")
    )
}

fn leftover(leftover: &Leftover) -> String {
    let Leftover {
        kind,
        id,
        name,
        provider,
        server,
        template,
        because,
    } = leftover;
    let because = when(!because.is_empty(), ": ").to_owned() + because;
    format!(
        "{} {name} ({id} at {provider}) of {server}{}{because}",
        kind.noun(),
        also(", ", template.as_ref())
    )
}

fn floating_ip(new: &NewFloatingIp) -> String {
    let NewFloatingIp {
        provider,
        server_id,
        node_id: _,
        server,
        template,
        pool,
        because,
    } = new;
    format!("from {pool} for {server} ({server_id} at {provider}), {template}: {because}")
}

fn registration(registration: &Registration) -> String {
    let Registration {
        name,
        template,
        provider,
        server_id,
        address,
        host_key,
        because,
    } = registration;
    format!(
        "{name} ({server_id} at {provider}), {template}, at {address}{}: {because}",
        also(", host key ", host_key.as_ref())
    )
}

fn volume_mark(mark: &VolumeMark) -> String {
    let VolumeMark {
        provider,
        node_id: _,
        server,
        volumes,
    } = mark;
    format!("{} of {server} at {provider}", volumes.join(", "))
}

fn create(create: &Create) -> String {
    let Create {
        id,
        name,
        template,
        provider,
        zone,
        offer,
        node_first,
        retry,
        made_for: _,
        because,
    } = create;
    assert!(name.ends_with(id.as_str()) && name.starts_with(template.as_str()));
    let image = offer.as_ref().map(|offer| &offer.image);
    format!(
        "{name} at {provider}{}{}{}{}: {because}",
        also("/", zone.as_ref()),
        also(" of ", image),
        when(*node_first, " [its node first]"),
        when(*retry, " [to see whether its labels are right]"),
    )
}

fn waiting_line(row: &Waiting) -> String {
    let Waiting {
        label,
        unlabelled,
        reason,
        items,
        oldest_seconds,
        example: Example { item, task },
        served_by,
        fitting: _,
        class: _,
    } = row;
    let none = if *unlabelled { "no label" } else { "an unknown label" };
    format!(
        "{items} for {}, for {}, as item {item} ({task}){}: {reason}",
        label.as_deref().unwrap_or(none),
        span(*oldest_seconds),
        also(", by ", served_by.as_ref())
    )
}

fn template_row(row: &TemplateRow) -> String {
    let TemplateRow {
        node,
        configured,
        servers,
        booting,
        idle,
        busy,
        off,
        max,
        min_ready,
        spare,
        rhythm,
        rollbacks,
    } = row;
    let mut text = format!("{node}: {servers} of {max}: {booting} booting, {idle} idle, {busy} busy");
    if *off > 0 {
        let _ = write!(text, ", {off} off");
    }
    if !configured {
        text.push_str("; not configured");
    }
    if let Some(Spare { nodes, because }) = spare {
        let _ = write!(text, "; {nodes} spare ({because})");
    }
    if let Some(Spare { nodes, because }) = rhythm {
        let _ = write!(text, "; {nodes} by rhythm ({because})");
    }
    if *min_ready > 0 {
        let _ = write!(text, "; {min_ready} ready");
    }
    for rollback in rollbacks {
        let Rollback {
            provider,
            image,
            servers,
            instead,
            try_again,
        } = rollback;
        let _ = write!(
            text,
            "; at {provider} {instead} instead of {image} (failed: {servers}) until {try_again}"
        );
    }
    text
}

fn server_row(row: &ServerRow, now: Timestamp) -> String {
    let ServerRow {
        name,
        node,
        provider,
        zone,
        server_id,
        phase,
        since,
        offline_by,
        offline_reason,
        executors,
        busy_executors,
        jobs: _,
        why,
        age_seconds,
        idle_seconds,
        jenkins_node,
        address,
        floating_ip,
        image: _,
        outdated,
        adopted,
        builds,
    } = row;
    let since = since.map(|since| now.duration_since(since).as_secs());
    let busy = busy_executors.unwrap_or_default();
    let other_node = jenkins_node.as_ref().filter(|other| other.as_str() != name);
    let address = floating_ip.as_ref().or(address.as_ref());
    format!(
        "{name} ({}{provider}{}): {}{}{}{}{}, {} old{}{}{}{}{}{}{}{}",
        server_id.as_ref().map_or_else(String::new, |id| format!("{id} at ")),
        also("/", zone.as_ref()),
        word(phase),
        also(
            " since ",
            since
                .filter(|since| *since != *age_seconds && idle_seconds.is_none())
                .map(span)
        ),
        also(" by ", offline_by.as_ref().map(word)),
        also(": ", offline_reason.as_ref()),
        also(
            ", ",
            executors
                .filter(|all| busy > 0 && busy < *all)
                .map(|all| format!("{busy} of {all} at work"))
        ),
        span(*age_seconds),
        also(", idle for ", idle_seconds.map(span)),
        also(", node ", other_node),
        also(", ", address),
        also(", builds: ", *builds),
        when(*outdated, ", outdated"),
        when(*adopted, ", adopted"),
        when(!name.starts_with(node.as_str()), &format!(", {node}")),
        also("; ", why.as_ref()),
    )
}

fn leak(leak: &Leak) -> String {
    let Leak {
        kind,
        provider,
        name,
        id,
        owner,
        ours,
        age_seconds,
        because,
        removable,
    } = leak;
    format!(
        "{} {name}{}{}, {}{}{}{}: {because}",
        word(kind),
        also(" at ", provider.as_ref()),
        also(", id ", id.as_ref()),
        word(owner),
        when(*ours, ", ours"),
        also(", age ", age_seconds.map(span)),
        when(*removable, ", --delete removes it")
    )
}

/// Lists what is remembered now and was not, or otherwise, a line for each thing: `nodes.ID: phase = error, - joined`.
fn remembered(before: &State, after: &State, config: &Config, now: Timestamp) -> Vec<String> {
    let (before, after) = (leaves(before, config, now), leaves(after, config, now));
    let mut things: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for path in paths.into_iter().filter(|path| before.get(*path) != after.get(*path)) {
        let thing: String = path.split_inclusive(SEPARATOR).take(2).collect();
        let key = path[thing.len()..].replace(SEPARATOR, ".");
        let is_gone = !after.keys().any(|other| other.starts_with(&thing));
        let value = after.get(path).map_or_else(|| "gone".to_owned(), ToString::to_string);
        let entry = things.entry(thing.clone()).or_default();
        if is_gone {
            *entry = vec!["gone".to_owned()];
        } else if key.is_empty() {
            entry.push(value);
        } else {
            entry.push(format!("{key} = {value}"));
        }
    }
    let line = |(thing, values): (&String, &Vec<String>)| {
        let name = thing.trim_end_matches(SEPARATOR).replace(SEPARATOR, " ");
        format!("{name}: {}", values.join(", "))
    };
    things.iter().map(line).collect()
}

/// What is shown elsewhere or changes in each pass, by the start and the end of its path.
const NOT_SHOWN: [(&str, &str); 6] = [
    ("last_pass", ""),
    ("gaps", ""),
    ("events", ""),
    ("waiting", ""),
    ("nodes", "busy_seconds"),
    ("nodes", "idle_seconds"),
];

/// Returns the leaves of the state as it is saved, by their paths, except those that change in each pass. Times are told
/// by the time of the pass, digests by the template.
fn leaves(state: &State, config: &Config, now: Timestamp) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let value = serde_json::to_value(state).expect("a state");
    collect(&value, String::new(), &mut found);
    found.retain(|path, _| {
        let is_not_shown = |(start, end): &(&str, &str)| path.starts_with(start) && path.ends_with(end);
        !NOT_SHOWN.iter().any(is_not_shown)
    });
    for value in found.values_mut() {
        if let Ok(time) = value.parse::<Timestamp>() {
            *value = moment(time, now);
        }
        if let Some(template) = config.templates.iter().find(|template| template.digest == *value) {
            *value = format!("digest of {}", template.name);
        }
    }
    found
}

fn collect(value: &Value, path: String, found: &mut BTreeMap<String, String>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}{SEPARATOR}{key}")
        }
    };
    match value {
        Value::Object(entries) => entries
            .iter()
            .for_each(|(key, value)| collect(value, below(key), found)),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect(item, below(&at.to_string()), found);
            }
        }
        Value::Null => {}
        Value::String(text) => drop(found.insert(path, text.clone())),
        other => drop(found.insert(path, other.to_string())),
    }
}

/// Tells a time by that of the pass.
pub fn moment(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.duration_since(now).as_secs();
    match seconds {
        0 => "now".to_owned(),
        ..0 => format!("now-{}", span(-seconds)),
        _ => format!("now+{}", span(seconds)),
    }
}

/// Writes seconds exactly, as `mita.yaml` has durations.
fn span(seconds: i64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, unit) in units {
        if rest >= length {
            parts.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if parts.is_empty() {
        "0s".to_owned()
    } else {
        parts.join(" ")
    }
}
