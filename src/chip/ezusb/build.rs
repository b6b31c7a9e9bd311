//! An image from values: ids alone, or ids and a program. With ids alone the chip's own core stays
//! the device; what it does is for the driver that loads its firmware.

use super::firmware::{Firmware, Kind};
use super::image::Header;
use super::{builder, firmware, image, model};
use crate::chip::{Built, ImageError, Model, Recipe};

/// Address of the configuration byte, the one setting there is.
const CONFIGURATION: u8 = 7;

/// Makes the image.
///
/// # Errors
/// [`ImageError::Unsuitable`] for values that have no place in it.
pub fn build(model: Model, recipe: &Recipe) -> Result<Built, ImageError> {
    let unsuitable = |part: String, why: &str| ImageError::Unsuitable { part, why: why.to_owned() };
    let identity = &recipe.identity;
    let texts = [&identity.manufacturer, &identity.product, &identity.serial];
    if let Some(text) = texts.into_iter().flatten().next() {
        let why = "an image of ids alone has no strings; its firmware would have";
        return Err(unsuitable(format!("the text {text:?}"), why));
    }
    let known = model::map(model).configuration;
    let mut configuration = 0;
    for (address, value) in &recipe.settings {
        match known {
            Some(bits) if *address == CONFIGURATION && *value & !bits == 0 => {
                configuration = *value;
            }
            _ => {
                let why =
                    "only bits of the configuration byte 07 can be set, where the chip has it";
                return Err(unsuitable(format!("the setting {address:02x} = {value:02x}"), why));
            }
        }
    }
    let header =
        Header { ids: identity.ids, bcd_device: identity.bcd_device.unwrap_or(0), configuration };
    if image::are_not_assigned(header.ids) {
        return Err(unsuitable(format!("the IDs {}", header.ids), image::NOT_ASSIGNED));
    }
    if let Some(bytes) = &recipe.firmware {
        let made = builder::with_firmware(model, &program(bytes)?, header)?;
        let mut notes = Vec::new();
        match &made.identity {
            Some(shown) if shown.ids != header.ids => notes.push(format!(
                "the firmware's own descriptor has {}; the device will show that USB ID, not {}",
                shown.ids, header.ids
            )),
            Some(_) => {}
            None => {
                notes.push("the firmware does not contain exactly one device descriptor".to_owned())
            }
        }
        return Ok(Built { bytes: made.start().to_vec(), notes });
    }
    let made = builder::ids_only(model, header)?;
    let note =
        "the image holds USB IDs and no firmware: a driver must load the firmware at every start";
    Ok(Built { bytes: made.start().to_vec(), notes: vec![note.to_owned()] })
}

fn program(bytes: &[u8]) -> Result<Firmware, ImageError> {
    let unsuitable = |why: String| ImageError::Unsuitable { part: "the firmware".to_owned(), why };
    match firmware::kind(bytes) {
        Kind::Hex => Firmware::from_hex(bytes).map_err(|error| unsuitable(error.to_string())),
        Kind::Image => Err(unsuitable("it is already an image".to_owned())),
        // The owner says that it is a program.
        Kind::Flat | Kind::Unknown if !bytes.is_empty() => Firmware::from_flat(bytes)
            .ok_or_else(|| unsuitable(format!("{} bytes are more than 64 KB", bytes.len()))),
        Kind::Flat | Kind::Unknown => Err(unsuitable("it is empty".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::model::{AN2131, FX2LP};
    use super::*;
    use crate::chip::Identity;
    use crate::usb::Ids;

    fn recipe(settings: &[(u8, u8)]) -> Recipe {
        Recipe {
            identity: Identity {
                ids: Ids::new(0x1d50, 0x60b5),
                bcd_device: Some(1),
                interface_class: None,
                manufacturer: None,
                product: None,
                serial: None,
            },
            unique: [0; 8],
            settings: settings.iter().copied().collect::<BTreeMap<_, _>>(),
            firmware: None,
        }
    }

    #[test]
    fn values_make_the_image_of_a_real_board_to_the_byte() {
        let made = build(FX2LP, &recipe(&[(7, 1)])).unwrap();
        assert_eq!(::hex::encode(made.bytes), "c0501db560010001");
        assert_eq!(made.notes.len(), 1);
    }

    #[test]
    fn values_without_a_place_are_refused() {
        assert!(build(FX2LP, &recipe(&[(7, 0x80)])).is_err());
        assert!(build(FX2LP, &recipe(&[(6, 1)])).is_err());
        assert!(build(AN2131, &recipe(&[(7, 1)])).is_err());
        let mut named = recipe(&[]);
        named.identity.product = Some("Disk".to_owned());
        assert!(build(FX2LP, &named).unwrap_err().to_string().contains("no strings"));
    }

    #[test]
    fn firmware_is_put_behind_the_ids() {
        for file in [b"\x80\xfe".to_vec(), b"# loop\n:0200000080FE80\n:00000001FF\n".to_vec()] {
            let recipe = Recipe { firmware: Some(file), ..recipe(&[(7, 0x41)]) };
            let made = build(FX2LP, &recipe).unwrap();
            assert_eq!(
                ::hex::encode(made.bytes),
                "c2501db56001004100020000".to_owned() + "80fe8001e60000"
            );
            assert!(
                made.notes.iter().any(|note| note.contains("not contain exactly one")),
                "{:?}",
                made.notes
            );
        }
        let refused = |file: &[u8]| {
            let recipe = Recipe { firmware: Some(file.to_vec()), ..recipe(&[]) };
            build(FX2LP, &recipe).unwrap_err().to_string()
        };
        assert!(refused(b"").contains("empty"));
        assert!(refused(&[0xc2, 0, 0]).contains("already"));
        assert!(refused(b":0200000080FE81\n:00000001FF\n").contains("line 1"));
        assert!(refused(&[0; 0xe401]).contains("outside the RAM"));
    }
}
