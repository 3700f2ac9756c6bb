//! What the suite needs of a cloud, beside what mita asks of it.

use std::collections::BTreeMap;

use super::fakes::World;

/// What goes wrong with every request of a kind, until it is calm again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Creates: over quota.
    Quota,
    /// Creates: no room.
    Capacity,
    /// Creates: the request is bad.
    Refused,
    /// Creates: done, and the answer is lost.
    AnswerLost,
    /// Creates: not done, and there is no answer.
    NoAnswer,
    /// Lists: the cloud does not work.
    ListDown,
    /// Lists: something that is no list.
    ListGarbage,
    /// Lists: a hundred kilobytes and more.
    ListHuge,
    /// Lists: no answer within two seconds.
    ListSlow,
    /// Deletes: the cloud does not work.
    DeleteDown,
}

/// A server as the cloud has it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub name: String,
    pub metadata: BTreeMap<String, String>,
    pub user_data: Option<String>,
}

/// A cloud under test.
pub trait TestCloud {
    /// The keys of its entry under `provider:`.
    fn provider(&self) -> Vec<String>;

    /// The keys that its templates need.
    fn node(&self) -> Vec<String>;

    /// All servers, foreign ones among them.
    fn servers(&self) -> Vec<Seen>;

    /// How many creates, deletes and lists it was asked for, in this order.
    fn asked(&self) -> [usize; 3];

    /// A server that somebody else made.
    fn add(&mut self, name: &str, metadata: &[(&str, &str)]);

    /// Makes requests go wrong.
    fn trouble(&mut self, trouble: Trouble);

    /// Ends all trouble.
    fn calm(&mut self);

    /// Puts its servers into ERROR.
    fn fail_servers(&mut self, reason: &str);

    /// From now on a server is gone as soon as it was listed.
    fn vanish_after_list(&mut self);

    /// Lets time pass: servers boot, and their agents join.
    fn advance(&mut self, world: &World, seconds: i64);
}
