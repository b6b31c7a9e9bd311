//! Any text as a backup's record, beside bytes that may or may not be its own.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use recover::executor::Store;

fuzz_target!(|text: &[u8]| {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path());
    let folder = store.folder("backups").unwrap();
    fs::write(folder.join("fuzzed.toml"), text).unwrap();
    fs::write(folder.join("fuzzed.bin"), [0; 16]).unwrap();
    for record in store.backups().unwrap() {
        if let Ok((again, bytes)) = store.load_backup(&record.id) {
            assert_eq!(again, record);
            assert_eq!(bytes, [0; 16]);
        }
    }
});
