//! Regular expressions for what a value looks like as a text, in the dialect of JSON Schema (ECMA 262): numbers within
//! bounds, durations, sizes, words in any case.

use super::duration::{SIZE_UNITS, UNITS};

/// A whole number from 0 on that is at most this.
fn at_most(most: u64) -> String {
    let digits = most.to_string();
    let length = digits.len();
    let mut ways = vec!["0".to_owned()];
    if length > 1 {
        ways.push(format!("[1-9][0-9]{{0,{}}}", length - 2));
    }
    for (index, digit) in digits.char_indices() {
        let from = if index == 0 { '1' } else { '0' };
        if digit > from {
            let below = char::from(digit as u8 - 1);
            ways.push(format!(
                "{}[{from}-{below}]{}",
                &digits[..index],
                any(length - index - 1)
            ));
        }
    }
    ways.push(digits);
    one_of(&ways)
}

/// A whole number that is at least this.
fn at_least(least: u64) -> String {
    let digits = least.to_string();
    let length = digits.len();
    let mut ways = vec![format!("[1-9][0-9]{{{length},}}")];
    for (index, digit) in digits.char_indices().filter(|(_, digit)| *digit < '9') {
        let above = char::from(digit as u8 + 1);
        ways.push(format!("{}[{above}-9]{}", &digits[..index], any(length - index - 1)));
    }
    ways.push(digits);
    one_of(&ways)
}

fn any(digits: usize) -> String {
    match digits {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        more => format!("[0-9]{{{more}}}"),
    }
}

/// One of several expressions.
pub fn one_of<T: AsRef<str>>(ways: &[T]) -> String {
    let ways: Vec<&str> = ways.iter().map(AsRef::as_ref).collect();
    format!("(?:{})", ways.join("|"))
}

/// The whole of a text.
pub fn whole(expression: &str) -> String {
    format!("^{expression}$")
}

/// A whole number from 0 on within two bounds: both expressions must match.
pub fn count(least: u64, most: u64) -> Vec<String> {
    let mut all = vec![whole(&at_most(most))];
    if least > 0 {
        all.push(whole(&at_least(least)));
    }
    all
}

/// Any whole number.
pub fn integer() -> String {
    whole("-?(?:0|[1-9][0-9]*)")
}

/// A text in upper or lower case.
pub fn any_case(text: &str) -> String {
    let letter = |c: char| match c {
        c if c.is_ascii_alphabetic() => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
        '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' | '\\' => format!("\\{c}"),
        c => c.to_string(),
    };
    text.chars().map(letter).collect()
}

/// A text as it is.
pub fn literal(text: &str) -> String {
    let escaped = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == ' ' {
            c.to_string()
        } else {
            format!("\\{c}")
        }
    };
    text.chars().map(escaped).collect()
}

/// A duration of at most so many seconds: no part of it is longer, which is nearly to say that the whole is not.
pub fn duration(most_seconds: i64) -> String {
    let most = |seconds: i64| at_most(u64::try_from(most_seconds / seconds).unwrap_or(0));
    let part = |(seconds, names): &(i64, &[&str])| {
        let names: Vec<String> = names.iter().map(|name| any_case(name)).collect();
        format!("0*{}\\s*{}", most(*seconds), one_of(&names))
    };
    let parts: Vec<String> = UNITS.iter().map(part).collect();
    let parts = one_of(&parts);
    whole(&format!("\\s*(?:0*{}|(?:{parts}\\s*)+)\\s*", most(1)))
}

/// A size of at least so many bytes: both expressions must match.
pub fn size(least: u64) -> Vec<String> {
    let largest = i64::MAX.unsigned_abs();
    let mut all = vec![sizes(|scale| at_most(largest / scale))];
    if least > 0 {
        all.push(sizes(|scale| at_least(least.div_ceil(scale))));
    }
    all
}

/// Sizes, with the expression for the number of each unit.
fn sizes(number: impl Fn(u64) -> String) -> String {
    let way = |(scale, names): &(u64, &[&str])| {
        let names: Vec<String> = names.iter().map(|name| any_case(name)).collect();
        format!("0*{}\\s*{}", number(*scale), one_of(&names))
    };
    let ways: Vec<String> = SIZE_UNITS.iter().map(way).collect();
    whole(&format!("\\s*{}\\s*", one_of(&ways)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use crate::settings::duration::{self, MOST_SECONDS};
    use crate::settings::value::number;

    use super::*;

    fn fits(expressions: &[String], text: &str) -> bool {
        expressions
            .iter()
            .all(|expression| Regex::new(expression).unwrap().is_match(text))
    }

    proptest! {
        #[test]
        fn a_number_fits_within_its_bounds_alone(least in 0..2_000_u64, more in 0..70_000_u64, value in 0..100_000_u64) {
            let most = least + more;
            prop_assert_eq!(fits(&count(least, most), &value.to_string()), (least..=most).contains(&value));
        }

        #[test]
        fn the_edges_of_the_bounds_fit(least in 1..u64::MAX / 4, more in 0..u64::MAX / 4) {
            let (most, count) = (least + more, count(least, least + more));
            for (value, wanted) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
                prop_assert_eq!(fits(&count, &value.to_string()), wanted, "{}", value);
            }
        }

        #[test]
        fn integers_are_those_of_the_reader(text in "-{0,2}[0-9a]{0,5}") {
            prop_assert_eq!(fits(&[integer()], &text), number(&text).is_some());
        }

        #[test]
        fn durations_are_those_of_the_reader(text in "( {0,1}[0-9]{0,5} ?([smhdwSx]|mins?|Hours|day){0,1}){0,3} ?") {
            let read = duration::parse(&text);
            // That a sum is too long cannot be said.
            let is_sum = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).count() > 1;
            let too_long = read.as_ref().is_err_and(|wrong| wrong.what.contains("ten years"));
            prop_assume!(!(is_sum && too_long));
            prop_assert_eq!(fits(&[duration(MOST_SECONDS)], &text), read.is_ok());
        }

        #[test]
        fn sizes_are_those_of_the_reader(text in " ?[0-9]{0,21} ?(|b|K|MiB|gb|x|kk) ?", least in 0..100_000_u64) {
            let wanted = duration::parse_size(&text).is_ok_and(|size| size >= least);
            prop_assert_eq!(fits(&size(least), &text), wanted);
        }
    }

    #[test]
    fn a_duration_of_more_than_ten_years_does_not_fit() {
        for (text, wanted) in [
            ("3650d", true),
            ("3651d", false),
            ("522w", false),
            ("315360000", true),
            ("315360001", false),
            ("0010m", true),
            ("1h 30m", true),
            ("1.5h", false),
            ("", false),
        ] {
            assert_eq!(fits(&[duration(MOST_SECONDS)], text), wanted, "{text}");
            assert_eq!(duration::parse(text).is_ok(), wanted, "{text}");
        }
    }

    #[test]
    fn words_are_taken_as_they_are() {
        assert!(fits(&[whole(&any_case("2.0_password"))], "2.0_PassWord"));
        assert!(!fits(&[whole(&any_case("2.0_password"))], "2x0_password"));
    }
}
