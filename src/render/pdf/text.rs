//! Author's text as Typst string literals that the fonts can show.
//!
//! In: any text. Out: quoted literals in which nothing is code, without control characters and
//! characters that no font has, and with places where a long word may break.

use std::collections::{BTreeSet, HashMap};

/// Place where a word may break without a hyphen.
const BREAK: char = '\u{200b}';

/// Characters between two places where a word that is too long may break.
const STEP: usize = 8;

/// Variation selectors, which ask for a glyph that no font at hand has.
const VARIATIONS_START: char = '\u{fe00}';
const VARIATIONS_END: char = '\u{fe0f}';

/// Turns text into literals and remembers the characters that have no glyph.
#[derive(Default)]
pub(super) struct Text {
    known: HashMap<char, bool>,
    unprintable: BTreeSet<char>,
}

/// What the whitespace of a text means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// Between words: a line's end is a space.
    Running,
    /// Kept as it is.
    Verbatim,
}

impl Text {
    /// A Typst string literal for a text that is shown.
    pub(super) fn shown(&mut self, text: &str, space: Space) -> String {
        let text = self.printable(text, space);
        quoted(&breakable(&text, space))
    }

    /// A Typst string literal for a text that is read out or becomes metadata.
    pub(super) fn spoken(&mut self, text: &str) -> String {
        quoted(&self.printable(text, Space::Running))
    }

    /// A text with code points in place of what no font can show.
    pub(super) fn printable(&mut self, text: &str, space: Space) -> String {
        let mut printable = String::with_capacity(text.len());
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '\r' if rest.peek() == Some(&'\n') => {}
                '\n' | '\r' if space == Space::Verbatim => printable.push('\n'),
                '\t' if space == Space::Verbatim => printable.push('\t'),
                '\n' | '\r' | '\t' => printable.push(' '),
                ' '..='~' => printable.push(character),
                VARIATIONS_START..=VARIATIONS_END => {}
                _ if is_mark(character) && !super::world::combines(&printable, character) => {
                    self.unprintable.insert(character);
                    printable.push_str(&stand_in(character));
                }
                _ if self.is_printable(character) => printable.push(character),
                _ => {
                    self.unprintable.insert(character);
                    printable.push_str(&stand_in(character));
                }
            }
        }
        printable
    }

    /// Characters met so far that no font can show.
    pub(super) fn into_unprintable(self) -> BTreeSet<char> {
        self.unprintable
    }

    fn is_printable(&mut self, character: char) -> bool {
        *self.known.entry(character).or_insert_with(|| {
            !character.is_control()
                && !reorders(character)
                && (character.is_whitespace()
                    || typst::text::is_default_ignorable(character)
                    || super::world::has_glyph(character))
        })
    }
}

/// Whether a character changes the order in which others are read, or has no meaning in text.
fn reorders(character: char) -> bool {
    matches!(
        character,
        '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{2028}'..='\u{2029}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{f0000}'..
    )
}

/// Whether a character is drawn onto the one before it.
fn is_mark(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{489}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}

/// What is shown for a character without a glyph.
pub(super) fn stand_in(character: char) -> String {
    format!("[U+{:04X}]", u32::from(character))
}

/// A Typst string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ => literal.push(character),
        }
    }
    literal.push('"');
    literal
}

impl Space {
    /// Longest word that needs no places to break.
    ///
    /// Verbatim text has room for more and must not be cut within its names.
    fn long(self) -> usize {
        match self {
            Self::Running => 24,
            Self::Verbatim => 64,
        }
    }

    /// Longest part of a word, between punctuation marks, that is not broken.
    fn endless(self) -> usize {
        match self {
            Self::Running => 36,
            Self::Verbatim => 64,
        }
    }
}

/// Adds places to break to words that are longer than any real word.
fn breakable(text: &str, space: Space) -> String {
    let mut breakable = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        if word.chars().count() <= space.long() {
            breakable.push_str(word);
            continue;
        }
        for (index, part) in parts(word).into_iter().enumerate() {
            if index > 0 {
                breakable.push(BREAK);
            }
            push_in_steps(&mut breakable, part, space.endless());
        }
    }
    breakable
}

/// The parts of a word, each ending in punctuation marks but for the last.
fn parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut last = 'a';
    for (at, character) in word.char_indices() {
        if !last.is_alphanumeric() && character.is_alphanumeric() && at - start >= STEP {
            parts.push(&word[start..at]);
            start = at;
        }
        last = character;
    }
    parts.push(&word[start..]);
    parts
}

/// Writes a part of a word, with places to break anywhere if it is longer than `endless`.
fn push_in_steps(text: &mut String, part: &str, endless: usize) {
    let is_endless = part.chars().count() > endless;
    let mut run = 0;
    for character in part.chars() {
        let starts = character.is_alphanumeric() || character.is_ascii_graphic();
        if is_endless && run >= STEP && starts {
            text.push(BREAK);
            run = 0;
        }
        text.push(character);
        run += 1;
    }
}

/// The longest part of a text that cannot be broken.
pub(super) fn longest_word(text: &str) -> String {
    breakable(text, Space::Running)
        .split(|c: char| c.is_whitespace() || c == BREAK)
        .max_by_key(|word| word.chars().count())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_never_code() {
        assert_eq!(quoted("#panic(\"x\") \\ $ ] */"), r##""#panic(\"x\") \\ $ ] */""##);
    }

    #[test]
    fn what_no_font_shows_is_named_and_remembered() {
        let mut text = Text::default();
        assert_eq!(text.spoken("a\u{4e2d}\u{1b}\u{202e}b"), "\"a[U+4E2D][U+001B][U+202E]b\"");
        let unprintable: Vec<char> = text.into_unprintable().into_iter().collect();
        assert_eq!(unprintable, ['\u{1b}', '\u{202e}', '\u{4e2d}']);
    }

    #[test]
    fn only_long_words_get_places_to_break() {
        let running = |text: &str| breakable(text, Space::Running).replace(BREAK, "|");
        assert_eq!(
            running("a short line of quite_ordinary_words"),
            "a short line of quite_ordinary_words"
        );
        assert_eq!(running("https://example.org/some/path"), "https://|example.|org/some/|path");
        assert_eq!(running(&"x".repeat(40)), ["xxxxxxxx"; 5].join("|"));
        assert_eq!(breakable(&"x".repeat(40), Space::Verbatim), "x".repeat(40));
        assert_eq!(longest_word("one three five"), "three");
    }
}
