//! `recover sim attach` and the hands that go with it: virtual enclosures on the ports of this
//! computer's kernel.

use std::path::Path;

use super::args::{CommonArgs, Switch};
use crate::failure::{Code, Failure};
use crate::sim::Faults;
use crate::ui;
use crate::usb::PortPath;

/// What is to be plugged in.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux can plug it in"))]
pub struct What<'a> {
    /// Names of scenarios.
    pub scenarios: &'a [String],
    /// How many of each.
    pub count: u8,
    /// What lies in each EEPROM, in place of the scenario's own.
    pub eeprom: Option<&'a Path>,
    /// Where the transfers are written down.
    pub log: Option<&'a Path>,
}

/// Pulls the plug at that port, or puts it back.
pub fn power(port: &PortPath, switch: Switch) -> Result<(), Failure> {
    print(port, &format!("power {}", if switch == Switch::On { "on" } else { "off" }))
}

/// The same for a relay: nothing is printed.
pub fn feed(port: &PortPath, on: bool) -> Result<(), Failure> {
    system::ask(port, if on { "power on" } else { "power off" }).map(drop)
}

/// Does something to the device at that port and prints how it is then.
fn print(port: &PortPath, command: &str) -> Result<(), Failure> {
    system::ask(port, command).map(|answer| ui::print(&answer))
}

/// Disturbs the transfers of the device at that port.
pub fn disturb(port: &PortPath, faults: &Faults) -> Result<(), Failure> {
    print(port, &format!("fault {faults}"))
}

/// Prints how the device at that port is.
pub fn status(port: &PortPath) -> Result<(), Failure> {
    print(port, "status")
}

/// Prints changes of these ports' power.
pub fn watch_power(ports: &[PortPath]) -> Result<(), Failure> {
    system::watch_power(ports)
}

/// Plugs devices in and plays them until the program is ended.
pub fn attach(common: &CommonArgs, what: &What, unpaced: bool) -> Result<(), Failure> {
    system::attach(common, what, unpaced)
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::path::Path;
    use std::process::Command;
    use std::sync::{Arc, Mutex};

    use super::super::ports::file_failure;
    use super::super::simulated::{faults, find_scenario};
    use super::{Code, CommonArgs, Failure, PortPath, What};
    use crate::files;
    use crate::sim::Scenario;
    use crate::sim::vhci::{self, KernelError, Manner, hands};
    use crate::ui;

    /// No EEPROM of a scenario is larger: 16 address bits.
    const MAX_DUMP_BYTES: u64 = 1 << 16;

    pub(super) fn attach(common: &CommonArgs, what: &What, unpaced: bool) -> Result<(), Failure> {
        let mut scenarios = Vec::new();
        for name in what.scenarios {
            let scenario = find_scenario(name)?;
            scenarios.extend(std::iter::repeat_n(scenario, usize::from(what.count)));
        }
        let faults = if common.fault.is_empty() { None } else { Some(faults(common)?) };
        let ports = vhci::free_ports(scenarios.len()).map_err(|error| failure(&error))?;
        let log = match what.log {
            None => None,
            Some(path) => {
                let file =
                    files::create_output(path).map_err(|error| file_failure(path, &error))?;
                Some(Arc::new(Mutex::new(file)))
            }
        };
        let places: Vec<_> = ports.iter().map(|port| port.path.clone()).collect();
        let devices: Vec<_> = ports.into_iter().zip(scenarios.iter().copied()).collect();
        let failed = |error: io::Error| Failure::new(Code::R701, error.to_string(), "sim attach");
        let mut watcher = Command::new(std::env::current_exe().map_err(failed)?);
        watcher.args(["sim", "watch-power"]).args(places.iter().map(PortPath::to_string));
        let eeprom = match what.eeprom {
            None => None,
            Some(path) => Some(dump(path, &scenarios)?),
        };
        let manner = Manner { faults, unpaced, log, eeprom };
        let attached = vhci::attach(devices, &manner, watcher).map_err(failed)?;
        for (place, scenario) in places.iter().zip(&scenarios) {
            ui::print(&line(common.json, place, scenario));
        }
        while let Some((port, ended)) = attached.wait() {
            if let Err(error) = ended {
                let failure = failure(&error);
                return Err(Failure { place: format!("port {port}"), ..failure });
            }
        }
        Ok(())
    }

    /// A dump that fits every EEPROM it is meant for.
    fn dump(path: &Path, scenarios: &[&Scenario]) -> Result<Vec<u8>, Failure> {
        let bytes =
            files::read(path, MAX_DUMP_BYTES).map_err(|error| file_failure(path, &error))?;
        for scenario in scenarios {
            let fits = scenario.eeprom_bytes();
            if fits.is_none_or(|most| bytes.len() > most) {
                let what = match fits {
                    None => format!("{} has no EEPROM", scenario.name),
                    Some(most) => format!(
                        "{} is {} bytes long, the EEPROM of {} takes {most}",
                        path.display(),
                        bytes.len(),
                        scenario.name
                    ),
                };
                return Err(Failure::new(Code::R311, what, "--eeprom")
                    .next("name a scenario with a larger EEPROM; `recover sim list` shows them"));
            }
        }
        Ok(bytes)
    }

    fn line(json: bool, port: &PortPath, scenario: &Scenario) -> String {
        if json {
            serde_json::json!({ "port": port, "scenario": scenario.name }).to_string()
        } else {
            format!("{port}  {}", scenario.name)
        }
    }

    fn failure(error: &KernelError) -> Failure {
        let failure = Failure::new(Code::R701, error.to_string(), "sim attach");
        match error {
            KernelError::NoController => failure.next("load it: `sudo modprobe vhci-hcd`"),
            KernelError::Denied => failure.next("run the same command with sudo"),
            KernelError::NoPort { .. } => {
                failure.next("stop another `recover sim attach`, or attach fewer devices")
            }
            KernelError::File { .. } => {
                failure.next("`sudo modprobe -r vhci-hcd && sudo modprobe vhci-hcd`")
            }
        }
    }

    pub(super) fn watch_power(ports: &[PortPath]) -> Result<(), Failure> {
        vhci::power::watch(ports, &mut io::stdout()).map_err(|error| Failure::from_bus(&error))
    }

    pub(super) fn ask(port: &PortPath, command: &str) -> Result<String, Failure> {
        let place = format!("port {port}");
        let failed = |why: String| {
            Failure::new(Code::R702, why, place.clone())
                .next("name a port as `recover sim attach` printed it, and run this as root")
        };
        let command = command.parse().map_err(failed)?;
        hands::ask(port, &command).map_err(|error| failed(error.to_string()))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_dump_fits_the_eeprom_it_is_meant_for_or_is_refused() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("dump.bin");
            std::fs::write(&path, [7; 257]).unwrap();
            let of = |name| dump(&path, &[find_scenario(name).unwrap()]);
            assert_eq!(of("ezusb-blank").unwrap(), [7; 257]);
            for (name, what) in [("at2lp-rc42", "takes 256"), ("ezusb-no-eeprom", "has no EEPROM")]
            {
                let failure = of(name).unwrap_err();
                assert_eq!(failure.code, Code::R311);
                assert!(failure.what.contains(what), "{failure}");
            }
            let missing = folder.path().join("missing");
            assert!(dump(&missing, &[find_scenario("ezusb-blank").unwrap()]).is_err());
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Code, CommonArgs, Failure, PortPath, What};

    fn failure() -> Failure {
        let what = "only Linux accepts virtual devices, through its module vhci-hcd";
        Failure::new(Code::R701, what, "sim attach").next("practise with `recover --auto --sim`")
    }

    pub(super) fn attach(_: &CommonArgs, _: &What, _: bool) -> Result<(), Failure> {
        Err(failure())
    }

    pub(super) fn watch_power(_: &[PortPath]) -> Result<(), Failure> {
        Err(failure())
    }

    pub(super) fn ask(_: &PortPath, _: &str) -> Result<String, Failure> {
        Err(failure())
    }
}
