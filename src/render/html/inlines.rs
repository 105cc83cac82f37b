//! Words, links, formulas and pictures as HTML.

use super::Writer;
use super::blocks::WARNING;
use crate::document::{Image, ImageData, Inline};
use crate::math::Math;
use crate::words::Word;

impl<'a> Writer<'a> {
    pub(super) fn image(&mut self, image: &'a Image) {
        let stem = super::file_stem(&image.name);
        let file = |ending: &str| format!("assets/figures/{stem}{ending}");
        match &image.data {
            ImageData::Drawn { light, dark } => {
                for (open, ending, svg) in [
                    ("<img class=\"on-light\" src=\"", "-light.svg", light),
                    ("<img class=\"on-dark\" src=\"", "-dark.svg", dark),
                ] {
                    let file = file(ending);
                    self.out.raw(open).text(&file).raw("\" alt=\"").text(&image.alt);
                    if let Some((width, height)) = size(svg) {
                        self.out.raw("\" width=\"").text(width).raw("\" height=\"").text(height);
                    }
                    self.out.raw("\" loading=\"lazy\"/>");
                    self.needs.files.insert(file, svg.as_bytes().to_vec().into());
                }
            }
            ImageData::File { bytes, extension } => {
                let file = file(&format!(".{}", super::file_stem(extension)));
                self.out.raw("<img class=\"given\" src=\"").text(&file).raw("\" alt=\"");
                self.out.text(&image.alt).raw("\" loading=\"lazy\"/>");
                self.needs.files.insert(file, bytes.clone());
            }
        }
        if let Some(csv) = &image.csv {
            self.needs.files.insert(file(".csv"), csv.clone().into_bytes().into());
        }
    }

    pub(super) fn formula(&mut self, math: &'a Math) {
        self.out.formula(self.needs.formulas.len());
        self.needs.formulas.push(math);
    }

    pub(super) fn inlines(&mut self, content: &'a [Inline]) {
        for inline in content {
            self.inline(inline);
        }
    }

    fn inline(&mut self, inline: &'a Inline) {
        match inline {
            Inline::Emphasis(content) => {
                self.out.raw("<em>");
                self.inlines(content);
                self.out.raw("</em>");
            }
            Inline::Strong(content) => {
                self.out.raw("<strong>");
                self.inlines(content);
                self.out.raw("</strong>");
            }
            Inline::Strikethrough(content) => {
                self.out.raw("<s>");
                self.inlines(content);
                self.out.raw("</s>");
            }
            Inline::Link { target, title, content } if is_safe(target) => {
                self.out.raw("<a href=\"").text(target);
                if !title.is_empty() {
                    self.out.raw("\" title=\"").text(title);
                }
                self.out.raw("\" rel=\"noreferrer\">");
                self.label(content);
                self.out.raw("</a>");
            }
            Inline::Jump { page, anchor, content } => {
                self.out.raw("<a class=\"jump\" href=\"");
                self.href(page.as_deref(), anchor);
                self.out.raw("\">");
                self.label(content);
                self.out.raw("</a>");
            }
            Inline::Claim { claim, content } => self.claim(*claim, content, ""),
            Inline::Exempt { reason, content } => {
                self.out.raw("<span class=\"exempt\" title=\"").text(reason).raw("\">");
                self.inlines(content);
                self.out.raw("</span>");
            }
            Inline::FootnoteMark { number, anchor, note } => {
                self.out.raw("<sup id=\"").text(anchor).raw("\"><a class=\"note\" href=\"#");
                self.out.text(note).raw("\" aria-label=\"").raw(self.words.get(Word::Footnote));
                self.out.raw(" ").text(&number.to_string());
                self.out.raw("\">").text(&number.to_string()).raw("</a></sup>");
            }
            other => self.label(std::slice::from_ref(other)),
        }
    }

    /// Content without anything that a reader could follow or press, for use inside a link.
    pub(super) fn label(&mut self, content: &'a [Inline]) {
        for inline in content {
            match inline {
                Inline::Text(text) => {
                    self.out.text(text);
                }
                Inline::Emphasis(content) => {
                    self.out.raw("<em>");
                    self.label(content);
                    self.out.raw("</em>");
                }
                Inline::Strong(content) => {
                    self.out.raw("<strong>");
                    self.label(content);
                    self.out.raw("</strong>");
                }
                Inline::Strikethrough(content) => {
                    self.out.raw("<s>");
                    self.label(content);
                    self.out.raw("</s>");
                }
                Inline::Code(text) => {
                    self.out.raw("<code>").text(text).raw("</code>");
                }
                Inline::Math(math) => self.formula(math),
                Inline::Link { content, .. }
                | Inline::Jump { content, .. }
                | Inline::Exempt { content, .. }
                | Inline::Claim { content, .. } => self.label(content),
                Inline::Value { text, name } => {
                    self.out.raw("<data class=\"value\" value=\"").text(text).raw("\" title=\"");
                    self.out.text(name).raw("\">").text(text).raw("</data>");
                }
                Inline::Image(image) => self.image(image),
                Inline::FootnoteMark { .. } => {}
                Inline::Problem(message) => {
                    self.out.raw("<span class=\"problem\" role=\"note\">").raw(WARNING);
                    self.out.raw(" ").text(message).raw("</span>");
                }
                Inline::SoftBreak => {
                    self.out.raw("\n");
                }
                Inline::HardBreak => {
                    self.out.raw("<br/>\n");
                }
            }
        }
    }
}

/// Width and height of a drawing in pixels, so that a page keeps its room before it is loaded.
fn size(svg: &str) -> Option<(&str, &str)> {
    let (head, _) = svg.split_once('>')?;
    let length = |name| {
        let (_, rest) = head.split_once(name)?;
        rest.split_once('"').map(|(length, _)| length)
    };
    Some((length(" width=\"")?, length(" height=\"")?))
}

/// Whether an address may be followed: a known scheme or none.
fn is_safe(target: &str) -> bool {
    let scheme_end = target.find([':', '/', '?', '#']);
    match scheme_end {
        Some(at) if target.as_bytes()[at] == b':' => {
            let scheme = target[..at].to_ascii_lowercase();
            matches!(scheme.as_str(), "http" | "https" | "mailto")
        }
        _ => !target.starts_with("//"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_are_followed() {
        for target in ["https://a.b/c:d", "mailto:a@b.c", "a/b.png", "#x", "a?b:c", "HTTP://x"] {
            assert!(is_safe(target), "{target}");
        }
        for target in ["javascript:alert(1)", "data:text/html,x", " javascript:x", "//host/x"] {
            assert!(!is_safe(target), "{target}");
        }
    }
}
