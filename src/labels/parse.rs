//! The strict grammar of label expressions.
//!
//! One pass over the text, no backtracking. Depth is bounded so that no text, however absurd, exhausts the stack, here
//! or where the tree is evaluated, printed or dropped. What Jenkins does with a text that does not parse is left to
//! [`Label::read`](super::Label::read).

use std::fmt;

use super::{Expr, unescape};
use crate::text::{quoted, visible};

/// The longest text that is parsed; longer ones are no label that a person wrote.
const MAX_LEN: usize = 8 * 1024;
/// How deep parentheses may nest.
const MAX_NESTING: usize = 200;
/// How many operators an expression may have: the depth of a chain.
const MAX_OPERATORS: usize = 1000;

/// Why a text is no label expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: expected {expected}, found {found}")]
pub struct ParseError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What was expected there.
    pub expected: &'static str,
    /// What is there.
    pub found: String,
}

const OPERAND: &str = "a label, `!` or `(`";
const OPERATOR: &str = "an operator or the end";
const BARE_OPERAND: &str = "a label or `(`";

/// Parses a label expression by the strict grammar.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    if text.len() > MAX_LEN {
        return Err(ParseError {
            column: 1,
            expected: "at most 8192 bytes",
            found: format!("{} bytes", text.len()),
        });
    }
    let mut parser = Parser {
        text,
        at: 0,
        start: 0,
        token: Token::End,
        nesting: 0,
        operators: 0,
    };
    parser.advance()?;
    let expr = parser.iff()?;
    match parser.token {
        Token::End => Ok(expr),
        _ => parser.fail(OPERATOR),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Atom(String),
    And,
    Or,
    Not,
    Implies,
    Iff,
    Open,
    Close,
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Atom(name) => return f.write_str(&quoted(name, 60)),
            Self::And => "`&&`",
            Self::Or => "`||`",
            Self::Not => "`!`",
            Self::Implies => "`->`",
            Self::Iff => "`<->`",
            Self::Open => "`(`",
            Self::Close => "`)`",
            Self::End => "the end",
        })
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The byte after the current token.
    at: usize,
    /// The byte at which the current token starts.
    start: usize,
    token: Token,
    nesting: usize,
    operators: usize,
}

impl Parser<'_> {
    fn iff(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.implies()?;
        while self.operator(&Token::Iff)? {
            left = Expr::Iff(Box::new(left), Box::new(self.implies()?));
        }
        Ok(left)
    }

    /// `->` does not chain: the caller rejects a second one.
    fn implies(&mut self) -> Result<Expr, ParseError> {
        let left = self.or()?;
        if !self.operator(&Token::Implies)? {
            return Ok(left);
        }
        Ok(Expr::Implies(Box::new(left), Box::new(self.or()?)))
    }

    fn or(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.and()?;
        while self.operator(&Token::Or)? {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.not()?;
        while self.operator(&Token::And)? {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, ParseError> {
        if self.token != Token::Not {
            return self.primary(OPERAND);
        }
        self.advance()?;
        Ok(Expr::Not(Box::new(self.primary(BARE_OPERAND)?)))
    }

    fn primary(&mut self, expected: &'static str) -> Result<Expr, ParseError> {
        match &mut self.token {
            Token::Atom(name) => {
                let name = std::mem::take(name);
                self.advance()?;
                Ok(Expr::Atom(name))
            }
            Token::Open => self.paren(),
            _ => self.fail(expected),
        }
    }

    fn paren(&mut self) -> Result<Expr, ParseError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return self.fail("no more than 200 parentheses inside each other");
        }
        self.advance()?;
        let inner = self.iff()?;
        if self.token != Token::Close {
            return self.fail("an operator or `)`");
        }
        self.nesting -= 1;
        self.advance()?;
        Ok(Expr::Paren(Box::new(inner)))
    }

    /// Takes the operator if it comes next.
    fn operator(&mut self, operator: &Token) -> Result<bool, ParseError> {
        if self.token != *operator {
            return Ok(false);
        }
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return self.fail("no more than 1000 operators");
        }
        self.advance()?;
        Ok(true)
    }

    /// Reads the next token.
    fn advance(&mut self) -> Result<(), ParseError> {
        let rest = &self.text[self.at..];
        let rest = rest.trim_start_matches([' ', '\t']);
        self.start = self.text.len() - rest.len();
        let (token, len) = match rest.as_bytes() {
            [] => (Token::End, 0),
            [b'&', b'&', ..] => (Token::And, 2),
            [b'|', b'|', ..] => (Token::Or, 2),
            [b'<', b'-', b'>', ..] => (Token::Iff, 3),
            [b'-', b'>', ..] => (Token::Implies, 2),
            [b'!', ..] => (Token::Not, 1),
            [b'(', ..] => (Token::Open, 1),
            [b')', ..] => (Token::Close, 1),
            [b'"', ..] => self.quoted(rest)?,
            [b'&', ..] => return self.fail_char("`&&`", '&'),
            [b'|', ..] => return self.fail_char("`||`", '|'),
            [b'<', ..] => return self.fail_char("`<->`", '<'),
            [b'>', ..] => return self.fail_char("`->` or `<->`", '>'),
            [b'\'', ..] => return self.fail_char("a label in double quotes", '\''),
            _ => {
                let len = bare_len(rest);
                (Token::Atom(rest[..len].to_owned()), len)
            }
        };
        self.token = token;
        self.at = self.start + len;
        Ok(())
    }

    /// Reads a quoted name; `rest` starts with the quote.
    fn quoted(&self, rest: &str) -> Result<(Token, usize), ParseError> {
        let mut name = String::new();
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => return Ok((Token::Atom(name), at + 1)),
                '\r' | '\n' => return Err(self.error_at(self.start + at, "no line break inside quotes", c)),
                '\\' => match chars.next() {
                    Some((at, c)) => match unescape(c) {
                        Some(c) => name.push(c),
                        None => return Err(self.error_at(self.start + at, "one of `btnfr\"'\\` after a backslash", c)),
                    },
                    None => break,
                },
                c => name.push(c),
            }
        }
        Err(ParseError {
            column: self.column(self.text.len()),
            expected: "a closing `\"`",
            found: "the end".to_owned(),
        })
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T, ParseError> {
        Err(ParseError {
            column: self.column(self.start),
            expected,
            found: self.token.to_string(),
        })
    }

    fn fail_char<T>(&self, expected: &'static str, found: char) -> Result<T, ParseError> {
        Err(self.error_at(self.start, expected, found))
    }

    fn error_at(&self, at: usize, expected: &'static str, found: char) -> ParseError {
        let found = format!("`{}`", visible(&found.to_string()));
        ParseError {
            column: self.column(at),
            expected,
            found,
        }
    }

    fn column(&self, at: usize) -> usize {
        self.text[..at].chars().count() + 1
    }
}

/// Returns the length of the unquoted name at the start: up to a character of another token; a `-` belongs to the name
/// unless it starts `->`.
fn bare_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let end = |at: usize| match bytes[at] {
        b'&' | b'|' | b'!' | b'<' | b'>' | b'(' | b')' | b' ' | b'\t' | b'"' | b'\'' => true,
        b'-' => bytes.get(at + 1) == Some(&b'>'),
        _ => false,
    };
    (0..bytes.len()).find(|&at| end(at)).unwrap_or(bytes.len())
}
