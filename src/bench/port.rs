//! What is to be made of one port's device, from what the bus shows: a new unit, the same one
//! under another number, or one that is done and stays so until it has been taken out.

use std::time::Duration;

use crate::usb::Sighting;

/// How long a port has to be empty until what comes next is another unit. A chip's own restart
/// is shorter, a person's hands are slower.
pub const MIN_ABSENCE: Duration = Duration::from_secs(1);

/// How often in a row a unit that fails is begun by itself; then it waits to be told to start.
pub const MAX_FAILURES: u32 = 3;

/// Where a port stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    /// Nothing is there.
    #[default]
    Empty,
    /// A device is there that is no unit.
    Ignored(Sighting),
    /// A unit waits to be told to start.
    Waiting(Sighting),
    /// A worker has the port; nobody else looks at it.
    Running,
    /// The unit's run has ended, or it was skipped. Since when it is away, if it is.
    Done(Option<Duration>),
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classified {
    /// It needs a rescue.
    Unit,
    /// It is not written.
    Ignored,
}

/// What changed at a port.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A device is there, and has been judged.
    Arrived(Sighting, Classified),
    /// It is empty.
    Left,
}

/// A port.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Port {
    /// Where it stands.
    pub state: State,
    /// Runs in a row that failed on what seems to be the same unit.
    failures: u32,
}

impl Port {
    /// Takes note of what is on the port at the time `now`; a device is judged when it is new.
    pub fn look(
        &mut self,
        now: Duration,
        seen: Option<&Sighting>,
        judge: impl FnOnce(&Sighting) -> Classified,
    ) -> Option<Change> {
        match (&mut self.state, seen) {
            (State::Running, _) | (State::Empty, None) => None,
            (State::Ignored(before) | State::Waiting(before), Some(seen))
                if before.is_same_enumeration(seen) =>
            {
                None
            }
            (State::Done(away), Some(_))
                if away.is_none_or(|since| now.saturating_sub(since) < MIN_ABSENCE) =>
            {
                *away = None;
                None
            }
            (State::Done(away @ None), None) => {
                *away = Some(now);
                None
            }
            (State::Done(Some(since)), None) if now.saturating_sub(*since) < MIN_ABSENCE => None,
            (_, None) => {
                self.state = State::Empty;
                Some(Change::Left)
            }
            (_, Some(seen)) => {
                let judged = judge(seen);
                self.state = match judged {
                    Classified::Unit => State::Waiting(seen.clone()),
                    Classified::Ignored => State::Ignored(seen.clone()),
                };
                Some(Change::Arrived(seen.clone(), judged))
            }
        }
    }

    /// Whether its unit is begun without being told to, where that is the mode.
    pub fn may_start_automatically(&self) -> bool {
        matches!(self.state, State::Waiting(_)) && self.failures < MAX_FAILURES
    }

    /// How often in a row its unit has failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// A worker takes it.
    pub fn begin(&mut self) {
        self.state = State::Running;
    }

    /// Its worker has ended, or its unit is skipped.
    pub fn end(&mut self, failed: bool) {
        self.state = State::Done(None);
        self.failures = if failed { self.failures + 1 } else { 0 };
    }

    /// Whoever stands there wants its unit begun, however often that has failed.
    pub fn reset_failures(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usb::{ClassCode, Ids, PortPath, Speed};

    fn device(number: u8) -> Sighting {
        Sighting {
            port: PortPath::new(3, vec![1, 1]),
            device_number: number,
            ids: Ids::new(0x04ce, 0x07d1),
            bcd_device: 0,
            class: ClassCode::new(0xff, 0, 0),
            manufacturer: None,
            product: None,
            serial: None,
            interfaces: Vec::new(),
            speed: Speed::Full,
            driver: None,
        }
    }

    fn at(tenths: u64) -> Duration {
        Duration::from_millis(100 * tenths)
    }

    fn unit(_: &Sighting) -> Classified {
        Classified::Unit
    }

    #[test]
    fn a_device_is_judged_once() {
        let mut port = Port::default();
        let arrived = port.look(at(0), Some(&device(1)), unit);
        assert_eq!(arrived, Some(Change::Arrived(device(1), Classified::Unit)));
        assert_eq!(port.look(at(1), Some(&device(1)), |_| panic!("judged again")), None);
        assert_eq!(port.look(at(2), None, unit), Some(Change::Left));
        assert_eq!(port.look(at(3), None, unit), None);
    }

    #[test]
    fn nobody_looks_at_a_port_that_a_worker_has() {
        let mut port = Port::default();
        port.look(at(0), Some(&device(1)), unit);
        port.begin();
        for seen in [None, Some(device(2)), None, Some(device(3))] {
            assert_eq!(port.look(at(1), seen.as_ref(), unit), None);
        }
        assert_eq!(port.state, State::Running);
    }

    #[test]
    fn a_unit_that_is_done_stays_done_until_it_was_taken_out() {
        let mut port = Port::default();
        port.look(at(0), Some(&device(1)), unit);
        port.begin();
        port.end(false);
        // A restart of its own: another number, and a short time away.
        assert_eq!(port.look(at(1), Some(&device(2)), unit), None);
        assert_eq!(port.look(at(2), None, unit), None);
        assert_eq!(port.look(at(9), None, unit), None);
        assert_eq!(port.look(at(10), Some(&device(3)), unit), None);
        assert_eq!(port.look(at(11), None, unit), None);
        assert_eq!(port.look(at(21), None, unit), Some(Change::Left));
        let next = port.look(at(22), Some(&device(4)), unit);
        assert_eq!(next, Some(Change::Arrived(device(4), Classified::Unit)));
    }

    #[test]
    fn what_comes_after_a_long_time_is_new_even_if_nobody_looked_meanwhile() {
        let mut port = Port::default();
        port.look(at(0), Some(&device(1)), unit);
        port.begin();
        port.end(true);
        port.look(at(1), None, unit);
        assert!(port.look(at(60), Some(&device(2)), unit).is_some());
    }

    #[test]
    fn a_unit_that_fails_and_fails_is_not_begun_for_ever() {
        let mut port = Port::default();
        for number in 1..=3 {
            port.look(at(0), Some(&device(number)), unit);
            assert!(port.may_start_automatically());
            port.begin();
            port.end(true);
            port.look(at(10), None, unit);
            port.look(at(20), None, unit);
        }
        port.look(at(30), Some(&device(9)), unit);
        assert!(!port.may_start_automatically());
        port.reset_failures();
        assert!(port.may_start_automatically());
    }
}
