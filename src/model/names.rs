//! The names and ids of templates, providers, servers and nodes, and how they are put together.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::digest_u64;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        // Shared, since a pass copies names far more often than it makes one.
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a text that is already known to be such a name.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(ReadName).map(Self)
            }
        }
    };
}

/// Reads the text of a name, without a copy beside the one that is kept.
struct ReadName;

impl Visitor<'_> for ReadName {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Arc<str>, E> {
        Ok(text.into())
    }
}

name_type! {
    /// The name of a node template, an entry of `nodes:`.
    TemplateName
}
name_type! {
    /// The name of an entry of `provider:`.
    ProviderName
}
name_type! {
    /// The cloud's own id of a server.
    ServerId
}
name_type! {
    /// The display name of a Jenkins node (agent).
    NodeName
}
name_type! {
    /// An availability zone.
    Zone
}
name_type! {
    /// The random part of a server's name: 12 lower-case hexadecimal digits, never used twice.
    NodeId
}

/// Separates the template from the id in a server's name.
pub const NAME_SEPARATOR: &str = "__";

impl NodeId {
    /// Reads an id: exactly 12 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.len() == 12 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        good.then(|| Self::new(text))
    }
}

/// Makes the name of a server: `<template>__<id>`.
pub fn server_name(template: &TemplateName, id: &NodeId) -> String {
    format!("{template}{NAME_SEPARATOR}{id}")
}

/// Takes a name of the form `<template>__<id>` apart.
pub fn split_server_name(name: &str) -> Option<(TemplateName, NodeId)> {
    let (template, id) = name.rsplit_once(NAME_SEPARATOR)?;
    let id = NodeId::parse(id)?;
    (!template.is_empty()).then(|| (TemplateName::new(template), id))
}

/// Returns the id under which a server is known that has none of ours, since another program or a person made it: a
/// digest of where it stands and of the cloud's id, the same in every pass.
pub fn adopted_id(provider: &ProviderName, server: &ServerId) -> NodeId {
    let digest = digest_u64(format!("{provider} {server}").as_bytes());
    NodeId::new(format!("{:012x}", digest >> 16))
}

/// Returns whether a text is a UUID in its usual form, as the original tool put it behind `<template>__`.
pub fn is_uuid(text: &str) -> bool {
    let good = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(good)
}

/// Takes a name apart that mita or the original tool gave: `<template>__<id>` or `<template>__<uuid>`. Returns the
/// template.
pub fn template_in_name(name: &str) -> Option<&str> {
    let (template, id) = name.rsplit_once(NAME_SEPARATOR)?;
    let good = NodeId::parse(id).is_some() || is_uuid(id);
    (good && !template.is_empty()).then_some(template)
}

/// Takes a name of the form `<front>+<ip>` apart. Jenkins allows no colon in a name, so IPv6 is written with `-`.
pub fn split_address_name(name: &str) -> Option<(&str, IpAddr)> {
    let (front, text) = name.rsplit_once('+')?;
    let address = text.parse().ok().or_else(|| text.replace('-', ":").parse().ok())?;
    Some((front, address))
}

/// Takes a name of the form `<ip>+<rest>` apart.
pub fn split_name_address(name: &str) -> Option<(IpAddr, &str)> {
    let (text, rest) = name.split_once('+')?;
    let address = text.parse().ok().or_else(|| text.replace('-', ":").parse().ok())?;
    Some((address, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_and_an_id_stand_behind_a_template() {
        let uuid = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1A2B3C4D";
        assert!(is_uuid(uuid));
        for (name, template) in [
            (format!("small__{uuid}"), Some("small")),
            (format!("small__x__{uuid}"), Some("small__x")),
            ("small__0123456789ab".to_owned(), Some("small")),
            (format!("__{uuid}"), None),
            (format!("small_{uuid}"), None),
            (format!("small__{uuid}0"), None),
            (format!("small__{}", uuid.replace('-', "0")), None),
            (format!("small__{}", &uuid[..35]), None),
            ("small__".to_owned(), None),
        ] {
            assert_eq!(template_in_name(&name), template, "{name}");
        }
    }

    #[test]
    fn the_id_of_an_adopted_server_is_its_own_and_stays() {
        let id = |provider: &str, server: &str| adopted_id(&provider.into(), &server.into());
        assert_eq!(id("east", "1"), id("east", "1"));
        assert!(NodeId::parse(id("east", "1").as_str()).is_some());
        assert_ne!(id("east", "1"), id("east", "2"));
        assert_ne!(id("east", "1"), id("west", "1"));
    }

    #[test]
    fn a_uuid_has_five_groups() {
        assert!(is_uuid("d97761e1-0f6c-4a96-8896-d19c3eccbcf5"));
        assert!(!is_uuid("d97761e1-0f6c-4a96-8896-d19c3eccbcfg"));
        assert!(!is_uuid("Ubuntu 24.04"));
    }
}
