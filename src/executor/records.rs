//! The journal of a run: begun before the first write, ended with the run or left open for the
//! next.

use super::permission::Permission;
use super::run::Run;
use super::store::Store;
use crate::failure::{Code, Failure};
use crate::journal::{Begun, Ending, Entry, VERSION};

pub(super) fn begin_journal(run: &mut Run<'_>, permission: &Permission<'_>) -> Result<(), Failure> {
    let (candidate, target) = (permission.candidate(), permission.target());
    let store = run.tools.store;
    let state = run.state;
    let image_sha256 =
        store.keep_image(&target.choice.image.bytes).map_err(|f| f.leaving(state))?;
    let date = run.tools.bus.clock().date();
    let model = permission.finding().model.name;
    let backup = match &candidate.unfinished {
        // The bytes from before the first run, not the half-written ones of now.
        Some(journal) if journal.begun().backup.is_some() => journal.begun().backup.clone(),
        _ => run.outcome.backup.clone(),
    };
    let begun = Begun {
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
        restoring: target.restoring,
        own_serial: target.has_own_serial(),
        continues: run.takes_up.clone(),
    };
    // What is offered as the old contents is what was there before the first run.
    run.outcome.backup.clone_from(&begun.backup);
    let journal = store.begin_journal(begun);
    let journal = journal.map_err(|error| run.journal_failure(&error.to_string()))?;
    run.journal = Some(journal);
    Ok(())
}

impl Run<'_> {
    /// Writes an entry to the journal, where one was begun.
    pub fn record(&mut self, entry: Entry) -> Result<(), Failure> {
        let result = match &mut self.journal {
            Some(journal) => journal.append(entry),
            None => Ok(()),
        };
        result.map_err(|error| self.journal_failure(&error.to_string()))
    }

    fn journal_failure(&self, error: &str) -> Failure {
        Failure::new(Code::R502, error, "journal")
            .leaving(self.state)
            .next("make the folder writable, or name another with --home")
    }

    pub fn end_own_journal(&mut self, result: Ending, on_trial: Option<u8>) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = self.tools.store.end_journal(journal, result, on_trial)
        {
            log::warn!("the journal could not be ended: {error}");
        }
    }

    /// Ends this run's journal, and the unfinished one that it took up. A run that had nothing left
    /// to write has none of its own: how it ended is how that one did.
    pub fn close_journals(&mut self, ending: Ending) {
        self.end_own_journal(ending, None);
        let has_own = self.journal.is_some();
        self.end_taken_up(if has_own { Ending::TakenUp } else { ending });
    }

    /// Ends the unfinished rescue that this run took up, and those that it had taken up itself.
    pub fn end_taken_up(&mut self, mut ending: Ending) {
        let mut next = self.takes_up.take();
        let store = self.tools.store;
        let mut unfinished = store.unfinished().unwrap_or_default();
        while let Some(id) = next.take() {
            let Some(file) = unfinished.iter_mut().find(|file| file.journal().begun().id == id)
            else {
                return;
            };
            next.clone_from(&file.journal().begun().continues);
            if let Err(error) = store.end_journal(file, ending, None) {
                log::warn!("a journal could not be ended: {error}");
                return;
            }
            ending = Ending::TakenUp;
        }
    }
}
