//! Evaluation of an expression.
//!
//! In: an expression and numbers for its variables. Out: a number, exact wherever the
//! mathematics allows, or the reason why there is none.

use std::error::Error;
use std::fmt;

use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};
use veracity_protocol::{Expr, Function};

use crate::{IntoNumber, Number, closest};

/// Most terms of all sums and products of one evaluation together.
const MOST_TERMS: u64 = 1_000_000;

/// Most bits of an exact power, about three million decimal digits.
const MOST_BITS: u64 = 10_000_000;

/// Largest argument of a factorial and lower index of a binomial coefficient.
const LARGEST_FACTORIAL: u32 = 10_000;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvalError {
    /// A variable has no number.
    UnknownVariable {
        /// As printed.
        name: String,
        /// The given name that was probably meant.
        meant: Option<String>,
    },
    /// The divisor is 0, or 0 has a negative exponent.
    DivisionByZero,
    /// Something has to be an integer in some range and is not.
    NotInteger {
        /// What has to be one.
        what: &'static str,
        /// What it is.
        value: String,
    },
    /// The value is no real number.
    NotReal {
        /// Of which function, at which argument.
        what: String,
    },
    /// The value is too large.
    TooLarge {
        /// What grows too large.
        what: &'static str,
    },
    /// Sums and products have more than a million terms.
    TooManyTerms,
    /// The expression itself makes no sense.
    Malformed {
        /// Why.
        why: String,
    },
    /// The sides of a formula are not related as printed.
    SidesDisagree {
        /// Which, with their values.
        message: String,
        /// The numbers of the variables.
        place: String,
    },
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVariable { name, meant: None } => {
                write!(f, "the variable \"{name}\" has no number")
            }
            Self::UnknownVariable {
                name,
                meant: Some(meant),
            } => {
                write!(
                    f,
                    "the variable \"{name}\" has no number; did you mean it by \"{meant}\"?"
                )
            }
            Self::DivisionByZero => f.write_str("division by zero"),
            Self::NotInteger { what, value } => write!(f, "{what} is {value}"),
            Self::NotReal { what } => write!(f, "{what} is no real number"),
            Self::TooLarge { what } => write!(f, "{what} is too large"),
            Self::TooManyTerms => write!(f, "sums and products of more than {MOST_TERMS} terms"),
            Self::Malformed { why } => f.write_str(why),
            Self::SidesDisagree { message, place } if place.is_empty() => f.write_str(message),
            Self::SidesDisagree { message, place } => write!(f, "{message} ({place})"),
        }
    }
}

impl Error for EvalError {}

/// Evaluates an expression.
pub(super) fn evaluate(expr: &Expr, variables: &[(String, Number)]) -> Result<Number, EvalError> {
    Scope {
        variables,
        indices: Vec::new(),
        terms: 0,
    }
    .eval(expr)
}

/// Whether two spellings name one variable: `\alpha` and `alpha`, `x_{1}` and `x_1`.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    letters(a).eq(letters(b))
}

/// The spelling of a name without backslash and braces.
pub(crate) fn plain_name(name: &str) -> String {
    letters(name).collect()
}

/// Appends the variables that need a number, each once, in the order of their appearance.
pub(super) fn free_variables(expr: &Expr, bound: &mut Vec<String>, found: &mut Vec<String>) {
    match expr {
        Expr::Number(_) => {}
        Expr::Variable(name) => {
            let is_bound = bound.iter().any(|index| same_name(index, name));
            let is_known = found.iter().any(|known| same_name(known, name));
            if !is_bound && !is_known && name != "\\pi" {
                found.push(name.clone());
            }
        }
        Expr::Negate(body) | Expr::Factorial(body) => free_variables(body, bound, found),
        Expr::Add(parts) | Expr::Multiply(parts) | Expr::Call(_, parts) => {
            for part in parts {
                free_variables(part, bound, found);
            }
        }
        Expr::Divide(a, b) | Expr::Power(a, b) | Expr::Binomial(a, b) => {
            free_variables(a, bound, found);
            free_variables(b, bound, found);
        }
        Expr::Root { degree, body } => {
            free_variables(degree, bound, found);
            free_variables(body, bound, found);
        }
        Expr::Sum {
            index,
            from,
            to,
            body,
        }
        | Expr::Product {
            index,
            from,
            to,
            body,
        } => {
            free_variables(from, bound, found);
            free_variables(to, bound, found);
            bound.push(index.clone());
            free_variables(body, bound, found);
            bound.pop();
        }
    }
}

fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars()
        .filter(|c| !matches!(c, '\\' | '{' | '}' | ' '))
}

struct Scope<'a> {
    variables: &'a [(String, Number)],
    /// Indices of the sums and products around, innermost last.
    indices: Vec<(&'a str, BigInt)>,
    terms: u64,
}

impl<'a> Scope<'a> {
    fn eval(&mut self, expr: &'a Expr) -> Result<Number, EvalError> {
        match expr {
            Expr::Number(text) => decimal(text),
            Expr::Variable(name) => self.variable(name),
            Expr::Negate(body) => multiply(&(-1).into_number(), &self.eval(body)?),
            Expr::Add(terms) => self.fold(terms, 0, add),
            Expr::Multiply(factors) => self.fold(factors, 1, multiply),
            Expr::Divide(a, b) => divide(&self.eval(a)?, &self.eval(b)?),
            Expr::Power(base, exponent) => power(&self.eval(base)?, &self.eval(exponent)?),
            Expr::Binomial(n, k) => binomial(&self.eval(n)?, &self.eval(k)?),
            Expr::Factorial(body) => factorial(&self.eval(body)?),
            Expr::Sum {
                index,
                from,
                to,
                body,
            } => self.repeat(index, (from, to), body, 0, add),
            Expr::Product {
                index,
                from,
                to,
                body,
            } => self.repeat(index, (from, to), body, 1, multiply),
            Expr::Root { degree, body } => root(&self.eval(degree)?, &self.eval(body)?),
            Expr::Call(function, arguments) => {
                let arguments: Result<Vec<_>, _> = arguments
                    .iter()
                    .map(|argument| self.eval(argument))
                    .collect();
                call(*function, &arguments?)
            }
        }
    }

    fn variable(&self, name: &str) -> Result<Number, EvalError> {
        let bound = self
            .indices
            .iter()
            .rev()
            .find(|(index, _)| same_name(index, name));
        if let Some((_, at)) = bound {
            return Ok(at.into_number());
        }
        let given = |name: &str| {
            self.variables
                .iter()
                .find(|(given, _)| same_name(given, name))
        };
        if let Some((_, number)) = given(name) {
            return Ok(number.clone());
        }
        if let Some((_, number)) = self.indexed(name).as_deref().and_then(given) {
            return Ok(number.clone());
        }
        if name == "\\pi" {
            return Ok(Number::Float(std::f64::consts::PI));
        }
        let meant = closest(name, self.variables.iter().map(|(given, _)| given.as_str()));
        Err(EvalError::UnknownVariable {
            name: name.into(),
            meant: meant.map(str::to_owned),
        })
    }

    /// `q_3` for `q_i` where the index i is 3.
    fn indexed(&self, name: &str) -> Option<String> {
        let (stem, subscript) = name.split_once('_')?;
        let (_, at) = self
            .indices
            .iter()
            .rev()
            .find(|(index, _)| same_name(index, subscript))?;
        Some(format!("{stem}_{at}"))
    }

    fn fold(&mut self, parts: &'a [Expr], start: i64, join: Join) -> Result<Number, EvalError> {
        let mut folded = start.into_number();
        for part in parts {
            folded = join(&folded, &self.eval(part)?)?;
        }
        Ok(folded)
    }

    fn repeat(
        &mut self,
        index: &'a str,
        (from, to): (&'a Expr, &'a Expr),
        body: &'a Expr,
        start: i64,
        join: Join,
    ) -> Result<Number, EvalError> {
        let mut at = integer(&self.eval(from)?, "the lower bound")?;
        let last = integer(&self.eval(to)?, "the upper bound")?;
        let mut folded = start.into_number();
        while at <= last {
            self.terms += 1;
            if self.terms > MOST_TERMS {
                return Err(EvalError::TooManyTerms);
            }
            self.indices.push((index, at.clone()));
            let term = self.eval(body);
            self.indices.pop();
            folded = join(&folded, &term?)?;
            at += 1;
        }
        Ok(folded)
    }
}

type Join = fn(&Number, &Number) -> Result<Number, EvalError>;

fn decimal(text: &str) -> Result<Number, EvalError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<BigInt>() {
        Ok(digits) if is_number => {
            let scale = BigInt::from(10).pow(fraction.len());
            Ok(Number::Exact(BigRational::new(digits, scale)))
        }
        _ => Err(EvalError::Malformed {
            why: format!("\"{text}\" is no decimal number"),
        }),
    }
}

fn integer(number: &Number, what: &'static str) -> Result<BigInt, EvalError> {
    match number {
        Number::Exact(exact) if exact.is_integer() => Ok(exact.to_integer()),
        other => Err(EvalError::NotInteger {
            what,
            value: format!("{other} and not an integer"),
        }),
    }
}

fn finite(number: f64, what: impl FnOnce() -> String) -> Result<Number, EvalError> {
    if number.is_nan() {
        Err(EvalError::NotReal { what: what() })
    } else if number.is_infinite() {
        Err(EvalError::TooLarge {
            what: "a numerical result",
        })
    } else {
        Ok(Number::Float(number))
    }
}

fn add(a: &Number, b: &Number) -> Result<Number, EvalError> {
    match (a, b) {
        (Number::Exact(a), Number::Exact(b)) => Ok(Number::Exact(a + b)),
        _ => finite(a.to_f64() + b.to_f64(), || format!("{a} + {b}")),
    }
}

fn multiply(a: &Number, b: &Number) -> Result<Number, EvalError> {
    match (a, b) {
        (Number::Exact(a), Number::Exact(b)) => Ok(Number::Exact(a * b)),
        _ => finite(a.to_f64() * b.to_f64(), || format!("{a} times {b}")),
    }
}

fn divide(a: &Number, b: &Number) -> Result<Number, EvalError> {
    match (a, b) {
        (_, Number::Exact(zero)) if zero.is_zero() => Err(EvalError::DivisionByZero),
        (_, Number::Float(0.0)) => Err(EvalError::DivisionByZero),
        (Number::Exact(a), Number::Exact(b)) => Ok(Number::Exact(a / b)),
        _ => finite(a.to_f64() / b.to_f64(), || format!("{a} over {b}")),
    }
}

fn power(base: &Number, exponent: &Number) -> Result<Number, EvalError> {
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
        return Ok(if exponent.is_even() {
            BigRational::one()
        } else {
            base.clone()
        });
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
    Some(BigRational::new(
        root(number.numer())?,
        root(number.denom())?,
    ))
}

fn root(degree: &Number, body: &Number) -> Result<Number, EvalError> {
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
        if n % 2 == 0 {
            return Err(EvalError::NotReal {
                what: format!("root {n} of {body}"),
            });
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

fn factorial(number: &Number) -> Result<Number, EvalError> {
    let wanted = "a factorial's argument";
    let n = integer(number, wanted)?;
    if n.sign() == Sign::Minus {
        return Err(EvalError::NotInteger {
            what: wanted,
            value: format!("{n} and negative"),
        });
    }
    match n.to_u32().filter(|n| *n <= LARGEST_FACTORIAL) {
        Some(n) => Ok((1..=n)
            .fold(BigInt::one(), |product, i| product * i)
            .into_number()),
        None => Err(EvalError::TooLarge { what: wanted }),
    }
}

fn binomial(n: &Number, k: &Number) -> Result<Number, EvalError> {
    let Number::Exact(n) = n else {
        let what = "a binomial coefficient's upper index";
        return Err(EvalError::NotInteger {
            what,
            value: format!("{n}, which is not exact"),
        });
    };
    let mut k = integer(k, "a binomial coefficient's lower index")?;
    if n.is_integer() && !n.is_negative() && *n.numer() >= k {
        k = k.clone().min(n.numer() - &k);
    }
    if k.is_negative() {
        return Ok(0.into_number());
    }
    let Some(k) = k.to_u32().filter(|k| *k <= LARGEST_FACTORIAL) else {
        return Err(EvalError::TooLarge {
            what: "a binomial coefficient's lower index",
        });
    };
    let one = BigRational::one();
    let product = (0..k).fold(one, |product, i| {
        product * (n - BigInt::from(i)) / BigInt::from(i + 1)
    });
    Ok(Number::Exact(product))
}

fn call(function: Function, arguments: &[Number]) -> Result<Number, EvalError> {
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

#[cfg(test)]
mod tests {
    use super::super::tests::{add, binom, div, mul, num, pow, sum, var};
    use super::*;
    use crate::{exact, ratio};

    fn at(expr: &Expr, variables: &[(&str, BigRational)]) -> Result<Number, EvalError> {
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, number)| ((*name).to_owned(), Number::Exact(number.clone())))
            .collect();
        evaluate(expr, &variables)
    }

    #[track_caller]
    fn is_exactly(expr: &Expr, variables: &[(&str, BigRational)], expected: BigRational) {
        assert_eq!(at(expr, variables), Ok(Number::Exact(expected)));
    }

    #[track_caller]
    fn fails(expr: &Expr, message: &str) {
        assert_eq!(at(expr, &[]).unwrap_err().to_string(), message);
    }

    fn negate(expr: Expr) -> Expr {
        Expr::Negate(expr.into())
    }

    fn root_of(degree: &str, body: Expr) -> Expr {
        Expr::Root {
            degree: num(degree).into(),
            body: body.into(),
        }
    }

    #[test]
    fn decimals_are_exact() {
        is_exactly(&num("0.25"), &[], ratio(1, 4));
        is_exactly(&add([num("0.1"), num("0.2")]), &[], ratio(3, 10));
        is_exactly(&num(".5"), &[], ratio(1, 2));
        fails(&num("1e5"), "\"1e5\" is no decimal number");
        fails(&num("."), "\".\" is no decimal number");
    }

    #[test]
    fn binomials_agree_with_pascals_triangle() {
        let mut row = vec![BigInt::one()];
        for n in 0..30_i64 {
            for k in -2..33_i64 {
                let expected = usize::try_from(k).ok().and_then(|k| row.get(k)).cloned();
                let expr = binom(var("n"), var("k"));
                let expected = exact(expected.unwrap_or_default());
                is_exactly(&expr, &[("n", exact(n)), ("k", exact(k))], expected);
            }
            let inner = row.windows(2).map(|pair| &pair[0] + &pair[1]);
            let one = || std::iter::once(BigInt::one());
            row = one().chain(inner).chain(one()).collect();
        }
    }

    #[test]
    fn binomials_continue_as_polynomials() {
        // binom(-3, 2) = (-3)(-4)/2 and binom(1/2, 2) = (1/2)(-1/2)/2.
        is_exactly(&binom(negate(num("3")), num("2")), &[], exact(6));
        is_exactly(&binom(num("0.5"), num("2")), &[], ratio(-1, 8));
        is_exactly(&binom(num("0"), num("0")), &[], exact(1));
        is_exactly(&binom(num("100000"), num("99999")), &[], exact(100_000));
        fails(
            &binom(num("3"), num("0.5")),
            "a binomial coefficient's lower index is 1/2 and not an integer",
        );
    }

    #[test]
    fn powers_and_roots_are_exact_where_they_can_be() {
        is_exactly(&pow(num("0"), num("0")), &[], exact(1));
        is_exactly(&pow(num("2"), negate(num("3"))), &[], ratio(1, 8));
        is_exactly(&pow(div(num("4"), num("9")), num("1.5")), &[], ratio(8, 27));
        is_exactly(&root_of("2", num("0.25")), &[], ratio(1, 2));
        is_exactly(&root_of("3", negate(num("27"))), &[], exact(-3));
        let Ok(Number::Float(root)) = at(&root_of("2", num("2")), &[]) else {
            panic!()
        };
        assert_eq!(root, std::f64::consts::SQRT_2);
        is_exactly(&pow(negate(num("1")), num("1000000000001")), &[], exact(-1));
        fails(&pow(num("0"), negate(num("1"))), "division by zero");
        fails(&pow(num("2"), num("100000000")), "a power is too large");
        fails(
            &pow(negate(num("8")), num("0.5")),
            "the power 1/2 of -8 is no real number",
        );
        fails(
            &root_of("2", negate(num("4"))),
            "root 2 of -4 is no real number",
        );
        fails(
            &root_of("0", num("4")),
            "a root's degree is 0 and not a positive integer",
        );
    }

    #[test]
    fn sums_and_products_have_inclusive_bounds() {
        let cubes = sum("k", num("1"), var("n"), pow(var("k"), num("3")));
        // Nicomachus: the sum of the cubes is the square of the sum.
        for n in 0..20_i64 {
            is_exactly(&cubes, &[("n", exact(n))], exact((n * (n + 1) / 2).pow(2)));
        }
        let factorial = Expr::Product {
            index: "i".into(),
            from: num("1").into(),
            to: num("25").into(),
            body: var("i").into(),
        };
        let twenty_five = at(&Expr::Factorial(num("25").into()), &[]).unwrap();
        assert_eq!(at(&factorial, &[]).unwrap(), twenty_five);
        assert_eq!(twenty_five.to_string(), "15511210043330985984000000");
        is_exactly(&sum("k", num("3"), num("2"), num("7")), &[], exact(0));
        fails(
            &sum("k", num("0"), num("0.5"), num("1")),
            "the upper bound is 1/2 and not an integer",
        );
        let huge = sum(
            "k",
            num("1"),
            num("2000"),
            sum("l", num("1"), num("2000"), num("1")),
        );
        assert_eq!(at(&huge, &[]), Err(EvalError::TooManyTerms));
    }

    #[test]
    fn an_index_hides_a_variable_and_selects_components() {
        let shadow = add([var("k"), sum("k", num("1"), num("2"), var("k"))]);
        is_exactly(&shadow, &[("k", exact(10))], exact(13));
        let dot = sum("i", num("1"), num("2"), mul([var("q_i"), var("k_{i}")]));
        let numbers = [
            ("q_1", exact(2)),
            ("q_2", exact(3)),
            ("k_1", exact(5)),
            ("k_2", ratio(1, 3)),
        ];
        is_exactly(&dot, &numbers, exact(11));
    }

    #[test]
    fn unknown_variables_are_named() {
        let given = [("D1", exact(1)), ("alpha", exact(1))];
        let error = at(&var("D"), &given).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the variable \"D\" has no number; did you mean it by \"D1\"?"
        );
        is_exactly(&var("\\alpha"), &given, exact(1));
        is_exactly(&var("x_{1}"), &[("x_1", exact(4))], exact(4));
    }

    #[test]
    fn functions_are_exact_or_numerical() {
        let call = |function, arguments: &[Expr]| Expr::Call(function, arguments.to_vec());
        is_exactly(
            &call(Function::Floor, &[negate(num("0.5"))]),
            &[],
            exact(-1),
        );
        is_exactly(&call(Function::Ceil, &[num("1.2")]), &[], exact(2));
        is_exactly(
            &call(Function::Abs, &[negate(num("0.5"))]),
            &[],
            ratio(1, 2),
        );
        is_exactly(
            &call(Function::Min, &[num("3"), num("0.5"), num("2")]),
            &[],
            ratio(1, 2),
        );
        is_exactly(
            &call(Function::Max, &[num("3"), num("0.5"), num("4")]),
            &[],
            exact(4),
        );
        let log = call(Function::Log, &[num("2"), num("1024")]);
        assert_eq!(at(&log, &[]), Ok(Number::Float(10.0)));
        fails(
            &call(Function::Ln, &[num("0")]),
            "the logarithm of 0 is no real number",
        );
        fails(
            &call(Function::Exp, &[num("1000")]),
            "a numerical result is too large",
        );
        fails(&call(Function::Exp, &[]), "Exp does not take 0 arguments");
        fails(&div(num("1"), num("0")), "division by zero");
        fails(
            &Expr::Factorial(negate(num("1")).into()),
            "a factorial's argument is -1 and negative",
        );
    }
}
