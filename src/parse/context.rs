//! Where a parsed text comes from.
//!
//! In: offsets in a text that is being parsed. Out: spans in the chapter. Left out: parsing.

use std::ops::Range;

use crate::diag::Diagnostic;
use crate::parse::Code;
use crate::span::{Source, Span};

/// Where the bytes of a text stand in the chapter.
#[derive(Clone)]
pub(super) struct Origin<'a> {
    pub source: &'a Source,
    map: Map<'a>,
}

#[derive(Clone)]
enum Map<'a> {
    /// All of it from this offset.
    Shifted(usize),
    /// In these lines, from this offset in their text.
    Lines(&'a Code, usize),
    /// Somewhere in this range.
    Whole(Range<usize>),
}

impl<'a> Origin<'a> {
    /// The text stands in the chapter from `start`.
    pub fn shifted(source: &'a Source, start: usize) -> Self {
        Self { source, map: Map::Shifted(start) }
    }

    /// The text stands in `lines` from `start`.
    pub fn lines(source: &'a Source, lines: &'a Code, start: usize) -> Self {
        Self { source, map: Map::Lines(lines, start) }
    }

    /// The text was made from what stands in `range`.
    pub fn whole(source: &'a Source, range: Range<usize>) -> Self {
        Self { source, map: Map::Whole(range) }
    }

    /// Origin of the rest of the text from `start`.
    pub fn from(&self, start: usize) -> Self {
        let map = match &self.map {
            Map::Shifted(shift) => Map::Shifted(shift + start),
            Map::Lines(lines, shift) => Map::Lines(lines, shift + start),
            Map::Whole(range) => Map::Whole(range.clone()),
        };
        Self { source: self.source, map }
    }

    /// Offset in the chapter.
    pub fn offset(&self, at: usize) -> usize {
        match &self.map {
            Map::Shifted(shift) => shift + at,
            Map::Lines(lines, shift) => lines.offset(shift + at),
            Map::Whole(range) => range.start,
        }
    }

    /// Span in the chapter.
    pub fn span(&self, range: Range<usize>) -> Span {
        let range = match &self.map {
            Map::Whole(whole) => whole.clone(),
            _ => self.offset(range.start)..self.offset(range.end),
        };
        self.source.span(range)
    }
}

/// What every part of the parser needs.
pub(super) struct Context<'a> {
    /// The text as the author wrote it.
    pub text: &'a str,
    pub origin: Origin<'a>,
    pub diagnostics: &'a mut Vec<Diagnostic>,
}

impl Context<'_> {
    /// Span in the chapter of a range of the text.
    pub fn span(&self, range: Range<usize>) -> Span {
        self.origin.span(range)
    }

    /// Span of the LaTeX in a formula with `dollars` on each side.
    pub fn math_span(&self, range: Range<usize>, dollars: usize) -> Span {
        let end = range.end.saturating_sub(dollars);
        self.span((range.start + dollars).min(end)..end)
    }

    /// Span of the first line of a range, without white space at its ends.
    pub fn first_line(&self, range: Range<usize>) -> Span {
        let text = &self.text[range.clone()];
        let start = text.len() - text.trim_start().len();
        let line = text[start..].lines().next().unwrap_or_default().trim_end();
        self.span(range.start + start..range.start + start + line.len())
    }
}
