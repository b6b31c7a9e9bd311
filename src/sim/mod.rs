//! Being built.

pub mod cores;
