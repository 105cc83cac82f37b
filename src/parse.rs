//! Markdown to blocks that remember where they stand.
//!
//! In: the text of one chapter. Out: a [`Chapter`] and diagnostics; parsing never fails.
//! Left out: numbers, cross references and everything else that needs a second chapter or
//! a run of the code, which are [`crate::resolve`]'s.

mod attributes;
mod blocks;
mod context;
mod fence;
mod frames;
mod inline;
mod labels;
mod paragraph;
pub(crate) mod prose;
mod shield;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::config;
use crate::diag::Diagnostic;
use crate::memo::{Input, Memo};
use crate::span::{Source, Span};

/// Parses one Markdown file. Whatever is wrong with it is told beside the chapter, which holds
/// everything that could be understood.
///
/// What has been parsed before is remembered, its source included.
pub fn chapter(source: Source) -> (Chapter, Vec<Diagnostic>) {
    static KNOWN: Memo<(Chapter, Vec<Diagnostic>)> = Memo::new(1 << 20);
    let input = Input::of([source.path().as_bytes(), source.text().as_bytes()]);
    KNOWN.get(input, || {
        let size = source.text().len();
        (parsed(source), size)
    })
}

fn parsed(source: Source) -> (Chapter, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let (front, body) = front_matter(&source, &mut diagnostics);
    let text = &source.text()[body..];
    let parsed = blocks::parse(text, context::Origin::shifted(&source, body), &mut diagnostics);
    let slug = slug(source.path());
    diagnostics.sort_by_key(|found| found.span.as_ref().map_or(0, |span| span.range.start));
    let blocks::Parsed { blocks, cells, modules } = parsed;
    (Chapter { source, body, slug, front, blocks, cells, modules }, diagnostics)
}

/// What inlines say without any form: formulas as their LaTeX, references as they are written.
pub fn plain_text(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in Inline::all(inlines) {
        match inline {
            Inline::Text(text) | Inline::Code(text) | Inline::Html(text) => out.push_str(text),
            Inline::Math { latex, .. } => out.push_str(latex),
            Inline::Image { alt, .. } => out.push_str(alt),
            Inline::Reference { span, .. }
            | Inline::Citation { span, .. }
            | Inline::Value { span, .. } => out.push_str(span.text()),
            Inline::SoftBreak | Inline::HardBreak => out.push(' '),
            Inline::Footnote { .. }
            | Inline::Emphasis(_)
            | Inline::Strong(_)
            | Inline::Strikethrough(_)
            | Inline::Link { .. }
            | Inline::Claim { .. } => {}
        }
    }
    out
}

/// Whether raw HTML is nothing but a comment, which readers do not see.
pub(crate) fn is_comment(html: &str) -> bool {
    html.trim()
        .strip_prefix("<!--")
        .and_then(|rest| rest.strip_suffix("-->"))
        .is_some_and(|inside| !inside.contains("-->"))
}

/// Cuts off the YAML at the top; gives the offset of what follows it.
fn front_matter(source: &Source, diagnostics: &mut Vec<Diagnostic>) -> (FrontMatter, usize) {
    let text = source.text();
    let top = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let is_fence = |line: &str, fence: &str| line.trim_end() == fence;
    let mut lines = text[top..].split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_fence(line, "---")) else {
        return (FrontMatter::default(), top);
    };
    let start = top + first.len();
    let mut end = start;
    for line in lines {
        if is_fence(line, "---") || is_fence(line, "...") {
            let (front, found) = config::front_matter(source, &Code::verbatim(text, start..end));
            diagnostics.extend(found);
            return (front, end + line.len());
        }
        end += line.len();
    }
    let next = text[start..].lines().next().unwrap_or_default();
    if next.contains(": ") || next.trim_end().ends_with(':') {
        diagnostics.push(
            Diagnostic::error(
                "unclosed-front-matter",
                "the front matter is never closed",
                source.span(top..top + "---".len()),
            )
            .hint("end it with a line `---`"),
        );
    }
    (FrontMatter::default(), top)
}

/// The file's stem as it can stand in folders, links and identifiers.
fn slug(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let words: Vec<String> = stem
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { "chapter".to_owned() } else { words.join("-") }
}

/// One parsed Markdown file.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// The file.
    pub source: Source,
    /// Where what follows the front matter begins.
    pub body: usize,
    /// Name for folders, links and identifiers: the file's stem, in lower case, with `-`.
    pub slug: String,
    /// The YAML at the top.
    pub front: FrontMatter,
    /// Everything below it.
    pub blocks: Vec<Block>,
    /// Cells in order; [`Block::Cell`] refers to them by index.
    pub cells: Vec<Cell>,
    /// Module blocks in order; [`Block::Module`] refers to them by index.
    pub modules: Vec<Module>,
}

impl Chapter {
    /// Every block at whatever depth, in order.
    pub fn all_blocks(&self) -> Vec<&Block> {
        fn add<'a>(blocks: &'a [Block], found: &mut Vec<&'a Block>) {
            for block in blocks {
                found.push(block);
                match block {
                    Block::Quote(blocks)
                    | Block::Callout { blocks, .. }
                    | Block::Footnote { blocks, .. } => add(blocks, found),
                    Block::List { items, .. } => {
                        items.iter().for_each(|item| add(&item.blocks, found));
                    }
                    Block::Heading { .. }
                    | Block::Paragraph(_)
                    | Block::Code { .. }
                    | Block::Cell(_)
                    | Block::Module(_)
                    | Block::Equation(_)
                    | Block::Table { .. }
                    | Block::Figure { .. }
                    | Block::Rule
                    | Block::Html(_) => {}
                }
            }
        }
        let mut found = Vec::new();
        add(&self.blocks, &mut found);
        found
    }

    /// Every displayed equation, in order, at whatever depth.
    pub fn equations(&self) -> Vec<&Equation> {
        let blocks = self.all_blocks().into_iter();
        blocks
            .filter_map(|block| match block {
                Block::Equation(equation) => Some(equation),
                _ => None,
            })
            .collect()
    }
}

/// YAML front matter of a chapter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrontMatter {
    /// Title; the first level-1 heading if absent.
    pub title: Option<String>,
    /// TeX macros for all formulas of the chapter, by name with backslash.
    pub macros: BTreeMap<String, String>,
    /// Defaults for the options of the chapter's cells.
    pub cells: CellDefaults,
}

/// Defaults that front matter may set for all cells of a chapter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellDefaults {
    /// See [`CellOptions::echo`].
    pub echo: Option<Echo>,
    /// See [`CellOptions::timeout`].
    pub timeout: Option<Duration>,
}

/// Statements that run in order, from a fence tagged `rust,cell`.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Unique in the chapter: the label, or `cell-` and its number from 1.
    pub id: String,
    /// The code without its option lines.
    pub code: Code,
    /// What its `//|` lines say.
    pub options: CellOptions,
    /// The whole fenced block.
    pub span: Span,
}

/// Items for the chapter's library crate, from a fence tagged `rust,module`.
#[derive(Clone, Debug)]
pub struct Module {
    /// The code without its option lines.
    pub code: Code,
    /// How it is shown.
    pub echo: Option<Echo>,
    /// The whole fenced block.
    pub span: Span,
}

/// Code with the origin of each of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code, lines ending in `\n`.
    pub text: String,
    /// Byte offset in the chapter of the first character of each line of `text`.
    pub line_offsets: Vec<usize>,
}

impl Code {
    /// Lines that stand in a file one after the other.
    pub(crate) fn verbatim(file: &str, range: Range<usize>) -> Self {
        let text = file[range.clone()].to_owned();
        let mut line_offsets = vec![range.start];
        line_offsets.extend(text.match_indices('\n').map(|(at, _)| range.start + at + 1));
        Self { text, line_offsets }
    }

    /// Byte offset in the chapter of a byte of `text`.
    pub fn offset(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count();
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        match (self.line_offsets.get(line), self.line_offsets.last()) {
            (Some(offset), _) => offset + (before.len() - start),
            (None, Some(last)) => last + self.text.lines().last().map_or(0, str::len),
            (None, None) => 0,
        }
    }
}

/// Options of a cell, from YAML on its leading `//|` lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellOptions {
    /// Label for cross references, such as `fig-error`.
    pub label: Option<String>,
    /// Caption of the output, in Markdown.
    pub caption: Option<Vec<Inline>>,
    /// Description of a figure for people who cannot see it.
    pub alt: Option<String>,
    /// Whether and how the code is shown; the report's default if absent.
    pub echo: Option<Echo>,
    /// Longest time that the cell may run; the report's default if absent.
    pub timeout: Option<Duration>,
    /// What must be at hand for the cell to run.
    pub needs: Needs,
    /// Data sets that the cell reads if they are at hand, in order.
    pub data: Vec<String>,
    /// Whether the result depends on the clock of the machine and so differs between runs.
    pub measured: bool,
}

impl CellOptions {
    /// The data sets that the cell declares, whether it can do without them or not, each once.
    pub fn datasets(&self) -> impl Iterator<Item = &str> {
        let needed = self.needs.dataset.iter().filter(|name| !self.data.contains(name));
        self.data.iter().chain(needed).map(String::as_str)
    }
}

/// Whether and how code is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// In full.
    Show,
    /// Behind a control that unfolds it.
    Fold,
    /// Not at all.
    Hide,
}

/// What must be at hand for a cell to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Data set of the manifest.
    pub dataset: Option<String>,
    /// Profile.
    pub profile: Option<String>,
    /// Device.
    pub device: Option<String>,
}

/// A block of a chapter.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// `# Title {#sec-x}`
    Heading { level: u8, label: Option<String>, content: Vec<Inline>, span: Span },
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list, numbered from `start` if that is present.
    List { start: Option<u64>, items: Vec<ListItem> },
    /// `> text`
    Quote(Vec<Block>),
    /// `> [!NOTE]`
    Callout { kind: CalloutKind, blocks: Vec<Block> },
    /// Code that is only shown.
    Code { language: String, text: String },
    /// A cell, by its index in [`Chapter::cells`].
    Cell(usize),
    /// A module block, by its index in [`Chapter::modules`].
    Module(usize),
    /// `$$ … $$ {#eq-x claim="y"}`
    Equation(Equation),
    /// A pipe table, with `: Caption {#tbl-x}` below it.
    Table {
        align: Vec<ColumnAlign>,
        header: Vec<Vec<Inline>>,
        rows: Vec<Vec<Vec<Inline>>>,
        caption: Option<Vec<Inline>>,
        label: Option<String>,
        aggregates: Vec<Aggregate>,
        span: Span,
    },
    /// `![Caption](f.svg){#fig-x}` as a paragraph of its own.
    Figure {
        target: String,
        caption: Vec<Inline>,
        label: Option<String>,
        alt: Option<String>,
        span: Span,
    },
    /// `[^name]: …`
    Footnote { name: String, blocks: Vec<Block>, span: Span },
    /// `---`
    Rule,
    /// Raw HTML, shown as text.
    Html(String),
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListItem {
    /// Ticked or not, for a task list.
    pub task: Option<bool>,
    /// Content.
    pub blocks: Vec<Block>,
}

/// A displayed equation.
#[derive(Clone, Debug, PartialEq)]
pub struct Equation {
    /// LaTeX between the dollars.
    pub latex: String,
    /// Label such as `eq-m`.
    pub label: Option<String>,
    /// Claim that the equation makes, from its `claim` attribute.
    pub claim: Option<ClaimSite>,
    /// The LaTeX, without the dollars.
    pub span: Span,
}

/// What the author says of the cells of a table together: `{#tbl-x best="max" total="row"}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What is said.
    pub kind: AggregateKind,
    /// Of what, as written.
    pub of: String,
    /// The whole setting.
    pub span: Span,
}

/// What is said of cells together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateKind {
    /// The best ones are bold, and no others.
    Best,
    /// The last row or column is the sum of the others.
    Total,
    /// Each cell makes the claim that belongs there.
    Cells,
}

/// Kind of a GFM alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalloutKind {
    Note,
    Tip,
    Important,
    Warning,
    Caution,
}

/// Alignment of a column of a pipe table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnAlign {
    Default,
    Left,
    Center,
    Right,
}

/// Something inside a paragraph.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Text.
    Text(String),
    /// `*emphasis*`
    Emphasis(Vec<Inline>),
    /// `**strong**`
    Strong(Vec<Inline>),
    /// `~~struck~~`
    Strikethrough(Vec<Inline>),
    /// `` `code` ``
    Code(String),
    /// `$x$`
    Math { latex: String, span: Span },
    /// A link to somewhere else.
    Link { target: String, title: String, content: Vec<Inline>, span: Span },
    /// `[asserted](claim:name "relation")`
    Claim { claim: ClaimSite, content: Vec<Inline> },
    /// An image among words.
    Image { target: String, alt: String, span: Span },
    /// `[^name]`
    Footnote { name: String, span: Span },
    /// `@fig-x`
    Reference { label: String, span: Span },
    /// `[@key, p. 3; @other]` or `@key`
    Citation { items: Vec<CitationItem>, form: CitationForm, span: Span },
    /// `{{ expression }}`
    Value { expression: String, span: Span },
    /// Raw HTML, shown as text.
    Html(String),
    /// The end of a line that is a space.
    SoftBreak,
    /// The end of a line that is kept.
    HardBreak,
}

impl Inline {
    /// The content of which it is a form; empty for what holds none.
    pub fn content(&self) -> &[Inline] {
        match self {
            Self::Emphasis(content)
            | Self::Strong(content)
            | Self::Strikethrough(content)
            | Self::Link { content, .. }
            | Self::Claim { content, .. } => content,
            Self::Text(_)
            | Self::Code(_)
            | Self::Math { .. }
            | Self::Image { .. }
            | Self::Footnote { .. }
            | Self::Reference { .. }
            | Self::Citation { .. }
            | Self::Value { .. }
            | Self::Html(_)
            | Self::SoftBreak
            | Self::HardBreak => &[],
        }
    }

    /// Every inline at whatever depth, in order; a form stands before its content.
    pub fn all(inlines: &[Inline]) -> Vec<&Inline> {
        fn add<'a>(inlines: &'a [Inline], found: &mut Vec<&'a Inline>) {
            for inline in inlines {
                found.push(inline);
                add(inline.content(), found);
            }
        }
        let mut found = Vec::with_capacity(inlines.len());
        add(inlines, &mut found);
        found
    }
}

/// A claim as the author wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimSite {
    /// Name of the value or check.
    pub name: String,
    /// What the author asserts: the link's text as plain text, or the equation's LaTeX.
    pub text: String,
    /// The link's title: the relation; empty for the default.
    pub relation: String,
    /// The whole link, or the attribute.
    pub span: Span,
}

/// One work in a citation.
#[derive(Clone, Debug, PartialEq)]
pub struct CitationItem {
    /// Key in the bibliography.
    pub key: String,
    /// Words before it, such as `see`.
    pub prefix: String,
    /// Where in the work, such as `p. 3`.
    pub locator: String,
    /// The key where it stands.
    pub span: Span,
}

/// How a citation is woven into the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CitationForm {
    /// In brackets.
    Bracketed,
    /// As a part of the sentence.
    Narrative,
}
