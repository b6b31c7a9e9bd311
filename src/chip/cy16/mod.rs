//! Being built.

pub mod loader;
