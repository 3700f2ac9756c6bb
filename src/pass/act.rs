//! Executes a plan in order, and plans again after a refused create.

use std::collections::BTreeMap;

use super::evidence;
use super::execute::Executor;
use super::{Live, Pass, check};
use crate::error::Error;
use crate::model::{Observed, ProviderName, Reading};
use crate::plan::problems::{self, Evidence};
use crate::plan::{self, Asked, Context, Create, Leftover, NewFloatingIp, Plan, Removal, VolumeMark};
use crate::report::Action;
use crate::state::State;

/// The most times a pass plans again after a create was refused: each time another placement is held back.
const MAX_ROUNDS: u32 = 20;

pub struct Executed {
    /// The memory after acting.
    pub state: State,
    /// Every action with its outcome.
    pub actions: Vec<Action>,
    /// The last plan, with what is unmet.
    pub plan: Plan,
    /// Why the pass ended early, if it did.
    pub ended: Option<&'static str>,
    /// Whether something was left undone, by the end of the pass or since a cloud was closed: the exit code is 1.
    pub left: bool,
    /// What is wrong and what is over, by the plan and by what became of it.
    pub evidence: Evidence,
    /// What stopped it in the middle; the actions before it were done.
    pub broken: Option<Error>,
}

impl Pass<'_> {
    /// Executes a plan. After a refused create it plans again, so that the next placement gets its chance in this pass.
    ///
    /// `save` makes a memory durable; it is called before the first of several creates. `heard` is called with each action as it ends.
    pub fn act(
        &mut self,
        mut plan: Plan,
        save: &dyn Fn(&State) -> Result<(), Error>,
        heard: &mut dyn FnMut(&Action),
    ) -> Executed {
        let context = self.context.clone();
        let mut executor = Executor::new(self.config, &context, std::mem::take(&mut plan.state), save, heard);
        executor.anchor(&self.live, plan.anchor);
        executor.unmark(&self.live, &plan.unmarks);
        // Before anything that takes long: until then another build may begin there.
        executor.drain(&self.live, &plan.drains);
        // Requests to a slow cloud come after those to the others.
        let [soon, late] = Chores::split(&self.live, &mut plan);
        soon.execute(&mut self.live, &mut self.observed, &mut executor);
        executor.register(&mut self.live, &std::mem::take(&mut plan.registrations));
        let broken = self.create(&mut plan, &mut executor).err();
        late.execute(&mut self.live, &mut self.observed, &mut executor);
        let ended = if executor.left_undone && broken.is_none() {
            self.live.must_end().or(Some("the pass ended early"))
        } else {
            None
        };
        let is_whole = !self.live.is_stopped() && broken.is_none();
        let at_deadline = is_whole.then_some(executor.left_undone);
        let evidence = evidence::of_actions(&mut executor, std::mem::take(&mut plan.problems), at_deadline);
        Executed {
            left: !executor.closed.is_empty() || ended.is_some(),
            evidence,
            state: executor.state,
            actions: executor.actions,
            plan,
            ended,
            broken,
        }
    }

    /// Creates what a plan wants, and plans again as long as something is refused.
    fn create(&mut self, plan: &mut Plan, executor: &mut Executor<'_>) -> Result<(), Error> {
        let (mut created, mut taken_in_all) = (0, 0);
        for round in 1..=MAX_ROUNDS {
            plan.creates.sort_by_key(|create| self.live.is_slow(&create.provider));
            let batch = executor.create(&mut self.live, &plan.creates)?;
            created += batch.asked;
            if !batch.held_back {
                break;
            }
            let taken = |create: &&Create| executor.state.intents.contains_key(&create.id);
            for create in plan.creates.iter().filter(taken) {
                plan::spend(&mut self.observed, create);
                taken_in_all += 1;
            }
            close(&mut self.observed, &executor.closed);
            let again = self.plan_again(executor, (created, taken_in_all), round)?;
            let before = std::mem::replace(plan, again);
            plan.partly |= before.partly;
            let later = std::mem::replace(&mut plan.problems, before.problems);
            problems::follow(&mut plan.problems, later, &executor.state);
            if plan.creates.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Plans from what the pass knows by now, but as the same pass to the clock. The plan removes nothing and its
    /// memory is not kept, so that a second look does not count as a second sighting.
    ///
    /// `created`: how many servers were asked for so far, and how many of them the clouds took.
    fn plan_again(&mut self, executor: &Executor<'_>, (created, taken): (u32, u32), round: u32) -> Result<Plan, Error> {
        let memory = State {
            intents: executor.intents_seen_from(self.context.now),
            last_pass: self.state.last_pass.clone(),
            gaps: self.state.gaps.clone(),
            ..executor.state.clone()
        };
        let asked = self.context.asked.clone().map(|asked| Asked {
            count: asked.count.saturating_sub(taken),
            ..asked
        });
        let again = Context {
            remove: false,
            asked,
            created,
            pass: format!("{}-{round}", self.context.pass),
            ..self.context.clone()
        };
        let mut plan = plan::plan(&self.observed, self.config, &memory, &again);
        // What a pass that must end leaves undone is still planned, so that it is reported.
        if self.live.must_end().is_none() && self.settle(&plan)? {
            plan = plan::plan(&self.observed, self.config, &memory, &again);
        }
        check(&plan::audit(&plan, &self.observed, self.config, &memory, &again))?;
        Ok(plan)
    }
}

/// The actions of a plan other than creates.
#[derive(Default)]
struct Chores {
    removals: Vec<Removal>,
    sweeps: Vec<Leftover>,
    floating_ips: Vec<NewFloatingIp>,
    volume_marks: Vec<VolumeMark>,
}

impl Chores {
    /// Takes them out of a plan: those of most clouds, and those of clouds that are slow.
    fn split(live: &Live, plan: &mut Plan) -> [Self; 2] {
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

    fn execute(&self, live: &mut Live, observed: &mut Observed, executor: &mut Executor<'_>) {
        executor.remove(live, observed, &self.removals);
        executor.sweep(live, &self.sweeps);
        executor.add_floating_ips(live, &self.floating_ips);
        executor.mark_volumes(live, &self.volume_marks);
    }
}

/// Makes the offers of closed clouds unreadable, so that other clouds are planned with.
fn close(observed: &mut Observed, closed: &BTreeMap<ProviderName, String>) {
    for (provider, reason) in closed {
        if let Some(Reading::Read(view)) = observed.clouds.get_mut(provider) {
            view.offers = Some(Reading::Unreadable(reason.clone()));
        }
    }
}
