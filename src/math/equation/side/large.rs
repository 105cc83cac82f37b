//! Sums and products over indices.

use veracity_protocol::Expr;

use super::{Parser, no_value};
use crate::math::MathError;
use crate::math::equation::names::plain_name;
use crate::math::equation::{character, error, flatten, hinted};
use crate::math::tree::{Kind, Node, Row};

/// How a sum says from where to where it goes, for hints.
const BOUNDS: &str = "\\sum_{k=0}^{K}";

impl<'a> Parser<'a> {
    /// Reads a sum or product over an index; the body is the rest of the term.
    pub(super) fn large(
        &mut self,
        token: &'a Node,
        operator: &'a Node,
        sub: Option<&'a Row>,
        sup: Option<&'a Row>,
    ) -> Result<Expr, MathError> {
        let sum = match &operator.kind {
            Kind::Large { symbol, .. } if symbol.char == '∑' => true,
            Kind::Large { symbol, .. } if symbol.char == '∏' => false,
            _ => return Err(no_value(operator)),
        };
        let ranges = match (sub, sup) {
            (Some(sub), Some(sup)) => vec![self.range(token, sub, sup)?],
            (Some(sub), None) => self.chain(token, sub)?,
            _ => return Err(hinted(&token.range, "both bounds are needed", BOUNDS)),
        };
        let start = self.at;
        let mut body = self.signed_term()?;
        for (index, from, to) in ranges.into_iter().rev() {
            let read = &self.tokens[start..self.at];
            if let Some(node) = read.iter().find(|node| indexed_by(node, &index)) {
                return Err(error(
                    &node.range,
                    format!("a value for each {index} cannot be looked up"),
                ));
            }
            let (from, to, inner) = (Box::new(from), Box::new(to), Box::new(body));
            body = match sum {
                true => Expr::Sum { index, from, to, body: inner },
                false => Expr::Product { index, from, to, body: inner },
            };
        }
        Ok(body)
    }

    /// Reads an index with its first and last value, `\sum_{k=0}^{K}`.
    fn range(
        &self,
        token: &'a Node,
        sub: &'a Row,
        sup: &'a Row,
    ) -> Result<(String, Expr, Expr), MathError> {
        let mut bounds = Vec::new();
        flatten(sub, &mut bounds)?;
        let (index, from) = match &bounds[..] {
            [index, equals, from @ ..] if character(equals) == Some('=') => {
                (plain_name(index), from)
            }
            _ => (None, &[][..]),
        };
        let Some(index) = index else {
            return Err(hinted(
                &token.range,
                "the lower bound does not say where the index starts",
                BOUNDS,
            ));
        };
        let from = Parser::new(self.context, from, token.range.clone()).all()?;
        Ok((index, from, self.exponent(sup, &token.range)?))
    }

    /// Reads indices between two bounds, `\sum_{1 \le i < j \le D}`; each goes as far as the last may.
    fn chain(&self, token: &'a Node, sub: &'a Row) -> Result<Vec<(String, Expr, Expr)>, MathError> {
        let mut tokens = Vec::new();
        flatten(sub, &mut tokens)?;
        let step = |node: &Node| match character(node) {
            Some('<') => Some(1),
            Some('≤' | '⩽') => Some(0),
            _ => None,
        };
        let parts: Vec<&[&Node]> = tokens.split(|node| step(node).is_some()).collect();
        let steps: Vec<i64> = tokens.iter().filter_map(|node| step(node)).collect();
        let unclear = || hinted(&token.range, "both bounds are needed", BOUNDS);
        let ([first, names @ .., last], [_, _, ..]) = (&parts[..], &steps[..]) else {
            return Err(unclear());
        };
        let bound = |part| Parser::new(self.context, part, token.range.clone()).all();
        let mut from = moved(bound(first)?, steps[0]);
        let to = moved(bound(last)?, -steps[names.len()]);
        let mut ranges = Vec::new();
        for (name, step) in names.iter().zip(&steps[1..]) {
            let [name] = name else { return Err(unclear()) };
            let index = plain_name(name).ok_or_else(unclear)?;
            let next = moved(Expr::Variable(index.clone()), *step);
            ranges.push((index, std::mem::replace(&mut from, next), to.clone()));
        }
        Ok(ranges)
    }
}

/// A bound, by so much above.
fn moved(bound: Expr, by: i64) -> Expr {
    match by {
        0 => bound,
        1.. => Expr::Add(vec![bound, Expr::Number(by.to_string())]),
        _ => Expr::Add(vec![bound, Expr::Negate(Box::new(Expr::Number((-by).to_string())))]),
    }
}

/// Whether a name inside has the index in its subscript with something else, as in `x_{i+1}`; in `x_i`
/// it selects a component.
fn indexed_by(node: &Node, index: &str) -> bool {
    if let Kind::Scripts { base, sub: Some(sub), .. } = &node.kind
        && !matches!(
            base.first().map(|node| &node.kind),
            Some(Kind::Large { .. } | Kind::Operator { .. })
        )
        && sub.len() > 1
        && sub.iter().any(|node| plain_name(node).as_deref() == Some(index))
    {
        return true;
    }
    let mut found = false;
    crate::math::tree::children(&node.kind, &mut |row| {
        found = found || row.iter().any(|node| indexed_by(node, index));
    });
    found
}
