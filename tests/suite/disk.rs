//! Reports on disk, built by the executable as a person builds them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

/// A report in a temporary folder.
pub struct Folder {
    pub root: PathBuf,
    _temporary: tempfile::TempDir,
}

/// The bytes of all outputs, by path below the output folder.
pub type Outputs = BTreeMap<String, Vec<u8>>;

impl Folder {
    /// A report with these files, in a new folder that ends in `below`.
    pub fn new(below: &str, files: &[(&str, &str)]) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let folder = Self { root: temporary.path().join(below), _temporary: temporary };
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    /// Brings along what cells are compiled with, so that only the chapters are compiled anew.
    pub fn with_compiled_lab(self) -> Self {
        let build = self.root.join("build");
        fs::create_dir_all(build.join("work")).expect("the folder can be made");
        for part in ["target", "work/lab", "work/protocol"] {
            copy(&compiled_lab().join(part), &build.join(part));
        }
        self
    }

    /// Brings along the compiled dependencies only.
    pub fn with_compiled_dependencies(self) -> Self {
        fs::create_dir_all(self.root.join("build")).expect("the folder can be made");
        copy(&compiled_lab().join("target"), &self.root.join("build/target"));
        self
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
        fs::write(path, text).expect("the folder can be written");
    }

    /// `veracity build-report` for this report, its streams captured.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veracity"));
        command
            .args(["build-report", "--offline", "--root"])
            .arg(&self.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn spawn(&self) -> Child {
        self.command().spawn().expect("the executable starts")
    }

    /// Builds, and expects every claim to be as it should be.
    #[track_caller]
    pub fn build(&self) -> Output {
        expect_good(self.command().output().expect("the executable starts"))
    }

    pub fn outputs(&self) -> Outputs {
        outputs(&self.root.join("build"))
    }
}

/// The outputs in an output folder.
pub fn outputs(build: &Path) -> Outputs {
    let mut found = Outputs::new();
    for name in ["report", "report.pdf", "claims.json"] {
        for path in files(&build.join(name)) {
            let name = path.strip_prefix(build).expect("it lies below").display().to_string();
            found.insert(name, fs::read(&path).expect("an output can be read"));
        }
    }
    found
}

/// The outputs without durations, which differ when a cell is executed again.
pub fn timeless(mut outputs: Outputs) -> Outputs {
    outputs.remove("report/assets/provenance.js");
    if let Some(claims) = outputs.get_mut("claims.json") {
        let text = String::from_utf8_lossy(claims);
        let kept: Vec<&str> =
            text.lines().filter(|line| !line.contains("\"duration_ms\"")).collect();
        *claims = kept.join("\n").into_bytes();
    }
    outputs
}

/// Names of the outputs that differ.
pub fn differences(left: &Outputs, right: &Outputs) -> Vec<String> {
    let names = left.keys().chain(right.keys());
    let mut differing: Vec<String> =
        names.filter(|name| left.get(*name) != right.get(*name)).cloned().collect();
    differing.dedup();
    differing
}

#[track_caller]
pub fn expect_good(output: Output) -> Output {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    output
}

/// All files at or below a path, in order.
pub fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.flat_map(|entry| files(&entry.path())).collect();
    found.sort();
    found
}

/// Copies a file or a folder, times of change included, by which Cargo knows what is fresh.
pub fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "cannot copy {}", from.display());
}

/// The output folder of a report whose one cell has been compiled; kept between test runs.
fn compiled_lab() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-lab");
        fs::create_dir_all(&root).expect("the target folder can be written");
        for (name, text) in [
            ("report.yaml", "title: Lab\nchapters: [compiled-lab.md]\n"),
            ("compiled-lab.md", "# Lab\n\n```rust,cell\nlab::value(\"one\", 1);\n```\n"),
        ] {
            fs::write(root.join(name), text).expect("the target folder can be written");
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_veracity"));
        command.args(["check", "--root"]).arg(&root);
        expect_good(command.output().expect("the executable starts"));
        root.join("build")
    })
}

/// A small disk of its own, taken away in the end.
pub struct Disk(tempfile::TempDir);

impl Disk {
    /// None if this user may not have one.
    pub fn mount(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(folder.path());
        let mounted = command.stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn build(&self) -> PathBuf {
        self.0.path().join("build")
    }

    pub fn used(&self) -> u64 {
        files(self.0.path())
            .iter()
            .map(|path| fs::metadata(path).map_or(0, |data| data.len()))
            .sum()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}
