//! What looks like ours and is accounted for nowhere, for `mita leaks`: an operator's view, without waiting for a second
//! sighting. What bears no mark of ours is listed and never touched.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;
use jiff::SignedDuration;
use serde::Serialize;

use super::belongings::{listed, with_floating_ips};
use super::destroy::keep_sightings;
use super::leaving::{self, Left};
use super::phase::{self, Standing};
use super::reap::{removal, stray_removal, untouchable};
use super::supply::{Link, Unit};
use super::survey::{Survey, survey};
use super::words::shown;
use super::{Context, Keep, Leftover, Plan, Removal, ServerToRemove, report};
use crate::config::Config;
use crate::model::{
    Belonging, BelongingKind, Computer, NodeId, Observed, ProviderName, Reading, Server, split_address_name,
    split_server_name,
};
use crate::state::State;

/// What leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// A server.
    Server,
    /// A floating IP.
    FloatingIp,
    /// A port.
    Port,
    /// A volume.
    Volume,
    /// A Jenkins node.
    JenkinsNode,
}

impl From<BelongingKind> for LeakKind {
    fn from(kind: BelongingKind) -> Self {
        match kind {
            BelongingKind::FloatingIp => Self::FloatingIp,
            BelongingKind::Port => Self::Port,
            BelongingKind::Volume => Self::Volume,
        }
    }
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakOwner {
    /// It bears our mark, or is remembered as ours.
    Ours,
    /// It bears the mark of another owner.
    Foreign,
    /// It bears no mark.
    Unknown,
}

/// One thing that is accounted for nowhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leak {
    /// What it is.
    pub kind: LeakKind,
    /// The cloud; `None` for a Jenkins node.
    pub provider: Option<ProviderName>,
    /// Its name or address.
    pub name: String,
    /// The cloud's id; `None` for a Jenkins node.
    pub id: Option<String>,
    /// Whose it is.
    pub owner: LeakOwner,
    /// Whether it is ours.
    pub ours: bool,
    /// Its age by the cloud's clock, where that is told.
    pub age_seconds: Option<i64>,
    /// Why it is listed.
    pub because: String,
    /// Whether `--delete` removes it.
    pub removable: bool,
}

/// Returns everything that can be listed beside servers, to be asked before [`leaks`].
pub fn everything(config: &Config) -> BTreeMap<ProviderName, BTreeSet<BelongingKind>> {
    let providers = config.providers.keys();
    providers
        .map(|provider| (provider.clone(), BelongingKind::ALL.into()))
        .collect()
}

/// Lists what is accounted for nowhere, and plans the removal of what is ours and older than `boot_grace`.
pub fn leaks(observed: &Observed, config: &Config, state: &State, context: &Context) -> (Vec<Leak>, Plan) {
    let survey = survey(observed, config, state, context);
    let mut found = Found::default();
    for unit in &survey.units {
        unit_leak(unit, &survey, &mut found);
    }
    other_servers(&survey, &mut found);
    belongings(&survey, &mut found);
    for stray in &survey.strays {
        stray_leak(stray.computer, &survey, &mut found);
    }
    let mut asks = everything(config);
    let Found {
        mut leaks,
        mut removals,
        sweeps,
    } = found;
    if survey.is_quieting() {
        removals.clear();
    }
    with_floating_ips(&survey, &mut removals, &mut asks);
    leaks.sort();
    let quiet = survey.is_quieting();
    let mut plan = report::empty(survey, 0);
    keep_sightings(&mut plan.state, state);
    plan.removals = removals;
    plan.sweeps = if quiet { Vec::new() } else { sweeps };
    plan.asks = asks;
    (leaks, plan)
}

/// What was found so far.
#[derive(Default)]
struct Found {
    leaks: Vec<Leak>,
    removals: Vec<Removal>,
    sweeps: Vec<Leftover>,
}

/// Lists a server of ours that no Jenkins node belongs to, or whose template is gone.
fn unit_leak(unit: &Unit<'_>, survey: &Survey<'_>, found: &mut Found) {
    let Some(server) = unit.server.filter(|_| unit.standing != Standing::Deleting) else {
        return;
    };
    let timing = &survey.config.timing;
    let late = unit.age > phase::boot_grace(unit.template(survey.config), timing);
    let alone = matches!(unit.link, Link::None);
    let because = match &unit.standing {
        _ if !late => return,
        Standing::Failed(_) if alone => "the cloud says ERROR, and Jenkins has no node for it".to_owned(),
        _ if alone => "Jenkins has no node for it".to_owned(),
        _ if unit.kind.is_none() => {
            format!(
                "its template \"{}\" is not configured; it goes once it is idle",
                shown(unit.template.as_str())
            )
        }
        _ => return,
    };
    let ours = owner_of(server, survey.config) == LeakOwner::Ours;
    let removable = alone && !unit.twin && ours;
    found.leaks.push(Leak {
        kind: LeakKind::Server,
        provider: Some(unit.provider.clone()),
        name: unit.name.to_owned(),
        id: Some(server.id.to_string()),
        owner: owner_of(server, survey.config),
        ours,
        age_seconds: Some(unit.age.as_secs()),
        because: because.clone(),
        removable,
    });
    if removable {
        found.removals.extend(removal(unit, because));
    }
}

fn owner_of(server: &Server, config: &Config) -> LeakOwner {
    match &server.mark {
        Some(mark) if mark.owner == config.owner => LeakOwner::Ours,
        Some(_) => LeakOwner::Foreign,
        None => LeakOwner::Unknown,
    }
}

/// Lists servers that bear our mark and a name that is not of our form, and those with such a name that are not ours.
fn other_servers(survey: &Survey<'_>, found: &mut Found) {
    let known: HashSet<(&str, &str)> = survey
        .units
        .iter()
        .filter_map(|unit| Some((unit.provider.as_str(), unit.server?.id.as_str())))
        .collect();
    for (provider, reading) in &survey.observed.clouds {
        let Reading::Read(view) = reading else { continue };
        let others = view
            .servers
            .iter()
            .filter(|s| !known.contains(&(provider.as_str(), s.id.as_str())));
        for server in others.filter(|server| !phase::is_deleting(server)) {
            let owner = owner_of(server, survey.config);
            if owner != LeakOwner::Ours && split_server_name(&server.name).is_none() {
                continue;
            }
            let age = view.clock.unwrap_or(survey.context.now).duration_since(server.created);
            let (because, removable) = why_other(server, owner, age, survey);
            found.leaks.push(Leak {
                kind: LeakKind::Server,
                provider: Some(provider.clone()),
                name: server.name.clone(),
                id: Some(server.id.to_string()),
                owner,
                ours: owner == LeakOwner::Ours,
                age_seconds: Some(age.as_secs()),
                because: because.clone(),
                removable,
            });
            if removable {
                found.removals.push(odd_removal(server, provider, because));
            }
        }
    }
}

fn why_other(server: &Server, owner: LeakOwner, age: SignedDuration, survey: &Survey<'_>) -> (String, bool) {
    let sentence = match (owner, &server.mark) {
        (LeakOwner::Foreign, Some(mark)) => format!("its name is of our form, its owner is \"{}\"", shown(&mark.owner)),
        (LeakOwner::Foreign | LeakOwner::Unknown, _) => "its name is of our form, and it bears no mark".to_owned(),
        (LeakOwner::Ours, _) => "it bears our mark, and its name is not of our form".to_owned(),
    };
    if owner != LeakOwner::Ours {
        return (sentence, false);
    }
    if let Some(node) = survey
        .observed
        .jenkins
        .computers
        .iter()
        .find(|node| may_be_of(node, server))
    {
        return (
            format!(
                "{sentence}; Jenkins node \"{}\" may be its own",
                shown(node.name.as_str())
            ),
            false,
        );
    }
    (sentence, age > survey.config.timing.boot_grace)
}

/// Whether a Jenkins node may be that of a server with an odd name.
fn may_be_of(node: &Computer, server: &Server) -> bool {
    let name = node.name.as_str();
    let id = server.mark.as_ref().and_then(|mark| mark.id.as_ref());
    let by_address = || {
        let (_, ip) = split_address_name(name)?;
        server.addresses.iter().any(|at| at.ip == ip).then_some(())
    };
    name == server.name || id.is_some_and(|id| name.contains(id.as_str())) || by_address().is_some()
}

fn odd_removal(server: &Server, provider: &ProviderName, because: String) -> Removal {
    let id = server.mark.as_ref().and_then(|mark| mark.id.clone());
    Removal {
        template: None,
        node: None,
        server: Some(ServerToRemove {
            provider: provider.clone(),
            id: server.id.clone(),
            name: server.name.clone(),
            node_id: id.unwrap_or_else(|| NodeId::new("")),
            look_first: true,
            failure: Keep::Nothing,
        }),
        floating_ips: Vec::new(),
        because,
    }
}

/// Lists floating IPs, ports and volumes whose server is gone.
fn belongings(survey: &Survey<'_>, found: &mut Found) {
    let living = leaving::living(survey);
    for left in leaving::left(survey, &survey.state.leaving, &living) {
        ours_left(left, survey, found);
    }
    let ids: HashSet<&str> = survey
        .observed
        .clouds
        .values()
        .filter_map(Reading::ok)
        .flat_map(|view| &view.servers)
        .map(|server| server.id.as_str())
        .collect();
    let known: HashSet<(String, String)> = found
        .leaks
        .iter()
        .filter_map(|leak| Some((leak.provider.as_ref()?.to_string(), leak.id.clone()?)))
        .collect();
    for (provider, reading) in &survey.observed.clouds {
        let all = reading.ok().and_then(listed).into_iter().flat_map(|listed| &listed.all);
        for belonging in all {
            if known.contains(&(provider.to_string(), belonging.id.clone())) {
                continue;
            }
            let Some((owner, because)) = strange(belonging, survey.config, &living, &ids) else {
                continue;
            };
            let age = leaving::age(belonging, provider, survey);
            found
                .leaks
                .push(leak_of(belonging, provider, owner, age, because, false));
        }
    }
}

fn leak_of(
    belonging: &Belonging,
    provider: &ProviderName,
    owner: LeakOwner,
    age: Option<SignedDuration>,
    because: String,
    removable: bool,
) -> Leak {
    Leak {
        kind: belonging.kind.into(),
        provider: Some(provider.clone()),
        name: belonging.name.clone(),
        id: Some(belonging.id.clone()),
        owner,
        ours: owner == LeakOwner::Ours,
        age_seconds: age.map(|age| age.as_secs()),
        because,
        removable,
    }
}

fn ours_left(left: Left<'_>, survey: &Survey<'_>, found: &mut Found) {
    let Left {
        provider,
        belonging,
        server,
    } = left;
    let age = leaving::age(belonging, provider, survey);
    let old = age.is_none_or(|age| age > survey.config.timing.boot_grace);
    let removable = old && !belonging.in_use;
    let mut because = format!("server \"{}\", for which it was made, is gone", shown(&server));
    if belonging.in_use {
        because.push_str("; it is in use");
    } else if !old {
        because.push_str("; it is younger than boot_grace");
    }
    found.leaks.push(leak_of(
        belonging,
        provider,
        LeakOwner::Ours,
        age,
        because.clone(),
        removable,
    ));
    if removable {
        let config = survey.config;
        found
            .sweeps
            .push(leaving::leftover(belonging, provider, server, config, because));
    }
}

/// Says whose a thing is that is not ours and looks as if nothing needed it.
fn strange(
    belonging: &Belonging,
    config: &Config,
    living: &HashSet<&str>,
    ids: &HashSet<&str>,
) -> Option<(LeakOwner, String)> {
    if let Some(mark) = &belonging.mark {
        let is_left = mark.owner != config.owner && !living.contains(mark.server.as_str());
        return is_left.then(|| {
            let (server, owner) = (shown(&mark.server), shown(&mark.owner));
            let because = format!("its owner is \"{owner}\", and server \"{server}\", for which it was made, is gone");
            (LeakOwner::Foreign, because)
        });
    }
    if belonging.in_use {
        return None;
    }
    let because = match belonging.kind {
        BelongingKind::FloatingIp => "nothing uses it, and it bears no mark".to_owned(),
        BelongingKind::Volume => {
            let server = leaving::blank_volume_of(belonging).filter(|id| !ids.contains(id))?;
            format!("Nova made it for server {}, which is gone", shown(server))
        }
        // Ports without a device are a router's, a load balancer's or a person's.
        BelongingKind::Port => return None,
    };
    Some((LeakOwner::Unknown, because))
}

/// Lists a Jenkins node of ours without a server.
fn stray_leak(computer: &Computer, survey: &Survey<'_>, found: &mut Found) {
    let held = untouchable(computer);
    let because = match held {
        None => "no cloud has a server for it".to_owned(),
        Some(reason) => format!("no cloud has a server for it; {reason}"),
    };
    found.leaks.push(Leak {
        kind: LeakKind::JenkinsNode,
        provider: None,
        name: computer.name.to_string(),
        id: None,
        owner: LeakOwner::Ours,
        ours: true,
        age_seconds: None,
        because: because.clone(),
        removable: held.is_none(),
    });
    if held.is_none() {
        found.removals.push(stray_removal(computer, survey, because));
    }
}
