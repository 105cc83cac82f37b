//! What the program of a chapter calls around its cells; not for authors.
//!
//! In: the function that holds the cells. Out: events, outputs and an exit status for the
//! report builder. A cell fails only by a panic that leaves it or by an error given to `?`:
//! a panic that the author catches, or one in a thread that nobody joins, is no failure.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::error::Error;
use std::io::Write;
use std::panic;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use veracity_protocol::{CELL_FAILED, Event, Failure as Report, FailureKind, Location};

use crate::IntoArtifact;
use crate::context;

/// Stack of the thread that runs the cells: whole networks live on it while they are built.
const STACK: usize = 256 << 20;

/// Most panics that are remembered; those of rayon's workers pass through here too.
const REMEMBERED_PANICS: usize = 64;

static PANICS: Mutex<VecDeque<Panic>> = Mutex::new(VecDeque::new());

#[derive(Clone, Debug)]
struct Panic {
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

/// Runs the cells and reports how they ended.
pub fn run(cells: fn() -> Result<(), Failure>) -> ExitCode {
    if let Err(message) = context::load() {
        eprintln!("{message}");
        return ExitCode::from(2);
    }
    panic::set_hook(Box::new(remember));
    let cells = thread::Builder::new()
        .name("cells".into())
        .stack_size(STACK)
        .spawn(cells)
        .unwrap_or_else(|error| context::fatal(&format!("cannot start a thread: {error}")));
    let failure = match cells.join() {
        Ok(Ok(())) => None,
        Ok(Err(Failure { message, location })) => {
            Some(Report { kind: FailureKind::Error, message, location: Some(location) })
        }
        Err(payload) => Some(report_panic(payload.as_ref())),
    };
    end(failure)
}

/// Ends the running cell and begins the cell with this index.
pub fn begin(cell: usize) {
    let turned = context::with(|context| {
        if cell < context.plan.cells.len() {
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

/// Remembers a panic and prints it without the thread's number, which differs from run to run.
fn remember(info: &panic::PanicHookInfo<'_>) {
    let panic = Panic {
        thread: thread::current().name().map(str::to_owned),
        message: text_of(info.payload()),
        location: info.location().map(located),
    };
    let backtrace = Backtrace::capture();
    let mut err = std::io::stderr().lock();
    let place = info.location().map_or_else(String::new, |at| format!(" at {at}"));
    let _ = writeln!(err, "{} panicked{place}: {}", panic.thread(), panic.message);
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = writeln!(err, "{backtrace}");
    }
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
    if message.ends_with("Any { .. }")
        && let Some(other) = panics.iter().rev().find(|panic| panic.message != message)
    {
        message.push_str(&format!("\n{} panicked: {}", other.thread(), other.message));
    }
    Report { kind: FailureKind::Panic, message, location }
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
    Location { file: location.file().to_owned(), line: location.line(), column: location.column() }
}
