//! RAM and the 8051's reset as reached by request A0: reads, and programs that are loaded, read
//! back and started. Nothing lasting is changed here.

use super::hex::Piece;
use super::model::Registers;
use super::wire;
use crate::chip::ChipError;
use crate::usb::{Link, TransferError};

/// Reads `length` bytes from `address` on.
///
/// # Errors
/// [`ChipError::Transfer`] when a request fails, [`ChipError::NotProven`] when the answer is not
/// as long as asked for.
pub fn read(link: &mut dyn Link, address: u16, length: usize) -> Result<Vec<u8>, ChipError> {
    let mut bytes = Vec::with_capacity(length.min(0x1_0000));
    while bytes.len() < length {
        let from = u16::try_from(usize::from(address) + bytes.len())
            .map_err(|_| ChipError::NotProven(format!("{length} bytes from {address:04x} wrap")))?;
        let piece = (length - bytes.len()).min(wire::MAX_BYTES);
        let asked = u16::try_from(piece).unwrap_or(u16::MAX);
        let transfer = wire::read_ram(from, asked);
        let reply = link
            .exchange_whole(&transfer)
            .map_err(ChipError::during(format!("reading RAM {from:04x}, {asked} bytes")))?;
        let got = reply.data.len();
        if got != piece {
            return Err(ChipError::NotProven(format!(
                "reading RAM at {from:04x} brought {got} bytes, expected {asked}"
            )));
        }
        bytes.extend(reply.data);
    }
    Ok(bytes)
}

/// Halts the 8051, loads `pieces` and compares what was kept. The 8051 stays halted.
///
/// # Errors
/// [`ChipError::Loader`] when RAM holds something else than what was loaded.
pub fn place(link: &mut dyn Link, registers: Registers, pieces: &[Piece]) -> Result<(), ChipError> {
    link.exchange_whole(&wire::halt(registers)).map_err(ChipError::during("halting the 8051"))?;
    for piece in pieces {
        for (number, data) in piece.data.chunks(wire::MAX_BYTES).enumerate() {
            let address = u16::try_from(usize::from(piece.address) + number * wire::MAX_BYTES)
                .map_err(|_| ChipError::NotProven("a program that wraps".to_owned()))?;
            link.exchange_whole(&wire::write_ram(address, data.to_vec()))
                .map_err(ChipError::during(format!("loading RAM from {address:04x} on")))?;
        }
    }
    for piece in pieces {
        let kept = read(link, piece.address, piece.data.len())?;
        let mut pairs = (u32::from(piece.address)..).zip(kept.iter().zip(&piece.data));
        if let Some((address, (got, sent))) = pairs.find(|(_, (got, sent))| got != sent) {
            return Err(ChipError::Loader(format!(
                "was not kept in RAM: got {got:02x} at {address:04x}, expected {sent:02x}"
            )));
        }
    }
    Ok(())
}

/// Lets the 8051 run. Code that takes the device over at once may leave the request unanswered:
/// that is how it succeeds.
///
/// # Errors
/// [`ChipError::Transfer`] when the request is refused.
pub fn start(link: &mut dyn Link, registers: Registers) -> Result<(), ChipError> {
    match link.exchange(&wire::run(registers)) {
        Ok(_) | Err(TransferError::Gone | TransferError::TimedOut | TransferError::Other(_)) => {
            Ok(())
        }
        Err(source) => Err(ChipError::Transfer { doing: "starting the 8051".to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeEzusb;
    use super::*;

    #[test]
    fn a_program_of_8_kb_takes_two_transfers_and_two_to_read_it_back() {
        let mut link = FakeEzusb::new(Registers::E6);
        let pieces = [Piece { address: 0, data: vec![0x5a; 0x2000] }];
        place(&mut link, Registers::E6, &pieces).unwrap();
        let addresses: Vec<_> = link.log.iter().map(|(_, address, _)| *address).collect();
        assert_eq!(addresses, [0xe600, 0, 0x1000, 0, 0x1000]);
        assert!(link.is_halted && link.memory[..0x2000].iter().all(|byte| *byte == 0x5a));
    }

    #[test]
    fn a_byte_that_ram_does_not_keep_stops_the_load() {
        let mut link = FakeEzusb::new(Registers::E6);
        link.bad_ram = Some(0x1234);
        let pieces = [Piece { address: 0x1000, data: vec![0x5a; 0x800] }];
        let error = place(&mut link, Registers::E6, &pieces).unwrap_err().to_string();
        assert!(error.contains("got 5b at 1234, expected 5a"), "{error}");
        assert!(link.is_halted);
    }

    #[test]
    fn a_device_that_is_gone_at_the_start_has_started() {
        for (answer, is_ok) in [
            (Err(TransferError::Gone), true),
            (Err(TransferError::TimedOut), true),
            (Err(TransferError::Stall), false),
            (Err(TransferError::Denied), false),
        ] {
            let mut link = FakeEzusb::new(Registers::Map7F);
            link.start = answer;
            assert_eq!(start(&mut link, Registers::Map7F).is_ok(), is_ok);
        }
    }

    #[test]
    fn a_short_answer_is_not_taken_for_ram() {
        let mut link = FakeEzusb::new(Registers::E6);
        assert!(read(&mut link, 0x3fff, 2).is_err());
        assert!(read(&mut link, 0xffff, 0x2000).is_err());
    }
}
