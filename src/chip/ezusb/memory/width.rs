//! Whether the part takes as many address bytes as its place on the bus says.
//!
//! The boot ROM goes by the place alone: what answers at 50 takes one, else what answers at 51
//! takes two [Cypress DOC-13342]. A part that was replaced may be strapped otherwise, and then
//! every write would go astray: to a part with one address byte the second is data.
//!
//! Two proofs, both harmless. *By reading*: two reads that overlap agree only in a part whose
//! addresses are understood; content that is one byte throughout agrees anyhow. *By one byte*
//! written with one address byte: a part that takes two hears an address and no data, and writes
//! nothing [24LC16B, 24LC64 data sheets]. So at 50 the byte, which is one of the image's, has to
//! show, and at 51 a byte that is unlike the rest must not; if it does, it is put back.
//! docs/decisions/width-proof.md has the reasons.

use super::Eeprom;
use super::wire;
use crate::chip::memory::AddressWidth;
use crate::chip::memory::serial_eeprom::Runs;
use crate::chip::memory::wrap::is_uniform;
use crate::chip::{ChipError, Memory, MemoryError};

/// Bytes that hold the whole of a part with one address byte that answers at one place only.
const WHOLE: u32 = 256;
/// How often reads that disagree are taken for a disturbance.
const ATTEMPTS: u32 = 3;
/// The cell that is tried at 51; the first has the signature.
const TRIED: u8 = 0x80;

/// What is known of the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// Nothing but the place.
    Told,
    /// Reads that overlap agree. `is_uniform`: because the content is one byte throughout.
    Read { is_uniform: bool },
    /// Reading or a byte has proven it.
    Proven,
}

fn other(what: &str) -> MemoryError {
    MemoryError::OtherWidth(what.to_owned())
}

impl Eeprom<'_> {
    /// Proves the width as far as reading can. Done once, before the first read.
    pub(super) fn check_by_reading(&mut self) -> Result<(), MemoryError> {
        if self.width != Width::Told {
            return Ok(());
        }
        let mut attempt = 1;
        loop {
            let (start, shifted) = match self.class.width {
                AddressWidth::One => (self.read_run(0, WHOLE)?, self.read_run(1, WHOLE - 1)?),
                AddressWidth::Two => (self.read_run(0, 2 * WHOLE)?, self.read_run(1, WHOLE)?),
            };
            if start.get(1..=shifted.len()) == Some(shifted.as_slice()) {
                self.width = Width::Read { is_uniform: is_uniform(&start) };
                return Ok(());
            }
            if attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            return match self.class.width {
                AddressWidth::One => Err(other(
                    "the part at 50 does not start at the given one-byte address; it seems to use two address bytes",
                )),
                // Of two address bytes such a part takes the first, which is 00 both times.
                AddressWidth::Two if start.get(..shifted.len()) == Some(shifted.as_slice()) => {
                    Err(other("the part at 51 uses one address byte: it ignores the second"))
                }
                AddressWidth::Two => Err(ChipError::Loader(
                    "returned different bytes for the same addresses each time".to_owned(),
                )
                .into()),
            };
        }
    }

    /// Proves the width before the first write; `bytes` are to go to `address`. Returns whether
    /// they are there already.
    pub(super) fn prove_by_a_byte(
        &mut self,
        address: u32,
        bytes: &[u8],
    ) -> Result<bool, MemoryError> {
        self.put_back()?;
        self.check_by_reading()?;
        match (self.class.width, self.width) {
            (AddressWidth::One, _) => self.byte_shows(address, bytes),
            (AddressWidth::Two, Width::Read { is_uniform: true }) => {
                self.byte_does_not_show()?;
                Ok(false)
            }
            // Reads that agree on bytes that differ.
            (AddressWidth::Two, _) => {
                self.width = Width::Proven;
                Ok(false)
            }
        }
    }

    /// Writes bytes of the image one at a time until one is kept, at 50.
    fn byte_shows(&mut self, address: u32, bytes: &[u8]) -> Result<bool, MemoryError> {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let now = self.read(address..address.saturating_add(length))?;
        let differ = |now: &[u8]| -> Vec<usize> {
            let pairs = now.iter().zip(bytes).enumerate();
            pairs.filter(|(_, (got, wanted))| got != wanted).map(|(place, _)| place).collect()
        };
        let places = differ(&now);
        let tried = places.first().into_iter().chain(places.get(1..).and_then(<[_]>::last));
        for place in tried {
            let (Some(byte), Ok(offset)) = (bytes.get(*place), u32::try_from(*place)) else {
                break;
            };
            self.write_cycles = self.write_cycles.saturating_add(1);
            let place_of_byte = address.saturating_add(offset) & self.answering;
            let (first, _) = self.inside(place_of_byte, 1)?;
            let doing = format!("writing a byte to the EEPROM at {first:#06x}");
            self.ask(&wire::write_eeprom(first, vec![*byte], 1), &doing)?;
            let kept = self.read(address..address.saturating_add(length))?;
            let mut expected = now.clone();
            expected.splice(place..=place, [*byte]);
            if kept == expected {
                self.width = Width::Proven;
                return Ok(differ(&kept).is_empty());
            }
            let changed = kept.iter().zip(&now).position(|(kept, now)| kept != now);
            if let Some(changed) = changed {
                // It took a byte, and not the one that was sent.
                let address = address.saturating_add(u32::try_from(changed).unwrap_or(u32::MAX));
                let [expected, got] = [&expected, &kept].map(|all| all.get(changed).copied());
                return Err(MemoryError::NotKept {
                    address,
                    expected: expected.unwrap_or_default(),
                    got: got.unwrap_or_default(),
                });
            }
        }
        if places.is_empty() {
            return Ok(true);
        }
        Err(other(
            "a byte written with one address byte is not there: the part at 50 is write protected, or it uses two address bytes",
        ))
    }

    /// Writes a byte with one address byte and sees that nothing changes, at 51. All that such a
    /// part could hold was read and is one byte throughout.
    fn byte_does_not_show(&mut self) -> Result<(), MemoryError> {
        let start = self.read_run(0, 2 * WHOLE)?;
        let Some(old) = start.first().copied() else { return Ok(()) };
        // Before the write: one whose answer is lost may have been taken, and to put back what was
        // not written changes nothing.
        self.tried = Some(old);
        self.told(!old, "testing the part's address width")?;
        if self.read_run(0, 2 * WHOLE)? == start {
            self.tried = None;
            self.width = Width::Proven;
            return Ok(());
        }
        self.put_back()?;
        if self.read_run(0, 2 * WHOLE)? != start {
            let what = "and the EEPROM at 51 use different address widths: the test byte at 0080 could not be restored";
            return Err(ChipError::Loader(what.to_owned()).into());
        }
        Err(other("the part at 51 uses one address byte; the test byte was restored"))
    }

    /// A byte to the cell that is tried, with one address byte at 51.
    fn told(&mut self, byte: u8, doing: &str) -> Result<(), MemoryError> {
        self.ask(&wire::write_small(0x100 | u16::from(TRIED), vec![byte]), doing)?;
        Ok(())
    }

    /// What an earlier attempt may have left in the cell that is tried.
    fn put_back(&mut self) -> Result<(), MemoryError> {
        if let Some(old) = self.tried {
            self.write_cycles = self.write_cycles.saturating_add(2);
            self.told(old, "restoring a test byte")?;
            self.tried = None;
        }
        Ok(())
    }
}
