//! Makes a device start afresh and finds it again: by its port and a changed device number, never
//! by the first that has some id [design R5]. How its power goes is in [`super::power`].

use std::time::Duration;

use super::candidate::Candidate;
use super::find::POLL;
use super::perform::RETURN_TIME;
use super::power::Awaited;
use super::session::Session;
use crate::chip::Restart;
use crate::clock::Deadline;
use crate::rescue::{Failure, RunStage};
use crate::usb::{Link, PortPath, Sighting};

/// How long a device may take to leave the bus after it was told to restart.
pub(super) const LEAVE_TIME: Duration = Duration::from_secs(2);

impl Session<'_> {
    /// Restarts the chip and returns what comes up.
    pub(super) fn restart(
        &mut self,
        candidate: &Candidate,
        link: Option<Box<dyn Link>>,
        seen: &Sighting,
        by: Restart,
        awaited: &Awaited,
    ) -> Result<Sighting, Failure> {
        self.enter(RunStage::Returning);
        match (by, link) {
            (Restart::ByRequest, Some(link)) => {
                if let Some(back) = self.restart_by_request(candidate, link, seen)? {
                    return Ok(back);
                }
            }
            // An open device would keep the kernel's drivers from what comes up.
            (_, link) => drop(link),
        }
        self.cycle_power(seen, awaited)
    }

    /// Tells the chip to restart; `None`, with a note, when it does not come back by that.
    fn restart_by_request(
        &mut self,
        candidate: &Candidate,
        mut link: Box<dyn Link>,
        seen: &Sighting,
    ) -> Result<Option<Sighting>, Failure> {
        let told = candidate.chip.restart(&mut *link, candidate.suspicion.model);
        drop(link);
        if let Err(error) = told {
            self.note(format!("the chip refused to restart ({error}), so its power has to go"));
            return Ok(None);
        }
        if self.has_left(seen)? {
            let number = seen.device_number;
            let back =
                self.wait_for(&seen.port, RETURN_TIME, |back| back.device_number != number)?;
            if back.is_some() {
                return Ok(back);
            }
        }
        self.note("the chip did not restart when told to, so its power has to go".to_owned());
        Ok(None)
    }

    /// Whether that enumeration of the device ends within [`LEAVE_TIME`].
    pub(super) fn has_left(&mut self, seen: &Sighting) -> Result<bool, Failure> {
        let clock = self.tools.bus.clock();
        let deadline = Deadline::after(&*clock, LEAVE_TIME);
        loop {
            // A look that took long shows what was; the last one begins when the time is over.
            let is_last = deadline.passed(&*clock);
            let here = self.scan()?.iter().any(|other| other.is_same_enumeration(seen));
            if !here || is_last {
                return Ok(!here);
            }
            clock.sleep(POLL);
        }
    }

    /// Waits for a device at `port` that `is_it`; `None` when the time has passed.
    pub(super) fn wait_for(
        &mut self,
        port: &PortPath,
        longest: Duration,
        is_it: impl Fn(&Sighting) -> bool,
    ) -> Result<Option<Sighting>, Failure> {
        let clock = self.tools.bus.clock();
        let deadline = Deadline::after(&*clock, longest);
        loop {
            let is_last = deadline.passed(&*clock);
            let found = self.scan()?.into_iter().find(|seen| seen.port == *port && is_it(seen));
            if found.is_some() || is_last {
                return Ok(found);
            }
            clock.sleep(POLL);
        }
    }
}
