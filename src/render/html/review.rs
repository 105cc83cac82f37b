//! `assets/claims.js`: what the reviewer's view shows of each claim.
//!
//! In: judged claims and the code behind them. Out: one assignment of JSON, because pages that
//! are opened as files can load scripts and nothing else. Left out: durations, which differ
//! between builds of the same sources.

use std::collections::BTreeMap;

use serde::Serialize;

use super::page_name;
use crate::claims::{Expected, Judged, Provenance};
use crate::data::kind_word;
use crate::document::{Document, plain_text};
use crate::evidence::Evidence;
use crate::render::look::{Index, Look};
use crate::words::Words;

#[derive(Serialize)]
struct File<'a> {
    version: u32,
    report: &'a str,
    chapters: Vec<Chapter<'a>>,
    claims: Vec<Claim<'a>>,
    chains: BTreeMap<&'a str, Chain<'a>>,
    passages: Vec<Passage<'a>>,
}

#[derive(Serialize)]
struct Chapter<'a> {
    slug: &'a str,
    title: String,
}

#[derive(Serialize)]
struct Claim<'a> {
    id: &'a str,
    anchor: &'a str,
    page: String,
    chapter: &'a str,
    place: String,
    text: &'a str,
    relation: &'a str,
    expected: Option<&'static str>,
    look: &'static str,
    standing: &'static str,
    verdict: &'static str,
    detail: &'a str,
    value: Option<&'a str>,
    unit: Option<&'a str>,
    because: &'a [String],
    formulas: &'a [String],
    from: Option<From<'a>>,
    again: String,
    state: String,
}

#[derive(Serialize)]
struct From<'a> {
    cell: String,
    anchor: &'a str,
    page: String,
    device: &'a str,
    profile: &'a str,
    data: Option<[&'a str; 3]>,
    seed: Option<String>,
    key: &'a str,
}

#[derive(Serialize)]
struct Chain<'a> {
    cell: usize,
    builds_on: &'a [usize],
    uses: &'a [usize],
}

#[derive(Serialize)]
struct Passage<'a> {
    place: &'a str,
    code: &'a str,
}

/// The script for all claims of a report.
pub(super) fn script(document: &Document, evidence: &Evidence, index: &Index<'_>) -> String {
    let chapter = |chapter: &'_ crate::document::Chapter| {
        format!("{} {}", chapter.number, plain_text(&chapter.title)).trim().to_owned()
    };
    let words = document.words();
    let file = File {
        version: 1,
        report: &document.title,
        chapters: (document.chapters.iter())
            .map(|it| Chapter { slug: &it.slug, title: chapter(it) })
            .collect(),
        claims: document.claims.iter().map(|it| claim(it, evidence, index, words)).collect(),
        chains: (evidence.chains.iter())
            .map(|(anchor, it)| {
                let (builds_on, uses) = (it.builds_on.as_slice(), it.uses.as_slice());
                (anchor.as_str(), Chain { cell: it.cell, builds_on, uses })
            })
            .collect(),
        passages: (evidence.passages.iter())
            .map(|it| Passage { place: &it.place, code: &it.code })
            .collect(),
    };
    let json = serde_json::to_string(&file).expect("strings and numbers are JSON");
    format!("window.veracityClaims = {json};\n")
}

fn claim<'a>(
    claim: &'a Judged,
    evidence: &'a Evidence,
    index: &Index<'_>,
    words: Words,
) -> Claim<'a> {
    let look = Look::of(claim);
    Claim {
        id: &claim.id,
        anchor: &claim.anchor,
        page: page_name(&claim.chapter),
        chapter: &claim.chapter,
        place: claim.span.to_string(),
        text: &claim.text,
        relation: &claim.relation,
        expected: (claim.expected == Expected::Refuted)
            .then_some("refuted: quoted because it is wrong"),
        look: look.class(),
        standing: super::claims::standing(claim.standing()),
        verdict: look.word(words),
        detail: claim.verdict.detail(),
        value: claim.value.as_deref(),
        unit: claim.unit.as_deref(),
        because: &claim.because,
        formulas: evidence.formulas.get(&claim.id).map_or(&[], Vec::as_slice),
        from: claim.provenance.as_ref().map(|from| self::from(claim, from, index)),
        again: evidence.again(claim),
        state: state(claim),
    }
}

fn from<'a>(claim: &Judged, from: &'a Provenance, index: &Index<'_>) -> From<'a> {
    From {
        cell: index.cell_name(claim, from),
        anchor: &from.anchor,
        page: page_name(&from.chapter),
        device: &from.device,
        profile: &from.profile,
        data: from.data.as_ref().map(|it| [it.name.as_str(), kind_word(it.kind), &it.digest]),
        // A number of 64 bits is more than a script's numbers hold.
        seed: from.seed.map(|seed| seed.to_string()),
        key: &from.key,
    }
}

/// Digest of what a comment on a claim is about: what it says and what was found.
fn state(claim: &Judged) -> String {
    let about = (&claim.text, &claim.relation, claim.expected, &claim.value, &claim.unit);
    let digest = blake3::hash(format!("{about:?} {}", claim.verdict.word()).as_bytes());
    digest.to_hex()[..16].to_owned()
}
