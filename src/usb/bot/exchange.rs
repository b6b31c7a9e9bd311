//! The phases of one command, and what is done when one of them goes wrong.

use std::time::Duration;

use super::wrapper::{BadStatus, CSW_BYTES, CommandBlock, CommandStatus, Status};
use super::{Bot, BotError, COMMAND_TIMEOUT, Data, Done};
use crate::usb::transfer::CONTROL_TIMEOUT;
use crate::usb::{Reply, Setup, Transfer, TransferError};

/// bmRequestType and bRequest of CLEAR_FEATURE to an endpoint [USB 2.0 §9.4.1].
const CLEAR_FEATURE: (u8, u8) = (0x02, 0x01);
/// bmRequestType and bRequest of Bulk-Only Mass Storage Reset [BOT 1.0 §3.1].
const MASS_STORAGE_RESET: (u8, u8) = (0x21, 0xff);

fn during(stage: &'static str) -> impl FnOnce(TransferError) -> BotError {
    move |source| BotError::Transfer { stage, source }
}

impl Bot<'_> {
    /// Command, data, status.
    pub(super) fn run(
        &mut self,
        wrapped: &[u8],
        block: &CommandBlock,
        data: Data<'_>,
        data_timeout: Duration,
    ) -> Result<Done, BotError> {
        self.send(wrapped, COMMAND_TIMEOUT).map_err(during("command"))?;
        let (received, early) = match data {
            Data::None => (Vec::new(), None),
            Data::In(0) => (Vec::new(), None),
            Data::In(length) => self.receive_data(block, length, data_timeout)?,
            Data::Out(bytes) => {
                self.send_data(bytes, data_timeout)?;
                (Vec::new(), None)
            }
        };
        let status = match early {
            Some(status) => status,
            None => self.receive_status(block, data_timeout)?,
        };
        judge_status(block, data, received, status)
    }

    /// The data phase to the host. A device that has nothing to send may send the status in its
    /// place; it is told by signature, tag and length, and returned as such.
    fn receive_data(
        &mut self,
        block: &CommandBlock,
        length: u32,
        data_timeout: Duration,
    ) -> Result<(Vec<u8>, Option<CommandStatus>), BotError> {
        let wanted = length as usize;
        match self.receive(wanted, data_timeout) {
            Ok(reply) if reply.data.len() > wanted => Err(during("data")(TransferError::Overflow)),
            Ok(reply) if reply.data.len() == CSW_BYTES && wanted > CSW_BYTES => {
                match self.status_in(&reply.data, block) {
                    Ok(status) => Ok((Vec::new(), Some(status))),
                    Err(_) => Ok((reply.data, None)),
                }
            }
            Ok(reply) => Ok((reply.data, None)),
            Err(TransferError::Stall) => {
                self.clear_halt(self.pipes.bulk_in).map_err(during("data"))?;
                Ok((Vec::new(), None))
            }
            Err(source) => Err(during("data")(source)),
        }
    }

    fn send_data(&mut self, bytes: &[u8], data_timeout: Duration) -> Result<(), BotError> {
        if bytes.is_empty() {
            return Ok(());
        }
        match self.send(bytes, data_timeout) {
            // The residue of the status tells how much of it counts.
            Ok(()) | Err(TransferError::Short { .. }) => Ok(()),
            Err(TransferError::Stall) => {
                self.clear_halt(self.pipes.bulk_out).map_err(during("data"))
            }
            Err(source) => Err(during("data")(source)),
        }
    }

    /// The status phase. It is asked for a second time after a stall [§5.3.3, figure 2] or an
    /// empty packet, which some devices put between short data and status; never a third time.
    fn receive_status(
        &mut self,
        block: &CommandBlock,
        data_timeout: Duration,
    ) -> Result<CommandStatus, BotError> {
        let first = match self.receive(CSW_BYTES, data_timeout) {
            Err(TransferError::Stall) => {
                self.clear_halt(self.pipes.bulk_in).map_err(during("status"))?;
                None
            }
            Ok(reply) if reply.data.is_empty() => None,
            other => Some(other),
        };
        let reply = match first {
            Some(result) => result,
            None => self.receive(CSW_BYTES, data_timeout),
        }
        .map_err(during("status"))?;
        let status = self.status_in(&reply.data, block)?;
        match status.status {
            Status::PhaseError => Err(BotError::PhaseError),
            Status::Passed | Status::Failed => Ok(status),
        }
    }

    /// The status of the command in these bytes.
    fn status_in(&self, bytes: &[u8], block: &CommandBlock) -> Result<CommandStatus, BadStatus> {
        match CommandStatus::decode(bytes, block.tag, block.length) {
            Err(BadStatus::Tag { got, .. }) if self.ignores_tags => {
                CommandStatus::decode(bytes, got, block.length)
            }
            other => other,
        }
    }

    fn send(&mut self, bytes: &[u8], timeout: Duration) -> Result<(), TransferError> {
        let endpoint = self.pipes.bulk_out;
        self.link.exchange(&Transfer::BulkOut { endpoint, data: bytes.to_vec(), timeout })?;
        Ok(())
    }

    fn receive(&mut self, length: usize, timeout: Duration) -> Result<Reply, TransferError> {
        let endpoint = self.pipes.bulk_in;
        self.link.exchange(&Transfer::BulkIn { endpoint, length, timeout })
    }

    fn request(
        &mut self,
        (request_type, request): (u8, u8),
        index: u8,
    ) -> Result<(), TransferError> {
        let setup = Setup { request_type, request, value: 0, index: u16::from(index), length: 0 };
        let timeout = CONTROL_TIMEOUT;
        self.link.exchange(&Transfer::ControlOut { setup, data: Vec::new(), timeout })?;
        Ok(())
    }

    /// Ends the halt of a pipe: feature ENDPOINT_HALT, which is number 0.
    fn clear_halt(&mut self, endpoint: u8) -> Result<(), TransferError> {
        self.request(CLEAR_FEATURE, endpoint)
    }

    /// Brings device and host back to where a command may be sent [§5.3.4]: the class's reset,
    /// then both pipes.
    pub(super) fn reset_recovery(&mut self) -> Result<(), TransferError> {
        self.request(MASS_STORAGE_RESET, self.pipes.interface)?;
        self.clear_halt(self.pipes.bulk_in)?;
        self.clear_halt(self.pipes.bulk_out)
    }
}

/// Holds what came against what the status says of it.
fn judge_status(
    block: &CommandBlock,
    data: Data<'_>,
    mut received: Vec<u8>,
    status: CommandStatus,
) -> Result<Done, BotError> {
    if status.status == Status::PhaseError {
        return Err(BotError::PhaseError);
    }
    let passed = status.status == Status::Passed;
    let claimed = block.length.saturating_sub(status.residue);
    if matches!(data, Data::In(_)) {
        let vouched = claimed as usize;
        // A refused command's data, and the residue of one, is often left out altogether.
        if passed && received.len() < vouched {
            // Many bridges send less and leave the residue at zero. A short packet is as good a
            // statement, an empty one is none.
            if received.is_empty() {
                return Err(BotError::Missing { got: 0, claimed });
            }
            let residue = block.length.saturating_sub(u32::try_from(received.len()).unwrap_or(0));
            return Ok(Done { data: received, residue, passed });
        }
        // What lies beyond is padding [§6.7.2].
        received.truncate(vouched);
    }
    Ok(Done { data: received, residue: status.residue, passed })
}
