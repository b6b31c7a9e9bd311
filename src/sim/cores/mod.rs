//! The processors of the virtual chips: they execute a loader's real machine code.
//!
//! A core knows instructions, registers and interrupts. It does not know a memory map, a boot ROM
//! or a peripheral: those belong to the chip model, which a core sees through a bus trait.
//! Next: [`cy16`], [`mcs51`].

pub mod cy16;
pub mod mcs51;
