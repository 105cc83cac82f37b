//! Citations and the bibliography.
//!
//! In: a BibTeX file, and the works that the text cites, in order. Out: their numbers, and the
//! entries in IEEE style. The only user of hayagriva. Left out: how a citation stands in its
//! sentence.

use std::collections::BTreeMap;

use hayagriva::archive::{ArchivedStyle, LOCALES};
use hayagriva::citationberg::{FontStyle, FontWeight, Locale, LocaleCode, Style, VerticalAlign};
use hayagriva::io::{BibLaTeXError, from_biblatex_str};
use hayagriva::{
    BibliographyDriver, BibliographyRequest, CitationItem, CitationRequest, Elem, ElemChild,
    ElemMeta, Entry, Formatted, Library,
};

use super::anchor::{Anchors, slug};
use super::link::{Address, address};
use crate::diag::Diagnostic;
use crate::document::{Inline, Reference};
use crate::math::{Display, Macros, Math};
use crate::memo::{Input, Memo};
use crate::span::Source;

/// Works at hand and works cited.
#[derive(Default)]
pub(super) struct Works {
    library: Library,
    /// Digest of the file.
    digest: Option<Input>,
    /// Whether every key may be missing because the file could not be read.
    pub is_broken: bool,
    numbers: BTreeMap<String, (usize, String)>,
    cited: Vec<String>,
}

impl Works {
    /// Reads a BibTeX file.
    pub fn new(source: Option<&Source>) -> (Self, Vec<Diagnostic>) {
        let mut works = Self::default();
        let Some(source) = source else { return (works, Vec::new()) };
        static KNOWN: Memo<Result<Library, Vec<BibLaTeXError>>> = Memo::new(1 << 20);
        let (text, input) = (source.text(), Input::of([source.text().as_bytes()]));
        works.digest = Some(input);
        match KNOWN.get(input, || (from_biblatex_str(text), text.len())) {
            Ok(library) => {
                works.library = library;
                (works, Vec::new())
            }
            Err(errors) => {
                works.is_broken = true;
                let diagnostics = errors.into_iter().map(|error| {
                    let (message, range) = match error {
                        BibLaTeXError::Parse(error) => (error.kind.to_string(), error.span),
                        BibLaTeXError::Type(error) => (error.kind.to_string(), error.span),
                    };
                    Diagnostic::error(
                        "bibliography",
                        format!("the bibliography cannot be read: {message}"),
                        source.span(range),
                    )
                    .hint("until it can be read, no citation is resolved")
                });
                (works, diagnostics.collect())
            }
        }
    }

    /// Number and anchor of a work, which is cited from now on; none if there is no such key.
    pub fn cite(&mut self, key: &str, anchors: &mut Anchors) -> Option<(usize, String)> {
        if let Some(known) = self.numbers.get(key) {
            return Some(known.clone());
        }
        self.library.get(key)?;
        let given = (self.cited.len() + 1, anchors.unique(&format!("ref-{}", slug(key))));
        self.numbers.insert(key.to_owned(), given.clone());
        self.cited.push(key.to_owned());
        Some(given)
    }

    /// The authors of a work as a part of a sentence; its title if it names none.
    pub fn author(&self, key: &str) -> String {
        let Some(entry) = self.library.get(key) else { return key.to_owned() };
        let family = |person: &hayagriva::types::Person| match &person.prefix {
            Some(prefix) => format!("{prefix} {}", person.name),
            None => person.name.clone(),
        };
        match entry.authors() {
            Some([only]) => family(only),
            Some([first, second]) => format!("{} and {}", family(first), family(second)),
            Some([first, ..]) => format!("{} et al.", family(first)),
            _ => entry.title().map_or_else(|| key.to_owned(), ToString::to_string),
        }
    }

    /// Keys of all works at hand.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.library.keys()
    }

    /// The works cited, in the order of their numbers.
    pub fn references(&self, language: &str) -> Vec<Reference> {
        static KNOWN: Memo<Vec<(String, Vec<Inline>)>> = Memo::new(1 << 20);
        let input = Input::of_debug(&(self.digest, language, &self.cited));
        let set = KNOWN.get(input, || {
            let set = self.set(language);
            let size = set.len() * size_of::<Reference>();
            (set, size)
        });
        set.into_iter()
            .filter_map(|(key, content)| {
                let (number, anchor) = self.numbers.get(&key)?.clone();
                Some(Reference { number, anchor, content })
            })
            .collect()
    }

    /// The entries of the works cited, by key.
    fn set(&self, language: &str) -> Vec<(String, Vec<Inline>)> {
        let entries: Vec<&Entry> =
            self.cited.iter().filter_map(|key| self.library.get(key)).collect();
        if entries.is_empty() {
            return Vec::new();
        }
        let Style::Independent(style) =
            ArchivedStyle::InstituteOfElectricalAndElectronicsEngineers.get()
        else {
            return Vec::new();
        };
        let locales = locales(language);
        let locale = Some(LocaleCode(language.to_owned()));
        let mut driver = BibliographyDriver::new();
        for entry in entries {
            let items = vec![CitationItem::with_entry(entry)];
            driver.citation(CitationRequest::new(items, &style, locale.clone(), &locales, None));
        }
        let rendered = driver.finish(BibliographyRequest::new(&style, locale, &locales));
        rendered
            .bibliography
            .map(|bibliography| bibliography.items)
            .unwrap_or_default()
            .into_iter()
            .map(|item| {
                let mut content = Vec::new();
                write(&item.content.0, &mut content);
                (item.key, content)
            })
            .collect()
    }
}

/// The words of a language and of English.
///
/// Reading all that hayagriva has takes longer than everything else in this stage together.
fn locales(language: &str) -> Vec<Locale> {
    let base = language.split('-').next().unwrap_or_default();
    let is_wanted = |code: &str| code == "en-US" || code.split('-').next() == Some(base);
    LOCALES
        .iter()
        .filter(|bytes| language_of(bytes).is_none_or(is_wanted))
        .filter_map(|bytes| ciborium::from_reader(*bytes).ok())
        .collect()
}

/// The language of a stored locale, which is the first field of a CBOR map.
fn language_of(bytes: &[u8]) -> Option<&str> {
    const FIELD: &[u8] = b"@xml:lang";
    let at = bytes.windows(FIELD.len()).take(8).position(|window| window == FIELD)? + FIELD.len();
    // A text of fewer than 24 bytes has its length in its first byte.
    let length = usize::from(bytes.get(at)?.checked_sub(0x60)?);
    std::str::from_utf8(bytes.get(at + 1..=at + length)?).ok()
}

fn write(children: &[ElemChild], out: &mut Vec<Inline>) {
    for child in children {
        match child {
            ElemChild::Text(text) => out.push(formatted(text)),
            // The number stands beside the entry and not in it.
            ElemChild::Elem(Elem { meta: Some(ElemMeta::CitationNumber), .. }) => {}
            ElemChild::Elem(element) => write(&element.children.0, out),
            ElemChild::Markup(markup) => out.push(math(markup)),
            ElemChild::Link { text, url } => out.push(match address(url, "") {
                Address::Web(_) => Inline::Link {
                    target: url.clone(),
                    title: String::new(),
                    content: vec![formatted(text)],
                },
                _ => formatted(text),
            }),
            ElemChild::Transparent { .. } => {}
        }
    }
}

fn formatted(text: &Formatted) -> Inline {
    let plain = Inline::Text(text.text.clone());
    let formatting = &text.formatting;
    let slanted = match formatting.font_style {
        FontStyle::Italic => Inline::Emphasis(vec![plain]),
        FontStyle::Normal => plain,
    };
    match (formatting.font_weight, formatting.vertical_align) {
        (FontWeight::Bold, VerticalAlign::None | VerticalAlign::Baseline) => {
            Inline::Strong(vec![slanted])
        }
        _ => slanted,
    }
}

/// A formula in a title, or its source if it cannot be shown.
fn math(markup: &str) -> Inline {
    let latex = markup.trim().trim_matches('$');
    match Math::parse(latex, Display::Inline, &Macros::default()) {
        Ok(math) => Inline::Math(math),
        Err(_) => Inline::Code(latex.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_locales_are_read() {
        let languages = |language| -> Vec<String> {
            locales(language).into_iter().filter_map(|locale| Some(locale.lang?.0)).collect()
        };
        assert_eq!(languages("en"), ["en-GB", "en-US"]);
        assert_eq!(languages("sl-SI"), ["en-US", "sl-SI"]);
        assert_eq!(languages("ar"), ["ar", "en-US"]);
        assert_eq!(languages("tlh"), ["en-US"]);
        assert!(LOCALES.iter().all(|bytes| language_of(bytes).is_some()));
    }
}
