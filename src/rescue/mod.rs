//! Decisions: what a device's state is, what will be done about it, in which order bytes are
//! written.
//!
//! Pure: no transfer, clock, file or printing. `executor` gathers what goes in and does what comes
//! out. Read [`diagnosis`], [`choice`], [`plan`], [`order`] in this order.

pub mod choice;
pub mod diagnosis;
pub mod limit;
pub mod order;
pub mod outcome;
pub mod plan;
pub mod preflight;
pub mod stages;

pub use choice::{Choice, TargetRequest};
pub use diagnosis::{Condition, Survey};
pub use limit::Limit;
pub use order::WriteOrder;
pub use outcome::{Outcome, RunKind, Verdict};
pub use plan::{Plan, Risk, Step};
pub use preflight::Preflight;
pub use stages::{RunStage, StageTimes};
