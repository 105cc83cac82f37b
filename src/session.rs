//! A report that is kept built while it is edited.
//!
//! In: a request, what prepares the kernel, and signals that files may have changed. Out:
//! [`Update`]s to one subscriber, and the outputs of an ordinary build. Left out: who is told,
//! which is [`crate::serve`]'s and the command line's.
//!
//! A session calls the stages of [`crate::pipeline`] and keeps between them only what can be told
//! to be unchanged: the ground on which cells stand, templates, formulas, Typst's own cache, and
//! the failures of code that is still the same. Everything else is made anew from the files, so
//! that the pages are those of a build from nothing. The pages come first, in memory; then they
//! are written, and the PDF follows on a thread of its own. While cells run, the session keeps
//! looking at the files: an edit of what runs ends the run, any other shows on a page on which the
//! running cells have no result yet.

mod attend;
mod change;
mod desk;
mod files;
mod job;
mod pages;
mod print;
mod timers;

pub use change::Change;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;

use self::desk::Desk;
use self::files::Saving;
use self::job::Ended;
use crate::diag::Diagnostic;
use crate::pipeline::{BuildEvent, BuildRequest, Evaluated, Planned, Prepare};
use crate::render::OutputFile;

/// Something that happened in a session.
#[derive(Clone, Copy, Debug)]
pub enum Update<'a> {
    /// Files have changed and are being looked at.
    Changed(&'a BTreeSet<Change>),
    /// A stage of a build says something.
    Build(&'a BuildEvent<'a>),
    /// It is decided what is to run.
    Planned(&'a Planned),
    /// There are new pages.
    Page(&'a Arc<Page>),
    /// The PDF is that of the last pages, unless these problems say otherwise.
    Printed(&'a [Diagnostic]),
    /// Nothing could be built or written; the pages before stay. Told again whenever it was tried again.
    Trouble(&'a [Diagnostic]),
}

/// Told of everything, from any thread.
pub type Subscriber = Arc<dyn Fn(Update<'_>) + Send + Sync>;

/// The pages of a report at one moment.
#[derive(Debug)]
pub struct Page {
    /// What they show.
    pub evaluated: Arc<Evaluated>,
    /// Files of the web pages by path.
    pub files: BTreeMap<String, Bytes>,
    /// Whether cells are still running.
    pub state: PageState,
    /// Time from the first look at the files to these pages.
    pub took: Duration,
}

/// Whether pages are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// All results are in.
    Final,
    /// Cells are running whose results are missing.
    Meanwhile,
}

/// What a session waits for.
enum Signal {
    /// Files may have changed.
    Look(Saving),
    /// The cells have been replayed or run.
    Ran(Ended),
    /// The session is to end.
    Stop,
}

/// A running session.
pub struct Session {
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Session {
    /// Starts a session that watches the report's files.
    ///
    /// `prepare` makes the ground with its kernel; [`crate::pipeline::prepare`] is one.
    pub fn start(request: BuildRequest, prepare: Arc<Prepare>, subscriber: Subscriber) -> Self {
        let (signals, received) = mpsc::channel();
        let sender = signals.clone();
        let work = move || {
            let mut desk = Desk::new(request, prepare, subscriber, sender);
            desk.watch();
            desk.attend(&received);
        };
        let thread = thread::Builder::new().name("session".into()).spawn(work);
        Self { signals, thread: thread.ok() }
    }

    /// Whether the session has ended, which it does on an interrupt.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends the session and everything that it started.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // A session that has ended already hears nothing.
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

/// A session without watching, driven step by step.
pub struct Stepper {
    desk: Desk,
    received: Receiver<Signal>,
}

impl Stepper {
    /// A session over a report that nobody watches.
    pub fn new(request: BuildRequest, prepare: Arc<Prepare>, subscriber: Subscriber) -> Self {
        let (signals, received) = mpsc::channel();
        Self { desk: Desk::new(request, prepare, subscriber, signals), received }
    }

    /// Looks at the files and works until all cells have run and the outputs are written.
    pub fn settle(&mut self) {
        self.desk.look();
        while self.desk.job.is_some() {
            match self.received.recv() {
                Ok(Signal::Ran(result)) => self.desk.ran(*result),
                Ok(Signal::Look(_)) => self.desk.look(),
                Ok(Signal::Stop) | Err(_) => return,
            }
        }
        self.desk.printer.wait();
    }
}

impl Page {
    fn output_files(&self) -> Vec<OutputFile> {
        let files = self.files.iter();
        files.map(|(path, bytes)| OutputFile { path: path.clone(), bytes: bytes.clone() }).collect()
    }
}
