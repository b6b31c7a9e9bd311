//! The registers that tell what is ready: busy bits, the FIFOs' flags, and the GPIF, which is done
//! as soon as it begins.
//!
//! Sources: \[libfx2\] for addresses, names and bits. What they show is inferred: after reset a FIFO is
//! empty and not full; the GPIF is idle.

use super::board::Board;

/// EP01STAT: BUSY of endpoint 0, 1 OUT and 1 IN from bit 0 on.
const ENDPOINT_STATUS: u8 = 0xBA;
/// EP2468STAT: EMPTY and FULL of endpoints 2, 4, 6 and 8, two bits each from bit 0 on.
const FIFO_STATUS: u8 = 0xAA;
/// EP24FIFOFLGS and EP68FIFOFLGS: PF, EF and FF of two FIFOs each, as reset leaves them
/// (inferred): nothing of the slave side ever moves.
const FIFO_FLAGS: [(u8, u8); 2] = [(0xAB, 0x22), (0xAC, 0x66)];
/// GPIFTRIG; bit 7 reads 1 while the GPIF is idle, as it always is here (inferred).
pub(super) const GPIF_TRIGGER: u8 = 0xBB;
/// GPIFDONE and GPIFIDLECS of the same.
pub(super) const GPIF_IDLE: u8 = 0x80;
/// GPIFIRQ; bit 0 tells that a transaction is done.
const GPIF_DONE: (u16, u8) = (0xE661, 0x01);
/// GPIFSGLDATLX: every access is a transaction.
pub(super) const GPIF_DATA_AND_TRIGGER: u8 = 0xBE;

impl Board {
    /// EP01STAT.
    fn busy_status(&self) -> u8 {
        let busy = |endpoint| {
            let window = self.window_of(endpoint);
            window.is_some_and(|window| self.endpoint_control(window) & 0x02 != 0)
        };
        u8::from(self.endpoint_zero.is_busy())
            | u8::from(busy(0x01)) << 1
            | u8::from(busy(0x81)) << 2
    }

    /// A transaction of the GPIF is over as soon as it begins.
    pub(super) fn end_transaction(&mut self) {
        let (register, done) = GPIF_DONE;
        self.put(register, self.get(register) | done);
    }

    fn fifo_status(&self) -> u8 {
        let bits = |number| {
            let control = self.window_of(number).map_or(0, |window| self.endpoint_control(window));
            control >> 2 & 3
        };
        [8, 6, 4, 2].into_iter().fold(0, |status, number| status << 2 | bits(number))
    }

    /// What the special function register at `address` shows, where it is one of these.
    pub(super) fn status(&mut self, address: u8) -> Option<u8> {
        let is_fx2 = self.silicon.is_fx2();
        Some(match address {
            ENDPOINT_STATUS => self.busy_status(),
            FIFO_STATUS => self.fifo_status(),
            GPIF_TRIGGER if is_fx2 => self.special(address) | GPIF_IDLE,
            GPIF_DATA_AND_TRIGGER if is_fx2 => {
                self.end_transaction();
                self.special(address)
            }
            _ if is_fx2 => {
                let (_, flags) = FIFO_FLAGS.iter().find(|(register, _)| *register == address)?;
                *flags
            }
            _ => return None,
        })
    }
}
