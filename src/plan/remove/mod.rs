//! What is removed, and what holds that back.

pub mod billing;
pub mod guard;
pub mod idle;
pub mod least;
pub mod lull;
pub mod make_room;
pub mod reap;
pub mod refresh;
pub mod removal;
pub mod surplus;
