//! Requests that a program has taken over: it replaced one of the ROM's vectors, so its own code
//! answers, at interrupt level, with the ROM's SEND, RECEIVE, STALL and FINISH [BM 1.7.5].
//!
//! The model runs that code on the other register bank and puts everything back when it returns.

use super::rom::{REQUEST_DONE, SERVICE};
use super::services::INTERRUPT_BANK;
use super::{Cy16, Life};
use crate::sim::cores::cy16::{Bus16, Flags};
use crate::sim::device::Completion;
use crate::sim::diagnostic::Verdict;
use crate::usb::Setup;

/// A request that a program's own code is answering.
#[derive(Clone, Debug)]
pub(super) struct Handler {
    pc: u16,
    flags: Flags,
    bank: u16,
    setup: Setup,
    data: Vec<u8>,
    answer: Option<Completion>,
    returned: bool,
}

impl Cy16 {
    /// The program's code for this request, when it has replaced the ROM's.
    pub(super) fn handler_of(&self, setup: &Setup) -> Option<u16> {
        let number = match setup.request_type & 0x60 {
            0x00 => 83,
            0x20 => 87,
            0x40 if setup.request == 0xFF => 94,
            0x40 => 85,
            _ => return None,
        };
        let interrupt = if self.host_sie() == 2 { 40 } else { 32 };
        let number = self.of_host_sie(number);
        if !self.is_stock(interrupt) {
            return Some(self.vector(interrupt));
        }
        (!self.is_stock(number)).then(|| self.vector(number))
    }

    pub(super) fn handle_request(
        &mut self,
        code: u16,
        setup: &Setup,
        data: &[u8],
        deadline: u64,
    ) -> Completion {
        let (before, since) = (self.attachment, self.board.now);
        // A routine of an earlier request that has not returned holds this one off.
        while self.handler.is_some() || !self.cpu.accepts_interrupts() {
            if self.board.now >= deadline {
                return Completion::TimedOut;
            }
            self.advance_a_little(since, deadline);
            if self.attachment != before {
                return Completion::Gone;
            }
        }
        if self.life != Life::Runs {
            return self.wait_in_vain(deadline);
        }
        self.handler = Some(Handler {
            pc: self.cpu.pc(),
            flags: self.cpu.flags(),
            bank: self.cpu.bank(),
            setup: *setup,
            data: data.to_vec(),
            answer: None,
            returned: false,
        });
        self.enter(code, setup);
        loop {
            let done = match &mut self.handler {
                Some(handler) if handler.returned => handler.answer.take(),
                Some(_) => None,
                None => return Completion::Gone,
            };
            if let Some(answer) = done {
                self.handler = None;
                return answer;
            }
            if self.board.now >= deadline {
                if self.handler.as_ref().is_some_and(|handler| handler.returned) {
                    self.handler = None;
                }
                return Completion::TimedOut;
            }
            self.advance(deadline);
            if self.attachment != before {
                self.handler = None;
                return Completion::Gone;
            }
        }
    }

    /// As the ROM's routine does: setup packet at 0300 or 0308, R8 to it, R9 to the endpoint.
    fn enter(&mut self, code: u16, setup: &Setup) {
        let second = u16::from(self.host_sie() - 1);
        let (packet, endpoint) = (0x0300 + 8 * second, 0x0200 + 0x80 * second);
        let [v0, v1] = setup.value.to_le_bytes();
        let [i0, i1] = setup.index.to_le_bytes();
        let [l0, l1] = setup.length.to_le_bytes();
        let bytes = [setup.request_type, setup.request, v0, v1, i0, i1, l0, l1];
        for (byte, at) in bytes.into_iter().zip(0..) {
            self.board.write_byte(packet + at, byte);
        }
        let stack = self.register(15);
        self.cpu.set_flags(self.cpu.flags().with(Flags::INTERRUPTS, false));
        self.cpu.set_bank(INTERRUPT_BANK);
        self.set_register(15, stack);
        self.set_register(8, packet);
        self.set_register(9, endpoint);
        self.call(code, REQUEST_DONE);
    }

    /// The routine has returned: everything as it was before.
    pub(super) fn request_handled(&mut self) {
        let Some(handler) = &mut self.handler else {
            self.board.stop(Verdict::Unknown, "a jump into the ROM's USB interrupt".to_owned());
            return;
        };
        handler.returned = true;
        let (pc, flags, bank) = (handler.pc, handler.flags, handler.bank);
        self.cpu.set_pc(pc);
        self.cpu.set_flags(flags);
        self.cpu.set_bank(bank);
        self.event = true;
    }

    fn answer(&mut self, completion: Completion) {
        if let Some(handler) = &mut self.handler {
            handler.answer.get_or_insert(completion);
            self.event = true;
        }
    }

    pub(super) fn stall(&mut self) {
        let endpoint = 0x0200 + 0x80 * u16::from(self.host_sie() - 1);
        self.set_register(9, endpoint);
        self.answer(Completion::Stall);
    }

    pub(super) fn finish(&mut self) {
        self.answer(Completion::Done(Vec::new()));
    }

    pub(super) fn standard_service(&mut self) {
        if let Some(setup) = self.handler.as_ref().map(|handler| handler.setup) {
            let completion = self.standard(&setup).map_or(Completion::Stall, Completion::Done);
            self.answer(completion);
        }
    }

    /// LOADER_INT called by a program's own dispatcher.
    pub(super) fn loader_service(&mut self) {
        let text = format!("INT {} called by a program", (SERVICE | 94) & 0x7F);
        self.board.stop(Verdict::Unknown, text);
    }

    /// The frame R8 points to: {0, address, length, callback}.
    fn frame(&mut self) -> (u16, u16, u16, u16) {
        let frame = self.register(8);
        let mut word = |at| self.board.read_word(frame.wrapping_add(at));
        (frame, word(2), word(4), word(6))
    }

    pub(super) fn send(&mut self) {
        let (frame, address, length, callback) = self.frame();
        let endpoint = self.register(1);
        if endpoint == 0 {
            let data =
                (0..length).map(|at| self.board.read_byte(address.wrapping_add(at))).collect();
            self.answer(Completion::Done(data));
            self.complete_frame(frame, address.wrapping_add(length), 0, callback);
        }
        self.arm(endpoint, address, length, 0x0007);
        self.set_register(0, 0);
    }

    pub(super) fn receive(&mut self) {
        let (frame, address, length, callback) = self.frame();
        let endpoint = self.register(1);
        if endpoint == 0 {
            let data = self.handler.as_ref().map(|h| h.data.clone()).unwrap_or_default();
            let taken = data.len().min(usize::from(length)) as u16;
            for (byte, at) in data.iter().zip(0..taken) {
                self.board.write_byte(address.wrapping_add(at), *byte);
            }
            self.answer(Completion::Done(Vec::new()));
            self.complete_frame(frame, address.wrapping_add(taken), length - taken, callback);
        }
        self.arm(endpoint, address, length, 0x0003);
        self.set_register(0, 0);
    }

    /// Another endpoint than 0: its block is armed; the frame's callback is not modelled.
    fn arm(&mut self, endpoint: u16, address: u16, length: u16, control: u16) {
        if endpoint == 0 {
            return;
        }
        let block = 0x0200 + 0x80 * u16::from(self.host_sie() - 1) + 0x10 * (endpoint & 7);
        self.board.set_word(block + 2, address);
        self.board.set_word(block + 4, length & 0x3FF);
        self.board.set_word(block, control);
        let text = format!("a transfer on endpoint {endpoint}, whose callback is not modelled");
        self.board.note(Verdict::Unknown, text);
    }

    /// Callbacks run later, from usb_idle.
    fn complete_frame(&mut self, frame: u16, address: u16, residue: u16, callback: u16) {
        self.board.write_word(frame.wrapping_add(2), address);
        self.board.write_word(frame.wrapping_add(4), residue);
        if callback != 0 && self.callbacks.len() < 4 {
            self.callbacks.push(callback);
        }
    }
}
