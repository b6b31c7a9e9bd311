//! Makes a configuration block from values, for the enclosure whose own block is lost.
//!
//! Descriptors and their order are those of Cypress's default image for its reference board
//! [captured: CY4615B_C_default.iic]; the identity is the enclosure's. Strings follow in the order
//! of the captured images: serial number, product, manufacturer.

use super::image::{Configuration, Format, MAX_BYTES, Settings, Text};
use super::{AT2, image};
use crate::chip::{Built, ImageError, Model, Recipe};
use crate::usb::ClassCode;

/// English (United States), the one language of every captured image.
const LANGUAGE: u16 = 0x0409;
/// bcdDevice of the AT2LP's default image.
const DEFAULT_REVISION: u16 = 0x0240;
/// Where the strings begin in the AT2LP's layout.
const STRINGS_AT: usize = 0x54;
/// A device with no class of its own, USB 2.0, packets of 64 bytes, one configuration.
const DEVICE_HEAD: [u8; 8] = [0x12, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x40];
const QUALIFIER: [u8; 10] = [0x0a, 0x06, 0x00, 0x02, 0x00, 0x00, 0x00, 0x40, 0x01, 0x00];
/// One interface with bulk out 02, bulk in 88 and interrupt in 81. The packet sizes are the
/// placeholders of the captured image; the chip puts in those of the speed it runs at.
const CONFIGURATION: [u8; 39] = [
    0x09, 0x02, 0x27, 0x00, 0x01, 0x01, 0x00, 0xc0, 0x00, // configuration, self-powered
    0x09, 0x04, 0x00, 0x00, 0x03, 0x08, 0x06, 0x50, 0x00, // mass storage, SCSI, bulk-only
    0x07, 0x05, 0x02, 0x02, 0x3f, 0x00, 0x00, // bulk out
    0x07, 0x05, 0x88, 0x02, 0x3f, 0x00, 0x00, // bulk in
    0x07, 0x05, 0x81, 0x03, 0x04, 0x00, 0x0a, // interrupt in
];
/// The settings whose values belong to the board.
const BOARD_SPECIFIC: std::ops::RangeInclusive<u8> = 0x08..=0x0a;

fn unsuitable(part: impl Into<String>, why: impl Into<String>) -> ImageError {
    ImageError::Unsuitable { part: part.into(), why: why.into() }
}

/// Twelve characters of 0-9 and A-F from the unique bytes.
fn serial_from(unique: [u8; 8]) -> String {
    hex::encode_upper(unique).chars().take(12).collect()
}

pub(super) fn build(model: Model, recipe: &Recipe) -> Result<Built, ImageError> {
    if model == AT2 {
        return Err(unsuitable(
            "an image from values",
            "the known reference values are for the AT2LP; an AT2 needs a backup or an image",
        ));
    }
    if recipe.firmware.is_some() {
        return Err(unsuitable("the firmware", "this chip runs no firmware; its image is a table"));
    }
    let identity = &recipe.identity;
    let class = identity.interface_class.unwrap_or(ClassCode::new(0x08, 0x06, 0x50));
    if class != ClassCode::new(0x08, 0x06, 0x50) {
        let why = format!("it has class {class}; a drive has 08/06/50");
        return Err(unsuitable("the identity", why));
    }
    let mut notes = Vec::new();
    let settings = settings(recipe, &mut notes)?;
    let serial = serial(recipe, &mut notes)?;
    let (strings, [manufacturer, product, serial]) =
        string_table(&serial, identity.product.as_deref(), identity.manufacturer.as_deref())?;
    let mut device = [0; 18];
    let [v0, v1] = identity.ids.vendor.to_le_bytes();
    let [p0, p1] = identity.ids.product.to_le_bytes();
    let [d0, d1] = identity.bcd_device.unwrap_or(DEFAULT_REVISION).to_le_bytes();
    let fields =
        DEVICE_HEAD.into_iter().chain([v0, v1, p0, p1, d0, d1, manufacturer, product, serial, 1]);
    for (slot, byte) in device.iter_mut().zip(fields) {
        *slot = byte;
    }
    let block = Configuration {
        format: Format::Sk,
        settings,
        device,
        qualifier: QUALIFIER,
        configurations: vec![CONFIGURATION.to_vec()],
        alignment: vec![0],
        strings,
        padding: Vec::new(),
    };
    let bytes = block.encode();
    // What was made is held to what any other image is.
    image::read(model, &bytes)?;
    Ok(Built { bytes, notes })
}

fn settings(recipe: &Recipe, notes: &mut Vec<String>) -> Result<Settings, ImageError> {
    let mut settings = Settings::REFERENCE;
    for (address, value) in &recipe.settings {
        if !settings.set(*address, *value) {
            let why = format!("there is no setting {address:02x}; the settings are 02 to 0f");
            return Err(unsuitable("a setting", why));
        }
    }
    if !super::wire::is_safe_signature_byte(settings.signature_byte) {
        let why = format!(
            "{:02x} is a drive command code; it must be 24, or c0 or above",
            settings.signature_byte
        );
        return Err(unsuitable("the signature byte (04)", why));
    }
    let assumed: Vec<String> = BOARD_SPECIFIC
        .filter(|address| !recipe.settings.contains_key(address))
        .map(|address| format!("{address:02x}"))
        .collect();
    if !assumed.is_empty() {
        notes.push(format!(
            "bytes {} of the image (pins, outputs, levels) come from Cypress's reference board, because this board's values are not known. A lamp or a button may not work. If a pin switches the drive's power, the drive may not spin up",
            assumed.join(", ")
        ));
    }
    Ok(settings)
}

fn serial(recipe: &Recipe, notes: &mut Vec<String>) -> Result<String, ImageError> {
    let Some(serial) = &recipe.identity.serial else {
        let serial = serial_from(recipe.unique);
        notes.push(format!(
            "the serial number {serial} is new, because the original is not known; a computer may see the enclosure as a new device"
        ));
        return Ok(serial);
    };
    if image::is_conforming_serial(serial) {
        return Ok(serial.clone());
    }
    let why =
        format!("{serial:?} has fewer than 12 characters, or characters other than 0-9 and A-F");
    Err(unsuitable("the serial number", why))
}

/// The table and the indexes of manufacturer, product and serial number in it.
fn string_table(
    serial: &str,
    product: Option<&str>,
    manufacturer: Option<&str>,
) -> Result<(Vec<Text>, [u8; 3]), ImageError> {
    let mut strings = vec![Text { offset: STRINGS_AT, units: vec![LANGUAGE] }];
    let mut end = STRINGS_AT + 4;
    let mut add = |text: Option<&str>| -> Result<u8, ImageError> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(0) };
        let text = Text::new(end, text);
        let index = u8::try_from(end / 2).unwrap_or(u8::MAX);
        end = end.saturating_add(text.bytes());
        // A descriptor's length is one even byte, and all of them share 256.
        if text.bytes() > 254 || end > MAX_BYTES {
            let chip = super::AT2LP.title;
            return Err(ImageError::TooBig { length: end, maximum: MAX_BYTES, chip });
        }
        strings.push(text);
        Ok(index)
    };
    let serial = add(Some(serial))?;
    let product = add(product)?;
    let manufacturer = add(manufacturer)?;
    Ok((strings, [manufacturer, product, serial]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::AT2LP;
    use super::super::image::tests::{REFERENCE, SELF_ATA, bytes};
    use super::*;
    use crate::chip::Identity;
    use crate::usb::Ids;

    fn recipe(serial: Option<&str>, product: &str, manufacturer: Option<&str>) -> Recipe {
        Recipe {
            identity: Identity {
                ids: Ids::new(0x04b4, 0x6830),
                bcd_device: Some(0x0240),
                interface_class: None,
                manufacturer: manufacturer.map(str::to_owned),
                product: Some(product.to_owned()),
                serial: serial.map(str::to_owned),
            },
            unique: [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0],
            settings: BTreeMap::new(),
            firmware: None,
        }
    }

    #[test]
    fn the_reference_values_make_the_vendors_default_image_to_the_byte() {
        let made = build(AT2LP, &recipe(Some("000008E57162"), "Cypress AT2LP", None)).unwrap();
        assert_eq!(hex::encode(made.bytes), hex::encode(bytes(REFERENCE)));
    }

    #[test]
    fn a_boards_own_settings_make_the_image_of_the_medion_page_to_the_byte() {
        let mut recipe =
            recipe(Some("0123456789AB"), "EZ-USB AT2LP", Some("Cypress Semiconductor"));
        recipe.settings = BTreeMap::from([(0x08, 0x78), (0x09, 0xff), (0x0a, 0x40)]);
        let made = build(AT2LP, &recipe).unwrap();
        assert_eq!(hex::encode(made.bytes), hex::encode(bytes(SELF_ATA)));
        assert_eq!(made.notes, Vec::<String>::new());
    }

    #[test]
    fn a_serial_number_that_is_not_known_is_made_up_and_said_to_be() {
        let made = build(AT2LP, &recipe(None, "Disk", None)).unwrap();
        let identity = image::read(AT2LP, &made.bytes).unwrap().identity.unwrap();
        assert_eq!(identity.serial.as_deref(), Some("123456789ABC"));
        assert!(made.notes.iter().any(|note| note.contains("is new")), "{:?}", made.notes);
        assert!(made.notes.iter().any(|note| note.starts_with("bytes 08, 09, 0a")));
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        let refusal = |recipe: Recipe| build(AT2LP, &recipe).unwrap_err().to_string();
        assert!(refusal(recipe(Some("12345"), "Disk", None)).contains("12 characters"));
        let long = "x".repeat(90);
        assert!(refusal(recipe(None, &long, None)).contains("256"));
        assert!(refusal(recipe(None, &"x".repeat(200), None)).contains("256"));
        let mut settings = recipe(None, "Disk", None);
        settings.settings.insert(0x10, 1);
        assert!(refusal(settings).contains("02 to 0f"));
        let mut command = recipe(None, "Disk", None);
        command.settings.insert(0x04, 0x2a);
        assert!(refusal(command).contains("command code"));
        assert!(build(AT2, &recipe(None, "Disk", None)).is_err());
    }
}
