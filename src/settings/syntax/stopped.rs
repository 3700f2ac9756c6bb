//! The lines of a text that is not YAML, and the place at which the parser could not go on.

use super::super::excerpt::Concealed;
use super::super::lines::{Line, indentation};
use super::super::problem::Pos;

/// A place and a sentence: what is wrong; what to do.
pub type Fault = (Pos, String);

/// The lines of a text, and where the parser stopped.
pub(super) struct Stopped<'t> {
    pub(super) lines: Vec<&'t str>,
    /// The index of the line, which may be behind the last one.
    pub(super) line: usize,
    /// The index of the character in it.
    pub(super) column: usize,
}

impl<'t> Stopped<'t> {
    pub(super) fn new(text: &'t str, stopped: Pos) -> Self {
        Self {
            lines: text.lines().collect(),
            line: stopped.line.saturating_sub(1),
            column: stopped.column.saturating_sub(1),
        }
    }

    /// Returns a line; an empty one behind the end.
    pub(super) fn at(&self, line: usize) -> Line<'t> {
        Line::new(self.lines.get(line).copied().unwrap_or_default())
    }

    pub(super) fn indent(&self, line: usize) -> usize {
        self.lines.get(line).and_then(|line| indentation(line)).unwrap_or(0)
    }

    /// Returns the last line before one that has more than a comment on it.
    pub(super) fn before(&self, line: usize) -> Option<usize> {
        let end = line.min(self.lines.len());
        self.lines[..end]
            .iter()
            .rposition(|line| !Line::new(line).code().trim().is_empty())
    }

    /// Returns the key of a line as it may be named: one within a secret is none.
    pub(super) fn key(&self, line: usize) -> Option<&'t str> {
        self.at(line).key().map(|(key, _)| key).filter(|_| !self.is_owned(line))
    }

    /// Names the key of a line for a message.
    pub(super) fn named(&self, line: usize) -> String {
        self.key(line).map_or_else(|| "it".to_owned(), str::to_owned)
    }

    /// Returns the character at which the parser stopped.
    pub(super) fn character(&self) -> Option<char> {
        self.lines.get(self.line)?.chars().nth(self.column)
    }

    pub(super) fn stopped(&self) -> Pos {
        place(self.line, self.column)
    }

    /// Returns whether a line is further in than the key of a secret, so that no word of it may be named.
    pub(super) fn is_owned(&self, line: usize) -> bool {
        self.lines.get(line).is_none() || Concealed::default().is_owned(&self.lines, line)
    }
}

/// Makes a place of the indexes of a line and of a character.
pub(super) fn place(line: usize, column: usize) -> Pos {
    Pos {
        file: 0,
        line: line + 1,
        column: column + 1,
    }
}
