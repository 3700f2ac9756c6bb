//! Jenkins' `tree=`: which fields a reply has.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The fields that a `tree=` names, by their whole path.
pub struct Tree(BTreeSet<String>);

impl Tree {
    /// Reads a query.
    pub fn of(query: &str) -> Self {
        let tree = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("tree="))
            .unwrap_or("");
        let tree = percent_decode_str(tree).decode_utf8_lossy();
        let (mut found, mut above, mut name) = (BTreeSet::new(), Vec::<String>::new(), String::new());
        for c in tree.chars().chain([',']) {
            if !['[', ',', ']'].contains(&c) {
                name.push(c);
                continue;
            }
            if !name.is_empty() {
                found.insert([above.as_slice(), &[name.clone()]].concat().join("."));
            }
            match c {
                '[' => above.push(std::mem::take(&mut name)),
                _ => name.clear(),
            }
            if c == ']' {
                above.pop();
            }
        }
        Self(found)
    }

    /// Takes away what was not asked for; `_class` comes unasked.
    pub fn prune(&self, path: &str, value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let kept = fields.into_iter().filter_map(|(name, value)| {
                    let path = format!("{path}.{name}");
                    (name == "_class" || self.0.contains(&path)).then(|| (name, self.prune(&path, value)))
                });
                Value::Object(kept.collect::<Map<String, Value>>())
            }
            Value::Array(values) => values.into_iter().map(|value| self.prune(path, value)).collect(),
            other => other,
        }
    }
}
