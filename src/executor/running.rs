//! A device whose own firmware runs: it is left as it is, unless its owner names this very device
//! and what is to happen to its firmware [design R4].

use super::Request;
use super::candidate::Candidate;
use super::prove::Proven;
use super::run::Run;
use crate::chip::Running;
use crate::failure::{Code, Failure};

/// Refuses a restore to a device whose firmware runs, or seems to by its descriptors.
///
/// # Errors
/// R305; R407 where the device is in use besides.
pub(super) fn may_be_restored(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    proven: Option<&Proven>,
) -> Result<(), Failure> {
    let runs = match proven {
        Some(proven) => proven.finding.running == Running::Firmware,
        None => !candidate.needs_rescue(),
    };
    let seen = &candidate.seen;
    if !runs || candidate.on_trial_of.is_some() || request.replaces_firmware_of(seen) {
        return Ok(());
    }
    let unused = run.tools.bus.check_unused(seen);
    unused.map_err(|error| Failure::from_bus(&error).leaving(run.state))?;
    let what = "firmware runs on this device, and the restore would replace it";
    let again = run.tools.commands.at(&seen.port).again_with("--replace-running-firmware");
    Err(Failure::new(Code::R305, what, format!("port {}", seen.port))
        .leaving(run.state)
        .next(format!("{again}    (if this is what you want; a backup is kept)")))
}

/// What reading the memory would do to the firmware that runs, where its owner did not allow it.
pub(super) fn would_be_disturbed(
    request: &Request,
    candidate: &Candidate,
    proven: &Proven,
) -> Option<&'static str> {
    let runs = proven.finding.running == Running::Firmware && candidate.on_trial_of.is_none();
    let change = candidate.chip.reading_disturbs().filter(|_| runs)?;
    (!request.may_interrupt(&candidate.seen)).then_some(change)
}

/// The memory was not read, because that would have disturbed the firmware that runs.
pub(super) fn not_disturbed(run: &Run<'_>, candidate: &Candidate, change: &str) -> Failure {
    let again = run.tools.commands.at(&candidate.seen.port).again_with("--interrupt-firmware");
    let port = format!("port {}", candidate.seen.port);
    let what = format!("firmware runs on this device, so its memory was not read. {change}");
    Failure::new(Code::R304, what, port)
        .leaving(run.state)
        .next(format!("{again}    (reads it all the same)"))
}
