//! The least that a change of an EEPROM's contents takes, from the virtual part and the wires to
//! it. Nothing of what the driver plans or believes goes into it.
//!
//! Counted: one write cycle for every page that holds another byte than before, one more for the
//! signature, which is written last; the bits of addressing and of the bytes that differ; the same
//! bytes read back, body and signature each in one read. A real change cannot take less: a part
//! takes a page write in a row, so bytes between two that differ are written as well, and are not
//! counted here.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use recover::sim::Scenario;
use recover::sim::parts::{Part, part};
use recover::sim::scenarios::Defect;

/// Bytes at address 0 that are written last.
const SIGNATURE: usize = 2;

/// Clocks of a byte with its acknowledge.
const BYTE_CLOCKS: u64 = 9;

/// Clocks of START and STOP together.
const FRAME_CLOCKS: u64 = 2;

/// What a chip does to the part behind it at its best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Route {
    /// Its fastest I2C clock, hertz.
    clock_hz: u32,
    /// The most bytes of one page write.
    maximum: u32,
}

fn route(model: &str) -> Route {
    match model {
        // Only the BIOS is known to reach the part: single bytes at 100 kHz (inferred).
        "sl11r" => Route { clock_hz: 100_000, maximum: 1 },
        // Pins under a program's control at 48 MHz: the part is the limit [BM, GPIO].
        "ez-otg" | "ez-host" => Route { clock_hz: 400_000, maximum: u32::MAX },
        // The chip does the paging: 8 bytes at 100 kHz (inferred; docs/chips/at2lp.md).
        "at2lp" => Route { clock_hz: 100_000, maximum: 8 },
        // 90.9 kHz with the 12 MHz crystal [TRM1 4; DOC-11281].
        "an2131" => Route { clock_hz: 90_909, maximum: u32::MAX },
        // Bit 0 of I2CTL, E67A, chooses 400 kHz (documented: TRM2; libfx2). That the FX has it too is
        // inferred from its configuration byte [fxload]. Nominal: the FX2LP18's data sheet tells about
        // 300 kHz as measured [DS-FX2LP18], so that silicon's least is not below this one.
        _ => Route { clock_hz: 400_000, maximum: u32::MAX },
    }
}

/// The least of one change.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Minimum {
    /// Write cycles; none of a part that has no write cycle.
    pub cycles: u64,
    /// Writing and reading back, milliseconds.
    pub memory_ms: f64,
}

/// The least for the scenario's part to hold `after` where it held `before`.
pub fn minimum(scenario: &Scenario, before: &[u8], after: &[u8]) -> Minimum {
    let part = scenario.part.and_then(part).unwrap();
    let slowness = match scenario.defect {
        Defect::Slow(times) => times,
        _ => 1,
    };
    let writes = writes(before, after, part.page.min(route(scenario.model).maximum) as usize);
    let cycles = if part.write_cycle_us == 0 { 0 } else { writes.body.len() + writes.commit.len() };
    let cycle_ms = f64::from(part.write_cycle_us) * f64::from(slowness) / 1000.0;
    let clock_hz = part.clock_hz.min(route(scenario.model).clock_hz);
    let clock_ms = 1000.0 / f64::from(clock_hz);
    Minimum {
        cycles: cycles as u64,
        memory_ms: cycles as f64 * cycle_ms + clocks(&writes, part) as f64 * clock_ms,
    }
}

/// Bytes that differ, by write.
#[derive(Debug)]
struct Writes {
    body: Vec<u64>,
    commit: Vec<u64>,
}

/// A page's, or those of the signature, which is written last; a signature that is valid and stays
/// the same is broken first and mended last.
fn writes(before: &[u8], after: &[u8], unit: usize) -> Writes {
    let differs: Vec<bool> = before.iter().zip(after).map(|(old, new)| old != new).collect();
    let (signature, body) = differs.split_at(SIGNATURE.min(differs.len()));
    let mut pages: Vec<(usize, u64)> = Vec::new();
    for at in (0..body.len()).filter(|at| body[*at]) {
        let page = (at + SIGNATURE) / unit;
        match pages.last_mut() {
            Some((last, bytes)) if *last == page => *bytes += 1,
            _ => pages.push((page, 1)),
        }
    }
    let mut body: Vec<u64> = pages.into_iter().map(|(_, bytes)| bytes).collect();
    let missing = signature.iter().filter(|differs| **differs).count();
    let mut commit = vec![1; missing];
    if unit > 1 && missing > 1 {
        commit = vec![missing as u64];
    }
    if missing == 0 && !body.is_empty() {
        body.insert(0, 1);
        commit.push(1);
    }
    Writes { body, commit }
}

fn clocks(writes: &Writes, part: Part) -> u64 {
    let addressing = (1 + u64::from(part.address_bytes)) * BYTE_CLOCKS + FRAME_CLOCKS;
    // A read addresses the part, and then asks it for bytes with a control byte of its own.
    let reading = addressing + BYTE_CLOCKS;
    let written = |bytes: &u64| addressing + bytes * BYTE_CLOCKS;
    let read = |group: &[u64]| match group.iter().sum::<u64>() {
        0 => 0,
        bytes => reading + bytes * BYTE_CLOCKS,
    };
    writes.body.iter().chain(&writes.commit).map(written).sum::<u64>()
        + read(&writes.body)
        + read(&writes.commit)
}
