//! Whole listings: bytes to text and back, and programs run to their end.

use super::super::{
    Condition, Control, Instruction, OneOperand, Operand, TwoOperand, Width, disassemble,
};
use super::listings::{CRC, ENCODINGS, Line, PAGE, READ, VENDOR_IMAGE, WRITE};
use super::{CODE, Machine, STACK};

/// Every line's text and length, with what follows it in memory in view.
fn assert_lists_as(program: &[Line]) {
    let bytes: Vec<u8> = program.iter().flat_map(|line| line.1.to_vec()).collect();
    let start = program[0].0;
    let mut next = start;
    for (address, line, text) in program {
        assert_eq!(*address, next, "the listing has a gap");
        if *text != "data" {
            let (got, length) = disassemble(*address, &bytes[usize::from(address - start)..]);
            assert_eq!((got.as_str(), length), (*text, line.len()), "at {address:04x}");
        }
        next += u16::try_from(line.len()).unwrap();
    }
}

#[test]
fn the_91_verified_encodings_disassemble_as_listed() {
    for (row, (address, bytes, text)) in (1..).zip(ENCODINGS) {
        let (got, length) = disassemble(address, bytes);
        assert_eq!((got.as_str(), length), (text, bytes.len()), "row {row}");
    }
}

#[test]
fn the_91_verified_encodings_execute() {
    for (row, (address, bytes, text)) in (1..).zip(ENCODINGS) {
        let mut machine = Machine::with(&[]);
        machine.ram.load(address, bytes);
        machine.cpu.set_pc(address);
        for n in 8..15 {
            machine.set(n, 0x2000 + 0x100 * u16::from(n));
        }
        let clocks = machine.step();
        let length = u16::try_from(bytes.len()).unwrap();
        let transfers = ["j", "call", "int ", "ret"].iter().any(|name| text.starts_with(name));
        if !transfers {
            assert_eq!(machine.cpu.pc(), address + length, "row {row}: {text}");
        }
        // Two extension words, a read and a write are the most there is.
        assert!((3..=7).contains(&clocks), "row {row}: {clocks} clocks");
        assert_eq!(machine.ram.stray, 0, "row {row}: the bus was asked for a core register");
    }
}

/// The opcode word of a decoded instruction, derived anew from the bit layouts.
fn encode(instruction: Instruction) -> u16 {
    fn b(width: Width) -> u16 {
        if width == Width::Byte { 8 } else { 0 }
    }
    fn field(operand: Operand) -> u16 {
        match operand {
            Operand::Register(n) => u16::from(n),
            Operand::Immediate => 0b01_1111,
            Operand::Stack => 0b01_0111,
            Operand::Indirect(pointer, width) => 0b01_0000 | b(width) | u16::from(pointer - 8),
            Operand::AutoIncrement(pointer, width) => 0b10_0000 | b(width) | u16::from(pointer - 8),
            Operand::Direct(width) => 0b10_0111 | b(width),
            Operand::Indexed(pointer, width) => 0b11_0000 | b(width) | u16::from(pointer - 8),
        }
    }
    fn condition(condition: Condition) -> u16 {
        let number = match condition {
            Condition::Zero => 0,
            Condition::NotZero => 1,
            Condition::Carry => 2,
            Condition::NotCarry => 3,
            Condition::Sign => 4,
            Condition::NotSign => 5,
            Condition::Overflow => 6,
            Condition::NotOverflow => 7,
            Condition::Above => 8,
            Condition::BelowOrEqual => 9,
            Condition::Greater => 10,
            Condition::GreaterOrEqual => 11,
            Condition::Less => 12,
            Condition::LessOrEqual => 13,
            Condition::Always => 15,
        };
        number << 8
    }
    let one = |kind: u16, count: u8, operand| {
        0xD000 | kind << 9 | u16::from(count - 1) << 6 | field(operand)
    };
    match instruction {
        Instruction::Two(operation, destination, source) => {
            let number = match operation {
                TwoOperand::Mov => 0,
                TwoOperand::Add => 1,
                TwoOperand::Addc => 2,
                TwoOperand::Sub => 3,
                TwoOperand::Subb => 4,
                TwoOperand::Cmp => 5,
                TwoOperand::And => 6,
                TwoOperand::Test => 7,
                TwoOperand::Or => 8,
                TwoOperand::Xor => 9,
            };
            number << 12 | field(source) << 6 | field(destination)
        }
        Instruction::One(OneOperand::Shr(count), operand) => one(0, count, operand),
        Instruction::One(OneOperand::Shl(count), operand) => one(1, count, operand),
        Instruction::One(OneOperand::Ror(count), operand) => one(2, count, operand),
        Instruction::One(OneOperand::Rol(count), operand) => one(3, count, operand),
        Instruction::One(OneOperand::Addi(count), operand) => one(4, count, operand),
        Instruction::One(OneOperand::Subi(count), operand) => one(5, count, operand),
        Instruction::One(OneOperand::Not, operand) => one(7, 1, operand),
        Instruction::One(OneOperand::Neg, operand) => one(7, 2, operand),
        Instruction::One(OneOperand::Cbw, operand) => one(7, 5, operand),
        Instruction::Control(Control::Sti) => 0xDFC0,
        Instruction::Control(Control::Cli) => 0xDFC1,
        Instruction::Control(Control::Stc) => 0xDFC2,
        Instruction::Control(Control::Clc) => 0xDFC3,
        Instruction::Int(code, vector) => 0xA000 | condition(code) | u16::from(vector),
        Instruction::Call(code, operand) => 0xA080 | condition(code) | field(operand),
        Instruction::ShortJump(code, words) => {
            0xC000 | condition(code) | u16::from(words.cast_unsigned()) & 0x7F
        }
        Instruction::Jump(code, operand) => 0xC080 | condition(code) | field(operand),
    }
}

#[test]
fn the_91_verified_encodings_survive_a_round_trip() {
    for (row, (_, bytes, text)) in (1..).zip(ENCODINGS) {
        let opcode = u16::from_le_bytes([bytes[0], bytes[1]]);
        let instruction = Instruction::decode(opcode).unwrap();
        assert_eq!(encode(instruction), opcode, "row {row}: {text}");
        assert_eq!(usize::from(instruction.length()), bytes.len(), "row {row}: {text}");
    }
}

#[test]
fn no_two_legal_opcodes_mean_the_same() {
    let mut legal = 0;
    for opcode in 0..=0xFFFF {
        if let Ok(instruction) = Instruction::decode(opcode) {
            assert_eq!(encode(instruction), opcode, "{instruction:?}");
            legal += 1;
        }
    }
    assert!(legal > 0x8000, "{legal} legal opcodes");
}

#[test]
fn the_vendor_eeprom_image_lists_as_captured() {
    assert_lists_as(VENDOR_IMAGE);
}

#[test]
fn the_eeprom_routines_list_as_assembled() {
    assert_lists_as(READ);
    assert_lists_as(WRITE);
    assert_lists_as(PAGE);
    assert_lists_as(CRC);
}

#[test]
fn what_is_illegal_or_cut_off_lists_as_data() {
    assert_eq!(disassemble(0, &[]), (String::new(), 0));
    assert_eq!(disassemble(0, &[0x12]), ("db 0x12".to_owned(), 1));
    assert_eq!(disassemble(0, &[0x12, 0xF0, 0x97, 0xCF]), ("dw 0xf012".to_owned(), 2));
    assert_eq!(disassemble(0, &[0xE7, 0x07, 0x22, 0x00, 0x0C]), ("dw 0x07e7".to_owned(), 2));
}

#[test]
fn spellings_beyond_the_listings() {
    for (bytes, text) in [
        (&[0xE7, 0x0D, 0xFC, 0xFF, 0x00, 0xC0][..], "mov w[0xc000],w[r15-4]"),
        (&[0x86, 0xA0], "cz r6"),
        (&[0x97, 0xC1], "rnz"),
        (&[0x05, 0xA2], "intc 5"),
        (&[0x03, 0xD4], "ror r3,1"),
        (&[0xC3, 0xD7], "rol r3,8"),
        (&[0x00, 0xDE], "not r0"),
        (&[0x41, 0xDE], "neg r1"),
        (&[0x02, 0xDF], "cbw r2"),
        (&[0xC1, 0xDF], "cli"),
        (&[0xC2, 0xDF], "stc"),
        (&[0x7F, 0xCF], "jmp 0x1000"),
    ] {
        assert_eq!(disassemble(CODE, bytes), (text.to_owned(), bytes.len()));
    }
}

/// Runs the CRC routine over "123456789" with itself loaded at `base`.
fn crc_at(base: u16) -> (u16, u16, u16) {
    const VECTOR: u16 = 0x7A;
    const TEXT: u16 = 0x2801;
    let mut machine = Machine::words(&[0xAF00 | VECTOR]);
    for (offset, bytes, _) in CRC {
        machine.ram.load(base + offset, bytes);
    }
    machine.ram.set_word(2 * VECTOR, base);
    machine.ram.load(TEXT, b"123456789");
    machine.ram.set_word(base + 4, TEXT);
    machine.ram.set_word(base + 6, 9);
    let registers: Vec<u16> = (0..15).map(|n| 0x1111 * (n + 1)).collect();
    for (n, value) in (0..).zip(&registers) {
        machine.set(n, *value);
    }
    for _ in 0..2000 {
        machine.step();
        if machine.cpu.pc() == CODE + 2 {
            break;
        }
    }
    assert_eq!(machine.cpu.pc(), CODE + 2, "it did not return");
    let after: Vec<u16> = (0..15).map(|n| machine.r(n)).collect();
    assert_eq!(after, registers);
    assert_eq!(machine.r(15), STACK);
    (machine.ram.word(base + 2), machine.ram.word(base + 8), machine.ram.word(base + 0xA))
}

#[test]
fn the_crc_routine_computes_the_published_check_value_wherever_it_is_loaded() {
    for base in [0x0500, 0x0A02, 0x3000] {
        assert_eq!(crc_at(base), (0xD0CE, 0x29B1, 0x01DD), "at {base:04x}");
    }
}
