//! The code behind each claim, as passages of the chapters.
//!
//! In: judged claims, the chapters and the plan of their cells. Out: [`Evidence`], in which a
//! passage that many claims rest on stands once. Left out: how it is shown.

use std::collections::BTreeMap;

use crate::claims::Judged;
use crate::parse::Chapter;
use crate::plan::{Items, Plan};
use crate::span::Span;

/// What the claims of a report rest on.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Passages of code, each once.
    pub passages: Vec<Passage>,
    /// What stands behind a result, by the anchor of the cell that published it.
    pub chains: BTreeMap<String, Chain>,
}

/// Code where the author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// File, line and column.
    pub place: String,
    /// The code.
    pub code: String,
}

/// A cell and the code that it uses, as indices into [`Evidence::passages`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The cell itself.
    pub cell: usize,
    /// Cells before it on which it builds, in order.
    pub builds_on: Vec<usize>,
    /// Items of modules that these cells use, in order.
    pub uses: Vec<usize>,
}

/// Gathers the code behind all claims that rest on a cell.
pub fn evidence(claims: &[Judged], chapters: &[Chapter], plan: &Plan) -> Evidence {
    let mut passages = Passages::default();
    let mut chains = BTreeMap::new();
    let mut items: BTreeMap<&str, Items<'_>> = BTreeMap::new();
    for from in claims.iter().filter_map(|claim| claim.provenance.as_ref()) {
        if chains.contains_key(&from.anchor) {
            continue;
        }
        let Some(at) = chapters.iter().position(|chapter| chapter.slug == from.chapter) else {
            continue;
        };
        let (chapter, Some(plan)) = (&chapters[at], plan.chapters.get(at)) else { continue };
        let Some(cell) = plan.cells.iter().position(|cell| cell.id == from.cell) else { continue };
        let needs = &plan.cells[cell].needs;
        let all: Vec<usize> = needs.iter().copied().chain([cell]).collect();
        let items = items.entry(&chapter.slug).or_insert_with(|| Items::of(chapter));
        let uses = items.used_by(&all);
        let uses = uses.into_iter().map(|(code, place)| passages.add(at, place, code)).collect();
        let mut add = |index: usize| {
            let cell = &chapter.cells[index];
            passages.add(at, &cell.span, &cell.code.text)
        };
        let builds_on = needs.iter().map(|&index| add(index)).collect();
        chains.insert(from.anchor.clone(), Chain { cell: add(cell), builds_on, uses });
    }
    Evidence { passages: passages.list, chains }
}

/// Passages so far, and where the one at a place is.
#[derive(Default)]
struct Passages {
    list: Vec<Passage>,
    /// By index of the chapter and first byte.
    known: BTreeMap<(usize, usize), usize>,
}

impl Passages {
    fn add(&mut self, chapter: usize, place: &Span, code: &str) -> usize {
        *self.known.entry((chapter, place.range.start)).or_insert_with(|| {
            let code = code.trim_end().to_owned();
            self.list.push(Passage { place: place.to_string(), code });
            self.list.len() - 1
        })
    }
}
