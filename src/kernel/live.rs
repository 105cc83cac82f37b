//! The live kernel: one process per chapter that stays, and runs after an edit only what the edit
//! touches.
//!
//! In: a chapter's plan and a prepared [`Workspace`]. Out: one outcome a cell. A [`Pool`] of
//! contexts outlives the kernel, so that the next build finds their variables. Each context is a
//! `veracity-live`, which compiles the statements that are made here of one cell or, where a
//! variable cannot be kept between cells, of several. What a process that stays cannot do is left to the
//! chapter's program, compiled beside: warnings of the compiler, which evcxr does not pass on, and the
//! jobs of sweeps.

mod companion;
mod context;
mod evaluate;
mod host;
mod memory;
mod messages;
mod run;
mod warm;

pub use companion::{Companion, cache_folder, find, obtain};
pub use warm::WarmKernel;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use self::context::Context;
use self::run::{EarlyDeath, Gone};
use super::batch::BatchKernel;
use super::workspace::{Workspace, library_crate};
use super::{Completion, Ending, Event, Kernel, Outcome, Tested, process};
use crate::diag::Diagnostic;
use crate::plan::{ChapterPlan, Tests, tangle};

/// How long a person waits for what may stand at a place. Where it is first asked, sources of all crates
/// are read, which takes seconds.
const PATIENCE: Duration = Duration::from_millis(400);

/// Contexts that stay between builds.
#[derive(Debug, Default)]
pub struct Pool {
    /// The executable `veracity-live`, once it has been needed.
    executable: Mutex<Option<PathBuf>>,
    contexts: Mutex<BTreeMap<String, Arc<Mutex<Option<Context>>>>>,
    warmth: warm::Warmth,
    absence: Absence,
}

/// What is done if `veracity-live` is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Absence {
    /// It is built.
    #[default]
    Build,
    /// Nothing is run in contexts.
    GiveUp,
}

impl Pool {
    /// A pool that does not look for its executable.
    pub fn of(executable: PathBuf) -> Self {
        Self { executable: Mutex::new(Some(executable)), ..Self::default() }
    }

    /// A pool that looks for its executable, and does this if it is not there.
    pub fn looking(absence: Absence) -> Self {
        Self { absence, ..Self::default() }
    }

    /// Process identifiers of the contexts, by chapter, for those who measure.
    pub fn processes(&self) -> BTreeMap<String, u32> {
        let contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        let id = |context: &Arc<Mutex<Option<Context>>>| {
            context.try_lock().ok()?.as_ref().map(Context::process)
        };
        contexts.iter().filter_map(|(slug, context)| Some((slug.clone(), id(context)?))).collect()
    }

    /// Ends the contexts of chapters that are not among these.
    pub fn keep_only(&self, slugs: &[&str]) {
        let mut contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        contexts.retain(|slug, _| slugs.contains(&slug.as_str()));
    }

    fn executable(
        &self,
        workspace: &Workspace,
        interrupted: &dyn Fn() -> bool,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Result<PathBuf, Diagnostic> {
        let mut known = self.executable.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = known.as_ref().filter(|path| path.is_file()) {
            return Ok(path.clone());
        }
        if self.absence == Absence::GiveUp
            && let Companion::Missing(_) = find(&workspace.toolchain)?
        {
            return Err(Diagnostic::global("live-kernel", "veracity-live is not there")
                .hint("`--kernel live` builds it once, which takes minutes"));
        }
        let tell = |words| sink(Event::Building(words));
        let path = obtain(&workspace.toolchain, workspace.network, interrupted, &tell)?;
        Ok(known.insert(path).clone())
    }

    fn context(&self, slug: &str) -> Arc<Mutex<Option<Context>>> {
        let mut contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(contexts.entry(slug.to_owned()).or_default())
    }
}

/// For whom contexts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For the report: what cells put out is what it says.
    Report,
    /// For a person who asks questions; nothing of it reaches the report.
    Console,
}

/// Runs cells in the contexts of a pool.
#[derive(Debug)]
pub struct LiveKernel {
    pool: Arc<Pool>,
    ground: Ground,
    /// How often runs were interrupted.
    interrupts: AtomicU64,
}

/// What a context is made from.
#[derive(Debug)]
struct Ground {
    purpose: Purpose,
    /// Compiles the chapter's program.
    batch: BatchKernel,
    /// Most processes at a time into which a cell may divide its work.
    jobs: usize,
    workspace: Workspace,
    /// Folder in which cells run: the report's root.
    root: PathBuf,
    /// Folder for what contexts and runs leave behind.
    build: PathBuf,
    data: PathBuf,
}

impl LiveKernel {
    /// A kernel that runs cells in `root`, each divided into at most so many processes.
    pub fn new(
        purpose: Purpose,
        pool: Arc<Pool>,
        workspace: Workspace,
        root: PathBuf,
        build: PathBuf,
        data: PathBuf,
        jobs: usize,
    ) -> Self {
        let folders = (root.clone(), build.clone(), data.clone());
        let batch = BatchKernel::new(workspace.clone(), folders.0, folders.1, folders.2, jobs);
        let ground = Ground { purpose, batch, jobs, workspace, root, build, data };
        Self { pool, ground, interrupts: AtomicU64::new(0) }
    }
}

impl LiveKernel {
    /// Whether a context is there, idle, and made from what the chapter stands on.
    pub fn is_ready(&self, chapter: &ChapterPlan) -> bool {
        let context = self.pool.context(&chapter.slug);
        let context = context.try_lock();
        context.is_ok_and(|context| {
            context.as_ref().is_some_and(|context| context.fits(&self.ground, chapter))
        })
    }

    /// Whether the person asked for contexts, at whatever price.
    fn is_wanted(&self) -> bool {
        self.pool.absence == Absence::Build
    }

    /// Opens the context of a chapter, unless it is there. Edits do not interrupt that.
    ///
    /// # Errors
    /// If `veracity-live` cannot be had, the chapter's library does not compile, or it was interrupted.
    pub fn open(
        &self,
        chapter: &ChapterPlan,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Result<(), Diagnostic> {
        let interrupted = process::interrupted;
        let context = self.pool.context(&chapter.slug);
        let mut context = context.lock().unwrap_or_else(PoisonError::into_inner);
        run::ready(&mut context, &self.pool, &self.ground, chapter, &interrupted, sink)
            .map(|_| ())
            .map_err(run::Problem::into_diagnostic)
    }

    fn evaluate(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome> {
        let interrupted = &self.interrupted();
        let context = self.pool.context(&chapter.slug);
        let mut context = context.lock().unwrap_or_else(PoisonError::into_inner);
        let mut attempt = |death| {
            let ground = &self.ground;
            match run::ready(&mut context, &self.pool, ground, chapter, interrupted, sink) {
                Ok(context) => {
                    run::Run { ground, chapter, context, interrupted, sink }.outcomes(cells, death)
                }
                Err(problem) => Ok(run::none(chapter, cells, problem)),
            }
        };
        let outcomes = attempt(EarlyDeath::Innocent).or_else(|Gone| attempt(EarlyDeath::Guilty));
        outcomes.unwrap_or_else(|Gone| {
            cells.iter().map(|_| Outcome::silent(Ending::NotReached)).collect()
        })
    }

    /// Whether nobody waits any more for what begins now.
    fn interrupted(&self) -> impl Fn() -> bool + '_ {
        let since = self.interrupts.load(Ordering::SeqCst);
        move || process::interrupted() || self.interrupts.load(Ordering::SeqCst) != since
    }
}

impl Ground {
    /// Folder for contexts and runs, apart from those of the other purpose.
    fn own(&self) -> PathBuf {
        match self.purpose {
            Purpose::Report => self.build.clone(),
            Purpose::Console => self.build.join(CONSOLE_FOLDER),
        }
    }
}

/// Folder, below that of a build, with everything that is for a console alone.
pub const CONSOLE_FOLDER: &str = "console";

impl Kernel for LiveKernel {
    fn run(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome> {
        thread::scope(|scope| {
            // That takes no longer than the evaluation beside it.
            if self.ground.purpose == Purpose::Report {
                scope.spawn(|| self.ground.batch.warn(chapter, cells, sink));
            }
            self.evaluate(chapter, cells, sink)
        })
    }

    fn test(
        &self,
        chapter: &ChapterPlan,
        tests: &Tests,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Option<Tested> {
        self.ground.batch.test(chapter, tests, sink)
    }

    fn complete(&self, chapter: &ChapterPlan, cells: &[usize], typed: &str) -> Option<Completion> {
        let context = self.pool.context(&chapter.slug);
        let mut context = context.try_lock().ok()?;
        let context = context.as_mut().filter(|context| context.fits(&self.ground, chapter))?;
        let library = library_crate(&chapter.slug);
        let (code, at) = tangle::half_typed(chapter, &library, cells, typed);
        context.host.complete(code, at, PATIENCE).ok()?
    }

    fn interrupt(&self) {
        self.interrupts.fetch_add(1, Ordering::SeqCst);
        self.ground.batch.interrupt();
    }
}
