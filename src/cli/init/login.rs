//! Where the login of the cloud is, as far as the command line and the environment tell.

use crate::config::Env;

/// Where the login of the cloud is.
#[derive(Debug, PartialEq, Eq)]
pub enum CloudLogin {
    /// In an entry of clouds.yaml.
    Entry(String),
    /// In the `OS_*` variables.
    Variables(Variables),
    /// Nobody said.
    Unknown,
}

/// The `OS_*` variables that make a login.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// Those that are set.
    pub names: Vec<&'static str>,
    /// What they mean in the configuration: key and value, nothing secret among them.
    pub keys: Vec<(&'static str, String)>,
}

/// The variables, what they are part of, and their keys: of those that say the same the first that is set counts.
const VARIABLES: [(&str, &str, &str); 15] = [
    ("OS_AUTH_URL", "address", "auth_url"),
    ("OS_USERNAME", "user", "username"),
    ("OS_USER_ID", "user", "user_id"),
    ("OS_USER_DOMAIN_NAME", "domain of the user", "user_domain_name"),
    ("OS_USER_DOMAIN_ID", "domain of the user", "user_domain_id"),
    ("OS_PROJECT_NAME", "project", "tenant_name"),
    ("OS_TENANT_NAME", "project", "tenant_name"),
    ("OS_PROJECT_ID", "project", "tenant_id"),
    ("OS_TENANT_ID", "project", "tenant_id"),
    ("OS_PROJECT_DOMAIN_NAME", "domain of the project", "project_domain_name"),
    ("OS_PROJECT_DOMAIN_ID", "domain of the project", "project_domain_id"),
    (
        "OS_APPLICATION_CREDENTIAL_ID",
        "credential",
        "application_credential_id",
    ),
    (
        "OS_APPLICATION_CREDENTIAL_NAME",
        "credential",
        "application_credential_name",
    ),
    ("OS_INTERFACE", "interface", "interface"),
    ("OS_CACERT", "authority", "ca_file"),
];
/// Those whose value is not shown.
const SECRETS: [&str; 3] = ["OS_PASSWORD", "OS_TOKEN", "OS_APPLICATION_CREDENTIAL_SECRET"];

/// Finds the login: what was named, else `OS_CLOUD`, else `OS_AUTH_URL` and its sisters, as a pass does.
pub fn cloud_login(named: Option<&str>, env: Env<'_>) -> CloudLogin {
    let set = |name: &str| env(name).filter(|text| !text.is_empty());
    if let Some(cloud) = named.map(str::to_owned).or_else(|| set("OS_CLOUD")) {
        return CloudLogin::Entry(cloud);
    }
    if set("OS_AUTH_URL").is_none() {
        return CloudLogin::Unknown;
    }
    let mut found = Variables::default();
    let mut taken: Vec<&str> = Vec::new();
    for (name, part, key) in VARIABLES {
        let Some(value) = set(name) else { continue };
        found.names.push(name);
        // An address may hold a password.
        let is_shown = name != "OS_AUTH_URL" || !value.contains('@');
        if is_shown && !taken.contains(&part) {
            taken.push(part);
            found.keys.push((key, value));
        }
    }
    found
        .names
        .extend(SECRETS.into_iter().filter(|name| set(name).is_some()));
    CloudLogin::Variables(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_is_found_as_a_pass_finds_it() {
        let env = |name: &str| match name {
            "OS_AUTH_URL" => Some("https://k:5000/v3".to_owned()),
            "OS_USERNAME" => Some("demo".to_owned()),
            "OS_PASSWORD" => Some("hunter2".to_owned()),
            "OS_PROJECT_ID" => Some("0123".to_owned()),
            "OS_PROJECT_NAME" => Some("ours".to_owned()),
            "OS_USER_DOMAIN_NAME" => Some("Default".to_owned()),
            _ => None,
        };
        assert_eq!(cloud_login(Some("one"), &env), CloudLogin::Entry("one".to_owned()));
        assert_eq!(cloud_login(None, &|_| None), CloudLogin::Unknown);
        let entry = |name: &str| (name == "OS_CLOUD").then(|| "two".to_owned());
        assert_eq!(cloud_login(None, &entry), CloudLogin::Entry("two".to_owned()));
        let CloudLogin::Variables(found) = cloud_login(None, &env) else {
            panic!("not found");
        };
        assert_eq!(
            found.names,
            [
                "OS_AUTH_URL",
                "OS_USERNAME",
                "OS_USER_DOMAIN_NAME",
                "OS_PROJECT_NAME",
                "OS_PROJECT_ID",
                "OS_PASSWORD"
            ]
        );
        let keys: Vec<(&str, &str)> = found.keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
        assert_eq!(
            keys,
            [
                ("auth_url", "https://k:5000/v3"),
                ("username", "demo"),
                ("user_domain_name", "Default"),
                ("tenant_name", "ours"),
            ]
        );
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn an_address_with_a_password_is_not_shown_and_a_user_with_an_at_is() {
        let env = |name: &str| match name {
            "OS_AUTH_URL" => Some("https://ci:hunter2@k:5000/v3".to_owned()),
            "OS_USERNAME" => Some("ci@example.com".to_owned()),
            _ => None,
        };
        let CloudLogin::Variables(found) = cloud_login(None, &env) else {
            panic!("not found");
        };
        assert_eq!(found.names, ["OS_AUTH_URL", "OS_USERNAME"]);
        assert_eq!(found.keys, [("username", "ci@example.com".to_owned())]);
    }
}
