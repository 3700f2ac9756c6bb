//! The `OS_*` variables as an entry of clouds.yaml. Each value has the path of its variable.

use crate::settings::files::Env;
use crate::settings::problem::Pos;
use crate::settings::yaml::{Entry, Node, Style, Value};

/// The name under which this entry can be asked for, as in other tools.
pub const NAME: &str = "envvars";

/// What an openrc file sets, without the `OS_` in front. In lower case it is the key of clouds.yaml.
const VARIABLES: [&str; 37] = [
    "AUTH_URL",
    "AUTH_TYPE",
    "IDENTITY_API_VERSION",
    "USERNAME",
    "USER_ID",
    "PASSWORD",
    "TOKEN",
    "PROJECT_ID",
    "PROJECT_NAME",
    "TENANT_ID",
    "TENANT_NAME",
    "USER_DOMAIN_ID",
    "USER_DOMAIN_NAME",
    "PROJECT_DOMAIN_ID",
    "PROJECT_DOMAIN_NAME",
    "DOMAIN_ID",
    "DOMAIN_NAME",
    "DEFAULT_DOMAIN",
    "DEFAULT_DOMAIN_ID",
    "DEFAULT_DOMAIN_NAME",
    "APPLICATION_CREDENTIAL_ID",
    "APPLICATION_CREDENTIAL_NAME",
    "APPLICATION_CREDENTIAL_SECRET",
    "TRUST_ID",
    "SYSTEM_SCOPE",
    "PASSCODE",
    "CACERT",
    "CERT",
    "KEY",
    "VERIFY",
    "INSECURE",
    "COMPUTE_ENDPOINT_OVERRIDE",
    "IMAGE_ENDPOINT_OVERRIDE",
    "NETWORK_ENDPOINT_OVERRIDE",
    "VOLUME_ENDPOINT_OVERRIDE",
    "VOLUMEV3_ENDPOINT_OVERRIDE",
    "BLOCK_STORAGE_ENDPOINT_OVERRIDE",
];

/// What an openrc file sets and what is looked at for a named cloud, too.
const OVERLAY: [&str; 3] = ["REGION_NAME", "INTERFACE", "ENDPOINT_TYPE"];

/// Reads the login from the environment.
pub fn entry(at: Pos, env: Env<'_>) -> Node {
    read(&VARIABLES, at, env)
}

/// Reads the region and the interface from the environment.
pub fn overlay(at: Pos, env: Env<'_>) -> Node {
    read(&OVERLAY, at, env)
}

fn read(names: &[&str], at: Pos, env: Env<'_>) -> Node {
    let entries = names.iter().filter_map(|name| {
        let variable = format!("OS_{name}");
        let text = env(&variable).filter(|text| !text.is_empty())?;
        let value = Node {
            at,
            value: Value::Scalar(text, Style::Quoted),
        };
        Some(Entry::from_elsewhere(&name.to_ascii_lowercase(), at, value, variable))
    });
    Node {
        at,
        value: Value::Map(entries.collect::<Vec<Entry>>()),
    }
}
