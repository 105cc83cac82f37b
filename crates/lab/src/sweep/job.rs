//! One job of a sweep, wherever it runs.
//!
//! In: a result that is missing and a folder. Out: the plan that its process reads, its events as
//! they come, and what is told of it if there is no result in the end. Left out: starting and
//! ending the process.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use veracity_protocol::{EVENTS_FILE, Event, Failure, Job as Part, Location, RunPlan};

use super::{Failed, Missing, Sweep};

/// A job whose folder is prepared.
pub(super) struct Job {
    /// Its number among the jobs of the sweep, from 1.
    number: usize,
    config: String,
    /// Index of the cell with the work among those of its process.
    cell: usize,
    pub(super) memo: PathBuf,
    /// Its folder.
    pub(super) outbox: PathBuf,
    /// The plan, for [`PLAN_VARIABLE`](veracity_protocol::PLAN_VARIABLE).
    pub(super) plan: PathBuf,
    events: Events,
    failure: Option<Failure>,
}

impl Job {
    /// Writes what a process needs to know that is to do the job.
    pub(super) fn prepare(
        sweep: &Sweep<'_>,
        number: usize,
        missing: Missing,
        outbox: PathBuf,
    ) -> io::Result<Self> {
        let Missing { memo, config } = missing;
        fs::create_dir_all(&outbox)?;
        let events = outbox.join(EVENTS_FILE);
        fs::write(&events, b"")?;
        let mut plan =
            RunPlan { outbox: outbox.clone(), jobs: 1, cluster: None, ..sweep.plan.clone() };
        let mut cell = sweep.cell;
        if let Some(worker) = plan.worker.take() {
            let id = &plan.cells[cell].id;
            let at = worker.cells.iter().position(|other| other.id == *id);
            cell = at.ok_or(io::ErrorKind::NotFound)?;
            plan.cells = worker.cells;
        }
        plan.job = Some(Part { cell, memo: memo.clone() });
        let plan_file = outbox.join("plan.json");
        fs::write(&plan_file, serde_json::to_vec(&plan)?)?;
        let events = Events { path: events, at: 0 };
        Ok(Self { number, config, cell, memo, outbox, plan: plan_file, events, failure: None })
    }

    /// Tells the report builder of the job's progress.
    pub(super) fn forward(&mut self, sweep: &Sweep<'_>) -> Result<(), Failed> {
        let events = self.events.read().map_err(|error| self.lost(sweep, &error))?;
        for event in events {
            match event {
                Event::Progress { cell, task, done, total, note, metrics } if cell == self.cell => {
                    let cell = sweep.cell;
                    let task = format!("{task} [{}/{}]", self.number, sweep.count);
                    sweep.tell(&Event::Progress { cell, task, done, total, note, metrics });
                }
                Event::Failed { failure, .. } => self.failure = Some(failure),
                _ => {}
            }
        }
        Ok(())
    }

    /// Judges a job that has ended; `badly` says how, if that was not well.
    pub(super) fn judge(&self, sweep: &Sweep<'_>, badly: Option<&str>) -> Result<(), Failed> {
        let (words, location): (String, Option<Location>) = match (&self.failure, badly) {
            (Some(failure), _) => {
                (format!("failed: {}", failure.message), failure.location.clone())
            }
            (None, Some(how)) => (how.to_owned(), None),
            (None, None) if !self.memo.is_file() => (
                "never began: the cells before it, run again, asked for another sweep".to_owned(),
                None,
            ),
            (None, None) => return Ok(()),
        };
        Err(Failed { message: format!("{} {words}", self.named(sweep)), location })
    }

    /// The job can no longer be followed.
    pub(super) fn lost(&self, sweep: &Sweep<'_>, error: &io::Error) -> Failed {
        Failed {
            message: format!("{} cannot be followed: {error}", self.named(sweep)),
            location: None,
        }
    }

    fn named(&self, sweep: &Sweep<'_>) -> String {
        format!("the job {} of \"{}\"", self.config, sweep.name)
    }
}

/// The events of a job, read as they are written. The file is opened for each look: there may be more
/// jobs than files that a process may hold, and a file server tells news on opening.
struct Events {
    path: PathBuf,
    at: u64,
}

impl Events {
    /// The events since the last call; a line that is not whole yet waits for the next.
    fn read(&mut self) -> io::Result<Vec<Event>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.at))?;
        let mut news = Vec::new();
        file.read_to_end(&mut news)?;
        let whole = news.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        self.at += whole as u64;
        let lines = news[..whole].split(|&byte| byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }
}
