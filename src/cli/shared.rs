//! What the workers of `--auto --all` and of `bench` share, as the command line asks for it.

use std::collections::BTreeMap;

use super::args::{CommonArgs, RescueArgs};
use super::{commands, library, relays, request, store};
use crate::bench::config::{BenchConfig, BenchPort};
use crate::bench::{Limits, PortSettings, Shared};
use crate::executor::Request;
use crate::failure::{Code, Failure};
use crate::preflight::VirtualTwin;
use crate::rescue::TargetRequest;
use crate::usb::PortPath;

/// What all workers share, as the command line asks for it.
pub fn shared(common: &CommonArgs, rescue: &RescueArgs) -> Result<Shared, Failure> {
    let library = library(common)?;
    for problem in library.problems() {
        log::warn!("{problem}");
    }
    let profiles: Vec<String> =
        rescue.profile.iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
    if let Some(unknown) = profiles.iter().find(|name| library.find(name).is_none()) {
        let what = format!("there is no profile named {unknown:?}");
        return Err(Failure::new(Code::R306, what, format!("--profile {unknown}"))
            .next("list them with `recover profile list`"));
    }
    let asked = request(common, rescue)?;
    let request =
        Request { target: TargetRequest { profile: None, ..asked.target.clone() }, ..asked };
    Ok(Shared {
        library,
        store: store(common)?,
        twin: Box::new(VirtualTwin),
        scope: common.scope(),
        // What is offered is for one unit, at its port: a bench has no such form.
        commands: commands::rescuing(common, "recover --auto", rescue),
        request,
        profiles,
        port_settings: port_settings(&relays::config(common)?.unwrap_or_default()),
        limits: Limits::default(),
    })
}

/// What the bench file knows of the ports.
fn port_settings(config: &BenchConfig) -> BTreeMap<PortPath, PortSettings> {
    let place = |port: &BenchPort| {
        let label = Some(port.label.clone());
        (port.path.clone(), PortSettings { label, profile: port.profile.clone() })
    };
    config.ports.iter().map(place).collect()
}

/// Refuses what is about one device.
pub fn fits_many(common: &CommonArgs, rescue: &RescueArgs) -> Result<(), Failure> {
    let refused = |option: &str| {
        let what = format!("{option} is for one device, but this command is for all devices");
        Err(Failure::new(Code::R311, what, "command line")
            .next(commands::rescuing(common, "recover --auto", rescue).again()))
    };
    if common.port.is_some() {
        return refused("--port");
    }
    if common.trace.is_some() {
        return refused("--trace");
    }
    if rescue.serial.is_some() {
        return refused("--serial");
    }
    if rescue.force {
        return refused("--force");
    }
    if rescue.replace_running_firmware {
        return refused("--replace-running-firmware");
    }
    Ok(())
}
