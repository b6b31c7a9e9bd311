//! Ctrl-C, SIGTERM and a closed terminal: what has to be put right is put right before the
//! program ends. SIGKILL cannot be caught; the next run begins with the safe position.

use std::sync::{Mutex, Once, PoisonError};

/// What has to be put right.
type Action = Box<dyn FnMut() + Send>;

static ACTIONS: Mutex<Vec<Action>> = Mutex::new(Vec::new());
static INSTALLED: Once = Once::new();

/// The shell's code of a program that was ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Has `action` done when the program is interrupted, once, after those named before it.
pub fn before_ending(action: impl FnMut() + Send + 'static) {
    ACTIONS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(action));
    INSTALLED.call_once(|| {
        let installed = ctrlc::set_handler(|| {
            for action in ACTIONS.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
                action();
            }
            std::process::exit(INTERRUPTED);
        });
        if let Err(error) = installed {
            log::warn!("an interruption will not be noticed: {error}");
        }
    });
}
