//! On which cells a cell builds.
//!
//! In: the cells of a chapter that can run. Out: for each of them the cells before it that must
//! run first, and without which its result could differ. Whether code changes a variable
//! cannot be seen from it (a shared reference may hide a lock or a generator of random numbers), so cells
//! that mention the same variable build on each other in their order. Where names do not tell,
//! a cell builds on everything before it. Left out: state that a crate hides from its callers.

mod linkage;

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::ToTokens;

pub(super) use self::linkage::variables;
use self::linkage::{Linkage, reaches_outside};
use super::names::{Names, mentioned, plain};
use crate::memo::{Input, Memo};

/// A variable: the cell that defines it, and its name. Without a cell it is what lies outside.
type Variable<'a> = (Option<usize>, &'a str);

const WORLD: Variable<'static> = (None, "");

/// What the names of a cell mean.
struct Meaning<'a> {
    /// Variables that the cell mentions.
    variables: BTreeSet<Variable<'a>>,
    /// Cells that define what it mentions.
    definers: BTreeSet<usize>,
}

impl<'a> Meaning<'a> {
    /// Of the cell at the end of `before`, which holds the meanings of those before it.
    fn of(cells: &'a [Option<Linkage>], before: &[Self]) -> Self {
        let cell = before.len();
        let mut meaning = Self { variables: BTreeSet::new(), definers: BTreeSet::new() };
        let Some(linkage) = &cells[cell] else { return meaning };
        if linkage.outside {
            meaning.variables.insert(WORLD);
        }
        for name in &linkage.free {
            // A variable hides the variables of its name before it, but a type or a macro may
            // have the same name as well.
            let mut hidden = false;
            let running = (0..cell).rev().filter_map(|at| Some((at, cells[at].as_ref()?)));
            for (at, definer) in running {
                if definer.variables.contains(name) {
                    if !hidden {
                        meaning.definers.insert(at);
                        meaning.variables.insert((Some(at), name));
                    }
                    hidden |= !definer.opaque;
                } else if definer.constants.contains(name) {
                    meaning.definers.insert(at);
                    if before[at].variables.contains(&WORLD) {
                        // A function may keep a state, or go to a file, for whoever calls it.
                        meaning.variables.insert(WORLD);
                    }
                }
            }
        }
        meaning
    }
}

/// For each cell, in order, the cells before it on which it builds, in order. A cell that does
/// not run has no code here, and nothing builds on it. What was found for the same code is remembered.
pub(super) fn of_cells(modules: &[&str], cells: &[Option<&str>]) -> Vec<Vec<usize>> {
    static KNOWN: Memo<Vec<Vec<usize>>> = Memo::new(1 << 20);
    let barred = [0];
    let codes = cells.iter().flat_map(|cell| match cell {
        Some(code) => [code.as_bytes(), &[]],
        None => [&[], &barred[..]],
    });
    let count = modules.len().to_le_bytes();
    let modules_of = modules.iter().map(|module| module.as_bytes());
    let input = Input::of([&count[..]].into_iter().chain(modules_of).chain(codes));
    KNOWN.get(input, || {
        let modules: Vec<TokenStream> =
            modules.iter().map(|text| text.parse().unwrap_or_default()).collect();
        let tokens = cells.iter().map(|code| Some((*code)?.parse().unwrap_or_default()));
        let needs = found(&modules, tokens);
        let size = needs.iter().map(|needed| needed.len() + 1).sum::<usize>();
        (needs, size * size_of::<usize>())
    })
}

fn found(
    modules: &[TokenStream],
    cells: impl Iterator<Item = Option<TokenStream>>,
) -> Vec<Vec<usize>> {
    // A module that keeps state hands it to whoever calls it, and a macro brings the names in its
    // definition to where it is called.
    let outside = Outside::of(modules);
    let mut brought: BTreeSet<String> = modules.iter().flat_map(in_macros).collect();
    let linkages: Vec<Option<Linkage>> = cells
        .map(|tokens| {
            let tokens = tokens?;
            let mut linkage = Linkage::of(&tokens);
            linkage.free.extend(brought.iter().cloned());
            linkage.outside |= outside.is_reached_by(&linkage.free, &tokens);
            brought.extend(in_macros(&tokens));
            Some(linkage)
        })
        .collect();
    needs(&linkages)
}

/// What of a chapter's modules lies outside of its variables.
enum Outside {
    /// The items of these names, and whoever mentions one.
    Names(BTreeSet<String>),
    /// Something that needs no name, or that cannot be told.
    Everything,
}

impl Outside {
    fn of(modules: &[TokenStream]) -> Self {
        let files: Result<Vec<syn::File>, _> =
            modules.iter().map(|tokens| syn::parse2(tokens.clone())).collect();
        let Ok(files) = files else {
            let any = modules.iter().any(reaches_outside);
            return if any { Self::Everything } else { Self::Names(BTreeSet::new()) };
        };
        let items: Vec<&syn::Item> = files.iter().flat_map(|file| &file.items).collect();
        let tokens: Vec<TokenStream> = items.iter().map(|item| item.to_token_stream()).collect();
        let mentions: Vec<BTreeSet<String>> =
            tokens.iter().map(|tokens| mentioned(tokens.clone())).collect();
        let mut names = BTreeSet::new();
        let mut known = vec![false; items.len()];
        while let Some(next) = (0..items.len()).find(|&at| {
            !known[at] && (reaches_outside(&tokens[at]) || !mentions[at].is_disjoint(&names))
        }) {
            known[next] = true;
            match callable(items[next]) {
                Some(found) => names.extend(found),
                None => return Self::Everything,
            }
        }
        Self::Names(names)
    }

    fn is_reached_by(&self, free: &BTreeSet<String>, tokens: &TokenStream) -> bool {
        match self {
            // Methods are no names of a cell's own, so all words count.
            Self::Names(names) => {
                !names.is_disjoint(free) || !names.is_disjoint(&mentioned(tokens.clone()))
            }
            Self::Everything => true,
        }
    }
}

/// The names without which nobody can call an item; none if that takes no name.
fn callable(item: &syn::Item) -> Option<BTreeSet<String>> {
    match item {
        syn::Item::Impl(block) if block.trait_.is_none() => {
            let methods = block.items.iter().map(|item| match item {
                syn::ImplItem::Fn(method) => Some(plain(&method.sig.ident.to_string()).to_owned()),
                syn::ImplItem::Const(constant) => Some(constant.ident.to_string()),
                _ => None,
            });
            methods.collect()
        }
        syn::Item::Use(item) if mentions_glob(&item.tree) => None,
        // An operator, or the end of a variable, may call the methods of a trait.
        syn::Item::Impl(_) | syn::Item::Trait(_) | syn::Item::Mod(_) | syn::Item::Macro(_) => None,
        item => Some(Names::of_item(item)).filter(|names| !names.is_empty()),
    }
}

fn mentions_glob(tree: &syn::UseTree) -> bool {
    match tree {
        syn::UseTree::Path(path) => mentions_glob(&path.tree),
        syn::UseTree::Group(group) => group.items.iter().any(mentions_glob),
        syn::UseTree::Glob(_) => true,
        syn::UseTree::Name(_) | syn::UseTree::Rename(_) => false,
    }
}

/// All names in code that defines macros.
fn in_macros(tokens: &TokenStream) -> BTreeSet<String> {
    let words = mentioned(tokens.clone());
    if words.contains("macro_rules") { words } else { BTreeSet::new() }
}

fn needs(cells: &[Option<Linkage>]) -> Vec<Vec<usize>> {
    let mut meanings: Vec<Meaning<'_>> = Vec::with_capacity(cells.len());
    for _ in cells {
        meanings.push(Meaning::of(cells, &meanings));
    }
    let mut all: Vec<BTreeSet<usize>> = Vec::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let mut direct = BTreeSet::new();
        if cell.is_some() {
            direct.extend(&meanings[at].definers);
            if cell.as_ref().is_some_and(|linkage| linkage.opaque) {
                direct.extend((0..at).filter(|&i| cells[i].is_some()));
            }
            direct.extend((0..at).filter(|&i| cells[i].as_ref().is_some_and(|it| it.pervasive)));
            direct.extend(sharing(cells, &meanings, at));
        }
        let indirect: BTreeSet<usize> = direct.iter().flat_map(|&i| all[i].clone()).collect();
        all.push(&direct | &indirect);
    }
    all.into_iter().map(|needed| needed.into_iter().collect()).collect()
}

/// The cells before `at` that share variables with it, be it through other variables: two of one
/// cell may be two names of one thing.
fn sharing(cells: &[Option<Linkage>], meanings: &[Meaning<'_>], at: usize) -> BTreeSet<usize> {
    let mut variables = meanings[at].variables.clone();
    let mut found = BTreeSet::new();
    loop {
        let shares = |before: usize| {
            variables.iter().any(|&(definer, _)| definer == Some(before))
                || !meanings[before].variables.is_disjoint(&variables)
        };
        let Some(next) = (0..at).find(|before| !found.contains(before) && shares(*before)) else {
            return found;
        };
        found.insert(next);
        variables.extend(&meanings[next].variables);
        let own = cells[next].iter().flat_map(|linkage| &linkage.variables);
        variables.extend(own.map(|name| (Some(next), name.as_str())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn of(cells: &[&str]) -> Vec<Vec<usize>> {
        of_cells(&[], &cells.iter().copied().map(Some).collect::<Vec<_>>())
    }

    /// What the last cell needs.
    #[track_caller]
    fn last(cells: &[&str]) -> Vec<usize> {
        of(cells).pop().expect("there are cells")
    }

    const NOTHING: [usize; 0] = [];

    #[test]
    fn what_is_easily_overlooked_is_seen() {
        for (what, cells, needed) in [
            ("a precision", &["let places = f();", "format!(\"{:.places$}\", 0.5)"][..], &[0][..]),
            ("a width", &["let width = f();", "format!(\"{:>width$}\", 1)"], &[0]),
            ("a raw name", &["let r#type = f();", "format!(\"{type}\")"], &[0]),
            ("a type from a use", &["let a = 0.7;", "let b: f32 = a;", "a * 3.0"], &[0, 1]),
            ("a type of its own", &["let a = 0.7_f32;", "let b: f32 = a;", "a * 3.0"], &[0]),
            ("a hidden impl", &["struct S;", "const _: () = { impl T for S {} };", "1"], &[0, 1]),
            ("a condition", &["let a = f();", "#[cfg(no)] let a = g();", "a"], &[0, 1]),
            ("a type and a variable", &["type t = f32;", "let t = f();", "t as t"], &[0, 1]),
            ("two of one name", &["type T = f32;", "const T: f64 = 1.0;", "T as T"], &[0, 1]),
            (
                "a macro's own names",
                &["fn rate() {}", "macro_rules! r { () => { rate() } }", "r!()"],
                &[0, 1],
            ),
        ] {
            assert_eq!(last(cells), needed, "{what}");
        }
        let module = "macro_rules! scaled { ($x:expr) => { factor() * $x } }";
        let cells = ["fn factor() -> i64 { 3 }", "scaled!(2)"];
        assert_eq!(of_cells(&[module], &cells.map(Some))[1], [0]);
    }

    #[test]
    fn a_cell_needs_what_defines_its_names() {
        let cells = [
            "let (a, b) = f(1, 2);",
            "let c = (0..3).map(|inner| inner).sum::<i32>();",
            "fn twice(x: i32) -> i32 { 2 * x }",
            "let inner = 1; twice(c) + inner",
        ];
        assert_eq!(last(&cells), [1, 2]);
        assert_eq!(last(&["let a = f();", "let b = a;", "b + 1"]), [0, 1]);
        assert_eq!(last(&["let x = f();", "let x = g();", "x"]), [1]);
        assert_eq!(last(&["let x = f();", "let x = g(x);", "x"]), [0, 1]);
        assert_eq!(last(&["struct P { x: i32 }", "let x = f();", "P { x }"]), [0, 1]);
        assert_eq!(last(&["const N: usize = 3;", "[0; N]"]), [0]);
        assert_eq!(last(&["macro_rules! m { () => { 1 } }", "m!()"]), [0]);
    }

    #[test]
    fn names_of_ones_own_are_needed_from_nobody() {
        for own in [
            "let x = 1; x",
            "f(|x| x)",
            "for x in 0..3 { f(x) }",
            "if let Some(x) = f() { x } else { 0 }",
            "match f() { (x, 1) if x > 1 => x, _ => 0 }",
            "while let Some(x) = f() { g(x) }",
            "let Some(x) = f() else { panic!() }; x",
            "fn g(x: i32) -> i32 { x }",
            "a.x.x()",
            "f(|y| { return y; })",
            "println!(\"{}\", (0..3).map(|x| x).count());",
        ] {
            assert_eq!(last(&["let x = f();", own]), NOTHING, "{own}");
        }
        for used in [
            "let y = x; let x = y;",
            "f(|y| x)",
            "{ let x = 1; } x",
            "if let Some(x) = f() { x } else { x }",
            "for x in x { x }",
            "println!(\"{x}\");",
            "println!(\"{x:?} {}\", 1);",
            "vec![1; x]",
            "matches!(x, 1)",
            "S { x }",
            "x.push(1);",
            "&mut x",
        ] {
            assert_eq!(last(&["let x = f();", used]), [0], "{used}");
        }
    }

    #[test]
    fn cells_that_share_a_variable_keep_their_order() {
        let mutated = ["let mut v = f();", "v.push(1);", "v.len()"];
        assert_eq!(last(&mutated), [0, 1]);
        let hidden = ["let device = f();", "device.sample();", "device.sample()"];
        assert_eq!(last(&hidden), [0, 1]);
        let aliased = ["let a = f();", "let b = a.clone();", "a.set(1);", "b.get()"];
        assert_eq!(last(&aliased), [0, 1, 2]);
        let siblings = ["let (a, b) = f();", "a.set(1);", "b.get()"];
        assert_eq!(last(&siblings), [0, 1]);
        let apart = ["let a = f();", "let b = f();", "a.set(1);", "b.get()"];
        assert_eq!(last(&apart), [1]);
    }

    #[test]
    fn plain_data_and_items_carry_nothing_over() {
        let plain = ["let (n, d) = (64_usize, [1.0_f64, -2.0_f64]);", "let a = f(n);", "g(n)"];
        assert_eq!(last(&plain), [0]);
        let formula = ["let m = equation!(\"eq-m\");", "m.call([1]);", "m.call([2])"];
        assert_eq!(last(&formula), [0]);
        let mutable = ["let mut n = 64;", "n += 1;", "n"];
        assert_eq!(last(&mutable), [0, 1]);
        let item = ["fn f() {} ", "f();", "f()"];
        assert_eq!(last(&item), [0]);
    }

    #[test]
    fn where_names_do_not_tell_everything_is_needed() {
        for pervasive in [
            "use std::fmt::Write;",
            "use f::*;",
            "impl T for S {}",
            "trait T { fn t(&self) {} } ",
            "define! { x } f();",
            "if g() { return Ok(()); }",
        ] {
            assert_eq!(last(&["let a = f();", pervasive, "1"]), [1], "{pervasive}");
        }
        assert_eq!(last(&["let a = f();", "let = ;", "1"]), [0, 1]);
        assert_eq!(last(&["use f::*; let a = f();", "a.set(1);", "1"]), [0]);
        let files = ["std::fs::write(f, t)?;", "1", "File::open(f)?"];
        assert_eq!(last(&files), [0]);
        let counter = "fn next() -> u64 { static N: AtomicU64 = AtomicU64::new(0); f(&N) }";
        assert_eq!(last(&[counter, "next();", "next()"]), [0, 1]);
        assert_eq!(
            last(&[counter, "fn two() -> u64 { next() + next() }", "next();", "two()"]),
            [0, 1, 2]
        );
        assert_eq!(last(&["fn f() -> &'static str { \"\" }", "f();", "f()"]), [0]);
    }

    #[test]
    fn a_state_of_modules_is_shared_by_those_who_reach_it() {
        let needs = |module: &str, codes: [&str; 3]| {
            of_cells(&[module], &codes.map(Some)).pop().expect("there are cells")
        };
        let counter = "pub static COUNT: AtomicU64 = AtomicU64::new(0); fn f() { COUNT.load(R); } \
                       fn g() { f() } fn pure() {} struct S; impl S { fn m(&self) { g() } }";
        assert_eq!(needs(counter, ["f();", "pure();", "g();"]), [0]);
        assert_eq!(needs(counter, ["f();", "g();", "pure();"]), Vec::<usize>::new());
        assert_eq!(needs(counter, ["f();", "pure();", "s.m();"]), [0]);
        let hidden = format!("{counter} impl Drop for S {{ fn drop(&mut self) {{ f() }} }}");
        assert_eq!(needs(&hidden, ["f();", "pure();", "pure();"]), [0, 1]);
        let glob = "use std::fs::*; fn f() { read(p); }";
        assert_eq!(needs(glob, ["f();", "pure();", "pure();"]), [0, 1]);
        assert_eq!(needs("static X", ["f();", "pure();", "pure();"]), [0, 1]);
    }

    #[test]
    fn nothing_builds_on_a_cell_that_does_not_run() {
        let cells = [Some("let a = f();"), None, Some("a")];
        assert_eq!(of_cells(&[], &cells), [vec![], vec![], vec![0]]);
    }
}
