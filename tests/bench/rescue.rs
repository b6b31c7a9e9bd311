//! What every rescue on the simulator costs: write cycles, transfers and virtual time, beside the
//! least that the virtual part and the wires to it allow (`minimum.rs`). Counts only, so two runs print the same; `cargo bench --bench rescue`.
//!
//! It ends with a line for each promise and fails where one is broken.

#![expect(clippy::print_stdout, reason = "its table is its result")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may fail loudly")]

mod commands;
mod minimum;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::Duration;

use commands::{Command, Counted};
use minimum::{Minimum, minimum};
use recover::executor::{Commands, Consent, Event, Observer, Operator, Session, Tools};
use recover::preflight::VirtualTwin;
use recover::profile::Scope;
use recover::rescue::{Outcome, Verdict};
use recover::sim::scenarios::{Content, Defect, Expectation};
use recover::sim::{Scenario, SimBus, scenarios};
use recover::usb::PortPath;
use support::Desk;

/// The memory phase of a documented chip may take so many times the least of its part. The worst is
/// a part with one address byte, which the driver leaves at 100 kHz.
const MAX_TIMES_LEAST: f64 = 1.5;

/// The same for a blank AT2LP, whose chip does the paging.
const AT2LP_TIMES_LEAST: f64 = 1.15;

struct Hands(SimBus);

impl Operator for Hands {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Given
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.0.replug(port);
    }
}

/// Notes the virtual time at which the first reading began and ended.
struct Stopwatch {
    bus: SimBus,
    sent: commands::Commands,
    /// EEPROM commands sent before the plan was made.
    before: usize,
    reading_began: Duration,
    read: Duration,
}

impl Observer for Stopwatch {
    fn observe(&mut self, event: &Event) {
        let now = self.bus.virtual_time();
        match event {
            Event::Proven { .. } | Event::Preflight { .. } => self.reading_began = now,
            Event::Planned { .. } => self.before = self.sent.sent().len(),
            Event::Diagnosed { .. } => self.read = now.saturating_sub(self.reading_began),
            _ => {}
        }
    }
}

/// One rescue and what it cost.
struct Row {
    scenario: &'static Scenario,
    outcome: Outcome,
    /// Bytes of the memory that are others than before.
    changed_bytes: u64,
    /// Write cycles that the part counted.
    seen_cycles: u64,
    /// What the changed bytes need.
    minimum: Minimum,
    read: Duration,
    /// EEPROM commands of an AT2LP: how many before the plan, and those after it.
    before: usize,
    commands: Vec<Command>,
}

impl Row {
    fn is_ez(&self) -> bool {
        self.scenario.model.starts_with("ez-")
    }

    fn is_at2lp(&self) -> bool {
        self.scenario.model == "at2lp"
    }

    fn is_blank(&self) -> bool {
        matches!(self.scenario.content, Content::Filled(_))
    }

    fn writes(&self) -> usize {
        self.commands.iter().filter(|command| matches!(command, Command::Write(_))).count()
    }

    /// Times its physical least that the memory phase took.
    fn ratio(&self) -> f64 {
        self.outcome.memory_time_ms / self.minimum.memory_ms
    }
}

fn rescue(scenario: &'static Scenario) -> Row {
    let desk = Desk::new(scenario);
    let before = desk.eeprom();
    let sent = commands::Commands::default();
    let mut watch = Stopwatch {
        bus: desk.bus.clone(),
        sent: sent.clone(),
        before: 0,
        reading_began: Duration::ZERO,
        read: Duration::ZERO,
    };
    let profile = if scenario.model == "ez-host" { "ez-otg" } else { scenario.model };
    let outcome = Session::new(Tools {
        bus: &mut Counted { bus: desk.bus.clone(), commands: sent.clone() },
        operator: &mut Hands(desk.bus.clone()),
        observer: &mut watch,
        twin: &VirtualTwin,
        library: &desk.library,
        store: &desk.store,
        scope: Scope::Simulator,
        commands: Commands::new("recover --auto"),
    })
    .rescue(&support::with_profile(&support::simulated(profile)));
    let after = desk.eeprom();
    Row {
        scenario,
        changed_bytes: differing(&before, &after),
        seen_cycles: desk.write_cycles(),
        minimum: minimum(scenario, &before, &after),
        read: watch.read,
        before: watch.before,
        commands: sent.sent().split_off(watch.before),
        outcome,
    }
}

fn differing(before: &[u8], after: &[u8]) -> u64 {
    before.iter().zip(after).filter(|(old, new)| old != new).count() as u64
}

fn print_table(rows: &[Row]) {
    println!(
        "{:<22} {:>7} {:>18} {:>9} {:>9} {:>9} {:>24} {:>9}",
        "scenario",
        "bytes",
        "write cycles",
        "transfers",
        "time",
        "reading",
        "memory phase",
        "planned"
    );
    println!(
        "{:<22} {:>7} {:>18} {:>9} {:>9} {:>9} {:>24} {:>9}",
        "", "changed", "asked/seen/least", "", "ms", "ms", "ms / least = times", ""
    );
    for row in rows {
        let outcome = &row.outcome;
        println!(
            "{:<22} {:>7} {:>18} {:>9} {:>9.0} {:>9.0} {:>24} {:>9.0}",
            row.scenario.name,
            row.changed_bytes,
            format!("{}/{}/{}", outcome.write_cycles, row.seen_cycles, row.minimum.cycles),
            outcome.transfers,
            outcome.device_time_ms,
            row.read.as_secs_f64() * 1000.0,
            format!(
                "{:.1} / {:.1} = {:.2}",
                outcome.memory_time_ms,
                row.minimum.memory_ms,
                row.ratio()
            ),
            outcome.limit_ms,
        );
    }
}

fn print_commands(rows: &[&Row]) {
    println!("{:<22} {:>12} {:<42} memory phase", "scenario", "before", "from the plan on");
    for row in rows {
        let commands: Vec<String> = row
            .commands
            .iter()
            .map(|command| match command {
                Command::Read(bytes) => format!("read {bytes}"),
                Command::Write(bytes) => format!("write {bytes}"),
            })
            .collect();
        println!(
            "{:<22} {:>12} {:<42} {:.2} times its least",
            row.scenario.name,
            format!("{} reads", row.before),
            commands.join(", "),
            row.ratio()
        );
    }
}

/// Prints whether a promise is kept by every row it speaks of; one it speaks of no row is broken.
fn kept(
    promise: &str,
    of: &[&Row],
    holds: impl Fn(&Row) -> bool,
    number: impl Fn(&Row) -> String,
) -> bool {
    let broken: Vec<String> = of
        .iter()
        .filter(|row| !holds(row))
        .map(|row| format!("{}: {}", row.scenario.name, number(row)))
        .collect();
    if of.is_empty() {
        println!("BROKEN  {promise}: no scenario shows it");
    } else if broken.is_empty() {
        println!("kept    {promise} ({} scenarios)", of.len());
    } else {
        println!("BROKEN  {promise}: {}", broken.join("; "));
    }
    !of.is_empty() && broken.is_empty()
}

fn main() -> ExitCode {
    let rows: Vec<Row> = scenarios()
        .iter()
        .filter(|scenario| scenario.expectation == Expectation::Rescued)
        .map(rescue)
        .collect();
    print_table(&rows);
    println!();

    let all: Vec<&Row> = rows.iter().collect();
    let ez_128: Vec<&Row> =
        rows.iter().filter(|row| row.is_ez() && row.scenario.part == Some("24lc128")).collect();
    let sl11r: Vec<&Row> = rows.iter().filter(|row| row.scenario.model == "sl11r").collect();
    let ez_sound: Vec<&Row> =
        rows.iter().filter(|row| row.is_ez() && row.scenario.defect == Defect::None).collect();
    let at2lp: Vec<&Row> = rows.iter().filter(|row| row.is_at2lp()).collect();
    // An AT2LP pages for itself.
    let paged: Vec<&Row> = rows.iter().filter(|row| !row.is_at2lp()).collect();
    let at2lp_blank: Vec<&Row> = at2lp.iter().copied().filter(|row| row.is_blank()).collect();
    print_commands(&at2lp);
    println!();
    let more_cycles = |row: &Row, more: u64| {
        row.seen_cycles == row.minimum.cycles + more
            && u64::from(row.outcome.write_cycles) == row.seen_cycles
    };
    let counted = |row: &Row| {
        format!(
            "asked {}, seen {}, least {}",
            row.outcome.write_cycles, row.seen_cycles, row.minimum.cycles
        )
    };
    let promises = [
        kept(
            "every scenario that can be rescued is",
            &all,
            |row| row.outcome.result == Verdict::Rescued,
            |row| row.outcome.failure.as_ref().map_or(String::new(), ToString::to_string),
        ),
        kept(
            "no memory phase takes less than the part and the bus take",
            &all,
            |row| row.ratio() >= 1.0,
            |row| format!("{:.2} times", row.ratio()),
        ),
        kept(
            "EZ with a 24LC128: write cycles are the changed pages, the commit and, on a blank part, one to find the page",
            &ez_128,
            |row| more_cycles(row, u64::from(row.is_blank())),
            counted,
        ),
        kept(
            "where the program chooses the pages: at most two write cycles more than the part needs",
            &paged,
            // FRAM has none.
            |row| row.minimum.cycles == 0 || row.seen_cycles <= row.minimum.cycles + 2,
            counted,
        ),
        kept(
            "SL11R: write cycles are the changed bytes and the commit",
            &sl11r,
            |row| more_cycles(row, 0),
            counted,
        ),
        kept(
            &format!("EZ: the memory phase takes at most {MAX_TIMES_LEAST} times its least"),
            &ez_sound,
            |row| row.ratio() <= MAX_TIMES_LEAST,
            |row| format!("{:.2} times", row.ratio()),
        ),
        kept(
            "AT2LP: the body is one write command; the signature and its breaking are one each",
            &at2lp,
            |row| row.writes() <= if row.is_blank() { 2 } else { 3 },
            |row| format!("{:?}", row.commands),
        ),
        kept(
            &format!(
                "AT2LP: a blank part's memory phase takes at most {AT2LP_TIMES_LEAST} times its least"
            ),
            &at2lp_blank,
            |row| row.ratio() <= AT2LP_TIMES_LEAST,
            |row| format!("{:.2} times", row.ratio()),
        ),
    ];
    if promises.iter().all(|kept| *kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
