//! From a service catalog to the base URLs of the services in use.
//!
//! A catalog URL is no API base: the version may be missing, or be the legacy `/v2` of compute. Names of services are
//! never matched, only types. No version discovery is made: these rules on the text need no request.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::access::OpenStackAccess;
use crate::http::printable;
use crate::provider::ProviderError;

/// A service that is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Compute,
    Image,
    Network,
    Volume,
}

impl Service {
    /// Its type in the catalog; for messages, where it has several.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Image => "image",
            Self::Network => "network",
            Self::Volume => "volumev3",
        }
    }

    /// The types under which it stands in catalogs, the best first.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Compute => &["compute"],
            Self::Image => &["image"],
            Self::Network => &["network"],
            Self::Volume => &["volumev3", "block-storage", "volume"],
        }
    }
}

/// One endpoint of a catalog, v2.0 and v3 alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Endpoint {
    /// The type of its service.
    pub kind: String,
    /// `public`, `internal`, `admin`.
    pub interface: String,
    /// `region_id` and `region`: either may be meant by the operator.
    pub regions: [Option<String>; 2],
    /// The URL as the catalog has it.
    pub url: String,
}

impl Endpoint {
    fn region(&self) -> &str {
        self.regions.iter().flatten().next().map_or("", String::as_str)
    }

    fn is_in(&self, region: &str) -> bool {
        self.regions.iter().flatten().any(|r| r == region)
    }
}

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// The URL, version included, no slash at the end.
    pub url: String,
    /// The catalog's own URL where ours differs in the version of compute: for clouds that have only the old one.
    pub legacy: Option<String>,
}

/// Finds the base of a service.
pub(super) fn base(access: &OpenStackAccess, catalog: &[Endpoint], service: Service) -> Result<Base, ProviderError> {
    let overrides = &access.endpoints;
    let given = match service {
        Service::Compute => &overrides.compute,
        Service::Image => &overrides.image,
        Service::Network => &overrides.network,
        Service::Volume => &overrides.volume,
    };
    let url = match given {
        Some(url) if service == Service::Compute => {
            let url = url.trim_end_matches('/').to_owned();
            return Ok(Base { url, legacy: None });
        }
        Some(url) => url.as_str(),
        None => find(access, catalog, service)?,
    };
    Ok(match service {
        Service::Compute => compute(url),
        Service::Image => with_version(url, "v2"),
        Service::Network => with_version(url, "v2.0"),
        Service::Volume => volume(url),
    })
}

/// Returns whether there is a service for us, at any interface.
pub(super) fn has(access: &OpenStackAccess, catalog: &[Endpoint], service: Service) -> bool {
    let overrides = &access.endpoints;
    let given = match service {
        Service::Compute => &overrides.compute,
        Service::Image => &overrides.image,
        Service::Network => &overrides.network,
        Service::Volume => &overrides.volume,
    };
    let here = |e: &Endpoint| access.region.as_deref().is_none_or(|region| e.is_in(region));
    let usable = |e: &Endpoint| {
        let fits = service != Service::Volume || is_v3(e);
        service.kinds().contains(&e.kind.as_str()) && !e.url.is_empty() && fits && here(e)
    };
    given.is_some() || catalog.iter().any(usable)
}

fn find<'a>(access: &OpenStackAccess, catalog: &'a [Endpoint], service: Service) -> Result<&'a str, ProviderError> {
    let kind = service.kind();
    let named = |kind: &str| -> Vec<&Endpoint> {
        let of_kind = catalog.iter().filter(|e| e.kind == kind && !e.url.is_empty());
        of_kind.filter(|e| service != Service::Volume || is_v3(e)).collect()
    };
    let mut found = service.kinds().iter().map(|kind| named(kind));
    let of_kind = found.find(|endpoints| !endpoints.is_empty()).unwrap_or_default();
    let wanted = access.interface.trim_end_matches("URL");
    let usable: Vec<&Endpoint> = of_kind.iter().copied().filter(|e| e.interface == wanted).collect();
    let missing = |text: String| Err(ProviderError::NotFound(text));
    if of_kind.is_empty() {
        return missing(format!("this cloud's catalog has no {kind} service for this project"));
    }
    if usable.is_empty() {
        let there = list(of_kind.iter().map(|e| e.interface.as_str()));
        return missing(format!(
            "no {wanted} endpoint of the {kind} service (interface); there are: {there}"
        ));
    }
    let regions = list(usable.iter().map(|e| e.region()));
    let found = match &access.region {
        Some(region) => usable.iter().find(|e| e.is_in(region)),
        None if usable.iter().all(|e| e.region() == usable[0].region()) => usable.first(),
        None => {
            return missing(format!(
                "the {kind} service is in several regions: name one (service_region), there are: {regions}"
            ));
        }
    };
    match found {
        Some(endpoint) => Ok(&endpoint.url),
        None => missing(format!(
            "no {kind} service in the region \"{}\" (service_region; upper and lower case matter), there are: {regions}",
            printable(access.region.as_deref().unwrap_or_default(), 60),
        )),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    printable(&names.into_iter().collect::<Vec<_>>().join(", "), 300)
}

/// Splits a URL into scheme with authority, and path segments.
fn split(url: &str) -> (&str, Vec<&str>) {
    let url = url.trim_end_matches('/');
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    match url[after_scheme..].find('/') {
        Some(at) => {
            let (root, path) = url.split_at(after_scheme + at);
            (root, path.split('/').filter(|s| !s.is_empty()).collect())
        }
        None => (url, Vec::new()),
    }
}

fn join(root: &str, segments: &[&str]) -> String {
    segments
        .iter()
        .fold(root.to_owned(), |url, segment| format!("{url}/{segment}"))
}

fn is_version(segment: &str) -> bool {
    let Some(digits) = segment.strip_prefix('v') else {
        return false;
    };
    let numbers: Vec<&str> = digits.split('.').collect();
    let all = numbers
        .iter()
        .all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    all && numbers.len() <= 2
}

fn compute(url: &str) -> Base {
    let (root, mut segments) = split(url);
    match segments.iter().rposition(|segment| is_version(segment)) {
        Some(at) if segments[at] == "v2" => {
            let legacy = Some(join(root, &segments));
            segments[at] = "v2.1";
            Base {
                url: join(root, &segments),
                legacy,
            }
        }
        Some(_) => Base {
            url: join(root, &segments),
            legacy: None,
        },
        None => {
            segments.push("v2.1");
            Base {
                url: join(root, &segments),
                legacy: None,
            }
        }
    }
}

fn with_version(url: &str, version: &str) -> Base {
    let (root, mut segments) = split(url);
    if segments.last().is_some_and(|segment| is_version(segment)) {
        segments.pop();
    }
    segments.push(version);
    Base {
        url: join(root, &segments),
        legacy: None,
    }
}

/// Returns whether an endpoint of block storage is of version 3. The type `volume` has stood for every version, and
/// tells none where its URL has none.
fn is_v3(endpoint: &Endpoint) -> bool {
    let (_, segments) = split(&endpoint.url);
    match segments.iter().rev().find(|segment| is_version(segment)) {
        Some(version) => *version == "v3",
        None => endpoint.kind != "volume",
    }
}

/// Block storage: its URL is complete with version and project, or with neither.
fn volume(url: &str) -> Base {
    let (root, mut segments) = split(url);
    if !segments.iter().any(|segment| is_version(segment)) {
        segments.push("v3");
    }
    Base {
        url: join(root, &segments),
        legacy: None,
    }
}

/// Adds the project to a base of block storage that ends in its version: only newer ones do without.
pub(super) fn of_project(base: String, service: Service, project: Option<&str>) -> String {
    let versioned = base.rsplit('/').next().is_some_and(is_version);
    match project {
        Some(project) if service == Service::Volume && versioned => format!("{base}/{project}"),
        _ => base,
    }
}
