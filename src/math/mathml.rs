//! From native Typst math to MathML for the page.
//!
//! Takes parsed formulas, compiles all that are new in one Typst document with an HTML target,
//! and yields one `<math>` element each. What Typst leaves out of MathML is drawn by the classes
//! in [`CSS`], which the page includes together with the math font.

use std::collections::HashMap;
use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, Source};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Feature, Features, Library, LibraryExt, World};
use typst_html::{HtmlDocument, HtmlOptions};

use super::{Display, Math, MathError};

/// Style rules that the MathML relies on.
pub const CSS: &str = r"math {
  font-family: 'New Computer Modern Math', math;
}
mtable.multiline-equation, mtable.veracity-array {
  math-style: inherit;
  border-spacing: 0;
}
mtable.multiline-equation mtd {
  math-depth: inherit;
  math-style: inherit;
  math-shift: inherit;
  padding: 0 0 0.5em;
}
mtable.multiline-equation mtr:last-child > mtd {
  padding-bottom: 0;
}
mtable.aligned > mtr > mtd:nth-child(odd) {
  text-align: right;
  justify-items: end;
}
mtable.aligned > mtr > mtd:nth-child(even) {
  text-align: left;
  justify-items: start;
}
mtable.veracity-array > mtr > mtd {
  math-depth: inherit;
  math-style: inherit;
  padding: 0.2em 0.5em;
}
mtable.veracity-array > mtr > mtd:first-child {
  padding-left: 0;
}
mtable.veracity-array > mtr > mtd:last-child {
  padding-right: 0;
}
mtable.veracity-array > mtr:first-child > mtd {
  padding-top: 0;
}
mtable.veracity-array > mtr:last-child > mtd {
  padding-bottom: 0;
}
mtable.veracity-tight > mtr > mtd {
  padding: 0.05em 0.2em;
}
mtable.veracity-aligned > mtr > mtd {
  padding: 0.25em 0;
}
mtable.veracity-aligned > mtr > mtd:nth-child(odd):not(:first-child) {
  padding-left: 2em;
}
mtable.veracity-array > mtr > mtd.veracity-left {
  text-align: left;
  justify-items: start;
}
mtable.veracity-array > mtr > mtd.veracity-right {
  text-align: right;
  justify-items: end;
}
mtd.veracity-rule-left {
  border-left: 0.04em solid currentcolor;
}
mtd.veracity-rule-right {
  border-right: 0.04em solid currentcolor;
}
mtd.veracity-rule-above {
  border-top: 0.04em solid currentcolor;
}
mtd.veracity-rule-below {
  border-bottom: 0.04em solid currentcolor;
}
mrow.veracity-overline {
  border-top: 0.05em solid currentcolor;
  padding-top: 0.12em;
}
mrow.veracity-underline {
  border-bottom: 0.05em solid currentcolor;
  padding-bottom: 0.12em;
}
mrow.veracity-boxed {
  border: 0.05em solid currentcolor;
  padding: 0.3em;
}
mrow.veracity-rising, mrow.veracity-both {
  --veracity-rising: linear-gradient(to bottom right, transparent calc(50% - 0.03em), currentcolor calc(50% - 0.03em) calc(50% + 0.03em), transparent calc(50% + 0.03em));
}
mrow.veracity-falling, mrow.veracity-both {
  --veracity-falling: linear-gradient(to top right, transparent calc(50% - 0.03em), currentcolor calc(50% - 0.03em) calc(50% + 0.03em), transparent calc(50% + 0.03em));
}
mrow.veracity-rising, mrow.veracity-falling, mrow.veracity-both {
  padding: 0.1em 0.05em;
}
mrow.veracity-rising {
  background: var(--veracity-rising);
}
mrow.veracity-falling {
  background: var(--veracity-falling);
}
mrow.veracity-both {
  background: var(--veracity-rising), var(--veracity-falling);
}
mfrac {
  padding-inline: 0;
  margin-inline: 0.1em;
}
";

/// HTML's side of [`PRELUDE`](super::PRELUDE).
const PRELUDE: &str = r##"
#let vmElement(tag, class: none, attrs: (:), body) = html.elem(
  tag,
  attrs: attrs + if class == none { (:) } else { (class: class) },
  body,
)
#let vmSpace(width) = {
  if width >= 0 { h(width * 1em) } else {
    h(0em)
    vmElement("mspace", attrs: (style: "margin-left:" + str(width) + "em"), none)
    h(0em)
  }
}
#let vmFlatRoot(body) = vmElement(
  "mrow",
  attrs: (style: "margin-right:-0.2em"),
  math.sqrt(body),
)
#let vmDelimiter(class, size, mark) = {
  // Browsers reserve the width of the largest variant, which is this much more on either side.
  let slack = (
    "()": (0.176, 0.106),
    "[]": (0.125, 0.098, 0.07),
    "{}": (0.16, 0.117, 0.076),
    "⟨⟩": (0.218, 0.148, 0.079),
    "⌊⌋⌈⌉": (0.098, 0.07, 0.042, 0.022),
  ).pairs().find(((marks, _)) => mark in marks)
  let margin = if slack == none { 0 } else {
    slack.at(1).at(int(calc.round(size / 0.6)) - 2, default: 0)
  }
  let delimiter = math.class("fence", math.lr(size: size * 1em, symbol(mark)))
  math.class(class, vmElement("mrow", attrs: (style: "margin:0 -" + str(margin) + "em"), delimiter))
}
#let vmAccent(mark, width, body) = {
  // Browsers stretch these by themselves; others stand in the middle on a space of their own.
  if width > 1 and mark in ("\u{302}", "\u{20d7}", "\u{20d6}", "\u{20e1}") {
    return math.accent(body, mark, dotless: false)
  }
  let spacing = ("\u{302}": "\u{2c6}", "\u{303}": "\u{2dc}")
  let mark = text(spacing.at(mark, default: "\u{a0}" + mark))
  vmElement("mover", attrs: (accent: "true"), vmElement("mrow", body) + if width <= 1 { mark } else {
    vmElement("mrow", attrs: (style: "transform:translateY(0.3em) scaleX(" + str(width) + ")"), mark)
  })
}
#let vmOverline(body) = vmElement("mrow", class: "veracity-overline", body)
#let vmUnderline(body) = vmElement("mrow", class: "veracity-underline", body)
#let vmPhantom(body) = vmElement("mphantom", body)
#let vmColor(color, body) = vmElement("mrow", attrs: (style: "color:" + color), body)
#let vmBoxed(body) = vmElement("mrow", class: "veracity-boxed", body)
#let vmCancel(strokes, body) = vmElement("mrow", class: "veracity-" + strokes, body)
#let vmArrow(symbol, above: none, below: none) = {
  let label(body) = if body != none {
    vmElement("mrow", attrs: (style: "padding:0 0.8em"), body)
  }
  vmElement(
    "mrow",
    math.attach(math.limits(math.stretch(symbol)), t: label(above), b: label(below)),
  )
}
#let vmTable(class, rows, classes) = vmElement("mtable", class: class, rows.enumerate().map(((y, row)) => {
  vmElement("mtr", row.enumerate().map(((x, cell)) => {
    let class = classes(x, y)
    vmElement("mtd", class: if class == () { none } else { class.join(" ") }, cell)
  }).join())
}).join())
#let vmArray(align: "", columns: (), rows: (), tight: false, ..cells) = {
  let cells = cells.pos()
  let sides = align.clusters()
  let (width, height) = (sides.len(), cells.len())
  vmTable("veracity-array" + if tight { " veracity-tight" }, cells, (x, y) => {
    if sides.at(x) == "l" { ("veracity-left",) }
    if sides.at(x) == "r" { ("veracity-right",) }
    if x in columns { ("veracity-rule-left",) }
    if x + 1 == width and width in columns { ("veracity-rule-right",) }
    if y in rows { ("veracity-rule-above",) }
    if y + 1 == height and height in rows { ("veracity-rule-below",) }
    ()
  })
}
#let vmAligned(..cells) = vmTable(
  "veracity-array veracity-aligned",
  // An empty atom in front gives a relation its space.
  cells.pos().map(row => row.map(cell => vmElement("mrow", none) + cell)),
  (x, y) => (if calc.even(x) { "veracity-right" } else { "veracity-left" },),
)
"##;

/// What stands before and after each formula in the exported page.
const START: &str = "<section class=\"veracity-formula\">";
const END: &str = "</section>";

/// Converts formulas to MathML and remembers the results.
#[derive(Default)]
pub struct MathmlRenderer {
    known: HashMap<(bool, String), Result<String, String>>,
}

impl MathmlRenderer {
    /// Returns a renderer that knows no formula yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Converts each formula to a `<math>` element, in order.
    ///
    /// One call with all formulas of a document costs far less than one call for each.
    ///
    /// # Errors
    /// A formula that Typst does not export whole fails alone; the range is all of its LaTeX.
    pub fn render(&mut self, formulas: &[&Math]) -> Vec<Result<String, MathError>> {
        let keys: Vec<(bool, String)> = formulas
            .iter()
            .map(|math| (math.display() == Display::Block, math.typst()))
            .collect();
        let mut new: Vec<&(bool, String)> = Vec::new();
        for key in &keys {
            if !self.known.contains_key(key) && !new.contains(&key) {
                new.push(key);
            }
        }
        let results = match export(&new) {
            Ok(elements) => elements.into_iter().map(Ok).collect(),
            Err(_) if new.len() > 1 => new
                .iter()
                .map(|key| export(&[key]).map(|mut elements| elements.swap_remove(0)))
                .collect(),
            Err(message) => vec![Err(message)],
        };
        let results: Vec<_> = new.into_iter().cloned().zip(results).collect();
        self.known.extend(results);

        keys.iter()
            .zip(formulas)
            .map(|(key, math)| match self.known.get(key) {
                Some(Ok(element)) => Ok(element.replacen(
                    "<math",
                    &format!("<math aria-label=\"{}\"", attribute(&math.alt())),
                    1,
                )),
                Some(Err(message)) => Err(failure(math, message)),
                None => Err(failure(math, "nothing was exported")),
            })
            .collect()
    }
}

fn failure(math: &Math, message: &str) -> MathError {
    MathError {
        message: format!("the formula cannot be shown on the page: {message}"),
        range: 0..math.latex().len(),
        hint: None,
    }
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// Exports formulas in one document; as many elements come back as went in.
fn export(formulas: &[&(bool, String)]) -> Result<Vec<String>, String> {
    if formulas.is_empty() {
        return Ok(Vec::new());
    }
    let mut text = String::from(PRELUDE);
    for (block, markup) in formulas {
        let equation = if *block { format!("$ {markup} $") } else { format!("${markup}$") };
        text.push_str("#html.elem(\"section\", attrs: (class: \"veracity-formula\"))[");
        text.push_str(&equation);
        text.push_str("]\n");
    }
    let compiled = typst::compile::<HtmlDocument>(&FormulaWorld::new(text));
    if let Some(ignored) = compiled
        .warnings
        .iter()
        .find(|warning| warning.message.contains("ignored during MathML export"))
    {
        return Err(ignored.message.to_string());
    }
    let message = |errors: typst::ecow::EcoVec<typst::diag::SourceDiagnostic>| {
        errors.first().map_or_else(String::new, |error| error.message.to_string())
    };
    let document = compiled.output.map_err(message)?;
    let page = typst_html::html(&document, &HtmlOptions::default()).map_err(message)?;
    let elements: Vec<String> = page
        .split(START)
        .skip(1)
        .filter_map(|rest| rest.split(END).next())
        .map(|element| element.trim().to_owned())
        .collect();
    if elements.len() == formulas.len() && elements.iter().all(|element| element.starts_with("<math"))
    {
        Ok(elements)
    } else {
        Err("a part of it has no MathML".to_owned())
    }
}

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| {
    let features: Features = [Feature::Html].into_iter().collect();
    LazyHash::new(Library::builder().with_features(features).build())
});

static FONTS: LazyLock<Vec<Font>> = LazyLock::new(|| {
    typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect()
});

static BOOK: LazyLock<LazyHash<FontBook>> =
    LazyLock::new(|| LazyHash::new(FontBook::from_fonts(FONTS.iter())));

/// Document of formulas; there are no other files and there is no clock.
struct FormulaWorld {
    source: Source,
}

impl FormulaWorld {
    fn new(text: String) -> Self {
        Self {
            source: Source::detached(text),
        }
    }
}

impl World for FormulaWorld {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &BOOK
    }

    fn main(&self) -> FileId {
        self.source.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.source.id() {
            Ok(self.source.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
