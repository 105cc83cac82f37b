//! The passages of a report: what its readers read, one by one.
//!
//! In: a parsed chapter, or the settings of the report. Out: all its [`Passage`]s in the order of the file: headings
//! with their labels, sentences, rows of tables with their header, captions, alternative texts, displayed formulas,
//! lines of code that is only shown, raw HTML, macros, each on one line. A claim is written `[words](name)` and an
//! inline value `{{ expression }}`, so that it matters which one stands where, and not what code gives. Left out: how
//! text is broken into lines, emphasis, comments, and the code of cells and modules, which has keys of its own.

mod line;

use line::{Line, image};

use crate::config::ReportConfig;
use crate::memo::{Input, Memo};
use crate::parse::prose::{Stretch, prose};
use crate::parse::{Block, CalloutKind, Chapter, Echo, Inline, is_comment};
use crate::span::{Source, Span};

/// A passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// Where it begins, as far as that can be told.
    pub span: Span,
    /// What it says, on one line.
    pub text: String,
}

impl Passage {
    /// A passage of a file in which it stands at the first of these words that is found, or somewhere.
    pub(crate) fn found(source: &Source, words: &str, text: &str) -> Self {
        let at = source.text().find(words).unwrap_or_default();
        Self { span: source.span(at..at), text: joined(text) }
    }
}

/// The expressions of the inline values of a passage.
pub(crate) fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{ ").skip(1).filter_map(|rest| rest.split(" }}").next())
}

/// What a report says in its settings: how it is called, by whom it is, and which chapters it has in which order.
pub fn of_report(config: &ReportConfig) -> Vec<Passage> {
    let Some((_, at)) = config.chapters.first() else { return Vec::new() };
    let of =
        |name: &str, words: &str| Passage::found(&at.source, words, &format!("{name}: {words}"));
    let mut all = vec![of("title", &config.title), of("language", &config.language)];
    for author in &config.authors {
        all.push(of("author", &author.name));
        all.extend(author.affiliation.iter().map(|words| of("affiliation", words)));
    }
    if config.echo == Echo::Hide {
        all.push(of("echo", "false"));
    }
    all.extend(config.macros.iter().map(|(name, words)| of(name, words)));
    all.extend(config.chapters.iter().map(|(path, _)| of("chapter", path)));
    all
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
    let source = &chapter.source;
    let title = chapter.front.title.iter().map(|words| ("title", words));
    let macros = chapter.front.macros.iter().map(|(name, words)| (name.as_str(), words));
    let hidden = chapter.front.cells.echo == Some(Echo::Hide);
    let hidden = hidden.then_some("false");
    let front = title.chain(macros).map(|(name, words)| (name, words.as_str()));
    let front = front.chain(hidden.map(|words| ("echo", words)));
    let mut finder = Finder {
        chapter,
        prose: prose(chapter),
        at: chapter.body,
        lead: String::new(),
        found: front
            .map(|(name, words)| Passage::found(source, words, &format!("{name}: {words}")))
            .collect(),
    };
    finder.blocks(&chapter.blocks);
    finder.found
}

/// A text on one line.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Finder<'a> {
    chapter: &'a Chapter,
    /// Where words stand.
    prose: Vec<Stretch>,
    /// Behind the beginning of the last passage.
    at: usize,
    /// What stands before the next passage, such as the mark of an item.
    lead: String,
    found: Vec<Passage>,
}

impl Finder<'_> {
    fn blocks(&mut self, blocks: &[Block]) {
        blocks.iter().for_each(|block| self.block(block));
    }

    /// Blocks of which the first passage begins with a mark.
    fn led(&mut self, lead: &str, blocks: &[Block]) {
        self.lead.push_str(lead);
        self.blocks(blocks);
        self.lead.clear();
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { level, label, content, span } => {
                let text = format!("{} ", "#".repeat(usize::from(*level)));
                let mut line = Line::behind(text);
                line.inlines(content);
                line.label(label.as_deref());
                self.add_at(&line.text, span);
            }
            Block::Paragraph(content) => {
                for sentence in Line::of(content).sentences() {
                    self.add(&sentence);
                }
            }
            Block::List { start, items } => {
                // All items of a numbered list have its first number, so that a new one changes no other.
                let mark = start.map_or_else(|| "- ".to_owned(), |first| format!("{first}. "));
                for item in items {
                    let task =
                        item.task.map_or("", |is_done| if is_done { "[x] " } else { "[ ] " });
                    self.led(&format!("{mark}{task}"), &item.blocks);
                }
            }
            Block::Quote(blocks) => self.led("> ", blocks),
            Block::Callout { kind, blocks } => {
                let name = match kind {
                    CalloutKind::Note => "NOTE",
                    CalloutKind::Tip => "TIP",
                    CalloutKind::Important => "IMPORTANT",
                    CalloutKind::Warning => "WARNING",
                    CalloutKind::Caution => "CAUTION",
                };
                self.led(&format!("> [!{name}] "), blocks);
            }
            Block::Footnote { name, blocks, span } => {
                self.at = self.at.max(span.range.start);
                self.led(&format!("[^{name}]: "), blocks);
            }
            Block::Equation(equation) => {
                let formula = format!("$${}$$", equation.latex.trim());
                let text = match &equation.claim {
                    Some(claim) => format!("[{formula}]({})", claim.name),
                    None => formula,
                };
                let mut line = Line::behind(text);
                line.label(equation.label.as_deref());
                self.add_at(&line.text, &equation.span);
            }
            Block::Table { header, rows, caption, label, span, .. } => {
                self.at = self.at.max(span.range.start);
                let row = |cells: &Vec<Vec<Inline>>| Line::row(label.as_deref(), cells);
                self.add_here(&row(header), span);
                rows.iter().for_each(|cells| self.add_here(&row(cells), span));
                self.caption(label.as_deref(), caption.as_deref(), span);
            }
            Block::Figure { target, caption, label, alt, span } => {
                self.caption(label.as_deref(), Some(caption), span);
                let alt = alt.as_deref().unwrap_or_default();
                self.of_label(label.as_deref(), &image(alt, target), span);
            }
            Block::Cell(index) => {
                let Some(cell) = self.chapter.cells.get(*index) else { return };
                let options = &cell.options;
                self.caption(options.label.as_deref(), options.caption.as_deref(), &cell.span);
                if let Some(alt) = &options.alt {
                    self.of_label(options.label.as_deref(), &image(alt, ""), &cell.span);
                }
                self.hidden(options.echo, &cell.id, &cell.span);
            }
            Block::Code { text, .. } => {
                let lines = text.lines().filter(|line| !line.trim().is_empty());
                lines.for_each(|line| self.verbatim(&format!("`{}`", line.trim()), line.trim()));
            }
            Block::Html(html) if is_comment(html) => {}
            Block::Html(html) => self.verbatim(html, html.lines().next().unwrap_or_default()),
            Block::Module(index) => {
                if let Some(module) = self.chapter.modules.get(*index) {
                    self.hidden(module.echo, "module", &module.span);
                }
            }
            Block::Rule => {}
        }
    }

    fn caption(&mut self, label: Option<&str>, caption: Option<&[Inline]>, of: &Span) {
        let Some(content) = caption.filter(|content| !content.is_empty()) else { return };
        let mut line = Line::behind(label.map(|label| format!("{label}: ")).unwrap_or_default());
        line.inlines(content);
        self.at = self.at.max(of.range.start);
        self.add_here(&line, of);
    }

    /// Code that readers do not get to see.
    fn hidden(&mut self, echo: Option<Echo>, of: &str, at: &Span) {
        if echo == Some(Echo::Hide) {
            self.add_at(&format!("{of}: echo: false"), at);
        }
    }

    fn of_label(&mut self, label: Option<&str>, words: &str, at: &Span) {
        let label = label.map(|label| format!("{label}: ")).unwrap_or_default();
        self.add_at(&format!("{label}{words}"), at);
    }

    /// Adds what stands in the file as it is.
    fn verbatim(&mut self, text: &str, first: &str) {
        let source = &self.chapter.source;
        let found = source.text().get(self.at..).and_then(|rest| rest.find(first.trim()));
        let at = self.at + found.unwrap_or_default();
        self.add_at(text, &source.span(at..at));
    }

    /// Adds a sentence where its first word stands.
    fn add(&mut self, line: &Line) {
        let here = self.chapter.source.span(self.at..self.at);
        self.add_here(line, &here);
    }

    /// Adds a line where its first word stands, or else in a block.
    fn add_here(&mut self, line: &Line, block: &Span) {
        let placed = line.places.iter().min_by_key(|(at, _)| *at);
        let starts_with_it =
            |(at, _): &&(usize, Span)| !line.text[..*at].contains(char::is_alphanumeric);
        let span = match placed.filter(starts_with_it) {
            Some((_, span)) => Some(span.clone()),
            _ => self.word(line, placed.map(|(_, span)| span.range.start)),
        };
        let span = span.or_else(|| placed.map(|(_, span)| span.clone()));
        self.add_at(&line.text, &span.unwrap_or_else(|| block.clone()));
        let last = line.places.iter().map(|(_, span)| span.range.end).max();
        self.at = self.at.max(last.unwrap_or_default());
    }

    /// Where the first word of a line stands in the prose behind the last passage and before `end`.
    fn word(&self, line: &Line, end: Option<usize>) -> Option<Span> {
        let words = line.text[line.start..].trim_start_matches(|c: char| !c.is_alphanumeric());
        let word =
            words.split(|c: char| !c.is_alphanumeric()).next().filter(|it| !it.is_empty())?;
        let source = &self.chapter.source;
        // Code and HTML are no prose.
        if line.is_within(line.text.len() - words.len()) {
            let at = self.at + source.text().get(self.at..)?.find(word)?;
            return Some(source.span(at..at + word.len()));
        }
        let from = self.prose.partition_point(|it| it.range.end <= self.at);
        let stretches = self.prose[from..].iter();
        let end = end.unwrap_or(source.text().len());
        stretches.take_while(|it| it.range.start < end).find_map(|it| {
            let from = it.range.start.max(self.at);
            let text = source.text().get(from..it.range.end)?;
            let is_whole = |at: &usize| {
                !text[..*at].ends_with(char::is_alphanumeric)
                    && !text[at + word.len()..].starts_with(char::is_alphanumeric)
            };
            let at = from + text.match_indices(word).map(|(at, _)| at).find(is_whole)?;
            Some(source.span(at..at + word.len()))
        })
    }

    fn add_at(&mut self, text: &str, span: &Span) {
        let text = joined(&format!("{}{text}", std::mem::take(&mut self.lead)));
        if !text.is_empty() {
            self.at = self.at.max(span.range.end);
            self.found.push(Passage { span: span.clone(), text });
        }
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
    fn all_that_is_read_is_a_passage() {
        let text = "---\ntitle: T\nmacros: {'\\R': '\\mathbb{R}'}\n---\n\n# A. Title {#sec-t}\n\nNo number. There are *at most*\n\
                    [64](claim:rows \"exact\") rows in Fig. 3. It takes {{ a |\nfixed(1) }} seconds, e.g. here. \
                    None. Of 12 (all 13), see @fig-x. [So is](claim:so) this. (And “4”.)\n\n\
                    - It has [3](exempt: \"few\") parts.\n- [x] And $2 W$ or $x$.\n\n1. No.\n2. Yes. Or\n   no[^a].\n\n\
                    > [!TIP]\n> [Look](https://a.b \"there\").\n\n> So.\n\n[^a]: A note. Two.\n\n\
                    <b>raw\n text</b>\n\n<!-- none -->\n\n```sh\nls\n\n  cd\n```\n\n$$ a\n= b $$ {#eq-a}\n\n\
                    $$ c $$ {claim=\"c\"}\n\nIn ![an *alt*](b.svg) it.\n";
        assert_eq!(
            of(text),
            [
                "2: title: T",
                "3: \\R: \\mathbb{R}",
                "6: # A. Title {#sec-t}",
                "8: No number.",
                "8: There are at most [64](rows) rows in Fig. 3.",
                "9: It takes {{ a | fixed(1) }} seconds, e.g. here.",
                "10: None.",
                "10: Of 12 (all 13), see @fig-x.",
                "10: [So is](so) this.",
                "10: (And “4”.)",
                "12: - It has [3](exempt:) parts.",
                "13: - [x] And $2 W$ or $x$.",
                "15: 1. No.",
                "16: 1. Yes.",
                "16: Or no[^a].",
                "20: > [!TIP] Look <https://a.b there>.",
                "22: > So.",
                "24: [^a]: A note.",
                "24: Two.",
                "26: <b>raw text</b>",
                "32: `ls`",
                "34: `cd`",
                "37: $$a = b$$ {#eq-a}",
                "40: [$$c$$](c)",
                "42: In ![an alt] <b.svg> it.",
            ]
        );
    }

    #[test]
    fn rows_have_their_label_and_figures_their_texts() {
        let text = "| Net | Rows |\n|---|---|\n| A | [64](claim:a) |\n| B | none |\n| **C** | 3 |\n\n\
                    : All nets {#tbl-x}\n\n![A plot](p.svg){#fig-p alt=\"Two lines\"}\n";
        assert_eq!(
            of(text),
            [
                "1: tbl-x | Net | Rows |",
                "3: tbl-x | A | [64](a) |",
                "4: tbl-x | B | none |",
                "5: tbl-x | C | 3 |",
                "7: tbl-x: All nets",
                "9: fig-p: A plot",
                "9: fig-p: ![Two lines] <p.svg>",
            ]
        );
    }

    #[test]
    fn captions_of_cells_are_passages_and_their_code_is_none() {
        let text = "```rust,cell\n//| label: fig-x\n//| caption: Time\n//|   in seconds\n//| alt: It falls.\n\
                    //| echo: false\nlet a = 3;\n```\n\nOf 3. And 3 more.\n";
        assert_eq!(
            of(text),
            [
                "3: fig-x: Time in seconds",
                "1: fig-x: ![It falls.]",
                "1: fig-x: echo: false",
                "10: Of 3.",
                "10: And 3 more.",
            ]
        );
    }
}
