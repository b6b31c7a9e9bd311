//! Enclosures in trouble, by name: what is on the board, what is in the EEPROM, what a rescue
//! should come to. The lists themselves are in `scenarios/`, one a family.

mod at2lp;
pub(super) mod block;
mod content;
mod cy16;
mod ezusb;

use std::sync::LazyLock;

pub use content::Content;

use super::chips::at2lp::Release;
use super::chips::families::{BoardParts, virtual_chip};
use super::device::Device;
use super::drives::{BridgedDrive, CdDrive, Disk, Medium};
use super::faults::Faults;
use super::parts::{Eeprom, WriteProtect, part};
use crate::usb::Ids;

/// What is wrong with the EEPROM itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Nothing.
    None,
    /// It never acknowledges.
    Dead,
    /// Its WP pin is high; writes are acknowledged and forgotten.
    WriteProtected,
    /// Its WP pin is high; the bytes of a write are not acknowledged.
    RefusesWrites,
    /// The byte at this address cannot be changed and is not what the image wants there.
    StuckByte(u32),
    /// It acknowledges writes, takes its time and keeps the old bytes.
    LyingWrites,
    /// Its write cycle takes so many times what the datasheet allows.
    Slow(u32),
    /// Its pins A2 to A0 are wired to these levels, which are not what the chip looks for.
    Strapped(u8),
}

/// What a rescue of the scenario should come to when it is asked to do everything by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The factory identity is back.
    Rescued,
    /// Nothing is written, because nothing is wrong or nobody can say what would be right.
    Untouched(Ending),
    /// The rescue ends in an error.
    Refused(Ending),
}

/// How a run on a scenario ends that rescues nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The code of its error; `None` where it ends without one.
    pub code: Option<&'static str>,
    /// The exit code of the program.
    pub exit: u8,
    /// The state of the device, as the JSON form names it.
    pub device: &'static str,
}

impl Ending {
    /// It is healthy, and its id is known.
    const HEALTHY: Self = Self { code: None, exit: 0, device: "untouched" };
    /// It is healthy, and its id is not one of a chip in boot mode.
    const FOREIGN: Self = Self { code: Some("R101"), exit: 1, device: "untouched" };
    /// It cannot be told what it should become.
    const NEEDS_CHOICE: Self = Self { code: Some("R310"), exit: 4, device: "untouched" };

    /// An error before or without a lasting change.
    const fn unchanged(code: &'static str) -> Self {
        Self { code: Some(code), exit: 1, device: "running-from-ram" }
    }

    /// An error with the memory half written.
    const fn part_written(code: &'static str) -> Self {
        Self { code: Some(code), exit: 3, device: "part-written" }
    }
}

/// What is on a board beside the chip and its EEPROM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// What the chip's family usually has.
    Usual,
    /// An AT2 or AT2LP board.
    At2lp {
        /// The revision of the chip.
        release: Release,
        /// Whether ARESET# is held low until its power goes for the first time.
        strapped: bool,
        /// What is on the ATA connector.
        drive: BoardDrive,
    },
}

impl Board {
    /// What it adds to the chip and its EEPROM.
    fn parts(self) -> BoardParts {
        match self {
            Self::Usual => BoardParts::default(),
            Self::At2lp { release, strapped, drive } => BoardParts {
                release: Some(release),
                held_in_reset: strapped,
                drive: drive.on_its_connector(),
                ..BoardParts::default()
            },
        }
    }
}

impl BoardDrive {
    fn on_its_connector(self) -> Option<Box<dyn BridgedDrive>> {
        match self {
            Self::None => None,
            Self::Disk => Some(Box::new(Disk::new(disk()))),
            Self::Burner => Some(Box::new(CdDrive::new(Some(disc())))),
        }
    }
}

/// A drive on an ATA connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardDrive {
    /// None.
    None,
    /// A hard disk.
    Disk,
    /// A CD burner with a disc in it.
    Burner,
}

/// One scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// Name on the command line.
    pub name: &'static str,
    /// A line for the list.
    pub title: &'static str,
    /// What happened to this enclosure, for `recover sim show`.
    pub story: &'static str,
    /// The chip, by its profile's name.
    pub model: &'static str,
    /// The EEPROM, by its part's name; `None` where the board has none.
    pub part: Option<&'static str>,
    /// What is in it.
    pub content: Content,
    /// What is wrong with it.
    pub defect: Defect,
    /// What else is on the board.
    pub board: Board,
    /// Ids of the mask ROM, where they are not the chip's own.
    pub ids: Option<Ids>,
    /// Disturbed transfers, as [`Faults`] are written.
    pub faults: &'static str,
    /// What a rescue should come to.
    pub expectation: Expectation,
}

/// The scenario of a bare `--sim`.
pub const DEFAULT: &str = "sl11r-zeroed";

/// Every scenario, in the order of the list.
pub fn scenarios() -> &'static [Scenario] {
    static ALL: LazyLock<Vec<Scenario>> =
        LazyLock::new(|| [cy16::SCENARIOS, at2lp::SCENARIOS, ezusb::SCENARIOS].concat());
    &ALL
}

/// The scenario with that name.
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    scenarios().iter().find(|scenario| scenario.name == name)
}

/// A virtual chip of that model whose memory begins with `contents`, without power; `None` where
/// there is no such model. The memory is the largest the model boots from, with `fill` behind the
/// contents.
pub fn twin(model: &str, contents: &[u8], fill: u8) -> Option<Box<dyn Device>> {
    let chip = virtual_chip(model)?;
    let part = part(chip.largest_part)?;
    let mut bytes = contents.to_vec();
    bytes.resize(bytes.len().max(part.bytes as usize), fill);
    let eeprom = Some(Eeprom::new(part, &bytes));
    chip.device(BoardParts { eeprom, ..BoardParts::default() })
}

impl Scenario {
    /// The image the enclosure left the factory with.
    pub fn factory_image(&self) -> &'static [u8] {
        content::factory(self.model)
    }

    /// The device of the scenario, without power.
    #[expect(clippy::expect_used, reason = "scenarios are data of ours; a test builds every one")]
    pub fn device(&self) -> Box<dyn Device> {
        let chip = virtual_chip(self.model).expect("a scenario names a virtual chip of the table");
        let parts = BoardParts {
            eeprom: self.eeprom(),
            eeprom_is_strapped: matches!(self.defect, Defect::Strapped(_)),
            ids: self.ids,
            ..self.board.parts()
        };
        chip.device(parts).expect("the table's models are those of the chips")
    }

    /// What lies on the medium of the drive behind the bridge, as the factory left it; `None`
    /// where the model has no medium.
    pub fn medium(&self) -> Option<Medium> {
        match self.board {
            Board::At2lp { drive: BoardDrive::Disk, .. } => Some(disk()),
            Board::At2lp { drive: BoardDrive::Burner, .. } => Some(disc()),
            _ => None,
        }
    }

    /// How many bytes its EEPROM takes; `None` where the board has none.
    pub fn eeprom_bytes(&self) -> Option<usize> {
        Some(part(self.part?)?.bytes as usize)
    }

    /// The faults of the scenario.
    pub fn faults(&self) -> Faults {
        self.faults.parse().unwrap_or_default()
    }

    fn eeprom(&self) -> Option<Eeprom> {
        let part = part(self.part?)?;
        let eeprom = Eeprom::new(part, &self.content.bytes(self.model, part.bytes));
        Some(match self.defect {
            Defect::None => eeprom,
            Defect::Dead => eeprom.dead(),
            Defect::WriteProtected => eeprom.protected(WriteProtect::Ignores),
            Defect::RefusesWrites => eeprom.protected(WriteProtect::Refuses),
            Defect::StuckByte(address) => {
                let wanted = self.factory_image().get(address as usize).copied();
                eeprom.stuck(address, !wanted.unwrap_or(0xFF))
            }
            Defect::LyingWrites => eeprom.lying(),
            Defect::Slow(times) => eeprom.slow(times),
            Defect::Strapped(pins) => eeprom.strapped(pins),
        })
    }
}

/// 250 GB, as in the enclosure of the public page.
fn disk() -> Medium {
    Medium::pattern(488_397_168)
}

fn disc() -> Medium {
    Medium::disc("The drive behind the bridge answers.\r\n")
}

#[cfg(test)]
mod tests;
