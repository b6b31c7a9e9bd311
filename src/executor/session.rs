//! The order of a run's stages: a rescue, a diagnosis, a backup, a restore or a lesson, from the
//! first look to its outcome. What a stage does is in its own file; none of them knows this one.

use super::candidate::Candidate;
use super::examine::Examined;
use super::learn::Learning;
use super::permission::Permission;
use super::prove::Proven;
use super::run::Run;
use super::store::BackupRecord;
use super::target::Target;
use super::unfinished::{AfterPower, Owner};
use super::{
    Request, Tools, choose, enter, examine, find, learn, perform, planning, prove, records,
    running, target, unfinished, unit_bytes,
};
use crate::chip::{IdMeaning, Identity, Running};
use crate::failure::{Code, Failure};
use crate::rescue::Condition;
use crate::rescue::choice::{Choice, NamedImage};
use crate::rescue::outcome::{Outcome, RunKind, Verdict};
use crate::wording::with_article;

/// A run that has not begun.
pub struct Session<'t> {
    run: Run<'t>,
}

impl<'t> Session<'t> {
    /// A run with these tools.
    pub fn new(tools: Tools<'t>) -> Self {
        Self { run: Run::new(tools) }
    }

    /// Rescues the one device that needs it: `recover --auto`, and with `request.dry_run` the
    /// plan for it.
    pub fn rescue(self, request: &Request) -> Outcome {
        self.carry_out(request, RunKind::Rescue, |run| rescue(run, request))
    }

    /// Proves the chip and reads its memory; writes nothing.
    pub fn diagnose(self, request: &Request) -> Outcome {
        self.carry_out(request, RunKind::Diagnosis, |run| {
            match diagnose(run, request, 0)? {
                Diagnosis::Examined(_) => {}
                Diagnosis::NotRead(failure) => {
                    run.note(failure.what);
                    failure.next.into_iter().for_each(|next| run.note(next));
                }
            }
            Ok(Verdict::Planned)
        })
    }

    /// Saves the memory's bytes.
    pub fn backup(self, request: &Request) -> Outcome {
        self.carry_out(request, RunKind::Backup, |run| backup(run, request))
    }

    /// Writes a backup back.
    pub fn restore(self, request: &Request, record: &BackupRecord, bytes: &[u8]) -> Outcome {
        self.carry_out(request, RunKind::Restore, |run| restore(run, request, record, bytes))
    }

    /// Makes a profile from a healthy device; writes nothing to it.
    pub fn learn(self, request: &Request, learning: &Learning) -> Outcome {
        self.carry_out(request, RunKind::Learning, |run| learn::learn(run, request, learning))
    }

    fn carry_out(
        mut self,
        request: &Request,
        work: RunKind,
        act: impl FnOnce(&mut Run<'t>) -> Result<Verdict, Failure>,
    ) -> Outcome {
        self.run.outcome.work = Some(if request.dry_run { RunKind::Plan } else { work });
        let result = act(&mut self.run);
        self.run.finish(result)
    }
}

fn rescue(run: &mut Run<'_>, request: &Request) -> Result<Verdict, Failure> {
    let mut candidate = find::find(run, request)?;
    find::announce(run, &candidate);
    let is_left_alone = |candidate: &Candidate| {
        !candidate.needs_rescue() && !request.replaces_firmware_of(&candidate.seen)
    };
    if is_left_alone(&candidate) {
        return unfinished::healthy(run, &candidate);
    }
    let _lock = run.lock(&candidate.seen)?;
    if candidate.suspicion.id_meaning == IdMeaning::Running
        && unfinished::is_told_by_serial(&candidate)
    {
        candidate.unfinished = None;
    }
    if !request.dry_run {
        candidate = unfinished::end_trial(run, request, candidate)?;
    }
    if is_left_alone(&candidate) {
        return unfinished::healthy(run, &candidate);
    }
    if candidate.suspicion.id_meaning == IdMeaning::Running
        && unfinished::may_be_any(run, request, &candidate)
    {
        return unfinished::healthy(run, &candidate);
    }
    let mut proven = match prove::prove(run, &candidate) {
        Err(failure) if failure.code == Code::R102 && candidate.unfinished.is_some() => {
            let why = format!("the running image does not accept the loader ({})", failure.what);
            match unfinished::without_power(run, request, candidate.clone(), &why)? {
                AfterPower::Rescued => return Ok(Verdict::Rescued),
                AfterPower::Untold => return unfinished::healthy(run, &candidate),
                AfterPower::Other(other) if other.unfinished.is_none() => return Err(failure),
                AfterPower::Other(other) => candidate = *other,
            }
            prove::prove(run, &candidate)?
        }
        proven => proven?,
    };
    // Whether there is anything to rescue is told by what it is before it enters its boot mode.
    let mut was_entered = false;
    candidate.unfinished.take_if(|journal| journal.begun().chip != proven.finding.model.name);
    loop {
        let is_firmware = proven.finding.running == Running::Firmware;
        let replaces = request.replaces_firmware_of(&candidate.seen);
        if is_firmware && !was_entered && !candidate.is_known_broken() && !replaces {
            run.outcome.identity.seen = Some(Identity::of(&candidate.seen));
            run.note("this chip runs its firmware and needs no rescue".to_owned());
            return Ok(Verdict::Healthy);
        }
        // What is refused for its image never has to leave its firmware.
        let target = choose::choose_target(run, request, &candidate, &proven.finding)
            .map_err(|failure| failure.leaving(run.state))?;
        let number = candidate.seen.device_number;
        (candidate, proven) = enter::enter(run, candidate, proven)?;
        was_entered |= candidate.seen.device_number != number;
        let mut examined = examine::examine(run, &candidate, &mut proven, target.want())?;
        let finding = &proven.finding;
        match unfinished::owner(run, request, &candidate, finding, &examined)? {
            Owner::Another(other) => candidate = *other,
            Owner::Untold => {
                let why = "its memory does not show whether the unfinished rescue was of it";
                match unfinished::without_power(run, request, candidate.clone(), why)? {
                    AfterPower::Rescued => return Ok(Verdict::Rescued),
                    AfterPower::Untold => return unfinished::healthy(run, &candidate),
                    AfterPower::Other(other) => {
                        proven = prove::prove(run, &other)?;
                        candidate = *other;
                        was_entered = false;
                    }
                }
            }
            Owner::Journal => {
                examined.survey.before =
                    unit_bytes::contents_before(run, request, &candidate, &target, &examined)?;
                let overwrite = request.force || replaces;
                return write(run, request, &candidate, proven, target, examined, overwrite);
            }
        }
    }
}

fn restore(
    run: &mut Run<'_>,
    request: &Request,
    record: &BackupRecord,
    bytes: &[u8],
) -> Result<Verdict, Failure> {
    let candidate = find::find(run, request)?;
    find::announce(run, &candidate);
    let _lock = run.lock(&candidate.seen)?;
    running::may_be_restored(run, request, &candidate, None)?;
    let proven = prove::prove(run, &candidate)?;
    running::may_be_restored(run, request, &candidate, Some(&proven))?;
    let model = proven.finding.model;
    if model.name != record.chip {
        let what = format!(
            "the backup is from {}, but this is {}",
            with_article(&record.chip),
            with_article(model.title)
        );
        return Err(Failure::new(Code::R204, what, format!("backup {}", record.id))
            .leaving(run.state)
            .next("name the device that the backup was made from with --port"));
    }
    let image = NamedImage { name: format!("backup {}", record.id), bytes: bytes.to_vec() };
    let choice = Choice { profile: None, image, doubt: None };
    let target = target::restore_target(run, &candidate, &proven.finding, choice);
    let (candidate, mut proven) = enter::enter(run, candidate, proven)?;
    let examined = examine::examine(run, &candidate, &mut proven, target.want())?;
    // What is put back is what the user named; whose rescue that ends, the memory tells.
    let owner = unfinished::owner(run, request, &candidate, &proven.finding, &examined)?;
    let candidate = match owner {
        Owner::Journal => candidate,
        Owner::Another(other) => *other,
        Owner::Untold => Candidate { unfinished: None, ..candidate },
    };
    write(run, request, &candidate, proven, target, examined, true)
}

/// Makes the plan, asks for the permission and carries the plan out.
fn write(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    proven: Proven,
    target: Target,
    examined: Examined,
    overwrite: bool,
) -> Result<Verdict, Failure> {
    let finding = proven.finding.clone();
    let plan = planning::plan(run, request, candidate, &finding, &target, &examined, overwrite)?;
    if request.dry_run {
        return Ok(Verdict::Planned);
    }
    let permission = Permission::ask(run, request, candidate, finding, examined, target, plan)?;
    records::begin_journal(run, &permission)?;
    perform::perform(run, proven, &permission)
}

/// How far a diagnosis came.
enum Diagnosis {
    Examined(Box<Examined>),
    /// The memory was left unread for the sake of the firmware that runs, told so.
    NotRead(Failure),
}

fn diagnose(run: &mut Run<'_>, request: &Request, want: u32) -> Result<Diagnosis, Failure> {
    let candidate = find::find(run, request)?;
    find::announce(run, &candidate);
    let _lock = run.lock(&candidate.seen)?;
    let proven = prove::prove(run, &candidate)?;
    run.outcome.identity.seen = Some(Identity::of(&candidate.seen));
    if let Some(change) = running::would_be_disturbed(request, &candidate, &proven) {
        return Ok(Diagnosis::NotRead(running::not_disturbed(run, &candidate, change)));
    }
    let (candidate, mut proven) = enter::enter(run, candidate, proven)?;
    examine::examine(run, &candidate, &mut proven, want)
        .map(|examined| Diagnosis::Examined(Box::new(examined)))
}

fn backup(run: &mut Run<'_>, request: &Request) -> Result<Verdict, Failure> {
    // A backup holds all that can be read.
    let examined = match diagnose(run, request, u32::MAX)? {
        Diagnosis::Examined(examined) => examined,
        Diagnosis::NotRead(failure) => return Err(failure),
    };
    match examined.condition {
        Condition::Unreadable { why } => Err(Failure::new(Code::R115, why, "backup")
            .leaving(run.state)
            .next("power-cycle the enclosure and run the same command")),
        _ => Ok(Verdict::Planned),
    }
}
