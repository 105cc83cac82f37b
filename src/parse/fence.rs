//! Fenced code to cells and module blocks.
//!
//! In: the tags and the lines of a fence. Out: what the fence is, and its options. Left out: what
//! the code means.

use std::collections::BTreeMap;

use super::blocks;
use super::context::Origin;
use super::labels::{self, Labelled};
use crate::config::{self, Caption};
use crate::diag::Diagnostic;
use crate::parse::{Cell, CellOptions, Code, Inline, Module};
use crate::span::{Source, Span};

/// What a fence is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Code that is only shown, in this language.
    Shown(String),
    Cell,
    Module,
}

const ROLES: [&str; 2] = ["cell", "module"];

/// Tags of rustdoc, which mean nothing here but are no mistake.
const RUSTDOC: [&str; 5] = ["ignore", "no_run", "should_panic", "compile_fail", "standalone_crate"];

/// Reads the words after the opening fence.
pub(super) fn role(info: &str, span: &Span, diagnostics: &mut Vec<Diagnostic>) -> Role {
    let is_braced = info.starts_with('{');
    let mut tags = info
        .split(|c: char| c == ',' || c.is_whitespace() || matches!(c, '{' | '}'))
        .filter(|tag| !tag.is_empty());
    let language = tags.next().unwrap_or_default();
    let tags: Vec<&str> = tags.collect();
    let mut fail = |found: Diagnostic| diagnostics.push(found);
    let error = |message: String| {
        Diagnostic::error("unknown-fence-tag", message, span.clone()).hint(
            "a cell is `rust,cell`, a module `rust,module`, and code that is only shown `rust`",
        )
    };
    let roles: Vec<&str> = tags.iter().copied().filter(|tag| ROLES.contains(tag)).collect();
    let shown = Role::Shown(language.to_owned());
    if language != "rust" {
        let meant = format!("rust,{}", roles.first().unwrap_or(&"cell"));
        let is_typo = ROLES.contains(&language)
            || !roles.is_empty() && crate::diag::closest(language, ["rust"]).is_some();
        if is_typo {
            fail(error(format!("`{info}` is not run")).hint(format!("did you mean `{meant}`?")));
        } else if !roles.is_empty() {
            fail(
                error(format!("a cell in `{language}` is not run"))
                    .hint("only Rust is run: `rust,cell` or `rust,module`"),
            );
        }
        return shown;
    }
    if is_braced {
        let meant = roles.first().unwrap_or(&"cell");
        fail(error(format!("`{info}` is not run")).hint(format!("write `rust,{meant}`")));
        return shown;
    }
    for tag in tags.iter().filter(|tag| !ROLES.contains(tag)) {
        if !RUSTDOC.contains(tag) && !tag.starts_with("edition") && !tag.contains('=') {
            fail(
                error(format!("there is no tag `{tag}`"))
                    .note("known tags: cell, module")
                    .did_you_mean(tag, ROLES),
            );
        }
    }
    match roles.as_slice() {
        ["cell"] => Role::Cell,
        ["module"] => Role::Module,
        [] => shown,
        _ => {
            fail(error("a block is a cell or a module, not both".to_owned()));
            shown
        }
    }
}

/// Makes a cell. `index` counts the cells of the chapter; `known` are the labels of earlier ones.
pub(super) fn cell(
    fence: Fence<'_>,
    index: usize,
    known: &mut BTreeMap<String, Span>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Cell {
    let Parts { options, code } = fence.split(diagnostics);
    let (yaml, found) = config::cell_options(fence.source, &options);
    diagnostics.extend(found);
    let label = yaml.label.and_then(|(label, span)| {
        let label = labels::check(&label, span.clone(), Labelled::Cell, diagnostics)?;
        let Some(first) = known.get(&label) else {
            known.insert(label.clone(), span);
            return Some(label);
        };
        let message = format!("the label `{label}` is given twice");
        diagnostics.push(
            Diagnostic::error("duplicate-label", message, span)
                .related(first.clone(), "first given here")
                .hint("give one of them another label"),
        );
        None
    });
    let caption = yaml.caption.map(|text| caption(&text, fence.source, &options, diagnostics));
    if code.text.trim().is_empty() {
        let found = Diagnostic::warning("empty-cell", "this cell has no code", fence.first_line);
        diagnostics.push(found.hint(NO_CODE));
    }
    Cell {
        id: label.clone().unwrap_or_else(|| format!("cell-{}", index + 1)),
        code,
        options: CellOptions {
            label,
            caption,
            alt: yaml.alt,
            echo: yaml.echo,
            timeout: yaml.timeout,
            needs: yaml.needs,
            data: yaml.data,
            measured: yaml.measured,
        },
        span: fence.span,
    }
}

const NO_CODE: &str = "write code into it, or remove the block";

/// Makes a module block.
pub(super) fn module(fence: Fence<'_>, diagnostics: &mut Vec<Diagnostic>) -> Module {
    let Parts { options, code } = fence.split(diagnostics);
    let (echo, found) = config::module_options(fence.source, &options);
    diagnostics.extend(found);
    if code.text.trim().is_empty() {
        let message = "this module block has no code";
        let found = Diagnostic::warning("empty-cell", message, fence.first_line);
        diagnostics.push(found.hint(NO_CODE));
    }
    Module { code, echo, span: fence.span }
}

/// A fenced block whose end was found.
pub(super) struct Fence<'a> {
    pub source: &'a Source,
    pub code: Code,
    pub span: Span,
    pub first_line: Span,
}

struct Parts {
    options: Code,
    code: Code,
}

const MARK: &str = "//|";

impl Fence<'_> {
    /// Splits the leading `//|` lines off, as YAML.
    fn split(&self, diagnostics: &mut Vec<Diagnostic>) -> Parts {
        let empty = || Code { text: String::new(), line_offsets: Vec::new() };
        let mut parts = Parts { options: empty(), code: empty() };
        let mut in_options = true;
        for (line, &offset) in self.code.text.split_inclusive('\n').zip(&self.code.line_offsets) {
            let content = line.trim_start();
            let indent = line.len() - content.len();
            let Some(option) = content.strip_prefix(MARK) else {
                in_options = false;
                parts.code.text.push_str(line);
                parts.code.line_offsets.push(offset);
                continue;
            };
            if in_options {
                let yaml = option.strip_prefix(' ').unwrap_or(option);
                let skipped = indent + MARK.len() + (option.len() - yaml.len());
                parts.options.text.push_str(yaml);
                parts.options.line_offsets.push(offset + skipped);
            } else {
                let start = offset + indent;
                let span = self.source.span(start..start + content.trim_end().len());
                diagnostics.push(
                    Diagnostic::error("late-option", "options stand before all code", span).hint(
                        match parts.code.text.contains("```") {
                            true => "close the block before with ``` on a line of its own",
                            false => "move this line to the top of the block",
                        },
                    ),
                );
                parts.code.text.push_str(line);
                parts.code.line_offsets.push(offset);
            }
        }
        parts
    }
}

/// The Markdown of a caption, with places in the chapter.
fn caption(
    caption: &Caption,
    source: &Source,
    options: &Code,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Inline> {
    let origin = match caption.verbatim {
        Some(start) => Origin::lines(source, options, start),
        None => Origin::whole(source, caption.span.range.clone()),
    };
    blocks::inlines(&caption.text, origin, diagnostics)
}
