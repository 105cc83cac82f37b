//! What stands on the pages, read back from their layout.

use std::collections::BTreeSet;

use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;

use super::*;
use crate::claims::{Compared, Expected, Judged, Verdict};
use crate::document::{Block, Chapter, CodeView, Inline};
use crate::math::{Display, Macros, Math};
use crate::span::Source;

const HOSTILE: &str = r##"#panic()$#panic()$@x<y>]#])}"#panic()"\\"\u{41}*/{{/*//```'_a_*b*~--"##;

fn document(blocks: Vec<Block>) -> Document {
    Document {
        title: HOSTILE.to_owned(),
        authors: vec![crate::config::Author { name: HOSTILE.to_owned(), affiliation: None }],
        language: HOSTILE.to_owned(),
        environment: vec![(HOSTILE.to_owned(), HOSTILE.to_owned())],
        notice: None,
        chapters: vec![Chapter {
            slug: HOSTILE.to_owned(),
            number: HOSTILE.to_owned(),
            title: vec![Inline::Text("Title".to_owned())],
            anchor: HOSTILE.to_owned(),
            blocks,
            footnotes: vec![],
            problems: vec![HOSTILE.to_owned()],
        }],
        coverage: Vec::new(),
        passages: Vec::new(),
        sources: std::collections::BTreeMap::new(),
        bibliography: vec![],
        claims: vec![],
    }
}

fn emitted(document: &Document, broken: &BTreeSet<usize>) -> Emission {
    Emission::new(document, &Highlighter::default(), broken, &mut BTreeSet::new())
}

/// All text of the pages, without spaces and places to break.
fn words(emission: &Emission) -> String {
    fn collect(frame: &Frame, words: &mut String) {
        for (_, item) in frame.items() {
            match item {
                FrameItem::Text(text) => words.push_str(&text.text),
                FrameItem::Group(group) => collect(&group.frame, words),
                _ => {}
            }
        }
    }
    let pages: PagedDocument =
        typst::compile(&emission.world(&mut Read::default())).output.expect("it compiles");
    let mut words = String::new();
    for page in pages.pages() {
        collect(&page.frame, &mut words);
    }
    words.retain(|character| !character.is_whitespace() && character != '\u{200b}');
    words
}

#[test]
fn hostile_text_stands_on_the_page_as_it_was_written() {
    let text = || vec![Inline::Text(HOSTILE.to_owned())];
    let before = words(&emitted(&document(vec![]), &BTreeSet::new())).matches(HOSTILE).count();
    let document = document(vec![
        Block::Paragraph(text()),
        Block::Paragraph(vec![Inline::Code(HOSTILE.to_owned()), Inline::Strong(text())]),
        Block::Paragraph(vec![Inline::Problem(HOSTILE.to_owned())]),
        Block::Paragraph(vec![Inline::Link {
            target: HOSTILE.to_owned(),
            title: HOSTILE.to_owned(),
            content: text(),
        }]),
        Block::Code { language: HOSTILE.to_owned(), text: HOSTILE.to_owned() },
        Block::Module {
            anchor: HOSTILE.to_owned(),
            code: CodeView { text: HOSTILE.to_owned(), folded: true },
        },
        Block::Problem { message: HOSTILE.to_owned(), source: HOSTILE.to_owned() },
    ]);
    let words = words(&emitted(&document, &BTreeSet::new()));
    assert_eq!(words.matches(HOSTILE).count(), before + 9, "{words}");
}

#[test]
fn a_formula_that_typst_rejects_is_replaced_by_its_latex() {
    let formula = |display| Math::parse("x^2 + 1", display, &Macros::default()).expect("valid");
    let document = document(vec![
        Block::Paragraph(vec![Inline::Math(formula(Display::Inline))]),
        Block::Equation(crate::document::Equation {
            anchor: "eq-x".to_owned(),
            number: None,
            math: formula(Display::Block),
            claim: None,
        }),
    ]);
    let emission = emitted(&document, &BTreeSet::from([0, 1]));
    let words = words(&emission);
    assert!(words.contains("[x^2+1]"), "{words}");
    assert!(words.contains("Thisformulacannotbeshown.x^2+1"), "{words}");
    assert!(broken(&emission).is_empty());
}

#[test]
fn folded_code_is_printed_behind_the_report_and_other_code_in_its_place() {
    let module = |anchor: &str, text: &str, folded| Block::Module {
        anchor: anchor.to_owned(),
        code: CodeView { text: text.to_owned(), folded },
    };
    let document = document(vec![
        module("one", "folded", true),
        module("two", "shown", false),
        Block::Paragraph(vec![Inline::Text("afterwards".to_owned())]),
    ]);
    let words = words(&emitted(&document, &BTreeSet::new()));
    let at = |what: &str| words.rfind(what).unwrap_or_else(|| panic!("no {what} in {words}"));
    assert!(at("shown") < at("afterwards") && at("afterwards") < at("folded"), "{words}");
    assert!(words.contains("·codeonp.3") && words.contains("·fromp.2"), "{words}");
}

#[test]
fn the_ledger_speaks_the_language_of_the_report() {
    let claim = Judged {
        id: "a/x".to_owned(),
        anchor: "claim-x".to_owned(),
        chapter: HOSTILE.to_owned(),
        span: Source::new("a.md", "7").span(0..1),
        text: "7".to_owned(),
        name: "x".to_owned(),
        relation: "=".to_owned(),
        compared: Compared::Number,
        because: Vec::new(),
        devices: Vec::new(),
        others: Vec::new(),
        expected: Expected::Verified,
        verdict: Verdict::Verified,
        value: Some("7".to_owned()),
        unit: None,
        provenance: None,
    };
    let mut document = Document { claims: vec![claim], ..document(vec![]) };
    let mut said = |language: &str| {
        document.language = language.to_owned();
        words(&emitted(&document, &BTreeSet::new()))
    };
    let (english, german) = (said("en"), said("de"));
    for (original, translated) in [
        ("Ledgerofclaims", "VerzeichnisderAussagen"),
        ("verified", "bestätigt"),
        ("Valueandrelation", "WertundBeziehung"),
    ] {
        assert!(english.contains(original) && !german.contains(original), "{original}");
        assert!(german.contains(translated), "{german}");
    }
}
