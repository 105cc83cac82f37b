//! What stands around a number and makes another one of it, as in `5½`, "half of 5" or "5 (hundred)".
//!
//! In: the words of a claim and those beside its link, as a page shows them, and the number that was read. Out:
//! what makes another number of it. Left out: units and signs that stand apart, and what words farther away
//! make of it.

use std::ops::Range;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::Printed;
use super::plain::{FACTOR, FACTORIAL, OVER, REFERENCE, STROKE};
use super::scanner::{Scanner, Spelled, is_dash, is_grouped};
use crate::words::Words;
use crate::words::scaled::{self, Reach};
use crate::words::spelled::{self, Kind};
use crate::words::wording::{Wording, last_phrase};

/// Letters of which a number before them becomes another, as in `225k`.
const MAGNITUDES: [&str; 12] =
    ["k", "K", "M", "B", "mn", "bn", "tn", "Md", "Mds", "Mio", "Mrd", "Tsd"];

/// Letters that may touch digits, since they make no other number of them.
const UNITS: [&str; 43] = [
    "x", "s", "ms", "µs", "μs", "ns", "min", "h", "d", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB",
    "TiB", "Hz", "kHz", "MHz", "GHz", "px", "pt", "dB", "D", "th", "st", "nd", "rd", "nm", "mm",
    "cm", "km", "kg", "g", "W", "V", "e", "ᵉ", "er", "ème", "º", "ª",
];

/// Digits of scripts without spaces that scale what stands before them.
const SPACELESS_SCALES: &str = "十百千万萬亿億兆割分";

/// What to do about what is seen as one with a number.
const APART: &str = "put all of it into the link, or other words or a comma between them";

/// Why a number is not the one that a reader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What makes another number of it.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

/// Whether a character turns the direction of those behind it, digits included.
pub(super) fn is_turned(text: &str) -> bool {
    text.contains(['\u{202d}', '\u{202e}'])
}

/// A number among words, in the characters of a scanner.
pub(crate) struct Around<'a> {
    pub(super) scanner: Scanner,
    pub(super) link: Range<usize>,
    /// Where the number stands.
    pub(super) own: Range<usize>,
    /// None for a formula.
    pub(super) printed: Option<&'a Printed>,
    pub(super) is_turned: bool,
    pub(super) language: Option<Words>,
}

impl<'a> Around<'a> {
    /// A number with nothing but the text in which a scanner found it.
    pub(super) fn alone(
        text: &str,
        scanner: Scanner,
        own: Range<usize>,
        printed: &'a Printed,
        language: Option<Words>,
    ) -> Self {
        let (link, is_turned) = (0..scanner.chars.len(), is_turned(text));
        Self { scanner, link, own, printed: Some(printed), is_turned, language }
    }

    /// The number; none for a formula.
    pub fn printed(&self) -> Option<&'a Printed> {
        self.printed
    }

    /// What stands in front of the number: before the link, and in it.
    pub fn fronts(&self) -> (String, String) {
        let link = self.link.start.min(self.own.start);
        (self.scanner.text(0..link), self.scanner.text(link..self.own.start))
    }

    /// What stands behind the number, in the link and behind it.
    pub fn behind(&self) -> String {
        self.scanner.text(self.own.end..self.scanner.chars.len())
    }

    /// What makes another number of the one that is compared in a unit.
    pub fn trouble(&self, unit: Option<&str>) -> Option<Trouble> {
        let own = self.scanner.text(self.own.clone());
        if self.is_turned {
            let message = format!("a character turns the direction in which `{own}` is read");
            return Some(Trouble { message, hint: "write it without U+202D and U+202E" });
        }
        let ends = [Some(self.own.end), Some(self.link.end), self.link.end.checked_sub(1)];
        if ends.into_iter().flatten().any(|at| self.scanner.get(at) == Some(STROKE)) {
            let message = format!("`{own}` is struck out");
            return Some(Trouble { message, hint: "claim it without the stroke, or leave it out" });
        }
        if self.scanner.before(self.own.start) == Some(FACTOR) {
            let message = format!("the formula in front makes another number of `{own}`");
            return Some(Trouble { message, hint: APART });
        }
        let whole = match self.printed {
            Some(printed) => self.longer(printed, unit),
            None => self.scanner.minus(self.own.start).map(|sign| sign..self.own.end),
        };
        let whole = whole
            .or_else(|| self.touches_behind(unit))
            .or_else(|| self.touches_in_front())
            .or_else(|| self.in_brackets())
            .or_else(|| self.scaled_behind())
            .or_else(|| self.in_words_beside())
            .or_else(|| self.side_by_side());
        if let Some(whole) = whole {
            let whole = self.scanner.text(whole).replace(REFERENCE, "").replace(OVER, "/");
            let whole = whole.trim_end_matches(['.', ',', ';', ':']);
            let message = format!("a reader sees `{whole}`, but only `{own}` is claimed");
            let behind = self.behind();
            let behind = behind.trim_start().split(|c: char| !c.is_alphabetic()).next();
            let hint = match behind {
                Some(letters) if MAGNITUDES.contains(&letters) => {
                    "write the power of ten out, as in `1.2 million`"
                }
                _ if !self.letters().is_empty() => "part number and unit by a space",
                _ => APART,
            };
            return Some(Trouble { message, hint });
        }
        let is_unit =
            |words: &str| unit.is_some_and(|unit| unit.trim().eq_ignore_ascii_case(words));
        let words = self.scaling().filter(|words| !is_unit(words))?;
        let message = format!("“{words}” makes another number of `{own}`");
        let hint = match self.behind().trim_start().starts_with(words.as_str()) {
            true => "print the number that is meant, in digits, or make this the unit of the value",
            false => "print the number that is meant, in digits, or say it in other words",
        };
        Some(Trouble { message, hint })
    }

    /// The letters that touch the digits, which may be a unit.
    fn letters(&self) -> String {
        let end = self.scanner.skip(self.own.end, |c| c.is_alphabetic() && !is_spaceless(c));
        if self.is_in_digits() { self.scanner.text(self.own.end..end) } else { String::new() }
    }

    /// A longer number of which this is a part.
    fn longer(&self, printed: &Printed, unit: Option<&str>) -> Option<Range<usize>> {
        let own = &self.own;
        let overlaps = |range: &Range<usize>| range.start < own.end && own.start < range.end;
        let is_longer = |range: &Range<usize>| range.start < own.start || own.end < range.end;
        let is_ordinal =
            |it: &&Spelled| it.kind == Kind::Ordinal && overlaps(&it.range) && is_longer(&it.range);
        // "thirty-second clips" last thirty seconds.
        let lasts = |it: &Range<usize>| {
            let text = self.scanner.text(own.end..it.end.max(own.end)).to_lowercase();
            it.start == own.start && matches!(text.as_str(), "-second" | " second")
        };
        let mut ordinals = self.scanner.spelled.iter().filter(is_ordinal);
        if let Some(ordinal) = ordinals.find(|it| !lasts(&it.range)) {
            return Some(ordinal.range.clone());
        }
        if let Some(start) = self.scanner.function(own.start) {
            return Some(start..own.end);
        }
        let mut found = self.scanner.scan().into_iter();
        let (range, found) = found.find(|(range, _)| overlaps(range))?;
        // A per cent sign behind it may be the unit of the value.
        let compared = printed.in_unit(unit).0;
        let is_same =
            found.as_ref().is_ok_and(|whole| range == *own || whole.in_unit(unit).0 == compared);
        // What cannot be read ends at a space.
        let end = range.end.max(self.scanner.skip(own.end, |c| !c.is_whitespace()));
        let end = if found.is_ok() { range.end } else { end };
        // "[5 128]-dimensional", of which only the link says that it is one number.
        let is_within = found.is_ok() && self.is_in_digits() && !is_longer(&range);
        (!is_same && !is_within).then(|| range.start.min(own.start)..end.max(own.end))
    }

    /// The number with what touches its end.
    fn touches_behind(&self, unit: Option<&str>) -> Option<Range<usize>> {
        let end = self.own.end;
        let to = |end| self.own.start..end;
        let first = self.scanner.get(end)?;
        let next = self.scanner.get(end + 1);
        let is_digit = next.is_some_and(char::is_numeric);
        let letters_end = |from| self.scanner.skip(from, char::is_alphabetic);
        let letters = |from| self.scanner.text(from..letters_end(from));
        let goes_on = |at| self.scanner.get(at).is_some_and(|c| c.is_alphanumeric() || c == '-');
        let magnitude = |from| {
            let end = letters_end(from);
            (MAGNITUDES.contains(&letters(from).as_str()) && !goes_on(end)).then(|| to(end))
        };
        let is_bad = match first {
            '%' => unit.is_none_or(|unit| unit.trim() != "%"),
            '‰' | '‱' | '^' | '_' | FACTORIAL => true,
            '!' => end < self.link.end || !self.ends_sentence(end),
            '+' => !goes_on(end + 1),
            '.' | ',' | '\'' | '’' if is_digit => true,
            // `3x3`
            'x' if is_digit => false,
            '/' => is_digit || self.scanner.spelled.iter().any(|it| it.range.start == end + 1),
            '-' => return magnitude(end + 1),
            c if c.is_whitespace() => {
                let next = self.scanner.skip(end, char::is_whitespace);
                // "[15] K" and "class [5] B"
                let is_apart = end >= self.link.end && letters(next).chars().count() == 1;
                return magnitude(next).filter(|_| !is_apart);
            }
            c if is_spaceless(c) => SPACELESS_SCALES.contains(c),
            c if c.is_alphabetic() => {
                let letters = letters(end);
                let is_unit = UNITS.contains(&letters.as_str());
                let is_known = is_unit && !goes_on(letters_end(end)) && self.is_in_digits();
                return (!is_known).then(|| to(letters_end(end)));
            }
            c => c.is_numeric() || is_combining(c),
        };
        is_bad.then(|| to(end + 1 + usize::from(is_digit)))
    }

    /// The number with what touches its beginning.
    fn touches_in_front(&self) -> Option<Range<usize>> {
        let start = self.own.start;
        let last = self.scanner.before(start)?;
        let earlier = start.checked_sub(2).and_then(|at| self.scanner.get(at));
        let is_bad = match last {
            '^' | '_' | '√' | '∛' | '∜' | REFERENCE => true,
            '.' | ',' | '\'' | '’' => earlier.is_some_and(char::is_numeric),
            // `3x3`, and not `0x10`
            'x' if earlier.is_some_and(char::is_numeric) => {
                let before = self.scanner.text(0..start - 1);
                before.rsplit(|c: char| !c.is_alphanumeric()).next() == Some("0")
            }
            '/' => {
                let ends = |it: &Spelled| it.range.end + 1 == start;
                earlier.is_some_and(char::is_numeric) || self.scanner.spelled.iter().any(ends)
            }
            c if is_spaceless(c) => SPACELESS_SCALES.contains(c),
            // "the L[2] norm"
            c if c.is_ascii_uppercase() && self.is_in_digits() => {
                earlier.is_some_and(|it| !it.is_whitespace() && !is_opening(it))
            }
            c => c.is_alphanumeric(),
        };
        is_bad.then(|| start - 1..self.own.end)
    }

    /// The number in brackets or quotes, with a sign or a power of all that.
    fn in_brackets(&self) -> Option<Range<usize>> {
        let (mut start, mut end) = (self.own.start, self.own.end);
        while self.scanner.before(start).is_some_and(is_opening)
            && self.scanner.get(end).is_some_and(is_closing)
        {
            (start, end) = (start - 1, end + 1);
        }
        if start == self.own.start {
            return None;
        }
        let is_root =
            self.scanner.before(start).is_some_and(|c| matches!(c, '√' | '∛' | '∜' | '^'));
        let is_raised = self.scanner.get(end).is_some_and(|c| {
            c.is_numeric()
                || matches!(c, '^' | '_' | '%' | '‰' | '‱' | FACTORIAL)
                || c == '!' && !self.ends_sentence(end)
        });
        match self.scanner.minus(start) {
            Some(sign) => Some(sign..end),
            None if is_root => Some(start - 1..end),
            None => is_raised.then_some(start..end + 1),
        }
    }

    /// Whether an exclamation mark ends a sentence and is no factorial.
    fn ends_sentence(&self, mark: usize) -> bool {
        let next = self.scanner.skip(mark + 1, |c| {
            c.is_whitespace() || is_closing(c) || matches!(c, '!' | '?' | '.' | '…')
        });
        let goes_on = |c: char| c.is_lowercase() || "+-−–=≈×·*/<>≤≥^,;".contains(c);
        !self.scanner.get(next).is_some_and(goes_on)
    }

    fn is_in_digits(&self) -> bool {
        self.printed.is_some_and(|it| it.text.ends_with(|c: char| c.is_ascii_digit()))
    }

    /// The number with a word behind it that scales it and is not read with it, as in "5 (hundred)".
    fn scaled_behind(&self) -> Option<Range<usize>> {
        let next = self.scanner.skip(self.own.end, is_gap);
        let end = self.scanner.skip(next, char::is_alphabetic);
        let is_scale = spelled::begins_with_scale(&self.scanner.text(next..end), self.language?);
        if next == self.own.end || !is_scale {
            return None;
        }
        let has_bracket = self.scanner.text(self.own.end..next).contains(is_opening);
        Some(self.own.start..if has_bracket { self.scanner.skip(end, is_closing) } else { end })
    }

    /// The number with one in words beside it that is not read with it.
    fn in_words_beside(&self) -> Option<Range<usize>> {
        let language = self.language?;
        let is_word =
            self.printed.is_some_and(|it| !it.text.contains(|c: char| c.is_ascii_digit()));
        let is_tens = is_word
            && (2..10).any(|tens| {
                let tens = BigRational::from(BigInt::from(tens * 10));
                self.printed.is_some_and(|it| it.value == tens)
            });
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
            let is_scale = || {
                !is_behind
                    && spelled::begins_with_scale(&self.scanner.text(self.own.clone()), language)
            };
            let is_blank = |c: char| c.is_whitespace();
            let is_hyphen = |c: char| c.is_whitespace() || c == '-';
            let joins = spelled::is_and(gap.trim(), language);
            match it.kind {
                _ if gap.is_empty() => false,
                Kind::Ordinal => false,
                Kind::One => is_behind && is_tens && (gap.chars().all(is_hyphen) || joins),
                _ if gap.chars().all(is_gap) && is_scale() => true,
                _ if is_behind && is_tens && joins => it.is_digit(),
                Kind::Part if is_behind && joins => {
                    self.is_whole() && !self.is_between() && !self.is_of_another(it.range.end)
                }
                _ => is_word && gap.chars().all(is_hyphen) && (gap.chars().any(is_blank)),
            }
        })?;
        Some(beside.range.start.min(self.own.start)..beside.range.end.max(self.own.end))
    }

    /// The number with digits that nothing but a space parts from it, as in `5 000` and `5 1/2`.
    fn side_by_side(&self) -> Option<Range<usize>> {
        let scanner = &self.scanner;
        if !self.is_in_digits() {
            return None;
        }
        // "128-dimensional" is no group.
        let is_group = |range: &Range<usize>| {
            let goes_on = |c: char| c.is_alphanumeric() || c == '-';
            let is_alone = !scanner.get(range.end).is_some_and(goes_on);
            range.len() == 3
                && is_alone
                && scanner.text(range.clone()).bytes().all(|it| it.is_ascii_digit())
        };
        let digits = |at| at..scanner.skip(at, |c| c.is_ascii_digit());
        let next = digits(scanner.skip(self.own.end, char::is_whitespace));
        let own = scanner.text(self.own.clone());
        if next.start > self.own.end && self.begins_groups(&own) && is_group(&next) {
            return Some(self.own.start..next.end);
        }
        if let Some(end) = self.fraction_behind() {
            return Some(self.own.start..end);
        }
        let before = scanner.text(0..self.own.start);
        let front = before.trim_end();
        let count = front.chars().rev().take_while(char::is_ascii_digit).count();
        let start = front.chars().count() - count;
        let earlier = start.checked_sub(1).and_then(|at| scanner.get(at));
        let is_free =
            !earlier.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '/' | '^'));
        let is_apart = front.len() < before.len() && (1..4).contains(&count) && is_free;
        (is_apart && is_group(&self.own)).then_some(start..self.own.end)
    }

    /// Whether further groups of three digits may follow upon a number.
    fn begins_groups(&self, number: &str) -> bool {
        is_grouped(number.trim_start_matches(is_dash), |c| self.scanner.is_separator(c))
    }

    /// The end of a fraction that is added to the number, as in "5 1/2" and "5 and ½".
    fn fraction_behind(&self) -> Option<usize> {
        let scanner = &self.scanner;
        let mut at = scanner.skip(self.own.end, char::is_whitespace);
        let word = scanner.skip(at, char::is_alphabetic);
        let joins = self.language.is_some_and(|it| spelled::is_and(&scanner.text(at..word), it));
        if joins {
            at = scanner.skip(word, char::is_whitespace);
        }
        if !self.is_whole() || joins && (self.is_between() || self.is_of_another(at)) {
            return None;
        }
        let is_fraction = |c: char| c.is_numeric() && !c.is_ascii_digit();
        let over = scanner.skip(at, |c| c.is_ascii_digit());
        match at > self.own.end {
            true if scanner.get(at).is_some_and(is_fraction) => Some(at + 1),
            true if over > at && scanner.get(over) == Some('/') => {
                let end = scanner.skip(over + 1, |c| c.is_ascii_digit());
                (end > over + 1).then_some(end)
            }
            _ => None,
        }
    }

    /// Whether a fraction may be added to the number.
    fn is_whole(&self) -> bool {
        self.printed.is_none_or(|it| it.last_place.is_none() && it.value.is_integer())
    }

    /// Whether the number is the first of two ends, as in "between 0 and 1/2".
    fn is_between(&self) -> bool {
        let before = self.scanner.text(0..self.own.start);
        let mut near = before.split_whitespace().rev().take(2);
        self.language.is_some_and(|it| near.any(|word| spelled::is_between(word, it)))
    }

    /// Whether what stands at a place is a part of something else, as in "1/3 of the rest".
    fn is_of_another(&self, at: usize) -> bool {
        let fraction = self.scanner.skip(at, |c| !c.is_whitespace());
        let after = self.scanner.text(fraction..self.scanner.chars.len());
        let next = after.split_whitespace().next().unwrap_or_default();
        self.language.is_some_and(|language| scaled::is_of(next, language))
    }

    /// Words that scale the number.
    fn scaling(&self) -> Option<String> {
        let language = self.language?;
        let (link, own) = (&self.link, &self.own);
        let inside = self.scanner.text(link.start.min(own.start)..own.start);
        let before = self.scanner.text(0..own.start);
        let after = self.scanner.text(own.end..self.scanner.chars.len());
        // "5-and-a-half"
        let spaced = after.replace('-', " ");
        let first = spaced.split_whitespace().next().unwrap_or_default();
        let joins = spelled::is_and(first, language);
        let is_apart = joins && (!self.is_whole() || self.is_between());
        let after = if joins { spaced.clone() } else { after };
        // "fewer than half of [21]" leaves 21 what it is.
        let is_beyond = |words: &String| {
            let rest = before.trim_end().strip_suffix(words.as_str()).unwrap_or_default();
            let rest = rest.trim_end().to_lowercase();
            Wording::of(language)
                .beyond()
                .any(|it| last_phrase(&rest, it).is_some_and(|at| at + it.len() == rest.len()))
        };
        // "one third"
        let is_one = self.printed.is_some_and(|it| it.value == BigRational::from(BigInt::from(1)));
        let is_word = !self.is_in_digits();
        let part = first.trim_matches(|c: char| !c.is_alphabetic());
        if is_one && is_word && scaled::is_part(part, language) {
            return Some(part.to_owned());
        }
        scaled::in_front(&inside, language, Reach::Sentence)
            .or_else(|| scaled::in_front(&before, language, Reach::Touching))
            .filter(|words| !is_beyond(words) && !scaled::is_done(words, &self.behind(), language))
            .or_else(|| scaled::behind(&after, language).filter(|_| !is_apart))
    }
}

/// Whether a letter belongs to a script whose words nothing parts.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{2e80}'..='\u{d7ff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphabetic()
}

/// Whether a character is drawn over the one before it.
fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}')
}

/// Whether a character may stand between a number and what belongs to it.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == '-' || is_opening(c) || is_closing(c)
}

fn is_opening(c: char) -> bool {
    matches!(c, '(' | '[' | '"' | '“' | '„' | '‘' | '«' | '\'')
}

fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '"' | '”' | '“' | '’' | '»' | '\'')
}
