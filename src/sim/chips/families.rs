//! The table of virtual chips: which model is built how, the largest EEPROM it boots from, and the
//! image its virtual enclosure left the factory with. A new chip is a row.

use super::at2lp::{At2lp, Kind, Release};
use super::cy16::{self, Cy16};
use super::ezusb::{self, EzUsb};
use crate::sim::device::Device;
use crate::sim::drives::{BridgedDrive, NamedDrive};
use crate::sim::parts::Eeprom;
use crate::sim::scenarios::block;
use crate::usb::Ids;

/// What is soldered around a chip.
#[derive(Default)]
pub struct BoardParts {
    /// Its EEPROM.
    pub eeprom: Option<Eeprom>,
    /// Whether the EEPROM's address pins are wired against what the chip looks for.
    pub eeprom_is_strapped: bool,
    /// Ids of the mask ROM, where they are not the chip's own.
    pub ids: Option<Ids>,
    /// The revision, where the chip has several.
    pub release: Option<Release>,
    /// Whether the chip's reset is held low until its power goes for the first time.
    pub held_in_reset: bool,
    /// The drive on the ATA connector, where the bridge model has one.
    pub drive: Option<Box<dyn BridgedDrive>>,
}

/// A row of the table.
#[derive(Clone, Copy)]
pub struct VirtualChip {
    /// The model, as profiles and `chip` name it.
    pub model: &'static str,
    /// The largest EEPROM it boots from.
    pub largest_part: &'static str,
    /// The image its virtual enclosure left the factory with.
    pub factory: fn() -> &'static [u8],
    /// Builds it with what is around it, without power.
    pub build: fn(&'static str, BoardParts) -> Option<Box<dyn Device>>,
}

/// A file of `recovery-images` as a function that returns it.
macro_rules! shipped {
    ($path:literal) => {
        || include_bytes!(concat!("../../../recovery-images/", $path))
    };
}

const fn cy16_row(
    model: &'static str,
    largest_part: &'static str,
    factory: fn() -> &'static [u8],
) -> VirtualChip {
    VirtualChip { model, largest_part, factory, build: build_cy16 }
}

const fn ezusb_row(model: &'static str, factory: fn() -> &'static [u8]) -> VirtualChip {
    VirtualChip { model, largest_part: "24lc512", factory, build: build_ezusb }
}

const fn at2lp_row(model: &'static str) -> VirtualChip {
    VirtualChip { model, largest_part: "24c02", factory: block::factory, build: build_at2lp }
}

/// Every virtual chip.
pub const CHIPS: &[VirtualChip] = &[
    cy16_row("sl11r", "24c16", shipped!("cy16/simulated-sl11r/factory.bin")),
    cy16_row("ez-otg", "24lc512", shipped!("cy16/simulated-ez-otg/factory.bin")),
    cy16_row("ez-host", "24lc512", shipped!("cy16/simulated-ez-otg/factory.bin")),
    at2lp_row("at2lp"),
    at2lp_row("at2"),
    ezusb_row("fx2lp", shipped!("ezusb/simulated-fx2lp/factory.iic")),
    ezusb_row("fx2", shipped!("ezusb/simulated-fx2/factory.iic")),
    ezusb_row("fx1", shipped!("ezusb/simulated-fx1/factory.iic")),
    ezusb_row("an2131", shipped!("ezusb/simulated-an2131/factory.iic")),
    ezusb_row("fx", shipped!("ezusb/simulated-fx/factory.iic")),
];

/// The chip of that model; `None` where there is no such virtual chip.
pub fn virtual_chip(model: &str) -> Option<&'static VirtualChip> {
    CHIPS.iter().find(|chip| chip.model == model)
}

impl VirtualChip {
    /// The device with these parts, without power; `None` where the table and the models differ.
    pub fn device(&self, parts: BoardParts) -> Option<Box<dyn Device>> {
        (self.build)(self.model, parts)
    }
}

fn build_cy16(model: &'static str, parts: BoardParts) -> Option<Box<dyn Device>> {
    let chip = cy16::silicon(model)?;
    let ids = parts.ids.map(|ids| (ids.vendor, ids.product));
    let drive = if chip.is_ez { NamedDrive::disk() } else { NamedDrive::burner() };
    Some(Box::new(Cy16::with_ids(chip, parts.eeprom, ids).with_drive(drive)))
}

fn build_ezusb(model: &'static str, parts: BoardParts) -> Option<Box<dyn Device>> {
    let chip = ezusb::silicon(model)?;
    Some(Box::new(match parts.eeprom_is_strapped {
        true => EzUsb::strapped(chip, parts.eeprom),
        false => EzUsb::new(chip, parts.eeprom),
    }))
}

fn build_at2lp(model: &'static str, parts: BoardParts) -> Option<Box<dyn Device>> {
    let kind = match model {
        "at2lp" => Kind::At2lp,
        "at2" => Kind::At2,
        _ => return None,
    };
    let chip = At2lp::new(kind, parts.release.unwrap_or(Release::Rc42), parts.eeprom);
    let chip = if parts.held_in_reset { chip.strapped() } else { chip };
    Some(Box::new(match parts.drive {
        Some(drive) => chip.with_drive(drive),
        None => chip,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_builds_its_device_and_no_model_stands_twice() {
        for (index, chip) in CHIPS.iter().enumerate() {
            assert!(chip.device(BoardParts::default()).is_some(), "{}", chip.model);
            assert!(!(chip.factory)().is_empty(), "{}", chip.model);
            let first = CHIPS.iter().position(|other| other.model == chip.model);
            assert_eq!(first, Some(index), "{}", chip.model);
        }
    }

    #[test]
    fn a_model_that_is_in_no_row_is_no_chip() {
        assert!(virtual_chip("z80").is_none());
    }
}
