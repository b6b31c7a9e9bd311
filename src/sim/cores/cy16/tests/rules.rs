//! What each instruction does: flags, flow, interrupts, and what stops the CPU.

use super::super::Flags;
use super::{CODE, Machine, STACK};

const Z: u16 = Flags::ZERO;
const C: u16 = Flags::CARRY;
const O: u16 = Flags::OVERFLOW;
const S: u16 = Flags::SIGN;
const I: u16 = Flags::INTERRUPTS;

const OPERATIONS: [(&str, u16); 10] = [
    ("mov", 0x0000),
    ("add", 0x1000),
    ("addc", 0x2000),
    ("sub", 0x3000),
    ("subb", 0x4000),
    ("cmp", 0x5000),
    ("and", 0x6000),
    ("test", 0x7000),
    ("or", 0x8000),
    ("xor", 0x9000),
];

fn opcode(name: &str) -> u16 {
    OPERATIONS.iter().find(|(known, _)| *known == name).unwrap().1
}

/// R0 and the flags after `name r0,r1`.
fn two(name: &str, r0: u16, r1: u16, flags: u16) -> (u16, u16) {
    let mut machine = Machine::words(&[opcode(name) | 1 << 6]);
    machine.set(0, r0);
    machine.set(1, r1);
    machine.set_flags(flags);
    machine.step();
    assert_eq!(machine.r(1), r1);
    (machine.r(0), machine.flags())
}

/// R0 and the flags after the one-operand `opcode` on R0.
fn one(opcode: u16, r0: u16, flags: u16) -> (u16, u16) {
    let mut machine = Machine::words(&[opcode]);
    machine.set(0, r0);
    machine.set_flags(flags);
    machine.step();
    (machine.r(0), machine.flags())
}

#[test]
fn a_short_jump_reaches_63_words_ahead_and_64_back() {
    let mut machine = Machine::words(&[0xCF3F]);
    machine.step();
    assert_eq!(machine.cpu.pc(), CODE + 2 + 126);
    let mut machine = Machine::words(&[0xCF40]);
    machine.step();
    assert_eq!(machine.cpu.pc(), CODE + 2 - 128);
}

#[test]
fn each_condition_jumps_under_exactly_its_flags() {
    type Truth = fn(bool, bool, bool, bool) -> bool;
    let truths: [(u16, Truth); 15] = [
        (0x0, |z, _, _, _| z),
        (0x1, |z, _, _, _| !z),
        (0x2, |_, c, _, _| c),
        (0x3, |_, c, _, _| !c),
        (0x4, |_, _, _, s| s),
        (0x5, |_, _, _, s| !s),
        (0x6, |_, _, o, _| o),
        (0x7, |_, _, o, _| !o),
        (0x8, |z, c, _, _| !(z || c)),
        (0x9, |z, c, _, _| z || c),
        (0xA, |z, _, o, s| s == o && !z),
        (0xB, |_, _, o, s| s == o),
        (0xC, |_, _, o, s| s != o),
        (0xD, |z, _, o, s| z || s != o),
        (0xF, |_, _, _, _| true),
    ];
    for (code, truth) in truths {
        for flags in 0..16 {
            let expected = truth(flags & Z != 0, flags & C != 0, flags & O != 0, flags & S != 0);
            let mut machine = Machine::words(&[0xC000 | code << 8 | 4]);
            machine.set_flags(flags);
            machine.step();
            let taken = machine.cpu.pc() == CODE + 10;
            assert_eq!(taken, expected, "condition {code:x}, flags {flags:04b}");
            assert_eq!(taken, machine.cpu.pc() != CODE + 2);
            assert_eq!(machine.flags(), flags);
        }
    }
}

#[test]
fn mov_keeps_every_flag() {
    for flags in 0..32 {
        assert_eq!(two("mov", 7, 0, flags), (0, flags));
        assert_eq!(two("mov", 7, 0x8000, flags), (0x8000, flags));
    }
}

#[test]
fn addition_sets_carry_and_signed_overflow() {
    assert_eq!(two("add", 0x7FFF, 1, 0), (0x8000, O | S));
    assert_eq!(two("add", 0x8000, 0x8000, 0), (0, Z | C | O));
    assert_eq!(two("add", 0xFFFF, 2, O | S | Z), (1, C));
    assert_eq!(two("add", 1, 1, C), (2, 0), "the old carry is not added");
}

#[test]
fn addc_adds_the_carry_in() {
    assert_eq!(two("addc", 0xFFFF, 0, C), (0, Z | C));
    assert_eq!(two("addc", 0x7FFF, 0, C), (0x8000, O | S));
    assert_eq!(two("addc", 0xFFFF, 0xFFFF, C), (0xFFFF, C | S));
    assert_eq!(two("addc", 1, 1, 0), (2, 0));
}

#[test]
fn subtraction_sets_carry_as_borrow() {
    assert_eq!(two("sub", 1, 2, 0), (0xFFFF, C | S));
    assert_eq!(two("sub", 2, 2, C | S | O), (0, Z));
    assert_eq!(two("sub", 0x8000, 1, 0), (0x7FFF, O));
    assert_eq!(two("sub", 0x7FFF, 0xFFFF, 0), (0x8000, C | O | S));
}

#[test]
fn subb_takes_the_borrow_away() {
    assert_eq!(two("subb", 0, 0, C), (0xFFFF, C | S));
    assert_eq!(two("subb", 0x8000, 0, C), (0x7FFF, O));
    assert_eq!(two("subb", 0, 0xFFFF, C), (0, Z | C));
    assert_eq!(two("subb", 5, 2, 0), (3, 0));
}

#[test]
fn cmp_sets_the_flags_of_sub_and_stores_nothing() {
    // cmp r0,2; jb +3
    let mut machine = Machine::words(&[0x57C0, 2, 0xC203]);
    machine.set(0, 1);
    machine.step();
    assert_eq!((machine.r(0), machine.flags()), (1, C | S));
    machine.step();
    assert_eq!(machine.cpu.pc(), CODE + 12, "below is taken");
}

#[test]
fn logic_keeps_carry_and_overflow() {
    for kept in [0, C, O, C | O | I] {
        for old in [0, Z | S] {
            assert_eq!(two("and", 0xFF00, 0x8100, kept | old), (0x8100, kept | S));
            assert_eq!(two("and", 0xFF00, 0x00FF, kept | old), (0, kept | Z));
            assert_eq!(two("test", 0xFF00, 0x00FF, kept | old), (0xFF00, kept | Z));
            assert_eq!(two("or", 0x0100, 0x0001, kept | old), (0x0101, kept));
            assert_eq!(two("xor", 0x8001, 0x0001, kept | old), (0x8000, kept | S));
            assert_eq!(two("xor", 0x8001, 0x8001, kept | old), (0, kept | Z));
        }
    }
}

#[test]
fn shr_shifts_the_sign_in_and_the_last_bit_out() {
    assert_eq!(one(0xD000, 0x8001, O), (0xC000, C | S | O));
    assert_eq!(one(0xD1C0, 0x8180, C), (0xFF81, C | S));
    assert_eq!(one(0xD1C0, 0x7F7F, C), (0x007F, 0));
    assert_eq!(one(0xD1C0, 0x00FF, 0), (0, Z | C));
}

#[test]
fn shl_shifts_zeros_in_and_the_last_bit_out() {
    assert_eq!(one(0xD200, 0x8001, O), (0x0002, C | O));
    assert_eq!(one(0xD3C0, 0x01FF, 0), (0xFF00, C | S));
    assert_eq!(one(0xD3C0, 0xFE00, C), (0, Z));
}

#[test]
fn rotations_stay_within_the_word_and_copy_the_last_bit_to_carry() {
    assert_eq!(one(0xD400, 0x0001, 0), (0x8000, C | S));
    assert_eq!(one(0xD400, 0x0002, C), (0x0001, 0), "the old carry is not rotated in");
    assert_eq!(one(0xD5C0, 0x1234, C), (0x3412, 0));
    assert_eq!(one(0xD600, 0x8000, 0), (0x0001, C));
    assert_eq!(one(0xD7C0, 0x12F4, C | O), (0xF412, S | O));
    assert_eq!(one(0xD7C0, 0x0100, 0), (0x0001, C));
}

#[test]
fn addi_and_subi_keep_carry_and_overflow() {
    for kept in [0, C, O, C | O] {
        assert_eq!(one(0xD800, 0xFFFF, kept), (0, kept | Z));
        assert_eq!(one(0xD800, 0x7FFF, kept), (0x8000, kept | S));
        assert_eq!(one(0xD9C0, 0x0000, kept), (8, kept));
        assert_eq!(one(0xDA00, 0x0001, kept), (0, kept | Z));
        assert_eq!(one(0xDBC0, 0x0000, kept), (0xFFF8, kept | S));
    }
}

#[test]
fn not_and_cbw_keep_carry_and_overflow() {
    assert_eq!(one(0xDE00, 0xFFFF, C | O), (0, Z | C | O));
    assert_eq!(one(0xDE00, 0x007F, 0), (0xFF80, S));
    assert_eq!(one(0xDF00, 0x1280, C | O), (0xFF80, S | C | O));
    assert_eq!(one(0xDF00, 0xFF7F, S), (0x007F, 0));
    assert_eq!(one(0xDF00, 0xFF00, S), (0, Z));
}

#[test]
fn neg_is_zero_minus_its_operand() {
    assert_eq!(one(0xDE40, 0x0000, C | O), (0, Z));
    assert_eq!(one(0xDE40, 0x0080, 0), (0xFF80, C | S));
    assert_eq!(one(0xDE40, 0xFF81, 0), (0x007F, C));
    assert_eq!(one(0xDE40, 0x8000, 0), (0x8000, C | O | S));
}

#[test]
fn a_byte_operand_computes_in_16_bits_and_stores_eight() {
    // addi b[2001],1 on FF: 0100 in the ALU, so neither Z nor S; the neighbours stay.
    let mut machine = Machine::words(&[0xD82F, 0x2001]);
    machine.ram.load(0x2000, &[0x11, 0xFF, 0x22]);
    machine.step();
    assert_eq!(machine.ram.bytes[0x2000..0x2003], [0x11, 0x00, 0x22]);
    assert_eq!(machine.flags(), 0);
    // cmp b[2001],FF: equal.
    let mut machine = Machine::words(&[0x57EF, 0x00FF, 0x2001]);
    machine.ram.load(0x2001, &[0xFF]);
    machine.step();
    assert_eq!(machine.flags(), Z);
}

#[test]
fn int_pushes_the_next_address_and_ret_comes_back() {
    let mut machine = Machine::words(&[0xAF75]);
    machine.ram.set_word(2 * 0x75, 0x2000);
    machine.ram.set_word(0x2000, 0xCF97);
    machine.set_flags(I | C);
    machine.step();
    assert_eq!(machine.cpu.pc(), 0x2000);
    assert_eq!((machine.r(15), machine.ram.word(STACK - 2)), (STACK - 2, CODE + 2));
    assert_eq!(machine.flags(), I | C, "a software interrupt leaves I");
    machine.step();
    assert_eq!((machine.cpu.pc(), machine.r(15)), (CODE + 2, STACK));
}

#[test]
fn jumps_and_calls_take_their_target_from_every_mode() {
    let table: [(&[u16], u16); 6] = [
        (&[0xCF87], 0x2222),         // jmp r7
        (&[0xCF9F, 0x3334], 0x3334), // jmp 3334
        (&[0xCF91], 0x4444),         // jmp [r9]
        (&[0xCFA1], 0x4444),         // jmp [r9++]
        (&[0xCFA7, 0x2002], 0x5554), // jmp [2002]
        (&[0xCFB1, 0x0004], 0x6666), // jmp [r9+4]
    ];
    for (code, target) in table {
        let length = u16::try_from(2 * code.len()).unwrap();
        for call in [false, true] {
            let mut words = code.to_vec();
            if call {
                words[0] = words[0] & 0x0FFF | 0xA000;
            }
            let mut machine = Machine::words(&words);
            machine.set(7, 0x2223);
            machine.set(9, 0x2000);
            machine.ram.set_word(0x2000, 0x4444);
            machine.ram.set_word(0x2002, 0x5555);
            machine.ram.set_word(0x2004, 0x6666);
            machine.step();
            assert_eq!(machine.cpu.pc(), target, "bit 0 is ignored; {words:04x?}");
            if call {
                assert_eq!(machine.ram.word(STACK - 2), CODE + length, "{words:04x?}");
            }
        }
    }
}

#[test]
fn a_condition_that_fails_skips_the_instruction_and_touches_nothing() {
    let table: [&[u16]; 5] = [
        &[0xA005],         // intz 5
        &[0xA09F, 0x2000], // cz 2000
        &[0xC097],         // rz
        &[0xC0A1],         // jz [r9++]
        &[0xC0B1, 0x0004], // jz [r9+4]
    ];
    for code in table {
        let mut machine = Machine::words(code);
        machine.set(9, 0x2000);
        machine.step();
        let length = u16::try_from(2 * code.len()).unwrap();
        assert_eq!(machine.cpu.pc(), CODE + length, "{code:04x?}");
        assert_eq!((machine.r(15), machine.r(9)), (STACK, 0x2000), "{code:04x?}");
    }
}

#[test]
fn a_condition_that_holds_interrupts_calls_and_returns() {
    let mut machine = Machine::words(&[0xA005]);
    machine.ram.set_word(10, 0x2000);
    machine.ram.set_word(0x2000, 0xA09F);
    machine.ram.set_word(0x2002, 0x3000);
    machine.ram.set_word(0x3000, 0xC097);
    machine.set_flags(Z);
    machine.steps(2);
    assert_eq!((machine.cpu.pc(), machine.r(15)), (0x3000, STACK - 4));
    machine.step();
    assert_eq!((machine.cpu.pc(), machine.r(15)), (0x2004, STACK - 2));
}

#[test]
fn a_hardware_interrupt_pushes_only_the_address_and_clears_i() {
    let mut machine = Machine::words(&[0]);
    machine.ram.set_word(2 * 40, 0x2001);
    assert!(!machine.cpu.interrupt(&mut machine.ram, 40), "I is clear");
    machine.set_flags(I | C | S);
    assert!(machine.cpu.interrupt(&mut machine.ram, 40));
    assert_eq!(machine.cpu.pc(), 0x2000);
    assert_eq!(machine.flags(), C | S);
    assert_eq!((machine.r(15), machine.ram.word(STACK - 2)), (STACK - 2, CODE));
    assert!(!machine.cpu.interrupt(&mut machine.ram, 40), "it does not nest");
}

#[test]
fn sti_and_the_return_behind_it_are_not_interrupted() {
    let mut machine = Machine::words(&[0xDFC0, 0xCF97]);
    machine.ram.set_word(STACK, 0x3000);
    machine.step();
    assert!(!machine.cpu.interrupt(&mut machine.ram, 0), "between sti and ret");
    machine.step();
    assert_eq!((machine.cpu.pc(), machine.r(15)), (0x3000, STACK + 2));
    assert!(machine.cpu.interrupt(&mut machine.ram, 0));
    assert_eq!(machine.ram.word(STACK), 0x3000);
}

#[test]
fn sti_while_enabled_shields_nothing_and_cli_wins_over_it() {
    let mut machine = Machine::words(&[0xDFC0, 0xDFC1]);
    machine.set_flags(I);
    machine.step();
    assert!(machine.cpu.accepts_interrupts());
    let mut machine = Machine::words(&[0xDFC0, 0xDFC1, 0x0000]);
    machine.steps(3);
    assert!(!machine.cpu.accepts_interrupts());
    assert_eq!(machine.flags(), 0);
}

#[test]
fn stc_and_clc_change_only_the_carry() {
    let mut machine = Machine::words(&[0xDFC2, 0xDFC3]);
    machine.set_flags(Z | S | O);
    machine.step();
    assert_eq!(machine.flags(), Z | S | O | C);
    machine.step();
    assert_eq!(machine.flags(), Z | S | O);
}

#[test]
fn every_illegal_encoding_stops_where_it_is_and_changes_nothing() {
    let mut illegal: Vec<u16> = Vec::new();
    illegal.extend(0xB000..=0xBFFF);
    illegal.extend(0xE000..=0xFFFF);
    illegal.extend(0xDC00..=0xDDFF);
    for n in [2, 3, 5, 6] {
        illegal.extend((0..0x40).map(|operand| 0xDE00 | n << 6 | operand));
    }
    illegal.extend(0xDFC4..=0xDFFF);
    illegal.extend(0xAE00..=0xAEFF);
    illegal.extend(0xCE00..=0xCEFF);
    for code in 0..16 {
        for bits in 0xC0..=0xFF {
            illegal.extend([0xA000 | code << 8 | bits, 0xC000 | code << 8 | bits]);
        }
        // Through a byte operand: b[r8], b[r8++], b[direct], b[r8+n].
        for operand in [0x18, 0x28, 0x2F, 0x38] {
            illegal.extend([0xA080, 0xC080].map(|jump| jump | code << 8 | operand));
        }
    }
    for (_, operation) in OPERATIONS {
        // An immediate destination, and bytes through R15 on either side.
        illegal.extend([operation | 0x1F, operation | 0x3F, operation | 0x3F << 6]);
    }
    for kind in 0..6 {
        illegal.extend([0xD000 | kind << 9 | 0x1F, 0xD000 | kind << 9 | 0x3F]);
    }
    let mut machine = Machine::words(&[0]);
    machine.set_flags(I | C);
    let registers = machine.ram.bytes[..0x1000].to_vec();
    for opcode in illegal {
        machine.ram.set_word(CODE, opcode);
        let stop = machine.stop();
        assert_eq!((stop.pc, stop.opcode), (CODE, opcode));
        assert_eq!((machine.cpu.pc(), machine.flags()), (CODE, I | C), "{opcode:04x}");
        assert!(machine.ram.bytes[..0x1000] == registers[..], "{opcode:04x}");
    }
}

#[test]
fn a_chip_model_serves_a_trap_and_goes_on_behind_it() {
    let mut machine = Machine::words(&[0xAF40]);
    machine.ram.set_word(0x80, 0xE080);
    machine.ram.set_word(0xE080, 0xF040);
    machine.ram.set_word(0xE082, 0xCF97);
    machine.step();
    let stop = machine.stop();
    assert_eq!(stop.to_string(), "illegal instruction 0xf040 at 0xe080: unassigned opcode");
    machine.cpu.set_pc(stop.pc + 2);
    machine.step();
    assert_eq!((machine.cpu.pc(), machine.r(15)), (CODE + 2, STACK));
}
