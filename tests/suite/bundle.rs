//! Bundles: made, run without anything else, and taken over; and what is refused on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use veracity_protocol::{BUNDLE_FILE, BUNDLE_HEADER, Bundle, CudaNeeds, RESULTS_FILE};

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

/// Changes a bundle's manifest and makes it whole again, as if it had been made so.
fn remade(bundle: &Path, change: impl FnOnce(&mut Bundle)) {
    let path = bundle.join(BUNDLE_FILE);
    let text = fs::read_to_string(&path).expect("it is there");
    let (_, json) = text.split_once('\n').expect("a head and JSON");
    let mut manifest: Bundle = serde_json::from_str(json).expect("a manifest");
    change(&mut manifest);
    let json = serde_json::to_string(&manifest).expect("JSON");
    let identity = blake3::hash(json.as_bytes()).to_hex();
    fs::write(path, format!("{BUNDLE_HEADER} {identity}\n{json}")).expect("it can be written");
}

/// An executable that answers as the driver's tool.
fn driver(folder: &Path, version: &str) {
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n*memory*) echo '79000 MiB, 81559 MiB';;\n\
         *) echo 'NVIDIA H100 80GB HBM3, {version}, 9.0';;\nesac\n"
    );
    let path = folder.join("nvidia-smi");
    fs::write(&path, script).expect("it can be written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&path, mode).expect("it is ours");
}

#[test]
fn a_gpu_with_too_little_memory_or_an_old_driver_is_told_and_what_is_memoised_stays() {
    const CHAPTER: &str = "# A\n\n```rust,cell\n//| label: first\n\
        let start = lab::memo(\"s\", &1, || {\n    assert!(std::env::var_os(\"AGAIN\").is_none());\n    \
        20\n});\n```\n\n```rust,cell\n//| label: second\nif std::env::var_os(\"AGAIN\").is_none() {\n    \
        panic!(\"Driver(DriverError(CUDA_ERROR_OUT_OF_MEMORY, \\\"out of memory\\\"))\");\n}\n\
        lab::value(\"sum\", start);\n```\n\nIt is [20](claim:sum).\n";
    let report = Folder::new("r", &[("report.yaml", "title: T\nchapters: [a.md]\n")]);
    report.write("a.md", CHAPTER);
    let report = report.with_compiled_lab();
    let place = tempfile::tempdir().expect("a temporary folder");
    let bundle = place.path().join("b");
    expect(&veracity(&report, &["bundle", "--offline", "--out"], &bundle), 0, "a for cpu");
    // It computes on the CPU; only what its runner asks of the machine is that of a GPU.
    remade(&bundle, |manifest| {
        manifest.cuda = Some(CudaNeeds {
            arch: "sm_90".into(),
            toolkit: "13.0".into(),
            driver: 580,
            libraries: Vec::new(),
        });
    });
    fs::write(place.path().join("libcuda.so.1"), "").expect("it can be written");
    let on_gpu = |again: bool| {
        let mut command = Command::new(bundle.join("run"));
        command.arg("--cuda").arg(place.path()).env_clear().env("PATH", place.path());
        if again {
            command.env("AGAIN", "1");
        }
        command.output().expect("the runner starts")
    };
    expect(&on_gpu(false), 2, "no GPU: `nvidia-smi` on the PATH");
    driver(place.path(), "535.104.05");
    expect(&on_gpu(false), 2, "the driver 535.104.05 is too old: CUDA 13.0 needs 580 or newer");
    driver(place.path(), "580.65.06");
    let full = on_gpu(false);
    expect(&full, 1, "CUDA_ERROR_OUT_OF_MEMORY");
    expect(&full, 1, "the GPU's memory is too small: 79000 MiB of 81559 MiB are in use now");
    expect(&full, 1, "what was memoised is kept");
    expect(&on_gpu(true), 0, "a: 2 cells");
}

#[test]
fn damaged_bundles_and_results_are_told() {
    let report = report();
    let place = tempfile::tempdir().expect("a temporary folder");
    let bundle = place.path().join("b");
    expect(&veracity(&report, &["bundle", "--offline", "--out"], &bundle), 0, "a for cpu");
    let manifest = fs::read_to_string(bundle.join(BUNDLE_FILE)).expect("it is there");
    for (text, words) in [
        ("", "is no manifest of a bundle"),
        (&manifest[..manifest.len() / 2], "is not what was written"),
        (&manifest.replace("a.md", "b.md").replace("\"T\"", "\"U\""), "is not what was written"),
    ] {
        fs::write(bundle.join(BUNDLE_FILE), text).expect("it can be written");
        expect(&run(&bundle, &[]), 2, words);
    }
    fs::write(bundle.join(BUNDLE_FILE), &manifest).expect("it can be written");
    remade(&bundle, |manifest| manifest.version += 1);
    expect(&run(&bundle, &[]), 2, "has version");
    fs::write(bundle.join(BUNDLE_FILE), &manifest).expect("it can be written");
    for (arguments, words) in [
        (&["--throughput"][..], "`--throughput` is for a bundle that"),
        (&["--sbatch=--time=1"], "`--sbatch` is for `--on slurm`"),
        (&["--on", "moon"], "`--on` wants `local` or `slurm`"),
        (&["--check=yes"], "`--check` takes no value"),
    ] {
        expect(&run(&bundle, arguments), 2, words);
    }
    expect(&run(&bundle, &[]), 0, "1/1] a: 2 cells");
    let results = bundle.join("results");
    let part = copy(&results, &place.path().join("part"));
    fs::remove_file(part.join("a/stdout")).expect("it is there");
    expect(&veracity(&report, &["import"], &part), 3, "a/stdout: No such file");
    let part = copy(&results, &place.path().join("cut"));
    let text = fs::read_to_string(part.join(RESULTS_FILE)).expect("it is there");
    fs::write(part.join(RESULTS_FILE), &text[..text.len() - 9]).expect("it can be written");
    expect(&veracity(&report, &["import"], &part), 3, "results.json is damaged");
    expect(&veracity(&report, &["import"], &bundle), 3, "results.json cannot be read");
    assert!(!report.root.join("build/cache/cells").exists());
    fs::remove_file(bundle.join("programs/a")).expect("it is there");
    expect(&run(&bundle, &[]), 2, "the bundle is damaged: programs/a: No such file");
}

#[test]
fn data_come_along_if_asked_for_and_are_missed_by_name() {
    const CHAPTER: &str = "# A\n\n```rust,cell\n//| data: numbers\n\
        let numbers = lab::dataset(\"numbers\").expect(\"it is there\");\n\
        let text = std::fs::read_to_string(numbers.folder.join(\"deep/b.txt\"))?;\n\
        lab::value(\"n\", text.trim().parse::<i64>()?);\n```\n\nIt is [7](claim:n).\n";
    const MANIFEST: &str = "datasets:\n  numbers:\n    title: Numbers\n    files:\n      - address: \
        https://example.org/a.txt\n        checksum: md5:c68d92d5b585d8d81f7112f81e2d0842\n    licence: \
        CC0\n    citation: Nobody\n";
    let report = Folder::new("r", &[("report.yaml", "title: T\nchapters: [a.md]\n")]);
    report.write("a.md", CHAPTER);
    report.write("data/manifest.yaml", MANIFEST);
    report.write("data/numbers/a.txt", "first\n");
    report.write("data/numbers/deep/b.txt", "7\n");
    report.write("data/other/large.txt", "no cell declares it\n");
    let report = report.with_compiled_lab();
    let place = tempfile::tempdir().expect("a temporary folder");
    let (lean, full) = (place.path().join("lean"), place.path().join("full"));
    let made = veracity(&report, &["bundle", "--offline", "--out"], &lean);
    expect(&made, 0, "it reads the data set numbers in data/numbers");
    expect(&run(&lean, &[]), 2, "`numbers` in");
    expect(&run(&lean, &[]), 2, "there is no such folder; 2 files belong into it");
    fs::create_dir_all(lean.join("data/numbers")).expect("a folder");
    fs::write(lean.join("data/numbers/a.txt"), "other\n").expect("a file");
    let wrong = run(&lean, &[]);
    expect(&wrong, 2, "1 of 2 files are missing: deep/b.txt");
    expect(&wrong, 2, "1 of 2 files differ from their checksums: a.txt");
    expect(&wrong, 2, "`veracity bundle --with-data` brings them along");
    expect(&run(&lean, &["--data", &report.root.join("data").display().to_string()]), 0, "1 cells");
    // Data that somebody put there are not cleared away for a new bundle.
    fs::remove_dir_all(lean.join("results")).expect("it is there");
    let again = veracity(&report, &["bundle", "--offline", "--out"], &lean);
    expect(&again, 3, "holds `data`, which is no part of a bundle");

    let with = ["bundle", "--offline", "--with-data", "--out"];
    expect(&veracity(&report, &with, &full), 0, "it brings the data set numbers");
    assert!(!full.join("data/other").exists());
    let elsewhere = copy(&full, &place.path().join("elsewhere"));
    expect(&run(&elsewhere, &[]), 0, "1/1] a: 1 cells");
    expect(&veracity(&report, &["import"], &elsewhere.join("results")), 0, "took over 1 results");
    fs::write(elsewhere.join("data/numbers/a.txt"), "other\n").expect("a file");
    expect(&run(&elsewhere, &[]), 2, "copy the bundle here again");
    expect(&veracity(&report, &with, &full), 0, "it brings the data set numbers");
}
