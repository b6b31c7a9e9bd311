//! The EZ-USB family.
pub mod builder;
pub mod firmware;
pub mod hex;
pub mod ids;
pub mod image;
#[cfg(test)]
mod image_tests;
pub mod model;
pub mod record;
pub mod wire;
