//! Brackets that are not closed, that nothing opened, or that have something behind them.

use super::super::lines::{Line, indentation};
use super::stopped::{Fault, Stopped, place};

/// Finds what is wrong with brackets.
pub(super) fn fault(text: &Stopped<'_>, said: &str) -> Option<Fault> {
    if said.contains("misplaced bracket") {
        let c = text.character().unwrap_or(']');
        let what = format!("nothing opens this {c}; remove it, or put the value into quotes");
        return Some((text.stopped(), what));
    }
    if said.contains("node content") && text.character() == Some(',') {
        return Some((text.stopped(), "a comma too many; remove it".to_owned()));
    }
    let is_flow = said.contains("flow") || said.contains("illegal placement of ':'");
    if is_flow {
        return open(text);
    }
    let behind_key = said.contains("did not find expected key").then(|| behind(text));
    behind_key.flatten()
}

/// A bracket that is still open where the parser stopped.
fn open(text: &Stopped<'_>) -> Option<Fault> {
    let (bracket, line, column) = open_at(text)?;
    let close = if bracket == '[' { ']' } else { '}' };
    // Within one line it is closed, but something is missing between its items.
    if line == text.line && text.lines[line].contains(close) {
        let what = format!("a comma is missing between two items of {bracket}...{close}; add it");
        return Some((text.stopped(), what));
    }
    let what = format!(
        "this {bracket} is not closed; write {close} at its end, or put a value that begins with {bracket} into quotes"
    );
    Some((place(line, column), what))
}

/// Returns the innermost bracket that is open where the parser stopped, with its place.
fn open_at(text: &Stopped<'_>) -> Option<(char, usize, usize)> {
    let mut stack: Vec<(char, usize, usize)> = Vec::new();
    let mut block = None;
    for (number, line) in text.lines.iter().enumerate().take(text.line + 1) {
        // What is in a block of text is no YAML.
        if let (Some(base), Some(here)) = (block, indentation(line)) {
            if here > base {
                continue;
            }
            block = None;
        }
        let end = if number == text.line { text.column } else { usize::MAX };
        flow(line, number, end, &mut stack);
        if stack.is_empty() && Line::new(line).begins_block() {
            block = indentation(line);
        }
    }
    stack.pop()
}

/// Follows the brackets of one line up to a column.
fn flow(line: &str, number: usize, end: usize, stack: &mut Vec<(char, usize, usize)>) {
    let mut quote = None;
    // Whether a value may begin here.
    let mut begins = true;
    for (column, c) in Line::new(line).code().chars().enumerate().take(end) {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') if begins => quote = Some(c),
            (None, '[' | '{') if begins || !stack.is_empty() => stack.push((c, number, column)),
            (None, ']' | '}') => drop(stack.pop()),
            _ => {}
        }
        begins = match c {
            ' ' | '\t' => begins,
            _ => matches!(c, ':' | '-' | '[' | '{' | ','),
        };
    }
}

/// Something behind the bracket that ends a value.
fn behind(text: &Stopped<'_>) -> Option<Fault> {
    let line = text.lines.get(text.line)?;
    let before: String = line.chars().take(text.column).collect();
    let closed = before
        .trim_end()
        .chars()
        .next_back()
        .filter(|c| matches!(c, ']' | '}'))?;
    let what = if text.character() == Some(',') {
        format!("a comma behind the {closed} that ends the value; remove it")
    } else {
        format!("something follows the {closed} that ends the value; remove it, or put the whole value into quotes")
    };
    Some((text.stopped(), what))
}
