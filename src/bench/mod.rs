//! The technician's bench: what stands on it, as its owner wrote it down.
//!
//! [`config`] reads `bench.toml`: ports with their labels, profiles and relay channels.

pub mod config;
