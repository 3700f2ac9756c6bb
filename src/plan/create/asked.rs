//! Makes the servers that an operator asks for, within every limit that holds for those that jobs need.

use crate::model::MadeFor;
use crate::plan::action::Create;
use crate::plan::context::Asked;
use crate::plan::create::capacity::Capacity;
use crate::plan::create::turns::{self, Granted, Turn};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::TemplateIndex;
use crate::text::{are, plural};

/// The servers of one template that are made, and why not the rest.
pub struct AskedFor {
    pub creates: Vec<Create>,
    /// Why the rest is not made, if so.
    pub unmade: Option<String>,
}

/// Makes so many servers of one template as it is open for.
pub fn asked_for(fleet: &Fleet<'_>, index: TemplateIndex, asked: &Asked) -> AskedFor {
    let (made, turns) = attempt(fleet, index, asked, Granted::new());
    if turns.is_empty() {
        return made;
    }
    // Nobody else asks, so the probes are all for this template.
    let granted = turns::grant(&turns, fleet.config, &fleet.state);
    attempt(fleet, index, asked, granted).0
}

fn attempt(fleet: &Fleet<'_>, index: TemplateIndex, asked: &Asked, granted: Granted) -> (AskedFor, Vec<Turn>) {
    let mut capacity = Capacity::new(fleet, granted);
    for _ in 0..asked.count {
        if capacity.open(index).is_none() {
            break;
        }
        let made_for = MadeFor::word(MadeFor::BY_HAND);
        capacity.book(
            index,
            made_for,
            "an operator asked for it (provision --template)".to_owned(),
        );
    }
    let made = u32::try_from(capacity.creates.len()).unwrap_or(u32::MAX);
    let left = asked.count.saturating_sub(made);
    let closed = capacity.closed[index].take().filter(|_| left > 0);
    let unmade = closed.map(|reason| {
        let (servers, are) = (plural(left, "server"), are(left));
        format!("{servers} of \"{}\" {are} not made: {}", asked.template, reason.text)
    });
    let creates = capacity.creates;
    (AskedFor { creates, unmade }, capacity.turns)
}
