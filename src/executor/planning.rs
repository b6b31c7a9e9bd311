//! The plan of a run, and the inferred facts that it rests on.

use super::Request;
use super::candidate::Candidate;
use super::event::{Event, PlannedStep};
use super::examine::Examined;
use super::run::Run;
use super::target::Target;
use crate::chip::{Finding, Running};
use crate::failure::{Code, Failure};
use crate::profile::Profile;
use crate::rescue::RunStage;
use crate::rescue::diagnosis::BootsNow;
use crate::rescue::plan::{Plan, Situation};

pub(super) fn plan(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    finding: &Finding,
    target: &Target,
    examined: &Examined,
    overwrite: bool,
) -> Result<Plan, Failure> {
    run.enter(RunStage::Planning);
    let chip = candidate.chip;
    let situation = Situation {
        finding,
        survey: &examined.survey,
        // A device of an unfinished rescue runs from RAM what its memory does not hold yet.
        condition: &examined.condition,
        image: &target.image,
        boots_now: BootsNow::of(chip, finding.model, &examined.survey),
        expected: target.expected.as_ref(),
        restart: chip.restart_way(finding.model),
        timing: chip.timing(finding.model),
        trial: target.expected.is_some()
            && !request.no_trial
            && finding.running == Running::MaskRom,
        overwrite: overwrite || candidate.is_known_broken(),
    };
    let plan = Plan::make(&situation).map_err(|failure| {
        let failure = failure.leaving(run.state);
        match failure.code {
            Code::R305 => failure.next(format!(
                "{}    (overwrites it; a backup is kept)",
                run.tools.commands.at(&candidate.seen.port).again_with("--force")
            )),
            _ => failure,
        }
    })?;
    run.outcome.limit = plan.limit;
    run.outcome.limit_ms = plan.limit.total_ms();
    let steps = plan
        .steps
        .iter()
        .map(|step| PlannedStep { title: plan.title(step), risk: step.risk() })
        .collect();
    let unproven = unproven(candidate, target);
    run.emit(&Event::Planned { memory: plan.memory, steps, limit: plan.limit, unproven });
    Ok(plan)
}

/// The facts that a plan for this target rests on and that are not proven, one sentence each.
pub(super) fn unproven(candidate: &Candidate, target: &Target) -> Vec<String> {
    let mut reasons: Vec<String> = candidate
        .chip
        .caveats(candidate.suspicion.model)
        .iter()
        .map(|caveat| (*caveat).to_owned())
        .collect();
    reasons.extend(target.choice.profile.iter().flat_map(Profile::inferred));
    reasons.extend(target.choice.doubt.clone());
    reasons.extend(target.image.assumptions.clone());
    if target.choice.profile.is_none() && target.choice.doubt.is_none() {
        reasons.push(format!("you chose the image {} yourself", target.choice.image.name));
    }
    reasons
}
