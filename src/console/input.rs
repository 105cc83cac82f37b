//! What a person types at a prompt.
//!
//! In: text. Out: whether it is whole, and the names that may stand in it.

use proc_macro2::TokenStream;
use std::collections::BTreeSet;

/// What an input needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It can be run, or at least be told what is wrong with it.
    Nothing,
    /// A further line: something is not closed, or an expression is missing.
    More,
}

/// Whether an input is whole.
pub fn need(text: &str) -> Need {
    let tokens: TokenStream = match text.parse() {
        Ok(tokens) => tokens,
        Err(error) => return unread(text, error),
    };
    match syn::parse::Parser::parse2(syn::Block::parse_within, tokens) {
        // syn has no other sign of it.
        Err(error) if error.to_string().starts_with("unexpected end of input") => Need::More,
        _ => Need::Nothing,
    }
}

/// What cannot be cut into tokens begins where something is opened, unless it is wrong anyway.
fn unread(text: &str, error: proc_macro2::LexError) -> Need {
    let at = error.span().start();
    let line = text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
    let rest: String = line.chars().skip(at.column).collect();
    let opens = ["(", "[", "{", "\"", "/*", "r\"", "r#", "b\"", "br\"", "br#", "c\""];
    match opens.iter().any(|open| rest.starts_with(open)) {
        true => Need::More,
        false => Need::Nothing,
    }
}

/// What cells have in scope besides what the chapter defines.
const LAB: [&str; 30] = [
    "Align",
    "BigInt",
    "BigRational",
    "Check",
    "Figure",
    "Format",
    "Number",
    "Plot",
    "Table",
    "chapter::",
    "equation!(\"",
    "lab::check(",
    "lab::dataset(",
    "lab::exact(",
    "lab::growth(",
    "lab::measure(",
    "lab::memo(",
    "lab::profile()",
    "lab::progress(",
    "lab::ratio(",
    "lab::sample(",
    "lab::seed()",
    "lab::show(",
    "lab::text(",
    "lab::value(",
    "assert!(",
    "assert_eq!(",
    "format!(",
    "println!(",
    "vec![",
];

/// Names that are defined in these pieces of code, and those of lab, sorted.
pub(super) fn names<'a>(codes: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: BTreeSet<String> = LAB.into_iter().map(str::to_owned).collect();
    for code in codes {
        names.extend(crate::plan::defined(code.parse().unwrap_or_default()));
    }
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_is_not_whole_asks_for_more() {
        for whole in
            ["1 + 1", "let x = 2;", "let y = (1,\n2);", "x)", "'", "let 3x", "// }", "\"}\""]
        {
            assert_eq!(need(whole), Need::Nothing, "{whole}");
        }
        for part in ["f(1,", "let x =", "match x {", "\"text", "1 +", "/* words", "vec![\"a\", ("] {
            assert_eq!(need(part), Need::More, "{part}");
        }
    }
}
