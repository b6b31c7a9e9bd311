//! What every stage of a run borrows: the tools, what the run has learnt for its outcome, and the
//! state the device would be in if the run ended now. Knows no stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Tools;
use super::event::Event;
use super::meter::Meter;
use super::operator::Switching;
use crate::failure::{Code, DeviceState, Failure};
use crate::journal::{Ending, JournalFile};
use crate::rescue::RunStage;
use crate::rescue::outcome::{Outcome, SwitchedBy, Verdict};
use crate::usb::lock::{LockError, PortLock};
use crate::usb::{Link, PortPath, Sighting};

/// One run under way.
pub(super) struct Run<'t> {
    pub tools: Tools<'t>,
    pub outcome: Outcome,
    /// What the device's state would be if the run ended now.
    pub state: DeviceState,
    pub journal: Option<JournalFile>,
    /// The unfinished rescue that this run goes on with, as the device's memory shows.
    pub takes_up: Option<String>,
    /// The device number under which the device runs the image from its RAM.
    pub on_trial: Option<u8>,
    transfers: Arc<AtomicU64>,
    began: Duration,
    stage: RunStage,
    stage_began: Duration,
}

impl<'t> Run<'t> {
    pub fn new(tools: Tools<'t>) -> Self {
        let began = tools.bus.clock().now();
        Self {
            tools,
            outcome: Outcome::begun(),
            state: DeviceState::Untouched,
            journal: None,
            takes_up: None,
            on_trial: None,
            transfers: Arc::default(),
            began,
            stage: RunStage::default(),
            stage_began: began,
        }
    }

    pub fn emit(&mut self, event: &Event) {
        self.tools.observer.observe(event);
    }

    pub fn note(&mut self, text: String) {
        self.emit(&Event::Note { text: text.clone() });
        self.outcome.notes.push(text);
    }

    pub fn progress(&mut self, work: &'static str, done: u64, total: u64) {
        self.emit(&Event::Progress { work, done, total });
    }

    pub fn switched(&mut self, port: &PortPath, what: Switching, by: SwitchedBy) {
        self.emit(&Event::Switched { port: port.clone(), what, by });
    }

    /// A stage begins; returns the one before it, to come back to.
    pub fn enter(&mut self, stage: RunStage) -> RunStage {
        let now = self.tools.bus.clock().now();
        self.outcome.stages_ms.add(self.stage, now.saturating_sub(self.stage_began));
        self.stage_began = now;
        log::debug!("stage: {stage:?}");
        std::mem::replace(&mut self.stage, stage)
    }

    /// Every device on the bus.
    pub fn scan(&mut self) -> Result<Vec<Sighting>, Failure> {
        self.tools.bus.scan().map_err(|error| Failure::from_bus(&error).leaving(self.state))
    }

    /// Keeps other runs from the port until the lock is dropped.
    pub fn lock(&self, seen: &Sighting) -> Result<PortLock, Failure> {
        let folder = self.tools.store.folder("locks")?;
        PortLock::take(&folder, &seen.port, self.tools.bus.clock().date()).map_err(|error| {
            let failure =
                |code| Failure::new(code, error.to_string(), format!("port {}", seen.port));
            match &error {
                LockError::Held { .. } => failure(Code::R404).next(
                    "wait until the other process ends, or choose another device with --port",
                ),
                LockError::Unusable { path, .. } => failure(Code::R506)
                    .next(format!(
                        "move what is at {} away, or make its folder writable",
                        path.display()
                    ))
                    .next("or name another home folder with --home"),
            }
        })
    }

    /// Opens the device; every transfer from now on is counted.
    pub fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, Failure> {
        let link = self
            .tools
            .bus
            .open(seen)
            .map_err(|error| Failure::from_bus(&error).leaving(self.state))?;
        Ok(Box::new(Meter::new(link, Arc::clone(&self.transfers))))
    }

    /// Ends the run: closes journals, settles the state, tells the outcome.
    pub fn finish(mut self, result: Result<Verdict, Failure>) -> Outcome {
        match result {
            Ok(verdict) => {
                self.outcome.result = verdict;
                self.outcome.device_state = self.state;
                if let Some(ending) = Ending::of(verdict) {
                    self.close_journals(ending);
                }
            }
            Err(failure) => {
                let failure = self.tools.commands.located(failure);
                let unwritten =
                    !matches!(failure.device, DeviceState::PartWritten | DeviceState::Written);
                if unwritten {
                    // Nothing lasting was changed, so there is nothing to take up later.
                    self.end_own_journal(Ending::Failed, self.on_trial);
                } else if self.journal.is_some() {
                    // What is left to do is in this run's own journal now.
                    self.end_taken_up(Ending::TakenUp);
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
}
