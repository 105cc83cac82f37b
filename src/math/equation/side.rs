//! Recursive descent from one side of a formula to an expression.

mod call;
mod large;

use std::ops::Range;

use veracity_protocol::{Expr, Function};

use super::names::{base_name, is_primes, plain_name, scripted_name};
use super::{Bracket, bracket, character, error, flatten, hinted};
use crate::math::MathError;
use crate::math::tree::{Class, Kind, Node, Row};

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
            if self.at > 0 && is_number(self.tokens[self.at - 1]) {
                if is_number(here) {
                    return Err(error(&here.range, "two numbers in a row"));
                }
                if is_fraction_of_numbers(here) {
                    let message = "a number and a fraction look like one mixed number";
                    return Err(hinted(&here.range, message, "\\cdot between them"));
                }
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
            Kind::Group(body) => {
                let mut tokens = Vec::new();
                flatten(body, &mut tokens)?;
                if tokens.len() > 1 && !is_bracketed(&tokens) {
                    let message = "nobody sees the braces around this";
                    return Err(hinted(&token.range, message, "parentheses"));
                }
                Parser::new(self.context, &tokens, token.range.clone()).all()
            }
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

fn is_fraction_of_numbers(node: &Node) -> bool {
    let is_one = |row: &Row| matches!(&row[..], [only] if is_number(only));
    matches!(&node.kind, Kind::Fraction { numerator, denominator, bar: true, .. }
        if is_one(numerator) && is_one(denominator))
}

/// Whether the first token opens a bracket that the last one closes.
fn is_bracketed(tokens: &[&Node]) -> bool {
    let mut depth = 0_usize;
    let mut last = tokens.len();
    for (at, token) in tokens.iter().enumerate() {
        match bracket(token) {
            Some(Bracket::Open(_)) => depth += 1,
            Some(Bracket::Close(_)) => depth = depth.saturating_sub(1),
            None => {}
        }
        if depth == 0 {
            last = at;
            break;
        }
    }
    last > 0 && last + 1 == tokens.len()
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
