//! Taking up a rescue that was not finished: whether the device at that port is the one it was
//! about, and what it is running now. That an image the user names goes before it is in `choose`.

use super::candidate::{Candidate, expects};
use super::choose::unfinished_rescue;
use super::examine::Examined;
use super::power::{self, ExpectedReturn};
use super::run::Run;
use super::unit_bytes::may_be_erased;
use super::{Request, Tools};
use crate::chip::memory::Erase;
use crate::chip::memory::wrap::is_uniform;
use crate::chip::{Finding, Identity, Image, Running, Segment};
use crate::failure::{Code, DeviceState, Failure};
use crate::journal::Journal;
use crate::rescue::Condition;
use crate::rescue::outcome::{Identities, Verdict};
use crate::usb::Sighting;

/// The largest page of the EEPROMs, bytes [24LC512 data sheet].
const MAX_PAGE: u32 = 128;

/// What becomes of a device of an unfinished rescue, which runs firmware.
pub(super) enum AfterPower {
    /// It starts from its memory as it was to be.
    Rescued,
    /// It is as that rescue's was to be, and nothing shows that it is that one.
    Untold,
    /// Something else came up, and is to be looked at.
    Other(Box<Candidate>),
}

/// An unfinished rescue, and a device that now runs firmware and does not let us in or cannot be
/// read. Where it is known to be that rescue's, by its serial number or the user's word, whether it
/// runs from its memory or only from RAM shows when its power was away.
pub(super) fn without_power(
    run: &mut Run<'_>,
    request: &Request,
    candidate: Candidate,
    why: &str,
) -> Result<AfterPower, Failure> {
    let Some(journal) = candidate.unfinished.clone() else {
        return Ok(AfterPower::Other(Box::new(candidate)));
    };
    let is_expected = expects(&journal, &candidate.seen);
    let is_identified = is_expected && own_serial(&journal).is_some();
    if !is_named(run, request, &journal) && !is_identified {
        run.note(why.to_owned());
        let other = Candidate { unfinished: None, ..candidate };
        return Ok(match is_expected {
            true => AfterPower::Untold,
            false => AfterPower::Other(Box::new(other)),
        });
    }
    run.takes_up = Some(journal.begun().id.clone());
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

/// Whether the user says that the device is that rescue's, or this run has seen it.
fn is_named(run: &Run<'_>, request: &Request, journal: &Journal) -> bool {
    request.resume || run.takes_up.as_ref() == Some(&journal.begun().id)
}

/// The serial number that the rescue gave to its device and to no other.
fn own_serial(journal: &Journal) -> Option<&str> {
    let begun = journal.begun();
    begun.expected.as_ref()?.serial.as_deref().filter(|_| begun.own_serial)
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
    if candidate.on_trial_of.is_none() {
        return Ok(candidate);
    }
    let expected_return = running_from_ram(Some(Identity::of(&candidate.seen)));
    let seen = power::cycle(run, &candidate.seen, &expected_return)?;
    // That very enumeration, with nobody else at its port since.
    let is_of = |trial: &Journal, unfinished: &Journal| {
        trial.begun().id == unfinished.begun().id && expects(trial, &candidate.seen)
    };
    let both = candidate.on_trial_of.as_ref().zip(candidate.unfinished.as_ref());
    let journal = both.filter(|(trial, unfinished)| is_of(trial, unfinished));
    run.takes_up = journal.map(|(_, unfinished)| unfinished.begun().id.clone());
    let Tools { library, scope, .. } = &run.tools;
    let unfinished: Vec<_> = candidate.unfinished.iter().collect();
    let now = Candidate::of(&seen, request, &unfinished, library, *scope);
    Ok(now.unwrap_or(Candidate { seen, on_trial_of: None, ..candidate }))
}

/// Whether a device that runs firmware is as an unfinished rescue's was to be, and nothing shows
/// that it is that one: then it is not even asked.
pub(super) fn may_be_any(run: &Run<'_>, request: &Request, candidate: &Candidate) -> bool {
    let Some(journal) = &candidate.unfinished else { return false };
    let is_told = is_named(run, request, journal) || own_serial(journal).is_some();
    !is_told && expects(journal, &candidate.seen)
}

/// Whether a device that runs firmware has another serial number than the one that the unfinished
/// rescue of its port gave to its device.
pub(super) fn is_told_by_serial(candidate: &Candidate) -> bool {
    let serial = candidate.unfinished.as_ref().and_then(own_serial);
    let ids = candidate.unfinished.as_ref().and_then(|j| Some(j.begun().expected.as_ref()?.ids));
    let seen = &candidate.seen;
    ids == Some(seen.ids)
        && serial.is_some()
        && seen.serial.is_some()
        && serial != seen.serial.as_deref()
}

/// A device that needs nothing: what it is, and what an earlier rescue may have left of it.
pub(super) fn healthy(run: &mut Run<'_>, candidate: &Candidate) -> Result<Verdict, Failure> {
    let now = Identity::of(&candidate.seen);
    let name = candidate.suspicion.name;
    run.note(format!("{name} runs its firmware as {now}; it needs no rescue"));
    if let Some(journal) = &candidate.unfinished {
        let (id, resume) = (&journal.begun().id, run.tools.commands.resume());
        run.note(format!(
            "whether it is the device of the unfinished rescue {id} cannot be told; if it is, `{resume}` goes on with that"
        ));
    }
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
    let is_trial =
        |j: &&Journal| !j.is_unfinished() && j.left_on_trial().is_some() && expects(j, seen);
    let trial = last.filter(is_trial);
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
///
/// # Errors
/// R505 where the user said so and the memory shows that it is not.
pub(super) fn owner(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    finding: &Finding,
    examined: &Examined,
) -> Result<Owner, Failure> {
    let Some(journal) = &candidate.unfinished else { return Ok(Owner::Journal) };
    let id = journal.begun().id.clone();
    let is_named = is_named(run, request, journal);
    let runs_firmware = finding.running == Running::Firmware;
    // The image is the journal's, so that a whole one is not written over.
    let is_its_image = unfinished_rescue(request, candidate).is_some();
    let memory = memory_of(run, journal, candidate, finding, examined);
    let is_its = match memory {
        Memory::Other if request.resume => return Err(not_of_rescue(run, candidate, &id)),
        Memory::Complete | Memory::Unread if runs_firmware && !is_named => {
            return Ok(Owner::Untold);
        }
        Memory::PartWritten => true,
        // It is restarted and asked who it is, and nothing is written to it.
        Memory::Complete => is_named || is_its_image,
        Memory::Unread => is_named,
        Memory::AsBefore => request.resume,
        Memory::Other => false,
    };
    if is_its {
        run.note(format!("this run goes on with the rescue {id}"));
        run.takes_up = Some(id);
        return Ok(Owner::Journal);
    }
    // Were it that rescue's, nothing would be left of it; unless a write of it is known to be kept.
    let is_superseded = memory == Memory::AsBefore && !journal.has_kept();
    run.takes_up = is_superseded.then_some(id);
    Ok(Owner::Another(Box::new(another(run, journal, candidate, memory, finding, examined))))
}

/// The user named a rescue that this device's memory is not of.
fn not_of_rescue(run: &Run<'_>, candidate: &Candidate, id: &str) -> Failure {
    let port = &candidate.seen.port;
    let what = format!(
        "the device at port {port} is another one than that of the unfinished rescue {id}: its memory holds other bytes"
    );
    let auto = run.tools.commands.at(port).rescue();
    Failure::new(Code::R505, what, format!("port {port}"))
        .leaving(run.state)
        .next(format!("plug the device of that rescue into port {port} and run the same command"))
        .next(format!("{auto}    (rescues the one that is there)"))
}

/// The same device without the unfinished rescue of its port.
fn another(
    run: &mut Run<'_>,
    journal: &Journal,
    candidate: &Candidate,
    memory: Memory,
    finding: &Finding,
    examined: &Examined,
) -> Candidate {
    let (name, id) = (examined.survey.layout.name, &journal.begun().id);
    run.note(match memory {
        Memory::Unread => format!(
            "its {name} does not tell whether the unfinished rescue {id} was of it, so this run starts from the beginning; `{}` goes on with that rescue",
            run.tools.commands.resume()
        ),
        _ => format!(
            "its {name} holds nothing that the unfinished rescue {id} wrote, so this run starts from the beginning"
        ),
    });
    let is_firmware = finding.running == Running::Firmware;
    if is_firmware && candidate.chip.reading_disturbs().is_some() {
        run.note(format!(
            "its firmware was interrupted to read the {name}: power-cycle the enclosure before you use it"
        ));
    }
    let runs_trial = is_firmware && is_trial_of(journal, candidate, examined);
    let on_trial_of = runs_trial.then(|| journal.clone());
    Candidate { unfinished: None, on_trial_of, ..candidate.clone() }
}

/// A memory beside what an unfinished rescue would have left of its device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// Every byte is of the image or of the backup, but for one page.
    PartWritten,
    /// It has all of the image, as every healthy unit with that image has.
    Complete,
    /// It is as the backup: of that unit before anything was changed, or of one like it.
    AsBefore,
    /// It is neither.
    Other,
    /// It was not read, or what was read does not tell.
    Unread,
}

fn memory_of(
    run: &mut Run<'_>,
    journal: &Journal,
    candidate: &Candidate,
    finding: &Finding,
    examined: &Examined,
) -> Memory {
    let begun = journal.begun();
    let (Some(now), Some(backup)) = (examined.survey.contents.as_deref(), &begun.backup) else {
        return Memory::Unread;
    };
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
            return Memory::Unread;
        }
    };
    let chip = candidate.chip;
    let image = chip.read_image(finding.model, &file).unwrap_or_else(|_| {
        // A backup that is put back need not be an image.
        Image::at_address_zero(file, chip.boot_ranges(finding.model))
    });
    if examined.survey.layout.erase != Erase::Nothing {
        return if may_be_erased(now, &before, &image) {
            Memory::PartWritten
        } else {
            Memory::Other
        };
    }
    let is_there = |segment: &Segment| {
        let start = usize::try_from(segment.address).unwrap_or(usize::MAX);
        now.get(start..).is_some_and(|now| now.starts_with(&segment.bytes))
    };
    if image.segments.iter().all(is_there) {
        // What the image has no bytes for stays as it was.
        let mut bytes = (0u32..).zip(before.iter().zip(now));
        let is_kept = bytes.all(|(at, (before, now))| before == now || image.byte(at).is_some());
        return if is_kept { Memory::Complete } else { Memory::Other };
    }
    if now == before {
        return Memory::AsBefore;
    }
    if matches!(examined.condition, Condition::Complete { .. }) {
        return Memory::Other;
    }
    let bytes = (0u32..).zip(before.iter().zip(now));
    let (mut has_written, mut torn) = (false, None);
    for (address, (_, now)) in bytes.filter(|(_, (before, now))| before != now) {
        if image.byte(address) == Some(*now) {
            has_written = true;
        // One write that was cut off leaves anything in its page.
        } else if torn.replace(address / MAX_PAGE).is_some_and(|page| page != address / MAX_PAGE) {
            return Memory::Other;
        }
    }
    match has_written || !is_uniform(&before) {
        true => Memory::PartWritten,
        // One page of a blank memory holds something: a first write that was cut off, or anything.
        false => Memory::Unread,
    }
}

/// Whether a device that runs the image of that rescue got it from the rescue's trial: it is what
/// the image promises, and its memory holds nothing that would come up.
fn is_trial_of(journal: &Journal, candidate: &Candidate, examined: &Examined) -> bool {
    let boots = matches!(examined.condition, Condition::Complete { .. });
    !boots && expects(journal, &candidate.seen)
}
