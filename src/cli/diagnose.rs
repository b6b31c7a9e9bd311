//! `recover diagnose`.

use super::args::{CommonArgs, ReadArgs};
use super::{command_line, reading, rescue};
use crate::failure::Failure;

/// Proves the chip, reads and judges its memory, keeps a backup.
pub fn diagnose(common: &CommonArgs, read: ReadArgs) -> Result<u8, Failure> {
    let request = reading(common, read)?;
    let command = command_line(common, "recover diagnose");
    rescue::run(common, command, None, &request.wish, |session| session.diagnose(&request))
}
