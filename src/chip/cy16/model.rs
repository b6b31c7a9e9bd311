//! The chips of the family and what differs between them, as data.

use std::ops::Range;

use crate::chip::Model;

/// ScanLogic SL11R and SL11R-IDE, the "unknown QT processor".
pub const SL11R: Model = Model { name: "sl11r", title: "ScanLogic SL11R", family: "cy16" };
/// Cypress EZ-OTG CY7C67200.
pub const EZ_OTG: Model = Model { name: "ez-otg", title: "Cypress EZ-OTG", family: "cy16" };
/// Cypress EZ-Host CY7C67300.
pub const EZ_HOST: Model = Model { name: "ez-host", title: "Cypress EZ-Host", family: "cy16" };

/// Every model of the family.
pub const MODELS: &[Model] = &[SL11R, EZ_OTG, EZ_HOST];

/// INT 64: EEPROMs up to 2 KB, one address byte [BM 1.7.10].
pub const INT_SMALL_EEPROM: u8 = 64;
/// Chip registers \[INC\].
pub const REGISTERS: Range<u32> = 0xc000..0xc100;
/// Where R0 to R15 of both banks live; writing there changes the running program [BM memory map].
pub const REGISTER_BANKS: Range<u32> = 0x0100..0x0140;
/// The vector table, one word an interrupt.
pub const VECTORS: Range<u32> = 0x0000..0x0100;

/// What is true of one chip. Addresses are the chip's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Internal RAM.
    pub ram: Range<u32>,
    /// Mask ROM.
    pub rom: Range<u32>,
    /// RAM the BIOS hands out and firmware may use.
    pub free: Range<u32>,
    /// The largest EEPROM it boots from, bytes.
    pub max_image: usize,
    /// Whether op 09 and the register addresses of the EZ chips hold here.
    pub has_ez_registers: bool,
}

/// EZ-OTG and EZ-Host: documented [BM memory map].
const EZ: Map = Map {
    ram: 0x0000..0x4000,
    rom: 0xe000..0x1_0000,
    free: 0x04a4..0x4000,
    max_image: 0x1_0000,
    has_ez_registers: true,
};

/// SL11R: the EEPROM limit is captured; RAM is recalled from its leaflet and the ROM concluded
/// from the two stock pointers that are known (inferred).
const SCANLOGIC: Map = Map {
    ram: 0x0000..0x0c00,
    rom: 0xe800..0x1_0000,
    free: 0x0140..0x0c00,
    max_image: 2048,
    has_ez_registers: false,
};

/// The map of that model.
pub fn map(model: Model) -> &'static Map {
    if model == SL11R { &SCANLOGIC } else { &EZ }
}
