//! Floating IPs, ports and volumes: what servers have beside themselves, and what is left of servers that are gone.

pub mod leftovers;
pub mod upkeep;
