//! Replays cells whose results are stored and runs the others.
//!
//! In: a [`Plan`], a [`Kernel`] and a [`Store`]. Out: [`Executed`], and events on the way.
//! If every cell of a chapter is stored, its kernel does not start. Otherwise those run that are
//! missing and those on which they build, because variables cannot be stored. A cell that fails
//! takes along what builds on it and nothing else. Chapters run in parallel.
//! Left out: what a run means for the claims.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use veracity_protocol::CellOutput;

use crate::cache::{CellRecord, Found, SharedRecord, Store};
use crate::claims::Reason;
use crate::diag::Diagnostic;
use crate::kernel::{self, Ending, Kernel, Outcome, Tested};
use crate::plan::{Bar, CellPlan, ChapterPlan, Plan, Reuse, Tests};

/// Results of all chapters, in the order of the chapters.
#[derive(Clone, Debug, Default)]
pub struct Executed {
    /// One per chapter.
    pub chapters: Vec<ExecutedChapter>,
    /// What is stored of runs on other devices, by device, if claims must hold there too.
    pub elsewhere: BTreeMap<String, Executed>,
}

/// Results of one chapter, in the order of its cells.
#[derive(Clone, Debug, Default)]
pub struct ExecutedChapter {
    /// One per cell.
    pub cells: Vec<CellResult>,
}

/// What became of one cell.
#[derive(Clone, Debug)]
pub struct CellResult {
    /// Cache key, hexadecimal.
    pub key: String,
    /// Device for which it was planned.
    pub device: String,
    /// Profile for which it was planned.
    pub profile: String,
    /// Seed that it was given.
    pub seed: u64,
    /// How it ended.
    pub status: CellStatus,
    /// What it put out; nothing unless it is done, but for what it printed.
    pub record: SharedRecord,
}

/// How a cell ended.
#[derive(Clone, Debug)]
pub enum CellStatus {
    /// To its end.
    Done,
    /// With an error, a panic, a time-out, or without compiling.
    Failed(Diagnostic),
    /// Not run, for a reason that is put into words.
    NotRun(Reason, String),
}

/// Something that happened while cells were replayed or run.
#[derive(Clone, Debug)]
pub enum ExecEvent<'a> {
    /// All cells of a chapter were stored.
    Replayed {
        /// The chapter.
        chapter: &'a ChapterPlan,
    },
    /// Cells of a chapter are about to be built and run.
    Running {
        /// The chapter.
        chapter: &'a ChapterPlan,
        /// How many cells.
        cells: usize,
    },
    /// The kernel says something.
    Kernel {
        /// The chapter.
        chapter: &'a ChapterPlan,
        /// What it says.
        event: kernel::Event,
    },
    /// A chapter has been run.
    Ran {
        /// The chapter.
        chapter: &'a ChapterPlan,
    },
}

/// Replays and runs all cells of a plan, at most `jobs` chapters at a time.
pub fn execute(
    plan: &Plan,
    kernel: &dyn Kernel,
    store: &Store,
    jobs: usize,
    sink: &(dyn Fn(ExecEvent<'_>) + Sync),
) -> (Executed, Vec<Diagnostic>) {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(chapter) = plan.chapters.get(index) else { return };
            let result = execute_chapter(chapter, kernel, store, sink);
            if let Ok(mut done) = done.lock() {
                done.insert(index, result);
            }
        }
    };
    let jobs = jobs.clamp(1, plan.chapters.len().max(1));
    thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(work);
        }
        work();
    });
    let mut chapters = Vec::with_capacity(plan.chapters.len());
    let mut diagnostics = Vec::new();
    for (chapter, found) in done.into_inner().unwrap_or_default().into_values() {
        chapters.push(chapter);
        diagnostics.extend(found);
    }
    (Executed { chapters, elsewhere: BTreeMap::new() }, diagnostics)
}

/// Codes of what is wrong with tests in modules.
pub const FAILED_TESTS: [&str; 2] = ["test-failed", "test-timeout"];

/// Runs the tests in the modules of all chapters, one chapter after the other, unless it is stored that
/// they passed; gives what is wrong with them.
pub fn test(
    plan: &Plan,
    kernel: &dyn Kernel,
    store: &Store,
    sink: &(dyn Fn(ExecEvent<'_>) + Sync),
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for chapter in &plan.chapters {
        let Some(tests) = &chapter.tests else { continue };
        match chapter.reuse {
            Reuse::Stored if passed(tests, store, &mut diagnostics) => continue,
            Reuse::Stored | Reuse::Nothing => {}
            // Another chapter alone was asked for.
            Reuse::OnlyStored | Reuse::Meanwhile => continue,
        }
        match kernel.test(chapter, tests, &|event| sink(ExecEvent::Kernel { chapter, event })) {
            None => diagnostics.push(untested(tests)),
            Some(Tested { wrong, idle }) => {
                diagnostics.extend(not_run(tests, &idle));
                // Where none ran, none has passed.
                let has_run = tests.written.iter().any(|test| !idle.contains(&test.name));
                if wrong.is_empty() && has_run {
                    let record = CellRecord { stdout: idle.join("\n"), ..CellRecord::empty() };
                    // What cannot be kept is found again.
                    let _ = store.put(tests.key, &record);
                }
                diagnostics.extend(wrong);
            }
        }
        sink(ExecEvent::Ran { chapter });
    }
    diagnostics
}

/// Whether it is stored that tests passed; tells again of those that were not run.
fn passed(tests: &Tests, store: &Store, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let Found::Whole(record) = store.get(tests.key) else { return false };
    let names: Vec<String> = record.stdout.lines().map(str::to_owned).collect();
    diagnostics.extend(not_run(tests, &names));
    true
}

/// Tells which tests were not run, so that they do not look as if they had passed.
fn not_run(tests: &Tests, names: &[String]) -> Option<Diagnostic> {
    let (first, more) = names.split_first()?;
    let words = match more.len() {
        0 => format!("the test `{first}` was not run"),
        more => format!("the test `{first}` and {more} more were not run"),
    };
    let warning = Diagnostic::warning("idle-test", words, tests.place(first).clone())
        .hint("leave away the `#[ignore]` or `#[cfg(…)]` at it or its module, or the test");
    let place = |name: &String| (tests.place(name).clone(), format!("nor was `{name}`"));
    Some(
        more.iter().map(place).fold(warning, |warning, (span, words)| warning.related(span, words)),
    )
}

/// A warning for each chapter whose tests this kind of build does not run, so that they do not look as
/// if they had passed.
pub fn idle_tests(plan: &Plan) -> Vec<Diagnostic> {
    plan.chapters.iter().filter_map(|chapter| chapter.tests.as_ref()).map(untested).collect()
}

fn untested(tests: &Tests) -> Diagnostic {
    let words = "the tests of this chapter's modules were not run";
    Diagnostic::warning("idle-test", words, tests.span.clone())
        .hint("`veracity check` and `veracity build-report` run them on the CPU")
}

/// Why each cell of a chapter cannot run, as far as that is known before any does.
pub(crate) fn barred(chapter: &ChapterPlan) -> Vec<Option<CellStatus>> {
    // Behind a cell that is not even Rust, nothing of the chapter can be trusted to stand.
    let mut broken: Option<&str> = None;
    let mut reasons = Vec::with_capacity(chapter.cells.len());
    for cell in &chapter.cells {
        reasons.push(match (&cell.barred, broken) {
            (Some(Bar::Syntax(diagnostic)), None) => {
                broken = Some(&cell.id);
                Some(CellStatus::Failed(diagnostic.clone()))
            }
            (_, Some(by)) => {
                Some(CellStatus::NotRun(Reason::Blocked, format!("cell `{by}` before it failed")))
            }
            (Some(Bar::Needs(reason, words)), None) => {
                Some(CellStatus::NotRun(*reason, words.clone()))
            }
            (None, None) => None,
        });
    }
    reasons
}

fn execute_chapter(
    chapter: &ChapterPlan,
    kernel: &dyn Kernel,
    store: &Store,
    sink: &(dyn Fn(ExecEvent<'_>) + Sync),
) -> (ExecutedChapter, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut results: Vec<Option<CellResult>> = Vec::with_capacity(chapter.cells.len());
    let mut missing = false;
    for (cell, barred) in chapter.cells.iter().zip(barred(chapter)) {
        results.push(match barred {
            Some(status) => Some(result(chapter, cell, status, CellRecord::empty())),
            None if chapter.reuse == Reuse::Nothing => {
                missing = true;
                None
            }
            None => match store.get(cell.key) {
                Found::Whole(record) => Some(result(chapter, cell, CellStatus::Done, record)),
                Found::Corrupt => {
                    diagnostics.push(Diagnostic::warning(
                        "cache-corrupt",
                        "the stored result of this cell was damaged; it is made again",
                        cell.span.clone(),
                    ));
                    missing = true;
                    None
                }
                Found::Nothing => {
                    missing = true;
                    None
                }
            },
        });
    }
    let instead = match chapter.reuse {
        Reuse::OnlyStored => Some("another chapter alone was asked for"),
        Reuse::Meanwhile => Some("its code has changed and is running"),
        Reuse::Stored | Reuse::Nothing => None,
    };
    if let Some(words) = instead {
        for (cell, result) in chapter.cells.iter().zip(&mut results) {
            let words = words.to_owned();
            result.get_or_insert_with(|| {
                self::result(
                    chapter,
                    cell,
                    CellStatus::NotRun(Reason::NotRun, words),
                    CellRecord::empty(),
                )
            });
        }
    } else if missing {
        run(chapter, kernel, store, &mut results, &mut diagnostics, sink);
    } else {
        sink(ExecEvent::Replayed { chapter });
    }
    let cells: Vec<CellResult> = chapter
        .cells
        .iter()
        .zip(results)
        .map(|(cell, result)| {
            result.unwrap_or_else(|| {
                let words = "the kernel said nothing of it".to_owned();
                let status = CellStatus::NotRun(Reason::NotRun, words);
                self::result(chapter, cell, status, CellRecord::empty())
            })
        })
        .collect();
    diagnostics.extend(cells.iter().filter_map(|cell| match &cell.status {
        CellStatus::Failed(diagnostic) => Some(diagnostic.clone()),
        _ => None,
    }));
    (ExecutedChapter { cells }, diagnostics)
}

fn run(
    chapter: &ChapterPlan,
    kernel: &dyn Kernel,
    store: &Store,
    results: &mut [Option<CellResult>],
    diagnostics: &mut Vec<Diagnostic>,
    sink: &(dyn Fn(ExecEvent<'_>) + Sync),
) {
    let mut wanted = stale(chapter, results);
    let mut whole = false;
    while !wanted.is_empty() {
        let runnable = with_needs(chapter, &wanted);
        sink(ExecEvent::Running { chapter, cells: runnable.len() });
        let warnings = Mutex::new(Vec::new());
        let outcomes = kernel.run(chapter, &runnable, &|event| {
            if let kernel::Event::Warning(warning) = &event
                && let Ok(mut warnings) = warnings.lock()
            {
                warnings.push((**warning).clone());
            }
            sink(ExecEvent::Kernel { chapter, event });
        });
        // The type of a variable may follow from a cell that was left out, because its result
        // is stored: what ran before must not fail for that.
        let failed_again = |(index, outcome): (&usize, &Outcome)| {
            matches!(outcome.ending, Ending::Failed(_)) && !wanted.contains(index)
        };
        if !whole && runnable.iter().zip(&outcomes).any(failed_again) {
            wanted = runnable_at_all(chapter, results);
            whole = true;
            continue;
        }
        for warning in warnings.into_inner().unwrap_or_default() {
            // The notes on it depend on what else was compiled.
            let is_known =
                |known: &Diagnostic| known.span == warning.span && known.message == warning.message;
            if !diagnostics.iter().any(is_known) {
                diagnostics.push(warning);
            }
        }
        let reached = take(chapter, store, results, diagnostics, &runnable, outcomes);
        wanted.retain(|index| !reached.contains(index));
        for &index in &wanted {
            let failed = chapter.cells[index]
                .needs
                .iter()
                .find(|&&needed| results[needed].as_ref().is_some_and(|result| !result.is_done()));
            if let Some(&failed) = failed {
                let Outcome { ending, .. } = Outcome::blocked(&chapter.cells[failed].id);
                let Ending::NotRun(reason, words) = ending else { continue };
                let status = CellStatus::NotRun(reason, words);
                results[index] =
                    Some(result(chapter, &chapter.cells[index], status, CellRecord::empty()));
            }
        }
        wanted.retain(|&index| results[index].as_ref().is_none_or(CellResult::is_done));
        // A kernel that gets nowhere will not get further.
        if reached.is_empty() {
            break;
        }
    }
    sink(ExecEvent::Ran { chapter });
}

/// The cells to run: those without a stored result, and those that build on a cell which will
/// give another result because it depends on the clock.
fn stale(chapter: &ChapterPlan, results: &[Option<CellResult>]) -> BTreeSet<usize> {
    let mut wanted: BTreeSet<usize> =
        (0..results.len()).filter(|&index| results[index].is_none()).collect();
    loop {
        let running = with_needs(chapter, &wanted);
        let moved = |needed: &usize| chapter.cells[*needed].measured && running.contains(needed);
        let next = runnable_at_all(chapter, results).into_iter().find(|index| {
            !wanted.contains(index)
                && (moved(index) || chapter.cells[*index].needs.iter().any(moved))
        });
        match next {
            Some(next) => wanted.insert(next),
            None => return wanted,
        };
    }
}

fn runnable_at_all(chapter: &ChapterPlan, results: &[Option<CellResult>]) -> BTreeSet<usize> {
    let can_run = |index: &usize| results[*index].as_ref().is_none_or(CellResult::is_done);
    (0..chapter.cells.len()).filter(can_run).collect()
}

/// Cells together with those on which they build, in order.
fn with_needs(chapter: &ChapterPlan, wanted: &BTreeSet<usize>) -> Vec<usize> {
    let mut all = wanted.clone();
    all.extend(wanted.iter().flat_map(|&index| &chapter.cells[index].needs));
    all.into_iter().collect()
}

/// Takes over what a kernel found; gives the cells of which it said something final.
fn take(
    chapter: &ChapterPlan,
    store: &Store,
    results: &mut [Option<CellResult>],
    diagnostics: &mut Vec<Diagnostic>,
    runnable: &[usize],
    outcomes: Vec<Outcome>,
) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    for (&index, outcome) in runnable.iter().zip(outcomes) {
        let cell = &chapter.cells[index];
        let Outcome { ending, stdout, stderr, duration_ms } = outcome;
        let (status, output) = match ending {
            Ending::Done(output) => (CellStatus::Done, output),
            Ending::Failed(diagnostic) => (CellStatus::Failed(*diagnostic), CellOutput::default()),
            Ending::NotReached => continue,
            Ending::NotRun(reason, words) => {
                reached.insert(index);
                // A result that is stored is right even if the program could not be built.
                if results[index].is_some() {
                    continue;
                }
                (CellStatus::NotRun(reason, words), CellOutput::default())
            }
        };
        reached.insert(index);
        let record = CellRecord { output, stdout, stderr, duration_ms };
        if matches!(status, CellStatus::Done)
            && let Err(error) = store.put(cell.key, &record)
        {
            diagnostics.push(
                Diagnostic::warning(
                    "cache-write",
                    format!("the result of this cell cannot be stored: {error}"),
                    cell.span.clone(),
                )
                .hint("the next build will run it again"),
            );
        }
        results[index] = Some(result(chapter, cell, status, record));
    }
    reached
}

/// What became of a cell, with what it was planned for.
pub(crate) fn result(
    chapter: &ChapterPlan,
    cell: &CellPlan,
    status: CellStatus,
    record: impl Into<SharedRecord>,
) -> CellResult {
    CellResult {
        key: cell.key.to_string(),
        device: chapter.foundation.device.clone(),
        profile: chapter.foundation.profile.clone(),
        seed: chapter.foundation.seed,
        status,
        record: record.into(),
    }
}

impl CellResult {
    /// Whether the cell ran to its end.
    pub fn is_done(&self) -> bool {
        matches!(self.status, CellStatus::Done)
    }
}
