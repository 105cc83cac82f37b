//! How long an author waits for the page after an edit, as medians with their spread.
//!
//! Run by `cargo bench --bench edit`. A session holds a copy of this repository's own report; each
//! edit is a write to disk, and the time ends when the session tells of the new pages. The PDF,
//! which follows, is measured from the same write. `VERACITY_REPORT` names a copy of the report to work
//! on, which is then built there only where it has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;
use veracity::pipeline::{self, BuildRequest};
use veracity::session::{PageState, Session, Update};

/// That of the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const CHAPTER: &str = "chapters/1-linear-attention.md";

enum Told {
    Page,
    Printed,
    Trouble(String),
}

fn main() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let given = std::env::var_os("VERACITY_REPORT").map(PathBuf::from);
    let root = given.unwrap_or_else(|| own_report(scratch.path()));
    let request = request(&root);
    pipeline::build(&request, &|_| ()).expect("the report can be built");

    let started = Instant::now();
    let (session, told) = start(&request);
    until(&told, |told| matches!(told, Told::Page));
    println!("{:<44} {:>6.0} ms", "first page of a built report", ms(started.elapsed()));

    let text = fs::read_to_string(root.join(CHAPTER)).expect("it can be read");
    let chapter = root.join(CHAPTER);
    edits("edit of prose", 15, &told, Told::is_page, |n| {
        write(&chapter, &format!("{text}\nThis is edit {n} of the prose.\n"));
    });
    edits("edit of prose, PDF", 9, &told, Told::is_printed, |n| {
        write(&chapter, &format!("{text}\nThis is PDF {n} of the prose.\n"));
    });
    let middle = middle(&text);
    // Two changes far apart are one long change to Typst.
    write(&chapter, &text);
    edits("paragraph in the middle, PDF", 9, &told, Told::is_printed, |n| {
        let (before, after) = text.split_at(middle);
        let words = format!("Words of PDF {n} that *were* not there. ").repeat(4 * (1 + n));
        write(&chapter, &format!("{before}{words}\n\n{after}"));
    });
    let style = fs::read_to_string(root.join("templates/style.css")).expect("it can be read");
    edits("edit of a style", 9, &told, Told::is_page, |n| {
        write(&root.join("templates/style.css"), &format!("{style}main {{ margin: {n}px }}\n"));
    });
    edits("edit of a thin cell", 7, &told, Told::is_page, |n| {
        // None that has a result from an earlier run.
        let run = std::process::id();
        let cell = format!("\n```rust,cell\nlab::text({run}_u64 * 100 + {n})\n```\n");
        write(&chapter, &format!("{text}{cell}"));
    });
    session.stop();
}

/// Where a section in the middle of a chapter begins.
fn middle(text: &str) -> usize {
    let sections: Vec<usize> = text.match_indices("\n## ").map(|(at, _)| at + 1).collect();
    sections[sections.len() / 2]
}

impl Told {
    fn is_page(&self) -> bool {
        matches!(self, Self::Page)
    }

    fn is_printed(&self) -> bool {
        matches!(self, Self::Printed)
    }
}

fn start(request: &BuildRequest) -> (Session, Receiver<Told>) {
    let (sender, told) = mpsc::channel();
    let subscriber = move |update: Update<'_>| {
        let told = match update {
            Update::Page(page) if page.state == PageState::Final => Told::Page,
            Update::Printed(_) => Told::Printed,
            Update::Trouble(problems) => Told::Trouble(format!("{problems:?}")),
            _ => return,
        };
        // After the last measurement nobody listens.
        let _ = sender.send(told);
    };
    (Session::start(request.clone(), Arc::new(pipeline::prepare), Arc::new(subscriber)), told)
}

fn until(told: &Receiver<Told>, is_it: impl Fn(&Told) -> bool) {
    loop {
        match told.recv_timeout(Duration::from_secs(600)).expect("the session goes on") {
            Told::Trouble(words) => panic!("{words}"),
            told if is_it(&told) => return,
            _ => {}
        }
    }
}

/// Makes edits, waits each time for what they bring, and prints median, fastest and slowest.
fn edits(
    name: &str,
    times: usize,
    told: &Receiver<Told>,
    is_it: fn(&Told) -> bool,
    edit: impl Fn(usize),
) {
    let mut durations: Vec<Duration> = (0..times)
        .map(|n| {
            // The PDF of the edit before must not stand in this one's way.
            while told.recv_timeout(Duration::from_millis(700)).is_ok() {}
            let started = Instant::now();
            edit(n);
            until(told, is_it);
            started.elapsed()
        })
        .collect();
    durations.sort();
    println!(
        "{name:<44} {:>6.0} ms   {:>6.0} – {:>5.0} ms",
        ms(durations[times / 2]),
        ms(durations[0]),
        ms(durations[times - 1]),
    );
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn write(path: &Path, text: &str) {
    let beside = path.with_extension("part");
    fs::write(&beside, text).expect("it can be written");
    fs::rename(beside, path).expect("it can be renamed");
}

fn request(root: &Path) -> BuildRequest {
    BuildRequest { jobs: 2, ..BuildRequest::of(root) }
}

/// A copy of this repository's report, without what builds left.
fn own_report(scratch: &Path) -> PathBuf {
    let root = scratch.join("own");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["report.yaml", "Cargo.toml", "Cargo.lock", "chapters", "templates", "crates"] {
        copy(&here.join(part), &root.join(part));
    }
    // Cargo wants the whole workspace to which the report's own crates belong.
    for part in ["src", "benches"] {
        copy(&here.join(part), &root.join(part));
    }
    root
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("it can be read") {
            let name = entry.expect("it can be read").file_name();
            if name == "target" {
                continue;
            }
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().expect("a file has a folder")).expect("it can be made");
        fs::copy(from, to).expect("it can be copied");
    }
}
