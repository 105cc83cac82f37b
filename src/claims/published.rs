//! The names that cells published, and which of them a claim or inline value means.
//!
//! In: the chapters and the results of their cells. Out: the value or check behind a name.
//! Left out: what is done with it.
//!
//! Values and checks share one namespace. A name means the one of its own chapter, else the
//! only one of that name in the report; `chapter/name` means exactly one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use veracity_protocol::{Artifact, Check, Published};

use super::Reason;
use crate::diag::Diagnostic;
use crate::exec::{CellResult, CellStatus, Executed};
use crate::parse;

/// All published names of a report.
pub(crate) struct Names<'a> {
    chapters: &'a [parse::Chapter],
    executed: &'a Executed,
    by_chapter: Vec<BTreeMap<&'a str, Vec<Hit<'a>>>>,
    /// Which code of each chapter publishes under names that are not written out.
    computed: Vec<OnceLock<Computed>>,
}

/// Which code of a chapter publishes under names that are not written out.
struct Computed {
    modules: bool,
    cells: Vec<bool>,
}

impl Computed {
    fn of(chapter: &parse::Chapter) -> Self {
        let computes = |code: &parse::Code| computes_names(&code.text);
        Self {
            modules: chapter.modules.iter().any(|module| computes(&module.code)),
            cells: chapter.cells.iter().map(|cell| computes(&cell.code)).collect(),
        }
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit<'a> {
    /// Value or check.
    pub result: Outcome<'a>,
    /// Index of the chapter.
    pub chapter: usize,
    /// Index of the cell.
    pub cell: usize,
}

/// A named result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome<'a> {
    Value(&'a Published),
    Check(&'a Check),
}

/// Why a name stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// Every cell that could publish it ran to its end.
    Unknown,
    /// Several things have it.
    Ambiguous(Vec<String>),
    /// A cell did not run to its end: the one that names it, if any does.
    Open { chapter: usize, cell: Option<usize>, reason: Reason, words: String },
}

impl<'a> Names<'a> {
    pub fn new(chapters: &'a [parse::Chapter], executed: &'a Executed) -> Self {
        let by_chapter = (0..chapters.len())
            .map(|chapter| {
                let mut names: BTreeMap<&str, Vec<Hit>> = BTreeMap::new();
                let cells = executed.chapters.get(chapter).map_or(&[][..], |done| &done.cells);
                for (cell, result) in cells.iter().enumerate() {
                    if !matches!(result.status, CellStatus::Done) {
                        continue;
                    }
                    for (name, result) in outcomes(result) {
                        names.entry(name).or_default().push(Hit { result, chapter, cell });
                    }
                }
                names
            })
            .collect();
        let computed = chapters.iter().map(|_| OnceLock::new()).collect();
        Self { chapters, executed, by_chapter, computed }
    }

    /// What `name` means in a chapter.
    pub fn find(&self, name: &str, chapter: usize) -> Result<Hit<'a>, Miss> {
        if let Some((slug, local)) = name.split_once('/') {
            return match self.chapters.iter().position(|chapter| chapter.slug == slug) {
                Some(other) => self.local(local, other).or_else(|miss| match miss {
                    Miss::Unknown => self.open(local, other),
                    miss => Err(miss),
                }),
                None => Err(Miss::Unknown),
            };
        }
        match self.local(name, chapter) {
            Err(Miss::Unknown) => {}
            decided => return decided,
        }
        let open = self.open(name, chapter);
        if let Err(Miss::Open { cell: Some(_), .. }) = open {
            return open;
        }
        let elsewhere: Vec<usize> =
            (0..self.by_chapter.len()).filter(|&i| self.by_chapter[i].contains_key(name)).collect();
        match elsewhere.as_slice() {
            [] => open,
            [other] => self.local(name, *other),
            several => Err(Miss::Ambiguous(
                several.iter().map(|&i| format!("{}/{name}", self.chapters[i].slug)).collect(),
            )),
        }
    }

    /// Every name as one may write it in a chapter.
    pub fn candidates(&self, chapter: usize) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (i, published) in self.by_chapter.iter().enumerate() {
            for name in published.keys() {
                names.insert((*name).to_owned());
                if i != chapter {
                    names.insert(format!("{}/{name}", self.chapters[i].slug));
                }
            }
        }
        names
    }

    /// Names that two cells of one chapter published.
    pub fn duplicates(&self) -> Vec<Diagnostic> {
        let all = self.by_chapter.iter().flatten();
        all.filter_map(|(name, hits)| {
            let [first, second, ..] = hits.as_slice() else { return None };
            let span = |hit: &Hit| self.chapters[hit.chapter].cells[hit.cell].span.clone();
            let twice = format!("`{name}` is published by two cells of this chapter");
            Some(
                Diagnostic::error("duplicate-name", twice, span(second))
                    .related(span(first), "it is published here first")
                    .hint("a name is published once, so that a claim can mean only one thing"),
            )
        })
        .collect()
    }

    /// The result of a cell, if the build has one.
    pub fn cell(&self, chapter: usize, cell: usize) -> Option<&'a CellResult> {
        self.executed.chapters.get(chapter)?.cells.get(cell)
    }

    fn local(&self, name: &str, chapter: usize) -> Result<Hit<'a>, Miss> {
        let slug = &self.chapters[chapter].slug;
        match self.by_chapter[chapter].get(name).map(Vec::as_slice) {
            None | Some([]) => Err(Miss::Unknown),
            Some([hit]) => Ok(*hit),
            Some(several) => Err(Miss::Ambiguous(
                several
                    .iter()
                    .map(|hit| {
                        format!("{slug}/{name} of `{}`", self.chapters[chapter].cells[hit.cell].id)
                    })
                    .collect(),
            )),
        }
    }

    /// Blames the absence of a name on a cell that did not run to its end: on the one whose
    /// code names it, else on the first if names are computed, which hides what is published.
    fn open(&self, name: &str, chapter: usize) -> Result<Hit<'a>, Miss> {
        let literal = format!("\"{name}\"");
        let chapter_source = &self.chapters[chapter];
        let computed = self.computed[chapter].get_or_init(|| Computed::of(chapter_source));
        let names_it = |module: &parse::Module| module.code.text.contains(&literal);
        let hidden = computed.modules || chapter_source.modules.iter().any(names_it);
        let mut first = None;
        for (index, cell) in chapter_source.cells.iter().enumerate() {
            let Some((reason, words)) = self.not_done(chapter, index) else { continue };
            if cell.code.text.contains(&literal) {
                return Err(Miss::Open { chapter, cell: Some(index), reason, words });
            }
            if hidden || computed.cells[index] {
                first.get_or_insert((reason, words));
            }
        }
        Err(first.map_or(Miss::Unknown, |(reason, words)| Miss::Open {
            chapter,
            cell: None,
            reason,
            words,
        }))
    }

    fn not_done(&self, chapter: usize, cell: usize) -> Option<(Reason, String)> {
        let id = &self.chapters[chapter].cells[cell].id;
        match self.cell(chapter, cell).map(|result| &result.status) {
            Some(CellStatus::Done) => None,
            Some(CellStatus::Failed(diagnostic)) => {
                Some((Reason::Blocked, format!("cell `{id}` failed: {}", diagnostic.message)))
            }
            Some(CellStatus::NotRun(reason, words)) => Some((*reason, words.clone())),
            None => Some((Reason::NotRun, format!("cell `{id}` is not part of this build"))),
        }
    }
}

/// Whether code publishes under a name that is not written out.
fn computes_names(code: &str) -> bool {
    let computed = |rest: &str| !rest.trim_start().starts_with('"');
    let calls = ["lab::value(", "lab::sample(", "all_sides_agree("];
    calls.iter().any(|call| code.split(call).skip(1).any(computed))
        || code.split("Check::").skip(1).any(|rest| {
            rest.split_once('(').is_some_and(|(constructor, rest)| {
                constructor.chars().all(|c| c.is_alphanumeric() || c == '_') && computed(rest)
            })
        })
}

/// All names that a cell published.
pub(crate) fn names(result: &CellResult) -> impl Iterator<Item = &str> {
    outcomes(result).map(|(name, _)| name)
}

fn outcomes(result: &CellResult) -> impl Iterator<Item = (&str, Outcome<'_>)> {
    let values = result
        .record
        .output
        .values
        .iter()
        .map(|value| (value.name.as_str(), Outcome::Value(value)));
    let checks = result.record.output.artifacts.iter().filter_map(|artifact| match artifact {
        Artifact::Check(check) => Some((check.name.as_str(), Outcome::Check(check))),
        _ => None,
    });
    values.chain(checks)
}
