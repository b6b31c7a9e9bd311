//! Errors of chips and memories as the owner of the device should hear them.

use super::run::Run;
use crate::chip::{ChipError, MemoryError};
use crate::rescue::{Code, DeviceState, Failure};
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
            _ => self.tools.commands.again.clone(),
        };
        let failure = match error {
            ChipError::Transfer { source: TransferError::Gone, .. } => {
                let lost = match self.state {
                    DeviceState::Untouched | DeviceState::RunningFromRam => DeviceState::Lost,
                    written => written,
                };
                return Failure::new(Code::R110, what, place)
                    .leaving(lost)
                    .next(format!("plug it into the same port again, then run `{again}`"));
            }
            ChipError::Transfer { source: TransferError::Denied, .. } => {
                Failure::new(Code::R401, what, place).next("`recover udev-rules` prints the rule that permits it")
            }
            ChipError::Transfer { source: TransferError::Busy, .. } => {
                Failure::new(Code::R402, what, place)
                    .next("close the program that uses it, then run the same command")
            }
            ChipError::Transfer { .. } | ChipError::Loader(_) => {
                Failure::new(Code::R113, what, place).next(format!(
                    "take its power away, plug it into the same port again, then run `{again}`"
                ))
            }
            ChipError::NotProven(_) => Failure::new(Code::R102, what, place)
                .next("nothing was written; if you know the chip, record what it answers with `recover diagnose --trace FILE` and show us")
                .next(format!("if it has just been used by other software, take its power away, plug it in again and run `{again}`")),
            ChipError::NoMemory => Failure::new(Code::R103, what, place)
                .next("look at the small 8-pin chip beside the bridge: its supply, its solder joints, pull-ups on both lines; boards without one never had firmware of their own"),
        };
        failure.leaving(self.state)
    }

    /// A memory's error as the owner of the device should hear it.
    pub fn memory_failure(&self, error: MemoryError, place: &str) -> Failure {
        let what = error.to_string();
        let failure = match error {
            MemoryError::Chip(error) => return self.chip_failure(error, place),
            MemoryError::NoAcknowledge { .. } => Failure::new(Code::R109, what, place)
                .next("check the supply and the two bus lines of the EEPROM, then run the same command")
                .next("if it stays silent, the part is dead: replace it and run the same command"),
            MemoryError::OtherWidth(_) => Failure::new(Code::R118, what, place)
                .next("read the part's marking: up to 2 KB (24C01 to 24C16) it takes one address byte and its pin 1 (A0) belongs to ground; from 4 KB (24C32) on it takes two, and pin 1 belongs to the supply")
                .next("if that is so, pin 7 (WP) has to be at ground while it is written; then run the same command"),
            MemoryError::NotKept { .. } | MemoryError::NotErasable(_) => {
                Failure::new(Code::R107, what, place)
            }
            MemoryError::Unreadable(_) => Failure::new(Code::R115, what, place)
                .next("take its power away, plug it in again and run the same command"),
        };
        failure.leaving(self.state)
    }
}
