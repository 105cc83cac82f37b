//! Changes what the report's first chapter claims, piece by piece, and sees each verdict turn.
//!
//! A change that no verdict notices would mean that the chapter, or the judge, checks nothing
//! there. Numbers and relations are judged anew against what the code put out; a changed formula
//! travels to the chapter's program, which runs again.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

use veracity::cache::Store;
use veracity::claims::{Expected, Judged, Standing, Verdict};
use veracity::exec::{self, CellResult, CellStatus, Executed};
use veracity::kernel::batch::BatchKernel;
use veracity::kernel::workspace::{Network, Workspace};
use veracity::parse::{self, Block, Chapter, Equation};
use veracity::pipeline::{self, BuildRequest, Evaluated, Formats};
use veracity::plan::{self, Foundation};
use veracity::publish::Output;
use veracity::resolve;
use veracity::span::Source;
use veracity::world::DiskWorld;
use veracity_protocol::{Artifact, Check, Value};

const CHAPTER: &str = "chapters/1-linear-attention.md";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn build() -> PathBuf {
    root().join("build")
}

/// This report as the code of its first chapter leaves it; executed once, in its own output folder.
pub fn executed() -> &'static Evaluated {
    static REPORT: OnceLock<Evaluated> = OnceLock::new();
    REPORT.get_or_init(|| {
        let request = BuildRequest {
            root: root(),
            out: build(),
            data: root().join("data"),
            formats: Formats { html: false, pdf: false },
            chapter: Some(1),
            profile: "quick".into(),
            device: "cpu".into(),
            jobs: 2,
            network: Network::Allowed,
            from_scratch: false,
            confinement: veracity::kernel::confine::Confinement::Free,
            kernel: veracity::pipeline::KernelChoice::Batch,
        };
        let _held = Output::open(&build(), || ()).expect("the output folder can be written");
        let evaluated = pipeline::evaluate(&request, &DiskWorld::new(root()), &|_| ());
        evaluated.unwrap_or_else(|problems| panic!("{problems:?}"))
    })
}

/// The report with another text of the chapter, and results that need not be its own.
struct Mutant {
    claims: Vec<Judged>,
}

impl Mutant {
    fn parsed(text: &str) -> Vec<Chapter> {
        let mut chapters = executed().chapters.clone();
        chapters[index()] = parse::chapter(Source::new(CHAPTER, text)).0;
        chapters
    }

    fn of(text: &str, results: &Executed) -> Self {
        let report = executed();
        let chapters = Self::parsed(text);
        let world = DiskWorld::new(root());
        let (document, _) =
            resolve::document(&report.config, &chapters, results, None, Vec::new(), &world);
        Self { claims: document.claims }
    }

    fn claim(&self, id: &str) -> &Judged {
        self.claims.iter().find(|claim| claim.id == id).unwrap_or_else(|| panic!("no claim {id}"))
    }
}

/// Index of the chapter in the report.
fn index() -> usize {
    let chapters = &executed().chapters;
    chapters.iter().position(|chapter| chapter.source.path() == CHAPTER).expect("it is there")
}

fn text() -> &'static str {
    executed().chapters[index()].source.text()
}

/// The claims of the chapter, all of which are as expected.
fn claims() -> Vec<&'static Judged> {
    let claims: Vec<&Judged> = executed()
        .document
        .claims
        .iter()
        .filter(|claim| claim.span.source.path() == CHAPTER)
        .collect();
    for claim in &claims {
        assert_eq!(claim.standing(), Standing::Good, "{claim:?}");
    }
    claims
}

fn replaced(range: Range<usize>, by: &str) -> String {
    let mut changed = text().to_owned();
    changed.replace_range(range, by);
    changed
}

/// A link `[words](claim:name "relation")` in the chapter.
struct Link {
    words: Range<usize>,
    /// From behind the name to the closing parenthesis.
    relation: Range<usize>,
}

impl Link {
    fn of(claim: &Judged) -> Option<Self> {
        let (text, span) = (text(), &claim.span.range);
        let target = format!("](claim:{}", claim.name);
        let middle = span.start + text[span.clone()].find(&target)?;
        let start = text[..middle].rfind('[')? + 1;
        let behind = middle + target.len();
        let end = behind + text[behind..].find(')')?;
        Some(Self { words: start..middle, relation: behind..end })
    }

    fn relation(&self) -> &'static str {
        text()[self.relation.clone()].trim().trim_matches('"')
    }

    fn with_words(&self, words: &str) -> String {
        replaced(self.words.clone(), words)
    }

    fn with_relation(&self, relation: &str) -> String {
        replaced(self.relation.clone(), &format!(" \"{relation}\""))
    }
}

/// Whether a claim is about a number.
fn is_numeric(claim: &Judged) -> bool {
    let cells = executed().executed.chapters.iter().flat_map(|chapter| &chapter.cells);
    cells.flat_map(|cell| &cell.output.values).any(|published| {
        published.name == claim.name
            && matches!(
                published.value,
                Value::Integer { .. } | Value::Rational { .. } | Value::Float { .. }
            )
    })
}

#[test]
fn every_printed_number_and_relation_matters() {
    let mut mutants = 0;
    let mut survivors = Vec::new();
    for claim in claims() {
        let Some(link) = Link::of(claim) else {
            // A formula's relation is an attribute; its numbers are the formula's own.
            let attribute = format!("claim=\"{}\"", claim.name);
            assert_eq!(text().matches(&attribute).count(), 1, "{attribute}");
            let changed = text().replace(&attribute, &format!("{attribute} relation=\"refuted\""));
            mutants += 1;
            let judged = Mutant::of(&changed, &executed().executed);
            assert_eq!(judged.claim(&claim.id).standing(), Standing::Bad, "{}", claim.id);
            continue;
        };
        let words = &text()[link.words.clone()];
        let mut changes: Vec<(String, String)> = Vec::new();
        let mut relation = |changed: &str| {
            changes.push((format!("the relation \"{changed}\""), link.with_relation(changed)));
        };
        match (claim.expected, link.relation()) {
            (Expected::Verified, "") => relation("refuted"),
            (Expected::Verified, stated) => {
                relation(&format!("refuted; {stated}"));
                relation("± 0");
            }
            (Expected::Refuted, "refuted") => relation(""),
            (Expected::Refuted, stated) => {
                relation(&stated.replace("refuted", "").replace(';', ""))
            }
        }
        if is_numeric(claim) {
            if link.relation().is_empty() {
                let bound: String =
                    words.chars().filter(|c| c.is_ascii_digit() || ".-−".contains(*c)).collect();
                // A rounded number may lie on either side of what is printed.
                if !bound.contains('.') {
                    ["!=", ">", "<"].iter().for_each(|side| relation(&format!("{side} {bound}")));
                }
            }
            let last = words.rfind(|c: char| c.is_ascii_digit()).expect("a number is printed");
            for by in [1, 9] {
                let digit = (words.as_bytes()[last] - b'0' + by) % 10;
                let changed = format!("{}{digit}{}", &words[..last], &words[last + 1..]);
                changes.push((format!("`{changed}`"), link.with_words(&changed)));
            }
            let first = words.find(|c: char| c.is_ascii_digit()).expect("a number is printed");
            let negative = words[..first].ends_with(['-', '−']);
            let changed = if negative {
                words.replacen(['-', '−'], "", 1)
            } else {
                format!("{}−{}", &words[..first], &words[first..])
            };
            changes.push((format!("`{changed}`"), link.with_words(&changed)));
        }
        for (what, changed) in changes {
            mutants += 1;
            let mutant = Mutant::of(&changed, &executed().executed);
            let judged = mutant.claim(&claim.id);
            if judged.standing() != Standing::Bad {
                survivors.push(format!("{} with {what}: {:?}", claim.id, judged.verdict));
            }
            for (other, before) in mutant.claims.iter().zip(&executed().document.claims) {
                let same = other.verdict == before.verdict && other.expected == before.expected;
                assert!(same || other.id == claim.id, "{} changed with {}", other.id, claim.id);
            }
        }
    }
    eprintln!("{mutants} mutants of numbers and relations");
    assert!(mutants > 100, "only {mutants} mutants");
    assert!(survivors.is_empty(), "{survivors:#?}");
}

/// The displayed equations of the chapter.
fn equations(blocks: &[Block]) -> Vec<&Equation> {
    blocks
        .iter()
        .flat_map(|block| match block {
            Block::Equation(equation) => vec![equation],
            Block::Quote(blocks) | Block::Callout { blocks, .. } => equations(blocks),
            Block::List { items, .. } => {
                items.iter().flat_map(|item| equations(&item.blocks)).collect()
            }
            _ => Vec::new(),
        })
        .collect()
}

/// A formula of which one piece is changed.
#[derive(Clone, Debug)]
struct Change {
    range: Range<usize>,
    by: String,
    shown: String,
}

/// Changes of one number, sign, relation or bound each, by their places in the chapter.
fn changes(equation: &Equation) -> Vec<Change> {
    let start = equation.span.range.start;
    let latex = &text()[equation.span.range.clone()];
    let mut changes = Vec::new();
    let mut change = |range: Range<usize>, by: String| {
        let shown = format!("{}⟦{by}⟧{}", &latex[..range.start], &latex[range.end..]);
        changes.push(Change { range: start + range.start..start + range.end, by, shown });
    };
    for (at, character) in latex.char_indices() {
        let end = at + character.len_utf8();
        match character {
            '0'..='9' => {
                let digit = character.to_digit(10).unwrap_or_default();
                change(at..end, ((digit + 1) % 10).to_string());
            }
            '+' => change(at..end, "-".into()),
            '-' => change(at..end, "+".into()),
            _ => {}
        }
    }
    // The last index of a sum or product.
    for operator in ["\\sum", "\\prod"] {
        for (at, _) in latex.match_indices(operator) {
            let Some(open) = latex[at..].find("}^").map(|found| at + found + 2) else { continue };
            if latex[open..].starts_with('{') {
                let Some(close) = latex[open..].find('}') else { continue };
                change(open + close..open + close, " + 1".into());
            }
        }
    }
    for at in variables(latex) {
        change(at..at + 1, format!("({} + 1)", &latex[at..=at]));
    }
    changes
}

/// Where the letters stand that are variables and have a value, behind the name of the formula.
fn variables(latex: &str) -> Vec<usize> {
    let begin = latex.find("\\begin{aligned}").map_or(0, |at| at + "\\begin{aligned}".len());
    let name = latex[begin..].find('=').map(|at| begin + at);
    let bytes = latex.as_bytes();
    let mut found = Vec::new();
    let mut at =
        name.filter(|&at| !latex[begin..at].contains(['|', '\\', '^', '+'])).unwrap_or(begin);
    while at < bytes.len() {
        if bytes[at] == b'\\' {
            at += 1;
            while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
                at += 1;
            }
            if latex[..at].ends_with("\\end") {
                break;
            }
        } else {
            // An index is bound where an equals sign follows.
            let bound = latex[at + 1..].trim_start().starts_with('=');
            if bytes[at].is_ascii_alphabetic() && !bound {
                found.push(at);
            }
            at += 1;
            while !latex.is_char_boundary(at) {
                at += 1;
            }
        }
    }
    found
}

/// What came of a run with changed formulas.
struct Ran {
    mutant: Mutant,
    cells: Vec<CellResult>,
}

/// How a claim took a change of its formula.
#[derive(Debug, PartialEq)]
enum Noticed {
    /// It is refuted, or an error.
    Refuted,
    /// Its cell failed, which is an error of the build.
    CellFailed,
    /// A cell before its own failed.
    HeldUp,
    /// Not at all.
    Not,
}

impl Ran {
    fn of(&self, id: &str) -> Noticed {
        let claim = self.mutant.claim(id);
        let from = claim.provenance.as_ref().map(|from| from.cell.as_str());
        let planned = &executed().plan.chapters[index()].cells;
        let failed = |(cell, result): (&plan::CellPlan, &CellResult)| {
            from == Some(cell.id.as_str()) && matches!(result.status, CellStatus::Failed(_))
        };
        match (&claim.verdict, claim.standing()) {
            (Verdict::Unverified(..), _) if planned.iter().zip(&self.cells).any(failed) => {
                Noticed::CellFailed
            }
            (Verdict::Unverified(..), _) => Noticed::HeldUp,
            (_, Standing::Bad) => Noticed::Refuted,
            _ => Noticed::Not,
        }
    }
}

/// Runs the program of the chapter with changed formulas.
struct Bench {
    kernel: BatchKernel,
    foundation: Foundation,
}

impl Bench {
    fn new() -> Self {
        let report = executed();
        let slugs: Vec<&str> =
            report.chapters.iter().map(|chapter| chapter.slug.as_str()).collect();
        let workspace =
            Workspace::prepare(&root(), &build(), &report.config, &slugs, Network::Allowed)
                .unwrap_or_else(|problem| panic!("{problem:?}"));
        let foundation = report.plan.chapters[index()].foundation.clone();
        let kernel = BatchKernel::new(workspace, root(), build(), root().join("data"), 2);
        Self { kernel, foundation }
    }

    /// The report after these changes of the chapter, of which no two overlap.
    fn run(&self, changes: &[&Change]) -> Ran {
        let mut text = text().to_owned();
        let mut changes = changes.to_vec();
        changes.sort_by_key(|change| std::cmp::Reverse(change.range.start));
        for change in changes {
            text.replace_range(change.range.clone(), &change.by);
        }
        let chapters = Mutant::parsed(&text);
        let (mut plan, _) = plan::plan(&executed().config, &chapters, &self.foundation);
        plan.keep_only(index());
        let store = Store::new(build().join("cache/cells"));
        let (results, _) = exec::execute(&plan, &self.kernel, &store, 1, &|_| ());
        let cells = results.chapters[index()].cells.clone();
        Ran { mutant: Mutant::of(&text, &results), cells }
    }
}

/// Checks of the chapter, by name.
fn checks() -> impl Iterator<Item = &'static Check> {
    executed().executed.chapters[index()]
        .cells
        .iter()
        .flat_map(|cell| &cell.output.artifacts)
        .filter_map(|artifact| match artifact {
            Artifact::Check(check) => Some(check),
            _ => None,
        })
}

#[test]
fn every_piece_of_a_claimed_formula_matters() {
    let _held = executed();
    let _held = Output::open(&build(), || ()).expect("the output folder can be written");
    let bench = Bench::new();
    let blocks = &executed().chapters[index()].blocks;
    let displayed = equations(blocks);
    // What is to turn, and how it may be changed; several are changed in one run.
    let mut queues: Vec<(String, BTreeSet<String>, Vec<Change>)> = Vec::new();
    for claim in claims() {
        let Some(equation) = displayed
            .iter()
            .find(|equation| equation.claim.as_ref().is_some_and(|site| site.span == claim.span))
        else {
            continue;
        };
        let check = checks().find(|check| check.name == claim.name).expect("it was verified");
        let named = check.equations.iter().cloned().collect();
        queues.push((claim.id.clone(), named, changes(equation)));
    }
    assert!(queues.len() >= 10, "only {} formulas are claimed", queues.len());
    let (mut refuted, mut failed, mut runs) = (0, 0, 0);
    let mut survivors = Vec::new();
    while queues.iter().any(|(_, _, changes)| !changes.is_empty()) {
        let mut batch: Vec<(usize, Change)> = Vec::new();
        let mut used = BTreeSet::new();
        for (queue, (_, named, changes)) in queues.iter_mut().enumerate() {
            // A check must not see two changes at once, or either could be what turns it.
            if !changes.is_empty() && used.is_disjoint(named) {
                used.extend(named.iter().cloned());
                batch.extend(changes.pop().map(|change| (queue, change)));
            }
        }
        // A change whose cell fails holds up the claims behind it; they run again without it.
        while !batch.is_empty() {
            runs += 1;
            let together: Vec<&Change> = batch.iter().map(|(_, change)| change).collect();
            let notice = bench.run(&together);
            let (mut alone, mut again) = (Vec::new(), Vec::new());
            for (queue, change) in std::mem::take(&mut batch) {
                match notice.of(&queues[queue].0) {
                    Noticed::Refuted => refuted += 1,
                    Noticed::CellFailed => alone.push((queue, change)),
                    Noticed::HeldUp => again.push((queue, change)),
                    Noticed::Not => survivors.push((queue, change)),
                }
            }
            if alone.is_empty() {
                std::mem::swap(&mut alone, &mut again);
            }
            for (queue, change) in alone {
                runs += 1;
                match bench.run(&[&change]).of(&queues[queue].0) {
                    Noticed::Refuted => refuted += 1,
                    // Its sides have different values, or none; the build says so of the cell.
                    Noticed::CellFailed => failed += 1,
                    Noticed::HeldUp | Noticed::Not => survivors.push((queue, change)),
                }
            }
            batch = again;
        }
    }
    let mutants = refuted + failed + survivors.len();
    eprintln!(
        "{mutants} mutants of {} formulas in {runs} runs: {refuted} refuted, {failed} failed with their cell",
        queues.len()
    );
    assert!(mutants > 100, "only {mutants} mutants");
    let survivors: Vec<String> = survivors
        .iter()
        .map(|(queue, change)| format!("{}: {}", queues[*queue].0, change.shown))
        .collect();
    assert!(survivors.is_empty(), "{survivors:#?}");
}

#[test]
fn a_formula_that_is_quoted_as_wrong_must_stay_wrong() {
    let _held = executed();
    let _held = Output::open(&build(), || ()).expect("the output folder can be written");
    let bench = Bench::new();
    let blocks = &executed().chapters[index()].blocks;
    let displayed = equations(blocks);
    let printed = displayed
        .iter()
        .find(|equation| equation.label.as_deref() == Some("eq-m-printed"))
        .expect("the homework's formula is quoted");
    let summand = printed.span.range.start
        + text()[printed.span.range.clone()].find("{K + D").expect("as printed")
        + 1;
    let mended = Change { range: summand..summand + 1, by: "k".into(), shown: "k".into() };
    let ran = bench.run(&[&mended]);
    let claim = ran.mutant.claims.iter().find(|claim| claim.name == "m-printed").expect("a claim");
    assert_eq!(claim.expected, Expected::Refuted);
    // The cell that looks for the smallest counterexample may find none and end with that error.
    let noticed = ran.of(&claim.id);
    assert!(matches!(noticed, Noticed::Refuted | Noticed::CellFailed), "{noticed:?}");
}
