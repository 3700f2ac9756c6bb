//! Texts for people: those from elsewhere made fit to be read, numbers with nouns, lengths of time, suggestions. Pure.
//!
//! What cannot be seen, or steers a terminal, is shown as an escape (`\u{a0}`). There is one rule for that,
//! [`is_hidden`], and every message, report and log line uses it through the functions here.

mod number;
mod suggest;
mod terminal;
mod width;

pub use number::{age, are, brief, decimal, left, moment, plural, span};
pub use suggest::{closest, did_you_mean, nearest};
pub use terminal::without_controls;
pub use width::{columns, cut_end, cut_front, padded, padded_left, wrapped};

/// Returns whether a character is invisible or looks like another: control characters, every blank but U+0020, line
/// and paragraph separators, marks of direction, and what has no width (Unicode's `Default_Ignorable_Code_Point`).
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Shows a text on one line, exactly: hidden characters as escapes (`\n`, `\u{200b}`), all others as they are.
pub fn visible(text: &str) -> String {
    excerpt(text, usize::MAX)
}

/// Does what [`visible`] does, and cuts the end: at most `most` characters, then `…`. An escape is never cut in two.
pub fn excerpt(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(most));
    let mut length = 0;
    for c in text.chars() {
        let escape = is_hidden(c).then(|| c.escape_default());
        length += escape.as_ref().map_or(1, ExactSizeIterator::len);
        if length > most {
            shown.push('…');
            break;
        }
        match escape {
            Some(escape) => shown.extend(escape),
            None => shown.push(c),
        }
    }
    shown
}

/// The most characters of a name or message of Jenkins or of a cloud within a sentence.
const WITHIN_SENTENCE: usize = 200;

/// Makes a name or message of Jenkins or of a cloud fit for a sentence, as by [`excerpt`].
pub fn shown(text: &str) -> String {
    excerpt(text, WITHIN_SENTENCE)
}

/// Puts running text on one line: line breaks, tabs and blanks become one blank, the rest as by [`excerpt`].
pub fn printable(text: &str, most: usize) -> String {
    let words = text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    excerpt(&words.collect::<Vec<_>>().join(" "), most)
}

/// Puts a text into quotes, as by [`excerpt`].
pub fn quoted(text: &str, most: usize) -> String {
    format!("\"{}\"", excerpt(text, most))
}

/// Lists the hidden characters of a text, each once, as escapes; `None` where there is none.
pub fn hidden_in(text: &str) -> Option<String> {
    let mut found: Vec<char> = Vec::new();
    for c in text.chars().filter(|c| is_hidden(*c)) {
        if !found.contains(&c) {
            found.push(c);
        }
    }
    let shown: Vec<String> = found.iter().map(|c| c.escape_default().to_string()).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// Trims a text as Java's `String.trim` does, and so Jenkins: everything up to the blank (U+0020), and no other blank.
pub fn java_trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What must never reach a terminal, and what is not seen there.
    const HIDDEN: [char; 33] = [
        '\0',
        '\t',
        '\n',
        '\r',
        '\u{7}',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{a0}',
        '\u{ad}',
        '\u{61c}',
        '\u{1680}',
        '\u{180e}',
        '\u{2007}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{202f}',
        '\u{205f}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{3000}',
        '\u{feff}',
        '\u{fe0f}',
        '\u{e0041}',
    ];

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(visible("a\u{a0}b"), "a\\u{a0}b");
        assert_eq!(
            visible("a\u{1b}[31m\r\n\u{202e}\u{feff}"),
            "a\\u{1b}[31m\\r\\n\\u{202e}\\u{feff}"
        );
        for c in HIDDEN {
            assert!(is_hidden(c), "{:x}", u32::from(c));
            assert_eq!(visible(&format!("a{c}b")), format!("a{}b", c.escape_default()));
        }
    }

    #[test]
    fn plain_text_is_left_alone() {
        let plain = "größe; e\u{301} ‘linux&&x86’ Łódź 日本語 עברית русский \u{1f680} \\u{a0} \"'…  x";
        assert_eq!(visible(plain), plain);
        assert_eq!(printable("a  b\t\r\nc ", 20), "a b c");
        assert_eq!(printable(" a\u{a0} b\u{200b}", 40), "a\\u{a0} b\\u{200b}");
    }

    #[test]
    fn text_from_elsewhere_stays_in_its_sentence() {
        assert_eq!(shown("a\u{1b}[31m\nb\u{a0}"), "a\\u{1b}[31m\\nb\\u{a0}");
        assert_eq!(shown(&"x".repeat(500)), format!("{}\u{2026}", "x".repeat(200)));
        assert_eq!(shown(&"x".repeat(200)).len(), 200);
    }

    #[test]
    fn the_end_is_cut_and_no_escape_in_two() {
        assert_eq!(excerpt("abc", 3), "abc");
        assert_eq!(excerpt("abcd", 3), "abc…");
        assert_eq!(excerpt("a\u{a0}b", 7), "a\\u{a0}…");
        assert_eq!(excerpt("a\u{a0}b", 6), "a…");
        assert_eq!(excerpt("", 0), "");
        assert_eq!(quoted("a\u{ad}", 9), "\"a\\u{ad}\"");
    }

    #[test]
    fn hidden_characters_are_listed_once() {
        assert_eq!(hidden_in("linux && größe"), None);
        assert_eq!(
            hidden_in("\u{a0}a\u{200b}\u{a0}").as_deref(),
            Some("\\u{a0}, \\u{200b}")
        );
    }

    #[test]
    fn java_trims_less_than_rust() {
        assert_eq!(java_trim("\u{1}\t a\u{a0} \r\n"), "a\u{a0}");
        assert_eq!(java_trim("\u{2003}a"), "\u{2003}a");
    }

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            proptest::sample::select(HIDDEN.as_slice()).prop_map(String::from),
            any::<char>().prop_map(String::from),
            "[a-zäß日 \\\\{}u0-9]{0,6}",
        ]
    }

    proptest! {
        #[test]
        fn nothing_hidden_comes_through(pieces in proptest::collection::vec(piece(), 0..20), most in 0_usize..80) {
            let text = pieces.concat();
            for shown in [visible(&text), excerpt(&text, most), printable(&text, most), quoted(&text, most)] {
                prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
                prop_assert!(!shown.chars().any(|c| HIDDEN.contains(&c)), "{shown:?}");
            }
            prop_assert!(excerpt(&text, most).chars().count() <= most + 1);
            // What was shown once stays as it is.
            prop_assert_eq!(visible(&visible(&text)), visible(&text));
            let line = printable(&text, usize::MAX);
            prop_assert_eq!(printable(&line, usize::MAX), line);
        }

        #[test]
        fn what_is_seen_stays(text in "[ -~äöüßéłñ日本語עברжя…‘’„“\u{1f680}]{0,40}") {
            prop_assert_eq!(visible(&text), text.clone());
            let folded: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(printable(&text, 200), folded.join(" "));
        }

        #[test]
        fn two_texts_look_alike_only_if_they_are(one in "[a\u{a0}\u{200b}\n\u{ad}]{0,4}", two in "[a\u{a0}\u{200b}\n\u{ad}]{0,4}") {
            prop_assert_eq!(visible(&one) == visible(&two), one == two);
        }
    }
}
