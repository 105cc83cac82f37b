//! What Typst can see: the template, the chapters, the pictures and the fonts. Nothing else.
//!
//! In: texts and bytes by path. Out: a Typst world without file system, network, packages or date.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::OnceLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{DiagSpan, FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook, FontVariant};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, WorldExt};

/// Sources as Typst has read them, by path.
#[derive(Default)]
pub(super) struct Read(BTreeMap<String, Source>);

/// The world of one compilation.
pub(super) struct ReportWorld {
    main: FileId,
    sources: HashMap<FileId, Source>,
    files: HashMap<FileId, Bytes>,
}

impl ReportWorld {
    /// A world that compiles the source at `main`.
    pub(super) fn new(
        main: &str,
        sources: &BTreeMap<String, String>,
        files: &BTreeMap<String, Bytes>,
        read: &mut Read,
    ) -> Self {
        read.0.retain(|path, _| sources.contains_key(path));
        let source = |(path, text): (&String, &String)| (id(path), read.source(path, text));
        Self {
            main: id(main),
            sources: sources.iter().map(source).collect(),
            files: files.iter().map(|(path, bytes)| (id(path), bytes.clone())).collect(),
        }
    }

    /// File and line of what Typst complains about.
    pub(super) fn place(&self, span: DiagSpan) -> Option<String> {
        let id = span.id()?;
        let range = self.range(span)?;
        let line = self.sources.get(&id)?.lines().byte_to_line(range.start)?;
        Some(format!("{}:{}", id.vpath().get_without_slash(), line + 1))
    }
}

impl Read {
    /// The source at a path, derived from the one that was read there before.
    ///
    /// Typst recognises unchanged parts by their place in the syntax tree, which an edit of the old
    /// tree keeps and a parse from nothing does not.
    fn source(&mut self, path: &str, text: &str) -> Source {
        match self.0.get_mut(path) {
            Some(source) => {
                if source.text() != text {
                    source.replace(text);
                }
                source.clone()
            }
            None => {
                let source = Source::new(id(path), text.to_owned());
                self.0.insert(path.to_owned(), source.clone());
                source
            }
        }
    }
}

impl typst::World for ReportWorld {
    fn library(&self) -> &LazyHash<Library> {
        static LIBRARY: OnceLock<LazyHash<Library>> = OnceLock::new();
        LIBRARY.get_or_init(|| LazyHash::new(Library::default()))
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &fonts().0
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.sources.get(&id).cloned().ok_or_else(|| absent(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or_else(|| absent(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        fonts().1.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Whether some font has a glyph for a character.
pub(super) fn has_glyph(character: char) -> bool {
    fonts().1.iter().any(|font| font.info().coverage.contains(character.into()))
}

/// Whether one of the families of text has both a mark and the character under it.
///
/// Typst looks for a font of the whole, not of each part.
pub(super) fn combines(before: &str, mark: char) -> bool {
    let base = before.chars().next_back().unwrap_or(' ');
    ["Libertinus Serif", "New Computer Modern Math", "DejaVu Sans Mono"].iter().any(|family| {
        let font = fonts().0.select(&family.to_lowercase(), FontVariant::default());
        font.and_then(|index| fonts().1.get(index)).is_some_and(|font| {
            let coverage = &font.info().coverage;
            coverage.contains(base.into()) && coverage.contains(mark.into())
        })
    })
}

fn fonts() -> &'static (LazyHash<FontBook>, Vec<Font>) {
    static FONTS: OnceLock<(LazyHash<FontBook>, Vec<Font>)> = OnceLock::new();
    FONTS.get_or_init(|| {
        let fonts: Vec<Font> =
            typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect();
        (LazyHash::new(FontBook::from_fonts(&fonts)), fonts)
    })
}

fn absent(id: FileId) -> FileError {
    FileError::NotFound(id.vpath().get_without_slash().into())
}

fn id(path: &str) -> FileId {
    let path = VirtualPath::new(path).expect("paths are made by the emitter");
    RootedPath::new(VirtualRoot::Project, path).intern()
}
