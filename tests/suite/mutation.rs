//! Changes what the report's first chapter claims, piece by piece, and sees each verdict turn.
//!
//! A change that no verdict notices would mean that the chapter, or the judge, checks nothing
//! there.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use veracity::claims::Judged;
use veracity::mutate::{self, Fate, Findings, Kind, Wanted};
use veracity::pipeline::{self, BuildRequest, Evaluated, Formats};
use veracity::publish::Output;
use veracity::world::DiskWorld;

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
        let request = request();
        let _held = Output::open(&build(), || ()).expect("the output folder can be written");
        let evaluated = pipeline::evaluate(&request, &DiskWorld::new(root()), &|_| ());
        evaluated.unwrap_or_else(|problems| panic!("{problems:?}"))
    })
}

fn request() -> BuildRequest {
    BuildRequest {
        out: build(),
        formats: Formats { html: false, pdf: false },
        chapter: Some(1),
        jobs: 2,
        ..BuildRequest::of(&root())
    }
}

/// What mutants of these kinds find; of no claim in particular if none is named.
fn search(kinds: &[Kind], claims: &[&str]) -> Findings {
    let report = executed();
    let _held = Output::open(&build(), || ()).expect("the output folder can be written");
    let own = report.document.claims.iter().filter(|claim| claim.span.source.path() == CHAPTER);
    let is_wanted = |claim: &&Judged| claims.is_empty() || claims.contains(&claim.name.as_str());
    let wanted = Wanted {
        claims: own.filter(is_wanted).map(|claim| claim.id.clone()).collect(),
        kinds: kinds.iter().copied().collect(),
        sample: 2,
        longest: None,
        seed: 0,
        budget: Duration::from_secs(600),
        jobs: 2,
    };
    let world = DiskWorld::new(root());
    let findings = mutate::search(&request(), &world, report, &wanted, &|_| ())
        .unwrap_or_else(|problem| panic!("{problem:?}"));
    assert_eq!(findings.open, Vec::<String>::new());
    assert!(findings.left.is_empty(), "{:?}", findings.left);
    findings
}

fn assert_noticed(findings: &Findings, least: usize) {
    let survivors: Vec<String> =
        findings.survivors().map(|it| format!("{}: {}", it.span, it.diff().1)).collect();
    assert!(survivors.is_empty(), "{survivors:#?}");
    let noticed = |fate: &Fate| matches!(fate, Fate::Noticed(_));
    let noticed = findings.tried.iter().filter(|(_, fate)| noticed(fate)).count();
    assert!(noticed >= least, "only {noticed} mutants");
}

#[test]
fn every_printed_number_and_relation_matters() {
    assert_noticed(&search(&[Kind::Text], &[]), 200);
}

#[test]
fn every_piece_of_a_claimed_formula_matters() {
    // Of each kind of check one, and the formula that is quoted because it is wrong.
    let claims = ["square-three", "m-count", "m-printed", "degree-count"];
    assert_noticed(&search(&[Kind::Formula], &claims), 60);
}

#[test]
fn code_behind_a_claim_turns_it() {
    let findings = search(&[Kind::Code], &["score-rows"]);
    assert!(!findings.tried.is_empty(), "there is code behind the claim");
    for (mutant, fate) in &findings.tried {
        assert!(matches!(fate, Fate::Noticed(_)), "{fate:?}");
        assert!(mutant.claims.iter().any(|id| id.ends_with("/score-rows")), "{mutant:?}");
        assert_ne!(mutant.text(), mutant.span.source.text());
    }
}
