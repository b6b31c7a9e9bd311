//! Our loader (recovery-images/loaders/ezusb): placed in RAM under the device's own ids, started,
//! and asked whether it is there.

use std::time::Duration;

use super::hex::{self, Piece};
use super::model::Registers;
use super::{ram, wire};
use crate::chip::ChipError;
use crate::clock::Deadline;
use crate::usb::{Link, Sighting, TransferError};

const E6: &str = include_str!("../../../recovery-images/loaders/ezusb/e6.ihex");
const MAP_7F: &str = include_str!("../../../recovery-images/loaders/ezusb/7f.ihex");

/// idVendor in the loader's device descriptor; idProduct and bcdDevice follow.
const IDS_AT: u16 = 0x0de0 + 8;
/// How long it may take to answer after its start: it looks for the EEPROM first, which on a bus
/// that is stuck takes tens of milliseconds.
const START_TIME: Duration = Duration::from_secs(1);
/// Time before each attempt. A request that comes before the loader takes over from the core is
/// lost, so the first waits, too.
const POLL: Duration = Duration::from_millis(10);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_millis(100);

/// The program, with the ids the device already has: it takes over without a disconnect, and the
/// system must not see another device.
///
/// # Errors
/// [`ChipError::Loader`] when the program's file has no such place.
pub fn program(registers: Registers, seen: &Sighting) -> Result<Vec<Piece>, ChipError> {
    let text = match registers {
        Registers::E6 => E6,
        Registers::Map7F => MAP_7F,
    };
    let unusable = |why: String| ChipError::Loader(format!("as shipped is not usable: {why}"));
    let mut pieces = hex::parse(text).map_err(|error| unusable(error.to_string()))?.pieces;
    let words = [seen.ids.vendor, seen.ids.product, seen.bcd_device];
    let ids: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let place = pieces.iter_mut().find_map(|piece| {
        let start = usize::from(IDS_AT.checked_sub(piece.address)?);
        piece.data.get_mut(start..start.checked_add(ids.len())?)
    });
    place.ok_or_else(|| unusable("it has no device descriptor".to_owned()))?.copy_from_slice(&ids);
    Ok(pieces)
}

/// Places the loader, starts it and waits until it answers.
///
/// # Errors
/// [`ChipError`]; RAM alone has changed.
pub fn begin(link: &mut dyn Link, registers: Registers, seen: &Sighting) -> Result<(), ChipError> {
    ram::place(link, registers, &program(registers, seen)?)?;
    ram::start(link, registers)?;
    let clock = link.clock();
    let deadline = Deadline::after(&*clock, START_TIME);
    loop {
        clock.sleep(POLL);
        let got = match link.exchange_whole(&wire::hello().within(ATTEMPT)) {
            Ok(reply) if wire::is_loader(&reply.data, registers) => return Ok(()),
            Ok(reply) => format!("answered {}", hex_of(&reply.data)),
            Err(error @ (TransferError::Stall | TransferError::TimedOut)) => error.to_string(),
            Err(source) => {
                return Err(ChipError::Transfer {
                    doing: "contacting the loader".to_owned(),
                    source,
                });
            }
        };
        if deadline.passed(&*clock) {
            return Err(ChipError::Loader(format!("does not run: {got}")));
        }
    }
}

fn hex_of(bytes: &[u8]) -> String {
    ::hex::encode(bytes.get(..8).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeEzusb, sighting};
    use super::*;
    use crate::chip::descriptors::{self, Found};

    #[test]
    fn the_loader_fits_every_chip_and_shows_the_devices_own_ids() {
        let seen = sighting(0x1209, 0x4711);
        for registers in [Registers::E6, Registers::Map7F] {
            let pieces = program(registers, &seen).unwrap();
            // The smallest AN21xx has 4 KB.
            for piece in &pieces {
                assert!(usize::from(piece.address) + piece.data.len() <= 0x1000);
            }
            let pieces: Vec<_> = pieces.into_iter().map(|piece| piece.data).collect();
            let Found::One(identity) = descriptors::search(&pieces) else { panic!() };
            assert_eq!(identity.ids, seen.ids);
            assert_eq!(identity.bcd_device, Some(0xa001));
        }
    }

    #[test]
    fn the_loader_is_halted_loaded_compared_and_started_in_that_order() {
        let mut link = FakeEzusb::new(Registers::E6);
        link.deaf = 3;
        begin(&mut link, Registers::E6, &sighting(0x04b4, 0x8613)).unwrap();
        let requests = link.requests();
        let first = requests.iter().position(|request| *request == 0xb8).unwrap();
        assert_eq!(requests[first..], [0xb8; 4]);
        assert_eq!((link.log[0].1, link.log[first - 1].1), (0xe600, 0xe600));
        assert!(!link.is_halted);
    }

    #[test]
    fn a_loader_that_never_answers_is_given_up() {
        let mut link = FakeEzusb::new(Registers::Map7F);
        link.has_loader = false;
        let error = begin(&mut link, Registers::Map7F, &sighting(0x0547, 0x2131)).unwrap_err();
        assert!(
            matches!(&error, ChipError::Loader(why) if why.contains("does not run")),
            "{error}"
        );
        assert!(link.log.len() < 200);
    }
}
