//! The device's side of the bulk-only transport: phases, tags, residue, halts, the thirteen cases
//! [BOT 1.0 §6.7], wrappers that are not valid, reset.
//!
//! It knows no chip and no time. What a command means to do is told by the [`Target`] behind it;
//! which endpoints the pipes are, and how long everything takes, only the chip knows.

use crate::sim::device::Completion;

/// What a command means to do with data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Nothing.
    None,
    /// Give these bytes.
    In(Vec<u8>),
    /// Take so many.
    Out(usize),
    /// It is refused before any data.
    Refused,
}

/// A command as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    tag: [u8; 4],
    /// How many bytes of data the host expects to travel.
    pub length: u32,
    /// Whether they travel to the host.
    pub inward: bool,
    /// The logical unit it is for.
    pub unit: u8,
    /// The command block.
    pub block: [u8; 16],
}

/// What carries commands out.
pub trait Target {
    /// Bytes of a full packet: after one, only a halt or an empty packet ends the data.
    const PACKET: usize;
    /// Whether it halts its pipes and holds a wrapper against §6.2.2. Firmware that does neither
    /// ends data with an empty packet, drops data that it does not want, and refuses what is no
    /// wrapper without a consequence.
    const HALTS: bool;

    /// What the command means to do.
    fn intent(&mut self, command: &Command) -> Intent;

    /// Carries the command out with the data it took; true when it passed.
    fn carry_out(&mut self, command: &Command, data: &[u8]) -> bool;

    /// The tag that its status answers with.
    fn answers_tag(&self, tag: [u8; 4]) -> [u8; 4] {
        tag
    }
}

/// Where the device stands in a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Waits for a command block wrapper.
    #[default]
    Command,
    /// Takes data; the command it is for.
    Taking { command: Command, wanted: usize, got: Vec<u8> },
    /// Takes data that nobody wants.
    Dropping { left: usize, status: Status },
    /// Gives data, then ends them where the host expects more.
    Giving { data: Vec<u8>, ends: bool, status: Status },
    /// Owes a status.
    Owing(Status),
    /// A wrapper was not valid; only a reset helps [§6.6.1].
    OutOfSync,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Status {
    command: Command,
    residue: u32,
    code: u8,
    /// The command was carried out and passed, rather than only given its data.
    carried_out: bool,
}

impl Status {
    fn new(command: Command, used: usize, code: u8) -> Self {
        let residue = command.length.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        Self { command, residue, code, carried_out: false }
    }

    /// The command status wrapper [§5.2].
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"USBS".to_vec();
        bytes.extend(self.command.tag);
        bytes.extend(self.residue.to_le_bytes());
        bytes.push(self.code);
        bytes
    }
}

/// bCSWStatus [§5.2, table 5.3].
const PASSED: u8 = 0;
const FAILED: u8 = 1;
const PHASE_ERROR: u8 = 2;

/// Both pipes and the phase.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    phase: Phase,
    halted_in: bool,
    halted_out: bool,
}

impl Transport {
    /// Whether that endpoint's pipe is halted.
    pub fn is_halted(&self, endpoint: u8) -> bool {
        if endpoint & 0x80 != 0 { self.halted_in } else { self.halted_out }
    }

    /// The host clears the halt of that endpoint's pipe.
    pub fn clear_halt(&mut self, endpoint: u8) {
        // After an invalid wrapper the pipes stay halted until the reset.
        let halted = self.phase == Phase::OutOfSync;
        if endpoint & 0x80 != 0 {
            self.halted_in = halted;
        } else {
            self.halted_out = halted;
        }
    }

    /// The host halts that endpoint's pipe.
    pub fn halt(&mut self, endpoint: u8) {
        if endpoint & 0x80 != 0 {
            self.halted_in = true;
        } else {
            self.halted_out = true;
        }
    }

    /// A configuration or an interface's setting was chosen.
    pub fn clear_halts(&mut self) {
        self.clear_halt(0x00);
        self.clear_halt(0x80);
    }

    /// Bulk-Only Mass Storage Reset: ready for a command; halts stay until cleared [§3.1].
    pub fn reset(&mut self) {
        self.phase = Phase::Command;
    }

    /// The command that passed and whose status goes out next.
    pub fn carried_out(&self) -> Option<&Command> {
        match &self.phase {
            Phase::Owing(status) if status.carried_out && !self.halted_in => Some(&status.command),
            _ => None,
        }
    }

    /// The command whose status is due failed after all, with so many bytes used.
    pub fn fail(&mut self, used: usize) {
        if let Phase::Owing(status) = &mut self.phase {
            *status = Status::new(status.command, used, FAILED);
        }
    }

    /// Bytes from the host: a wrapper, or data.
    pub fn take<T: Target>(&mut self, data: &[u8], target: &mut T) -> Completion {
        if self.halted_out {
            return Completion::Stall;
        }
        match std::mem::take(&mut self.phase) {
            Phase::Taking { command, wanted, mut got } => {
                got.extend(data);
                self.phase = if got.len() >= command.length as usize {
                    let used = wanted.min(got.len());
                    got.truncate(wanted);
                    Phase::Owing(finish(&command, &got, used, target))
                } else {
                    Phase::Taking { command, wanted, got }
                };
            }
            Phase::Dropping { left, status } => {
                self.phase = match left.saturating_sub(data.len()) {
                    0 => Phase::Owing(status),
                    left => Phase::Dropping { left, status },
                };
            }
            // A wrapper ends whatever was before.
            _ => match parse(data, T::HALTS) {
                Some(mut command) => {
                    command.tag = target.answers_tag(command.tag);
                    self.begin(command, target);
                }
                None => {
                    if T::HALTS {
                        *self = Self { phase: Phase::OutOfSync, halted_in: true, halted_out: true };
                    }
                    return Completion::Stall;
                }
            },
        }
        Completion::Done(Vec::new())
    }

    /// Holds what the host announced against what the command means to do.
    fn begin<T: Target>(&mut self, command: Command, target: &mut T) {
        let expects = command.length as usize;
        match (target.intent(&command), command.inward) {
            (Intent::Refused, _) => self.cut::<T>(Status::new(command, 0, FAILED)),
            // Cases 1, 4 and 9.
            (Intent::None, _) => self.cut::<T>(finish(&command, &[], 0, target)),
            // Cases 2, 3, 8, 10 and 13.
            (Intent::In(_) | Intent::Out(_), _) if expects == 0 => {
                self.cut::<T>(Status::new(command, 0, PHASE_ERROR));
            }
            (Intent::Out(_), true) | (Intent::In(_), false) => {
                self.cut::<T>(Status::new(command, 0, PHASE_ERROR));
            }
            (Intent::Out(wanted), false) if wanted > expects => {
                self.cut::<T>(Status::new(command, 0, PHASE_ERROR));
            }
            // Cases 5, 6 and 7.
            (Intent::In(mut data), true) => {
                let code = if data.len() > expects { PHASE_ERROR } else { PASSED };
                data.truncate(expects);
                // A short packet ends the data by itself, a full one does not.
                let ends = data.len() < expects && data.len().is_multiple_of(T::PACKET);
                let status = Status::new(command, data.len(), code);
                self.phase = Phase::Giving { data, ends, status };
            }
            // Cases 11 and 12.
            (Intent::Out(wanted), false) => {
                self.phase = Phase::Taking { command, wanted, got: Vec::new() };
            }
        }
    }

    /// Owes that status, with none of the data that the host expects: they are cut off.
    fn cut<T: Target>(&mut self, status: Status) {
        let Command { length, inward, .. } = status.command;
        self.phase = match (length, inward) {
            (1.., true) if !T::HALTS => Phase::Giving { data: Vec::new(), ends: true, status },
            (1.., false) if !T::HALTS => Phase::Dropping { left: length as usize, status },
            _ => {
                self.halted_in |= length > 0 && inward;
                self.halted_out |= length > 0 && !inward;
                Phase::Owing(status)
            }
        };
    }

    /// Bytes for the host, at most `length`, or a halt; `None` when it has nothing to say.
    pub fn give<T: Target>(&mut self, length: usize) -> Option<Completion> {
        if self.halted_in {
            return Some(Completion::Stall);
        }
        match std::mem::take(&mut self.phase) {
            Phase::Giving { data, ends: true, status } if data.is_empty() => {
                self.halted_in = T::HALTS;
                self.phase = Phase::Owing(status);
                Some(if T::HALTS { Completion::Stall } else { Completion::Done(data) })
            }
            Phase::Giving { mut data, ends, status } => {
                let rest = data.split_off(length.min(data.len()));
                self.phase = if rest.is_empty() && !ends {
                    Phase::Owing(status)
                } else {
                    Phase::Giving { data: rest, ends, status }
                };
                Some(Completion::Done(data))
            }
            Phase::Owing(status) => {
                let mut bytes = status.bytes();
                bytes.truncate(length);
                Some(Completion::Done(bytes))
            }
            other => {
                self.phase = other;
                None
            }
        }
    }
}

/// Carries the command out with its data; its status.
fn finish<T: Target>(command: &Command, data: &[u8], used: usize, target: &mut T) -> Status {
    let carried_out = target.carry_out(command, data);
    let code = if carried_out { PASSED } else { FAILED };
    Status { carried_out, ..Status::new(*command, used, code) }
}

/// The command in a wrapper; `None` where it is none [§6.2.1], or means nothing [§6.2.2].
fn parse(bytes: &[u8], is_strict: bool) -> Option<Command> {
    let whole: [u8; 31] = bytes.try_into().ok()?;
    let [b'U', b'S', b'B', b'C', t0, t1, t2, t3, rest @ ..] = whole else { return None };
    let [l0, l1, l2, l3, flags, unit, length, block @ ..] = rest;
    let means_something = unit == 0 && (1..=16).contains(&length);
    (means_something || !is_strict).then_some(Command {
        tag: [t0, t1, t2, t3],
        length: u32::from_le_bytes([l0, l1, l2, l3]),
        inward: flags & 0x80 != 0,
        unit,
        block,
    })
}
