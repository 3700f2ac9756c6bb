//! Texts, numbers and flags that may be absent, null or something else.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer};

use super::any::{Odd, ValueReader, any};

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
        match TextOrNull::deserialize(deserializer)? {
            TextOrNull::Text(text) => Ok(Self(Some(text))),
            TextOrNull::Null | TextOrNull::Absent => Ok(Self(None)),
        }
    }
}

/// A text of which absent and null mean different things.
#[derive(Debug, Default)]
pub enum TextOrNull<'a> {
    /// Absent, or neither text nor null.
    #[default]
    Absent,
    Null,
    Text(Cow<'a, str>),
}

struct ReadText;

impl<'de> ValueReader<'de> for ReadText {
    type Out = TextOrNull<'de>;

    fn other(self, odd: Odd) -> TextOrNull<'de> {
        match odd {
            None => TextOrNull::Null,
            Some(_) => TextOrNull::Absent,
        }
    }

    fn text(self, text: &str) -> TextOrNull<'de> {
        TextOrNull::Text(Cow::Owned(text.to_owned()))
    }

    fn borrowed(self, text: &'de str) -> TextOrNull<'de> {
        TextOrNull::Text(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextOrNull<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadText)
    }
}

/// A value that is read from a text, without a copy of the text where none is kept.
pub trait FromText: Sized {
    /// What a text is that cannot be read as one.
    const UNUSABLE: Odd = None;

    fn from_text(text: &str) -> Option<Self>;
}

impl FromText for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// A time in RFC 3339; one without an offset (Cinder's, old Neutron's, some gateways') is UTC.
#[derive(Debug)]
pub struct Utc(pub Timestamp);

impl FromText for Utc {
    const UNUSABLE: Odd = Some("no time");

    fn from_text(text: &str) -> Option<Self> {
        let after_date = text.get(10..).unwrap_or_default();
        if after_date.contains(['Z', 'z', '+', '-']) {
            return text.parse().ok().map(Self);
        }
        TimeZone::UTC
            .to_timestamp(text.parse::<DateTime>().ok()?)
            .ok()
            .map(Self)
    }
}

impl FromText for IpAddr {
    const UNUSABLE: Odd = Some("no address");

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A value that is read from a text, or what there is instead.
#[derive(Debug)]
pub struct Lenient<T> {
    pub value: Option<T>,
    /// What there is instead.
    pub odd: Odd,
}

/// A text, or something else that is ignored.
pub type LenientText = Lenient<String>;

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self { value: None, odd: None }
    }
}

impl LenientText {
    /// Returns the text unless it is empty.
    pub fn filled(self) -> Option<String> {
        self.value.filter(|text| !text.is_empty())
    }
}

struct ReadLenient<T>(PhantomData<T>);

impl<T: FromText> ValueReader<'_> for ReadLenient<T> {
    type Out = Lenient<T>;

    fn other(self, odd: Odd) -> Lenient<T> {
        Lenient { value: None, odd }
    }

    fn text(self, text: &str) -> Lenient<T> {
        let value = T::from_text(text);
        let odd = if value.is_none() { T::UNUSABLE } else { None };
        Lenient { value, odd }
    }
}

impl<'de, T: FromText> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadLenient(PhantomData))
    }
}

/// Reads a text, or an empty one for anything else (`deserialize_with`).
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    LenientText::deserialize(deserializer).map(|text| text.value.unwrap_or_default())
}

/// Reads a text that is not empty, or nothing for anything else (`deserialize_with`).
pub fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    LenientText::deserialize(deserializer).map(LenientText::filled)
}

/// A flag; `None` when it is absent or something else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flag(pub Option<bool>);

struct ReadFlag;

impl ValueReader<'_> for ReadFlag {
    type Out = Option<bool>;

    fn other(self, _: Odd) -> Option<bool> {
        None
    }

    fn flag(self, flag: bool) -> Option<bool> {
        Some(flag)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadFlag).map(Self)
    }
}

/// A flag, also where it comes as a text in upper or lower case; `None` where it is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlagOrText(pub Option<bool>);

struct ReadFlagOrText;

impl ValueReader<'_> for ReadFlagOrText {
    type Out = Option<bool>;

    fn other(self, _: Odd) -> Option<bool> {
        None
    }

    fn flag(self, flag: bool) -> Option<bool> {
        Some(flag)
    }

    fn text(self, text: &str) -> Option<bool> {
        text.trim().to_lowercase().parse().ok()
    }
}

impl<'de> Deserialize<'de> for FlagOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadFlagOrText).map(Self)
    }
}

/// A whole number; `None` when it is absent or something else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Number(pub Option<i64>);

struct ReadNumber;

impl ValueReader<'_> for ReadNumber {
    type Out = Option<i64>;

    fn other(self, _: Odd) -> Option<i64> {
        None
    }

    fn number(self, number: i64) -> Option<i64> {
        Some(number)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadNumber).map(Self)
    }
}

/// A whole number, also where it comes as a text; a fraction is cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NumberOrText {
    pub value: Option<i64>,
    /// What there is instead.
    pub odd: Odd,
}

impl From<i64> for NumberOrText {
    fn from(number: i64) -> Self {
        Self {
            value: Some(number),
            odd: None,
        }
    }
}

impl NumberOrText {
    /// Returns it where it is not negative.
    pub fn size(self) -> Option<u64> {
        self.value.and_then(|number| u64::try_from(number).ok())
    }
}

struct ReadNumberOrText;

impl ValueReader<'_> for ReadNumberOrText {
    type Out = NumberOrText;

    fn other(self, odd: Odd) -> NumberOrText {
        NumberOrText { value: None, odd }
    }

    fn number(self, number: i64) -> NumberOrText {
        number.into()
    }

    #[expect(clippy::cast_possible_truncation, reason = "a size in whole numbers is wanted")]
    fn float(self, number: f64) -> NumberOrText {
        self.number(number as i64)
    }

    fn text(self, text: &str) -> NumberOrText {
        match text.trim().parse() {
            Ok(number) => self.number(number),
            Err(_) => self.other(Some("a text")),
        }
    }
}

impl<'de> Deserialize<'de> for NumberOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer, ReadNumberOrText)
    }
}
