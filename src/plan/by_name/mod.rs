//! What an operator names: `destroy`, `drain`, `undrain` and `leaks`.

pub mod destroy;
pub mod drain;
pub mod leaks;
