//! The virtual 8051 in lock-step with an independent one: `s51` of Debian's sdcc-ucsim.
//!
//! Both execute the same 64 KB of random bytes. Ours goes first and, where it is about to execute
//! what the two do not model alike, replaces that instruction's operand, or jumps away when the
//! byte has been used already. Left out, and why:
//!
//! - opcode A5, which MCS-51 does not assign;
//! - special function registers other than ACC, B, PSW, SP, DPL and DPH: ports, timers, serial
//!   ports and interrupts differ from chip to chip, as does DPS;
//! - MOVX @Ri, whose upper address half is P2 at `s51` and MPAGE here;
//! - MOVC beyond FFFF, where `s51` does not go on at 0000;
//! - cycles: an 8052 has twelve clocks to one, an EZ-USB four;
//! - division by zero, after which A and B are undefined;
//! - a stack that leaves the internal RAM, which makes `s51` stop;
//! - writes to PSW that `s51` does not follow: single bits of the bank select, and a parity bit
//!   that is not the accumulator's, which `s51` keeps until the accumulator changes.
//!
//! Ignored by default, because it needs `s51`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{ChildStdout, Command, Stdio};

use recover::sim::cores::mcs51::{Bus8051, Cpu};

/// Instructions that are compared one by one.
const SINGLE: usize = 40_000;
/// Instructions that are compared in windows of [`WINDOW`].
const WINDOWED: usize = 1_000_000;
const WINDOW: usize = 10;
/// Execution goes on somewhere else after so many, for random code is soon in a loop.
const STRAND: usize = 400;

/// Where a stack pointer may be to be used.
const STACK: std::ops::RangeInclusive<u8> = 4..=0xFA;

/// xorshift64: reproducible, and no dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// 64 KB of program, 64 KB of external data.
struct World {
    code: Vec<u8>,
    used: Vec<bool>,
    data: Vec<u8>,
}

impl Bus8051 for World {
    fn fetch(&mut self, address: u16) -> u8 {
        self.used[usize::from(address)] = true;
        self.code[usize::from(address)]
    }

    fn read_external(&mut self, address: u16) -> u8 {
        self.data[usize::from(address)]
    }

    fn write_external(&mut self, address: u16, value: u8) {
        self.data[usize::from(address)] = value;
    }

    fn read_special(&mut self, address: u8, _: bool) -> u8 {
        panic!("special function register {address:02x} was read")
    }

    fn write_special(&mut self, address: u8, _: u8) {
        panic!("special function register {address:02x} was written")
    }
}

/// The code of a [`World`], with ACC for the byte at one address.
struct Instruction<'world> {
    world: &'world World,
    destination: u16,
}

impl Bus8051 for Instruction<'_> {
    fn fetch(&mut self, address: u16) -> u8 {
        if address == self.destination { 0xE0 } else { self.world.code[usize::from(address)] }
    }

    fn read_external(&mut self, _: u16) -> u8 {
        0
    }

    fn write_external(&mut self, _: u16, _: u8) {}

    fn read_special(&mut self, _: u8, _: bool) -> u8 {
        0
    }

    fn write_special(&mut self, _: u8, _: u8) {}
}

const ALIKE: [u8; 6] = [0xE0, 0xF0, 0xD0, 0x81, 0x82, 0x83];

/// Where the direct or bit addresses of `opcode` are, as offsets from it.
fn direct_operands(opcode: u8) -> &'static [u16] {
    match opcode {
        0x85 => &[1, 2],
        0x05
        | 0x15
        | 0x25
        | 0x35
        | 0x45
        | 0x55
        | 0x65
        | 0x75
        | 0x95
        | 0xB5
        | 0xC5
        | 0xD5
        | 0xE5
        | 0xF5
        | 0x42
        | 0x43
        | 0x52
        | 0x53
        | 0x62
        | 0x63
        | 0xC0
        | 0xD0
        | 0x86..=0x8F
        | 0xA6..=0xAF => &[1],
        0x10 | 0x20 | 0x30 | 0x72 | 0x82 | 0x92 | 0xA0 | 0xA2 | 0xB0 | 0xB2 | 0xC2 | 0xD2 => &[1],
        _ => &[],
    }
}

fn is_bit(opcode: u8) -> bool {
    direct_operands(opcode).len() == 1
        && matches!(opcode & 0xF, 0 | 2)
        && !matches!(opcode, 0x42 | 0x52 | 0x62 | 0xC0 | 0xD0)
}

fn is_alike(opcode: u8, operand: u8) -> bool {
    let byte = if is_bit(opcode) { operand & 0xF8 } else { operand };
    let unaware = match opcode {
        0x05 | 0x15 | 0x42 | 0x43 | 0x52 | 0x53 | 0x62 | 0x63 | 0xC5 | 0xD5 => operand == 0xD0,
        0x10 | 0x92 | 0xB2 | 0xC2 | 0xD2 => matches!(operand, 0xD0 | 0xD3 | 0xD4),
        _ => false,
    };
    operand < 0x80 || ALIKE.contains(&byte) && !unaware
}

impl World {
    /// Makes the instruction at `pc` one that both model alike; false when its bytes are in use.
    fn make_alike(&mut self, cpu: &Cpu, random: &mut Random) -> bool {
        let pc = cpu.pc();
        let opcode = self.code[usize::from(pc)];
        let table = match opcode {
            0x83 => pc.wrapping_add(1),
            0x93 => cpu.dptr(),
            _ => 0,
        };
        let wraps = table.checked_add(cpu.a().into()).is_none();
        let divides_by_zero = opcode == 0x84 && cpu.b() == 0;
        if matches!(opcode, 0xA5 | 0xE2 | 0xE3 | 0xF2 | 0xF3) || divides_by_zero || wraps {
            return self.replace(pc, 0x00);
        }
        // PUSH, POP, calls and returns at the ends of the internal RAM.
        let stacks = matches!(opcode, 0xC0 | 0xD0 | 0x12 | 0x22 | 0x32) || opcode & 0x1F == 0x11;
        if stacks && !STACK.contains(&cpu.sp()) {
            return false;
        }
        let lies = self.lies_about_parity(cpu);
        direct_operands(opcode).iter().all(|offset| {
            let at = pc.wrapping_add(*offset);
            if lies && self.code[usize::from(at)] == 0xD0 {
                return self.replace(at, 0xF0);
            }
            if is_alike(opcode, self.code[usize::from(at)]) {
                return true;
            }
            let choice = random.next();
            // The registers with bits come first.
            let register = ALIKE[choice as usize % if is_bit(opcode) { 3 } else { 6 }];
            let bit = if is_bit(opcode) { [1, 2, 5, 6, 7][(choice >> 8) as usize % 5] } else { 0 };
            let register = if is_alike(opcode, register | bit) { register } else { 0xE0 };
            self.replace(at, register | bit) && !self.lies_about_parity(cpu)
        })
    }

    /// Whether the instruction at `pc` writes a byte to PSW whose parity bit is not that of the
    /// accumulator. What is written is seen by writing it to the accumulator instead.
    fn lies_about_parity(&self, cpu: &Cpu) -> bool {
        let pc = cpu.pc();
        let opcode = self.code[usize::from(pc)];
        let destination = match opcode {
            0x75 | 0x86..=0x8F | 0xD0 | 0xF5 => pc.wrapping_add(1),
            0x85 => pc.wrapping_add(2),
            _ => return false,
        };
        if self.code[usize::from(destination)] != 0xD0 {
            return false;
        }
        let mut instruction = Instruction { world: self, destination };
        let mut instead = cpu.clone();
        instead.step(&mut instruction).unwrap();
        instead.a() & 1 != cpu.psw() & 1
    }

    fn replace(&mut self, at: u16, byte: u8) -> bool {
        if self.used[usize::from(at)] {
            return false;
        }
        self.code[usize::from(at)] = byte;
        true
    }

    fn intel_hex(&self) -> String {
        let mut text = String::new();
        for (row, bytes) in self.code.chunks(16).enumerate() {
            let [high, low] = ((row * 16) as u16).to_be_bytes();
            let header = [16, high, low, 0];
            let line: Vec<u8> = header.iter().chain(bytes).copied().collect();
            let sum = line.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
            writeln!(text, ":{}{sum:02X}", hex::encode_upper(line)).unwrap();
        }
        text + ":00000001FF\n"
    }
}

/// What `s51` prints after a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    pc: u16,
    registers: Vec<u8>,
    a: u8,
    b: u8,
    psw: u8,
    sp: u8,
    stack: Vec<u8>,
    dptr: u16,
}

impl State {
    fn of(cpu: &Cpu) -> Self {
        let bank = usize::from(cpu.psw() & 0x18);
        let memory = cpu.memory();
        Self {
            pc: cpu.pc(),
            registers: memory[bank..bank + 8].to_vec(),
            a: cpu.a(),
            b: cpu.b(),
            psw: cpu.psw(),
            sp: cpu.sp(),
            stack: (0..8.min(u16::from(cpu.sp()) + 1))
                .map(|down| memory[usize::from(cpu.sp()) - usize::from(down)])
                .collect(),
            dptr: cpu.dptr(),
        }
    }
}

/// One thing `s51` is asked to do, and the state it is to be in then.
enum Act {
    Jump(u16),
    Step(usize, State),
    Memory(Vec<u8>),
}

/// Ours executes; the result is the script for the other.
fn rehearse(seed: u64) -> (World, World, Vec<Act>, u64) {
    let mut random = Random(seed);
    let mut bytes = || (0..0x1_0000).map(|_| (random.next() >> 24) as u8).collect::<Vec<_>>();
    let mut world = World { code: bytes(), used: vec![false; 0x1_0000], data: bytes() };
    // MOV SP,#40, where a strand goes whose stack is at its end.
    world.code[..3].copy_from_slice(&[0x75, 0x81, 0x40]);
    world.used[..3].fill(true);
    let start = World { code: Vec::new(), used: Vec::new(), data: world.data.clone() };
    let mut cpu = Cpu::new();
    let mut acts = Vec::new();
    let (mut done, mut window, mut strand) = (0, 0, 0);
    let mut opcodes = [false; 256];
    while done < SINGLE + WINDOWED {
        let stuck = !world.make_alike(&cpu, &mut random);
        let size = if done < SINGLE { 1 } else { WINDOW };
        if window > 0 && (window == size || stuck || strand == STRAND) {
            acts.push(Act::Step(window, State::of(&cpu)));
            window = 0;
        }
        if stuck || strand == STRAND {
            if strand == STRAND {
                acts.push(Act::Memory(cpu.memory().to_vec()));
            }
            let new_stack = !STACK.contains(&cpu.sp());
            cpu.set_pc(if new_stack { 0 } else { (random.next() >> 16) as u16 });
            acts.push(Act::Jump(cpu.pc()));
            strand = 0;
            continue;
        }
        opcodes[usize::from(world.code[usize::from(cpu.pc())])] = true;
        cpu.step(&mut world).unwrap();
        (done, window, strand) = (done + 1, window + 1, strand + 1);
    }
    if window > 0 {
        acts.push(Act::Step(window, State::of(&cpu)));
    }
    let missing: Vec<_> = (0..256).filter(|opcode| !opcodes[*opcode]).collect();
    assert_eq!(missing, [0xA5, 0xE2, 0xE3, 0xF2, 0xF3], "opcodes that were not executed");
    (world, start, acts, done as u64)
}

struct Reader {
    from: BufReader<ChildStdout>,
    line: String,
}

impl Reader {
    fn line(&mut self) -> &str {
        self.line.clear();
        assert_ne!(self.from.read_line(&mut self.line).unwrap(), 0, "s51 ended");
        self.line.trim()
    }

    /// Reads on to the next line with `mark` in it.
    fn find(&mut self, mark: &str) -> String {
        while !self.line().contains(mark) {}
        self.line.clone()
    }

    fn state(&mut self) -> State {
        let number = |text: &str| {
            u16::from_str_radix(text, 16).unwrap_or_else(|_| panic!("{text} is no number"))
        };
        let bytes = |text: &str| {
            text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
        };
        let after = |line: &str, mark: &str| {
            let rest = line.split_once(mark).unwrap_or_else(|| panic!("{mark} not in {line}")).1;
            rest.trim_start().trim_start_matches("0x").to_owned()
        };
        let byte = |line: &str, mark: &str| number(&after(line, mark)[..2]) as u8;
        let pc = number(&after(&self.find("Stop at"), "0x")[2..6]);
        self.find("R0 R1");
        let registers = bytes(self.line());
        let accumulator = self.find("ACC=");
        let status = self.find("PSW=");
        let stack = self.find("-> ");
        let pointer = self.find("DPTR=");
        State {
            pc,
            registers,
            a: byte(&accumulator, "ACC="),
            b: byte(&accumulator, "B="),
            psw: byte(&status, "PSW="),
            sp: byte(&stack, "SP"),
            stack: bytes(stack.split_once("->").unwrap().1),
            dptr: number(&after(&pointer, "DPTR=")[..4]),
        }
    }

    fn memory(&mut self) -> Vec<u8> {
        // s51 echoes what it reads, in front of its answer; an instruction may end in 0x00, too.
        while self.find("0x00 ").len() < 3 * 256 {}
        let bytes = self.line.split_once("0x00 ").unwrap().1.split_whitespace().take(256);
        bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }
}

fn script(data: &[u8], acts: &[Act]) -> String {
    let mut text = String::from("fill iram 0 255 0\n");
    for (row, bytes) in data.chunks(64).enumerate() {
        write!(text, "set memory xram {}", row * 64).unwrap();
        for byte in bytes {
            write!(text, " {byte}").unwrap();
        }
        text.push('\n');
    }
    text.push_str("pc 0\n");
    for act in acts {
        match act {
            Act::Jump(pc) => writeln!(text, "pc {pc}"),
            Act::Step(1, _) => writeln!(text, "step"),
            Act::Step(count, _) => writeln!(text, "step {count}"),
            Act::Memory(_) => writeln!(text, "dump /h iram 0 255 256"),
        }
        .unwrap();
    }
    text + "quit\n"
}

#[test]
#[ignore = "needs s51 (Debian: sdcc-ucsim)"]
fn a_million_random_instructions_do_what_another_simulator_does() {
    let (world, start, acts, done) = rehearse(0x5DEE_CE66_D1CE_4E5B);
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("random.ihx");
    std::fs::write(&program, world.intel_hex()).unwrap();
    let mut child = Command::new("s51")
        .args(["-b", "-t", "C52"])
        .arg(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let text = script(&start.data, &acts);
    let writer = std::thread::spawn(move || to.write_all(text.as_bytes()));
    let from = BufReader::new(child.stdout.take().unwrap());
    let mut other = Reader { from, line: String::new() };
    let (mut before, mut executed) = (State::default(), 0);
    for act in &acts {
        match act {
            Act::Jump(pc) => before.pc = *pc,
            Act::Step(count, ours) => {
                let theirs = other.state();
                let at = usize::from(before.pc);
                let opcodes = &world.code[at..(at + 3).min(0x1_0000)];
                assert_eq!(
                    *ours, theirs,
                    "after {count} instructions from {before:x?}: {opcodes:02x?}; left: ours"
                );
                executed += count;
                before = theirs;
            }
            Act::Memory(ours) => assert_eq!(*ours, other.memory(), "internal RAM"),
        }
    }
    assert_eq!(executed as u64, done);
    writer.join().unwrap().ok();
    child.wait().unwrap();
    eprintln!("{executed} instructions, {SINGLE} of them compared one by one");
}
