//! Ids of new nodes: made from the id of the pass, so that the same pass on the same world names the same servers.

use crate::model::{NodeId, digest_u64};

/// Makes ids, one after the other.
pub struct Ids {
    state: u64,
}

impl Ids {
    /// Starts the ids of a pass.
    pub fn new(pass: &str) -> Self {
        Self {
            state: digest_u64(pass.as_bytes()),
        }
    }

    /// Returns the next id that is not taken.
    pub fn next(&mut self, taken: impl Fn(&NodeId) -> bool) -> NodeId {
        loop {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let id = NodeId::new(format!("{:012x}", mix(self.state) >> 16));
            if !taken(&id) {
                return id;
            }
        }
    }
}

/// Mixes a number so that every bit of it moves every bit of the result (the finalizer of splitmix64).
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_well_formed_different_and_the_same_again() {
        let make = |pass: &str| -> Vec<NodeId> {
            let mut ids = Ids::new(pass);
            (0..1000).map(|_| ids.next(|_| false)).collect()
        };
        let first = make("p1");
        assert_eq!(first, make("p1"));
        assert_ne!(first[0], make("p2")[0]);
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 1000);
        assert!(first.iter().all(|id| NodeId::parse(id.as_str()).is_some()));
    }

    #[test]
    fn a_taken_id_is_skipped() {
        let first = Ids::new("p").next(|_| false);
        assert_ne!(Ids::new("p").next(|id| *id == first), first);
    }
}
