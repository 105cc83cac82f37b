//! Why a change of code may go unnoticed, in the author's words.
//!
//! In: the code of a chapter. Out: the comments `// mutants: REASON`, each with the code for which
//! it speaks: behind code, that line; on a line of its own, what begins below it, such as a
//! statement, an item, a method or an arm. Left out: whether a change is noticed all the same.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::diag::Diagnostic;
use crate::memo::{Input, Memo};
use crate::parse::Chapter;
use crate::span::Span;

const MARK: &str = "// mutants:";

/// A reason that the author gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The code for which it speaks.
    pub code: Span,
    /// The words.
    pub words: String,
}

impl Reason {
    /// The first line of the code that is neither a comment nor an attribute.
    pub fn first_line(&self) -> &str {
        let mut lines = self.code.text().lines().map(str::trim);
        lines.find(|line| !line.starts_with("//") && !line.starts_with("#[")).unwrap_or_default()
    }
}

/// All reasons of a chapter, in order.
pub fn of(chapter: &Chapter) -> Vec<Reason> {
    let mut reasons = written(chapter);
    reasons.retain(|reason| !reason.words.is_empty());
    reasons
}

/// A warning for each mark without words, which excuses nothing.
pub fn without_words(chapter: &Chapter) -> Vec<Diagnostic> {
    let bare = written(chapter).into_iter().filter(|reason| reason.words.is_empty());
    let warning = |bare: Reason| {
        let words = "no reason stands here why changes of this code may go unnoticed";
        Diagnostic::warning("mutants-without-reason", words, bare.code)
            .hint("write `// mutants: REASON`; without one it counts like any other code")
    };
    bare.map(warning).collect()
}

fn written(chapter: &Chapter) -> Vec<Reason> {
    let modules = chapter.modules.iter().map(|module| &module.code);
    let cells = chapter.cells.iter().map(|cell| &cell.code);
    let mut reasons: Vec<Reason> = Vec::new();
    for code in modules.chain(cells).filter(|code| code.text.contains(MARK)) {
        let found = in_code(&code.text).into_iter().map(|(range, words)| {
            let place = code.offset(range.start)..code.offset(range.end);
            Reason { code: chapter.source.span(place), words }
        });
        reasons.extend(found);
    }
    reasons.sort_by_key(|reason| reason.code.range.start);
    reasons
}

/// The reasons in some code by the places for which they speak; one without words, by its own.
fn in_code(text: &str) -> Vec<(Range<usize>, String)> {
    static KNOWN: Memo<Vec<(Range<usize>, String)>> = Memo::new(4096);
    KNOWN.get(Input::of([text.as_bytes()]), || {
        let found = look_for_reasons(text);
        let size = found.len() + 1;
        (found, size)
    })
}

fn look_for_reasons(text: &str) -> Vec<(Range<usize>, String)> {
    let mut literals = Vec::new();
    collect_literals(text.parse().unwrap_or_default(), &mut literals);
    let in_text = |at: usize| literals.iter().any(|it| it.start <= at && at < it.end);
    let lines: Vec<Range<usize>> = lines(text);
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(at) = text[line.clone()].find(MARK).map(|at| line.start + at) else { continue };
        if in_text(at) {
            continue;
        }
        let mut words = text[at + MARK.len()..line.end].trim().to_owned();
        let before = line.start..at;
        let mark = at..line.end;
        let place = if text[before.clone()].trim().is_empty() {
            let more = lines[index + 1..].iter().map_while(|line| continued(&text[line.clone()]));
            let more: Vec<&str> = more.collect();
            more.iter().for_each(|more| words.extend([" ", *more]));
            let below = lines[index + 1 + more.len()..].iter();
            let Some(below) = below.map(|it| bare(text, it)).find(|it| !it.is_empty()) else {
                continue;
            };
            beginning(text, below.start).unwrap_or(below)
        } else {
            let code = bare(text, &before);
            code.start..code.start + text[code].trim_end().len()
        };
        found.push((if words.is_empty() { mark } else { place }, words));
    }
    found
}

fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let line = |line: &str| {
        let range = start..start + line.len();
        start = range.end;
        range.start..range.start + line.trim_end().len()
    };
    text.split_inclusive('\n').map(line).collect()
}

/// A line without the white space around it.
fn bare(text: &str, line: &Range<usize>) -> Range<usize> {
    let content = text[line.clone()].trim_start();
    line.end - content.len()..line.end
}

/// The words of a line that goes on with a comment.
fn continued(line: &str) -> Option<&str> {
    let words = line.trim_start().strip_prefix("//")?;
    let is_other = words.starts_with(['/', '!', '|']) || line.contains(MARK);
    (!is_other).then(|| words.trim())
}

/// The largest piece of code that begins at a place.
fn beginning(text: &str, start: usize) -> Option<Range<usize>> {
    let mut pieces = Pieces { start, longest: None };
    if let Ok(file) = syn::parse_file(text) {
        pieces.visit_file(&file);
    } else {
        let statements = syn::parse::Parser::parse_str(syn::Block::parse_within, text).ok()?;
        statements.iter().for_each(|statement| pieces.visit_stmt(statement));
    }
    pieces.longest
}

fn collect_literals(tokens: TokenStream, found: &mut Vec<Range<usize>>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_literals(group.stream(), found),
            TokenTree::Literal(literal) => found.push(literal.span().byte_range()),
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Looks for what begins at a place.
struct Pieces {
    start: usize,
    longest: Option<Range<usize>>,
}

impl Pieces {
    fn see(&mut self, piece: &impl Spanned) {
        let range = piece.span().byte_range();
        let is_longer = self.longest.as_ref().is_none_or(|longest| longest.end < range.end);
        if range.start == self.start && is_longer {
            self.longest = Some(range);
        }
    }
}

impl<'ast> Visit<'ast> for Pieces {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.see(item);
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        self.see(item);
        visit::visit_impl_item(self, item);
    }

    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        self.see(statement);
        visit::visit_stmt(self, statement);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.see(arm);
        visit::visit_arm(self, arm);
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        self.see(field);
        visit::visit_field_value(self, field);
    }

    fn visit_expr(&mut self, expression: &'ast syn::Expr) {
        self.see(expression);
        visit::visit_expr(self, expression);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(&str, String)> {
        in_code(text).into_iter().map(|(range, words)| (&text[range], words)).collect()
    }

    #[test]
    fn a_reason_speaks_for_its_line_or_for_what_begins_below() {
        let cell = "let a = 1; // mutants: any seed\nlet b = 2;\n// mutants: only shown,\n// as a curve\n\
                    let c = f(\n    3,\n);\nlet d = 4;\n";
        assert_eq!(
            told(cell),
            [
                ("let a = 1;", "any seed".to_owned()),
                ("let c = f(\n    3,\n);", "only shown, as a curve".to_owned())
            ]
        );
        let module = "impl A {\n    // mutants: told while it runs\n    /// Tells.\n    fn t() {\n        \
                      1;\n    }\n    fn u() {}\n}\n";
        let (code, words) = &told(module)[0];
        assert_eq!(words, "told while it runs");
        assert!(code.starts_with("/// Tells.") && code.ends_with('}'), "{code}");
        assert!(!code.contains("fn u"), "{code}");
    }

    #[test]
    fn a_chain_is_explained_line_by_line_and_text_never() {
        let chain = "x()\n    // mutants: any width\n    .wide(3)\n    .high(4);\n";
        assert_eq!(told(chain), [(".wide(3)", "any width".to_owned())]);
        let bare = told("let a = \"// mutants: none\";\nlet b = 1; // mutants:\n");
        assert_eq!(bare, [("// mutants:", String::new())]);
    }
}
