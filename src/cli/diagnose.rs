//! `recover diagnose`.

use super::args::{CommonArgs, RescueArgs};
use super::{request, rescue};
use crate::rescue::Failure;

/// Proves the chip, reads and judges its memory, keeps a backup.
pub fn diagnose(common: &CommonArgs) -> Result<u8, Failure> {
    let request = request(common, &RescueArgs::default())?;
    rescue::run(common, "recover diagnose", |session| session.diagnose(&request))
}
