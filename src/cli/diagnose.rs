//! `recover diagnose`.

use super::args::{CommonArgs, RescueArgs};
use super::{command_line, request, rescue};
use crate::failure::Failure;
use crate::ui::Detail;

/// A diagnosis is for its evidence.
const EVIDENCE: Detail = Detail { evidence: true, steps: true };

/// Proves the chip, reads and judges its memory, keeps a backup.
pub fn diagnose(common: &CommonArgs) -> Result<u8, Failure> {
    let request = request(common, &RescueArgs::default())?;
    let command = command_line(common, "recover diagnose");
    rescue::run(common, command, &request.target, EVIDENCE, |session| session.diagnose(&request))
}
