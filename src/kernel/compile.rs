//! What the compiler says of generated files, told of the chapter instead.
//!
//! In: Cargo's JSON messages and the [`SourceMap`]s of the generated files. Out: diagnostics
//! that point into the chapter. Left out: calling Cargo, which is [`super::batch`]'s.

use std::collections::BTreeMap;

use cargo_metadata::diagnostic::{Diagnostic as Said, DiagnosticLevel, DiagnosticSpan};

use crate::diag::{Diagnostic, Severity};
use crate::plan::tangle::SourceMap;
use crate::span::Span;

/// The generated files of a chapter, by path relative to the workspace.
pub(super) type Maps = BTreeMap<String, SourceMap>;

/// What to do if something cannot be written or run.
pub(super) const UNABLE: &str =
    "is the disk full, or the folder read-only? `veracity clean` removes anything in the way";

/// How systems tell that a disk is full.
const NO_SPACE: &str = "No space left on device";

/// A compiler message, with the cell to which it belongs.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// What is wrong, in the chapter's own lines.
    pub(super) diagnostic: Diagnostic,
    /// Cell of the chapter; none for a module block or for code that the author did not write.
    pub(super) cell: Option<usize>,
}

/// Translates one message; none if it says nothing of its own, as "aborting due to" does.
pub(super) fn translate(said: &Said, maps: &Maps, chapter: &Span) -> Option<Message> {
    let severity = match said.level {
        DiagnosticLevel::Error | DiagnosticLevel::Ice => Severity::Error,
        DiagnosticLevel::Warning => Severity::Warning,
        _ => return None,
    };
    let aborting = said.spans.is_empty()
        && (said.message.starts_with("aborting due to")
            || said.message.contains("warning emitted")
            || said.message.contains("warnings emitted"));
    if aborting {
        return None;
    }
    let primary = said.spans.iter().find(|span| span.is_primary);
    let place = primary.and_then(|span| locate(span, maps));
    // A warning about code that the author did not write is not the author's.
    if severity == Severity::Warning && place.is_none() {
        return None;
    }
    let code = match severity {
        Severity::Error => "compile-error",
        Severity::Warning => "compile-warning",
    };
    let message = match &said.code {
        Some(name) => format!("{} [{}]", said.message, name.code),
        None => said.message.clone(),
    };
    let (span, cell) = match place {
        Some(place) => (place.span, place.cell),
        None => (chapter.clone(), None),
    };
    let outside = primary.filter(|span| !maps.contains_key(&span.file_name));
    let mut diagnostic = Diagnostic::error(code, message, span.clone());
    diagnostic.severity = severity;
    diagnostic.label = primary.and_then(|span| span.label.clone());
    for other in said.spans.iter().filter(|span| !span.is_primary) {
        if let (Some(place), Some(label)) = (locate(other, maps), &other.label) {
            diagnostic = diagnostic.related(place.span, label.clone());
        }
    }
    if primary.is_none() && said.message.contains(NO_SPACE) {
        // The message names a file that was there for a moment only.
        diagnostic =
            Diagnostic::error("build-folder", "the compiler has no space", chapter.clone())
                .hint(UNABLE);
    }
    if let Some(span) = outside {
        diagnostic = diagnostic
            .note(format!("in {}:{}:{}", span.file_name, span.line_start, span.column_start));
    }
    for child in &said.children {
        children(child, maps, &mut diagnostic);
    }
    Some(Message { diagnostic, cell })
}

fn children(child: &Said, maps: &Maps, diagnostic: &mut Diagnostic) {
    let suggestion = child.spans.iter().find_map(|span| {
        let replacement = span.suggested_replacement.as_ref()?;
        Some((locate(span, maps)?, replacement))
    });
    match (child.level, suggestion) {
        (DiagnosticLevel::Help, Some((place, replacement))) if diagnostic.hint.is_none() => {
            let position = place.span.position();
            let shown = replacement.trim();
            diagnostic.hint = Some(if shown.is_empty() {
                child.message.clone()
            } else {
                format!(
                    "{}: `{shown}` at line {}, column {}",
                    child.message, position.line, position.column
                )
            });
        }
        (DiagnosticLevel::Help, None) if diagnostic.hint.is_none() => {
            diagnostic.hint = Some(child.message.clone());
        }
        _ => match child.spans.iter().find_map(|span| locate(span, maps)) {
            Some(place) => diagnostic.related.push((place.span, child.message.clone())),
            None => diagnostic.notes.push(child.message.clone()),
        },
    }
}

struct Place {
    span: Span,
    cell: Option<usize>,
}

/// The chapter's place for a compiler's span; for code out of a macro, where the macro is called.
fn locate(span: &DiagnosticSpan, maps: &Maps) -> Option<Place> {
    if let Some(map) = maps.get(&span.file_name)
        && let Some(found) =
            map.span((span.line_start, span.column_start), (span.line_end, span.column_end))
    {
        return Some(Place { span: found, cell: map.cell(span.line_start) });
    }
    locate(&span.expansion.as_ref()?.span, maps)
}
