//! Cells to the statements that the live kernel evaluates.
//!
//! In: which cells run and which variables they need of others. Out: one statement for evcxr,
//! with the way back to the chapter, and which lines stand for a variable.
//!
//! Types of variables are never named. The statement holds the cells that bind them once more, in
//! a closure that is never called, whose result has the types.

use std::collections::BTreeMap;

use syn::spanned::Spanned;

use super::{Origin, Tangled, Writer};
use crate::plan::ChapterPlan;

/// What is evaluated.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Path of the run's plan.
    pub plan: &'a str,
    /// Name of the chapter's library in Rust.
    pub library: &'a str,
    /// Name in Rust of the dynamic library that holds that one and all others.
    pub linked: &'a str,
    /// Cells that run, with their positions in the plan.
    pub cells: &'a [(usize, usize)],
    /// Cells that have run before and bind what these need, in order.
    pub before: &'a [usize],
    /// Variables to take from those, and whether they are mutable.
    pub taken: &'a BTreeMap<String, bool>,
    /// Variables to keep for later cells.
    pub kept: &'a [String],
}

/// What the live kernel evaluates.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The statement.
    pub code: Tangled,
    /// Lines, from 1, that stand for one variable.
    pub own: BTreeMap<usize, Own>,
}

/// What a line that the author did not write does with a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// Gives its type.
    Taken(String),
    /// Keeps it.
    Kept(String),
}

/// Writes the statement.
pub fn evaluation(chapter: &ChapterPlan, wanted: &Wanted<'_>) -> Evaluation {
    let mut writer = Writer::new(&chapter.source);
    let mut own = BTreeMap::new();
    // A line that begins with a colon would be a command.
    writer.own(&format!(
        "veracity_lab::runtime::live::run({:?}, \
         || -> ::core::result::Result<(), ::veracity_lab::runtime::Failure> {{",
        wanted.plan
    ));
    writer.own("#[allow(unused_imports)]");
    writer.own("use ::veracity_lab::{self as lab, prelude::*};");
    writer.own("#[allow(unused_imports)]");
    writer.own(&format!("use ::{}::{{self as chapter, *}};", wanted.library));
    // What is not named is not linked, and each evaluation would have crates of its own.
    writer.own(&format!("use ::{} as _;", wanted.linked));
    for &index in wanted.before {
        // As in a program, what a cell defines is seen by the cells behind it alone.
        writer.own("{");
        items(&mut writer, chapter, index);
    }
    if !wanted.taken.is_empty() {
        writer.own("let ::core::option::Option::Some(");
        for (name, mutable) in wanted.taken {
            writer.own(&format!("({}{name},", if *mutable { "mut " } else { "" }));
        }
        writer.own(&format!("(){}", ")".repeat(wanted.taken.len())));
        let names: Vec<_> = wanted.taken.keys().collect();
        writer.own(&format!(") = ::veracity_lab::runtime::live::load(&{names:?}, || {{"));
        for &index in wanted.before {
            writer.own("{");
            writer.cell(chapter, index);
        }
        writer.own("::core::result::Result::Ok(");
        for name in wanted.taken.keys() {
            writer.own(&format!("({name},"));
            own.insert(writer.lines.len(), Own::Taken(name.clone()));
        }
        writer.own(&format!("(){}", ")".repeat(wanted.taken.len())));
        writer.own(&format!("){}}})", "}".repeat(wanted.before.len())));
        writer.own("else { return ::core::result::Result::Ok(()) };");
    }
    for &(index, position) in wanted.cells {
        writer.own("{");
        writer.own(&format!("::veracity_lab::runtime::begin({position});"));
        writer.cell(chapter, index);
    }
    for name in wanted.kept {
        writer.own(&format!("::veracity_lab::runtime::live::keep({name:?}, {name});"));
        own.insert(writer.lines.len(), Own::Kept(name.clone()));
    }
    writer.own("::core::result::Result::Ok(())");
    writer.own(&"}".repeat(wanted.before.len() + wanted.cells.len()));
    writer.own("});");
    Evaluation { code: writer.finish(), own }
}

/// Cells and something half-typed behind them as a statement that nobody runs, and the byte offset in
/// it of the end of what is typed.
pub fn half_typed(
    chapter: &ChapterPlan,
    library: &str,
    cells: &[usize],
    typed: &str,
) -> (String, usize) {
    let mut writer = Writer::new(&chapter.source);
    writer.own(
        "veracity_lab::runtime::live::run(\"\", \
         || -> ::core::result::Result<(), ::veracity_lab::runtime::Failure> {",
    );
    writer.own("use ::veracity_lab::{self as lab, prelude::*};");
    writer.own(&format!("use ::{library}::{{self as chapter, *}};"));
    for &index in cells {
        writer.own("{");
        writer.cell(chapter, index);
    }
    let mut code = writer.text;
    code.push_str(typed);
    let at = code.len();
    code.push_str(&closers(typed));
    code.push_str(&format!("\n;{}::core::result::Result::Ok(()) }});\n", "}".repeat(cells.len())));
    (code, at)
}

/// The delimiters that close what is open at the end of a text, texts and comments being left out.
fn closers(text: &str) -> String {
    let mut open = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => drop(open.pop()),
            '"' => {
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    if c == '\\' {
                        rest.next();
                    }
                }
            }
            '/' if rest.peek() == Some(&'/') => drop(rest.find(|c| *c == '\n')),
            _ => {}
        }
    }
    open.into_iter().rev().collect()
}

/// The items of a cell, which the cells behind it may use.
fn items(writer: &mut Writer, chapter: &ChapterPlan, index: usize) {
    let body = &chapter.cells[index].body;
    let statements = syn::parse::Parser::parse2(syn::Block::parse_within, body.tokens());
    let items =
        statements.unwrap_or_default().into_iter().filter_map(|statement| match statement {
            syn::Stmt::Item(item) => Some(item.span()),
            _ => None,
        });
    for span in items {
        let (start, end) = (span.start(), span.end());
        for line in start.line..=end.line {
            let (Some(text), Some(&offset)) =
                (body.code.text.lines().nth(line - 1), body.code.line_offsets.get(line - 1))
            else {
                continue;
            };
            let from = if line == start.line { start.column } else { 0 };
            let to = if line == end.line { end.column } else { usize::MAX };
            writer.part(Origin { cell: Some(index), offset, text: text.to_owned() }, from..to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_closed() {
        for (text, end) in [
            ("f(a, [1, x.", "])"),
            ("{ f(\")\\\"(\", vec![y", "])}"),
            ("f(1) // (\n.", ""),
            ("a) (b", ")"),
        ] {
            assert_eq!(closers(text), end, "{text}");
        }
    }
}
