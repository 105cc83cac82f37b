//! Whether a terminal shows the keys that are typed.
//!
//! What is typed while a cell runs would stand amid the lines that are drawn again and again. The
//! terminal keeps it for the next prompt all the same. Left out: the prompt, which is the line editor's.

#[cfg(unix)]
use std::io::IsTerminal;
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// What standard input was like before its keys were hidden.
#[cfg(unix)]
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// While this is kept, keys are not shown.
#[must_use]
#[derive(Debug)]
pub(crate) struct Hidden {
    /// Whether they were shown before.
    is_first: bool,
}

/// Hides what is typed if standard input is a terminal.
pub(crate) fn hide_keys() -> Hidden {
    #[cfg(unix)]
    return change(|modes| modes.remove(LocalModes::ECHO));
    #[cfg(not(unix))]
    Hidden { is_first: false }
}

/// Changes nothing, but lets [`show_keys`] undo what a line editor does to the terminal.
pub(crate) fn lend() -> Hidden {
    #[cfg(unix)]
    return change(|_| ());
    #[cfg(not(unix))]
    Hidden { is_first: false }
}

#[cfg(unix)]
fn change(to: impl Fn(&mut LocalModes)) -> Hidden {
    let mut kept = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.is_none()
        && std::io::stdin().is_terminal()
        && let Ok(before) = tcgetattr(std::io::stdin())
    {
        let mut changed = before.clone();
        to(&mut changed.local_modes);
        // Where this cannot be set the keys are shown.
        if tcsetattr(std::io::stdin(), OptionalActions::Now, &changed).is_ok() {
            *kept = Some(before);
            return Hidden { is_first: true };
        }
    }
    Hidden { is_first: false }
}

/// Shows keys again, as a process must before it ends at once.
pub(crate) fn show_keys() {
    #[cfg(unix)]
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone shows nothing.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if self.is_first {
            show_keys();
        }
    }
}
