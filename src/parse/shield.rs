//! Hides from the Markdown parser what is not Markdown: inline values and lines of formulas.
//!
//! In: the text of a chapter. Out: a text of the same length in which punctuation with a
//! meaning in Markdown is replaced by control characters, and the way back. So
//! `{{ x | fixed(4) }}` does not split the cell of a table, and a line of a formula that begins
//! with `-` or `=` begins no list and no heading. Inside code nothing changes, because
//! everything is restored. Left out: what a value or a formula means.

use std::borrow::Cow;

/// Characters that are hidden; each becomes the control character at its index in [`COVERS`].
const HIDDEN: &[u8; 21] = b"*_|<>[]()\"'~^&\\!-.+#=";

/// Control characters that stand for hidden ones. White space is not among them.
const COVERS: &[u8; 21] =
    b"\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a";

/// Stands for control characters of the author's, which no output may contain.
const STRAY: u8 = 0x7f;

/// Hides values and lines of formulas.
pub(super) fn cover(text: &str) -> Cow<'_, str> {
    let has_stray = text.bytes().any(is_control);
    if !has_stray && !text.contains("{{") && !text.contains("$$") {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    if has_stray {
        bytes.iter_mut().filter(|byte| is_control(**byte)).for_each(|byte| *byte = STRAY);
    }
    cover_values(&mut bytes);
    cover_formulas(&mut bytes);
    Cow::Owned(String::from_utf8(bytes).expect("one ASCII character was put for another"))
}

/// Undoes [`cover`] for a part of the text; control characters of the author's become U+FFFD.
pub(super) fn restore(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(is_control) {
        return Cow::Borrowed(text);
    }
    let restored = text.chars().map(|c| match u8::try_from(c) {
        Ok(byte) if is_control(byte) => COVERS
            .iter()
            .position(|&cover| cover == byte)
            .map_or('\u{fffd}', |index| char::from(HIDDEN[index])),
        _ => c,
    });
    Cow::Owned(restored.collect())
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t')
}

fn cover_byte(byte: &mut u8) {
    if let Some(index) = HIDDEN.iter().position(|hidden| hidden == byte) {
        *byte = COVERS[index];
    }
}

/// Hides what is between `{{` and `}}` on one line, unless it may belong to code or a formula.
fn cover_values(bytes: &mut [u8]) {
    let mut at = 0;
    while at + 1 < bytes.len() {
        let is_escaped = at > 0 && bytes[at - 1] == b'\\';
        if bytes[at] != b'{' || bytes[at + 1] != b'{' || is_escaped {
            at += 1;
            continue;
        }
        let start = at + 2;
        let stop = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'`' | b'$' | b'{' | b'}');
        let end = bytes[start..].iter().position(stop).map_or(bytes.len(), |length| start + length);
        if bytes[end..].starts_with(b"}}") {
            bytes[start..end].iter_mut().for_each(cover_byte);
        }
        at = end.max(start);
    }
}

/// Hides what could begin a list, quote or heading in each line of a formula between `$$` at the
/// beginning of a line and the next `$$` before an empty line.
fn cover_formulas(bytes: &mut [u8]) {
    let mut beginnings: Vec<usize> = Vec::new();
    let mut is_open = false;
    let mut start = 0;
    while start < bytes.len() {
        let end =
            bytes[start..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| start + n);
        let line = &bytes[start..end];
        let indent = line.iter().position(|byte| !byte.is_ascii_whitespace());
        match indent {
            None => is_open = false,
            Some(indent) => {
                let content = &line[indent..];
                let fences = content.windows(2).filter(|pair| pair == b"$$").count();
                if is_open {
                    let digits = content.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    if content.len() > digits {
                        beginnings.push(start + indent + digits);
                    }
                    if fences > 0 {
                        for at in beginnings.drain(..) {
                            cover_byte(&mut bytes[at]);
                        }
                        is_open = false;
                    }
                } else if content.starts_with(b"$$") && fences == 1 {
                    is_open = true;
                    beginnings.clear();
                }
            }
        }
        start = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered_comes_back() {
        for text in [
            "a {{ x | f(\"*_*\") }} b",
            "$$\na\n= b\n- c \\\\\n1. d\n12\n$$",
            "`{{` and `}}` with **bold**",
            "plain",
        ] {
            assert_eq!(restore(&cover(text)), text);
            assert_eq!(cover(text).len(), text.len());
        }
        assert_eq!(restore(&cover("a\0b\u{1}c\u{7f}")), "a\u{fffd}b\u{fffd}c\u{fffd}");
    }

    #[test]
    fn only_values_and_lines_of_formulas_are_covered() {
        assert!(cover("{{ a | b }}").bytes().all(|byte| byte != b'|'));
        assert_eq!(cover("\\{{ a | b }}"), "\\{{ a | b }}");
        assert_eq!(cover("`{{` | `}}`"), "`{{` | `}}`");
        assert_eq!(cover("$$\n- a\n\n- b"), "$$\n- a\n\n- b");
        assert_eq!(cover("$$ a $$\n- b\n$$ c $$"), "$$ a $$\n- b\n$$ c $$");
    }
}
