//! Single lines of YAML, read as far as that is possible where the whole cannot be: key, value, comment, and whether a
//! secret may be in it.

/// Parts of names of secrets, in lower case, misspelt ones among them.
pub const NAMES_SECRET: [&str; 20] = [
    "passw",
    "pasw",
    "sword",
    "passphrase",
    "passcode",
    "pwd",
    "psw",
    "secret",
    "secert",
    "token",
    "tokn",
    "credential",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "access-key",
    "private",
    "bearer",
    "authorization",
];

/// Names with such a part that hold no secret.
const NO_SECRETS: [&str; 6] = [
    "token_file",
    "password_file",
    "token_cache",
    "credentials_id",
    "application_credential_id",
    "application_credential_name",
];

/// The keys of user data, in which anything may be.
const USER_DATA: [&str; 3] = ["script", "user_data", "userdata"];

/// The keys with names of the operator, whose values may be anything.
const ANYTHING: [&str; 3] = ["environment", "metadata", "options"];

/// The shortest run of letters and digits that may be a secret by its looks alone: an API token of Jenkins has 34.
const LONG_RUN: usize = 20;

/// Returns how far in a line begins; `None` for one without anything.
pub fn indentation(line: &str) -> Option<usize> {
    let begin = line.find(|c: char| !matches!(c, ' ' | '\t' | '\r'))?;
    Some(begin)
}

/// One line of a file.
#[derive(Clone, Copy, Debug)]
pub struct Line<'l>(&'l str);

impl<'l> Line<'l> {
    /// Takes a line without its end.
    pub fn new(line: &'l str) -> Self {
        Self(line)
    }

    /// Returns the line without its comment and without blanks at its end.
    pub fn code(self) -> &'l str {
        let mut quote = None;
        let mut before = ' ';
        // Behind the quote that ends a value nothing belongs to it.
        let mut closed = false;
        for (at, c) in self.0.char_indices() {
            match (quote, c) {
                (None, '#') if closed || matches!(before, ' ' | '\t') => return self.0[..at].trim_end(),
                // A quote begins a value; within a word it is an apostrophe.
                (None, '"' | '\'') if matches!(before, ' ' | '\t' | '[' | '{' | ',' | ':') => quote = Some(c),
                (Some(open), c) if open == c && before != '\\' => {
                    quote = None;
                    closed = true;
                    before = c;
                    continue;
                }
                _ => {}
            }
            closed = false;
            before = c;
        }
        self.0.trim_end()
    }

    /// Returns the line without the dashes of a list before it.
    fn item(self) -> &'l str {
        let mut text = self.code().trim_start();
        while let Some(rest) = text.strip_prefix("- ") {
            text = rest.trim_start();
        }
        text
    }

    /// Returns the key with its byte in the line, of a line that begins with `key:`.
    pub fn key(self) -> Option<(&'l str, usize)> {
        let text = self.item();
        let colon = text
            .match_indices(':')
            .map(|(at, _)| at)
            .find(|at| text[at + 1..].is_empty() || text[at + 1..].starts_with([' ', '\t']))?;
        let key = text[..colon].trim_matches(['"', '\'']);
        let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-.+".contains(c));
        let begin = self.0.len() - self.0.trim_start().len();
        let begin = begin + self.0[begin..].find(text).unwrap_or(0);
        plain.then_some((key, begin))
    }

    /// Returns what is behind `key:`, with its byte in the line.
    pub fn value(self) -> Option<(&'l str, usize)> {
        let (_, begin) = self.key()?;
        let code = self.code();
        let colon = begin + code[begin..].find(':')?;
        let value = code[colon + 1..].trim_start();
        Some((value, code.len() - value.len()))
    }

    /// Returns whether a block of text begins behind this line.
    pub fn begins_block(self) -> bool {
        let mut words = self.code().split_ascii_whitespace().rev();
        let last = words.next().unwrap_or_default();
        let header = last.strip_prefix(['|', '>']);
        header.is_some_and(|rest| rest.chars().all(|c| c == '+' || c == '-' || c.is_ascii_digit()))
            && words.next().is_some()
    }

    /// Returns whether a secret may be in the line, by its words or by its looks.
    pub fn may_hold_a_secret(self) -> bool {
        let code = self.code();
        // The path of a secret's file may be called as the secret is.
        let is_path = self.key().is_some_and(|(key, _)| NO_SECRETS.contains(&key))
            && self.value().is_some_and(|(value, _)| !value.contains([',', ':']));
        (is_secret_name(code) && !is_path)
            || is_user_data(self)
            || is_anyones_key(self)
            || is_command(self)
            || has_text_behind_quote(code)
            || has_login(code)
            || has_query(code)
            || has_long_run(code)
            || self
                .key()
                .is_some_and(|(key, _)| is_user(key) && code.matches(':').count() > 1)
    }

    /// Returns whether the lines further in below this one may be a secret, or are user data.
    pub fn owns_a_secret(self) -> bool {
        self.key()
            .is_some_and(|(key, at)| is_secret_name(key) || holds_anything(key) || (at == 0 && is_free(key)))
    }
}

/// Returns whether a text has the name of a secret in it.
pub fn is_secret_name(text: &str) -> bool {
    // Each key of a file is asked about, and few have such a part: the names that are none have one, too.
    if !has_secret_word(text) {
        return false;
    }
    let mut text = text.to_ascii_lowercase();
    for name in NO_SECRETS {
        text = text.replace(name, "");
    }
    has_secret_word(&text)
}

/// Returns whether a text has a part of [`NAMES_SECRET`], in upper or lower case.
fn has_secret_word(text: &str) -> bool {
    let text = text.as_bytes();
    let begins = |word: &&str, rest: &[u8]| {
        rest.get(..word.len())
            .is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    // Each key of a file is asked about: most pairs of letters begin none of these words.
    let mut pairs = text.windows(2).enumerate();
    pairs.any(|(at, pair)| {
        let second = BEGINNINGS[usize::from(letter(pair[0]))];
        second & (1 << letter(pair[1])) != 0 && NAMES_SECRET.iter().any(|word| begins(word, &text[at..]))
    })
}

/// By the first letter of a word of [`NAMES_SECRET`], the second ones, as bits.
const BEGINNINGS: [u32; 32] = {
    let mut beginnings = [0; 32];
    let mut at = 0;
    while at < NAMES_SECRET.len() {
        let word = NAMES_SECRET[at].as_bytes();
        beginnings[letter(word[0]) as usize] |= 1 << letter(word[1]);
        at += 1;
    }
    beginnings
};

/// Returns the same number below 32 for a letter in upper and lower case; some other bytes share it.
const fn letter(byte: u8) -> u8 {
    byte & 31
}

/// Returns whether a key has values that may be secrets, whatever they are called.
pub fn holds_anything(key: &str) -> bool {
    ANYTHING.contains(&key.strip_prefix("ex_").unwrap_or(key)) || holds_user_data(key)
}

/// Returns whether a key of the top level is one that mita does not read: the anchors of secrets are there.
pub fn is_free(key: &str) -> bool {
    key.starts_with("x-")
}

/// Returns whether a key has user data.
pub fn holds_user_data(key: &str) -> bool {
    USER_DATA.contains(&key.strip_prefix("ex_").unwrap_or(key))
}

/// Returns whether a line has user data on it, and not only below it.
fn is_user_data(line: Line<'_>) -> bool {
    let is_own = line.key().is_some_and(|(key, _)| holds_anything(key));
    is_own && !line.begins_block() && line.value().is_some_and(|(value, _)| !value.is_empty())
}

/// Returns whether a line of the top level begins with a key that mita does not read, and has its value.
fn is_anyones_key(line: Line<'_>) -> bool {
    is_free(line.code()) && line.value().is_none_or(|(value, _)| !value.is_empty())
}

/// Returns whether a line has a command with arguments, among which a secret may be.
fn is_command(line: Line<'_>) -> bool {
    let code = line.code();
    ["command:", "notify:"].iter().any(|key| {
        let value = code.split_once(key).map(|(_, value)| value.trim());
        value.is_some_and(|value| value.contains([' ', ',']))
    })
}

/// Returns whether something follows a quote that ends a value: the value may be longer than its writer sees.
fn has_text_behind_quote(code: &str) -> bool {
    let mut quote = None;
    let (mut before, mut closed) = (' ', false);
    for c in code.chars() {
        match quote {
            Some(open) if c == open && before != '\\' => (quote, closed) = (None, true),
            Some(_) => {}
            // A quote written twice is one within the value.
            None if closed && c == before => (quote, closed) = (Some(c), false),
            None if matches!(c, '"' | '\'') && matches!(before, ' ' | '\t' | '[' | '{' | ',' | ':') => {
                (quote, closed) = (Some(c), false);
            }
            None if closed && !matches!(c, ' ' | '\t' | ',' | ']' | '}' | ':') => return true,
            None => closed &= matches!(c, ' ' | '\t'),
        }
        before = c;
    }
    false
}

/// Returns whether a URL has a query or a fragment.
fn has_query(code: &str) -> bool {
    code.split_once("://")
        .is_some_and(|(_, rest)| rest.contains(['?', '#']))
}

/// Returns whether a key has a user, behind which a password may have been written, too.
pub fn is_user(key: &str) -> bool {
    matches!(key, "user" | "username" | "user_name")
}

/// Returns whether a text has a user and a password before an `@`, as URLs have, with or without their scheme.
fn has_login(code: &str) -> bool {
    let mut words = code.split([' ', '\t', '"', '\'', ',']);
    words.any(|word| word.rsplit_once('@').is_some_and(|(login, _)| login.contains(':')))
}

/// Returns whether a text has a long run of letters and digits, as tokens are.
fn has_long_run(code: &str) -> bool {
    let runs = code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '='));
    let mixed = |run: &str| run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic());
    let mut runs = runs.filter(|run| run.len() >= LONG_RUN && mixed(run));
    runs.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let parts = |line| {
            let line = Line::new(line);
            (line.key(), line.value())
        };
        assert_eq!(parts("  max: 3 # x"), (Some(("max", 2)), Some(("3", 7))));
        assert_eq!(parts("  - cron: '* *'"), (Some(("cron", 4)), Some(("'* *'", 10))));
        assert_eq!(parts("nodes:"), (Some(("nodes", 0)), Some(("", 6))));
        assert_eq!(parts("\"a\": b: c"), (Some(("a", 0)), Some(("b: c", 5))));
        for none in ["max:3", "just text", "", "# a: b", "curl -u a: b"] {
            assert_eq!(parts(none), (None, None), "{none}");
        }
        assert_eq!(Line::new("a: it's # x").code(), "a: it's");
        assert_eq!(Line::new("a: \"x # y\" # z").code(), "a: \"x # y\"");
        assert_eq!(Line::new("a: b#c").code(), "a: b#c");
        for (line, begins) in [
            ("a: |", true),
            ("a: >-2 # x", true),
            ("- |", true),
            ("|", false),
            ("a: b|", false),
        ] {
            assert_eq!(Line::new(line).begins_block(), begins, "{line}");
        }
    }

    #[test]
    fn user_data_is_not_shown_and_its_key_is() {
        let holds = |line| Line::new(line).may_hold_a_secret();
        assert!(!holds("script: |") && holds("script: echo hunter2") && holds("environment: {A: hunter2}"));
        assert!(Line::new("script: |").owns_a_secret() && Line::new("ex_userdata: >").owns_a_secret());
    }
}
