//! The plan of a rescue as data: every step with its risk, before any is taken.

use std::ops::Range;

use serde::Serialize;

use super::diagnosis::{BootsNow, Condition, Survey};
use super::limit::Limit;
use super::order::{Unwritable, WriteOrder, write_order};
use crate::chip::memory::wrap::PartProof;
use crate::chip::{Finding, Identity, Image, Layout, Operation, Restart, Segment, Size, Timing};
use crate::failure::{Code, Failure};
use crate::wording::counted;

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

impl Risk {
    /// What that means, for a memory of that name.
    pub fn title(self, memory: &str) -> String {
        match self {
            Self::Reads => "reads only".to_owned(),
            Self::Volatile => "changes RAM only".to_owned(),
            Self::Persistent => format!("writes the {memory}"),
        }
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// Start the image from the chip's RAM and check its identity.
    TryInRam,
    /// Break what makes the chip boot now.
    Invalidate {
        /// The change.
        operation: Operation,
    },
    /// Write a piece of the image and see how large the part is, or its pages, or both.
    ProvePart(PartProof),
    /// Erase and write what differs, the commit ranges left out.
    WriteBody {
        /// The changes, in order.
        operations: Vec<Operation>,
        /// Bytes that are written, in all.
        bytes: u64,
        /// Program cycles in all.
        write_cycles: u32,
    },
    /// Read back what was written and compare.
    Verify {
        /// What was written.
        segments: Vec<Segment>,
    },
    /// Write what makes the chip boot and read it back.
    Commit {
        /// The writes, in order.
        segments: Vec<Segment>,
    },
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
            Self::Invalidate { .. }
            | Self::ProvePart(_)
            | Self::WriteBody { .. }
            | Self::Commit { .. } => Risk::Persistent,
        }
    }

    /// Whether it is taken on the open memory.
    pub fn is_on_memory(&self) -> bool {
        self.risk() == Risk::Persistent || matches!(self, Self::Verify { .. })
    }

    /// What it changes of the memory, in order.
    fn operations(&self) -> Vec<Operation> {
        match self {
            Self::Invalidate { operation } => vec![operation.clone()],
            Self::ProvePart(proof) => vec![Operation::Write(proof.segment.clone())],
            Self::WriteBody { operations, .. } => operations.clone(),
            Self::Commit { segments } => segments.iter().cloned().map(Operation::Write).collect(),
            Self::TryInRam | Self::Verify { .. } | Self::Restart { .. } | Self::Confirm => {
                Vec::new()
            }
        }
    }

    /// What it does, for a memory of that name.
    pub fn title(&self, memory: &str) -> String {
        match self {
            Self::TryInRam => "start the image from RAM and check its identity".to_owned(),
            Self::Invalidate { .. } => {
                "break the old signature, so that the chip never boots a half-written image"
                    .to_owned()
            }
            Self::ProvePart(proof) => {
                let shows = match (proof.aliases.is_empty(), proof.smaller_units.is_empty()) {
                    (false, true) => "size",
                    (true, _) => "pages",
                    (false, false) => "size and pages",
                };
                let range = span(&proof.segment.range());
                format!("write {memory} {range} as a test and verify the part's {shows}")
            }
            Self::WriteBody { operations, bytes, write_cycles } => {
                let ranges = || operations.iter().map(Operation::range);
                let first = ranges().map(|range| range.start).min().unwrap_or_default();
                let last = ranges().map(|range| range.end).max().unwrap_or_default();
                let erases =
                    operations.iter().filter(|one| matches!(one, Operation::Erase(_))).count();
                let erased = match erases {
                    0 => String::new(),
                    1 => "1 erase, ".to_owned(),
                    several => format!("{several} erases, "),
                };
                format!(
                    "write {memory} {}: {erased}{}, {}",
                    span(&(first..last)),
                    counted(bytes, "byte"),
                    counted(write_cycles, "write cycle")
                )
            }
            Self::Verify { segments } => {
                let bytes: usize = segments.iter().map(|segment| segment.bytes.len()).sum();
                format!("verify: read the {} back and compare", counted(bytes, "byte"))
            }
            Self::Commit { segments } => {
                let bytes: Vec<String> =
                    segments.iter().map(|segment| hex::encode(&segment.bytes)).collect();
                format!("write the signature {} last and verify it", bytes.join(", "))
            }
            Self::Restart { by: Restart::ByRequest } => "restart the chip".to_owned(),
            Self::Restart { by: Restart::ByPower } => {
                "restart the chip by a power cycle".to_owned()
            }
            Self::Confirm => "confirm that the expected identity is back".to_owned(),
        }
    }
}

fn span(range: &Range<u32>) -> String {
    format!("{:#06x}..{:#06x}", range.start, range.end)
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
    /// The planned minimum for them.
    pub limit: Limit,
    /// What the memory is called.
    pub memory: &'static str,
    /// The program unit that it relies on, bytes.
    #[serde(skip)]
    pub unit: u32,
}

impl Plan {
    /// What a step of it does.
    pub fn title(&self, step: &Step) -> String {
        step.title(self.memory)
    }

    /// Whether any step writes the memory.
    pub fn is_persistent(&self) -> bool {
        self.steps.iter().any(|step| step.risk() == Risk::Persistent)
    }

    /// Every change of the memory, in order.
    pub fn operations(&self) -> Vec<Operation> {
        self.steps.iter().flat_map(Step::operations).collect()
    }

    /// The same with another body.
    pub fn operations_with_body(&self, body: &[Operation]) -> Vec<Operation> {
        let of_step = |step: &Step| match step {
            Step::WriteBody { .. } => body.to_vec(),
            other => other.operations(),
        };
        self.steps.iter().flat_map(of_step).collect()
    }

    /// Makes the plan.
    ///
    /// # Errors
    /// R305 when nothing proves that the memory needs it; R105 when the image does not fit; R115
    /// when bytes that have to stay could not be read.
    pub fn make(situation: &Situation<'_>) -> Result<Self, Failure> {
        let Situation { survey, image, .. } = *situation;
        let layout = survey.layout;
        fits(survey, image)?;
        let order = write_order(survey, image, situation.boots_now)
            .map_err(|unwritable| unread(&unwritable))?;
        let proven = situation.condition.is_proof(situation.finding.running);
        if !order.is_empty() && !proven && !situation.overwrite {
            let what = format!("its {} is {}", layout.name, situation.condition);
            return Err(Failure::new(Code::R305, what, "diagnosis")
                .next("replug the enclosure: the chip starts a complete image at power-on"));
        }
        let planned = order.layout(survey);
        let limit = Limit::of(order.operations(), planned, situation.timing);
        let mut steps = Vec::new();
        if !order.is_empty() && situation.trial {
            steps.push(Step::TryInRam);
        }
        steps.extend(write_steps(order, planned));
        steps.push(Step::Restart { by: situation.restart });
        if situation.expected.is_some() {
            steps.push(Step::Confirm);
        }
        Ok(Self { steps, limit, memory: layout.name, unit: planned.unit })
    }
}

/// Refuses an image that the memory is proven too small for.
fn fits(survey: &Survey, image: &Image) -> Result<(), Failure> {
    let maximum = match survey.size {
        Size::Proven(size) => size,
        Size::AtLeast(_) => survey.layout.extent.end(),
    };
    let (end, name) = (image.end(), survey.layout.name);
    if end > maximum {
        let what = format!("the image has {end} bytes, but the {name} holds {maximum}");
        return Err(Failure::new(Code::R105, what, "plan").next(format!(
            "check that the image is for this enclosure model; another revision may have a larger {name}"
        )));
    }
    Ok(())
}

fn unread(unwritable: &Unwritable) -> Failure {
    Failure::new(Code::R115, unwritable.to_string(), "plan")
        .next("power-cycle the enclosure and run the same command")
}

fn write_steps(order: WriteOrder, layout: Layout) -> Vec<Step> {
    let mut steps = Vec::new();
    let WriteOrder { invalidate, part_proofs, body, commit, to_verify } = order;
    // What a memory compares by itself is what it wrote, not what it erased.
    let has_erase = body.iter().any(|operation| matches!(operation, Operation::Erase(_)));
    steps.extend(invalidate.map(|operation| Step::Invalidate { operation }));
    steps.extend(part_proofs.into_iter().map(Step::ProvePart));
    if !body.is_empty() {
        let written = || {
            body.iter().filter_map(|operation| match operation {
                Operation::Write(segment) => Some(segment.range()),
                Operation::Erase(_) => None,
            })
        };
        let bytes = written().map(|range| u64::from(range.end - range.start)).sum();
        let write_cycles = written().map(|range| layout.cycles(&range)).sum();
        steps.push(Step::WriteBody { operations: body, bytes, write_cycles });
    }
    if !to_verify.is_empty() && (has_erase || !layout.verifies) {
        steps.push(Step::Verify { segments: to_verify });
    }
    if !commit.is_empty() {
        steps.push(Step::Commit { segments: commit });
    }
    steps
}
