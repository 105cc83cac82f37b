//! How long a person waits for a report, as medians with their spread.
//!
//! Run by `cargo bench --bench report`. It builds copies of the first chapter of this repository's
//! own report, and a report of 200 prose chapters, and compares two ledgers of 10,000 claims, with the
//! release executable. Where mdBook is installed it builds the same prose in the same run, and the
//! ratio is printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The chapter that is edited.
const FIRST: &str = "chapters/1-linear-attention.md";

const VERACITY: &str = env!("CARGO_BIN_EXE_veracity");

fn main() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let own = own_report(scratch.path());
    println!("{:<44} {:>9}   {:>17}", "", "median", "fastest–slowest");
    let first = timed(|| build(&own, &[]));
    println!("{:<44} {:>7.2} s", "first build of the chapters' own code", first.as_secs_f64());

    row("no change", 15, || (), || build(&own, &[]));
    let mut edits = 0;
    row("edit of prose, HTML and PDF", 9, prose_edit(&own, &mut edits), || build(&own, &[]));
    let mut edits = 0;
    row("edit of a thin cell, HTML and PDF", 7, cell_edit(&own, &mut edits), || build(&own, &[]));

    let [old, new] = ["old", "new"].map(|name| ledger(scratch.path(), name));
    row(
        "diff of two ledgers with 10,000 claims",
        15,
        || (),
        || {
            run(Command::new(VERACITY).args(["diff", "--fail-on", "nothing"]).args([&old, &new]));
        },
    );

    let prose = prose_report(scratch.path());
    let ours = row(
        "200 chapters of prose, HTML only, nothing kept",
        7,
        remove(&prose.join("build")),
        || {
            build(&prose, &["--format", "html"]);
        },
    );
    match Command::new("mdbook").arg("--version").output() {
        Ok(_) => {
            let theirs = row("the same text in mdBook", 7, remove(&prose.join("book")), || {
                run(Command::new("mdbook").arg("build").arg(&prose));
            });
            println!("ratio to mdBook: {:.2}", ours.as_secs_f64() / theirs.as_secs_f64());
        }
        Err(_) => println!("mdBook is not installed: not compared"),
    }
}

/// A ledger; in the new one every tenth value is another, and so are the words around every tenth claim.
fn ledger(scratch: &Path, name: &str) -> PathBuf {
    let claim = |n: usize| {
        let moved = name == "new" && n.is_multiple_of(10);
        let value = if moved { format!("{n}.5") } else { n.to_string() };
        format!(
            "{{\"id\": \"chapter/value-{n}\", \"path\": \"chapter.md\", \"line\": {n}, \"column\": 1, \
             \"text\": \"{n}\", \"relation\": \"± 2 %\", \"verdict\": \"verified\", \"value\": \"{value}\", \
             \"cell\": \"chapter/cell-1\", \"key\": \"{name}\"}}"
        )
    };
    let claims: Vec<String> = (0..10_000).map(claim).collect();
    let passage = |n: usize| {
        let rows = if name == "new" && n.is_multiple_of(10) { "columns" } else { "rows" };
        format!(
            "{{\"path\": \"chapter.md\", \"line\": {n}, \"column\": 1, \
             \"text\": \"The matrix number {n} has [{n}](value-{n}) {rows}, as all of them.\"}}"
        )
    };
    let mut passages: Vec<String> = (0..10_000).map(passage).collect();
    if name == "new" {
        // Some change places.
        (5..10_000).step_by(20).for_each(|at| passages.swap(at - 5, at));
    }
    let path = scratch.join(format!("{name}.json"));
    let (claims, passages) = (claims.join(",\n"), passages.join(",\n"));
    let text = format!("{{\"version\": 1, \"claims\": [{claims}], \"passages\": [{passages}]}}");
    fs::write(&path, text).expect("written");
    path
}

/// Measures `work` after `prepare`, `times` over; prints and gives the median.
fn row(name: &str, times: usize, mut prepare: impl FnMut(), mut work: impl FnMut()) -> Duration {
    let mut durations: Vec<Duration> = (0..times)
        .map(|_| {
            prepare();
            timed(&mut work)
        })
        .collect();
    durations.sort();
    let median = durations[times / 2];
    println!(
        "{name:<44} {:>6.0} ms   {:>6.0} – {:>5.0} ms",
        median.as_secs_f64() * 1e3,
        durations[0].as_secs_f64() * 1e3,
        durations[times - 1].as_secs_f64() * 1e3,
    );
    median
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn build(root: &Path, arguments: &[&str]) {
    run(Command::new(VERACITY)
        .args(["build-report", "--quiet", "--root"])
        .arg(root)
        .args(arguments));
}

fn run(command: &mut Command) {
    let status =
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the command starts");
    assert!(status.success(), "{command:?} fails: {status}");
}

fn remove(path: &Path) -> impl FnMut() {
    move || {
        if path.exists() {
            fs::remove_dir_all(path).expect("it can be removed");
        }
    }
}

/// A copy of this repository's report with its first chapter alone, without what builds left.
fn own_report(scratch: &Path) -> PathBuf {
    let root = scratch.join("own");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Cargo wants the whole workspace to which the report's own crates belong.
    let parts = ["report.yaml", "Cargo.toml", "Cargo.lock", "chapters", "templates", "crates"];
    for part in parts.into_iter().chain(["src", "benches"]) {
        copy(&here.join(part), &root.join(part));
    }
    let settings = fs::read_to_string(here.join("report.yaml")).expect("it can be read");
    let first = settings
        .lines()
        .filter(|line| !line.trim_start().starts_with("- chapters/") || line.contains(FIRST))
        .fold(String::new(), |text, line| text + line + "\n");
    fs::write(root.join("report.yaml"), first).expect("written");
    root
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("it can be read") {
            let name = entry.expect("it can be read").file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().expect("a file has a folder")).expect("it can be made");
        fs::copy(from, to).expect("it can be copied");
    }
}

fn first_chapter(root: &Path) -> PathBuf {
    root.join(FIRST)
}

/// Adds a sentence, each time another one.
fn prose_edit(root: &Path, edits: &mut usize) -> impl FnMut() {
    let path = first_chapter(root);
    let text = fs::read_to_string(&path).expect("the chapter can be read");
    move || {
        *edits += 1;
        fs::write(&path, format!("{text}\nThis is edit {edits} of the prose.\n")).expect("written");
    }
}

/// Changes a last cell that only adds two numbers, each time another two.
fn cell_edit(root: &Path, edits: &mut usize) -> impl FnMut() {
    let path = first_chapter(root);
    let text = fs::read_to_string(&path).expect("the chapter can be read");
    move || {
        *edits += 1;
        let cell = format!("\n```rust,cell\nlab::text(1 + {edits})\n```\n");
        fs::write(&path, format!("{text}{cell}")).expect("written");
    }
}

/// About 660 kB of prose in 200 chapters, for Veracity and for mdBook.
fn prose_report(scratch: &Path) -> PathBuf {
    const CHAPTERS: usize = 200;
    let root = scratch.join("prose");
    let source = root.join("src");
    fs::create_dir_all(&source).expect("it can be made");
    let mut settings = "title: Prose\nchapters:\n".to_owned();
    let mut contents = "# Summary\n\n".to_owned();
    for number in 1..=CHAPTERS {
        let mut text = format!("# Chapter {number}\n\n");
        for paragraph in 1..=11 {
            text.push_str(&format!(
                "## Section {paragraph}\n\nA paragraph with *emphasis*, **weight**, `code` and a \
                 [link](https://example.com/{number}/{paragraph}). It goes on for a while, because \
                 chapters of books do, and says little else than that it is number {paragraph}.\n\n\
                 - one point\n- another point\n\n",
            ));
        }
        fs::write(source.join(format!("c{number}.md")), text).expect("written");
        settings.push_str(&format!("  - src/c{number}.md\n"));
        contents.push_str(&format!("- [Chapter {number}](c{number}.md)\n"));
    }
    fs::write(root.join("report.yaml"), settings).expect("written");
    fs::write(source.join("SUMMARY.md"), contents).expect("written");
    fs::write(root.join("book.toml"), "[book]\ntitle = \"Prose\"\n").expect("written");
    root
}
