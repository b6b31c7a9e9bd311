//! Makes a device start afresh and finds it again: by its port and a changed device number, never
//! by the first that has some id [design R5]. How its power goes is in [`super::power`].

use super::candidate::Candidate;
use super::power::{self, ExpectedReturn};
use super::run::Run;
use super::waits::RETURN_TIME;
use crate::chip::Restart;
use crate::failure::Failure;
use crate::rescue::RunStage;
use crate::usb::{Link, Sighting};

/// Restarts the chip and returns what comes up.
pub(super) fn restart(
    run: &mut Run<'_>,
    candidate: &Candidate,
    link: Option<Box<dyn Link>>,
    seen: &Sighting,
    by: Restart,
    expected_return: &ExpectedReturn<'_>,
) -> Result<Sighting, Failure> {
    run.enter(RunStage::Returning);
    match (by, link) {
        (Restart::ByRequest, Some(link)) => {
            if let Some(back) = restart_by_request(run, candidate, link, seen)? {
                return Ok(back);
            }
        }
        // An open device would keep the kernel's drivers from what comes up.
        (_, link) => drop(link),
    }
    power::cycle(run, seen, expected_return)
}

/// Tells the chip to restart; `None`, with a note, when it does not come back by that.
fn restart_by_request(
    run: &mut Run<'_>,
    candidate: &Candidate,
    mut link: Box<dyn Link>,
    seen: &Sighting,
) -> Result<Option<Sighting>, Failure> {
    let told = candidate.chip.restart(&mut *link, candidate.suspicion.model);
    drop(link);
    if let Err(error) = told {
        run.note(format!("the chip refused to restart ({error}), so it needs a power cycle"));
        return Ok(None);
    }
    if run.has_left(seen)? {
        let number = seen.device_number;
        let back = run.wait_for(&seen.port, RETURN_TIME, |back| back.device_number != number)?;
        if back.is_some() {
            return Ok(back);
        }
    }
    run.note("the chip did not restart on request, so it needs a power cycle".to_owned());
    Ok(None)
}
