//! What the ids of a device suggest. A table; nothing here is a proof, `probe` is.

use super::model::{EZ_OTG, SL11R};
use crate::chip::{Grade, IdMeaning, KnownIds, Suspicion};
use crate::usb::{Ids, Sighting};

/// The pairs that are known.
pub const KNOWN: &[KnownIds] = &[
    KnownIds {
        ids: Ids::new(0x04ce, 0x07d1),
        model: SL11R,
        name: "unknown QT processor",
        detail: "ScanLogic SL11R mask ROM, EEPROM blank or broken",
        id_meaning: IdMeaning::BootId,
        // usb.ids; a comment in [EZ].
        grade: Grade::Captured,
        also_used_by: &[],
    },
    KnownIds {
        ids: Ids::new(0x04ce, 0x0002),
        model: SL11R,
        name: "ScanLogic USBIDE",
        detail: "ScanLogic SL11R-IDE with its firmware running",
        id_meaning: IdMeaning::Running,
        // usb.ids; kernel logs of real enclosures.
        grade: Grade::Captured,
        also_used_by: &["enclosures of many makers that kept ScanLogic's USB ID"],
    },
    KnownIds {
        ids: Ids::new(0x04ce, 0x0100),
        model: SL11R,
        name: "ScanLogic USB2PRN",
        detail: "ScanLogic SL11R printer cable with its firmware running",
        id_meaning: IdMeaning::Running,
        grade: Grade::Captured,
        also_used_by: &[],
    },
    KnownIds {
        ids: Ids::new(0x04ce, 0x04ce),
        model: SL11R,
        name: "ScanLogic SL11DEMO",
        detail: "ScanLogic SL11R demonstration board with its firmware running",
        id_meaning: IdMeaning::Running,
        grade: Grade::Captured,
        also_used_by: &[],
    },
    KnownIds {
        ids: Ids::new(0x04b4, 0x7200),
        model: EZ_OTG,
        name: "Cypress EZ-OTG",
        detail: "EZ-OTG or EZ-Host in boot mode without valid memory; development boards start the same way",
        id_meaning: IdMeaning::SharedBootId,
        // [BM 1.7.5.2]
        grade: Grade::Documented,
        also_used_by: &[
            "development boards that are loaded over USB at every start",
            "coprocessor boards whose host boots the chip through HPI",
        ],
    },
];

/// What the ids of `seen` suggest.
pub fn recognise(seen: &Sighting) -> Option<Suspicion> {
    KNOWN.iter().find(|known| known.ids == seen.ids).map(|known| Suspicion {
        model: known.model,
        name: known.name,
        detail: known.detail,
        id_meaning: known.id_meaning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_in_the_table_once() {
        for (place, known) in KNOWN.iter().enumerate() {
            assert!(
                KNOWN.iter().skip(place + 1).all(|other| other.ids != known.ids),
                "{}",
                known.ids
            );
        }
    }

    #[test]
    fn only_the_sl11r_has_a_boot_id_of_its_own() {
        let own: Vec<_> = KNOWN
            .iter()
            .filter(|known| known.id_meaning == IdMeaning::BootId)
            .map(|k| k.ids)
            .collect();
        assert_eq!(own, [Ids::new(0x04ce, 0x07d1)]);
    }

    #[test]
    fn a_pair_shared_with_healthy_products_says_with_whom() {
        for known in KNOWN.iter().filter(|known| known.id_meaning == IdMeaning::SharedBootId) {
            assert!(!known.also_used_by.is_empty(), "{}", known.ids);
        }
    }
}
