//! Chapters as notebooks of the Rust kernel for Jupyter, and the way back.
//!
//! In: a chapter with the results of its cells, or a notebook. Out: a notebook with outputs, or a
//! chapter. A chapter that went there and back has the same cells, modules and prose, so that its
//! results are those that are stored. Left out: reading and writing files.

mod export;
mod import;

pub use export::{Place, export};
pub use import::{Imported, import};

/// Name of what Veracity keeps in the metadata of a notebook's cells.
const MARK: &str = "veracity";

/// What a code cell of a notebook is in a chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The lines with what the code depends on.
    Dependencies,
    Cell,
    Module,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Dependencies, Self::Cell, Self::Module];

    fn word(self) -> &'static str {
        match self {
            Self::Dependencies => "dependencies",
            Self::Cell => "cell",
            Self::Module => "module",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::exec::ExecutedChapter;
    use crate::parse;
    use crate::span::Source;

    #[test]
    fn a_chapter_comes_back_as_it_was() {
        let text = "---\ntitle: A\n---\n\nOne [5](claim:x).\n\n```rust,module\n//| echo: false\n\
                    pub fn f() -> u32 { 5 }\n```\n\n- item\n\n````rust,cell\n//| label: tbl-x\n\
                    // ```\nlab::value(\"x\", f());\n````\n\n## Two\n\n```rust\nshown()\n```\n";
        let settings = "title: T\nchapters: [a.md]\ndependencies:\n  serde: \"1\"\n  \
                        near: { path: near, cuda-features: [cuda], self-test: \"t::main\" }\n";
        let config = config::report(&Source::new("report.yaml", settings)).0.expect("it is right");
        let chapter = parse::chapter(Source::new("a.md", text)).0;
        let place = Place { root: "../..".into(), lab: "../work/lab".into() };
        let notebook =
            export(&config, &chapter, &ExecutedChapter::default(), &place).expect("it is one");
        for line in [
            r#":dep serde = \"1\""#,
            r#":dep near = { path = \"../../near\" }"#,
            r#":dep veracity-lab = { path = \"../work/lab\" }"#,
        ] {
            assert!(notebook.contains(line), "{notebook}");
        }
        let imported = import("a.ipynb", &notebook).expect("it is a notebook");
        assert_eq!(imported.text, text);
        let problems: Vec<&str> =
            imported.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            problems,
            ["cell 2: the path of `near` began at the notebook and begins at report.yaml now"]
        );
        assert_eq!(imported.dependencies.keys().collect::<Vec<_>>(), ["near", "serde"]);
    }

    #[test]
    fn what_only_a_notebook_knows_is_told_with_its_cell() {
        let code = |source: &str| {
            serde_json::json!({ "cell_type": "code", "id": format!("c{}", source.len()),
                "metadata": {}, "execution_count": null, "outputs": [], "source": source })
        };
        let notebook = serde_json::json!({
            "nbformat": 4, "nbformat_minor": 5,
            "metadata": { "kernelspec": { "name": "rust", "display_name": "Rust" } },
            "cells": [
                { "cell_type": "markdown", "id": "m", "metadata": {}, "source": ["# T\n", "Words."] },
                code(":dep rand = \"0.8\"\n:dep nalgebra\n:opt 2\nlet v = vec![1, 2];"),
                code("v.len() // two"),
            ],
        });
        let imported = import("a.ipynb", &notebook.to_string()).expect("it is a notebook");
        assert_eq!(
            imported.text,
            "# T\nWords.\n\n```rust,cell\nlet v = vec![1, 2];\n```\n\n\
             ```rust,cell\nlab::text(format!(\"{:?}\", v.len())) // two\n```\n"
        );
        assert_eq!(imported.dependencies["rand"], "\"0.8\"");
        assert_eq!(imported.dependencies["nalgebra"], "\"*\"");
        let problems: Vec<&str> =
            imported.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(problems, ["cell 2: `:opt 2` means nothing in a chapter"]);
        assert!(import("a.ipynb", "{}").is_err());
    }

    #[test]
    fn a_cell_of_a_notebook_ends_where_it_ends_there() {
        let cell = |kind: &str, source: &str| {
            let mut cell =
                serde_json::json!({ "cell_type": kind, "metadata": {}, "source": source });
            if kind == "code" {
                cell["outputs"] = serde_json::json!([]);
                cell["execution_count"] = serde_json::Value::Null;
            }
            cell
        };
        let notebook = serde_json::json!({
            "nbformat": 4, "nbformat_minor": 4,
            "metadata": { "kernelspec": { "name": "rust", "display_name": "Rust" } },
            "cells": [
                cell("markdown", "Never closed:\n\n~~~~\nls"),
                cell("code", "let one = 1;"),
                cell("markdown", "- closed by the list:\n  ```\n  ls"),
                cell("code", "!ls\nlet two = 2;"),
                cell("code", ":dep near = { path = \"../near\" }"),
            ],
        });
        let imported = import("a.ipynb", &notebook.to_string()).expect("it is a notebook");
        let chapter = parse::chapter(Source::new("a.md", imported.text.as_str())).0;
        assert_eq!(chapter.cells.len(), 2, "{}", imported.text);
        let problems: Vec<&str> =
            imported.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            problems,
            [
                "cell 4: its code cannot be read as Rust",
                "cell 5: the path of `near` began at the notebook and begins at report.yaml now"
            ]
        );
    }
}
