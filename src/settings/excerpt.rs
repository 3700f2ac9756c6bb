//! The line of a file that a problem is in, as a terminal shows it below the message, unless it may hold a secret.
//!
//! A file that is wrong cannot be trusted to have its secrets where they belong: a key may be misspelt, a quote may be
//! missing, a script may be in the wrong place. So a line is shown only where nothing speaks against it, and without
//! its comment.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::text::visible;

use super::lines::{Line, NAMES_SECRET, indentation};

/// A line of a file, and the column of a problem in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, without its comment, fit for a terminal.
    pub line: String,
    /// How many columns are before the problem.
    pub before: usize,
}

/// The most characters of a line that are shown.
const MAX_SHOWN: usize = 160;

/// What is known of the places of secrets in a file, beside what its text shows.
#[derive(Debug, Default)]
pub struct Concealed {
    lines: BTreeSet<usize>,
    owners: BTreeSet<usize>,
    broken: bool,
    whole: bool,
}

impl Concealed {
    /// Notes lines of a secret.
    pub fn lines(&mut self, lines: RangeInclusive<usize>) {
        self.lines.extend(lines);
    }

    /// Notes the line of a key whose value is a secret, or may be one: what is further in is concealed, too.
    pub fn owner(&mut self, line: usize) {
        self.lines.insert(line);
        self.owners.insert(line);
    }

    /// Notes that the file could not be read to its end, so that secrets may be anywhere.
    pub fn broken(&mut self) {
        self.broken = true;
    }

    /// Notes that the file holds no keys: it may be the file of a secret.
    pub fn whole(&mut self) {
        self.whole = true;
    }

    /// Returns the line at a position, unless it may hold a secret; lines and columns are counted from 1.
    pub fn excerpt(&self, text: &str, (line, column): (usize, usize)) -> Option<Excerpt> {
        let lines: Vec<&str> = text.lines().collect();
        let at = line.checked_sub(1)?;
        let shown = Line::new(lines.get(at)?).code();
        let before = shown
            .char_indices()
            .nth(column - 1)
            .map_or(shown.len(), |(byte, _)| byte);
        let too_long = shown.chars().count() > MAX_SHOWN;
        if shown.trim().is_empty() || too_long || self.hides(&lines, at) {
            return None;
        }
        let plain = |text: &str| visible(&text.replace('\t', " "));
        Some(Excerpt {
            line: plain(shown),
            before: plain(&shown[..before]).chars().count(),
        })
    }

    /// Returns whether a line may hold a secret; `at` is its index.
    fn hides(&self, lines: &[&str], at: usize) -> bool {
        let line = Line::new(lines[at]);
        self.whole
            || self.lines.contains(&(at + 1))
            || line.may_hold_a_secret()
            || self.is_owned(lines, at)
            || (self.broken && (is_in_block(lines, at) || is_behind_open_secret(&lines[..at])))
    }

    /// Returns whether a line is further in than the key of a secret above it.
    pub fn is_owned(&self, lines: &[&str], at: usize) -> bool {
        let Some(mut least) = indentation(lines[at]) else {
            return true;
        };
        // An item of a list may be as far in as its key.
        let mut same = lines[at].trim_start().starts_with('-');
        for (index, line) in lines[..at].iter().enumerate().rev() {
            let Some(here) = indentation(line) else { continue };
            if here < least || (same && here == least && !line.trim_start().starts_with('-')) {
                if self.owners.contains(&(index + 1)) || Line::new(line).owns_a_secret() {
                    return true;
                }
                (least, same) = (here, line.trim_start().starts_with('-'));
            }
        }
        false
    }
}

/// Returns whether a line may belong to a block of text above it (a script), in a file with wrong indentation.
fn is_in_block(lines: &[&str], at: usize) -> bool {
    let begins = |line: &&str| Line::new(line).begins_block();
    let Some(first) = lines[..at].iter().rposition(begins) else {
        return false;
    };
    let base = indentation(lines[first]).unwrap_or(0);
    let is_key = |line: &&str| indentation(line).is_some_and(|here| here <= base) && Line::new(line).key().is_some();
    !lines[first + 1..=at].iter().any(is_key)
}

/// Returns whether a secret above has a quote or bracket that is not closed in its line.
fn is_behind_open_secret(above: &[&str]) -> bool {
    above.iter().any(|line| {
        let code = Line::new(line).code();
        let count = |c: char| code.matches(c).count();
        let names = |word: &&str| code.to_ascii_lowercase().contains(*word);
        NAMES_SECRET.iter().any(names)
            && (count('"') % 2 == 1 || count('\'') % 2 == 1 || count('{') > count('}') || count('[') > count(']'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the numbers of the lines that are shown, each asked for its second column.
    fn shown(text: &str, broken: bool) -> Vec<usize> {
        let mut concealed = Concealed::default();
        if broken {
            concealed.broken();
        }
        let numbers = 1..=text.lines().count();
        numbers
            .filter(|line| concealed.excerpt(text, (*line, 2)).is_some())
            .collect()
    }

    #[test]
    fn a_line_is_shown_with_its_column() {
        let excerpt = |text: &str, at| Concealed::default().excerpt(text, at).map(|e| (e.line, e.before));
        assert_eq!(excerpt("a:\n  max: -1\n", (2, 8)), Some(("  max: -1".to_owned(), 7)));
        assert_eq!(
            excerpt("max: -1  # since 2019", (1, 6)),
            Some(("max: -1".to_owned(), 5))
        );
        assert_eq!(excerpt("max: '#1' # old", (1, 1)), Some(("max: '#1'".to_owned(), 0)));
        assert_eq!(excerpt("max: 'm'#hunter2", (1, 9)), Some(("max: 'm'".to_owned(), 8)));
        assert_eq!(excerpt("max: 'm'hunter2", (1, 9)), None);
        assert_eq!(excerpt("\tmax: 1", (1, 1)), Some((" max: 1".to_owned(), 0)));
        assert_eq!(excerpt("a\u{1b}b: 1", (1, 4)), Some(("a\\u{1b}b: 1".to_owned(), 8)));
        assert_eq!(excerpt("größe: 1", (1, 8)), Some(("größe: 1".to_owned(), 7)));
        assert_eq!(excerpt("max: 1", (1, 99)), Some(("max: 1".to_owned(), 6)));
        for (text, at) in [
            ("# hunter2", (1, 1)),
            ("", (1, 1)),
            ("a: 1", (2, 1)),
            (&"a".repeat(161), (1, 1)),
        ] {
            assert_eq!(excerpt(text, at), None, "{text}");
        }
    }

    #[test]
    fn no_line_with_a_secret_is_shown() {
        for text in [
            "password: hunter2",
            "token_file: t, password: hunter2}",
            "pasword: hunter2",
            "openstack: {username: u, password: hunter2}",
            "  token: t # x",
            "  - password: hunter2",
            "\"token\": hunter2",
            "url: https://u:hunter2@h/",
            "proxy: u:hunter2@h:3128",
            "proxy: http://u:hun/ter2@h",
            "user: adeza:hunter2",
            "x: 11f2c3d4e5a6b7c8d9e0f1a2b3c4d5e6f7",
            "command: [./p, --secret, hunter2]",
            "application_credential_secret: hunter2",
            "curl -H 'Authorization: Basic aHVudGVyMg=='",
            "api_key: hunter2",
            "x: -----BEGIN OPENSSH PRIVATE KEY-----",
            "x-pw: &pw hunter2",
            "x-pw:hunter2",
            "url: https://j/#hunter2",
            "url: https://j/?a=hunter2",
            "notify: ./n hunter2",
            "  command: [./n, hunter2]",
            "metadata: {a: hunter2}",
            "options: hunter2",
        ] {
            assert_eq!(shown(text, false), [0; 0], "{text}");
        }
        for text in [
            "token_file: /etc/mita/token",
            "password_file: p",
            "token_cache: maybe",
            "credentials_id: jenkins",
            "pass_deadline: soon",
            "max_creates_per_pass: x",
            "image_id: edd1b4ce-0000-4000-8000-12345678abcd",
            "image_name: ubuntu-24.04-server-20260101-amd64",
            "keyname: x",
            "auth_url: https://cloud:5000",
            "command: ./n",
            "  x-small:",
            "metadata:",
        ] {
            assert_eq!(shown(text, false), [1], "{text}");
        }
    }

    #[test]
    fn what_belongs_to_a_secret_is_not_shown() {
        assert_eq!(shown("password:\n  hunter2\nmax: 1", false), [3]);
        assert_eq!(
            shown("a:\n  password: >-\n    hunter2\n\n    more\n  max: 1", false),
            [1, 6]
        );
        assert_eq!(shown("password:\n- hunter2\n- more\nmax: 1", false), [4]);
        assert_eq!(
            shown("a: {b: 1,\n  password:\n    hunter2, c: 1}\nmax: 1", false),
            [1, 4]
        );
        assert_eq!(shown("x-all:\n  a: hunter2\nmax: 1", false), [1, 3]);
        assert_eq!(shown("  metadata:\n    a: hunter2\n  max: 1", false), [1, 3]);
        assert_eq!(shown("nodes:\n  token-maker:\n    max: x", false), [1]);
    }

    #[test]
    fn of_a_broken_file_less_is_shown() {
        let text = "jenkins:\n  password: \"hunter2\n  user: u\nmax: 1";
        assert_eq!(shown(text, true), [1]);
        assert_eq!(shown(text, false), [1, 3, 4]);
        assert_eq!(shown("a: {password: p,\nhunter2, c: 1}\nmax: 1", true), [0; 0]);
        let script = "script: |\n  #!/bin/sh\n curl -u a:hunter2\ncurl -u a:hunter2\nmax: 1\nmore: 2";
        assert_eq!(shown(script, true), [1, 5, 6]);
    }

    #[test]
    fn what_is_noted_is_not_shown() {
        let text = "x: &s\n  hunter2\ny: 1\n  z\nmax: 1";
        let mut concealed = Concealed::default();
        concealed.lines(1..=2);
        concealed.owner(3);
        let numbers: Vec<usize> = (1..=5)
            .filter(|line| concealed.excerpt(text, (*line, 1)).is_some())
            .collect();
        assert_eq!(numbers, [5]);
    }
}
