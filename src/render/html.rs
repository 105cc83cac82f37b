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

use std::collections::BTreeMap;

use bytes::Bytes;
use rayon::prelude::*;

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
    let index = Index::new(document);
    let writer = |page| Writer::new(document, &index, highlighter, page);
    let (chapters, (others, claims)) = rayon::join(
        || {
            let chapters = document.chapters.par_iter();
            chapters.map(|it| writer(&it.slug).chapter_parts(it)).collect::<Vec<_>>()
        },
        || {
            let summary = writer("").part(|w| {
                w.outcome();
                w.legend();
            });
            let ledger = writer("").part(Writer::ledger);
            let references = writer("").part(Writer::references);
            ([summary, ledger, references], review::script(document, evidence, &index))
        },
    );

    let mut needs = Needs::default();
    let chapters: Vec<ChapterParts> =
        chapters.into_iter().map(|(parts, own)| parts.shifted(needs.add(own))).collect();
    let [summary, ledger, references] =
        others.map(|(fragment, own)| fragment.shifted(needs.add(own)));
    let Needs { formulas, mut files } = needs;
    let formulas = fragment::mathml(&formulas, math);
    let contents = front::Contents::new(document, chapters, &formulas);

    let mut pages = vec![("index.html".to_owned(), contents.index(summary.finish(&formulas)))];
    for (index, chapter) in document.chapters.iter().enumerate() {
        pages.push((page_name(&chapter.slug), contents.chapter(index)));
    }
    pages.push(("ledger.html".to_owned(), contents.ledger(ledger.finish(&formulas))));
    if !document.bibliography.is_empty() {
        let references = contents.references(references.finish(&formulas));
        pages.push(("references.html".to_owned(), references));
    }
    let render = |(name, page)| (name, templates.render(document, page));
    for (name, html) in pages.into_par_iter().map(render).collect::<Vec<_>>() {
        files.insert(name, html?.into_bytes().into());
    }
    for (name, bytes) in templates.assets() {
        files.insert(format!("assets/{name}"), bytes.clone());
    }
    files.insert("assets/math.css".to_owned(), Bytes::from_static(crate::math::CSS.as_bytes()));
    let fonts: Vec<&'static [u8]> = typst_assets::fonts().collect();
    for (index, name) in FONTS {
        files.insert(format!("assets/{name}"), Bytes::from_static(fonts[index]));
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

/// A page in the report's look for an address at which it has none.
pub fn absent(document: &Document, path: &str) -> String {
    let mut page = Fragment::default();
    page.raw(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <meta name=\"color-scheme\" content=\"light dark\"/><title>",
    );
    page.text(&document.title).raw(
        "</title><link rel=\"stylesheet\" href=\"/assets/style.css\"/></head>\
         <body class=\"absent\"><header class=\"bar\"><a class=\"home\" href=\"/\">",
    );
    page.text(&document.title).raw(
        "</a></header><main id=\"content\"><h1>There is no such page</h1>\
         <p>The report has no page <code>",
    );
    page.text(path).raw(
        "</code>; its chapter may have been renamed or removed.</p>\
         <p><a href=\"/\">Go to the first page</a></p></main></body></html>\n",
    );
    page.finish(&[])
}

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

impl ChapterParts {
    /// The same where so many formulas come before its own.
    fn shifted(self, by: usize) -> Self {
        Self {
            title: self.title.shifted(by),
            mark: self.mark.shifted(by),
            sections: self.sections.shifted(by),
            body: self.body.shifted(by),
        }
    }
}

/// What pages need beside their text.
#[derive(Default)]
struct Needs<'a> {
    /// Formulas, by the numbers that fragments have for them.
    formulas: Vec<&'a Math>,
    /// Files by path.
    files: BTreeMap<String, Bytes>,
}

impl<'a> Needs<'a> {
    /// Adds those of another part; gives how many formulas come before its own.
    fn add(&mut self, other: Self) -> usize {
        let before = self.formulas.len();
        self.formulas.extend(other.formulas);
        self.files.extend(other.files);
        before
    }
}

/// Writes the content of a page and collects what it needs.
struct Writer<'a> {
    document: &'a Document,
    /// Slug of the chapter whose page is being written; empty for other pages.
    page: &'a str,
    out: Fragment,
    needs: Needs<'a>,
    index: &'a Index<'a>,
    words: Words,
    highlighter: &'a Highlighter,
    /// Claims whose details the present page must hold.
    mentioned: Vec<usize>,
}

impl<'a> Writer<'a> {
    fn new(
        document: &'a Document,
        index: &'a Index<'a>,
        highlighter: &'a Highlighter,
        page: &'a str,
    ) -> Self {
        Self {
            document,
            highlighter,
            index,
            page,
            words: document.words(),
            out: Fragment::default(),
            needs: Needs::default(),
            mentioned: Vec::new(),
        }
    }

    /// What `write` writes, and what it needs.
    fn part(mut self, write: impl FnOnce(&mut Self)) -> (Fragment, Needs<'a>) {
        write(&mut self);
        (self.out, self.needs)
    }

    fn chapter_parts(mut self, chapter: &'a Chapter) -> (ChapterParts, Needs<'a>) {
        let mut part = |write: &dyn Fn(&mut Self)| {
            write(&mut self);
            std::mem::take(&mut self.out)
        };
        let parts = ChapterParts {
            title: part(&|w| w.label(&chapter.title)),
            mark: part(&|w| w.mark(chapter)),
            sections: part(&|w| w.section_links(&chapter.blocks)),
            body: part(&|w| w.chapter(chapter)),
        };
        (parts, self.needs)
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
