//! Samples over seeds, differences, premises, tables, and which numbers of the prose are backed.
//! Each relation stands beside mutants of it that must be noticed.

use veracity::claims::{Judged, Reason, Standing, Verdict};
use veracity::coverage::{Authority, Coverage, percent};
use veracity::diag::Diagnostic;
use veracity::document::Document;
use veracity_protocol::{Artifact, CheckStatus, Float, Value};

use crate::scripted::{Report, artifacts, check, float, integer, values};

const CELL: &str = "\n```rust,cell\nlab::value(\"x\", 1);\n```\n";

fn sample(numbers: &[f64]) -> Value {
    Value::Sample {
        seeds: (1..).take(numbers.len()).collect(),
        values: numbers.iter().copied().map(Float).collect(),
    }
}

fn build(prose: &str) -> (Document, Vec<Diagnostic>) {
    let published = values([
        ("a", sample(&[0.81, 0.83, 0.79, 0.84, 0.82])),
        ("b", sample(&[0.78, 0.80, 0.79, 0.80, 0.77])),
        ("short", sample(&[0.81, 0.83])),
        ("broken", sample(&[0.81, f64::NAN, 0.8])),
        ("x", float(0.8755)),
        ("y", float(0.8444)),
        ("three", integer(3)),
        ("four", integer(4)),
        ("zero", integer(0)),
        ("yes", Value::Bool { value: true }),
    ]);
    Report::of(&format!("# A\n{CELL}\n{prose}\n")).cell("1/cell-1", published).build()
}

fn judged(prose: &str) -> Judged {
    let (mut document, _) = build(prose);
    assert_eq!(document.claims.len(), 1, "{prose}");
    document.claims.remove(0)
}

#[track_caller]
fn verdicts(cases: &[(&str, &str)]) {
    for (prose, expected) in cases {
        let found = judged(prose);
        assert_eq!(found.verdict.word(), *expected, "{prose}: {:?}", found.verdict);
    }
}

#[test]
fn one_number_stands_for_a_sample() {
    verdicts(&[
        ("[0.818](claim:a \"mean\")", "verified"),
        ("[0.819](claim:a \"mean\")", "refuted"),
        ("[-0.818](claim:a \"mean\")", "refuted"),
        ("[0.82](claim:a \"median\")", "verified"),
        ("[0.818](claim:a \"median\")", "refuted"),
        ("[0.82](claim:short \"median\")", "verified"),
        ("[0.8](claim:a \"mean; ± 0.02\")", "verified"),
        ("[0.8](claim:a \"mean; ± 0.01\")", "refuted"),
        ("[0.82](claim:a)", "error"),
        ("[0.82](claim:x \"mean\")", "error"),
        ("[0.82](claim:broken \"mean\")", "error"),
    ]);
}

#[test]
fn what_cannot_fail_or_says_the_opposite_is_not_green() {
    verdicts(&[
        ("[1](claim:x \"over x\")", "vacuous"),
        ("[0](claim:three \"minus three\")", "vacuous"),
        ("[3](claim:three \"± 300\")", "vacuous"),
        ("[3](claim:three \"± 1e400\")", "vacuous"),
        ("[0](claim:three \"± 3\")", "verified"),
        ("[at most 3](claim:three \">= 3\")", "error"),
        ("[less than 2](claim:three \"> 2\")", "error"),
        ("[more than 3](claim:three \"<= 3\")", "error"),
        ("[at least 3](claim:three \">= 3\")", "verified"),
        ("[no more than 3](claim:three \"<= 3\")", "verified"),
    ]);
}

#[test]
fn too_few_seeds_are_no_evidence() {
    verdicts(&[("[0.818](claim:a \"mean; n >= 5\")", "verified")]);
    let few = judged("[0.7](claim:a \"mean; n ≥ 6\")");
    assert_eq!(
        few.verdict,
        Verdict::Unverified(Reason::TooFewSeeds, "5 of at least 6 seeds".into())
    );
    assert_eq!(few.standing(), Standing::Open);
    assert_eq!(few.relation, "mean; n ≥ 6; = (1 decimal)");
}

// Intervals by scipy 1.x: `ttest_1samp`, `ttest_rel` and `ttest_ind(equal_var=False)`, and
// percentiles of 400,000 resamples by numpy.
#[test]
fn intervals_agree_with_scipy() {
    verdicts(&[
        ("[0.818, 0.794 to 0.842](claim:a \"mean; t 95 %; n >= 5\")", "verified"),
        ("[0.7941 to 0.8419](claim:a \"mean; t 95 %; n >= 5\")", "verified"),
        ("[0.7941 to 0.8418](claim:a \"mean; t 95 %; n >= 5\")", "refuted"),
        ("[0.7942 to 0.8419](claim:a \"mean; t 95 %; n >= 5\")", "refuted"),
        ("[0.0068 to 0.0532](claim:a \"mean; minus b; paired; t 95 %; n >= 5\")", "verified"),
        ("[0.0055 to 0.0545](claim:a \"mean; minus b; t 95 %; n >= 5\")", "verified"),
        ("[0.0068 to 0.0532](claim:a \"mean; minus b; t 95 %; n >= 5\")", "refuted"),
        (
            "[95 % interval 0.0068 to 0.0532](claim:a \"mean; minus b; paired; t 95 %; n >= 5\")",
            "verified",
        ),
        (
            "[90 % interval 0.0068 to 0.0532](claim:a \"mean; minus b; paired; t 95 %; n >= 5\")",
            "refuted",
        ),
        ("[0.802 to 0.832](claim:a \"mean; bootstrap 95 %; n >= 5\")", "verified"),
        ("[0.79 to 0.84](claim:a \"median; bootstrap 95 %; n >= 5\")", "verified"),
        ("[0.014 to 0.042](claim:a \"mean; minus b; paired; bootstrap 95 %; n >= 5\")", "verified"),
        ("[1.02 to 1.06](claim:a \"mean; over b; bootstrap 95 %; n >= 5\")", "verified"),
        ("[1.038](claim:a \"mean; over b\")", "verified"),
        ("[0.963](claim:a \"mean; over b\")", "refuted"),
    ]);
    let relation = "[0.03](claim:a \"mean; minus b; paired; bootstrap 90 %; n >= 5\")";
    assert_eq!(judged(relation), judged(relation), "the same values give the same interval");
}

#[test]
fn a_bound_holds_for_the_whole_interval() {
    let of = |title: &str| judged(&format!("[better](claim:a \"mean; minus b; paired; {title}\")"));
    assert_eq!(of("t 95 %; > 0; n >= 5").verdict, Verdict::Verified);
    assert_eq!(of("t 95 %; < 0; n >= 5").verdict.word(), "refuted");
    let unsure = of("t 99 %; > 0; n >= 5");
    assert!(matches!(unsure.verdict, Verdict::Unverified(Reason::Inconclusive, _)), "{unsure:?}");
    assert_eq!(of("t 99 %; != 0; n >= 5").verdict.word(), "unverified");
    assert_eq!(of("t 95 %; != 0; n >= 5").verdict.word(), "verified");
    // The other way round the same interval lies below.
    let other = judged("[worse](claim:b \"mean; minus a; paired; t 95 %; < 0; n >= 5\")");
    assert_eq!(other.verdict, Verdict::Verified);
}

#[test]
fn what_cannot_be_meant_is_an_error() {
    verdicts(&[
        ("[1](claim:a \"mean; t 95 %\")", "error"),
        ("[1](claim:a \"mean; t 95 %; n >= 1\")", "error"),
        ("[1](claim:a \"t 95 %; n >= 5\")", "error"),
        ("[1](claim:a \"median; t 95 %; n >= 5\")", "error"),
        ("[1](claim:a \"mean; t 195 %; n >= 5\")", "error"),
        ("[1](claim:a \"mean; t; n >= 5\")", "error"),
        ("[1](claim:a \"mean; paired\")", "error"),
        ("[1](claim:a \"mean; minus short; paired\")", "error"),
        ("[1](claim:a \"mean; minus x\")", "error"),
        ("[1](claim:a \"mean; minus nothing\")", "error"),
        ("[1](claim:a \"mean; median\")", "error"),
        ("[1](claim:a \"n >= 5\")", "error"),
        ("[1](claim:three \"over zero\")", "error"),
        ("[it](claim:yes \"minus three\")", "error"),
    ]);
    for (title, hint) in [("meen", "`mean`"), ("mins b", "`minus`"), ("± 0.1 on cuba", "`cuda`")] {
        let Verdict::Error(message) = judged(&format!("[1](claim:a \"{title}\")")).verdict else {
            panic!("{title} is no relation")
        };
        assert!(message.contains(&format!("did you mean {hint}")), "{message}");
    }
}

#[test]
fn differences_ratios_and_sums_of_values() {
    verdicts(&[
        ("[0.0311](claim:x \"minus y\")", "verified"),
        ("[0.0312](claim:x \"minus y\")", "refuted"),
        ("[0.0311](claim:y \"minus x\")", "refuted"),
        ("by [3.1](claim:x \"minus y; points\") points", "verified"),
        ("by [3.2](claim:x \"minus y; points\") points", "refuted"),
        ("by [31](claim:x \"minus y; points\") points", "refuted"),
        ("[3.1 %](claim:x \"minus y\")", "verified"),
        ("[3/4](claim:three \"over four\")", "verified"),
        ("[4/3](claim:three \"over four\")", "refuted"),
        ("[7](claim:three \"plus four\")", "verified"),
        ("[10](claim:three \"plus four, three\")", "verified"),
        ("[11](claim:three \"plus four, three\")", "refuted"),
        ("[more](claim:x \"minus y; > 0\")", "verified"),
        ("[more](claim:y \"minus x; > 0\")", "refuted"),
    ]);
}

#[test]
fn a_tolerance_is_that_of_the_device() {
    let of = |title: &str| judged(&format!("[0.87](claim:x \"{title}\")"));
    assert_eq!(of("± 0.01 on cpu, ± 0.02 on cuda").verdict, Verdict::Verified);
    assert_eq!(of("± 0.001 on cpu, ± 0.02 on cuda").verdict.word(), "refuted");
    assert_eq!(of("± 0.01 on cpu, ± 0.02 on cuda").relation, "± 0.01 on cpu, ± 0.02 on cuda");
    let elsewhere = of("± 0.02 on cuda");
    assert!(matches!(elsewhere.verdict, Verdict::Unverified(Reason::NeedsDevice, _)));
}

#[test]
fn a_conclusion_falls_with_its_premises() {
    let of = |premise: &str| {
        let (document, diagnostics) = build(&format!(
            "[{premise}](claim:three) so [4](claim:four \"because: three\") and \
             [0.9](claim:x \"because: four; ± 0.1\")"
        ));
        assert_eq!(diagnostics, []);
        document.claims
    };
    let standing = of("3");
    assert!(standing.iter().all(|claim| claim.standing() == Standing::Good));
    assert_eq!(standing[1].because, ["1/three"]);
    let fallen = of("5");
    for (claim, premise) in [(1, "`1/three` is refuted"), (2, "`1/four` is unverified")] {
        let words = format!("its premise {premise}");
        assert_eq!(fallen[claim].verdict, Verdict::Unverified(Reason::Stale, words));
    }
    // What is expected to be wrong is a sound premise.
    let (document, _) = build("[5](claim:three \"refuted\") so [4](claim:four \"because: three\")");
    assert_eq!(document.claims[1].verdict, Verdict::Verified);
    // A conclusion that is wrong by itself stays wrong, and every claim on a name counts.
    let (document, _) = build(
        "[3](claim:three) [5](claim:three) so [5](claim:four \"because: three\") and \
         [4](claim:four \"because: three\"), [4](claim:four \"because: 1/three\")",
    );
    let words: Vec<&str> = document.claims.iter().map(|claim| claim.verdict.word()).collect();
    assert_eq!(words, ["verified", "refuted", "refuted", "unverified", "unverified"]);
}

#[test]
fn premises_exist_and_go_in_no_circle() {
    let (document, diagnostics) = build("[4](claim:four \"because: thre\") [3](claim:three)");
    assert_eq!(document.claims[0].verdict.word(), "error");
    let codes = |found: &[Diagnostic]| found.iter().map(|it| it.code).collect::<Vec<_>>();
    assert_eq!(codes(&diagnostics), ["unknown-premise"]);
    assert!(diagnostics[0].hint.as_deref().is_some_and(|hint| hint.contains("three")));

    let (document, diagnostics) = build(
        "[4](claim:four \"because: three\") [3](claim:three \"because: four\") \
         [0.9](claim:x \"because: four; ± 0.1\") [0.8444](claim:y)",
    );
    assert_eq!(codes(&diagnostics), ["circular-claim"], "once for both");
    assert_eq!(diagnostics[0].related.len(), 1);
    let words: Vec<&str> = document.claims.iter().map(|claim| claim.verdict.word()).collect();
    assert_eq!(words, ["error", "error", "error", "verified"]);
}

#[test]
fn what_is_quoted_is_compared_whatever_came_of_the_value() {
    verdicts(&[
        ("[0.8755](claim:y \"± 0.04; quotes x\")", "verified"),
        ("[0.8765](claim:y \"± 0.04; quotes x\")", "error"),
        ("[−0.8755](claim:y \"± 2; quotes x\")", "error"),
        ("[0.8755](claim:y \"± 0.01; quotes x\")", "refuted"),
        // Nothing is known of the value on the real data, but the figure is quoted wrongly.
        ("[0.8755](claim:y \"± 0.04; quotes x; on octmnist\")", "unverified"),
        ("[0.8557](claim:y \"± 0.04; quotes x; on octmnist\")", "error"),
        ("[0.8557](claim:y \"refuted; ± 0.001; quotes x\")", "error"),
        ("[0.8755](claim:y \"± 0.04; quotes\")", "error"),
        ("[0.8755](claim:y \"± 0.04; quotes x; quotes y\")", "error"),
        ("[0.8755](claim:y \"± 0.04; quotes nobody\")", "error"),
        ("[0.8755](claim:y \"± 0.04; quotes yes\")", "error"),
    ]);
    assert_eq!(judged("[0.8755](claim:y \"± 0.04; quotes x\")").relation, "± 0.04; quotes x");
}

#[test]
fn digits_that_a_tolerance_leaves_open_are_told() {
    let codes = |prose: &str| -> Vec<&str> {
        let (_, diagnostics) = build(prose);
        diagnostics.iter().map(|found| found.code).collect()
    };
    for (prose, is_told) in [
        ("[0.88](claim:x \"± 0.015\")", false),
        ("[0.8755](claim:x \"± 0.0009\")", false),
        ("[0.8755](claim:x \"± 0.001\")", true),
        ("[0.8755](claim:x \"± 1 %\")", true),
        ("[0.8755](claim:x \"± 0.1; quotes x\")", false),
        ("[4](claim:four \"± 1\")", false),
        ("[40](claim:four \"± 39; refuted\")", false),
        ("[41](claim:four \"± 39; refuted\")", true),
    ] {
        assert_eq!(codes(prose) == ["loose-tolerance"], is_told, "{prose}: {:?}", codes(prose));
    }
}

#[test]
fn each_cell_makes_the_claim_that_belongs_there() {
    let of = |rows: &str, attribute: &str| {
        let table = format!(
            "| of | x | y |\n|---|---|---|\n{rows}\n\n: T {{#tbl-t cells=\"{attribute}\"}}"
        );
        let (document, _) = build(&table);
        let claim = document.claims.iter().find(|claim| claim.name == "tbl-t");
        claim.expect("the table makes a claim").verdict.clone()
    };
    let (x, y) = ("[0.8755](claim:x)", "**[0.8444](claim:y)**");
    let row = |cells: [&str; 2]| format!("| a | {} | {} |", cells[0], cells[1]);
    assert_eq!(of(&row([x, y]), "-; x; y"), Verdict::Verified);
    assert_eq!(of(&row([x, "0.8444"]), "-; x; -"), Verdict::Verified);
    let wrong = "row 1, `x`: the cell claims `y` where `x` belongs";
    assert_eq!(of(&row([y, x]), "-; x; y"), Verdict::Refuted(wrong.into()));
    assert_eq!(of(&row([x, "0.8444"]), "-; x; y").word(), "refuted");
    assert_eq!(of(&row([x, &format!("{y} {x}")]), "-; x; y").word(), "refuted");
    assert_eq!(of(&row([x, y]), "-; x").word(), "error");
    assert_eq!(of(&row([x, y]), "-; x; y / -; x; y").word(), "error");
    assert_eq!(of(&row(["1", "2"]), "-; -; -").word(), "vacuous");

    // A name is one of this chapter, also if it stands with it, and never one of another.
    let own = "[0.8755](claim:1/x)";
    assert_eq!(of(&row([own, y]), "-; x; 1/y"), Verdict::Verified);
    assert_eq!(of(&row(["[0.8755](claim:2/x)", y]), "-; x; y").word(), "refuted");
    assert_eq!(of(&row([x, y]), "-; 2/x; y").word(), "refuted");

    // The first cell may stand in the names, and each row may have its own.
    let three =
        |first: &str| format!("| three | [3](claim:{first}) | |\n| four | [4](claim:four) | |");
    assert_eq!(of(&three("three"), "-; *; -"), Verdict::Verified);
    assert_eq!(of(&three("three"), "-; three; - / -; four; -"), Verdict::Verified);
    assert_eq!(of(&three("three"), "-; four; - / -; three; -").word(), "refuted");
    assert_eq!(of(&three("four"), "-; *; -").word(), "refuted");
}

#[test]
fn bold_is_best_and_the_last_is_the_total() {
    let of = |rows: &str, attribute: &str| {
        let table =
            format!("| net | test | loss |\n|---|---|---|\n{rows}\n\n: T {{#tbl-t {attribute}}}");
        let (document, _) = build(&table);
        let [claim] = document.claims.as_slice() else { panic!("one claim: {rows}") };
        claim.verdict.word()
    };
    let best = "best=\"test: max; loss: min\"";
    assert_eq!(of("| a | **0.82** | **0.3** |\n| b | 0.80 | 0.4 |", best), "verified");
    assert_eq!(of("| a | **0.80** | **0.3** |\n| b | 0.82 | 0.4 |", best), "refuted");
    assert_eq!(of("| a | **0.82** | 0.3 |\n| b | 0.80 | 0.4 |", best), "refuted");
    assert_eq!(of("| a | **0.82** | **0.3** |\n| b | **0.80** | 0.4 |", best), "refuted");
    assert_eq!(of("| a | **0.82** | **0.3** |\n| b | **0.82** | 0.4 |", best), "verified");
    assert_eq!(of("| a | **0.82** | **0.3** |\n| b | 0.82 | 0.4 |", best), "refuted");
    assert_eq!(of("| a | **2** | **4** |\n| b | 1 | 3 |", "best=\"max\""), "verified");
    assert_eq!(of("| a | **2** | 4 |\n| b | 1 | **3** |", "best=\"max\""), "refuted");
    assert_eq!(of("| a | **2** | **4** |", "best=\"max\""), "vacuous");
    assert_eq!(of("| a | **2** | 4 |\n| b | 1 | 3 |", "best=\"tset: max\""), "error");
    assert_eq!(of("| a | **2** | 4 |\n| b | 1 | 3 |", "best=\"large\""), "error");
    assert_eq!(of("| a | 2 | 4 |\n| b | 1 | 3 |\n| all | 3 | 7 |", "total=\"row\""), "verified");
    assert_eq!(of("| a | 2 | 4 |\n| b | 1 | 3 |\n| all | 3 | 8 |", "total=\"row\""), "refuted");
    assert_eq!(of("| a | 1 | 4 |\n| b | 1 | 3 |\n| all | 3 | 7 |", "total=\"row\""), "refuted");
    assert_eq!(of("| a | 2 | 2 |\n| b | 1 | 1 |", "total=\"column\""), "verified");
    assert_eq!(of("| a | 2 | 2 |\n| b | 1 | 2 |", "total=\"column\""), "refuted");
    assert_eq!(
        of("| a | 0.33 | 1 |\n| b | 0.67 | 2 |\n| c | 1.01 | 3 |", "total=\"row\""),
        "verified"
    );
    assert_eq!(
        of("| a | 0.33 | 1 |\n| b | 0.67 | 2 |\n| c | 1.03 | 3 |", "total=\"row\""),
        "refuted"
    );
    for (rows, attribute) in [
        ("| a | 1 000 | 1 |\n| b | **900** | 2 |\n| c | 800 | 3 |", "best=\"test: max\""),
        ("| a | 1 000 | **2** |\n| b | **900** | 1 |", "best=\"max\""),
        ("| a | **0.8 ± 0.1** | **2** |\n| b | 0.9 ± 0.1 | 1 |", "best=\"max\""),
        ("| a | {{ three }} | **2** |\n| b | **1** | 1 |", "best=\"max\""),
        ("| 5 | 3K | 5 |\n| 2 | 2 | 4 |", "total=\"column\""),
        ("| a | {{ three }} | 2 |\n| b | 1 | 1 |", "total=\"column\""),
        ("| a | 1K | 2 |\n| b | 1 | 2 |", "total=\"row\""),
    ] {
        assert_eq!(of(rows, attribute), "error", "{rows} {attribute}");
    }
    let labelled = "| 1–2 | **2** | **2** |\n| 3–4 | 1 | 1 |";
    assert_eq!(of(labelled, "total=\"column\""), "verified");
    assert_eq!(of(labelled, "best=\"max\""), "verified");
}

fn coverage(prose: &str) -> Coverage {
    build(prose).0.coverage.remove(0)
}

fn bare(prose: &str) -> Vec<String> {
    coverage(prose).uncovered.iter().map(|span| span.text().to_owned()).collect()
}

#[test]
fn every_number_is_backed_exempt_or_uncovered() {
    let found = coverage(
        "It has [3](claim:three) of {{ four }} and 28 more, [12](exempt: \"months of a year\").\n\n\
         | a | 5 |\n|---|---|\n| [4](claim:four) | 6.5 |\n\n> - Of 7%, see Table 3, 12.05.2024, 1.2.3.\n",
    );
    assert_eq!((found.claimed, found.values), (2, 1));
    let exempt: Vec<_> =
        found.exempt.iter().map(|it| (it.span.text(), it.reason.as_str(), it.by)).collect();
    assert_eq!(
        exempt,
        [
            ("12", "months of a year", Authority::Author),
            ("3", "the number of a place", Authority::Form),
            ("12.05.2024", "a date", Authority::Form),
            ("1.2.3", "a version", Authority::Form)
        ]
    );
    let bare: Vec<_> =
        found.uncovered.iter().map(|span| (span.text().to_owned(), span.to_string())).collect();
    let bare: Vec<_> = bare.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        bare,
        [("28", "1.md:7:43"), ("5", "1.md:9:7"), ("6.5", "1.md:11:21"), ("7", "1.md:13:8")]
    );
    assert_eq!(percent(found.covered(), found.needed()), 42);
}

#[test]
fn numbers_in_words_are_compared() {
    let told = format!("{:?}", judged("[88 %](claim:x)").verdict);
    assert!(told.contains("compared exactly, so print decimals"), "{told}");
    verdicts(&[
        ("[three](claim:three)", "verified"),
        ("[Four](claim:three)", "refuted"),
        ("[zero](claim:zero)", "verified"),
        ("[one](claim:three)", "refuted"),
        ("[the three or four](claim:three)", "error"),
        ("[the two are 3](claim:three)", "verified"),
        ("[two are 3](claim:three)", "error"),
        ("[at most four](claim:three \"<= 4\")", "verified"),
        ("[at most five](claim:three \"<= 4\")", "error"),
        ("[more than three](claim:three)", "error"),
        ("[minus three](claim:three)", "refuted"),
        ("[three](claim:three \"± 5\")", "vacuous"),
        ("[all four hold](claim:yes)", "verified"),
        ("[three million](claim:three)", "refuted"),
        ("[3 million](claim:three)", "refuted"),
        ("[five times 3](claim:three)", "error"),
        ("[a half of 3](claim:three)", "error"),
        ("[three quarters](claim:three)", "refuted"),
        ("[three](claim:three) quarters", "error"),
        ("[3 and a half](claim:three)", "error"),
        ("[about three times](claim:three)", "verified"),
        // Beside the link.
        ("[3](claim:three) million", "error"),
        ("*[3](claim:three)* thousand", "error"),
        ("[three](claim:three) hundred", "error"),
        ("twenty-[three](claim:three)", "error"),
        ("twice [3](claim:three)", "error"),
        ("It is not [3](claim:three).", "error"),
        ("Is it or not? [3](claim:three)", "verified"),
        ("It is not [4](claim:three \"refuted\").", "refuted"),
        ("[3](claim:three)k", "error"),
        ("five times [three](claim:three)", "error"),
        ("half of [3](claim:three)", "error"),
        ("half of the [3](claim:three) heads", "verified"),
        ("three times as many as [three](claim:three)", "error"),
        ("all [three](claim:three) heads, four of them", "verified"),
    ]);
}

#[test]
fn numbers_in_words_are_those_of_the_language() {
    let chapter = format!(
        "# A\n{CELL}\n[drei](claim:three) von dreizehn, nicht [three](claim:three) von six\n"
    );
    let report = Report { language: Some("de"), ..Report::of(&chapter) };
    let (document, _) = report.cell("1/cell-1", values([("three", integer(3))])).build();
    let verdicts: Vec<&str> = document.claims.iter().map(|it| it.verdict.word()).collect();
    assert_eq!(verdicts, ["verified", "error"]);
    let bare: Vec<&str> = document.coverage[0].uncovered.iter().map(|it| it.text()).collect();
    assert_eq!(bare, ["dreizehn"]);
    // A language whose words are not known has none of another, such as the Dutch "ten".
    let report =
        Report { language: Some("nl"), ..Report::of("# A\n\nten vierde, ten hoogste 5\n") };
    let (document, _) = report.build();
    assert_eq!(document.coverage[0].uncovered.len(), 1);
}

#[test]
fn a_number_in_the_marks_of_the_language_is_one() {
    let prose = "[5 050](claim:n), 5.050.000 und 0,82 und 1'000-mal und 12 100 und 5 000-mal; in 3 128-Bit-Netzen {{ x }}.";
    let bare = |language| {
        let report =
            Report { language: Some(language), ..Report::of(&format!("# A\n{CELL}\n{prose}\n")) };
        let output = values([("n", integer(5050)), ("x", float(0.5))]);
        let (document, _) = report.cell("1/cell-1", output).build();
        let found = &document.coverage[0];
        let bare: Vec<String> = found.uncovered.iter().map(|it| it.text().to_owned()).collect();
        (found.claimed, bare.join("; "))
    };
    assert_eq!(bare("de"), (1, "5.050.000; 0,82; 1'000; 12 100; 5 000; 3; 128".into()));
    assert_eq!(bare("en").0, 2);
}

#[test]
fn numbers_in_words_are_backed_exempt_or_uncovered() {
    let found = coverage(
        "It has [three](claim:three) of twenty-one, [Four](claim:four), [twelve](exempt: \"months\"), \
         {{ four }} and **thirteen** in Chapter Five.\n\n\
         | six | 5 million |\n|---|---|\n| seven | [all eight](claim:yes) |\n",
    );
    assert_eq!((found.claimed, found.values, found.by_author().count()), (2, 1, 1));
    let places: Vec<_> =
        found.uncovered.iter().map(|it| (it.text().to_owned(), it.to_string())).collect();
    let places: Vec<_> = places.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        places,
        [
            ("twenty-one", "1.md:7:32"),
            ("thirteen", "1.md:7:109"),
            ("six", "1.md:9:3"),
            ("5", "1.md:9:9"),
            ("seven", "1.md:11:3"),
            ("eight", "1.md:11:16")
        ]
    );
    assert_eq!(
        bare(
            "Of nine&nbsp;rows, ten/eleven and twenty‑one, a dozen or 5&nbsp;million are two dozen.\n"
        ),
        ["nine", "ten", "eleven", "twenty‑one", "a dozen", "5", "two dozen"]
    );
    assert_eq!(bare("Of &#8722;30, AT&T; &#57; or a & 7.\n"), ["30", "57", "7"]);
    // Grammar, ordinals, parts of other words, code, what is meant loosely.
    let none = "One of the two first three-sided ones, no `four`, three quarters, several hundred, tens.\n";
    assert_eq!(bare(none), Vec::<String>::new());
}

#[test]
fn digits_of_other_scripts_and_fractions_are_numbers() {
    assert_eq!(bare("Of ９９, ٢٢ and ½ m² of CO₂, x⁵.\n"), ["９９", "٢٢", "½"]);
}

#[test]
fn a_formula_is_evaluated_or_listed() {
    let found = coverage(
        "Of $x$, $\\boldsymbol{x}^{\\top}$ and $4$: $x^2 + 1$, $n =$ [3](claim:three), $2 n$.\n\n\
         [$a^2 b$](claim:four \"at a = 2, b = 1\") but [$a < 3$](claim:yes).\n\n$$ y = \\sqrt{2} x $$\n\n\
         ```rust,cell\n//| caption: Of $k + 1$.\n1;\n```\n",
    );
    let formulas: Vec<&str> = found.formulas.iter().map(|span| span.text().trim()).collect();
    assert_eq!(formulas, ["x^2 + 1", "2 n", "a < 3", "y = \\sqrt{2} x", "k + 1"]);
    // A bound, or a number beside it, is compared with the value, but the formula is not; a name that
    // is said to be the number is.
    let found = coverage(
        "[$a \\times b$ products](claim:four \">= 2\"), [$b = 4$](claim:four), [$a^2 = 4$](claim:four), \
         [$ab = 4$](claim:four), [$c_0 \\le 4$](claim:four \"<= 4\").\n",
    );
    let formulas: Vec<&str> = found.formulas.iter().map(|span| span.text().trim()).collect();
    assert_eq!(formulas, ["a \\times b", "a^2 = 4", "ab = 4"]);
}

#[test]
fn a_formula_in_words_has_the_macros_of_its_chapter() {
    let chapter = format!(
        "---\nmacros:\n  '\\len': 'a'\n---\n# A\n{CELL}\n[$\\len^2$](claim:x \"at a = 2\")\n"
    );
    let (document, _) = Report::of(&chapter).cell("1/cell-1", values([("x", integer(4))])).build();
    assert_eq!(document.claims[0].verdict, Verdict::Verified);
}

#[test]
fn a_formula_in_words_gives_the_value_at_a_point() {
    let of = |claim: &str| build(claim).0.claims[0].verdict.word();
    assert_eq!(of("[$a^2 b$](claim:four \"at a = 2, b = 1\")"), "verified");
    assert_eq!(of("[$a^3 b$](claim:four \"at a = 2, b = 1\")"), "refuted");
    assert_eq!(of("[$a^3 b$](claim:four \"refuted; at a = 2, b = 1\")"), "refuted");
    assert_eq!(of("[$a^2$](claim:four \"at a = 2, b = 1\")"), "error");
    assert_eq!(of("[$a^2$](claim:four \"at a\")"), "error");
    assert_eq!(of("[some $a^2$](claim:four \"at a = 2\")"), "error");
    assert_eq!(of("[$a^2$](claim:yes \"at a = 2\")"), "error");
    assert_eq!(of("[$a^2$](claim:four \"minus three; at a = 2\")"), "error");
    assert_eq!(of("[$a^2$](claim:four \"at a = 2, ± 4\")"), "vacuous");
    assert_eq!(of("[$4 < a^3$](claim:four \"at a = 2\")"), "error");
    // One formula, and nothing beside it that a reader takes for a part of it or that TeX leaves out.
    assert_eq!(of("[ $a^2$ ](claim:four \"at a = 2\")"), "verified");
    for words in ["$a$ % $+ 5$", "$a$ $+ 5$", "~~$a$~~", "a", "$a$ {{ four }}", "$a$ [@key]"] {
        assert_ne!(of(&format!("[{words}](claim:four \"at a = 4\")")), "verified", "{words}");
    }
    assert_eq!(of("[$a$](claim:four \"at a = 3.95, ± 2 %\")"), "verified");
    assert_eq!(of("[$a$](claim:four \"at a = 3.9, ± 2 %\")"), "refuted");
    assert_eq!(of("[$a$](claim:four \"at a = 4, a = 5\")"), "error");
}

#[test]
fn what_no_reader_takes_for_a_number_is_not_counted() {
    for prose in [
        "ResNet-18 and L2 and 2D and x_1",
        "`28` and $x_1 + 2$ and $L = 64$",
        "in 2017, and on 2024-05-01, on 3 May, May 5, 2020",
        "dfdx 0.13.0 and Section 3, Figure 2.1, p. 7",
        "1. first\n2. second",
        "[@key, p. 3] and @fig-1 and <https://a.b/28>",
        "```text\n28\n```",
        "```rust,cell\n//| label: fig-3\n//| timeout: 30\n28;\n```",
        "[a](https://a.b/28 \"29\")",
        "two and twice",
    ] {
        assert_eq!(bare(prose), Vec::<String>::new(), "{prose}");
    }
}

#[test]
fn what_hides_a_number_does_not_cover_it() {
    for (prose, expected) in [
        ("in 2048 steps", vec!["2048"]),
        ("2048 and 1950", vec!["2048", "1950"]),
        ("$224892$ and $-6$ and $12.5\\,\\%$", vec!["$224892$", "$-6$"]),
        ("[in 3 steps](claim:yes)", vec!["3"]),
        ("[12](exempt: \"\")", vec!["12"]),
        ("[12](exempt:)", vec!["12"]),
        ("1.2e-3, 1,000 and 3/4", vec!["1.2e-3", "1,000", "3", "4"]),
        ("2-5 of **7**", vec!["2", "5", "7"]),
        ("the 529ths", vec!["529"]),
        ("# Of 8 heads", vec!["8"]),
        ("a[^n]\n\n[^n]: of 9", vec!["9"]),
        (
            "```rust,cell\n//| label: tbl-x\n//| caption: Of 10,\n//|   and 11.\n1;\n```",
            vec!["10", "11"],
        ),
    ] {
        let found = bare(prose);
        let found: Vec<&str> = found.iter().map(|text| text.trim_matches('$')).collect();
        let expected: Vec<&str> =
            expected.iter().map(|text| text.trim_matches(['$', '-'])).collect();
        assert!(expected.iter().all(|text| found.contains(text)), "{prose}: {found:?}");
    }
    let (_, diagnostics) = build("[12](exempt:)");
    assert_eq!(diagnostics[0].code, "exempt-without-reason");
}

#[test]
fn a_number_in_words_that_a_check_holds_for_is_compared_with_nothing() {
    let passed = artifacts([Artifact::Check(check("agree", CheckStatus::Passed, &[]))]);
    let text = format!("# A\n{CELL}\n[They agree on 13 cases](claim:agree).\n");
    let (document, _) = Report::of(&text).cell("1/cell-1", passed).build();
    assert_eq!(document.claims[0].verdict, Verdict::Verified);
    assert_eq!(document.coverage[0].uncovered[0].text(), "13");
}
