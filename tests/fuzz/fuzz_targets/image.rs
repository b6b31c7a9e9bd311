//! Any bytes as an image file, for every chip: an image or a refusal, never a panic. What is taken
//! for an image is taken again when it is read out of a memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for (chip, model) in recover_fuzz::models() {
        if let Ok(image) = chip.read_image(model, bytes) {
            // A program from a flat or HEX file grows by its headers; no chip boots from more.
            assert!(image.start().len() <= 0x1_0000);
            assert!(chip.boots_from(model, image.start()));
            let mut memory = image.start().to_vec();
            memory.extend([0xff; 64]);
            let again = chip.image_in_memory(model, &memory);
            assert!(again.is_ok(), "{model}: {again:?}");
        }
    }
});
