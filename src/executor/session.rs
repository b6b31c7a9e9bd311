//! One run: a rescue, a diagnosis, a backup or a restore, from the first look to its outcome.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::event::{Event, PlannedStep};
use super::examine::Examined;
use super::find::{Candidate, would_be_in_boot_mode};
use super::meter::Meter;
use super::store::{BackupRecord, Store};
use super::{Consent, Request, Tools};
use crate::chip::{
    ChipError, Finding, Identity, Image, ImageError, MemoryError, Recipe, Running, Standing,
};
use crate::journal::{Begun, Entry, JournalFile, VERSION};
use crate::profile::{ImageSource, Profile, Scope};
use crate::rescue::choice::{Choice, NamedImage, choose_image, choose_profile};
use crate::rescue::outcome::{Outcome, Verdict, sha256};
use crate::rescue::plan::{Plan, Situation};
use crate::rescue::{Code, Condition, DeviceState, Failure, Preflight, Wish};
use crate::usb::lock::PortLock;
use crate::usb::{Link, Sighting, TransferError};

/// A run and what it has learnt so far.
pub struct Session<'t> {
    pub(super) tools: Tools<'t>,
    pub(super) outcome: Outcome,
    /// What the device's state would be if the run ended now.
    pub(super) state: DeviceState,
    transfers: Arc<AtomicU64>,
    began: Duration,
    journal: Option<JournalFile>,
}

/// An image with everything that was checked about it.
pub(super) struct Target {
    pub choice: Choice,
    pub image: Image,
    pub expected: Option<Identity>,
}

impl<'t> Session<'t> {
    /// A run with these tools.
    pub fn new(tools: Tools<'t>) -> Self {
        let began = tools.bus.clock().now();
        Self {
            tools,
            outcome: Outcome::begun(),
            state: DeviceState::Untouched,
            transfers: Arc::default(),
            began,
            journal: None,
        }
    }

    /// Rescues the one device that needs it: `recover --auto`, and with `request.dry_run` the
    /// plan for it.
    pub fn rescue(mut self, request: &Request) -> Outcome {
        let result = self.run_rescue(request);
        self.finish(result)
    }

    /// Proves the chip and reads its memory; writes nothing.
    pub fn diagnose(mut self, request: &Request) -> Outcome {
        let result = self.run_diagnosis(request).map(|_| Verdict::Planned);
        self.finish(result)
    }

    /// Saves the memory's bytes.
    pub fn backup(mut self, request: &Request) -> Outcome {
        let result = self.run_backup(request);
        self.finish(result)
    }

    /// Writes a backup back.
    pub fn restore(mut self, request: &Request, record: &BackupRecord, bytes: &[u8]) -> Outcome {
        let result = self.run_restore(request, record, bytes);
        self.finish(result)
    }

    fn run_rescue(&mut self, request: &Request) -> Result<Verdict, Failure> {
        let candidate = self.find(request)?;
        self.sighted(&candidate);
        if candidate.suspicion.standing == Standing::Running && candidate.unfinished.is_none() {
            self.note(format!(
                "{} runs its firmware as {}; there is nothing to rescue",
                candidate.suspicion.name,
                Identity::of(&candidate.seen)
            ));
            self.outcome.identity.seen = Some(Identity::of(&candidate.seen));
            return Ok(Verdict::Healthy);
        }
        let _lock = self.lock(&candidate.seen)?;
        let (finding, mut link) = self.prove(&candidate)?;
        if finding.running == Running::Firmware && candidate.unfinished.is_none() && !request.force
        {
            self.outcome.identity.seen = Some(Identity::of(&candidate.seen));
            self.note("firmware runs on this chip, so there is nothing to rescue".to_owned());
            return Ok(Verdict::Healthy);
        }
        let target = self.choose_target(request, &candidate, &finding)?;
        let want = target.want();
        let examined = self.examine(&candidate.seen, candidate.chip, &finding, &mut *link, want)?;
        let plan = self.plan(request, &candidate, &finding, &target, &examined, request.force)?;
        if request.dry_run {
            return Ok(Verdict::Planned);
        }
        self.ask_consent(request, &candidate, &target, &plan)?;
        self.begin_journal(&candidate, &target)?;
        self.perform(&candidate, finding, link, &target, &examined, &plan)
    }

    fn run_diagnosis(&mut self, request: &Request) -> Result<Examined, Failure> {
        let candidate = self.find(request)?;
        self.sighted(&candidate);
        let _lock = self.lock(&candidate.seen)?;
        let (finding, mut link) = self.prove(&candidate)?;
        self.outcome.identity.seen = Some(Identity::of(&candidate.seen));
        self.examine(&candidate.seen, candidate.chip, &finding, &mut *link, 0)
    }

    fn run_backup(&mut self, request: &Request) -> Result<Verdict, Failure> {
        let examined = self.run_diagnosis(request)?;
        match examined.condition {
            Condition::Unreadable { why } => Err(Failure::new(Code::R115, why, "backup")
                .leaving(self.state)
                .next("take its power away, plug it in again and run the same command")),
            _ => Ok(Verdict::Planned),
        }
    }

    fn run_restore(
        &mut self,
        request: &Request,
        record: &BackupRecord,
        bytes: &[u8],
    ) -> Result<Verdict, Failure> {
        let candidate = self.find(request)?;
        self.sighted(&candidate);
        let _lock = self.lock(&candidate.seen)?;
        let (finding, mut link) = self.prove(&candidate)?;
        if finding.model.name != record.chip {
            let what = format!("the backup is of a {}, this is a {}", record.chip, finding.model);
            return Err(Failure::new(Code::R204, what, format!("backup {}", record.id))
                .next("name the device it was made from with --port"));
        }
        let name = format!("backup {}", record.id);
        let choice = Choice { profile: None, image: NamedImage { name, bytes: bytes.to_vec() } };
        let target = self.restore_target(&candidate, &finding, choice);
        let want = target.want();
        let examined = self.examine(&candidate.seen, candidate.chip, &finding, &mut *link, want)?;
        let plan = self.plan(request, &candidate, &finding, &target, &examined, true)?;
        if request.dry_run {
            return Ok(Verdict::Planned);
        }
        self.ask_consent(request, &candidate, &target, &plan)?;
        self.begin_journal(&candidate, &target)?;
        self.perform(&candidate, finding, link, &target, &examined, &plan)
    }

    /// A backup as something to write: an image where it is one, the bare bytes where it is not,
    /// for its owner may want a blank memory back.
    fn restore_target(&self, candidate: &Candidate, finding: &Finding, choice: Choice) -> Target {
        let bytes = &choice.image.bytes;
        match candidate.chip.image_in_memory(finding.model, bytes) {
            Ok(image) => {
                let expected = image.identity.clone();
                let image = Image { bytes: bytes.clone(), ..image };
                Target { choice, image, expected }
            }
            Err(_) => {
                let image = Image {
                    bytes: bytes.clone(),
                    signature_bytes: 0,
                    identity: None,
                    contents: Vec::new(),
                };
                Target { choice, image, expected: None }
            }
        }
    }

    fn sighted(&mut self, candidate: &Candidate) {
        self.outcome.port = Some(candidate.seen.port.clone());
        self.emit(&Event::Sighted {
            port: candidate.seen.port.clone(),
            ids: candidate.seen.ids,
            name: candidate.suspicion.name.to_owned(),
            detail: candidate.suspicion.detail.to_owned(),
            standing: candidate.suspicion.standing,
        });
        if let Some(journal) = &candidate.unfinished {
            let at = journal.in_flight().map_or_else(String::new, |step| format!(" at: {step}"));
            self.note(format!(
                "the rescue {} of this port was not finished{at}; this run takes it up",
                journal.begun().id
            ));
        }
    }

    fn lock(&self, seen: &Sighting) -> Result<PortLock, Failure> {
        let folder = self.tools.store.folder("locks")?;
        PortLock::take(&folder, &seen.port, self.tools.bus.clock().date()).map_err(|error| {
            Failure::new(Code::R404, error.to_string(), format!("port {}", seen.port))
                .next("wait until it is done, or name another device with --port")
        })
    }

    /// Opens the device; every transfer from now on is counted.
    pub(super) fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, Failure> {
        let link = self
            .tools
            .bus
            .open(seen)
            .map_err(|error| Failure::from_bus(&error).leaving(self.state))?;
        Ok(Box::new(Meter::new(link, Arc::clone(&self.transfers))))
    }

    fn prove(&mut self, candidate: &Candidate) -> Result<(Finding, Box<dyn Link>), Failure> {
        let mut link = self.open(&candidate.seen)?;
        let finding = match candidate.chip.probe(&mut *link, &candidate.seen) {
            // One lost transfer is no reason to give up; a probe changes nothing.
            Err(ChipError::Transfer { source, .. }) if source != TransferError::Gone => {
                candidate.chip.probe(&mut *link, &candidate.seen)
            }
            result => result,
        }
        .map_err(|error| self.chip_failure(error, "proof of the chip"))?;
        self.emit(&Event::Proven {
            chip: finding.model,
            running: finding.running,
            evidence: finding.evidence.clone(),
        });
        Ok((finding, link))
    }

    /// The profile and image, checked and booted on the virtual twin.
    fn choose_target(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        finding: &Finding,
    ) -> Result<Target, Failure> {
        let command = self.tools.command.clone();
        let wish = self.wish(request, candidate)?;
        let library = self.tools.library;
        let standing = candidate.suspicion.standing;
        let profile = choose_profile(
            &wish,
            finding.model,
            standing,
            self.tools.scope,
            library.profiles(),
            &command,
        )?;
        let shipped = match profile {
            Some(profile)
                if wish.image.is_none()
                    && matches!(profile.image.source, ImageSource::Shipped { .. }) =>
            {
                let bytes = library.image_bytes(profile).map_err(|problem| {
                    let place = format!("profile {}", profile.name);
                    Failure::new(Code::R309, problem.to_string(), place).next(problem.kind.remedy())
                })?;
                Some(bytes)
            }
            Some(profile) if wish.image.is_none() => {
                self.made_from_values(candidate, finding, profile, &wish)?
            }
            _ => None,
        };
        let named = choose_image(&wish, profile, shipped, &command)?;
        let mut profile = profile.cloned();
        if let (Some(profile), Some(serial)) = (&mut profile, &wish.serial) {
            profile.identity.identity.serial = Some(serial.clone());
        }
        let choice = Choice { profile, image: named };
        self.check_target(request, candidate, finding, choice)
    }

    /// The image of a profile that gives values instead of bytes; `None` where it does not.
    fn made_from_values(
        &mut self,
        candidate: &Candidate,
        finding: &Finding,
        profile: &Profile,
        wish: &Wish,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let ImageSource::Values { settings } = &profile.image.source else { return Ok(None) };
        let mut identity = profile.identity.identity.clone();
        identity.serial = wish.serial.clone().or(identity.serial);
        let recipe = Recipe { identity, unique: unique(), settings: settings.clone() };
        let built = candidate
            .chip
            .build_image(finding.model, &recipe)
            .map_err(|error| Failure::from_image(&error, &profile.name))?;
        for note in built.notes {
            self.note(note);
        }
        Ok(Some(built.bytes))
    }

    /// What the user asked for; where that is nothing, what an unfinished rescue was about.
    fn wish(&self, request: &Request, candidate: &Candidate) -> Result<Wish, Failure> {
        let asked = &request.wish;
        match &candidate.unfinished {
            Some(journal) if asked.profile.is_none() && asked.image.is_none() => {
                let begun = journal.begun();
                let bytes = self.tools.store.kept_image(&begun.image_sha256)?;
                let image = NamedImage { name: begun.image.clone(), bytes };
                Ok(Wish { profile: begun.profile.clone(), image: Some(image), serial: None })
            }
            _ => Ok(asked.clone()),
        }
    }

    fn check_target(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        finding: &Finding,
        choice: Choice,
    ) -> Result<Target, Failure> {
        let name = choice.image.name.clone();
        let chip = candidate.chip;
        let image = match chip.read_image(finding.model, &choice.image.bytes) {
            Err(ImageError::OtherModel { other, why, .. }) if request.force => {
                self.note(format!("the image is for an {other} and --force was given: {why}"));
                chip.read_image(other, &choice.image.bytes)
            }
            result => result,
        }
        .map_err(|error| Failure::from_image(&error, &name))?;
        self.emit(&Event::Chosen {
            profile: choice.profile.as_ref().map(|profile| profile.name.clone()),
            image: name.clone(),
            bytes: image.bytes.len(),
            sha256: sha256(&choice.image.bytes),
        });
        let preflight = self.tools.twin.boot(finding.model, &image);
        self.emit(&Event::Preflight { preflight: preflight.clone() });
        let derived = match preflight {
            Preflight::CameUp { identity } => Some(identity),
            Preflight::Failed { why } if !request.force => {
                return Err(Failure::new(Code::R211, why, format!("image {name}"))
                    .next("check that the image is for this very chip: `recover image inspect`")
                    .next("to write it all the same, add --force"));
            }
            Preflight::Failed { why } => {
                self.note(format!("the image failed its pre-flight and --force was given: {why}"));
                image.identity.clone()
            }
            Preflight::Inconclusive { why } => {
                self.note(format!("the pre-flight could not tell whether this image comes up: {why}. The image then rests on its structure, its hash and your choice of file"));
                image.identity.clone()
            }
        };
        let expected = self.expected(request, &choice, derived)?;
        self.outcome.identity.expected = expected.clone();
        Ok(Target { choice, image, expected })
    }

    /// Who is to come up: what the image shows, held against what the profile promises.
    fn expected(
        &self,
        request: &Request,
        choice: &Choice,
        derived: Option<Identity>,
    ) -> Result<Option<Identity>, Failure> {
        let place = format!("image {}", choice.image.name);
        let promised = choice.promised();
        if let (Some(promised), Some(derived)) = (promised, &derived) {
            let differences = promised.differences(derived);
            if !differences.is_empty() && !request.force {
                let what = format!("it would come up with {}", differences.join(", "));
                return Err(Failure::new(Code::R214, what, place)
                    .next("choose the profile that fits the image, or leave --profile out")
                    .next("to write it all the same, add --force"));
            }
        }
        let expected = derived.or_else(|| promised.cloned());
        if let Some(identity) = &expected
            && would_be_in_boot_mode(identity)
            && !request.force
        {
            let what =
                format!("it would come up as {}, which is a chip in boot mode", identity.ids);
            return Err(Failure::new(Code::R210, what, place)
                .next("take the enclosure's own image; this one would leave it as it is"));
        }
        Ok(expected)
    }

    fn plan(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        finding: &Finding,
        target: &Target,
        examined: &Examined,
        overwrite: bool,
    ) -> Result<Plan, Failure> {
        let chip = candidate.chip;
        let now = examined.survey.contents.as_deref().unwrap_or_default();
        let situation = Situation {
            finding,
            survey: &examined.survey,
            // A device of an unfinished rescue runs from RAM what its memory does not hold yet.
            condition: &examined.condition,
            image: &target.image,
            boots_now: chip.boots_from(finding.model, now),
            expected: target.expected.as_ref(),
            restart: chip.restart_way(finding.model),
            timing: chip.timing(finding.model),
            trial: target.expected.is_some()
                && !request.no_trial
                && finding.running == Running::MaskRom,
            overwrite: overwrite || candidate.unfinished.is_some(),
        };
        let plan = Plan::make(&situation).map_err(|failure| failure.leaving(self.state))?;
        self.outcome.limit = plan.limit;
        self.outcome.limit_ms = plan.limit.total_ms();
        let steps = plan
            .steps
            .iter()
            .map(|step| PlannedStep { title: step.to_string(), risk: step.risk() })
            .collect();
        self.emit(&Event::Planned { steps, limit: plan.limit });
        Ok(plan)
    }

    /// Asks before writing what rests on inferred facts.
    fn ask_consent(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        target: &Target,
        plan: &Plan,
    ) -> Result<(), Failure> {
        if self.tools.scope == Scope::Simulator || !plan.is_persistent() || request.yes {
            return Ok(());
        }
        let mut reasons: Vec<String> = candidate
            .chip
            .caveats(candidate.suspicion.model)
            .iter()
            .map(|caveat| (*caveat).to_owned())
            .collect();
        reasons.extend(target.choice.profile.iter().flat_map(Profile::inferred));
        if target.choice.profile.is_none() {
            reasons.push(format!("the image {} is your own choice", target.choice.image.name));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        match self.tools.operator.consent(&reasons) {
            Consent::Given => Ok(()),
            answer => {
                let what = match answer {
                    Consent::Refused => "you did not agree to writing the EEPROM".to_owned(),
                    _ => format!(
                        "writing rests on facts that are not proven: {}",
                        reasons.join("; ")
                    ),
                };
                Err(Failure::new(Code::R304, what, "before the first write")
                    .leaving(self.state)
                    .next(format!("{} --yes    (after reading the plan)", self.tools.command))
                    .next(format!("{} --dry-run    (shows the plan)", self.tools.command)))
            }
        }
    }

    fn begin_journal(&mut self, candidate: &Candidate, target: &Target) -> Result<(), Failure> {
        let store = self.tools.store;
        let state = self.state;
        let image_sha256 =
            store.keep_image(&target.choice.image.bytes).map_err(|f| f.leaving(state))?;
        let folder = store.folder("journals").map_err(|f| f.leaving(state))?;
        let date = self.tools.bus.clock().date();
        let model = candidate.suspicion.model.name;
        let backup = match &candidate.unfinished {
            // The bytes from before the first run, not the half-written ones of now.
            Some(journal) if journal.begun().backup.is_some() => journal.begun().backup.clone(),
            _ => self.outcome.backup.clone(),
        };
        let mut begun = Begun {
            version: VERSION,
            id: Store::name(date, model),
            date,
            port: candidate.seen.port.clone(),
            ids: candidate.seen.ids,
            chip: model.to_owned(),
            profile: target.choice.profile.as_ref().map(|profile| profile.name.clone()),
            image: target.choice.image.name.clone(),
            image_sha256,
            expected: target.expected.clone(),
            backup,
        };
        let wished = begun.id.clone();
        let mut attempt = JournalFile::begin(&folder, begun.clone());
        for number in 2..1000 {
            if attempt.is_ok() {
                break;
            }
            begun.id = format!("{wished}-{number}");
            attempt = JournalFile::begin(&folder, begun.clone());
        }
        let journal = attempt.map_err(|error| self.journal_failure(&error.to_string()))?;
        self.journal = Some(journal);
        Ok(())
    }

    fn journal_failure(&self, error: &str) -> Failure {
        Failure::new(Code::R502, error, "journal")
            .leaving(self.state)
            .next("make the folder writable, or name another with --home")
    }

    pub(super) fn record(&mut self, entry: Entry) -> Result<(), Failure> {
        let result = match &mut self.journal {
            Some(journal) => journal.append(entry),
            None => Ok(()),
        };
        result.map_err(|error| self.journal_failure(&error.to_string()))
    }

    /// Ends the run: closes journals, settles the state, tells the outcome.
    fn finish(mut self, result: Result<Verdict, Failure>) -> Outcome {
        match result {
            Ok(verdict) => {
                self.outcome.result = verdict;
                self.outcome.device_state = self.state;
                if matches!(verdict, Verdict::Rescued | Verdict::Restored) {
                    self.close_journals(verdict);
                }
            }
            Err(failure) => {
                let unwritten =
                    !matches!(failure.device, DeviceState::PartWritten | DeviceState::Written);
                if unwritten {
                    // Nothing lasting was changed, so there is nothing to take up later.
                    self.end_own_journal("failed");
                }
                self.outcome.result = Verdict::Failed;
                self.outcome.device_state = failure.device;
                self.emit(&Event::Failed { failure: failure.clone() });
                self.outcome.failure = Some(failure);
            }
        }
        let elapsed = self.tools.bus.clock().now().saturating_sub(self.began);
        self.outcome.device_time_ms = elapsed.as_secs_f64() * 1000.0;
        self.outcome.transfers = self.transfers.load(Ordering::Relaxed);
        let outcome = self.outcome.clone();
        self.emit(&Event::Outcome { outcome: Box::new(outcome.clone()) });
        outcome
    }

    fn end_own_journal(&mut self, result: &str) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.append(Entry::Ended { result: result.to_owned() })
        {
            log::warn!("the journal could not be ended: {error}");
        }
    }

    /// Ends this run's journal and the unfinished ones of the same port that it took up.
    fn close_journals(&mut self, verdict: Verdict) {
        self.end_own_journal(&format!("{verdict:?}").to_lowercase());
        let Some(port) = self.outcome.port.clone() else { return };
        for mut file in self.tools.store.unfinished().unwrap_or_default() {
            if file.journal().begun().port == port
                && let Err(error) = file.append(Entry::Ended { result: "taken up".to_owned() })
            {
                log::warn!("a journal could not be ended: {error}");
            }
        }
    }

    pub(super) fn emit(&mut self, event: &Event) {
        self.tools.observer.observe(event);
    }

    pub(super) fn note(&mut self, text: String) {
        self.emit(&Event::Note { text: text.clone() });
        self.outcome.notes.push(text);
    }

    /// A chip's error as the owner of the device should hear it.
    pub(super) fn chip_failure(&self, error: ChipError, place: &str) -> Failure {
        let port =
            self.outcome.port.as_ref().map_or(String::new(), |port| format!(", port {port}"));
        let place = format!("{place}{port}");
        let what = error.to_string();
        let again = match self.state {
            DeviceState::PartWritten | DeviceState::Written => "recover resume".to_owned(),
            _ => self.tools.command.clone(),
        };
        let failure = match error {
            ChipError::Transfer { source: TransferError::Gone, .. } => {
                Failure::new(Code::R110, what, place)
                    .next(format!("plug it into the same port again, then run `{again}`"))
            }
            ChipError::Transfer { source: TransferError::Denied, .. } => {
                Failure::new(Code::R401, what, place).next("`recover udev-rules` prints the rule that permits it")
            }
            ChipError::Transfer { source: TransferError::Busy, .. } => {
                Failure::new(Code::R402, what, place)
                    .next("close the program that uses it, then run the same command")
            }
            ChipError::Transfer { .. } | ChipError::Loader(_) => {
                Failure::new(Code::R113, what, place).next(format!(
                    "take its power away, plug it into the same port again, then run `{again}`"
                ))
            }
            ChipError::NotProven(_) => Failure::new(Code::R102, what, place)
                .next("nothing was written; if you know the chip, record what it answers with `recover diagnose --trace FILE` and show us")
                .next(format!("if it has just been used by other software, take its power away, plug it in again and run `{again}`")),
            ChipError::NoMemory => Failure::new(Code::R103, what, place)
                .next("look at the small 8-pin chip beside the bridge: its supply, its solder joints, pull-ups on both lines; boards without one never had firmware of their own"),
        };
        failure.leaving(self.state)
    }

    /// A memory's error as the owner of the device should hear it.
    pub(super) fn memory_failure(&self, error: MemoryError, place: &str) -> Failure {
        let what = error.to_string();
        let failure = match error {
            MemoryError::Chip(error) => return self.chip_failure(error, place),
            MemoryError::NoAcknowledge { .. } => Failure::new(Code::R109, what, place)
                .next("check the supply and the two bus lines of the EEPROM, then run the same command")
                .next("if it stays silent, the part is dead: replace it and run the same command"),
            MemoryError::NotKept { .. } => Failure::new(Code::R107, what, place),
            MemoryError::Unreadable(_) => Failure::new(Code::R115, what, place)
                .next("take its power away, plug it in again and run the same command"),
        };
        failure.leaving(self.state)
    }
}

/// Bytes that no other run has: the random keys the standard library draws for its hash tables.
fn unique() -> [u8; 8] {
    RandomState::new().build_hasher().finish().to_le_bytes()
}

impl Target {
    /// How many bytes of the memory concern this target.
    fn want(&self) -> u32 {
        let image = u32::try_from(self.image.bytes.len()).unwrap_or(u32::MAX);
        let part = self.choice.profile.as_ref().map(|profile| profile.memory.size_bytes);
        image.max(part.unwrap_or(0))
    }
}
