//! The resolved report: everything that both outputs show, decided once.
//!
//! In: nothing; these are types, filled by [`crate::resolve`]. Out: a tree without open
//! questions: every number is given, every reference points at an anchor, every verdict is
//! passed. Renderers translate it and decide nothing but looks.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::claims::Judged;
use crate::coverage::Coverage;
use crate::math::Math;
use crate::parse::{CalloutKind, ColumnAlign};
use crate::passages::Passage;
use crate::words::Words;

/// A whole report, ready to be rendered.
#[derive(Clone, Debug)]
pub struct Document {
    /// Title.
    pub title: String,
    /// Authors with institutions.
    pub authors: Vec<crate::config::Author>,
    /// Language, BCP 47.
    pub language: String,
    /// What stood behind the results: profile, device, toolchain; pairs of name and words.
    pub environment: Vec<(String, String)>,
    /// What a reader must know before anything else, such as that no code was run.
    pub notice: Option<String>,
    /// Chapters in order.
    pub chapters: Vec<Chapter>,
    /// Works cited, in the order of their numbers.
    pub bibliography: Vec<Reference>,
    /// Every claim in reading order; [`Inline::Claim`] and [`Equation::claim`] index into it.
    pub claims: Vec<Judged>,
    /// What became of the numbers of each chapter.
    pub coverage: Vec<Coverage>,
    /// What settings, chapters and works cited say, in order.
    pub passages: Vec<Passage>,
    /// Digests of the files that were read for it, by path: settings, chapters, bibliography and pictures.
    pub sources: BTreeMap<String, String>,
}

impl Document {
    /// The words of its language.
    pub fn words(&self) -> Words {
        Words::of(&self.language)
    }
}

/// What a file is known by, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// One chapter.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// Name of its page and prefix of its anchors: an anchor is unique in the whole report.
    pub slug: String,
    /// Number such as `1`.
    pub number: String,
    /// Title.
    pub title: Vec<Inline>,
    /// Anchor of the title.
    pub anchor: String,
    /// Content below the title.
    pub blocks: Vec<Block>,
    /// Footnotes in the order of their numbers.
    pub footnotes: Vec<Footnote>,
    /// Problems that the reader must know of, such as a cell that failed.
    pub problems: Vec<String>,
}

impl Chapter {
    /// Every block at whatever depth, in order; those of footnotes come last.
    pub fn all_blocks(&self) -> Vec<&Block> {
        fn add<'a>(blocks: &'a [Block], found: &mut Vec<&'a Block>) {
            for block in blocks {
                found.push(block);
                match block {
                    Block::Quote(blocks) | Block::Callout { blocks, .. } => add(blocks, found),
                    Block::List { items, .. } => {
                        items.iter().for_each(|item| add(&item.blocks, found));
                    }
                    Block::Heading { .. }
                    | Block::Paragraph(_)
                    | Block::Code { .. }
                    | Block::Module { .. }
                    | Block::Cell(_)
                    | Block::Equation(_)
                    | Block::Float(_)
                    | Block::Rule
                    | Block::Problem { .. } => {}
                }
            }
        }
        let mut found = Vec::new();
        add(&self.blocks, &mut found);
        self.footnotes.iter().for_each(|note| add(&note.blocks, &mut found));
        found
    }
}

/// A note at the foot of a chapter.
#[derive(Clone, Debug)]
pub struct Footnote {
    /// Number from 1 in its chapter.
    pub number: usize,
    /// Anchor of the note.
    pub anchor: String,
    /// Anchor of the first place that refers to it.
    pub back: String,
    /// Content.
    pub blocks: Vec<Block>,
}

/// A work cited.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Number from 1.
    pub number: usize,
    /// Anchor.
    pub anchor: String,
    /// The formatted entry.
    pub content: Vec<Inline>,
}

/// A block.
#[derive(Clone, Debug)]
pub enum Block {
    /// A heading below the chapter's title.
    Heading { level: u8, number: String, anchor: String, content: Vec<Inline> },
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list, numbered from `start` if that is present.
    List { start: Option<u64>, items: Vec<ListItem> },
    /// A quotation.
    Quote(Vec<Block>),
    /// A callout.
    Callout { kind: CalloutKind, blocks: Vec<Block> },
    /// Code that is only shown.
    Code { language: String, text: String },
    /// Items that cells of the chapter use.
    Module { anchor: String, code: CodeView },
    /// A cell with what it put out.
    Cell(Cell),
    /// A displayed equation.
    Equation(Equation),
    /// A table or figure that the author wrote.
    Float(Float),
    /// A thematic break.
    Rule,
    /// Something that could not be shown, with the reason; the source stands in `source`.
    Problem { message: String, source: String },
}

/// An item of a list.
#[derive(Clone, Debug)]
pub struct ListItem {
    /// Ticked or not, for a task list.
    pub task: Option<bool>,
    /// Content.
    pub blocks: Vec<Block>,
}

/// A cell with what it put out.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Anchor.
    pub anchor: String,
    /// Words for people, such as `Cell 3`; unique in its chapter.
    pub name: String,
    /// The author's label, such as `fig-error`.
    pub label: Option<String>,
    /// Its code, unless hidden.
    pub code: Option<CodeView>,
    /// What became of it.
    pub state: CellState,
    /// Outputs in order.
    pub outputs: Vec<Output>,
    /// Claims that rest on it: indices into [`Document::claims`].
    pub claims: Vec<usize>,
    /// Whether its results depend on the clock of the machine.
    pub measured: bool,
}

/// Code as a reader sees it.
#[derive(Clone, Debug)]
pub struct CodeView {
    /// The code.
    pub text: String,
    /// Whether it is behind a control that unfolds it.
    pub folded: bool,
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum CellState {
    /// It ran to its end.
    Done,
    /// It failed, with the message for readers.
    Failed(String),
    /// It did not run, with the reason for readers.
    NotRun(String),
}

/// One output of a cell.
#[derive(Clone, Debug)]
pub enum Output {
    /// A table or figure.
    Float(Float),
    /// A check.
    Check(CheckView),
    /// A file for download.
    File(Attachment),
    /// Text, verbatim.
    Text(String),
    /// Standard output, verbatim.
    Stdout(String),
    /// Standard error, verbatim.
    Stderr(String),
}

/// A file that a cell put out.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Name of the file, unique in the report, in ASCII.
    pub name: String,
    /// What it holds; a report that is rendered from a record may not have it.
    pub bytes: Option<Bytes>,
    /// How many bytes it has.
    pub size: u64,
    /// BLAKE3 of the bytes, in hexadecimal digits.
    pub digest: String,
}

/// A check as a reader sees it.
#[derive(Clone, Debug)]
pub struct CheckView {
    /// Anchor.
    pub anchor: String,
    /// Name by which claims refer to it.
    pub name: String,
    /// What was compared.
    pub statement: String,
    /// Passed, failed or vacuous.
    pub outcome: CheckOutcome,
    /// What the outcome rests on, such as `proved: 3 points suffice for degree 2`.
    pub evidence: String,
    /// Smallest counterexample.
    pub counterexample: Option<String>,
}

/// Outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// Every comparison agreed.
    Passed,
    /// Some comparison disagreed.
    Failed,
    /// Some comparison disagreed, and every claim on the check says that it must.
    FailedAsExpected,
    /// Nothing was compared.
    Vacuous,
}

/// A displayed equation.
#[derive(Clone, Debug)]
pub struct Equation {
    /// Anchor.
    pub anchor: String,
    /// Number such as `1.2`, if it can be referred to.
    pub number: Option<String>,
    /// The formula.
    pub math: Math,
    /// The claim it makes: index into [`Document::claims`].
    pub claim: Option<usize>,
}

/// A numbered table or figure.
#[derive(Clone, Debug)]
pub struct Float {
    /// Anchor.
    pub anchor: String,
    /// Number such as `1.2`; absent for an output without label and caption.
    pub number: Option<String>,
    /// Caption.
    pub caption: Vec<Inline>,
    /// What it holds.
    pub body: FloatBody,
}

/// Content of a [`Float`].
#[derive(Clone, Debug)]
pub enum FloatBody {
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Image),
}

/// A table as a reader sees it.
#[derive(Clone, Debug)]
pub struct Table {
    /// Alignment of each column.
    pub align: Vec<ColumnAlign>,
    /// Heading of each column.
    pub header: Vec<Vec<Inline>>,
    /// Rows.
    pub rows: Vec<Vec<Vec<Inline>>>,
}

/// A picture.
#[derive(Clone, Debug)]
pub struct Image {
    /// Base name for the files of the picture, unique in the report, without ending.
    pub name: String,
    /// The picture itself.
    pub data: ImageData,
    /// Description for people who cannot see it; never empty.
    pub alt: String,
    /// The data behind it as CSV.
    pub csv: Option<String>,
}

/// Bytes of a picture.
#[derive(Clone, Debug)]
pub enum ImageData {
    /// Drawn by us: one picture on a light ground, one on a dark one.
    Drawn { light: Arc<str>, dark: Arc<str> },
    /// A file of the author's, with its ending (`png`, `jpg`, `gif`, `svg` or `webp`).
    File { bytes: Bytes, extension: String },
}

/// Something inside a paragraph.
#[derive(Clone, Debug)]
pub enum Inline {
    /// Text.
    Text(String),
    /// Emphasis.
    Emphasis(Vec<Inline>),
    /// Strong emphasis.
    Strong(Vec<Inline>),
    /// Struck text.
    Strikethrough(Vec<Inline>),
    /// Code.
    Code(String),
    /// A formula.
    Math(Math),
    /// A link to an address that is safe to follow (http, https, mailto, or a relative path).
    Link { target: String, title: String, content: Vec<Inline> },
    /// A link to an anchor of this report; `page` is the slug of the chapter that holds it,
    /// or `None` for the bibliography.
    Jump { page: Option<String>, anchor: String, content: Vec<Inline> },
    /// A claim: index into [`Document::claims`], with the author's words.
    Claim { claim: usize, content: Vec<Inline> },
    /// A number that needs no evidence, with the author's reason.
    Exempt { reason: String, content: Vec<Inline> },
    /// A published value, formatted.
    Value { text: String, name: String },
    /// An image among words.
    Image(Image),
    /// A mark that refers to a footnote.
    FootnoteMark { number: usize, anchor: String, note: String },
    /// Something that could not be shown: words that say so.
    Problem(String),
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
            | Self::Jump { content, .. }
            | Self::Exempt { content, .. }
            | Self::Claim { content, .. } => content,
            Self::Text(_)
            | Self::Code(_)
            | Self::Math(_)
            | Self::Value { .. }
            | Self::Image(_)
            | Self::FootnoteMark { .. }
            | Self::Problem(_)
            | Self::SoftBreak
            | Self::HardBreak => &[],
        }
    }
}

/// A part of what content says.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// Words without any form.
    Words(&'a str),
    /// A formula.
    Formula(&'a Math),
}

/// What content says, without its form: words and formulas, in order.
pub fn pieces(content: &[Inline]) -> Vec<Piece<'_>> {
    fn add<'a>(content: &'a [Inline], found: &mut Vec<Piece<'a>>) {
        for inline in content {
            match inline {
                Inline::Text(words)
                | Inline::Code(words)
                | Inline::Problem(words)
                | Inline::Value { text: words, .. } => found.push(Piece::Words(words)),
                Inline::Math(math) => found.push(Piece::Formula(math)),
                Inline::Image(image) => found.push(Piece::Words(&image.alt)),
                Inline::SoftBreak | Inline::HardBreak => found.push(Piece::Words(" ")),
                form => add(form.content(), found),
            }
        }
    }
    let mut found = Vec::new();
    add(content, &mut found);
    found
}

/// What content says, as plain text, formulas as LaTeX.
pub fn plain_text(content: &[Inline]) -> String {
    let text = |piece| match piece {
        Piece::Words(words) => words,
        Piece::Formula(math) => math.latex(),
    };
    pieces(content).into_iter().map(text).collect()
}
