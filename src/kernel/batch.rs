//! The batch kernel: one compiled program per chapter.
//!
//! In: a chapter's plan and a prepared [`Workspace`]. Out: one outcome a cell. It writes the
//! chapter's library and program, calls Cargo, and runs the executable, which needs no Rust
//! toolchain. A cell that does not compile is cut off together with the cells behind it, so
//! that the cells before it still run.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use cargo_metadata::Message as CargoMessage;
use veracity_protocol::{self as protocol, FailureKind, PlannedCell, RunPlan};

use super::compile::{self, Maps};
use super::process::{self, Group};
use super::streams::{self, Parts};
use super::workspace::{self, Workspace};
use super::{Ending, Event, Kernel, Outcome};
use crate::claims::Reason;
use crate::diag::{Diagnostic, Severity};
use crate::plan::{ChapterPlan, Reuse, tangle};
use crate::span::Span;

/// How often the event file of a running program is looked at.
const POLL: Duration = Duration::from_millis(10);

/// How long the streams of a program that has ended may stay open.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most bytes of a compiler's own words that are shown.
const LONGEST_COMPILER_OUTPUT: usize = 4000;

/// Compiles chapters into programs and runs them.
#[derive(Debug)]
pub struct BatchKernel {
    workspace: Workspace,
    /// Folder in which cells run: the report's root.
    root: PathBuf,
    /// Folder for what runs leave behind: outboxes and memoised results.
    build: PathBuf,
    data: PathBuf,
    /// Cargo locks its target folder; waiting here instead keeps its messages quiet.
    building: Mutex<()>,
}

impl BatchKernel {
    /// A kernel that compiles in `workspace` and runs cells in `root`.
    pub fn new(workspace: Workspace, root: PathBuf, build: PathBuf, data: PathBuf) -> Self {
        Self { workspace, root, build, data, building: Mutex::new(()) }
    }
}

impl Kernel for BatchKernel {
    fn run(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome> {
        let mut outcomes = BTreeMap::new();
        let mut runnable = cells.to_vec();
        while !runnable.is_empty() {
            match self.compile(chapter, &runnable, sink) {
                Ok((executable, maps)) => {
                    let run = Run { kernel: self, chapter, cells: &runnable, maps: &maps, sink };
                    outcomes.extend(runnable.iter().copied().zip(run.outcomes(&executable)));
                    break;
                }
                Err(errors) => {
                    let first = first_failing(&errors, &runnable);
                    // What fails only because its end was cut off is not at fault itself.
                    let cut_off = outcomes.values().any(is_failed);
                    for &cell in &runnable[first..] {
                        let outcome = if cell != runnable[first] {
                            Outcome::blocked(&chapter.cells[runnable[first]].id)
                        } else if cut_off {
                            Outcome::silent(Ending::NotRun(
                                Reason::Blocked,
                                "does not compile without the cells behind it, which do not \
                                 compile themselves"
                                    .to_owned(),
                            ))
                        } else {
                            Outcome::silent(Ending::Failed(Box::new(merge(&errors))))
                        };
                        outcomes.entry(cell).or_insert(outcome);
                    }
                    runnable.truncate(first);
                }
            }
        }
        outcomes.into_values().collect()
    }
}

fn is_failed(outcome: &Outcome) -> bool {
    matches!(outcome.ending, Ending::Failed(_))
}

/// Position of the first cell that an error belongs to; 0 if an error belongs to none.
fn first_failing(errors: &[compile::Message], cells: &[usize]) -> usize {
    errors
        .iter()
        .map(|error| {
            error.cell.and_then(|cell| cells.iter().position(|&other| other == cell)).unwrap_or(0)
        })
        .min()
        .unwrap_or(0)
}

/// All errors as one: the first, with the others beside it.
fn merge(errors: &[compile::Message]) -> Diagnostic {
    let mut errors = errors.iter().map(|error| &error.diagnostic);
    let mut merged = errors.next().cloned().unwrap_or_else(|| {
        Diagnostic::global("compile-error", "the compiler failed without a message")
    });
    for error in errors.take(20) {
        match &error.span {
            Some(span) if error.span != merged.span => {
                merged.related.push((span.clone(), error.message.clone()));
            }
            _ => merged.notes.push(error.message.clone()),
        }
    }
    merged
}

impl BatchKernel {
    fn compile(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Result<(PathBuf, Maps), Vec<compile::Message>> {
        let start = chapter.source.span(0..0);
        let failed = |diagnostic: Diagnostic| vec![compile::Message { diagnostic, cell: None }];
        let _building = self.building.lock();
        let maps = self.write_sources(chapter, cells).map_err(|error| {
            failed(Diagnostic::error(
                "build-folder",
                format!("cannot write the chapter's program: {error}"),
                start.clone(),
            ))
        })?;
        let mut command = self.workspace.cargo();
        command
            .args(["build", "--message-format=json", "--package"])
            .arg(workspace::program_package(&chapter.slug))
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut cargo = Group::spawn(&mut command).map_err(|error| {
            failed(Diagnostic::error(
                "toolchain",
                format!("cannot start cargo: {error}"),
                start.clone(),
            ))
        })?;
        let stderr = cargo.child.stderr.take();
        let words = thread::spawn(move || {
            let mut words = String::new();
            if let Some(mut stderr) = stderr {
                // What Cargo says is only for people; a part of it is better than none.
                let _ = stderr.read_to_string(&mut words);
            }
            words
        });
        let mut executable = None;
        let mut errors = Vec::new();
        let mut said = String::new();
        for message in CargoMessage::parse_stream(BufReader::new(
            cargo.child.stdout.take().expect("standard output is piped"),
        )) {
            match message {
                Ok(CargoMessage::CompilerArtifact(artifact)) => {
                    if !artifact.fresh && !artifact.target.is_custom_build() {
                        sink(Event::Building(format!("compiled {}", artifact.target.name)));
                    }
                    executable = artifact.executable.map(PathBuf::from).or(executable);
                }
                Ok(CargoMessage::CompilerMessage(message)) => {
                    said.push_str(message.message.rendered.as_deref().unwrap_or_default());
                    match compile::translate(&message.message, &maps, &start) {
                        Some(error) if error.diagnostic.severity == Severity::Error => {
                            errors.push(error);
                        }
                        Some(warning) => sink(Event::Warning(Box::new(warning.diagnostic))),
                        None => {}
                    }
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        let status = cargo.child.wait();
        let words = words.join().unwrap_or_default();
        match (status, executable) {
            (Ok(status), Some(executable)) if status.success() => Ok((executable, maps)),
            _ if process::interrupted() => {
                Err(failed(Diagnostic::error("interrupted", "the build was interrupted", start)))
            }
            _ if errors.is_empty() => {
                let words = end_of(&format!("{said}{words}"), LONGEST_COMPILER_OUTPUT);
                let failed_to = "the chapter's program cannot be built";
                let problem = Diagnostic::error("compile-error", failed_to, start);
                Err(failed(match words.as_str() {
                    "" => problem.note("cargo says nothing").hint("`veracity doctor` looks at it"),
                    words => problem.note(words),
                }))
            }
            _ => Err(errors),
        }
    }

    fn write_sources(&self, chapter: &ChapterPlan, cells: &[usize]) -> io::Result<Maps> {
        let library = tangle::library(chapter);
        let crate_name = workspace::library_crate(&chapter.slug);
        let program = tangle::program(chapter, &crate_name, cells);
        let mut maps = Maps::new();
        for (file, tangled) in [("library/src/lib.rs", library), ("program/src/main.rs", program)] {
            let path = Workspace::chapter(&chapter.slug).join(file);
            let on_disk = self.workspace.folder.join(&path);
            workspace::write_if_changed(&on_disk, tangled.text.as_bytes())?;
            maps.insert(path.to_string_lossy().into_owned(), tangled.map);
        }
        Ok(maps)
    }
}

fn end_of(text: &str, bytes: usize) -> String {
    let mut from = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text[from..].trim().to_owned()
}

/// One run of a chapter's program.
struct Run<'a> {
    kernel: &'a BatchKernel,
    chapter: &'a ChapterPlan,
    cells: &'a [usize],
    maps: &'a Maps,
    sink: &'a (dyn Fn(Event) + Sync),
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
    fn outcomes(&self, executable: &Path) -> Vec<Outcome> {
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
            Reuse::Stored | Reuse::OnlyStored => self.kernel.build.join("cache").join("memo"),
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
            cells: self
                .cells
                .iter()
                .map(|&cell| &self.chapter.cells[cell])
                .map(|cell| PlannedCell { id: cell.id.clone(), key: cell.key.to_string() })
                .collect(),
            equations: self.chapter.equations.clone(),
        }
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
            thread::sleep(POLL);
        }
    }

    fn note(&self, event: protocol::Event, state: &mut State) {
        match event {
            protocol::Event::Started { cell } if cell < self.cells.len() => {
                state.current = Some((cell, Instant::now()));
                (self.sink)(Event::Started { cell: self.cells[cell] });
            }
            protocol::Event::Progress { cell, task, done, total, note }
                if cell < self.cells.len() =>
            {
                (self.sink)(Event::Progress { cell: self.cells[cell], task, done, total, note });
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
        let mut failed: Option<&str> = None;
        let texts = stdout.into_iter().chain(std::iter::repeat(String::new()));
        let errors = stderr.into_iter().chain(std::iter::repeat(String::new()));
        for (position, (stdout, stderr)) in (0..self.cells.len()).zip(texts.zip(errors)) {
            let cell = self.cell(position);
            let (ending, duration_ms) = match (failed, state.finished.get(position)) {
                (Some(by), _) => {
                    outcomes.push(Outcome::blocked(by));
                    continue;
                }
                (None, Some(&duration)) => match read_output(outbox, position) {
                    Ok(output) => (Ending::Done(output), duration),
                    Err(error) => (self.broken(position, &error), duration),
                },
                (None, None) => {
                    (Ending::Failed(Box::new(self.failure(position, state, status))), 0)
                }
            };
            if matches!(ending, Ending::Failed(_)) {
                failed = Some(&cell.id);
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
        if process::interrupted() {
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
