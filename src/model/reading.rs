//! A list that was read, or why not.

use serde::{Deserialize, Serialize};

/// Something that could be read, or the reason why not. An unreadable list is never an empty one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    /// The whole of it.
    Read(T),
    /// Why it could not be had.
    Unreadable(String),
}

impl<T> Reading<T> {
    /// Returns what was read.
    pub fn ok(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Unreadable(_) => None,
        }
    }
}
