//! Every firmware for these chips that Debian's packages carry: where it lies, how it is loaded,
//! and what comes of it. The ids are those that its driver takes: UrJTAG's for ixo-usb-jtag,
//! hdmi2usb's, OpenOCD's, and Linux's keyspan_pda, dabusb, go7007-usb and snd-usb-audio. The usbdux
//! drivers and fxload go on with the device they loaded; what they ask of it is asked here.
//! usbduxsigma waits for the board's converter, which sits at serial port 0. MidiSport 8x8 calls code
//! in a memory of its board that no package has.

use recover::sim::chips::ezusb::{AN2131, FX2LP, Silicon};

/// How a file tells addresses and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// From address 0000 on.
    Flat,
    /// Intel HEX.
    Hex,
    /// The kernel's binary records: address 4 bytes and length 2, big-endian, filled to 4.
    BinaryRecords,
    /// Intel HEX in binary: length, address little-endian, type, data, checksum.
    BinaryHex,
}

/// What a firmware comes to on the virtual chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It renumerates as idVendor:idProduct, with the device descriptor that is among its bytes.
    Ids([u16; 2]),
    /// It stays on the bus with the ids it was loaded under, as its driver expects, and does this.
    Stays(Does),
    /// It stays on the bus and waits for a chip of its board, in a loop; the diagnostic names what
    /// it reads there.
    Waits(&'static str),
    /// It does not come up, for want of something the model does not have; the diagnostic names it
    /// so.
    Unknown(&'static str),
}

/// What a program does that a chip without one does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Request A3 writes RAM: a second-stage loader, as fxload uses it.
    WritesRam,
    /// A command to endpoint 1 is answered at endpoint 8, the command first: Linux's usbdux.
    AnswersCommands,
    /// It chooses the CPU's clock in CPUCS, and nothing more that this model shows: endpoint 4 of
    /// usbduxfast hands its packets to the slave side of the FIFO.
    ChoosesClock,
}

/// A firmware of a package.
pub struct Row {
    pub package: &'static str,
    pub file: &'static str,
    pub chip: &'static Silicon,
    pub format: Format,
    pub end: End,
}

const fn row(
    package: &'static str,
    file: &'static str,
    chip: &'static Silicon,
    format: Format,
    end: End,
) -> Row {
    Row { package, file, chip, format, end }
}

use Does::{AnswersCommands, ChoosesClock, WritesRam};
use End::{Ids, Stays, Unknown, Waits};
use Format::{BinaryHex, BinaryRecords, Flat, Hex};

const IXO: &str = "ixo-usb-jtag";
const OPSIS: &str = "hdmi2usb-fx2-firmware";
const FREE: &str = "firmware-linux-free";
const MISC: &str = "firmware-misc-nonfree";
const MIDI: &str = "midisport-firmware";

/// The packages that are in Debian's non-free parts.
pub const NON_FREE: [&str; 2] = [MISC, MIDI];

pub const ROWS: &[Row] = &[
    row(IXO, "lib/firmware/ixo-usb-jtag/usbjtag-basic.hex", &FX2LP, Hex, Ids([0x16C0, 0x06AD])),
    row(IXO, "lib/firmware/ixo-usb-jtag/usbjtag-dj_usb.hex", &FX2LP, Hex, Ids([0x16C0, 0x06AD])),
    row(IXO, "lib/firmware/ixo-usb-jtag/usbjtag-nexys.hex", &FX2LP, Hex, Ids([0x16C0, 0x06AD])),
    row(IXO, "lib/firmware/ixo-usb-jtag/usbjtag-opsis.hex", &FX2LP, Hex, Ids([0x16C0, 0x06AD])),
    row(IXO, "lib/firmware/ixo-usb-jtag/usbjtag-saxo_l.hex", &FX2LP, Hex, Ids([0x16C0, 0x06AD])),
    row(IXO, "lib/firmware/ixo-usb-jtag/usbjtag-xpcu_i.hex", &FX2LP, Hex, Ids([0x16C0, 0x06AD])),
    row(IXO, "lib/firmware/ixo-usb-jtag/usbjtag-xpcu_x.hex", &FX2LP, Hex, Ids([0x16C0, 0x06AD])),
    row(OPSIS, "lib/firmware/opsis-fx2/eeprom.ihx", &FX2LP, Hex, Ids([0x2A19, 0x5441])),
    row(OPSIS, "lib/firmware/opsis-fx2/usb-uart.ihx", &FX2LP, Hex, Ids([0x2A19, 0x5441])),
    row(FREE, "lib/firmware/usbdux_firmware.bin", &FX2LP, Flat, Stays(AnswersCommands)),
    row(FREE, "lib/firmware/usbduxfast_firmware.bin", &FX2LP, Flat, Stays(ChoosesClock)),
    row(
        FREE,
        "lib/firmware/usbduxsigma_firmware.bin",
        &FX2LP,
        Flat,
        Waits("SCON0, the receiver of serial port 0 (SFR 98)"),
    ),
    row(
        FREE,
        "lib/firmware/keyspan_pda/keyspan_pda.fw",
        &AN2131,
        BinaryRecords,
        Ids([0x06CD, 0x0104]),
    ),
    row(
        FREE,
        "lib/firmware/keyspan_pda/xircom_pgs.fw",
        &AN2131,
        BinaryRecords,
        Ids([0x06CD, 0x0104]),
    ),
    row(
        "openocd",
        "usr/share/openocd/OpenULINK/ulink_firmware.hex",
        &AN2131,
        Hex,
        Ids([0xC251, 0x2710]),
    ),
    row("fxload", "usr/share/usb/a3load.hex", &AN2131, Hex, Stays(WritesRam)),
    row(MISC, "lib/firmware/dabusb/firmware.fw", &AN2131, BinaryRecords, Ids([0x0547, 0x9999])),
    row(MISC, "lib/firmware/go7007/lr192.fw", &FX2LP, BinaryHex, Ids([0x10FD, 0xDE00])),
    row(MISC, "lib/firmware/go7007/px-m402u.fw", &FX2LP, BinaryHex, Ids([0x093B, 0xA102])),
    row(MISC, "lib/firmware/go7007/px-tv402u.fw", &FX2LP, BinaryHex, Ids([0x093B, 0xA104])),
    row(MISC, "lib/firmware/go7007/s2250-1.fw", &FX2LP, BinaryHex, Stays(WritesRam)),
    row(MISC, "lib/firmware/go7007/s2250-2.fw", &FX2LP, BinaryHex, Ids([0x1943, 0x2250])),
    row(MISC, "lib/firmware/go7007/wis-startrek.fw", &FX2LP, BinaryHex, Ids([0x0EB1, 0x7007])),
    row(MIDI, "usr/share/usb/maudio/MidiSportLoader.ihx", &AN2131, Hex, Stays(WritesRam)),
    row(MIDI, "usr/share/usb/maudio/MidiSport1x1.ihx", &AN2131, Hex, Ids([0x0763, 0x1011])),
    row(MIDI, "usr/share/usb/maudio/MidiSport2x2.ihx", &AN2131, Hex, Ids([0x0763, 0x1002])),
    row(MIDI, "usr/share/usb/maudio/MidiSport4x4.ihx", &AN2131, Hex, Ids([0x0763, 0x1021])),
    row(
        MIDI,
        "usr/share/usb/maudio/MidiSport8x8-2.10.ihx",
        &AN2131,
        Hex,
        Unknown("program memory outside of the chip (6a1d)"),
    ),
    row(
        MIDI,
        "usr/share/usb/maudio/MidiSport8x8-2.21.ihx",
        &AN2131,
        Hex,
        Unknown("program memory outside of the chip (6a1d)"),
    ),
    row(MIDI, "usr/share/usb/maudio/MidiSportKS.ihx", &AN2131, Hex, Ids([0x0763, 0x1015])),
];
