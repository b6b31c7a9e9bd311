//! Machine cycles of each instruction.
//!
//! Source: [TRM] table 12-1, the column of cycles; MOVX is given there as 2 to 9, two and the
//! stretch of CKCON.

/// By opcode, sixteen to a row. A5 is not assigned.
const CYCLES: [u8; 256] = [
    1, 3, 4, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 00
    4, 3, 4, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 10
    4, 3, 4, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 20
    4, 3, 4, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 30
    3, 3, 2, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 40
    3, 3, 2, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 50
    3, 3, 2, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 60
    3, 3, 2, 3, 2, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, // 70
    3, 3, 2, 3, 5, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, // 80
    3, 3, 2, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 90
    2, 3, 2, 3, 5, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, // A0
    2, 3, 2, 1, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, // B0
    2, 3, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // C0
    2, 3, 2, 1, 1, 4, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3, // D0
    2, 3, 2, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // E0
    2, 3, 2, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // F0
];

/// Cycles of `opcode` with `ckcon` in force.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a byte cannot leave a table of 256")]
pub(super) fn of(opcode: u8, ckcon: u8) -> u32 {
    let stretch = if matches!(opcode, 0xE0 | 0xE2 | 0xE3 | 0xF0 | 0xF2 | 0xF3) {
        u32::from(ckcon & 7)
    } else {
        0
    };
    u32::from(CYCLES[usize::from(opcode)]) + stretch
}
