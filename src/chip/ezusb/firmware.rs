//! Firmware as people keep it: Intel HEX, or a flat file of the RAM from 0000 on. Not what the
//! chip boots from; `builder` makes that of it.

use super::hex::{self, HexError, Piece};
use crate::chip::Identity;
use crate::chip::descriptors::{self, Found};

/// What a program puts into RAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// Stretches of RAM in order of address; none touches the next.
    pub pieces: Vec<Piece>,
    /// What is unusual about its file, a sentence without its full stop each.
    pub notes: Vec<String>,
}

/// What a file is, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What an EEPROM holds (`.iic`).
    Image,
    /// Intel HEX text.
    Hex,
    /// A flat file of RAM: it starts with the 8051's reset instruction, whose target lies in it.
    Flat,
    /// None of these.
    Unknown,
}

/// First bytes of images this family boots from, and of FX3's (`CY`).
const SIGNATURES: &[u8] = &[0xb0, 0xb2, 0xb4, 0xb6, 0xc0, 0xc2];

/// LJMP, the first instruction of practically every 8051 program.
const LJMP: u8 = 0x02;

/// Tells what a file is.
pub fn kind(bytes: &[u8]) -> Kind {
    match bytes.first() {
        Some(first) if SIGNATURES.contains(first) => Kind::Image,
        Some(&LJMP) if is_program(bytes) => Kind::Flat,
        _ if hex::is_hex(bytes) => Kind::Hex,
        _ => Kind::Unknown,
    }
}

/// Whether a jump at the start leads into the file.
fn is_program(bytes: &[u8]) -> bool {
    let [LJMP, high, low, rest @ ..] = bytes else { return false };
    let target = usize::from(u16::from_be_bytes([*high, *low]));
    (3..rest.len() + 3).contains(&target)
}

fn search(pieces: &[Vec<u8>]) -> Found {
    descriptors::search(pieces)
}

impl Firmware {
    /// Reads Intel HEX.
    ///
    /// # Errors
    /// [`HexError`]
    pub fn from_hex(bytes: &[u8]) -> Result<Self, HexError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            HexError::Line { line, why: "it is not text".to_owned() }
        })?;
        let hex::Parsed { pieces, notes } = hex::parse(text)?;
        Ok(Self { pieces, notes })
    }

    /// Takes a flat file; `None` when it is larger than the address space.
    pub fn from_flat(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= 0x1_0000).then(|| Self {
            pieces: vec![Piece { address: 0, data: bytes.to_vec() }],
            notes: Vec::new(),
        })
    }

    /// Who it says it is, as far as descriptors in it tell and agree.
    pub fn identity(&self) -> Option<Identity> {
        let pieces: Vec<_> = self.pieces.iter().map(|piece| piece.data.clone()).collect();
        match search(&pieces) {
            Found::One(identity) => Some(identity),
            Found::Nothing | Found::Several(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat() -> Vec<u8> {
        let mut bytes = vec![0x02, 0x00, 0xb9];
        bytes.resize(0x100, 0);
        bytes.extend(hex::encode_device());
        bytes
    }

    /// A device descriptor of fx2lafw's kind: 1d50:608c.
    mod hex {
        pub fn encode_device() -> Vec<u8> {
            ::hex::decode("12010002ffffff40501d8c600100010200 01".replace(' ', "")).unwrap()
        }
    }

    #[test]
    fn files_are_told_by_their_first_bytes() {
        assert_eq!(kind(&flat()), Kind::Flat);
        assert_eq!(kind(b"# note\n:00000001FF\n"), Kind::Hex);
        assert_eq!(kind(&[0xc0, 0x50, 0x1d]), Kind::Image);
        assert_eq!(kind(&[0x02, 0, 3, 0]), Kind::Flat);
        for other in [[0x02, 1, 2, 3], [0x02, 0, 4, 0], [0x02, 0, 2, 0]] {
            assert_eq!(kind(&other), Kind::Unknown);
        }
        assert_eq!(kind(&[]), Kind::Unknown);
        assert_eq!(kind(&[0; 64]), Kind::Unknown);
    }

    #[test]
    fn the_identity_is_found_in_the_firmware() {
        let identity = Firmware::from_flat(&flat()).unwrap().identity().unwrap();
        assert_eq!(identity.ids.to_string(), "1d50:608c");
        assert_eq!(identity.bcd_device, Some(1));
    }
}
