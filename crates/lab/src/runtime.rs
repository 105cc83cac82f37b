//! What the program of a chapter calls around its cells; not for authors.
//!
//! In: the function that holds the cells. Out: events, outputs and an exit status for the
//! report builder. A cell fails only by a panic that leaves it or by an error given to `?`:
//! a panic that the author catches, or one in a thread that nobody joins, is no failure.

pub mod answer;
#[cfg(all(feature = "live", unix))]
pub mod live;

use std::any::Any;
use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use veracity_protocol::{ALIVE_FILE, CELL_FAILED, Event, Failure as Report, FailureKind, Location};

use crate::IntoArtifact;
use crate::context;

/// Stack of the thread that runs the cells: whole networks live on it while they are built.
const STACK: usize = 256 << 20;

/// Most panics that are remembered; those of rayon's workers pass through here too.
const REMEMBERED_PANICS: usize = 64;

static PANICS: Mutex<VecDeque<Panic>> = Mutex::new(VecDeque::new());

#[derive(Clone, Debug)]
struct Panic {
    kind: FailureKind,
    thread: Option<String>,
    message: String,
    location: Option<Location>,
}

impl Panic {
    fn thread(&self) -> String {
        self.thread.as_ref().map_or_else(|| "a thread".into(), |name| format!("the thread {name}"))
    }
}

/// An error that left a cell through `?`.
#[derive(Debug)]
pub struct Failure {
    message: String,
    location: Location,
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        let error = error.into();
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(&format!("\ncaused by: {error}"));
            cause = error.source();
        }
        Self { message, location: located(panic::Location::caller()) }
    }
}

impl Failure {
    fn into_report(self) -> Report {
        let Self { message, location } = self;
        Report { kind: FailureKind::Error, message, location: Some(location) }
    }
}

/// Runs the cells and reports how they ended.
pub fn run(cells: fn() -> Result<(), Failure>) -> ExitCode {
    if let Err(message) = context::load() {
        eprintln!("{message}");
        return ExitCode::from(2);
    }
    panic::set_hook(Box::new(remember));
    if let Err(message) = end_with_the_host() {
        context::fatal(&message);
    }
    let cells = thread::Builder::new()
        .name("cells".into())
        .stack_size(STACK)
        .spawn(cells)
        .unwrap_or_else(|error| context::fatal(&format!("cannot start a thread: {error}")));
    let failure = match cells.join() {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure.into_report()),
        Err(payload) => Some(report_panic(payload.as_ref())),
    };
    end(failure)
}

/// Watches the report builder and ends the program when it is gone, however it went.
///
/// The operating system gives the lock of a process that ended to the next one that waits.
fn end_with_the_host() -> Result<(), String> {
    end_when_unlocked(&context::with(|context| context.plan.outbox.join(ALIVE_FILE)))
}

fn end_when_unlocked(path: &Path) -> Result<(), String> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    let wait = move || {
        // A file system without locks cannot tell whether the builder lives.
        if file.lock().is_ok() {
            end_what_cells_started();
            std::process::exit(2);
        }
    };
    let watch = thread::Builder::new().name("watch".into()).spawn(wait);
    watch.map(drop).map_err(|error| format!("cannot start a thread: {error}"))
}

/// Ends the process group that this program leads, and with it the program itself.
#[cfg(unix)]
fn end_what_cells_started() {
    let group = format!("-{}", std::process::id());
    // Without a group of its own the program ends alone.
    let mut kill = std::process::Command::new("kill");
    let _ = kill.args(["-KILL", "--", &group]).stderr(std::process::Stdio::null()).status();
}

#[cfg(not(unix))]
fn end_what_cells_started() {}

/// Ends the running cell and begins the cell with this index.
pub fn begin(cell: usize) {
    let turned = context::with(|context| {
        if context.plan.job.as_ref().is_some_and(|job| cell > job.cell) {
            // The cell went another way than in the program that started this one, which says so.
            std::process::exit(0);
        } else if cell < context.plan.cells.len() {
            context.turn_to(cell)
        } else {
            Err(format!("the plan has no cell {cell}"))
        }
    });
    if let Err(message) = turned {
        context::fatal(&message);
    }
}

/// Publishes the trailing expression of a cell.
#[track_caller]
pub fn output(output: impl IntoArtifact) {
    crate::show(output);
}

/// Ends the cell with the words and at the place of what happened in jobs of a sweep.
pub(crate) fn fail(message: String, location: Option<Location>, caller: &panic::Location<'_>) -> ! {
    let location = Some(location.unwrap_or_else(|| located(caller)));
    let panic =
        Panic { kind: FailureKind::Sweep, thread: None, message: message.clone(), location };
    let _ = writeln!(std::io::stderr().lock(), "{message}");
    remember_one(panic);
    panic::resume_unwind(Box::new(message))
}

fn end(failure: Option<Report>) -> ExitCode {
    let ended = context::with(|context| match (failure, context.cell()) {
        (None, None) => Ok(ExitCode::SUCCESS),
        (None, Some(cell)) => context.turn_to(cell + 1).map(|()| ExitCode::SUCCESS),
        (Some(failure), None) => Err(failure.message),
        (Some(failure), Some(cell)) => {
            let failed = ExitCode::from(u8::try_from(CELL_FAILED).unwrap_or(1));
            context.emit(&Event::Failed { cell, failure }).map(|()| failed)
        }
    });
    ended.unwrap_or_else(|message| context::fatal(&message))
}

/// Remembers a panic and prints it without what differs from run to run and from machine to
/// machine: the thread's number, a backtrace, and the folder in which a crate lies.
fn remember(info: &panic::PanicHookInfo<'_>) {
    let panic = Panic {
        kind: FailureKind::Panic,
        thread: thread::current().name().map(str::to_owned),
        message: text_of(info.payload()),
        location: info.location().map(located),
    };
    let mut err = std::io::stderr().lock();
    let place = panic
        .location
        .as_ref()
        .map_or_else(String::new, |at| format!(" at {}:{}:{}", at.file, at.line, at.column));
    let _ = writeln!(err, "{} panicked{place}: {}", panic.thread(), panic.message);
    remember_one(panic);
}

fn remember_one(panic: Panic) {
    let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    if panics.len() == REMEMBERED_PANICS {
        panics.pop_front();
    }
    panics.push_back(panic);
}

/// Finds the remembered panic that a payload belongs to: a payload that was carried over from
/// another thread never reached the hook of the thread that runs the cells.
fn report_panic(payload: &(dyn Any + Send)) -> Report {
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut message = text_of(payload);
    let origin = panics.iter().rev().find(|panic| panic.message == message);
    let location = origin.and_then(|panic| panic.location.clone());
    let kind = origin.map_or(FailureKind::Panic, |panic| panic.kind);
    if message.ends_with("Any { .. }")
        && let Some(other) = panics.iter().rev().find(|panic| panic.message != message)
    {
        message.push_str(&format!("\n{} panicked: {}", other.thread(), other.message));
    }
    Report { kind, message, location }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

fn located(location: &panic::Location<'_>) -> Location {
    let file = within_its_crate(location.file()).to_owned();
    Location { file, line: location.line(), column: location.column() }
}

/// A file of another crate by its place in that crate: `dfdx-0.13.0/src/lib.rs`. The chapter's
/// own files have relative paths and stay as they are.
fn within_its_crate(file: &str) -> &str {
    let is_separator = |c| c == '/' || c == std::path::MAIN_SEPARATOR;
    if !Path::new(file).is_absolute() {
        return file;
    }
    let source = file.rmatch_indices("src").map(|(at, _)| at).find(|&at| {
        file[..at].ends_with(is_separator) && file[at + "src".len()..].starts_with(is_separator)
    });
    let folder = source.map_or(file, |at| &file[..at - 1]);
    &file[folder.rfind(is_separator).map_or(0, |at| at + 1)..]
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_place_in_their_crate() {
        for (file, shown) in [
            ("chapters/a/program/src/main.rs", "chapters/a/program/src/main.rs"),
            ("/any/.cargo/registry/src/index/dfdx-0.13.0/src/a/src.rs", "dfdx-0.13.0/src/a/src.rs"),
            ("/rustc/0123/library/core/src/option.rs", "core/src/option.rs"),
            ("/any/report/crates/nets/src/lib.rs", "nets/src/lib.rs"),
            ("/any/generated.rs", "generated.rs"),
        ] {
            assert_eq!(within_its_crate(file), shown);
        }
    }
}
