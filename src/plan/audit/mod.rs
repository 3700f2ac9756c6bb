//! The audit: checks a plan against the rules that must hold whatever the planner thought.

mod drains;
mod leaks;
mod reasons;
mod registrations;
mod resources;
mod rules;
mod world;

pub use leaks::audit_leaks;
pub use rules::{audit, audit_destroy};
