//! The time budgets of several clouds in one pass: how long each may take, and when it is closed.
//!
//! A cloud that is slow, throttles or does not answer must not delay the others. So each of several clouds
//! has a share of the pass's time, and after two long waits in vain it is closed for the rest of the pass. A
//! single cloud has all the time, within the limits of each request. A client whose time is a share makes no wait of more
//! than two seconds for a cloud that throttles (`provider/openstack/session`).
//!
//! What follows for a closed cloud is left to `execute` and `act`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::http::Deadline;
use crate::model::{
    Checked, Offers, Resource, ResourceKind, ResourceMark, ServerId, ServerSpec, ServiceBases, TemplateName, Zone,
};
use crate::provider::{AddFloatingIp, CreateServer, Deleted, Lookup, Provider, ProviderError, ServerList};

/// A wait of this share of the pass is long: 10 s of the usual 5 minutes.
const LONG: u32 = 30;

/// So many long waits in a row without an answer close a cloud.
const MOST_WAITS: u32 = 2;

/// A request that was cut ends so close to its limit.
const CLOSE_TO: Duration = Duration::from_millis(50);

/// What a cloud has used of its share; both its client and the pass see it.
#[derive(Debug)]
pub struct TimeBudget {
    /// The time of the whole pass.
    span: Duration,
    /// The most that listing this cloud may take.
    look: Duration,
    /// The most that this cloud may take in all.
    share: Duration,
    spent: Cell<Duration>,
    /// Long waits in vain, in a row.
    waits: Cell<u32>,
    closed: RefCell<Option<String>>,
}

impl TimeBudget {
    /// Begins for one of `clouds` clouds. If all of them are slow, looking at them leaves the time of one more for
    /// everything else.
    pub fn new(span: Duration, clouds: u32) -> Self {
        let part = span / clouds.saturating_add(1);
        Self {
            span,
            look: part,
            share: part * 2,
            spent: Cell::new(Duration::ZERO),
            waits: Cell::new(0),
            closed: RefCell::new(None),
        }
    }

    /// Returns why nothing more is asked of the cloud in this pass, if so.
    pub fn closed(&self) -> Option<String> {
        if let Some(reason) = &*self.closed.borrow() {
            return Some(reason.clone());
        }
        (self.left() < self.share / 10)
            .then(|| format!("it has used up its share of the pass, {} s", self.share.as_secs()))
    }

    /// Returns whether the pass has waited long for it already, so that the others come first.
    pub fn is_slow(&self) -> bool {
        self.spent.get() > self.span / LONG || self.closed.borrow().is_some()
    }

    fn left(&self) -> Duration {
        self.share.saturating_sub(self.spent.get())
    }

    /// Counts a request, and closes the cloud when it throttles or did not answer twice.
    fn book(&self, took: Duration, error: Option<&ProviderError>) {
        self.spent.set(self.spent.get().saturating_add(took));
        let long = took > self.span / LONG;
        match error {
            Some(ProviderError::Throttled { .. }) => self.close("it throttles", error),
            Some(ProviderError::Unavailable(_) | ProviderError::Unknown(_) | ProviderError::Failed(_)) if long => {
                self.waits.set(self.waits.get() + 1);
                if self.waits.get() >= MOST_WAITS {
                    self.close("it does not answer", error);
                }
            }
            Some(ProviderError::Unavailable(_) | ProviderError::Unknown(_) | ProviderError::Failed(_)) => {}
            _ => self.waits.set(0),
        }
    }

    fn close(&self, why: &str, error: Option<&ProviderError>) {
        let said = error.map_or_else(String::new, |error| format!(" ({error})"));
        self.closed.borrow_mut().get_or_insert_with(|| format!("{why}{said}"));
    }
}

/// A cloud with its share.
pub struct Budgeted {
    cloud: Box<dyn Provider>,
    /// The deadline of its requests.
    own: Deadline,
    pass: Deadline,
    budget: Rc<TimeBudget>,
}

impl Budgeted {
    /// Gives a cloud a share; `own` is the deadline that its client was made with, a part of that of the pass.
    pub fn new(cloud: Box<dyn Provider>, own: Deadline, pass: Deadline, budget: Rc<TimeBudget>) -> Self {
        Self {
            cloud,
            own,
            pass,
            budget,
        }
    }

    fn ask<T>(
        &mut self,
        most: Duration,
        request: impl FnOnce(&mut dyn Provider) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        if let Some(reason) = self.budget.closed() {
            return Err(ProviderError::Unavailable(reason));
        }
        let left = self.pass.left().unwrap_or_default();
        let most = most.min(self.budget.left());
        self.own.allow(most);
        let outcome = request(&mut *self.cloud);
        let took = left.saturating_sub(self.pass.left().unwrap_or_default());
        self.budget.book(took, outcome.as_ref().err());
        match outcome {
            Err(ProviderError::Unavailable(text)) if took + CLOSE_TO >= most => {
                let most = most.as_secs();
                Err(ProviderError::Unavailable(format!(
                    "{text}; it may take {most} s here, as other clouds wait (limits.pass_deadline)"
                )))
            }
            other => other,
        }
    }
}

impl Provider for Budgeted {
    fn servers(&mut self) -> Result<ServerList, ProviderError> {
        self.ask(self.budget.look, |cloud| cloud.servers())
    }

    fn server(&mut self, id: &ServerId) -> Result<Lookup, ProviderError> {
        self.ask(self.budget.look, |cloud| cloud.server(id))
    }

    fn fault(&mut self, id: &ServerId) -> Result<Option<String>, ProviderError> {
        self.ask(self.budget.share, |cloud| cloud.fault(id))
    }

    fn offers(&mut self, wanted: &[(&TemplateName, &ServerSpec)]) -> Result<Offers, ProviderError> {
        self.ask(self.budget.look, |cloud| cloud.offers(wanted))
    }

    fn create(&mut self, server: &CreateServer<'_>) -> Result<ServerId, ProviderError> {
        self.ask(self.budget.share, |cloud| cloud.create(server))
    }

    fn delete(&mut self, id: &ServerId) -> Result<Deleted, ProviderError> {
        self.ask(self.budget.share, |cloud| cloud.delete(id))
    }

    fn resources(&mut self, kinds: &BTreeSet<ResourceKind>) -> Result<Vec<Resource>, ProviderError> {
        self.ask(self.budget.look, |cloud| cloud.resources(kinds))
    }

    fn remove(&mut self, kind: ResourceKind, id: &str) -> Result<Deleted, ProviderError> {
        self.ask(self.budget.share, |cloud| cloud.remove(kind, id))
    }

    fn add_floating_ip(&mut self, wanted: &AddFloatingIp<'_>) -> Result<IpAddr, ProviderError> {
        self.ask(self.budget.share, |cloud| cloud.add_floating_ip(wanted))
    }

    fn mark_volume(&mut self, id: &str, mark: &ResourceMark) -> Result<(), ProviderError> {
        self.ask(self.budget.share, |cloud| cloud.mark_volume(id, mark))
    }

    fn console(&mut self, id: &ServerId, lines: u32) -> Result<Option<String>, ProviderError> {
        self.ask(self.budget.share, |cloud| cloud.console(id, lines))
    }

    fn check(&mut self, wanted: &[(&TemplateName, &ServerSpec, &[Zone])]) -> Result<Checked, ProviderError> {
        self.ask(self.budget.share, |cloud| cloud.check(wanted))
    }

    fn recall(&mut self, service_bases: &ServiceBases) {
        self.cloud.recall(service_bases);
    }

    fn service_bases(&self) -> ServiceBases {
        self.cloud.service_bases()
    }

    fn odd(&self) -> Vec<String> {
        self.cloud.odd()
    }

    fn requests(&self) -> u64 {
        self.cloud.requests()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> TimeBudget {
        TimeBudget::new(Duration::from_mins(5), 2)
    }

    fn silent() -> ProviderError {
        ProviderError::Unavailable("no whole reply".to_owned())
    }

    #[test]
    fn two_long_waits_in_a_row_close_a_cloud() {
        let budget = budget();
        let (long, short) = (Duration::from_secs(11), Duration::from_millis(10));
        // A server that cannot be deleted is answered for at once: it closes nothing.
        for _ in 0..10 {
            budget.book(short, Some(&silent()));
        }
        budget.book(long, Some(&silent()));
        budget.book(long, None);
        budget.book(long, Some(&silent()));
        assert!(budget.closed().is_none() && budget.is_slow());
        budget.book(long, Some(&ProviderError::Unknown("no whole reply".to_owned())));
        assert!(budget.closed().unwrap().starts_with("it does not answer"));
    }

    #[test]
    fn a_cloud_that_throttles_is_left_alone() {
        let budget = budget();
        budget.book(
            Duration::ZERO,
            Some(&ProviderError::Throttled {
                message: "slow down".to_owned(),
                retry_after: Some(60),
            }),
        );
        assert_eq!(budget.closed().unwrap(), "it throttles (throttled: slow down)");
    }

    #[test]
    fn a_share_is_used_up_by_good_answers_too() {
        let budget = budget();
        for _ in 0..18 {
            assert!(budget.closed().is_none());
            budget.book(Duration::from_secs(10), None);
        }
        budget.book(Duration::from_secs(1), None);
        assert_eq!(budget.closed().unwrap(), "it has used up its share of the pass, 200 s");
    }
}
