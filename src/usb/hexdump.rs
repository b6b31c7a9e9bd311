//! The start of a transfer's data, for the log.

use std::fmt;

/// Bytes that are shown, and bytes a line.
const SHOWN: usize = 64;
const LINE: usize = 16;

/// Writes at most the first 64 bytes, 16 a line with their offset, each line after a newline.
pub struct HexDump<'d>(pub &'d [u8]);

impl fmt::Display for HexDump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..SHOWN).unwrap_or(self.0);
        for (line, bytes) in shown.chunks(LINE).enumerate() {
            write!(f, "\n  {:04x} ", line * LINE)?;
            for byte in bytes {
                write!(f, " {byte:02x}")?;
            }
        }
        match self.0.len().saturating_sub(shown.len()) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} bytes more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_64_bytes_are_shown() {
        let data: Vec<u8> = (0..70).collect();
        let text = HexDump(&data).to_string();
        assert_eq!(text.lines().count(), 1 + 4 + 1);
        assert!(text.contains("\n  0030  30 31"), "{text}");
        assert!(text.ends_with("3e 3f\n  and 6 bytes more"), "{text}");
        assert_eq!(HexDump(&[]).to_string(), "");
    }
}
