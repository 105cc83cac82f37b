//! One run of a chapter's program.
//!
//! In: a bundled chapter. Out: events, outputs and streams in the chapter's folder of the results,
//! and progress for people. Left out: what they mean, which is the importing builder's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use veracity_protocol::{
    ALIVE_FILE, BundledChapter, DataSource, EVENTS_FILE, Event, Failure, PLAN_VARIABLE, RanChapter,
    RunPlan, STDERR_FILE, STDOUT_FILE, THIS_RUN, lacks_memory,
};

use crate::bundle::Opened;
use crate::machine::{self, Machine};

/// How often events are looked at.
const POLL: Duration = Duration::from_millis(50);

/// How often progress is told where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A run that is to be.
pub(crate) struct Run<'a> {
    pub(crate) chapter: &'a BundledChapter,
    pub(crate) bundle: &'a Opened,
    pub(crate) data: &'a BTreeMap<String, DataSource>,
    pub(crate) machine: &'a Machine,
    pub(crate) results: &'a Path,
    pub(crate) jobs: Option<usize>,
    /// Further arguments for Slurm, if jobs are to run there.
    pub(crate) slurm: Option<&'a [String]>,
}

impl Run<'_> {
    /// Runs the program; says how it ended.
    pub(crate) fn to_its_end(&self) -> Result<RanChapter, String> {
        let slug = &self.chapter.plan.chapter;
        self.run().map_err(|error| format!("the program of {slug} cannot be run: {error}"))
    }

    fn run(&self) -> io::Result<RanChapter> {
        let plan = self.plan();
        let outbox = &plan.outbox;
        if outbox.exists() {
            fs::remove_dir_all(outbox)?;
        }
        fs::create_dir_all(outbox)?;
        fs::create_dir_all(&plan.memo)?;
        let plan_file = outbox.join("plan.json");
        fs::write(&plan_file, serde_json::to_vec(&plan)?)?;
        fs::write(outbox.join(EVENTS_FILE), b"")?;
        let alive = File::create(outbox.join(ALIVE_FILE))?;
        alive.lock()?;
        let mut command = Command::new(self.bundle.folder.join(&self.chapter.program));
        command
            .current_dir(self.bundle.home())
            .env(PLAN_VARIABLE, &plan_file)
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(File::create(outbox.join(STDOUT_FILE))?)
            .stderr(File::create(outbox.join(STDERR_FILE))?);
        if let Some(libraries) = &self.machine.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        // A group of its own, so that it can end what it has started without ending this.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let mut shown = Shown::new(&plan);
        let mut events = BufReader::new(File::open(outbox.join(EVENTS_FILE))?);
        let mut line = String::new();
        let mut failure: Option<Failure> = None;
        let status = loop {
            // Asked before the events are read, so that none is missed.
            let ended = child.try_wait()?;
            while events.read_line(&mut line)? > 0 {
                if !line.ends_with('\n') {
                    break;
                }
                if let Ok(event) = serde_json::from_str(&line) {
                    shown.event(&event);
                    if let Event::Failed { failure: found, .. } = event {
                        failure = Some(found);
                    }
                }
                line.clear();
            }
            if let Some(status) = ended {
                break status;
            }
            thread::sleep(POLL);
        };
        shown.clear();
        drop(alive);
        let failure = match failure {
            Some(failure) => Some(self.told(&failure.message)),
            None if status.success() => None,
            None => {
                let last = last_words(&outbox.join(STDERR_FILE));
                Some(self.told(&format!("the program ended with {status}{last}")))
            }
        };
        fs::remove_file(outbox.join(ALIVE_FILE))?;
        Ok(RanChapter { nonce: plan.nonce, failure })
    }

    /// The plan with what only this machine knows.
    fn plan(&self) -> RunPlan {
        let mut plan = self.chapter.plan.clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        plan.nonce = format!("{now:x}-{}", std::process::id());
        plan.outbox = self.results.join(&plan.chapter);
        plan.memo = self.results.join("memo");
        plan.data = self.bundle.folder.join("data");
        plan.datasets.extend(
            self.data
                .iter()
                .filter(|(name, _)| plan.datasets.contains_key(*name))
                .map(|(name, source)| (name.clone(), source.clone()))
                .collect::<Vec<_>>(),
        );
        plan.jobs = self.jobs.unwrap_or(self.machine.jobs);
        plan.cluster = self.slurm.map(|more| {
            let mut cluster = plan.cluster.take().unwrap_or_default();
            cluster.arguments.extend(more.iter().cloned());
            cluster
        });
        for cell in &mut plan.cells {
            cell.key = cell.key.replace(THIS_RUN, &plan.nonce);
        }
        plan
    }

    /// A failure in words, with the sizes if the GPU's memory was too small.
    fn told(&self, message: &str) -> String {
        let is_memory = self.bundle.manifest.cuda.is_some() && lacks_memory(message);
        match is_memory.then(machine::memory).flatten() {
            Some(sizes) => format!("{message}\nthe GPU's memory is too small: {sizes}"),
            None => message.to_owned(),
        }
    }
}

/// The last lines that a program that died wrote on standard error.
fn last_words(stderr: &Path) -> String {
    const LINES: usize = 5;
    let said = fs::read(stderr).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains('\u{1e}')).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter().map(|line| format!("\n  {line}")).collect()
}

/// Progress as it is shown.
struct Shown<'a> {
    plan: &'a RunPlan,
    is_terminal: bool,
    last: Instant,
}

impl<'a> Shown<'a> {
    fn new(plan: &'a RunPlan) -> Self {
        Self { plan, is_terminal: io::stdout().is_terminal(), last: Instant::now() }
    }

    fn event(&mut self, event: &Event) {
        let count = self.plan.cells.len();
        let name = |cell: usize| self.plan.cells.get(cell).map_or("", |cell| cell.id.as_str());
        let words = match event {
            Event::Started { cell } => format!("  {}/{count} {}", cell + 1, name(*cell)),
            Event::Progress { cell, task, done, total, note, .. } => {
                let of = total.map_or_else(String::new, |total| format!("/{total}"));
                format!("  {}/{count} {}: {task} {done}{of} {note}", cell + 1, name(*cell))
            }
            Event::Finished { cell, duration_ms } if *duration_ms >= 1000 => {
                self.line(&format!("  {} took {:.1} s", name(*cell), *duration_ms as f64 / 1e3));
                return;
            }
            _ => return,
        };
        self.passing(&words);
    }

    /// What the next line may replace.
    fn passing(&mut self, words: &str) {
        if self.is_terminal {
            print!("\r\x1b[K{words}");
            // Who looks away misses nothing.
            let _ = io::stdout().flush();
        } else if self.last.elapsed() >= LINE_EVERY {
            self.line(words);
        }
    }

    fn line(&mut self, words: &str) {
        self.clear();
        println!("{words}");
        self.last = Instant::now();
    }

    fn clear(&self) {
        if self.is_terminal {
            print!("\r\x1b[K");
        }
    }
}
