//! Lenient pieces of JSON: a text where a text may be missing, and walks over objects that keep a few keys.
//!
//! A field of a kind that was not expected is nothing rather than an error: one odd server must not hide the others.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::ServerStatus;

/// What is made of a text, without a copy of the text where it is not kept.
pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Option<Self>;
}

impl FromText for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl FromText for Timestamp {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A time that may come without a zone (Cinder's, old Neutron's): it is UTC then.
#[derive(Debug)]
pub(super) struct Utc(pub Timestamp);

impl FromText for Utc {
    fn from_text(text: &str) -> Option<Self> {
        let bare = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
        let told = text.parse().ok().or_else(|| bare().map(|zoned| zoned.timestamp()));
        told.map(Self)
    }
}

impl FromText for IpAddr {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FromText for ServerStatus {
    fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "ACTIVE" => Self::Active,
            "BUILD" => Self::Build,
            "ERROR" => Self::Error,
            "DELETED" | "SOFT_DELETED" => Self::Deleted,
            other => Self::Other(other.to_owned()),
        })
    }
}

/// Takes `null` for a field that is not there.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What a text told, or nothing where there is something else than a usable text.
#[derive(Debug)]
pub(super) struct Told<T>(pub Option<T>);

/// A text, or something else that is passed over.
pub(super) type Loose = Told<String>;

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl Loose {
    /// Returns the text unless it is empty.
    pub(super) fn filled(self) -> Option<String> {
        self.0.filter(|text| !text.is_empty())
    }
}

impl<'de, T: FromText> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: FromText> Visitor<'de> for Any<T> {
            type Value = Told<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Told<T>, E> {
                Ok(Told(T::from_text(text)))
            }

            fn visit_unit<E>(self) -> Result<Told<T>, E> {
                Ok(Told(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Told<T>, E> {
                Ok(Told(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Told<T>, E> {
                Ok(Told(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Told<T>, E> {
                Ok(Told(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Told<T>, E> {
                Ok(Told(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Told<T>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Told(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told<T>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Told(None))
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

/// Which field of an inner object is wanted.
pub(super) trait Field {
    const NAME: &'static str;
}

/// `id`.
#[derive(Debug, Default)]
pub(super) struct Id;
impl Field for Id {
    const NAME: &'static str = "id";
}

/// `message`.
#[derive(Debug, Default)]
pub(super) struct Message;
impl Field for Message {
    const NAME: &'static str = "message";
}

/// One text of an inner object; `None` where there is no object (`image` is `""` after boot from volume).
#[derive(Debug, Default)]
pub(super) struct Inner<F>(pub Option<String>, PhantomData<F>);

impl<'de, F: Field> Deserialize<'de> for Inner<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = None;
        object(
            deserializer,
            |key| (key == F::NAME).then_some(()),
            |(), text| found = Some(text),
        )?;
        Ok(Self(found, PhantomData))
    }
}

/// Walks over an object, or over something else of which nothing is kept: `which` picks keys without a copy of them,
/// `keep` takes the texts.
pub(super) fn object<'de, D, K>(
    deserializer: D,
    which: impl Fn(&str) -> Option<K>,
    keep: impl FnMut(K, String),
) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    struct Walk<W, P>(W, P);
    impl<'de, K, W: Fn(&str) -> Option<K>, P: FnMut(K, String)> Visitor<'de> for Walk<W, P> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some(wanted) = map.next_key_seed(Pick(&self.0))? {
                match wanted {
                    None => drop(map.next_value::<IgnoredAny>()?),
                    Some(key) => {
                        if let Told(Some(text)) = map.next_value()? {
                            (self.1)(key, text);
                        }
                    }
                }
            }
            Ok(())
        }

        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }

        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    }
    deserializer.deserialize_any(Walk(which, keep))
}

struct Pick<'a, W>(&'a W);

impl<'de, K, W: Fn(&str) -> Option<K>> DeserializeSeed<'de> for Pick<'_, W> {
    type Value = Option<K>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<K>, D::Error> {
        struct Key<'a, W>(&'a W);
        impl<K, W: Fn(&str) -> Option<K>> Visitor<'_> for Key<'_, W> {
            type Value = Option<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Option<K>, E> {
                Ok((self.0)(key))
            }
        }
        deserializer.deserialize_str(Key(self.0))
    }
}
