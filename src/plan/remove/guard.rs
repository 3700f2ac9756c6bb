//! Holds back what goes because something is absent, when it is much: a half-read Jenkins or cloud looks like that.

use foldhash::HashSet;

use crate::model::NodeName;
use crate::plan::fleet::Survey;

/// So many removals because of an absence are held back when they are more than half of the fleet.
const LEAST: usize = 5;

/// Returns whether so many absent agents of a fleet look like a half-read world.
pub fn holds(absent: usize, fleet: usize) -> bool {
    absent >= LEAST && absent * 2 > fleet
}

/// Returns how many agents there are. One whose server and node are both seen, though nothing links them any more, is one.
pub fn fleet(survey: &Survey<'_>) -> usize {
    let known = known_nodes(survey);
    let others = survey
        .strays
        .iter()
        .filter(|stray| !known.contains(&stray.computer.name));
    survey.units.len() + others.count()
}

/// Returns the nodes that earlier passes saw of servers which are there.
pub fn known_nodes<'a>(survey: &Survey<'a>) -> HashSet<&'a NodeName> {
    let units = survey.units.iter();
    units.filter_map(|unit| unit.before?.jenkins_node.as_ref()).collect()
}

/// Says what was held back.
pub fn warning(absent: usize, fleet: usize) -> String {
    format!(
        "the guard holds back {absent} removals out of {fleet} nodes: so many lost at once look like a half-read Jenkins or \
         cloud; if they are really lost, run again with --force"
    )
}
