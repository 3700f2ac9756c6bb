//! How many columns of a terminal a text takes, and how it is cut or wrapped to fit.
//!
//! Columns are counted as most terminals count them, character by character: wide ones of East Asia take two, combining
//! marks none.

use unicode_width::UnicodeWidthChar as _;

/// Stands for what was cut.
const CUT: char = '…';

/// Returns how many columns a visible text takes.
pub fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Cuts the beginning of a visible text, so that it takes at most `most` columns: the end of a name tells it from others.
pub fn cut_front(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let mut kept = text.len();
    for (at, c) in text.char_indices().rev() {
        match left.checked_sub(columns_of(c)) {
            Some(rest) => left = rest,
            None => break,
        }
        kept = at;
    }
    // A mark would sit on the sign of the cut.
    let end = text[kept..].trim_start_matches(|c| columns_of(c) == 0);
    format!("{CUT}{end}")
}

/// Cuts the end of a visible text, so that it takes at most `most` columns.
pub fn cut_end(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let (start, _) = split(text, most.saturating_sub(1));
    format!("{}{CUT}", start.trim_end())
}

/// Splits a text so that the first part takes at most `most` columns.
fn split(text: &str, most: usize) -> (&str, &str) {
    let mut left = most;
    let too_much = |(_, c): &(usize, char)| match left.checked_sub(columns_of(*c)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    };
    let at = text.char_indices().find(too_much).map_or(text.len(), |(at, _)| at);
    text.split_at(at)
}

/// Breaks a visible text at its blanks into lines of at most `most` columns; a word that is longer is broken, too.
pub fn wrapped(text: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for mut word in text.split(' ').filter(|word| !word.is_empty()) {
        let needed = if line.is_empty() { 0 } else { columns(&line) + 1 };
        if needed + columns(word) <= most {
            if needed > 0 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        lines.extend(Some(std::mem::take(&mut line)).filter(|line| !line.is_empty()));
        while columns(word) > most {
            let (start, rest) = split(word, most);
            lines.push(start.to_owned());
            word = rest;
        }
        word.clone_into(&mut line);
    }
    lines.extend(Some(line).filter(|line| !line.is_empty()));
    lines
}

/// Fills a visible text with blanks behind it, up to a number of columns.
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Fills a visible text with blanks before it, up to a number of columns.
pub fn padded_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::visible;

    #[test]
    fn wide_characters_and_marks_are_counted_as_terminals_do() {
        for (text, width) in [
            ("abc", 3),
            ("日本", 4),
            ("e\u{301}", 1),
            ("größe", 5),
            ("עברית", 5),
            ("🚀", 2),
            ("", 0),
        ] {
            assert_eq!(columns(text), width, "{text}");
        }
    }

    #[test]
    fn a_name_is_cut_in_front_and_a_sentence_at_its_end() {
        assert_eq!(cut_front("small__0123456789ab", 19), "small__0123456789ab");
        assert_eq!(cut_front("small__0123456789ab", 15), "…__0123456789ab");
        assert_eq!(cut_front("日本日本", 4), "…本", "half a character does not fit");
        assert_eq!(
            cut_front("xe\u{301}\u{301}a", 2),
            "…a",
            "a mark does not move to another letter"
        );
        assert_eq!(cut_end("no host was found", 9), "no host…");
        assert_eq!(cut_end("日本日本", 4), "日…");
        assert_eq!((cut_front("ab", 1), cut_end("ab", 1)), ("…".to_owned(), "…".to_owned()));
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrapped("no host was found", 8), ["no host", "was", "found"]);
        assert_eq!(wrapped("a 0123456789 b", 4), ["a", "0123", "4567", "89 b"]);
        assert_eq!(wrapped("  ", 4), Vec::<String>::new());
        assert_eq!(wrapped("日本語", 3), ["日", "本", "語"]);
    }

    #[test]
    fn a_cell_is_filled_by_columns() {
        assert_eq!(
            (padded("日", 3), padded_left("7", 3)),
            ("日 ".to_owned(), "  7".to_owned())
        );
        assert_eq!(padded("long", 2), "long");
    }

    proptest! {
        #[test]
        fn what_is_cut_fits(text in "\\PC{0,30}", most in 1_usize..20) {
            let text = visible(&text);
            prop_assert!(columns(&cut_front(&text, most)) <= most);
            prop_assert!(columns(&cut_end(&text, most)) <= most);
            let lines = wrapped(&text, most.max(2));
            prop_assert!(lines.iter().all(|line| columns(line) <= most.max(2)));
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text), "nothing is lost");
        }
    }
}
