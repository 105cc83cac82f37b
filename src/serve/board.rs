//! What a served page knows of its session.
//!
//! In: [`Update`]s. Out: one JSON object with the pages' digests, the states of cells, progress
//! and problems, each at its place in the pages. It is small and always sent whole, so that a page
//! that missed something is right again with the next one. Left out: how it gets there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use tokio::sync::watch;

use crate::diag::{Diagnostic, Severity};
use crate::document::{self, Document};
use crate::exec::{CellStatus, ExecEvent};
use crate::kernel::Event;
use crate::parse::{self, Chapter};
use crate::pipeline::{BuildEvent, Evaluated, Planned};
use crate::plan::ChapterPlan;
use crate::render::html::page_name;
use crate::session::{Page, PageState, Update};

/// Most points of a curve; beyond, every second one is left out.
const LONGEST_CURVE: usize = 400;

/// Most problems that a page is told of.
const MOST_PROBLEMS: usize = 50;

/// The present state, and a number that changes with it.
pub struct Board {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    page: Option<Arc<Page>>,
    digests: BTreeMap<String, String>,
    styles: String,
    activity: Option<String>,
    cells: BTreeMap<Place, CellView>,
    problems: Vec<Problem>,
    print_problems: Vec<Problem>,
    trouble: Vec<Problem>,
    remark: String,
}

/// A chapter's slug and a cell's identifier in it.
type Place = (String, String);

#[derive(Clone, Debug, Serialize)]
struct CellView {
    state: CellState,
    name: String,
    task: String,
    done: u64,
    total: Option<u64>,
    note: String,
    /// Time left, if the task tells how much there is to do.
    left_ms: Option<u64>,
    /// Numbers over units done.
    curves: BTreeMap<String, Vec<(f64, f64)>>,
    #[serde(skip)]
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum CellState {
    /// Its code or what it builds on has changed, and it waits for its turn.
    Stale,
    Running,
    Done,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Problem {
    severity: &'static str,
    code: &'static str,
    message: String,
    /// File, line and column.
    place: Option<String>,
    hint: Option<String>,
    notes: Vec<String>,
    /// The line of the file.
    excerpt: Option<String>,
    page: Option<String>,
    /// Anchor of the part of the page that it belongs to.
    anchor: Option<String>,
}

#[derive(Serialize)]
struct View<'a> {
    version: u64,
    meanwhile: bool,
    activity: Option<&'a str>,
    /// Digests of the pages, by file.
    pages: &'a BTreeMap<String, String>,
    /// Digest of everything else that pages load.
    styles: &'a str,
    /// By anchor.
    cells: BTreeMap<String, (String, &'a CellView)>,
    problems: Vec<&'a Problem>,
    trouble: &'a [Problem],
    /// What goes on behind; of interest for a moment.
    remark: &'a str,
}

impl Default for Board {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Board {
    /// Takes over what an update says.
    pub fn note(&self, update: Update<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = match update {
            // What runs may be the same as before.
            Update::Changed(_) if state.activity.is_some() => false,
            Update::Changed(_) => state.works("looking at the change"),
            Update::Build(event) => state.build(event),
            Update::Planned(planned) => state.planned(planned),
            Update::Page(page) => state.show(page),
            Update::Printed(problems) => {
                let problems = state.problems(problems);
                let changed = state.print_problems != problems;
                state.print_problems = problems;
                changed
            }
            Update::Trouble(problems) => state.trouble(problems),
        };
        drop(state);
        if changed {
            self.changed.send_modify(|version| *version += 1);
        }
    }

    /// Takes over what goes on behind the builds, in words.
    pub fn remark(&self, words: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = state.remark != words;
        state.remark = words.to_owned();
        drop(state);
        if changed {
            self.changed.send_modify(|version| *version += 1);
        }
    }

    /// Hears of changes.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The present pages, and the digest of one of them by its file.
    pub(super) fn page(&self, file: &str) -> Option<(Arc<Page>, String)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = state.digests.get(file).cloned().unwrap_or_default();
        Some((state.page.clone()?, digest))
    }

    /// The state as JSON.
    pub(super) fn json(&self) -> String {
        let version = *self.changed.borrow();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cells = BTreeMap::new();
        if let Some(page) = &state.page {
            for (chapter, shown) in page.evaluated.chapters.iter().zip(chapters(page)) {
                for (cell, anchor) in chapter.cells.iter().zip(&shown.cells) {
                    let place = (chapter.slug.clone(), cell.id.clone());
                    if let Some(view) = state.cells.get(&place) {
                        cells.insert(anchor.clone(), (page_name(&chapter.slug), view));
                    }
                }
            }
        }
        let view = View {
            version,
            meanwhile: state.page.as_ref().is_some_and(|page| page.state == PageState::Meanwhile),
            activity: state.activity.as_deref(),
            pages: &state.digests,
            styles: &state.styles,
            cells,
            problems: state.problems.iter().chain(&state.print_problems).collect(),
            trouble: &state.trouble,
            remark: &state.remark,
        };
        serde_json::to_string(&view).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl State {
    fn works(&mut self, words: &str) -> bool {
        let changed = self.activity.as_deref() != Some(words);
        self.activity = Some(words.to_owned());
        changed
    }

    fn build(&mut self, event: &BuildEvent<'_>) -> bool {
        match event {
            BuildEvent::Waiting => self.works("another build is running here; waiting for it"),
            BuildEvent::Preparing => self.works("preparing"),
            BuildEvent::Rendering => self.works("rendering"),
            BuildEvent::Exec(ExecEvent::Running { chapter, .. }) => {
                self.works(&format!("building {}", chapter.slug))
            }
            BuildEvent::Exec(ExecEvent::Kernel { chapter, event }) => self.kernel(chapter, event),
            BuildEvent::Exec(ExecEvent::Replayed { .. } | ExecEvent::Ran { .. }) => false,
        }
    }

    fn kernel(&mut self, chapter: &ChapterPlan, event: &Event) -> bool {
        match event {
            Event::Building(what) => self.works(&format!("{}: {what}", chapter.slug)),
            Event::Started { cell } => {
                let words = format!("running {} of {}", chapter.cells[*cell].id, chapter.slug);
                *self.cell(chapter, *cell) = CellView::new(CellState::Running, chapter, *cell);
                self.works(&words);
                true
            }
            Event::Progress { cell, task, done, total, note, metrics } => {
                if self.activity.is_none() {
                    self.works(&format!("running {}", chapter.cells[*cell].id));
                }
                let view = self.cell(chapter, *cell);
                if view.task != *task {
                    *view = CellView::new(CellState::Running, chapter, *cell);
                }
                view.task.clone_from(task);
                (view.done, view.total) = (*done, *total);
                view.note.clone_from(note);
                view.left_ms = left(view.since, *done, *total);
                for (name, value) in metrics {
                    add_point(view.curves.entry(name.clone()).or_default(), *done, *value);
                }
                true
            }
            Event::Ended { cell } => {
                let view = self.cell(chapter, *cell);
                view.state = CellState::Done;
                view.left_ms = None;
                true
            }
            Event::Warning(_) => false,
        }
    }

    fn cell(&mut self, chapter: &ChapterPlan, cell: usize) -> &mut CellView {
        let place = (chapter.slug.clone(), chapter.cells[cell].id.clone());
        let new = || CellView::new(CellState::Running, chapter, cell);
        self.cells.entry(place).or_insert_with(new)
    }

    /// Marks the cells whose results are not those that are shown.
    fn planned(&mut self, planned: &Planned) -> bool {
        let Some(page) = &self.page else { return false };
        let shown = keys(&page.evaluated);
        let had_marks = !self.cells.is_empty();
        self.cells.clear();
        for chapter in &planned.plan.chapters {
            for (index, cell) in chapter.cells.iter().enumerate() {
                let place = (chapter.slug.clone(), cell.id.clone());
                let is_shown = shown.get(&place).is_some_and(|key| *key == cell.key.to_string());
                if cell.barred.is_none() && !is_shown {
                    let stale = CellView::new(CellState::Stale, chapter, index);
                    self.cells.insert(place, stale);
                }
            }
        }
        had_marks || !self.cells.is_empty()
    }

    fn show(&mut self, page: &Arc<Page>) -> bool {
        let mut styles = blake3::Hasher::new();
        self.digests.clear();
        for (path, bytes) in &page.files {
            let digest = blake3::hash(bytes);
            match path.ends_with(".html") {
                true => drop(self.digests.insert(path.clone(), digest.to_hex()[..16].to_owned())),
                // Pictures are loaded anew with the page that shows them.
                false if path.ends_with(".css") => drop(styles.update(digest.as_bytes())),
                false => {}
            }
        }
        self.styles = styles.finalize().to_hex()[..16].to_owned();
        self.page = Some(Arc::clone(page));
        self.problems = self.problems(&page.evaluated.diagnostics);
        self.trouble.clear();
        if page.state == PageState::Final {
            self.rest();
        }
        true
    }

    fn trouble(&mut self, problems: &[Diagnostic]) -> bool {
        let problems = self.problems(problems);
        let changed = self.trouble != problems || self.activity.is_some();
        self.trouble = problems;
        self.rest();
        changed
    }

    /// Nothing runs any more; the cells are as the page shows them.
    fn rest(&mut self) {
        self.activity = None;
        self.cells.clear();
        let Some(page) = self.page.clone() else { return };
        let chapters = page.evaluated.plan.chapters.iter();
        for (chapter, results) in chapters.zip(&page.evaluated.executed.chapters) {
            for (index, result) in results.cells.iter().enumerate() {
                if matches!(result.status, CellStatus::Failed(_)) {
                    self.cell(chapter, index).state = CellState::Failed;
                }
            }
        }
    }

    fn problems(&self, diagnostics: &[Diagnostic]) -> Vec<Problem> {
        let of = |diagnostic: &Diagnostic| problem(diagnostic, self.page.as_deref());
        diagnostics.iter().take(MOST_PROBLEMS).map(of).collect()
    }
}

impl CellView {
    fn new(state: CellState, chapter: &ChapterPlan, cell: usize) -> Self {
        Self {
            state,
            name: chapter.cells[cell].id.clone(),
            task: String::new(),
            done: 0,
            total: None,
            note: String::new(),
            left_ms: None,
            curves: BTreeMap::new(),
            since: Instant::now(),
        }
    }
}

/// Time that the rest takes if it goes on as before.
fn left(since: Instant, done: u64, total: Option<u64>) -> Option<u64> {
    let rest = total?.checked_sub(done)?;
    let each = since.elapsed().as_secs_f64() / std::num::NonZeroU64::new(done)?.get() as f64;
    Some((each * rest as f64 * 1e3) as u64)
}

fn add_point(curve: &mut Vec<(f64, f64)>, at: u64, value: f64) {
    // JSON has no other numbers.
    if !value.is_finite() {
        return;
    }
    match curve.last_mut() {
        Some(last) if last.0 == at as f64 => last.1 = value,
        _ => curve.push((at as f64, value)),
    }
    if curve.len() > LONGEST_CURVE {
        let mut index = 0;
        curve.retain(|_| {
            index += 1;
            index % 2 == 1
        });
    }
}

fn keys(evaluated: &Evaluated) -> BTreeMap<Place, String> {
    let chapters = evaluated.chapters.iter().zip(&evaluated.executed.chapters);
    chapters
        .flat_map(|(chapter, results)| {
            let cells = chapter.cells.iter().zip(&results.cells);
            // A cell without a result is not what the page should show.
            cells
                .filter(|(_, result)| !matches!(result.status, CellStatus::NotRun(..)))
                .map(|(cell, result)| ((chapter.slug.clone(), cell.id.clone()), result.key.clone()))
        })
        .collect()
}

/// Anchors of a chapter's parts, in the order of the parsed ones.
#[derive(Default)]
struct Anchors {
    cells: Vec<String>,
    headings: Vec<String>,
    title: String,
}

fn chapters(page: &Page) -> Vec<Anchors> {
    let document: &Document = &page.evaluated.document;
    let of = |chapter: &document::Chapter| {
        let mut anchors = Anchors { title: chapter.anchor.clone(), ..Anchors::default() };
        for block in chapter.all_blocks() {
            match block {
                document::Block::Cell(cell) => anchors.cells.push(cell.anchor.clone()),
                document::Block::Heading { anchor, .. } => anchors.headings.push(anchor.clone()),
                _ => {}
            }
        }
        anchors
    };
    document.chapters.iter().map(of).collect()
}

fn problem(diagnostic: &Diagnostic, page: Option<&Page>) -> Problem {
    let span = diagnostic.span.as_ref();
    let at = span.and_then(|span| {
        let page = page?;
        let chapters = &page.evaluated.chapters;
        let index = chapters.iter().position(|it| it.source.path() == span.source.path())?;
        let anchors = chapters_anchor(page, index, &chapters[index], span.position().line);
        Some((page_name(&chapters[index].slug), anchors))
    });
    let (page, anchor) = at.map_or((None, None), |(page, anchor)| (Some(page), anchor));
    Problem {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        code: diagnostic.code,
        message: diagnostic.message.clone(),
        place: span.map(ToString::to_string),
        hint: diagnostic.hint.clone(),
        notes: diagnostic.notes.clone(),
        excerpt: span.map(|span| {
            let line = span.position().line;
            let text = span.source.text().lines().nth(line - 1).unwrap_or_default();
            text.chars().take(200).collect()
        }),
        page,
        anchor,
    }
}

/// The cell on a line, or the heading above it, which may be the chapter's title.
fn chapters_anchor(page: &Page, index: usize, chapter: &Chapter, line: usize) -> Option<String> {
    let anchors = chapters(page).into_iter().nth(index)?;
    let lines =
        |span: &crate::span::Span| span.position().line..=span.source.position(span.range.end).line;
    let cell = chapter.cells.iter().position(|cell| lines(&cell.span).contains(&line));
    if let Some(cell) = cell {
        return anchors.cells.get(cell).cloned();
    }
    let mut before = 0;
    for block in &chapter.blocks {
        if let parse::Block::Heading { span, level, .. } = block
            && *level > 1
            && span.position().line <= line
        {
            before += 1;
        }
    }
    match before {
        0 => Some(anchors.title),
        _ => anchors.headings.get(before - 1).cloned(),
    }
}
