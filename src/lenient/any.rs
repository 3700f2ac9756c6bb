//! A value of any JSON type.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a field holds instead of what it should; `None` where it is right, missing or null.
pub type Odd = Option<&'static str>;

/// Makes something of some JSON types. Every type that it does not take goes to [`other`](ValueReader::other).
pub trait ValueReader<'de>: Sized {
    type Out;

    /// Takes null, or a value of a type that is not expected.
    fn other(self, odd: Odd) -> Self::Out;

    fn text(self, _: &str) -> Self::Out {
        self.other(Some("a text"))
    }

    /// Takes a text that is in the body as it is.
    fn borrowed(self, text: &'de str) -> Self::Out {
        self.text(text)
    }

    /// Takes a whole number.
    fn number(self, _: i64) -> Self::Out {
        self.other(Some("a number"))
    }

    /// Takes a number that is not whole, or too large for an `i64`.
    fn float(self, _: f64) -> Self::Out {
        self.other(Some("a number"))
    }

    /// Takes a truth value.
    fn flag(self, _: bool) -> Self::Out {
        self.other(Some("true or false"))
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Out, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.other(Some("a list")))
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Out, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.other(Some("an object")))
    }
}

/// Reads whatever value there is.
pub fn any<'de, D: Deserializer<'de>, R: ValueReader<'de>>(deserializer: D, reader: R) -> Result<R::Out, D::Error> {
    deserializer.deserialize_any(Any(reader, PhantomData))
}

struct Any<'de, R>(R, PhantomData<&'de ()>);

impl<'de, R: ValueReader<'de>> Visitor<'de> for Any<'de, R> {
    type Value = R::Out;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<R::Out, E> {
        Ok(self.0.borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<R::Out, E> {
        Ok(self.0.text(text))
    }

    fn visit_unit<E>(self) -> Result<R::Out, E> {
        Ok(self.0.other(None))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<R::Out, E> {
        Ok(self.0.flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<R::Out, E> {
        Ok(self.0.number(number))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "such a number is at best compared with a limit"
    )]
    fn visit_u64<E>(self, number: u64) -> Result<R::Out, E> {
        Ok(match i64::try_from(number) {
            Ok(number) => self.0.number(number),
            Err(_) => self.0.float(number as f64),
        })
    }

    fn visit_f64<E>(self, number: f64) -> Result<R::Out, E> {
        Ok(self.0.float(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<R::Out, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<R::Out, A::Error> {
        self.0.object(object)
    }
}
