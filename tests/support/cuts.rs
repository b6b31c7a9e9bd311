//! A bus that watches its transfers, so that the plug can be pulled inside every write cycle.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use recover::clock::Clock;
use recover::sim::SimBus;
use recover::usb::{Bus, BusError, Link, Reply, Sighting, Transfer, TransferError};

use super::{Desk, port};

/// Moments after the begin of a transfer at which the plug is pulled, milliseconds.
pub const CUTS_MS: [u64; 10] = [0, 1, 2, 3, 5, 7, 10, 20, 35, 50];

/// Least time between two cuts of a longer transfer, microseconds: less than the 5 ms of a write
/// cycle, and no divisor of it, so that cuts fall into both halves of cycles.
const STEP_US: u64 = 3_700;

/// Most cuts of a longer transfer: more than the 256 write cycles of the longest write.
const MAX_CUTS: u64 = 350;

/// When the plug is pulled, counted from the begin of a transfer that takes so long: the fixed
/// moments inside it, and one in every write cycle.
pub fn cuts(length: Duration) -> Vec<Duration> {
    let end = u64::try_from(length.as_micros()).unwrap();
    let step = usize::try_from(STEP_US.max(end / MAX_CUTS)).unwrap();
    let fixed = CUTS_MS.iter().map(|cut| cut * 1000).filter(|cut| *cut == 0 || *cut <= end);
    let mut cuts: Vec<u64> = fixed.chain((STEP_US..end).step_by(step)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.into_iter().map(Duration::from_micros).collect()
}

/// What a transfer that reached the device was like.
#[derive(Clone, Copy, Debug)]
pub struct Beat {
    /// How long it took.
    pub length: Duration,
    /// Whether the part began a write cycle in it, or its bytes changed: FRAM has no write cycles.
    pub wrote: bool,
}

type Stalls = Arc<dyn Fn(&Transfer) -> bool + Send + Sync>;
type Beats = Arc<Mutex<Vec<Beat>>>;

/// A bus that watches its transfers; the chip stalls some of them.
#[derive(Clone)]
pub struct Watched {
    bus: SimBus,
    stalls: Stalls,
    beats: Beats,
}

impl Watched {
    /// The desk's bus, watched.
    pub fn new(desk: &Desk) -> Self {
        Self::stalling(desk, |_| false)
    }

    /// The desk's bus, watched, with a chip that stalls these transfers.
    pub fn stalling(
        desk: &Desk,
        stalls: impl Fn(&Transfer) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { bus: desk.bus.clone(), stalls: Arc::new(stalls), beats: Beats::default() }
    }

    /// Every transfer that reached the device, in order.
    pub fn beats(&self) -> Vec<Beat> {
        self.beats.lock().unwrap().clone()
    }

    /// What every write changes: the count of write cycles, or the bytes.
    fn part(&self) -> Option<(u64, Vec<u8>)> {
        self.bus.eeprom(&port()).map(|state| (state.wear.cycles, state.bytes))
    }
}

struct WatchedLink {
    link: Box<dyn Link>,
    watch: Watched,
}

impl Bus for Watched {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.bus.scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        Ok(Box::new(WatchedLink { link: self.bus.open(seen)?, watch: self.clone() }))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.bus.reset(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.clock()
    }
}

impl Link for WatchedLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        if (self.watch.stalls)(transfer) {
            return Err(TransferError::Stall);
        }
        let clock = self.link.clock();
        let (before, part) = (clock.now(), self.watch.part());
        let result = self.link.exchange(transfer);
        let length = clock.now().saturating_sub(before);
        let wrote = self.watch.part() != part;
        self.watch.beats.lock().unwrap().push(Beat { length, wrote });
        result
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.link.clock()
    }
}
