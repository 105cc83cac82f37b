//! From native Typst math to MathML for the page.
//!
//! Takes parsed formulas, compiles all that are new in one Typst document with an HTML target,
//! and yields one `<math>` element each. What Typst leaves out of MathML is drawn by the classes
//! in [`CSS`], which the page includes together with the math font.

use std::collections::{HashMap, HashSet};
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
pub const CSS: &str = include_str!("page.css");

/// HTML's side of [`PRELUDE`](super::PRELUDE).
const PRELUDE: &str = include_str!("page.typ");

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

    /// Forgets the formulas that are not among these, if it knows far more.
    pub fn forget_but(&mut self, formulas: &[&Math]) {
        if self.known.len() > 2 * formulas.len() + 500 {
            let used: HashSet<(bool, String)> = formulas.iter().map(|math| key(math)).collect();
            self.known.retain(|key, _| used.contains(key));
        }
    }

    /// Converts each formula to a `<math>` element, in order.
    ///
    /// One call with all formulas of a document costs far less than one call for each.
    ///
    /// # Errors
    /// A formula that Typst does not export whole fails alone; the range is all of its LaTeX.
    pub fn render(&mut self, formulas: &[&Math]) -> Vec<Result<String, MathError>> {
        let keys: Vec<(bool, String)> = formulas.iter().map(|math| key(math)).collect();
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

fn key(math: &Math) -> (bool, String) {
    (math.display() == Display::Block, math.typst())
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
    if elements.len() == formulas.len()
        && elements.iter().all(|element| element.starts_with("<math"))
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

static FONTS: LazyLock<Vec<Font>> =
    LazyLock::new(|| typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect());

static BOOK: LazyLock<LazyHash<FontBook>> =
    LazyLock::new(|| LazyHash::new(FontBook::from_fonts(FONTS.iter())));

/// Document of formulas; there are no other files and there is no clock.
struct FormulaWorld {
    source: Source,
}

impl FormulaWorld {
    fn new(text: String) -> Self {
        Self { source: Source::detached(text) }
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
        if id == self.source.id() { Ok(self.source.clone()) } else { Err(FileError::AccessDenied) }
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
