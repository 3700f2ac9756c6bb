//! The configuration of a simulated world.

use mita::config::{Adopt, Config, LearnedReady, MinReady};
use mita::model::{ProviderName, TemplateName};

use super::faults::Faults;
use super::replaced::replace;
use super::rules::warm;
use crate::random::Random;
use crate::world::{config, mins, place, provider, secs, template};

/// A template whose creates all fail at one cloud.
pub(super) struct Broken {
    pub template: TemplateName,
    pub provider: ProviderName,
    pub how: Refusal,
}

/// How they fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The cloud refuses: no host has room for its flavor.
    Capacity,
    /// The cloud refuses: its flavor or its volumes exceed a quota.
    Quota,
    /// A 5xx; no server is made.
    ServerError,
    /// The cloud accepts, and the server goes to ERROR.
    NoHost,
}

/// How many servers a limit allows that two templates share.
pub(super) const SHARED: u32 = 8;

/// The template for which bursts come, and a label that no other has.
pub(super) const BURSTY: (usize, &str) = (3, "windows");

/// The label that a template promises and that its nodes never register, with the place of the template.
pub(super) const DRIFT: (usize, &str) = (1, "big");

pub(super) fn some_config(random: &mut Random, faults: Faults) -> Config {
    let sets: [&[&str]; 4] = [&["linux"], &["linux", "big"], &["arm"], &["windows", "big"]];
    let mut templates = Vec::new();
    for (number, labels) in sets.into_iter().enumerate() {
        let mut template = template(&format!("t{number}"), labels);
        // Where another controller has servers here, a name alone does not say that one is ours.
        template.adopt = match faults {
            Faults {
                other_controller: true, ..
            } => Adopt::Yes,
            Faults { adopt: true, .. } => Adopt::All,
            _ => Adopt::No,
        };
        if faults.max_builds {
            template.max_builds = random.chance(70).then(|| 1 + u32::try_from(random.roll(3)).unwrap());
        }
        template.executors = 1 + u32::try_from(random.roll(3)).unwrap();
        template.max = u32::try_from(1 + random.roll(6)).unwrap();
        template.priority = random.below(3);
        template.idle_grace = mins(1 + random.below(15));
        if random.chance(30) {
            template.min_ready = MinReady::Always(u32::try_from(random.roll(3)).unwrap().min(template.max));
        }
        let places = [
            place("openstack", None),
            place("spare", Some("a")),
            place("spare", Some("b")),
        ];
        template.placements = places.into_iter().filter(|_| random.chance(70)).collect();
        if template.placements.is_empty() {
            template.placements.push(place("openstack", None));
        }
        if number % 2 == 1 {
            template.spec.floating_ip_pool = Some("public".to_owned());
        }
        templates.push(template);
    }
    let mut config = config(templates);
    config.providers = [provider("openstack"), provider("spare")].into();
    if random.chance(30) {
        config.providers.values_mut().for_each(|p| p.max_servers = Some(4));
    }
    config.limits.max_servers = random.chance(50).then(|| u32::try_from(8 + random.roll(8)).unwrap());
    keep_pools_small(&mut config);
    // Limits per pass only delay: where a second pass is to make nothing they are off.
    let calm = faults.none() || faults.is_roomy();
    config.limits.max_creates_per_pass = if calm { 1000 } else { 5 };
    config.limits.max_deletes_per_pass = if calm { 1000 } else { 4 };
    config.limits.max_booting = if calm { 1000 } else { 10 };
    config.limits.canary = if calm || random.chance(50) { 0 } else { 2 };
    if faults.broken_image {
        config.limits.canary = 1 + u32::try_from(random.roll(2)).unwrap();
    }
    if !calm && random.chance(20) {
        config.templates[1].max_lifetime = Some(mins(45));
    }
    if faults.is_roomy() {
        make_roomy(&mut config);
    }
    if faults.clock_ahead != 0 {
        config.timing.queue_grace = secs(60);
    }
    if faults.drift {
        // The template that drifts is the first choice for what it promises.
        config.templates[DRIFT.0].priority = -1;
    }
    if faults.refresh {
        replace(&mut config, random);
    }
    if faults.shared_limit {
        share(&mut config, random);
    }
    if faults.light_load {
        lighten(&mut config, random);
    }
    if faults.billed {
        bill(&mut config, random);
    }
    if faults.learned {
        learn(&mut config, random);
    }
    config
}

/// Lets one template have many nodes, which no limit keeps from coming.
fn lighten(config: &mut Config, random: &mut Random) {
    config.limits.max_servers = None;
    config
        .providers
        .values_mut()
        .for_each(|provider| provider.max_servers = None);
    let template = &mut config.templates[0];
    template.max = 30;
    template.priority = -1;
    template.idle_grace = mins(5 + random.below(10));
    if random.chance(50) {
        config.timing.min_lifetime = mins(random.below(30));
    }
}

/// Lets most templates be billed by an hour, by a few minutes, or by less than a pass.
fn bill(config: &mut Config, random: &mut Random) {
    for template in &mut config.templates {
        let period = random.pick(&[secs(45), mins(7), mins(20), mins(60)]);
        template.billing_period = random.chance(80).then_some(period);
    }
}

/// Lets the templates learn how many nodes are ready; one has room for bursts.
fn learn(config: &mut Config, random: &mut Random) {
    for template in &mut config.templates {
        let auto = random
            .chance(70)
            .then(|| random.pick(&[mins(2), mins(40), mins(40), mins(240)]));
        template.min_ready = MinReady::Learned(LearnedReady {
            auto,
            rhythm: auto.is_none() || random.chance(50),
            windows: Vec::new(),
        });
    }
    let bursty = &mut config.templates[BURSTY.0];
    (bursty.max, bursty.executors) = (12, 1);
}

/// Leaves room beside the warm pools where templates share a limit: what a pool needs, no item gets.
fn keep_pools_small(config: &mut Config) {
    if config.limits.max_servers.is_none() && config.providers.values().all(|p| p.max_servers.is_none()) {
        return;
    }
    let mut left = 2;
    for template in &mut config.templates {
        let ready = warm(&template.min_ready).min(left);
        left -= ready;
        template.min_ready = MinReady::Always(ready);
    }
}

/// Takes every limit away.
fn make_roomy(config: &mut Config) {
    config.limits.max_servers = None;
    for provider in config.providers.values_mut() {
        provider.max_servers = None;
    }
    for template in &mut config.templates {
        template.max = 500;
        template.min_ready = MinReady::Always(0);
    }
}

/// Leaves two templates, which share one limit: that of the fleet, of the provider, or the quota of the cloud.
fn share(config: &mut Config, random: &mut Random) {
    config.templates.remove(3);
    config.templates.remove(1);
    for template in &mut config.templates {
        template.placements = vec![place("openstack", None)];
        template.executors = 1;
        template.idle_grace = mins(15);
    }
    match random.roll(3) {
        0 => config.limits.max_servers = Some(SHARED),
        1 => config.providers.values_mut().for_each(|p| p.max_servers = Some(SHARED)),
        _ => {}
    }
}

/// Chooses which template fails, where and how. Whatever else its items can be served by stands at the same place.
pub(super) fn break_template(config: &mut Config, random: &mut Random) -> Broken {
    for template in &mut config.templates {
        template.placements = vec![place("openstack", None)];
    }
    let last = config.templates.last_mut().unwrap();
    if random.chance(50) {
        last.placements.push(place("spare", Some("a")));
    }
    last.priority = -1;
    Broken {
        template: last.name.clone(),
        provider: "openstack".into(),
        how: random.pick(&[Refusal::Capacity, Refusal::Quota, Refusal::ServerError, Refusal::NoHost]),
    }
}
