//! The outcome as a person reads it: the last lines of a run, on stdout.

use std::fmt::Write;

use crate::chip::DriveAnswer;
use crate::rescue::{Outcome, Verdict};

/// The report of a run; empty after a failure, which has its own form. `unit` is the run's id in
/// the ledger.
pub fn report(outcome: &Outcome, unit: Option<&str>) -> String {
    let mut text = String::new();
    let port = outcome.port.as_ref().map_or("?".to_owned(), ToString::to_string);
    let headline = match outcome.result {
        Verdict::Rescued => format!("rescued: the enclosure at port {port} is itself again"),
        Verdict::Restored => {
            format!("restored: the memory of the enclosure at port {port} holds what was asked for")
        }
        Verdict::Healthy => {
            format!("healthy: the device at port {port} needs no rescue; nothing was written")
        }
        Verdict::Planned => return looked(outcome, &port),
        Verdict::Failed => return text,
    };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {:<9} {value}", format!("{name}:"));
    };
    if let Some(seen) = &outcome.identity.seen {
        line("identity", seen.to_string());
    }
    if outcome.result != Verdict::Healthy {
        if let Some(expected) = &outcome.identity.expected {
            line("checked", format!("{} as promised", expected.promises().join(", ")));
        }
        if let Some(drive) = outcome.drive.as_ref().filter(|drive| **drive != DriveAnswer::NotAsked)
        {
            line("drive", drive.to_string());
        }
        if let Some(backup) = &outcome.backup {
            line(
                "backup",
                format!("{backup} (the old contents; `recover restore --list` lists all)"),
            );
        }
        if let Some(unit) = unit {
            line(
                "ledger",
                format!("{unit} (`recover report {unit} --html FILE` is the page about it)"),
            );
        }
        line(
            "effort",
            format!(
                "{} write cycles, {} transfers, {:.1} s; the memory took {:.2} s, planned minimum {:.2} s",
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

/// The report of a plan, a diagnosis or a backup: nothing lasting was done.
fn looked(outcome: &Outcome, port: &str) -> String {
    let mut lines = vec![format!("looked: nothing lasting was changed at port {port}")];
    if outcome.limit.write_cycles > 0 {
        lines.push(format!(
            "  plan:     {} write cycles, planned minimum {:.1} s",
            outcome.limit.write_cycles,
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
