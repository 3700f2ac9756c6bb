//! What is removed, and what holds that back.

pub mod guard;
pub mod idle;
pub mod lull;
pub mod make_room;
pub mod reap;
pub mod removal;
