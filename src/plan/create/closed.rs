//! Why no further server of a template is made: the sentence for people, and the causes that it names.

use crate::model::{ProviderName, TemplateName};
use crate::state::BackoffKey;

/// Why no further server of a template is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The reasons, as they are shown.
    pub text: String,
    /// What they are, of each placement that was tried.
    pub causes: Vec<Cause>,
}

/// One reason why no server is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A maximum is reached.
    Maximum(Limit),
    /// The quota of a provider has no room for another one.
    Quota(ProviderName),
    /// It failed before and is held back, or another probe goes first.
    BackOff(BackoffKey),
    /// Some servers of it, or of its image, are to join before others are made.
    Canary,
    /// As many as may boot at a time do, or as many as one pass may make were made.
    Pace,
    /// The provider cannot be read.
    Unreadable(ProviderName),
    /// What the template names is not there.
    NotOffered(ProviderName),
    /// Jenkins refused to make its node.
    NoNode,
    /// An operator paused it.
    Paused,
    /// Nothing at all is made now: Jenkins is quieting down, or the command does not create.
    NotNow,
}

/// A maximum of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// `max` of a template.
    Template(TemplateName),
    /// `max_servers` of a provider.
    Provider(ProviderName),
    /// `limits.max_servers`.
    Fleet,
    /// `limits.max_creates_per_pass: 0`.
    NoCreates,
}

impl Limit {
    /// Returns the subject of the problem that it is reached.
    pub fn subject(&self) -> String {
        match self {
            Self::Template(template) => template.to_string(),
            Self::Provider(provider) => format!("provider.{provider}.max_servers"),
            Self::Fleet => "limits.max_servers".to_owned(),
            Self::NoCreates => "limits.max_creates_per_pass".to_owned(),
        }
    }
}

impl Closed {
    /// Makes one with one reason.
    pub fn new(cause: Cause, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            causes: vec![cause],
        }
    }

    /// Puts the reasons of several placements together, each once.
    pub fn all(several: Vec<Self>) -> Self {
        let (mut texts, mut causes) = (Vec::new(), Vec::new());
        for closed in several {
            if !texts.contains(&closed.text) {
                texts.push(closed.text);
            }
            for cause in closed.causes {
                if !causes.contains(&cause) {
                    causes.push(cause);
                }
            }
        }
        Self {
            text: texts.join("; "),
            causes,
        }
    }
}
