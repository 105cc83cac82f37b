//! Cells at work on a thread of their own.
//!
//! In: what the author wrote, and what is kept between builds. Out: what came of the cells, and on
//! the way what the session needs to show and to interrupt them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::attend::{Attended, Failures};
use super::{Subscriber, Update};
use crate::diag::Diagnostic;
use crate::exec::{ExecEvent, Executed};
use crate::kernel::workspace::Workspace;
use crate::pipeline::{self, BuildEvent, BuildRequest, Ground, Planned, Prepare, Written};
use crate::publish::Output;

/// How long cells may run before a page is shown without their results.
const MEANWHILE: Duration = Duration::from_millis(400);

/// What a job found.
pub(super) type Ended = Box<Result<Ran, Vec<Diagnostic>>>;

/// Cells that have been replayed or run.
pub(super) struct Ran {
    /// Held while cells ran; other builds wait for it.
    pub(super) output: Output,
    pub(super) results: (Executed, Vec<Diagnostic>),
}

/// Cells that are being replayed or run on a thread of their own.
pub(super) struct Job {
    pub(super) started: Instant,
    /// What the author had written when it began.
    pub(super) written: Written,
    pub(super) shared: Arc<Shared>,
    /// Whether a page without the missing results has been shown.
    pub(super) meanwhile: bool,
    /// Whether the files have changed since.
    pub(super) outdated: bool,
    /// Whether they have, and it was too early to tell if the same would run.
    pub(super) undecided: bool,
}

/// What a job runs, against what has to run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    TheSame,
    Another,
    /// It is not planned yet.
    Unknown,
}

impl Job {
    /// How long it is until a page is shown without its results; nothing if that has been done.
    pub(super) fn until_meanwhile(&self, now: Instant) -> Option<Duration> {
        (!self.meanwhile).then(|| (self.started + MEANWHILE).saturating_duration_since(now))
    }
}

/// What a job tells while it works.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) ground: OnceLock<Arc<Ground>>,
    pub(super) planned: OnceLock<Planned>,
    /// Whether cells run that must be waited for.
    pub(super) running: AtomicBool,
    pub(super) stopped: AtomicBool,
}

/// Everything that a job needs on its thread.
pub(super) struct Work {
    pub(super) request: BuildRequest,
    pub(super) prepare: Arc<Prepare>,
    pub(super) subscriber: Subscriber,
    pub(super) ground: Option<Arc<Ground>>,
    pub(super) failures: Arc<Failures>,
    pub(super) shared: Arc<Shared>,
}

impl Work {
    pub(super) fn run(&self, written: Written) -> Result<Ran, Vec<Diagnostic>> {
        let shared = &self.shared;
        let sink = |event: BuildEvent<'_>| {
            if matches!(event, BuildEvent::Exec(ExecEvent::Running { .. })) {
                shared.running.store(true, Ordering::SeqCst);
            }
            (self.subscriber)(Update::Build(&event));
        };
        let output = Output::open(&self.request.out, || sink(BuildEvent::Waiting))
            .map_err(|problem| vec![problem])?;
        let kept = self.ground.as_ref().filter(|_| Workspace::is_in(&self.request.out));
        let ground = match kept {
            Some(ground) => Arc::clone(ground),
            None => Arc::new(pipeline::ground(&self.request, &written, &*self.prepare, &sink)?),
        };
        let ground = shared.ground.get_or_init(|| ground);
        let planned = pipeline::plan(&self.request, written, ground)?;
        let planned = shared.planned.get_or_init(|| planned);
        (self.subscriber)(Update::Planned(planned));
        let kernel = Attended {
            kernel: &*ground.kernel,
            failures: &self.failures,
            stopped: &shared.stopped,
        };
        let results = pipeline::run(&self.request, planned, &kernel, &sink);
        Ok(Ran { output, results })
    }
}

impl Job {
    /// Compares what runs with what has to run for what is written now.
    pub(super) fn compare(&self, request: &BuildRequest, written: &Written) -> Runs {
        let shared = &self.shared;
        let (Some(ground), Some(planned)) = (shared.ground.get(), shared.planned.get()) else {
            return Runs::Unknown;
        };
        if self.written.config != written.config {
            return Runs::Another;
        }
        let Ok(now) = pipeline::plan(request, written.clone(), ground) else {
            return Runs::Another;
        };
        let keys = |planned: &Planned| -> Vec<String> {
            let cells = planned.plan.chapters.iter().flat_map(|chapter| &chapter.cells);
            cells.map(|cell| format!("{} {}", cell.key, cell.barred.is_some())).collect()
        };
        match keys(planned) == keys(&now) {
            true => Runs::TheSame,
            false => Runs::Another,
        }
    }
}
