//! Makes room under a limit that several templates share: idle agents of one template are removed where items wait for
//! another.
//!
//! Without it an agent that is never idle for `idle_grace` keeps its place for ever. `grow` makes the other server once
//! the cloud says that this one is gone.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Placement};
use crate::model::{CloudView, NodeId, Offer, ProviderName, Reading};
use crate::plan::action::Removal;
use crate::plan::clock::since;
use crate::plan::create::capacity::Capacity;
use crate::plan::create::closed::Closed;
use crate::plan::create::grow::{Growth, free_slots};
use crate::plan::create::turns::Granted;
use crate::plan::demand::items::{Demand, Item};
use crate::plan::demand::matching::{Flow, Placed};
use crate::plan::demand::need::Need;
use crate::plan::demand::slots::Origin;
use crate::plan::fleet::agent::{Agent, AgentState, TemplateIndex};
use crate::plan::fleet::{Fleet, boots};
use crate::plan::refusals;
use crate::plan::remove::removal::removal;
use crate::plan::why::Why;

/// A node stays idle for at least this long where no boot time of its template is known.
const UNKNOWN_BOOT: SignedDuration = SignedDuration::from_mins(2);

/// A server that is seen to go for longer is stuck, and its place is not reckoned with.
const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What a server gives whose flavor is not known: enough. What it was is seen in the quota once it is gone.
const ENOUGH: i64 = 1 << 40;

/// Servers of the fleet, servers at the provider, and the provider's quota of instances, cores and MiB of memory.
type Amounts = [i64; 5];

/// Returns since when servers go, as long as something waits at a shared limit.
pub fn going(fleet: &Fleet<'_>, growth: &Growth<'_>, removals: &[Removal]) -> BTreeMap<NodeId, Timestamp> {
    if !growth.at_shared_limit {
        return BTreeMap::new();
    }
    let targets = removals.iter().filter_map(|removal| removal.server.as_ref());
    let removed: HashSet<&NodeId> = targets.map(|target| &target.node_id).collect();
    let goes = |agent: &&Agent<'_>| {
        matches!(agent.state, AgentState::Deleting { .. } | AgentState::Removing) || removed.contains(&agent.id)
    };
    let now = fleet.context.now;
    let going = fleet.agents.iter().filter(goes).map(|agent| {
        let since = fleet.state.going.get(&agent.id).copied().unwrap_or(now);
        (agent.id.clone(), since.min(now))
    });
    going.collect()
}

/// Proposes idle nodes whose place items wait for: as few as give what the new servers need, the longest idle first.
pub fn make_room(
    fleet: &Fleet<'_>,
    demand: &Demand<'_>,
    growth: &Growth<'_>,
    need: &mut Need<'_>,
    going: &BTreeMap<NodeId, Timestamp>,
) -> Vec<Removal> {
    let may =
        fleet.config.rules.make_room && growth.at_shared_limit && !fleet.restart && !refusals::refuses_removals(fleet);
    let Some(last) = fleet.last_pass.filter(|_| may) else {
        return Vec::new();
    };
    let pool = pool(fleet, demand, need, going, last);
    if pool.is_empty() {
        return Vec::new();
    }
    let slots = slots_with_creates(fleet, demand, growth);
    let mut flow = Flow::new(&demand.classes, slots);
    let mut maker = Maker::new(fleet, growth, going, pool);
    for item in &demand.items {
        let Some(class) = demand.class_of[item.label_request] else {
            continue;
        };
        // The last pass saw it wait, too.
        let now = fleet.context.now;
        let waits = fleet.observed.jenkins.age(&demand.queue[item.place], now) >= since(now, last);
        // A server that tries whether labels are back is worth no node that works.
        let is_new = |group| *demand.slots.origin(group) == Origin::Template;
        let may = waits && demand.is_promised(class);
        let placed = flow.place(class, |group| {
            if may && is_new(group) {
                maker.open(demand.slots.template(group))
            } else {
                None
            }
        });
        if let Placed::Opened(group) = placed {
            maker.take(demand.slots.template(group), item, demand);
        }
    }
    maker.removals
}

/// Returns the slots that there are once the servers of this plan are made, by group.
fn slots_with_creates(fleet: &Fleet<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> Vec<u32> {
    let mut slots = free_slots(fleet, demand);
    for create in &growth.creates {
        let mut templates = fleet.config.templates.iter();
        let index = templates.position(|template| template.name == create.template);
        if let Some(index) = index
            && let Some(group) = demand.slots.of_new(index, create.retry)
        {
            slots[group] = slots[group].saturating_add(fleet.config.templates[index].executors);
        }
    }
    slots
}

/// An idle node that may go.
struct Idle<'u, 'a> {
    agent: &'u Agent<'a>,
    group: Option<usize>,
    slots: u32,
    since: Timestamp,
    gives: Amounts,
    taken: bool,
}

/// Finds the nodes that may go: seen idle in two passes and for as long as a boot of theirs takes, not too young, and
/// needed by nothing. The longest idle come first.
fn pool<'u, 'a>(
    fleet: &'u Fleet<'a>,
    demand: &Demand<'_>,
    need: &mut Need<'_>,
    going: &BTreeMap<NodeId, Timestamp>,
    last: Timestamp,
) -> Vec<Idle<'u, 'a>> {
    let now = fleet.context.now;
    let agents = fleet.agents.iter().zip(demand.slots.of_agents());
    let idle = agents.filter_map(|(agent, group)| {
        let AgentState::Up {
            idle_slots,
            idle_since: Some(idle_since),
            limit_reached: None,
        } = agent.state
        else {
            return None;
        };
        let boot = boots::median(&fleet.state, &agent.template);
        let long = idle_since <= last && since(now, idle_since) >= boot.unwrap_or(UNKNOWN_BOOT);
        let old = agent.age >= fleet.config.timing.min_lifetime;
        (agent.readable && !agent.duplicate && long && old && !going.contains_key(&agent.id)).then(|| Idle {
            agent,
            group: *group,
            slots: idle_slots,
            since: idle_since,
            gives: gives(fleet, agent),
            taken: false,
        })
    });
    let mut pool: Vec<Idle<'u, 'a>> = idle.collect();
    pool.sort_by_key(|idle| (idle.since, idle.agent.name));
    pool.retain(|idle| !need.is_named(idle.agent) && need.withdraw(idle.group, idle.slots));
    pool
}

/// Returns what the end of a server gives at its provider.
fn gives(fleet: &Fleet<'_>, agent: &Agent<'_>) -> Amounts {
    let offer = match fleet.observed.clouds.get(agent.provider) {
        Some(Reading::Read(CloudView {
            offers: Some(Reading::Read(offers)),
            ..
        })) => offers
            .templates
            .get(&agent.template)
            .and_then(|offer| offer.as_ref().ok()),
        _ => None,
    };
    let (vcpus, ram_mb) = offer.map_or((ENOUGH, ENOUGH), |offer| (amount(offer.vcpus), amount(offer.ram_mb)));
    [1, 1, 1, vcpus, ram_mb]
}

/// Returns what a server needs.
fn needs(offer: Option<&Offer>) -> Amounts {
    let (vcpus, ram_mb) = offer.map_or((0, 0), |offer| (amount(offer.vcpus), amount(offer.ram_mb)));
    [1, 1, 1, vcpus, ram_mb]
}

fn amount(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(ENOUGH).min(ENOUGH)
}

/// What is left under the limits once everything is gone that goes; `None` where there is no limit.
struct Left<'s> {
    in_all: Option<i64>,
    at: BTreeMap<&'s str, [Option<i64>; 4]>,
}

impl<'s> Left<'s> {
    fn new(config: &'s Config, capacity: &Capacity<'_, '_>) -> Self {
        let mut in_all = None;
        let at = config.providers.keys().map(|provider| {
            let (all, here) = capacity.left(provider.as_str());
            in_all = all;
            let room = capacity.room(provider.as_str());
            let quota = [room.instances, room.vcpus, room.ram_mb].map(|left| left.map(amount));
            (provider.as_str(), [here, quota[0], quota[1], quota[2]])
        });
        let at = at.collect();
        Self { in_all, at }
    }

    /// Adds what goes, or takes off what comes.
    fn change(&mut self, provider: &str, by: Amounts, sign: i64) {
        let here = self.at.get_mut(provider).into_iter().flatten();
        let all = std::iter::once(&mut self.in_all).chain(here);
        for (left, by) in all.zip(by) {
            *left = left.map(|left| left + sign * by);
        }
    }

    /// Returns what is lacking for a server.
    fn lack(&self, provider: &str, needs: Amounts) -> Amounts {
        let here = self.at.get(provider).copied().unwrap_or_default();
        let mut lack = [0; 5];
        let all = std::iter::once(self.in_all).chain(here);
        for ((lack, left), needs) in lack.iter_mut().zip(all).zip(needs) {
            *lack = left.map_or(0, |left| (needs - left).max(0));
        }
        lack
    }
}

/// Finds room for one server after the other.
struct Maker<'s, 'a> {
    fleet: &'s Fleet<'a>,
    /// For each template what kept it from being made.
    reasons: &'s [Option<Closed>],
    capacity: Capacity<'s, 'a>,
    left: Left<'s>,
    pool: Vec<Idle<'s, 'a>>,
    /// For each template, whether there is no room to be made for it.
    closed: Vec<bool>,
    /// Where the next server goes, found by `open`, and what must go for it.
    next: Option<(&'s Placement, Option<Offer>, Vec<usize>)>,
    removals: Vec<Removal>,
}

impl<'s, 'a> Maker<'s, 'a> {
    fn new(
        fleet: &'s Fleet<'a>,
        growth: &'s Growth<'_>,
        going: &BTreeMap<NodeId, Timestamp>,
        pool: Vec<Idle<'s, 'a>>,
    ) -> Self {
        let capacity = Capacity::new(fleet, Granted::new()).without_shared_limits(&growth.creates);
        let mut left = Left::new(fleet.config, &capacity);
        let now = fleet.context.now;
        for agent in &fleet.agents {
            // A place counts as soon as its server goes, so that no second one goes for it.
            if going
                .get(&agent.id)
                .is_some_and(|begun| since(now, *begun) < STUCK_AFTER)
            {
                left.change(agent.provider.as_str(), gives(fleet, agent), 1);
            }
        }
        Self {
            fleet,
            reasons: &growth.closed,
            capacity,
            left,
            pool,
            closed: vec![false; fleet.config.templates.len()],
            next: None,
            removals: Vec::new(),
        }
    }

    /// Returns the slots of one more server of a template, if room can be made for it.
    fn open(&mut self, index: TemplateIndex) -> Option<u32> {
        if self.closed[index] {
            return None;
        }
        let places = self.capacity.places(index).into_iter();
        let found = places.map(|(place, offer)| {
            let lack = self.left.lack(place.provider.as_str(), needs(offer.as_ref()));
            Some((place, offer, self.fewest(index, &place.provider, lack)?))
        });
        self.next = found.flatten().next();
        self.closed[index] = self.next.is_none();
        self.next
            .is_some()
            .then(|| self.fleet.config.templates[index].executors)
    }

    /// Books the server that `open` found room for, and lets go what must go for it.
    fn take(&mut self, index: TemplateIndex, item: &Item, demand: &Demand<'_>) {
        let Some((place, offer, chosen)) = self.next.take() else {
            return;
        };
        for at in chosen {
            let idle = &mut self.pool[at];
            idle.taken = true;
            self.left.change(idle.agent.provider.as_str(), idle.gives, 1);
            let waiting = &demand.queue[item.place];
            let lack = self.reasons[index].as_ref().map(|closed| closed.text.as_str());
            let why = Why::MakesRoom {
                idle: since(self.fleet.context.now, idle.since),
                item: waiting.id,
                task: waiting.task.to_string(),
                lack: lack.unwrap_or("there is no room for its server").to_owned(),
            };
            self.removals.extend(removal(idle.agent, why));
        }
        self.left.change(place.provider.as_str(), needs(offer.as_ref()), -1);
        self.capacity.count_new(index, place, offer.as_ref());
    }

    /// Chooses the fewest nodes of other templates that give what is lacking at a provider, and of those the longest
    /// idle; `None` where all together do not give it.
    fn fewest(&self, index: TemplateIndex, provider: &ProviderName, lack: Amounts) -> Option<Vec<usize>> {
        let others = self.pool.iter().enumerate();
        let others = others.filter(|(_, idle)| !idle.taken && idle.agent.template_index != Some(index));
        let candidates: Vec<(usize, Amounts)> = others
            .map(|(at, idle)| {
                let is_here = idle.agent.provider == provider;
                (at, if is_here { idle.gives } else { [1, 0, 0, 0, 0] })
            })
            .collect();
        let mut rest = Kinds::new();
        for (_, gives) in &candidates {
            *rest.entry(*gives).or_default() += 1;
        }
        let most = count(lack, rest.clone())?;
        let (mut chosen, mut left, mut refused) = (Vec::new(), lack, BTreeSet::new());
        for (at, gives) in candidates {
            take_one(&mut rest, gives);
            let after = less(left, gives);
            // Where one that gives as much was not among the fewest, this one is not: there are fewer behind it.
            if after == left || refused.contains(&gives) {
                continue;
            }
            let others = count(after, rest.clone());
            if others.is_some_and(|others| chosen.len() + 1 + others <= most) {
                chosen.push(at);
                left = after;
                refused.clear();
            } else {
                refused.insert(gives);
            }
        }
        Some(chosen)
    }
}

fn less(lack: Amounts, gives: Amounts) -> Amounts {
    std::array::from_fn(|at| (lack[at] - gives[at]).max(0))
}

/// How many nodes give so much. There are as many kinds as flavors, however many nodes there are.
type Kinds = BTreeMap<Amounts, usize>;

fn take_one(kinds: &mut Kinds, gives: Amounts) {
    if let Some(nodes) = kinds.get_mut(&gives) {
        *nodes -= 1;
        if *nodes == 0 {
            kinds.remove(&gives);
        }
    }
}

/// Counts how many of these nodes give what is lacking, the largest first; `None` where all of them do not.
fn count(mut lack: Amounts, mut kinds: Kinds) -> Option<usize> {
    let mut count = 0;
    while lack != [0; 5] {
        let share = |gives: &Amounts| -> i64 {
            let parts = lack.iter().zip(gives).filter(|(lack, _)| **lack > 0);
            parts.map(|(lack, gives)| (*gives).min(*lack) * 1000 / *lack).sum()
        };
        let best = kinds.keys().copied().max_by_key(share)?;
        if share(&best) == 0 {
            return None;
        }
        take_one(&mut kinds, best);
        lack = less(lack, best);
        count += 1;
    }
    Some(count)
}
