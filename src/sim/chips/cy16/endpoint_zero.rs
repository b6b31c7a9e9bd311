//! Control transfers: standard requests from the descriptors the vectors point to, and the
//! loader's request FF [BM 1.7.5].
//!
//! Standard requests are answered at interrupt level whatever the main loop does. The loader's are
//! left to usb_idle: while a program blocks the main loop they are NAKed, so the host's transfer
//! times out and is never refused.

use super::scanning::{Scan, Source, Then};
use super::{Cy16, Life};
use crate::sim::device::Completion;
use crate::usb::Setup;

/// The loader's bRequest.
const LOADER: u8 = 0xFF;
/// wValue of the loader's read.
const READ: u16 = 0x0007;
/// Token, data packet and handshake at full speed without the data, with the gaps between.
const PACKET_NS: u64 = 12_000;
/// One byte at 12 Mbit/s.
const BYTE_NS: u64 = 667;
/// The ROM's interrupt routine, once a packet (model's choice).
const FIRMWARE_NS: u64 = 30_000;
/// The ROM's STALL service, which programs of host tools are known to take the vector of.
const STALL_SERVICE: u8 = 82;

/// What the host asked of the main loop.
#[derive(Clone, Debug)]
enum Job {
    Read { address: u16, length: u16 },
    Scan(Vec<u8>),
}

/// The requests between the interrupt level and usb_idle.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    serial: u64,
    waiting: Option<(u64, Job)>,
    finished: Option<(u64, Vec<u8>)>,
    /// bConfigurationValue.
    configuration: u8,
}

impl Requests {
    /// Nothing is asked any more; a scan that still runs finishes for nobody.
    pub(super) fn forget(&mut self) {
        *self = Self { serial: self.serial, ..Self::default() };
    }

    pub(super) fn finish(&mut self, serial: u64, data: Vec<u8>) {
        self.finished = Some((serial, data));
    }
}

impl Cy16 {
    pub(super) fn control_transfer(
        &mut self,
        setup: &Setup,
        data: &[u8],
        deadline: u64,
    ) -> Completion {
        let (before, since) = (self.attachment, self.board.now);
        if before.is_none() {
            return Completion::Gone;
        }
        self.board.now += PACKET_NS + FIRMWARE_NS + 8 * BYTE_NS;
        if !matches!(self.life, Life::Runs | Life::RanAway) {
            return self.wait_in_vain(deadline);
        }
        // The ROM answers at interrupt level, so not while a program has interrupts off.
        while !self.cpu.accepts_interrupts() {
            if self.board.now >= deadline {
                return Completion::TimedOut;
            }
            self.advance_a_little(since, deadline);
            if self.attachment != before {
                return Completion::Gone;
            }
        }
        let own = self.handler_of(setup);
        let completion = match (setup.request_type & 0x60, own) {
            (_, Some(code)) => self.handle_request(code, setup, data, deadline),
            (0x00, None) => self.standard(setup).map_or(Completion::Stall, Completion::Done),
            (0x40, None) if setup.request == LOADER => self.loader(setup, data, deadline),
            _ => Completion::Stall,
        };
        let stall = self.of_host_sie(STALL_SERVICE);
        let completion =
            if completion == Completion::Stall && own.is_none() && !self.is_stock(stall) {
                // The ROM refuses through its own vector (model's choice): a loader that sits on it is
                // run by any refused request.
                self.handle_request(self.vector(stall), setup, data, deadline)
            } else {
                completion
            };
        match completion {
            Completion::Done(mut answer) => {
                answer.truncate(usize::from(setup.length));
                self.charge_data(answer.len().max(data.len()));
                Completion::Done(answer)
            }
            other => other,
        }
    }

    /// The CPU does nothing: the transfer ends when the host gives up.
    pub(super) fn wait_in_vain(&mut self, deadline: u64) -> Completion {
        let before = self.attachment;
        while self.board.now < deadline {
            self.advance(deadline);
            if self.attachment != before {
                return Completion::Gone;
            }
        }
        Completion::TimedOut
    }

    /// Data and status stage.
    fn charge_data(&mut self, bytes: usize) {
        let packet = usize::from(self.max_packet());
        let packets = bytes.div_ceil(packet) as u64 + 1;
        self.board.now += packets * (PACKET_NS + FIRMWARE_NS) + bytes as u64 * BYTE_NS;
    }

    /// bMaxPacketSize0 as the current device descriptor says; 8 when that is none of USB's.
    fn max_packet(&self) -> u8 {
        match self.peek(self.descriptors(90).wrapping_add(7)) {
            size @ (8 | 16 | 32 | 64) => size,
            _ => 8,
        }
    }

    /// A vector number of SIE1, or its counterpart of SIE2.
    pub(super) fn of_host_sie(&self, number: u8) -> u8 {
        if self.host_sie() == 2 { number + 16 } else { number }
    }

    fn descriptors(&self, number: u8) -> u16 {
        self.vector(self.of_host_sie(number))
    }

    /// DELTA_CONFIG_INT, where a program has taken it over; from usb_idle (model's choice).
    pub(super) fn report_configuration(&mut self) {
        let number = self.of_host_sie(95);
        if !self.is_stock(number) && self.callbacks.len() < 4 {
            self.callbacks.push(self.vector(number));
        }
    }

    /// USB_STANDARD_INT; `None` is a STALL.
    pub(super) fn standard(&mut self, setup: &Setup) -> Option<Vec<u8>> {
        let inwards = setup.request_type & 0x80 != 0;
        match (setup.request, inwards) {
            (0, true) => Some(vec![0, 0]),
            (1 | 3 | 5, false) => Some(Vec::new()),
            (6, true) => self.descriptor(setup.value, setup.length),
            (8, true) => Some(vec![self.requests.configuration]),
            // Configuration 1 only, one interface [BM 1.7.5].
            (9, false) if setup.value <= 1 => {
                self.requests.configuration = setup.value as u8;
                self.report_configuration();
                Some(Vec::new())
            }
            (10, true) => Some(vec![0]),
            (11, false) if setup.value == 0 => Some(Vec::new()),
            _ => None,
        }
    }

    fn descriptor(&self, value: u16, length: u16) -> Option<Vec<u8>> {
        let [index, kind] = value.to_le_bytes();
        let (start, size) = match (kind, index) {
            (1, 0) => {
                let start = self.descriptors(90);
                (start, u16::from(self.peek(start)))
            }
            (2, 0) => {
                let start = self.descriptors(91);
                let total = |at| self.peek(start.wrapping_add(at));
                (start, u16::from_le_bytes([total(2), total(3)]))
            }
            (3, _) => self.string(index)?,
            _ => return None,
        };
        Some(self.peek_range(start, size.min(length)))
    }

    /// A string descriptor is found by walking over those before it; a length of zero or another
    /// kind of descriptor ends the list (model's choice).
    fn string(&self, index: u8) -> Option<(u16, u16)> {
        let mut at = self.descriptors(92);
        for _ in 0..index {
            at = at.wrapping_add(u16::from(self.string_length(at)?));
        }
        Some((at, u16::from(self.string_length(at)?)))
    }

    fn string_length(&self, at: u16) -> Option<u8> {
        let (length, kind) = (self.peek(at), self.peek(at.wrapping_add(1)));
        (length >= 2 && kind == 3).then_some(length)
    }

    fn peek_range(&self, start: u16, length: u16) -> Vec<u8> {
        (0..length).map(|at| self.peek(start.wrapping_add(at))).collect()
    }

    /// LOADER_INT.
    pub(super) fn loader(&mut self, setup: &Setup, data: &[u8], deadline: u64) -> Completion {
        let inwards = setup.request_type & 0x80 != 0;
        let job = match (inwards, setup.value) {
            (true, READ) => Job::Read { address: setup.index, length: setup.length },
            // What the ROM does with another wValue is unknown; the model refuses.
            (true, _) => return Completion::Stall,
            (false, _) => Job::Scan(data.to_vec()),
        };
        let before = self.attachment;
        let mut job = Some(job);
        let mut serial = 0;
        loop {
            if self.attachment != before {
                return Completion::Gone;
            }
            if self.requests.waiting.is_none()
                && let Some(job) = job.take()
            {
                self.requests.serial += 1;
                serial = self.requests.serial;
                let answered_first =
                    self.board.unknowns.status_before_scan && matches!(job, Job::Scan(_));
                self.requests.waiting = Some((serial, job));
                if answered_first {
                    return Completion::Done(Vec::new());
                }
            }
            if let Some((finished, data)) = self.requests.finished.take()
                && finished == serial
            {
                return Completion::Done(data);
            }
            if self.board.now >= deadline {
                // What the main loop has not taken up is forgotten with the transfer.
                if job.is_none() && self.requests.waiting.as_ref().is_some_and(|w| w.0 == serial) {
                    self.requests.waiting = None;
                }
                return Completion::TimedOut;
            }
            self.advance(deadline);
        }
    }

    /// usb_idle takes up what waits; true when the CPU has been sent to do it.
    pub(super) fn serve_request(&mut self) -> bool {
        match self.requests.waiting.take() {
            None => false,
            Some((serial, Job::Read { address, length })) => {
                let data = self.peek_range(address, length);
                self.requests.finish(serial, data);
                self.event = true;
                false
            }
            Some((serial, Job::Scan(bytes))) => {
                let source = Source::Request { bytes, next: 0 };
                self.begin_scan(Scan::new(source, Then::Idle(serial)));
                true
            }
        }
    }
}
