//! What a plan says: the rows of `status`, why items wait, and what an operator should know.

pub mod assemble;
pub mod drift;
pub mod fleet_rows;
pub mod overview;
pub mod persistent;
pub mod remembered;
pub mod unmet;
