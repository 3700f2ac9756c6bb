//! How servers of a template fare at a placement, from the first that fails until one of it joins there.
//!
//! Back-offs pass; this stays, so that an operator hears of a template that makes servers for nothing.

use jiff::Timestamp;

use crate::config::{Config, Template};
use crate::model::{ProviderName, TemplateName, Zone};
use crate::state::{CreateRecord, State};

/// Returns how a placement is written: `provider`, or `provider/zone`.
pub fn placement(provider: &ProviderName, zone: Option<&Zone>) -> String {
    match zone {
        None => provider.to_string(),
        Some(zone) => format!("{provider}/{zone}"),
    }
}

/// Returns how a template at a placement is written.
pub fn pair(template: &TemplateName, placement: &str) -> String {
    format!("{template}@{placement}")
}

/// Remembers that a server never joined or went to ERROR.
pub fn failed(state: &mut State, template: &Template, placement: &str, reason: &str) {
    let record = record(state, template, placement);
    record.failed = record.failed.saturating_add(1);
    reason.clone_into(&mut record.reason);
}

/// Remembers that a request for a server was refused, for another reason than a quota.
pub fn refused(state: &mut State, template: &Template, placement: &str, reason: &str, now: Timestamp) {
    let record = record(state, template, placement);
    record.refused_since.get_or_insert(now);
    reason.clone_into(&mut record.reason);
}

/// Remembers that a request for a server was taken: whether it joins is to be seen.
pub fn taken(state: &mut State, template: &TemplateName, placement: &str) {
    if let Some(record) = state.creating.get_mut(&pair(template, placement)) {
        record.refused_since = None;
    }
}

/// Forgets what failed: a server joined.
pub fn joined(state: &mut State, template: &Template, placement: &str) {
    state.creating.remove(&pair(&template.name, placement));
}

/// Forgets what is not configured any more, or otherwise than when it failed.
pub fn forget(state: &mut State, config: &Config) {
    let is_current = |key: &String, record: &CreateRecord| {
        config.templates.iter().any(|template| {
            template.digest == record.config
                && template
                    .placements
                    .iter()
                    .any(|place| *key == pair(&template.name, &placement(&place.provider, place.zone.as_ref())))
        })
    };
    state.creating.retain(|key, record| is_current(key, record));
}

fn record<'s>(state: &'s mut State, template: &Template, placement: &str) -> &'s mut CreateRecord {
    let key = pair(&template.name, placement);
    state.creating.entry(key).or_insert_with(|| CreateRecord {
        config: template.digest.clone(),
        ..CreateRecord::default()
    })
}
