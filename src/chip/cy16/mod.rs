//! The CY16 family: ScanLogic SL11R ("unknown QT processor"), Cypress EZ-OTG and EZ-Host.
//!
//! Their mask ROM answers one vendor request that reads chip memory and runs scan records; the
//! EEPROM holds a stream of the same records, run at every start. A start without the signature
//! `B6 C3` brings up the ROM's own USB device, which takes that request: so a blanked enclosure
//! can always be reached.
//!
//! Read [`record`] (the format) and [`wire`] (the request) first, then [`probe`], [`image`] and
//! the two memories. The EZ chips are documented; what the SL11R shares with them is inferred, see
//! [`Chip::caveats`]. The tags of the sources (\[BM\], \[EZ\], ..) are listed in docs/references.md.

mod arena;
mod asking;
mod eeprom_ez;
mod eeprom_sl11r;
#[cfg(test)]
mod fake;
pub mod image;
pub mod loader;
pub mod model;
pub mod parts;
pub mod probe;
mod ram;
pub mod recognise;
pub mod record;
mod rules;
mod sides;
pub mod stream;
mod trial;
pub mod wire;

use std::ops::Range;

use super::{
    Chip, ChipError, DriveAnswer, Finding, Image, ImageError, KnownIds, Memory, Model, Restart,
    Suspicion, Timing, Trial,
};
use super::{drive, dump};
use crate::usb::transfer::CONTROL_TIMEOUT;
use crate::usb::{Link, Sighting, TransferError};
use crate::wording::with_article;
use model::SL11R;

/// The family.
#[derive(Clone, Copy, Debug)]
pub struct Cy16;

/// What about the SL11R is inferred.
const SL11R_CAVEATS: &[&str] = &[
    "No SL11R data sheet is public. The memory map and interrupt numbers are inferred from the EZ-OTG and from two addresses in the vendor's update tools.",
    "Recover writes like ScanLogic's and Cypress's tools: interrupt 64, one byte for each write cycle. Owners have rescued enclosures this way.",
    "To read the EEPROM, recover runs its own code through an interrupt that is documented only for the EZ-OTG. If that fails, there is no backup and no verify before the restart.",
    "The chip reports no errors and restarts only after a power cycle.",
];

/// What about the EZ chips is inferred.
const EZ_CAVEATS: &[&str] = &[
    "The loader that reads and programs the EEPROM is tested on a simulated chip, not on silicon. Every written byte is read back.",
    "The restart by watchdog relies on one report from an EZ-Host. If it fails, you must replug the enclosure.",
    "EZ-OTG and EZ-Host look alike over USB; recover treats both as the EZ-OTG.",
];

impl Chip for Cy16 {
    fn family(&self) -> &'static str {
        "cy16"
    }

    fn models(&self) -> &'static [Model] {
        model::MODELS
    }

    fn known_ids(&self) -> &'static [KnownIds] {
        recognise::KNOWN
    }

    fn recognise(&self, seen: &Sighting) -> Option<Suspicion> {
        recognise::recognise(seen)
    }

    fn probe(&self, link: &mut dyn Link, seen: &Sighting) -> Result<Finding, ChipError> {
        probe::probe(link, seen)
    }

    fn reading_disturbs(&self) -> Option<&'static str> {
        Some(
            "Reading it replaces the firmware in RAM by a loader, and the device may hang until it \
             is unplugged",
        )
    }

    fn open_memory<'l>(
        &self,
        link: &'l mut dyn Link,
        _seen: &Sighting,
        finding: &Finding,
    ) -> Result<Box<dyn Memory + 'l>, ChipError> {
        if finding.model == SL11R {
            Ok(Box::new(eeprom_sl11r::Eeprom::open(link, finding.running)?))
        } else {
            Ok(Box::new(eeprom_ez::Eeprom::open(link)?))
        }
    }

    fn read_image(&self, model: Model, bytes: &[u8]) -> Result<Image, ImageError> {
        match dump::contents(bytes) {
            Some(contents) if image::is_signed(&contents) => image::in_memory(model, &contents),
            _ => image::read(model, bytes),
        }
    }

    fn boot_ranges(&self, _model: Model) -> &'static [Range<u32>] {
        image::BOOT_RANGES
    }

    fn boots_from(&self, _model: Model, first: &[u8]) -> bool {
        image::is_signed(first)
    }

    fn image_in_memory(&self, model: Model, contents: &[u8]) -> Result<Image, ImageError> {
        image::in_memory(model, contents)
    }

    fn try_in_ram(
        &self,
        link: &mut dyn Link,
        finding: &Finding,
        image: &Image,
    ) -> Result<Trial, ChipError> {
        trial::start(link, finding, image)
    }

    fn image_survives_loader(&self) -> bool {
        // Both live in the arena of the mask ROM's program, which runs them.
        true
    }

    fn restart_way(&self, model: Model) -> Restart {
        if model == SL11R { Restart::ByPower } else { Restart::ByRequest }
    }

    fn restart(&self, link: &mut dyn Link, model: Model) -> Result<(), ChipError> {
        if self.restart_way(model) == Restart::ByPower {
            return Err(ChipError::NotProven(format!(
                "asked to restart {}: it restarts only when its power is taken away",
                with_article(model.title)
            )));
        }
        match ram::send(link, "restarting by watchdog", &[wire::watchdog()], CONTROL_TIMEOUT) {
            // The chip leaves before it acknowledges [MK]: that is how the request succeeds.
            Err(ChipError::Transfer {
                source: TransferError::Gone | TransferError::TimedOut | TransferError::Other(_),
                ..
            }) => Ok(()),
            other => other,
        }
    }

    fn timing(&self, _model: Model) -> Timing {
        // A hub's debounce 100 ms, reset 10 ms, recovery 10 ms [USB 2.0 §7.1.7.3]; the boot scan
        // comes on top.
        Timing { enumeration_ms: 120 }
    }

    fn drive(&self, link: &mut dyn Link, seen: &Sighting) -> Result<DriveAnswer, ChipError> {
        drive::ask_storage(link, seen)
    }

    fn caveats(&self, model: Model) -> &'static [&'static str] {
        if model == SL11R { SL11R_CAVEATS } else { EZ_CAVEATS }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::FakeChip;
    use super::model::{EZ_HOST, EZ_OTG};
    use super::*;

    #[test]
    fn a_chip_that_vanishes_during_the_restart_has_restarted() {
        for gone in [TransferError::Gone, TransferError::TimedOut] {
            let mut link = FakeChip::new();
            link.script.push_back(Err(gone));
            assert_eq!(Cy16.restart(&mut link, EZ_OTG), Ok(()));
        }
        let mut link = FakeChip::new();
        link.script.push_back(Err(TransferError::Stall));
        assert!(Cy16.restart(&mut link, EZ_HOST).is_err());
    }

    #[test]
    fn an_sl11r_is_never_sent_a_restart() {
        let mut link = FakeChip::new();
        assert!(Cy16.restart(&mut link, SL11R).is_err());
        assert!(link.records.is_empty());
    }

    #[test]
    fn every_model_says_what_is_inferred_about_it() {
        for model in Cy16.models() {
            assert!(!Cy16.caveats(*model).is_empty());
            assert_eq!(model.family, Cy16.family());
        }
    }
}
