//! Numbers, references, citations, notes, links, pictures and outputs of cells.

use veracity::claims::Reason;
use veracity::diag::Diagnostic;
use veracity::document::{
    Block, CellState, CheckOutcome, Document, FloatBody, ImageData, Inline, Output,
};
use veracity::exec::CellStatus;
use veracity::world::MemoryWorld;
use veracity_protocol::{
    Align, Artifact, Axis, CellOutput, CheckStatus, Column, Figure, Float, Plot, Scale, Series,
    SeriesKind, Table, Value,
};

use crate::scripted::{Report, artifacts, check, float, integer, values};

/// The text of a whole chapter, with `⟨⟩` around what stands for something.
fn shown(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Heading { level, number, content, anchor } => {
                out += &format!("h{level} {number} {} #{anchor}", text(content));
            }
            Block::Paragraph(content) => out += &text(content),
            Block::List { items, .. } => {
                for item in items {
                    out += &shown(&item.blocks);
                }
            }
            Block::Quote(blocks) | Block::Callout { blocks, .. } => out += &shown(blocks),
            Block::Equation(equation) => {
                out += &format!("equation {:?} #{}", equation.number, equation.anchor);
            }
            Block::Float(float) => {
                out +=
                    &format!("float {:?} {} #{}", float.number, text(&float.caption), float.anchor);
            }
            Block::Cell(cell) => out += &format!("cell {} #{}", cell.name, cell.anchor),
            Block::Module { .. } => out += "module",
            Block::Code { text, .. } => out += text,
            Block::Rule => out += "---",
            Block::Problem { message, .. } => out += &format!("problem {message}"),
        }
        out.push('\n');
    }
    out
}

fn text(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in inlines {
        out += &match inline {
            Inline::Text(text) | Inline::Code(text) => text.clone(),
            Inline::Emphasis(content) => format!("*{}*", text(content)),
            Inline::Strong(content) | Inline::Strikethrough(content) => text(content),
            Inline::Math(math) => format!("${}$", math.latex()),
            Inline::Link { target, content, .. } => format!("⟨{} → {target}⟩", text(content)),
            Inline::Jump { page, anchor, content } => {
                format!("⟨{} → {}#{anchor}⟩", text(content), page.as_deref().unwrap_or_default())
            }
            Inline::Claim { content, .. } | Inline::Exempt { content, .. } => text(content),
            Inline::Value { text, .. } => format!("⟨{text}⟩"),
            Inline::Image(image) => format!("⟨image {} {}⟩", image.name, image.alt),
            Inline::FootnoteMark { number, note, .. } => format!("⟨note {number} → {note}⟩"),
            Inline::Problem(words) => format!("⟨problem {words}⟩"),
            Inline::SoftBreak => " ".into(),
            Inline::HardBreak => "\n".into(),
        };
    }
    out
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn body(document: &Document) -> String {
    shown(&document.chapters[0].blocks)
}

#[test]
fn everything_is_numbered_within_its_chapter() {
    let (document, diagnostics) = Report::of(
        "# One {#sec-one}\n\n## First\n\n### Below {#sec-below}\n\n## Second\n\n\
         $$ a = b $$ {#eq-a}\n\n$$ c = d $$\n\n$$ e = f $$ {#eq-e}\n\n\
         | x |\n|---|\n| 1 |\n\n: A table {#tbl-t}\n\n\
         @sec-one @sec-below @eq-e @tbl-t @sec-two @sec-late\n",
    )
    .chapter("2.md", "# Two {#sec-two}\n\n## Late {#sec-late}\n")
    .build();
    assert_eq!(codes(&diagnostics), [""; 0]);
    assert_eq!(
        body(&document),
        "h2 1.1 First #1-first\n\
         h3 1.1.1 Below #sec-below\n\
         h2 1.2 Second #1-second\n\
         equation Some(\"1.1\") #eq-a\n\
         equation None #1-equation\n\
         equation Some(\"1.2\") #eq-e\n\
         float Some(\"1.1\") A table #tbl-t\n\
         ⟨Chapter\u{a0}1 → 1#sec-one⟩ ⟨Section\u{a0}1.1.1 → 1#sec-below⟩ \
         ⟨Equation\u{a0}(1.2) → 1#eq-e⟩ ⟨Table\u{a0}1.1 → 1#tbl-t⟩ \
         ⟨Chapter\u{a0}2 → 2#sec-two⟩ ⟨Section\u{a0}2.1 → 2#sec-late⟩\n"
    );
}

#[test]
fn sections_are_numbered_below_a_title_in_front_matter_too() {
    let (document, _) =
        Report::of("---\ntitle: T\n---\n\n# A\n\n### B\n\n### C\n\n## D\n\n# A\n").build();
    assert_eq!(text(&document.chapters[0].title), "T");
    assert_eq!(
        body(&document),
        "h2 1.1 A #1-a\nh3 1.1.1 B #1-b\nh3 1.1.2 C #1-c\nh3 1.1.3 D #1-d\nh2 1.2 A #1-a-2\n"
    );
    let (document, diagnostics) = Report::of("text").build();
    assert_eq!(text(&document.chapters[0].title), "1");
    assert_eq!(codes(&diagnostics), ["untitled-chapter"]);
}

#[test]
fn labels_are_unique_in_the_report_and_references_must_exist() {
    let (document, diagnostics) = Report::of("# A\n\n## B {#sec-b}\n\n@sec-bb\n")
        .chapter("2.md", "# C\n\n## D {#sec-b}\n")
        .build();
    assert_eq!(codes(&diagnostics), ["duplicate-label", "unknown-reference"]);
    assert_eq!(diagnostics[0].related.len(), 1);
    assert_eq!(diagnostics[1].hint.as_deref(), Some("did you mean `sec-b`?"));
    assert!(body(&document).contains("⟨problem ?sec-bb⟩"));
    assert!(shown(&document.chapters[1].blocks).contains("#2-d"));
}

const BIBLIOGRAPHY: &str = "@article{shen, author = {Shen, Zhuoran and Zhang, Mingyuan and Zhao, Haiyu}, \
    title = {Efficient attention}, journal = {Some Journal}, year = 2021, url = {https://example.org/x}}\n\
    @book{knuth, author = {Knuth, Donald E.}, title = {The {TeX}book}, publisher = {Addison-Wesley}, year = 1984}\n\
    @book{unused, author = {Nobody, A.}, title = {Nothing}, year = 2000}\n";

#[test]
fn works_are_numbered_as_they_are_cited() {
    let (document, diagnostics) = Report::of(
        "# A\n\nAs @knuth says [see @shen, p. 3; @knuth]. Again [@knuth; @shen]. [@knut]\n",
    )
    .bibliography(BIBLIOGRAPHY)
    .build();
    assert_eq!(
        body(&document),
        "As Knuth\u{a0}[⟨1 → #ref-knuth⟩] says [see ⟨2 → #ref-shen⟩, p. 3; ⟨1 → #ref-knuth⟩]. \
         Again [⟨1 → #ref-knuth⟩, ⟨2 → #ref-shen⟩]. [⟨problem ?knut⟩]\n"
    );
    assert_eq!(codes(&diagnostics), ["unknown-citation"]);
    assert_eq!(diagnostics[0].hint.as_deref(), Some("did you mean `knuth`?"));
    let works: Vec<(usize, String)> =
        document.bibliography.iter().map(|work| (work.number, text(&work.content))).collect();
    assert_eq!(works.len(), 2);
    assert_eq!(works[0].0, 1);
    assert!(works[0].1.starts_with("D. E. Knuth, *The TeXbook*."), "{works:?}");
    assert!(
        works[1].1.starts_with("Z. Shen, M. Zhang, and H. Zhao, “Efficient attention,”"),
        "{works:?}"
    );
    assert!(works[1].1.contains("→ https://example.org/x⟩"), "{works:?}");
}

#[test]
fn a_broken_bibliography_is_told_once() {
    let (_, diagnostics) =
        Report::of("# A\n\n[@knuth]\n").bibliography("@book{knuth, title = {x}\n@book{").build();
    assert_eq!(codes(&diagnostics), ["bibliography"]);
    let span = diagnostics[0].span.as_ref().expect("a place");
    assert_eq!(span.source.path(), "works.bib");
}

#[test]
fn inline_values_are_exact_or_a_problem() {
    let (document, diagnostics) = Report::of(
        "# A\n```rust,cell\n1;\n```\n\n{{ m-count }} {{ acc | fixed(4) }} {{ nothing }} {{ acc | }}\n",
    )
    .cell("1/cell-1", values([("m-count", integer(28)), ("acc", float(0.820_45))]))
    .build();
    assert!(
        body(&document).contains("⟨28⟩ ⟨0.8204⟩ ⟨problem ?nothing⟩ ⟨problem ?acc |⟩"),
        "{}",
        body(&document)
    );
    assert_eq!(codes(&diagnostics), ["unknown-value", "inline-value"]);
}

#[test]
fn notes_are_numbered_by_their_first_mark() {
    let (document, diagnostics) = Report::of(
        "# A\n\nOne[^b] two[^a] one[^b] none[^c].\n\n[^a]: About a.\n\n[^b]: About b.[^d]\n\n[^d]: Deep.\n\n[^e]: Unused.\n",
    )
    .build();
    let body = body(&document);
    assert!(
        body.starts_with("One⟨note 1 → 1-note-b⟩ two⟨note 2 → 1-note-a⟩ one⟨note 1 → 1-note-b⟩"),
        "{body}"
    );
    let notes: Vec<String> =
        document.chapters[0].footnotes.iter().map(|note| shown(&note.blocks)).collect();
    assert_eq!(notes, ["About b.⟨note 3 → 1-note-d⟩\n", "About a.\n", "Deep.\n"]);
    assert!(codes(&diagnostics).contains(&"unused-footnote"), "{diagnostics:?}");
}

#[test]
fn links_lead_to_safe_places_only() {
    let mut report = Report::of(
        "# A\n\n[web](https://example.org) [file](data.csv) [gone](gone.csv) [bad](javascript:alert) [here](#sec-x) [there](2.md#sec-x) [all](2.md) [no](#nope)\n",
    )
    .chapter("2.md", "# B\n\n## X {#sec-x}\n");
    report.world = MemoryWorld::default().with("data.csv", "a,b");
    let (document, diagnostics) = report.build();
    assert_eq!(
        body(&document),
        "⟨web → https://example.org⟩ ⟨file → data.csv⟩ ⟨gone → gone.csv⟩ bad ⟨here → 2#sec-x⟩ ⟨there → 2#sec-x⟩ ⟨all → 2#2⟩ no⟨problem ?nope⟩\n"
    );
    assert_eq!(codes(&diagnostics), ["broken-link", "unsafe-link", "unknown-reference"]);
}

#[test]
fn pictures_come_from_the_report() {
    let mut report = Report::of(
        "# A\n\n![A *cat*](cat.svg){#fig-cat}\n\n![x](none.png){#fig-none}\n\n@fig-cat\n",
    );
    report.world = MemoryWorld::default().with("cat.svg", "<svg/>");
    let (document, diagnostics) = report.build();
    let Block::Float(float) = &document.chapters[0].blocks[0] else {
        panic!("{:?}", body(&document))
    };
    let FloatBody::Figure(image) = &float.body else { panic!("a picture is a figure") };
    assert_eq!(
        (float.number.as_deref(), image.alt.as_str(), image.name.as_str()),
        (Some("1.1"), "A cat", "cat")
    );
    assert!(matches!(&image.data, ImageData::File { extension, .. } if extension == "svg"));
    assert!(body(&document).contains("⟨Figure\u{a0}1.1 → 1#fig-cat⟩"));
    assert_eq!(codes(&diagnostics), ["image"]);
}

fn figure(label: Option<&str>) -> Artifact {
    let points = vec![(Float(1.0), Float(2.0)), (Float(2.0), Float(3.0))];
    let line = Series { name: String::new(), kind: SeriesKind::Line { points } };
    let axis = || Axis { label: "x".into(), scale: Scale::Linear, range: None };
    Artifact::Figure(Figure {
        plots: vec![Plot { title: None, x: axis(), y: axis(), series: vec![line] }],
        caption: Some("From <b>code</b>".into()),
        label: label.map(Into::into),
        alt: None,
    })
}

fn table() -> Artifact {
    let column = Column { heading: "time".into(), unit: Some("ms".into()), align: Align::Right };
    Artifact::Table(Table {
        columns: vec![column],
        rows: vec![vec!["<1>".into()]],
        caption: None,
        label: None,
    })
}

const CELLS: &str = "# A\n\n```rust,cell\n//| label: fig-e\n//| caption: The *error*\n//| alt: falls\n//| echo: false\n1;\n```\n\n\
                     ```rust,cell\n2;\n```\n\n@fig-e [1](claim:x) [fine](claim:agree)\n";

#[test]
fn outputs_of_a_cell_have_captions_labels_and_claims() {
    let output = CellOutput {
        artifacts: vec![
            table(),
            figure(None),
            Artifact::Check(check("agree", CheckStatus::Passed, &[])),
        ],
        values: values([("x", integer(1))]).values,
    };
    let (document, diagnostics) = Report::of(CELLS).cell("1/fig-e", output).build();
    assert_eq!(codes(&diagnostics), [""; 0]);
    let Block::Cell(cell) = &document.chapters[0].blocks[0] else { panic!("a cell comes first") };
    assert_eq!(
        (cell.name.as_str(), cell.label.as_deref(), cell.code.is_none(), &cell.state),
        ("Cell 1", Some("fig-e"), true, &CellState::Done)
    );
    assert_eq!(cell.claims, [0, 1]);
    let [Output::Float(table), Output::Float(figure), Output::Check(check)] =
        cell.outputs.as_slice()
    else {
        panic!("{:?}", cell.outputs)
    };
    assert_eq!(table.number.as_deref(), Some("1.1"));
    assert_eq!(table.anchor, "fig-e-2");
    assert_eq!((figure.number.as_deref(), figure.anchor.as_str()), (Some("1.1"), "fig-e"));
    assert_eq!(text(&figure.caption), "The *error*");
    let FloatBody::Table(body) = &table.body else { panic!("a table") };
    assert_eq!((text(&body.header[0]), text(&body.rows[0][0])), ("time (ms)".into(), "<1>".into()));
    let FloatBody::Figure(image) = &figure.body else { panic!("a figure") };
    assert_eq!((image.alt.as_str(), image.name.as_str()), ("falls", "fig-e"));
    assert_eq!(
        (check.outcome, check.evidence.as_str()),
        (CheckOutcome::Passed, "tested on 13 cases")
    );
}

#[test]
fn a_check_fails_as_expected_if_every_claim_on_it_says_so() {
    let outcome = |claims: &str| {
        let text = format!("# A\n\n```rust,cell\n1;\n```\n\n[a](claim:other) {claims}\n");
        let output = artifacts(["agree", "other"].map(|name| {
            let failed = name == "agree";
            let status = if failed { CheckStatus::Failed } else { CheckStatus::Passed };
            Artifact::Check(check(name, status, &[]))
        }));
        let (document, _) = Report::of(&text).cell("1/cell-1", output).build();
        let Block::Cell(cell) = &document.chapters[0].blocks[0] else { panic!("a cell") };
        let Output::Check(check) = &cell.outputs[0] else { panic!("a check") };
        check.outcome
    };
    assert_eq!(outcome("[b](claim:agree \"refuted\")"), CheckOutcome::FailedAsExpected);
    assert_eq!(
        outcome("[b](claim:agree \"refuted\") [c](claim:agree)"),
        CheckOutcome::Failed,
        "another claim says that it holds"
    );
    assert_eq!(outcome(""), CheckOutcome::Failed, "nobody said so");
}

#[test]
fn a_cell_that_did_not_run_keeps_its_number() {
    let (document, diagnostics) =
        Report::of(&format!("{CELLS}\n![x](cat.svg){{#fig-cat}}\n\n@fig-late @fig-cat\n"))
            .status("1/fig-e", CellStatus::NotRun(Reason::NeedsDevice, "no GPU".into()))
            .cell("1/cell-2", artifacts([figure(Some("fig-late"))]))
            .build();
    let body = body(&document);
    assert!(body.contains("⟨Figure\u{a0}1.1 → 1#1-fig-e⟩"), "{body}");
    assert!(
        body.contains("⟨Figure\u{a0}1.2 → 1#fig-late⟩ ⟨Figure\u{a0}1.3 → 1#fig-cat⟩"),
        "{body}"
    );
    // The picture is not there, and no cell's code names what the claims speak of.
    assert_eq!(codes(&diagnostics), ["image", "unknown-claim", "unknown-claim"]);
    let Block::Cell(cell) = &document.chapters[0].blocks[0] else { panic!("a cell comes first") };
    assert_eq!(cell.state, CellState::NotRun("no GPU".into()));
}

#[test]
fn raw_html_is_text_and_comments_are_not_shown() {
    let (document, _) =
        Report::of("# A\n\n<!-- for authors -->\n\n<script>x</script>\n\na <b>c</b> <!-- d -->\n")
            .build();
    let body = body(&document);
    assert!(!body.contains("authors") && !body.contains("d -->"), "{body}");
    assert!(body.contains("<script>x</script>") && body.contains("a <b>c</b>"), "{body}");
}

#[test]
fn a_formula_that_cannot_be_shown_is_told_at_its_place() {
    let (document, diagnostics) = Report::of(
        "# A\n\nlet $x = \\notacommand$ be\n\n$$\ny = \\notacommand\n$$ {#eq-y}\n\n@eq-y\n",
    )
    .build();
    assert_eq!(codes(&diagnostics), ["math", "math"]);
    let places: Vec<String> = diagnostics
        .iter()
        .filter_map(|found| Some(found.span.as_ref()?.text().to_owned()))
        .collect();
    assert_eq!(places, ["\\notacommand", "\\notacommand"]);
    assert!(body(&document).contains("⟨problem x = \\notacommand:"), "{}", body(&document));
}

#[test]
fn nothing_published_can_break_the_walk() {
    let deep = "> ".repeat(3000) + "x";
    let long = format!("# A\n\n{deep}\n\n{}\n", "[".repeat(5000));
    let (_, _) = Report::of(&long).build();
    let odd = Value::Rational { numerator: "x".into(), denominator: "0".into() };
    let (document, _) =
        Report::of("# A\n```rust,cell\n1;\n```\n[1](claim:x) {{ x | fixed(200) }}\n")
            .cell("1/cell-1", values([("x", odd)]))
            .build();
    assert_eq!(document.claims[0].verdict.word(), "error");
}
