//! Carries out a plan: intent, act, check, record, event.

use std::time::Duration;

use super::candidate::{Candidate, would_be_in_boot_mode};
use super::event::Event;
use super::examine::Examined;
use super::power::Awaited;
use super::session::Session;
use super::target::Target;
use crate::chip::{ChipError, Finding, Identity, Memory, Size, Trial};
use crate::journal::Entry;
use crate::rescue::outcome::Verdict;
use crate::rescue::plan::{Plan, Risk, Step};
use crate::rescue::{Code, DeviceState, Failure, Limit, RunStage, Survey};
use crate::usb::{Link, Sighting, TransferError};

/// An open device, and what was last known of it.
pub(super) struct Attached {
    pub seen: Sighting,
    pub finding: Finding,
    pub link: Box<dyn Link>,
}

/// Where a step stands in its plan.
#[derive(Clone, Copy)]
struct Position {
    step: usize,
    of: usize,
}

impl Position {
    fn place(self, step: &Step) -> String {
        format!("step {} of {}, {step}", self.step, self.of)
    }
}

impl Session<'_> {
    /// Takes every step of the plan.
    pub(super) fn perform(
        &mut self,
        candidate: &Candidate,
        finding: Finding,
        link: Box<dyn Link>,
        target: &Target,
        examined: &Examined,
        plan: &Plan,
    ) -> Result<Verdict, Failure> {
        let of = plan.steps.len();
        let mut attached = Attached { seen: candidate.seen.clone(), finding, link };
        let numbered: Vec<(Position, &Step)> = plan
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| (Position { step: index + 1, of }, step))
            .collect();
        let (trial, rest): (Vec<_>, Vec<_>) =
            numbered.into_iter().partition(|(_, step)| matches!(step, Step::TryInRam));
        for (position, step) in trial {
            attached = self.step(position, step, |run| {
                run.try_in_ram(candidate, attached, target, position)
            })?;
        }
        let (memory_steps, rest): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|(_, step)| !matches!(step, Step::Restart { .. } | Step::Confirm));
        if !memory_steps.is_empty() {
            self.write_memory(candidate, &mut attached, &examined.survey, plan, &memory_steps)?;
        }
        if !plan.is_persistent() {
            // The memory held the image already.
            self.state = DeviceState::Written;
        }
        let Attached { mut seen, link, .. } = attached;
        let mut link = Some(link);
        for (position, step) in rest {
            match step {
                Step::Restart { by } => {
                    let link = link.take();
                    let awaited = Awaited {
                        identity: target.expected.clone(),
                        may_run_from_ram: candidate.chip.image_survives_loader(),
                    };
                    seen = self.step(position, step, |run| {
                        run.restart(candidate, link, &seen, *by, &awaited)
                    })?;
                }
                _ => self
                    .step(position, step, |run| run.confirm(candidate, &seen, target, position))?,
            }
        }
        Ok(if target.expected.is_some() { Verdict::Rescued } else { Verdict::Restored })
    }

    /// One step with its records: the intent is on the disk before it is taken.
    fn step<T>(
        &mut self,
        position: Position,
        step: &Step,
        act: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let title = step.to_string();
        let persistent = step.risk() == Risk::Persistent;
        self.record(Entry::Intent { step: position.step, title: title.clone(), persistent })?;
        log::info!("step {} of {}: {title}", position.step, position.of);
        self.emit(&Event::StepBegun { step: position.step, of: position.of, title });
        let result = act(self)?;
        self.record(Entry::Done { step: position.step })?;
        self.emit(&Event::StepDone { step: position.step });
        Ok(result)
    }

    /// The steps that reach the memory, with it open throughout.
    fn write_memory(
        &mut self,
        candidate: &Candidate,
        attached: &mut Attached,
        survey: &Survey,
        plan: &Plan,
        steps: &[(Position, &Step)],
    ) -> Result<(), Failure> {
        self.enter(RunStage::Writing);
        let clock = self.tools.bus.clock();
        let chip = candidate.chip;
        let Attached { seen, finding, link } = attached;
        let mut memory = chip
            .open_memory(&mut **link, seen, finding)
            .map_err(|error| self.chip_failure(error, "opening of the EEPROM"))?;
        if let Size::Proven(bytes) = survey.size {
            memory.settle(bytes);
        }
        self.is_as_read(&mut *memory, survey)?;
        let began = clock.now();
        let result = steps.iter().try_for_each(|(position, step)| {
            self.step(*position, step, |run| run.memory_step(&mut *memory, survey, step, *position))
        });
        self.outcome.write_cycles = memory.write_cycles();
        if memory.geometry().page != survey.geometry.page && result.is_ok() {
            // The part has other pages than were planned for.
            let timing = chip.timing(finding.model);
            self.outcome.limit = Limit::of(plan.runs().iter(), memory.geometry(), timing);
            self.outcome.limit_ms = self.outcome.limit.total_ms();
        }
        self.outcome.memory_time_ms = clock.now().saturating_sub(began).as_secs_f64() * 1000.0;
        result.map_err(|mut failure| {
            // A part that takes other addresses holds what it held, and reads otherwise every
            // time: there is nothing to compare.
            let kept_nothing =
                failure.code == Code::R106 && self.is_unchanged(&mut *memory, survey, &plan.runs());
            if kept_nothing || failure.code == Code::R118 {
                self.state = DeviceState::RunningFromRam;
                failure.device = self.state;
            }
            self.what_to_do_after(failure)
        })
    }

    fn memory_step(
        &mut self,
        memory: &mut dyn Memory,
        survey: &Survey,
        step: &Step,
        position: Position,
    ) -> Result<(), Failure> {
        let place = position.place(step);
        if step.risk() == Risk::Persistent {
            // From the first transfer on, whatever happens.
            self.state = DeviceState::PartWritten;
        }
        match step {
            Step::Invalidate(run) => self.write_and_verify(memory, survey, run, &place),
            Step::ProvePart(proof) => self.prove_part(memory, survey, proof, &place),
            Step::WriteBody { runs, bytes, .. } => {
                let mut done = 0;
                for run in runs {
                    if memory.geometry().reads_back {
                        self.write_and_verify(memory, survey, run, &place)?;
                    } else {
                        self.write_run(memory, run, &place)?;
                    }
                    done += run.bytes.len() as u64;
                    self.progress("write", done, *bytes);
                }
                Ok(())
            }
            Step::Verify { runs } => {
                let before = self.enter(RunStage::ReadingBack);
                let result = self.verify(memory, survey, runs, &place);
                self.enter(before);
                result
            }
            Step::Commit(run) => {
                self.write_and_verify(memory, survey, run, &place)?;
                self.state = DeviceState::Written;
                Ok(())
            }
            Step::TryInRam | Step::Restart { .. } | Step::Confirm => Ok(()),
        }
    }

    /// A failure with the device part written says how to go on and how to go back.
    fn what_to_do_after(&self, mut failure: Failure) -> Failure {
        if failure.device == DeviceState::PartWritten {
            let resume = self.tools.commands.resume();
            // A dead cell is not finished by trying again, and nothing is said twice.
            let told = failure.next.iter().any(|next| next.contains(&resume));
            if failure.code != Code::R108 && !told {
                failure.next.push(format!("`{resume}` finishes it"));
            }
            if let Some(backup) = &self.outcome.backup {
                let restore = self.tools.commands.restore(backup);
                failure.next.push(format!("`{restore}` puts the old contents back"));
            }
        }
        failure
    }

    /// Starts the image from RAM, resets the port and sees who comes up.
    fn try_in_ram(
        &mut self,
        candidate: &Candidate,
        mut attached: Attached,
        target: &Target,
        position: Position,
    ) -> Result<Attached, Failure> {
        self.enter(RunStage::Trial);
        let place = position.place(&Step::TryInRam);
        let chip = candidate.chip;
        let trial = chip
            .try_in_ram(&mut *attached.link, &attached.finding, &target.image)
            .map_err(|error| self.chip_failure(error, &place))?;
        if let Trial::NotOffered(why) = trial {
            self.note(format!("the image was not tried from RAM: {why}"));
            return Ok(attached);
        }
        let before = attached.seen.clone();
        drop(attached.link);
        if trial == Trial::Started || !self.has_left(&before)? {
            self.tools
                .bus
                .reset(&before)
                .map_err(|error| Failure::from_bus(&error).leaving(self.state))?;
        }
        let seen = self.wait_for(&before.port, RETURN_TIME, |_| true)?.ok_or_else(|| {
            self.trial_failure("it did not come back on the bus".to_owned(), &place)
        })?;
        self.on_trial = Some(seen.device_number);
        let identity = Identity::of(&seen);
        let differences = target.expected.as_ref().map(|expected| expected.differences(&identity));
        if let Some(differences) = differences
            && !differences.is_empty()
        {
            let what = format!("it came up with {}", differences.join(", "));
            return Err(self.trial_failure(what, &place));
        }
        self.emit(&Event::Alive { identity });
        self.attach_again(candidate, seen, &place)
    }

    fn trial_failure(&self, what: String, place: &str) -> Failure {
        Failure::new(Code::R213, what, place)
            .leaving(DeviceState::RunningFromRam)
            .next("take its power away and plug it in again: it is then what it was")
            .next(format!(
                "{} --no-trial    (writes without trying it first)",
                self.tools.commands.again
            ))
    }

    /// Opens the device again as it is now; where its firmware does not let us in, its power has
    /// to go first.
    fn attach_again(
        &mut self,
        candidate: &Candidate,
        seen: Sighting,
        place: &str,
    ) -> Result<Attached, Failure> {
        let mut link = self.open(&seen)?;
        match candidate.chip.probe(&mut *link, &seen) {
            Ok(finding) => Ok(Attached { seen, finding, link }),
            Err(error @ ChipError::Transfer { source: TransferError::Gone, .. }) => {
                Err(self.chip_failure(error, place))
            }
            Err(error) => {
                self.note(format!(
                    "the running image does not let the loader in ({error}), so the enclosure goes back to boot mode first"
                ));
                drop(link);
                // It runs from RAM, so that what it shows tells nothing of its power.
                let awaited = Awaited::of_trial(Some(Identity::of(&seen)));
                let seen = self.cycle_power(&seen, &awaited)?;
                self.on_trial = None;
                let mut link = self.open(&seen)?;
                let finding = candidate
                    .chip
                    .probe(&mut *link, &seen)
                    .map_err(|error| self.chip_failure(error, place))?;
                Ok(Attached { seen, finding, link })
            }
        }
    }

    fn confirm(
        &mut self,
        candidate: &Candidate,
        seen: &Sighting,
        target: &Target,
        position: Position,
    ) -> Result<(), Failure> {
        self.enter(RunStage::Confirming);
        let identity = Identity::of(seen);
        self.outcome.identity.seen = Some(identity.clone());
        let place = format!("{}, port {}", position.place(&Step::Confirm), seen.port);
        let differences = target
            .expected
            .as_ref()
            .map(|expected| expected.differences(&identity))
            .unwrap_or_default();
        if differences.is_empty() {
            self.state = DeviceState::Restored;
            self.ask_the_drive(candidate, seen);
            return Ok(());
        }
        let failure = if would_be_in_boot_mode(&identity) {
            let what = format!(
                "it is still {}: the chip does not boot what its EEPROM holds",
                identity.ids
            );
            Failure::new(Code::R114, what, place).next(format!(
                "take all its power away for ten seconds, plug it in again, then `{}`",
                self.tools.commands.resume()
            ))
        } else {
            let what = format!("it came back with {}", differences.join(", "));
            Failure::new(Code::R112, what, place)
                .next("check that the image is for this very enclosure model")
        };
        let failure = match &self.outcome.backup {
            Some(backup) => failure.next(format!(
                "`{}` puts the old contents back",
                self.tools.commands.restore(backup)
            )),
            None => failure,
        };
        Err(failure.leaving(self.state))
    }
}

/// How long a device may take to come back by itself.
pub(super) const RETURN_TIME: Duration = Duration::from_secs(5);
