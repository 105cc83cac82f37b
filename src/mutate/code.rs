//! Changes of code.
//!
//! In: the code behind claims that are as expected. Out: mutants of one number, operator or
//! comparison each. Left out: what only says which cases are tried, with which seeds, how close is
//! close enough and how a thing is called, because a change there makes a check weaker or stronger,
//! and nothing wrong. In cells these are the ends of ranges, and numbers that are listed or handed to
//! functions as they stand.

use std::ops::Range;

use proc_macro2::Span as Place;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::reasons::{self, Reason};
use super::{Kind, Mutant, cell_of};
use crate::claims::Judged;
use crate::parse::{Chapter, Code};
use crate::pipeline::Evaluated;
use crate::plan::slice;

/// Methods of a check whose arguments are its tolerance, its strength or its words.
const WORDS: [&str; 5] = ["absolute", "degree", "relative", "statement", "ulps"];

/// All mutants of code on which claims rest.
pub(super) fn mutants(report: &Evaluated, tested: &[&Judged]) -> Vec<Mutant> {
    // What stands behind each claim: its chapter, its places in it, its identifier.
    let behind: Vec<(usize, Vec<Range<usize>>, &str)> = tested
        .iter()
        .filter_map(|claim| {
            let (chapter, cell) = cell_of(report, claim)?;
            let needs = &report.plan.chapters[chapter].cells[cell].needs;
            let name = claim.name.rsplit('/').next().unwrap_or_default();
            let places = slice::behind(&report.chapters[chapter], cell, needs, name);
            Some((chapter, places, claim.id.as_str()))
        })
        .collect();
    let mut mutants = Vec::new();
    for (index, chapter) in report.chapters.iter().enumerate() {
        let reasons = reasons::of(chapter);
        for (range, by) in changes(chapter) {
            let rests = |places: &[Range<usize>]| {
                places.iter().any(|it| it.start <= range.start && range.end <= it.end)
            };
            let claims: Vec<String> = behind
                .iter()
                .filter(|(chapter, places, _)| *chapter == index && rests(places))
                .map(|(_, _, id)| (*id).to_owned())
                .collect();
            if !claims.is_empty() {
                let explains = |reason: &&Reason| {
                    let code = &reason.code.range;
                    code.start <= range.start && range.end <= code.end
                };
                // The nearest of several speaks.
                let reason = reasons.iter().rfind(explains).map(|reason| reason.words.clone());
                let span = chapter.source.span(range);
                mutants.push(Mutant { kind: Kind::Code, chapter: index, span, by, claims, reason });
            }
        }
    }
    mutants
}

/// All changes of the code of a chapter.
fn changes(chapter: &Chapter) -> Vec<(Range<usize>, String)> {
    let mut changes = Vec::new();
    let mut add = |code: &Code, place: Where, visit: &dyn Fn(&mut Changes)| {
        let mut found = Changes { text: code.text.clone(), place, found: Vec::new() };
        visit(&mut found);
        let place = |range: Range<usize>| code.offset(range.start)..code.offset(range.end);
        changes.extend(found.found.into_iter().map(|(range, by)| (place(range), by)));
    };
    for module in &chapter.modules {
        if let Ok(file) = syn::parse_file(&module.code.text) {
            add(&module.code, Where::Module, &|changes| changes.visit_file(&file));
        }
    }
    for cell in &chapter.cells {
        let parsed = syn::parse::Parser::parse_str(syn::Block::parse_within, &cell.code.text);
        if let Ok(statements) = parsed {
            add(&cell.code, Where::Cell, &|changes| {
                statements.iter().for_each(|it| changes.visit_stmt(it))
            });
        }
    }
    changes
}

/// Where code stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Module,
    Cell,
}

struct Changes {
    text: String,
    place: Where,
    /// By places in the text.
    found: Vec<(Range<usize>, String)>,
}

impl Changes {
    /// Visits what is listed or handed over; in a cell its bare numbers are cases and seeds.
    fn visit_given<'ast>(&mut self, given: impl Iterator<Item = &'ast syn::Expr>) {
        for expression in given {
            match expression {
                expression if self.place == Where::Module => self.visit_expr(expression),
                expression if is_bare(expression) => {}
                // Several numbers of one case.
                syn::Expr::Tuple(tuple) => self.visit_given(tuple.elems.iter()),
                expression => self.visit_expr(expression),
            }
        }
    }

    fn add(&mut self, place: Place, by: impl Into<String>) {
        self.found.push((place.byte_range(), by.into()));
    }
}

/// Whether an expression is a number as it stands, perhaps with a sign.
fn is_bare(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Lit(_) => true,
        syn::Expr::Unary(unary) => {
            matches!(unary.op, syn::UnOp::Neg(_)) && matches!(*unary.expr, syn::Expr::Lit(_))
        }
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Changes {
    fn visit_expr_lit(&mut self, literal: &'ast syn::ExprLit) {
        match &literal.lit {
            syn::Lit::Int(number) => {
                if let Ok(value) = number.base10_parse::<u64>() {
                    let next = value.saturating_add(1);
                    self.add(number.span(), format!("{next}{}", number.suffix()));
                }
            }
            syn::Lit::Float(number) => {
                if let Ok(value) = number.base10_parse::<f64>() {
                    let next = format!("{:?}{}", value * 1.25 + 0.5, number.suffix());
                    self.add(number.span(), next);
                }
            }
            syn::Lit::Bool(truth) => self.add(truth.span(), (!truth.value).to_string()),
            _ => {}
        }
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        use syn::BinOp::{
            Add, AddAssign, And, Div, DivAssign, Eq, Ge, Gt, Le, Lt, Mul, MulAssign, Ne, Or, Rem,
            Sub, SubAssign,
        };
        let by = match binary.op {
            Add(_) => Some("-"),
            Sub(_) => Some("+"),
            Mul(_) => Some("+"),
            Div(_) => Some("*"),
            Rem(_) => Some("/"),
            AddAssign(_) => Some("-="),
            SubAssign(_) => Some("+="),
            MulAssign(_) => Some("+="),
            DivAssign(_) => Some("*="),
            And(_) => Some("||"),
            Or(_) => Some("&&"),
            Eq(_) => Some("!="),
            Ne(_) => Some("=="),
            // The neighbour, such as `<=` for `<`, often means the same.
            Lt(_) => Some(">="),
            Le(_) => Some(">"),
            Gt(_) => Some("<="),
            Ge(_) => Some("<"),
            _ => None,
        };
        if let Some(by) = by {
            self.add(binary.op.span(), by);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        if matches!(unary.op, syn::UnOp::Neg(_) | syn::UnOp::Not(_)) {
            self.add(unary.op.span(), "");
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_array(&mut self, array: &'ast syn::ExprArray) {
        self.visit_given(array.elems.iter());
    }

    fn visit_expr_range(&mut self, range: &'ast syn::ExprRange) {
        if self.place == Where::Cell {
            return self
                .visit_given(range.start.as_deref().into_iter().chain(range.end.as_deref()));
        }
        match (&range.limits, &range.end) {
            (syn::RangeLimits::HalfOpen(dots), Some(_)) => self.add(dots.span(), "..="),
            (syn::RangeLimits::Closed(dots), _) => self.add(dots.span(), ".."),
            (syn::RangeLimits::HalfOpen(_), None) => {}
        }
        visit::visit_expr_range(self, range);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.visit_expr(&call.receiver);
        let skipped = match call.method.to_string().as_str() {
            // Behind the cases stands what is compared.
            "over" => 1,
            method if WORDS.contains(&method) => call.args.len(),
            _ => 0,
        };
        self.visit_given(call.args.iter().skip(skipped));
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        // `Check::holds(name, cases, test)`
        let function = self.text.get(call.func.span().byte_range()).unwrap_or_default();
        let skipped = if function.ends_with("Check::holds") { 2 } else { 0 };
        self.visit_given(call.args.iter().skip(skipped));
    }
}
