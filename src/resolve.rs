//! Decides everything that a reader sees, once, for both outputs.
//!
//! In: the chapters, the results of their cells, and the bibliography. Out: a [`Document`] in
//! which every number is given and every reference points at an anchor, and diagnostics. What
//! has no answer is shown as a problem in its place. Left out: verdicts, which are
//! [`crate::claims`]'s, and looks, which are the renderers'.

mod anchor;
mod block;
mod cite;
mod image;
mod inline;
mod link;
mod number;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use veracity_protocol::Artifact;

use crate::claims::published::Names;
use crate::claims::{Expected, Judged, Site, Standing, Subject, judge};
use crate::config::ReportConfig;
use crate::coverage::Coverage;
use crate::diag::Diagnostic;
use crate::document::{
    self, Block, Chapter, CheckOutcome, Document, Output, Reference, plain_text,
};
use crate::exec::{CellResult, CellStatus, Executed};
use crate::math::Macros;
use crate::mutate::reasons;
use crate::parse;
use crate::passages;
use crate::plan;
use crate::span::Source;
use crate::words::Words;
use crate::world::World;

use anchor::Anchors;
use block::Footnotes;
use cite::Works;
use number::Numbers;
pub(crate) use value::Evaluator;

/// Resolves a report and judges its claims.
///
/// `world` is where pictures are read, and `environment` what stood behind the results.
pub fn document(
    config: &ReportConfig,
    chapters: &[parse::Chapter],
    executed: &Executed,
    bibliography: Option<&Source>,
    environment: Vec<(String, String)>,
    world: &dyn World,
) -> (Document, Vec<Diagnostic>) {
    let (resolver, mut resolved) = walk(config, chapters, executed, bibliography, world);
    let Resolver { numbers, works, sites, pictures, files, mut diagnostics, .. } = resolver;
    let (claims, found) = judge(sites, chapters, executed, |chapter, cell| {
        numbers.cells[chapter].get(cell).cloned().unwrap_or_default()
    });
    diagnostics.extend(found);
    diagnostics.extend(chapters.iter().flat_map(reasons::without_words));
    for chapter in &mut resolved {
        attach(&mut chapter.blocks, &claims);
    }
    let settings = config.chapters.first().map(|(_, at)| &at.source);
    let written = chapters.iter().map(|chapter| &chapter.source);
    let read = settings.into_iter().chain(written).chain(bibliography);
    let mut sources = files;
    sources.extend(read.map(|it| (it.path().to_owned(), document::digest(it.text().as_bytes()))));
    let references = works.references(&config.language);
    let mut said = passages::of_report(config);
    said.extend(chapters.iter().flat_map(|chapter| passages::of(chapter, config.echo)));
    said.extend(pictures);
    said.extend(bibliography.into_iter().flat_map(|source| cited(source, &references)));
    let document = Document {
        title: config.title.clone(),
        authors: config.authors.clone(),
        language: config.language.clone(),
        environment,
        notice: None,
        chapters: resolved,
        bibliography: references,
        coverage: coverage(config, chapters, executed, &claims),
        passages: said,
        sources,
        claims,
    };
    (document, diagnostics)
}

/// What the list of works cited says.
fn cited<'a>(
    source: &'a Source,
    references: &'a [Reference],
) -> impl Iterator<Item = passages::Passage> + 'a {
    references.iter().map(|work| {
        let key = work.anchor.strip_prefix("ref-").unwrap_or(&work.anchor);
        let text = format!("{key}: {}", plain_text(&work.content));
        passages::Passage::found(source, &format!("{{{key},"), "", &text)
    })
}

fn coverage(
    config: &ReportConfig,
    chapters: &[parse::Chapter],
    executed: &Executed,
    claims: &[Judged],
) -> Vec<Coverage> {
    let language = Words::known(&config.language);
    let of = |(index, chapter): (usize, &parse::Chapter)| {
        let cells = executed.chapters.get(index).map_or(&[][..], |chapter| &chapter.cells);
        let evaluated = evaluated(chapter, cells);
        let evaluated = evaluated.iter().map(String::as_str).collect();
        Coverage::of(chapter, language, claims, &evaluated)
    };
    chapters.iter().enumerate().map(of).collect()
}

/// Labels of the formulas that checks evaluated, or that a cell without a result may evaluate.
fn evaluated(chapter: &parse::Chapter, cells: &[CellResult]) -> BTreeSet<String> {
    let is_done =
        |&cell: &usize| cells.get(cell).is_some_and(|it| matches!(it.status, CellStatus::Done));
    let not_done: Vec<usize> = (0..chapter.cells.len()).filter(|cell| !is_done(cell)).collect();
    let mut labels = plan::may_evaluate(chapter, &not_done);
    for artifact in cells.iter().flat_map(|cell| &cell.record.output.artifacts) {
        if let Artifact::Check(check) = artifact {
            labels.extend(check.equations.iter().cloned());
        }
    }
    labels
}

/// The claims of a report in their places, for whoever judges them against several results.
pub fn sites(
    config: &ReportConfig,
    chapters: &[parse::Chapter],
    executed: &Executed,
    world: &dyn World,
) -> Vec<Site> {
    walk(config, chapters, executed, None, world).0.sites
}

/// Resolves all chapters; gives them with what was found on the way.
fn walk<'a>(
    config: &'a ReportConfig,
    chapters: &'a [parse::Chapter],
    executed: &'a Executed,
    bibliography: Option<&Source>,
    world: &'a dyn World,
) -> (Resolver<'a>, Vec<Chapter>) {
    let mut diagnostics = Vec::new();
    let macros: Vec<Macros> =
        chapters.iter().map(|chapter| macros(config, chapter, &mut diagnostics)).collect();
    let (numbers, found) = number::assign(chapters, executed, &macros, Words::of(&config.language));
    diagnostics.extend(found);
    let (works, found) = Works::new(bibliography);
    diagnostics.extend(found);
    let mut resolver = Resolver {
        config,
        chapters,
        names: Names::new(chapters, executed),
        world,
        macros,
        numbers,
        works,
        evaluator: Evaluator::new(Words::of(&config.language)),
        images: Anchors::default(),
        pictures: Vec::new(),
        files: BTreeMap::new(),
        footnotes: Footnotes::default(),
        sites: Vec::new(),
        chapter: 0,
        diagnostics,
    };
    let resolved = (0..chapters.len()).map(|index| resolver.resolve_chapter(index)).collect();
    (resolver, resolved)
}

/// The state of a walk over the report.
struct Resolver<'a> {
    config: &'a ReportConfig,
    chapters: &'a [parse::Chapter],
    names: Names<'a>,
    world: &'a dyn World,
    /// TeX macros of each chapter.
    macros: Vec<Macros>,
    numbers: Numbers,
    works: Works,
    evaluator: Evaluator,
    /// Names of pictures.
    images: Anchors,
    /// Which picture is shown where.
    pictures: Vec<passages::Passage>,
    /// Digests of their files.
    files: BTreeMap<String, String>,
    footnotes: Footnotes<'a>,
    /// Claims so far; the ledger has the same order.
    sites: Vec<Site>,
    /// Index of the chapter that is being resolved.
    chapter: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn resolve_chapter(&mut self, index: usize) -> Chapter {
        self.chapter = index;
        let chapter = &self.chapters[index];
        self.footnotes = Footnotes::of(chapter);
        let slot = self.numbers.chapters[index].clone();
        let (title, removed) = number::title(chapter);
        if removed.is_none() && chapter.front.title.is_none() {
            self.diagnostics.push(
                Diagnostic::warning(
                    "untitled-chapter",
                    "the chapter has no title",
                    chapter.source.span(0..0),
                )
                .hint("begin it with `# Title`, or write `title:` in its front matter"),
            );
        }
        let title = self.inlines(&title);
        let blocks = chapter
            .blocks
            .iter()
            .enumerate()
            .filter(|(block, _)| Some(*block) != removed)
            .filter_map(|(_, block)| self.block(block))
            .collect();
        let footnotes = self.notes();
        Chapter {
            slug: chapter.slug.clone(),
            number: slot.number.unwrap_or_default(),
            title,
            anchor: slot.anchor,
            blocks,
            footnotes,
            problems: self.problems(),
        }
    }

    fn problems(&self) -> Vec<String> {
        let cells = self.chapters[self.chapter].cells.iter().enumerate();
        cells
            .filter_map(|(index, cell)| match &self.names.cell(self.chapter, index)?.status {
                CellStatus::Failed(diagnostic) => {
                    Some(format!("Cell `{}` failed: {}", cell.id, diagnostic.message))
                }
                CellStatus::Done | CellStatus::NotRun(..) => None,
            })
            .collect()
    }
}

/// The macros of a chapter, without those that cannot be.
fn macros(
    config: &ReportConfig,
    chapter: &parse::Chapter,
    diagnostics: &mut Vec<Diagnostic>,
) -> Macros {
    let (macros, wrong) =
        Macros::new(config.macros.clone().into_iter().chain(chapter.front.macros.clone()));
    diagnostics.extend(wrong.iter().map(|name| {
        Diagnostic::error(
            "macro-name",
            format!("`{name}` is no name for a macro"),
            chapter.source.span(0..0),
        )
        .hint("a name is a backslash followed by letters, such as `\\\\R`")
    }));
    macros
}

/// Tells each cell which claims rest on it, and each failed check whether they expect that.
fn attach(blocks: &mut [Block], claims: &[Judged]) {
    for block in blocks {
        match block {
            Block::Cell(cell) => {
                let rests = |claim: &Judged| {
                    claim.provenance.as_ref().is_some_and(|from| from.anchor == cell.anchor)
                };
                cell.claims = (0..claims.len()).filter(|&index| rests(&claims[index])).collect();
                let cell_claims: Vec<&Judged> =
                    cell.claims.iter().map(|&index| &claims[index]).collect();
                for output in &mut cell.outputs {
                    if let Output::Check(check) = output
                        && check.outcome == CheckOutcome::Failed
                        && must_fail(&check.name, &cell_claims)
                    {
                        check.outcome = CheckOutcome::FailedAsExpected;
                    }
                }
            }
            Block::Quote(blocks) | Block::Callout { blocks, .. } => attach(blocks, claims),
            Block::List { items, .. } => {
                for item in items {
                    attach(&mut item.blocks, claims);
                }
            }
            _ => {}
        }
    }
}

/// Whether claims rest on the check of a name, all of which say that it fails.
fn must_fail(name: &str, claims: &[&Judged]) -> bool {
    let mut on_check =
        claims.iter().filter(|claim| claim.name.rsplit('/').next() == Some(name)).peekable();
    on_check.peek().is_some()
        && on_check
            .all(|claim| claim.expected == Expected::Refuted && claim.standing() == Standing::Good)
}
