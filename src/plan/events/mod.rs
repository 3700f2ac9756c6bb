//! The events that a plan notes: what became of servers, of images, and of the queue since the last pass.
//!
//! They stand in the memory that the plan makes, so a plan that is dropped takes its events with it. What comes of the
//! actions of a pass is noted as they are done, in the same words (`server`).

pub mod lives;
pub mod served;
pub mod server;
