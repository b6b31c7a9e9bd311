//! Sees that the device is who it was, and asks the drive behind it.

use super::candidate::{Candidate, is_boot_mode_identity};
use super::drive_identity::read_drive_identity;
use super::permission::Permission;
use super::run::Run;
use crate::chip::Identity;
use crate::failure::{Code, DeviceState, Failure};
use crate::rescue::RunStage;
use crate::usb::Sighting;

/// Compares the identity that came up with the expected one.
///
/// # Errors
/// R114 where the chip is still in its boot mode, R112 where something else came up.
pub(super) fn confirm(
    run: &mut Run<'_>,
    permission: &Permission<'_>,
    seen: &Sighting,
    place: &str,
) -> Result<(), Failure> {
    run.enter(RunStage::Confirming);
    let identity = Identity::of(seen);
    run.outcome.identity.seen = Some(identity.clone());
    let place = format!("{place}, port {}", seen.port);
    let expected = permission.target().expected.as_ref();
    let mut differences =
        expected.map(|expected| expected.differences(&identity)).unwrap_or_default();
    let mut is_mask_rom = is_boot_mode_identity(&identity);
    if differences.is_empty()
        && let Some(wanted) = &permission.target().image.firmware
    {
        match firmware(run, permission.candidate(), seen, &place)? {
            Answer::InUse => {
                let why =
                    "its disk is in use already, so its firmware was not asked for its version";
                run.note(why.to_owned());
            }
            Answer::Version(version) if version == *wanted => {}
            Answer::Version(version) => {
                differences.push(format!("firmware {version} instead of {wanted}"))
            }
            Answer::MaskRom => {
                differences.push("its mask ROM".to_owned());
                is_mask_rom = true;
            }
        }
    }
    if differences.is_empty() {
        run.state = DeviceState::Restored;
        read_drive_identity(run, permission.candidate(), seen);
        return Ok(());
    }
    let failure = if is_mask_rom {
        let what = format!(
            "it is still {}: the chip does not boot from its {}",
            identity.ids,
            permission.survey().layout.name
        );
        let failure = Failure::new(Code::R114, what, place);
        let candidate = permission.candidate();
        let failure = match candidate.chip.strap(candidate.suspicion.model) {
            Some(strap) => failure.next(strap),
            None => failure,
        };
        failure.next(format!(
            "remove all its power for ten seconds, plug it in again, then run `{}`",
            run.tools.commands.resume()
        ))
    } else {
        let what = format!("it came back with {}", differences.join(", "));
        Failure::new(Code::R112, what, place)
            .next("check that the image is for this enclosure model")
    };
    // What was blank or broken before is no way back.
    let was_whole = matches!(permission.condition(), crate::rescue::Condition::Complete { .. });
    let failure = match &run.outcome.backup {
        Some(backup) if was_whole => failure
            .next(format!("`{}` writes the old contents back", run.tools.commands.restore(backup))),
        _ => failure,
    };
    Err(failure.leaving(run.state))
}

/// What answers when the firmware is asked for its version.
enum Answer {
    Version(String),
    MaskRom,
    /// Nothing is asked of a disk that somebody uses; a mask ROM has none.
    InUse,
}

/// The version of the firmware that runs, for an image that says what it should be. Asked twice
/// where the first transfer fails: it has just started.
fn firmware(
    run: &mut Run<'_>,
    candidate: &Candidate,
    seen: &Sighting,
    place: &str,
) -> Result<Answer, Failure> {
    let mut retries = 1;
    loop {
        let mut link = match run.open(seen) {
            Err(failure) if failure.code == Code::R407 => return Ok(Answer::InUse),
            opened => opened?,
        };
        match candidate.chip.firmware(&mut *link, seen) {
            Ok(Some(version)) => return Ok(Answer::Version(version)),
            Ok(None) => return Ok(Answer::MaskRom),
            Err(_) if retries > 0 => retries -= 1,
            Err(error) => return Err(run.chip_failure(error, place)),
        }
    }
}
