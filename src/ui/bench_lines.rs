//! What happens at a bench as plain lines, each beginning with its port, and as JSON.

use std::io::Write;

use super::narration::{Detail, narrate};
use super::stdout;
use crate::bench::{BenchEvent, Listener, Notice, NoticeContent, Tally};
use crate::executor::Event;
use crate::rescue::{Outcome, Verdict};
use crate::usb::PortPath;
use crate::wording::counted;

/// Writes the narration of many ports to a file or a pipe.
pub struct BenchLines<W: Write> {
    out: W,
}

impl<W: Write> BenchLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Listener for BenchLines<W> {
    fn hear(&mut self, notice: &Notice) {
        let name = name(notice);
        for line in lines(&notice.what) {
            // A reader that has gone must not end a rescue.
            drop(writeln!(self.out, "{}", format!("{name:<8} {line}").trim_end()));
        }
    }
}

/// Writes each notice as one line of JSON.
pub struct BenchJson<W: Write> {
    out: W,
}

impl<W: Write> BenchJson<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Listener for BenchJson<W> {
    fn hear(&mut self, notice: &Notice) {
        if matches!(notice.what, NoticeContent::Bench(BenchEvent::Tick)) {
            return;
        }
        match serde_json::to_string(notice) {
            Ok(line) => stdout::note(writeln!(self.out, "{line}").and_then(|()| self.out.flush())),
            Err(error) => log::error!("a notice could not be written: {error}"),
        }
    }
}

/// The port a notice is about, also where its event has it.
pub fn port(notice: &Notice) -> Option<&PortPath> {
    match &notice.what {
        NoticeContent::Run(Event::Sighted { port, .. } | Event::Switched { port, .. }) => {
            Some(port)
        }
        NoticeContent::Run(Event::Outcome { outcome }) => outcome.port.as_ref(),
        _ => notice.port.as_ref(),
    }
}

fn name(notice: &Notice) -> String {
    let port = || port(notice).map_or_else(|| "bench".to_owned(), ToString::to_string);
    notice.label.clone().unwrap_or_else(port)
}

/// The lines for a notice: of a run the first line of what a single run tells, and all of a
/// failure and of what somebody is asked for.
pub fn lines(what: &NoticeContent) -> Vec<String> {
    match what {
        NoticeContent::Bench(happening) => happened(happening).into_iter().collect(),
        NoticeContent::Run(Event::Outcome { outcome }) => vec![result(outcome)],
        // The port's own notice has said it.
        NoticeContent::Run(Event::Sighted { .. }) => Vec::new(),
        NoticeContent::Run(event @ (Event::Failed { .. } | Event::Asked { .. })) => {
            narrate(event, Detail::default())
        }
        NoticeContent::Run(event) => {
            narrate(event, Detail::default()).into_iter().take(1).collect()
        }
    }
}

/// What happened outside a run, in words; nothing for what only a screen needs.
pub fn happened(happening: &BenchEvent) -> Option<String> {
    Some(match happening {
        BenchEvent::Tick | BenchEvent::Begun | BenchEvent::Place { .. } => return None,
        BenchEvent::InFlight { rescue, step } => {
            let at = step.as_ref().map_or_else(String::new, |step| format!(" at: {step}"));
            format!(
                "the rescue {rescue} was not finished{at}; recover finishes it when the unit is connected"
            )
        }
        BenchEvent::Arrived { ids, name, waits, .. } => {
            let waits = if *waits { "; waiting for you to start it" } else { "" };
            format!("{ids}, {name}{waits}")
        }
        BenchEvent::LeftAlone { ids, name, healthy } => {
            let healthy = if *healthy { "healthy" } else { "unknown" };
            format!("{ids}, {name}; {healthy}, not touched")
        }
        BenchEvent::Left => "empty".to_owned(),
        BenchEvent::Skipped => "skipped".to_owned(),
        BenchEvent::GivenUp { times } => {
            format!("failed {} in a row; waiting for you to start it", counted(times, "time"))
        }
        BenchEvent::Stuck { stage, limit_s } => {
            format!(
                "stuck: {stage} takes longer than {limit_s} s; recover no longer waits for this port"
            )
        }
        BenchEvent::Blind { why } => format!("the ports cannot be read: {why}"),
        BenchEvent::Stopping { running: 0 } => "stopping".to_owned(),
        BenchEvent::Stopping { running: 1 } => {
            "stopping; 1 run continues to a safe point".to_owned()
        }
        BenchEvent::Stopping { running } => {
            format!("stopping; {running} runs continue to a safe point")
        }
        BenchEvent::Summary { tally } => summary_line(tally),
    })
}

/// What a whole bench came to.
pub fn summary_line(tally: &Tally) -> String {
    let mut line =
        format!("{} rescued, {} healthy, {} failed", tally.rescued, tally.healthy, tally.failed);
    if tally.planned > 0 {
        line.push_str(&format!(", {} planned", tally.planned));
    }
    if tally.stuck > 0 {
        line.push_str(&format!(", {} stuck", tally.stuck));
    }
    line
}

/// How a run ended, in one line.
pub fn result(outcome: &Outcome) -> String {
    let seconds = outcome.device_time_ms / 1000.0;
    let identity = || match (&outcome.identity.seen, &outcome.identity.expected) {
        (Some(identity), _) | (None, Some(identity)) => format!("  {identity}"),
        (None, None) => String::new(),
    };
    match (outcome.result, &outcome.failure) {
        (Verdict::Rescued, _) => format!("rescued in {seconds:.1} s{}", identity()),
        (Verdict::Restored, _) => format!("restored in {seconds:.1} s"),
        (Verdict::Healthy, _) => format!("healthy{}", identity()),
        (Verdict::Planned, _) => {
            let minimum = outcome.limit_ms / 1000.0;
            format!(
                "planned: {}, planned minimum {minimum:.1} s",
                counted(outcome.limit.write_cycles, "write cycle")
            )
        }
        (Verdict::Failed, Some(failure)) => {
            let next = failure.next.first().map_or_else(String::new, |n| format!("; next: {n}"));
            format!("failed {}: {}{next}", failure.code, failure.what)
        }
        (Verdict::Failed, None) => "failed".to_owned(),
    }
}

/// The last line of a port, where a notice is its end.
pub fn result_line(notice: &Notice) -> Option<(PortPath, String)> {
    let port = port(notice)?.clone();
    let text = match &notice.what {
        NoticeContent::Run(Event::Outcome { outcome }) => result(outcome),
        NoticeContent::Bench(BenchEvent::LeftAlone { ids, name, healthy: true }) => {
            format!("healthy  {ids} {name}; not touched")
        }
        NoticeContent::Bench(BenchEvent::Stuck { stage, limit_s }) => {
            format!("stuck: {stage} takes longer than {limit_s} s")
        }
        _ => return None,
    };
    let line = format!("{:<8} {text}", name(notice));
    Some((port, line))
}
