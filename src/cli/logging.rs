//! The log on stderr. The HTTP library's own log is always off: it shows headers, and so secrets.

#![expect(clippy::disallowed_methods, reason = "an edge: reads MITA_LOG")]

use std::env;

use log::LevelFilter;

/// Starts logging: `warn`, or as `-v`, `-q` and `MITA_LOG` say. A second call changes nothing.
pub fn init(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Info,
        (false, _) => LevelFilter::Debug,
    };
    let mut builder = env_logger::Builder::new();
    builder.filter_level(LevelFilter::Off);
    // A level for everything (`debug`) means ours; the libraries below would print what must not be seen.
    let asked = env::var("MITA_LOG").ok().and_then(|text| asked(&text));
    builder.filter_module("mita", asked.unwrap_or(level));
    let _ = builder
        .format_target(false)
        .target(env_logger::Target::Stderr)
        .try_init();
}

/// Reads `debug`, or `mita=debug` as other programs take it.
fn asked(text: &str) -> Option<LevelFilter> {
    let text = text.trim();
    text.strip_prefix("mita=").unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_read() {
        assert_eq!(asked(" Debug "), Some(LevelFilter::Debug));
        assert_eq!(asked("mita=off"), Some(LevelFilter::Off));
        assert_eq!(asked("ureq=trace"), None);
    }
}
