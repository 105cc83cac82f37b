//! Text to references, citations and inline values.
//!
//! In: what stands inside one paragraph, cell of a table or heading, with places. Out:
//! [`Inline`]s. Left out: blocks.

use std::ops::Range;

use super::context::Context;
use super::labels;
use crate::diag::Diagnostic;
use crate::parse::{CitationForm, CitationItem, ClaimSite, Inline, plain_text};

/// Something inside a paragraph while that is being put together. Ranges are in the parsed text.
#[derive(Debug)]
pub(super) enum Item {
    Text(Piece),
    SoftBreak(Range<usize>),
    Node(Inline, Range<usize>),
    Image { target: String, content: Vec<Inline>, range: Range<usize> },
    Display { latex: String, range: Range<usize> },
}

/// Text as the Markdown parser gives it.
#[derive(Debug)]
pub(super) struct Piece {
    pub range: Range<usize>,
    /// What is shown, where that is not the text at `range`.
    pub shown: Option<String>,
    /// Whether a backslash stands before it.
    pub is_escaped: bool,
}

impl Item {
    pub fn range(&self) -> &Range<usize> {
        match self {
            Self::Text(Piece { range, .. })
            | Self::SoftBreak(range)
            | Self::Node(_, range)
            | Self::Image { range, .. }
            | Self::Display { range, .. } => range,
        }
    }
}

/// Whether text may become references and citations, which are links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    Allowed,
    /// Links cannot be nested.
    Forbidden,
}

/// Turns items to inlines.
pub(super) fn finish(items: Vec<Item>, links: Links, context: &mut Context<'_>) -> Vec<Inline> {
    let mut scanner =
        Scanner { links, context, out: Vec::new(), raw: String::new(), parts: Vec::new() };
    for item in items {
        match item {
            Item::Text(piece) => scanner.add(piece, false),
            Item::SoftBreak(range) => {
                scanner.add(Piece { range, shown: None, is_escaped: false }, true);
            }
            Item::Node(inline, _) => scanner.node(inline),
            Item::Image { target, content, range } => {
                let span = scanner.context.span(range);
                if let Some(claim) = claim_in(&content) {
                    let words = "a claim in the description of a picture is not checked";
                    scanner.context.diagnostics.push(
                        Diagnostic::error("broken-claim", words, claim.span.clone())
                            .hint("write it into the text, or into the caption of a figure"),
                    );
                }
                scanner.node(Inline::Image { target, alt: plain_text(&content), span });
            }
            Item::Display { latex, range } => {
                let span = scanner.context.math_span(range, 2);
                scanner.node(Inline::Math { latex, span });
            }
        }
    }
    scanner.scan();
    scanner.out
}

/// The first claim among inlines.
fn claim_in(content: &[Inline]) -> Option<&ClaimSite> {
    content.iter().find_map(|inline| match inline {
        Inline::Claim { claim, .. } => Some(claim),
        Inline::Emphasis(content)
        | Inline::Strong(content)
        | Inline::Strikethrough(content)
        | Inline::Link { content, .. } => claim_in(content),
        _ => None,
    })
}

/// A run of text without other inlines, and what has been made of it and all before it.
struct Scanner<'s, 'a> {
    links: Links,
    context: &'s mut Context<'a>,
    out: Vec<Inline>,
    /// The run as the author wrote it, with `\n` for the end of a line.
    raw: String,
    parts: Vec<Part>,
}

struct Part {
    /// Offset in the run.
    start: usize,
    piece: Piece,
    is_break: bool,
}

impl Scanner<'_, '_> {
    fn node(&mut self, inline: Inline) {
        self.scan();
        self.out.push(inline);
    }

    fn add(&mut self, piece: Piece, is_break: bool) {
        let start = self.raw.len();
        let text = self.context.text;
        self.raw.push_str(if is_break { "\n" } else { &text[piece.range.clone()] });
        self.parts.push(Part { start, piece, is_break });
    }

    /// Ends the run.
    fn scan(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        let mut shown = 0;
        let mut at = 0;
        while let Some(found) = raw[at..].find(['@', '[', '{', ']']) {
            at += found;
            let end = if self.is_escaped(at) { None } else { self.syntax(&raw, at, shown) };
            match end {
                Some(end) => {
                    at = end;
                    shown = end;
                }
                None => at += 1,
            }
        }
        self.plain(&raw, shown..raw.len());
        self.parts.clear();
    }

    /// Reads what begins at `at`, after showing the text from `shown`; gives the offset after it.
    fn syntax(&mut self, raw: &str, at: usize, shown: usize) -> Option<usize> {
        let rest = &raw[at..];
        let (end, inlines) = if rest.starts_with("{{") {
            self.value(raw, at)?
        } else if rest.starts_with('@') && self.links == Links::Allowed {
            self.narrative(raw, at)?
        } else if rest.starts_with("[^") {
            self.note_without_text(raw, at);
            return None;
        } else if rest.starts_with('[') && self.links == Links::Allowed {
            self.bracketed(raw, at)?
        } else {
            if rest.starts_with("](claim:") {
                self.broken_claim(raw, at);
            }
            return None;
        };
        self.plain(raw, shown..at);
        self.out.extend(inlines);
        Some(end)
    }

    fn value(&mut self, raw: &str, at: usize) -> Option<(usize, Vec<Inline>)> {
        let inner = &raw[at + 2..];
        let next = inner.as_bytes().windows(2).position(|pair| pair == b"}}" || pair == b"{{");
        let end = next.filter(|&end| inner[end..].starts_with("}}"));
        let Some(length) = end else {
            let span = self.span(at..at + 2);
            let found = Diagnostic::error("unclosed-value", "`{{` is never closed", span);
            self.context.diagnostics.push(
                found.hint("close it with `}}` in the same paragraph, or write `\\{{` to show it"),
            );
            return None;
        };
        let span = self.span(at..at + length + 4);
        let expression = inner[..length].replace('\n', " ").replace("\\|", "|").trim().to_owned();
        if expression.is_empty() {
            self.context.diagnostics.push(
                Diagnostic::error("empty-value", "`{{ }}` names no value", span)
                    .hint("name a value, as in `{{ accuracy | fixed(2) }}`"),
            );
            return None;
        }
        Some((at + length + 4, vec![Inline::Value { expression, span }]))
    }

    fn narrative(&mut self, raw: &str, at: usize) -> Option<(usize, Vec<Inline>)> {
        let before = raw[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '@' | '.' | '/' | '-')) {
            return None;
        }
        let key = key(&raw[at + 1..])?;
        let end = at + 1 + key.len();
        Some((end, vec![self.referring(key, at..end)]))
    }

    fn referring(&self, key: &str, range: Range<usize>) -> Inline {
        let span = self.span(range.clone());
        if labels::is_reference(key) {
            return Inline::Reference { label: key.to_owned(), span };
        }
        let item = CitationItem {
            key: key.to_owned(),
            prefix: String::new(),
            locator: String::new(),
            span: self.span(range.start + 1..range.end),
        };
        Inline::Citation { items: vec![item], form: CitationForm::Narrative, span }
    }

    /// `[see @key, p. 3; @other]`, or references in brackets.
    fn bracketed(&mut self, raw: &str, at: usize) -> Option<(usize, Vec<Inline>)> {
        let inner = &raw[at + 1..];
        let length = inner.find(['[', ']']).filter(|&length| inner[length..].starts_with(']'))?;
        let inner = &inner[..length];
        let end = at + length + 2;
        if !inner.contains('@') {
            return None;
        }
        let mut items = Vec::new();
        let mut start = at + 1;
        for part in inner.split(';') {
            items.push(self.citation(part, start)?);
            start += part.len() + 1;
        }
        let references = items.iter().filter(|item| labels::is_reference(&item.key)).count();
        if references == 0 {
            let span = self.span(at..end);
            return Some((
                end,
                vec![Inline::Citation { items, form: CitationForm::Bracketed, span }],
            ));
        }
        let are_bare = items.iter().all(|item| item.prefix.is_empty() && item.locator.is_empty());
        if references < items.len() || !are_bare {
            let span = self.span(at..end);
            self.context.diagnostics.push(
                Diagnostic::error(
                    "mixed-citation",
                    "brackets hold either citations or bare references",
                    span,
                )
                .hint("put the references into the sentence, without brackets"),
            );
            return None;
        }
        let mut inlines = Vec::new();
        for item in items {
            if !inlines.is_empty() {
                inlines.push(Inline::Text(", ".to_owned()));
            }
            let range = item.span.range.start - 1..item.span.range.end;
            let span = item.span.source.span(range);
            inlines.push(Inline::Reference { label: item.key, span });
        }
        Some((end, inlines))
    }

    /// One part of a bracketed citation, which begins at `start`.
    fn citation(&self, part: &str, start: usize) -> Option<CitationItem> {
        let mut marks = part.match_indices('@').map(|(at, _)| at);
        let at = marks.find(|&at| {
            let before = part[..at].chars().next_back();
            before.is_none_or(|c| c.is_whitespace() || matches!(c, '-' | '('))
                && !self.is_escaped(start + at)
        })?;
        let key = key(&part[at + 1..])?;
        let locator = part[at + 1 + key.len()..].trim_start();
        let locator = locator.strip_prefix(',').unwrap_or(locator);
        let tidy = |text: &str| text.replace('\n', " ").replace("--", "–").trim().to_owned();
        Some(CitationItem {
            key: key.to_owned(),
            prefix: tidy(part[..at].trim_end_matches('-')),
            locator: tidy(locator),
            span: self.span(start + at + 1..start + at + 1 + key.len()),
        })
    }

    /// The Markdown parser leaves `[^name]` as text if no note has that name.
    fn note_without_text(&mut self, raw: &str, at: usize) {
        let inner = &raw[at + 2..];
        let length = inner.find(|c: char| c == ']' || c == '[' || c.is_whitespace());
        let Some(length) = length.filter(|&length| length > 0 && inner[length..].starts_with(']'))
        else {
            return;
        };
        let name = &inner[..length];
        let span = self.span(at..at + length + 3);
        self.context.diagnostics.push(
            Diagnostic::error("unknown-footnote", format!("no footnote is named `{name}`"), span)
                .hint(format!("add a paragraph that begins with `[^{name}]: `")),
        );
    }

    /// A link to a claim that is no link, mostly because the relation is not in quotes.
    fn broken_claim(&mut self, raw: &str, at: usize) {
        let rest = &raw[at + 1..];
        let end = rest.find([')', '\n', ']']).unwrap_or(rest.len());
        let length = end + usize::from(rest[end..].starts_with(')'));
        let span = self.span(at + 1..at + 1 + length);
        self.context.diagnostics.push(
            Diagnostic::error("broken-claim", "this claim is not a link", span)
                .hint("write it as `[text](claim:name)` or `[text](claim:name \"relation\")`"),
        );
    }

    /// Shows a range of the run as text.
    fn plain(&mut self, raw: &str, range: Range<usize>) {
        let first = self.part_at(range.start);
        for index in first..self.parts.len() {
            let part = &self.parts[index];
            if part.start >= range.end {
                break;
            }
            let next = self.parts.get(index + 1).map_or(raw.len(), |next| next.start);
            let from = range.start.max(part.start);
            let to = range.end.min(next);
            if from >= to {
                continue;
            }
            if part.is_break {
                self.out.push(Inline::SoftBreak);
                continue;
            }
            let text = match &part.piece.shown {
                Some(shown) if from == part.start => shown.as_str(),
                Some(_) => "",
                None => &raw[from..to],
            };
            match self.out.last_mut() {
                Some(Inline::Text(before)) => before.push_str(text),
                _ => self.out.push(Inline::Text(text.to_owned())),
            }
        }
    }

    /// Index of the part that holds an offset of the run.
    fn part_at(&self, offset: usize) -> usize {
        self.parts.partition_point(|part| part.start <= offset).saturating_sub(1)
    }

    fn is_escaped(&self, offset: usize) -> bool {
        self.parts
            .get(self.part_at(offset))
            .is_some_and(|part| part.start == offset && part.piece.is_escaped)
    }

    /// Span of a range of the run that is not empty.
    fn span(&self, range: Range<usize>) -> crate::span::Span {
        let offset = |at: usize| {
            self.parts.get(self.part_at(at)).map_or(0, |part| {
                (part.piece.range.start + (at - part.start)).min(part.piece.range.end)
            })
        };
        self.context.span(offset(range.start)..offset(range.end - 1) + 1)
    }
}

/// The key at the beginning of `text`: letters, digits and `_`, with single punctuation inside.
fn key(text: &str) -> Option<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins = matches!(c, '-' | ':' | '.' | '/' | '+')
            && at > 0
            && chars.peek().is_some_and(|&(_, next)| is_word(next));
        if !is_word(c) && !joins {
            break;
        }
        end = at + c.len_utf8();
    }
    (end > 0).then(|| &text[..end])
}
