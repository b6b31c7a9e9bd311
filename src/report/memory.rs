//! What the memory held before, from the backup, and holds afterwards: the image that was kept,
//! laid over the backup.

use crate::chip;
use crate::executor::Store;
use crate::ledger::Unit;

/// How sure it is what the memory holds afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Nothing was written.
    Unchanged,
    /// All that was written was read back.
    ReadBack,
    /// Writing was begun and not finished: it holds some of this.
    PartWritten,
}

/// A memory before and after.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What the backup holds.
    pub before: Option<Vec<u8>>,
    /// What it holds afterwards, or was to hold.
    pub after: Option<Vec<u8>>,
    /// How sure that is.
    pub certainty: Certainty,
    /// Why there is nothing to show.
    pub why_unknown: String,
    /// The backup's length.
    pub backup_bytes: Option<usize>,
    /// The backup's SHA-256.
    pub backup_sha256: Option<String>,
}

impl Contents {
    /// As far as the store has kept it.
    pub fn of(unit: &Unit, store: &Store) -> Self {
        let certainty = match unit.device_state.as_str() {
            "written" | "restored" => Certainty::ReadBack,
            "part-written" => Certainty::PartWritten,
            _ => Certainty::Unchanged,
        };
        let mut contents = Self {
            before: None,
            after: None,
            certainty,
            why_unknown: String::new(),
            backup_bytes: None,
            backup_sha256: None,
        };
        let Some(id) = &unit.backup else {
            contents.why_unknown = match unit.result.as_str() {
                "healthy" => "It was not read, because no repair was needed.",
                _ => "It was not read, so there is no picture of it.",
            }
            .to_owned();
            return contents;
        };
        match store.load_backup(id) {
            Ok((record, before)) => {
                contents.backup_bytes = Some(record.bytes);
                contents.backup_sha256 = Some(record.sha256);
                contents.after = match certainty {
                    Certainty::Unchanged => Some(before.clone()),
                    _ => written(unit, store).map(|image| merged_with_old(&image, &before)),
                };
                contents.before = Some(before);
            }
            Err(failure) => {
                contents.why_unknown =
                    format!("Its backup is no longer available: {}.", failure.what);
            }
        }
        contents
    }
}

/// The bytes that were written, from address 0 on. A file may hold them in another form than the
/// memory does; a backup that was put back is what it is.
fn written(unit: &Unit, store: &Store) -> Option<Vec<u8>> {
    let kept = store.kept_image(unit.image_sha256.as_deref()?).ok()?;
    if unit.work == "restore" {
        return Some(kept);
    }
    let (chip, model) = chip::model(unit.chip.as_deref()?)?;
    let image = match chip.read_image(model, &kept) {
        Err(chip::ImageError::OtherModel { other, .. }) => chip.read_image(other, &kept),
        result => result,
    };
    image.ok().map(|image| image.start().to_vec())
}

fn merged_with_old(image: &[u8], before: &[u8]) -> Vec<u8> {
    let mut after = image.to_vec();
    after.extend(before.iter().skip(image.len()));
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_covers_its_own_length_of_what_was_there() {
        assert_eq!(merged_with_old(&[1, 2], &[9, 9, 9]), [1, 2, 9]);
        assert_eq!(merged_with_old(&[1, 2, 3], &[9]), [1, 2, 3]);
        assert_eq!(merged_with_old(&[], &[9]), [9]);
    }
}
