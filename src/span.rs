//! Where a thing stands in a file that a person wrote.
//!
//! In: the text of a file. Out: [`Span`]s that carry their file along, so that any stage can
//! point at it. Left out: how a span is shown, which is [`crate::diag`]'s.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file as it was read, shared by all spans into it.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    path: String,
    text: String,
    line_starts: Vec<usize>,
    /// How many characters begin before each piece of the text.
    counts: Vec<usize>,
}

/// Bytes of a piece, within which characters are counted one by one.
const PIECE: usize = 128;

/// How many characters begin in a part of a text.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

impl Source {
    /// Wraps `text`, read from `path` (relative to the report's root, with `/`).
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let counts = text.as_bytes().chunks(PIECE).scan(0, |count, piece| {
            let before = *count;
            *count += characters(piece);
            Some(before)
        });
        let counts = counts.collect();
        Self(Arc::new(Inner { path: path.into(), text, line_starts, counts }))
    }

    /// Path relative to the report's root.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Line and column of a byte offset; an offset past the end gives the end.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.0.text.len());
        while !self.0.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.0.line_starts.partition_point(|&start| start <= offset) - 1;
        // A line may be as long as the text.
        let column =
            self.characters_before(offset) - self.characters_before(self.0.line_starts[line]);
        Position { line: line + 1, column: column + 1 }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let piece = (offset / PIECE).min(self.0.counts.len().saturating_sub(1));
        let before = self.0.counts.get(piece).copied().unwrap_or_default();
        before + characters(&self.0.text.as_bytes()[piece * PIECE..offset])
    }

    /// Byte offset of the first character of a line (from 1), if the file has that line.
    pub fn line_start(&self, line: usize) -> Option<usize> {
        self.0.line_starts.get(line.checked_sub(1)?).copied()
    }

    /// Span of a range of bytes.
    pub fn span(&self, range: Range<usize>) -> Span {
        Span { source: self.clone(), range }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.0.path).finish()
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.path == other.0.path && self.0.text == other.0.text)
    }
}

impl Eq for Source {}

/// A range of bytes in a [`Source`].
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub source: Source,
    /// Byte offsets.
    pub range: Range<usize>,
}

impl Span {
    /// Line and column where the span begins.
    pub fn position(&self) -> Position {
        self.source.position(self.range.start)
    }

    /// The text that the span covers.
    pub fn text(&self) -> &str {
        self.source.text().get(self.range.clone()).unwrap_or_default()
    }

    /// A part of this span, by byte offsets relative to its start.
    pub fn part(&self, range: Range<usize>) -> Span {
        let start = (self.range.start + range.start).min(self.range.end);
        let end = (self.range.start + range.end).clamp(start, self.range.end);
        self.source.span(start..end)
    }
}

/// Shows `path:line:column`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position();
        write!(f, "{}:{line}:{column}", self.source.path())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Line and column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let source = Source::new("a.md", "één\nb\n");
        assert_eq!(source.position(4), Position { line: 1, column: 3 });
        assert_eq!(source.position(6), Position { line: 2, column: 1 });
        assert_eq!(source.position(99), Position { line: 3, column: 1 });
        let long = Source::new("a.md", "é".repeat(PIECE));
        let columns: Vec<usize> =
            (0..=2 * PIECE).map(|offset| long.position(offset).column).collect();
        assert!(columns.iter().enumerate().all(|(offset, column)| *column == offset / 2 + 1));
        assert_eq!(Source::new("a.md", "").position(0), Position { line: 1, column: 1 });
        assert_eq!(source.line_start(2), Some(6));
        assert_eq!(source.span(6..7).text(), "b");
    }
}
