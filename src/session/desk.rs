//! Where a session works: what it keeps between builds, and what it does next.
//!
//! In: signals that files may have changed or that cells have run. Out: pages, told of and written.
//! Left out: the thread on which it works, which is the session's own, and that of the cells, which
//! is [`super::job`]'s.

mod publication;

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::attend::Failures;
use super::change::{self, Change};
use super::files::{Outside, Saving, Watch};
use super::job::{Ended, Job, Ran, Runs, Shared, Work};
use super::pages::Pages;
use super::print::Printer;
use super::timers::{Due, Timers};
use super::{Page, PageState, Signal, Subscriber, Update};
use crate::diag::Diagnostic;
use crate::exec::{self, Executed};
use crate::kernel::process;
use crate::pipeline::{self, BuildRequest, Evaluated, Ground, Planned, Prepare, Written};
use crate::world::{DiskWorld, Recorded};

/// How long files must be quiet before they are looked at, and how long at most that is waited for.
const QUIET: Duration = Duration::from_millis(2);
const LONGEST_UNREST: Duration = Duration::from_millis(100);

/// How often a session that waits looks whether it is to end.
const TICK: Duration = Duration::from_millis(100);

/// The session's own state.
pub(super) struct Desk {
    request: BuildRequest,
    prepare: Arc<Prepare>,
    subscriber: Subscriber,
    signals: Sender<Signal>,
    watch: Option<Watch>,
    /// What the last look found.
    seen: Option<Recorded<DiskWorld>>,
    outside: Outside,
    written: Option<Written>,
    /// What cells stand on, as long as it is known to be unchanged.
    ground: Option<Arc<Ground>>,
    failures: Arc<Failures>,
    pub(super) job: Option<Job>,
    pages: Pages,
    page: Option<Arc<Page>>,
    pub(super) printer: Printer,
    /// Whether the last pages could not be written.
    unwritten: bool,
    timers: Timers,
    /// Those for pages, which do not wait for the PDF's.
    threads: Option<ThreadPool>,
}

impl Desk {
    pub(super) fn new(
        request: BuildRequest,
        prepare: Arc<Prepare>,
        subscriber: Subscriber,
        signals: Sender<Signal>,
    ) -> Self {
        let pages = Pages::new(&request.out);
        let printer = Printer::start(request.out.clone(), Arc::clone(&subscriber));
        Self {
            request,
            prepare,
            subscriber,
            signals,
            watch: None,
            seen: None,
            outside: Outside::default(),
            written: None,
            ground: None,
            failures: Arc::default(),
            job: None,
            pages,
            page: None,
            printer,
            unwritten: false,
            timers: Timers::new(),
            // Without them those of the PDF are shared.
            threads: ThreadPoolBuilder::new().build().ok(),
        }
    }

    fn tell(&self, update: Update<'_>) {
        (self.subscriber)(update);
    }

    pub(super) fn watch(&mut self) {
        let signals = self.signals.clone();
        let look = move |saving| {
            // A session that has ended does not look.
            let _ = signals.send(Signal::Look(saving));
        };
        match Watch::new(&self.request, look) {
            Ok(watch) => self.watch = Some(watch),
            Err(problem) => self.tell(Update::Trouble(&[problem])),
        }
    }

    /// Works until it is told to stop.
    pub(super) fn attend(&mut self, signals: &Receiver<Signal>) {
        self.look();
        loop {
            let signal = signals.recv_timeout(self.patience());
            if process::interrupted() {
                // The last word of a job is not said twice.
                if matches!(signal, Ok(Signal::Ran(_))) {
                    self.job = None;
                }
                break;
            }
            match signal {
                Ok(Signal::Look(saving)) => {
                    let (ran, stop) = quiet(signals, saving);
                    if stop {
                        self.job = self.job.take().filter(|_| ran.is_none());
                        break;
                    }
                    self.look();
                    if let Some(result) = ran {
                        self.ran(*result);
                    }
                }
                Ok(Signal::Ran(result)) => self.ran(*result),
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => self.time_has_passed(),
            }
        }
        while self.job.is_some() {
            // Said again, for a run that had not yet begun would not have heard it.
            self.stop_job();
            match signals.recv_timeout(TICK) {
                Ok(Signal::Ran(_)) | Err(RecvTimeoutError::Disconnected) => self.job = None,
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// How long nothing may happen before time itself matters.
    fn patience(&self) -> Duration {
        let meanwhile = self.job.as_ref().and_then(|job| job.until_meanwhile(Instant::now()));
        meanwhile.filter(|wait| !wait.is_zero()).map_or(TICK, |wait| wait.min(TICK))
    }

    /// Ends a job of which it turns out only now that it runs something else than what is written.
    fn decide(&mut self) {
        let (Some(job), Some(written)) = (&mut self.job, &self.written) else { return };
        if job.undecided {
            let runs = job.compare(&self.request, written);
            job.undecided = runs == Runs::Unknown;
            if runs == Runs::Another {
                self.stop_job();
            }
        }
    }

    fn time_has_passed(&mut self) {
        self.decide();
        if self.job.as_ref().is_some_and(|job| job.shared.stopped.load(Ordering::SeqCst)) {
            self.stop_job();
        }
        let waits = self.job.as_ref().is_some_and(|job| {
            job.until_meanwhile(Instant::now()).is_some_and(|wait| wait.is_zero())
                && job.shared.running.load(Ordering::SeqCst)
        });
        if waits {
            self.show_meanwhile();
        }
        if self.job.is_some() {
            return;
        }
        let Some(due) = self.timers.due(Instant::now()) else { return };
        match (due, self.written.clone()) {
            (Due::Cells, Some(written)) => {
                self.failures.forget_outside();
                self.start(written);
            }
            _ => self.look_again(None),
        }
    }

    /// Looks whether anything has changed, and if so begins to build.
    pub(super) fn look(&mut self) {
        let look = || {
            rayon::join(
                || Outside::look(&self.request, self.written.as_ref()),
                || self.seen.as_ref().is_some_and(Recorded::is_same),
            )
        };
        let (outside, is_same) = apart(self.threads.as_ref(), look);
        // What stands in the way from outside is tried again when its time has come.
        if !is_same || outside != self.outside {
            self.failures.forget_outside();
            self.look_again(Some(outside));
        } else {
            // A new folder changes nothing as long as it is empty.
            self.follow();
        }
    }

    /// Reads the report and begins to build; what lies outside of it may have been looked at.
    fn look_again(&mut self, outside: Option<Outside>) {
        let world = Recorded::new(DiskWorld::new(&self.request.root));
        let written = match pipeline::read(&world) {
            Ok(written) => written,
            Err(problems) => {
                self.seen = Some(world);
                self.trouble(&problems);
                return self.follow();
            }
        };
        let outside = outside.filter(|outside| outside.is_of(&self.request, &written));
        let outside = outside.unwrap_or_else(|| Outside::look(&self.request, Some(&written)));
        let mut changes = BTreeSet::new();
        if let Some(old) = &self.written {
            changes = change::between(old, &written);
            changes.extend(outside.changes(&self.outside));
            let moved = self.seen.as_ref().is_some_and(|seen| !seen.is_same());
            // What is only mended again has not changed.
            if changes.is_empty() && moved && !self.timers.in_trouble() {
                changes.insert(Change::Template);
            }
            if !changes.is_empty() {
                self.tell(Update::Changed(&changes));
            }
        }
        let harmless =
            [Change::Prose, Change::Presentation, Change::Bibliography, Change::Template];
        if !changes.iter().all(|change| harmless.contains(change)) {
            self.ground = None;
        }
        if changes.iter().any(|change| matches!(change, Change::Library | Change::Data)) {
            self.failures.forget();
        }
        self.outside = outside;
        self.seen = Some(world);
        self.written = Some(written.clone());
        match &mut self.job {
            None => self.start(written),
            Some(job) => {
                job.outdated = true;
                let runs = job.compare(&self.request, &written);
                job.undecided = runs == Runs::Unknown;
                match runs {
                    Runs::TheSame | Runs::Unknown if job.meanwhile => self.show_meanwhile(),
                    Runs::TheSame | Runs::Unknown => {}
                    Runs::Another => self.stop_job(),
                }
            }
        }
        // For this nobody waits.
        self.follow();
    }

    /// Watches what was read.
    fn follow(&mut self) {
        if let (Some(watch), Some(world)) = (&mut self.watch, &self.seen) {
            watch.follow(world.paths(), &self.outside);
        }
    }

    fn stop_job(&mut self) {
        if let Some(job) = &self.job {
            job.shared.stopped.store(true, Ordering::SeqCst);
            if let Some(ground) = job.shared.ground.get() {
                ground.kernel.interrupt();
            }
        }
    }

    /// Replays and runs the cells on a thread.
    fn start(&mut self, written: Written) {
        let shared = Arc::<Shared>::default();
        let job = Job {
            started: Instant::now(),
            written: written.clone(),
            shared: Arc::clone(&shared),
            meanwhile: false,
            outdated: false,
            undecided: false,
        };
        let work = Work {
            request: self.request.clone(),
            prepare: Arc::clone(&self.prepare),
            subscriber: Arc::clone(&self.subscriber),
            ground: self.ground.clone(),
            failures: Arc::clone(&self.failures),
            shared,
        };
        let signals = self.signals.clone();
        let run = move || {
            let result = panic::catch_unwind(AssertUnwindSafe(|| work.run(written)));
            let result: Ended = Box::new(result.unwrap_or_else(|_| {
                Err(vec![
                    Diagnostic::global("internal", "running the cells panicked")
                        .hint("this is a fault of Veracity's; the next edit makes it try again"),
                ])
            }));
            // The session takes over what was shared.
            drop(work);
            // If nobody listens any more, the session has ended.
            let _ = signals.send(Signal::Ran(result));
        };
        match thread::Builder::new().name("cells".into()).spawn(run) {
            Ok(_) => self.job = Some(job),
            Err(error) => self.trouble(&[Diagnostic::global(
                "session",
                format!("cannot start a thread: {error}"),
            )
            .hint("end what else runs on this machine, or start it again")]),
        }
    }

    /// Makes pages of what a job found, unless the files have changed since.
    pub(super) fn ran(&mut self, result: Result<Ran, Vec<Diagnostic>>) {
        let Some(job) = self.job.take() else { return };
        if let Some(ground) = job.shared.ground.get()
            && !job.shared.stopped.load(Ordering::SeqCst)
        {
            self.ground = Some(Arc::clone(ground));
        }
        if job.outdated {
            drop(result);
            if let Some(written) = self.written.clone() {
                self.start(written);
            }
            return;
        }
        let planned = Arc::into_inner(job.shared).and_then(|shared| shared.planned.into_inner());
        match (result, planned) {
            (Ok(Ran { output, results }), Some(planned)) => {
                let Some(evaluated) = self.judge(planned, results) else { return };
                let publication = self.begin(&output, &evaluated);
                if let Ok(page) = self.show(evaluated, PageState::Final, job.started) {
                    let published = self.publish(&output, &page, publication);
                    self.take_note(&page, published);
                }
            }
            (Err(problems), _) => self.trouble(&problems),
            (Ok(_), None) => {}
        }
    }

    /// Shows what the author wrote, without the results that are still missing.
    fn show_meanwhile(&mut self) {
        let (Some(job), Some(written)) = (&mut self.job, self.written.clone()) else { return };
        job.meanwhile = true;
        let started = Instant::now();
        let Some(ground) = job.shared.ground.get() else { return };
        let Ok(mut planned) = pipeline::plan(&self.request, written, ground) else { return };
        planned.plan.meanwhile();
        let results = pipeline::run(&self.request, &planned, &*ground.kernel, &|_| ());
        let Some(evaluated) = self.judge(planned, results) else { return };
        // What is wrong with a template is told when the cells have run.
        let _ = self.show(evaluated, PageState::Meanwhile, started);
    }

    /// Judges what came of the cells.
    fn judge(
        &self,
        planned: Planned,
        (executed, mut found): (Executed, Vec<Diagnostic>),
    ) -> Option<Arc<Evaluated>> {
        let world = self.seen.as_ref()?;
        found.extend(exec::idle_tests(&planned.plan));
        let judge = || pipeline::judge(planned, (executed, found), world);
        Some(Arc::new(apart(self.threads.as_ref(), judge)))
    }

    /// Renders and shows.
    fn show(
        &mut self,
        evaluated: Arc<Evaluated>,
        state: PageState,
        started: Instant,
    ) -> Result<Arc<Page>, ()> {
        let Some(world) = &self.seen else { return Err(()) };
        let pages = &mut self.pages;
        let files = apart(self.threads.as_ref(), || pages.render(world, &evaluated));
        let shown = match files {
            Ok(files) => {
                // What is shown and only waits to be written is not told again.
                let known =
                    self.unwritten && self.page.as_ref().is_some_and(|page| page.files == files);
                let page = Arc::new(Page { evaluated, files, state, took: started.elapsed() });
                if !known {
                    self.tell(Update::Page(&page));
                }
                self.page = Some(Arc::clone(&page));
                Ok(page)
            }
            Err(problems) => {
                self.trouble(&problems);
                Err(())
            }
        };
        self.follow();
        shown
    }

    fn trouble(&mut self, problems: &[Diagnostic]) {
        self.tell(Update::Trouble(problems));
        self.timers.trouble(Instant::now());
    }
}

/// Works on threads of its own, if there are any.
fn apart<R: Send>(threads: Option<&ThreadPool>, work: impl FnOnce() -> R + Send) -> R {
    match threads {
        Some(threads) => threads.install(work),
        None => work(),
    }
}

/// Waits until no file changes for a moment and the last that did is not open; gives what else was heard, and whether to
/// stop.
fn quiet(signals: &Receiver<Signal>, mut saving: Saving) -> (Option<Ended>, bool) {
    let since = Instant::now();
    let mut ran = None;
    while since.elapsed() < LONGEST_UNREST {
        let patience = match saving {
            Saving::Open => LONGEST_UNREST.saturating_sub(since.elapsed()),
            Saving::Done => QUIET,
        };
        match signals.recv_timeout(patience) {
            Ok(Signal::Look(now)) => saving = now,
            Ok(Signal::Ran(result)) => ran = Some(result),
            Ok(Signal::Stop) => return (ran, true),
            Err(_) => break,
        }
    }
    (ran, false)
}
