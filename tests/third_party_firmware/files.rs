//! The files of firmware: every byte of one is accounted for, and what is not known is an error.

use std::path::{Path, PathBuf};

use super::debian::{Format, Row};

/// A file of a package. RECOVER_DEBIAN_FIRMWARE names the folder into which the packages were
/// unpacked; installed ones lie at the root.
pub fn debian_file(row: &Row) -> Option<Vec<u8>> {
    let root = std::env::var_os("RECOVER_DEBIAN_FIRMWARE").map_or("/".into(), PathBuf::from);
    let places = [root.join(row.file), Path::new("/").join(row.file)];
    places.iter().find_map(|path| std::fs::read(path).ok())
}

/// Address and bytes of each record of a firmware.
pub fn loads(format: Format, file: &[u8]) -> Vec<(u16, Vec<u8>)> {
    match format {
        Format::Flat => {
            let places = (0..).step_by(1024);
            places.zip(file.chunks(1024)).map(|(at, bytes)| (at, bytes.to_vec())).collect()
        }
        Format::Hex => records(std::str::from_utf8(file).unwrap()),
        Format::BinaryRecords => binary_records(file),
        Format::BinaryHex => binary_hex(file),
    }
}

fn binary_records(file: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = file;
    loop {
        let [0, 0, a0, a1, l0, l1, behind @ ..] = rest else {
            panic!("no record at {:x?}", &rest[..rest.len().min(8)]);
        };
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        if length == 0 {
            assert!(behind.iter().all(|byte| *byte == 0), "bytes behind the end: {behind:x?}");
            return found;
        }
        found.push((u16::from_be_bytes([*a0, *a1]), behind[..length].to_vec()));
        // Header and data are filled to whole words together.
        rest = &rest[(6 + length).next_multiple_of(4)..];
    }
}

fn binary_hex(file: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = file;
    // Some files end without an end record.
    while !rest.is_empty() {
        let [length, low, high, kind, behind @ ..] = rest else {
            panic!("no record at {rest:x?}");
        };
        let (data, behind) = behind.split_at(usize::from(*length));
        rest = &behind[1..];
        match kind {
            0 => found.push((u16::from_le_bytes([*low, *high]), data.to_vec())),
            1 => {
                assert_eq!(rest, [0_u8; 0], "bytes behind the end");
                return found;
            }
            _ => panic!("a record of kind {kind:02x}"),
        }
    }
    found
}

/// Address and bytes of each data record of Intel HEX.
pub fn records(text: &str) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    let mut has_ended = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            continue;
        }
        let bytes = hex::decode(line.strip_prefix(':').unwrap()).unwrap();
        let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let [length, high, low, kind, data @ .., _] = bytes.as_slice() else {
            panic!("no record: {line}");
        };
        assert_eq!((sum, data.len(), has_ended), (0, usize::from(*length), false), "{line}");
        match kind {
            0 => found.push((u16::from_be_bytes([*high, *low]), data.to_vec())),
            1 => has_ended = true,
            _ => panic!("a record of kind {kind:02x}: {line}"),
        }
    }
    assert!(has_ended, "no end record");
    found
}

/// What a chip's memory holds behind the records; `None` where none of them leads.
pub fn memory(loads: &[(u16, Vec<u8>)]) -> Vec<Option<u8>> {
    let mut memory = vec![None; 0x1_0000];
    for (address, bytes) in loads {
        for (at, byte) in (usize::from(*address)..).zip(bytes) {
            memory[at] = Some(*byte);
        }
    }
    memory
}

/// bcdDevice of the device descriptors with those ids among the bytes of a program.
pub fn releases(memory: &[Option<u8>], [vendor, product]: [u16; 2]) -> Vec<u16> {
    let mut found: Vec<u16> = memory
        .windows(18)
        .filter_map(|window| window.iter().copied().collect::<Option<Vec<u8>>>())
        .filter_map(|bytes| match *bytes.as_slice() {
            [18, 1, _, _, _, _, _, 64, v0, v1, p0, p1, r0, r1, _, _, _, 1] => {
                let ids = [u16::from_le_bytes([v0, v1]), u16::from_le_bytes([p0, p1])];
                (ids == [vendor, product]).then(|| u16::from_le_bytes([r0, r1]))
            }
            _ => None,
        })
        .collect();
    found.dedup();
    found
}

#[test]
fn a_record_nobody_knows_is_an_error_and_not_the_end() {
    use std::panic::catch_unwind;

    let good = ":0100000012ED\n:00000001FF\n";
    assert_eq!(records(good), [(0, vec![0x12])]);
    for bad in [":0100000512E8\n:00000001FF\n", ":0100000012EE\n:00000001FF\n", ":0100000012ED\n"] {
        assert!(catch_unwind(|| records(bad)).is_err(), "{bad}");
    }
    let good = [1, 0, 0, 0, 0x12, 0xED, 0, 0, 0, 1, 0xFF];
    assert_eq!(binary_hex(&good), [(0, vec![0x12])]);
    for (at, byte) in [(3, 5), (9, 2)] {
        let mut bad = good;
        bad[at] = byte;
        assert!(catch_unwind(|| binary_hex(&bad)).is_err(), "{bad:x?}");
    }
    let good = [0, 0, 0x01, 0x00, 0, 2, 0x12, 0x34, 0, 0, 0, 0, 0, 0];
    assert_eq!(binary_records(&good), [(0x100, vec![0x12, 0x34])]);
    for (at, byte) in [(0, 1), (8, 1), (13, 9)] {
        let mut bad = good;
        bad[at] = byte;
        assert!(catch_unwind(|| binary_records(&bad)).is_err(), "{bad:x?}");
    }
}
