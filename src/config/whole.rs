//! The configuration that a whole file makes.
//!
//! Every function returns a value even where it reported a problem, so that the next problem is found, too; `load` drops
//! the configuration when there was one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;

use crate::endpoint::JenkinsEndpoint;
use crate::model::ProviderName;
use crate::provider::kind::{Kind, Site as CloudSite};
use crate::settings::files::Outside;
use crate::settings::names;
use crate::settings::section::{Given, Section};

use super::jenkins::{self, LabelSources};
use super::limits::{self, Limits, MAX_BODY, MAX_SERVERS};
use super::node;
use super::notify::{self, Notify};
use super::outputs::{self, Outputs};
use super::provider::{self, ProviderConfig};
use super::root::{CURRENCY, JENKINS, LIMITS, NODES, NOTIFY, OWNER, PROVIDER, REMIND, RULES, STATE_FILE, TIMING};
use super::rules::{self, Rules};
use super::template::Template;
use super::timing::{self, Graces, Timing};

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The mark of this mita on its servers.
    pub owner: String,
    /// The state file; the lock is beside it.
    pub state_file: PathBuf,
    /// The controller.
    pub jenkins: JenkinsEndpoint,
    /// The clouds, by name.
    pub providers: BTreeMap<ProviderName, ProviderConfig>,
    /// The node templates in the order of the file.
    pub templates: Vec<Template>,
    /// Bounds of a pass and of the fleet.
    pub limits: Limits,
    /// Graces and back-offs.
    pub timing: Timing,
    /// Rules of the plan that can be switched off.
    pub rules: Rules,
    /// Where the label of a queue item comes from when the queue does not name it.
    pub labels: LabelSources,
    /// The files that a pass leaves for others.
    pub outputs: Outputs,
    /// The currency of prices, for people; may be empty.
    pub currency: String,
    /// The command that hears of problems that begin and end.
    pub notify: Option<Notify>,
    /// How often all problems that are open are said again; zero: never.
    pub remind: SignedDuration,
}

impl Config {
    /// Returns the template of a name.
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.name.as_str() == name)
    }

    /// Returns the provider of a name.
    pub fn provider(&self, name: &str) -> Option<&ProviderConfig> {
        self.providers.get(name)
    }

    /// Lets tokens be kept for later passes: only who holds the lock may, so that a dry run writes nothing.
    pub fn write_tokens(&mut self) {
        for provider in self.providers.values_mut() {
            provider.settings.write_tokens();
        }
    }

    /// Makes every login a fresh one.
    pub fn log_in_afresh(&mut self) {
        for provider in self.providers.values_mut() {
            provider.settings.log_in_afresh();
        }
    }
}

/// Makes the configuration of a checked file; `text` is the file. It is good only if nothing was reported.
pub fn config(root: &Section<'_>, text: &str, outside: &Outside<'_>, kinds: &[&'static Kind]) -> Config {
    let limits_at = root.section(&LIMITS);
    let limits = limits::limits(&limits_at);
    let max_body = limits_at.get(&MAX_BODY);
    let (timing, graces) = timing::timing(&root.section(&TIMING));
    let state_file = state_file(root, outside);
    let jenkins_at = root.section(&JENKINS);
    let (jenkins, host) = jenkins::endpoint(&jenkins_at, outside, max_body);
    let owner = names::optional(root, &OWNER).unwrap_or(host);
    let site = CloudSite {
        outside: *outside,
        owner: &owner,
        state_file: &state_file,
        max_body,
    };
    let providers = provider::providers(root, &site, kinds);
    let site = node::Placeholders {
        owner: &owner,
        jenkins_url: &jenkins.url,
        text,
    };
    let templates = templates(root, graces, site, outside, kinds);
    enough_servers(&limits_at, &limits, &templates);
    let notify = match root.given(&NOTIFY) {
        Given::Absent => None,
        Given::Empty | Given::Value => notify::notify(&root.section(&NOTIFY), outside),
    };
    let node_names = root.names_below(&NODES);
    Config {
        outputs: outputs::outputs(root, &state_file, outside),
        currency: root.get(&CURRENCY).unwrap_or_default(),
        labels: jenkins::label_sources(&jenkins_at, node_names.as_deref()),
        owner,
        state_file,
        jenkins,
        providers,
        templates,
        limits,
        timing,
        rules: rules::rules(&root.section(&RULES)),
        notify,
        remind: root.get(&REMIND),
    }
}

fn templates(
    root: &Section<'_>,
    graces: Graces,
    site: node::Placeholders<'_>,
    outside: &Outside<'_>,
    kinds: &[&'static Kind],
) -> Vec<Template> {
    let entries = (!root.is_bad(&PROVIDER)).then(|| provider::kinds_of(&root.section(&PROVIDER), kinds));
    let context = node::NodeContext {
        graces,
        clouds: node::Known { entries, kinds },
        site,
        outside: *outside,
    };
    let nodes = root.section(&NODES);
    nodes_are_there(root, &nodes);
    node::templates(&nodes, &context)
}

fn nodes_are_there(root: &Section<'_>, nodes: &Section<'_>) {
    if root.given(&NODES) == Given::Absent {
        root.error(&NODES, "missing; describe at least one kind of node");
    } else if nodes.names().next().is_none() {
        let text = "is empty: nothing can be created; describe at least one kind of node";
        root.warn_in_check(&NODES, text);
    }
}

fn enough_servers(at: &Section<'_>, limits: &Limits, templates: &[Template]) {
    let least: u32 = templates
        .iter()
        .map(|template| template.min_ready.most())
        .fold(0, u32::saturating_add);
    if let Some(max) = limits.max_servers.filter(|max| *max < least) {
        let text = format!("must be at least the sum of all min_ready ({least}), is {max}");
        at.error(&MAX_SERVERS, text);
    }
}

fn state_file(root: &Section<'_>, outside: &Outside<'_>) -> PathBuf {
    let path = match root.get(&STATE_FILE) {
        Some(path) => outside.folders.resolve(&path),
        None => outside
            .folders
            .default_state_file()
            .ok_or_else(|| "missing, and neither XDG_STATE_HOME nor HOME is set; set state_file".to_owned()),
    };
    path.unwrap_or_else(|text| {
        root.error(&STATE_FILE, text);
        PathBuf::new()
    })
}
