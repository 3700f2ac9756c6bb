//! What is made: each item without a slot opens one at the first template and place that are open.
//!
//! What was seen is left to `survey`, matching to `matching`, saying what is left unserved to `overview`.

use std::collections::{BTreeMap, BTreeSet};

use super::Create;
use super::backoff::{Gate, gate};
use super::demand::{Demand, Item};
use super::eligible::wish_text;
use super::hidden;
use super::ids::Ids;
use super::images::{self, Chooser};
use super::matching::{Flow, Placed};
use super::phase;
use super::refused;
use super::room::{lacking, ports, ports_of, take};
use super::slots::Origin;
use super::survey::Survey;
use super::words::{shown, span};
use crate::config::{Placement, Register, Template};
use crate::model::{CloudView, Offer, ProviderName, Reading, Room, Zone, server_name};
use crate::state::BackoffKey;

/// What is made, and how the waiting items are served.
pub(super) struct Growth<'d> {
    /// The servers to be made, in order.
    pub creates: Vec<Create>,
    /// Items to slots, those to be made among them.
    pub flow: Flow<'d>,
    /// For each template why nothing more can be made of it; `None` as long as it can.
    pub closed: Vec<Option<String>>,
    /// For each template, how many slots of its warm pool got nothing.
    pub cold: Vec<u32>,
    /// Why the first server, which would make labels show, is not made though it is wanted.
    pub bootstrap: Option<String>,
}

/// Matches everything that is wanted to slots and opens new ones.
pub(super) fn grow<'d>(survey: &Survey<'_>, demand: &'d Demand<'_>) -> Growth<'d> {
    let mut free = vec![0_u32; demand.slots.len()];
    for (unit, group) in survey.units.iter().zip(demand.slots.of_units()) {
        if let Some(group) = *group {
            free[group] = free[group].saturating_add(unit.standing.slots(phase::executors(unit, survey.config)));
        }
    }
    let mut flow = Flow::new(&demand.classes, free);
    let mut yard = Yard::new(survey);
    for item in &demand.items {
        if let Some(class) = demand.class_of[item.wish]
            && let Placed::Opened(group) = flow.place(class, |group| open(group, class, demand, &mut yard))
        {
            let mut reason = because(survey, demand, item);
            if !demand.classes[class].contains(&group) {
                reason.push_str("; it gets the slot of an older item that this server can serve");
            }
            book(group, reason, demand, &mut yard);
        }
    }
    let mut cold = vec![0; survey.config.templates.len()];
    for pool in &demand.warm {
        let name = &survey.config.templates[pool.template].name;
        for slot in 0..pool.slots {
            match flow.place(pool.class, |group| open(group, pool.class, demand, &mut yard)) {
                Placed::Matched => {}
                Placed::Opened(group) => {
                    let reason = format!("the warm pool of \"{name}\" is to have {} ready", pool.ready);
                    book(group, reason, demand, &mut yard);
                }
                Placed::Failed => {
                    cold[pool.template] = pool.slots - slot;
                    break;
                }
            }
        }
    }
    let bootstrap = bootstrap(survey, demand, &mut yard);
    Growth {
        bootstrap,
        creates: yard.creates,
        flow,
        closed: yard.closed,
        cold,
    }
}

/// Opens slots of a group for an item of a class.
fn open(group: usize, class: usize, demand: &Demand<'_>, yard: &mut Yard<'_, '_>) -> Option<u32> {
    let template = demand.slots.template(group);
    let may = match demand.slots.origin(group) {
        Origin::Node => false,
        Origin::Template => demand.is_promised(class),
        // One of this plan is the one of the day.
        Origin::Retry { is_due } => {
            let name = &yard.survey.config.templates[template].name;
            *is_due
                && !yard
                    .creates
                    .iter()
                    .any(|create| create.retry && create.template == *name)
        }
    };
    if may { yard.open(template) } else { None }
}

/// Books the server that was opened in a group.
fn book(group: usize, mut because: String, demand: &Demand<'_>, yard: &mut Yard<'_, '_>) {
    let retry = matches!(demand.slots.origin(group), Origin::Retry { .. });
    if retry {
        because.push_str("; the last servers lacked the label, one a day tries again");
    }
    yard.book(demand.slots.template(group), because);
    if let Some(create) = yard.creates.last_mut() {
        create.retry |= retry;
    }
}

/// Opens one server where Jenkins, which has no agent, hides what is waited for. Returns why not, where one is wanted.
fn bootstrap(survey: &Survey<'_>, demand: &Demand<'_>, yard: &mut Yard<'_, '_>) -> Option<String> {
    let item = hidden::bootstrap(survey, demand).filter(|_| yard.creates.is_empty())?;
    let name = survey.config.labels.bootstrap.as_ref()?;
    let templates = &survey.config.templates;
    let template = templates.iter().position(|template| template.name == *name)?;
    if yard.open(template).is_some() {
        let because = because(survey, demand, item);
        let because = format!("{because}, and Jenkins hides its label without any agent (jenkins.bootstrap)");
        yard.book(template, because);
        return None;
    }
    let reason = yard.closed[template].as_deref().unwrap_or("it cannot be made");
    Some(format!("jenkins.bootstrap: no server of \"{name}\": {reason}"))
}

fn because(survey: &Survey<'_>, demand: &Demand<'_>, item: &Item) -> String {
    let waiting = &demand.queue[item.place];
    let age = span(survey.observed.jenkins.age(waiting, survey.context.now));
    let what = match wish_text(&demand.wishes[item.wish]) {
        Some(label) => format!("for {}", shown(&label)),
        None if demand.wishes[item.wish].is_hidden() => "for a node".to_owned(),
        None => "for any node".to_owned(),
    };
    format!(
        "queue item {} ({}) has waited {age} {what}",
        waiting.id,
        shown(&waiting.task)
    )
}

/// What is counted against the limits, with what this plan adds to it.
struct Yard<'s, 'a> {
    survey: &'s Survey<'a>,
    creates: Vec<Create>,
    closed: Vec<Option<String>>,
    /// Where the next server of a template goes, found by `open`.
    next: Vec<Option<(usize, Option<Offer>)>>,
    ids: Ids,
    all: u32,
    booting: u32,
    of_template: Vec<u32>,
    booting_of: Vec<u32>,
    at_provider: BTreeMap<&'s str, u32>,
    booting_at: BTreeMap<&'s str, u32>,
    booting_in: BTreeMap<(&'s str, Option<&'s Zone>), u32>,
    booting_of_at: BTreeMap<(usize, &'s str), u32>,
    booting_image: BTreeMap<(usize, &'s str, String), u32>,
    room: BTreeMap<&'s str, Room>,
    /// Ports that stand for a server of this plan.
    ports: BTreeSet<(&'s str, String)>,
}

impl<'s, 'a> Yard<'s, 'a> {
    fn new(survey: &'s Survey<'a>) -> Self {
        let templates = survey.config.templates.len();
        let mut yard = Self {
            survey,
            creates: Vec::new(),
            closed: vec![None; templates],
            next: vec![None; templates],
            ids: Ids::new(&survey.context.pass),
            all: 0,
            booting: 0,
            of_template: vec![0; templates],
            booting_of: vec![0; templates],
            at_provider: BTreeMap::new(),
            booting_at: BTreeMap::new(),
            booting_in: BTreeMap::new(),
            booting_of_at: BTreeMap::new(),
            booting_image: BTreeMap::new(),
            room: BTreeMap::new(),
            ports: BTreeSet::new(),
        };
        for unit in &survey.units {
            // What another program made proves nothing of our templates and places: it is neither canary nor probe.
            let boots = unit.standing.is_booting();
            let booting = boots && !unit.adopted;
            let zone = if booting { unit.zone_asked(survey.config) } else { None };
            yard.count(unit.kind, unit.provider, zone, booting);
            yard.booting += u32::from(boots && unit.adopted);
            if let (true, Some(kind), Some(image)) = (booting, unit.kind, unit.image()) {
                yard.count_image(kind, unit.provider, image);
            }
        }
        for (provider, reading) in &survey.observed.clouds {
            if let Reading::Read(CloudView {
                offers: Some(Reading::Read(offers)),
                ..
            }) = reading
            {
                yard.room.insert(provider.as_str(), offers.room.clone());
            }
        }
        yard
    }

    fn count(&mut self, kind: Option<usize>, provider: &'s ProviderName, zone: Option<&'s Zone>, booting: bool) {
        let provider = provider.as_str();
        self.all += 1;
        *self.at_provider.entry(provider).or_default() += 1;
        if let Some(kind) = kind {
            self.of_template[kind] += 1;
        }
        if booting {
            self.booting += 1;
            *self.booting_at.entry(provider).or_default() += 1;
            *self.booting_in.entry((provider, zone)).or_default() += 1;
            if let Some(kind) = kind {
                self.booting_of[kind] += 1;
                *self.booting_of_at.entry((kind, provider)).or_default() += 1;
            }
        }
    }

    fn count_image(&mut self, kind: usize, provider: &'s ProviderName, image: &str) {
        let key = (kind, provider.as_str(), image.to_owned());
        *self.booting_image.entry(key).or_default() += 1;
    }

    /// Returns the slots that one more server of a template brings, if one can be made. What is closed once stays so:
    /// everything counted here only grows.
    fn open(&mut self, kind: usize) -> Option<u32> {
        if self.closed[kind].is_some() {
            return None;
        }
        match self.find(kind) {
            Ok(place) => {
                self.next[kind] = Some(place);
                Some(self.survey.config.templates[kind].executors)
            }
            Err(reason) => {
                self.closed[kind] = Some(reason);
                None
            }
        }
    }

    fn find(&self, kind: usize) -> Result<(usize, Option<Offer>), String> {
        let template = &self.survey.config.templates[kind];
        self.template_is_open(kind, template)?;
        let place = self.first_place(kind, template)?;
        self.pass_is_open()?;
        Ok(place)
    }

    fn template_is_open(&self, kind: usize, template: &Template) -> Result<(), String> {
        let name = &template.name;
        if self.survey.is_quieting() {
            return Err("Jenkins is quieting down: nothing is created".to_owned());
        }
        if !self.survey.context.create {
            return Err("this command creates nothing".to_owned());
        }
        if self.of_template[kind] >= template.max {
            return Err(format!(
                "template \"{name}\" is at its max of {}",
                servers(template.max)
            ));
        }
        if let Some(reason) = refused::closes(self.survey, template, self.coming_by_ssh()) {
            return Err(reason);
        }
        self.passes(&BackoffKey::Template(name.clone()), self.booting_of[kind])?;
        let canary = self.survey.config.limits.canary;
        let proved = self.survey.state.proved.get(name) == Some(&template.digest);
        if canary > 0 && !proved && self.booting_of[kind] >= canary {
            return Err(format!("canary: waiting for the first server of \"{name}\" to join"));
        }
        Ok(())
    }

    /// Counts the servers on their way to which Jenkins is to connect.
    fn coming_by_ssh(&self) -> u32 {
        let templates = self.survey.config.templates.iter().zip(&self.booting_of);
        let by_ssh = templates.filter(|(template, _)| template.register == Register::Ssh);
        by_ssh.map(|(_, booting)| booting).sum()
    }

    fn first_place(&self, kind: usize, template: &Template) -> Result<(usize, Option<Offer>), String> {
        let mut reasons: Vec<String> = Vec::new();
        for (place, placement) in template.placements.iter().enumerate() {
            match self.fits(kind, template, placement) {
                Ok(offer) => return Ok((place, offer)),
                Err(reason) if reasons.contains(&reason) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        if reasons.is_empty() {
            reasons.push(format!("template \"{}\" has no provider", template.name));
        }
        Err(reasons.join("; "))
    }

    fn fits(&self, kind: usize, template: &Template, placement: &Placement) -> Result<Option<Offer>, String> {
        let name = placement.provider.as_str();
        let cloud = match self.survey.observed.clouds.get(name) {
            Some(Reading::Read(cloud)) => cloud,
            Some(Reading::Unreadable(why)) => return Err(format!("provider {name} cannot be read: {}", shown(why))),
            None => return Err(format!("provider {name} was not read")),
        };
        let count = |map: &BTreeMap<&str, u32>| map.get(name).copied().unwrap_or(0);
        let most = self
            .survey
            .config
            .providers
            .get(name)
            .and_then(|provider| provider.max_servers);
        if let Some(most) = most.filter(|most| count(&self.at_provider) >= *most) {
            return Err(format!("provider {name} is at its max of {}", servers(most)));
        }
        self.passes(
            &BackoffKey::Provider(placement.provider.clone()),
            count(&self.booting_at),
        )?;
        let here = self.booting_of_at.get(&(kind, name)).copied().unwrap_or(0);
        self.passes(
            &BackoffKey::TemplateAt(template.name.clone(), placement.provider.clone()),
            here,
        )?;
        if template.spec.floating_ip_pool.is_some() {
            // Nobody would reach a server that gets no floating IP.
            self.passes(
                &BackoffKey::FloatingIp(template.name.clone(), placement.provider.clone()),
                here,
            )?;
        }
        let here = self
            .booting_in
            .get(&(name, placement.zone.as_ref()))
            .copied()
            .unwrap_or(0);
        self.passes(
            &BackoffKey::Placement(placement.provider.clone(), placement.zone.clone()),
            here,
        )?;
        let offers = match &cloud.offers {
            None => return Ok(None),
            Some(Reading::Unreadable(why)) => return Err(format!("provider {name} cannot be read: {}", shown(why))),
            Some(Reading::Read(offers)) => offers,
        };
        let offer = match offers.templates.get(&template.name) {
            Some(Ok(offer)) => Some(offer),
            Some(Err(unavailable)) => return Err(format!("{name}: {}", shown(&unavailable.reason))),
            None => None,
        };
        if let Some(lack) = self.room.get(name).and_then(|room| lacking(room, offer)) {
            return Err(format!("{name}: {lack}"));
        }
        let Some(offer) = offer else { return Ok(None) };
        let image = self.image(kind, template, &placement.provider, offer)?;
        let free = |port: &str| !self.ports.contains(&(name, port.to_owned()));
        let ports = ports(&offer.ports, free)
            .ok_or_else(|| format!("{name}: needs a port, 0 left: every one of `ports` is in use"))?;
        Ok(Some(Offer {
            image,
            ports,
            ..offer.clone()
        }))
    }

    /// Chooses the image of the next server. A burst of servers of one that nobody has seen work is held back.
    fn image(&self, kind: usize, template: &Template, at: &ProviderName, offer: &Offer) -> Result<String, String> {
        // A cloud of type exec resolves no image: what it lists is its own word, which proves none.
        if offer.image.is_empty() {
            return Ok(String::new());
        }
        let booting = |image: &str| {
            let key = (kind, at.as_str(), image.to_owned());
            self.booting_image.get(&key).copied().unwrap_or(0)
        };
        let chooser = Chooser::new(self.survey, template, at);
        let candidates = images::candidates(template, offer);
        let image = chooser.choose(&candidates, booting).unwrap_or(&offer.image);
        let canary = self.survey.config.limits.canary;
        if canary > 0 && chooser.is_unproved(image) && booting(image) >= canary {
            let name = &template.name;
            return Err(format!(
                "canary: waiting for the first server of image {} of \"{name}\" at {at} to join",
                shown(image)
            ));
        }
        Ok(image.to_owned())
    }

    fn pass_is_open(&self) -> Result<(), String> {
        let limits = &self.survey.config.limits;
        if let Some(most) = limits.max_servers.filter(|most| self.all >= *most) {
            return Err(format!(
                "the fleet is at its max of {} (limits.max_servers)",
                servers(most)
            ));
        }
        if limits.max_creates_per_pass == 0 {
            return Err("limits.max_creates_per_pass is 0: nothing is created".to_owned());
        }
        if self.booting >= limits.max_booting {
            return Err(format!(
                "{} are booting, the most at a time (limits.max_booting)",
                servers(self.booting)
            ));
        }
        let most = limits.max_creates_per_pass;
        let made = u32::try_from(self.creates.len()).unwrap_or(u32::MAX);
        if made.saturating_add(self.survey.context.created) >= most {
            return Err(format!(
                "{most} creates are the most for one pass; the rest goes in the next passes"
            ));
        }
        Ok(())
    }

    /// Asks a back-off key, with how many servers boot under it.
    fn passes(&self, key: &BackoffKey, booting: u32) -> Result<(), String> {
        match gate(&self.survey.state, key, self.survey.context.now) {
            Gate::Open => Ok(()),
            Gate::Probe if booting == 0 => Ok(()),
            Gate::Probe => Err(format!(
                "{key}: after its failures one server at a time, until one has joined"
            )),
            Gate::Closed(why) => Err(shown(&why)),
        }
    }

    /// Books the server that `open` found a place for.
    fn book(&mut self, kind: usize, because: String) {
        let Some((place, offer)) = self.next[kind].take() else {
            return;
        };
        let template = &self.survey.config.templates[kind];
        let placement = &template.placements[place];
        let state = &self.survey.state;
        // Every node that is seen or begun stands in the memory after looking.
        let id = self
            .ids
            .next(|id| state.nodes.contains_key(id) || state.intents.contains_key(id));
        if let Some(room) = self.room.get_mut(placement.provider.as_str()) {
            take(room, offer.as_ref());
        }
        self.count(Some(kind), &placement.provider, placement.zone.as_ref(), true);
        if let Some(offer) = &offer {
            self.count_image(kind, &placement.provider, &offer.image);
            let at = placement.provider.as_str();
            self.ports.extend(ports_of(offer).map(|port| (at, port.to_owned())));
        }
        self.creates.push(Create {
            name: server_name(&template.name, &id),
            id,
            template: template.name.clone(),
            provider: placement.provider.clone(),
            zone: placement.zone.clone(),
            offer,
            node_first: template.register == Register::Inbound,
            retry: false,
            because,
        });
    }
}

fn servers(count: u32) -> String {
    if count == 1 {
        "1 server".to_owned()
    } else {
        format!("{count} servers")
    }
}
