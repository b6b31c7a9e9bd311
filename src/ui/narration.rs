//! The events of a run in words, a few lines each.

use std::io::Write;
use std::iter;

use crate::chip::{DriveAnswer, IdMeaning, Running, Size, Suspicion};
use crate::executor::{Event, Observer, Switching};
use crate::rescue::Preflight;
use crate::usb::Sighting;
use crate::wording::counted;

/// How much of an event is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Evidence, hashes and counts (`-v`).
    pub evidence: bool,
    /// Every step of the plan before the first one begins (`--dry-run`, `plan`, `-v`).
    pub steps: bool,
}

/// Writes the narration to a file or a pipe, without progress.
pub struct Plain<W: Write> {
    out: W,
    detail: Detail,
}

impl<W: Write> Plain<W> {
    /// Writes to `out`.
    pub fn new(out: W, detail: Detail) -> Self {
        Self { out, detail }
    }
}

impl<W: Write> Observer for Plain<W> {
    fn observe(&mut self, event: &Event) {
        for line in narrate(event, self.detail) {
            // A reader that has gone must not end a rescue.
            drop(writeln!(self.out, "{line}"));
        }
    }
}

/// One device as `recover list` shows it.
pub fn list_line(seen: &Sighting, suspicion: Option<&Suspicion>) -> String {
    let what = suspicion.map_or_else(
        || seen.product.clone().unwrap_or_else(|| "not a known chip".to_owned()),
        |suspicion| format!("{} ({})", suspicion.name, suspicion.detail),
    );
    let health = match suspicion.map(|suspicion| suspicion.id_meaning) {
        Some(IdMeaning::BootId) => "in boot mode",
        Some(IdMeaning::SharedBootId) => "in boot mode, or a board without firmware",
        Some(IdMeaning::Unlisted) => "chip family given by --as",
        Some(IdMeaning::Running) => "healthy",
        None => "",
    };
    format!("{:<8} {}  {what}  {health}", seen.port.to_string(), seen.ids).trim_end().to_owned()
}

/// The lines for an event; none for progress, which only a terminal shows.
pub fn narrate(event: &Event, detail: Detail) -> Vec<String> {
    match event {
        Event::Sighted { port, ids, name, detail, .. } => {
            vec![format!("port {port}: {ids}, {name}; {detail}")]
        }
        Event::Proven { chip, running, evidence } => {
            let state = match running {
                Running::MaskRom => "in boot mode: its mask ROM found no valid firmware",
                Running::Firmware => "its firmware is running",
            };
            let mut lines = vec![format!("chip proven: {chip}; {state}")];
            if detail.evidence {
                lines.extend(evidence.iter().map(|e| format!("  - {} ({})", e.fact, e.grade)));
            }
            lines
        }
        Event::Chosen { profile, image, bytes, sha256 } => {
            let source = match profile {
                Some(profile) if profile == image => format!("from profile {profile}"),
                Some(profile) => format!("{image}, for profile {profile}"),
                None => image.clone(),
            };
            vec![format!("image: {source}, {bytes} bytes{}", hash(sha256, detail))]
        }
        Event::Preflight { preflight } => vec![match preflight {
            Preflight::CameUp { identity } => {
                format!("pre-flight: on the virtual chip the image starts as {identity}")
            }
            Preflight::Failed { why } => format!("pre-flight: failed: {why}"),
            Preflight::Inconclusive { why } => format!("pre-flight: inconclusive: {why}"),
        }],
        Event::Diagnosed { memory, condition, size } => {
            let size = match size {
                Size::Proven(bytes) => counted(bytes, "byte"),
                Size::AtLeast(bytes) => format!("at least {}", counted(bytes, "byte")),
            };
            vec![format!("{memory}: {size}, {condition}")]
        }
        Event::BackedUp { backup, bytes, sha256 } => {
            vec![format!("backup: {backup}, {bytes} bytes{}", hash(sha256, detail))]
        }
        Event::Learnt { profile, folder, bytes, serial } => vec![
            format!("profile made: {profile}, with an image of {bytes} bytes"),
            format!("  folder: {}", folder.display()),
            format!("  serial number: {serial}"),
        ],
        Event::Planned { memory, steps, limit, unproven } => {
            let mut lines = vec![format!(
                "plan: {}, {}, planned minimum {:.1} s",
                counted(steps.len(), "step"),
                counted(limit.write_cycles, "write cycle"),
                limit.total_ms() / 1000.0
            )];
            if detail.steps {
                lines.extend(steps.iter().enumerate().map(|(index, step)| {
                    format!("  {}. {} [{}]", index + 1, step.title, step.risk.title(memory))
                }));
            }
            lines.extend(relied_on(unproven, detail));
            lines
        }
        Event::StepBegun { step, of, title } => vec![format!("[{step}/{of}] {title}")],
        Event::Alive { identity } => vec![format!("      it runs from RAM as {identity}")],
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

/// The beginning of a hash, for whoever asked for evidence.
fn hash(sha256: &str, detail: Detail) -> String {
    let shown = sha256.get(..16).unwrap_or(sha256);
    if detail.evidence { format!(", SHA-256 {shown}…") } else { String::new() }
}

/// The facts that a plan relies on: each of them, or how many there are.
fn relied_on(unproven: &[String], detail: Detail) -> Vec<String> {
    match unproven {
        [] => Vec::new(),
        facts if detail.steps => {
            let heading = "  Not verified on real hardware; this plan relies on:".to_owned();
            iter::once(heading).chain(facts.iter().map(|fact| format!("  - {fact}"))).collect()
        }
        [_] => vec!["  This plan relies on 1 unverified fact; -v shows it.".to_owned()],
        facts => {
            vec![format!("  This plan relies on {} unverified facts; -v lists them.", facts.len())]
        }
    }
}
