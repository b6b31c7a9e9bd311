//! Reads the memory behind a proven chip, judges it and backs it up.

use super::candidate::Candidate;
use super::event::Event;
use super::prove::Proven;
use super::run::Run;
use super::store::{BackupRecord, Store};
use super::waits::{ATTEMPTS, is_passing, read_all};
use crate::chip::{Memory, MemoryError, Size};
use crate::rescue::size::{is_uniform, proven_size};
use crate::rescue::{Condition, DeviceState, Failure, RunStage, Survey};

/// Bytes of a look at a distant part of the memory.
const SAMPLE: u32 = 64;

/// Bytes read between two reports of progress.
const CHUNK: u32 = 1024;

/// A memory that was read and judged.
pub(super) struct Judged {
    pub survey: Survey,
    pub condition: Condition,
}

/// A memory that was read, judged, and saved as far as it could be read. Only [`examine`] makes
/// one.
pub(super) struct Examined {
    pub survey: Survey,
    pub condition: Condition,
    /// Never read: that it exists is what matters.
    _saved: Saved,
}

/// That the store holds what was read, or that the outcome notes why nothing could be read.
struct Saved(());

/// Reads as much of the memory as proves its size, and at least `want` bytes where the content
/// does not tell; judges it; saves a backup.
pub(super) fn examine(
    run: &mut Run<'_>,
    candidate: &Candidate,
    proven: &mut Proven,
    want: u32,
) -> Result<Examined, Failure> {
    let Judged { survey, condition } = judge(run, candidate, proven, want)?;
    let saved = back_up(run, proven, &survey)?;
    Ok(Examined { survey, condition, _saved: saved })
}

/// The same without the backup, for a device that is not to be written.
pub(super) fn judge(
    run: &mut Run<'_>,
    candidate: &Candidate,
    proven: &mut Proven,
    want: u32,
) -> Result<Judged, Failure> {
    run.enter(RunStage::Reading);
    // From here on our loader may be in the chip's RAM.
    run.state = DeviceState::RunningFromRam;
    let mut attempt = 1;
    let survey = loop {
        let result = open_and_survey(run, candidate, proven, want);
        let again = match &result {
            Ok(survey) => survey.contents.is_none(),
            Err(error) => is_passing(error),
        };
        // Without a backup a passing disturbance would cost the old contents.
        if again && attempt < ATTEMPTS {
            attempt += 1;
            continue;
        }
        let place = "first reading of the EEPROM";
        break result.map_err(|error| run.memory_failure(error, place))?;
    };
    let condition = Condition::of(candidate.chip, &proven.finding, &survey);
    run.emit(&Event::Diagnosed { condition: condition.clone(), size: survey.size });
    Ok(Judged { survey, condition })
}

fn open_and_survey(
    run: &mut Run<'_>,
    candidate: &Candidate,
    proven: &mut Proven,
    want: u32,
) -> Result<Survey, MemoryError> {
    let Proven { seen, finding, link } = proven;
    let mut memory = candidate.chip.open_memory(&mut **link, seen, finding)?;
    match survey(run, &mut *memory, want) {
        Err(MemoryError::Unreadable(why)) => Ok(Survey {
            geometry: memory.geometry(),
            size: Size::AtLeast(memory.geometry().smallest),
            part_bytes: memory.geometry().smallest,
            contents: None,
            unreadable: Some(why),
        }),
        result => result,
    }
}

fn survey(run: &mut Run<'_>, memory: &mut dyn Memory, want: u32) -> Result<Survey, MemoryError> {
    let geometry = memory.geometry();
    let want = want.clamp(geometry.smallest, geometry.reach);
    let mut contents = Vec::new();
    let mut goal = geometry.smallest.saturating_mul(2).min(geometry.reach);
    let size = loop {
        read_on(run, memory, &mut contents, goal)?;
        match proven_size(&contents, geometry.smallest, geometry.reach) {
            Some(Size::Proven(size)) if !seen_again(memory, &contents, size, goal)? => {}
            Some(Size::AtLeast(_)) if goal < want => {}
            Some(Size::AtLeast(_)) if !uniform_beyond(memory, &contents, goal)? => {}
            Some(size) => break size,
            None => {}
        }
        if goal >= geometry.reach {
            break Size::Proven(geometry.reach);
        }
        goal = goal.saturating_mul(2).min(geometry.reach);
    };
    if let Size::Proven(size) = size {
        contents.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    }
    let part_bytes = match size {
        Size::Proven(bytes) => bytes,
        Size::AtLeast(bytes) => want.max(bytes),
    };
    memory.settle(part_bytes);
    let geometry = memory.geometry();
    Ok(Survey { geometry, size, part_bytes, contents: Some(contents), unreadable: None })
}

/// Reads up to `goal`, the first address not read.
fn read_on(
    run: &mut Run<'_>,
    memory: &mut dyn Memory,
    contents: &mut Vec<u8>,
    goal: u32,
) -> Result<(), MemoryError> {
    let mut at = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    while at < goal {
        let end = at.saturating_add(CHUNK).min(goal);
        contents.extend(read_all(memory, at..end)?);
        at = end;
        run.emit(&Event::Progress { work: "read", done: at.into(), total: goal.into() });
    }
    Ok(())
}

fn back_up(run: &mut Run<'_>, proven: &Proven, survey: &Survey) -> Result<Saved, Failure> {
    let Some(contents) = &survey.contents else {
        let why = survey.unreadable.clone().unwrap_or_default();
        run.note(format!("there is no backup, because the EEPROM cannot be read: {why}"));
        return Ok(Saved(()));
    };
    let Proven { seen, finding, .. } = proven;
    let date = run.tools.bus.clock().date();
    let record = BackupRecord {
        id: Store::name(date, finding.model.name),
        date,
        port: seen.port.clone(),
        ids: seen.ids,
        serial: seen.serial.clone(),
        chip: finding.model.name.to_owned(),
        whole: BackupRecord::is_whole(survey.size),
        bytes: 0,
        sha256: String::new(),
    };
    let saved = run.tools.store.save_backup(record, contents);
    let record = saved.map_err(|failure| failure.leaving(run.state))?;
    run.outcome.backup = Some(record.id.clone());
    run.emit(&Event::BackedUp { backup: record.id, bytes: record.bytes, sha256: record.sha256 });
    Ok(Saved(()))
}

/// Whether the block of `size` bytes shows again at every further multiple, as it does in a part
/// that ignores the address bits it has not.
fn seen_again(
    memory: &mut dyn Memory,
    contents: &[u8],
    size: u32,
    read: u32,
) -> Result<bool, MemoryError> {
    // A stretch that differs inside itself tells more than one of padding.
    let distinct = contents
        .chunks_exact(usize::try_from(SAMPLE).unwrap_or(usize::MAX))
        .take(usize::try_from(size / SAMPLE).unwrap_or(usize::MAX))
        .position(|chunk| !is_uniform(chunk))
        .unwrap_or(0);
    let offset = u32::try_from(distinct).unwrap_or(0).saturating_mul(SAMPLE);
    let mut at = read;
    while at < memory.geometry().reach {
        let start = at.saturating_add(offset);
        let sample = read_all(memory, start..start.saturating_add(SAMPLE))?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        if contents.get(from..from.saturating_add(sample.len())) != Some(sample.as_slice()) {
            return Ok(false);
        }
        at = at.saturating_mul(2);
    }
    Ok(true)
}

/// Whether looks at what was not read show the same byte as what was.
fn uniform_beyond(
    memory: &mut dyn Memory,
    contents: &[u8],
    read: u32,
) -> Result<bool, MemoryError> {
    if !is_uniform(contents) {
        return Ok(true);
    }
    let mut at = read;
    while at < memory.geometry().reach {
        let sample = read_all(memory, at..at.saturating_add(SAMPLE))?;
        if !is_uniform(&sample) || sample.first() != contents.first() {
            return Ok(false);
        }
        at = at.saturating_mul(2);
    }
    Ok(true)
}
