//! The chips of the family as data, and what is not known about them as switches.

/// One chip of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silicon {
    /// Name as recovery profiles write it.
    pub name: &'static str,
    /// The internal RAM is 0000 up to here.
    pub ram_end: u16,
    /// The mask ROM is from here to FFFF.
    pub rom_base: u16,
    /// What ALLOC_INT gives from, start and end.
    pub arena: (u16, u16),
    /// EEPROM services that the boot scan asks, in order.
    pub boot_interrupts: &'static [u8],
    /// Second SIE, INT 65, 96 to 127, GPIO, watchdog and the register map of INC exist. What
    /// is false for the SL11R is not known to be absent from it: nobody has published it, so
    /// the model stops there.
    pub is_ez: bool,
    /// Default device descriptor in ROM.
    pub device: &'static [u8],
    /// Default configuration descriptor in ROM.
    pub configuration: &'static [u8],
    /// Default string descriptors in ROM, index 0 first.
    pub strings: &'static [u8],
}

/// EZ-OTG, CY7C67200 [BM 1.3, 1.7.5.2].
pub const EZ_OTG: Silicon = Silicon {
    name: "ez-otg",
    ram_end: 0x4000,
    rom_base: 0xE000,
    arena: (0x04A4, 0x4000),
    // BM names both and no order; the model's choice is ascending.
    boot_interrupts: &[64, 65],
    is_ez: true,
    device: &[
        0x12, 0x01, 0x00, 0x02, 0xFF, 0x00, 0x00, 0x08, 0xB4, 0x04, 0x00, 0x72, 0x00, 0x00, 0x01,
        0x01, 0x01, 0x01,
    ],
    configuration: &[
        0x09, 0x02, 0x23, 0x00, 0x01, 0x01, 0x00, 0x80, 0x32, // configuration
        0x09, 0x04, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, // interface
        0x07, 0x05, 0x01, 0x02, 0x40, 0x00, 0x00, // endpoint 1 out
        0x07, 0x05, 0x82, 0x02, 0x40, 0x00, 0x00, // endpoint 2 in
        0x03, 0x09, 0x03, // OTG
    ],
    strings: b"\x04\x03\x09\x04\
        \x1E\x03C\0Y\0P\0R\0E\0S\0S\0 \0E\0Z\0-\0O\0T\0G\0",
};

/// EZ-Host, CY7C67300: the same BIOS and ids; its external memory is not fitted here.
pub const EZ_HOST: Silicon = Silicon { name: "ez-host", ..EZ_OTG };

/// SL11R. Its ids, ROM range and boot from the EEPROM are captured; RAM size, arena and the rest
/// of its descriptors are inferred from the EZ-OTG's.
pub const SL11R: Silicon = Silicon {
    name: "sl11r",
    ram_end: 0x0C00,
    rom_base: 0xE800,
    arena: (0x04A4, 0x0C00),
    boot_interrupts: &[64],
    is_ez: false,
    device: &[
        0x12, 0x01, 0x00, 0x01, 0xFF, 0x00, 0x00, 0x08, 0xCE, 0x04, 0xD1, 0x07, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x01,
    ],
    configuration: &[
        0x09, 0x02, 0x20, 0x00, 0x01, 0x01, 0x00, 0x80, 0x32, // configuration
        0x09, 0x04, 0x00, 0x00, 0x02, 0xFF, 0x00, 0x00, 0x00, // interface
        0x07, 0x05, 0x01, 0x02, 0x40, 0x00, 0x00, // endpoint 1 out
        0x07, 0x05, 0x82, 0x02, 0x40, 0x00, 0x00, // endpoint 2 in
    ],
    strings: b"\x04\x03\x09\x04",
};

/// The chip with that name.
pub fn silicon(name: &str) -> Option<&'static Silicon> {
    [&SL11R, &EZ_OTG, &EZ_HOST].into_iter().find(|silicon| silicon.name == name)
}

/// What no source tells about the mask ROM. Each default is the model's choice: where a caller
/// could rely on luck, the unlucky answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknowns {
    /// A scan request's status stage is answered before the scan runs. Default: after it.
    pub status_before_scan: bool,
    /// What get-byte returns beyond the end of a scan request. Default 0, which ends the stream.
    pub byte_after_request: u8,
    /// Upper half of R0 after an EEPROM read. Default A5.
    pub upper_half_after_read: u8,
    /// EEPROM services change R2. Default: they do.
    pub trashes_r2: bool,
    /// The chip has the watchdog (EZ-OTG: inferred from the EZ-Host). Default: it does.
    pub has_watchdog: bool,
    /// Clock of the I2C bus as the ROM drives it, hertz. Default 100 000 (inferred).
    pub i2c_hz: u32,
    /// How long an EEPROM service polls for the end of a write cycle, milliseconds, before it
    /// reports an error. Default 50.
    pub poll_limit_ms: u32,
    /// The boot scan asks INT 65 before INT 64. Default: after it.
    pub large_eeprom_first: bool,
    /// The SIE that is wired to the host: 1 or 2. Default 1.
    pub host_sie: u8,
}

impl Default for Unknowns {
    fn default() -> Self {
        Self {
            status_before_scan: false,
            byte_after_request: 0,
            upper_half_after_read: 0xA5,
            trashes_r2: true,
            has_watchdog: true,
            i2c_hz: 100_000,
            poll_limit_ms: 50,
            large_eeprom_first: false,
            host_sie: 1,
        }
    }
}
