//! I2C memories by name: sizes, pages, clocks and write times as their datasheets give them.
//!
//! Sources: datasheets of Microchip 24LC00, 24LC16B, 24LC64, 24LC128, 24LC256 (400 kHz from 2.5 V on, a
//! write cycle of at most 5 ms), Atmel AT24C02D and AT24HC02C (400 kHz from 1.7 V on, 5 ms; faster
//! ones from 2.5 V on), Ramtron FM24C16B, FM24C64B and FM24C256 (1 MHz at 5 V, no write cycle).
//! Grade: documented. Inferred: that 24LC01B, 24LC02B, 24LC04B, 24LC08B, 24LC32 and 24LC512 have the
//! clock of their families, and older AT24C02 at 3.3 V too.

/// One kind of serial memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name without maker or supply voltage.
    pub name: &'static str,
    /// Capacity in bytes, a power of two.
    pub bytes: u32,
    /// Address bytes after the control byte: 1 (further bits in the control byte) or 2.
    pub address_bytes: u8,
    /// Bytes one write cycle takes at most, a power of two.
    pub page: u32,
    /// Fastest clock at the supply that its datasheet asks for, hertz.
    pub clock_hz: u32,
    /// Length of a write cycle, microseconds; zero for FRAM, which has none.
    pub write_cycle_us: u32,
    /// Whether it compares the levels of A2 to A0 with the control byte: all with two address
    /// bytes do, of the smaller ones some makers'.
    pub compares_pins: bool,
}

const fn eeprom(name: &'static str, bytes: u32, address_bytes: u8, page: u32) -> Part {
    Part {
        name,
        bytes,
        address_bytes,
        page,
        clock_hz: 400_000,
        write_cycle_us: 5000,
        compares_pins: address_bytes == 2,
    }
}

const fn fram(name: &'static str, bytes: u32, address_bytes: u8) -> Part {
    Part {
        name,
        bytes,
        address_bytes,
        page: bytes,
        clock_hz: 1_000_000,
        write_cycle_us: 0,
        compares_pins: address_bytes == 2,
    }
}

/// Every part there is a model of.
pub const PARTS: &[Part] = &[
    // Single bytes only; what it does with a second one is inferred: it takes the place of the first.
    Part { write_cycle_us: 4000, ..eeprom("24lc00", 16, 1, 1) },
    eeprom("24c01", 128, 1, 8),
    eeprom("24c02", 256, 1, 8),
    Part { compares_pins: true, ..eeprom("at24c02", 256, 1, 8) },
    eeprom("24c04", 512, 1, 16),
    eeprom("24c08", 1024, 1, 16),
    eeprom("24c16", 2048, 1, 16),
    eeprom("24lc32", 4096, 2, 32),
    eeprom("24lc64", 8192, 2, 32),
    eeprom("24lc128", 16384, 2, 64),
    eeprom("24lc256", 32768, 2, 64),
    eeprom("24lc512", 65536, 2, 128),
    fram("fm24c16", 2048, 1),
    fram("fm24c64", 8192, 2),
    fram("fm24c256", 32768, 2),
];

/// The part with that name.
pub fn part(name: &str) -> Option<Part> {
    PARTS.iter().copied().find(|part| part.name == name)
}
