//! The registers of the FX2, FX2LP and FX1: \[TRM2\] EZ-USB FX2LP Technical Reference Manual. Their
//! addresses are documented.

use super::{Map, Register, Window, single, source};

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

fn fx2_register(address: u16) -> Option<Register> {
    Some(match address {
        0xE600 => Register::Cpucs,
        0xE659 | 0xE65B | 0xE65D | 0xE65F | 0xE661 | 0xE663 => Register::InterruptRequest,
        0xE658 | 0xE65A | 0xE65C | 0xE65E | 0xE660 | 0xE662 => Register::InterruptEnable,
        0xE604 => Register::FifoReset,
        0xE608 => Register::FastSerial,
        // EMPTY, of 6 and 8 the programmable flag too (inferred).
        0xE6A7 | 0xE6A8 => Register::FifoFlags(0x02),
        0xE6A9 | 0xE6AA => Register::FifoFlags(0x06),
        0xE6C1 => Register::GpifIdle,
        0xE6D4 | 0xE6DC | 0xE6E4 | 0xE6EC => Register::GpifTrigger,
        0xE6F1 => Register::GpifData,
        0xE666 => Register::InterruptVector,
        0xE668 => Register::InterruptSetup,
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

pub(super) static FX2_MAP: Map = Map {
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
