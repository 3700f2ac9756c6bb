//! The planner rule by rule, through its public door.
#![expect(clippy::unwrap_used, reason = "a test may panic, and these helpers are tests")]

mod adoption;
mod boots;
mod broken;
mod builds;
mod by_hand;
mod clouds;
mod creating;
mod destroying;
mod drain;
#[path = "../support/facts.rs"]
mod facts;
mod fleet;
mod images;
mod invariants;
mod label_sets;
mod labels;
mod links;
mod making_room;
mod odd;
mod problems;
#[path = "../support/random.rs"]
mod random;
mod register;
mod removing;
mod replacing;
mod resources;
mod restart;
mod seeing;
mod sim;
mod spare;
mod starvation;
mod world;
mod zero_agents;
mod zombies;
