//! The rows of a comparison: what is played, and how it went.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;
use mita::config::Config;

use super::args::Ready;
use super::conditions::Conditions;
use super::outcome::Outcome;
use super::play::{Setting, play};
use super::rules::{Chosen, Name};
use super::trace::Job;

/// A row that is to be played.
#[derive(Clone, Debug)]
pub struct Plan<'p> {
    /// The configuration by name; empty where there is one alone.
    pub name: String,
    /// The templates, with the graces and warm pools of the row.
    pub config: Config,
    /// The warm pool.
    pub ready: Ready,
    /// The idle grace in minutes; `None`: that of the configuration, or none.
    pub grace: Option<u32>,
    /// The rule.
    pub rule: Chosen,
    /// The trace.
    pub jobs: &'p [Job],
    /// The world.
    pub conditions: &'p Conditions,
}

/// A row that was played.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The configuration by name; empty where there is one alone.
    pub config: String,
    /// The warm pool.
    pub ready: Ready,
    /// The idle grace in minutes; `None`: that of the configuration, or none.
    pub grace: Option<u32>,
    /// The rule.
    pub rule: Chosen,
    /// How it went.
    pub outcome: Outcome,
}

impl Row {
    /// What one curve is made of: all rows that differ in grace, or spares, alone.
    pub fn series(&self) -> String {
        let parts = [self.rule.name().text(), self.config.clone(), self.ready.text()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }

    /// The knob that is turned along a curve.
    pub fn knob(&self) -> String {
        match (&self.rule, self.grace) {
            (Chosen::SingleUse { spares }, _) => format!("{spares} ready"),
            (_, Some(minutes)) => format!("{minutes} min"),
            _ => String::new(),
        }
    }

    /// The mean wait in seconds and the server-hours.
    pub fn point(&self) -> (f64, f64) {
        (self.outcome.mean_wait(), self.outcome.hours())
    }
}

/// A configuration whose templates have another idle grace and another warm pool.
pub fn adapted(config: &Config, grace: Option<u32>, ready: Ready) -> Config {
    let mut config = config.clone();
    for template in &mut config.templates {
        if let Some(minutes) = grace {
            template.idle_grace = SignedDuration::from_mins(i64::from(minutes));
        }
        if let Some(ready) = ready.min_ready() {
            template.min_ready = ready;
        }
    }
    config
}

/// The idle grace of a configuration's first template, in seconds: what a model of another rule takes where no grace was
/// named.
pub fn own_grace(config: &Config) -> i64 {
    config
        .templates
        .first()
        .map_or(600, |template| template.idle_grace.as_secs())
}

/// A model of another rule, by its name and the grace in seconds.
pub fn model(name: Name, grace: i64) -> Option<Chosen> {
    match name {
        Name::Original => Some(Chosen::Original { grace }),
        Name::NodeProvisioner => Some(Chosen::NodeProvisioner { grace }),
        Name::NoDelay => Some(Chosen::NoDelay { grace }),
        Name::ClusterAutoscaler => Some(Chosen::ClusterAutoscaler { grace }),
        Name::Mita | Name::SingleUse | Name::Bound => None,
    }
}

/// Plays the rows, some at the same time, and returns them in their order.
pub fn play_all(plans: &[Plan<'_>], threads: usize) -> Vec<Row> {
    let next = AtomicUsize::new(0);
    let played: Mutex<Vec<(usize, Row)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, plans.len().max(1)) {
            scope.spawn(|| {
                while let Some((at, plan)) = take(&next, plans) {
                    let row = play_one(plan);
                    played.lock().unwrap_or_else(PoisonError::into_inner).push((at, row));
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    played.sort_by_key(|(at, _)| *at);
    played.into_iter().map(|(_, row)| row).collect()
}

fn take<'p, 'j>(next: &AtomicUsize, plans: &'p [Plan<'j>]) -> Option<(usize, &'p Plan<'j>)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    plans.get(at).map(|plan| (at, plan))
}

fn play_one(plan: &Plan<'_>) -> Row {
    let setting = Setting {
        config: &plan.config,
        jobs: plan.jobs,
        conditions: plan.conditions,
    };
    Row {
        config: plan.name.clone(),
        ready: plan.ready,
        grace: plan.grace,
        rule: plan.rule.clone(),
        outcome: play(setting, &plan.rule),
    }
}

/// How many rows are played at the same time: as asked for, else as there are processors.
pub fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}
