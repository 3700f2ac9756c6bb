//! Regular expressions of the configuration that a whole name must match.
//!
//! It stands apart so that `config` can refuse what the client of a cloud could not use.

use regex::{Regex, RegexBuilder};

/// The most memory that an expression may take once compiled, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// An expression that was compiled, anchored at both ends.
#[derive(Clone, Debug)]
pub struct WholeName(Regex);

impl WholeName {
    /// Compiles an expression. The error is a fragment that says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        // By itself first: what closes the group around it and opens another would be good only inside of one.
        let anchored = |end: &str| Self::build(&format!(r"\A(?:{text}{end})\z"));
        // A comment at its end (`(?x)`) would go on over the closing parenthesis.
        let built = Self::build(text).and_then(|_| anchored("").or_else(|_| anchored("\n")));
        built.map(Self).map_err(|error| reason(&error))
    }

    fn build(text: &str) -> Result<Regex, regex::Error> {
        RegexBuilder::new(text).size_limit(MAX_SIZE).build()
    }

    /// Returns whether it matches a name from its beginning to its end.
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// Takes the one line out of an error that says what is wrong; the others draw the expression with a mark below.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large once compiled".to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).trim().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_name_must_match() {
        let check = |pattern: &str, name: &str, expected| {
            assert_eq!(
                WholeName::new(pattern).unwrap().matches(name),
                expected,
                "{pattern} {name}"
            );
        };
        check(r"ubuntu-24\.04-\d+", "ubuntu-24.04-20260101", true);
        check(r"ubuntu-24\.04-\d+", "my-ubuntu-24.04-20260101", false);
        check(r"ubuntu-24\.04-\d+", "ubuntu-24.04-20260101-old", false);
        check(r"^ubuntu-.*$", "ubuntu-1", true);
        check("a|b", "ab", false);
        check("a|b", "b", true);
        check("(?i)UBUNTU .*", "Ubuntu 24.04", true);
        check("(?x) a # a comment", "a", true);
        check("a", "a\n", false);
        check("ä+", "ää", true);
    }

    #[test]
    fn a_bad_expression_says_why() {
        let check = |pattern: &str, expected: &str| assert_eq!(WholeName::new(pattern).unwrap_err(), expected);
        check("ubuntu-(", "unclosed group");
        check("a)(b", "unopened group");
        check("*", "repetition operator missing expression");
        check(
            "(?=a)",
            "look-around, including look-ahead and look-behind, is not supported",
        );
        check(r"\w{1000}{1000}", "it is too large once compiled");
    }
}
