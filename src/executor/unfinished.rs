//! Taking up a rescue that was not finished: whether the device at that port is the one it was
//! about, and what it is running now. That the user's own wish goes before it is in `choose`.

use super::candidate::{Candidate, expects};
use super::choose::unfinished_rescue;
use super::examine::Examined;
use super::power::{self, ExpectedReturn};
use super::run::Run;
use super::target::Target;
use super::{Request, Tools};
use crate::chip::{Finding, Identity, Running, Segment};
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

/// An unfinished rescue whose device now runs firmware that does not let us in: whether it runs
/// from its memory or only from RAM shows when its power was away.
pub(super) fn without_power(
    run: &mut Run<'_>,
    candidate: Candidate,
    failure: &Failure,
) -> Result<AfterPower, Failure> {
    run.note(format!(
        "the running image does not accept the loader ({}), so the enclosure needs a power cycle",
        failure.what
    ));
    let expected = candidate.unfinished.as_ref().and_then(|j| j.begun().expected.clone());
    let seen = power::cycle(run, &candidate.seen, &running_from_ram(expected.clone()))?;
    let now = Identity::of(&seen);
    run.outcome.identity = Identities { expected: expected.clone(), seen: Some(now.clone()) };
    if expected.is_some_and(|expected| expected.differences(&now).is_empty()) {
        run.state = DeviceState::Restored;
        return Ok(AfterPower::Rescued);
    }
    Ok(AfterPower::Other(Box::new(Candidate { seen, ..candidate })))
}

/// A device that may run an image from its RAM, and that no profile was chosen for yet.
fn running_from_ram(identity: Option<Identity>) -> ExpectedReturn<'static> {
    ExpectedReturn { identity, may_run_from_ram: true, while_off: &[] }
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
    let journals = run.tools.store.journals()?;
    let mut journals = journals.iter().map(|file| file.journal());
    let last = journals.rfind(|journal| journal.begun().port == seen.port);
    let trial = last.filter(|j| j.left_on_trial().is_some() && expects(j, seen));
    Ok(trial.map(|journal| journal.begun().id.clone()))
}

/// The same device without the unfinished rescue of its port, where its memory holds nothing of
/// what that wrote; `None` where it is that rescue's, or the user asked for it by name.
pub(super) fn as_another_device(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    finding: &Finding,
    target: &Target,
    examined: &Examined,
) -> Option<Candidate> {
    let journal = unfinished_rescue(request, candidate)?;
    if request.resume || matches_interrupted_write(run, journal, target, examined) {
        return None;
    }
    run.note(format!(
        "its {} holds nothing that the unfinished rescue {} wrote, so this run starts from the beginning",
        examined.survey.layout.name,
        journal.begun().id
    ));
    let is_firmware = finding.running == Running::Firmware;
    let runs_trial = is_firmware && is_trial_of(journal, candidate, examined);
    let on_trial_of = runs_trial.then(|| journal.clone());
    Some(Candidate { unfinished: None, on_trial_of, ..candidate.clone() })
}

/// What the memory held before the unfinished rescue of its port began, where every byte of what
/// it holds now is one of that, of the rescue's image, or of a flash that is erased or cleared. Of
/// another unit, whose serial number differs, it is not.
pub(super) fn contents_before(
    run: &Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    examined: &Examined,
) -> Option<Vec<u8>> {
    let begun = candidate.unfinished.as_ref()?.begun();
    let now = examined.survey.contents.as_deref()?;
    let (_, before) = run.tools.store.load_backup(begun.backup.as_deref()?).ok()?;
    let file = run.tools.store.kept_image(&begun.image_sha256).ok()?;
    let image = candidate.chip.read_image(finding.model, &file).ok()?;
    let mut written = before.clone();
    for segment in &image.segments {
        let start = usize::try_from(segment.address).ok()?;
        for (place, byte) in written.iter_mut().skip(start).zip(&segment.bytes) {
            *place = *byte;
        }
    }
    let mut triples = now.iter().zip(&before).zip(&written);
    let is_explained =
        triples.all(|((now, before), written)| [before, written, &0xff, &0x00].contains(&now));
    (is_explained && now.len() <= before.len()).then_some(before)
}

/// Whether the memory is what an unfinished rescue would have left: some of its image where
/// the backup had other bytes. Another device may have been put into the port meanwhile.
fn matches_interrupted_write(
    run: &Run<'_>,
    journal: &Journal,
    target: &Target,
    examined: &Examined,
) -> bool {
    let Some(now) = examined.survey.contents.as_deref() else { return true };
    let backup = journal.begun().backup.as_deref();
    let Some((_, before)) = backup.and_then(|id| run.tools.store.load_backup(id).ok()) else {
        return true;
    };
    let segments = &target.image.segments;
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
    segments.iter().all(is_there) || segments.iter().any(wrote)
}

/// Whether a device that runs the image of that rescue got it from the rescue's trial: it is what
/// the image promises, and its memory holds nothing that would come up.
fn is_trial_of(journal: &Journal, candidate: &Candidate, examined: &Examined) -> bool {
    let boots = matches!(examined.condition, Condition::Complete { .. });
    !boots && expects(journal, &candidate.seen)
}
