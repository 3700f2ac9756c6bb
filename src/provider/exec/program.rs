//! How to run an executable that plays the cloud: what its settings fill in and the client is given. No behaviour.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;

use crate::secret::Secret;

/// How to run an executable of the operator that plays the cloud.
#[derive(Clone, Debug)]
pub struct ExecProgram {
    /// The provider's name.
    pub provider: String,
    /// The owner, `mita-owner`.
    pub owner: String,
    /// The executable, with its whole path.
    pub program: PathBuf,
    /// What is put before the verb.
    pub arguments: Vec<String>,
    /// The folder in which it runs: that of the configuration file.
    pub folder: PathBuf,
    /// What it gets of our own environment.
    pub inherited: BTreeMap<String, String>,
    /// What the configuration adds to that.
    pub environment: BTreeMap<String, Secret>,
    /// Limit for a whole call.
    pub timeout: SignedDuration,
    /// Largest answer that is accepted, in bytes.
    pub max_output: u64,
}
