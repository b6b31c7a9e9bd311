//! What a virtual chip noticed about the program it was given, kept for whoever asks.
//!
//! Pre-flight needs to tell two things apart: a program that does wrong, and a program that does
//! something this model cannot judge.

use std::fmt;
use std::time::Duration;

/// What a diagnostic says about the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did what no chip of this kind can carry out.
    Failed,
    /// It went where the model's knowledge ends; a real chip may well go on.
    Unknown,
}

/// One thing noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// When, on the virtual clock.
    pub at: Duration,
    /// What it means.
    pub verdict: Verdict,
    /// What happened, a sentence without its full stop.
    pub text: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Failed => "failed",
            Verdict::Unknown => "unknown",
        };
        write!(f, "{:.3} s, {verdict}: {}", self.at.as_secs_f64(), self.text)
    }
}

/// Something a program asked that the model has no answer to: a register, a pin, memory on the
/// board. It need not be what stopped the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmodelled {
    /// When it was first asked, on the virtual clock.
    pub at: Duration,
    /// The address of the instruction that asked.
    pub pc: u16,
    /// Its name, with its address: "GPIFREADYSTAT, the RDY pins (register e6f4)".
    pub what: String,
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:04x}", self.what, self.pc)
    }
}

/// How many diagnostics are kept; a program in a loop would otherwise fill the memory.
const KEPT: usize = 64;

/// A bounded list of diagnostics, each text once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub(crate) fn note(&mut self, now: u64, verdict: Verdict, text: String) {
        if self.0.len() < KEPT && !self.0.iter().any(|known| known.text == text) {
            log::debug!("{text}");
            self.0.push(Diagnostic { at: Duration::from_nanos(now), verdict, text });
        }
    }

    pub(crate) fn list(&self) -> &[Diagnostic] {
        &self.0
    }
}
