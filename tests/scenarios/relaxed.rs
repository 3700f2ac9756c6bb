//! Values of the model with defaults: a complete value, and what a scenario says otherwise in the words of a saved
//! observation (`--save-observation`) or of the state file.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns the complete value with these changes. A time may be written `now`, `now-5m` or `now+1h`.
pub fn changed<T: Serialize + DeserializeOwned>(complete: &T, changes: &Value, now: Timestamp) -> Result<T, String> {
    let mut value = serde_json::to_value(complete).map_err(|error| error.to_string())?;
    let mut changes = changes.clone();
    each_text(&mut changes, &|text| absolute(text, now));
    merge(&mut value, &changes);
    let read: T = serde_json::from_value(value).map_err(|error| format!("{error} in {changes}"))?;
    let back = serde_json::to_value(&read).map_err(|error| error.to_string())?;
    match unknown(&changes, &back) {
        Some(key) => Err(format!("\"{key}\" is no key, or says what is so anyway, in {changes}")),
        None => Ok(read),
    }
}

/// Merges sections deeply; everything else is replaced.
pub fn merge(base: &mut Value, changes: &Value) {
    match (base, changes) {
        (Value::Object(base), Value::Object(changes)) => {
            for (key, change) in changes {
                merge(base.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
        (_, Value::Null) => {}
        (base, change) => *base = change.clone(),
    }
}

/// Replaces texts everywhere in a value.
pub fn each_text(value: &mut Value, replace: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => *text = replace(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, replace)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| each_text(entry, replace)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn absolute(text: &str, now: Timestamp) -> Option<String> {
    let rest = text.strip_prefix("now")?;
    let duration = |text| mita::config::parse_duration(text).ok();
    let time = match rest.split_at_checked(1) {
        None => now,
        Some(("-", ago)) => now - duration(ago)?,
        Some(("+", ahead)) => now + duration(ahead)?,
        Some(_) => return None,
    };
    Some(time.to_string())
}

/// Finds a key that was not read: a typing error in a scenario would otherwise change nothing.
fn unknown(changes: &Value, read: &Value) -> Option<String> {
    let (Value::Object(changes), Value::Object(read)) = (changes, read) else {
        return None;
    };
    changes
        .iter()
        .filter(|(_, change)| !change.is_null())
        .find_map(|(key, change)| match read.get(key) {
            None => Some(key.clone()),
            Some(read) => unknown(change, read),
        })
}

#[test]
fn a_change_is_read_or_refused() {
    use mita::state::Sighting;

    let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let usual = Sighting {
        first: now,
        passes: 1,
        known: false,
    };
    let read = |changes: Value| changed(&usual, &changes, now);
    let earlier = read(serde_json::json!({"first": "now-1h 30m", "passes": 2})).unwrap();
    assert_eq!(
        (earlier.first.to_string(), earlier.passes),
        ("2026-03-02T10:30:00Z".to_owned(), 2)
    );
    assert_eq!(read(Value::Null), Ok(usual));
    assert!(
        read(serde_json::json!({"pases": 2}))
            .unwrap_err()
            .starts_with("\"pases\" is no key")
    );
    assert!(read(serde_json::json!({"first": "now-x"})).is_err());
}
