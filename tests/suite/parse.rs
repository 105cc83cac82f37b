//! What chapters and settings are understood as.

use std::fmt::Write as _;

use veracity::config;
use veracity::diag::Diagnostic;
use veracity::parse::{self, Block, CitationForm, Code, Inline};
use veracity::span::{Source, Span};

use crate::corpus;

#[test]
fn corpus() {
    corpus::run("corpus/parse", |case| match case.language {
        "md" => chapter(&case.input),
        "yaml" => report(&case.input),
        other => panic!("a case cannot be in `{other}`"),
    });
}

fn chapter(text: &str) -> String {
    let (chapter, diagnostics) = parse::chapter(Source::new("a.md", text));
    let mut out = String::new();
    if chapter.front != Default::default() {
        let _ = writeln!(out, "{:?}", chapter.front);
    }
    let mut printer = Printer { chapter: &chapter, out, depth: 0 };
    printer.blocks(&chapter.blocks);
    printer.out + &problems(&diagnostics)
}

fn report(text: &str) -> String {
    let (config, diagnostics) = config::report(&Source::new("report.yaml", text));
    let config = config.map(|config| format!("{config:#?}\n")).unwrap_or_default();
    config + &problems(&diagnostics)
}

fn problems(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for found in diagnostics {
        let severity = format!("{:?}", found.severity).to_lowercase();
        let at = found.span.as_ref().map(place).unwrap_or_default();
        let _ = writeln!(out, "{severity}[{}] {at} {}", found.code, found.message);
        for (span, words) in &found.related {
            let _ = writeln!(out, "    {} {words}", place(span));
        }
        for line in found.notes.iter().chain(&found.hint) {
            let _ = writeln!(out, "    {line}");
        }
    }
    out
}

fn place(span: &Span) -> String {
    let position = span.position();
    assert!(span.source.text().get(span.range.clone()).is_some(), "{:?}", span.range);
    format!("{}:{} {:?}", position.line, position.column, span.text())
}

/// Writes blocks as indented lines, with the place of what has one.
struct Printer<'a> {
    chapter: &'a parse::Chapter,
    out: String,
    depth: usize,
}

impl Printer<'_> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{:indent$}{text}", "", indent = 2 * self.depth);
    }

    fn nested(&mut self, title: &str, blocks: &[Block]) {
        self.line(title);
        self.depth += 1;
        self.blocks(blocks);
        self.depth -= 1;
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { level, label, content, .. } => {
                self.line(&format!("h{level}{} {}", hash(label), inlines(content)));
            }
            Block::Paragraph(content) => self.line(&format!("p {}", inlines(content))),
            Block::List { start, items } => {
                self.line(&start.map_or("ul".to_owned(), |start| format!("ol {start}")));
                self.depth += 1;
                for item in items {
                    let task = item.task.map_or("", |done| if done { " done" } else { " open" });
                    self.nested(&format!("li{task}"), &item.blocks);
                }
                self.depth -= 1;
            }
            Block::Quote(blocks) => self.nested("quote", blocks),
            Block::Callout { kind, blocks } => self.nested(&format!("callout {kind:?}"), blocks),
            Block::Code { language, text } => self.line(&format!("code {language:?} {text:?}")),
            Block::Cell(index) => {
                let cell = &self.chapter.cells[*index];
                let options = &cell.options;
                let mut words = vec![format!("cell {}", cell.id)];
                words.extend(options.caption.iter().map(|c| format!("caption={}", inlines(c))));
                words.extend(options.alt.iter().map(|alt| format!("alt={alt:?}")));
                words.extend(options.echo.iter().map(|echo| format!("echo={echo:?}")));
                words.extend(options.timeout.iter().map(|time| format!("timeout={time:?}")));
                if options.needs != Default::default() {
                    words.push(format!("{:?}", options.needs));
                }
                if !options.data.is_empty() {
                    words.push(format!("data={:?}", options.data));
                }
                if options.measured {
                    words.push("measured".to_owned());
                }
                self.line(&words.join(" "));
                self.code(&cell.code);
            }
            Block::Module(index) => {
                let module = &self.chapter.modules[*index];
                self.line(&format!("module echo={:?}", module.echo));
                self.code(&module.code);
            }
            Block::Equation(equation) => {
                let claim = equation.claim.as_ref().map(|claim| {
                    format!(
                        " claim={} relation={:?} at {}",
                        claim.name,
                        claim.relation,
                        place(&claim.span)
                    )
                });
                let latex = &equation.latex;
                let title = format!("equation{} {latex:?}", hash(&equation.label));
                let at = (equation.span.text() != latex)
                    .then(|| format!(" at {}", place(&equation.span)));
                self.line(&(title + &at.unwrap_or_default() + &claim.unwrap_or_default()));
            }
            Block::Table { align, header, rows, caption, label, .. } => {
                let caption = caption.as_ref().map(|c| format!(" {}", inlines(c)));
                self.line(&format!(
                    "table{}{} {align:?}",
                    hash(label),
                    caption.unwrap_or_default()
                ));
                self.depth += 1;
                for row in std::iter::once(header).chain(rows) {
                    let cells: Vec<String> = row.iter().map(|cell| inlines(cell)).collect();
                    self.line(&format!("| {} |", cells.join(" | ")));
                }
                self.depth -= 1;
            }
            Block::Figure { target, caption, label, alt, .. } => self.line(&format!(
                "figure{} {target} alt={alt:?} {}",
                hash(label),
                inlines(caption)
            )),
            Block::Footnote { name, blocks, .. } => {
                self.nested(&format!("footnote {name}"), blocks)
            }
            Block::Rule => self.line("rule"),
            Block::Html(text) => self.line(&format!("html {text:?}")),
        }
    }

    fn code(&mut self, code: &Code) {
        for (line, offset) in code.text.lines().zip(&code.line_offsets) {
            let at = self.chapter.source.position(*offset);
            let shown = format!("  {}:{} {line}", at.line, at.column);
            self.line(&shown);
        }
    }
}

fn hash(label: &Option<String>) -> String {
    label.as_ref().map(|label| format!(" #{label}")).unwrap_or_default()
}

fn inlines(content: &[Inline]) -> String {
    content.iter().map(inline).collect()
}

/// Angle brackets hold what is not text; spans are shown where they must be exact.
fn inline(inline: &Inline) -> String {
    match inline {
        Inline::Text(text) => text.clone(),
        Inline::Emphasis(content) => format!("<em {}>", inlines(content)),
        Inline::Strong(content) => format!("<strong {}>", inlines(content)),
        Inline::Strikethrough(content) => format!("<s {}>", inlines(content)),
        Inline::Code(text) => format!("<code {text:?}>"),
        Inline::Math { latex, span } => {
            let at = (span.text() != latex).then(|| format!(" at {}", place(span)));
            format!("<math {latex:?}{}>", at.unwrap_or_default())
        }
        Inline::Link { target, title, content, .. } => {
            format!("<link {target:?} {title:?} {}>", inlines(content))
        }
        Inline::Claim { claim, content } => format!(
            "<claim {} {:?} {:?} {} at {}>",
            claim.name,
            claim.text,
            claim.relation,
            inlines(content),
            place(&claim.span)
        ),
        Inline::Image { target, alt, .. } => format!("<image {target} {alt:?}>"),
        Inline::Footnote { name, .. } => format!("<note {name}>"),
        Inline::Reference { label, span } => format!("<ref {label} at {}>", place(span)),
        Inline::Citation { items, form, span } => {
            let form = match form {
                CitationForm::Bracketed => "cite",
                CitationForm::Narrative => "narrative",
            };
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    let (first, last) = (item.key.chars().next(), item.key.chars().next_back());
                    assert_eq!(
                        (item.span.text().chars().next(), item.span.text().chars().next_back()),
                        (first, last)
                    );
                    format!("{:?} {} {:?}", item.prefix, item.key, item.locator)
                })
                .collect();
            format!("<{form} {} at {}>", items.join("; "), place(span))
        }
        Inline::Value { expression, span } => format!("<value {expression:?} at {}>", place(span)),
        Inline::Html(text) => format!("<html {text:?}>"),
        Inline::SoftBreak => "⏎".to_owned(),
        Inline::HardBreak => "<br>".to_owned(),
    }
}

/// A number generator, so that the same inputs are tried each time.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("it is below a usize")
    }
}

const PIECES: [&str; 56] = [
    "a",
    " ",
    "\n",
    "\n\n",
    "*",
    "**",
    "_",
    "`",
    "```",
    "```rust,cell\n",
    "//| ",
    "label: fig-x",
    "$",
    "$$",
    "{",
    "}",
    "{{",
    "}}",
    "{#",
    "#",
    "# ",
    "[",
    "]",
    "(",
    ")",
    "](claim:x)",
    "[^",
    "!",
    "<",
    ">",
    "> ",
    "- ",
    "1. ",
    "|",
    "|-|-|",
    "@",
    "@fig-x",
    "@k",
    ";",
    ":",
    ": ",
    "\\",
    "\r\n",
    "\t",
    "---\n",
    "<!--",
    "-->",
    "é",
    "\u{feff}",
    "\0",
    "\u{1}",
    "&amp;",
    "\"",
    "'",
    "~~",
    "[!NOTE]",
];

#[test]
fn any_mixture_of_syntax_is_parsed() {
    let mut below = numbers();
    for _ in 0..4000 {
        let length = below(40);
        let text: String = (0..length).map(|_| PIECES[below(PIECES.len())]).collect();
        let parsed = std::panic::catch_unwind(|| {
            chapter(&text);
            report(&text);
        });
        assert!(parsed.is_ok(), "{text:?}");
    }
}

#[test]
fn random_text_is_parsed() {
    let mut below = numbers();
    for _ in 0..200 {
        let bytes: Vec<u8> =
            (0..500).map(|_| u8::try_from(below(256)).expect("it is a byte")).collect();
        let text = String::from_utf8_lossy(&bytes);
        chapter(&text);
        report(&text);
    }
}

#[test]
fn deep_nesting_is_flattened() {
    for opener in [
        "> ", ">", "[", "![", "- ", "*a ", "**a _b ", "1. ", "{", "{{", "$$", "$", "(", "\"",
        "~~a ", "@", "[@", "[^", "`", "<", "<!--", "|", "\\[", "{#",
    ] {
        let text = opener.repeat(10_000) + "x\n";
        let (chapter, _) = parse::chapter(Source::new("a.md", text.as_str()));
        assert!(deepest(&chapter.blocks) < 200, "{opener}");
    }
    let many = "> ".repeat(200) + "text\n";
    let (_, diagnostics) = parse::chapter(Source::new("a.md", many));
    assert_eq!(
        diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(),
        ["nesting-too-deep"]
    );
}

fn deepest(blocks: &[Block]) -> usize {
    let inside = |block: &Block| match block {
        Block::Quote(blocks) | Block::Callout { blocks, .. } | Block::Footnote { blocks, .. } => {
            deepest(blocks)
        }
        Block::List { items, .. } => {
            items.iter().map(|item| deepest(&item.blocks)).max().unwrap_or(0)
        }
        _ => 0,
    };
    1 + blocks.iter().map(inside).max().unwrap_or(0)
}
