//! What stands around a number and makes another one of it, as in `5½`, "half of 5" or "5 (hundred)".
//!
//! In: the words of a claim and those beside its link, as a page shows them, and the number that was read. Out:
//! what makes another number of it. Left out: units and signs that stand apart, and what words farther away
//! make of it.

use std::ops::Range;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::Printed;
use super::scanner::{FACTORIAL, Scanner, Spelled, normalise};
use crate::words::Words;
use crate::words::scaled::{self, Reach};
use crate::words::spelled::{self, Kind};

/// Letters of which a number before them becomes another, as in `225k`.
const MAGNITUDES: [&str; 12] =
    ["k", "K", "M", "B", "mn", "bn", "tn", "Md", "Mds", "Mio", "Mrd", "Tsd"];

/// Letters that may touch digits, since they make no other number of them.
const UNITS: [&str; 41] = [
    "x", "s", "ms", "µs", "μs", "ns", "min", "h", "d", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB",
    "TiB", "Hz", "kHz", "MHz", "GHz", "px", "pt", "dB", "D", "th", "st", "nd", "rd", "nm", "mm",
    "cm", "km", "kg", "g", "W", "V", "e", "ᵉ", "er", "º",
];

/// Digits of scripts without spaces that scale what stands before them.
const SPACELESS_SCALES: &str = "十百千万萬亿億兆割分";

/// What a page shows around a claim, of the same paragraph, cell or caption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    /// In front of the link.
    pub before: String,
    /// The text of the link, with values and references.
    pub inside: String,
    /// Behind the link.
    pub after: String,
}

/// Why a number is not the one that a reader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What makes another number of it.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

const LINK_IT: &str = "put all of it into the link, or a space between them";
const SAY_IT: &str = "print the number that is meant, in digits, or say it in other words";

impl Beside {
    /// How far from a link words are read.
    const NEAR: usize = 160;

    /// What stands around a range of a text.
    pub fn of(text: &str, range: Range<usize>) -> Self {
        let before = &text[..range.start];
        let after = &text[range.end..];
        let start = before.char_indices().rev().nth(Self::NEAR).map_or(0, |(at, _)| at);
        let end = after.char_indices().nth(Self::NEAR).map_or(after.len(), |(at, _)| at);
        Self {
            before: before[start..].to_owned(),
            inside: text[range].to_owned(),
            after: after[..end].to_owned(),
        }
    }

    /// What stands in front of the number that was read in the link, in it and before it.
    pub fn in_front(&self, printed: &Printed, language: Option<Words>) -> String {
        let own = self.own(printed, language).map_or(0, |own| own.start);
        let inside: String = normalise(&self.inside).chars().take(own).collect();
        normalise(&self.before) + &inside
    }

    /// Where the number stands in the link.
    fn own(&self, printed: &Printed, language: Option<Words>) -> Option<Range<usize>> {
        let found = Scanner::said(&self.inside, language).scan().into_iter();
        let mut own = found.filter(|(_, it)| it.as_ref() == Ok(printed)).map(|(range, _)| range);
        own.next()
    }

    /// What makes another number of the one that was read in the link.
    pub fn trouble(&self, printed: &Printed, language: Option<Words>) -> Option<Trouble> {
        let before = normalise(&self.before);
        let inside = normalise(&self.inside);
        let start = before.chars().count();
        let link = start..start + inside.chars().count();
        let scanner = Scanner::of(&(before + &inside + &normalise(&self.after)), language);
        let own = self.own(printed, language);
        let own = own.map_or(link.clone(), |own| start + own.start..start + own.end);
        Around { scanner, link, own, printed, language }.trouble()
    }
}

/// A number among words, in the characters of a scanner.
struct Around<'a> {
    scanner: Scanner,
    link: Range<usize>,
    /// Where the number stands.
    own: Range<usize>,
    printed: &'a Printed,
    language: Option<Words>,
}

impl Around<'_> {
    fn trouble(&self) -> Option<Trouble> {
        self.longer()
            .or_else(|| {
                let touching = self.touches_behind().or_else(|| self.touches_in_front())?;
                Some(self.one_number(&touching))
            })
            .or_else(|| self.unread())
            .or_else(|| self.scaled())
    }

    fn one_number(&self, beside: &str) -> Trouble {
        let message = format!(
            "a reader sees `{beside}` and `{}` as one number, but only the latter is claimed",
            self.printed.text
        );
        Trouble { message, hint: LINK_IT }
    }

    /// A longer number of which this is a part.
    fn longer(&self) -> Option<Trouble> {
        let own = &self.own;
        let overlaps = |range: &Range<usize>| range.start < own.end && own.start < range.end;
        let is_longer = |range: &Range<usize>| range.start < own.start || own.end < range.end;
        let is_ordinal =
            |it: &&Spelled| it.kind == Kind::Ordinal && overlaps(&it.range) && is_longer(&it.range);
        let found = || self.scanner.scan().into_iter().find(|(range, _)| overlaps(range));
        let whole = match self.scanner.spelled.iter().find(is_ordinal) {
            Some(ordinal) => self.scanner.text(ordinal.range.clone()),
            None => match found()? {
                (range, Ok(whole)) if range != *own && whole.value != self.printed.value => {
                    whole.text
                }
                (_, Ok(_)) => return None,
                (_, Err(message)) => return Some(Trouble { message, hint: LINK_IT }),
            },
        };
        let message = format!(
            "a reader sees “{whole}” as one number, but only `{}` is claimed",
            self.printed.text
        );
        Some(Trouble { message, hint: LINK_IT })
    }

    /// What touches the end of the number.
    fn touches_behind(&self) -> Option<String> {
        let end = self.own.end;
        let first = self.scanner.get(end)?;
        let next = self.scanner.get(end + 1);
        let is_digit = next.is_some_and(char::is_numeric);
        let letters_end = |from| self.scanner.skip(from, char::is_alphabetic);
        let letters = |from| self.scanner.text(from..letters_end(from));
        let goes_on = |at| self.scanner.get(at).is_some_and(|c| c.is_alphanumeric() || c == '-');
        let magnitude = |from| {
            let found = letters(from);
            (MAGNITUDES.contains(&found.as_str()) && !goes_on(letters_end(from))).then_some(found)
        };
        let is_bad = match first {
            '%' | '‰' | '‱' | '^' | FACTORIAL => true,
            '!' => {
                // A sentence ends, or an expression goes on.
                let rest = self.scanner.skip(end + 1, |c| c.is_whitespace() || is_closing(c));
                let is_sentence = self.scanner.get(rest).is_none_or(char::is_uppercase);
                end < self.link.end || !is_sentence
            }
            '+' => !goes_on(end + 1),
            '_' => goes_on(end + 1),
            '.' | ',' | ':' | '\'' | '’' if is_digit => true,
            '/' => is_digit || self.scanner.spelled.iter().any(|it| it.range.start == end + 1),
            '-' => return magnitude(end + 1),
            c if c.is_whitespace() => {
                return magnitude(self.scanner.skip(end, char::is_whitespace));
            }
            c if is_spaceless(c) => SPACELESS_SCALES.contains(c),
            c if c.is_alphabetic() => {
                let letters = letters(end);
                let is_unit = UNITS.contains(&letters.as_str());
                let is_known = is_unit && !goes_on(letters_end(end)) && self.is_in_digits();
                return (!is_known).then_some(letters);
            }
            c => c.is_numeric(),
        };
        is_bad.then(|| [Some(first), next.filter(|_| is_digit)].into_iter().flatten().collect())
    }

    /// What touches the beginning of the number.
    fn touches_in_front(&self) -> Option<String> {
        let start = self.own.start;
        let last = self.scanner.before(start)?;
        let earlier = start.checked_sub(2).and_then(|at| self.scanner.get(at));
        let is_bad = match last {
            '^' | '_' | '√' | '∛' | '∜' => true,
            '.' | ',' | ':' | '\'' | '’' => earlier.is_some_and(char::is_numeric),
            '/' => {
                let ends = |it: &Spelled| it.range.end + 1 == start;
                earlier.is_some_and(char::is_numeric) || self.scanner.spelled.iter().any(ends)
            }
            c if is_spaceless(c) => SPACELESS_SCALES.contains(c),
            c => c.is_alphanumeric(),
        };
        is_bad.then(|| last.to_string())
    }

    fn is_in_digits(&self) -> bool {
        self.printed.text.ends_with(|c: char| c.is_ascii_digit())
    }

    /// A number in words beside the number, of which no one is made.
    fn unread(&self) -> Option<Trouble> {
        let language = self.language?;
        let is_word = !self.printed.text.contains(|c: char| c.is_ascii_digit());
        let is_tens = is_word
            && self.printed.value.is_integer()
            && (2..10).any(|tens| self.printed.value == BigRational::from(BigInt::from(tens * 10)));
        // "two three-layer networks"
        let is_compound = self.scanner.get(self.own.end) == Some('-');
        let beside = self.scanner.spelled.iter().find(|it| {
            let is_behind = it.range.start >= self.own.end;
            let gap = match is_behind {
                true => self.own.end..it.range.start,
                false if it.range.end <= self.own.start && !is_compound => {
                    it.range.end..self.own.start
                }
                false => return false,
            };
            let gap = self.scanner.text(gap);
            let last = if is_behind { it.range.clone() } else { self.own.clone() };
            let is_scale = spelled::begins_with_scale(&self.scanner.text(last), language);
            let is_blank = |c: char| c.is_whitespace();
            let is_hyphen = |c: char| c.is_whitespace() || c == '-';
            let is_bracket = |c: char| is_hyphen(c) || matches!(c, '(' | ')' | '[' | ']');
            let joins = spelled::is_and(gap.trim(), language);
            match it.kind {
                _ if gap.is_empty() => false,
                Kind::Ordinal => false,
                Kind::One => is_behind && is_tens && (gap.chars().all(is_hyphen) || joins),
                _ if is_scale && gap.chars().all(is_bracket) => true,
                _ if is_behind && is_tens && joins => it.is_digit(),
                _ => is_word && gap.chars().all(is_hyphen) && (gap.chars().any(is_blank)),
            }
        })?;
        let words = self.scanner.text(beside.range.clone());
        let message =
            format!("“{words}” beside `{}` makes another number of it", self.printed.text);
        Some(Trouble { message, hint: SAY_IT })
    }

    /// Words that scale the number.
    fn scaled(&self) -> Option<Trouble> {
        let language = self.language?;
        let (link, own) = (&self.link, &self.own);
        let inside = self.scanner.text(link.start.min(own.start)..own.start);
        let before = self.scanner.text(0..own.start);
        let after = self.scanner.text(own.end..self.scanner.chars.len());
        let words = scaled::in_front(&inside, language, Reach::Sentence)
            .or_else(|| scaled::in_front(&before, language, Reach::Touching))
            .or_else(|| scaled::behind(&after, language))?;
        let message = format!("“{words}” makes another number of `{}`", self.printed.text);
        Some(Trouble { message, hint: SAY_IT })
    }
}

/// Whether a letter belongs to a script whose words nothing parts.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{2e80}'..='\u{d7ff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphabetic()
}

fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '"' | '”' | '“' | '’' | '»' | '!' | '?' | '.' | '…')
}
