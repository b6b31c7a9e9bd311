//! Reads the identity of the drive behind a rescued bridge. The rescue stands without it: an
//! enclosure may be rescued with no drive in it.
//!
//! Where a driver of the operating system is bound, what that driver has learnt is read and the
//! device is not opened: the disk may be mounted within milliseconds, and stays so. Only where no
//! driver is bound is the drive asked over our own transport.

use super::candidate::Candidate;
use super::event::Event;
use super::run::Run;
use super::waits::{DRIVE_TIMEOUT, DRIVER_TIMEOUT, POLL};
use crate::chip::{Drive, DriveAnswer};
use crate::clock::Deadline;
use crate::failure::Code;
use crate::usb::{KernelDrive, Sighting};

/// bInterfaceClass of mass storage [USB MSC 1.4 §2].
const MASS_STORAGE: u8 = 0x08;

/// Reads the drive's identity and tells it.
pub(super) fn read_drive_identity(run: &mut Run<'_>, candidate: &Candidate, seen: &Sighting) {
    let answer = identity_from_kernel(run, seen)
        .unwrap_or_else(|| identity_from_drive(run, candidate, seen));
    run.emit(&Event::Drive { answer: answer.clone() });
    run.outcome.drive = Some(answer);
}

/// What the kernel's driver knows; `None` where none is bound.
fn identity_from_kernel(run: &mut Run<'_>, seen: &Sighting) -> Option<DriveAnswer> {
    let mut classes = seen.interfaces.iter().map(|interface| interface.class.class);
    if !classes.any(|class| class == MASS_STORAGE) {
        return None;
    }
    let clock = run.tools.bus.clock();
    let driver_end = Deadline::after(&*clock, DRIVER_TIMEOUT);
    let drive_end = Deadline::after(&*clock, DRIVE_TIMEOUT);
    loop {
        match run.tools.bus.drive_seen_by_kernel(seen) {
            KernelDrive::NotTold => return None,
            KernelDrive::NoDriver if driver_end.passed(&*clock) => return None,
            KernelDrive::DriveExpected { driver } if drive_end.passed(&*clock) => {
                let why = format!("the kernel driver {driver} found no drive");
                return Some(DriveAnswer::Silent { why });
            }
            KernelDrive::Known(drive) if drive.is_complete() || drive_end.passed(&*clock) => {
                let empty = drive.is_disk() && drive.capacity_bytes == Some(0);
                return Some(DriveAnswer::Answers(Drive {
                    name: drive.name,
                    identified: None,
                    capacity_bytes: drive.capacity_bytes.filter(|_| !empty),
                    not_ready: empty.then(|| "no medium is inserted".to_owned()),
                }));
            }
            _ => clock.sleep(POLL),
        }
    }
}

fn identity_from_drive(run: &mut Run<'_>, candidate: &Candidate, seen: &Sighting) -> DriveAnswer {
    let asked = run.open(seen).map(|mut link| candidate.chip.drive(&mut *link, seen));
    match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => DriveAnswer::Silent { why: error.to_string() },
        // Its owner has it already.
        Err(failure) if failure.code == Code::R407 => DriveAnswer::NotAsked,
        Err(failure) => DriveAnswer::Silent { why: failure.what },
    }
}
