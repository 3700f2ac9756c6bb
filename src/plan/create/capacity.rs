//! Counts servers against the limits, with what a plan adds: whether one more server of a template can be made, and where.
//!
//! `grow` decides what for, `turns` whose turn a probe is.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Placement, Register, Template};
use crate::model::{CloudView, Headroom, MadeFor, Offer, ProviderName, Reading, server_name};
use crate::plan::action::Create;
use crate::plan::create::backoff::{Gate, gate, order};
use crate::plan::create::closed::{Cause, Closed, Limit};
use crate::plan::create::counts::Counts;
use crate::plan::create::headroom::{lacking, ports, ports_of, take};
use crate::plan::create::ids::Ids;
use crate::plan::create::images;
use crate::plan::create::images::Chooser;
use crate::plan::create::turns::{Granted, Turn};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::TemplateIndex;
use crate::plan::refusals;
use crate::state::BackoffKey;
use crate::text::{are, excerpt, plural, shown};

/// The most characters of why something is held back: a key, a time, and what a cloud said.
const LONGEST_REASON: usize = 400;

/// What is counted against the limits, with what this plan adds to it.
pub struct Capacity<'s, 'a> {
    /// What the pass knows.
    pub fleet: &'s Fleet<'a>,
    /// The servers of this plan, in order.
    pub creates: Vec<Create>,
    /// For each template why nothing more can be made of it; `None` as long as it can.
    pub closed: Vec<Option<Closed>>,
    /// The probes that were wanted and not granted.
    pub turns: Vec<Turn>,
    /// Whether a limit that several templates share refused a server.
    pub at_shared_limit: bool,
    granted: Granted,
    /// Whether limits that several templates share are left out, to see what they alone keep from being made.
    without_shared_limits: bool,
    /// Whether it is asked for servers that a later pass makes, so that this command need not create.
    for_later: bool,
    /// Where the next server of a template goes, found by `open`.
    next: Vec<Option<(usize, Option<Offer>)>>,
    ids: Ids,
    counts: Counts<'s>,
    room: BTreeMap<&'s str, Headroom>,
    /// Ports that stand for a server of this plan.
    ports: BTreeSet<(&'s str, String)>,
}

impl<'s, 'a> Capacity<'s, 'a> {
    /// Counts what there is.
    pub fn new(fleet: &'s Fleet<'a>, granted: Granted) -> Self {
        let templates = fleet.config.templates.len();
        let mut capacity = Self {
            fleet,
            creates: Vec::new(),
            closed: vec![None; templates],
            turns: Vec::new(),
            at_shared_limit: false,
            granted,
            without_shared_limits: false,
            for_later: false,
            next: vec![None; templates],
            ids: Ids::new(&fleet.context.pass),
            counts: Counts::new(fleet),
            room: BTreeMap::new(),
            ports: BTreeSet::new(),
        };
        for (provider, reading) in &fleet.observed.clouds {
            if let Reading::Read(CloudView {
                offers: Some(Reading::Read(offers)),
                ..
            }) = reading
            {
                capacity.room.insert(provider.as_str(), offers.room.clone());
            }
        }
        capacity
    }

    /// Counts a server that this plan makes.
    pub fn count_new(&mut self, index: TemplateIndex, placement: &'s Placement, offer: Option<&Offer>) {
        if let Some(room) = self.room.get_mut(placement.provider.as_str()) {
            take(room, offer);
        }
        self.counts.add_new(index, placement, offer);
        if let Some(offer) = offer {
            let at = placement.provider.as_str();
            self.ports.extend(ports_of(offer).map(|port| (at, port.to_owned())));
        }
    }

    /// Returns the slots that one more server of a template brings, if one can be made. What is closed once stays so:
    /// everything counted here only grows.
    pub fn open(&mut self, index: TemplateIndex) -> Option<u32> {
        if self.closed[index].is_some() {
            return None;
        }
        match self.find(index) {
            Ok(place) => {
                self.next[index] = Some(place);
                Some(self.fleet.config.templates[index].executors)
            }
            Err(reason) => {
                self.closed[index] = Some(reason);
                None
            }
        }
    }

    fn find(&mut self, index: TemplateIndex) -> Result<(usize, Option<Offer>), Closed> {
        let template = &self.fleet.config.templates[index];
        self.template_is_open(index, template)?;
        let pass = self.pass_is_open();
        let place = self.first_place(index, template, pass.is_ok())?;
        pass?;
        Ok(place)
    }

    fn template_is_open(&self, index: TemplateIndex, template: &Template) -> Result<(), Closed> {
        let name = &template.name;
        if self.fleet.is_quieting() {
            return Err(Closed::new(
                Cause::NotNow,
                "Jenkins is quieting down: nothing is created",
            ));
        }
        if !self.fleet.context.create && !self.for_later {
            return Err(Closed::new(Cause::NotNow, "this command creates nothing"));
        }
        if let Some(reason) = self.fleet.observed.pauses.of_template(name, self.fleet.context.now) {
            return Err(Closed::new(Cause::Paused, reason));
        }
        if self.counts.of_template[index] >= template.max {
            let text = format!("template \"{name}\" is at its max of {}", most(template.max));
            return Err(Closed::new(Cause::Maximum(Limit::Template(name.clone())), text));
        }
        if let Some(reason) = refusals::closes(self.fleet, template, self.coming_by_ssh()) {
            return Err(Closed::new(Cause::NoNode, reason));
        }
        self.passes(&BackoffKey::Template(name.clone()), self.counts.booting_of[index])?;
        let canary = self.fleet.config.limits.canary;
        let proved = self.fleet.state.proved.get(name) == Some(&template.digest);
        if canary > 0 && !proved && self.counts.booting_of[index] >= canary {
            let text = format!("canary: waiting for the first server of \"{name}\" to join");
            return Err(Closed::new(Cause::Canary, text));
        }
        Ok(())
    }

    /// Counts the servers on their way to which Jenkins is to connect.
    fn coming_by_ssh(&self) -> u32 {
        let templates = self.fleet.config.templates.iter().zip(&self.counts.booting_of);
        let by_ssh = templates.filter(|(template, _)| template.register == Register::Ssh);
        by_ssh.map(|(_, booting)| booting).sum()
    }

    /// Counts what a plan makes, and leaves out from now on what several templates share: then `places` tells what
    /// these limits alone keep from being made.
    pub fn without_shared_limits(mut self, creates: &[Create]) -> Self {
        self.without_shared_limits = true;
        self.count_creates(creates);
        self
    }

    /// Counts what a plan makes: then `first_open` tells whether a later pass could make more.
    pub fn for_later(mut self, creates: &[Create]) -> Self {
        self.for_later = true;
        self.count_creates(creates);
        self
    }

    /// Returns where the next server of a template could be made, or why none can.
    pub fn first_open(&mut self, index: TemplateIndex) -> Result<&'s Placement, Closed> {
        let (place, _) = self.find(index)?;
        Ok(&self.fleet.config.templates[index].placements[place])
    }

    fn count_creates(&mut self, creates: &[Create]) {
        let templates = &self.fleet.config.templates;
        for create in creates {
            let Some(index) = templates.iter().position(|template| template.name == create.template) else {
                continue;
            };
            let mut places = templates[index].placements.iter();
            if let Some(place) = places.find(|place| place.provider == create.provider && place.zone == create.zone) {
                self.count_new(index, place, create.offer.as_ref());
            }
        }
    }

    /// Returns the placements where a server of a template could be made, with what it would get there.
    pub fn places(&mut self, index: TemplateIndex) -> Vec<(&'s Placement, Option<Offer>)> {
        let template = &self.fleet.config.templates[index];
        if self.template_is_open(index, template).is_err() || self.pass_is_open().is_err() {
            return Vec::new();
        }
        let places = order(&self.fleet.state, template).into_iter();
        let fit = |(_, place)| Some((place, self.fits(index, template, place).ok()?.offer));
        places.filter_map(fit).collect()
    }

    fn first_place(
        &mut self,
        index: TemplateIndex,
        template: &Template,
        may_probe: bool,
    ) -> Result<(usize, Option<Offer>), Closed> {
        let mut reasons: Vec<Closed> = Vec::new();
        for (place, placement) in order(&self.fleet.state, template) {
            let reason = match self.fits(index, template, placement) {
                Ok(fit) if fit.probes.is_empty() || self.granted.contains(&(index, place)) => {
                    return Ok((place, fit.offer));
                }
                Ok(fit) => {
                    let reason = turn_of_another(&fit.probes);
                    let keys = fit.probes;
                    self.turns.extend(may_probe.then_some(Turn { index, place, keys }));
                    reason
                }
                Err(reason) => reason,
            };
            reasons.push(reason);
        }
        if reasons.is_empty() {
            let text = format!("template \"{}\" has no provider", template.name);
            reasons.push(Closed::new(Cause::NotNow, text));
        }
        Err(Closed::all(reasons))
    }

    fn fits(&mut self, index: TemplateIndex, template: &Template, placement: &Placement) -> Result<Fit, Closed> {
        let name = placement.provider.as_str();
        let unreadable = |why: &str| {
            let text = format!("provider {name} cannot be read: {}", shown(why));
            Closed::new(Cause::Unreadable(placement.provider.clone()), text)
        };
        let cloud = match self.fleet.observed.clouds.get(name) {
            Some(Reading::Read(cloud)) => cloud,
            Some(Reading::Unreadable(why)) => return Err(unreadable(why)),
            None => {
                let cause = Cause::Unreadable(placement.provider.clone());
                return Err(Closed::new(cause, format!("provider {name} was not read")));
            }
        };
        let (pauses, now) = (&self.fleet.observed.pauses, self.fleet.context.now);
        if let Some(reason) = pauses.at(&template.name, &placement.provider, now) {
            return Err(Closed::new(Cause::Paused, reason));
        }
        // What the look-up of one template did not find closes that template here, and no other. It is said before what passes
        // by itself.
        if let Some(Reading::Read(offers)) = &cloud.offers
            && let Some(Err(unavailable)) = offers.templates.get(&template.name)
        {
            let text = format!("{name}: {}", shown(&unavailable.reason));
            return Err(Closed::new(Cause::NotOffered(placement.provider.clone()), text));
        }
        self.shared(|capacity| capacity.provider_maximum(&placement.provider))?;
        let probes = self.back_offs(index, template, placement)?;
        let offers = match &cloud.offers {
            None => return Ok(Fit { offer: None, probes }),
            Some(Reading::Unreadable(why)) => return Err(unreadable(why)),
            Some(Reading::Read(offers)) => offers,
        };
        let offer = offers
            .templates
            .get(&template.name)
            .and_then(|offer| offer.as_ref().ok());
        self.shared(|capacity| {
            let lack = capacity.room.get(name).and_then(|room| lacking(room, offer))?;
            let cause = Cause::Quota(placement.provider.clone());
            Some(Closed::new(cause, format!("{name}: {lack}")))
        })?;
        let Some(offer) = offer else {
            return Ok(Fit { offer: None, probes });
        };
        let image = self.image(index, template, &placement.provider, offer)?;
        let free = |port: &str| !self.ports.contains(&(name, port.to_owned()));
        let ports = ports(&offer.ports, free).ok_or_else(|| {
            let text = format!("{name}: needs a port, 0 left: every one of `ports` is in use");
            Closed::new(Cause::Quota(placement.provider.clone()), text)
        })?;
        let offer = Offer {
            image,
            ports,
            ..offer.clone()
        };
        Ok(Fit {
            offer: Some(offer),
            probes,
        })
    }

    /// Asks a limit that several templates share.
    fn shared(&mut self, limit: impl FnOnce(&Self) -> Option<Closed>) -> Result<(), Closed> {
        if self.without_shared_limits {
            return Ok(());
        }
        let reason = limit(self);
        self.at_shared_limit |= reason.is_some();
        reason.map_or(Ok(()), Err)
    }

    /// Returns how many servers more a limit of the fleet, and one of a provider, lets be there; less than none where
    /// there are too many already.
    pub fn left(&self, provider: &str) -> (Option<i64>, Option<i64>) {
        let here = self.counts.at_provider.get(provider).copied().unwrap_or(0);
        let entry = self.fleet.config.providers.get(provider);
        let most = entry.and_then(|provider| provider.max_servers);
        let most_in_all = self.fleet.config.limits.max_servers;
        let left = |most: Option<u32>, count: u32| most.map(|most| i64::from(most) - i64::from(count));
        (left(most_in_all, self.counts.all), left(most, here))
    }

    /// Returns what is left of the quota of a provider.
    pub fn room(&self, provider: &str) -> Headroom {
        self.room.get(provider).cloned().unwrap_or_default()
    }

    fn provider_maximum(&self, name: &ProviderName) -> Option<Closed> {
        let most = self.fleet.config.providers.get(name)?.max_servers?;
        let count = self.counts.at_provider.get(name.as_str()).copied().unwrap_or(0);
        (count >= most).then(|| {
            let text = format!("provider {name} is at its max of {}", self::most(most));
            Closed::new(Cause::Maximum(Limit::Provider(name.clone())), text)
        })
    }

    fn fleet_maximum(&self) -> Option<Closed> {
        let most = self.fleet.config.limits.max_servers?;
        (self.counts.all >= most).then(|| {
            let text = format!("the fleet is at its max of {} (limits.max_servers)", self::most(most));
            Closed::new(Cause::Maximum(Limit::Fleet), text)
        })
    }

    /// Asks the back-offs of a template at a placement; returns what a server there would probe for all templates.
    fn back_offs(
        &self,
        index: TemplateIndex,
        template: &Template,
        placement: &Placement,
    ) -> Result<Vec<BackoffKey>, Closed> {
        let Placement { provider, zone } = placement;
        let name = provider.as_str();
        let zone = zone.as_ref();
        let count = |count: Option<&u32>| count.copied().unwrap_or(0);
        let shared = [
            (
                BackoffKey::Provider(provider.clone()),
                count(self.counts.booting_at.get(name)),
            ),
            (
                BackoffKey::Placement(provider.clone(), zone.cloned()),
                count(self.counts.booting_in.get(&(name, zone))),
            ),
        ];
        let mut probes = Vec::new();
        for (key, booting) in shared {
            if self.passes(&key, booting)? == Gate::Probe {
                probes.push(key);
            }
        }
        let pair = BackoffKey::TemplateAt(template.name.clone(), provider.clone(), zone.cloned());
        self.passes(&pair, count(self.counts.booting_of_in.get(&(index, name, zone))))?;
        if template.spec.floating_ip_pool.is_some() {
            // Nobody would reach a server that gets no floating IP.
            let key = BackoffKey::FloatingIp(template.name.clone(), provider.clone());
            self.passes(&key, count(self.counts.booting_of_at.get(&(index, name))))?;
        }
        Ok(probes)
    }

    /// Chooses the image of the next server. A burst of servers of one that nobody has seen work is held back.
    fn image(
        &self,
        index: TemplateIndex,
        template: &Template,
        at: &ProviderName,
        offer: &Offer,
    ) -> Result<String, Closed> {
        // A cloud of type exec resolves no image: what it lists is its own word, which proves none.
        if offer.image.is_empty() {
            return Ok(String::new());
        }
        let booting = |image: &str| {
            let key = (index, at.as_str(), image.to_owned());
            self.counts.booting_image.get(&key).copied().unwrap_or(0)
        };
        let chooser = Chooser::new(self.fleet, template, at);
        let candidates = images::candidates(template, offer);
        let image = chooser.choose(&candidates, booting).unwrap_or(&offer.image);
        let canary = self.fleet.config.limits.canary;
        if canary > 0 && chooser.is_unproved(image) && booting(image) >= canary {
            let name = &template.name;
            let text = format!(
                "canary: waiting for the first server of image {} of \"{name}\" at {at} to join",
                shown(image)
            );
            return Err(Closed::new(Cause::Canary, text));
        }
        Ok(image.to_owned())
    }

    fn pass_is_open(&mut self) -> Result<(), Closed> {
        self.shared(Self::fleet_maximum)?;
        let limits = &self.fleet.config.limits;
        if limits.max_creates_per_pass == 0 {
            let text = "limits.max_creates_per_pass is 0: nothing is created";
            return Err(Closed::new(Cause::Maximum(Limit::NoCreates), text));
        }
        if self.counts.booting >= limits.max_booting {
            let booting = self.counts.booting;
            let text = format!(
                "{} {} booting, the most at a time (limits.max_booting)",
                plural(booting, "server"),
                are(booting)
            );
            return Err(Closed::new(Cause::Pace, text));
        }
        let most = limits.max_creates_per_pass;
        if self.counts.made.saturating_add(self.fleet.context.created) >= most {
            let text = format!(
                "{} {} the most for one pass; the rest goes in the next passes",
                plural(most, "create"),
                are(most)
            );
            return Err(Closed::new(Cause::Pace, text));
        }
        Ok(())
    }

    /// Asks a back-off key, with how many servers boot under it; returns whether it is open or half-open.
    fn passes(&self, key: &BackoffKey, booting: u32) -> Result<Gate, Closed> {
        let closed = |text| Closed::new(Cause::BackOff(key.clone()), text);
        match gate(&self.fleet.state, key, self.fleet.context.now) {
            Gate::Closed(why) => Err(closed(excerpt(&why, LONGEST_REASON))),
            Gate::Probe if booting > 0 => Err(closed(format!(
                "{key}: after its failures one server at a time, until one has joined"
            ))),
            gate => Ok(gate),
        }
    }

    /// Books the server that `open` found a place for.
    pub fn book(&mut self, index: TemplateIndex, made_for: MadeFor, because: String) {
        let Some((place, offer)) = self.next[index].take() else {
            return;
        };
        let template = &self.fleet.config.templates[index];
        let placement = &template.placements[place];
        let state = &self.fleet.state;
        // Every node that is seen or begun stands in the memory after looking.
        let id = self
            .ids
            .next(|id| state.nodes.contains_key(id) || state.intents.contains_key(id));
        self.count_new(index, placement, offer.as_ref());
        self.creates.push(Create {
            name: server_name(&template.name, &id),
            id,
            template: template.name.clone(),
            provider: placement.provider.clone(),
            zone: placement.zone.clone(),
            offer,
            node_first: template.register == Register::Inbound,
            retry: false,
            made_for,
            because,
        });
    }
}

/// A placement where a server fits.
struct Fit {
    offer: Option<Offer>,
    /// What it would probe for all templates.
    probes: Vec<BackoffKey>,
}

/// Writes a maximum of servers. One of none is a number that somebody set: it is shown as that.
fn most(servers: u32) -> String {
    match servers {
        0 => "0 servers".to_owned(),
        some => plural(some, "server"),
    }
}

/// Says that another template probes first.
fn turn_of_another(probes: &[BackoffKey]) -> Closed {
    let keys: Vec<String> = probes.iter().map(ToString::to_string).collect();
    let keys = keys.join(", ");
    Closed {
        text: format!("{keys}: after its failures one server at a time, and it is another template's turn"),
        causes: probes.iter().cloned().map(Cause::BackOff).collect(),
    }
}
