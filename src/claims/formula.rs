//! Formulas in the text of a claim, compared with a number at a point: `[$L^2 D$](claim:x "at L = 64, D = 8")`.
//!
//! In: the formula, what its variables are, and the number that a cell published. Out: whether the
//! formula gives that number, exactly. Left out: sums over an index, roots and other functions,
//! which a check evaluates by `equation!`.

use std::collections::{BTreeMap, BTreeSet};

use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use veracity_protocol::{Expr, Relation};

use super::number::{self, Printed};
use super::{Verdict, exact};
use crate::math::{Display, Macros, Math};

/// What the variables of a formula are, and how far the number may be from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Variables by their names in LaTeX, as written.
    at: Vec<(String, Printed)>,
    /// Largest distance; none for the very number.
    within: Option<Printed>,
}

/// Largest exponent that is computed.
const LARGEST: i32 = 1000;

impl Point {
    /// Parses what stands behind `at`: `L = 64, D = 8` or `K = 2, ± 0.1`.
    ///
    /// # Errors
    /// The part that is neither.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut point = Self { at: Vec::new(), within: None };
        for part in text.split(',').map(str::trim) {
            let unknown = || {
                format!(
                    "`{part}` gives no variable a number; write `at L = 64, D = 8` or add `± 0.1`"
                )
            };
            if let Some(size) = part.strip_prefix('±') {
                point.within = Some(number::only(size).ok_or_else(unknown)?);
                continue;
            }
            let (name, value) = part.split_once('=').ok_or_else(unknown)?;
            let value = number::only(value).ok_or_else(unknown)?;
            point.at.push((name.trim().to_owned(), value));
        }
        match point.at.is_empty() {
            true => Err(format!("`at {text}` gives no variable a number")),
            false => Ok(point),
        }
    }

    /// The point in words.
    pub(super) fn words(&self) -> String {
        let within = self.within.iter().map(|size| format!(", ± {}", size.text));
        format!("at {}{}", self.variables(), within.collect::<String>())
    }

    /// What the variables are, in words.
    pub(super) fn variables(&self) -> String {
        let at = self.at.iter().map(|(name, value)| format!("{name} = {}", value.text));
        at.collect::<Vec<_>>().join(", ")
    }

    /// How far the number may be from what the formula gives.
    pub(super) fn largest_distance(&self) -> BigRational {
        self.within.as_ref().map_or_else(BigRational::zero, Printed::plain)
    }

    /// Compares a formula at this point with a number.
    pub(super) fn compare(&self, latex: &str, value: &BigRational) -> Verdict {
        let sides = match self.sides(latex) {
            Ok(sides) => sides,
            Err(message) => {
                return Verdict::Error(format!("the formula cannot be computed: {message}"));
            }
        };
        let size = self.largest_distance();
        if sides.iter().any(|side| !side.is_zero() && size >= side.abs()) {
            return Verdict::Vacuous("the tolerance accepts 0 as well".into());
        }
        match sides.into_iter().find(|side| (side - value).abs() > size) {
            None => Verdict::Verified,
            Some(side) => Verdict::Refuted(format!(
                "the formula gives {} and the value is {}",
                exact::shown(&side),
                exact::shown(value)
            )),
        }
    }

    fn sides(&self, latex: &str) -> Result<Vec<BigRational>, String> {
        let said = |error: crate::math::MathError| error.message;
        let math = Math::parse(latex, Display::Inline, &Macros::default()).map_err(said)?;
        let formula = math.equation("").map_err(said)?;
        let is_compared = |relation: &Relation| match relation {
            Relation::Equal => true,
            Relation::Approximate => self.within.is_some(),
            _ => false,
        };
        if !formula.relations.iter().all(is_compared) {
            return Err(
                "only `=` is compared at a point, and `≈` with a tolerance such as `± 0.1`".into(),
            );
        }
        let at: BTreeMap<&str, BigRational> =
            self.at.iter().map(|(name, value)| (name.as_str(), value.plain())).collect();
        let mut used = BTreeSet::new();
        let sides = formula.sides.iter().map(|side| eval(side, &at, &mut used));
        let sides = sides.collect::<Result<Vec<_>, _>>()?;
        match self.at.iter().find(|(name, _)| !used.contains(name)) {
            Some((name, _)) => Err(format!("`{name}` does not stand in it")),
            None => Ok(sides),
        }
    }
}

fn eval(
    formula: &Expr,
    at: &BTreeMap<&str, BigRational>,
    used: &mut BTreeSet<String>,
) -> Result<BigRational, String> {
    let mut of = |formula: &Expr| eval(formula, at, used);
    match formula {
        Expr::Number(digits) => {
            exact::decimal(digits).ok_or_else(|| format!("`{digits}` is no number"))
        }
        Expr::Variable(name) => {
            used.insert(name.clone());
            at.get(name.as_str()).cloned().ok_or_else(|| format!("what `{name}` is was not said"))
        }
        Expr::Negate(body) => Ok(-of(body)?),
        Expr::Add(terms) => terms.iter().try_fold(BigRational::zero(), |sum, it| Ok(sum + of(it)?)),
        Expr::Multiply(factors) => {
            factors.iter().try_fold(BigRational::one(), |product, it| Ok(product * of(it)?))
        }
        Expr::Divide(above, below) => {
            let (above, below) = (of(above)?, of(below)?);
            if below.is_zero() { Err("it divides by zero".into()) } else { Ok(above / below) }
        }
        Expr::Power(base, exponent) => {
            let (base, exponent) = (of(base)?, of(exponent)?);
            let whole = exponent.is_integer().then(|| exponent.to_i32()).flatten();
            match whole.filter(|whole| whole.abs() <= LARGEST) {
                Some(whole) if whole < 0 && base.is_zero() => Err("it divides by zero".into()),
                Some(whole) => Ok(base.pow(whole)),
                None => {
                    Err(format!("its exponent {} is no small integer", exact::shown(&exponent)))
                }
            }
        }
        _ => Err("sums, roots and functions are evaluated by a check, with `equation!`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(point: &str, latex: &str, value: &str) -> Verdict {
        let value = exact::decimal(value).expect("a number");
        Point::parse(point).expect("a point").compare(latex, &value)
    }

    #[test]
    fn only_an_equation_is_compared() {
        for latex in ["400 < 2W", "400 \\le 2W", "400 = 2W < 3W", "400 > 2W", "400 \\approx 2W"] {
            let verdict = of("W = 200", latex, "400");
            assert!(matches!(&verdict, Verdict::Error(it) if it.contains("only `=`")), "{latex}");
        }
        assert_eq!(of("W = 200, ± 1", "400 \\approx 2W", "400"), Verdict::Verified);
        assert!(matches!(of("W = 200, ± 1", "400 < 2W", "400"), Verdict::Error(_)));
    }

    #[test]
    fn a_formula_gives_the_number_or_not() {
        let verified = |point, latex, value| of(point, latex, value) == Verdict::Verified;
        assert!(verified("L = 64, D = 8", "L^2 D", "32768"));
        assert!(verified("W = 200", "n = 2 W", "400"));
        assert!(verified("W = 200", "2W = W + W", "400"));
        assert!(verified("K = 2, ± 0.1", "2(K+1)", "5.97"));
        assert!(verified("x = 4", "\\frac{x^{-1} + 4}{-2}", "-2.125"));
        for (point, latex, value) in [
            ("L = 64, D = 8", "L^3 D", "32768"),
            ("L = 64, D = 8", "L^2 + D", "32768"),
            ("W = 200", "n = 3 W", "400"),
            ("W = 200", "2W = W + 2W", "400"),
            ("K = 2, ± 0.1", "2(K-1)", "5.97"),
        ] {
            let verdict = of(point, latex, value);
            assert!(matches!(verdict, Verdict::Refuted(_)), "{latex}: {verdict:?}");
        }
        for (point, latex) in [
            ("L = 64", "L^2 D"),
            ("L = 64, D = 8", "L^2"),
            ("L = 64", "L^{1/2}"),
            ("L = 0", "1/L"),
            ("L = 0", "L^{-1}"),
            ("L = 9", "L^{L^L}"),
            ("L = 4", "\\sqrt{L}"),
            ("L = 4", "L^"),
        ] {
            let verdict = of(point, latex, "2");
            assert!(matches!(verdict, Verdict::Error(_)), "{latex}: {verdict:?}");
        }
        assert!(Point::parse("L").is_err() && Point::parse("± 1").is_err());
        assert_eq!(Point::parse("L=64 , ± 1").expect("a point").words(), "at L = 64, ± 1");
    }
}
