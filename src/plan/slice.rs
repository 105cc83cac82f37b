//! Which code stands behind one published name.
//!
//! In: a chapter, the cell that publishes a name, and the cells on which that one builds. Out: the
//! statements and items from which the value is made, as far as names tell. Left out: what other
//! names of the same cells are made from, and what is only shown.

use std::collections::BTreeSet;
use std::ops::Range;

use quote::ToTokens;
use syn::spanned::Spanned;

use super::names::{Items, Names, may_publish, mentioned};
use crate::parse::{Chapter, Code};

/// The places in the chapter of all code behind a name, in no order.
pub fn behind(chapter: &Chapter, cell: usize, needs: &[usize], name: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut used = BTreeSet::new();
    for index in std::iter::once(cell).chain(needs.iter().rev().copied()) {
        let code = &chapter.cells[index].code;
        let parsed = syn::parse::Parser::parse_str(syn::Block::parse_within, &code.text);
        let Ok(statements) = parsed else {
            // Nothing is known of it, so all of it counts.
            places.push(place(code, 0..code.text.len()));
            used.extend(mentioned(code.text.parse().unwrap_or_default()));
            continue;
        };
        let text = |statement: &syn::Stmt| {
            code.text.get(statement.span().byte_range()).unwrap_or_default()
        };
        let publishes = |statement: &syn::Stmt| may_publish(text(statement), name);
        let known = index == cell && statements.iter().any(publishes);
        for statement in statements.iter().rev() {
            // A cell in which the name does not stand may give it to a function that publishes.
            let hidden = index == cell && !known;
            let own = index == cell && publishes(statement);
            let matters = hidden || own || feeds(statement, &used);
            if matters {
                used.extend(mentioned(statement.to_token_stream()));
                places.push(place(code, statement.span().byte_range()));
            }
        }
    }
    let items = Items::by_method(chapter);
    places.extend(items.behind(used).into_iter().map(|(_, span)| span.range.clone()));
    places
}

fn place(code: &Code, range: Range<usize>) -> Range<usize> {
    code.offset(range.start)..code.offset(range.end)
}

/// Whether a statement may give or change one of the names. One that publishes something else, or
/// is what its cell shows, does not.
fn feeds(statement: &syn::Stmt, used: &BTreeSet<String>) -> bool {
    match statement {
        syn::Stmt::Local(local) => !Names::of_pattern(&local.pat).bound.is_disjoint(used),
        syn::Stmt::Item(item) => {
            let names = Names::of_item(item);
            names.is_empty() || !names.is_disjoint(used)
        }
        syn::Stmt::Expr(expression, semicolon) => {
            let shown = semicolon.is_none() && !is_block(expression);
            !shown && !publishes_something(expression) && mentions(expression, used)
        }
        syn::Stmt::Macro(call) => !mentioned(call.mac.tokens.clone()).is_disjoint(used),
    }
}

fn is_block(expression: &syn::Expr) -> bool {
    use syn::Expr;
    matches!(
        expression,
        Expr::ForLoop(_)
            | Expr::While(_)
            | Expr::Loop(_)
            | Expr::If(_)
            | Expr::Match(_)
            | Expr::Block(_)
    )
}

/// Whether an expression is a call of lab, which changes no variable.
fn publishes_something(expression: &syn::Expr) -> bool {
    match expression {
        // `lab::value(…).data(…)` says more of what is published.
        syn::Expr::MethodCall(call) => publishes_something(&call.receiver),
        syn::Expr::Call(call) => match &*call.func {
            syn::Expr::Path(path) => {
                path.path.segments.first().is_some_and(|first| first.ident == "lab")
            }
            _ => false,
        },
        _ => false,
    }
}

fn mentions(expression: &syn::Expr, used: &BTreeSet<String>) -> bool {
    !mentioned(expression.to_token_stream()).is_disjoint(used)
}
