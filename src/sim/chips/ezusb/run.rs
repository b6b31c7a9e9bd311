//! How the chip passes time: instruction by instruction, and in one stride where the program waits
//! for something that only the host or the I2C bus can bring.

use super::EzUsb;
use crate::sim::cores::mcs51::{Cpu, Interrupt};
use crate::sim::device::Attachment;
use crate::sim::diagnostic::Verdict;

/// How long a program may stay off the bus before what it met is told as the reason. The longest
/// load takes 1.5 s (inferred).
const SHOWS_UP_NS: u64 = 3_000_000_000;

/// A state of the CPU that may come back.
#[derive(Default)]
pub(super) struct Watch {
    seen: Option<Box<Cpu>>,
    steps: u32,
}

impl EzUsb {
    /// Holds the 8051 in reset, or lets it start at 0000.
    pub(super) fn set_held(&mut self, held: bool) {
        let cpucs = self.board.silicon.map.cpucs;
        let before = self.board.get(cpucs);
        self.board.put(cpucs, before & !1 | u8::from(held));
        self.board.met.begin_loop();
        if held {
            self.cpu.reset();
            self.stopped = false;
        }
    }

    /// Runs for so long whatever happens meanwhile, unless the chip leaves the bus.
    pub(super) fn live(&mut self, nanoseconds: u64) {
        let before = self.attachment;
        let end = self.board.now.saturating_add(nanoseconds);
        while self.board.now < end && self.attachment == before {
            self.advance(end);
        }
    }

    /// Runs until `target`, or until something happened that the host can see.
    pub(super) fn advance(&mut self, target: u64) {
        self.board.event = false;
        while self.board.now < target && !self.board.event {
            if !self.powered {
                self.board.now = target;
            } else if let Some(at) = self.boots_until {
                self.board.now = self.board.now.max(at.min(target));
                if self.board.now >= at {
                    self.boots_until = None;
                    self.follow_pull_up();
                }
            } else if self.board.is_held() || self.stopped {
                self.board.now = target;
                self.follow_i2c();
            } else {
                // Nothing above changes while the program runs: only the host changes it.
                while self.board.now < target && !self.board.event && !self.stopped {
                    self.step(target);
                }
            }
        }
    }

    /// Told once when the chip has run for long and is not on the bus.
    pub(super) fn tell_hidden(&mut self) {
        if self.hidden_since.is_some_and(|since| self.board.now >= since + SHOWS_UP_NS) {
            self.hidden_since = None;
            self.board.tell_met();
        }
    }

    /// The program goes round and round, or leaves the host without an answer.
    pub(super) fn tell_waits(&mut self) {
        let pins: Vec<&str> = self.cpu.awaited_pins().collect();
        self.board.waits(&pins);
    }

    #[inline]
    fn step(&mut self, target: u64) {
        if std::mem::take(&mut self.board.interrupts) {
            self.cpu.raise(Interrupt::Usb);
            self.board.changed = true;
        }
        self.board.pc = self.cpu.pc();
        match self.cpu.step(&mut self.board) {
            Ok(cycles) => self.board.pass(cycles),
            Err(unassigned) => {
                self.board.note(Verdict::Failed, format!("the 8051 met {unassigned}"));
                self.stopped = true;
                return;
            }
        }
        self.follow_i2c();
        self.follow_frames();
        if self.board.event {
            self.follow_pull_up();
        }
        if std::mem::take(&mut self.board.changed) {
            self.watch = Watch::default();
            self.board.met.begin_loop();
            if let Some(fast_serial) = self.board.fast_serial.take() {
                self.cpu.set_fast_serial(fast_serial);
            }
        } else if self.comes_back() {
            let next = [self.board.i2c.next(), self.board.next_frame()];
            let next = next.into_iter().flatten().fold(target, u64::min);
            if self.attachment.is_none() && next == target {
                self.tell_waits();
            }
            self.board.now = self.board.now.max(next);
        }
    }

    /// Whether the CPU is where it was, with nothing changed around it since: it will be there
    /// again and again. States to compare with are kept after 1, 2, 4, 8.. instructions.
    #[inline]
    fn comes_back(&mut self) -> bool {
        if let Some(seen) = &self.watch.seen
            && seen.pc() == self.cpu.pc()
            && **seen == self.cpu
        {
            return true;
        }
        self.watch.steps = self.watch.steps.saturating_add(1);
        if self.watch.steps.is_power_of_two() {
            self.watch.seen = Some(Box::new(self.cpu.clone()));
            self.board.met.begin_loop();
        }
        false
    }

    #[inline]
    fn follow_i2c(&mut self) {
        if self.board.i2c.next().is_some_and(|at| self.board.now >= at) {
            self.board.changed = true;
            if self.board.i2c.advance_to(self.board.now) {
                self.cpu.raise(Interrupt::I2c);
            }
        }
    }

    /// A frame began, and the program wants to know.
    #[inline]
    fn follow_frames(&mut self) {
        if self.board.next_frame().is_some_and(|at| self.board.now >= at) {
            self.board.begin_frame();
        }
    }

    /// Detaches or attaches as the pull-up says.
    fn follow_pull_up(&mut self) {
        match (self.board.pulls_up(), self.attachment) {
            (true, None) => {
                self.generation += 1;
                let (since, generation) = (self.board.now, self.generation);
                self.attachment = Some(Attachment { since, generation });
                self.fresh = true;
                self.board.frame_at = None;
                self.hidden_since = None;
                self.board.event = true;
            }
            (false, Some(_)) => {
                self.attachment = None;
                self.board.frame_at = None;
                self.hidden_since = Some(self.board.now);
                self.board.event = true;
            }
            _ => {}
        }
    }
}
