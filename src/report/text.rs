//! Reports for people: plain lines, nothing that moves. Texts from elsewhere are made fit for a line here.

use std::io::{self, Write};

use super::{Action, ActionKind, Outcome, PassReport};
use crate::plan::Waiting;
use crate::state::Phase;
use crate::text::{age, excerpt, plural, printable, wrapped};

/// The most characters of one sentence.
const WIDTH: usize = 500;

/// Prints one action on one line.
pub fn action(out: &mut dyn Write, action: &Action) -> io::Result<()> {
    let Action {
        kind,
        node,
        name,
        provider,
        server_id,
        target,
        because,
        result,
        error,
    } = action;
    let place = provider
        .as_ref()
        .map_or_else(String::new, |provider| format!(" at {provider}"));
    let id = server_id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
    let target = target.as_ref().map_or_else(String::new, |target| match kind {
        ActionKind::CreateFloatingIp => format!(" gets {target}"),
        _ => format!(" {target} of"),
    });
    let (before, after) = if *kind == ActionKind::CreateFloatingIp {
        ("", target.as_str())
    } else {
        (target.as_str(), "")
    };
    let template = match (kind, node) {
        (ActionKind::Create, Some(node)) if !name.starts_with(node.as_str()) => format!(" [{node}]"),
        _ => String::new(),
    };
    let verdict = match (result, error) {
        (Outcome::Planned, _) => String::new(),
        (Outcome::Done, _) => ": done".to_owned(),
        (other, None) => format!(": {}", other.word()),
        (other, Some(error)) => format!(": {}: {error}", other.word()),
    };
    let line = format!(
        "{:<13}{before} {name}{after}{template}{place}{id}{verdict}; because {because}",
        kind.word()
    );
    writeln!(out, "{}", excerpt(&line, WIDTH * 2))
}

/// Returns the word for a phase in a table.
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Intent => "intent",
        Phase::Booting => "booting",
        Phase::Online => "online",
        Phase::Idle => "idle",
        Phase::Busy => "busy",
        Phase::Draining => "draining",
        Phase::Offline => "offline",
        Phase::Error => "error",
        Phase::Deleting => "deleting",
        Phase::Orphan => "orphan",
    }
}

/// Says what items wait for.
pub fn waits_for(label: Option<&str>, unlabelled: bool) -> &str {
    let none = if unlabelled { "(no label)" } else { "(no label known)" };
    label.unwrap_or(none)
}

/// Returns the lines of a text on a terminal of this width; without one it is one line.
pub fn lines_of(text: &str, width: Option<usize>) -> Vec<String> {
    width.map_or_else(|| vec![text.to_owned()], |width| wrapped(text, width))
}

/// Prints what waits and gets nothing, or waits for what boots.
pub fn waiting(out: &mut dyn Write, rows: &[Waiting]) -> io::Result<()> {
    for Waiting {
        label,
        unlabelled,
        reason,
        items,
        oldest_seconds,
        example,
        served_by,
        fitting: _,
        class: _,
    } in rows
    {
        let label = waits_for(label.as_deref(), *unlabelled);
        let by = served_by
            .as_ref()
            .map_or_else(String::new, |template| format!(" [{template}]"));
        let line = format!(
            "waits         {} for {label}{by}, oldest {}: {reason} (e.g. item {}, {})",
            plural(*items, "item"),
            age(*oldest_seconds),
            example.item,
            printable(&example.task, 80)
        );
        writeln!(out, "{}", excerpt(&line, WIDTH * 2))?;
    }
    Ok(())
}

/// Prints what follows the actions of a pass: what waits, the notes, the closing line. `judged` is whether the pass
/// asked what the queue waits for; `destroy` does not.
pub fn closing(out: &mut dyn Write, report: &PassReport, judged: bool) -> io::Result<()> {
    let PassReport {
        version: _,
        pass,
        dry_run,
        started: _,
        seconds,
        observed,
        actions,
        unmet,
        notes,
        // They are said on stderr.
        problems: _,
        exit,
    } = report;
    waiting(out, unmet)?;
    for note in notes {
        writeln!(out, "note          {}", printable(note, WIDTH))?;
    }
    let servers: u64 = observed.servers.values().sum();
    let counted = if actions.is_empty() {
        if *dry_run { "dry run, no action" } else { "no action" }.to_owned()
    } else if *dry_run {
        format!("dry run, {}", plural(actions.len(), "action"))
    } else {
        let done = actions.iter().filter(|action| action.result == Outcome::Done).count();
        let done = if done == 0 { "none".to_owned() } else { done.to_string() };
        format!("{done} of {} done", plural(actions.len(), "action"))
    };
    let items = plural(observed.queue_items, "item");
    let queue = match observed.waiting {
        _ if !judged || observed.queue_items == 0 => format!("{items} in the queue"),
        0 => format!("none waiting of {items} in the queue"),
        waiting => format!("{waiting} waiting of {items} in the queue"),
    };
    writeln!(
        out,
        "pass {pass}: {queue}, {}, {} of ours; {counted}; {seconds:.2} s, exit {exit}",
        plural(observed.jenkins_nodes, "Jenkins node"),
        plural(servers, "server"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_action_says_what_and_why_on_one_line() {
        let failed = Action {
            kind: ActionKind::Create,
            node: Some("small".to_owned()),
            name: "small__0123456789ab".to_owned(),
            provider: Some("openstack".into()),
            server_id: None,
            target: None,
            because: "2 items wait".to_owned(),
            result: Outcome::Failed,
            error: Some("refused:\u{1b}[2J no".to_owned()),
        };
        let mut out = Vec::new();
        action(&mut out, &failed).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "create        small__0123456789ab at openstack: failed: refused:\\u{1b}[2J no; because 2 items wait\n"
        );
    }
}
