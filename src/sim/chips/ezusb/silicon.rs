//! The chips of the family as data: sizes and ids here, the two register maps in `fx2` and `an2131`.
//!
//! Sources: \[TRM2\] EZ-USB FX2LP Technical Reference Manual, \[TRM1\] EZ-USB Technical Reference
//! Manual 1.9; addresses documented. What a chip answers beside its ids is graded in
//! `descriptors`.

mod an2131;
mod fx2;

use self::an2131::{AN2131_MAP, FX_MAP};
use self::fx2::FX2_MAP;
use crate::usb::Speed;

/// What a register does; everything else in the register range is plain memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Register {
    Cpucs,
    InterruptRequest,
    InterruptEnable,
    InterruptVector,
    /// INTSETUP.
    InterruptSetup,
    I2cControl,
    I2cData,
    I2cSpeed,
    UsbControl,
    EndpointZeroControl,
    /// EP0BCL of the FX2, one count for both directions.
    ByteCount,
    InByteCount,
    OutByteCount,
    SetupPointerLow,
    AutoData(u16),
    /// EPxCS of a bulk endpoint, by its address.
    EndpointControl(u8),
    /// Its byte count, the lower byte where there are two.
    EndpointCount(u8),
    FifoReset,
    AutoDataSfr(u8),
    FrameHigh,
    FrameLow,
    Microframe,
    /// EPxFIFOFLGS, and what it shows.
    FifoFlags(u8),
    GpifIdle,
    /// EPxGPIFTRIG.
    GpifTrigger,
    /// XGPIFSGLDATLX.
    GpifData,
    /// UART230.
    FastSerial,
}

/// Interrupts that share the USB vector: request and enable register, bit, autovector.
pub(super) struct Source {
    pub(super) request: u16,
    pub(super) enable: u16,
    pub(super) mask: u8,
    pub(super) vector: u8,
}

const fn source(request: u16, enable: u16, bit: u8, vector: u8) -> Source {
    Source { request, enable, mask: 1 << bit, vector }
}

/// A bulk endpoint as the program sees it.
pub(super) struct Window {
    /// Its address.
    pub(super) endpoint: u8,
    /// Its buffer, and how many bytes that takes.
    pub(super) buffer: u16,
    pub(super) bytes: u16,
    /// Its byte count, the lower byte where there are two.
    pub(super) count: u16,
    /// Its interrupt request and mask.
    pub(super) done: (u16, u8),
    /// Whether it holds several packets, and has EMPTY and FULL for BUSY.
    pub(super) is_fifo: bool,
    /// EPxCFG, which gives a FIFO its direction.
    pub(super) configuration: Option<u16>,
}

impl Window {
    /// Whether the count register shows what the host sent, and not what was last written.
    pub(super) fn keeps_count(&self) -> bool {
        self.endpoint & 0x80 == 0
    }
}

/// A buffer of 64 bytes.
const fn single(endpoint: u8, buffer: u16, count: u16, done: (u16, u8)) -> Window {
    Window { endpoint, buffer, bytes: 64, count, done, is_fifo: false, configuration: None }
}

/// One of the two register maps.
pub(super) struct Map {
    pub(super) register: fn(u16) -> Option<Register>,
    pub(super) registers: std::ops::RangeInclusive<u16>,
    pub(super) cpucs: u16,
    pub(super) usb_request: u16,
    pub(super) usb_enable: u16,
    /// Requests of endpoint 0 IN and OUT: register and mask.
    pub(super) in_done: (u16, u8),
    pub(super) out_done: (u16, u8),
    pub(super) sources: &'static [Source],
    pub(super) windows: &'static [Window],
    /// What reset leaves beside zeros: IFCONFIG, EPxCFG (1 bulk, 2 and 4 OUT, 6 and 8 IN, bulk),
    /// INT4IVEC (inferred).
    pub(super) at_reset: &'static [(u16, u8)],
    /// Where autovectoring is switched on, and its bit.
    pub(super) autovector: (u16, u8),
    pub(super) usbcs: u16,
    pub(super) function_address: u16,
    pub(super) setup_data: u16,
    pub(super) setup_pointer: u16,
    /// SUDPTRCTL, where there is one.
    pub(super) setup_pointer_control: Option<u16>,
    pub(super) in_buffer: u16,
    pub(super) out_buffer: u16,
    /// Where the byte count of an OUT packet appears.
    pub(super) out_count: u16,
    /// HSNAK, and the busy bits of IN and OUT, in EP0CS; STALL is bit 0 in both.
    pub(super) hsnak: u8,
    pub(super) in_busy: u8,
    pub(super) out_busy: u8,
}

/// One chip of the family.
pub struct Silicon {
    /// Name as recovery profiles write it.
    pub name: &'static str,
    /// idVendor, idProduct and bcdDevice without an EEPROM.
    pub ids: [u16; 3],
    /// Program and data RAM is 0000 up to here.
    pub ram_end: u16,
    /// Speed on a bus that allows all of them.
    pub speed: Speed,
    /// First byte of an EEPROM that holds ids only, and of one that holds firmware.
    pub signatures: [u8; 2],
    /// Bytes before the first record: signature, ids and what follows them.
    pub header_bytes: u32,
    pub(super) map: &'static Map,
}

impl Silicon {
    /// Whether it has the FX2's registers, clocks and scratch RAM.
    pub(super) fn is_fx2(&self) -> bool {
        self.map.cpucs == FX2_MAP.cpucs
    }

    /// Whether it has the FX's additions to the AN2131's registers.
    pub(super) fn is_fx(&self) -> bool {
        std::ptr::eq(self.map, &raw const FX_MAP)
    }
}

/// CY7C68013A and relatives \[TRM2\]. bcdDevice is captured.
pub static FX2LP: Silicon = Silicon {
    name: "fx2lp",
    ids: [0x04B4, 0x8613, 0xA001],
    ram_end: 0x4000,
    speed: Speed::High,
    signatures: [0xC0, 0xC2],
    header_bytes: 8,
    map: &FX2_MAP,
};

/// CY7C68013. bcdDevice is inferred: below A000, as it is said to be told from the FX2LP.
pub static FX2: Silicon =
    Silicon { name: "fx2", ids: [0x04B4, 0x8613, 0x0004], ram_end: 0x2000, ..FX2LP };

/// CY7C64713, an FX2LP at full speed. bcdDevice is inferred.
pub static FX1: Silicon =
    Silicon { name: "fx1", ids: [0x04B4, 0x6473, 0xA001], speed: Speed::Full, ..FX2LP };

/// AN2131 with 8 KB \[TRM1\]. bcdDevice is inferred.
pub static AN2131: Silicon = Silicon {
    name: "an2131",
    ids: [0x0547, 0x2131, 0x0004],
    ram_end: 0x1B40,
    speed: Speed::Full,
    signatures: [0xB0, 0xB2],
    header_bytes: 7,
    map: &AN2131_MAP,
};

/// CY7C64613: the AN2131's registers with an I2C clock to choose. bcdDevice is inferred.
pub static FX: Silicon = Silicon {
    name: "fx",
    ids: [0x0547, 0x2235, 0x0004],
    signatures: [0xB4, 0xB6],
    header_bytes: 9,
    map: &FX_MAP,
    ..AN2131
};

/// The chip with that name.
pub fn silicon(name: &str) -> Option<&'static Silicon> {
    [&FX2LP, &FX2, &FX1, &AN2131, &FX].into_iter().find(|silicon| silicon.name == name)
}
