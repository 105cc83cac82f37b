//! What stands at a claim's link without a space, so that a reader takes it for a part of the number, and words
//! that scale it.
//!
//! In: the place of a link and the number in it. Out: a sign or a digit that touches it, or words such
//! as “million” and “twice”. Left out: units and signs that stand apart, and what words farther away make of it.

use super::Site;
use crate::claims::number::{self, Printed, is_dash};
use crate::words::scaled::{self, Reach};

/// Marks of Markdown that no reader sees; a formula that touches the link begins or ends with the last.
const UNSEEN: [char; 4] = ['*', '_', '~', '$'];

/// The characters beside a link that a reader takes for a part of the number in it.
pub(super) fn joined(site: &Site, printed: &Printed, text: &str) -> Option<String> {
    let link = &site.claim.span;
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

/// Whether the word before the link denies what is in it.
pub(super) fn denied(site: &Site, printed: &Printed, text: &str) -> bool {
    let link = &site.claim.span;
    let before = link.source.text()[..link.range.start].trim_end_matches(UNSEEN).trim_end();
    let mut words = before.rsplit(|c: char| !c.is_alphanumeric());
    let is_not = words.next().is_some_and(|word| word.eq_ignore_ascii_case("not"));
    // "whether or not"
    let is_either = words.next().is_some_and(|word| word.eq_ignore_ascii_case("or"));
    text.trim_matches('$').starts_with(&printed.text) && is_not && !is_either
}

/// How words beside the link, such as “million”, make another number of the one in it.
pub(super) fn scaling(site: &Site, printed: &Printed, text: &str) -> Option<String> {
    let (link, language) = (&site.claim.span, site.language?);
    let source = link.source.text();
    let before = source[..link.range.start].trim_end_matches(UNSEEN);
    let before = before.rsplit(ENDS).next().unwrap_or_default();
    let before = before.rsplit("\n\n").next().unwrap_or_default();
    let after = source[link.range.end..].trim_start_matches(UNSEEN);
    let after = after.split(ENDS).next().unwrap_or_default();
    let after = after.split("\n\n").next().unwrap_or_default();
    let text = text.trim_matches('$').trim();
    let (is_first, is_last) = (text.starts_with(&printed.text), text.ends_with(&printed.text));
    let before = if is_first { before } else { "" };
    let after = if is_last { after } else { "" };
    if let Some(whole) = number::going_on(before, text, after, language) {
        let own = &printed.text;
        return Some(format!("a reader sees “{whole}” as one number, but only `{own}` is claimed"));
    }
    let words = scaled::in_front(before, language, Reach::Touching)
        .or_else(|| scaled::behind(after, language))?;
    Some(format!("“{words}” beside the link makes another number of `{}`", printed.text))
}

/// What ends words that a reader reads together.
const ENDS: [char; 9] = ['[', ']', '(', ')', '`', '|', '{', '}', '$'];

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
    let letters = after.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    if number::MAGNITUDES.contains(&letters) {
        return Some(letters.to_owned());
    }
    match first.is_numeric() || is_factorial || matches!(first, '‰' | '‱' | '^') {
        true => Some(first.to_string()),
        false => is_decimal.then(|| after.chars().take(2).collect()),
    }
}
