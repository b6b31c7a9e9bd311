//! Whether a backup that its owner has already is the image to write: an enclosure's own bytes
//! are better than any that are made or come from another.

use super::TargetRequest;
use crate::chip::{IdMeaning, Identity};
use crate::profile::{ImageSource, Profile};

/// A backup of the same chip that holds a whole image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnBackup {
    /// Its name.
    pub id: String,
    /// Whether it was made at the very port; otherwise it has the serial number that was asked
    /// for.
    pub same_port: bool,
    /// Its image, without what lay behind it in the memory.
    pub image: Vec<u8>,
    /// Who the enclosure would be, as far as the image tells.
    pub identity: Option<Identity>,
    /// Whether that is a chip in boot mode.
    pub is_boot_id: bool,
}

/// What is to be done with the backups there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnImage<'b> {
    /// There is none.
    None,
    /// It is this one.
    Take(&'b OwnBackup),
    /// It may be one of these; its owner says which.
    Offer(Vec<&'b OwnBackup>),
}

/// Decides. Taken is only what is the one image ever backed up at this port, with an identity
/// that is its own, for a device that is known to be in boot mode, where neither an image nor
/// another kind of profile was asked for.
pub fn choose_backup<'b>(
    requested: &TargetRequest,
    profile: Option<&Profile>,
    id_meaning: IdMeaning,
    found: &'b [OwnBackup],
) -> OwnImage<'b> {
    if requested.image.is_some() || found.is_empty() {
        return OwnImage::None;
    }
    let [newest, rest @ ..] = found else { return OwnImage::None };
    let is_only = rest.iter().all(|other| other.image == newest.image);
    let is_sure = newest.same_port && !newest.is_boot_id && id_meaning == IdMeaning::BootId;
    let from_values =
        |profile: &Profile| matches!(profile.image.source, ImageSource::Values { .. });
    let is_free = requested.profile.is_none() || profile.is_some_and(from_values);
    let keeps = |identity: &Identity| {
        let serial = requested.serial.as_ref();
        let named = profile.filter(|_| requested.profile.is_some());
        serial.is_none_or(|serial| identity.serial.as_ref() == Some(serial))
            && requested.ids.is_none()
            && named
                .and_then(Profile::promised)
                .is_none_or(|promised| promised.differences(identity).is_empty())
    };
    if is_only && is_sure && is_free && newest.identity.as_ref().is_some_and(keeps) {
        OwnImage::Take(newest)
    } else {
        OwnImage::Offer(found.iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Library, known_chips};
    use crate::rescue::choice::NamedImage;
    use crate::usb::Ids;

    fn backup(id: &str, image: &[u8]) -> OwnBackup {
        OwnBackup {
            id: id.to_owned(),
            same_port: true,
            image: image.to_vec(),
            identity: Some(Identity {
                ids: Ids::new(0x1209, 0x6830),
                bcd_device: None,
                interface_class: None,
                manufacturer: None,
                product: None,
                serial: Some("0000A1B2C3D4".to_owned()),
            }),
            is_boot_id: false,
        }
    }

    fn taken(requested: &TargetRequest, id_meaning: IdMeaning, found: &[OwnBackup]) -> bool {
        matches!(choose_backup(requested, None, id_meaning, found), OwnImage::Take(_))
    }

    #[test]
    fn the_one_image_ever_backed_up_at_the_port_is_taken() {
        let requested = TargetRequest::default();
        let found = [backup("b", b"image"), backup("a", b"image")];
        let choice = choose_backup(&requested, None, IdMeaning::BootId, &found);
        assert_eq!(choice, OwnImage::Take(&found[0]));
        assert_eq!(choose_backup(&requested, None, IdMeaning::BootId, &[]), OwnImage::None);
    }

    #[test]
    fn whatever_leaves_a_doubt_is_offered_and_not_taken() {
        let requested = TargetRequest::default();
        let two = [backup("b", b"image"), backup("a", b"other")];
        assert!(!taken(&requested, IdMeaning::BootId, &two));
        let one = [backup("a", b"image")];
        assert!(taken(&requested, IdMeaning::BootId, &one));
        assert!(!taken(&requested, IdMeaning::SharedBootId, &one));
        assert!(!taken(&requested, IdMeaning::Unlisted, &one));
        for doubtful in [
            OwnBackup { same_port: false, ..backup("a", b"image") },
            OwnBackup { is_boot_id: true, ..backup("a", b"image") },
            OwnBackup { identity: None, ..backup("a", b"image") },
        ] {
            let found = [doubtful];
            let choice = choose_backup(&requested, None, IdMeaning::BootId, &found);
            assert_eq!(choice, OwnImage::Offer(vec![&found[0]]));
        }
    }

    #[test]
    fn what_was_asked_for_goes_before_a_backup() {
        let one = [backup("a", b"image")];
        let image = NamedImage { name: "FILE".to_owned(), bytes: Vec::new() };
        let requested = TargetRequest { image: Some(image), ..TargetRequest::default() };
        assert_eq!(choose_backup(&requested, None, IdMeaning::BootId, &one), OwnImage::None);
        let with_serial = |serial: &str| TargetRequest {
            serial: Some(serial.into()),
            ..TargetRequest::default()
        };
        assert!(taken(&with_serial("0000A1B2C3D4"), IdMeaning::BootId, &one));
        assert!(!taken(&with_serial("0000A1B2C3D5"), IdMeaning::BootId, &one));
        let library = Library::embedded(&known_chips());
        for name in ["simulated-at2lp", "simulated-sl11r"] {
            // Another identity, and an image of its own.
            let requested =
                TargetRequest { profile: Some(name.to_owned()), ..TargetRequest::default() };
            let choice = choose_backup(&requested, library.find(name), IdMeaning::BootId, &one);
            assert!(matches!(choice, OwnImage::Offer(_)), "{name}");
        }
    }
}
