//! What was last read of the quotas: they are read only when something is to be made.

use crate::plan::left_after;
use crate::report::record::ended::Record;
use crate::state::{Cached, State};

/// Remembers what is left of the quotas that a pass read, less what it took of them.
pub fn remember(state: &mut State, pass: &Record<'_>) {
    state
        .headroom
        .retain(|provider, _| pass.config.providers.contains_key(provider));
    let Some(saw) = pass.saw else { return };
    for (provider, cloud) in &saw.observed.clouds {
        let Some(offers) = cloud.ok().and_then(|view| view.offers.as_ref()?.ok()) else {
            continue;
        };
        // What was taken before the pass planned again is off already.
        let creates = saw.plan.creates.iter().filter(|create| create.provider == *provider);
        let taken = creates.filter(|create| state.intents.contains_key(&create.id));
        let value = left_after(&offers.room, taken);
        let read = Cached {
            at: pass.context.now,
            value,
        };
        state.headroom.insert(provider.clone(), read);
    }
}
