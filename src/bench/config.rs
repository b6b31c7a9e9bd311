//! `bench.toml`: which port has which label, profile and relays, and where the relay boards are.
//!
//! ```toml
//! [[board]]
//! name = "left"
//! device = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"
//! kind = "lcus"
//!
//! [[port]]
//! path = "3-2.1"
//! label = "A1"
//! profile = "sony-crx100e"
//! power = { board = "left", channel = 1 }
//! contact = { board = "left", channel = 2 }
//! ```
//!
//! [`parse()`] reads text and opens nothing; [`load`] reads a file and makes sure that every
//! board's serial device is there. Every key stands in docs/using.md.

mod document;
mod parse;
mod problem;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use parse::parse;
pub use problem::{Problem, ProblemKind};

use crate::failure::{Code, Failure};
use crate::files;
use crate::serial::BoardKind;
use crate::usb::PortPath;

/// No bench is described in more.
const MAX_BYTES: u64 = 1 << 20;

/// A bench as its owner described it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BenchConfig {
    /// The relay boards, in the order of the file.
    pub boards: Vec<Board>,
    /// The ports, in the order of the file.
    pub ports: Vec<BenchPort>,
}

/// A relay board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// What the ports call it.
    pub name: String,
    /// The serial device it is reached through.
    pub device: PathBuf,
    /// What it understands.
    pub kind: BoardKind,
    /// Bits a second.
    pub baud: u32,
    /// Where its device is named: file and line.
    pub place: String,
}

/// A port of the bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchPort {
    /// Where it is.
    pub path: PortPath,
    /// What is printed on the bench beside it; the path where nothing is.
    pub label: String,
    /// The profile of what is plugged in there, unless the command says otherwise.
    pub profile: Option<String>,
    /// The relay in its VBUS line.
    pub power: Option<Channel>,
    /// The relay that shorts the pins of its boot mode; open without current.
    pub contact: Option<Channel>,
}

/// One relay of one board.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Channel {
    /// The board's name.
    pub board: String,
    /// Its number on that board, from 1.
    pub channel: u8,
    /// Which of its terminals is used.
    pub wiring: Wiring,
}

/// Which terminal of a relay a line goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wiring {
    /// NC: the line is closed while the relay has no current. VBUS goes here, so that a dead
    /// board leaves the power on.
    NormallyClosed,
    /// NO: the line is open while the relay has no current. A contact goes here.
    NormallyOpen,
}

impl BenchConfig {
    /// The port at that path.
    pub fn port(&self, path: &PortPath) -> Option<&BenchPort> {
        self.ports.iter().find(|port| port.path == *path)
    }

    /// The label of that port, its path where it has none.
    pub fn label(&self, path: &PortPath) -> String {
        self.port(path).map_or_else(|| path.to_string(), |port| port.label.clone())
    }

    /// The board of that name.
    pub fn board(&self, name: &str) -> Option<&Board> {
        self.boards.iter().find(|board| board.name == name)
    }

    /// Makes sure that every board's serial device is there; opens none.
    ///
    /// # Errors
    /// R602 with the line that names the device.
    pub fn check_devices(&self) -> Result<(), Failure> {
        match self.boards.iter().find(|board| !board.device.exists()) {
            Some(board) => Err(missing_device(board)),
            None => Ok(()),
        }
    }
}

/// A board whose serial device is not there.
pub fn missing_device(board: &Board) -> Failure {
    let what = format!(
        "the serial device {} of the relay board {:?} does not exist",
        board.device.display(),
        board.name
    );
    Failure::new(Code::R602, what, board.place.clone())
        .next("plug the relay board in; `ls -l /dev/serial/by-id` shows what is there")
        .next("correct `device` in that line; names in /dev/serial/by-id stay the same when other boards are connected")
}

/// Reads the file at `path` and makes sure that what it names is there. `known_profiles` are the
/// names of the library's.
///
/// # Errors
/// R601 with every problem of the file, R602.
pub fn load(path: &Path, known_profiles: &[&str]) -> Result<BenchConfig, Failure> {
    let place = path.display().to_string();
    let text = files::read_text(path, MAX_BYTES).map_err(|error| {
        let kind = ProblemKind::Unreadable { why: error.to_string() };
        failure(&[Problem { place: place.clone(), line: None, kind }])
    })?;
    let config = parse(&text, &place, known_profiles).map_err(|problems| failure(&problems))?;
    config.check_devices()?;
    Ok(config)
}

/// Every problem of one file as one failure: the first in full, the others as things to do.
pub fn failure(problems: &[Problem]) -> Failure {
    let Some((first, others)) = problems.split_first() else {
        return Failure::new(Code::R601, "the bench file has an error", "bench.toml");
    };
    let failure = Failure::new(Code::R601, first.kind.to_string(), first.location())
        .next(first.kind.remedy());
    others.iter().fold(failure, |failure, problem| {
        failure.next(format!("{problem}: {}", problem.kind.remedy()))
    })
}

#[cfg(test)]
mod tests;
