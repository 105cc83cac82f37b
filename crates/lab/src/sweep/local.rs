//! Jobs as processes on this machine.
//!
//! A job belongs to the process group of the program that started it, and waits for the lock on
//! a file in its outbox as that does: it outlives neither the builder nor the program.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use veracity_protocol::{ALIVE_FILE, PLAN_VARIABLE};

use super::job::Job;
use super::{Failed, Missing, Sweep};

/// How often jobs are looked at.
const POLL: Duration = Duration::from_millis(20);

/// A running job; it ends when it is dropped.
struct Running {
    child: Child,
    job: Job,
    /// Keeps the job alive.
    _alive: File,
}

/// Does all jobs, as many at a time as the plan allows. The first that fails ends the others. If none
/// can be started, the caller computes by itself.
pub(super) fn run(sweep: &Sweep<'_>, mut waiting: VecDeque<Missing>) -> Result<(), Failed> {
    let mut running: Vec<Running> = Vec::new();
    while !(waiting.is_empty() && running.is_empty()) {
        while running.len() < sweep.plan.jobs
            && let Some(missing) = waiting.pop_front()
        {
            let number = sweep.count - waiting.len();
            match start(sweep, number, missing) {
                Ok(job) => running.push(job),
                // What has no process is computed in this one.
                Err(_) => waiting.clear(),
            }
        }
        let mut still = Vec::with_capacity(running.len());
        for mut it in running {
            // Asked before the events are read, so that none is missed.
            let ended = it.child.try_wait().map_err(|error| it.job.lost(sweep, &error))?;
            it.job.forward(sweep)?;
            match ended {
                Some(status) if status.success() => it.job.judge(sweep, None)?,
                Some(status) => it.job.judge(sweep, Some(&format!("ended with {status}")))?,
                None => still.push(it),
            }
        }
        running = still;
        if !running.is_empty() {
            thread::sleep(POLL);
        }
    }
    Ok(())
}

fn start(sweep: &Sweep<'_>, number: usize, missing: Missing) -> io::Result<Running> {
    let folder = missing.memo.file_name().unwrap_or_default();
    let outbox = sweep.plan.outbox.join("jobs").join(folder);
    let job = Job::prepare(sweep, number, missing, outbox)?;
    let alive = File::create(job.outbox.join(ALIVE_FILE))?;
    alive.lock()?;
    let executable = match &sweep.plan.worker {
        Some(worker) => worker.executable.clone(),
        None => std::env::current_exe()?,
    };
    let child = Command::new(executable)
        .env(PLAN_VARIABLE, &job.plan)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Running { child, job, _alive: alive })
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
