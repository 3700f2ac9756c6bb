//! What the watcher sees: a few lines for a minute in which something happens, quiet minutes folded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fakes::World;
use super::pass::Report;

/// The width of time and figures.
const HEAD: usize = 36;

/// Remembers what was shown, to show only what is new.
pub struct Watcher {
    /// How wide lines may be.
    width: usize,
    online: BTreeSet<String>,
    failed: BTreeSet<String>,
    unmet: BTreeMap<String, String>,
    said: BTreeSet<String>,
    quiet: u32,
    start: i64,
    /// The passes so far.
    pub passes: u32,
    /// Requests to Jenkins and to the cloud.
    pub requests: (u64, u64),
    /// Servers asked for.
    pub created: u64,
    /// Servers that ended in ERROR.
    pub errors: u64,
}

impl Watcher {
    /// Begins at the world's time.
    pub fn new(world: &World, width: usize) -> Self {
        Self {
            width,
            online: BTreeSet::from(["house".to_owned()]),
            failed: BTreeSet::new(),
            unmet: BTreeMap::new(),
            said: BTreeSet::new(),
            quiet: 0,
            start: world.lock().clock,
            passes: 0,
            requests: (0, 0),
            created: 0,
            errors: 0,
        }
    }

    /// Prints what a pass saw and did, if it is worth a line.
    pub fn tell(&mut self, world: &World, report: &Report, notes: &[String]) {
        self.passes += 1;
        let requests = &report.json["observed"]["requests"];
        self.requests.0 += requests["jenkins"].as_u64().unwrap_or(0);
        self.requests.1 += requests["openstack"].as_u64().unwrap_or(0);
        let mut lines: Vec<String> = notes.iter().map(|n| format!("~ {n}")).collect();
        lines.extend(self.arrivals(world));
        lines.extend(self.actions(world, &report.json));
        lines.extend(self.unmet(&report.json));
        for line in report.said.lines() {
            let known = line.split_whitespace().take(5).collect::<Vec<_>>().join(" ");
            if self.said.insert(known) {
                lines.push(format!("! {}", short(line)));
            }
        }
        if report.json.is_null() {
            lines.push(format!("! the pass ended with {}", report.exit));
        }
        if lines.is_empty() {
            self.quiet += 1;
            return;
        }
        self.fold();
        let head = self.head(world);
        for (at, line) in lines.iter().enumerate() {
            let head = if at == 0 { head.as_str() } else { "" };
            println!("{}", cut(&format!("{head:<HEAD$}{line}"), self.width));
        }
    }

    /// Says how many minutes went by without news.
    pub fn fold(&mut self) {
        match std::mem::take(&mut self.quiet) {
            0 => {}
            1 => println!("    ·"),
            minutes => println!("    · {minutes} quiet minutes"),
        }
    }

    /// Time, and what there is.
    fn head(&self, world: &World) -> String {
        let state = world.lock();
        let minute = (state.clock - self.start) / 60;
        let running = state.jenkins.builds.iter().filter(|b| !b.done).count();
        let servers: usize = state.clouds.values().map(|c| c.servers.len()).sum();
        format!(
            "{:>2}:{:02}   {:>7}  {running:>7}  {servers:>7}",
            minute / 60,
            minute % 60,
            state.jenkins.queue.len()
        )
    }

    /// Agents that joined, servers that failed, since the last look.
    fn arrivals(&mut self, world: &World) -> Vec<String> {
        let state = world.lock();
        let online: BTreeSet<String> = state
            .jenkins
            .agents
            .values()
            .filter(|a| a.connected && a.removed.is_none())
            .map(|a| a.name.clone())
            .collect();
        let joined: Vec<&String> = online.difference(&self.online).collect();
        let mut lines = grouped("*", "joined", &joined);
        let servers = state.clouds.values().flat_map(|c| &c.servers);
        let failed: BTreeSet<String> = servers
            .filter(|s| s.status == "ERROR")
            .map(|s| s.name.clone())
            .collect();
        let new: Vec<&String> = failed.difference(&self.failed).collect();
        self.errors += new.len() as u64;
        lines.extend(grouped("!", "ended in ERROR: no valid host was found", &new));
        self.online = online;
        self.failed = failed;
        lines
    }

    /// Creates and removals, alike ones together.
    fn actions(&mut self, world: &World, report: &Value) -> Vec<String> {
        let mut groups: BTreeMap<(&str, String, String), (usize, String)> = BTreeMap::new();
        for action in report["actions"].as_array().into_iter().flatten() {
            let text = |key: &str| action[key].as_str().unwrap_or_default().to_owned();
            let sign = match (text("do").as_str(), text("result").as_str()) {
                ("create", "done") => "+",
                ("delete_server", "done") => "-",
                (_, "done") => continue,
                (_, "skipped") if text("do") != "create" => continue,
                _ => "!",
            };
            let template = action["node"]
                .as_str()
                .map_or_else(|| kind_of(&text("name")), str::to_owned);
            let place = match sign {
                "+" => zone_of(world, &text("name")),
                "!" => format!("{} {}", text("do"), text("result")),
                _ => String::new(),
            };
            self.created += u64::from(sign == "+");
            let because = if sign == "!" && action["error"].is_string() {
                "error"
            } else {
                "because"
            };
            groups.entry((sign, template, place)).or_insert((0, text(because))).0 += 1;
        }
        let more = |sign: &str, count: usize| match (sign, count) {
            ("+", 2..) => format!(", and {} more", count - 1),
            _ => String::new(),
        };
        let shown = |((sign, kind, place), (count, why)): (&(&str, String, String), &(usize, String))| {
            let begin = match *sign {
                "!" | "+" => line(sign, *count, kind, &format!("{place}: ")),
                _ => line(sign, *count, kind, ""),
            };
            let more = more(sign, *count);
            let taken = HEAD + begin.chars().count() + more.chars().count();
            format!("{begin}{}{more}", cut(&short(why), self.width.saturating_sub(taken)))
        };
        groups.iter().map(shown).collect()
    }

    /// What gets nothing, when the reason is a new one.
    fn unmet(&mut self, report: &Value) -> Vec<String> {
        let mut now = BTreeMap::new();
        let mut lines = Vec::new();
        for unmet in report["unmet"].as_array().into_iter().flatten() {
            let label = unmet["label"].as_str().unwrap_or("(no label)").to_owned();
            let reason = unmet["reason"].as_str().unwrap_or_default();
            // A count in a reason is no news.
            let gist: String = reason.chars().filter(|c| !c.is_ascii_digit()).collect();
            if self.unmet.get(&label) != Some(&gist) {
                lines.push(format!("! {label} waits: {}", short(reason)));
            }
            now.insert(label, gist);
        }
        self.unmet = now;
        lines
    }
}

/// One line for each template.
fn grouped(sign: &str, what: &str, names: &[&String]) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(kind_of(name)).or_default() += 1;
    }
    counts
        .iter()
        .map(|(kind, count)| line(sign, *count, kind, what))
        .collect()
}

/// The template in a name, `linux__0123…` or `arm+10.0.0.1`.
fn kind_of(name: &str) -> String {
    name.split("__")
        .next()
        .and_then(|n| n.split('+').next())
        .unwrap_or(name)
        .to_owned()
}

/// `+ 2 linux   in az1: …`
fn line(sign: &str, count: usize, kind: &str, text: &str) -> String {
    format!("{sign} {count} {kind:<7} {text}")
}

fn zone_of(world: &World, name: &str) -> String {
    let state = world.lock();
    let server = state.clouds.values().flat_map(|c| &c.servers).find(|s| s.name == name);
    server.map_or_else(String::new, |s| format!("in {}", s.zone))
}

/// What was said, without the words that are the same in every line.
fn short(text: &str) -> String {
    text.replace("queue item ", "#").replace("(part of ", "(")
}

/// Cuts a text that is longer than so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}
