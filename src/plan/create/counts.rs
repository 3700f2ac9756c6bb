//! How many servers there are of ours, in all, of each template and at each placement, and how many of them boot.

use std::collections::BTreeMap;

use crate::config::Placement;
use crate::model::{Offer, ProviderName, Zone};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::TemplateIndex;

/// Counts of the servers that there are and of those that a plan makes. They only grow.
pub struct Counts<'s> {
    /// All servers.
    pub all: u32,
    /// Those that the plan makes.
    pub made: u32,
    /// Those that boot.
    pub booting: u32,
    /// By template.
    pub of_template: Vec<u32>,
    /// Those that boot, by template.
    pub booting_of: Vec<u32>,
    /// By provider.
    pub at_provider: BTreeMap<&'s str, u32>,
    /// Those that boot, by provider.
    pub booting_at: BTreeMap<&'s str, u32>,
    /// Those that boot, by placement.
    pub booting_in: BTreeMap<(&'s str, Option<&'s Zone>), u32>,
    /// Those that boot, by template and provider.
    pub booting_of_at: BTreeMap<(TemplateIndex, &'s str), u32>,
    /// Those that boot, by template and placement.
    pub booting_of_in: BTreeMap<(TemplateIndex, &'s str, Option<&'s Zone>), u32>,
    /// Those that boot, by template, provider and image.
    pub booting_image: BTreeMap<(TemplateIndex, &'s str, String), u32>,
}

impl<'s> Counts<'s> {
    /// Counts the servers that there are.
    pub fn new(fleet: &'s Fleet<'_>) -> Self {
        let templates = fleet.config.templates.len();
        let mut counts = Self {
            all: 0,
            made: 0,
            booting: 0,
            of_template: vec![0; templates],
            booting_of: vec![0; templates],
            at_provider: BTreeMap::new(),
            booting_at: BTreeMap::new(),
            booting_in: BTreeMap::new(),
            booting_of_at: BTreeMap::new(),
            booting_of_in: BTreeMap::new(),
            booting_image: BTreeMap::new(),
        };
        for agent in &fleet.agents {
            // Servers of other programs are neither canaries nor probes.
            let boots = agent.state.is_booting();
            let booting = boots && !agent.adopted;
            let zone = if booting { agent.zone_asked(fleet.config) } else { None };
            counts.add(agent.template_index, agent.provider, zone, booting);
            counts.booting += u32::from(boots && agent.adopted);
            if let (true, Some(index), Some(image)) = (booting, agent.template_index, agent.image()) {
                counts.add_image(index, agent.provider, image);
            }
        }
        counts
    }

    /// Adds a server that the plan makes.
    pub fn add_new(&mut self, index: TemplateIndex, placement: &'s Placement, offer: Option<&Offer>) {
        self.made += 1;
        self.add(Some(index), &placement.provider, placement.zone.as_ref(), true);
        if let Some(offer) = offer {
            self.add_image(index, &placement.provider, &offer.image);
        }
    }

    fn add(&mut self, index: Option<TemplateIndex>, provider: &'s ProviderName, zone: Option<&'s Zone>, booting: bool) {
        let provider = provider.as_str();
        self.all += 1;
        *self.at_provider.entry(provider).or_default() += 1;
        if let Some(index) = index {
            self.of_template[index] += 1;
        }
        if !booting {
            return;
        }
        self.booting += 1;
        *self.booting_at.entry(provider).or_default() += 1;
        *self.booting_in.entry((provider, zone)).or_default() += 1;
        if let Some(index) = index {
            self.booting_of[index] += 1;
            *self.booting_of_at.entry((index, provider)).or_default() += 1;
            *self.booting_of_in.entry((index, provider, zone)).or_default() += 1;
        }
    }

    fn add_image(&mut self, index: TemplateIndex, provider: &'s ProviderName, image: &str) {
        let key = (index, provider.as_str(), image.to_owned());
        *self.booting_image.entry(key).or_default() += 1;
    }
}
