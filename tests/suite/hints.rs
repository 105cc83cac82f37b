//! Every problem that can be told comes with a remedy wherever it is told, as far as there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Codes that may be told without a hint, with why there is none to give.
const WITHOUT: [(&str, &str); 8] = [
    ("(a variable)", "the compiler, the cell or the claim gives the hint, if there is one"),
    ("cache-corrupt", "the build makes good what was lost, and says so"),
    ("interrupted", "a person has asked for it"),
    ("not-run", "the words of the cell say what it waits for"),
    ("signals", "the system refuses, with its own words"),
    ("test-failed", "the words of the test say what it expected"),
    ("token", "the system refuses, with its own words"),
    ("wrong-type", "the message says what must stand there"),
];

/// The problems that a function makes.
#[derive(Default)]
struct Function {
    /// By their places: code, and whether a hint follows at once.
    made: BTreeMap<(usize, usize), (String, bool)>,
    /// Variables, with where what they are given begins and ends.
    variables: Vec<(String, [(usize, usize); 2])>,
    /// Names that stand before a `.hint(…)`.
    hinted: BTreeSet<String>,
}

impl Function {
    /// The problems with their codes and whether each has a hint.
    fn problems(self) -> impl Iterator<Item = (String, (usize, usize), bool)> {
        let Self { made, variables, hinted } = self;
        made.into_iter().map(move |(at, (code, is_hinted))| {
            let holds = |[from, to]: [(usize, usize); 2]| from <= at && at <= to;
            let later =
                variables.iter().any(|(name, place)| holds(*place) && hinted.contains(name));
            (code, at, is_hinted || later)
        })
    }
}

/// The functions of a file.
#[derive(Default)]
struct Functions {
    found: Vec<Function>,
    open: Vec<Function>,
}

impl Functions {
    fn within(&mut self, visit: impl FnOnce(&mut Self)) {
        self.open.push(Function::default());
        visit(self);
        self.found.extend(self.open.pop());
    }
}

fn place(at: LineColumn) -> (usize, usize) {
    (at.line, at.column)
}

/// The code of a problem, if the call makes one.
fn code(call: &syn::ExprCall) -> Option<String> {
    let syn::Expr::Path(path) = &*call.func else { return None };
    let names: Vec<String> = path.path.segments.iter().map(|it| it.ident.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    matches!(names.as_slice(), ["Diagnostic", "error" | "warning" | "global"]).then(|| {
        match call.args.first() {
            Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(code), .. })) => code.value(),
            _ => "(a variable)".to_owned(),
        }
    })
}

fn is_hint(name: &syn::Ident) -> bool {
    ["hint", "did_you_mean"].iter().any(|hint| name == hint)
}

fn names(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => drop(found.insert(name.to_string())),
            TokenTree::Group(group) => names(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = |attribute: &syn::Attribute| attribute.path().is_ident("cfg");
        if !module.attrs.iter().any(is_test) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.within(|it| syn::visit::visit_item_fn(it, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.within(|it| syn::visit::visit_impl_item_fn(it, function));
    }

    fn visit_macro(&mut self, made: &'ast syn::Macro) {
        // What `vec!`, `format!` and their like are given are expressions.
        type Arguments = syn::punctuated::Punctuated<syn::Expr, syn::Token![,]>;
        if let Ok(arguments) = made.parse_body_with(Arguments::parse_terminated) {
            // For as long as the visitor, which is as long as the test.
            Box::leak(Box::new(arguments)).iter().for_each(|it| self.visit_expr(it));
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let (syn::Pat::Ident(name), Some(init)) = (&local.pat, &local.init)
            && let Some(function) = self.open.last_mut()
        {
            let span = init.expr.span();
            let range = [place(span.start()), place(span.end())];
            function.variables.push((name.ident.to_string(), range));
        }
        syn::visit::visit_local(self, local);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let (Some(code), Some(function)) = (code(call), self.open.last_mut()) {
            let at = place(call.span().start());
            function.made.entry(at).or_insert((code, false));
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if is_hint(&call.method)
            && let Some(function) = self.open.last_mut()
        {
            names(call.receiver.to_token_stream(), &mut function.hinted);
            let mut root = &*call.receiver;
            while let syn::Expr::MethodCall(before) = root {
                root = &before.receiver;
            }
            if let syn::Expr::Call(made) = root
                && let Some(code) = code(made)
            {
                function.made.insert(place(made.span().start()), (code, true));
            }
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_assign(&mut self, assign: &'ast syn::ExprAssign) {
        if let syn::Expr::Field(field) = &*assign.left
            && let syn::Member::Named(name) = &field.member
            && name == "hint"
            && let Some(function) = self.open.last_mut()
        {
            names(field.base.to_token_stream(), &mut function.hinted);
        }
        syn::visit::visit_expr_assign(self, assign);
    }
}

fn sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources are here") {
        let path = entry.expect("the sources are here").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

fn functions(text: &str) -> Vec<Function> {
    let mut functions = Functions::default();
    functions.visit_file(&syn::parse_file(text).expect("it is Rust"));
    functions.found
}

#[test]
fn every_problem_comes_with_a_hint() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut made = 0;
    let mut unused: BTreeSet<&str> = WITHOUT.iter().map(|(code, _)| *code).collect();
    let mut without = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("it is there");
        for (code, (line, _), is_hinted) in
            functions(&text).into_iter().flat_map(Function::problems)
        {
            made += 1;
            if is_hinted {
                continue;
            }
            match WITHOUT.iter().find(|(known, _)| *known == code) {
                Some((known, _)) => drop(unused.remove(known)),
                None => without.push(format!("{}:{line}: {code}", path.display())),
            }
        }
    }
    assert!(made > 200, "only {made} were found");
    assert!(without.is_empty(), "{without:#?}");
    assert!(unused.is_empty(), "{unused:?}");
    assert!(WITHOUT.iter().all(|(_, why)| !why.is_empty()));
}

#[test]
fn one_hint_does_not_speak_for_another_problem() {
    let text = "fn f() {
        a(Diagnostic::error(\"one\", \"\", span));
        a(Diagnostic::error(\"two\", \"\", span).note(\"\").hint(\"\"));
        let three = Diagnostic::global(\"three\", \"\");
        b(vec![three.hint(\"\")]);
        b(vec![Diagnostic::global(\"five\", \"\")]);
        let four = |words: String| Diagnostic::global(\"four\", words);
    }";
    let found = functions(text).into_iter().flat_map(Function::problems);
    let found: Vec<(String, bool)> = found.map(|(code, _, hinted)| (code, hinted)).collect();
    let expected =
        [("one", false), ("two", true), ("three", true), ("five", false), ("four", false)];
    assert_eq!(found, expected.map(|(code, hinted)| (code.to_owned(), hinted)));
}
