//! What a refused create is charged to: the one place that names back-off keys.

use jiff::Timestamp;
use mita::model::{ProviderName, TemplateName};
use mita::plan::Create;
use mita::plan::backoff::charge;
use mita::state::{BackoffKey, State};

use super::Sim;
use super::configs::{Broken, Refusal};

/// What a cloud says to a create that it does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is refused, and that may be due to what this template asks for.
    Refused(&'static str),
    /// The quota of instances is full, whatever the template.
    Full,
    /// Nobody knows what became of it.
    Unknown,
}

/// The keys that hold a create back.
pub(super) fn keys(create: &Create) -> [BackoffKey; 4] {
    let (template, provider) = (create.template.clone(), create.provider.clone());
    [
        BackoffKey::Template(template.clone()),
        BackoffKey::TemplateAt(template, provider.clone(), create.zone.clone()),
        BackoffKey::Placement(provider.clone(), create.zone.clone()),
        BackoffKey::Provider(provider),
    ]
}

pub(super) fn held(state: &State, create: &Create, now: Timestamp) -> bool {
    let is_held = |key: &BackoffKey| {
        let backoff = state.backoffs.get(&key.to_string());
        backoff.is_some_and(|backoff| now < backoff.until)
    };
    keys(create).iter().any(is_held)
}

impl Sim {
    /// Charges a failure as the executor does: the pair of template and placement, or the whole provider.
    pub(super) fn charge(&self, state: &mut State, create: &Create, failure: Failure) {
        let [_, pair, placement, provider] = keys(create);
        let pair = if self.faults.charge_placement { placement } else { pair };
        let (key, reason) = match failure {
            Failure::Refused(reason) => (pair, reason),
            Failure::Unknown => (pair, "500"),
            Failure::Full => (provider, "Quota exceeded for instances"),
        };
        charge(state, &self.config, &key, &create.template, self.now, reason, None);
    }

    /// How a create of a broken template fails, if this is one.
    pub(super) fn refuses(&self, create: &Create) -> Option<Refusal> {
        let broken = self.broken.as_ref()?;
        self.is_broken(&create.template, &create.provider).then_some(broken.how)
    }

    pub(super) fn is_broken(&self, template: &TemplateName, provider: &ProviderName) -> bool {
        let is = |broken: &Broken| broken.template == *template && broken.provider == *provider;
        self.broken.as_ref().is_some_and(is)
    }
}
