//! One pass: `observe -> plan -> audit -> execute -> save`.
//!
//! This file joins the steps; it makes no decision of its own. The lock and the state file are the caller's.

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long the pass takes")]

mod act;
mod budget;
mod evidence;
mod execute;
mod host_key;
mod live;
pub mod observe;
pub mod rows;
pub mod saved;
mod seen;

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::config::Config;
use crate::error::{Blind, Error, chain};
use crate::model::{Headroom, Observed, ProviderName, Reading};
use crate::plan::problems::Finding;
use crate::plan::{self, Context, Plan};
use crate::report::Seen;
use crate::state::State;
use saved::Saved;

pub use act::Executed;
pub use live::Live;
pub use observe::blind;
pub use seen::{count, unreadable};

/// A pass that has looked: what it saw, and what it remembered before.
pub struct Pass<'c> {
    config: &'c Config,
    context: Context,
    live: Live,
    // The process ends after the pass: giving back some hundred thousand texts one by one would cost a tenth of it.
    state: ManuallyDrop<State>,
    observed: ManuallyDrop<Observed>,
    /// The problems that no look at the world shows; `None` for a command by hand, which derives none.
    around: Option<Vec<Finding>>,
    began: Instant,
}

/// Makes a plan of an observation.
pub type Planner<'p> = dyn FnMut(&Observed, &Config, &State, &Context) -> Plan + 'p;

/// What re-checks a plan: [`plan::audit`], or [`plan::audit_destroy`] for what an operator named.
pub type Audit = fn(&Plan, &Observed, &Config, &State, &Context) -> Vec<String>;

/// What is asked after a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// All that the plan's actions depend on.
    Actions,
    /// The floating IPs, ports and volumes, for a plan that is only shown.
    Resources,
}

impl<'c> Pass<'c> {
    /// Looks at Jenkins and every cloud.
    pub fn look(config: &'c Config, context: Context, state: State, stop: &Arc<AtomicBool>) -> Result<Self, Error> {
        Self::look_with(config, context, state, stop).map_err(|(error, _)| error)
    }

    /// The same; gives the memory back where nothing was seen.
    pub fn look_with(
        config: &'c Config,
        context: Context,
        state: State,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, (Error, Box<State>)> {
        let began = Instant::now();
        let mut live = match Live::connect(config, stop) {
            Ok(live) => live,
            Err(error) => return Err((error, Box::new(state))),
        };
        let observed = match observe::look(&mut live, config, &state) {
            Ok(observed) => observed,
            Err(error) => return Err((error, Box::new(state))),
        };
        Ok(Self::of(config, context, live, (state, observed), began))
    }

    /// Looks for people: with the names of the builds that run, and even if no cloud can be read (see [`blind`]).
    pub fn look_closely(
        config: &'c Config,
        context: Context,
        state: State,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let mut live = Live::connect(config, stop)?;
        live.jenkins.tell_jobs();
        let observed = observe::look_at_all(&mut live, config, &state)?;
        Ok(Self::of(config, context, live, (state, observed), began))
    }

    fn of(
        config: &'c Config,
        context: Context,
        live: Live,
        (state, observed): (State, Observed),
        began: Instant,
    ) -> Self {
        Self {
            config,
            context,
            live,
            state: ManuallyDrop::new(state),
            observed: ManuallyDrop::new(observed),
            around: None,
            began,
        }
    }

    /// Plans for all that waits in the queue and all that is there.
    pub fn decide(&mut self) -> Result<Plan, Error> {
        let now = self.context.now;
        let label_requests = observe::label_requests(&self.live, self.config, &mut self.observed, &mut self.state, now);
        let planner = &mut |observed: &Observed, config: &Config, state: &State, context: &Context| {
            plan::plan_for(observed, config, state, context, label_requests.clone())
        };
        self.plan(Inquiry::Actions, planner)
    }

    /// Plans; asks what the plan shows to be needed, and plans again until nothing is open.
    pub fn plan(&mut self, inquiry: Inquiry, planner: &mut Planner<'_>) -> Result<Plan, Error> {
        loop {
            observe::remember_bases(&self.live, &mut self.state);
            let plan = planner(&self.observed, self.config, &self.state, &self.context);
            // A pass that must end executes nothing more, so it asks nothing more.
            if self.live.must_end().is_some() || !self.ask(inquiry, &plan)? {
                return Ok(plan);
            }
        }
    }

    fn ask(&mut self, inquiry: Inquiry, plan: &Plan) -> Result<bool, Error> {
        match inquiry {
            Inquiry::Actions => self.settle(plan),
            Inquiry::Resources => Ok(observe::ask_resources(&mut self.live, &mut self.observed, plan)),
        }
    }

    /// Asks what a plan with actions needs to know and was not asked yet. Returns whether anything was asked.
    fn settle(&mut self, plan: &Plan) -> Result<bool, Error> {
        let (live, observed) = (&mut self.live, &mut *self.observed);
        if plan.acts() && observed.jenkins.quieting_down.is_none() {
            let quieting = live
                .jenkins
                .quieting_down()
                .map_err(|error| Error::Blind(Blind::Jenkins(chain(&error))))?;
            observed.jenkins.quieting_down = Some(quieting);
            // Otherwise the plan stays as it is: what it needs is asked at once.
            if quieting {
                return Ok(true);
            }
        }
        // Servers that exist after all change the rest of the questions.
        if observe::ask_servers(live, observed, plan) {
            observe::take_odd(live, observed);
            return Ok(true);
        }
        let faults = observe::ask_faults(live, observed, plan);
        let resources = observe::ask_resources(live, observed, plan);
        let offers = observe::ask_offers(live, self.config, observed, plan);
        observe::take_odd(live, observed);
        Ok(offers || faults || resources)
    }

    /// Stops a plan that breaks a rule, whatever the planner thought.
    pub fn check(&self, audit: Audit, plan: &Plan) -> Result<(), Error> {
        check(&audit(plan, &self.observed, self.config, &self.state, &self.context))
    }

    /// Saves what was seen and remembered, for `--replay`.
    pub fn save_observation(&self, path: &Path) -> Result<(), Error> {
        let (observed, state) = (Observed::clone(&self.observed), State::clone(&self.state));
        Saved::new(self.context.now, self.context.pass.clone(), observed, state).write(path)
    }

    /// Returns the configuration.
    pub fn config(&self) -> &'c Config {
        self.config
    }

    /// Returns the id of the pass and the time at which it looked.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns what was seen.
    pub fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Returns what is left of the quota of each cloud, where it can be known: one request each, where the plan did not
    /// ask for it. That it is not shown is no failure.
    pub fn headroom(&mut self) -> BTreeMap<ProviderName, Headroom> {
        let mut found = BTreeMap::new();
        for (name, cloud) in &mut self.live.clouds {
            let Some(view) = self.observed.clouds.get(name).and_then(Reading::ok) else {
                continue;
            };
            let room = match &view.offers {
                Some(offers) => offers.ok().map(|offers| offers.room.clone()),
                None => cloud.offers(&[]).ok().map(|offers| offers.room),
            };
            found.extend(room.map(|room| (name.clone(), room)));
        }
        found
    }

    /// Counts what was seen, and the requests so far.
    pub fn seen(&self, plan: &Plan) -> Seen {
        count(&self.observed, plan, self.live.requests())
    }

    /// Gives back what was remembered before.
    pub fn into_state(self) -> State {
        ManuallyDrop::into_inner(self.state)
    }

    /// Returns what was remembered before.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Lets the pass derive problems: `around` are those that no look at the world shows.
    pub fn derive_problems(&mut self, around: Vec<Finding>) {
        self.around = Some(around);
    }

    /// Takes the problems that no look at the world shows; `None` where none is derived.
    pub fn take_around(&mut self) -> Option<Vec<Finding>> {
        self.around.take()
    }

    /// Returns the seconds since the pass began to look, in whole milliseconds.
    pub fn seconds(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
    }

    /// Returns the same as a whole number.
    pub fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Turns the rules that a plan breaks into an error.
pub fn check(broken: &[String]) -> Result<(), Error> {
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Error::BrokenPlan(broken.join("; ")))
    }
}
