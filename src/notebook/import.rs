//! A notebook to a chapter.
//!
//! In: the JSON of a notebook. Out: a chapter, what its code depends on, and what could not be taken
//! over, each with the number of its cell. Outputs are not: a chapter makes its own.

use std::collections::BTreeMap;
use std::path::Path;

use nbformat::Notebook;
use nbformat::v4::Cell;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};
use syn::spanned::Spanned;

use super::{Kind, MARK};
use crate::diag::Diagnostic;

/// What came of a notebook.
#[derive(Debug)]
pub struct Imported {
    /// The chapter.
    pub text: String,
    /// Crates that its code uses, each with its value in TOML.
    pub dependencies: BTreeMap<String, String>,
    /// What could not be taken over.
    pub problems: Vec<Diagnostic>,
}

/// Makes a chapter out of a notebook; `name` is for messages.
///
/// # Errors
/// If it is no notebook, or one for another language than Rust.
pub fn import(name: &str, json: &str) -> Result<Imported, Diagnostic> {
    let failed = |words: String| {
        Diagnostic::global("notebook", format!("{name}: {words}"))
            .hint("save it in Jupyter as a notebook of version 4 with a kernel for Rust")
    };
    let cannot = |error: &dyn std::fmt::Display| failed(format!("it is no notebook: {error}"));
    let parsed = nbformat::parse_notebook(json).map_err(|error| cannot(&error))?;
    let notebook = match parsed {
        Notebook::V4(notebook) => notebook,
        Notebook::V4QuirksMode(notebook) => notebook.repair(),
        Notebook::Legacy(old) => {
            nbformat::upgrade_legacy_notebook(old).map_err(|error| cannot(&error))?
        }
        Notebook::V3(old) => nbformat::upgrade_v3_notebook(old).map_err(|error| cannot(&error))?,
        _ => return Err(failed("its version is not known".to_owned())),
    };
    let kernel = notebook.metadata.kernelspec.as_ref();
    if let Some(kernel) = kernel.filter(|kernel| !kernel.name.to_lowercase().contains("rust")) {
        return Err(failed(format!("its code is for the kernel `{}`, not for Rust", kernel.name))
            .hint("chapters hold Rust"));
    }
    let mut reader = Reader {
        parts: Vec::new(),
        dependencies: BTreeMap::new(),
        problems: Vec::new(),
        is_ours: notebook.cells.iter().any(|cell| kind(cell).is_some()),
    };
    for (index, cell) in notebook.cells.iter().enumerate() {
        reader.cell(index + 1, cell);
    }
    let mut text = reader.parts.join("\n\n");
    text.push('\n');
    Ok(Imported { text, dependencies: reader.dependencies, problems: reader.problems })
}

struct Reader {
    parts: Vec<String>,
    dependencies: BTreeMap<String, String>,
    problems: Vec<Diagnostic>,
    /// Whether the notebook was a chapter before.
    is_ours: bool,
}

/// What a cell was in the chapter from which the notebook came.
fn kind(cell: &Cell) -> Option<Kind> {
    let word = cell.metadata().additional.get(MARK)?.get("kind")?.as_str()?;
    Kind::ALL.into_iter().find(|kind| kind.word() == word)
}

impl Reader {
    fn problem(&mut self, number: usize, words: &str) {
        let words = format!("cell {number}: {words}");
        let mut problem = Diagnostic::global("notebook", words)
            .hint("look at that place of the chapter, and put there what is missing");
        problem.severity = crate::diag::Severity::Warning;
        self.problems.push(problem);
    }

    fn cell(&mut self, number: usize, cell: &Cell) {
        let source = cell.source().concat();
        match cell {
            Cell::Markdown { attachments, .. } => {
                if attachments.is_some() {
                    self.problem(number, "a picture that is attached to it is left out");
                }
                if !source.trim().is_empty() {
                    let prose = source.trim_matches('\n');
                    self.parts.push(match open_fence(prose).filter(|_| !self.is_ours) {
                        Some(fence) => format!("{prose}\n{fence}"),
                        None => prose.to_owned(),
                    });
                }
            }
            Cell::Raw { .. } if number == 1 && source.starts_with("---") => {
                self.parts.push(source.trim_matches('\n').to_owned());
            }
            Cell::Raw { .. } => self.problem(number, "it is neither prose nor code and left out"),
            Cell::Code { .. } => {
                let code = self.without_commands(number, &source);
                let kind = kind(cell);
                if kind == Some(Kind::Dependencies) || code.trim().is_empty() {
                    return;
                }
                let code = match self.is_ours {
                    true => code,
                    false => with_words(&code).unwrap_or_else(|| {
                        self.problem(number, "its code cannot be read as Rust");
                        code
                    }),
                };
                let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
                let fence = "`".repeat(longest.max(2) + 1);
                let kind = kind.unwrap_or(Kind::Cell).word();
                self.parts
                    .push(format!("{fence}rust,{kind}\n{}\n{fence}", code.trim_matches('\n')));
            }
        }
    }

    /// The code without the lines that are commands to evcxr.
    fn without_commands(&mut self, number: usize, source: &str) -> String {
        let mut code = Vec::new();
        for line in source.lines() {
            let Some(command) =
                line.trim_start().strip_prefix(':').filter(|it| !it.starts_with(':'))
            else {
                code.push(line);
                continue;
            };
            match command.strip_prefix("dep ") {
                Some(dependency) => self.dependency(number, dependency.trim()),
                None => {
                    self.problem(number, &format!("`:{command}` means nothing in a chapter"));
                }
            }
        }
        code.join("\n")
    }

    fn dependency(&mut self, number: usize, line: &str) {
        let table: Result<toml::Table, _> = match line.contains('=') {
            true => line.parse(),
            false => format!("{line} = \"*\"").parse(),
        };
        match table {
            // Chapters have lab anyway.
            Ok(table) => {
                for (name, spec) in table.into_iter().filter(|(name, _)| name != "veracity-lab") {
                    let path = spec.get("path").and_then(toml::Value::as_str);
                    if path.is_some_and(|path| Path::new(path).is_relative()) {
                        let words = format!(
                            "the path of `{name}` began at the notebook and begins at report.yaml now"
                        );
                        self.problem(number, &words);
                    }
                    self.dependencies.insert(name, spec.to_string());
                }
            }
            Err(_) => self.problem(number, &format!("`:dep {line}` cannot be read")),
        }
    }
}

/// The fence that ends a code block which a notebook ends with its cell and a chapter would go on with.
fn open_fence(prose: &str) -> Option<String> {
    let whole = format!("{prose}\n\nx");
    let open = Parser::new(&whole).into_offset_iter().find_map(|(event, range)| {
        let is_fenced = matches!(event, Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))));
        (is_fenced && range.end == whole.len()).then_some(range.start)
    })?;
    let mark = whole[open..].chars().next()?;
    Some(whole[open..].chars().take_while(|&c| c == mark).collect())
}

/// Code whose trailing expression, which a notebook shows whatever it is, is text for a chapter; none if it
/// is no Rust.
fn with_words(code: &str) -> Option<String> {
    let tokens = code.parse().ok()?;
    let statements = syn::parse::Parser::parse2(syn::Block::parse_within, tokens).ok()?;
    Some(match statements.last() {
        Some(syn::Stmt::Expr(expression, None)) if has_value(expression) => {
            let at = expression.span().byte_range();
            let (before, shown, behind) = (&code[..at.start], &code[at.clone()], &code[at.end..]);
            format!("{before}lab::text(format!(\"{{:?}}\", {shown})){behind}")
        }
        _ => code.to_owned(),
    })
}

fn has_value(expression: &syn::Expr) -> bool {
    use syn::Expr;
    !matches!(
        expression,
        Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) | Expr::Assign(_) | Expr::Macro(_)
    )
}
