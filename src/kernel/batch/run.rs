//! One run of a chapter's program.
//!
//! In: an executable and the cells that it holds. Out: one outcome a cell, put together from the
//! program's events, outputs, streams and exit status. Left out: compiling it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use veracity_protocol::{self as protocol, DataSource, FailureKind, PlannedCell, RunPlan};

use super::BatchKernel;
use crate::data::DataSet;
use crate::diag::Diagnostic;
use crate::kernel::compile::Maps;
use crate::kernel::process::{self, Group};
use crate::kernel::streams::{self, Parts};
use crate::kernel::{Ending, Event, Outcome};
use crate::plan::{ChapterPlan, Reuse};
use crate::span::Span;

/// How often the event file of a running program is looked at.
const POLL: Duration = Duration::from_millis(10);

/// How long the streams of a program that has ended may stay open.
const PATIENCE: Duration = Duration::from_secs(2);

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
    /// Durations of the cells that ended well, in order.
    finished: Vec<u64>,
    failure: Option<protocol::Failure>,
    timed_out: bool,
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
                );
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
        let plan = self.plan(outbox.path(), memo, nonce.clone());
        let plan_file = outbox.path().join("plan.json");
        fs::write(&plan_file, serde_json::to_vec(&plan)?)?;
        fs::write(outbox.path().join(protocol::EVENTS_FILE), b"")?;
        let alive = fs::File::create(outbox.path().join(protocol::ALIVE_FILE))?;
        alive.lock()?;

        let mut command = Command::new(executable);
        command
            .current_dir(&self.kernel.root)
            .env(protocol::PLAN_VARIABLE, &plan_file)
            // What is captured from the cells' streams must be the same on every machine.
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        let readers = [
            reader(group.child.stdout.take(), nonce.clone(), self.cells.len()),
            reader(group.child.stderr.take(), nonce, self.cells.len()),
        ];
        let mut state = State::default();
        let status = self.follow(&mut group, outbox.path(), &mut state)?;
        // What the program started and left behind would keep its streams open.
        group.kill();
        drop(alive);
        let patience = Instant::now() + PATIENCE;
        let [stdout, stderr] = readers.map(|reader| reader.texts(patience));
        Ok(self.collect(&state, status, outbox.path(), stdout, stderr))
    }

    fn plan(&self, outbox: &Path, memo: PathBuf, nonce: String) -> RunPlan {
        let foundation = &self.chapter.foundation;
        RunPlan {
            version: protocol::VERSION,
            chapter: self.chapter.slug.clone(),
            profile: foundation.profile.clone(),
            device: foundation.device.clone(),
            seed: foundation.seed,
            nonce,
            outbox: outbox.to_owned(),
            memo,
            data: self.kernel.data.clone(),
            datasets: self.datasets(),
            cells: self
                .cells
                .iter()
                .map(|&cell| &self.chapter.cells[cell])
                .map(|cell| PlannedCell {
                    id: cell.id.clone(),
                    key: cell.key.to_string(),
                    data: cell.data.clone(),
                })
                .collect(),
            equations: self.chapter.equations.clone(),
            jobs: self.kernel.jobs,
            job: None,
        }
    }

    /// The data sets at hand that the run's cells declare.
    fn datasets(&self) -> BTreeMap<String, DataSource> {
        let at_hand = &self.chapter.foundation.datasets;
        let declared = self.cells.iter().flat_map(|&cell| &self.chapter.cells[cell].data);
        declared
            .filter_map(|name| {
                let DataSet { folder, kind, digest } = at_hand.get(name)?.clone();
                Some((name.clone(), DataSource { folder, kind, digest }))
            })
            .collect()
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
            let over = state
                .current
                .is_some_and(|(position, since)| since.elapsed() > self.cell(position).timeout);
            if over {
                state.timed_out = true;
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
                state.current = Some((cell, Instant::now()));
                (self.sink)(Event::Started { cell: self.cells[cell] });
            }
            protocol::Event::Progress { cell, task, done, total, note, metrics }
                if cell < self.cells.len() =>
            {
                let cell = self.cells[cell];
                let metrics = metrics.into_iter().map(|(name, value)| (name, value.0)).collect();
                (self.sink)(Event::Progress { cell, task, done, total, note, metrics });
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
        Ending::Failed(Box::new(Diagnostic::error(
            "kernel",
            words,
            self.cell(position).span.clone(),
        )))
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
        if state.timed_out {
            let seconds = cell.timeout.as_secs_f64();
            return Diagnostic::error(
                "cell-timeout",
                format!("this cell ran longer than its limit of {seconds} s and was ended"),
                cell.span.clone(),
            )
            .hint(
                "raise the limit with `//| timeout: 5m` in the cell, or do less under this profile; \
                 a cell gets nothing on its standard input, so reading it waits for ever",
            );
        }
        if let Some(failure) = &state.failure {
            return self.reported(cell.span.clone(), failure);
        }
        if status.success() {
            return Diagnostic::error(
                "cell-died",
                "the program ended before this cell did",
                cell.span.clone(),
            )
            .hint(
                "`return` in a cell ends all cells of its chapter, and so does \
                 `std::process::exit`",
            );
        }
        Diagnostic::error(
            "cell-died",
            format!("this cell ended the program: {}", describe(status)),
            cell.span.clone(),
        )
        .hint("an abort, a stack overflow, `std::process::exit` or too little memory ends a program without a panic")
    }

    fn reported(&self, cell: Span, failure: &protocol::Failure) -> Diagnostic {
        let place = failure.location.as_ref().and_then(|location| {
            let at = (location.line as usize, location.column as usize);
            self.maps.get(&location.file)?.span(at, at)
        });
        let (code, what) = match failure.kind {
            FailureKind::Panic => ("cell-panic", "this cell panicked"),
            FailureKind::Error => ("cell-error", "this cell returned an error"),
        };
        let outside = failure.location.as_ref().filter(|_| place.is_none());
        let mut diagnostic =
            Diagnostic::error(code, format!("{what}: {}", failure.message), place.unwrap_or(cell));
        if let Some(location) = outside {
            diagnostic = diagnostic
                .note(format!("at {}:{}:{}", location.file, location.line, location.column));
        }
        diagnostic
    }
}

/// A thread that reads one stream of the program.
struct Reader {
    thread: thread::JoinHandle<()>,
    parts: Arc<Mutex<Parts>>,
}

fn reader(stream: Option<impl Read + Send + 'static>, nonce: String, cells: usize) -> Reader {
    let parts = Arc::new(Mutex::new(Parts::new(cells)));
    let filled = Arc::clone(&parts);
    let thread = thread::spawn(move || {
        if let Some(stream) = stream {
            // What was read before a stream broke is kept.
            let _ = streams::split(stream, &nonce, &filled);
        }
    });
    Reader { thread, parts }
}

impl Reader {
    /// What each cell printed. A process that left the program's group may hold the stream open
    /// for ever, so nobody waits for its end longer than this.
    fn texts(self, patience: Instant) -> Vec<String> {
        while !self.thread.is_finished() && Instant::now() < patience {
            thread::sleep(POLL);
        }
        self.parts.lock().map(|parts| parts.texts()).unwrap_or_default()
    }
}

fn read_output(outbox: &Path, position: usize) -> io::Result<protocol::CellOutput> {
    let bytes = fs::read(outbox.join(protocol::output_file(position)))?;
    Ok(serde_json::from_slice(&bytes)?)
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => " (illegal instruction)",
            6 => " (abort)",
            8 => " (arithmetic fault)",
            9 => " (killed, perhaps for want of memory)",
            11 => " (segmentation fault)",
            _ => "",
        };
        return format!("signal {signal}{name}");
    }
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => "no exit status".to_owned(),
    }
}

/// The event file of a running program, read as it grows.
struct Events {
    file: BufReader<fs::File>,
    partial: String,
}

impl Events {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufReader::new(fs::File::open(path)?), partial: String::new() })
    }

    /// The events since the last call; a line that is not whole yet waits for the next.
    fn read(&mut self) -> io::Result<Vec<protocol::Event>> {
        let mut events = Vec::new();
        // A reader that has met the end of a file must be told to look again.
        self.file.stream_position()?;
        while self.file.read_line(&mut self.partial)? > 0 {
            if !self.partial.ends_with('\n') {
                break;
            }
            // A line that is no event cannot be the program's own.
            events.extend(serde_json::from_str(&self.partial).ok());
            self.partial.clear();
        }
        Ok(events)
    }
}
