//! What an operator asks for: `destroy`, `drain`, `undrain`, `leaks` and `provision --template`.

pub mod destroy;
pub mod drain;
pub mod leaks;
pub mod provision;
pub mod targets;
