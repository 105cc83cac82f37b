//! One run of cells in a context.
//!
//! In: the cells that are asked for. Out: one outcome for each, new or as the context has it.
//! Left out: which cells must run again, which is [`super::memory`]'s, and how cells are compiled and
//! run, which is [`super::evaluate`]'s.

use std::collections::{BTreeMap, BTreeSet};

use veracity_protocol::LiveReply;

use super::context::{self, Context, Habit, SOURCE};
use super::evaluate::Evaluated;
use super::memory::Step;
use super::messages::{
    NOT_THERE, TOO_SHORT, aligned, blamed, errors, is_untyped, parse, with_code,
};
use super::{Ground, Pool};
use crate::diag::Diagnostic;
use crate::kernel::compile::{Maps, Message};
use crate::kernel::{Ending, Event, Outcome, batch, outbox};
use crate::plan::tangle::{Evaluation, Own};
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

/// What the live kernel cannot do, and what can.
pub(super) fn unable(words: String, place: Span) -> Diagnostic {
    Diagnostic::error("kernel", words, place).hint("say `--kernel batch`, which does without it")
}

/// A cell that the live kernel cannot run.
fn cannot_run(cell: &CellPlan, words: &str) -> Diagnostic {
    unable(format!("the live kernel cannot run this cell: {words}"), cell.span.clone())
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

/// The process that runs cells had ended before the cell that it was given began, or the companion has.
pub(super) struct Gone;

/// What a death that comes before the cell has begun says of the cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlyDeath {
    /// Nothing: somebody ended the process while it was idle, as a kernel without memory does.
    Innocent,
    /// That it is the cell's, since it has come twice.
    Guilty,
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

impl Run<'_> {
    /// Gives one outcome for each of the cells.
    ///
    /// # Errors
    /// If what ran them has gone, and that says nothing of them: they are to be run again.
    pub(super) fn outcomes(
        mut self,
        cells: &[usize],
        death: EarlyDeath,
    ) -> Result<Vec<Outcome>, Gone> {
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
        let mut results = self.results(&steps, cells, death).inspect_err(|Gone| {
            // What it held has gone with it.
            self.context.memory.failed(BTreeMap::new());
        })?;
        let mut take = |index: usize| {
            results.remove(&index).unwrap_or_else(|| {
                let known = self.context.outcomes.get(&steps[index].key).cloned();
                known.unwrap_or_else(|| Outcome::silent(Ending::NotReached))
            })
        };
        Ok(cells.iter().map(|&index| take(index)).collect())
    }

    /// Runs what must run, and says what came of it.
    fn results(
        &mut self,
        steps: &[Step],
        cells: &[usize],
        death: EarlyDeath,
    ) -> Result<BTreeMap<usize, Outcome>, Gone> {
        let known = |index: &usize| self.context.outcomes.contains_key(&steps[*index].key);
        let missing = match self.chapter.reuse {
            Reuse::Nothing => cells.iter().copied().collect(),
            Reuse::Stored | Reuse::OnlyStored | Reuse::Meanwhile => {
                cells.iter().copied().filter(|index| !known(index)).collect()
            }
        };
        let stale = self.context.memory.stale(steps, &missing);
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
            results.extend(self.execute(steps, index, cells, death)?);
        }
        Ok(results)
    }

    pub(super) fn cell(&self, index: usize) -> &CellPlan {
        &self.chapter.cells[index]
    }

    /// Runs a cell, and others with it if a variable cannot be kept between them.
    fn execute(
        &mut self,
        steps: &[Step],
        index: usize,
        cells: &[usize],
        death: EarlyDeath,
    ) -> Result<Vec<(usize, Outcome)>, Gone> {
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
                    if death == EarlyDeath::Innocent && !(self.interrupted)() {
                        return Err(Gone);
                    }
                    return Ok(vec![(index, self.broken(index, &error.to_string()))]);
                }
            };
            let is_early = matches!(evaluated.reply, LiveReply::Died { .. })
                && !evaluated.progress.has_begun();
            if is_early && death == EarlyDeath::Innocent && !(self.interrupted)() {
                return Err(Gone);
            }
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
            return Ok(self.settle(steps, &unit, evaluated));
        }
        Ok(vec![(index, self.broken(index, "its variables cannot be kept"))])
    }

    fn broken(&self, index: usize, words: &str) -> Outcome {
        Outcome::silent(Ending::Failed(Box::new(cannot_run(self.cell(index), words))))
    }

    /// Takes over what came of an evaluation.
    fn settle(
        &mut self,
        steps: &[Step],
        unit: &[usize],
        evaluated: Evaluated,
    ) -> Vec<(usize, Outcome)> {
        let rejections = self.rejections(&evaluated);
        let failed_at = match &rejections {
            Some(errors) => {
                let first = errors.iter().filter_map(|error| error.cell).min();
                let position = unit.iter().position(|&index| Some(index) == first);
                position.unwrap_or(unit.len() - 1)
            }
            None => evaluated.progress.finished.len(),
        };
        let mut outcomes = Vec::with_capacity(unit.len());
        let mut streams = evaluated.stdout.into_iter().zip(evaluated.stderr);
        for (&index, (output, &duration_ms)) in
            unit.iter().zip(evaluated.outputs.into_iter().zip(&evaluated.progress.finished))
        {
            let (stdout, stderr) = streams.next().unwrap_or_default();
            let ending = match output {
                Ok(output) => Ending::Done(output),
                Err(error) => Ending::Failed(Box::new(unable(
                    format!("the cell's output cannot be read: {error}"),
                    self.cell(index).span.clone(),
                ))),
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
            LiveReply::Rejected { .. } => batch::merge(&rejections.unwrap_or_default()),
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
            LiveReply::Unable { words } => cannot_run(cell, words),
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

    /// The compiler's errors, if it rejected the cells.
    fn rejections(&self, evaluated: &Evaluated) -> Option<Vec<Message>> {
        let LiveReply::Rejected { messages, source } = &evaluated.reply else { return None };
        let lines = aligned(source, &evaluated.evaluation.code.text);
        let maps = self.maps(&evaluated.evaluation, &lines);
        Some(errors(&parse(messages), &maps, &self.chapter.source.span(0..0)))
    }

    fn maps(&self, evaluation: &Evaluation, lines: &[Option<usize>]) -> Maps {
        let mut maps = self.context.maps.clone();
        maps.insert(SOURCE.to_owned(), evaluation.code.map.moved(lines));
        maps
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

/// The cells behind one that build on it, with all that they need from there on.
fn behind(steps: &[Step], index: usize, cells: &[usize]) -> BTreeSet<usize> {
    let users = cells.iter().copied().filter(|&at| steps[at].needs.contains(&index));
    users
        .flat_map(|at| steps[at].needs.iter().copied().chain([at]))
        .filter(|&at| at > index)
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
