//! What a command means: the chip's own two vendor commands, and everything else for the drive.

use super::At2lp;
use super::eeprom::Writing;
use super::start::{BLOCK_BYTES, Personality};
use crate::sim::diagnostic::Verdict;
use crate::sim::drives::transport::{Command, Intent, Target};
use crate::sim::drives::{Answer, AtaAnswer, Sense, TaskFile};

/// Second byte of the chip's vendor commands.
const CFG_BLOCK: u8 = 0x26;
const ATA_BLOCK: u8 = 0x24;
/// Third byte of ATACB: the registers are wanted, no command is carried out.
const READ_REGISTERS: u8 = 0x01;
/// ATA status and error: ready and seeked; the same with an error; aborted.
const READY: u8 = 0x50;
const ERROR: u8 = 0x51;
const ABORTED: u8 = 0x04;

/// The commands that a drive's data comes from. What of them carries no data is carried out when
/// the status is due.
fn brings_data(operation: u8) -> bool {
    matches!(operation, 0x03 | 0x12 | 0x1a | 0x25 | 0x28 | 0x43 | 0x46 | 0x4a | 0x5a)
}

impl At2lp {
    fn is_vendor(&self, block: &[u8; 16], second: u8) -> bool {
        let [_, _, _, _, signature, ..] = self.internal_bytes();
        block.starts_with(&[signature, second])
    }

    pub(super) fn is_eeprom_write(&self, block: &[u8; 16]) -> bool {
        self.is_vendor(block, CFG_BLOCK)
    }

    /// What the command means to do; an error where it is refused before any data.
    fn meaning(&mut self, block: &[u8; 16], inward: bool, expects: usize) -> Result<Intent, ()> {
        if self.is_vendor(block, CFG_BLOCK) {
            return self.cfg_intent(block, inward, expects);
        }
        if self.personality == Personality::Manufacturing {
            // What the drive would say in this mode is unknown; nothing but vendor commands is
            // answered by it here.
            return Err(());
        }
        if self.is_vendor(block, ATA_BLOCK) {
            return self.ata_intent(block);
        }
        let Some(drive) = &mut self.drive else {
            // Inferred: a bridge without a drive still says why it refuses.
            return match block.first() {
                Some(0x03) => Ok(Intent::In(Sense::NO_DRIVE.data())),
                _ => Err(()),
            };
        };
        let takes = drive.takes(block);
        if takes > 0 {
            return Ok(Intent::Out(takes));
        }
        let [operation, ..] = *block;
        if !brings_data(operation) {
            return Ok(Intent::None);
        }
        match drive.carry_out(block, &[]) {
            Answer::Done(data) => Ok(Intent::In(data)),
            Answer::Refused(_) => Err(()),
        }
    }

    /// ATACB: a command by its registers, or the registers as the last one left them, in the order
    /// in which Linux's ums-cypress reads them.
    fn ata_intent(&mut self, block: &[u8; 16]) -> Result<Intent, ()> {
        let [_, _, action, _, _, _, features, count, low, mid, high, device, command, ..] = *block;
        if action & READ_REGISTERS != 0 {
            return Ok(Intent::In(self.registers.to_vec()));
        }
        let drive = self.drive.as_mut().ok_or(())?;
        let lba = [low, mid, high];
        let task = TaskFile { features, count, lba, device, command };
        let answer = drive.ata(&task);
        let (status, error, [low, mid, high]) = match &answer {
            AtaAnswer::In(_) => (READY, 0, lba),
            AtaAnswer::Done(lba) => (READY, 0, *lba),
            AtaAnswer::Aborted => (ERROR, ABORTED, lba),
        };
        self.registers = [status, error, count, low, mid, high, device, status];
        match answer {
            AtaAnswer::In(data) => Ok(Intent::In(data)),
            AtaAnswer::Done(_) => Ok(Intent::None),
            AtaAnswer::Aborted => Err(()),
        }
    }

    /// CfgCB. Which way it goes and how far only the wrapper tells.
    fn cfg_intent(&mut self, block: &[u8; 16], inward: bool, expects: usize) -> Result<Intent, ()> {
        let [_, _, _, source, low, high, ..] = *block;
        if source != 2 || expects > BLOCK_BYTES {
            return Err(());
        }
        if (low, high) != (0, 0) {
            let text = "CfgCB with a start address, which nobody has seen work".to_owned();
            self.diagnostics.note(self.now, Verdict::Unknown, text);
            return Err(());
        }
        if inward {
            return self.read_eeprom(0, expects).map(Intent::In).ok_or(());
        }
        Ok(Intent::Out(expects))
    }
}

impl Target for At2lp {
    /// Of a high-speed bulk endpoint.
    const PACKET: usize = 512;
    const HALTS: bool = true;

    fn intent(&mut self, command: &Command) -> Intent {
        let meaning = self.meaning(&command.block, command.inward, command.length as usize);
        meaning.unwrap_or(Intent::Refused)
    }

    fn carry_out(&mut self, command: &Command, data: &[u8]) -> bool {
        let block = &command.block;
        if self.is_eeprom_write(block) {
            self.writing = Some(Writing::of(data.to_vec(), 0));
            return true;
        }
        if self.is_vendor(block, ATA_BLOCK) {
            // It was carried out when its registers came.
            return true;
        }
        match &mut self.drive {
            Some(drive) => matches!(drive.carry_out(block, data), Answer::Done(_)),
            None => false,
        }
    }
}
