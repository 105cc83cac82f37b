//! What the author wrote: settings, chapters, bibliography and data manifest, as parsed.

use std::sync::Arc;

use super::one;
use crate::config::{self, Manifest, ReportConfig};
use crate::diag::Diagnostic;
use crate::parse::{self, Chapter};
use crate::span::Source;
use crate::world::World;

/// File that names the data sets, below the root.
pub(crate) const MANIFEST: &str = "data/manifest.yaml";

/// What the author wrote.
#[derive(Clone, Debug)]
pub struct Written {
    /// Settings of the report.
    pub config: ReportConfig,
    /// Chapters as parsed.
    pub chapters: Arc<[Chapter]>,
    /// The file of works that can be cited.
    pub bibliography: Option<Source>,
    /// The data sets that the report knows.
    pub manifest: Manifest,
    /// Problems found while reading.
    pub diagnostics: Vec<Diagnostic>,
}

impl Written {
    /// Slugs of the chapters that have cells.
    pub fn slugs_with_cells(&self) -> Vec<&str> {
        self.chapters
            .iter()
            .filter(|chapter| !chapter.cells.is_empty())
            .map(|chapter| chapter.slug.as_str())
            .collect()
    }

    /// Slugs of the chapters that have cells, or modules with tests.
    pub fn slugs_with_code(&self) -> Vec<&str> {
        self.chapters
            .iter()
            .filter(|chapter| {
                !chapter.cells.is_empty() || !crate::plan::tests_of(chapter).is_empty()
            })
            .map(|chapter| chapter.slug.as_str())
            .collect()
    }
}

/// Reads settings, chapters and bibliography.
///
/// # Errors
/// If there are no settings, or a chapter cannot be read.
pub fn read(world: &dyn World) -> Result<Written, Vec<Diagnostic>> {
    let (config, mut diagnostics) = read_config(world)?;
    let chapters = read_chapters(world, &config, &mut diagnostics)?.into();
    let bibliography = read_bibliography(world, &config, &mut diagnostics);
    let manifest = read_manifest(world, &mut diagnostics);
    Ok(Written { config, chapters, bibliography, manifest, diagnostics })
}

fn read_config(world: &dyn World) -> Result<(ReportConfig, Vec<Diagnostic>), Vec<Diagnostic>> {
    let source = read_text(world, "report.yaml").map_err(|problem| {
        one(match problem.code {
            "unreadable-file" => problem.hint(
                "`report.yaml` is a file with the report's settings; `veracity new DIR` makes one",
            ),
            _ => problem,
        })
    })?;
    match config::report(&source) {
        (Some(config), diagnostics) => Ok((config, diagnostics)),
        (None, diagnostics) => Err(diagnostics),
    }
}

fn read_chapters(
    world: &dyn World,
    config: &ReportConfig,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<Chapter>, Vec<Diagnostic>> {
    let mut chapters: Vec<Chapter> = Vec::new();
    let mut unreadable = Vec::new();
    for (path, place) in &config.chapters {
        match read_text(world, path) {
            Ok(source) => {
                let (mut chapter, found) = parse::chapter(source);
                diagnostics.extend(found);
                chapter.slug = free_slug(chapter.slug, &chapters);
                chapters.push(chapter);
            }
            Err(problem) => unreadable
                .push(Diagnostic { span: problem.span.or(Some(place.clone())), ..problem }),
        }
    }
    if unreadable.is_empty() { Ok(chapters) } else { Err(unreadable) }
}

/// The name itself, or with a number behind it if it is taken by another chapter or page.
fn free_slug(wanted: String, chapters: &[Chapter]) -> String {
    let wanted = match wanted.as_str() {
        "index" | "ledger" | "references" => format!("chapter-{wanted}"),
        _ => wanted,
    };
    let is_free = |slug: &String| chapters.iter().all(|chapter| chapter.slug != *slug);
    if is_free(&wanted) {
        return wanted;
    }
    (chapters.len() + 1..)
        .map(|number| format!("{wanted}-{number}"))
        .find(is_free)
        .expect("there are more numbers than chapters")
}

fn read_bibliography(
    world: &dyn World,
    config: &ReportConfig,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Source> {
    let (path, place) = config.bibliography.as_ref()?;
    match read_text(world, path) {
        Ok(source) => Some(source),
        Err(problem) => {
            diagnostics.push(Diagnostic { span: problem.span.or(Some(place.clone())), ..problem });
            None
        }
    }
}

/// The data sets that the report knows; it need not know any.
pub(crate) fn read_manifest(world: &dyn World, diagnostics: &mut Vec<Diagnostic>) -> Manifest {
    if world.read(MANIFEST).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Manifest::default();
    }
    match read_text(world, MANIFEST) {
        Ok(source) => {
            let (manifest, found) = config::manifest(&source);
            diagnostics.extend(found);
            manifest
        }
        Err(problem) => {
            diagnostics.push(problem);
            Manifest::default()
        }
    }
}

/// Reads a file as UTF-8.
fn read_text(world: &dyn World, path: &str) -> Result<Source, Diagnostic> {
    let bytes = world.read(path).map_err(|error| {
        Diagnostic::global("unreadable-file", format!("cannot read `{path}`: {error}"))
            .hint("a path here is relative to the report's folder and stays inside it")
    })?;
    String::from_utf8(bytes).map(|text| Source::new(path, text)).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let shown = Source::new(path, String::from_utf8_lossy(error.as_bytes()));
        let span = shown.span(valid..valid + char::REPLACEMENT_CHARACTER.len_utf8());
        Diagnostic::error("not-utf-8", format!("`{path}` is not UTF-8 from here on"), span)
            .hint("save it as UTF-8")
    })
}
