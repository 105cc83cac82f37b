//! Exact arithmetic on what cells publish and authors print.
//!
//! In: decimal text and published values. Out: rationals, and rationals as decimal text,
//! rounded half to even. Left out: comparing them, which is [`super::relation`]'s.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, Zero};
use veracity_protocol::Value;

/// Most bits that a power may have, so that a few characters cannot fill the memory.
const LARGEST_POWER: u64 = 16_384;

/// A published value as a number, or why it is none.
pub(crate) fn number(value: &Value) -> Result<BigRational, String> {
    let integer = |digits: &str| {
        digits.parse::<BigInt>().map_err(|_| format!("`{digits}` is not an integer"))
    };
    match value {
        Value::Integer { value } => Ok(integer(value)?.into()),
        Value::Rational { numerator, denominator } => {
            let (numerator, denominator) = (integer(numerator)?, integer(denominator)?);
            if denominator.is_zero() {
                return Err("the value has the denominator 0".into());
            }
            Ok(BigRational::new(numerator, denominator))
        }
        Value::Float { value } => float(value.0).ok_or_else(|| format!("the value is {value}")),
        Value::Bool { .. } => Err("the value is true or false".into()),
        Value::Text { .. } => Err("the value is text".into()),
        Value::Series { .. } => Err("the value is a series".into()),
        Value::Sample { .. } => Err("the value is a sample".into()),
    }
}

/// A double as its shortest decimal, which is how it is shown; none for NaN and infinities.
pub(crate) fn float(value: f64) -> Option<BigRational> {
    value.is_finite().then(|| decimal(&format!("{value:?}"))).flatten()
}

/// A value as text at full precision.
pub(crate) fn full(value: &Value) -> String {
    let list = |values: &[veracity_protocol::Float]| {
        let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
        format!("[{}]", shown.join(", "))
    };
    match value {
        Value::Integer { value } | Value::Text { value } => value.clone(),
        Value::Rational { numerator, denominator } if denominator == "1" => numerator.clone(),
        Value::Rational { numerator, denominator } => format!("{numerator}/{denominator}"),
        Value::Float { value } => value.to_string(),
        Value::Bool { value } => value.to_string(),
        Value::Series { values } | Value::Sample { values, .. } => list(values),
    }
}

/// A decimal such as `-12.5e-3`.
pub(crate) fn decimal(text: &str) -> Option<BigRational> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    Some(BigRational::from(digits) * power_of_ten(exponent)?)
}

/// Ten to a power, unless that is enormous.
pub(crate) fn power_of_ten(exponent: i64) -> Option<BigRational> {
    power(&BigInt::from(10), exponent)
}

/// An integer to a power, unless that is enormous.
pub(crate) fn power(base: &BigInt, exponent: i64) -> Option<BigRational> {
    let size = u32::try_from(exponent.unsigned_abs()).ok()?;
    if base.bits().saturating_mul(size.into()) > LARGEST_POWER || (base.is_zero() && exponent < 0) {
        return None;
    }
    let size = base.pow(size);
    Some(if exponent < 0 { BigRational::new(BigInt::one(), size) } else { size.into() })
}

/// A number with so many decimals, rounded half to even.
pub(crate) fn fixed(number: &BigRational, decimals: usize) -> String {
    let rounded =
        round_half_even(&(number.numer() * BigInt::from(10).pow(decimals)), number.denom());
    let digits = format!("{:0>width$}", rounded.abs().to_string(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if rounded.is_negative() { "-" } else { "" };
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Mantissa with so many decimals, and the power of ten, rounded half to even.
pub(crate) fn scientific(number: &BigRational, decimals: usize) -> (String, i64) {
    if number.is_zero() {
        return (fixed(number, decimals), 0);
    }
    let length =
        |integer: &BigInt| i64::try_from(integer.abs().to_string().len()).unwrap_or(i64::MAX);
    let mut exponent = length(number.numer()) - length(number.denom());
    let scaled = |exponent: i64| {
        let power: BigInt = BigInt::from(10).pow(exponent.unsigned_abs());
        if exponent < 0 {
            number * BigRational::from(power)
        } else {
            number / BigRational::from(power)
        }
    };
    let ten = BigRational::from(BigInt::from(10));
    while scaled(exponent).abs() < BigRational::one() {
        exponent -= 1;
    }
    while scaled(exponent).abs() >= ten {
        exponent += 1;
    }
    let mantissa = fixed(&scaled(exponent), decimals);
    // 9.96 with one decimal is 10.0.
    if mantissa.trim_start_matches('-').starts_with("10") {
        exponent += 1;
        return (fixed(&scaled(exponent), decimals), exponent);
    }
    (mantissa, exponent)
}

/// A number for people: exactly if that is short, else with seven digits and `≈`.
pub(crate) fn shown(number: &BigRational) -> String {
    // About forty digits before the point.
    if number.to_integer().bits() <= 133 {
        if number.is_integer() {
            return number.to_integer().to_string();
        }
        if let Some(decimals) = few_decimals(number) {
            return fixed(number, decimals);
        }
    }
    let (mantissa, exponent) = scientific(number, 6);
    match exponent {
        -4..=6 => format!("≈ {}", fixed(number, usize::try_from(6 - exponent).unwrap_or(0))),
        _ => format!("≈ {mantissa}e{exponent}"),
    }
}

/// How many decimals print a number exactly, if few do.
fn few_decimals(number: &BigRational) -> Option<usize> {
    let (mut rest, ten) = (number.denom().clone(), BigInt::from(10));
    (0..=12).find(|_| {
        let is_last = rest.is_one();
        // Each decimal takes a factor of ten from the denominator, or what there is of one.
        rest /= rest.gcd(&ten);
        is_last
    })
}

/// The integer next to a quotient, whose denominator is positive.
fn round_half_even(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let (below, rest) = numerator.div_mod_floor(denominator);
    match (rest * 2u8).cmp(denominator) {
        Ordering::Less => below,
        Ordering::Equal if below.is_even() => below,
        Ordering::Equal | Ordering::Greater => below + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> BigRational {
        decimal(text).expect("a decimal")
    }

    #[test]
    fn reads_and_writes_decimals_exactly() {
        assert_eq!(of("-12.50e-3"), BigRational::new((-1).into(), 80.into()));
        assert_eq!(float(0.1), Some(BigRational::new(1.into(), 10.into())));
        assert_eq!(float(1e300).map(|n| n.is_integer()), Some(true));
        assert_eq!(float(f64::NAN), None);
        assert_eq!(decimal("1e999999999"), None);
        assert_eq!(decimal(""), None);
    }

    #[test]
    fn rounds_half_to_even() {
        assert_eq!(fixed(&of("0.125"), 2), "0.12");
        assert_eq!(fixed(&of("0.375"), 2), "0.38");
        assert_eq!(fixed(&of("-0.375"), 2), "-0.38");
        assert_eq!(fixed(&of("-0.001"), 2), "0.00");
        assert_eq!(fixed(&of("2.5"), 0), "2");
        assert_eq!(fixed(&of("7"), 3), "7.000");
    }

    #[test]
    fn writes_scientific_notation() {
        assert_eq!(scientific(&of("0.0012345"), 2), ("1.23".into(), -3));
        assert_eq!(scientific(&of("9.96"), 1), ("1.0".into(), 1));
        assert_eq!(scientific(&of("-123456"), 1), ("-1.2".into(), 5));
        assert_eq!(scientific(&of("0"), 1), ("0.0".into(), 0));
    }

    #[test]
    fn shows_numbers_for_people() {
        assert_eq!(shown(&of("0.25")), "0.25");
        assert_eq!(shown(&BigRational::new(7.into(), 3.into())), "≈ 2.333333");
        assert_eq!(shown(&BigRational::new(1.into(), 3_000_000_000u64.into())), "≈ 3.333333e-10");
    }
}
