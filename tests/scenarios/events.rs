//! The events of a plan as text: `joined small__0a, seconds = 85`.

use jiff::Timestamp;
use mita::state::State;
use serde_json::Value;

use super::text::moment;

/// What each event has, or its name tells.
const TOLD: [&str; 8] = ["v", "at", "pass", "n", "event", "name", "provider", "server_id"];

/// Lists the events that a plan notes, those of before left out.
pub fn noted(before: &State, after: &State, now: Timestamp) -> Vec<String> {
    let known = &before.events.pending;
    let new = after.events.pending.iter().filter(|event| !known.contains(event));
    new.map(|event| {
        let value = serde_json::to_value(event).expect("an event");
        let entries = value.as_object().into_iter().flatten();
        let parts = entries.filter(|(key, _)| !TOLD.contains(&key.as_str()));
        let parts: Vec<String> = parts
            .map(|(key, value)| format!(", {key} = {}", plain(value)))
            .collect();
        let parts = parts.concat();
        let name = event.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
        let at = match moment(event.at, now) {
            at if at == "now" => String::new(),
            at => format!(" at {at}"),
        };
        format!("{}{name}{at}{parts}", event.event.word())
    })
    .collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
