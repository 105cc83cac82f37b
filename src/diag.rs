//! One type for everything that is wrong with a report, and how it is shown in a terminal.
//!
//! In: problems found by any stage. Out: text as rustc prints it. Left out: what a problem
//! means for the build, which is [`crate::pipeline`]'s.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::span::Span;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The report is right, but something deserves a look.
    Warning,
    /// Something in the report is wrong or missing.
    Error,
}

/// A problem, with its place in what the author wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable name of the kind of problem, such as `unknown-reference`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, short, in lower case.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// Words beside the marked place.
    pub label: Option<String>,
    /// Other places that matter, each with words.
    pub related: Vec<(Span, String)>,
    /// Facts that help to understand.
    pub notes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self { span: Some(span), ..Self::global(code, message) }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message, span) }
    }

    /// An error that has no place in a file.
    pub fn global(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span: None,
            label: None,
            related: Vec::new(),
            notes: Vec::new(),
            hint: None,
        }
    }

    /// Adds words beside the marked place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds another place that matters.
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Adds a fact.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint "did you mean" if one of `candidates` is close to `word`.
    pub fn did_you_mean<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match closest(word, candidates) {
            Some(best) => self.hint(format!("did you mean `{best}`?")),
            None => self,
        }
    }
}

/// The candidate most similar to `word`, if any other than itself is similar enough to be meant.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Whether terminal colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// With ANSI escapes.
    Ansi,
    /// Plain text.
    Plain,
}

/// Longest source line that is shown with its marks; longer ones are cut around the place.
const LONGEST_LINE: usize = 400;

/// Longest message that is shown whole.
const LONGEST_MESSAGE: usize = 2000;

/// Shows one diagnostic as rustc does: message, source line, marks, notes and hint.
pub fn render(diagnostic: &Diagnostic, color: Color) -> String {
    let level = match diagnostic.severity {
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let mut group =
        Group::with_title(level.primary_title(cut(&diagnostic.message)).id(diagnostic.code));
    let excerpts: Vec<Excerpt> = diagnostic
        .span
        .iter()
        .map(|span| (span, diagnostic.label.as_deref(), AnnotationKind::Primary))
        .chain(
            diagnostic
                .related
                .iter()
                .map(|(span, label)| (span, Some(label.as_str()), AnnotationKind::Context)),
        )
        .map(|(span, label, kind)| Excerpt::new(span, label, kind))
        .collect();
    for excerpt in &excerpts {
        group = group.element(
            Snippet::source(&excerpt.text)
                .path(excerpt.path.as_str())
                .line_start(excerpt.line)
                .annotation(
                    excerpt.kind.span(excerpt.range.clone()).label(excerpt.label.as_deref()),
                ),
        );
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    let renderer = match color {
        Color::Ansi => Renderer::styled(),
        Color::Plain => Renderer::plain(),
    };
    renderer.render(&[group])
}

/// The lines around a span, cut to what a terminal can show.
struct Excerpt {
    path: String,
    text: String,
    line: usize,
    range: std::ops::Range<usize>,
    label: Option<String>,
    kind: AnnotationKind,
}

impl Excerpt {
    fn new(span: &Span, label: Option<&str>, kind: AnnotationKind) -> Self {
        let text = span.source.text();
        let start = floor_boundary(text, span.range.start);
        let end = floor_boundary(text, span.range.end).max(start);
        let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
        // A span over many lines is marked where it begins.
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = end.min(line_end);
        let from_shown = floor_boundary(text, from.max(start.saturating_sub(LONGEST_LINE)));
        let to_shown = floor_boundary(text, line_end.min(end.max(start) + LONGEST_LINE));
        let end = end.min(to_shown);
        Self {
            path: printable(span.source.path()),
            text: printable(&text[from_shown..to_shown]),
            line: span.position().line,
            range: start - from_shown..end - from_shown,
            label: label.map(printable),
            kind,
        }
    }
}

/// What is printed of a message, which may quote an author at any length.
fn cut(message: &str) -> String {
    let end = floor_boundary(message, LONGEST_MESSAGE);
    let more = if end < message.len() { "…" } else { "" };
    printable(&message[..end]) + more
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Replaces control characters, which would let a chapter drive the terminal, by blanks of as
/// many bytes.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{80}'..='\u{9f}' => '\u{a0}',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Source;

    #[test]
    fn shows_the_source_line_and_the_hint() {
        let source = Source::new("chapters/1.md", "# A\n\nsee @fig-eror\n");
        let shown = render(
            &Diagnostic::error("unknown-reference", "nothing has this label", source.span(9..18))
                .did_you_mean("fig-eror", ["fig-error", "tbl-x"]),
            Color::Plain,
        );
        assert!(shown.contains("error[unknown-reference]: nothing has this label"), "{shown}");
        assert!(shown.contains("chapters/1.md:3:5"), "{shown}");
        assert!(shown.contains("see @fig-eror"), "{shown}");
        assert!(shown.contains("did you mean `fig-error`?"), "{shown}");
    }

    #[test]
    fn a_very_long_line_is_cut_and_escapes_are_not_passed_on() {
        let source =
            Source::new("a.md", format!("{}\u{1b}[2J{}", "é".repeat(9000), "x".repeat(9000)));
        let shown = render(&Diagnostic::error("x", "y", source.span(18_000..18_001)), Color::Plain);
        assert!(shown.len() < 4000, "{}", shown.len());
        assert!(!shown.contains('\u{1b}'));
        assert_eq!(printable("é\u{1b}[2J\u{9b}2J\n"), "é [2J\u{a0}2J\n");
    }
}
