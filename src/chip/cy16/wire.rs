//! The one vendor request of this family, as bytes: bRequest FF reads chip memory or takes a
//! stream of scan records [BM 1.7.5.12].
//!
//! Reading: `C0 FF`, wValue 7, wIndex the address. Sending: `40 FF`, wValue the first opcode,
//! wIndex 0. Documented for EZ-OTG and EZ-Host; on the SL11R captured for op 00 and op 08 and
//! reported for op 02 and 06. The protocol has no error answer: what a record did is learnt by
//! reading. Pure; `ram` sends these.

use std::time::Duration;

use super::record::{Record, RecordError};
use super::stream::encode_stream;
use crate::usb::Transfer;

/// bRequest of the BIOS's loader.
pub const REQUEST: u8 = 0xff;
/// wValue that asks for chip memory.
pub const READ_MEMORY: u16 = 0x0007;
/// The most bytes of one request, either way [BM 1.7.5.12].
pub const MAX_BYTES: usize = 4096;
/// The most EEPROM bytes of one op 08 request; the BIOS programs them one write cycle each while
/// the request may block, so this bounds the wait.
pub const MAX_FEED_BYTES: usize = 256;

/// Asks for `length` bytes of chip memory from `address` on.
pub fn read_memory(address: u16, length: u16) -> Transfer {
    Transfer::vendor_in(REQUEST, READ_MEMORY, address, length)
}

/// Sends `records` as one stream, ended by `00 00` and padded with one more zero to an even
/// length (every captured request but one is even).
///
/// # Errors
/// [`RecordError`] when there is no record, one cannot be encoded, or they exceed one request.
pub fn scan(records: &[Record]) -> Result<Transfer, RecordError> {
    let first = records.first().ok_or(RecordError::Nothing)?;
    let mut bytes = encode_stream(records)?;
    if !bytes.len().is_multiple_of(2) {
        bytes.push(0);
    }
    if bytes.len() > MAX_BYTES {
        return Err(RecordError::TooLong { opcode: first.opcode(), length: bytes.len() });
    }
    Ok(Transfer::vendor_out(REQUEST, u16::from(first.opcode()), 0, bytes))
}

/// The op 08 record that programs `data` into the EEPROM from `start` on, through INT 64 or 65.
///
/// # Errors
/// [`RecordError::TooLong`] above [`MAX_FEED_BYTES`].
pub fn feed(interrupt: u8, start: u16, data: &[u8]) -> Result<Record, RecordError> {
    if data.len() > MAX_FEED_BYTES {
        return Err(RecordError::TooLong { opcode: 8, length: data.len() });
    }
    Ok(Record::Feed { interrupt, start, data: data.to_vec() })
}

/// How long an op 08 request of that many EEPROM bytes may take: 20 ms a byte, twice the slowest
/// write cycle of any part, and 5 s.
pub fn feed_limit(bytes: usize) -> Duration {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    Duration::from_millis(20).saturating_mul(bytes).saturating_add(Duration::from_secs(5))
}

/// The op 09 record that lets the watchdog restart the chip: C00C = 0022, enabled, shortest
/// period, never strobed \[MK\] (captured by one source, on a CY7C67300).
pub fn watchdog() -> Record {
    Record::Registers(vec![(0x0c, 0x0022)])
}

/// The op 00 record that sets one word.
pub fn poke(address: u16, value: u16) -> Record {
    Record::Copy { address, data: value.to_le_bytes().to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usb::Setup;

    fn sent(transfer: Transfer) -> (Setup, String) {
        match transfer {
            Transfer::ControlOut { setup, data, .. } => (setup, hex::encode(data)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_write_of_cypress_own_tool_comes_out_byte_for_byte() {
        // [EZ notes.txt] setup 40 FF 08 00 F0 D5 00 00 3E 00: record length 37, op 08, int 41,
        // start 0, a file of 50 bytes and 00 00; wire ends 00 00. Our wIndex is 0 as documented.
        let file = hex::decode(concat!(
            "b6c3240000c83f",
            "c0093ac0c087070027003ac09fafc6e7c2070200c007000071afcf070004c0df47af",
            "b6c3020004c83f0000",
        ))
        .unwrap();
        assert_eq!(file.len(), 50);
        let (setup, data) =
            sent(scan(&[feed(0x41, 0, &[&file[..], &[0, 0]].concat()).unwrap()]).unwrap());
        assert_eq!((setup.request_type, setup.request, setup.value), (0x40, 0xff, 8));
        assert_eq!((setup.index, setup.length), (0, 0x3e));
        assert_eq!(data, format!("b6c3370008410000{}00000000", hex::encode(file)));
    }

    #[test]
    fn load_and_execute_come_out_as_published() {
        // [EZ -x] wValue 2, `B6 C3 (n+1) 02 52 code 00 00`; wValue 6, `B6 C3 01 00 06 52 00 00`.
        let code = vec![0x97, 0xcf];
        let (setup, data) = sent(scan(&[Record::Install { interrupt: 0x52, code }]).unwrap());
        assert_eq!((setup.value, data.as_str()), (2, "b6c30300025297cf0000"));
        let (setup, data) = sent(scan(&[Record::Interrupt { interrupt: 0x52 }]).unwrap());
        assert_eq!((setup.value, data.as_str()), (6, "b6c3010006520000"));
    }

    #[test]
    fn an_installed_block_of_122_bytes_takes_130_on_the_wire() {
        // The published example upload: B6 C3 7B 00 02 7A, 106 bytes of code, 16 of buffer, 00 00.
        let code = vec![0x11; 106 + 16];
        let (setup, data) = sent(scan(&[Record::Install { interrupt: 0x7a, code }]).unwrap());
        assert_eq!(setup.length, 130);
        assert!(data.starts_with("b6c37b00027a"));
    }

    #[test]
    fn the_watchdog_restart_comes_out_as_published() {
        let (setup, data) = sent(scan(&[watchdog()]).unwrap());
        assert_eq!((setup.value, data.as_str()), (9, "b6c30300090c22000000"));
    }

    #[test]
    fn memory_is_asked_for_by_address_in_the_index() {
        let Transfer::ControlIn { setup, .. } = read_memory(0xff00, 64) else { panic!() };
        assert_eq!(
            setup,
            Setup { request_type: 0xc0, request: 0xff, value: 7, index: 0xff00, length: 64 }
        );
    }

    #[test]
    fn a_request_has_an_even_length_and_at_most_4096_bytes() {
        let copy = |n| [Record::Copy { address: 0x1000, data: vec![1; n] }];
        for n in 1..40 {
            let (setup, _) = sent(scan(&copy(n)).unwrap());
            assert!(setup.length.is_multiple_of(2), "{n}");
        }
        assert!(scan(&copy(4096 - 9)).is_ok());
        assert!(matches!(scan(&copy(4096 - 8)), Err(RecordError::TooLong { .. })));
        assert_eq!(scan(&[]), Err(RecordError::Nothing));
    }

    #[test]
    fn at_most_256_eeprom_bytes_are_fed_at_once() {
        assert!(feed(0x40, 0, &[0; 256]).is_ok());
        assert!(matches!(feed(0x40, 0, &[0; 257]), Err(RecordError::TooLong { .. })));
        assert_eq!(feed_limit(256), Duration::from_millis(10_120));
    }
}
