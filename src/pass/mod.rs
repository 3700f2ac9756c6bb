//! One pass: `observe -> plan -> audit -> execute -> save`.
//!
//! This file joins the steps; it makes no decision of its own. The lock and the state file are the caller's.

pub mod execute;
mod host_key;
mod live;
pub mod observe;
pub mod rows;
pub mod saved;
mod shares;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::error::{Error, chain};
use crate::model::{Observed, ProviderName, Reading};
use crate::plan::{self, Context, Create, Leftover, NewFloatingIp, Plan, Removal, VolumeMark};
use crate::report::{Action, Seen};
use crate::state::State;

pub use live::Live;

/// The most times a pass plans again after a create was refused: each time another placement is held back.
const MAX_ROUNDS: u32 = 20;

/// A decision: what was seen, and what is to be done about it.
pub struct Decision {
    /// What was seen.
    pub observed: Observed,
    /// What is to be done.
    pub plan: Plan,
    /// What a template names and its cloud does not have: each makes the pass end with exit code 1.
    pub missing: BTreeSet<String>,
}

/// Looks and plans; asks what a first plan shows to be needed (quieting down, offers) and plans again.
pub fn decide(live: &mut Live, config: &Config, state: &mut State, context: &Context) -> Result<Decision, Error> {
    let mut observed = observe::look(live, state)?;
    let label_requests = observe::label_requests(live, config, &mut observed, state, context.now);
    let mut missing = BTreeSet::new();
    loop {
        observe::remember_bases(live, state);
        let plan = plan::plan_for(&observed, config, state, context, label_requests.clone());
        // A pass that must end does nothing of what it would ask about.
        if live.must_end().is_some() || !settle(live, config, &mut observed, &plan)? {
            return Ok(Decision {
                observed,
                plan,
                missing,
            });
        }
        missing.extend(plan.creates.iter().filter_map(|create| unavailable(&observed, create)));
    }
}

/// Says what of a wanted template its cloud does not have.
fn unavailable(observed: &Observed, create: &Create) -> Option<String> {
    let offers = observed.clouds.get(&create.provider)?.ok()?.offers.as_ref()?.ok()?;
    let reason = &offers.templates.get(&create.template)?.as_ref().err()?.reason;
    Some(format!("template {} at {}: {reason}", create.template, create.provider))
}

/// Asks what a plan with actions needs to know and was not asked yet. Returns whether anything was asked.
pub fn settle(live: &mut Live, config: &Config, observed: &mut Observed, plan: &Plan) -> Result<bool, Error> {
    if plan.acts() && observed.jenkins.quieting_down.is_none() {
        let quieting = live
            .jenkins
            .quieting_down()
            .map_err(|error| Error::Blind(format!("jenkins: {}", chain(&error))))?;
        observed.jenkins.quieting_down = Some(quieting);
        return Ok(true);
    }
    // What is there after all changes the rest of what is asked.
    if observe::ask_servers(live, observed, plan) {
        observe::take_odd(live, observed);
        return Ok(true);
    }
    let faults = observe::ask_faults(live, observed, plan);
    let resources = observe::ask_resources(live, observed, plan);
    let offers = observe::ask_offers(live, config, observed, plan);
    observe::take_odd(live, observed);
    Ok(offers || faults || resources)
}

/// Says what of the observation failed: each makes the pass end with exit code 1.
pub fn unreadable(observed: &Observed) -> Vec<String> {
    let mut sentences: Vec<String> = observed.clouds.iter().filter_map(observe::unreadable).collect();
    if let Some(Reading::Unreadable(reason)) = &observed.jenkins.labels {
        sentences.push(format!(
            "jenkins.labels_from: the script console does not tell the labels, so that they are read as without it: \
             {reason}"
        ));
    }
    for (name, cloud) in &observed.clouds {
        if let Some(Reading::Unreadable(reason)) = cloud.ok().and_then(|view| view.offers.as_ref()) {
            sentences.push(format!("provider {name}: cannot tell what it offers: {reason}"));
        }
        if let Some(Reading::Read(listed)) = cloud.ok().and_then(|view| view.resources.as_ref()) {
            let failed = listed.failed.iter();
            sentences.extend(failed.map(|(kind, reason)| {
                let noun = kind.noun();
                format!("provider {name}: cannot list its {noun}s: {reason}")
            }));
        }
    }
    sentences
}

/// Counts what was seen.
pub fn seen(observed: &Observed, plan: &Plan, requests: BTreeMap<String, u64>) -> Seen {
    let mut servers: BTreeMap<ProviderName, u64> = observed.clouds.keys().map(|name| (name.clone(), 0)).collect();
    for row in plan.servers.iter().filter(|row| row.server_id.is_some()) {
        *servers.entry(row.provider.clone()).or_default() += 1;
    }
    Seen {
        queue_items: observed.jenkins.queue.len() as u64,
        waiting: plan.waiting_items,
        jenkins_nodes: observed
            .jenkins
            .computers
            .iter()
            .filter(|computer| !computer.built_in && !computer.is_anchor())
            .count() as u64,
        servers,
        requests,
    }
}

/// What was done.
pub struct Executed {
    /// The memory after acting.
    pub state: State,
    /// Every action with its outcome.
    pub actions: Vec<Action>,
    /// The last plan: what is unmet stands in it.
    pub plan: Plan,
    /// Why the pass ended early, if it did.
    pub ended: Option<&'static str>,
    /// What was left undone at clouds that the pass waited for in vain; each makes it end with exit code 1.
    pub left: Vec<String>,
    /// What stopped it in the middle: what was done before is done all the same.
    pub broken: Option<Error>,
}

/// Executes a plan. After a refused create it plans again, so that the next placement gets its chance in this pass.
///
/// `base` is the memory before looking. `save` makes a memory durable; it is called before each create. `told` hears
/// of each action as it ends.
#[expect(
    clippy::too_many_arguments,
    reason = "the world, the decision, and two ways to be heard"
)]
pub fn act(
    live: &mut Live,
    config: &Config,
    base: &State,
    observed: &mut Observed,
    mut plan: Plan,
    context: &Context,
    save: &dyn Fn(&State) -> Result<(), Error>,
    told: &mut dyn FnMut(&Action),
) -> Executed {
    let mut executor = execute::Executor::new(config, context, std::mem::take(&mut plan.state), save, told);
    executor.anchor(live, plan.anchor);
    executor.unmark(live, &plan.unmarks);
    // Before all that takes long: until then another build may begin there.
    executor.drain(live, &plan.drains);
    // What is asked of a slow cloud comes after all that others can do.
    let [soon, late] = Chores::of(live, &mut plan);
    soon.done(live, observed, &mut executor);
    executor.register(live, &std::mem::take(&mut plan.registrations));
    let broken = create(live, config, base, observed, &mut plan, context, &mut executor).err();
    late.done(live, observed, &mut executor);
    let ended = if executor.left_undone && broken.is_none() {
        live.must_end().or(Some("the pass ended early"))
    } else {
        None
    };
    let left = executor.closed.iter().map(|(provider, reason)| {
        format!("provider {provider}: {reason}; what is left to be done there goes in the next passes")
    });
    Executed {
        left: left.collect(),
        state: executor.state,
        actions: executor.actions,
        plan,
        ended,
        broken,
    }
}

/// What a plan does beside creating.
#[derive(Default)]
struct Chores {
    removals: Vec<Removal>,
    sweeps: Vec<Leftover>,
    floating_ips: Vec<NewFloatingIp>,
    volume_marks: Vec<VolumeMark>,
}

impl Chores {
    /// Takes them out of a plan: those of most clouds, and those of clouds that are slow.
    fn of(live: &Live, plan: &mut Plan) -> [Self; 2] {
        let mut split = [Self::default(), Self::default()];
        let at = |provider: Option<&ProviderName>| usize::from(provider.is_some_and(|provider| live.is_slow(provider)));
        for removal in plan.removals.drain(..) {
            let provider = removal.server.as_ref().map(|server| &server.provider);
            split[at(provider)].removals.push(removal);
        }
        for sweep in plan.sweeps.drain(..) {
            split[at(Some(&sweep.provider))].sweeps.push(sweep);
        }
        for floating_ip in plan.floating_ips.drain(..) {
            split[at(Some(&floating_ip.provider))].floating_ips.push(floating_ip);
        }
        for mark in plan.volume_marks.drain(..) {
            split[at(Some(&mark.provider))].volume_marks.push(mark);
        }
        split
    }

    fn done(&self, live: &mut Live, observed: &mut Observed, executor: &mut execute::Executor<'_>) {
        executor.remove(live, observed, &self.removals);
        executor.sweep(live, &self.sweeps);
        executor.add_floating_ips(live, &self.floating_ips);
        executor.mark_volumes(live, &self.volume_marks);
    }
}

/// Creates what a plan wants, and plans again as long as something is refused.
fn create(
    live: &mut Live,
    config: &Config,
    base: &State,
    observed: &mut Observed,
    plan: &mut Plan,
    context: &Context,
    executor: &mut execute::Executor<'_>,
) -> Result<(), Error> {
    let mut created = 0;
    for round in 1..=MAX_ROUNDS {
        plan.creates.sort_by_key(|create| live.is_slow(&create.provider));
        let batch = executor.create(live, &plan.creates)?;
        created += batch.asked;
        if !batch.held_back {
            break;
        }
        let taken = |create: &&Create| executor.state.intents.contains_key(&create.id);
        for create in plan.creates.iter().filter(taken) {
            plan::spend(observed, create);
        }
        close(observed, &executor.closed);
        // Planning again starts from what the pass knows by now, but is the same pass to the clock. It removes nothing and
        // its memory is not kept, so that a second look does not count as a second sighting.
        let memory = State {
            intents: executor.intents_seen_from(context.now),
            last_pass: base.last_pass.clone(),
            gaps: base.gaps.clone(),
            ..executor.state.clone()
        };
        let again = Context {
            remove: false,
            created,
            pass: format!("{}-{round}", context.pass),
            ..context.clone()
        };
        *plan = plan::plan(observed, config, &memory, &again);
        // What a pass that must end leaves undone is still planned, so that it is said.
        if live.must_end().is_none() && settle(live, config, observed, plan)? {
            *plan = plan::plan(observed, config, &memory, &again);
        }
        refuse_bad_plan(plan::audit, plan, observed, config, &memory, &again)?;
        if plan.creates.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Takes the offers of clouds that are asked no more: then others are planned with.
fn close(observed: &mut Observed, closed: &BTreeMap<ProviderName, String>) {
    for (provider, reason) in closed {
        if let Some(Reading::Read(view)) = observed.clouds.get_mut(provider) {
            view.offers = Some(Reading::Unreadable(reason.clone()));
        }
    }
}

/// What re-checks a plan: [`plan::audit`], or [`plan::audit_destroy`] for what an operator named.
pub type Audit = fn(&Plan, &Observed, &Config, &State, &Context) -> Vec<String>;

/// Stops a plan that breaks a rule, whatever `plan` thought.
pub fn refuse_bad_plan(
    audit: Audit,
    plan: &Plan,
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
) -> Result<(), Error> {
    let broken = audit(plan, observed, config, state, context);
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Error::BrokenPlan(broken.join("; ")))
    }
}
