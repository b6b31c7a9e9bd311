//! A memory's contents as text: what `xxd`, `hexdump -C` and `i2cdump` print, and plain hexadecimal
//! digits. Pure.
//!
//! Taken is only a text that is such a dump from address 0 on without a gap; anything else is left
//! for the format that it may be. Intel HEX is `ezusb::hex`'s.

use super::ezusb::hex;

/// Most bytes of a line of any of these tools.
const MAX_LINE_BYTES: usize = 32;
/// The fewest bytes that are taken for a dump: ids alone.
const MIN_BYTES: usize = 7;

/// The contents that a file holds as text, as a dump or as Intel HEX of one piece from address 0
/// on; `None` where it is no such text.
pub fn contents(file: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(file).ok()?;
    if hex::is_hex(file) {
        let parsed = hex::parse(text).ok()?;
        return match <[hex::Piece; 1]>::try_from(parsed.pieces).ok()? {
            [piece] if piece.address == 0 => Some(piece.data),
            _ => None,
        };
    }
    dump(text)
}

fn dump(text: &str) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    let mut repeats = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        // `hexdump` leaves lines out that repeat the one before.
        if line.trim() == "*" {
            repeats = true;
            continue;
        }
        // The heading of `i2cdump`.
        if bytes.is_empty() && line.trim_start().starts_with("0  1  2  3") {
            continue;
        }
        let (address, rest) = split(line, bytes.len());
        if let Some(address) = address {
            while repeats && bytes.len() < address && !last.is_empty() {
                bytes.extend(&last);
            }
            if address != bytes.len() {
                return None;
            }
        }
        repeats = false;
        last = line_bytes(rest)?;
        bytes.extend(&last);
    }
    (bytes.len() >= MIN_BYTES && !repeats).then_some(bytes)
}

/// The address at the beginning of a line, where there is one, and what is behind it.
fn split(line: &str, expected: usize) -> (Option<usize>, &str) {
    let line = line.trim_start();
    let word = line.split_whitespace().next().unwrap_or_default();
    let rest = line.get(word.len()..).unwrap_or_default();
    if let Some(digits) = word.strip_suffix(':') {
        return (usize::from_str_radix(digits, 16).ok(), rest);
    }
    // `hexdump` writes eight digits and no colon.
    match usize::from_str_radix(word, 16) {
        Ok(address) if word.len() >= 7 && address >= expected => (Some(address), rest),
        _ => (None, line),
    }
}

/// The bytes of a line without the characters that a tool prints beside them.
fn line_bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let digits = match text.split_once('|') {
        // `hexdump -C`, which has a gap in the middle of the bytes.
        Some((digits, _)) => digits,
        // `xxd` and `i2cdump`: behind two spaces or more are the characters.
        None => text.split("  ").next().unwrap_or_default(),
    };
    let joined: String = digits.split_whitespace().collect();
    let bytes = ::hex::decode(joined).ok()?;
    (bytes.len() <= MAX_LINE_BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BYTES: [u8; 18] =
        [0xc0, 9, 0x12, 1, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x61, 0x62];

    #[test]
    fn the_dumps_of_common_tools_are_read() {
        for text in [
            "00000000: c009 1201 0000 0100 ffff ffff ffff ffff  ................\n\
             00000010: 6162                                     ab\n",
            "00000000  c0 09 12 01 00 00 01 00  ff ff ff ff ff ff ff ff  |................|\n\
             00000010  61 62                                             |ab|\n00000012\n",
            "     0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f    0123456789abcdef\n\
             00: c0 09 12 01 00 00 01 00 ff ff ff ff ff ff ff ff    ??...\n10: 61 62    ab\n",
            "C0 09 12 01 00 00 01 00 FF FF FF FF FF FF FF FF\n61 62\n",
        ] {
            assert_eq!(contents(text.as_bytes()).as_deref(), Some(BYTES.as_slice()), "{text}");
        }
    }

    #[test]
    fn lines_that_were_left_out_are_put_back() {
        let text = "00000000  c0 09 12 01 00 00 01 00  ff ff ff ff ff ff ff ff  |........|\n\
                    00000010  ff ff ff ff ff ff ff ff  ff ff ff ff ff ff ff ff  |........|\n*\n00000040\n";
        let bytes = contents(text.as_bytes()).unwrap();
        assert_eq!((bytes.len(), &bytes[..8]), (64, &BYTES[..8]));
        assert!(bytes[8..].iter().all(|byte| *byte == 0xff));
    }

    #[test]
    fn intel_hex_of_one_piece_from_0000_on_is_read() {
        let text = ":08000000C009120100000100 1B\n:00000001FF".replace(' ', "");
        assert_eq!(contents(text.as_bytes()).as_deref(), Some(&BYTES[..8]));
        assert_eq!(contents(b":01000000AA55\n:01001000AA45\n:00000001FF"), None);
        assert_eq!(contents(b":01001000AA45\n:00000001FF"), None);
    }

    #[test]
    fn a_text_with_a_gap_or_of_another_kind_is_no_dump() {
        for text in [
            "00000000: c009 1201 0000 0100\n00000010: 6162\n",
            "00000010: c009 1201 0000 0100\n",
            "hello, world",
            "c0 09 12",
            "c0 09 12 01 00 00 01 0",
            "",
        ] {
            assert_eq!(contents(text.as_bytes()), None, "{text}");
        }
        assert_eq!(contents(&[0xc0, 9, 0x12, 1, 0, 0, 1, 0]), None);
    }

    proptest! {
        #[test]
        fn no_file_makes_the_reader_panic(
            file in proptest::collection::vec(any::<u8>(), 0..200),
            text in "[0-9a-f:*| \n]{0,200}",
        ) {
            let _ = contents(&file);
            let _ = contents(text.as_bytes());
        }
    }
}
