//! The command line's definition; help texts, completions and the man page come from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCandidates;

use super::candidates;
use super::ledger_args::LedgerCommand;
use crate::usb::{Ids, PortPath};

const EXAMPLES: &str = "\
Examples:
  recover --auto --sim                      practise: a complete rescue of a virtual enclosure
  recover list                              show the devices that recover knows
  recover --auto --dry-run                  identify, read and plan; write nothing
  recover --auto --image CDRW0008.BIN       rescue with the vendor's image
  recover --auto --all                      rescue all enclosures that need it
  recover --auto --profile generic-fx2lp --ids 1d50:608c
                                            give a board without firmware its USB ID
  recover --auto --wait                     wait for the enclosure, then rescue it

Exit codes:
  0  rescued, or already healthy
  1  not rescued; the memory is unchanged
  2  error in the command line
  3  the memory is partly written; `next:` says how to finish
  4  a choice or your consent is needed";

/// Repairs bricked USB enclosures through the boot mode of their bridge chip.
#[derive(Debug, Parser)]
#[command(name = "recover", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Find the enclosure that needs a rescue, identify it, back it up and repair it
    #[arg(long)]
    pub auto: bool,

    /// Rescue every enclosure that needs it, at the same time
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
    /// Use only the device at this port, as `recover list` shows it
    #[arg(long, global = true, value_name = "PATH", help_heading = "Device",
          add = ArgValueCandidates::new(candidates::ports))]
    pub port: Option<PortPath>,

    /// Treat the device at --port as this chip family although its USB ID is not listed; the
    /// chip is identified by reading first
    #[arg(
        long = "as",
        global = true,
        value_name = "FAMILY",
        requires = "port",
        help_heading = "Device",
        add = ArgValueCandidates::new(candidates::families)
    )]
    pub as_family: Option<String>,

    /// Wait this many seconds for the device to appear [600 without a number]
    #[arg(long, global = true, value_name = "SECONDS", num_args = 0..=1, require_equals = true,
          default_missing_value = "600", help_heading = "Device")]
    pub wait: Option<u64>,

    /// The bench file with the labels, profiles and relays of ports [default: bench.toml in the
    /// home folder]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Device")]
    pub bench_config: Option<PathBuf>,

    /// Use virtual enclosures instead of real ports; several as a,b:3; `recover sim list` shows
    /// them
    #[arg(long, global = true, value_name = "SCENARIO", num_args = 0..=1,
          default_missing_value = crate::sim::DEFAULT_SCENARIO, help_heading = "Simulator",
          add = ArgValueCandidates::new(candidates::scenarios))]
    pub sim: Option<String>,

    /// Disturb a transfer in the simulator: unplug@N, stall@N, timeout@N, short@N, flip@N, seed=S
    #[arg(long, global = true, value_name = "FAULT", help_heading = "Simulator")]
    pub fault: Vec<String>,

    /// How the virtual hub switches port power: switching, lying, deaf or ganged
    #[arg(long, global = true, value_name = "KIND", requires = "sim", help_heading = "Simulator")]
    pub sim_hub: Option<crate::sim::HubKind>,

    /// A virtual relay board at a serial device, wired as in --bench-config; KIND is lcus, aa-bb,
    /// letter, numato or mute
    #[arg(
        long,
        global = true,
        value_name = "KIND=FILE",
        requires = "sim",
        requires = "bench_config",
        help_heading = "Simulator"
    )]
    pub sim_relay: Option<String>,

    /// Keep the virtual memory in this file between runs
    #[arg(long, global = true, value_name = "FILE", requires = "sim", help_heading = "Simulator")]
    pub sim_state: Option<PathBuf>,

    /// Print events as JSON on stdout, one object per line
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,

    /// Show more: -v evidence, hashes and steps, -vv every transfer, -vvv every byte
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,

    /// Record every transfer of this run in a file as JSON lines
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    pub trace: Option<PathBuf>,

    /// Replace serial numbers in the trace with pseudonyms
    #[arg(long, global = true, requires = "trace", help_heading = "Output")]
    pub mask_serials: bool,

    /// The folder for backups, journals and your own profiles
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

    /// The enclosure model; `recover profile list` shows them
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(candidates::profiles))]
    pub profile: Option<String>,

    /// The USB ID to give it, as 1d50:608c, for a profile without one
    #[arg(long, value_name = "IDS", requires = "profile", conflicts_with = "image")]
    pub ids: Option<Ids>,

    /// The bcdDevice to give it, in hexadecimal, with --ids
    #[arg(long, value_name = "BCD", value_parser = hexadecimal, requires = "ids")]
    pub revision: Option<u16>,

    /// The serial number to give it, for an image that is made from values
    #[arg(long, value_name = "SERIAL")]
    pub serial: Option<String>,

    /// Stop after the plan; only the chip's RAM is used
    #[arg(long)]
    pub dry_run: bool,

    /// Give consent in advance to a plan that relies on unverified facts
    #[arg(long)]
    pub yes: bool,

    /// Write although a check failed (memory not proven broken, or pre-flight test failed), with
    /// --port; running firmware is not replaced
    #[arg(long)]
    pub force: bool,

    /// Replace the image of a device whose firmware runs, with --port; a backup is kept
    #[arg(long)]
    pub replace_running_firmware: bool,

    /// Do not start the image from RAM first
    #[arg(long)]
    pub no_trial: bool,
}

/// How much a command that only reads may disturb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct ReadArgs {
    /// Read the memory although firmware runs, with --port. On most chips the firmware stops: take
    /// the power away afterwards
    #[arg(long)]
    pub interrupt_firmware: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Rescue the enclosure that needs it; the same as --auto
    #[command(after_help = "Example:\n  recover auto --sim")]
    Auto {
        /// Rescue every enclosure that needs it, at the same time
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        rescue: RescueArgs,
    },
    /// Show the devices that recover knows, and their state
    #[command(after_help = "Example:\n  recover list\n  recover list --sim sl11r-healthy")]
    List {
        /// Show unknown devices too
        #[arg(long)]
        all: bool,
    },
    /// Identify the chip and read its memory; write nothing to the memory
    #[command(
        after_help = "Example:\n  recover diagnose --port 3-2.1\n  recover diagnose --port 3-2.1 --as cy16"
    )]
    Diagnose(ReadArgs),
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
    /// Watch all ports of a bench and rescue many enclosures at the same time
    #[command(
        after_help = "Examples:\n  recover bench --auto\n  recover bench --auto --profile sony-crx100e --ports A1,A2\n  \
        recover bench --auto --sim sl11r-zeroed:4,at2lp-rc42,sl11r-dead-eeprom"
    )]
    Bench(BenchArgs),
    /// Save the bytes of the memory
    #[command(after_help = "Example:\n  recover backup --output enclosure.bin")]
    Backup {
        /// Also write the bytes to this file
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        read: ReadArgs,
    },
    /// Write a backup back
    #[command(
        after_help = "Example:\n  recover restore --list\n  recover restore 2026-11-22T10-02-33-sl11r --yes"
    )]
    Restore {
        /// The backup's name, or a unique beginning of it
        #[arg(value_name = "ID", required_unless_present = "list")]
        id: Option<String>,
        /// List the backups
        #[arg(long)]
        list: bool,
        #[command(flatten)]
        rescue: RescueArgs,
    },
    /// Inspect, check or build image files
    #[command(subcommand)]
    Image(ImageCommand),
    /// List, show, make or check enclosure profiles
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Use the virtual enclosures of the simulator
    #[command(subcommand)]
    Sim(SimCommand),
    /// Print which chips and enclosures are supported, as Markdown tables
    #[command(after_help = "Example:\n  recover supported")]
    Supported,
    /// Show or export the ledger of handled units
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Make a printable report about one unit of the ledger
    #[command(after_help = "Example:\n  recover report 2026-11-22T10-02-33-sl11r --html unit.html")]
    Report {
        /// The unit's id, or a unique beginning of it
        id: String,
        /// The file to write; an existing file is not overwritten
        #[arg(long, value_name = "FILE")]
        html: PathBuf,
    },
    /// Print a completion script for your shell
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
        /// Write it and a page for each command into this folder instead
        #[arg(short, long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
    /// Explain an error code: what it means and what to do
    #[command(after_help = "Example:\n  recover explain R106")]
    Explain {
        /// The code, such as R106; without one, all codes are listed
        #[arg(value_name = "CODE", add = ArgValueCandidates::new(candidates::codes))]
        code: Option<String>,
    },
    /// Print a udev rules file that lets normal users open the devices
    #[command(
        after_help = "Example:\n  recover udev-rules | sudo tee /etc/udev/rules.d/70-recover.rules"
    )]
    UdevRules,
}

/// `recover image …`.
#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Show the type and the parts of a file
    #[command(after_help = "Example:\n  recover image inspect CDRW0008.BIN")]
    Inspect {
        /// The file
        file: PathBuf,
        /// The chip it is for [default: try every chip]
        #[arg(long, value_name = "CHIP", add = ArgValueCandidates::new(candidates::chips))]
        chip: Option<String>,
    },
    /// Check a file like a rescue does, including the pre-flight test on the virtual chip
    #[command(after_help = "Example:\n  recover image check CDRW0008.BIN --chip sl11r")]
    Check {
        /// The file
        file: PathBuf,
        /// The chip it is for
        #[arg(long, value_name = "CHIP", add = ArgValueCandidates::new(candidates::chips))]
        chip: String,
    },
    /// Make an image from a USB ID, settings and, for chips that run one, a program
    #[command(
        after_help = "Examples:\n  recover image build --chip fx2lp --ids 1209:0001 --output ids.iic\n  \
        recover image build --chip fx2lp --ids 1d50:608c --firmware fx2lafw.fw --output boot.iic"
    )]
    Build(BuildArgs),
}

/// How a bench is run.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Rescue every unit when it is connected; without --auto, a key starts each rescue
    #[arg(long)]
    pub auto: bool,
    /// Use only these ports: paths or labels, separated by commas
    #[arg(long, value_name = "LIST")]
    pub ports: Option<String>,
    /// Virtual seconds per real second; 0 is the maximum speed [default: 1 on a terminal, else 0]
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
    #[arg(long, value_name = "CHIP", add = ArgValueCandidates::new(candidates::chips))]
    pub chip: String,
    /// idVendor and idProduct, as 1209:0001
    #[arg(long, value_name = "IDS")]
    pub ids: Ids,
    /// bcdDevice in hexadecimal, as 0100
    #[arg(long, value_name = "BCD", value_parser = hexadecimal)]
    pub revision: Option<u16>,
    /// A program: Intel HEX, or a flat binary from address 0
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
    /// A setting as ADDRESS=VALUE in hexadecimal, like 07=01; repeatable
    #[arg(long = "set", value_name = "ADDRESS=VALUE", value_parser = setting)]
    pub settings: Vec<(u8, u8)>,
    /// The file to write; an existing file is not overwritten without --overwrite
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub overwrite: bool,
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
    /// Show one enclosure model
    #[command(after_help = "Example:\n  recover profile show sony-crx100e")]
    Show {
        /// Its name
        #[arg(add = ArgValueCandidates::new(candidates::profiles))]
        name: String,
    },
    /// Make a profile from a healthy enclosure of the same model, without writing to it
    #[command(
        after_help = "Example:\n  recover profile learn --port 3-2.1 --as at2lp --name my-enclosure"
    )]
    Learn {
        /// The profile's name [default: made from the device's USB strings]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        read: ReadArgs,
    },
    /// Check a folder of profiles
    #[command(after_help = "Example:\n  recover profile check ~/my-profiles")]
    Check {
        /// The folder [default: your own profiles]
        folder: Option<PathBuf>,
    },
}

/// `recover sim …`.
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// List the virtual enclosures
    #[command(after_help = "Example:\n  recover sim list")]
    List,
    /// Describe one virtual enclosure
    #[command(after_help = "Example:\n  recover sim show sl11r-zeroed")]
    Show {
        /// Its name
        #[arg(add = ArgValueCandidates::new(candidates::scenarios))]
        name: String,
        /// Write the content of its drive's medium to this file, at most the first 8 MiB
        #[arg(long, value_name = "FILE")]
        medium: Option<PathBuf>,
    },
    /// Plug virtual enclosures into this computer's Linux kernel until Ctrl-C (root, vhci-hcd)
    #[command(after_help = "Examples, as root:\n  modprobe vhci-hcd\n  \
        recover sim attach sl11r-zeroed at2lp-rc42\n  \
        recover sim attach ezusb-blank --count 3 --log transfers.log")]
    Attach {
        /// Their names
        #[arg(required = true, value_name = "SCENARIO",
              add = ArgValueCandidates::new(candidates::scenarios))]
        scenarios: Vec<String>,
        /// The number of each
        #[arg(long, value_name = "NUMBER", default_value_t = 1,
              value_parser = clap::value_parser!(u8).range(1..))]
        count: u8,
        /// Begin with this dump in the EEPROM, in place of the scenario's own contents
        #[arg(long, value_name = "FILE")]
        eeprom: Option<PathBuf>,
        /// Write one line per transfer to this file
        #[arg(long, value_name = "FILE")]
        log: Option<PathBuf>,
        /// Reply at once, not after the time a real device needs
        #[arg(long)]
        unpaced: bool,
    },
    /// Unplug or replug an enclosure that `sim attach` plugged in
    #[command(after_help = "Example, as root:\n  recover sim power 1-1 off")]
    Power {
        /// Its port, as `sim attach` printed it
        #[arg(value_name = "PORT")]
        at: PortPath,
        /// off unplugs it, on plugs it in
        switch: Switch,
    },
    /// Disturb the next transfers of an attached enclosure, counted from 1
    #[command(after_help = "Example, as root:\n  recover sim disturb 1-1 unplug@37")]
    Disturb {
        /// Its port, as `sim attach` printed it
        #[arg(value_name = "PORT")]
        at: PortPath,
        /// The faults, as for --fault
        #[arg(value_name = "FAULT")]
        faults: crate::sim::Faults,
    },
    /// Print one line when one of these root hub ports gains or loses power; `sim attach` starts
    /// this command
    #[command(hide = true)]
    WatchPower {
        /// The ports
        #[arg(value_name = "PORT")]
        at: Vec<PortPath>,
    },
    /// Print the state, the transfers and the memory wear of an attached enclosure as JSON
    #[command(after_help = "Example, as root:\n  recover sim status 1-1")]
    Status {
        /// Its port, as `sim attach` printed it
        #[arg(value_name = "PORT")]
        at: PortPath,
    },
    /// Emulate a relay board at a serial device of this computer; print every relay change
    #[command(after_help = "Examples:\n  recover sim relay --kind lcus --device /tmp/relays\n  \
        sudo recover sim relay --device /tmp/relays --power 1=1-1 --power 2=1-2")]
    Relay {
        /// The kind of board: lcus, aa-bb, letter, numato or mute
        #[arg(long, value_name = "KIND", default_value = "lcus")]
        kind: crate::sim::relay::Dialect,
        /// The link to create to the serial device
        #[arg(long, value_name = "FILE")]
        device: Option<PathBuf>,
        /// The relay that switches the power of a `sim attach` port through its NC terminal;
        /// repeatable
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
    /// Plug it in
    On,
    /// Unplug it
    Off,
}
