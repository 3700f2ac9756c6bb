//! `cloud: NAME` of a provider: the values of an entry of clouds.yaml, or of the environment, become the provider's own
//! keys, except for those that it has itself.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `files` | finds and reads clouds.yaml and secure.yaml |
//! | `environment` | the `OS_*` variables as such an entry |
//! | `layers` | several mappings, the first that has a key wins |
//! | `region` | which of several regions |
//! | `login`, `transport` | from such an entry to the keys of a provider |
//! | `maker` | the keys, as they are collected |
//!
//! Whether these keys make sense is judged by `validate`, as if they stood in the configuration; each knows where it came
//! from. Files and environment are looked at only for a provider that wants it.

mod environment;
mod files;
mod layers;
mod login;
mod maker;
mod region;
mod transport;

use crate::provider::kind::PROVIDER;
use crate::settings::check::Checker;
use crate::settings::files::{Env, Outside};
use crate::settings::key::KeySpec;
use crate::settings::problem::{Place, Pos, Report, join, quoted};
use crate::settings::yaml::{Entry, Node, Value};
use crate::text::nearest;

use super::keys::{
    APPLICATION_CREDENTIAL_ID, AUTH_URL, AUTH_VERSION, CLOUD, OWN_LOGIN, PASSWORD, TENANT_ID, TENANT_NAME, USER_ID,
    USERNAME,
};
use files::{CloudFiles, Files};
use layers::Layers;
use maker::SECRETS;

/// Completes the entries of `provider:` that are an OpenStack.
pub fn complete(providers: &mut [&mut Entry], checker: &Checker<'_>, outside: &Outside<'_>) {
    let (env, report) = (outside.env, checker.report);
    let mut files = Files::new(outside.folders, env);
    for provider in providers {
        let here = Place {
            at: provider.at,
            path: join(PROVIDER, &provider.written),
        };
        let Value::Map(own) = &mut provider.value.value else {
            continue;
        };
        if let Some(unusable) = own
            .iter()
            .find(|e| e.is(&CLOUD) && !matches!(e.value.value, Value::Text(..)))
        {
            if matches!(unusable.value.value, Value::Null) {
                let place = Place {
                    at: unusable.at,
                    path: join(&here.path, &unusable.written),
                };
                report.error(
                    &place,
                    "is empty; write the name of an entry of clouds.yaml, or remove it",
                );
            }
            let more = dummies(own);
            own.extend(more);
        } else if let Some(source) = source(own, here, env) {
            let more = keys_of(&source, own, &mut files, env, checker);
            own.extend(more);
        }
    }
}

/// Where a provider's login comes from.
enum Origin {
    /// The key `cloud`.
    Key,
    /// The variable `OS_CLOUD`, as the provider has no login.
    Variable,
    /// The variables themselves.
    Variables,
}

struct EntrySource {
    origin: Origin,
    cloud: String,
    /// What names it: the key, or the provider.
    place: Place,
    /// The provider.
    here: Place,
}

fn source(own: &[Entry], here: Place, env: Env<'_>) -> Option<EntrySource> {
    let given = |key: &KeySpec| own.iter().find(|entry| entry.is(key));
    if let Some(entry) = given(&CLOUD) {
        let Value::Text(cloud, _) = &entry.value.value else {
            return None;
        };
        return Some(EntrySource {
            origin: Origin::Key,
            cloud: cloud.clone(),
            place: Place {
                at: entry.value.at,
                path: join(&here.path, &entry.written),
            },
            here,
        });
    }
    if OWN_LOGIN.iter().any(|key| given(key).is_some()) {
        return None;
    }
    let variable = |name: &str| env(name).filter(|text| !text.is_empty());
    let (origin, cloud) = match variable("OS_CLOUD") {
        Some(cloud) => (Origin::Variable, cloud),
        None if variable("OS_AUTH_URL").is_some() => (Origin::Variables, environment::NAME.to_owned()),
        None => return None,
    };
    Some(EntrySource {
        origin,
        cloud,
        place: here.clone(),
        here,
    })
}

/// Returns the keys that a provider gets.
fn keys_of(
    source: &EntrySource,
    own: &[Entry],
    files: &mut Files<'_>,
    env: Env<'_>,
    checker: &Checker<'_>,
) -> Vec<Entry> {
    let report = checker.report;
    let overlay = environment::overlay(source.place.at, env);
    let variables = match source.origin {
        Origin::Variables => {
            let text = "says no login of its own: the one of the environment is taken (OS_AUTH_URL and others)";
            report.hint(&source.place, text);
            Some(environment::entry(source.place.at, env))
        }
        Origin::Key if source.cloud == environment::NAME && env("OS_AUTH_URL").is_some() => {
            Some(environment::entry(source.place.at, env))
        }
        Origin::Key => None,
        Origin::Variable => {
            let text = format!(
                "says no login of its own: the cloud {} of the environment is taken (OS_CLOUD)",
                quoted(&source.cloud)
            );
            report.hint(&source.place, text);
            None
        }
    };
    if let Some(variables) = &variables {
        return login::keys(
            own,
            Layers::single(variables, ""),
            &overlay,
            None,
            &source.here,
            checker,
        );
    }
    let Some(found) = files.read(&source.place, report) else {
        return dummies(own);
    };
    let Some(layers) = entry_of(source, found, report) else {
        return dummies(own);
    };
    login::keys(own, layers, &overlay, Some(found), &source.here, checker)
}

/// Finds the entry of a cloud in both files.
fn entry_of<'f>(source: &EntrySource, found: &'f CloudFiles, report: &Report) -> Option<Layers<'f>> {
    let mut layers = Layers::default();
    let mut names: Vec<&str> = Vec::new();
    for file in found.files() {
        let Some(clouds) = file.tree.entry("clouds") else {
            continue;
        };
        if let Some(entry) = clouds.value.entry(&source.cloud) {
            layers.push(&entry.value, &join("clouds", &entry.written));
        }
        names.extend(clouds.value.entries().iter().map(|entry| entry.key.as_str()));
    }
    if layers.is_empty() {
        names.sort_unstable();
        names.dedup();
        report.error(&source.place, unknown(source, found, &names));
        return None;
    }
    Some(layers)
}

fn unknown(source: &EntrySource, found: &CloudFiles, names: &[&str]) -> String {
    let whence = match source.origin {
        Origin::Key => "",
        _ => " (OS_CLOUD)",
    };
    let there = match names {
        [] => "it has none; write it there".to_owned(),
        names => {
            let some: Vec<String> = names.iter().take(20).map(|name| quoted(name)).collect();
            let more = if names.len() > some.len() { ", …" } else { "" };
            let near = nearest(&source.cloud, names.iter().copied());
            let near = near.map_or("; write one of them".to_owned(), |near| {
                format!("; did you mean {near}?")
            });
            format!("there are {}{more}{near}", some.join(", "))
        }
    };
    let file = found.clouds.shown.as_str();
    format!("no cloud {} in {file}{whence}: {there}", quoted(&source.cloud))
}

/// What could not be found is not reported as missing on top of that.
fn dummies(own: &[Entry]) -> Vec<Entry> {
    let has = |keys: &[&KeySpec]| own.iter().any(|entry| keys.iter().any(|key| entry.is(key)));
    // A key that says the same otherwise is there: it would be one too many.
    let wanted: [(&KeySpec, bool); 5] = [
        (&AUTH_URL, has(&[&AUTH_URL])),
        (&USERNAME, has(&[&USERNAME, &USER_ID, &APPLICATION_CREDENTIAL_ID])),
        (&PASSWORD, has(&SECRETS)),
        (&TENANT_NAME, has(&[&TENANT_NAME, &TENANT_ID])),
        (&AUTH_VERSION, has(&[&AUTH_VERSION])),
    ];
    let absent = wanted.into_iter().filter(|(_, there)| !there);
    absent
        .map(|(key, _)| {
            let node = Node {
                at: Pos::START,
                value: Value::Bad,
            };
            Entry::from_elsewhere(key.name, Pos::START, node, String::new())
        })
        .collect()
}
