//! Executes the actions of a plan, or records why they could not be done. Makes no choices.

mod anchor;
mod console;
mod create;
mod last_look;
mod prepared;
mod register;
mod remove;
mod resources;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use log::info;

use super::Live;
use super::rows::{drain_action, unmark_action};
use crate::config::Config;
use crate::error::{Error, chain};
use crate::jenkins::{Drained, RemoveNode};
use crate::model::{ProviderName, TemplateName, Zone};
use crate::plan::problems::Finding;
use crate::plan::{Context, Drain, Unmark, asker};
use crate::report::{Action, ActionKind, Outcome};
use crate::state::{BackoffKey, Counters, RefusalKey, Request, State};
use crate::text::printable;

/// Carries a plan out, action by action.
pub struct Executor<'a> {
    config: &'a Config,
    context: &'a Context,
    save: &'a dyn Fn(&State) -> Result<(), Error>,
    heard: &'a mut dyn FnMut(&Action),
    failed_keys: BTreeSet<BackoffKey>,
    /// The permission for want of which Jenkins refused to remove a node in this pass.
    removal_refused: Option<String>,
    /// Where servers were taken.
    pub taken: Vec<(TemplateName, ProviderName, Option<Zone>)>,
    /// What is wrong by what services answered to actions.
    pub found: Vec<Finding>,
    /// How many consoles were read.
    consoles: u32,
    /// The memory, kept up to date with what was done.
    pub state: State,
    pub actions: Vec<Action>,
    /// Whether an action was not begun because the pass had to end.
    pub left_undone: bool,
    /// The closed clouds at which something is left undone, with why.
    pub closed: BTreeMap<ProviderName, String>,
}

impl<'a> Executor<'a> {
    /// Begins with the memory of a plan.
    pub fn new(
        config: &'a Config,
        context: &'a Context,
        state: State,
        save: &'a dyn Fn(&State) -> Result<(), Error>,
        heard: &'a mut dyn FnMut(&Action),
    ) -> Self {
        let (failed_keys, actions) = (BTreeSet::new(), Vec::new());
        Self {
            config,
            context,
            save,
            heard,
            failed_keys,
            removal_refused: None,
            taken: Vec::new(),
            found: Vec::new(),
            consoles: 0,
            state,
            actions,
            left_undone: false,
            closed: BTreeMap::new(),
        }
    }

    /// Returns the time of the pass.
    pub fn now(&self) -> Timestamp {
        self.context.now
    }

    /// Returns the permission for want of which Jenkins refused to remove a node in this pass, and the user.
    pub fn removal_refused(&self) -> Option<(String, &'a str)> {
        Some((self.removal_refused.clone()?, &self.config.jenkins.user))
    }

    /// Takes marks of ours off.
    pub fn unmark(&mut self, live: &Live, unmarks: &[Unmark]) {
        if unmarks.iter().any(|unmark| unmark.by_hand) {
            // Before it is done: if the command is cut off, the next pass must not drain the node again. That the state
            // cannot be written is said when it is written at the end.
            let _ = (self.save)(&self.state);
        }
        for unmark in unmarks {
            let action = unmark_action(unmark);
            if self.skips(live, &action) {
                continue;
            }
            match live.jenkins.unmark(&unmark.node, unmark.prefix) {
                Ok(true) => self.record(action, Outcome::Done, None),
                Ok(false) => self.record(action, Outcome::Skipped, Some("our mark is gone".to_owned())),
                Err(error) => self.record(action, Outcome::Failed, Some(chain(&error))),
            }
        }
    }

    /// Marks nodes offline, so that they take no new work.
    pub fn drain(&mut self, live: &Live, drains: &[Drain]) {
        for drain in drains {
            let action = drain_action(drain);
            if self.skips(live, &action) {
                continue;
            }
            let request = RemoveNode {
                name: &drain.node,
                mark: &drain.mark,
                even_if_busy: true,
                by_monitor: drain.by_monitor,
            };
            match live.jenkins.drain(&request) {
                Ok(Drained::Now | Drained::Before) => self.record(action, Outcome::Done, None),
                Ok(Drained::Gone) => self.record(
                    action,
                    Outcome::Skipped,
                    Some("Jenkins has no such node any more".to_owned()),
                ),
                Ok(Drained::HeldByPerson { reason }) => {
                    let reason = format!("somebody took it offline meanwhile: {reason}");
                    self.record(action, Outcome::Skipped, Some(reason));
                }
                Err(error) => self.record(action, Outcome::Failed, Some(chain(&error))),
            }
        }
    }

    /// Returns why a cloud is closed, and remembers that something is left undone there.
    fn is_closed(&mut self, live: &Live, provider: &ProviderName) -> Option<String> {
        let reason = live.closed(provider)?;
        self.closed.insert(provider.clone(), reason.clone());
        Some(format!(
            "nothing more is asked of provider {provider} in this pass: {reason}"
        ))
    }

    /// Remembers that Jenkins refused something.
    fn refuse(&mut self, live: &Live, key: &RefusalKey, lacks: &str, about: Option<&str>) {
        let session = live.jenkins.session();
        let asker = asker(session.as_deref(), self.config, self.time(live));
        self.state.refuse(key, asker, lacks, about);
    }

    /// Returns the time: a pass may take minutes, and graces begin with the request.
    fn time(&self, live: &Live) -> Timestamp {
        let elapsed = SignedDuration::try_from(live.elapsed()).unwrap_or_default();
        self.context.now.saturating_add(elapsed).unwrap_or(self.context.now)
    }

    /// Returns whether an action may not be begun any more, in this pass or at its cloud, and records it then.
    fn skips(&mut self, live: &Live, action: &Action) -> bool {
        if let Some(reason) = live.must_end() {
            self.leave(vec![action.clone()], reason);
            return true;
        }
        let closed = action.provider.as_ref();
        let Some(reason) = closed.and_then(|provider| self.is_closed(live, provider)) else {
            return false;
        };
        self.record(action.clone(), Outcome::Skipped, Some(reason));
        true
    }

    fn leave(&mut self, actions: Vec<Action>, reason: &str) {
        self.left_undone = true;
        for action in actions {
            self.record(action, Outcome::Skipped, Some(reason.to_owned()));
        }
    }

    fn record(&mut self, mut action: Action, result: Outcome, error: Option<String>) {
        action.result = result;
        action.error = error;
        let error = action
            .error
            .as_ref()
            .map_or_else(String::new, |error| format!(": {error}"));
        let (kind, name, because) = (action.kind.word(), &action.name, &action.because);
        let result = result.word();
        info!(
            "{}",
            printable(&format!("{kind} {name}: {result}{error}; because {because}"), 1000)
        );
        self.count(&action);
        (self.heard)(&action);
        self.actions.push(action);
    }

    /// Counts a request for a server or to delete one, for the metrics. What was not begun is no request.
    fn count(&mut self, action: &Action) {
        let request = match action.kind {
            ActionKind::Create => Request::Create,
            ActionKind::DeleteServer => Request::Delete,
            _ => return,
        };
        let result = match action.result {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Refused => "refused",
            Outcome::Unknown => "unknown",
            Outcome::Planned | Outcome::Skipped => return,
        };
        if let (Some(node), Some(provider)) = (&action.node, &action.provider) {
            let place = (&TemplateName::new(node), provider);
            Counters::action(&mut self.state.counters, request, place, result);
        }
    }
}
