//! The parts around a bridge chip: the serial EEPROM it boots from, and the two wires to it.
//!
//! A part knows nothing of the chip that talks to it. Read [`eeprom`] first; [`i2c`] puts the same
//! part on two open-drain pins. The drive it bridges to is in [`super::drives`].

pub mod eeprom;
pub mod i2c;
mod table;

pub use eeprom::{Eeprom, Wear, WriteProtect};
pub use i2c::TwoWire;
pub use table::{PARTS, Part, part};
