//! Units that passed long ago, as their journals and backups tell.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use recover::executor::{BackupRecord, Store};
use recover::journal::{Begun, Ending, Entry, JournalFile, VERSION};
use recover::usb::{Ids, PortPath};

/// The beginning of a rescue at that port.
pub fn begun(port: &PortPath, id: &str) -> Begun {
    Begun {
        version: VERSION,
        id: id.to_owned(),
        date: "2024-05-04T10:02:33Z".parse().unwrap(),
        port: port.clone(),
        ids: Ids::new(0x04ce, 0x07d1),
        chip: "sl11r".to_owned(),
        profile: None,
        image: "an image".to_owned(),
        image_sha256: "00".repeat(32),
        expected: None,
        backup: None,
        restoring: false,
        own_serial: false,
        continues: None,
    }
}

/// A rescue at that port that has not ended.
pub fn unfinished(store: &Store, port: &PortPath, id: &str) -> JournalFile {
    let mut journal = store.begin_journal(begun(port, id)).unwrap();
    journal.append(Entry::Intent { step: 1, title: "write".to_owned(), persistent: true }).unwrap();
    journal
}

/// Units that were rescued at the port, each with its backup.
pub fn rescued(store: &Store, port: &PortPath, units: usize) {
    for unit in 0..units {
        let id = format!("2024-05-04T10-02-33-unit-{unit:05}");
        let record = BackupRecord {
            id: id.clone(),
            date: "2024-05-04T10:02:33Z".parse().unwrap(),
            port: port.clone(),
            ids: Ids::new(0x04ce, 0x07d1),
            serial: None,
            chip: "sl11r".to_owned(),
            whole: true,
            bytes: 0,
            sha256: String::new(),
        };
        store.save_backup(record, &[0; 2048]).unwrap();
        let mut journal = unfinished(store, port, &id);
        store.end_journal(&mut journal, Ending::Rescued, None).unwrap();
    }
}
