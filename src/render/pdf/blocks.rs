//! What stands below one another on a page, as Typst expressions.

use std::fmt::Write as _;

use crate::data;
use crate::document::{
    Block, Cell, CellState, CheckOutcome, CheckView, CodeView, Equation, Float, FloatBody, Inline,
    ListItem, Output, Table,
};
use crate::parse::{CalloutKind, ColumnAlign};
use crate::render::look::Look;
use crate::words::Word;

use super::emit::{Emitter, alone};
use super::inlines::{has_anchor, spoken};
use super::ledger;
use super::text::{Space, quoted};

/// What stands for a tab, as Typst's setting `tab-size` in the template says.
const TAB: &str = "    ";

/// Levels of nested lists and quotations that are set in; Typst bounds how deep content nests.
const DEEPEST: usize = 8;

/// Lines of one output that are printed.
const MOST_LINES: usize = 400;

/// Bytes of one output that are printed.
const MOST_BYTES: usize = 48_000;

/// Length of Typst markup below which a formula is never wider than the page.
const SHORT_FORMULA: usize = 40;

/// Typst code of a chapter that surely fills half of its first page, from which on tables and
/// figures may stand above what they belong to. Before it, that would be above the chapter's title.
const HALF_A_PAGE: usize = 8000;

/// Checks of one cell that are kept on one page.
const MOST_CHECKS_TOGETHER: usize = 8;

/// Candidates for the widest unbreakable part of a column, of which Typst measures the width.
const CANDIDATES: usize = 3;

/// Rows of a table that are kept on one page, unless they hold more text than that, in bytes.
const MOST_ROWS_TOGETHER: usize = 15;
const MOST_TEXT_TOGETHER: usize = 1500;

impl Emitter<'_> {
    /// Expressions for blocks, one a line.
    pub(super) fn lines(&mut self, blocks: &[Block], depth: usize) -> String {
        let mut code = String::new();
        for block in blocks {
            let block = self.block(block, depth);
            code.push_str(&block);
            code.push('\n');
        }
        code
    }

    /// One expression for blocks that form the inside of something.
    fn inside(&mut self, blocks: &[Block], depth: usize) -> String {
        match blocks {
            [] => "[]".to_owned(),
            [Block::Paragraph(content)] => self.inlines(content),
            _ => format!("{{\n{}}}", self.lines(blocks, depth)),
        }
    }

    /// One expression for a footnote, whose first paragraph stands beside its mark.
    pub(super) fn note_content(&mut self, blocks: &[Block]) -> String {
        match blocks {
            [Block::Paragraph(first), rest @ ..] => {
                let first = self.inlines(first);
                format!("{{\n{first}\n{}}}", self.lines(rest, DEEPEST))
            }
            _ => self.inside(blocks, DEEPEST),
        }
    }

    pub(super) fn block(&mut self, block: &Block, depth: usize) -> String {
        match block {
            Block::Heading { level, number, anchor, content } => {
                let level = (*level).clamp(2, 6).min(self.level + 1);
                self.level = level;
                let name = self.place(anchor);
                let title = self.title(number, content);
                self.section(level, number, &name, &title)
            }
            Block::Paragraph(content) => match content.as_slice() {
                [Inline::Image(image)] => match self.picture(image) {
                    Some(draw) => format!("r.centered(r.picture({draw}))"),
                    None => self.problem("This picture cannot be shown.", &image.alt),
                },
                _ => format!("par({})", self.inlines(content)),
            },
            Block::List { start, items } => self.list(*start, items, depth),
            Block::Quote(blocks) => self.set_in("quote", blocks, depth),
            Block::Callout { kind, blocks } => {
                let (kind, word) = match kind {
                    CalloutKind::Note => ("note", Word::Note),
                    CalloutKind::Tip => ("tip", Word::Tip),
                    CalloutKind::Important => ("important", Word::Important),
                    CalloutKind::Warning => ("warning", Word::Warning),
                    CalloutKind::Caution => ("caution", Word::Caution),
                };
                let word = self.document.words().get(word);
                if depth >= DEEPEST {
                    return self.inside(blocks, depth);
                }
                let content = format!("{{\n{}}}", self.lines(blocks, depth + 1));
                format!("r.callout(\"{kind}\", \"{word}\", {content})")
            }
            Block::Code { language, text } => self.highlighted(text, language),
            Block::Module { anchor, code } => {
                self.part(anchor, "Code that the cells use", "", None, code)
            }
            Block::Cell(cell) => self.cell(cell, depth),
            Block::Equation(equation) => self.equation(equation),
            Block::Float(float) => self.float(float, depth),
            Block::Rule => "divider()".to_owned(),
            Block::Problem { message, source } => self.problem(message, source),
        }
    }

    fn set_in(&mut self, function: &str, blocks: &[Block], depth: usize) -> String {
        if depth >= DEEPEST {
            return self.inside(blocks, depth);
        }
        format!("{function}({})", self.inside(blocks, depth + 1))
    }

    fn list(&mut self, start: Option<u64>, items: &[ListItem], depth: usize) -> String {
        if items.is_empty() {
            return String::new();
        }
        let is_task_list = items.iter().any(|item| item.task.is_some());
        let mut code = match start {
            _ if depth >= DEEPEST => "{\n".to_owned(),
            Some(start) => format!("enum(start: {},\n", start.min(u64::from(u32::MAX))),
            None if is_task_list => "r.tasks(\n".to_owned(),
            None => "list(\n".to_owned(),
        };
        for item in items {
            let task = match item.task {
                Some(done) => format!("r.task({done}); "),
                None => String::new(),
            };
            let content = self.inside(&item.blocks, depth + 1);
            if depth >= DEEPEST {
                let _ = writeln!(code, "par({{ {task}{content} }})");
            } else {
                let _ = writeln!(code, "{{ {task}{content} }},");
            }
        }
        code.push(if depth >= DEEPEST { '}' } else { ')' });
        code
    }

    fn problem(&mut self, message: &str, source: &str) -> String {
        let message = self.text.shown(message, Space::Running);
        let source = if source.is_empty() { "none".to_owned() } else { self.raw(source) };
        format!("r.problem({message}, {source})")
    }

    fn raw(&mut self, text: &str) -> String {
        let text = self.text.shown(text.trim_end_matches(['\n', '\r']), Space::Verbatim);
        format!("raw({text}, block: true)")
    }

    /// Code with the words of each line, which are empty if the language is unknown.
    fn highlighted(&mut self, text: &str, language: &str) -> String {
        let raw = self.raw(text);
        let language = language.split([',', ' ', '{']).next().unwrap_or_default();
        let text = text.trim_end_matches(['\n', '\r']);
        let mut lines = String::new();
        let mut coloured = false;
        for (kind, words) in self.highlighter.words(language, text) {
            coloured |= !kind.name().is_empty();
            for (index, words) in words.split('\n').enumerate() {
                if index > 0 {
                    lines.push_str("), (");
                }
                if !words.is_empty() {
                    let words = words.trim_end_matches('\r').replace('\t', TAB);
                    let words = self.text.shown(&words, Space::Verbatim);
                    let _ = write!(lines, "({}, {words}), ", quoted(kind.name()));
                }
            }
        }
        match coloured {
            true => format!("r.code({raw}, lines: (({lines}),))"),
            false => format!("r.code({raw})"),
        }
    }

    /// The head of a part with code, and the code itself unless the appendix shows it.
    ///
    /// `note` follows the words of the head; `label` is what the author calls the part.
    fn part(
        &mut self,
        anchor: &str,
        words: &str,
        note: &str,
        label: Option<&str>,
        code: &CodeView,
    ) -> String {
        let name = self.place(anchor);
        let head = self.text.shown(&format!("{words}{note}"), Space::Running);
        if !code.folded || name == "none" {
            let code = self.highlighted(&code.text, "rust");
            return format!("r.part-title({name}, {head}, none)\n{code}");
        }
        // Without colours, which would take Typst as long as the rest of the report.
        let raw = self.raw(&code.text);
        let words = self.text.shown(words, Space::Running);
        let label = self.shown_or_none(label);
        let place = quoted(&format!("code of {anchor}"));
        let folded = format!("r.folded({place}, {name}, {words}, {label}, {raw})");
        self.folded.push_str(&alone(&folded));
        format!("r.part-title({name}, {head}, {place})")
    }

    fn cell(&mut self, cell: &Cell, depth: usize) -> String {
        let mut code = String::new();
        if let Some(view) = &cell.code {
            let clock = if cell.measured { " · depends on the clock of the machine" } else { "" };
            let part = self.part(&cell.anchor, &cell.name, clock, cell.label.as_deref(), view);
            let _ = writeln!(code, "{part}");
        } else {
            let name = self.place(&cell.anchor);
            let _ = writeln!(code, "r.anchor({name})");
        }
        match &cell.state {
            CellState::Done => {}
            CellState::Failed(message) => {
                let problem = self.problem(&format!("{} failed.", cell.name), message);
                let _ = writeln!(code, "{problem}");
            }
            CellState::NotRun(reason) => {
                let problem = self.problem(&format!("{} did not run: {reason}", cell.name), "");
                let _ = writeln!(code, "{problem}");
            }
        }
        let is_check = |output: &Output| matches!(output, Output::Check(_));
        for outputs in cell.outputs.chunk_by(|one, next| is_check(one) && is_check(next)) {
            let group: String =
                outputs.iter().map(|output| format!("{}\n", self.output(output, depth))).collect();
            code.push_str(&if is_check(&outputs[0]) {
                let whole = outputs.len() <= MOST_CHECKS_TOGETHER;
                let rests = !cell.claims.is_empty();
                format!("r.checks({whole}, {rests}, {{\n{group}}})\n")
            } else {
                group
            });
        }
        let document = self.document;
        let claims: Vec<String> = cell
            .claims
            .iter()
            .filter_map(|&index| Some((index, document.claims.get(index)?)))
            .map(|(index, claim)| {
                let said = self.named(index);
                let mark = ledger::mark(Look::of(claim));
                format!("r.rest({}, {mark}, {said})", ledger::entry_label(index))
            })
            .collect();
        if !claims.is_empty() {
            let has_formulas = cell.claims.iter().any(|&claim| {
                self.index.formulas(claim).is_some() && self.index.number(claim).is_none()
            });
            let lead = quoted(document.words().get(Word::RestingOnPaper));
            let _ = writeln!(code, "r.resting({lead}, {has_formulas}, ({},))", claims.join(", "));
        }
        code
    }

    fn output(&mut self, output: &Output, depth: usize) -> String {
        match output {
            Output::Float(float) => self.float(float, depth),
            Output::Check(check) => self.check(check),
            Output::File(file) => {
                let size = data::bytes(file.size);
                let lines = format!("{}, {size}\nBLAKE3 {}", file.name, file.digest);
                let title = match file.bytes {
                    Some(_) => "\"File beside the pages\"",
                    None => "\"File that is not in the record\"",
                };
                self.verbatim(title, &lines)
            }
            Output::Text(text) => self.verbatim("none", text),
            Output::Stdout(text) => self.verbatim("\"Standard output\"", text),
            Output::Stderr(text) => self.verbatim("\"Standard error\"", text),
        }
    }

    fn verbatim(&mut self, title: &str, text: &str) -> String {
        let (start, lines) = beginning(text);
        let note = match lines {
            0 => "none".to_owned(),
            1 => "\"One more line is left out in print.\"".to_owned(),
            lines => format!("\"{lines} more lines are left out in print.\""),
        };
        format!("r.verbatim({title}, {note}, {})", self.raw(start))
    }

    fn check(&mut self, check: &CheckView) -> String {
        let name = self.place(&check.anchor);
        let (mark, word) = match check.outcome {
            CheckOutcome::Passed => ("\"good\", \"✓\"", Word::Passed),
            CheckOutcome::Failed => ("\"bad\", \"✗\"", Word::Failed),
            CheckOutcome::FailedAsExpected => ("\"good\", \"☒\"", Word::FailedAsExpected),
            CheckOutcome::Vacuous => ("\"open\", \"∅\"", Word::Vacuous),
        };
        let word = self.document.words().get(word);
        let statement = self.text.shown(&check.statement, Space::Running);
        let evidence = match check.evidence.as_str() {
            "" => None,
            evidence => Some(evidence),
        };
        let evidence = self.shown_or_none(evidence);
        let lead = self.document.words().get(Word::Counterexample);
        let counterexample = check.counterexample.as_ref().map(|it| format!("{lead} {it}"));
        let counterexample = self.shown_or_none(counterexample.as_deref());
        format!("r.check({name}, {mark}, \"{word}\", {statement}, {evidence}, {counterexample})")
    }

    fn equation(&mut self, equation: &Equation) -> String {
        let name = self.place(&equation.anchor);
        let document = self.document;
        let claim = equation.claim.and_then(|index| Some((index, document.claims.get(index)?)));
        let (place, mark) = match claim {
            Some((index, claim)) => {
                let entry = ledger::entry_label(index);
                let place = self.place(&claim.anchor);
                (place, format!("r.mark-link({entry}, {})", ledger::badge(claim, document.words())))
            }
            None => ("none".to_owned(), "none".to_owned()),
        };
        let number = self.shown_or_none(equation.number.as_deref());
        let alt = self.text.spoken(&equation.math.alt());
        let shown = match self.formula(&equation.math) {
            Some(code) => {
                let fit = code.len() > SHORT_FORMULA;
                format!("r.equation({name}, {number}, {mark}, {alt}, {fit}, {code})")
            }
            None => {
                let problem = self.problem("This formula cannot be shown.", equation.math.latex());
                format!("r.anchor({name})\n{problem}")
            }
        };
        if place == "none" { shown } else { format!("r.anchor({place})\n{shown}") }
    }

    /// A table or figure; one that readers find by its number may leave its place.
    fn float(&mut self, float: &Float, depth: usize) -> String {
        let name = self.place(&float.anchor);
        let whole = match &float.body {
            FloatBody::Table(table) => is_short(table),
            FloatBody::Figure(_) => true,
        };
        let (kind, word, body) = match &float.body {
            FloatBody::Table(table) => ("table", Word::Table, self.table(table)),
            FloatBody::Figure(image) => {
                let draw = self.picture(image);
                ("image", Word::Figure, draw.map(|draw| format!("r.picture({draw})")))
            }
        };
        let word = self.document.words().get(word);
        let heading = float.number.as_ref().map(|number| format!("{word}\u{a0}{number}"));
        let placement = match whole && depth == 0 && heading.is_some() {
            true if self.before < HALF_A_PAGE => "bottom",
            true => "auto",
            false => "none",
        };
        let Some(body) = body else {
            let message = format!("{} cannot be shown.", heading.as_deref().unwrap_or(word));
            let problem = self.problem(&message, &spoken(&float.caption));
            return format!("r.anchor({name})\n{problem}");
        };
        if heading.is_none() && float.caption.is_empty() {
            return format!("r.at({name}, r.centered({body}))");
        }
        let heading = self.shown_or_none(heading.as_deref());
        let caption = match float.caption.as_slice() {
            [] => "none".to_owned(),
            caption => self.inlines(caption),
        };
        format!("r.float({name}, {kind}, {whole}, {placement}, {heading}, {caption}, {body})")
    }

    /// A table, or nothing if it has no columns.
    fn table(&mut self, table: &Table) -> Option<String> {
        let columns = table.rows.iter().map(Vec::len).max().unwrap_or(0);
        let columns = columns.max(table.header.len()).max(table.align.len());
        if columns == 0 {
            return None;
        }
        let align: String = (0..columns)
            .map(|column| match table.align.get(column) {
                Some(ColumnAlign::Center) => "center, ",
                Some(ColumnAlign::Right) => "right, ",
                _ => "left, ",
            })
            .collect();
        let longest: String = (0..columns)
            .map(|column| {
                let mut parts = Vec::new();
                if let Some(cell) = table.header.get(column) {
                    self.unbreakable(cell, &mut parts);
                    parts.iter_mut().for_each(|(_, part)| *part = format!("strong({part})"));
                }
                for cell in table.rows.iter().filter_map(|row| row.get(column)) {
                    self.unbreakable(cell, &mut parts);
                }
                parts.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
                parts.dedup();
                let parts = parts.into_iter().take(CANDIDATES);
                format!("({}), ", parts.map(|(_, part)| part + ", ").collect::<String>())
            })
            .collect();
        let header = self.row(&table.header, columns);
        let rows: String =
            table.rows.iter().map(|row| format!("    ({}),\n", self.row(row, columns))).collect();
        let repeat = !table.header.iter().any(|cell| has_anchor(cell));
        Some(format!(
            "r.tabular(\n  align: ({align}),\n  longest: ({longest}),\n  header: ({header}),\n  \
             repeat: {repeat},\n  rows: (\n{rows}  ),\n)"
        ))
    }

    fn row(&mut self, cells: &[Vec<Inline>], columns: usize) -> String {
        (0..columns)
            .map(|column| match cells.get(column) {
                Some(cell) => format!("{}, ", self.inlines(cell)),
                None => "[], ".to_owned(),
            })
            .collect()
    }
}

/// Whether a table surely fits on one page.
fn is_short(table: &Table) -> bool {
    let cells = || table.rows.iter().flatten();
    table.rows.len() <= MOST_ROWS_TOGETHER
        && cells().map(|cell| spoken(cell).len()).sum::<usize>() <= MOST_TEXT_TOGETHER
}

/// As much of an output as is printed, and the number of lines after that.
fn beginning(text: &str) -> (&str, usize) {
    let text = text.trim_end_matches('\n');
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if let Some((at, _)) = text[..end].match_indices('\n').nth(MOST_LINES - 1) {
        end = at;
    }
    let rest = &text[end..];
    (&text[..end], rest.lines().filter(|line| !line.is_empty()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_output_is_cut_and_counted() {
        assert_eq!(beginning("a\nb\n"), ("a\nb", 0));
        let long = "line\n".repeat(MOST_LINES + 7);
        let (start, left_out) = beginning(&long);
        assert_eq!((start.lines().count(), left_out), (MOST_LINES, 7));
    }
}
