//! What is not tried because Jenkins refused it lately: to show the configuration of a job, to remove nodes, to make the
//! nodes of a template.
//!
//! The pass remembers a refusal.

use jiff::Timestamp;

use crate::config::{Config, Register, Template};
use crate::plan::action::Removal;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::AgentState;
use crate::state::{Asker, Refusal, RefusalKey};
use crate::text::{moment, shown};

/// Returns who asks Jenkins, in which session of it, and when.
pub fn asker<'a>(session: Option<&'a str>, config: &'a Config, now: Timestamp) -> Asker<'a> {
    Asker {
        session,
        user: &config.jenkins.user,
        now,
    }
}

fn asker_of<'a>(fleet: &Fleet<'a>) -> Asker<'a> {
    let session = fleet.observed.jenkins.session.as_deref();
    asker(session, fleet.config, fleet.context.now)
}

fn refusal<'s>(fleet: &'s Fleet<'_>, key: &RefusalKey) -> Option<&'s Refusal> {
    let asker = asker_of(fleet);
    fleet.state.refused(key, asker)
}

fn until(refusal: &Refusal) -> String {
    format!(
        "(asked as {} at {}); it is tried again after an hour, when Jenkins was started again, or as another user",
        shown(&refusal.user),
        moment(refusal.at)
    )
}

/// Leaves what has a node out of the removals, if Jenkins refused to remove one; says so. A node that was refused last
/// comes last, so that it keeps no other from its turn.
pub fn removals(fleet: &Fleet<'_>, removals: &mut Vec<Removal>) -> Option<String> {
    let key = RefusalKey::Removal;
    let Some(refusal) = refusal(fleet, &key) else {
        let last = fleet.state.refusals.get(&key.to_string());
        let about = last.and_then(|refusal| refusal.about.as_deref());
        removals.sort_by_key(|removal| {
            let node = removal.node.as_ref().map(|node| node.name.as_str());
            about.is_some() && node == about
        });
        return None;
    };
    let all = removals.len();
    removals.retain(|removal| removal.node.is_none());
    (removals.len() < all).then(|| {
        let (held, lacks) = (all - removals.len(), shown(&refusal.lacks));
        format!(
            "{held} to remove {} since Jenkins refused: the user lacks {lacks} {}",
            if held == 1 { "stays" } else { "stay" },
            until(refusal)
        )
    })
}

/// Whether Jenkins refused to remove a node, so that none is tried for a while.
pub fn refuses_removals(fleet: &Fleet<'_>) -> bool {
    refusal(fleet, &RefusalKey::Removal).is_some()
}

/// Says why no server of a template is made, if so: Jenkins refused to make its node, or it is not known yet whether it
/// can be asked to connect by SSH (the plugin may be missing) and one server that will tell is on its way.
/// `coming`: how many servers of templates with `register: ssh` are.
pub fn closes(fleet: &Fleet<'_>, template: &Template, coming: u32) -> Option<String> {
    let name = &template.name;
    if template.register == Register::Own {
        return None;
    }
    if let Some(refusal) = refusal(fleet, &RefusalKey::Making(name.clone())) {
        return Some(format!(
            "Jenkins does not make the nodes of \"{name}\": {} {}",
            shown(&refusal.lacks),
            until(refusal)
        ));
    }
    let unproved = template.register == Register::Ssh && coming > 0 && !knows_ssh(fleet);
    unproved.then(|| "the first server with register: ssh is to get its Jenkins node before another is made".to_owned())
}

/// Whether nodes of a template are not to be made now.
pub fn is_refused(fleet: &Fleet<'_>, template: &Template) -> bool {
    refusal(fleet, &RefusalKey::Making(template.name.clone())).is_some()
}

/// Whether Jenkins, as it runs now, is known to connect to agents by SSH: it made such a node, or one is online.
fn knows_ssh(fleet: &Fleet<'_>) -> bool {
    let session = fleet.observed.jenkins.session.as_deref().unwrap_or_default();
    let made = fleet.state.ssh_made_in.as_deref() == Some(session);
    made || fleet.agents.iter().any(|agent| {
        let by_ssh = agent
            .template(fleet.config)
            .is_some_and(|template| template.register == Register::Ssh);
        by_ssh && matches!(agent.state, AgentState::Up { .. })
    })
}

/// Returns the permission for want of which Jenkins refused to remove a node, as long as it is not tried again, and who
/// asked.
pub fn of_removal<'s>(fleet: &'s Fleet<'_>) -> Option<(&'s str, &'s str)> {
    let refusal = refusal(fleet, &RefusalKey::Removal)?;
    Some((&refusal.lacks, &refusal.user))
}
