//! What the ids of a device suggest. A table; nothing here is a proof, `probe` is.

use super::model::{EZ_OTG, SL11R};
use crate::chip::{Grade, IdMeaning, KnownIds, Suspicion};
use crate::usb::{ClassCode, Ids, Sighting};

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
    let known = KNOWN.iter().find(|known| known.ids == seen.ids)?;
    if known.model == EZ_OTG && !is_ez_rom(seen) {
        return Some(Suspicion {
            model: known.model,
            name: "Cypress EZ-OTG device at work",
            detail: "firmware that kept Cypress's ids",
            id_meaning: IdMeaning::Running,
        });
    }
    Some(Suspicion {
        model: known.model,
        name: known.name,
        detail: known.detail,
        id_meaning: known.id_meaning,
    })
}

/// Whether `seen` is what the ROM of an EZ chip shows, as far as its document tells [BM 1.7.5.2]. A
/// product text that could not be read is no sign; what the SL11R's ROM shows besides its ids is
/// not documented.
fn is_ez_rom(seen: &Sighting) -> bool {
    let is_its_product = |product: &String| product.starts_with("CYPRESS EZ-");
    let [setting] = seen.interfaces.as_slice() else { return false };
    let endpoints = setting.endpoints.iter().map(|endpoint| endpoint.address);
    seen.class == ClassCode::new(0xff, 0, 0)
        && seen.bcd_device == 0
        && setting.class == ClassCode::new(0, 0, 0)
        && endpoints.eq([0x01, 0x82])
        && seen.product.as_ref().is_none_or(is_its_product)
}

#[cfg(test)]
mod tests {
    use super::super::fake::sighting;
    use super::*;
    use crate::usb::{Endpoint, Interface};

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
    fn firmware_that_kept_the_ids_of_an_ez_chip_is_told_by_all_that_its_rom_shows() {
        type Change = fn(&mut Sighting);
        let mut rom = sighting(0x04b4, 0x7200);
        rom.product = Some("CYPRESS EZ-OTG".to_owned());
        rom.interfaces = vec![Interface {
            number: 0,
            alternate: 0,
            class: ClassCode::new(0, 0, 0),
            endpoints: [0x01, 0x82]
                .map(|address| Endpoint { address, kind: 2, max_packet: 64 })
                .to_vec(),
        }];
        assert_eq!(recognise(&rom).unwrap().id_meaning, IdMeaning::SharedBootId);
        rom.product = None;
        assert_eq!(recognise(&rom).unwrap().id_meaning, IdMeaning::SharedBootId);
        let changes: [(&str, Change); 6] = [
            ("class", |seen| seen.class = ClassCode::new(0, 0, 0)),
            ("revision", |seen| seen.bcd_device = 0x0100),
            ("product", |seen| seen.product = Some("Disk".to_owned())),
            ("class of the interface", |seen| {
                seen.interfaces[0].class = ClassCode::new(8, 6, 0x50);
            }),
            ("endpoints", |seen| seen.interfaces[0].endpoints[1].address = 0x81),
            ("interfaces", |seen| seen.interfaces.clear()),
        ];
        for (what, change) in changes {
            let mut seen = rom.clone();
            change(&mut seen);
            assert_eq!(recognise(&seen).unwrap().id_meaning, IdMeaning::Running, "{what}");
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
