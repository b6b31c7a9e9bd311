//! The committed machine code is what its committed source assembles to, byte for byte, and what
//! the host believes about the loaders is what their sources say.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it does not expect"
)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::assembler::{Assembly, assemble};
use recover::chip::cy16::loader::{
    EZ_EEPROM, EZ_REENUMERATE, EepromRequest, Loader, PARAMETERS, ReadRequest, SL11R_READ,
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "asm") {
            found.push(path);
        }
    }
}

#[test]
fn every_committed_binary_is_what_its_source_assembles_to() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    sources(&root.join("recovery-images"), &mut found);
    assert!(found.len() >= 5, "the sources were not found");
    let mut wrong = Vec::new();
    for source in found {
        let name = source.strip_prefix(root).unwrap().display().to_string();
        let assembly = assemble(&fs::read_to_string(&source).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let binary = source.with_extension("bin");
        if std::env::var_os("RECOVER_UPDATE").is_some() {
            fs::write(&binary, &assembly.bytes).unwrap();
        }
        if fs::read(&binary).ok() != Some(assembly.bytes) {
            wrong.push(name);
        }
    }
    let rebuild = "RECOVER_UPDATE=1 cargo test --test all loaders::";
    assert!(wrong.is_empty(), "not what its source says, rebuild with `{rebuild}`: {wrong:?}");
}

/// The records of a scan stream: opcode and body.
fn records(mut stream: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let Some(rest) = stream.strip_prefix(&[0xB6, 0xC3]) {
        let length = usize::from(u16::from_le_bytes([rest[0], rest[1]]));
        found.push((rest[2], &rest[3..3 + length]));
        stream = &rest[3 + length..];
    }
    assert_eq!(stream, [0, 0], "the stream ends with its terminator");
    found
}

#[test]
fn the_factory_images_are_streams_of_one_block_and_one_call() {
    for (name, minimum, maximum) in
        [("simulated-sl11r", 400, 0x0C00 - 0x04A4), ("simulated-ez-otg", 1200, 8192)]
    {
        let path = format!("{}/recovery-images/cy16/{name}", env!("CARGO_MANIFEST_DIR"));
        let stream = fs::read(format!("{path}/factory.bin")).unwrap();
        assert!((minimum..maximum).contains(&stream.len()), "{name}: {} bytes", stream.len());
        let records = records(&stream);
        assert_eq!(records[0].0, 2);
        assert_eq!(records[0].1[0], 0x7A);
        assert_eq!(records[1..], [(6, &[0x7A][..])]);
        let source = fs::read_to_string(format!("{path}/factory.asm")).unwrap();
        let symbols = assemble(&source).unwrap().symbols;
        for descriptors in ["device", "configuration", "strings"] {
            assert_eq!(symbols[descriptors] % 2, 0, "{name}: {descriptors} must be word aligned");
        }
        let block = &records[0].1[1..];
        let device = &block[usize::from(symbols["device"])..][..18];
        let id = [device[8], device[9], device[10], device[11]];
        match name {
            "simulated-sl11r" => assert_eq!(id, [0xCE, 0x04, 0x02, 0x00]),
            _ => assert_eq!(id, [0xB4, 0x04, 0x01, 0x72]),
        }
    }
}

fn text(loader: &Loader) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    fs::read_to_string(format!("{root}/recovery-images/loaders/cy16/{}.asm", loader.name)).unwrap()
}

/// Checks that the words from STATUS on are those names in the source.
fn in_order(assembly: &Assembly, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        let expected = PARAMETERS + 2 * u16::try_from(index).unwrap();
        assert_eq!(assembly.symbols[*name], expected, "{name}");
    }
}

#[test]
fn the_embedded_loaders_are_the_assembled_sources_with_their_buffers_behind() {
    for loader in [&SL11R_READ, &EZ_EEPROM, &EZ_REENUMERATE] {
        let assembly = assemble(&text(loader)).unwrap();
        assert_eq!(assembly.symbols["vector"], u16::from(loader.vector));
        assert!(loader.image(loader.vector, 0) == assembly.bytes, "{}", loader.name);
        if let Some(buffer) = assembly.symbols.get("buffer") {
            assert_eq!(loader.buffer(), *buffer);
        }
        assert_eq!(loader.buffer() % 2, 0);
        let image = loader.image(loader.vector, 100);
        assert_eq!(image.len(), usize::from(loader.buffer()) + 100);
        assert!(image.ends_with(&[0; 100]));
    }
}

#[test]
fn another_vector_is_patched_everywhere_the_source_uses_it() {
    for loader in [&SL11R_READ, &EZ_EEPROM, &EZ_REENUMERATE] {
        let text = text(loader);
        let own = format!("vector  equ {:#x}", loader.vector);
        assert!(text.contains(&own), "{}", loader.name);
        let other = assemble(&text.replace(&own, "vector  equ 0x39")).unwrap();
        assert!(loader.image(0x39, 0) == other.bytes, "{}", loader.name);
    }
}

#[test]
fn the_parameters_lie_where_the_sources_have_them() {
    let read = ["status", "addr", "count", "sum"];
    in_order(&assemble(&text(&SL11R_READ)).unwrap(), &read);
    assert_eq!(usize::from(ReadRequest::ANSWER_BYTES), 2 * read.len());
    let reenumerate = ["status", "old", "wait", "sies", "ms"];
    in_order(&assemble(&text(&EZ_REENUMERATE)).unwrap(), &reenumerate);
    let eeprom = [
        "status",
        "command",
        "control",
        "address",
        "count",
        "width",
        "page",
        "sda",
        "scl",
        "tries",
        "low",
        "high",
        "sum",
        "cycles",
        "differing",
        "at",
        "got",
    ];
    in_order(&assemble(&text(&EZ_EEPROM)).unwrap(), &eeprom);
    assert_eq!(usize::from(EepromRequest::ANSWER_BYTES), 2 * eeprom.len());
}
