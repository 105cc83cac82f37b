//! Every problem that can be told comes with a remedy, as far as there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::Visit;

/// Codes without a hint, with why there is none to give.
const WITHOUT: [(&str, &str); 5] = [
    ("cache-corrupt", "the build makes good what was lost, and says so"),
    ("not-run", "the words of the cell say what it waits for"),
    ("signals", "the system refuses, with its own words"),
    ("token", "the system refuses, with its own words"),
    ("wrong-type", "the message says what must stand there"),
];

/// The functions of a file: which codes they name, and whether they give a hint.
#[derive(Default)]
struct Functions {
    found: Vec<(BTreeSet<String>, bool)>,
    open: Vec<(BTreeSet<String>, bool)>,
}

impl Functions {
    fn within(&mut self, visit: impl FnOnce(&mut Self)) {
        self.open.push(Default::default());
        visit(self);
        self.found.extend(self.open.pop());
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

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func {
            let names: Vec<String> =
                path.path.segments.iter().map(|it| it.ident.to_string()).collect();
            let constructs = matches!(
                names.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
                ["Diagnostic", "error" | "warning" | "global"]
            );
            let code = match call.args.first() {
                Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(code), .. })) => code.value(),
                _ => "(a variable)".to_owned(),
            };
            if let (true, Some((codes, _))) = (constructs, self.open.last_mut()) {
                codes.insert(code);
            }
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if ["hint", "did_you_mean"].iter().any(|name| call.method == name)
            && let Some((_, hints)) = self.open.last_mut()
        {
            *hints = true;
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_assign(&mut self, assign: &'ast syn::ExprAssign) {
        if let syn::Expr::Field(field) = &*assign.left
            && let syn::Member::Named(name) = &field.member
            && name == "hint"
            && let Some((_, hints)) = self.open.last_mut()
        {
            *hints = true;
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

#[test]
fn every_problem_comes_with_a_hint() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut hinted: BTreeMap<String, bool> = BTreeMap::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("it is there");
        let mut functions = Functions::default();
        functions.visit_file(&syn::parse_file(&text).expect("it is Rust"));
        for (codes, hints) in functions.found {
            for code in codes {
                *hinted.entry(code).or_default() |= hints;
            }
        }
    }
    assert!(hinted.len() > 100, "only {} codes were found", hinted.len());
    let without: BTreeSet<&str> =
        hinted.iter().filter(|(_, hints)| !**hints).map(|(code, _)| code.as_str()).collect();
    let known: BTreeSet<&str> = WITHOUT.iter().map(|(code, _)| *code).collect();
    assert_eq!(without, known);
    assert!(WITHOUT.iter().all(|(_, why)| !why.is_empty()));
}
