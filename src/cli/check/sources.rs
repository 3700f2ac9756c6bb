//! Whether Jenkins shows the labels that its queue waits for, and what a site needs where it does not.

use jiff::Timestamp;

use crate::config::Config;
use crate::error::chain;
use crate::model::{Checked, Computer, JenkinsView};
use crate::pass::Live;
use crate::plan;
use crate::queue::{self, NodeTemplates};
use crate::text::plural;

/// Checks what the queue shows, and the ways to learn more that are configured or could be.
pub fn look(live: &Live, config: &Config, view: &JenkinsView, now: Timestamp) -> Checked {
    let mut found = Checked::default();
    if view.hidden > 0 {
        let items = plural(view.hidden, "item");
        found.missing.push(format!(
            "Job/Read: the queue holds {items} whose jobs the user may not read; nothing is made for them"
        ));
    }
    if config.labels.script {
        script(live, &mut found);
    }
    anchor(config, view, &mut found);
    let has_agent = view.computers.iter().any(|computer| !computer.built_in);
    if !has_agent && !config.labels.anchor && !config.labels.script {
        found.warnings.push(no_agent(live, config, view, now));
    }
    found
}

/// Asks the script console as a pass does.
fn script(live: &Live, found: &mut Checked) {
    match live.jenkins.queue_labels() {
        Ok(_) => found.found.push("the script console tells labels".to_owned()),
        Err(error) => found.missing.push(format!(
            "labels_from: script: the script console does not answer ({}); the user needs Overall/Administer for it, \
             or take anchor: true",
            chain(&error)
        )),
    }
}

fn anchor(config: &Config, view: &JenkinsView, found: &mut Checked) {
    let name = Computer::ANCHOR;
    let there = view.computers.iter().any(Computer::is_anchor);
    match (config.labels.anchor, there) {
        (true, false) => found.hints.push(format!(
            "anchor: there is no node {name} yet; the next pass makes it, for which the user needs Agent/Create and \
             Agent/Disconnect"
        )),
        (false, true) => found.warnings.push(format!(
            "there is a node {name}, though jenkins.anchor is off: it is left alone, another mita may need it; delete it \
             in Jenkins if none does"
        )),
        _ => {}
    }
}

/// Returns what a site without any agent needs.
fn no_agent(live: &Live, config: &Config, view: &JenkinsView, now: Timestamp) -> String {
    let templates = plan::template_labels(config);
    let label_requests =
        queue::label_requests(view, &templates, &NodeTemplates::none(), now, config.timing.queue_grace);
    let hidden = |label_request: &Option<usize>| {
        label_request.is_some_and(|label_request| label_requests.distinct[label_request].is_hidden())
    };
    let hidden = label_requests
        .of_item
        .iter()
        .filter(|label_request| hidden(label_request))
        .count() as u64;
    let now_hidden = match hidden {
        0 => "those of pipelines would stay unknown".to_owned(),
        _ => format!("{} now for a label that is not known", waits(hidden)),
    };
    let administer = match live.jenkins.may_use_scripts() {
        Ok(true) => "which the user has",
        Ok(false) => "which the user lacks",
        Err(_) => "of which it is not known whether the user has it",
    };
    let bootstrap = match &config.labels.bootstrap {
        Some(template) => format!("; until then jenkins.bootstrap starts one server of \"{template}\""),
        None => String::new(),
    };
    format!(
        "there is no agent, and without any the queue names no label: {now_hidden}; set jenkins.anchor: true (needs \
         Agent/Create), or jenkins.labels_from: script (needs Overall/Administer, {administer}){bootstrap}"
    )
}

fn waits(items: u64) -> String {
    let verb = if items == 1 { "waits" } else { "wait" };
    format!("{} {verb}", plural(items, "item"))
}
