//! Ctrl-C, SIGTERM and a closed terminal: who can end by himself is asked to, and what has to be
//! put right is put right before the program ends. SIGKILL cannot be caught; the next run begins
//! with the safe position.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use crate::bench::Command;
use crate::clock::{Clock, RealClock};

/// What has to be put right.
type Action = Box<dyn FnMut() + Send>;

/// Asks somebody to end; whether he will.
type Request = Box<dyn FnMut() -> bool + Send>;

static REQUEST: Mutex<Option<Request>> = Mutex::new(None);
static IS_ASKED: AtomicBool = AtomicBool::new(false);
static ACTIONS: Mutex<Vec<Action>> = Mutex::new(Vec::new());
static INSTALLED: Once = Once::new();

/// The shell's code of a program that was ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Signals that come closer than this are one interruption: who logs out is sent several.
const ONE_INTERRUPTION: Duration = Duration::from_millis(300);

/// Has `action` done when the program is interrupted, once, after those named before it.
pub fn before_ending(action: impl FnMut() + Send + 'static) {
    ACTIONS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(action));
    install();
}

/// Has `request` made when the program is interrupted; it does not end as long as that returns
/// true.
pub fn instead_of_ending(request: impl FnMut() -> bool + Send + 'static) {
    *REQUEST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(request));
    install();
}

/// Has Ctrl-C, SIGTERM and a closed terminal mean what the screen's key for quitting means; the
/// third ends at once. `tell` tells the person.
pub fn quits(commands: Sender<Command>, tell: fn(&str)) {
    let clock = RealClock::new();
    let mut interruptions = 0;
    let mut last = None;
    instead_of_ending(move || {
        let before = last.replace(clock.now());
        if before.is_some_and(|before| clock.now() < before + ONE_INTERRUPTION) {
            return true;
        }
        interruptions += 1;
        tell(match interruptions {
            1 => "stopping: recover starts no new run and completes every write in progress",
            2 => "stopping: runs that wait for a person stop too; press once more to exit at once",
            _ => return false,
        });
        commands.send(Command::Quit).is_ok()
    });
}

/// From here on an interruption ends the program again; whether somebody was asked to end before.
pub fn ends_again() -> bool {
    REQUEST.lock().unwrap_or_else(PoisonError::into_inner).take();
    IS_ASKED.swap(false, Ordering::SeqCst)
}

fn install() {
    INSTALLED.call_once(|| {
        let installed = ctrlc::set_handler(|| {
            let mut request = REQUEST.lock().unwrap_or_else(PoisonError::into_inner);
            if request.as_mut().is_some_and(|request| request()) {
                IS_ASKED.store(true, Ordering::SeqCst);
                return;
            }
            for action in ACTIONS.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
                action();
            }
            std::process::exit(INTERRUPTED);
        });
        if let Err(error) = installed {
            log::warn!("Ctrl-C will not be noticed: {error}");
        }
    });
}
