//! One run: a rescue, a diagnosis, a backup or a restore, from the first look to its outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::candidate::Candidate;
use super::event::Event;
use super::examine::Examined;
use super::learn::Learning;
use super::meter::Meter;
use super::store::BackupRecord;
use super::target::taken_up;
use super::unfinished::{as_proven_before, is_trial_of};
use super::{Request, Tools};
use crate::chip::{ChipError, Finding, Identity, Running};
use crate::journal::JournalFile;
use crate::profile::Guidance;
use crate::rescue::choice::{Choice, NamedImage};
use crate::rescue::outcome::{Outcome, Verdict, Work};
use crate::rescue::{Code, Condition, DeviceState, Failure, RunStage};
use crate::usb::lock::PortLock;
use crate::usb::{Link, Sighting, TransferError};

/// A run and what it has learnt so far.
pub struct Session<'t> {
    pub(super) tools: Tools<'t>,
    pub(super) outcome: Outcome,
    /// What the device's state would be if the run ended now.
    pub(super) state: DeviceState,
    transfers: Arc<AtomicU64>,
    began: Duration,
    stage: RunStage,
    stage_began: Duration,
    pub(super) journal: Option<JournalFile>,
    /// The device number under which the device runs the image from its RAM.
    pub(super) on_trial: Option<u8>,
    /// What the chosen profile knows to be done by hand while the power is away.
    pub(super) at_restart: Vec<Guidance>,
}

impl<'t> Session<'t> {
    /// A run with these tools.
    pub fn new(tools: Tools<'t>) -> Self {
        let began = tools.bus.clock().now();
        Self {
            tools,
            outcome: Outcome::begun(),
            state: DeviceState::Untouched,
            transfers: Arc::default(),
            began,
            stage: RunStage::default(),
            stage_began: began,
            journal: None,
            on_trial: None,
            at_restart: Vec::new(),
        }
    }

    /// Rescues the one device that needs it: `recover --auto`, and with `request.dry_run` the
    /// plan for it.
    pub fn rescue(mut self, request: &Request) -> Outcome {
        self.begin(request, Work::Rescue);
        let result = self.run_rescue(request);
        self.finish(result)
    }

    /// Proves the chip and reads its memory; writes nothing.
    pub fn diagnose(mut self, request: &Request) -> Outcome {
        self.begin(request, Work::Diagnosis);
        let result = self.run_diagnosis(request, 0).map(|_| Verdict::Planned);
        self.finish(result)
    }

    /// Saves the memory's bytes.
    pub fn backup(mut self, request: &Request) -> Outcome {
        self.begin(request, Work::Backup);
        let result = self.run_backup(request);
        self.finish(result)
    }

    /// Writes a backup back.
    pub fn restore(mut self, request: &Request, record: &BackupRecord, bytes: &[u8]) -> Outcome {
        self.begin(request, Work::Restore);
        let result = self.run_restore(request, record, bytes);
        self.finish(result)
    }

    /// Makes a profile from a healthy device; writes nothing to it.
    pub fn learn(mut self, request: &Request, learning: &Learning) -> Outcome {
        self.begin(request, Work::Learning);
        let result = self.run_learning(request, learning);
        self.finish(result)
    }

    fn begin(&mut self, request: &Request, work: Work) {
        self.outcome.work = Some(if request.dry_run { Work::Plan } else { work });
    }

    fn run_rescue(&mut self, request: &Request) -> Result<Verdict, Failure> {
        let candidate = self.find(request)?;
        self.sighted(&candidate);
        let is_left_alone = |candidate: &Candidate| !candidate.is_in_question() && !request.force;
        if is_left_alone(&candidate) {
            return self.healthy(&candidate);
        }
        let _lock = self.lock(&candidate.seen)?;
        let candidate = match request.dry_run {
            true => candidate,
            false => self.end_trial(request, candidate)?,
        };
        if is_left_alone(&candidate) {
            return self.healthy(&candidate);
        }
        match self.prove(&candidate) {
            Err(failure) if failure.code == Code::R102 && candidate.unfinished.is_some() => {
                self.settle_by_restart(request, candidate, failure)
            }
            proven => {
                let (finding, link) = proven?;
                self.rescue_proven(request, &candidate, finding, link)
            }
        }
    }

    fn healthy(&mut self, candidate: &Candidate) -> Result<Verdict, Failure> {
        let now = Identity::of(&candidate.seen);
        let name = candidate.suspicion.name;
        self.note(format!("{name} runs its firmware as {now}; there is nothing to rescue"));
        if let Some(rescue) = self.last_trial_like(&candidate.seen)? {
            self.note(format!(
                "the rescue {rescue} of this port failed and left such a device running its image from RAM: if this is that one, with a supply of its own, take all its power away and look again"
            ));
        }
        self.outcome.identity.seen = Some(now);
        Ok(Verdict::Healthy)
    }

    pub(super) fn rescue_proven(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        finding: Finding,
        mut link: Box<dyn Link>,
    ) -> Result<Verdict, Failure> {
        let is_firmware = finding.running == Running::Firmware;
        if is_firmware && !candidate.is_known_sick() && !request.force {
            self.outcome.identity.seen = Some(Identity::of(&candidate.seen));
            self.note("firmware runs on this chip, so there is nothing to rescue".to_owned());
            return Ok(Verdict::Healthy);
        }
        self.enter(RunStage::Preflight);
        let target = self.choose_target(request, candidate, &finding)?;
        let want = target.want();
        let examined = self.examine(&candidate.seen, candidate.chip, &finding, &mut *link, want)?;
        if let Some(journal) = taken_up(request, candidate)
            && !request.resume
            && !self.bears_out(journal, &target, &examined)
        {
            self.note(format!(
                "its EEPROM holds nothing of what the unfinished rescue {} wrote, so this run begins afresh",
                journal.begun().id
            ));
            let runs_trial = is_firmware && is_trial_of(journal, candidate, &examined);
            let on_trial_of = runs_trial.then(|| journal.clone());
            let afresh = Candidate { unfinished: None, on_trial_of, ..candidate.clone() };
            return self.rescue_proven(request, &afresh, finding, link);
        }
        let plan = self.plan(request, candidate, &finding, &target, &examined, request.force)?;
        if request.dry_run {
            return Ok(Verdict::Planned);
        }
        self.ask_consent(request, candidate, &target, &plan)?;
        self.begin_journal(candidate, &finding, &target)?;
        self.perform(candidate, finding, link, &target, &examined, &plan)
    }

    fn run_diagnosis(&mut self, request: &Request, want: u32) -> Result<Examined, Failure> {
        let candidate = self.find(request)?;
        self.sighted(&candidate);
        let _lock = self.lock(&candidate.seen)?;
        let (finding, mut link) = self.prove(&candidate)?;
        self.outcome.identity.seen = Some(Identity::of(&candidate.seen));
        self.examine(&candidate.seen, candidate.chip, &finding, &mut *link, want)
    }

    fn run_backup(&mut self, request: &Request) -> Result<Verdict, Failure> {
        // A backup holds all that can be read.
        let examined = self.run_diagnosis(request, u32::MAX)?;
        match examined.condition {
            Condition::Unreadable { why } => Err(Failure::new(Code::R115, why, "backup")
                .leaving(self.state)
                .next("take its power away, plug it in again and run the same command")),
            _ => Ok(Verdict::Planned),
        }
    }

    fn run_restore(
        &mut self,
        request: &Request,
        record: &BackupRecord,
        bytes: &[u8],
    ) -> Result<Verdict, Failure> {
        let candidate = self.find(request)?;
        self.sighted(&candidate);
        let _lock = self.lock(&candidate.seen)?;
        let (finding, mut link) = self.prove(&candidate)?;
        if finding.model.name != record.chip {
            let what = format!("the backup is of a {}, this is a {}", record.chip, finding.model);
            return Err(Failure::new(Code::R204, what, format!("backup {}", record.id))
                .next("name the device it was made from with --port"));
        }
        let name = format!("backup {}", record.id);
        self.enter(RunStage::Preflight);
        let choice = Choice {
            profile: None,
            image: NamedImage { name, bytes: bytes.to_vec() },
            doubt: None,
        };
        let target = self.restore_target(&candidate, &finding, choice);
        let want = target.want();
        let examined = self.examine(&candidate.seen, candidate.chip, &finding, &mut *link, want)?;
        let plan = self.plan(request, &candidate, &finding, &target, &examined, true)?;
        if request.dry_run {
            return Ok(Verdict::Planned);
        }
        self.ask_consent(request, &candidate, &target, &plan)?;
        self.begin_journal(&candidate, &finding, &target)?;
        self.perform(&candidate, finding, link, &target, &examined, &plan)
    }

    pub(super) fn sighted(&mut self, candidate: &Candidate) {
        self.outcome.port = Some(candidate.seen.port.clone());
        self.emit(&Event::Sighted {
            port: candidate.seen.port.clone(),
            ids: candidate.seen.ids,
            name: candidate.suspicion.name.to_owned(),
            detail: candidate.suspicion.detail.to_owned(),
            standing: candidate.suspicion.standing,
            identity: Identity::of(&candidate.seen),
        });
        if let Some(journal) = &candidate.on_trial_of {
            self.note(format!(
                "the rescue {} failed and left this device running its image from RAM: what it shows tells nothing of its EEPROM",
                journal.begun().id
            ));
        }
        if let Some(journal) = &candidate.unfinished {
            let at = journal.in_flight().map_or_else(String::new, |step| format!(" at: {step}"));
            self.note(format!(
                "the rescue {} of this port was not finished{at}; this run takes it up",
                journal.begun().id
            ));
        }
    }

    pub(super) fn lock(&self, seen: &Sighting) -> Result<PortLock, Failure> {
        let folder = self.tools.store.folder("locks")?;
        PortLock::take(&folder, &seen.port, self.tools.bus.clock().date()).map_err(|error| {
            Failure::new(Code::R404, error.to_string(), format!("port {}", seen.port))
                .next("wait until it is done, or name another device with --port")
        })
    }

    /// Opens the device; every transfer from now on is counted.
    pub(super) fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, Failure> {
        let link = self
            .tools
            .bus
            .open(seen)
            .map_err(|error| Failure::from_bus(&error).leaving(self.state))?;
        Ok(Box::new(Meter::new(link, Arc::clone(&self.transfers))))
    }

    pub(super) fn prove(
        &mut self,
        candidate: &Candidate,
    ) -> Result<(Finding, Box<dyn Link>), Failure> {
        self.enter(RunStage::Proving);
        let mut link = self.open(&candidate.seen)?;
        let finding = match candidate.chip.probe(&mut *link, &candidate.seen) {
            // One lost transfer is no reason to give up; a probe changes nothing.
            Err(ChipError::Transfer { source, .. }) if source != TransferError::Gone => {
                candidate.chip.probe(&mut *link, &candidate.seen)
            }
            result => result,
        }
        .map_err(|error| self.chip_failure(error, "proof of the chip"))?;
        let finding = as_proven_before(candidate, finding);
        self.emit(&Event::Proven {
            chip: finding.model,
            running: finding.running,
            evidence: finding.evidence.clone(),
        });
        Ok((finding, link))
    }

    /// Ends the run: closes journals, settles the state, tells the outcome.
    fn finish(mut self, result: Result<Verdict, Failure>) -> Outcome {
        match result {
            Ok(verdict) => {
                self.outcome.result = verdict;
                self.outcome.device_state = self.state;
                if matches!(verdict, Verdict::Rescued | Verdict::Restored) {
                    self.close_journals(verdict);
                }
            }
            Err(failure) => {
                let unwritten =
                    !matches!(failure.device, DeviceState::PartWritten | DeviceState::Written);
                if unwritten {
                    // Nothing lasting was changed, so there is nothing to take up later.
                    self.end_own_journal("failed", self.on_trial);
                }
                self.outcome.result = Verdict::Failed;
                self.outcome.device_state = failure.device;
                self.emit(&Event::Failed { failure: failure.clone() });
                self.outcome.failure = Some(failure);
            }
        }
        self.enter(self.stage);
        log::info!("stages: {}", self.outcome.stages_ms);
        let elapsed = self.stage_began.saturating_sub(self.began);
        self.outcome.device_time_ms = elapsed.as_secs_f64() * 1000.0;
        self.outcome.transfers = self.transfers.load(Ordering::Relaxed);
        let outcome = self.outcome.clone();
        self.emit(&Event::Outcome { outcome: Box::new(outcome.clone()) });
        outcome
    }

    /// A stage begins; the one before it, to come back to.
    pub(super) fn enter(&mut self, stage: RunStage) -> RunStage {
        let now = self.tools.bus.clock().now();
        self.outcome.stages_ms.add(self.stage, now.saturating_sub(self.stage_began));
        self.stage_began = now;
        log::debug!("stage: {stage:?}");
        std::mem::replace(&mut self.stage, stage)
    }

    pub(super) fn emit(&mut self, event: &Event) {
        self.tools.observer.observe(event);
    }

    pub(super) fn note(&mut self, text: String) {
        self.emit(&Event::Note { text: text.clone() });
        self.outcome.notes.push(text);
    }
}
