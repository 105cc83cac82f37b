//! Nodes of documents that tests build by hand, for what renders them.

use veracity::claims::{Compared, Expected, Judged, Provenance, Verdict};
use veracity::document::*;
use veracity::math::{Display, Macros, Math};
use veracity::span::Source;
use veracity_protocol::{DataKind, DataUse};

pub fn text(words: &str) -> Vec<Inline> {
    vec![Inline::Text(words.to_owned())]
}

pub fn paragraph(words: &str) -> Block {
    Block::Paragraph(text(words))
}

pub fn heading(level: u8, number: &str, content: Vec<Inline>) -> Block {
    Block::Heading { level, number: number.to_owned(), anchor: format!("sec-{number}"), content }
}

pub fn item(blocks: Vec<Block>) -> ListItem {
    ListItem { task: None, blocks }
}

pub fn formula(latex: &str) -> Inline {
    Inline::Math(math(latex, Display::Inline))
}

pub fn equation(anchor: &str, number: Option<&str>, latex: &str, claim: Option<usize>) -> Block {
    Block::Equation(Equation {
        anchor: anchor.to_owned(),
        number: number.map(str::to_owned),
        math: math(latex, Display::Block),
        claim,
    })
}

fn math(latex: &str, display: Display) -> Math {
    Math::parse(latex, display, &Macros::default()).expect("this is LaTeX")
}

/// The words with which a claim is made.
pub fn say(claim: usize, words: &str) -> Inline {
    Inline::Claim { claim, content: text(words) }
}

/// A claim of the chapter `attention`, on a number of the cell whose anchor is `fig-error-cell`.
pub fn claim(name: &str, words: &str, expected: Expected, verdict: Verdict) -> Judged {
    Judged {
        id: format!("attention/{name}"),
        anchor: format!("claim-{name}"),
        chapter: "attention".to_owned(),
        span: Source::new("chapters/attention.md", words).span(0..words.len()),
        text: words.to_owned(),
        name: name.to_owned(),
        relation: "= (exact)".to_owned(),
        compared: Compared::Number,
        because: Vec::new(),
        devices: Vec::new(),
        others: Vec::new(),
        expected,
        verdict,
        value: Some("224892".to_owned()),
        unit: Some("parameters".to_owned()),
        provenance: Some(Provenance {
            cell: "fig-error".to_owned(),
            chapter: "attention".to_owned(),
            anchor: "fig-error-cell".to_owned(),
            key: "9f86d081884c7d659a2feaa0c55ad015".to_owned(),
            device: "cpu".to_owned(),
            profile: "quick".to_owned(),
            data: Some(DataUse {
                name: "octmnist".to_owned(),
                digest: "2c26b46b68ffc68ff99b453c1d304134".to_owned(),
                kind: DataKind::Synthetic,
            }),
            seed: Some(42),
            duration_ms: 1234,
        }),
    }
}

/// The claim as one that follows from others.
pub fn follows(claim: Judged, from: &[&str]) -> Judged {
    let because = from.iter().map(|name| format!("attention/{name}")).collect();
    Judged { because, ..claim }
}

/// The document, had each of its cells taken a millisecond longer.
pub fn slower(mut document: Document) -> Document {
    let provenances = document.claims.iter_mut().filter_map(|claim| claim.provenance.as_mut());
    provenances.for_each(|provenance| provenance.duration_ms += 1);
    document
}
