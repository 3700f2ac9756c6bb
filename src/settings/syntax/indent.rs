//! Lines that begin in a wrong column, and lines without the colon of a key.

use super::super::lines::{Line, indentation};
use super::stopped::{Fault, Stopped, place};

/// What a parser says of such lines.
const WORDS: [&str; 6] = [
    "mapping values are not allowed",
    "did not find expected key",
    "did not find expected '-' indicator",
    "simple key",
    "expected <document start>",
    "wrongly indented line",
];

/// The sections of the top level, which begin in the first column.
const TOP_LEVEL: [&str; 8] = [
    "provider",
    "providers",
    "jenkins",
    "nodes",
    "defaults",
    "notify",
    "limits",
    "timing",
];

/// Finds what is wrong with the line at which the parser stopped, or with the one before.
pub(super) fn fault(text: &Stopped<'_>, said: &str) -> Option<Fault> {
    if !WORDS.iter().any(|words| said.contains(words)) {
        return None;
    }
    let above = text.before(text.line);
    above
        .and_then(|above| block(text, above))
        .or_else(|| above.and_then(|above| no_key(text, above)))
        .or_else(|| no_key(text, text.line).filter(|_| text.line < text.lines.len()))
        .or_else(|| mixed(text, said))
        .or_else(|| too_far(text, above?))
        .or_else(|| no_column(text, above?))
}

/// A text below `key: |` that is not further in than the key, or less than its own first line.
fn block(text: &Stopped<'_>, above: usize) -> Option<Fault> {
    let header = text.lines[..=above]
        .iter()
        .rposition(|line| Line::new(line).begins_block())?;
    let base = text.indent(header);
    let first = (header + 1..text.lines.len()).find(|line| indentation(text.lines[*line]).is_some())?;
    let is_key = |line: usize| text.indent(line) <= base && text.at(line).key().is_some();
    if (header + 1..=above).any(is_key) {
        return None;
    }
    let key = text.named(header);
    if text.indent(first) <= base && !is_key(first) {
        let what =
            format!("the text of {key} must begin further in than {key} itself; add blanks before each of its lines");
        return Some((place(first, text.indent(first)), what));
    }
    let least = text.indent(first);
    let less = (first..text.lines.len().min(text.line + 1))
        .find(|line| indentation(text.lines[*line]).is_some_and(|here| here < least) && !is_key(*line))?;
    let what = format!(
        "less far in than the first line of the text of {key} (line {}); begin all of its lines in that column",
        first + 1
    );
    Some((place(less, text.indent(less)), what))
}

/// A line without a key: a blank or a colon is missing.
fn no_key(text: &Stopped<'_>, line: usize) -> Option<Fault> {
    let here = text.at(line);
    let code = here.code().trim_start();
    if here.key().is_some() || code.is_empty() || code.starts_with(['-', '[', '{', '"', '\'', '#']) {
        return None;
    }
    let word = code.split([':', '=', ' ']).next().unwrap_or_default();
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    // The first word of a secret of several lines is one.
    let is_secret = text.is_owned(line);
    if !is_plain || is_secret {
        return None;
    }
    let indent = text.indent(line);
    let behind = &code[word.len()..];
    let column = indent + word.chars().count();
    if behind.starts_with(':') {
        let what = format!("a blank is missing behind the colon; write `{word}: ` and the value");
        return Some((place(line, column), what));
    }
    let what = if behind.trim_start().starts_with('=') {
        format!("a key has a colon behind it, no equals sign; write `{word}: ` and the value")
    } else {
        format!("a colon is missing behind {word}; write `{word}:`")
    };
    Some((place(line, column), what))
}

/// A key in the column of the items of a list.
fn mixed(text: &Stopped<'_>, said: &str) -> Option<Fault> {
    if !said.contains("'-' indicator") {
        return None;
    }
    let key = text.key(text.line)?;
    let what = format!(
        "{key} begins where a list above it has its items; a section has a list or keys, not both: write the items without \
         the dash and with a colon, or indent {key} otherwise"
    );
    Some((text.stopped(), what))
}

/// A key further in than the one before, which has a value already.
fn too_far(text: &Stopped<'_>, above: usize) -> Option<Fault> {
    let (here, there) = (text.indent(text.line), text.indent(above));
    let has_value = text.at(above).value().is_some_and(|(value, _)| !value.is_empty());
    if here <= there || !has_value || text.line >= text.lines.len() {
        return None;
    }
    let (key, other) = (text.key(text.line), text.key(above));
    let what = match (key, other) {
        (Some(key), Some(other)) => format!(
            "{key} is further in than {other} (line {}), which has its value already; begin both in the same column",
            above + 1
        ),
        _ => format!(
            "further in than line {}, which has its value already; begin both in the same column, or put a value of several \
             lines into quotes",
            above + 1
        ),
    };
    Some((place(text.line, here), what))
}

/// A key or an item that begins in a column in which none above it does.
fn no_column(text: &Stopped<'_>, above: usize) -> Option<Fault> {
    let line = text.line;
    let here = indentation(text.lines.get(line)?)?;
    let is_item = text.lines[line].trim_start().starts_with('-');
    let alike = (0..=above).rev().find(|line| {
        let item = text.lines[*line].trim_start().starts_with('-');
        item == is_item
            && indentation(text.lines[*line]).is_some_and(|there| there > here)
            && !text.at(*line).code().is_empty()
    })?;
    // Of those above that are further in, the one that is the least so is the brother.
    let alike = (0..=alike)
        .rev()
        .take_while(|line| indentation(text.lines[*line]).is_none_or(|there| there > here))
        .filter(|line| text.lines[*line].trim_start().starts_with('-') == is_item)
        .filter_map(|line| Some((indentation(text.lines[line])?, line)))
        .min()?;
    let section = text.key(line).filter(|key| TOP_LEVEL.contains(key));
    let is_empty = text.at(line).value().is_some_and(|(value, _)| value.is_empty());
    if let Some(key) = section.filter(|_| is_empty) {
        let what = format!("{key} is a section of the top level; begin it in column 1");
        return Some((place(line, here), what));
    }
    let (column, number) = (alike.0 + 1, alike.1 + 1);
    let what = if is_item {
        format!(
            "this item begins in column {}, the others of its list in column {column} (line {number}); indent them alike",
            here + 1
        )
    } else {
        let (key, other) = (text.named(line), text.named(alike.1));
        format!(
            "{key} begins in column {}, where no key above does; indent it like {other} (line {number}, column {column})",
            here + 1
        )
    };
    Some((place(line, here), what))
}
