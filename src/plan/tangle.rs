//! Chapters to Rust source, with a way back from each generated line to the chapter.
//!
//! In: the code of cells and modules. Out: the text of a library and of a program, and a
//! [`SourceMap`] for each. The author's lines are written unchanged and at their own columns;
//! what is added stands on lines of its own, so that a place in the generated file is a place
//! in the chapter.

mod evaluation;

pub use evaluation::{Evaluation, Own, Wanted, evaluation, half_typed};

use std::ops::Range;

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use syn::spanned::Spanned;

use super::ChapterPlan;
use crate::diag::Diagnostic;
use crate::memo::{Input, Memo};
use crate::parse::{Cell, Code};
use crate::span::{Source, Span};

/// The code of a cell, cut where its trailing expression begins.
#[derive(Clone, Debug)]
pub struct Body {
    code: Code,
    tail: Tail,
    shows: Shows,
}

/// Line (from 0) and character (from 0) where a trailing expression begins, if there is one.
type Tail = Option<(usize, usize)>;

/// What becomes of a trailing expression.
#[derive(Clone, Copy, Debug)]
enum Shows {
    /// It is the cell's output.
    Output,
    /// It is shown whatever its type, and not moved.
    Answer,
}

impl Body {
    /// Cuts a cell's code.
    ///
    /// # Errors
    /// If the code cannot be cut into tokens: a delimiter that is not closed, say. Such code
    /// must not reach the program, where it would swallow the cells behind it.
    pub fn cut(cell: &Cell) -> Result<Self, Diagnostic> {
        // What can be cut is cut in the same way wherever it stands.
        static KNOWN: Memo<Option<Tail>> = Memo::new(1 << 20);
        let text = &cell.code.text;
        let known = KNOWN.get(Input::of([text.as_bytes()]), || (tail(cell).ok(), text.len()));
        let tail = known.map_or_else(|| tail(cell), Ok)?;
        Ok(Self { code: cell.code.clone(), tail, shows: Shows::Output })
    }

    /// No code.
    pub fn empty() -> Self {
        Self {
            code: Code { text: String::new(), line_offsets: Vec::new() },
            tail: None,
            shows: Shows::Output,
        }
    }

    /// The same code, whose trailing expression is shown whatever its type.
    #[must_use]
    pub fn answering(self) -> Self {
        Self { shows: Shows::Answer, ..self }
    }

    /// The code as text.
    pub fn code(&self) -> &str {
        &self.code.text
    }

    /// The code as tokens.
    pub fn tokens(&self) -> TokenStream {
        self.code.text.parse().unwrap_or_default()
    }
}

/// Where the trailing expression of a cell begins.
fn tail(cell: &Cell) -> Result<Tail, Diagnostic> {
    let tokens: TokenStream = cell.code.text.parse().map_err(|error: proc_macro2::LexError| {
        let at = place(&cell.span.source, &cell.code, error.span().start(), error.span().end());
        Diagnostic::error("cell-syntax", "this cell's code cannot be read as Rust", at)
            .label("a delimiter without its partner, or a literal without its end")
            .note("the cell is left out of the run, and so are the cells behind it")
            .hint(match cell.code.text.contains("```") {
                true => "close the block with ``` on a line of its own before the next one begins",
                false => "close what is open, or give the code a fence without `cell`",
            })
    })?;
    if is_deep(&tokens) {
        return Err(Diagnostic::error(
            "cell-syntax",
            "this cell's code is nested too deeply",
            cell.span.clone(),
        )
        .note(format!("at most {DEEPEST} delimiters may stand in one another"))
        .hint("move a part of it into a function of a module block"));
    }
    Ok(syn::parse::Parser::parse2(syn::Block::parse_within, tokens)
        .ok()
        .and_then(|statements| match statements.last()? {
            // A loop has nothing to show; one without an end has not even a value.
            syn::Stmt::Expr(
                syn::Expr::Loop(_) | syn::Expr::While(_) | syn::Expr::ForLoop(_),
                None,
            ) => None,
            syn::Stmt::Expr(expr, None) => Some(expr.span().start()),
            syn::Stmt::Macro(statement) if statement.semi_token.is_none() => {
                Some(statement.span().start())
            }
            _ => None,
        })
        .map(|LineColumn { line, column }| (line - 1, column)))
}

/// Most delimiters in one another; parsers, which recurse, fail beyond.
const DEEPEST: usize = 128;

fn is_deep(tokens: &TokenStream) -> bool {
    let mut level: Vec<TokenStream> = vec![tokens.clone()];
    for _ in 0..DEEPEST {
        let groups = level.into_iter().flatten().filter_map(|tree| match tree {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        });
        level = groups.collect();
    }
    !level.is_empty()
}

/// A generated file.
#[derive(Clone, Debug)]
pub struct Tangled {
    /// Its text.
    pub text: String,
    /// The way back.
    pub map: SourceMap,
}

/// The way back from a generated file to the chapter.
#[derive(Clone, Debug)]
pub struct SourceMap {
    source: Source,
    lines: Vec<Option<Origin>>,
}

#[derive(Clone, Debug)]
struct Origin {
    /// Cell of the chapter; none for a module block.
    cell: Option<usize>,
    /// Byte offset in the chapter of the line's first character.
    offset: usize,
    /// The line in the chapter's code, without its end.
    text: String,
}

impl SourceMap {
    /// The chapter's place for a place in the generated file, both ends by line and column
    /// from 1 in characters; none for a line that the author did not write.
    pub fn span(&self, start: (usize, usize), end: (usize, usize)) -> Option<Span> {
        let from = self.offset(start)?;
        let to = self.offset(end).filter(|to| *to >= from).unwrap_or(from);
        Some(self.source.span(from..to))
    }

    /// The cell to which a line (from 1) belongs.
    pub fn cell(&self, line: usize) -> Option<usize> {
        self.origin(line)?.cell
    }

    /// The same way back for a file in which these lines stand elsewhere: line `n` (from 0) is the
    /// line `lines[n]` of this one.
    pub fn moved(&self, lines: &[Option<usize>]) -> Self {
        let moved = |line: &Option<usize>| self.lines.get((*line)?).cloned().flatten();
        Self { source: self.source.clone(), lines: lines.iter().map(moved).collect() }
    }

    fn origin(&self, line: usize) -> Option<&Origin> {
        self.lines.get(line.checked_sub(1)?)?.as_ref()
    }

    fn offset(&self, (line, column): (usize, usize)) -> Option<usize> {
        let origin = self.origin(line)?;
        let bytes: usize =
            origin.text.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
        Some(origin.offset + bytes)
    }
}

/// The chapter's library: its module blocks one after another.
pub fn library(chapter: &ChapterPlan) -> Tangled {
    let mut writer = Writer::new(&chapter.source);
    writer.own("#[allow(unused_imports)]");
    writer.own("use ::veracity_lab::{self as lab, prelude::*};");
    for module in &chapter.modules {
        for (text, &offset) in module.text.lines().zip(&module.line_offsets) {
            writer.part(Origin { cell: None, offset, text: text.to_owned() }, 0..usize::MAX);
        }
    }
    if chapter.tests.is_some() {
        writer.own(&format!(
            "#[test] fn {MUST_FAIL}() -> ::core::result::Result<(), ::std::string::String> \
             {{ ::core::result::Result::Err(::std::env::var(\"{WORD}\").unwrap_or_default()) }}"
        ));
    }
    writer.finish()
}

/// Name of a test of ours that fails with a word: a test program that does not tell of it, because a
/// test ended it or put words into its mouth, has not run all tests.
pub const MUST_FAIL: &str = "veracity_must_fail";
/// Variable of the environment that holds the word.
pub const WORD: &str = "VERACITY_TEST_WORD";

/// The chapter's program: the given cells one after another in one function. Each cell stands in
/// a block inside that of the cell before it, so that it sees what that defines, and no cell
/// sees what a later one defines.
pub fn program(chapter: &ChapterPlan, crate_name: &str, cells: &[usize]) -> Tangled {
    let mut writer = Writer::new(&chapter.source);
    writer.own("#[allow(unused_imports)]");
    writer.own("use ::veracity_lab::{self as lab, prelude::*};");
    writer.own("#[allow(unused_imports)]");
    writer.own(&format!("use ::{crate_name}::{{self as chapter, *}};"));
    writer.own("fn main() -> ::std::process::ExitCode { ::veracity_lab::runtime::run(cells) }");
    writer.own("fn cells() -> ::core::result::Result<(), ::veracity_lab::runtime::Failure> {");
    for (position, &index) in cells.iter().enumerate() {
        writer.own("{");
        writer.own(&format!("::veracity_lab::runtime::begin({position});"));
        writer.cell(chapter, index);
    }
    writer.own("::core::result::Result::Ok(())");
    for _ in 0..=cells.len() {
        writer.own("}");
    }
    writer.finish()
}

struct Writer {
    text: String,
    source: Source,
    lines: Vec<Option<Origin>>,
}

impl Writer {
    fn new(source: &Source) -> Self {
        Self { text: String::new(), source: source.clone(), lines: Vec::new() }
    }

    /// A line that the author did not write.
    fn own(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.lines.push(None);
    }

    /// The author's line, or some of its characters with spaces for those before them.
    fn part(&mut self, origin: Origin, chars: Range<usize>) {
        self.text.extend(std::iter::repeat_n(' ', chars.start));
        self.text.extend(origin.text.chars().skip(chars.start).take(chars.end - chars.start));
        self.text.push('\n');
        self.lines.push(Some(origin));
    }

    /// A cell, its trailing expression as an output.
    fn cell(&mut self, chapter: &ChapterPlan, index: usize) {
        let body = &chapter.cells[index].body;
        let tail_line = body.tail.map(|(line, _)| line);
        let (before, behind) = match body.shows {
            Shows::Output => ("::veracity_lab::runtime::output(", ");"),
            Shows::Answer => (
                "match &(",
                ") { answer => { \
                 #[allow(unused_imports)] use ::veracity_lab::runtime::answer::*; \
                 (&&&&Answer(answer)).show() } }",
            ),
        };
        for (line, (text, &offset)) in
            body.code.text.lines().zip(&body.code.line_offsets).enumerate()
        {
            let origin = Origin { cell: Some(index), offset, text: text.to_owned() };
            match body.tail {
                Some((_, column)) if tail_line == Some(line) => {
                    self.part(origin.clone(), 0..column);
                    self.own(before);
                    self.part(origin, column..usize::MAX);
                }
                _ => self.part(origin, 0..usize::MAX),
            }
        }
        if body.tail.is_some() {
            self.own(behind);
        }
    }

    fn finish(self) -> Tangled {
        Tangled { text: self.text, map: SourceMap { source: self.source, lines: self.lines } }
    }
}

/// The chapter's place for a place in a cell's code.
fn place(source: &Source, code: &Code, start: LineColumn, end: LineColumn) -> Span {
    let offset = |at: LineColumn| {
        let line = at.line.saturating_sub(1).min(code.line_offsets.len().saturating_sub(1));
        let text = code.text.lines().nth(line).unwrap_or_default();
        let bytes: usize = text.chars().take(at.column).map(char::len_utf8).sum();
        code.line_offsets.get(line).copied().unwrap_or(0) + bytes
    };
    let from = offset(start);
    source.span(from..offset(end).max(from))
}
