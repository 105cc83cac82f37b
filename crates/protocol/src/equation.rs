//! Equations: the computable meaning of a displayed formula.
//!
//! The host parses the chapter's LaTeX into an [`Equation`]; `lab` evaluates it.

use serde::{Deserialize, Serialize};

/// A displayed formula `lhs = side₁ = side₂ …` that can be evaluated.
///
/// `M = 1 + 2D + \binom{D}{2} = \frac{D^2+3D+2}{2}` has the name `M`, no declared parameters
/// and two sides. `M(D, K) = …` declares the parameters `D` and `K`. A formula without
/// a bare name or call on its left has no name, and its left-hand side is the first side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equation {
    /// Label in the chapter, such as `eq-m`.
    pub label: String,
    /// LaTeX as the author wrote it.
    pub latex: String,
    /// Name on the left, such as `M`.
    pub name: Option<String>,
    /// Declared parameters, in order.
    pub parameters: Vec<String>,
    /// Expressions that the formula relates, at least one.
    pub sides: Vec<Expr>,
    /// Relation between each pair of neighbouring sides, one fewer than `sides`.
    pub relations: Vec<Relation>,
}

/// How two neighbouring sides of an [`Equation`] are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// `=`
    Equal,
    /// `\approx`
    Approximate,
    /// `<`
    Less,
    /// `\le`
    LessOrEqual,
    /// `>`
    Greater,
    /// `\ge`
    GreaterOrEqual,
}

/// An expression over named variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expr {
    /// Decimal number as printed, such as `3` or `0.25`; exact.
    Number(String),
    /// Named variable, such as `D`, `x_1` or `\alpha`, in normalised LaTeX.
    Variable(String),
    /// Negation.
    Negate(Box<Expr>),
    /// Sum of terms.
    Add(Vec<Expr>),
    /// Product of factors.
    Multiply(Vec<Expr>),
    /// Quotient.
    Divide(Box<Expr>, Box<Expr>),
    /// Power.
    Power(Box<Expr>, Box<Expr>),
    /// Binomial coefficient, `n` over `k`.
    Binomial(Box<Expr>, Box<Expr>),
    /// Factorial.
    Factorial(Box<Expr>),
    /// Sum over an integer index with inclusive bounds.
    Sum {
        /// Index variable.
        index: String,
        /// First index.
        from: Box<Expr>,
        /// Last index.
        to: Box<Expr>,
        /// Summand.
        body: Box<Expr>,
    },
    /// Product over an integer index with inclusive bounds.
    Product {
        /// Index variable.
        index: String,
        /// First index.
        from: Box<Expr>,
        /// Last index.
        to: Box<Expr>,
        /// Factor.
        body: Box<Expr>,
    },
    /// Root of a degree (2 for a square root).
    Root {
        /// Degree.
        degree: Box<Expr>,
        /// Radicand.
        body: Box<Expr>,
    },
    /// Named function of one argument or more.
    Call(Function, Vec<Expr>),
}

/// Functions that an [`Expr`] may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Exponential, numerical.
    Exp,
    /// Natural logarithm, numerical.
    Ln,
    /// Logarithm to a base: base, argument; numerical.
    Log,
    /// Sine, numerical.
    Sin,
    /// Cosine, numerical.
    Cos,
    /// Hyperbolic tangent, numerical.
    Tanh,
    /// Absolute value, exact.
    Abs,
    /// Largest integer not above, exact.
    Floor,
    /// Smallest integer not below, exact.
    Ceil,
    /// Smallest argument, exact.
    Min,
    /// Largest argument, exact.
    Max,
}
