//! What a kind of cloud is: its keys in the configuration, and how they become a client.
//!
//! The kinds themselves are in `kinds`, one line each.

use std::any::Any;
use std::fmt;
use std::path::Path;

use serde_json::Value as Json;

use crate::http::Deadline;
use crate::model::ServerSpec;
use crate::secret::Secret;
use crate::settings::check::Checker;
use crate::settings::files::Outside;
use crate::settings::key::{Key, KeySpec, Schema};
use crate::settings::keys;
use crate::settings::section::Section;
use crate::settings::value::{FromValue as _, preset};
use crate::settings::yaml::Entry;

use super::{Provider, ProviderError};

/// The section of the clouds.
pub const PROVIDER: &str = "provider";

keys! {
    /// What an entry of `provider:` has, whatever its kind; a kind includes it in its own table.
    pub COMMON;
    /// The kind, where it is not the name of the entry.
    pub TYPE: Option<String> = Key::text("type").depends("the name of the entry");
    /// The most servers of ours in this cloud.
    pub MAX_SERVERS: Option<u32> = Key::count("max_servers");
}

/// A kind of cloud.
pub struct Kind {
    /// The `type:` of its entries.
    pub name: &'static str,
    /// How it is offered to who asked for another: `exec with a command of your own`.
    pub offer: &'static str,
    /// The keys of an entry.
    pub schema: &'static Schema,
    /// What to do about keys of another kind in an entry of this one; empty where the type may be wrong instead.
    pub without_foreign_keys: &'static str,
    /// Whether a server needs an image and a size.
    pub needs_image: bool,
    /// The keys of a template that are for this kind alone.
    pub node_keys: &'static Schema,
    /// Reads those keys of a template.
    pub read_node: fn(&Section<'_>, &'static Schema, &mut ServerSpec),
    /// The most bytes of user data, after Base64; `None`: no limit is known.
    pub max_user_data: Option<usize>,
    /// Whether the cloud can be asked for one server, which its list may lack.
    pub can_look_up: bool,
    /// Adds to the entries of this kind what they take from elsewhere than the configuration file.
    pub complete: fn(&mut [&mut Entry], &Checker<'_>, &Outside<'_>),
    /// Reads the settings of an entry; what is wrong with them is reported.
    pub read: fn(&Section<'_>, &Site<'_>) -> Box<dyn CloudSettings>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Adds nothing: for a kind whose entries are complete.
pub fn complete_nothing(_entries: &mut [&mut Entry], _checker: &Checker<'_>, _outside: &Outside<'_>) {}

/// Keeps the values of a template under the keys of its kind, by the name of the key ([`ServerSpec::more`]).
///
/// A default is not kept, written out or not: the digest of a server is made of what is kept, so a new key with a default
/// would make all servers outdated. Who reads a key by [`Key::value_in`] gets its default.
pub fn keep_by_name(at: &Section<'_>, keys: &'static Schema, spec: &mut ServerSpec) {
    for key in keys.all() {
        let default = preset(key).and_then(|value| Json::from_value(&value));
        if let Some(value) = at.value(key).and_then(Json::from_value)
            && Some(&value) != default.as_ref()
        {
            spec.more.insert(key.name.to_owned(), value);
        }
    }
}

/// What the settings of a cloud may need of the rest of the configuration.
#[derive(Clone, Copy)]
pub struct Site<'s> {
    /// Files, folders, the environment.
    pub outside: Outside<'s>,
    /// The owner, `mita-owner`.
    pub owner: &'s str,
    /// The state file.
    pub state_file: &'s Path,
    /// The largest reply that is read, in bytes.
    pub max_body: u64,
}

/// The settings of one cloud, as its kind has them.
pub trait CloudSettings: fmt::Debug + Send + Sync {
    /// Makes the client. Nothing is sent until something is asked of it.
    fn connect(&self, deadline: Deadline) -> Result<Box<dyn Provider>, ProviderError>;

    /// Returns what must not be seen in a text that is kept.
    fn secrets(&self) -> Vec<&Secret>;

    /// Returns the files that it writes, with the keys that name them: no two clouds may have one file.
    fn files(&self) -> Vec<(&'static KeySpec, &Path)> {
        Vec::new()
    }

    /// Lets what a login gave be kept for later passes.
    fn write_tokens(&mut self) {}

    /// Makes the next login a fresh one.
    fn log_in_afresh(&mut self) {}

    /// Returns a copy.
    fn boxed(&self) -> Box<dyn CloudSettings>;

    /// Returns itself, for who knows the kind.
    fn as_any(&self) -> &dyn Any;
}

impl dyn CloudSettings {
    /// Returns the settings of a kind that is known. Only tests know it; the program asks through this trait alone.
    pub fn downcast<T: 'static>(&self) -> Option<&T> {
        self.as_any().downcast_ref()
    }
}

impl Clone for Box<dyn CloudSettings> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}
