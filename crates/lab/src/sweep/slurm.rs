//! Jobs as arrays on a cluster with Slurm.
//!
//! In: the missing results and what to ask of the cluster. Out: the results, kept in the folder of
//! memoised ones, which the nodes must see as this machine does; that folder is all by which jobs and
//! program meet. All jobs are given away at once and end on their own: one that fails ends no other, so
//! that the next build asks only for what is missing then. When the program ends before its jobs,
//! however it does, a [`Guard`] cancels them.
//!
//! How a job ended is read from a file that it writes last. Only of one that could not write it (killed,
//! timed out, lost with its node) Slurm is asked, which forgets; no accounting is needed.

mod tools;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use veracity_protocol::{Cluster, Event};

use self::tools::{Guard, Seen};
use super::job::Job;
use super::{Failed, Missing, Sweep};

/// How often files of jobs are looked at.
const POLL: Duration = Duration::from_millis(250);

/// How long after its start Slurm is asked for the first time; each further time waits twice as long,
/// up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// How long a file of a job that has ended may take to be seen here.
const GRACE: Duration = Duration::from_secs(30);

/// Most jobs of one array; Slurm's own limit is one more unless its administrator raised it.
const LARGEST_ARRAY: usize = 1000;

/// Most lines of a log that are shown.
const LOG_LINES: usize = 12;

/// How many sweeps this program has given away.
static SWEEPS: AtomicUsize = AtomicUsize::new(0);

/// File with the exit status of a job.
const EXIT_FILE: &str = "exit";

/// File with what a job printed.
const LOG_FILE: &str = "log";

/// What a node runs: the program with a job's plan, and after it the exit status into a file.
const SCRIPT: &str = "#!/bin/sh\n\
    place=\"$2/$SLURM_ARRAY_TASK_ID\"\n\
    VERACITY_PLAN=\"$place/plan.json\" \"$1\"\n\
    status=$?\n\
    echo \"$status $(uname -n)\" > \"$place/exit.part\" && mv \"$place/exit.part\" \"$place/exit\"\n\
    exit \"$status\"\n";

/// A job that was given away.
struct Given {
    job: Job,
    /// Its name in Slurm, `ARRAY_INDEX`.
    id: String,
    /// When it was first seen to have ended without saying so.
    gone: Option<Instant>,
}

/// Does all jobs; fails if one of them did, with what became of each.
pub(super) fn run(
    sweep: &Sweep<'_>,
    cluster: &Cluster,
    missing: VecDeque<Missing>,
) -> Result<(), Failed> {
    let failed = |words: String| {
        let message = format!("the jobs of \"{}\" cannot be given to Slurm: {words}", sweep.name);
        Failed { message, location: None }
    };
    sweep.tell(&Event::Waiting { cell: sweep.cell });
    let ended = away(sweep, cluster, missing).map_err(failed);
    sweep.tell(&Event::Resumed { cell: sweep.cell });
    together(sweep, ended?)
}

/// Gives all jobs away and waits for them; gives what became of those without a result.
fn away(
    sweep: &Sweep<'_>,
    cluster: &Cluster,
    missing: VecDeque<Missing>,
) -> Result<Vec<Failed>, String> {
    let name = name(sweep);
    // Before there is a job, so that none is without a guard.
    let guard = Guard::of(&name).map_err(|error| error.to_string())?;
    let given = give(sweep, cluster, &name, missing)?;
    let failures = follow(sweep, given);
    guard.dismiss();
    Ok(failures)
}

/// A name for Slurm that no other sweep has at the same time.
fn name(sweep: &Sweep<'_>) -> String {
    format!("veracity-{}-{}-{}", sweep.plan.nonce, sweep.cell, std::process::id())
}

fn give(
    sweep: &Sweep<'_>,
    cluster: &Cluster,
    name: &str,
    missing: VecDeque<Missing>,
) -> Result<Vec<Given>, String> {
    let words = |error: io::Error| error.to_string();
    let program = std::env::current_exe().map_err(words)?;
    let mut missing: Vec<Missing> = missing.into();
    let mut given = Vec::with_capacity(missing.len());
    // A cell may sweep again, and must not find how the jobs before ended.
    let sweeps = SWEEPS.fetch_add(1, Ordering::Relaxed);
    let mut array = 0;
    while !missing.is_empty() {
        let later = missing.split_off(missing.len().min(LARGEST_ARRAY));
        let folder = sweep.plan.outbox.join(format!("sweep-{sweeps}-array-{array}"));
        let mut jobs = Vec::with_capacity(missing.len());
        for (index, missing) in missing.into_iter().enumerate() {
            let number = array * LARGEST_ARRAY + index + 1;
            let outbox = folder.join(index.to_string());
            jobs.push(Job::prepare(sweep, number, missing, outbox).map_err(words)?);
        }
        let script = folder.join("job.sh");
        fs::write(&script, SCRIPT).map_err(words)?;
        let log = format!("{}/%a/{LOG_FILE}", tools::literally(&folder));
        let array_id =
            tools::submit(cluster, name, jobs.len(), &log, &[&script, &program, &folder])?;
        given.extend(jobs.into_iter().enumerate().map(|(index, job)| Given {
            job,
            id: format!("{array_id}_{index}"),
            gone: None,
        }));
        missing = later;
        array += 1;
    }
    Ok(given)
}

/// Waits until all have ended; gives what became of those without a result.
fn follow(sweep: &Sweep<'_>, mut given: Vec<Given>) -> Vec<Failed> {
    let mut failures = Vec::new();
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let (mut pause, mut asked) = (FIRST_PAUSE, Instant::now());
    let mut told = None;
    while !given.is_empty() {
        let mut fresh = false;
        let mut trouble = None;
        if asked.elapsed() >= pause {
            match tools::queue(given.iter().map(|it| it.id.as_str())) {
                Ok(now) => (seen, fresh) = (now, true),
                // Its controller may be busy or gone for a while; the jobs go on.
                Err(words) => trouble = Some(words),
            }
            (pause, asked) = ((pause * 2).min(LONGEST_PAUSE), Instant::now());
        }
        let mut still = Vec::with_capacity(given.len());
        for mut it in given {
            // Asked before the events are read, so that none is missed.
            let exit = exit_of(&it.job.outbox);
            // A file server may be away for a moment; what it has is read later.
            let _ = it.job.forward(sweep);
            match ended(sweep, &mut it, exit, fresh.then_some(&seen)) {
                Some(Ok(())) => {}
                Some(Err(failed)) => failures.push(failed),
                None => still.push(it),
            }
        }
        given = still;
        let note = match trouble {
            Some(words) => format!("Slurm does not answer: {words}"),
            None => standing(&given, &seen),
        };
        let progress = (given.len(), note);
        if told.as_ref() != Some(&progress) {
            let (open, note) = progress.clone();
            let count = sweep.count as u64;
            sweep.tell(&Event::Progress {
                cell: sweep.cell,
                task: format!("{} on Slurm", sweep.name),
                done: count - open as u64,
                total: Some(count),
                note,
                metrics: BTreeMap::new(),
            });
            told = Some(progress);
        }
        if !given.is_empty() {
            // Thousands of jobs are not looked at more often than a file server likes.
            thread::sleep(POLL * (1 + given.len() as u32 / 50));
        }
    }
    failures
}

/// Whether a job has ended, and how. `seen` is what Slurm just said.
fn ended(
    sweep: &Sweep<'_>,
    it: &mut Given,
    exit: Option<Exit>,
    seen: Option<&BTreeMap<String, Seen>>,
) -> Option<Result<(), Failed>> {
    match exit {
        Some(Exit { status: 0, .. }) => {
            // What it kept may be seen later than what it wrote afterwards.
            let since = *it.gone.get_or_insert_with(Instant::now);
            let waits = !it.job.memo.is_file() && since.elapsed() < GRACE;
            (!waits).then(|| it.judge(sweep, None))
        }
        Some(Exit { status, node }) => {
            Some(it.judge(sweep, Some(&format!("ended with {} on {node}", in_words(status)))))
        }
        None => {
            let seen = seen?;
            let how = match seen.get(&it.id) {
                Some(Seen { is_open: true, .. }) => {
                    it.gone = None;
                    return None;
                }
                Some(Seen { ended: Some(words), .. }) => words.clone(),
                Some(Seen { state, .. }) => format!("ended as {state} without a word"),
                None => match tools::remembered(&it.id) {
                    Some(words) => words,
                    None => "is gone, and Slurm knows no more of it".to_owned(),
                },
            };
            let is_sure = seen.get(&it.id).is_some_and(|seen| seen.ended.is_some());
            let since = *it.gone.get_or_insert_with(Instant::now);
            (is_sure || since.elapsed() >= GRACE).then(|| it.judge(sweep, Some(&how)))
        }
    }
}

impl Given {
    fn judge(&self, sweep: &Sweep<'_>, badly: Option<&str>) -> Result<(), Failed> {
        self.job.judge(sweep, badly).map_err(|mut failed| {
            failed.message.push_str(&format!(" (Slurm's job {})", self.id));
            let last = last_lines(&self.job.outbox.join(LOG_FILE));
            if !last.is_empty() {
                failed.message.push_str("\n  the end of its log:");
                failed.message.extend(last.iter().map(|line| format!("\n  | {line}")));
            }
            failed
        })
    }
}

/// How many jobs run and wait, in words.
fn standing(given: &[Given], seen: &BTreeMap<String, Seen>) -> String {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    let open = given.iter().filter_map(|it| seen.get(&it.id)).filter(|seen| seen.is_open);
    for seen in open {
        *states.entry(&seen.state).or_default() += 1;
    }
    let counts: Vec<String> =
        states.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    counts.join(", ")
}

/// One failure of all: what became of each job, at the place of the first that told one.
fn together(sweep: &Sweep<'_>, mut failures: Vec<Failed>) -> Result<(), Failed> {
    if failures.len() < 2 {
        return failures.pop().map_or(Ok(()), Err);
    }
    let location = failures.iter().find_map(|failed| failed.location.clone());
    let mut message = format!(
        "{} of {} jobs of \"{}\" failed; the results of the others are kept",
        failures.len(),
        sweep.count,
        sweep.name
    );
    for failed in failures {
        message.push('\n');
        message.push_str(&failed.message);
    }
    Err(Failed { message, location })
}

/// How the program of a job ended, by its own script.
struct Exit {
    status: i32,
    node: String,
}

fn exit_of(folder: &Path) -> Option<Exit> {
    let text = fs::read_to_string(folder.join(EXIT_FILE)).ok()?;
    let (status, node) = text.trim().split_once(' ')?;
    Some(Exit { status: status.parse().ok()?, node: node.to_owned() })
}

/// An exit status as a shell tells it.
fn in_words(status: i32) -> String {
    match status {
        129.. => format!("signal {}", status - 128),
        _ => format!("exit status {status}"),
    }
}

/// The last lines of a log, without those that mark the cells' output.
fn last_lines(log: &Path) -> Vec<String> {
    let said = fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains('\u{1e}')).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].iter().map(|line| (*line).to_owned()).collect()
}
