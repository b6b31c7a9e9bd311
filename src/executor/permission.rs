//! The permission to write [design R1]: nothing lasting is done before the chip is proven, its
//! memory read and saved (or the reason why it cannot be is on record), the image checked, the
//! plan made, and consent given where the plan rests on inferred facts.
//!
//! A [`Permission`] is made of these and of nothing less; whatever writes takes what it writes
//! from one.

use super::candidate::Candidate;
use super::examine::Examined;
use super::planning::unproven;
use super::run::Run;
use super::target::Target;
use super::{Consent, Request};
use crate::chip::Finding;
use crate::failure::{Code, Failure};
use crate::profile::Scope;
use crate::rescue::plan::Plan;
use crate::rescue::{Condition, Survey};

/// Everything that has to be there before the first write.
pub(super) struct Permission<'c> {
    candidate: &'c Candidate,
    finding: Finding,
    examined: Examined,
    target: Target,
    plan: Plan,
    /// Never read: that it exists is what matters.
    _consent: Agreement,
}

/// That the owner agreed, or that there was nothing to agree to.
struct Agreement(());

impl<'c> Permission<'c> {
    /// Asks for consent where it is needed.
    ///
    /// # Errors
    /// R304 where it is not given.
    pub fn ask(
        run: &mut Run<'_>,
        request: &Request,
        candidate: &'c Candidate,
        finding: Finding,
        examined: Examined,
        target: Target,
        plan: Plan,
    ) -> Result<Self, Failure> {
        let consent = agreement(run, request, candidate, &target, &plan)?;
        Ok(Self { candidate, finding, examined, target, plan, _consent: consent })
    }

    pub fn candidate(&self) -> &Candidate {
        self.candidate
    }

    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    pub fn survey(&self) -> &Survey {
        &self.examined.survey
    }

    pub fn condition(&self) -> &Condition {
        &self.examined.condition
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

fn agreement(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    target: &Target,
    plan: &Plan,
) -> Result<Agreement, Failure> {
    if run.tools.scope == Scope::Simulator || !plan.is_persistent() || request.yes {
        return Ok(Agreement(()));
    }
    let reasons = unproven(candidate, target);
    if reasons.is_empty() {
        return Ok(Agreement(()));
    }
    let what = match run.tools.operator.consent(&reasons) {
        Consent::Given => return Ok(Agreement(())),
        Consent::Refused => format!("you did not agree to write the {}", plan.memory),
        Consent::Unasked => {
            let facts = reasons.len();
            let facts = crate::wording::counted(facts, "unverified fact");
            format!("writing needs your consent: this plan relies on {facts}")
        }
    };
    let commands = &run.tools.commands;
    Err(Failure::new(Code::R304, what, "before the first write")
        .leaving(run.state)
        .next(format!(
            "{}    (gives consent after you have read the plan)",
            commands.again_with("--yes")
        ))
        .next(format!("{}    (shows the plan and these facts)", commands.again_with("--dry-run"))))
}
