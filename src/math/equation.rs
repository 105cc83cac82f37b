//! From the formula tree to an expression that can be computed exactly.
//!
//! What is read, and how:
//! - A chain of `=`, `\approx`, `<`, `\le`, `>`, `\ge` gives one side for each part. The rows of
//!   an aligned environment are read on end, each going on with a relation or an operator.
//! - `M = …` names the formula and `M(D, K) = …` also declares parameters. Anywhere else
//!   parentheses after a name multiply.
//! - Neighbours multiply. A slash divides by the one factor behind it, and an implicit product
//!   there (`1/2D`) is an error, as readers differ about it.
//! - The body of `\sum` and `\prod` reaches to the next `+`, `-` or relation at its own level.
//! - A function without parentheses takes the implicit product behind it: `\ln 2x` is the
//!   logarithm of `2x`.
//! - `e` or `\mathrm{e}` with an exponent is the exponential function, unless it is a declared parameter.
//! - A name is a letter or an upright, bold or accented word with its subscript and primes.
//!   Several letters in a row are a product, `\mathrm{ab}` is one name.
//!
//! Everything else, transposes and ellipses among it, is an error with its place.

use std::ops::Range;

use veracity_protocol::{Equation, Relation};

use super::MathError;
use super::tree::{Class, Kind, Layout, NOWHERE, Node, Row};

mod names;
mod side;

use names::declaration;
use side::{Context, Parser};

/// Reads a formula as an [`Equation`].
pub(super) fn equation(body: &Row, label: &str, latex: &str) -> Result<Equation, MathError> {
    let mut tokens = Vec::new();
    flatten(body, &mut tokens)?;
    while tokens.last().is_some_and(|token| matches!(character(token), Some('.' | ','))) {
        tokens.pop();
    }
    let whole = 0..latex.len();

    let mut parts: Vec<&[&Node]> = Vec::new();
    let mut relations = Vec::new();
    let mut start = 0;
    let mut open = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match bracket(token) {
            Some(Bracket::Open(_)) => open += 1,
            Some(Bracket::Close(_)) => open = open.saturating_sub(1),
            None => {}
        }
        if token.class() == Class::Relation && open == 0 {
            relations.push(relation(token)?);
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    parts.push(&tokens[start..]);

    let mut name = None;
    let mut parameters = Vec::new();
    if relations.first() == Some(&Relation::Equal)
        && let Some((declared, declared_parameters)) = declaration(parts[0])
    {
        name = Some(declared);
        parameters = declared_parameters;
        parts.remove(0);
        relations.remove(0);
    }
    let context = Context { name: name.as_deref(), parameters: &parameters };
    let sides = parts
        .iter()
        .map(|part| {
            let around = span(part).unwrap_or_else(|| whole.clone());
            Parser::new(&context, part, around).all()
        })
        .collect::<Result<_, _>>()
        .map_err(|error| {
            if error.range == NOWHERE { MathError { range: whole, ..error } } else { error }
        })?;
    Ok(Equation {
        label: label.to_owned(),
        latex: latex.to_owned(),
        name,
        parameters,
        sides,
        relations,
    })
}

fn error(range: &Range<usize>, message: impl Into<String>) -> MathError {
    MathError { message: message.into(), range: range.clone(), hint: None }
}

fn hinted(range: &Range<usize>, message: impl Into<String>, hint: &str) -> MathError {
    MathError { hint: Some(hint.to_owned()), ..error(range, message) }
}

fn span(tokens: &[&Node]) -> Option<Range<usize>> {
    let ranges = || tokens.iter().map(|token| &token.range).filter(|range| **range != NOWHERE);
    let start = ranges().map(|range| range.start).min()?;
    let end = ranges().map(|range| range.end).max()?;
    Some(start..end)
}

/// Takes out what has no bearing on the value: spaces, styles, colours, the alignment of rows, and braces, which
/// nobody sees on a page.
fn flatten<'a>(row: &'a Row, tokens: &mut Vec<&'a Node>) -> Result<(), MathError> {
    for node in row {
        match &node.kind {
            Kind::Space(_) | Kind::Phantom(_) => {}
            Kind::Style { body, .. }
            | Kind::Color { body, .. }
            | Kind::Boxed(body)
            | Kind::Group(body) => flatten(body, tokens)?,
            Kind::Array(array) if array.layout != Layout::Table => {
                for row in &array.rows {
                    let before = tokens.len();
                    for cell in row {
                        flatten(cell, tokens)?;
                    }
                    if before > 0
                        && let Some(first) = tokens.get(before)
                        && !joins(first)
                        && !joins(tokens[before - 1])
                    {
                        return Err(hinted(
                            &first.range,
                            "several formulas in one cannot be evaluated",
                            "give each its own label, or go on with a relation or an operator",
                        ));
                    }
                }
            }
            _ => tokens.push(node),
        }
    }
    Ok(())
}

fn joins(node: &Node) -> bool {
    matches!(node.class(), Class::Relation | Class::Binary)
}

/// Returns the character of a node that is no more than one.
fn character(node: &Node) -> Option<char> {
    match &node.kind {
        Kind::Symbol(symbol) => Some(symbol.char),
        Kind::Delimiter { symbol, .. } => Some(*symbol),
        Kind::Class { body, .. } | Kind::Style { body, .. } => match &body[..] {
            [only] => character(only),
            _ => None,
        },
        _ => None,
    }
}

enum Bracket {
    Open(char),
    Close(char),
}

/// Returns whether a node opens or closes a bracket, a closing one also with scripts on it.
fn bracket(node: &Node) -> Option<Bracket> {
    if let Kind::Scripts { base, .. } = &node.kind {
        return match &base[..] {
            [only] => bracket(only).filter(|bracket| matches!(bracket, Bracket::Close(_))),
            _ => None,
        };
    }
    let char = character(node)?;
    match (node.class(), char) {
        (Class::Opening, _) | (Class::Normal, '(' | '[' | '{') => Some(Bracket::Open(char)),
        (Class::Closing, _) | (Class::Normal, ')' | ']' | '}') if char != '!' => {
            Some(Bracket::Close(char))
        }
        _ => None,
    }
}

fn relation(node: &Node) -> Result<Relation, MathError> {
    Ok(match character(node) {
        Some('=') => Relation::Equal,
        Some('≈') => Relation::Approximate,
        Some('<') => Relation::Less,
        Some('≤' | '⩽') => Relation::LessOrEqual,
        Some('>') => Relation::Greater,
        Some('≥' | '⩾') => Relation::GreaterOrEqual,
        _ => {
            return Err(hinted(
                &node.range,
                "this relation cannot be evaluated",
                "relations are =, \\approx, <, \\le, > and \\ge",
            ));
        }
    })
}
