//! Endpoint 0: the standard requests, the transport's class requests, the chip's two of its own.

use super::At2lp;
use super::descriptors::REPORT;
use super::eeprom::Writing;
use super::start::{BLOCK_BYTES, Personality};
use crate::sim::device::Completion;
use crate::sim::diagnostic::Verdict;
use crate::usb::Setup;

/// The internal bytes of a chip that read no block. Only byte 4, 24, is known, from the vendor's
/// tool, which works with what a blank chip answers.
const DEFAULT_BYTES: [u8; 16] =
    [0x00, 0x00, 0x00, 0x80, 0x24, 0x07, 0xd4, 0x07, 0, 0, 0, 0, 0, 0, 0, 0];

impl At2lp {
    pub(super) fn request(&mut self, setup: &Setup, data: &[u8], deadline: u64) -> Completion {
        let length = usize::from(setup.length);
        let brought = match (setup.request_type, setup.request) {
            (0x80, 0x06) => self.descriptor(setup.value),
            (0x81, 0x06) if setup.value == 0x2200 && setup.index == 2 => Some(REPORT.to_vec()),
            (0x80, 0x08) => Some(vec![self.configuration]),
            // Self-powered, as its descriptors say.
            (0x80, 0x00) => Some(vec![1, 0]),
            (0x81, 0x00) if self.has_interface(setup.index) => Some(vec![0, 0]),
            (0x82, 0x00) => self.halt_of(setup.index).map(|halted| vec![u8::from(halted), 0]),
            (0x81, 0x0a) if self.has_interface(setup.index) => Some(vec![0]),
            (0x00, 0x05) => Some(Vec::new()),
            (0x00, 0x09) => self.choose(setup.value),
            // No interface has another setting than its first.
            (0x01, 0x0b) if setup.value == 0 && self.has_interface(setup.index) => {
                self.transport.clear_halts();
                Some(Vec::new())
            }
            (0x02, 0x01 | 0x03) if setup.value == 0 => self.halt_of(setup.index).map(|_| {
                let endpoint = setup.index as u8;
                match (setup.request, endpoint & 0x7f) {
                    (_, 0) => {}
                    (0x03, _) => self.transport.halt(endpoint),
                    _ => self.transport.clear_halt(endpoint),
                }
                Vec::new()
            }),
            (0x21, 0xff) => {
                self.transport.reset();
                Some(Vec::new())
            }
            // SET_IDLE of the HID interface; GET MAX LUN.
            (0x21, 0x0a) => Some(Vec::new()),
            (0xa1, 0xfe) => Some(vec![0]),
            (0xc0, 0x02) => self.read_config(setup, length),
            (0x40, 0x01) => return self.load_config(setup, data, deadline),
            _ => None,
        };
        match brought {
            Some(mut bytes) => {
                bytes.truncate(length);
                Completion::Done(bytes)
            }
            None => Completion::Stall,
        }
    }

    /// SET_CONFIGURATION: 0, or the one there is.
    fn choose(&mut self, value: u16) -> Option<Vec<u8>> {
        let only = *self.descriptor(0x0200)?.get(5)?;
        let value = u8::try_from(value).ok().filter(|value| [0, only].contains(value))?;
        self.configuration = value;
        self.transport.clear_halts();
        Some(Vec::new())
    }

    /// Whether the configuration that was chosen has that interface.
    fn has_interface(&self, number: u16) -> bool {
        self.configuration != 0
            && self.parts().iter().any(
                |part| matches!(*part.as_slice(), [9, 4, this, ..] if u16::from(this) == number),
            )
    }

    /// Whether that endpoint is halted; `None` where there is none. An interrupt endpoint has
    /// nothing to say, halted or not.
    fn halt_of(&self, index: u16) -> Option<bool> {
        let endpoint = u8::try_from(index).ok()?;
        if endpoint & 0x7f == 0 {
            return Some(false);
        }
        let exists = self.configuration != 0
            && self
                .parts()
                .iter()
                .any(|part| matches!(*part.as_slice(), [7, 5, this, ..] if this == endpoint));
        exists
            .then(|| self.pipes().is_some_and(|pipes| pipes.contains(&endpoint)))
            .map(|is_pipe| is_pipe && self.transport.is_halted(endpoint))
    }

    /// The configuration bytes as the chip has them now.
    pub(super) fn internal_bytes(&self) -> [u8; 16] {
        match &self.personality {
            Personality::Programmed(block) => {
                block.get(..16).and_then(|bytes| bytes.try_into().ok()).unwrap_or(DEFAULT_BYTES)
            }
            _ => DEFAULT_BYTES,
        }
    }

    fn read_config(&mut self, setup: &Setup, length: usize) -> Option<Vec<u8>> {
        let at = usize::from(setup.index);
        match setup.value {
            0 => {
                let end = at.checked_add(length).filter(|end| *end <= 16);
                if end.is_none() {
                    let text = format!("READ_CONFIG_DATA of internal bytes {at:#x} and {length}");
                    self.diagnostics.note(self.now, Verdict::Unknown, text);
                }
                self.internal_bytes().get(at..end?).map(<[u8]>::to_vec)
            }
            2 => self.read_eeprom(at, length),
            _ => None,
        }
    }

    fn load_config(&mut self, setup: &Setup, data: &[u8], deadline: u64) -> Completion {
        let at = usize::from(setup.index);
        if setup.value != 2 || at + data.len() > BLOCK_BYTES {
            return Completion::Stall;
        }
        if data.len() > 64 {
            let text = "LOAD_CONFIG_DATA of more than 64 bytes".to_owned();
            self.diagnostics.note(self.now, Verdict::Unknown, text);
        }
        self.writing = Some(Writing::of(data.to_vec(), at));
        if !self.finish_writing(deadline) {
            return Completion::TimedOut;
        }
        match self.writing.take() {
            Some(writing) if writing.failed => Completion::Stall,
            _ => Completion::Done(Vec::new()),
        }
    }
}
