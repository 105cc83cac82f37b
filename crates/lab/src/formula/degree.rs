//! In which variables an expression is a polynomial, and of which degree.
//!
//! In: an expression. Out: an upper bound of the degree in each variable, or nothing if the
//! expression is not seen to be a polynomial with rational coefficients. A sum or product with
//! constant bounds counts, and so does a binomial coefficient with a constant lower index,
//! which is a polynomial in its upper one (see `Equation`).

use std::collections::BTreeMap;

use num_traits::ToPrimitive;
use veracity_protocol::Expr;

use super::eval::{evaluate, plain_name, same_name};
use crate::{IntoNumber, Number};

/// Degree in each variable, by its plain name; a variable that is missing does not occur.
pub(crate) type Degrees = BTreeMap<String, u32>;

/// Most terms of a sum or product that are looked at, and the largest degree.
const MOST: u32 = 1000;

/// Bounds the degree in each variable.
pub(crate) fn degrees(expr: &Expr) -> Option<Degrees> {
    bounded(expr, &mut Vec::new())
}

fn bounded(expr: &Expr, indices: &mut Vec<(String, Number)>) -> Option<Degrees> {
    if constant(expr, indices).is_some() {
        return Some(Degrees::new());
    }
    match expr {
        Expr::Variable(name) if name != "\\pi" => {
            Some(Degrees::from([(component(name, indices), 1)]))
        }
        Expr::Negate(body) => bounded(body, indices),
        Expr::Add(terms) => terms
            .iter()
            .try_fold(Degrees::new(), |all, term| Some(join(all, bounded(term, indices)?))),
        Expr::Multiply(factors) => factors
            .iter()
            .try_fold(Degrees::new(), |all, factor| product(all, bounded(factor, indices)?)),
        Expr::Divide(a, b) => {
            let divides = constant(b, indices)?.compare(&0.into_number())?.is_ne();
            if divides { bounded(a, indices) } else { None }
        }
        Expr::Power(base, exponent) => {
            let exponent = natural(exponent, indices)?;
            scale(bounded(base, indices)?, exponent)
        }
        Expr::Binomial(n, k) => {
            let k = constant(k, indices)?;
            if k.compare(&0.into_number())?.is_lt() {
                return Some(Degrees::new());
            }
            scale(bounded(n, indices)?, exact_u32(&k)?)
        }
        Expr::Sum { index, from, to, body } => {
            repeat((index, from, to), body, indices, |all, term| Some(join(all, term)))
        }
        Expr::Product { index, from, to, body } => {
            repeat((index, from, to), body, indices, product)
        }
        _ => None,
    }
}

/// Exact value of an expression in which nothing but indices occurs.
fn constant(expr: &Expr, indices: &[(String, Number)]) -> Option<Number> {
    // The innermost index of a name comes last and is the one that counts.
    let indices: Vec<_> = indices.iter().rev().cloned().collect();
    evaluate(expr, &indices).ok().filter(|number| matches!(number, Number::Exact(_)))
}

fn natural(expr: &Expr, indices: &[(String, Number)]) -> Option<u32> {
    exact_u32(&constant(expr, indices)?)
}

fn exact_u32(number: &Number) -> Option<u32> {
    match number {
        Number::Exact(exact) if exact.is_integer() => exact.to_u32().filter(|n| *n <= MOST),
        _ => None,
    }
}

fn repeat(
    (index, from, to): (&str, &Expr, &Expr),
    body: &Expr,
    indices: &mut Vec<(String, Number)>,
    join: fn(Degrees, Degrees) -> Option<Degrees>,
) -> Option<Degrees> {
    let first = constant(from, indices)?.exact().to_i64()?;
    let last = constant(to, indices)?.exact().to_i64()?;
    if last.checked_sub(first)? >= i64::from(MOST) {
        return None;
    }
    let mut all = Degrees::new();
    for at in first..=last {
        indices.push((index.to_owned(), at.into_number()));
        let term = bounded(body, indices);
        indices.pop();
        all = join(all, term?)?;
    }
    Some(all)
}

/// `q_3` for `q_i` where the index i is 3.
fn component(name: &str, indices: &[(String, Number)]) -> String {
    let selected = name.split_once('_').and_then(|(stem, subscript)| {
        let (_, at) = indices.iter().rev().find(|(index, _)| same_name(index, subscript))?;
        Some(format!("{stem}_{at}"))
    });
    plain_name(&selected.unwrap_or_else(|| name.to_owned()))
}

fn join(mut all: Degrees, other: Degrees) -> Degrees {
    for (name, degree) in other {
        let known = all.entry(name).or_default();
        *known = degree.max(*known);
    }
    all
}

fn product(mut all: Degrees, other: Degrees) -> Option<Degrees> {
    for (name, degree) in other {
        let known = all.entry(name).or_default();
        *known = known.checked_add(degree).filter(|sum| *sum <= MOST)?;
    }
    Some(all)
}

fn scale(degrees: Degrees, by: u32) -> Option<Degrees> {
    let scaled = |(name, degree): (String, u32)| {
        Some((name, degree.checked_mul(by).filter(|product| *product <= MOST)?))
    };
    degrees.into_iter().map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{add, binom, div, monomials, mul, num, pow, sum, var};
    use super::*;

    fn of<const N: usize>(expected: [(&str, u32); N]) -> Option<Degrees> {
        Some(expected.into_iter().map(|(name, degree)| (name.to_owned(), degree)).collect())
    }

    #[test]
    fn polynomials_have_a_degree_in_each_variable() {
        for side in monomials().sides {
            assert_eq!(degrees(&side), of([("D", 2)]));
        }
        let mixed = mul([pow(add([var("x"), num("1")]), num("3")), var("y"), var("x")]);
        assert_eq!(degrees(&mixed), of([("x", 4), ("y", 1)]));
        assert_eq!(degrees(&Expr::Negate(num("7").into())), of([]));
        assert_eq!(degrees(&mul([var("x_1"), var("x_{1}")])), of([("x_1", 2)]));
    }

    #[test]
    fn constant_bounds_and_lower_indices_count() {
        let powers = sum("k", num("0"), num("4"), pow(var("x"), var("k")));
        assert_eq!(degrees(&powers), of([("x", 4)]));
        let chosen = sum("k", num("0"), num("3"), binom(add([var("D"), var("k")]), var("k")));
        assert_eq!(degrees(&chosen), of([("D", 3)]));
        let dot = sum("i", num("1"), num("2"), pow(var("q_i"), var("i")));
        assert_eq!(degrees(&dot), of([("q_1", 1), ("q_2", 2)]));
    }

    #[test]
    fn what_is_not_seen_to_be_a_polynomial_has_no_degree() {
        let variable_bound = sum("k", num("0"), var("K"), var("k"));
        let variable_choice = binom(add([var("K"), var("D")]), var("D"));
        let quotient = div(num("1"), var("x"));
        let irrational =
            mul([var("x"), Expr::Root { degree: num("2").into(), body: num("2").into() }]);
        let exponential = pow(num("2"), var("x"));
        let undefined = div(var("x"), num("0"));
        let huge = sum("k", num("1"), num("1000000"), var("x"));
        for expr in
            [variable_bound, variable_choice, quotient, irrational, exponential, undefined, huge]
        {
            assert_eq!(degrees(&expr), None, "{expr:?}");
        }
    }
}
