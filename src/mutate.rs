//! Changes a report piece by piece and sees whether a claim notices.
//!
//! In: an evaluated report whose claims are as expected. Out: [`Mutant`]s, small changes of what
//! claims state, of the formulas that checks evaluate and of the code behind them, each with its
//! [`Fate`]. A mutant that survives means that a green verdict tells less than it seems to.
//! Nothing is written where the author works: texts are changed in memory, programs are compiled
//! in folders of their own, and results are kept apart from those of builds.
//! Left out: how it is told, which is [`crate::cli`]'s.

mod bench;
mod code;
mod formula;
pub mod reasons;
mod reduce;
mod text;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::claims::{Judged, Standing};
use crate::diag::Diagnostic;
use crate::kernel::process;
use crate::pipeline::{BuildRequest, Evaluated};
use crate::span::Span;
use crate::world::World;

use bench::{Bench, Reader};

pub(crate) use bench::FOLDER;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What a claim states: its number, sign or relation.
    Text,
    /// A printed formula that a check evaluates.
    Formula,
    /// Code on which a claim rests.
    Code,
}

impl Kind {
    /// The kind in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Formula => "formula",
            Self::Code => "code",
        }
    }
}

/// One change of a chapter.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What is changed.
    pub kind: Kind,
    /// Index of the chapter.
    pub chapter: usize,
    /// The place in the chapter that is replaced.
    pub span: Span,
    /// What stands there instead.
    pub by: String,
    /// Identifiers of the claims that rest on the place, one or more.
    pub claims: Vec<String>,
    /// Why nobody need notice, by the author's word: `// mutants: REASON` in the code.
    pub reason: Option<String>,
}

impl Mutant {
    /// The chapter with the change.
    pub fn text(&self) -> String {
        let mut text = self.span.source.text().to_owned();
        text.replace_range(self.span.range.clone(), &self.by);
        text
    }

    /// The changed lines, as they are and as they would be.
    pub fn diff(&self) -> (String, String) {
        let (text, range) = (self.span.source.text(), &self.span.range);
        let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
        let before = text[start..end].to_owned();
        let after = format!("{}{}{}", &text[start..range.start], self.by, &text[range.end..end]);
        (before, after)
    }
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A claim turned, or its cell failed: which, and how.
    Noticed(String),
    /// Its cell ran far longer than before and was ended.
    TimedOut,
    /// It is no program, so it says nothing about the claims: what the compiler said.
    Invalid(String),
    /// Every claim stayed as it was.
    Survived,
    /// Its cells were not reached for another reason.
    Untried(String),
}

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Identifiers of the only claims that are to be tested; all if there are none.
    pub claims: BTreeSet<String>,
    /// Which kinds of change.
    pub kinds: BTreeSet<Kind>,
    /// Most changes of code.
    pub sample: usize,
    /// Longest time that the cells behind a claim on changed code took, if there is such a limit.
    pub longest: Option<Duration>,
    /// Decides which changes of code are drawn.
    pub seed: u64,
    /// Longest time for everything.
    pub budget: Duration,
    /// How many are tried at a time.
    pub jobs: usize,
}

/// What came of all mutants.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Those that were tried, in the order of their kinds and places.
    pub tried: Vec<(Mutant, Fate)>,
    /// Those that were not reached in time, in the same order.
    pub left: Vec<Mutant>,
    /// How many possible changes of code were not drawn.
    pub undrawn: usize,
    /// How many more were left out because of what the cells behind their claims took.
    pub slow: usize,
    /// Claims that were not tested because they are not as expected without any change.
    pub open: Vec<String>,
}

impl Findings {
    /// Those that no claim noticed and no reason explains.
    pub fn survivors(&self) -> impl Iterator<Item = &Mutant> {
        self.unnoticed().filter(|mutant| mutant.reason.is_none())
    }

    /// Those that no claim noticed, for which the author gives a reason.
    pub fn explained(&self) -> impl Iterator<Item = &Mutant> {
        self.unnoticed().filter(|mutant| mutant.reason.is_some())
    }

    fn unnoticed(&self) -> impl Iterator<Item = &Mutant> {
        let survived = self.tried.iter().filter(|(_, fate)| *fate == Fate::Survived);
        survived.map(|(mutant, _)| mutant)
    }
}

/// How far the trials have come.
#[derive(Clone, Copy, Debug)]
pub struct Advance {
    /// Mutants tried.
    pub done: usize,
    /// Mutants in all.
    pub total: usize,
    /// Those that survived so far without a reason.
    pub survived: usize,
}

/// Tries mutants of a report until all are tried, the time is up or the person interrupts.
///
/// # Errors
/// If the folders for changed programs cannot be made.
pub fn search(
    request: &BuildRequest,
    world: &dyn World,
    report: &Evaluated,
    wanted: &Wanted,
    sink: &(dyn Fn(Advance) + Sync),
) -> Result<Findings, Diagnostic> {
    let until = Instant::now() + wanted.budget;
    let is_wanted = |claim: &&Judged| wanted.claims.is_empty() || wanted.claims.contains(&claim.id);
    let (tested, open): (Vec<&Judged>, Vec<&Judged>) = report
        .document
        .claims
        .iter()
        .filter(is_wanted)
        .partition(|claim| claim.standing() == Standing::Good);
    // What is quoted can be told to be wrong even where the value is not at hand.
    let (quoting, open): (Vec<&Judged>, Vec<&Judged>) = open
        .into_iter()
        .partition(|claim| claim.standing() == Standing::Open && text::quotes(claim));
    let (mut groups, undrawn, slow) = mutants(report, &tested, wanted);
    if wanted.kinds.contains(&Kind::Text) {
        groups.extend(quoting.iter().map(|claim| text::misquoted(report, claim)));
    }
    let total = groups.iter().map(Vec::len).sum();

    let next = AtomicUsize::new(0);
    let tried: Mutex<Vec<(Mutant, Fate)>> = Mutex::default();
    let work = |worker: usize| -> Result<(), Diagnostic> {
        let mut reader: Option<(usize, Reader<'_>)> = None;
        let mut bench: Option<Bench<'_>> = None;
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            for mutant in group {
                if process::interrupted() || Instant::now() > until {
                    return Ok(());
                }
                let fate = match mutant.kind {
                    Kind::Text => {
                        if reader.as_ref().is_none_or(|(chapter, _)| *chapter != mutant.chapter) {
                            reader =
                                Some((mutant.chapter, Reader::new(report, world, mutant.chapter)));
                        }
                        let (_, reader) = reader.as_ref().expect("it was made above");
                        reader.try_out(mutant)
                    }
                    Kind::Formula | Kind::Code => {
                        if bench.is_none() {
                            bench = Some(Bench::new(request, world, report, worker)?);
                        }
                        bench.as_ref().expect("it was made above").try_out(mutant)
                    }
                };
                // What an interrupt ended was not tried.
                if process::interrupted() {
                    return Ok(());
                }
                let Ok(mut tried) = tried.lock() else { return Ok(()) };
                tried.push((mutant.clone(), fate));
                let is_open = |(mutant, fate): &&(Mutant, Fate)| {
                    *fate == Fate::Survived && mutant.reason.is_none()
                };
                let survived = tried.iter().filter(is_open).count();
                sink(Advance { done: tried.len(), total, survived });
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..wanted.jobs).map(|i| scope.spawn(move || work(i))).collect();
        let own = work(0);
        let join = |other: thread::ScopedJoinHandle<'_, _>| other.join().unwrap_or(Ok(()));
        others.into_iter().map(join).chain([own]).collect::<Result<(), _>>()
    })?;
    let mut tried = tried.into_inner().unwrap_or_default();
    tried.sort_by_key(|(mutant, _)| place(mutant));
    let reached: BTreeSet<_> = tried.iter().map(|(mutant, _)| place(mutant)).collect();
    let mut left: Vec<Mutant> =
        groups.into_iter().flatten().filter(|mutant| !reached.contains(&place(mutant))).collect();
    left.sort_by_key(place);
    let open = open.into_iter().map(|claim| claim.id.clone()).collect();
    Ok(Findings { tried, left, undrawn, slow, open })
}

/// What tells mutants apart, and their order.
fn place(mutant: &Mutant) -> (Kind, usize, usize, String) {
    (mutant.kind, mutant.chapter, mutant.span.range.start, mutant.by.clone())
}

/// All mutants, in groups that are best tried one after the other, how many changes of code were not
/// drawn, and how many more take too long.
fn mutants(
    report: &Evaluated,
    tested: &[&Judged],
    wanted: &Wanted,
) -> (Vec<Vec<Mutant>>, usize, usize) {
    let mut groups = Vec::new();
    let (mut undrawn, mut slow) = (0, 0);
    if wanted.kinds.contains(&Kind::Text) {
        groups.extend(tested.iter().map(|claim| text::mutants(report, claim)));
    }
    if wanted.kinds.contains(&Kind::Formula) {
        groups.extend(formula::mutants(report, tested));
    }
    if wanted.kinds.contains(&Kind::Code) {
        let mut all = code::mutants(report, tested);
        let possible = all.len();
        if let Some(longest) = wanted.longest {
            all.retain(|mutant| cost(report, mutant) <= longest);
        }
        slow = possible - all.len();
        all.sort_by_cached_key(|mutant| lot(mutant, wanted.seed));
        undrawn = all.len().saturating_sub(wanted.sample);
        all.truncate(wanted.sample);
        groups.extend(all.into_iter().map(|mutant| vec![mutant]));
    }
    (groups, undrawn, slow)
}

/// What the cells took that the slowest of the claims on a mutant's place needs.
fn cost(report: &Evaluated, mutant: &Mutant) -> Duration {
    let claims = report.document.claims.iter().filter(|claim| mutant.claims.contains(&claim.id));
    claims.map(|claim| needed(report, claim)).max().unwrap_or_default()
}

/// What the cells took that a claim needs.
fn needed(report: &Evaluated, claim: &Judged) -> Duration {
    let Some((chapter, cell)) = cell_of(report, claim) else { return Duration::ZERO };
    let results = &report.executed.chapters[chapter].cells;
    let needs = report.plan.chapters[chapter].cells[cell].needs.iter().copied();
    needs.chain([cell]).map(|at| Duration::from_millis(results[at].record.duration_ms)).sum()
}

/// The lot of a mutant in the draw: the lowest are taken. It depends on the mutant and the seed
/// alone, so that an edit elsewhere draws the same.
fn lot(mutant: &Mutant, seed: u64) -> [u8; 32] {
    let (before, after) = mutant.diff();
    let words = format!("{seed} {} {before}\n{after}", mutant.span.source.path());
    *blake3::hash(words.as_bytes()).as_bytes()
}

/// Index in the report of the chapter in which the cell behind a claim stands, and of the cell.
fn cell_of(report: &Evaluated, claim: &Judged) -> Option<(usize, usize)> {
    let from = claim.provenance.as_ref()?;
    let chapter = report.chapters.iter().position(|chapter| chapter.slug == from.chapter)?;
    let cell = report.chapters[chapter].cells.iter().position(|cell| cell.id == from.cell)?;
    Some((chapter, cell))
}
