//! The interrupts of the USB core, which share a vector, and the frames that bring one of them.

use super::board::Board;
use crate::usb::Speed;

/// SOF among the USB interrupts.
const FRAME_BEGINS: u8 = 0x02;

impl Board {
    /// The USB core sets an interrupt's request bit.
    pub(super) fn request(&mut self, (register, mask): (u16, u8)) {
        self.put(register, self.get(register) | mask);
        self.interrupts |= self.most_urgent().is_some();
    }

    /// Autovector of the first source that is requested and enabled.
    pub(super) fn most_urgent(&self) -> Option<u8> {
        self.silicon
            .map
            .sources
            .iter()
            .find(|source| self.get(source.request) & self.get(source.enable) & source.mask != 0)
            .map(|source| source.vector)
    }

    /// The source that INT2CLR clears: the one being served.
    pub(super) fn clear_most_urgent(&mut self) {
        let source =
            self.silicon.map.sources.iter().find(|source| {
                self.get(source.request) & self.get(source.enable) & source.mask != 0
            });
        if let Some(source) = source {
            self.put(source.request, self.get(source.request) & !source.mask);
            self.interrupts |= self.most_urgent().is_some();
        }
    }

    /// The host begins to send frames.
    pub(super) fn start_frames(&mut self) {
        self.frame_at = Some(self.now + self.frame_ns());
    }

    /// A frame, or a microframe at high speed.
    fn frame_ns(&self) -> u64 {
        if self.silicon.speed == Speed::High { 125_000 } else { 1_000_000 }
    }

    /// When the program next hears of a frame: only one that has taken note of the last one does.
    #[inline]
    pub(super) fn next_frame(&self) -> Option<u64> {
        let request = self.silicon.map.usb_request;
        self.frame_at.filter(|_| self.hears_frames && self.get(request) & FRAME_BEGINS == 0)
    }

    pub(super) fn begin_frame(&mut self) {
        let frame = self.frame_ns();
        self.frame_at = self.frame_at.map(|at| at + ((self.now - at) / frame + 1) * frame);
        self.request((self.silicon.map.usb_request, FRAME_BEGINS));
        self.changed = true;
    }

    /// A write of the register that enables the interrupts or of the one that shows them: who asks
    /// for frames hears of them.
    pub(super) fn hear_frames(&mut self, place: u16, value: u8) {
        let map = self.silicon.map;
        let enables = place == map.usb_enable && value & FRAME_BEGINS != 0;
        self.hears_frames |= enables || place == map.usb_request;
    }

    pub(super) fn autovectors(&self) -> bool {
        let (register, mask) = self.silicon.map.autovector;
        self.get(register) & mask != 0
    }
}
