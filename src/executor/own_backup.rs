//! The backups in the store that may be the image a device needs.

use super::candidate::{Candidate, is_boot_mode_identity};
use super::run::Run;
use super::store::BackupRecord;
use crate::chip::Finding;
use crate::failure::Failure;
use crate::rescue::TargetRequest;
use crate::rescue::choice::{Choice, NamedImage, OwnBackup};

/// Every backup of the same chip with a whole image, of the same port or with the serial
/// number that was asked for; the newest first.
pub(super) fn own_backups(
    run: &Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    requested: &TargetRequest,
) -> Result<Vec<OwnBackup>, Failure> {
    let store = run.tools.store;
    let whole_image = |record: BackupRecord| {
        // A damaged backup is no image; it is named when it is asked for.
        let (record, bytes) = store.load_backup(&record.id).ok()?;
        let Ok(image) = candidate.chip.image_in_memory(finding.model, &bytes) else {
            // Bytes that are no image never become one: they are not looked into again.
            store.withdraw_backup(&record);
            return None;
        };
        Some(OwnBackup {
            id: record.id,
            same_port: record.port == candidate.seen.port,
            is_boot_id: image.identity.as_ref().is_some_and(is_boot_mode_identity),
            image: image.start().to_vec(),
            identity: image.identity,
        })
    };
    let (chip, serial) = (finding.model.name, requested.serial.as_deref());
    let records = store.backups_of(chip, &candidate.seen.port, serial)?;
    Ok(records.into_iter().filter_map(whole_image).collect())
}

/// The commands that put one of these back.
pub(super) fn offered(run: &Run<'_>, backups: &[&OwnBackup]) -> Vec<String> {
    let identity = |backup: &OwnBackup| {
        backup.identity.as_ref().map_or("a whole image".to_owned(), ToString::to_string)
    };
    let command = |backup: &&OwnBackup| {
        format!("{}    ({})", run.tools.commands.restore(&backup.id), identity(backup))
    };
    backups.iter().map(command).collect()
}

/// The backup as the choice that was made, said so.
pub(super) fn take_backup(run: &mut Run<'_>, backup: &OwnBackup) -> Choice {
    let name = format!("backup {}", backup.id);
    let who = backup.identity.as_ref().map_or_else(String::new, |who| format!(" as {who}"));
    run.note(format!(
        "the image is your own {name}, made at this port{who}; if the port held a different enclosure then, stop and use --profile or --image"
    ));
    let doubt = format!(
        "the {name} belongs to this enclosure because both were at the same port (inferred)"
    );
    let image = NamedImage { name, bytes: backup.image.clone() };
    Choice { profile: None, image, doubt: Some(doubt) }
}
