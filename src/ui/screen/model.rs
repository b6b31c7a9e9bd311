//! What the screen shows: made from the notices and the keys, and from nothing else.

use std::collections::{BTreeMap, VecDeque};

use super::key::Key;
use crate::bench::{BenchEvent, Command, Notice, NoticeContent, Tally};
use crate::executor::Event;
use crate::rescue::outcome::Verdict;
use crate::ui::bench_lines::{happened, lines, port, result};
use crate::usb::PortPath;

/// Lines kept of a port: more than any screen is high.
const MAX_LINES: usize = 200;

/// Where a port stands, as its row says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing is there.
    #[default]
    Empty,
    /// Nothing is there, and a rescue of this port is unfinished.
    InFlight,
    /// A device is there that is not written: healthy, or unknown.
    Healthy,
    /// See above.
    Unknown,
    /// A unit waits until somebody presses the start key.
    Waiting,
    /// A run is going on.
    Running,
    /// It waits for somebody's hands.
    Hands,
    /// It takes longer than it may.
    Stuck,
    /// The end of a run.
    Rescued,
    /// See above.
    Planned,
    /// See above.
    Failed,
    /// Skipped by whoever stands here.
    Skipped,
}

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::InFlight => "in flight",
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
            Self::Waiting => "waits",
            Self::Running => "running",
            Self::Hands => "HANDS",
            Self::Stuck => "STUCK",
            Self::Rescued => "rescued",
            Self::Planned => "planned",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

/// One port.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What is printed beside the port.
    pub label: String,
    /// Where it stands.
    pub state: State,
    /// What is there.
    pub enclosure: String,
    /// What is being done, or what came of it.
    pub step: String,
    /// Bytes done and in all, of the work that goes on.
    pub progress: Option<(u64, u64)>,
    /// The latest lines.
    pub lines: VecDeque<String>,
    begun_ms: Option<u64>,
    ended_ms: Option<u64>,
}

impl Row {
    /// Seconds of the run, so far or in all.
    pub fn seconds(&self, now_ms: u64) -> Option<u64> {
        let begun = self.begun_ms?;
        Some(self.ended_ms.unwrap_or(now_ms).saturating_sub(begun) / 1000)
    }

    fn say(&mut self, lines: Vec<String>) {
        self.lines.extend(lines);
        let surplus = self.lines.len().saturating_sub(MAX_LINES);
        self.lines.drain(..surplus);
    }

    fn happens(&mut self, at_ms: u64, happening: &BenchEvent) {
        match happening {
            BenchEvent::Place { profile } => self.enclosure = profile.clone().unwrap_or_default(),
            BenchEvent::InFlight { step, .. } => {
                self.state = State::InFlight;
                self.step = step.clone().unwrap_or_else(|| "not finished".to_owned());
            }
            BenchEvent::Arrived { ids, name, waits, .. } => {
                // What was said of the unit before is no news of this one.
                if self.state != State::InFlight {
                    self.lines.clear();
                }
                self.state = if *waits { State::Waiting } else { State::Running };
                self.enclosure = format!("{ids} {name}");
                self.step = if *waits { "press s to start".to_owned() } else { String::new() };
                (self.progress, self.begun_ms, self.ended_ms) = (None, None, None);
            }
            BenchEvent::LeftAlone { ids, name, healthy } => {
                self.lines.clear();
                self.state = if *healthy { State::Healthy } else { State::Unknown };
                self.enclosure = format!("{ids} {name}");
                self.step = "not touched".to_owned();
                (self.progress, self.begun_ms, self.ended_ms) = (None, None, None);
            }
            BenchEvent::Left => {
                self.state = State::Empty;
                (self.progress, self.begun_ms, self.ended_ms) = (None, None, None);
                self.enclosure.clear();
                self.step.clear();
            }
            BenchEvent::Begun => {
                self.state = State::Running;
                self.step = "proof of the chip".to_owned();
                (self.progress, self.begun_ms, self.ended_ms) = (None, Some(at_ms), None);
            }
            BenchEvent::Skipped => {
                self.state = State::Skipped;
                self.step = "press r to rescue it anyway".to_owned();
            }
            BenchEvent::GivenUp { times } => {
                self.step = format!("failed {times} times; press r to retry");
            }
            BenchEvent::Stuck { .. } => self.state = State::Stuck,
            BenchEvent::Blind { .. }
            | BenchEvent::Stopping { .. }
            | BenchEvent::Tick
            | BenchEvent::Summary { .. } => {}
        }
        self.say(happened(happening).into_iter().collect());
    }

    fn runs(&mut self, at_ms: u64, event: &Event) {
        match event {
            Event::Proven { chip, .. } => self.enclosure = chip.to_string(),
            Event::Chosen { profile: Some(profile), .. } => self.enclosure.clone_from(profile),
            Event::Progress { work, done, total } => {
                self.progress = Some((*done, *total));
                if *work == "read" {
                    self.step = "reading the memory".to_owned();
                }
            }
            Event::StepBegun { step, of, title } => {
                self.state = if self.state == State::Stuck { State::Stuck } else { State::Running };
                self.step = format!("{step}/{of} {title}");
                self.progress = None;
            }
            Event::StepDone { .. } if self.state == State::Hands => self.state = State::Running,
            Event::Asked { request, .. } => {
                self.state = State::Hands;
                self.step = request.clone();
                self.progress = None;
            }
            Event::Outcome { outcome } => {
                self.state = match outcome.result {
                    Verdict::Rescued | Verdict::Restored => State::Rescued,
                    Verdict::Healthy => State::Healthy,
                    Verdict::Planned => State::Planned,
                    Verdict::Failed => State::Failed,
                };
                self.step = match (&outcome.failure, &outcome.identity.seen) {
                    (Some(failure), _) => format!("{} {}", failure.code, failure.code.title()),
                    (None, Some(identity)) => identity.to_string(),
                    (None, None) => result(outcome),
                };
                self.progress = None;
                self.ended_ms = Some(at_ms);
            }
            _ => {}
        }
        // A failure has said more than its last line does.
        if !matches!(event, Event::Outcome { outcome } if outcome.failure.is_some()) {
            self.say(lines(&NoticeContent::Run(event.clone())));
        }
    }
}

/// What a key asks of others than the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Something of the bench.
    Bench(Command),
    /// The page about what last passed at this port.
    Report(PortPath),
}

/// What is said when runs go on after the bench was asked to end.
const AGAIN: &str = "; press q again: only writes finish first";

/// Everything the screen shows.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The ports, in their order.
    pub rows: BTreeMap<PortPath, Row>,
    /// The port whose detail is shown.
    pub selected: Option<PortPath>,
    /// Whether the detail has the whole screen.
    pub is_detail: bool,
    /// Whether units are begun by themselves.
    pub is_auto: bool,
    /// Milliseconds since the bench was started.
    pub now_ms: u64,
    /// What concerns the whole bench.
    pub message: Option<String>,
    /// Whether it was asked to end.
    pub is_ending: bool,
    /// Set when the bench has ended.
    pub summary: Option<Tally>,
}

impl Model {
    /// An empty screen.
    pub fn new(is_auto: bool) -> Self {
        Self { is_auto, ..Self::default() }
    }

    /// Takes note of what happened.
    pub fn hear(&mut self, notice: &Notice) {
        self.now_ms = self.now_ms.max(notice.at_ms);
        let Some(path) = port(notice) else {
            if let NoticeContent::Bench(happening) = &notice.what {
                self.concerns_all(happening);
            }
            return;
        };
        // A stranger on a port nobody has named is no concern of the bench.
        let is_stranger = matches!(
            notice.what,
            NoticeContent::Bench(BenchEvent::LeftAlone { healthy: false, .. })
        );
        let is_news_of_none = matches!(notice.what, NoticeContent::Bench(BenchEvent::Left));
        if (is_stranger || is_news_of_none) && !self.rows.contains_key(path) {
            return;
        }
        let row = self.rows.entry(path.clone()).or_default();
        row.label = notice.label.clone().unwrap_or_else(|| path.to_string());
        match &notice.what {
            NoticeContent::Bench(happening) => row.happens(notice.at_ms, happening),
            NoticeContent::Run(event) => row.runs(notice.at_ms, event),
        }
        self.selected.get_or_insert_with(|| path.clone());
    }

    fn concerns_all(&mut self, happening: &BenchEvent) {
        match happening {
            BenchEvent::Tick => {}
            BenchEvent::Summary { tally } => self.summary = Some(tally.clone()),
            BenchEvent::Stopping { running } => {
                let again = if *running > 0 && !self.is_ending { AGAIN } else { "" };
                self.message = happened(happening).map(|text| text + again);
                self.is_ending = true;
            }
            other => self.message = happened(other),
        }
    }

    /// Says something about the whole bench until the next key or news.
    pub fn say(&mut self, message: String) {
        self.message = Some(message);
    }

    /// How many ports are in one of those states.
    pub fn count(&self, states: &[State]) -> usize {
        self.rows.values().filter(|row| states.contains(&row.state)).count()
    }

    /// The selected port.
    pub fn row(&self) -> Option<&Row> {
        self.rows.get(self.selected.as_ref()?)
    }

    /// Does what a key asks for; what it asks of others, if anything.
    pub fn press(&mut self, key: Key, page: usize) -> Option<Wanted> {
        // It was there to be read, and hides what the keys are.
        self.message = None;
        match key {
            Key::Up => self.select(|index| index.saturating_sub(1)),
            Key::Down => self.select(|index| index.saturating_add(1)),
            Key::PageUp => self.select(|index| index.saturating_sub(page)),
            Key::PageDown => self.select(|index| index.saturating_add(page)),
            Key::First => self.select(|_| 0),
            Key::Last => self.select(|_| usize::MAX),
            Key::Detail => self.is_detail = !self.is_detail,
            Key::Back => self.is_detail = false,
            Key::Report => return self.selected.clone().map(Wanted::Report),
            Key::Start => return self.command(&[State::Waiting], Command::Start),
            Key::Retry => {
                let ended = [State::Failed, State::Skipped, State::Rescued, State::Planned];
                return self.command(&[&ended[..], &[State::Waiting]].concat(), Command::Start);
            }
            Key::Skip => {
                let states = [State::Waiting, State::Running, State::Hands, State::Stuck];
                return self.command(&states, Command::Skip);
            }
            Key::Quit => return Some(Wanted::Bench(Command::Quit)),
        }
        None
    }

    fn command(
        &mut self,
        states: &[State],
        command: impl FnOnce(PortPath) -> Command,
    ) -> Option<Wanted> {
        let fits = self.row().is_some_and(|row| states.contains(&row.state));
        let fits = fits && !self.is_ending;
        self.message = (!fits).then(|| "not possible for this port now".to_owned());
        self.selected.clone().filter(|_| fits).map(command).map(Wanted::Bench)
    }

    fn select(&mut self, to: impl FnOnce(usize) -> usize) {
        let paths: Vec<&PortPath> = self.rows.keys().collect();
        let now = paths.iter().position(|path| Some(*path) == self.selected.as_ref());
        let index = to(now.unwrap_or(0)).min(paths.len().saturating_sub(1));
        self.selected = paths.get(index).map(|path| (*path).clone());
    }
}
