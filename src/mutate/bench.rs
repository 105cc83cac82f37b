//! Tries one mutant after the other.
//!
//! In: an evaluated report and mutants of it. Out: the [`Fate`] of each. A [`Reader`] judges
//! changed words against what the code put out before; a [`Bench`] runs the cells that a changed
//! formula or changed code reaches. Left out: which mutants there are.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use super::{Fate, Kind, Mutant, cell_of, reduce};
use crate::cache::Store;
use crate::claims::{self, Judged, Site, Standing};
use crate::diag::Diagnostic;
use crate::exec::{self, CellResult, CellStatus, Executed};
use crate::kernel::batch::BatchKernel;
use crate::kernel::workspace::Workspace;
use crate::parse::{self, Chapter};
use crate::pipeline::{BuildRequest, Evaluated};
use crate::plan::{self, ChapterPlan};
use crate::resolve;
use crate::span::Source;
use crate::world::World;

/// Name of the folder for changed programs, below the output folder.
pub(crate) const FOLDER: &str = "mutants";
/// A cell that takes this much longer than before is caught in a loop.
const SLOWER: u32 = 5;
/// What every cell may take in any case.
const PATIENCE: Duration = Duration::from_secs(10);
/// Cells that take no longer in all are tried before the others.
const QUICK: Duration = Duration::from_secs(3);

/// Judges changed words of one chapter.
pub(super) struct Reader<'a> {
    report: &'a Evaluated,
    world: &'a dyn World,
    chapter: usize,
    /// All chapters with nothing but their code.
    bare: Vec<Chapter>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(report: &'a Evaluated, world: &'a dyn World, chapter: usize) -> Self {
        let bare = |chapter: &Chapter| Chapter { blocks: Vec::new(), ..chapter.clone() };
        Self { report, world, chapter, bare: report.chapters.iter().map(bare).collect() }
    }

    /// Judges the claim that a mutant changes.
    pub(super) fn try_out(&self, mutant: &Mutant) -> Fate {
        let id = &mutant.claims[0];
        let before = claim(&self.report.document.claims, id).expect("mutants are made of claims");
        // The claims around it are not touched: its own paragraph is enough, if it can be read alone.
        let near = paragraph(before.span.source.text(), &before.span.range);
        let judged = match self.judge(mutant, before, near.clone(), Words::Present) {
            Some(alone) if alone.verdict == before.verdict => {
                self.judge(mutant, before, near, Words::Changed)
            }
            _ => {
                let whole = 0..before.span.source.text().len();
                self.judge(mutant, before, whole, Words::Changed)
            }
        };
        match judged {
            Some(judged) if judged.standing() != Standing::Bad => Fate::Survived,
            Some(judged) => Fate::Noticed(format!("{id} is {}", judged.verdict.word())),
            None => Fate::Noticed(format!("{id} is no claim any more")),
        }
    }

    /// The claim, judged with only a part of the chapter at hand.
    fn judge(
        &self,
        mutant: &Mutant,
        before: &Judged,
        part: Range<usize>,
        words: Words,
    ) -> Option<Judged> {
        let mut text = before.span.source.text()[part.clone()].to_owned();
        if let Words::Changed = words {
            let place = &mutant.span.range;
            text.replace_range(place.start - part.start..place.end - part.start, &mutant.by);
        }
        let path = before.span.source.path();
        let mut chapters = self.bare.clone();
        let chapter = &mut chapters[self.chapter];
        let read = parse::chapter(Source::new(path, text)).0;
        // Captions stand with the cells, whose results are those of the report.
        if read.cells.len() == chapter.cells.len() {
            for (cell, read) in chapter.cells.iter_mut().zip(read.cells) {
                cell.options.caption = read.options.caption;
            }
        }
        chapter.blocks = read.blocks;
        let (document, _) = resolve::document(
            &self.report.config,
            &chapters,
            &self.report.executed,
            None,
            Vec::new(),
            self.world,
        );
        let start = before.span.range.start - part.start;
        document
            .claims
            .into_iter()
            .find(|claim| claim.chapter == before.chapter && claim.span.range.start == start)
    }
}

/// Which words are judged.
#[derive(Clone, Copy)]
enum Words {
    Present,
    Changed,
}

/// The lines around a place up to empty ones.
fn paragraph(text: &str, place: &Range<usize>) -> Range<usize> {
    let start = text[..place.start].rfind("\n\n").map_or(0, |at| at + 2);
    let end = text[place.end..].find("\n\n").map_or(text.len(), |at| place.end + at + 1);
    start..end
}

fn claim<'a>(claims: &'a [Judged], id: &str) -> Option<&'a Judged> {
    claims.iter().find(|claim| claim.id == id)
}

/// Runs changed chapters in folders of its own.
pub(super) struct Bench<'a> {
    report: &'a Evaluated,
    /// The claims of the report.
    sites: Vec<Site>,
    kernel: BatchKernel,
    store: Store,
    /// What runs leave behind; removed at the end.
    runs: tempfile::TempDir,
    /// What cells took that were run unchanged and from scratch, by chapter and cell.
    clean: RefCell<BTreeMap<(usize, usize), Duration>>,
}

impl<'a> Bench<'a> {
    /// The bench of one of several workers.
    ///
    /// # Errors
    /// If its folders cannot be made.
    pub(super) fn new(
        request: &BuildRequest,
        world: &dyn World,
        report: &'a Evaluated,
        worker: usize,
    ) -> Result<Self, Diagnostic> {
        let folder = request.out.join(FOLDER).join(worker.to_string());
        let failed = |error: std::io::Error| {
            Diagnostic::global("build-folder", format!("cannot make {}: {error}", folder.display()))
                .hint("look whether there is room and whether it may be written")
        };
        let slugs: Vec<&str> = report
            .chapters
            .iter()
            .filter(|chapter| !chapter.cells.is_empty())
            .map(|chapter| chapter.slug.as_str())
            .collect();
        let mut workspace =
            Workspace::prepare(&request.root, &folder, &report.config, &slugs, request.network)?;
        // What is compiled for builds already need not be compiled again. Chapters have the same names
        // everywhere, and what is compiled of one must never be taken for another's.
        workspace.compiled = request.out.join("target");
        workspace.renumber_chapters(worker + 1).map_err(failed)?;
        let runs = tempfile::tempdir_in(&folder).map_err(failed)?;
        let store = Store::over(runs.path().join("cells"), request.out.join("cache").join("cells"));
        let kernel = BatchKernel::new(
            workspace,
            request.root.clone(),
            runs.path().to_owned(),
            request.data.clone(),
            1,
        )
        .confined(request.confinement);
        let sites = resolve::sites(&report.config, &report.chapters, &report.executed, world);
        Ok(Self { report, sites, kernel, store, runs, clean: RefCell::default() })
    }

    /// Runs what a mutant reaches.
    pub(super) fn try_out(&self, mutant: &Mutant) -> Fate {
        let (whole, problems) = self.changed(mutant, mutant.text());
        if mutant.kind == Kind::Formula
            && let Some(problem) = problems.iter().find(|it| it.code == "equation-not-evaluable")
        {
            return Fate::Noticed(format!("the formula cannot be evaluated: {}", problem.message));
        }
        let (quick, slow) = self.stages(mutant, &whole.plan);
        if !quick.is_empty() {
            let fate = self.judge(mutant, &whole, &quick, Judging::All);
            if fate != Fate::Survived || slow.is_empty() {
                return fate;
            }
        }
        // Slow cells run at first with no more than the claims need.
        if let Some(text) = reduce::text(self.report, mutant) {
            let (less, _) = self.changed(mutant, text);
            let fate = self.judge(mutant, &less, &slow, Judging::Own);
            if matches!(fate, Fate::Noticed(_)) {
                return fate;
            }
        }
        let fate = self.judge(mutant, &whole, &slow, Judging::All);
        // What was taken over from memoised results took longer when it was computed.
        if fate == Fate::TimedOut && self.take_time(mutant.chapter, &slow) {
            return self.judge(mutant, &whole, &slow, Judging::All);
        }
        fate
    }

    /// Runs cells unchanged and from scratch, once, to know what they take; whether that is news.
    fn take_time(&self, chapter: usize, cells: &BTreeSet<usize>) -> bool {
        let mut plan = self.report.plan.chapters[chapter].clone();
        let needs = cells.iter().flat_map(|&cell| plan.cells[cell].needs.clone());
        let runs: BTreeSet<usize> = needs.chain(cells.iter().copied()).collect();
        if runs.iter().all(|&cell| self.clean.borrow().contains_key(&(chapter, cell))) {
            return false;
        }
        plan.keep_only(&runs, "the time of another cell is taken");
        let plan = plan::Plan { chapters: vec![plan] };
        let folder = |name| self.runs.path().join(name);
        let store = Store::over(folder("clean"), folder("nothing"));
        let (executed, _) = exec::execute(&plan, &self.kernel, &store, 1, &|_| ());
        let results = executed.chapters.iter().flat_map(|chapter| &chapter.cells);
        for (cell, result) in results.enumerate().filter(|(cell, _)| runs.contains(cell)) {
            let took = Duration::from_millis(result.record.duration_ms);
            self.clean.borrow_mut().insert((chapter, cell), took);
        }
        true
    }

    /// The report with another text of the chapter that a mutant changes.
    fn changed(&self, mutant: &Mutant, text: String) -> (Changed, Vec<Diagnostic>) {
        let before = self.report;
        let mut chapters = before.chapters.to_vec();
        let path = before.chapters[mutant.chapter].source.path();
        let slug = before.chapters[mutant.chapter].slug.clone();
        let chapter = parse::chapter(Source::new(path, text)).0;
        chapters[mutant.chapter] = Chapter { slug, ..chapter };
        let foundation = &before.plan.chapters[mutant.chapter].foundation;
        let own = std::slice::from_ref(&chapters[mutant.chapter]);
        let (mut plan, problems) = plan::plan(&before.config, own, foundation);
        (Changed { plan: plan.chapters.swap_remove(0), chapters }, problems)
    }

    /// The cells to run: those that are quick, and the others.
    fn stages(&self, mutant: &Mutant, plan: &ChapterPlan) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let results = &self.report.executed.chapters[mutant.chapter].cells;
        let took = |cell: usize| Duration::from_millis(results[cell].record.duration_ms);
        let (mut quick, mut slow) = (BTreeSet::new(), BTreeSet::new());
        for id in &mutant.claims {
            let claim = claim(&self.report.document.claims, id);
            let Some((_, cell)) = claim.and_then(|claim| cell_of(self.report, claim)) else {
                continue;
            };
            let all: Duration = plan.cells[cell].needs.iter().map(|&it| took(it)).sum();
            if all + took(cell) <= QUICK {
                quick.insert(cell)
            } else {
                slow.insert(cell)
            };
        }
        (quick, slow)
    }

    /// The report's results, with those of the given cells of the mutant in their places.
    fn run(&self, mutant: &Mutant, plan: &ChapterPlan, cells: &BTreeSet<usize>) -> Executed {
        let before = &self.report.executed.chapters[mutant.chapter].cells;
        let mut plan = plan.clone();
        let mut runs = cells.clone();
        runs.extend(cells.iter().flat_map(|&cell| plan.cells[cell].needs.clone()));
        for (index, cell) in plan.cells.iter_mut().enumerate() {
            let clean = self.clean.borrow().get(&(mutant.chapter, index)).copied();
            let usual = Duration::from_millis(before[index].record.duration_ms)
                .max(clean.unwrap_or_default());
            cell.timeout = cell.timeout.min(PATIENCE + usual * SLOWER);
        }
        plan.keep_only(&runs, "the change does not reach it");
        let plan = plan::Plan { chapters: vec![plan] };
        let (executed, _) = exec::execute(&plan, &self.kernel, &self.store, 1, &|_| ());
        let mut all = self.report.executed.clone();
        let results = executed.chapters.into_iter().flat_map(|chapter| chapter.cells);
        for (index, result) in results.enumerate().filter(|(index, _)| runs.contains(index)) {
            all.chapters[mutant.chapter].cells[index] = result;
        }
        all
    }

    fn judge(
        &self,
        mutant: &Mutant,
        changed: &Changed,
        cells: &BTreeSet<usize>,
        judging: Judging,
    ) -> Fate {
        let results = self.run(mutant, &changed.plan, cells);
        let own = &results.chapters[mutant.chapter].cells;
        let in_reach = cells.iter().flat_map(|&cell| {
            let needs = &changed.plan.cells[cell].needs;
            needs.iter().copied().chain([cell])
        });
        let failure = in_reach.filter_map(|cell| failure(&own[cell])).next();
        if let Some(failure) = failure {
            return match failure.code {
                "compile-error" => Fate::Invalid(failure.message.clone()),
                "cell-timeout" => Fate::TimedOut,
                "interrupted" | "kernel" | "toolchain" | "build-folder" => {
                    Fate::Untried(failure.message.clone())
                }
                _ => Fate::Noticed(format!("a cell failed: {}", failure.message)),
            };
        }
        // The prose is the same, so the claims stand as they did.
        let (judged, _) =
            claims::judge(self.sites.clone(), &changed.chapters, &results, |_, _| String::new());
        let now: BTreeMap<&str, &Judged> =
            judged.iter().map(|claim| (claim.id.as_str(), claim)).collect();
        let is_judged = |claim: &&Judged| match judging {
            Judging::All => true,
            Judging::Own => mutant.claims.contains(&claim.id),
        };
        let turned = self.report.document.claims.iter().filter(is_judged).find_map(|before| {
            let now = now.get(before.id.as_str());
            let standing = now.map_or(Standing::Bad, |now| now.standing());
            let word = now.map_or("gone", |now| now.verdict.word());
            let is_noticed = match before.standing() {
                Standing::Good => standing != Standing::Good,
                // What cannot be checked here can still be misquoted.
                Standing::Open => standing == Standing::Bad,
                Standing::Bad => false,
            };
            is_noticed.then(|| format!("{} is {word}", before.id))
        });
        turned.map_or(Fate::Survived, Fate::Noticed)
    }
}

/// The report with a changed chapter.
struct Changed {
    chapters: Vec<Chapter>,
    /// The plan of that chapter.
    plan: ChapterPlan,
}

/// Which claims may notice.
#[derive(Clone, Copy)]
enum Judging {
    All,
    /// Those behind which the mutant stands; of others not all is there.
    Own,
}

fn failure(result: &CellResult) -> Option<&Diagnostic> {
    match &result.status {
        CellStatus::Failed(diagnostic) => Some(diagnostic),
        CellStatus::Done | CellStatus::NotRun(..) => None,
    }
}
