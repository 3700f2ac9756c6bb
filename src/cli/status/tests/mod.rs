//! Whole outputs of `status`, as they are seen at 80, 100 and 200 columns and without a terminal.
//!
//! They are in `tests/fixtures/status/`. `MITA_ACCEPT=1 cargo test --lib status` takes them as they are now.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the accepted outputs, and writes them on request"
)]

mod health;
mod site;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::filter::Filter;
use super::report::StatusReport;
use super::text::lines;
use crate::report::table::View;
use crate::state::Phase;
use crate::text::{columns, is_hidden};
use site::Outline;

fn text(report: &StatusReport<'_>, width: Option<usize>) -> String {
    let view = View { width, color: false };
    let lines = lines(report, &Filter::default(), view);
    lines.join("\n") + "\n"
}

/// Compares the output with the accepted one, at each width.
#[track_caller]
fn check(name: &str, report: &StatusReport<'_>, widths: &[Option<usize>]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/status");
    for width in widths {
        let now = text(report, *width);
        let file = folder.join(match width {
            Some(width) => format!("{name}.{width}.txt"),
            None => format!("{name}.txt"),
        });
        if std::env::var_os("MITA_ACCEPT").is_some() {
            fs::write(&file, &now).unwrap();
        }
        let accepted = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            accepted,
            now,
            "{}; see MITA_ACCEPT in src/cli/status/tests",
            file.display()
        );
    }
}

const WIDTHS: [Option<usize>; 4] = [Some(80), Some(100), Some(200), None];

#[test]
fn a_small_site() {
    check("small", &site::small().report(), &WIDTHS);
}

#[test]
fn a_site_with_nothing() {
    check("empty", &Outline::default().report(), &[Some(80)]);
}

#[test]
fn the_page_shows_a_true_output() {
    let report = site::readme();
    check("readme", &report.report(), &[Some(100)]);
    let page = include_str!("../../../../examples/operate/README.md");
    let shown = text(&report.report(), Some(100));
    let indented = |line: &str| {
        if line.is_empty() {
            String::new()
        } else {
            format!("    {line}")
        }
    };
    let shown = shown.lines().map(indented).collect::<Vec<_>>().join("\n");
    assert!(
        page.contains(&shown),
        "examples/operate/README.md does not have\n{shown}"
    );
}

#[test]
fn long_and_hostile_names() {
    check("names", &site::names().report(), &WIDTHS);
}

#[test]
fn a_jenkins_that_cannot_be_read() {
    check("blind", &site::blind().report(), &[Some(80)]);
}

#[test]
fn three_hundred_servers_take_a_line_each_and_end_with_the_totals() {
    let outline = site::large();
    let report = outline.report();
    let at = |width| text(&report, Some(width));
    check("large", &report, &[Some(120)]);
    let wide = at(120);
    let rows: Vec<&str> = wide.lines().filter(|line| line.contains("__")).collect();
    assert_eq!(rows.len(), 300);
    assert!(
        rows[..3]
            .iter()
            .all(|row| row.contains("error") || row.contains("offline")),
        "what is wrong comes first"
    );
    let last = wide.lines().last().unwrap();
    assert!(last.starts_with("300 servers: ") && last.contains("busy"), "{last}");
    assert!(
        !text(&report, None).contains("--phase"),
        "a program that reads it knows how many there are"
    );
}

/// Every line fits, and nothing in it steers the terminal.
#[test]
fn every_width_is_kept() {
    for outline in [
        site::small(),
        site::names(),
        site::large(),
        site::blind(),
        Outline::default(),
    ] {
        let report = outline.report();
        for width in 80..=200 {
            for line in text(&report, Some(width)).lines() {
                assert!(columns(line) <= width, "{} of {width}: {line}", columns(line));
                assert!(!line.chars().any(is_hidden), "{line:?}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }
}

#[test]
fn without_a_terminal_every_name_is_whole() {
    let outline = site::names();
    let text = text(&outline.report(), None);
    for server in &outline.servers {
        assert!(text.contains(&crate::text::visible(&server.name)), "{}", server.name);
    }
    assert!(!text.contains('…'), "{text}");
}

#[test]
fn the_rows_of_the_templates_add_up() {
    for outline in [site::small(), site::large(), site::names()] {
        let report = outline.report();
        for row in &report.templates {
            assert_eq!(row.servers, row.booting + row.idle + row.busy + row.off, "{row:?}");
        }
        let servers: u32 = report.templates.iter().map(|row| row.servers).sum();
        assert_eq!(servers as usize, report.servers.len(), "each server is in one row");
    }
}

#[test]
fn a_filter_leaves_what_was_asked_for() {
    let outline = site::small();
    let shown = |filter: Filter| {
        let mut report = outline.report();
        filter.apply(&mut report);
        lines(&report, &filter, View::default()).join("\n")
    };
    let off = shown(Filter::of(&[], &[Phase::Offline, Phase::Error], false));
    assert_eq!(off.lines().filter(|line| line.contains("__")).count(), 4, "{off}");
    assert!(
        off.contains("Last pass") && !off.contains("TEMPLATE") && !off.contains("PROBLEM "),
        "{off}"
    );
    let problems = shown(Filter::of(&[], &[], true));
    assert!(
        problems.contains("no flavor") && !problems.contains("SERVER"),
        "{problems}"
    );
    let large = shown(Filter::of(&["large"], &[], false));
    assert!(!large.contains("small__") && large.contains("large__"), "{large}");
    assert!(large.contains("no flavor") && !large.contains("plan9"), "{large}");
    assert!(large.contains("template large at openstack"), "{large}");
    let both = shown(Filter::of(&["small"], &[Phase::Busy], true));
    assert!(!both.contains("no flavor") && both.contains("busy"), "{both}");
}

#[test]
fn colors_are_few_and_only_where_they_are_taken() {
    let outline = site::small();
    let at = |color| {
        let view = View {
            width: Some(100),
            color,
        };
        lines(&outline.report(), &Filter::default(), view).join("\n")
    };
    assert!(!at(false).contains('\u{1b}'));
    let painted = at(true);
    assert!(painted.contains("\u{1b}[31merror\u{1b}[0m") && painted.contains("\u{1b}[33moffline\u{1b}[0m"));
    let codes = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[31m", "\u{1b}[33m"];
    let plain = codes.iter().fold(painted, |text, code| text.replace(code, ""));
    assert_eq!(plain, at(false), "nothing else differs");
}

proptest! {
    /// Whatever is in a name or a sentence, each line fits, and nothing of it reaches the terminal raw.
    #[test]
    fn no_text_breaks_a_line(name in "\\PC{0,60}", reason in ".{0,300}", width in 80_usize..200) {
        let mut outline = site::small();
        outline.rename(&name, &reason);
        for line in text(&outline.report(), Some(width)).lines() {
            prop_assert!(columns(line) <= width, "{line:?}");
            prop_assert!(!line.chars().any(is_hidden), "{line:?}");
        }
    }
}
