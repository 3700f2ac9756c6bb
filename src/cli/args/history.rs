//! The arguments of `history`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, value_parser};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config;
use crate::history::By;
use crate::model::EventKind;

/// The most events that are shown: more are a matter for `--since` and `-o json`.
const MAX_LAST: i64 = 1_000_000;

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// A server, by its name, its id, its Jenkins node, or the beginning of one of them: shows its whole life
    #[arg(value_name = "NAME", conflicts_with_all = ["node", "all", "by", "trace"])]
    pub name: Option<String>,
    /// What was since then: so long ago, as in 7d or 12h, or a point in time, as in 2030-01-31 (UTC) or
    /// 2030-01-31T06:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub since: Option<When>,
    /// What was before then
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub until: Option<When>,
    /// What is of this template, be it no longer configured
    #[arg(long, value_name = "TEMPLATE")]
    pub node: Option<String>,
    /// Events of this kind; may be given several times
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds(), conflicts_with_all = ["by", "trace"])]
    pub event: Vec<EventKind>,
    /// The last so many events [default: 30; all with --since, --until or NAME]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=MAX_LAST), conflicts_with_all = ["by", "trace"])]
    pub last: Option<u32>,
    /// Also the readings of the passes (served, pass), which are shown elsewhere only if --event asks for them
    #[arg(long, conflicts_with_all = ["by", "trace"])]
    pub all: bool,
    /// Count servers, hours, waits and cost by this
    #[arg(long, value_name = "WHAT", value_parser = groupings())]
    pub by: Option<By>,
    /// Print the items that were served as a trace of jobs, as examples/simulate reads it
    ///
    /// A line for each item: when it came, in seconds since the first one; how long it runs; its label. The journal
    /// knows when an item came and how long it waited, within the time between two passes. It does not know how long it
    /// ran: that is the time that servers of its template were at work, divided by their builds.
    #[arg(long, conflicts_with = "by")]
    pub trace: bool,
}

/// A point in time on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// That point.
    At(Timestamp),
    /// So long ago.
    Ago(SignedDuration),
}

impl When {
    /// Returns the point in time; what is longer ago than there is time is its beginning.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(length) => now.checked_sub(length).unwrap_or(Timestamp::MIN),
        }
    }
}

/// Reads a point in time, a day, or how long ago.
fn when(text: &str) -> Result<When, String> {
    let text = text.trim();
    if let Ok(at) = text.parse() {
        return Ok(When::At(at));
    }
    if let Ok(day) = text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC)) {
        return Ok(When::At(day.timestamp()));
    }
    let wrong =
        |_| "is neither how long ago, as in 7d or 12h, nor a point in time, as in 2030-01-31T06:00:00Z".to_owned();
    config::parse_duration(text).map(When::Ago).map_err(wrong)
}

/// Reads a kind of event by its word.
fn kinds() -> impl TypedValueParser<Value = EventKind> {
    PossibleValuesParser::new(EventKind::ALL.map(EventKind::word)).map(|word| {
        let known = EventKind::ALL.into_iter().find(|kind| kind.word() == word);
        known.unwrap_or(EventKind::Pass)
    })
}

/// Reads what is counted together by its word.
fn groupings() -> impl TypedValueParser<Value = By> {
    PossibleValuesParser::new(By::ALL.map(By::word)).map(|word| {
        let known = By::ALL.into_iter().find(|by| by.word() == word);
        known.unwrap_or(By::Node)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_is_read_in_any_form() {
        let at = |second| When::At(Timestamp::from_second(second).unwrap());
        let ago = |hours| When::Ago(SignedDuration::from_hours(hours));
        for (text, wanted) in [
            ("7d", Some(ago(7 * 24))),
            ("12h", Some(ago(12))),
            (" 1d 12h ", Some(ago(36))),
            ("2026-03-02", Some(at(1_772_409_600))),
            ("2026-03-02T06:00:00Z", Some(at(1_772_431_200))),
            ("2026-03-02T07:00:00+01:00", Some(at(1_772_431_200))),
            ("2026-02-30", None),
            ("soon", None),
            ("", None),
            ("-1d", None),
        ] {
            assert_eq!(when(text).ok(), wanted, "{text}");
        }
        let far = When::Ago(SignedDuration::MAX).at(Timestamp::UNIX_EPOCH);
        assert_eq!(far, Timestamp::MIN);
    }
}
