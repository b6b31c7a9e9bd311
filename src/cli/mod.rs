//! The command line: arguments as typed become a request as meant; one file a command.
//!
//! [`main`] is the program. `args` is the definition, `ports` opens the real or the virtual
//! bus, the rest are the commands. Nothing here decides what happens to a device.

mod all;
mod args;
mod attach;
mod backup;
mod bench;
mod candidates;
mod commands;
mod diagnose;
mod explain;
mod generated;
mod image;
mod interrupt;
mod ledger;
mod ledger_args;
mod list;
mod manual;
mod ports;
mod profile;
mod relays;
mod report;
mod rescue;
mod serials;
mod shared;
mod sim;
mod simulated;
mod supported;
mod typed;
mod udev_rules;
mod worker_factory;

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::FromArgMatches;
use etcetera::BaseStrategy;
use log::LevelFilter;

pub use args::Cli;
pub use typed::definition;

use crate::executor::{Request, Store};
use crate::failure::{Code, Failure};
use crate::files;
use crate::profile::{Library, known_chips as profile_chips};
use crate::rescue::TargetRequest;
use crate::rescue::choice::NamedImage;
use crate::{chip, ui};
use args::{Command, CommonArgs, ProfileCommand, ReadArgs, RescueArgs, SimCommand};
use typed::Refusal;

/// No image of any chip here is larger; a longer file was named by mistake.
const MAX_FILE_BYTES: u64 = 1 << 24;

/// The whole program.
pub fn main() -> ExitCode {
    // Where a shell asks for a completion, this answers and ends the program.
    clap_complete::CompleteEnv::with_factory(definition).complete();
    let words = typed::as_meant(std::env::args_os());
    let matches = match typed::parsed(definition(), &words) {
        Ok(matches) => matches,
        Err(Refusal::Usage(error)) => error.exit(),
        Err(Refusal::Asked(text)) => {
            ui::print(&text.render().ansi().to_string());
            return ended(0);
        }
        Err(Refusal::Told(failure)) => {
            ui::print_failure(&failure, false, false);
            return ExitCode::from(failure.exit_code());
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let is_bare = words.len() <= 1;
    start_log(cli.common.verbose);
    let json = cli.common.json;
    let is_run = is_run(&cli);
    let commands = commands::given(&cli.common, "recover");
    match run(cli, is_bare, &words).map_err(|failure| commands.located(failure)) {
        Ok(code) => ended(code),
        Err(failure) => {
            ui::print_failure(&failure, json, is_run);
            ended(failure.exit_code())
        }
    }
}

/// The exit code, or that of an output that was lost.
fn ended(code: u8) -> ExitCode {
    match ui::end_output() {
        Ok(()) => ExitCode::from(code),
        Err(failure) => {
            ui::print_failure(&failure, false, false);
            ExitCode::from(code.max(failure.exit_code()))
        }
    }
}

fn start_log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        2 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    env_logger::Builder::new()
        .filter_module("recover", level)
        .parse_default_env()
        .format_timestamp_millis()
        .init();
}

/// Whether the command works on a device, so that its JSON ends in an outcome.
fn is_run(cli: &Cli) -> bool {
    match &cli.command {
        // Of many runs each has its own outcome.
        None => cli.auto && !cli.all,
        Some(Command::Auto { all, .. }) => !all,
        Some(Command::Diagnose(_) | Command::Backup { .. }) => true,
        Some(Command::Plan { .. } | Command::Resume { .. }) => true,
        Some(Command::Restore { list, .. }) => !list,
        Some(Command::Profile(ProfileCommand::Learn { .. })) => true,
        Some(_) => false,
    }
}

fn run(cli: Cli, is_bare: bool, words: &[OsString]) -> Result<u8, Failure> {
    let Cli { auto, all, rescue, common, command } = cli;
    let attaches = matches!(&command, Some(Command::Sim(SimCommand::Attach { .. })));
    if !common.fault.is_empty() && common.sim.is_none() && !attaches {
        let what = "--fault works with virtual devices only";
        return Err(Failure::new(Code::R311, what, "--fault").next("add --sim"));
    }
    let stray = rescue != RescueArgs::default();
    match command {
        None if auto && all => all::all(&common, &rescue),
        None if auto => rescue::auto(&common, &rescue),
        None if !is_bare => {
            let swallowed = typed::swallowed(words);
            Err(swallowed.unwrap_or_else(|| typed::without_command(&common, &rescue)))
        }
        None => {
            ui::print_usage(&definition().render_help().ansi().to_string());
            Ok(2)
        }
        Some(_) if auto || stray => {
            let what = "--auto and its options cannot be combined with a command";
            Err(Failure::new(Code::R311, what, "command line").next("`recover --help`"))
        }
        Some(command) => match command {
            Command::Auto { all: true, rescue } => all::all(&common, &rescue),
            Command::Auto { all: false, rescue } => rescue::auto(&common, &rescue),
            Command::Explain { code } => explain::explain(&common, code.as_deref()),
            Command::List { all } => list::list(&common, all),
            Command::Diagnose(read) => diagnose::diagnose(&common, read),
            Command::Plan { rescue } => rescue::plan(&common, &rescue),
            Command::Resume { rescue } => rescue::resume(&common, &rescue),
            Command::Bench(args) => bench::bench(&common, &args),
            Command::Backup { output, read } => backup::backup(&common, output.as_deref(), read),
            Command::Restore { id: Some(id), list: false, rescue } => {
                backup::restore(&common, &id, &rescue)
            }
            Command::Restore { .. } => backup::list(&common),
            Command::Image(command) => image::run(&common, &command),
            Command::Profile(command) => profile::run(&common, &command),
            Command::Sim(command) => sim::run(&common, &command),
            Command::Supported => Ok(supported::print(common.json)),
            Command::Ledger(command) => ledger::run(&common, &command),
            Command::Report { id, html } => report::report(&common, &id, &html),
            Command::Completions { shell } => generated::completions(shell),
            Command::Man { output } => generated::man(output.as_deref()),
            Command::UdevRules => udev_rules::print(&common),
        },
    }
}

/// The store: `--home`, else the user's data folder; the simulator has one of its own inside, so
/// that practice never mixes with real backups.
fn store(common: &CommonArgs) -> Result<Store, Failure> {
    let home = home(common)?;
    Ok(Store::new(if common.sim.is_some() { home.join("simulator") } else { home }))
}

fn home(common: &CommonArgs) -> Result<PathBuf, Failure> {
    if let Some(home) = &common.home {
        return Ok(home.clone());
    }
    if let Some(home) = invokers_data_folder() {
        return Ok(home.join("recover"));
    }
    etcetera::choose_base_strategy().map(|base| base.data_dir().join("recover")).map_err(|error| {
        Failure::new(Code::R506, error.to_string(), "the user's data folder")
            .next("name a folder with --home")
    })
}

/// Where the person who ran `sudo` finds what recover keeps: that person's data folder, not root's.
/// `sudo -E` keeps the variable that may name another.
fn invokers_data_folder() -> Option<PathBuf> {
    let home = files::owner::invokers_home()?;
    let named = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    Some(named.filter(|named| named.is_absolute()).unwrap_or_else(|| home.join(".local/share")))
}

/// Writes a file that was not there before.
fn write_new(path: &Path, bytes: &[u8], otherwise: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let what = match error.kind() {
            ErrorKind::AlreadyExists => "this file already exists and is not overwritten".into(),
            _ => error.to_string(),
        };
        Failure::new(Code::R506, what, path.display().to_string()).next(otherwise)
    };
    files::create_output_new(path, bytes).map_err(failed)
}

/// The profiles: those that come with the program, and the user's own.
fn library(common: &CommonArgs) -> Result<Library, Failure> {
    let folder = Store::new(home(common)?).profiles();
    Ok(Library::embedded(&profile_chips()).with_user_folder(&folder))
}

/// Refuses an option that is about one device where none is named.
fn needs_port(common: &CommonArgs, option: &str, is_given: bool) -> Result<(), Failure> {
    if !is_given || common.port.is_some() {
        return Ok(());
    }
    let what = format!("{option} is about one device, and none is named");
    Err(Failure::new(Code::R311, what, "command line")
        .next("`recover list` shows the port of every device")
        .next(format!("add --port PATH to the command with {option}")))
}

/// What is asked of a run that only reads.
fn reading(common: &CommonArgs, read: ReadArgs) -> Result<Request, Failure> {
    needs_port(common, "--interrupt-firmware", read.interrupt_firmware)?;
    let request = request(common, &RescueArgs::default())?;
    Ok(Request { interrupt_firmware: read.interrupt_firmware, ..request })
}

/// What is asked of a run.
fn request(common: &CommonArgs, rescue: &RescueArgs) -> Result<Request, Failure> {
    needs_port(common, "--force", rescue.force)?;
    needs_port(common, "--replace-running-firmware", rescue.replace_running_firmware)?;
    let as_family = match &common.as_family {
        None => None,
        Some(name) => Some(chip::family(name).ok_or_else(|| {
            let known: Vec<_> = chip::families().iter().map(|family| family.family()).collect();
            let what = format!(
                "there is no chip family named {name:?}; the families are {}",
                known.join(", ")
            );
            Failure::new(Code::R311, what, "--as").next("`recover diagnose --help`")
        })?),
    };
    let image = rescue.image.as_deref().map(read_image).transpose()?;
    let profile = match (&rescue.profile, &image, &common.port) {
        // What is usually plugged in there.
        (None, None, Some(port)) => {
            let bench = relays::config(common)?;
            bench.and_then(|bench| bench.port(port)?.profile.clone())
        }
        (named, _, _) => named.clone(),
    };
    Ok(Request {
        port: common.port.clone(),
        target: TargetRequest {
            profile,
            image,
            ids: rescue.ids,
            revision: rescue.revision,
            serial: rescue.serial.clone(),
        },
        dry_run: rescue.dry_run,
        yes: rescue.yes,
        force: rescue.force,
        replace_running_firmware: rescue.replace_running_firmware,
        interrupt_firmware: false,
        no_trial: rescue.no_trial,
        as_family,
        resume: false,
        wait: common.wait(),
    })
}

/// An image file.
fn read_image(path: &Path) -> Result<NamedImage, Failure> {
    let name = path.display().to_string();
    let bytes = read_bounded(path).map_err(|why| {
        Failure::new(Code::R212, why, format!("image {name}"))
            .next("check the file's name and that you may read it")
    })?;
    Ok(NamedImage { name, bytes })
}

/// A file, at most as long as any that has a meaning here.
fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    files::read(path, MAX_FILE_BYTES).map_err(|error| error.to_string())
}

/// Refuses a profile that does not exist, before any device is touched.
fn known_profile(common: &CommonArgs, rescue: &RescueArgs) -> Result<(), Failure> {
    let Some(name) = &rescue.profile else { return Ok(()) };
    if library(common)?.find(name).is_some() {
        return Ok(());
    }
    let what = format!("there is no profile named {name:?}");
    Err(Failure::new(Code::R306, what, format!("--profile {name}"))
        .next("recover profile list    (lists each profile with its chip)"))
}

/// A text file, as bounded.
fn read_text(path: &Path) -> Result<String, String> {
    files::read_text(path, MAX_FILE_BYTES).map_err(|error| error.to_string())
}
