//! The tera templates and static files that frame every page.
//!
//! In: the defaults in the binary and the files in a report's `templates/` folder, which
//! replace defaults of the same name. Out: whole pages. The only user of tera for pages.

use std::collections::BTreeMap;

use bytes::Bytes;
use include_dir::{Dir, include_dir};
use tera::{Context, ErrorKind, Tera, Value};

use super::fragment::escape;
use super::front::Page;
use crate::diag::Diagnostic;
use crate::document::Document;
use crate::span::{Source, Span};
use crate::words::Word;
use crate::world::World;

static DEFAULTS: Dir = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Folder of a report's own templates.
const FOLDER: &str = "templates";

/// Digest of the files in a report's `templates/`, which tells whether they must be loaded again.
pub fn digest_of_templates(world: &dyn World) -> String {
    let mut digest = blake3::Hasher::new();
    let paths = world.list(FOLDER);
    digest.update(format!("{paths:?}").as_bytes());
    for path in paths.unwrap_or_default().into_iter().filter(|path| own_name(path).is_some()) {
        let content = world.read(&path).map(|bytes| blake3::hash(&bytes));
        digest.update(format!("{content:?}").as_bytes());
    }
    digest.finalize().to_hex().to_string()
}

/// Name of a file that lies right in the folder of templates and is not hidden.
fn own_name(path: &str) -> Option<&str> {
    path.strip_prefix("templates/").filter(|name| !name.starts_with('.') && !name.contains('/'))
}

/// Words of the report's language by the names that templates have for them.
const WORDS: [(&str, Word); 12] = [
    ("word_contents", Word::Contents),
    ("word_overview", Word::Overview),
    ("word_ledger", Word::Ledger),
    ("word_references", Word::References),
    ("word_previous", Word::Previous),
    ("word_next", Word::Next),
    ("word_claims", Word::Claims),
    ("word_claims_are", Word::ClaimsAre),
    ("word_built_with", Word::BuiltWith),
    ("word_chapters", Word::Chapters),
    ("word_skip", Word::Skip),
    ("word_dark_colours", Word::DarkColours),
];

/// What to do about a template that cannot be used.
const DEFAULT_INSTEAD: &str = "without the report's own file, the default template is used";

/// Templates and static files, ready for use.
#[derive(Debug)]
pub struct Templates {
    tera: Tera,
    sources: BTreeMap<String, Source>,
    assets: BTreeMap<String, Bytes>,
}

impl Templates {
    /// Loads the defaults, and over them the files right in the report's `templates/`: `.html`
    /// files are templates, `.typ` files are the PDF's, everything else is written to `assets/` as it is.
    ///
    /// # Errors
    /// Where a template cannot be read or parsed.
    pub fn load(world: &dyn World) -> Result<Self, Vec<Diagnostic>> {
        let mut files: BTreeMap<String, Vec<u8>> = DEFAULTS
            .files()
            .filter_map(|file| Some((file.path().to_str()?.to_owned(), file.contents().to_vec())))
            .collect();
        let unreadable = |path: &str, error: &dyn std::fmt::Display| {
            vec![
                Diagnostic::global("template", format!("cannot read `{path}`: {error}"))
                    .hint(DEFAULT_INSTEAD),
            ]
        };
        for path in world.list(FOLDER).map_err(|error| unreadable(FOLDER, &error))? {
            if let Some(name) = own_name(&path) {
                let bytes = world.read(&path).map_err(|error| unreadable(&path, &error))?;
                files.insert(name.to_owned(), bytes);
            }
        }
        let mut sources = BTreeMap::new();
        let mut assets = BTreeMap::new();
        for (name, bytes) in files {
            if name.ends_with(".html") {
                let path = format!("{FOLDER}/{name}");
                let text = String::from_utf8(bytes).map_err(|error| unreadable(&path, &error))?;
                sources.insert(name, Source::new(path, text));
            } else if !name.ends_with(".typ") {
                assets.insert(name, bytes.into());
            }
        }
        let mut tera = Tera::new();
        tera.set_escape_fn(|text, out| {
            let mut html = String::with_capacity(text.len());
            escape(text, &mut html);
            out.write_all(html.as_bytes())
        });
        let mut templates = Self { tera, sources, assets };
        let texts = templates.sources.iter().map(|(name, source)| (name.as_str(), source.text()));
        templates
            .tera
            .add_raw_templates(texts)
            .map_err(|error| vec![templates.diagnostic(&error)])?;
        Ok(templates)
    }

    /// Static files by their path below `assets/`.
    pub(super) fn assets(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.assets.iter().map(|(name, bytes)| (name.as_str(), bytes))
    }

    /// One page.
    pub(super) fn render(
        &self,
        document: &Document,
        page: Page,
    ) -> Result<String, Vec<Diagnostic>> {
        let mut context = Context::new();
        context.insert("version", env!("CARGO_PKG_VERSION"));
        context.insert("report_title", &document.title);
        context.insert("language", &document.language);
        let words = document.words();
        for (name, word) in WORDS {
            context.insert(name, words.get(word));
        }
        context.insert("environment", &document.environment);
        context.insert("notice", document.notice.as_deref().unwrap_or_default());
        let authors: Vec<BTreeMap<&str, &str>> = document
            .authors
            .iter()
            .map(|author| {
                let affiliation = author.affiliation.as_deref().unwrap_or_default();
                BTreeMap::from([("name", author.name.as_str()), ("affiliation", affiliation)])
            })
            .collect();
        context.insert("authors", &authors);
        context.insert("has_claims", &!document.claims.is_empty());
        context.insert("has_references", &!document.bibliography.is_empty());
        for (name, text) in page.texts {
            context.insert(name, &text);
        }
        for (name, html) in page.markup {
            context.insert_value(name, Value::safe_string(&html));
        }
        self.tera.render(page.template, &context).map_err(|error| vec![self.diagnostic(&error)])
    }

    /// What tera says, with the place in the template.
    fn diagnostic(&self, error: &tera::Error) -> Diagnostic {
        if let ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) = error.kind()
            && let Some(source) = self.sources.get(report.filename())
        {
            let span = source.span(report.span().range.clone());
            return Diagnostic::error("template", report.message(), span).hint(DEFAULT_INSTEAD);
        }
        let words = error.to_string();
        let first = words.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let problem = match self.pictured(&words) {
            Some(span) => Diagnostic::error("template", first, span),
            None => Diagnostic::global("template", first),
        };
        problem.hint(DEFAULT_INSTEAD)
    }

    /// The place in a template that an error shows only in a picture: `--> NAME:LINE:COLUMN`.
    fn pictured(&self, words: &str) -> Option<Span> {
        let place = words.lines().find_map(|line| line.trim().strip_prefix("--> "))?;
        let (place, column) = place.rsplit_once(':')?;
        let (name, line) = place.rsplit_once(':')?;
        let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
        let source = self.sources.get(name)?;
        let start = source.line_start(line)?;
        let before = source.text()[start..].chars().take(column.checked_sub(1)?);
        let at = start + before.map(char::len_utf8).sum::<usize>();
        Some(source.span(at..at))
    }
}
