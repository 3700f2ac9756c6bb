//! The configuration as the program uses it: every default filled in, every reference checked.
//!
//! Each section is a file here that declares its keys, reads them and has the type that they become; how a section is
//! read is known to `settings`, what an entry of `provider:` holds to its kind (`provider::kind`).

mod cron;
mod effective;
mod hints;
mod jenkins;
mod limits;
mod load;
mod marks;
mod node;
mod notify;
mod outputs;
mod provider;
mod root;
mod rules;
mod schema;
pub mod script;
mod template;
#[cfg(test)]
mod tests;
mod timing;
mod user_data;
mod whole;

pub use crate::settings::duration::parse as parse_duration;
pub use crate::settings::excerpt::Excerpt;
pub use crate::settings::files::Env;
pub use crate::settings::problem::{ConfigError, ConfigProblem, Warning};
pub use jenkins::LabelSources;
pub use limits::Limits;
pub use load::{Loaded, effective, find, load, load_text, load_with};
pub use marks::MARK;
pub use notify::Notify;
pub use outputs::Outputs;
pub use provider::ProviderConfig;
pub use rules::Rules;
pub use schema::{json_schema, json_schema_with};
pub use template::{
    Adopt, AgentSettings, Budget, CronWindow, HostKey, LearnedReady, MinReady, Placement, Price, ReadyWindow, Refresh,
    Register, Template,
};
pub use timing::Timing;
pub use whole::Config;
