//! Makes a profile from a healthy enclosure: its image, without the serial number that is its
//! owner's, and everything a rescue of its twin needs to know. Writes nothing to the device.
//!
//! What a rescue does with the profile is in `target`; how it is written down in
//! [`crate::profile::render`].

use std::fs;
use std::path::{Path, PathBuf};

use super::candidate::{Candidate, recognise};
use super::event::Event;
use super::examine::Judged;
use super::run::Run;
use super::{Request, enter, examine, find, prove, running};
use crate::chip::{Chip, Finding, Grade, IdMeaning, Identity, Image, Running, Size};
use crate::failure::{Code, Failure};
use crate::files;
use crate::profile::{
    self, BlankSighting, ChipClaim, Confidence, IdentityClaim, ImageClaim, ImageSource,
    MemoryClaim, Profile, Provenance, Sha256Digest,
};
use crate::rescue::Condition;
use crate::rescue::outcome::Verdict;

/// The image's file in the profile's folder.
const IMAGE: &str = "image.bin";
/// Longest name that is made up, characters.
const MAX_NAME: usize = 40;

/// Where a profile goes.
#[derive(Clone, Debug)]
pub struct Learning {
    /// The folder of the user's own profiles.
    pub folder: PathBuf,
    /// The profile's name; made from the device's strings without.
    pub name: Option<String>,
}

/// An image without its owner's serial number.
struct Separated {
    bytes: Vec<u8>,
    /// Whether a placeholder is in its place.
    own_serial: bool,
    /// What became of it, for the owner.
    serial: String,
}

pub(super) fn learn(
    run: &mut Run<'_>,
    request: &Request,
    learning: &Learning,
) -> Result<Verdict, Failure> {
    find_device_to_learn(run, request)?;
    let candidate = find::find(run, request)?;
    find::announce(run, &candidate);
    let _lock = run.lock(&candidate.seen)?;
    let proven = prove::prove(run, &candidate)?;
    run.outcome.identity.seen = Some(Identity::of(&candidate.seen));
    if let Some(change) = running::would_be_disturbed(request, &candidate, &proven) {
        return Err(running::not_disturbed(run, &candidate, change));
    }
    // What it is, before it leaves its firmware for the mode in which its memory is read.
    let (seen, finding) = (Identity::of(&candidate.seen), proven.finding.clone());
    let (candidate, mut proven) = enter::enter(run, candidate, proven)?;
    // No backup is kept: one of this port would later pass for the rescued enclosure's own.
    let judged = examine::judge(run, &candidate, &mut proven, u32::MAX)?;
    drop(proven);
    let image = image_to_learn(run, &candidate, &finding, &judged)?;
    let healthy = image.identity.clone().unwrap_or_else(|| seen.clone());
    if finding.running == Running::Firmware {
        let differences = healthy.differences(&seen);
        if !differences.is_empty() {
            let what = format!(
                "its memory holds a different image from the one that is running: {}",
                differences.join(", ")
            );
            return Err(no_device_to_learn(run, what));
        }
    } else {
        run.note("the chip is in boot mode now, so whether the image starts is inferred from its structure".to_owned());
    }
    let separated = separate(candidate.chip, &finding, &image, &healthy);
    let name = profile_name(run, learning, &healthy, finding.model.name)?;
    let profile = build_profile(run, &candidate, &finding, &judged, &healthy, &separated);
    let profile = Profile { name, ..profile };
    let folder = learning.folder.join(finding.model.family).join(&profile.name);
    write(&folder, &profile, &separated).map_err(|failure| failure.leaving(run.state))?;
    run.emit(&Event::Learnt {
        profile: profile.name,
        folder,
        bytes: separated.bytes.len(),
        serial: separated.serial,
    });
    Ok(Verdict::Planned)
}

/// Of several devices the owner says which is the healthy twin.
fn find_device_to_learn(run: &mut Run<'_>, request: &Request) -> Result<(), Failure> {
    if request.port.is_some() {
        return Ok(());
    }
    let seen = run.scan()?;
    let known: Vec<_> =
        seen.iter().filter_map(|seen| Some((seen, recognise(seen)?.1.name))).collect();
    let [_, _, ..] = known.as_slice() else { return Ok(()) };
    let what = format!("{} devices are suitable for making a profile", known.len());
    let ports: Vec<_> =
        known.iter().map(|(seen, name)| (&seen.port, format!("{} {name}", seen.ids))).collect();
    Err(run.tools.commands.one_of(what, "all ports", &ports))
}

fn no_device_to_learn(run: &Run<'_>, what: String) -> Failure {
    let port = run.outcome.port.as_ref().map_or(String::new(), |port| format!("port {port}"));
    Failure::new(Code::R117, what, port)
        .leaving(run.state)
        .next("connect a healthy enclosure of the same model, and name it with --port")
        .next("if its memory was written after its last start, power-cycle it first")
}

fn image_to_learn(
    run: &Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    judged: &Judged,
) -> Result<Image, Failure> {
    let contents = judged.survey.contents.as_deref().unwrap_or_default();
    match &judged.condition {
        Condition::Complete { .. } => candidate
            .chip
            .image_in_memory(finding.model, contents)
            .map_err(|error| Failure::from_image(&error, "memory").leaving(run.state)),
        other => Err(no_device_to_learn(run, format!("its memory is {other}"))),
    }
}

/// A name that no profile has.
fn profile_name(
    run: &Run<'_>,
    learning: &Learning,
    healthy: &Identity,
    model: &str,
) -> Result<String, Failure> {
    let library = run.tools.library;
    if let Some(name) = &learning.name {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let why = if name.is_empty() || name.starts_with('-') || !name.chars().all(fits) {
            "a profile name consists of small letters, digits and hyphens"
        } else if library.find(name).is_some() {
            "a profile with this name already exists and is not overwritten"
        } else {
            return Ok(name.clone());
        };
        return Err(Failure::new(Code::R311, why, format!("--name {name}"))
            .leaving(run.state)
            .next("choose another name"));
    }
    let wished = made_name(healthy, model);
    let numbered = (2..1000).map(|number| format!("{wished}-{number}"));
    let free = std::iter::once(wished.clone()).chain(numbered);
    free.into_iter().find(|name| library.find(name).is_none()).ok_or_else(|| {
        Failure::new(Code::R311, "a thousand profiles already have this name", wished)
            .leaving(run.state)
            .next("choose one with --name")
    })
}

fn build_profile(
    run: &Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    judged: &Judged,
    healthy: &Identity,
    separated: &Separated,
) -> Profile {
    let date = run.tools.bus.clock().date().strftime("%Y-%m-%d");
    let identity = Identity {
        manufacturer: presentable(healthy.manufacturer.as_ref()),
        product: presentable(healthy.product.as_ref()),
        serial: None,
        ..healthy.clone()
    };
    let title = identity.product.clone().unwrap_or_else(|| finding.model.title.to_owned());
    let captured =
        |basis: &str| Confidence { grade: Grade::Captured, basis: Some(basis.to_owned()) };
    let started = match finding.running {
        Running::Firmware => {
            captured("a healthy enclosure of this model was running the image when it was read")
        }
        Running::MaskRom => Confidence {
            grade: Grade::Inferred,
            basis: Some("the image is complete, but the chip was not seen starting it".to_owned()),
        },
    };
    let (size_bytes, size) = match judged.survey.size {
        Size::Proven(bytes) => (bytes, captured("the memory was read to its end")),
        Size::AtLeast(_) => {
            let basis = "its content does not show the size".to_owned();
            let inferred = Confidence { grade: Grade::Inferred, basis: Some(basis) };
            (judged.survey.part_bytes, inferred)
        }
    };
    Profile {
        name: String::new(),
        title,
        aliases: Vec::new(),
        scope: run.tools.scope,
        chip: ChipClaim {
            model: finding.model.name.to_owned(),
            confidence: captured("the chip was identified"),
        },
        sightings: blank_sightings(candidate.chip, finding),
        identity: Some(IdentityClaim { identity, confidence: started.clone() }),
        memory: MemoryClaim { part: "not known".to_owned(), size_bytes, confidence: size },
        image: ImageClaim {
            source: ImageSource::Shipped {
                file: IMAGE.to_owned(),
                sha256: Sha256Digest::of(&separated.bytes),
            },
            size_bytes: u32::try_from(separated.bytes.len()).ok(),
            own_serial: separated.own_serial,
            description: "Read from a healthy enclosure of this model. It may be its maker's firmware, and is for your own use.".to_owned(),
            confidence: started,
        },
        guidance: Vec::new(),
        provenance: Provenance {
            sources: vec![format!("`recover profile learn` on {date}, a healthy enclosure")],
            notes: None,
            contributed_by: "its owner".to_owned(),
        },
    }
}

/// What a chip of this kind shows when its memory is blank.
fn blank_sightings(chip: &dyn Chip, finding: &Finding) -> Vec<BlankSighting> {
    let boot = |own: bool| {
        let boots = |id_meaning| matches!(id_meaning, IdMeaning::BootId | IdMeaning::SharedBootId);
        let known = chip.known_ids().iter();
        known.filter(move |known| boots(known.id_meaning) && (!own || known.model == finding.model))
    };
    let sighting = |ids, grade| {
        let basis = Some("what this program knows of the chip".to_owned());
        BlankSighting { ids, confidence: Confidence { grade, basis } }
    };
    let own: Vec<_> = boot(true).map(|known| sighting(known.ids, known.grade)).collect();
    match own.as_slice() {
        [] => boot(false).map(|known| sighting(known.ids, Grade::Inferred)).collect(),
        _ => own,
    }
}

fn separate(chip: &dyn Chip, finding: &Finding, image: &Image, healthy: &Identity) -> Separated {
    let bytes = image.start().to_vec();
    let Some(serial) = healthy.serial.as_ref().filter(|serial| !serial.is_empty()) else {
        let serial = "the image names none; any other data in it is unchanged".to_owned();
        return Separated { bytes, own_serial: false, serial };
    };
    let placeholder = "0".repeat(serial.encode_utf16().count());
    match chip.with_serial(finding.model, &bytes, Some(&placeholder), [0; 8]) {
        Ok(built) if !holds(&built.bytes, serial) => Separated {
            bytes: built.bytes,
            own_serial: true,
            serial: format!(
                "{serial} was replaced by zeros; a rescue writes the number given with --serial there, or makes one"
            ),
        },
        Ok(_) => Separated {
            bytes,
            own_serial: false,
            serial: format!(
                "{serial} is in the image in more than one place and was kept; do not share this profile"
            ),
        },
        Err(error) => Separated {
            bytes,
            own_serial: false,
            serial: format!(
                "{serial} was kept in the image, because {error}; do not share this profile"
            ),
        },
    }
}

/// Whether `bytes` hold a text, as ASCII or as UTF-16.
fn holds(bytes: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [text.as_bytes(), &wide].iter().any(|form| bytes.windows(form.len()).any(|at| at == *form))
}

/// A text that a profile may hold.
fn presentable(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty() && !text.chars().any(char::is_control)).cloned()
}

/// `another-maker-external-disk`, or the chip's name where the device has no strings.
fn made_name(identity: &Identity, model: &str) -> String {
    let words: Vec<&str> =
        [&identity.manufacturer, &identity.product].into_iter().flatten().map(|s| &**s).collect();
    let letters: String = words
        .join(" ")
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect();
    let name = letters.split_whitespace().collect::<Vec<_>>().join("-");
    let name: String = name.chars().take(MAX_NAME).collect();
    match name.trim_matches('-') {
        "" => format!("learnt-{model}"),
        name => name.to_owned(),
    }
}

/// Writes the folder whole or not at all, and over nothing.
fn write(folder: &Path, profile: &Profile, separated: &Separated) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Code::R506, error.to_string(), folder.display().to_string())
            .next("make the folder writable, or name another with --home")
    };
    let parent = folder.parent().unwrap_or(folder);
    files::make_folder(parent).map_err(|error| failed(&error))?;
    if folder.exists() {
        return Err(failed(&"this folder already exists and is not overwritten"));
    }
    let draft = tempfile::Builder::new()
        .prefix(".learning-")
        .tempdir_in(parent)
        .map_err(|error| failed(&error))?;
    files::owner::give(draft.path());
    // The folder's name is part of what is checked.
    let inner = draft.path().join(&profile.name);
    let put = |name: &str, bytes: &[u8]| files::put_new(&inner, name, bytes);
    files::make_folder(&inner)
        .and_then(|()| put(profile::FILE, profile::render(profile).as_bytes()))
        .and_then(|()| put(IMAGE, &separated.bytes))
        .and_then(|()| put("PROVENANCE.md", provenance(profile, separated).as_bytes()))
        .map_err(|error| failed(&error))?;
    profile::check(&inner, &[&profile.chip.model]).map_err(|problems| {
        let problem = problems.first().map_or_else(String::new, ToString::to_string);
        failed(&format!("the new profile has an error: {problem}"))
    })?;
    fs::rename(&inner, folder)
        .and_then(|()| files::sync_folder(parent))
        .map_err(|error| failed(&error))
}

fn provenance(profile: &Profile, separated: &Separated) -> String {
    format!(
        "# {}\n\n`{IMAGE}` was read from a healthy enclosure ({}). It may be its maker's firmware, which is not yours to pass on.\n\nSerial number: {}.\n\nSource: {}.\n",
        profile.title,
        profile.promised().map_or_else(String::new, ToString::to_string),
        // The owner's number stays out of what was made without it.
        if separated.own_serial { "replaced by zeros" } else { &separated.serial },
        profile.provenance.sources.join("; "),
    )
}
