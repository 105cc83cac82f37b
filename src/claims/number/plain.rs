//! Texts in the characters in which numbers are looked for.
//!
//! In: a text as a page shows it, formulas as LaTeX. Out: the same with plain characters for LaTeX and superscripts,
//! without what no reader sees. Left out: what it means.

use crate::words::spelled::is_hyphen;

/// A factorial in a formula, which is no exclamation mark.
pub(crate) const FACTORIAL: char = '﹗';

/// Stands behind a reference, whose number is none of those around it. No page shows it.
pub(crate) const REFERENCE: char = '\u{e000}';

/// Stands in front of a claim with a formula before it that is a factor of it. No page shows it.
pub(crate) const FACTOR: char = '\u{e001}';

/// A stroke between two claims, each of which is compared. No page shows it.
pub(crate) const OVER: char = '\u{e002}';

/// Stands behind what is struck out and behind each claim in it, drawn through the character before it.
pub(crate) const STROKE: char = '\u{336}';

/// Writes LaTeX and superscripts as plain characters.
pub(super) fn normalise(text: &str) -> String {
    let mut plain = seen(text);
    if !plain.contains(['\\', '{', '$', '^']) && plain.chars().all(|c| superscript(c).is_none()) {
        return plain;
    }
    for (from, to) in [
        ("\\times", "×"),
        ("\\cdot", "×"),
        ("{,}", ","),
        ("\\,", "\u{2009}"),
        ("\\%", "%"),
        ("\\dfrac", "\\frac"),
        ("\\tfrac", "\\frac"),
        ("$", ""),
    ] {
        plain = plain.replace(from, to);
    }
    while let Some(rewritten) = fraction(&plain) {
        plain = rewritten;
    }
    let mut out = String::with_capacity(plain.len());
    let mut raised = false;
    let mut braces = 0_usize;
    for c in plain.chars() {
        if let Some(digit) = superscript(c) {
            if !raised {
                out.push('^');
            }
            raised = true;
            out.push(digit);
            continue;
        }
        raised = false;
        match c {
            '{' if out.ends_with('^') => braces += 1,
            '}' if braces > 0 => braces -= 1,
            _ => out.push(c),
        }
    }
    out
}

/// A text without the characters and tags that no reader sees, with one character for each hyphen and stroke.
fn seen(text: &str) -> String {
    let is_unseen = |c: char| {
        matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0000}'..='\u{e0fff}')
    };
    if text.is_ascii() && !text.contains('<') {
        return text.to_owned();
    }
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let tag = rest[c.len_utf8()..].trim_start_matches('/');
        let end = tag.find(['<', '>']).filter(|&end| {
            c == '<'
                && tag.starts_with(|c: char| c.is_ascii_alphabetic())
                && tag[end..].starts_with('>')
        });
        rest = match end {
            Some(end) => &tag[end + 1..],
            None => &rest[c.len_utf8()..],
        };
        if end.is_none() && !is_unseen(c) {
            seen.push(match c {
                c if is_hyphen(c) => '-',
                '⁄' | '∕' => '/',
                c => c,
            });
        }
    }
    seen
}

/// The first `\frac{a}{b}` or `\frac12` written as `a/b`, apart from digits beside it.
fn fraction(text: &str) -> Option<String> {
    const FRACTION: &str = "\\frac";
    fn argument(rest: &str) -> Option<(&str, &str)> {
        let rest = rest.trim_start();
        match rest.chars().next().filter(char::is_ascii_digit) {
            Some(_) => Some(rest.split_at(1)),
            None => rest.strip_prefix('{')?.split_once('}'),
        }
    }
    text.match_indices(FRACTION).find_map(|(start, _)| {
        let (numerator, rest) = argument(&text[start + FRACTION.len()..])?;
        let (denominator, rest) = argument(rest)?;
        let gap = |is_digit: bool| if is_digit { " " } else { "" };
        let before = &text[..start];
        let [front, behind] = [
            gap(before.ends_with(|c: char| c.is_ascii_digit())),
            gap(rest.starts_with(|c: char| c.is_ascii_digit())),
        ];
        Some(format!("{before}{front}{numerator}/{denominator}{behind}{rest}"))
    })
}

fn superscript(c: char) -> Option<char> {
    Some(match c {
        '⁻' => '-',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁰' => '0',
        '⁴'..='⁹' => char::from_digit(u32::from(c) - u32::from('⁴') + 4, 10)?,
        _ => return None,
    })
}
