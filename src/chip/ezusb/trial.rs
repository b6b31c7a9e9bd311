//! Starts an image from RAM: its records go where the boot ROM would put them, then the 8051 runs.
//!
//! RENUM is 1 then, as the boot ROM leaves it [FX2 TRM 3.4.3], because our loader has run before
//! and set it: CPUCS resets the 8051 alone, USBCS keeps what it holds (inferred: nothing in the
//! manuals clears it but power, RESET# and a program), and A0 is served whatever RENUM is [FX2 TRM
//! 3.8]. Where no loader ran it is 0. Other registers, too, keep what ran before; firmware that
//! relies on their values after power-on may fail here and boot all the same.

use super::hex::Piece;
use super::{model, ram, record};
use crate::chip::{ChipError, Finding, Image, Trial};
use crate::usb::Link;

/// Loads the image's records, compares them and starts the 8051.
///
/// # Errors
/// [`ChipError`] when the device fails on the way; its power clears what is then in RAM.
pub fn start(link: &mut dyn Link, finding: &Finding, image: &Image) -> Result<Trial, ChipError> {
    let map = model::map(finding.model);
    if image.start().first() != Some(&map.load) {
        return Ok(Trial::NotOffered("it holds ids and no program".to_owned()));
    }
    let Ok((records, _)) = record::decode(image.start(), map.header) else {
        return Ok(Trial::NotOffered("its records cannot be read".to_owned()));
    };
    let mut pieces: Vec<Piece> = Vec::new();
    for record in records.into_iter().filter(|record| !record.is_last) {
        if !map.holds(&record.range()) {
            return Ok(Trial::NotOffered(format!(
                "its record for {:04x} is outside the chip's RAM",
                record.address
            )));
        }
        match pieces.last_mut() {
            Some(piece)
                if usize::from(piece.address) + piece.data.len() == usize::from(record.address)
                    && map.holds(&(u32::from(piece.address)..record.range().end)) =>
            {
                piece.data.extend(record.data);
            }
            _ => pieces.push(Piece { address: record.address, data: record.data }),
        }
    }
    ram::place(link, map.registers, &pieces)?;
    ram::start(link, map.registers)?;
    Ok(Trial::Leaving)
}

#[cfg(test)]
mod tests {
    use super::super::builder;
    use super::super::fake::FakeEzusb;
    use super::super::firmware::Firmware;
    use super::super::image::Header;
    use super::super::model::{AN2131, FX2, FX2LP, Registers};
    use super::*;
    use crate::chip::{Model, Running};
    use crate::usb::{Ids, TransferError};

    const HEADER: Header = Header { ids: Ids::new(0x1209, 1), bcd_device: 0, configuration: 0 };

    fn finding(model: Model) -> Finding {
        Finding { model, running: Running::MaskRom, evidence: Vec::new() }
    }

    fn image(model: Model, length: usize) -> Image {
        let pieces = vec![Piece { address: 0, data: vec![0xa5; length] }];
        builder::with_firmware(model, &Firmware { pieces, notes: Vec::new() }, HEADER).unwrap()
    }

    #[test]
    fn records_are_joined_loaded_and_started() {
        let mut link = FakeEzusb::new(Registers::E6);
        link.start = Err(TransferError::Gone);
        let image = image(FX2LP, 0x2100);
        assert_eq!(start(&mut link, &finding(FX2LP), &image), Ok(Trial::Leaving));
        let lengths: Vec<_> = link.log.iter().map(|(_, _, length)| *length).collect();
        assert_eq!(lengths, [1, 0x1000, 0x1000, 0x100, 0, 0, 0, 1]);
        assert!(!link.is_halted && link.memory[0x20ff] == 0xa5);
    }

    #[test]
    fn ids_and_firmware_too_big_for_the_chip_send_nothing() {
        let mut link = FakeEzusb::new(Registers::Map7F);
        let ids = builder::ids_only(AN2131, HEADER).unwrap();
        assert!(matches!(start(&mut link, &finding(AN2131), &ids), Ok(Trial::NotOffered(_))));
        let large = start(&mut link, &finding(FX2), &image(FX2LP, 0x2100));
        assert!(matches!(large, Ok(Trial::NotOffered(_))));
        assert!(link.log.is_empty());
    }
}
