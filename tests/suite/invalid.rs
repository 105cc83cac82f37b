//! Wrong reports: what the program prints of them, and its exit status.
//!
//! A case is an input and the terminal's text. The input is a chapter (`md`), a `report.yaml`
//! (`yaml`), a bibliography (`bib`), a template (`html`), or files of which each begins with a
//! line `>>> PATH` (`files`), the bytes being Latin-1 if `latin-1` stands behind the path.
//! What a case leaves out is taken from a report that is right, and that report is built into the
//! same folder before: a case that ends with status 3 must leave it whole.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use crate::corpus::{self, Case};

const GOOD: [(&str, &str); 3] = [
    ("report.yaml", "title: Good\nchapters:\n  - 1.md\nbibliography: works.bib\n"),
    ("1.md", "# Good\n\nWords [@good].\n"),
    ("works.bib", "@book{good,\n  title = {A book},\n  author = {Author, A.},\n  year = 2000\n}\n"),
];

#[test]
fn corpus() {
    let good = Report::new();
    let built = good.build(&[]);
    assert_eq!(built.status.code(), Some(0), "{}", String::from_utf8_lossy(&built.stderr));
    let before = good.outputs();
    assert!(before.contains_key("report/index.html") && before.contains_key("claims.json"));
    corpus::run("invalid", |case| {
        let report = Report::new();
        for (path, bytes) in &before {
            report.write(&format!("build/{path}"), bytes);
        }
        for (path, bytes) in files(case) {
            report.write(&path, &bytes);
        }
        let output = report.build(&[]);
        let status = output.status.code().unwrap_or_else(|| panic!("{output:?}"));
        if status == 3 {
            assert!(report.outputs() == before, "the report before is not whole: {}", case.input);
        }
        let root = report.0.path().to_string_lossy().into_owned();
        format!("{}exit status {status}\n", words(&output)).replace(&root, "REPORT")
    });
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let report = Report::new();
    report.write("file", b"");
    // Not even root can write below a file or into the kernel's own folder.
    for out in ["file", "file/below", "/proc/veracity"] {
        let output = report.build(&["--out", out]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let words = words(&output);
        assert!(words.contains("error[output-folder]: cannot write to"), "{words}");
        assert!(words.contains("`--out DIR` writes elsewhere"), "{words}");
    }
}

#[test]
fn something_else_in_the_place_of_an_output_stops_before_anything_is_replaced() {
    for (name, is) in [
        ("report", "no folder"),
        ("cache", "no folder"),
        ("report.pdf", "a folder"),
        ("claims.json", "a folder"),
    ] {
        let report = Report::new();
        let path = match is {
            "a folder" => format!("build/{name}/file"),
            _ => format!("build/{name}"),
        };
        report.write(&path, b"kept");
        let output = report.build(&[]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(words(&output).contains(&format!("`{name}` in it is {is}; move it away")));
        assert_eq!(fs::read(report.path(&path)).ok().as_deref(), Some(b"kept".as_slice()));
        assert!(!report.path("build/report/index.html").exists(), "{name}");
    }
}

#[test]
fn usage_is_told_from_a_report_that_cannot_be_built() {
    let report = Report::new();
    for (arguments, status, code) in [
        (["--chapter", "0"], 2, "'0' for '--chapter"),
        (["--chapter", "2"], 2, "error[unknown-chapter]: there is no chapter 2"),
        (["--profile", "quik"], 2, "did you mean `quick`?"),
        (["--device", "cuda"], 2, "error[no-cuda]"),
        (["--jobs", "0"], 2, "'0' for '--jobs"),
        (["--root", "nowhere"], 2, "error[no-report]: nowhere holds no report.yaml"),
        (["--root", "1.md"], 2, "error[no-report]: 1.md holds no report.yaml"),
    ] {
        let output = report.build(&arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(words(&output).contains(code), "{arguments:?}: {}", words(&output));
    }
    assert!(!report.path("nowhere").exists(), "nothing is made where there is no report");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    for target in ["/dev/zero", "/dev/stdin", "1.md"] {
        let report = Report::new();
        fs::remove_file(report.path("1.md")).expect("it can be removed");
        std::os::unix::fs::symlink(target, report.path("1.md")).expect("a link can be made");
        let output = report.build(&[]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(words(&output).contains("error[unreadable-file]: cannot read `1.md`"));
    }
}

#[test]
fn a_chapter_of_five_megabytes_is_built() {
    let report = Report::new();
    let paragraph = format!("{}\n\n", "word ".repeat(200));
    let text = format!("# Long\n\n{}see @fig-x\n", paragraph.repeat(5000));
    report.write("1.md", text.as_bytes());
    let output = report.build(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(words(&output).contains("--> 1.md:10003:5"), "{}", words(&output));
    assert!(report.outputs()["report/1.html"].len() > 5_000_000);
}

#[test]
fn a_toolchain_that_is_not_whole() {
    let report = Report::new();
    report.write("1.md", b"# T\n\n```rust,cell\n1\n```\n");
    report.write("tools/rustc", b"");
    for (path, tool) in [("nowhere", "rustc"), ("tools", "cargo")] {
        let mut command = report.command(&[]);
        for variable in ["RUSTC", "CARGO"] {
            command.env_remove(variable);
        }
        let output = command.env("PATH", report.path(path)).output().expect("it can be started");
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let words = words(&output);
        assert!(words.contains(&format!("there is no `{tool}` on the PATH")), "{words}");
        assert!(words.contains("install Rust from https://rustup.rs"), "{words}");
    }
}

#[test]
fn stamps_that_are_damaged_are_made_again() {
    for garbage in [b"".as_slice(), b"{\"inputs\": 3}", b"\xff\xfe", b"[[[["] {
        let report = Report::new();
        report.build(&[]);
        let before = report.outputs();
        report.write("build/cache/rendered.json", garbage);
        report.write("build/cache/toolchain", garbage);
        report.write("build/.lock", garbage);
        assert_eq!(report.build(&[]).status.code(), Some(0));
        assert!(report.outputs() == before);
    }
}

/// A report in a folder of its own.
struct Report(tempfile::TempDir);

impl Report {
    /// The report that is right.
    fn new() -> Self {
        let report = Self(tempfile::tempdir().expect("a temporary folder"));
        for (path, text) in GOOD {
            report.write(path, text.as_bytes());
        }
        report
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, bytes).expect("it can be written");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veracity"));
        command
            .args(["build-report", "--format", "html", "--offline", "--color", "never"])
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("VERACITY_DATA");
        command
    }

    fn build(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program can be started")
    }

    /// The report and the ledger for machines, by path.
    fn outputs(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut paths = vec![self.path("build/report"), self.path("build/claims.json")];
        while let Some(path) = paths.pop() {
            if let Ok(entries) = fs::read_dir(&path) {
                paths.extend(entries.flatten().map(|entry| entry.path()));
            } else if let Ok(bytes) = fs::read(&path) {
                let name = path.strip_prefix(self.path("build")).expect("it is below");
                files.insert(name.to_string_lossy().into_owned(), bytes);
            }
        }
        files
    }
}

/// The files of a case.
fn files(case: &Case<'_>) -> BTreeMap<String, Vec<u8>> {
    let path = match case.language {
        "md" => "1.md",
        "yaml" => "report.yaml",
        "bib" => "works.bib",
        "html" => "templates/chapter.html",
        "files" => return split(&case.input),
        other => panic!("a case cannot be in `{other}`"),
    };
    BTreeMap::from([(path.to_owned(), case.input.clone().into_bytes())])
}

fn split(input: &str) -> BTreeMap<String, Vec<u8>> {
    let parts = input.split(">>> ").skip(1);
    let files = parts.map(|part| {
        let (head, text) = part.split_once('\n').expect("a path has a line of its own");
        match head.split_once(' ') {
            Some((path, "latin-1")) => {
                let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1"));
                (path.to_owned(), bytes.collect())
            }
            Some(_) => panic!("`{head}` is not understood"),
            None => (head.to_owned(), text.as_bytes().to_vec()),
        }
    });
    files.collect()
}

/// What a person reads of problems, without spaces at the ends of lines.
fn words(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).expect("it is UTF-8");
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
