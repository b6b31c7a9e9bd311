//! Reads the memory behind a proven chip, judges it and backs it up.

use super::candidate::Candidate;
use super::event::Event;
use super::prove::Proven;
use super::run::Run;
use super::started;
use super::store::{BackupRecord, Store};
use super::waits::{ATTEMPTS, is_transient, read_all};
use crate::chip::memory::Extent;
use crate::chip::memory::wrap::{is_uniform, proven_size};
use crate::chip::{ChipError, Memory, MemoryError, Size};
use crate::failure::{DeviceState, Failure};
use crate::rescue::{Condition, RunStage, Survey};

/// Bytes of a look at a distant part of the memory.
const SAMPLE: u32 = 64;

/// No memory of a bridge is larger (inferred: SPI flashes behind them have up to 16 MiB, the most
/// that three address bytes reach), and a device that claims one is not believed.
const MAX_MEMORY_BYTES: u32 = 64 << 20;

/// The fewest bytes that are read of a memory that tells no size.
const MIN_READ: u32 = 256;

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
            Err(error) => is_transient(error),
        };
        // Without a backup a passing disturbance would cost the old contents.
        if again && attempt < ATTEMPTS {
            attempt += 1;
            continue;
        }
        let place = "first reading of the memory";
        break result.map_err(|error| run.memory_failure(error, place))?;
    };
    let condition = Condition::of(candidate.chip, &proven.finding, &survey);
    let condition = started::judged(run, candidate, &proven.finding, &survey, condition);
    let (memory, size) = (survey.layout.name, survey.size);
    run.emit(&Event::Diagnosed { memory, condition: condition.clone(), size });
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
    let told = memory.layout().extent.end();
    if told > MAX_MEMORY_BYTES {
        let what = format!("it says that it has {told} bytes, more than any memory of a bridge");
        return Err(MemoryError::Chip(ChipError::NotProven(what)));
    }
    let result = match memory.layout().extent {
        Extent::Known(bytes) => survey_known(run, &mut *memory, bytes),
        Extent::Wraps { smallest, address_limit } => {
            survey_wrapping(run, &mut *memory, smallest, address_limit, want)
        }
    };
    match result {
        Err(MemoryError::Unreadable(why)) => {
            let layout = memory.layout();
            let minimum = layout.extent.minimum();
            let (contents, unreadable) = (None, Some(why));
            let size = match layout.extent {
                Extent::Known(bytes) => Size::Proven(bytes),
                Extent::Wraps { .. } => Size::AtLeast(minimum),
            };
            let before = None;
            Ok(Survey { layout, size, part_bytes: minimum, contents, unreadable, before })
        }
        result => result,
    }
}

/// A memory that has told its size.
fn survey_known(
    run: &mut Run<'_>,
    memory: &mut dyn Memory,
    bytes: u32,
) -> Result<Survey, MemoryError> {
    let mut contents = Vec::new();
    read_further(run, memory, &mut contents, bytes)?;
    Ok(Survey {
        layout: memory.layout(),
        size: Size::Proven(bytes),
        part_bytes: bytes,
        contents: Some(contents),
        unreadable: None,
        before: None,
    })
}

/// A memory whose size shows by its wrapping.
fn survey_wrapping(
    run: &mut Run<'_>,
    memory: &mut dyn Memory,
    smallest: u32,
    address_limit: u32,
    want: u32,
) -> Result<Survey, MemoryError> {
    let want = want.clamp(smallest, address_limit);
    let mut contents = Vec::new();
    // Less tells too little of how the part takes its addresses.
    let mut goal = smallest.saturating_mul(2).max(MIN_READ).min(address_limit);
    let size = loop {
        read_further(run, memory, &mut contents, goal)?;
        match proven_size(&contents, smallest, address_limit) {
            Some(Size::Proven(size)) if !seen_again(memory, &contents, size, goal)? => {}
            Some(Size::AtLeast(_)) if goal < want => {}
            Some(Size::AtLeast(_)) if !uniform_beyond(memory, &contents, goal)? => {}
            Some(size) => break size,
            None => {}
        }
        if goal >= address_limit {
            break Size::Proven(address_limit);
        }
        goal = goal.saturating_mul(2).min(address_limit);
    };
    if let Size::Proven(size) = size {
        contents.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    }
    let part_bytes = match size {
        Size::Proven(bytes) => bytes,
        Size::AtLeast(bytes) => want.max(bytes),
    };
    memory.assume_size(part_bytes);
    let layout = memory.layout();
    let (contents, unreadable, before) = (Some(contents), None, None);
    Ok(Survey { layout, size, part_bytes, contents, unreadable, before })
}

/// Reads up to `goal`, the first address not read.
fn read_further(
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
        run.note(format!(
            "no backup was made, because the {} cannot be read: {why}",
            survey.layout.name
        ));
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
    while at < memory.layout().extent.end() {
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
    while at < memory.layout().extent.end() {
        let sample = read_all(memory, at..at.saturating_add(SAMPLE))?;
        if !is_uniform(&sample) || sample.first() != contents.first() {
            return Ok(false);
        }
        at = at.saturating_mul(2);
    }
    Ok(true)
}
