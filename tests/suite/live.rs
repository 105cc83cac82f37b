//! The live kernel beside the batch kernel: whatever one finds, the other finds.
//!
//! Needs `veracity-live`, which is built in `crates/live` or named by `VERACITY_LIVE`. Without it
//! these tests say that they were skipped.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use veracity::cache::Store;
use veracity::claims::Reason;
use veracity::config::{self, ReportConfig};
use veracity::diag::{self, Color, Diagnostic, Severity};
use veracity::exec::{self, CellStatus, ExecEvent, Executed};
use veracity::kernel::batch::BatchKernel;
use veracity::kernel::live::{LiveKernel, Pool, Purpose};
use veracity::kernel::workspace::{Network, Workspace};
use veracity::kernel::{Event, Kernel};
use veracity::parse::{self, Chapter};
use veracity::pipeline::{self, BuildRequest, Formats, KernelChoice};
use veracity::plan::{self, Foundation, Plan};
use veracity::publish::Output;
use veracity::span::Source;
use veracity::world::DiskWorld;
use veracity_protocol::Value;

/// The executable; without it a word that no test runner holds back.
pub fn companion(test: &str) -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/live/target");
    let found = std::env::var_os("VERACITY_LIVE").map(PathBuf::from).into_iter();
    let found = found
        .chain(["release", "debug"].map(|profile| built.join(profile).join("veracity-live")))
        .find(|path| path.is_file());
    if found.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "\n*** SKIPPED: {test} needs veracity-live.\n\
             *** Build it: cargo build --manifest-path crates/live/Cargo.toml\n"
        );
    }
    found
}

/// A small report and a pool that stays between its builds.
struct Bench {
    root: PathBuf,
    pool: Arc<Pool>,
}

impl Bench {
    fn new(executable: PathBuf) -> Self {
        // What is compiled here stays, so that the next run of the test need not wait for it.
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live");
        std::fs::create_dir_all(&root).expect("the target folder can be written");
        Self { root, pool: Arc::new(Pool::of(executable)) }
    }

    fn prepare(&self, chapters: &[(&str, &str)]) -> (ReportConfig, Vec<Chapter>, Workspace) {
        let names: String = chapters.iter().map(|(name, _)| format!("  - {name}.md\n")).collect();
        let source = Source::new("report.yaml", format!("title: Test\nchapters:\n{names}"));
        let config = config::report(&source).0.expect("the settings are right");
        let chapters: Vec<Chapter> = chapters
            .iter()
            .map(|(name, text)| parse::chapter(Source::new(format!("{name}.md"), *text)).0)
            .collect();
        let slugs: Vec<&str> = chapters.iter().map(|chapter| chapter.slug.as_str()).collect();
        let workspace = Workspace::prepare(
            &self.root,
            &self.root.join("build"),
            &config,
            &slugs,
            Network::Allowed,
        )
        .unwrap_or_else(|problem| panic!("{}", diag::render(&problem, Color::Plain)));
        (config, chapters, workspace)
    }

    fn plan(&self, chapters: &[(&str, &str)]) -> (Plan, Workspace) {
        let (config, chapters, workspace) = self.prepare(chapters);
        let foundation = Foundation {
            digest: workspace.digest.clone(),
            device: "cpu".into(),
            profile: "quick".into(),
            seed: 42,
            ..Foundation::default()
        };
        (plan::plan(&config, &chapters, &foundation).0, workspace)
    }

    /// Executes through the batch kernel, with nothing stored.
    fn batch(&self, chapters: &[(&str, &str)]) -> Found {
        let (plan, workspace) = self.plan(chapters);
        let (root, build, data) = self.folders();
        self.forget();
        self.execute(&plan, &BatchKernel::new(workspace, root, build, data, 2)).0
    }

    /// Executes through the live kernel, with nothing stored but what its contexts hold; says
    /// which cells ran as well.
    fn live(&self, chapters: &[(&str, &str)]) -> (Found, Vec<String>) {
        let (plan, workspace) = self.plan(chapters);
        let (root, build, data) = self.folders();
        let pool = Arc::clone(&self.pool);
        let kernel = LiveKernel::new(Purpose::Report, pool, workspace, root, build, data, 2);
        self.forget();
        self.execute(&plan, &kernel)
    }

    /// Forgets the results of sweeps, so that their jobs run.
    fn forget(&self) {
        // There may be none yet.
        let _ = std::fs::remove_dir_all(self.root.join("build/cache/memo"));
    }

    /// The same, interrupted as soon as a cell of this name runs.
    fn interrupted(&self, chapters: &[(&str, &str)], id: &str) -> Found {
        let (plan, workspace) = self.plan(chapters);
        let (root, build, data) = self.folders();
        let pool = Arc::clone(&self.pool);
        let kernel = LiveKernel::new(Purpose::Report, pool, workspace, root, build, data, 1);
        let cells = tempfile::tempdir().expect("a temporary folder");
        let store = Store::new(cells.path().to_owned());
        let (executed, problems) = exec::execute(&plan, &kernel, &store, 1, &|event| {
            if let ExecEvent::Kernel { chapter, event: Event::Started { cell } } = event
                && chapter.cells[cell].id == id
            {
                kernel.interrupt();
            }
        });
        Found { executed, problems }
    }

    fn folders(&self) -> (PathBuf, PathBuf, PathBuf) {
        let root = &self.root;
        (root.clone(), root.join("build"), root.join("data"))
    }

    fn execute(&self, plan: &Plan, kernel: &dyn Kernel) -> (Found, Vec<String>) {
        let cells = tempfile::tempdir().expect("a temporary folder");
        let ran = Mutex::new(Vec::new());
        let (executed, problems) =
            exec::execute(plan, kernel, &Store::new(cells.path().to_owned()), 1, &|event| {
                if let ExecEvent::Kernel { chapter, event: Event::Started { cell } } = event {
                    let id = chapter.cells[cell].id.clone();
                    ran.lock().expect("nobody panics here").push(id);
                }
            });
        (Found { executed, problems }, ran.into_inner().expect("nobody panics here"))
    }
}

/// What came of a report's code.
struct Found {
    executed: Executed,
    problems: Vec<Diagnostic>,
}

impl Found {
    /// What the compiler warns of, in order of its words.
    fn warnings(&self) -> Vec<String> {
        let warnings = self.problems.iter().filter(|found| found.severity == Severity::Warning);
        let mut warnings: Vec<String> =
            warnings.map(|found| diag::render(found, Color::Plain)).collect();
        warnings.sort();
        warnings
    }

    /// Everything that both kernels must find, one line a cell.
    fn words(&self) -> Vec<String> {
        self.executed.chapters.iter().flat_map(|chapter| &chapter.cells).map(words).collect()
    }
}

fn words(cell: &exec::CellResult) -> String {
    let status = match &cell.status {
        CellStatus::Done => "done".to_owned(),
        CellStatus::NotRun(reason, words) => format!("not run: {reason:?}, {words}"),
        CellStatus::Failed(problem) => {
            let place = problem.span.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} at {place}: {}", problem.code, problem.message)
        }
    };
    format!("{status} | {:?} | {:?}", cell.record.output, cell.record.stdout)
}

const VALUES: &str = r#"# Values

```rust,module
pub fn double(x: u64) -> u64 { 2 * x }
pub struct Counter(pub std::cell::Cell<u32>);
```

```rust,cell
let n = 21;
let names = vec!["a".to_owned(), "b".to_owned()];
let first = &names[0];
let square = |x: f64| x * x;
let counter = Counter(std::cell::Cell::new(0));
let mut all = Vec::new();
println!("one");
print!("no line feed");
eprintln!("to stderr");
```

```rust,cell
lab::value("double", double(n));
lab::value("first", first.as_str());
all.push(n);
counter.0.set(counter.0.get() + 1);
```

```rust,cell
use std::collections::BTreeMap;
fn third(x: f64) -> f64 { x / 3.0 }
struct Pair { a: f64 }
let pair = Pair { a: third(1.0) };
let map: BTreeMap<&str, usize> = BTreeMap::from([("é", 2)]);
lab::text(format!("{:?}", map))
```

```rust,cell
lab::value("square", square(3.0));
lab::value("pair", pair.a);
lab::value("map", map["é"]);
lab::value("count", counter.0.get());
lab::value("all", all.len());
drop(names);
```

```rust,cell
static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
CALLS.fetch_add(2, std::sync::atomic::Ordering::Relaxed);
```

```rust,cell
lab::value("calls", CALLS.load(std::sync::atomic::Ordering::Relaxed));
```
"#;

const FAILURES: &str = r#"# Failures

```rust,module
pub fn fails(x: u32) -> u32 {
    assert!(x < 3, "x is {x}");
    x
}
```

```rust,cell
let before = 1;
lab::value("before", before);
```

```rust,cell
let é = 2; let none: Option<i32> = None; none.unwrap();
```

```rust,cell
let number: i64 =
    "é".parse()?;
```

```rust,cell
fails(7);
```

```rust,cell
let wrong: u8 = "text";
```

```rust,cell
missing(before)
```

```rust,cell
lab::value("after", before + 1);
```
"#;

const ABORT: &str = r#"# Abort

```rust,cell
let kept = 1;
lab::value("kept", kept);
```

```rust,cell
println!("going");
std::process::abort();
```
"#;

const ENDLESS: &str = r#"# Endless

```rust,cell
let kept = 1;
```

```rust,cell
//| timeout: 1s
println!("waiting");
loop { std::hint::spin_loop(); }
```

```rust,cell
lab::value("kept", kept);
```
"#;

const LIBRARY: &str = r#"# Library

```rust,module
pub fn f() -> u32 { "text" }
```

```rust,cell
f()
```
"#;

/// Every job of a sweep has a process of its own; what fails in one is told at its place.
const SWEEPS: &str = r#"# Sweeps

```rust,cell
let own = std::process::id();
let start = 10;
```

```rust,cell
let unused = 1;
let rows = lab::sweep("rows", &[1, 2, 3], |n| (n * start, std::process::id()));
let elsewhere = rows.iter().filter(|(_, id)| *id != own).count();
lab::value("elsewhere", elsewhere);
lab::value("sum", rows.iter().map(|(row, _)| row).sum::<i32>());
```

```rust,cell
lab::sweep("bad", &[1, 2], |n| {
    assert!(*n < 2, "n is {n}");
    *n
});
```
"#;

/// A chapter that is edited: parts of it, each in two versions.
const EDITED: [[&str; 2]; 5] = [
    [
        "pub fn scale(x: u64) -> u64 { 2 * x }\npub struct Count(pub std::cell::Cell<u64>);",
        "pub fn scale(x: u64) -> u64 { 3 * x }\npub struct Count(pub std::cell::Cell<u64>);",
    ],
    [
        "let n: u64 = 21;\nlet mut all = vec![0_u64];\nlet count = Count(std::cell::Cell::new(0));",
        "let n: u64 = 22;\nlet mut all = vec![0_u64, 0];\nlet count = Count(std::cell::Cell::new(0));",
    ],
    [
        "all.push(1);\ncount.0.set(count.0.get() + 1);\nlet by = all.len();",
        "all.extend([1, 2]);\nlet all: Vec<u64> = all.into_iter().rev().collect();\nlet by = 9;",
    ],
    ["lab::value(\"scaled\", scale(n));", "lab::value(\"scaled\", scale(n) + 1);"],
    [
        "lab::value(\"sum\", all.iter().sum::<u64>() + count.0.get());\nlab::value(\"by\", by);",
        "assert!(all.len() > 2, \"there are {}\", all.len());",
    ],
];

fn edited(versions: [usize; 5]) -> String {
    let mut text = "# Edited\n".to_owned();
    for (part, (texts, version)) in EDITED.iter().zip(versions).enumerate() {
        let kind = if part == 0 { "module" } else { "cell" };
        text.push_str(&format!("\n```rust,{kind}\n{}\n```\n", texts[version]));
    }
    text
}

#[test]
fn both_kernels_find_the_same() {
    let Some(executable) = companion("both_kernels_find_the_same") else { return };
    let bench = Bench::new(executable);
    let chapters = [
        ("values", VALUES),
        ("failures", FAILURES),
        ("abort", ABORT),
        ("endless", ENDLESS),
        ("library", LIBRARY),
        ("sweeps", SWEEPS),
    ];
    let batch = bench.batch(&chapters);
    let (live, _) = bench.live(&chapters);
    assert_eq!(live.words(), batch.words(), "{:?}", live.problems);
    assert_eq!(live.warnings(), batch.warnings());
    assert!(batch.warnings().iter().any(|warning| warning.contains("unused")));
    let sweeps = batch.executed.chapters.last().expect("there are chapters");
    let elsewhere =
        sweeps.cells[1].record.output.values.iter().find(|value| value.name == "elsewhere");
    let elsewhere = elsewhere.expect("it was published");
    assert_eq!(elsewhere.value, Value::Integer { value: "3".to_owned() });
    let values = &batch.executed.chapters[0].cells;
    assert!(values.iter().all(exec::CellResult::is_done), "{:?}", batch.problems);

    // A context that stays gives what a clean one gives, and runs no more than it must.
    let ran = |versions| {
        let text = edited(versions);
        let chapters = [("edited", text.as_str())];
        let (live, ran) = bench.live(&chapters);
        assert_eq!(live.words(), bench.batch(&chapters).words(), "{versions:?}");
        ran
    };
    assert_eq!(ran([0, 0, 0, 0, 0]), ["cell-1", "cell-2", "cell-3", "cell-4"]);
    assert!(ran([0, 0, 0, 0, 0]).is_empty());
    assert_eq!(ran([0, 0, 0, 1, 0]), ["cell-3"]);
    assert_eq!(ran([0, 0, 1, 1, 0]), ["cell-1", "cell-2", "cell-4"]);
    assert_eq!(ran([1, 0, 1, 1, 0]), ["cell-1", "cell-2", "cell-3", "cell-4"]);
    for versions in [[1, 1, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 1, 0, 0], [1, 0, 0, 1, 0]] {
        ran(versions);
    }

    // An edit while a cell runs ends that cell, and what runs next is that of a clean context.
    let endless = edited([1, 0, 0, 1, 0]) + "\n```rust,cell\nall.push(7);\nloop {}\n```\n";
    let found = bench.interrupted(&[("edited", endless.as_str())], "cell-5");
    let last = found.executed.chapters[0].cells.last().expect("there are cells");
    assert!(words(last).starts_with("interrupted"), "{}", words(last));
    ran([1, 0, 0, 0, 0]);

    // No cell is blamed if somebody ends what waits for the next one.
    #[cfg(target_os = "linux")]
    {
        let end = |processes: &str| {
            let processes = processes.split_whitespace();
            let ended = std::process::Command::new("kill").arg("-KILL").args(processes).status();
            assert!(ended.expect("there is a `kill`").success());
        };
        let companion = bench.pool.processes()["edited"];
        let children = format!("/proc/{companion}/task/{companion}/children");
        end(&std::fs::read_to_string(children).expect("it runs"));
        assert_eq!(ran([1, 0, 1, 0, 1]), ["cell-1", "cell-2", "cell-4"]);
        end(&companion.to_string());
        assert_eq!(ran([1, 1, 1, 0, 1]), ["cell-1", "cell-2", "cell-3", "cell-4"]);
    }
}

/// This repository's own report, every chapter of it.
#[test]
fn both_kernels_find_the_same_in_this_report() {
    let Some(executable) = companion("both_kernels_find_the_same_in_this_report") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = root.join("build");
    let request = BuildRequest {
        formats: Formats { html: false, pdf: false },
        jobs: 1,
        from_scratch: true,
        kernel: KernelChoice::Live(Arc::new(Pool::of(executable))),
        ..BuildRequest::of(root)
    };
    let live = {
        let _held = Output::open(&out, || ()).expect("the output folder can be written");
        pipeline::evaluate(&request, &DiskWorld::new(root), &|_| ())
    };
    let live = live.unwrap_or_else(|problems| panic!("{problems:?}"));
    let batch = crate::mutation::executed();
    for (index, plan) in live.plan.chapters.iter().enumerate() {
        let live = &live.executed.chapters[index].cells;
        let batch = &batch.executed.chapters[index].cells;
        let not_run =
            |cell: &exec::CellResult| matches!(cell.status, CellStatus::NotRun(Reason::NotRun, _));
        if batch.iter().any(not_run) {
            // The suite executes the first chapter alone; the others if the report was built.
            eprintln!("*** SKIPPED: {} is not built", plan.slug);
            continue;
        }
        for ((live, batch), cell) in live.iter().zip(batch).zip(&plan.cells) {
            // What depends on the clock differs from run to run, and so does what builds on it.
            let measured = |&at: &usize| plan.cells[at].measured;
            if cell.measured || cell.needs.iter().any(measured) {
                assert!(live.is_done() && batch.is_done(), "{}", cell.span);
            } else {
                assert_eq!(words(live), words(batch), "{}", cell.span);
            }
        }
    }
}
