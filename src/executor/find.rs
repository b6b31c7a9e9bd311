//! Finds the one device that is meant, or says what was seen instead.

use std::time::Duration;

use super::session::Session;
use super::{Request, Tools};
use crate::chip::{self, Chip, Identity, Standing, Suspicion};
use crate::clock::Deadline;
use crate::journal::Journal;
use crate::profile::{GuidanceTime, Library, Scope};
use crate::rescue::{Code, Failure};
use crate::usb::{ClassCode, Interface, PortPath, Sighting, Speed};

/// How often the bus is looked at while waiting for something to appear.
pub const POLL: Duration = Duration::from_millis(50);

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

/// What the descriptors of a device suggest, by the first family that recognises them.
pub fn recognise(seen: &Sighting) -> Option<(&'static dyn Chip, Suspicion)> {
    chip::families().iter().find_map(|chip| Some((*chip, chip.recognise(seen)?)))
}

impl Candidate {
    /// What a device may be, if this program has to do with it at all. `journals` are
    /// those of the store, oldest first.
    pub fn of(
        seen: &Sighting,
        request: &Request,
        journals: &[&Journal],
        library: &Library,
        scope: Scope,
    ) -> Option<Self> {
        let latest = |is_it: fn(&Journal, &Sighting) -> bool| {
            journals
                .iter()
                .rev()
                .find(|journal| is_it(journal, seen))
                .map(|journal| (*journal).clone())
        };
        let unfinished = latest(belongs_to);
        let on_trial_of = latest(was_left_on_trial);
        let (chip, suspicion) = recognise(seen)
            .or_else(|| as_asked(request, seen))
            .or_else(|| as_journalled(unfinished.as_ref().or(on_trial_of.as_ref())))
            .or_else(|| as_profiled(seen, library, scope))
            .or_else(|| as_rescued(seen, journals))?;
        Some(Self { seen: seen.clone(), chip, suspicion, unfinished, on_trial_of })
    }

    /// Whether a rescue is in question at all.
    pub fn is_in_question(&self) -> bool {
        self.suspicion.standing != Standing::Running || self.is_known_sick()
    }

    /// Whether an earlier run tells that it needs a rescue, healthy as it may look.
    pub fn is_known_sick(&self) -> bool {
        self.unfinished.is_some() || self.on_trial_of.is_some()
    }
}

impl Session<'_> {
    /// The device to rescue, or a healthy one where all are.
    ///
    /// # Errors
    /// R101, R301, and the bus's own.
    pub(super) fn find(&mut self, request: &Request) -> Result<Candidate, Failure> {
        let clock = self.tools.bus.clock();
        let deadline = Deadline::after(&*clock, request.wait.unwrap_or_default());
        if request.wait.is_some() {
            self.note("waiting for a device to appear".to_owned());
        }
        let mut guided = false;
        let mut seen = self.scan()?;
        let mut found = self.choose(request, &seen);
        loop {
            let nothing_yet = match &found {
                Ok(candidate) => request.wait.is_some() && !candidate.is_in_question(),
                Err(failure) => failure.code == Code::R101,
            };
            if !nothing_yet {
                return found;
            }
            // By itself a bench takes nothing into its boot mode that is there and healthy.
            let may_guide = match self.is_guided_by_bench(request) {
                true => found.is_err(),
                false => !deadline.passed(&*clock),
            };
            if !guided && may_guide {
                self.guide(request)?;
                guided = true;
            } else if deadline.passed(&*clock) {
                return found;
            } else {
                clock.sleep(POLL);
            }
            let now = self.scan()?;
            // The journals are not read again while nobody comes or goes.
            if now != seen {
                found = self.choose(request, &now);
                seen = now;
            }
        }
    }

    pub(super) fn scan(&mut self) -> Result<Vec<Sighting>, Failure> {
        self.tools.bus.scan().map_err(|error| Failure::from_bus(&error).leaving(self.state))
    }

    fn choose(&self, request: &Request, seen: &[Sighting]) -> Result<Candidate, Failure> {
        let here = |seen: &&Sighting| request.port.as_ref().is_none_or(|port| *port == seen.port);
        let journals = self.tools.store.journals()?;
        let journals: Vec<&Journal> = journals.iter().map(|file| file.journal()).collect();
        let Tools { library, scope, .. } = &self.tools;
        let candidates: Vec<Candidate> = seen
            .iter()
            .filter(here)
            .filter_map(|seen| Candidate::of(seen, request, &journals, library, *scope))
            .collect();
        let in_question: Vec<&Candidate> =
            candidates.iter().filter(|candidate| candidate.is_in_question()).collect();
        match (in_question.as_slice(), candidates.as_slice()) {
            ([only], _) => Ok((*only).clone()),
            // Only healthy devices: any of them stands for the answer.
            ([], [first, ..]) => Ok(first.clone()),
            ([], []) => Err(self.nothing_found(request, seen)),
            (several, _) => {
                let what = format!("{} devices may need a rescue", several.len());
                let mut failure = Failure::new(Code::R301, what, "all ports");
                failure.next.extend(
                    self.tools.commands.all().map(|all| format!("{all}    (every one of them)")),
                );
                for candidate in several {
                    failure.next.push(format!(
                        "{} --port {}    ({} {})",
                        self.tools.commands.again,
                        candidate.seen.port,
                        candidate.seen.ids,
                        candidate.suspicion.name
                    ));
                }
                Err(failure)
            }
        }
    }

    fn nothing_found(&self, request: &Request, seen: &[Sighting]) -> Failure {
        let place =
            request.port.as_ref().map_or("all ports".to_owned(), |port| format!("port {port}"));
        let what = match seen {
            [] => "no USB device is there".to_owned(),
            seen => {
                let shown: Vec<String> = seen
                    .iter()
                    .take(8)
                    .map(|seen| format!("{} at {}", seen.ids, seen.port))
                    .collect();
                format!(
                    "of {} devices here none is a chip in boot mode: {}",
                    seen.len(),
                    shown.join(", ")
                )
            }
        };
        let mut failure = Failure::new(Code::R101, what, place);
        let library = self.tools.library;
        if let Some(profile) = request.wish.profile.as_ref().and_then(|name| library.find(name)) {
            let by_hand = profile.by_hand(GuidanceTime::First);
            failure.next.extend(by_hand.map(|by| format!("{}; then: {}", by.step, by.expect)));
        }
        let again = &self.tools.commands.again;
        let failure = failure
            .next("plug the enclosure straight into the computer with its own power on, and look with `recover list`")
            .next(format!("{again} --wait    (notices it the moment it appears)"))
            .next("if it shows up under an id that is in no table: `recover diagnose --port PORT --as cy16` asks it, read-only");
        let by_hand: Vec<String> = library
            .profiles()
            .filter(|profile| profile.scope == self.tools.scope && !profile.guidance.is_empty())
            .map(|profile| format!("`recover profile show {}`", profile.name))
            .collect();
        match by_hand.as_slice() {
            [] => failure,
            shown => failure.next(format!(
                "if it shows nothing at all, there may be a way in by hand: {}",
                shown.join(", ")
            )),
        }
    }
}

/// Whether an unfinished rescue may be of this device: the same port, and either the id it had
/// then, the one it was to have, or the same chip in boot mode. What its memory holds has to bear
/// it out before anything is written ([`Session::bears_out`]).
fn belongs_to(journal: &Journal, seen: &Sighting) -> bool {
    let begun = journal.begun();
    let same_chip = || {
        recognise(seen).is_some_and(|(_, suspicion)| {
            let family = chip::model(&begun.chip).map(|(chip, _)| chip.family());
            // Models of a family may share their ids; the journal has the one that was proven.
            suspicion.standing != Standing::Running && family == Some(suspicion.model.family)
        })
    };
    !journal.has_ended()
        && begun.port == seen.port
        && (begun.ids == seen.ids
            || begun.expected.as_ref().is_some_and(|identity| identity.ids == seen.ids)
            || same_chip())
}

/// Whether that rescue failed and left this very enumeration of a device running its image from
/// RAM. After the computer has restarted, another device may have that number: all that comes of
/// it is that its power has to go before it is believed.
fn was_left_on_trial(journal: &Journal, seen: &Sighting) -> bool {
    let begun = journal.begun();
    journal.left_on_trial() == Some(seen.device_number)
        && begun.port == seen.port
        && begun.expected.as_ref().is_some_and(|identity| identity.ids == seen.ids)
}

fn as_asked(request: &Request, seen: &Sighting) -> Option<(&'static dyn Chip, Suspicion)> {
    let chip = request.as_family?;
    // Only a device named by its port is asked, so that no stranger is.
    (request.port.as_ref() == Some(&seen.port)).then_some(())?;
    let model = *chip.models().first()?;
    let suspicion = Suspicion {
        model,
        name: "device with an unlisted id",
        detail: "asked because --as was given",
        standing: Standing::Unlisted,
    };
    Some((chip, suspicion))
}

fn as_journalled(journal: Option<&Journal>) -> Option<(&'static dyn Chip, Suspicion)> {
    let journal = journal?;
    let (chip, model) = chip::model(&journal.begun().chip)?;
    let suspicion = Suspicion {
        model,
        name: match journal.has_ended() {
            true => "enclosure of a failed rescue",
            false => "enclosure of an unfinished rescue",
        },
        detail: "it runs the image from RAM; its EEPROM is not finished",
        standing: Standing::Running,
    };
    Some((chip, suspicion))
}

/// A device that is what a profile promises: a healthy enclosure.
fn as_profiled(
    seen: &Sighting,
    library: &Library,
    scope: Scope,
) -> Option<(&'static dyn Chip, Suspicion)> {
    let now = Identity::of(seen);
    let profile = library.profiles().find(|profile| {
        profile.scope == scope
            && profile.promised().is_some_and(|promised| promised.differences(&now).is_empty())
    })?;
    let (chip, model) = chip::model(&profile.chip.model)?;
    let suspicion = Suspicion {
        model,
        name: "enclosure of a known model",
        detail: "it is what a profile says of the model when healthy",
        standing: Standing::Running,
    };
    Some((chip, suspicion))
}

/// A device that is what an earlier rescue was to make of it: one that no profile knows.
fn as_rescued(seen: &Sighting, journals: &[&Journal]) -> Option<(&'static dyn Chip, Suspicion)> {
    let now = Identity::of(seen);
    let journal = journals.iter().rev().find(|journal| {
        let expected = journal.begun().expected.as_ref();
        expected.is_some_and(|expected| expected.differences(&now).is_empty())
    })?;
    let (chip, model) = chip::model(&journal.begun().chip)?;
    let suspicion = Suspicion {
        model,
        name: "enclosure of an earlier rescue",
        detail: "it is what that rescue was to make of it",
        standing: Standing::Running,
    };
    Some((chip, suspicion))
}

/// Whether a device with this identity would be taken for a chip in boot mode.
pub fn would_be_in_boot_mode(identity: &Identity) -> bool {
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
    recognise(&seen).is_some_and(|(_, suspicion)| suspicion.standing == Standing::BootId)
}
