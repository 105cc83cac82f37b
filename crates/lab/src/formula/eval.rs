//! Evaluation of an expression.
//!
//! In: an expression and numbers for its variables. Out: a number, exact wherever the
//! mathematics allows, or the reason why there is none.

use std::error::Error;
use std::fmt;

use num_bigint::BigInt;
use veracity_protocol::Expr;

use super::arithmetic::{
    add, binomial, call, decimal, divide, factorial, integer, multiply, power, root,
};

use crate::{IntoNumber, Number, closest};

/// Most terms of all sums and products of one evaluation together.
const MOST_TERMS: u64 = 1_000_000;

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
            Self::UnknownVariable { name, meant: Some(meant) } => {
                write!(f, "the variable \"{name}\" has no number; did you mean it by \"{meant}\"?")
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
    Scope { variables, indices: Vec::new(), terms: 0 }.eval(expr)
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
        Expr::Sum { index, from, to, body } | Expr::Product { index, from, to, body } => {
            free_variables(from, bound, found);
            free_variables(to, bound, found);
            bound.push(index.clone());
            free_variables(body, bound, found);
            bound.pop();
        }
    }
}

fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '\\' | '{' | '}' | ' '))
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
            Expr::Sum { index, from, to, body } => self.repeat(index, (from, to), body, 0, add),
            Expr::Product { index, from, to, body } => {
                self.repeat(index, (from, to), body, 1, multiply)
            }
            Expr::Root { degree, body } => root(&self.eval(degree)?, &self.eval(body)?),
            Expr::Call(function, arguments) => {
                let arguments: Result<Vec<_>, _> =
                    arguments.iter().map(|argument| self.eval(argument)).collect();
                call(*function, &arguments?)
            }
        }
    }

    fn variable(&self, name: &str) -> Result<Number, EvalError> {
        let bound = self.indices.iter().rev().find(|(index, _)| same_name(index, name));
        if let Some((_, at)) = bound {
            return Ok(at.into_number());
        }
        let component = self.component(name);
        let name = component.as_deref().unwrap_or(name);
        let given = self.variables.iter().find(|(given, _)| same_name(given, name));
        if let Some((_, number)) = given {
            return Ok(number.clone());
        }
        if name == "\\pi" {
            return Ok(Number::Float(std::f64::consts::PI));
        }
        let meant = closest(name, self.variables.iter().map(|(given, _)| given.as_str()));
        Err(EvalError::UnknownVariable { name: name.into(), meant: meant.map(str::to_owned) })
    }

    /// `q_3` for `q_i` where the index i is 3.
    fn component(&self, name: &str) -> Option<String> {
        let (stem, subscript) = name.split_once('_')?;
        let (_, at) = self.indices.iter().rev().find(|(index, _)| same_name(index, subscript))?;
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
        let terms = u64::try_from((&last - &at + 1_u32).max(BigInt::ZERO)).unwrap_or(u64::MAX);
        self.terms = self.terms.saturating_add(terms);
        if self.terms > MOST_TERMS {
            return Err(EvalError::TooManyTerms);
        }
        while at <= last {
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

#[cfg(test)]
mod tests {
    use super::super::tests::{add, binom, div, mul, num, pow, sum, var};
    use veracity_protocol::Function;

    use super::*;
    use crate::{BigRational, exact, ratio};
    use num_traits::One;

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
        Expr::Root { degree: num(degree).into(), body: body.into() }
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
        let Ok(Number::Float(root)) = at(&root_of("2", num("2")), &[]) else { panic!() };
        assert_eq!(root, std::f64::consts::SQRT_2);
        is_exactly(&pow(negate(num("1")), num("1000000000001")), &[], exact(-1));
        fails(&pow(num("0"), negate(num("1"))), "division by zero");
        fails(&pow(num("2"), num("100000000")), "a power is too large");
        fails(&pow(negate(num("8")), num("0.5")), "the power 1/2 of -8 is no real number");
        fails(&root_of("2", negate(num("4"))), "root 2 of -4 is no real number");
        fails(&root_of("0", num("4")), "a root's degree is 0 and not a positive integer");
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
        let inner = sum("l", num("1"), num("600000"), num("1"));
        let huge = add([sum("k", num("1"), num("400001"), num("0")), inner]);
        assert_eq!(at(&huge, &[]), Err(EvalError::TooManyTerms));
    }

    #[test]
    fn an_index_hides_a_variable_and_selects_components() {
        let shadow = add([var("k"), sum("k", num("1"), num("2"), var("k"))]);
        is_exactly(&shadow, &[("k", exact(10))], exact(13));
        let dot = sum("i", num("1"), num("2"), mul([var("q_i"), var("k_{i}")]));
        let numbers =
            [("q_1", exact(2)), ("q_2", exact(3)), ("k_1", exact(5)), ("k_2", ratio(1, 3))];
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
        is_exactly(&call(Function::Floor, &[negate(num("0.5"))]), &[], exact(-1));
        is_exactly(&call(Function::Ceil, &[num("1.2")]), &[], exact(2));
        is_exactly(&call(Function::Abs, &[negate(num("0.5"))]), &[], ratio(1, 2));
        is_exactly(&call(Function::Min, &[num("3"), num("0.5"), num("2")]), &[], ratio(1, 2));
        is_exactly(&call(Function::Max, &[num("3"), num("0.5"), num("4")]), &[], exact(4));
        let log = call(Function::Log, &[num("2"), num("1024")]);
        assert_eq!(at(&log, &[]), Ok(Number::Float(10.0)));
        fails(&call(Function::Ln, &[num("0")]), "the logarithm of 0 is no real number");
        fails(&call(Function::Exp, &[num("1000")]), "a numerical result is too large");
        fails(&call(Function::Exp, &[]), "Exp does not take 0 arguments");
        fails(&div(num("1"), num("0")), "division by zero");
        fails(
            &Expr::Factorial(negate(num("1")).into()),
            "a factorial's argument is -1 and negative",
        );
    }
}
