//! Points in time as the page shows them: UTC, as short as they are clear.

use jiff::Timestamp;

use crate::text::age;

use super::html::Html;

/// Writes it for machines: `2026-11-30T12:00:00Z`.
pub fn exact(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Writes the day: `30 Nov 2026`.
pub fn date(at: Timestamp) -> String {
    at.strftime("%d %b %Y").to_string()
}

/// Writes the time of the day, with the day before it where that is another one than `now`.
pub fn of_day(at: Timestamp, now: Timestamp) -> String {
    let same = at.strftime("%F").to_string() == now.strftime("%F").to_string();
    at.strftime(if same { "%H:%M:%S" } else { "%d %b %H:%M" }).to_string()
}

/// Writes how long ago it was, with the exact time behind it.
pub fn since(html: &mut Html, at: Timestamp, now: Timestamp) {
    let exact = exact(at);
    let seconds = now.duration_since(at).as_secs();
    html.leaf("time", &[("datetime", &exact), ("title", &exact)], &age(seconds));
}
