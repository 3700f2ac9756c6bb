//! What a server is made for, as the journal says it.

use serde::{Deserialize, Serialize};

/// What a server is made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFor {
    /// The job, or one of the words below.
    #[serde(rename = "for")]
    pub job: String,
    /// The label expression that its item waits for; `None` where there is none or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl MadeFor {
    /// The word for the warm pool.
    pub const WARM_POOL: &str = "min_ready";

    /// The word for an operator (`provision --template`).
    pub const BY_HAND: &str = "by hand";

    /// The word for the first server of a Jenkins without agents (`jenkins.bootstrap`).
    pub const BOOTSTRAP: &str = "bootstrap";

    /// Makes one of those without a job and a label.
    pub fn word(word: &str) -> Self {
        Self {
            job: word.to_owned(),
            label: None,
        }
    }
}
