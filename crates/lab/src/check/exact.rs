//! Comparison of exact numbers in every case of a range.
//!
//! In: ranges and a closure that gives two exact numbers. Out: a check that is tested, not
//! proved.

use std::fmt::Display;
use std::ops::RangeInclusive;

use veracity_protocol::Evidence;

use super::point::{Point, grid};
use super::{Check, Draft, Outcome, Tally};
use crate::formula::Equation;
use crate::{IntoNumber, Number};

/// A comparison of exact numbers under construction, from [`Check::exact`].
#[derive(Debug)]
#[must_use = "call `over` to compare"]
pub struct ExactCheck(Draft);

impl ExactCheck {
    pub(super) fn new(draft: Draft) -> Self {
        Self(draft)
    }

    /// Says in a sentence what is compared.
    pub fn statement(mut self, statement: impl Into<String>) -> Self {
        self.0.statement = Some(statement.into());
        self
    }

    /// Compares the two numbers that the closure gives, for every combination of the ranges.
    ///
    /// The counterexample is the one with the smallest sum of absolute values and, among
    /// those, the lexicographically smallest.
    ///
    /// # Panics
    ///
    /// If a number is not exact, or there are more than a million points.
    #[track_caller]
    pub fn over<L: IntoNumber, R: IntoNumber>(
        self,
        ranges: impl IntoIterator<Item = (&'static str, RangeInclusive<i64>)>,
        mut sides: impl FnMut(&Point) -> (L, R),
    ) -> Check {
        let ranges = owned(ranges);
        let mut tally = Tally::default();
        for point in grid(&ranges) {
            let (left, right) = sides(&point);
            let wrong = differ(&left.into_number(), &right.into_number());
            let wrong = self.0.recording.take_disagreement().or(wrong);
            tally.count(wrong, || point.to_string());
        }
        self.0.finish(Outcome {
            statement: format!("both sides are equal for all {}", list(&ranges)),
            evidence: Evidence::Tested,
            cases: tally.cases,
            counterexample: tally.counterexample(),
        })
    }
}

impl Check {
    #[track_caller]
    pub(crate) fn sides_over(
        name: &str,
        equation: &Equation,
        ranges: impl IntoIterator<Item = (&'static str, RangeInclusive<i64>)>,
    ) -> Self {
        let draft = Draft::new(name);
        let ranges = owned(ranges);
        let mut tally = Tally::default();
        if equation.compared().next().is_some() {
            for point in grid(&ranges) {
                let error = equation.try_eval(&point).err();
                if let Some(error) = error {
                    panic!("{error} ({point})");
                }
                tally.count(draft.recording.take_disagreement(), || point.to_string());
            }
        }
        draft.finish(Outcome {
            statement: format!("the sides of {} agree for all {}", equation.label(), list(&ranges)),
            evidence: Evidence::Tested,
            cases: tally.cases,
            counterexample: tally.counterexample(),
        })
    }
}

/// How two exact numbers differ.
#[track_caller]
pub(super) fn differ(left: &Number, right: &Number) -> Option<String> {
    for side in [left, right] {
        if let Number::Float(side) = side {
            panic!("{side} is numerical; compare it with `Check::close`");
        }
    }
    (left != right).then(|| format!("the left side is {left} but the right side is {right}"))
}

fn owned(
    ranges: impl IntoIterator<Item = (&'static str, RangeInclusive<i64>)>,
) -> Vec<(String, RangeInclusive<i64>)> {
    ranges.into_iter().map(|(name, range)| (name.to_owned(), range)).collect()
}

fn list(ranges: &[(String, RangeInclusive<i64>)]) -> String {
    let each = ranges.iter().map(|(name, range)| {
        let (from, to): (&dyn Display, &dyn Display) = (range.start(), range.end());
        format!("{name} from {from} to {to}")
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::tests::{add, binom, equation_of, handle, monomials, num, sum, var};
    use crate::{BigInt, ratio};
    use veracity_protocol::{CheckStatus, Expr};

    /// Monomials of at most K factors in D variables, counted one by one.
    fn count(variables: i64, factors: i64) -> i64 {
        if variables == 0 {
            return 1;
        }
        (0..=factors).map(|first| count(variables - 1, factors - first)).sum()
    }

    #[test]
    fn the_smallest_counterexample_is_found() {
        // The seed's formula sums the same term for every k; it is right for K = 0 alone.
        let term = binom(
            add([var("K"), var("D"), Expr::Negate(num("1").into())]),
            add([var("D"), Expr::Negate(num("1").into())]),
        );
        let printed = handle(equation_of("eq-general", [sum("k", num("0"), var("K"), term)]));
        let check = Check::exact("m-general")
            .over([("D", 1..=4), ("K", 0..=4)], |p| (printed.eval(p), count(p["D"], p["K"])));
        let check = check.into_protocol();
        assert_eq!(check.status, CheckStatus::Failed);
        assert_eq!(check.equations, ["eq-general"]);
        assert_eq!(check.cases, 20);
        let text = check.counterexample.unwrap();
        assert!(
            text.starts_with("D = 2, K = 1: the left side is 4 but the right side is 3"),
            "{text}"
        );
    }

    #[test]
    fn a_true_formula_is_tested_on_every_point() {
        let right = handle(equation_of("eq-right", [binom(add([var("D"), var("K")]), var("D"))]));
        let check = Check::exact("m")
            .statement("the number of monomials")
            .over([("D", 0..=6), ("K", 0..=6)], |p| (right.eval(p), count(p["D"], p["K"])))
            .into_protocol();
        assert_eq!((check.status, check.cases), (CheckStatus::Passed, 49));
        assert_eq!(check.evidence, Evidence::Tested);
        assert_eq!(check.statement, "the number of monomials");
    }

    #[test]
    fn an_empty_range_compares_nothing() {
        let empty = RangeInclusive::new(1, 0);
        let check = Check::exact("m").over([("D", empty)], |_| (1, 2));
        assert_eq!((check.passed(), check.cases()), (true, 0));
    }

    #[test]
    fn a_side_that_is_never_compared_fails_through_its_formula() {
        let mut wrong = monomials();
        wrong.sides[1] = add([var("D"), num("1")]);
        let eq = handle(wrong);
        let expected = |d: i64| (d * d + 3 * d + 2) / 2;
        let check = Check::exact("m").over([("D", 0..=9)], |p| (eq.eval(p), expected(p["D"])));
        let text = check.counterexample().unwrap();
        assert!(text.starts_with("D = 1: in eq-m side 1 is 3 but side 2 is 2"), "{text}");
    }

    #[test]
    fn a_formula_belongs_to_a_check_if_all_its_sides_were_evaluated_within() {
        let eq = handle(monomials());
        let labels = |check: Check| check.into_protocol().equations;
        let one_side = Check::exact("a").over([("D", 1..=2)], |p| {
            let side = eq.side(1).eval(p);
            (side.clone(), side)
        });
        assert!(labels(one_side).is_empty());
        let outside = eq.eval([("D", 1)]);
        let before = Check::exact("a").over([("D", 1..=1)], |_| (outside.clone(), 3));
        assert!(labels(before).is_empty());
        let none = Check::exact("a").over([("D", RangeInclusive::new(1, 0))], |p| (eq.eval(p), 1));
        assert!(labels(none).is_empty());
        let whole =
            Check::exact("a").over([("D", 1..=2)], |p| (eq.side(0).eval(p), eq.side(1).eval(p)));
        assert_eq!(labels(whole), ["eq-m"]);
    }

    #[test]
    fn all_sides_of_a_chain_are_compared() {
        let eq = handle(monomials());
        let check = eq.all_sides_agree("m", [("D", 0..=20)]);
        assert_eq!((check.passed(), check.cases()), (true, 21));
        let single = handle(equation_of("eq-s", [num("1")])).all_sides_agree("s", [("D", 0..=3)]);
        assert_eq!((single.passed(), single.cases()), (true, 0));
    }

    #[test]
    fn exact_numbers_of_every_type_compare_and_floats_do_not() {
        let check = Check::exact("m")
            .over([("D", 1..=3)], |p| (p.rational("D") * ratio(2, 2), BigInt::from(p["D"])));
        assert!(check.passed());
        let panic =
            std::panic::catch_unwind(|| Check::exact("m").over([("D", 1..=1)], |_| (1, 1.0)));
        let message = panic.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("Check::close"), "{message}");
    }
}
