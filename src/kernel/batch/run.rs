//! One run of a chapter's program.
//!
//! In: an executable and the cells that it holds. Out: one outcome a cell, put together from the
//! program's events, outputs, streams and exit status. Left out: compiling it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use veracity_protocol as protocol;

use super::BatchKernel;
use super::sandbox::Watch;
use crate::diag::Diagnostic;
use crate::kernel::compile::{Maps, UNABLE};
use crate::kernel::confine::Confinement;
use crate::kernel::cuda;
use crate::kernel::outbox::{self, Events, PATIENCE, POLL, read_output, reader};
use crate::kernel::process::{self, Group};
use crate::kernel::{Ending, Event, Outcome};
use crate::plan::{ChapterPlan, Reuse};

/// One run of a chapter's program.
pub(super) struct Run<'a> {
    pub(super) kernel: &'a BatchKernel,
    pub(super) chapter: &'a ChapterPlan,
    /// Indices of the cells that the program holds, in order.
    pub(super) cells: &'a [usize],
    /// How often the kernel had been interrupted when the run began.
    pub(super) since: u64,
    /// The way back from the program's files to the chapter.
    pub(super) maps: &'a Maps,
    pub(super) sink: &'a (dyn Fn(Event) + Sync),
}

/// How far a run has come.
#[derive(Default)]
struct State {
    /// Position of the cell that runs, and since when.
    current: Option<(usize, Instant)>,
    /// Since when it waits for jobs on a cluster, which does not count against its time.
    away: Option<Instant>,
    /// Durations of the cells that ended well, in order.
    finished: Vec<u64>,
    failure: Option<protocol::Failure>,
    timed_out: bool,
    /// It has written more than a confined program may.
    overfull: bool,
}

impl Run<'_> {
    /// Runs the program; gives one outcome for each of its cells.
    pub(super) fn outcomes(&self, executable: &Path) -> Vec<Outcome> {
        match self.run(executable) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                let span = self.cell(0).span.clone();
                let failed = Diagnostic::error(
                    "kernel",
                    format!("the chapter's program cannot be run: {error}"),
                    span,
                )
                .hint(UNABLE);
                let mut outcomes = vec![Outcome::silent(Ending::Failed(Box::new(failed)))];
                outcomes.resize_with(self.cells.len(), || Outcome::blocked(&self.cell(0).id));
                outcomes
            }
        }
    }

    fn run(&self, executable: &Path) -> io::Result<Vec<Outcome>> {
        let runs = self.kernel.build.join("run");
        fs::create_dir_all(&runs)?;
        let outbox = tempfile::Builder::new().prefix(&self.chapter.slug).tempdir_in(&runs)?;
        let memo = match self.chapter.reuse {
            Reuse::Nothing => outbox.path().join("memo"),
            Reuse::Stored | Reuse::OnlyStored | Reuse::Meanwhile => {
                self.kernel.build.join("cache").join("memo")
            }
        };
        fs::create_dir_all(&memo)?;
        let nonce = outbox.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let plan = outbox::Start {
            chapter: self.chapter,
            cells: self.cells,
            outbox: outbox.path(),
            memo: memo.clone(),
            data: &self.kernel.data,
            jobs: self.kernel.jobs,
            cluster: self.kernel.cluster.as_ref(),
        };
        let plan = plan.plan();
        let plan_file = outbox.path().join("plan.json");
        fs::write(&plan_file, serde_json::to_vec(&plan)?)?;
        fs::write(outbox.path().join(protocol::EVENTS_FILE), b"")?;
        let alive = fs::File::create(outbox.path().join(protocol::ALIVE_FILE))?;
        alive.lock()?;

        let mut command = Command::new(executable);
        command
            .current_dir(&self.kernel.root)
            .envs(
                self.kernel
                    .workspace
                    .layout
                    .iter()
                    .flat_map(|layout| layout.running.iter().cloned()),
            )
            .env(protocol::PLAN_VARIABLE, &plan_file)
            // What is captured from the cells' streams must be the same on every machine.
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE");
        let written = vec![outbox.path().to_owned(), memo];
        let mut watch = None;
        if self.kernel.confinement == Confinement::Confined {
            command = self.kernel.confined_program(command, self.chapter, &written)?;
            watch = Some(Watch::over(written));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        let readers = [
            reader(group.child.stdout.take(), nonce.clone(), self.cells.len()),
            reader(group.child.stderr.take(), nonce, self.cells.len()),
        ];
        let mut state = State::default();
        let status = self.follow(&mut group, outbox.path(), &mut state, watch.as_mut())?;
        // What the program started and left behind would keep its streams open.
        group.kill();
        drop(alive);
        let patience = Instant::now() + PATIENCE;
        let [stdout, stderr] = readers.map(|reader| reader.texts(patience));
        Ok(self.collect(&state, status, outbox.path(), stdout, stderr))
    }

    fn cell(&self, position: usize) -> &crate::plan::CellPlan {
        &self.chapter.cells[self.cells[position]]
    }

    /// Reads events until the program has ended, or ends it when a cell's time is up.
    fn follow(
        &self,
        group: &mut Group,
        outbox: &Path,
        state: &mut State,
        mut watch: Option<&mut Watch>,
    ) -> io::Result<ExitStatus> {
        let mut events = Events::open(&outbox.join(protocol::EVENTS_FILE))?;
        loop {
            // Asked before the events are read, so that none is missed.
            let ended = group.child.try_wait()?;
            for event in events.read()? {
                self.note(event, state);
            }
            if let Some(status) = ended {
                return Ok(status);
            }
            let over = state.away.is_none()
                && state
                    .current
                    .is_some_and(|(position, since)| since.elapsed() > self.cell(position).timeout);
            if over {
                state.timed_out = true;
                group.kill();
            }
            if watch.as_mut().is_some_and(|watch| watch.is_full(group.child.id())) {
                state.overfull = true;
                group.kill();
            }
            if self.kernel.interrupts() != self.since {
                group.kill();
            }
            thread::sleep(POLL);
        }
    }

    fn note(&self, event: protocol::Event, state: &mut State) {
        match event {
            protocol::Event::Started { cell } if cell < self.cells.len() => {
                (state.current, state.away) = (Some((cell, Instant::now())), None);
                (self.sink)(Event::Started { cell: self.cells[cell] });
            }
            protocol::Event::Progress { cell, task, done, total, note, metrics }
                if cell < self.cells.len() =>
            {
                let cell = self.cells[cell];
                let metrics = metrics.into_iter().map(|(name, value)| (name, value.0)).collect();
                (self.sink)(Event::Progress { cell, task, done, total, note, metrics });
            }
            // Only who gives work away waits for it; else the time of a cell would never run out.
            protocol::Event::Waiting { .. } if self.kernel.cluster.is_some() => {
                state.away = Some(Instant::now());
            }
            protocol::Event::Resumed { .. } => {
                let away = state.away.take().map(|since| since.elapsed()).unwrap_or_default();
                if let Some((_, since)) = &mut state.current {
                    *since += away;
                }
            }
            protocol::Event::Finished { cell, duration_ms } if cell == state.finished.len() => {
                state.finished.push(duration_ms);
                state.current = None;
                (self.sink)(Event::Ended { cell: self.cells[cell] });
            }
            protocol::Event::Failed { failure, .. } => state.failure = Some(failure),
            _ => {}
        }
    }

    fn collect(
        &self,
        state: &State,
        status: ExitStatus,
        outbox: &Path,
        stdout: Vec<String>,
        stderr: Vec<String>,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(self.cells.len());
        let mut failed = false;
        let texts = stdout.into_iter().chain(std::iter::repeat(String::new()));
        let errors = stderr.into_iter().chain(std::iter::repeat(String::new()));
        for (position, (stdout, stderr)) in (0..self.cells.len()).zip(texts.zip(errors)) {
            let (ending, duration_ms) = match (failed, state.finished.get(position)) {
                (true, _) => {
                    outcomes.push(Outcome::silent(Ending::NotReached));
                    continue;
                }
                (false, Some(&duration)) => match read_output(outbox, position) {
                    Ok(output) => (Ending::Done(output), duration),
                    Err(error) => (self.broken(position, &error), duration),
                },
                (false, None) => {
                    (Ending::Failed(Box::new(self.failure(position, state, status))), 0)
                }
            };
            if matches!(ending, Ending::Failed(_)) {
                failed = true;
                (self.sink)(Event::Ended { cell: self.cells[position] });
            }
            outcomes.push(Outcome { ending, stdout, stderr, duration_ms });
        }
        outcomes
    }

    fn broken(&self, position: usize, error: &io::Error) -> Ending {
        let words = format!("the cell's output cannot be read: {error}");
        let span = self.cell(position).span.clone();
        Ending::Failed(Box::new(Diagnostic::error("kernel", words, span).hint(UNABLE)))
    }

    /// Why the cell at `position` did not finish.
    fn failure(&self, position: usize, state: &State, status: ExitStatus) -> Diagnostic {
        let cell = self.cell(position);
        if process::interrupted() || self.kernel.interrupts() != self.since {
            return Diagnostic::error(
                "interrupted",
                "the build was interrupted",
                cell.span.clone(),
            );
        }
        match &state.failure {
            _ if state.timed_out => outbox::timed_out(cell),
            _ if state.overfull => outbox::overfull(cell),
            Some(failure) => {
                let problem = outbox::reported(cell.span.clone(), failure, self.maps);
                match self.chapter.foundation.device == cuda::CUDA
                    && protocol::lacks_memory(&failure.message)
                {
                    true => lacking_memory(problem, cuda::memory()),
                    false => problem,
                }
            }
            None if status.success() => outbox::left(cell),
            None => outbox::died(cell, &outbox::describe(status)),
        }
    }
}

/// A failure for want of the GPU's memory, with its sizes, if they can be told.
fn lacking_memory(problem: Diagnostic, sizes: Option<String>) -> Diagnostic {
    let sizes = sizes.map_or_else(String::new, |sizes| format!(": {sizes}"));
    problem
        .note(format!("the GPU's memory is too small{sizes}"))
        .hint("what was memoised is kept; take a smaller batch, or end other programs that use it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_without_room_is_told_with_its_sizes() {
        let problem = || Diagnostic::global("cell-panic", "this cell panicked");
        let sizes = "81000 MiB of 81559 MiB are in use now".to_owned();
        let told = lacking_memory(problem(), Some(sizes));
        let words = "the GPU's memory is too small: 81000 MiB of 81559 MiB are in use now";
        assert_eq!(told.notes, [words]);
        assert!(told.hint.is_some_and(|hint| hint.contains("memoised is kept")));
        assert_eq!(lacking_memory(problem(), None).notes, ["the GPU's memory is too small"]);
    }
}
