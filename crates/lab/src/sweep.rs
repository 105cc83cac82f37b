//! Sweeps: one long computation for each of several configurations, in parallel processes.
//!
//! In: a name, configurations and how to compute one result. Out: one result for each, in order,
//! kept like those of [`memo`](crate::memo()). What is missing is computed by jobs: further
//! processes of the chapter's program, each with a plan that names one result. A job runs the cells
//! before the sweeping one, whose variables the computation may use, computes and keeps its result
//! and ends; nothing else of it is seen but its progress. Where no second process may be started,
//! one computes them all.
//!
//! A job belongs to the process group of the program that started it, and waits for the lock on
//! a file in its outbox as that does: it outlives neither the builder nor the program.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use veracity_protocol::{ALIVE_FILE, EVENTS_FILE, Event, Failure, Job, PLAN_VARIABLE, RunPlan};

use crate::{context, memo, runtime};

/// How often jobs are looked at.
const POLL: Duration = Duration::from_millis(20);

/// Longest configuration that is shown in a message.
const LONGEST_CONFIG: usize = 200;

/// Computes a result for each configuration, or takes what was computed before.
///
/// ```no_run
/// use veracity_lab as lab;
///
/// let losses: Vec<f64> = lab::sweep("train", &[0.1, 0.01], |rate: &f64| rate * 2.0);
/// ```
///
/// Computations may run in processes of their own: of what they change, nothing but the result
/// comes back. The cells before run in each of these processes again, so what takes long in them
/// belongs into a [`memo`](crate::memo()) as well.
///
/// # Panics
///
/// As [`memo`](crate::memo()); also with the panic of a computation, at the place of that panic.
#[track_caller]
pub fn sweep<C, T>(name: &str, configs: &[C], compute: impl Fn(&C) -> T) -> Vec<T>
where
    C: Serialize,
    T: Serialize + DeserializeOwned,
{
    let places: Vec<Option<PathBuf>> =
        configs.iter().map(|config| memo::place(name, config)).collect();
    let plan = context::try_with(|context| (context.cell(), context.plan.clone()));
    if let Some((Some(cell), plan)) = plan {
        match &plan.job {
            Some(job) if job.cell == cell => {
                let mine = places.iter().position(|place| place.as_ref() == Some(&job.memo));
                if let Some(mine) = mine {
                    memo::keep(name, Some(&job.memo), compute(&configs[mine]));
                    std::process::exit(0);
                }
            }
            Some(_) => {}
            None if plan.jobs > 1 => {
                let missing = missing::<C, T>(configs, &places);
                if missing.len() > 1 {
                    let sweep = Sweep { name, cell, plan: &plan, count: missing.len() };
                    if let Err(failed) = sweep.run(missing) {
                        runtime::fail(failed.message, failed.location, Location::caller());
                    }
                }
            }
            None => {}
        }
    }
    configs
        .iter()
        .zip(places)
        .map(|(config, place)| match place.as_deref().and_then(memo::read) {
            Some(known) => known,
            None => memo::keep(name, place.as_deref(), compute(config)),
        })
        .collect()
}

/// What has no result yet: where it belongs and its configuration in words, each once.
fn missing<C: Serialize, T: DeserializeOwned>(
    configs: &[C],
    places: &[Option<PathBuf>],
) -> VecDeque<(PathBuf, String)> {
    let mut missing: VecDeque<(PathBuf, String)> = VecDeque::new();
    for (config, place) in configs.iter().zip(places) {
        let Some(place) = place else { continue };
        if missing.iter().all(|(other, _)| other != place) && memo::read::<T>(place).is_none() {
            let mut words = serde_json::to_string(config).unwrap_or_default();
            if let Some((end, _)) = words.char_indices().nth(LONGEST_CONFIG) {
                words.truncate(end);
                words.push('…');
            }
            missing.push_back((place.clone(), words));
        }
    }
    missing
}

/// The jobs of a sweep.
struct Sweep<'a> {
    name: &'a str,
    cell: usize,
    plan: &'a RunPlan,
    count: usize,
}

/// Why a job did not do its work.
struct Failed {
    message: String,
    location: Option<veracity_protocol::Location>,
}

/// A running job; it ends when it is dropped.
struct Running {
    child: Child,
    config: String,
    memo: PathBuf,
    number: usize,
    events: Events,
    failure: Option<Failure>,
    /// Keeps the job alive.
    _alive: File,
}

impl Sweep<'_> {
    /// Does all jobs. If none can be started, the caller computes by itself.
    fn run(&self, mut waiting: VecDeque<(PathBuf, String)>) -> Result<(), Failed> {
        let mut running: Vec<Running> = Vec::new();
        while !(waiting.is_empty() && running.is_empty()) {
            while running.len() < self.plan.jobs
                && let Some((memo, config)) = waiting.pop_front()
            {
                let number = self.count - waiting.len();
                match self.start(number, memo, config) {
                    Ok(job) => running.push(job),
                    // What has no process is computed in this one.
                    Err(_) => waiting.clear(),
                }
            }
            let mut still = Vec::with_capacity(running.len());
            for mut job in running {
                // Asked before the events are read, so that none is missed.
                let ended = job.child.try_wait().map_err(|error| self.lost(&job, &error))?;
                self.forward(&mut job)?;
                match ended {
                    Some(status) => self.judge(job, status)?,
                    None => still.push(job),
                }
            }
            running = still;
            if !running.is_empty() {
                thread::sleep(POLL);
            }
        }
        Ok(())
    }

    fn start(&self, number: usize, memo: PathBuf, config: String) -> io::Result<Running> {
        let folder = memo.file_name().unwrap_or_default();
        let outbox = self.plan.outbox.join("jobs").join(folder);
        fs::create_dir_all(&outbox)?;
        let alive = File::create(outbox.join(ALIVE_FILE))?;
        alive.lock()?;
        let events = outbox.join(EVENTS_FILE);
        fs::write(&events, b"")?;
        let plan = RunPlan {
            outbox: outbox.clone(),
            jobs: 1,
            job: Some(Job { cell: self.cell, memo: memo.clone() }),
            ..self.plan.clone()
        };
        let plan_file = outbox.join("plan.json");
        fs::write(&plan_file, serde_json::to_vec(&plan)?)?;
        let child = Command::new(std::env::current_exe()?)
            .env(PLAN_VARIABLE, plan_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let events = Events::open(&events)?;
        Ok(Running { child, config, memo, number, events, failure: None, _alive: alive })
    }

    /// Tells the report builder of a job's progress.
    fn forward(&self, job: &mut Running) -> Result<(), Failed> {
        let events = job.events.read().map_err(|error| self.lost(job, &error))?;
        for event in events {
            match event {
                Event::Progress { cell, task, done, total, note, metrics } if cell == self.cell => {
                    let task = format!("{task} [{}/{}]", job.number, self.count);
                    let progress = Event::Progress { cell, task, done, total, note, metrics };
                    if let Some(Err(message)) = context::try_with(|context| context.emit(&progress))
                    {
                        context::fatal(&message);
                    }
                }
                Event::Failed { failure, .. } => job.failure = Some(failure),
                _ => {}
            }
        }
        Ok(())
    }

    fn judge(&self, mut job: Running, status: ExitStatus) -> Result<(), Failed> {
        let failed = |words: String, location| {
            let message = format!("the job {} of \"{}\" {words}", job.config, self.name);
            Err(Failed { message, location })
        };
        match job.failure.take() {
            Some(failure) => failed(format!("failed: {}", failure.message), failure.location),
            None if !status.success() => failed(format!("ended with {status}"), None),
            None if !job.memo.is_file() => failed(
                "never began: the cells before it, run again, asked for another sweep".to_owned(),
                None,
            ),
            None => Ok(()),
        }
    }

    fn lost(&self, job: &Running, error: &io::Error) -> Failed {
        let message =
            format!("the job {} of \"{}\" cannot be followed: {error}", job.config, self.name);
        Failed { message, location: None }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The events of a job, read as they are written.
struct Events {
    file: File,
    partial: Vec<u8>,
}

impl Events {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, partial: Vec::new() })
    }

    /// The events since the last call; a line that is not whole yet waits for the next.
    fn read(&mut self) -> io::Result<Vec<Event>> {
        io::Read::read_to_end(&mut self.file, &mut self.partial)?;
        let whole = self.partial.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.partial.drain(..whole).collect();
        let lines = lines.split(|&byte| byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;

    #[test]
    fn results_are_in_order_and_kept_as_memoised_ones() {
        let _chapter = Chapter::new();
        assert_eq!(crate::memo("square", &2, || 4), 4);
        assert_eq!(sweep("square", &[3, 1], |n| n * n), [9, 1]);
        assert_eq!(sweep("square", &[1, 2, 3], |_| -> i32 { panic!("it is kept") }), [1, 4, 9]);
    }

    #[test]
    fn without_a_report_builder_all_is_computed() {
        assert_eq!(sweep("square", &[3, 1], |n| n * n), [9, 1]);
    }
}
