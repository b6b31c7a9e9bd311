//! What a device on the bus may be: by its descriptors, by what was asked, by the journals of
//! earlier rescues, by what profiles say of healthy enclosures.

use super::Request;
use crate::chip::{self, Chip, IdMeaning, Identity, Suspicion};
use crate::journal::{Ending, Journal};
use crate::profile::{Library, Scope};
use crate::usb::{ClassCode, Interface, PortPath, Sighting, Speed};

/// A device that may need a rescue.
#[derive(Clone)]
pub struct Candidate {
    /// What the bus shows.
    pub seen: Sighting,
    /// The family its descriptors speak of, or that it is to be asked as.
    pub chip: &'static dyn Chip,
    /// What they suggest.
    pub suspicion: Suspicion,
    /// An unfinished rescue at its port.
    pub unfinished: Option<Journal>,
    /// The rescue whose trial left this very device running the image from its RAM, so that what
    /// it shows tells nothing; power-off ends it.
    pub on_trial_of: Option<Journal>,
}

/// A family, and what suggests it.
pub type Recognised = (&'static dyn Chip, Suspicion);

/// What the descriptors of a device suggest, by the first family that recognises them.
pub fn recognise(seen: &Sighting) -> Option<Recognised> {
    chip::families().iter().find_map(|chip| Some((*chip, chip.recognise(seen)?)))
}

impl Candidate {
    /// What a device may be, if this program has to do with it at all. `journals` are what the
    /// store's past tells of it ([`super::Store::journals_about`]), oldest first.
    pub fn of(
        seen: &Sighting,
        request: &Request,
        journals: &[&Journal],
        library: &Library,
        scope: Scope,
    ) -> Option<Self> {
        let latest = |is_it: fn(&Journal, &Sighting) -> bool| {
            journals.iter().copied().rfind(|journal| is_it(journal, seen)).cloned()
        };
        let unfinished = latest(belongs_to);
        let on_trial_of = latest(was_left_on_trial);
        let (chip, suspicion) = recognise(seen)
            .or_else(|| by_request(request, seen))
            .or_else(|| by_journal(unfinished.as_ref().or(on_trial_of.as_ref())))
            .or_else(|| by_profile(seen, library, scope))
            .or_else(|| by_earlier_rescue(seen, journals))?;
        Some(Self { seen: seen.clone(), chip, suspicion, unfinished, on_trial_of })
    }

    /// Whether it needs a rescue.
    pub fn needs_rescue(&self) -> bool {
        self.suspicion.id_meaning != IdMeaning::Running || self.is_known_broken()
    }

    /// Whether an earlier run tells that it needs a rescue, healthy as it may look.
    pub fn is_known_broken(&self) -> bool {
        self.unfinished.is_some() || self.on_trial_of.is_some()
    }
}

/// Whether an unfinished rescue may be of this device: the same port, and either the id it had
/// then, the one it was to have, or the same chip in boot mode. What its memory holds has to bear
/// it out before anything is written ([`super::unfinished`]).
fn belongs_to(journal: &Journal, seen: &Sighting) -> bool {
    let begun = journal.begun();
    let same_chip = || {
        recognise(seen).is_some_and(|(_, suspicion)| {
            let family = chip::model(&begun.chip).map(|(chip, _)| chip.family());
            // Models of a family may share their ids; the journal has the one that was proven.
            suspicion.id_meaning != IdMeaning::Running && family == Some(suspicion.model.family)
        })
    };
    journal.is_unfinished()
        && begun.port == seen.port
        && (begun.ids == seen.ids
            || begun.expected.as_ref().is_some_and(|identity| identity.ids == seen.ids)
            || same_chip())
}

/// Whether that rescue left this very enumeration of a device running its image from RAM. After
/// the computer has restarted, another device may have that number: all that comes of it is a power
/// cycle before its identity is believed, for whose it is its memory tells.
fn was_left_on_trial(journal: &Journal, seen: &Sighting) -> bool {
    let begun = journal.begun();
    journal.left_on_trial() == Some(seen.device_number)
        && begun.port == seen.port
        && begun.expected.as_ref().is_some_and(|identity| identity.ids == seen.ids)
}

fn by_request(request: &Request, seen: &Sighting) -> Option<Recognised> {
    let chip = request.as_family?;
    // Only a device named by its port is asked, so that no stranger is.
    (request.port.as_ref() == Some(&seen.port)).then_some(())?;
    let model = *chip.models().first()?;
    let suspicion = Suspicion {
        model,
        name: "device with an unlisted USB ID",
        detail: "chip family given by --as",
        id_meaning: IdMeaning::Unlisted,
    };
    Some((chip, suspicion))
}

/// A device of an unfinished rescue, or of one that left it on trial.
fn by_journal(journal: Option<&Journal>) -> Option<Recognised> {
    let journal = journal?;
    let name = match journal.has_ended() {
        true => "enclosure of a failed rescue",
        false => "enclosure of an unfinished rescue",
    };
    running(
        &journal.begun().chip,
        name,
        "it runs the image from RAM; its memory is not completely written",
    )
}

/// A device that is what a profile promises: a healthy enclosure.
fn by_profile(seen: &Sighting, library: &Library, scope: Scope) -> Option<Recognised> {
    let now = Identity::of(seen);
    let profile = library.profiles().find(|profile| {
        profile.scope == scope
            && profile.promised().is_some_and(|promised| promised.differences(&now).is_empty())
    })?;
    let detail = "its identity is that of a healthy enclosure in a profile";
    running(&profile.chip.model, "enclosure of a known model", detail)
}

/// A device that an earlier rescue brought back, and that no profile knows.
fn by_earlier_rescue(seen: &Sighting, journals: &[&Journal]) -> Option<Recognised> {
    let journal =
        journals.iter().rfind(|j| j.result() == Some(Ending::Rescued) && expects(j, seen))?;
    let detail = "its identity is the one that rescue gave it";
    running(&journal.begun().chip, "enclosure of an earlier rescue", detail)
}

/// A chip that runs firmware.
fn running(chip: &str, name: &'static str, detail: &'static str) -> Option<Recognised> {
    let (chip, model) = chip::model(chip)?;
    Some((chip, Suspicion { model, name, detail, id_meaning: IdMeaning::Running }))
}

/// Whether that rescue was to make of a device what this one is.
pub(super) fn expects(journal: &Journal, seen: &Sighting) -> bool {
    let expected = journal.begun().expected.as_ref();
    expected.is_some_and(|expected| expected.differences(&Identity::of(seen)).is_empty())
}

/// Whether a device with this identity would be taken for a chip in boot mode.
pub fn is_boot_mode_identity(identity: &Identity) -> bool {
    let class = identity.interface_class.unwrap_or(ClassCode::new(0xff, 0, 0));
    let seen = Sighting {
        port: PortPath::new(0, Vec::new()),
        device_number: 0,
        ids: identity.ids,
        bcd_device: identity.bcd_device.unwrap_or_default(),
        class: ClassCode::new(0, 0, 0),
        manufacturer: identity.manufacturer.clone(),
        product: identity.product.clone(),
        serial: identity.serial.clone(),
        interfaces: vec![Interface { number: 0, alternate: 0, class, endpoints: Vec::new() }],
        speed: Speed::Unknown,
        driver: None,
    };
    recognise(&seen).is_some_and(|(_, suspicion)| suspicion.id_meaning == IdMeaning::BootId)
}
