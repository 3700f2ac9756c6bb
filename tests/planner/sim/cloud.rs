//! The clouds of a simulated world: servers and who made them, what lists show of them, how they go.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use mita::model::{
    Address, CloudView, Headroom, NodeId, NodeName, Observed, Offer, Offers, Presence, ProviderName, Reading, Server,
    ServerId, ServerStatus, TemplateName, server_name,
};
use mita::plan::{Create, Plan};

use super::faults::Faults;
use super::jenkins::Node;
use super::names::Form;
use super::{Sim, mins, secs};
use crate::facts;
use crate::world::{cloud, offer};

/// Who made a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// This mita.
    Us,
    /// The original, for this controller: `<template>__<uuid>` without a mark. Adopted.
    Original,
    /// A person, who named the Jenkins node `<template>+<ip>`. Adopted.
    Person,
    /// A mita of another owner: with its mark, and a name of our form.
    OtherOwner,
    /// The original, for another controller: `<template>__<uuid>`, no mark, and no node in this Jenkins.
    OtherController,
}

/// One server.
pub(super) struct Machine {
    pub maker: Maker,
    pub server: Server,
    pub provider: ProviderName,
    pub template: TemplateName,
    pub id: NodeId,
    pub created: Timestamp,
    pub image: String,
    pub form: Form,
    /// Whether its agent joins this Jenkins.
    pub joins: bool,
    /// Whether its agent was ever seen: before, nothing makes one that was made by hand ours.
    pub joined: bool,
    pub visible_at: Timestamp,
    pub joins_at: Option<Timestamp>,
    pub fails_at: Option<Timestamp>,
    pub gone_at: Option<Timestamp>,
    pub node: Option<Node>,
    /// What saved passes saw of it.
    pub seen: Seen,
    /// Until when the list shows it without addresses, and without which.
    pub hides: Option<(Timestamp, Hides)>,
    /// How many DELETEs were accepted, and how many of these do nothing.
    pub deletes: u32,
    pub stuck: u32,
    /// The last pass in which one was accepted.
    pub asked_in: u64,
}

/// What saved passes saw of a server: what a pass may remember.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Whether its node was online.
    pub up: bool,
    /// When its node was last listed.
    pub listed: Option<Timestamp>,
    /// The node that was linked to it.
    pub node: Option<NodeName>,
    /// Whether its id is known: it was listed, or its create was answered.
    pub id: bool,
    /// Whether it was asked to go, and was listed ever since.
    pub asked: bool,
}

/// Which addresses a list lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hides {
    All,
    Floating,
    Fixed,
}

/// A list that lacks servers for a while.
pub(super) struct Short {
    until: Timestamp,
    lacks: BTreeSet<ServerId>,
}

impl Machine {
    fn new(maker: Maker, server: Server, provider: ProviderName, template: TemplateName, id: NodeId) -> Self {
        let created = server.created.unwrap();
        Self {
            maker,
            visible_at: created,
            created,
            server,
            provider,
            template,
            id,
            image: String::new(),
            form: Form::Server,
            joins: true,
            joined: false,
            joins_at: None,
            fails_at: None,
            gone_at: None,
            node: None,
            seen: Seen::default(),
            hides: None,
            deletes: 0,
            stuck: 0,
            asked_in: 0,
        }
    }

    /// Whether it is ours in the end, made or adopted.
    pub fn is_ours(&self) -> bool {
        matches!(self.maker, Maker::Us | Maker::Original | Maker::Person)
    }

    pub fn is_dead(&self) -> bool {
        self.server.status == ServerStatus::Error || self.gone_at.is_some()
    }

    pub fn runs(&self) -> bool {
        self.server.status == ServerStatus::Active
    }
}

impl Sim {
    /// Adds a server of another owner: it runs or failed long ago.
    pub(super) fn foreign_server(&mut self, number: u64) {
        let provider = self.config.providers.keys().next().unwrap().clone();
        let template = self.config.templates[0].name.clone();
        let id = NodeId::new(format!("f{number:011x}"));
        let server = self.new_server(&template, &id, Some("somebody"));
        let mut machine = Machine::new(Maker::OtherOwner, server, provider, template, id);
        machine.joins = self.faults.strangers && self.random.chance(50);
        machine.joins_at = Some(self.now);
        machine.fails_at = self.random.chance(50).then_some(self.now);
        self.machines.push(machine);
    }

    /// Adds a server of another controller, which has no mark: it runs.
    pub(super) fn server_of_another_controller(&mut self, number: u64) {
        let (template, provider) = self.some_place();
        let id = NodeId::new(format!("e{number:011x}"));
        let server = self.unmarked_server(&template, &id);
        let mut machine = Machine::new(Maker::OtherController, server, provider, template, id);
        machine.joins = false;
        self.machines.push(machine);
    }

    /// Adds a server without a mark that is for us: it runs, boots, or failed long ago.
    pub(super) fn old_server(&mut self, number: u64) {
        let (template, provider) = self.some_place();
        let id = NodeId::new(format!("d{number:011x}"));
        let maker = if self.random.chance(60) {
            Maker::Original
        } else {
            Maker::Person
        };
        let mut server = self.unmarked_server(&template, &id);
        if maker == Maker::Person {
            server.name = format!("box {number}");
        }
        let never = self.random.chance(self.faults.never_joins);
        let fails = self.random.chance(self.faults.error);
        let joins = secs(self.random.below(600));
        let joins = if self.random.chance(60) { secs(0) } else { joins };
        let place = self.place_of(&template);
        let mut machine = Machine::new(maker, server, provider, template, id);
        machine.form = match (maker, place % 3) {
            (Maker::Person, _) | (_, 1) => Form::TemplateAtAddress,
            (_, 0) => Form::Server,
            _ => Form::OfServer,
        };
        machine.visible_at = self.now;
        machine.joins_at = (!never).then(|| self.now + joins);
        machine.fails_at = fails.then_some(self.now);
        self.machines.push(machine);
    }

    fn some_place(&mut self) -> (TemplateName, ProviderName) {
        let kind = self.random.index(self.config.templates.len());
        let template = &self.config.templates[kind];
        (template.name.clone(), template.placements[0].provider.clone())
    }

    fn place_of(&self, template: &TemplateName) -> usize {
        let mut templates = self.config.templates.iter();
        templates.position(|t| t.name == *template).unwrap_or(0)
    }

    fn unmarked_server(&mut self, template: &TemplateName, id: &NodeId) -> Server {
        let mut server = self.new_server(template, id, None);
        server.mark = None;
        server.status = ServerStatus::Active;
        server.created = Some(self.now - mins(self.random.below(600)));
        server.name = format!("{template}__7d0f4c1e-9a53-4c44-8f3e-{id}");
        server
    }

    fn new_server(&mut self, template: &TemplateName, id: &NodeId, owner: Option<&str>) -> Server {
        let number = self.next_server;
        self.next_server += 1;
        let digest = self
            .config
            .templates
            .iter()
            .find(|t| t.name == *template)
            .map(|t| t.digest.clone());
        let four = format!("10.{}.{}.{}", number / 62_500, number / 250 % 250, number % 250);
        let mut addresses = vec![Address::fixed(four.parse().unwrap())];
        if self.faults.names > 0 && self.random.chance(20) {
            addresses.push(Address::fixed(format!("fd00::{number:x}").parse().unwrap()));
        }
        let mut server = facts::server(format!("s{number}"), &server_name(template, id), self.now);
        server.status = ServerStatus::Build;
        server.addresses = addresses;
        let owner = owner.unwrap_or(&self.config.owner);
        server.mark = Some(facts::mark(owner, template, id, digest));
        server
    }

    /// A server is made.
    pub(super) fn boot(&mut self, create: &Create) -> ServerId {
        self.created += 1;
        let mut server = self.new_server(&create.template, &create.id, None);
        let image = create
            .offer
            .as_ref()
            .map_or_else(String::new, |offer| offer.image.clone());
        // Half of the servers boot from a volume and do not show it.
        server.image = Some(image.clone()).filter(|image| !image.is_empty() && self.next_server.is_multiple_of(2));
        let id = server.id.clone();
        let lag = secs(i64::try_from(self.random.roll(1 + self.faults.lag.unsigned_abs())).unwrap());
        let boot = self.some_boot();
        let no_host = self.refuses(create) == Some(super::configs::Refusal::NoHost);
        let fails = no_host || self.random.chance(self.faults.error);
        let never = self.random.chance(self.faults.never_joins) || image == "broken";
        if no_host {
            server.fault = Some("No valid host was found. There are not enough hosts available.".to_owned());
        }
        let form = self.some_form(self.place_of(&create.template));
        let (template, provider) = (create.template.clone(), create.provider.clone());
        let mut machine = Machine::new(Maker::Us, server, provider, template, create.id.clone());
        machine.image = image;
        machine.form = form;
        machine.visible_at = self.now + lag;
        machine.joins_at = (!never).then(|| self.now + boot);
        machine.fails_at = fails.then(|| self.now + secs(20));
        self.machines.push(machine);
        id
    }

    /// Returns how long a server boots that joins.
    fn some_boot(&mut self) -> SignedDuration {
        let (least, spread) = match self.faults {
            Faults { slow_boots: slow, .. } if slow > 0 && self.random.chance(slow) => (240, 900),
            Faults { slow_boots: 1.., .. } | Faults { shared_limit: true, .. } => (30, 30),
            _ => (30, 400),
        };
        secs(least + i64::try_from(self.random.roll(spread)).unwrap())
    }

    /// A DELETE is accepted; returns whether it was the first one.
    pub(super) fn begin_delete(&mut self, id: &ServerId) -> bool {
        let pause = secs(self.random.below(120));
        let (now, random, faults) = (self.now, &mut self.random, self.faults);
        let pass = self.passes;
        let Some(machine) = self.machines.iter_mut().find(|machine| machine.server.id == *id) else {
            return false;
        };
        let first = machine.deletes == 0;
        if first && random.chance(faults.stuck) {
            machine.stuck = 1 + u32::try_from(random.roll(4)).unwrap();
            if random.chance(50) {
                machine.server.status = ServerStatus::Error;
            }
        }
        machine.deletes += 1;
        machine.asked_in = pass;
        machine.joins_at = None;
        machine.server.task_state = Some("deleting".to_owned());
        if machine.deletes > machine.stuck {
            machine.gone_at.get_or_insert(now + pause);
        }
        first
    }

    /// Lets servers boot, fail and vanish, and lists become short and whole again.
    pub(super) fn clouds_go_on(&mut self) {
        let (now, random, faults) = (self.now, &mut self.random, self.faults);
        for machine in &mut self.machines {
            if machine.fails_at.is_some_and(|at| at <= now) {
                machine.server.status = ServerStatus::Error;
            } else if let Some(at) = machine.joins_at.filter(|at| *at <= now) {
                machine.server.status = ServerStatus::Active;
                // Not every cloud tells it.
                if faults.billed && machine.server.id.as_str().ends_with(['0', '2', '4', '6', '8']) {
                    machine.server.launched = Some(at - secs(20));
                }
            }
            if machine.is_ours() && random.chance(faults.vanish) {
                machine.gone_at.get_or_insert(now);
                machine.node = None;
            }
            if machine.hides.is_some_and(|(until, _)| until <= now) {
                machine.hides = None;
            }
            if machine.hides.is_none() && random.chance(faults.no_addresses) {
                let what = random.pick(&[Hides::All, Hides::All, Hides::Floating, Hides::Fixed]);
                machine.hides = Some((now + secs(60 + random.below(700)), what));
            }
        }
        self.short.retain(|_, short| short.until > now);
        for provider in self.config.providers.keys() {
            if self.short.contains_key(provider) || !random.chance(faults.short_lists) {
                continue;
            }
            // Of a server that is not ours and not listed nobody can ask, and its node may have a name of our form.
            let here = self.machines.iter().filter(|machine| machine.provider == *provider);
            let here = here.filter(|machine| machine.maker != Maker::OtherOwner);
            let mut ids: Vec<ServerId> = here.map(|machine| machine.server.id.clone()).collect();
            random.shuffle(&mut ids);
            let half = ids.len() / 2;
            ids.truncate(random.pick(&[1, 3, half]));
            let short = Short {
                until: now + secs(60 + random.below(300)),
                lacks: ids.into_iter().collect(),
            };
            self.short.insert(provider.clone(), short);
        }
    }

    /// A cloud as its list shows it.
    pub(super) fn cloud(&mut self, name: &ProviderName) -> CloudView {
        let short = self.short.get(name);
        let lacks = |machine: &Machine| short.is_some_and(|short| short.lacks.contains(&machine.server.id));
        let here = |machine: &&Machine| machine.provider == *name && machine.visible_at <= self.now && !lacks(machine);
        let listed = self.machines.iter().filter(here);
        let mut servers: Vec<Server> = listed.map(|machine| self.as_listed(machine)).collect();
        let used = self.machines.iter().filter(|machine| machine.provider == *name).count();
        let room = self.quota[name].saturating_sub(used) as u64;
        let offers = self.tells_offers.then(|| {
            let room = Headroom {
                instances: Some(room),
                ..Headroom::default()
            };
            let templates = self
                .config
                .templates
                .iter()
                .map(|template| (template.name.clone(), Ok(self.offer())));
            Reading::Read(Offers {
                room,
                templates: templates.collect(),
            })
        });
        self.random.shuffle(&mut servers);
        CloudView {
            servers,
            clock: Some(self.now),
            offers,
            ..cloud()
        }
    }

    /// A server as the list shows it: with its floating IP, or without some of its addresses.
    fn as_listed(&self, machine: &Machine) -> Server {
        let mut server = self.with_floating_ip(machine);
        match machine.hides {
            Some((_, Hides::All)) => server.addresses.clear(),
            Some((_, Hides::Floating)) => server.addresses.retain(|at| !at.floating),
            Some((_, Hides::Fixed)) => server.addresses.retain(|at| at.floating),
            None => {}
        }
        server
    }

    fn offer(&self) -> Offer {
        let mut offer = offer(4);
        if self.faults.broken_image && self.passes >= self.newer_image {
            offer.older_images = vec![std::mem::replace(&mut offer.image, "broken".to_owned())];
        }
        offer
    }

    /// Answers what a plan asks of single servers; returns whether it asks anything, so that the pass plans again.
    pub(super) fn answer_look_ups(&mut self, plan: &Plan, observed: &mut Observed) -> bool {
        for (provider, id) in &plan.lookups {
            let Some(Reading::Read(view)) = observed.clouds.get_mut(provider) else {
                continue;
            };
            let answer = match self.look_up(provider, id) {
                Found::There(server) => {
                    view.servers.push(*server);
                    Presence::There
                }
                Found::Gone => Presence::Gone,
                Found::NoAnswer => Presence::NotKnown("timeout".to_owned()),
            };
            view.looked_up.insert(id.clone(), answer);
        }
        !plan.lookups.is_empty()
    }

    /// The answer to `GET /servers/ID`: the server, whatever the list shows; Nova's own 404; or none that counts.
    fn look_up(&mut self, provider: &ProviderName, id: &ServerId) -> Found {
        if self.random.chance(self.faults.closed) {
            return Found::NoAnswer;
        }
        let mut here = self.machines.iter().filter(|machine| machine.provider == *provider);
        match here.find(|machine| machine.server.id == *id) {
            None => Found::Gone,
            Some(machine) if machine.visible_at > self.now => Found::NoAnswer,
            Some(machine) => Found::There(Box::new(self.as_listed(machine))),
        }
    }
}

/// The answer to a question for one server.
enum Found {
    There(Box<Server>),
    Gone,
    NoAnswer,
}
