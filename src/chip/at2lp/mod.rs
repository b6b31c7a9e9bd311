//! Cypress EZ-USB AT2 and AT2LP: USB 2.0 to ATA/ATAPI bridges (CY7C68300A; CY7C68300B/C, 301, 320,
//! 321). With no valid EEPROM and no fuses they enumerate in manufacturing mode, the "Cypress AT2LP
//! RC42" of so many forum threads, and there is no program in it to be loaded: the EEPROM holds a
//! table of settings, descriptors and strings ([`image`]).
//!
//! The memory is reached by a vendor command over the bulk-only transport ([`wire`], [`memory`]),
//! the way Cypress's own tool goes. The chip pages the I2C writes itself. Read [`recognise`] for
//! how a blank chip is told from the healthy enclosures that share its id.
//!
//! Sources: datasheet 001-05809 Rev *A (documented), the requests of Cypress's programming tool and
//! three of its images (captured), all collected in docs/chips/at2lp.md.

mod build;
mod drive;
pub mod image;
mod memory;
mod probe;
mod recognise;
mod serial;
pub mod wire;

use std::ops::Range;

use super::{
    Built, Chip, ChipError, DriveAnswer, Finding, Image, ImageError, KnownIds, Memory, Model,
    Recipe, Restart, Suspicion, Timing, Trial,
};
use crate::usb::{Link, Sighting};
use crate::wording::with_article;
use image::Format;

/// CY7C68300B/C, 68301, 68320, 68321.
pub const AT2LP: Model = Model { name: "at2lp", title: "EZ-USB AT2LP", family: "at2lp" };
/// CY7C68300A, the older chip.
pub const AT2: Model = Model { name: "at2", title: "EZ-USB AT2", family: "at2lp" };

/// The family.
#[derive(Clone, Copy, Debug)]
pub struct At2lp;

impl Chip for At2lp {
    fn family(&self) -> &'static str {
        "at2lp"
    }

    fn models(&self) -> &'static [Model] {
        &[AT2LP, AT2]
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

    fn open_memory<'l>(
        &self,
        link: &'l mut dyn Link,
        seen: &Sighting,
        finding: &Finding,
    ) -> Result<Box<dyn Memory + 'l>, ChipError> {
        let _ = finding;
        Ok(Box::new(memory::Configured::open(link, seen)?))
    }

    fn read_image(&self, model: Model, bytes: &[u8]) -> Result<Image, ImageError> {
        match super::dump::contents(bytes) {
            Some(contents) if image::Format::of(&contents).is_some() => {
                image::image_at_start(model, &contents)
            }
            _ => image::read(model, bytes),
        }
    }

    /// An AT2LP also starts from "MM", in the older chip's mode.
    fn boot_ranges(&self, _model: Model) -> &'static [Range<u32>] {
        image::BOOT_RANGES
    }

    fn boots_from(&self, model: Model, first: &[u8]) -> bool {
        match Format::of(first) {
            Some(Format::Sk) => model == AT2LP,
            Some(Format::Mm) => true,
            None => false,
        }
    }

    /// "MM" on an AT2LP is what makes enclosures vanish, so it counts as broken there.
    fn image_in_memory(&self, model: Model, contents: &[u8]) -> Result<Image, ImageError> {
        image::image_at_start(model, contents)
    }

    fn try_in_ram(&self, _: &mut dyn Link, _: &Finding, _: &Image) -> Result<Trial, ChipError> {
        let why = "this chip reads its descriptors from its EEPROM only, at power-on";
        Ok(Trial::NotOffered(why.to_owned()))
    }

    fn strap(&self, _: Model) -> Option<&'static str> {
        // [DS-AT2LP p. 19]: forced test mode, whatever the EEPROM holds.
        Some("If pin 1 (ARESET#) of its 40-pin connector is held at ground, release it")
    }

    fn restart_way(&self, _: Model) -> Restart {
        Restart::ByPower
    }

    fn restart(&self, _: &mut dyn Link, model: Model) -> Result<(), ChipError> {
        Err(ChipError::NotProven(format!(
            "{} reads its EEPROM at power-on only; no request restarts it",
            with_article(model.title)
        )))
    }

    /// The connect debounce of USB 2.0 §7.1.7.3 and a reset; what the chip itself takes is not
    /// published.
    fn timing(&self, _: Model) -> Timing {
        Timing { enumeration_ms: 110 }
    }

    fn drive(&self, link: &mut dyn Link, seen: &Sighting) -> Result<DriveAnswer, ChipError> {
        drive::ask(link, seen)
    }

    fn build_image(&self, model: Model, recipe: &Recipe) -> Result<Built, ImageError> {
        build::build(model, recipe)
    }

    fn with_serial(
        &self,
        model: Model,
        bytes: &[u8],
        serial: Option<&str>,
        unique: [u8; 8],
    ) -> Result<Built, ImageError> {
        serial::replace(model, bytes, serial, unique)
    }

    fn caveats(&self, model: Model) -> &'static [&'static str] {
        if model == AT2 {
            &[
                "That a blank AT2 replies like an AT2LP is inferred; no blank AT2 was captured.",
                SIGNATURE_LAST,
            ]
        } else {
            &[SIGNATURE_LAST]
        }
    }
}

/// What rule R3 rests on here.
const SIGNATURE_LAST: &str = "Recover writes the 8-byte signature last, with a second vendor command. That the chip accepts 8 bytes is inferred: the vendor's tool sends 142, 184 and 255.";
