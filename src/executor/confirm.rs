//! Sees that the device is who it was, and asks the drive behind it.

use super::ask_drive::ask_the_drive;
use super::candidate::{Candidate, would_be_in_boot_mode};
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
    let mut is_mask_rom = would_be_in_boot_mode(&identity);
    if differences.is_empty()
        && let Some(wanted) = &permission.target().image.firmware
    {
        match firmware(run, permission.candidate(), seen, &place)? {
            Some(version) if version == *wanted => {}
            Some(version) => differences.push(format!("firmware {version} instead of {wanted}")),
            None => {
                differences.push("its mask ROM".to_owned());
                is_mask_rom = true;
            }
        }
    }
    if differences.is_empty() {
        run.state = DeviceState::Restored;
        ask_the_drive(run, permission.candidate(), seen);
        return Ok(());
    }
    let failure = if is_mask_rom {
        let what = format!(
            "it is still {}: the chip does not boot what its {} holds",
            identity.ids,
            permission.survey().layout.name
        );
        Failure::new(Code::R114, what, place).next(format!(
            "take all its power away for ten seconds, plug it in again, then `{}`",
            run.tools.commands.resume()
        ))
    } else {
        let what = format!("it came back with {}", differences.join(", "));
        Failure::new(Code::R112, what, place)
            .next("check that the image is for this very enclosure model")
    };
    // What was blank or broken before is no way back.
    let was_whole = matches!(permission.condition(), crate::rescue::Condition::Complete { .. });
    let failure = match &run.outcome.backup {
        Some(backup) if was_whole => failure
            .next(format!("`{}` puts the old contents back", run.tools.commands.restore(backup))),
        _ => failure,
    };
    Err(failure.leaving(run.state))
}

/// The version of the firmware that runs, for an image that says what it should be.
fn firmware(
    run: &mut Run<'_>,
    candidate: &Candidate,
    seen: &Sighting,
    place: &str,
) -> Result<Option<String>, Failure> {
    let mut link = run.open(seen)?;
    let answer = candidate.chip.firmware(&mut *link, seen);
    answer.map_err(|error| run.chip_failure(error, place))
}
