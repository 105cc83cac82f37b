//! Claims on paper: the badge beside a claim, the overview on the first page and the appendix
//! that lists all of them.
//!
//! In: judged claims. Out: Typst expressions. Left out: durations, which differ between builds.

use std::fmt::Write as _;

use crate::claims::{Judged, OnDevice, Standing, Verdict};
use crate::coverage::percent;
use crate::document::{Chapter, Document};
use crate::mutate::reasons::Reason;
use crate::render::lattice::{Drawing, HEIGHT, INSET, SMALL, TEXT, WIDTH};
use crate::render::look::{self, Look, Shared};
use crate::span::Span;
use crate::words::{Word, Words};

use super::emit::Emitter;
use super::text::{Space, quoted};

/// Label of a claim's entry in the ledger.
pub(super) fn entry_label(index: usize) -> String {
    quoted(&format!("ledger entry {index}"))
}

/// The arguments of the template that choose a badge: standing, mark and words.
pub(super) fn badge(claim: &Judged, words: Words) -> String {
    let look = Look::of(claim);
    format!("{}, \"{}\"", mark(look), look.word(words))
}

/// The arguments of the template that choose a mark: standing and the sign itself.
pub(super) fn mark(look: Look) -> String {
    format!("\"{}\", \"{}\"", standing(look.standing()), look.sign())
}

/// The name under which the template knows a standing.
fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Good => "good",
        Standing::Open => "open",
        Standing::Bad => "bad",
    }
}

/// The outcome of a report and what its marks mean, for the first page.
pub(super) fn overview(document: &Document) -> String {
    if document.claims.is_empty() {
        return "none".to_owned();
    }
    let words = document.words();
    let (worst, outcome) = look::outcome(document);
    let mut code =
        format!("(standing: \"{}\", outcome: {}, counts: (", standing(worst), quoted(&outcome));
    for (look, count) in look::counts(&document.claims) {
        let (mark, word) = (mark(look), quoted(&format!("{count} {}", look.word(words))));
        let _ = write!(code, "({mark}, {word}, {}), ", quoted(look.meaning(words)));
    }
    let _ = write!(code, "), about: {})", quoted(words.get(Word::ClaimsAreOnPaper)));
    code
}

/// The appendix: every claim, what follows from what, and the coverage.
pub(super) fn appendix(emitter: &mut Emitter<'_>) -> [String; 3] {
    let document = emitter.document;
    let claims = &document.claims;
    let words = document.words();
    let counts: Vec<String> = look::counts(claims)
        .into_iter()
        .map(|(look, count)| format!("{count} {}", look.word(words)))
        .collect();
    let mut lead = format!("{}: {}.", words.claims(claims.len()), counts.join("; "));
    let shared = Shared::of(claims);
    if let Some(setting) = shared.words(words) {
        let _ = write!(lead, " {setting}");
    }
    let mut code = emitter.back_matter(1, words.get(Word::Ledger));
    let heads = [Word::Claim, Word::ValueAndRelation, Word::VerdictAndOrigin]
        .map(|word| quoted(&words.head(word)));
    let _ = writeln!(code, "par({})\nr.ledger(({}),", emitter.shown(&lead), heads.join(", "));
    for chapter in &document.chapters {
        code.push_str(&group(emitter, chapter, shared));
    }
    code.push(')');
    [code, lattice(emitter), coverage(emitter)]
}

/// Which claims follow from which, drawn and in words; nothing if none does.
fn lattice(emitter: &mut Emitter<'_>) -> String {
    let claims = &emitter.document.claims;
    let Some(drawing) = Drawing::of(claims, &emitter.index) else { return String::new() };
    let words = emitter.document.words();
    let mut code = emitter.back_matter(2, words.get(Word::Lattice));
    let _ = write!(
        code,
        "par({})\nr.graph({}, {}, (",
        emitter.shown(words.get(Word::StaleMeans)),
        drawing.width,
        drawing.height,
    );
    for curve in &drawing.curves {
        let _ = write!(code, "(\"{}\", (", standing(claims[curve.from].standing()));
        for (x, y) in &curve.points {
            let _ = write!(code, "({x}, {y}), ");
        }
        code.push_str(")), ");
    }
    let _ = write!(code, "), ({WIDTH}, {HEIGHT}, {INSET}, {TEXT}, {SMALL}), (");
    for node in &drawing.boxes {
        let claim = &claims[node.claim];
        let (look, (x, y)) = (Look::of(claim), node.at);
        let said = emitter.shown(&node.words);
        let place = match emitter.is_known(&claim.anchor) {
            true => quoted(&claim.anchor),
            false => "none".to_owned(),
        };
        let _ =
            write!(code, "({x}, {y}, {place}, {said}, {}, \"{}\"), ", mark(look), look.word(words));
    }
    code.push_str("))\n");
    for (at, claim) in claims.iter().enumerate().filter(|(_, claim)| !claim.because.is_empty()) {
        let verdict = Look::of(claim).word(words);
        let parts = [&claim.id, verdict, &claim.because.join(", ")];
        let reasons = words.with(Word::FollowsFrom, parts);
        let _ = writeln!(code, "par({} + \" \" + {})", emitter.said(at), emitter.shown(&reasons));
    }
    code
}

/// Which numbers of the prose are backed, a line for each chapter, and those that are not.
fn coverage(emitter: &mut Emitter<'_>) -> String {
    let document = emitter.document;
    let words = document.words();
    let mut code = String::new();
    let places = |spans: Vec<(&Span, &str)>| -> String {
        let of = |(span, why): (&Span, &str)| format!("{} ({span}{why})", span.text());
        spans.into_iter().map(of).collect::<Vec<_>>().join("; ")
    };
    for chapter in document.coverage.iter().filter(|it| it.needed() + it.exempt.len() > 0) {
        let share = percent(chapter.covered(), chapter.needed()).to_string();
        let counts = [chapter.covered(), chapter.needed(), chapter.claimed, chapter.values];
        let [covered, needed, claimed, values] = counts.map(|it| it.to_string());
        let mut told = words.with(
            Word::CoverageOf,
            [&chapter.chapter, &covered, &needed, &share, &claimed, &values],
        );
        if !chapter.uncovered.is_empty() {
            let bare = chapter.uncovered.iter().map(|span| (span, "")).collect();
            let _ = write!(told, " {}: {}.", words.head(Word::Uncovered), places(bare));
        }
        if chapter.by_author().next().is_some() {
            let reasons: Vec<(&Span, String)> =
                chapter.by_author().map(|it| (&it.span, format!(": {}", it.reason))).collect();
            let exempt = reasons.iter().map(|(span, why)| (*span, why.as_str())).collect();
            let _ = write!(told, " {}: {}.", words.head(Word::Exempt), places(exempt));
        }
        if !chapter.formulas.is_empty() {
            let _ = write!(told, " {}.", words.bare_formulas(chapter.formulas.len()));
        }
        if !chapter.unnoticed.is_empty() {
            let of = |it: &Reason| format!("{} ({})", it.words, it.code);
            let reasons: Vec<String> = chapter.unnoticed.iter().map(of).collect();
            let _ = write!(told, " {}: {}.", words.get(Word::Unnoticed), reasons.join("; "));
        }
        let _ = writeln!(code, "r.remark({})", emitter.shown(&told));
    }
    code
}

/// The claims of a chapter; `shared` is given above all.
fn group(emitter: &mut Emitter<'_>, chapter: &Chapter, shared: Shared<'_>) -> String {
    let document = emitter.document;
    let entries: String = (document.claims.iter().enumerate())
        .filter(|(_, claim)| claim.chapter == chapter.slug)
        .map(|(index, claim)| entry(emitter, index, claim, shared))
        .collect();
    if entries.is_empty() {
        return String::new();
    }
    let number = emitter.shown(&chapter.number);
    let title = emitter.title(&chapter.number, &chapter.title);
    let slug = emitter.shown(&format!("{}/", chapter.slug));
    format!("r.entry-group({number}, {title}, {slug}),\n{entries}")
}

fn entry(emitter: &mut Emitter<'_>, index: usize, claim: &Judged, shared: Shared<'_>) -> String {
    let words = emitter.document.words();
    let mut code = format!("r.entry(label: {}, ", entry_label(index));
    let mut set = |name: &str, value: String| {
        let _ = write!(code, "{name}: {value}, ");
    };
    set("id", emitter.shown(look::local_id(claim)));
    if emitter.is_known(&claim.anchor) {
        set("place", quoted(&claim.anchor));
    }
    set("words", emitter.said(index));
    set("length", claim.text.len().to_string());
    set("formula", emitter.index.formulas(index).is_some().to_string());
    set("relation", emitter.shown(&claim.relation));
    if let Some(value) = &claim.value {
        let value = match &claim.unit {
            Some(unit) => format!("{value} {unit}"),
            None => value.clone(),
        };
        set("value", emitter.shown(&value));
    }
    set("verdict", format!("r.badge({})", badge(claim, words)));
    let detail = match &claim.verdict {
        Verdict::Unverified(reason, detail) if detail.is_empty() => {
            look::reason(*reason, words).to_owned()
        }
        Verdict::Unverified(reason, detail) => {
            format!("{}: {detail}", look::reason(*reason, words))
        }
        verdict => verdict.detail().to_owned(),
    };
    let devices = claim.elsewhere().map(OnDevice::words);
    let detail: Vec<String> = devices.chain([detail]).filter(|words| !words.is_empty()).collect();
    let detail = detail.join("; ");
    if !detail.is_empty() {
        set("detail", emitter.shown(&detail));
    }
    set("basis", format!("({})", basis(emitter, claim, shared)));
    code.push_str("),\n");
    code
}

fn basis(emitter: &mut Emitter<'_>, claim: &Judged, shared: Shared<'_>) -> String {
    let Some(from) = &claim.provenance else {
        return String::new();
    };
    let words = emitter.document.words();
    let name = emitter.index.cell_name(claim, from);
    let cell = emitter.shown(&name);
    let page = if emitter.is_known(&from.anchor) {
        format!("\", \" + r.page-link({})", quoted(&from.anchor))
    } else {
        "[]".to_owned()
    };
    let mut lines = vec![format!("{} + {page}", emitter.jump(&from.anchor, cell))];
    if shared.setting.is_none() {
        lines.push(emitter.shown(&format!("{}, {}", from.profile, from.device)));
    }
    if let Some(data) = &from.data {
        let (word, kind) = (words.get(Word::Data), look::kind(data.kind, words));
        let digest = look::digest(&data.digest);
        lines.push(emitter.shown(&format!("{word}: {} ({kind}, {digest})", data.name)));
    }
    if let Some(seed) = from.seed.filter(|_| shared.seed.is_none()) {
        lines.push(emitter.shown(&format!("{} {seed}", words.get(Word::Seed))));
    }
    lines.iter().map(|line| format!("{line}, ")).collect()
}

impl Emitter<'_> {
    fn shown(&mut self, text: &str) -> String {
        self.text.shown(text, Space::Running)
    }
}
