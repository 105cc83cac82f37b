//! Runs the cells of a chapter in another process.
//!
//! In: a [`ChapterPlan`] and which of its cells to run. Out: one [`Outcome`] a cell, and
//! events on the way. [`batch`] compiles a program for the chapter; [`scripted`] answers from
//! a list, for tests. Left out: what is stored and replayed, which is [`crate::exec`]'s.

pub mod absent;
pub mod batch;
pub mod behind;
pub mod cluster;
mod compile;
pub mod confine;
pub mod cuda;
#[cfg(unix)]
pub mod live;
mod outbox;
pub mod process;
pub mod scripted;
mod streams;
mod toolchain;
pub mod workspace;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use veracity_protocol::{CellOutput, RunPlan, THIS_RUN};

use crate::claims::Reason;
use crate::diag::Diagnostic;
use crate::plan::{ChapterPlan, Tests};

/// Something that runs cells.
pub trait Kernel: Send + Sync {
    /// Runs the cells with the given indices, in order; gives one outcome for each. Among them
    /// are all on which one of them builds.
    fn run(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome>;

    /// Runs the tests in the modules of a chapter; gives what came of them, or nothing at all if
    /// this kernel runs none.
    fn test(
        &self,
        _chapter: &ChapterPlan,
        _tests: &Tests,
        _sink: &(dyn Fn(Event) + Sync),
    ) -> Option<Tested> {
        None
    }

    /// What may stand at the end of something half-typed behind the cells with the given indices, as
    /// far as that is known at once.
    fn complete(&self, _: &ChapterPlan, _cells: &[usize], _typed: &str) -> Option<Completion> {
        None
    }

    /// Ends the runs in progress as soon as possible, because nobody waits for them any more.
    /// Later runs are not affected.
    fn interrupt(&self) {}
}

/// What came of the tests in a chapter's modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tested {
    /// What is wrong; nothing if all that ran have passed.
    pub wrong: Vec<Diagnostic>,
    /// Names of those that were not run, because they are marked to be ignored or are not in the program.
    pub idle: Vec<String>,
}

/// What may stand at the end of something half-typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// How many bytes before the end the words stand for.
    pub typed: usize,
    /// The words, with the arguments that a function takes.
    pub words: Vec<String>,
}

/// Something that happened while cells were built or run.
#[derive(Clone, Debug)]
pub enum Event {
    /// A crate begins to be compiled, or another step of building, in words.
    Building(String),
    /// A cell began.
    Started {
        /// Index of the cell in its chapter.
        cell: usize,
    },
    /// Long work in a cell has advanced.
    Progress {
        /// Index of the cell in its chapter.
        cell: usize,
        /// What is being done.
        task: String,
        /// Units done.
        done: u64,
        /// Units in total, if known.
        total: Option<u64>,
        /// Further words.
        note: String,
        /// Numbers to follow, such as the present loss.
        metrics: BTreeMap<String, f64>,
    },
    /// A cell ended, well or badly.
    Ended {
        /// Index of the cell in its chapter.
        cell: usize,
    },
    /// The compiler warns of something in the chapter.
    Warning(Box<Diagnostic>),
}

/// What became of one cell.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Standard output, cut if very long.
    pub stdout: String,
    /// Standard error, cut if very long.
    pub stderr: String,
    /// Wall time.
    pub duration_ms: u64,
}

/// How a cell ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// To its end.
    Done(CellOutput),
    /// With an error, a panic or a time-out, or it did not compile.
    Failed(Box<Diagnostic>),
    /// Not run, and no other run would change that.
    NotRun(Reason, String),
    /// Not run because a cell before it failed, on which it need not build.
    NotReached,
}

impl Outcome {
    /// An outcome without output.
    pub fn silent(ending: Ending) -> Self {
        Self { ending, stdout: String::new(), stderr: String::new(), duration_ms: 0 }
    }

    /// The outcome of a cell behind one that failed.
    pub fn blocked(by: &str) -> Self {
        Self::silent(Ending::NotRun(Reason::Blocked, format!("cell `{by}` before it failed")))
    }
}

/// The plan of a chapter's program for a run elsewhere, which brings folders and a nonce.
pub fn bundled_plan(chapter: &ChapterPlan, cells: &[usize]) -> RunPlan {
    let outbox = Path::new(THIS_RUN);
    let nowhere = Path::new("");
    let (memo, data) = (PathBuf::new(), nowhere);
    outbox::Start { chapter, cells, outbox, memo, data, jobs: 1, cluster: None }.plan()
}

/// Adds the durations of the cells that ended well to a run elsewhere, from its events.
///
/// # Errors
/// As for reading a file.
pub fn finished(events: &Path, durations: &mut BTreeMap<usize, u64>) -> io::Result<()> {
    for event in outbox::Events::open(events)?.read()? {
        if let veracity_protocol::Event::Finished { cell, duration_ms } = event {
            durations.insert(cell, duration_ms);
        }
    }
    Ok(())
}

/// What each cell of a run elsewhere printed on one stream.
///
/// # Errors
/// As for reading a file.
pub fn texts(stream: impl io::Read, nonce: &str, cells: usize) -> io::Result<Vec<String>> {
    let parts = Mutex::new(streams::Parts::new(cells));
    streams::split(stream, nonce, &parts)?;
    Ok(parts.into_inner().map(|parts| parts.texts()).unwrap_or_default())
}

/// What the cell at `position` of a run elsewhere published.
///
/// # Errors
/// As for reading a file, or if it is no output of a cell.
pub fn output(outbox: &Path, position: usize) -> io::Result<CellOutput> {
    outbox::read_output(outbox, position)
}
