//! The command line as people type it: what is meant where it is clear, and a plain word where an
//! option has taken the word behind it.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, CommandFactory};

use super::Cli;
use super::args::{CommonArgs, RescueArgs};
use super::commands;
use super::simulated::find_scenarios;
use crate::failure::{Code, Failure};

/// The words with `--wait 5` written as `--wait=5`.
pub fn as_meant(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut meant: Vec<OsString> = Vec::new();
    for word in words {
        let is_number =
            !word.is_empty() && word.to_string_lossy().bytes().all(|b| b.is_ascii_digit());
        match meant.last_mut() {
            Some(last) if is_number && last == "--wait" => {
                last.push("=");
                last.push(word);
            }
            _ => meant.push(word),
        }
    }
    meant
}

/// Why the words are no command, where `--sim` has taken a word that names no virtual enclosure.
pub fn swallowed(words: &[OsString]) -> Option<Failure> {
    let at = words.iter().position(|word| word == "--sim")?;
    let taken = words.get(at + 1)?.to_str().filter(|word| !word.starts_with('-'))?;
    find_scenarios(taken).is_err().then(|| taken_by_sim(taken))
}

/// What to say of the word that `--sim` has taken, where it names a command.
pub fn is_command_taken_by_sim(taken: &str) -> Option<Failure> {
    is_command(taken).then(|| taken_by_sim(taken))
}

fn is_command(word: &str) -> bool {
    names(&Cli::command()).iter().any(|name| name == word)
}

fn taken_by_sim(taken: &str) -> Failure {
    let what = format!("--sim took {taken:?} as the name of a virtual enclosure");
    let failure = Failure::new(Code::R311, what, "--sim");
    match (is_command(taken), taken) {
        (_, "list") => failure
            .next("`recover sim list` lists the virtual enclosures")
            .next("`recover list --sim` lists the devices on the simulator's ports"),
        (true, _) => failure.next(format!("write it last: `recover {taken} --sim`")),
        (false, _) => failure
            .next("write --sim last, or name a virtual enclosure behind it")
            .next("`recover sim list` lists the virtual enclosures"),
    }
}

/// What to say where options were given and no command.
pub fn without_command(common: &CommonArgs, rescue: &RescueArgs) -> Failure {
    let again = commands::rescuing(common, "recover --auto", rescue).again();
    let list = commands::given(common, "recover list").again();
    Failure::new(Code::R311, "the command line has options, but no command", "command line")
        .next(format!("`{again}` rescues the device"))
        .next(format!("`{list}` shows the devices"))
        .next("`recover --help` lists the commands")
}

/// Reads the words; `Err` holds clap's error where there is nothing better to say.
pub fn parsed(command: Command, words: &[OsString]) -> Result<ArgMatches, Refusal> {
    command.try_get_matches_from(words).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Refusal::Asked(error),
        _ => match swallowed(words) {
            Some(failure) => Refusal::Told(failure),
            None => Refusal::Usage(error),
        },
    })
}

/// Why there is nothing to run.
pub enum Refusal {
    /// The help or the version was asked for.
    Asked(clap::Error),
    /// The words are no command.
    Usage(clap::Error),
    /// The words are no command, and why is known better.
    Told(Failure),
}

/// The definition of the command line, in which each command's help shows the options it heeds.
pub fn definition() -> Command {
    let mut command = Cli::command();
    let shared: Vec<clap::Arg> =
        command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    for name in names(&command) {
        command = command.mut_subcommand(&name, |sub| heeding(sub, &name, &shared));
    }
    command
}

fn names(command: &Command) -> Vec<String> {
    command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect()
}

/// The command with the shared options that it does not heed accepted and not shown.
fn heeding(mut command: Command, path: &str, shared: &[clap::Arg]) -> Command {
    let below = names(&command);
    for name in &below {
        let path = format!("{path} {name}");
        command = command.mut_subcommand(name, |sub| heeding(sub, &path, shared));
    }
    let heeded = heeded(path);
    let is_hidden =
        |arg: &&clap::Arg| !heeded.is_some_and(|ids| ids.contains(&arg.get_id().as_str()));
    match heeded {
        None => command,
        Some(_) => command.args(shared.iter().filter(is_hidden).map(|arg| arg.clone().hide(true))),
    }
}

/// The shared options that a command heeds; `None` where it works on a device and heeds all.
fn heeded(path: &str) -> Option<&'static [&'static str]> {
    Some(match path {
        "auto" | "plan" | "resume" | "restore" | "diagnose" | "backup" | "profile learn" => {
            return None;
        }
        "list" => &["sim", "fault", "json", "verbose", "trace", "mask_serials"],
        "bench" => &[
            "bench_config",
            "sim",
            "fault",
            "sim_hub",
            "sim_relay",
            "sim_state",
            "json",
            "verbose",
            "home",
        ],
        "profile" | "profile list" | "profile show" | "profile check" => &["json", "home"],
        "ledger" | "ledger list" | "ledger show" | "report" => &["sim", "json", "home"],
        "ledger export" => &["sim", "home"],
        "sim attach" => &["fault", "json", "verbose"],
        "image" | "image inspect" | "image check" | "image build" => &["json"],
        "sim" | "sim list" | "sim show" | "sim relay" => &["json"],
        "supported" | "udev-rules" | "explain" => &["json"],
        _ => &[],
    })
}
