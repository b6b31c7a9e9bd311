//! Finds the one device that is meant, or says what was seen instead.

use std::time::Duration;

use super::candidate::Candidate;
use super::session::Session;
use super::{Request, Tools};
use crate::clock::Deadline;
use crate::journal::Journal;
use crate::profile::GuidanceTime;
use crate::rescue::{Code, Failure};
use crate::usb::Sighting;

/// How often the bus is looked at while waiting for something to appear.
pub const POLL: Duration = Duration::from_millis(50);

impl Session<'_> {
    /// The device to rescue, or a healthy one where all are.
    ///
    /// # Errors
    /// R101, R301, and the bus's own.
    pub(super) fn find(&mut self, request: &Request) -> Result<Candidate, Failure> {
        let clock = self.tools.bus.clock();
        let deadline = Deadline::after(&*clock, request.wait.unwrap_or_default());
        if request.wait.is_some() {
            self.note("waiting for a device to appear".to_owned());
        }
        let mut guided = false;
        // A look that took long shows what was; the last one begins when the time is over.
        let mut is_last = deadline.passed(&*clock);
        let mut seen = self.scan()?;
        let mut found = self.choose(request, &seen);
        loop {
            let nothing_yet = match &found {
                Ok(candidate) => request.wait.is_some() && !candidate.is_in_question(),
                Err(failure) => failure.code == Code::R101,
            };
            if !nothing_yet {
                return found;
            }
            // By itself a bench takes nothing into its boot mode that is there and healthy.
            let may_guide = match self.is_guided_by_bench(request) {
                true => found.is_err(),
                false => !deadline.passed(&*clock),
            };
            if !guided && may_guide {
                self.guide(request)?;
                guided = true;
            } else if is_last {
                return found;
            } else {
                clock.sleep(POLL);
            }
            is_last = deadline.passed(&*clock);
            let now = self.scan()?;
            // The journals are not read again while nobody comes or goes.
            if now != seen {
                found = self.choose(request, &now);
                seen = now;
            }
        }
    }

    pub(super) fn scan(&mut self) -> Result<Vec<Sighting>, Failure> {
        self.tools.bus.scan().map_err(|error| Failure::from_bus(&error).leaving(self.state))
    }

    fn choose(&self, request: &Request, seen: &[Sighting]) -> Result<Candidate, Failure> {
        let here = |seen: &&Sighting| request.port.as_ref().is_none_or(|port| *port == seen.port);
        let journals = self.tools.store.journals()?;
        let journals: Vec<&Journal> = journals.iter().map(|file| file.journal()).collect();
        let Tools { library, scope, .. } = &self.tools;
        let candidates: Vec<Candidate> = seen
            .iter()
            .filter(here)
            .filter_map(|seen| Candidate::of(seen, request, &journals, library, *scope))
            .collect();
        let in_question: Vec<&Candidate> =
            candidates.iter().filter(|candidate| candidate.is_in_question()).collect();
        match (in_question.as_slice(), candidates.as_slice()) {
            ([only], _) => Ok((*only).clone()),
            // Only healthy devices: any of them stands for the answer.
            ([], [first, ..]) => Ok(first.clone()),
            ([], []) => Err(self.nothing_found(request, seen)),
            (several, _) => {
                let what = format!("{} devices may need a rescue", several.len());
                let mut failure = Failure::new(Code::R301, what, "all ports");
                failure.next.extend(
                    self.tools.commands.all().map(|all| format!("{all}    (every one of them)")),
                );
                for candidate in several {
                    failure.next.push(format!(
                        "{} --port {}    ({} {})",
                        self.tools.commands.again,
                        candidate.seen.port,
                        candidate.seen.ids,
                        candidate.suspicion.name
                    ));
                }
                Err(failure)
            }
        }
    }

    fn nothing_found(&self, request: &Request, seen: &[Sighting]) -> Failure {
        let place =
            request.port.as_ref().map_or("all ports".to_owned(), |port| format!("port {port}"));
        let what = match seen {
            [] => "no USB device is there".to_owned(),
            seen => {
                let shown: Vec<String> = seen
                    .iter()
                    .take(8)
                    .map(|seen| format!("{} at {}", seen.ids, seen.port))
                    .collect();
                format!(
                    "of {} devices here none is a chip in boot mode: {}",
                    seen.len(),
                    shown.join(", ")
                )
            }
        };
        let mut failure = Failure::new(Code::R101, what, place);
        let library = self.tools.library;
        if let Some(profile) = request.wish.profile.as_ref().and_then(|name| library.find(name)) {
            let by_hand = profile.by_hand(GuidanceTime::First);
            failure.next.extend(by_hand.map(|by| format!("{}; then: {}", by.step, by.expect)));
        }
        let again = &self.tools.commands.again;
        let failure = failure
            .next("plug the enclosure straight into the computer with its own power on, and look with `recover list`")
            .next(format!("{again} --wait    (notices it the moment it appears)"))
            .next("if it shows up under an id that is in no table: `recover diagnose --port PORT --as cy16` asks it, read-only");
        let by_hand: Vec<String> = library
            .profiles()
            .filter(|profile| profile.scope == self.tools.scope && !profile.guidance.is_empty())
            .map(|profile| format!("`recover profile show {}`", profile.name))
            .collect();
        match by_hand.as_slice() {
            [] => failure,
            shown => failure.next(format!(
                "if it shows nothing at all, there may be a way in by hand: {}",
                shown.join(", ")
            )),
        }
    }
}
