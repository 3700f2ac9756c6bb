//! A pause: where an operator wants no server to be created, until when, and why.
//!
//! The file of the pauses is read and written by `state::pauses`; what is held back by one is left to `plan`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ProviderName, TemplateName};
use crate::text::{moment, shown};

/// Where nothing is created. What is selected must hold altogether; without a selection it is everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The entry of `provider:`.
    pub provider: Option<ProviderName>,
    /// The entry of `nodes:`.
    pub template: Option<TemplateName>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// What the operator said of it.
    pub reason: Option<String>,
    /// When it was ordered.
    pub since: Timestamp,
}

impl Pause {
    /// Returns whether it is not over yet.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Returns whether it selects the same as another one.
    pub fn selects_as(&self, other: &Self) -> bool {
        self.provider == other.provider && self.template == other.template
    }

    /// Returns what is paused: `everything`, `template "small"`, `provider "openstack"`.
    pub fn what(&self) -> String {
        match (&self.template, &self.provider) {
            (None, None) => "everything".to_owned(),
            (Some(template), None) => format!("template \"{template}\""),
            (None, Some(provider)) => format!("provider \"{provider}\""),
            (Some(template), Some(provider)) => format!("template \"{template}\" at provider \"{provider}\""),
        }
    }

    /// Says what is paused, until when, and why. It is the same from pass to pass.
    pub fn sentence(&self) -> String {
        let until = self.until.map_or_else(
            || "until somebody resumes it".to_owned(),
            |until| format!("until {}", moment(until)),
        );
        let reason = self
            .reason
            .as_deref()
            .map_or_else(String::new, |reason| format!(": {}", shown(reason)));
        format!("{} is paused {until}{reason}", self.what())
    }
}

/// The pauses that were ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pauses {
    /// Those that were read, those that are over among them.
    #[serde(default)]
    pub all: Vec<Pause>,
    /// Why they could not be read: what may be forbidden is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

impl Pauses {
    /// Returns whether nobody ever ordered one.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.unreadable.is_none()
    }

    /// Lists those that are not over, oldest first.
    pub fn open(&self, now: Timestamp) -> impl Iterator<Item = &Pause> {
        self.all.iter().filter(move |pause| pause.holds_at(now))
    }

    /// Says why nothing is created of a template anywhere, if so.
    pub fn of_template(&self, template: &TemplateName, now: Timestamp) -> Option<String> {
        if let Some(reason) = &self.unreadable {
            return Some(format!("nothing is created, since {reason}"));
        }
        let mut open = self.open(now).filter(|pause| pause.provider.is_none());
        let found = open.find(|pause| pause.template.as_ref().is_none_or(|paused| paused == template))?;
        Some(found.sentence())
    }

    /// Says why nothing is created of a template at a provider, if so.
    pub fn at(&self, template: &TemplateName, provider: &ProviderName, now: Timestamp) -> Option<String> {
        let selected = |pause: &&Pause| {
            pause.template.as_ref().is_none_or(|paused| paused == template)
                && pause.provider.as_ref().is_none_or(|paused| paused == provider)
        };
        self.of_template(template, now)
            .or_else(|| self.open(now).find(selected).map(Pause::sentence))
    }
}
