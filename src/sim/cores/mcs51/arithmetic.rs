//! The arithmetic of the accumulator and its flags [MCS51].

use super::Cpu;

/// Carry.
pub(super) const CY: u8 = 0x80;
/// Carry out of bit 3.
pub(super) const AC: u8 = 0x40;
/// Overflow.
pub(super) const OV: u8 = 0x04;

impl Cpu {
    #[inline]
    pub(super) const fn carry(&self) -> bool {
        self.psw & CY != 0
    }

    #[inline]
    pub(super) fn set_carry(&mut self, carry: bool) {
        self.psw = self.psw & !CY | u8::from(carry) << 7;
    }

    fn set_flags(&mut self, carry: bool, half: bool, overflow: bool) {
        self.psw = self.psw & !(CY | AC | OV)
            | u8::from(carry) << 7
            | u8::from(half) << 6
            | u8::from(overflow) << 2;
    }

    pub(super) fn add(&mut self, operand: u8, carry: bool) {
        let (a, carry) = (self.a, u8::from(carry));
        let sum = u16::from(a) + u16::from(operand) + u16::from(carry);
        let result = sum as u8;
        let half = (a & 0xF) + (operand & 0xF) + carry > 0xF;
        let overflow = (a ^ result) & (operand ^ result) & 0x80 != 0;
        self.set_flags(sum > 0xFF, half, overflow);
        self.a = result;
    }

    pub(super) fn subtract(&mut self, operand: u8) {
        let (a, borrow) = (self.a, u8::from(self.carry()));
        let result = a.wrapping_sub(operand).wrapping_sub(borrow);
        let borrows = u16::from(a) < u16::from(operand) + u16::from(borrow);
        let half = a & 0xF < (operand & 0xF) + borrow;
        let overflow = (a ^ operand) & (a ^ result) & 0x80 != 0;
        self.set_flags(borrows, half, overflow);
        self.a = result;
    }

    pub(super) fn multiply(&mut self) {
        let [low, high] = (u16::from(self.a) * u16::from(self.b)).to_le_bytes();
        (self.a, self.b) = (low, high);
        self.psw = self.psw & !(CY | OV) | u8::from(high != 0) << 2;
    }

    /// Division by zero sets OV; A and B are then undefined [MCS51]. The model's choice: all ones
    /// in A, the dividend in B.
    pub(super) fn divide(&mut self) {
        let (a, b) = (self.a, self.b);
        (self.a, self.b) = (a.checked_div(b).unwrap_or(0xFF), a.checked_rem(b).unwrap_or(a));
        self.psw = self.psw & !(CY | OV) | u8::from(b == 0) << 2;
    }

    /// DA can set the carry and never clears it.
    pub(super) fn decimal_adjust(&mut self) {
        let mut result = u16::from(self.a);
        if result & 0xF > 9 || self.psw & AC != 0 {
            result += 6;
        }
        let mut carry = self.carry() || result > 0xFF;
        if result >> 4 & 0xF > 9 || carry {
            result += 0x60;
        }
        carry |= result > 0xFF;
        self.set_carry(carry);
        self.a = result as u8;
    }

    pub(super) fn rotate_left_through_carry(&mut self) {
        let out = self.a & 0x80 != 0;
        self.a = self.a << 1 | u8::from(self.carry());
        self.set_carry(out);
    }

    pub(super) fn rotate_right_through_carry(&mut self) {
        let out = self.a & 1 != 0;
        self.a = self.a >> 1 | u8::from(self.carry()) << 7;
        self.set_carry(out);
    }

    /// The flag of CJNE: set when `left` is smaller.
    pub(super) fn compare(&mut self, left: u8, right: u8) -> bool {
        self.set_carry(left < right);
        left != right
    }
}
