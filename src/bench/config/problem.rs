//! What can be wrong with `bench.toml`: which line, what, and what to do about it.

use crate::toml_source::Misshapen;
use crate::usb::sighting::BadPortPath;

/// One thing wrong with it.
pub type Problem = crate::toml_source::Problem<ProblemKind>;

/// What is wrong. Each has its remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each field is named in the message above it")]
pub enum ProblemKind {
    /// The operating system refuses.
    #[error("it cannot be read: {why}")]
    Unreadable { why: String },
    /// Not what it should be by its form.
    #[error(transparent)]
    Misshapen(#[from] Misshapen),
    /// A port that is none.
    #[error(transparent)]
    BadPort(#[from] BadPortPath),
    /// A port named twice.
    #[error("the port {port} is already named in line {other}")]
    DuplicatePort { port: String, other: usize },
    /// A label that cannot be shown.
    #[error("{label:?} cannot be a label")]
    BadLabel { label: String },
    /// Two ports of one label.
    #[error("the label {label:?} is already used in line {other}")]
    DuplicateLabel { label: String, other: usize },
    /// A profile that is not there.
    #[error("there is no profile named {name:?}")]
    UnknownProfile { name: String },
    /// A board's name that is empty or has characters of other meanings.
    #[error("{name:?} cannot be a board's name")]
    BadBoardName { name: String },
    /// Two boards of one name.
    #[error("a board named {name:?} already exists in line {other}")]
    DuplicateBoard { name: String, other: usize },
    /// Two boards on one line.
    #[error("{device} already belongs to another board, in line {other}")]
    DuplicateDevice { device: String, other: usize },
    /// A device that is no path.
    #[error("a board needs the path of its serial device")]
    NoDevice,
    /// A speed of nothing.
    #[error("a speed of 0 baud is not possible")]
    NoBaud,
    /// A board that is not described.
    #[error("no board is named {name:?}")]
    UnknownBoard { name: String, known: Vec<String> },
    /// A relay that the board does not have.
    #[error("a board of the kind {kind:?} has no channel {channel}")]
    NoSuchChannel { kind: &'static str, channel: u8, maximum: u8 },
    /// One relay for two things.
    #[error("channel {channel} of board {board:?} is already used in line {other}")]
    DuplicateChannel { board: String, channel: u8, other: usize },
    /// A contact that would be closed without current.
    #[error(
        "a contact must be wired normally-open, so that it is open when its board has no power"
    )]
    ContactNormallyClosed,
}

impl ProblemKind {
    /// What to do about it: an action, without its full stop.
    pub fn remedy(&self) -> String {
        const KEYS: &str = "docs/using.md has the keys of bench.toml";
        match self {
            Self::Unreadable { .. } => "name a text file that you may read".to_owned(),
            Self::Misshapen(misshapen) => misshapen.remedy(KEYS),
            Self::BadPort(_) => {
                "write the port as `recover list --all` shows it, in quotes".to_owned()
            }
            Self::DuplicatePort { .. } => "keep one of the two".to_owned(),
            Self::BadLabel { .. } => {
                "use 1 to 24 characters, as printed on the bench, without line breaks".to_owned()
            }
            Self::DuplicateLabel { .. } => "give each port a label of its own".to_owned(),
            Self::UnknownProfile { .. } => {
                "`recover profile list` shows them; leave `profile` out to choose automatically"
                    .to_owned()
            }
            Self::BadBoardName { .. } => {
                "use small letters, digits and hyphens, as in \"left\"".to_owned()
            }
            Self::DuplicateBoard { .. } => "give each board a name of its own".to_owned(),
            Self::DuplicateDevice { .. } => {
                "name each serial device once; several ports may use channels of one board".into()
            }
            Self::NoDevice => {
                "write it like \"/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0\"".to_owned()
            }
            Self::NoBaud => "write the board's speed, or leave `baud` out".to_owned(),
            Self::UnknownBoard { known, .. } if known.is_empty() => {
                "describe the board in a [[board]] table".to_owned()
            }
            Self::UnknownBoard { known, .. } => {
                format!("use one of: {}; or add a [[board]] table", known.join(", "))
            }
            Self::NoSuchChannel { maximum: 1, .. } => "it has one relay, channel 1".to_owned(),
            Self::NoSuchChannel { maximum, .. } => format!("its channels are 1 to {maximum}"),
            Self::DuplicateChannel { .. } => {
                "use another channel; one relay serves one purpose of one port".to_owned()
            }
            Self::ContactNormallyClosed => {
                "wire it to the relay's NO terminal and leave `wiring` out".to_owned()
            }
        }
    }
}
