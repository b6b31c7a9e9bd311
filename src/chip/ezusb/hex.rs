//! Intel HEX text, as firmware for these chips is kept.
//!
//! The crate `ihex` decodes a line; here are what it leaves open: lines of comment (Cypress's
//! a3load.hex begins with some), line numbers, bytes that are given twice, and records that are no
//! data but the upload's own reset of the 8051.

use std::collections::BTreeMap;

use ihex::{ReaderError, Record};

use super::model::Registers;

/// A stretch of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Address of the first byte.
    pub address: u16,
    /// The bytes; they end at or before FFFF.
    pub data: Vec<u8>,
}

/// Why a text is not Intel HEX for these chips. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// A line's checksum is not the one its bytes give.
    #[error("line {line}: the checksum is {got:02x}, its bytes give {expected:02x}")]
    Checksum {
        /// The line.
        line: usize,
        /// As written.
        got: u8,
        /// As computed.
        expected: u8,
    },
    /// A line that is no record.
    #[error("line {line}: {why}")]
    Line {
        /// The line.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Data beyond 64 KB.
    #[error("line {line}: {address:#x} is beyond the 64 KB these chips address")]
    Beyond {
        /// The line.
        line: usize,
        /// The address.
        address: u32,
    },
    /// The end record is missing: the file was cut.
    #[error("the end record is missing after line {line}: the file was cut")]
    NoEnd {
        /// The last line.
        line: usize,
    },
}

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Its bytes, in order of address; no piece touches the next.
    pub pieces: Vec<Piece>,
    /// What is unusual about it, a sentence without its full stop each.
    pub notes: Vec<String>,
}

/// CPUCS of both register maps. A program that uploads a file writes these records to hold the
/// 8051 and to let it run; the boot ROM does that by itself.
const CPUCS: [u16; 2] = [Registers::E6.cpucs(), Registers::Map7F.cpucs()];

/// Whether `bytes` look like Intel HEX: text whose first line that is no comment starts with `:`.
pub fn is_hex(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| lines(text).next().is_some_and(|(_, line)| line.starts_with(':')))
}

/// Lines that are neither empty nor comment, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Decodes a text. Of a byte that is given more than once the last one counts, as it does for
/// programs that upload record by record.
///
/// # Errors
/// [`HexError`], with the line.
pub fn parse(text: &str) -> Result<Parsed, HexError> {
    let mut notes = Vec::new();
    let mut bytes: BTreeMap<u16, u8> = BTreeMap::new();
    let mut base = 0_u32;
    let mut last = 0;
    let mut has_ended = false;
    for (line, content) in lines(text) {
        last = line;
        let wrong = |why: &str| HexError::Line { line, why: why.to_owned() };
        if has_ended {
            return Err(wrong("it follows the end record"));
        }
        match decode(line, content)? {
            Record::Data { offset, value }
                if base == 0 && value.len() == 1 && CPUCS.contains(&offset) =>
            {
                let text = format!(
                    "line {line}: the record for {offset:04x} (CPUCS) holds or starts the 8051 \
                     during an upload; it is no part of the program and is left out"
                );
                notes.push(text);
            }
            Record::Data { offset, value } => {
                let mut given_again = Again::default();
                for (place, byte) in (0_u32..).zip(value) {
                    let address = base.saturating_add(u32::from(offset)).saturating_add(place);
                    let address =
                        u16::try_from(address).map_err(|_| HexError::Beyond { line, address })?;
                    if let Some(before) = bytes.insert(address, byte) {
                        given_again.add(address, before != byte);
                    }
                }
                notes.extend(given_again.note(line));
            }
            Record::ExtendedSegmentAddress(segment) => base = u32::from(segment) << 4,
            Record::ExtendedLinearAddress(high) => base = u32::from(high) << 16,
            Record::EndOfFile => has_ended = true,
            // Where a host processor would start; the 8051 starts at 0000.
            Record::StartSegmentAddress { .. } | Record::StartLinearAddress(_) => {}
        }
    }
    if !has_ended {
        return Err(HexError::NoEnd { line: last });
    }
    Ok(Parsed { pieces: join(bytes), notes })
}

/// Bytes of one record that an earlier one gave.
#[derive(Default)]
struct Again {
    first: Option<u16>,
    count: usize,
    changed: usize,
}

impl Again {
    fn add(&mut self, address: u16, is_changed: bool) {
        self.first.get_or_insert(address);
        self.count += 1;
        self.changed += usize::from(is_changed);
    }

    fn note(&self, line: usize) -> Option<String> {
        let (first, count) = (self.first?, self.count);
        Some(match self.changed {
            0 => format!("line {line} gives {count} bytes from {first:04x} on again, unchanged"),
            changed => format!(
                "line {line} gives {count} bytes from {first:04x} on again, {changed} of them with \
                 another value; the last value counts"
            ),
        })
    }
}

fn decode(line: usize, content: &str) -> Result<Record, HexError> {
    Record::from_record_string(content).map_err(|error| match error {
        ReaderError::ChecksumMismatch(expected, got) => HexError::Checksum { line, got, expected },
        error => HexError::Line { line, why: error.to_string() },
    })
}

fn join(bytes: BTreeMap<u16, u8>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (address, byte) in bytes {
        match pieces.last_mut() {
            Some(piece)
                if usize::from(piece.address) + piece.data.len() == usize::from(address) =>
            {
                piece.data.push(byte);
            }
            _ => pieces.push(Piece { address, data: vec![byte] }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comment_lines_are_skipped_and_neighbours_joined() {
        let text = "# a3load\n#\n:0300000002000BF0\r\n\n:02000300AABB96\n:00000001FF\n";
        assert!(is_hex(text.as_bytes()));
        let Parsed { pieces, notes } = parse(text).unwrap();
        assert!(notes.is_empty(), "{notes:?}");
        assert_eq!(pieces, [Piece { address: 0, data: vec![2, 0, 0x0b, 0xaa, 0xbb] }]);
    }

    #[test]
    fn records_out_of_order_are_sorted() {
        let Parsed { pieces, .. } = parse(":01001000AA45\n:01000000BB44\n:00000001FF").unwrap();
        assert_eq!(pieces.iter().map(|piece| piece.address).collect::<Vec<_>>(), [0, 0x10]);
    }

    #[test]
    fn a_wrong_checksum_names_its_line() {
        let refused = parse("# note\n:0300000002000BF1\n:00000001FF");
        assert_eq!(refused, Err(HexError::Checksum { line: 2, got: 0xf1, expected: 0xf0 }));
    }

    #[test]
    fn of_a_byte_given_twice_the_last_one_counts_and_that_is_told() {
        let parsed = parse(":02000000AABB99\n:02000100CCDD54\n:00000001FF").unwrap();
        assert_eq!(parsed.pieces, [Piece { address: 0, data: vec![0xaa, 0xcc, 0xdd] }]);
        let told = "line 2 gives 1 bytes from 0001 on again, 1 of them with another value; the last value counts";
        assert_eq!(parsed.notes, [told]);
        let same = parse(":02000000AABB99\n:02000000AABB99\n:00000001FF").unwrap();
        assert_eq!(same.pieces, [Piece { address: 0, data: vec![0xaa, 0xbb] }]);
        assert_eq!(same.notes, ["line 2 gives 2 bytes from 0000 on again, unchanged"]);
    }

    #[test]
    fn the_reset_of_an_upload_is_no_part_of_the_program() {
        for (address, hold) in [("E600", "18"), ("7F92", "ED")] {
            let text = format!(":01{address}0001{hold}\n:01000000AA55\n:00000001FF");
            let parsed = parse(&text).unwrap();
            assert_eq!(parsed.pieces, [Piece { address: 0, data: vec![0xaa] }]);
            assert!(parsed.notes[0].contains("CPUCS"), "{:?}", parsed.notes);
        }
        // A byte of a longer record is data, and so is one in the RAM before.
        assert_eq!(
            parse(":02E600000102 15\n:00000001FF".replace(' ', "").as_str()).unwrap().pieces.len(),
            1
        );
        assert_eq!(parse(":01E5FF00011A\n:00000001FF").map(|parsed| parsed.pieces.len()), Ok(1));
    }

    #[test]
    fn data_beyond_64_kb_and_cut_files_are_refused() {
        let refused = parse(":020000040001F9\n:01000000AA55\n:00000001FF");
        assert_eq!(refused, Err(HexError::Beyond { line: 2, address: 0x1_0000 }));
        assert_eq!(parse(":0300000002000BF0"), Err(HexError::NoEnd { line: 1 }));
        assert!(matches!(parse(":00000001FF\n:00000001FF"), Err(HexError::Line { line: 2, .. })));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}", line in "[0-9A-F:]{0,40}") {
            let _ = parse(&text);
            let _ = parse(&format!(":{line}\n"));
            let _ = is_hex(text.as_bytes());
        }

        #[test]
        fn what_ihex_writes_is_read(data in proptest::collection::vec(any::<u8>(), 2..255), at in 0_u16..0xff00) {
            let records = [Record::Data { offset: at, value: data.clone() }, Record::EndOfFile];
            let text = ihex::create_object_file_representation(&records).unwrap();
            prop_assert_eq!(parse(&text).unwrap().pieces, vec![Piece { address: at, data }]);
        }
    }
}
