//! The problems that are open, errors first.

use crate::model::{Problem, Severity};
use crate::plan::problems::say;

use super::facts::Facts;
use super::html::Html;
use super::table::{MOST_ROWS, section};
use super::time;

/// Writes the problems; nothing without any, since the headline says so.
pub fn problems(html: &mut Html, facts: &Facts<'_>) {
    if facts.problems.is_empty() {
        return;
    }
    section(html, ("problems", "Problems"), None, |html| {
        html.class("ul", "problems", |html| {
            for problem in facts.problems.iter().take(MOST_ROWS) {
                one(html, problem, facts);
            }
        });
        let more = facts.problems.len().saturating_sub(MOST_ROWS);
        if more > 0 {
            html.leaf("p", &[("class", "more")], &format!("and {more} more"));
        }
    });
}

fn one(html: &mut Html, problem: &Problem, facts: &Facts<'_>) {
    let (class, word) = match problem.severity {
        Severity::Warning => ("warning", "warning"),
        Severity::Error => ("error", "error"),
    };
    html.class("li", class, |html| {
        html.leaf("b", &[("class", "badge")], word);
        html.tag("div", &[], |html| {
            html.leaf("p", &[], &problem.sentence);
            html.class("p", "muted", |html| {
                html.text(problem.kind.word());
                if !problem.subject.is_empty() {
                    html.text(" · ");
                    html.text(&problem.subject);
                }
                html.text(" · since ");
                time::since(html, problem.since, facts.view.now);
                if !problem.facts.is_empty() {
                    html.text(" · ");
                    html.text(&say::facts(&problem.facts));
                }
            });
        });
    });
}
