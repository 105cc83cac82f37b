//! Keys of results: hashes of everything that may change them.
//!
//! In: fields, in an order that the caller fixes. Out: a [`CellKey`]. Left out: which parts of a chapter
//! are in a key, which the plan decides in one place.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use veracity_protocol as protocol;

use super::names;
use crate::data::DataSet;
use crate::memo::{Input, Memo};

/// Cache key of a cell: a BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CellKey(blake3::Hash);

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl fmt::Debug for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CellKey({self})")
    }
}

/// Hashes fields with their lengths, so that no two lists of fields collide.
pub(super) struct KeyHasher(blake3::Hasher);

impl KeyHasher {
    pub(super) fn new(kind: &str) -> Self {
        let mut hasher = Self(blake3::Hasher::new());
        hasher.field(kind);
        hasher.field(&protocol::VERSION.to_string());
        hasher
    }

    pub(super) fn field(&mut self, field: &str) {
        self.0.update(&(field.len() as u64).to_le_bytes());
        self.0.update(field.as_bytes());
    }

    /// Code, in which other words of a comment are no change.
    pub(super) fn code(&mut self, code: &str) {
        static KNOWN: Memo<String> = Memo::new(2 << 20);
        let text = KNOWN.get(Input::of([code.as_bytes()]), || (compiled(code), 2 * code.len()));
        self.field(&text);
    }

    pub(super) fn equations(&mut self, code: &str, known: &BTreeMap<String, protocol::Equation>) {
        // Any literal that is a label may reach `equation!`, through a macro if need be.
        for label in names::facts(code).strings() {
            if let Some(equation) = known.get(label) {
                self.field(label);
                self.field(&format!("{equation:?}"));
            }
        }
    }

    pub(super) fn data(&mut self, found: Option<&DataSet>) {
        self.field(&found.map_or_else(String::new, |data| format!("{:?}", data.kind)));
        self.field(found.map_or("", |data| &data.digest));
    }

    pub(super) fn finish(self) -> CellKey {
        CellKey(self.0.finalize())
    }
}

/// What the compiler sees of code: no comments but documentation, which macros may read, and every token on its line
/// and in its column, which panics and `line!()` tell.
fn compiled(code: &str) -> String {
    let mut tokens = Vec::new();
    match code.parse() {
        Ok(stream) if !code.starts_with('\u{feff}') => places(stream, &mut tokens),
        _ => return code.to_owned(),
    }
    let mut text = String::with_capacity(code.len());
    let mut done = 0;
    // The tokens of a documenting comment are all in its place.
    for token in tokens {
        if token.start >= done {
            text.push_str(&gap(&code[done..token.start]));
            text.push_str(&code[token.clone()]);
            done = token.end;
        }
    }
    text.extend(code[done..].matches('\n'));
    text
}

/// The places of tokens, in order.
fn places(tokens: TokenStream, into: &mut Vec<Range<usize>>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                into.push(group.span_open().byte_range());
                places(group.stream(), into);
                into.push(group.span_close().byte_range());
            }
            token => into.push(token.span().byte_range()),
        }
    }
}

/// What stands between tokens, without its comments if it ends a line.
fn gap(text: &str) -> String {
    match text.rsplit_once('\n') {
        Some((before, indent)) if indent.trim_start().is_empty() => {
            "\n".repeat(before.matches('\n').count() + 1) + indent
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_of_a_comment_are_no_change() {
        let code =
            "/// Doc.\nfn é() -> &'static str {\n    // one\n    \"// kept\" // two\n}\n// three";
        let same = "/// Doc.\nfn é() -> &'static str {  \n    //\n    \"// kept\"\n}\n";
        assert_eq!(compiled(code), compiled(same));
        for other in [
            code.replace("Doc.", "Docs."),
            code.replace("// kept", "// k"),
            code.replace("    // one\n", ""),
            code.replace("    \"", "   \""),
            code.replace("fn", "/* */ fn"),
            code.replace("// two", "+ 1"),
            code.replace("fn é", "fn e"),
            code.replace("// one", "# one"),
        ] {
            assert_ne!(compiled(code), compiled(&other), "{other}");
        }
        for broken in ["fn f( {", "\"open"] {
            assert_eq!(compiled(broken), broken);
        }
    }
}
