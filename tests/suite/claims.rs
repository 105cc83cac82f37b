//! Verdicts: what the prose says against what cells published.

use veracity::claims::{Expected, Judged, Reason, Standing, Verdict};
use veracity::diag::Diagnostic;
use veracity::exec::CellStatus;
use veracity_protocol::{Artifact, CheckStatus, DataKind, DataUse, Value};

use crate::scripted::{Report, artifacts, check, float, integer, values};

const CELL: &str = "\n```rust,cell\nlab::value(\"x\", 1);\n```\n";

/// Judges one line of prose whose cell published `x`.
fn claim(line: &str, value: Value) -> (Judged, Vec<Diagnostic>) {
    let report =
        Report::of(&format!("# A\n{CELL}\n{line}\n")).cell("1/cell-1", values([("x", value)]));
    let (mut document, diagnostics) = report.build();
    assert_eq!(document.claims.len(), 1, "{line}");
    (document.claims.remove(0), diagnostics)
}

fn word(line: &str, value: Value) -> &'static str {
    claim(line, value).0.verdict.word()
}

#[test]
fn a_verdict_for_every_kind_of_value() {
    let rational = || Value::Rational { numerator: "7".into(), denominator: "3".into() };
    let text = || Value::Text { value: "AdamW".into() };
    let series = || Value::Series { values: Vec::new() };
    let yes = |value| Value::Bool { value };
    for (line, value, expected) in [
        ("It has [224,892 parameters](claim:x).", integer(224_892), "verified"),
        ("It has [224892](claim:x).", integer(224_893), "refuted"),
        ("It is [0.8204](claim:x).", float(0.82041), "verified"),
        ("It is [$8.2 \\times 10^{-1}$](claim:x).", float(0.82041), "verified"),
        ("It is [7/3](claim:x).", rational(), "verified"),
        ("It is [2.33](claim:x).", rational(), "verified"),
        ("It is [2.34](claim:x).", rational(), "refuted"),
        ("It is [high](claim:x \">= 0.75\").", float(0.8), "verified"),
        ("It is [above 0.75](claim:x \"> 0.75\").", float(0.75), "refuted"),
        ("It is [0.8](claim:x \"± 0.015\").", float(0.81), "verified"),
        ("It is [0.8](claim:x).", float(f64::NAN), "error"),
        ("It is [0.8](claim:x \"± 5\").", float(f64::INFINITY), "error"),
        ("[It converges in 3 steps](claim:x).", yes(true), "verified"),
        ("[It converges](claim:x).", yes(false), "refuted"),
        ("[It converges](claim:x \"> 1\").", yes(true), "error"),
        ("It uses [AdamW](claim:x).", text(), "verified"),
        ("It uses [Adam](claim:x).", text(), "refuted"),
        ("It falls to [0.5](claim:x).", series(), "error"),
        ("It has [many](claim:x).", integer(5), "error"),
        ("It has [1 of 2](claim:x).", integer(1), "error"),
        ("It has [5](claim:x \"roughly\").", integer(5), "error"),
        ("It has [5](claim:y).", integer(5), "error"),
        ("It has [5](claim:1/x).", integer(5), "verified"),
        ("It has [5](claim:2/x).", integer(5), "error"),
        ("It has [{{ x }}](claim:x).", integer(5), "vacuous"),
        ("It has [5](claim:x \"quotes x\").", integer(5), "vacuous"),
        ("It has [{{ x | fixed(5) }}](claim:x \"± 1\").", integer(5), "vacuous"),
        ("It has [{{ x }}](claim:x \">= 2\").", integer(5), "verified"),
        ("By @eq-1 it has [5 as in @sec-b](claim:x).", integer(5), "verified"),
    ] {
        assert_eq!(word(line, value), expected, "{line}");
    }
}

#[test]
fn the_ledger_has_the_text_as_it_is_read() {
    let (judged, _) = claim("## B {#sec-b}\n\n[about *5* in @sec-b, {{ x }}](claim:x)", integer(5));
    assert_eq!(judged.text, "about 5 in Section\u{a0}1.1, 5");
    assert_eq!(judged.verdict, Verdict::Verified);
}

#[test]
fn a_bad_claim_is_told_at_its_place() {
    let (judged, diagnostics) = claim("It has [5](claim:xx).", integer(5));
    assert_eq!(judged.standing(), Standing::Bad);
    let [found] = diagnostics.as_slice() else { panic!("{diagnostics:?}") };
    assert_eq!(found.code, "unknown-claim");
    assert_eq!(found.span.as_ref().map(ToString::to_string), Some("1.md:7:8".into()));

    let (judged, diagnostics) = claim("It has [5](claim:x).", integer(6));
    assert_eq!(judged.verdict, Verdict::Refuted("the value is 6".into()));
    assert_eq!(judged.value.as_deref(), Some("6"));
    assert_eq!(diagnostics, []);
    assert_eq!(judged.relation, "= (exact)");
    assert_eq!(judged.id, "1/x");
    let provenance = judged.provenance.expect("a refuted claim names its cell");
    assert_eq!((provenance.cell.as_str(), provenance.key.as_str()), ("cell-1", "0123"));
}

#[test]
fn a_claim_that_is_known_to_be_wrong_must_be_wrong() {
    let (judged, diagnostics) = claim("They say [5](claim:x \"refuted\").", integer(6));
    assert_eq!((judged.expected, judged.standing()), (Expected::Refuted, Standing::Good));
    assert!(diagnostics.is_empty());

    let (judged, _) = claim("They say [5](claim:x \"refuted\").", integer(5));
    assert_eq!(judged.standing(), Standing::Bad);

    let (judged, _) = claim("They say [many](claim:x \"refuted\").", integer(5));
    assert_eq!(judged.standing(), Standing::Bad);
    let (judged, _) = claim("They say [5](claim:x \"refuted\").", float(f64::NAN));
    assert_eq!(judged.standing(), Standing::Bad, "NaN contradicts nothing");
    assert_eq!(word("They say [5](claim:x \"refuted; ± 1\").", integer(6)), "verified");
}

#[test]
fn a_claim_on_a_data_set_needs_the_real_data() {
    let of = |line: &str, data: Option<(&str, DataKind)>| {
        let mut output = values([("x", float(0.8))]);
        output.values[0].data =
            data.map(|(name, kind)| DataUse { name: name.into(), digest: "d1".into(), kind });
        let report = Report::of(&format!("# A\n{CELL}\n{line}\n")).cell("1/cell-1", output);
        let (document, diagnostics) = report.build();
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        document.claims[0].clone()
    };
    let right = "It is [0.82](claim:x \"± 0.02; on octmnist\").";
    let real = of(right, Some(("octmnist", DataKind::Real)));
    assert_eq!((real.verdict, real.relation.as_str()), (Verdict::Verified, "± 0.02; on octmnist"));
    for (data, words) in [
        (Some(("octmnist", DataKind::Subset)), "`x` was computed on a subset of `octmnist`"),
        (
            Some(("octmnist", DataKind::Synthetic)),
            "`x` was computed on synthetic data in the place of `octmnist`",
        ),
        (
            Some(("esc50", DataKind::Real)),
            "`x` was computed on `esc50` (real) and not on `octmnist`",
        ),
        (
            None,
            "`x` names no data, and this is claimed on `octmnist`; `lab::value(…).data(…)` names \
             them",
        ),
    ] {
        let wrong = "It is [0.5](claim:x \"on octmnist\").";
        let quoted = "It is [0.5](claim:x \"refuted; on octmnist\").";
        for line in [right, wrong, quoted] {
            let judged = of(line, data);
            assert_eq!(judged.verdict, Verdict::Unverified(Reason::NeedsData, words.into()));
            assert_eq!(judged.standing(), Standing::Open);
        }
    }
    let real = Some(("octmnist", DataKind::Real));
    assert_eq!(of("It is [0.5](claim:x \"on octmnist\").", real).standing(), Standing::Bad);
    let quoted = of("It is [0.5](claim:x \"refuted; on octmnist\").", real);
    assert_eq!(quoted.standing(), Standing::Good);

    let line = "[They agree](claim:agree \"on octmnist\").";
    let check = artifacts([Artifact::Check(check("agree", CheckStatus::Passed, &[]))]);
    let report = Report::of(&format!("# A\n{CELL}\n{line}")).cell("1/cell-1", check);
    assert_eq!(report.build().0.claims[0].verdict.word(), "error");
}

#[test]
fn checks_are_claims_without_numbers() {
    let of = |line: &str, status, cases| {
        let mut check = check("agree", status, &[]);
        check.cases = cases;
        let report = Report::of(&format!("# A\n{CELL}\n{line}"));
        let (document, _) = report.cell("1/cell-1", artifacts([Artifact::Check(check)])).build();
        document.claims[0].clone()
    };
    use CheckStatus::{Failed, Passed};
    assert_eq!(of("[They agree](claim:agree).", Passed, 3).verdict, Verdict::Verified);
    assert_eq!(
        of("[They agree](claim:agree).", Failed, 3).verdict,
        Verdict::Refuted("counterexample: D = 2: 6 and 7".into())
    );
    assert_eq!(of("[They agree](claim:agree).", Passed, 0).verdict.word(), "vacuous");
    for denial in ["false", "wrong", "no", "that they agree is false"] {
        let line = format!("It is [{denial}](claim:agree).");
        assert_eq!(of(&line, Passed, 3).verdict.word(), "error", "{denial}");
    }
    assert_eq!(of("[They agree](claim:agree \"refuted\").", Failed, 3).standing(), Standing::Good);
    assert_eq!(of("[They agree](claim:agree \"refuted\").", Failed, 0).standing(), Standing::Bad);
    assert_eq!(of("[They agree](claim:agree \">= 1\").", Passed, 3).verdict.word(), "error");
    let value = of("[They agree](claim:agree).", Passed, 3).value;
    assert_eq!(value.as_deref(), Some("passed, tested on 3 cases"));
}

#[test]
fn a_formula_is_claimed_by_a_check_that_evaluated_it() {
    let of = |attributes: &str, equations: &[&str], status| {
        let report = Report::of(&format!("# A\n{CELL}\n$$ M = D + 1 $$ {{{attributes}}}\n"));
        let check = Artifact::Check(check("agree", status, equations));
        let (document, _) = report.cell("1/cell-1", artifacts([check])).build();
        (document.claims[0].verdict.word(), document.claims[0].standing())
    };
    use CheckStatus::{Failed, Passed};
    let sound = "#eq-m claim=\"agree\"";
    assert_eq!(of(sound, &["eq-m"], Passed), ("verified", Standing::Good));
    assert_eq!(of(sound, &["eq-m"], Failed), ("refuted", Standing::Bad));
    assert_eq!(of(sound, &["eq-n"], Passed), ("vacuous", Standing::Bad));
    assert_eq!(of(sound, &[], Failed), ("vacuous", Standing::Bad));
    assert_eq!(of("claim=\"agree\"", &["eq-m"], Passed).0, "error");
    let wrong = "#eq-m claim=\"agree\" relation=\"refuted\"";
    assert_eq!(of(wrong, &["eq-m"], Failed), ("refuted", Standing::Good));
    assert_eq!(of(wrong, &["eq-m"], Passed), ("verified", Standing::Bad));
}

#[test]
fn a_value_that_was_not_computed_is_open_and_not_wrong() {
    let text = "# A\n```rust,cell\nlab::value(\"a\", 1);\n```\n\n```rust,cell\nlab::value(\"b\", 1);\n\
                lab::value(name, 1);\n```\n\n[1](claim:a) [1](claim:b) [1](claim:c)\n";
    let needs = CellStatus::NotRun(Reason::NeedsData, "octmnist is not at hand".into());
    let (document, diagnostics) = Report::of(text)
        .cell("1/cell-1", values([("a", integer(1))]))
        .status("1/cell-2", needs)
        .build();
    let verdicts: Vec<&Verdict> = document.claims.iter().map(|claim| &claim.verdict).collect();
    let open = Verdict::Unverified(Reason::NeedsData, "octmnist is not at hand".into());
    assert_eq!(verdicts, [&Verdict::Verified, &open, &open]);
    let cell = |index: usize| document.claims[index].provenance.as_ref().map(|p| p.cell.as_str());
    assert_eq!((cell(0), cell(1), cell(2)), (Some("cell-1"), Some("cell-2"), None));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");

    let failure = Diagnostic::global("panic", "index out of bounds");
    let (document, _) = Report::of(text)
        .status("1/cell-1", CellStatus::Failed(failure))
        .status("1/cell-2", CellStatus::NotRun(Reason::Blocked, "cell `cell-1` failed".into()))
        .build();
    for claim in &document.claims {
        assert!(matches!(claim.verdict, Verdict::Unverified(Reason::Blocked, _)), "{claim:?}");
    }
    assert_eq!(document.chapters[0].problems, ["Cell `cell-1` failed: index out of bounds"]);
}

#[test]
fn a_mistyped_name_does_not_hide_behind_a_cell_that_did_not_run() {
    let text = "# A\n```rust,cell\nlab::value(\"accuracy\", 1);\n```\n\n[1](claim:acuracy)\n";
    let needs = CellStatus::NotRun(Reason::NeedsData, "octmnist is not at hand".into());
    let (document, diagnostics) = Report::of(text).status("1/cell-1", needs).build();
    assert_eq!(document.claims[0].verdict.word(), "error");
    assert_eq!(diagnostics[0].code, "unknown-claim");
}

#[test]
fn names_are_found_in_their_chapter_first() {
    let chapter =
        "# A\n```rust,cell\n1;\n```\n\n[1](claim:x) [2](claim:2/x) [3](claim:y)\n\n[4](claim:z)\n";
    let (document, diagnostics) = Report::of(chapter)
        .chapter("2.md", "# B\n```rust,cell\n2;\n```\n")
        .chapter("3.md", "# C\n```rust,cell\n3;\n```\n")
        .cell("1/cell-1", values([("x", integer(1))]))
        .cell("2/cell-1", values([("x", integer(2)), ("y", integer(3)), ("z", integer(4))]))
        .cell("3/cell-1", values([("z", integer(4))]))
        .build();
    let words: Vec<&str> = document.claims.iter().map(|claim| claim.verdict.word()).collect();
    assert_eq!(words, ["verified", "verified", "verified", "error"]);
    let ids: Vec<&str> = document.claims.iter().map(|claim| claim.id.as_str()).collect();
    assert_eq!(ids, ["1/x", "1/x#2", "1/y", "1/z"]);
    assert!(diagnostics[0].message.contains("2/z, 3/z"), "{diagnostics:?}");
}

/// A small generator; the values only need to be varied.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn any_change_of_a_printed_number_turns_the_verdict() {
    let mut random = Random(42);
    let mut lines = String::new();
    let mut published = Vec::new();
    let mut expected = Vec::new();
    for case in 0..300 {
        let name: &'static str = format!("v{case}").leak();
        let decimals = 1 + random.below(6);
        // One digit more than is printed, and never a tie.
        let scale = 10_i64.pow(u32::try_from(decimals + 1).expect("small"));
        let digit = [1, 2, 3, 4, 6, 7, 8, 9][usize::try_from(random.below(8)).expect("small")];
        let size = i64::try_from(random.below(2_000_000)).expect("small") * 10 + digit;
        let sign = if random.below(2) == 0 { -1 } else { 1 };
        published.push((
            name,
            Value::Rational {
                numerator: (sign * size).to_string(),
                denominator: scale.to_string(),
            },
        ));
        let rounded = if digit > 5 { size / 10 + 1 } else { size / 10 };
        let print = |sign: i64, number: i64| {
            let digits =
                format!("{number:0>width$}", width = usize::try_from(decimals).expect("small") + 1);
            let (whole, fraction) =
                digits.split_at(digits.len() - usize::try_from(decimals).expect("small"));
            format!("{}{whole}.{fraction}", if sign < 0 { "−" } else { "" })
        };
        let right = print(sign, rounded);
        let other = print(sign, rounded + 1);
        for (text, relation, verdict) in [
            (right.clone(), String::new(), "verified"),
            (right.clone(), "refuted".into(), "verified"),
            (other.clone(), String::new(), "refuted"),
            (print(sign, (rounded + 2).max(0)), String::new(), "refuted"),
            (right.clone(), "!= 12345678".into(), "error"),
            (right.clone(), format!("!= {right}"), "verified"),
            (other, format!(">= {right}"), "error"),
        ] {
            lines.push_str(&format!("[about {text}](claim:{name} \"{relation}\")\n\n"));
            expected.push((text, relation, verdict));
        }
        if rounded != 0 {
            lines.push_str(&format!("[{}](claim:{name})\n\n", print(-sign, rounded)));
            expected.push((print(-sign, rounded), String::new(), "refuted"));
        }
    }
    let report = Report::of(&format!("# A\n{CELL}\n{lines}"));
    let (document, _) = report.cell("1/cell-1", values(published)).build();
    assert_eq!(document.claims.len(), expected.len());
    for (claim, (text, relation, verdict)) in document.claims.iter().zip(expected) {
        assert_eq!(claim.verdict.word(), verdict, "{text} {relation} {claim:?}");
    }
}

#[test]
fn any_change_of_a_relation_turns_the_verdict() {
    let mut random = Random(7);
    let mut lines = String::new();
    let mut published = Vec::new();
    let mut expected = Vec::new();
    for case in 0..200 {
        let name: &'static str = format!("v{case}").leak();
        let size = |number: u64| i64::try_from(number).expect("small");
        let value = size(random.below(2_001)) - 1_000;
        // One case in four lies on the bound itself.
        let bound = if random.below(4) == 0 { value } else { size(random.below(2_001)) - 1_000 };
        published.push((name, integer(value)));
        let off = (value - bound).abs();
        for (relation, holds) in [
            (format!(">= {bound}"), value >= bound),
            (format!("< {bound}"), value < bound),
            (format!("> {bound}"), value > bound),
            (format!("<= {bound}"), value <= bound),
            (format!("!= {bound}"), value != bound),
            (format!("± {off}"), true),
            (format!("± {}.9", off - 1), off == 0),
            (String::new(), value == bound),
        ] {
            // A tolerance as large as its number is no comparison.
            let is_vacuous = relation.starts_with('±') && off >= bound.abs() && bound != 0;
            if relation.contains("-1.9") || is_vacuous {
                continue;
            }
            for title in [relation.clone(), format!("{relation}; refuted")] {
                lines.push_str(&format!("[{bound}](claim:{name} \"{title}\")\n\n"));
                expected.push((title, if holds { "verified" } else { "refuted" }));
            }
        }
    }
    let report = Report::of(&format!("# A\n{CELL}\n{lines}"));
    let (document, _) = report.cell("1/cell-1", values(published)).build();
    assert_eq!(document.claims.len(), expected.len());
    for (claim, (title, verdict)) in document.claims.iter().zip(expected) {
        assert_eq!(claim.verdict.word(), verdict, "{title} {claim:?}");
        let is_right = (verdict == "refuted") == title.ends_with("refuted");
        assert_eq!(claim.standing() == Standing::Good, is_right, "{title} {claim:?}");
    }
}

#[test]
fn what_a_reader_sees_as_one_number_is_claimed_as_one() {
    for line in [
        "It is −[5](claim:x).",
        "It is (-[5](claim:x)).",
        "It is -**[5](claim:x)**.",
        "It is [5](claim:x)0.",
        "It is 1[5](claim:x).",
        "It is [5](claim:x).5 long.",
        "It is 1.[5](claim:x) long.",
        "It is [5](claim:x)½.",
        "It is [5](claim:x)².",
        "It is √[5](claim:x).",
        "It is $-$[5](claim:x).",
        "It is [5](claim:x)$^2$.",
        "It is [5](claim:x)$!$.",
        "It is 10^[5](claim:x).",
        "It is [5½](claim:x).",
        "It is [5５](claim:x).",
        "It is [more than 5](claim:x).",
        "It is [$\\neq 5$](claim:x).",
    ] {
        assert_eq!(word(line, integer(5)), "error", "{line}");
    }
    for line in [
        "It is [5](claim:x).",
        "From 2–[5](claim:x).",
        "- [5](claim:x)",
        "It is [5](claim:x)[^a].\n\n[^a]: Or so.",
        "| a |\n|---|\n| **[5](claim:x)** |",
        "A ResNet-[5](claim:x).",
        "It is [5](claim:x)$\\,L$!",
        "It is $x -$ [5](claim:x)!",
        "It is [no fewer than 5](claim:x).",
    ] {
        assert_eq!(word(line, integer(5)), "verified", "{line}");
    }
    assert_eq!(word("It is [\u{2011}5](claim:x).", integer(-5)), "verified");
}
