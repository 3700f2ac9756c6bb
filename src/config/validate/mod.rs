//! Judges what the file says: defaults, references, contradictions. Pure: it looks at nothing but its arguments.
//!
//! Every function returns a value even where it reported a problem, so that the next problem is found, too; `load` drops
//! the configuration when there was one.

mod exec;
mod jenkins;
mod login;
mod node;
mod provider;
mod server;
mod text;
mod user_data;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::SignedDuration;

use super::at::{At, Given};
use super::command::Command;
use super::durations::show;
use super::load::Folders;
use super::problem::Report;
use super::raw::{RawConfig, RawLimits, RawTiming};
use super::secrets::Secrets;
use super::{Config, Limits, Timing};

/// The largest reply that is accepted when the configuration does not say: 256 MiB.
const MAX_BODY: u64 = 256 << 20;

/// What was found outside of the file.
pub struct Found<'f> {
    /// The secrets.
    pub secrets: Secrets,
    /// The commands of the providers of type exec, by name of the provider.
    pub commands: BTreeMap<String, Command>,
    /// What paths are relative to.
    pub folders: &'f Folders,
    /// The text of the file, for the columns of placeholders.
    pub text: &'f str,
}

/// Makes the configuration. It is good only if nothing was reported.
pub fn config(raw: &RawConfig, root: &At<'_>, mut found: Found<'_>, report: &mut Report) -> Config {
    let limits = limits(&raw.limits, &root.section("limits"), report);
    let (timing, graces) = timing(&raw.timing, &root.section("timing"), report);
    let state_file = state_file(raw, root, found.folders, report);
    let common = Common {
        state_file: &state_file,
        folders: found.folders,
        max_body: raw.limits.max_body.unwrap_or(MAX_BODY),
    };
    let (jenkins, host) = jenkins::access(raw, root, found.secrets.jenkins.take(), &common, report);
    let owner = owner(raw, root, host, report);
    let providers = provider::all(raw, root, &found, &owner, &common, report);
    let context = node::Context {
        graces,
        providers: known_providers(root),
        exec: exec::names(raw),
        owner: &owner,
        jenkins_url: &jenkins.url,
        text: found.text,
    };
    let templates = node::all(raw, root, &context, report);
    let least: u32 = templates
        .iter()
        .map(|t| t.min_ready.most())
        .fold(0, u32::saturating_add);
    if let Some(max) = limits.max_servers.filter(|max| *max < least) {
        let place = root.section("limits").place("max_servers");
        report.error(
            &place,
            format!("must be at least the sum of all min_ready ({least}), is {max}"),
        );
    }
    Config {
        owner,
        state_file,
        jenkins,
        providers,
        templates,
        limits,
        timing,
    }
}

/// Returns the names under `provider`, good entries and bad ones; `None` where the section itself is bad.
fn known_providers<'t>(root: &At<'t>) -> Option<Vec<&'t str>> {
    (!root.is_bad("provider")).then(|| root.section("provider").names().collect())
}

/// What all parts need.
struct Common<'c> {
    folders: &'c Folders,
    state_file: &'c Path,
    max_body: u64,
}

fn owner(raw: &RawConfig, root: &At<'_>, host: String, report: &mut Report) -> String {
    text::optional(root, "owner", raw.owner.as_ref(), report).unwrap_or(host)
}

fn state_file(raw: &RawConfig, root: &At<'_>, folders: &Folders, report: &mut Report) -> std::path::PathBuf {
    let path = match &raw.state_file {
        Some(path) => folders.resolve(path),
        None => folders
            .default_state_file()
            .ok_or_else(|| "missing, and neither XDG_STATE_HOME nor HOME is set; set state_file".to_owned()),
    };
    path.unwrap_or_else(|text| {
        report.error(&root.place("state_file"), text);
        std::path::PathBuf::new()
    })
}

fn limits(raw: &RawLimits, at: &At<'_>, report: &mut Report) -> Limits {
    if raw.max_booting == Some(0) {
        let text = "must be at least 1, is 0; to create nothing set max_creates_per_pass: 0";
        report.error(&at.place("max_booting"), text);
    }
    if raw.max_body.is_some_and(|bytes| bytes < 64 * 1024) {
        report.error(&at.place("max_body"), "must be at least 64KiB; the default is 256MiB");
    }
    Limits {
        max_servers: raw.max_servers,
        max_creates_per_pass: raw.max_creates_per_pass.unwrap_or(20),
        max_deletes_per_pass: raw.max_deletes_per_pass.unwrap_or(20),
        max_booting: raw.max_booting.unwrap_or(50),
        canary: raw.canary.unwrap_or(3),
        pass_deadline: positive(at, "pass_deadline", raw.pass_deadline, 300, report),
    }
}

/// The graces that a template may override.
#[derive(Clone, Copy)]
struct Graces {
    idle: SignedDuration,
    boot: SignedDuration,
    lifetime: Option<SignedDuration>,
}

fn timing(raw: &RawTiming, at: &At<'_>, report: &mut Report) -> (Timing, Graces) {
    let timing = Timing {
        idle_grace: seconds(raw.idle_grace, 2400),
        boot_grace: positive(at, "boot_grace", raw.boot_grace, 900, report),
        offline_grace: seconds(raw.offline_grace, 300),
        min_lifetime: seconds(raw.min_lifetime, 0),
        intent_grace: positive(at, "intent_grace", raw.intent_grace, 120, report),
        queue_grace: seconds(raw.queue_grace, 0),
        backoff_first: positive(at, "backoff_first", raw.backoff_first, 60, report),
        backoff_max: positive(at, "backoff_max", raw.backoff_max, 1800, report),
    };
    let graces = Graces {
        idle: timing.idle_grace,
        boot: timing.boot_grace,
        lifetime: lifetime(at, raw.max_lifetime, report),
    };
    let first = ("backoff_first", timing.backoff_first);
    not_below(at, ("backoff_max", timing.backoff_max), first, report);
    if let Some(lifetime) = graces.lifetime {
        let longest = ("max_lifetime", lifetime);
        not_below(at, longest, ("min_lifetime", timing.min_lifetime), report);
    }
    (timing, graces)
}

fn seconds(value: Option<i64>, default: i64) -> SignedDuration {
    SignedDuration::from_secs(value.unwrap_or(default))
}

/// Reads a lifetime; `none` is no limit.
fn lifetime(at: &At<'_>, value: Option<i64>, report: &mut Report) -> Option<SignedDuration> {
    if value == Some(0) {
        let text = "must be more than 0: each node would go at once; for no limit write none";
        report.error(&at.place("max_lifetime"), text);
    }
    value.filter(|seconds| *seconds >= 0).map(SignedDuration::from_secs)
}

/// Reads a duration that must not be 0.
fn positive(at: &At<'_>, key: &str, value: Option<i64>, default: i64, report: &mut Report) -> SignedDuration {
    if value == Some(0) {
        let usual = show(SignedDuration::from_secs(default));
        report.error(&at.place(key), format!("must be more than 0; the default is {usual}"));
    }
    seconds(value, default)
}

/// Reports a value that is below another one, at the one of the two that is given.
fn not_below(at: &At<'_>, more: (&str, SignedDuration), less: (&str, SignedDuration), report: &mut Report) {
    if more.1 >= less.1 {
        return;
    }
    if at.given(more.0) == Given::Absent {
        let text = format!("must be at most {} ({}), is {}", more.0, show(more.1), show(less.1));
        report.error(&at.place(less.0), text);
    } else {
        let text = format!("must be at least {} ({}), is {}", less.0, show(less.1), show(more.1));
        report.error(&at.place(more.0), text);
    }
}
