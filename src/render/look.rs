//! What both outputs say of claims and cells in the same words.
//!
//! In: judged claims and the resolved document. Out: words for verdicts and their meaning,
//! counts of them, what a claim asserts and what its cell is called. Left out: marks and
//! colours, which each output has of its own.

use std::collections::BTreeMap;

use veracity_protocol::DataKind;

use crate::claims::{Expected, Judged, Provenance, Reason, Standing, Verdict};
use crate::data;
use crate::document::{Block, Cell, Document, Float, FloatBody, Inline, Output, Piece, pieces};
use crate::words::{Word, Words};

/// How a verdict looks. The order is that of summaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// It holds.
    Verified,
    /// It fails, and the author says so.
    AsExpected,
    /// It was not checked.
    Unverified,
    /// It fails.
    Refuted,
    /// It holds, and the author says that it fails.
    Unexpected,
    /// Nothing was compared.
    Vacuous,
    /// The claim is at fault.
    Error,
}

impl Look {
    pub(super) fn of(claim: &Judged) -> Self {
        match (&claim.verdict, claim.expected) {
            (Verdict::Verified, Expected::Verified) => Self::Verified,
            (Verdict::Verified, Expected::Refuted) => Self::Unexpected,
            (Verdict::Refuted(_), Expected::Refuted) => Self::AsExpected,
            (Verdict::Refuted(_), Expected::Verified) => Self::Refuted,
            (Verdict::Unverified(..), _) => Self::Unverified,
            (Verdict::Vacuous(_), _) => Self::Vacuous,
            (Verdict::Error(_), _) => Self::Error,
        }
    }

    pub(super) fn word(self, words: Words) -> &'static str {
        words.get(match self {
            Self::Verified => Word::Verified,
            Self::AsExpected => Word::AsExpected,
            Self::Unverified => Word::Unverified,
            Self::Refuted => Word::Refuted,
            Self::Unexpected => Word::Unexpected,
            Self::Vacuous => Word::Vacuous,
            Self::Error => Word::Error,
        })
    }

    /// A sign that tells verdicts apart without colour.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Verified => "✓",
            Self::AsExpected => "☒",
            Self::Refuted | Self::Unexpected => "✗",
            Self::Unverified => "○",
            Self::Vacuous => "∅",
            Self::Error => "!",
        }
    }

    /// What the word means, for a reader who sees it for the first time.
    pub(super) fn meaning(self, words: Words) -> &'static str {
        words.get(match self {
            Self::Verified => Word::MeansVerified,
            Self::AsExpected => Word::MeansAsExpected,
            Self::Unverified => Word::MeansUnverified,
            Self::Refuted => Word::MeansRefuted,
            Self::Unexpected => Word::MeansUnexpected,
            Self::Vacuous => Word::MeansVacuous,
            Self::Error => Word::MeansError,
        })
    }

    pub(super) fn standing(self) -> Standing {
        match self {
            Self::Verified | Self::AsExpected => Standing::Good,
            Self::Unverified => Standing::Open,
            Self::Refuted | Self::Unexpected | Self::Vacuous | Self::Error => Standing::Bad,
        }
    }
}

/// Why a claim is unverified, in a word or two.
pub(super) fn reason(reason: Reason, words: Words) -> &'static str {
    words.get(match reason {
        Reason::NeedsData => Word::NeedsData,
        Reason::NeedsDevice => Word::NeedsDevice,
        Reason::NeedsProfile => Word::NeedsProfile,
        Reason::NotRun => Word::NotRun,
        Reason::Blocked => Word::Blocked,
        Reason::Stale => Word::Stale,
        Reason::TooFewSeeds => Word::TooFewSeeds,
        Reason::Inconclusive => Word::Inconclusive,
        Reason::NotRecorded => Word::NotRecorded,
    })
}

/// What kind of data something rests on.
pub(super) fn kind(kind: DataKind, words: Words) -> &'static str {
    words.get(match kind {
        DataKind::Real => Word::RealData,
        DataKind::Subset => Word::Subset,
        DataKind::Synthetic => Word::Synthetic,
    })
}

/// A data set's digest for a narrow place: of a description no more than what comes first.
pub(super) fn digest(digest: &str) -> &str {
    data::shown(digest).split(',').next().unwrap_or_default()
}

/// How many claims look how, in the order of summaries.
pub(super) fn counts<'a>(claims: impl IntoIterator<Item = &'a Judged>) -> BTreeMap<Look, usize> {
    let mut counts = BTreeMap::new();
    for claim in claims {
        *counts.entry(Look::of(claim)).or_insert(0) += 1;
    }
    counts
}

/// Whether all claims and chapters are as expected: the worst standing, and a sentence.
pub(super) fn outcome(document: &Document) -> (Standing, String) {
    let claims = &document.claims;
    let has_problems = document.chapters.iter().any(|chapter| !chapter.problems.is_empty());
    let count = |wanted| claims.iter().filter(|claim| claim.standing() == wanted).count();
    let words = document.words();
    let of = |word, count: usize| words.with(word, [&count.to_string(), &claims.len().to_string()]);
    match (count(Standing::Open), count(Standing::Bad)) {
        (_, 0) if has_problems => (Standing::Bad, words.get(Word::OtherProblems).to_owned()),
        (0, 0) => (Standing::Good, words.get(Word::AllExpected).to_owned()),
        (open, 0) => (Standing::Open, of(Word::SomeOpen, open)),
        (_, bad) => (Standing::Bad, of(Word::SomeFailed, bad)),
    }
}

/// What results have in common and a ledger therefore says once.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    /// Profile and device.
    pub(super) setting: Option<(&'a str, &'a str)>,
    /// Seed of every result that has one.
    pub(super) seed: Option<u64>,
}

impl<'a> Shared<'a> {
    pub(super) fn of(claims: &'a [Judged]) -> Self {
        Self { setting: shared_setting(claims), seed: shared_seed(claims) }
    }

    /// It in a sentence, if there is any.
    pub(super) fn words(&self, words: Words) -> Option<String> {
        let named = |word, value: &str| format!("{} {value}", words.get(word));
        let setting = self.setting.map(|(profile, device)| {
            [named(Word::Profile, profile), named(Word::Device, device)].join(", ")
        });
        let seed = self.seed.map(|seed| named(Word::Seed, &seed.to_string()));
        let parts: Vec<String> = setting.into_iter().chain(seed).collect();
        (!parts.is_empty()).then(|| words.with(Word::AllResults, [&parts.join(", ")]))
    }
}

/// Profile and device of every result, if they are the same for all.
fn shared_setting(claims: &[Judged]) -> Option<(&str, &str)> {
    let mut settings = claims
        .iter()
        .filter_map(|claim| claim.provenance.as_ref())
        .map(|from| (from.profile.as_str(), from.device.as_str()));
    let first = settings.next()?;
    settings.all(|setting| setting == first).then_some(first)
}

/// Seed of every result that has one, if it is the same for all.
fn shared_seed(claims: &[Judged]) -> Option<u64> {
    let mut seeds = claims.iter().filter_map(|claim| claim.provenance.as_ref()?.seed);
    let first = seeds.next()?;
    seeds.all(|seed| seed == first).then_some(first)
}

/// The name of a claim without that of its chapter, for lists that give the chapter once.
pub(super) fn local_id(claim: &Judged) -> &str {
    let local = claim.id.strip_prefix(claim.chapter.as_str());
    local.and_then(|local| local.strip_prefix('/')).unwrap_or(&claim.id)
}

/// Claims with formulas, and cells by anchor.
#[derive(Default)]
pub(super) struct Index<'a> {
    formulas: BTreeMap<usize, Vec<Piece<'a>>>,
    numbers: BTreeMap<usize, &'a str>,
    cells: BTreeMap<&'a str, &'a Cell>,
    chapters: BTreeMap<&'a str, &'a str>,
    words: Words,
}

impl<'a> Index<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        let mut index = Self { words: document.words(), ..Self::default() };
        for chapter in &document.chapters {
            index.chapters.insert(&chapter.slug, &chapter.number);
            chapter.all_blocks().into_iter().for_each(|block| index.add(block));
        }
        index
    }

    fn add(&mut self, block: &'a Block) {
        match block {
            Block::Equation(equation) => {
                let formula = vec![Piece::Formula(&equation.math)];
                self.formulas.extend(equation.claim.map(|claim| (claim, formula)));
                self.numbers.extend(equation.claim.zip(equation.number.as_deref()));
            }
            Block::Cell(cell) => {
                self.cells.insert(&cell.anchor, cell);
                for output in &cell.outputs {
                    if let Output::Float(float) = output {
                        self.add_float(float);
                    }
                }
            }
            Block::Heading { content, .. } | Block::Paragraph(content) => self.add_words(content),
            Block::Float(float) => self.add_float(float),
            Block::List { .. }
            | Block::Quote(_)
            | Block::Callout { .. }
            | Block::Code { .. }
            | Block::Module { .. }
            | Block::Rule
            | Block::Problem { .. } => {}
        }
    }

    fn add_float(&mut self, float: &'a Float) {
        self.add_words(&float.caption);
        if let FloatBody::Table(table) = &float.body {
            table
                .header
                .iter()
                .chain(table.rows.iter().flatten())
                .for_each(|it| self.add_words(it));
        }
    }

    /// Looks for claims with a formula among their words.
    fn add_words(&mut self, content: &'a [Inline]) {
        for inline in content {
            match inline {
                Inline::Claim { claim, content } => {
                    let said = pieces(content);
                    if said.iter().any(|piece| matches!(piece, Piece::Formula(_))) {
                        self.formulas.insert(*claim, said);
                    }
                }
                form => self.add_words(form.content()),
            }
        }
    }

    /// What a claim asserts in words and formulas, if it has a formula.
    pub(super) fn formulas(&self, claim: usize) -> Option<Vec<Piece<'a>>> {
        self.formulas.get(&claim).cloned()
    }

    /// The number of the displayed formula that makes a claim, if it has one.
    pub(super) fn number(&self, claim: usize) -> Option<&'a str> {
        self.numbers.get(&claim).copied()
    }

    /// What the cell behind a claim is called where the claim's chapter is known.
    pub(super) fn cell_name(&self, claim: &Judged, from: &Provenance) -> String {
        let cell = self.cells.get(from.anchor.as_str());
        let name = cell.map_or(from.cell.as_str(), |cell| &cell.name);
        match self.chapters.get(from.chapter.as_str()) {
            Some(number) if from.chapter != claim.chapter => {
                self.words.with(Word::OfChapter, [name, number])
            }
            _ => name.to_owned(),
        }
    }
}
