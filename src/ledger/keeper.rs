//! Listens to one run and keeps it in the ledger when its outcome comes.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::text::bounded;
use super::unit::{StepTaken, Unit};
use super::{Ledger, LedgerError};
use crate::chip::{DriveAnswer, Identity, Size};
use crate::clock::Clock;
use crate::executor::event::PlannedStep;
use crate::executor::{Event, Observer, Store};
use crate::rescue::{Outcome, RunKind};

/// Most sentences that are kept of a list.
const MAX_SENTENCES: usize = 64;

/// The ledger's ear at one run.
pub struct Keeper {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    began: Duration,
    unit: Unit,
    kept: Option<Result<String, LedgerError>>,
}

impl Keeper {
    /// A keeper for the run that begins now on that clock, the one of the run's bus.
    pub fn new(ledger: Ledger, clock: Arc<dyn Clock>) -> Self {
        let unit = Unit {
            began: clock.date(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            ..Unit::default()
        };
        let began = clock.now();
        Self { ledger, clock, began, unit, kept: None }
    }

    /// The same for a port that has a name on the bench.
    #[must_use]
    pub fn at_label(mut self, label: &str) -> Self {
        self.unit.port_label = Some(bounded(label));
        self
    }

    /// What came of it: the unit's id in the ledger, or why it is not there. `None` while the run
    /// goes on, and for runs that the ledger does not keep.
    pub fn kept(&self) -> Option<&Result<String, LedgerError>> {
        self.kept.as_ref()
    }

    /// The same, when the run is over.
    pub fn into_kept(self) -> Option<Result<String, LedgerError>> {
        self.kept
    }

    fn elapsed_ms(&self) -> f64 {
        self.clock.now().saturating_sub(self.began).as_secs_f64() * 1000.0
    }

    fn plan(&mut self, steps: &[PlannedStep]) {
        self.unit.steps = steps
            .iter()
            .zip(1..)
            .map(|(planned, step)| StepTaken {
                step,
                title: bounded(&planned.title),
                risk: word(&planned.risk),
                began_ms: None,
                took_ms: None,
            })
            .collect();
    }

    fn step(&mut self, step: usize) -> Option<&mut StepTaken> {
        self.unit.steps.get_mut(step.checked_sub(1)?)
    }

    fn end(&mut self, outcome: &Outcome) {
        let Some(port) = &outcome.port else { return };
        if !outcome.work.is_some_and(RunKind::may_write_device) {
            return;
        }
        let unit = &mut self.unit;
        unit.id = Store::name(unit.began, unit.chip.as_deref().unwrap_or("unit"));
        unit.work = outcome.work.as_ref().map(word).unwrap_or_default();
        unit.port = port.to_string();
        unit.identity_expected = outcome.identity.expected.as_ref().map(cut);
        unit.identity_after = outcome.identity.seen.as_ref().map(cut);
        unit.backup.clone_from(&outcome.backup);
        unit.result = word(&outcome.result);
        unit.device_state = word(&outcome.device_state);
        let asked = outcome.drive.as_ref().filter(|drive| **drive != DriveAnswer::NotAsked);
        unit.drive = asked.map(|drive| bounded(&drive.to_string()));
        unit.device_time_ms = outcome.device_time_ms;
        unit.memory_time_ms = outcome.memory_time_ms;
        unit.limit_ms = outcome.limit_ms;
        unit.transfers = outcome.transfers;
        unit.write_cycles = outcome.write_cycles;
        unit.notes = sentences(&outcome.notes);
        if let Some(failure) = &outcome.failure {
            unit.error = Some(failure.code.name().to_owned());
            unit.error_what = Some(bounded(&failure.what));
            unit.error_where = Some(bounded(&failure.place));
            unit.error_next = sentences(&failure.next);
        }
        self.kept = Some(self.ledger.add(&self.unit));
    }
}

impl Observer for Keeper {
    fn observe(&mut self, event: &Event) {
        let now = self.elapsed_ms();
        let unit = &mut self.unit;
        match event {
            Event::Sighted { name, detail, id_meaning, identity, .. } => {
                unit.name = bounded(name);
                unit.detail = bounded(detail);
                unit.standing = word(id_meaning);
                unit.identity_before = Some(cut(identity));
            }
            Event::Proven { chip, evidence, .. } => {
                unit.chip = Some(chip.name.to_owned());
                let facts = evidence.iter().map(|e| format!("{} ({})", e.fact, e.grade));
                unit.evidence = sentences(&facts.collect::<Vec<_>>());
            }
            Event::Chosen { profile, image, bytes, sha256 } => {
                unit.profile = profile.as_deref().map(bounded);
                unit.image = Some(bounded(image));
                unit.image_bytes = Some(*bytes as u64);
                unit.image_sha256 = Some(sha256.clone());
            }
            Event::Preflight { preflight } => unit.preflight = key(preflight, "verdict"),
            Event::Diagnosed { condition, size, .. } => {
                unit.condition = key(condition, "state");
                unit.diagnosis = Some(bounded(&condition.to_string()));
                let (Size::Proven(bytes) | Size::AtLeast(bytes)) = size;
                unit.size_bytes = Some(*bytes);
                unit.size_proven = Some(matches!(size, Size::Proven(_)));
            }
            Event::Planned { steps, unproven, .. } => {
                unit.unproven = sentences(unproven);
                self.plan(steps);
            }
            Event::StepBegun { step, .. } => {
                if let Some(taken) = self.step(*step) {
                    taken.began_ms = Some(now);
                }
            }
            Event::StepDone { step } => {
                if let Some(taken) = self.step(*step) {
                    taken.took_ms = taken.began_ms.map(|began| now - began);
                }
            }
            Event::Outcome { outcome } => self.end(outcome),
            Event::BackedUp { .. }
            | Event::Progress { .. }
            | Event::Alive { .. }
            | Event::Drive { .. }
            | Event::Asked { .. }
            | Event::Switched { .. }
            | Event::Learnt { .. }
            | Event::Note { .. }
            | Event::Failed { .. } => {}
        }
    }
}

/// The word that the JSON events have for a value.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The word under a key of a value's JSON form.
fn key(value: &impl Serialize, key: &str) -> Option<String> {
    Some(serde_json::to_value(value).ok()?.get(key)?.as_str()?.to_owned())
}

fn sentences(all: &[String]) -> Vec<String> {
    all.iter().take(MAX_SENTENCES).map(|sentence| bounded(sentence)).collect()
}

fn cut(who: &Identity) -> Identity {
    let cut = |text: &Option<String>| text.as_deref().map(bounded);
    Identity {
        manufacturer: cut(&who.manufacturer),
        product: cut(&who.product),
        serial: cut(&who.serial),
        ..who.clone()
    }
}
