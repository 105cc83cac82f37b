//! What the compiler says of an evaluation.
//!
//! In: its messages, as evcxr hands them on. Out: problems at the author's places, and the variables
//! that cannot be taken or kept.

use std::collections::BTreeMap;

use cargo_metadata::diagnostic::Diagnostic as Said;

use crate::diag::Severity;
use crate::kernel::compile::{self, Maps};
use crate::plan::tangle::Own;
use crate::span::Span;

/// Where the statements' lines stand in the file that evcxr made of them: for each line of the
/// file the line of the statements, both from 0.
pub(super) fn aligned(source: &str, code: &str) -> Vec<Option<usize>> {
    let mut code = code.lines().enumerate().peekable();
    source
        .lines()
        .map(|line| code.next_if(|(_, wanted)| *wanted == line).map(|(at, _)| at))
        .collect()
}

pub(super) fn parse(messages: &[String]) -> Vec<Said> {
    messages.iter().filter_map(|message| serde_json::from_str(message).ok()).collect()
}

pub(super) fn errors(said: &[Said], maps: &Maps, chapter: &Span) -> Vec<compile::Message> {
    let translated = said.iter().filter_map(|said| compile::translate(said, maps, chapter));
    translated.filter(|message| message.diagnostic.severity == Severity::Error).collect()
}

pub(super) fn is_untyped(said: &[Said]) -> bool {
    let code = |said: &Said| said.code.as_ref().map(|code| code.code.clone());
    said.iter().filter_map(code).any(|code| ["E0282", "E0283", "E0284"].contains(&code.as_str()))
}

/// Errors of a reference that does not live as long as the context.
pub(super) const TOO_SHORT: [&str; 6] = ["E0310", "E0373", "E0515", "E0521", "E0597", "E0716"];

/// Errors of a value that has moved, or is borrowed by another variable.
pub(super) const NOT_THERE: [&str; 4] = ["E0381", "E0382", "E0505", "E0507"];

pub(super) fn with_code(said: &Said, codes: &[&str]) -> bool {
    said.code.as_ref().is_some_and(|code| codes.contains(&code.code.as_str()))
}

/// The variables that cannot be taken or kept, by what the compiler says.
pub(super) fn blamed(
    said: &[Said],
    lines: &[Option<usize>],
    own: &BTreeMap<usize, Own>,
) -> Vec<Own> {
    let of_line = |line: usize| own.get(&(lines.get(line.checked_sub(1)?)?.as_ref()? + 1));
    let short: Vec<Own> = said
        .iter()
        .filter(|said| with_code(said, &TOO_SHORT))
        // That the place where a variable is kept asks for more is often said in a note.
        .flat_map(|said| said.children.iter().chain([said]).flat_map(|said| &said.spans))
        .filter_map(|span| of_line(span.line_start).cloned())
        .collect();
    if !short.is_empty() {
        return short;
    }
    said.iter()
        .filter(|said| with_code(said, &NOT_THERE))
        .flat_map(|said| said.spans.iter().filter(|span| span.is_primary))
        .filter_map(|span| of_line(span.line_start).cloned())
        .collect()
}
