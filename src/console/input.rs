//! What a person types at a prompt.
//!
//! In: text. Out: whether it is whole, and the names that may stand in it.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;

use crate::kernel::Completion;

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

/// The input with the semicolon behind its last statement, which people forget at a prompt.
pub(super) fn ended(text: &str) -> String {
    let ended = format!("{text};");
    let is_whole = |text| syn::parse::Parser::parse_str(syn::Block::parse_within, text).is_ok();
    match !is_whole(text) && is_whole(&ended) {
        true => ended,
        false => text.to_owned(),
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

/// The names that begin as the text ends.
pub(super) fn complete(text: &str, names: &[String]) -> Completion {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let word = text.rsplit(|c| !is_part(c)).next().unwrap_or_default();
    // Behind a point stands what no list of names tells.
    let is_member = text[..text.len() - word.len()].ends_with('.');
    let fits = names.iter().filter(|name| !word.is_empty() && name.starts_with(word));
    let words = if is_member { Vec::new() } else { fits.cloned().collect() };
    Completion { typed: word.len(), words }
}

/// The words without the arguments of what can be called, which a person types.
pub(super) fn callable(found: Completion) -> Completion {
    let is_name = |c: char| c.is_alphanumeric() || "_:!#".contains(c);
    let cut = |word: &String| {
        let name = word.split(|c| !is_name(c)).next().unwrap_or_default();
        let rest = &word[name.len()..];
        let end = rest.chars().next().filter(|c| "([{".contains(*c));
        // Code to be filled in is no name.
        let is_whole = !name.is_empty() && (rest.is_empty() || end.is_some());
        is_whole.then(|| format!("{name}{}", end.map(String::from).unwrap_or_default()))
    };
    let words: BTreeSet<String> = found.words.iter().filter_map(cut).collect();
    Completion { words: words.into_iter().collect(), ..found }
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

    #[test]
    fn a_semicolon_may_be_left_out_at_the_end() {
        assert_eq!(ended("let x = 1"), "let x = 1;");
        for text in ["let x = 1;", "x", "f(1); x", "let x 1", "if x { 1 }", "use std::fs;"] {
            assert_eq!(ended(text), text);
        }
        assert_eq!(ended("use std::fs"), "use std::fs;");
    }

    #[test]
    fn names_are_completed_and_members_are_not_guessed() {
        let names = ["lab::value(", "model"].map(str::to_owned);
        let words = |text| complete(text, &names).words;
        assert_eq!(words("f(mo"), ["model"]);
        assert_eq!(words("1 + lab::v"), ["lab::value("]);
        assert!(words("x.mo").is_empty() && words("f(").is_empty());
        let found = ["fit(data, 3)", "weights", "fit(data, 3)", "if ${1} {}", "new()"];
        let found = Completion { typed: 1, words: found.map(str::to_owned).to_vec() };
        assert_eq!(callable(found).words, ["fit(", "new(", "weights"]);
    }
}
