//! What is made, where, and what holds it back.

pub mod asked;
pub mod backoff;
pub mod capacity;
pub mod closed;
pub mod counts;
pub mod creating;
pub mod grow;
pub mod headroom;
pub mod ids;
pub mod images;
pub mod registration;
pub mod turns;
pub mod zero_agents;
