//! Pages of a report that holds every kind of node, and text that tries to become markup.

use std::collections::BTreeSet;
use std::sync::Arc;

use veracity::claims::{Expected, Judged, Reason, Verdict};
use veracity::config::Author;
use veracity::coverage::Coverage;
use veracity::document::*;
use veracity::evidence::{Chain, Evidence, Passage};
use veracity::math::MathmlRenderer;
use veracity::parse::{CalloutKind, ColumnAlign};
use veracity::render::Highlighter;
use veracity::render::OutputFile;
use veracity::render::html::{Templates, files};
use veracity::span::Source;
use veracity::world::MemoryWorld;

use super::nodes::{claim, equation, follows, formula, item, paragraph, say, slower, text};

/// Text that ends elements, attributes, style sheets, scripts and templates.
const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(2)> \"onload='x' </style> ]]> --> \
     {{ 7 * 7 }} {% raw %} &amp; \u{1b}[31m\u{0}";

/// Wider than a phone, with colour and a negative space, which need style attributes.
const WIDE: &str = "\\begin{aligned} y &= {\\color{red} a}\\! + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q \\\\ \\mathbf{D}^{-1} &= \\overline{x} + \\sum_{n=0}^{N} \\frac{(q^\\top k)^n}{n!} \\end{aligned}";

fn claims() -> Vec<Judged> {
    use Expected::{Refuted as Quoted, Verified as Held};
    let refuted = || Verdict::Refuted("the smallest counterexample is D = 3, N = 3".to_owned());
    let mut waiting = claim(
        "accuracy",
        "0.7740",
        Held,
        Verdict::Unverified(Reason::NeedsData, "the data set `octmnist` is not here".to_owned()),
    );
    waiting.value = None;
    waiting.provenance = None;
    vec![
        claim("params", "224892", Held, Verdict::Verified),
        claim("printed", "the printed formula holds for every N", Quoted, refuted()),
        claim("wrong", "0.9", Held, refuted()),
        waiting,
        claim("empty", "all shapes agree", Held, Verdict::Vacuous("it compares nothing".into())),
        claim("typo", "some", Held, Verdict::Error("a number is needed".into())),
        follows(claim("surprise", "never equal", Quoted, Verdict::Verified), &["params", "typo"]),
        follows(
            // A formula that makes a claim is the place of it.
            Judged {
                anchor: "eq-m".to_owned(),
                ..claim("formula", "M = \\frac{D^2+3D+2}{2}", Held, Verdict::Verified)
            },
            &["surprise", "params"],
        ),
    ]
}

fn picture(name: &str, alt: &str) -> Image {
    let (width, height) = if name == "inline" { (64, 30) } else { (640, 300) };
    let drawn = |ground: &str, ink: &str| -> Arc<str> {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 640 300\">\
             <rect width=\"640\" height=\"300\" fill=\"{ground}\"/><path d=\"M40 260L200 180L360 140L600 40\" \
             stroke=\"{ink}\" fill=\"none\" stroke-width=\"3\"/></svg>"
        )
        .into()
    };
    Image {
        name: name.to_owned(),
        data: ImageData::Drawn {
            light: drawn("#fff", "#0b5394"),
            dark: drawn("#16181b", "#82b7ee"),
        },
        alt: alt.to_owned(),
        csv: Some("x,y\n1,2\n".to_owned()),
    }
}

fn cell(name: &str, state: CellState, outputs: Vec<Output>, claims: Vec<usize>) -> Block {
    Block::Cell(Cell {
        anchor: format!("{name}-cell"),
        name: name.to_owned(),
        label: name.starts_with("fig").then(|| name.to_owned()),
        code: Some(CodeView {
            text: "// The feature map.\nlet m: usize = monomials(3, 2)?;\nlet name = \"M\\n\";\n"
                .into(),
            folded: true,
        }),
        state,
        outputs,
        claims,
        measured: !name.starts_with("fig"),
    })
}

fn results() -> Table {
    let row = |words: [&str; 3]| words.map(text).to_vec();
    Table {
        align: vec![ColumnAlign::Left, ColumnAlign::Right, ColumnAlign::Center],
        header: row(["Model", "Multiply-adds", "Order"]),
        rows: vec![row(["softmax", "1,048,576", "2"]), row(["linear", "65,536", "1"])],
    }
}

/// A chapter with every kind of block and inline.
fn attention() -> Chapter {
    let check = |anchor: &str, outcome, counterexample: Option<&str>| {
        Output::Check(CheckView {
            anchor: anchor.to_owned(),
            name: anchor.to_owned(),
            statement: "length of φ(x) = (D² + 3D + 2) / 2 for D in 1..=40".to_owned(),
            outcome,
            evidence: "proved: 3 points suffice for degree 2".to_owned(),
            counterexample: counterexample.map(str::to_owned),
        })
    };
    let float = |anchor: &str, number: &str, words: &str, body| Float {
        anchor: anchor.to_owned(),
        number: Some(number.to_owned()),
        caption: text(words),
        body,
    };
    let blocks = vec![
        Block::Paragraph(vec![
            Inline::Text("Softmax attention costs ".into()),
            formula("L^2 D"),
            Inline::Text(" multiply-adds for a sequence of length ".into()),
            formula("L"),
            Inline::Text(". A kernel with a finite feature map brings this down to linear cost, as ".into()),
            Inline::Jump { page: None, anchor: "ref-1".into(), content: text("[1]") },
            Inline::Text(" observed. The model has ".into()),
            say(0, "224892"),
            Inline::Text(" parameters, and the general formula of the draft, that ".into()),
            say(1, "the printed formula holds for every N"),
            Inline::Text(", is wrong, as ".into()),
            Inline::Jump { page: Some("attention".into()), anchor: "fig-error".into(), content: text("Figure 1.1") },
            Inline::Text(" shows.".into()),
            Inline::FootnoteMark { number: 1, anchor: "back-1".into(), note: "note-1".into() },
            Inline::SoftBreak,
            Inline::Text("Its test accuracy is ".into()),
            say(3, "0.7740"),
            Inline::Text(", its ratio ".into()),
            say(2, "0.9"),
            Inline::Text(", that ".into()),
            say(4, "all shapes agree"),
            Inline::Text(" and ".into()),
            say(5, "some"),
            Inline::Text(" are ".into()),
            say(6, "never equal"),
            Inline::Text(".".into()),
        ]),
        Block::Heading { level: 2, number: "1.1".into(), anchor: "sec-map".into(), content: text("The feature map") },
        Block::Paragraph(vec![
            Inline::Emphasis(text("Slanted")),
            Inline::Text(", ".into()),
            Inline::Strong(text("strong")),
            Inline::Text(", ".into()),
            Inline::Strikethrough(text("struck")),
            Inline::Text(", ".into()),
            Inline::Code("let x = φ(q)ᵀφ(k);".into()),
            Inline::Text(", ".into()),
            Inline::Value { text: "0.7740".into(), name: "cnn.test_acc".into() },
            Inline::Text(", ".into()),
            Inline::Link { target: "https://example.org/?a=1&b=2".into(), title: "A title".into(), content: text("a link") },
            Inline::HardBreak,
            Inline::Problem("no value is named `cnn.tset_acc`".into()),
            Inline::Text(" and ".into()),
            Inline::Image(picture("inline", "a rising line")),
        ]),
        equation("eq-m", Some("1.1"), "M = \\frac{D^2+3D+2}{2}", Some(7)),
        equation("eq-plain", None, WIDE, None),
        cell(
            "fig-error",
            CellState::Done,
            vec![
                Output::Float(float(
                    "fig-error",
                    "1.1",
                    "Error of the truncated series against the norm of the query.",
                    FloatBody::Figure(picture("fig-error", "The error falls as terms are added.")),
                )),
                Output::Stdout("\u{1b}[32mtrained\u{1b}[0m in 3 steps\n".into()),
            ],
            vec![0, 1],
        ),
        Block::Heading { level: 3, number: "1.1.1".into(), anchor: "sec-costs".into(), content: text("Costs") },
        cell(
            "Cell 2",
            CellState::Done,
            vec![
                check("check-1", CheckOutcome::Passed, None),
                check("check-2", CheckOutcome::Failed, Some("D = 3, N = 3: 20 is not 10")),
                check("check-3", CheckOutcome::Vacuous, None),
                Output::Float(float("tbl-out", "1.1", "Counts at L = 1024.", FloatBody::Table(results()))),
                Output::Text("Ratio(3, 4)".into()),
                Output::Stderr("warning: slow\n".into()),
            ],
            vec![4],
        ),
        cell("Cell 3", CellState::Failed("thread panicked at 'index 3 out of range'".into()), vec![], vec![]),
        cell("Cell 4", CellState::NotRun("Cell 3 before it failed.".into()), vec![], vec![3]),
        Block::Module {
            anchor: "module-1".into(),
            code: CodeView { text: "/// Counts monomials.\npub fn monomials(d: usize, n: usize) -> Result<usize, Error> {\n    Ok((1..=n).map(|k| binomial(d + k - 1, k)).sum::<usize>() + 1)\n}\n".into(), folded: false },
        },
        Block::Heading { level: 2, number: "1.2".into(), anchor: "sec-rest".into(), content: text("Everything else") },
        Block::List {
            start: None,
            items: vec![
                ListItem { task: None, blocks: vec![paragraph("first"), Block::List { start: Some(3), items: vec![item(vec![paragraph("third")])] }] },
                ListItem { task: Some(true), blocks: vec![paragraph("done")] },
                ListItem { task: Some(false), blocks: vec![paragraph("to do"), paragraph("with a second paragraph")] },
            ],
        },
        Block::Quote(vec![paragraph("What can be checked should be checked.")]),
        Block::Callout { kind: CalloutKind::Note, blocks: vec![paragraph("Exact rationals, no rounding.")] },
        Block::Callout { kind: CalloutKind::Tip, blocks: vec![paragraph("Press a badge.")] },
        Block::Callout { kind: CalloutKind::Important, blocks: vec![paragraph("L differs from D.")] },
        Block::Callout { kind: CalloutKind::Warning, blocks: vec![paragraph("Times differ between machines.")] },
        Block::Callout { kind: CalloutKind::Caution, blocks: vec![paragraph("A chapter is code.")] },
        Block::Code { language: "python".into(), text: "def f(x):\n    return x + 1  # one more\n".into() },
        Block::Code { language: String::new(), text: "plain".into() },
        Block::Float(float("tbl-own", "1.2", "A table of the author's.", FloatBody::Table(results()))),
        Block::Float(float(
            "fig-own",
            "1.2",
            "A picture of the author's.",
            FloatBody::Figure(Image {
                name: "own".into(),
                data: ImageData::File { bytes: (&b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"80\" height=\"40\"/>"[..]).into(), extension: "svg".into() },
                alt: "nothing".into(),
                csv: None,
            }),
        )),
        Block::Rule,
        Block::Problem { message: "this formula cannot be set".into(), source: "\\unknown{x}".into() },
    ];
    Chapter {
        slug: "attention".into(),
        number: "1".into(),
        title: text("Linear attention from a Taylor series"),
        anchor: "chapter-attention".into(),
        blocks,
        footnotes: vec![Footnote {
            number: 1,
            anchor: "note-1".into(),
            back: "back-1".into(),
            blocks: vec![paragraph("For every D from 1 to 40.")],
        }],
        problems: vec!["Cell 3 failed, so Cell 4 did not run.".into()],
    }
}

/// A chapter in which every text is hostile.
fn hostile() -> Chapter {
    let float = |anchor: &str, body| Float {
        anchor: anchor.into(),
        number: Some(HOSTILE.into()),
        caption: text(HOSTILE),
        body,
    };
    Chapter {
        slug: "hostile".into(),
        number: "2".into(),
        title: text(HOSTILE),
        anchor: "hostile\"x".into(),
        blocks: vec![
            Block::Heading {
                level: 2,
                number: HOSTILE.into(),
                anchor: HOSTILE.into(),
                content: text(HOSTILE),
            },
            Block::Paragraph(vec![
                Inline::Code(HOSTILE.into()),
                Inline::Link {
                    target: "javascript:alert(1)".into(),
                    title: HOSTILE.into(),
                    content: text("press me"),
                },
                Inline::Link {
                    target: HOSTILE.into(),
                    title: HOSTILE.into(),
                    content: text(HOSTILE),
                },
                Inline::Jump {
                    page: Some("hostile".into()),
                    anchor: HOSTILE.into(),
                    content: text(HOSTILE),
                },
                Inline::Claim { claim: 8, content: text(HOSTILE) },
                Inline::Value { text: HOSTILE.into(), name: HOSTILE.into() },
                Inline::Problem(HOSTILE.into()),
                Inline::Image(picture("../../escape", HOSTILE)),
            ]),
            Block::Code { language: "rust".into(), text: HOSTILE.into() },
            Block::Code { language: HOSTILE.into(), text: HOSTILE.into() },
            cell(
                "Cell 1",
                CellState::Failed(HOSTILE.into()),
                vec![
                    Output::Stdout(HOSTILE.into()),
                    Output::Stderr(HOSTILE.into()),
                    Output::Text(HOSTILE.into()),
                    Output::Check(CheckView {
                        anchor: "check-x".into(),
                        name: "x".into(),
                        statement: HOSTILE.into(),
                        outcome: CheckOutcome::Failed,
                        evidence: HOSTILE.into(),
                        counterexample: Some(HOSTILE.into()),
                    }),
                    Output::Float(float(
                        "f1",
                        FloatBody::Table(Table {
                            align: vec![],
                            header: vec![text(HOSTILE)],
                            rows: vec![vec![text(HOSTILE)]],
                        }),
                    )),
                    Output::Float(float("f2", FloatBody::Figure(picture("drawn", HOSTILE)))),
                ],
                vec![8],
            ),
            Block::Problem { message: HOSTILE.into(), source: HOSTILE.into() },
        ],
        footnotes: vec![],
        problems: vec![HOSTILE.into()],
    }
}

fn document() -> Document {
    let mut claims = claims();
    let mut last = claim("x", HOSTILE, Expected::Verified, Verdict::Refuted(HOSTILE.into()));
    last.id = HOSTILE.into();
    last.chapter = "hostile".into();
    last.relation = HOSTILE.into();
    last.value = Some(HOSTILE.into());
    last.unit = Some(HOSTILE.into());
    claims.push(last);
    Document {
        title: "Four small experiments, checked".into(),
        authors: vec![Author {
            name: "A. Author".into(),
            affiliation: Some("An Institute".into()),
        }],
        language: "en".into(),
        environment: vec![("Profile".into(), "quick".into()), ("Device".into(), HOSTILE.into())],
        notice: None,
        chapters: vec![attention(), hostile()],
        coverage: Vec::new(),
        passages: Vec::new(),
        sources: std::collections::BTreeMap::new(),
        bibliography: vec![Reference {
            number: 1,
            anchor: "ref-1".into(),
            content: text("A. Katharopoulos et al. Transformers are RNNs. 2020."),
        }],
        claims,
    }
}

/// Code behind the cells of `attention`, hostile too.
fn evidence() -> Evidence {
    let passage = |place: &str, code: &str| Passage {
        cell: None,
        place: place.to_owned(),
        code: code.to_owned(),
    };
    Evidence {
        passages: vec![
            passage("chapters/attention.md:9:1", "let m = monomials(3, 2)?;"),
            passage("chapters/attention.md:3:1", HOSTILE),
        ],
        chains: [(
            "fig-error-cell".to_owned(),
            Chain { cell: 0, builds_on: vec![], uses: vec![1] },
        )]
        .into(),
        ..Evidence::default()
    }
}

/// The pages of a document in which every text is hostile, among others.
pub fn hostile_pages() -> Vec<OutputFile> {
    render(&document())
}

fn render(document: &Document) -> Vec<OutputFile> {
    let templates = Templates::load(&MemoryWorld::default()).expect("the defaults are templates");
    let (highlighter, math) = (Highlighter::default(), &mut MathmlRenderer::new());
    files(document, &evidence(), &templates, &highlighter, math)
        .expect("the defaults render every document")
}

fn page(files: &[OutputFile], path: &str) -> String {
    let file = files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}"));
    String::from_utf8(file.bytes.to_vec()).expect("pages are UTF-8")
}

/// A page as a tree. XML is stricter than any browser: what parses here is well-formed.
fn tree(page: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(page, options).expect("pages are well-formed")
}

fn pages(files: &[OutputFile]) -> Vec<(&str, &str)> {
    files
        .iter()
        .filter(|file| file.path.ends_with(".html"))
        .map(|file| (file.path.as_str(), std::str::from_utf8(&file.bytes).expect("UTF-8")))
        .collect()
}

#[test]
fn every_page_is_well_formed_and_every_link_leads_somewhere() {
    let files = render(&document());
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut anchors = BTreeSet::new();
    let mut links = Vec::new();
    for (path, page) in pages(&files) {
        let tree = tree(page);
        for node in tree.descendants().filter(roxmltree::Node::is_element) {
            if let Some(id) = node.attribute("id") {
                assert!(anchors.insert((path, id.to_owned())), "{path} has {id} twice");
            }
            if node.attribute("rel") == Some("noreferrer") {
                continue;
            }
            for name in ["href", "src", "popovertarget", "aria-labelledby"] {
                if let Some(target) = node.attribute(name) {
                    links.push((path, name, target.to_owned()));
                }
            }
        }
        let headings: Vec<&str> = tree
            .descendants()
            .map(|node| node.tag_name().name())
            .filter(|name| matches!(*name, "h1" | "h2" | "h3"))
            .collect();
        assert_eq!(headings.iter().filter(|name| **name == "h1").count(), 1, "{path}");
        assert_eq!(headings.first(), Some(&"h1"), "{path}");
    }
    assert!(links.len() > 100);
    for (path, name, target) in links {
        if matches!(name, "popovertarget" | "aria-labelledby") {
            assert!(anchors.contains(&(path, target.clone())), "{path}: {target}");
        } else if !target.starts_with("data:") {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { path } else { file };
            assert!(paths.contains(file), "{path}: {target}");
            assert!(
                anchor.is_empty() || anchors.contains(&(file, anchor.to_owned())),
                "{path}: {target}"
            );
        }
    }
}

#[test]
fn what_we_add_is_said_in_the_language_of_the_report() {
    let files = render(&Document { language: "de-AT".into(), ..document() });
    let chapter = page(&files, "attention.html");
    for word in ["<b>Abbildung 1.1.</b>", "<b>Tabelle 1.1.</b>", " widerlegt<", "> Vorsicht<"] {
        assert!(chapter.contains(word), "{word}");
    }
    assert!(page(&files, "ledger.html").contains("<h1>Verzeichnis der Aussagen</h1>"));
    let index = page(&files, "index.html");
    for words in ["<h2>Inhalt</h2>", "<h2>Erstellt mit</h2>", "<dd>Der Text stimmt mit dem überein"]
    {
        assert!(index.contains(words), "{words}");
    }
}

#[test]
fn the_ledger_is_told_in_the_language_of_the_report() {
    let span = Source::new("chapters/attention.md", "12 $x$").span(0..2);
    let coverage = Coverage {
        chapter: "attention".into(),
        claimed: 1,
        values: 1,
        exempt: Vec::new(),
        uncovered: vec![span.clone()],
        formulas: vec![span],
        unnoticed: Vec::new(),
    };
    let pages = |language: &str| {
        let coverage = vec![coverage.clone()];
        let files = render(&Document { language: language.into(), coverage, ..document() });
        ["attention.html", "ledger.html"].map(|name| page(&files, name)).concat()
    };
    let english = [
        ">Verdict<",
        ">Claim<",
        ">Value<",
        ">Rests on<",
        ">Relation<",
        ">Because<",
        ">Cell<",
        ">Device<",
        ">Profile<",
        ">Seed<",
        ">Key<",
        ">In the ledger<",
        ">Coverage<",
        ">claimed<",
        ">backed<",
        ">Uncovered<",
        "All results: profile",
        "Every claim of the report",
        " claims failed.",
        " claims</a>",
        "Claims that rest on",
        "is stale if",
        ", because<",
        ">all<",
        "aria-label=\"Claim ",
        "Skip to the content",
    ];
    let (with, without) = (pages("en"), pages("de"));
    for head in english {
        assert!(with.contains(head), "{head}");
        assert!(!without.contains(head), "{head}");
    }
    for (language, head) in [("de", "Beruht auf"), ("fr", "Repose sur"), ("es", "Se apoya en")] {
        assert!(pages(language).contains(&format!("<th scope=\"col\">{head}</th>")));
    }
}

#[test]
fn premises_are_drawn_with_links_and_told_in_words() {
    let files = render(&document());
    let ledger = page(&files, "ledger.html");
    let tree = tree(&ledger);
    let has_class = |node: &roxmltree::Node<'_, '_>, name| node.attribute("class") == Some(name);
    let graph = tree.descendants().find(|node| has_class(node, "graph")).expect("it is drawn");
    let links = graph.children().filter(|node| node.tag_name().name() == "a");
    let said: Vec<&str> = links.filter_map(|node| node.attribute("aria-label")).collect();
    let expected = [
        "224892, verified",
        "some, error",
        "never equal, holds, against expectation",
        "M = \\frac{D^2+3D+2}{2}, verified",
    ];
    assert_eq!(said, expected);
    let curves = graph.children().filter(|node| node.tag_name().name() == "path").count();
    assert_eq!(curves, 4);
    let words = graph.descendants().filter_map(|node| node.text()).collect::<Vec<_>>();
    assert!(words.contains(&"params: 224892") && words.contains(&"formula"), "{words:?}");
    let mut plain = document();
    plain.claims.iter_mut().for_each(|claim| claim.because.clear());
    assert!(!page(&render(&plain), "ledger.html").contains("class=\"graph\""));
}

#[test]
fn hostile_text_stays_text() {
    let files = render(&document());
    let mut seen = 0;
    for (path, page) in pages(&files) {
        let tree = tree(page);
        for node in tree.descendants() {
            assert!(
                !matches!(node.tag_name().name(), "style" | "iframe" | "object" | "base"),
                "{path}"
            );
            if node.has_tag_name("script") {
                assert!(node.attribute("src").is_some_and(|src| src.starts_with("assets/")));
                assert!(node.text().is_none(), "{path}");
            }
            if let Some(source) = node.attribute("src") {
                assert!(source.starts_with("assets/"), "{path}: {source}");
            }
            for attribute in node.attributes() {
                assert!(!attribute.name().starts_with("on"), "{path}: {}", attribute.name());
                assert!(!attribute.value().starts_with("javascript:"), "{path}");
            }
            if node.text().is_some_and(|text| text.contains("{{ 7 * 7 }} {% raw %} &amp;")) {
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "{seen}");
    for file in &files {
        assert!(!file.path.contains(".."), "{}", file.path);
    }
}

#[test]
fn a_formula_among_the_words_of_a_claim_is_one_in_the_ledger() {
    let mut document = document();
    let index = document.claims.len();
    let claim = claim("mixed", "it is \\alpha^2 at most", Expected::Verified, Verdict::Verified);
    document.claims.push(claim);
    let formula = formula("\\alpha^2");
    let content =
        [text("it is "), vec![formula], vec![Inline::Emphasis(text(" at most"))]].concat();
    let item = item(vec![Block::Paragraph(vec![Inline::Claim { claim: index, content }])]);
    document.chapters[0].blocks.push(Block::List { start: None, items: vec![item] });
    let ledger = page(&render(&document), "ledger.html");
    let row = ledger.split("<tr id=\"claim-mixed\"").nth(1).expect("it has a row");
    let row = row.split("</a>").next().unwrap_or_default();
    assert!(row.contains("it is <math") && row.ends_with("</math> at most"), "{row}");
    assert!(!row.contains("\\alpha"), "{row}");
}

#[test]
fn durations_are_beside_the_pages_and_not_in_them() {
    let changed: Vec<_> = render(&document())
        .into_iter()
        .zip(render(&slower(document())))
        .filter(|(before, after)| before != after)
        .map(|(before, _)| before.path)
        .collect();
    assert_eq!(changed, ["assets/provenance.js"]);
}

#[test]
fn a_small_chapter() {
    let document = Document {
        title: "Small".into(),
        authors: Vec::new(),
        language: "en".into(),
        environment: Vec::new(),
        notice: None,
        chapters: vec![Chapter {
            slug: "attention".into(),
            number: "1".into(),
            title: text("Counting"),
            anchor: "counting".into(),
            blocks: vec![
                Block::Paragraph(vec![
                    Inline::Text("It has ".into()),
                    Inline::Claim { claim: 0, content: text("exactly 224892") },
                    Inline::Text(" parameters.".into()),
                ]),
                cell("fig-error", CellState::Done, vec![Output::Stdout("done\n".into())], vec![0]),
            ],
            footnotes: Vec::new(),
            problems: Vec::new(),
        }],
        coverage: Vec::new(),
        passages: Vec::new(),
        sources: std::collections::BTreeMap::new(),
        bibliography: Vec::new(),
        claims: vec![claim("params", "224892", Expected::Verified, Verdict::Verified)],
    };
    let files = render(&document);
    let page = page(&files, "attention.html");
    let tree = tree(&page);
    let article = tree.descendants().find(|node| node.has_tag_name("article")).expect("article");
    insta::assert_snapshot!(&page[article.range()]);
}

#[test]
fn a_report_brings_its_own_templates_and_files() {
    let world = MemoryWorld::default()
        .with("templates/index.html", "{% extends \"base.html\" %}{% block main %}<h1>Mine {{ report_title }}</h1>{% endblock %}")
        .with("templates/style.css", "body { color: red }")
        .with("templates/logo.svg", "<svg/>")
        .with("templates/.hidden", "")
        .with("templates/new/hidden.html", "{{");
    let templates = Templates::load(&world).expect("these are templates");
    let files = files(
        &document(),
        &evidence(),
        &templates,
        &Highlighter::default(),
        &mut MathmlRenderer::new(),
    )
    .expect("these render");
    assert!(page(&files, "index.html").contains("<h1>Mine Four small experiments, checked</h1>"));
    assert_eq!(page(&files, "assets/style.css"), "body { color: red }");
    assert_eq!(page(&files, "assets/logo.svg"), "<svg/>");
    assert!(files.iter().all(|file| !file.path.contains("hidden")));
}

#[test]
fn a_template_at_fault_is_shown_with_its_place() {
    let load = |text: &str| {
        let world = MemoryWorld::default().with("templates/ledger.html", text);
        Templates::load(&world).and_then(|templates| {
            files(
                &document(),
                &evidence(),
                &templates,
                &Highlighter::default(),
                &mut MathmlRenderer::new(),
            )
        })
    };
    let place = |text: &str| {
        let problems = load(text).expect_err("this template is at fault");
        assert_eq!(problems[0].code, "template");
        problems[0].span.as_ref().expect("a place").to_string()
    };
    assert_eq!(place("<p>\n  {{ title | }}"), "templates/ledger.html:2:14");
    assert_eq!(place("é {{ no_such_variable }}"), "templates/ledger.html:1:6");
    assert_eq!(load("{% extends \"nowhere.html\" %}").expect_err("at fault")[0].code, "template");
}
