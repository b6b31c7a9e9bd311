//! Opens a device and has the chip prove what it is.

use super::candidate::Candidate;
use super::event::Event;
use super::run::Run;
use crate::chip::{ChipError, Evidence, Finding, Grade, Running};
use crate::failure::Failure;
use crate::rescue::RunStage;
use crate::usb::{Link, Sighting, TransferError};
use crate::wording::with_article;

/// An open device with a proven chip.
pub(super) struct Proven {
    pub seen: Sighting,
    pub finding: Finding,
    pub link: Box<dyn Link>,
}

/// Opens the device and asks its chip. Changes nothing.
pub(super) fn prove(run: &mut Run<'_>, candidate: &Candidate) -> Result<Proven, Failure> {
    run.enter(RunStage::Proving);
    let mut link = run.open(&candidate.seen)?;
    let finding = match candidate.chip.probe(&mut *link, &candidate.seen) {
        // One lost transfer is no reason to give up; a probe changes nothing.
        Err(ChipError::Transfer { source, .. }) if source != TransferError::Gone => {
            candidate.chip.probe(&mut *link, &candidate.seen)
        }
        result => result,
    }
    .map_err(|error| run.chip_failure(error, "proof of the chip"))?;
    let finding = proof_from_journal(candidate, finding);
    run.emit(&Event::Proven {
        chip: finding.model,
        running: finding.running,
        evidence: finding.evidence.clone(),
    });
    Ok(Proven { seen: candidate.seen.clone(), finding, link })
}

/// Under firmware that a trial has started, models of one family may look alike that the mask
/// ROM's ids told apart: an unfinished rescue of this very device says which it is.
fn proof_from_journal(candidate: &Candidate, finding: Finding) -> Finding {
    let before = candidate.unfinished.as_ref().and_then(|journal| {
        let chip = &journal.begun().chip;
        candidate.chip.models().iter().find(|model| model.name == chip)
    });
    match before {
        Some(model) if finding.running == Running::Firmware && *model != finding.model => {
            let fact = format!(
                "it was proven to be {} before its firmware ran",
                with_article(model.title)
            );
            let evidence = Evidence { fact, grade: Grade::Inferred };
            let evidence = finding.evidence.into_iter().chain([evidence]).collect();
            Finding { model: *model, evidence, ..finding }
        }
        _ => finding,
    }
}
