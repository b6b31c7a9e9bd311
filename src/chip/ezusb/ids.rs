//! The ids under which chips of this family answer when their EEPROM gives them none. A table;
//! nothing here is a proof, `probe` is.
//!
//! Every one of them is shared with healthy products: the family was made to be loaded over USB,
//! and many boards never had an EEPROM. So none is a boot id that alone speaks of a fault.

use super::model::{AN2131, FX, FX1, FX2LP};
use crate::chip::{Grade, Model, Standing, Suspicion};
use crate::usb::{Ids, Sighting};

/// One pair of ids that speaks of this family.
#[derive(Clone, Debug)]
pub struct KnownIds {
    /// The pair.
    pub ids: Ids,
    /// The chip; of several that share the pair, the one sold most.
    pub model: Model,
    /// What its owner would call it.
    pub name: &'static str,
    /// What that is.
    pub detail: &'static str,
    /// How that is known.
    pub grade: Grade,
    /// Who else uses the pair.
    pub also_used_by: &'static [&'static str],
}

const AN21_DETAIL: &str =
    "Cypress EZ-USB AN21xx core without a valid EEPROM; many boards of this age never had one";
const AN21_USERS: &[&str] = &["devices whose driver loads their firmware at every start"];

/// An AN21xx under one of the product ids of [libusb's table of default ids].
const fn an21(product: u16, name: &'static str) -> KnownIds {
    let ids = Ids::new(0x0547, product);
    let (detail, also_used_by) = (AN21_DETAIL, AN21_USERS);
    KnownIds { ids, model: AN2131, name, detail, grade: Grade::Captured, also_used_by }
}

/// The pairs that are known.
pub const KNOWN: &[KnownIds] = &[
    KnownIds {
        ids: Ids::new(0x04b4, 0x8613),
        model: FX2LP,
        name: "unprogrammed Cypress FX2",
        detail: "Cypress EZ-USB FX2 or FX2LP core without a valid EEPROM; many boards never had one",
        // [FX2 TRM table 3-3]
        grade: Grade::Documented,
        also_used_by: &[
            "development boards and logic analysers that are loaded over USB at every start",
            "firmware that kept Cypress's ids",
        ],
    },
    KnownIds {
        ids: Ids::new(0x04b4, 0x6473),
        model: FX1,
        name: "unprogrammed Cypress FX1",
        detail: "Cypress EZ-USB FX1 core without a valid EEPROM",
        // Cypress's CyUSB.inf; libusb's table.
        grade: Grade::Captured,
        also_used_by: &["boards that are loaded over USB at every start"],
    },
    KnownIds {
        ids: Ids::new(0x0547, 0x2235),
        model: FX,
        name: "unprogrammed Cypress FX",
        detail: "Cypress EZ-USB FX core without a valid EEPROM",
        // usb.ids; Linux usbtest's table.
        grade: Grade::Captured,
        also_used_by: &["devices whose driver loads their firmware at every start"],
    },
    KnownIds {
        ids: Ids::new(0x0547, 0x2131),
        model: AN2131,
        name: "unprogrammed Anchor EZ-USB",
        detail: AN21_DETAIL,
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

/// What the ids of `seen` suggest.
pub fn recognise(seen: &Sighting) -> Option<Suspicion> {
    known(seen.ids).map(|known| Suspicion {
        model: known.model,
        name: known.name,
        detail: known.detail,
        standing: Standing::SharedBootId,
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
    use super::*;

    #[test]
    fn every_pair_is_in_the_table_once_and_says_who_else_uses_it() {
        for (place, entry) in KNOWN.iter().enumerate() {
            assert!(KNOWN.iter().skip(place + 1).all(|other| other.ids != entry.ids));
            assert!(!entry.also_used_by.is_empty(), "{}", entry.ids);
        }
    }
}
