//! A text that is a part of a larger one, and shares it rather than copies it.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of a text that several share: the queue of a large controller holds half a million texts, and the reply they
/// are in is in memory anyway. The whole lives as long as one of its parts.
#[derive(Clone, Default)]
pub struct SharedText {
    /// `None` of an empty text.
    whole: Option<Rc<String>>,
    start: usize,
    length: usize,
}

impl SharedText {
    /// Shares `part` with `whole`, or copies it where it is no part of it.
    pub fn of(whole: &Rc<String>, part: &str) -> Self {
        Self::part_of(whole, part).unwrap_or_else(|| part.into())
    }

    /// Shares what is borrowed; what the reader had to put together (a text with escapes) is on its own.
    pub fn of_cow(whole: &Rc<String>, part: Cow<'_, str>) -> Self {
        match part {
            Cow::Borrowed(part) => Self::of(whole, part),
            Cow::Owned(own) => own.into(),
        }
    }

    /// Finds a part by where it is in memory: what is elsewhere is no part, whatever it says.
    fn part_of(whole: &Rc<String>, part: &str) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let length = part.len();
        whole.get(start..start.checked_add(length)?)?;
        Some(Self {
            whole: (length > 0).then(|| Rc::clone(whole)),
            start,
            length,
        })
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        let whole = self.whole.as_ref();
        whole.map_or("", |whole| &whole[self.start..self.start + self.length])
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        let length = text.len();
        Self {
            whole: (length > 0).then(|| Rc::new(text)),
            start: 0,
            length,
        }
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SharedText {}

impl PartialEq<str> for SharedText {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for SharedText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Hash for SharedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl Serialize for SharedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_str().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_shares_the_whole_and_says_what_it_said() {
        let whole = Rc::new("größer als alles".to_owned());
        let parts = [(0, 8), (9, 12), (13, 18), (0, 18)];
        let parts = parts.map(|(from, to)| (SharedText::of(&whole, &whole[from..to]), &whole[from..to]));
        assert_eq!(Rc::strong_count(&whole), 5);
        for (part, text) in parts {
            assert_eq!(part, text);
        }
        assert_eq!(Rc::strong_count(&whole), 1, "what is dropped gives it back");
        assert_eq!(SharedText::of(&whole, &whole[18..]), "");
    }

    #[test]
    fn what_is_elsewhere_is_copied() {
        let whole = Rc::new("alles".to_owned());
        let other = "alles anders".to_owned();
        for text in ["", "alles", &other, &other[3..]] {
            let part = SharedText::of(&whole, text);
            assert_eq!((part.as_str(), Rc::strong_count(&whole)), (text, 1));
        }
        assert_eq!(SharedText::of_cow(&whole, Cow::Owned("x".to_owned())), "x");
    }

    #[test]
    fn it_is_written_as_a_text_and_read_back() {
        let part = SharedText::from("a \"b\"");
        let json = serde_json::to_string(&part).unwrap();
        assert_eq!(json, r#""a \"b\"""#);
        assert_eq!(serde_json::from_str::<SharedText>(&json).unwrap(), part);
        assert_eq!(SharedText::default(), "");
        assert_eq!(format!("{part}|{part:?}"), r#"a "b"|"a \"b\"""#);
    }
}
