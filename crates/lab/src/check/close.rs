//! Comparison of floats within a tolerance.
//!
//! In: two numbers or two slices. Out: a check whose evidence names the tolerance and the
//! largest difference.

use num_rational::BigRational;
use num_traits::ToPrimitive;
use veracity_protocol::Evidence;

use super::{Check, Draft, Outcome, Tally, plural};
use crate::Number;

/// A comparison of floats under construction, from [`Check::close`].
///
/// Two numbers are close if they are within the absolute or the relative tolerance or no more
/// units in the last place apart than allowed, whichever of these were given. A number that is
/// not a number is close to nothing; an infinity is close to itself.
#[derive(Debug)]
#[must_use = "call `scalars` or `slices` to compare"]
pub struct CloseCheck {
    draft: Draft,
    absolute: Option<f64>,
    relative: Option<f64>,
    ulps: Option<u64>,
}

impl CloseCheck {
    pub(super) fn new(draft: Draft) -> Self {
        Self { draft, absolute: None, relative: None, ulps: None }
    }

    /// Says in a sentence what is compared.
    pub fn statement(mut self, statement: impl Into<String>) -> Self {
        self.draft.statement = Some(statement.into());
        self
    }

    /// Allows this difference.
    ///
    /// # Panics
    ///
    /// If it is negative or not finite.
    #[track_caller]
    pub fn absolute(mut self, tolerance: f64) -> Self {
        assert_tolerance(tolerance);
        self.absolute = Some(tolerance);
        self
    }

    /// Allows this multiple of the expected number's absolute value as difference.
    ///
    /// # Panics
    ///
    /// If it is negative or not finite.
    #[track_caller]
    pub fn relative(mut self, tolerance: f64) -> Self {
        assert_tolerance(tolerance);
        self.relative = Some(tolerance);
        self
    }

    /// Allows so many units in the last place of the actual number's type as difference.
    pub fn ulps(mut self, units: u64) -> Self {
        self.ulps = Some(units);
        self
    }

    /// Compares an actual with an expected number.
    ///
    /// # Panics
    ///
    /// If no tolerance was given.
    #[track_caller]
    pub fn scalars(self, actual: impl Real, expected: impl Real) -> Check {
        self.slices(&[actual], &[expected])
    }

    /// Compares element by element; slices of different lengths are not close.
    ///
    /// # Panics
    ///
    /// If no tolerance was given.
    #[track_caller]
    pub fn slices<A: Real, E: Real>(self, actual: &[A], expected: &[E]) -> Check {
        let tolerance = self.tolerance();
        let mut wrong = 0;
        let mut worst: Option<(usize, f64)> = None;
        let mut worst_wrong: Option<(usize, f64)> = None;
        for (at, (a, e)) in actual.iter().zip(expected).enumerate() {
            let difference = difference(a.to_real(), e.to_real());
            raise(&mut worst, at, difference);
            if !self.allows(a, e.to_real(), difference) {
                wrong += 1;
                raise(&mut worst_wrong, at, difference);
            }
        }
        let single = actual.len() == 1 && expected.len() == 1;
        let place = |at: usize| {
            if single { String::new() } else { format!("element {at}") }
        };
        let mut tally =
            Tally { cases: actual.len().min(expected.len()) as u64, wrong, first: None };
        if let Some((at, difference)) = worst_wrong {
            let (a, e) = (actual[at].to_real(), expected[at].to_real());
            let text = format!("{a} in place of {e}, a difference of {difference:.3e}");
            tally.first = Some(if single { text } else { format!("{}: {text}", place(at)) });
        }
        if actual.len() != expected.len() {
            let (actual, expected) = (actual.len(), expected.len());
            tally = Tally {
                cases: tally.cases.max(1),
                wrong: 1,
                first: Some(format!("there are {actual} numbers in place of {expected}")),
            };
        }
        let largest = worst.filter(|_| wrong == 0).map(|(at, difference)| {
            if difference == 0.0 {
                return "; there is no difference".to_owned();
            }
            let place = if single { String::new() } else { format!(" at {}", place(at)) };
            format!("; the largest difference is {difference:.3e}{place}")
        });
        let numbers = plural(tally.cases, "number");
        self.draft.finish(Outcome {
            statement: format!("{numbers} as expected within {tolerance}"),
            evidence: Evidence::Close { tolerance: tolerance + &largest.unwrap_or_default() },
            cases: tally.cases,
            counterexample: tally.counterexample(),
        })
    }

    fn allows<A: Real>(&self, actual: &A, expected: f64, difference: f64) -> bool {
        let within = |limit: f64| difference <= limit && difference.is_finite();
        self.absolute.is_some_and(within)
            || self.relative.is_some_and(|relative| within(relative * expected.abs()))
            || self.ulps.is_some_and(|ulps| actual.ulps_to(expected).is_some_and(|n| n <= ulps))
            || difference == 0.0
    }

    #[track_caller]
    fn tolerance(&self) -> String {
        let parts = [
            self.absolute.map(|tolerance| format!("{tolerance:e} absolute")),
            self.relative.map(|tolerance| format!("{tolerance:e} relative")),
            self.ulps.map(|units| format!("{} in the last place", plural(units, "unit"))),
        ];
        let given: Vec<_> = parts.into_iter().flatten().collect();
        if given.is_empty() {
            panic!("a comparison of floats needs a tolerance, such as `.relative(1e-6)`");
        }
        given.join(" or ")
    }
}

/// A real number that a tolerance applies to.
pub trait Real {
    /// Gives the nearest double.
    fn to_real(&self) -> f64;

    /// Gives the distance to a number in units in the last place; none from or to NaN.
    fn ulps_to(&self, other: f64) -> Option<u64> {
        ulps(self.to_real(), other)
    }
}

impl Real for f64 {
    fn to_real(&self) -> f64 {
        *self
    }
}

impl Real for f32 {
    fn to_real(&self) -> f64 {
        f64::from(*self)
    }

    fn ulps_to(&self, other: f64) -> Option<u64> {
        let other = other as f32;
        let ordered = |number: f32| {
            let bits = i64::from(number.to_bits() & !(1 << 31));
            if number.is_sign_negative() { -bits } else { bits }
        };
        let defined = !self.is_nan() && !other.is_nan();
        defined.then(|| ordered(*self).abs_diff(ordered(other)))
    }
}

impl Real for Number {
    fn to_real(&self) -> f64 {
        self.to_f64()
    }
}

impl Real for BigRational {
    fn to_real(&self) -> f64 {
        self.to_f64().unwrap_or(f64::NAN)
    }
}

/// Refuses a tolerance that allows everything or nothing.
#[track_caller]
pub(super) fn assert_tolerance(tolerance: f64) {
    if !(tolerance >= 0.0 && tolerance.is_finite()) {
        panic!("{tolerance} is no tolerance");
    }
}

fn ulps(a: f64, b: f64) -> Option<u64> {
    let ordered = |number: f64| {
        let bits = i128::from(number.to_bits() & !(1 << 63));
        if number.is_sign_negative() { -bits } else { bits }
    };
    let defined = !a.is_nan() && !b.is_nan();
    defined.then(|| u64::try_from(ordered(a).abs_diff(ordered(b))).unwrap_or(u64::MAX))
}

/// The absolute difference; infinite from or to NaN, so that no tolerance allows it.
fn difference(a: f64, b: f64) -> f64 {
    if a == b {
        return 0.0;
    }
    let difference = (a - b).abs();
    if difference.is_nan() { f64::INFINITY } else { difference }
}

fn raise(worst: &mut Option<(usize, f64)>, at: usize, difference: f64) {
    if worst.is_none_or(|(_, known)| difference > known) {
        *worst = Some((at, difference));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::tests::{handle, monomials, num};
    use crate::ratio;

    fn close() -> CloseCheck {
        Check::close("c")
    }

    #[test]
    fn tolerances_are_absolute_relative_or_ulps() {
        assert!(close().absolute(0.5).scalars(1.0, 1.5).passed());
        assert!(!close().absolute(0.49).scalars(1.0, 1.5).passed());
        assert!(close().relative(0.01).scalars(99.0, 100.0).passed());
        assert!(!close().relative(0.01).scalars(100.0, 98.9).passed());
        assert!(close().absolute(1e-9).relative(0.01).scalars(99.0, 100.0).passed());
        let next = |x: f64| f64::from_bits(x.to_bits() + 1);
        assert!(close().ulps(1).scalars(next(1.0), 1.0).passed());
        assert!(!close().ulps(1).scalars(next(next(1.0)), 1.0).passed());
        assert!(close().ulps(2).scalars(f64::from_bits(1), -f64::from_bits(1)).passed());
        assert!(close().ulps(1).scalars(0.1_f32, ratio(1, 10)).passed());
        assert!(!close().ulps(0).scalars(0.1_f32 + f32::EPSILON, 0.1).passed());
    }

    #[test]
    fn what_is_not_a_number_is_close_to_nothing() {
        for (a, b) in [(f64::NAN, f64::NAN), (f64::NAN, 1.0), (1.0, f64::NAN)] {
            let check = close().absolute(f64::MAX).relative(1e9).ulps(u64::MAX).scalars(a, b);
            assert!(!check.passed(), "{a} {b}");
        }
        assert!(close().relative(0.1).scalars(f64::INFINITY, f64::INFINITY).passed());
        assert!(!close().relative(0.1).scalars(f64::INFINITY, f64::NEG_INFINITY).passed());
        assert!(!close().relative(0.1).scalars(1.0, f64::INFINITY).passed());
    }

    #[test]
    fn the_worst_element_is_reported() {
        let check = close().absolute(0.1).slices(&[1.0, 2.5, 3.25_f64], &[1.0, 2.0, 3.0]);
        assert_eq!(
            check.counterexample(),
            Some("element 1: 2.5 in place of 2, a difference of 5.000e-1 (wrong in 2 of 3 cases)")
        );
        let fine = close().relative(0.5).slices(&[1.0_f32, 2.5], &[1.0, 2.0_f64]).into_protocol();
        assert_eq!(
            fine.evidence,
            Evidence::Close {
                tolerance: "5e-1 relative; the largest difference is 5.000e-1 at element 1".into()
            }
        );
        let same = close().ulps(0).slices(&[1.0_f32, 0.0], &[1.0, -0.0_f64]).into_protocol();
        assert_eq!(
            same.evidence,
            Evidence::Close {
                tolerance: "0 units in the last place; there is no difference".into()
            }
        );
    }

    #[test]
    fn lengths_count_and_nothing_is_vacuous() {
        let check = close().absolute(1.0).slices(&[1.0], &[] as &[f64]);
        assert_eq!(check.counterexample(), Some("there are 1 numbers in place of 0"));
        let none = close().absolute(1.0).slices(&[] as &[f32], &[] as &[f64]);
        assert_eq!((none.passed(), none.cases()), (true, 0));
    }

    #[test]
    fn a_formula_among_the_arguments_belongs_to_the_check() {
        let right = handle(monomials());
        let check = close().relative(1e-12).scalars(right.eval([("D", 2)]), 6.0);
        assert!(check.passed());
        assert_eq!(check.into_protocol().equations, ["eq-m"]);
        let mut wrong = monomials();
        wrong.sides[1] = num("6.5");
        let wrong = handle(wrong);
        let check = close().relative(1e-12).scalars(wrong.eval([("D", 2)]), 6.0);
        assert_eq!(check.counterexample(), Some("in eq-m side 1 is 6 but side 2 is 13/2"));
    }

    #[test]
    fn a_tolerance_is_needed() {
        let panic = std::panic::catch_unwind(|| close().scalars(1.0, 1.0)).unwrap_err();
        assert!(panic.downcast_ref::<&str>().unwrap().contains("needs a tolerance"));
    }
}
