//! The registers of the AN2131 and of the FX: \[TRM1\] EZ-USB Technical Reference Manual 1.9. Their
//! addresses are documented.

use super::{Map, Register, Source, Window, single, source};

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

pub(super) static AN2131_MAP: Map = an2131_map(an2131_register);
pub(super) static FX_MAP: Map = an2131_map(fx_register);
