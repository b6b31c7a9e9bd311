//! Any text as assembler source.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    match recover::assembler::assemble(source) {
        Ok(assembly) => assert!(assembly.bytes.len() <= 1 << 20),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
