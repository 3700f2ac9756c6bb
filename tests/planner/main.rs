//! The planner rule by rule, through its public door.
#![expect(clippy::unwrap_used, reason = "a test may panic, and these helpers are tests")]

mod adoption;
mod belongings;
mod clouds;
mod creating;
mod destroying;
mod images;
mod register;
mod removing;
mod restart;
mod seeing;
mod world;
mod zero_agents;
