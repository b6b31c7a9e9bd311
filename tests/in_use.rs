//! A device that its owner uses is not touched, and a disk that its owner takes after the rescue
//! is left to him.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{Desk, port, scenario, with_profile};
use recover::chip::DriveAnswer;
use recover::clock::Clock;
use recover::executor::Request;
use recover::failure::{Code, DeviceState};
use recover::rescue::Verdict;
use recover::sim::SimBus;
use recover::usb::{
    Bus, BusError, KernelDrive, KnownDrive, Link, PortPath, PowerError, Sighting, Use,
};

fn mounted() -> Use {
    Use::new("/dev/sdb1 is mounted at /mnt/x", "umount /mnt/x")
}

#[test]
fn a_device_in_use_is_not_touched_whatever_is_forced() {
    for force in [false, true] {
        let mut desk = Desk::new(scenario("at2lp-rc42"));
        let before = (desk.bus.transfers(&port()), desk.bus.eeprom(&port()));
        desk.bus.set_uses(&port(), vec![mounted()]);
        let outcome = desk.rescue(&Request { force, ..Request::default() });
        let failure = outcome.failure.expect("it is refused");
        assert_eq!((failure.code, failure.device), (Code::R407, DeviceState::Untouched));
        assert_eq!(failure.next.first().map(String::as_str), Some("`umount /mnt/x`"));
        assert_eq!((desk.bus.transfers(&port()), desk.bus.eeprom(&port())), before);
    }
}

#[test]
fn a_device_in_use_is_neither_reset_nor_switched_off() {
    let desk = Desk::new(scenario("at2lp-rc42"));
    let mut bus = desk.bus.clone();
    let seen = bus.sighting(&port()).expect("it is on the bus");
    bus.set_uses(&port(), vec![mounted()]);
    assert!(matches!(bus.reset(&seen), Err(BusError::InUse { .. })));
    let off = bus.power_off(&seen).expect_err("it is refused");
    assert!(matches!(off, PowerError::InUse { .. }));
    assert!(off.to_string().contains("`umount /mnt/x`"), "{off}");
    assert_eq!(bus.sighting(&port()), Some(seen));
}

/// What an automounter does to a bus.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Automounter {
    Absent,
    /// It mounts the disk when the run looks at it for the first time.
    MountsWhatIsRescued,
    /// It mounts the disk before its power is taken.
    MountsBeforeTheRestart,
}

/// The virtual bus with a kernel whose driver tells these, one after the other, and its last for
/// ever.
struct Kernel {
    bus: SimBus,
    tells: VecDeque<KernelDrive>,
    automounter: Automounter,
    asked: usize,
}

impl Kernel {
    fn new(bus: &SimBus, tells: impl Into<VecDeque<KernelDrive>>, by: Automounter) -> Self {
        Self { bus: bus.clone(), tells: tells.into(), automounter: by, asked: 0 }
    }
}

impl Bus for Kernel {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.bus.scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        self.bus.open(seen)
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.bus.reset(seen)
    }

    fn power_off(&mut self, seen: &Sighting) -> Result<(), PowerError> {
        self.bus.power_off(seen)
    }

    fn power_on(&mut self, port: &PortPath) -> Result<(), PowerError> {
        self.bus.power_on(port)
    }

    fn check_unused(&mut self, seen: &Sighting) -> Result<(), BusError> {
        if self.automounter == Automounter::MountsBeforeTheRestart {
            self.bus.set_uses(&seen.port, vec![mounted()]);
        }
        self.bus.check_unused(seen)
    }

    fn drive_seen_by_kernel(&mut self, seen: &Sighting) -> KernelDrive {
        if self.automounter == Automounter::MountsWhatIsRescued {
            self.bus.set_uses(&seen.port, vec![mounted()]);
        }
        self.asked += 1;
        let next = if self.tells.len() > 1 { self.tells.pop_front() } else { None };
        next.or_else(|| self.tells.front().cloned()).unwrap_or(KernelDrive::NotTold)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.clock()
    }
}

fn disk(capacity_bytes: Option<u64>) -> KernelDrive {
    let name = "the kernel's disk".to_owned();
    KernelDrive::Known(KnownDrive { name, kind: 0, capacity_bytes })
}

fn awaited() -> KernelDrive {
    KernelDrive::DriveExpected { driver: "usb-storage".to_owned() }
}

/// A rescue of an AT2LP on a bus with such a kernel: what it says of the drive, how often the
/// kernel was asked, and what a rescue costs in transfers.
fn rescued_with(tells: Vec<KernelDrive>, by: Automounter) -> (DriveAnswer, usize, u64) {
    let mut desk = Desk::new(scenario("at2lp-rc42"));
    let mut kernel = Kernel::new(&desk.bus.clone(), tells, by);
    let outcome =
        desk.run_on(&mut kernel, |session| session.rescue(&with_profile("simulated-at2lp")));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    (outcome.drive.expect("it is told"), kernel.asked, desk.bus.transfers(&port()))
}

#[test]
fn a_disk_that_is_mounted_as_soon_as_it_is_rescued_stays_mounted_and_is_named() {
    let (_, _, alone) = rescued_with(vec![KernelDrive::NotTold], Automounter::Absent);
    let (answer, _, transfers) =
        rescued_with(vec![disk(Some(1024))], Automounter::MountsWhatIsRescued);
    let DriveAnswer::Answers(drive) = answer else { panic!("{answer:?}") };
    assert_eq!((drive.name.as_str(), drive.capacity_bytes), ("the kernel's disk", Some(1024)));
    assert!(transfers < alone, "it was asked by transfers of our own: {transfers}, {alone}");
}

#[test]
fn a_driver_that_shows_its_disk_late_is_waited_for() {
    let tells = vec![KernelDrive::NoDriver, awaited(), awaited(), disk(None), disk(Some(512))];
    let (answer, asked, _) = rescued_with(tells, Automounter::MountsWhatIsRescued);
    let DriveAnswer::Answers(drive) = answer else { panic!("{answer:?}") };
    assert_eq!((drive.capacity_bytes, asked), (Some(512), 5));
}

#[test]
fn a_driver_that_shows_no_drive_is_not_waited_for_for_ever() {
    let (answer, ..) = rescued_with(vec![awaited()], Automounter::Absent);
    let why = "the kernel driver usb-storage found no drive".to_owned();
    assert_eq!(answer, DriveAnswer::Silent { why });
}

#[test]
fn without_a_driver_the_drive_is_asked_over_our_own_transport() {
    let (answer, ..) = rescued_with(vec![KernelDrive::NoDriver], Automounter::Absent);
    let DriveAnswer::Answers(drive) = answer else { panic!("{answer:?}") };
    assert!(drive.name.contains("WDC"), "{drive:?}");
}

#[test]
fn a_disk_in_use_without_a_driver_of_mass_storage_is_left_to_its_owner() {
    let (answer, ..) = rescued_with(vec![KernelDrive::NoDriver], Automounter::MountsWhatIsRescued);
    assert_eq!(answer, DriveAnswer::NotAsked);
}

#[test]
fn the_power_of_a_mounted_disk_is_taken_by_nobody() {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    let mut kernel = Kernel::new(&desk.bus.clone(), [], Automounter::MountsBeforeTheRestart);
    let outcome =
        desk.run_on(&mut kernel, |session| session.rescue(&with_profile("simulated-sl11r")));
    let failure = outcome.failure.expect("it is refused");
    assert_eq!((failure.code, failure.device), (Code::R407, DeviceState::Written));
    assert_eq!(failure.exit_code(), 3);
    assert!(failure.next.iter().any(|next| next.contains("umount /mnt/x")), "{failure}");
    let asked = |event: &recover::executor::Event| format!("{event:?}").starts_with("Asked");
    assert!(!desk.events.iter().any(asked), "nobody is asked to take its power");
    // Its owner ends the use, and the same command finishes it.
    desk.bus.set_uses(&port(), Vec::new());
    let outcome = desk.rescue(&with_profile("simulated-sl11r"));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
}

#[test]
fn the_drive_behind_an_sl11r_answers_although_its_firmware_breaks_the_tags() {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    desk.bus.keep_log(&port());
    let outcome = desk.rescue(&with_profile("simulated-sl11r"));
    let Some(DriveAnswer::Answers(drive)) = outcome.drive else { panic!("{:?}", outcome.drive) };
    assert_eq!(drive.name, "SONY CD-RW CRX100E 1.0j");
    assert_eq!(drive.not_ready.as_deref(), Some("no medium is inserted (sense 2/3a/00)"));
    assert!(desk.bus.virtual_time() > Duration::ZERO);
}
