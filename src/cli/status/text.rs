//! `status` for people: the questions of an operator, in the order in which they are asked. A pure function of what
//! there is and of the terminal.

use crate::report::table::{Tone, View};
use crate::report::text::lines_of;
use crate::text::{age, cut_end, plural, printable};

use super::filter::Filter;
use super::health::{Ending, exit_words, problem_counts};
use super::report::{FailureRow, LastPassRow, QueueRow, StatusReport};
use super::tables;

/// The width of the words before the first lines.
const HEAD: usize = 11;

/// The most failures that are listed, the last ones first.
const MAX_FAILURES: usize = 10;

/// More rows than this push the totals off the screen of most terminals.
const MANY: usize = 30;

/// Returns the lines of a status.
pub fn lines(report: &StatusReport<'_>, filter: &Filter, view: View) -> Vec<String> {
    let mut parts = vec![head(report, view)];
    if filter.shows_problems() {
        parts.push(tables::problems(report, view));
        parts.push(tables::pauses(report, view));
    }
    if filter.shows_rest() {
        parts.push(tables::providers(report, view));
        parts.push(tables::templates(report, view));
        parts.push(or_else(
            tables::waiting(report, view),
            "nothing waits for an executor",
            report.queue.is_some(),
        ));
        parts.push(tables::held_back(report, view));
    }
    if filter.shows_servers() {
        parts.push(or_else(tables::servers(report, view), "no servers", true));
        parts.push(closing(report, view));
    }
    if filter.shows_rest() {
        parts.push(tables::nodes(report, view));
        parts.push(failures(report, view));
        parts.push(notes(report, view));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(&String::new())
}

fn or_else(lines: Vec<String>, nothing: &str, known: bool) -> Vec<String> {
    if lines.is_empty() && known {
        vec![nothing.to_owned()]
    } else {
        lines
    }
}

/// Returns the first lines: the controller, whose the servers are, the queue, the last pass, the number of problems.
fn head(report: &StatusReport<'_>, view: View) -> Vec<String> {
    let controller = &report.controller;
    let version = controller
        .version
        .map_or_else(String::new, |version| format!(" ({version})"));
    let (pass, tone) = last_pass(report.last_pass.as_ref());
    let counts = problem_counts(&report.problems);
    let error = controller.error.as_ref();
    let rows = [
        ("Jenkins", format!("{}{version}", controller.url), Tone::Plain),
        (
            "",
            error.map_or_else(String::new, |error| format!("{error}; below is what the last pass saw")),
            Tone::Error,
        ),
        ("Owner", report.owner.to_owned(), Tone::Plain),
        ("Queue", queue(report.queue.as_ref()), Tone::Plain),
        ("Last pass", pass, tone),
        (
            "Problems",
            if counts.is_empty() { "none".to_owned() } else { counts },
            tables::worst(&report.problems),
        ),
    ];
    let rows = rows
        .into_iter()
        .filter(|(word, text, _)| !(word.is_empty() && text.is_empty()));
    rows.flat_map(|(word, text, tone)| headed(word, &text, tone, view))
        .collect()
}

/// Returns the lines of one answer behind its word.
fn headed(word: &str, text: &str, tone: Tone, view: View) -> Vec<String> {
    let text = printable(text, 1000);
    let lines = lines_of(&text, view.width.map(|width| width - HEAD));
    let words = std::iter::once(word).chain(std::iter::repeat(""));
    let line = |(word, line): (&str, &String)| format!("{}{}", heading(word, view), view.paint(tone, line));
    words.zip(&lines).map(line).collect()
}

fn heading(word: &str, view: View) -> String {
    format!("{}{}", view.paint(Tone::Heading, word), " ".repeat(HEAD - word.len()))
}

fn queue(queue: Option<&QueueRow>) -> String {
    let Some(queue) = queue else {
        return "not known".to_owned();
    };
    let items = plural(queue.items, "item");
    let oldest = age(queue.oldest_seconds.unwrap_or_default());
    match (queue.items, queue.waiting) {
        (0, _) => "empty".to_owned(),
        (_, 0) => format!("{items}, none waiting for an executor"),
        (1, _) => format!("{items}, waiting for an executor for {oldest}"),
        (all, waiting) if all == waiting => format!("{items}, all waiting for an executor, the oldest for {oldest}"),
        (_, 1) => format!("{items}, 1 waiting for an executor for {oldest}"),
        (_, waiting) => format!("{items}, {waiting} waiting for an executor, the oldest for {oldest}"),
    }
}

fn last_pass(last: Option<&LastPassRow<'_>>) -> (String, Tone) {
    let Some(last) = last else {
        return ("none yet".to_owned(), Tone::Warning);
    };
    let ago = age(last.age_seconds);
    let every = last
        .every_seconds
        .map_or_else(String::new, |every| format!("; usually one every {}", age(every)));
    let (text, tone) = match last.ending {
        Ending::Running => (format!("runs, since {ago}"), Tone::Plain),
        Ending::CutOff => (format!("{ago} ago, and was cut off"), Tone::Error),
        Ending::Ended => {
            let took = last
                .seconds
                .map_or_else(String::new, |seconds| format!(", took {}", took_words(seconds)));
            let exit = last.exit.unwrap_or_default();
            let tone = match exit {
                0 => Tone::Plain,
                3 | 4 => Tone::Error,
                _ => Tone::Warning,
            };
            (format!("{ago} ago, {}{took}", exit_words(exit)), tone)
        }
    };
    if last.overdue {
        (format!("{text}: overdue{every}"), Tone::Error)
    } else {
        (text, tone)
    }
}

fn took_words(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0}ms", seconds * 1000.0)
    } else if seconds < 60.0 {
        format!("{seconds:.1}s")
    } else {
        age(std::time::Duration::from_secs_f64(seconds)
            .as_secs()
            .try_into()
            .unwrap_or(i64::MAX))
    }
}

/// Repeats the totals below a long list, for those who see its end first.
fn closing(report: &StatusReport<'_>, view: View) -> Vec<String> {
    if view.width.is_none() || report.servers.len() <= MANY {
        return Vec::new();
    }
    let text = format!(
        "{}: {}; --template, --phase and --problems show fewer",
        plural(report.servers.len(), "server"),
        tables::phase_counts(&report.servers)
    );
    lines_of(&text, view.width)
}

/// Returns the last failures, the newest first, with the console of the newest of each template.
fn failures(report: &StatusReport<'_>, view: View) -> Vec<String> {
    let mut rows: Vec<&FailureRow<'_>> = report.failures.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    let mut shown = std::collections::BTreeSet::new();
    let mut lines = Vec::new();
    for row in rows.iter().take(MAX_FAILURES) {
        let ago = age(report.now.duration_since(row.at).as_secs());
        let text = format!("failed: {} at {}, {ago} ago: {}", row.name, row.provider, row.reason);
        lines.extend(lines_of(&printable(&text, 600), view.width));
        if shown.insert(row.node) {
            lines.extend(row.console.iter().map(|line| console_line(line, view)));
        }
    }
    let more = rows.len().saturating_sub(MAX_FAILURES);
    if more > 0 {
        lines.push(format!("and {} before that", plural(more, "failure")));
    }
    lines
}

/// A line of a console is cut where a terminal ends: wrapped ones are no lines of a console any more.
fn console_line(line: &str, view: View) -> String {
    let line = format!("    {}", printable(line, 500));
    view.width.map_or_else(|| line.clone(), |width| cut_end(&line, width))
}

fn notes(report: &StatusReport<'_>, view: View) -> Vec<String> {
    let line = |note: &&String| lines_of(&format!("note: {}", printable(note, 500)), view.width);
    report.notes.iter().flat_map(line).collect()
}
