//! The CY16 family.
pub mod descriptors;
#[cfg(test)]
mod fake;
pub mod image;
pub mod loader;
pub mod model;
pub mod probe;
mod ram;
pub mod recognise;
pub mod record;
mod sides;
pub mod wire;
