//! What the file says, key by key, before any of it was judged. Durations are seconds, sizes are bytes.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::secret::Secret;

/// A secret as it stands in the file.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct RawSecret(String);

impl RawSecret {
    /// Returns it in the type that the program uses.
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.clone())
    }
}

impl fmt::Debug for RawSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    pub owner: Option<String>,
    pub state_file: Option<String>,
    pub limits: RawLimits,
    pub timing: RawTiming,
    pub jenkins: RawJenkins,
    pub provider: BTreeMap<String, RawProvider>,
    pub nodes: BTreeMap<String, RawNode>,
}

/// `limits:`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawLimits {
    pub max_servers: Option<u32>,
    pub max_creates_per_pass: Option<u32>,
    pub max_deletes_per_pass: Option<u32>,
    pub max_booting: Option<u32>,
    pub canary: Option<u32>,
    pub pass_deadline: Option<i64>,
    pub max_body: Option<u64>,
}

/// `timing:`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawTiming {
    pub idle_grace: Option<i64>,
    pub boot_grace: Option<i64>,
    pub offline_grace: Option<i64>,
    pub min_lifetime: Option<i64>,
    pub max_lifetime: Option<i64>,
    pub intent_grace: Option<i64>,
    pub restart_grace: Option<i64>,
    pub queue_grace: Option<i64>,
    pub backoff_first: Option<i64>,
    pub backoff_max: Option<i64>,
}

/// `jenkins:`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawJenkins {
    pub url: Option<String>,
    pub user: Option<String>,
    pub token: Option<RawSecret>,
    pub token_file: Option<String>,
    pub password: Option<RawSecret>,
    pub password_file: Option<String>,
    pub ca_file: Option<String>,
    pub verify: Option<bool>,
    pub proxy: Option<String>,
    pub connect_timeout: Option<i64>,
    pub timeout: Option<i64>,
    pub anchor: Option<bool>,
    pub labels_from: Option<String>,
    pub bootstrap: Option<String>,
}

/// An entry of `provider:`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawProvider {
    pub r#type: Option<String>,
    pub username: Option<String>,
    pub user_id: Option<String>,
    pub password: Option<RawSecret>,
    pub password_file: Option<String>,
    pub application_credential_id: Option<String>,
    pub application_credential_name: Option<String>,
    pub application_credential_secret: Option<RawSecret>,
    pub token: Option<RawSecret>,
    pub cloud: Option<String>,
    pub auth_url: Option<String>,
    pub auth_version: Option<String>,
    pub service_region: Option<String>,
    pub tenant_name: Option<String>,
    pub tenant_id: Option<String>,
    pub user_domain_name: Option<String>,
    pub user_domain_id: Option<String>,
    pub project_domain_name: Option<String>,
    pub project_domain_id: Option<String>,
    pub interface: Option<String>,
    pub ca_file: Option<String>,
    pub verify: Option<bool>,
    pub proxy: Option<String>,
    pub compute_url: Option<String>,
    pub image_url: Option<String>,
    pub network_url: Option<String>,
    pub volume_url: Option<String>,
    pub token_cache: Option<String>,
    pub max_servers: Option<u32>,
    pub connect_timeout: Option<i64>,
    pub timeout: Option<i64>,
    pub command: Option<Vec<String>>,
    pub environment: BTreeMap<String, RawSecret>,
}

/// An entry of `nodes:`, with what it inherits from `defaults:`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawNode {
    pub script: Option<String>,
    pub keyname: Option<String>,
    pub image_name: Option<String>,
    pub image_id: Option<String>,
    pub image_regex: Option<String>,
    pub size: Option<String>,
    pub size_section: Option<RawSize>,
    pub labels: Option<Vec<String>>,
    pub provider: Option<Vec<String>>,
    pub max: Option<u32>,
    pub min_ready: Option<u32>,
    pub min_ready_windows: Option<Vec<Option<RawWindow>>>,
    pub executors: Option<u32>,
    pub accepts_unlabelled: Option<bool>,
    pub priority: Option<i64>,
    pub storage: Option<u32>,
    pub boot_volume: Option<u32>,
    pub volume_type: Option<String>,
    pub networks: Option<Vec<String>>,
    pub ports: Option<Vec<Option<String>>>,
    pub ports_sections: Option<Vec<Option<RawPort>>>,
    pub floating_ip_pool: Option<String>,
    pub security_groups: Option<Vec<String>>,
    pub availability_zone: Option<Vec<String>>,
    pub config_drive: Option<bool>,
    pub metadata: BTreeMap<String, String>,
    pub scheduler_hints: BTreeMap<String, serde_json::Value>,
    pub options: BTreeMap<String, serde_json::Value>,
    pub idle_grace: Option<i64>,
    pub boot_grace: Option<i64>,
    pub max_lifetime: Option<i64>,
    pub max_builds: Option<u32>,
    /// `true`, `false` or `all`.
    pub adopt: Option<String>,
    pub register: Option<String>,
    pub agent: RawAgent,
}

/// `agent:`, the Jenkins node that mita makes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawAgent {
    pub credentials_id: Option<String>,
    pub port: Option<u32>,
    pub java_path: Option<String>,
    pub remote_dir: Option<String>,
    pub mode: Option<String>,
    pub description: Option<String>,
    pub web_socket: Option<bool>,
    pub host_key: RawHostKey,
}

/// `agent.host_key:`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawHostKey {
    pub strategy: Option<String>,
    pub key: Option<String>,
}

/// `size:` by what a flavor must have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawSize {
    pub vcpus: Option<u32>,
    pub ram: Option<u32>,
    pub disk: Option<u32>,
}

/// A port of `ports:` that is made for each server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawPort {
    pub network: Option<String>,
    pub security_groups: Option<Vec<String>>,
    pub vnic_type: Option<String>,
    pub port_security: Option<bool>,
}

/// A cron window of `min_ready:`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawWindow {
    pub cron: Option<String>,
    pub timezone: Option<String>,
    pub ready: Option<u32>,
}
