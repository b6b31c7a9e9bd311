//! A chip in boot mode whose memory has its signature: why it did not start from it, as far as the
//! virtual chip tells. A whole image and a chip in boot mode are a contradiction, and it is told
//! which of the two is wrong.

use super::candidate::Candidate;
use super::run::Run;
use crate::chip::{Finding, Identity, Running};
use crate::failure::Failure;
use crate::rescue::{Condition, Preflight, Survey};

/// The condition with what the virtual chip makes of the memory's contents.
pub(super) fn judged(
    run: &mut Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    survey: &Survey,
    condition: Condition,
) -> Condition {
    let Some(contents) = survey.contents.as_deref().filter(|_| finding.running == Running::MaskRom)
    else {
        return condition;
    };
    fitting_signature(run, candidate, finding, survey, contents);
    let is_complete = matches!(condition, Condition::Complete { .. });
    let image = candidate.chip.image_in_memory(finding.model, contents);
    let Some(image) = image.ok().filter(|_| is_complete) else { return condition };
    let (memory, seen) = (survey.layout.name, Identity::of(&candidate.seen));
    match run.tools.twin.boot(finding.model, &image) {
        Preflight::CameUp { identity } if identity.differences(&seen).is_empty() => {
            run.note(format!("the device shows what its {memory} gives it: {identity}"));
            condition
        }
        Preflight::CameUp { identity } => {
            run.note(format!(
                "the image in its {memory} starts as {identity} on the virtual chip, and the device did not start from it: its {memory} may have been kept from answering when the power came"
            ));
            condition
        }
        Preflight::Inconclusive { why } => {
            run.note(format!("whether the image in its {memory} starts cannot be told: {why}"));
            condition
        }
        Preflight::Failed { why } => Condition::DoesNotStart { why },
    }
}

/// Tells of a first byte that does not fit what is behind it, and how to repair that one byte, once
/// the virtual chip has started the contents with the other one.
fn fitting_signature(
    run: &mut Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    survey: &Survey,
    contents: &[u8],
) {
    let model = finding.model;
    let fitting = candidate.chip.with_fitting_signature(model, contents);
    let Some(fitting) = fitting else { return };
    let Ok(image) = candidate.chip.image_in_memory(model, &fitting) else { return };
    let Preflight::CameUp { identity } = run.tools.twin.boot(model, &image) else { return };
    let memory = survey.layout.name;
    let first = |bytes: &[u8]| hex::encode(bytes.get(..1).unwrap_or_default());
    run.note(format!(
        "the first byte of its {memory}, {}, does not fit what is behind it: with {} the virtual chip starts it as {identity}",
        first(contents),
        first(&fitting)
    ));
    match repair(run, candidate, image.start()) {
        Ok(command) => run.note(format!("to repair that byte: {command}")),
        Err(failure) => run.note(format!("the repaired image was not kept: {}", failure.what)),
    }
}

/// The command that writes the repaired image, which is kept for it.
fn repair(run: &Run<'_>, candidate: &Candidate, image: &[u8]) -> Result<String, Failure> {
    let store = run.tools.store;
    let hash = store.keep_image(image)?;
    let path = store.folder("images")?.join(format!("{hash}.bin"));
    let commands = run.tools.commands.at(&candidate.seen.port);
    Ok(format!("{} --force", commands.rescue_with(&path.display().to_string())))
}
