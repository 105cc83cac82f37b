//! The passages of a chapter that say what its numbers and claims are about.
//!
//! In: a parsed chapter. Out: its [`Passage`]s in the order of the file: the sentences in which a claim, an
//! inline value, a number, a formula, a reference or a citation stands, the rows of tables in which one does with
//! their header, and the captions of tables, figures and cells, each on one line. A claim is written `[words](name)` and an inline value
//! `{{ expression }}`, so that it matters which one stands where, and not what code gives. Left out: how text is
//! broken into lines, emphasis, displayed formulas, and what is code.

use crate::memo::{Input, Memo};
use crate::parse::prose::{EXEMPT, Stretch, formulas, is_digit, is_number, prose};
use crate::parse::{Block, Chapter, Inline, is_comment};
use crate::span::Span;

/// A passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// Where the first of what makes it one stands.
    pub span: Span,
    /// What it says, on one line.
    pub text: String,
}

/// The expressions of the inline values of a passage.
pub(crate) fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{ ").skip(1).filter_map(|rest| rest.split(" }}").next())
}

/// All passages of a chapter; what was found for the same text is remembered.
pub fn of(chapter: &Chapter) -> Vec<Passage> {
    static KNOWN: Memo<Vec<Passage>> = Memo::new(1 << 20);
    let source = &chapter.source;
    KNOWN.get(Input::of([source.path().as_bytes(), source.text().as_bytes()]), || {
        (found(chapter), source.text().len())
    })
}

fn found(chapter: &Chapter) -> Vec<Passage> {
    let mut finder = Finder {
        chapter,
        numbers: prose(chapter),
        formulas: formulas(chapter).into_iter().map(|formula| formula.range.start).collect(),
        at: chapter.body,
        found: Vec::new(),
    };
    for block in chapter.all_blocks() {
        finder.block(block);
    }
    finder.found
}

struct Finder<'a> {
    chapter: &'a Chapter,
    /// Where numbers stand.
    numbers: Vec<Stretch>,
    /// Where formulas begin that say something.
    formulas: Vec<usize>,
    /// Behind the last passage.
    at: usize,
    found: Vec<Passage>,
}

impl Finder<'_> {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { content, .. } | Block::Paragraph(content) => {
                for sentence in self.line(content).sentences() {
                    self.add(&sentence);
                }
            }
            Block::Table { header, rows, caption, label, span, .. } => {
                let label = label.as_deref();
                let header = self.row(label, header);
                let rows: Vec<Line> = rows.iter().map(|row| self.row(label, row)).collect();
                let mut lines: Vec<&Line> =
                    rows.iter().filter(|row| !row.marks.is_empty()).collect();
                if !lines.is_empty() || !header.marks.is_empty() {
                    lines.insert(0, &header);
                }
                self.at = self.at.max(span.range.start);
                lines.into_iter().for_each(|line| self.add_all(line, span.range.start));
                self.caption(label, caption.as_deref(), span);
            }
            Block::Figure { caption, label, span, .. } => {
                self.caption(label.as_deref(), Some(caption), span);
            }
            Block::Cell(index) => {
                let cells = &self.chapter.cells;
                if let Some(cell) = cells.get(*index) {
                    let options = &cell.options;
                    self.caption(options.label.as_deref(), options.caption.as_deref(), &cell.span);
                }
            }
            Block::List { .. }
            | Block::Quote(_)
            | Block::Callout { .. }
            | Block::Footnote { .. }
            | Block::Code { .. }
            | Block::Module(_)
            | Block::Equation(_)
            | Block::Rule
            | Block::Html(_) => {}
        }
    }

    fn caption(&mut self, label: Option<&str>, caption: Option<&[Inline]>, of: &Span) {
        let Some(content) = caption.filter(|content| !content.is_empty()) else { return };
        let mut line = Line::default();
        if let Some(label) = label {
            line.text = format!("{label}: ");
        }
        self.inlines(content, &mut line);
        self.at = self.at.max(of.range.start);
        self.add_all(&line, of.range.start);
    }

    fn row(&self, label: Option<&str>, cells: &[Vec<Inline>]) -> Line {
        let mut line = Line::default();
        if let Some(label) = label {
            line.text = format!("{label} ");
        }
        line.text.push('|');
        for cell in cells {
            line.text.push(' ');
            self.inlines(cell, &mut line);
            line.text.push_str(" |");
        }
        line
    }

    fn line(&self, content: &[Inline]) -> Line {
        let mut line = Line::default();
        self.inlines(content, &mut line);
        line
    }

    fn inlines(&self, inlines: &[Inline], line: &mut Line) {
        inlines.iter().for_each(|inline| self.inline(inline, line));
    }

    fn inline(&self, inline: &Inline, line: &mut Line) {
        let start = line.text.len();
        match inline {
            Inline::Text(text) => {
                if text.contains(is_digit) {
                    let digits = text.find(is_digit).unwrap_or_default();
                    let rest = &text[digits..];
                    let end = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
                    line.marks.push(Mark::Number(start + digits, rest[..end].to_owned()));
                    // Further ones may stand in sentences of their own.
                    for (at, _) in rest[end..].char_indices().filter(|(_, c)| is_digit(*c)) {
                        line.marks.push(Mark::Number(start + digits + end + at, String::new()));
                    }
                }
                return line.text.push_str(text);
            }
            Inline::SoftBreak | Inline::HardBreak => return line.text.push(' '),
            Inline::Emphasis(content) | Inline::Strong(content) => {
                return self.inlines(content, line);
            }
            Inline::Strikethrough(content) => {
                line.text.push_str("~~");
                self.inlines(content, line);
                line.text.push_str("~~");
                return;
            }
            Inline::Link { target, content, span, .. } => {
                if target != EXEMPT {
                    return self.inlines(content, line);
                }
                line.text.push('[');
                self.inlines(content, line);
                line.text.push_str(&format!("]({EXEMPT})"));
                line.marks.push(Mark::Place(start, span.clone()));
            }
            Inline::Claim { claim, content } => {
                line.text.push('[');
                self.inlines(content, line);
                line.text.push_str(&format!("]({})", claim.name));
                line.marks.push(Mark::Place(start, claim.span.clone()));
            }
            Inline::Value { expression, span } => {
                line.text.push_str(&format!("{{{{ {} }}}}", expression.trim()));
                line.marks.push(Mark::Place(start, span.clone()));
            }
            Inline::Math { latex, span } => {
                line.text.push_str(&format!("${}$", latex.trim()));
                let says = || self.formulas.iter().any(|at| span.range.contains(at));
                if is_number(latex) || says() {
                    line.marks.push(Mark::Place(start, span.clone()));
                }
            }
            Inline::Code(code) => line.text.push_str(&format!("`{code}`")),
            Inline::Image { alt, .. } => line.text.push_str(&format!("![{alt}]")),
            Inline::Footnote { name, .. } => line.text.push_str(&format!("[^{name}]")),
            Inline::Reference { span, .. } | Inline::Citation { span, .. } => {
                line.text.push_str(span.text());
                line.marks.push(Mark::Place(start, span.clone()));
            }
            Inline::Html(html) if is_comment(html) => {}
            Inline::Html(html) => line.text.push_str(html),
        }
        line.whole.push(start..line.text.len());
    }

    /// Adds a line if there is anything in it to speak of.
    fn add(&mut self, line: &Line) {
        if !line.marks.is_empty() {
            self.add_all(line, self.at);
        }
    }

    /// Adds a line that stands at `at` if nothing in it says where.
    fn add_all(&mut self, line: &Line, at: usize) {
        let source = &self.chapter.source;
        let placed = line.marks.iter().find_map(|mark| match mark {
            Mark::Place(_, span) => Some(span.clone()),
            Mark::Number(..) => None,
        });
        let number = || {
            let digits = line.marks.iter().find_map(|mark| match mark {
                Mark::Number(_, digits) => Some(digits.as_str()),
                Mark::Place(..) => None,
            })?;
            self.numbers.iter().filter(|it| it.range.end > self.at).find_map(|it| {
                let from = it.range.start.max(self.at);
                let at = from + source.text().get(from..it.range.end)?.find(digits)?;
                Some(source.span(at..at + digits.len()))
            })
        };
        let span = placed.or_else(number).unwrap_or_else(|| source.span(at..at));
        self.at = self.at.max(span.range.end);
        let text = line.text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.found.push(Passage { span, text });
    }
}

/// Something in a line of which a reader wants to know the words around it, by its place in the line.
#[derive(Clone)]
enum Mark {
    /// A number, with its digits.
    Number(usize, String),
    /// Something that stands here in the chapter.
    Place(usize, Span),
}

impl Mark {
    fn at(&self) -> usize {
        match self {
            Self::Number(at, _) | Self::Place(at, _) => *at,
        }
    }
}

/// Words on one line.
#[derive(Default)]
struct Line {
    text: String,
    marks: Vec<Mark>,
    /// What no sentence ends within.
    whole: Vec<std::ops::Range<usize>>,
}

impl Line {
    /// The sentences. Where it is not plain that one ends, it goes on.
    fn sentences(self) -> Vec<Self> {
        let text = self.text.as_str();
        let mut ends = Vec::new();
        // Whether a sentence may be over, and where the next one would begin.
        let mut is_over = false;
        let mut next = None;
        for (at, c) in text.char_indices() {
            if is_over
                && next.is_none()
                && text[..at].ends_with(char::is_whitespace)
                && !c.is_whitespace()
            {
                next = Some(at);
            }
            match c {
                c if is_over && next.is_some() && c.is_uppercase() => {
                    ends.extend(next);
                    (is_over, next) = (false, None);
                }
                '.' | '!' | '?' if !self.is_within(at) => (is_over, next) = (true, None),
                '。' | '！' | '？' if !self.is_within(at) => {
                    ends.push(at + c.len_utf8());
                    (is_over, next) = (false, None);
                }
                c if c.is_whitespace() => {}
                // Marks may stand behind the end of a sentence, and before a word.
                c if is_over && !c.is_alphanumeric() => {}
                _ => (is_over, next) = (false, None),
            }
        }
        ends.push(text.len());
        let mut start = 0;
        let mut sentences = Vec::new();
        for end in ends {
            let is_here = |mark: &&Mark| (start..end).contains(&mark.at());
            sentences.push(Self {
                text: text[start..end].to_owned(),
                marks: self.marks.iter().filter(is_here).cloned().collect(),
                whole: Vec::new(),
            });
            start = end;
        }
        sentences
    }

    fn is_within(&self, at: usize) -> bool {
        self.whole.iter().any(|whole| whole.contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use crate::span::Source;

    fn of(text: &str) -> Vec<String> {
        let (chapter, _) = parse::chapter(Source::new("a.md", text));
        let passages = super::of(&chapter);
        assert_eq!(passages, found(&chapter));
        passages.into_iter().map(|it| format!("{}: {}", it.span.position().line, it.text)).collect()
    }

    #[test]
    fn sentences_with_a_claim_a_value_or_a_number_are_passages() {
        let text = "# Title\n\nNo number. There are *at most*\n[64](claim:rows \"exact\") rows in Fig. 3. \
                    It takes {{ a |\nfixed(1) }} seconds, e.g. here. None. Of 12 (all 13), see @fig-x. \
                    [So is](claim:so) this. (And “4”.)\n\n\
                    - It has [3](exempt: \"few\") parts.\n- And $2 W$ or $x$.\n- No.\n";
        assert_eq!(
            of(text),
            [
                "4: There are at most [64](rows) rows in Fig. 3.",
                "4: It takes {{ a | fixed(1) }} seconds, e.g. here.",
                "5: Of 12 (all 13), see @fig-x.",
                "5: [So is](so) this.",
                "5: (And “4”.)",
                "7: It has [3](exempt:) parts.",
                "8: And $2 W$ or $x$.",
            ]
        );
    }

    #[test]
    fn rows_have_their_header_and_their_caption() {
        let text = "| Net | Rows |\n|---|---|\n| A | [64](claim:a) |\n| B | none |\n| **C** | 3 |\n\n\
                    : All nets {#tbl-x}\n\n| A |\n|---|\n| b |\n";
        assert_eq!(
            of(text),
            [
                "1: tbl-x | Net | Rows |",
                "3: tbl-x | A | [64](a) |",
                "5: tbl-x | C | 3 |",
                "1: tbl-x: All nets",
            ]
        );
    }

    #[test]
    fn captions_of_cells_are_passages_and_their_code_is_none() {
        let text = "```rust,cell\n//| label: fig-x\n//| caption: Time\n//|   in seconds\nlet a = 3;\n```\n\nOf 3. And 3 more.\n";
        let found = of(text);
        assert_eq!(found[0].split_once(": ").expect("a line").1, "fig-x: Time in seconds");
        assert_eq!(found[1..], ["8: Of 3.", "8: And 3 more."]);
    }
}
