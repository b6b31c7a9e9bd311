//! Operand modes, the stack, and the two registers that the core keeps to itself.

use super::super::Bus16;
use super::{CODE, Machine, STACK};

/// Opcode fields for R9 as pointer, word then byte.
const INDIRECT: [u16; 2] = [0b01_0001, 0b01_1001];
const AUTO_INCREMENT: [u16; 2] = [0b10_0001, 0b10_1001];
const DIRECT: [u16; 2] = [0b10_0111, 0b10_1111];
const INDEXED: [u16; 2] = [0b11_0001, 0b11_1001];
const IMMEDIATE: u16 = 0b01_1111;
const STACK_OPERAND: u16 = 0b01_0111;

const MOV: u16 = 0x0000;
const ADD: u16 = 0x1000;

/// The memory operand's mode, extension words, and R9 before and after.
fn memory_modes(byte: usize) -> [(u16, Vec<u16>, u16, u16); 4] {
    let step = if byte == 0 { 2 } else { 1 };
    [
        (INDIRECT[byte], vec![], 0x2000, 0x2000),
        (AUTO_INCREMENT[byte], vec![], 0x2000, 0x2000 + step),
        (DIRECT[byte], vec![0x2000], 0x7777, 0x7777),
        (INDEXED[byte], vec![0x1000], 0x1000, 0x1000),
    ]
}

#[test]
fn every_memory_mode_is_a_source_of_mov_and_add() {
    for byte in 0..2 {
        for (mode, extension, before, after) in memory_modes(byte) {
            for (operation, start) in [(MOV, 0x0000), (ADD, 0x0101)] {
                let code = [vec![operation | mode << 6 | 3], extension.clone()].concat();
                let mut machine = Machine::words(&code);
                machine.set(9, before);
                machine.set(3, 0x0101);
                machine.ram.set_word(0x2000, 0xA55A);
                machine.step();
                let value = if byte == 0 { 0xA55A } else { 0x005A };
                assert_eq!(machine.r(3), start + value, "mode {mode:02x}");
                assert_eq!(machine.r(9), after, "mode {mode:02x}");
                assert_eq!(usize::from(machine.cpu.pc() - CODE), 2 * code.len());
            }
        }
    }
}

#[test]
fn every_memory_mode_is_a_destination_of_mov_and_add() {
    for byte in 0..2 {
        for (mode, extension, before, after) in memory_modes(byte) {
            for (operation, old) in [(MOV, 0), (ADD, 0x1111)] {
                let code = [vec![operation | 3 << 6 | mode], extension.clone()].concat();
                let mut machine = Machine::words(&code);
                machine.set(9, before);
                machine.set(3, 0x4242);
                machine.ram.set_word(0x2000, 0x1111);
                machine.step();
                let low = 0x4242 + old;
                let expected = if byte == 0 { low } else { 0x1100 | low & 0xFF };
                assert_eq!(machine.ram.word(0x2000), expected, "mode {mode:02x}");
                assert_eq!(machine.r(9), after, "mode {mode:02x}");
                assert_eq!(usize::from(machine.cpu.pc() - CODE), 2 * code.len());
            }
        }
    }
}

#[test]
fn register_and_immediate_are_sources() {
    let mut machine = Machine::words(&[MOV | 7 << 6 | 3, ADD | IMMEDIATE << 6 | 3, 0x0203]);
    machine.set(7, 0x1000);
    machine.steps(2);
    assert_eq!(machine.r(3), 0x1203);
}

#[test]
fn the_source_extension_word_comes_first() {
    // cmp [096A],[0966], at ST 0C2A.
    let mut machine = Machine::with(&[0xE7, 0x59, 0x66, 0x09, 0x6A, 0x09]);
    machine.ram.set_word(0x0966, 1);
    machine.ram.set_word(0x096A, 2);
    machine.step();
    assert_eq!(machine.flags(), 0, "2 compared with 1 neither borrows nor is zero");
}

#[test]
fn a_push_goes_below_the_stack_pointer_and_a_pop_brings_it_back() {
    let mut machine = Machine::with(&[0x17, 0x00, 0xC1, 0x05]);
    machine.set(15, 0x0200);
    machine.set(0, 0xA55A);
    machine.step();
    assert_eq!((machine.r(15), machine.ram.word(0x01FE)), (0x01FE, 0xA55A));
    machine.step();
    assert_eq!((machine.r(15), machine.r(1)), (0x0200, 0xA55A));
}

#[test]
fn arithmetic_on_the_top_of_the_stack_leaves_the_stack_pointer() {
    let mut machine = Machine::words(&[ADD | IMMEDIATE << 6 | STACK_OPERAND, 5]);
    machine.ram.set_word(STACK, 0x10);
    machine.step();
    assert_eq!((machine.r(15), machine.ram.word(STACK)), (STACK, 0x15));
}

#[test]
fn push_and_pop_for_the_chip_model_use_the_same_stack() {
    let mut machine = Machine::with(&[0xC0, 0x05]);
    machine.cpu.push(&mut machine.ram, 0x1234);
    machine.step();
    assert_eq!((machine.r(0), machine.r(15)), (0x1234, STACK));
    machine.ram.set_word(STACK, 0x4321);
    assert_eq!(machine.cpu.pop(&mut machine.ram), 0x4321);
    assert_eq!(machine.r(15), STACK + 2);
}

#[test]
fn an_indexed_read_through_r15_moves_no_stack_pointer() {
    // addi r15,4; mov [C000],[r15-4]
    let mut machine = Machine::with(&[0xCF, 0xD8, 0xE7, 0x0D, 0xFC, 0xFF, 0x00, 0xC0]);
    machine.ram.set_word(STACK, 0x001F);
    machine.steps(2);
    assert_eq!(machine.r(15), STACK + 4);
    assert_eq!(machine.flags(), 0x1F);
}

#[test]
fn a_byte_read_is_zero_extended_and_a_byte_write_keeps_its_neighbour() {
    // mov r0,b[2001]; mov b[2002],r1
    let mut machine = Machine::with(&[0xC0, 0x0B, 0x01, 0x20, 0x6F, 0x00, 0x02, 0x20]);
    machine.set(0, 0xFFFF);
    machine.set(1, 0xBEEF);
    machine.ram.load(0x2000, &[0x11, 0xFE, 0x22, 0x33]);
    machine.steps(2);
    assert_eq!(machine.r(0), 0x00FE);
    assert_eq!(machine.ram.word(0x2002), 0x33EF);
}

#[test]
fn auto_increment_steps_by_the_width_on_both_sides() {
    // mov w[r9++],w[r8++]; mov b[r9++],b[r8++]
    let mut machine = Machine::words(&[0x0821, 0x0A29]);
    machine.set(8, 0x2000);
    machine.set(9, 0x3000);
    machine.ram.load(0x2000, &[1, 2, 3, 4]);
    machine.step();
    assert_eq!((machine.r(8), machine.r(9)), (0x2002, 0x3002));
    machine.step();
    assert_eq!((machine.r(8), machine.r(9)), (0x2003, 0x3003));
    assert_eq!(machine.ram.bytes[0x3000..0x3004], [1, 2, 3, 0]);
}

#[test]
fn auto_increment_of_a_read_and_written_place_steps_once() {
    // add w[r9++],r3
    let mut machine = Machine::words(&[ADD | 3 << 6 | AUTO_INCREMENT[0]]);
    machine.set(9, 0x2000);
    machine.set(3, 4);
    machine.ram.set_word(0x2000, 0x10);
    machine.step();
    assert_eq!((machine.r(9), machine.ram.word(0x2000)), (0x2002, 0x14));
}

#[test]
fn an_indexed_address_wraps_at_16_bits() {
    // mov r0,w[r9-2]
    let mut machine = Machine::words(&[MOV | INDEXED[0] << 6, 0xFFFE]);
    machine.set(9, 0x2002);
    machine.ram.set_word(0x2000, 0x1234);
    machine.step();
    assert_eq!(machine.r(0), 0x1234);
}

#[test]
fn a_word_at_an_odd_address_is_the_word_below() {
    let mut machine = Machine::words(&[MOV | DIRECT[0] << 6, 0x2001]);
    machine.ram.set_word(0x2000, 0x1234);
    machine.step();
    assert_eq!(machine.r(0), 0x1234);
}

#[test]
fn the_registers_are_words_of_ram_at_the_bank() {
    // mov [0106],r0 sets R3; mov r1,[011E] reads R15.
    let mut machine = Machine::with(&[0x27, 0x00, 0x06, 0x01, 0xC1, 0x09, 0x1E, 0x01]);
    machine.set(0, 0xCAFE);
    machine.steps(2);
    assert_eq!((machine.r(3), machine.r(1)), (0xCAFE, STACK));
}

#[test]
fn writing_c002_changes_the_bank_and_drops_its_low_bits() {
    // mov [C002],0x013F; mov r0,0x55; mov r1,[C002]
    let mut machine = Machine::with(&[
        0xE7, 0x07, 0x3F, 0x01, 0x02, 0xC0, 0xC0, 0x07, 0x55, 0x00, 0xC1, 0x09, 0x02, 0xC0,
    ]);
    machine.set(0, 0x1111);
    machine.steps(3);
    assert_eq!(machine.cpu.bank(), 0x0120);
    assert_eq!((machine.ram.word(0x0100), machine.ram.word(0x0120)), (0x1111, 0x0055));
    assert_eq!(machine.r(1), 0x0120);
}

#[test]
fn c000_holds_five_flags_and_neither_register_reaches_the_bus() {
    // mov [C000],FFFF; push [C000]; mov b[C000],0; mov r0,b[C003]; mov r1,b[C002]
    let mut machine = Machine::with(&[
        0xE7, 0x07, 0xFF, 0xFF, 0x00, 0xC0, 0xD7, 0x09, 0x00, 0xC0, 0xEF, 0x07, 0x00, 0x00, 0x00,
        0xC0, 0xC0, 0x0B, 0x03, 0xC0, 0xC1, 0x0B, 0x02, 0xC0,
    ]);
    machine.steps(2);
    assert_eq!(machine.ram.word(STACK - 2), 0x001F);
    machine.steps(3);
    assert_eq!(machine.flags(), 0);
    assert_eq!((machine.r(0), machine.r(1)), (0x01, 0x00));
    assert_eq!(machine.ram.stray, 0);
    assert_eq!(machine.ram.read_word(0xC000), 0);
}

#[test]
fn clocks_of_the_one_measured_loop_are_seven() {
    // dec r2; jnz back to it: 148 ns at 48 MHz [TA].
    let mut machine = Machine::words(&[0xDA02, 0xC17E]);
    machine.set(2, 2);
    assert_eq!(machine.step() + machine.step(), 7);
    assert_eq!(machine.cpu.pc(), CODE);
    assert_eq!(machine.step() + machine.step(), 6);
    assert_eq!(machine.cpu.pc(), CODE + 4);
}

#[test]
fn the_source_steps_its_pointer_before_the_destination_uses_it() {
    // mov w[r9],w[r9++]
    let mut machine = Machine::words(&[MOV | AUTO_INCREMENT[0] << 6 | INDIRECT[0]]);
    machine.set(9, 0x2000);
    machine.ram.set_word(0x2000, 0x1234);
    machine.step();
    assert_eq!((machine.r(9), machine.ram.word(0x2002)), (0x2002, 0x1234));
}

#[test]
fn either_half_of_the_bank_register_is_written_alone() {
    // mov b[C003],r1; then, in the new bank, mov b[C002],0x45
    let mut machine = Machine::with(&[0x6F, 0x00, 0x03, 0xC0, 0xEF, 0x07, 0x45, 0x00, 0x02, 0xC0]);
    machine.set(1, 0xFF03);
    machine.step();
    assert_eq!(machine.cpu.bank(), 0x0300);
    machine.step();
    assert_eq!(machine.cpu.bank(), 0x0340);
}
