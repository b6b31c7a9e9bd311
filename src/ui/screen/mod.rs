//! The technician's screen: what happens at the bench, drawn on a terminal, and keys to steer it.
//!
//! [`model`] is what is shown, made from the notices and keys alone; [`draw`] draws it; this
//! module only moves values between them and the terminal. The terminal is given back however
//! the screen ends: by quitting, by an error, by a panic.

mod draw;
mod key;
mod model;

use std::io::{self, Stdout};
use std::panic;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use crate::bench::{Command, Notice};
use crate::usb::PortPath;
use key::Key;
use model::{Model, Wanted};

/// How long a key is waited for until what has happened meanwhile is drawn.
const REFRESH: Duration = Duration::from_millis(50);

/// Shows what happens until the bench has ended; what it was told is sent to `commands`. `report`
/// writes the page about what last passed at a port, and says where it is or why there is none.
///
/// # Errors
/// The terminal's.
pub fn show(
    is_auto: bool,
    notices: &Receiver<Notice>,
    commands: &Sender<Command>,
    report: &dyn Fn(&PortPath) -> String,
) -> io::Result<()> {
    let mut screen = Screen::open()?;
    let mut model = Model::new(is_auto);
    loop {
        loop {
            match notices.try_recv() {
                Ok(notice) => model.hear(&notice),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        let height = screen.terminal.draw(|frame| draw::draw(frame, &model))?.area.height;
        if !event::poll(REFRESH)? {
            continue;
        }
        // A resize needs nothing: the next drawing asks for the size.
        if let Event::Key(pressed) = event::read()?
            && let Some(key) = Key::of(&pressed)
            && let Some(wanted) = model.press(key, draw::page(height))
        {
            match wanted {
                // Once the bench has ended nobody listens, and the notices end as well.
                Wanted::Bench(command) => drop(commands.send(command)),
                Wanted::Report(port) => model.say(report(&port)),
            }
        }
    }
}

/// The automatic bench's screen after these notices, with that port selected, without a terminal.
pub fn drawn(notices: &[Notice], selected: Option<&PortPath>, width: u16, height: u16) -> Buffer {
    let mut model = Model::new(true);
    notices.iter().for_each(|notice| model.hear(notice));
    model.selected = selected.cloned().or(model.selected);
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
    let Ok(_) = terminal.draw(|frame| draw::draw(frame, &model));
    terminal.backend().buffer().clone()
}

/// The terminal while it is ours.
struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    fn open() -> io::Result<Self> {
        give_back_on_panic();
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen)?;
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))? })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.terminal.show_cursor());
        give_back();
    }
}

/// Gives the terminal back, also when something ends the program from outside.
pub fn give_back() {
    drop(execute!(io::stdout(), LeaveAlternateScreen));
    drop(disable_raw_mode());
}

/// A panic of this thread gives the terminal back before it says what happened. One of a worker
/// becomes that port's failure, and must not write across the screen.
fn give_back_on_panic() {
    let before = panic::take_hook();
    let ours = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == ours {
            give_back();
            before(info);
        }
    }));
}

#[cfg(test)]
mod tests;
