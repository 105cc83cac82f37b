//! Paragraphs to blocks: formulas, figures and captions are written as paragraphs.
//!
//! In: the items of a paragraph or heading. Out: blocks, with what their attributes say. Left
//! out: references and citations, which are [`super::inline`]'s.

use std::collections::VecDeque;
use std::ops::Range;

use super::attributes::{self, Attributes, Setting};
use super::blocks;
use super::context::Context;
use super::frames::Caption;
use super::inline::{self, Item, Links, Piece};
use super::labels::{self, Labelled};
use crate::diag::Diagnostic;
use crate::parse::{Aggregate, AggregateKind, Block, ClaimSite, Equation, Inline};

/// Turns a paragraph to blocks; a caption goes to the table `last` instead.
pub(super) fn blocks(
    items: Vec<Item>,
    last: Option<&mut Block>,
    context: &mut Context<'_>,
) -> Vec<Block> {
    let mut items = VecDeque::from(items);
    trim(&mut items, context.text);
    let Some(start) = items.front().map(|item| item.range().start) else { return Vec::new() };
    if begins_with(&items, context.text, ": ") {
        if let Some(Block::Table { caption: caption @ None, label, aggregates, .. }) = last {
            let found = self::caption(items, context);
            *caption = Some(found.content);
            *label = found.label;
            *aggregates = found.aggregates;
            return Vec::new();
        }
        let span = context.first_line(start..context.text.len());
        context.diagnostics.push(
            Diagnostic::warning(
                "caption-without-table",
                "no table stands above this caption",
                span,
            )
            .hint("a caption stands directly under its table; a cell has the option `caption`"),
        );
    }
    if begins_with(&items, context.text, "$$") {
        let span = context.span(start..start + 2);
        context.diagnostics.push(
            Diagnostic::error("unclosed-math", "this formula is never closed", span)
                .note("a formula ends at an empty line")
                .hint("close it with `$$`, or write `\\$\\$` to show dollars"),
        );
    }
    match figure(&mut items, context) {
        Some(figure) => vec![figure],
        None => split(items, context),
    }
}

/// Turns a heading to a block.
pub(super) fn heading(
    level: u8,
    items: Vec<Item>,
    range: Range<usize>,
    context: &mut Context<'_>,
) -> Block {
    let mut items = VecDeque::from(items);
    let label = trailing(&mut items, context)
        .and_then(|found| check(&found, Labelled::Heading, &[], context).0);
    trim(&mut items, context.text);
    let content = inline::finish(items.into(), Links::Allowed, context);
    let span = context.first_line(range);
    Block::Heading { level, label, content, span }
}

/// Reads a caption that stands in a row of its own directly under a table.
pub(super) fn caption_line(range: Range<usize>, context: &mut Context<'_>) -> Caption {
    let line = &context.text[range.clone()];
    let start = line.len() - line.trim_start().trim_start_matches(':').trim_start().len();
    let end = attributes::trailing(line).unwrap_or(line.len()).max(start);
    let found = attributes::parse(line, end).map(|found| shifted(found, range.start));
    let (label, aggregates) = of_table(found.as_ref(), context);
    let origin = context.origin.from(range.start + start);
    let content = blocks::inlines(line[start..end].trim_end(), origin, context.diagnostics);
    Caption { content, label, aggregates }
}

/// What attributes say of a table.
fn of_table(
    found: Option<&Attributes>,
    context: &mut Context<'_>,
) -> (Option<String>, Vec<Aggregate>) {
    let Some(found) = found else { return (None, Vec::new()) };
    let kinds = [
        ("best", AggregateKind::Best),
        ("total", AggregateKind::Total),
        ("cells", AggregateKind::Cells),
    ];
    let (label, settings) = check(found, Labelled::Table, &kinds.map(|(key, _)| key), context);
    let aggregates = kinds.iter().filter_map(|(key, kind)| {
        let setting = setting(&settings, key)?;
        let of = setting.value.trim().to_owned();
        Some(Aggregate { kind: *kind, of, span: context.span(setting.range.clone()) })
    });
    (label, aggregates.collect())
}

fn caption(mut items: VecDeque<Item>, context: &mut Context<'_>) -> Caption {
    let found = trailing(&mut items, context);
    let (label, aggregates) = of_table(found.as_ref(), context);
    let after_colon = items.front().map_or(0, |item| item.range().start) + 1;
    skip(&mut items, after_colon);
    trim(&mut items, context.text);
    let content = inline::finish(items.into(), Links::Allowed, context);
    Caption { content, label, aggregates }
}

/// An image that is alone in its paragraph but for attributes; else leaves the items as they are.
fn figure(items: &mut VecDeque<Item>, context: &mut Context<'_>) -> Option<Block> {
    let Some(Item::Image { range, .. }) = items.front() else { return None };
    let range = range.clone();
    let end = items.back().map_or(range.end, |item| item.range().end);
    let found = following(range.end, end, context.text);
    let after = found.as_ref().map_or(range.end, |found| found.range.end);
    if !context.text[after..end].trim().is_empty() {
        return None;
    }
    let Some(Item::Image { target, content, .. }) = items.pop_front() else { return None };
    let (label, settings) = match &found {
        Some(found) => check(found, Labelled::Figure, &["alt"], context),
        None => (None, Vec::new()),
    };
    let alt = setting(&settings, "alt").map(|alt| alt.value.clone());
    let span = context.span(range.start..after);
    Some(Block::Figure { target, caption: content, label, alt, span })
}

/// Displayed formulas become blocks, what stands between them paragraphs.
fn split(mut items: VecDeque<Item>, context: &mut Context<'_>) -> Vec<Block> {
    let end = items.back().map_or(0, |item| item.range().end);
    let mut blocks = Vec::new();
    let mut between = VecDeque::new();
    while let Some(item) = items.pop_front() {
        let Item::Display { latex, range } = item else {
            between.push_back(item);
            continue;
        };
        blocks.extend(plain(std::mem::take(&mut between), context));
        let found = following(range.end, end, context.text);
        if let Some(found) = &found {
            skip(&mut items, found.range.end);
        }
        blocks.push(Block::Equation(equation(latex, range, found.as_ref(), context)));
    }
    blocks.extend(plain(between, context));
    blocks
}

fn equation(
    latex: String,
    range: Range<usize>,
    found: Option<&Attributes>,
    context: &mut Context<'_>,
) -> Equation {
    let (label, settings) = match found {
        Some(found) => check(found, Labelled::Equation, &["claim", "relation"], context),
        None => (None, Vec::new()),
    };
    if latex.trim().is_empty() {
        let span = context.first_line(range.clone());
        let found = Diagnostic::error("empty-math", "this formula is empty", span);
        context.diagnostics.push(found.hint("write LaTeX between the dollars, or remove them"));
    }
    let relation = setting(&settings, "relation");
    let claim = setting(&settings, "claim").map(|claim| ClaimSite {
        name: claim.value.trim().to_owned(),
        text: latex.clone(),
        relation: relation.map(|found| found.value.trim().to_owned()).unwrap_or_default(),
        span: context.span(claim.range.clone()),
    });
    if claim.is_none()
        && let Some(relation) = relation
    {
        let span = context.span(relation.range.clone());
        context.diagnostics.push(
            Diagnostic::error("empty-claim", "a relation needs a claim", span)
                .hint("add `claim=\"name\"`"),
        );
    }
    if let Some(claim) = &claim
        && claim.name.is_empty()
    {
        context.diagnostics.push(
            Diagnostic::error("empty-claim", "this claim names no check", claim.span.clone())
                .hint("write it as `claim=\"name\"`"),
        );
    }
    Equation { latex, label, claim, span: context.math_span(range, 2) }
}

/// A paragraph without formulas of its own, if anything is in it.
fn plain(mut items: VecDeque<Item>, context: &mut Context<'_>) -> Option<Block> {
    trim(&mut items, context.text);
    for (index, item) in items.iter().enumerate() {
        let Item::Text(Piece { range, shown: None, is_escaped: false }) = item else { continue };
        let text = &context.text[range.clone()];
        let before = index.checked_sub(1).and_then(|before| items.get(before));
        let may_belong =
            matches!(before, None | Some(Item::Image { .. } | Item::Node(Inline::Math { .. }, _)));
        if may_belong && text.trim_start().starts_with("{#") {
            let start = range.start + (text.len() - text.trim_start().len());
            let span = context.first_line(start..range.end);
            context.diagnostics.push(
                Diagnostic::error("misplaced-attributes", "this label is on nothing", span).hint(
                    "put it directly behind a formula in `$$`, or behind a picture that is a \
                     paragraph of its own",
                ),
            );
        }
    }
    let content = inline::finish(items.into(), Links::Allowed, context);
    (!content.is_empty()).then_some(Block::Paragraph(content))
}

/// Attributes in the same line after `from`, or at the beginning of the next.
fn following(from: usize, end: usize, text: &str) -> Option<Attributes> {
    let rest = text.get(from..end)?;
    let same_line = rest.trim_start_matches([' ', '\t']);
    let start = if same_line.starts_with('{') && !same_line.starts_with("{{") {
        same_line
    } else {
        let line = same_line.strip_prefix("\r\n").or_else(|| same_line.strip_prefix('\n'))?;
        let line = line.trim_start_matches([' ', '\t', '>']);
        Some(line).filter(|line| line.starts_with("{#"))?
    };
    let found = attributes::parse(rest, rest.len() - start.len())?;
    Some(shifted(found, from))
}

/// Takes the attributes off the end.
fn trailing(items: &mut VecDeque<Item>, context: &mut Context<'_>) -> Option<Attributes> {
    let range = items.front()?.range().start..items.back()?.range().end;
    let start = range.start + attributes::trailing(&context.text[range])?;
    let found = attributes::parse(context.text, start)?;
    let holder = items.partition_point(|item| item.range().end <= start);
    let is_text = match items.get(holder)? {
        Item::Text(piece) => {
            piece.shown.is_none() && !(piece.is_escaped && piece.range.start == start)
        }
        item => item.range().start == start,
    };
    if !is_text {
        return None;
    }
    items.truncate(holder + 1);
    if let Some(Item::Text(piece)) = items.back_mut() {
        piece.range.end = start;
    }
    Some(found)
}

/// Checks a block of attributes; gives its label and its known settings.
fn check<'f>(
    found: &'f Attributes,
    on: Labelled,
    known: &[&str],
    context: &mut Context<'_>,
) -> (Option<String>, Vec<&'f Setting>) {
    for word in &found.unknown {
        let span = context.span(word.clone());
        let message = format!("`{}` is not understood here", span.text());
        context.diagnostics.push(
            Diagnostic::error("bad-attributes", message, span)
                .hint("attributes are written as `{#label key=\"value\"}`"),
        );
    }
    let (settings, unknown): (Vec<&Setting>, Vec<&Setting>) =
        found.settings.iter().partition(|setting| known.contains(&setting.key.as_str()));
    for setting in unknown {
        let span = context.span(setting.range.clone());
        let message = format!("there is no attribute `{}` here", setting.key);
        context.diagnostics.push(
            Diagnostic::error("unknown-attribute", message, span)
                .did_you_mean(&setting.key, known.iter().copied()),
        );
    }
    let label = found.label.as_ref().and_then(|label| {
        let text = &context.text[label.clone()];
        let span = context.span(label.start - 1..label.end);
        labels::check(text, span, on, context.diagnostics)
    });
    (label, settings)
}

fn setting<'f>(settings: &[&'f Setting], key: &str) -> Option<&'f Setting> {
    settings.iter().copied().find(|setting| setting.key == key)
}

fn shifted(found: Attributes, by: usize) -> Attributes {
    let shift = |range: Range<usize>| range.start + by..range.end + by;
    Attributes {
        range: shift(found.range),
        label: found.label.map(shift),
        settings: found
            .settings
            .into_iter()
            .map(|setting| Setting { range: shift(setting.range), ..setting })
            .collect(),
        unknown: found.unknown.into_iter().map(shift).collect(),
    }
}

/// Drops what stands before `end`.
fn skip(items: &mut VecDeque<Item>, end: usize) {
    while items.front().is_some_and(|item| item.range().start < end) {
        let Some(item) = items.pop_front() else { return };
        if let Item::Text(Piece { range, shown: None, .. }) = item
            && range.end > end
        {
            let range = end..range.end;
            items.push_front(Item::Text(Piece { range, shown: None, is_escaped: false }));
            return;
        }
    }
}

/// Drops white space at both ends.
fn trim(items: &mut VecDeque<Item>, text: &str) {
    let is_space = |item: &Item| match item {
        Item::SoftBreak(_) => true,
        Item::Text(piece) => piece.shown.is_none() && text[piece.range.clone()].trim().is_empty(),
        _ => false,
    };
    while items.front().is_some_and(is_space) {
        items.pop_front();
    }
    while items.back().is_some_and(is_space) {
        items.pop_back();
    }
    if let Some(Item::Text(piece @ Piece { shown: None, .. })) = items.front_mut() {
        let part = &text[piece.range.clone()];
        piece.range.start += part.len() - part.trim_start().len();
    }
    if let Some(Item::Text(piece @ Piece { shown: None, .. })) = items.back_mut() {
        piece.range.end = piece.range.start + text[piece.range.clone()].trim_end().len();
    }
}

fn begins_with(items: &VecDeque<Item>, text: &str, start: &str) -> bool {
    match items.front() {
        Some(Item::Text(piece)) => {
            !piece.is_escaped && text[piece.range.start..].starts_with(start)
        }
        _ => false,
    }
}
