//! What makes a result stale, what does not, and what is run because of it.

use std::collections::BTreeMap;

use veracity::cache::Store;
use veracity::claims::Reason;
use veracity::config;
use veracity::data::DataSet;
use veracity::diag::Diagnostic;
use veracity::exec::{self, CellStatus, Executed};
use veracity::kernel::scripted::ScriptedKernel;
use veracity::kernel::{Ending, Outcome};
use veracity::parse::{self, Chapter};
use veracity::plan::{self, Foundation, Plan};
use veracity::span::Source;
use veracity_protocol::DataKind;

use crate::scripted::{integer, values};

/// A report whose parts can be changed one by one.
#[derive(Clone)]
struct Sources {
    settings: String,
    chapter: String,
    other: String,
    foundation: Foundation,
}

const SETTINGS: &str = "title: Plan\nchapters: [a.md, b.md]\n";

const CHAPTER: &str = r#"---
title: A
---

Some prose, with [1](claim:one).

$$ M = D + 1 $$ {#eq-m}

$$ N = D + 2 $$ {#eq-n}

```rust,module
pub fn one() -> i32 { 1 }
```

```rust,cell
//| label: tbl-first
//| caption: The first cell.
let n = one();
lab::value("one", n);
```

```rust,cell
//| alt: A picture.
//| echo: true
//| timeout: 10
let m = f(equation!("eq-m"), n);
```

```rust,cell
//| needs: {dataset: octmnist}
lab::value("two", 2 * m);
```

```rust,cell
lab::value("three", 3);
```
"#;

const OTHER: &str = "# B\n\n```rust,cell\nlab::value(\"b\", 1);\n```\n";

fn data(digest: &str) -> DataSet {
    DataSet { folder: digest.into(), kind: DataKind::Subset, digest: digest.into() }
}

impl Sources {
    fn new() -> Self {
        let foundation = Foundation {
            digest: "lab and lock file".into(),
            toolchain: "rustc 1".into(),
            device: "cpu".into(),
            profile: "quick".into(),
            seed: 42,
            datasets: BTreeMap::from([
                ("octmnist".into(), data("d1")),
                ("esc50".into(), data("e1")),
            ]),
        };
        Self { settings: SETTINGS.into(), chapter: CHAPTER.into(), other: OTHER.into(), foundation }
    }

    fn chapters(&self) -> Vec<Chapter> {
        [("a.md", &self.chapter), ("b.md", &self.other)]
            .into_iter()
            .map(|(path, text)| parse::chapter(Source::new(path, text.as_str())).0)
            .collect()
    }

    fn plan(&self) -> Plan {
        self.planned().0
    }

    fn planned(&self) -> (Plan, Vec<Diagnostic>) {
        let (config, problems) =
            config::report(&Source::new("report.yaml", self.settings.as_str()));
        assert!(problems.is_empty(), "{problems:?}");
        plan::plan(&config.expect("the settings are right"), &self.chapters(), &self.foundation)
    }

    /// Keys of the cells of both chapters.
    fn keys(&self) -> Vec<String> {
        let plan = self.plan();
        let cells = plan.chapters.iter().flat_map(|chapter| &chapter.cells);
        cells.map(|cell| cell.key.to_string()).collect()
    }

    #[track_caller]
    fn edit(&self, from: &str, to: &str) -> Self {
        assert!(self.chapter.contains(from), "{from}");
        Self { chapter: self.chapter.replacen(from, to, 1), ..self.clone() }
    }

    fn ground(&self, change: impl FnOnce(&mut Foundation)) -> Self {
        let mut changed = self.clone();
        change(&mut changed.foundation);
        changed
    }

    fn execute(&self, kernel: &ScriptedKernel, store: &Store) -> (Executed, Vec<Diagnostic>) {
        exec::execute(&self.plan(), kernel, store, 1, &|_| ())
    }
}

/// Cells of the first chapter are 1 to 4, that of the second is 5. Each of the first three builds
/// on the one before it, the fourth on none.
fn stale(before: &Sources, after: &Sources) -> Vec<usize> {
    let (before, after) = (before.keys(), after.keys());
    assert_eq!(before.len(), 5);
    (0..5).filter(|&cell| before[cell] != after[cell]).map(|cell| cell + 1).collect()
}

#[test]
fn what_may_change_a_result_makes_it_stale() {
    let base = Sources::new();
    let all: &[usize] = &[1, 2, 3, 4, 5];
    let first: &[usize] = &[1, 2, 3];
    for (what, changed, expected) in [
        ("code of the first cell", base.edit("one();", "one() + 0;"), first),
        ("code of the second cell", base.edit("equation!", "  equation!"), &[2, 3]),
        ("code of the third cell", base.edit("2 * m", "3 * m"), &[3]),
        ("code of the last cell", base.edit("\"three\", 3", "\"three\", 4"), &[4]),
        ("a comment in a cell", base.edit("let m =", "// why\nlet m ="), &[2, 3]),
        ("a module", base.edit("i32 { 1 }", "i32 { 2 }"), &[1, 2, 3, 4]),
        ("a formula that is named", base.edit("D + 1 $$", "D + 3 $$"), &[2, 3]),
        (
            "a macro in a formula that is named",
            base.edit("M = D", "M = \\R D").edit("title: A", "macros: {\"\\\\R\": \"2\"}"),
            &[2, 3],
        ),
        (
            "a data set that is declared",
            base.ground(|on| {
                on.datasets.insert("octmnist".into(), data("d2"));
            }),
            &[3],
        ),
        (
            "that a data set is whole now",
            base.ground(|on| {
                on.datasets
                    .insert("octmnist".into(), DataSet { kind: DataKind::Real, ..data("d1") });
            }),
            &[3],
        ),
        (
            "that a data set is gone",
            base.edit("needs: {dataset: octmnist}", "data: octmnist").ground(|on| {
                on.datasets.remove("octmnist");
            }),
            &[3],
        ),
        ("a data set more", base.edit("//| alt", "//| data: esc50\n//| alt"), &[2, 3]),
        ("which data set", base.edit("dataset: octmnist", "dataset: esc50"), &[3]),
        ("that there is a data set", base.edit("//| needs: {dataset: octmnist}\n", ""), &[3]),
        ("seed", base.ground(|on| on.seed = 43), all),
        ("profile", base.ground(|on| on.profile = "full".into()), all),
        ("device", base.ground(|on| on.device = "cuda".into()), all),
        ("lab, lock file, toolchain", base.ground(|on| on.digest = "another".into()), all),
        (
            "order",
            base.edit(
                "```rust,cell\n//| label",
                "```rust,cell\nlet x = 0;\n```\n\n```rust,cell\n//| label",
            )
            .edit(
                "```rust,cell\n//| needs: {dataset: octmnist}\nlab::value(\"two\", 2 * m);\n```\n",
                "",
            ),
            first,
        ),
    ] {
        assert_eq!(stale(&base, &changed), expected, "{what}");
    }
}

#[test]
fn what_cannot_change_a_result_leaves_it_alone() {
    let base = Sources::new();
    let with_settings = |settings: &str| Sources { settings: settings.into(), ..base.clone() };
    let with_other = |other: &str| Sources { other: other.into(), ..base.clone() };
    for (what, changed, expected) in [
        ("prose", base.edit("Some prose", "Other prose"), &[][..]),
        ("the text of a claim", base.edit("[1](claim:one)", "[2](claim:one)"), &[]),
        ("prose that names a formula", base.edit("Some prose", "`equation!(\"eq-n\")`"), &[]),
        ("a comment in the prose", base.edit("Some prose", "<!-- a note --> Some prose"), &[]),
        ("a caption", base.edit("The first cell.", "Another caption."), &[]),
        ("words behind code", base.edit("let n = one();", "let n = one(); // why"), &[]),
        ("words in a module", base.edit("i32 { 1 }", "i32 { 1 } // why"), &[]),
        ("no caption", base.edit("//| caption: The first cell.\n", ""), &[]),
        ("a label", base.edit("label: tbl-first", "label: tbl-other"), &[]),
        ("alt text", base.edit("A picture.", "Another picture."), &[]),
        ("echo", base.edit("echo: true", "echo: false"), &[]),
        ("a time limit", base.edit("timeout: 10", "timeout: 20"), &[]),
        ("that it measures", base.edit("//| alt", "//| measured: true\n//| alt"), &[]),
        ("a formula that is not named", base.edit("D + 2 $$", "D + 4 $$"), &[]),
        (
            "the place of a formula",
            base.edit("$$ M = D + 1 $$ {#eq-m}\n\n", "").edit(
                "pub fn one() -> i32 { 1 }\n```\n",
                "pub fn one() -> i32 { 1 }\n```\n\n$$ M = D + 1 $$ {#eq-m}\n",
            ),
            &[],
        ),
        ("the place of a cell", base.edit("Some prose", "More\n\nprose"), &[]),
        ("the title of the chapter", base.edit("title: A", "title: Z"), &[]),
        (
            "that it can do without its data set",
            base.edit("needs: {dataset: octmnist}", "data: octmnist"),
            &[],
        ),
        (
            "the place of a data set",
            base.ground(|on| {
                let data = DataSet { folder: "elsewhere".into(), ..data("d1") };
                on.datasets.insert("octmnist".into(), data);
            }),
            &[],
        ),
        (
            "a data set that is not declared",
            base.ground(|on| {
                on.datasets.insert("esc50".into(), data("e2"));
            }),
            &[],
        ),
        ("the title of the report", with_settings("title: Other\nchapters: [a.md, b.md]\n"), &[]),
        (
            "time limits of the report",
            with_settings(
                "title: Plan\ntimeout: 7\necho: show\nchapters: [a.md, b.md]\n"
                    .replace("echo: show\n", "")
                    .as_str(),
            ),
            &[],
        ),
        ("authors", with_settings("title: Plan\nauthors: [Me]\nchapters: [a.md, b.md]\n"), &[]),
        ("another chapter", with_other("# B\n\n```rust,cell\nlab::value(\"b\", 2);\n```\n"), &[5]),
        ("line ends", Sources { chapter: base.chapter.replace('\n', "\r\n"), ..base.clone() }, &[]),
    ] {
        assert_eq!(stale(&base, &changed), expected, "{what}");
    }
}

#[test]
fn only_what_is_stale_is_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::new(folder.path());
    let base = Sources::new();
    let ran = |sources: &Sources| {
        let done = |name: &'static str, value| {
            Outcome::silent(Ending::Done(values([(name, integer(value))])))
        };
        let kernel = ScriptedKernel::default()
            .with("a/tbl-first", done("one", 1))
            .with("a/cell-3", done("two", 2))
            .with("a/cell-4", done("three", 3));
        let (executed, diagnostics) = sources.execute(&kernel, &store);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert!(executed.chapters[0].cells.iter().all(exec::CellResult::is_done));
        assert_eq!(executed.chapters[0].cells[0].record.output, values([("one", integer(1))]));
        kernel.ran()
    };
    let none: [&str; 0] = [];
    let all = ["a/tbl-first", "a/cell-2", "a/cell-3", "a/cell-4", "b/cell-1"];
    assert_eq!(ran(&base), all);
    assert_eq!(ran(&base), none, "nothing changed");
    assert_eq!(ran(&base.edit("Some prose", "Other prose")), none, "prose");
    let edited = base.edit("2 * m", "2 * m + 0");
    assert_eq!(ran(&edited), ["a/tbl-first", "a/cell-2", "a/cell-3"], "with what it builds on");
    assert_eq!(ran(&base.edit("\"three\", 3", "\"three\", 3 + 0")), ["a/cell-4"], "alone");
    assert_eq!(ran(&edited), none);
    assert_eq!(ran(&base), none, "what was stored before is there still");
    assert_eq!(ran(&base.edit("D + 1 $$", "D + 3 $$")).len(), 3, "a formula that is named");
}

#[test]
fn a_failure_is_never_stored() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::new(folder.path());
    let base = Sources::new();
    let fails = Outcome::silent(Ending::Failed(Box::new(Diagnostic::global("panic", "no"))));
    let kernel = ScriptedKernel::default().with("a/cell-2", fails);
    for _ in 0..2 {
        let (executed, diagnostics) = base.execute(&kernel, &store);
        let cells = &executed.chapters[0].cells;
        assert!(cells[0].is_done());
        assert!(matches!(cells[1].status, CellStatus::Failed(_)));
        assert!(matches!(cells[2].status, CellStatus::NotRun(Reason::Blocked, _)));
        assert_eq!(diagnostics.len(), 1);
    }
    let again = ["a/tbl-first", "a/cell-2"];
    let ran = again.iter().chain(&["a/cell-4", "b/cell-1"]).chain(&again);
    assert_eq!(kernel.ran(), ran.copied().collect::<Vec<_>>(), "what builds on it never runs");
    let works = ScriptedKernel::default();
    let (executed, diagnostics) = base.execute(&works, &store);
    assert!(diagnostics.is_empty());
    assert!(executed.chapters[0].cells.iter().all(exec::CellResult::is_done));
}

#[test]
fn a_chapter_that_was_not_asked_for_is_replayed_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::new(folder.path());
    let mut plan = Sources::new().plan();
    plan.keep_only(1);
    let kernel = ScriptedKernel::default();
    let (executed, _) = exec::execute(&plan, &kernel, &store, 2, &|_| ());
    assert_eq!(kernel.ran(), ["b/cell-1"]);
    let not_run =
        |cell: &exec::CellResult| matches!(cell.status, CellStatus::NotRun(Reason::NotRun, _));
    assert!(executed.chapters[0].cells.iter().all(not_run));
}

#[test]
fn what_builds_on_a_measurement_is_run_with_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::new(folder.path());
    let measured = Sources::new().edit("//| alt", "//| measured: true\n//| alt");
    let ran = |sources: &Sources| {
        let kernel = ScriptedKernel::default();
        sources.execute(&kernel, &store);
        kernel.ran()
    };
    assert_eq!(ran(&measured).len(), 5);
    // A fifth cell that asks for the measured one alone makes the third, which quotes it, run too.
    let last = "lab::value(\"three\", 3);";
    let with_another = measured.edit(last, "let m = &m; m");
    assert_eq!(ran(&with_another), ["a/tbl-first", "a/cell-2", "a/cell-3", "a/cell-4"]);
}

#[test]
fn a_type_that_follows_from_a_later_cell_is_known() {
    // A kernel to which a cell is wrong unless the cell behind it runs too.
    struct Inferring(std::sync::Mutex<Vec<Vec<usize>>>);
    impl veracity::kernel::Kernel for Inferring {
        fn run(
            &self,
            _: &plan::ChapterPlan,
            cells: &[usize],
            _: &(dyn Fn(veracity::kernel::Event) + Sync),
        ) -> Vec<Outcome> {
            self.0.lock().expect("one thread").push(cells.to_vec());
            let fails = cells.contains(&0) && !cells.contains(&1);
            let done = || Outcome::silent(Ending::Done(Default::default()));
            let wrong = Diagnostic::global("compile-error", "type annotations needed");
            let mut outcomes = vec![Outcome::silent(Ending::NotReached); cells.len()];
            match fails {
                true => outcomes[0] = Outcome::silent(Ending::Failed(Box::new(wrong))),
                false => outcomes.fill_with(done),
            }
            outcomes
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::new(folder.path());
    let sources = |last: &str| Sources {
        other: "# B\n".into(),
        chapter: format!(
            "# A\n\n```rust,cell\nfn f() {{}} let mut v = Vec::new();\n```\n\n\
             ```rust,cell\nv.push(1);\n```\n\n```rust,cell\n{last}\n```\n"
        ),
        ..Sources::new()
    };
    let kernel = Inferring(Default::default());
    for last in ["f(); 1", "f(); 2"] {
        let plan = sources(last).plan();
        let (executed, problems) = exec::execute(&plan, &kernel, &store, 1, &|_| ());
        assert!(problems.is_empty(), "{problems:?}");
        assert!(executed.chapters[0].cells.iter().all(exec::CellResult::is_done));
    }
    let first: Vec<Vec<usize>> = kernel
        .0
        .into_inner()
        .expect("one thread")
        .into_iter()
        .filter(|it| it.contains(&0))
        .collect();
    assert_eq!(first, [vec![0, 1, 2], vec![0, 2], vec![0, 1, 2]]);
}

#[test]
fn a_formula_is_known_however_it_is_named() {
    for spelling in ["equation!(/* T */ \"eq-m\")", "equation !(r\"eq-m\")", "eq!(\"eq-m\")"] {
        let base = Sources::new().edit("equation!(\"eq-m\")", spelling);
        assert_eq!(stale(&base, &base.edit("D + 1 $$", "D + 3 $$")), [2, 3], "{spelling}");
    }
}

#[test]
fn a_formula_that_says_less_than_its_sides_do_is_told() {
    let told = |latex: &str| {
        let chapter = format!(
            "# A\n\n$$ {latex} $$ {{#eq-n}}\n\n```rust,cell\nequation!(\"eq-n\").sides()\n```\n"
        );
        let (_, found) = Sources { chapter, ..Sources::new() }.planned();
        found.iter().any(|it| it.code == "weak-relation")
    };
    assert!(told("\\sum_{k=1}^{n} k \\ge \\frac{n(n+1)}{2}"));
    assert!(!told("\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}") && !told("n^2 \\ge n"));
}
