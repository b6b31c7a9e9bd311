//! Taking up a rescue that was not finished: whether the device at that port is the one it was
//! about, and what it is running now. That the user's own wish goes before it is in `choose`.

use super::candidate::{Candidate, expects};
use super::choose::unfinished_rescue;
use super::examine::Examined;
use super::power::{self, ExpectedReturn};
use super::run::Run;
use super::target::Target;
use super::{Request, Tools};
use crate::chip::memory::Erase;
use crate::chip::{Finding, Identity, Image, Running, Segment};
use crate::failure::{Code, DeviceState, Failure};
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

/// What the memory held before the unfinished rescue of its port began: that rescue's backup, where
/// every byte of now is one of it, of the image, or of a flash that is erased or cleared, and some
/// byte can be of nothing else. `None` where no rescue is taken up, or nothing of the unit could
/// have been erased.
///
/// # Errors
/// R115 where the unit's own bytes may be gone and the backup is not seen to be of this unit:
/// another one's serial number is never written.
pub(super) fn contents_before(
    run: &Run<'_>,
    request: &Request,
    candidate: &Candidate,
    target: &Target,
    examined: &Examined,
) -> Result<Option<Vec<u8>>, Failure> {
    let (image, survey) = (&target.image, &examined.survey);
    let Some(journal) = candidate.unfinished.as_ref() else { return Ok(None) };
    let begun = journal.begun();
    let (Some(now), Some(backup)) = (survey.contents.as_deref(), begun.backup.as_deref()) else {
        return Ok(None);
    };
    if image.keep.is_empty() || survey.layout.erase == Erase::Nothing {
        return Ok(None);
    }
    let (_, before) = run.tools.store.load_backup(backup)?;
    if !may_be_erased(now, &before, image) {
        return Ok(None);
    }
    let origin = Origin::of(now, &before, image, survey.layout.erase);
    // Of a flash that was erased whole nothing tells; then the user's word does.
    if origin == Origin::Same || origin == Origin::Untold && request.resume {
        return Ok(Some(before));
    }
    let commands = &run.tools.commands;
    let what = format!(
        "the {} holds bytes of the unit that an unfinished rescue may have erased, and does not show whether the backup {backup} is of this unit",
        survey.layout.name
    );
    Err(Failure::new(Code::R115, what, format!("port {}", candidate.seen.port))
        .leaving(run.state)
        .next(format!("if it is the same unit, `{}`", commands.resume()))
        .next("if it is another unit, plug it into another port"))
}

/// Whether the rescue that wrote `image` may have erased anything: before its first erase it clears
/// what boots, and its last operation writes that again.
fn may_be_erased(now: &[u8], before: &[u8], image: &Image) -> bool {
    image.commit.iter().cloned().flatten().all(|address| {
        let at = usize::try_from(address).unwrap_or(usize::MAX);
        let of_image = image.byte(address);
        let told = [Some(0x00), Some(0xff), before.get(at).copied(), of_image];
        now.get(at).is_none_or(|byte| told.contains(&Some(*byte)))
    })
}

/// Where the bytes of a half-written memory are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// From the backup and the image.
    Same,
    /// They may be from these; every memory that was erased looks so.
    Untold,
    /// Some are from neither.
    Other,
}

impl Origin {
    fn of(now: &[u8], before: &[u8], image: &Image, erase: Erase) -> Self {
        let mut written = before.to_vec();
        for segment in &image.segments {
            let start = usize::try_from(segment.address).unwrap_or(usize::MAX);
            let places = (segment.address..).zip(written.iter_mut().skip(start));
            for ((address, place), byte) in places.zip(&segment.bytes) {
                if !image.keep.iter().any(|kept| kept.contains(&address)) {
                    *place = *byte;
                }
            }
        }
        // An interrupted erase or write leaves anything in the one block that it changed.
        let block = |address: u32| match erase {
            Erase::Blocks(bytes) => address / bytes.max(1),
            Erase::Nothing | Erase::Everything => 0,
        };
        let is_kept = |address| image.keep.iter().any(|kept| kept.contains(&address));
        let is_compared = |address| !image.unverified.iter().any(|range| range.contains(&address));
        let bytes = (0u32..).zip(now.iter().zip(before.iter().zip(&written)));
        let mut torn = None;
        let mut is_doubted = false;
        let mut telling = Vec::new();
        for (address, (now, (before, written))) in bytes.filter(|(at, _)| is_compared(*at)) {
            let is_blank = matches!(now, 0x00 | 0xff);
            if now != before && now != written && !is_blank {
                if torn.replace(block(address)).is_some_and(|other| other != block(address)) {
                    return Self::Other;
                }
                // A serial number that differs in one block is torn, or another unit's.
                is_doubted |= is_kept(address);
            } else if !is_blank && (before != written || is_kept(address)) {
                telling.push(block(address));
            }
        }
        match telling.iter().any(|block| torn != Some(*block)) {
            _ if now.len() > before.len() => Self::Other,
            true if !is_doubted => Self::Same,
            _ => Self::Untold,
        }
    }
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
    // The image's own bytes are not written there.
    let is_left_out = |address: u32| {
        let Image { keep, unverified, .. } = &target.image;
        keep.iter().chain(unverified).any(|range| range.contains(&address))
    };
    let wrote = |segment: &Segment| {
        let start = usize::try_from(segment.address).unwrap_or(usize::MAX);
        let places = before.iter().zip(now).skip(start);
        let triples = (segment.address..).zip(segment.bytes.iter().zip(places));
        triples
            .filter(|(address, _)| !is_left_out(*address))
            .any(|(_, (image, (before, now)))| image != before && image == now)
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

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &[u8; 16] = b"oldoldoldSERIALx";
    const FILE: &[u8; 16] = b"newnewnewyyyyyyx";

    fn origin(now: &[u8], erase: Erase) -> Origin {
        let image = Image { keep: vec![9..15], ..Image::at_address_zero(FILE.to_vec(), &[0..1]) };
        Origin::of(now, UNIT, &image, erase)
    }

    #[test]
    fn a_half_written_flash_is_of_the_unit_of_the_backup() {
        let blocks = Erase::Blocks(4);
        for now in [
            &b"newnldoldSERIALx"[..],
            b"\xff\xff\xff\xffldoldSERIALx",
            b"newn\xff\xff\xff\xffdSERIALx",
        ] {
            assert_eq!(origin(now, blocks), Origin::Same, "{now:?}");
        }
    }

    #[test]
    fn bytes_of_neither_are_of_another_unit_unless_all_are_in_one_block() {
        let blocks = Erase::Blocks(4);
        assert_eq!(origin(b"oldoldo??SERIALx", blocks), Origin::Other);
        assert_eq!(origin(b"oldo??oldSERIALx", blocks), Origin::Same);
        assert_eq!(origin(b"oldoldoldSERIA2x", blocks), Origin::Untold);
        assert_eq!(origin(b"oldoldoldNUMBERx", blocks), Origin::Other);
        assert_eq!(origin(b"n?wn?doldSERIALx", blocks), Origin::Other);
    }

    #[test]
    fn a_flash_that_was_erased_does_not_tell_whose_it_is() {
        assert_eq!(origin(&[0xff; 16], Erase::Blocks(4)), Origin::Untold);
        assert_eq!(origin(&[0x00; 16], Erase::Everything), Origin::Untold);
        assert_eq!(origin(b"n?wn?doldSERIALx", Erase::Everything), Origin::Untold);
    }
}
