//! A kernel between a session and its real kernel.
//!
//! In: runs. Out: their outcomes. A run whose cells failed is not run again while its code is the
//! same, so that prose can be written around a cell that does not compile; a run that nobody waits
//! for any more does not start. Places in messages follow the code when prose around it moves. A failure
//! that has another reason than the code, such as a full disk, is forgotten with the next change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::diag::Diagnostic;
use crate::kernel::{Ending, Event, Kernel, Outcome};
use crate::plan::ChapterPlan;
use crate::span::Span;

/// Runs with failures that are remembered; each is at most one chapter's.
const REMEMBERED: usize = 64;

/// Runs that ended with a failure, the newest last.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<Vec<Run>>);

#[derive(Debug)]
struct Run {
    /// What was run: cells with their keys.
    what: String,
    /// The chapter as it was then.
    chapter: ChapterPlan,
    outcomes: Vec<Outcome>,
    warnings: Vec<Diagnostic>,
}

/// A kernel that can be told that nobody waits.
pub(super) struct Attended<'a> {
    pub(super) kernel: &'a dyn Kernel,
    pub(super) failures: &'a Failures,
    pub(super) stopped: &'a AtomicBool,
}

impl Failures {
    /// Forgets all, because something outside of the cells' keys may have changed.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Forgets those that do not follow from code.
    pub(super) fn forget_outside(&self) {
        let is_outside = |outcome: &Outcome| match &outcome.ending {
            Ending::Failed(problem) => is_from_outside(problem),
            _ => false,
        };
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|run| !run.outcomes.iter().any(is_outside));
    }
}

impl Kernel for Attended<'_> {
    fn run(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome> {
        let nothing = || cells.iter().map(|_| Outcome::silent(Ending::NotReached)).collect();
        if self.stopped.load(Ordering::SeqCst) {
            return nothing();
        }
        let what = described(chapter, cells);
        if let Some((outcomes, warnings)) = self.remembered(&what, chapter) {
            warnings.into_iter().for_each(|warning| sink(Event::Warning(Box::new(warning))));
            return outcomes;
        }
        let warnings = Mutex::new(Vec::new());
        let outcomes = self.kernel.run(chapter, cells, &|event| {
            if let Event::Warning(warning) = &event
                && let Ok(mut warnings) = warnings.lock()
            {
                warnings.push((**warning).clone());
            }
            sink(event);
        });
        if self.stopped.load(Ordering::SeqCst) {
            return nothing();
        }
        if outcomes.iter().any(|outcome| matches!(outcome.ending, Ending::Failed(_))) {
            let mut runs = self.failures.0.lock().unwrap_or_else(PoisonError::into_inner);
            if runs.len() == REMEMBERED {
                runs.remove(0);
            }
            let warnings = warnings.into_inner().unwrap_or_default();
            let (chapter, outcomes) = (chapter.clone(), outcomes.clone());
            runs.push(Run { what, chapter, outcomes, warnings });
        }
        outcomes
    }
}

/// Whether a failure follows from something else than the code: what could not be written or started, and
/// what the compiler says of no place.
pub(super) fn is_from_outside(problem: &Diagnostic) -> bool {
    match problem.code {
        "build-folder" | "kernel" | "live-kernel" | "toolchain" => true,
        "compile-error" => problem.span.as_ref().is_none_or(|span| span.range.is_empty()),
        _ => false,
    }
}

impl Attended<'_> {
    fn remembered(
        &self,
        what: &str,
        chapter: &ChapterPlan,
    ) -> Option<(Vec<Outcome>, Vec<Diagnostic>)> {
        let runs = self.failures.0.lock().unwrap_or_else(PoisonError::into_inner);
        let run = runs.iter().find(|run| run.what == what)?;
        let follow = |diagnostic: &Diagnostic| moved(diagnostic, &run.chapter, chapter);
        let outcomes = run
            .outcomes
            .iter()
            .map(|outcome| {
                let ending = match &outcome.ending {
                    Ending::Failed(diagnostic) => Ending::Failed(Box::new(follow(diagnostic))),
                    ending => ending.clone(),
                };
                Outcome { ending, ..outcome.clone() }
            })
            .collect();
        Some((outcomes, run.warnings.iter().map(follow).collect()))
    }
}

/// All that a run depends on, limits of time included.
fn described(chapter: &ChapterPlan, cells: &[usize]) -> String {
    let mut words = format!("{} {:?}", chapter.slug, chapter.reuse);
    for &cell in cells {
        let cell = &chapter.cells[cell];
        words.push_str(&format!(" {} {} {:?}", cell.id, cell.key, cell.timeout));
    }
    words
}

/// A diagnostic on the same code at its present place.
fn moved(diagnostic: &Diagnostic, old: &ChapterPlan, new: &ChapterPlan) -> Diagnostic {
    let mut diagnostic = diagnostic.clone();
    let spans =
        diagnostic.span.iter_mut().chain(diagnostic.related.iter_mut().map(|(span, _)| span));
    for span in spans {
        if let Some(there) = follow(span, old, new) {
            *span = there;
        }
    }
    diagnostic
}

/// A span in a block of code, or the beginning of the chapter, in the chapter as it is now.
fn follow(span: &Span, old: &ChapterPlan, new: &ChapterPlan) -> Option<Span> {
    if span.source.path() != old.source.path() {
        return None;
    }
    let at = span.range.start;
    let cells = old.cells.iter().zip(&new.cells).map(|(old, new)| {
        // Options may have changed; the code ends the block as it did.
        (old.span.range.clone(), new.span.range.end as isize - old.span.range.end as isize)
    });
    let modules = old.modules.iter().zip(&new.modules).map(|(old, new)| {
        let range = old.offset(0)..old.offset(old.text.len());
        (range, new.offset(0) as isize - old.offset(0) as isize)
    });
    let (block, shift) = cells.chain(modules).find(|(range, _)| range.contains(&at))?;
    let start = span.range.start.checked_add_signed(shift)?;
    let end = span.range.end.checked_add_signed(shift)?;
    match span.range == block {
        // The whole block, whose options may have another length now.
        true => new.cells.iter().map(|cell| &cell.span).find(|span| span.range.end == end).cloned(),
        false => Some(new.source.span(start..end)),
    }
}
