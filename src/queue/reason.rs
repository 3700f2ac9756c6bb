//! Why the label of a queue item is not known, and what helps.

use std::fmt;

use crate::model::NodeName;
use crate::text::excerpt;

/// What ends every sentence about a Jenkins without agents.
const KEEP_ONE: &str = "keep one permanent agent there (it may be offline), as jenkins.anchor: true does";

/// Why a label is not known. Its text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownLabel {
    /// Why the queue does not show it.
    pub cause: Cause,
    /// Why the job's configuration does not show it, where it would.
    pub config: Option<NoConfig>,
}

/// Why the queue does not show a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Without an agent Jenkins' sentences name no label.
    NoAgent,
    /// The same, and the label is one of this build alone, not of its job.
    NoAgentForBuild,
    /// Jenkins names the anchor instead of the label.
    Anchor,
    /// The nodes refuse the job for other reasons.
    NodesRefuse,
    /// The label of a matrix child is in its job's configuration alone.
    Matrix,
    /// The sentence names a node that is not listed.
    NodeNotListed(NodeName),
    /// The sentence names a node whose labels nobody asked for yet.
    NodeLabelsUnknown(NodeName),
    /// The sentence names a node whose labels could not be read.
    NodeLabelsUnreadable {
        /// The node.
        node: NodeName,
        /// The error, cut to what a message can hold.
        error: String,
    },
    /// The item has no sentence.
    NoSentence,
    /// The sentence is not one that is known.
    UnreadSentence {
        /// The sentence, cut to what a message can hold: equal texts are one label request.
        sentence: String,
        /// `X-Jenkins-Language`, where Jenkins answers in a language of its own.
        language: Option<String>,
    },
}

/// Why a job's configuration does not show its label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NoConfig {
    /// The user lacks this permission.
    Permission(String),
    /// The error on reading it, cut to what a message can hold.
    Unreadable(String),
}

impl UnknownLabel {
    /// Returns whether the label is not known because Jenkins has no agent.
    pub fn is_for_want_of_agents(&self) -> bool {
        matches!(self.cause, Cause::NoAgent | Cause::NoAgentForBuild)
    }
}

impl From<Cause> for UnknownLabel {
    fn from(cause: Cause) -> Self {
        Self { cause, config: None }
    }
}

impl fmt::Display for UnknownLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        match &self.config {
            None => Ok(()),
            Some(NoConfig::Permission(permission)) => write!(
                f,
                "; its job's configuration would show it, and the user lacks {permission} (grant it, or set jenkins.anchor: true)"
            ),
            Some(NoConfig::Unreadable(error)) => write!(f, "; its configuration could not be read: {error}"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAgent => write!(
                f,
                "jenkins has no agent at all, so its queue names no label; {KEEP_ONE}"
            ),
            Self::NoAgentForBuild => write!(
                f,
                "jenkins has no agent at all, so its queue names no label, and the label of this build is not that of \
                 its job; {KEEP_ONE}"
            ),
            Self::Anchor => f.write_str(
                "jenkins names the anchor alone, which its label does not exclude, instead of the label; \
                 jenkins.labels_from: script would show it",
            ),
            Self::NodesRefuse => {
                f.write_str("the nodes at hand refuse the job for reasons of their own, which do not name its label")
            }
            Self::Matrix => f.write_str("the label of a matrix child is only in the configuration of its job"),
            Self::NodeNotListed(node) => write!(
                f,
                "the job waits for the node \"{}\", which jenkins does not list",
                shorten(node.as_str())
            ),
            Self::NodeLabelsUnknown(node) => write!(
                f,
                "the job waits for the node \"{}\", whose labels are not known",
                shorten(node.as_str())
            ),
            Self::NodeLabelsUnreadable { node, error } => write!(
                f,
                "the labels of the node \"{}\" could not be read: {}",
                shorten(node.as_str()),
                error
            ),
            Self::NoSentence => f.write_str("jenkins does not say why the job waits"),
            Self::UnreadSentence {
                sentence,
                language: Some(language),
            } => write!(
                f,
                "jenkins answers in its own language (X-Jenkins-Language: {}) and the sentence cannot be read; let its \
                 locale plugin heed the browser's language, or set jenkins.labels_from: script: \"{}\"",
                shorten(language),
                sentence
            ),
            Self::UnreadSentence {
                sentence,
                language: None,
            } => write!(f, "the sentence cannot be read: \"{sentence}\""),
        }
    }
}

/// Cuts a text of Jenkins' to what a message can hold.
pub(super) fn shorten(text: &str) -> String {
    excerpt(text, 120)
}
