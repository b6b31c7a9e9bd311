//! The device's side of the bulk-only transport, with its thirteen cases [BOT 1.0 §6.7].

use super::At2lp;
use super::bridge::Intent;
use crate::sim::device::Completion;

/// Where the device stands in a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Waits for a command block wrapper.
    #[default]
    Command,
    /// Takes data; the command it is for.
    Taking { command: Command, wanted: usize, got: Vec<u8> },
    /// Gives data, then halts its pipe where the host expects more.
    Giving { data: Vec<u8>, halts: bool, status: Status },
    /// Owes a status.
    Owing(Status),
    /// A wrapper was not valid; only a reset helps [§6.6.1].
    Lost,
}

/// A command as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command {
    tag: [u8; 4],
    length: u32,
    inward: bool,
    pub(super) block: [u8; 16],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Status {
    tag: [u8; 4],
    residue: u32,
    code: u8,
    /// The EEPROM must have taken everything before this is told; length of the data.
    after_writing: Option<u32>,
}

const FAILED: u8 = 1;
const PHASE_ERROR: u8 = 2;

/// Both pipes and the phase.
#[derive(Clone, Debug, Default)]
pub(super) struct Transport {
    phase: Phase,
    halted_in: bool,
    halted_out: bool,
}

impl Transport {
    pub(super) fn is_halted(&self, endpoint: u8) -> bool {
        if endpoint & 0x80 != 0 { self.halted_in } else { self.halted_out }
    }

    pub(super) fn clear_halt(&mut self, endpoint: u8) {
        // After an invalid wrapper the pipes stay halted until the reset.
        let halted = self.phase == Phase::Lost;
        if endpoint & 0x80 != 0 {
            self.halted_in = halted;
        } else {
            self.halted_out = halted;
        }
    }

    /// Bulk-Only Mass Storage Reset: ready for a command; halts stay until cleared [§3.1].
    pub(super) fn reset(&mut self) {
        self.phase = Phase::Command;
    }

    fn owe(&mut self, command: &Command, used: usize, code: u8) {
        let residue = command.length.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        let status = Status { tag: command.tag, residue, code, after_writing: None };
        self.phase = Phase::Owing(status);
    }
}

fn parse(bytes: &[u8]) -> Option<Command> {
    let whole: [u8; 31] = bytes.try_into().ok()?;
    let [b'U', b'S', b'B', b'C', t0, t1, t2, t3, rest @ ..] = whole else { return None };
    let [l0, l1, l2, l3, flags, unit, length, block @ ..] = rest;
    let fits = unit == 0 && (1..=16).contains(&length);
    fits.then_some(Command {
        tag: [t0, t1, t2, t3],
        length: u32::from_le_bytes([l0, l1, l2, l3]),
        inward: flags & 0x80 != 0,
        block,
    })
}

impl At2lp {
    pub(super) fn take(&mut self, endpoint: u8, data: &[u8], deadline: u64) -> Completion {
        let Some([out, _]) = self.pipes() else { return Completion::TimedOut };
        if endpoint != out {
            return self.nobody(deadline);
        }
        if self.transport.halted_out {
            return Completion::Stall;
        }
        match std::mem::take(&mut self.transport.phase) {
            Phase::Taking { command, wanted, mut got } => {
                got.extend(data);
                if got.len() >= command.length as usize {
                    let used = wanted.min(got.len());
                    got.truncate(wanted);
                    self.finish(&command, &got, used);
                } else {
                    self.transport.phase = Phase::Taking { command, wanted, got };
                }
            }
            // A wrapper ends whatever was before.
            _ => match parse(data) {
                Some(command) => self.begin(command),
                None => {
                    self.transport =
                        Transport { phase: Phase::Lost, halted_in: true, halted_out: true };
                    return Completion::Stall;
                }
            },
        }
        Completion::Done(Vec::new())
    }

    /// Holds what the host announced against what the command means to do.
    fn begin(&mut self, command: Command) {
        let expects = command.length as usize;
        let intent = match self.intent(&command.block, command.inward, expects) {
            Ok(intent) => intent,
            Err(()) => {
                // Refused: the data the host expects is cut off by a halt.
                let transport = &mut self.transport;
                transport.owe(&command, 0, FAILED);
                transport.halted_in = expects > 0 && command.inward;
                transport.halted_out = expects > 0 && !command.inward;
                return;
            }
        };
        match (intent, command.inward, expects) {
            (Intent::None, ..) if expects == 0 => self.finish(&command, &[], 0),
            // Cases 2 and 3.
            (Intent::In(_) | Intent::Out(_), _, 0) => self.transport.owe(&command, 0, PHASE_ERROR),
            // Cases 4 and 9.
            (Intent::None, inward, _) => {
                self.finish(&command, &[], 0);
                self.transport.halted_in = inward;
                self.transport.halted_out = !inward;
            }
            // Cases 5, 6, 7.
            (Intent::In(mut data), true, expects) => {
                let code = if data.len() > expects { PHASE_ERROR } else { 0 };
                data.truncate(expects);
                let residue = (expects - data.len()) as u32;
                // A short packet ends the data by itself, a full one does not.
                let halts = data.len() < expects && data.len().is_multiple_of(512);
                let tag = command.tag;
                let status = Status { tag, residue, code, after_writing: None };
                self.transport.phase = Phase::Giving { data, halts, status };
            }
            // Cases 8 and 10.
            (Intent::Out(_), true, _) => {
                self.transport.owe(&command, 0, PHASE_ERROR);
                self.transport.halted_in = true;
            }
            (Intent::In(_), false, _) => {
                self.transport.owe(&command, 0, PHASE_ERROR);
                self.transport.halted_out = true;
            }
            // Case 13.
            (Intent::Out(wanted), false, expects) if wanted > expects => {
                self.transport.owe(&command, 0, PHASE_ERROR);
                self.transport.halted_out = true;
            }
            // Cases 11 and 12.
            (Intent::Out(wanted), false, _) => {
                self.transport.phase = Phase::Taking { command, wanted, got: Vec::new() };
            }
        }
    }

    /// Carries the command out with its data and owes the status.
    fn finish(&mut self, command: &Command, data: &[u8], used: usize) {
        let starts_writing = self.is_eeprom_write(&command.block);
        let passed = self.carry_out(&command.block, data);
        self.transport.owe(command, used, if passed { 0 } else { FAILED });
        if starts_writing
            && passed
            && let Phase::Owing(status) = &mut self.transport.phase
        {
            status.after_writing = Some(command.length);
        }
    }

    pub(super) fn give(&mut self, endpoint: u8, length: usize, deadline: u64) -> Completion {
        let Some([_, inward]) = self.pipes() else { return Completion::TimedOut };
        if endpoint != inward {
            return self.nobody(deadline);
        }
        if self.transport.halted_in {
            return Completion::Stall;
        }
        match std::mem::take(&mut self.transport.phase) {
            Phase::Giving { data, halts: true, status } if data.is_empty() => {
                self.transport.halted_in = true;
                self.transport.phase = Phase::Owing(status);
                Completion::Stall
            }
            Phase::Giving { mut data, halts, status } => {
                let rest = data.split_off(length.min(data.len()));
                self.transport.phase = if rest.is_empty() && !halts {
                    Phase::Owing(status)
                } else {
                    Phase::Giving { data: rest, halts, status }
                };
                Completion::Done(data)
            }
            Phase::Owing(status) => self.tell(status, length, deadline),
            other => {
                self.transport.phase = other;
                self.nobody(deadline)
            }
        }
    }

    fn tell(&mut self, mut status: Status, length: usize, deadline: u64) -> Completion {
        if let Some(announced) = status.after_writing {
            if !self.finish_writing(deadline) {
                self.advance(deadline);
                self.transport.phase = Phase::Owing(status);
                return Completion::TimedOut;
            }
            if let Some(writing) = self.writing.take()
                && writing.failed
            {
                status.code = FAILED;
                status.residue = announced.saturating_sub(writing.done() as u32);
            }
        }
        let mut bytes = b"USBS".to_vec();
        bytes.extend(status.tag);
        bytes.extend(status.residue.to_le_bytes());
        bytes.push(status.code);
        bytes.truncate(length);
        Completion::Done(bytes)
    }

    /// No endpoint there, or nothing to say: the host waits in vain.
    fn nobody(&mut self, deadline: u64) -> Completion {
        self.advance(deadline);
        Completion::TimedOut
    }
}
