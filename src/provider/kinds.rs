//! The table of the kinds of clouds. A further kind is a folder beside this file, and a line here.

use super::kind::Kind;
use super::{exec, openstack};

/// The kinds; the first is the one that examples name.
pub static KINDS: [&Kind; 2] = [&openstack::settings::KIND, &exec::settings::KIND];
