//! The unit's own bytes in a flash that an interrupted rescue may have erased: its serial number,
//! its calibration. They come from the backup of that rescue, and only where the memory shows that
//! the backup is of this very unit.
//!
//! No chip of today is erased; `tests/seam` has one that is.

use super::Request;
use super::candidate::Candidate;
use super::examine::Examined;
use super::run::Run;
use super::target::Target;
use crate::chip::Image;
use crate::chip::memory::Erase;
use crate::failure::{Code, Failure};

/// What the memory held before the unfinished rescue of its port began: that rescue's backup, where
/// every byte of now is one of it, of the image, or of a flash that is erased or cleared, and some
/// byte can be of nothing else. `None` where no rescue is taken up, or nothing of the unit could
/// have been erased.
///
/// # Errors
/// R115 where the unit's own bytes may be gone and the backup is not seen to be of this unit:
/// another one's serial number is never written.
pub(super) fn contents_before(
    run: &Run<'_>,
    request: &Request,
    candidate: &Candidate,
    target: &Target,
    examined: &Examined,
) -> Result<Option<Vec<u8>>, Failure> {
    let (image, survey) = (&target.image, &examined.survey);
    let Some(journal) = candidate.unfinished.as_ref() else { return Ok(None) };
    let begun = journal.begun();
    let (Some(now), Some(backup)) = (survey.contents.as_deref(), begun.backup.as_deref()) else {
        return Ok(None);
    };
    if image.keep.is_empty() || survey.layout.erase == Erase::Nothing {
        return Ok(None);
    }
    let (_, before) = run.tools.store.load_backup(backup)?;
    let origin = Origin::of(now, &before, image, survey.layout.erase);
    // Of a flash that was erased whole nothing tells; then the user's word does.
    if origin == Origin::Same || origin == Origin::Untold && request.resume {
        return Ok(Some(before));
    }
    let commands = &run.tools.commands;
    let what = format!(
        "the {} holds bytes of the unit that an unfinished rescue may have erased, and does not show whether the backup {backup} is of this unit",
        survey.layout.name
    );
    Err(Failure::new(Code::R115, what, format!("port {}", candidate.seen.port))
        .leaving(run.state)
        .next(format!("if it is the same unit, `{}`", commands.resume()))
        .next("if it is another unit, plug it into another port"))
}

/// Whether the rescue that wrote `image` may have erased anything: before its first erase it clears
/// what boots, and its last operation writes that again.
pub(super) fn may_be_erased(now: &[u8], before: &[u8], image: &Image) -> bool {
    image.commit.iter().cloned().flatten().all(|address| {
        let at = usize::try_from(address).unwrap_or(usize::MAX);
        let of_image = image.byte(address);
        let told = [Some(0x00), Some(0xff), before.get(at).copied(), of_image];
        now.get(at).is_none_or(|byte| told.contains(&Some(*byte)))
    })
}

/// Where the bytes of a half-written memory are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// From the backup and the image.
    Same,
    /// They may be from these; every memory that was erased looks so.
    Untold,
    /// Some are from neither.
    Other,
}

impl Origin {
    fn of(now: &[u8], before: &[u8], image: &Image, erase: Erase) -> Self {
        let mut written = before.to_vec();
        for segment in &image.segments {
            let start = usize::try_from(segment.address).unwrap_or(usize::MAX);
            let places = (segment.address..).zip(written.iter_mut().skip(start));
            for ((address, place), byte) in places.zip(&segment.bytes) {
                if !image.keep.iter().any(|kept| kept.contains(&address)) {
                    *place = *byte;
                }
            }
        }
        // An interrupted erase or write leaves anything in the one block that it changed.
        let block = |address: u32| match erase {
            Erase::Blocks(bytes) => address / bytes.max(1),
            Erase::Nothing | Erase::Everything => 0,
        };
        let is_kept = |address| image.keep.iter().any(|kept| kept.contains(&address));
        let is_compared = |address| !image.unverified.iter().any(|range| range.contains(&address));
        let bytes = (0u32..).zip(now.iter().zip(before.iter().zip(&written)));
        let mut torn = None;
        let mut is_doubted = false;
        let mut telling = Vec::new();
        for (address, (now, (before, written))) in bytes.filter(|(at, _)| is_compared(*at)) {
            let is_blank = matches!(now, 0x00 | 0xff);
            if now != before && now != written && !is_blank {
                if torn.replace(block(address)).is_some_and(|other| other != block(address)) {
                    return Self::Other;
                }
                // A serial number that differs in one block is torn, or another unit's.
                is_doubted |= is_kept(address);
            } else if !is_blank && (before != written || is_kept(address)) {
                telling.push(block(address));
            }
        }
        match telling.iter().any(|block| torn != Some(*block)) {
            _ if now.len() > before.len() => Self::Other,
            true if !is_doubted => Self::Same,
            _ => Self::Untold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &[u8; 16] = b"oldoldoldSERIALx";
    const FILE: &[u8; 16] = b"newnewnewyyyyyyx";

    fn origin(now: &[u8], erase: Erase) -> Origin {
        let image = Image { keep: vec![9..15], ..Image::at_address_zero(FILE.to_vec(), &[0..1]) };
        Origin::of(now, UNIT, &image, erase)
    }

    #[test]
    fn a_half_written_flash_is_of_the_unit_of_the_backup() {
        let blocks = Erase::Blocks(4);
        for now in [
            &b"newnldoldSERIALx"[..],
            b"\xff\xff\xff\xffldoldSERIALx",
            b"newn\xff\xff\xff\xffdSERIALx",
        ] {
            assert_eq!(origin(now, blocks), Origin::Same, "{now:?}");
        }
    }

    #[test]
    fn bytes_of_neither_are_of_another_unit_unless_all_are_in_one_block() {
        let blocks = Erase::Blocks(4);
        assert_eq!(origin(b"oldoldo??SERIALx", blocks), Origin::Other);
        assert_eq!(origin(b"oldo??oldSERIALx", blocks), Origin::Same);
        assert_eq!(origin(b"oldoldoldSERIA2x", blocks), Origin::Untold);
        assert_eq!(origin(b"oldoldoldNUMBERx", blocks), Origin::Other);
        assert_eq!(origin(b"n?wn?doldSERIALx", blocks), Origin::Other);
    }

    #[test]
    fn a_flash_that_was_erased_does_not_tell_whose_it_is() {
        assert_eq!(origin(&[0xff; 16], Erase::Blocks(4)), Origin::Untold);
        assert_eq!(origin(&[0x00; 16], Erase::Everything), Origin::Untold);
        assert_eq!(origin(b"n?wn?doldSERIALx", Erase::Everything), Origin::Untold);
    }
}
