//! Disturbances of chosen transfers, the same in every run.
//!
//! Written on a command line as `unplug@37`, `stall@12,flip@40`, `seed=7`. Transfers are counted
//! from 1, per device, over every link to it; what the host's own enumeration sends is not
//! counted.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What happens to one transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The plug is pulled so long after the transfer began; it stays out until somebody plugs it
    /// in again.
    Unplug(Duration),
    /// The host sees STALL; the device never saw the request.
    Stall,
    /// The host waits in vain; the device never saw the request.
    TimeOut,
    /// Half of an IN transfer's data arrives. Of an OUT transfer the device takes nothing.
    Short,
    /// One bit of an IN transfer's data is wrong. OUT transfers pass.
    FlippedBit,
}

impl Fault {
    fn word(self) -> &'static str {
        match self {
            Self::Unplug(_) => "unplug",
            Self::Stall => "stall",
            Self::TimeOut => "timeout",
            Self::Short => "short",
            Self::FlippedBit => "flip",
        }
    }
}

/// One in so many transfers is disturbed when a seed is given.
const SEEDED_RATE: u64 = 64;

/// The faults of one device: some at chosen transfers, or a sprinkling that a seed decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    exact: Vec<(u64, Fault)>,
    seed: Option<u64>,
}

impl Faults {
    /// No faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// One fault at transfer `number`, counted from 1.
    pub fn at(number: u64, fault: Fault) -> Self {
        Self { exact: vec![(number, fault)], seed: None }
    }

    /// One transfer in 64 is refused, lost, cut short or has a bit flipped; which ones, the seed
    /// decides. The plug stays in.
    pub fn seeded(seed: u64) -> Self {
        Self { exact: Vec::new(), seed: Some(seed) }
    }

    /// What happens to transfer `number`.
    pub fn of(&self, number: u64) -> Option<Fault> {
        let exact = self.exact.iter().find(|(at, _)| *at == number);
        exact.map(|(_, fault)| *fault).or_else(|| {
            let dice = self.dice(number)?;
            let which = [Fault::Stall, Fault::TimeOut, Fault::Short, Fault::FlippedBit];
            let hit = dice % SEEDED_RATE == 0;
            hit.then(|| which.get((dice >> 32) as usize % 4).copied()).flatten()
        })
    }

    /// Which bit is flipped at transfer `number`, modulo the bits there are.
    pub(super) fn bit(&self, number: u64) -> u64 {
        mix(number ^ self.seed.unwrap_or_default())
    }

    fn dice(&self, number: u64) -> Option<u64> {
        self.seed.map(|seed| mix(seed.wrapping_mul(0x1_0001).wrapping_add(number)))
    }
}

/// SplitMix64's output function: every input bit reaches every output bit.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (number, fault) in &self.exact {
            let later = match fault {
                Fault::Unplug(after) if !after.is_zero() => format!("+{}us", after.as_micros()),
                _ => String::new(),
            };
            parts.push(format!("{}@{number}{later}", fault.word()));
        }
        parts.extend(self.seed.map(|seed| format!("seed={seed}")));
        f.write_str(&parts.join(","))
    }
}

/// Text that is no list of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a fault; write unplug@N, unplug@N+5ms, stall@N, timeout@N, short@N, flip@N or \
     seed=N, several with commas, N counting transfers from 1"
)]
pub struct BadFault(String);

impl FromStr for Faults {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, BadFault> {
        let mut faults = Self::none();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let bad = || BadFault(part.to_owned());
            if let Some(seed) = part.strip_prefix("seed=") {
                faults.seed = Some(seed.parse().map_err(|_| bad())?);
                continue;
            }
            let (word, place) = part.split_once('@').ok_or_else(bad)?;
            let (number, later) = match place.split_once('+') {
                Some((number, later)) => (number, Some(later)),
                None => (place, None),
            };
            let fault = match (word, later) {
                ("unplug", None) => Fault::Unplug(Duration::ZERO),
                ("unplug", Some(later)) => Fault::Unplug(duration(later).ok_or_else(bad)?),
                ("stall", None) => Fault::Stall,
                ("timeout", None) => Fault::TimeOut,
                ("short", None) => Fault::Short,
                ("flip", None) => Fault::FlippedBit,
                _ => return Err(bad()),
            };
            match number.parse() {
                Ok(number) if number > 0 => faults.exact.push((number, fault)),
                _ => return Err(bad()),
            }
        }
        Ok(faults)
    }
}

fn duration(text: &str) -> Option<Duration> {
    if let Some(number) = text.strip_suffix("us") {
        return number.parse().ok().map(Duration::from_micros);
    }
    // What cannot be written as microseconds could not be printed either.
    let milliseconds: u64 = text.strip_suffix("ms")?.parse().ok()?;
    milliseconds.checked_mul(1000).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_written_as_they_are_read() {
        for text in ["unplug@37", "unplug@3+1500us", "stall@12,flip@40", "short@1,timeout@2,seed=7"]
        {
            assert_eq!(text.parse::<Faults>().unwrap().to_string(), text);
        }
        let later = Fault::Unplug(Duration::from_millis(5));
        assert_eq!("unplug@9+5ms".parse(), Ok(Faults::at(9, later)));
        assert_eq!("".parse(), Ok(Faults::none()));
    }

    #[test]
    fn what_is_no_fault_is_named() {
        for text in [
            "unplug",
            "stall@0",
            "melt@3",
            "stall@3+5ms",
            "seed=x",
            "unplug@1+5",
            "unplug@1+36555555555555555ms",
        ] {
            let error = format!("stall@1,{text}").parse::<Faults>().unwrap_err();
            assert_eq!(error, BadFault(text.to_owned()));
        }
    }

    #[test]
    fn an_exact_fault_hits_its_transfer_only() {
        let faults = Faults::at(3, Fault::Stall);
        let hits: Vec<_> = (1..10).filter(|number| faults.of(*number).is_some()).collect();
        assert_eq!(hits, [3]);
    }

    #[test]
    fn a_seed_disturbs_some_transfers_and_always_the_same() {
        let hits = |seed| {
            let faults = Faults::seeded(seed);
            (1..1000).filter(|number| faults.of(*number).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        assert!((5..40).contains(&hits(7).len()), "{}", hits(7).len());
    }
}
