//! How the chip passes time: instruction by instruction where a program runs, in one stride where
//! nothing but the idle loop does.

use super::rom::{BOOT, BYTE_DONE, CALLBACK_DONE, REQUEST_DONE, SCAN_STEP, SERVICE};
use super::{Cy16, Life};
use crate::sim::cores::cy16::Stop;
use crate::sim::device::Attachment;
use crate::sim::diagnostic::Verdict;

/// Nanoseconds of `clocks` at 48 MHz.
fn clocks_ns(clocks: u64) -> u64 {
    clocks * 125 / 6
}

/// Instructions a program may take before it must have passed the idle loop: some three seconds
/// of the chip's time. Delay loops count as one.
const BUDGET: u64 = 30_000_000;
/// One pass of `dec rn ; jnz` takes 148 ns, captured: a Cypress figure of 6751 passes in 1 ms.
const DELAY_PASS_NS: u64 = 148;
/// `jnz` back over the one word before it.
const JNZ_BACK: u16 = 0xC17E;
/// `subi rn,1`, less the register number.
const DECREMENT: u16 = 0xDA00;
/// What a ROM service costs besides what it waits for (model's choice).
const SERVICE_NS: u64 = 2_000;
/// One pass of the ROM's idle chain (model's choice).
pub(super) const IDLE_PASS_NS: u64 = 25_000;

impl Cy16 {
    /// Runs until `target`, or until something happened that the host can see.
    pub(super) fn advance(&mut self, target: u64) {
        self.event = false;
        self.target = target;
        while self.board.now < target && !self.event {
            if self.life == Life::Off {
                self.board.now = target;
                return;
            }
            let bites = self.board.watchdog;
            if bites.is_some_and(|at| self.board.now >= at) {
                self.watchdog_reset();
                continue;
            }
            if self.life != Life::Runs {
                self.board.now = bites.map_or(target, |at| at.min(target));
                continue;
            }
            if let Some(&vector) = self.interrupts.first()
                && self.cpu.interrupt(&mut self.board, vector)
            {
                self.interrupts.remove(0);
            }
            self.step();
        }
    }

    /// Runs on while something is waited for that raises no event: 20 us at first, later an eighth
    /// of the wait so far, so that a long wait is not a long computation.
    pub(super) fn advance_a_little(&mut self, since: u64, deadline: u64) {
        let pause = (self.board.now.saturating_sub(since) / 8).max(20_000);
        self.advance(deadline.min(self.board.now.saturating_add(pause)));
    }

    fn step(&mut self) {
        let pc = self.cpu.pc();
        self.instructions += 1;
        match self.cpu.step(&mut self.board) {
            Ok(clocks) => {
                self.board.now += clocks_ns(u64::from(clocks));
                if self.cpu.pc().wrapping_add(2) == pc {
                    self.shorten_delay(pc);
                }
            }
            Err(stop) => self.trap(stop),
        }
        if self.board.pull_ups_changed {
            self.board.pull_ups_changed = false;
            self.follow_pull_ups();
        }
        if self.board.halt.is_some() {
            self.come_to_a_stop();
        }
        if self.instructions > BUDGET && self.life == Life::Runs {
            self.life = Life::RanAway;
            let at = self.cpu.pc();
            let text = format!(
                "the program did not come back to the idle loop within {BUDGET} instructions, \
                 it is at {at:04x}"
            );
            self.board.note(Verdict::Failed, text);
        }
    }

    /// A `dec rn ; jnz` that jumped back, its `jnz` at `pc`: the passes left are counted, not
    /// executed.
    fn shorten_delay(&mut self, pc: u16) {
        let start = pc.wrapping_sub(2);
        if !self.board.is_ram(pc) || self.board.word(pc) != JNZ_BACK {
            return;
        }
        let counting = self.board.word(start);
        if counting & 0xFFF8 != DECREMENT && counting & 0xFFF8 != DECREMENT | 8 {
            return;
        }
        let number = (counting & 0xF) as u8;
        let left = self.register(number);
        // One pass is left for the CPU, which sets the flags as they are to be. A watchdog may
        // bite meanwhile, and the run may end: only whole passes until then.
        let until = self.board.watchdog.map_or(self.target, |at| at.min(self.target));
        let room = until.saturating_sub(self.board.now) / DELAY_PASS_NS;
        let passes = u64::from(left).saturating_sub(1).min(room);
        self.board.now += passes * DELAY_PASS_NS;
        self.set_register(number, left.wrapping_sub(passes as u16));
    }

    fn trap(&mut self, stop: Stop) {
        if !self.board.is_rom(stop.pc) {
            let text = format!("{} (the program stopped there)", stop);
            self.board.stop(Verdict::Failed, text);
            return;
        }
        self.board.now += SERVICE_NS;
        // An entry is followed by its RET; services that call code move away from it.
        self.cpu.set_pc(stop.pc.wrapping_add(2));
        match stop.opcode {
            BOOT => self.boot(),
            SCAN_STEP => self.scan_step(),
            BYTE_DONE => self.callback_byte(),
            REQUEST_DONE => self.request_handled(),
            CALLBACK_DONE => self.callback_done(),
            trap if trap & 0xFF80 == SERVICE => self.service((trap & 0x7F) as u8),
            _ => {
                let text =
                    format!("the program went to {:04x} in the ROM, which is not known", stop.pc);
                self.board.stop(Verdict::Unknown, text);
            }
        }
    }

    fn come_to_a_stop(&mut self) {
        if let Some((verdict, text)) = self.board.halt.take() {
            self.board.note(verdict, text);
            self.life = Life::Stopped;
            self.event = true;
        }
    }

    /// Nothing is left to do but the idle loop itself: on to the end of the run.
    pub(super) fn skip_idle(&mut self) {
        let until = self.board.watchdog.map_or(self.target, |at| at.min(self.target));
        self.board.now = self.board.now.max(until);
    }

    pub(super) fn set_attached(&mut self, attached: bool) {
        match (attached, self.attachment) {
            (true, None) => {
                self.generation += 1;
                let (since, generation) = (self.board.now, self.generation);
                self.attachment = Some(Attachment { since, generation });
                self.event = true;
            }
            (false, Some(_)) => {
                self.attachment = None;
                self.requests.forget();
                self.event = true;
            }
            _ => {}
        }
    }
}
