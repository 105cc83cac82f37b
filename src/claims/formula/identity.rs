//! Sides of a formula that are equal although it says less.
//!
//! In: a formula. Out: the relations in it that hold with equality wherever they were tried. Left out: formulas of
//! which a side has no exact value.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use veracity_protocol::{Equation, Relation};

use super::eval::eval;

/// What variables are, in the order in which they are met, from one of the first or the last on; even and odd by
/// turns, so that each is both.
const NUMBERS: [u8; 12] = [2, 3, 6, 7, 10, 13, 16, 19, 22, 29, 32, 37];

/// How often a formula is computed with the smallest numbers first, and as often with the largest.
const POINTS: usize = 3;

/// The first sign in a formula that leaves open what is equal at every point tried.
pub(crate) fn weak(formula: &Equation) -> Option<&'static str> {
    let signs = formula.relations.iter().enumerate().filter_map(|(at, relation)| match relation {
        Relation::GreaterOrEqual => Some((at, "≥")),
        Relation::LessOrEqual => Some((at, "≤")),
        Relation::Approximate => Some((at, "≈")),
        Relation::Equal | Relation::Less | Relation::Greater => None,
    });
    signs.filter(|(at, _)| are_equal(formula, *at)).map(|(_, sign)| sign).next()
}

/// Whether a side has the same value as the next one at several points, and no other anywhere.
fn are_equal(formula: &Equation, at: usize) -> bool {
    let points = (0..2 * POINTS).map(|point| {
        let mut known: BTreeMap<String, BigRational> = BTreeMap::new();
        let mut given = |name: &str| {
            if let Some(number) = known.get(name) {
                return Some(number.clone());
            }
            let next = known.len() + point / 2;
            let next = if point % 2 == 0 { next } else { NUMBERS.len().checked_sub(next + 1)? };
            let number = BigRational::from(BigInt::from(*NUMBERS.get(next)?));
            known.insert(name.to_owned(), number.clone());
            Some(number)
        };
        let mut side = |at: usize| eval(&formula.sides[at], &mut given).ok();
        let (left, right) = (side(at)?, side(at + 1)?);
        // Both are zero where an index is outside of its bounds.
        (!left.is_zero() || !right.is_zero()).then(|| left == right)
    });
    let found: Vec<bool> = points.flatten().collect();
    found.len() > POINTS && found.iter().all(|equal| *equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Display, Macros, Math};

    #[test]
    fn what_is_equal_everywhere_is_found_and_what_differs_somewhere_is_not() {
        let sign = |latex: &str| {
            let math = Math::parse(latex, Display::Block, &Macros::default());
            weak(&math.and_then(|math| math.equation("")).expect("a formula"))
        };
        for (latex, expected) in [
            ("\\sum_{k=1}^{n} k \\ge \\frac{n(n+1)}{2}", Some("≥")),
            ("M = 1 + 2D + \\binom{D}{2} \\le \\frac{D^2 + 3D + 2}{2}", Some("≤")),
            ("(a + b)^2 \\approx a^2 + 2ab + b^2", Some("≈")),
            ("\\frac{1}{4} \\le 0.25", Some("≤")),
            ("\\frac{2}{3} \\approx 0.667", None),
            ("(a + b)^2 \\ge a^2 + b^2", None),
            ("\\binom{n}{k} \\ge 0", None),
            ("n \\ge m", None),
            ("x \\ge (-1)^{k+1} x", None),
            ("\\binom{k}{m} \\binom{n}{k} n \\le \\binom{k}{m} \\binom{n}{k} k", None),
            ("\\prod_{i=1}^{n} \\prod_{j=1}^{n} n^{i j} \\ge 1", None),
            ("2^n \\ge n + 1", None),
            ("\\sqrt{x} \\ge \\sqrt{x}", None),
            ("(a + b)^2 = a^2 + 2ab + b^2", None),
        ] {
            assert_eq!(sign(latex), expected, "{latex}");
        }
    }
}
