//! What code defines and mentions, by name.
//!
//! In: code. Out: names; the items behind some cells; and the cells that cannot run because
//! a cell that they build on is left out. Errs on the side of naming more.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::Visit;

use super::needs::variables;
use super::tangle::Body;
use crate::claims::Reason;
use crate::memo::{Input, Memo};
use crate::parse::Chapter;
use crate::span::Span;

/// What a piece of code says by names, each part found when it is first asked for.
#[derive(Debug)]
pub(super) struct Facts {
    code: String,
    strings: OnceLock<BTreeSet<String>>,
    mentions: OnceLock<BTreeSet<String>>,
    defined: OnceLock<BTreeSet<String>>,
    variables: OnceLock<BTreeSet<String>>,
}

/// What code says by names; that of code seen before is remembered.
pub(super) fn facts(code: &str) -> Arc<Facts> {
    static KNOWN: Memo<Arc<Facts>> = Memo::new(2 << 20);
    KNOWN.get(Input::of([code.as_bytes()]), || {
        let facts = Facts {
            code: code.to_owned(),
            strings: OnceLock::new(),
            mentions: OnceLock::new(),
            defined: OnceLock::new(),
            variables: OnceLock::new(),
        };
        (Arc::new(facts), code.len())
    })
}

impl Facts {
    fn tokens(&self) -> TokenStream {
        self.code.parse().unwrap_or_default()
    }

    /// The texts of all string literals.
    pub(super) fn strings(&self) -> &BTreeSet<String> {
        self.strings.get_or_init(|| strings(self.tokens()))
    }

    /// All names.
    pub(super) fn mentions(&self) -> &BTreeSet<String> {
        self.mentions.get_or_init(|| mentioned(self.tokens()))
    }

    /// Names that later code could use.
    fn defined(&self) -> &BTreeSet<String> {
        self.defined.get_or_init(|| defined(self.tokens()))
    }

    /// Variables that later code could use and perhaps change.
    fn variables(&self) -> &BTreeSet<String> {
        self.variables.get_or_init(|| variables(&self.tokens()))
    }
}

/// The items of a chapter's modules, ready to be asked which of them some cells use.
#[derive(Debug)]
pub struct Items<'a> {
    chapter: &'a Chapter,
    blocks: Blocks,
    all: Vec<(Arc<Item>, Span)>,
}

#[derive(Debug)]
struct Item {
    binds: BTreeSet<String>,
    /// Its own name, without which it is not called: that of a method.
    called: Option<String>,
    mentions: BTreeSet<String>,
    code: String,
    /// Bytes of the module's code.
    range: Range<usize>,
}

/// How blocks of methods are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blocks {
    Whole,
    ByMethod,
}

/// The items of a module's code; those of code seen before are remembered.
fn items(code: &str, blocks: Blocks) -> Arc<[Arc<Item>]> {
    static KNOWN: Memo<Arc<[Arc<Item>]>> = Memo::new(1 << 20);
    KNOWN.get(Input::of([&[blocks as u8], code.as_bytes()]), || {
        let mut all = Vec::new();
        let mut add = |binds, called, place: &dyn Spanned, tokens: TokenStream| {
            let range = place.span().byte_range();
            let mentions = mentioned(tokens);
            let code = code.get(range.clone()).unwrap_or_default().to_owned();
            all.push(Arc::new(Item { binds, called, mentions, code, range }));
        };
        for item in syn::parse_file(code).map(|file| file.items).unwrap_or_default() {
            let mut names = Names::default();
            names.visit_item(&item);
            if let syn::Item::Impl(block) = &item {
                names.bound.extend(mentioned(block.self_ty.to_token_stream()));
                // Methods of a trait may be called without their names.
                if blocks == Blocks::ByMethod && block.trait_.is_none() {
                    for part in &block.items {
                        let called = match part {
                            syn::ImplItem::Fn(method) => Some(method.sig.ident.to_string()),
                            syn::ImplItem::Const(constant) => Some(constant.ident.to_string()),
                            _ => None,
                        };
                        let called = called.map(|name| plain(&name).to_owned());
                        add(names.bound.clone(), called, part, part.to_token_stream());
                    }
                    continue;
                }
            }
            add(names.bound, None, &item, item.to_token_stream());
        }
        (all.into(), code.len())
    })
}

impl<'a> Items<'a> {
    /// Reads the modules of a chapter; what cannot be parsed has no items.
    pub fn of(chapter: &'a Chapter) -> Self {
        Self::read(chapter, Blocks::Whole)
    }

    /// The same with each method of a type by itself, which counts as used where its name stands.
    pub(super) fn by_method(chapter: &'a Chapter) -> Self {
        Self::read(chapter, Blocks::ByMethod)
    }

    fn read(chapter: &'a Chapter, blocks: Blocks) -> Self {
        let mut all = Vec::new();
        for module in &chapter.modules {
            for item in items(&module.code.text, blocks).iter() {
                let from = module.code.offset(item.range.start);
                let to = module.code.offset(item.range.end);
                all.push((Arc::clone(item), chapter.source.span(from..to.max(from))));
            }
        }
        Self { chapter, blocks, all }
    }

    /// The items that the given cells use, or that one of those uses, with their places, in order.
    pub fn used_by(&self, cells: &[usize]) -> Vec<(&str, &Span)> {
        static KNOWN: Memo<Arc<[usize]>> = Memo::new(1 << 20);
        let modules = self.chapter.modules.iter().map(|module| module.code.text.as_bytes());
        let codes = cells.iter().map(|&cell| self.chapter.cells[cell].code.text.as_str());
        let count = self.chapter.modules.len().to_le_bytes();
        let blocks = [self.blocks as u8];
        let parts = [&count[..], &blocks].into_iter().chain(modules);
        let input = Input::of(parts.chain(codes.clone().map(str::as_bytes)));
        let found = KNOWN.get(input, || {
            let mut used = BTreeSet::new();
            for code in codes {
                used.extend(facts(code).mentions().iter().cloned());
            }
            let found: Arc<[usize]> = self.indices(used).into();
            let size = (found.len() + 4) * size_of::<usize>();
            (found, size)
        });
        self.at(&found)
    }

    /// The items that have one of the names, or that one of those uses, with their places, in order.
    pub(super) fn behind(&self, used: BTreeSet<String>) -> Vec<(&str, &Span)> {
        self.at(&self.indices(used))
    }

    fn indices(&self, mut used: BTreeSet<String>) -> Vec<usize> {
        let mut wanted = vec![false; self.all.len()];
        let is_used = |item: &Item, used: &BTreeSet<String>| {
            !item.binds.is_disjoint(used)
                && item.called.as_ref().is_none_or(|name| used.contains(name))
        };
        let next = |wanted: &[bool], used: &BTreeSet<String>| {
            (0..self.all.len()).find(|&i| !wanted[i] && is_used(&self.all[i].0, used))
        };
        while let Some(next) = next(&wanted, &used) {
            wanted[next] = true;
            used.extend(self.all[next].0.mentions.iter().cloned());
        }
        (0..wanted.len()).filter(|&i| wanted[i]).collect()
    }

    fn at(&self, indices: &[usize]) -> Vec<(&str, &Span)> {
        let items = indices.iter().map(|&index| &self.all[index]);
        items.map(|(item, place)| (item.code.as_str(), place)).collect()
    }
}

/// Names that a later cell could use.
pub(crate) fn defined(tokens: TokenStream) -> BTreeSet<String> {
    let mut names = Names::default();
    let Ok(statements) = syn::parse::Parser::parse2(syn::Block::parse_within, tokens.clone())
    else {
        // What cannot be parsed may define anything that it mentions.
        return mentioned(tokens);
    };
    for statement in &statements {
        match statement {
            // What is bound inside of an expression ends with it.
            syn::Stmt::Local(local) => names.visit_pat(&local.pat),
            syn::Stmt::Item(item) => names.visit_item(item),
            // A macro may bind what it is given.
            syn::Stmt::Macro(call) => names.bound.extend(mentioned(call.mac.tokens.clone())),
            syn::Stmt::Expr(..) => {}
        }
    }
    names.bound
}

/// What a cell does with names, as far as its code tells.
#[derive(Clone, Debug, Default)]
pub struct Touch {
    /// Variables that outlive it, and whether they are mutable.
    pub binds: BTreeMap<String, bool>,
    /// All names in it.
    pub mentions: BTreeSet<String>,
    /// Whether it has an item that must exist once, such as a static variable.
    pub has_static: bool,
}

/// Looks at what the code of a cell does with names.
pub fn touch(body: &Body) -> Touch {
    let tokens = body.tokens();
    let mut touch = Touch { mentions: mentioned(tokens.clone()), ..Touch::default() };
    touch.has_static = ["static", "thread_local"].iter().any(|word| touch.mentions.contains(*word));
    let statements = syn::parse::Parser::parse2(syn::Block::parse_within, tokens);
    for statement in statements.unwrap_or_default() {
        if let syn::Stmt::Local(local) = &statement {
            let mut names = Names::default();
            names.visit_pat(&local.pat);
            for name in names.bound {
                let mutable = names.mutable.contains(&name);
                touch.binds.insert(name, mutable);
            }
        }
    }
    touch
}

pub(super) fn mentioned(tokens: TokenStream) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    identifiers(tokens, &mut |name| {
        names.insert(name.to_owned());
    });
    names
}

/// Names that mean something else because cells were left out, with why they were.
#[derive(Default)]
pub(super) struct Missing {
    names: BTreeMap<String, (Reason, String)>,
    /// Variables of the cells that run, which a cell left out might have changed.
    variables: BTreeSet<String>,
}

impl Missing {
    /// Why `body` cannot run, if it uses a name that a cell left out defines or may change.
    pub(super) fn blocks(&mut self, body: &Body) -> Option<(Reason, String)> {
        let blocked = match self.names.is_empty() {
            true => None,
            false => facts(body.code()).mentions().iter().find_map(|name| {
                let (reason, words) = self.names.get(name)?;
                Some((*reason, format!("uses `{name}` of a cell that {words}")))
            }),
        };
        self.variables.extend(facts(body.code()).variables().iter().cloned());
        blocked
    }

    /// Notes that `body` is left out.
    pub(super) fn add(&mut self, body: &Body, reason: Reason, words: &str) {
        let facts = facts(body.code());
        let mut names = facts.defined().clone();
        names.extend(facts.mentions().intersection(&self.variables).cloned());
        for name in names {
            self.names.entry(name).or_insert_with(|| (reason, words.to_owned()));
        }
    }
}

pub(super) fn identifiers(tokens: TokenStream, visit: &mut impl FnMut(&str)) {
    let mut in_lifetime = false;
    for token in tokens {
        let begins_lifetime = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '\'');
        match token {
            // The name of a lifetime is none of a value: `'static` is no static variable.
            TokenTree::Ident(_) if in_lifetime => {}
            TokenTree::Ident(ident) => visit(plain(&ident.to_string())),
            TokenTree::Group(group) => identifiers(group.stream(), visit),
            TokenTree::Literal(literal) => {
                // Inline format arguments name variables inside of string literals.
                let text = literal.to_string();
                for part in text.split('{').skip(1) {
                    // The width and the precision may be names as well: `{:.places$}`.
                    let part = part.split('}').next().unwrap_or_default();
                    let words = part.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                    words.filter(|word| !word.is_empty()).for_each(&mut *visit);
                }
            }
            TokenTree::Punct(_) => {}
        }
        in_lifetime = begins_lifetime;
    }
}

/// A name without the mark of a raw identifier.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// The texts of all string literals in code.
fn strings(code: TokenStream) -> BTreeSet<String> {
    fn collect(tokens: TokenStream, into: &mut BTreeSet<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => collect(group.stream(), into),
                TokenTree::Literal(_) => {
                    into.extend(syn::parse2::<syn::LitStr>(token.into()).map(|text| text.value()));
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(code, &mut found);
    found
}

/// Whether code may publish something of a name: one of its string literals is the name, or becomes
/// it when values are put into its braces.
pub fn may_publish(code: &str, name: &str) -> bool {
    facts(code).strings().iter().any(|literal| fits(literal, name))
}

/// Whether a format string can give a text.
fn fits(format: &str, text: &str) -> bool {
    let Some((start, rest)) = format.split_once('{') else { return format == text };
    let Some((_, rest)) = rest.split_once('}') else { return format == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    // A pattern of braces alone would fit everything.
    let is_empty = start.is_empty() && rest.is_empty();
    !is_empty && (0..=text.len()).any(|at| text.is_char_boundary(at) && fits(rest, &text[at..]))
}

/// Names bound by patterns and items.
#[derive(Default)]
pub(super) struct Names {
    /// All of them.
    pub(super) bound: BTreeSet<String>,
    /// Those of variables that may be assigned to.
    pub(super) mutable: BTreeSet<String>,
}

impl Names {
    pub(super) fn of_pattern(pattern: &syn::Pat) -> Self {
        let mut names = Self::default();
        names.visit_pat(pattern);
        names
    }

    pub(super) fn of_item(item: &syn::Item) -> BTreeSet<String> {
        let mut names = Self::default();
        names.visit_item(item);
        names.bound
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = pattern.ident.to_string();
        self.bound.insert(plain(&name).to_owned());
        if pattern.mutability.is_some() {
            self.mutable.insert(plain(&name).to_owned());
        }
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
            syn::Item::Union(item) => Some(&item.ident),
            syn::Item::Macro(item) => item.ident.as_ref(),
            syn::Item::Use(item) => return self.visit_item_use(item),
            _ => None,
        };
        self.bound.extend(ident.map(|ident| plain(&ident.to_string()).to_owned()));
    }

    fn visit_use_name(&mut self, name: &'ast syn::UseName) {
        self.bound.insert(name.ident.to_string());
    }

    fn visit_use_rename(&mut self, rename: &'ast syn::UseRename) {
        self.bound.insert(rename.rename.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{self, Cell};
    use crate::span::Source;

    fn cells(codes: &[&str]) -> Vec<Cell> {
        let text: String = codes.iter().map(|c| format!("```rust,cell\n{c}\n```\n\n")).collect();
        parse::chapter(Source::new("a.md", text)).0.cells
    }

    #[test]
    fn a_cell_left_out_takes_along_what_it_would_have_changed() {
        let bodies: Vec<Body> = cells(&[
            "let mut all = vec![1]; let fixed = 1_u8;",
            "all.push(fixed);",
            "all.len()",
            "fixed",
        ])
        .iter()
        .map(|cell| Body::cut(cell).expect("it is Rust"))
        .collect();
        let mut missing = Missing::default();
        assert_eq!(missing.blocks(&bodies[0]), None);
        assert_eq!(missing.blocks(&bodies[1]), None);
        missing.add(&bodies[1], Reason::NeedsProfile, "needs more");
        assert!(missing.blocks(&bodies[2]).is_some());
        assert_eq!(missing.blocks(&bodies[3]), None);
    }
}
