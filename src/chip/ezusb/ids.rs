//! The ids under which chips of this family answer when their EEPROM gives them none. A table;
//! nothing here is a proof, `probe` is.
//!
//! Every one of them is shared with healthy products: the family was made to be loaded over USB,
//! and many boards never had an EEPROM. So none is a boot id that alone speaks of a fault.

use super::model::{AN2131, FX, FX1, FX2LP};
use crate::chip::{Grade, IdMeaning, KnownIds, Suspicion};
use crate::usb::{Ids, Sighting};

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
        let is_core = is_default_device(seen);
        Suspicion {
            model: known.model,
            name: if is_core { known.name } else { "Cypress EZ-USB device with running firmware" },
            detail: if is_core { known.detail } else { "firmware that kept Cypress's USB ID" },
            id_meaning: if is_core { known.id_meaning } else { IdMeaning::Running },
        }
    })
}

/// Whether `seen` has the descriptors of the chip's own core, whatever its ids: vendor class and
/// no strings [FX2 TRM 3.3].
pub fn is_default_device(seen: &Sighting) -> bool {
    let strings = [&seen.manufacturer, &seen.product, &seen.serial];
    seen.class.class == 0xff
        && strings.iter().all(|text| text.is_none())
        && seen.interfaces.first().is_none_or(|interface| interface.class.class == 0xff)
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

    #[test]
    fn firmware_under_the_default_ids_is_told_by_its_strings() {
        let mut seen = sighting(0x04b4, 0x8613);
        assert_eq!(recognise(&seen).unwrap().id_meaning, IdMeaning::SharedBootId);
        seen.product = Some("fx2lafw".to_owned());
        assert_eq!(recognise(&seen).unwrap().id_meaning, IdMeaning::Running);
        assert_eq!(recognise(&sighting(0x1209, 0x0001)), None);
    }
}
