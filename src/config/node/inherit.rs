//! Puts the keys of `defaults:` into the templates.

use crate::settings::key::KeySpec;
use crate::settings::yaml::{Entry, Node, Value};

use super::script_source;
use super::server::{IMAGE_ID, IMAGE_NAME, IMAGE_REGEX};

/// Gives every template the keys of `defaults` that it does not have itself. A key that a template sets to nothing
/// (`max_lifetime:`) stays unset.
pub fn inherit(root: &mut Node) {
    let defaults: Vec<Entry> = root
        .entry("defaults")
        .map_or_else(Vec::new, |d| d.value.entries().to_vec());
    let Value::Map(entries) = &mut root.value else {
        return;
    };
    entries.retain(|entry| entry.key != "defaults");
    let nodes = entries.iter_mut().find(|entry| entry.key == "nodes");
    let Some(Value::Map(nodes)) = nodes.map(|entry| &mut entry.value.value) else {
        return;
    };
    for node in nodes {
        let Value::Map(own) = &mut node.value.value else {
            continue;
        };
        let written = own.len();
        for default in &defaults {
            if !own[..written].iter().any(|entry| same(&entry.key, &default.key)) {
                own.push(Entry {
                    inherited: true,
                    ..default.clone()
                });
            }
        }
    }
}

/// Whether two keys of a template exclude each other, so that the template's own wins.
fn same(own: &str, default: &str) -> bool {
    let images: [&KeySpec; 3] = [&IMAGE_NAME, &IMAGE_ID, &IMAGE_REGEX];
    let image = |key: &str| images.iter().any(|spec| spec.name == key);
    own == default || (image(own) && image(default)) || script_source::exclude(own, default)
}
