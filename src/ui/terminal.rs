//! The narration on a terminal, with a progress bar under it while long work goes on.

use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};

use super::narration::{Detail, narrate};
use crate::executor::{Event, Observer};

/// A terminal on stderr.
pub struct Terminal {
    bar: Option<(&'static str, ProgressBar)>,
    detail: Detail,
}

impl Terminal {
    /// A terminal without a bar yet.
    pub fn new(detail: Detail) -> Self {
        Self { bar: None, detail }
    }

    fn progress(&mut self, work: &'static str, done: u64, total: u64) {
        if self.bar.as_ref().is_none_or(|(shown, _)| *shown != work) {
            self.clear();
            let bar = ProgressBar::new(total).with_message(work);
            if let Ok(style) =
                ProgressStyle::with_template("      {msg:6} [{bar:32}] {bytes}/{total_bytes}")
            {
                bar.set_style(style.progress_chars("=> "));
            }
            self.bar = Some((work, bar));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        }
    }

    fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Terminal {
    fn observe(&mut self, event: &Event) {
        if let Event::Progress { work, done, total } = event {
            self.progress(work, *done, *total);
            return;
        }
        self.clear();
        let mut out = anstream::stderr();
        let bold = anstyle::Style::new().bold();
        for (index, line) in narrate(event, self.detail).iter().enumerate() {
            // A reader that has gone must not end a rescue.
            drop(match (index, event) {
                (0, Event::StepBegun { .. } | Event::Asked { .. } | Event::Failed { .. }) => {
                    writeln!(out, "{bold}{line}{bold:#}")
                }
                _ => writeln!(out, "{line}"),
            });
        }
    }
}
