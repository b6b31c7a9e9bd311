//! Bulk endpoints: EP1 and the FIFOs 2, 4, 6, 8 of the FX2 kind; endpoints 1 to 7, each way, of an
//! AN2131.
//!
//! A program arms an OUT endpoint by its byte count, and for a packet in an IN endpoint's buffer
//! the byte count is the order to send [TRM1 6; TRM2 8, 15.6]. The FIFOs hold several packets; which
//! of them is in the window is the oldest for OUT, the one being filled for IN. Not modelled: the
//! slave side of the FIFOs (AUTOOUT, AUTOIN, GPIF), isochronous endpoints, data toggles. Inferred:
//! double buffering whatever the configuration says.

use std::collections::VecDeque;

use super::EzUsb;
use super::board::Board;
use super::silicon::Window;
use crate::sim::device::Completion;
use crate::usb::Speed;

/// Packets a FIFO holds.
const DEPTH: usize = 2;
/// Of EPxCS: STALL; BUSY of a single buffer; EMPTY and FULL of a FIFO.
const STALL: u8 = 0x01;
const BUSY: u8 = 0x02;
const EMPTY: u8 = 0x04;
const FULL: u8 = 0x08;
/// SKIP of EPxBCL: give an OUT packet back without handing it to the slave side.
const SKIP: u8 = 0x80;

/// What waits in an endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoint {
    /// Packets the host sent, or is to fetch; the oldest first.
    packets: VecDeque<Vec<u8>>,
    /// Buffers that may take a packet of the host.
    free: usize,
    stalls: bool,
}

impl Window {
    fn is_in(&self) -> bool {
        self.endpoint & 0x80 != 0
    }

    fn depth(&self) -> usize {
        if self.is_fifo { DEPTH } else { 1 }
    }
}

impl Board {
    fn endpoint(&mut self, place: u8) -> &mut Endpoint {
        self.endpoints.entry(place).or_default()
    }

    /// What a read of the control register gives.
    pub(super) fn endpoint_control(&self, window: &Window) -> u8 {
        let none = Endpoint::default();
        let endpoint = self.endpoints.get(&window.endpoint).unwrap_or(&none);
        let bit = |set: bool, mask: u8| if set { mask } else { 0 };
        let held = endpoint.packets.len();
        bit(endpoint.stalls, STALL)
            | if window.is_fifo {
                let packets = if window.is_in() { held } else { held.min(7) };
                let is_full = if window.is_in() {
                    held == window.depth()
                } else {
                    held > 0 && endpoint.free == 0
                };
                (packets as u8) << 4 | bit(held == 0, EMPTY) | bit(is_full, FULL)
            } else {
                bit(if window.is_in() { held > 0 } else { endpoint.free > 0 }, BUSY)
            }
    }

    pub(super) fn is_halted(&self, address: u8) -> bool {
        self.endpoints.get(&address).is_some_and(|endpoint| endpoint.stalls)
    }

    /// The host halts an endpoint of the default device, or clears the halt.
    pub(super) fn set_halt(&mut self, address: u8, halted: bool) {
        self.endpoint(address).stalls = halted;
    }

    /// A configuration or an alternate setting was chosen.
    pub(super) fn clear_halts(&mut self) {
        for endpoint in self.endpoints.values_mut() {
            endpoint.stalls = false;
        }
    }

    pub(super) fn control_endpoint(&mut self, window: &Window, value: u8) {
        self.endpoint(window.endpoint).stalls = value & STALL != 0;
        self.changed = true;
        self.event = true;
    }

    /// A write of the byte count: arms, sends, or gives a buffer back.
    pub(super) fn count_endpoint(&mut self, window: &Window, value: u8) {
        self.changed = true;
        self.event = true;
        let depth = window.depth();
        if window.is_in() {
            let high =
                if window.is_fifo { self.get(window.count.wrapping_sub(1)) & 0x07 } else { 0 };
            let count = u16::from_be_bytes([high, value]).min(window.bytes);
            let packet = self.range(window.buffer, count);
            let endpoint = self.endpoint(window.endpoint);
            if endpoint.packets.len() < depth {
                endpoint.packets.push_back(packet);
            }
        } else if window.is_fifo {
            if value & SKIP == 0 {
                return;
            }
            let endpoint = self.endpoint(window.endpoint);
            endpoint.packets.pop_front();
            endpoint.free = (endpoint.free + 1).min(depth - endpoint.packets.len());
            self.show(window);
        } else {
            let endpoint = self.endpoint(window.endpoint);
            endpoint.packets.clear();
            endpoint.free = 1;
        }
    }

    /// FIFORESET: with a number, that endpoint forgets its packets and what was armed.
    pub(super) fn reset_fifo(&mut self, value: u8) {
        for endpoint in [value & 0x0F, value & 0x0F | 0x80] {
            self.endpoints.remove(&endpoint);
        }
        self.changed = true;
    }

    /// The oldest packet of the host in its window.
    fn show(&mut self, window: &Window) {
        let packet = self.endpoint(window.endpoint).packets.front().cloned();
        let Some(packet) = packet else { return };
        self.put_all(window.buffer, &packet);
        let [high, low] = (packet.len() as u16).to_be_bytes();
        if window.is_fifo {
            self.put(window.count.wrapping_sub(1), high);
        }
        self.put(window.count, low);
    }

    fn window(&self, endpoint: u8) -> Option<&'static Window> {
        // VALID and DIR of EPxCFG.
        let is_configured = |window: &Window| {
            window
                .configuration
                .map(|register| self.get(register))
                .is_none_or(|value| value & 0x80 != 0 && (value & 0x40 != 0) == window.is_in())
        };
        let mut windows = self.silicon.map.windows.iter();
        windows.find(|window| window.endpoint == endpoint && is_configured(window))
    }

    /// The window a register belongs to, of an endpoint as it is configured.
    pub(super) fn window_of(&self, number: u8) -> Option<&'static Window> {
        self.window(number).or_else(|| self.window(number | 0x80))
    }
}

impl EzUsb {
    fn max_bytes(&self, window: &Window) -> usize {
        if window.is_fifo && self.board.silicon.speed == Speed::High { 512 } else { 64 }
    }

    /// Runs the program until `ready` of the endpoint says so.
    fn until(
        &mut self,
        window: &Window,
        deadline: u64,
        ready: impl Fn(&Endpoint) -> bool,
    ) -> Result<(), Completion> {
        let before = self.attachment;
        loop {
            if before.is_none() || self.attachment != before {
                return Err(Completion::Gone);
            }
            let endpoint = self.board.endpoint(window.endpoint);
            if endpoint.stalls {
                return Err(Completion::Stall);
            }
            if ready(endpoint) {
                return Ok(());
            }
            if self.board.now >= deadline {
                return Err(Completion::TimedOut);
            }
            self.advance(deadline);
        }
    }

    pub(super) fn take_bulk(&mut self, endpoint: u8, data: &[u8], deadline: u64) -> Completion {
        let Some(window) = self.board.window(endpoint & 0x7F) else {
            return self.wait_in_vain(deadline);
        };
        let maximum = self.max_bytes(window);
        let whole: &[&[u8]] = &[&[]];
        let packets: Vec<&[u8]> =
            if data.is_empty() { whole.to_vec() } else { data.chunks(maximum).collect() };
        for packet in packets {
            if let Err(other) = self.until(window, deadline, |endpoint| endpoint.free > 0) {
                return other;
            }
            self.live_packet(packet.len());
            let endpoint = self.board.endpoint(window.endpoint);
            endpoint.free = endpoint.free.saturating_sub(1);
            endpoint.packets.push_back(packet.to_vec());
            if endpoint.packets.len() == 1 {
                self.board.show(window);
            }
            self.board.changed = true;
            self.board.request(window.done);
        }
        Completion::Done(Vec::new())
    }

    pub(super) fn give_bulk(&mut self, endpoint: u8, length: usize, deadline: u64) -> Completion {
        let Some(window) = self.board.window(endpoint | 0x80) else {
            return self.wait_in_vain(deadline);
        };
        let maximum = self.max_bytes(window);
        let mut data = Vec::new();
        loop {
            match self.until(window, deadline, |endpoint| !endpoint.packets.is_empty()) {
                Err(Completion::TimedOut) if !data.is_empty() => return Completion::Done(data),
                Err(other) => return other,
                Ok(()) => {}
            }
            let packet = self.board.endpoint(window.endpoint).packets.pop_front();
            let packet = packet.unwrap_or_default();
            self.board.changed = true;
            self.board.request(window.done);
            self.live_packet(packet.len());
            let is_short = packet.len() < maximum;
            data.extend(packet);
            if is_short || data.len() >= length {
                data.truncate(length);
                return Completion::Done(data);
            }
        }
    }
}
