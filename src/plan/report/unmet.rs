//! Why items get nothing, as one word of the metrics.
//!
//! The sentence of `overview` names every reason; of several the word is that of the one which passes soonest, for that is
//! what the items wait for.

use crate::plan::create::closed::Cause;
use crate::plan::create::grow::Growth;
use crate::plan::demand::eligible::atoms;
use crate::plan::demand::items::Demand;
use crate::plan::demand::slots::Origin;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::Agent;
use crate::plan::rows::UnmetReason;
use crate::queue::LabelRequest;

/// What passes soonest comes first: in the next pass, when a server joins, after a back-off, when one goes, by a person.
const SOONEST: [UnmetReason; 8] = [
    UnmetReason::BootingLimit,
    UnmetReason::Canary,
    UnmetReason::Backoff,
    UnmetReason::Maximum,
    UnmetReason::Quota,
    UnmetReason::Closed,
    UnmetReason::Paused,
    UnmetReason::NoTemplate,
];

/// Returns the class of the reason why items of a label request get nothing.
pub fn class(fleet: &Fleet<'_>, demand: &Demand<'_>, growth: &Growth<'_>, label_request: usize) -> UnmetReason {
    let wanted = &demand.label_requests[label_request];
    if matches!(wanted, LabelRequest::Unknown { .. }) {
        return UnmetReason::LabelUnknown;
    }
    let found = demand.class_of[label_request].map(|class| of_class(demand, growth, class));
    soonest(found.unwrap_or_default()).unwrap_or_else(|| {
        if node_wanted(fleet, wanted).is_some() || matches!(wanted, LabelRequest::GoneNode(_)) {
            UnmetReason::Other
        } else {
            UnmetReason::NoTemplate
        }
    })
}

/// Returns the classes of why each template that promises what a class needs gives it nothing.
fn of_class(demand: &Demand<'_>, growth: &Growth<'_>, class: usize) -> Vec<UnmetReason> {
    let mut found = Vec::new();
    for &group in &demand.classes[class] {
        let template = demand.slots.template(group);
        let closed = growth.closed[template].iter();
        let causes = closed.flat_map(|closed| &closed.causes).map(of_cause);
        match demand.slots.origin(group) {
            Origin::Node => {}
            Origin::Template if growth.closed[template].is_some() => found.extend(causes),
            // Its slots are taken by older items.
            Origin::Template => found.push(UnmetReason::Other),
            Origin::Retry { .. } if demand.is_promised_by(class, template) => {}
            Origin::Retry { is_due } => {
                found.push(UnmetReason::NoTemplate);
                found.extend(causes.filter(|_| *is_due));
            }
        }
    }
    found
}

fn soonest(found: Vec<UnmetReason>) -> Option<UnmetReason> {
    let rank = |reason: &UnmetReason| {
        SOONEST
            .iter()
            .position(|other| other == reason)
            .unwrap_or(SOONEST.len())
    };
    found.into_iter().min_by_key(rank)
}

fn of_cause(cause: &Cause) -> UnmetReason {
    match cause {
        Cause::Maximum(_) => UnmetReason::Maximum,
        Cause::Quota(_) => UnmetReason::Quota,
        Cause::BackOff(_) => UnmetReason::Backoff,
        Cause::Canary => UnmetReason::Canary,
        Cause::Pace => UnmetReason::BootingLimit,
        Cause::Paused => UnmetReason::Paused,
        Cause::Unreadable(_) | Cause::NotOffered(_) | Cause::NoNode | Cause::NotNow => UnmetReason::Closed,
    }
}

/// Returns the node of ours that items wait for by its own name, which is a label of it alone.
pub fn node_wanted<'a>(fleet: &'a Fleet<'_>, label_request: &LabelRequest) -> Option<&'a str> {
    let LabelRequest::Label(label) = label_request else {
        return None;
    };
    let atoms = atoms(label);
    let computers = fleet.agents.iter().filter_map(Agent::computer);
    let mut names = computers.map(|computer| computer.name.as_str());
    names.find(|name| atoms.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_soonest_is_what_they_wait_for() {
        use UnmetReason::{
            Backoff, BootingLimit, Canary, Closed, LabelUnknown, Maximum, NoTemplate, Other, Paused, Quota,
        };
        assert_eq!(soonest(vec![]), None);
        assert_eq!(soonest(vec![Paused, Maximum, Canary]), Some(Canary));
        assert_eq!(soonest(vec![Other, Quota, Maximum]), Some(Maximum));
        assert_eq!(soonest(vec![NoTemplate, Closed, Paused]), Some(Closed));
        assert_eq!(soonest(vec![Backoff, BootingLimit]), Some(BootingLimit));
        let unranked: Vec<_> = UnmetReason::ALL
            .into_iter()
            .filter(|reason| !SOONEST.contains(reason))
            .collect();
        assert_eq!(unranked, [LabelUnknown, Other]);
    }
}
