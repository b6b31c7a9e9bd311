//! What the descriptors of a device suggest, and above all whether it is blank: 04b4:6830 is the id
//! of the chip in manufacturing mode and of thousands of healthy enclosures whose makers left
//! Cypress's id in the image.
//!
//! Captured from one blank unit (2007): class ff/06/50, rev 0.41, product "Cypress AT2LP RC42",
//! serial "M00000000000". Captured from healthy ones: class 08/06/50, rev 2.40, a serial of their
//! own; one of them carries the product string "Cypress AT2LP RC7", so that a string proves
//! nothing. The class decides: only a mass-storage interface of class 08 is bound by systems, and
//! only the blank chip lacks it.

use super::{AT2, AT2LP};
use crate::chip::{Grade, IdMeaning, KnownIds, Suspicion};
use crate::usb::{ClassCode, Ids, Sighting};

/// The chip in manufacturing mode, and its factory default image.
const DEFAULT: Ids = Ids::new(0x04b4, 0x6830);
/// What the vendor's driver also listens for: fuses of nothing but zeros [its .inf, captured].
const ZERO: Ids = Ids::new(0, 0);
/// ISD-300LP (CY7C68310), the cousin: another chip with another EEPROM.
const RELATED_CHIP: Ids = Ids::new(0x04b4, 0x6831);

/// The pairs that are known, each with what it says before the class was looked at.
pub(super) const KNOWN: &[KnownIds] = &[
    KnownIds {
        ids: DEFAULT,
        model: AT2LP,
        name: "Cypress AT2LP",
        detail: "AT2 or AT2LP in manufacturing mode, or a healthy one that uses Cypress's USB ID",
        id_meaning: IdMeaning::SharedBootId,
        // [001-05809 p. 19]
        grade: Grade::Documented,
        also_used_by: &["healthy enclosures whose makers kept Cypress's USB ID"],
    },
    KnownIds {
        ids: ZERO,
        model: AT2LP,
        name: "Cypress AT2LP without a USB ID",
        detail: "AT2LP whose ID fuses are zero; recognised only with the signs of a blank chip",
        id_meaning: IdMeaning::SharedBootId,
        // The vendor's driver listens for it.
        grade: Grade::Captured,
        also_used_by: &["any device that never got a USB ID"],
    },
    KnownIds {
        ids: RELATED_CHIP,
        model: AT2LP,
        name: "Cypress ISD-300LP",
        detail: "a relative of the AT2LP; its EEPROM is not publicly documented and is not written",
        id_meaning: IdMeaning::Running,
        // usb.ids, Linux's ums-cypress.
        grade: Grade::Captured,
        also_used_by: &[],
    },
];

/// Bulk-only transport under a vendor's class: the blank chip.
const BLANK: ClassCode = ClassCode::new(0xff, 0x06, 0x50);
/// Mass storage, SCSI, bulk-only: a bridge at work.
const MASS_STORAGE: ClassCode = ClassCode::new(0x08, 0x06, 0x50);

/// bcdDevice of the one blank unit that was captured.
pub(super) const BLANK_REVISION: u16 = 0x0041;

/// The signs of a blank chip, besides its class, that a device shows.
pub(super) fn signs(seen: &Sighting) -> Vec<String> {
    let mut signs = Vec::new();
    if let Some(product) = &seen.product
        && product.starts_with("Cypress AT2LP RC")
    {
        signs.push(format!("product {product:?}"));
    }
    if let Some(serial) = &seen.serial
        && serial.starts_with("M00000")
    {
        signs.push(format!("serial {serial:?}"));
    }
    if seen.bcd_device == BLANK_REVISION {
        signs.push("rev 0.41".to_owned());
    }
    signs
}

pub(super) fn has_class(seen: &Sighting, class: ClassCode) -> bool {
    seen.interfaces.iter().any(|interface| interface.class == class)
}

pub(super) fn is_blank_class(seen: &Sighting) -> bool {
    has_class(seen, BLANK) && !is_running(seen)
}

pub(super) fn is_running(seen: &Sighting) -> bool {
    has_class(seen, MASS_STORAGE)
}

pub(super) fn is_related_chip(seen: &Sighting) -> bool {
    seen.ids == RELATED_CHIP
}

pub(super) fn recognise(seen: &Sighting) -> Option<Suspicion> {
    match seen.ids {
        DEFAULT => Some(with_default_id(seen)),
        // Anything may carry zeros; only with the blank chip's own marks is it this one.
        ZERO if is_blank_class(seen) && !signs(seen).is_empty() => Some(Suspicion {
            model: AT2LP,
            name: "blank Cypress AT2LP without a USB ID",
            detail: "AT2LP in manufacturing mode whose ID fuses are zero; its EEPROM is blank or broken",
            id_meaning: IdMeaning::BootId,
        }),
        RELATED_CHIP => Some(Suspicion {
            model: AT2LP,
            name: "Cypress ISD-300LP",
            detail: "a relative of the AT2LP; its EEPROM is not publicly documented and is not written",
            id_meaning: IdMeaning::Running,
        }),
        _ => None,
    }
}

fn with_default_id(seen: &Sighting) -> Suspicion {
    let model = match &seen.product {
        Some(product) if product.contains("AT2") && !product.contains("AT2LP") => AT2,
        _ => AT2LP,
    };
    if is_running(seen) {
        return Suspicion {
            model,
            name: "enclosure with Cypress's USB ID",
            detail: "AT2LP bridge with a mass-storage interface, so it has read its EEPROM",
            id_meaning: IdMeaning::Running,
        };
    }
    if is_blank_class(seen) && !signs(seen).is_empty() {
        return Suspicion {
            model,
            name: "Cypress AT2LP in manufacturing mode",
            detail: "the chip found no valid EEPROM (or ARESET# is held low); known as \"Cypress AT2LP RC42\" and \"RC58\"",
            id_meaning: IdMeaning::BootId,
        };
    }
    Suspicion {
        model,
        name: "device with the USB ID of a blank AT2LP",
        detail: "it has no mass-storage interface and no sign of a blank chip",
        id_meaning: IdMeaning::SharedBootId,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::usb::{Endpoint, Interface, PortPath, Speed};

    pub fn endpoint(address: u8, kind: u8, max_packet: u16) -> Endpoint {
        Endpoint { address, kind, max_packet }
    }

    /// The blank unit of the 2007 forum post, as its /proc/bus/usb/devices shows it.
    pub fn rc42() -> Sighting {
        Sighting {
            port: PortPath::new(5, vec![7]),
            device_number: 3,
            ids: DEFAULT,
            bcd_device: 0x0041,
            class: ClassCode::new(0, 0, 0),
            manufacturer: None,
            product: Some("Cypress AT2LP RC42".to_owned()),
            serial: Some("M00000000000".to_owned()),
            interfaces: vec![
                Interface {
                    number: 0,
                    alternate: 0,
                    class: BLANK,
                    endpoints: vec![endpoint(0x02, 2, 512), endpoint(0x86, 2, 512)],
                },
                Interface {
                    number: 2,
                    alternate: 0,
                    class: ClassCode::new(3, 0, 0),
                    endpoints: vec![endpoint(0x81, 3, 4)],
                },
            ],
            speed: Speed::High,
            driver: None,
        }
    }

    pub fn healthy() -> Sighting {
        let mut seen = rc42();
        seen.bcd_device = 0x0240;
        seen.serial = Some("DEF10B5A7F21".to_owned());
        seen.interfaces.truncate(1);
        seen.interfaces[0].class = MASS_STORAGE;
        seen.interfaces[0].endpoints[1].address = 0x88;
        seen
    }

    fn id_meaning(seen: &Sighting) -> Option<IdMeaning> {
        recognise(seen).map(|suspicion| suspicion.id_meaning)
    }

    #[test]
    fn the_blank_unit_of_the_forum_post_is_in_manufacturing_mode() {
        assert_eq!(id_meaning(&rc42()), Some(IdMeaning::BootId));
    }

    #[test]
    fn a_healthy_enclosure_with_the_same_id_is_running_whatever_its_strings_say() {
        let mut seen = healthy();
        assert_eq!(id_meaning(&seen), Some(IdMeaning::Running));
        seen.product = Some("Cypress AT2LP RC7".to_owned());
        assert_eq!(id_meaning(&seen), Some(IdMeaning::Running));
        seen.serial = Some("M00000000000".to_owned());
        seen.bcd_device = BLANK_REVISION;
        assert_eq!(id_meaning(&seen), Some(IdMeaning::Running));
    }

    #[test]
    fn the_class_alone_is_a_suspicion_and_no_more() {
        let mut seen = rc42();
        seen.bcd_device = 0x0240;
        seen.product = None;
        seen.serial = None;
        assert_eq!(id_meaning(&seen), Some(IdMeaning::SharedBootId));
        seen.interfaces.clear();
        assert_eq!(id_meaning(&seen), Some(IdMeaning::SharedBootId));
    }

    #[test]
    fn zeros_are_this_chip_only_with_its_marks() {
        let mut seen = rc42();
        seen.ids = ZERO;
        assert_eq!(id_meaning(&seen), Some(IdMeaning::BootId));
        seen.product = None;
        seen.serial = None;
        seen.bcd_device = 0;
        assert_eq!(id_meaning(&seen), None);
    }

    #[test]
    fn the_cousin_is_told_apart_and_left_alone() {
        let mut seen = rc42();
        seen.ids = RELATED_CHIP;
        let suspicion = recognise(&seen).unwrap();
        assert_eq!(
            (suspicion.id_meaning, suspicion.name),
            (IdMeaning::Running, "Cypress ISD-300LP")
        );
    }
}
