//! The outcome as a person reads it: the last lines of a run, on stdout.

use std::fmt::Write;

use super::narration::Detail;
use crate::chip::DriveAnswer;
use crate::executor::Commands;
use crate::rescue::{Outcome, Verdict};
use crate::wording::counted;

/// The report of a run; empty after a failure, which has its own form. `unit` is the run's id in
/// the ledger.
pub fn report(
    outcome: &Outcome,
    unit: Option<&str>,
    detail: Detail,
    commands: &Commands,
) -> String {
    let mut text = String::new();
    let port = outcome.port.as_ref().map_or("?".to_owned(), ToString::to_string);
    let headline = match outcome.result {
        Verdict::Rescued => {
            format!("rescued: the enclosure at port {port} has its own identity again")
        }
        Verdict::Restored => {
            format!("restored: the memory of the enclosure at port {port} holds the backup again")
        }
        Verdict::Healthy => {
            format!("healthy: the device at port {port} needs no rescue; nothing was written")
        }
        Verdict::Planned => return read_only_report(outcome, &port),
        Verdict::Failed => return text,
    };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {:<9} {value}", format!("{name}:"));
    };
    if let Some(seen) = &outcome.identity.seen {
        line("identity", seen.to_string());
    }
    if outcome.result != Verdict::Healthy {
        if let Some(expected) = outcome.identity.expected.as_ref().filter(|_| detail.evidence) {
            line("checked", format!("{} as expected", expected.promises().join(", ")));
        }
        if let Some(drive) = outcome.drive.as_ref().filter(|drive| **drive != DriveAnswer::NotAsked)
        {
            line("drive", drive.to_string());
        }
        if let Some(backup) = &outcome.backup {
            let restore = commands.restore(backup);
            line("backup", format!("{backup} (`{restore}` writes the old contents back)"));
        }
        if let Some(unit) = unit {
            line("ledger", format!("{unit} (`{}` makes a report)", commands.report(unit)));
        }
        if detail.evidence {
            let effort = format!(
                "{}, {}, {:.1} s; EEPROM phase {:.2} s (minimum for this part {:.2} s)",
                counted(outcome.write_cycles, "write cycle"),
                counted(outcome.transfers, "transfer"),
                outcome.device_time_ms / 1000.0,
                outcome.memory_time_ms / 1000.0,
                outcome.limit.memory_ms() / 1000.0
            );
            line("effort", effort);
        }
    }
    format!("{headline}\n{text}")
}

/// The report of a plan, a diagnosis or a backup: nothing lasting was done.
fn read_only_report(outcome: &Outcome, port: &str) -> String {
    let mut lines =
        vec![format!("done: the device at port {port} was only read; its memory is unchanged")];
    if outcome.limit.write_cycles > 0 {
        lines.push(format!(
            "  plan:     {}, planned minimum {:.1} s",
            counted(outcome.limit.write_cycles, "write cycle"),
            outcome.limit_ms / 1000.0
        ));
    }
    if let Some(identity) = &outcome.identity.expected {
        lines.push(format!("  becomes:  {identity}"));
    }
    if let Some(backup) = &outcome.backup {
        lines.push(format!("  backup:   {backup}"));
    }
    lines.join("\n")
}
