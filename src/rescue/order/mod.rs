//! The order in which a memory is written, so that at every moment the device is either blank and
//! recoverable or complete [design R3]: what makes the chip boot, where it is or may be there,
//! goes first, the body next, the new commit ranges last. A memory that could not be read may hold
//! anything, a valid signature included [design R9].
//!
//! A memory that takes every write is in [`replaced`], one that has to be erased in [`erased`].
//! fxload writes its EEPROMs in this order (documented in its ezusb.c; references.md). Read-back
//! between the body and the commit is a step of the plan.

mod erased;
mod part_proof;
mod replaced;
mod wanted;

use serde::Serialize;

use super::diagnosis::{BootsNow, Survey};
use crate::chip::memory::wrap::PartProof;
use crate::chip::memory::{Erase, Sequence};
use crate::chip::{Image, Layout, Operation, Segment};
use wanted::Wanted;

/// Everything that is changed, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WriteOrder {
    /// Breaks what makes the chip boot now, or may.
    pub invalidate: Option<Operation>,
    /// Prove size and program unit, where reading could not.
    pub part_proofs: Vec<PartProof>,
    /// What differs, without the commit ranges.
    pub body: Vec<Operation>,
    /// What makes the chip boot.
    pub commit: Vec<Segment>,
    /// What the body leaves behind and is compared before the commit.
    pub to_verify: Vec<Segment>,
}

/// Why an image cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// It leaves bytes of the unit in their place, and these were not read.
    #[error("the image keeps the unit's own bytes at {0:#06x}, but these could not be read")]
    KeptUnread(u32),
    /// Bytes that have to be written back were not read.
    #[error("the erase would also clear the bytes at {0:#06x}, which could not be read")]
    ErasedUnread(u32),
    /// Its parts do not fit the way in which the memory is written.
    #[error("no single write from {0:#06x} on can leave the boot signature for the last step")]
    NoWrite(u32),
}

impl WriteOrder {
    /// The layout of the part as far as the order relies on it.
    pub fn layout(&self, survey: &Survey) -> Layout {
        let unit = self.part_proofs.last().map_or(survey.layout.unit, |proof| proof.unit);
        Layout { unit, ..survey.layout }
    }

    /// Whether the memory already holds the image.
    pub fn is_empty(&self) -> bool {
        self.operations().next().is_none()
    }

    /// Every change, in order.
    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        let proofs = self.part_proofs.iter().map(|proof| Operation::Write(proof.segment.clone()));
        self.invalidate
            .iter()
            .cloned()
            .chain(proofs)
            .chain(self.body.iter().cloned())
            .chain(self.commit.iter().cloned().map(Operation::Write))
    }
}

/// The order that turns what `survey` found into `image`.
///
/// `boots_now` is whether the chip would boot from what is there now. Bytes beyond the image are
/// left as they are; all of the image is written where what is there is unknown.
///
/// # Errors
/// [`Unwritable`] where bytes that have to stay were not read, or the image's parts cannot be
/// written in an order that leaves what boots for the end.
pub fn write_order(
    survey: &Survey,
    image: &Image,
    boots_now: BootsNow,
) -> Result<WriteOrder, Unwritable> {
    let wanted = Wanted::of(survey, image)?;
    let mut order = match (survey.layout.erase, survey.layout.sequence) {
        (Erase::Nothing, Sequence::Any | Sequence::FromStart) => {
            replaced::order(survey, &wanted, boots_now)?
        }
        _ => erased::order(survey, &wanted, boots_now)?,
    };
    order.to_verify = wanted.verified(&order, survey.layout)?;
    Ok(order)
}

/// What is left to write once the part's unit is known, and what to compare then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The writes.
    pub body: Vec<Operation>,
    /// As [`WriteOrder::to_verify`].
    pub to_verify: Vec<Segment>,
}

/// What is left behind the proofs of the part, in the units that they found.
///
/// # Errors
/// [`Unwritable`] as for [`write_order`].
pub fn rest_behind_proofs(
    survey: &Survey,
    image: &Image,
    part_proofs: Vec<PartProof>,
    unit: u32,
) -> Result<Rest, Unwritable> {
    let wanted = Wanted::of(survey, image)?;
    let layout = Layout { unit, ..survey.layout };
    let body = replaced::body_behind(&part_proofs, &wanted, layout)?;
    let order = WriteOrder { part_proofs, body, ..WriteOrder::default() };
    let to_verify = wanted.verified(&order, layout)?;
    Ok(Rest { body: order.body, to_verify })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
