//! The parts around a bridge chip: the serial EEPROM it boots from, the two wires to it, and the
//! drive it bridges to.
//!
//! A part knows nothing of the chip that talks to it. Read [`eeprom`] first; [`i2c`] puts the same
//! part on two open-drain pins; [`drive`] stands behind everything.

pub mod drive;
pub mod eeprom;
pub mod i2c;
mod table;

pub use drive::Drive;
pub use eeprom::{Eeprom, Wear, WriteProtect};
pub use i2c::TwoWire;
pub use table::{PARTS, Part, part};
