//! Carries out a plan, step by step: intent, act, check, record, event.

use super::event::Event;
use super::permission::Permission;
use super::power::ExpectedReturn;
use super::prove::Proven;
use super::run::Run;
use super::write::Writer;
use super::{confirm, restart, trial};
use crate::chip::Operation;
use crate::failure::{Code, DeviceState, Failure};
use crate::journal::Entry;
use crate::rescue::order::{Rest, rest_behind_proofs};
use crate::rescue::outcome::Verdict;
use crate::rescue::plan::{Risk, Step};
use crate::rescue::{Limit, RunStage};
use crate::usb::Sighting;

/// A step and its place in the plan, from 1.
#[derive(Clone, Copy)]
struct Numbered<'p> {
    number: usize,
    of: usize,
    step: &'p Step,
    memory: &'p str,
}

impl Numbered<'_> {
    fn place(self) -> String {
        format!("step {} of {}, {}", self.number, self.of, self.step.title(self.memory))
    }
}

/// Takes every step of the plan: the trial in RAM, what reaches the memory, what restarts the
/// device and confirms it.
pub(super) fn perform(
    run: &mut Run<'_>,
    mut proven: Proven,
    permission: &Permission<'_>,
) -> Result<Verdict, Failure> {
    let plan = permission.plan();
    let of = plan.steps.len();
    let numbered = plan.steps.iter().enumerate().map(|(index, step)| {
        let memory = plan.memory;
        Numbered { number: index + 1, of, step, memory }
    });
    let mut steps = numbered.peekable();
    if let Some(step) = steps.next_if(|step| matches!(step.step, Step::TryInRam)) {
        proven = take(run, step, |run| trial::try_in_ram(run, permission, proven, &step.place()))?;
    }
    let on_memory: Vec<Numbered<'_>> =
        std::iter::from_fn(|| steps.next_if(|step| step.step.is_on_memory())).collect();
    if !on_memory.is_empty() {
        write_memory(run, permission, &mut proven, &on_memory)?;
    }
    // Also where no commit was left to be written.
    run.state = DeviceState::Written;
    bring_back(run, permission, proven, steps)?;
    Ok(match permission.target().expected {
        Some(_) => Verdict::Rescued,
        None => Verdict::Restored,
    })
}

/// One step with its records: the intent is on the disk before it is taken.
fn take<T>(
    run: &mut Run<'_>,
    step: Numbered<'_>,
    act: impl FnOnce(&mut Run<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Numbered { number, of, step, memory } = step;
    let title = step.title(memory);
    let persistent = step.risk() == Risk::Persistent;
    run.record(Entry::Intent { step: number, title: title.clone(), persistent })?;
    log::info!("step {number} of {of}: {title}");
    run.emit(&Event::StepBegun { step: number, of, title });
    let result = act(run)?;
    run.record(Entry::Done { step: number })?;
    run.emit(&Event::StepDone { step: number });
    Ok(result)
}

/// The steps that reach the memory, with it open throughout.
fn write_memory(
    run: &mut Run<'_>,
    permission: &Permission<'_>,
    proven: &mut Proven,
    steps: &[Numbered<'_>],
) -> Result<(), Failure> {
    run.enter(RunStage::Writing);
    let clock = run.tools.bus.clock();
    let timing = permission.candidate().chip.timing(proven.finding.model);
    let mut writer = Writer::open(run, permission, proven)?;
    let began = clock.now();
    let mut found = None;
    let result = steps
        .iter()
        .try_for_each(|step| {
            take(run, *step, |run| {
                memory_step(run, &mut writer, *step, found.as_ref())?;
                if let Step::ProvePart(_) = step.step {
                    found = in_units_found(permission, &writer, &step.place())?;
                }
                Ok(())
            })
        })
        .and_then(|()| writer.finish(run));
    let plan = permission.plan();
    run.outcome.write_cycles = writer.write_cycles();
    if let (Some(order), true) = (&found, result.is_ok()) {
        let operations = plan.operations_with_body(&order.body);
        run.outcome.limit = Limit::of(operations.into_iter(), writer.layout(), timing);
        run.outcome.limit_ms = run.outcome.limit.total_ms();
    }
    run.outcome.memory_time_ms = clock.now().saturating_sub(began).as_secs_f64() * 1000.0;
    result.map_err(|mut failure| {
        // A part that takes other addresses holds what it held, and reads otherwise every
        // time: there is nothing to compare.
        let kept_nothing = failure.code == Code::R106 && writer.is_unchanged(&plan.operations());
        if kept_nothing || failure.code == Code::R118 {
            run.state = DeviceState::RunningFromRam;
            failure.device = run.state;
        }
        next_steps_after(run, failure)
    })
}

/// What is left to write where the first write found another unit than the planned one: the same
/// bytes of the image, in the part's own units.
fn in_units_found(
    permission: &Permission<'_>,
    writer: &Writer<'_>,
    place: &str,
) -> Result<Option<Rest>, Failure> {
    let (plan, unit) = (permission.plan(), writer.layout().unit);
    if unit == plan.unit {
        return Ok(None);
    }
    let proofs = plan.steps.iter().filter_map(|step| match step {
        Step::ProvePart(proof) => Some(proof.clone()),
        _ => None,
    });
    rest_behind_proofs(permission.survey(), &permission.target().image, proofs.collect(), unit)
        .map(Some)
        .map_err(|error| {
            Failure::new(Code::R115, error.to_string(), place)
                .leaving(DeviceState::PartWritten)
                .next("unplug it, plug it in again and run the same command")
        })
}

/// One step; `found` is what takes the place of the planned body and of what is compared of it.
fn memory_step(
    run: &mut Run<'_>,
    writer: &mut Writer<'_>,
    step: Numbered<'_>,
    found: Option<&Rest>,
) -> Result<(), Failure> {
    let place = step.place();
    if step.step.risk() == Risk::Persistent {
        // From the first transfer on, whatever happens.
        run.state = DeviceState::PartWritten;
    }
    match step.step {
        Step::Invalidate { operation } => change(run, writer, operation, true, &place),
        Step::ProvePart(proof) => writer.prove_part(run, proof, &place),
        Step::WriteBody { operations, bytes, .. } => {
            let mut done = 0;
            let operations = found.map_or(operations, |order| &order.body);
            for operation in operations {
                change(run, writer, operation, writer.layout().verifies, &place)?;
                if let Operation::Write(segment) = operation {
                    done += segment.bytes.len() as u64;
                    run.progress("write", done, *bytes);
                }
            }
            Ok(())
        }
        Step::Verify { segments } => {
            let before = run.enter(RunStage::ReadingBack);
            let segments = found.map_or(segments, |order| &order.to_verify);
            let result = writer.verify(run, segments, &place);
            run.enter(before);
            result
        }
        Step::Commit { segments } => {
            for segment in segments {
                writer.write_and_verify(run, segment, &place)?;
            }
            run.state = DeviceState::Written;
            Ok(())
        }
        Step::TryInRam | Step::Restart { .. } | Step::Confirm => Ok(()),
    }
}

/// One change of the memory; `verify` where it is to be read back at once.
fn change(
    run: &mut Run<'_>,
    writer: &mut Writer<'_>,
    operation: &Operation,
    verify: bool,
    place: &str,
) -> Result<(), Failure> {
    match operation {
        Operation::Write(segment) if verify => writer.write_and_verify(run, segment, place),
        Operation::Write(segment) => writer.write_segment(run, segment, place).map(drop),
        Operation::Erase(_) => writer.erase(run, operation, place),
    }
}

/// A failure with the device part written says how to go on and how to go back.
fn next_steps_after(run: &Run<'_>, mut failure: Failure) -> Failure {
    if failure.device == DeviceState::PartWritten {
        let resume = run.tools.commands.resume();
        // A dead cell is not finished by trying again, and nothing is said twice.
        let told = failure.next.iter().any(|next| next.contains(&resume));
        if failure.code != Code::R108 && !told {
            failure.next.push(format!("`{resume}` finishes it"));
        }
        if let Some(backup) = &run.outcome.backup {
            let restore = run.tools.commands.restore(backup);
            failure.next.push(format!("`{restore}` writes the old contents back"));
        }
    }
    failure
}

/// Restarts the device and reads its new identity.
fn bring_back<'p>(
    run: &mut Run<'_>,
    permission: &Permission<'_>,
    proven: Proven,
    steps: impl Iterator<Item = Numbered<'p>>,
) -> Result<(), Failure> {
    let (candidate, target) = (permission.candidate(), permission.target());
    let Proven { mut seen, link, .. } = proven;
    let mut link = Some(link);
    for step in steps {
        if let Step::Restart { by } = step.step {
            let link = link.take();
            let expected_return = ExpectedReturn {
                identity: target.expected.clone(),
                may_run_from_ram: candidate.chip.image_survives_loader(),
                while_off: &target.while_off,
                strap: candidate.chip.strap(candidate.suspicion.model),
            };
            seen = take(run, step, |run| -> Result<Sighting, Failure> {
                restart::restart(run, candidate, link, &seen, *by, &expected_return)
            })?;
        } else {
            take(run, step, |run| confirm::confirm(run, permission, &seen, &step.place()))?;
        }
    }
    Ok(())
}
