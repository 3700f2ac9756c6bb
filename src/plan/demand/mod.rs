//! What is wanted, and what there is to serve it: the items of the queue and the warm pools, matched to slots.

pub mod drift;
pub mod eligible;
pub mod items;
pub mod matching;
pub mod need;
pub mod slots;
