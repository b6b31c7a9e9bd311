//! What scans have seen, shared by all that look at the ports of this computer.

use std::time::Duration;

use crate::usb::{PortPath, Sighting};

/// How long after its arrival a device is new: it may still be forbidden because udev is not done
/// with it, and a string that could not be read is asked for again.
const NEW_FOR: Duration = Duration::from_secs(3);

/// What scans have seen.
#[derive(Debug, Default)]
pub(super) struct SightingCache {
    /// What the last scan saw, each with the time until when it is new; zero for those of the
    /// first scan. Nothing before that.
    seen: Option<Vec<(Sighting, Duration)>>,
    /// Scans that have begun.
    begun: u64,
    /// The first of them that tells something new: those before have been overtaken.
    first_new: u64,
}

impl SightingCache {
    /// A scan begins: its number, and what was seen before it.
    pub(super) fn begin(&mut self) -> (u64, Vec<Sighting>) {
        self.begun += 1;
        let before = self.seen.iter().flatten().map(|(seen, _)| seen.clone());
        (self.begun, before.collect())
    }

    /// Takes note of a scan. One that has taken longer than a later one tells nothing new.
    pub(super) fn note(&mut self, number: u64, seen: &[Sighting], now: Duration) {
        if number < self.first_new {
            return;
        }
        self.first_new = number;
        let fresh = self.seen.as_ref().map_or(Duration::ZERO, |_| now + NEW_FOR);
        let until = |seen: &Sighting| self.new_until(seen).unwrap_or(fresh);
        self.seen = Some(seen.iter().map(|seen| (seen.clone(), until(seen))).collect());
    }

    /// Whether the enumeration has just begun.
    pub(super) fn is_new(&self, seen: &Sighting, now: Duration) -> bool {
        self.new_until(seen).is_some_and(|until| now < until)
    }

    /// That enumeration has ended; scans that have begun may still have it.
    pub(super) fn forget(&mut self, gone: &Sighting) {
        self.first_new = self.begun + 1;
        self.seen.iter_mut().for_each(|all| all.retain(|(one, _)| !one.is_same_enumeration(gone)));
    }

    fn new_until(&self, seen: &Sighting) -> Option<Duration> {
        let mut all = self.seen.iter().flatten();
        all.find(|(one, _)| one.is_same_enumeration(seen)).map(|(_, until)| *until)
    }
}

/// What was found, and those that the kernel is resetting as they were before, in port order.
pub(super) fn with_those_in_reset(
    mut found: Vec<Sighting>,
    before: &[Sighting],
    resets: &[PortPath],
) -> Vec<Sighting> {
    let is_away = |seen: &&Sighting| {
        resets.contains(&seen.port) && !found.iter().any(|now| now.port == seen.port)
    };
    let away: Vec<_> = before.iter().filter(is_away).cloned().collect();
    found.extend(away);
    found.sort_by(|one, other| one.port.cmp(&other.port));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usb::{ClassCode, Ids, Speed};

    fn remembered(memory: &mut SightingCache) -> Vec<Sighting> {
        memory.begin().1
    }

    fn sighting(port: &str, device_number: u8) -> Sighting {
        Sighting {
            port: port.parse().unwrap(),
            device_number,
            ids: Ids::new(0x04b4, 0x6830),
            bcd_device: 0,
            class: ClassCode::new(0, 0, 0),
            manufacturer: None,
            product: None,
            serial: None,
            interfaces: Vec::new(),
            speed: Speed::High,
            driver: None,
        }
    }

    #[test]
    fn a_scan_that_was_overtaken_tells_nothing() {
        let mut memory = SightingCache::default();
        let (slow, _) = memory.begin();
        let (quick, _) = memory.begin();
        let arrived = sighting("1-1", 5);
        memory.note(quick, std::slice::from_ref(&arrived), Duration::ZERO);
        memory.note(slow, &[], Duration::ZERO);
        assert_eq!(remembered(&mut memory), std::slice::from_ref(&arrived));

        let (slow, _) = memory.begin();
        memory.forget(&arrived);
        memory.note(slow, &[arrived], Duration::ZERO);
        assert_eq!(remembered(&mut memory), []);
        let (next, _) = memory.begin();
        memory.note(next, &[sighting("1-1", 6)], Duration::ZERO);
        assert_eq!(remembered(&mut memory), [sighting("1-1", 6)]);
    }

    #[test]
    fn a_device_is_new_for_a_while_unless_it_was_there_first() {
        let mut memory = SightingCache::default();
        let (first, second) = (sighting("1-1", 5), sighting("1-2", 6));
        let (number, _) = memory.begin();
        memory.note(number, std::slice::from_ref(&first), Duration::ZERO);
        for now in [1, 2].map(Duration::from_secs) {
            let (number, _) = memory.begin();
            memory.note(number, &[first.clone(), second.clone()], now);
        }
        let end = Duration::from_secs(1) + NEW_FOR;
        assert!(!memory.is_new(&first, Duration::from_secs(1)));
        assert!(memory.is_new(&second, end - Duration::from_millis(1)));
        assert!(!memory.is_new(&second, end));
    }

    #[test]
    fn a_device_in_its_reset_is_shown_as_it_was_and_one_that_left_is_not() {
        let [reset, left, stays] =
            [("1-1", 5), ("1-2", 6), ("1-3", 7)].map(|(p, n)| sighting(p, n));
        let before = [reset.clone(), left, stays.clone()];
        let resets = [reset.port.clone()];
        let shown = with_those_in_reset(vec![stays.clone()], &before, &resets);
        assert_eq!(shown, [reset, stays]);
    }

    #[test]
    fn what_came_out_of_its_reset_meanwhile_is_shown_once_and_as_it_is() {
        let (before, now) = (sighting("1-1", 5), sighting("1-1", 6));
        let resets = [now.port.clone()];
        assert_eq!(with_those_in_reset(vec![now.clone()], &[before], &resets), [now]);
    }

    #[test]
    fn a_reset_of_a_device_that_was_never_seen_shows_nothing() {
        assert_eq!(with_those_in_reset(Vec::new(), &[], &["1-1".parse().unwrap()]), []);
    }
}
