//! Questions to the code of a chapter.
//!
//! In: what a person types. Out: what it gives, as an [`Answer`]. Each input is run as one more cell
//! behind those of the chapter, so that it sees what a cell there would see, `equation!` included.
//! It runs in contexts apart from the report's, and nothing that comes of it is stored.
//!
//! The chapter is read anew for each input: after an edit, the next answer is that of the chapter as
//! it is now. Cells run when an input first needs what they leave.

mod input;
mod words;

pub use input::{Need, need};
pub(crate) use words::artifact;
pub use words::{published, words};

use std::ops::Range;
use std::sync::Arc;

use veracity_protocol::{Artifact, Published};

use crate::diag::Diagnostic;
use crate::exec::{CellStatus, ExecEvent};
use crate::kernel::{Completion, Ending, Outcome};
use crate::parse::{self, Chapter};
use crate::pipeline::{self, BuildEvent, BuildRequest, Evaluated, Ground, Prepare, Sink, Written};
use crate::plan::{Bar, ChapterPlan};
use crate::publish::Output;
use crate::span::{Source, Span};
use crate::world::DiskWorld;

/// Questions to one chapter.
pub struct Console {
    request: BuildRequest,
    prepare: Arc<Prepare>,
    /// Index of the chapter.
    index: usize,
    ground: Arc<Ground>,
    evaluated: Evaluated,
    /// Inputs that ended well, with their numbers.
    inputs: Vec<Input>,
    /// How many inputs there were.
    count: usize,
    /// The chapter with the inputs that ended well, as planned last.
    last: Option<ChapterPlan>,
}

#[derive(Clone, Debug)]
struct Input {
    number: usize,
    text: String,
}

/// What an input gave.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Number of the input, from 1.
    pub number: usize,
    /// What was printed on standard output.
    pub stdout: String,
    /// What was printed on standard error.
    pub stderr: String,
    /// Values that it would publish in a cell.
    pub values: Vec<Published>,
    /// What it shows.
    pub artifacts: Vec<Artifact>,
    /// Why it did not come to its end.
    pub problem: Option<Diagnostic>,
}

/// Ends what a console is doing, from any thread.
#[derive(Clone)]
pub struct Interrupter(Arc<Ground>);

impl Interrupter {
    /// Ends it.
    pub fn interrupt(&self) {
        self.0.kernel.interrupt();
    }
}

impl Console {
    /// Replays the chapter's cells, or runs those without a stored result, as a build does.
    ///
    /// `prepare` makes the ground with its kernel; [`pipeline::prepare`] is one, for a request with
    /// [`pipeline::KernelChoice::Console`].
    ///
    /// # Errors
    /// If the report has no such chapter, or there is nothing to build.
    pub fn open(
        request: &BuildRequest,
        wanted: &str,
        prepare: Arc<Prepare>,
        sink: Sink<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let one = |problem| vec![problem];
        let output = Output::open(&request.out, || sink(BuildEvent::Waiting)).map_err(one)?;
        let world = DiskWorld::new(&request.root);
        let written = pipeline::read(&world)?;
        let index = find(&written.chapters, wanted).map_err(one)?;
        let request = BuildRequest { chapter: Some(index + 1), ..request.clone() };
        let ground = Arc::new(ground(&request, &written, index, &*prepare, sink)?);
        let planned = pipeline::plan(&request, written, &ground)?;
        let results = pipeline::run(&request, &planned, &*ground.kernel, sink);
        let evaluated = pipeline::judge(planned, results, &world);
        drop(output);
        let console = Self {
            request,
            prepare,
            index,
            ground,
            evaluated,
            inputs: Vec::new(),
            count: 0,
            last: None,
        };
        // Without a cell to run this opens the context, for which nobody likes to wait later.
        let chapter = &console.evaluated.plan.chapters[index];
        let _ = console.run(chapter, &[], sink);
        Ok(console)
    }

    /// What the report says, as of the beginning.
    pub fn evaluated(&self) -> &Evaluated {
        &self.evaluated
    }

    /// The chapter, as of the beginning.
    pub fn chapter(&self) -> &Chapter {
        &self.evaluated.chapters[self.index]
    }

    /// What became of the chapter's cells at the beginning, with their names.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &CellStatus)> {
        let results = &self.evaluated.executed.chapters[self.index].cells;
        let cells = self.chapter().cells.iter().zip(results);
        cells.map(|(cell, result)| (cell.id.as_str(), &result.status))
    }

    /// The values that the chapter's cells have published.
    pub fn values(&self) -> impl Iterator<Item = &Published> {
        let cells = &self.evaluated.executed.chapters[self.index].cells;
        cells.iter().flat_map(|cell| &cell.record.output.values)
    }

    /// Names that an input may use: variables and items of chapter and inputs, sorted.
    pub fn names(&self) -> Vec<String> {
        let chapter = self.chapter();
        let cells = chapter.cells.iter().map(|cell| cell.code.text.as_str());
        let modules = chapter.modules.iter().map(|module| module.code.text.as_str());
        let inputs = self.inputs.iter().map(|input| input.text.as_str());
        input::names(cells.chain(inputs).chain(modules))
    }

    /// What may stand at the end of something half-typed: what the kernel knows of types, if it knows it
    /// at once, and else the names that chapter and inputs define.
    pub fn complete(&self, typed: &str) -> Completion {
        let chapter = self.last.as_ref().unwrap_or(&self.evaluated.plan.chapters[self.index]);
        let runs = |&index: &usize| chapter.cells[index].barred.is_none();
        let cells: Vec<usize> = (0..chapter.cells.len()).filter(runs).collect();
        let known = self.ground.kernel.complete(chapter, &cells, typed);
        let known = known.map(input::callable).filter(|known| {
            // An answer may reach further back than what is typed, into the cells.
            !known.words.is_empty() && known.typed <= typed.len()
        });
        known.unwrap_or_else(|| input::complete(typed, &self.names()))
    }

    /// Ends what an [`Console::ask`] is doing.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(Arc::clone(&self.ground))
    }

    /// Runs an input behind the chapter's cells and the inputs before.
    ///
    /// # Errors
    /// If the report cannot be read any more. What is wrong with the input is in the answer.
    pub fn ask(&mut self, text: &str, sink: Sink<'_>) -> Result<Answer, Vec<Diagnostic>> {
        self.count += 1;
        let input = Input { number: self.count, text: input::ended(text) };
        let written = pipeline::read(&DiskWorld::new(&self.request.root))?;
        if written.chapters.get(self.index).is_none_or(|now| now.slug != self.chapter().slug) {
            return Err(vec![
                Diagnostic::global(
                    "unknown-chapter",
                    "the chapter is not in its place of the report any more",
                )
                .hint("end the console with Ctrl-D and open it anew"),
            ]);
        }
        if written.config != self.evaluated.config {
            let prepare = Arc::clone(&self.prepare);
            self.ground = Arc::new(ground(&self.request, &written, self.index, &*prepare, sink)?);
            self.evaluated.config = written.config.clone();
        }
        self.inputs.push(input);
        let answer = self.answer(written, sink);
        if !answer.as_ref().is_ok_and(|answer| answer.problem.is_none()) {
            self.inputs.pop();
        }
        answer
    }

    fn answer(&mut self, written: Written, sink: Sink<'_>) -> Result<Answer, Vec<Diagnostic>> {
        let Extended { written, places } = self.extended(written)?;
        let mut planned = pipeline::plan(&self.request, written, &self.ground)?;
        let chapter = &mut planned.plan.chapters[self.index];
        let own = chapter.cells.len() - places.len();
        for (cell, input) in chapter.cells[own..].iter_mut().zip(&self.inputs) {
            cell.id = format!("input {}", input.number);
            cell.body = cell.body.clone().answering();
        }
        let place = |problem: &Diagnostic| self.placed(problem, &places);
        let last = chapter.cells.len() - 1;
        let number = self.count;
        let failed =
            |problem| Answer { number, problem: Some(place(&problem)), ..Answer::default() };
        match &chapter.cells[last].barred {
            None => {}
            Some(Bar::Syntax(problem)) => return Ok(failed(problem.clone())),
            Some(Bar::Needs(_, words)) => {
                let span = chapter.cells[last].span.clone();
                return Ok(failed(Diagnostic::error("not-run", words.clone(), span)));
            }
        }
        let mut cells = chapter.cells[last].needs.clone();
        cells.push(last);
        let mut outcomes = self.run(chapter, &cells, sink);
        // The type of a variable may follow from a cell that the input does not need.
        if let Some((_, needed)) = outcomes.split_last()
            && needed.iter().any(|outcome| matches!(outcome.ending, Ending::Failed(_)))
        {
            let runs = |&index: &usize| chapter.cells[index].barred.is_none();
            cells = (0..=last).filter(runs).collect();
            outcomes = self.run(chapter, &cells, sink);
        }
        let first_failure = outcomes.iter().find_map(|outcome| match &outcome.ending {
            Ending::Failed(problem) => Some((**problem).clone()),
            _ => None,
        });
        let Some(Outcome { ending, stdout, stderr, .. }) = outcomes.pop() else {
            return Ok(failed(
                Diagnostic::global("kernel", "the kernel said nothing")
                    .hint("end the console with Ctrl-D and open it anew"),
            ));
        };
        let answer = Answer { number, stdout, stderr, ..Answer::default() };
        Ok(match ending {
            Ending::Done(output) => {
                self.last = Some(planned.plan.chapters.swap_remove(self.index));
                Answer { values: output.values, artifacts: output.artifacts, ..answer }
            }
            Ending::Failed(problem) if problem.code == "interrupted" => {
                Answer { problem: Some(interrupted()), ..answer }
            }
            Ending::Failed(problem) => {
                let stderr = without_panic(&answer.stderr, &problem);
                Answer { problem: Some(place(&problem)), stderr, ..answer }
            }
            Ending::NotRun(_, words) => {
                let problem = first_failure.unwrap_or_else(|| Diagnostic::global("not-run", words));
                Answer { problem: Some(place(&problem)), ..answer }
            }
            Ending::NotReached => Answer { problem: Some(interrupted()), ..answer },
        })
    }

    fn run(&self, chapter: &ChapterPlan, cells: &[usize], sink: Sink<'_>) -> Vec<Outcome> {
        sink(BuildEvent::Exec(ExecEvent::Running { chapter, cells: cells.len() }));
        let outcomes = self.ground.kernel.run(chapter, cells, &|event| {
            sink(BuildEvent::Exec(ExecEvent::Kernel { chapter, event }));
        });
        sink(BuildEvent::Exec(ExecEvent::Ran { chapter }));
        outcomes
    }

    /// The report whose chapter has the inputs as further cells.
    fn extended(&self, mut written: Written) -> Result<Extended, Vec<Diagnostic>> {
        let chapter = &mut Arc::make_mut(&mut written.chapters)[self.index];
        let mut text = chapter.source.text().to_owned();
        let mut places = Vec::with_capacity(self.inputs.len());
        for Input { number, text: input } in &self.inputs {
            let longest = input.split(|c| c != '`').map(str::len).max().unwrap_or_default();
            let fence = "`".repeat(longest.max(2) + 1);
            text.push_str(&format!("\n\n{fence}rust,cell\n"));
            let start = text.len();
            text.push_str(input);
            places.push(start..text.len());
            // The same words typed again are another input.
            text.push_str(&format!("\n// input {number}\n{fence}\n"));
        }
        let (extended, _) = parse::chapter(Source::new(chapter.source.path(), text));
        if extended.cells.len() != chapter.cells.len() + self.inputs.len() {
            return Err(vec![
                Diagnostic::error(
                    "unclosed-block",
                    "the chapter's last block is never closed",
                    chapter.source.span(chapter.source.text().len()..chapter.source.text().len()),
                )
                .hint("close it; until then nothing can be asked"),
            ]);
        }
        *chapter = Chapter { slug: chapter.slug.clone(), ..extended };
        Ok(Extended { written, places })
    }

    /// A diagnostic whose places are in the inputs, where they are, not in the chapter.
    fn placed(&self, problem: &Diagnostic, places: &[Range<usize>]) -> Diagnostic {
        let follow = |span: &Span| {
            let is_ours = span.source.path() == self.chapter().source.path();
            // What begins before an input and reaches into it is its whole block.
            let at = places.iter().position(|place| {
                is_ours && span.range.start <= place.end && span.range.end >= place.start
            });
            let Some(at) = at else { return span.clone() };
            let Input { number, text } = &self.inputs[at];
            let within = |offset: usize| offset.saturating_sub(places[at].start).min(text.len());
            let range = within(span.range.start)..within(span.range.end);
            Source::new(format!("input {number}"), text.as_str()).span(range)
        };
        let mut problem = problem.clone();
        problem.span = problem.span.as_ref().map(follow);
        for (span, _) in &mut problem.related {
            *span = follow(span);
        }
        problem
    }
}

struct Extended {
    written: Written,
    /// Where the inputs stand in the chapter.
    places: Vec<Range<usize>>,
}

/// What was printed on standard error but the line of the panic that the problem tells at its place.
fn without_panic(stderr: &str, problem: &Diagnostic) -> String {
    let line = || {
        let message = problem.message.strip_prefix("this cell panicked: ")?;
        let end = stderr.rfind(&format!(": {message}\n"))?;
        let before = &stderr[..end];
        let place = before.rfind(" panicked at ").filter(|&at| !before[at..].contains('\n'))?;
        let starts = ["the thread ", "a thread"].map(|words| before[..place].rfind(words));
        let start = starts.into_iter().flatten().max()?;
        Some(start..end + ": \n".len() + message.len())
    };
    let mut rest = stderr.to_owned();
    if let Some(line) = line() {
        rest.replace_range(line, "");
    }
    rest
}

fn interrupted() -> Diagnostic {
    Diagnostic::global("interrupted", "this input was interrupted")
}

/// The chapter that is meant: by number from 1, slug or file.
fn find(chapters: &[Chapter], wanted: &str) -> Result<usize, Diagnostic> {
    let number = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let is_meant = |chapter: &Chapter| {
        let path = chapter.source.path();
        chapter.slug == wanted || path == wanted || path.rsplit('/').next() == Some(wanted)
    };
    let found = number.filter(|&index| index < chapters.len());
    found.or_else(|| chapters.iter().position(is_meant)).ok_or_else(|| {
        let known: Vec<&str> = chapters.iter().map(|chapter| chapter.slug.as_str()).collect();
        Diagnostic::global("unknown-chapter", format!("there is no chapter `{wanted}`"))
            .note(format!("name one by its number, its file or its name: {}", known.join(", ")))
            .did_you_mean(wanted, known)
    })
}

/// What the chapter stands on, even if it has no cells of its own.
fn ground(
    request: &BuildRequest,
    written: &Written,
    index: usize,
    prepare: &Prepare,
    sink: Sink<'_>,
) -> Result<Ground, Vec<Diagnostic>> {
    sink(BuildEvent::Preparing);
    let slug = written.chapters[index].slug.as_str();
    prepare(request, &written.config, &[slug]).map_err(|problem| vec![problem])
}
