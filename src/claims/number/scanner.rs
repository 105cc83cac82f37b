//! Reads what is written as a number, character by character.
//!
//! In: a text. Out: every number in it, with its place between characters of the text as [`normalise`] writes
//! it. Left out: which of them is meant.

use std::ops::Range;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::Printed;
use super::plain::normalise;
use crate::claims::exact;
use crate::words::Words;
use crate::words::scaled;
use crate::words::spelled::{self, Kind};

/// Characters with what is found in them.
pub(super) struct Scanner {
    pub(super) chars: Vec<char>,
    /// Numbers written as words.
    pub(super) spelled: Vec<Spelled>,
    language: Option<Words>,
    /// Whether decimals stand behind a comma.
    has_comma: bool,
}

/// What is found at a place: a number, or why it cannot be read.
pub(super) type Found = (Range<usize>, Result<Printed, String>);

/// A number written as words, between characters.
pub(super) struct Spelled {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
    /// Where digits end that it scales.
    scales: Option<usize>,
    digits: String,
}

impl Spelled {
    /// Whether it is less than ten.
    pub(super) fn is_digit(&self) -> bool {
        self.digits.len() == 1
    }
}

/// Commands of LaTeX for functions of the number behind them.
const FUNCTIONS: &str = "sqrt log ln lg exp sin cos tan cot sinh cosh tanh arcsin arccos arctan lfloor lceil lvert \
                         lVert vert Vert max min gcd det Re Im Gamma";

/// How many characters in front of a number may hold words that belong to it.
const NEAR: usize = 40;

fn is_function(name: &str) -> bool {
    FUNCTIONS.split(' ').any(|it| it == name)
}

impl Scanner {
    /// Reads digits alone, with the marks between them of a language, or else the English ones.
    pub(super) fn digits(text: &str, marks: Option<Words>) -> Self {
        let chars = normalise(text).chars().collect();
        let has_comma = marks.is_some_and(Words::has_decimal_comma);
        Self { chars, spelled: Vec::new(), language: None, has_comma }
    }

    /// Reads words, too, in what stands by itself.
    pub(super) fn said(text: &str, language: Option<Words>) -> Self {
        let plain = normalise(text);
        match language.and_then(|language| spelled::alone(&plain, language)) {
            Some(alone) => Self::with(&plain, language, vec![alone]),
            None => Self::of(&plain, language),
        }
    }

    /// Reads what [`normalise`] has written.
    pub(super) fn of(plain: &str, language: Option<Words>) -> Self {
        let found = language.map(|language| spelled::find(plain, language));
        Self::with(plain, language, found.unwrap_or_default())
    }

    fn with(plain: &str, language: Option<Words>, found: Vec<spelled::Spelled>) -> Self {
        let starts: Vec<usize> = match found.is_empty() || plain.is_ascii() {
            true => Vec::new(),
            false => plain.char_indices().map(|(start, _)| start).collect(),
        };
        let at = |byte: usize| match starts.is_empty() {
            true => byte,
            false => starts.partition_point(|&start| start < byte),
        };
        let spelled = found.into_iter().map(|it| {
            let before = &plain[..it.range.start];
            let digits = before.trim_end_matches(|c: char| c.is_whitespace() || c == '-');
            let is_scale = it.scales(&before[digits.len()..]);
            Spelled {
                range: at(it.range.start)..at(it.range.end),
                kind: it.kind,
                scales: is_scale.then(|| at(digits.len())),
                digits: it.digits,
            }
        });
        let has_comma = language.is_some_and(Words::has_decimal_comma);
        Self { spelled: spelled.collect(), chars: plain.chars().collect(), language, has_comma }
    }

    /// The only number, with its place.
    pub(super) fn single(&self) -> Result<Option<(Printed, Range<usize>)>, String> {
        let mut found = self.all()?;
        if found.len() > 1 {
            found.retain(|(_, range)| !self.is_both(range));
        }
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            several => {
                let numbers: Vec<String> =
                    several.iter().map(|(printed, _)| format!("`{}`", printed.text)).collect();
                let has_comma = several.windows(2).any(|pair| {
                    let between = pair[0].1.end..pair[1].1.start;
                    self.chars[between] == [',']
                });
                let is_group = |range: &Range<usize>| {
                    range.len() == 3 && self.chars[range.clone()].iter().all(char::is_ascii_digit)
                };
                let has_space = several.windows(2).any(|pair| {
                    let (first, second) = (&pair[0].1, &pair[1].1);
                    self.chars[first.end..second.start] == [' '] && is_group(second)
                });
                let hint = match (has_comma, has_space) {
                    (true, _) => ", since decimals are read with a point",
                    (_, true) => {
                        ", since a space parts them; between thousands write a narrow no-break space (U+202F) or \
                         nothing"
                    }
                    _ => "",
                };
                Err(format!("the text has more than one number: {}{hint}", numbers.join(", ")))
            }
        }
    }

    pub(super) fn all(&self) -> Result<Vec<(Printed, Range<usize>)>, String> {
        self.scan().into_iter().map(|(range, found)| Ok((found?, range))).collect()
    }

    /// What is found, in order; what cannot be read up to the next space.
    pub(super) fn scan(&self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.chars.len() {
            let spelled = self.spelled_from(at);
            let spelled = spelled.filter(|it| it.range.start == at && it.kind.counts());
            let number = if let Some(spelled) = spelled {
                self.in_words(spelled)
            } else if !self.starts_number(at) {
                if !self.chars[at].is_numeric() || self.is_glued(at) {
                    at += 1;
                    continue;
                }
                Err(self.unreadable(at, at))
            } else if self.is_glued(at) {
                at = self.skip(at, |c| c.is_alphanumeric());
                continue;
            } else {
                self.number(at)
            };
            match number {
                Ok((printed, range)) => {
                    at = range.end;
                    found.push((range, Ok(printed)));
                }
                Err(message) => {
                    let end = self.skip(at, |c| !c.is_whitespace());
                    found.push((at..end, Err(message)));
                    at = end;
                }
            }
        }
        found
    }

    /// The first number in words that begins at a place or behind it.
    fn spelled_from(&self, at: usize) -> Option<&Spelled> {
        self.spelled.get(self.spelled.partition_point(|it| it.range.start < at))
    }

    /// Whether a number is but a word for both, as in "the two".
    fn is_both(&self, range: &Range<usize>) -> bool {
        let is_word = self.chars[range.start].is_alphabetic();
        let before = self.text(range.start.saturating_sub(NEAR)..range.start);
        let word = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
        let is_the = self.language.is_some_and(|language| spelled::is_the(word, language));
        // "the two halves"
        let is_two = self
            .spelled
            .iter()
            .any(|it| it.range == *range && matches!(it.digits.as_str(), "2" | "2/2"));
        is_word && is_two && is_the && before.ends_with(char::is_whitespace)
    }

    /// Whether a mark may stand between groups of three digits. In English a plain space is none: `12 100` may be two
    /// numbers.
    pub(super) fn is_separator(&self, c: char) -> bool {
        match c {
            ',' => !self.has_comma,
            '.' | ' ' | '\'' | '’' => self.has_comma,
            _ => matches!(c, '_' | '\u{2009}' | '\u{202f}' | '\u{a0}' | '\u{2007}'),
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    pub(super) fn before(&self, at: usize) -> Option<char> {
        self.get(at.checked_sub(1)?)
    }

    fn is_digit(&self, at: usize) -> bool {
        self.get(at).is_some_and(|c| c.is_ascii_digit())
    }

    fn starts_number(&self, at: usize) -> bool {
        self.is_digit(at)
            || (self.is_decimal_mark(at)
                && self.is_digit(at + 1)
                && !self.before(at).is_some_and(|c| c.is_alphanumeric() || c == ')'))
    }

    /// Whether decimals may follow upon the mark at this place.
    fn is_decimal_mark(&self, at: usize) -> bool {
        self.get(at).is_some_and(|c| c == '.' || c == ',' && self.has_comma)
    }

    /// Whether the digits at this place belong to a word, as in `ResNet-18` or `L^2`.
    fn is_glued(&self, at: usize) -> bool {
        match self.before(at) {
            Some(c) if c.is_alphabetic() || c == '_' || c == '^' => true,
            Some('-') => at >= 2 && self.get(at - 2).is_some_and(char::is_alphabetic),
            _ => false,
        }
    }

    pub(super) fn skip(&self, mut at: usize, accepted: impl Fn(char) -> bool) -> usize {
        while self.get(at).is_some_and(&accepted) {
            at += 1;
        }
        at
    }

    pub(super) fn text(&self, range: Range<usize>) -> String {
        self.chars[range].iter().collect()
    }

    /// Where the sign of the number at `at` stands, if it is negative.
    pub(super) fn minus(&self, at: usize) -> Option<usize> {
        let sign = at.checked_sub(1)?;
        let ends = |c: char| c.is_numeric() || matches!(c, ')' | ']' | '}' | '%') || is_dash(c);
        match self.get(sign)? {
            c if is_dash(c) => {
                let is_free = !self.before(sign).is_some_and(|c| c.is_alphabetic() || ends(c));
                is_free.then_some(sign)
            }
            c if c.is_whitespace() => {
                let sign = (0..sign).rev().find(|&i| !self.chars[i].is_whitespace())?;
                if self.get(sign) != Some('−') {
                    return None;
                }
                // `x − 3` is no sign, `it is − 3` is one.
                let blank = |&i: &usize| self.chars[i].is_whitespace();
                let before = (0..sign).rev().find(|at| !blank(at));
                let is_name = |at: usize| {
                    self.chars[at].is_alphabetic()
                        && !at.checked_sub(1).is_some_and(|it| self.chars[it].is_alphabetic())
                };
                let is_operand = before.is_some_and(|at| ends(self.chars[at]) || is_name(at));
                (!is_operand).then_some(sign)
            }
            _ => None,
        }
    }

    /// Where the word begins that makes a negative number of the one in words at `at`.
    fn minus_in_words(&self, at: usize) -> Option<usize> {
        let start = at.saturating_sub(NEAR);
        let before = self.text(start..at);
        let byte = scaled::sign(&before, self.language?)?;
        Some(start + before[..byte].chars().count())
    }

    /// A number written as words.
    fn in_words(&self, spelled: &Spelled) -> Result<(Printed, Range<usize>), String> {
        let start = spelled.range.start;
        let begin = self.minus(start).or_else(|| self.minus_in_words(start)).unwrap_or(start);
        let (mut printed, _) = Self::digits(&spelled.digits, None).number(0)?;
        if let Some(function) = self.function(begin) {
            return Err(self.unreadable(function, spelled.range.end));
        }
        if begin < start {
            printed.value = -printed.value;
        }
        let percent = self.percent(spelled.range.end);
        printed.percent = percent.is_some();
        let range = begin..percent.unwrap_or(spelled.range.end);
        printed.text = self.text(range.clone());
        Ok((printed, range))
    }

    /// The power of ten in words that scales digits which end at this place, with its end.
    fn scale(&self, at: usize) -> Option<(BigRational, usize)> {
        let spelled = self.spelled_from(at).filter(|it| it.scales == Some(at))?;
        Some((spelled.digits.parse::<BigInt>().ok()?.into(), spelled.range.end))
    }

    fn number(&self, start: usize) -> Result<(Printed, Range<usize>), String> {
        let minus = self.minus(start);
        let (mut digits, mut end) = self.whole(start);
        let mut decimals = 0;
        let has_groups = end > start + digits.len();
        let is_decimal = match self.get(end) {
            // "0.82" says the same everywhere, "5.050.5" nothing.
            Some('.') if self.has_comma => !has_groups,
            Some('.') => true,
            Some(',') => self.has_comma,
            _ => false,
        };
        if is_decimal && self.is_digit(end + 1) {
            let last = self.skip(end + 1, |c| c.is_ascii_digit());
            digits.push_str(&self.text(end + 1..last));
            decimals = last - end - 1;
            end = last;
        }
        let begin = minus.unwrap_or(start);
        let first = end;
        let unreadable = || self.unreadable(begin, first);
        if self.has_comma && self.is_decimal_mark(end) && self.is_digit(end + 1) {
            return Err(unreadable());
        }
        if let Some(function) = self.function(begin) {
            return Err(self.unreadable(function, first));
        }
        let mantissa: BigInt = digits.parse().map_err(|_| unreadable())?;
        let places = i64::try_from(decimals).map_err(|_| unreadable())?;
        let mut last_place = None;
        let mut precision = String::new();
        let mut value = BigRational::from(mantissa.clone())
            * exact::power_of_ten(-places).ok_or_else(unreadable)?;
        if let Some((exponent, after)) = self.exponent(end) {
            end = after;
            let power = exponent
                .and_then(|exponent| exponent.checked_sub(places))
                .and_then(exact::power_of_ten)
                .ok_or_else(unreadable)?;
            value = BigRational::from(mantissa) * &power;
            last_place = Some(power);
            let significant = digits.trim_start_matches('0').len().max(1);
            precision = counted(significant, "significant digit");
        } else if decimals > 0 {
            last_place = exact::power_of_ten(-places);
            precision = counted(decimals, "decimal");
            if self.get(end) == Some('^') {
                return Err(unreadable());
            }
        } else if self.get(end) == Some('^') {
            let (exponent, after) = self.integer(end + 1).ok_or_else(unreadable)?;
            value = exponent
                .and_then(|exponent| exact::power(&mantissa, exponent))
                .ok_or_else(unreadable)?;
            end = after;
        } else if let Some((denominator, after)) = self.denominator(end) {
            if denominator == BigInt::ZERO {
                return Err(unreadable());
            }
            value /= BigRational::from(denominator);
            end = after;
        }
        if minus.is_some() {
            value = -value;
        }
        if let Some((scale, after)) = self.scale(end) {
            value *= &scale;
            last_place = last_place.map(|place| place * &scale);
            end = after;
        }
        let percent = self.percent(end);
        let end = percent.unwrap_or(end);
        let next = self.skip(end, char::is_whitespace);
        if matches!(self.get(next), Some('‰' | '‱')) {
            return Err(self.unreadable(begin, next));
        }
        if self.get(end).is_some_and(char::is_numeric) {
            return Err(self.unreadable(begin, end));
        }
        let text = self.text(begin..end);
        Ok((Printed { text, value, last_place, precision, percent: percent.is_some() }, begin..end))
    }

    /// Says that what begins at `begin` and goes on at `end` up to the next space is no number.
    fn unreadable(&self, begin: usize, end: usize) -> String {
        let end = self.skip(end, |c| !c.is_whitespace());
        format!("`{}` is not a number that can be read", self.text(begin..end))
    }

    /// Where what makes another number of the one at this place begins: a root, a function of LaTeX, or a bar.
    pub(super) fn function(&self, at: usize) -> Option<usize> {
        let is_blank = |c: char| c.is_whitespace() || matches!(c, '{' | '(' | '[');
        let last = (0..at).rev().find(|&it| !is_blank(self.chars[it]))?;
        match self.chars[last] {
            '√' | '∛' | '∜' | '⌊' | '⌈' | '‖' => return Some(last),
            '|' => {
                let end = self.skip(at, |c| !c.is_whitespace() && c != '|');
                return (self.get(end) == Some('|')).then_some(last);
            }
            _ => {}
        }
        // `\mathrm{log}`
        if self.chars[last] == '}'
            && let Some(brace) = self.chars[..last].iter().rposition(|&c| c == '{')
            && is_function(&self.text(brace + 1..last))
        {
            let command = self.chars[..brace].iter().rposition(|c| !c.is_ascii_alphabetic())?;
            return (self.chars[command] == '\\').then_some(command);
        }
        let start = self.chars[..=last].iter().rposition(|&c| c == '\\' || c.is_whitespace())?;
        let end = self.skip(start + 1, |c| c.is_ascii_alphabetic());
        // `\log_2`, `\sqrt[3]`
        let is_whole = end > last || matches!(self.chars[end], '_' | '^' | '[');
        let is_named = self.chars[start] == '\\' && is_whole;
        (is_named && is_function(&self.text(start + 1..end))).then_some(start)
    }

    /// Digits before the decimal point, without separators of thousands.
    fn whole(&self, start: usize) -> (String, usize) {
        let mut end = self.skip(start, |c| c.is_ascii_digit());
        let mut digits = self.text(start..end);
        if digits.is_empty() {
            return ("0".into(), end);
        }
        if digits.len() > 3 || digits.starts_with('0') {
            return (digits, end);
        }
        let Some(separator) = self.get(end).filter(|&c| self.is_separator(c)) else {
            return (digits, end);
        };
        while self.get(end) == Some(separator) {
            let group = self.skip(end + 1, |c| c.is_ascii_digit());
            let group_digits = self.text(end + 1..group);
            if group != end + 4 || is_apart(separator, &group_digits, self.get(group)) {
                break;
            }
            digits.push_str(&group_digits);
            end = group;
        }
        (digits, end)
    }

    /// A power of ten: `e-3` or `× 10^-3`; its exponent is none if it is beyond reading.
    fn exponent(&self, at: usize) -> Option<(Option<i64>, usize)> {
        if matches!(self.get(at), Some('e' | 'E')) {
            return self
                .integer(at + 1)
                .filter(|(_, end)| !self.get(*end).is_some_and(char::is_alphabetic));
        }
        let at = self.skip(at, char::is_whitespace);
        if !matches!(self.get(at), Some('×' | '·' | '⋅' | '∙' | '✕' | '*' | 'x')) {
            return None;
        }
        let at = self.skip(at + 1, char::is_whitespace);
        if self.chars.get(at..at + 3)? != ['1', '0', '^'] {
            return None;
        }
        self.integer(at + 3)
    }

    fn integer(&self, at: usize) -> Option<(Option<i64>, usize)> {
        let negative = matches!(self.get(at), Some('-' | '−'));
        let start = if negative || self.get(at) == Some('+') { at + 1 } else { at };
        let end = self.skip(start, |c| c.is_ascii_digit());
        if end == start {
            return None;
        }
        let size = self.text(start..end).parse::<i64>().ok();
        Some((size.map(|size| if negative { -size } else { size }), end))
    }

    fn denominator(&self, at: usize) -> Option<(BigInt, usize)> {
        let at = self.skip(at, char::is_whitespace);
        if self.get(at) != Some('/') {
            return None;
        }
        let start = self.skip(at + 1, char::is_whitespace);
        let (digits, end) = if self.is_digit(start) { self.whole(start) } else { return None };
        Some((digits.parse().ok()?, end))
    }

    /// Where the percent sign after a number ends.
    fn percent(&self, at: usize) -> Option<usize> {
        let at = self.skip(at, char::is_whitespace);
        let own = self.language.map_or(&[][..], Words::percent);
        ["%", "percent", "per cent"].iter().chain(own).find_map(|word| {
            let end = at + word.chars().count();
            (self.chars.get(at..end)?.iter().copied().eq(word.chars())).then_some(end)
        })
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Marks that a reader takes for a minus sign before a number; an em dash is none.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '−' | '–' | '‐' | '‑' | '‒' | '﹣' | '－')
}

/// Whether a mark and a group of three digits behind a number are none of its thousands, as the space in
/// "5 128-dimensional vectors". No number begins with the 0 of "5 000-fold".
pub(crate) fn is_apart(mark: char, group: &str, next: Option<char>) -> bool {
    let goes_on = next.is_some_and(|c| c.is_alphanumeric() || c == '-');
    mark == ' ' && goes_on && !group.starts_with('0')
}

/// Whether a text is digits in groups of three, of which the first may be shorter.
pub(crate) fn is_grouped(number: &str, is_separator: impl Fn(char) -> bool) -> bool {
    let mut groups = number.split(is_separator);
    let is_digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
    groups.next().is_some_and(|it| (1..4).contains(&it.len()) && is_digits(it))
        && groups.all(|it| it.len() == 3 && is_digits(it))
}
