//! Printed formulas as exact functions.
//!
//! In: the equations that the report builder parsed from the chapter's LaTeX. Out: handles that
//! evaluate them. Left out: parsing.
//!
//! Every evaluation is recorded, so that a check knows which formulas it was about.

mod arithmetic;
mod degree;
mod eval;
mod record;

use std::sync::Arc;

use veracity_protocol::{self as protocol, Relation};

pub(crate) use degree::{Degrees, degrees};
pub use eval::EvalError;
pub(crate) use eval::{plain_name, same_name};
pub(crate) use record::Recording;

use crate::check::Point;
use crate::{Check, IntoNumber, Number, context, did_you_mean};

/// Gives the displayed formula with this label; called by [`equation!`](crate::equation!).
///
/// # Panics
///
/// If the chapter has no such equation, or it cannot be evaluated.
#[doc(hidden)]
#[track_caller]
pub fn equation(label: &str) -> Equation {
    let found = context::with(|context| {
        let known = &context.plan.equations;
        known.get(label).cloned().ok_or_else(|| {
            let hint = did_you_mean(label, known.keys().map(String::as_str));
            format!("there is no equation \"{label}\" that can be evaluated{hint}")
        })
    });
    match found {
        Ok(equation) => Equation(Arc::new(equation)),
        Err(message) => panic!("{message}"),
    }
}

/// A displayed formula as an exact function, from [`equation!`](crate::equation!).
///
/// Conventions: 0⁰ is 1; a binomial coefficient is 0 for a negative lower index and the
/// polynomial n(n−1)…(n−k+1)/k! in its upper one otherwise; an empty sum is 0 and an empty
/// product 1. A result is exact unless an exponential, a logarithm, a trigonometric function,
/// an irrational root or `\pi` is involved.
#[derive(Clone, Debug)]
pub struct Equation(Arc<protocol::Equation>);

impl Equation {
    /// Gives the formula as the chapter's author wrote it, in LaTeX.
    pub fn latex(&self) -> &str {
        self.0.latex.trim()
    }

    /// Evaluates every side that is joined to the first without `\approx`, and gives the first.
    ///
    /// If the sides are not related as printed, then the check around the call fails with this
    /// as its counterexample.
    ///
    /// # Panics
    ///
    /// If the formula has no value there, or, outside of a check, if the sides disagree.
    #[track_caller]
    pub fn eval(&self, variables: impl Bindings) -> Number {
        match self.try_eval(variables) {
            Ok(number) => number,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`Equation::eval`], with an error in place of a panic.
    pub fn try_eval(&self, variables: impl Bindings) -> Result<Number, EvalError> {
        let variables = variables.bindings();
        let first = self.evaluate_side(0, &variables)?;
        let mut left = first.clone();
        for (at, relation) in self.compared().enumerate() {
            let right = self.evaluate_side(at + 1, &variables)?;
            if !holds(relation, &left, &right) {
                let message = format!(
                    "in {} side {} is {left} but side {} is {right}",
                    self.label(),
                    at + 1,
                    at + 2
                );
                let place = list(&variables);
                if !record::disagreed(&message) {
                    return Err(EvalError::SidesDisagree { message, place });
                }
            }
            left = right;
        }
        Ok(first)
    }

    /// Evaluates at numbers for the declared parameters: `[2, 3]` for D and K of `M(D, K) = …`.
    ///
    /// # Panics
    ///
    /// As [`Equation::eval`]; also if there are not as many numbers as parameters.
    #[track_caller]
    pub fn call<N: IntoNumber>(&self, arguments: impl IntoIterator<Item = N>) -> Number {
        let arguments: Vec<_> = arguments.into_iter().map(N::into_number).collect();
        let parameters = &self.0.parameters;
        if arguments.len() != parameters.len() {
            panic!(
                "{} has the parameters ({}), not {} of them",
                self.label(),
                parameters.join(", "),
                arguments.len()
            );
        }
        let bindings: Vec<_> = parameters.iter().cloned().zip(arguments).collect();
        match self.try_eval(Given(bindings)) {
            Ok(number) => number,
            Err(error) => panic!("{error}"),
        }
    }

    /// Gives one of the sides, from 0; the name before the first `=` is no side.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[track_caller]
    pub fn side(&self, index: usize) -> Side<'_> {
        if index >= self.sides() {
            panic!("{} has {} sides, counted from 0", self.label(), self.sides());
        }
        Side { equation: self, index }
    }

    /// Number of sides.
    pub fn sides(&self) -> usize {
        self.0.sides.len()
    }

    /// Variables without which the formula cannot be evaluated, as printed.
    ///
    /// A name whose subscript is the index of a sum, such as `q_i`, stands for its components,
    /// which are bound as `q_1`, `q_2` and so on.
    pub fn variables(&self) -> Vec<String> {
        let mut variables = Vec::new();
        for side in &self.0.sides {
            eval::free_variables(side, &mut Vec::new(), &mut variables);
        }
        variables
    }

    /// Checks that the sides are related as printed for all of these numbers.
    ///
    /// A formula with a single side gives a check of nothing.
    ///
    /// # Panics
    ///
    /// If the formula has no value somewhere.
    #[track_caller]
    pub fn all_sides_agree(
        &self,
        name: &str,
        ranges: impl IntoIterator<Item = (&'static str, std::ops::RangeInclusive<i64>)>,
    ) -> Check {
        Check::sides_over(name, self, ranges)
    }

    /// Label in the chapter.
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// Relations of the sides that [`Equation::eval`] compares, in order.
    pub(crate) fn compared(&self) -> impl Iterator<Item = Relation> + '_ {
        self.0.relations.iter().copied().take_while(|relation| *relation != Relation::Approximate)
    }

    /// Sides that [`Equation::eval`] evaluates.
    pub(crate) fn compared_sides(&self) -> &[protocol::Expr] {
        let count = (self.compared().count() + 1).min(self.sides());
        &self.0.sides[..count]
    }

    fn evaluate_side(
        &self,
        index: usize,
        variables: &[(String, Number)],
    ) -> Result<Number, EvalError> {
        let number = eval::evaluate(&self.0.sides[index], variables)?;
        record::evaluated(self, index);
        Ok(number)
    }
}

/// One side of an [`Equation`].
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    equation: &'a Equation,
    index: usize,
}

impl Side<'_> {
    /// Evaluates this side alone.
    ///
    /// # Panics
    ///
    /// If it has no value there.
    #[track_caller]
    pub fn eval(&self, variables: impl Bindings) -> Number {
        match self.try_eval(variables) {
            Ok(number) => number,
            Err(error) => panic!("{error}"),
        }
    }

    /// Evaluates this side alone, with an error in place of a panic.
    pub fn try_eval(&self, variables: impl Bindings) -> Result<Number, EvalError> {
        self.equation.evaluate_side(self.index, &variables.bindings())
    }
}

/// Numbers for the variables of a formula.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not give numbers to variables",
    note = "write `[(\"D\", 3)]`, the point of a check, or `()` for a formula without variables"
)]
pub trait Bindings {
    /// Gives each variable with its number.
    fn bindings(&self) -> Vec<(String, Number)>;
}

struct Given(Vec<(String, Number)>);

impl Bindings for Given {
    fn bindings(&self) -> Vec<(String, Number)> {
        self.0.clone()
    }
}

impl Bindings for () {
    fn bindings(&self) -> Vec<(String, Number)> {
        Vec::new()
    }
}

impl<N: IntoNumber + Clone, const K: usize> Bindings for [(&str, N); K] {
    fn bindings(&self) -> Vec<(String, Number)> {
        self.as_slice().bindings()
    }
}

impl<N: IntoNumber + Clone> Bindings for Vec<(&str, N)> {
    fn bindings(&self) -> Vec<(String, Number)> {
        self.as_slice().bindings()
    }
}

impl<N: IntoNumber + Clone> Bindings for [(&str, N)] {
    fn bindings(&self) -> Vec<(String, Number)> {
        let number =
            |(name, number): &(&str, N)| ((*name).to_owned(), number.clone().into_number());
        self.iter().map(number).collect()
    }
}

impl<N: IntoNumber + Clone> Bindings for Vec<(String, N)> {
    fn bindings(&self) -> Vec<(String, Number)> {
        self.iter().map(|(name, number)| (name.clone(), number.clone().into_number())).collect()
    }
}

impl Bindings for Point {
    fn bindings(&self) -> Vec<(String, Number)> {
        self.coordinates().map(|(name, at)| (name.to_owned(), at.into_number())).collect()
    }
}

impl<B: Bindings + ?Sized> Bindings for &B {
    fn bindings(&self) -> Vec<(String, Number)> {
        (*self).bindings()
    }
}

fn holds(relation: Relation, left: &Number, right: &Number) -> bool {
    let Some(order) = left.compare(right) else {
        return false;
    };
    match relation {
        Relation::Equal => order.is_eq(),
        Relation::Approximate => true,
        Relation::Less => order.is_lt(),
        Relation::LessOrEqual => order.is_le(),
        Relation::Greater => order.is_gt(),
        Relation::GreaterOrEqual => order.is_ge(),
    }
}

/// `D = 2, K = 3`.
fn list(variables: &[(String, Number)]) -> String {
    let each: Vec<_> =
        variables.iter().map(|(name, number)| format!("{name} = {number}")).collect();
    each.join(", ")
}

#[cfg(test)]
pub(crate) mod tests {
    use veracity_protocol::{Expr, Function};

    use super::*;
    use crate::context::testing::Chapter;
    use crate::{exact, ratio};

    pub(crate) fn var(name: &str) -> Expr {
        Expr::Variable(name.into())
    }

    pub(crate) fn num(text: &str) -> Expr {
        Expr::Number(text.into())
    }

    pub(crate) fn add(terms: impl IntoIterator<Item = Expr>) -> Expr {
        Expr::Add(terms.into_iter().collect())
    }

    pub(crate) fn mul(factors: impl IntoIterator<Item = Expr>) -> Expr {
        Expr::Multiply(factors.into_iter().collect())
    }

    pub(crate) fn div(a: Expr, b: Expr) -> Expr {
        Expr::Divide(a.into(), b.into())
    }

    pub(crate) fn pow(a: Expr, b: Expr) -> Expr {
        Expr::Power(a.into(), b.into())
    }

    pub(crate) fn binom(n: Expr, k: Expr) -> Expr {
        Expr::Binomial(n.into(), k.into())
    }

    pub(crate) fn sum(index: &str, from: Expr, to: Expr, body: Expr) -> Expr {
        Expr::Sum { index: index.into(), from: from.into(), to: to.into(), body: body.into() }
    }

    pub(crate) fn equation_of(
        label: &str,
        sides: impl IntoIterator<Item = Expr>,
    ) -> protocol::Equation {
        let sides: Vec<_> = sides.into_iter().collect();
        protocol::Equation {
            label: label.into(),
            latex: String::new(),
            name: Some("M".into()),
            parameters: vec![],
            relations: vec![Relation::Equal; sides.len() - 1],
            sides,
        }
    }

    /// `1 + 2D + binom(D, 2) = (D² + 3D + 2) / 2`.
    pub(crate) fn monomials() -> protocol::Equation {
        let counted = add([num("1"), mul([num("2"), var("D")]), binom(var("D"), num("2"))]);
        let square = pow(var("D"), num("2"));
        let closed = div(add([square, mul([num("3"), var("D")]), num("2")]), num("2"));
        equation_of("eq-m", [counted, closed])
    }

    pub(crate) fn handle(equation: protocol::Equation) -> Equation {
        Equation(Arc::new(equation))
    }

    #[test]
    fn a_chain_is_evaluated_as_a_whole() {
        let eq = handle(monomials());
        assert_eq!(eq.eval([("D", 3)]).exact(), exact(10));
        assert_eq!(eq.side(1).eval([("D", ratio(1, 2))]).exact(), ratio(15, 8));
        assert_eq!(eq.variables(), ["D"]);

        let mut wrong = monomials();
        wrong.sides[1] = var("D");
        let error = handle(wrong).try_eval([("D", 3)]).unwrap_err();
        assert_eq!(error.to_string(), "in eq-m side 1 is 10 but side 2 is 3 (D = 3)");
    }

    #[test]
    fn inequalities_are_compared_and_approximations_are_not() {
        let mut eq = equation_of("eq-x", [var("x"), num("2"), num("9")]);
        eq.relations = vec![Relation::Less, Relation::Approximate];
        let eq = handle(eq);
        assert_eq!(eq.eval([("x", 1)]).exact(), exact(1));
        assert!(eq.try_eval([("x", 2)]).is_err());
        assert_eq!(eq.side(2).eval(()).exact(), exact(9));
    }

    #[test]
    fn parameters_are_bound_in_their_order() {
        let mut eq = equation_of("eq-p", [pow(var("D"), var("K"))]);
        eq.parameters = vec!["D".into(), "K".into()];
        assert_eq!(handle(eq).call([2, 5]).integer(), 32.into());
    }

    #[test]
    fn an_unknown_label_is_named_with_a_suggestion() {
        let _chapter = Chapter::with_equations([monomials()]);
        assert_eq!(crate::equation!("eq-m").label(), "eq-m");
        let panic = std::panic::catch_unwind(|| crate::equation!("eq-n")).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert!(message.ends_with("did you mean \"eq-m\"?"), "{message}");
    }

    #[test]
    fn numerical_sides_agree_within_rounding() {
        let eq = handle(equation_of(
            "eq-e",
            [Expr::Call(Function::Exp, vec![num("1")]), num("2.718281828459045")],
        ));
        assert!(matches!(eq.eval(()), Number::Float(_)));
    }
}
