//! `claims.json`: the ledger for machines.
//!
//! In: judged claims. Out: JSON whose form is a promise to other programs, see the field
//! names below and `version`. It has durations, and so may differ between two clean builds of the
//! same sources.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use veracity_protocol::DataUse;

use crate::claims::{self, Expected, Judged, Reason, Standing, Verdict};
use crate::coverage::{Authority, Coverage, Exempt, percent};
use crate::data::kind_word;
use crate::document::{self, Block, Document};
use crate::passages;
use crate::record;
use crate::span::Span;

/// Version of the form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct File<'a> {
    version: u32,
    report: Report<'a>,
    environment: BTreeMap<&'a str, &'a str>,
    claims: Vec<Claim<'a>>,
    coverage: Vec<Chapter<'a>>,
    /// Digests of what cells put out, by `chapter/cell`.
    cells: &'a BTreeMap<String, record::Cell>,
    /// Version of how the passages are made.
    passages_version: u32,
    /// What the report says.
    passages: Vec<Number<'a>>,
    /// Digests of the files that were read for it, as they were.
    sources: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Chapter<'a> {
    chapter: &'a str,
    claimed: usize,
    values: usize,
    exempt: Vec<Number<'a>>,
    uncovered: Vec<Number<'a>>,
    /// Formulas that nothing evaluates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    formulas: Vec<Number<'a>>,
    /// Code of which changes may go unnoticed, by the author's word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unnoticed: Vec<Number<'a>>,
    /// Backed numbers, in per cent of all that need it, rounded down.
    percent: usize,
}

#[derive(Serialize)]
struct Number<'a> {
    text: &'a str,
    path: &'a str,
    line: usize,
    column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
}

#[derive(Serialize)]
struct Report<'a> {
    title: &'a str,
    language: &'a str,
    chapters: Vec<&'a str>,
}

#[derive(Serialize)]
struct Claim<'a> {
    id: &'a str,
    chapter: &'a str,
    path: &'a str,
    line: usize,
    column: usize,
    text: &'a str,
    relation: &'a str,
    expected: &'static str,
    verdict: &'static str,
    reason: Option<&'static str>,
    detail: Option<&'a str>,
    as_expected: Option<bool>,
    value: Option<&'a str>,
    unit: Option<&'a str>,
    cell: Option<String>,
    device: Option<&'a str>,
    profile: Option<&'a str>,
    dataset: Option<Dataset<'a>>,
    seed: Option<u64>,
    duration_ms: Option<u64>,
    key: Option<&'a str>,
    /// Whether the value depends on the clock.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    measured: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    because: &'a [String],
    /// What was found on each device on which it must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<OnDevice<'a>>,
}

#[derive(Serialize)]
struct OnDevice<'a> {
    device: &'a str,
    verdict: &'static str,
    detail: Option<&'a str>,
    value: Option<&'a str>,
    difference: Option<&'a str>,
    key: Option<&'a str>,
}

#[derive(Serialize)]
struct Dataset<'a> {
    name: &'a str,
    digest: &'a str,
    kind: &'static str,
}

/// Writes all claims of a report as JSON, with the digests of what its cells put out and a newline at the end.
pub fn json(document: &Document, cells: &BTreeMap<String, record::Cell>) -> String {
    let blocks = document.chapters.iter().flat_map(document::Chapter::all_blocks);
    let measured: BTreeSet<&str> = blocks
        .filter_map(|block| match block {
            Block::Cell(cell) if cell.measured => Some(cell.anchor.as_str()),
            _ => None,
        })
        .collect();
    let file = File {
        version: VERSION,
        report: Report {
            title: &document.title,
            language: &document.language,
            chapters: document.chapters.iter().map(|chapter| chapter.slug.as_str()).collect(),
        },
        environment: document
            .environment
            .iter()
            .map(|(name, words)| (name.as_str(), words.as_str()))
            .collect(),
        claims: document.claims.iter().map(|it| claim(it, &measured)).collect(),
        coverage: document.coverage.iter().map(chapter).collect(),
        cells,
        passages_version: passages::VERSION,
        passages: document
            .passages
            .iter()
            .map(|it| Number { text: &it.text, ..number(&it.span) })
            .collect(),
        sources: &document.sources,
    };
    let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers are JSON");
    text.push('\n');
    text
}

fn claim<'a>(judged: &'a Judged, measured: &BTreeSet<&str>) -> Claim<'a> {
    let position = judged.span.position();
    let from = judged.provenance.as_ref();
    Claim {
        id: &judged.id,
        chapter: &judged.chapter,
        path: judged.span.source.path(),
        line: position.line,
        column: position.column,
        text: &judged.text,
        relation: &judged.relation,
        expected: match judged.expected {
            Expected::Verified => "verified",
            Expected::Refuted => "refuted",
        },
        verdict: judged.verdict.word(),
        reason: reason(&judged.verdict).map(Reason::word),
        detail: Some(judged.verdict.detail()).filter(|detail| !detail.is_empty()),
        as_expected: match judged.standing() {
            Standing::Good => Some(true),
            Standing::Open => None,
            Standing::Bad => Some(false),
        },
        value: judged.value.as_deref(),
        unit: judged.unit.as_deref(),
        cell: from.map(|from| format!("{}/{}", from.chapter, from.cell)),
        device: from.map(|from| from.device.as_str()),
        profile: from.map(|from| from.profile.as_str()),
        dataset: from.and_then(|from| from.data.as_ref()).map(dataset),
        seed: from.and_then(|from| from.seed),
        // A cell that comes out of a record took no time.
        duration_ms: from.map(|from| from.duration_ms).filter(|ms| *ms > 0),
        key: from.map(|from| from.key.as_str()),
        measured: from.is_some_and(|from| measured.contains(from.anchor.as_str())),
        because: &judged.because,
        devices: judged.devices.iter().map(on_device).collect(),
    }
}

fn on_device(found: &claims::OnDevice) -> OnDevice<'_> {
    OnDevice {
        device: &found.device,
        verdict: found.verdict.word(),
        detail: Some(found.verdict.detail()).filter(|detail| !detail.is_empty()),
        value: found.value.as_deref(),
        difference: found.difference.as_deref(),
        key: found.key.as_deref(),
    }
}

fn chapter(coverage: &Coverage) -> Chapter<'_> {
    let exempt = |exempt: &'_ Exempt| match exempt.by {
        Authority::Form => "form",
        Authority::Author => "author",
    };
    Chapter {
        chapter: &coverage.chapter,
        claimed: coverage.claimed,
        values: coverage.values,
        exempt: coverage
            .exempt
            .iter()
            .map(|it| Number { reason: Some(&it.reason), by: Some(exempt(it)), ..number(&it.span) })
            .collect(),
        uncovered: coverage.uncovered.iter().map(number).collect(),
        formulas: coverage
            .formulas
            .iter()
            .map(|it| Number {
                text: it.text().trim(),
                reason: Some("nothing evaluates this formula"),
                ..number(it)
            })
            .collect(),
        unnoticed: coverage
            .unnoticed
            .iter()
            .map(|it| Number { text: it.first_line(), reason: Some(&it.words), ..number(&it.code) })
            .collect(),
        percent: percent(coverage.covered(), coverage.needed()),
    }
}

fn number(span: &Span) -> Number<'_> {
    let position = span.position();
    Number {
        text: span.text(),
        path: span.source.path(),
        line: position.line,
        column: position.column,
        reason: None,
        by: None,
    }
}

fn reason(verdict: &Verdict) -> Option<Reason> {
    match verdict {
        Verdict::Unverified(reason, _) => Some(*reason),
        _ => None,
    }
}

fn dataset(data: &DataUse) -> Dataset<'_> {
    Dataset { name: &data.name, digest: &data.digest, kind: kind_word(data.kind) }
}
