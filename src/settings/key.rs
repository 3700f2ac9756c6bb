//! What a key is: its name and other spellings, what it takes, its default, its bounds, its text for people.
//!
//! Keys are declared by `keys!` in the file that reads them, one statement each. All that is known of a key comes from
//! there: which keys are known, their types, defaults and bounds, the test that holds `mita.yaml.example` against them,
//! what `mita config` prints.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Deref;

use jiff::SignedDuration;

use crate::secret::Secret;

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum ValueKind {
    /// A text; numbers and booleans are taken as they are written.
    Text,
    /// A text; an empty one means that the key is not there.
    TextOrNone,
    /// A text that names what completes its section from elsewhere.
    Source,
    /// The path of a file, relative to the configuration file.
    Path,
    /// A text that is never shown.
    Secret,
    /// A URL that may hold a user and a password; the password is never shown.
    UrlWithPassword,
    /// One of some words.
    Word(&'static Words),
    /// Yes or no.
    Flag,
    /// Yes, no, or this word; becomes the text `true`, `false` or the word.
    FlagOr(&'static str),
    /// Yes, no, or the path of a file; kept as it is written.
    FlagOrPath,
    /// A whole number from 0 on.
    Count,
    /// A whole number.
    Integer,
    /// A number from 0 on with at most six digits behind the point; becomes a number of millionths.
    Decimal,
    /// A duration.
    Duration,
    /// A duration or `none`.
    DurationOrNone,
    /// A number of bytes.
    Size,
    /// A list of texts, or one text.
    Texts,
    /// Texts by name.
    TextMap,
    /// Texts by name that are never shown.
    SecretMap,
    /// Anything by name.
    Free,
    /// A number, a word, a list of sections, or one section.
    CountOrForms {
        /// The word.
        word: &'static str,
        /// What the items of a list are.
        items: &'static Schema,
        /// What one section is.
        section: &'static Schema,
    },
    /// A number, or a share like `10%`; becomes a text.
    CountOrShare,
    /// A list of such sections.
    Sections(&'static Schema),
    /// A text, or such a section.
    TextOrSection(&'static Schema),
    /// A list whose items are texts or such sections.
    TextsOrSections(&'static Schema),
    /// A section.
    Section(&'static Schema),
    /// Sections by name.
    Entries(&'static Schema),
    /// Sections by name, the keys of which depend on what the section is; whoever knows that checks them.
    EntriesByType,
}

/// The words that a key takes.
#[derive(Debug)]
pub struct Words {
    /// The words that it takes.
    pub words: &'static [&'static str],
    /// Other spellings with the word that they mean.
    pub spellings: &'static [(&'static str, &'static str)],
    /// Whether upper and lower case are the same.
    pub any_case: bool,
    /// What a text that is none of them is not: `way to register`.
    pub what: &'static str,
}

/// What counts where a key is not there.
#[derive(Clone, Copy, Debug)]
pub enum Preset {
    /// Nothing: the key is mandatory, or off.
    None,
    /// This, as it would be written.
    Is(&'static str),
    /// This, or the value of the other key where that is smaller.
    AtMost(&'static str, &'static KeySpec),
    /// The value of a key in another section.
    Like(&'static str, &'static KeySpec),
    /// Something else, as this text describes it.
    Depends(&'static str),
}

/// The smallest or the largest value that a key takes.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// The value: a number, seconds, bytes.
    pub value: i64,
    /// The end of the message, with its punctuation: `; to make none of it set max: 0`. Empty: the default is named.
    pub advice: &'static str,
}

/// All that is known of a key but the Rust type of its value.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Its chief spelling.
    pub name: &'static str,
    /// Other spellings.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub kind: ValueKind,
    /// What counts where it is not there.
    pub preset: Preset,
    /// The smallest value.
    pub least: Option<Bound>,
    /// The largest value.
    pub most: Option<Bound>,
    /// The texts that make sense, in lower case, where a text is judged further by who reads it: groups of spellings
    /// that mean the same, the usual one first. Empty: any.
    pub among: &'static [&'static [&'static str]],
    /// What it means, for people.
    pub doc: &'static str,
}

/// A key whose value has the type `T`: an `Option` where there is no default.
#[derive(Debug)]
pub struct Key<T: 'static> {
    spec: KeySpec,
    typed: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Deref for Key<T> {
    type Target = KeySpec;

    fn deref(&self) -> &KeySpec {
        &self.spec
    }
}

/// The type of a key that holds sections: they are entered, not read.
#[derive(Clone, Copy, Debug)]
pub struct Nested;

/// A duration that may be without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(pub Option<SignedDuration>);

impl<T> Key<T> {
    const fn new(name: &'static str, kind: ValueKind) -> Self {
        let spec = KeySpec {
            name,
            aliases: &[],
            kind,
            preset: Preset::None,
            least: None,
            most: None,
            among: &[],
            doc: "",
        };
        Self {
            spec,
            typed: PhantomData,
        }
    }

    /// Adds other spellings.
    #[must_use]
    pub const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.spec.aliases = aliases;
        self
    }

    /// Says what the key means.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.spec.doc = doc;
        self
    }

    /// Bounds the value below; `advice` is the end of the message (see [`Bound`]).
    #[must_use]
    pub const fn at_least(mut self, value: i64, advice: &'static str) -> Self {
        self.spec.least = Some(Bound { value, advice });
        self
    }

    /// Bounds the value above.
    #[must_use]
    pub const fn at_most(mut self, value: i64, advice: &'static str) -> Self {
        self.spec.most = Some(Bound { value, advice });
        self
    }

    /// Refuses 0, where the message needs no more than the default.
    #[must_use]
    pub const fn positive(self) -> Self {
        self.at_least(1, "")
    }

    /// Says of a key without a default where its value comes from when it is not there.
    #[must_use]
    pub const fn depends(mut self, on: &'static str) -> Self {
        self.spec.preset = Preset::Depends(on);
        self
    }

    /// Says that the value of a key of another section counts when it is not there; the bounds are the same.
    #[must_use]
    pub const fn like<U>(mut self, section: &'static str, key: &'static Key<U>) -> Self {
        self.spec.preset = Preset::Like(section, &key.spec);
        self.spec.least = key.spec.least;
        self.spec.most = key.spec.most;
        self
    }

    /// Lists the texts that make sense, in lower case, for editors: who reads the key refuses the others.
    #[must_use]
    pub const fn among(mut self, texts: &'static [&'static [&'static str]]) -> Self {
        self.spec.among = texts;
        self
    }

    /// Returns its chief spelling.
    pub const fn name(&self) -> &'static str {
        self.spec.name
    }

    /// Returns what is known of it.
    pub const fn spec(&self) -> &KeySpec {
        &self.spec
    }
}

impl<T> Key<Option<T>> {
    /// Gives a default, as it would be written in the file.
    #[must_use]
    pub const fn or(self, preset: &'static str) -> Key<T> {
        self.with(Preset::Is(preset))
    }

    /// Gives a default that is never more than the value of another key.
    #[must_use]
    pub const fn or_at_most<U>(self, preset: &'static str, other: &'static Key<U>) -> Key<T> {
        self.with(Preset::AtMost(preset, &other.spec))
    }

    const fn with(self, preset: Preset) -> Key<T> {
        let mut spec = self.spec;
        spec.preset = preset;
        Key {
            spec,
            typed: PhantomData,
        }
    }
}

impl Key<Option<String>> {
    /// A text.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, ValueKind::Text)
    }

    /// A URL whose password is not shown.
    pub const fn url_with_password(name: &'static str) -> Self {
        Self::new(name, ValueKind::UrlWithPassword)
    }

    /// A text; an empty one means that the key is not there.
    pub const fn text_or_none(name: &'static str) -> Self {
        Self::new(name, ValueKind::TextOrNone)
    }

    /// A text that names what completes its section from elsewhere.
    pub const fn source(name: &'static str) -> Self {
        Self::new(name, ValueKind::Source)
    }

    /// The path of a file.
    pub const fn path(name: &'static str) -> Self {
        Self::new(name, ValueKind::Path)
    }

    /// Yes, no or a word.
    pub const fn flag_or(name: &'static str, word: &'static str) -> Self {
        Self::new(name, ValueKind::FlagOr(word))
    }

    /// Yes, no or the path of a file.
    pub const fn flag_or_path(name: &'static str) -> Self {
        Self::new(name, ValueKind::FlagOrPath)
    }

    /// A whole number from 0 on, or a share like `10%`.
    pub const fn count_or_share(name: &'static str) -> Self {
        Self::new(name, ValueKind::CountOrShare)
    }

    /// A text or a section.
    pub const fn text_or_section(name: &'static str, schema: &'static Schema) -> Self {
        Self::new(name, ValueKind::TextOrSection(schema))
    }
}

impl Key<Option<Secret>> {
    /// A secret.
    pub const fn secret(name: &'static str) -> Self {
        Self::new(name, ValueKind::Secret)
    }
}

impl Key<Option<&'static str>> {
    /// One of some words.
    pub const fn word(name: &'static str, words: &'static Words) -> Self {
        Self::new(name, ValueKind::Word(words))
    }
}

impl Key<Option<bool>> {
    /// Yes or no.
    pub const fn flag(name: &'static str) -> Self {
        Self::new(name, ValueKind::Flag)
    }
}

impl Key<Option<u32>> {
    /// A whole number from 0 on.
    pub const fn count(name: &'static str) -> Self {
        Self::new(name, ValueKind::Count)
    }

    /// A whole number, a word, a list of sections, or one section.
    pub const fn count_or_forms(
        name: &'static str,
        word: &'static str,
        items: &'static Schema,
        section: &'static Schema,
    ) -> Self {
        Self::new(name, ValueKind::CountOrForms { word, items, section })
    }
}

impl Key<Option<i64>> {
    /// A whole number.
    pub const fn integer(name: &'static str) -> Self {
        Self::new(name, ValueKind::Integer)
    }
}

impl Key<Option<SignedDuration>> {
    /// A duration.
    pub const fn duration(name: &'static str) -> Self {
        Self::new(name, ValueKind::Duration)
    }
}

impl Key<Option<Lifetime>> {
    /// A duration or `none`.
    pub const fn lifetime(name: &'static str) -> Self {
        Self::new(name, ValueKind::DurationOrNone)
    }
}

impl Key<Option<u64>> {
    /// A number with at most six digits behind the point; the value is in millionths.
    pub const fn decimal(name: &'static str) -> Self {
        Self::new(name, ValueKind::Decimal)
    }

    /// A number of bytes.
    pub const fn size(name: &'static str) -> Self {
        Self::new(name, ValueKind::Size)
    }
}

impl Key<Vec<String>> {
    /// A list of texts.
    pub const fn texts(name: &'static str) -> Self {
        Self::new(name, ValueKind::Texts)
    }

    /// A list of texts and sections; the value has the texts.
    pub const fn texts_or_sections(name: &'static str, schema: &'static Schema) -> Self {
        Self::new(name, ValueKind::TextsOrSections(schema))
    }
}

impl Key<BTreeMap<String, String>> {
    /// Texts by name.
    pub const fn text_map(name: &'static str) -> Self {
        Self::new(name, ValueKind::TextMap)
    }
}

impl Key<BTreeMap<String, Secret>> {
    /// Secrets by name.
    pub const fn secret_map(name: &'static str) -> Self {
        Self::new(name, ValueKind::SecretMap)
    }
}

impl Key<BTreeMap<String, serde_json::Value>> {
    /// Anything by name.
    pub const fn free(name: &'static str) -> Self {
        Self::new(name, ValueKind::Free)
    }
}

impl Key<Nested> {
    /// A section.
    pub const fn section(name: &'static str, schema: &'static Schema) -> Self {
        Self::new(name, ValueKind::Section(schema))
    }

    /// A list of sections.
    pub const fn sections(name: &'static str, schema: &'static Schema) -> Self {
        Self::new(name, ValueKind::Sections(schema))
    }

    /// Sections by name.
    pub const fn entries(name: &'static str, schema: &'static Schema) -> Self {
        Self::new(name, ValueKind::Entries(schema))
    }

    /// Sections by name, each with keys of its type.
    pub const fn entries_by_type(name: &'static str) -> Self {
        Self::new(name, ValueKind::EntriesByType)
    }
}

/// A mapping with known keys.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Its own keys.
    pub keys: &'static [&'static KeySpec],
    /// Tables of keys that it has in common with others.
    pub include: &'static [&'static Self],
    /// Keys that are known and refused, with the reason.
    pub refused: &'static [(&'static str, &'static str)],
    /// Prefixes that libcloud puts before a key and that mean nothing here, longest first.
    pub prefixes: &'static [&'static str],
    /// What must be there, for editors: who reads the section reports what is missing in its own words.
    pub needs: &'static [Need],
}

/// A key that must be there, or one of several, and the cases in which it must.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// One of these must have a value.
    pub any_of: &'static [&'static KeySpec],
    /// Only where one of these is there; empty: always.
    pub when: &'static [&'static KeySpec],
    /// Not where one of these is there.
    pub unless: &'static [&'static KeySpec],
    /// Not where this key has one of these texts, in upper or lower case.
    pub unless_text: Option<(&'static KeySpec, &'static [&'static [&'static str]])>,
}

impl Need {
    /// One of these keys must be there in any case.
    pub const fn of(any_of: &'static [&'static KeySpec]) -> Self {
        Self {
            any_of,
            when: &[],
            unless: &[],
            unless_text: None,
        }
    }

    /// Returns whether it holds whatever else is there.
    pub const fn is_unconditional(&self) -> bool {
        self.when.is_empty() && self.unless.is_empty() && self.unless_text.is_none()
    }
}

impl Schema {
    /// A mapping with these keys.
    pub const fn new(keys: &'static [&'static KeySpec]) -> Self {
        Self {
            keys,
            include: &[],
            refused: &[],
            prefixes: &[],
            needs: &[],
        }
    }

    /// Returns all keys.
    pub fn all(&self) -> impl Iterator<Item = &'static KeySpec> + Clone + use<> {
        let included = self.include.iter().flat_map(|schema| schema.keys);
        self.keys.iter().chain(included).copied()
    }

    /// Returns the key of a spelling.
    pub fn key(&self, written: &str) -> Option<&'static KeySpec> {
        self.find(written, |text| {
            self.all().find(|k| k.name == text || k.aliases.contains(&text))
        })
    }

    /// Returns why a key is refused, if it is one of those.
    pub fn refusal(&self, written: &str) -> Option<&'static str> {
        self.find(written, |text| {
            self.refused.iter().find(|(key, _)| *key == text).map(|(_, why)| *why)
        })
    }

    fn find<T>(&self, written: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        find(written).or_else(|| self.prefixes.iter().find_map(|p| find(written.strip_prefix(p)?)))
    }

    /// Returns the chief spellings.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.all().map(|key| key.name)
    }

    /// Returns all spellings.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.all()
            .flat_map(|key| std::iter::once(key.name).chain(key.aliases.iter().copied()))
    }
}

/// Declares the keys of a section, and the table of them. The comment of a key is its text for people.
///
/// ```text
/// keys! {
///     /// `timing:`.
///     pub TIMING;
///     /// A node that was idle for so long goes.
///     pub IDLE_GRACE: SignedDuration = Key::duration("idle_grace").or("40m");
/// }
/// ```
macro_rules! keys {
    (
        $(#[doc = $about:literal])*
        $table_vis:vis $table:ident $({ $($option:ident: $value:expr),* $(,)? })?;
        $( $(#[doc = $doc:literal])+ $vis:vis $key:ident: $type:ty = $make:expr; )*
    ) => {
        $(
            $(#[doc = $doc])+
            $vis static $key: $crate::settings::key::Key<$type> = $make.doc(concat!($($doc),+));
        )*
        $(#[doc = $about])*
        $table_vis static $table: $crate::settings::key::Schema = $crate::settings::key::Schema {
            $($($option: $value,)*)?
            ..$crate::settings::key::Schema::new(&[$($key.spec()),*])
        };
    };
}
pub(crate) use keys;
