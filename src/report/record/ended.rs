//! A pass that has ended, before its memory is saved.

use crate::config::Config;
use crate::plan::Context;
use crate::report::view::{Rows, Saw};

/// A pass that has ended, before its memory is saved.
pub struct Record<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The pass and its time.
    pub context: &'a Context,
    /// Its exit code.
    pub exit: u8,
    /// How long it took.
    pub seconds: f64,
    /// What it saw and did; `None` where it saw nothing.
    pub saw: Option<&'a Saw<'a>>,
    /// The servers and templates as it left them; only where a page or metrics are written.
    pub rows: Option<&'a Rows>,
}
