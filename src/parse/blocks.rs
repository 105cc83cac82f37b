//! Events of the Markdown parser to blocks.
//!
//! In: Markdown. Out: [`Block`]s, cells and modules. Left out: what is inside a paragraph, which
//! is [`super::inline`]'s, and what a fence says, which is [`super::fence`]'s.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::context::{Context, Origin};
use super::fence::{self, Fence, Role};
use super::frames::{
    Container, Frame, InlineKind, Table, callout, column_align, is_block, is_block_frame,
    is_nestable, range_start,
};
use super::inline::{self, Item, Links, Piece};
use super::paragraph;
use super::shield;
use crate::diag::Diagnostic;
use crate::parse::{Block, Cell, ClaimSite, Code, Inline, ListItem, Module, plain_text};
use crate::span::Span;

/// Deepest nesting of quotes, lists and emphasis; what is deeper is put one level up. Later
/// stages descend into blocks by recursion and rely on this.
const DEEPEST: usize = 64;

/// What a text holds.
pub(super) struct Parsed {
    pub blocks: Vec<Block>,
    pub cells: Vec<Cell>,
    pub modules: Vec<Module>,
}

/// Parses blocks.
pub(super) fn parse(text: &str, origin: Origin<'_>, diagnostics: &mut Vec<Diagnostic>) -> Parsed {
    let covered = shield::cover(text);
    let mut builder = Builder {
        context: Context { text, origin, diagnostics },
        stack: vec![Frame::Blocks { container: Container::Document, blocks: Vec::new(), start: 0 }],
        kept: Vec::new(),
        links: 0,
        claims: 0,
        is_too_deep: false,
        labels: BTreeMap::new(),
        cells: Vec::new(),
        modules: Vec::new(),
    };
    for (event, range) in Parser::new_ext(&covered, options()).into_offset_iter() {
        builder.event(event, range);
    }
    builder.end_implicit();
    let blocks = match builder.stack.pop() {
        Some(Frame::Blocks { blocks, .. }) => blocks,
        _ => Vec::new(),
    };
    Parsed { blocks, cells: builder.cells, modules: builder.modules }
}

/// The Markdown that chapters are written in.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_SMART_PUNCTUATION
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM
}

/// Parses text that must be a single paragraph, such as a caption.
pub(super) fn inlines(
    text: &str,
    origin: Origin<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Inline> {
    let span = origin.span(0..text.len());
    let mut blocks = parse(text, origin, diagnostics).blocks;
    match (blocks.pop(), blocks.is_empty()) {
        (None, _) => Vec::new(),
        (Some(Block::Paragraph(content)), true) => content,
        _ => {
            diagnostics.push(
                Diagnostic::error("invalid-caption", "a caption must be a single paragraph", span)
                    .hint("put a backslash before the character at its beginning"),
            );
            Vec::new()
        }
    }
}

struct Builder<'a> {
    context: Context<'a>,
    stack: Vec<Frame>,
    /// For each open tag that can be nested without end: whether it has a frame.
    kept: Vec<bool>,
    /// Open links.
    links: usize,
    /// Open claims.
    claims: usize,
    is_too_deep: bool,
    /// Labels of cells, where they stand.
    labels: BTreeMap<String, Span>,
    cells: Vec<Cell>,
    modules: Vec<Module>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) => self.text(&text, range),
            Event::Code(text) => self.node(Inline::Code(restore(&text)), range),
            Event::InlineMath(latex) => {
                let span = self.context.math_span(range.clone(), 1);
                self.node(Inline::Math { latex: restore(&latex), span }, range);
            }
            Event::DisplayMath(latex) => {
                self.item(Item::Display { latex: restore(&latex), range });
            }
            Event::Html(html) => {
                if let Some(Frame::Html { text, .. }) = self.stack.last_mut() {
                    text.push_str(&shield::restore(&html));
                }
            }
            Event::InlineHtml(html) => self.inline_html(&restore(&html), range),
            Event::FootnoteReference(name) => {
                let span = self.context.span(range.clone());
                self.node(Inline::Footnote { name: restore(&name), span }, range);
            }
            Event::SoftBreak => self.item(Item::SoftBreak(range)),
            Event::HardBreak => self.node(Inline::HardBreak, range),
            Event::Rule => self.block(Block::Rule),
            Event::TaskListMarker(done) => {
                let item = self.stack.iter_mut().rev().find_map(|frame| match frame {
                    Frame::Blocks { container: Container::Item(task), .. } => Some(task),
                    _ => None,
                });
                if let Some(task) = item {
                    *task = Some(done);
                }
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        if is_block(&tag) {
            self.end_implicit();
        }
        if is_nestable(&tag.to_end()) && !self.keep(&tag, range.start) {
            return;
        }
        let inlines = |kind| Frame::Inlines { kind, items: Vec::new(), range: range.clone() };
        let blocks =
            |container| Frame::Blocks { container, blocks: Vec::new(), start: range.start };
        let frame = match tag {
            Tag::Paragraph => inlines(InlineKind::Paragraph),
            Tag::Heading { level, .. } => inlines(InlineKind::Heading(level as u8)),
            Tag::BlockQuote(None) => blocks(Container::Quote),
            Tag::BlockQuote(Some(kind)) => blocks(Container::Callout(callout(kind))),
            Tag::List(start) => Frame::List { start, items: Vec::new() },
            Tag::Item => blocks(Container::Item(None)),
            Tag::FootnoteDefinition(name) => blocks(Container::Footnote(restore(&name))),
            Tag::CodeBlock(kind) => {
                let fence = match kind {
                    CodeBlockKind::Fenced(info) => Some(restore(&info)),
                    CodeBlockKind::Indented => None,
                };
                let code = Code { text: String::new(), line_offsets: Vec::new() };
                Frame::Code { fence, code, range }
            }
            Tag::HtmlBlock => Frame::Html { text: String::new(), range },
            Tag::Table(align) => Frame::Table(Table {
                align: align.into_iter().map(column_align).collect(),
                header: Vec::new(),
                rows: Vec::new(),
                caption: None,
                range,
            }),
            Tag::TableHead | Tag::TableRow => {
                Frame::Row { cells: Vec::new(), diagnostics: self.context.diagnostics.len() }
            }
            Tag::TableCell => inlines(InlineKind::TableCell),
            Tag::Emphasis => inlines(InlineKind::Emphasis),
            Tag::Strong => inlines(InlineKind::Strong),
            Tag::Strikethrough => inlines(InlineKind::Strikethrough),
            Tag::Link { link_type, dest_url, title, .. } => {
                let kind = self.link(link_type, &dest_url, &title, range.clone());
                inlines(kind)
            }
            Tag::Image { dest_url, .. } => {
                self.links += 1;
                inlines(InlineKind::Image { target: restore(&dest_url) })
            }
            _ => unreachable!("extensions that are off give no tags"),
        };
        if !is_block_frame(&frame) {
            self.begin_implicit(range_start(&frame));
        }
        self.stack.push(frame);
    }

    /// Whether a tag that can be nested gets a frame.
    fn keep(&mut self, tag: &Tag<'_>, start: usize) -> bool {
        let in_kept_list =
            matches!(tag, Tag::Item) && matches!(self.stack.last(), Some(Frame::List { .. }));
        let is_kept = in_kept_list || self.stack.len() < DEEPEST && !matches!(tag, Tag::Item);
        if !is_kept && !self.is_too_deep {
            self.is_too_deep = true;
            let span = self.context.first_line(start..self.context.text.len());
            self.context.diagnostics.push(
                Diagnostic::error("nesting-too-deep", "this is nested too deeply", span)
                    .note(format!("at most {DEEPEST} levels are kept apart"))
                    .hint("are there more `>` or spaces in front of it than were meant?"),
            );
        }
        self.kept.push(is_kept);
        is_kept
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        if is_nestable(&tag) {
            if matches!(
                tag,
                TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item | TagEnd::FootnoteDefinition
            ) {
                self.end_implicit();
            }
            if self.kept.pop() == Some(false) {
                return;
            }
        }
        match self.stack.pop() {
            Some(Frame::Blocks { container, blocks, start }) => {
                self.end_container(container, blocks, start..range.end);
            }
            Some(Frame::List { start, items }) => self.block(Block::List { start, items }),
            Some(Frame::Inlines { kind, items, range }) => self.end_inlines(kind, items, range),
            Some(Frame::Row { cells, diagnostics }) => {
                self.end_row(&tag, cells, diagnostics, range)
            }
            Some(Frame::Table(table)) => {
                let span = self.context.span(trimmed(self.context.text, table.range));
                let (caption, label, aggregates) = match table.caption {
                    Some(found) => (Some(found.content), found.label, found.aggregates),
                    None => (None, None, Vec::new()),
                };
                self.block(Block::Table {
                    align: table.align,
                    header: table.header,
                    rows: table.rows,
                    caption,
                    label,
                    aggregates,
                    span,
                });
            }
            Some(Frame::Code { fence, code, range }) => self.end_code(fence, code, range),
            Some(Frame::Html { text, range }) => self.end_html(&text, range),
            None => {}
        }
    }

    fn end_container(&mut self, container: Container, blocks: Vec<Block>, range: Range<usize>) {
        match container {
            Container::Document => {}
            Container::Quote => self.block(Block::Quote(blocks)),
            Container::Callout(kind) => self.block(Block::Callout { kind, blocks }),
            Container::Item(task) => match self.stack.last_mut() {
                Some(Frame::List { items, .. }) => items.push(ListItem { task, blocks }),
                _ => blocks.into_iter().for_each(|block| self.block(block)),
            },
            Container::Footnote(name) => {
                let span = self.context.first_line(range);
                self.block(Block::Footnote { name, blocks, span });
            }
        }
    }

    fn end_inlines(&mut self, kind: InlineKind, items: Vec<Item>, range: Range<usize>) {
        if matches!(kind, InlineKind::Link { .. } | InlineKind::Image { .. }) {
            self.links -= 1;
        }
        let links = if self.links > 0 { Links::Forbidden } else { Links::Allowed };
        match kind {
            InlineKind::Paragraph | InlineKind::Implicit => {
                let last = match self.stack.last_mut() {
                    Some(Frame::Blocks { blocks, .. }) => blocks.last_mut(),
                    _ => None,
                };
                for block in paragraph::blocks(items, last, &mut self.context) {
                    self.block(block);
                }
            }
            InlineKind::Heading(level) => {
                let block = paragraph::heading(level, items, range, &mut self.context);
                self.block(block);
            }
            InlineKind::TableCell => {
                let content = inline::finish(items, links, &mut self.context);
                if let Some(Frame::Row { cells, .. }) = self.stack.last_mut() {
                    cells.push(content);
                }
            }
            InlineKind::Image { target } => {
                let content = inline::finish(items, links, &mut self.context);
                self.item(Item::Image { target, content, range });
            }
            InlineKind::Claim { name, relation } => {
                self.claims -= 1;
                let content = inline::finish(items, links, &mut self.context);
                let span = self.context.span(range.clone());
                if Inline::all(&content).iter().any(|it| matches!(it, Inline::Value { .. })) {
                    self.context.diagnostics.push(
                        Diagnostic::error(
                            "claim-of-value",
                            "this claim cannot be wrong: its text is made from a value",
                            span.clone(),
                        )
                        .hint("write the number that you assert"),
                    );
                }
                let claim = ClaimSite { name, text: plain_text(&content), relation, span };
                self.node(Inline::Claim { claim, content }, range);
            }
            InlineKind::Link { target, title } => {
                let content = inline::finish(items, Links::Forbidden, &mut self.context);
                let span = self.context.span(range.clone());
                self.node(Inline::Link { target, title, content, span }, range);
            }
            InlineKind::Emphasis | InlineKind::Strong | InlineKind::Strikethrough => {
                let content = inline::finish(items, links, &mut self.context);
                let inline = match kind {
                    InlineKind::Emphasis => Inline::Emphasis(content),
                    InlineKind::Strong => Inline::Strong(content),
                    _ => Inline::Strikethrough(content),
                };
                self.node(inline, range);
            }
        }
    }

    /// What a link is, when it begins.
    fn link(
        &mut self,
        link_type: LinkType,
        target: &CowStr<'_>,
        title: &CowStr<'_>,
        range: Range<usize>,
    ) -> InlineKind {
        let (target, title) = (restore(target), restore(title));
        if let Some(name) = target.strip_prefix("claim:") {
            let name = name.trim().to_owned();
            if name.is_empty() {
                let span = self.context.first_line(range);
                self.context.diagnostics.push(
                    Diagnostic::error("empty-claim", "this claim names no value or check", span)
                        .hint("write it as `[text](claim:name)`"),
                );
            }
            self.claims += 1;
            return InlineKind::Claim { name, relation: title.trim().to_owned() };
        }
        if let Some((scheme, name)) = target.split_once(':')
            && (scheme.eq_ignore_ascii_case("claim")
                || crate::diag::closest(&scheme.to_ascii_lowercase(), ["claim"]).is_some())
        {
            let span = self.context.first_line(range);
            self.context.diagnostics.push(
                Diagnostic::error("broken-claim", "this link is not a claim", span)
                    .hint(format!("did you mean `claim:{name}`?")),
            );
        }
        self.links += 1;
        let is_mail = link_type == LinkType::Email && !target.starts_with("mailto:");
        let target = if is_mail { format!("mailto:{target}") } else { target };
        InlineKind::Link { target, title }
    }

    fn end_row(
        &mut self,
        tag: &TagEnd,
        cells: Vec<Vec<Inline>>,
        diagnostics: usize,
        range: Range<usize>,
    ) {
        let is_caption = matches!(tag, TagEnd::TableRow)
            && self.context.text[range.clone()].trim_start().starts_with(": ");
        let caption = is_caption.then(|| {
            self.context.diagnostics.truncate(diagnostics);
            paragraph::caption_line(range, &mut self.context)
        });
        let Some(Frame::Table(table)) = self.stack.last_mut() else { return };
        match (tag, caption) {
            (_, Some(caption)) => table.caption = Some(caption),
            (TagEnd::TableHead, None) => table.header = cells,
            (_, None) => table.rows.push(cells),
        }
    }

    fn end_code(&mut self, fence: Option<String>, mut code: Code, range: Range<usize>) {
        let Some(info) = fence else {
            return self.block(Block::Code { language: String::new(), text: code.text });
        };
        if !code.text.is_empty() && !code.text.ends_with('\n') {
            code.text.push('\n');
        }
        let first_line = self.context.first_line(range.clone());
        let mut role = fence::role(info.trim(), &first_line, self.context.diagnostics);
        let raw = &self.context.text[range.clone()];
        if let Some(fence) = unclosed_fence(raw) {
            self.context.diagnostics.push(
                Diagnostic::error(
                    "unclosed-fence",
                    "this code block is never closed",
                    first_line.clone(),
                )
                .hint(format!("close it with {fence} on a line of its own")),
            );
            role = Role::Shown("rust".to_owned());
        }
        let span = self.context.span(trimmed(self.context.text, range));
        let source = self.context.origin.source;
        let block = match role {
            Role::Shown(language) => Block::Code { language, text: code.text },
            Role::Cell => {
                let fence = Fence { source, code, span, first_line };
                let index = self.cells.len();
                let diagnostics = &mut *self.context.diagnostics;
                self.cells.push(fence::cell(fence, index, &mut self.labels, diagnostics));
                Block::Cell(index)
            }
            Role::Module => {
                let fence = Fence { source, code, span, first_line };
                self.modules.push(fence::module(fence, self.context.diagnostics));
                Block::Module(self.modules.len() - 1)
            }
        };
        self.block(block);
    }

    fn end_html(&mut self, html: &str, range: Range<usize>) {
        let mut text = String::new();
        let mut rest = html;
        while let Some(start) = rest.find("<!--") {
            text.push_str(&rest[..start]);
            let Some(length) = rest[start..].find("-->") else {
                let span = self.context.first_line(range.clone());
                self.context.diagnostics.push(
                    Diagnostic::error("unclosed-comment", "this comment is never closed", span)
                        .hint("close it with `-->`"),
                );
                rest = "";
                break;
            };
            rest = &rest[start + length + "-->".len()..];
        }
        text.push_str(rest);
        let text = text.trim();
        if !text.is_empty() {
            self.block(Block::Html(text.to_owned()));
        }
    }

    fn inline_html(&mut self, html: &str, range: Range<usize>) {
        let name = html.trim_start_matches('<').trim_end_matches(['>', '/', ' ']);
        if html.starts_with("<!--") {
            self.begin_implicit(range.start);
        } else if name.eq_ignore_ascii_case("br") {
            self.node(Inline::HardBreak, range);
        } else {
            self.node(Inline::Html(html.to_owned()), range);
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        let source = self.context.text;
        if let Some(Frame::Code { code, .. }) = self.stack.last_mut() {
            let raw = source.get(range.clone()).filter(|raw| raw.len() == text.len());
            let raw = raw.unwrap_or(text);
            let offset = self.context.origin.offset(range.start);
            push_code(code, raw, offset);
            return;
        }
        if let Some(Frame::Html { text: html, .. }) = self.stack.last_mut() {
            html.push_str(&shield::restore(text));
            return;
        }
        self.begin_implicit(range.start);
        let Some(Frame::Inlines { items, range: frame, .. }) = self.stack.last_mut() else {
            return;
        };
        let before = items.last().map_or(frame.start, |item| item.range().end);
        let is_escaped =
            range.start > before && source.as_bytes().get(range.start - 1) == Some(&b'\\');
        let raw = &source[range.clone()];
        let shown = shield::restore(text);
        // Quotes in a claim are compared with those of a value, which are straight.
        let is_same = shown == raw || self.claims > 0 && matches!(raw, "\"" | "'" | "--" | "...");
        let shown = (!is_same).then(|| shown.into_owned());
        items.push(Item::Text(Piece { range, shown, is_escaped }));
    }

    fn node(&mut self, inline: Inline, range: Range<usize>) {
        self.item(Item::Node(inline, range));
    }

    fn item(&mut self, item: Item) {
        self.begin_implicit(item.range().start);
        if let Some(Frame::Inlines { items, .. }) = self.stack.last_mut() {
            items.push(item);
        }
    }

    /// Opens a paragraph for what stands directly in a container.
    fn begin_implicit(&mut self, start: usize) {
        if matches!(self.stack.last(), Some(Frame::Blocks { .. })) {
            let is_escaped = start > 0 && self.context.text.as_bytes()[start - 1] == b'\\';
            let start = start - usize::from(is_escaped);
            let kind = InlineKind::Implicit;
            self.stack.push(Frame::Inlines { kind, items: Vec::new(), range: start..start });
        }
    }

    fn end_implicit(&mut self) {
        if matches!(self.stack.last(), Some(Frame::Inlines { kind: InlineKind::Implicit, .. }))
            && let Some(Frame::Inlines { kind, items, range }) = self.stack.pop()
        {
            self.end_inlines(kind, items, range);
        }
    }

    /// Adds a block to the innermost container.
    fn block(&mut self, block: Block) {
        self.end_implicit();
        let innermost = self.stack.iter_mut().rev().find_map(|frame| match frame {
            Frame::Blocks { blocks, .. } => Some(blocks),
            _ => None,
        });
        if let Some(blocks) = innermost {
            blocks.push(block);
        }
    }
}

fn restore(text: &str) -> String {
    shield::restore(text).into_owned()
}

/// Adds a part of a code block; a part is verbatim, or white space that stands for a tab.
fn push_code(code: &mut Code, part: &str, offset: usize) {
    let mut at = offset;
    for line in part.split_inclusive('\n') {
        if code.text.is_empty() || code.text.ends_with('\n') {
            code.line_offsets.push(at);
        }
        code.text.push_str(line);
        at += line.len();
    }
}

/// The fence that is missing at the end of a fenced block, if it is.
fn unclosed_fence(raw: &str) -> Option<String> {
    let raw = raw.trim();
    let mark = raw.chars().next()?;
    let length = raw.chars().take_while(|&c| c == mark).count();
    let (_, last) = raw.rsplit_once('\n').unwrap_or_default();
    let last = last.trim_start_matches(['>', ' ', '\t']);
    let is_closed = last.len() >= length && last.chars().all(|c| c == mark);
    (!is_closed).then(|| mark.to_string().repeat(length))
}

/// A range without white space at its end.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    range.start..range.start + text[range.clone()].trim_end().len()
}
