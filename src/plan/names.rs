//! Which cells build on which, by the names that they define and use.
//!
//! In: cells in order. Out: the cells that one builds on, and those that cannot run because
//! a cell that they build on is left out. Errs on the side of naming more.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use super::tangle::Body;
use crate::claims::Reason;
use crate::parse::Cell;

/// The cells before `cells[index]` that define a name which it uses, or which one of those
/// uses, in order.
pub fn dependencies(cells: &[Cell], index: usize) -> Vec<usize> {
    let tokens = |cell: &Cell| Body::cut(cell).map(|body| body.tokens()).unwrap_or_default();
    let mut used = BTreeSet::new();
    identifiers(tokens(&cells[index]), &mut |name| {
        used.insert(name.to_owned());
    });
    let mut found = Vec::new();
    for (before, cell) in cells[..index].iter().enumerate().rev() {
        if defined(tokens(cell)).iter().any(|name| used.contains(name)) {
            found.push(before);
            identifiers(tokens(cell), &mut |name| {
                used.insert(name.to_owned());
            });
        }
    }
    found.reverse();
    found
}

/// Names that a later cell could use.
fn defined(tokens: TokenStream) -> Vec<String> {
    let mut defined = Defined(Vec::new());
    match syn::parse::Parser::parse2(syn::Block::parse_within, tokens.clone()) {
        Ok(statements) => statements.iter().for_each(|statement| defined.visit_stmt(statement)),
        // What cannot be parsed may define anything that it mentions.
        Err(_) => identifiers(tokens, &mut |name| defined.0.push(name.to_owned())),
    }
    defined.0
}

/// Names that cells left out would have defined, with why they were left out.
#[derive(Default)]
pub(super) struct Missing(BTreeMap<String, (Reason, String)>);

impl Missing {
    /// Why `body` cannot run, if it uses a missing name.
    pub(super) fn blocks(&self, body: &Body) -> Option<(Reason, String)> {
        if self.0.is_empty() {
            return None;
        }
        let mut found = None;
        identifiers(body.tokens(), &mut |name| {
            if found.is_none() {
                found = self.0.get(name).map(|(reason, words)| {
                    (*reason, format!("uses `{name}` of a cell that {words}"))
                });
            }
        });
        found
    }

    /// Notes that `body` is left out.
    pub(super) fn add(&mut self, body: &Body, reason: Reason, words: &str) {
        for name in defined(body.tokens()) {
            self.0.entry(name).or_insert_with(|| (reason, words.to_owned()));
        }
    }
}

fn identifiers(tokens: TokenStream, visit: &mut impl FnMut(&str)) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => visit(&ident.to_string()),
            TokenTree::Group(group) => identifiers(group.stream(), visit),
            TokenTree::Literal(literal) => {
                // Inline format arguments name variables inside of string literals.
                let text = literal.to_string();
                for part in text.split('{').skip(1) {
                    let end = part
                        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                        .unwrap_or(part.len());
                    if end > 0 {
                        visit(&part[..end]);
                    }
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// Names bound by patterns and items.
struct Defined(Vec<String>);

impl<'ast> Visit<'ast> for Defined {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.0.push(pattern.ident.to_string());
        syn::visit::visit_pat_ident(self, pattern);
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        let ident = match item {
            syn::Item::Const(item) => Some(&item.ident),
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Fn(item) => Some(&item.sig.ident),
            syn::Item::Mod(item) => Some(&item.ident),
            syn::Item::Static(item) => Some(&item.ident),
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Trait(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            syn::Item::Macro(item) => item.ident.as_ref(),
            _ => None,
        };
        self.0.extend(ident.map(ToString::to_string));
        syn::visit::visit_item(self, item);
    }

    fn visit_use_name(&mut self, name: &'ast syn::UseName) {
        self.0.push(name.ident.to_string());
    }

    fn visit_use_rename(&mut self, rename: &'ast syn::UseRename) {
        self.0.push(rename.rename.to_string());
    }
}
