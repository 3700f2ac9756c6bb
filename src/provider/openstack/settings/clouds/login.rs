//! From an entry of clouds.yaml to the keys of a provider: which login it is, and what of the entry that login needs.
//! The keys of the provider itself are left as they are. Pure.

use crate::settings::check::Checker;
use crate::settings::key::KeySpec;
use crate::settings::problem::{Place, join};
use crate::settings::yaml::{Entry, Node, Style, Value};
use crate::text::nearest;

use super::super::keys::{
    APPLICATION_CREDENTIAL_ID, APPLICATION_CREDENTIAL_NAME, APPLICATION_CREDENTIAL_SECRET, AUTH_URL, AUTH_VERSION,
    INTERFACE, PASSWORD, PASSWORD_FILE, PROJECT_DOMAIN_ID, PROJECT_DOMAIN_NAME, SERVICE_REGION, TENANT_ID, TENANT_NAME,
    TOKEN, USER_DOMAIN_ID, USER_DOMAIN_NAME, USER_ID, USERNAME,
};
use super::super::libcloud::{self, AuthVersion};
use super::files::CloudFiles;
use super::layers::{Layers, Located};
use super::maker::Maker;
use super::region;

/// The keys of `auth` that mean something here, or are refused.
const AUTH_KEYS: [&str; 22] = [
    "auth_url",
    "username",
    "user_name",
    "user_id",
    "password",
    "token",
    "project_name",
    "project_id",
    "tenant_name",
    "tenant_id",
    "user_domain_name",
    "user_domain_id",
    "project_domain_name",
    "project_domain_id",
    "domain_name",
    "domain_id",
    "default_domain",
    "default_domain_name",
    "default_domain_id",
    "application_credential_id",
    "application_credential_name",
    "application_credential_secret",
];

/// What cannot be used, and what to do instead. Under `auth` or beside it.
const REFUSED: [(&str, &str); 7] = [
    (
        "trust_id",
        "a trust is not supported; use an application credential, which acts for its user",
    ),
    (
        "system_scope",
        "a login to the whole system is not supported; servers belong to a project, name it by project_name",
    ),
    (
        "passcode",
        "a second factor is not supported, it needs a person; use an application credential",
    ),
    (
        "cert",
        "a client certificate is not supported; use an address that needs none",
    ),
    (
        "key",
        "a client certificate is not supported; use an address that needs none",
    ),
    ("profile", PROFILE),
    // The spelling of old for a profile.
    ("cloud", PROFILE),
];
const PROFILE: &str = "profiles are not supported (vendor files, clouds-public.yaml); write the auth_url of that cloud \
                       under auth, and region_name";

/// The keys of `auth`, either of which makes it a login by application credential.
const CREDENTIALS: [&str; 2] = ["application_credential_id", "application_credential_name"];

/// The ways in which a cloud is logged in to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Password,
    Credential,
    Token,
}

/// Returns the keys that a provider gets from an entry, of which `overlay` is the part that the environment changes.
pub fn keys<'t>(
    own: &[Entry],
    mut layers: Layers<'t>,
    overlay: &'t Node,
    found: Option<&CloudFiles>,
    provider: &Place,
    checker: &Checker<'_>,
) -> Vec<Entry> {
    let report = checker.report;
    let overlay = Layers::single(overlay, "");
    let region = region::choose(own, &mut layers, &overlay, provider, report);
    let mut maker = Maker {
        own,
        layers,
        found,
        report,
        checker,
        keys: Vec::new(),
    };
    maker.refuse();
    if let Some(region) = region {
        maker.put(&SERVICE_REGION, &region);
    }
    if let Some(located) = overlay.top(&["interface", "endpoint_type"]) {
        maker.put(&INTERFACE, &located);
    }
    maker.top(&INTERFACE, &["interface", "endpoint_type"]);
    maker.login(provider);
    maker.transport();
    maker.endpoints();
    maker.keys
}

impl<'t> Maker<'_, 't> {
    /// Refuses what would be ignored at a price, and hints at what looks like a typing error.
    fn refuse(&mut self) {
        for (key, why) in REFUSED {
            let located = self.layers.auth(&[key]);
            if let Some(located) = located.filter(|located| located.text() != Some("")) {
                self.report.error(&located.place(), why);
            }
        }
        for (node, path) in self.layers.all() {
            let Some(auth) = node.entry("auth") else {
                continue;
            };
            let path = join(path, "auth");
            if !matches!(auth.value.value, Value::Map(_) | Value::Null) {
                let place = Place { at: auth.at, path };
                self.report.error(
                    &place,
                    "must be a mapping of keys; write auth_url: and the others below it",
                );
                continue;
            }
            for entry in auth.value.entries() {
                let key = entry.key.replace('-', "_");
                let known = AUTH_KEYS.contains(&key.as_str()) || REFUSED.iter().any(|(refused, _)| *refused == key);
                if let Some(near) = nearest(&key, AUTH_KEYS).filter(|_| !known) {
                    let place = Place {
                        at: entry.at,
                        path: join(&path, &entry.written),
                    };
                    self.report
                        .clue(&place, format!("is not known here and not used; did you mean {near}?"));
                }
            }
        }
    }

    fn login(&mut self, provider: &Place) {
        let Some(method) = self.method() else {
            // The kind of login is wrong: nothing is missing on top of it.
            self.stop(&[&AUTH_URL, &USERNAME, &PASSWORD, &TENANT_NAME, &AUTH_VERSION]);
            return;
        };
        self.auth_url(provider);
        match method {
            Method::Password => {
                self.user(provider);
                self.secret(&PASSWORD, "password");
                self.project(provider);
            }
            Method::Token => {
                self.secret(&TOKEN, "token");
                self.project(provider);
            }
            Method::Credential => self.credential(provider),
        }
    }

    fn credential(&mut self, provider: &Place) {
        let own: [&KeySpec; 3] = [&APPLICATION_CREDENTIAL_ID, &APPLICATION_CREDENTIAL_NAME, &USERNAME];
        if !self.has_any(&own) && !self.auth(&APPLICATION_CREDENTIAL_ID, &["application_credential_id"]) {
            let named = self.auth(&APPLICATION_CREDENTIAL_NAME, &["application_credential_name"]);
            if named {
                self.user(provider);
            } else {
                let what = "write the id of the application credential";
                self.missing(&APPLICATION_CREDENTIAL_ID, "application_credential_id", what, provider);
            }
        } else if self.own.iter().any(|entry| entry.is(&APPLICATION_CREDENTIAL_NAME)) {
            self.user(provider);
        }
        self.secret(&APPLICATION_CREDENTIAL_SECRET, "application_credential_secret");
    }

    /// Returns which login it is; `None` after a report. The version goes into the provider where the entry has one.
    fn method(&mut self) -> Option<Method> {
        let own = self.own.iter().find(|entry| entry.is(&AUTH_VERSION));
        if let Some(own) = own {
            let Value::Text(text, _) = &own.value.value else {
                return Some(Method::Password);
            };
            return Some(AuthVersion::parse(text).map_or(Method::Password, of_version));
        }
        // What the provider brings itself is another login than the entry's.
        if self.has_any(&[&APPLICATION_CREDENTIAL_ID, &APPLICATION_CREDENTIAL_NAME]) {
            return Some(Method::Credential);
        }
        if self.has(&TOKEN) {
            return Some(Method::Token);
        }
        if self.has_any(&[&USERNAME, &USER_ID]) && self.has_any(&[&PASSWORD, &PASSWORD_FILE]) {
            self.version_by_number();
            return Some(Method::Password);
        }
        if let Some(located) = self.layers.top(&["auth_type", "auth_plugin"]) {
            let text = located.text().unwrap_or_default();
            let (method, version) = match text {
                "password" => (Method::Password, self.generic_version()),
                "v3password" => (Method::Password, Some("3.x_password")),
                "v2password" => (Method::Password, Some("2.0_password")),
                "token" | "v3token" => (Method::Token, Some("3.x_token")),
                "v3applicationcredential" => (Method::Credential, Some("3.x_appcred")),
                _ => {
                    let why = libcloud::refused_auth_type(text);
                    self.report.error(&located.place(), libcloud::unusable(text, why));
                    return None;
                }
            };
            if let Some(version) = version {
                self.version(&located, version);
            }
            return Some(method);
        }
        Some(self.by_keys())
    }

    /// Gives the provider the version of its login, with the place of what tells it.
    fn version(&mut self, located: &Located<'t>, version: &str) {
        self.add(&AUTH_VERSION, located, Value::Scalar(version.to_owned(), Style::Quoted));
    }

    /// Tells the login by the keys that are there, where its type is not.
    fn by_keys(&mut self) -> Method {
        let (method, located, version) = if let Some(located) = self.layers.auth(&CREDENTIALS) {
            (Method::Credential, located, "3.x_appcred")
        } else if let Some(located) = self
            .layers
            .auth(&["token"])
            .filter(|_| self.layers.auth(&["password"]).is_none() && !self.has_any(&[&PASSWORD, &PASSWORD_FILE]))
        {
            (Method::Token, located, "3.x_token")
        } else {
            self.version_by_number();
            return Method::Password;
        };
        self.version(&located, version);
        method
    }

    fn version_by_number(&mut self) {
        if let (Some(version), Some(located)) = (self.generic_version(), self.layers.top(&["identity_api_version"])) {
            self.version(&located, version);
        }
    }

    /// Reads `identity_api_version`; without it the version is that of the URL, else v3.
    fn generic_version(&self) -> Option<&'static str> {
        let located = self.layers.top(&["identity_api_version"])?;
        match located.text()?.trim_start_matches('v').split('.').next()? {
            "2" => Some("2.0_password"),
            "3" => Some("3.x_password"),
            _ => None,
        }
    }

    fn auth_url(&mut self, provider: &Place) {
        if self.has(&AUTH_URL) {
            return;
        }
        let Some(located) = self.layers.auth(&["auth_url"]) else {
            return self.missing(
                &AUTH_URL,
                "auth_url",
                "write Keystone's address, like https://cloud.example.com:5000/v3",
                provider,
            );
        };
        let Some(text) = located.text().filter(|text| text.contains('{')) else {
            return self.put(&AUTH_URL, &located);
        };
        let region = self
            .own
            .iter()
            .chain(&self.keys)
            .find(|entry| entry.is(&SERVICE_REGION));
        let filled = match region.map(|entry| &entry.value.value) {
            Some(Value::Text(region, _)) => text.replace("{region_name}", region),
            _ => text.to_owned(),
        };
        let fault = if filled.contains("{region_name}") {
            Some("holds {region_name}, and no region is named; write region_name")
        } else if filled.contains('{') {
            Some("holds a placeholder that is not known; only {region_name} is filled in")
        } else {
            None
        };
        let value = match fault {
            Some(fault) => {
                self.report.error(&located.place(), fault);
                Value::Bad
            }
            None => Value::Scalar(filled, Style::Quoted),
        };
        self.add(&AUTH_URL, &located, value);
    }

    fn user(&mut self, provider: &Place) {
        if !self.either((&USER_ID, &["user_id"]), (&USERNAME, &["username", "user_name"])) {
            self.missing(&USERNAME, "username", "write the user", provider);
        }
        self.either(
            (&USER_DOMAIN_ID, &["user_domain_id"]),
            (&USER_DOMAIN_NAME, &["user_domain_name"]),
        );
        self.domain(&USER_DOMAIN_ID, &USER_DOMAIN_NAME);
    }

    fn project(&mut self, provider: &Place) {
        let id = (TENANT_ID.spec(), &["project_id", "tenant_id"][..]);
        if !self.either(id, (&TENANT_NAME, &["project_name", "tenant_name"])) {
            let what = "without a project nothing can be done; write the one that the servers belong to";
            self.missing(&TENANT_NAME, "project_name", what, provider);
        }
        self.either(
            (&PROJECT_DOMAIN_ID, &["project_domain_id"]),
            (&PROJECT_DOMAIN_NAME, &["project_domain_name"]),
        );
        self.domain(&PROJECT_DOMAIN_ID, &PROJECT_DOMAIN_NAME);
    }

    /// A domain that is given for both, user and project.
    fn domain(&mut self, id: &'static KeySpec, name: &'static KeySpec) {
        self.either((id, &["domain_id"]), (name, &["domain_name"]));
        let ids = ["default_domain_id", "default_domain"];
        self.either((id, &ids), (name, &["default_domain_name"]));
    }
}

fn of_version(version: AuthVersion) -> Method {
    match version {
        AuthVersion::V2Password | AuthVersion::V3Password => Method::Password,
        AuthVersion::V3ApplicationCredential => Method::Credential,
        AuthVersion::V3Token => Method::Token,
    }
}
