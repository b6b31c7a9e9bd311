//! Bulk endpoints as the endpoint blocks in RAM arm them [INC, TA].
//!
//! The ROM arms none; a program that wants data sets an endpoint's block up and takes the
//! interrupt of its completion. An endpoint that is not armed is NAKed until the host gives up.

use super::storage::{PACKET, Storage};
use super::{Cy16, Life};
use crate::sim::cores::cy16::Bus16;
use crate::sim::device::Completion;

const ARM: u16 = 0x0001;
const ENABLE: u16 = 0x0002;
const IN: u16 = 0x0004;
const STALL: u16 = 0x0020;
/// Status: acknowledged.
const ACK: u16 = 0x0001;
/// Wire time of one full packet with its tokens.
const PACKET_NS: u64 = 60_000;

/// What a drive takes to answer (model's choice).
const DRIVE_NS: u64 = 500_000;
/// Vendor and product of ScanLogic's firmware, and the first of its revisions with whole tags
/// [Linux, unusual_devs.h].
const SL11R_IDE: [u16; 2] = [0x04ce, 0x0002];
const FIRST_WHOLE_FIRMWARE: u16 = 0x026c;
/// Class codes of bulk-only mass storage.
const MASS_STORAGE: [u8; 3] = [0x08, 0x06, 0x50];

impl Cy16 {
    /// The drive, while the chip presents itself as mass storage on that endpoint, is alive, and
    /// no program has set the endpoint up to serve it itself.
    fn drive_in_place_of_firmware(&mut self, endpoint: u8) -> Option<&mut Storage> {
        let enabled = self.board.word(self.block(endpoint)) & ENABLE != 0;
        let own_program = self.board.silicon.is_ez && enabled;
        if self.attachment.is_none() || self.life != Life::Runs || own_program {
            return None;
        }
        let configuration = self.vector(self.of_host_sie(91));
        let at = |offset| self.peek(configuration.wrapping_add(offset));
        let class = [at(14), at(15), at(16)] == MASS_STORAGE;
        let endpoints = [at(20), at(27)].contains(&endpoint);
        // idVendor, idProduct, bcdDevice of the device descriptor [USB 2.0 table 9-8].
        let device = self.vector(self.of_host_sie(90));
        let word = |offset: u16| {
            u16::from_le_bytes([8, 9].map(|byte| self.peek(device.wrapping_add(offset + byte))))
        };
        let old = [word(0), word(2)] == SL11R_IDE && word(4) < FIRST_WHOLE_FIRMWARE;
        let storage = self.storage.as_mut().filter(|_| class && endpoints)?;
        storage.is_behind_old_firmware(old);
        Some(storage)
    }

    /// The endpoint's block, SIE1 at 0200, SIE2 at 0280.
    fn block(&self, endpoint: u8) -> u16 {
        0x0200 + 0x80 * u16::from(self.host_sie() - 1) + 0x10 * u16::from(endpoint & 7)
    }

    /// Waits until the endpoint is armed in that direction.
    fn armed(&mut self, block: u16, inwards: bool, deadline: u64) -> Result<(), Completion> {
        let (before, since) = (self.attachment, self.board.now);
        loop {
            if self.attachment != before || before.is_none() {
                return Err(Completion::Gone);
            }
            let control = self.board.word(block);
            let fits = control & ENABLE != 0 && (control & IN != 0) == inwards;
            if self.board.silicon.is_ez && fits {
                if control & STALL != 0 {
                    return Err(Completion::Stall);
                }
                if control & ARM != 0 {
                    return Ok(());
                }
            }
            if self.board.now >= deadline {
                return Err(Completion::TimedOut);
            }
            // An endpoint is armed by code only; look again when some of it has run.
            self.advance_a_little(since, deadline);
        }
    }

    /// The packet is done: residue, status, and the interrupt of the endpoint.
    fn complete(&mut self, block: u16, endpoint: u8, residue: u16) {
        let control = self.board.word(block) & !ARM;
        self.board.set_word(block, control);
        self.board.set_word(block + 6, ACK);
        self.board.set_word(block + 8, residue);
        self.board.now += PACKET_NS;
        let vector = 32 + 8 * (self.host_sie() - 1) + (endpoint & 7);
        self.raise(vector);
    }

    /// Raises a hardware interrupt that a program handles; the ROM's own handlers do nothing here.
    pub(super) fn raise(&mut self, vector: u8) {
        if !self.is_stock(vector) && self.interrupts.len() < 8 {
            self.interrupts.push(vector);
        }
    }

    pub(super) fn bulk_out_transfer(
        &mut self,
        endpoint: u8,
        data: &[u8],
        deadline: u64,
    ) -> Completion {
        if let Some(storage) = self.drive_in_place_of_firmware(endpoint) {
            let taken = storage.take(data);
            self.board.now += PACKET_NS * data.len().div_ceil(PACKET) as u64;
            return taken;
        }
        let block = self.block(endpoint);
        for packet in data.chunks(PACKET) {
            if let Err(other) = self.armed(block, false, deadline) {
                return other;
            }
            let (buffer, room) = (self.board.word(block + 2), self.board.word(block + 4) & 0x3FF);
            let taken = packet.len().min(usize::from(room));
            for (byte, at) in packet.iter().take(taken).zip(0..) {
                self.board.write_byte(buffer.wrapping_add(at), *byte);
            }
            self.complete(block, endpoint, room - taken as u16);
        }
        Completion::Done(Vec::new())
    }

    pub(super) fn bulk_in_transfer(
        &mut self,
        endpoint: u8,
        length: usize,
        deadline: u64,
    ) -> Completion {
        if let Some(storage) = self.drive_in_place_of_firmware(endpoint)
            && let Some(given) = storage.give(length)
        {
            if let Completion::Done(data) = &given {
                self.board.now += DRIVE_NS + PACKET_NS * data.len().div_ceil(PACKET) as u64;
            }
            return given;
        }
        let block = self.block(endpoint);
        let mut data = Vec::new();
        while data.len() < length {
            if let Err(other) = self.armed(block, true, deadline) {
                return if data.is_empty() { other } else { Completion::Done(data) };
            }
            let (buffer, count) = (self.board.word(block + 2), self.board.word(block + 4) & 0x3FF);
            for at in 0..count {
                data.push(self.board.read_byte(buffer.wrapping_add(at)));
            }
            self.complete(block, endpoint, 0);
            if usize::from(count) < PACKET {
                break;
            }
        }
        data.truncate(length);
        Completion::Done(data)
    }
}
