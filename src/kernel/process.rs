//! Child processes that end when the build ends.
//!
//! Each child leads a process group of its own, so that what it starts ends with it. An
//! interrupt (Ctrl-C) ends all groups; a cell's time-out ends one. If the builder itself is
//! killed, its lock on a file in the outbox ends with it, and cells that see that end themselves.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// What an interrupt does instead of ending the builder, once.
static INSTEAD: Mutex<Option<Instead>> = Mutex::new(None);

type Instead = Box<dyn FnOnce() + Send>;

static CHILDREN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Makes an interrupt end all children; the build then stops by itself.
///
/// # Errors
/// If the signal handler cannot be installed.
pub fn end_children_on_interrupt() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        let instead = INSTEAD.lock().ok().and_then(|mut instead| instead.take());
        if let Some(act) = instead {
            return act();
        }
        // A second interrupt means that the person will not wait.
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            crate::terminal::show_keys();
            std::process::exit(130);
        }
        end_children();
    })
}

/// Ends all children and what they started.
pub fn end_children() {
    if let Ok(children) = CHILDREN.lock() {
        for &child in children.iter() {
            kill_group(child);
        }
    }
}

/// While this is kept, the next interrupt does something else than ending the builder.
#[must_use]
#[derive(Debug)]
pub struct Redirected(());

/// Makes the next interrupt do something else; one after that ends the builder as usual.
pub fn redirect_interrupt(act: impl FnOnce() + Send + 'static) -> Redirected {
    if let Ok(mut instead) = INSTEAD.lock() {
        *instead = Some(Box::new(act));
    }
    Redirected(())
}

impl Drop for Redirected {
    fn drop(&mut self) {
        if let Ok(mut instead) = INSTEAD.lock() {
            *instead = None;
        }
    }
}

/// Whether the person has asked to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// A running child in a process group of its own.
#[derive(Debug)]
pub struct Group {
    /// The child.
    pub child: Child,
}

impl Group {
    /// Starts a command.
    ///
    /// # Errors
    /// As for starting a process; `Interrupted` if the person has asked to stop.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        // The lock is held while the child starts, so that an interrupt cannot miss it.
        let mut children = CHILDREN.lock().map_err(|_| io::ErrorKind::Other)?;
        if interrupted() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        children.insert(child.id());
        Ok(Self { child })
    }

    /// Ends the child and everything that it started.
    pub fn kill(&mut self) {
        kill_group(self.child.id());
        // A child that has ended already is what we want.
        let _ = self.child.kill();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let running = matches!(self.child.try_wait(), Ok(None));
        if running {
            self.kill();
            let _ = self.child.wait();
        }
        if let Ok(mut children) = CHILDREN.lock() {
            children.remove(&self.child.id());
        }
    }
}

/// Ends a child and everything that it started.
#[cfg(unix)]
pub(super) fn kill_group(leader: u32) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(rustix::process::Pid::from_raw) {
        // The group may have ended already.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
pub(super) fn kill_group(_leader: u32) {}
