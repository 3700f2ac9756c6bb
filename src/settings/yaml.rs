//! The YAML text as a tree in which every value knows its place. Anchors, aliases and merge keys are resolved,
//! duplicate keys are found, size and depth are bounded.
//!
//! What the keys mean is left to `check`, turning values into Rust types to `section`.

use std::ops::RangeInclusive;

use foldhash::{HashMap, HashMapExt as _, HashSet};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::excerpt::Concealed;
use super::key::KeySpec;
use super::lines::{Line, holds_anything, is_free, is_secret_name};
use super::problem::{Place, Pos, Report, join};
use super::syntax;

/// The deepest nesting; a real file has six levels.
const MAX_DEPTH: usize = 64;
/// What all aliases together may add, in bytes: a "billion laughs" file ends here.
const MAX_EXPANSION: usize = 16 * 1024 * 1024;
/// The tags that change nothing.
const KNOWN_TAGS: [&str; 7] = ["str", "int", "float", "bool", "null", "seq", "map"];
/// What a value costs beside its text.
const VALUE_COST: usize = 64;

/// A value and where it begins. It has no `Debug`, for it may hold secrets.
#[derive(Clone)]
pub struct Node {
    /// Where it begins.
    pub at: Pos,
    /// What it is.
    pub value: Value,
}

/// What a value is. The parser makes the first four; `check` turns scalars into the others.
#[derive(Clone)]
pub enum Value {
    /// Nothing, `~`, `null`.
    Null,
    /// A text with the way it is written.
    Scalar(String, Style),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping.
    Map(Vec<Entry>),
    /// A text that is wanted as a text, with the way it is written.
    Text(String, Style),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Yes or no.
    Flag(bool),
    /// One of the words that a key takes.
    Word(&'static str),
    /// `none` where there may be no limit.
    NoLimit,
    /// Something wrong that was reported already.
    Bad,
}

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// With quotes.
    Quoted,
    /// A folded block.
    Folded,
    /// A literal block: its lines are lines of the file.
    Literal,
}

/// One key of a mapping with its value.
#[derive(Clone)]
pub struct Entry {
    /// The key; `check` puts the chief spelling for an alias.
    pub key: String,
    /// The path element as written.
    pub written: String,
    /// The place of the key.
    pub at: Pos,
    /// Whether it comes from `defaults`.
    pub inherited: bool,
    /// The whole path, where the entry comes from elsewhere than the configuration (a clouds.yaml, the environment).
    pub elsewhere: Option<String>,
    /// The value.
    pub value: Node,
}

impl Entry {
    /// Makes an entry that comes from elsewhere than the configuration file; `path` is its path there.
    pub fn from_elsewhere(key: &str, at: Pos, value: Node, path: String) -> Self {
        Self {
            key: key.to_owned(),
            written: key.to_owned(),
            at,
            inherited: false,
            elsewhere: Some(path),
            value,
        }
    }

    /// Returns whether it is an entry of a key; its spelling is the chief one, as `check` leaves it.
    pub fn is(&self, key: &KeySpec) -> bool {
        self.key == key.name
    }

    /// Returns the place to show for it: that of its value where that is one line, else that of the key.
    pub fn place(&self) -> Pos {
        let compound = matches!(
            self.value.value,
            Value::Null
                | Value::Map(_)
                | Value::List(_)
                | Value::Text(_, Style::Literal | Style::Folded)
                | Value::Scalar(_, Style::Literal | Style::Folded)
        );
        if compound { self.at } else { self.value.at }
    }
}

impl Node {
    /// Returns the entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Moves the places of the whole tree to a further file.
    pub fn stamp(&mut self, file: u16) {
        self.at.file = file;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.stamp(file)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.at.file = file;
                    entry.value.stamp(file);
                }
            }
            _ => {}
        }
    }

    fn cost(&self) -> usize {
        let inner = match &self.value {
            Value::Scalar(text, _) => text.len(),
            Value::List(items) => items.iter().map(Self::cost).sum(),
            Value::Map(entries) => entries
                .iter()
                .map(|e| 2 * e.key.len() + VALUE_COST + e.value.cost())
                .sum(),
            _ => 0,
        };
        inner + VALUE_COST
    }
}

/// What ends the reading of a tree: it was put into the report.
pub struct Unreadable;

/// Reads a text. Duplicate keys are reported and the first of them is kept; what makes reading on senseless is
/// reported, too, and gives `Err`.
pub fn read(text: &str, report: &Report) -> Result<Node, Unreadable> {
    let expected = Expected {
        empty: "the file is empty; begin with mita.yaml.example",
        other: "must hold keys (provider, jenkins, nodes), is no mapping",
    };
    read_as(text, &expected, report)
}

/// The messages about a file that holds something else than a mapping.
pub struct Expected {
    /// It holds nothing.
    pub empty: &'static str,
    /// It holds something else.
    pub other: &'static str,
}

/// Does what [`read`] does, with other words for a file without keys.
pub fn read_as(text: &str, expected: &Expected, report: &Report) -> Result<Node, Unreadable> {
    let mut reader = Reader {
        report,
        frames: Vec::new(),
        anchors: HashMap::new(),
        anchor_lines: HashMap::new(),
        expansion: 0,
        root: None,
    };
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            report.conceal(Concealed::broken);
            if !text.lines().any(|line| Line::new(line).key().is_some()) {
                report.conceal(Concealed::whole);
            }
            let (at, text) = syntax::fault(text, pos(*error.marker()), error.info());
            reader.stop(at, &text)
        })?;
        let at = pos(span.start);
        reader.conceal(&event, span.start.line()..=span.end.line());
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(reader.stop(at, "a second YAML document begins here; one file holds one"));
                }
            }
            event => reader.take(event, at)?,
        }
    }
    let root = reader.root.take();
    match root {
        Some(Node { value: Value::Null, .. }) | None => Err(reader.stop(Pos::START, expected.empty)),
        Some(
            node @ Node {
                value: Value::Map(_), ..
            },
        ) => Ok(node),
        Some(node) => {
            report.conceal(Concealed::whole);
            Err(reader.stop(node.at, expected.other))
        }
    }
}

fn pos(marker: Marker) -> Pos {
    Pos {
        file: 0,
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}

/// A mapping or sequence that is not complete yet.
struct Frame {
    at: Pos,
    anchor: usize,
    holds: Holds,
}

enum Holds {
    Items(Vec<Node>),
    Entries {
        entries: Vec<Entry>,
        /// What `<<` names, and where that key is; more than one was reported.
        merged: Vec<(Pos, Node)>,
        seen: HashMap<String, Pos>,
        key: Option<(String, bool, Pos)>,
    },
}

struct Reader<'r> {
    report: &'r Report,
    frames: Vec<Frame>,
    anchors: HashMap<usize, (Node, usize)>,
    /// The lines of texts that have an anchor.
    anchor_lines: HashMap<usize, RangeInclusive<usize>>,
    expansion: usize,
    root: Option<Node>,
}

impl Reader<'_> {
    fn stop(&mut self, at: Pos, text: &str) -> Unreadable {
        let place = Place {
            at,
            path: Place::file().path,
        };
        self.report.error(&place, text);
        Unreadable
    }

    /// Notes the lines of a text that may be a secret, for messages that show lines of the file.
    fn conceal(&mut self, event: &Event<'_>, mut lines: RangeInclusive<usize>) {
        match event {
            Event::Scalar(_, style, anchor, _) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                // The parser ends a block where the next key begins.
                if is_block && lines.end() > lines.start() {
                    lines = *lines.start()..=lines.end() - 1;
                }
                if *anchor != 0 {
                    self.anchor_lines.insert(*anchor, lines.clone());
                }
            }
            Event::Alias(id) => match self.anchor_lines.get(id) {
                Some(named) => lines = named.clone(),
                None => return,
            },
            _ => return,
        }
        if self.is_secret() {
            self.report.conceal(|concealed| concealed.lines(lines));
        }
    }

    /// Returns whether the value that is being read is a secret, or among those of which anything may be one.
    fn is_secret(&self) -> bool {
        let mut keys = self.frames.iter().filter_map(|frame| match &frame.holds {
            Holds::Entries {
                key: Some((key, ..)), ..
            } => Some(key.as_str()),
            _ => None,
        });
        let top = keys.clone().next();
        top.is_some_and(is_free) || keys.clone().any(holds_anything) || keys.next_back().is_some_and(is_secret_name)
    }

    fn take(&mut self, event: Event<'_>, at: Pos) -> Result<(), Unreadable> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let mut node = self.scalar(text.into_owned(), style, tag.as_deref(), at);
                if anchor != 0 && matches!(node.value, Value::Null) {
                    self.refuse_anchor(at);
                    node.value = Value::Bad;
                }
                self.complete(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                self.open(at, anchor, Holds::Items(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                let holds = Holds::Entries {
                    entries: Vec::new(),
                    merged: Vec::new(),
                    seen: HashMap::new(),
                    key: None,
                };
                self.open(at, anchor, holds)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.frames.pop() else {
                    return Ok(());
                };
                let value = match frame.holds {
                    Holds::Items(items) => Value::List(items),
                    Holds::Entries { entries, merged, .. } => Value::Map(self.merge(entries, merged)?),
                };
                self.complete(Node { at: frame.at, value }, frame.anchor)
            }
            Event::Alias(id) => {
                let Some((node, cost)) = self.anchors.get(&id) else {
                    return Err(self.stop(at, "an alias inside of what it names; write the value out"));
                };
                self.expansion += cost;
                let node = node.clone();
                if self.expansion > MAX_EXPANSION {
                    return Err(self.stop(at, "the aliases of this file expand to too much; write the values out"));
                }
                self.complete(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, at: Pos, anchor: usize, holds: Holds) -> Result<(), Unreadable> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(self.stop(at, &format!("nested deeper than {MAX_DEPTH} levels; flatten it")));
        }
        self.frames.push(Frame { at, anchor, holds });
        Ok(())
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, tag: Option<&Tag>, at: Pos) -> Node {
        let forced = tag.is_some_and(|tag| is_core(tag, &["str"]));
        self.refuse_tag(tag, at);
        let style = match style {
            ScalarStyle::Plain if !forced => Style::Plain,
            ScalarStyle::Literal if tag.is_none() => Style::Literal,
            ScalarStyle::Folded if tag.is_none() => Style::Folded,
            _ => Style::Quoted,
        };
        let null = style == Style::Plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
        let value = if null && tag.is_some_and(|tag| !is_core(tag, &KNOWN_TAGS)) {
            // The tag was reported: the rest of a value that begins with ! is no missing value on top of that.
            Value::Bad
        } else if null {
            Value::Null
        } else {
            Value::Scalar(text, style)
        };
        Node { at, value }
    }

    /// Refuses an anchor of nothing: it is the beginning of a value without quotes.
    fn refuse_anchor(&mut self, at: Pos) {
        let place = Place { at, path: self.path() };
        let text = "& marks the value behind it, and there is none; put a value that begins with & into quotes";
        self.report.error(&place, text);
    }

    /// Refuses a tag that changes what a value is. Its text is not shown: it may be an unquoted password.
    fn refuse_tag(&mut self, tag: Option<&Tag>, at: Pos) {
        if tag.is_some_and(|tag| !is_core(tag, &KNOWN_TAGS)) {
            let place = Place { at, path: self.path() };
            let text = "a YAML tag has no meaning here; put a value that begins with ! into quotes";
            self.report.error(&place, text);
        }
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Unreadable> {
        if anchor != 0 {
            let cost = node.cost();
            self.anchors.insert(anchor, (node.clone(), cost));
        }
        let mut twice = None;
        match self.frames.last_mut().map(|frame| &mut frame.holds) {
            None => self.root = Some(node),
            Some(Holds::Items(items)) => items.push(node),
            Some(Holds::Entries { key: key @ None, .. }) => match node.value {
                Value::Scalar(text, style) => *key = Some((text, style == Style::Plain, node.at)),
                Value::Null => *key = Some((String::new(), false, node.at)),
                _ => return Err(self.stop(node.at, "a key must be a plain text; write `key: value`")),
            },
            Some(Holds::Entries {
                entries,
                merged,
                seen,
                key,
            }) => {
                let Some((key, plain, at)) = key.take() else {
                    return Ok(());
                };
                if plain && key == "<<" {
                    twice = merged.first().map(|(first, _)| (key, at, *first));
                    merged.push((at, node));
                } else if let Some(first) = seen.get(&key) {
                    twice = Some((key, at, *first));
                } else {
                    seen.insert(key.clone(), at);
                    entries.push(Entry {
                        written: key.clone(),
                        key,
                        at,
                        inherited: false,
                        elsewhere: None,
                        value: node,
                    });
                }
            }
        }
        if let Some((key, at, first)) = twice {
            let path = self.frames.iter().fold(String::new(), deeper);
            let place = Place {
                at,
                path: join(&path, &key),
            };
            self.report.error(&place, set_twice(&key, first));
        }
        Ok(())
    }

    /// Adds what `<<` brings: a key of the mapping itself wins, then the first of several sources.
    fn merge(&mut self, mut entries: Vec<Entry>, merged: Vec<(Pos, Node)>) -> Result<Vec<Entry>, Unreadable> {
        if merged.is_empty() {
            return Ok(entries);
        }
        let mut known: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        for (_, source) in merged {
            let at = source.at;
            let maps = match source.value {
                Value::List(items) => items,
                _ => vec![source],
            };
            for map in maps {
                let Value::Map(more) = map.value else {
                    return Err(self.stop(at, "`<<` takes a mapping or a list of mappings; write `<<: *name`"));
                };
                entries.extend(more.into_iter().filter(|entry| known.insert(entry.key.clone())));
            }
        }
        Ok(entries)
    }

    /// Returns the path of the value that is being read.
    fn path(&self) -> String {
        let path = self.frames.iter().fold(String::new(), deeper);
        if path.is_empty() { Place::file().path } else { path }
    }
}

fn set_twice(key: &str, first: Pos) -> String {
    let Pos { line, column, .. } = first;
    if key == "<<" {
        format!("set twice, first at {line}:{column}; write one list of both, `<<: [*one, *two]`")
    } else {
        format!("set twice, first in line {line}; keep one of the two")
    }
}

fn deeper(path: String, frame: &Frame) -> String {
    match &frame.holds {
        Holds::Items(items) => format!("{path}[{}]", items.len()),
        Holds::Entries {
            key: Some((key, ..)), ..
        } => join(&path, key),
        Holds::Entries { .. } => path,
    }
}

fn is_core(tag: &Tag, names: &[&str]) -> bool {
    let short = tag.handle == "!!" || tag.handle == "tag:yaml.org,2002:";
    (short && names.contains(&tag.suffix.as_str()))
        || (tag.handle.is_empty()
            && tag
                .suffix
                .strip_prefix("tag:yaml.org,2002:")
                .is_some_and(|s| names.contains(&s)))
}
