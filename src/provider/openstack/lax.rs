//! Lenient numbers, objects and lists: what cannot be read is not known, and what is around it can be used.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess};

use super::told::{Odd, Taker, any};

/// A whole number, also where it comes as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number(pub Option<i64>, pub Odd);

impl Number {
    /// Returns it where it is not negative.
    pub(super) fn size(self) -> Option<u64> {
        self.0.and_then(|number| u64::try_from(number).ok())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;
        impl Taker<'_> for Take {
            type Out = Number;

            fn nothing(self, odd: Odd) -> Number {
                Number(None, odd)
            }

            fn number(self, number: i64) -> Number {
                Number(Some(number), None)
            }

            fn text(self, text: &str) -> Number {
                let number = text.trim().parse().ok();
                Number(number, if number.is_none() { Some("a text") } else { None })
            }
        }
        any(deserializer, Take)
    }
}

/// Yes or no, also where it comes as a text; `None` where it is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flag(pub Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;
        impl Taker<'_> for Take {
            type Out = Flag;

            fn nothing(self, _: Odd) -> Flag {
                Flag(None)
            }

            fn flag(self, flag: bool) -> Flag {
                Flag(Some(flag))
            }

            fn text(self, text: &str) -> Flag {
                Flag(text.trim().to_lowercase().parse().ok())
            }
        }
        any(deserializer, Take)
    }
}

/// An object, or nothing where there is something else.
#[derive(Debug)]
pub(super) struct Lax<T>(pub Option<T>);

impl<T> Default for Lax<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lax<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Taker<'de> for Take<T> {
            type Out = Lax<T>;

            fn nothing(self, _: Odd) -> Lax<T> {
                Lax(None)
            }

            fn object<A: MapAccess<'de>>(self, object: A) -> Result<Lax<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(object)).map(|it| Lax(Some(it)))
            }
        }
        any(deserializer, Take(PhantomData))
    }
}

/// The objects of a list; nothing where there is something else than a list.
#[derive(Debug)]
pub(super) struct Many<T> {
    pub all: Vec<T>,
    /// What there is instead of a list of objects.
    pub odd: Odd,
    /// Whether it is a list at all.
    pub listed: bool,
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            odd: None,
            listed: false,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Taker<'de> for Take<T> {
            type Out = Many<T>;

            fn nothing(self, odd: Odd) -> Many<T> {
                Many { odd, ..Many::default() }
            }

            fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Many<T>, A::Error> {
                let mut many = Many {
                    listed: true,
                    ..Many::default()
                };
                while let Some(Lax(entry)) = list.next_element::<Lax<T>>()? {
                    match entry {
                        Some(entry) => many.all.push(entry),
                        None => many.odd = Some("a list of something else"),
                    }
                }
                Ok(many)
            }
        }
        any(deserializer, Take(PhantomData))
    }
}
