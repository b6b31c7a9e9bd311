//! The ids under which chips of this family answer when their EEPROM gives them none. A table;
//! nothing here is a proof, `probe` is.
//!
//! Every one of them is shared with healthy products: the family was made to be loaded over USB,
//! and many boards never had an EEPROM. So none is a boot id that alone speaks of a fault.

use super::model::{self, AN2131, FX, FX1, FX2LP, Registers};
use crate::chip::{Grade, IdMeaning, KnownIds, Suspicion};
use crate::usb::{ClassCode, Ids, Interface, Sighting};

const AN21_DETAIL: &str =
    "Cypress EZ-USB AN21xx core without a valid EEPROM; many old boards never had one";
const AN21_USERS: &[&str] = &["devices whose driver loads their firmware at every start"];

/// An AN21xx under one of the product ids of [libusb's table of default ids].
const fn an21(product: u16, name: &'static str) -> KnownIds {
    let ids = Ids::new(0x0547, product);
    let (detail, also_used_by) = (AN21_DETAIL, AN21_USERS);
    let (id_meaning, grade) = (IdMeaning::SharedBootId, Grade::Captured);
    KnownIds { ids, model: AN2131, name, detail, id_meaning, grade, also_used_by }
}

/// The pairs that are known.
pub const KNOWN: &[KnownIds] = &[
    KnownIds {
        ids: Ids::new(0x04b4, 0x8613),
        model: FX2LP,
        name: "unprogrammed Cypress FX2",
        detail: "Cypress EZ-USB FX2 or FX2LP core without a valid EEPROM; many boards never had one",
        id_meaning: IdMeaning::SharedBootId,
        // [FX2 TRM table 3-3]
        grade: Grade::Documented,
        also_used_by: &[
            "development boards and logic analysers that are loaded over USB at every start",
            "firmware that kept Cypress's USB ID",
        ],
    },
    KnownIds {
        ids: Ids::new(0x04b4, 0x6473),
        model: FX1,
        name: "unprogrammed Cypress FX1",
        detail: "Cypress EZ-USB FX1 core without a valid EEPROM",
        id_meaning: IdMeaning::SharedBootId,
        // Cypress's CyUSB.inf; libusb's table.
        grade: Grade::Captured,
        also_used_by: &["boards that are loaded over USB at every start"],
    },
    KnownIds {
        ids: Ids::new(0x0547, 0x2235),
        model: FX,
        name: "unprogrammed Cypress FX",
        detail: "Cypress EZ-USB FX core without a valid EEPROM",
        id_meaning: IdMeaning::SharedBootId,
        // usb.ids; Linux usbtest's table.
        grade: Grade::Captured,
        also_used_by: &["devices whose driver loads their firmware at every start"],
    },
    KnownIds {
        ids: Ids::new(0x0547, 0x2131),
        model: AN2131,
        name: "unprogrammed Anchor EZ-USB",
        detail: AN21_DETAIL,
        id_meaning: IdMeaning::SharedBootId,
        // usb.ids.
        grade: Grade::Documented,
        also_used_by: &[
            "scanners, MIDI and network adapters whose driver loads their firmware at every start",
        ],
    },
    an21(0x2122, "unprogrammed Anchor EZ-USB (AN2122)"),
    an21(0x2125, "unprogrammed Anchor EZ-USB (AN2121, AN2125)"),
    an21(0x2126, "unprogrammed Anchor EZ-USB (AN2126)"),
    an21(0x2136, "unprogrammed Anchor EZ-USB (AN2136)"),
    an21(0x2225, "unprogrammed Anchor EZ-USB (AN2225)"),
    an21(0x2226, "unprogrammed Anchor EZ-USB (AN2226)"),
    an21(0x2236, "unprogrammed Anchor EZ-USB (AN2236)"),
];

/// The entry of those ids.
pub fn known(ids: Ids) -> Option<&'static KnownIds> {
    KNOWN.iter().find(|known| known.ids == ids)
}

/// What the ids of `seen` suggest. With other descriptors than the chip's own core has, firmware
/// is running that kept Cypress's ids.
pub fn recognise(seen: &Sighting) -> Option<Suspicion> {
    known(seen.ids).map(|known| {
        let is_core = is_default_device(seen, model::map(known.model).registers);
        Suspicion {
            model: known.model,
            name: if is_core { known.name } else { "Cypress EZ-USB device with running firmware" },
            detail: if is_core { known.detail } else { "firmware that kept Cypress's USB ID" },
            id_meaning: if is_core { known.id_meaning } else { IdMeaning::Running },
        }
    })
}

/// The class of the core's device and of its interface [FX2 TRM 3.3].
const CORE_CLASS: ClassCode = ClassCode::new(0xff, 0xff, 0xff);
/// Endpoints of the alternate settings 1 to 3 of FX1, FX2 and FX2LP [FX2 TRM ch. 3; captured from
/// blank boards].
const E6_ENDPOINTS: [u8; 6] = [0x01, 0x81, 0x02, 0x04, 0x86, 0x88];
/// Alternate settings of FX1, FX2 and FX2LP [FX2 TRM ch. 3].
const E6_SETTINGS: usize = 4;

/// Whether `seen` has all that the own core of a chip with these registers shows, whatever its
/// ids: every class byte, no strings, one interface whose first setting has no endpoints, and the
/// settings behind it. bcdDevice is the silicon's revision and tells nothing here. A program can
/// show all this as well; `probe` looks for one.
pub fn is_default_device(seen: &Sighting, registers: Registers) -> bool {
    let strings = [&seen.manufacturer, &seen.product, &seen.serial];
    let is_setting = |(number, setting): (usize, &Interface)| {
        setting.number == 0
            && usize::from(setting.alternate) == number
            && setting.class == CORE_CLASS
            && setting.endpoints.is_empty() == (number == 0)
    };
    seen.class == CORE_CLASS
        && strings.iter().all(|text| text.is_none())
        && !seen.interfaces.is_empty()
        && seen.interfaces.iter().enumerate().all(is_setting)
        && (registers == Registers::Map7F || has_e6_settings(&seen.interfaces))
}

fn has_e6_settings(settings: &[Interface]) -> bool {
    let has_its_endpoints = |setting: &Interface| {
        setting.endpoints.iter().map(|endpoint| endpoint.address).eq(E6_ENDPOINTS)
    };
    settings.len() == E6_SETTINGS && settings.iter().skip(1).all(has_its_endpoints)
}

#[cfg(test)]
mod tests {
    use super::super::fake::sighting;
    use super::*;

    #[test]
    fn every_pair_is_in_the_table_once_and_says_who_else_uses_it() {
        for (place, entry) in KNOWN.iter().enumerate() {
            assert!(KNOWN.iter().skip(place + 1).all(|other| other.ids != entry.ids));
            assert!(!entry.also_used_by.is_empty(), "{}", entry.ids);
            assert_eq!(entry.id_meaning, IdMeaning::SharedBootId, "{}", entry.ids);
        }
    }

    /// What changes a sighting into that of a program.
    type Change = fn(&mut Sighting);

    #[test]
    fn firmware_under_the_default_ids_is_told_by_all_that_the_core_shows() {
        let changes: [(&str, Change); 9] = [
            ("a string", |seen| seen.product = Some("fx2lafw".to_owned())),
            ("class", |seen| seen.class = ClassCode::new(0, 0xff, 0xff)),
            ("subclass", |seen| seen.class = ClassCode::new(0xff, 0, 0xff)),
            ("protocol", |seen| seen.class = ClassCode::new(0xff, 0xff, 0)),
            ("class of the interface", |seen| {
                seen.interfaces[0].class = ClassCode::new(0xff, 0, 0);
            }),
            ("second interface", |seen| seen.interfaces.last_mut().unwrap().number = 1),
            ("settings", |seen| seen.interfaces.rotate_left(1)),
            ("endpoints at the beginning", |seen| {
                seen.interfaces[0].endpoints = seen.interfaces[1].endpoints.clone();
            }),
            ("no interface", |seen| seen.interfaces.clear()),
        ];
        for (vendor, product) in [(0x04b4, 0x8613), (0x04b4, 0x6473), (0x0547, 0x2131)] {
            let core = sighting(vendor, product);
            assert_eq!(recognise(&core).unwrap().id_meaning, IdMeaning::SharedBootId);
            for (what, change) in &changes {
                let mut seen = core.clone();
                change(&mut seen);
                let standing = recognise(&seen).unwrap().id_meaning;
                assert_eq!(standing, IdMeaning::Running, "{} {what}", core.ids);
            }
        }
        let mut seen = sighting(0x04b4, 0x8613);
        seen.interfaces[2].endpoints[1].address = 0x82;
        assert_eq!(recognise(&seen).unwrap().id_meaning, IdMeaning::Running);
        seen.interfaces.truncate(1);
        assert_eq!(recognise(&seen).unwrap().id_meaning, IdMeaning::Running);
        assert_eq!(recognise(&sighting(0x1209, 0x0001)), None);
    }
}
