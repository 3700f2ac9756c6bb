//! What Jenkins hides: labels as long as it has no agent, items of jobs that the user may not read, and sentences in
//! another language.
//!
//! `queue` reads what Jenkins does show.

use crate::model::Observed;
use crate::plan::action::Anchor;
use crate::plan::demand::items::{Demand, Item};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::AgentState;
use crate::queue;
use crate::text::shown;

/// Says what is to be done about the anchor. The list of computers tells: where it is there, no request is made.
pub fn anchor(fleet: &Fleet<'_>) -> Option<Anchor> {
    if !fleet.config.labels.anchor || !fleet.context.create || fleet.is_quieting() {
        return None;
    }
    let mut computers = fleet.observed.jenkins.computers.iter();
    match computers.find(|computer| computer.is_anchor()) {
        None => Some(Anchor::Make),
        Some(computer) => (!computer.temporarily_offline).then_some(Anchor::Mark),
    }
}

/// Returns the oldest item whose label is hidden, if one server is to be made so that labels show: Jenkins has no agent,
/// and nothing of ours may become one.
pub fn bootstrap<'d>(fleet: &Fleet<'_>, demand: &'d Demand<'_>) -> Option<&'d Item> {
    fleet.config.labels.bootstrap.as_ref()?;
    let has_agent = fleet
        .observed
        .jenkins
        .computers
        .iter()
        .any(|computer| !computer.built_in);
    let may_join = fleet.agents.iter().any(|agent| {
        let lost = matches!(agent.state, AgentState::Failed(_) | AgentState::TimedOut);
        !lost && !matches!(agent.state, AgentState::Deleting { .. } | AgentState::Removing)
    });
    // The anchor does the same, and costs nothing.
    if has_agent || may_join || fleet.config.labels.anchor {
        return None;
    }
    demand
        .items
        .iter()
        .find(|item| demand.label_requests[item.label_request].is_hidden())
}

/// Returns the language that Jenkins answers in though it is asked for English; one that cannot be read.
pub fn language(observed: &Observed) -> Option<String> {
    let language = observed.jenkins.language.as_ref()?;
    let english = language.get(..2).is_some_and(|two| two.eq_ignore_ascii_case("en"));
    (!english).then(|| language.clone())
}

/// Says what is hidden.
pub fn notes(fleet: &Fleet<'_>) -> Vec<String> {
    let hidden = match fleet.observed.jenkins.hidden {
        0 => None,
        1 => Some("1 item of the queue is of a job that the user may not read".to_owned()),
        many => Some(format!(
            "{many} items of the queue are of jobs that the user may not read"
        )),
    };
    let hidden =
        hidden.map(|hidden| format!("{hidden}: nothing is made for what mita cannot see (Job/Read is missing)"));
    let foreign = fleet.state.language.as_deref().map(foreign);
    quieting(fleet).into_iter().chain(hidden).chain(foreign).collect()
}

/// Says that nothing happens, and why: Jenkins gives no work away. Its sentences tell it, too, in place of the labels.
fn quieting(fleet: &Fleet<'_>) -> Option<String> {
    let told = fleet.is_quieting() || queue::is_quieting(&fleet.observed.jenkins);
    told.then(|| "Jenkins is quieting down: nothing is made and nothing is removed until that ends".to_owned())
}

fn foreign(language: &str) -> String {
    format!(
        "Jenkins answers in its own language (X-Jenkins-Language: {}) whatever it is asked for: items stay unmet whose \
         sentence cannot be read; let its locale plugin heed the browser's language",
        shown(language)
    )
}
