//! Tells the SL11R from the EZ chips, by findings that each speak for one side. Two that disagree
//! decide nothing. Part of `probe`.

use std::fmt;

use super::asking::{BLOCK, EZ_ROM, SERVICES, SHARED_ROM, Vectors, ask, uniform};
use super::model::SL11R;
use super::recognise;
use crate::chip::{ChipError, Evidence, Grade, IdMeaning, Running};
use crate::usb::{Link, Sighting};

/// Where the CPU starts after reset [BM 1.3.2].
const ENTRY: u16 = 0xff00;
/// What INT 83 points at in an untouched SL11R \[EZ\].
const SL11R_INT_83: u16 = 0xf332;

/// Which side of the family a finding speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Sl11r,
    Ez,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sl11r => "SL11R",
            Self::Ez => "EZ-OTG or EZ-Host",
        })
    }
}

/// A finding that tells the chips of the family apart.
struct Vote {
    side: Side,
    evidence: Evidence,
}

/// Decides for a side. The window that one has and the other has not is read only
/// when nothing else decides, because on the SL11R it belongs to whatever the board put there.
///
/// # Errors
/// [`ChipError::NotProven`] when nothing speaks for a side, or something for each.
pub(super) fn decide(
    link: &mut dyn Link,
    seen: &Sighting,
    vectors: &Vectors,
    running: Running,
) -> Result<(Side, Vec<Evidence>), ChipError> {
    let entry = ask(link, "the reset entry", ENTRY, 4)?;
    let mut votes = Vec::new();
    let mut vote =
        |side, grade, fact| votes.push(Vote { side, evidence: Evidence { fact, grade } });
    match *entry {
        // `jmp address`, opcode CF9F.
        [0x9f, 0xcf, 0x00, 0xe0] => {
            vote(Side::Ez, Grade::Documented, "reset goes to E000".to_owned());
        }
        [0x9f, 0xcf, 0x00, 0xe8] => {
            vote(Side::Sl11r, Grade::Inferred, "reset goes to E800".to_owned());
        }
        _ => {}
    }
    if vectors.pointer(83) == SL11R_INT_83 {
        vote(Side::Sl11r, Grade::Captured, "INT 83 points at F332, as in every SL11R".to_owned());
    }
    for (interrupt, name) in SERVICES {
        let pointer = vectors.pointer(*interrupt);
        if (EZ_ROM..SHARED_ROM).contains(&pointer) {
            let text = format!("INT {interrupt} ({name}) lies at {pointer:04x}, below E800");
            vote(Side::Ez, Grade::Inferred, text);
            break;
        }
    }
    if running == Running::MaskRom
        && let Some(known) = recognise::KNOWN.iter().find(|known| known.ids == seen.ids)
        && known.id_meaning != IdMeaning::Running
    {
        let side = if known.model == SL11R { Side::Sl11r } else { Side::Ez };
        vote(side, known.grade, format!("its mask ROM replies as {}", seen.ids));
    }
    if votes.is_empty() {
        votes.extend(window(link)?);
    }
    let sides: Vec<Side> = votes.iter().map(|vote| vote.side).collect();
    let Some(side) = sides.first().copied() else {
        return Err(ChipError::NotProven(
            "read the ROM and the vectors: got nothing that tells an SL11R from an EZ-OTG, \
             expected a reset jump, a stock vector or a ROM window of one of them"
                .to_owned(),
        ));
    };
    if sides.iter().any(|other| *other != side) {
        let told: Vec<_> =
            votes.iter().map(|vote| format!("{} ({})", vote.evidence.fact, vote.side)).collect();
        return Err(ChipError::NotProven(format!(
            "read the ROM and the vectors: got contradictions, {}; expected one chip",
            told.join("; ")
        )));
    }
    Ok((side, votes.into_iter().map(|vote| vote.evidence).collect()))
}

/// What the window E000 tells: code of its own, the same byte throughout, or nothing clear.
fn window(link: &mut dyn Link) -> Result<Option<Vote>, ChipError> {
    let block = ask(link, "the window at e000", EZ_ROM, BLOCK)?;
    let again = ask(link, "the window at e000", EZ_ROM, BLOCK)?;
    let vote = |side, fact: &str| {
        Some(Vote { side, evidence: Evidence { fact: fact.to_owned(), grade: Grade::Inferred } })
    };
    if block != again {
        return Ok(None);
    }
    if uniform(&block).is_some() {
        return Ok(vote(Side::Sl11r, "no ROM at E000, ROM from E800 on"));
    }
    for mirror in [SHARED_ROM, 0xf000, 0xf800] {
        if ask(link, "the ROM", mirror, BLOCK)? == block {
            return Ok(None);
        }
    }
    Ok(vote(Side::Ez, "ROM from E000 on"))
}
