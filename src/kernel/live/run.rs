//! One run of cells in a context.
//!
//! In: the cells that are asked for. Out: one outcome for each, new or as the context has it.
//! Left out: which cells must run again, which is [`super::memory`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cargo_metadata::diagnostic::Diagnostic as Said;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use veracity_protocol::{
    self as protocol, CANCELLED_FILE, LiveReply, LiveRequest, LiveState, RunPlan, STATE_FILE,
    STDERR_PIPE, STDOUT_PIPE, Worker,
};

use super::context::{self, Context, Habit, POLL, SOURCE};
use super::memory::Step;
use super::{Ground, Pool};
use crate::diag::{Diagnostic, Severity};
use crate::kernel::compile::{self, Maps};
use crate::kernel::outbox::{self, Events, PATIENCE, Reader, read_output, reader};
use crate::kernel::{Ending, Event, Outcome, batch, workspace};
use crate::plan::tangle::{self, Evaluation, Own, Wanted};
use crate::plan::{self, CellPlan, ChapterPlan, Reuse};
use crate::span::Span;

/// Most attempts to compile a cell; each one leaves out a variable more.
const ATTEMPTS: usize = 12;

/// Why a context does not open.
#[derive(Debug)]
pub(super) struct Problem(Diagnostic);

impl Problem {
    pub(super) fn of(diagnostic: Diagnostic) -> Self {
        Self(diagnostic)
    }

    pub(super) fn into_diagnostic(self) -> Diagnostic {
        self.0
    }
}

/// The compiler's messages as one problem.
pub(super) fn rejected(messages: &[String], maps: &Maps, chapter: &Span) -> Problem {
    Problem(batch::merge(&errors(&parse(messages), maps, chapter)))
}

/// The outcomes if nothing can run.
pub(super) fn none(chapter: &ChapterPlan, cells: &[usize], problem: Problem) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::silent(Ending::Failed(Box::new(problem.0)))];
    let by = cells.first().map_or("", |&first| chapter.cells[first].id.as_str());
    outcomes.resize_with(cells.len(), || Outcome::blocked(by));
    outcomes
}

/// The context for a chapter, made anew if what it stands on has changed.
pub(super) fn ready<'a>(
    context: &'a mut Option<Context>,
    pool: &Pool,
    ground: &Ground,
    chapter: &ChapterPlan,
    interrupted: &dyn Fn() -> bool,
    sink: &(dyn Fn(Event) + Sync),
) -> Result<&'a mut Context, Problem> {
    if !context.as_ref().is_some_and(|context| context.fits(ground, chapter)) {
        // The one before ends first: both would be more than a small machine may hold.
        *context = None;
        let executable =
            pool.executable(&ground.workspace, interrupted, sink).map_err(Problem::of)?;
        *context = Some(Context::open(&executable, ground, chapter, interrupted, sink)?);
    }
    Ok(context.as_mut().expect("it has just been opened"))
}

/// One run of cells in a context.
pub(super) struct Run<'a> {
    pub(super) ground: &'a Ground,
    pub(super) chapter: &'a ChapterPlan,
    pub(super) context: &'a mut Context,
    /// Whether nobody waits for the run any more.
    pub(super) interrupted: &'a dyn Fn() -> bool,
    pub(super) sink: &'a (dyn Fn(Event) + Sync),
}

/// What an evaluation left behind.
struct Evaluated {
    reply: LiveReply,
    evaluation: Evaluation,
    state: LiveState,
    progress: Progress,
    /// The way back from the program that did the jobs of sweeps.
    worker: Maps,
    /// Outputs of the cells that ended well.
    outputs: Vec<io::Result<protocol::CellOutput>>,
    stdout: Vec<String>,
    stderr: Vec<String>,
}

/// How far an evaluation has come.
#[derive(Default)]
struct Progress {
    current: Option<(usize, Instant)>,
    /// Durations of the cells that ended well, in order.
    finished: Vec<u64>,
    failure: Option<protocol::Failure>,
    timed_out: bool,
}

impl Run<'_> {
    /// Gives one outcome for each of the cells.
    pub(super) fn outcomes(mut self, cells: &[usize]) -> Vec<Outcome> {
        let steps: Vec<Step> = self
            .chapter
            .cells
            .iter()
            .map(|cell| Step {
                key: cell.key.to_string(),
                touch: plan::touch(&cell.body),
                needs: cell.needs.clone(),
            })
            .collect();
        self.context.forget_but(&steps);
        let known = |index: &usize| self.context.outcomes.contains_key(&steps[*index].key);
        let missing = match self.chapter.reuse {
            Reuse::Nothing => cells.iter().copied().collect(),
            Reuse::Stored | Reuse::OnlyStored | Reuse::Meanwhile => {
                cells.iter().copied().filter(|index| !known(index)).collect()
            }
        };
        let stale = self.context.memory.stale(&steps, &missing);
        let mut results: BTreeMap<usize, Outcome> = BTreeMap::new();
        for &index in &stale {
            if results.contains_key(&index) {
                continue;
            }
            let is_failed = |at: &&usize| {
                results.get(at).is_some_and(|result| !matches!(result.ending, Ending::Done(_)))
            };
            let cell = &self.chapter.cells[index];
            if let Some(&failed) = cell.needs.iter().find(is_failed) {
                results.insert(index, Outcome::blocked(&self.chapter.cells[failed].id));
                continue;
            }
            if (self.interrupted)() {
                results.insert(index, Outcome::silent(Ending::NotReached));
                continue;
            }
            results.extend(self.execute(&steps, index, cells));
        }
        let mut take = |index: usize| {
            results.remove(&index).unwrap_or_else(|| {
                let known = self.context.outcomes.get(&steps[index].key).cloned();
                known.unwrap_or_else(|| Outcome::silent(Ending::NotReached))
            })
        };
        cells.iter().map(|&index| take(index)).collect()
    }

    fn cell(&self, index: usize) -> &CellPlan {
        &self.chapter.cells[index]
    }

    /// Runs a cell, and others with it if a variable cannot be kept between them.
    fn execute(&mut self, steps: &[Step], index: usize, cells: &[usize]) -> Vec<(usize, Outcome)> {
        let step = &steps[index];
        let mut habit = self.context.habits.get(&step.key).cloned().unwrap_or_default();
        habit.joined |= step.needs.iter().any(|&at| steps[at].touch.has_static);
        let mut together = BTreeSet::from([index]);
        for _ in 0..ATTEMPTS {
            if habit.joined {
                together.extend(&step.needs);
            }
            let unit: Vec<usize> = together.iter().copied().collect();
            let evaluated = match self.evaluate(steps, &unit, cells, &habit) {
                Ok(evaluated) => evaluated,
                Err(error) => {
                    self.context.broken = true;
                    return vec![(index, self.broken(index, &error.to_string()))];
                }
            };
            let again = match &evaluated.reply {
                LiveReply::Done => {
                    let refused = evaluated.state.refused.is_some() && !habit.joined;
                    habit.joined |= refused;
                    refused
                }
                LiveReply::Rejected { messages, source } => {
                    let said = parse(messages);
                    let lines = aligned(source, &evaluated.evaluation.code.text);
                    let blamed = blamed(&said, &lines, &evaluated.evaluation.own);
                    let joined = habit.joined;
                    let learnt = habit.learn(blamed);
                    // What cannot be taken may still be seen by a cell that runs together with it.
                    let is_borrowed = said
                        .iter()
                        .any(|said| with_code(said, &TOO_SHORT) || with_code(said, &NOT_THERE));
                    habit.joined |= !learnt && (is_borrowed || !habit.not_taken.is_empty());
                    let grown = !learnt && habit.joined == joined && {
                        // A type may follow from what a later cell does.
                        let before = together.len();
                        if is_untyped(&said) {
                            together.extend(behind(steps, index, cells));
                        }
                        together.len() > before
                    };
                    learnt || habit.joined != joined || grown
                }
                _ => false,
            };
            if again {
                continue;
            }
            self.context.habits.insert(step.key.clone(), habit);
            return self.settle(steps, &unit, evaluated);
        }
        vec![(index, self.broken(index, "its variables cannot be kept"))]
    }

    fn broken(&self, index: usize, words: &str) -> Outcome {
        let words = format!("the live kernel cannot run this cell: {words}");
        let span = self.cell(index).span.clone();
        Outcome::silent(Ending::Failed(Box::new(
            Diagnostic::error("kernel", words, span)
                .hint("say `--kernel batch`, which does without it"),
        )))
    }

    /// Takes over what came of an evaluation.
    fn settle(
        &mut self,
        steps: &[Step],
        unit: &[usize],
        evaluated: Evaluated,
    ) -> Vec<(usize, Outcome)> {
        let mut failed_at = evaluated.progress.finished.len();
        if let LiveReply::Rejected { messages, source } = &evaluated.reply {
            let lines = aligned(source, &evaluated.evaluation.code.text);
            let maps = self.maps(&evaluated.evaluation, &lines);
            let start = self.chapter.source.span(0..0);
            let cells = errors(&parse(messages), &maps, &start);
            let cells = cells.iter().filter_map(|error| error.cell).min();
            let position = unit.iter().position(|&index| Some(index) == cells);
            failed_at = position.unwrap_or(unit.len() - 1);
        }
        let mut outcomes = Vec::with_capacity(unit.len());
        let mut streams = evaluated.stdout.into_iter().zip(evaluated.stderr);
        for (&index, (output, &duration_ms)) in
            unit.iter().zip(evaluated.outputs.into_iter().zip(&evaluated.progress.finished))
        {
            let (stdout, stderr) = streams.next().unwrap_or_default();
            let ending = match output {
                Ok(output) => Ending::Done(output),
                Err(error) => Ending::Failed(Box::new(
                    Diagnostic::error(
                        "kernel",
                        format!("the cell's output cannot be read: {error}"),
                        self.cell(index).span.clone(),
                    )
                    .hint("say `--kernel batch`, which does without it"),
                )),
            };
            outcomes.push((index, Outcome { ending, stdout, stderr, duration_ms }));
        }
        for (index, outcome) in &outcomes {
            if matches!(outcome.ending, Ending::Done(_)) {
                self.context.outcomes.insert(steps[*index].key.clone(), outcome.clone());
            }
        }
        if failed_at == unit.len() {
            let kept = evaluated.evaluation.own.values().filter_map(|own| match own {
                Own::Kept(name) => Some(name.clone()),
                Own::Taken(_) => None,
            });
            let kept: Vec<String> = kept.collect();
            let ran = unit.iter().map(|&index| &steps[index]);
            self.context.memory.ran(ran, &kept, evaluated.state.variables);
            return outcomes;
        }
        let (stdout, mut stderr) = streams.next().unwrap_or_default();
        self.context.broken |= matches!(evaluated.reply, LiveReply::Unable { .. });
        let cell = self.cell(unit[failed_at]);
        let problem = match &evaluated.reply {
            _ if (self.interrupted)() => {
                Diagnostic::error("interrupted", "the build was interrupted", cell.span.clone())
            }
            LiveReply::Rejected { messages, source } => {
                let lines = aligned(source, &evaluated.evaluation.code.text);
                let maps = self.maps(&evaluated.evaluation, &lines);
                let start = self.chapter.source.span(0..0);
                batch::merge(&errors(&parse(messages), &maps, &start))
            }
            LiveReply::Done => match &evaluated.progress.failure {
                Some(failure) => {
                    let source = context::source(self.ground, &self.chapter.slug);
                    let lines = aligned(&source, &evaluated.evaluation.code.text);
                    let mut maps = self.maps(&evaluated.evaluation, &lines);
                    maps.extend(evaluated.worker);
                    outbox::reported(cell.span.clone(), failure, &maps)
                }
                None => outbox::left(cell),
            },
            LiveReply::Died { .. } if evaluated.progress.timed_out => outbox::timed_out(cell),
            LiveReply::Died { status } => died(cell, status, &mut stderr),
            LiveReply::Unable { words } => Diagnostic::error(
                "kernel",
                format!("the live kernel cannot run this cell: {words}"),
                cell.span.clone(),
            )
            .hint("say `--kernel batch`, which does without it"),
            LiveReply::Opened | LiveReply::Completed { .. } => outbox::left(cell),
        };
        // Without a reply of the process that runs cells, its variables are gone with it.
        if !matches!(evaluated.reply, LiveReply::Rejected { .. }) {
            self.context.memory.failed(evaluated.state.variables);
        }
        (self.sink)(Event::Ended { cell: unit[failed_at] });
        let ending = Ending::Failed(Box::new(problem));
        outcomes.push((unit[failed_at], Outcome { ending, stdout, stderr, duration_ms: 0 }));
        outcomes
    }

    fn maps(&self, evaluation: &Evaluation, lines: &[Option<usize>]) -> Maps {
        let mut maps = self.context.maps.clone();
        maps.insert(SOURCE.to_owned(), evaluation.code.map.moved(lines));
        maps
    }

    /// Compiles cells and runs them.
    fn evaluate(
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
            let begun = progress.current.is_some() || !progress.finished.is_empty();
            if (over || cancelled && begun) && !progress.timed_out {
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

impl Habit {
    /// Notes variables that cannot be taken or kept; says whether any is new.
    fn learn(&mut self, blamed: Vec<Own>) -> bool {
        let mut learnt = false;
        for own in blamed {
            learnt |= match own {
                Own::Taken(name) => self.not_taken.insert(name),
                Own::Kept(name) => self.not_kept.insert(name),
            };
        }
        learnt
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

/// The cells behind one that build on it, with all that they need from there on.
fn behind(steps: &[Step], index: usize, cells: &[usize]) -> BTreeSet<usize> {
    let users = cells.iter().copied().filter(|&at| steps[at].needs.contains(&index));
    users
        .flat_map(|at| steps[at].needs.iter().copied().chain([at]))
        .filter(|&at| at > index)
        .collect()
}

/// Where the statements' lines stand in the file that evcxr made of them: for each line of the
/// file the line of the statements, both from 0.
fn aligned(source: &str, code: &str) -> Vec<Option<usize>> {
    let mut code = code.lines().enumerate().peekable();
    source
        .lines()
        .map(|line| code.next_if(|(_, wanted)| *wanted == line).map(|(at, _)| at))
        .collect()
}

fn parse(messages: &[String]) -> Vec<Said> {
    messages.iter().filter_map(|message| serde_json::from_str(message).ok()).collect()
}

fn errors(said: &[Said], maps: &Maps, chapter: &Span) -> Vec<compile::Message> {
    let translated = said.iter().filter_map(|said| compile::translate(said, maps, chapter));
    translated.filter(|message| message.diagnostic.severity == Severity::Error).collect()
}

fn is_untyped(said: &[Said]) -> bool {
    let code = |said: &Said| said.code.as_ref().map(|code| code.code.clone());
    said.iter().filter_map(code).any(|code| ["E0282", "E0283", "E0284"].contains(&code.as_str()))
}

/// Errors of a reference that does not live as long as the context.
const TOO_SHORT: [&str; 6] = ["E0310", "E0373", "E0515", "E0521", "E0597", "E0716"];

/// Errors of a value that has moved, or is borrowed by another variable.
const NOT_THERE: [&str; 4] = ["E0381", "E0382", "E0505", "E0507"];

fn with_code(said: &Said, codes: &[&str]) -> bool {
    said.code.as_ref().is_some_and(|code| codes.contains(&code.code.as_str()))
}

/// The variables that cannot be taken or kept, by what the compiler says.
fn blamed(said: &[Said], lines: &[Option<usize>], own: &BTreeMap<usize, Own>) -> Vec<Own> {
    let of_line = |line: usize| own.get(&(lines.get(line.checked_sub(1)?)?.as_ref()? + 1));
    let short: Vec<Own> = said
        .iter()
        .filter(|said| with_code(said, &TOO_SHORT))
        // That the place where a variable is kept asks for more is often said in a note.
        .flat_map(|said| said.children.iter().chain([said]).flat_map(|said| &said.spans))
        .filter_map(|span| of_line(span.line_start).cloned())
        .collect();
    if !short.is_empty() {
        return short;
    }
    said.iter()
        .filter(|said| with_code(said, &NOT_THERE))
        .flat_map(|said| said.spans.iter().filter(|span| span.is_primary))
        .filter_map(|span| of_line(span.line_start).cloned())
        .collect()
}

/// Says how a cell ended the process, in the words of the batch kernel.
fn died(cell: &CellPlan, status: &str, stderr: &mut String) -> Diagnostic {
    // evcxr catches a segmentation fault, prints a backtrace and aborts.
    const FAULT: &str = "Segmentation fault.\n";
    let fault = stderr.find(FAULT);
    if let Some(at) = fault {
        stderr.truncate(at);
    }
    let after = |mark: &str| {
        let rest = &status[status.find(mark)? + mark.len()..];
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<i32>().ok()
    };
    match (after("signal: "), after("exit status: ")) {
        (Some(_), _) if fault.is_some() => outbox::died(cell, &outbox::signal(11)),
        (Some(signal), _) => outbox::died(cell, &outbox::signal(signal)),
        (None, Some(0)) => outbox::left(cell),
        (None, Some(code)) => outbox::died(cell, &format!("exit status {code}")),
        (None, None) => outbox::died(cell, status),
    }
}
