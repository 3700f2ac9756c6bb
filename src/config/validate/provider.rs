//! Judges the entries of `provider:`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::access::{EndpointOverrides, OpenStackAccess, PROJECT_MARKS, TokenCache};
use crate::model::ProviderName;
use crate::secret::Secret;

use super::super::at::{At, Given};
use super::super::libcloud;
use super::super::problem::{Report, quoted};
use super::super::raw::{RawConfig, RawProvider};
use super::super::schema::{PROVIDER_TYPES, is_exec};
use super::super::{ProviderConfig, ProviderKind, suggest};
use super::jenkins::{self, Settings};
use super::{Common, Found, exec, login, text};

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
    tokens_apart(&section, &providers, common, report);
    providers
}

fn name_fits(at: &At<'_>, name: &str, report: &mut Report) {
    let good = !name.trim().is_empty() && name.trim() == name && !name.chars().any(char::is_control);
    if !good || name.chars().count() > 100 {
        let text = "cannot be a provider's name; use letters, digits, - and _";
        report.error(&at.here(), text);
    } else {
        text::all_seen(&at.here(), name, report);
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
    let what =
        "write Keystone's address, like https://cloud.example.com:5000, or name an entry of clouds.yaml by cloud";
    let url = jenkins::url(at, "auth_url", raw.auth_url.as_ref(), Some(what), report);
    let url = url.map_or_else(String::new, |url| url.text);
    let (auth_url, in_url) = libcloud::split_auth_url(&url);
    let version = login::version(at, raw, in_url, report);
    let settings = Settings {
        ca_file: raw.ca_file.as_deref(),
        verify: raw.verify,
        proxy: raw.proxy.as_deref(),
        connect_timeout: raw.connect_timeout,
        timeout: raw.timeout,
    };
    OpenStackAccess {
        auth_url: auth_url.to_owned(),
        auth: login::auth(at, raw, version, secret, report),
        region: text::optional(at, "service_region", raw.service_region.as_ref(), report),
        interface: interface(at, raw, report),
        endpoints: EndpointOverrides {
            compute: endpoint(at, "compute_url", raw.compute_url.as_ref(), report),
            image: endpoint(at, "image_url", raw.image_url.as_ref(), report),
            network: endpoint(at, "network_url", raw.network_url.as_ref(), report),
            volume: endpoint(at, "volume_url", raw.volume_url.as_ref(), report),
        },
        token_cache: token_cache(at, raw, common, report),
        transport: jenkins::transport(at, &settings, common, report),
    }
}

/// Reads where a token is kept: nowhere, beside the state file, or in a file that is named.
fn token_cache(at: &At<'_>, raw: &RawProvider, common: &Common<'_>, report: &mut Report) -> Option<TokenCache> {
    let text = raw.token_cache.as_deref()?;
    let path = match text.to_ascii_lowercase().as_str() {
        "false" | "no" | "off" => return None,
        "true" | "yes" | "on" => {
            let mut path = common.state_file.as_os_str().to_owned();
            path.push(format!(".token-{}", utf8_percent_encode(at.name(), NAMES)));
            PathBuf::from(path)
        }
        _ => common.folders.resolve(text).unwrap_or_else(|text| {
            report.error(&at.place("token_cache"), text);
            PathBuf::new()
        }),
    };
    Some(TokenCache { path, writes: false })
}

/// What stays as it is where a provider's name becomes part of a file's.
const NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Two providers in one file would undo each other's entries; the state file would be lost.
fn tokens_apart(
    section: &At<'_>,
    providers: &BTreeMap<ProviderName, ProviderConfig>,
    common: &Common<'_>,
    report: &mut Report,
) {
    let mut seen = BTreeMap::from([(common.state_file, "the state file")]);
    for (name, provider) in providers {
        let ProviderKind::OpenStack(access) = &provider.kind else {
            continue;
        };
        let Some(cache) = &access.token_cache else {
            continue;
        };
        if let Some(other) = seen.insert(&cache.path, name.as_str()) {
            let text = format!("is the file of {other}, too; write another path, or true");
            report.error(&section.section(name.as_str()).place("token_cache"), text);
        }
    }
}

fn endpoint(at: &At<'_>, key: &str, value: Option<&String>, report: &mut Report) -> Option<String> {
    let url = jenkins::url(at, key, value, None, report)?.text;
    let left = PROJECT_MARKS
        .iter()
        .fold(url.clone(), |left, mark| left.replace(mark, ""));
    if let Some(begin) = ["%(", "$("].iter().filter_map(|begin| left.find(begin)).min() {
        let length = left[begin..].find(")s").map_or(left.len() - begin, |end| end + 2);
        let text = format!(
            "{} is not filled in, only the project is: %(project_id)s or %(tenant_id)s",
            quoted(&left[begin..begin + length])
        );
        report.error(&at.place(key), text);
    }
    Some(url)
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
