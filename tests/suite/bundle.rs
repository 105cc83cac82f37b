//! Bundles: made, run without anything else, and taken over; and what is refused on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::disk::Folder;

const CHAPTER: &str = "# A\n\n```rust,cell\n//| label: first\nlet start = lab::memo(\"s\", &1, || 20);\n\
    println!(\"from the bundle\");\n```\n\n```rust,cell\n//| label: second\n\
    let rows = lab::sweep(\"rows\", &[1, 2, 3], |n| n * start);\n\
    lab::value(\"sum\", rows.iter().sum::<i32>());\n```\n\nIt is [120](claim:sum).\n";

fn report() -> Folder {
    let settings = "title: T\nchapters: [a.md]\n";
    Folder::new("r", &[("report.yaml", settings), ("a.md", CHAPTER)]).with_compiled_lab()
}

fn veracity(report: &Folder, arguments: &[&str], path: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veracity"));
    command.args(arguments).arg(path).arg("--root").arg(&report.root);
    command.output().expect("the executable starts")
}

/// The runner in an environment without anything, not even a PATH.
fn run(bundle: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(bundle.join("run"));
    command.args(arguments).env_clear().current_dir("/");
    command.output().expect("the runner starts")
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn expect(output: &Output, status: i32, words: &str) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(words), "{said}");
}

fn copy(from: &Path, to: &Path) -> PathBuf {
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status().expect("cp");
    assert!(copied.success());
    to.to_owned()
}

fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("it is there");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).expect("it can be written");
}

#[test]
fn a_bundle_runs_alone_and_its_results_are_taken_over() {
    let report = report();
    let place = tempfile::tempdir().expect("a temporary folder");
    let made = place.path().join("made");
    expect(&veracity(&report, &["bundle", "--offline", "--out"], &made), 0, "a for cpu");
    let bundle = copy(&made, &place.path().join("elsewhere"));
    fs::remove_dir_all(&made).expect("it is there");
    fs::remove_dir_all(report.root.join("build/cache")).expect("it is there");

    // A result that was memoised before the run was cut short is used again.
    expect(&run(&bundle, &["--jobs", "2"]), 0, "1/1] a: 2 cells");
    expect(&run(&bundle, &[]), 0, "has run already");
    let results = bundle.join("results");
    fs::write(results.join("memo/more"), "").expect("it can be written");

    let edited = copy(&results, &place.path().join("edited"));
    change(&edited.join("a/cell-1.json"), "120", "121");
    expect(&veracity(&report, &["import"], &edited), 3, "a/cell-1.json was changed after the run");
    let edited = copy(&results, &place.path().join("machine"));
    change(&edited.join("results.json"), "\"failure\":null", "\"failure\":\"\"");
    expect(&veracity(&report, &["import"], &edited), 3, "results.json was changed after the run");
    assert!(!report.root.join("build/cache/cells").exists());

    expect(&veracity(&report, &["import"], &results), 0, "took over 2 results for cpu");
    // Were it compiled or run, the compiled lab would have to be there.
    fs::remove_dir_all(report.root.join("build/target")).expect("it is there");
    report.build();
    assert!(!report.root.join("build/target").exists(), "something was compiled");
    let ledger = fs::read_to_string(report.root.join("build/claims.json")).expect("it is there");
    assert!(ledger.contains("\"value\": \"120\""), "{ledger}");

    report.write("a.md", &CHAPTER.replace("n * start", "n + start"));
    let foreign = veracity(&report, &["import"], &results);
    expect(&foreign, 1, "other sources and are not taken over: `second`");
    assert!(said(&foreign).contains("took over 1 results"), "{}", said(&foreign));

    let program = bundle.join("programs/a");
    let mut bytes = fs::read(&program).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&program, bytes).expect("it can be written");
    expect(&run(&bundle, &[]), 2, "programs/a differs from its checksum");
}

#[test]
fn a_gpu_that_is_not_here_is_told_with_all_that_was_looked_for() {
    let settings =
        "title: T\nchapters: [a.md]\ndependencies:\n  x: { path: x, cuda-features: [cuda] }\n";
    let report = Folder::new("r", &[("report.yaml", settings), ("a.md", "# A\n")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_veracity"));
    command.args(["check", "--device", "cuda", "--root"]).arg(&report.root);
    let nowhere = report.root.join("nowhere");
    let output = command.env("PATH", &nowhere).env_remove("CUDA_ROOT").output().expect("it starts");
    expect(&output, 2, "error[no-cuda]");
    for words in ["`nvidia-smi` is not on the PATH", &nowhere.display().to_string()] {
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    let toolkit = ["bundle", "--device", "cuda", "--out", "b", "--toolkit"];
    expect(&veracity(&report, &toolkit, &nowhere), 2, "nowhere (no bin/nvcc)");
    expect(
        &veracity(&report, &["bundle", "--selftest", "--out"], &nowhere),
        3,
        "brings a self-test",
    );
}
