//! The command line's definition; help texts, completions and the man page come from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::ledger_args::LedgerCommand;
use crate::usb::{Ids, PortPath};

const EXAMPLES: &str = "\
Examples:
  recover --auto --sim                      practise: a whole rescue on a virtual enclosure
  recover list                              what is on the bus, by the names owners met
  recover --auto --dry-run                  look, prove, read, plan; write nothing lasting
  recover --auto --image CDRW0008.BIN       rescue with the vendor's image
  recover --auto --all                      rescue all that need it, at once
  recover --auto --profile generic-fx2lp --ids 1d50:608c
                                            give a board without firmware its ids back
  recover --auto --wait                     wait until the enclosure shows up, then rescue it

Exit codes: 0 rescued, or healthy already; 1 not rescued and nothing lasting changed; 2 usage;
3 the device was changed and can be finished (`next:` says how); 4 a choice or consent is needed.";

/// Brings bricked USB enclosures back to life through the boot loader in their bridge chip.
#[derive(Debug, Parser)]
#[command(name = "recover", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// Find the one enclosure that needs it, prove it, back it up and bring it back
    #[arg(long)]
    pub auto: bool,

    /// Rescue every enclosure that needs it, all at once
    #[arg(long, requires = "auto")]
    pub all: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would print a flattened field's comment as help")]
    pub rescue: RescueArgs,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would print a flattened field's comment as help")]
    pub common: CommonArgs,

    #[command(subcommand)]
    #[expect(missing_docs, reason = "clap would print a subcommand field's comment as help")]
    pub command: Option<Command>,
}

/// Which device, which bus, how it is told.
#[derive(Clone, Debug, Args)]
pub struct CommonArgs {
    /// Only the device at this port, as `recover list` writes it
    #[arg(long, global = true, value_name = "PATH", help_heading = "Device")]
    pub port: Option<PortPath>,

    /// Ask the device at --port as this chip family although its id is in no table (read-only
    /// proof first)
    #[arg(
        long = "as",
        global = true,
        value_name = "FAMILY",
        requires = "port",
        help_heading = "Device"
    )]
    pub as_family: Option<String>,

    /// Wait for the device to appear, for so many seconds (600 without a number)
    #[arg(long, global = true, value_name = "SECONDS", num_args = 0..=1, require_equals = true,
          default_missing_value = "600", help_heading = "Device")]
    pub wait: Option<u64>,

    /// The bench file: labels, profiles and relays of ports (bench.toml in the home folder
    /// without)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Device")]
    pub bench_config: Option<PathBuf>,

    /// Use virtual enclosures instead of the computer's ports, several as a,b:3; `recover sim list`
    /// names them
    #[arg(long, global = true, value_name = "SCENARIO", num_args = 0..=1,
          default_missing_value = crate::sim::DEFAULT_SCENARIO, help_heading = "Simulator")]
    pub sim: Option<String>,

    /// Disturb the simulator at a transfer: unplug@N, stall@N, timeout@N, short@N, flip@N, seed=S
    #[arg(long, global = true, value_name = "FAULT", help_heading = "Simulator")]
    pub fault: Vec<String>,

    /// The virtual hub switches its ports' power, or says so: switching, lying, deaf or ganged
    #[arg(long, global = true, value_name = "KIND", requires = "sim", help_heading = "Simulator")]
    pub sim_hub: Option<crate::sim::HubKind>,

    /// A virtual relay board behind a serial device, wired as --bench-config says; KIND is lcus,
    /// aa-bb, letter, numato or mute
    #[arg(
        long,
        global = true,
        value_name = "KIND=FILE",
        requires = "sim",
        requires = "bench_config",
        help_heading = "Simulator"
    )]
    pub sim_relay: Option<String>,

    /// Keep the virtual memory in this file from one run to the next
    #[arg(long, global = true, value_name = "FILE", requires = "sim", help_heading = "Simulator")]
    pub sim_state: Option<PathBuf>,

    /// Print events as JSON, one object a line, on stdout
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,

    /// Log more: -v steps, -vv every transfer, -vvv every byte
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,

    /// Record every transfer of this run in a file, JSON lines
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    pub trace: Option<PathBuf>,

    /// Replace serial numbers in the trace by pseudonyms
    #[arg(long, global = true, requires = "trace", help_heading = "Output")]
    pub mask_serials: bool,

    /// Where backups, journals and your own profiles are kept
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "RECOVER_HOME",
        help_heading = "Output"
    )]
    pub home: Option<PathBuf>,
}

impl CommonArgs {
    /// How long to wait for a device to appear.
    pub fn wait(&self) -> Option<Duration> {
        self.wait.map(Duration::from_secs)
    }
}

/// What a device should become, and how freely.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Rescue")]
pub struct RescueArgs {
    /// The image to write: a backup or the vendor's file
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,

    /// The enclosure model; `recover profile list` names them
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Who it is to be, as 1d50:608c, where the profile leaves that to you
    #[arg(long, value_name = "IDS", requires = "profile", conflicts_with = "image")]
    pub ids: Option<Ids>,

    /// Its bcdDevice in hexadecimal, with --ids
    #[arg(long, value_name = "BCD", value_parser = hexadecimal, requires = "ids")]
    pub revision: Option<u16>,

    /// The serial number on the label, for an image that is made from values
    #[arg(long, value_name = "SERIAL")]
    pub serial: Option<String>,

    /// Stop after the plan; only the chip's RAM is used
    #[arg(long)]
    pub dry_run: bool,

    /// Consent in advance to a plan that rests on inferred facts
    #[arg(long)]
    pub yes: bool,

    /// Write although a check says no (not provably broken, failed pre-flight); a backup is kept
    #[arg(long)]
    pub force: bool,

    /// Do not try the image from RAM first
    #[arg(long)]
    pub no_trial: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what is on the bus, by the names its owners met
    #[command(after_help = "Example:\n  recover list\n  recover list --sim sl11r-healthy")]
    List {
        /// Show devices this program does not know as well
        #[arg(long)]
        all: bool,
    },
    /// Prove the chip and read its memory; write nothing lasting
    #[command(
        after_help = "Example:\n  recover diagnose --port 3-2.1\n  recover diagnose --port 3-2.1 --as cy16"
    )]
    Diagnose,
    /// Show what --auto would do, step by step
    #[command(after_help = "Example:\n  recover plan --image CDRW0008.BIN")]
    Plan {
        #[command(flatten)]
        rescue: RescueArgs,
    },
    /// Finish a rescue that was interrupted
    #[command(after_help = "Example:\n  recover resume\n  recover resume --port 3-2.1")]
    Resume {
        #[command(flatten)]
        rescue: RescueArgs,
    },
    /// Watch all ports of a bench and rescue what is plugged in, many at once
    #[command(
        after_help = "Examples:\n  recover bench --auto\n  recover bench --auto --profile sony-crx100e --ports A1,A2\n  \
        recover bench --auto --sim sl11r-zeroed:4,at2lp-rc42,sl11r-dead-eeprom"
    )]
    Bench(BenchArgs),
    /// Save the memory's bytes
    #[command(after_help = "Example:\n  recover backup --output enclosure.bin")]
    Backup {
        /// Write the bytes to this file as well
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write a backup back
    #[command(
        after_help = "Example:\n  recover restore --list\n  recover restore 2026-11-22T10-02-33-sl11r --yes"
    )]
    Restore {
        /// The backup's name
        #[arg(value_name = "ID", required_unless_present = "list")]
        id: Option<String>,
        /// List the backups there are
        #[arg(long)]
        list: bool,
        #[command(flatten)]
        rescue: RescueArgs,
    },
    /// Look at image files
    #[command(subcommand)]
    Image(ImageCommand),
    /// Look at enclosure profiles
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Look at the simulator's virtual enclosures
    #[command(subcommand)]
    Sim(SimCommand),
    /// Print which chips and enclosures are supported, as Markdown tables
    #[command(after_help = "Example:\n  recover supported")]
    Supported,
    /// Look into the ledger of the units that passed
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Make a page about one unit of the ledger, to print and hand over
    #[command(after_help = "Example:\n  recover report 2026-11-22T10-02-33-sl11r --html unit.html")]
    Report {
        /// The unit's id, or as much of its beginning as no other has
        id: String,
        /// The file to write; one that exists is not overwritten
        #[arg(long, value_name = "FILE")]
        html: PathBuf,
    },
    /// Print a script that completes this program's command line
    #[command(
        after_help = "Example:\n  recover completions bash > ~/.local/share/bash-completion/completions/recover"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page
    #[command(
        after_help = "Example:\n  recover man | man -l -\n  recover man --output ~/.local/share/man/man1"
    )]
    Man {
        /// Write it and a page for every command into this folder instead
        #[arg(short, long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
    /// Print a udev rules file that lets ordinary users rescue enclosures
    #[command(
        after_help = "Example:\n  recover udev-rules | sudo tee /etc/udev/rules.d/70-recover.rules"
    )]
    UdevRules,
}

/// `recover image …`.
#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Show what a file is and what it consists of
    #[command(after_help = "Example:\n  recover image inspect CDRW0008.BIN")]
    Inspect {
        /// The file
        file: PathBuf,
        /// The chip it is for; every chip is tried without
        #[arg(long, value_name = "CHIP")]
        chip: Option<String>,
    },
    /// Check a file as a rescue would, pre-flight on the virtual chip included
    #[command(after_help = "Example:\n  recover image check CDRW0008.BIN --chip sl11r")]
    Check {
        /// The file
        file: PathBuf,
        /// The chip it is for
        #[arg(long, value_name = "CHIP")]
        chip: String,
    },
    /// Make an image from values: ids and settings, and a program where the chip takes one
    #[command(
        after_help = "Examples:\n  recover image build --chip fx2lp --ids 1209:0001 --output ids.iic\n  \
        recover image build --chip fx2lp --ids 1d50:608c --firmware fx2lafw.fw --output boot.iic"
    )]
    Build(BuildArgs),
}

/// How a bench is run.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Rescue every unit as it is plugged in; without it a key starts each
    #[arg(long)]
    pub auto: bool,
    /// Only these ports: paths or labels, with commas
    #[arg(long, value_name = "LIST")]
    pub ports: Option<String>,
    /// Virtual seconds to a real one, 0 for as fast as it goes; 1 on a terminal, else 0
    #[arg(long, value_name = "FACTOR", requires = "sim", value_parser = pace, help_heading = "Simulator")]
    pub pace: Option<f64>,
    #[command(flatten)]
    pub rescue: RescueArgs,
}

fn pace(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (0.0..=10_000.0).contains(&factor) => Ok(factor),
        Ok(_) => Err("write a number from 0 to 10000".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The values of an image.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The chip it is for
    #[arg(long, value_name = "CHIP")]
    pub chip: String,
    /// idVendor and idProduct, as 1209:0001
    #[arg(long, value_name = "IDS")]
    pub ids: Ids,
    /// bcdDevice in hexadecimal, as 0100
    #[arg(long, value_name = "BCD", value_parser = hexadecimal)]
    pub revision: Option<u16>,
    /// A program: Intel HEX, or flat from address 0 on
    #[arg(long, value_name = "FILE")]
    pub firmware: Option<PathBuf>,
    /// iManufacturer's text
    #[arg(long, value_name = "TEXT")]
    pub manufacturer: Option<String>,
    /// iProduct's text
    #[arg(long, value_name = "TEXT")]
    pub product: Option<String>,
    /// iSerialNumber's text
    #[arg(long, value_name = "TEXT")]
    pub serial: Option<String>,
    /// A setting by address, both in hexadecimal, as 07=01; may be given again
    #[arg(long = "set", value_name = "ADDRESS=VALUE", value_parser = setting)]
    pub settings: Vec<(u8, u8)>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

fn hexadecimal(text: &str) -> Result<u16, String> {
    u16::from_str_radix(text, 16).map_err(|error| error.to_string())
}

fn setting(text: &str) -> Result<(u8, u8), String> {
    let (address, value) = text.split_once('=').ok_or("write it like 07=01")?;
    let byte = |text: &str| u8::from_str_radix(text, 16).map_err(|error| error.to_string());
    Ok((byte(address)?, byte(value)?))
}

/// `recover profile …`.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List the enclosure models
    #[command(after_help = "Example:\n  recover profile list")]
    List,
    /// Show one model and what is known of it
    #[command(after_help = "Example:\n  recover profile show sony-crx100e")]
    Show {
        /// Its name
        name: String,
    },
    /// Make a profile from a healthy enclosure of the same model; write nothing to it
    #[command(
        after_help = "Example:\n  recover profile learn --port 3-2.1 --as at2lp --name my-enclosure"
    )]
    Learn {
        /// The profile's name; made from what the device says of itself without
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Check a folder of profiles, or your own
    #[command(after_help = "Example:\n  recover profile check ~/my-profiles")]
    Check {
        /// The folder; your own profiles without
        folder: Option<PathBuf>,
    },
}

/// `recover sim …`.
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// List the virtual enclosures
    #[command(after_help = "Example:\n  recover sim list")]
    List,
    /// Tell the story of one
    #[command(after_help = "Example:\n  recover sim show sl11r-zeroed")]
    Show {
        /// Its name
        name: String,
        /// Write what its drive's medium holds to this file, the first 8 MiB at most
        #[arg(long, value_name = "FILE")]
        medium: Option<PathBuf>,
    },
    /// Plug virtual enclosures into this computer's Linux kernel until Ctrl-C (root, vhci-hcd)
    #[command(after_help = "Examples, as root:\n  modprobe vhci-hcd\n  \
        recover sim attach sl11r-zeroed at2lp-rc42\n  \
        recover sim attach ezusb-blank --count 3 --log transfers.log")]
    Attach {
        /// Their names
        #[arg(required = true, value_name = "SCENARIO")]
        scenarios: Vec<String>,
        /// So many of each
        #[arg(long, value_name = "NUMBER", default_value_t = 1,
              value_parser = clap::value_parser!(u8).range(1..))]
        count: u8,
        /// Begin with this dump in the EEPROM, in place of the scenario's own contents
        #[arg(long, value_name = "FILE")]
        eeprom: Option<PathBuf>,
        /// Write a line for every transfer to this file
        #[arg(long, value_name = "FILE")]
        log: Option<PathBuf>,
        /// Answer as soon as an answer is known, not when the device would
        #[arg(long)]
        unpaced: bool,
    },
    /// Pull the plug of an enclosure that `sim attach` plugged in, or put it back
    #[command(after_help = "Example, as root:\n  recover sim power 1-1 off")]
    Power {
        /// Its port, as `sim attach` printed it
        #[arg(value_name = "PORT")]
        at: PortPath,
        /// Out or in
        switch: Switch,
    },
    /// Disturb its transfers, counted from 1 from now on
    #[command(after_help = "Example, as root:\n  recover sim disturb 1-1 unplug@37")]
    Disturb {
        /// Its port, as `sim attach` printed it
        #[arg(value_name = "PORT")]
        at: PortPath,
        /// As --fault takes them
        #[arg(value_name = "FAULT")]
        faults: crate::sim::Faults,
    },
    /// Print a line whenever one of these ports of a root hub gains or loses power; `sim attach`
    /// begins it by itself
    #[command(hide = true)]
    WatchPower {
        /// The ports
        #[arg(value_name = "PORT")]
        at: Vec<PortPath>,
    },
    /// Print how it is, what was sent to it, and its memory's wear and hash, as JSON
    #[command(after_help = "Example, as root:\n  recover sim status 1-1")]
    Status {
        /// Its port, as `sim attach` printed it
        #[arg(value_name = "PORT")]
        at: PortPath,
    },
    /// Be a relay board behind a serial device of this computer; print every relay that moves
    #[command(after_help = "Examples:\n  recover sim relay --kind lcus --device /tmp/relays\n  \
        sudo recover sim relay --device /tmp/relays --power 1=1-1 --power 2=1-2")]
    Relay {
        /// What it understands: lcus, aa-bb, letter, numato or mute
        #[arg(long, value_name = "KIND", default_value = "lcus")]
        kind: crate::sim::relay::Dialect,
        /// A link to make to the serial device
        #[arg(long, value_name = "FILE")]
        device: Option<PathBuf>,
        /// The relay that carries the power of a port of `sim attach` through its NC terminal;
        /// once for each
        #[arg(long, value_name = "RELAY=PORT", value_parser = wired)]
        power: Vec<(u8, PortPath)>,
    },
}

/// A relay and the port it is wired to, as `1=1-1`.
fn wired(text: &str) -> Result<(u8, PortPath), String> {
    let (relay, port) = text.split_once('=').ok_or("write it like 1=1-1")?;
    let relay = relay.parse().map_err(|_| format!("{relay:?} is not the number of a relay"))?;
    Ok((relay, port.parse().map_err(|error| format!("{error}"))?))
}

/// A plug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// Put it in
    On,
    /// Pull it
    Off,
}
