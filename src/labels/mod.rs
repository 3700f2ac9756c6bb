//! Jenkins' label expressions: read as Jenkins does (with its lenient layer), evaluated, printed.
//!
//! The strict grammar is in `parse`, deciding in `eval`, Jenkins' own printing in `print`. Which of the many texts that
//! Jenkins shows is a label is left to `queue`.

mod eval;
mod parse;
mod print;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use parse::{ParseError, parse};

/// The labels that a node or template has.
pub type Labels = BTreeSet<String>;

/// A label as Jenkins understands it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    expr: Expr,
    /// Whether the text did not parse as an expression and is one atom as a whole.
    fallback: bool,
}

/// The tree of a label expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// One label.
    Atom(String),
    /// `!a`.
    Not(Box<Expr>),
    /// `a&&b`.
    And(Box<Expr>, Box<Expr>),
    /// `a||b`.
    Or(Box<Expr>, Box<Expr>),
    /// `a->b`.
    Implies(Box<Expr>, Box<Expr>),
    /// `a<->b`.
    Iff(Box<Expr>, Box<Expr>),
    /// `(a)`, kept because Jenkins prints it.
    Paren(Box<Expr>),
}

impl Label {
    /// Reads a text as `Jenkins.getLabel` does: outer quotes stripped, then parsed, else the whole text one atom.
    /// `None` for an empty text.
    pub fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        Some(match unquote(text) {
            Some(inner) => Self::lenient(&inner),
            None => Self::lenient(text),
        })
    }

    /// Reads what `task[labelExpression]` says: a text that does not parse is exported as one escaped atom, so the
    /// escaping comes off before the text is read.
    pub fn exported(text: &str) -> Option<Self> {
        let label = Self::read(text)?;
        match (&label.expr, text.starts_with('"')) {
            // The user's own text is what the escaping held; it may have quotes of its own (`'x y'`).
            (Expr::Atom(raw), true) if label.fallback && unquote(raw).is_some() => Self::read(raw),
            _ => Some(label),
        }
    }

    /// Reads a text that Jenkins printed (`why`): outer quotes are never stripped there, and a text that does not
    /// parse is an atom. `None` for an empty text.
    pub fn printed(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::lenient(text))
    }

    /// Makes the label of one name, whatever its characters.
    pub fn atom(name: impl Into<String>) -> Self {
        Self {
            expr: Expr::Atom(name.into()),
            fallback: false,
        }
    }

    fn lenient(text: &str) -> Self {
        match parse(text) {
            Ok(expr) => Self { expr, fallback: false },
            Err(_) => Self {
                expr: Expr::Atom(text.to_owned()),
                fallback: true,
            },
        }
    }

    /// Returns whether a node with these labels satisfies it.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.expr.matches(labels)
    }

    /// Returns whether the text did not parse and is one atom as a whole.
    pub fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// Returns the tree.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Returns the name when the label is nothing but one name, parentheses aside.
    pub fn as_atom(&self) -> Option<&str> {
        let mut expr = &self.expr;
        while let Expr::Paren(inner) = expr {
            expr = inner;
        }
        match expr {
            Expr::Atom(name) => Some(name),
            _ => None,
        }
    }
}

/// Strips one pair of outer quotes, single or double, and resolves the escapes inside; `None` when there is no pair.
fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('u') => out.push(unicode(&mut rest)),
            Some(c) => out.push(unescape(c).unwrap_or(c)),
            None => {}
        }
    }
    Some(out)
}

/// Reads the four digits of `\uXXXX`; a `\u` without them is a plain `u`.
fn unicode(rest: &mut std::str::Chars<'_>) -> char {
    let Some(code) = rest
        .as_str()
        .get(..4)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
    else {
        return 'u';
    };
    let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
    *rest = rest.as_str()[4..].chars();
    code.unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Returns what a letter after a backslash stands for.
fn unescape(c: char) -> Option<char> {
    Some(match c {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '"' | '\'' | '\\' => c,
        _ => return None,
    })
}
