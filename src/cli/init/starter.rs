//! Writes the starter configuration: YAML with comments, as a person would write it.

use crate::config::MARK;
use crate::labels::Labels;
use crate::model::Inventory;
use crate::text::plural;

use super::choice::{flavor, image};
use super::lines::{Lines, OTHERS, list, scalar, some};
use super::login::{CloudLogin, Variables};
use super::wanted::{Wanted, WantedTemplate};

/// The name of the file with the script, beside the configuration.
pub const SCRIPT_FILE: &str = "inbound.sh";
/// The most servers of each template: a first day that costs little.
const MAX: u32 = 5;
/// What is known of Jenkins from the command line.
#[derive(Debug, Default)]
pub struct JenkinsLogin {
    /// Its address.
    pub url: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The file of the token, as the configuration has it.
    pub token_file: Option<String>,
}

/// What Jenkins said.
#[derive(Debug)]
pub struct JenkinsAnswer {
    /// What its queue calls for.
    pub wanted: Wanted,
    /// Whether it has an agent.
    pub has_agent: bool,
}

/// All that a starter is made of. What was not asked, or did not answer, is `None`.
#[derive(Debug)]
pub struct Facts {
    /// Where the login of the cloud is.
    pub login: CloudLogin,
    /// What the cloud offers.
    pub cloud: Option<Inventory>,
    /// Where Jenkins is.
    pub jenkins: JenkinsLogin,
    /// What Jenkins said.
    pub queue: Option<JenkinsAnswer>,
}

/// Writes the configuration.
pub fn starter(facts: &Facts) -> String {
    let mut text = Lines::default();
    text.add(
        0,
        "# Made by `mita init`; `mita check` names the lines that still need you. mita.yaml.example explains",
    );
    text.add(0, "# every key and its default.");
    text.add(0, "");
    provider(&mut text, facts);
    text.add(0, "");
    jenkins(&mut text, facts);
    text.add(0, "");
    defaults(&mut text, facts.cloud.as_ref());
    text.add(0, "");
    nodes(&mut text, facts.queue.as_ref());
    text.0
}

/// Counts the lines that are marked.
pub fn marks(text: &str) -> usize {
    text.lines().filter(|line| line.contains(MARK)).count()
}

fn provider(text: &mut Lines, facts: &Facts) {
    text.add(0, "# The cloud.");
    text.add(0, "provider:");
    text.add(1, "openstack:");
    match &facts.login {
        CloudLogin::Entry(cloud) => {
            text.add(
                2,
                "# An entry of clouds.yaml. Under cron that is looked for in ~/.config/openstack and /etc/openstack.",
            );
            text.key(2, "cloud", cloud);
        }
        CloudLogin::Variables(variables) => by_variables(text, variables),
        CloudLogin::Unknown => {
            text.unknown(
                2,
                "cloud: NAME",
                "an entry of clouds.yaml; or, instead of it, its login:",
            );
            for line in [
                "# auth_url: https://cloud.example.com:5000",
                "# username: ci",
                "# password_file: openstack.password",
                "# tenant_name: ci",
            ] {
                text.add(2, line);
            }
        }
    }
    match facts.cloud.as_ref().map(|cloud| (&cloud.region, &cloud.regions)) {
        Some((Some(region), _)) => text.key(2, "service_region", region),
        Some((None, regions)) if !regions.is_empty() => {
            let regions = some(regions.iter().map(String::as_str));
            text.unknown(2, "service_region: NAME", &format!("there are several: {regions}"));
        }
        _ => text.add(2, "# service_region: NAME  # where the cloud has several"),
    }
}

/// The entry has no login, so that it takes the environment's; what cron needs is ready to be taken in.
fn by_variables(text: &mut Lines, variables: &Variables) {
    text.add(2, "# The login is that of the environment:");
    text.add(2, &format!("# {}.", variables.names.join(", ")));
    text.add(
        2,
        &format!(
            "# Cron does not have these variables. {MARK} take the # off the next lines, and write the secret into"
        ),
    );
    text.add(2, "# that file, with mode 0600:");
    for (key, value) in &variables.keys {
        text.commented(2, key, value);
    }
    text.commented(2, "password_file", "openstack.password");
}

fn jenkins(text: &mut Lines, facts: &Facts) {
    text.add(0, "# The controller.");
    text.add(0, "jenkins:");
    let JenkinsLogin { url, user, token_file } = &facts.jenkins;
    let known = [
        (
            "url",
            url,
            "https://jenkins.example.com",
            "its address, with the context path",
        ),
        (
            "user",
            user,
            "mita",
            "who mita is there; examples/jenkins/README.md lists the permissions",
        ),
        (
            "token_file",
            token_file,
            "jenkins.token",
            "the file with that user's API token",
        ),
    ];
    for (key, value, example, what) in known {
        match value {
            Some(value) => text.key(1, key, value),
            None => text.unknown(1, &format!("{key}: {example}"), what),
        }
    }
    match &facts.queue {
        Some(JenkinsAnswer { has_agent: false, .. }) => {
            text.add(
                1,
                "# Without any agent Jenkins does not say which label a job waits for. With this mita keeps one node,",
            );
            text.add(1, "# mita-anchor, that is offline and runs nothing, and then it does.");
            text.add(1, "anchor: true");
        }
        Some(_) => {}
        None => text.unknown(1, "anchor: true", "if this Jenkins has no agent of its own"),
    }
}

fn defaults(text: &mut Lines, cloud: Option<&Inventory>) {
    text.add(0, "# What all kinds of nodes have, unless they say otherwise.");
    text.add(0, "defaults:");
    text.key(1, "provider", "openstack");
    let none = Inventory::default();
    let cloud = cloud.unwrap_or(&none);
    let chosen = image(text, &cloud.images);
    flavor(text, &cloud.flavors, chosen);
    networks(text, &cloud.networks);
    key_pairs(text, &cloud.key_pairs);
    text.add(
        1,
        "# mita makes the node in Jenkins; the script in the server joins as that node.",
    );
    text.key(1, "register", "inbound");
    text.key(1, "script_file", SCRIPT_FILE);
    text.add(1, &format!("max: {MAX}"));
}

fn networks(text: &mut Lines, networks: &[String]) {
    match networks {
        [only] => text.add(1, &format!("networks: {}", list([only]))),
        [] => text.add(1, "# networks: [NAME]  # where the project sees several"),
        several => {
            text.add(
                1,
                &format!("# The project sees several networks. {MARK} take the # off one of these lines:"),
            );
            for network in several.iter().take(OTHERS) {
                text.add(1, &format!("# networks: {}", list([network])));
            }
        }
    }
}

fn key_pairs(text: &mut Lines, key_pairs: &[String]) {
    match key_pairs {
        [only] => text.key(1, "keyname", only),
        [] => text.add(1, "# keyname: NAME  # a key pair, to log in to a server by SSH"),
        several => {
            text.add(1, "# A key pair, to log in to a server by SSH:");
            for name in several.iter().take(OTHERS) {
                text.commented(1, "keyname", name);
            }
        }
    }
}

fn nodes(text: &mut Lines, queue: Option<&JenkinsAnswer>) {
    text.add(
        0,
        "# The kinds of nodes: a waiting job gets one whose labels satisfy what it asks for.",
    );
    text.add(0, "nodes:");
    let none = Wanted::default();
    let wanted = queue.map_or(&none, |queue| &queue.wanted);
    for (index, template) in wanted.templates.iter().enumerate() {
        self::template(text, template);
        if index == 0 && wanted.unlabelled > 0 {
            unlabelled(text, wanted.unlabelled);
        }
    }
    if wanted.templates.is_empty() {
        text.add(1, "agent:");
        let labels = Labels::from(["linux".to_owned()]);
        let why = why_unknown(queue);
        text.add(2, &format!("labels: {}  # {MARK} {why}", list(&labels)));
        if wanted.unlabelled > 0 {
            unlabelled(text, wanted.unlabelled);
        }
    }
    if !wanted.others.is_empty() {
        let others = some(wanted.others.iter().map(String::as_str));
        text.add(1, &format!("# {MARK} Jobs wait for these, too: {others}"));
    }
    if wanted.hidden > 0 && !wanted.templates.is_empty() {
        text.add(1, &format!("# {MARK} {}", hidden(wanted.hidden)));
    }
}

/// Says why no label is known.
fn why_unknown(queue: Option<&JenkinsAnswer>) -> String {
    match queue.map(|queue| &queue.wanted) {
        Some(wanted) if wanted.hidden > 0 => format!("{}: say which", hidden(wanted.hidden)),
        Some(wanted) if *wanted == Wanted::default() => "no job waits now: the labels that yours ask for".to_owned(),
        _ => "the labels that your jobs ask for".to_owned(),
    }
}

fn hidden(items: usize) -> String {
    let (items, wait) = (plural(items, "job"), if items == 1 { "waits" } else { "wait" });
    format!("{items} {wait} for a label that Jenkins does not show")
}

fn template(text: &mut Lines, template: &WantedTemplate) {
    text.add(1, &format!("{}:", scalar(&template.name)));
    let (items, wait) = (
        plural(template.items, "job"),
        if template.items == 1 { "waits" } else { "wait" },
    );
    let asked = some(template.asked.iter().map(String::as_str));
    text.add(2, &format!("# {items} {wait} for: {asked}"));
    text.add(2, &format!("labels: {}", list(&template.labels)));
}

fn unlabelled(text: &mut Lines, items: usize) {
    let (items, wait) = (plural(items, "job"), if items == 1 { "waits" } else { "wait" });
    text.add(2, &format!("accepts_unlabelled: true  # {items} {wait} for any node"));
}
