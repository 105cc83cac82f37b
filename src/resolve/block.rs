//! Blocks, footnotes, and cells with what they put out.
//!
//! In: parsed blocks and the results of cells. Out: blocks as a reader sees them.

use std::collections::HashMap;

use veracity_protocol::{Align, Artifact, Check, CheckStatus};

use super::anchor::{file_name, slug};
use super::number::{Key, Slot, float_labels};
use super::{Resolver, Subject};
use crate::claims::strength::Strength;
use crate::claims::{Verdict, aggregate};
use crate::diag::Diagnostic;
use crate::document::{
    Attachment, Block, Cell, CellState, CheckOutcome, CheckView, CodeView, Equation, Float,
    FloatBody, Footnote, Image, ImageData, Inline, ListItem, Output, Table,
};
use crate::exec::{CellResult, CellStatus};
use crate::figure;
use crate::math::Display;
use crate::memo::{Input, Memo};
use crate::parse::{self, ClaimSite, ColumnAlign, Echo, is_comment, plain_text};
use crate::record::files::Content;
use crate::span::Span;
use crate::words::{Word, Words};
use bytes::Bytes;

/// Footnotes of the chapter that is being resolved.
#[derive(Default)]
pub(super) struct Footnotes<'a> {
    /// Names with content, in the order in which they are written.
    definitions: Vec<Definition<'a>>,
    /// The first definition of each name.
    first: HashMap<&'a str, usize>,
    /// Those that are referred to, in the order of their numbers.
    cited: Vec<Cited>,
    /// Index in `cited` of each name.
    numbers: HashMap<String, usize>,
}

type Definition<'a> = (&'a str, &'a [parse::Block], &'a Span);

/// A footnote that is referred to.
#[derive(Clone)]
struct Cited {
    name: String,
    /// Anchor of the first mark.
    back: String,
    anchor: String,
}

impl<'a> Footnotes<'a> {
    /// The footnotes that a chapter defines.
    pub fn of(chapter: &'a parse::Chapter) -> Self {
        let mut notes = Self::default();
        for block in chapter.all_blocks() {
            if let parse::Block::Footnote { name, blocks, span } = block {
                notes.definitions.push((name, blocks, span));
            }
        }
        for (index, (name, ..)) in notes.definitions.iter().enumerate() {
            notes.first.entry(name).or_insert(index);
        }
        notes
    }
}

impl Resolver<'_> {
    /// Resolves blocks in order.
    pub(super) fn blocks(&mut self, blocks: &[parse::Block]) -> Vec<Block> {
        blocks.iter().filter_map(|block| self.block(block)).collect()
    }

    pub(super) fn block(&mut self, block: &parse::Block) -> Option<Block> {
        Some(match block {
            parse::Block::Heading { content, span, .. } => {
                let Slot { anchor, number, level } = self.slot(span);
                let number = number.unwrap_or_default();
                Block::Heading { level, number, anchor, content: self.inlines(content) }
            }
            parse::Block::Paragraph(content) => Block::Paragraph(self.inlines(content)),
            parse::Block::List { start, items } => Block::List {
                start: *start,
                items: items
                    .iter()
                    .map(|item| ListItem { task: item.task, blocks: self.blocks(&item.blocks) })
                    .collect(),
            },
            parse::Block::Quote(blocks) => Block::Quote(self.blocks(blocks)),
            parse::Block::Callout { kind, blocks } => {
                Block::Callout { kind: *kind, blocks: self.blocks(blocks) }
            }
            parse::Block::Code { language, text } => {
                Block::Code { language: language.clone(), text: text.clone() }
            }
            parse::Block::Cell(index) => Block::Cell(self.cell(*index)?),
            parse::Block::Module(index) => {
                let module = self.chapters[self.chapter].modules.get(*index)?;
                let code = self.code(&module.code.text, module.echo)?;
                let anchor = self.numbers.modules[self.chapter].get(*index)?.clone();
                Block::Module { anchor, code }
            }
            parse::Block::Equation(equation) => self.equation(equation),
            parse::Block::Table { align, header, rows, caption, label, aggregates, span } => {
                let slug = &self.chapters[self.chapter].slug;
                let language = Words::known(&self.config.language);
                let judge = |it| aggregate(it, slug, header, rows, language);
                let said: Vec<(String, Verdict)> = aggregates.iter().map(judge).collect();
                let mut row = |cells: &[Vec<parse::Inline>]| -> Vec<Vec<Inline>> {
                    cells.iter().map(|cell| self.inlines(cell)).collect()
                };
                let header = row(header);
                let rows = rows.iter().map(|cells| row(cells)).collect();
                let caption = caption.as_deref().unwrap_or_default();
                let mut caption = self.inlines(caption);
                let Slot { anchor, number, .. } = self.slot(span);
                for (it, (words, verdict)) in aggregates.iter().zip(said) {
                    let name = label.clone().unwrap_or_else(|| "table".to_owned());
                    let (relation, span) = (String::new(), it.span.clone());
                    let claim = ClaimSite { name, text: words.clone(), relation, span };
                    let place = self.numbers.anchors.unique(&format!("claim-{anchor}"));
                    let subject = Subject::Table(it.of.clone(), verdict);
                    caption.push(Inline::Text(" ".to_owned()));
                    caption.push(Inline::Claim {
                        claim: self.site(claim, place, subject),
                        content: vec![Inline::Text(format!("({words})"))],
                    });
                }
                let body = FloatBody::Table(Table { align: align.clone(), header, rows });
                Block::Float(Float { anchor, number, caption, body })
            }
            parse::Block::Figure { target, caption, alt, span, .. } => {
                let described = alt.clone().unwrap_or_else(|| plain_text(caption));
                match self.image(target, &described, span) {
                    Ok(image) => {
                        let caption = self.inlines(caption);
                        let Slot { anchor, number, .. } = self.slot(span);
                        Block::Float(Float {
                            anchor,
                            number,
                            caption,
                            body: FloatBody::Figure(image),
                        })
                    }
                    Err(message) => Block::Problem { message, source: span.text().to_owned() },
                }
            }
            // Notes stand at the end of the chapter.
            parse::Block::Footnote { .. } => return None,
            parse::Block::Rule => Block::Rule,
            parse::Block::Html(html) if is_comment(html) => return None,
            parse::Block::Html(html) => Block::Paragraph(vec![Inline::Text(html.clone())]),
        })
    }

    fn slot(&self, span: &Span) -> Slot {
        self.numbers.slot(Key::Block(self.chapter, span.range.start))
    }

    fn equation(&mut self, equation: &parse::Equation) -> Block {
        let Slot { anchor, number, .. } = self.slot(&equation.span);
        let claim = equation.claim.as_ref().map(|claim| {
            let subject = Subject::Equation(equation.label.clone());
            let claim = ClaimSite { text: claim.text.trim().to_owned(), ..claim.clone() };
            self.site(claim, anchor.clone(), subject)
        });
        match self.math(&equation.latex, Display::Block, &equation.span) {
            Ok(math) => Block::Equation(Equation { anchor, number, math, claim }),
            Err(message) => Block::Problem { message, source: equation.latex.clone() },
        }
    }

    fn code(&self, text: &str, echo: Option<Echo>) -> Option<CodeView> {
        let front = self.chapters[self.chapter].front.cells.echo;
        let echo = echo.or(front).unwrap_or(self.config.echo);
        (echo != Echo::Hide).then(|| CodeView { text: text.to_owned(), folded: echo == Echo::Fold })
    }

    fn cell(&mut self, index: usize) -> Option<Cell> {
        let cell = self.chapters[self.chapter].cells.get(index)?;
        let result = self.names.cell(self.chapter, index);
        let state = match result.map(|result| &result.status) {
            Some(CellStatus::Done) => CellState::Done,
            Some(CellStatus::Failed(diagnostic)) => CellState::Failed(diagnostic.message.clone()),
            Some(CellStatus::NotRun(_, words)) => CellState::NotRun(words.clone()),
            None => CellState::NotRun("not part of this build".into()),
        };
        let mut outputs = Vec::new();
        if let Some(result) = result {
            if !result.record.stdout.trim().is_empty() {
                outputs.push(Output::Stdout(result.record.stdout.clone()));
            }
            if state == CellState::Done {
                self.artifacts(index, cell, result, &mut outputs);
            }
            if !result.record.stderr.trim().is_empty() {
                outputs.push(Output::Stderr(result.record.stderr.clone()));
            }
        }
        let number = index + 1;
        Some(Cell {
            anchor: self.numbers.cells[self.chapter].get(index)?.clone(),
            name: format!("{} {number}", self.numbers.words.get(Word::Cell)),
            label: cell.options.label.clone(),
            code: self.code(&cell.code.text, cell.options.echo),
            state,
            outputs,
            claims: Vec::new(),
            measured: cell.options.measured,
        })
    }

    fn artifacts(
        &mut self,
        index: usize,
        cell: &parse::Cell,
        result: &CellResult,
        outputs: &mut Vec<Output>,
    ) {
        let floats = float_labels(cell, result);
        for (at, (artifact, float)) in result.record.output.artifacts.iter().zip(floats).enumerate()
        {
            let Slot { anchor, number, .. } =
                self.numbers.slot(Key::Artifact(self.chapter, index, at));
            // What was made of it before is remembered by this.
            let digest = Input::of([&result.record.digest().as_bytes()[..], &at.to_le_bytes()]);
            let options = float.filter(|float| float.owns_options).map(|_| &cell.options);
            let mut caption = |given: &Option<String>| {
                let option = options.and_then(|options| options.caption.as_deref());
                match (option, given) {
                    (Some(caption), _) => self.inlines(caption),
                    (None, Some(caption)) => vec![Inline::Text(caption.clone())],
                    (None, None) => Vec::new(),
                }
            };
            outputs.push(match artifact {
                Artifact::Text { text } => Output::Text(text.clone()),
                Artifact::File { name, data } => self.file(name, data, digest),
                Artifact::Check(check) => Output::Check(self.check(check)),
                Artifact::Table(artifact) => {
                    let caption = caption(&artifact.caption);
                    let body = FloatBody::Table(table(artifact));
                    Output::Float(Float { anchor, number, caption, body })
                }
                Artifact::Figure(artifact) => {
                    let caption = caption(&artifact.caption);
                    let alt = options
                        .and_then(|options| options.alt.clone())
                        .or_else(|| artifact.alt.clone())
                        .filter(|alt| !alt.trim().is_empty())
                        .unwrap_or_else(|| figure::describe(artifact));
                    match self.drawn(artifact, digest, &anchor, alt) {
                        Ok(image) => {
                            let body = FloatBody::Figure(image);
                            Output::Float(Float { anchor, number, caption, body })
                        }
                        Err(message) => {
                            let words = format!("the figure cannot be drawn: {message}");
                            self.diagnostics.push(
                                Diagnostic::error("figure", words, cell.span.clone())
                                    .hint("look at the numbers that the cell gives to it"),
                            );
                            Output::Text(format!("The figure cannot be drawn: {message}"))
                        }
                    }
                }
            });
        }
    }

    fn drawn(
        &mut self,
        figure: &veracity_protocol::Figure,
        digest: Input,
        anchor: &str,
        alt: String,
    ) -> Result<Image, String> {
        let figure::Drawn { light, dark, csv } = figure::drawn(figure, digest)?;
        Ok(Image {
            name: self.images.unique(&file_name(anchor)),
            data: ImageData::Drawn { light, dark },
            alt,
            csv: Some(csv),
        })
    }

    fn file(&mut self, name: &str, data: &str, known_as: Input) -> Output {
        static KNOWN: Memo<Option<(Option<Bytes>, String, u64)>> = Memo::new(32 << 20);
        let read = || match Content::of(data)? {
            Content::Here(bytes) => {
                let (digest, size) = (blake3::hash(&bytes).to_hex().to_string(), bytes.len());
                Some((Some(bytes.into()), digest, size as u64))
            }
            Content::Absent(digest, size) => Some((None, digest, size)),
        };
        let Some((bytes, digest, size)) = KNOWN.get(known_as, || (read(), data.len())) else {
            return Output::Text(format!("The file {name} is damaged."));
        };
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "bin"));
        let name = format!("{}.{}", self.images.unique(&file_name(stem)), file_name(ending));
        Output::File(Attachment { name, bytes, size, digest })
    }

    fn check(&mut self, check: &Check) -> CheckView {
        let chapter = &self.chapters[self.chapter].slug;
        let anchor = format!("check-{chapter}-{}", slug(&check.name));
        CheckView {
            anchor: self.numbers.anchors.unique(&anchor),
            name: check.name.clone(),
            statement: check.statement.clone(),
            outcome: match check.status {
                _ if check.cases == 0 => CheckOutcome::Vacuous,
                CheckStatus::Passed => CheckOutcome::Passed,
                CheckStatus::Failed => CheckOutcome::Failed,
            },
            evidence: Strength::of(check).to_string(),
            counterexample: check.counterexample.clone(),
        }
    }

    /// A mark that refers to a footnote, which gets its number here.
    pub(super) fn footnote_mark(&mut self, name: &str, span: &Span) -> Inline {
        if !self.footnotes.first.contains_key(name) {
            let names = self.footnotes.definitions.iter().map(|(name, ..)| *name);
            self.diagnostics.push(
                Diagnostic::error(
                    "unknown-footnote",
                    format!("there is no footnote `[^{name}]:`"),
                    span.clone(),
                )
                .did_you_mean(name, names),
            );
            return Inline::Problem(format!("?{name}"));
        }
        let chapter = &self.chapters[self.chapter].slug;
        let place = self.numbers.anchors.unique(&format!("{chapter}-mark-{}", slug(name)));
        let index = match self.footnotes.numbers.get(name) {
            Some(index) => *index,
            None => {
                let anchor = self.numbers.anchors.unique(&format!("{chapter}-note-{}", slug(name)));
                let index = self.footnotes.cited.len();
                let name = name.to_owned();
                self.footnotes.numbers.insert(name.clone(), index);
                self.footnotes.cited.push(Cited { name, back: place.clone(), anchor });
                index
            }
        };
        let note = self.footnotes.cited[index].anchor.clone();
        Inline::FootnoteMark { number: index + 1, anchor: place, note }
    }

    /// The notes of a chapter whose text is resolved, in the order of their numbers.
    pub(super) fn notes(&mut self) -> Vec<Footnote> {
        let mut notes: Vec<Footnote> = Vec::new();
        // A note may refer to further notes.
        while let Some(Cited { name, back, anchor }) =
            self.footnotes.cited.get(notes.len()).cloned()
        {
            let first = self.footnotes.first.get(name.as_str());
            let content = first.map_or(&[][..], |&index| self.footnotes.definitions[index].1);
            let blocks = self.blocks(content);
            notes.push(Footnote { number: notes.len() + 1, anchor, back, blocks });
        }
        let Footnotes { definitions, first, numbers, .. } = std::mem::take(&mut self.footnotes);
        for (index, (name, _, span)) in definitions.iter().enumerate() {
            let earlier = first.get(name).copied().filter(|&first| first != index);
            if let Some(earlier) = earlier {
                self.diagnostics.push(
                    Diagnostic::error(
                        "duplicate-footnote",
                        format!("the footnote `{name}` is written twice"),
                        (*span).clone(),
                    )
                    .related(definitions[earlier].2.clone(), "first written here")
                    .hint("give one of them another name"),
                );
            } else if !numbers.contains_key(*name) {
                self.diagnostics.push(
                    Diagnostic::warning(
                        "unused-footnote",
                        format!("nothing refers to the footnote `{name}`"),
                        (*span).clone(),
                    )
                    .hint(format!("write `[^{name}]` where it belongs")),
                );
            }
        }
        notes
    }
}

fn table(table: &veracity_protocol::Table) -> Table {
    let text = |text: &str| vec![Inline::Text(text.to_owned())];
    Table {
        align: table
            .columns
            .iter()
            .map(|column| match column.align {
                Align::Left => ColumnAlign::Left,
                Align::Center => ColumnAlign::Center,
                Align::Right => ColumnAlign::Right,
            })
            .collect(),
        header: table
            .columns
            .iter()
            .map(|column| match &column.unit {
                Some(unit) => text(&format!("{} ({unit})", column.heading)),
                None => text(&column.heading),
            })
            .collect(),
        rows: table.rows.iter().map(|row| row.iter().map(|cell| text(cell)).collect()).collect(),
    }
}
