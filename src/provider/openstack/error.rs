//! Errors of the services: the one message in any of OpenStack's error bodies, and what it means for
//! a listing, a create or a delete.
//!
//! The text is data: bounded, printable, and without what a schema error echoes of our own request.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::{Map, Value};

use super::catalog::Service;
use crate::http::{HttpError, Reply};
use crate::lenient::read_with;
use crate::model::FaultKind;
use crate::provider::ProviderError;
use crate::text::printable;

/// A larger error body is not parsed (a schema error may echo the whole user data).
const LARGEST_PARSED: usize = 1024 * 1024;
/// The most characters of a message that are shown.
const SHOWN: usize = 200;
/// A longer word is echoed data.
const LONGEST_WORD: usize = 80;

/// Neutron's name for a path that it does not know.
const NO_SUCH_PATH: &str = "HTTPNotFound";

// Words of messages beside those of `FaultKind`: each belongs to one request whose status alone is ambiguous.

/// Another server took the port since it was seen free.
const PORT_TAKEN: &str = "is still in use";
/// Nova chooses a network only where there is one.
const SEVERAL_NETWORKS: [&str; 2] = ["multiple", "more than one"];
/// Cinder's answer for a volume in a state that forbids the change.
const VOLUME_STATE: [&str; 2] = ["invalid volume", "invalidvolume"];
/// Neutron has no router between the port and the pool.
const NO_ROUTER: [&str; 2] = ["externalgatewayforfloatingipnotfound", "is not reachable from subnet"];

/// The keys of a message in an error body, the best first.
const WORDS: [&str; 4] = ["message", "detail", "title", "error_msg"];

/// A reply that is no success.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub status: u16,
    /// Whether the body was JSON, so that an API spoke and not a proxy.
    pub json: bool,
    /// Whether it is a web server's answer for any unknown path: a page, or the same in JSON.
    plain: bool,
    /// The service's name for it: `itemNotFound`, or Neutron's type, `FloatingIPNotFound`.
    name: Option<String>,
    /// The whole message in lower case, for comparisons.
    lower: String,
    /// The message as it may be shown.
    shown: String,
    request: Option<String>,
    retry_after: Option<u64>,
    location: Option<String>,
}

impl Fault {
    pub(super) fn read(reply: &Reply) -> Self {
        Self::hiding(reply, "")
    }

    /// Reads a reply that may echo a text of ours (the encoded script), which is not shown.
    pub(super) fn hiding(reply: &Reply, secret: &str) -> Self {
        let ErrorBody {
            json,
            plain,
            name,
            mut text,
        } = ErrorBody::read(&reply.body);
        if !secret.is_empty() {
            text = text.replace(secret, "***");
        }
        let request = reply
            .header("x-openstack-request-id")
            .or_else(|| reply.header("x-compute-request-id"));
        Self {
            status: reply.status,
            json,
            plain,
            name,
            lower: text.to_lowercase(),
            shown: showable(&text),
            request: request.map(|id| printable(id, 60)),
            retry_after: reply.retry_after(),
            location: reply.header("location").map(|to| printable(to, 100)),
        }
    }

    /// Returns the message with the status and the request id.
    pub(super) fn text(&self) -> String {
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

    /// Returns whether the service itself answers that it has no such thing. The 404 of a gateway, a proxy or a wrong
    /// URL proves nothing: forgetting the thing for it would leak it.
    pub(super) fn is_gone(&self, service: Service) -> bool {
        let name = self.name.as_deref().unwrap_or_default();
        self.status == 404
            && match service {
                Service::Compute | Service::Volume => name == "itemNotFound",
                // A type of Neutron's.
                Service::Network => {
                    name.starts_with(char::is_uppercase) && name.ends_with("NotFound") && name != NO_SUCH_PATH
                }
                // Glance answers as any web server would; only a look-up may believe it.
                Service::Image => self.plain,
            }
    }

    /// Returns whether it is a 404 that does not come from an OpenStack service: of a gateway, a proxy or a wrong URL.
    pub(super) fn is_foreign(&self) -> bool {
        self.status == 404 && self.name.is_none()
    }

    /// Returns whether it is a 404 for the path, of whatever answers there: another one may be right.
    pub(super) fn is_unrouted(&self) -> bool {
        self.is_foreign() || self.status == 404 && self.name.as_deref() == Some(NO_SUCH_PATH)
    }

    /// Returns whether there were too many requests; 498 is one vendor's word for it.
    pub(super) fn is_throttle(status: u16) -> bool {
        matches!(status, 429 | 498)
    }

    fn mentions(&self, any: &[&str]) -> bool {
        any.iter().any(|text| self.lower.contains(text))
    }

    fn is_quota(&self) -> bool {
        matches!(
            FaultKind::from_message(&self.lower),
            FaultKind::Quota | FaultKind::ServerQuota
        )
    }

    fn is_no_room(&self) -> bool {
        FaultKind::from_message(&self.lower) == FaultKind::NoRoom || self.mentions(&[PORT_TAKEN])
    }

    fn throttled(&self, what: &str) -> ProviderError {
        ProviderError::Throttled {
            message: format!("{what}: {}", self.text()),
            retry_after: self.retry_after,
        }
    }

    /// What it means for a listing or a look-up.
    pub(super) fn of_reading(&self, what: &str) -> ProviderError {
        let text = format!("{what}: {}", self.text());
        match self.status {
            401 => ProviderError::Auth(format!(
                "{what}: the token of a fresh login is refused: {}",
                self.text()
            )),
            403 => ProviderError::Auth(text),
            // The advice comes first: what follows may be cut.
            404 if self.is_foreign() => ProviderError::Misrouted(format!(
                "{what}: something else than the service answered, is its endpoint right? {}",
                self.text()
            )),
            404 => ProviderError::NotFound(text),
            // Cinder's quota, with a Retry-After of 0 that nobody should follow.
            413 if self.is_quota() => ProviderError::Quota(text),
            status if Self::is_throttle(status) => self.throttled(what),
            413 if self.json => self.throttled(what),
            300..=399 => ProviderError::Unavailable(format!("{text}; is the endpoint right?")),
            500..=599 => ProviderError::Unavailable(text),
            _ => ProviderError::BadAnswer(text),
        }
    }

    /// What it means for POST /servers: [`ProviderError::Unknown`] unless the request was surely rejected.
    /// A policy may forbid what this template asks for alone (a host, a volume, a network), so 403 is no bad login.
    pub(super) fn of_create(&self, what: &str) -> ProviderError {
        let text = format!("{what}: {}", self.text());
        let kind = FaultKind::from_message(&self.lower);
        match self.status {
            status if Self::is_throttle(status) => self.throttled(what),
            400..=499 if kind == FaultKind::ServerQuota => ProviderError::ServerQuota(text),
            400..=499 if self.is_quota() => ProviderError::Quota(text),
            400..=499 if self.is_no_room() => ProviderError::Capacity(text),
            401 => self.of_reading(what),
            409 if self.mentions(&["network"]) && self.mentions(&SEVERAL_NETWORKS) => ProviderError::Refused(
                // The advice comes first: what follows may be cut.
                format!(
                    "{what}: the project sees several networks, name one under `networks` of the template: {}",
                    self.text()
                ),
            ),
            413 if self.json => self.throttled(what),
            404 if self.is_foreign() => self.of_reading(what),
            300..=399 => ProviderError::Unavailable(format!("{text}; is the endpoint right?")),
            400 if self.mentions(&["availability zone"]) => ProviderError::Zone(text),
            400..=499 => ProviderError::Refused(text),
            _ => ProviderError::Unknown(text),
        }
    }

    /// What it means for POST /ports: never that a server may exist, since none was asked for yet.
    pub(super) fn of_port(&self, what: &str) -> ProviderError {
        match self.of_create(what) {
            ProviderError::Unknown(text) => ProviderError::Failed(text),
            other => other,
        }
    }

    /// What it means for a DELETE, other than that the thing is gone already.
    pub(super) fn of_delete(&self, what: &str) -> ProviderError {
        self.of_change(what)
    }

    /// What it means for a small change that may be repeated.
    pub(super) fn of_change(&self, what: &str) -> ProviderError {
        let text = format!("{what}: {}", self.text());
        match self.status {
            409 => ProviderError::Conflict(text),
            400 if self.mentions(&VOLUME_STATE) => ProviderError::Conflict(text),
            400 | 422 => ProviderError::Refused(text),
            _ => self.of_reading(what),
        }
    }

    /// Returns whether a floating IP cannot come to this port, but may to another one of the server.
    pub(super) fn is_no_way(&self) -> bool {
        self.status == 404 && self.mentions(&NO_ROUTER)
    }

    /// What it means for POST /floatingips, where the type in the message tells more than the status.
    pub(super) fn of_floating_ip(&self, what: &str) -> ProviderError {
        let text = format!("{what}: {}", self.text());
        match self.status {
            status if Self::is_throttle(status) => self.throttled(what),
            400..=499 if self.is_quota() => ProviderError::Quota(text),
            400..=499 if self.is_no_room() => ProviderError::Capacity(text),
            401 | 403 | 413 | 300..=399 => self.of_reading(what),
            409 => ProviderError::Conflict(text),
            404 if self.is_foreign() => self.of_reading(what),
            404 if self.is_no_way() => ProviderError::Refused(format!(
                // The advice comes first: what follows may be cut.
                "{what}: no router joins the server's network to floating_ip_pool: {}",
                self.text()
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
pub(super) fn parse<'de, T: Deserialize<'de>>(what: &str, reply: &'de Reply) -> Result<T, ProviderError> {
    parse_with(what, reply, || PhantomData)
}

/// Reads a 2xx body by a seed.
pub(super) fn parse_with<'de, S: DeserializeSeed<'de>>(
    what: &str,
    reply: &'de Reply,
    seed: impl Fn() -> S,
) -> Result<S::Value, ProviderError> {
    if !(200..300).contains(&reply.status) {
        return Err(Fault::read(reply).of_reading(what));
    }
    read_with(&reply.body, seed).map_err(|cause| {
        let begins = printable(&cause.to_string(), 120);
        ProviderError::BadAnswer(format!("{what}: {begins}; it begins \"{}\"", start(&reply.body)))
    })
}

fn start(body: &[u8]) -> String {
    printable(&String::from_utf8_lossy(&body[..body.len().min(120)]), 60)
}

/// The parts of an error body.
struct ErrorBody {
    json: bool,
    plain: bool,
    name: Option<String>,
    text: String,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        if body.len() <= LARGEST_PARSED
            && let Ok(Value::Object(root)) = serde_json::from_slice::<Value>(body)
        {
            let name = name(&root);
            let text = message(&root).unwrap_or_default();
            // Neutron's faults differ by a type; the status alone is ambiguous.
            let text = match &name {
                Some(kind) if root.contains_key("NeutronError") => format!("{kind}: {text}"),
                _ => text.to_owned(),
            };
            // `{"code": "404 Not Found", "message", "title"}`: a page in JSON, for those who accept that.
            let plain = root.get("code").is_some_and(Value::is_string) && root.contains_key("title");
            return Self {
                json: true,
                plain,
                name,
                text,
            };
        }
        let head = String::from_utf8_lossy(&body[..body.len().min(4000)]).into_owned();
        Self {
            json: false,
            plain: !body.is_empty(),
            name: None,
            text: without_tags(&head),
        }
    }
}

/// Finds the name of a fault: the key around `{"itemNotFound": {"code", "message"}}`, the type of a `NeutronError`. A
/// gateway gives none.
fn name(root: &Map<String, Value>) -> Option<String> {
    if let Some(Value::Object(inner)) = root.get("NeutronError") {
        return Some(inner.get("type")?.as_str()?.to_owned());
    }
    let mut entries = root.iter();
    match (entries.next()?, entries.next()) {
        ((key, Value::Object(inner)), None) if inner.contains_key("message") && key != "error" => Some(key.clone()),
        _ => None,
    }
}

/// Finds the one message in an error body: in the object that has the fault's name, in a list of errors, or at the top.
fn message(root: &Map<String, Value>) -> Option<&str> {
    let lists = || root.values().filter_map(Value::as_array).flatten();
    let inner = root.values().find_map(Value::as_object);
    let listed = lists().find_map(Value::as_object);
    let told = |of: &'_ Map<String, Value>, word: &str| filled(of.get(word)).is_some();
    for of in [inner, listed, Some(root)].into_iter().flatten() {
        if let Some(word) = WORDS.into_iter().find(|word| told(of, word)) {
            return filled(of.get(word));
        }
    }
    lists()
        .find_map(|text| filled(Some(text)))
        .or_else(|| root.values().find_map(|text| filled(Some(text))))
}

fn filled(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Makes plain text of HTML, roughly: enough for the one sentence of a proxy's page.
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
