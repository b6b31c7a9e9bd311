//! Things that are switched over a serial line: relay boards.
//!
//! [`board`] knows the kinds of boards by name, [`wire`] what each is told, [`relays`] tells it
//! over an open line, [`port`] opens the computer's serial devices.

pub mod board;
pub mod port;
pub mod relays;
pub mod wire;

pub use board::BoardKind;
pub use relays::{Line, RelayError, Relays};
