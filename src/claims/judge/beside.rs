//! What stands at a claim's link without a space, so that a reader takes it for a part of the number.
//!
//! In: the place of a link and the number in it. Out: a sign or a digit that touches it. Left out: units and
//! signs that stand apart.

use crate::claims::number::{Printed, is_dash};
use crate::span::Span;

/// Marks of Markdown that no reader sees; a formula that touches the link begins or ends with the last.
const UNSEEN: [char; 4] = ['*', '_', '~', '$'];

/// The characters beside a link that a reader takes for a part of the number in it.
pub(super) fn joined(link: &Span, printed: &Printed, text: &str) -> Option<String> {
    let source = link.source.text();
    let (before, after) = (&source[..link.range.start], &source[link.range.end..]);
    let text = text.trim_matches('$');
    text.starts_with(&printed.text)
        .then(|| in_front(before.trim_end_matches(UNSEEN), before.ends_with('$')))
        .flatten()
        .or_else(|| {
            text.ends_with(&printed.text).then(|| behind(after.trim_start_matches(UNSEEN)))?
        })
}

fn in_front(before: &str, in_formula: bool) -> Option<String> {
    let mut chars = before.chars().rev();
    let (last, earlier) = (chars.next()?, chars.next());
    let is_sign = is_dash(last)
        && !earlier.is_some_and(|c| {
            let ends = c == '$' && !in_formula || matches!(c, ')' | ']' | '}' | '%');
            ends || c.is_alphanumeric() || is_dash(c)
        });
    let is_digits =
        last.is_numeric() || matches!(last, '.' | ',') && earlier.is_some_and(char::is_numeric);
    (is_sign || is_digits || matches!(last, '√' | '^')).then(|| last.to_string())
}

fn behind(after: &str) -> Option<String> {
    let mut chars = after.chars();
    let (first, next) = (chars.next()?, chars.next());
    let is_decimal = matches!(first, '.' | ',') && next.is_some_and(char::is_numeric);
    let is_factorial = first == '!' && next == Some('$');
    match first.is_numeric() || is_factorial || matches!(first, '‰' | '‱' | '^') {
        true => Some(first.to_string()),
        false => is_decimal.then(|| after.chars().take(2).collect()),
    }
}
