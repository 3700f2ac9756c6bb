//! The clients of a pass, and the time that they have.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::budget::{Budgeted, TimeBudget};
use crate::config::{Config, ConfigError};
use crate::error::{Error, chain};
use crate::http::Deadline;
use crate::jenkins::Client;
use crate::model::ProviderName;
use crate::provider::Provider;

/// The clients; they log in with the first request.
pub struct Live {
    pub jenkins: Client,
    pub clouds: BTreeMap<ProviderName, Box<dyn Provider>>,
    /// The time budget of each of several clouds; empty with a single one.
    budgets: BTreeMap<ProviderName, Rc<TimeBudget>>,
    deadline: Deadline,
    span: Duration,
    pub(super) stop: Arc<AtomicBool>,
}

impl Live {
    /// Builds the clients. Nothing is sent yet.
    pub fn connect(config: &Config, stop: &Arc<AtomicBool>) -> Result<Self, Error> {
        let span = config.limits.pass_deadline.unsigned_abs();
        let deadline = Deadline::after(span);
        let unusable = |what: &str, error: &dyn std::error::Error| {
            Error::Config(ConfigError::without_place(format!("{what}: {}", chain(error))))
        };
        let mut jenkins =
            Client::new(&config.jenkins, deadline.clone()).map_err(|error| unusable("jenkins", &error))?;
        if config.templates.iter().any(|template| template.max_builds.is_some()) {
            jenkins.tell_builds();
        }
        let mut clouds = BTreeMap::new();
        let mut budgets = BTreeMap::new();
        let several = u32::try_from(config.providers.len()).unwrap_or(u32::MAX);
        for (name, entry) in &config.providers {
            let own = deadline.part();
            let cloud = entry.settings.connect(own.clone());
            let mut cloud = cloud.map_err(|error| unusable(&format!("provider.{name}"), &error))?;
            if several > 1 {
                let budget = Rc::new(TimeBudget::new(span, several));
                cloud = Box::new(Budgeted::new(cloud, own, deadline.clone(), Rc::clone(&budget)));
                budgets.insert(name.clone(), budget);
            }
            clouds.insert(name.clone(), cloud);
        }
        Ok(Self {
            jenkins,
            clouds,
            budgets,
            deadline,
            span,
            stop: Arc::clone(stop),
        })
    }

    /// Returns whether a signal asked the pass to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Returns why no new action may be started, if so.
    pub fn must_end(&self) -> Option<&'static str> {
        if self.stop.load(Ordering::Relaxed) {
            return Some("a signal asked the pass to end");
        }
        self.is_out_of_time()
            .then_some("the pass nears its deadline (limits.pass_deadline)")
    }

    /// Returns why nothing more is asked of a cloud in this pass, if so: it is closed.
    pub fn closed(&self, provider: &ProviderName) -> Option<String> {
        self.budgets.get(provider)?.closed()
    }

    /// Returns whether the pass waited long for a cloud already, so that the others come first.
    pub fn is_slow(&self, provider: &ProviderName) -> bool {
        self.budgets.get(provider).is_some_and(|budget| budget.is_slow())
    }

    /// Returns whether less than a tenth of the pass's time is left.
    pub fn is_out_of_time(&self) -> bool {
        self.deadline.left().is_some_and(|left| left < self.span / 10)
    }

    /// Returns how long the pass has taken.
    pub fn elapsed(&self) -> Duration {
        self.deadline
            .left()
            .map_or(Duration::ZERO, |left| self.span.saturating_sub(left))
    }

    /// Returns the requests made so far, by service.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        let mut requests: BTreeMap<String, u64> = self
            .clouds
            .iter()
            .map(|(name, cloud)| (name.to_string(), cloud.requests()))
            .collect();
        requests.insert("jenkins".to_owned(), self.jenkins.requests());
        requests
    }
}
