//! From an entry of clouds.yaml to the keys of a provider: which login it is, and what of the entry that login needs.
//! What the provider says itself is left as it is. Pure.

use super::super::libcloud::{self, AuthVersion};
use super::super::problem::{Place, Pos, Report, join, quoted};
use super::super::suggest;
use super::super::tree::{Entry, Node, Style, Value};
use super::entry;
use super::files::Found;
use super::layers::{Layers, Told};

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
    found: Option<&Found>,
    provider: &Place,
    report: &mut Report,
) -> Vec<Entry> {
    let overlay = Layers::of(overlay, "");
    let region = region(own, &mut layers, &overlay, provider, report);
    let mut maker = Maker {
        own,
        layers,
        found,
        report,
        keys: Vec::new(),
    };
    maker.refuse();
    if let Some(region) = region {
        maker.put("service_region", &region);
    }
    if let Some(told) = overlay.top(&["interface", "endpoint_type"]) {
        maker.put("interface", &told);
    }
    maker.top("interface", &["interface", "endpoint_type"]);
    maker.login(provider);
    maker.transport();
    maker.endpoints();
    maker.keys
}

/// Finds the region: the provider's own, else the environment's, else the entry's first. What the entry says of that
/// region in particular goes over the rest.
fn region<'t>(
    own: &[Entry],
    layers: &mut Layers<'t>,
    overlay: &Layers<'t>,
    provider: &Place,
    report: &mut Report,
) -> Option<Told<'t>> {
    let mine = own.iter().find(|entry| entry.key == "service_region");
    let asked = overlay.top(&["region_name"]);
    let wanted = match mine.map(|entry| &entry.value.value) {
        Some(Value::Text(text, _)) => Some(text.as_str()),
        Some(_) => return None,
        None => asked.as_ref().and_then(Told::text),
    };
    let Some(regions) = layers.top(&["regions"]) else {
        let told = layers.top(&["region_name"]);
        if let (None, Some(asked), Some(told)) = (mine, &asked, &told)
            && asked.text() != told.text()
        {
            let text = "is taken for the region, not region_name of the cloud; unset it, or write service_region";
            report.warn(&asked.place(), text);
        }
        return asked.or(told);
    };
    let Value::List(items) = &regions.entry.value.value else {
        report.error(
            &regions.place(),
            "must be a list of names; write it like [RegionOne, RegionTwo]",
        );
        return None;
    };
    let mut named = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match (&item.value, item.entry("name").map(|entry| &entry.value.value)) {
            (Value::Scalar(name, _), _) | (Value::Map(_), Some(Value::Scalar(name, _))) => {
                named.push((name.as_str(), index, item));
            }
            _ => {
                let place = Place {
                    at: item.at,
                    path: format!("{}[{index}]", regions.path),
                };
                report.error(&place, "is no region; write its name, or a name and values");
            }
        }
    }
    let chosen = match wanted {
        None => named.first(),
        Some(wanted) => named.iter().find(|(name, ..)| *name == wanted),
    };
    let Some((_, index, item)) = chosen else {
        if let Some(wanted) = wanted {
            let names: Vec<&str> = named.iter().map(|(name, ..)| *name).collect();
            let place = match mine {
                Some(entry) => Place {
                    at: entry.value.at,
                    path: join(&provider.path, &entry.written),
                },
                None => asked.as_ref().map_or_else(|| regions.place(), Told::place),
            };
            let hint = suggest::did_you_mean(wanted, names);
            report.error(&place, format!("{} is no region of the cloud{hint}", quoted(wanted)));
        }
        return None;
    };
    if let Some(values) = item.entry("values") {
        layers.push_over(&values.value, format!("{}[{index}].values", regions.path));
    }
    if mine.is_some() {
        return None;
    }
    match wanted {
        Some(_) => asked,
        None => Some(Told {
            // The list has the place; the name alone is no entry.
            entry: item.entry("name").unwrap_or(regions.entry),
            path: format!("{}[{index}]", regions.path),
        }),
    }
}

struct Maker<'m, 't> {
    own: &'m [Entry],
    layers: Layers<'t>,
    found: Option<&'m Found>,
    report: &'m mut Report,
    keys: Vec<Entry>,
}

impl<'t> Maker<'_, 't> {
    fn has(&self, key: &str) -> bool {
        self.own.iter().chain(&self.keys).any(|entry| entry.key == key)
    }

    fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// Refuses what would be ignored at a price, and hints at what looks like a typing error.
    fn refuse(&mut self) {
        for (key, why) in REFUSED {
            if let Some(told) = self.layers.auth(&[key]) {
                self.report.error(&told.place(), why);
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
                if let Some(near) = suggest::nearest(&key, AUTH_KEYS).filter(|_| !known) {
                    let place = Place {
                        at: entry.at,
                        path: join(&path, &entry.written),
                    };
                    self.report
                        .hint(&place, format!("is not known here and not used; did you mean {near}?"));
                }
            }
        }
    }

    /// Gives the provider a key that is told, unless it has it.
    fn put(&mut self, key: &str, told: &Told<'t>) {
        if self.has(key) {
            return;
        }
        let value = match &told.entry.value.value {
            Value::Scalar(text, style) => Value::Text(text.clone(), *style),
            // A region in a list of plain names.
            Value::List(items) if key == "service_region" => match items.first().map(|item| &item.value) {
                Some(Value::Scalar(text, style)) => Value::Text(text.clone(), *style),
                _ => Value::Bad,
            },
            _ => {
                self.report.error(&told.place(), "must be a text; write it on one line");
                Value::Bad
            }
        };
        self.add(key, told, value);
    }

    fn add(&mut self, key: &str, told: &Told<'t>, value: Value) {
        let place = told.place();
        let value = Node { at: place.at, value };
        self.keys.push(entry(key, told.entry.at, value, place.path));
    }

    fn top(&mut self, key: &str, spellings: &[&str]) {
        if let Some(told) = self.layers.top(spellings) {
            self.put(key, &told);
        }
    }

    fn auth(&mut self, key: &str, spellings: &[&str]) -> bool {
        let told = self.layers.auth(spellings);
        if let Some(told) = &told {
            self.put(key, told);
        }
        told.is_some()
    }

    /// Takes the id of something, else its name; neither where the provider says one of the two.
    fn either(&mut self, (id, ids): (&str, &[&str]), (name, names): (&str, &[&str])) -> bool {
        self.has_any(&[id, name]) || self.auth(id, ids) || self.auth(name, names)
    }

    fn secret(&mut self, spelling: &str) {
        let all = ["password", "password_file", "application_credential_secret", "token"];
        let Some(told) = self.layers.auth(&[spelling]).filter(|_| !self.has_any(&all)) else {
            return;
        };
        self.put(spelling, &told);
        let number = told.entry.at.file;
        let mut files = self.found.into_iter().flat_map(Found::files);
        if let Some(file) = files.find(|file| file.number == number && file.readable) {
            let mut place = Place::file();
            place.at.file = file.number;
            let text = "holds a secret and can be read by others; chmod 600 it";
            self.report.hint(&place, text);
        }
    }

    fn login(&mut self, provider: &Place) {
        let Some(method) = self.method() else {
            // The kind of login is wrong: nothing is missing on top of it.
            self.stop(&["auth_url", "username", "password", "tenant_name", "auth_version"]);
            return;
        };
        self.auth_url(provider);
        match method {
            Method::Password => {
                self.user(provider);
                self.secret("password");
                self.project(provider);
            }
            Method::Token => {
                self.secret("token");
                self.project(provider);
            }
            Method::Credential => self.credential(provider),
        }
    }

    fn credential(&mut self, provider: &Place) {
        let own = ["application_credential_id", "application_credential_name", "username"];
        if !self.has_any(&own) && !self.auth("application_credential_id", &["application_credential_id"]) {
            let named = self.auth("application_credential_name", &["application_credential_name"]);
            if named {
                self.user(provider);
            } else {
                let what = "write the id of the application credential";
                self.missing("application_credential_id", "application_credential_id", what, provider);
            }
        } else if self.own.iter().any(|entry| entry.key == "application_credential_name") {
            self.user(provider);
        }
        self.secret("application_credential_secret");
    }

    /// Tells which login it is; `None` after a report. The version goes into the provider where it is told here.
    fn method(&mut self) -> Option<Method> {
        let own = self.own.iter().find(|entry| entry.key == "auth_version");
        if let Some(own) = own {
            let Value::Text(text, _) = &own.value.value else {
                return Some(Method::Password);
            };
            return Some(AuthVersion::parse(text).map_or(Method::Password, of_version));
        }
        if let Some(told) = self.layers.top(&["auth_type", "auth_plugin"]) {
            let text = told.text().unwrap_or_default();
            let (method, version) = match text {
                "password" => (Method::Password, self.generic_version()),
                "v3password" => (Method::Password, Some("3.x_password")),
                "v2password" => (Method::Password, Some("2.0_password")),
                "token" | "v3token" => (Method::Token, Some("3.x_token")),
                "v3applicationcredential" => (Method::Credential, Some("3.x_appcred")),
                _ => {
                    let why = libcloud::refused_auth_type(text);
                    let (why, action) = why.split_once("; ").unwrap_or((&why, ""));
                    self.report.error(
                        &told.place(),
                        format!("{} cannot be used, {why}; {action}", quoted(text)),
                    );
                    return None;
                }
            };
            if let Some(version) = version {
                self.add("auth_version", &told, Value::Text(version.to_owned(), Style::Quoted));
            }
            return Some(method);
        }
        Some(self.by_keys())
    }

    /// Tells the login by the keys that are there, where its type is not.
    fn by_keys(&mut self) -> Method {
        let ids = ["application_credential_id", "application_credential_name"];
        let (method, told, version) = if let Some(told) = self.layers.auth(&ids).filter(|_| !self.has("username")) {
            (Method::Credential, told, "3.x_appcred")
        } else if self.has_any(&ids) {
            return Method::Credential;
        } else if self.has("token") {
            return Method::Token;
        } else if let Some(told) = self
            .layers
            .auth(&["token"])
            .filter(|_| self.layers.auth(&["password"]).is_none() && !self.has_any(&["password", "password_file"]))
        {
            (Method::Token, told, "3.x_token")
        } else {
            if let (Some(version), Some(told)) = (self.generic_version(), self.layers.top(&["identity_api_version"])) {
                self.add("auth_version", &told, Value::Text(version.to_owned(), Style::Quoted));
            }
            return Method::Password;
        };
        self.add("auth_version", &told, Value::Text(version.to_owned(), Style::Quoted));
        method
    }

    /// Reads `identity_api_version`; without it the URL tells, and v3 is usual.
    fn generic_version(&self) -> Option<&'static str> {
        let told = self.layers.top(&["identity_api_version"])?;
        match told.text()?.trim_start_matches('v').split('.').next()? {
            "2" => Some("2.0_password"),
            "3" => Some("3.x_password"),
            _ => None,
        }
    }

    fn auth_url(&mut self, provider: &Place) {
        if self.has("auth_url") {
            return;
        }
        let Some(told) = self.layers.auth(&["auth_url"]) else {
            return self.missing(
                "auth_url",
                "auth_url",
                "write Keystone's address, like https://cloud.example.com:5000/v3",
                provider,
            );
        };
        let Some(text) = told.text().filter(|text| text.contains('{')) else {
            return self.put("auth_url", &told);
        };
        let region = self
            .own
            .iter()
            .chain(&self.keys)
            .find(|entry| entry.key == "service_region");
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
                self.report.error(&told.place(), fault);
                Value::Bad
            }
            None => Value::Text(filled, Style::Quoted),
        };
        self.add("auth_url", &told, value);
    }

    fn user(&mut self, provider: &Place) {
        let user = (
            ("user_id", &["user_id"][..]),
            ("username", &["username", "user_name"][..]),
        );
        if !self.either(user.0, user.1) {
            self.missing("username", "username", "write the user", provider);
        }
        self.either(
            ("user_domain_id", &["user_domain_id"]),
            ("user_domain_name", &["user_domain_name"]),
        );
        self.domain(("user_domain_id", "user_domain_name"));
    }

    fn project(&mut self, provider: &Place) {
        let ids = ("tenant_id", &["project_id", "tenant_id"][..]);
        if !self.either(ids, ("tenant_name", &["project_name", "tenant_name"])) {
            let what = "without a project nothing can be done; write the one that the servers belong to";
            self.missing("tenant_name", "project_name", what, provider);
        }
        self.either(
            ("project_domain_id", &["project_domain_id"]),
            ("project_domain_name", &["project_domain_name"]),
        );
        self.domain(("project_domain_id", "project_domain_name"));
    }

    /// A domain that is told for both, user and project.
    fn domain(&mut self, (id, name): (&str, &str)) {
        self.either((id, &["domain_id"]), (name, &["domain_name"]));
        let ids = ["default_domain_id", "default_domain"];
        self.either((id, &ids), (name, &["default_domain_name"]));
    }

    /// Reports what neither the provider nor the entry says.
    fn missing(&mut self, key: &str, written: &str, what: &str, provider: &Place) {
        if let Some(file) = self.found {
            let mut place = self.layers.place();
            place.path = join(&join(&place.path, "auth"), written);
            debug_assert!(file.clouds.number > 0);
            self.report.error(&place, format!("missing; {what}"));
        } else {
            let variable = format!("OS_{}", written.to_ascii_uppercase());
            let text = format!("the environment has no {variable}; set it, or the provider's own keys");
            self.report.error(provider, text);
        }
        self.stop(&[key]);
    }

    /// Keeps what is missing from being reported again.
    fn stop(&mut self, keys: &[&str]) {
        for key in keys.iter().filter(|key| !self.has(key)).collect::<Vec<_>>() {
            let node = Node {
                at: Pos::START,
                value: Value::Bad,
            };
            self.keys.push(entry(key, Pos::START, node, String::new()));
        }
    }

    fn transport(&mut self) {
        let insecure = self.layers.top(&["insecure"]);
        let insecure = insecure.filter(|told| told.text().and_then(flag) == Some(true));
        let verify = self.layers.top(&["verify"]);
        let (told, verifies) = match (insecure, verify) {
            (Some(told), _) => (Some(told), Some(false)),
            (None, Some(told)) => {
                let value = told.text().and_then(flag);
                if value.is_none() {
                    self.report.error(
                        &told.place(),
                        "must be true or false; a file of certificates is named by cacert",
                    );
                }
                (Some(told), value)
            }
            (None, None) => (None, None),
        };
        // A provider that names its CA wants to verify.
        if let (Some(told), Some(false)) = (&told, verifies)
            && !self.has_any(&["verify", "ca_file"])
        {
            self.add("verify", told, Value::Flag(false));
        }
        let unverified = self
            .own
            .iter()
            .chain(&self.keys)
            .any(|e| e.key == "verify" && matches!(e.value.value, Value::Flag(false)));
        if unverified || self.has("ca_file") {
            return;
        }
        if let Some(told) = self.layers.top(&["cacert"])
            && let Some(text) = told.text().filter(|text| !text.is_empty())
        {
            let folder = self.folder(&told);
            let path = match folder {
                Some(folder) if !text.starts_with(['~', '$']) => folder.join(text).display().to_string(),
                _ => text.to_owned(),
            };
            self.add("ca_file", &told, Value::Text(path, Style::Quoted));
        }
    }

    /// Returns what a path in the file of a value is relative to.
    fn folder(&self, told: &Told<'_>) -> Option<&std::path::Path> {
        let number = told.entry.at.file;
        let mut files = self.found.into_iter().flat_map(Found::files);
        files
            .find(|file| file.number == number)
            .map(|file| file.folder.as_path())
    }

    fn endpoints(&mut self) {
        self.top("compute_url", &["compute_endpoint_override", "compute_endpoint"]);
        self.top("image_url", &["image_endpoint_override", "image_endpoint"]);
        self.top("network_url", &["network_endpoint_override", "network_endpoint"]);
        let volume = [
            "block_storage_endpoint_override",
            "volumev3_endpoint_override",
            "volume_endpoint_override",
            "block_store_endpoint_override",
            "volumev3_endpoint",
            "volume_endpoint",
        ];
        self.top("volume_url", &volume);
    }
}

fn of_version(version: AuthVersion) -> Method {
    match version {
        AuthVersion::V2Password | AuthVersion::V3Password => Method::Password,
        AuthVersion::V3ApplicationCredential => Method::Credential,
        AuthVersion::V3Token => Method::Token,
    }
}

/// Reads yes or no, as an environment variable writes it, too.
fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" | "" => Some(false),
        _ => None,
    }
}
