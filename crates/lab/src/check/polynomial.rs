//! Proofs that polynomials are identical.
//!
//! In: formulas, or closures with a bound of their degree. Out: a check that is proved if
//! enough points agree. A polynomial of degree at most d in each of its variables that is zero
//! on a grid of d + 1 numbers per variable is the zero polynomial: in one variable because it
//! has at most d roots, in several by induction over the variables.
//!
//! The degree of a printed formula is derived from the formula; the degree of a closure can
//! only be asserted by the author, and the evidence then says so.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use veracity_protocol::Evidence;

use super::exact::differ;
use super::point::{Point, grid};
use super::{Check, Draft, Outcome, Tally, plural};
use crate::formula::{Degrees, Equation, EvalError, degrees, plain_name};
use crate::{IntoNumber, Number};

/// A proof of a polynomial identity under construction, from [`Check::polynomial`].
#[derive(Debug)]
#[must_use = "call `sides`, `same`, `equals` or `agree` to compare"]
pub struct PolynomialCheck {
    draft: Draft,
    asserted: Degrees,
    starts: BTreeMap<String, i64>,
}

/// On what the bound of the degree rests.
enum Bound {
    Derived(Degrees),
    Asserted(Degrees),
    /// Too weak for a proof.
    Missing(Degrees),
}

impl PolynomialCheck {
    pub(super) fn new(draft: Draft) -> Self {
        Self { draft, asserted: Degrees::new(), starts: BTreeMap::new() }
    }

    /// Says in a sentence what is compared.
    pub fn statement(mut self, statement: impl Into<String>) -> Self {
        self.draft.statement = Some(statement.into());
        self
    }

    /// Asserts that the closures are polynomials of at most these degrees.
    pub fn degree<'a>(mut self, degrees: impl IntoIterator<Item = (&'a str, u32)>) -> Self {
        self.asserted = degrees.into_iter().map(|(name, d)| (plain_name(name), d)).collect();
        self
    }

    /// Sets the smallest number that a variable takes, 0 by default.
    pub fn from<'a>(mut self, starts: impl IntoIterator<Item = (&'a str, i64)>) -> Self {
        self.starts = starts.into_iter().map(|(name, at)| (plain_name(name), at)).collect();
        self
    }

    /// Compares the sides of a formula that are joined by `=`.
    ///
    /// If a side is not seen to be a polynomial, the check is of nothing unless
    /// [`degree`](Self::degree) says where to test it.
    ///
    /// # Panics
    ///
    /// If the formula has no value at some point.
    #[track_caller]
    pub fn sides(self, equation: &Equation) -> Check {
        let derived = derive(equation);
        let bound = self.printed(derived);
        let what = format!("the sides of {} are identical", equation.label());
        let compares = equation.compared().next().is_some();
        let bound = if compares { bound } else { Bound::Missing(Degrees::new()) };
        // The evaluation itself compares the sides and leaves a disagreement in the record.
        self.compare(bound, what, |point| {
            let value = equation.try_eval(point)?;
            Ok((value.clone(), value))
        })
    }

    /// Compares two formulas.
    ///
    /// # Panics
    ///
    /// As [`sides`](Self::sides).
    #[track_caller]
    pub fn same(self, left: &Equation, right: &Equation) -> Check {
        let derived = derive(left).zip(derive(right)).map(|(a, b)| max(a, &b));
        let bound = self.printed(derived);
        let what = format!("{} and {} are identical", left.label(), right.label());
        self.compare(bound, what, |point| Ok((left.try_eval(point)?, right.try_eval(point)?)))
    }

    /// Compares a formula, whose degree is derived, with a closure, whose degree is asserted.
    ///
    /// Without an assertion for every variable the check is tested and not proved.
    ///
    /// # Panics
    ///
    /// If a side has no exact value at some point.
    #[track_caller]
    pub fn equals<R: IntoNumber>(
        self,
        equation: &Equation,
        mut right: impl FnMut(&Point) -> R,
    ) -> Check {
        let bound = match derive(equation) {
            Some(derived) if derived.keys().all(|name| self.asserted.contains_key(name)) => {
                Bound::Asserted(max(derived, &self.asserted))
            }
            Some(derived) => Bound::Missing(max(derived, &self.asserted)),
            None => Bound::Missing(self.asserted.clone()),
        };
        let what = format!("{} is identical to what was computed", equation.label());
        self.compare(bound, what, |point| {
            Ok((equation.try_eval(point)?, right(point).into_number()))
        })
    }

    /// Compares two closures whose degree is asserted.
    ///
    /// A printed formula that is evaluated in them raises the degree to its own, or turns the
    /// proof into a test if it has none.
    ///
    /// # Panics
    ///
    /// If no degree was asserted, or a side has no exact value at some point.
    #[track_caller]
    pub fn agree<L: IntoNumber, R: IntoNumber>(
        self,
        mut sides: impl FnMut(&Point) -> (L, R),
    ) -> Check {
        if self.asserted.is_empty() {
            panic!("the degree of a closure must be stated, such as `.degree([(\"D\", 2)])`");
        }
        let first = self.ranges(&Degrees::new(), &self.asserted);
        for point in grid(&first) {
            sides(&point);
        }
        self.draft.recording.take_disagreement();
        let mut bound = Bound::Asserted(self.asserted.clone());
        for equation in self.draft.recording.equations() {
            bound = match (bound, derive(&equation)) {
                (Bound::Asserted(known), Some(derived))
                    if derived.keys().all(|name| known.contains_key(name)) =>
                {
                    Bound::Asserted(max(known, &derived))
                }
                (bound, _) => Bound::Missing(bound.degrees().clone()),
            };
        }
        self.compare(bound, "both sides are identical".to_owned(), |point| {
            let (left, right) = sides(point);
            Ok((left.into_number(), right.into_number()))
        })
    }

    fn printed(&self, derived: Option<Degrees>) -> Bound {
        match derived {
            Some(derived) => Bound::Derived(derived),
            None => Bound::Missing(self.asserted.clone()),
        }
    }

    /// From the start of each variable as many further numbers as its degree.
    fn ranges(&self, degrees: &Degrees, variables: &Degrees) -> Vec<(String, RangeInclusive<i64>)> {
        let range = |name: &String| {
            let start = self.starts.get(name).copied().unwrap_or(0);
            let degree = degrees.get(name).copied().unwrap_or(0);
            (name.clone(), start..=start.saturating_add(degree.into()))
        };
        variables.keys().map(range).collect()
    }

    #[track_caller]
    fn compare(
        self,
        bound: Bound,
        statement: String,
        mut sides: impl FnMut(&Point) -> Result<(Number, Number), EvalError>,
    ) -> Check {
        let degrees = bound.degrees();
        let nowhere = degrees.is_empty() && matches!(bound, Bound::Missing(_));
        let points = if nowhere { vec![] } else { grid(&self.ranges(degrees, degrees)) };
        let mut tally = Tally::default();
        for point in points {
            let (left, right) = match sides(&point) {
                Ok(pair) => pair,
                Err(error) => panic!("{error} ({point})"),
            };
            let difference = differ(&left, &right);
            let disagreement = self.draft.recording.take_disagreement();
            tally.count(disagreement.or(difference), || point.to_string());
        }
        self.draft.finish(Outcome {
            statement,
            evidence: bound.evidence(tally.cases),
            cases: tally.cases,
            counterexample: tally.counterexample(),
        })
    }
}

impl Bound {
    fn degrees(&self) -> &Degrees {
        match self {
            Self::Derived(degrees) | Self::Asserted(degrees) | Self::Missing(degrees) => degrees,
        }
    }

    fn evidence(&self, cases: u64) -> Evidence {
        let points = plural(cases, "point");
        let each = self.degrees().iter().map(|(name, degree)| format!("{degree} in {name}"));
        let degree = match each.collect::<Vec<_>>().join(" and ") {
            none if none.is_empty() => "0".to_owned(),
            each => each,
        };
        match self {
            Self::Missing(_) => Evidence::Tested,
            Self::Derived(_) => Evidence::Proved {
                because: format!(
                    "by their printed form both sides are polynomials of degree at most {degree}, \
                     and they agree at the {points} that determine such a polynomial"
                ),
            },
            Self::Asserted(_) => Evidence::Proved {
                because: format!(
                    "given that what was computed is a polynomial of degree at most {degree}, \
                     which the author asserts, agreement at {points} makes both sides identical"
                ),
            },
        }
    }
}

/// Degrees of the sides that are compared, if all of them are polynomials joined by `=`.
fn derive(equation: &Equation) -> Option<Degrees> {
    if !equation.compared().all(|relation| relation == veracity_protocol::Relation::Equal) {
        return None;
    }
    let mut all = Degrees::new();
    for side in equation.compared_sides() {
        all = max(all, &degrees(side)?);
    }
    Some(all)
}

fn max(mut all: Degrees, other: &Degrees) -> Degrees {
    for (name, degree) in other {
        let known = all.entry(name.clone()).or_default();
        *known = (*degree).max(*known);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::tests::{
        add, binom, div, equation_of, handle, monomials, mul, num, pow, var,
    };
    use veracity_protocol::{CheckStatus, Expr};

    fn because(check: Check) -> Option<String> {
        match check.into_protocol().evidence {
            Evidence::Proved { because } => Some(because),
            _ => None,
        }
    }

    #[test]
    fn a_printed_chain_is_proved_by_its_own_degree() {
        let check = Check::polynomial("m").sides(&handle(monomials()));
        assert_eq!((check.passed(), check.cases()), (true, 3));
        assert!(because(check).unwrap().contains("degree at most 2 in D"));
    }

    #[test]
    fn sides_that_agree_on_few_points_are_told_apart() {
        // x(x-1)(x-2) is 0 at 0, 1 and 2, where a claimed degree of 2 would stop looking.
        let minus = |n| add([var("x"), Expr::Negate(num(n).into())]);
        let cubic = equation_of("eq-c", [mul([var("x"), minus("1"), minus("2")]), num("0")]);
        let check = Check::polynomial("c").degree([("x", 2)]).sides(&handle(cubic.clone()));
        assert_eq!(check.counterexample(), Some("x = 3: in eq-c side 1 is 6 but side 2 is 0"));
        let single = handle(equation_of("eq-d", [cubic.sides[0].clone()]));
        let check = Check::polynomial("c").degree([("x", 2)]).agree(|p| (single.eval(p), 0));
        assert!(!check.passed());
        let check = Check::polynomial("c").degree([("x", 2)]).equals(&single, |_| 0);
        assert!(!check.passed());
        assert!(because(check).is_none());
    }

    #[test]
    fn an_opaque_side_is_proved_only_under_the_authors_assertion() {
        let eq = handle(monomials());
        let count = |p: &Point| (p["D"] + 1) * (p["D"] + 2) / 2;
        let tested = Check::polynomial("m").equals(&eq, count);
        assert_eq!(tested.cases(), 3);
        assert!(because(tested).is_none());
        let given = Check::polynomial("m").degree([("D", 2)]).from([("D", 1)]).equals(&eq, count);
        let because = because(given).unwrap();
        assert!(because.contains("which the author asserts"), "{because}");
    }

    #[test]
    fn a_formula_without_a_degree_turns_a_proof_into_a_test() {
        let eq = handle(equation_of("eq-b", [binom(add([var("D"), var("K")]), var("D"))]));
        let check =
            Check::polynomial("b").degree([("D", 2), ("K", 2)]).agree(|p| (eq.eval(p), eq.eval(p)));
        assert_eq!((check.passed(), check.cases()), (true, 9));
        assert!(because(check).is_none());
        let nowhere = Check::polynomial("b").sides(&eq);
        assert_eq!((nowhere.passed(), nowhere.cases()), (true, 0));
    }

    #[test]
    fn two_variables_need_a_whole_grid() {
        let square = pow(add([var("x"), var("y")]), num("2"));
        let left = handle(equation_of("eq-l", [square]));
        let expanded = add([
            pow(var("x"), num("2")),
            mul([num("2"), var("x"), var("y")]),
            pow(var("y"), num("2")),
        ]);
        let right = handle(equation_of("eq-r", [expanded.clone()]));
        let check = Check::polynomial("s").same(&left, &right).into_protocol();
        assert_eq!((check.status, check.cases), (CheckStatus::Passed, 9));
        assert_eq!(check.equations, ["eq-l", "eq-r"]);
        let halved = handle(equation_of("eq-h", [div(expanded, num("2"))]));
        assert!(!Check::polynomial("s").same(&left, &halved).passed());
    }
}
