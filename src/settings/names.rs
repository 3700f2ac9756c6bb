//! Texts that are names: of images, users, networks, zones.

use std::collections::BTreeSet;

use crate::text::hidden_in;

use super::key::Key;
use super::problem::{Place, Report, quoted};
use super::section::{Given, Section};

/// Returns a text that must be there; an empty one after a report. `what` is the advice for a missing one.
pub fn required(at: &Section<'_>, key: &Key<Option<String>>, what: &str) -> String {
    match at.given(key) {
        Given::Absent => at.error(key, format!("missing; {what}")),
        Given::Empty => at.error(key, format!("is empty; {what}")),
        Given::Value => {}
    }
    optional(at, key).unwrap_or_default()
}

/// Returns a text that may be there.
pub fn optional(at: &Section<'_>, key: &Key<Option<String>>) -> Option<String> {
    let text = at.get(key)?;
    checked(|| at.place(key), &text, at.report());
    Some(text)
}

/// Returns a text that has a default.
pub fn or_default(at: &Section<'_>, key: &Key<String>) -> String {
    let text = at.get(key);
    if at.has(key) {
        checked(|| at.place(key), &text, at.report());
    }
    text
}

/// Returns the texts of a list; each is checked, and none may be there twice.
pub fn list(at: &Section<'_>, key: &Key<Vec<String>>) -> Vec<String> {
    let texts = at.get(key);
    let mut seen = BTreeSet::new();
    for (place, text) in at.items_at(key, texts.len()).iter().zip(&texts) {
        item(place, text, &mut seen, at.report());
    }
    texts
}

/// Checks an item of a list, after those that were seen.
pub fn item<'t>(place: &Place, text: &'t str, seen: &mut BTreeSet<&'t str>, report: &Report) {
    checked(|| place.clone(), text, report);
    if !seen.insert(text) {
        report.error(place, format!("{} is here twice; remove one", quoted(text)));
    }
}

/// Reports a text that no name can be. Few are, so the place is asked for only then.
fn checked(place: impl FnOnce() -> Place, text: &str, report: &Report) {
    if text.trim().is_empty() {
        report.error(&place(), "is empty; write a text or remove it");
    } else if text.chars().any(char::is_control) {
        report.error(
            &place(),
            "holds a line break or another control character; write it as one line",
        );
    } else if text.trim() != text {
        report.error(&place(), format!("{} has a blank at its edge; remove it", quoted(text)));
    } else if text.chars().count() > 255 {
        report.error(&place(), "is longer than 255 characters; shorten it");
    } else if hidden_in(text).is_some() {
        all_seen(&place(), text, report);
    }
}

/// Warns of characters of a name that nobody sees, and that make it another name.
pub fn all_seen(place: &Place, text: &str, report: &Report) {
    if let Some(hidden) = hidden_in(text) {
        let text = format!(
            "{} holds {hidden}, which is not seen; remove it unless it is meant",
            quoted(text)
        );
        report.warn_in_check(place, text);
    }
}
