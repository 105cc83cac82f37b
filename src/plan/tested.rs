//! Where tests stand in code.
//!
//! In: the code of a block. Out: each `#[test]` with the name under which the test program tells of it.
//! Left out: what attributes such as `#[cfg(…)]` make of a test, which only the compiler knows.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};

use crate::memo::{Input, Memo};
use crate::parse::{Chapter, Code};
use crate::span::Span;

/// A test as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Its path in the library, such as `tests::of_odd_numbers`.
    pub name: String,
    /// Its attribute.
    pub span: Span,
}

/// The tests in a chapter's modules, in order.
pub(crate) fn in_modules(chapter: &Chapter) -> Vec<Test> {
    in_code(chapter, &chapter.modules.iter().map(|module| &module.code).collect::<Vec<_>>())
}

/// The tests in some blocks of a chapter that stand one behind the other, in order.
pub(super) fn in_code(chapter: &Chapter, blocks: &[&Code]) -> Vec<Test> {
    // Most code has none, and need not be cut into tokens.
    if !blocks.iter().any(|code| code.text.contains("test")) {
        return Vec::new();
    }
    // What opens in one block may be closed in the next.
    let text: String = blocks.iter().map(|code| code.text.as_str()).collect();
    let found = in_text(&text);
    let mut starts = Vec::with_capacity(blocks.len());
    let mut end = 0;
    for code in blocks {
        starts.push(end);
        end += code.text.len();
    }
    let place = |at: usize| {
        let block = starts.partition_point(|&start| start <= at).saturating_sub(1);
        blocks[block].offset(at - starts[block])
    };
    let test = |(name, range): (String, Range<usize>)| Test {
        name,
        span: chapter.source.span(place(range.start)..place(range.end)),
    };
    found.into_iter().map(test).collect()
}

const PLAIN: &str = "#[test]";

/// The name of each test, and where its attribute stands.
fn in_text(text: &str) -> Vec<(String, Range<usize>)> {
    static KNOWN: Memo<Vec<(String, Range<usize>)>> = Memo::new(4096);
    KNOWN.get(Input::of([text.as_bytes()]), || {
        let mut found = Vec::new();
        match text.parse() {
            Ok(tokens) => look(tokens, "", &mut found),
            // What is wrong with it, the compiler tells, if there is something to compile.
            Err(_) => {
                let plain = text.find(PLAIN).map(|at| (String::new(), at..at + PLAIN.len()));
                found.extend(plain);
            }
        }
        let size = found.len() + 1;
        (found, size)
    })
}

/// Looks through tokens, those that macros are given among them, in the module of a path.
fn look(tokens: TokenStream, path: &str, found: &mut Vec<(String, Range<usize>)>) {
    let mut attribute = None;
    let mut before: [Option<TokenTree>; 2] = [None, None];
    for token in tokens {
        match (&before, &token) {
            ([_, Some(TokenTree::Punct(hash))], TokenTree::Group(group))
                if hash.as_char() == '#' && is_test(group.stream()) =>
            {
                attribute = Some(hash.span().byte_range().start..group.span().byte_range().end);
            }
            ([_, Some(TokenTree::Ident(word))], TokenTree::Ident(name)) if *word == "fn" => {
                found.extend(attribute.take().map(|range| (format!("{path}{name}"), range)));
            }
            (
                [Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))],
                TokenTree::Group(group),
            ) if *word == "mod" => {
                look(group.stream(), &format!("{path}{name}::"), found);
            }
            (_, TokenTree::Group(group)) => look(group.stream(), path, found),
            _ => {}
        }
        let [_, last] = before;
        before = [last, Some(token)];
    }
}

/// Whether an attribute is `test`, or ends so, as `core::prelude::v1::test` does.
fn is_test(attribute: TokenStream) -> bool {
    let path = attribute.into_iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    matches!(path.last(), Some(TokenTree::Ident(word)) if word == "test")
}

#[cfg(test)]
mod cases {
    use super::*;
    use crate::parse;
    use crate::span::Source;

    #[test]
    fn tests_have_the_names_that_the_test_program_gives_them() {
        let text = "# A\n\n```rust,module\n// #[test] fn no() {}\npub fn f() -> &'static str { \"#[test]\" }\n\
                    #[test]\nfn a() {}\n#[cfg(test)]\nmod tests {\n    mod inner {\n        \
                    #[test] #[ignore] pub fn b() {}\n    }\n    every! { #[core::prelude::v1::test] fn c() {} }\n\
                    }\n#[cfg(test)] fn d() {}\n```\n";
        let (chapter, _) = parse::chapter(Source::new("a.md", text));
        let found: Vec<(String, String)> = in_modules(&chapter)
            .into_iter()
            .map(|test| (test.name, test.span.to_string()))
            .collect();
        let expected =
            [("a", "a.md:6:1"), ("tests::inner::b", "a.md:11:9"), ("tests::c", "a.md:13:14")];
        assert_eq!(found, expected.map(|(name, place)| (name.to_owned(), place.to_owned())));
    }

    #[test]
    fn a_module_may_go_on_in_the_next_block_and_what_is_broken_is_not_passed_over() {
        let tests = |second: &str| {
            let text =
                format!("# A\n\n```rust,module\nmod a {{\n```\n\n```rust,module\n{second}\n```\n");
            let (chapter, _) = parse::chapter(Source::new("a.md", text));
            let found = in_modules(&chapter);
            found.into_iter().map(|it| format!("{} {}", it.name, it.span)).collect::<Vec<_>>()
        };
        assert_eq!(tests("#[test] fn b() {} }"), ["a::b a.md:8:1"]);
        assert_eq!(tests("#[test] fn b() {}"), [" a.md:8:1"]);
    }
}
