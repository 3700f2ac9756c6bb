//! What really happened in a simulated world, held against what `mita history` says of it.
//!
//! The truth is the world's: when its cloud made and deleted each server, when each agent joined, when each build was
//! queued, began and ended. Nothing of it comes from mita. A pass sees the world only when it is made, so what it says of a
//! server may be off by the time between two passes, and by no more.

#![allow(dead_code, reason = "each user takes the part it needs")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::fakes::{State, World};

/// Milliseconds are cut off at several places.
const ROUNDING: f64 = 2.0;

/// What somebody who watches each pass knows.
pub struct Watch {
    /// Seconds between two passes.
    every: i64,
    /// When passes were made, in order.
    passes: Vec<i64>,
    /// The ids of the servers that were seen in ERROR.
    errors: BTreeSet<String>,
    /// The share of the items of a label that may count for another one.
    misread: f64,
}

/// A server as it was.
struct Server {
    id: String,
    template: String,
    created: i64,
    /// When it was gone; of one that lives, now.
    end: i64,
    joined: Option<i64>,
    /// The seconds in which it had a build.
    busy: i64,
}

impl Watch {
    /// Starts to watch.
    pub fn new(every: i64) -> Self {
        Self {
            every,
            passes: Vec::new(),
            errors: BTreeSet::new(),
            misread: 0.0,
        }
    }

    /// Allows for parts of pipelines. Jenkins tells their label in `why` alone; while that names a node instead, an item
    /// counts for the node or its template. In the total all count.
    #[must_use]
    pub fn with_pipelines(mut self) -> Self {
        self.misread = 0.1;
        self
    }

    /// Notes that a pass is made now.
    pub fn pass(&mut self, world: &World) {
        let state = world.lock();
        self.passes.push(state.clock);
        let servers = state.clouds.values().flat_map(|cloud| &cloud.servers);
        let failed = servers.filter(|server| server.status == "ERROR");
        self.errors.extend(failed.map(|server| server.id.clone()));
    }

    /// Holds what `mita history` says against what was. `prices`: by template, for an hour.
    pub fn compare(&self, world: &World, prices: &BTreeMap<&str, f64>, history: &dyn Fn(&[&str]) -> Value) -> Findings {
        let mut found = Findings::default();
        // Before the world is locked: the program asks it for the time.
        let [nodes, days, labels] = ["node", "day", "label"].map(|by| history(&["--by", by]));
        let state = world.lock();
        let servers = servers(&state);
        self.by_template(&servers, prices, &nodes, &mut found);
        self.by_day(&servers, &days, &mut found);
        self.by_label(&state, &labels, &mut found);
        found
    }

    fn by_template(&self, servers: &[Server], prices: &BTreeMap<&str, f64>, rows: &Value, found: &mut Findings) {
        let names: BTreeSet<&str> = servers.iter().map(|server| server.template.as_str()).collect();
        found.same("templates with hours", names.len(), &rows_with_hours(rows, "node"));
        for name in names {
            let own: Vec<&Server> = servers.iter().filter(|server| server.template == name).collect();
            self.row(
                name,
                &own,
                row(rows, "node", Some(name)),
                prices.get(name).copied(),
                found,
            );
        }
        let all: Vec<&Server> = servers.iter().collect();
        self.row("total", &all, row(rows, "total", None), None, found);
    }

    fn row(&self, name: &str, servers: &[&Server], row: &Value, price: Option<f64>, found: &mut Findings) {
        let slack = float(self.every) * count(servers.len()) + ROUNDING;
        let lived: i64 = servers.iter().map(|server| server.end - server.created).sum();
        let busy: i64 = servers.iter().map(|server| server.busy).sum();
        let failed = servers.iter().filter(|server| self.errors.contains(&server.id)).count();
        let hours = number(row, "server_hours") * 3600.0;
        found.same(&format!("{name}: servers"), servers.len(), &row["servers"]);
        found.same(&format!("{name}: failures"), failed, &row["failures"]);
        found.near(&format!("{name}: server-seconds"), float(lived), hours, slack);
        let share = number(row, "busy_share");
        found.near(&format!("{name}: busy seconds"), float(busy), share * hours, slack);
        let last = self.passes.last().copied().unwrap_or(0);
        let joined = servers
            .iter()
            .filter(|server| server.joined.is_some_and(|joined| joined <= last));
        let mut boots: Vec<i64> = joined
            .filter_map(|server| Some(server.joined? - server.created))
            .collect();
        boots.sort_unstable();
        found.same(&format!("{name}: boots"), boots.len(), &row["boots"]);
        for (percent, key) in [(50, "boot_seconds_median"), (95, "boot_seconds_p95")] {
            if let Some(boot) = percentile(&boots, percent) {
                found.near(
                    &format!("{name}: {key}"),
                    float(boot),
                    number(row, key),
                    float(self.every) + ROUNDING,
                );
            }
        }
        if let Some(price) = price {
            let (cost, slack) = (price * float(lived) / 3600.0, price * slack / 3600.0);
            found.near(&format!("{name}: cost"), cost, number(row, "cost"), slack);
        }
    }

    fn by_day(&self, servers: &[Server], rows: &Value, found: &mut Findings) {
        let mut days: BTreeMap<i64, (i64, usize)> = BTreeMap::new();
        for server in servers {
            for day in server.created / 86_400..=(server.end - 1).max(server.created) / 86_400 {
                let part = server.end.min((day + 1) * 86_400) - server.created.max(day * 86_400);
                let sum = days.entry(day).or_default();
                (sum.0, sum.1) = (sum.0 + part, sum.1 + 1);
            }
        }
        found.same("days", days.len(), &rows_with_hours(rows, "day"));
        for (day, (seconds, servers)) in days {
            let at = jiff::Timestamp::from_second(day * 86_400).unwrap_or_default();
            let name = at.strftime("%Y-%m-%d").to_string();
            let said = number(row(rows, "day", Some(&name)), "server_hours") * 3600.0;
            let slack = float(self.every) * count(servers) + ROUNDING;
            found.near(&format!("{name}: server-seconds"), float(seconds), said, slack);
        }
    }

    /// Compares the waits of the items that a pass saw waiting, and a later one no longer.
    fn by_label(&self, state: &State, rows: &Value, found: &mut Findings) {
        let mut waits: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let last = self.passes.last().copied().unwrap_or(0);
        for build in &state.jenkins.builds {
            let is_seen = self
                .passes
                .iter()
                .any(|pass| build.queued <= *pass && *pass < build.began);
            if is_seen && build.began <= last {
                let label: String = build
                    .label
                    .iter()
                    .flat_map(|label| label.chars())
                    .filter(|c| *c != ' ')
                    .collect();
                waits.entry(label).or_default().push(build.began - build.queued);
            }
        }
        let mut all = Vec::new();
        for (label, mut waits) in waits {
            waits.sort_unstable();
            let row = row(rows, "label", Some(&label));
            // Of a label that few items have, two may be misread, too.
            let pair = if self.misread > 0.0 { 2.0 } else { 0.5 };
            let slack = self.misread * count(waits.len());
            found.near(
                &format!("{label}: items"),
                count(waits.len()),
                number(row, "items"),
                slack.max(pair),
            );
            self.waits(&label, &waits, row, found);
            all.extend(waits);
        }
        all.sort_unstable();
        let total = row(rows, "total", None);
        found.same("total: items", all.len(), &total["items"]);
        self.waits("total", &all, total, found);
    }

    fn waits(&self, label: &str, waits: &[i64], row: &Value, found: &mut Findings) {
        for (percent, key) in [(50, "wait_seconds_median"), (95, "wait_seconds_p95")] {
            if let Some(wait) = percentile(waits, percent) {
                found.near(
                    &format!("{label}: {key}"),
                    float(wait),
                    number(row, key),
                    float(self.every) + ROUNDING,
                );
            }
        }
    }
}

/// What was found.
#[derive(Default)]
pub struct Findings {
    /// A line for each figure that is not true.
    pub wrong: Vec<String>,
    /// How many figures were compared.
    pub compared: usize,
    /// The largest difference, as a share of what is allowed.
    pub largest: f64,
}

impl Findings {
    fn same(&mut self, what: &str, truth: usize, said: &Value) {
        self.compared += 1;
        if said.as_u64() != u64::try_from(truth).ok() {
            self.wrong.push(format!("{what}: {said}, and is {truth}"));
        }
    }

    fn near(&mut self, what: &str, truth: f64, said: f64, slack: f64) {
        self.compared += 1;
        // Also where it is no number.
        let is_near = (truth - said).abs() <= slack;
        self.largest = self.largest.max((truth - said).abs() / slack);
        if !is_near {
            self.wrong
                .push(format!("{what}: {said:.3}, and is {truth:.3}, allowed are {slack:.3}"));
        }
    }
}

fn servers(state: &State) -> Vec<Server> {
    let mut servers = Vec::new();
    for cloud in state.clouds.values() {
        let past = cloud
            .past
            .iter()
            .map(|(id, name, created, gone)| (id, name, *created, *gone));
        let living = cloud
            .servers
            .iter()
            .map(|server| (&server.id, &server.name, server.created, state.clock));
        for (id, name, created, end) in past.chain(living) {
            servers.push(Server {
                id: id.clone(),
                template: name.split("__").next().unwrap_or_default().to_owned(),
                created,
                end,
                joined: state
                    .joins
                    .iter()
                    .find(|(_, server, _)| server == id)
                    .map(|(.., at)| *at),
                busy: busy(state, id, end),
            });
        }
    }
    servers
}

/// Returns the seconds in which a server had a build, be it several at once.
fn busy(state: &State, id: &str, end: i64) -> i64 {
    let runs_on = |agent: &str, began: i64| {
        let joins = state.joins.iter().filter(|(name, _, at)| name == agent && *at <= began);
        joins
            .max_by_key(|(.., at)| *at)
            .is_some_and(|(_, server, _)| server == id)
    };
    let builds = state
        .jenkins
        .builds
        .iter()
        .filter(|build| runs_on(&build.agent, build.began));
    let mut spans: Vec<(i64, i64)> = builds.map(|build| (build.began, build.ends.min(end))).collect();
    spans.sort_unstable();
    let (mut sum, mut until) = (0, i64::MIN);
    for (began, ends) in spans {
        sum += (ends - began.max(until)).max(0);
        until = until.max(ends);
    }
    sum
}

fn row<'r>(rows: &'r Value, by: &str, key: Option<&str>) -> &'r Value {
    let is_it = |row: &&Value| row["by"] == by && row["key"].as_str() == key;
    rows["rows"]
        .as_array()
        .and_then(|rows| rows.iter().find(is_it))
        .unwrap_or(&Value::Null)
}

fn rows_with_hours(rows: &Value, by: &str) -> Value {
    let has_hours = |row: &&Value| row["by"] == by && number(row, "server_hours") > 0.0;
    rows["rows"]
        .as_array()
        .map_or(0, |rows| rows.iter().filter(has_hours).count())
        .into()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or(f64::NAN)
}

/// By nearest rank.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a week")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "hundreds of servers")]
fn count(number: usize) -> f64 {
    number as f64
}
