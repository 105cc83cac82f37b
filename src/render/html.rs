//! From the resolved report to a folder of web pages.
//!
//! In: a [`Document`] and the [`Templates`] that frame its pages. Out: files, in the order of
//! their paths. The pages ask the network for nothing, work from `file://` and forbid, by
//! their content security policy, everything but their own files. What cells and authors
//! wrote reaches a page only through the escaping writer. Durations are kept out of the
//! pages, so that two builds of the same sources give the same bytes; a script beside them
//! holds them. Left out: writing the files.

mod blocks;
mod claims;
mod code;
mod coverage;
mod data;
mod fragment;
mod front;
mod inlines;
mod lattice;
mod review;
mod templates;

pub(crate) use data::table;
pub use templates::{Templates, digest_of_templates};

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::claims::Judged;
use crate::diag::Diagnostic;
use crate::document::{Block, Chapter, Document};
use crate::evidence::Evidence;
use crate::math::{Math, MathmlRenderer};
use crate::render::look::Index;
use crate::render::{Highlighter, OutputFile};
use crate::words::Words;
use fragment::Fragment;

/// Fonts among those of typst-assets, by position, with the file that a page loads.
const FONTS: [(usize, &str); 5] = [
    (0, "LibertinusSerif-Regular.otf"),
    (2, "LibertinusSerif-Italic.otf"),
    (4, "LibertinusSerif-Semibold.otf"),
    (5, "LibertinusSerif-SemiboldItalic.otf"),
    (8, "NewCMMath-Regular.otf"),
];

/// Renders a report as `index.html`, a page for each chapter, `ledger.html`,
/// `references.html` if works are cited, and what these need below `assets/`.
///
/// `math` may remember formulas that it has set before.
///
/// # Errors
/// Where a template is at fault.
pub fn files(
    document: &Document,
    evidence: &Evidence,
    templates: &Templates,
    highlighter: &Highlighter,
    math: &mut MathmlRenderer,
) -> Result<Vec<OutputFile>, Vec<Diagnostic>> {
    let mut writer = Writer::new(document, highlighter);
    let chapters: Vec<ChapterParts> =
        document.chapters.iter().map(|chapter| writer.chapter_parts(chapter)).collect();
    let summary = writer.part("", |w| {
        w.outcome();
        w.legend();
    });
    let ledger = writer.part("", Writer::ledger);
    let references = writer.part("", Writer::references);

    let claims = review::script(document, evidence, &writer.index);
    let formulas = fragment::mathml(&writer.formulas, math);
    let contents = front::Contents::new(document, chapters, &formulas);
    let mut files = writer.files;
    let mut page = |name: &str, page: front::Page| -> Result<(), Vec<Diagnostic>> {
        let html = templates.render(document, page)?;
        files.insert(name.to_owned(), html.into_bytes().into());
        Ok(())
    };
    page("index.html", contents.index(summary.finish(&formulas)))?;
    for (index, chapter) in document.chapters.iter().enumerate() {
        page(&page_name(&chapter.slug), contents.chapter(index))?;
    }
    page("ledger.html", contents.ledger(ledger.finish(&formulas)))?;
    if !document.bibliography.is_empty() {
        page("references.html", contents.references(references.finish(&formulas)))?;
    }
    for (name, bytes) in templates.assets() {
        files.insert(format!("assets/{name}"), bytes.to_vec().into());
    }
    files.insert("assets/math.css".to_owned(), crate::math::CSS.as_bytes().into());
    let fonts: Vec<&[u8]> = typst_assets::fonts().collect();
    for (index, name) in FONTS {
        files.insert(format!("assets/{name}"), fonts[index].into());
    }
    files.insert("assets/claims.js".to_owned(), claims.into_bytes().into());
    files
        .insert("assets/provenance.js".to_owned(), durations(&document.claims).into_bytes().into());
    Ok(files.into_iter().map(|(path, bytes)| OutputFile { path, bytes }).collect())
}

/// A page for a report that has not been built yet.
pub const WAITING: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
     <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
     <meta name=\"color-scheme\" content=\"light dark\"/><title>Veracity</title></head>\
     <body class=\"waiting\"><main id=\"content\"><p>The report is being built.</p></main>\
     </body></html>\n";

/// A finished page with `head` at the end of its head, allowed to connect to where it came from.
///
/// Texts are escaped in pages, so what is looked for can only be markup of the templates.
pub fn with_script(page: &str, head: &str) -> String {
    let page = page.replacen("script-src 'self';", "script-src 'self'; connect-src 'self';", 1);
    match page.find("</head>") {
        Some(at) => [&page[..at], head, &page[at..]].concat(),
        None => page + head,
    }
}

/// The script that tells how long the cell behind each claim ran.
fn durations(claims: &[Judged]) -> String {
    let durations: BTreeMap<&str, u64> = claims
        .iter()
        .filter_map(|claim| Some((claim.id.as_str(), claim.provenance.as_ref()?.duration_ms)))
        // A cell that comes out of a record took no time.
        .filter(|(_, ms)| *ms > 0)
        .collect();
    format!("window.veracityDurations = {};\n", serde_json::json!(durations))
}

/// File of a chapter's page.
pub(crate) fn page_name(slug: &str) -> String {
    match slug {
        "index" | "ledger" | "references" => format!("chapter-{slug}.html"),
        _ => format!("{}.html", file_stem(slug)),
    }
}

/// A name that stays inside its folder and needs no escaping in an address.
fn file_stem(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' })
        .collect()
}

/// The parts of a chapter's page whose formulas are not yet set.
struct ChapterParts {
    title: Fragment,
    /// Whether something is wrong, as a mark beside the title.
    mark: Fragment,
    sections: Fragment,
    body: Fragment,
}

/// Writes the content of pages and collects the formulas and files that they need.
struct Writer<'a> {
    document: &'a Document,
    /// Slug of the chapter whose page is being written; empty for other pages.
    page: &'a str,
    out: Fragment,
    formulas: Vec<&'a Math>,
    index: Index<'a>,
    words: Words,
    highlighter: &'a Highlighter,
    /// Claims whose details the present page must hold.
    mentioned: Vec<usize>,
    files: BTreeMap<String, Cow<'static, [u8]>>,
}

impl<'a> Writer<'a> {
    fn new(document: &'a Document, highlighter: &'a Highlighter) -> Self {
        Self {
            document,
            highlighter,
            index: Index::new(document),
            words: document.words(),
            page: "",
            out: Fragment::default(),
            formulas: Vec::new(),
            mentioned: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// What `write` writes for the page of `page`.
    fn part(&mut self, page: &'a str, write: impl FnOnce(&mut Self)) -> Fragment {
        self.page = page;
        write(self);
        std::mem::take(&mut self.out)
    }

    fn chapter_parts(&mut self, chapter: &'a Chapter) -> ChapterParts {
        let slug = chapter.slug.as_str();
        ChapterParts {
            title: self.part(slug, |w| w.label(&chapter.title)),
            mark: self.part(slug, |w| w.mark(chapter)),
            sections: self.part(slug, |w| w.section_links(&chapter.blocks)),
            body: self.part(slug, |w| w.chapter(chapter)),
        }
    }

    /// Links to the sections of a chapter, as items of a list.
    fn section_links(&mut self, blocks: &'a [Block]) {
        for block in blocks {
            if let Block::Heading { level: level @ 0..=3, number, anchor, content } = block {
                self.out.raw(if *level == 3 {
                    "<li class=\"sub\"><a href=\""
                } else {
                    "<li><a href=\""
                });
                // With the page, because the table of contents stands on every page.
                self.out.text(&page_name(self.page)).raw("#").text(anchor);
                self.out.raw("\"><span class=\"n\">").text(number).raw("</span> <span>");
                self.label(content);
                self.out.raw("</span></a></li>");
            }
        }
    }

    /// The address of an anchor, relative to the page; `None` is the bibliography.
    fn href(&mut self, page: Option<&str>, anchor: &str) {
        match page {
            Some(slug) if slug == self.page => {}
            Some(slug) => {
                self.out.text(&page_name(slug));
            }
            None => {
                self.out.raw("references.html");
            }
        }
        self.out.raw("#").text(anchor);
    }

    fn references(&mut self) {
        self.out.raw("<ol class=\"references\">");
        for reference in &self.document.bibliography {
            self.out
                .raw("<li id=\"")
                .text(&reference.anchor)
                .raw("\"><span class=\"n\">[")
                .text(&reference.number.to_string())
                .raw("]</span> <span>");
            self.inlines(&reference.content);
            self.out.raw("</span></li>");
        }
        self.out.raw("</ol>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_are_where_they_are_expected() {
        let fonts: Vec<&[u8]> = typst_assets::fonts().collect();
        for (index, file) in FONTS {
            let name = file.trim_end_matches(".otf").as_bytes();
            assert!(fonts[index].windows(name.len()).any(|bytes| bytes == name), "{file}");
        }
    }

    #[test]
    fn a_chapter_keeps_clear_of_the_other_pages() {
        assert_eq!(page_name("ledger"), "chapter-ledger.html");
        assert_eq!(page_name("../x"), "---x.html");
    }
}
