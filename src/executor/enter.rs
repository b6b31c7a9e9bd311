//! Brings a chip into the boot mode that its memory is reached from, where it has to leave its
//! firmware for that.

use super::candidate::Candidate;
use super::prove::{Proven, prove};
use super::run::Run;
use super::waits::RETURN_TIME;
use crate::chip::Entry;
use crate::failure::{Code, DeviceState, Failure};

/// The device with its memory in reach; another enumeration where it had to restart for that.
///
/// # Errors
/// R103 where it needs a hand, R111 where it did not come back.
pub(super) fn enter(
    run: &mut Run<'_>,
    candidate: Candidate,
    mut proven: Proven,
) -> Result<(Candidate, Proven), Failure> {
    let entry = candidate
        .chip
        .enter(&mut *proven.link, &proven.finding)
        .map_err(|error| run.chip_failure(error, "entering boot mode"))?;
    let port = format!("port {}", candidate.seen.port);
    match entry {
        Entry::Here => return Ok((candidate, proven)),
        Entry::ByHand(how) => {
            let what = "its memory can be read only in boot mode";
            return Err(Failure::new(Code::R103, what, port)
                .leaving(run.state)
                .next(how)
                .next("then run the same command"));
        }
        Entry::Leaving => {}
    }
    let Proven { seen, link, .. } = proven;
    drop(link);
    run.state = DeviceState::RunningFromRam;
    let number = seen.device_number;
    let back = run.wait_for(&seen.port, RETURN_TIME, |back| back.device_number != number)?;
    let Some(back) = back else {
        let what = "the chip was told to enter boot mode and did not come back";
        return Err(Failure::new(Code::R111, what, port)
            .leaving(run.state)
            .next("power-cycle the enclosure and run the same command"));
    };
    run.note("the chip is in its boot mode until its power is taken away".to_owned());
    let candidate = Candidate { seen: back, ..candidate };
    let proven = prove(run, &candidate)?;
    Ok((candidate, proven))
}
