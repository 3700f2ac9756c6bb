//! What a service said instead of doing it: the one message in any of OpenStack's error bodies, and what it means for
//! a listing, a create or a delete.
//!
//! The text is data: bounded, printable, and without what a schema error echoes of our own request.

use serde_json::Value;

use super::catalog::Service;
use crate::http::{HttpError, Reply, printable};
use crate::model::FaultKind;
use crate::provider::ProviderError;

/// A larger error body is not parsed (a schema error may echo the whole user data).
const LARGEST_PARSED: usize = 1024 * 1024;
/// The most characters of a message that are shown.
const SHOWN: usize = 200;
/// A longer word is no word but echoed data.
const LONGEST_WORD: usize = 80;

/// A reply that is no success.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub status: u16,
    /// Whether the body was JSON, so that an API spoke and not a proxy.
    pub json: bool,
    /// The name that the service gives to it: `itemNotFound`, or Neutron's type, `FloatingIPNotFound`.
    name: Option<String>,
    /// The whole message in lower case, for telling faults apart.
    lower: String,
    /// The message as it may be shown.
    shown: String,
    request: Option<String>,
    retry_after: Option<u64>,
    location: Option<String>,
}

impl Fault {
    /// Reads a reply.
    pub(super) fn of(reply: &Reply) -> Self {
        Self::hiding(reply, "")
    }

    /// Reads a reply that may echo a text of ours (the encoded script), which is not shown.
    pub(super) fn hiding(reply: &Reply, secret: &str) -> Self {
        let (json, mut text) = message(&reply.body);
        let name = name(&reply.body);
        if !secret.is_empty() {
            text = text.replace(secret, "***");
        }
        let request = reply
            .header("x-openstack-request-id")
            .or_else(|| reply.header("x-compute-request-id"));
        Self {
            status: reply.status,
            json,
            name,
            lower: text.to_lowercase(),
            shown: showable(&text),
            request: request.map(|id| printable(id, 60)),
            retry_after: super::session::retry_after(reply),
            location: reply.header("location").map(|to| printable(to, 100)),
        }
    }

    /// Says it: the message, the status and the request id.
    pub(super) fn said(&self) -> String {
        let mut notes = format!("status {}", self.status);
        if let Some(to) = self.location.as_ref().filter(|_| (300..400).contains(&self.status)) {
            notes = format!("{notes}, it points to {to}");
        }
        if let Some(id) = &self.request {
            notes = format!("{notes}, request {id}");
        }
        match self.shown.as_str() {
            "" => format!("no message ({notes})"),
            shown => format!("{shown} ({notes})"),
        }
    }

    /// Returns whether the service itself says that it has no such thing. The 404 of a gateway, a proxy or a wrong URL
    /// proves nothing: forgetting the thing for it would leak it.
    pub(super) fn is_gone(&self, service: Service) -> bool {
        let named = |test: fn(&str) -> bool| self.name.as_deref().is_some_and(test);
        self.status == 404
            && match service {
                Service::Compute | Service::Volume => named(|name| name == "itemNotFound"),
                Service::Network => named(|name| name.ends_with("NotFound")),
                // Glance says so in HTML, as its web server would.
                Service::Image => true,
            }
    }

    fn says(&self, any: &[&str]) -> bool {
        any.iter().any(|text| self.lower.contains(text))
    }

    fn is_quota(&self) -> bool {
        FaultKind::of(&self.lower) == FaultKind::Quota
    }

    fn is_no_room(&self) -> bool {
        // The last: another server took the port since it was seen free.
        FaultKind::of(&self.lower) == FaultKind::NoRoom || self.says(&["is still in use"])
    }

    fn is_policy(&self) -> bool {
        self.says(&["policy doesn't allow", "not authorized", "disallowed by policy"])
    }

    fn throttled(&self, what: &str) -> ProviderError {
        ProviderError::Throttled {
            message: format!("{what}: {}", self.said()),
            retry_after: self.retry_after,
        }
    }

    /// What it means for a listing or a look-up.
    pub(super) fn of_reading(&self, what: &str) -> ProviderError {
        let text = format!("{what}: {}", self.said());
        match self.status {
            401 => ProviderError::Auth(format!(
                "{what}: the token of a fresh login is refused: {}",
                self.said()
            )),
            403 => ProviderError::Auth(text),
            404 => ProviderError::NotFound(text),
            // Cinder's quota, with a Retry-After of 0 that nobody should follow.
            413 if self.is_quota() => ProviderError::Quota(text),
            429 => self.throttled(what),
            413 if self.json => self.throttled(what),
            300..=399 => ProviderError::Unavailable(format!("{text}; is the endpoint right?")),
            500..=599 => ProviderError::Unavailable(text),
            _ => ProviderError::BadAnswer(text),
        }
    }

    /// What it means for POST /servers. Only what was surely rejected is anything else than [`ProviderError::Unknown`].
    pub(super) fn of_create(&self, what: &str) -> ProviderError {
        let text = format!("{what}: {}", self.said());
        match self.status {
            400..=499 if self.status != 429 && self.is_quota() => ProviderError::Quota(text),
            400..=499 if self.status != 429 && self.is_no_room() => ProviderError::Capacity(text),
            401 => self.of_reading(what),
            403 if self.is_policy() => ProviderError::Auth(text),
            409 if self.says(&["network"]) && self.says(&["multiple", "more than one"]) => ProviderError::Refused(
                // The advice comes first: what follows may be cut.
                format!(
                    "{what}: the project sees several networks, name one under `networks` of the template: {}",
                    self.said()
                ),
            ),
            413 if self.json => self.throttled(what),
            429 => self.throttled(what),
            300..=399 => ProviderError::Unavailable(format!("{text}; is the endpoint right?")),
            400 if self.says(&["availability zone"]) => ProviderError::Zone(text),
            400..=499 => ProviderError::Refused(text),
            _ => ProviderError::Unknown(text),
        }
    }

    /// What it means for POST /ports: never that a server may exist, since none was asked for yet.
    pub(super) fn of_port(&self, what: &str) -> ProviderError {
        match self.of_create(what) {
            ProviderError::Unknown(text) => ProviderError::Unavailable(text),
            // What this template asks of its port, not what the project may do.
            ProviderError::Auth(text) if self.status == 403 => ProviderError::Refused(text),
            other => other,
        }
    }

    /// What it means for a DELETE, other than that the thing is gone already.
    pub(super) fn of_delete(&self, what: &str) -> ProviderError {
        self.of_change(what)
    }

    /// What it means for a small change that may be repeated.
    pub(super) fn of_change(&self, what: &str) -> ProviderError {
        let text = format!("{what}: {}", self.said());
        match self.status {
            409 => ProviderError::Conflict(text),
            // Cinder says so of a volume in the wrong state.
            400 if self.says(&["invalid volume", "invalidvolume"]) => ProviderError::Conflict(text),
            400 | 422 => ProviderError::Refused(text),
            _ => self.of_reading(what),
        }
    }

    /// Returns whether a floating IP cannot come to this port, but may to another one of the server.
    pub(super) fn is_no_way(&self) -> bool {
        self.status == 404 && self.says(&["externalgatewayforfloatingipnotfound", "is not reachable from subnet"])
    }

    /// What it means for POST /floatingips, where the type in the message tells more than the status.
    pub(super) fn of_floating_ip(&self, what: &str) -> ProviderError {
        let text = format!("{what}: {}", self.said());
        match self.status {
            400..=499 if self.status != 429 && self.is_quota() => ProviderError::Quota(text),
            400..=499 if self.status != 429 && self.is_no_room() => ProviderError::Capacity(text),
            401 | 403 | 413 | 429 | 300..=399 => self.of_reading(what),
            409 => ProviderError::Conflict(text),
            404 if self.is_no_way() => ProviderError::Refused(format!(
                // The advice comes first: what follows may be cut.
                "{what}: no router joins the server's network to floating_ip_pool: {}",
                self.said()
            )),
            400..=499 if self.json => ProviderError::Refused(text),
            // A proxy's page: the service was not reached.
            400..=499 => ProviderError::Unavailable(text),
            _ => ProviderError::Unknown(text),
        }
    }
}

/// What a request without a reply means where it is harmless to ask again.
pub(super) fn unreachable(what: &str, error: &HttpError) -> ProviderError {
    match error {
        HttpError::TooLarge { .. } => ProviderError::BadAnswer(format!("{what}: {error}")),
        _ => ProviderError::Unavailable(format!("{what}: {error}")),
    }
}

/// Reads a 2xx body.
pub(super) fn parse<'a, T: serde::Deserialize<'a>>(what: &str, reply: &'a Reply) -> Result<T, ProviderError> {
    if !(200..300).contains(&reply.status) {
        return Err(Fault::of(reply).of_reading(what));
    }
    serde_json::from_slice(&reply.body).map_err(|cause| {
        let begins = printable(&cause.to_string(), 120);
        ProviderError::BadAnswer(format!("{what}: {begins}; it begins \"{}\"", start(&reply.body)))
    })
}

fn start(body: &[u8]) -> String {
    printable(&String::from_utf8_lossy(&body[..body.len().min(120)]), 60)
}

/// Finds the name of a fault: the key around `{"itemNotFound": {"code", "message"}}`, the type of a `NeutronError`.
fn name(body: &[u8]) -> Option<String> {
    if body.len() > LARGEST_PARSED {
        return None;
    }
    let Value::Object(root) = serde_json::from_slice::<Value>(body).ok()? else {
        return None;
    };
    match root.iter().next().filter(|_| root.len() == 1)? {
        (key, Value::Object(inner)) if key == "NeutronError" => Some(inner.get("type")?.as_str()?.to_owned()),
        (key, Value::Object(_)) => Some(key.clone()),
        _ => None,
    }
}

/// Finds the message in an error body, and tells whether the body was JSON.
fn message(body: &[u8]) -> (bool, String) {
    if body.len() <= LARGEST_PARSED
        && let Ok(Value::Object(root)) = serde_json::from_slice::<Value>(body)
    {
        let inner = root.values().find_map(Value::as_object).unwrap_or(&root);
        let told = |key: &str| inner.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let text = told("message")
            .or_else(|| told("title"))
            .or_else(|| root.values().find_map(Value::as_str));
        // Neutron tells its faults apart by a type; the status alone is ambiguous there.
        let kind = root.get("NeutronError").and_then(|_| told("type"));
        let text = text.unwrap_or_default();
        return (
            true,
            kind.map_or_else(|| text.to_owned(), |kind| format!("{kind}: {text}")),
        );
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(4000)]).into_owned();
    (false, without_tags(&head))
}

/// Makes plain text of HTML, roughly: a proxy's page says its one sentence in it.
fn without_tags(html: &str) -> String {
    let body = html.find("<body").map_or(html, |at| &html[at..]);
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => {
                inside = true;
                text.push(' ');
            }
            '>' if inside => inside = false,
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

/// Cuts what a schema error echoes: the offending value can be the user data.
fn showable(text: &str) -> String {
    let head = text.split("Value:").next().unwrap_or_default();
    let words = head.split_whitespace().map(|word| {
        if word.chars().count() > LONGEST_WORD {
            "…"
        } else {
            word
        }
    });
    printable(&words.collect::<Vec<_>>().join(" "), SHOWN)
}
