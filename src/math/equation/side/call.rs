//! Functions with their arguments.

use veracity_protocol::{Expr, Function};

use super::{Parser, is_function, no_value, one_or, power};
use crate::math::MathError;
use crate::math::equation::{Bracket, bracket, character, error, flatten, hinted, span};
use crate::math::tree::{Kind, Node, Row};

impl<'a> Parser<'a> {
    /// Reads a named function with its argument.
    pub(super) fn function(
        &mut self,
        token: &'a Node,
        operator: &'a Node,
        sub: Option<&'a Row>,
        sup: Option<&'a Row>,
    ) -> Result<Expr, MathError> {
        let Kind::Operator { body, .. } = &operator.kind else {
            return Err(no_value(operator));
        };
        let name = crate::math::alt::plain(body);
        let function = match name.as_str() {
            "exp" => Function::Exp,
            "ln" => Function::Ln,
            "log" => Function::Log,
            "sin" => Function::Sin,
            "cos" => Function::Cos,
            "tanh" => Function::Tanh,
            "min" => Function::Min,
            "max" => Function::Max,
            _ => return Err(error(&operator.range, format!("{name} cannot be evaluated"))),
        };
        let mut arguments = Vec::new();
        match (function, sub) {
            (Function::Log, Some(base)) => arguments.push(self.nested(base, &token.range)?),
            (Function::Log, None) => {
                return Err(hinted(
                    &token.range,
                    "a logarithm without a base is ambiguous",
                    "\\ln or \\log_b",
                ));
            }
            (_, Some(_)) => return Err(error(&token.range, format!("{name} takes no subscript"))),
            (_, None) => {}
        }
        let exponent = sup.map(|sup| self.exponent(sup, &token.range)).transpose()?;
        if matches!(&exponent, Some(Expr::Negate(_))) {
            return Err(error(&token.range, "an inverse function cannot be evaluated"));
        }
        if matches!(function, Function::Min | Function::Max) {
            arguments.extend(self.list(token)?);
        } else {
            arguments.push(self.argument()?);
        }
        let call = Expr::Call(function, arguments);
        Ok(match exponent {
            Some(exponent) => power(call, exponent),
            None => call,
        })
    }

    /// Reads one argument: what is in brackets, or else the implicit product up to the next
    /// function.
    fn argument(&mut self) -> Result<Expr, MathError> {
        let Some(first) = self.peek() else { return Err(self.missing()) };
        let enclosed = match &first.kind {
            Kind::Fenced { .. } => true,
            _ => matches!(bracket(first), Some(Bracket::Open(_))),
        };
        if enclosed {
            return self.factor();
        }
        let mut factors = vec![self.factor()?];
        while self.starts_factor() && !self.peek().is_some_and(is_function) {
            factors.push(self.factor()?);
        }
        Ok(one_or(factors, Expr::Multiply))
    }

    /// Reads arguments between brackets, separated by commas.
    fn list(&mut self, function: &Node) -> Result<Vec<Expr>, MathError> {
        let Some(open) = self.peek() else { return Err(self.missing()) };
        let mut inner = Vec::new();
        if let Kind::Fenced { body, .. } = &open.kind {
            flatten(body, &mut inner)?;
            self.at += 1;
        } else if matches!(bracket(open), Some(Bracket::Open('(' | '{' | '['))) {
            let mut depth = 0_usize;
            loop {
                let Some(token) = self.peek() else {
                    return Err(error(&open.range, "this bracket is not closed"));
                };
                self.at += 1;
                match bracket(token) {
                    Some(Bracket::Open(_)) => depth += 1,
                    Some(Bracket::Close(_)) => depth -= 1,
                    None => {}
                }
                if depth == 0 {
                    if matches!(token.kind, Kind::Scripts { .. }) {
                        return Err(no_value(token));
                    }
                    break;
                }
                inner.push(token);
            }
            inner.remove(0);
        } else {
            return Err(error(&function.range, "this needs its arguments in parentheses"));
        }
        let mut depth = 0_usize;
        let parts = inner.split(|token| {
            match bracket(token) {
                Some(Bracket::Open(_)) => depth += 1,
                Some(Bracket::Close(_)) => depth = depth.saturating_sub(1),
                None => {}
            }
            depth == 0 && character(token) == Some(',')
        });
        parts
            .map(|part| {
                let around = span(part).unwrap_or_else(|| function.range.clone());
                Parser::new(self.context, part, around).all()
            })
            .collect()
    }
}
