//! The plan of a run, and the owner's consent where it rests on what nobody has proven.

use super::candidate::Candidate;
use super::event::{Event, PlannedStep};
use super::examine::Examined;
use super::session::Session;
use super::target::Target;
use super::{Consent, Request};
use crate::chip::{Finding, Running};
use crate::profile::{Profile, Scope};
use crate::rescue::diagnosis::BootsNow;
use crate::rescue::plan::{Plan, Situation};
use crate::rescue::{Code, Failure, RunStage};

impl Session<'_> {
    pub(super) fn plan(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        finding: &Finding,
        target: &Target,
        examined: &Examined,
        overwrite: bool,
    ) -> Result<Plan, Failure> {
        self.enter(RunStage::Planning);
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
            overwrite: overwrite || candidate.is_known_sick(),
        };
        let plan = Plan::make(&situation).map_err(|failure| failure.leaving(self.state))?;
        self.outcome.limit = plan.limit;
        self.outcome.limit_ms = plan.limit.total_ms();
        let steps = plan
            .steps
            .iter()
            .map(|step| PlannedStep { title: step.to_string(), risk: step.risk() })
            .collect();
        let unproven = unproven(candidate, target);
        self.emit(&Event::Planned { steps, limit: plan.limit, unproven });
        Ok(plan)
    }

    /// Asks before writing what rests on inferred facts.
    pub(super) fn ask_consent(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        target: &Target,
        plan: &Plan,
    ) -> Result<(), Failure> {
        if self.tools.scope == Scope::Simulator || !plan.is_persistent() || request.yes {
            return Ok(());
        }
        let reasons = unproven(candidate, target);
        if reasons.is_empty() {
            return Ok(());
        }
        match self.tools.operator.consent(&reasons) {
            Consent::Given => Ok(()),
            answer => {
                let what = match answer {
                    Consent::Refused => "you did not agree to writing the EEPROM".to_owned(),
                    _ => format!(
                        "writing rests on facts that are not proven: {}",
                        reasons.join("; ")
                    ),
                };
                Err(Failure::new(Code::R304, what, "before the first write")
                    .leaving(self.state)
                    .next(format!(
                        "{} --yes    (after reading the plan)",
                        self.tools.commands.again
                    ))
                    .next(format!("{} --dry-run    (shows the plan)", self.tools.commands.again)))
            }
        }
    }
}

/// What a plan for this target rests on that nobody has proven.
fn unproven(candidate: &Candidate, target: &Target) -> Vec<String> {
    let mut reasons: Vec<String> = candidate
        .chip
        .caveats(candidate.suspicion.model)
        .iter()
        .map(|caveat| (*caveat).to_owned())
        .collect();
    reasons.extend(target.choice.profile.iter().flat_map(Profile::inferred));
    reasons.extend(target.choice.doubt.clone());
    if target.choice.profile.is_none() && target.choice.doubt.is_none() {
        reasons.push(format!("the image {} is your own choice", target.choice.image.name));
    }
    reasons
}
