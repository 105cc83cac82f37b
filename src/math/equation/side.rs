//! Recursive descent from one side of a formula to an expression.

use std::ops::Range;

use veracity_protocol::{Expr, Function};

use super::names::{base_name, is_primes, plain_name, scripted_name};
use super::{Bracket, bracket, character, error, flatten, hinted, span};
use crate::math::MathError;
use crate::math::tree::{Class, Kind, Node, Row};

/// How a sum says from where to where it goes, for hints.
const BOUNDS: &str = "\\sum_{k=0}^{K}";

/// What the left-hand side declares.
pub(super) struct Context<'a> {
    pub name: Option<&'a str>,
    pub parameters: &'a [String],
}

/// Recursive descent over one side or one argument.
pub(super) struct Parser<'a> {
    context: &'a Context<'a>,
    tokens: Vec<&'a Node>,
    at: usize,
    /// Where to point when the tokens run out.
    around: Range<usize>,
    /// Open vertical bars, which close where an operand could go on.
    bars: usize,
}

impl<'a> Parser<'a> {
    pub fn new(context: &'a Context<'a>, tokens: &[&'a Node], around: Range<usize>) -> Self {
        Self { context, tokens: tokens.to_vec(), at: 0, around, bars: 0 }
    }

    /// Reads a nested row to its end.
    fn nested(&self, row: &'a Row, around: &Range<usize>) -> Result<Expr, MathError> {
        let mut tokens = Vec::new();
        flatten(row, &mut tokens)?;
        Parser::new(self.context, &tokens, around.clone()).all()
    }

    /// Reads everything as one expression.
    pub fn all(&mut self) -> Result<Expr, MathError> {
        let expr = self.sum()?;
        match self.peek() {
            None => Ok(expr),
            Some(token) => Err(no_value(token)),
        }
    }

    fn peek(&self) -> Option<&'a Node> {
        self.tokens.get(self.at).copied()
    }

    fn next_is(&self, wanted: &[char]) -> bool {
        self.peek().and_then(character).is_some_and(|char| wanted.contains(&char))
    }

    fn eat(&mut self, wanted: &[char]) -> bool {
        let found = self.next_is(wanted);
        self.at += usize::from(found);
        found
    }

    fn missing(&self) -> MathError {
        if self.tokens.is_empty() {
            return error(&self.around, "there is nothing to compute here");
        }
        let at = self.tokens.get(self.at.saturating_sub(1)).map(|token| &token.range);
        error(at.unwrap_or(&self.around), "something is missing behind this")
    }

    fn sum(&mut self) -> Result<Expr, MathError> {
        let mut terms = vec![self.signed_term()?];
        loop {
            if self.eat(&['+']) {
                terms.push(self.signed_term()?);
            } else if self.eat(&['−']) {
                terms.push(negate(self.signed_term()?));
            } else {
                return Ok(one_or(terms, Expr::Add));
            }
        }
    }

    fn signed_term(&mut self) -> Result<Expr, MathError> {
        if self.eat(&['+']) {
            self.signed_term()
        } else if self.eat(&['−']) {
            Ok(negate(self.signed_term()?))
        } else {
            self.product()
        }
    }

    fn product(&mut self) -> Result<Expr, MathError> {
        let mut factors = self.implicit_product()?;
        loop {
            if self.eat(&['⋅', '×', '·']) {
                factors.extend(self.implicit_product()?);
            } else if self.next_is(&['/', '÷']) {
                let slash = self.tokens[self.at].range.clone();
                self.at += 1;
                let divisor = self.factor()?;
                if self.starts_factor() {
                    return Err(hinted(
                        &slash,
                        "what this slash divides by is ambiguous",
                        "\\frac{…}{…}, or parentheses",
                    ));
                }
                let dividend = one_or(std::mem::take(&mut factors), Expr::Multiply);
                factors.push(Expr::Divide(Box::new(dividend), Box::new(divisor)));
            } else {
                return Ok(one_or(factors, Expr::Multiply));
            }
        }
    }

    fn signed_factor(&mut self) -> Result<Expr, MathError> {
        if self.eat(&['−']) {
            Ok(negate(self.signed_factor()?))
        } else if self.eat(&['+']) {
            self.signed_factor()
        } else {
            self.factor()
        }
    }

    /// Reads factors that stand side by side.
    fn implicit_product(&mut self) -> Result<Vec<Expr>, MathError> {
        let mut factors = vec![self.signed_factor()?];
        while self.starts_factor() {
            let here = self.tokens[self.at];
            if is_number(here) && self.at > 0 && is_number(self.tokens[self.at - 1]) {
                return Err(error(&here.range, "two numbers in a row"));
            }
            factors.push(self.factor()?);
        }
        Ok(factors)
    }

    /// Whether the next token can go on an implicit product.
    fn starts_factor(&self) -> bool {
        let Some(token) = self.peek() else { return false };
        if is_bar_or_scripted(token) {
            return self.bars == 0 && is_bar(token);
        }
        match bracket(token) {
            Some(Bracket::Open(_)) => return true,
            Some(Bracket::Close(_)) => return false,
            None => {}
        }
        match &token.kind {
            Kind::Symbol(symbol) => {
                symbol.class == Class::Normal && !matches!(symbol.char, '/' | '÷' | '!')
            }
            Kind::Class { class, .. } => *class == Class::Normal,
            _ => true,
        }
    }

    /// Reads a factor with the factorials behind it.
    fn factor(&mut self) -> Result<Expr, MathError> {
        let mut value = self.primary()?;
        while let Some(token) = self.peek() {
            if character(token) == Some('!') {
                self.at += 1;
                value = Expr::Factorial(Box::new(value));
            } else if let Kind::Scripts { base, sub: None, sup: Some(sup) } = &token.kind
                && let [only] = &base[..]
                && character(only) == Some('!')
            {
                self.at += 1;
                value = power(Expr::Factorial(Box::new(value)), self.exponent(sup, &token.range)?);
            } else {
                break;
            }
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<Expr, MathError> {
        let Some(token) = self.peek() else { return Err(self.missing()) };
        self.at += 1;
        if is_bar(token) {
            return self.absolute(token);
        }
        if let Some(Bracket::Open(open)) = bracket(token) {
            return self.bracketed(token, open);
        }
        match &token.kind {
            Kind::Scripts { base, sub, sup } => {
                self.scripted(token, base, sub.as_ref(), sup.as_ref())
            }
            Kind::Operator { .. } => self.function(token, token, None, None),
            Kind::Large { .. } => Err(error(&token.range, "bounds are missing")),
            _ => {
                let value = self.atom(token)?;
                self.refuse_call(token)?;
                Ok(value)
            }
        }
    }

    /// Reads what needs no look at the tokens behind it.
    fn atom(&self, token: &'a Node) -> Result<Expr, MathError> {
        if let Some(name) = base_name(token) {
            return Ok(Expr::Variable(name));
        }
        match &token.kind {
            Kind::Number(digits) => Ok(Expr::Number(digits.clone())),
            Kind::Group(body) => self.nested(body, &token.range),
            Kind::Fraction { numerator, denominator, bar, left, right } => {
                let above = Box::new(self.nested(numerator, &token.range)?);
                let below = Box::new(self.nested(denominator, &token.range)?);
                match (bar, left, right) {
                    (true, None, None) => Ok(Expr::Divide(above, below)),
                    (false, Some('('), Some(')')) => Ok(Expr::Binomial(above, below)),
                    _ => Err(no_value(token)),
                }
            }
            Kind::Root { degree, body } => Ok(Expr::Root {
                degree: Box::new(match degree {
                    Some(degree) => self.nested(degree, &token.range)?,
                    None => Expr::Number("2".to_owned()),
                }),
                body: Box::new(self.nested(body, &token.range)?),
            }),
            Kind::Fenced { left, right, body } => {
                let function = match (left, right) {
                    (Some('('), Some(')')) | (Some('['), Some(']')) | (Some('{'), Some('}')) => {
                        None
                    }
                    (Some('|'), Some('|')) => Some(Function::Abs),
                    (Some('⌊'), Some('⌋')) => Some(Function::Floor),
                    (Some('⌈'), Some('⌉')) => Some(Function::Ceil),
                    _ => return Err(error(&token.range, "these delimiters have no value")),
                };
                let value = self.nested(body, &token.range)?;
                Ok(match function {
                    Some(function) => Expr::Call(function, vec![value]),
                    None => value,
                })
            }
            _ => Err(no_value(token)),
        }
    }

    /// Reads between vertical bars.
    fn absolute(&mut self, open: &'a Node) -> Result<Expr, MathError> {
        self.bars += 1;
        let value = self.sum()?;
        self.bars -= 1;
        let Some(close) = self.peek().filter(|token| is_bar_or_scripted(token)) else {
            return Err(error(&open.range, "this bar is not closed"));
        };
        self.at += 1;
        self.closed(close, Expr::Call(Function::Abs, vec![value]))
    }

    /// Reads between brackets.
    fn bracketed(&mut self, token: &'a Node, open: char) -> Result<Expr, MathError> {
        let (wanted, function) = match open {
            '(' => (')', None),
            '[' => (']', None),
            '{' => ('}', None),
            '|' | '∣' => (open, Some(Function::Abs)),
            '⌊' => ('⌋', Some(Function::Floor)),
            '⌈' => ('⌉', Some(Function::Ceil)),
            _ => return Err(error(&token.range, "these delimiters have no value")),
        };
        let bars = std::mem::take(&mut self.bars);
        let value = self.sum()?;
        self.bars = bars;
        let Some(close) = self.peek() else {
            return Err(error(&token.range, format!("{open} is not closed")));
        };
        match bracket(close) {
            Some(Bracket::Close(found)) if found == wanted => {}
            _ => return Err(no_value(close)),
        }
        self.at += 1;
        let value = match function {
            Some(function) => Expr::Call(function, vec![value]),
            None => value,
        };
        self.closed(close, value)
    }

    /// Applies the exponent that stands on a closing delimiter.
    fn closed(&self, close: &'a Node, value: Expr) -> Result<Expr, MathError> {
        match &close.kind {
            Kind::Scripts { sub: Some(_), .. } => {
                Err(error(&close.range, "a subscript on a bracket has no value"))
            }
            Kind::Scripts { sup: Some(sup), .. } => {
                Ok(power(value, self.exponent(sup, &close.range)?))
            }
            _ => Ok(value),
        }
    }

    fn scripted(
        &mut self,
        token: &'a Node,
        base: &'a Row,
        sub: Option<&'a Row>,
        sup: Option<&'a Row>,
    ) -> Result<Expr, MathError> {
        let [only] = &base[..] else {
            return Err(error(&token.range, "a script without a base has no value"));
        };
        match &only.kind {
            Kind::Large { .. } => return self.large(token, only, sub, sup),
            Kind::Operator { .. } => return self.function(token, only, sub, sup),
            _ => {}
        }
        if let Some(name) = base_name(only) {
            if sub.is_none()
                && matches!(name.as_str(), "e" | "\\mathrm{e}")
                && !self.declared(&name)
                && let Some(sup) = sup
            {
                let argument = self.exponent(sup, &token.range)?;
                return Ok(Expr::Call(Function::Exp, vec![argument]));
            }
            let primes = sup.filter(|sup| is_primes(sup));
            let name = scripted_name(name, sub, primes)
                .ok_or_else(|| error(&token.range, "this subscript makes no name"))?;
            self.refuse_call(token)?;
            let variable = Expr::Variable(name);
            return match sup.filter(|_| primes.is_none()) {
                Some(sup) => Ok(power(variable, self.exponent(sup, &token.range)?)),
                None => Ok(variable),
            };
        }
        if sub.is_some() {
            return Err(error(&token.range, "a subscript on this has no value"));
        }
        let value = self.atom(only)?;
        match sup {
            Some(sup) => Ok(power(value, self.exponent(sup, &token.range)?)),
            None => Ok(value),
        }
    }

    fn declared(&self, name: &str) -> bool {
        self.context.parameters.iter().any(|parameter| parameter == name)
    }

    fn exponent(&self, sup: &'a Row, around: &Range<usize>) -> Result<Expr, MathError> {
        if let [only] = &sup[..] {
            let latex = match &only.kind {
                Kind::Symbol(symbol) => symbol.latex.as_str(),
                _ => "",
            };
            let transposed = matches!(latex, "\\top" | "\\intercal" | "\\dagger")
                || latex == "T" && !self.declared("T");
            if transposed {
                return Err(error(&only.range, "a transpose cannot be evaluated"));
            }
        }
        self.nested(sup, around)
    }

    /// Refuses what looks like the call of a function that is not known.
    fn refuse_call(&self, name: &Node) -> Result<(), MathError> {
        let arguments: Option<Vec<&Node>> = match self.peek() {
            Some(Node { kind: Kind::Fenced { left: Some('('), body, .. }, .. }) => {
                Some(body.iter().collect())
            }
            Some(token) if matches!(bracket(token), Some(Bracket::Open('('))) => {
                let mut depth = 0_usize;
                let inner = self.tokens[self.at..].iter().copied().take_while(|token| {
                    match bracket(token) {
                        Some(Bracket::Open(_)) => depth += 1,
                        Some(Bracket::Close(_)) => depth -= 1,
                        None => {}
                    }
                    depth > 0
                });
                Some(inner.collect())
            }
            _ => None,
        };
        let Some(arguments) = arguments else { return Ok(()) };
        let word = matches!(&name.kind, Kind::Font { body, .. } if body.len() > 1)
            || matches!(&name.kind, Kind::Text(text) if text.chars().count() > 1);
        let commas = arguments.iter().any(|token| character(token) == Some(','));
        let itself = plain_name(name).is_some() && plain_name(name).as_deref() == self.context.name;
        if word || commas || itself && !self.context.parameters.is_empty() {
            return Err(error(
                &name.range,
                if itself {
                    "a formula that calls itself cannot be evaluated"
                } else {
                    "this function cannot be evaluated"
                },
            ));
        }
        Ok(())
    }

    /// Reads a sum or product over an index; the body is the rest of the term.
    fn large(
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

    /// Reads a named function with its argument.
    fn function(
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

fn negate(value: Expr) -> Expr {
    Expr::Negate(Box::new(value))
}

fn power(base: Expr, exponent: Expr) -> Expr {
    Expr::Power(Box::new(base), Box::new(exponent))
}

fn one_or(mut parts: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
    if parts.len() == 1 { parts.swap_remove(0) } else { many(parts) }
}

fn is_number(node: &Node) -> bool {
    match &node.kind {
        Kind::Number(_) => true,
        Kind::Scripts { base, .. } => matches!(&base[..], [only] if is_number(only)),
        _ => false,
    }
}

fn is_function(node: &Node) -> bool {
    match &node.kind {
        Kind::Operator { .. } | Kind::Large { .. } => true,
        Kind::Scripts { base, .. } => matches!(&base[..], [only] if is_function(only)),
        _ => false,
    }
}

/// Whether a node is a vertical bar that does not say whether it opens or closes.
fn is_bar(node: &Node) -> bool {
    node.class() == Class::Normal && matches!(character(node), Some('|' | '∣'))
}

fn is_bar_or_scripted(node: &Node) -> bool {
    is_bar(node)
        || matches!(&node.kind, Kind::Scripts { base, .. } if matches!(&base[..], [only] if is_bar(only)))
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

fn no_value(node: &Node) -> MathError {
    let message = match character(node) {
        Some('…' | '⋯' | '⋮' | '⋱') => "an ellipsis cannot be evaluated".to_owned(),
        Some('∞') => "infinity cannot be evaluated".to_owned(),
        Some('±' | '∓') => "a choice of signs cannot be evaluated".to_owned(),
        Some(char) => format!("unexpected {char}"),
        None => match &node.kind {
            Kind::Array(_) => "a matrix cannot be evaluated".to_owned(),
            Kind::Scripts { base, .. } if base.len() == 1 => return no_value(&base[0]),
            Kind::Large { symbol, .. } => format!("{} cannot be evaluated", symbol.latex),
            Kind::Text(_) => "words cannot be evaluated".to_owned(),
            _ => "this cannot be evaluated".to_owned(),
        },
    };
    error(&node.range, message)
}
