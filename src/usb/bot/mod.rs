//! The mass-storage bulk-only transport: one command, its data and its status over two bulk pipes
//! [BOT 1.0, USB-IF 1999].
//!
//! [`Bot`] is a layer over [`Link`]; it knows no command's meaning. [`wrapper`] holds the two
//! wrappers as bytes, [`command`] the few SCSI commands that tell whether a drive answers. Chips
//! whose memory is reached by vendor commands over this transport build on it (`chip::at2lp`).
//!
//! The specification's thirteen cases [§6.7] are every way host and device can disagree about the
//! data (H what the host announced, D what the device means to do; n nothing, i in, o out):
//!
//! | case | what the host sees | what becomes of it |
//! |---|---|---|
//! | 1 Hn=Dn, 6 Hi=Di, 12 Ho=Do | everything agrees | done |
//! | 2 Hn<Di, 3 Hn<Do | status phase error, or a stalled status | reset recovery, error |
//! | 4 Hi>Dn, 5 Hi>Di | a short packet or a stall, then a residue | done, with fewer bytes |
//! | 7 Hi<Di, 8 Hi<>Do | phase error, a stall, or too much data | reset recovery, error |
//! | 9 Ho>Dn, 11 Ho>Do | a stall or all bytes taken, then a residue | done, with a residue |
//! | 10 Ho<>Di, 13 Ho<Do | phase error or a stall | reset recovery, error |

pub mod command;
mod exchange;
mod wrapper;

pub use command::{Capacity, Inquiry, Sense};
pub use wrapper::{
    BadStatus, CBW_BYTES, CSW_BYTES, CommandBlock, CommandStatus, Direction, Status,
};

use std::time::Duration;

use super::{Interface, Link, Sighting, TransferError};

/// How long a device may take to accept a command, or to clear a halt.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// The tag of the first command. It is the one Cypress's own programming tool sends with every
/// command [docs/chips/at2lp.md, captured], so that a first command is the same to the byte.
const FIRST_TAG: u32 = 0x0123_4567;

/// Transfer type of a bulk endpoint, bmAttributes bits 1..0.
const BULK: u8 = 2;

/// The two bulk pipes of an interface, as its descriptors name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipes {
    /// bInterfaceNumber.
    #[doc(alias = "bInterfaceNumber")]
    pub interface: u8,
    /// Endpoint address of the pipe to the host, bit 7 set.
    pub bulk_in: u8,
    /// Endpoint address of the pipe to the device, bit 7 clear.
    pub bulk_out: u8,
}

impl Pipes {
    /// The pipes of the first interface that speaks this transport (bInterfaceProtocol 50), with
    /// whatever class; of the first that has both pipes where none says so.
    pub fn of(seen: &Sighting) -> Option<Self> {
        let with_protocol = seen.interfaces.iter().filter(|i| i.class.protocol == 0x50);
        with_protocol.chain(&seen.interfaces).find_map(Self::of_interface)
    }

    fn of_interface(interface: &Interface) -> Option<Self> {
        let bulk = |wanted_in: bool| {
            interface
                .endpoints
                .iter()
                .find(|end| end.kind & 3 == BULK && (end.address & 0x80 != 0) == wanted_in)
                .map(|end| end.address)
        };
        Some(Self { interface: interface.number, bulk_in: bulk(true)?, bulk_out: bulk(false)? })
    }
}

/// The data of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'d> {
    /// None.
    None,
    /// At most so many bytes from the device.
    In(u32),
    /// These bytes to the device.
    Out(&'d [u8]),
}

/// A command that was carried out, or refused in an orderly way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Data from the device that the device vouches for: what it sent, less its residue.
    pub data: Vec<u8>,
    /// Bytes of the announced length that the device did not use.
    pub residue: u32,
    /// Whether the device says that the command passed. REQUEST SENSE tells why it did not.
    pub passed: bool,
}

/// Why a command came to no orderly end. The device has been reset by then where it let itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BotError {
    /// A transfer failed.
    #[error("{stage}: {source}")]
    Transfer {
        /// Which part of the command it was.
        stage: &'static str,
        /// How it failed.
        source: TransferError,
    },
    /// The status is not one of this command.
    #[error("the device answered with {0}")]
    Status(#[from] BadStatus),
    /// The device says that it and the host no longer agree.
    #[error("the device reports a phase error")]
    PhaseError,
    /// The device vouches for more data than it sent.
    #[error("the device sent {got} bytes and says it sent {claimed}")]
    Missing {
        /// Bytes received.
        got: usize,
        /// Bytes it says it sent.
        claimed: u32,
    },
    /// The command block or its data does not fit the transport.
    #[error("a command of {command} bytes with {data} bytes of data does not fit the transport")]
    DoesNotFit {
        /// Bytes of the command block.
        command: usize,
        /// Bytes of data.
        data: usize,
    },
    /// The command was refused where it must not be.
    #[error("{command} failed: {sense}")]
    Failed {
        /// Which command.
        command: &'static str,
        /// What REQUEST SENSE says.
        sense: Sense,
    },
    /// The answer to a command is too short to be one.
    #[error("{command} brought {got} bytes instead of {expected}")]
    Short {
        /// Which command.
        command: &'static str,
        /// Bytes received.
        got: usize,
        /// Bytes needed.
        expected: usize,
    },
}

impl BotError {
    /// The failed transfer behind it, where there is one.
    pub fn transfer(&self) -> Option<&TransferError> {
        match self {
            Self::Transfer { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A device spoken to by this transport. It takes commands one after the other.
pub struct Bot<'l> {
    link: &'l mut dyn Link,
    pipes: Pipes,
    unit: u8,
    tag: u32,
    ignores_tags: bool,
}

impl<'l> Bot<'l> {
    /// Logical unit 0 behind these pipes.
    pub fn new(link: &'l mut dyn Link, pipes: Pipes) -> Self {
        Self { link, pipes, unit: 0, tag: FIRST_TAG, ignores_tags: false }
    }

    /// The same for a device that is known to answer with the tag of no command: what follows a
    /// command counts as its status, whatever tag it has.
    #[must_use]
    pub fn ignoring_tags(mut self, ignores_tags: bool) -> Self {
        self.ignores_tags = ignores_tags;
        self
    }

    /// The link underneath, for requests that go beside the pipes.
    pub fn link(&mut self) -> &mut dyn Link {
        self.link
    }

    /// Sends one command and sees it through to its status.
    ///
    /// `data_timeout` is the longest wait for the data and, once more, for the status; the command
    /// itself is given [`COMMAND_TIMEOUT`].
    ///
    /// # Errors
    /// [`BotError`]; whenever device and host may disagree on where they are, a reset recovery
    /// [§5.3.4] has been tried.
    pub fn command(
        &mut self,
        command: &[u8],
        data: Data<'_>,
        data_timeout: Duration,
    ) -> Result<Done, BotError> {
        let (direction, length) = match data {
            Data::None => (Direction::Out, 0),
            Data::In(length) => (Direction::In, length as usize),
            Data::Out(bytes) => (Direction::Out, bytes.len()),
        };
        let does_not_fit = || BotError::DoesNotFit { command: command.len(), data: length };
        let tag = self.next_tag();
        let block = CommandBlock {
            tag,
            length: u32::try_from(length).map_err(|_| does_not_fit())?,
            direction,
            unit: self.unit,
            command: command.to_vec(),
        };
        let wrapped = block.encode().ok_or_else(does_not_fit)?;
        let result = self.run(&wrapped, &block, data, data_timeout);
        if let Err(error) = &result
            && error.transfer() != Some(&TransferError::Gone)
            && let Err(lost) = self.reset_recovery()
        {
            log::info!("the reset after `{error}` failed: {lost}");
        }
        result
    }

    fn next_tag(&mut self) -> u32 {
        let tag = self.tag;
        self.tag = self.tag.wrapping_add(1);
        tag
    }
}

#[cfg(test)]
mod tests;
