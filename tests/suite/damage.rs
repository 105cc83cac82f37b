//! Damaged caches and full disks: noticed, told, and made good by the next build.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::disk::{self, Folder, files, timeless};

const CHAPTER: &str = r#"# Damage

```rust,cell
let squares: Vec<u64> = lab::memo("squares", &10, || (0..10).map(|n| n * n).collect());
lab::value("last", squares[9]);
```

```rust,cell
lab::value("sum", squares.iter().sum::<u64>());
```

[81](claim:last) and [285](claim:sum)
"#;

/// A way to damage a file with some content.
type Damage = fn(&Path, Vec<u8>);

const WAYS: [(&str, Damage); 6] = [
    ("empty", |path, _| write(path, &[])),
    ("cut off", |path, bytes| write(path, &bytes[..bytes.len() / 2])),
    ("flipped at its start", |path, bytes| flip(path, bytes, |_| 0)),
    ("flipped in its middle", |path, bytes| flip(path, bytes, |length| length / 2)),
    ("flipped at its end", |path, bytes| flip(path, bytes, |length| length - 1)),
    ("a folder", |path, _| {
        fs::remove_file(path).expect("it can be removed");
        fs::create_dir_all(path.join("inside")).expect("a folder can be made");
    }),
];

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("it can be written");
}

fn flip(path: &Path, mut bytes: Vec<u8>, at: fn(usize) -> usize) {
    let at = at(bytes.len());
    bytes[at] ^= 1;
    write(path, &bytes);
}

#[test]
fn every_damaged_file_of_the_cache_is_noticed_and_made_again() {
    let report = Folder::new(
        "report",
        &[("report.yaml", "title: Damage\nchapters: [damage.md]\n"), ("damage.md", CHAPTER)],
    )
    .with_compiled_lab();
    report.build();
    let sound = timeless(report.outputs());
    let build = report.root.join("build");
    let mut cached = files(&build.join("cache"));
    cached.extend(
        ["Cargo.toml", "Cargo.lock", "Cargo.lock.stamp"].map(|name| build.join("work").join(name)),
    );
    let has = |part: &str| cached.iter().any(|path| path.to_string_lossy().contains(part));
    for part in ["cache/cells/", "cache/memo/", "cache/rendered.json", "cache/toolchain"] {
        assert!(has(part), "{part} is not among {cached:?}");
    }
    let records = build.join("cache/cells");
    let memo = build.join("cache/memo");
    let colours = build.join("cache/highlighted");
    for path in cached.iter().filter(|path| !path.starts_with(&memo) && **path != colours) {
        for (way, damage) in WAYS {
            damage(path, fs::read(path).expect("a whole file of the cache"));
            let output = report.build();
            let what = format!("{} was {way}", path.display());
            assert!(timeless(report.outputs()) == sound, "{what}");
            assert!(path.is_file(), "{what}");
            if path.starts_with(&records) && path.is_file() && way != "a folder" {
                let stderr = String::from_utf8_lossy(&output.stderr);
                assert!(stderr.contains("damaged"), "{what}: {stderr}");
            }
        }
    }
    // A memoised result is read only when its cell runs again.
    for path in files(&memo) {
        for (way, damage) in WAYS {
            damage(&path, fs::read(&path).expect("a whole file of the cache"));
            fs::remove_dir_all(&records).expect("it can be removed");
            report.build();
            assert!(timeless(report.outputs()) == sound, "{} was {way}", path.display());
            assert!(path.is_file());
        }
    }
    // The words of code are read only when pages are made.
    for (way, damage) in WAYS {
        damage(&colours, fs::read(&colours).expect("a whole file of the cache"));
        fs::remove_file(build.join("cache/rendered.json")).expect("it can be removed");
        report.build();
        assert!(timeless(report.outputs()) == sound, "{} was {way}", colours.display());
        assert!(colours.is_file());
    }
    for path in disk::outputs(&build).into_keys().map(|name| build.join(name)) {
        for (way, damage) in WAYS.into_iter().filter(|(way, _)| *way != "a folder") {
            damage(&path, fs::read(&path).expect("a whole output"));
            report.build();
            assert!(timeless(report.outputs()) == sound, "{} was {way}", path.display());
        }
    }
}

fn prose(words: &str) -> Folder {
    Folder::new(
        "report",
        &[("report.yaml", "title: Full\nchapters: [prose.md]\n"), ("prose.md", words)],
    )
}

const OLD: &str = "# Prose\n\nOld words.\n";
const NEW: &str = "# Prose\n\nNew words.\n";

/// Sizes of the outputs that another edition of a report does not share with it.
fn written_anew(outputs: &disk::Outputs) -> impl Iterator<Item = usize> {
    let anew = outputs.iter().filter(|(name, _)| !name.starts_with("report/assets/"));
    anew.map(|(_, bytes)| bytes.len())
}

/// A build that could not write: told, and the report before is whole.
#[track_caller]
fn expect_full(mut command: Command, build: &Path, before: &disk::Outputs) {
    let output = command.output().expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("cannot write"), "{stderr}");
    assert!(stderr.contains("is the disk full"), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(disk::outputs(build) == *before);
    assert!(!build.join(".report.new").exists() && !build.join(".report.pdf.new").exists());
}

#[test]
fn a_file_that_cannot_be_written_to_its_end_leaves_the_report_before() {
    let report = prose(OLD);
    report.build();
    let old = report.outputs();
    report.write("prose.md", NEW);
    let largest = written_anew(&old).max().expect("there are outputs");
    // In blocks of 512 or 1024 bytes, as shells differ.
    for blocks in [1, largest / 8192, largest / 2048] {
        let whole = report.command();
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\""])
            .arg(blocks.to_string())
            .arg(whole.get_program())
            .args(whole.get_args());
        command.stdin(Stdio::null());
        expect_full(command, &report.root.join("build"), &old);
    }
    report.build();
    assert!(report.outputs() != old);
    report.write("prose.md", OLD);
    report.build();
    assert!(report.outputs() == old);
}

#[test]
fn a_full_disk_leaves_the_report_before() {
    let report = prose(OLD);
    report.build();
    let size: usize = report.outputs().values().map(Vec::len).sum();
    let space = 3 * u64::try_from(size).expect("it is small") + (1 << 20);
    let Some(disk) = disk::Disk::mount(space) else {
        eprintln!("SKIPPED: a disk that is full; this user may not mount a small one");
        return;
    };
    let command = || {
        let mut command = report.command();
        command.arg("--out").arg(disk.build());
        command
    };
    disk::expect_good(command().output().expect("it starts"));
    let old = disk::outputs(&disk.build());
    report.write("prose.md", NEW);
    let filler = disk.root().join("filler");
    let anew: usize = written_anew(&old).sum();
    for free in [0, 4, 8, 12].map(|sixteenths| anew as u64 * sixteenths / 16) {
        let size = (space - disk.used()).saturating_sub(free);
        // The file system's own needs take a part; what fits is written.
        let _ = fs::write(&filler, vec![1; usize::try_from(size).expect("it is small")]);
        expect_full(command(), &disk.build(), &old);
        fs::remove_file(&filler).expect("it can be removed");
    }
    disk::expect_good(command().output().expect("it starts"));
    assert!(disk::outputs(&disk.build()) != old);
    report.write("prose.md", OLD);
    disk::expect_good(command().output().expect("it starts"));
    assert!(disk::outputs(&disk.build()) == old);
}
