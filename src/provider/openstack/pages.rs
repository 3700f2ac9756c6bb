//! Lists that come in pages, each with a link to the next: read whole, or not at all.
//!
//! The list of servers is paged otherwise, in `compute`; only its markers are kept here.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::catalog::Service;
use super::entry::ListEntry;
use super::error::{Fault, parse_with};
use super::names::query_value;
use super::odd::Oddities;
use super::session::Session;
use super::wire::PageLink;
use crate::http::{Reply, escaped};
use crate::lenient::List;
use crate::provider::ProviderError;

/// Entries of a page; Nova's own maximum where the operator has not lowered it.
const PAGE: u32 = 1000;
/// More pages than this are no list of servers (a million of them, or pages of one).
const MAX_PAGES: u32 = 1000;

/// A page of a list, and the links beside it.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub entries: Vec<T>,
    pub links: Vec<PageLink>,
}

/// Reads a page: the list under a key, and its links under `<key>_links`. A list that is not there is an error, never
/// an empty list.
pub(super) fn page<'de, T: Deserialize<'de>>(
    what: &str,
    key: &str,
    reply: &'de Reply,
    odd: &mut Oddities,
) -> Result<Page<T>, ProviderError> {
    let (entries, links) = parse_with(what, reply, || Keyed(key, PhantomData))?;
    if !entries.listed {
        return Err(ProviderError::BadAnswer(format!(
            "{what}: the answer has no list \"{key}\""
        )));
    }
    for (of, wrong) in [("", entries.odd), ("_links", links.odd)] {
        if let Some(wrong) = wrong {
            odd.note("list", "", &format!("{key}{of} is {wrong}"));
        }
    }
    Ok(Page {
        entries: entries.all,
        links: links.all,
    })
}

#[derive(Clone, Copy)]
struct Keyed<'k, T>(&'k str, PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Keyed<'_, T> {
    type Value = (List<T>, List<PageLink>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Keyed<'_, T> {
    type Value = (List<T>, List<PageLink>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with \"{}\"", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut entries, mut links) = (List::default(), List::default());
        while let Some(key) = map.next_key::<String>()? {
            match key.strip_prefix(self.0) {
                Some("") => entries = map.next_value()?,
                Some("_links") => links = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok((entries, links))
    }
}

/// Reads all pages of the list under `key`. An entry that moved between two pages is kept once.
pub(super) fn pages<T: ListEntry + for<'de> Deserialize<'de>>(
    session: &mut Session,
    (service, what, path): (Service, &str, &str),
    key: &str,
) -> Result<Vec<T>, ProviderError> {
    for _ in 0..2 {
        if let Some(mut all) = attempt::<T>(session, (service, what, path), key)? {
            let mut seen = HashSet::new();
            all.retain(|one| seen.insert(one.id().to_owned()));
            return Ok(all);
        }
    }
    Err(ProviderError::Unavailable(format!(
        "{what}: the list changed under our hands, twice"
    )))
}

/// Reads them once; `None` when the entry that was the marker is gone meanwhile.
fn attempt<T: ListEntry + for<'de> Deserialize<'de>>(
    session: &mut Session,
    (service, what, path): (Service, &str, &str),
    key: &str,
) -> Result<Option<Vec<T>>, ProviderError> {
    let mut all = Vec::new();
    let mut markers = Markers::default();
    loop {
        let reply = session.get(what, service, &markers.path(path))?;
        // The 404 of a gateway says nothing about the marker.
        let lost = reply.status == 400 || reply.status == 404 && !Fault::read(&reply).is_foreign();
        if lost && markers.last().is_some() {
            return Ok(None);
        }
        let page: Page<T> = page(what, key, &reply, &mut session.odd)?;
        let end = page.entries.iter().rev().map(T::id).find(|id| !id.is_empty());
        let next = end.and_then(|end| next_marker(&page.links, end));
        all.extend(page.entries.into_iter().filter(|one| one.is_usable(&mut session.odd)));
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

/// Finds the marker of the next page; `None` without a link, `last` where the link names none. Nothing but the marker
/// is taken from the link: behind a proxy its host and path are often wrong.
pub(super) fn next_marker(links: &[PageLink], last: &str) -> Option<String> {
    let next = links.iter().find(|link| link.rel.value.as_deref() == Some("next"))?;
    let named = next.href.value.as_deref().and_then(|href| query_value(href, "marker"));
    Some(named.unwrap_or_else(|| last.to_owned()))
}
