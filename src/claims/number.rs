//! Numbers as authors print them.
//!
//! In: words with a number among them. Out: the number, exactly, with the precision to which
//! it was printed. Left out: what it is compared with, which is [`super::relation`]'s.
//!
//! Understood are `224892`, `224,892` and `224 892` with a narrow or no-break space, `−0.5`,
//! `1.2e-3`, `1.2 × 10^{-3}`, `10⁻³`, `2^10`, `3/4` and `82.04 %`, also in LaTeX. Digits that
//! belong to a word, as in `ResNet-18`, `M2` or `L^2`, are none. `0,82` is two numbers. Digits of other
//! scripts, fractions in one character, roots and `‰` are refused, so that no part of what a reader sees is
//! left out.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use super::exact;

/// A number as it stands in the prose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    /// The characters.
    pub text: String,
    /// The number; not yet divided by 100 where a percent sign follows.
    value: BigRational,
    /// One unit in the last printed place; none if the number is meant exactly.
    last_place: Option<BigRational>,
    /// How many digits were printed, in words; empty for an exact number.
    pub precision: String,
    /// Whether a percent sign follows.
    pub percent: bool,
}

impl Printed {
    /// The number and one unit in its last place, in the unit of the value: `82 %` is 0.82
    /// unless the value itself is in `%`.
    pub fn in_unit(&self, unit: Option<&str>) -> (BigRational, Option<BigRational>) {
        if !self.percent || unit.is_some_and(|unit| unit.trim() == "%") {
            return (self.value.clone(), self.last_place.clone());
        }
        let hundred = BigRational::from(BigInt::from(100));
        (&self.value / &hundred, self.last_place.as_ref().map(|place| place / &hundred))
    }

    /// One unit in the last printed place, the zeros at the end of an integer left out; as a fraction
    /// of one if it is a percentage.
    pub fn smallest_place(&self) -> BigRational {
        if let (_, Some(place)) = self.in_unit(None) {
            return place;
        }
        let ten = BigRational::from(BigInt::from(10));
        let mut place = BigRational::from(BigInt::from(1));
        while !self.value.is_zero() && (&self.value / (&place * &ten)).is_integer() {
            place *= &ten;
        }
        if self.percent { place / (&ten * &ten) } else { place }
    }

    /// The number as a fraction of one if it is a percentage, else as it is.
    pub fn plain(&self) -> BigRational {
        self.in_unit(None).0
    }
}

/// Every number in a text.
///
/// # Errors
/// With digits that make no number.
pub(crate) fn all(text: &str) -> Result<Vec<Printed>, String> {
    Ok(Scanner::new(text).all()?.into_iter().map(|(printed, _)| printed).collect())
}

/// The only number in a text, if there is one.
///
/// # Errors
/// With more than one number, or digits that make no number.
pub(crate) fn find(text: &str) -> Result<Option<Printed>, String> {
    let scanner = Scanner::new(text);
    let found = scanner.all()?;
    match found.as_slice() {
        [] => Ok(None),
        [(printed, _)] => Ok(Some(printed.clone())),
        several => {
            let numbers: Vec<String> =
                several.iter().map(|(printed, _)| format!("`{}`", printed.text)).collect();
            let has_comma = several.windows(2).any(|pair| {
                let between = pair[0].1.end..pair[1].1.start;
                scanner.chars[between] == [',']
            });
            let hint = if has_comma { ", since decimals are read with a point" } else { "" };
            Err(format!("the text has more than one number: {}{hint}", numbers.join(", ")))
        }
    }
}

/// A text that is a number and nothing else.
pub(crate) fn only(text: &str) -> Option<Printed> {
    let scanner = Scanner::new(text);
    let found = scanner.all().ok()?;
    let [(printed, range)] = found.as_slice() else { return None };
    let blank = |chars: &[char]| chars.iter().all(|c| c.is_whitespace() || *c == '+');
    (blank(&scanner.chars[..range.start]) && blank(&scanner.chars[range.end..]))
        .then(|| printed.clone())
}

struct Scanner {
    chars: Vec<char>,
}

impl Scanner {
    fn new(text: &str) -> Self {
        Self { chars: normalise(text).chars().collect() }
    }

    fn all(&self) -> Result<Vec<(Printed, std::ops::Range<usize>)>, String> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.chars.len() {
            if !self.starts_number(at) {
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

    fn text(&self, range: std::ops::Range<usize>) -> String {
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

    fn number(&self, start: usize) -> Result<(Printed, std::ops::Range<usize>), String> {
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
        let percent = self.percent(end);
        let end = percent.unwrap_or(end);
        if self.get(end).is_some_and(|c| c.is_numeric() || matches!(c, '‰' | '‱')) {
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
        ["%", "percent", "per cent"].iter().find_map(|word| {
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

/// Marks between groups of three digits. A plain space is none: `12 100` may be two numbers.
fn is_separator(c: char) -> bool {
    matches!(c, ',' | '_' | '\u{2009}' | '\u{202f}' | '\u{a0}' | '\u{2007}')
}

/// Writes LaTeX and superscripts as plain characters.
fn normalise(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        match find(text) {
            Ok(Some(printed)) => printed.plain().to_string(),
            Ok(None) => "none".into(),
            Err(error) => error,
        }
    }

    #[test]
    fn finds_the_number_among_words() {
        for (text, expected) in [
            ("224892", "224892"),
            ("about 2 times", "2"),
            ("224,892 parameters", "224892"),
            ("224\u{202f}892 parameters", "224892"),
            ("$224\\,892$", "224892"),
            ("$1{,}234$", "1234"),
            ("−0.5", "-1/2"),
            ("-0.5", "-1/2"),
            ("(−3)", "-3"),
            ("\u{2011}3", "-3"),
            ("－3", "-3"),
            ("CO₂ is 3", "3"),
            ("it is − 3", "-3"),
            ("1.2e-3", "3/2500"),
            ("1.2 × 10^-3", "3/2500"),
            ("$1.2 \\times 10^{-3}$", "3/2500"),
            ("1.2·10⁻³", "3/2500"),
            ("10^{-3}", "1/1000"),
            ("10⁶", "1000000"),
            ("2^10", "1024"),
            ("3/4", "3/4"),
            ("$\\frac{3}{4}$", "3/4"),
            ("82.04 %", "2051/2500"),
            ("$82.04\\%$", "2051/2500"),
            ("50 percent", "1/2"),
            ("ResNet-18 has 11,689,512 parameters", "11689512"),
            ("O(L^2) needs 5.", "5"),
            (".5", "1/2"),
            ("2.1x faster", "21/10"),
            ("no digits", "none"),
            ("", "none"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn doubtful_numbers_are_refused() {
        for text in [
            "0,82",
            "2–5",
            "2-5",
            "1.2.3",
            "1 000",
            "3 of 4",
            "1 1/2",
            "1234,567",
            "1,23",
            "0.82 ± 0.01",
            "3/0",
            "1e99999999999",
            "10^99999",
            "1.5^2",
            "1/2/3",
            "12,345,67",
            "5½",
            "½ 5",
            "5５",
            "1٢",
            "٢",
            "5‰",
            "√5",
            "$\\sqrt{5}$",
        ] {
            assert!(find(text).is_err(), "{text}: {:?}", find(text));
        }
    }

    #[test]
    fn a_decimal_comma_is_told() {
        let told = |text: &str| find(text).is_err_and(|error| error.contains("with a point"));
        assert!(told("0,82") && told("about 1234,567"));
        assert!(!told("3, 4") && !told("3 of 4"));
    }

    #[test]
    fn the_printed_precision_is_kept() {
        let of = |text: &str| find(text).ok().flatten().map(|p| (p.last_place, p.precision));
        let place = |n: i64, d: i64| Some(BigRational::new(n.into(), d.into()));
        assert_eq!(of("0.8204"), Some((place(1, 10_000), "4 decimals".into())));
        assert_eq!(of("0.8"), Some((place(1, 10), "1 decimal".into())));
        assert_eq!(of("1.20e-3"), Some((place(1, 100_000), "3 significant digits".into())));
        assert_eq!(of("12"), Some((None, String::new())));
        assert_eq!(of("10^3"), Some((None, String::new())));
    }

    #[test]
    fn only_takes_a_number_alone() {
        assert!(only(" 0.015 ").is_some());
        assert!(only("2 %").is_some());
        assert!(only("2 metres").is_none());
        assert!(only("").is_none());
    }
}
