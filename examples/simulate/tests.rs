//! Whole plays of small traces.

use clap::Parser;

use super::*;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::rules::bound;
use crate::trace::{config_with, own_config};

const SITE: &str = "  linux: {labels: [linux], max: 30}
  arm: {labels: [arm], max: 30, executors: 2}
";

/// A few hours of jobs for both templates.
fn jobs() -> Vec<Job> {
    let mut random = Random::new(5);
    let mut jobs: Vec<Job> = (0..60)
        .map(|number| Job {
            at: random.below(10_800),
            seconds: 30 + random.below(600),
            label: Some(if number % 3 == 0 { "arm" } else { "linux" }.to_owned()),
        })
        .collect();
    jobs.sort_by_key(|job| job.at);
    jobs
}

/// The rows of a command line, without its files.
fn rows(options: &str) -> Vec<Row> {
    let arguments = ["simulate", "c", "t"].into_iter().chain(options.split_whitespace());
    let compare = Cli::try_parse_from(arguments).expect("arguments").compare;
    let config = config_with(SITE).expect("a configuration");
    rows_of(&compare, &[(String::new(), config)], &jobs())
}

fn outcome(options: &str) -> Outcome {
    rows(options).remove(0).outcome
}

#[test]
fn every_rule_runs_every_job_and_leaves_no_fewer_hours_than_work() {
    for row in rows("10 --rules all --spares 1") {
        assert_eq!(
            (row.outcome.waits.len(), row.outcome.unserved),
            (60, 0),
            "{}",
            row.series()
        );
        assert!(row.outcome.utilisation() < 200.0, "{}", row.series());
    }
}

#[test]
fn who_lets_no_job_wait_has_no_fewer_hours_than_the_bound() {
    let bound = outcome("--rules bound");
    let kept = outcome("10 --min-ready 30 --boot 0");
    assert_eq!((bound.wait(100), kept.wait(100)), (0, 0));
    assert!(kept.hours() >= bound.hours(), "{} {}", kept.hours(), bound.hours());
}

/// The least cost of these jobs on nodes of one executor, by trying everything.
fn least(jobs: &[(i64, i64)], nodes: &mut Vec<i64>, restart: i64) -> i64 {
    let Some(((begin, end), rest)) = jobs.split_first() else {
        return 0;
    };
    let run = end - begin;
    nodes.push(*end);
    let mut best = run + restart + least(rest, nodes, restart);
    nodes.pop();
    for node in 0..nodes.len() {
        let free = nodes[node];
        if free <= *begin {
            nodes[node] = *end;
            best = best.min(run + (begin - free) + least(rest, nodes, restart));
            nodes[node] = free;
        }
    }
    best
}

#[test]
fn the_bound_is_the_least_of_all_ways_to_run_the_jobs() {
    let mut random = Random::new(11);
    for _ in 0..200 {
        let mut jobs: Vec<(i64, i64)> = (0..6)
            .map(|_| {
                let begin = random.below(400);
                (begin, begin + 1 + random.below(150))
            })
            .collect();
        jobs.sort_unstable();
        let found: i64 = bound::lives(&jobs, 1, 55).iter().sum();
        assert_eq!(found, least(&jobs, &mut Vec::new(), 60), "{jobs:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_rows_and_another_one_others() {
    let options = "5 10 --rules mita,no-delay --boot 30-300 --failing 20%";
    assert_eq!(rows(options), rows(options));
    assert_eq!(rows(options), rows(&format!("{options} --threads 1")));
    assert_ne!(rows(options), rows(&format!("{options} --seed 2")));
}

#[test]
fn every_option_changes_what_it_is_about() {
    let base = outcome("10");
    for option in [
        "--every 300",
        "--boot 200",
        "--boot 60-400",
        "--boot 30,400",
        "--failing 0.3",
        "--quota 3",
        "--post 20",
        "--min-ready 2",
        "--rules original",
        "--rules node-provisioner",
    ] {
        assert_ne!(outcome(&format!("10 {option}")), base, "{option}");
    }
    assert_ne!(outcome("40"), base);
    assert_ne!(
        outcome("--rules single-use --spares 1"),
        outcome("--rules single-use --spares 3")
    );
}

#[test]
fn longer_boots_and_rarer_passes_make_jobs_wait_longer() {
    let base = outcome("10").mean_wait();
    for option in ["--every 600", "--boot 300", "--quota 2", "--post 60"] {
        assert!(outcome(&format!("10 {option}")).mean_wait() > base, "{option}");
    }
}

#[test]
fn servers_that_never_join_cost_more_and_serve_nothing() {
    let (base, some) = (outcome("10"), outcome("10 --failing 30%"));
    assert!(some.lives.len() > base.lives.len() && some.unserved == 0);
    for rule in ["mita", "original", "no-delay", "cluster-autoscaler", "single-use"] {
        let none = outcome(&format!("10 --failing 1 --rules {rule}"));
        assert_eq!((none.waits.len(), none.unserved), (0, 60), "{rule}");
        assert!(!none.lives.is_empty(), "{rule}");
    }
}

#[test]
fn a_quota_of_one_runs_one_thing_after_the_other() {
    let job = |at| Job {
        at,
        seconds: 100,
        label: Some("linux".to_owned()),
    };
    let jobs: Vec<Job> = [0, 0, 0].map(job).into();
    let config = config_with("  linux: {labels: [linux], max: 30}\n").expect("a configuration");
    let arguments = "simulate c t 10 --quota 1 --rules mita,original,no-delay,cluster-autoscaler,node-provisioner";
    let compare = Cli::try_parse_from(arguments.split(' ')).expect("arguments").compare;
    for row in rows_of(&compare, &[(String::new(), config)], &jobs) {
        assert_eq!(row.outcome.lives.len(), 1, "{}", row.series());
        let gaps: Vec<i64> = row.outcome.waits.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(gaps, [100, 100], "{}", row.series());
    }
}

#[test]
fn a_burst_gets_a_server_for_each_item_and_waits_for_a_boot() {
    let jobs: Vec<Job> = [100]
        .into_iter()
        .chain(std::iter::repeat_n(7200, 20))
        .map(|at| Job {
            at,
            seconds: 300,
            label: Some("linux".to_owned()),
        })
        .collect();
    let config = config_with(SITE).expect("a configuration");
    let compare = Cli::try_parse_from(["simulate", "c", "t", "10"])
        .expect("arguments")
        .compare;
    let row = rows_of(&compare, &[(String::new(), config)], &jobs).remove(0);
    // The pass at 7200 sees the burst at once.
    assert_eq!(
        (row.outcome.lives.len(), row.outcome.wait(100), row.outcome.wait(50)),
        (21, 110, 90)
    );
}

#[test]
fn several_configurations_are_rows_of_their_own() {
    let compare =
        Cli::try_parse_from("simulate c t --as-configured --rules mita,no-delay".split(' ')).expect("arguments");
    let configs = [("own", own_config()), ("small", config_with(SITE))]
        .map(|(name, config)| (name.to_owned(), config.expect("a configuration")));
    let rows = rows_of(&compare.compare, &configs, &jobs());
    let names: Vec<(String, usize)> = rows.iter().map(|row| (row.series(), row.outcome.waits.len())).collect();
    assert_eq!(
        names,
        [
            ("mita, own".to_owned(), 40),
            ("mita, small".to_owned(), 60),
            ("no-delay, own".to_owned(), 40)
        ]
    );
}

#[test]
fn the_figure_names_each_curve_and_point() {
    let rows = rows("5 10 --rules mita,bound,single-use --spares 1,2");
    let svg = svg::figure(&rows);
    for text in [
        "server-hours",
        "mean wait, seconds",
        ">mita<",
        ">bound<",
        ">single-use<",
        "5 min to 10 min",
        "<title>mita, 10 min: ",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    assert_eq!(svg.matches("<circle").count(), rows.len());
}

/// The form in which `mita history --trace` writes.
#[test]
fn a_trace_of_the_journal_is_played() {
    let text = "\
# 2 jobs of the journal since 2026-03-02T06:00:00Z
# SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL
# Of several items that one pass saw served, waits between are estimated; how long a job runs is the average
# of its template: the journal does not know it.
0 300 linux
60 300 linux || arm
";
    let jobs = trace::read(text).expect("a trace");
    let compare = Cli::try_parse_from(["simulate", "c", "t", "10"])
        .expect("arguments")
        .compare;
    let config = config_with(SITE).expect("a configuration");
    let row = rows_of(&compare, &[(String::new(), config)], &jobs).remove(0);
    assert_eq!((row.outcome.waits.len(), row.outcome.unserved), (2, 0));
}
