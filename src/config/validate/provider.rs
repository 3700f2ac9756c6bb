//! Judges the entries of `provider:`.

use std::collections::BTreeMap;

use crate::access::{EndpointOverrides, KeystoneAuth, NameOrId, OpenStackAccess};
use crate::model::ProviderName;
use crate::secret::Secret;

use super::super::at::{At, Given};
use super::super::libcloud::{self, AuthVersion};
use super::super::problem::{Report, quoted};
use super::super::raw::{RawConfig, RawProvider};
use super::super::schema::{PROVIDER_TYPES, is_exec};
use super::super::{ProviderConfig, ProviderKind, suggest};
use super::jenkins::{self, Settings};
use super::{Common, Found, exec, text};

/// The types that others know and that may come.
const LATER: [&str; 11] = [
    "azure",
    "aws",
    "digitalocean",
    "digital_ocean",
    "docker",
    "ec2",
    "gce",
    "google",
    "kubernetes",
    "libvirt",
    "vsphere",
];

/// Makes all providers.
pub fn all(
    raw: &RawConfig,
    root: &At<'_>,
    found: &Found<'_>,
    owner: &str,
    common: &Common<'_>,
    report: &mut Report,
) -> BTreeMap<ProviderName, ProviderConfig> {
    let section = root.section("provider");
    if section.names().next().is_none() && !root.is_bad("provider") {
        let text = "missing; name at least one cloud, like openstack";
        report.error(&root.place("provider"), text);
    }
    let mut providers = BTreeMap::new();
    for (name, raw) in &raw.provider {
        let at = section.section(name);
        name_fits(&at, name, report);
        if !kind(&at, name, raw, report) {
            continue;
        }
        let kind = if is_exec(name, raw.r#type.as_deref()) {
            let command = found.commands.get(name);
            let access = exec::access(&at, name, raw, command, owner, common, report);
            ProviderKind::Exec(Box::new(access))
        } else {
            let secret = found.secrets.providers.get(name).cloned();
            let secret = secret.unwrap_or_else(|| Secret::new(""));
            exec::without_its_keys(&at, report);
            ProviderKind::OpenStack(Box::new(openstack(&at, raw, secret, common, report)))
        };
        let provider = ProviderConfig {
            name: ProviderName::new(name),
            kind,
            max_servers: raw.max_servers,
        };
        providers.insert(provider.name.clone(), provider);
    }
    providers
}

fn name_fits(at: &At<'_>, name: &str, report: &mut Report) {
    let good = !name.trim().is_empty() && name.trim() == name && !name.chars().any(char::is_control);
    if !good || name.chars().count() > 100 {
        let text = "cannot be a provider's name; use letters, digits, - and _";
        report.error(&at.here(), text);
    }
    if libcloud::password_variable(name) == "MITA_JENKINS_PASSWORD" {
        let text = "cannot be a provider's name, its password would be looked for in MITA_JENKINS_PASSWORD; rename it";
        report.error(&at.here(), text);
    }
}

/// Returns whether a provider is of a kind that there is.
fn kind(at: &At<'_>, name: &str, raw: &RawProvider, report: &mut Report) -> bool {
    let (kind, place) = match &raw.r#type {
        Some(kind) => (kind.as_str(), at.place("type")),
        None if at.given("type") == Given::Value => return false,
        None => (name, at.here()),
    };
    if PROVIDER_TYPES.contains(&kind) {
        return true;
    }
    if LATER.contains(&kind) {
        report.error(
            &place,
            format!("type {kind} is not supported yet; use openstack, or exec with a command of your own"),
        );
    } else if raw.r#type.is_some() {
        let hint = suggest::did_you_mean(kind, PROVIDER_TYPES);
        report.error(&place, format!("{} is no type of provider{hint}", quoted(kind)));
    } else {
        let text = "missing, and the name of the provider is none; write type: openstack or type: exec";
        report.error(&at.place("type"), text);
    }
    false
}

fn openstack(
    at: &At<'_>,
    raw: &RawProvider,
    secret: Secret,
    common: &Common<'_>,
    report: &mut Report,
) -> OpenStackAccess {
    let what = "write Keystone's address, like https://cloud.example.com:5000";
    let url = jenkins::url(at, "auth_url", raw.auth_url.as_ref(), Some(what), report);
    let url = url.map_or_else(String::new, |url| url.text);
    let (auth_url, in_url) = libcloud::split_auth_url(&url);
    let version = version(at, raw, in_url, report);
    let settings = Settings {
        ca_file: raw.ca_file.as_deref(),
        verify: raw.verify,
        proxy: raw.proxy.as_deref(),
        connect_timeout: raw.connect_timeout,
        timeout: raw.timeout,
    };
    OpenStackAccess {
        auth_url: auth_url.to_owned(),
        auth: auth(at, raw, version, secret, report),
        region: text::optional(at, "service_region", raw.service_region.as_ref(), report),
        interface: interface(at, raw, report),
        endpoints: EndpointOverrides {
            compute: endpoint(at, "compute_url", raw.compute_url.as_ref(), report),
            image: endpoint(at, "image_url", raw.image_url.as_ref(), report),
            network: endpoint(at, "network_url", raw.network_url.as_ref(), report),
            volume: endpoint(at, "volume_url", raw.volume_url.as_ref(), report),
        },
        transport: jenkins::transport(at, &settings, common, report),
    }
}

fn endpoint(at: &At<'_>, key: &str, value: Option<&String>, report: &mut Report) -> Option<String> {
    jenkins::url(at, key, value, None, report).map(|url| url.text)
}

/// Chooses the login: as told, else by the keys that are there, else v3 with a password as libcloud does.
fn version(at: &At<'_>, raw: &RawProvider, in_url: Option<&str>, report: &mut Report) -> AuthVersion {
    let Some(text) = &raw.auth_version else {
        return if raw.application_credential_id.is_some() {
            AuthVersion::V3ApplicationCredential
        } else if in_url == Some("v2.0") {
            AuthVersion::V2Password
        } else {
            AuthVersion::V3Password
        };
    };
    let version = AuthVersion::parse(text).unwrap_or_else(|what| {
        let (what, action) = what.split_once("; ").unwrap_or((&what, ""));
        let place = at.place("auth_version");
        report.error(&place, format!("{} cannot be used, {what}; {action}", quoted(text)));
        AuthVersion::V3Password
    });
    if in_url.is_some_and(|in_url| in_url != version.in_url()) {
        let text = format!(
            "ends in {}, auth_version says {}, which is used; end it before the version",
            in_url.unwrap_or_default(),
            version.in_url()
        );
        report.warn(&at.place("auth_url"), text);
    }
    version
}

fn auth(at: &At<'_>, raw: &RawProvider, version: AuthVersion, secret: Secret, report: &mut Report) -> KeystoneAuth {
    if version != AuthVersion::V3ApplicationCredential {
        for key in ["application_credential_id", "application_credential_secret"] {
            if at.given(key) == Given::Value {
                let text = "has no use with this auth_version; write auth_version: 3.x_appcred";
                report.error(&at.place(key), text);
            }
        }
    }
    match version {
        AuthVersion::V2Password => {
            for key in [
                "user_id",
                "user_domain_name",
                "user_domain_id",
                "project_domain_name",
                "project_domain_id",
            ] {
                if at.given(key) == Given::Value {
                    report.hint(
                        &at.place(key),
                        "has no meaning with auth_version 2.0_password; remove it",
                    );
                }
            }
            KeystoneAuth::V2Password {
                username: text::required(at, "username", raw.username.as_ref(), "write the user", report),
                password: secret,
                tenant: tenant(at, raw, report),
            }
        }
        AuthVersion::V3Password => v3_password(at, raw, secret, report),
        AuthVersion::V3ApplicationCredential => {
            let key = "application_credential_id";
            let id = match (&raw.application_credential_id, &raw.username) {
                (Some(_), Some(_)) => {
                    let text = format!("the credential's id is given by {key}, too; keep one of the two");
                    report.error(&at.place("username"), text);
                    String::new()
                }
                (None, Some(_)) => text::required(at, "username", raw.username.as_ref(), "", report),
                (id, None) => {
                    let what = "write the id of the application credential (as username, too)";
                    text::required(at, key, id.as_ref(), what, report)
                }
            };
            KeystoneAuth::V3ApplicationCredential { id, secret }
        }
    }
}

/// libcloud's mix, which is what an old configuration means: the user's domain by name, the project's by id.
fn v3_password(at: &At<'_>, raw: &RawProvider, password: Secret, report: &mut Report) -> KeystoneAuth {
    let user = either(
        at,
        ("username", raw.username.as_ref()),
        ("user_id", raw.user_id.as_ref()),
        report,
    );
    let user = user.unwrap_or_else(|| {
        let what = "write the user";
        NameOrId::Name(text::required(at, "username", raw.username.as_ref(), what, report))
    });
    let user_domain = either(
        at,
        ("user_domain_name", raw.user_domain_name.as_ref()),
        ("user_domain_id", raw.user_domain_id.as_ref()),
        report,
    );
    let project_domain = either(
        at,
        ("project_domain_name", raw.project_domain_name.as_ref()),
        ("project_domain_id", raw.project_domain_id.as_ref()),
        report,
    );
    KeystoneAuth::V3Password {
        user,
        user_domain: user_domain.unwrap_or_else(|| NameOrId::Name("Default".to_owned())),
        password,
        project: tenant(at, raw, report),
        project_domain: project_domain.unwrap_or_else(|| NameOrId::Id("default".to_owned())),
    }
}

fn tenant(at: &At<'_>, raw: &RawProvider, report: &mut Report) -> NameOrId {
    let name = ("tenant_name", raw.tenant_name.as_ref());
    either(at, name, ("tenant_id", raw.tenant_id.as_ref()), report).unwrap_or_else(|| {
        let what = "write the project that the servers belong to (project_name is the same)";
        NameOrId::Name(text::required(
            at,
            "tenant_name",
            raw.tenant_name.as_ref(),
            what,
            report,
        ))
    })
}

/// Reads what is given either by name or by id.
fn either(
    at: &At<'_>,
    name: (&str, Option<&String>),
    id: (&str, Option<&String>),
    report: &mut Report,
) -> Option<NameOrId> {
    if name.1.is_some() && id.1.is_some() {
        let place = at.place(id.0);
        report.error(&place, format!("{} is given, too; keep one of the two", name.0));
    }
    let by_id = text::optional(at, id.0, id.1, report).map(NameOrId::Id);
    by_id.or_else(|| text::optional(at, name.0, name.1, report).map(NameOrId::Name))
}

fn interface(at: &At<'_>, raw: &RawProvider, report: &mut Report) -> String {
    let known = ["public", "internal", "admin"];
    let text = raw.interface.as_deref().unwrap_or("public");
    let short = text.strip_suffix("URL").unwrap_or(text);
    if !known.contains(&short) {
        let text = format!("{} is no interface{}", quoted(text), suggest::did_you_mean(text, known));
        report.error(&at.place("interface"), text);
    }
    short.to_owned()
}
