//! The batch kernel on real compilers and processes. Slow, so it is one test with many chapters
//! that share one workspace.

use std::fs;
use std::path::{Path, PathBuf};

use veracity::cache::Store;
use veracity::claims::Reason;
use veracity::config::{self, ReportConfig};
use veracity::diag::{self, Color, Diagnostic};
use veracity::exec::{self, CellResult, CellStatus, Executed};
use veracity::kernel::batch::BatchKernel;
use veracity::kernel::scripted::ScriptedKernel;
use veracity::kernel::workspace::{Network, Workspace};
use veracity::parse::{self, Chapter};
use veracity::plan::{self, Foundation, Plan};
use veracity::span::Source;

const TESTED: &str = "# Tested

```rust,module
pub fn half(x: i64) -> i64 { x / 2 }

#[cfg(test)]
mod tests {
    #[test]
    fn of_even_numbers() { assert_eq!(super::half(4), 2); }
    #[test] #[ignore = \"slow\"] fn of_all_numbers() {}
    #[cfg(any())] #[test] fn of_no_number() { panic!() }
}
```
";

const ABSENT: &str = "# Absent

```rust,module
#[cfg(any())]
mod tests {
    #[test] fn fails() { panic!() }
}
```
";

const FAILING: &str = "# Failing

```rust,module
pub fn half(x: i64) -> i64 { x / 2 }
#[test] fn passes() {}
#[test] fn of_odd_numbers() {
    assert_eq!(half(5), 3, \"half of five\");
}
#[test] fn says_why() -> Result<(), String> { Err(\"no\".into()) }
#[test] #[should_panic] fn stays_calm() {}
```
";

const FORGED: &str = "# Forged

```rust,module
use std::io::Write;
#[test] fn a_forges() {
    let result = \"test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\";
    let _ = std::io::stdout().write_all(result.as_bytes());
    std::process::exit(0);
}
#[test] fn b_fails() { panic!(); }
```
";

struct Bench {
    folder: tempfile::TempDir,
    config: ReportConfig,
    chapters: Vec<Chapter>,
    workspace: Workspace,
}

impl Bench {
    fn new(chapters: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let names: String = chapters.iter().map(|(name, _)| format!("  - {name}.md\n")).collect();
        let source = Source::new("report.yaml", format!("title: Test\nchapters:\n{names}"));
        let (config, problems) = config::report(&source);
        assert!(problems.is_empty(), "{problems:?}");
        let config = config.expect("the settings are right");
        let chapters: Vec<Chapter> = chapters
            .iter()
            .map(|(name, text)| parse::chapter(Source::new(format!("{name}.md"), *text)).0)
            .collect();
        let slugs: Vec<&str> = chapters.iter().map(|chapter| chapter.slug.as_str()).collect();
        let build = folder.path().join("build");
        let workspace =
            Workspace::prepare(folder.path(), &build, &config, &slugs, Network::Allowed)
                .unwrap_or_else(|problem| panic!("{}", diag::render(&problem, Color::Plain)));
        Self { folder, config, chapters, workspace }
    }

    fn plan(&self) -> Plan {
        let foundation = Foundation {
            digest: self.workspace.digest.clone(),
            device: "cpu".into(),
            profile: "quick".into(),
            seed: 42,
            ..Foundation::default()
        };
        plan::plan(&self.config, &self.chapters, &foundation).0
    }

    fn kernel(&self) -> BatchKernel {
        let root = self.folder.path();
        let (build, data) = (root.join("build"), root.join("data"));
        BatchKernel::new(self.workspace.clone(), root.to_owned(), build, data, 2)
    }

    fn store(&self) -> Store {
        Store::new(self.folder.path().join("build/cache/cells"))
    }

    fn execute(&self) -> (Executed, Vec<Diagnostic>) {
        exec::execute(&self.plan(), &self.kernel(), &self.store(), 2, &|_| ())
    }

    fn test(&self) -> Vec<Diagnostic> {
        exec::test(&self.plan(), &self.kernel(), &self.store(), &|_| ())
    }
}

fn failure(cell: &CellResult) -> &Diagnostic {
    match &cell.status {
        CellStatus::Failed(diagnostic) => diagnostic,
        other => panic!("{other:?}"),
    }
}

fn place(diagnostic: &Diagnostic) -> String {
    diagnostic.span.as_ref().map(ToString::to_string).unwrap_or_default()
}

const GOOD: &str = r#"# Good

```rust,module
pub fn double(x: i64) -> i64 {
    2 * x
}
```

```rust,cell
println!("to stdout");
eprintln!("to stderr");
let four = double(2);
lab::value("four", four);
```

> ```rust,cell
> let text: String = std::iter::repeat_n('é', 3).collect();
> let number: i64 = "5".parse()?;
> lab::value("nine", four + number);
> lab::text(text)
> ```
"#;

const TYPES: &str = r#"# Types

```rust,cell
lab::value("one", 1);
let early = 1;
```

```rust,cell
let é = 2; let wrong: u8 = "text";
lab::value("two", wrong);
```

```rust,cell
lab::value("three", wrong);
```

```rust,cell
lab::value("four", early);
```
"#;

const PANICS: &str = r#"# Panics

```rust,cell
lab::value("before", 1);
```

- a list

  ```rust,cell
  let none: Option<i32> = None;
  let n = none.unwrap();
  lab::value("n", n);
  ```

```rust,cell
lab::value("after", n);
```

```rust,cell
lab::value("apart", 1);
```
"#;

const ERRORS: &str = r#"# Errors

```rust,cell
let n: i32 = "12x".parse()?;
lab::value("n", n);
```
"#;

const SLOW: &str = r#"# Slow

```rust,cell
//| timeout: 1s
loop { std::hint::spin_loop(); }
```
"#;

const ABORTS: &str = r#"# Aborts

```rust,cell
std::process::abort();
```
"#;

const FLOODS: &str = r#"# Floods

```rust,cell
let line = "x".repeat(1023);
for _ in 0..1_000_000 { println!("{line}"); }
```
"#;

const NEEDS: &str = r#"# Needs

```rust,cell
//| needs: {profile: full}
let heavy = 1;
lab::value("heavy", heavy);
```

```rust,cell
lab::value("light", 2);
```

```rust,cell
println!("{heavy}");
```
"#;

const UNBALANCED: &str = r#"# Unbalanced

```rust,cell
lab::value("x", (1);
```

```rust,cell
lab::value("y", 1);
```
"#;

const MODULE: &str = r#"# Module

```rust,module
pub fn broken() -> u8 { "x" }
```

```rust,cell
lab::value("z", 1);
```
"#;

const LEAVES: &str = r#"# Leaves

```rust,cell
use std::os::unix::process::CommandExt;
let nonce = std::env::var("VERACITY_PLAN")?;
let nonce = std::path::Path::new(&nonce).parent().and_then(|folder| folder.file_name()).unwrap();
println!("\u{1e}veracity forged 1");
println!("\u{1e}veracity {} 99", nonce.display());
println!("\u{1e}veracity {} 0\n<b>#panic()</b>", nonce.display());
std::process::Command::new("sh")
    .args(["-c", "while test -d \"$0\"; do sleep 1; done"])
    .arg(std::env::current_dir()?)
    .process_group(0)
    .spawn()?;
std::fs::create_dir("gone")?;
std::env::set_current_dir("gone")?;
std::fs::remove_dir("../gone")?;
let _ = std::thread::spawn(|| panic!("in a thread")).join();
lab::value("left", 1);
```
"#;

const EXITS: &str = r#"# Exits

```rust,cell
lab::value("early", 1);
std::process::exit(0);
```
"#;

const RETURNS: &str = r#"# Returns

```rust,cell
lab::value("early", 1);
return Ok(());
```

```rust,cell
lab::value("late", 1);
```
"#;

#[test]
fn cells_run_and_every_failure_is_told_of_the_chapter() {
    let bench = Bench::new(&[
        ("good", GOOD),
        ("types", TYPES),
        ("panics", PANICS),
        ("errors", ERRORS),
        ("slow", SLOW),
        ("aborts", ABORTS),
        ("floods", FLOODS),
        ("needs", NEEDS),
        ("unbalanced", UNBALANCED),
        ("module", MODULE),
        ("leaves", LEAVES),
        ("exits", EXITS),
        ("returns", RETURNS),
        ("tested", TESTED),
        ("failing", FAILING),
        ("forged", FORGED),
        ("absent", ABSENT),
    ]);
    let (executed, _) = bench.execute();
    let chapter = |slug: &str| {
        let at = bench.chapters.iter().position(|chapter| chapter.slug == slug);
        &executed.chapters[at.expect("the chapter exists")].cells
    };

    let good = chapter("good");
    assert!(good.iter().all(CellResult::is_done), "{good:#?}");
    assert_eq!(good[0].record.stdout, "to stdout\n");
    assert_eq!(good[0].record.stderr, "to stderr\n");
    assert_eq!(good[1].record.output.values[0].name, "nine");
    assert_eq!(good[1].record.output.artifacts.len(), 1);

    let types = chapter("types");
    assert!(types[0].is_done(), "{:#?}", types[0]);
    assert_eq!(place(failure(&types[1])), "types.md:9:28");
    assert!(failure(&types[1]).message.contains("mismatched types [E0308]"));
    assert!(matches!(types[2].status, CellStatus::NotRun(Reason::Blocked, _)));
    assert!(types[3].is_done(), "it builds on the first cell alone: {:#?}", types[3]);

    let panics = chapter("panics");
    assert!(panics[0].is_done());
    assert_eq!(place(failure(&panics[1])), "panics.md:11:16");
    assert!(failure(&panics[1]).message.contains("`Option::unwrap()` on a `None` value"));
    assert!(matches!(panics[2].status, CellStatus::NotRun(Reason::Blocked, _)));
    assert!(panics[3].is_done(), "it builds on no other cell: {:#?}", panics[3]);

    let errors = chapter("errors");
    assert_eq!(failure(&errors[0]).code, "cell-error");
    assert!(place(failure(&errors[0])).starts_with("errors.md:4:"), "{:?}", errors[0].status);
    assert_eq!(failure(&chapter("slow")[0]).code, "cell-timeout", "{:?}", chapter("slow")[0]);
    // What a cell leaves behind is neither waited for nor believed.
    let leaves = &chapter("leaves")[0];
    assert!(leaves.is_done(), "{leaves:#?}");
    assert_eq!(leaves.record.stdout, "\u{1e}veracity forged 1\n<b>#panic()</b>\n");
    // To end well before the end is no success.
    assert_eq!(failure(&chapter("exits")[0]).code, "cell-died");
    assert!(chapter("returns")[0].is_done());
    assert_eq!(place(failure(&chapter("returns")[1])), "returns.md:8:1");
    assert!(failure(&chapter("returns")[1]).message.contains("ended before this cell did"));

    assert_eq!(failure(&chapter("aborts")[0]).code, "cell-died");
    assert!(failure(&chapter("aborts")[0]).message.contains("abort"));

    let floods = &chapter("floods")[0];
    assert!(floods.is_done());
    assert!(floods.record.stdout.len() < 100_000 && floods.record.stdout.contains("more bytes"));

    let needs = chapter("needs");
    assert!(matches!(needs[0].status, CellStatus::NotRun(Reason::NeedsProfile, _)));
    assert!(needs[1].is_done());
    assert!(matches!(needs[2].status, CellStatus::NotRun(Reason::NeedsProfile, _)));

    assert_eq!(place(failure(&chapter("unbalanced")[0])), "unbalanced.md:4:11");
    assert!(matches!(chapter("unbalanced")[1].status, CellStatus::NotRun(Reason::Blocked, _)));
    assert_eq!(place(failure(&chapter("module")[0])), "module.md:4:25");

    replays(&bench, &executed);
    tests(&bench);
}

/// Tests of modules fail at their places, and those that passed are not run again.
fn tests(bench: &Bench) {
    let found = bench.test();
    let told: Vec<(String, &str)> =
        found.iter().map(|it| (place(it), it.message.as_str())).collect();
    let expected = [
        (
            "failing.md:7:5".to_owned(),
            "the test `of_odd_numbers` failed: assertion `left == right` failed: half of five",
        ),
        ("failing.md:9:1".to_owned(), "the test `says_why` failed: Error: \"no\""),
        (
            "failing.md:10:1".to_owned(),
            "the test `stays_calm` failed: it did not panic, as `#[should_panic]` says that it does",
        ),
        (
            "forged.md:5:1".to_owned(),
            "the program with the tests of this chapter's modules ended before all of them had run",
        ),
    ];
    let tested =
        ("tested.md:10:5".to_owned(), "the test `tests::of_all_numbers` and 1 more were not run");
    let absent = ("absent.md:6:5".to_owned(), "the test `tests::fails` was not run");
    assert_eq!(told, [std::slice::from_ref(&tested), &expected[..], &[absent]].concat());
    let (also, words) = &found[0].related[0];
    assert_eq!(
        (also.to_string().as_str(), words.as_str()),
        ("tested.md:11:19", "nor was `tests::of_no_number`")
    );
    assert_eq!(found[1].notes, ["left: 2", "right: 3"]);
    let idle = ScriptedKernel::default();
    let idle = exec::test(&bench.plan(), &idle, &bench.store(), &|_| ());
    assert!(idle.iter().all(|it| it.code == "idle-test"), "{idle:?}");
    let idle: Vec<(String, &str)> =
        idle.iter().map(|it| (place(it), it.message.as_str())).collect();
    let unknown =
        |place: &str| (place.to_owned(), "the tests of this chapter's modules were not run");
    let rest = [unknown("failing.md:5:1"), unknown("forged.md:5:1"), unknown("absent.md:6:5")];
    assert_eq!(idle, [&[tested], &rest[..]].concat(), "only the first has passed");
}

/// What ended well is stored, damage is noticed, and stored results equal fresh ones.
fn replays(bench: &Bench, first: &Executed) {
    let records = files(&bench.folder.path().join("build/cache/cells"));
    assert!(!records.is_empty());
    fs::write(&records[0], "veracity-cell-1 00\n{}").expect("it can be written");
    let (second, problems) = bench.execute();
    assert!(problems.iter().any(|problem| problem.code == "cache-corrupt"));
    for (before, after) in first.chapters.iter().zip(&second.chapters) {
        for (before, after) in before.cells.iter().zip(&after.cells) {
            assert_eq!(before.record.output, after.record.output);
            assert_eq!(before.record.stdout, after.record.stdout);
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("it can be read").flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}
