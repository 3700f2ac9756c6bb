//! What the journal and the state say of the past: lives of servers, waits, hours and cost. Pure: `journal` reads the
//! file, `cli/history` prints.
//!
//! `lives` puts the events of each server together, `group` counts them by template, provider, label, job or day,
//! `spread` has the percentiles, `sheet` the rows as JSON and CSV, `sentence` the words for one event.

mod decimal;
mod event_rows;
mod find;
mod group;
mod lives;
mod sentence;
mod serving;
mod sheet;
mod spread;
#[cfg(test)]
mod tests;
mod trace;
mod window;

pub use decimal::Decimal;
pub use event_rows::event_sheet;
pub use find::{Found, find, is_of};
pub use group::{By, Groups, Row, cost, group, group_sheet};
pub use lives::{Ending, Life, Past, remembered};
pub use sentence::sentence;
pub use sheet::Sheet;
pub use trace::{Trace, trace};
pub use window::Window;
