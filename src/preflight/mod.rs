//! Boots an image on the simulator's model of its chip before it goes near a real one.
//!
//! The virtual chip reads the image from a virtual EEPROM exactly as it would at power-on. Three
//! answers: it came up as somebody; it did not, for a reason the model knows; or it went where the
//! model's knowledge ends. What it came up as is promised only as far as the image holds it: not
//! what the model's own ROM shows, and not what a program makes of the rest of the EEPROM.

use crate::chip::{Identity, Image, Model};
use crate::rescue::preflight::{Preflight, Twin};
use crate::sim::{self, Faults, SimBus, Verdict};
use crate::usb::{ClassCode, PortPath};

/// The simulator's models as twins.
#[derive(Clone, Copy, Debug)]
pub struct VirtualTwin;

/// Chips whose ROM nobody has published, so that what its model shows is made up.
const UNPUBLISHED_ROM: &[&str] = &["sl11r"];
/// What lies behind the image in a virtual EEPROM, and another time.
const FILLS: [u8; 2] = [0xff, 0x35];
/// A text as long as this is not in an image by chance.
const TELLING_LENGTH: usize = 4;

/// What a virtual chip did with a memory's contents.
struct Boot {
    identity: Option<Identity>,
    diagnostics: Vec<sim::Diagnostic>,
}

impl Twin for VirtualTwin {
    fn boot(&self, model: Model, image: &Image) -> Preflight {
        let [blank_fill, other_fill] = FILLS;
        let (Some(blank), Some(booted)) =
            (boot(model, &[], blank_fill), boot(model, image.start(), blank_fill))
        else {
            return Preflight::Inconclusive { why: format!("there is no virtual {model}") };
        };
        match booted.identity {
            // A chip that rejects its memory shows what it shows without one.
            Some(identity) if blank.identity.as_ref() != Some(&identity) => {
                let identity = held(model, image.start(), identity);
                let again = || boot(model, image.start(), other_fill)?.identity;
                let identity = match identity.serial.is_some() {
                    true => without_differences(identity, again()),
                    false => identity,
                };
                Preflight::CameUp { identity }
            }
            seen => did_not_come_up(model, seen, &booted.diagnostics),
        }
    }
}

/// Why it did not. Where the model's knowledge ended first, what it found wrong after that may be
/// its own fault.
fn did_not_come_up(
    model: Model,
    seen: Option<Identity>,
    diagnostics: &[sim::Diagnostic],
) -> Preflight {
    let of = |verdict| diagnostics.iter().filter(move |known| known.verdict == verdict);
    let first = |verdict| of(verdict).min_by_key(|known| known.at);
    match (first(Verdict::Failed), first(Verdict::Unknown), seen) {
        (Some(failed), Some(unknown), _) if failed.at < unknown.at => {
            Preflight::Failed { why: failed.text.clone() }
        }
        (_, Some(unknown), _) => Preflight::Inconclusive { why: unknown.text.clone() },
        (Some(failed), None, _) => Preflight::Failed { why: failed.text.clone() },
        (None, None, Some(seen)) => Preflight::Failed {
            why: format!("the virtual {model} stays in boot mode, as {}", seen.ids),
        },
        (None, None, None) => {
            Preflight::Failed { why: format!("the virtual {model} does not appear on the bus") }
        }
    }
}

/// As much of the identity as comes from the image.
fn held(model: Model, image: &[u8], identity: Identity) -> Identity {
    let text = |text: Option<String>| text.filter(|text| holds_text(image, text));
    let is_published = !UNPUBLISHED_ROM.contains(&model.name);
    Identity {
        interface_class: identity
            .interface_class
            .filter(|class| is_published || holds_class(image, *class)),
        manufacturer: text(identity.manufacturer),
        product: text(identity.product),
        serial: text(identity.serial),
        ..identity
    }
}

/// Whether a text lies in the image: as a string descriptor, or, where it is long enough to tell,
/// as the letters that a program makes one of.
fn holds_text(image: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u8::try_from(wide.len() + 2).unwrap_or(u8::MAX);
    let is_told = text.chars().count() >= TELLING_LENGTH;
    holds(image, &[&[length, 3], wide.as_slice()].concat())
        || is_told && (holds(image, &wide) || holds(image, text.as_bytes()))
}

/// Whether an interface descriptor with that class lies in the image.
fn holds_class(image: &[u8], class: ClassCode) -> bool {
    let is_it = |window: &[u8]| {
        matches!(window, [9, 4, _, _, _, code, subclass, protocol]
            if ClassCode::new(*code, *subclass, *protocol) == class)
    };
    image.windows(8).any(is_it)
}

fn holds(image: &[u8], part: &[u8]) -> bool {
    image.windows(part.len().max(1)).any(|window| window == part)
}

/// What is the same whatever lies behind the image in the EEPROM.
fn without_differences(identity: Identity, other: Option<Identity>) -> Identity {
    let Some(other) = other else { return Identity { serial: None, ..identity } };
    let same =
        |one: Option<String>, other: &Option<String>| one.filter(|one| other.as_ref() == Some(one));
    Identity {
        manufacturer: same(identity.manufacturer, &other.manufacturer),
        product: same(identity.product, &other.product),
        serial: same(identity.serial, &other.serial),
        ..identity
    }
}

fn boot(model: Model, contents: &[u8], fill: u8) -> Option<Boot> {
    let bus = SimBus::new();
    let port = PortPath::new(1, vec![1]);
    bus.plug_in(port.clone(), sim::twin(model.name, contents, fill)?, Faults::none());
    let identity = bus.sighting(&port).as_ref().map(Identity::of);
    Some(Boot { identity, diagnostics: bus.diagnostics(&port) })
}
