//! Taking up a rescue that was not finished: whether the device at that port is the one it was
//! about, and what it is running now. That the user's own wish goes before it is in `target`.

use super::candidate::{Candidate, expects};
use super::examine::Examined;
use super::power::Awaited;
use super::session::Session;
use super::target::Target;
use super::{Request, Tools};
use crate::chip::{Evidence, Finding, Grade, Identity, Running};
use crate::journal::Journal;
use crate::rescue::outcome::{Identities, Verdict};
use crate::rescue::{Condition, DeviceState, Failure};
use crate::usb::Sighting;

impl Session<'_> {
    /// An unfinished rescue whose device now runs firmware that does not let us in: whether it
    /// runs from its memory or only from RAM shows when its power was away.
    pub(super) fn settle_by_restart(
        &mut self,
        request: &Request,
        candidate: Candidate,
        failure: Failure,
    ) -> Result<Verdict, Failure> {
        self.note(format!("it does not let us in ({}), so its power has to go", failure.what));
        let expected = candidate.unfinished.as_ref().and_then(|j| j.begun().expected.clone());
        let seen = self.cycle_power(&candidate.seen, &Awaited::of_trial(expected.clone()))?;
        let now = Identity::of(&seen);
        self.outcome.identity = Identities { expected: expected.clone(), seen: Some(now.clone()) };
        if expected.is_some_and(|expected| expected.differences(&now).is_empty()) {
            self.state = DeviceState::Restored;
            return Ok(Verdict::Rescued);
        }
        let candidate = Candidate { seen, ..candidate };
        let (finding, link) = self.prove(&candidate)?;
        self.rescue_proven(request, &candidate, finding, link)
    }

    /// A device that a failed rescue left running from RAM, without its power for a moment: what
    /// it is then. Others come back as they are.
    pub(super) fn end_trial(
        &mut self,
        request: &Request,
        candidate: Candidate,
    ) -> Result<Candidate, Failure> {
        if candidate.on_trial_of.is_none() || candidate.unfinished.is_some() {
            return Ok(candidate);
        }
        let awaited = Awaited::of_trial(Some(Identity::of(&candidate.seen)));
        let seen = self.cycle_power(&candidate.seen, &awaited)?;
        let Tools { library, scope, .. } = &self.tools;
        let now = Candidate::of(&seen, request, &[], library, *scope);
        Ok(now.unwrap_or(Candidate { seen, on_trial_of: None, ..candidate }))
    }

    /// The last rescue of its port, where that failed and left a device with this one's identity
    /// running from RAM. An enclosure with a supply of its own may have left the bus and come back
    /// since, under another number.
    pub(super) fn last_trial_like(&self, seen: &Sighting) -> Result<Option<String>, Failure> {
        let journals = self.tools.store.journals()?;
        let mut journals = journals.iter().map(|file| file.journal());
        let last = journals.rfind(|journal| journal.begun().port == seen.port);
        let trial = last.filter(|j| j.left_on_trial().is_some() && expects(j, seen));
        Ok(trial.map(|journal| journal.begun().id.clone()))
    }

    /// Whether the memory is what an unfinished rescue would have left: some of its image where
    /// the backup had other bytes. Another device may have been put into the port meanwhile.
    pub(super) fn bears_out(
        &self,
        journal: &Journal,
        target: &Target,
        examined: &Examined,
    ) -> bool {
        let Some(now) = examined.survey.contents.as_deref() else { return true };
        let backup = journal.begun().backup.as_deref();
        let Some((_, before)) = backup.and_then(|id| self.tools.store.load_backup(id).ok()) else {
            return true;
        };
        let image = &target.image.bytes;
        let triples = image.iter().zip(&before).zip(now);
        let wrote = |((image, before), now): ((&u8, &u8), &u8)| image != before && image == now;
        now.starts_with(image) || triples.into_iter().any(wrote)
    }
}

/// Whether a device that runs the image of that rescue got it from the rescue's trial: it is what
/// the image promises, and its memory holds nothing that would come up.
pub(super) fn is_trial_of(journal: &Journal, candidate: &Candidate, examined: &Examined) -> bool {
    let boots = matches!(examined.condition, Condition::Complete { .. });
    !boots && expects(journal, &candidate.seen)
}

/// Under firmware that a trial has started, models of one family may look alike that the mask
/// ROM's ids told apart: an unfinished rescue of this very device says which it is.
pub(super) fn as_proven_before(candidate: &Candidate, finding: Finding) -> Finding {
    let before = candidate.unfinished.as_ref().and_then(|journal| {
        let chip = &journal.begun().chip;
        candidate.chip.models().iter().find(|model| model.name == chip)
    });
    match before {
        Some(model) if finding.running == Running::Firmware && *model != finding.model => {
            let fact = format!("before its firmware ran, it was proven to be a {model}");
            let evidence = Evidence { fact, grade: Grade::Inferred };
            let evidence = finding.evidence.into_iter().chain([evidence]).collect();
            Finding { model: *model, evidence, ..finding }
        }
        _ => finding,
    }
}
