//! This mita: the real planner decides, a pass each so many seconds.

use jiff::Timestamp;
use mita::config::Config;
use mita::plan::{Context, Plan, plan};
use mita::state::{EventMemory, State};

use super::Rule;
use crate::mirror::Mirror;
use crate::site::Site;

/// When the trace starts: 2026-03-02T06:00:00Z, a Monday.
pub const START: i64 = 1_772_431_200;

/// The planner with its memory.
pub struct Mita {
    config: Config,
    every: i64,
    memory: State,
    mirror: Mirror,
}

impl Mita {
    /// A pass each `every` seconds.
    pub fn new(config: &Config, every: i64) -> Self {
        Self {
            config: config.clone(),
            every,
            memory: State::default(),
            mirror: Mirror::new(config),
        }
    }

    fn decide(&mut self, site: &Site<'_>) -> Plan {
        let context = Context {
            now: time(site.clock),
            pass: format!("{:012x}", site.clock),
            create: true,
            remove: true,
            force: false,
            created: 0,
            asked: None,
        };
        let observed = self.mirror.observe(site, &self.config);
        plan(observed, &self.config, &self.memory, &context)
    }
}

impl Rule for Mita {
    fn look(&mut self, site: &mut Site<'_>) {
        let plan = self.decide(site);
        self.memory = self.mirror.act(site, &self.config, plan);
        // The journal has them.
        self.memory.events = EventMemory::default();
    }

    /// cron starts a pass at its own times; one that finds another pass at work ends at once.
    fn next_look(&self, site: &Site<'_>) -> i64 {
        let over = site.clock + site.busy_seconds();
        (over / self.every + 1) * self.every
    }
}

/// A time of the trace.
pub fn time(clock: i64) -> Timestamp {
    Timestamp::from_second(START.saturating_add(clock)).unwrap_or_default()
}
