//! Inline content as words on one line, and the sentences of it.

use std::ops::Range;

use crate::parse::prose::EXEMPT;
use crate::parse::{Inline, is_comment};
use crate::span::Span;

/// Words on one line.
#[derive(Default)]
pub(super) struct Line {
    pub text: String,
    /// Where the words begin, behind a label.
    pub start: usize,
    /// Where the parts stand of which that is known, by their places in the line.
    pub places: Vec<(usize, Span)>,
    /// What no sentence ends within.
    whole: Vec<Range<usize>>,
}

impl Line {
    /// A line that goes on behind a mark.
    pub fn behind(text: String) -> Self {
        Self { start: text.len(), text, ..Self::default() }
    }

    pub fn of(content: &[Inline]) -> Self {
        let mut line = Self::default();
        line.inlines(content);
        line
    }

    /// A row of a table.
    pub fn row(label: Option<&str>, cells: &[Vec<Inline>]) -> Self {
        let label = label.map(|label| format!("{label} ")).unwrap_or_default();
        let mut line = Self::behind(label + "|");
        for cell in cells {
            line.text.push(' ');
            line.inlines(cell);
            line.text.push_str(" |");
        }
        line
    }

    pub fn label(&mut self, label: Option<&str>) {
        if let Some(label) = label {
            self.text.push_str(&format!(" {{#{label}}}"));
        }
    }

    pub fn inlines(&mut self, inlines: &[Inline]) {
        inlines.iter().for_each(|inline| self.inline(inline));
    }

    fn inline(&mut self, inline: &Inline) {
        let start = self.text.len();
        match inline {
            Inline::Text(text) => return self.text.push_str(text),
            Inline::SoftBreak | Inline::HardBreak => return self.text.push(' '),
            Inline::Emphasis(content) | Inline::Strong(content) => return self.inlines(content),
            Inline::Strikethrough(content) => {
                self.text.push_str("~~");
                self.inlines(content);
                return self.text.push_str("~~");
            }
            Inline::Link { target, content, span, .. } if target == EXEMPT => {
                self.text.push('[');
                self.inlines(content);
                self.text.push_str(&format!("]({EXEMPT})"));
                self.places.push((start, span.clone()));
            }
            Inline::Link { target, title, content, .. } => {
                self.inlines(content);
                let start = self.text.len();
                self.text.push_str(&format!(" <{}>", format!("{target} {title}").trim_end()));
                return self.whole.push(start..self.text.len());
            }
            Inline::Claim { claim, content } => {
                self.text.push('[');
                self.inlines(content);
                self.text.push_str(&format!("]({})", claim.name));
                self.places.push((start, claim.span.clone()));
            }
            Inline::Value { expression, span } => {
                self.text.push_str(&format!("{{{{ {} }}}}", expression.trim()));
                self.places.push((start, span.clone()));
            }
            Inline::Math { latex, span } => {
                self.text.push_str(&format!("${}$", latex.trim()));
                self.places.push((start, span.clone()));
            }
            Inline::Code(code) => self.text.push_str(&format!("`{code}`")),
            Inline::Image { alt, target, span } => {
                self.text.push_str(&image(alt, target));
                self.places.push((start, span.clone()));
            }
            Inline::Footnote { name, span } => {
                self.text.push_str(&format!("[^{name}]"));
                self.places.push((start, span.clone()));
            }
            Inline::Reference { span, .. } | Inline::Citation { span, .. } => {
                self.text.push_str(span.text());
                self.places.push((start, span.clone()));
            }
            Inline::Html(html) if is_comment(html) => {}
            Inline::Html(html) => self.text.push_str(html),
        }
        self.whole.push(start..self.text.len());
    }

    /// The sentences. Where it is not plain that one ends, it goes on.
    pub fn sentences(self) -> Vec<Self> {
        let text = self.text.as_str();
        let mut ends = Vec::new();
        // Whether a sentence may be over, and where the next one would begin.
        let mut is_over = false;
        let mut next = None;
        for (at, c) in text.char_indices() {
            if is_over
                && next.is_none()
                && text[..at].ends_with(char::is_whitespace)
                && !c.is_whitespace()
            {
                next = Some(at);
            }
            match c {
                c if is_over && next.is_some() && c.is_uppercase() => {
                    ends.extend(next);
                    (is_over, next) = (false, None);
                }
                '.' | '!' | '?' if !self.is_within(at) => (is_over, next) = (true, None),
                '。' | '！' | '？' if !self.is_within(at) => {
                    ends.push(at + c.len_utf8());
                    (is_over, next) = (false, None);
                }
                c if c.is_whitespace() => {}
                // Marks may stand behind the end of a sentence, and before a word.
                c if is_over && !c.is_alphanumeric() => {}
                _ => (is_over, next) = (false, None),
            }
        }
        ends.push(text.len());
        let mut start = 0;
        let mut sentences = Vec::new();
        for end in ends {
            let places = self.places.iter().filter(|(at, _)| (start..end).contains(at));
            let within = |whole: &Range<usize>| {
                (whole.start >= start).then(|| whole.start - start..whole.end - start)
            };
            sentences.push(Self {
                text: text[start..end].to_owned(),
                places: places.map(|(at, span)| (at - start, span.clone())).collect(),
                whole: self.whole.iter().filter_map(within).collect(),
                ..Self::default()
            });
            start = end;
        }
        sentences
    }

    pub fn is_within(&self, at: usize) -> bool {
        self.whole.iter().any(|whole| whole.contains(&at))
    }
}

/// A picture, by the words in its place and its file.
pub(super) fn image(alt: &str, target: &str) -> String {
    match target {
        "" => format!("![{alt}]"),
        _ => format!("![{alt}] <{target}>"),
    }
}
