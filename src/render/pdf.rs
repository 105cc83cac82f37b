//! The report as one PDF: tagged (PDF/UA-1), with outline and links.
//!
//! In: the resolved [`Document`]. Out: the bytes of `report.pdf`, the same for the same document,
//! and what could not be shown. Left out: looks, which `templates/report.typ` holds, and durations,
//! which are not part of a report's bytes.
//!
//! Text of the author's reaches Typst only inside string literals, so it is never code. A formula
//! or picture that Typst rejects is replaced by a visible problem, and the rest still printed.

mod blocks;
mod emit;
mod inlines;
mod ledger;
#[cfg(test)]
mod tests;
mod text;
mod world;

use std::collections::BTreeSet;

use typst::diag::SourceDiagnostic;
use typst::ecow::EcoVec;
use typst::foundations::Smart;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use crate::diag::{Diagnostic, Severity};
use crate::document::Document;
use crate::render::{Highlighter, OutputFile};

use emit::{Emission, Fragile};
use world::{Read, ReportWorld};

/// Builds for which an unused result of Typst is kept.
const CACHED_BUILDS: usize = 10;

/// Forgets what Typst worked out and no report of late has used.
pub fn tidy() {
    typst::comemo::evict(CACHED_BUILDS);
}

/// What one print leaves for the next, which then lays out anew only what has changed.
#[derive(Default)]
pub struct Press {
    anchors: BTreeSet<String>,
    read: Read,
}

/// Renders a report to `report.pdf`.
///
/// What is worked out is remembered until [`tidy`] is called.
///
/// Returns the file, unless Typst could not print the report at all, and diagnostics: characters
/// without a glyph, formulas and pictures that were replaced, and lost accessibility.
pub fn file(
    document: &Document,
    highlighter: &Highlighter,
    press: &mut Press,
) -> (Option<OutputFile>, Vec<Diagnostic>) {
    let Press { anchors, read } = press;
    let mut diagnostics = Vec::new();
    let mut emission = Emission::new(document, highlighter, &BTreeSet::new(), anchors);
    let mut printed = print(&emission.world(read), Standard::Accessible);
    if printed.is_err() {
        let broken = broken(&emission);
        if !broken.is_empty() {
            diagnostics
                .extend(broken.iter().map(|(index, why)| replaced(&emission.fragile[*index], why)));
            let broken = broken.into_iter().map(|(index, _)| index).collect();
            emission = Emission::new(document, highlighter, &broken, anchors);
            printed = print(&emission.world(read), Standard::Accessible);
        }
    }
    diagnostics.extend(unprintable(&emission.unprintable));
    let world = emission.world(read);
    let printed = printed.or_else(|errors| {
        let printed = print(&world, Standard::Tagged)?;
        diagnostics.push(Diagnostic {
            severity: Severity::Warning,
            ..noted("pdf-accessibility", "the PDF does not conform to PDF/UA-1", &world, &errors)
        });
        Ok(printed)
    });
    match printed {
        Ok(bytes) => {
            (Some(OutputFile { path: "report.pdf".to_owned(), bytes: bytes.into() }), diagnostics)
        }
        Err(errors) => {
            let problem = noted("pdf-failed", "the PDF could not be made", &world, &errors);
            diagnostics.push(problem.hint("`--format html` builds the pages without it"));
            (None, diagnostics)
        }
    }
}

/// What a PDF must conform to.
#[derive(Clone, Copy)]
enum Standard {
    /// PDF/UA-1.
    Accessible,
    /// Tagged, without a promise.
    Tagged,
}

type Errors = EcoVec<SourceDiagnostic>;

fn print(world: &ReportWorld, standard: Standard) -> Result<Vec<u8>, Errors> {
    let pages: PagedDocument = typst::compile(world).output?;
    let standards = match standard {
        Standard::Accessible => PdfStandards::new(&[PdfStandard::Ua_1])
            .expect("one standard alone is always compatible"),
        Standard::Tagged => PdfStandards::default(),
    };
    let creator = Smart::Custom(Some(format!("Veracity {}", env!("CARGO_PKG_VERSION"))));
    typst_pdf::pdf(&pages, &PdfOptions { creator, standards, ..PdfOptions::default() })
}

/// Prints every fragile part on its own and returns those that fail, with the reason.
fn broken(emission: &Emission) -> Vec<(usize, String)> {
    (0..emission.fragile.len())
        .filter_map(|index| {
            let errors = print(&emission.world_of(index), Standard::Tagged).err()?;
            Some((index, errors.first().map(|error| error.message.to_string()).unwrap_or_default()))
        })
        .collect()
}

fn replaced(part: &Fragile, why: &str) -> Diagnostic {
    match part {
        Fragile::Formula { latex, .. } => {
            Diagnostic::global("pdf-formula", "a formula cannot be shown in the PDF")
                .note(format!("the formula: {latex}"))
                .note(format!("the reason: {why}"))
                .hint("the pages show it; its LaTeX stands in its place in the PDF")
        }
        Fragile::Picture { name, .. } => Diagnostic::global(
            "pdf-picture",
            format!("the picture `{name}` cannot be shown in the PDF"),
        )
        .note(format!("the reason: {why}"))
        .hint("give it in another format, such as PNG or SVG"),
    }
}

fn unprintable(characters: &BTreeSet<char>) -> Option<Diagnostic> {
    if characters.is_empty() {
        return None;
    }
    let list: Vec<String> = characters.iter().map(|&c| text::stand_in(c)).collect();
    Some(Diagnostic {
        severity: Severity::Warning,
        ..Diagnostic::global(
            "pdf-missing-glyph",
            "the fonts of the PDF lack characters of the report, whose code points stand in their place",
        )
        .note(format!("the characters: {}", list.join(" ")))
        .hint("write them as formulas, or in other signs")
    })
}

fn noted(code: &'static str, message: &str, world: &ReportWorld, errors: &Errors) -> Diagnostic {
    let mut seen = BTreeSet::new();
    errors.iter().filter(|error| seen.insert(error.message.clone())).take(5).fold(
        Diagnostic::global(code, message),
        |diagnostic, error| {
            diagnostic.note(match world.place(error.span) {
                Some(place) => format!("{} (at {place})", error.message),
                None => error.message.to_string(),
            })
        },
    )
}
