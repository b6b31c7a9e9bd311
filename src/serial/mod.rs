//! Things that are switched over a serial line: relay boards.
//!
//! [`board`] knows the kinds of boards by name.

pub mod board;

pub use board::BoardKind;
