//! The same sources give the same bytes, wherever and however they are built.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::disk::{self, Folder, Outputs, differences, timeless};
use crate::mutation;

const STARTER_SETTINGS: &str = include_str!("../../templates/new/report.yaml");
const STARTER: &str = include_str!("../../templates/new/chapters/1-triangles.md");
const STARTER_WORKS: &str = include_str!("../../templates/new/references.bib");

/// Everything that may leak the place or the moment of a build into its outputs.
const LEAKY: &str = r#"# Leaky {#sec-leaky}

```rust,module
use std::collections::HashMap;

/// Panics in another crate, which knows where it was compiled.
pub fn caught() -> bool {
    std::panic::catch_unwind(|| lab::ratio(1, 0)).is_err()
}

/// Adds up in the order of a map, which differs from run to run.
pub fn total(words: &[&str]) -> usize {
    let counted: HashMap<&str, usize> = words.iter().map(|word| (*word, word.len())).collect();
    counted.values().sum()
}
```

```rust,cell
let panicked = caught() && std::panic::catch_unwind(|| chapter_panics()).is_err();
fn chapter_panics() { panic!("in the chapter") }
lab::value("panicked", panicked);
lab::value("total", total(&["a", "bc", "def"]));
eprintln!("{}", file!());
println!("{:?}", std::thread::available_parallelism().is_ok());
```

[It panicked](claim:panicked), and the total is [6](claim:total).

```rust,cell
//| label: tbl-numbers
//| caption: Numbers.
Table::new(["n", "square"]).rows((1..=3).map(|n| (n, n * n)))
```
"#;

/// A report of two chapters in a folder of that name.
fn report(below: &str) -> Folder {
    let settings = STARTER_SETTINGS.replace(
        "  - chapters/1-triangles.md\n",
        "  - chapters/1-triangles.md\n  - chapters/2-leaky.md\n",
    );
    Folder::new(
        below,
        &[
            ("report.yaml", &settings),
            ("references.bib", STARTER_WORKS),
            ("chapters/1-triangles.md", STARTER),
            ("chapters/2-leaky.md", LEAKY),
        ],
    )
}

/// Builds in surroundings that should not matter.
#[track_caller]
fn build(report: &Folder, environment: &[(&str, &str)], jobs: &str) -> Outputs {
    let mut command = report.command();
    command.args(["--jobs", jobs]).envs(environment.iter().copied());
    disk::expect_good(command.output().expect("the executable starts"));
    report.outputs()
}

#[track_caller]
fn assert_tells_nothing_of(outputs: &Outputs, secrets: &[&str]) {
    for (name, bytes) in outputs {
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{name} tells `{secret}`");
        }
    }
}

#[test]
fn two_clean_builds_in_two_places_give_the_same_bytes() {
    let first = report("one").with_compiled_dependencies();
    let second = report("another/and deeper/place").with_compiled_dependencies();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().display().to_string();
    let here = build(&first, &[("LANG", "C"), ("TZ", "UTC")], "1");
    let there = build(
        &second,
        &[
            ("LANG", "de_DE.UTF-8"),
            ("LC_ALL", "de_DE.UTF-8"),
            ("TZ", "Asia/Kolkata"),
            ("TMPDIR", &folder),
            ("RUST_BACKTRACE", "1"),
            ("SOURCE_DATE_EPOCH", "1"),
            ("CLICOLOR_FORCE", "1"),
        ],
        "2",
    );
    let home = std::env::var("HOME").unwrap_or_else(|_| "/root".to_owned());
    for outputs in [&here, &there] {
        let roots = [&first, &second].map(|report| report.root.display().to_string());
        assert_tells_nothing_of(outputs, &[&roots[0], &roots[1], &folder, &format!("{home}/.")]);
    }
    let (here, there) = (timeless(here), timeless(there));
    assert_eq!(differences(&here, &there), [""; 0]);
    let claims = String::from_utf8_lossy(&here["claims.json"]).into_owned();
    assert!(claims.contains("\"key\""), "{claims}");
}

#[test]
fn the_own_report_replays_to_the_same_bytes_in_another_place() {
    mutation::executed();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen: BTreeMap<&str, Outputs> = BTreeMap::new();
    for (below, zone, jobs) in [("one", "UTC", "1"), ("another/place", "Asia/Tokyo", "2")] {
        let report = Folder::new(below, &[]);
        fs::create_dir_all(report.root.join("build")).expect("a folder can be made");
        for part in
            ["Cargo.toml", "Cargo.lock", "crates", "src", "benches", "report.yaml", "chapters"]
        {
            disk::copy(&here.join(part), &report.root.join(part));
        }
        disk::copy(&here.join("build/cache"), &report.root.join("build/cache"));
        let mut command: Command = report.command();
        // The other chapters' results are there only if the report was built.
        command.args(["--jobs", jobs, "--chapter", "1"]).env("TZ", zone);
        let output = disk::expect_good(command.output().expect("the executable starts"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("running"), "a cell ran again: {stderr}");
        let outputs = report.outputs();
        assert_tells_nothing_of(&outputs, &[&report.root.display().to_string()]);
        seen.insert(below, outputs);
    }
    assert_eq!(differences(&seen["one"], &seen["another/place"]), [""; 0]);
}
