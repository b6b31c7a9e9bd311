//! What the records of an image may do to the chip that boots it [BM INT 67 listing, 1.3.2]. Part
//! of `image`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::model::{self, Map};
use super::record::{self, Record};
use crate::chip::ImageError;

/// The record Cypress's assembler puts first so that its code starts at an even offset of the
/// file: a word to ROM, without effect \[ST\].
const DUMMY: (u16, [u8; 2]) = (0xe000, [0, 0]);

/// Interrupts the boot runs on while it still reads records: EEPROM, scan, scan decoder [BM 1.3.2].
const BOOTING: &[u8] = &[64, 65, 67, 79];
/// Interrupts without which request FF is not answered: endpoint 0 of both SIEs, standard
/// requests, loader, idle chain [BM 1.7.5].
const LOADING: &[u8] = &[32, 40, 70, 83, 94, 99, 110];

/// Interrupts that the BIOS leaves for firmware and does not initialise [BM table 1-7].
fn is_free(interrupt: u8) -> bool {
    matches!(interrupt, 51..=63 | 118..=125)
}

/// What the records so far have put into the chip.
#[derive(Default)]
struct Loaded {
    /// Stretches of memory, for the search of descriptors; neighbouring records are one stretch.
    pieces: Vec<Vec<u8>>,
    /// The address at which the last stretch goes on, when op 00 made it.
    grows_at: Option<u32>,
    /// Where op 00 put them.
    copied: Vec<Range<u32>>,
    /// Bytes of the block at each interrupt.
    installed: BTreeMap<u8, usize>,
    /// Interrupts whose vector was set.
    vectors: BTreeSet<u8>,
    /// Whether code of the image has run: what it changed cannot be known here.
    has_run: bool,
}

/// Judges one record after the other.
pub(super) struct Rules<'m> {
    chip: &'static str,
    map: &'m Map,
    loaded: Loaded,
}

impl<'m> Rules<'m> {
    /// For an image of which no record was read yet.
    pub(super) fn new(chip: &'static str, map: &'m Map) -> Self {
        Self { chip, map, loaded: Loaded::default() }
    }

    /// Stretches of memory as the records so far load them.
    pub(super) fn pieces(&self) -> &[Vec<u8>] {
        &self.loaded.pieces
    }

    /// Judges the next record; the text is appended to its line in the contents.
    pub(super) fn record(&mut self, record: &Record) -> Result<String, ImageError> {
        let unsuitable =
            |why: &str| ImageError::Unsuitable { part: record.to_string(), why: why.to_owned() };
        match record {
            Record::Copy { address, data } => return self.copy(record, *address, data),
            Record::Install { interrupt, code } => {
                self.vector(record, *interrupt)?;
                let free = usize::try_from(self.map.free.end - self.map.free.start).unwrap_or(0);
                let earlier: usize = self.loaded.installed.values().sum();
                if earlier + code.len() > free {
                    return Err(unsuitable(&format!("more than the {free} bytes of free RAM")));
                }
                // A second block at the same vector leaks the first.
                *self.loaded.installed.entry(*interrupt).or_default() += code.len();
                self.loaded.pieces.push(code.clone());
                self.loaded.grows_at = None;
                return Ok(loses_loader(*interrupt));
            }
            Record::FixUp { interrupt, offsets } => {
                let block = self.loaded.installed.get(interrupt).copied();
                let Some(block) = block else {
                    return Err(unsuitable("no block was installed at that vector before it"));
                };
                if offsets.iter().any(|offset| usize::from(*offset) + 2 > block) {
                    return Err(unsuitable(&format!(
                        "an offset beyond the block of {block} bytes"
                    )));
                }
            }
            Record::Jump { address } | Record::Call { address } => {
                let at = u32::from(*address);
                let is_code = self.map.rom.contains(&at)
                    || self.map.ram.contains(&at) && at >= model::REGISTER_BANKS.end;
                if !is_code {
                    let (start, end) = (at, at + 2);
                    return Err(ImageError::OutsideRam {
                        part: record.to_string(),
                        start,
                        end,
                        chip: self.chip,
                    });
                }
                let is_known = !self.loaded.has_run && self.loaded.installed.is_empty();
                if is_known
                    && self.map.ram.contains(&at)
                    && !self.loaded.copied.iter().any(|range| range.contains(&at))
                {
                    return Err(unsuitable("no record before it has loaded code there"));
                }
                self.loaded.has_run = true;
            }
            Record::Interrupt { interrupt } => {
                if is_free(*interrupt)
                    && !self.loaded.has_run
                    && !self.loaded.vectors.contains(interrupt)
                {
                    return Err(unsuitable("nothing was installed at that vector before it"));
                }
                self.loaded.has_run = true;
            }
            Record::Feed { .. } => {
                return Err(unsuitable("it would write the EEPROM at every start"));
            }
            Record::Registers(entries) => {
                if !self.map.has_ez_registers {
                    return Err(unsuitable("this chip is not known to have op 09"));
                }
                for (register, _) in entries {
                    register_is_safe(u32::from(*register)).map_err(unsuitable)?;
                }
            }
        }
        Ok(String::new())
    }

    /// Judges an op 00.
    fn copy(&mut self, record: &Record, address: u16, data: &[u8]) -> Result<String, ImageError> {
        if (address, data) == (DUMMY.0, &DUMMY.1[..]) {
            return Ok(" (ROM: no effect, it aligns what follows)".to_owned());
        }
        let start = u32::from(address);
        let end = start.saturating_add(u32::try_from(data.len()).unwrap_or(u32::MAX));
        let part = || record.to_string();
        if model::REGISTERS.contains(&start) {
            // Captured: whole words, one a record [EZ].
            if data.len() != 2 {
                let why = "registers take one word a record".to_owned();
                return Err(ImageError::Unsuitable { part: part(), why });
            }
            register_is_safe(start - model::REGISTERS.start)
                .map_err(|why| ImageError::Unsuitable { part: part(), why: why.to_owned() })?;
            return Ok(" (a register)".to_owned());
        }
        if !self.map.ram.contains(&start) || end > self.map.ram.end {
            return Err(ImageError::OutsideRam { part: part(), start, end, chip: self.chip });
        }
        if start < model::REGISTER_BANKS.end && end > model::REGISTER_BANKS.start {
            let why = "it overwrites the registers of the running boot, 0100 to 0140".to_owned();
            return Err(ImageError::Unsuitable { part: part(), why });
        }
        let mut note = String::new();
        for interrupt in 0..=record::MAX_INTERRUPT {
            let word = u32::from(interrupt) * 2;
            if start < word + 2 && end > word {
                self.vector(record, interrupt)?;
                if note.is_empty() {
                    note = loses_loader(interrupt);
                }
            }
        }
        match self.loaded.pieces.last_mut() {
            Some(piece) if self.loaded.grows_at == Some(start) => piece.extend(data),
            _ => self.loaded.pieces.push(data.to_vec()),
        }
        self.loaded.grows_at = Some(end);
        self.loaded.copied.push(start..end);
        Ok(note)
    }

    /// Judges that an interrupt's vector is set.
    fn vector(&mut self, record: &Record, interrupt: u8) -> Result<(), ImageError> {
        if BOOTING.contains(&interrupt) {
            return Err(ImageError::Unsuitable {
                part: record.to_string(),
                why: format!("it replaces interrupt {interrupt:02x}, which reads this image"),
            });
        }
        self.loaded.vectors.insert(interrupt);
        Ok(())
    }
}

/// A remark on images under which the chip may no longer be reached by request FF.
fn loses_loader(interrupt: u8) -> String {
    if LOADING.contains(&interrupt) {
        format!(" (replaces interrupt {interrupt:02x}; request FF may get no reply while it runs)")
    } else {
        String::new()
    }
}

/// Refuses the registers that the boot itself runs on: flags C000 and bank C002.
fn register_is_safe(register: u32) -> Result<(), &'static str> {
    match register {
        0..4 => Err("it changes the flags or the register bank of the running boot"),
        odd if odd % 2 == 1 => Err("registers lie at even addresses"),
        _ => Ok(()),
    }
}
