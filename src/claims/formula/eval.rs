//! The exact value of a formula at a point.
//!
//! In: an expression, and what its variables are. Out: its value as a fraction, or why it has none. Left out: roots
//! and other functions, which a check evaluates by `equation!`.

use std::ops::{Add, Mul};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use veracity_protocol::Expr;

use crate::claims::exact;

/// Largest exponent that is computed.
const LARGEST: i32 = 1000;

/// Most binary digits of a power that is computed, above and below its line.
const MOST_BITS: u64 = 4096;

/// Most binary digits of what is joined further.
const MOST_JOINED: u64 = 1 << 14;

/// Most terms of all sums and products together.
const MOST_TERMS: u64 = 10_000;

/// The value of a formula whose variables are given by their names in LaTeX.
///
/// Empty sums are 0 and empty products 1; a binomial coefficient is 0 for a negative lower index and the polynomial
/// n(n−1)…(n−k+1)/k! in its upper one otherwise. `q_i` is `q_3` where the index i is 3.
///
/// # Errors
/// In words, if a variable is not given, or there is no value or one that is too large.
pub(crate) fn eval(
    formula: &Expr,
    given: &mut dyn FnMut(&str) -> Option<BigRational>,
) -> Result<BigRational, String> {
    Scope { given, indices: Vec::new(), terms: 0 }.eval(formula)
}

struct Scope<'a> {
    given: &'a mut dyn FnMut(&str) -> Option<BigRational>,
    /// Of the sums and products around, innermost last.
    indices: Vec<(&'a str, BigInt)>,
    terms: u64,
}

impl<'a> Scope<'a> {
    fn eval(&mut self, formula: &'a Expr) -> Result<BigRational, String> {
        match formula {
            Expr::Number(digits) => {
                exact::decimal(digits).ok_or_else(|| format!("`{digits}` is no number"))
            }
            Expr::Variable(name) => self.variable(name),
            Expr::Negate(body) => Ok(-self.eval(body)?),
            Expr::Add(terms) => {
                terms.iter().try_fold(BigRational::zero(), |sum, it| Ok(sum + self.eval(it)?))
            }
            Expr::Multiply(factors) => factors
                .iter()
                .try_fold(BigRational::one(), |product, it| limited(product * self.eval(it)?)),
            Expr::Divide(above, below) => {
                let (above, below) = (self.eval(above)?, self.eval(below)?);
                if below.is_zero() { Err("it divides by zero".into()) } else { Ok(above / below) }
            }
            Expr::Power(base, exponent) => power(&self.eval(base)?, &self.eval(exponent)?),
            Expr::Binomial(upper, lower) => binomial(self.eval(upper)?, &self.eval(lower)?),
            Expr::Factorial(body) => {
                let size = small(&self.eval(body)?)?;
                if size < 0 {
                    return Err("it has the factorial of a negative number".into());
                }
                Ok((1..=size).map(whole).product())
            }
            Expr::Sum { index, from, to, body } => {
                self.repeat(index, [from, to], body, (BigRational::zero(), Add::add))
            }
            Expr::Product { index, from, to, body } => {
                self.repeat(index, [from, to], body, (BigRational::one(), Mul::mul))
            }
            Expr::Root { .. } | Expr::Call(..) => {
                Err("roots and functions are evaluated by a check, with `equation!`".into())
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<BigRational, String> {
        let value = |index: &str| {
            let mut around = self.indices.iter().rev();
            around.find(|(own, _)| *own == index).map(|(_, value)| value)
        };
        if let Some(value) = value(name) {
            return Ok(value.clone().into());
        }
        let component = name.split_once('_').and_then(|(stem, index)| {
            let index = index.trim_matches(['{', '}']);
            Some(format!("{stem}_{}", value(index)?))
        });
        let name = component.as_deref().unwrap_or(name);
        (self.given)(name).ok_or_else(|| format!("what `{name}` is was not said"))
    }

    fn repeat(
        &mut self,
        index: &'a str,
        bounds: [&'a Expr; 2],
        body: &'a Expr,
        (mut all, join): (BigRational, fn(BigRational, BigRational) -> BigRational),
    ) -> Result<BigRational, String> {
        let [first, last] = bounds.map(|it| self.eval(it).and_then(|it| small(&it)));
        for at in first?..=last? {
            self.terms += 1;
            if self.terms > MOST_TERMS {
                return Err("its sums and products have too many terms".into());
            }
            self.indices.push((index, at.into()));
            let term = self.eval(body);
            self.indices.pop();
            all = limited(join(all, term?))?;
        }
        Ok(all)
    }
}

fn power(base: &BigRational, exponent: &BigRational) -> Result<BigRational, String> {
    let whole = exponent.is_integer().then(|| exponent.to_i32()).flatten();
    match whole.filter(|whole| whole.abs() <= LARGEST) {
        Some(whole) if whole < 0 && base.is_zero() => Err("it divides by zero".into()),
        Some(whole) if bits(base).saturating_mul(whole.unsigned_abs().into()) > MOST_BITS => {
            Err("a power in it has too many digits".into())
        }
        Some(whole) => Ok(base.pow(whole)),
        None => Err(format!("its exponent {} is no small integer", exact::shown(exponent))),
    }
}

fn binomial(upper: BigRational, lower: &BigRational) -> Result<BigRational, String> {
    let lower = small(lower)?;
    if lower < 0 {
        return Ok(BigRational::zero());
    }
    Ok((0..lower)
        .fold(BigRational::one(), |product, at| product * (&upper - whole(at)) / whole(at + 1)))
}

fn limited(number: BigRational) -> Result<BigRational, String> {
    if bits(&number) > MOST_JOINED {
        Err("a number in it has too many digits".into())
    } else {
        Ok(number)
    }
}

fn small(number: &BigRational) -> Result<i32, String> {
    let whole = number.is_integer().then(|| number.to_i32()).flatten();
    whole
        .filter(|whole| whole.abs() <= LARGEST)
        .ok_or_else(|| format!("{} in it is no small integer", exact::shown(number)))
}

fn whole(number: i32) -> BigRational {
    BigInt::from(number).into()
}

/// How many binary digits a fraction has above or below its line.
fn bits(number: &BigRational) -> u64 {
    number.numer().bits().max(number.denom().bits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Display, Macros, Math};

    fn value(latex: &str) -> String {
        let math = Math::parse(latex, Display::Inline, &Macros::default());
        let formula = math.and_then(|math| math.equation("")).expect("a formula");
        let mut given = |name: &str| match name {
            "n" => Some(whole(7)),
            "k" => Some(whole(3)),
            "q_1" | "q_2" => Some(whole(5)),
            _ => None,
        };
        eval(&formula.sides[0], &mut given).map_or_else(|error| error, |it| it.to_string())
    }

    #[test]
    fn sums_products_and_binomials_have_their_published_values() {
        for (latex, expected) in [
            ("\\sum_{i=1}^{n} i^3", "784"),
            ("\\prod_{i=1}^{n} i", "5040"),
            ("n!", "5040"),
            ("\\binom{n}{k}", "35"),
            ("\\binom{-3}{2}", "6"),
            ("\\binom{k}{n}", "0"),
            ("\\sum_{i=0}^{n} \\binom{n}{i}", "128"),
            ("\\sum_{i=1}^{2} q_i", "10"),
            ("\\sum_{i=1}^{0} i", "0"),
            ("\\prod_{i=1}^{0} i", "1"),
            ("\\sum_{i=1}^{3} q_i", "what `q_3` is was not said"),
            ("\\sum_{i=1}^{n/2} i", "3.5 in it is no small integer"),
            ("\\prod_{i=1}^{1000} i^{100}", "a number in it has too many digits"),
            ("\\sqrt{n}", "roots and functions are evaluated by a check, with `equation!`"),
        ] {
            assert_eq!(value(latex), expected, "{latex}");
        }
    }
}
