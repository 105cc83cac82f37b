//! What a build found, for the terminal.

use std::fmt::Write as _;

use crate::claims::{Expected, Judged, Standing, Verdict};
use crate::diag::{Diagnostic, Severity, printable};
use crate::document::{Document, Inline};

/// A diagnostic for every claim that is not as expected.
pub(super) fn claims(document: &Document) -> Vec<Diagnostic> {
    document
        .claims
        .iter()
        .filter(|claim| claim.standing() == Standing::Bad)
        // A claim in error was reported where it was judged.
        .filter(|claim| !matches!(claim.verdict, Verdict::Error(_)))
        .map(problem)
        .collect()
}

fn problem(claim: &Judged) -> Diagnostic {
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
    diagnostic
}

/// A line for each chapter with claims, and one for all.
pub(super) fn words(document: &Document) -> String {
    let mut words = String::new();
    for chapter in &document.chapters {
        let claims: Vec<&Judged> =
            document.claims.iter().filter(|claim| claim.chapter == chapter.slug).collect();
        if !claims.is_empty() {
            let title = printable(&plain(&chapter.title));
            let _ = writeln!(words, "{} {title}: {}", chapter.number, counts(&claims));
        }
    }
    if document.claims.is_empty() {
        words.push_str("no claims\n");
    }
    words
}

fn counts(claims: &[&Judged]) -> String {
    let kinds: [(&str, &str, fn(&Judged) -> bool); 6] = [
        ("verified", "\x1b[32m", |claim| {
            claim.verdict == Verdict::Verified && claim.expected == Expected::Verified
        }),
        ("refuted as expected", "\x1b[32m", |claim| {
            matches!(claim.verdict, Verdict::Refuted(_)) && claim.expected == Expected::Refuted
        }),
        ("unverified", "\x1b[33m", |claim| matches!(claim.verdict, Verdict::Unverified(..))),
        ("refuted", "\x1b[31m", |claim| {
            matches!(claim.verdict, Verdict::Refuted(_)) && claim.expected == Expected::Verified
        }),
        ("not refuted", "\x1b[31m", |claim| {
            claim.verdict == Verdict::Verified && claim.expected == Expected::Refuted
        }),
        ("vacuous or in error", "\x1b[31m", |claim| {
            matches!(claim.verdict, Verdict::Vacuous(_) | Verdict::Error(_))
        }),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .map(|(word, color, is)| (word, color, claims.iter().filter(|claim| is(claim)).count()))
        .filter(|(_, _, count)| *count > 0)
        .map(|(word, color, count)| format!("{color}{count} {word}\x1b[0m"))
        .collect();
    let noun = if claims.len() == 1 { "claim" } else { "claims" };
    format!("{} {noun}, {}", claims.len(), parts.join(", "))
}

/// The words of a title.
pub(super) fn plain(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text(text) | Inline::Code(text) => text.clone(),
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strikethrough(inner) => {
                plain(inner)
            }
            Inline::Link { content, .. }
            | Inline::Jump { content, .. }
            | Inline::Claim { content, .. } => plain(content),
            Inline::Math(math) => math.latex().to_owned(),
            Inline::SoftBreak | Inline::HardBreak => " ".to_owned(),
            Inline::Value { text, .. } => text.clone(),
            _ => String::new(),
        })
        .collect()
}
