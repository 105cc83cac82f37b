//! Checks: comparisons of things that should agree.
//!
//! In: closures, slices and formulas. Out: the outcome with the evidence, the number of
//! comparisons and a counterexample. Left out: judging. A check that compared nothing passes
//! with 0 cases, and the report builder calls it vacuous.

mod close;
mod exact;
mod point;
mod polynomial;

use std::fmt::{Debug, Display};

use veracity_protocol::{self as protocol, CheckStatus, Evidence};

pub use close::{CloseCheck, Real};
pub use exact::ExactCheck;
pub use point::Point;
pub use polynomial::PolynomialCheck;

use crate::Growth;
use crate::formula::Recording;

/// The outcome of a comparison; show it as the cell's trailing expression or give it to
/// [`check`](crate::check()).
///
/// A formula belongs to a check if all of its sides are evaluated, on the same thread, between
/// the call of a constructor and the end of the method that gives the check.
#[derive(Clone, Debug)]
#[must_use = "a check counts only as the cell's trailing expression or through `lab::check`"]
pub struct Check(protocol::Check);

impl Check {
    /// Starts a comparison of exact numbers.
    ///
    /// ```
    /// use veracity_lab::Check;
    ///
    /// let check = Check::exact("gauss").over([("n", 0..=50)], |p| {
    ///     let n = p["n"];
    ///     ((1..=n).sum::<i64>(), n * (n + 1) / 2)
    /// });
    /// assert!(check.passed());
    /// ```
    pub fn exact(name: &str) -> ExactCheck {
        ExactCheck::new(Draft::new(name))
    }

    /// Starts a proof that two polynomials are identical.
    pub fn polynomial(name: &str) -> PolynomialCheck {
        PolynomialCheck::new(Draft::new(name))
    }

    /// Starts a comparison of floats within a tolerance.
    pub fn close(name: &str) -> CloseCheck {
        CloseCheck::new(Draft::new(name))
    }

    /// Checks that a tensor has a shape; a scalar has the empty one.
    pub fn shape(name: &str, actual: impl AsRef<[usize]>, expected: impl AsRef<[usize]>) -> Self {
        let print = |shape: &[usize]| match shape {
            [] => "()".to_owned(),
            shape => shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × "),
        };
        let (actual, expected) = (actual.as_ref(), expected.as_ref());
        let wrong = format!("the shape is {}", print(actual));
        Draft::new(name).finish(Outcome {
            statement: format!("the shape is {}", print(expected)),
            evidence: Evidence::Tested,
            cases: 1,
            counterexample: (actual != expected).then_some(wrong),
        })
    }

    /// Checks that an exponent of growth is the expected one within a margin.
    ///
    /// It passes if the whole 95 % confidence interval lies within `expected ± margin`, so that
    /// a fit which says little cannot pass.
    ///
    /// # Panics
    ///
    /// If the margin is negative or not finite.
    #[track_caller]
    pub fn growth(name: &str, fit: &Growth, expected: f64, margin: f64) -> Self {
        close::assert_tolerance(margin);
        let within = fit.low >= expected - margin && fit.high <= expected + margin;
        Draft::new(name).finish(Outcome {
            statement: format!("the exponent is {expected} ± {margin}"),
            // With the margin, so that a wider one is noticed whatever the author states.
            evidence: Evidence::Estimated {
                interval: format!("{fit}; allowed is {expected} ± {margin}"),
            },
            cases: fit.points as u64,
            counterexample: (!within).then(|| fit.to_string()),
        })
    }

    /// Checks that a property holds in every case; the first in which it does not is reported.
    pub fn holds<C: Debug, E: Display>(
        name: &str,
        cases: impl IntoIterator<Item = C>,
        mut property: impl FnMut(&C) -> Result<(), E>,
    ) -> Self {
        let draft = Draft::new(name);
        let mut tally = Tally::default();
        for case in cases {
            let wrong = property(&case).err().map(|why| why.to_string());
            tally.count(wrong.or_else(|| draft.recording.take_disagreement()), || {
                format!("{case:?}")
            });
        }
        draft.finish(Outcome {
            statement: format!("the property holds in {}", plural(tally.cases, "case")),
            evidence: Evidence::Tested,
            cases: tally.cases,
            counterexample: tally.counterexample(),
        })
    }

    /// Replaces the sentence that says what was compared.
    pub fn statement(mut self, statement: impl Into<String>) -> Self {
        self.0.statement = statement.into();
        self
    }

    /// Whether every comparison agreed; also true if there was none.
    pub fn passed(&self) -> bool {
        self.0.status == CheckStatus::Passed
    }

    /// Number of comparisons.
    pub fn cases(&self) -> u64 {
        self.0.cases
    }

    /// The smallest, first or worst case that disagreed.
    pub fn counterexample(&self) -> Option<&str> {
        self.0.counterexample.as_deref()
    }

    pub(crate) fn into_protocol(self) -> protocol::Check {
        self.0
    }
}

/// What all checks under construction have.
#[derive(Debug)]
struct Draft {
    name: String,
    statement: Option<String>,
    recording: Recording,
}

/// What a comparison found.
struct Outcome {
    /// Used if the author states nothing.
    statement: String,
    /// What it is worth if nothing disagreed.
    evidence: Evidence,
    cases: u64,
    counterexample: Option<String>,
}

impl Draft {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), statement: None, recording: Recording::start() }
    }

    fn finish(self, outcome: Outcome) -> Check {
        let disagreement = self.recording.take_disagreement();
        let counterexample = outcome.counterexample.or(disagreement);
        let (status, evidence) = match (&counterexample, outcome.evidence) {
            (None, evidence) => (CheckStatus::Passed, evidence),
            (Some(_), Evidence::Proved { .. }) => (CheckStatus::Failed, Evidence::Tested),
            (Some(_), evidence) => (CheckStatus::Failed, evidence),
        };
        Check(protocol::Check {
            name: self.name,
            statement: self.statement.unwrap_or(outcome.statement),
            status,
            evidence,
            cases: outcome.cases,
            counterexample,
            equations: self.recording.labels(),
        })
    }
}

/// Counts cases and keeps the first that is wrong.
#[derive(Default)]
struct Tally {
    cases: u64,
    wrong: u64,
    first: Option<String>,
}

impl Tally {
    fn count(&mut self, wrong: Option<String>, place: impl FnOnce() -> String) {
        self.cases += 1;
        if let Some(wrong) = wrong {
            self.wrong += 1;
            self.first.get_or_insert_with(|| match place() {
                place if place.is_empty() => wrong,
                place => format!("{place}: {wrong}"),
            });
        }
    }

    fn counterexample(self) -> Option<String> {
        let Self { cases, wrong, first } = self;
        first.map(|first| match wrong {
            1 => first,
            wrong => format!("{first} (wrong in {wrong} of {cases} cases)"),
        })
    }
}

fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_compare_dimensions() {
        assert!(Check::shape("s", [2, 3], vec![2, 3]).passed());
        let wrong = Check::shape("s", [3, 2], [2, 3]);
        assert_eq!(wrong.counterexample(), Some("the shape is 3 × 2"));
        let scalar: [usize; 0] = [];
        assert_eq!(Check::shape("s", scalar, scalar).cases(), 1);
    }

    #[test]
    fn properties_report_the_first_case_that_fails() {
        let odd = |n: &i32| if n % 2 == 1 { Ok(()) } else { Err("even") };
        let check = Check::holds("odd", [1, 4, 6], odd);
        assert_eq!(check.counterexample(), Some("4: even (wrong in 2 of 3 cases)"));
        assert!(Check::holds("odd", [1, 3], odd).passed());
        let none = Check::holds("odd", [], odd);
        assert_eq!((none.passed(), none.cases()), (true, 0));
    }

    #[test]
    fn growth_passes_only_if_the_whole_interval_fits() {
        let squares = crate::growth((1..8_u64).map(|n| (n, n * n)));
        assert!(Check::growth("g", &squares, 2.0, 0.01).passed());
        assert!(!Check::growth("g", &squares, 1.0, 0.01).passed());
        let told = Check::growth("g", &squares, 2.0, 0.01).statement("it grows").into_protocol();
        let Evidence::Estimated { interval } = told.evidence else { panic!("{told:?}") };
        assert!(interval.ends_with("from 7 points; allowed is 2 ± 0.01"), "{interval}");
        let noisy = crate::growth([(1, 1.0), (2, 9.0), (4, 4.0), (8, 90.0)]);
        assert!(noisy.low < 2.0 && noisy.high > 2.0);
        assert!(!Check::growth("g", &noisy, 2.0, 0.1).passed());
    }
}
