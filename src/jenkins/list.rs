//! Lists of a JSON reply: read element by element, so that unused parts take no memory; or split, so that one odd
//! element hides no other.
//!
//! What an element means is left to `wire`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::lenient::{Object, Odd, Text, ValueReader, any};

/// Reads `{"KEY": [...]}`, and counts the elements of a second list, which need not be there.
///
/// The list must be there, and hold at most `most` elements. `convert` makes what is kept of an element, or refuses it
/// and with it the reply: then [`elements`] splits it.
pub fn list<'de, T, U>(
    text: &'de str,
    key: &'static str,
    beside: &'static str,
    most: usize,
    convert: impl FnMut(T) -> Option<U>,
) -> Result<(Vec<U>, u64), String>
where
    T: Deserialize<'de>,
{
    let mut elements = Elements {
        most,
        kept: Vec::new(),
        convert,
        element: PhantomData,
    };
    let counted = read(text, key, beside, &mut elements)?;
    Ok((elements.kept, counted))
}

/// Splits `{"KEY": [...]}` into the texts of its elements, at most `most`, and counts those of a second list.
pub fn elements<'de>(
    text: &'de str,
    key: &'static str,
    beside: &'static str,
    most: usize,
) -> Result<(Vec<&'de str>, u64), String> {
    let mut texts = Texts { most, kept: Vec::new() };
    let counted = read(text, key, beside, &mut texts)?;
    Ok((texts.kept, counted))
}

/// Reads the two lists; returns the length of the second.
fn read<'de>(
    text: &'de str,
    key: &'static str,
    beside: &'static str,
    elements: &mut impl ReadElements<'de>,
) -> Result<u64, String> {
    let mut counted = 0;
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(Outer {
        key,
        elements,
        beside,
        counted: &mut counted,
    });
    let found = found.and_then(|found| reader.end().map(|()| found));
    match found {
        Ok(true) => Ok(counted),
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

struct ReadLength;

impl<'de> ValueReader<'de> for ReadLength {
    type Out = Length;

    fn other(self, _: Odd) -> Length {
        Length(0)
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Length, A::Error> {
        let mut length = 0;
        while list.next_element::<IgnoredAny>()?.is_some() {
            length += 1;
        }
        Ok(Length(length))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadLength)
    }
}

/// Reads elements into where they are kept.
trait ReadElements<'de> {
    fn read<A: SeqAccess<'de>>(&mut self, seq: A) -> Result<(), A::Error>;
}

struct Elements<T, U, F> {
    most: usize,
    kept: Vec<U>,
    convert: F,
    element: PhantomData<T>,
}

impl<'de, T, U, F> ReadElements<'de> for Elements<T, U, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Option<U>,
{
    fn read<A: SeqAccess<'de>>(&mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(Object(element)) = seq.next_element::<Object<T>>()? {
            if self.kept.len() == self.most {
                return Err(too_many(self.most));
            }
            let kept = element.and_then(&mut self.convert);
            self.kept
                .push(kept.ok_or_else(|| A::Error::custom("an element is not as it should be"))?);
        }
        Ok(())
    }
}

struct Texts<'de> {
    most: usize,
    kept: Vec<&'de str>,
}

impl<'de> ReadElements<'de> for Texts<'de> {
    fn read<A: SeqAccess<'de>>(&mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<&'de RawValue>()? {
            if self.kept.len() == self.most {
                return Err(too_many(self.most));
            }
            self.kept.push(element.get());
        }
        Ok(())
    }
}

fn too_many<E: serde::de::Error>(most: usize) -> E {
    E::custom(format!("more than {most} elements"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_told_apart() {
        let text = r#"{"x":1,"list":[{"a":1,"a":2},3,{"b":1e999}],"beside":[1,2]}"#;
        let (all, beside) = elements(text, "list", "beside", 3).unwrap();
        assert_eq!((all, beside), (vec![r#"{"a":1,"a":2}"#, "3", r#"{"b":1e999}"#], 2));
        assert!(elements(text, "list", "", 2).is_err());
        assert!(elements(text, "other", "", 3).is_err());
        assert!(elements("{\"list\":[1}", "list", "", 3).is_err());
    }
}
