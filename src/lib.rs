//! mita keeps a Jenkins controller supplied with OpenStack agents, in passes that cron starts.
//!
//! The path of the data in a pass is `observe -> plan -> audit -> execute -> save`:
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`text`] | texts from elsewhere, fit to be read |
//! | `version` | which mita this is |
//! | `lenient` | JSON from elsewhere, read as far as it can be |
//! | [`model`] | names and facts |
//! | [`endpoint`] | how to reach the services |
//! | `pattern` | regular expressions of the configuration |
//! | [`settings`] | how a section of a configuration file is read |
//! | [`labels`] | label expressions |
//! | [`queue`] | queue items and their `why` -> what is wanted |
//! | [`config`] | the configuration file |
//! | [`provider`] | the clouds, by kind |
//! | [`state`] | what is remembered between passes |
//! | [`plan`] | what is to be done: pure |
//! | `process` | programs of the operator |
//! | `disk` | files that are written whole |
//! | `journal` | what happened, as JSON lines |
//! | `history` | what the journal says of servers, waits and cost: pure |
//! | `http`, `jenkins` | the edges that speak HTTP, as `provider` does |
//! | `pass` | observe and execute |
//! | `report` | what is printed |
//! | `cli` | the commands |

/// The fakes of the tests call the library by its name.
#[cfg(test)]
extern crate self as mita;
#[cfg(test)]
#[path = "../tests/fakes/mod.rs"]
mod fakes;

mod cli;
pub mod config;
mod disk;
pub mod endpoint;
mod error;
mod history;
mod http;
mod jenkins;
mod journal;
pub mod labels;
mod lenient;
mod lock;
pub mod model;
mod pass;
mod pattern;
pub mod plan;
mod process;
pub mod provider;
pub mod queue;
mod report;
pub mod secret;
pub mod settings;
pub mod state;
pub mod text;
pub mod version;

pub use cli::{Io, run, takes_color};
