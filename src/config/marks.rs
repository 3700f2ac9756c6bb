//! Lines of a configuration that are marked `<--`: somebody has to look at them, and did not yet.

use crate::settings::problem::{Place, Pos, Report};
use crate::text::plural;

/// The mark, as it is in a comment of `mita init`'s and of the examples.
pub const MARK: &str = "<--";
/// The most lines that are named.
const MAX_NAMED: usize = 10;

/// Hints at the lines that are still marked, all of them at once. Where there are problems it is listed among them, for a
/// key that is missing may be on such a line.
pub fn hint(text: &str, report: &Report) {
    if !text.contains(MARK) {
        return;
    }
    let lines: Vec<(usize, usize)> = text.lines().enumerate().filter_map(marked).collect();
    let Some((line, column)) = lines.first().copied() else {
        return;
    };
    let named: Vec<String> = lines.iter().take(MAX_NAMED).map(|(line, _)| line.to_string()).collect();
    let more = if lines.len() > named.len() { ", ..." } else { "" };
    let (these, the_marks) = match lines.len() {
        1 => ("is", "the mark"),
        _ => ("are", "the marks"),
    };
    let text = format!(
        "{} {these} marked {MARK} ({}{more}): say there what could not be known, and take {the_marks} off",
        plural(lines.len(), "line"),
        named.join(", ")
    );
    let at = Pos { file: 0, line, column };
    let place = Place { at, ..Place::file() };
    if report.is_good() {
        report.hint(&place, text);
    } else {
        report.clue(&place, text);
    }
}

/// Returns line and column of a mark: it is in a comment.
fn marked((index, line): (usize, &str)) -> Option<(usize, usize)> {
    let comment = line.find('#')?;
    let mark = comment + line[comment..].find(MARK)?;
    // Behind another character it is spoken of.
    let rest = &line[mark + MARK.len()..];
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    Some((index + 1, line[..mark].chars().count() + 1))
}
