//! The first write to a part whose reading told neither its size nor its page: what it shows, and
//! how it is undone where the part is too small.

use super::run::Run;
use super::write::{Writer, before, part_too_small};
use crate::chip::memory::wrap::{Alias, PartProof, in_one_page};
use crate::chip::{MemoryError, Segment};
use crate::failure::{DeviceState, Failure};

impl Writer<'_> {
    /// Writes a piece with the page that its proof says; looks for it where a part that is too small
    /// would show it once more, and whether smaller pages have wrapped it. From then on the memory's
    /// unit is the part's, as far as it showed.
    pub fn prove_part(
        &mut self,
        run: &mut Run<'_>,
        proof: &PartProof,
        place: &str,
    ) -> Result<(), Failure> {
        self.memory.assume_size(self.survey.part_bytes);
        if self.layout().unit != proof.unit {
            self.memory.assume_unit(proof.unit);
        }
        let mut beyond = Vec::new();
        for alias in &proof.aliases {
            let there = Segment { address: alias.address, bytes: proof.segment.bytes.clone() };
            // What was not read yet is read before the write can change it.
            let old = match before(self.survey, &there.range()) {
                Some(old) => old.to_vec(),
                None => self.read_segment(run, &there, place)?,
            };
            beyond.push((*alias, Segment { address: alias.address, bytes: old }));
        }
        let own = match before(self.survey, &proof.segment.range()) {
            Some(own) => own.to_vec(),
            None => self.read_segment(run, &proof.segment, place)?,
        };
        let smallest = self.layout().units.first().copied();
        let result = match (self.try_write(&proof.segment), smallest) {
            // A part that takes single bytes may refuse the second one.
            (Err(MemoryError::NoAcknowledge { .. }), Some(smallest)) => {
                self.memory.assume_unit(smallest);
                self.try_write(&proof.segment)
            }
            (result, _) => result,
        };
        let kept = self.was_taken(run, result, &proof.segment, Some(&own), place)?;
        for (alias, old) in beyond {
            if self.read_segment(run, &old, place)? != old.bytes
                // A reading that was disturbed is not what the write left.
                && self.read_segment(run, &old, place)? == self.read_segment(run, &proof.segment, place)?
            {
                let old = Segment { address: proof.segment.address, bytes: own };
                return Err(self.too_small(run, alias, &old, place)?);
            }
        }
        let Segment { address, bytes } = &proof.segment;
        let got = match kept {
            true => bytes.clone(),
            false => self.read_segment(run, &proof.segment, place)?,
        };
        if got == *bytes {
            self.note_kept(&proof.segment);
            return Ok(());
        }
        let held = |unit: &&u32| in_one_page(*address, &own, bytes, **unit) == Some(got.clone());
        if got != own
            && let Some(unit) = proof.smaller_units.iter().rfind(held)
        {
            self.memory.assume_unit(*unit);
            run.note(format!("its pages are {unit} bytes, found by the first write"));
            self.write_segment(run, &proof.segment, place)?;
        }
        self.verify_segment(run, &proof.segment, place)
    }

    /// Puts back what the write has changed, and says how large the part is.
    fn too_small(
        &mut self,
        run: &mut Run<'_>,
        alias: Alias,
        old: &Segment,
        place: &str,
    ) -> Result<Failure, Failure> {
        // In pages that a part of that size takes.
        self.memory.assume_size(alias.size);
        self.write_segment(run, old, place)?;
        if self.read_segment(run, old, place)? == old.bytes && !self.has_kept {
            // The memory is what it was; nothing was changed before the proof.
            run.state = DeviceState::RunningFromRam;
        }
        let what = format!(
            "it holds {} bytes: a write at {:#06x} appeared at {:#06x} too",
            alias.size, old.address, alias.address
        );
        Ok(part_too_small(run, self.layout(), what, place))
    }
}
