//! What a configuration block must be before it goes into an enclosure [design R2].

use std::ops::Range;

use super::{Configuration, Format, MAX_BYTES, Text, text_at};
use crate::chip::at2lp::{AT2, AT2LP};
use crate::chip::{Identity, Image, ImageError, Model};
use crate::usb::{ClassCode, Ids};

/// What is written last: the first page of the smallest 24C02 there is. With it goes the signature,
/// in one write cycle.
pub(in crate::chip::at2lp) const BOOT_RANGES: &[Range<u32>] = &[0..8];

/// Mass storage, SCSI, bulk-only.
const MASS_STORAGE: ClassCode = ClassCode::new(0x08, 0x06, 0x50);

/// Why "MM" does not belong on an AT2LP.
const OTHER_PINS: &str = "with this signature, an AT2LP behaves like the older chip and uses its pins differently. Such enclosures disappear from USB until their EEPROM is written again with ARESET# held low";

/// An image from a file: the whole of it is the image.
pub(in crate::chip::at2lp) fn read(model: Model, bytes: &[u8]) -> Result<Image, ImageError> {
    if bytes.len() > MAX_BYTES {
        let (length, chip) = (bytes.len(), model.title);
        return Err(ImageError::TooBig { length, maximum: MAX_BYTES, chip });
    }
    let block = checked(model, bytes)?;
    Ok(image(&block, bytes.to_vec()))
}

/// The image at the start of a memory, without what lies behind its last string.
pub(in crate::chip::at2lp) fn image_at_start(
    model: Model,
    contents: &[u8],
) -> Result<Image, ImageError> {
    let contents = contents.get(..MAX_BYTES).unwrap_or(contents);
    let block = checked(model, contents)?;
    let bytes = contents.get(..block.length()).unwrap_or(contents).to_vec();
    Ok(image(&block, bytes))
}

/// Who a chip says it is that has read these contents, whatever else is wrong with them; `None`
/// where no descriptors are there.
pub(in crate::chip::at2lp) fn identity_at_start(contents: &[u8]) -> Option<Identity> {
    let block = Configuration::decode(Format::of(contents)?, contents).ok()?;
    image(&block, Vec::new()).identity
}

fn unsuitable(part: impl Into<String>, why: impl Into<String>) -> ImageError {
    ImageError::Unsuitable { part: part.into(), why: why.into() }
}

fn checked(model: Model, bytes: &[u8]) -> Result<Configuration, ImageError> {
    let Some(first) = bytes.first() else { return Err(ImageError::Empty) };
    if bytes.iter().all(|byte| byte == first) {
        return Err(ImageError::AllOneByte { byte: *first, length: bytes.len() });
    }
    let format = Format::of(bytes);
    let expected = if model == AT2 { "4d4d (MM)" } else { "534b (SK)" };
    let format = match (format, model == AT2) {
        (Some(Format::Sk), false) => Format::Sk,
        (Some(Format::Mm), true) => Format::Mm,
        (Some(Format::Mm), false) => {
            return Err(ImageError::OtherModel { chip: model.title, other: AT2, why: OTHER_PINS });
        }
        (Some(Format::Sk), true) => {
            let why = "the older chip does not accept this signature and would stay in manufacturing mode";
            return Err(ImageError::OtherModel { chip: model.title, other: AT2LP, why });
        }
        (None, _) => {
            let got = hex::encode(bytes.get(..2).unwrap_or(bytes));
            return Err(ImageError::WrongSignature { chip: model.title, expected, got });
        }
    };
    let block = Configuration::decode(format, bytes)?;
    check_device(&block)?;
    for configuration in &block.configurations {
        check_configuration(configuration)?;
    }
    check_strings(&block, bytes)?;
    Ok(block)
}

fn check_device(block: &Configuration) -> Result<(), ImageError> {
    let part = "the device descriptor";
    let [length, kind, _, _, _, _, _, packet, .., configurations] = block.device;
    if (length, kind) != (18, 1) {
        let why = format!("it starts with {}, not with 1201", hex::encode([length, kind]));
        return Err(unsuitable(part, why));
    }
    if packet != 64 || configurations != 1 {
        let why = format!(
            "it has {packet} bytes for endpoint 0 and {configurations} configurations; the chip has 64 and 1"
        );
        return Err(unsuitable(part, why));
    }
    let [length, kind, ..] = block.qualifier;
    if (length, kind) != (10, 6) {
        let why = format!("it starts with {}, not with 0a06", hex::encode([length, kind]));
        return Err(unsuitable("the device qualifier descriptor", why));
    }
    Ok(())
}

/// The descriptors of a configuration after its first 9 bytes, each with its length byte.
fn parts(configuration: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = configuration.get(9..)?;
    let mut parts = Vec::new();
    while let Some(length) = rest.first() {
        let (part, behind) = rest.split_at_checked(usize::from(*length).max(2))?;
        parts.push(part);
        rest = behind;
    }
    Some(parts)
}

fn class_of(interface: &[u8]) -> Option<ClassCode> {
    let [_, 4, _, _, _, class, subclass, protocol, ..] = *interface else { return None };
    Some(ClassCode::new(class, subclass, protocol))
}

fn check_configuration(configuration: &[u8]) -> Result<(), ImageError> {
    let part = "the configuration descriptor";
    let parts = parts(configuration)
        .ok_or_else(|| unsuitable(part, "its parts do not add up to its length"))?;
    let class = parts.iter().find_map(|part| class_of(part));
    if class != Some(MASS_STORAGE) {
        let got = class.map_or("no interface".to_owned(), |class| format!("class {class}"));
        return Err(unsuitable(part, format!("it has {got}; a drive has {MASS_STORAGE}")));
    }
    let bulk = |incoming: bool| {
        parts.iter().any(|part| match **part {
            [7, 5, address, kind, ..] => kind & 3 == 2 && (address & 0x80 != 0) == incoming,
            _ => false,
        })
    };
    if bulk(true) && bulk(false) {
        Ok(())
    } else {
        Err(unsuitable(part, "a bulk endpoint is missing; the chip needs one in each direction"))
    }
}

fn check_strings(block: &Configuration, bytes: &[u8]) -> Result<(), ImageError> {
    let Some(languages) = block.strings.first() else {
        // What follows the descriptors is either cut off or no string at all.
        let part = "the list of languages".to_owned();
        return Err(ImageError::Truncated { part, length: bytes.len() });
    };
    if languages.units.is_empty() {
        return Err(unsuitable("the list of languages", "it is empty"));
    }
    for (name, index) in
        ["manufacturer", "product", "serial number"].into_iter().zip(block.string_indexes())
    {
        if index != 0 && text_at(&block.strings, index).is_none() {
            let offset = usize::from(index) * 2;
            if offset >= bytes.len() {
                let part = format!("the {name} string");
                return Err(ImageError::Truncated { part, length: bytes.len() });
            }
            let why =
                format!("its index {index:02x} means byte {offset:#04x}, but there is no string");
            return Err(unsuitable(format!("the {name} string"), why));
        }
    }
    Ok(())
}

/// Whether a serial number is what the mass-storage class asks for: at least 12 characters, all
/// of 0-9 and A-F [BOT 1.0 §4.1.1; 001-05809 p. 32].
pub(in crate::chip::at2lp) fn is_conforming_serial(serial: &str) -> bool {
    serial.len() >= 12 && serial.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
}

fn image(block: &Configuration, bytes: Vec<u8>) -> Image {
    let [vendor, product_id, bcd_device] = block.numbers();
    let [manufacturer, product, serial] =
        block.string_indexes().map(|index| text_at(&block.strings, index).map(Text::text));
    let interface_class = block
        .configurations
        .first()
        .and_then(|configuration| parts(configuration)?.into_iter().find_map(class_of));
    let mut contents = vec![block.settings.to_string()];
    for text in block.strings.iter().skip(1) {
        contents.push(format!("string {:02x} {:?}", text.offset / 2, text.text()));
    }
    match &serial {
        None => contents.push("no serial number; a mass-storage device needs one".to_owned()),
        Some(serial) if !is_conforming_serial(serial) => contents.push(format!(
            "the serial number {serial:?} has fewer than 12 characters, or characters other than 0-9 and A-F"
        )),
        Some(_) => {}
    }
    if !block.padding.is_empty() {
        contents.push(format!("{} bytes of padding", block.padding.len()));
    }
    let identity = Identity {
        ids: Ids::new(vendor, product_id),
        bcd_device: Some(bcd_device),
        interface_class,
        manufacturer,
        product,
        serial,
    };
    Image { identity: Some(identity), contents, ..Image::at_address_zero(bytes, BOOT_RANGES) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{REFERENCE, SELF_ATA, bytes, ph_1003};
    use super::*;

    #[test]
    fn an_image_promises_who_the_enclosure_will_be() {
        let identity = read(AT2LP, &bytes(SELF_ATA)).unwrap().identity.unwrap();
        assert_eq!(
            identity.to_string(),
            "04b4:6830 rev 2.40 class 08/06/50 \"Cypress Semiconductor\" \"EZ-USB AT2LP\" serial \"0123456789AB\""
        );
        let identity = read(AT2LP, &bytes(REFERENCE)).unwrap().identity.unwrap();
        assert_eq!(identity.manufacturer, None);
        let identity = read(AT2, &ph_1003()).unwrap().identity.unwrap();
        assert_eq!(identity.serial.as_deref(), Some("DEF107D224E4"));
        assert_eq!(identity.product.as_deref(), Some("USB2.0 Storage Device"));
    }

    #[test]
    fn an_mm_image_is_refused_on_an_at2lp_with_the_reason() {
        let error = read(AT2LP, &ph_1003()).unwrap_err();
        assert!(matches!(error, ImageError::OtherModel { other: AT2, .. }));
        assert!(error.to_string().contains("uses its pins differently"), "{error}");
        assert!(image_at_start(AT2LP, &ph_1003()).is_err());
    }

    #[test]
    fn every_way_to_be_wrong_has_its_own_refusal() {
        assert_eq!(read(AT2LP, &[]), Err(ImageError::Empty));
        let zeros = ImageError::AllOneByte { byte: 0, length: 256 };
        assert_eq!(read(AT2LP, &[0; 256]), Err(zeros));
        let mut large = bytes(SELF_ATA);
        large.resize(257, 0);
        assert!(matches!(read(AT2LP, &large), Err(ImageError::TooBig { maximum: 256, .. })));
        let foreign = read(AT2LP, b"\xb6\xc3 something else");
        assert!(matches!(foreign, Err(ImageError::WrongSignature { .. })));
        for length in 2..bytes(SELF_ATA).len() {
            assert!(read(AT2LP, &bytes(SELF_ATA)[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn an_index_that_points_beside_a_string_is_refused() {
        let mut image = bytes(SELF_ATA);
        image[0x20] = 0x2d;
        let error = read(AT2LP, &image).unwrap_err();
        assert!(error.to_string().contains("means byte 0x5a, but there is no string"), "{error}");
    }

    #[test]
    fn an_image_that_would_come_up_blank_is_refused() {
        let mut image = bytes(SELF_ATA);
        image[0x3a] = 0xff;
        let error = read(AT2LP, &image).unwrap_err();
        assert!(error.to_string().contains("class ff/06/50"), "{error}");
    }

    #[test]
    fn an_image_in_memory_ends_with_its_last_string() {
        let mut memory = bytes(SELF_ATA);
        memory.resize(256, 0xff);
        assert_eq!(image_at_start(AT2LP, &memory).unwrap().start(), bytes(SELF_ATA));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fall_over(
            mut image in prop_oneof![Just(bytes(SELF_ATA)), Just(bytes(REFERENCE)), Just(ph_1003())],
            changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..8),
            old in any::<bool>(),
        ) {
            for (at, byte) in changes {
                let at = at % image.len();
                image[at] = byte;
            }
            let model = if old { AT2 } else { AT2LP };
            if let Ok(read) = read(model, &image) {
                prop_assert_eq!(read.start(), &image[..]);
                prop_assert!(image_at_start(model, &image).is_ok());
            }
        }
    }
}
