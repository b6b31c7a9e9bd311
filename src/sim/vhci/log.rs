//! A line for everything that happens to a plugged-in device: its time in seconds, its port, for a
//! transfer how long it took, what, and what came of it.

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::enclosure::Outcome;
use super::wire::Answer;
use crate::usb::{PortPath, Transfer};

/// One port's lines in a file that others may write to as well.
#[derive(Clone)]
pub(super) struct Log {
    file: Option<Arc<Mutex<File>>>,
    port: PortPath,
}

impl Log {
    /// Lines of `port` into `file`, where there is one.
    pub(super) fn of(port: PortPath, file: Option<Arc<Mutex<File>>>) -> Self {
        Self { file, port }
    }

    /// A transfer that began at `begun` and ended at `ended` of the device's time.
    pub(super) fn transfer(&self, begun: u64, ended: u64, transfer: &Transfer, outcome: &Outcome) {
        let came: &dyn Display = match outcome {
            Outcome::Answered(Answer::Given(data)) => &format!("{} bytes", data.len()),
            Outcome::Answered(Answer::Taken(_)) => &"done",
            Outcome::Answered(Answer::Stall) => &"STALL",
            Outcome::Later => &"nothing yet",
            Outcome::Never => &"no answer",
            Outcome::Gone => &"the device left",
        };
        let took = Duration::from_nanos(ended.saturating_sub(begun)).as_secs_f64();
        self.line(begun, &format!("+{took:.6} {transfer}: {came}"));
    }

    pub(super) fn note(&self, now: u64, what: &str) {
        log::info!("{}: {what}", self.port);
        self.line(now, what);
    }

    fn line(&self, now: u64, text: &str) {
        let Some(file) = &self.file else { return };
        let seconds = Duration::from_nanos(now).as_secs_f64();
        let line = format!("{seconds:.6} {} {text}\n", self.port);
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(line.as_bytes()) {
            log::warn!("the log: {error}");
        }
    }
}
