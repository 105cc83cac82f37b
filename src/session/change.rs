//! What kind of change an edit is.
//!
//! In: what the author wrote before and after. Out: the kinds of change, for people; what has to
//! run follows from the keys of the cells, not from this.

use std::collections::BTreeSet;
use std::fmt;

use crate::parse::Chapter;
use crate::pipeline::Written;

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Text, formulas or claims of a chapter.
    Prose,
    /// Captions, labels and other options of cells.
    Presentation,
    /// A cell's code.
    Cell,
    /// Code in a module block.
    Module,
    /// `report.yaml`, or which chapters there are.
    Settings,
    /// Works that can be cited.
    Bibliography,
    /// A template, style or picture.
    Template,
    /// A crate that cells use.
    Library,
    /// A data set.
    Data,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prose => "prose",
            Self::Presentation => "presentation",
            Self::Cell => "cell",
            Self::Module => "module",
            Self::Settings => "settings",
            Self::Bibliography => "bibliography",
            Self::Template => "template",
            Self::Library => "library",
            Self::Data => "data",
        })
    }
}

/// How what the author wrote has changed.
pub(super) fn between(old: &Written, new: &Written) -> BTreeSet<Change> {
    let mut changes = BTreeSet::new();
    let paths = |written: &Written| -> Vec<String> {
        written.chapters.iter().map(|chapter| chapter.source.path().to_owned()).collect()
    };
    if old.config != new.config || paths(old) != paths(new) {
        changes.insert(Change::Settings);
    }
    if old.manifest != new.manifest {
        changes.insert(Change::Data);
    }
    if old.bibliography != new.bibliography {
        changes.insert(Change::Bibliography);
    }
    for (old, new) in old.chapters.iter().zip(&*new.chapters) {
        if old.source != new.source {
            changes.extend(in_chapter(old, new));
        }
    }
    changes
}

fn in_chapter(old: &Chapter, new: &Chapter) -> BTreeSet<Change> {
    let mut changes = BTreeSet::new();
    let modules = |chapter: &Chapter| -> Vec<String> {
        chapter.modules.iter().map(|module| module.code.text.clone()).collect()
    };
    let cells = |chapter: &Chapter| -> Vec<String> {
        chapter.cells.iter().map(|cell| cell.code.text.clone()).collect()
    };
    let blocks = |chapter: &Chapter| -> Vec<String> {
        chapter.cells.iter().map(|cell| cell.span.text().to_owned()).collect()
    };
    if modules(old) != modules(new) {
        changes.insert(Change::Module);
    }
    if cells(old) != cells(new) {
        changes.insert(Change::Cell);
    } else if blocks(old) != blocks(new) {
        changes.insert(Change::Presentation);
    }
    if changes.is_empty() {
        changes.insert(Change::Prose);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Source;
    use crate::{config, parse};

    #[test]
    fn an_edit_is_told_by_what_it_touches() {
        let written = |text: &str| {
            let settings = Source::new("report.yaml", "title: T\nchapters: [a.md]\n");
            Written {
                config: config::report(&settings).0.expect("the settings are right"),
                chapters: [parse::chapter(Source::new("a.md", text)).0].into(),
                bibliography: None,
                manifest: Default::default(),
                diagnostics: Vec::new(),
            }
        };
        let text = "# A\n\nWords.\n\n```rust,module\npub fn f() {}\n```\n\n\
                    ```rust,cell\n//| caption: C\nf()\n```\n";
        let old = written(text);
        for (from, to, change) in [
            ("Words", "Other words", Change::Prose),
            ("f() {}", "f() { }", Change::Module),
            ("\nf()\n", "\nf();\n", Change::Cell),
            ("caption: C", "caption: D", Change::Presentation),
        ] {
            let new = written(&text.replace(from, to));
            assert_eq!(between(&old, &new), BTreeSet::from([change]), "{from}");
        }
        assert!(between(&old, &written(text)).is_empty());
    }
}
