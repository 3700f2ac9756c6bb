//! Reads the `why` sentence of a queue item: what it reveals of the label, in every form of old and new Jenkins.
//!
//! Whether a name in it is that of a label, a node of ours or a foreign one is left to `resolve`.

use crate::text::java_trim;

/// What a `why` sentence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sentence<'a> {
    /// The label, exactly.
    Label(&'a str),
    /// A node if exactly one matches the label, else the label (`executor on ‘X’`).
    NodeOrLabel(&'a str),
    /// The only node that matches the label (`‘X’ is offline`).
    Node(&'a str),
    /// The job has no label.
    NoLabel,
    /// It waits for an executor: without a label, or Jenkins has no agent.
    Plain,
    /// The nodes refuse it for reasons of their own, which do not name the label.
    Refused,
    /// It waits for something that no server helps.
    NoServerHelps,
    /// No sentence that is known: another language, or a plugin.
    Unread,
}

/// Longer sentences are not read: Jenkins itself writes some hundred characters.
const MAX_LEN: usize = 64 * 1024;

const ON: &str = "Waiting for next available executor on ";
const PLAIN: &str = "Waiting for next available executor";
const NO_NODES: &str = "There are no nodes with the label ";
const ALL_OFFLINE: &str = "All nodes of label ";
const ARE_OFFLINE: &str = " are offline";
const IS_OFFLINE: &str = " is offline";

/// Openings of sentences that no server helps: other stages of the queue, and plugins.
const NO_SERVER_HELPS: [&str; 20] = [
    "Jenkins is about to shut down",
    "Hudson is about to shut down",
    "In the quiet period",
    "Finished waiting",
    "???",
    "A build is already in progress",
    "Build #",
    "Blocked by ",
    "Upstream project ",
    "Downstream project ",
    "Exception evaluating if the queue can run the task",
    "Stopping ",
    "A build is pending launch",
    "A build with matching parameters is already running",
    "Waiting for resource instances ",
    "Waiting for resources with label ",
    "Waiting for resources identified by custom script",
    "Waiting for lockable resources",
    "Execution failed while acquiring the resource",
    "Must run on ",
];

/// Returns whether a sentence means that Jenkins is quieting down.
pub(super) fn is_shutting_down(why: &str) -> bool {
    NO_SERVER_HELPS[..2].contains(&undotted(why.trim()))
}

/// Openings of a node's own reasons that do not begin with its name.
const REFUSALS: [&str; 3] = [
    "Already running ",
    "Executor slot already in use",
    "Exception evaluating if the node can take the task",
];

/// What follows the name of a node in its reasons; the apostrophe of the first is typographic in a real Jenkins.
const LACKS_LABEL: [&str; 2] = [" doesn\u{2019}t have label ", " doesn't have label "];
const RESERVED: &str = " is reserved for jobs with matching label expression";
const NO_PERMISSION: &str = " lacks permission to run on ";
const NODE_REFUSALS: [&str; 3] = [
    " is not accepting tasks",
    " has been removed from configuration",
    IS_OFFLINE,
];

/// Reads a sentence.
pub(super) fn read(why: &str) -> Sentence<'_> {
    let why = java_trim(why);
    if why.len() > MAX_LEN {
        return Sentence::Unread;
    }
    if let Some(name) = why.strip_prefix(ON) {
        return named(bare(name), Sentence::NodeOrLabel);
    }
    if undotted(why) == PLAIN {
        return Sentence::Plain;
    }
    if let Some(label) = why.strip_prefix(NO_NODES) {
        return named(quoted(label), Sentence::Label);
    }
    if let Some(label) = why
        .strip_prefix(ALL_OFFLINE)
        .and_then(|rest| undotted(rest).strip_suffix(ARE_OFFLINE))
    {
        return named(quoted(label), Sentence::Label);
    }
    match (sole_offline(why), composite(why)) {
        (Some(node), _) => Sentence::Node(node),
        (None, sentence) => sentence,
    }
}

fn named<'a>(name: &'a str, sentence: fn(&'a str) -> Sentence<'a>) -> Sentence<'a> {
    if name.is_empty() {
        Sentence::Unread
    } else {
        sentence(name)
    }
}

/// Reads `‘X’ is offline` as a sentence of its own.
fn sole_offline(why: &str) -> Option<&str> {
    let name = undotted(why).strip_suffix(IS_OFFLINE)?;
    let alone = parts(why).nth(1).is_none() && !matches!(part(why), Some(Part::NoServerHelps));
    Some(bare(name)).filter(|name| alone && !name.is_empty())
}

/// One reason of a composite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Label(&'a str),
    Reserved,
    Refused,
    NoServerHelps,
    /// `... and N more`.
    More,
}

/// Reads the reasons of the nodes, joined with `; `.
fn composite(why: &str) -> Sentence<'_> {
    let (mut reserved, mut refused, mut helpless, mut unread) = (false, false, false, false);
    for text in parts(why) {
        match part(text) {
            Some(Part::Label(label)) => return Sentence::Label(label),
            Some(Part::Reserved) => reserved = true,
            Some(Part::Refused) => refused = true,
            Some(Part::NoServerHelps) => helpless = true,
            Some(Part::More) => {}
            None => unread = true,
        }
    }
    match () {
        () if reserved => Sentence::NoLabel,
        () if refused => Sentence::Refused,
        () if helpless && !unread => Sentence::NoServerHelps,
        () => Sentence::Unread,
    }
}

/// Splits a composite, but only before a known reason: labels may hold `; ` themselves.
fn parts(why: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(why);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = text.match_indices("; ").find(|(at, _)| {
            let next = &text[at + 2..];
            part(next.find("; ").map_or(next, |end| &next[..end])).is_some()
        });
        let (head, tail) = match cut {
            Some((at, _)) => (&text[..at], Some(&text[at + 2..])),
            None => (text, None),
        };
        rest = tail;
        Some(head)
    })
}

/// Reads one reason; `None` when it is not known.
fn part(text: &str) -> Option<Part<'_>> {
    let text = undotted(text);
    if let Some(label) = LACKS_LABEL
        .iter()
        .find_map(|middle| text.split_once(middle))
        .map(|(_, label)| label)
    {
        return Some(Part::Label(first_quoted(label))).filter(|part| *part != Part::Label(""));
    }
    if text.ends_with(RESERVED) {
        return Some(Part::Reserved);
    }
    if text.starts_with("... and ") && text.ends_with(" more") {
        return Some(Part::More);
    }
    if NO_SERVER_HELPS.iter().any(|opening| text.starts_with(opening))
        || text.contains(NO_PERMISSION)
        || timed_out(text)
    {
        return Some(Part::NoServerHelps);
    }
    if text.starts_with("Already running ") && text.contains(" across all nodes") {
        return Some(Part::NoServerHelps);
    }
    let refused = REFUSALS.iter().any(|opening| text.starts_with(opening))
        || NODE_REFUSALS
            .iter()
            .any(|end| text.strip_suffix(end).is_some_and(|node| !node.is_empty()));
    refused.then_some(Part::Refused)
}

/// `JOB cancelled: timed out after N UNIT waiting for lockable resources`.
fn timed_out(text: &str) -> bool {
    text.contains(" cancelled: timed out after ") && text.contains(" waiting for lockable resources")
}

fn undotted(text: &str) -> &str {
    text.strip_suffix('.').unwrap_or(text)
}

/// Strips the quotes of Jenkins from 2.125 on; older ones set none, so that nothing else may be stripped.
fn bare(name: &str) -> &str {
    between(name, "\u{2018}", "\u{2019}").unwrap_or(name)
}

/// Strips the quotes of sentences that have had some at all times.
fn quoted(name: &str) -> &str {
    between(name, "\u{2018}", "\u{2019}")
        .or_else(|| between(name, "''", "''"))
        .or_else(|| between(name, "'", "'"))
        .unwrap_or(name)
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

/// Takes the label at the start: up to the quote that ends it, before the end or the next reason, known or not.
fn first_quoted(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('\u{2018}') else {
        return text;
    };
    match inner.find("\u{2019}; ") {
        Some(end) => &inner[..end],
        None => inner.strip_suffix('\u{2019}').unwrap_or(inner),
    }
}

#[cfg(test)]
mod tests {
    use super::{Sentence, read};

    #[test]
    fn sentences() {
        for (why, sentence) in [
            ("Waiting for next available executor", Sentence::Plain),
            (
                "Waiting for next available executor on ‘linux&&x86’",
                Sentence::NodeOrLabel("linux&&x86"),
            ),
            (
                "Waiting for next available executor on linux",
                Sentence::NodeOrLabel("linux"),
            ),
            (
                "Waiting for next available executor on \"a b\"&&\"c d\"",
                Sentence::NodeOrLabel("\"a b\"&&\"c d\""),
            ),
            (
                "Waiting for next available executor on ‘a; ‘b’ is offline’",
                Sentence::NodeOrLabel("a; ‘b’ is offline"),
            ),
            ("Waiting for next available executor on ‘’", Sentence::Unread),
            (
                " Waiting for next available executor on linux\u{a0}\n",
                Sentence::NodeOrLabel("linux\u{a0}"),
            ),
            (
                "There are no nodes with the label ‘foo bar’",
                Sentence::Label("foo bar"),
            ),
            ("There are no nodes with the label ‘a’&&’b’", Sentence::Label("a’&&’b")),
            ("There are no nodes with the label ''foo''", Sentence::Label("foo")),
            ("All nodes of label ‘linux’ are offline", Sentence::Label("linux")),
            ("All nodes of label ''linux'' are offline", Sentence::Label("linux")),
            ("All nodes of label 'linux' are offline", Sentence::Label("linux")),
            ("‘agent-1’ is offline", Sentence::Node("agent-1")),
            ("agent-1 is offline", Sentence::Node("agent-1")),
            ("agent (of May) is offline", Sentence::Node("agent (of May)")),
            (" is offline", Sentence::Unread),
            ("", Sentence::Unread),
            ("Es gibt keine Knoten mit dem Label „nosuch“", Sentence::Unread),
            (
                "Warte auf den nächsten freien Build-Prozessor auf on-1",
                Sentence::Unread,
            ),
            ("Some plugin has other plans", Sentence::Unread),
        ] {
            assert_eq!(read(why), sentence, "{why}");
        }
    }

    #[test]
    fn composites() {
        for (why, sentence) in [
            ("‘Jenkins’ doesn’t have label ‘linux’", Sentence::Label("linux")),
            ("Jenkins doesn’t have label linux", Sentence::Label("linux")),
            ("n1 doesn't have label x", Sentence::Label("x")),
            (
                "Already running 1 builds on node; ‘on-2’ doesn’t have label ‘x86’",
                Sentence::Label("x86"),
            ),
            (
                "‘n1’ doesn’t have label ‘a; b’; ‘n2’ doesn’t have label ‘a; b’",
                Sentence::Label("a; b"),
            ),
            (
                "n1 doesn’t have label a; b; n2 doesn’t have label a; b",
                Sentence::Label("a; b"),
            ),
            ("‘n1’ doesn’t have label ‘a’; a plugin says no", Sentence::Label("a")),
            ("a plugin says no; ‘n1’ doesn’t have label ‘a’", Sentence::Label("a")),
            (
                "‘n1’ is offline; ‘n2’ doesn’t have label ‘a’; ... and 3 more",
                Sentence::Label("a"),
            ),
            ("‘n1’ is offline; ‘n2’ is offline", Sentence::Refused),
            ("n1 is offline; n2 is not accepting tasks", Sentence::Refused),
            (
                "‘ex-3’ is reserved for jobs with matching label expression",
                Sentence::NoLabel,
            ),
            (
                "ex-3 is reserved for jobs with matching label expression; on-1 is not accepting tasks",
                Sentence::NoLabel,
            ),
            ("‘on-1’ is not accepting tasks", Sentence::Refused),
            ("n1 has been removed from configuration", Sentence::Refused),
            ("Executor slot already in use", Sentence::Refused),
            ("Exception evaluating if the node can take the task", Sentence::Refused),
            ("Already running 2.532 builds on node", Sentence::Refused),
            (
                "Already running 2 builds on node; Must run on a not b",
                Sentence::Refused,
            ),
            ("a plugin says no; ‘n1’ is not accepting tasks", Sentence::Refused),
            ("a plugin says no; ... and 2 more", Sentence::Unread),
            ("a plugin says no; Must run on a not b", Sentence::Unread),
            ("‘n1’ doesn’t have label ‘’", Sentence::Unread),
        ] {
            assert_eq!(read(why), sentence, "{why}");
        }
    }

    #[test]
    fn what_no_server_helps() {
        for why in [
            "Jenkins is about to shut down",
            "In the quiet period. Expires in 3.2 sec",
            "Finished waiting",
            "???",
            "A build is already in progress",
            "Build #2,532 is already in progress (ETA: 1,6 sec)",
            "Build #1 is already in progress (ETA:N/A)",
            "Blocked by ‘x’",
            "Blocked by x",
            "Upstream project x is already building.",
            "Downstream project ‘x’ is already building",
            "Exception evaluating if the queue can run the task",
            "Stopping part of x #12",
            "Already running 2 builds across all nodes",
            "A build is pending launch",
            "A build with matching parameters is already running",
            "A build is pending launch; Must run on n1 not n2; ... and 2 more",
            "Waiting for resource instances [a, b]",
            "Waiting for resources with label linux",
            "Waiting for resources identified by custom script",
            "Waiting for lockable resources",
            "Execution failed while acquiring the resource a",
            "job cancelled: timed out after 3 MINUTES waiting for lockable resources",
            "Must run on n1 not n2",
            "Blocked by the node that is offline",
            "‘bob’ lacks permission to run on ‘n1’",
            "bob lacks permission to run on n1; bob lacks permission to run on n2",
        ] {
            assert_eq!(read(why), Sentence::NoServerHelps, "{why}");
        }
    }
}
