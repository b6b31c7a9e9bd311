//! The chips of the family as data: sizes, ids and the addresses of two register maps.
//!
//! Sources: \[TRM2\] EZ-USB FX2LP Technical Reference Manual, \[TRM1\] EZ-USB Technical Reference
//! Manual 1.9; addresses documented. What a chip answers beside its ids is graded in
//! `descriptors`.

use crate::usb::Speed;

/// What a register does; everything else in the register range is plain memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Register {
    Cpucs,
    InterruptRequest,
    InterruptEnable,
    InterruptVector,
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

/// A FIFO of the FX2 kind in one direction.
const fn fifo(number: u8, is_in: bool) -> Window {
    let nth = (number / 2 - 1) as u16;
    Window {
        endpoint: number | if is_in { 0x80 } else { 0 },
        buffer: 0xF000 + 0x400 * nth,
        bytes: 512,
        count: 0xE691 + 4 * nth,
        done: (0xE65F, 0x10 << nth),
        is_fifo: true,
        configuration: Some(0xE612 + nth),
    }
}

/// A buffer of 64 bytes.
const fn single(endpoint: u8, buffer: u16, count: u16, done: (u16, u8)) -> Window {
    Window { endpoint, buffer, bytes: 64, count, done, is_fifo: false, configuration: None }
}

static FX2_WINDOWS: &[Window] = &[
    single(0x01, 0xE780, 0xE68D, (0xE65F, 0x08)),
    single(0x81, 0xE7C0, 0xE68F, (0xE65F, 0x04)),
    fifo(2, false),
    fifo(2, true),
    fifo(4, false),
    fifo(4, true),
    fifo(6, false),
    fifo(6, true),
    fifo(8, false),
    fifo(8, true),
];

/// Endpoint `number` of an AN2131, from the host and to it.
const fn an2131_out(number: u8) -> Window {
    let nth = number as u16 - 1;
    single(number, 0x7E40 - 0x80 * nth, 0x7FC7 + 2 * nth, (0x7FAA, 1 << number))
}

const fn an2131_in(number: u8) -> Window {
    let nth = number as u16 - 1;
    single(number | 0x80, 0x7E80 - 0x80 * nth, 0x7FB7 + 2 * nth, (0x7FA9, 1 << number))
}

static AN2131_WINDOWS: &[Window] = &[
    an2131_out(1),
    an2131_in(1),
    an2131_out(2),
    an2131_in(2),
    an2131_out(3),
    an2131_in(3),
    an2131_out(4),
    an2131_in(4),
    an2131_out(5),
    an2131_in(5),
    an2131_out(6),
    an2131_in(6),
    an2131_out(7),
    an2131_in(7),
];

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
    /// INT4IVEC [TRM2 15.5, 15.6.2, 15.8].
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

fn fx2_register(address: u16) -> Option<Register> {
    Some(match address {
        0xE600 => Register::Cpucs,
        0xE659 | 0xE65B | 0xE65D | 0xE65F | 0xE661 | 0xE663 => Register::InterruptRequest,
        0xE658 | 0xE65A | 0xE65C | 0xE65E | 0xE660 | 0xE662 => Register::InterruptEnable,
        0xE604 => Register::FifoReset,
        0xE608 => Register::FastSerial,
        // EMPTY, of 6 and 8 the programmable flag too [TRM2 15.10].
        0xE6A7 | 0xE6A8 => Register::FifoFlags(0x02),
        0xE6A9 | 0xE6AA => Register::FifoFlags(0x06),
        0xE6C1 => Register::GpifIdle,
        0xE6D4 | 0xE6DC | 0xE6E4 | 0xE6EC => Register::GpifTrigger,
        0xE6F1 => Register::GpifData,
        0xE666 => Register::InterruptVector,
        0xE678 => Register::I2cControl,
        0xE679 => Register::I2cData,
        0xE67A => Register::I2cSpeed,
        0xE67B => Register::AutoDataSfr(0x9A),
        0xE67C => Register::AutoDataSfr(0x9D),
        0xE680 => Register::UsbControl,
        0xE684 => Register::FrameHigh,
        0xE685 => Register::FrameLow,
        0xE686 => Register::Microframe,
        0xE68B => Register::ByteCount,
        0xE68D => Register::EndpointCount(0x01),
        0xE68F => Register::EndpointCount(0x81),
        0xE691 | 0xE695 | 0xE699 | 0xE69D => {
            Register::EndpointCount(((address - 0xE691) / 2 + 2) as u8)
        }
        0xE6A1 => Register::EndpointControl(0x01),
        0xE6A2 => Register::EndpointControl(0x81),
        0xE6A3..=0xE6A6 => Register::EndpointControl(((address - 0xE6A3) * 2 + 2) as u8),
        0xE6A0 => Register::EndpointZeroControl,
        0xE6B4 => Register::SetupPointerLow,
        _ => return None,
    })
}

fn an2131_register(address: u16) -> Option<Register> {
    Some(match address {
        0x7F92 => Register::Cpucs,
        0x7FA5 => Register::I2cControl,
        0x7FA6 => Register::I2cData,
        0x7FA8 => Register::InterruptVector,
        0x7FA9..=0x7FAB => Register::InterruptRequest,
        0x7FAC..=0x7FAE => Register::InterruptEnable,
        0x7FB4 => Register::EndpointZeroControl,
        0x7FB5 => Register::InByteCount,
        0x7FC5 => Register::OutByteCount,
        // Control and count by turns, endpoint 1 first.
        0x7FB6..=0x7FC3 => an2131_endpoint(address - 0x7FB6, 0x80),
        0x7FC6..=0x7FD3 => an2131_endpoint(address - 0x7FC6, 0),
        0x7FD5 => Register::SetupPointerLow,
        0x7FD6 => Register::UsbControl,
        0x7FD8 => Register::FrameLow,
        0x7FD9 => Register::FrameHigh,
        0x7FE5 => Register::AutoData(0x7FE3),
        _ => return None,
    })
}

fn an2131_endpoint(offset: u16, direction: u8) -> Register {
    let endpoint = (offset / 2 + 1) as u8 | direction;
    if offset.is_multiple_of(2) {
        Register::EndpointControl(endpoint)
    } else {
        Register::EndpointCount(endpoint)
    }
}

fn fx_register(address: u16) -> Option<Register> {
    // Of the FX's additions only the I2C clock matters here (grade: inferred).
    if address == 0x7FA7 { Some(Register::I2cSpeed) } else { an2131_register(address) }
}

static FX2_MAP: Map = Map {
    register: fx2_register,
    registers: 0xE400..=0xE7FF,
    cpucs: 0xE600,
    usb_request: 0xE65D,
    usb_enable: 0xE65C,
    in_done: (0xE65F, 0x01),
    out_done: (0xE65F, 0x02),
    sources: &[
        source(0xE65D, 0xE65C, 0, 0x00),
        source(0xE65D, 0xE65C, 1, 0x04),
        source(0xE65D, 0xE65C, 2, 0x08),
        source(0xE65D, 0xE65C, 3, 0x0C),
        source(0xE65D, 0xE65C, 4, 0x10),
        source(0xE65D, 0xE65C, 5, 0x14),
        source(0xE65D, 0xE65C, 6, 0x18),
        source(0xE65F, 0xE65E, 0, 0x20),
        source(0xE65F, 0xE65E, 1, 0x24),
        source(0xE65F, 0xE65E, 2, 0x28),
        source(0xE65F, 0xE65E, 3, 0x2C),
        source(0xE65F, 0xE65E, 4, 0x30),
        source(0xE65F, 0xE65E, 5, 0x34),
        source(0xE65F, 0xE65E, 6, 0x38),
        source(0xE65F, 0xE65E, 7, 0x3C),
    ],
    windows: FX2_WINDOWS,
    at_reset: &[
        (0xE601, 0x80),
        (0xE610, 0xA0),
        (0xE611, 0xA0),
        (0xE612, 0xA2),
        (0xE613, 0xA0),
        (0xE614, 0xE2),
        (0xE615, 0xE0),
        (0xE667, 0x80),
    ],
    autovector: (0xE668, 0x08),
    usbcs: 0xE680,
    function_address: 0xE687,
    setup_data: 0xE6B8,
    setup_pointer: 0xE6B3,
    setup_pointer_control: Some(0xE6B5),
    in_buffer: 0xE740,
    out_buffer: 0xE740,
    out_count: 0xE68B,
    hsnak: 0x80,
    in_busy: 0x02,
    out_busy: 0x02,
};

const AN2131_SOURCES: &[Source] = &[
    source(0x7FAB, 0x7FAE, 0, 0x00),
    source(0x7FAB, 0x7FAE, 1, 0x04),
    source(0x7FAB, 0x7FAE, 2, 0x08),
    source(0x7FAB, 0x7FAE, 3, 0x0C),
    source(0x7FAB, 0x7FAE, 4, 0x10),
    source(0x7FA9, 0x7FAC, 0, 0x18),
    source(0x7FAA, 0x7FAD, 0, 0x1C),
    source(0x7FA9, 0x7FAC, 1, 0x20),
    source(0x7FAA, 0x7FAD, 1, 0x24),
    source(0x7FA9, 0x7FAC, 2, 0x28),
    source(0x7FAA, 0x7FAD, 2, 0x2C),
    source(0x7FA9, 0x7FAC, 3, 0x30),
    source(0x7FAA, 0x7FAD, 3, 0x34),
    source(0x7FA9, 0x7FAC, 4, 0x38),
    source(0x7FAA, 0x7FAD, 4, 0x3C),
    source(0x7FA9, 0x7FAC, 5, 0x40),
    source(0x7FAA, 0x7FAD, 5, 0x44),
    source(0x7FA9, 0x7FAC, 6, 0x48),
    source(0x7FAA, 0x7FAD, 6, 0x4C),
    source(0x7FA9, 0x7FAC, 7, 0x50),
    source(0x7FAA, 0x7FAD, 7, 0x54),
];

const fn an2131_map(register: fn(u16) -> Option<Register>) -> Map {
    Map {
        register,
        registers: 0x7B40..=0x7FFF,
        cpucs: 0x7F92,
        usb_request: 0x7FAB,
        usb_enable: 0x7FAE,
        in_done: (0x7FA9, 0x01),
        out_done: (0x7FAA, 0x01),
        sources: AN2131_SOURCES,
        windows: AN2131_WINDOWS,
        at_reset: &[],
        autovector: (0x7FAF, 0x01),
        usbcs: 0x7FD6,
        function_address: 0x7FDB,
        setup_data: 0x7FE8,
        setup_pointer: 0x7FD4,
        setup_pointer_control: None,
        in_buffer: 0x7F00,
        out_buffer: 0x7EC0,
        out_count: 0x7FC5,
        hsnak: 0x02,
        in_busy: 0x04,
        out_busy: 0x08,
    }
}

static AN2131_MAP: Map = an2131_map(an2131_register);
static FX_MAP: Map = an2131_map(fx_register);

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
