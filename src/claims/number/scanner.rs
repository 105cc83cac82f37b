//! Reads what is written as a number, character by character.
//!
//! In: a text. Out: every number in it, with its place between characters of the text as [`normalise`] writes
//! it. Left out: which of them is meant.

use std::ops::Range;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::{MAGNITUDES, Printed};
use crate::claims::exact;
use crate::words::Words;
use crate::words::spelled::{self, Kind};

/// Characters with what is found in them.
pub(super) struct Scanner {
    pub(super) chars: Vec<char>,
    /// Numbers written as words.
    spelled: Vec<Spelled>,
    language: Option<Words>,
}

/// A number written as words, between characters.
struct Spelled {
    range: Range<usize>,
    digits: String,
    kind: Kind,
}

impl Scanner {
    /// Reads digits alone.
    pub(super) fn new(text: &str) -> Self {
        let chars = normalise(text).chars().collect();
        Self { chars, spelled: Vec::new(), language: None }
    }

    /// Reads words, too.
    pub(super) fn said(text: &str, language: Option<Words>) -> Self {
        let plain = normalise(text);
        let at = |byte: usize| plain[..byte].chars().count();
        let found = language.map(|language| spelled::find(&plain, language));
        let spelled = found.into_iter().flatten().map(|it| Spelled {
            range: at(it.range.start)..at(it.range.end),
            digits: it.digits,
            kind: it.kind,
        });
        Self { spelled: spelled.collect(), chars: plain.chars().collect(), language }
    }

    /// The only number, with its place.
    pub(super) fn single(&self) -> Result<Option<(Printed, Range<usize>)>, String> {
        let found = self.all()?;
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
                let hint = if has_comma { ", since decimals are read with a point" } else { "" };
                Err(format!("the text has more than one number: {}{hint}", numbers.join(", ")))
            }
        }
    }

    pub(super) fn all(&self) -> Result<Vec<(Printed, Range<usize>)>, String> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.chars.len() {
            let spelled = self.spelled.iter().find(|it| it.range.start == at);
            if let Some(spelled) = spelled.filter(|it| it.kind != Kind::BareScale) {
                let (printed, range) = self.in_words(spelled)?;
                at = range.end;
                found.push((printed, range));
            } else if !self.starts_number(at) {
                if self.chars[at].is_numeric() && !self.is_glued(at) {
                    return Err(self.unreadable(at, at));
                }
                at += 1;
            } else if self.is_glued(at) {
                at = self.skip(at, |c| c.is_alphanumeric());
            } else {
                let (printed, range) = self.number(at)?;
                at = range.end;
                found.push((printed, range));
            }
        }
        Ok(found)
    }

    fn get(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    fn before(&self, at: usize) -> Option<char> {
        self.get(at.checked_sub(1)?)
    }

    fn is_digit(&self, at: usize) -> bool {
        self.get(at).is_some_and(|c| c.is_ascii_digit())
    }

    fn starts_number(&self, at: usize) -> bool {
        self.is_digit(at)
            || (self.get(at) == Some('.')
                && self.is_digit(at + 1)
                && !self.before(at).is_some_and(|c| c.is_alphanumeric() || c == ')'))
    }

    /// Whether the digits at this place belong to a word, as in `ResNet-18` or `L^2`.
    fn is_glued(&self, at: usize) -> bool {
        match self.before(at) {
            Some(c) if c.is_alphabetic() || c == '_' || c == '^' => true,
            Some('-') => at >= 2 && self.get(at - 2).is_some_and(char::is_alphabetic),
            _ => false,
        }
    }

    fn skip(&self, mut at: usize, accepted: impl Fn(char) -> bool) -> usize {
        while self.get(at).is_some_and(&accepted) {
            at += 1;
        }
        at
    }

    pub(super) fn text(&self, range: Range<usize>) -> String {
        self.chars[range].iter().collect()
    }

    /// Where the sign of the number at `at` stands, if it is negative.
    fn minus(&self, at: usize) -> Option<usize> {
        let sign = at.checked_sub(1)?;
        let stands_free = |sign: usize| {
            !self.before(sign).is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | '%'))
        };
        match self.get(sign)? {
            c if is_dash(c) && stands_free(sign) => Some(sign),
            c if c.is_whitespace() => {
                let sign = (0..sign).rev().find(|&i| !self.chars[i].is_whitespace())?;
                (self.get(sign) == Some('−') && stands_free(sign)).then_some(sign)
            }
            _ => None,
        }
    }

    /// A number written as words.
    fn in_words(&self, spelled: &Spelled) -> Result<(Printed, Range<usize>), String> {
        let start = spelled.range.start;
        let begin = self.minus(start).unwrap_or(start);
        let unreadable = || self.unreadable(begin, spelled.range.end);
        let (mut printed, _) = Self::new(&spelled.digits).number(0)?;
        if self.is_root(begin) {
            return Err(unreadable());
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
        let next = match self.get(at) {
            Some('-') => at + 1,
            _ => self.skip(at, char::is_whitespace),
        };
        let is_scale = |it: &&Spelled| matches!(it.kind, Kind::Scale | Kind::BareScale);
        let spelled = self.spelled.iter().find(|it| it.range.start == next && next > at)?;
        let spelled = Some(spelled).filter(is_scale)?;
        Some((spelled.digits.parse::<BigInt>().ok()?.into(), spelled.range.end))
    }

    fn number(&self, start: usize) -> Result<(Printed, Range<usize>), String> {
        let minus = self.minus(start);
        let (mut digits, mut end) = self.whole(start);
        let mut decimals = 0;
        if self.get(end) == Some('.') && self.is_digit(end + 1) {
            let last = self.skip(end + 1, |c| c.is_ascii_digit());
            digits.push_str(&self.text(end + 1..last));
            decimals = last - end - 1;
            end = last;
        }
        let begin = minus.unwrap_or(start);
        let first = end;
        let unreadable = || self.unreadable(begin, first);
        if self.is_root(begin) {
            return Err(unreadable());
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
        let sign = self.get(self.skip(end, char::is_whitespace));
        let letters = self.text(end..self.skip(end, char::is_alphabetic));
        if self.get(end).is_some_and(char::is_numeric)
            || matches!(sign, Some('‰' | '‱'))
            || MAGNITUDES.contains(&letters.as_str())
        {
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

    /// Whether a root is taken of what begins at this place.
    fn is_root(&self, at: usize) -> bool {
        matches!(self.before(at), Some('√' | '∛' | '∜'))
            || self.chars[..at].ends_with(&['\\', 's', 'q', 'r', 't', '{'])
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
        let Some(separator) = self.get(end).filter(|&c| is_separator(c)) else {
            return (digits, end);
        };
        while self.get(end) == Some(separator) {
            let group = self.skip(end + 1, |c| c.is_ascii_digit());
            if group != end + 4 {
                break;
            }
            digits.push_str(&self.text(end + 1..group));
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
        if !matches!(self.get(at), Some('×' | '·' | '*' | 'x')) {
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
pub(in crate::claims) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '−' | '–' | '‐' | '‑' | '‒' | '﹣' | '－')
}

/// Marks between groups of three digits. A plain space is none: `12 100` may be two numbers.
fn is_separator(c: char) -> bool {
    matches!(c, ',' | '_' | '\u{2009}' | '\u{202f}' | '\u{a0}' | '\u{2007}')
}

/// Writes LaTeX and superscripts as plain characters.
pub(super) fn normalise(text: &str) -> String {
    let mut plain = text.to_owned();
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

/// The first `\frac{a}{b}` written as `a/b`.
fn fraction(text: &str) -> Option<String> {
    let start = text.find("\\frac{")?;
    let (numerator, rest) = text[start + 6..].split_once('}')?;
    let (denominator, rest) = rest.strip_prefix('{')?.split_once('}')?;
    Some(format!("{}{numerator}/{denominator}{rest}", &text[..start]))
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
