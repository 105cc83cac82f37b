//! How a table prints numbers.
//!
//! In: an exact or numerical number. Out: its text. Every rounding is that of the number's
//! exact value, half to even, so that a double prints as it would on paper.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

use crate::Number;

/// Significant digits of a number for which no format is given.
const DEFAULT_DIGITS: u32 = 6;

/// Powers of ten outside of which a number with significant digits is printed with a power.
const PLAIN_EXPONENTS: std::ops::Range<i64> = -4..12;

/// A format for the numbers of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    style: Style,
    grouping: Grouping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Shortest,
    Fixed(u32),
    Significant(u32),
    Scientific(u32),
    Percent(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grouping {
    None,
    Thousands,
}

impl Format {
    /// Prints a number of decimals: 2 gives 3.14.
    pub const fn fixed(decimals: u32) -> Self {
        Self::new(Style::Fixed(decimals))
    }

    /// Prints a number of significant digits: 2 gives 3.1 and 0.00031.
    ///
    /// # Panics
    ///
    /// If there are none.
    #[track_caller]
    pub const fn significant(digits: u32) -> Self {
        assert!(digits > 0, "a number needs at least one significant digit");
        Self::new(Style::Significant(digits))
    }

    /// Prints a power of ten after a number of decimals: 1 gives 3.1 × 10⁻⁵.
    pub const fn scientific(decimals: u32) -> Self {
        Self::new(Style::Scientific(decimals))
    }

    /// Prints a hundredfold with a percent sign: 1 gives 31.4 %.
    pub const fn percent(decimals: u32) -> Self {
        Self::new(Style::Percent(decimals))
    }

    /// Prints the nearest integer.
    pub const fn integer() -> Self {
        Self::fixed(0)
    }

    /// Separates thousands by commas.
    pub const fn grouped(self) -> Self {
        Self { grouping: Grouping::Thousands, ..self }
    }

    const fn new(style: Style) -> Self {
        Self { style, grouping: Grouping::None }
    }

    /// Prints a number.
    pub(crate) fn apply(self, number: &Number) -> String {
        let exact = match number {
            Number::Exact(exact) => exact.clone(),
            Number::Float(float) => match BigRational::from_float(*float) {
                Some(exact) => exact,
                None if float.is_nan() => return "NaN".into(),
                None if *float < 0.0 => return "−∞".into(),
                None => return "∞".into(),
            },
        };
        let text = match self.style {
            Style::Shortest if exact.is_integer() && matches!(number, Number::Exact(_)) => {
                fixed(&exact, 0)
            }
            Style::Shortest => shortest(&exact),
            Style::Fixed(decimals) => fixed(&exact, decimals),
            Style::Significant(digits) => significant(&exact, digits),
            Style::Scientific(decimals) => scientific(&exact, decimals),
            Style::Percent(decimals) => {
                format!("{} %", fixed(&(exact * BigInt::from(100)), decimals))
            }
        };
        let text = match self.grouping {
            Grouping::None => text,
            Grouping::Thousands => group(&text),
        };
        text.replacen('-', "−", 1)
    }
}

impl Default for Format {
    /// Integers in full, other numbers with up to six significant digits but no rounded tens.
    fn default() -> Self {
        Self::new(Style::Shortest)
    }
}

fn fixed(number: &BigRational, decimals: u32) -> String {
    let scaled = round(&(number * power_of_ten(i64::from(decimals))));
    let digits = scaled.magnitude().to_string();
    let decimals = decimals as usize;
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if scaled.is_negative() { "-" } else { "" };
    let point = if decimals > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}

fn significant(number: &BigRational, digits: u32) -> String {
    let (mantissa, exponent) = decompose(number, digits);
    if !PLAIN_EXPONENTS.contains(&exponent) {
        return scientific(number, digits - 1);
    }
    let last = exponent - i64::from(digits) + 1;
    let rounded = BigRational::from_integer(mantissa) * power_of_ten(last);
    fixed(&rounded, u32::try_from(-last).unwrap_or(0))
}

fn scientific(number: &BigRational, decimals: u32) -> String {
    let (mantissa, exponent) = decompose(number, decimals + 1);
    let mantissa = BigRational::from_integer(mantissa) * power_of_ten(-i64::from(decimals));
    let exponent: String = exponent.to_string().chars().map(superscript).collect();
    format!("{} × 10{exponent}", fixed(&mantissa, decimals))
}

fn shortest(number: &BigRational) -> String {
    let (_, exponent) = decompose(number, DEFAULT_DIGITS);
    if (i64::from(DEFAULT_DIGITS)..PLAIN_EXPONENTS.end).contains(&exponent) {
        return fixed(number, 0);
    }
    let text = significant(number, DEFAULT_DIGITS);
    let (mantissa, power) = match text.find(" × ") {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    format!("{mantissa}{power}")
}

/// Integer of so many digits and the power of ten of its first digit, after rounding.
fn decompose(number: &BigRational, digits: u32) -> (BigInt, i64) {
    if number.is_zero() {
        return (BigInt::zero(), 0);
    }
    let length = |part: &BigInt| part.magnitude().to_string().len() as i64;
    let mut exponent = length(number.numer()) - length(number.denom());
    if number.abs() < power_of_ten(exponent) {
        exponent -= 1;
    }
    let shift = i64::from(digits) - 1 - exponent;
    let mantissa = round(&(number * power_of_ten(shift)));
    if length(&mantissa) > i64::from(digits) {
        (mantissa / 10, exponent + 1)
    } else {
        (mantissa, exponent)
    }
}

fn round(number: &BigRational) -> BigInt {
    let floor = number.floor().to_integer();
    let twice = (number - &floor) * BigInt::from(2);
    let up = twice > BigRational::one() || (twice.is_one() && floor.is_odd());
    if up { floor + 1 } else { floor }
}

fn power_of_ten(exponent: i64) -> BigRational {
    let exponent = exponent.to_i32().unwrap_or(i32::MAX);
    BigRational::from_integer(BigInt::from(10)).pow(exponent)
}

fn group(text: &str) -> String {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let end = text[start..]
        .find(|c: char| !c.is_ascii_digit())
        .map_or(text.len(), |length| start + length);
    let mut grouped = text[..start].to_owned();
    for (at, digit) in text[start..end].chars().enumerate() {
        if at > 0 && (end - start - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &text[end..]
}

fn superscript(digit: char) -> char {
    match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => {
            digit.to_digit(10).and_then(|digit| char::from_u32('⁰' as u32 + digit)).unwrap_or(digit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntoNumber, ratio};

    #[track_caller]
    fn prints(format: Format, number: impl IntoNumber, expected: &str) {
        assert_eq!(format.apply(&number.into_number()), expected);
    }

    #[test]
    fn rounding_is_exact_and_half_to_even() {
        prints(Format::fixed(2), 0.125, "0.12");
        prints(Format::fixed(2), 0.375, "0.38");
        prints(Format::fixed(2), 1.005, "1.00");
        prints(Format::fixed(0), ratio(5, 2), "2");
        prints(Format::fixed(0), ratio(-7, 2), "−4");
        prints(Format::fixed(2), -0.001, "0.00");
        prints(Format::fixed(3), ratio(2, 3), "0.667");
    }

    #[test]
    fn significant_digits_survive_a_carry() {
        prints(Format::significant(2), 0.0996, "0.10");
        prints(Format::significant(3), 999.6, "1000");
        prints(Format::significant(3), 123_456, "123000");
        prints(Format::significant(2), 1.0e-7, "1.0 × 10⁻⁷");
        prints(Format::significant(3), 0, "0.00");
    }

    #[test]
    fn scientific_percent_and_grouping() {
        prints(Format::scientific(2), 31_999, "3.20 × 10⁴");
        prints(Format::scientific(1), 9.96, "1.0 × 10¹");
        prints(Format::scientific(1), -4.5e-10, "−4.5 × 10⁻¹⁰");
        prints(Format::percent(1), 0.8125, "81.2 %");
        prints(Format::integer().grouped(), 1_234_567, "1,234,567");
        prints(Format::fixed(2).grouped(), -123_456.0, "−123,456.00");
        prints(Format::integer().grouped(), 123, "123");
    }

    #[test]
    fn the_default_is_short_but_keeps_integers() {
        prints(Format::default(), 0.1 + 0.2, "0.3");
        prints(Format::default(), 0.1_f32, "0.1");
        prints(Format::default(), 123_456_789_012_345_i64, "123456789012345");
        prints(Format::default(), 2.5e-9, "2.5 × 10⁻⁹");
        prints(Format::default(), 1_234_567.8, "1234568");
        prints(Format::default(), f64::NAN, "NaN");
        prints(Format::default(), f64::NEG_INFINITY, "−∞");
    }
}
