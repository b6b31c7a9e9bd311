//! `recover list`.

use serde::Serialize;

use super::args::CommonArgs;
use super::commands;
use super::ports::Ports;
use crate::chip::IdMeaning;
use crate::executor::candidate::recognise;
use crate::failure::Failure;
use crate::ui;
use crate::usb::Sighting;

/// One device of the JSON list.
#[derive(Serialize)]
struct Listed<'s> {
    #[serde(flatten)]
    seen: &'s Sighting,
    chip: Option<&'static str>,
    name: Option<&'static str>,
    detail: Option<&'static str>,
    #[serde(rename = "standing")]
    id_meaning: Option<IdMeaning>,
}

/// Shows what is on the bus.
pub fn list(common: &CommonArgs, all: bool) -> Result<u8, Failure> {
    let mut ports = Ports::open(common, &[])?;
    let (bus, _) = ports.parts();
    let seen = bus.scan().map_err(|error| Failure::from_bus(&error))?;
    let mut shown = 0;
    for device in &seen {
        let suspicion = recognise(device).map(|(_, suspicion)| suspicion);
        if suspicion.is_none() && !all && !common.json {
            continue;
        }
        shown += 1;
        if common.json {
            let listed = Listed {
                seen: device,
                chip: suspicion.as_ref().map(|s| s.model.name),
                name: suspicion.as_ref().map(|s| s.name),
                detail: suspicion.as_ref().map(|s| s.detail),
                id_meaning: suspicion.as_ref().map(|s| s.id_meaning),
            };
            ui::print(&serde_json::to_string(&listed).unwrap_or_default());
        } else {
            ui::print(&ui::list_line(device, suspicion.as_ref()));
        }
    }
    // What does not answer has nothing that the JSON form could tell.
    let silent = if common.json { Vec::new() } else { bus.silent_ports() };
    for port in silent {
        shown += 1;
        ui::print(&format!("{port}: something is attached here and does not answer (R119)"));
    }
    if shown == 0 && !common.json {
        let all = commands::given(common, "recover list").again_with("--all");
        ui::print(&match seen.len() {
            0 => "no USB device is connected".to_owned(),
            1 => format!("the only USB device is not a known chip; `{all}` shows it"),
            n => format!("none of the {n} USB devices is a known chip; `{all}` shows all of them"),
        });
    }
    ports.close()?;
    Ok(0)
}
