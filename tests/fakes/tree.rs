//! `tree=` as Stapler reads it, and the default view without it.

use serde_json::{Map, Value};

/// What a `tree=` asks for at one level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    all: bool,
    fields: Vec<(String, Tree, Option<(usize, usize)>)>,
}

impl Tree {
    /// Reads a `tree=` text; `None` where Jenkins answers 500. A blank belongs to the name behind it, which then
    /// names nothing.
    pub fn read(text: &str) -> Option<Self> {
        let mut rest = text;
        let tree = Self::list(&mut rest)?;
        (rest.is_empty() && !text.is_empty()).then_some(tree)
    }

    fn list(rest: &mut &str) -> Option<Self> {
        let mut tree = Self::default();
        loop {
            let end = rest.find(['[', ']', ',', '{', '}']).unwrap_or(rest.len());
            let name = &rest[..end];
            if name.is_empty() {
                return None;
            }
            *rest = &rest[end..];
            let mut below = Self::default();
            if let Some(inner) = rest.strip_prefix('[') {
                *rest = inner;
                below = Self::list(rest)?;
                *rest = rest.strip_prefix(']')?;
            }
            let range = match rest.strip_prefix('{') {
                Some(inner) => {
                    let (range, after) = inner.split_once('}')?;
                    *rest = after;
                    Some(read_range(range)?)
                }
                None => None,
            };
            if name == "*" {
                tree.all = true;
            } else {
                tree.fields.push((name.to_owned(), below, range));
            }
            match rest.strip_prefix(',') {
                Some(more) => *rest = more,
                None => return Some(tree),
            }
        }
    }

    /// Keeps of a value what is asked for; `_class` always stays.
    pub fn prune(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|v| self.prune(v)).collect(),
            Value::Object(object) => Value::Object(self.prune_object(object)),
            leaf => leaf.clone(),
        }
    }

    fn prune_object(&self, object: &Map<String, Value>) -> Map<String, Value> {
        let mut kept = Map::new();
        for (name, value) in object {
            if name == "_class" || (self.all && !value.is_object() && !value.is_array()) {
                kept.insert(name.clone(), value.clone());
            }
            let Some((_, below, range)) = self.fields.iter().find(|(n, ..)| n == name) else {
                continue;
            };
            let value = match (value, range) {
                (Value::Array(items), Some((from, to))) => {
                    let from = (*from).min(items.len());
                    Value::from(items[from..(*to).clamp(from, items.len())].to_vec())
                }
                _ => value.clone(),
            };
            // Leaves that Jenkins exports inside an object of free form (a map) are not touched.
            kept.insert(name.clone(), below.prune(&value));
        }
        kept
    }
}

fn read_range(text: &str) -> Option<(usize, usize)> {
    match text.split_once(',') {
        Some((from, to)) => {
            let from = if from.is_empty() { 0 } else { from.parse().ok()? };
            let to = if to.is_empty() { usize::MAX } else { to.parse().ok()? };
            Some((from, to))
        }
        None => text.parse().ok().map(|n: usize| (n, n + 1)),
    }
}

/// Removes fields that are exported only when asked for: `hidden` are paths such as `items.task.fullName`.
pub fn default_view(value: &mut Value, hidden: &[&str]) {
    for path in hidden {
        let mut steps: Vec<&str> = path.split('.').collect();
        if let Some(last) = steps.pop() {
            hide(value, &steps, last);
        }
    }
}

fn hide(value: &mut Value, steps: &[&str], last: &str) {
    if let Value::Array(items) = value {
        for item in items {
            hide(item, steps, last);
        }
    } else if let Value::Object(object) = value {
        match steps {
            [] if last == "*" => object.retain(|name, _| name == "_class"),
            [] => {
                object.remove(last);
            }
            [first, more @ ..] => {
                if let Some(below) = object.get_mut(*first) {
                    hide(below, more, last);
                }
            }
        }
    }
}
