//! Passes a verdict on each claim.
//!
//! In: the places where claims stand, and the results of all cells. Out: the ledger, and a
//! diagnostic for each claim that is itself at fault. A claim that is sound but refuted or
//! vacuous has its verdict, and no diagnostic. How a single claim is judged is [`finding`]'s.

mod demands;
mod devices;
mod finding;

pub(crate) use self::devices::missing as missing_on;

use std::collections::BTreeMap;

use rayon::prelude::*;

use self::finding::Finding;
use super::lattice;
use super::number::Beside;
use super::published::Names;
use super::{Judged, OnDevice, Provenance, Verdict};
use crate::diag::Diagnostic;
use crate::exec::Executed;
use crate::math::Macros;
use crate::parse::{Chapter, ClaimSite, Inline};
use crate::span::Span;
use crate::words::Words;

/// A claim in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Index of the chapter.
    pub chapter: usize,
    /// Anchor in the page.
    pub anchor: String,
    /// What the author wrote, with the text as a reader sees it.
    pub claim: ClaimSite,
    /// What makes the claim.
    pub subject: Subject,
    /// TeX macros of the chapter.
    pub macros: Macros,
    /// The language in which it is made, if numbers are read in its words.
    pub language: Option<Words>,
    /// What a page shows around it.
    pub(crate) beside: Beside,
}

/// What makes a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Words.
    Prose(Stated),
    /// A displayed equation, by its label.
    Equation(Option<String>),
    /// What a table says of its own numbers: of which, and as found.
    Table(String, Verdict),
}

/// What the author states in words, without what the build puts among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// The words; no inline values, references, citations and footnotes.
    pub text: String,
    /// Whether an inline value stands among them.
    pub has_value: bool,
    /// The formula, if nothing stands beside it.
    pub formula: Option<String>,
}

impl Stated {
    /// What the text of a claim states.
    pub fn of(content: &[Inline]) -> Self {
        let mut stated = Self::default();
        stated.add(content);
        let is_blank = |it: &Inline| match it {
            Inline::Text(text) => text.trim().is_empty(),
            Inline::SoftBreak => true,
            _ => false,
        };
        let mut said = content.iter().filter(|it| !is_blank(it));
        if let (Some(Inline::Math { latex, .. }), None) = (said.next(), said.next()) {
            stated.formula = Some(latex.clone());
        }
        stated
    }

    fn add(&mut self, content: &[Inline]) {
        for inline in Inline::all(content) {
            match inline {
                Inline::Text(text) | Inline::Code(text) | Inline::Html(text) => {
                    self.text.push_str(text);
                }
                Inline::Math { latex, .. } => self.text.push_str(latex),
                Inline::Image { alt, .. } => self.text.push_str(alt),
                Inline::Value { .. } => self.has_value = true,
                Inline::SoftBreak | Inline::HardBreak => self.text.push(' '),
                Inline::Reference { .. }
                | Inline::Citation { .. }
                | Inline::Footnote { .. }
                | Inline::Emphasis(_)
                | Inline::Strong(_)
                | Inline::Strikethrough(_)
                | Inline::Link { .. }
                | Inline::Claim { .. } => {}
            }
        }
    }
}

/// Judges all claims, in the order in which a reader meets them.
///
/// `cells` gives the anchor of a cell by the indices of its chapter and of itself.
pub fn judge(
    sites: Vec<Site>,
    chapters: &[Chapter],
    executed: &Executed,
    cells: impl Fn(usize, usize) -> String,
) -> (Vec<Judged>, Vec<Diagnostic>) {
    let names = Names::new(chapters, executed);
    let elsewhere: BTreeMap<&str, Names> = (executed.elsewhere.iter())
        .map(|(device, executed)| (device.as_str(), Names::new(chapters, executed)))
        .collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut diagnostics = names.duplicates();
    let mut because = Vec::new();
    let found: Vec<(Finding, Vec<OnDevice>)> = sites
        .par_iter()
        .map(|site| {
            let mut finding = Finding::of(site, &names);
            let devices = devices::compare(&mut finding, site, &names, &elsewhere);
            (finding, devices)
        })
        .collect();
    let mut judged: Vec<Judged> = sites
        .into_iter()
        .zip(found)
        .map(|(site, (finding, devices))| {
            let slug = &chapters[site.chapter].slug;
            let plain = site.claim.name.rsplit('/').next().unwrap_or_default();
            let mut id = format!("{slug}/{plain}");
            let count = seen.entry(id.clone()).and_modify(|count| *count += 1).or_insert(1);
            if *count > 1 {
                id = format!("{id}#{count}");
            }
            because.push(finding.because);
            let provenance = finding.cell.and_then(|(chapter, cell)| {
                let result = names.cell(chapter, cell)?;
                Some(Provenance {
                    cell: chapters[chapter].cells[cell].id.clone(),
                    chapter: chapters[chapter].slug.clone(),
                    anchor: cells(chapter, cell),
                    key: result.key.clone(),
                    device: result.device.clone(),
                    profile: result.profile.clone(),
                    data: finding.published.and_then(|value| value.data.clone()),
                    seed: finding.published.and_then(|value| value.seed).or(Some(result.seed)),
                    duration_ms: result.record.duration_ms,
                })
            });
            let judged = Judged {
                id,
                anchor: site.anchor,
                chapter: slug.clone(),
                span: site.claim.span,
                text: site.claim.text,
                name: site.claim.name,
                others: finding.named,
                relation: finding.relation,
                compared: finding.compared,
                expected: finding.expected,
                verdict: finding.verdict,
                value: finding.value,
                unit: finding.published.and_then(|value| value.unit.clone()),
                provenance,
                because: Vec::new(),
                devices,
            };
            diagnostics.extend(complaint(&judged, finding.code, finding.hint.as_deref()));
            diagnostics.extend(finding.loose.map(|words| loose(words, judged.span.clone())));
            judged
        })
        .collect();
    diagnostics.extend(lattice::settle(&mut judged, &because));
    (judged, diagnostics)
}

/// What is wrong with a claim that is at fault, for its author.
fn complaint(judged: &Judged, code: &'static str, hint: Option<&str>) -> Option<Diagnostic> {
    let Verdict::Error(message) = &judged.verdict else { return None };
    if judged.name.is_empty() {
        // Said where the claim was parsed.
        return None;
    }
    let complaint = Diagnostic::error(code, message.clone(), judged.span.clone());
    Some(match hint {
        Some(hint) => complaint.hint(hint),
        None => complaint,
    })
}

/// That a tolerance leaves printed digits unchecked.
fn loose(words: String, place: Span) -> Diagnostic {
    Diagnostic::warning("loose-tolerance", words, place)
        .hint("print fewer digits, narrow it, or name the published figure by `quotes NAME`")
}
