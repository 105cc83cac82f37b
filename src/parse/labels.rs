//! Which labels are allowed where.
//!
//! In: a label and what it is put on. Out: the label, or a diagnostic. Left out: whether a label
//! is given twice in the report, which is [`crate::resolve`]'s.

use crate::diag::Diagnostic;
use crate::span::Span;

/// Prefixes that make `@label` a cross reference and not a citation.
pub(super) const PREFIXES: [&str; 4] = ["fig-", "tbl-", "eq-", "sec-"];

/// What a label is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Labelled {
    Heading,
    Equation,
    Figure,
    Table,
    Cell,
}

impl Labelled {
    fn words(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Heading => ("a heading", &["sec-"]),
            Self::Equation => ("an equation", &["eq-"]),
            Self::Figure => ("a figure", &["fig-"]),
            Self::Table => ("a table", &["tbl-"]),
            Self::Cell => ("a cell", &["fig-", "tbl-"]),
        }
    }
}

/// Whether `@label` is a cross reference.
pub(super) fn is_reference(label: &str) -> bool {
    PREFIXES.iter().any(|prefix| label.len() > prefix.len() && label.starts_with(prefix))
}

/// Checks a label; `None` if it cannot be used.
pub(super) fn check(
    label: &str,
    span: Span,
    on: Labelled,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<String> {
    let (what, fitting) = on.words();
    let rest = |prefix: &&str| label.strip_prefix(*prefix);
    let found = if label.is_empty() || PREFIXES.iter().filter_map(rest).any(str::is_empty) {
        Diagnostic::error("empty-label", format!("the label of {what} has no name"), span)
            .hint(format!("write it as `{}name`", fitting[0]))
    } else if let Some(odd) =
        label.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'))
    {
        Diagnostic::error("invalid-label", format!("a label cannot contain `{odd}`"), span)
            .hint("use letters, digits, `-` and `_`")
    } else if on == Labelled::Cell && is_reserved(label) {
        Diagnostic::error("invalid-label", format!("`{label}` names a cell without a label"), span)
            .hint("add a word of your own, such as `cell-first`")
    } else if is_fitting(label, on, fitting) {
        return Some(label.to_owned());
    } else {
        let bare = PREFIXES.iter().find_map(rest).unwrap_or(label);
        let message = format!("the label of {what} begins with `{}`", fitting.join("` or `"));
        Diagnostic::error("label-prefix", message, span)
            .hint(format!("call it `{}{bare}`", fitting[0]))
    };
    diagnostics.push(found);
    None
}

fn is_fitting(label: &str, on: Labelled, fitting: &[&str]) -> bool {
    fitting.iter().any(|prefix| label.starts_with(prefix))
        || on == Labelled::Cell && !PREFIXES.iter().any(|prefix| label.starts_with(prefix))
}

fn is_reserved(label: &str) -> bool {
    label
        .strip_prefix("cell-")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}
