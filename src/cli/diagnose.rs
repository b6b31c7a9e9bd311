//! `recover diagnose`.

use super::args::{CommonArgs, ReadArgs};
use super::{commands, reading, rescue};
use crate::failure::Failure;
use crate::ui::Detail;

/// A diagnosis is for its evidence.
const EVIDENCE: Detail = Detail { evidence: true, steps: true };

/// Proves the chip, reads and judges its memory, keeps a backup.
pub fn diagnose(common: &CommonArgs, read: ReadArgs) -> Result<u8, Failure> {
    let request = reading(common, read)?;
    let commands = commands::reading(common, "recover diagnose", read, &[]);
    rescue::run(common, commands, &request.target, EVIDENCE, |session| session.diagnose(&request))
}
