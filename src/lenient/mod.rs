//! JSON of services, read leniently: an absent value, a null or one of another type does not fail the reply, and
//! neither does a character that JSON forbids. Pure.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `any` | a value of any type |
//! | `scalar` | texts, numbers and flags |
//! | `container` | objects and lists |
//! | `repair`, `read` | replies that are JSON but for some characters |
//!
//! Texts borrow from the body where they can: a reply may hold a hundred thousand items. What a value means is left to
//! the clients.

mod any;
mod container;
mod read;
mod repair;
mod scalar;

pub use any::{Odd, ValueReader, any};
pub use container::{FieldName, FieldOf, List, Object, object};
pub use read::{read, read_with};
pub use repair::{UNREADABLE, repaired, shown};
pub use scalar::{
    Flag, FlagOrText, FromText, Lenient, LenientText, Number, NumberOrText, Text, TextOrNull, Utc, filled, text,
};
