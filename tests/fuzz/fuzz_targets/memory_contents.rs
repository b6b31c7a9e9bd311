//! Any bytes as a memory's contents, for every chip.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for (chip, model) in recover_fuzz::models() {
        let boots = chip.boots_from(model, bytes);
        if let Ok(image) = chip.image_in_memory(model, bytes) {
            assert!(boots, "{model}: an image that is not booted");
            assert!(bytes.starts_with(image.start()));
        }
    }
});
