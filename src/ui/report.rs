//! The outcome as a person reads it: the last lines of a run, on stdout.

use std::fmt::Write;

use crate::chip::DriveAnswer;
use crate::rescue::{Outcome, Verdict};

/// The report of a run; empty after a failure, which has its own form.
pub fn report(outcome: &Outcome) -> String {
    let mut text = String::new();
    let port = outcome.port.as_ref().map_or("?".to_owned(), ToString::to_string);
    let headline = match outcome.result {
        Verdict::Rescued => format!("rescued: the enclosure at port {port} is itself again"),
        Verdict::Restored => {
            format!("restored: the EEPROM of the enclosure at port {port} holds what was asked for")
        }
        Verdict::Healthy => {
            format!("healthy: the device at port {port} needs no rescue; nothing was written")
        }
        Verdict::Planned | Verdict::Failed => return text,
    };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {:<9} {value}", format!("{name}:"));
    };
    if let Some(seen) = &outcome.identity.seen {
        line("identity", seen.to_string());
    }
    if outcome.result != Verdict::Healthy {
        if outcome.identity.expected.is_some() {
            line("checked", "ids, revision, class, strings and serial are as promised".to_owned());
        }
        let drive = outcome.drive.as_ref().map_or_else(|| DriveAnswer::NotAsked.to_string(), drive);
        line("drive", drive);
        if let Some(backup) = &outcome.backup {
            line(
                "backup",
                format!("{backup} (`recover restore {backup}` puts the old contents back)"),
            );
        }
        line(
            "effort",
            format!(
                "{} write cycles, {} transfers, {:.1} s; the memory took {:.2} s of at least {:.2} s",
                outcome.write_cycles,
                outcome.transfers,
                outcome.device_time_ms / 1000.0,
                outcome.memory_time_ms / 1000.0,
                outcome.limit.memory_ms() / 1000.0
            ),
        );
    }
    format!("{headline}\n{text}")
}

/// The drive in one line: who it is, how much it holds, or why it does not answer.
fn drive(answer: &DriveAnswer) -> String {
    let mut text = answer.to_string();
    if let DriveAnswer::Answers(drive) = answer {
        if let Some(identified) = &drive.identified {
            let _ = write!(text, "; by its own IDENTIFY {identified}");
        }
        if let Some(bytes) = drive.capacity_bytes {
            let _ = write!(text, "; {bytes} bytes");
        }
        if let Some(why) = &drive.not_ready {
            let _ = write!(text, "; not ready: {why}");
        }
    }
    text
}
