//! The events of a run in words, a few lines each.

use std::io::Write;

use crate::chip::{DriveAnswer, IdMeaning, Running, Size, Suspicion};
use crate::executor::{Event, Observer, Switching};
use crate::rescue::Preflight;
use crate::usb::Sighting;

/// Writes the narration to a file or a pipe, without progress.
pub struct Plain<W: Write> {
    out: W,
}

impl<W: Write> Plain<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Observer for Plain<W> {
    fn observe(&mut self, event: &Event) {
        for line in narrate(event) {
            // A reader that has gone must not end a rescue.
            drop(writeln!(self.out, "{line}"));
        }
    }
}

/// One device as `recover list` shows it.
pub fn list_line(seen: &Sighting, suspicion: Option<&Suspicion>) -> String {
    let what = suspicion.map_or_else(
        || seen.product.clone().unwrap_or_else(|| "not a chip this program knows".to_owned()),
        |suspicion| format!("{} ({})", suspicion.name, suspicion.detail),
    );
    let health = match suspicion.map(|suspicion| suspicion.id_meaning) {
        Some(IdMeaning::BootId) => "in boot mode",
        Some(IdMeaning::SharedBootId) => "in boot mode or without firmware of its own",
        Some(IdMeaning::Unlisted) => "asked for by its owner",
        Some(IdMeaning::Running) => "healthy",
        None => "",
    };
    format!("{:<8} {}  {what}  {health}", seen.port.to_string(), seen.ids).trim_end().to_owned()
}

/// The lines for an event; none for progress, which only a terminal shows.
pub fn narrate(event: &Event) -> Vec<String> {
    match event {
        Event::Sighted { port, ids, name, detail, .. } => {
            vec![format!("port {port}: {ids}, {name}"), format!("  {detail}")]
        }
        Event::Proven { chip, running, evidence } => {
            let who = match running {
                Running::MaskRom => "its mask ROM answers: it found nothing to boot",
                Running::Firmware => "firmware answers",
            };
            let mut lines = vec![format!("chip proven: {chip}; {who}")];
            lines.extend(evidence.iter().map(|e| format!("  - {} ({})", e.fact, e.grade)));
            lines
        }
        Event::Chosen { profile, image, bytes, sha256 } => {
            let profile = profile.as_ref().map_or(String::new(), |p| format!("profile {p}, "));
            let hash = sha256.get(..16).unwrap_or(sha256);
            vec![format!("image: {profile}{image}, {bytes} bytes, SHA-256 {hash}…")]
        }
        Event::Preflight { preflight } => vec![match preflight {
            Preflight::CameUp { identity } => {
                format!("pre-flight: on the virtual chip it comes up as {identity}")
            }
            Preflight::Failed { why } => format!("pre-flight: failed: {why}"),
            Preflight::Inconclusive { why } => format!("pre-flight: inconclusive: {why}"),
        }],
        Event::Diagnosed { memory, condition, size } => {
            let size = match size {
                Size::Proven(bytes) => format!("{bytes} bytes, proven"),
                Size::AtLeast(bytes) => {
                    format!("at least {bytes} bytes; its content does not tell more")
                }
            };
            vec![format!("{memory}: {condition}"), format!("  size: {size}")]
        }
        Event::BackedUp { backup, bytes, sha256 } => {
            let hash = sha256.get(..16).unwrap_or(sha256);
            vec![format!("backup: {backup}, {bytes} bytes, SHA-256 {hash}…")]
        }
        Event::Learnt { profile, folder, bytes, serial } => vec![
            format!("learnt: profile {profile}, an image of {bytes} bytes"),
            format!("  folder: {}", folder.display()),
            format!("  serial number: {serial}"),
        ],
        Event::Planned { memory, steps, limit, unproven } => {
            let mut lines = vec![format!(
                "plan: {} write cycles, planned minimum {:.1} s",
                limit.write_cycles,
                limit.total_ms() / 1000.0
            )];
            for (index, step) in steps.iter().enumerate() {
                lines.push(format!(
                    "  {}. {} [{}]",
                    index + 1,
                    step.title,
                    step.risk.title(memory)
                ));
            }
            if !unproven.is_empty() {
                lines.push("  what nobody has proven, and this rests on:".to_owned());
                lines.extend(unproven.iter().map(|fact| format!("  - {fact}")));
            }
            lines
        }
        Event::StepBegun { step, of, title } => vec![format!("[{step}/{of}] {title}")],
        Event::Alive { identity } => vec![format!("      alive from RAM: {identity}")],
        Event::Drive { answer: DriveAnswer::NotAsked } => Vec::new(),
        Event::Drive { answer } => vec![format!("      {answer}")],
        Event::Asked { request, expect } => {
            vec![format!("  >>  {request}"), format!("      {expect}")]
        }
        Event::Switched { port, what, by } => {
            let what = match what {
                Switching::PowerOff => "power off",
                Switching::PowerOn => "power on",
                Switching::CloseContact => "contact closed",
                Switching::OpenContact => "contact open",
            };
            vec![format!("      port {port}: {what} (by {by})")]
        }
        Event::Note { text } => vec![format!("  note: {text}")],
        Event::Failed { failure } => failure.to_string().lines().map(str::to_owned).collect(),
        Event::Progress { .. } | Event::StepDone { .. } | Event::Outcome { .. } => Vec::new(),
    }
}
