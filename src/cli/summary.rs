//! What a build found, for the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::claims::{Expected, Judged, Standing, Verdict};
use crate::coverage::percent;
use crate::diag::{Diagnostic, Severity, printable};
use crate::document::{Document, plain_text};

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const RESET: &str = "\x1b[0m";

/// A diagnostic for every claim that is not as expected.
pub(super) fn claims(document: &Document) -> Vec<Diagnostic> {
    document.claims.iter().filter_map(problem).collect()
}

/// A diagnostic for a claim that is not as expected. One in error was reported where it was judged.
pub(super) fn problem(claim: &Judged) -> Option<Diagnostic> {
    if claim.standing() != Standing::Bad || matches!(claim.verdict, Verdict::Error(_)) {
        return None;
    }
    let (code, message) = match (&claim.verdict, claim.expected) {
        (Verdict::Verified, _) => (
            "claim-not-refuted",
            format!("this claim is said to be wrong, but the code agrees with it: {}", claim.id),
        ),
        (Verdict::Vacuous(_), _) => {
            ("claim-vacuous", format!("nothing was checked for this claim: {}", claim.id))
        }
        _ => ("claim-refuted", format!("the code disagrees with this claim: {}", claim.id)),
    };
    let mut diagnostic = Diagnostic::error(code, message, claim.span.clone())
        .hint(format!("`veracity explain {}` shows how it was judged", claim.id));
    diagnostic.severity = Severity::Error;
    if !claim.verdict.detail().is_empty() {
        diagnostic = diagnostic.label(claim.verdict.detail());
    }
    Some(diagnostic)
}

/// A diagnostic for every claim that could not be checked, which is a failure under `--strict`.
pub(super) fn unchecked(document: &Document) -> Vec<Diagnostic> {
    let open = document.claims.iter().filter(|claim| claim.standing() == Standing::Open);
    open.map(|claim| {
        let words = format!("this claim was not checked, which --strict asks for: {}", claim.id);
        let found = Diagnostic::error("claim-unverified", words, claim.span.clone())
            .hint(format!("`veracity explain {}` tells what it needs", claim.id));
        match claim.verdict.detail() {
            "" => found,
            detail => found.label(detail),
        }
    })
    .collect()
}

/// A line for each chapter with claims, and one for all.
pub(super) fn words(document: &Document) -> String {
    let mut words = String::new();
    for chapter in &document.chapters {
        let claims: Vec<&Judged> =
            document.claims.iter().filter(|claim| claim.chapter == chapter.slug).collect();
        if !claims.is_empty() {
            let title = printable(&plain_text(&chapter.title));
            let _ = writeln!(words, "{} {title}: {}", chapter.number, counts(&claims));
        }
    }
    if document.claims.is_empty() {
        words.push_str("no claims\n");
    }
    for coverage in &document.coverage {
        if coverage.needed() > 0 {
            let share = percent(coverage.covered(), coverage.needed());
            let by_author = coverage.by_author().count();
            let _ = writeln!(
                words,
                "coverage of {}: {share} % of {} numbers; {} uncovered, {by_author} exempt by the \
                 author",
                coverage.chapter,
                coverage.needed(),
                coverage.uncovered.len()
            );
        }
    }
    words
}

/// For each chapter of whose numbers fewer than `least` per cent are backed, a diagnostic, and one
/// for each number that nothing backs.
pub(super) fn uncovered(document: &Document, least: usize) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for chapter in &document.coverage {
        let (covered, needed) = (chapter.covered(), chapter.needed());
        let share = percent(covered, needed);
        if share >= least {
            continue;
        }
        let words = format!(
            "{share} % of the numbers in `{}` are backed ({covered} of {needed}), and {least} % \
             are required",
            chapter.chapter
        );
        let hint = |number: &str| {
            format!(
                "bind a number by `[{number}](claim:name)`, or say why it needs no evidence by \
                 `[{number}](exempt: \"reason\")`"
            )
        };
        problems.push(Diagnostic::global("coverage", words).hint(hint("28")));
        problems.extend(chapter.uncovered.iter().map(|span| {
            let number = span.text();
            let words = format!("nothing backs the number `{number}`");
            Diagnostic::error("uncovered-number", words, span.clone()).hint(hint(number))
        }));
    }
    problems
}

fn counts(claims: &[&Judged]) -> String {
    let mut kinds: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for claim in claims {
        let kind = match (&claim.verdict, claim.expected) {
            (Verdict::Verified, Expected::Verified) => (0, "verified"),
            (Verdict::Refuted(_), Expected::Refuted) => (1, "refuted as expected"),
            (Verdict::Unverified(..), _) => (2, "unverified"),
            (Verdict::Refuted(_), Expected::Verified) => (3, "refuted"),
            (Verdict::Verified, Expected::Refuted) => (4, "not refuted"),
            (Verdict::Vacuous(_) | Verdict::Error(_), _) => (5, "vacuous or in error"),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    let parts: Vec<String> = kinds
        .into_iter()
        .map(|((order, word), count)| {
            let color = match order {
                0 | 1 => GREEN,
                2 => YELLOW,
                _ => RED,
            };
            format!("{color}{count} {word}{RESET}")
        })
        .collect();
    let noun = if claims.len() == 1 { "claim" } else { "claims" };
    format!("{} {noun}, {}", claims.len(), parts.join(", "))
}
