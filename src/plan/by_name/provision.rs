//! Plans `provision --template`: servers of one template, since an operator asks for them, and nothing else.

use crate::config::Config;
use crate::model::Observed;
use crate::plan::action::Plan;
use crate::plan::by_name::destroy::keep_sightings;
use crate::plan::context::{Asked, Context};
use crate::plan::create::asked::{AskedFor, asked_for};
use crate::plan::memory::look_and_remember;
use crate::plan::report::assemble;
use crate::state::State;

/// Plans the servers that an operator asks for. What is not made stands in `unmade`, with the reason.
pub fn provision(observed: &Observed, config: &Config, state: &State, context: &Context, asked: &Asked) -> Plan {
    let fleet = look_and_remember(observed, config, state, context, &[]);
    let mut templates = config.templates.iter();
    let made = match templates.position(|template| template.name == asked.template) {
        Some(index) => asked_for(&fleet, index, asked),
        None => AskedFor {
            creates: Vec::new(),
            unmade: Some(format!("there is no template \"{}\"", asked.template)),
        },
    };
    let mut plan = assemble::empty(fleet, 0);
    keep_sightings(&mut plan.state, state);
    let AskedFor { creates, unmade } = made;
    Plan {
        creates,
        unmade,
        ..plan
    }
}
