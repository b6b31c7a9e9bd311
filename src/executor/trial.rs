//! The trial: the image runs from the chip's RAM before anything lasting is done.

use super::candidate::Candidate;
use super::event::Event;
use super::permission::Permission;
use super::power::{self, ExpectedReturn};
use super::prove::Proven;
use super::run::Run;
use super::waits::RETURN_TIME;
use crate::chip::{ChipError, Identity, Trial};
use crate::failure::{Code, DeviceState, Failure};
use crate::journal::Entry;
use crate::profile::Guidance;
use crate::rescue::RunStage;
use crate::usb::{Sighting, TransferError};

/// Starts the image from RAM, resets the port and reads the new identity. Returns the device opened
/// again.
///
/// # Errors
/// R213 where another identity came up, or none.
pub(super) fn try_in_ram(
    run: &mut Run<'_>,
    permission: &Permission<'_>,
    mut proven: Proven,
    place: &str,
) -> Result<Proven, Failure> {
    run.enter(RunStage::Trial);
    let (candidate, target) = (permission.candidate(), permission.target());
    let trial = candidate
        .chip
        .try_in_ram(&mut *proven.link, &proven.finding, &target.image)
        .map_err(|error| run.chip_failure(error, place))?;
    if let Trial::NotOffered(why) = trial {
        run.note(format!("the image was not started from RAM: {why}"));
        return Ok(proven);
    }
    let before = proven.seen;
    drop(proven.link);
    if trial == Trial::Started || !run.has_left(&before)? {
        run.tools
            .bus
            .reset(&before)
            .map_err(|error| Failure::from_bus(&error).leaving(run.state))?;
    }
    let back = run.wait_for(&before.port, RETURN_TIME, |_| true)?;
    let seen = back.ok_or_else(|| {
        trial_failure(run, "the device did not come back on the bus".to_owned(), place)
    })?;
    run.on_trial = Some(seen.device_number);
    run.record(Entry::Trial { device_number: seen.device_number })?;
    let identity = Identity::of(&seen);
    let differences = target.expected.as_ref().map(|expected| expected.differences(&identity));
    if let Some(differences) = differences
        && !differences.is_empty()
    {
        let what = format!("it started with {}", differences.join(", "));
        return Err(trial_failure(run, what, place));
    }
    run.emit(&Event::Alive { identity });
    open_again(run, candidate, seen, &target.while_off, place)
}

fn trial_failure(run: &Run<'_>, what: String, place: &str) -> Failure {
    Failure::new(Code::R213, what, place)
        .leaving(DeviceState::RunningFromRam)
        .next("power-cycle the enclosure: it is then as it was before")
        .next(format!(
            "{}    (writes without starting it from RAM first)",
            run.tools.commands.again_with("--no-trial")
        ))
}

/// Opens the device again as it is now; where its firmware does not accept the loader, after a
/// power cycle.
fn open_again(
    run: &mut Run<'_>,
    candidate: &Candidate,
    seen: Sighting,
    while_off: &[Guidance],
    place: &str,
) -> Result<Proven, Failure> {
    let mut link = run.open(&seen)?;
    match candidate.chip.probe(&mut *link, &seen) {
        Ok(finding) => Ok(Proven { seen, finding, link }),
        Err(error @ ChipError::Transfer { source: TransferError::Gone, .. }) => {
            Err(run.chip_failure(error, place))
        }
        Err(error) => {
            run.note(format!(
                "the running image does not accept the loader ({error}), so the enclosure returns to boot mode first"
            ));
            drop(link);
            // It runs from RAM, so that what it shows tells nothing of its power.
            let identity = Some(Identity::of(&seen));
            let expected_return =
                ExpectedReturn { identity, may_run_from_ram: true, while_off, strap: None };
            let seen = power::cycle(run, &seen, &expected_return)?;
            run.on_trial = None;
            let mut link = run.open(&seen)?;
            let finding = candidate
                .chip
                .probe(&mut *link, &seen)
                .map_err(|error| run.chip_failure(error, place))?;
            Ok(Proven { seen, finding, link })
        }
    }
}
