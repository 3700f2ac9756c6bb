//! Lenient pieces of JSON: a text where a text may be missing, and walks over objects that keep a few keys.
//!
//! A field of a kind that was not expected is nothing rather than an error: one odd server must not hide the others. What
//! it was instead is kept beside it where somebody wants to say so.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::ServerStatus;

/// What a field holds instead of what it should; `None` where it is right, missing or null.
pub(super) type Odd = Option<&'static str>;

/// What is made of a text, without a copy of the text where it is not kept.
pub(super) trait FromText: Sized {
    /// What a text is of which nothing can be made.
    const UNUSABLE: Odd = None;

    fn from_text(text: &str) -> Option<Self>;
}

impl FromText for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// A time. One without a zone (Cinder's, old Neutron's, some gateways') is UTC.
#[derive(Debug)]
pub(super) struct Utc(pub Timestamp);

impl FromText for Utc {
    const UNUSABLE: Odd = Some("no time");

    fn from_text(text: &str) -> Option<Self> {
        let bare = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
        let told = text.parse().ok().or_else(|| bare().map(|zoned| zoned.timestamp()));
        told.map(Self)
    }
}

impl FromText for IpAddr {
    const UNUSABLE: Odd = Some("no address");

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

/// Takes a text, or nothing for anything else.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Loose::deserialize(deserializer).map(|told| told.0.unwrap_or_default())
}

/// Takes a text that is not empty, or nothing for anything else.
pub(super) fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Loose::deserialize(deserializer).map(Loose::filled)
}

/// What can be found in some kinds of JSON: each kind that is not taken is nothing, and odd unless it is null.
pub(super) trait Taker<'de>: Sized {
    type Out;

    fn nothing(self, odd: Odd) -> Self::Out;

    fn text(self, _: &str) -> Self::Out {
        self.nothing(Some("a text"))
    }

    fn number(self, _: i64) -> Self::Out {
        self.nothing(Some("a number"))
    }

    fn flag(self, _: bool) -> Self::Out {
        self.nothing(Some("true or false"))
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Out, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.nothing(Some("a list")))
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Out, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.nothing(Some("an object")))
    }
}

/// Takes whatever is there.
pub(super) fn any<'de, D: Deserializer<'de>, T: Taker<'de>>(deserializer: D, taker: T) -> Result<T::Out, D::Error> {
    struct Any<T>(T);
    impl<'de, T: Taker<'de>> Visitor<'de> for Any<T> {
        type Value = T::Out;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_str<E>(self, text: &str) -> Result<T::Out, E> {
            Ok(self.0.text(text))
        }

        fn visit_unit<E>(self) -> Result<T::Out, E> {
            Ok(self.0.nothing(None))
        }

        fn visit_bool<E>(self, flag: bool) -> Result<T::Out, E> {
            Ok(self.0.flag(flag))
        }

        fn visit_i64<E>(self, number: i64) -> Result<T::Out, E> {
            Ok(self.0.number(number))
        }

        fn visit_u64<E>(self, number: u64) -> Result<T::Out, E> {
            Ok(self.0.number(i64::try_from(number).unwrap_or(i64::MAX)))
        }

        #[expect(clippy::cast_possible_truncation, reason = "a size in whole numbers is wanted")]
        fn visit_f64<E>(self, number: f64) -> Result<T::Out, E> {
            Ok(self.0.number(number as i64))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T::Out, A::Error> {
            self.0.list(list)
        }

        fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T::Out, A::Error> {
            self.0.object(object)
        }
    }
    deserializer.deserialize_any(Any(taker))
}

/// What a text told, or nothing where there is something else than a usable text.
#[derive(Debug)]
pub(super) struct Told<T>(pub Option<T>, pub Odd);

/// A text, or something else that is passed over.
pub(super) type Loose = Told<String>;

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self(None, None)
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
        struct Take<T>(PhantomData<T>);
        impl<T: FromText> Taker<'_> for Take<T> {
            type Out = Told<T>;

            fn nothing(self, odd: Odd) -> Told<T> {
                Told(None, odd)
            }

            fn text(self, text: &str) -> Told<T> {
                let told = T::from_text(text);
                let odd = if told.is_none() { T::UNUSABLE } else { None };
                Told(told, odd)
            }
        }
        any(deserializer, Take(PhantomData))
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
/// `keep` takes the texts. Returns what else it was.
pub(super) fn object<'de, D, K>(
    deserializer: D,
    which: impl Fn(&str) -> Option<K>,
    keep: impl FnMut(K, String),
) -> Result<Odd, D::Error>
where
    D: Deserializer<'de>,
{
    struct Walk<W, P>(W, P);
    impl<'de, K, W: Fn(&str) -> Option<K>, P: FnMut(K, String)> Taker<'de> for Walk<W, P> {
        type Out = Odd;

        fn nothing(self, odd: Odd) -> Odd {
            odd
        }

        fn object<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Odd, A::Error> {
            while let Some(wanted) = map.next_key_seed(Pick(&self.0))? {
                match wanted {
                    None => drop(map.next_value::<IgnoredAny>()?),
                    Some(key) => {
                        if let Told(Some(text), _) = map.next_value()? {
                            (self.1)(key, text);
                        }
                    }
                }
            }
            Ok(None)
        }
    }
    any(deserializer, Walk(which, keep))
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
