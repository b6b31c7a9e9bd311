//! Boots an image on the simulator's model of its chip before it goes near a real one.
//!
//! The virtual chip reads the image from a virtual EEPROM exactly as it would at power-on. Three
//! answers: it came up as somebody; it did not, for a reason the model knows; or it went where the
//! model's knowledge ends.

use crate::chip::{Identity, Image, Model};
use crate::rescue::preflight::{Preflight, Twin};
use crate::sim::{self, Faults, SimBus, Verdict};
use crate::usb::PortPath;

/// The simulator's models as twins.
#[derive(Clone, Copy, Debug)]
pub struct VirtualTwin;

/// What a virtual chip did with a memory's contents.
struct Boot {
    identity: Option<Identity>,
    diagnostics: Vec<sim::Diagnostic>,
}

impl Twin for VirtualTwin {
    fn boot(&self, model: Model, image: &Image) -> Preflight {
        let (Some(blank), Some(booted)) = (boot(model, &[]), boot(model, image.start())) else {
            return Preflight::Inconclusive { why: format!("there is no virtual {model}") };
        };
        match booted.identity {
            // A chip that rejects its memory shows what it shows without one.
            Some(identity) if blank.identity.as_ref() != Some(&identity) => {
                Preflight::CameUp { identity }
            }
            seen => {
                let said =
                    |verdict| booted.diagnostics.iter().find(move |known| known.verdict == verdict);
                match (said(Verdict::Failed), said(Verdict::Unknown), seen) {
                    (Some(failed), ..) => Preflight::Failed { why: failed.text.clone() },
                    (None, Some(unknown), _) => {
                        Preflight::Inconclusive { why: unknown.text.clone() }
                    }
                    (None, None, Some(seen)) => Preflight::Failed {
                        why: format!("the virtual {model} stays in boot mode, as {}", seen.ids),
                    },
                    (None, None, None) => Preflight::Failed {
                        why: format!("the virtual {model} does not appear on the bus"),
                    },
                }
            }
        }
    }
}

fn boot(model: Model, contents: &[u8]) -> Option<Boot> {
    let bus = SimBus::new();
    let port = PortPath::new(1, vec![1]);
    bus.plug_in(port.clone(), sim::twin(model.name, contents)?, Faults::none());
    let identity = bus.sighting(&port).as_ref().map(Identity::of);
    Some(Boot { identity, diagnostics: bus.diagnostics(&port) })
}
