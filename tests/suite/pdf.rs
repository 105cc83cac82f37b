//! The printed report of a document that holds every kind of node, and text that tries to become
//! code.

use std::path::Path;

use veracity::claims::{Expected, Judged, Reason, Verdict};
use veracity::config::Author;
use veracity::diag::Diagnostic;
use veracity::document::*;
use veracity::parse::{CalloutKind, ColumnAlign};
use veracity::render::Highlighter;
use veracity::render::pdf;

use super::nodes::{
    claim, equation, follows, formula, heading, item, paragraph, say, slower, text,
};

/// Text that leaves strings, content, formulas, comments and raw blocks, if anything lets it.
const HOSTILE: &str =
    "#panic() $ #panic() $ @x <y> ] #] ) } \" #panic() \" \\ \\\" \\u{41} */ /* // ``` ' _a_ *b*";

/// A picture of one pixel.
const DOT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4,
    0x89, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x64, 0xf8, 0xcf, 0x50,
    0x0f, 0x00, 0x03, 0x86, 0x01, 0x80, 0x5a, 0x34, 0x7d, 0x6b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45,
    0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

const LOREM: &str = "A kernel with a finite feature map lets the sum over keys be taken once, before \
    the queries come, so that the cost grows with the length of the sequence and not with its \
    square. Whether that pays depends on the number of features, which grows fast with the order \
    of the expansion.";

/// LaTeX that is wider than a page.
fn wide() -> String {
    let terms: Vec<String> = (1..=24).map(|n| format!("\\frac{{x^{{{n}}}}}{{{n}!}}")).collect();
    format!("f(x) = {}", terms.join(" + "))
}

fn svg(name: &str, width: u32, height: u32) -> Image {
    let light = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'>\
         <rect width='{width}' height='{height}' fill='#eef3f8'/>\
         <path d='M40 {height} L{width} 20' stroke='#0b4f8a' stroke-width='2' fill='none'/>\
         <text x='60' y='40' font-family='sans-serif' font-size='16'>Error over norm, ± 2 %</text>\
         <text x='60' y='70' font-family='Source Sans 3' font-size='16' font-weight='bold'>‖q‖ ≤ 3</text></svg>"
    );
    Image {
        name: name.to_owned(),
        data: ImageData::Drawn { light: light.into(), dark: "<svg/>".into() },
        alt: "A line that rises from left to right.".to_owned(),
        csv: None,
    }
}

fn figure(anchor: &str, number: &str, image: Image) -> Float {
    Float {
        anchor: anchor.to_owned(),
        number: Some(number.to_owned()),
        caption: text("Error of the truncated series over the norm of the query, for four orders."),
        body: FloatBody::Figure(image),
    }
}

fn table(columns: usize, rows: usize, cell: impl Fn(usize, usize) -> String) -> Table {
    Table {
        align: (0..columns)
            .map(|column| if column == 0 { ColumnAlign::Left } else { ColumnAlign::Right })
            .collect(),
        header: (0..columns).map(|column| text(&format!("Column {column}"))).collect(),
        rows: (0..rows)
            .map(|row| (0..columns).map(|column| text(&cell(row, column))).collect())
            .collect(),
    }
}

fn float(anchor: &str, number: &str, table: Table) -> Block {
    Block::Float(Float {
        anchor: anchor.to_owned(),
        number: Some(number.to_owned()),
        caption: text("Counts of multiply-add operations."),
        body: FloatBody::Table(table),
    })
}

fn claims() -> Vec<Judged> {
    let refuted = || Verdict::Refuted("at D = 3 the code gives 10, the formula 9".to_owned());
    let mut long =
        claim("digits", "a number with many digits", Expected::Verified, Verdict::Verified);
    long.value = Some("1234567890".repeat(12));
    long.provenance = None;
    vec![
        claim("m", "224892", Expected::Verified, Verdict::Verified),
        claim("general", "the general formula as printed", Expected::Refuted, refuted()),
        claim("error", "0.0132", Expected::Verified, refuted()),
        claim(
            "accuracy",
            "0.7512",
            Expected::Verified,
            Verdict::Unverified(Reason::NeedsData, "octmnist is synthetic here".to_owned()),
        ),
        claim(
            "empty",
            "every case agrees",
            Expected::Verified,
            Verdict::Vacuous("the check compared nothing".to_owned()),
        ),
        claim("typo", HOSTILE, Expected::Verified, Verdict::Error("no value `tpyo`".to_owned())),
        follows(
            claim("wrong", "grows with the square", Expected::Refuted, Verdict::Verified),
            &["m", "typo"],
        ),
        follows(long, &["wrong", "m"]),
    ]
}

fn prose() -> Vec<Block> {
    vec![
        Block::Paragraph(vec![
            Inline::Text(format!("{LOREM} The model has ")),
            say(0, "224892"),
            Inline::Text(" parameters, and ".to_owned()),
            say(1, "the general formula as printed"),
            Inline::Text(" does not hold; the error is ".to_owned()),
            say(2, "0.0132"),
            Inline::Text(", the accuracy ".to_owned()),
            say(3, "0.7512"),
            Inline::Text("; ".to_owned()),
            say(4, "every case agrees"),
            Inline::Text(", and it ".to_owned()),
            say(6, "grows with the square"),
            Inline::Text(". A note follows".to_owned()),
            Inline::FootnoteMark { number: 1, anchor: "fnref-1".into(), note: "fn-1".into() },
            Inline::Text(" and once more".to_owned()),
            Inline::FootnoteMark { number: 1, anchor: "fnref-1-2".into(), note: "fn-1".into() },
            Inline::Text(".".to_owned()),
        ]),
        Block::Paragraph(vec![
            Inline::Emphasis(text("Emphasis")),
            Inline::Text(", ".to_owned()),
            Inline::Strong(vec![Inline::Emphasis(text("strong emphasis"))]),
            Inline::Text(", ".to_owned()),
            Inline::Strikethrough(text("struck")),
            Inline::Text(", ".to_owned()),
            Inline::Code("let x = vec![1; 3];".to_owned()),
            Inline::Text(", ".to_owned()),
            formula("\\phi(q)^\\top \\phi(k) = \\sum_{n=0}^{N} \\frac{(q^\\top k)^n}{n!}"),
            Inline::Text(", a ".to_owned()),
            Inline::Link {
                target: "https://example.org/?q=\"#panic()\"".to_owned(),
                title: "t".to_owned(),
                content: text("link"),
            },
            Inline::Text(", see ".to_owned()),
            Inline::Jump {
                page: Some("attention".into()),
                anchor: "eq-m".into(),
                content: text("(1.1)"),
            },
            Inline::Text(", ".to_owned()),
            Inline::Jump {
                page: Some("attention".into()),
                anchor: "fig-error".into(),
                content: text("Figure 1.1"),
            },
            Inline::Text(", ".to_owned()),
            Inline::Jump { page: None, anchor: "ref-1".into(), content: text("[1]") },
            Inline::Text(", ".to_owned()),
            Inline::Jump { page: None, anchor: "nowhere".into(), content: text("a dead end") },
            Inline::Text(", the value ".to_owned()),
            Inline::Value { text: "0.9321".into(), name: "acc".into() },
            Inline::SoftBreak,
            Inline::Problem("no value `oops`".to_owned()),
            Inline::HardBreak,
            Inline::Text("an image ".to_owned()),
            Inline::Image(svg("small", 90, 20)),
            Inline::Text(format!(
                " and a long word https://example.org/{}/end.",
                "a-long-path-without-spaces".repeat(5)
            )),
        ]),
        paragraph(HOSTILE),
        paragraph("中文 and 🙂 and \u{1b}[31m red \u{202e}back\u{0} ✓ é e\u{301} ñ Ω Ж ≤ ∀ ﬁ"),
    ]
}

fn structure() -> Vec<Block> {
    let nested = Block::List {
        start: None,
        items: vec![
            item(vec![paragraph("Inner first")]),
            item(vec![
                paragraph("Inner second"),
                Block::List { start: None, items: vec![item(vec![paragraph("Innermost")])] },
            ]),
        ],
    };
    vec![
        Block::List {
            start: None,
            items: vec![item(vec![paragraph("First")]), item(vec![paragraph(LOREM), nested])],
        },
        Block::List {
            start: Some(3),
            items: vec![
                item(vec![paragraph("Third")]),
                item(vec![paragraph("Fourth"), paragraph("More")]),
            ],
        },
        Block::List {
            start: None,
            items: vec![
                ListItem { task: Some(true), blocks: vec![paragraph("Done")] },
                ListItem { task: Some(false), blocks: vec![paragraph("Open")] },
            ],
        },
        Block::Quote(vec![paragraph(LOREM), paragraph("A second paragraph.")]),
        Block::Callout { kind: CalloutKind::Note, blocks: vec![paragraph(LOREM)] },
        Block::Callout { kind: CalloutKind::Caution, blocks: vec![paragraph("Short.")] },
        Block::Rule,
        Block::Code {
            language: "rust".to_owned(),
            text: format!(
                "// {HOSTILE}\nfn main() {{\n\tlet long = \"{}\";\n    println!(\"{{}}\", a_function_with_a_name(first_argument, second_argument, third_argument, fourth));\n}}\n",
                "x".repeat(150)
            ),
        },
        Block::Problem { message: "this formula is not valid".into(), source: "\\frac{1}{".into() },
    ]
}

fn cells() -> Vec<Block> {
    vec![
        Block::Module {
            anchor: "module-1".to_owned(),
            code: CodeView {
                text: "/// Number of monomials.\npub fn monomials(d: u64) -> u64 {\n    (d * d + 3 * d + 2) / 2\n}\n".into(),
                folded: true,
            },
        },
        Block::Cell(Cell {
            anchor: "fig-error-cell".to_owned(),
            name: "fig-error".to_owned(),
            label: None,
            code: Some(CodeView { text: "let m = monomials(8);\nvalue(\"m\", m);\n".into(), folded: false }),
            state: CellState::Done,
            outputs: vec![
                Output::Float(figure("fig-error", "1.1", svg("error", 640, 300))),
                Output::Check(CheckView {
                    anchor: "check-m".to_owned(),
                    name: "m".into(),
                    statement: "the number of monomials equals (D² + 3D + 2)/2".to_owned(),
                    outcome: CheckOutcome::Passed,
                    evidence: "proved: 3 points suffice for degree 2".to_owned(),
                    counterexample: None,
                }),
                Output::Check(CheckView {
                    anchor: "check-general".to_owned(),
                    name: "general".into(),
                    statement: format!("the general formula as printed {HOSTILE}"),
                    outcome: CheckOutcome::Failed,
                    evidence: "exact over D = 1…20".to_owned(),
                    counterexample: Some("D = 3: 10 ≠ 9".to_owned()),
                }),
                Output::Text("a text\nof two lines".to_owned()),
                Output::Stdout(format!("epoch 1: loss 0.{}\n{HOSTILE}\n", "3".repeat(300))),
                Output::Stderr("warning: \u{1b}[33munused\u{1b}[0m\n".to_owned()),
            ],
            claims: vec![0, 1, 2, 3, 6],
            measured: true,
        }),
        Block::Cell(Cell {
            anchor: "cell-2".to_owned(),
            name: "Cell 2".to_owned(),
            label: None,
            code: None,
            state: CellState::Failed("attempt to divide by zero".to_owned()),
            outputs: vec![],
            claims: vec![],
            measured: false,
        }),
        Block::Cell(Cell {
            anchor: "cell-3".to_owned(),
            name: "Cell 3".to_owned(),
            label: None,
            code: Some(CodeView { text: "let y = 1;\n".into(), folded: true }),
            state: CellState::NotRun("an earlier cell failed".to_owned()),
            outputs: vec![],
            claims: vec![],
            measured: false,
        }),
    ]
}

fn floats() -> Vec<Block> {
    vec![
        float("tbl-1", "1.1", table(4, 5, |row, column| format!("{}", row * 1000 + column))),
        float("tbl-2", "1.2", table(5, 70, |row, column| format!("{row}.{column}"))),
        float(
            "tbl-3",
            "1.3",
            table(16, 3, |row, column| format!("{}", 123_456_789 * (row + column + 1))),
        ),
        float(
            "tbl-4",
            "1.4",
            table(3, 2, |_, column| if column == 2 { LOREM.to_owned() } else { "word".to_owned() }),
        ),
        Block::Float(figure("fig-tall", "1.2", svg("tall", 300, 2000))),
    ]
}

fn document() -> Document {
    let mut first = prose();
    first.push(heading(2, "1.1", vec![Inline::Text("A section with ".into()), say(7, "a claim")]));
    first.extend(structure());
    first.push(heading(4, "1.1.1", text("A heading that skips a level")));
    first.push(equation(
        "eq-m",
        Some("1.1"),
        "M = 1 + 2D + \\binom{D}{2} = \\frac{D^2+3D+2}{2}",
        Some(0),
    ));
    first.extend([equation("eq-wide", Some("1.2"), &wide(), None),equation("eq-free", None, "\\boxed{e^{i\\pi} + 1 = 0}", None),equation("eq-aligned", Some("1.3"), "\\begin{aligned} a &= b + c \\\\ &= d \\text{ for all } \\mathbf{x} \\in \\mathbb{R}^D \\end{aligned}", Some(1))]);
    first.extend(cells());
    first.push(heading(2, "1.2", text("Floats")));
    first.extend(floats());
    Document {
        title: "Attention that is linear in its length".to_owned(),
        authors: vec![
            Author {
                name: "Ada Example".into(),
                affiliation: Some("University of Somewhere".into()),
            },
            Author { name: "Bo Sample".into(), affiliation: None },
        ],
        language: "en-GB".to_owned(),
        environment: vec![
            ("Profile".into(), "quick".into()),
            ("Device".into(), "cpu (x86-64, 2 cores)".into()),
            ("Toolchain".into(), "rustc 1.95.0".into()),
        ],
        notice: None,
        chapters: vec![
            Chapter {
                slug: "attention".into(),
                number: "1".into(),
                title: text("Linear attention"),
                anchor: "attention".into(),
                blocks: first,
                footnotes: vec![Footnote {
                    number: 1,
                    anchor: "fn-1".into(),
                    back: "fnref-1".into(),
                    blocks: vec![paragraph("The note itself."), paragraph(HOSTILE)],
                }],
                problems: vec!["Cell 2 failed; cells after it did not run.".into()],
            },
            Chapter {
                slug: "second".into(),
                number: "2".into(),
                title: vec![],
                anchor: "second".into(),
                blocks: vec![paragraph(LOREM)],
                footnotes: vec![],
                problems: vec![],
            },
        ],
        coverage: Vec::new(),
        passages: Vec::new(),
        sources: std::collections::BTreeMap::new(),
        bibliography: vec![Reference {
            number: 1,
            anchor: "ref-1".into(),
            content: vec![
                Inline::Text("A. Author, ".into()),
                Inline::Emphasis(text("A title")),
                Inline::Text(format!(". {LOREM}")),
            ],
        }],
        claims: claims(),
    }
}

fn render(document: &Document) -> (Vec<u8>, Vec<Diagnostic>) {
    let (file, diagnostics) =
        pdf::file(document, &Highlighter::default(), &mut pdf::Press::default());
    let file = file.unwrap_or_else(|| panic!("no PDF: {diagnostics:?}"));
    assert_eq!(file.path, "report.pdf");
    assert!(file.bytes.starts_with(b"%PDF-"));
    (file.bytes.to_vec(), diagnostics)
}

#[test]
fn a_pdf_does_not_depend_on_the_one_before() {
    let (one, mut other) = (document(), document());
    other.chapters[0].anchor = "elsewhere".into();
    let first = render(&one).0;
    assert!(render(&other).0 != first);
    assert!(render(&one).0 == first);
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn every_node_is_printed_with_pdf_ua() {
    let (bytes, diagnostics) = render(&document());
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.pdf");
    std::fs::write(kept, &bytes).expect("the folder for test output is writable");
    assert_eq!(codes(&diagnostics), ["pdf-missing-glyph"], "{diagnostics:?}");
    let note = &diagnostics[0].notes[0];
    for character in ["[U+4E2D]", "[U+1F642]", "[U+001B]", "[U+202E]", "[U+0000]"] {
        assert!(note.contains(character), "{note}");
    }
}

#[test]
fn the_same_document_gives_the_same_bytes_and_no_duration() {
    let (first, _) = render(&document());
    let (second, _) = render(&slower(document()));
    assert!(first == second);
}

#[test]
fn a_picture_that_cannot_be_shown_is_a_problem_and_the_rest_is_printed() {
    let mut document = document();
    document.chapters[1].blocks.push(Block::Paragraph(vec![Inline::Image(Image {
        name: "broken".into(),
        data: ImageData::File { bytes: (&b"no picture"[..]).into(), extension: "png".into() },
        alt: "nothing".into(),
        csv: None,
    })]));
    let (_, diagnostics) = render(&document);
    assert_eq!(codes(&diagnostics), ["pdf-picture", "pdf-missing-glyph"], "{diagnostics:?}");
}

#[test]
fn an_empty_report_is_a_report() {
    let empty = Document {
        title: String::new(),
        authors: vec![],
        language: String::new(),
        environment: vec![],
        notice: None,
        chapters: vec![],
        coverage: Vec::new(),
        passages: Vec::new(),
        sources: std::collections::BTreeMap::new(),
        bibliography: vec![],
        claims: vec![],
    };
    let (_, diagnostics) = render(&empty);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn content_that_nests_without_end_is_printed() {
    let mut inline = Inline::Text("deep".into());
    let mut block = paragraph("deep");
    for depth in 0..60 {
        inline = Inline::Emphasis(vec![inline]);
        block = match depth % 3 {
            0 => Block::Quote(vec![block]),
            1 => Block::List { start: None, items: vec![item(vec![block])] },
            _ => Block::Callout { kind: CalloutKind::Tip, blocks: vec![block] },
        };
    }
    let mut document = document();
    document.chapters[1].blocks = vec![Block::Paragraph(vec![inline]), block];
    let (_, diagnostics) = render(&document);
    assert_eq!(codes(&diagnostics), ["pdf-missing-glyph"], "{diagnostics:?}");
}

#[test]
fn what_is_rare_is_printed_with_pdf_ua() {
    let mark = |number: usize| Inline::FootnoteMark {
        number,
        anchor: format!("mark-{number}"),
        note: format!("note-{number}"),
    };
    let plain_table = |header: Vec<Vec<Inline>>, rows: Vec<Vec<Vec<Inline>>>| Table {
        align: vec![],
        header,
        rows,
    };
    let dot = Image {
        name: "dot".into(),
        data: ImageData::File { bytes: DOT.into(), extension: "../png".into() },
        alt: String::new(),
        csv: None,
    };
    let mut document = document();
    let chapter = &mut document.chapters[1];
    chapter.footnotes = (1..=3)
        .map(|number| Footnote {
            number,
            anchor: format!("note-{number}"),
            back: format!("mark-{number}"),
            blocks: match number {
                1 => vec![Block::Paragraph(vec![mark(2), mark(1)])],
                2 => vec![equation("eq-note", Some("2.1"), "x^2", Some(0))],
                _ => vec![],
            },
        })
        .collect();
    chapter.blocks = vec![
        heading(2, "2.1", vec![Inline::Text("Noted".into()), mark(1), Inline::Image(dot.clone())]),
        heading(2, "", vec![formula("x^2")]),
        heading(2, "", vec![Inline::Image(dot.clone())]),
        float(
            "tbl-noted",
            "2.1",
            plain_table(vec![vec![mark(3), say(0, "claimed")]], vec![vec![text("row")]; 90]),
        ),
        float("tbl-empty", "2.2", plain_table(vec![], vec![])),
        float("tbl-ragged", "2.3", plain_table(vec![], vec![vec![text("a"), text("b")], vec![]])),
        Block::Heading {
            level: 2,
            number: "2.2".into(),
            anchor: "a\"b\\ü #x".into(),
            content: text("An odd anchor"),
        },
        paragraph("x\u{20d7} 1\u{fe0f}\u{20e3} ✓\u{fe0f} السلام שלום e\u{301} a\u{2028}b"),
        paragraph(""),
        Block::Paragraph(vec![]),
        Block::Paragraph(vec![Inline::Link {
            target: String::new(),
            title: String::new(),
            content: vec![Inline::Image(dot)],
        }]),
        Block::List {
            start: Some(0),
            items: vec![item(vec![]), item(vec![equation("eq-listed", None, &wide(), Some(0))])],
        },
    ];
    let (_, diagnostics) = render(&document);
    assert_eq!(codes(&diagnostics), ["pdf-missing-glyph"], "{diagnostics:?}");
    assert!(diagnostics[0].notes[0].contains("[U+20E3]"), "{diagnostics:?}");
}
