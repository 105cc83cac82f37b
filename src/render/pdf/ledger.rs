//! Claims on paper: the badge beside a claim and the appendix that lists all of them.
//!
//! In: judged claims. Out: Typst expressions. Left out: durations, which differ between builds.

use std::fmt::Write as _;

use veracity_protocol::DataKind;

use crate::claims::{Expected, Judged, Standing, Verdict};

use super::emit::Emitter;
use super::text::{Space, quoted};

/// Label of a claim's entry in the ledger.
pub(super) fn entry_label(index: usize) -> String {
    quoted(&format!("ledger entry {index}"))
}

/// The arguments of the template that choose a badge: standing, mark and words.
pub(super) fn badge(claim: &Judged) -> String {
    format!("\"{}\", \"{}\", \"{}\"", standing(claim), mark(&claim.verdict), words(claim))
}

/// The name under which the template knows a standing.
pub(super) fn standing(claim: &Judged) -> &'static str {
    match claim.standing() {
        Standing::Good => "good",
        Standing::Open => "open",
        Standing::Bad => "bad",
    }
}

/// A sign that tells verdicts apart without colour.
pub(super) fn mark(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "✓",
        Verdict::Refuted(_) => "✗",
        Verdict::Unverified(..) => "○",
        Verdict::Vacuous(_) => "∅",
        Verdict::Error(_) => "!",
    }
}

fn words(claim: &Judged) -> &'static str {
    match (&claim.verdict, claim.expected) {
        (Verdict::Refuted(_), Expected::Refuted) => "refuted as expected",
        (Verdict::Verified, Expected::Refuted) => "verified, expected refuted",
        (verdict, _) => verdict.word(),
    }
}

/// The appendix with every claim.
pub(super) fn appendix(emitter: &mut Emitter<'_>, claims: &[Judged]) -> String {
    let mut code = String::from("r.unlisted(1, none, \"Claim ledger\")\n");
    let _ = writeln!(code, "par({})", quoted(&summary(claims)));
    code.push_str("r.ledger(\n");
    for (index, claim) in claims.iter().enumerate() {
        code.push_str(&entry(emitter, index, claim));
    }
    code.push_str(")\n");
    code
}

fn summary(claims: &[Judged]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for claim in claims {
        match counts.iter_mut().find(|(word, _)| *word == words(claim)) {
            Some((_, count)) => *count += 1,
            None => counts.push((words(claim), 1)),
        }
    }
    let counts: Vec<String> =
        counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let noun = if claims.len() == 1 { "claim" } else { "claims" };
    format!("{} {noun}: {}.", claims.len(), counts.join("; "))
}

fn entry(emitter: &mut Emitter<'_>, index: usize, claim: &Judged) -> String {
    let mut code = format!("r.entry(label: {}, ", entry_label(index));
    let mut set = |name: &str, value: String| {
        let _ = write!(code, "{name}: {value}, ");
    };
    set("id", emitter.shown(&claim.id));
    if emitter.is_known(&claim.anchor) {
        set("place", quoted(&claim.anchor));
    }
    set("words", emitter.shown(&claim.text));
    set("relation", emitter.shown(&claim.relation));
    if let Some(value) = &claim.value {
        let value = match &claim.unit {
            Some(unit) => format!("{value} {unit}"),
            None => value.clone(),
        };
        set("value", emitter.shown(&value));
    }
    set("verdict", format!("r.badge({})", badge(claim)));
    let detail = match &claim.verdict {
        Verdict::Unverified(reason, detail) if detail.is_empty() => reason.word().to_owned(),
        Verdict::Unverified(reason, detail) => format!("{}: {detail}", reason.word()),
        verdict => verdict.detail().to_owned(),
    };
    if !detail.is_empty() {
        set("detail", emitter.shown(&detail));
    }
    set("basis", format!("({})", basis(emitter, claim)));
    code.push_str("),\n");
    code
}

fn basis(emitter: &mut Emitter<'_>, claim: &Judged) -> String {
    let Some(provenance) = &claim.provenance else {
        return String::new();
    };
    let cell = emitter.shown(&format!("{} / {}", provenance.chapter, provenance.cell));
    let mut lines = vec![emitter.jump(&provenance.anchor, cell)];
    lines.push(emitter.shown(&format!("{}, {}", provenance.device, provenance.profile)));
    if let Some(data) = &provenance.data {
        let kind = match data.kind {
            DataKind::Real => "real",
            DataKind::Subset => "subset",
            DataKind::Synthetic => "synthetic",
        };
        let digest: String = data.digest.chars().take(8).collect();
        lines.push(emitter.shown(&format!("data: {} ({kind}, {digest})", data.name)));
    }
    if let Some(seed) = provenance.seed {
        lines.push(emitter.shown(&format!("seed {seed}")));
    }
    lines.iter().map(|line| format!("{line}, ")).collect()
}

impl Emitter<'_> {
    fn shown(&mut self, text: &str) -> String {
        self.text.shown(text, Space::Running)
    }
}
