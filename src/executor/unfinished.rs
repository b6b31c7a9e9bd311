//! Taking up a rescue that was not finished: whether the device at that port is the one it was
//! about, and what it is running now. That an image the user names goes before it is in `choose`.

use super::candidate::{Candidate, expects};
use super::examine::Examined;
use super::power::{self, ExpectedReturn};
use super::run::Run;
use super::unit_bytes::may_be_erased;
use super::{Request, Tools};
use crate::chip::memory::Erase;
use crate::chip::{Finding, Identity, Image, Running, Segment};
use crate::failure::{DeviceState, Failure};
use crate::journal::Journal;
use crate::rescue::Condition;
use crate::rescue::outcome::{Identities, Verdict};
use crate::usb::Sighting;

/// What a device of an unfinished rescue is, once its power was away.
pub(super) enum AfterPower {
    /// It starts from its memory as it was to be.
    Rescued,
    /// Something else came up, and is to be looked at.
    Other(Box<Candidate>),
}

/// An unfinished rescue whose device now runs firmware, and does not let us in or cannot be read:
/// whether it runs from its memory or only from RAM shows when its power was away.
pub(super) fn without_power(
    run: &mut Run<'_>,
    candidate: Candidate,
    why: &str,
) -> Result<AfterPower, Failure> {
    run.note(format!("{why}, so the enclosure needs a power cycle"));
    let expected = candidate.unfinished.as_ref().and_then(|j| j.begun().expected.clone());
    let seen = power::cycle(run, &candidate.seen, &running_from_ram(expected.clone()))?;
    let now = Identity::of(&seen);
    run.outcome.identity = Identities { expected: expected.clone(), seen: Some(now.clone()) };
    // An image that says its firmware's version is only there when that answers: a mask ROM may show
    // the same ids.
    let has_version = target_has_firmware(run, &candidate);
    if !has_version && expected.is_some_and(|expected| expected.differences(&now).is_empty()) {
        run.state = DeviceState::Restored;
        return Ok(AfterPower::Rescued);
    }
    Ok(AfterPower::Other(Box::new(Candidate { seen, ..candidate })))
}

/// Whether the image of the unfinished rescue says the version of its firmware; taken to say it
/// where it cannot be read.
fn target_has_firmware(run: &Run<'_>, candidate: &Candidate) -> bool {
    let Some(begun) = candidate.unfinished.as_ref().map(Journal::begun) else { return false };
    let models = candidate.chip.models();
    let model = models.iter().find(|model| model.name == begun.chip);
    let file = run.tools.store.kept_image(&begun.image_sha256).ok();
    let image =
        model.zip(file).and_then(|(model, file)| candidate.chip.read_image(*model, &file).ok());
    image.is_none_or(|image| image.firmware.is_some())
}

/// A device that may run an image from its RAM, and that no profile was chosen for yet.
fn running_from_ram(identity: Option<Identity>) -> ExpectedReturn<'static> {
    ExpectedReturn { identity, may_run_from_ram: true, while_off: &[], strap: None }
}

/// A device that a failed rescue left running from RAM, without its power for a moment: what
/// it is then. Others come back as they are.
pub(super) fn end_trial(
    run: &mut Run<'_>,
    request: &Request,
    candidate: Candidate,
) -> Result<Candidate, Failure> {
    if candidate.on_trial_of.is_none() || candidate.unfinished.is_some() {
        return Ok(candidate);
    }
    let expected_return = running_from_ram(Some(Identity::of(&candidate.seen)));
    let seen = power::cycle(run, &candidate.seen, &expected_return)?;
    let Tools { library, scope, .. } = &run.tools;
    let now = Candidate::of(&seen, request, &[], library, *scope);
    Ok(now.unwrap_or(Candidate { seen, on_trial_of: None, ..candidate }))
}

/// A device that needs nothing: what it is, and what an earlier rescue may have left of it.
pub(super) fn healthy(run: &mut Run<'_>, candidate: &Candidate) -> Result<Verdict, Failure> {
    let now = Identity::of(&candidate.seen);
    let name = candidate.suspicion.name;
    run.note(format!("{name} runs its firmware as {now}; it needs no rescue"));
    if let Some(rescue) = last_trial_like(run, &candidate.seen)? {
        run.note(format!(
            "the rescue {rescue} of this port failed with such a device running from RAM: if this is that device, remove all its power and run the command again"
        ));
    }
    run.outcome.identity.seen = Some(now);
    Ok(Verdict::Healthy)
}

/// The last rescue of its port, where that failed and left a device with this one's identity
/// running from RAM. An enclosure with a supply of its own may have left the bus and come back
/// since, under another number.
fn last_trial_like(run: &Run<'_>, seen: &Sighting) -> Result<Option<String>, Failure> {
    let last = run.tools.store.last_journal_at(&seen.port)?;
    let last = last.as_ref().map(|file| file.journal());
    let trial = last.filter(|j| j.left_on_trial().is_some() && expects(j, seen));
    Ok(trial.map(|journal| journal.begun().id.clone()))
}

/// Whose device it is that was found where a rescue is unfinished.
pub(super) enum Owner {
    /// That rescue's, or there is none.
    Journal,
    /// Another unit may have been plugged in meanwhile: the same device without that rescue. What
    /// is known of the first one is not for it, whatever image the user named.
    Another(Box<Candidate>),
    /// It runs firmware, and its memory cannot be compared.
    Untold,
}

/// Whether its memory shows that it is of the unfinished rescue of its port, or the user said so.
pub(super) fn owner(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    finding: &Finding,
    examined: &Examined,
) -> Owner {
    let Some(journal) = &candidate.unfinished else { return Owner::Journal };
    match matches_interrupted_write(run, journal, candidate, finding, examined) {
        _ if request.resume => Owner::Journal,
        Some(true) => Owner::Journal,
        Some(false) => {
            Owner::Another(Box::new(another(run, journal, candidate, finding, examined)))
        }
        // Broken on its own evidence.
        None if finding.running != Running::Firmware => Owner::Journal,
        None => Owner::Untold,
    }
}

/// The same device without the unfinished rescue of its port.
fn another(
    run: &mut Run<'_>,
    journal: &Journal,
    candidate: &Candidate,
    finding: &Finding,
    examined: &Examined,
) -> Candidate {
    run.note(format!(
        "its {} holds nothing that the unfinished rescue {} wrote, so this run starts from the beginning",
        examined.survey.layout.name,
        journal.begun().id
    ));
    let is_firmware = finding.running == Running::Firmware;
    let runs_trial = is_firmware && is_trial_of(journal, candidate, examined);
    let on_trial_of = runs_trial.then(|| journal.clone());
    Candidate { unfinished: None, on_trial_of, ..candidate.clone() }
}

/// Whether the memory is what an unfinished rescue would have left: some of its image where
/// the backup had other bytes. `None` where nothing can be compared.
fn matches_interrupted_write(
    run: &mut Run<'_>,
    journal: &Journal,
    candidate: &Candidate,
    finding: &Finding,
    examined: &Examined,
) -> Option<bool> {
    let begun = journal.begun();
    let (now, backup) = (examined.survey.contents.as_deref()?, begun.backup.as_ref()?);
    let store = run.tools.store;
    let kept = store
        .load_backup(backup)
        .and_then(|(_, before)| store.kept_image(&begun.image_sha256).map(|file| (before, file)));
    let (before, file) = match kept {
        Ok(kept) => kept,
        Err(failure) => {
            run.note(format!(
                "the unfinished rescue {} cannot be compared with this device: {}",
                begun.id, failure.what
            ));
            return None;
        }
    };
    let chip = candidate.chip;
    let image = chip.read_image(finding.model, &file).unwrap_or_else(|_| {
        // A backup that is put back need not be an image.
        Image::at_address_zero(file, chip.boot_ranges(finding.model))
    });
    if examined.survey.layout.erase != Erase::Nothing {
        return Some(may_be_erased(now, &before, &image));
    }
    let wrote = |segment: &Segment| {
        let start = usize::try_from(segment.address).unwrap_or(usize::MAX);
        let places = before.iter().zip(now).skip(start);
        let triples = segment.bytes.iter().zip(places);
        triples.into_iter().any(|(image, (before, now))| image != before && image == now)
    };
    let is_there = |segment: &Segment| {
        let start = usize::try_from(segment.address).unwrap_or(usize::MAX);
        now.get(start..).is_some_and(|now| now.starts_with(&segment.bytes))
    };
    Some(image.segments.iter().all(is_there) || image.segments.iter().any(wrote))
}

/// Whether a device that runs the image of that rescue got it from the rescue's trial: it is what
/// the image promises, and its memory holds nothing that would come up.
fn is_trial_of(journal: &Journal, candidate: &Candidate, examined: &Examined) -> bool {
    let boots = matches!(examined.condition, Condition::Complete { .. });
    !boots && expects(journal, &candidate.seen)
}
