//! The bulk pipes: the transport on the endpoints that the descriptors show, in the chip's time.

use super::At2lp;
use crate::sim::device::Completion;

impl At2lp {
    pub(super) fn take(&mut self, endpoint: u8, data: &[u8], deadline: u64) -> Completion {
        let Some([out, _]) = self.pipes() else { return Completion::TimedOut };
        if endpoint != out {
            return self.nobody(deadline);
        }
        let mut transport = std::mem::take(&mut self.transport);
        let completion = transport.take(data, self);
        self.transport = transport;
        completion
    }

    pub(super) fn give(&mut self, endpoint: u8, length: usize, deadline: u64) -> Completion {
        let Some([_, inward]) = self.pipes() else { return Completion::TimedOut };
        if endpoint != inward || !self.is_settled(deadline) {
            return self.nobody(deadline);
        }
        self.transport.give::<Self>(length).unwrap_or_else(|| self.nobody(deadline))
    }

    /// The status of an EEPROM write waits until the part has taken everything.
    fn is_settled(&mut self, deadline: u64) -> bool {
        let due = self.transport.carried_out();
        if !due.is_some_and(|command| self.is_eeprom_write(&command.block)) {
            return true;
        }
        if !self.finish_writing(deadline) {
            return false;
        }
        if let Some(writing) = self.writing.take()
            && writing.failed
        {
            self.transport.fail(writing.done());
        }
        true
    }

    /// No endpoint there, or nothing to say: the host waits in vain.
    fn nobody(&mut self, deadline: u64) -> Completion {
        self.advance(deadline);
        Completion::TimedOut
    }
}
