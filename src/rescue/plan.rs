//! The plan of a rescue as data: every step with its risk, before any is taken.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use super::diagnosis::{BootsNow, Condition, Survey};
use super::failure::{Code, Failure};
use super::limit::{self, Limit};
use super::order::{PartProof, Segment, WriteOrder, write_order};
use crate::chip::{Finding, Identity, Image, Restart, Size, Timing};

/// What a step can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Nothing.
    Reads,
    /// RAM only; power-off undoes it.
    Volatile,
    /// The memory.
    Persistent,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reads => "reads only",
            Self::Volatile => "changes RAM only",
            Self::Persistent => "writes the EEPROM",
        })
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// Start the image from the chip's RAM and see who comes up.
    TryInRam,
    /// Break the signature that is valid now.
    Invalidate(Segment),
    /// Write one unit of the image and see that the part is as large, and its pages too, as was
    /// planned.
    ProvePart(PartProof),
    /// Write what differs, the signature left out.
    WriteBody {
        /// The writes, in order.
        segments: Vec<Segment>,
        /// Bytes in all.
        bytes: u64,
        /// Write cycles in all.
        write_cycles: u32,
    },
    /// Read back what was written and compare.
    Verify {
        /// What was written.
        segments: Vec<Segment>,
    },
    /// Write the signature and read it back.
    Commit(Segment),
    /// Make the chip boot from its memory.
    Restart {
        /// How.
        by: Restart,
    },
    /// See that it is who it was.
    Confirm,
}

impl Step {
    /// What it can change.
    pub fn risk(&self) -> Risk {
        match self {
            Self::Verify { .. } | Self::Confirm => Risk::Reads,
            Self::TryInRam | Self::Restart { .. } => Risk::Volatile,
            Self::Invalidate(_) | Self::ProvePart(_) | Self::WriteBody { .. } | Self::Commit(_) => {
                Risk::Persistent
            }
        }
    }

    /// Whether it is taken on the open memory.
    pub fn is_on_memory(&self) -> bool {
        self.risk() == Risk::Persistent || matches!(self, Self::Verify { .. })
    }
}

fn span(range: &Range<u32>) -> String {
    format!("{:#06x}..{:#06x}", range.start, range.end)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TryInRam => f.write_str("start the image from RAM and see who comes up"),
            Self::Invalidate(_) => f.write_str(
                "break the old signature, so that the rest is never booted half written",
            ),
            Self::ProvePart(proof) => write!(
                f,
                "write EEPROM {} and see that the part is what was planned for",
                span(&proof.segment.range())
            ),
            Self::WriteBody { segments, bytes, write_cycles } => {
                let first = segments.first().map_or(0, |segment| segment.address);
                let last = segments.last().map_or(0, |segment| segment.range().end);
                write!(
                    f,
                    "write EEPROM {}: {bytes} bytes, {write_cycles} write cycles",
                    span(&(first..last))
                )
            }
            Self::Verify { segments } => {
                let bytes: usize = segments.iter().map(|segment| segment.bytes.len()).sum();
                write!(f, "read the {bytes} bytes back and compare")
            }
            Self::Commit(segment) => {
                write!(f, "write the signature {} and read it back", hex::encode(&segment.bytes))
            }
            Self::Restart { by: Restart::ByRequest } => f.write_str("restart the chip"),
            Self::Restart { by: Restart::ByPower } => {
                f.write_str("restart the chip by taking its power away")
            }
            Self::Confirm => f.write_str("confirm that the original identity is back"),
        }
    }
}

/// Everything a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The proven chip.
    pub finding: &'a Finding,
    /// What was read of its memory.
    pub survey: &'a Survey,
    /// What that says.
    pub condition: &'a Condition,
    /// What the memory should hold.
    pub image: &'a Image,
    /// Whether the chip would boot from what the memory holds now.
    pub boots_now: BootsNow,
    /// Who is to come up; `None` for a backup of a memory that never booted.
    pub expected: Option<&'a Identity>,
    /// How the chip is restarted.
    pub restart: Restart,
    /// The chip's least times.
    pub timing: Timing,
    /// Whether the image is to be tried from RAM first.
    pub trial: bool,
    /// Whether a memory that is not provably blank or broken may be written: `--force`, or a
    /// restore, which is asked for by name.
    pub overwrite: bool,
}

/// What will be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The physical least for them.
    pub limit: Limit,
}

impl Plan {
    /// Whether any step writes the memory.
    pub fn is_persistent(&self) -> bool {
        self.steps.iter().any(|step| step.risk() == Risk::Persistent)
    }

    /// Every write of the plan.
    pub fn segments(&self) -> Vec<Segment> {
        self.steps
            .iter()
            .flat_map(|step| match step {
                Step::Invalidate(segment) | Step::Commit(segment) => vec![segment.clone()],
                Step::ProvePart(proof) => vec![proof.segment.clone()],
                Step::WriteBody { segments, .. } => segments.clone(),
                _ => Vec::new(),
            })
            .collect()
    }

    /// Makes the plan.
    ///
    /// # Errors
    /// R305 when nothing proves that the memory needs it; R105, R207 when the image does not fit.
    pub fn make(situation: &Situation<'_>) -> Result<Self, Failure> {
        let Situation { survey, image, .. } = *situation;
        fits(survey, image)?;
        let order = write_order(survey, &image.bytes, image.signature_bytes, situation.boots_now);
        let proven = situation.condition.is_proof(situation.finding.running);
        if !order.is_empty() && !proven && !situation.overwrite {
            let what = format!("its EEPROM is {}", situation.condition);
            return Err(Failure::new(Code::R305, what, "diagnosis")
                .next("unplug it, plug it in again and look with `recover list`: a complete image starts at power-on")
                .next("to overwrite it all the same, add --force; a backup is kept"));
        }
        let limit = Limit::of(order.segments(), survey.geometry, situation.timing);
        let mut steps = Vec::new();
        if !order.is_empty() && situation.trial {
            steps.push(Step::TryInRam);
        }
        steps.extend(write_steps(order, survey));
        steps.push(Step::Restart { by: situation.restart });
        if situation.expected.is_some() {
            steps.push(Step::Confirm);
        }
        Ok(Self { steps, limit })
    }
}

/// Refuses an image that the memory is proven too small for.
fn fits(survey: &Survey, image: &Image) -> Result<(), Failure> {
    let most = match survey.size {
        Size::Proven(size) => size,
        Size::AtLeast(_) => survey.geometry.reach,
    };
    let length = image.bytes.len();
    if length as u64 > u64::from(most) {
        let what = format!("the image is {length} bytes, the EEPROM holds {most}");
        return Err(Failure::new(Code::R105, what, "plan")
            .next("check that the image is for this very enclosure model; another revision may have a larger EEPROM"));
    }
    Ok(())
}

fn write_steps(order: WriteOrder, survey: &Survey) -> Vec<Step> {
    let mut steps = Vec::new();
    let written: Vec<Segment> = order.body_segments().cloned().collect();
    let WriteOrder { invalidate, part_proof, body, commit } = order;
    steps.extend(invalidate.map(Step::Invalidate));
    steps.extend(part_proof.map(Step::ProvePart));
    if !body.is_empty() {
        let bytes = body.iter().map(|segment| segment.bytes.len() as u64).sum();
        let page = survey.geometry.page;
        let write_cycles = body
            .iter()
            .map(|segment| limit::cycles(segment.address, segment.range().end, page))
            .sum();
        steps.push(Step::WriteBody { segments: body, bytes, write_cycles });
    }
    if !written.is_empty() && !survey.geometry.reads_back {
        steps.push(Step::Verify { segments: written });
    }
    steps.extend(commit.map(Step::Commit));
    steps
}
