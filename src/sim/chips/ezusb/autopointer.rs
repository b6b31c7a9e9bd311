//! The autopointers: data registers that lead to wherever a pointer points, and make it go on.

use super::board::Board;
use super::silicon::Register;

/// AUTOPTRH1; bits of AUTOPTRSETUP make the pointers go on.
const FIRST_POINTER: u8 = 0x9A;
/// AUTOPTRSETUP.
const POINTER_SETUP: u8 = 0xAF;

impl Board {
    /// Where the autopointer behind that data register points; it goes on. Registers are reached
    /// through it like memory; that a pointer leads to a data register itself is not modelled.
    pub(super) fn through_pointer(&mut self, data: u16) -> Option<u16> {
        let register = self.silicon.map.register;
        let address = match register(data)? {
            Register::AutoData(pointer) => {
                let [high, low] = [pointer, pointer + 1].map(|at| self.get(at));
                let address = u16::from_be_bytes([high, low]);
                self.put_all(pointer, &address.wrapping_add(1).to_be_bytes());
                address
            }
            Register::AutoDataSfr(pointer) => {
                let [high, low] = [pointer, pointer + 1].map(|at| self.special(at));
                let address = u16::from_be_bytes([high, low]);
                let increments = if pointer == FIRST_POINTER { 0x02 } else { 0x04 };
                if self.special(POINTER_SETUP) & increments != 0 {
                    let [high, low] = address.wrapping_add(1).to_be_bytes();
                    self.set_special(pointer, high);
                    self.set_special(pointer + 1, low);
                }
                address
            }
            _ => return None,
        };
        let leads_back = self.place(address).and_then(register).is_some_and(|register| {
            matches!(register, Register::AutoData(_) | Register::AutoDataSfr(_))
        });
        (!leads_back).then_some(address)
    }
}
