//! The CY16 loaders run on the CPU core, against an EEPROM that sees nothing but its two pins.
//!
//! The EEPROM is this file's own, so that neither the loaders nor the simulator's part can agree
//! with a mistake of theirs. Times are the core's clocks at 48 MHz; its pass of `dec` and `jnz`
//! takes 145.8 ns where the vendor says 148.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it does not expect"
)]

mod eeprom;
mod ez_eeprom;
mod machine;

use crate::assembler::assemble;

use crate::loaders_run::eeprom::Eeprom;
use crate::loaders_run::machine::Machine;

const SL11R_READ: &str = include_str!("../../recovery-images/loaders/cy16/sl11r-read.asm");
const REENUMERATE: &str = include_str!("../../recovery-images/loaders/cy16/ez-reenumerate.asm");

fn sum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum: u16, byte| sum.wrapping_add(u16::from(*byte)))
}

#[test]
fn the_sl11r_loader_reads_through_int_64_and_nothing_else() {
    let code = assemble(SL11R_READ).unwrap();
    // A BIOS that spoils what it may: R1, R2, R4, R5, R7 and the upper half of R0.
    let bios = assemble(
        "org 0x0A00\npush r8\nmov r8,r1\nadd r8,0x8000\nmov r0,b[r8]\nor r0,0xA500\npop r8\n\
         inc r1\nmov r2,0xDEAD\nmov r4,r2\nmov r5,r2\nmov r7,r2\nret",
    )
    .unwrap();
    for (base, vector) in [(0x0500u16, 0x52u16), (0x0702, 0x7A)] {
        let mut machine = Machine::new(Eeprom::new(256, false, 8));
        machine.put(0x0A00, &bios.bytes);
        machine.set_word(2 * 64, 0x0A00);
        machine.put(base, &code.bytes);
        machine.set_word(base + code.symbols["find"] + 2, 2 * vector);
        machine.set_word(2 * vector, base);
        let content: Vec<u8> = (0..256).map(|i| (i * 5 + 3) as u8).collect();
        machine.put(0x8000, &content);
        machine.set_word(base + code.symbols["addr"], 0x10);
        machine.set_word(base + code.symbols["count"], 0x80);
        machine.run(base);
        let buffer = usize::from(base + code.symbols["buffer"]);
        assert_eq!(machine.memory[buffer..][..0x80], content[0x10..0x90]);
        assert_eq!(machine.word(base + code.symbols["sum"]), sum(&content[0x10..0x90]));
        assert_eq!(machine.word(base + code.symbols["addr"]), 0x90);
        assert_eq!(machine.word(base + code.symbols["status"]), 0xD0CE);
    }
}

#[test]
fn the_port_is_left_and_set_up_again_after_the_request_has_ended() {
    let code = assemble(REENUMERATE).unwrap();
    let bios = assemble(
        "org 0x0A00\n\
         insert: mov [0x0B00],[0x8C]\nmov [0x8C],r0\nmov r0,[0x0B00]\nret\n\
         setup: add w[0x0B02],r2\nadd w[0x0B04],r1\nmov r1,0xDEAD\nmov r2,r1\nmov r8,r1\nret\n\
         idle: inc w[0x0B06]\nret\n\
         pass: push r0\npush r1\npush r2\npush r6\npush r8\npush r9\ncall [0x8C]\n\
         pop r9\npop r8\npop r6\npop r2\npop r1\npop r0\nret",
    )
    .unwrap();
    let mut machine = Machine::new(Eeprom::new(256, false, 8));
    machine.put(0x0A00, &bios.bytes);
    machine.set_word(2 * 72, bios.symbols["insert"]);
    machine.set_word(2 * 113, bios.symbols["setup"]);
    machine.set_word(2 * 70, bios.symbols["idle"]);
    let base = 0x0600;
    machine.put(base, &code.bytes);
    machine.set_word(2 * 0x7A, base);
    machine.set_word(base + code.symbols["wait"], 3);
    machine.set_word(base + code.symbols["ms"], 2);
    let status = base + code.symbols["status"];
    machine.run(base);
    assert_eq!(machine.word(status), 1);
    assert_eq!(machine.word(2 * 70), base + code.symbols["task"]);
    let pass = bios.symbols["pass"];
    for done in 1..3 {
        machine.run(pass);
        assert_eq!((machine.word(status), machine.word(0xC08A)), (1, 0), "pass {done}");
    }
    let before = machine.now();
    machine.run(pass);
    let took = machine.now() - before;
    assert!((1_900_000..2_200_000).contains(&took), "{took} ns off the bus");
    assert_eq!((machine.word(0xC08A), machine.word(0xC0AA)), (0x0380, 0x0380));
    assert_eq!((machine.word(0x0B02), machine.word(0x0B04)), (1 + 2, 0), "SIEs, speeds");
    assert_eq!(machine.word(status), 0xD0CE);
    assert_eq!(machine.word(2 * 70), bios.symbols["idle"], "it took itself out of the chain");
    assert_eq!(machine.word(0x0B06), 3, "the others ran at every pass");
    machine.run(pass);
    assert_eq!(machine.word(0x0B06), 4);
}
