//! Who the chip is, decided once at power-on [001-05809 p. 19].

use super::{At2lp, Kind};
use crate::sim::diagnostic::Verdict;

/// How many bytes of its EEPROM the chip reads.
pub(super) const BLOCK_BYTES: usize = 256;

/// Who the chip is until its power goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Personality {
    /// Not on the bus.
    Absent,
    /// Manufacturing mode with the default descriptors.
    Manufacturing,
    /// A bridge with the ids of its fuses.
    Fused([u16; 3]),
    /// A bridge with what its EEPROM held at power-on.
    Programmed(Vec<u8>),
}

impl At2lp {
    pub(super) fn start(&mut self) -> Personality {
        if self.strapped {
            return Personality::Manufacturing;
        }
        let block = self.read_eeprom(0, BLOCK_BYTES);
        match (block.as_deref().and_then(|block| block.get(..2)), self.kind) {
            (Some(b"SK"), Kind::At2lp) | (Some(b"MM"), Kind::At2) => {
                Personality::Programmed(block.unwrap_or_default())
            }
            (Some(b"MM"), Kind::At2lp) => {
                // Reported by owners: the other pin-out leaves nothing on the bus.
                let text = "the EEPROM starts with 4d4d, an AT2LP then takes on the older chip's pin-out and is gone from USB";
                self.diagnostics.note(self.now, Verdict::Failed, text.to_owned());
                Personality::Absent
            }
            _ if self.fuses != [0; 3] => Personality::Fused(self.fuses),
            _ => Personality::Manufacturing,
        }
    }
}
