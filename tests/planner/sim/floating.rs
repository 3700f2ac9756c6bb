//! Floating IPs of the simulated world: made, given back, left behind by crashes and by servers that vanish.

use std::net::IpAddr;

use jiff::Timestamp;
use mita::model::{Address, Observed, ProviderName, Reading, Resource, ResourceKind, Resources, Server, ServerId};
use mita::plan::{Leftover, NewFloatingIp, Plan};

use super::cloud::{Machine, Maker};
use super::{Sim, secs};
use crate::facts;

/// One floating IP.
#[derive(Clone)]
pub struct FloatingIp {
    id: String,
    provider: ProviderName,
    owner: String,
    /// The name of the server that it was made for.
    server: String,
    /// The server that has it.
    user: Option<ServerId>,
    created: Timestamp,
    address: IpAddr,
    /// When Nova shows it.
    visible_at: Timestamp,
}

impl Sim {
    /// Adds floating IPs that are none of ours: they look as if they were left.
    pub(super) fn foreign_floating_ips(&mut self) {
        for provider in self.config.providers.keys() {
            self.floating_ips.push(FloatingIp {
                id: format!("foreign at {provider}"),
                provider: provider.clone(),
                owner: "somebody".to_owned(),
                server: "t0__00000000dead".to_owned(),
                user: None,
                created: self.now,
                address: "198.51.100.1".parse().unwrap(),
                visible_at: self.now,
            });
        }
    }

    /// Takes the floating IPs off servers that are gone.
    pub(super) fn unbind(&mut self) {
        for ip in &mut self.floating_ips {
            let there = |user: &ServerId| self.machines.iter().any(|machine| machine.server.id == *user);
            ip.user = ip.user.take().filter(there);
        }
    }

    /// Returns a server as Nova lists it.
    pub(super) fn with_floating_ip(&self, machine: &Machine) -> Server {
        let mut server = machine.server.clone();
        let own = |ip: &&FloatingIp| ip.user.as_ref() == Some(&server.id) && ip.visible_at <= self.now;
        if let Some(own) = self.floating_ips.iter().find(own) {
            server.addresses.push(Address {
                ip: own.address,
                floating: true,
            });
        }
        server
    }

    /// Lists what a plan asks for; returns whether it asks for anything.
    pub(super) fn tell(&mut self, plan: &Plan, observed: &mut Observed) -> bool {
        for (provider, kinds) in &plan.asks {
            let Some(Reading::Read(view)) = observed.clouds.get_mut(provider) else {
                continue;
            };
            let here = self.floating_ips.iter().filter(|ip| ip.provider == *provider);
            let all = here.map(|ip| Resource {
                in_use: ip.user.is_some(),
                server: ip.user.clone(),
                created: self.random.chance(80).then_some(ip.created),
                ..facts::resource(ResourceKind::FloatingIp, &ip.id, Some((&ip.owner, &ip.server)))
            });
            view.resources = Some(Reading::Read(Resources {
                kinds: kinds.clone(),
                all: all.collect(),
                ..Resources::default()
            }));
        }
        !plan.asks.is_empty()
    }

    /// I15: nothing is swept but what is ours and whose server is gone; no server gets a second one.
    pub(super) fn check_floating_ips(&self, plan: &Plan, observed: &Observed) -> Result<(), String> {
        for target in &plan.sweeps {
            let ip = self.floating_ips.iter().find(|ip| ip.id == target.id);
            let there = |ip: &FloatingIp| self.machines.iter().any(|machine| machine.server.name == ip.server);
            if !ip.is_some_and(|ip| ip.owner == self.config.owner && ip.user.is_none() && !there(ip)) {
                return Err(format!("I15: {} is swept: {}", target.id, target.because));
            }
            if observed.clouds[&target.provider].ok().is_none() {
                return Err("I8: a sweep at a closed cloud".to_owned());
            }
        }
        if plan.removals.len() + plan.sweeps.len() > self.config.limits.max_deletes_per_pass as usize {
            return Err("more removals and sweeps than a pass may make".to_owned());
        }
        let second = |wanted: &&NewFloatingIp| {
            let user = Some(&wanted.server_id);
            self.floating_ips.iter().any(|ip| ip.user.as_ref() == user)
        };
        match plan.floating_ips.iter().find(second) {
            Some(wanted) => Err(format!("I15: {} gets a second floating IP", wanted.server)),
            None => Ok(()),
        }
    }

    /// Removes and makes floating IPs; returns whether the pass lives on.
    pub(super) fn upkeep(&mut self, sweeps: &[Leftover], wanted: &[NewFloatingIp]) -> bool {
        for target in sweeps {
            if self.random.chance(self.faults.crash) {
                return false;
            }
            if !self.random.chance(self.faults.lie) {
                self.floating_ips.retain(|ip| ip.id != target.id);
            }
        }
        for wanted in wanted {
            if self.random.chance(self.faults.lie) {
                continue;
            }
            let lag = secs(i64::try_from(self.random.roll(1 + self.faults.lag.unsigned_abs())).unwrap());
            let number = self.next_floating_ip;
            let address = format!("198.{}.{}.{}", 52 + number / 62_500, number / 250 % 250, number % 250);
            self.floating_ips.push(FloatingIp {
                id: format!("ip {number:05}"),
                provider: wanted.provider.clone(),
                owner: self.config.owner.clone(),
                server: wanted.server.clone(),
                user: Some(wanted.server_id.clone()),
                created: self.now,
                address: address.parse().unwrap(),
                visible_at: self.now + lag,
            });
            self.next_floating_ip += 1;
            if self.random.chance(self.faults.crash) {
                return false;
            }
        }
        true
    }

    /// I16: what is left in the end belongs to a server, or is none of ours.
    pub(super) fn nothing_is_left(&self) -> Result<(), String> {
        let ours = self.floating_ips.iter().filter(|ip| ip.owner == self.config.owner);
        let mut left = ours.filter(|ip| ip.user.is_none());
        if let Some(ip) = left.next() {
            return Err(format!("I16: {} of {} was left behind", ip.id, ip.server));
        }
        let foreign = self.floating_ips.iter().filter(|ip| ip.owner != self.config.owner);
        if foreign.count() != self.config.providers.len() {
            return Err("I15: a foreign floating IP is gone".to_owned());
        }
        let lacks = |machine: &&Machine| {
            let template = self.config.templates.iter().find(|t| t.name == machine.template);
            let wants = template.is_some_and(|template| template.spec.floating_ip_pool.is_some());
            let user = Some(&machine.server.id);
            machine.maker == Maker::Us && wants && !self.floating_ips.iter().any(|ip| ip.user.as_ref() == user)
        };
        match self.machines.iter().find(lacks) {
            Some(machine) => Err(format!("I16: {} never got its floating IP", machine.server.name)),
            None => Ok(()),
        }
    }
}
