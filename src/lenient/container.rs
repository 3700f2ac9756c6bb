//! Objects and lists that may be absent, null or something else, and walks over objects that keep a few keys.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::any::{Odd, ValueReader, any};
use super::scalar::LenientText;

/// An object; `None` when it is absent, null or something else.
#[derive(Debug)]
pub struct Object<T>(pub Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

struct ReadObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> ValueReader<'de> for ReadObject<T> {
    type Out = Object<T>;

    fn other(self, _: Odd) -> Object<T> {
        Object(None)
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|value| Object(Some(value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadObject(PhantomData))
    }
}

/// The objects of a list; nothing where there is something else than a list.
#[derive(Debug)]
pub struct List<T> {
    /// The objects; what else is in the list is left out.
    pub all: Vec<T>,
    /// What there is instead of a list of objects.
    pub odd: Odd,
    /// Whether it is a list at all.
    pub listed: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            odd: None,
            listed: false,
        }
    }
}

struct ReadList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> ValueReader<'de> for ReadList<T> {
    type Out = List<T>;

    fn other(self, odd: Odd) -> List<T> {
        List { odd, ..List::default() }
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        let mut read = List {
            listed: true,
            ..List::default()
        };
        while let Some(Object(entry)) = list.next_element::<Object<T>>()? {
            match entry {
                Some(entry) => read.all.push(entry),
                None => read.odd = Some("a list of something else"),
            }
        }
        Ok(read)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadList(PhantomData))
    }
}

/// Which field of an inner object is wanted.
pub trait FieldName {
    const NAME: &'static str;
}

/// One text of an inner object; `None` where there is no object (`image` is `""` after boot from volume).
#[derive(Debug, Default)]
pub struct FieldOf<F>(pub Option<String>, PhantomData<F>);

impl<'de, F: FieldName> Deserialize<'de> for FieldOf<F> {
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

/// Reads some keys of an object, or ignores something else: `which` picks keys without a copy of them,
/// `keep` takes the texts. Returns what else it was.
pub fn object<'de, D, K>(
    deserializer: D,
    which: impl Fn(&str) -> Option<K>,
    keep: impl FnMut(K, String),
) -> Result<Odd, D::Error>
where
    D: Deserializer<'de>,
{
    any(deserializer, Walk(which, keep))
}

struct Walk<W, P>(W, P);

impl<'de, K, W: Fn(&str) -> Option<K>, P: FnMut(K, String)> ValueReader<'de> for Walk<W, P> {
    type Out = Odd;

    fn other(self, odd: Odd) -> Odd {
        odd
    }

    fn object<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Odd, A::Error> {
        while let Some(wanted) = map.next_key_seed(Pick(&self.0))? {
            match wanted {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(key) => {
                    if let Some(text) = map.next_value::<LenientText>()?.value {
                        (self.1)(key, text);
                    }
                }
            }
        }
        Ok(None)
    }
}

struct Pick<'a, W>(&'a W);

impl<'de, K, W: Fn(&str) -> Option<K>> DeserializeSeed<'de> for Pick<'_, W> {
    type Value = Option<K>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<K>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<K, W: Fn(&str) -> Option<K>> Visitor<'_> for Pick<'_, W> {
    type Value = Option<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<K>, E> {
        Ok((self.0)(key))
    }
}
