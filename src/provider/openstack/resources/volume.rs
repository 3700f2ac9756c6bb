//! Volumes: listed, and marked as ours after Nova made them for a server.

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::listed::{Listed, name_of};
use crate::http::{HttpError, escaped};
use crate::lenient::{Lenient, LenientText, List, Odd, Utc, object, text};
use crate::model::{Resource, ResourceKind, ResourceMark, ServerId, is_uuid};
use crate::provider::ProviderError;
use crate::provider::openstack::catalog::Service;
use crate::provider::openstack::entry::ListEntry;
use crate::provider::openstack::error::{Fault, unreachable};
use crate::provider::openstack::pages::pages;
use crate::provider::openstack::session::{Call, CallError, Session};
use crate::text::printable;

/// The states in which Cinder removes a volume that is attached to nothing.
const REMOVABLE: [&str; 5] = [
    "available",
    "error",
    "error_restoring",
    "error_extending",
    "error_managing",
];

/// The suffix, after the server's id, in Nova's name for a volume that it makes for a blank mapping.
const BLANK: &str = "-blank-vol";

#[derive(Deserialize)]
struct Shown {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default)]
    name: LenientText,
    #[serde(default)]
    status: LenientText,
    #[serde(default)]
    created_at: Lenient<Utc>,
    #[serde(default)]
    attachments: List<Attachment>,
    #[serde(default)]
    metadata: Marks,
    #[serde(default, rename = "os-vol-tenant-attr:tenant_id")]
    tenant_id: LenientText,
}

#[derive(Deserialize)]
struct Attachment {
    #[serde(default)]
    server_id: LenientText,
}

/// Our mark in the metadata of a volume; the rest is not kept.
#[derive(Default)]
struct Marks(Option<ResourceMark>, Odd);

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found: [Option<String>; 2] = [None, None];
        let index = |key: &str| ResourceMark::KEYS.iter().position(|known| *known == key);
        let odd = object(deserializer, index, |at: usize, text| found[at] = Some(text))?;
        let [owner, server] = found;
        Ok(Self(
            owner.zip(server).map(|(owner, server)| ResourceMark { owner, server }),
            odd,
        ))
    }
}

impl ListEntry for Shown {
    const NOUN: &'static str = "volume";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        vec![
            ("status", self.status.odd),
            ("attachments", self.attachments.odd),
            ("metadata", self.metadata.1),
        ]
    }
}

impl Shown {
    fn listed(self) -> Listed {
        // What cannot be read may be an attachment.
        let attached = !self.attachments.all.is_empty() || self.attachments.odd.is_some();
        let user = self.attachments.all.into_iter().find_map(|at| at.server_id.filled());
        let made_for = || self.name.value.as_deref()?.strip_suffix(BLANK).filter(|id| is_uuid(id));
        let server = user.or_else(|| made_for().map(str::to_owned)).map(ServerId::new);
        let removable = self
            .status
            .value
            .is_some_and(|status| REMOVABLE.contains(&status.as_str()));
        Listed {
            project: self.tenant_id.filled(),
            resource: Resource {
                kind: ResourceKind::Volume,
                name: name_of(self.name, &self.id),
                id: self.id,
                in_use: attached || !removable,
                server,
                created: self.created_at.value.map(|at| at.0),
                mark: self.metadata.0,
            },
        }
    }
}

/// Lists all volumes; Cinder shows those of the project in its path.
pub(super) fn list(session: &mut Session) -> Result<Vec<Listed>, ProviderError> {
    let all: Vec<Shown> = pages(session, (Service::Volume, "volumes", "/volumes/detail"), "volumes")?;
    Ok(all.into_iter().map(Shown::listed).collect())
}

/// Adds our mark to a volume's metadata; its other keys stay.
pub(in crate::provider::openstack) fn mark(
    session: &mut Session,
    id: &str,
    mark: &ResourceMark,
) -> Result<(), ProviderError> {
    let what = format!("mark volume {}", printable(id, 60));
    if id.is_empty() {
        return Err(ProviderError::Refused(format!("{what}: it has no id")));
    }
    let values = ResourceMark::KEYS.into_iter().zip([&mark.owner, &mark.server]);
    let metadata: Map<String, Value> = values.map(|(key, value)| (key.to_owned(), json!(value))).collect();
    let body = json!({ "metadata": metadata }).to_string();
    let call = Call {
        method: Method::POST,
        service: Service::Volume,
        path: &format!("/volumes/{}/metadata", escaped(id)),
        body: Some(body.as_bytes()),
    };
    match session.call(&call) {
        Ok(reply) if (200..300).contains(&reply.status) => Ok(()),
        Ok(reply) => Err(Fault::read(&reply).of_change(&what)),
        Err(CallError::NotMade(error)) => Err(error),
        // Marking twice does no harm: the next pass sees whether it was.
        Err(CallError::Http(error @ HttpError::Broken { .. })) => {
            Err(ProviderError::Unknown(format!("{what}: {error}")))
        }
        Err(CallError::Http(error)) => Err(unreachable(&what, &error)),
    }
}
