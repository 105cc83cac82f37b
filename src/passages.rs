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

/// Version of how passages are made; those of different versions cannot be compared.
pub(crate) const VERSION: u32 = 2;

/// A passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// Where it begins, as far as that can be told.
    pub span: Span,
    /// What it says, on one line.
    pub text: String,
}

impl Passage {
    /// A passage of a file in which it stands at the first of these words that is found behind a key, or somewhere.
    pub(crate) fn found(source: &Source, key: &str, words: &str, text: &str) -> Self {
        let all = source.text();
        let begins_line = |at: &usize| {
            let line = all[..*at].rsplit('\n').next().unwrap_or_default();
            line.chars().all(|c| c.is_whitespace() || "'\"-".contains(c))
        };
        let mut keys = all.match_indices(key).map(|(at, _)| at);
        let key = keys.find(begins_line).or_else(|| all.find(key)).unwrap_or_default();
        let at = all[key..].find(words).map_or(key, |at| key + at);
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
    let found = |key: &str, at_words: &str, name: &str, words: &str| {
        Passage::found(&at.source, key, at_words, &format!("{name}: {words}"))
    };
    let of = |key: &str, name: &str, words: &str| found(key, words, name, words);
    let mut all =
        vec![of("title:", "title", &config.title), of("language:", "language", &config.language)];
    for author in &config.authors {
        all.push(of("authors:", "author", &author.name));
        let affiliation = author.affiliation.iter();
        all.extend(affiliation.map(|words| of("authors:", "affiliation", words)));
    }
    if config.echo == Echo::Hide {
        all.push(of("echo:", "echo", "false"));
    }
    all.extend(config.macros.iter().map(|(name, words)| found("macros:", name, name, words)));
    all.extend(
        config.chapters.iter().map(|(path, at)| Passage {
            span: at.clone(),
            text: joined(&format!("chapter: {path}")),
        }),
    );
    all
}

/// All passages of a chapter in a report that shows code so, unless chapter or cell say otherwise; what was found for
/// the same text is remembered.
pub fn of(chapter: &Chapter, echo: Echo) -> Vec<Passage> {
    static KNOWN: Memo<Vec<Passage>> = Memo::new(1 << 20);
    let (path, text) = (chapter.source.path(), chapter.source.text());
    let shown = is_shown(echo).as_bytes();
    KNOWN.get(Input::of([path.as_bytes(), text.as_bytes(), shown]), || {
        (found(chapter, echo), text.len())
    })
}

/// Whether readers get to see code, in the words of an author.
fn is_shown(echo: Echo) -> &'static str {
    if echo == Echo::Hide { "false" } else { "true" }
}

fn found(chapter: &Chapter, echo: Echo) -> Vec<Passage> {
    let front = &chapter.front;
    let of = |key: &str, at_words: &str, name: &str, words: &str| {
        Passage::found(&chapter.source, key, at_words, &format!("{name}: {words}"))
    };
    let mut found: Vec<Passage> =
        front.title.iter().map(|title| of("title:", title, "title", title)).collect();
    found.extend(front.macros.iter().map(|(name, words)| of("macros:", name, name, words)));
    let own = front.cells.echo.unwrap_or(echo);
    if is_shown(own) != is_shown(echo) {
        found.push(of("echo:", is_shown(own), "echo", is_shown(own)));
    }
    let mut finder = Finder {
        chapter,
        echo: own,
        prose: prose(chapter),
        at: chapter.body,
        lead: String::new(),
        found,
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
    /// Whether its code is shown, as long as nothing else is said of it.
    echo: Echo,
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
                // Numbers of cells would change with each that is put before them.
                let name = options.label.as_deref().unwrap_or("cell");
                self.echo(options.echo, name, &cell.span);
            }
            Block::Code { text, .. } => {
                let lines = text.lines().filter(|line| !line.trim().is_empty());
                lines.for_each(|line| self.verbatim(&format!("`{}`", line.trim()), line.trim()));
            }
            Block::Html(html) if is_comment(html) => {}
            Block::Html(html) => self.verbatim(html, html.lines().next().unwrap_or_default()),
            Block::Module(index) => {
                if let Some(module) = self.chapter.modules.get(*index) {
                    self.echo(module.echo, "module", &module.span);
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

    /// Code that readers get to see or not, unlike the rest of the chapter.
    fn echo(&mut self, echo: Option<Echo>, of: &str, at: &Span) {
        let own = is_shown(echo.unwrap_or(self.echo));
        if own != is_shown(self.echo) {
            self.add_at(&format!("{of}: echo: {own}"), at);
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
        of_shown(text, Echo::Fold)
    }

    fn of_shown(text: &str, echo: Echo) -> Vec<String> {
        let (chapter, _) = parse::chapter(Source::new("a.md", text));
        let passages = super::of(&chapter, echo);
        assert_eq!(passages, found(&chapter, echo));
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

    #[test]
    fn code_that_is_shown_or_hidden_unlike_the_rest_is_a_passage() {
        let text = |front: &str, cell: &str| {
            format!(
                "{front}# A\n\n```rust,cell\n{cell}let a = 3;\n```\n\n```rust,module\nfn f() {{}}\n```\n"
            )
        };
        let echo = |text: &str, echo| -> Vec<String> {
            of_shown(text, echo).into_iter().filter(|it| it.contains("echo")).collect()
        };
        let (shown, hidden) = ("//| echo: true\n", "//| echo: false\n");
        let front = "---\ncells: {echo: false}\n---\n";
        assert_eq!(echo(&text("", shown), Echo::Hide), ["3: cell: echo: true"]);
        assert!(echo(&text("", ""), Echo::Hide).is_empty());
        assert!(echo(&text("", hidden), Echo::Hide).is_empty());
        assert!(echo(&text("", shown), Echo::Fold).is_empty());
        assert_eq!(echo(&text("", hidden), Echo::Show), ["3: cell: echo: false"]);
        assert_eq!(echo(&text(front, ""), Echo::Show), ["2: echo: false"]);
        assert_eq!(
            echo(&text(front, shown), Echo::Show),
            ["2: echo: false", "6: cell: echo: true"]
        );
        assert!(echo(&text(front, ""), Echo::Hide).is_empty());
    }

    #[test]
    fn settings_stand_behind_their_keys() {
        let text = "title: The length of a language\nauthors:\n  - name: Max Title\n    affiliation: en\n\
                    language: en\necho: false\nmacros: {'\\en': 'n'}\nchapters:\n  - en.md\n";
        let (config, problems) = crate::config::report(&Source::new("report.yaml", text));
        let config = config.unwrap_or_else(|| panic!("{problems:?}"));
        let placed = of_report(&config).into_iter().map(|it| {
            let place = it.span.position();
            format!("{}:{}: {}", place.line, place.column, it.text)
        });
        assert_eq!(
            placed.collect::<Vec<_>>(),
            [
                "1:8: title: The length of a language",
                "5:11: language: en",
                "3:11: author: Max Title",
                "4:18: affiliation: en",
                "6:7: echo: false",
                "7:11: \\en: n",
                "9:5: chapter: en.md",
            ]
        );
    }
}
