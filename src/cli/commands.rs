//! How the program was called, as the commands that it offers as next steps need it.

use std::path::PathBuf;

use super::args::{CommonArgs, ReadArgs, RescueArgs};
use crate::executor::Commands;
use crate::executor::commands::quoted;

/// What a command line says about the bus, the store and the device; `verb` is its command with
/// the argument.
pub(super) fn given(common: &CommonArgs, verb: &str) -> Commands {
    let option = |option: &str, value: Option<String>| {
        value.map(|value| format!(" {option} {}", quoted(&value))).unwrap_or_default()
    };
    let file = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let sim = option("--sim", common.sim.clone());
    let from_environment = std::env::var_os("RECOVER_HOME").map(PathBuf::from);
    let home = common.home.clone().filter(|home| Some(home) != from_environment.as_ref());
    let home = option("--home", file(&home));
    let place = [
        sim.clone(),
        option("--sim-state", file(&common.sim_state)),
        option("--sim-hub", common.sim_hub.map(|kind| kind.name().to_owned())),
        option("--sim-relay", common.sim_relay.clone()),
        option("--bench-config", file(&common.bench_config)),
        home.clone(),
    ]
    .concat();
    Commands {
        verb: verb.to_owned(),
        place,
        store: format!("{sim}{home}"),
        home,
        port: common.port.as_ref().map(ToString::to_string),
        family: common.as_family.as_deref().map(quoted),
        ..Commands::default()
    }
}

/// The same with what was chosen for a rescue.
pub(super) fn rescuing(common: &CommonArgs, verb: &str, rescue: &RescueArgs) -> Commands {
    let consent = |is_given: bool, option: &str| is_given.then(|| option.to_owned());
    let consents = [
        consent(rescue.yes, "--yes"),
        consent(rescue.force, "--force"),
        consent(rescue.replace_running_firmware, "--replace-running-firmware"),
        consent(rescue.no_trial, "--no-trial"),
    ];
    Commands {
        image: rescue.image.as_ref().map(|image| quoted(&image.display().to_string())),
        profile: rescue.profile.as_deref().map(quoted),
        ids: rescue.ids.map(|ids| ids.to_string()),
        revision: rescue.revision.map(|bcd| format!("{bcd:04x}")),
        serial: rescue.serial.as_deref().map(quoted),
        consents: consents.into_iter().flatten().collect(),
        others: consent(rescue.dry_run && verb != "recover plan", "--dry-run")
            .into_iter()
            .collect(),
        ..given(common, verb)
    }
}

/// The same for a command that only reads, with its own options.
pub(super) fn reading(
    common: &CommonArgs,
    verb: &str,
    read: ReadArgs,
    own: &[(&str, Option<String>)],
) -> Commands {
    let own = own.iter().filter_map(|(option, value)| {
        value.as_ref().map(|value| format!("{option} {}", quoted(value)))
    });
    let interrupts = read.interrupt_firmware.then(|| "--interrupt-firmware".to_owned());
    Commands { others: own.chain(interrupts).collect(), ..given(common, verb) }
}

/// The commands about an image file alone.
pub(super) fn of_file(name: &str) -> Commands {
    Commands { image: Some(quoted(name)), ..Commands::default() }
}
