//! Evaluates what one claim needs and nothing else.
//!
//! In: a report and the name of a claim. Out: the claim with its verdict. Which cell publishes a
//! name is known for sure only when it has run: what is stored tells it, or else the code, in
//! which the name mostly stands as it is. Left out: how claims are judged, which is the same as
//! always.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::{self, Judged};
use crate::diag::Diagnostic;
use crate::kernel::absent::AbsentKernel;
use crate::parse::Chapter;
use crate::pipeline::{self, BuildRequest, Evaluated, Planned, Sink};
use crate::plan::{Plan, may_publish};
use crate::span::Span;
use crate::world::World;

/// What came of evaluating some claims alone.
#[derive(Debug)]
pub struct Slice {
    /// The report, of which only what the claims need was run.
    pub evaluated: Evaluated,
    /// Identifiers of the claims.
    pub claims: Vec<String>,
    /// The cells that may run, by the index of their chapter.
    pub cells: BTreeMap<usize, BTreeSet<usize>>,
}

impl Slice {
    /// The claims with their verdicts.
    pub fn judged(&self) -> impl Iterator<Item = &Judged> {
        let claims = self.evaluated.document.claims.iter();
        claims.filter(|claim| self.claims.contains(&claim.id))
    }

    /// Problems of the claims themselves and of what they need.
    pub fn problems(&self) -> Vec<Diagnostic> {
        let claims = self.judged().map(|claim| claim.span.clone());
        let cells = self.cells.iter().flat_map(|(&chapter, cells)| {
            cells.iter().map(move |&cell| self.evaluated.chapters[chapter].cells[cell].span.clone())
        });
        let modules = self.cells.keys().flat_map(|&chapter| {
            self.evaluated.chapters[chapter].modules.iter().map(|module| module.span.clone())
        });
        let places: Vec<Span> = claims.chain(cells).chain(modules).collect();
        let is_here = |span: &Span| {
            places.iter().any(|place| {
                place.source == span.source
                    && place.range.start <= span.range.start
                    && span.range.end <= place.range.end
            })
        };
        let problems = self.evaluated.diagnostics.iter();
        problems.filter(|it| it.span.as_ref().is_none_or(is_here)).cloned().collect()
    }
}

/// Runs what the claims of a name or identifier need and judges them.
///
/// # Errors
/// If no claim is called so, or as for [`pipeline::evaluate`].
pub fn evaluate(
    request: &BuildRequest,
    world: &dyn World,
    wanted: &str,
    sink: Sink<'_>,
) -> Result<Slice, Vec<Diagnostic>> {
    let written = pipeline::read(world)?;
    let ground = pipeline::ground(request, &written, &pipeline::prepare, sink)?;
    let mut planned = pipeline::plan(request, written, &ground)?;

    let mut known = planned.clone();
    known.plan.look_only();
    let results = pipeline::run(request, &known, &*ground.kernel, sink);
    let known = pipeline::judge(known, results, world);
    let found = claims::named(&known.document.claims, wanted).map_err(|problem| vec![problem])?;
    let ids = found.iter().map(|claim| claim.id.clone()).collect();
    let mut cells: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for claim in found {
        for (chapter, cell) in publishers(&known, claim) {
            let needs = &planned.plan.chapters[chapter].cells[cell].needs;
            cells.entry(chapter).or_default().extend(needs.iter().copied().chain([cell]));
        }
    }
    keep_only(&mut planned.plan, &cells);
    let (executed, mut found) = pipeline::run(request, &planned, &*ground.kernel, sink);
    found.extend(idle_tests(request, &planned, &cells));
    let evaluated = pipeline::judge(planned, (executed, found), world);
    Ok(Slice { evaluated, claims: ids, cells })
}

fn keep_only(plan: &mut Plan, cells: &BTreeMap<usize, BTreeSet<usize>>) {
    let none = BTreeSet::new();
    for (index, chapter) in plan.chapters.iter_mut().enumerate() {
        chapter.keep_only(cells.get(&index).unwrap_or(&none), "another claim alone was asked for");
    }
}

/// Tells which chapters of the slice have tests that are not known to pass: no claim needs them, so they
/// are not run.
fn idle_tests(
    request: &BuildRequest,
    planned: &Planned,
    cells: &BTreeMap<usize, BTreeSet<usize>>,
) -> Vec<Diagnostic> {
    let mut planned = planned.clone();
    let mut index = 0..;
    planned.plan.chapters.retain(|_| index.next().is_some_and(|at| cells.contains_key(&at)));
    let idle = AbsentKernel { because: String::new() };
    pipeline::test(request, &planned, &idle, &|_| ())
}

/// The cells that publish what a claim is about, or may do so.
fn publishers(known: &Evaluated, claim: &Judged) -> Vec<(usize, usize)> {
    let place = |slug: &str| known.chapters.iter().position(|chapter| chapter.slug == slug);
    let mut found: Vec<(usize, usize)> =
        claim.others.iter().flat_map(|name| by_name(known, &claim.chapter, name)).collect();
    if let Some(from) = &claim.provenance
        && let Some(chapter) = place(&from.chapter)
        && let Some(cell) = known.chapters[chapter].cells.iter().position(|it| it.id == from.cell)
    {
        found.push((chapter, cell));
    } else {
        found.extend(by_name(known, &claim.chapter, &claim.name));
    }
    found
}

/// The cells that may publish something of a name, which stands in a chapter.
fn by_name(known: &Evaluated, chapter: &str, name: &str) -> Vec<(usize, usize)> {
    let place = |slug: &str| known.chapters.iter().position(|chapter| chapter.slug == slug);
    let (own, name) = match name.split_once('/') {
        Some((slug, name)) => (place(slug), name),
        None => (place(chapter), name),
    };
    let in_chapter = |index: usize| {
        let cells = known.chapters[index].cells.iter().enumerate();
        let may = cells.filter(|(_, cell)| may_publish(&cell.code.text, name));
        may.map(|(cell, _)| (index, cell)).collect::<Vec<_>>()
    };
    let mut found: Vec<(usize, usize)> = own.map(in_chapter).unwrap_or_default();
    if found.is_empty() {
        found = (0..known.chapters.len()).flat_map(in_chapter).collect();
    }
    if found.is_empty() {
        // The name is put together where it cannot be seen.
        let all = |index: usize| {
            let chapter: &Chapter = &known.chapters[index];
            (0..chapter.cells.len()).map(move |cell| (index, cell)).collect()
        };
        found = own.map(all).unwrap_or_default();
    }
    found
}
