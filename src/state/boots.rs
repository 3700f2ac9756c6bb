//! What is known of the boots of a template: how long they take, and how the last ones ended.
//!
//! What is learned and what follows from it is decided in `plan::fleet::boots`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// So many boot times of a template are remembered.
pub const BOOT_TIMES: usize = 20;

/// So many boots of a template at a placement are remembered by how they ended.
pub const ENDED_BOOTS: usize = 10;

/// What is known of the boots of one template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootMemory {
    /// How many whole seconds the last boots took that ended with joining, from asked for to first seen online, in the order
    /// in which they joined; [`BOOT_TIMES`] at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seconds: Vec<u32>,
    /// How the last boots ended, by placement (`provider` or `provider/zone`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ended: BTreeMap<String, EndedBoots>,
}

/// How the last boots of a template at a placement ended; [`ENDED_BOOTS`] of both kinds together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedBoots {
    /// The digest of the template from which these servers were made.
    pub config: String,
    /// The servers that joined, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<BootRank>,
    /// Those that did not, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<BootRank>,
}

/// Orders servers by when they were asked for, whenever it was seen how they fared: of a burst the bad ones are seen last.
///
/// The number is the second of that time, and three digits of a hash of the server's id behind it: servers of one second
/// have an order that says nothing of how they fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootRank(i64);

/// The digits of a [`BootRank`] behind the second.
const PER_SECOND: i64 = 1000;

impl BootRank {
    /// Ranks the server with such a hash of its id that was asked for in this second since 1970.
    pub fn new(second: i64, hash: u64) -> Self {
        let within = i64::try_from(hash % PER_SECOND.unsigned_abs()).unwrap_or(0);
        Self(second.saturating_mul(PER_SECOND).saturating_add(within))
    }

    /// Returns the second since 1970 in which the server was asked for.
    pub fn second(self) -> i64 {
        self.0.div_euclid(PER_SECOND)
    }
}

impl EndedBoots {
    /// Notes how a boot ended; what was noted of the same one before counts no more.
    pub fn note(&mut self, rank: BootRank, joined: bool) {
        for known in [&mut self.joined, &mut self.failed] {
            known.retain(|other| *other != rank);
        }
        let list = if joined { &mut self.joined } else { &mut self.failed };
        list.insert(list.partition_point(|other| *other < rank), rank);
        while self.joined.len() + self.failed.len() > ENDED_BOOTS {
            self.drop_oldest();
        }
    }

    /// Forgets the oldest, but not the newest that joined: it is evidence for all that were asked for before it.
    fn drop_oldest(&mut self) {
        let is_oldest = self
            .failed
            .first()
            .is_none_or(|failed| self.joined.first() < Some(failed));
        if is_oldest && self.joined.len() > 1 {
            self.joined.remove(0);
        } else if !self.failed.is_empty() {
            self.failed.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(second: i64) -> BootRank {
        BootRank::new(second, 0)
    }

    fn seconds(ranks: &[BootRank]) -> Vec<i64> {
        ranks.iter().map(|rank| rank.second()).collect()
    }

    #[test]
    fn the_last_ten_are_those_that_were_asked_for_last() {
        let mut ended = EndedBoots::default();
        for second in [5, 1, 12, 3, 2, 4, 7, 6] {
            ended.note(rank(second), true);
        }
        for second in [11, 8, 10, 9] {
            ended.note(rank(second), false);
        }
        assert_eq!(seconds(&ended.joined), [3, 4, 5, 6, 7, 12]);
        assert_eq!(seconds(&ended.failed), [8, 9, 10, 11]);
        ended.note(rank(1), false);
        assert_eq!(seconds(&ended.failed), [8, 9, 10, 11], "it is the eleventh");
    }

    #[test]
    fn one_that_was_given_up_may_join_after_all() {
        let mut ended = EndedBoots::default();
        ended.note(rank(1), false);
        ended.note(rank(1), true);
        assert_eq!((ended.joined.len(), ended.failed.len()), (1, 0));
        let same_second = BootRank::new(1, 999);
        ended.note(same_second, false);
        assert_eq!((ended.joined.len(), ended.failed.len()), (1, 1));
        assert_eq!(same_second.second(), 1);
    }

    #[test]
    fn the_newest_that_joined_stays_however_many_fail() {
        let mut ended = EndedBoots::default();
        ended.note(rank(1), true);
        for second in 2..40 {
            ended.note(rank(second), false);
        }
        assert_eq!((ended.joined.len(), ended.failed.len()), (1, ENDED_BOOTS - 1));
    }

    #[test]
    fn it_is_written_in_a_few_bytes() {
        let mut ended = EndedBoots::default();
        ended.note(BootRank::new(1_795_000_000, 1_042), true);
        let text = serde_json::to_string(&ended).unwrap();
        assert_eq!(text, r#"{"config":"","joined":[1795000000042]}"#);
        assert_eq!(serde_json::from_str::<EndedBoots>(&text).unwrap(), ended);
    }
}
