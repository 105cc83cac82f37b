//! The formulas that code names.
//!
//! In: a chapter and the macros of its formulas. Out: those formulas of which a label stands in the
//! code, as expressions that the program can evaluate. Left out: their values, which the program finds.

use std::collections::{BTreeMap, BTreeSet};

use veracity_protocol as protocol;

use super::names;
use crate::claims::weak;
use crate::config::ReportConfig;
use crate::diag::Diagnostic;
use crate::math::{Display, Macros, Math};
use crate::parse::Chapter;

/// The formulas that the chapter's code names, as far as they can be evaluated.
pub(super) fn named(
    config: &ReportConfig,
    chapter: &Chapter,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, protocol::Equation> {
    let modules = chapter.modules.iter().map(|module| &module.code.text);
    let code: Vec<&String> =
        modules.chain(chapter.cells.iter().map(|cell| &cell.code.text)).collect();
    let named = texts(&code);
    let is_asked_for = |label: &str| {
        let calls = |code: &&String| equation_labels(code).any(|called| called == label);
        code.iter().any(calls)
    };
    let mut found = BTreeMap::new();
    if named.is_empty() {
        return found;
    }
    // Names that cannot be are reported where the report is resolved.
    let (macros, _) =
        Macros::new(config.macros.clone().into_iter().chain(chapter.front.macros.clone()));
    for equation in chapter.equations() {
        let Some(label) = equation.label.as_ref().filter(|label| named.contains(*label)) else {
            continue;
        };
        // What cannot be shown is reported where the report is resolved.
        let Ok(math) = Math::parse(&equation.latex, Display::Block, &macros) else { continue };
        match math.equation(label) {
            Ok(evaluable) => {
                if let Some(sign) = weak(&evaluable) {
                    diagnostics.push(
                        Diagnostic::warning(
                            "weak-relation",
                            format!("both sides of `{label}` are equal at every point tried, and the formula says {sign}"),
                            equation.span.clone(),
                        )
                        .hint("write `=` if it holds everywhere"),
                    );
                }
                found.insert(label.clone(), evaluable);
            }
            // The label may be the text of something else.
            Err(_) if !is_asked_for(label) => {}
            Err(error) => {
                let mut diagnostic = Diagnostic::error(
                    "equation-not-evaluable",
                    format!("`{label}` cannot be evaluated: {}", error.message),
                    equation.span.part(error.range),
                )
                .note(format!("a cell names it with `equation!(\"{label}\")`"));
                diagnostic.hint = error.hint;
                diagnostics.push(diagnostic);
            }
        }
    }
    found
}

/// The labels of formulas that some of the chapter's cells may evaluate, in their own code or by its modules.
pub fn may_evaluate(chapter: &Chapter, cells: &[usize]) -> BTreeSet<String> {
    if cells.is_empty() {
        return BTreeSet::new();
    }
    let modules = chapter.modules.iter().map(|module| &module.code.text);
    let code: Vec<&String> =
        modules.chain(cells.iter().map(|&cell| &chapter.cells[cell].code.text)).collect();
    let mut named = texts(&code);
    // Code that is not Rust has no texts, but what was meant can be read.
    named.extend(code.iter().flat_map(|code| equation_labels(code)));
    let labels = chapter.equations().into_iter().filter_map(|equation| equation.label.clone());
    labels.filter(|label| named.contains(label)).collect()
}

/// The texts of all string literals in code.
fn texts(code: &[&String]) -> BTreeSet<String> {
    code.iter().flat_map(|code| names::facts(code).strings().clone()).collect()
}

/// Labels in `equation!("label")` as it is mostly written, for messages.
fn equation_labels(code: &str) -> impl Iterator<Item = String> {
    code.split("equation!").skip(1).filter_map(|rest| {
        let rest = rest.trim_start().strip_prefix(['(', '[', '{'])?;
        let rest = rest.trim_start().strip_prefix('"')?;
        Some(rest[..rest.find('"')?].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_equations_that_code_names() {
        let code = "equation!(\"eq-m\").eval(x); lab::equation! [ \"eq-k\" ]; equation!(name)";
        assert_eq!(equation_labels(code).collect::<Vec<_>>(), ["eq-m", "eq-k"]);
    }
}
