//! I2C memories by name: sizes, pages, clocks and write times as their datasheets give them.
//!
//! Sources: Microchip 24LC01B/02B, Atmel AT24C02, 24LC16B, 24LC64, 24LC256, 24LC512 and Ramtron FM24C
//! datasheets; the write time is the datasheet's maximum (grade: documented).

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
    /// Fastest clock at 3.3 V, hertz.
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
