//! Reads a section of a configuration file. `config` and the kinds of clouds are built on it.
//!
//! A file goes through three steps, and each of them reports what is wrong and goes on:
//!
//! | step | file | what it does |
//! | --- | --- | --- |
//! | 1 | `yaml` | text to a tree in which every value knows its place |
//! | 2 | `check` | the tree against the tables of keys: unknown keys, spellings, types, words, bounds |
//! | 3 | `section` | typed values out of the checked tree, with the defaults of the tables |
//!
//! A key is declared once, by `keys!`, in the file that reads it (`key` has the types). `names`, `url`, `transport`
//! judge values that several sections have; `files`, `text_file` and `secrets` read what a value names;
//! `json_schema` writes the tables of keys for editors, `expression` what a value looks like as a text;
//! `complaint` says what is wrong with a text whose place is not known there; `excerpt` and `lines` show the line of a
//! problem, unless a secret may be in it; `syntax` says what is wrong with a text that is no YAML. Which keys there are, and
//! what they mean together, is not known here.

pub mod check;
pub mod command;
pub mod complaint;
pub mod duration;
pub mod excerpt;
pub mod expression;
pub mod files;
pub mod json_schema;
pub mod key;
pub mod lines;
pub mod names;
pub mod problem;
pub mod secrets;
pub mod section;
pub mod syntax;
pub mod text_file;
pub mod transport;
pub mod url;
pub mod value;
pub mod yaml;

pub(crate) use key::keys;
