//! Errors of chips and memories as the owner of the device should hear them.

use super::run::Run;
use crate::chip::{ChipError, MemoryError};
use crate::failure::{Code, DeviceState, Failure};
use crate::usb::TransferError;

impl Run<'_> {
    /// A chip's error as the owner of the device should hear it.
    pub fn chip_failure(&self, error: ChipError, place: &str) -> Failure {
        let port =
            self.outcome.port.as_ref().map_or(String::new(), |port| format!(", port {port}"));
        let place = format!("{place}{port}");
        let what = error.to_string();
        let again = match self.state {
            DeviceState::PartWritten | DeviceState::Written => self.tools.commands.resume(),
            _ => self.tools.commands.again(),
        };
        let failure = match error {
            ChipError::Transfer { source: TransferError::Gone, .. } => {
                let lost = match self.state {
                    DeviceState::Untouched | DeviceState::RunningFromRam => DeviceState::Disconnected,
                    written => written,
                };
                return Failure::new(Code::R110, what, place)
                    .leaving(lost)
                    .next(format!("plug the enclosure into the same port again, then run `{again}`"));
            }
            ChipError::Transfer { source: TransferError::Denied, .. } => {
                Failure::new(Code::R401, what, place).next("`recover udev-rules` prints the rule that gives permission, and the command to install it")
            }
            ChipError::Transfer { source: TransferError::Busy, .. } => {
                Failure::new(Code::R402, what, place)
                    .next("close the program that uses it, then run the same command")
            }
            ChipError::Transfer { .. } | ChipError::Loader(_) => {
                Failure::new(Code::R113, what, place).next(format!(
                    "power-cycle the enclosure in the same port, then run `{again}`"
                ))
            }
            ChipError::NotProven(_) => Failure::new(Code::R102, what, place)
                .next(format!("if you know the chip, record its replies with `{} --trace FILE` and send them to us", self.tools.commands.diagnose()))
                .next(format!("if other software has just used the device, power-cycle it and run `{again}`")),
            ChipError::NoMemory => Failure::new(Code::R103, what, place)
                .next("check the small 8-pin chip beside the bridge: its supply, its solder joints and the pull-ups on both lines. A board without this chip never had its own firmware"),
        };
        failure.leaving(self.state)
    }

    /// A memory's error as the owner of the device should hear it.
    pub fn memory_failure(&self, error: MemoryError, place: &str) -> Failure {
        let what = error.to_string();
        let remedies = error.remedies();
        let code = match error {
            MemoryError::Chip(error) => return self.chip_failure(error, place),
            MemoryError::NoAcknowledge { .. } => Code::R109,
            MemoryError::OtherWidth(_) => Code::R118,
            MemoryError::NotKept { .. } | MemoryError::NotErasable(_) => Code::R107,
            MemoryError::Unreadable(_) => Code::R115,
        };
        let mut failure = Failure::new(code, what, place);
        failure.next.extend(remedies.iter().map(|remedy| (*remedy).to_owned()));
        failure.leaving(self.state)
    }
}
