//! Counts the past by template, provider, label, job or day.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::model::TemplateName;

use super::decimal::Decimal;
use super::lives::{Ending, Life, Past};
use super::serving::Serving;
use super::sheet::{Field, Sheet};
use super::spread::Spread;
use super::window::{Window, day_name, day_of, days};

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Servers of one template.
    Node,
    /// Servers at one provider.
    Provider,
    /// Servers that were made for one label, and the items of that label.
    Label,
    /// Servers that were made for one job.
    MadeFor,
    /// One day of UTC.
    Day,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Node, Self::Provider, Self::Label, Self::MadeFor, Self::Day];

    /// Returns its word on the command line and in a sheet.
    pub fn word(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Provider => "provider",
            Self::Label => "label",
            Self::MadeFor => "made_for",
            Self::Day => "day",
        }
    }

    /// Returns whether it is known of items that waited; else only the total has their waits.
    pub fn has_waits(self) -> bool {
        matches!(self, Self::Node | Self::Label | Self::Day)
    }
}

/// What was counted. A share or a percentile is made of it only when it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Servers that began.
    pub servers: u64,
    /// Creates that failed, and servers that did.
    pub failures: u64,
    /// Servers that were lost.
    pub lost: u64,
    /// The time of servers, in milliseconds.
    pub millis: u128,
    /// The part of it in which they were at work, in milliseconds.
    pub busy_millis: u128,
    /// How long servers took to join that joined, in seconds.
    pub boots: Spread,
    /// How long items waited, in seconds.
    pub waits: Spread,
    /// Milliseconds times the price of an hour in millionths.
    priced: u128,
    /// The time of servers whose template has a price, in milliseconds.
    priced_millis: u128,
}

impl Row {
    /// Returns the share of its time in which a server was at work; `None` without any time.
    pub fn busy_share(&self) -> Option<Decimal> {
        (self.millis > 0).then(|| Decimal::ratio(self.busy_millis, self.millis))
    }

    /// Returns what the servers cost whose template has a price; `None` where none has.
    pub fn cost(&self) -> Option<Decimal> {
        (self.priced_millis > 0).then(|| cost(self.priced))
    }

    /// Returns the time of servers that is not in the cost, in milliseconds.
    pub fn unpriced_millis(&self) -> u128 {
        self.millis - self.priced_millis
    }

    fn add_time(&mut self, life: &Life, part: (i64, i64), price: Option<u64>, now: i64) {
        let millis = u128::try_from(part.1.saturating_sub(part.0)).unwrap_or(0);
        self.millis += millis;
        self.busy_millis += life.busy_within(part, now);
        if let Some(price) = price {
            self.priced += millis * u128::from(price);
            self.priced_millis += millis;
        }
    }
}

/// Returns an amount of money for milliseconds times the price of an hour in millionths.
pub fn cost(priced: u128) -> Decimal {
    // In millionths already.
    Decimal((priced + 1_800_000) / 3_600_000)
}

/// The rows of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// What they are by.
    pub by: By,
    /// The rows; `None`: of which the group is not known, or that have none. Days in their order, others by server-hours.
    pub rows: Vec<(Option<String>, Row)>,
    /// All together. Percentiles are those of all values, not of the rows.
    pub total: Row,
}

/// Counts what was in a window; `only`: of this template.
pub fn group(past: &Past, config: &Config, by: By, window: Window, only: Option<&str>, now: i64) -> Groups {
    let mut counting = Counting {
        config,
        by,
        window,
        now,
        rows: BTreeMap::new(),
        total: Row::default(),
    };
    let is_wanted =
        |node: Option<&TemplateName>| only.is_none_or(|only| node.is_some_and(|node| node.as_str() == only));
    for life in past.lives.iter().filter(|life| is_wanted(life.node.as_ref())) {
        counting.life(life);
    }
    for failure in past.failures.iter().filter(|failure| is_wanted(failure.node.as_ref())) {
        let life = failure.life.and_then(|at| past.lives.get(at));
        let key = match by {
            By::Node => failure.node.as_ref().map(ToString::to_string),
            By::Provider => failure.provider.as_ref().map(ToString::to_string),
            By::Label | By::MadeFor | By::Day => life.and_then(|life| counting.key(life)),
        };
        counting.count(failure.at, key, |row| row.failures += 1);
    }
    let mut serving = Serving::new(config);
    for wait in &past.waits {
        let node = serving.template(wait);
        if !is_wanted(node.as_ref()) {
            continue;
        }
        let key = match by {
            By::Node => node.map(|node| node.to_string()),
            By::Label => wait.label.clone(),
            By::Provider | By::MadeFor | By::Day => None,
        };
        let add = |row: &mut Row| row.waits.add_batch(wait.items, wait.median, wait.longest);
        if by.has_waits() {
            counting.count(wait.at, key, add);
        } else if window.has(wait.at) {
            add(&mut counting.total);
        }
    }
    counting.end()
}

struct Counting<'c> {
    config: &'c Config,
    by: By,
    window: Window,
    now: i64,
    rows: BTreeMap<Option<String>, Row>,
    total: Row,
}

impl Counting<'_> {
    /// Returns the group of a server; days are those of what happened.
    fn key(&self, life: &Life) -> Option<String> {
        match self.by {
            By::Node => life.node.as_ref().map(ToString::to_string),
            By::Provider => life.provider.as_ref().map(ToString::to_string),
            By::Label => life.label.clone(),
            By::MadeFor => life.made_for.clone(),
            By::Day => None,
        }
    }

    fn life(&mut self, life: &Life) {
        let key = self.key(life);
        if life.begin_known {
            self.count(life.begin, key.clone(), |row| row.servers += 1);
        }
        if let Some((joined, boot)) = life.joined.zip(life.boot) {
            self.count(joined, key.clone(), |row| row.boots.add(boot, 1));
        }
        if let Some((at, Ending::Lost)) = life.end {
            self.count(at, key.clone(), |row| row.lost += 1);
        }
        let Some(part) = self.window.part(life.begin, life.end_or(self.now)) else {
            return;
        };
        let template = life.node.as_ref().and_then(|node| self.config.template(node.as_str()));
        let price = template.and_then(|template| template.price).map(|price| price.0);
        self.total.add_time(life, part, price, self.now);
        if self.by == By::Day {
            for (day, part) in days(part.0, part.1) {
                let row = self.rows.entry(Some(day_name(day))).or_default();
                row.add_time(life, part, price, self.now);
            }
        } else {
            self.rows.entry(key).or_default().add_time(life, part, price, self.now);
        }
    }

    /// Counts what happened at a point in time, if that is in the window.
    fn count(&mut self, at: i64, key: Option<String>, add: impl Fn(&mut Row)) {
        if !self.window.has(at) {
            return;
        }
        let key = if self.by == By::Day {
            Some(day_name(day_of(at)))
        } else {
            key
        };
        add(self.rows.entry(key).or_default());
        add(&mut self.total);
    }

    fn end(self) -> Groups {
        let mut rows: Vec<(Option<String>, Row)> = self.rows.into_iter().collect();
        if self.by != By::Day {
            rows.sort_by(|(a, one), (b, other)| other.millis.cmp(&one.millis).then_with(|| a.cmp(b)));
        }
        Groups {
            by: self.by,
            rows,
            total: self.total,
        }
    }
}

/// The columns of a report.
const COLUMNS: [&str; 16] = [
    "by",
    "key",
    "servers",
    "failures",
    "lost",
    "server_hours",
    "busy_share",
    "boots",
    "boot_seconds_median",
    "boot_seconds_p95",
    "items",
    "wait_seconds_median",
    "wait_seconds_p95",
    "cost",
    "currency",
    "unpriced_hours",
];

/// Returns a report as rows; the last one is the total.
pub fn group_sheet(groups: &Groups, currency: &str) -> Sheet {
    let has_waits = groups.by.has_waits();
    let word = groups.by.word();
    let rows = groups
        .rows
        .iter()
        .map(|(key, row)| fields(word, key.as_deref(), row, has_waits, currency));
    let total = fields("total", None, &groups.total, true, currency);
    Sheet {
        columns: COLUMNS.to_vec(),
        rows: rows.chain(std::iter::once(total)).collect(),
    }
}

fn fields(by: &str, key: Option<&str>, row: &Row, has_waits: bool, currency: &str) -> Vec<Field> {
    let number = |count: u128| Field::Whole(u64::try_from(count).unwrap_or(u64::MAX));
    let [boot, long_boot] = row.boots.percentiles([50, 95]);
    let [wait, long_wait] = row.waits.percentiles([50, 95]);
    let cost = row.cost();
    let currency = Some(currency).filter(|currency| cost.is_some() && !currency.is_empty());
    vec![
        Field::text(Some(by)),
        Field::text(key),
        Field::Whole(row.servers),
        Field::Whole(row.failures),
        Field::Whole(row.lost),
        Field::Decimal(Decimal::hours(row.millis)),
        Field::decimal(row.busy_share()),
        number(row.boots.count()),
        Field::whole(boot),
        Field::whole(long_boot),
        if has_waits {
            number(row.waits.count())
        } else {
            Field::Nothing
        },
        Field::whole(wait),
        Field::whole(long_wait),
        Field::decimal(cost),
        Field::text(currency),
        Field::Decimal(Decimal::hours(row.unpriced_millis())),
    ]
}
