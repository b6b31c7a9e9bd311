//! A unit of the ledger on the terminal: one line, or all of it. Whatever a device has called
//! itself is made visible, not obeyed.

use std::fmt::Write;

use crate::chip::Identity;
use crate::ledger::text::visible;
use crate::ledger::{StepTaken, Unit};
use crate::wording::counted;

/// One unit in a list.
pub fn unit_line(unit: &Unit) -> String {
    let who = unit.identity_after.as_ref().or(unit.identity_before.as_ref());
    let product = who.and_then(|who| who.product.as_deref()).unwrap_or(&unit.name);
    let result = match &unit.error {
        Some(code) => format!("{} {code}", unit.result),
        None => unit.result.clone(),
    };
    let serials = unit.serials();
    let serial = match serials.as_slice() {
        [] => String::new(),
        serials => format!("  serial {}", serials.join(", ")),
    };
    let line = format!("{}  {result:<12}  port {}  {product}{serial}", unit.id, port(unit));
    visible(&line)
}

fn port(unit: &Unit) -> String {
    match &unit.port_label {
        Some(label) => format!("{} ({label})", unit.port),
        None => unit.port.clone(),
    }
}

/// All of a unit.
pub fn unit_text(unit: &Unit) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let name = if name.is_empty() { String::new() } else { format!("{name}:") };
        let _ = writeln!(text, "  {name:<11} {}", visible(value));
    };
    line("began", &unit.began.to_string());
    line("port", &port(unit));
    line("device", &format!("{}; {}", unit.name, unit.detail));
    let who = |who: &Option<Identity>| who.as_ref().map_or("not seen".into(), ToString::to_string);
    line("before", &who(&unit.identity_before));
    if unit.identity_expected.is_some() {
        line("expected", &who(&unit.identity_expected));
    }
    line("after", &who(&unit.identity_after));
    line("chip", unit.chip.as_deref().unwrap_or("not proven"));
    line("memory", unit.diagnosis.as_deref().unwrap_or("not read"));
    if let Some(image) = &unit.image {
        let profile = unit.profile.as_ref().map_or(String::new(), |p| format!("profile {p}, "));
        line(
            "image",
            &format!("{profile}{image}, {}", counted(unit.image_bytes.unwrap_or(0), "byte")),
        );
        line("", &format!("SHA-256 {}", unit.image_sha256.as_deref().unwrap_or("?")));
    }
    line("backup", unit.backup.as_deref().unwrap_or("none"));
    line("result", &format!("{}; device: {}", unit.result, unit.device_state));
    if let Some(code) = &unit.error {
        line("error", &format!("{code}: {}", unit.error_what.as_deref().unwrap_or_default()));
        line("where", unit.error_where.as_deref().unwrap_or_default());
        for (index, next) in unit.error_next.iter().enumerate() {
            line(if index == 0 { "next" } else { "" }, next);
        }
    }
    if let Some(drive) = &unit.drive {
        line("drive", drive);
    }
    let effort = format!(
        "{}, {}, {:.1} s; EEPROM phase {:.2} s",
        counted(unit.write_cycles, "write cycle"),
        counted(unit.transfers, "transfer"),
        unit.device_time_ms / 1000.0,
        unit.memory_time_ms / 1000.0
    );
    line("effort", &effort);
    for (index, taken) in unit.steps.iter().enumerate() {
        line(if index == 0 { "steps" } else { "" }, &step(taken));
    }
    for (name, sentences) in [("notes", &unit.notes), ("unverified", &unit.unproven)] {
        for (index, sentence) in sentences.iter().enumerate() {
            line(if index == 0 { name } else { "" }, sentence);
        }
    }
    line("program", &format!("recover {}", unit.program));
    format!("{}: {}\n{text}", visible(&unit.id), unit.work)
}

fn step(taken: &StepTaken) -> String {
    let time = match (taken.began_ms, taken.took_ms) {
        (_, Some(took)) => format!("{:>8.3} s", took / 1000.0),
        (Some(_), None) => "unfinished".to_owned(),
        (None, None) => "not begun".to_owned(),
    };
    format!("{time:>10}  {}. {}", taken.step, taken.title)
}
