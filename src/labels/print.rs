//! Prints a label as Jenkins does in `why`.

use std::fmt::{self, Write};

use super::{Expr, Label};

/// Characters that make Jenkins quote a label's name inside an expression, blanks and parentheses aside
/// (those that a node's name may not have).
const UNSAFE: &str = "?*/\\%!@#$^&|<>[]:; ()";

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl fmt::Display for Expr {
    /// Prints a lone name raw and anything else without blanks, names quoted where they need it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atom(name) => f.write_str(name),
            other => other.write(f),
        }
    }
}

impl Expr {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atom(name) => write_atom(name, f),
            Self::Not(a) => {
                f.write_char('!')?;
                a.write_below(0, f)
            }
            Self::And(a, b) => Self::write_pair(a, 2, "&&", b, 2, f),
            Self::Or(a, b) => Self::write_pair(a, 3, "||", b, 3, f),
            Self::Implies(a, b) => Self::write_pair(a, 3, "->", b, 3, f),
            Self::Iff(a, b) => Self::write_pair(a, 5, "<->", b, 5, f),
            Self::Paren(a) => {
                f.write_char('(')?;
                a.write(f)?;
                f.write_char(')')
            }
        }
    }

    fn write_pair(a: &Self, left: u8, op: &str, b: &Self, right: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        a.write_below(left, f)?;
        f.write_str(op)?;
        b.write_below(right, f)
    }

    /// Prints it, in parentheses when it binds more loosely than `limit` (only a tree that was built, not read).
    fn write_below(&self, limit: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.looseness() <= limit {
            return self.write(f);
        }
        f.write_char('(')?;
        self.write(f)?;
        f.write_char(')')
    }

    fn looseness(&self) -> u8 {
        match self {
            Self::Atom(_) | Self::Paren(_) => 0,
            Self::Not(_) => 1,
            Self::And(..) => 2,
            Self::Or(..) => 3,
            Self::Implies(..) => 4,
            Self::Iff(..) => 5,
        }
    }
}

fn write_atom(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let plain = !name.is_empty() && !name.ends_with('.') && !name.chars().any(|c| c.is_control() || UNSAFE.contains(c));
    if plain {
        return f.write_str(name);
    }
    f.write_char('"')?;
    for c in name.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{c}' => f.write_str("\\f")?,
            '\u{8}' => f.write_str("\\b")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
