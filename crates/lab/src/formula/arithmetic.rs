//! Operations on numbers that are exact for as long as possible.
//!
//! In: exact or numerical operands. Out: the result, exact if all operands are and the
//! mathematics allows it, or the reason why there is none.

use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};
use veracity_protocol::Function;

use super::EvalError;
use crate::{IntoNumber, Number};

/// Most bits of an exact power, about three million decimal digits.
const MOST_BITS: u64 = 10_000_000;

/// Largest argument of a factorial and lower index of a binomial coefficient.
const LARGEST_FACTORIAL: u32 = 10_000;

pub(super) fn decimal(text: &str) -> Result<Number, EvalError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<BigInt>() {
        Ok(digits) if is_number => {
            let scale = BigInt::from(10).pow(fraction.len());
            Ok(Number::Exact(BigRational::new(digits, scale)))
        }
        _ => Err(EvalError::Malformed { why: format!("\"{text}\" is no decimal number") }),
    }
}

pub(super) fn integer(number: &Number, what: &'static str) -> Result<BigInt, EvalError> {
    match number {
        Number::Exact(exact) if exact.is_integer() => Ok(exact.to_integer()),
        other => Err(EvalError::NotInteger { what, value: format!("{other} and not an integer") }),
    }
}

fn finite(number: f64, what: impl FnOnce() -> String) -> Result<Number, EvalError> {
    if number.is_nan() {
        Err(EvalError::NotReal { what: what() })
    } else if number.is_infinite() {
        Err(EvalError::TooLarge { what: "a numerical result" })
    } else {
        Ok(Number::Float(number))
    }
}

pub(super) fn add(a: &Number, b: &Number) -> Result<Number, EvalError> {
    match (a, b) {
        (Number::Exact(a), Number::Exact(b)) => Ok(Number::Exact(a + b)),
        _ => finite(a.to_f64() + b.to_f64(), || format!("{a} + {b}")),
    }
}

pub(super) fn multiply(a: &Number, b: &Number) -> Result<Number, EvalError> {
    match (a, b) {
        (Number::Exact(a), Number::Exact(b)) => Ok(Number::Exact(a * b)),
        _ => finite(a.to_f64() * b.to_f64(), || format!("{a} times {b}")),
    }
}

pub(super) fn divide(a: &Number, b: &Number) -> Result<Number, EvalError> {
    match (a, b) {
        (_, Number::Exact(zero)) if zero.is_zero() => Err(EvalError::DivisionByZero),
        (_, Number::Float(0.0)) => Err(EvalError::DivisionByZero),
        (Number::Exact(a), Number::Exact(b)) => Ok(Number::Exact(a / b)),
        _ => finite(a.to_f64() / b.to_f64(), || format!("{a} over {b}")),
    }
}

pub(super) fn power(base: &Number, exponent: &Number) -> Result<Number, EvalError> {
    if let (Number::Exact(base), Number::Exact(exponent)) = (base, exponent) {
        if exponent.is_integer() {
            return Ok(Number::Exact(integer_power(base, exponent.numer())?));
        }
        if base.is_negative() {
            let what = format!("the power {exponent} of {base}");
            return Err(EvalError::NotReal { what });
        }
        if let Some(root) = exponent.denom().to_u32().and_then(|n| exact_root(base, n)) {
            return Ok(Number::Exact(integer_power(&root, exponent.numer())?));
        }
    }
    let (a, b) = (base.to_f64(), exponent.to_f64());
    if a == 0.0 && b < 0.0 {
        return Err(EvalError::DivisionByZero);
    }
    finite(a.powf(b), || format!("the power {exponent} of {base}"))
}

fn integer_power(base: &BigRational, exponent: &BigInt) -> Result<BigRational, EvalError> {
    if exponent.is_zero() || base.is_one() {
        return Ok(BigRational::one());
    }
    if base.is_zero() {
        return if exponent.is_negative() {
            Err(EvalError::DivisionByZero)
        } else {
            Ok(BigRational::zero())
        };
    }
    if (-base).is_one() {
        return Ok(if exponent.is_even() { BigRational::one() } else { base.clone() });
    }
    let too_large = EvalError::TooLarge { what: "a power" };
    let bits = base.numer().bits().max(base.denom().bits());
    match exponent.to_i32() {
        Some(exponent) if bits.saturating_mul(exponent.unsigned_abs().into()) <= MOST_BITS => {
            Ok(base.pow(exponent))
        }
        _ => Err(too_large),
    }
}

/// The non-negative root of a non-negative fraction, if it is a fraction.
fn exact_root(number: &BigRational, degree: u32) -> Option<BigRational> {
    let root = |part: &BigInt| {
        let root = part.nth_root(degree);
        (Pow::pow(&root, degree) == *part).then_some(root)
    };
    Some(BigRational::new(root(number.numer())?, root(number.denom())?))
}

pub(super) fn root(degree: &Number, body: &Number) -> Result<Number, EvalError> {
    let wanted = "a root's degree";
    let degree = integer(degree, wanted)?;
    let Some(n) = degree.to_u32().filter(|n| *n > 0) else {
        return Err(EvalError::NotInteger {
            what: wanted,
            value: format!("{degree} and not a positive integer"),
        });
    };
    let is_negative = match body {
        Number::Exact(body) => body.is_negative(),
        Number::Float(body) => *body < 0.0,
    };
    if is_negative {
        if n.is_multiple_of(2) {
            return Err(EvalError::NotReal { what: format!("root {n} of {body}") });
        }
        let minus = (-1).into_number();
        return multiply(&minus, &root(&n.into_number(), &multiply(&minus, body)?)?);
    }
    if let Number::Exact(body) = body
        && let Some(root) = exact_root(body, n)
    {
        return Ok(Number::Exact(root));
    }
    let number = body.to_f64();
    let root = match n {
        1 => number,
        2 => number.sqrt(),
        3 => number.cbrt(),
        _ => number.powf(1.0 / f64::from(n)),
    };
    finite(root, || format!("root {n} of {body}"))
}

pub(super) fn factorial(number: &Number) -> Result<Number, EvalError> {
    let wanted = "a factorial's argument";
    let n = integer(number, wanted)?;
    if n.sign() == Sign::Minus {
        return Err(EvalError::NotInteger { what: wanted, value: format!("{n} and negative") });
    }
    match n.to_u32().filter(|n| *n <= LARGEST_FACTORIAL) {
        Some(n) => Ok((1..=n).fold(BigInt::one(), |product, i| product * i).into_number()),
        None => Err(EvalError::TooLarge { what: wanted }),
    }
}

pub(super) fn binomial(n: &Number, k: &Number) -> Result<Number, EvalError> {
    let Number::Exact(n) = n else {
        let what = "a binomial coefficient's upper index";
        return Err(EvalError::NotInteger { what, value: format!("{n}, which is not exact") });
    };
    let mut k = integer(k, "a binomial coefficient's lower index")?;
    if n.is_integer() && !n.is_negative() && *n.numer() >= k {
        k = k.clone().min(n.numer() - &k);
    }
    if k.is_negative() {
        return Ok(0.into_number());
    }
    let Some(k) = k.to_u32().filter(|k| *k <= LARGEST_FACTORIAL) else {
        return Err(EvalError::TooLarge { what: "a binomial coefficient's lower index" });
    };
    let one = BigRational::one();
    let product =
        (0..k).fold(one, |product, i| product * (n - BigInt::from(i)) / BigInt::from(i + 1));
    Ok(Number::Exact(product))
}

pub(super) fn call(function: Function, arguments: &[Number]) -> Result<Number, EvalError> {
    match (function, arguments) {
        (Function::Exp, [x]) => finite(x.to_f64().exp(), || format!("exp({x})")),
        (Function::Ln, [x]) => logarithm(x, f64::ln),
        (Function::Log, [base, x]) => match base.to_f64() {
            2.0 => logarithm(x, f64::log2),
            10.0 => logarithm(x, f64::log10),
            _ => divide(&logarithm(x, f64::ln)?, &logarithm(base, f64::ln)?),
        },
        (Function::Sin, [x]) => finite(x.to_f64().sin(), || format!("sin({x})")),
        (Function::Cos, [x]) => finite(x.to_f64().cos(), || format!("cos({x})")),
        (Function::Tanh, [x]) => finite(x.to_f64().tanh(), || format!("tanh({x})")),
        (Function::Abs, [x]) => Ok(map(x, BigRational::abs, f64::abs)),
        (Function::Floor, [x]) => Ok(map(x, BigRational::floor, f64::floor)),
        (Function::Ceil, [x]) => Ok(map(x, BigRational::ceil, f64::ceil)),
        (Function::Min, [first, rest @ ..]) => Ok(extreme(first, rest, |a, b| a < b)),
        (Function::Max, [first, rest @ ..]) => Ok(extreme(first, rest, |a, b| a > b)),
        (function, arguments) => Err(EvalError::Malformed {
            why: format!("{function:?} does not take {} arguments", arguments.len()),
        }),
    }
}

fn logarithm(x: &Number, log: fn(f64) -> f64) -> Result<Number, EvalError> {
    let positive = x.to_f64() > 0.0;
    let value = if positive { log(x.to_f64()) } else { f64::NAN };
    finite(value, || format!("the logarithm of {x}"))
}

fn map(x: &Number, exact: fn(&BigRational) -> BigRational, float: fn(f64) -> f64) -> Number {
    match x {
        Number::Exact(x) => Number::Exact(exact(x)),
        Number::Float(x) => Number::Float(float(*x)),
    }
}

fn extreme(first: &Number, rest: &[Number], better: fn(f64, f64) -> bool) -> Number {
    rest.iter().fold(first.clone(), |best, next| {
        let is_better = match (next, &best) {
            (Number::Exact(next), Number::Exact(best)) => {
                let order = next.cmp(best) as i8;
                better(f64::from(order), 0.0)
            }
            (next, best) => better(next.to_f64(), best.to_f64()),
        };
        if is_better { next.clone() } else { best }
    })
}
