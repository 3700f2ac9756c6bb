//! Reads Rust source just well enough: no comments, no strings, no test code, then paths.

/// A path in the source, resolved as far as `crate`, `self` and `super` go.
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    pub line: usize,
    pub segments: Vec<String>,
}

/// Where a path stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In an item's code.
    Body,
    /// In a `use`.
    Use,
    /// In a `pub use`, which hands something on.
    Export,
}

/// A path as it is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention {
    pub line: usize,
    pub segments: Vec<String>,
    pub place: Place,
    /// The name under which a `use` brings it in; `*` for all that there is below it.
    pub name: String,
}

/// Returns all paths of a file outside comments, strings and test code. `module` is the file's own module path.
pub fn paths(source: &str, module: &[String]) -> Vec<Path> {
    let mentions = mentions(source).into_iter();
    mentions
        .filter(|mention| mention.place != Place::Body || mention.segments.len() > 1)
        .map(|mention| Path {
            line: mention.line,
            segments: resolved(mention.segments, module),
        })
        .collect()
}

/// Returns all paths of a file as they are written, plain names among them.
pub fn mentions(source: &str) -> Vec<Mention> {
    let tokens = tokens(&without_tests(&without_text(source)));
    let text = |at: usize| tokens.get(at).map_or("", |token: &Token| token.text.as_str());
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let root = tokens[at].is_word() && (at == 0 || tokens[at - 1].text != "::");
        if !root {
            at += 1;
            continue;
        }
        let place = match (at.checked_sub(1).map(text), at.checked_sub(2).map(text)) {
            (Some("use"), Some("pub" | ")")) => Place::Export,
            (Some("use"), _) => Place::Use,
            _ => Place::Body,
        };
        at = tree(&tokens, at, place, &mut Vec::new(), &mut found);
    }
    found
}

fn resolved(mut segments: Vec<String>, module: &[String]) -> Vec<String> {
    if segments[0] != "self" && segments[0] != "super" {
        return segments;
    }
    let mut base = module.to_vec();
    while segments.first().is_some_and(|s| s == "super" || s == "self") {
        if segments.remove(0) == "super" {
            base.pop();
        }
    }
    let mut whole = vec!["crate".to_owned()];
    whole.extend(base);
    whole.extend(segments);
    whole
}

struct Token {
    line: usize,
    text: String,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Reads one path or, behind `::{`, a group of paths; returns where it ends.
fn tree(tokens: &[Token], mut at: usize, place: Place, prefix: &mut Vec<String>, found: &mut Vec<Mention>) -> usize {
    let depth = prefix.len();
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text.as_str());
    let line = tokens[at].line;
    prefix.push(tokens[at].text.clone());
    at += 1;
    while text(at) == "::" && tokens.get(at + 1).is_some_and(Token::is_word) {
        prefix.push(tokens[at + 1].text.clone());
        at += 2;
    }
    if text(at) == "::" && text(at + 1) == "{" {
        at += 2;
        while at < tokens.len() && text(at) != "}" {
            at = if tokens[at].is_word() {
                tree(tokens, at, place, prefix, found)
            } else {
                at + 1
            };
        }
        at += 1;
    } else {
        let name = match (text(at), text(at + 1)) {
            ("as", name) | ("::", name @ "*") => name,
            _ => "",
        };
        found.push(Mention {
            line,
            segments: prefix.clone(),
            place,
            name: if name.is_empty() {
                name_of(prefix)
            } else {
                name.to_owned()
            },
        });
    }
    if text(at) == "as" {
        at += 2;
    }
    prefix.truncate(depth);
    at
}

/// The last name of a path; of `a::{self}` it is `a`.
fn name_of(segments: &[String]) -> String {
    let last = segments.iter().rev().find(|segment| *segment != "self");
    last.cloned().unwrap_or_default()
}

fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            found.push(Token {
                line: number + 1,
                text: rest[..length].to_owned(),
            });
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// Blanks comments, strings and character literals; lines stay where they are.
pub fn without_text(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut kept = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = text_end(&chars, at);
        if end == at {
            kept.push(chars[at]);
            at += 1;
        } else {
            kept.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    kept
}

/// Returns where the comment or literal that begins at `at` ends; `at` when none begins there.
fn text_end(chars: &[char], at: usize) -> usize {
    let is = |offset: usize, c: char| chars.get(at + offset) == Some(&c);
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if is(1, '/') => chars[at..]
            .iter()
            .position(|c| *c == '\n')
            .map_or(chars.len(), |n| at + n),
        '/' if is(1, '*') => block_end(chars, at),
        '"' => string_end(chars, at),
        'b' if !in_word && is(1, '"') => string_end(chars, at + 1),
        'b' if !in_word && is(1, 'r') && (is(2, '"') || is(2, '#')) => raw_end(chars, at + 2).unwrap_or(at),
        'r' if !in_word && (is(1, '"') || is(1, '#')) => raw_end(chars, at + 1).unwrap_or(at),
        '\'' if is(1, '\\') => chars[at + 3..]
            .iter()
            .position(|c| *c == '\'')
            .map_or(at, |n| at + n + 4),
        '\'' if is(2, '\'') => at + 3,
        _ => at,
    }
}

fn block_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `None`: a raw identifier such as `r#type`.
fn raw_end(chars: &[char], mut at: usize) -> Option<usize> {
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    at += hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    at += 1;
    while at < chars.len() {
        let closes = chars[at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
        if closes {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(chars.len())
}

/// Returns the names of the modules that a file declares for tests alone. Takes source without text.
pub fn test_modules(source: &str) -> Vec<String> {
    let items = source.match_indices("#[cfg(test)]").map(|(start, _)| &source[start..]);
    let declared = items.filter_map(|item| item[..item_end(item)].strip_suffix(';')?.rsplit_once(' '));
    let modules = declared.filter(|(before, _)| before.split_whitespace().next_back() == Some("mod"));
    modules.map(|(_, name)| name.to_owned()).collect()
}

/// Blanks each item under `#[cfg(test)]`. Takes source without text.
pub fn without_tests(source: &str) -> String {
    let mut kept = source.to_owned();
    while let Some(start) = kept.find("#[cfg(test)]") {
        let end = start + item_end(&kept[start..]);
        let blank: String = kept[start..end].chars().filter(|c| *c == '\n').collect();
        kept.replace_range(start..end, &blank);
    }
    kept
}

/// An item ends with its outermost brace or, where it has none, with a semicolon.
fn item_end(item: &str) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && (c == '}' || c == ';') {
            return at + 1;
        }
    }
    item.len()
}
