//! Garbage as a program: the CPU always answers, with clocks or with a stop.

use proptest::prelude::*;

use super::super::{Cpu, Flags, Instruction, disassemble};
use super::Ram;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn stepping_random_memory_never_panics_and_a_stop_changes_nothing(
        seed in prop::collection::vec(any::<u16>(), 256),
        pc in any::<u16>(),
        bank in any::<u16>(),
        flags in any::<u16>(),
    ) {
        let mut ram = Ram::new();
        // Different garbage throughout, from a short seed.
        let mut mixed = 0x9E37u16;
        for address in (0..=0xFFFEu16).step_by(2) {
            mixed = mixed.wrapping_mul(0x6255).wrapping_add(0x3619);
            ram.set_word(address, seed[usize::from(address >> 1) % 256] ^ mixed);
        }
        let mut cpu = Cpu::new(pc);
        cpu.set_bank(bank);
        cpu.set_flags(Flags::from_bits(flags));
        for turn in 0..2000u16 {
            prop_assert_eq!(cpu.pc() & 1, 0);
            let before = (cpu.pc(), cpu.flags(), cpu.bank(), cpu.accepts_interrupts());
            match cpu.step(&mut ram) {
                Ok(clocks) => prop_assert!((3..=9).contains(&clocks), "{} clocks", clocks),
                Err(stop) => {
                    let after = (cpu.pc(), cpu.flags(), cpu.bank(), cpu.accepts_interrupts());
                    prop_assert_eq!(before, after);
                    prop_assert_eq!(stop.pc, cpu.pc());
                    prop_assert!(Instruction::decode(stop.opcode).is_err());
                    cpu.set_pc(stop.pc.wrapping_add(2));
                }
            }
            if turn % 37 == 0 {
                cpu.interrupt(&mut ram, (turn & 0xFF) as u8);
            }
        }
    }

    #[test]
    fn a_listing_of_garbage_always_advances(
        pc in any::<u16>(),
        bytes in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (text, length) = disassemble(pc, rest);
            prop_assert!(!text.is_empty());
            prop_assert!((1..=rest.len()).contains(&length));
            rest = &rest[length..];
        }
    }
}
