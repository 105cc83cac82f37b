//! The document as calls of the template's functions.
//!
//! In: the resolved [`Document`]. Out: Typst sources, one a section, and the pictures they show.
//! Everything is written in Typst's code mode, in which the author's text is string literals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use typst::foundations::Bytes;

use crate::document::{Block, Chapter, Document, Image, ImageData, Reference};
use crate::math::Math;
use crate::render::Highlighter;
use crate::render::look::Index;
use crate::words::Word;

use super::ledger;
use super::text::{Space, Text, quoted};
use super::world::{Read, ReportWorld};

/// The looks.
const TEMPLATE: &str = include_str!("../../../templates/report.typ");

/// Head of every emitted source.
const IMPORTS: &str = "#import \"/report.typ\" as r\n#import \"/math.typ\": *\n";

/// Typst lays out what page breaks separate at the same time, and one after the other what shares a page.
const NEW_PAGE: &str = "#pagebreak(weak: true)\n";

/// Longest running title that has room above a page.
const RUNNING_TITLE: usize = 90;

/// Level of the headings that the table of contents ends with, the same as in the template.
const DEEPEST_IN_CONTENTS: u8 = 3;

/// What Typst compiles.
pub(super) struct Emission {
    sources: BTreeMap<String, String>,
    files: BTreeMap<String, Bytes>,
    /// Parts that Typst may reject, in order.
    pub fragile: Vec<Fragile>,
    /// Characters that no font can show.
    pub unprintable: BTreeSet<char>,
}

/// A part that Typst may reject.
pub(super) enum Fragile {
    /// A formula, with its LaTeX and the Typst expression that shows it.
    Formula { latex: String, code: String },
    /// A picture, with its name and the Typst expression that shows it.
    Picture { name: String, code: String },
}

impl Emission {
    /// Translates a document; the fragile parts in `broken` are replaced by problems.
    ///
    /// `anchors` are those of the last print, and then of this one. They seldom change, so that one pass is enough.
    pub(super) fn new(
        document: &Document,
        highlighter: &Highlighter,
        broken: &BTreeSet<usize>,
        anchors: &mut BTreeSet<String>,
    ) -> Self {
        let emitter = |known: &_| Emitter::new(document, highlighter, broken, known).emit();
        let (emission, found) = emitter(anchors);
        if found == *anchors {
            return emission;
        }
        *anchors = found;
        emitter(anchors).0
    }

    /// The world that compiles the report.
    pub(super) fn world(&self, read: &mut Read) -> ReportWorld {
        ReportWorld::new("/main.typ", &self.sources, &self.files, read)
    }

    /// A world that compiles one fragile part.
    pub(super) fn world_of(&self, index: usize) -> ReportWorld {
        let (Fragile::Formula { code, .. } | Fragile::Picture { code, .. }) = &self.fragile[index];
        let main = format!("{IMPORTS}#set document(title: \"part\")\n#show: r.bare\n#{code}\n");
        let sources = BTreeMap::from([
            ("/part.typ".to_owned(), main),
            ("/report.typ".to_owned(), TEMPLATE.to_owned()),
            ("/math.typ".to_owned(), crate::math::PRELUDE.to_owned()),
        ]);
        ReportWorld::new("/part.typ", &sources, &self.files, &mut Read::default())
    }
}

/// Translates one document.
pub(super) struct Emitter<'a> {
    pub(super) document: &'a Document,
    broken: &'a BTreeSet<usize>,
    /// Anchors that exist.
    known: &'a BTreeSet<String>,
    /// Anchors written so far; each is written once.
    placed: BTreeSet<String>,
    fragile: Vec<Fragile>,
    /// Places in `fragile` of formulas by their Typst markup.
    formulas: BTreeMap<String, usize>,
    files: BTreeMap<String, Bytes>,
    pub(super) index: Index<'a>,
    pub(super) highlighter: &'a Highlighter,
    /// Folded code of the chapter being written, which the appendix prints.
    pub(super) folded: String,
    pub(super) text: Text,
    /// The chapter being written.
    pub(super) chapter: Option<&'a Chapter>,
    /// Level of the last heading.
    pub(super) level: u8,
    /// Typst code that the chapter has before the block being written.
    pub(super) before: usize,
    /// What the table of contents will hold.
    entries: String,
}

impl<'a> Emitter<'a> {
    fn new(
        document: &'a Document,
        highlighter: &'a Highlighter,
        broken: &'a BTreeSet<usize>,
        known: &'a BTreeSet<String>,
    ) -> Self {
        Self {
            document,
            highlighter,
            broken,
            known,
            placed: BTreeSet::new(),
            fragile: Vec::new(),
            formulas: BTreeMap::new(),
            files: BTreeMap::new(),
            index: Index::new(document),
            folded: String::new(),
            text: Text::default(),
            chapter: None,
            level: 0,
            before: 0,
            entries: String::new(),
        }
    }

    /// Returns the emission and the anchors that it holds.
    fn emit(mut self) -> (Emission, BTreeSet<String>) {
        let document = self.document;
        let mut sources = BTreeMap::from([
            ("/report.typ".to_owned(), TEMPLATE.to_owned()),
            ("/math.typ".to_owned(), crate::math::PRELUDE.to_owned()),
        ]);
        let mut main = String::new();
        let mut folded = Vec::new();
        for (index, chapter) in document.chapters.iter().enumerate() {
            main.push_str(NEW_PAGE);
            for (part, code) in self.one_chapter(chapter).iter().enumerate() {
                let path = format!("/chapter-{index}-{part}.typ");
                main.push_str(&included(&path));
                sources.insert(path, IMPORTS.to_owned() + code);
            }
            folded.push((chapter, std::mem::take(&mut self.folded)));
        }
        if !document.bibliography.is_empty() {
            main.push_str(&(NEW_PAGE.to_owned() + &included("/references.typ")));
            let code = alone(&self.references(&document.bibliography));
            sources.insert("/references.typ".to_owned(), IMPORTS.to_owned() + &code);
        }
        if !document.claims.is_empty() {
            main.push_str(&(NEW_PAGE.to_owned() + &included("/ledger.typ")));
            let ledger = ledger::appendix(&mut self).map(|part| alone(&part)).concat();
            sources.insert("/ledger.typ".to_owned(), IMPORTS.to_owned() + &ledger);
        }
        let words = document.words();
        folded.retain(|(_, code)| !code.is_empty());
        if !folded.is_empty() {
            main.push_str(&(NEW_PAGE.to_owned() + &included("/code.typ")));
            let mut code = alone(&self.back_matter(1, words.get(Word::Code)));
            for (chapter, folded) in folded {
                let title = self.title(&chapter.number, &chapter.title);
                let section = self.section(2, &chapter.number, "none", &title);
                code.push_str(&(alone(&section) + &folded));
            }
            sources.insert("/code.typ".to_owned(), IMPORTS.to_owned() + &code);
        }
        sources.insert("/main.typ".to_owned(), self.head() + &main);
        let emission = Emission {
            sources,
            files: self.files,
            fragile: self.fragile,
            unprintable: self.text.into_unprintable(),
        };
        (emission, self.placed)
    }

    fn head(&mut self) -> String {
        let document = self.document;
        let title = match document.title.trim() {
            "" => "Report",
            title => title,
        };
        let mut running: String = title.chars().take(RUNNING_TITLE).collect();
        if running.len() < title.len() {
            running.push('…');
        }
        let (lang, region) = language(&document.language);
        let mut code = format!(
            "{IMPORTS}#show: r.report.with(\n  title: {},\n  running: {},\n  lang: {},\n  region: {},\n",
            self.text.spoken(title),
            self.text.spoken(&running),
            quoted(&lang),
            region.map_or("none".to_owned(), |region| quoted(&region)),
        );
        code.push_str("  authors: (\n");
        for author in &document.authors {
            let name = self.text.spoken(&author.name);
            let affiliation = self.shown_or_none(author.affiliation.as_deref());
            let _ = writeln!(code, "    (name: {name}, affiliation: {affiliation}),");
        }
        code.push_str("  ),\n  environment: (\n");
        for (name, words) in &document.environment {
            let name = self.text.shown(name, Space::Running);
            let words = self.text.shown(words, Space::Running);
            let _ = writeln!(code, "    ({name}, {words}),");
        }
        let notice = self.shown_or_none(document.notice.as_deref());
        let _ = writeln!(
            code,
            "  ),\n  notice: {notice},\n  contents: {},\n  claims: {},\n  entries: (\n{}  ),\n)",
            quoted(document.words().get(Word::Contents)),
            ledger::overview(document),
            self.entries,
        );
        code
    }

    /// A chapter, cut at its sections, for Typst evaluates anew the sources that have changed.
    fn one_chapter(&mut self, chapter: &'a Chapter) -> Vec<String> {
        self.chapter = Some(chapter);
        self.level = 1;
        let name = self.place(&chapter.anchor);
        let title = self.title(&chapter.number, &chapter.title);
        let mut code = alone(&self.section(1, &chapter.number, &name, &title));
        for problem in &chapter.problems {
            let problem = self.text.shown(problem, Space::Running);
            code.push_str(&alone(&format!("r.problem({problem}, none)")));
        }
        let mut parts = Vec::new();
        self.before = code.len();
        for block in &chapter.blocks {
            if matches!(block, Block::Heading { level: 2, .. }) {
                parts.push(std::mem::take(&mut code));
            }
            let block = alone(&self.block(block, 0));
            self.before += block.len();
            code.push_str(&block);
        }
        parts.push(code);
        self.chapter = None;
        parts
    }

    fn references(&mut self, works: &[Reference]) -> String {
        let mut code =
            self.back_matter(1, self.document.words().get(Word::References)) + "r.references(\n";
        for work in works {
            let name = self.place(&work.anchor);
            let content = self.inlines(&work.content);
            let _ = writeln!(code, "r.reference({name}, {}, {content}),", work.number);
        }
        code.push_str(")\n");
        code
    }

    /// A numbered heading, of which the table of contents tells.
    pub(super) fn section(&mut self, level: u8, number: &str, name: &str, title: &str) -> String {
        let number = self.text.shown(number, Space::Running);
        self.expect(level, &format!("r.titled({number}, {title})"));
        format!("r.section({level}, {number}, {name}, {title})")
    }

    /// The heading of a part of the back matter.
    pub(super) fn back_matter(&mut self, level: u8, title: &str) -> String {
        let title = quoted(title);
        self.expect(level, &title);
        format!("r.unlisted({level}, none, {title})\n")
    }

    fn expect(&mut self, level: u8, entry: &str) {
        if level <= DEEPEST_IN_CONTENTS {
            let _ = writeln!(self.entries, "    ({level}, {entry}),");
        }
    }

    /// The name of an anchor as an argument, or `none` if that name is taken.
    pub(super) fn place(&mut self, anchor: &str) -> String {
        if anchor.is_empty() || !self.placed.insert(anchor.to_owned()) {
            return "none".to_owned();
        }
        quoted(anchor)
    }

    /// Whether an anchor exists.
    pub(super) fn is_known(&self, anchor: &str) -> bool {
        self.known.contains(anchor)
    }

    /// `content` as a link to an anchor, if that exists.
    pub(super) fn jump(&self, anchor: &str, content: String) -> String {
        if self.is_known(anchor) {
            format!("r.jump({}, {content})", quoted(anchor))
        } else {
            content
        }
    }

    pub(super) fn shown_or_none(&mut self, text: Option<&str>) -> String {
        text.map_or("none".to_owned(), |text| self.text.shown(text, Space::Running))
    }

    /// The formula between dollar signs, or nothing if Typst is known to reject it.
    pub(super) fn formula(&mut self, math: &Math) -> Option<String> {
        let code = self.text.printable(&math.typst(), Space::Running);
        let code = if is_one_formula(&code) {
            format!("$ {code} $")
        } else {
            "panic(\"the formula is not valid\")".to_owned()
        };
        let next = self.fragile.len();
        let index = *self.formulas.entry(code.clone()).or_insert(next);
        if index == next {
            self.fragile.push(Fragile::Formula {
                latex: math.latex().to_owned(),
                code: format!("r.equation(none, none, none, \"formula\", false, {code})"),
            });
        }
        (!self.broken.contains(&index)).then_some(code)
    }

    /// A function that draws a picture, or nothing if Typst is known to reject it.
    pub(super) fn picture(&mut self, image: &Image) -> Option<String> {
        let (bytes, extension) = match &image.data {
            ImageData::Drawn { light, .. } => (Bytes::from_string(light.to_string()), "svg"),
            ImageData::File { bytes, extension } => {
                let known = ["png", "jpg", "jpeg", "gif", "svg", "webp"];
                let extension = known.into_iter().find(|known| known == extension);
                (Bytes::new(bytes.to_vec()), extension.unwrap_or("image"))
            }
        };
        let index = self.fragile.len();
        let path = format!("/picture-{index}.{extension}");
        let alt = match image.alt.trim() {
            "" => self.text.spoken(&image.name),
            alt => self.text.spoken(alt),
        };
        let draw = format!("(..size) => image({}, alt: {alt}, ..size)", quoted(&path));
        self.files.insert(path, bytes);
        self.fragile.push(Fragile::Picture {
            name: image.name.clone(),
            code: format!("r.picture({draw})"),
        });
        (!self.broken.contains(&index)).then_some(draw)
    }
}

/// Shows a source.
fn included(path: &str) -> String {
    format!("#include \"{path}\"\n")
}

/// An expression that stands for itself in a source.
///
/// After an edit Typst parses only such parts again and takes all others for the same, so that it
/// lays out anew only what has changed.
pub(super) fn alone(code: &str) -> String {
    format!("#{{\n{code}\n}}\n")
}

/// Whether Typst markup stays within the dollar signs around it.
fn is_one_formula(code: &str) -> bool {
    let root = typst::syntax::parse(&format!("$ {code} $"));
    let mut parts = root.children();
    let first = parts.next().map(|part| part.kind());
    root.errors_and_warnings().0.is_empty()
        && first == Some(typst::syntax::SyntaxKind::Equation)
        && parts.next().is_none()
}

/// Language and region as Typst takes them; English for what is no language tag.
fn language(tag: &str) -> (String, Option<String>) {
    let mut parts = tag.split('-');
    let lang = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(lang.len(), 2 | 3) || !lang.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return ("en".to_owned(), None);
    }
    let region = parts
        .find(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map(str::to_ascii_uppercase);
    (lang, region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_that_would_leave_its_formula_is_found() {
        assert!(is_one_formula("x^2 + \"a $ b\""));
        assert!(!is_one_formula("x $ #panic() $ y"));
        assert!(!is_one_formula("x /*"));
    }

    #[test]
    fn languages_are_what_typst_takes() {
        assert_eq!(language("de"), ("de".to_owned(), None));
        assert_eq!(language("zh-Hans-cn"), ("zh".to_owned(), Some("CN".to_owned())));
        assert_eq!(language("\"#evil"), ("en".to_owned(), None));
    }
}
