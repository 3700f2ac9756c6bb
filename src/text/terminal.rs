//! Console output without control sequences.

/// Takes out escape sequences (ECMA-48, 5.4) and control characters. The ends of lines stay, a tab becomes a blank.
pub fn without_controls(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => plain.push('\n'),
            '\t' => plain.push(' '),
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                // Parameters, then one letter that ends it.
                while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                chars.next_if(|c| matches!(c, '@'..='~'));
            }
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_taken_out() {
        assert_eq!(
            without_controls("a\r\n\u{1b}[0;32m OK \u{1b}[0m\u{7}\tx\u{1b}é"),
            "a\n OK  xé"
        );
        assert_eq!(without_controls("cut \u{1b}[12"), "cut ");
    }
}
