//! Values of a JSON reply of which one that is absent, null or of another type must not fail the whole reply.
//!
//! They borrow from the body where they can: a reply may hold a hundred thousand items.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value as far as it is needed: a scalar or nothing of interest.
#[derive(Debug, PartialEq)]
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Flag(bool),
    Number(i64),
    Null,
    Other,
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Scalar::Other, Scalar::Number))
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// A text; `None` when it is absent, null or something else.
#[derive(Debug, Default)]
pub struct Text<'a>(pub Option<Cow<'a, str>>);

impl Text<'_> {
    /// Returns the text unless it is empty.
    pub fn filled(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// Returns the text as its own string.
    pub fn into_string(self) -> Option<String> {
        self.0.map(Cow::into_owned)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Text(text) => Self(Some(text)),
            _ => Self(None),
        })
    }
}

/// A text of which absent and null mean different things.
#[derive(Debug, Default)]
pub enum Told<'a> {
    /// Absent, or neither text nor null.
    #[default]
    Untold,
    /// Null.
    Null,
    /// A text.
    Text(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Told<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Text(text) => Self::Text(text),
            Scalar::Null => Self::Null,
            _ => Self::Untold,
        })
    }
}

/// A flag; `None` when it is absent or something else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flag(pub Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Flag(value) => Self(Some(value)),
            _ => Self(None),
        })
    }
}

/// A whole number; `None` when it is absent or something else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Number(pub Option<i64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Number(value) => Self(Some(value)),
            _ => Self(None),
        })
    }
}

/// An object; `None` when it is absent, null or something else.
#[derive(Debug)]
pub struct Object<T>(pub Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E>(self, _value: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _value: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _value: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Reads `{"KEY": [...]}` element by element, so that neither the elements nor what is not kept of them pile up.
///
/// The list must be there, and hold at most `most` elements. `convert` makes what is kept of an element, drops it with
/// `None`, or refuses the reply.
pub fn list<'de, T, U>(
    body: &'de [u8],
    key: &'static str,
    most: usize,
    convert: impl FnMut(T) -> Result<Option<U>, &'static str>,
) -> Result<Vec<U>, String>
where
    T: Deserialize<'de>,
{
    list_beside(body, key, "", most, convert).map(|(kept, _)| kept)
}

/// The same, and counts the elements of a second list, which need not be there.
pub fn list_beside<'de, T, U>(
    body: &'de [u8],
    key: &'static str,
    beside: &'static str,
    most: usize,
    convert: impl FnMut(T) -> Result<Option<U>, &'static str>,
) -> Result<(Vec<U>, u64), String>
where
    T: Deserialize<'de>,
{
    let mut kept = Vec::new();
    let mut counted = 0;
    let mut elements = Elements {
        most,
        kept: &mut kept,
        convert,
        element: PhantomData,
    };
    // Checked once: checking each text on its own takes a quarter more of the time.
    let text = str::from_utf8(body).map_err(|_| "not UTF-8")?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(Outer {
        key,
        elements: &mut elements,
        beside,
        counted: &mut counted,
    });
    let found = found.and_then(|found| reader.end().map(|()| found));
    match found {
        Ok(true) => Ok((kept, counted)),
        Ok(false) => Err(format!("it holds no list {key}")),
        Err(error) => Err(error.to_string()),
    }
}

struct Outer<'e, E> {
    key: &'static str,
    elements: &'e mut E,
    beside: &'static str,
    counted: &'e mut u64,
}

/// The length of a list; 0 of anything else.
struct Length(u64);

struct LengthVisitor;

impl<'de> Visitor<'de> for LengthVisitor {
    type Value = Length;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Length, E> {
        Ok(Length(0))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Length, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Length(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Length, A::Error> {
        let mut length = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            length += 1;
        }
        Ok(Length(length))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LengthVisitor)
    }
}

/// Reads elements into where they are kept.
trait ReadElements<'de> {
    fn read<A: SeqAccess<'de>>(&mut self, seq: A) -> Result<(), A::Error>;
}

struct Elements<'k, T, U, F> {
    most: usize,
    kept: &'k mut Vec<U>,
    convert: F,
    element: PhantomData<T>,
}

impl<'de, T, U, F> ReadElements<'de> for Elements<'_, T, U, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Result<Option<U>, &'static str>,
{
    fn read<A: SeqAccess<'de>>(&mut self, mut seq: A) -> Result<(), A::Error> {
        let mut seen = 0_usize;
        while let Some(Object(element)) = seq.next_element::<Object<T>>()? {
            seen += 1;
            if seen > self.most {
                return Err(A::Error::custom(format!("more than {} elements", self.most)));
            }
            let Some(element) = element else { continue };
            if let Some(kept) = (self.convert)(element).map_err(A::Error::custom)? {
                self.kept.push(kept);
            }
        }
        Ok(())
    }
}

impl<'de, E: ReadElements<'de>> Visitor<'de> for Outer<'_, E> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a list {}", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            if key.as_deref() == Some(self.key) && !found {
                map.next_value_seed(Inner(&mut *self.elements))?;
                found = true;
            } else if !self.beside.is_empty() && key.as_deref() == Some(self.beside) {
                let Length(length) = map.next_value()?;
                *self.counted = self.counted.saturating_add(length);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

struct Inner<'e, E>(&'e mut E);

impl<'de, E: ReadElements<'de>> DeserializeSeed<'de> for Inner<'_, E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, E: ReadElements<'de>> Visitor<'de> for Inner<'_, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        self.0.read(seq)
    }
}
