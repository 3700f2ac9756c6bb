//! Events as rows of a sheet: every field of the journal is a column.

use jiff::Timestamp;

use crate::model::Event;

use super::decimal::Decimal;
use super::sheet::{Field, Sheet};

/// A column, and how it is filled.
type EventColumn = (&'static str, fn(&Event) -> Field);

const COLUMNS: &[EventColumn] = &[
    ("at", |event| Field::text(Some(event.at))),
    ("event", |event| Field::text(Some(event.event.word()))),
    ("name", |event| Field::text(event.name.as_ref())),
    ("node", |event| Field::text(event.node.as_ref())),
    ("provider", |event| Field::text(event.provider.as_ref())),
    ("zone", |event| Field::text(event.zone.as_ref())),
    ("server_id", |event| Field::text(event.server_id.as_ref())),
    ("for", |event| Field::text(event.made_for.as_ref())),
    ("label", |event| Field::text(event.label.as_ref())),
    ("seconds", |event| {
        Field::decimal(event.seconds.map(|seconds| Decimal::seconds(seconds.0)))
    }),
    ("busy_seconds", |event| Field::whole(event.busy_seconds)),
    ("idle_seconds", |event| Field::whole(event.idle_seconds)),
    ("builds", |event| Field::whole(event.builds)),
    ("items", |event| Field::whole(event.items)),
    ("wait_seconds_median", |event| {
        Field::whole(event.wait_seconds.map(|waited| waited.median))
    }),
    ("wait_seconds_longest", |event| {
        Field::whole(event.wait_seconds.map(|waited| waited.longest))
    }),
    ("because", |event| Field::text(event.because.as_ref())),
    ("error", |event| Field::text(event.error.as_ref())),
    ("image", |event| Field::text(event.image.as_ref())),
    ("instead", |event| Field::text(event.instead.as_ref())),
    ("state", |event| Field::json(event.state)),
    ("key", |event| Field::text(event.key.as_ref())),
    ("kind", |event| Field::json(event.kind)),
    ("subject", |event| Field::text(event.subject.as_ref())),
    ("severity", |event| Field::json(event.severity)),
    ("sentence", |event| Field::text(event.sentence.as_ref())),
    ("since", |event| Field::text(event.since)),
    ("seen", |event| Field::text(event.seen)),
    ("facts", |event| {
        Field::json(Some(&event.facts).filter(|facts| !facts.is_empty()))
    }),
    ("queue", |event| Field::whole(event.queue)),
    ("waiting", |event| Field::whole(event.waiting)),
    ("oldest_seconds", |event| Field::whole(event.oldest_seconds)),
    ("unmet", |event| Field::whole(event.unmet)),
    ("servers", |event| Field::json(event.servers.as_ref())),
    ("requests", |event| Field::json(event.requests.as_ref())),
    ("exit", |event| Field::whole(event.exit)),
    ("pass", |event| Field::text(Some(&event.pass))),
    ("n", |event| Field::whole(Some(event.n))),
];

/// Returns events as rows; `with_gaps`: with the seconds since the event before, for the life of one server.
pub fn event_sheet(events: &[Event], with_gaps: bool) -> Sheet {
    let mut columns: Vec<&'static str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut rows: Vec<Vec<Field>> = events.iter().map(row).collect();
    if with_gaps {
        columns.insert(1, "after_seconds");
        let mut before = None;
        for (row, event) in rows.iter_mut().zip(events) {
            row.insert(1, gap(before.replace(event.at), event.at));
        }
    }
    Sheet { columns, rows }
}

fn row(event: &Event) -> Vec<Field> {
    COLUMNS.iter().map(|(_, fill)| fill(event)).collect()
}

fn gap(before: Option<Timestamp>, at: Timestamp) -> Field {
    let millis = before.map(|before| at.as_millisecond().saturating_sub(before.as_millisecond()));
    let millis = millis.and_then(|millis| u64::try_from(millis).ok());
    Field::decimal(millis.map(Decimal::seconds))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{EventKind, Seconds, WaitSeconds};

    #[test]
    fn every_field_of_the_journal_has_a_column() {
        let event = Event {
            seconds: Some(Seconds(1_230)),
            wait_seconds: Some(WaitSeconds { median: 1, longest: 2 }),
            ..Event::new(EventKind::Served, Timestamp::UNIX_EPOCH, "p")
        };
        // The names that an event can be read with, from what serde says of one that is unknown.
        let fields = format!("{event:?}");
        let fields = fields
            .split(['{', ','])
            .filter_map(|part| part.split_once(": "))
            .map(|(name, _)| name.trim());
        let fields: BTreeSet<&str> = fields
            .filter(|name| !["median", "longest", "v"].contains(name))
            .collect();
        let named = |name: &str| match name {
            "made_for" => "for".to_owned(),
            "wait_seconds" => "wait_seconds_median".to_owned(),
            name => name.to_owned(),
        };
        let columns: BTreeSet<String> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
        for field in &fields {
            assert!(columns.contains(&named(field)), "no column for {field}");
        }
        assert_eq!(columns.len(), fields.len() + 1, "{fields:?}");
    }

    #[test]
    fn a_life_has_the_seconds_between_its_events() {
        let at = |millis| Event::new(EventKind::Joined, Timestamp::from_millisecond(millis).unwrap(), "p");
        let sheet = event_sheet(&[at(1_000), at(2_500), at(2_500), at(2_000)], true);
        assert_eq!(sheet.columns[..3], ["at", "after_seconds", "event"]);
        let gaps: Vec<&Field> = sheet.rows.iter().map(|row| &row[1]).collect();
        let gap = |millis| Field::Decimal(Decimal::seconds(millis));
        assert_eq!(gaps, [&Field::Nothing, &gap(1_500), &gap(0), &Field::Nothing]);
    }
}
