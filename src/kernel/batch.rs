//! The batch kernel: one compiled program per chapter.
//!
//! In: a chapter's plan and a prepared [`Workspace`]. Out: one outcome a cell. It writes the
//! chapter's library and program, calls Cargo, and runs the executable, which needs no Rust
//! toolchain. A cell that does not compile is cut off together with the cells behind it, so
//! that the cells before it still run.

mod run;
mod sandbox;
mod tests;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use cargo_metadata::Message as CargoMessage;
use veracity_protocol::Cluster;

use self::run::Run;
use super::compile::{self, Maps};
use super::confine::Confinement;
use super::process::{self, Group};
use super::workspace::{self, Workspace};
use super::{Ending, Event, Kernel, Outcome, Tested};
use crate::claims::Reason;
use crate::diag::{Diagnostic, Severity};
use crate::plan::{ChapterPlan, Tests, tangle};

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
    /// Most processes at a time into which a cell may divide its work.
    jobs: usize,
    /// The cluster to which cells give such work.
    cluster: Option<Cluster>,
    confinement: Confinement,
    /// Cargo locks its target folder; waiting here instead keeps its messages quiet. What was
    /// built last need not be built again.
    building: Mutex<Option<Built>>,
    interrupts: Mutex<Interrupts>,
}

/// How often runs were interrupted, and the process that compiles at present.
#[derive(Debug, Default)]
struct Interrupts {
    count: u64,
    compiler: Option<u32>,
}

/// A chapter's program as it was built last.
#[derive(Debug)]
struct Built {
    sources: Sources,
    executable: PathBuf,
    warnings: Vec<Diagnostic>,
}

/// The generated files of a chapter.
#[derive(Clone, Debug)]
struct Sources {
    /// Texts, by path below the workspace.
    texts: BTreeMap<PathBuf, String>,
    maps: Maps,
}

impl BatchKernel {
    /// A kernel that compiles in `workspace` and runs cells in `root`, each divided into at most
    /// so many processes.
    pub fn new(
        workspace: Workspace,
        root: PathBuf,
        build: PathBuf,
        data: PathBuf,
        jobs: usize,
    ) -> Self {
        Self {
            workspace,
            root,
            build,
            data,
            jobs,
            cluster: None,
            confinement: Confinement::Free,
            building: Mutex::default(),
            interrupts: Mutex::default(),
        }
    }

    /// The same kernel, which confines compilers and programs or leaves them free.
    #[must_use]
    pub fn confined(self, confinement: Confinement) -> Self {
        Self { confinement, ..self }
    }

    /// The same kernel, whose cells give the jobs of sweeps to a cluster.
    #[must_use]
    pub fn on(self, cluster: Option<Cluster>) -> Self {
        Self { cluster, ..self }
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
        let since = self.interrupts();
        while !runnable.is_empty() {
            match self.compile(chapter, &runnable, since, sink) {
                Ok((executable, maps)) => {
                    let (cells, maps) = (&runnable[..], &maps);
                    let run = Run { kernel: self, chapter, cells, since, maps, sink };
                    outcomes.extend(runnable.iter().copied().zip(run.outcomes(&executable)));
                    break;
                }
                Err(errors) => {
                    let first = first_failing(&errors, &runnable);
                    // What fails only because its end was cut off is not at fault itself.
                    let cut_off = outcomes.values().any(is_failed);
                    // Without the chapter's library no cell can run.
                    let is_hopeless = errors.iter().any(|error| error.cell.is_none());
                    for &cell in &runnable[first..] {
                        let outcome = if cell != runnable[first] && is_hopeless {
                            Outcome::blocked(&chapter.cells[runnable[first]].id)
                        } else if cell != runnable[first] {
                            Outcome::silent(Ending::NotReached)
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

    fn test(
        &self,
        chapter: &ChapterPlan,
        tests: &Tests,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Option<Tested> {
        Some(self.test_library(chapter, tests, sink))
    }

    fn interrupt(&self) {
        let mut interrupts = self.interrupts.lock().unwrap_or_else(PoisonError::into_inner);
        interrupts.count += 1;
        if let Some(compiler) = interrupts.compiler {
            process::kill_group(compiler);
        }
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
pub(super) fn merge(errors: &[compile::Message]) -> Diagnostic {
    let mut errors = errors.iter().map(|error| &error.diagnostic);
    let mut merged = errors.next().cloned().unwrap_or_else(|| {
        Diagnostic::global("compile-error", "the compiler failed without a message")
            .hint("`veracity doctor` looks at the toolchain")
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
    /// The executable of a chapter's program with these cells, all of which must compile.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn program(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Result<PathBuf, Vec<Diagnostic>> {
        match self.compile(chapter, cells, self.interrupts(), sink) {
            Ok((executable, _)) => Ok(executable),
            Err(errors) => Err(errors.into_iter().map(|error| error.diagnostic).collect()),
        }
    }

    /// The same, with the way back from its files; nothing if one of the cells does not compile.
    #[cfg(unix)]
    pub(super) fn worker(&self, chapter: &ChapterPlan, cells: &[usize]) -> Option<(PathBuf, Maps)> {
        self.compile(chapter, cells, self.interrupts(), &|_| ()).ok()
    }

    /// Tells what the compiler warns of in these cells. Those that do not compile are left out, and
    /// with them those behind, as in a run.
    #[cfg(unix)]
    pub(super) fn warn(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) {
        let mut cells = cells.to_vec();
        let since = self.interrupts();
        let warn = |event| {
            if let Event::Warning(_) = event {
                sink(event);
            }
        };
        while !cells.is_empty()
            && let Err(errors) = self.compile(chapter, &cells, since, &warn)
        {
            cells.truncate(first_failing(&errors, &cells));
        }
    }

    /// How often runs were interrupted; a run ends when this has changed since it began.
    fn interrupts(&self) -> u64 {
        self.interrupts.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Notes which process compiles, or ends it if its run was interrupted before it began.
    fn note_compiler(&self, compiler: Option<u32>, since: u64) {
        let mut interrupts = self.interrupts.lock().unwrap_or_else(PoisonError::into_inner);
        interrupts.compiler = compiler;
        if let Some(compiler) = compiler
            && interrupts.count != since
        {
            process::kill_group(compiler);
        }
    }

    fn compile(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        since: u64,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Result<(PathBuf, Maps), Vec<compile::Message>> {
        let start = chapter.source.span(0..0);
        let failed = |diagnostic: Diagnostic| vec![compile::Message { diagnostic, cell: None }];
        let mut last = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let sources = sources(chapter, cells);
        // Formulas and seeds travel in the plan of a run, so a new key need not mean new code.
        if let Some(built) = &*last
            && built.sources.texts == sources.texts
            && built.executable.is_file()
        {
            for warning in &built.warnings {
                sink(Event::Warning(Box::new(warning.clone())));
            }
            return Ok((built.executable.clone(), sources.maps));
        }
        *last = None;
        self.write(&sources).map_err(|error| {
            failed(
                Diagnostic::error(
                    "build-folder",
                    // The error itself names a file that is there for a moment only.
                    format!("cannot write the chapter's program: {}", error.kind()),
                    start.clone(),
                )
                .hint(compile::UNABLE),
            )
        })?;
        let package = workspace::program_package(&chapter.slug);
        let arguments = ["build", "--package", &package];
        let (executable, warnings) = self.build(&arguments, chapter, &sources.maps, since, sink)?;
        let maps = sources.maps.clone();
        *last = Some(Built { sources, executable: executable.clone(), warnings });
        Ok((executable, maps))
    }

    /// Calls Cargo; gives the executable that it makes, and the compiler's warnings.
    fn build(
        &self,
        arguments: &[&str],
        chapter: &ChapterPlan,
        maps: &Maps,
        since: u64,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Result<(PathBuf, Vec<Diagnostic>), Vec<compile::Message>> {
        let start = chapter.source.span(0..0);
        let failed = |diagnostic: Diagnostic| vec![compile::Message { diagnostic, cell: None }];
        let mut warnings = Vec::new();
        let mut command = self.workspace.cargo();
        command
            .args(arguments)
            .arg("--message-format=json")
            .env("CARGO_TERM_PROGRESS_WHEN", "never");
        let command = match self.confinement {
            Confinement::Free => Ok(command),
            Confinement::Confined => self.confined_compiler(command),
        };
        let spawn = |mut command: Command| {
            let streams = command.stdin(Stdio::null()).stdout(Stdio::piped());
            Group::spawn(streams.stderr(Stdio::piped()))
        };
        let mut cargo = command.and_then(spawn).map_err(|error| {
            failed(
                Diagnostic::error(
                    "toolchain",
                    format!("cannot start cargo: {error}"),
                    start.clone(),
                )
                .hint("`veracity doctor` looks at the toolchain"),
            )
        })?;
        self.note_compiler(Some(cargo.child.id()), since);
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
                    match compile::translate(&message.message, maps, &start) {
                        Some(error) if error.diagnostic.severity == Severity::Error => {
                            errors.push(error);
                        }
                        Some(warning) => {
                            warnings.push(warning.diagnostic.clone());
                            sink(Event::Warning(Box::new(warning.diagnostic)));
                        }
                        None => {}
                    }
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.note_compiler(None, since);
        let status = cargo.child.wait();
        let words = words.join().unwrap_or_default();
        match (status, executable) {
            (Ok(status), Some(executable)) if status.success() => Ok((executable, warnings)),
            _ if process::interrupted() || self.interrupts() != since => {
                Err(failed(Diagnostic::error("interrupted", "the build was interrupted", start)))
            }
            _ if errors.is_empty() => {
                let words = end_of(&format!("{said}{words}"), LONGEST_COMPILER_OUTPUT);
                let failed_to = "the chapter's code cannot be built";
                let problem = Diagnostic::error("compile-error", failed_to, start);
                Err(failed(match words.as_str() {
                    "" => problem.note("cargo says nothing").hint("`veracity doctor` looks at it"),
                    words => problem.note(words),
                }))
            }
            _ => Err(errors),
        }
    }

    fn write(&self, sources: &Sources) -> io::Result<()> {
        for (path, text) in &sources.texts {
            workspace::write_if_changed(&self.workspace.folder.join(path), text.as_bytes())?;
        }
        Ok(())
    }
}

/// The program that holds the given cells of a chapter.
fn sources(chapter: &ChapterPlan, cells: &[usize]) -> Sources {
    let library = tangle::library(chapter);
    let crate_name = workspace::library_crate(&chapter.slug);
    let program = tangle::program(chapter, &crate_name, cells);
    let mut sources = Sources { texts: BTreeMap::new(), maps: Maps::new() };
    for (file, tangled) in [("library/src/lib.rs", library), ("program/src/main.rs", program)] {
        let path = Workspace::chapter(&chapter.slug).join(file);
        sources.maps.insert(path.to_string_lossy().into_owned(), tangled.map);
        sources.texts.insert(path, tangled.text);
    }
    sources
}

fn end_of(text: &str, bytes: usize) -> String {
    let mut from = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text[from..].trim().to_owned()
}
