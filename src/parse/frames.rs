//! What is open while the events of the Markdown parser come in.
//!
//! In: tags. Out: [`Frame`]s, and which tags are what. Left out: what becomes of a frame when it
//! is closed, which is [`super::blocks`]'s.

use std::ops::Range;

use pulldown_cmark::{Alignment, BlockQuoteKind, Tag, TagEnd};

use super::inline::Item;
use crate::parse::{Aggregate, Block, CalloutKind, Code, ColumnAlign, Inline, ListItem};

/// Something that is open.
pub(super) enum Frame {
    Blocks { container: Container, blocks: Vec<Block>, start: usize },
    List { start: Option<u64>, items: Vec<ListItem> },
    Inlines { kind: InlineKind, items: Vec<Item>, range: Range<usize> },
    Table(Table),
    Row { cells: Vec<Vec<Inline>>, diagnostics: usize },
    Code { fence: Option<String>, code: Code, range: Range<usize> },
    Html { text: String, range: Range<usize> },
}

pub(super) enum Container {
    Document,
    Quote,
    Callout(CalloutKind),
    Item(Option<bool>),
    Footnote(String),
}

pub(super) enum InlineKind {
    Paragraph,
    /// A paragraph without tags of its own, in an item of a tight list.
    Implicit,
    Heading(u8),
    TableCell,
    Emphasis,
    Strong,
    Strikethrough,
    Link {
        target: String,
        title: String,
    },
    Claim {
        name: String,
        relation: String,
    },
    Image {
        target: String,
    },
}

/// The line under a table.
pub(super) struct Caption {
    pub content: Vec<Inline>,
    pub label: Option<String>,
    pub aggregates: Vec<Aggregate>,
}

pub(super) struct Table {
    pub align: Vec<ColumnAlign>,
    pub header: Vec<Vec<Inline>>,
    pub rows: Vec<Vec<Vec<Inline>>>,
    pub caption: Option<Caption>,
    pub range: Range<usize>,
}

pub(super) fn is_block(tag: &Tag<'_>) -> bool {
    !matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
    )
}

pub(super) fn is_block_frame(frame: &Frame) -> bool {
    !matches!(
        frame,
        Frame::Inlines {
            kind: InlineKind::Emphasis
                | InlineKind::Strong
                | InlineKind::Strikethrough
                | InlineKind::Link { .. }
                | InlineKind::Claim { .. }
                | InlineKind::Image { .. },
            ..
        }
    )
}

pub(super) fn range_start(frame: &Frame) -> usize {
    match frame {
        Frame::Inlines { range, .. } => range.start,
        _ => 0,
    }
}

pub(super) fn is_nestable(tag: &TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image
    )
}

pub(super) fn callout(kind: BlockQuoteKind) -> CalloutKind {
    match kind {
        BlockQuoteKind::Note => CalloutKind::Note,
        BlockQuoteKind::Tip => CalloutKind::Tip,
        BlockQuoteKind::Important => CalloutKind::Important,
        BlockQuoteKind::Warning => CalloutKind::Warning,
        BlockQuoteKind::Caution => CalloutKind::Caution,
    }
}

pub(super) fn column_align(align: Alignment) -> ColumnAlign {
    match align {
        Alignment::None => ColumnAlign::Default,
        Alignment::Left => ColumnAlign::Left,
        Alignment::Center => ColumnAlign::Center,
        Alignment::Right => ColumnAlign::Right,
    }
}
