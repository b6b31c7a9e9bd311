//! Which profile and which image: decided where the evidence decides it, otherwise handed back to
//! the owner with the commands to choose from. Nothing is guessed.

mod own_backup;

pub use own_backup::{OwnBackup, OwnImage, choose_backup};

use crate::chip::{IdMeaning, Identity, Model};
use crate::failure::Code;
use crate::profile::{ImageSource, Profile, Scope};
use crate::usb::Ids;
use crate::wording::with_article;

/// An image file as the user named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedImage {
    /// File name, for messages.
    pub name: String,
    /// Its bytes, as they are in the file.
    pub bytes: Vec<u8>,
}

/// What the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetRequest {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--image`.
    pub image: Option<NamedImage>,
    /// `--ids`: the USB ID to give it, where the profile leaves that open.
    pub ids: Option<Ids>,
    /// `--revision`: its bcdDevice, with `ids`.
    pub revision: Option<u16>,
    /// `--serial`: the serial number on the label, for an image made from values.
    pub serial: Option<String>,
}

/// What the memory is to hold.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The enclosure model, where one was chosen.
    pub profile: Option<Profile>,
    /// The image.
    pub image: NamedImage,
    /// Why it might not be this enclosure's, where that was concluded and not said; a sentence
    /// without its full stop.
    pub doubt: Option<String>,
}

impl Choice {
    /// The identity the profile promises.
    pub fn promised(&self) -> Option<&Identity> {
        self.profile.as_ref().and_then(Profile::promised)
    }
}

/// A choice that only the owner can make, with the ways to make it. What to type for a way is
/// known to whoever prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// Its code.
    pub code: Code,
    /// What is not known, a sentence without its full stop.
    pub what: String,
    /// What was being chosen.
    pub place: String,
    /// The ways, the best first.
    pub ways: Vec<Way>,
}

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Name this profile, and with it what it leaves open.
    Profile {
        /// Its name.
        name: String,
        /// What has to be said besides.
        needs: Needs,
    },
    /// Name the image and no profile: the owner's own backup, or the vendor's.
    OwnImage,
    /// Name the profile without the ids, which it says itself.
    WithoutIds {
        /// Its name.
        name: String,
    },
    /// Name the image without the profile.
    WithoutProfile,
    /// Look at what this profile says of its image.
    ShowProfile {
        /// Its name.
        name: String,
    },
    /// Look for a profile that fits: the enclosure's own, or a generic one.
    ListProfiles,
}

/// What has to be said besides a profile's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The ids that the device is to have.
    Ids,
    /// The image.
    Image,
}

impl Undecided {
    fn new(code: Code, what: impl Into<String>, place: impl Into<String>) -> Self {
        Self { code, what: what.into(), place: place.into(), ways: Vec::new() }
    }

    fn way(mut self, way: Way) -> Self {
        self.ways.push(way);
        self
    }
}

/// What is known of the device that a profile is chosen for.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The proven chip.
    pub model: Model,
    /// What its id says of its health.
    pub id_meaning: IdMeaning,
    /// Its ids.
    pub ids: Ids,
}

/// The profile for a device, or `None` when an image alone was asked for.
///
/// `profiles` is every profile known.
///
/// # Errors
/// R302, R303, R306, R307, R308, R310.
pub fn choose_profile<'p>(
    requested: &TargetRequest,
    seen: &Seen,
    scope: Scope,
    profiles: impl Iterator<Item = &'p Profile>,
) -> Result<Option<&'p Profile>, Undecided> {
    let Seen { model, id_meaning, ids } = *seen;
    if let Some(name) = &requested.profile {
        return named(name, model, scope, profiles).map(Some);
    }
    if requested.image.is_some() {
        return Ok(None);
    }
    let fitting: Vec<&Profile> = profiles
        // A generic profile promises nothing that would be untrue of a simulated device.
        .filter(|profile| profile.scope == scope || profile.identity.is_none())
        .filter(|profile| profile.chip.model == model.name)
        // An unlisted id is in no profile either; its owner chooses from all of the chip.
        .filter(|profile| {
            id_meaning == IdMeaning::Unlisted || profile.sightings.iter().any(|s| s.ids == ids)
        })
        .collect();
    let choices = fitting.iter().map(|profile| way_to_choose(profile));
    let why = match id_meaning {
        IdMeaning::SharedBootId => Some("healthy boards without firmware also use this USB ID"),
        IdMeaning::Unlisted => Some("this USB ID is not listed"),
        IdMeaning::BootId | IdMeaning::Running => None,
    };
    if let Some(why) = why {
        let what =
            format!("{why}, so recover writes this {model} only after you choose its target");
        let mut undecided = Undecided::new(Code::R310, what, "choice of the profile");
        undecided.ways.extend(choices);
        return Err(undecided.way(Way::OwnImage));
    }
    match fitting.as_slice() {
        [only] => Ok(Some(only)),
        [] => {
            let what = format!(
                "there is no profile for {}, so you must name the image",
                with_article(model.title)
            );
            Err(Undecided::new(Code::R303, what, "choice of the profile").way(Way::OwnImage))
        }
        _ => {
            let what = format!("{} profiles fit {}", fitting.len(), with_article(model.title));
            let mut undecided = Undecided::new(Code::R302, what, "choice of the profile");
            undecided.ways.extend(choices);
            Err(undecided.way(Way::OwnImage))
        }
    }
}

/// The way that names a profile.
fn way_to_choose(profile: &Profile) -> Way {
    let needs = match (&profile.identity, &profile.image.source) {
        (None, ImageSource::Values { .. }) => Needs::Ids,
        (None, _) => Needs::Image,
        (Some(_), _) => Needs::Nothing,
    };
    Way::Profile { name: profile.name.clone(), needs }
}

/// Who an image that is made from values is to be: what the profile says, or what its owner says
/// where the profile leaves it open; `None` where nobody says.
///
/// # Errors
/// R311 where both do.
pub fn requested_identity(
    requested: &TargetRequest,
    profile: &Profile,
) -> Result<Option<Identity>, Undecided> {
    match (profile.promised(), requested.ids) {
        (promised, None) => Ok(promised.cloned()),
        (None, Some(ids)) => Ok(Some(Identity {
            ids,
            bcd_device: requested.revision,
            interface_class: None,
            manufacturer: None,
            product: None,
            serial: None,
        })),
        (Some(promised), Some(_)) => {
            let name = &profile.name;
            let what = format!("the profile {name} already sets the USB ID {}", promised.ids);
            Err(Undecided::new(Code::R311, what, "--ids")
                .way(Way::WithoutIds { name: name.clone() })
                .way(Way::ListProfiles))
        }
    }
}

fn named<'p>(
    name: &str,
    model: Model,
    scope: Scope,
    mut profiles: impl Iterator<Item = &'p Profile>,
) -> Result<&'p Profile, Undecided> {
    let place = format!("--profile {name}");
    let profile = profiles.find(|profile| profile.name == name).ok_or_else(|| {
        let what = format!("there is no profile named {name:?}");
        Undecided::new(Code::R306, what, &*place).way(Way::ListProfiles)
    })?;
    if profile.chip.model != model.name {
        let what = format!(
            "the profile is for the chip {:?}, but this is {}",
            profile.chip.model,
            with_article(model.title)
        );
        return Err(Undecided::new(Code::R307, what, place).way(Way::ListProfiles));
    }
    if profile.scope == Scope::Simulator && scope == Scope::Hardware {
        let what = "its firmware works in the simulator only";
        return Err(Undecided::new(Code::R308, what, place).way(Way::ListProfiles));
    }
    Ok(profile)
}

/// The bytes to write, once the profile is known. `shipped` are the bytes the profile ships.
///
/// # Errors
/// R303 when the image must be supplied and was not; R209 when it is not the one the profile
/// names.
pub fn choose_image(
    requested: &TargetRequest,
    profile: Option<&Profile>,
    shipped: Option<Vec<u8>>,
) -> Result<NamedImage, Undecided> {
    let name = profile.map_or_else(|| "?".to_owned(), |profile| profile.name.clone());
    if let Some(image) = &requested.image {
        let mismatch = profile.map(|profile| profile.image.verify_written(&image.bytes));
        if let Some(Err(mismatch)) = mismatch {
            let place = format!("image {}", image.name);
            return Err(Undecided::new(Code::R209, mismatch.to_string(), place)
                .way(Way::ShowProfile { name })
                .way(Way::WithoutProfile));
        }
        return Ok(image.clone());
    }
    match (profile, shipped) {
        (Some(_), Some(bytes)) => Ok(NamedImage { name, bytes }),
        (Some(profile), None) => {
            let from = match profile.image.source {
                ImageSource::Supply { .. } => "must come from you",
                ImageSource::Build { .. } => "must be built first",
                ImageSource::Values { .. } => "is made from the values you give",
                ImageSource::Shipped { .. } => "is missing",
            };
            let words: Vec<&str> = profile.image.description.split_whitespace().collect();
            let description = words.join(" ");
            let description = description.trim_end_matches('.');
            let what = format!("the image for {} {from}: {description}", profile.title);
            let undecided = Undecided::new(Code::R303, what, format!("profile {name}"));
            let undecided = match profile.image.source {
                ImageSource::Values { .. } => undecided.way(way_to_choose(profile)),
                _ => undecided,
            };
            Err(undecided.way(Way::Profile { name, needs: Needs::Image }))
        }
        (None, _) => Err(Undecided::new(Code::R303, "no image was named", "choice of the image")
            .way(Way::OwnImage)),
    }
}
