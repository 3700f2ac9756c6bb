//! Lists that come in pages, each with a link to the next: read whole, or not at all.
//!
//! The list of servers has manners of its own and is left to `compute`; only its markers are kept here.

use std::collections::{BTreeSet, HashSet};

use super::catalog::Service;
use super::names::query_value;
use super::session::Session;
use super::wire::Link;
use crate::http::{Reply, escaped};
use crate::provider::ProviderError;

/// Entries of a page; Nova's own maximum where the operator has not lowered it.
const PAGE: u32 = 1000;
/// More pages than this are no list of servers (a million of them, or pages of one).
const MAX_PAGES: u32 = 1000;

/// Reads all pages of a list. An entry that moved between two pages is kept once.
pub(super) fn pages<T>(
    session: &mut Session,
    (service, what, path): (Service, &str, &str),
    read: impl Fn(&Reply) -> Result<(Vec<T>, Vec<Link>), ProviderError>,
    id: impl Fn(&T) -> &str,
) -> Result<Vec<T>, ProviderError> {
    for _ in 0..2 {
        if let Some(mut all) = attempt(session, (service, what, path), &read, &id)? {
            let mut seen = HashSet::new();
            all.retain(|one| seen.insert(id(one).to_owned()));
            return Ok(all);
        }
    }
    Err(ProviderError::Unavailable(format!(
        "{what}: the list changed under our hands, twice"
    )))
}

/// Reads them once; `None` when the entry that was the marker is gone meanwhile.
fn attempt<T>(
    session: &mut Session,
    (service, what, path): (Service, &str, &str),
    read: &impl Fn(&Reply) -> Result<(Vec<T>, Vec<Link>), ProviderError>,
    id: &impl Fn(&T) -> &str,
) -> Result<Option<Vec<T>>, ProviderError> {
    let mut all = Vec::new();
    let mut markers = Markers::default();
    loop {
        let reply = session.get(what, service, &markers.path(path))?;
        if matches!(reply.status, 400 | 404) && markers.last().is_some() {
            return Ok(None);
        }
        let (mut entries, links) = read(&reply)?;
        let next = entries.last().and_then(|last| next_marker(&links, id(last)));
        all.append(&mut entries);
        let Some(next) = next else {
            return Ok(Some(all));
        };
        if !markers.advance(next) {
            return Err(markers.stuck(what));
        }
    }
}

/// The markers that were asked with: none is asked with twice, so that no listing can go on for ever.
#[derive(Default)]
pub(super) struct Markers {
    asked: BTreeSet<String>,
    last: Option<String>,
}

impl Markers {
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Returns the path and query of the next page.
    pub(super) fn path(&self, of: &str) -> String {
        let joint = if of.contains('?') { '&' } else { '?' };
        match &self.last {
            None => format!("{of}{joint}limit={PAGE}"),
            Some(marker) => format!("{of}{joint}limit={PAGE}&marker={}", escaped(marker)),
        }
    }

    /// Goes on to a marker; `false` when that was asked with already, or the pages do not end.
    pub(super) fn advance(&mut self, marker: String) -> bool {
        self.last = Some(marker.clone());
        self.asked.insert(marker) && self.asked.len() < MAX_PAGES as usize
    }

    pub(super) fn stuck(&self, what: &str) -> ProviderError {
        let pages = self.asked.len();
        ProviderError::BadAnswer(format!(
            "{what}: the pages of the list do not end, after {pages} of them"
        ))
    }
}

/// Finds the marker of the next page; `None` without a link, `last` where the link names none. Nothing but the marker is
/// taken from the link: behind a proxy its host and path are often wrong.
pub(super) fn next_marker(links: &[Link], last: &str) -> Option<String> {
    let next = links.iter().find(|link| link.rel.0.as_deref() == Some("next"))?;
    let named = next.href.0.as_deref().and_then(|href| query_value(href, "marker"));
    Some(named.unwrap_or_else(|| last.to_owned()))
}
