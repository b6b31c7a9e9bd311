//! Endpoint 0 as a program sees it: SETUP, armed packets, HSNAK, STALL and the setup data pointer.
//!
//! What the host does with it is in `control`. Sources: \[TRM2\] chapter 2 and 15.12, \[TRM1\] chapter
//! 7. That a SETUP takes back STALL and whatever was armed is documented; that HSNAK, once
//! cleared, stays so until the next SETUP is inferred.

use super::board::Board;
use super::silicon::Map;
use crate::usb::Setup;

/// Bytes of a packet.
pub(super) const PACKET: usize = 64;
const STALL: u8 = 0x01;
/// Interrupt request bits of a SETUP that came and one whose data is there.
const TOKEN_AND_DATA: [u8; 2] = [0x04, 0x01];

/// What waits for the host's IN tokens.
#[derive(Clone, Debug)]
pub(super) enum Outgoing {
    /// One packet of the endpoint's buffer.
    Packet(Vec<u8>),
    /// All of the data stage, sent by the core.
    Automatic(Vec<u8>),
}

/// The registers of endpoint 0 that are more than memory.
#[derive(Clone, Debug, Default)]
pub(super) struct EndpointZero {
    /// The status stage is refused with NAK.
    pub(super) naks_status: bool,
    pub(super) stalls: bool,
    pub(super) outgoing: Option<Outgoing>,
    /// The buffer is free for a packet of the host.
    pub(super) takes_packet: bool,
    inwards: bool,
    setup_length: u16,
}

impl EndpointZero {
    pub(super) fn control(&self, map: &Map) -> u8 {
        let bit = |set: bool, mask: u8| if set { mask } else { 0 };
        bit(self.naks_status, map.hsnak)
            | bit(self.outgoing.is_some(), map.in_busy)
            | bit(self.takes_packet, map.out_busy)
            | bit(self.stalls, STALL)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.outgoing.is_some() || self.takes_packet
    }
}

impl Board {
    /// A SETUP packet arrives.
    pub(super) fn take_setup(&mut self, setup: &Setup) {
        let map = self.silicon.map;
        self.endpoint_zero = EndpointZero {
            naks_status: true,
            inwards: setup.request_type & 0x80 != 0,
            setup_length: setup.length,
            ..EndpointZero::default()
        };
        let mut bytes = vec![setup.request_type, setup.request];
        for word in [setup.value, setup.index, setup.length] {
            bytes.extend(word.to_le_bytes());
        }
        self.put_all(map.setup_data, &bytes);
        self.changed = true;
        for mask in TOKEN_AND_DATA {
            self.request((map.usb_request, mask));
        }
    }

    /// A packet of the host arrives in the buffer that was made free for it.
    pub(super) fn take_packet(&mut self, packet: &[u8]) {
        let map = self.silicon.map;
        self.put_all(map.out_buffer, packet);
        if self.silicon.is_fx2() {
            self.put(map.out_count - 1, 0);
        }
        self.put(map.out_count, packet.len() as u8);
        self.endpoint_zero.takes_packet = false;
        self.changed = true;
        self.request(map.out_done);
    }

    /// What the host's next IN token fetches.
    pub(super) fn give_packet(&mut self) -> Option<Outgoing> {
        let outgoing = self.endpoint_zero.outgoing.take()?;
        self.changed = true;
        self.request(self.silicon.map.in_done);
        Some(outgoing)
    }

    pub(super) fn control_endpoint_zero(&mut self, value: u8) {
        let before = self.endpoint_zero.control(self.silicon.map);
        if value & self.silicon.map.hsnak != 0 {
            self.endpoint_zero.naks_status = false;
        }
        self.endpoint_zero.stalls = value & STALL != 0;
        if self.endpoint_zero.control(self.silicon.map) != before {
            self.tell();
        }
    }

    /// A write to EP0BCL: arms the direction that the request has.
    pub(super) fn arm_either(&mut self, value: u8) {
        if !self.endpoint_zero.inwards || self.endpoint_zero.setup_length == 0 {
            self.arm_out();
        } else if self.sends_descriptors() {
            self.arm_in(value);
        }
    }

    pub(super) fn arm_in(&mut self, count: u8) {
        let count = u16::from(count).min(PACKET as u16);
        let packet = self.range(self.silicon.map.in_buffer, count);
        self.endpoint_zero.outgoing = Some(Outgoing::Packet(packet));
        self.tell();
    }

    pub(super) fn arm_out(&mut self) {
        self.endpoint_zero.takes_packet = true;
        self.tell();
    }

    /// Whether SUDPTR takes its length from the descriptor it points to.
    fn sends_descriptors(&self) -> bool {
        self.silicon.map.setup_pointer_control.is_none_or(|register| self.get(register) & 1 != 0)
    }

    /// A write to SUDPTRL.
    pub(super) fn send_by_pointer(&mut self) {
        let map = self.silicon.map;
        let word = |at: u16| u16::from_be_bytes([self.get(at), self.get(at.wrapping_add(1))]);
        let start = word(map.setup_pointer);
        let length = if !self.sends_descriptors() {
            word(map.out_count - 1)
        } else if matches!(self.get(start.wrapping_add(1)), 2 | 7) {
            word(start.wrapping_add(2)).swap_bytes()
        } else {
            u16::from(self.get(start))
        };
        let bytes = self.range(start, length.min(self.endpoint_zero.setup_length));
        self.endpoint_zero.outgoing = Some(Outgoing::Automatic(bytes));
        self.tell();
    }

    fn tell(&mut self) {
        self.changed = true;
        self.event = true;
    }
}
