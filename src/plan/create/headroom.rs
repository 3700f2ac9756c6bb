//! Quota headroom: what a cloud has left for one more server, and free ports that a person made.
//!
//! Providers read it; `capacity` takes off what a plan adds.

use std::collections::BTreeSet;

use crate::model::{CloudView, Headroom, Observed, Offer, PortOffer, Reading};
use crate::plan::action::Create;

/// Takes what was asked for off what a cloud offers, so that a further plan of the same pass does not give it out again.
pub fn spend(observed: &mut Observed, create: &Create) {
    let Some(Reading::Read(CloudView {
        offers: Some(Reading::Read(offers)),
        ..
    })) = observed.clouds.get_mut(&create.provider)
    else {
        return;
    };
    take(&mut offers.room, create.offer.as_ref());
    let taken: BTreeSet<&str> = create.offer.iter().flat_map(ports_of).collect();
    if taken.is_empty() {
        return;
    }
    for port in offers
        .templates
        .values_mut()
        .flatten()
        .flat_map(|offer| &mut offer.ports)
    {
        if let PortOffer::OneOf(free) = port {
            free.retain(|port| !taken.contains(port.as_str()));
        }
    }
}

/// The ports of a person that an offer gives to its server.
pub fn ports_of(offer: &Offer) -> impl Iterator<Item = &str> {
    let ports = offer.ports.iter().filter_map(|port| match port {
        PortOffer::OneOf(ids) => Some(ids),
        PortOffer::New { .. } => None,
    });
    ports.flatten().map(String::as_str)
}

/// Gives a server one port for each that it needs; `None` where one is lacking. Those with the fewest to choose from come
/// first, so that none takes another's only one.
pub fn ports(wanted: &[PortOffer], is_free: impl Fn(&str) -> bool) -> Option<Vec<PortOffer>> {
    let mut given = wanted.to_vec();
    let mut order: Vec<(usize, Vec<&String>)> = Vec::new();
    for (at, port) in wanted.iter().enumerate() {
        if let PortOffer::OneOf(ids) = port {
            order.push((at, ids.iter().filter(|id| is_free(id)).collect()));
        }
    }
    order.sort_by_key(|(_, free)| free.len());
    let mut taken: BTreeSet<&String> = BTreeSet::new();
    for (at, free) in order {
        let port = free.into_iter().find(|port| !taken.contains(*port))?;
        taken.insert(port);
        given[at] = PortOffer::OneOf(vec![port.clone()]);
    }
    Some(given)
}

/// Says what a project has too little of for one more server.
pub fn lacking(room: &Headroom, offer: Option<&Offer>) -> Option<String> {
    let (vcpus, ram_mb) = offer.map_or((0, 0), |offer| (offer.vcpus, offer.ram_mb));
    let lack = |left: Option<u64>, needs: u64, what: &str| {
        let left = left.filter(|left| *left < needs)?;
        Some(format!("needs {needs} {what}, {left} left in the quota"))
    };
    lack(room.instances, 1, "server")
        .or_else(|| lack(room.vcpus, vcpus, "vCPUs"))
        .or_else(|| lack(room.ram_mb, ram_mb, "MiB of memory"))
}

/// Returns what is left of a quota when these servers are made of it.
pub fn left_after<'c>(room: &Headroom, creates: impl Iterator<Item = &'c Create>) -> Headroom {
    let mut room = room.clone();
    creates.for_each(|create| take(&mut room, create.offer.as_ref()));
    room
}

pub fn take(room: &mut Headroom, offer: Option<&Offer>) {
    let (vcpus, ram_mb) = offer.map_or((0, 0), |offer| (offer.vcpus, offer.ram_mb));
    for (left, taken) in [
        (&mut room.instances, 1),
        (&mut room.vcpus, vcpus),
        (&mut room.ram_mb, ram_mb),
    ] {
        *left = left.map(|left| left.saturating_sub(taken));
    }
}
