//! One evaluation: cells that are compiled and run together in a context.
//!
//! In: the cells, and what of their variables can be kept. Out: the reply of the process that stays,
//! with all that the cells put out until then. Left out: what follows from it, which is
//! [`super::run`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use veracity_protocol::{
    self as protocol, CANCELLED_FILE, LiveReply, LiveRequest, LiveState, RunPlan, STATE_FILE,
    STDERR_PIPE, STDOUT_PIPE, Worker,
};

use super::context::{self, Habit, POLL};
use super::memory::Step;
use super::run::Run;
use crate::kernel::compile::Maps;
use crate::kernel::outbox::{self, Events, PATIENCE, Reader, read_output, reader};
use crate::kernel::{Event, workspace};
use crate::plan::Reuse;
use crate::plan::tangle::{self, Evaluation, Wanted};

/// What an evaluation left behind.
pub(super) struct Evaluated {
    pub(super) reply: LiveReply,
    pub(super) evaluation: Evaluation,
    pub(super) state: LiveState,
    pub(super) progress: Progress,
    /// The way back from the program that did the jobs of sweeps.
    pub(super) worker: Maps,
    /// Outputs of the cells that ended well.
    pub(super) outputs: Vec<io::Result<protocol::CellOutput>>,
    pub(super) stdout: Vec<String>,
    pub(super) stderr: Vec<String>,
}

/// How far an evaluation has come.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) current: Option<(usize, Instant)>,
    /// Durations of the cells that ended well, in order.
    pub(super) finished: Vec<u64>,
    pub(super) failure: Option<protocol::Failure>,
    pub(super) timed_out: bool,
}

impl Progress {
    /// Whether a cell has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.current.is_some() || !self.finished.is_empty() || self.failure.is_some()
    }
}

impl Run<'_> {
    /// Compiles cells and runs them.
    pub(super) fn evaluate(
        &mut self,
        steps: &[Step],
        unit: &[usize],
        cells: &[usize],
        habit: &Habit,
    ) -> io::Result<Evaluated> {
        let before: Vec<usize> = match habit.joined {
            true => Vec::new(),
            false => steps[unit[0]].needs.clone(),
        };
        let mut taken = match before.is_empty() {
            true => BTreeMap::new(),
            false => self.context.memory.takes(steps, unit[0]),
        };
        taken.retain(|name, _| !habit.not_taken.contains(name));
        let bound = unit.iter().flat_map(|&index| steps[index].touch.binds.keys());
        let kept: BTreeSet<String> = bound
            .chain(taken.keys())
            .filter(|name| !habit.not_kept.contains(*name))
            .cloned()
            .collect();
        let kept: Vec<String> = kept.into_iter().collect();

        let runs = self.ground.own().join("run");
        fs::create_dir_all(&runs)?;
        let outbox = tempfile::Builder::new().prefix(&self.chapter.slug).tempdir_in(&runs)?;
        let memo = match self.chapter.reuse {
            Reuse::Nothing => outbox.path().join("memo"),
            Reuse::Stored | Reuse::OnlyStored | Reuse::Meanwhile => {
                self.ground.build.join("cache").join("memo")
            }
        };
        fs::create_dir_all(&memo)?;
        let plan = |cells| {
            let (chapter, memo, data) = (self.chapter, memo.clone(), &self.ground.data);
            let (outbox, jobs) = (outbox.path(), self.ground.jobs);
            outbox::Start { chapter, cells, outbox, memo, data, jobs, cluster: None }.plan()
        };
        let mut worker = Maps::new();
        let plan = match self.worker(unit, cells) {
            Some((executable, maps)) => {
                worker = maps;
                let RunPlan { cells, datasets, .. } = plan(cells);
                let worker = Some(Worker { executable, cells });
                RunPlan { datasets, worker, ..plan(unit) }
            }
            None => RunPlan { jobs: 1, ..plan(unit) },
        };
        let plan_file = outbox.path().join("plan.json");
        fs::write(&plan_file, serde_json::to_vec(&plan)?)?;
        fs::write(outbox.path().join(protocol::EVENTS_FILE), b"")?;
        let stdout = Pipe::new(&outbox.path().join(STDOUT_PIPE), &plan.nonce, unit.len())?;
        let stderr = Pipe::new(&outbox.path().join(STDERR_PIPE), &plan.nonce, unit.len())?;
        let positions: Vec<(usize, usize)> =
            unit.iter().enumerate().map(|(position, &index)| (index, position)).collect();
        let wanted = Wanted {
            plan: &plan_file.to_string_lossy(),
            library: &workspace::library_crate(&self.chapter.slug),
            linked: &context::linked_crate(self.ground.purpose, &self.chapter.slug),
            cells: &positions,
            before: &before,
            taken: &taken,
            kept: &kept,
        };
        let evaluation = tangle::evaluation(self.chapter, &wanted);
        let code = evaluation.code.text.clone();
        self.context.evaluations += 1;
        self.context.host.send(&LiveRequest::Evaluate { code })?;
        let (reply, progress) = self.follow(unit, outbox.path())?;
        let patience = Instant::now() + PATIENCE;
        let state = fs::read(outbox.path().join(STATE_FILE)).ok();
        let state = state.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let outputs = (0..progress.finished.len())
            .map(|position| read_output(outbox.path(), position))
            .collect();
        let mut streams = [stdout, stderr].map(|pipe| pipe.texts(patience));
        for texts in &mut streams {
            texts.resize_with(unit.len(), String::new);
        }
        let [stdout, stderr] = streams;
        let state = state.unwrap_or_default();
        Ok(Evaluated { reply, evaluation, state, progress, worker, outputs, stdout, stderr })
    }

    /// The program for the jobs of sweeps, since the process that stays cannot be started once more for a
    /// part of its work; none if there is no sweep, or if it does not compile.
    fn worker(&self, unit: &[usize], cells: &[usize]) -> Option<(PathBuf, Maps)> {
        let sweeps = |code: &str| code.contains("sweep");
        let modules = || self.chapter.modules.iter().any(|module| sweeps(&module.text));
        let is_wanted = self.ground.jobs > 1
            && (modules() || unit.iter().any(|&index| sweeps(self.cell(index).span.text())));
        is_wanted.then(|| self.ground.batch.worker(self.chapter, cells))?
    }

    /// Reads events until there is a reply, or ends the process when a cell's time is up.
    fn follow(&mut self, unit: &[usize], outbox: &Path) -> io::Result<(LiveReply, Progress)> {
        let mut events = Events::open(&outbox.join(protocol::EVENTS_FILE))?;
        let mut progress = Progress::default();
        let mut cancelled = false;
        loop {
            let reply = self.context.host.reply(POLL)?;
            for event in events.read()? {
                self.note(event, unit, &mut progress);
            }
            if let Some(reply) = reply {
                return Ok((reply, progress));
            }
            let over = progress.current.is_some_and(|(position, since)| {
                since.elapsed() > self.cell(unit[position]).timeout
            });
            if !cancelled && (self.interrupted)() {
                // What is still being compiled then does not begin, and no variable is lost.
                fs::write(outbox.join(CANCELLED_FILE), b"")?;
                cancelled = true;
            }
            if (over || cancelled && progress.has_begun()) && !progress.timed_out {
                progress.timed_out = true;
                self.context.host.send(&LiveRequest::Kill)?;
            }
        }
    }

    fn note(&self, event: protocol::Event, unit: &[usize], progress: &mut Progress) {
        match event {
            protocol::Event::Started { cell } if cell < unit.len() => {
                progress.current = Some((cell, Instant::now()));
                (self.sink)(Event::Started { cell: unit[cell] });
            }
            protocol::Event::Progress { cell, task, done, total, note, metrics }
                if cell < unit.len() =>
            {
                let metrics = metrics.into_iter().map(|(name, value)| (name, value.0)).collect();
                (self.sink)(Event::Progress { cell: unit[cell], task, done, total, note, metrics });
            }
            protocol::Event::Finished { cell, duration_ms } if cell == progress.finished.len() => {
                progress.finished.push(duration_ms);
                progress.current = None;
                (self.sink)(Event::Ended { cell: unit[cell] });
            }
            protocol::Event::Failed { failure, .. } => {
                progress.failure = Some(failure);
                progress.current = None;
            }
            _ => {}
        }
    }
}

/// A pipe in the outbox, and the thread that reads it.
struct Pipe {
    reader: Reader,
    /// Keeps the stream open between cells that open and close it.
    writer: fs::File,
}

impl Pipe {
    fn new(path: &Path, nonce: &str, cells: usize) -> io::Result<Self> {
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        // A reader that would wait for a writer here would wait for ever.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let read = rustix::fs::open(path, flags, Mode::empty())?;
        let writer = fs::OpenOptions::new().write(true).open(path)?;
        rustix::fs::fcntl_setfl(&read, OFlags::empty())?;
        Ok(Self { reader: reader(Some(fs::File::from(read)), nonce.to_owned(), cells), writer })
    }

    fn texts(self, patience: Instant) -> Vec<String> {
        drop(self.writer);
        self.reader.texts(patience)
    }
}
