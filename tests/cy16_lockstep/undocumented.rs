//! What no document of the CY16 decides, as data: how both interpreters read it, and how else it
//! could be read. Only silicon can tell.

/// How the lock-step treats a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The virtual chip must refuse it.
    Refused,
    /// Both chose the same reading and are compared; that they agree proves nothing of silicon.
    Compared,
}

pub struct Undocumented {
    pub name: &'static str,
    /// The reading of the virtual chip.
    pub reading: &'static str,
    pub other_reading: &'static str,
    pub treatment: Treatment,
    /// Whether it concerns an instruction word, given whether a word was accessed at an odd
    /// address and whether a single byte of C000-C003 was.
    pub concerns: fn(word: u16, odd_word: bool, control_byte: bool) -> bool,
}

fn is_byte(code: u16) -> bool {
    code & 0x38 > 0x10 && code & 8 != 0 && code != 0x1F
}

fn is_memory(code: u16) -> bool {
    code >= 0x10 && code != 0x1F
}

/// The destination is read and then written.
fn modifies(word: u16) -> bool {
    matches!(word >> 12, 1..=4 | 6 | 8 | 9) || word >> 12 == 0xD && word >> 6 & 0x3F != 0x3F
}

pub const UNDOCUMENTED: [Undocumented; 9] = [
    Undocumented {
        name: "jump or call through a byte operand",
        reading: "not assigned, so the core stops, whether the condition holds or not",
        other_reading: "the target is the byte, extended by zeros, or the word around it",
        treatment: Treatment::Refused,
        concerns: |word, _, _| {
            matches!(word >> 12, 0xA | 0xC) && word & 0xC0 == 0x80 && is_byte(word & 0x3F)
        },
    },
    Undocumented {
        name: "result that is put back on the stack, as in add [r15],r0",
        reading: "the read takes the word off, the write puts the result on at the same place",
        other_reading: "R15 moves once, or not at all",
        treatment: Treatment::Compared,
        concerns: |word, _, _| modifies(word) && word & 0x3F == 0x17,
    },
    Undocumented {
        name: "operands of different width",
        reading: "each operand has its own width; a byte is extended by zeros",
        other_reading: "one operand's width decides for both",
        treatment: Treatment::Compared,
        concerns: |word, _, _| {
            let (source, destination) = (word >> 6 & 0x3F, word & 0x3F);
            word >> 12 < 10
                && is_memory(source)
                && is_memory(destination)
                && is_byte(source) != is_byte(destination)
        },
    },
    Undocumented {
        name: "flags of a result that is stored in a byte",
        reading: "those of the 16-bit result",
        other_reading: "Z, S, C and O come from the low eight bits",
        treatment: Treatment::Compared,
        concerns: |word, _, _| {
            (modifies(word) || matches!(word >> 12, 5 | 7)) && is_byte(word & 0x3F)
        },
    },
    Undocumented {
        name: "word at an odd address",
        reading: "bit 0 of the address is not decoded",
        other_reading: "the bytes are swapped, or the access crosses into the next word",
        treatment: Treatment::Compared,
        concerns: |_, odd_word, _| odd_word,
    },
    Undocumented {
        name: "one byte of the flags or of the bank register",
        reading: "the other byte keeps its value",
        other_reading: "the whole register is written, or nothing",
        treatment: Treatment::Compared,
        concerns: |_, _, control_byte| control_byte,
    },
    Undocumented {
        name: "flags of NOT, NEG and CBW",
        reading: "Z and S from the result; NEG also C and O, as 0 - x",
        other_reading: "only NOT's are in the data sheet; C and O could stay",
        treatment: Treatment::Compared,
        concerns: |word, _, _| matches!(word >> 6, 0x379 | 0x37C),
    },
    Undocumented {
        name: "STI while interrupts are enabled",
        reading: "changes nothing: an interrupt may come before the next instruction",
        other_reading: "each STI holds interrupts off for one instruction",
        treatment: Treatment::Compared,
        concerns: |word, _, _| word == 0xDFC0,
    },
    Undocumented {
        name: "INT whose push overwrites its own vector",
        reading: "the vector is read after the push",
        other_reading: "the vector is read first",
        treatment: Treatment::Compared,
        concerns: |word, _, _| word >> 12 == 0xA && word & 0x80 == 0,
    },
];
