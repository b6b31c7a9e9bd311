//! The configuration block an AT2 or AT2LP starts from: 16 bytes of settings, the USB descriptors
//! and the strings, in at most 256 bytes of EEPROM.
//!
//! Offsets are those of three real images (docs/chips/at2lp.md and appendix A, captured), names are the
//! datasheet's [001-05809 table 11] where known and `unknown_..` where not. Everything is kept
//! byte for byte: what was decoded encodes to what it was. [`check`] says what an image must be to
//! be written, [`super::build`] makes one.

mod check;
mod settings;
mod strings;

pub(super) use check::{
    BOOT_RANGES, identity_at_start, image_at_start, is_conforming_serial, read,
};
pub use settings::Settings;
pub use strings::{Text, text_at};

use crate::chip::ImageError;

/// The largest block: what a 24C02 holds, and what one address byte reaches.
pub const MAX_BYTES: usize = 256;
/// Where the device descriptor begins.
const DEVICE_AT: usize = 0x10;
const DEVICE_BYTES: usize = 18;
const QUALIFIER_BYTES: usize = 10;
/// Where the configuration descriptors begin.
const CONFIGURATION_AT: usize = DEVICE_AT + DEVICE_BYTES + QUALIFIER_BYTES;

/// The two layouts, by their signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// "SK", the AT2LP's: one configuration for both speeds.
    Sk,
    /// "MM", the AT2's: one configuration for high speed, one for full speed.
    Mm,
}

impl Format {
    /// The layout that starts with these bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes.get(..2)? {
            b"SK" => Some(Self::Sk),
            b"MM" => Some(Self::Mm),
            _ => None,
        }
    }

    /// The two bytes at address 0.
    pub fn signature(self) -> [u8; 2] {
        match self {
            Self::Sk => *b"SK",
            Self::Mm => *b"MM",
        }
    }

    fn configurations(self) -> usize {
        match self {
            Self::Sk => 1,
            Self::Mm => 2,
        }
    }
}

/// A configuration block, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The layout.
    pub format: Format,
    /// Bytes 02 to 0F.
    pub settings: Settings,
    /// The device descriptor, 18 bytes.
    pub device: [u8; DEVICE_BYTES],
    /// The device qualifier, 10 bytes.
    pub qualifier: [u8; QUALIFIER_BYTES],
    /// Configuration descriptors with their interfaces and endpoints, wTotalLength bytes each.
    pub configurations: Vec<Vec<u8>>,
    /// What lies between them and the strings: nothing, or one byte of word alignment.
    pub alignment: Vec<u8>,
    /// The string descriptors in order; the first is the list of languages.
    pub strings: Vec<Text>,
    /// What lies behind the last string.
    pub padding: Vec<u8>,
}

fn cut(bytes: &[u8], part: &str) -> ImageError {
    ImageError::Truncated { part: part.to_owned(), length: bytes.len() }
}

fn array<const N: usize>(bytes: &[u8], at: usize, part: &str) -> Result<[u8; N], ImageError> {
    let found = at.checked_add(N).and_then(|end| bytes.get(at..end));
    found.and_then(|found| found.try_into().ok()).ok_or_else(|| cut(bytes, part))
}

impl Configuration {
    /// Takes a block apart. Judges its shape only; what an image must hold is checked elsewhere.
    ///
    /// # Errors
    /// [`ImageError::Truncated`] where it ends too early, [`ImageError::Unsuitable`] where a
    /// descriptor's own lengths make no sense.
    pub fn decode(format: Format, bytes: &[u8]) -> Result<Self, ImageError> {
        let settings = Settings::decode(&array(bytes, 2, "the settings")?);
        let device = array(bytes, DEVICE_AT, "the device descriptor")?;
        let qualifier = array(bytes, DEVICE_AT + DEVICE_BYTES, "the device qualifier descriptor")?;
        let mut at = CONFIGURATION_AT;
        let mut configurations = Vec::new();
        for _ in 0..format.configurations() {
            let head: [u8; 9] = array(bytes, at, "a configuration descriptor")?;
            let [length, kind, low, high, ..] = head;
            let total = usize::from(u16::from_le_bytes([low, high]));
            if (length, kind) != (9, 2) || total < 9 {
                return Err(ImageError::Unsuitable {
                    part: format!("the configuration descriptor at {at:#04x}"),
                    why: format!(
                        "it starts with {} and has {total} bytes; a configuration starts with 0902",
                        hex::encode([length, kind])
                    ),
                });
            }
            let end = at.saturating_add(total);
            let whole =
                bytes.get(at..end).ok_or_else(|| cut(bytes, "a configuration descriptor"))?;
            configurations.push(whole.to_vec());
            at = end;
        }
        let aligned = at.saturating_add(at & 1);
        let alignment =
            bytes.get(at..aligned).ok_or_else(|| cut(bytes, "the word alignment"))?.to_vec();
        let (strings, end) = strings::decode(bytes, aligned);
        let padding = bytes.get(end..).unwrap_or_default().to_vec();
        Ok(Self {
            format,
            settings,
            device,
            qualifier,
            configurations,
            alignment,
            strings,
            padding,
        })
    }

    /// The block's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.format.signature().to_vec();
        bytes.extend(self.settings.encode());
        bytes.extend(self.device);
        bytes.extend(self.qualifier);
        for configuration in &self.configurations {
            bytes.extend(configuration);
        }
        bytes.extend(&self.alignment);
        for string in &self.strings {
            bytes.extend(string.encode());
        }
        bytes.extend(&self.padding);
        bytes
    }

    /// How many bytes it is without its padding.
    pub fn length(&self) -> usize {
        self.encode().len().saturating_sub(self.padding.len())
    }

    /// idVendor and idProduct of the device descriptor, then bcdDevice.
    pub fn numbers(&self) -> [u16; 3] {
        let [_, _, _, _, _, _, _, _, v0, v1, p0, p1, d0, d1, ..] = self.device;
        [[v0, v1], [p0, p1], [d0, d1]].map(u16::from_le_bytes)
    }

    /// iManufacturer, iProduct and iSerialNumber: byte offset of each string divided by two.
    pub fn string_indexes(&self) -> [u8; 3] {
        let [.., manufacturer, product, serial, _] = self.device;
        [manufacturer, product, serial]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// docs/chips/at2lp.md: 100_self_ATA.iic.
    pub const SELF_ATA: &str = "534b00802407d40778ff400000000000\
        1201000200000040b404306840024639\
        2c010a06000200000040010009022700\
        010100c0000904000003080650000705\
        02023f0000070588023f000007058103\
        04000a00040309041a03300031003200\
        33003400350036003700380039004100\
        42001a0345005a002d00550053004200\
        20004100540032004c0050002c034300\
        79007000720065007300730020005300\
        65006d00690063006f006e0064007500\
        630074006f007200";
    /// CY4615B_C_default.iic.
    pub const REFERENCE: &str = "534b00802407d40770fc550000000000\
        1201000200000040b404306840020039\
        2c010a06000200000040010009022700\
        010100c0000904000003080650000705\
        02023f0000070588023f000007058103\
        04000a00040309041a03300030003000\
        30003000380045003500370031003600\
        32001c03430079007000720065007300\
        730020004100540032004c005000";
    /// PH-1003.iic, without its 29 bytes of zeros.
    const PH_1003: &str = "4d4d00802407d4030000000000000000\
        1201000200000040b40430680100384e\
        64010a06000200000040010009022000\
        010100c0000904000002080650000705\
        02020002000705880200020009022000\
        010100c0000904000002080650000705\
        02024000000705880240000004030904\
        2c034300790070007200650073007300\
        2000530065006d00690063006f006e00\
        64007500630074006f0072002c035500\
        5300420032002e003000200053007400\
        6f007200610067006500200044006500\
        76006900630065001a03440045004600\
        31003000370044003200320034004500\
        3400";

    pub fn bytes(text: &str) -> Vec<u8> {
        let text: String = text.split_whitespace().collect();
        hex::decode(text).unwrap()
    }

    pub fn ph_1003() -> Vec<u8> {
        let mut image = bytes(PH_1003);
        image.resize(255, 0);
        image
    }

    #[test]
    fn the_three_public_images_have_the_lengths_they_have() {
        assert_eq!([bytes(SELF_ATA).len(), bytes(REFERENCE).len()], [184, 142]);
        assert_eq!(bytes(PH_1003).len(), 255 - 29);
    }

    #[test]
    fn the_three_public_images_come_back_byte_for_byte() {
        for image in [bytes(SELF_ATA), bytes(REFERENCE), ph_1003()] {
            let format = Format::of(&image).unwrap();
            let decoded = Configuration::decode(format, &image).unwrap();
            assert_eq!(decoded.encode(), image);
        }
    }

    #[test]
    fn offsets_are_those_of_the_real_images() {
        let sk = Configuration::decode(Format::Sk, &bytes(SELF_ATA)).unwrap();
        let offsets: Vec<usize> = sk.strings.iter().map(|text| text.offset).collect();
        assert_eq!(offsets, [0x54, 0x58, 0x72, 0x8c]);
        assert_eq!(sk.alignment, [0]);
        assert_eq!(sk.settings.signature_byte, 0x24);
        let mm = Configuration::decode(Format::Mm, &ph_1003()).unwrap();
        assert_eq!(mm.strings[0].offset, 0x6c);
        assert_eq!(mm.configurations.iter().map(Vec::len).collect::<Vec<_>>(), [32, 32]);
        assert_eq!((mm.length(), mm.padding.len()), (226, 29));
    }

    proptest! {
        #[test]
        fn whatever_decodes_encodes_to_what_it_was(
            mut image in prop_oneof![
                Just(bytes(SELF_ATA)), Just(bytes(REFERENCE)), Just(ph_1003()),
                proptest::collection::vec(any::<u8>(), 0..300),
            ],
            changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..6),
            length in 0usize..300,
            mm in any::<bool>(),
        ) {
            for (at, byte) in changes {
                if !image.is_empty() {
                    let at = at % image.len();
                    image[at] = byte;
                }
            }
            image.truncate(length);
            let format = if mm { Format::Mm } else { Format::Sk };
            if let Ok(decoded) = Configuration::decode(format, &image) {
                let mut expected = image.clone();
                expected[..2].copy_from_slice(&format.signature());
                prop_assert_eq!(decoded.encode(), expected);
            }
        }
    }
}
