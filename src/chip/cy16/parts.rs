//! How the EEPROM parts an EZ chip boots from are wired, as data. What else is known of a part is
//! [`PartClass`].

use super::loader::Wiring;
use crate::chip::memory::serial_eeprom::PartClass;

/// The parts of one wiring.
#[derive(Debug, PartialEq, Eq)]
pub struct Wired {
    /// The parts.
    pub class: &'static PartClass,
    /// Their pins.
    pub wiring: Wiring,
}

/// Both [BM 1.7.10, MK]. A width answers on one wiring only: the other swaps clock and data.
pub const WIRED: [&Wired; 2] = [
    &Wired { class: &PartClass::ONE, wiring: Wiring::INT_64 },
    &Wired { class: &PartClass::TWO, wiring: Wiring::INT_65 },
];
