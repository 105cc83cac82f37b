//! The live kernel where it is ready, the batch kernel until then.
//!
//! In: runs. Out: their outcomes, from whichever kernel has them sooner. A context takes seconds to
//! open, longer if its library must be compiled, and minutes if `veracity-live` must be built; so
//! a chapter whose context is not there runs as a program, and its context is opened behind it if its
//! cells take long, or if the person wants it anyway.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use super::LiveKernel;
use crate::kernel::behind::{Teller, Told};
use crate::kernel::{Event, Kernel, Outcome};
use crate::plan::ChapterPlan;

/// From which time on that cells take a context is worth its memory: a program is compiled and run
/// sooner than an evaluation, but runs again what a context holds.
const WORTHWHILE: Duration = Duration::from_millis(500);

/// What is known of opening contexts behind the runs.
#[derive(Debug, Default)]
pub(super) struct Warmth(AtomicU8);

impl Warmth {
    const IDLE: u8 = 0;
    const AT_WORK: u8 = 1;
    const GIVEN_UP: u8 = 2;

    /// Begins unless something is being opened, or nothing ever will be; says whether.
    fn begin(&self) -> bool {
        let (order, from, to) = (Ordering::SeqCst, Self::IDLE, Self::AT_WORK);
        self.0.compare_exchange(from, to, order, order).is_ok()
    }

    fn end(&self, gives_up: bool) {
        let state = if gives_up { Self::GIVEN_UP } else { Self::IDLE };
        self.0.store(state, Ordering::SeqCst);
    }
}

/// Runs cells in a context if there is one that fits, and as a program otherwise.
pub struct WarmKernel {
    live: Arc<LiveKernel>,
    tell: Teller,
}

impl WarmKernel {
    /// This kernel, and the one that compiles for it.
    pub fn new(live: LiveKernel, tell: Teller) -> Self {
        Self { live: Arc::new(live), tell }
    }

    /// Opens a chapter's context on a thread of its own, one chapter at a time.
    fn warm(&self, chapter: &ChapterPlan) {
        if !self.live.pool.warmth.begin() {
            return;
        }
        let (live, tell) = (Arc::clone(&self.live), Arc::clone(&self.tell));
        let chapter = chapter.clone();
        let work = move || {
            let slug = chapter.slug.clone();
            let opened = live.open(&chapter, &|event| {
                if let Event::Building(words) = event {
                    tell(Told::Warming(format!("{}: {words}", chapter.slug)));
                }
            });
            // A library that does not compile is told of by its chapter and mended there.
            let gives_up = opened.as_ref().is_err_and(|problem| problem.code == "live-kernel");
            live.pool.warmth.end(gives_up);
            match opened {
                Ok(()) => tell(Told::Ready(slug)),
                Err(problem) if gives_up => tell(Told::Failed(problem)),
                Err(_) => {}
            }
        };
        // Without a thread the chapter goes on as a program.
        let _ = thread::Builder::new().name("warm".into()).spawn(work);
    }
}

impl Kernel for WarmKernel {
    fn run(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome> {
        if self.live.is_ready(chapter) {
            return self.live.run(chapter, cells, sink);
        }
        let outcomes = self.live.ground.batch.run(chapter, cells, sink);
        let took: Duration =
            outcomes.iter().map(|outcome| Duration::from_millis(outcome.duration_ms)).sum();
        if self.live.is_wanted() || WORTHWHILE <= took {
            self.warm(chapter);
        }
        outcomes
    }

    fn interrupt(&self) {
        self.live.interrupt();
    }
}
