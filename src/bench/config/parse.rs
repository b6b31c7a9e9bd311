//! `bench.toml` to [`BenchConfig`]: first serde reads keys and kinds and stops at the first error,
//! then the values are checked, and everything wrong with them is said at once.

use std::path::PathBuf;

use toml::Spanned;

use super::document::{BoardTable, ChannelTable, Document, PortTable};
use super::{BenchConfig, BenchPort, Board, Channel, Problem, ProblemKind, Wiring};
use crate::toml_source::TomlSource;
use crate::usb::PortPath;

/// The longest label: a column of the screen.
const MAX_LABEL: usize = 24;

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
    let written = TomlSource::new(text, place);
    let document: Document = written.document()?;
    let mut checks = Checks { written, known_profiles, used: Vec::new() };
    let mut config = BenchConfig::default();
    for table in document.board {
        checks.board(table, &mut config.boards);
    }
    for table in document.port {
        checks.port(table, &mut config);
    }
    checks.written.finish(Some(config))
}

struct Checks<'t> {
    written: TomlSource<'t, ProblemKind>,
    known_profiles: &'t [&'t str],
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
    /// Takes note that something is named at `offset`; the line where it was named before.
    fn once(&mut self, what: Once, offset: usize) -> Option<usize> {
        let line = self.written.line(offset);
        let before = self.used.iter().find(|(used, _)| *used == what).map(|(_, line)| *line);
        self.used.push((what, line));
        before
    }

    fn board(&mut self, table: BoardTable, boards: &mut Vec<Board>) {
        let (offset, name) = (table.name.span().start, table.name.into_inner());
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            self.written.note(offset, ProblemKind::BadBoardName { name: name.clone() });
        } else if let Some(other) = self.once(Once::Board(name.clone()), offset) {
            self.written.note(offset, ProblemKind::DuplicateBoard { name: name.clone(), other });
        }
        let (offset, device) = (table.device.span().start, table.device.into_inner());
        let place = self.written.location(offset);
        if device.trim().is_empty() {
            self.written.note(offset, ProblemKind::NoDevice);
        } else if let Some(other) = self.once(Once::Device(device.clone().into()), offset) {
            self.written
                .note(offset, ProblemKind::DuplicateDevice { device: device.clone(), other });
        }
        let baud = table.baud.map_or(table.kind.baud(), |baud| {
            if *baud.get_ref() == 0 {
                self.written.note(baud.span().start, ProblemKind::NoBaud);
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
                self.written.note(offset, ProblemKind::ContactNormallyClosed);
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
                    self.written.note(offset, ProblemKind::DuplicatePort { port, other });
                }
                Some(path)
            }
            Err(bad) => {
                self.written.note(offset, ProblemKind::BadPort(bad));
                None
            }
        }
    }

    fn label(&mut self, written: Spanned<String>) -> String {
        let (offset, label) = (written.span().start, written.into_inner());
        let length = label.chars().count();
        if label.trim().is_empty() || length > MAX_LABEL || label.chars().any(char::is_control) {
            self.written.note(offset, ProblemKind::BadLabel { label: label.clone() });
        } else if let Some(other) = self.once(Once::Label(label.clone()), offset) {
            self.written.note(offset, ProblemKind::DuplicateLabel { label: label.clone(), other });
        }
        label
    }

    fn profile(&mut self, written: Spanned<String>) -> String {
        let (offset, name) = (written.span().start, written.into_inner());
        if !self.known_profiles.contains(&name.as_str()) {
            self.written.note(offset, ProblemKind::UnknownProfile { name: name.clone() });
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
            self.written.note(offset, ProblemKind::UnknownBoard { name: board, known });
            return None;
        };
        let (kind, maximum) = (described.kind.name(), described.kind.max_channels());
        if channel == 0 || channel > maximum {
            self.written.note(offset, ProblemKind::NoSuchChannel { kind, channel, maximum });
        } else if let Some(other) = self.once(Once::Channel(board.clone(), channel), offset) {
            let board = board.clone();
            self.written.note(offset, ProblemKind::DuplicateChannel { board, channel, other });
        }
        Some((offset, Channel { board, channel, wiring: wiring.unwrap_or(usual) }))
    }
}
