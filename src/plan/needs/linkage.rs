//! What the code of one cell defines, and what it takes from elsewhere.
//!
//! In: the tokens of a cell. Out: its [`Linkage`], by names alone. Left out: which cell a name
//! means, which is [`super`]'s.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::plan::names::{Names, identifiers, mentioned, plain};

/// Words of what lies outside of a chapter's variables: files, the environment, globals.
const OUTSIDE: [&str; 17] = [
    "fs",
    "File",
    "OpenOptions",
    "env",
    "process",
    "Command",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "static",
    "thread_local",
    "lazy_static",
    "unsafe",
    "OnceLock",
    "Path",
    "PathBuf",
    "temp_dir",
];

/// Macros that, as statements, define nothing.
const DEFINING_NOTHING: [&str; 14] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "eprint",
    "eprintln",
    "panic",
    "print",
    "println",
    "todo",
    "write",
    "writeln",
];

/// What a cell defines, and what it takes from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Linkage {
    /// Variables that later cells can use and perhaps change.
    pub(super) variables: BTreeSet<String>,
    /// What later cells can use and nobody can change: items, and variables of plain data.
    pub(super) constants: BTreeSet<String>,
    /// Names that the cell uses and does not define first.
    pub(super) free: BTreeSet<String>,
    /// Whether every cell behind it may mean something else without it.
    pub(super) pervasive: bool,
    /// Whether its own names may mean something of any cell before it.
    pub(super) opaque: bool,
    /// Whether it may see or change what lies outside of the chapter's variables.
    pub(super) outside: bool,
}

impl Linkage {
    /// The linkage of a cell's code.
    pub(super) fn of(tokens: &TokenStream) -> Self {
        let outside = reaches_outside(tokens);
        let parsed = syn::parse::Parser::parse2(syn::Block::parse_within, tokens.clone());
        let Ok(statements) = parsed else {
            let free = mentioned(tokens.clone());
            return Self { free, outside, pervasive: true, opaque: true, ..Self::default() };
        };
        let words = mentioned(tokens.clone());
        // What a condition leaves out defines nothing, and an `impl` may stand in any block.
        let opaque = ["cfg", "cfg_attr"].iter().any(|word| words.contains(*word));
        let pervasive = opaque || words.contains("impl");
        let mut linkage = Self { outside, opaque, pervasive, ..Self::default() };
        let mut scopes = Scopes { stack: vec![item_names(&statements)], ..Scopes::default() };
        for (index, statement) in statements.iter().enumerate() {
            scopes.visit_stmt(statement);
            match statement {
                syn::Stmt::Local(local) => {
                    let names = Names::of_pattern(&local.pat);
                    let typed = matches!(local.pat, syn::Pat::Type(_));
                    let plain = names.mutable.is_empty()
                        && local.init.as_ref().is_some_and(|init| is_plain(&init.expr, typed));
                    if plain {
                        linkage.variables.retain(|name| !names.bound.contains(name));
                        linkage.constants.extend(names.bound);
                    } else {
                        linkage.constants.retain(|name| !names.bound.contains(name));
                        linkage.variables.extend(names.bound);
                    }
                }
                syn::Stmt::Item(item) => {
                    linkage.pervasive |= is_pervasive(item);
                    linkage.constants.extend(Names::of_item(item));
                }
                syn::Stmt::Macro(call) => {
                    let name = call.mac.path.segments.last().map(|last| last.ident.to_string());
                    let known = name.is_some_and(|name| DEFINING_NOTHING.contains(&name.as_str()));
                    // One at the end is the cell's output.
                    let is_last = index + 1 == statements.len() && call.semi_token.is_none();
                    linkage.pervasive |= !known && !is_last;
                }
                syn::Stmt::Expr(..) => {}
            }
        }
        linkage.pervasive |= scopes.returns;
        linkage.free = scopes.free;
        linkage
    }
}

/// Variables that a cell defines and later ones could change.
pub(in crate::plan) fn variables(tokens: &TokenStream) -> BTreeSet<String> {
    Linkage::of(tokens).variables
}

/// Whether code names something that lies outside of the chapter's variables.
pub(super) fn reaches_outside(tokens: &TokenStream) -> bool {
    let mut found = false;
    identifiers(tokens.clone(), &mut |name| found |= OUTSIDE.contains(&name));
    found
}

/// Whether an item gives later code another meaning without being named there.
fn is_pervasive(item: &syn::Item) -> bool {
    use syn::Item;
    !matches!(
        item,
        Item::Const(_)
            | Item::Enum(_)
            | Item::Fn(_)
            | Item::Struct(_)
            | Item::Type(_)
            | Item::Union(_)
    )
}

/// Whether an expression is built of literals alone, so that its value cannot change. Nor may its
/// type: a number without one, unless the binding is `typed`, has it from whoever uses it.
fn is_plain(expression: &syn::Expr, typed: bool) -> bool {
    use syn::Expr;
    let is_plain = |expression: &syn::Expr| is_plain(expression, typed);
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(number) => typed || !number.suffix().is_empty(),
            syn::Lit::Float(number) => typed || !number.suffix().is_empty(),
            _ => true,
        },
        Expr::Array(array) => array.elems.iter().all(is_plain),
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_plain),
        Expr::Repeat(repeat) => is_plain(&repeat.expr) && is_plain(&repeat.len),
        Expr::Paren(paren) => is_plain(&paren.expr),
        Expr::Unary(unary) => !matches!(unary.op, syn::UnOp::Deref(_)) && is_plain(&unary.expr),
        Expr::Binary(binary) => is_plain(&binary.left) && is_plain(&binary.right),
        Expr::Cast(cast) => is_plain(&cast.expr),
        Expr::Reference(reference) => reference.mutability.is_none() && is_plain(&reference.expr),
        // A formula is a function of its arguments alone.
        Expr::Macro(call) => call.mac.path.segments.last().is_some_and(|it| it.ident == "equation"),
        _ => false,
    }
}

/// Names of the items among statements, which are known in all of them.
fn item_names(statements: &[syn::Stmt]) -> BTreeSet<String> {
    let items = statements.iter().filter_map(|statement| match statement {
        syn::Stmt::Item(item) => Some(Names::of_item(item)),
        _ => None,
    });
    items.flatten().collect()
}

/// Collects the names that code uses without defining them.
#[derive(Default)]
struct Scopes {
    /// Names known at the present place, innermost scope last.
    stack: Vec<BTreeSet<String>>,
    free: BTreeSet<String>,
    /// Whether the code may return out of the cell, and with it out of all cells.
    returns: bool,
}

impl Scopes {
    fn within(&mut self, names: BTreeSet<String>, visit: impl FnOnce(&mut Self)) {
        self.stack.push(names);
        visit(self);
        self.stack.pop();
    }

    /// Visits the body of a function, whose `return` ends nothing else.
    fn within_function(&mut self, visit: impl FnOnce(&mut Self)) {
        let returns = self.returns;
        self.within(BTreeSet::new(), visit);
        self.returns = returns;
    }

    fn mention(&mut self, name: &str) {
        let name = plain(name);
        if !self.stack.iter().any(|scope| scope.contains(name)) {
            self.free.insert(name.to_owned());
        }
    }

    fn bind(&mut self, pattern: &syn::Pat) {
        // Types, constants and ranges in the pattern.
        syn::visit::visit_pat(self, pattern);
        let bound = Names::of_pattern(pattern).bound;
        if let Some(scope) = self.stack.last_mut() {
            scope.extend(bound);
        }
    }
}

impl<'ast> Visit<'ast> for Scopes {
    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.within(item_names(&block.stmts), |scopes| syn::visit::visit_block(scopes, block));
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.visit_local_init(init);
        }
        self.bind(&local.pat);
    }

    fn visit_expr_let(&mut self, condition: &'ast syn::ExprLet) {
        self.visit_expr(&condition.expr);
        self.bind(&condition.pat);
    }

    fn visit_expr_return(&mut self, expression: &'ast syn::ExprReturn) {
        self.returns = true;
        syn::visit::visit_expr_return(self, expression);
    }

    fn visit_expr_if(&mut self, expression: &'ast syn::ExprIf) {
        self.within(BTreeSet::new(), |scopes| {
            scopes.visit_expr(&expression.cond);
            scopes.visit_block(&expression.then_branch);
        });
        if let Some((_, otherwise)) = &expression.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, expression: &'ast syn::ExprWhile) {
        self.within(BTreeSet::new(), |scopes| syn::visit::visit_expr_while(scopes, expression));
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.within(BTreeSet::new(), |scopes| {
            scopes.bind(&arm.pat);
            if let Some((_, guard)) = &arm.guard {
                scopes.visit_expr(guard);
            }
            scopes.visit_expr(&arm.body);
        });
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.within_function(|scopes| {
            for input in &closure.inputs {
                scopes.bind(input);
            }
            scopes.visit_return_type(&closure.output);
            scopes.visit_expr(&closure.body);
        });
    }

    fn visit_expr_for_loop(&mut self, expression: &'ast syn::ExprForLoop) {
        self.visit_expr(&expression.expr);
        self.within(BTreeSet::new(), |scopes| {
            scopes.bind(&expression.pat);
            scopes.visit_block(&expression.body);
        });
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        // An item sees no variables around it, but other items.
        let around = std::mem::take(&mut self.stack);
        self.within_function(|scopes| match item {
            syn::Item::Macro(_) => {
                for name in mentioned(quote::ToTokens::to_token_stream(item)) {
                    scopes.mention(&name);
                }
            }
            item => syn::visit::visit_item(scopes, item),
        });
        self.stack = around;
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.within(BTreeSet::new(), |scopes| syn::visit::visit_item_fn(scopes, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.within(BTreeSet::new(), |scopes| syn::visit::visit_impl_item_fn(scopes, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.within(BTreeSet::new(), |scopes| syn::visit::visit_trait_item_fn(scopes, function));
    }

    fn visit_fn_arg(&mut self, argument: &'ast syn::FnArg) {
        match argument {
            syn::FnArg::Typed(typed) => {
                self.visit_type(&typed.ty);
                self.bind(&typed.pat);
            }
            syn::FnArg::Receiver(_) => {}
        }
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        // What looks like a binding may be a constant.
        if pattern.ident.to_string().starts_with(char::is_uppercase) {
            self.mention(&pattern.ident.to_string());
        }
        syn::visit::visit_pat_ident(self, pattern);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            self.mention(&first.ident.to_string());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        // Closures in arguments bind names, and inline format arguments use them inside of literals.
        let arguments = call.parse_body_with(
            syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated,
        );
        match arguments {
            Ok(arguments) => {
                for argument in &arguments {
                    self.visit_expr(argument);
                }
                for name in inline_arguments(&call.tokens) {
                    self.mention(&name);
                }
            }
            Err(_) => {
                let names = mentioned(call.tokens.clone());
                self.returns |= names.contains("return");
                for name in names {
                    self.mention(&name);
                }
            }
        }
    }
}

/// Names in braces inside of string literals.
fn inline_arguments(tokens: &TokenStream) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => names.extend(inline_arguments(&group.stream())),
            TokenTree::Literal(_) => names.extend(mentioned(token.into())),
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
    names
}
