//! What goes over the wire: the chip's two control requests and its two vendor command blocks.
//! Pure encoders; the transport is `usb::bot`.
//!
//! Sources: 001-05809 table 12 (requests, documented); the command block CfgCB as Cypress's own
//! tool sends it (captured by reading the tool, docs/chips/at2lp.md); ATACB as Linux and smartmontools
//! send it (captured, docs/chips/at2lp.md).

use std::time::Duration;

use crate::usb::Transfer;

/// bRequest of LOAD_CONFIG_DATA, host to device.
const LOAD_CONFIG_DATA: u8 = 0x01;
/// bRequest of READ_CONFIG_DATA, device to host.
const READ_CONFIG_DATA: u8 = 0x02;

/// What a request's wValue names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The 16 configuration bytes inside the chip.
    Internal,
    /// The I2C memory on the board.
    External,
}

impl Source {
    fn value(self) -> u16 {
        match self {
            Self::Internal => 0x0000,
            Self::External => 0x0002,
        }
    }
}

/// How long Cypress's own tool waits for one of these requests and commands.
pub const DATA_TIMEOUT: Duration = Duration::from_secs(20);

/// Where the signature byte of vendor commands lies among the internal configuration bytes.
pub const SIGNATURE_BYTE_AT: u8 = 4;
/// What it is in every known image.
pub const DEFAULT_SIGNATURE_BYTE: u8 = 0x24;

/// Reads `length` bytes at `address`.
pub fn read_config(source: Source, address: u16, length: u16) -> Transfer {
    Transfer::vendor_in(READ_CONFIG_DATA, source.value(), address, length).within(DATA_TIMEOUT)
}

/// Writes `bytes` to the I2C memory at `address`. The internal bytes are never written: they would
/// change how a bridge at work behaves.
pub fn load_external(address: u16, bytes: Vec<u8>) -> Transfer {
    Transfer::vendor_out(LOAD_CONFIG_DATA, Source::External.value(), address, bytes)
        .within(DATA_TIMEOUT)
}

/// CfgCB, the command block that reads or writes the EEPROM from address 0 on; the transport's
/// data length and direction tell how much and which way.
///
/// The start address (bytes 4 and 5) is zero in everything the vendor's tool sends; which of the
/// two bytes is the high one, and whether another start works at all, is unknown, so it is not
/// offered. The length of six is the tool's.
pub fn cfg_block(signature_byte: u8) -> [u8; 6] {
    [signature_byte, 0x26, 0x00, 0x02, 0x00, 0x00]
}

/// Whether a byte may be used as the first of a vendor command. The default may, and so may what
/// the SCSI standards leave to vendors; any other value is some drive command's own code, and the
/// drive would obey it.
pub fn is_safe_signature_byte(byte: u8) -> bool {
    byte == DEFAULT_SIGNATURE_BYTE || byte >= 0xc0
}

/// What an ATA or ATAPI drive is asked with to name itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identify {
    /// IDENTIFY DEVICE, for disks.
    Device,
    /// IDENTIFY PACKET DEVICE, for ATAPI drives.
    Packet,
}

/// Bytes of either's answer.
pub const IDENTIFY_BYTES: u32 = 512;

/// ATACB, the command block that passes a register command through to the drive, with IDENTIFY in
/// it, as Linux sends it; flag bit 7 tells the bridge that an ATAPI drive's data comes back.
pub fn identify_block(signature_byte: u8, identify: Identify) -> [u8; 16] {
    let (flags, command) = match identify {
        Identify::Device => (0x00, 0xec),
        Identify::Packet => (0x80, 0xa1),
    };
    [signature_byte, 0x24, flags, 0xfe, 1, 0, 0, 1, 0, 0, 0, 0, command, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usb::bot::{CommandBlock, Direction};

    #[test]
    fn the_signature_byte_is_asked_for_as_the_vendors_tool_does() {
        let transfer = read_config(Source::Internal, SIGNATURE_BYTE_AT.into(), 1);
        assert_eq!(transfer.to_string(), "control in c0 02 wValue 0000 wIndex 0004 wLength 1");
        assert_eq!(transfer.timeout(), Duration::from_secs(20));
    }

    #[test]
    fn a_write_is_the_31_bytes_of_the_vendors_tool() {
        let block = CommandBlock {
            tag: 0x0123_4567,
            length: 255,
            direction: Direction::Out,
            unit: 0,
            command: cfg_block(0x24).to_vec(),
        };
        // docs/chips/at2lp.md: USBC, tag 67 45 23 01, length, flags 00, unit 00, length 06, CDB.
        let expected = "55534243 67452301 ff000000 00 00 06 24260002000000000000000000000000";
        assert_eq!(hex::encode(block.encode().unwrap()), expected.replace(' ', ""));
    }

    #[test]
    fn the_external_memory_is_wvalue_two_and_its_address_windex() {
        let transfer = load_external(0x10, vec![1, 2, 3]);
        assert_eq!(transfer.to_string(), "control out 40 01 wValue 0002 wIndex 0010 wLength 3");
    }

    #[test]
    fn identify_is_passed_through_as_linux_does_it() {
        let block = identify_block(0x24, Identify::Device);
        assert_eq!(hex::encode(block), "242400fe010000010000 0000ec000000".replace(' ', ""));
    }

    #[test]
    fn a_drive_command_is_never_taken_for_a_signature_byte() {
        for code in [0x00, 0x04, 0x0a, 0x12, 0x28, 0x2a, 0x35, 0xa1, 0xaa] {
            assert!(!is_safe_signature_byte(code), "{code:02x}");
        }
        assert!(is_safe_signature_byte(0x24) && is_safe_signature_byte(0xcf));
    }
}
