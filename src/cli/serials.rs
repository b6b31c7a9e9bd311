//! The serial numbers that may pass over the bus before a device is sighted with them; a masked
//! trace has to know them. Those of profiles, of kept records, and of what is to be written, as
//! far as its descriptors tell. What a memory holds is not known before it is read.

use crate::chip;
use crate::executor::Store;
use crate::profile::Library;
use crate::rescue::TargetRequest;

/// Every one that is known here.
pub fn known(library: &Library, store: &Store, requested: &TargetRequest) -> Vec<String> {
    let mut serials: Vec<Option<String>> =
        library.profiles().map(|profile| profile.promised()?.serial.clone()).collect();
    serials.extend(store.backups().unwrap_or_default().into_iter().map(|record| record.serial));
    for file in store.unfinished().unwrap_or_default() {
        let begun = file.journal().begun();
        serials.push(begun.expected.as_ref().and_then(|expected| expected.serial.clone()));
        serials.extend(store.kept_image(&begun.image_sha256).map(|bytes| of_image(&bytes)));
    }
    serials.push(requested.image.as_ref().and_then(|image| of_image(&image.bytes)));
    serials.push(requested.serial.clone());
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
        .find_map(|(chip, model)| chip.image_in_memory(model, bytes).ok()?.identity?.serial)
}
