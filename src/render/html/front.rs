//! What each page hands to its template: the table of contents and the links between pages.
//!
//! In: the finished pieces of all pages. Out: [`Page`]s. The table of contents stands on every
//! page, so its entries are written once.

use super::fragment::escape;
use super::{ChapterParts, page_name};
use crate::document::{Document, plain_text};
use crate::words::Word;

/// The variables of a page's template.
pub(super) struct Page {
    /// File name of the template.
    pub(super) template: &'static str,
    /// Variables that the template escapes.
    pub(super) texts: Vec<(&'static str, String)>,
    /// Variables that are HTML already.
    pub(super) markup: Vec<(&'static str, String)>,
}

/// The chapters of a report, their formulas set.
pub(super) struct Contents<'a> {
    document: &'a Document,
    chapters: Vec<Entry>,
}

struct Entry {
    href: String,
    /// Number and title, as HTML.
    label: String,
    /// Mark of a chapter with something wrong, as HTML.
    mark: String,
    /// Links to sections, as HTML.
    sections: String,
    body: String,
}

impl<'a> Contents<'a> {
    pub(super) fn new(
        document: &'a Document,
        parts: Vec<ChapterParts>,
        formulas: &[String],
    ) -> Self {
        let chapters = document
            .chapters
            .iter()
            .zip(parts)
            .map(|(chapter, parts)| Entry {
                href: escaped(&page_name(&chapter.slug)),
                label: format!(
                    "<span class=\"n\">{}</span> <span>{}</span>",
                    escaped(&chapter.number),
                    parts.title.finish(formulas),
                ),
                mark: parts.mark.finish(formulas),
                sections: parts.sections.finish(formulas),
                body: parts.body.finish(formulas),
            })
            .collect();
        Self { document, chapters }
    }

    pub(super) fn index(&self, summary: String) -> Page {
        let mut chapters = String::from("<ol class=\"contents\">");
        for entry in &self.chapters {
            chapters.push_str("<li>");
            push_link(&mut chapters, entry, "");
            if !entry.sections.is_empty() {
                chapters.push_str("<ol>");
                chapters.push_str(&entry.sections);
                chapters.push_str("</ol>");
            }
            chapters.push_str("</li>");
        }
        chapters.push_str("</ol>");
        self.page(
            "index.html",
            "",
            "index",
            None,
            vec![("summary", summary), ("chapters", chapters)],
        )
    }

    pub(super) fn chapter(&self, index: usize) -> Page {
        let chapter = &self.document.chapters[index];
        let entry = &self.chapters[index];
        let mut markup = vec![("content", entry.body.clone())];
        let previous = index.checked_sub(1).map(|index| &self.chapters[index]);
        for (name, neighbour) in [("previous", previous), ("next", self.chapters.get(index + 1))] {
            if let Some(neighbour) = neighbour {
                markup.push((name, neighbour.label.clone()));
                markup.push((
                    if name == "next" { "next_href" } else { "previous_href" },
                    neighbour.href.clone(),
                ));
            }
        }
        let title = format!("{} {}", chapter.number, plain_text(&chapter.title));
        self.page("chapter.html", title.trim(), "chapter", Some(index), markup)
    }

    pub(super) fn ledger(&self, ledger: String) -> Page {
        self.page(
            "ledger.html",
            self.document.words().get(Word::Ledger),
            "ledger",
            None,
            vec![("content", ledger)],
        )
    }

    pub(super) fn references(&self, references: String) -> Page {
        self.page(
            "references.html",
            self.document.words().get(Word::References),
            "references",
            None,
            vec![("content", references)],
        )
    }

    fn page(
        &self,
        template: &'static str,
        title: &str,
        kind: &'static str,
        current: Option<usize>,
        mut markup: Vec<(&'static str, String)>,
    ) -> Page {
        markup.push(("contents", self.sidebar(current)));
        for name in
            ["content", "summary", "chapters", "previous", "previous_href", "next", "next_href"]
        {
            if !markup.iter().any(|(given, _)| *given == name) {
                markup.push((name, String::new()));
            }
        }
        let texts = vec![("title", title.to_owned()), ("kind", kind.to_owned())];
        Page { template, texts, markup }
    }

    /// The table of contents beside a page; the current chapter shows its sections.
    fn sidebar(&self, current: Option<usize>) -> String {
        let mut html = String::from("<ol>");
        for (index, entry) in self.chapters.iter().enumerate() {
            html.push_str("<li>");
            if current == Some(index) {
                push_link(&mut html, entry, " aria-current=\"page\"");
                if !entry.sections.is_empty() {
                    html.push_str("<ol class=\"sections\">");
                    html.push_str(&entry.sections);
                    html.push_str("</ol>");
                }
            } else {
                push_link(&mut html, entry, "");
            }
            html.push_str("</li>");
        }
        html.push_str("</ol>");
        html
    }
}

fn push_link(html: &mut String, entry: &Entry, attributes: &str) {
    for part in
        ["<a href=\"", &entry.href, "\"", attributes, ">", &entry.label, &entry.mark, "</a>"]
    {
        html.push_str(part);
    }
}

fn escaped(text: &str) -> String {
    let mut html = String::new();
    escape(text, &mut html);
    html
}
