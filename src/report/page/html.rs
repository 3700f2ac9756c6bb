//! Writes HTML so that nothing from elsewhere can become markup: names of elements and attributes are constants of the
//! program, everything else is escaped.

use std::fmt::Write as _;

use crate::text::excerpt;

/// The most characters of one text.
const MAX_TEXT: usize = 600;

/// An attribute: its name and its value.
pub type Attribute<'a> = (&'static str, &'a str);

/// HTML that is being written.
#[derive(Default)]
pub struct Html {
    out: String,
}

impl Html {
    /// Returns what was written.
    pub fn finish(self) -> String {
        self.out
    }

    /// Writes a text: hidden characters as escapes, the end of a long one cut.
    pub fn text(&mut self, text: &str) {
        if is_plain(text) && text.len() <= MAX_TEXT {
            self.out.push_str(text);
        } else {
            escape(&mut self.out, &excerpt(text, MAX_TEXT));
        }
    }

    /// Writes a number.
    pub fn number(&mut self, number: u64) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{number}");
    }

    /// Writes an element with what is in it.
    pub fn tag(&mut self, name: &'static str, attributes: &[Attribute<'_>], inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        inside(self);
        self.close(name);
    }

    /// Writes an element of a class with what is in it.
    pub fn class(&mut self, name: &'static str, class: &'static str, inside: impl FnOnce(&mut Self)) {
        self.tag(name, &[("class", class)], inside);
    }

    /// Writes an element that holds a text alone.
    pub fn leaf(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.tag(name, attributes, |html| html.text(text));
    }

    /// Writes an element that is never closed (`meta`).
    pub fn void(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.open(name, attributes);
    }

    /// Writes what a `style` or `script` holds, which is no text: a constant of the program.
    pub fn constant(&mut self, source: &'static str) {
        self.out.push_str(source);
    }

    /// Ends a line of the source, for those who read it.
    pub fn line(&mut self) {
        self.out.push('\n');
    }

    fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            escape(&mut self.out, value);
            self.out.push('"');
        }
        self.out.push('>');
    }

    fn close(&mut self, name: &'static str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// Returns whether a text is the same in HTML.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"&<>\"'".contains(&byte);
    text.bytes().all(plain)
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl FnOnce(&mut Html), expected: &str) {
        let mut html = Html::default();
        write(&mut html);
        assert_eq!(html.finish(), expected);
    }

    #[test]
    fn text_and_attributes_are_escaped() {
        let hostile = "</td><script>alert('1 & \"2\"')</script>";
        let escaped = "&lt;/td&gt;&lt;script&gt;alert(&#39;1 &amp; &quot;2&quot;&#39;)&lt;/script&gt;";
        check(|html| html.text(hostile), escaped);
        check(
            |html| html.void("meta", &[("content", hostile)]),
            &format!("<meta content=\"{escaped}\">"),
        );
    }

    #[test]
    fn hidden_characters_are_shown_and_long_texts_cut() {
        check(|html| html.text("a\u{202e}b\nc\0"), "a\\u{202e}b\\nc\\u{0}");
        let mut html = Html::default();
        html.text(&"x".repeat(5000));
        let written = html.finish();
        assert!(written.len() < 700 && written.ends_with('…'), "{written}");
    }

    #[test]
    fn elements_are_closed() {
        check(
            |html| {
                html.tag("p", &[], |html| {
                    html.number(7);
                    html.class("b", "x", |html| html.text(" of 9"));
                });
            },
            "<p>7<b class=\"x\"> of 9</b></p>",
        );
    }
}
