//! Any bytes as a journal file.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use recover::executor::Store;
use recover::journal::{Entry, JournalFile};

fuzz_target!(|bytes: &[u8]| {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path());
    let path = store.folder("journals").unwrap().join("fuzzed.jsonl");
    fs::write(&path, bytes).unwrap();
    let found = store.unfinished().unwrap();
    if let Ok(mut file) = JournalFile::open(&path) {
        let journal = file.journal();
        assert_eq!(found.len(), usize::from(!journal.has_ended()));
        let _ = (journal.may_have_written(), journal.in_flight().map(str::to_owned));
        let ended = journal.has_ended();
        assert_eq!(
            file.append(Entry::Ended { result: recover::journal::Ending::Failed, on_trial: None }).is_err(),
            ended
        );
        // A last line without its end was ignored; what is appended must not be lost behind it.
        let again = JournalFile::open(&path);
        assert!(again.is_ok_and(|file| file.journal().has_ended()), "the end was lost");
    }
});
