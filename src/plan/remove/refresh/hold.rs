//! Why a node that is to be replaced is not drained now.

use crate::config::Template;
use crate::text::{are, plural};

/// Why a node that is to be replaced is not drained now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// As many as may be at a time are drained.
    Budget {
        /// How many.
        most: u32,
    },
    /// No further server of its template can be made, for this reason.
    Closed(String),
    /// Items wait, and no other node that is there serves them.
    LastToServe,
    /// It is outdated, has an idle executor, and items wait that it can take.
    ItemsFirst,
    /// It is outdated, and none of `refresh.windows` is open.
    Window,
    /// An operator gave it back within the last day.
    GivenBack,
    /// No pass removes anything, so that it would stay as it is drained.
    NothingGoes,
}

/// Says how many nodes of a template are held so, and for what.
pub fn sentence(template: &Template, hold: &Hold, nodes: u32) -> String {
    let who = format!(
        "{} of \"{}\" {} to be replaced",
        plural(nodes, "node"),
        template.name,
        are(nodes)
    );
    let why = match hold {
        Hold::Budget { most } => format!("{} {} drained, the most at a time (refresh.budget)", most, are(*most)),
        Hold::Closed(reason) => format!("none is drained while none can be made: {reason}"),
        Hold::LastToServe => {
            "none is drained that alone serves what items wait for, until another has joined".to_owned()
        }
        Hold::ItemsFirst => "none is drained that is about to take an item".to_owned(),
        Hold::Window => "outdated ones are drained within refresh.windows, none of which is open".to_owned(),
        Hold::NothingGoes => "none is drained while none is removed (limits.max_deletes_per_pass is 0)".to_owned(),
        Hold::GivenBack => "none is drained for a day after it was given back (undrain)".to_owned(),
    };
    format!("{who}: {why}")
}
