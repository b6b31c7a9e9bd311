//! The chips of the family and what differs between them, as data.
//!
//! Sources: [FX2 TRM] EZ-USB FX2 Technical Reference Manual v2.1; [AN21 TRM] EZ-USB Technical
//! Reference Manual v1.9. Documented unless a line says otherwise.

use std::ops::Range;

use crate::chip::Model;

/// Cypress EZ-USB AN2121 to AN2136, full speed, 8 KB parts.
pub const AN2131: Model = Model { name: "an2131", title: "Cypress EZ-USB AN2131", family: "ezusb" };
/// Cypress EZ-USB FX CY7C646xx, full speed.
pub const FX: Model = Model { name: "fx", title: "Cypress EZ-USB FX", family: "ezusb" };
/// Cypress EZ-USB FX1 CY7C647xx, an FX2LP that runs at full speed.
pub const FX1: Model = Model { name: "fx1", title: "Cypress EZ-USB FX1", family: "ezusb" };
/// Cypress EZ-USB FX2 CY7C68013, high speed, 8 KB.
pub const FX2: Model = Model { name: "fx2", title: "Cypress EZ-USB FX2", family: "ezusb" };
/// Cypress EZ-USB FX2LP CY7C68013A to 16A, high speed, 16 KB.
pub const FX2LP: Model = Model { name: "fx2lp", title: "Cypress EZ-USB FX2LP", family: "ezusb" };

/// Every model of the family.
pub const MODELS: &[Model] = &[FX2LP, FX2, FX1, FX, AN2131];

/// Where the USB, I2C and CPU registers lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registers {
    /// E600 and up: FX1, FX2, FX2LP.
    E6,
    /// 7F00 and up: AN21xx, FX.
    Map7F,
}

impl Registers {
    /// CPUCS, whose bit 0 holds the 8051 in reset.
    pub const fn cpucs(self) -> u16 {
        match self {
            Self::E6 => 0xe600,
            Self::Map7F => 0x7f92,
        }
    }

    /// USBCS, whose bit 1 (RENUM) hands requests to the 8051.
    pub const fn usbcs(self) -> u16 {
        match self {
            Self::E6 => 0xe680,
            Self::Map7F => 0x7fd6,
        }
    }

    /// The chips that have them, for messages.
    pub const fn chips(self) -> &'static str {
        match self {
            Self::E6 => "Cypress EZ-USB FX1, FX2 or FX2LP",
            Self::Map7F => "Cypress EZ-USB AN21xx or FX",
        }
    }
}

/// What is true of one chip. Addresses are the chip's own.
#[derive(Debug, PartialEq, Eq)]
pub struct Map {
    /// Its registers.
    pub registers: Registers,
    /// RAM that request A0 reaches and records may fill.
    pub ram: &'static [Range<u32>],
    /// Where a record goes to the bus or to RAM that is not documented: what answers there is the
    /// board's.
    pub board: &'static [Range<u32>],
    /// First image byte that gives ids only, the chip's own core staying the device.
    pub id_only: u8,
    /// First image byte that loads firmware.
    pub load: u8,
    /// The first byte's expectation, for messages.
    pub signature: &'static str,
    /// Bytes before the first record of a load.
    pub header: usize,
    /// Bytes of an id-only image.
    pub id_bytes: usize,
    /// Bits of the configuration byte that mean something; `None` where there is no such byte.
    pub configuration: Option<u8>,
    /// Fastest I2C clock, hertz.
    pub bus_hz: u32,
}

/// The largest image: two address bytes reach no further.
pub const MAX_IMAGE: usize = 0x1_0000;

const SCRATCH: Range<u32> = 0xe000..0xe200;
/// The external bus, and what the memory map calls reserved behind the scratch RAM [FX2 TRM 5.5];
/// a vendor ships an image with a record for e160..e212.
const E6_BOARD: &[Range<u32>] = &[0x4000..0xe000, 0xe200..0xe400];

const fn of_e6(ram: &'static [Range<u32>]) -> Map {
    Map {
        registers: Registers::E6,
        ram,
        board: E6_BOARD,
        id_only: 0xc0,
        load: 0xc2,
        signature: "c0 (ids) or c2 (firmware)",
        header: 8,
        id_bytes: 8,
        // Bit 6 DISCON, bit 0 400KHZ; bits 3:1 are revision A's [FX2 TRM 3.4; fxload].
        configuration: Some(0x4f),
        bus_hz: 400_000,
    }
}

const E6_16K: Map = of_e6(&[0x0000..0x4000, SCRATCH]);
const E6_8K: Map = of_e6(&[0x0000..0x2000, SCRATCH]);

/// From 1B40 on the bulk buffers shine through [AN21 TRM 3.4].
const AN_RAM: [Range<u32>; 1] = [Range { start: 0x0000, end: 0x1b40 }];

/// RAM that A0 was seen to reach under the buffers, and the external bus beside the registers
/// [AN21 TRM 3.2]; boards with RAM there load their firmware into it.
const AN_BOARD: &[Range<u32>] = &[0x1b40..0x7b40, 0x8000..0x1_0000];

const AN: Map = Map {
    registers: Registers::Map7F,
    ram: &AN_RAM,
    board: AN_BOARD,
    id_only: 0xb0,
    load: 0xb2,
    signature: "b0 (ids) or b2 (firmware)",
    header: 7,
    id_bytes: 7,
    configuration: None,
    // 90.9 kHz with the 12 MHz crystal [Cypress DOC-11281].
    bus_hz: 90_909,
};

const FX_MAP: Map = Map {
    id_only: 0xb4,
    load: 0xb6,
    signature: "b4 (ids) or b6 (firmware)",
    header: 9,
    id_bytes: 9,
    // Bit 2 48 MHz, bit 1 CLKOUT inverted, bit 0 400 kHz [fxload].
    configuration: Some(0x07),
    ..AN
};

/// The map of that model.
pub fn map(model: Model) -> &'static Map {
    match model {
        AN2131 => &AN,
        FX => &FX_MAP,
        FX2 => &E6_8K,
        _ => &E6_16K,
    }
}

impl Map {
    /// Whether `range` lies in one piece of RAM.
    pub fn holds(&self, range: &Range<u32>) -> bool {
        self.ram.iter().any(|ram| ram.start <= range.start && range.end <= ram.end)
    }

    /// The addresses of `range` that lie outside the chip's RAM, from the first to the last, where
    /// a board may have something; `None` where a part of them can be nothing but registers.
    pub fn on_board(&self, range: &Range<u32>) -> Option<Range<u32>> {
        let lies_in = |ranges: &[Range<u32>], at: u32| ranges.iter().any(|one| one.contains(&at));
        let outside: Vec<u32> = range.clone().filter(|at| !lies_in(self.ram, *at)).collect();
        let (first, last) = (*outside.first()?, *outside.last()?);
        outside.iter().all(|at| lies_in(self.board, *at)).then_some(first..last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_straddles_two_pieces_of_ram_is_in_none() {
        let map = map(FX2LP);
        assert!(map.holds(&(0x3ff0..0x4000)) && map.holds(&(0xe000..0xe200)));
        assert!(!map.holds(&(0x3ff0..0x4001)) && !map.holds(&(0x3000..0xe100)));
        assert!(!super::map(FX2).holds(&(0x2000..0x2001)));
    }
}
