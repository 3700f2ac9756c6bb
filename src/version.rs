//! Which mita this is: the version, and the commit that it was built from (see `build.rs`).

/// The version, as in Cargo.toml.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first seven digits of the commit; empty where it was built from neither a checkout nor a package of crates.io.
pub const COMMIT: &str = env!("MITA_COMMIT");

/// What `--version` prints: `0.1.0 (abc1234, 2026-11-30)`, without what is not known.
pub const LONG: &str = concat!(env!("CARGO_PKG_VERSION"), env!("MITA_BUILT_FROM"));

/// The day of the commit, as `2026-11-30`; empty where it is not known.
pub const DAY: &str = env!("MITA_DAY");
