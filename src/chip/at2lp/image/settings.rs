//! Bytes 02 to 0F of a configuration block: what the chip does, as opposed to who it says it is.
//!
//! Offsets: captured (three real images). Names: documented [001-05809 table 11] where a name is
//! given, `unknown_..` where the public pages of the datasheet do not tell. Bytes 08 to 0A belong
//! to the board: another board's values can leave a drive without power or a lamp dark.

use std::fmt;

/// How many bytes they are.
pub const SETTINGS_BYTES: usize = 14;

/// The settings, in the order of their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// 02: advanced power management value for the drive; 00 leaves it alone.
    pub power_management: u8,
    /// 03: how long the drive may take to become ready, in units of 128 ms.
    pub ata_initialization_timeout: u8,
    /// 04: bVSCBSignature, the first byte of vendor commands.
    pub signature_byte: u8,
    /// 05: flags, among them SRST enable and "skip pin reset"; which bit is which is unknown.
    pub unknown_05: u8,
    /// 06: Ultra DMA modes; bit 7 for ATA, bit 6 for ATAPI drives.
    pub ultra_dma: u8,
    /// 07: bit 2 multiword DMA 2, bits 1..0 PIO 4 and PIO 3.
    pub pio: u8,
    /// 08: what the chip's pins do (button mode, ATA enable, package). Board specific.
    pub pins: u8,
    /// 09: which general purpose pins are outputs. Board specific.
    pub gpio_output_enable: u8,
    /// 0A: what the general purpose outputs carry. Board specific.
    pub gpio_data: u8,
    /// 0B: byte offset of the identify string of unit 0, divided by two; 00 for none.
    pub unit_0_identify: u8,
    /// 0C: the same for unit 1.
    pub unit_1_identify: u8,
    /// 0D: delay after reset and others; unknown in detail.
    pub unknown_0d: u8,
    /// 0E: bus-power flags; unknown in detail.
    pub unknown_0e: u8,
    /// 0F: reserved.
    pub unknown_0f: u8,
}

impl Settings {
    /// Those of Cypress's own reference board CY4615B [captured: CY4615B_C_default.iic].
    pub const REFERENCE: Self = Self {
        power_management: 0x00,
        ata_initialization_timeout: 0x80,
        signature_byte: 0x24,
        unknown_05: 0x07,
        ultra_dma: 0xd4,
        pio: 0x07,
        pins: 0x70,
        gpio_output_enable: 0xfc,
        gpio_data: 0x55,
        unit_0_identify: 0,
        unit_1_identify: 0,
        unknown_0d: 0,
        unknown_0e: 0,
        unknown_0f: 0,
    };

    /// The settings from bytes 02 to 0F.
    pub fn decode(bytes: &[u8; SETTINGS_BYTES]) -> Self {
        let [b2, b3, b4, b5, b6, b7, b8, b9, ba, bb, bc, bd, be, bf] = *bytes;
        Self {
            power_management: b2,
            ata_initialization_timeout: b3,
            signature_byte: b4,
            unknown_05: b5,
            ultra_dma: b6,
            pio: b7,
            pins: b8,
            gpio_output_enable: b9,
            gpio_data: ba,
            unit_0_identify: bb,
            unit_1_identify: bc,
            unknown_0d: bd,
            unknown_0e: be,
            unknown_0f: bf,
        }
    }

    /// Bytes 02 to 0F.
    pub fn encode(&self) -> [u8; SETTINGS_BYTES] {
        [
            self.power_management,
            self.ata_initialization_timeout,
            self.signature_byte,
            self.unknown_05,
            self.ultra_dma,
            self.pio,
            self.pins,
            self.gpio_output_enable,
            self.gpio_data,
            self.unit_0_identify,
            self.unit_1_identify,
            self.unknown_0d,
            self.unknown_0e,
            self.unknown_0f,
        ]
    }

    /// Puts `value` at `address` (02 to 0F); false where there is no setting.
    pub fn set(&mut self, address: u8, value: u8) -> bool {
        let mut bytes = self.encode();
        let slot = address.checked_sub(2).and_then(|at| bytes.get_mut(usize::from(at)));
        let Some(slot) = slot else { return false };
        *slot = value;
        *self = Self::decode(&bytes);
        true
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "settings {}; board specific: pins {:02x}, outputs {:02x}, levels {:02x}",
            hex::encode(self.encode()),
            self.pins,
            self.gpio_output_enable,
            self.gpio_data
        )
    }
}
