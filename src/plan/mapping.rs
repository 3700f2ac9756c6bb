//! Which Jenkins node belongs to which server: by the server's name, by our id in the node's name, by the address after
//! the last `+`. The name goes before the address, and what fits twice fits not at all.
//!
//! What a node without a server means is left to `survey`.

use super::adopt::Stranger;
use super::phase::{is_idle, is_persons};
use super::supply::{Link, Unit};
use super::words::shown;
use crate::config::{Config, Template};
use crate::model::{Computer, NAME_SEPARATOR, ServerStatus, is_uuid, split_address_name};

/// The length of an id.
const ID_LENGTH: usize = 12;

/// The length of a UUID, the id in the names that the original tool gave.
const UUID_LENGTH: usize = 36;

/// What became of a Jenkins node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// No server of ours fits it.
    Free,
    /// It belongs to a server of ours, or may.
    Taken,
    /// It bears the name of a server that is not ours.
    Foreign,
}

/// Links units to Jenkins nodes, both sorted by name; returns what became of each node, and what could not be decided.
pub(super) fn link<'a>(
    units: &mut [Unit<'a>],
    computers: &[&'a Computer],
    foreign: &[&'a str],
    strangers: &[Stranger<'a>],
    config: &Config,
) -> (Vec<Fit>, Vec<String>) {
    let is_foreign = |c: &Computer| c.built_in || foreign.binary_search(&c.name.as_str()).is_ok();
    let fit = |c: &&Computer| if is_foreign(c) { Fit::Foreign } else { Fit::Free };
    let mut fits: Vec<Fit> = computers.iter().map(fit).collect();
    let mut notes = Vec::new();
    let by_name = Index::new(units, |unit, add| {
        if !is_named_otherwise(unit) {
            add(unit.name);
        }
    });
    step(units, computers, &mut fits, &mut notes, |c, found| {
        by_name.get(&c.name.as_str(), found);
    });
    if !fits.contains(&Fit::Free) {
        return (fits, notes);
    }
    if units.iter().any(is_open) {
        by_weaker_rules(units, computers, &mut fits, &mut notes, config);
    }
    if units.iter().any(|unit| unit.adopted) {
        namesakes(units, computers, &mut fits, &mut notes);
        unknown_servers(units, computers, &mut fits, &mut notes, strangers);
    }
    second_suitors(units, computers, &mut fits, &mut notes);
    (fits, notes)
}

/// Links what does not bear the very name of a server: by id, by memory, by address.
fn by_weaker_rules<'a>(
    units: &mut [Unit<'a>],
    computers: &[&'a Computer],
    fits: &mut [Fit],
    notes: &mut Vec<String>,
    config: &Config,
) {
    let by_id = Index::new(units, |unit, add| add(unit.id.to_string()));
    step(units, computers, fits, notes, |c, found| {
        ids_in(c.name.as_str(), &by_id, found);
    });
    let by_uuid = Index::new(units, |unit, add| {
        let uuid = unit.name.rsplit_once(NAME_SEPARATOR).map(|(_, uuid)| uuid);
        if let Some(uuid) = uuid.filter(|uuid| unit.adopted && is_uuid(uuid)) {
            add(uuid);
        }
    });
    if !by_uuid.0.is_empty() {
        step(units, computers, fits, notes, |c, found| {
            let name = c.name.as_str();
            let windows = (0..=name.len().saturating_sub(UUID_LENGTH)).filter_map(|at| name.get(at..at + UUID_LENGTH));
            windows.for_each(|uuid| by_uuid.get(&uuid, found));
        });
    }
    let by_memory = Index::new(units, |unit, add| {
        // Where the cloud is closed there are no addresses; what was known before holds.
        let before = unit.before.filter(|_| unit.server.is_none());
        if let Some(node) = before.and_then(|before| before.jenkins_node.as_ref()) {
            add(node.as_str());
        }
    });
    step(units, computers, fits, notes, |c, found| {
        by_memory.get(&c.name.as_str(), found);
    });
    let by_address = Index::new(units, |unit, add| {
        for address in unit.server.iter().flat_map(|server| &server.addresses) {
            add(address.ip);
        }
    });
    let kinds: Vec<(String, Option<&Template>)> = units
        .iter()
        .map(|unit| (unit.template.to_string(), unit.template(config)))
        .collect();
    step(units, computers, fits, notes, |c, found| {
        if let Some((_, address)) = split_address_name(c.name.as_str()) {
            // What `found` holds already was found for other nodes.
            let mut there = Vec::new();
            by_address.get(&address, &mut there);
            found.extend(there.into_iter().filter(|unit| may_be_of(c, &kinds[*unit])));
        }
    });
}

/// Returns whether a node that has the address of a server may be its node. Private addresses recur in other networks: a
/// name that does not begin with the template's counts only for a node that can do what the template's nodes can.
fn may_be_of(computer: &Computer, (name, template): &(String, Option<&Template>)) -> bool {
    if split_address_name(computer.name.as_str()).is_some_and(|(front, _)| front == name) {
        return true;
    }
    match (template, &computer.labels) {
        (Some(template), Some(labels)) => template.labels.iter().all(|label| labels.contains(label)),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Whether a unit was taken over for its Jenkins node alone: its name says nothing of which node that is.
fn is_named_otherwise(unit: &Unit<'_>) -> bool {
    let rest = unit.name.strip_prefix(unit.template.as_str());
    unit.adopted && rest.is_none_or(|rest| !rest.starts_with(NAME_SEPARATOR))
}

/// Finds nodes that bear the name of a server that was taken over for another node: whatever works there would be lost
/// with the server.
fn namesakes<'a>(units: &mut [Unit<'a>], computers: &[&'a Computer], fits: &mut [Fit], notes: &mut Vec<String>) {
    for at in (0..units.len())
        .filter(|at| is_named_otherwise(&units[*at]))
        .collect::<Vec<_>>()
    {
        let Ok(place) = computers.binary_search_by(|computer| computer.name.as_str().cmp(units[at].name)) else {
            continue;
        };
        if fits[place] == Fit::Free {
            fits[place] = Fit::Taken;
            add_suitor(&mut units[at].link, computers[place]);
            notes.push(undecided(computers[place], &[at], units));
        }
    }
}

/// Gives nodes that are at work at an address which no server has to every unit that it may be: to those of its template
/// that were taken over and have no node. They are not removed before it is known.
fn unknown_servers<'a>(
    units: &mut [Unit<'a>],
    computers: &[&'a Computer],
    fits: &mut [Fit],
    notes: &mut Vec<String>,
    strangers: &[Stranger<'a>],
) {
    let is_candidate = |unit: &Unit<'_>| {
        let failed = unit.server.is_some_and(|server| server.status == ServerStatus::Error);
        unit.adopted && is_open(unit) && !failed
    };
    let candidates: Vec<usize> = (0..units.len()).filter(|at| is_candidate(&units[*at])).collect();
    for Stranger { computer, template } in strangers {
        let works = !computer.offline || !is_idle(computer) || is_persons(computer);
        let Ok(place) = computers.binary_search_by(|other| other.name.cmp(&computer.name)) else {
            continue;
        };
        let may_be: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|at| units[*at].template == **template)
            .collect();
        if !works || fits[place] != Fit::Free || may_be.is_empty() {
            continue;
        }
        fits[place] = Fit::Taken;
        notes.push(format!(
            "no server has the address of Jenkins node \"{}\": as long as it works, the servers of \"{template}\" that were \
             taken over and have no node stay ({})",
            shown(computer.name.as_str()),
            may_be.len()
        ));
        for at in may_be {
            add_suitor(&mut units[at].link, computer);
        }
    }
}

fn add_suitor<'a>(link: &mut Link<'a>, computer: &'a Computer) {
    match link {
        Link::None => *link = Link::Many(vec![computer]),
        Link::One(first) => *link = Link::Many(vec![first, computer]),
        Link::Many(several) => several.push(computer),
    }
}

/// Finds nodes that also fit a server which has its node by a stronger rule, and that are at work or held by a person:
/// with the server gone, that work would be lost.
fn second_suitors<'a>(units: &mut [Unit<'a>], computers: &[&'a Computer], fits: &mut [Fit], notes: &mut Vec<String>) {
    for (computer, fit) in computers.iter().zip(fits) {
        if *fit != Fit::Free || is_idle(computer) && !is_persons(computer) {
            continue;
        }
        let name = computer.name.as_str();
        let place = split_address_name(name);
        if place.is_none() && !name.contains("__") {
            continue;
        }
        for at in 0..units.len() {
            let unit = &mut units[at];
            let Link::One(first) = unit.link else { continue };
            let stands_there = place.is_some_and(|(front, address)| {
                let server = unit.server.filter(|_| front == unit.template.as_str());
                server.is_some_and(|server| server.addresses.iter().any(|at| at.ip == address))
            });
            if stands_there || name.contains(unit.id.as_str()) {
                *fit = Fit::Taken;
                unit.link = Link::Many(vec![first, computer]);
                notes.push(undecided(computer, &[at], units));
                break;
            }
        }
    }
}

/// Whether a unit may still be given a node.
fn is_open(unit: &Unit<'_>) -> bool {
    matches!(unit.link, Link::None)
}

/// The units that may still be given a node, by a key.
struct Index<K>(Vec<(K, usize)>);

impl<K: Ord> Index<K> {
    fn new<'a>(units: &[Unit<'a>], keys: impl Fn(&Unit<'a>, &mut dyn FnMut(K))) -> Self {
        let mut found = Vec::new();
        for (place, unit) in units.iter().enumerate().filter(|(_, unit)| is_open(unit)) {
            keys(unit, &mut |key| found.push((key, place)));
        }
        found.sort();
        found.dedup();
        Self(found)
    }

    fn get(&self, key: &K, found: &mut Vec<usize>) {
        let first = self.0.partition_point(|(other, _)| other < key);
        found.extend(
            self.0[first..]
                .iter()
                .take_while(|(other, _)| other == key)
                .map(|(_, unit)| *unit),
        );
    }
}

/// Links by one rule all that it fits once in both directions.
fn step<'a>(
    units: &mut [Unit<'a>],
    computers: &[&'a Computer],
    fits: &mut [Fit],
    notes: &mut Vec<String>,
    candidates: impl Fn(&Computer, &mut Vec<usize>),
) {
    // The units that fit each node stand one node after the other, so that nothing is allocated for each.
    let mut fitting: Vec<usize> = Vec::new();
    let mut suitors: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
    let mut wanted = vec![0_u32; units.len()];
    for (place, computer) in computers
        .iter()
        .enumerate()
        .filter(|(place, _)| fits[*place] == Fit::Free)
    {
        let start = fitting.len();
        candidates(computer, &mut fitting);
        if fitting.len() > start {
            fitting[start..].iter().for_each(|&unit| wanted[unit] += 1);
            suitors.push((place, start..fitting.len()));
        }
    }
    for (place, range) in suitors {
        fits[place] = Fit::Taken;
        let found = &fitting[range];
        if let [unit] = *found
            && wanted[unit] == 1
            && !units[unit].twin
        {
            units[unit].link = Link::One(computers[place]);
            continue;
        }
        notes.push(undecided(computers[place], found, units));
        for &unit in found {
            match &mut units[unit].link {
                Link::Many(several) => several.push(computers[place]),
                link => *link = Link::Many(vec![computers[place]]),
            }
        }
    }
}

fn undecided(computer: &Computer, found: &[usize], units: &[Unit<'_>]) -> String {
    let name = shown(computer.name.as_str());
    let names: Vec<&str> = found.iter().map(|&unit| units[unit].name).collect();
    if let [server] = names[..] {
        format!("Jenkins node \"{name}\" is not the only one that fits server \"{server}\": nothing of it is removed")
    } else {
        let names = names.join(", ");
        format!("Jenkins node \"{name}\" fits several servers ({names}): nothing of it is removed")
    }
}

/// Finds units by ids that a node's name contains anywhere.
fn ids_in(name: &str, by_id: &Index<String>, found: &mut Vec<usize>) {
    let start = found.len();
    let bytes = name.as_bytes();
    for at in 0..bytes.len().saturating_sub(ID_LENGTH - 1) {
        let is_id = bytes[at..at + ID_LENGTH]
            .iter()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if let Some(id) = name.get(at..at + ID_LENGTH).filter(|_| is_id) {
            by_id.get(&id.to_owned(), found);
        }
    }
    found[start..].sort_unstable();
    let mut kept = start;
    for at in start..found.len() {
        if kept == start || found[at] != found[kept - 1] {
            found[kept] = found[at];
            kept += 1;
        }
    }
    found.truncate(kept);
}
