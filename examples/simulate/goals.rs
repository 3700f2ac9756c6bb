//! mita's own goals, measured: what is wanted, what came out, and whether it is met.

use std::path::Path;
use std::process::ExitCode;

use mita::config::{Config, Template};

use super::args::{Pool, Ready};
use super::conditions::{Conditions, Share};
use super::curve::Curve;
use super::rows::{Plan, Row, adapted, model, play_all};
use super::rules::{Chosen, Name};
use super::trace::{Job, load, load_config};

/// The idle graces of mita's curve, in minutes.
const GRACES: [u32; 6] = [1, 2, 5, 10, 20, 40];

/// The idle graces of the other rules' curves, in minutes.
const OTHERS_GRACES: [u32; 6] = [2, 5, 10, 20, 30, 40];

/// How many nodes single-use keeps ready.
const SPARES: [usize; 4] = [0, 1, 2, 4];

/// The warm pools of mita's curves.
const POOLS: [Pool; 8] = [
    Pool::of(0),
    Pool::of(0).with_spare(10),
    Pool::of(0).with_spare(15),
    Pool::of(0).with_spare(20),
    Pool::of(0).with_spare(30),
    Pool::of(0).with_spare(40),
    Pool::of(1).with_spare(40),
    Pool::of(2),
];

const RHYTHM: Ready = Ready::Pool(Pool {
    rhythm: true,
    ..Pool::of(0)
});

/// The other rules, each with what it has by default: minutes of idle grace, or nodes kept ready.
const OTHERS: [(Name, u32); 5] = [
    (Name::Original, 40),
    (Name::NodeProvisioner, 30),
    (Name::NoDelay, 30),
    (Name::ClusterAutoscaler, 10),
    (Name::SingleUse, 2),
];

/// A goal that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Measured {
    name: String,
    wanted: String,
    came_out: String,
    met: bool,
}

impl Measured {
    fn new(name: impl Into<String>, wanted: String, came_out: String, met: bool) -> Self {
        Self {
            name: name.into(),
            wanted,
            came_out,
            met,
        }
    }
}

/// Measures the goals and prints each once it is known; the exit code is 1 where one is not met.
pub fn run(dir: &Path, only: Option<&str>, threads: usize) -> Result<ExitCode, String> {
    let bench = Bench::new(dir, threads)?;
    let mut counts = (0, 0);
    for (name, measure) in GROUPS {
        if only.is_none_or(|only| name.contains(only)) {
            for goal in measure(&bench)? {
                counts = (counts.0 + usize::from(goal.met), counts.1 + 1);
                let met = if goal.met { "met    " } else { "NOT MET" };
                println!(
                    "{met}  {}\n         wanted {}; measured {}",
                    goal.name, goal.wanted, goal.came_out
                );
            }
        }
    }
    if let Some(only) = only
        && counts.1 == 0
    {
        let known: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no goals `{only}`; there are {}", known.join(", ")));
    }
    println!("{} of {} goals are met", counts.0, counts.1);
    Ok(if counts.0 == counts.1 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What the goals are measured on.
const FILES: [&str; 8] = [
    "office.trace",
    "real.trace",
    "matrix.trace",
    "surplus.trace",
    "shared-cap.trace",
    "site.yaml",
    "one.yaml",
    "shared-cap.yaml",
];

type Measure = fn(&Bench) -> Result<Vec<Measured>, String>;

/// The groups of goals by name; the quick ones first.
const GROUPS: [(&str, Measure); 9] = [
    ("burst", burst),
    ("shared-cap", shared_cap),
    ("surplus", surplus),
    ("matrix", matrix),
    ("rhythm", rhythm),
    ("failing", failing),
    ("office-60", |bench| curves(bench, "office", 60)),
    ("real-60", |bench| curves(bench, "real", 60)),
    ("15", |bench| {
        Ok([curves(bench, "office", 15)?, curves(bench, "real", 15)?].concat())
    }),
];

/// The folder of the traces, and how they are played.
struct Bench {
    dir: std::path::PathBuf,
    threads: usize,
    steady: Conditions,
    failing: Conditions,
}

impl Bench {
    fn new(dir: &Path, threads: usize) -> Result<Self, String> {
        let missing: Vec<&str> = FILES.into_iter().filter(|name| !dir.join(name).is_file()).collect();
        if !missing.is_empty() {
            return Err(format!(
                "{}: no {}; the goals are measured on these files, see `goals --help`",
                dir.display(),
                missing.join(", no ")
            ));
        }
        Ok(Self {
            dir: dir.to_owned(),
            threads,
            steady: Conditions::default(),
            failing: Conditions {
                failing: Share(0.1),
                ..Conditions::default()
            },
        })
    }

    fn trace(&self, name: &str) -> Result<Vec<Job>, String> {
        load(&self.dir.join(format!("{name}.trace")))
    }

    fn config(&self, name: &str) -> Result<Config, String> {
        load_config(&self.dir.join(format!("{name}.yaml")))
    }

    /// A row of mita; `None` as grace: that of the configuration.
    fn mita<'p>(&'p self, config: &Config, jobs: &'p [Job], every: i64, grace: Option<u32>, ready: Ready) -> Plan<'p> {
        self.row(
            &adapted(config, grace, ready),
            jobs,
            Chosen::Mita { every },
            grace,
            ready,
        )
    }

    fn row<'p>(&'p self, config: &Config, jobs: &'p [Job], rule: Chosen, grace: Option<u32>, ready: Ready) -> Plan<'p> {
        Plan {
            name: String::new(),
            config: config.clone(),
            ready,
            grace,
            rule,
            jobs,
            conditions: &self.steady,
        }
    }

    fn play(&self, plans: &[Plan<'_>]) -> Vec<Row> {
        play_all(plans, self.threads)
    }
}

/// A day of bursts, each at another second of the minute: 100 jobs at once, for a template that is proved.
fn bursts() -> Vec<Job> {
    let job = |at, seconds| Job {
        at,
        seconds,
        label: Some("a".to_owned()),
    };
    let begin = (0..12).map(|number| 25_200 + 14_400 * number + 5 * number);
    let all = begin.flat_map(|at| std::iter::repeat_n(at, 100));
    [job(100, 60)].into_iter().chain(all.map(|at| job(at, 600))).collect()
}

fn burst(bench: &Bench) -> Result<Vec<Measured>, String> {
    let (config, jobs) = (bench.config("one")?, bursts());
    let rows = bench.play(&[bench.mita(&config, &jobs, 60, None, Ready::AsConfigured)]);
    Ok(rows
        .iter()
        .map(|row| {
            let mean = row.outcome.mean_wait();
            let measured = format!("{mean:.1} s, longest {} s", row.outcome.wait(100));
            Measured::new(
                "burst of 100, proved, 60 s passes",
                "a mean wait of at most 125 s".to_owned(),
                measured,
                mean <= 125.0,
            )
        })
        .collect())
}

fn shared_cap(bench: &Bench) -> Result<Vec<Measured>, String> {
    let (config, jobs) = (bench.config("shared-cap")?, bench.trace("shared-cap")?);
    let plans = [Some(40), None].map(|grace| bench.mita(&config, &jobs, 60, grace, Ready::AsConfigured));
    let rows = bench.play(&plans);
    Ok(rows
        .iter()
        .map(|row| {
            let (longest, never) = (row.outcome.wait(100), row.outcome.unserved);
            let name = format!("shared-cap.trace, {}", grace_text(row.grace));
            let measured = format!("{longest} s, {never} never ran");
            Measured::new(
                name,
                "a longest wait of at most 330 s".to_owned(),
                measured,
                longest <= 330 && never == 0,
            )
        })
        .collect())
}

/// By the defaults, and at the grace of 40 minutes; both against 40 minutes without the rule.
fn surplus(bench: &Bench) -> Result<Vec<Measured>, String> {
    let (config, jobs) = (bench.config("one")?, bench.trace("surplus")?);
    let mut without = config.clone();
    without.rules.surplus = false;
    let plans = [(&without, Some(40)), (&config, None), (&config, Some(40))]
        .map(|(config, grace)| bench.mita(config, &jobs, 60, grace, Ready::AsConfigured));
    let rows = bench.play(&plans);
    let Some((before, after)) = rows.split_first() else {
        return Ok(Vec::new());
    };
    let (hours, longest) = (before.outcome.hours(), before.outcome.wait(100));
    // The longest wait is a boot and what is left of the gap to the next pass when a job comes.
    let gap = 60;
    let goal = |row: &Row| {
        let share = 100.0 * row.outcome.hours() / hours;
        Measured::new(
            format!("surplus.trace, {}", grace_text(row.grace)),
            format!(
                "at most 45 % of the {hours:.1} h of 40 min without the rule, and no wait over {longest} s by more than a pass"
            ),
            format!("{} ({share:.1} %), longest {} s", figures(row), row.outcome.wait(100)),
            share <= 45.0 && row.outcome.wait(100) <= longest + gap,
        )
    };
    Ok(after.iter().map(goal).collect())
}

fn matrix(bench: &Bench) -> Result<Vec<Measured>, String> {
    let (config, jobs) = (bench.config("one")?, bench.trace("matrix")?);
    let rows = bench.play(&[bench.mita(&config, &jobs, 60, None, Ready::AsConfigured)]);
    let goal = |row: &Row| {
        let (wait, hours) = row.point();
        let wanted = "at most 1100 h at a mean wait of at most 155 s".to_owned();
        Measured::new(
            "matrix.trace, by the defaults",
            wanted,
            figures(row),
            hours <= 1100.0 && wait <= 155.0,
        )
    };
    Ok(rows.iter().map(goal).collect())
}

/// The rule for periodic load: far better there, and no worse elsewhere.
fn rhythm(bench: &Bench) -> Result<Vec<Measured>, String> {
    let (one, matrix) = (bench.config("one")?, bench.trace("matrix")?);
    let rows = bench.play(&[bench.mita(&one, &matrix, 60, None, RHYTHM)]);
    let periodic = rows.iter().map(|row| {
        let (wait, hours) = row.point();
        let wanted = "less than 1000 h at a mean wait of less than 30 s".to_owned();
        let met = hours < 1000.0 && wait < 30.0;
        Measured::new("matrix.trace with rhythm", wanted, figures(row), met)
    });
    let mut goals: Vec<Measured> = periodic.collect();
    for name in ["office", "real"] {
        goals.extend(rhythm_elsewhere(bench, name)?);
    }
    Ok(goals)
}

/// What the rule for periodic load costs where load is not periodic, at equal mean wait.
fn rhythm_elsewhere(bench: &Bench, name: &str) -> Result<Option<Measured>, String> {
    let (config, jobs) = (bench.config("site")?, bench.trace(name)?);
    let without = [5, 10, 20].map(|grace| bench.mita(&config, &jobs, 60, Some(grace), Ready::Pool(Pool::of(0))));
    let curve = Curve::new(bench.play(&without).iter().map(Row::point));
    let rows = bench.play(&[bench.mita(&config, &jobs, 60, Some(10), RHYTHM)]);
    Ok(rows.first().map(|row| {
        let (wait, hours) = row.point();
        let before = curve.hours_at(wait);
        let wanted = format!(
            "at most 1 % more than the {:.1} h without it at the same wait",
            before.unwrap_or(f64::NAN)
        );
        let met = before.is_some_and(|before| hours <= 1.01 * before);
        Measured::new(format!("{name}.trace with rhythm"), wanted, figures(row), met)
    }))
}

fn failing(bench: &Bench) -> Result<Vec<Measured>, String> {
    let config = bench.config("site")?;
    let mut goals = Vec::new();
    for name in ["office", "real"] {
        let jobs = bench.trace(name)?;
        let plan = bench.mita(&config, &jobs, 60, None, Ready::AsConfigured);
        let failing = Plan {
            conditions: &bench.failing,
            ..plan.clone()
        };
        let rows = bench.play(&[plan, failing]);
        let [steady, failing] = rows.as_slice() else {
            return Ok(Vec::new());
        };
        let (without, with) = (steady.outcome.mean_wait(), failing.outcome.mean_wait());
        let wanted = format!("a mean wait of at most 1.45 times {without:.1} s");
        let measured = format!(
            "{with:.1} s ({:.2} times), longest {} s",
            with / without,
            failing.outcome.wait(100)
        );
        goals.push(Measured::new(
            format!("{name}.trace, 10 % failing boots"),
            wanted,
            measured,
            with <= 1.45 * without,
        ));
    }
    Ok(goals)
}

/// mita's curve against every other rule, at equal mean wait.
fn curves(bench: &Bench, name: &str, every: i64) -> Result<Vec<Measured>, String> {
    let (mut config, jobs) = (bench.config("site")?, bench.trace(name)?);
    // A fixed pool is for templates that jobs ask for, as the spares of single use are.
    let asked: Vec<&str> = jobs.iter().filter_map(|job| job.label.as_deref()).collect();
    let is_asked = |template: &Template| {
        asked
            .iter()
            .any(|label| template.labels.iter().any(|own| own.as_str() == *label))
    };
    config.templates.retain(is_asked);
    let own = GRACES
        .iter()
        .flat_map(|grace| POOLS.map(|pool| bench.mita(&config, &jobs, every, Some(*grace), Ready::Pool(pool))));
    let own = bench.play(&own.collect::<Vec<_>>());
    for row in &own {
        println!("         {name}, {every} s passes, {}: {}", knobs(row), figures(row));
    }
    let curves = own_curves(&own);
    let most = if every <= 15 { 1.0 } else { 1.05 };
    let mut goals = Vec::new();
    for (other, usual) in OTHERS {
        let rows = bench.play(&others(bench, &config, &jobs, other));
        let title = format!("{name}.trace, {every} s passes, against {}", other.text());
        goals.extend(against(&title, &curves, &rows, usual, most));
    }
    if name == "office" && every <= 15 {
        goals.extend(gap(bench, &config, &jobs, &curves));
    }
    Ok(goals)
}

fn others<'p>(bench: &'p Bench, config: &Config, jobs: &'p [Job], other: Name) -> Vec<Plan<'p>> {
    let row = |grace, rule| bench.row(config, jobs, rule, grace, Ready::AsConfigured);
    if other == Name::SingleUse {
        return SPARES
            .iter()
            .map(|spares| row(None, Chosen::SingleUse { spares: *spares }))
            .collect();
    }
    let rules = OTHERS_GRACES
        .iter()
        .filter_map(|grace| Some((*grace, model(other, i64::from(*grace) * 60)?)));
    rules.map(|(grace, rule)| row(Some(grace), rule)).collect()
}

/// mita's curves: at each warm pool over the graces, and at each grace over the pools. Between two spares `used_every` is a
/// knob, between two fixed pools the share of the time in which the larger one's window is open.
fn own_curves(rows: &[Row]) -> Vec<Curve> {
    let curve = |own: &dyn Fn(&Row) -> bool| Curve::new(rows.iter().filter(|row| own(row)).map(Row::point));
    let by_pool = POOLS.map(|pool| curve(&|row| row.ready == Ready::Pool(pool)));
    let by_grace = GRACES.map(|grace| curve(&|row| row.grace == Some(grace)));
    by_pool.into_iter().chain(by_grace).collect()
}

/// The fewest hours of several curves at a mean wait.
fn least_hours(curves: &[Curve], wait: f64) -> Option<f64> {
    let hours = curves.iter().filter_map(|curve| curve.hours_at(wait));
    hours.min_by(f64::total_cmp)
}

/// The goals against one rule: at what it has by default, and at all of its knobs.
fn against(title: &str, curves: &[Curve], rows: &[Row], usual: u32, most: f64) -> Vec<Measured> {
    let ratio = |row: &Row| least_hours(curves, row.outcome.mean_wait()).map(|hours| hours / row.outcome.hours());
    let wanted = format!("at most {:.0} % of its server-hours at its mean wait", 100.0 * most);
    let text = |row: &Row| {
        let ratio = ratio(row).map_or("mita never waits so little".to_owned(), |ratio| {
            format!("{:.1} %", 100.0 * ratio)
        });
        format!("{ratio} at its {} ({})", knobs(row), figures(row))
    };
    let worst = rows.iter().max_by(|a, b| {
        let or_none = |row: &&Row| ratio(row).unwrap_or(f64::INFINITY);
        or_none(a).total_cmp(&or_none(b))
    });
    let met = |row: &Row| ratio(row).is_some_and(|ratio| ratio <= most);
    let usual = rows.iter().find(|row| is_usual(row, usual));
    let by_default =
        usual.map(|row| Measured::new(format!("{title}, its default"), wanted.clone(), text(row), met(row)));
    let anywhere = worst.map(|row| Measured::new(format!("{title}, anywhere"), wanted.clone(), text(row), met(row)));
    by_default.into_iter().chain(anywhere).collect()
}

fn is_usual(row: &Row, usual: u32) -> bool {
    match row.rule {
        Chosen::SingleUse { spares } => u32::try_from(spares) == Ok(usual),
        _ => row.grace == Some(usual),
    }
}

/// How much of the way from cluster-autoscaler to the bound mita goes.
fn gap(bench: &Bench, config: &Config, jobs: &[Job], curves: &[Curve]) -> Option<Measured> {
    let rules = [Chosen::ClusterAutoscaler { grace: 600 }, Chosen::Bound];
    let rows = bench.play(&rules.map(|rule| bench.row(config, jobs, rule, None, Ready::AsConfigured)));
    let [other, bound] = rows.as_slice() else { return None };
    let hours = least_hours(curves, other.outcome.mean_wait())?;
    let (from, to) = (other.outcome.hours(), bound.outcome.hours());
    let closed = 100.0 * (from - hours) / (from - to);
    Some(Measured::new(
        "office.trace: the gap between cluster-autoscaler (10 min) and the bound",
        format!("half of it closed: from {from:.1} h towards {to:.1} h"),
        format!(
            "{closed:.1} % closed: {hours:.1} h at {:.1} s",
            other.outcome.mean_wait()
        ),
        closed >= 50.0,
    ))
}

fn figures(row: &Row) -> String {
    let (wait, hours) = row.point();
    format!("{hours:.1} h at {wait:.1} s")
}

fn grace_text(grace: Option<u32>) -> String {
    grace.map_or_else(|| "its own grace".to_owned(), |minutes| format!("{minutes} min"))
}

fn knobs(row: &Row) -> String {
    let ready = match row.rule {
        Chosen::SingleUse { spares } => return format!("{spares} kept ready"),
        _ => row.ready.text(),
    };
    let ready = if ready.is_empty() {
        ready
    } else {
        format!(", min_ready {ready}")
    };
    grace_text(row.grace) + &ready
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    fn row(grace: u32, wait: i64, hours: i64) -> Row {
        Row {
            config: String::new(),
            ready: Ready::AsConfigured,
            grace: Some(grace),
            rule: Chosen::NoDelay { grace: 600 },
            outcome: Outcome {
                waits: vec![wait],
                lives: vec![hours * 3600],
                busy_seconds: 0,
                unserved: 0,
            },
        }
    }

    #[test]
    fn a_rule_is_met_at_its_default_and_anywhere() {
        let curves = [Curve::new([(20.0, 100.0), (40.0, 60.0)]), Curve::new([(25.0, 200.0)])];
        let goals = against("x", &curves, &[row(10, 30, 100), row(20, 20, 90)], 10, 1.0);
        let met: Vec<bool> = goals.iter().map(|goal| goal.met).collect();
        assert_eq!(met, [true, false], "{goals:?}");
        assert!(
            goals[0]
                .came_out
                .starts_with("80.0 % at its 10 min (100.0 h at 30.0 s)"),
            "{goals:?}"
        );
        assert!(goals[1].came_out.starts_with("111.1 % at its 20 min"), "{goals:?}");
    }

    #[test]
    fn a_wait_that_mita_never_reaches_is_not_met() {
        let goals = against("x", &[Curve::new([(20.0, 100.0)])], &[row(10, 5, 1000)], 10, 1.05);
        assert!(
            goals
                .iter()
                .all(|goal| !goal.met && goal.came_out.starts_with("mita never waits so little"))
        );
    }

    #[test]
    fn bursts_are_proved_first_and_meet_passes_at_many_seconds() {
        let jobs = bursts();
        assert_eq!(jobs.len(), 1201);
        let seconds: std::collections::BTreeSet<i64> = jobs.iter().skip(1).map(|job| job.at % 60).collect();
        assert_eq!(seconds.len(), 12);
    }
}
