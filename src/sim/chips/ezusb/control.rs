//! Control transfers from the host's side: what the core answers by itself, and how the rest is
//! carried to the program.
//!
//! The core serves SET_ADDRESS and request A0 always, all standard requests while RENUM is 0
//! [TRM2 2, 3; TRM1 5]. Unknown and decided here: A0 is served while the 8051 runs, too; A0 reaches
//! nothing but RAM and CPUCS and acknowledges the rest.

use super::EzUsb;
use super::board::HELD;
use super::descriptors;
use super::endpoint_zero::{Outgoing, PACKET};
use crate::sim::device::{Attachment, Completion};
use crate::usb::{Setup, Speed};

const FIRMWARE_LOAD: u8 = 0xA0;
/// Interrupt request bits: bus reset, and the chirp's end at high speed.
const RESET: u8 = 0x10;
const HIGH_SPEED: u8 = 0x20;
/// What a bus reset leaves a program to prepare for the first SETUP [USB 2.0 7.1.7.5].
const RECOVERY_NS: u64 = 10_000_000;

impl EzUsb {
    /// The host has reset the port.
    pub(super) fn take_bus_reset(&mut self) {
        let map = self.board.silicon.map;
        self.fresh = false;
        self.board.put(map.function_address, 0);
        (self.configuration, self.alternate) = (0, 0);
        let high = self.board.silicon.speed == Speed::High;
        if high {
            let usbcs = self.board.get(map.usbcs);
            self.board.put(map.usbcs, usbcs | 0x80);
        }
        self.board.request((map.usb_request, RESET | if high { HIGH_SPEED } else { 0 }));
        self.board.start_frames();
        self.live(RECOVERY_NS);
    }

    pub(super) fn control_transfer(
        &mut self,
        setup: &Setup,
        data: &[u8],
        deadline: u64,
    ) -> Completion {
        if self.attachment.is_none() {
            return Completion::Gone;
        }
        if self.fresh {
            self.take_bus_reset();
        }
        let before = self.attachment;
        self.live_packet(8);
        let standard = setup.request_type & 0x60 == 0;
        let completion = match (setup.request_type, setup.request) {
            (0x00, 5) => {
                self.board.put(self.board.silicon.map.function_address, setup.value as u8);
                Completion::Done(Vec::new())
            }
            (0x40 | 0xC0, FIRMWARE_LOAD) => Completion::Done(self.load(setup, data)),
            _ if standard && !self.board.is_renumerated() => {
                self.standard(setup).map_or(Completion::Stall, Completion::Done)
            }
            _ if !self.board.is_renumerated() && self.board.is_held() => Completion::Stall,
            _ => return self.hand_over(setup, data, deadline, before),
        };
        // The status stage.
        self.live_packet(0);
        if self.attachment != before { Completion::Gone } else { completion }
    }

    /// The program answers.
    fn hand_over(
        &mut self,
        setup: &Setup,
        data: &[u8],
        deadline: u64,
        before: Option<Attachment>,
    ) -> Completion {
        self.board.take_setup(setup);
        let length = usize::from(setup.length);
        let inwards = setup.request_type & 0x80 != 0;
        let (mut answer, mut rest, mut in_data) = (Vec::new(), data, length > 0);
        loop {
            if self.attachment != before {
                return Completion::Gone;
            }
            if self.board.endpoint_zero.stalls {
                return Completion::Stall;
            }
            if in_data && inwards {
                if let Some(outgoing) = self.board.give_packet() {
                    let (bytes, last) = match outgoing {
                        Outgoing::Automatic(bytes) => (bytes, true),
                        Outgoing::Packet(bytes) => {
                            let last = bytes.len() < PACKET;
                            (bytes, last)
                        }
                    };
                    for packet in bytes.chunks(PACKET) {
                        self.live_packet(packet.len());
                    }
                    answer.extend(bytes);
                    in_data = !last && answer.len() < length;
                    continue;
                }
            } else if in_data {
                if self.board.endpoint_zero.takes_packet {
                    let (packet, behind) = rest.split_at(rest.len().min(PACKET));
                    self.live_packet(packet.len());
                    self.board.take_packet(packet);
                    rest = behind;
                    in_data = !rest.is_empty();
                    continue;
                }
            } else if !self.board.endpoint_zero.naks_status {
                self.live_packet(0);
                answer.truncate(length);
                return Completion::Done(answer);
            }
            if self.board.now >= deadline {
                self.tell_waits();
                self.board.tell_met();
                return Completion::TimedOut;
            }
            self.advance(deadline);
        }
    }

    /// A packet of that many bytes goes over the wires.
    pub(super) fn live_packet(&mut self, bytes: usize) {
        // Token, handshake and gaps, and the bits themselves, at 480 or 12 Mbit/s.
        let (overhead, byte) =
            if self.board.silicon.speed == Speed::High { (2_000, 17) } else { (12_000, 667) };
        self.live(overhead + bytes as u64 * byte);
    }

    fn load(&mut self, setup: &Setup, data: &[u8]) -> Vec<u8> {
        let map = self.board.silicon.map;
        let packets = usize::from(setup.length).max(data.len()).div_ceil(PACKET);
        for _ in 0..packets {
            self.live_packet(PACKET);
        }
        let reaches = |board: &super::board::Board, at| board.is_ram(at) || at == map.cpucs;
        let addresses = (0..setup.length).map(|at| setup.value.wrapping_add(at));
        if setup.request_type & 0x80 != 0 {
            let byte = |at| if reaches(&self.board, at) { self.board.get(at) } else { 0xFF };
            return addresses.map(byte).collect();
        }
        for (address, byte) in addresses.zip(data) {
            if address == map.cpucs {
                self.set_held(byte & HELD != 0);
            } else if self.board.is_ram(address) {
                self.board.put(address, *byte);
            }
        }
        Vec::new()
    }

    /// A standard request to the default device; `None` is a STALL.
    fn standard(&mut self, setup: &Setup) -> Option<Vec<u8>> {
        let silicon = self.board.silicon;
        let [index, kind] = setup.value.to_le_bytes();
        let high = silicon.speed == Speed::High;
        let endpoint = setup.index as u8;
        // Of the features the core knows the endpoints' halt (grade: inferred).
        let is_halt = setup.request_type & 0x1F == 2 && setup.value == 0;
        let mut answer = match (setup.request_type & 0x80 != 0, setup.request) {
            (true, 0) if setup.request_type & 0x1F == 2 => {
                vec![u8::from(self.default_halt(endpoint)?), 0]
            }
            (true, 0) => vec![0, 0],
            (true, 6) => match (kind, index) {
                (1, 0) => descriptors::device(silicon, self.ids),
                (2, 0) => descriptors::configuration(silicon, silicon.speed, 2),
                (6, 0) if high => descriptors::qualifier(),
                (7, 0) if high => descriptors::configuration(silicon, Speed::Full, 7),
                _ => return None,
            },
            (true, 8) => vec![self.configuration],
            (true, 10) if setup.index == 0 => vec![self.alternate],
            (false, 1 | 3) if is_halt => {
                self.set_default_halt(endpoint, setup.request == 3)?;
                Vec::new()
            }
            (false, 1 | 3) if setup.request_type & 0x1F != 2 => Vec::new(),
            (false, 9) if setup.value <= 1 => {
                (self.configuration, self.alternate) = (index, 0);
                self.board.clear_halts();
                Vec::new()
            }
            (false, 11) if setup.index == 0 && setup.value < descriptors::alternates(silicon) => {
                self.alternate = index;
                self.board.clear_halts();
                Vec::new()
            }
            _ => return None,
        };
        answer.truncate(setup.length.into());
        Some(answer)
    }

    /// Whether that endpoint of the default device is halted; `None` where there is none that can
    /// be.
    fn default_halt(&self, endpoint: u8) -> Option<bool> {
        if endpoint & 0x7F == 0 {
            return Some(false);
        }
        let exists = descriptors::can_halt(self.board.silicon, self.alternate, endpoint);
        exists.then(|| self.board.is_halted(endpoint))
    }

    fn set_default_halt(&mut self, endpoint: u8, halted: bool) -> Option<()> {
        self.default_halt(endpoint)?;
        if endpoint & 0x7F != 0 {
            self.board.set_halt(endpoint, halted);
        }
        Some(())
    }
}
