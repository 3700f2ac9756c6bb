//! From a service catalog to the base URLs of the services in use.
//!
//! A catalog URL is no API base: the version may be missing, or be the legacy `/v2` of compute, and the project may or
//! may not belong behind it. Names of services are never matched, only types. No version discovery is made: these rules
//! on the text need no request. Where they leave several bases open, the first is right for almost every cloud, and the
//! session takes another only where that one answers 404.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::provider::ProviderError;
use crate::provider::openstack::endpoint::{OpenStackEndpoint, PROJECT_MARKS};
use crate::text::printable;

/// A service of OpenStack that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    /// Its types in catalogs, the best first.
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

/// Finds the bases that a service may have, the likeliest first; there is at least one. None has a slash at its end.
pub(super) fn bases(
    endpoint: &OpenStackEndpoint,
    catalog: &[Endpoint],
    service: Service,
    project: Option<&str>,
) -> Result<Vec<String>, ProviderError> {
    let project = project.unwrap_or_default();
    let given = given(endpoint, service).map(|url| filled_in(url, project));
    let url = match &given {
        Some(url) => url,
        None => find(endpoint, catalog, service)?,
    };
    let mut bases = match service {
        Service::Compute => compute(url, project, given.is_some()),
        Service::Image => with_version(url, project, "v2"),
        Service::Network => with_version(url, project, "v2.0"),
        Service::Volume => volume(url, project),
    };
    let mut seen = BTreeSet::new();
    bases.retain(|base| seen.insert(base.clone()));
    Ok(bases)
}

/// Returns whether the configuration names the endpoint, so that no catalog counts.
pub(super) fn is_given(endpoint: &OpenStackEndpoint, service: Service) -> bool {
    given(endpoint, service).is_some()
}

/// The endpoint that the configuration names.
fn given(endpoint: &OpenStackEndpoint, service: Service) -> Option<&str> {
    let endpoints = &endpoint.endpoints;
    let given = match service {
        Service::Compute => &endpoints.compute,
        Service::Image => &endpoints.image,
        Service::Network => &endpoints.network,
        Service::Volume => &endpoints.volume,
    };
    given.as_deref()
}

fn filled_in(url: &str, project: &str) -> String {
    let filled = PROJECT_MARKS.iter();
    filled.fold(url.to_owned(), |url, mark| url.replace(mark, project))
}

/// Returns what is wrong with the region of the configuration where the catalog has no service in it at all: one sentence
/// for all services.
pub(super) fn lost_region(endpoint: &OpenStackEndpoint, catalog: &[Endpoint]) -> Option<String> {
    let region = endpoint.region.as_deref()?;
    let named = catalog.iter().filter(|endpoint| !endpoint.region().is_empty());
    // What the configuration names needs no catalog.
    let services = [Service::Compute, Service::Image, Service::Network, Service::Volume];
    let is_given = services.iter().any(|service| given(endpoint, *service).is_some());
    if is_given || catalog.iter().any(|endpoint| endpoint.is_in(region)) || named.clone().next().is_none() {
        return None;
    }
    let regions = list(named.map(Endpoint::region));
    Some(format!(
        "the catalog has no region \"{}\" (service_region; upper and lower case matter), there are: {regions}",
        printable(region, 60),
    ))
}

/// Returns whether there is a service for us, at any interface.
pub(super) fn has(endpoint: &OpenStackEndpoint, catalog: &[Endpoint], service: Service) -> bool {
    let here = |e: &Endpoint| endpoint.region.as_deref().is_none_or(|region| e.is_in(region));
    let usable = |e: &Endpoint| {
        let fits = service != Service::Volume || is_v3(e);
        service.kinds().contains(&e.kind.as_str()) && !e.url.is_empty() && fits && here(e)
    };
    given(endpoint, service).is_some() || catalog.iter().any(usable)
}

fn find<'a>(endpoint: &OpenStackEndpoint, catalog: &'a [Endpoint], service: Service) -> Result<&'a str, ProviderError> {
    let kind = service.kind();
    let named = |kind: &str| -> Vec<&Endpoint> {
        let of_kind = catalog.iter().filter(|e| e.kind == kind && !e.url.is_empty());
        of_kind.filter(|e| service != Service::Volume || is_v3(e)).collect()
    };
    let mut found = service.kinds().iter().map(|kind| named(kind));
    let of_kind = found.find(|endpoints| !endpoints.is_empty()).unwrap_or_default();
    let wanted = endpoint.interface.trim_end_matches("URL");
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
    let found = match &endpoint.region {
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
            printable(endpoint.region.as_deref().unwrap_or_default(), 60),
        )),
    }
}

/// Returns the regions in which a service is, each once, in order.
pub(super) fn regions(catalog: &[Endpoint], service: Service) -> Vec<String> {
    let of_service = catalog
        .iter()
        .filter(|e| service.kinds().contains(&e.kind.as_str()) && !e.url.is_empty());
    let regions: BTreeSet<&str> = of_service
        .map(Endpoint::region)
        .filter(|region| !region.is_empty())
        .collect();
    regions.into_iter().map(str::to_owned).collect()
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

/// Compute: its URL is complete, or lacks the version. The catalog's `/v2` is the legacy API, which clouds have beside
/// `/v2.1` or alone; what the configuration says is taken as it is, but for a version that it lacks.
fn compute(url: &str, project: &str, given: bool) -> Vec<String> {
    let (root, segments) = split(url);
    let plain = join(root, &segments);
    match segments.iter().rposition(|segment| is_version(segment)) {
        Some(at) if segments[at] == "v2" && !given => {
            let mut newer = segments.clone();
            newer[at] = "v2.1";
            vec![join(root, &newer), plain]
        }
        Some(_) => vec![plain],
        None => {
            let versioned = join(root, &before_project(&segments, "v2.1", project));
            if given { vec![versioned, plain] } else { vec![versioned] }
        }
    }
}

/// Image and network: their URL has a version or none, and in a few clouds the project behind it.
fn with_version(url: &str, project: &str, version: &str) -> Vec<String> {
    let (root, mut segments) = split(url);
    let major = version.split('.').next().unwrap_or(version);
    match segments.iter().rposition(|segment| is_version(segment)) {
        Some(at) => {
            let whole = segments.clone();
            let bare = [&segments[..at], &[version]].concat();
            if at + 1 == whole.len() {
                return vec![join(root, &bare)];
            }
            // Of another version we know only that it is not this one.
            if whole[at].split('.').next() != Some(major) {
                segments[at] = version;
            }
            vec![join(root, &segments), join(root, &bare)]
        }
        None if !project.is_empty() && segments.last() == Some(&project) => {
            let behind = before_project(&segments, version, project);
            segments.pop();
            segments.push(version);
            vec![join(root, &segments), join(root, &behind)]
        }
        None => {
            segments.push(version);
            vec![join(root, &segments)]
        }
    }
}

/// Block storage: its URL is complete with version and project, or lacks either. Only newer ones do without the
/// project.
fn volume(url: &str, project: &str) -> Vec<String> {
    let (root, mut segments) = split(url);
    if !segments.iter().any(|segment| is_version(segment)) {
        segments = before_project(&segments, "v3", project);
    }
    if segments.last().is_some_and(|segment| is_version(segment)) && !project.is_empty() {
        segments.push(project);
    }
    vec![join(root, &segments)]
}

/// Puts a version at the end, or before the project where that is the end.
fn before_project<'s>(segments: &[&'s str], version: &'s str, project: &str) -> Vec<&'s str> {
    let mut segments = segments.to_vec();
    let ends = !project.is_empty() && segments.last() == Some(&project);
    segments.insert(segments.len() - usize::from(ends), version);
    segments
}

/// Returns whether an endpoint of block storage is of version 3. The type `volume` has been used for every version, and
/// has none where its URL has none.
fn is_v3(endpoint: &Endpoint) -> bool {
    let (_, segments) = split(&endpoint.url);
    match segments.iter().rev().find(|segment| is_version(segment)) {
        Some(version) => *version == "v3",
        None => endpoint.kind != "volume",
    }
}
