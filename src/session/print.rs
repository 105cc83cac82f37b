//! The PDF, made behind the pages.
//!
//! In: what pages show that are being made and written. Out: `report.pdf`, of the newest pages only. Left out: what
//! the PDF looks like.

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::{Subscriber, Update};
use crate::diag::Diagnostic;
use crate::pipeline::Evaluated;
use crate::publish::Output;
use crate::render::{Highlighter, pdf};

/// A thread that makes PDFs.
pub(super) struct Printer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    pending: Arc<Pending>,
}

/// How many jobs were given and are not done.
#[derive(Default)]
struct Pending {
    count: Mutex<usize>,
    done: Condvar,
}

struct Job {
    evaluated: Arc<Evaluated>,
    colours: Arc<Highlighter>,
    /// From what the pages on disk were made.
    pages: String,
    /// From what pages and PDF together are made.
    inputs: String,
    /// Tells that the pages have been written; ends without a word if they could not be.
    written: Receiver<()>,
}

impl Printer {
    pub(super) fn start(out: PathBuf, subscriber: Subscriber) -> Self {
        let (jobs, received) = mpsc::channel();
        let pending = Arc::<Pending>::default();
        let count = Arc::clone(&pending);
        let work = move || work(&out, &subscriber, &received, &count);
        let thread = thread::Builder::new().name("pdf".into()).spawn(work).ok();
        Self { jobs: Some(jobs), thread, pending }
    }

    /// Makes the PDF that goes with pages, unless newer ones come or the pages cannot be written.
    ///
    /// The sender that this gives tells when they have been.
    pub(super) fn print(
        &self,
        evaluated: Arc<Evaluated>,
        colours: Arc<Highlighter>,
        pages: String,
        inputs: String,
    ) -> Sender<()> {
        let (sender, written) = mpsc::channel();
        *self.pending.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let job = Job { evaluated, colours, pages, inputs, written };
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job));
        if !matches!(sent, Some(Ok(()))) {
            self.pending.finish(1);
        }
        sender
    }

    /// Waits until nothing is left to print.
    pub(super) fn wait(&self) {
        let mut count = self.pending.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count > 0 {
            count = self.pending.done.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Pending {
    fn finish(&self, jobs: usize) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) -= jobs;
        self.done.notify_all();
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(
    out: &std::path::Path,
    subscriber: &Subscriber,
    received: &Receiver<Job>,
    pending: &Pending,
) {
    let mut press = pdf::Press::default();
    while let Ok(mut job) = received.recv() {
        let mut jobs = 1;
        while let Ok(newer) = received.try_recv() {
            job = newer;
            jobs += 1;
        }
        let print = || pdf::file(&job.evaluated.document, &job.colours, &mut press);
        let printed = panic::catch_unwind(AssertUnwindSafe(print));
        let (file, mut problems) = printed.unwrap_or_else(|_| {
            (
                None,
                vec![Diagnostic::global("internal", "printing the PDF panicked").hint(
                    "`veracity build-report --format pdf` tells more; pages are not affected",
                )],
            )
        });
        if job.written.recv().is_err() {
            pending.finish(jobs);
            continue;
        }
        if let Some(file) = file {
            // A PDF with problems is made again next time, so that its problems are told again.
            let inputs = if problems.is_empty() { job.inputs.as_str() } else { "" };
            let written = Output::open(out, || ())
                .and_then(|output| output.add_pdf(&file, &job.pages, inputs));
            problems.extend(written.err());
        }
        subscriber(Update::Printed(&problems));
        pending.finish(jobs);
        // For this nobody waits.
        pdf::tidy();
    }
}
