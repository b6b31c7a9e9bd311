//! The EZ-USB family: Cypress AN21xx, FX, FX1, FX2 and FX2LP, 8051 cores that run from RAM.
//!
//! At a start the boot ROM copies ids, and firmware if there is any, from a serial EEPROM. Without
//! a valid one the chip's own core is the USB device, and it answers request A0 always: RAM and the
//! 8051's reset from outside. So a blanked enclosure can always be reached; its EEPROM is reached
//! by a loader of ours in RAM.
//!
//! Read [`model`] (what differs between the chips) and [`image`] (the formats) first, then [`wire`]
//! (the requests), [`probe`] and [`memory`]. Sources: EZ-USB FX2 Technical Reference Manual v2.1
//! (\[FX2 TRM\]), EZ-USB Technical Reference Manual v1.9 (\[AN21 TRM\]), parts' data sheets.

mod asking;
mod build;
pub mod builder;
#[cfg(test)]
mod fake;
mod file;
pub mod firmware;
pub mod hex;
pub mod ids;
pub mod image;
#[cfg(test)]
mod image_tests;
pub mod loader;
pub mod memory;
pub mod model;
pub mod probe;
mod ram;
pub mod record;
mod trial;
mod upper_ram;
pub mod wire;

use std::ops::Range;

use super::drive;
use super::{
    Built, Chip, ChipError, DriveAnswer, Finding, Image, ImageError, KnownIds, Memory, Model,
    Recipe, Restart, Suspicion, Timing, Trial,
};
use crate::usb::{Link, Sighting};
use crate::wording::with_article;

/// The family.
#[derive(Clone, Copy, Debug)]
pub struct Ezusb;

/// What about every chip of the family carries a write and is not documented.
const CAVEATS: &[&str] = &[
    "The loader that reads and programs the EEPROM is tested on a simulated chip, not on silicon. Every written byte is read back.",
    "Recover identifies the part by its address and by reading it. On a board with two memories, it uses the one that the boot ROM reads first.",
    "The boot ROM is documented to read at most 256 bytes from a part with one address byte. A longer image in a 24LC04 to 24LC16 may not start.",
];

impl Chip for Ezusb {
    fn family(&self) -> &'static str {
        "ezusb"
    }

    fn models(&self) -> &'static [Model] {
        model::MODELS
    }

    fn known_ids(&self) -> &'static [KnownIds] {
        ids::KNOWN
    }

    fn recognise(&self, seen: &Sighting) -> Option<Suspicion> {
        ids::recognise(seen)
    }

    fn probe(&self, link: &mut dyn Link, seen: &Sighting) -> Result<Finding, ChipError> {
        probe::probe(link, seen)
    }

    fn reading_disturbs(&self) -> Option<&'static str> {
        Some(
            "Reading it replaces the firmware in RAM by a loader, and only a replug brings the \
             firmware back",
        )
    }

    fn open_memory<'l>(
        &self,
        link: &'l mut dyn Link,
        seen: &Sighting,
        finding: &Finding,
    ) -> Result<Box<dyn Memory + 'l>, ChipError> {
        Ok(Box::new(memory::Eeprom::open(link, model::map(finding.model), seen)?))
    }

    fn read_image(&self, model: Model, bytes: &[u8]) -> Result<Image, ImageError> {
        file::read(model, bytes)
    }

    fn boot_ranges(&self, _model: Model) -> &'static [Range<u32>] {
        image::BOOT_RANGES
    }

    fn boots_from(&self, model: Model, first: &[u8]) -> bool {
        image::boots_from(model, first)
    }

    fn image_in_memory(&self, model: Model, contents: &[u8]) -> Result<Image, ImageError> {
        image::in_memory(model, contents)
    }

    fn with_fitting_signature(&self, model: Model, contents: &[u8]) -> Option<Vec<u8>> {
        image::with_fitting_signature(model, contents)
    }

    fn resembles(&self, seen: &Sighting) -> Option<&'static str> {
        let is_core = ids::is_default_device(seen, model::Registers::E6);
        is_core
            .then_some("it looks like an EZ-USB without firmware, with ids that its EEPROM gives")
    }

    fn try_in_ram(
        &self,
        link: &mut dyn Link,
        finding: &Finding,
        image: &Image,
    ) -> Result<Trial, ChipError> {
        trial::start(link, finding, image)
    }

    fn restart_way(&self, _model: Model) -> Restart {
        // The EEPROM is read at power-on and by the RESET# pin only [FX2 TRM 3.4].
        Restart::ByPower
    }

    fn restart(&self, _link: &mut dyn Link, model: Model) -> Result<(), ChipError> {
        Err(ChipError::NotProven(format!(
            "asked to restart {}: it reads its EEPROM only when its power comes",
            with_article(model.title)
        )))
    }

    fn timing(&self, _model: Model) -> Timing {
        // A hub's debounce 100 ms, reset 10 ms, recovery 10 ms [USB 2.0 §7.1.7.3]; what the boot
        // ROM needs for a long image comes on top.
        Timing { enumeration_ms: 120 }
    }

    fn drive(&self, link: &mut dyn Link, seen: &Sighting) -> Result<DriveAnswer, ChipError> {
        drive::ask_storage(link, seen)
    }

    fn build_image(&self, model: Model, recipe: &Recipe) -> Result<Built, ImageError> {
        build::build(model, recipe)
    }

    fn caveats(&self, _model: Model) -> &'static [&'static str] {
        CAVEATS
    }
}

#[cfg(test)]
mod tests {
    use super::fake::FakeEzusb;
    use super::model::Registers;
    use super::*;

    #[test]
    fn a_restart_by_request_sends_nothing() {
        let mut link = FakeEzusb::new(Registers::E6);
        for model in Ezusb.models() {
            assert_eq!(Ezusb.restart_way(*model), Restart::ByPower);
            assert!(Ezusb.restart(&mut link, *model).is_err());
        }
        assert!(link.log.is_empty());
    }

    #[test]
    fn every_model_says_what_is_inferred_about_it() {
        for model in Ezusb.models() {
            assert!(!Ezusb.caveats(*model).is_empty());
            assert_eq!(model.family, Ezusb.family());
        }
    }
}
