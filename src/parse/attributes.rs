//! Attribute blocks such as `{#fig-x alt="words"}`.
//!
//! In: raw text. Out: label and settings with their places, or what is wrong. Left out: what
//! the settings mean.

use std::ops::Range;

/// A parsed attribute block; all ranges are in the text it was parsed from.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Attributes {
    /// From `{` to after `}`.
    pub range: Range<usize>,
    /// Where the label stands, without `#`.
    pub label: Option<Range<usize>>,
    /// Settings in order.
    pub settings: Vec<Setting>,
    /// Words that are neither.
    pub unknown: Vec<Range<usize>>,
}

/// `key="value"`
#[derive(Debug, PartialEq)]
pub(super) struct Setting {
    pub key: String,
    pub value: String,
    /// All of it.
    pub range: Range<usize>,
}

/// Longest block. Without a limit, many blocks in one line that are not closed take quadratic time.
const LONGEST: usize = 2000;

/// Parses the block that begins at `start`, which ends in the same line; `None` if it does not.
pub(super) fn parse(text: &str, start: usize) -> Option<Attributes> {
    let text = &text[..text.floor_char_boundary(start.saturating_add(LONGEST))];
    let bytes = text.as_bytes();
    if bytes.get(start) != Some(&b'{') {
        return None;
    }
    let mut found = Attributes { range: start..start, ..Attributes::default() };
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'}' => {
                found.range.end = at + 1;
                return Some(found);
            }
            b' ' | b'\t' => at += 1,
            b'\n' | b'\r' => return None,
            _ => at = word(text, at, &mut found)?,
        }
    }
}

/// The beginning of an attribute block that ends `text`, if there is one.
pub(super) fn trailing(text: &str) -> Option<usize> {
    let text = text.trim_end();
    let inner = text.strip_suffix('}')?;
    let start = inner.rfind('{')?;
    let content = inner[start + 1..].trim_start();
    let is_block = (content.starts_with(['#', '.']) || content.contains('='))
        && !inner[..start].ends_with(['{', '\\', '$']);
    is_block.then_some(start)
}

/// Reads one word; gives the offset after it.
fn word(text: &str, start: usize, found: &mut Attributes) -> Option<usize> {
    let rest = &text[start..];
    let length = rest.find([' ', '\t', '\n', '\r', '}', '=']).unwrap_or(rest.len());
    let end = start + length;
    if text.as_bytes().get(end) == Some(&b'=') && length > 0 && !rest.starts_with(['#', '.']) {
        let (value, after) = value(text, end + 1)?;
        let key = rest[..length].to_owned();
        found.settings.push(Setting { key, value, range: start..after });
        return Some(after);
    }
    let end = end.max(start + usize::from(length == 0));
    if rest.starts_with('#') && found.label.is_none() {
        found.label = Some(start + 1..end);
    } else {
        found.unknown.push(start..end);
    }
    Some(end)
}

fn value(text: &str, start: usize) -> Option<(String, usize)> {
    let rest = &text[start..];
    let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let length = rest.find([' ', '\t', '\n', '\r', '}']).unwrap_or(rest.len());
        return Some((rest[..length].to_owned(), start + length));
    };
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((value, start + at + 1)),
            '\n' => return None,
            '\\' => match chars.next_if(|(_, next)| *next == quote || *next == '\\') {
                Some((_, next)) => value.push(next),
                None => value.push('\\'),
            },
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_settings_and_unknown_words_are_told_apart() {
        let text = r#"x {#eq-m claim="a \"b\"" width=3 odd .wide} y"#;
        let found = parse(text, 2).expect("is closed");
        assert_eq!(&text[found.range.clone()], r#"{#eq-m claim="a \"b\"" width=3 odd .wide}"#);
        assert_eq!(&text[found.label.clone().expect("is given")], "eq-m");
        let settings: Vec<_> =
            found.settings.iter().map(|s| (s.key.as_str(), s.value.as_str())).collect();
        assert_eq!(settings, [("claim", "a \"b\""), ("width", "3")]);
        let unknown: Vec<_> = found.unknown.iter().map(|range| &text[range.clone()]).collect();
        assert_eq!(unknown, ["odd", ".wide"]);
    }

    #[test]
    fn a_block_that_is_not_closed_in_its_line_is_none() {
        for text in ["{#a", "{#a\n}", "{a=\"b}", "{a=\"b\n\"}", "{", ""] {
            assert_eq!(parse(text, 0), None, "{text:?}");
        }
    }

    #[test]
    fn only_what_looks_like_attributes_ends_a_heading() {
        assert_eq!(trailing("Title {#sec-x}"), Some(6));
        assert_eq!(trailing("Title {#sec-x}  "), Some(6));
        for text in ["The set {0, 1}", "A value {{ a == b }}", "no", "\\{#sec-x}", "}"] {
            assert_eq!(trailing(text), None, "{text}");
        }
    }
}
