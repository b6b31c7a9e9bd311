//! `bench.toml` to [`BenchConfig`]: first serde reads keys and kinds and stops at the first error,
//! then the values are checked, and everything wrong with them is said at once.

use std::path::PathBuf;

use toml::Spanned;

use super::document::{BoardTable, ChannelTable, Document, PortTable};
use super::{BenchConfig, BenchPort, Board, Channel, Problem, ProblemKind, Wiring};
use crate::usb::PortPath;

/// The longest label: a column of the screen.
const MOST_LABEL: usize = 24;

/// Reads a bench. `place` names the file in problems; `known_profiles` are the names of the
/// library's profiles. Opens nothing.
///
/// # Errors
/// Every problem found, in the order of the file; one only where it is not TOML of the right
/// shape.
pub fn parse(
    text: &str,
    place: &str,
    known_profiles: &[&str],
) -> Result<BenchConfig, Vec<Problem>> {
    let mut checks = Checks { text, place, known_profiles, problems: Vec::new(), used: Vec::new() };
    let document: Document = toml::from_str(text).map_err(|error| vec![checks.shape(&error)])?;
    let mut config = BenchConfig::default();
    for table in document.board {
        checks.board(table, &mut config.boards);
    }
    for table in document.port {
        checks.port(table, &mut config);
    }
    let mut problems = checks.problems;
    if problems.is_empty() {
        return Ok(config);
    }
    problems.sort_by_key(|problem| problem.line);
    Err(problems)
}

struct Checks<'t> {
    text: &'t str,
    place: &'t str,
    known_profiles: &'t [&'t str],
    problems: Vec<Problem>,
    /// Names that may stand once only, with their lines.
    used: Vec<(Once, usize)>,
}

/// Something that may be named once.
#[derive(PartialEq)]
enum Once {
    Board(String),
    Device(PathBuf),
    Port(PortPath),
    Label(String),
    Channel(String, u8),
}

impl Checks<'_> {
    /// The line a byte of the text is in.
    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn shape(&self, error: &toml::de::Error) -> Problem {
        let message = error.message().to_owned();
        // serde's own words for `deny_unknown_fields`.
        let kind = if message.starts_with("unknown field") {
            ProblemKind::UnknownKey { message }
        } else {
            ProblemKind::BadToml { message }
        };
        let line = error.span().map(|span| self.line(span.start));
        Problem { place: self.place.to_owned(), line, kind }
    }

    fn note(&mut self, offset: usize, kind: ProblemKind) {
        let line = Some(self.line(offset));
        self.problems.push(Problem { place: self.place.to_owned(), line, kind });
    }

    /// Takes note that something is named at `offset`; the line where it was named before.
    fn once(&mut self, what: Once, offset: usize) -> Option<usize> {
        let line = self.line(offset);
        let before = self.used.iter().find(|(used, _)| *used == what).map(|(_, line)| *line);
        self.used.push((what, line));
        before
    }

    fn board(&mut self, table: BoardTable, boards: &mut Vec<Board>) {
        let (offset, name) = (table.name.span().start, table.name.into_inner());
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            self.note(offset, ProblemKind::BadBoardName { name: name.clone() });
        } else if let Some(other) = self.once(Once::Board(name.clone()), offset) {
            self.note(offset, ProblemKind::DuplicateBoard { name: name.clone(), other });
        }
        let (offset, device) = (table.device.span().start, table.device.into_inner());
        let place = format!("{}, line {}", self.place, self.line(offset));
        if device.trim().is_empty() {
            self.note(offset, ProblemKind::NoDevice);
        } else if let Some(other) = self.once(Once::Device(device.clone().into()), offset) {
            self.note(offset, ProblemKind::DuplicateDevice { device: device.clone(), other });
        }
        let baud = table.baud.map_or(table.kind.baud(), |baud| {
            if *baud.get_ref() == 0 {
                self.note(baud.span().start, ProblemKind::NoBaud);
            }
            baud.into_inner()
        });
        boards.push(Board { name, device: device.into(), kind: table.kind, baud, place });
    }

    fn port(&mut self, table: PortTable, config: &mut BenchConfig) {
        let path = self.path(&table.path);
        let label = table.label.map(|label| self.label(label));
        let profile = table.profile.map(|profile| self.profile(profile));
        let power = table.power.and_then(|channel| {
            self.channel(channel, &config.boards, Wiring::NormallyClosed).map(|(_, found)| found)
        });
        let contact = table.contact.and_then(|channel| {
            let (offset, found) = self.channel(channel, &config.boards, Wiring::NormallyOpen)?;
            if found.wiring == Wiring::NormallyClosed {
                self.note(offset, ProblemKind::ContactNormallyClosed);
            }
            Some(found)
        });
        let Some(path) = path else { return };
        let label = label.unwrap_or_else(|| path.to_string());
        config.ports.push(BenchPort { path, label, profile, power, contact });
    }

    fn path(&mut self, written: &Spanned<String>) -> Option<PortPath> {
        let offset = written.span().start;
        match written.get_ref().parse::<PortPath>() {
            Ok(path) => {
                if let Some(other) = self.once(Once::Port(path.clone()), offset) {
                    let port = path.to_string();
                    self.note(offset, ProblemKind::DuplicatePort { port, other });
                }
                Some(path)
            }
            Err(bad) => {
                self.note(offset, ProblemKind::BadPort(bad));
                None
            }
        }
    }

    fn label(&mut self, written: Spanned<String>) -> String {
        let (offset, label) = (written.span().start, written.into_inner());
        let length = label.chars().count();
        if label.trim().is_empty() || length > MOST_LABEL || label.chars().any(char::is_control) {
            self.note(offset, ProblemKind::BadLabel { label: label.clone() });
        } else if let Some(other) = self.once(Once::Label(label.clone()), offset) {
            self.note(offset, ProblemKind::DuplicateLabel { label: label.clone(), other });
        }
        label
    }

    fn profile(&mut self, written: Spanned<String>) -> String {
        let (offset, name) = (written.span().start, written.into_inner());
        if !self.known_profiles.contains(&name.as_str()) {
            self.note(offset, ProblemKind::UnknownProfile { name: name.clone() });
        }
        name
    }

    /// A relay and where it is written.
    fn channel(
        &mut self,
        written: Spanned<ChannelTable>,
        boards: &[Board],
        usual: Wiring,
    ) -> Option<(usize, Channel)> {
        let offset = written.span().start;
        let ChannelTable { board, channel, wiring } = written.into_inner();
        let Some(described) = boards.iter().find(|described| described.name == board) else {
            let known = boards.iter().map(|board| board.name.clone()).collect();
            self.note(offset, ProblemKind::UnknownBoard { name: board, known });
            return None;
        };
        let (kind, most) = (described.kind.name(), described.kind.most_channels());
        if channel == 0 || channel > most {
            self.note(offset, ProblemKind::NoSuchChannel { kind, channel, most });
        } else if let Some(other) = self.once(Once::Channel(board.clone(), channel), offset) {
            let board = board.clone();
            self.note(offset, ProblemKind::DuplicateChannel { board, channel, other });
        }
        Some((offset, Channel { board, channel, wiring: wiring.unwrap_or(usual) }))
    }
}
