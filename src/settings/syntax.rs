//! What is wrong with a text that is not YAML: the line in which the mistake is, and what to do.
//!
//! A parser says where it could not go on, which is often a line or more behind the mistake, and in words about itself.
//! Here the lines around that place are looked at. What is named in a message is a key, never a value: it may be a
//! secret.

mod brackets;
mod indent;
mod stopped;

use crate::text::visible;

use super::lines::indentation;
use super::problem::Pos;
use stopped::{Fault, Stopped, place};

/// Finds the mistake in a text, from the place where the parser stopped and what it said.
pub fn fault(text: &str, stopped: Pos, said: &str) -> Fault {
    let looked = Stopped::new(text, stopped);
    looked
        .tab(said)
        .or_else(|| looked.quote(said))
        .or_else(|| looked.first_character(said))
        .or_else(|| brackets::fault(&looked, said))
        .or_else(|| looked.colon_in_value(said))
        .or_else(|| looked.list_behind_key(said))
        .or_else(|| indent::fault(&looked, said))
        .unwrap_or_else(|| {
            let text = format!("not YAML: {}; mind indentation, quotes and colons", visible(said));
            (stopped, text)
        })
}

impl Stopped<'_> {
    /// A tab among the blanks before a line, at or just behind the place.
    fn tab(&self, said: &str) -> Option<Fault> {
        if !said.contains("tab") {
            return None;
        }
        let near = self.line..self.lines.len();
        let found = near.into_iter().find_map(|line| {
            let text = self.lines[line];
            let blanks = &text[..indentation(text)?];
            Some((line, blanks.find('\t')?))
        });
        let (line, column) = found.unwrap_or((self.line, self.column));
        let text = "a tab among the blanks before a line; YAML is indented with blanks alone, write two for it";
        Some((place(line, column), text.to_owned()))
    }

    /// A quote that does not end where it should.
    fn quote(&self, said: &str) -> Option<Fault> {
        let not_closed = [
            "invalid indentation in quoted scalar",
            "quoted scalar, found unexpected end of stream",
            "quoted scalar, found unexpected document indicator",
        ];
        let text = if not_closed.iter().any(|part| said.contains(part)) {
            "this quote is not closed; close it at the end of the value"
        } else if said.contains("trailing content after double-quoted scalar") {
            "something follows the quote that ends the value; put quotes around the whole value (within '...' a quote is \
             written twice, within \"...\" as \\\")"
        } else if said.contains("escape") {
            "within \"...\" a backslash begins an escape, and there is none of that kind; write \\\\ for a backslash, or \
             put the value into '...'"
        } else {
            return None;
        };
        Some((self.stopped(), text.to_owned()))
    }

    /// A character with which no value may begin.
    fn first_character(&self, said: &str) -> Option<Fault> {
        let c = self.character()?;
        let text = match c {
            '@' | '`' | '%' if said.contains("unexpected character") => {
                format!("a value cannot begin with {c}; put it into quotes")
            }
            '*' if said.contains("anchor") => {
                let is_merge = self.at(self.line).code().trim_start().starts_with("<<:");
                let what = "* names a value that was marked with &, and there is none of that name above";
                if is_merge {
                    format!("{what}; mark it, or correct the name")
                } else {
                    format!("{what}; put a value that begins with * into quotes")
                }
            }
            '&' if said.contains("anchor") => "a value that begins with & must stand in quotes; add them".to_owned(),
            _ => return None,
        };
        Some((self.stopped(), text))
    }

    /// A colon with a blank behind it within the value of a key on one line.
    fn colon_in_value(&self, said: &str) -> Option<Fault> {
        if !said.contains("mapping values are not allowed") {
            return None;
        }
        let (_, begin) = self.at(self.line).value()?;
        let column = self.lines[self.line][..begin].chars().count();
        if self.column < column {
            return None;
        }
        let text = format!(
            "the value of {} has a colon with a blank behind it, as only keys have; put the value into quotes, or write \
             the second key on a line of its own",
            self.named(self.line)
        );
        Some((self.stopped(), text))
    }

    /// A list that begins on the line of its key.
    fn list_behind_key(&self, said: &str) -> Option<Fault> {
        if !said.contains("block sequence entries are not allowed") {
            return None;
        }
        let text = "a list begins on the line of its key; write each item on a line of its own, or all of them as [a, b]; a \
                    text that begins with - must stand in quotes";
        Some((self.stopped(), text.to_owned()))
    }
}
