//! The serial numbers that may pass over the bus before a device is sighted with them; a masked
//! trace has to know them. Those of profiles, of kept records, and of the image to be written, as
//! far as its descriptors tell. The bytes of a memory that is read are not known beforehand.

use crate::chip;
use crate::executor::Store;
use crate::profile::Library;

/// Every one that is known here.
pub fn known(library: &Library, store: &Store, image: Option<&[u8]>) -> Vec<String> {
    let mut serials: Vec<Option<String>> =
        library.profiles().map(|profile| profile.identity.identity.serial.clone()).collect();
    serials.extend(store.backups().unwrap_or_default().into_iter().map(|record| record.serial));
    for file in store.unfinished().unwrap_or_default() {
        let begun = file.journal().begun();
        serials.push(begun.expected.as_ref().and_then(|expected| expected.serial.clone()));
        serials.extend(store.kept_image(&begun.image_sha256).map(|bytes| of_image(&bytes)));
    }
    serials.push(image.and_then(of_image));
    let mut serials: Vec<String> = serials.into_iter().flatten().collect();
    serials.sort();
    serials.dedup();
    serials
}

/// The serial number in an image's own descriptors, whichever chip it is for.
fn of_image(bytes: &[u8]) -> Option<String> {
    chip::families()
        .iter()
        .flat_map(|chip| chip.models().iter().map(move |model| (chip, *model)))
        .filter_map(|(chip, model)| chip.image_in_memory(model, bytes).ok()?.identity?.serial)
        .next()
}
