//! Runs cells in a process that stays, one after another, and keeps their variables.
//!
//! In: a plan, and functions that hold cells. Out: what the batch runtime puts out, and the
//! names and types of the variables that are kept. The cells run on one thread, so that variables
//! need not be `Send`. Standard output and error go into the pipes of the outbox while a cell runs.
//!
//! Each evaluation is a library of its own. It names no type of a variable: it hands over a
//! function, never called, whose result has the types, because it is made of the cells that
//! bind the variables.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::fd::OwnedFd;
use rustix::stdio;
use veracity_protocol::{
    CANCELLED_FILE, Event, LOCK_VARIABLE, LiveState, STATE_FILE, STDERR_PIPE, STDOUT_PIPE,
};

use super::{Failure, STACK};
use crate::context;

/// Cells, as the live kernel wraps them.
pub type Cells = fn() -> Result<(), Failure>;

static WORKER: Mutex<Option<Worker>> = Mutex::new(None);

struct Worker {
    jobs: Sender<(PathBuf, Cells)>,
    done: Receiver<()>,
}

struct Kept {
    type_id: TypeId,
    type_name: &'static str,
    value: Box<dyn Any>,
}

thread_local! {
    static VARIABLES: RefCell<BTreeMap<String, Kept>> = const { RefCell::new(BTreeMap::new()) };
    static REFUSED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs cells under the plan at `plan`, to their end.
pub fn run(plan: &str, cells: Cells) {
    let mut worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner);
    let worker = worker.get_or_insert_with(start);
    let sent = worker.jobs.send((PathBuf::from(plan), cells));
    if sent.is_err() || worker.done.recv().is_err() {
        context::fatal("the thread that runs cells has ended");
    }
}

fn start() -> Worker {
    panic::set_hook(Box::new(super::remember));
    if let Some(lock) = std::env::var_os(LOCK_VARIABLE)
        && let Err(message) = super::end_when_unlocked(Path::new(&lock))
    {
        context::fatal(&message);
    }
    let (jobs, received) = channel::<(PathBuf, Cells)>();
    let (report, done) = channel();
    let work = move || {
        let mut loaded = None;
        while let Ok((plan, cells)) = received.recv() {
            if let Err(message) = work(&plan, &mut loaded, cells) {
                context::fatal(&message);
            }
            if report.send(()).is_err() {
                break;
            }
        }
    };
    // What this name is, the batch kernel says.
    let thread = thread::Builder::new().name("cells".into()).stack_size(STACK).spawn(work);
    if let Err(error) = thread {
        context::fatal(&format!("cannot start a thread: {error}"));
    }
    Worker { jobs, done }
}

fn work(plan: &Path, loaded: &mut Option<PathBuf>, cells: Cells) -> Result<(), String> {
    if loaded.as_deref() != Some(plan) {
        context::load_plan(plan)?;
        *loaded = Some(plan.to_owned());
    }
    let outbox = context::with(|context| context.plan.outbox.clone());
    let streams =
        Streams::redirect(&outbox).map_err(|error| format!("cannot redirect: {error}"))?;
    REFUSED.set(None);
    let cells = match outbox.join(CANCELLED_FILE).exists() {
        true => nothing,
        false => cells,
    };
    let failure = match panic::catch_unwind(cells) {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure.into_report()),
        Err(payload) => Some(super::report_panic(payload.as_ref())),
    };
    let ended = context::with(|context| match (failure, context.cell()) {
        (None, None) => Ok(()),
        (None, Some(_)) => context.turn_to(context.plan.cells.len()),
        (Some(failure), cell) => {
            context.abandon();
            // Without a cell it is one that runs before the first.
            context.emit(&Event::Failed { cell: cell.unwrap_or_default(), failure })
        }
    });
    // What a cell wrote without a line feed must not reach the next one.
    let _ = io::stdout().flush();
    let restored = streams.restore().map_err(|error| format!("cannot restore streams: {error}"));
    let state = LiveState {
        variables: VARIABLES.with_borrow(|kept| {
            kept.iter().map(|(name, kept)| (name.clone(), kept.type_name.to_owned())).collect()
        }),
        refused: REFUSED.take(),
    };
    let text = serde_json::to_vec(&state).map_err(|error| error.to_string())?;
    context::write_atomically(&outbox.join(STATE_FILE), &text)?;
    ended.and(restored)
}

fn nothing() -> Result<(), Failure> {
    Ok(())
}

/// The process's own streams, while those of the outbox stand in their place.
struct Streams {
    out: OwnedFd,
    err: OwnedFd,
}

impl Streams {
    fn redirect(outbox: &Path) -> io::Result<Self> {
        let pipe = |name| OpenOptions::new().write(true).open(outbox.join(name));
        let (out, err) = (pipe(STDOUT_PIPE)?, pipe(STDERR_PIPE)?);
        io::stdout().flush()?;
        let own = Self {
            out: rustix::io::fcntl_dupfd_cloexec(stdio::stdout(), 3)?,
            err: rustix::io::fcntl_dupfd_cloexec(stdio::stderr(), 3)?,
        };
        stdio::dup2_stdout(&out)?;
        stdio::dup2_stderr(&err)?;
        Ok(own)
    }

    fn restore(self) -> io::Result<()> {
        stdio::dup2_stdout(&self.out)?;
        stdio::dup2_stderr(&self.err)?;
        Ok(())
    }
}

/// Takes the variables with these names, if all are kept with the types of the witness's result.
///
/// If they are not, nothing is taken, and the builder is told.
pub fn load<V: Variables>(
    names: &[&str],
    _witness: impl FnOnce() -> Result<V, Failure>,
) -> Option<V> {
    VARIABLES.with_borrow_mut(|kept| match V::missing(names, kept) {
        None => V::take(names, kept),
        Some(name) => {
            REFUSED.set(Some(name.to_owned()));
            None
        }
    })
}

/// Keeps a variable.
pub fn keep<T: 'static>(name: &str, value: T) {
    let kept = Kept {
        type_id: TypeId::of::<T>(),
        type_name: std::any::type_name::<T>(),
        value: Box::new(value),
    };
    // The one before is dropped after the borrow, since its destructor is the author's.
    drop(VARIABLES.with_borrow_mut(|all| all.insert(name.to_owned(), kept)));
}

/// Forgets all variables.
pub fn forget() {
    drop(VARIABLES.take());
}

type Store = BTreeMap<String, Kept>;

/// Values in pairs, the last of them `()`.
#[expect(private_interfaces, reason = "only evaluations name this trait, and none its functions")]
pub trait Variables: Sized {
    /// The first that is not there with its type.
    fn missing<'a>(names: &[&'a str], store: &Store) -> Option<&'a str>;
    /// The values.
    fn take(names: &[&str], store: &mut Store) -> Option<Self>;
}

#[expect(private_interfaces, reason = "as for the trait")]
impl Variables for () {
    fn missing<'a>(_: &[&'a str], _: &Store) -> Option<&'a str> {
        None
    }

    fn take(_: &[&str], _: &mut Store) -> Option<Self> {
        Some(())
    }
}

#[expect(private_interfaces, reason = "as for the trait")]
impl<T: 'static, V: Variables> Variables for (T, V) {
    fn missing<'a>(names: &[&'a str], store: &Store) -> Option<&'a str> {
        let (name, others) = names.split_first()?;
        match store.get(*name) {
            Some(kept) if kept.type_id == TypeId::of::<T>() => V::missing(others, store),
            _ => Some(name),
        }
    }

    fn take(names: &[&str], store: &mut Store) -> Option<Self> {
        let (name, others) = names.split_first()?;
        let value = store.remove(*name)?.value.downcast().ok()?;
        Some((*value, V::take(others, store)?))
    }
}
